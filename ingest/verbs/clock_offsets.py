"""Two sensors of one person whose clocks disagree: which is ahead, by how much, and when that was seen."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from ingest.journal import Journal, Person
from ingest.language import N_, Text, said
from ingest.rows.evidence import Evidence, read_evidence
from ingest.rows.profile import read_profile
from ingest.verbs.times import day_and_time, zone_at
from zones.offset import LEAST_OVERLAP, find_offset

STRETCHES = 5
"""Stretches of overlap that are looked at, the newest first: each takes some milliseconds."""

LOOKED_AT = 400
"""Chunks among which overlap is sought, the newest first; all-day files are too sparse to tell a clock by."""

LONGEST_MS = 7_200_000
"""How much of one stretch is looked at."""

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """Over a stretch of time the clock of one source is this many seconds ahead of that of the other."""

    person: str
    zone: str
    ahead: str
    behind: str
    seconds: int
    at_ms: int

    def json(self) -> dict[str, Any]:
        return {
            "person": self.person,
            "ahead": self.ahead,
            "behind": self.behind,
            "seconds": self.seconds,
            "at_ms": self.at_ms,
        }

    @property
    def sentence(self) -> Text:
        return _offset(self.json(), self.zone, {})


def offset_text(c: Mapping[str, Any], zone: str | None, names: Mapping[str, str]) -> str:
    """The same, as `json` gives it, in the language that is spoken; `names` are what people call sources."""
    return said(_offset(c, zone, names))


def _offset(c: Mapping[str, Any], zone: str | None, names: Mapping[str, str]) -> Text:
    return Text(
        N_(
            "The clock of {ahead} is {seconds} s ahead of that of {behind} ({person}, {time}). Set both by a phone or the"
            " internet; minutes at the borders may be off by that much."
        ),
        ahead=names.get(c["ahead"], c["ahead"]),
        seconds=c["seconds"],
        behind=names.get(c["behind"], c["behind"]),
        person=c["person"],
        time=day_and_time(c["at_ms"], zone),
    )


def clock_offsets(journal: Journal) -> list[ClockOffset]:
    """What the newest stretches that two sources of one person saw tell of their clocks; the newest per pair."""
    return [d for person in journal.persons() for d in _newest_offsets(journal, person)]


def _newest_offsets(journal: Journal, person: Person) -> Iterator[ClockOffset]:
    held = journal.newest_spans(person.id, LOOKED_AT)
    judged: set[Pair] = set()
    for a, b, one, other in _overlaps(held)[:STRETCHES]:
        pair = min(one, other), max(one, other)
        if pair not in judged:
            judged.add(pair)
            found = read_evidence(journal, person.id, a, min(b, a + LONGEST_MS))
            yield from offsets_between(journal, person, [e for e in found if e.source.id in pair])


def offsets_between(journal: Journal, person: Person, found: list[Evidence]) -> Iterator[ClockOffset]:
    """Whether any two of the sources seen in a span disagree in it."""
    for one, other in combinations(found, 2):
        far = find_offset(one.pieces, other.pieces)
        if far is not None:
            at_ms = int(max(one.pieces.start[0], other.pieces.start[0]))
            ahead, behind = (other, one) if far.seconds > 0 else (one, other)
            yield ClockOffset(
                person.name,
                zone_at(read_profile(journal, person.id).calendar, at_ms),
                ahead.source.name,
                behind.source.name,
                abs(far.seconds),
                at_ms,
            )


def _overlaps(held: list[tuple[int, int, int]]) -> list[tuple[int, int, int, int]]:
    """Stretches long enough to judge that two sources held both: (start, end, one, other), the newest first."""
    spans: dict[int, list[Pair]] = {}
    for source, first, last in sorted(held):
        mine = spans.setdefault(source, [])
        if mine and first <= mine[-1][1] + 90_000:
            mine[-1] = mine[-1][0], max(mine[-1][1], last)
        else:
            mine.append((first, last))
    found = [
        (max(a, c), min(b, d), one, other)
        for one, other in combinations(spans, 2)
        for a, b in spans[one]
        for c, d in spans[other]
        if min(b, d) - max(a, c) >= LEAST_OVERLAP * 1000
    ]
    return sorted(found, reverse=True)
