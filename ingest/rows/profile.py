"""Which edges were in force when, and whose days and targets they are: what the journal knows of a person."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from ingest.journal import ALWAYS_MS, Entry, Journal
from ingest.journal.entry import LEAST_MAXIMUM_BPM, MOST_MAXIMUM_BPM
from zones.days import midnights
from zones.edges import Edges, Timeline, changes
from zones.load import Sex

TARGET_MIN = 150.0
"""Lower end of the 150 to 300 moderate-equivalent minutes of WHO 2020 (doi 10.1136/bjsports-2020-102955)."""

OLDEST = 110
"""The age up to which formulas guess a maximum; who is older keeps the guess of that age."""


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """A person as the numbers need them: the edges in force when, the time zone, the weekly target."""

    timeline: Timeline
    zone: str
    target_min: float
    heart: tuple[int | None, int | None, Sex | None] = (None, None, None)

    def heart_at(self, ms: int) -> tuple[int | None, int | None, Sex | None]:  # noqa: ARG002
        """Resting and maximum heart rate and sex as they hold at a moment; None for what nobody has said."""
        return self.heart


def profile(journal: Journal, person: int) -> Profile:
    """What the journal knows of a person by now."""
    return _profile(journal.profile(person) or {}, journal.facts(person, "limits"))


def _profile(facts: Mapping[str, Any], limits: Iterable[Entry]) -> Profile:
    zone = facts.get("zone", "UTC")
    target = float(facts.get("target_min", TARGET_MIN))
    heart = facts.get("resting_bpm"), facts.get("maximum_bpm"), facts.get("sex")
    return Profile(Timeline.of(_edges(facts, limits, zone)), zone, target, heart)


def _edges(facts: Mapping[str, Any], limits: Iterable[Entry], zone: str) -> list[tuple[int, Edges | None]]:
    """What the owner wrote comes first, then what the watch believes, and a guess by age last of all."""
    if "moderate_bpm" in facts:
        return [(-ALWAYS_MS, Edges.from_bpm(facts["moderate_bpm"], facts["vigorous_bpm"]))]
    if "maximum_bpm" in facts:
        maximum = facts["maximum_bpm"]
        return [(-ALWAYS_MS, Edges.from_maximum(maximum, f"measured maximum heart rate {maximum} bpm"))]
    # Of two limits of one moment the higher is the one, whichever came in first: the last to enter the dictionary.
    watch = dict(
        sorted(
            (e.at_ms, e.content["maximum_bpm"])
            for e in limits
            if LEAST_MAXIMUM_BPM <= e.content["maximum_bpm"] <= MOST_MAXIMUM_BPM
        )
    )
    if watch:
        entries: list[tuple[int, Edges | None]] = []
        before = None
        for at, maximum in watch.items():
            if maximum != before:
                # The first limits a watch tells of also stand for the time before.
                begins = at if entries else -ALWAYS_MS
                entries.append(
                    (
                        begins,
                        Edges.from_maximum(maximum, f"maximum heart rate {maximum} bpm set in the watch"),
                    )
                )
            before = maximum
        return entries
    if "born" in facts:
        return list(_by_age(facts["born"], zone))
    return []


@lru_cache(maxsize=16)
def _by_age(born: int, zone: str) -> tuple[tuple[int, Edges], ...]:
    """One entry a year: the age is that reached in the year."""
    first = max(born + 5, 1990)
    entries: list[tuple[int, Edges]] = []
    for year in range(first, born + OLDEST + 1):
        new_year = int(midnights(zone, date(year, 1, 1), date(year, 1, 1))[0])
        entries.append((new_year if entries else -ALWAYS_MS, Edges.from_age(year - born)))
    return tuple(entries)


def note(journal: Journal, name: str, facts: Mapping[str, Any], *, overwrite: bool) -> bool:
    """Let the journal know what the settings say of a person; says whether that is news.

    Touches exactly the time in which other numbers come of it. Without `overwrite` only a person of whom nothing is
    known yet is noted.
    """
    known = journal.person(name)
    before = journal.profile(known.id) if known else None
    if before == dict(facts) or (before is not None and not overwrite):
        return False
    with journal.write() as w:
        person = w.person(name)
        limits = journal.facts(person, "limits")
        old, new = _profile(before or {}, limits), _profile(facts, limits)
        spans = [(-ALWAYS_MS, ALWAYS_MS)]
        if before is not None and (old.zone, old.target_min, old.heart) == (
            new.zone,
            new.target_min,
            new.heart,
        ):
            differ = changes(old.timeline, new.timeline)
            spans = [
                (max(a, -ALWAYS_MS), min(b, ALWAYS_MS))
                for a, b in zip(differ.start.tolist(), differ.end.tolist(), strict=True)
            ]
        w.entry(person, "profile", w.now_ms, spans[0] if spans else None, dict(facts))
        for span in spans[1:]:
            w.entry(person, "touch", w.now_ms, span)
    return True
