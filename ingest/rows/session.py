"""Workouts: what a file tells of them, and what the heart did meanwhile."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

from ingest.journal import DAY_MS, Entry, Journal, Person
from ingest.rows.cache import Memory
from ingest.rows.day import Day, count
from ingest.rows.evidence import Evidence, believed, evidence
from ingest.rows.fact import rows_block
from ingest.rows.profile import Profile
from ingest.rows.ruling import ruled, sport_of
from ingest.rows.strap_session import Session
from ingest.rows.table import Block
from zones.days import midnights
from zones.dose import dose_min
from zones.edges import LEAST_RESERVE
from zones.load import banister, edwards
from zones.minutes import MINUTE, tally
from zones.pieces import Pieces, milliseconds_per_bpm
from zones.recovery import recovery
from zones.spans import Spans

LONGEST_MS = 7 * DAY_MS


def workouts(journal: Journal, person: int, start_ms: int, end_ms: int) -> list[Entry]:
    """The workouts that have anything to do with [start, end), in order of their beginnings."""
    found = {
        (e.content["source"], e.at_ms): e
        for e in journal.facts(person, "session", start_ms - LONGEST_MS, end_ms)
        if e.last_ms is not None and (e.last_ms > start_ms or e.at_ms >= start_ms)
    }
    return list(found.values())


def spans(found: list[Entry]) -> Spans:
    """When they were."""
    return Spans.pairs((e.at_ms, e.last_ms) for e in found)


def sessions(
    journal: Journal,
    person: Person,
    known: Profile,
    start_ms: int,
    end_ms: int,
    worn: Sequence[tuple[str, Session]] = (),
    memory: Memory | None = None,
) -> Iterator[Block]:
    """The rows of the workouts of a span: each stands at its start, which may lie before it.

    `worn` are the sessions of straps by the name of the strap; those that begin in the span have a row, too.
    """
    memory = memory or Memory()
    rows = [
        (e.content["source"], e.at_ms, workout_fields(journal, person, known, e, memory))
        for e in workouts(journal, person.id, start_ms, end_ms)
    ]
    tags = {"person": person.name}
    inside = [(name, s.start_ms, s.fields) for name, s in worn if start_ms <= s.start_ms < end_ms]
    inside += [row for row in rows if row[1] >= start_ms]
    yield rows_block("session", tags, start_ms, end_ms, inside)
    for source, at, row in rows:
        if at < start_ms:
            yield rows_block("session", {**tags, "source": source}, at, at + 1, [(source, at, row)])


def workout_fields(
    journal: Journal,
    person: Person,
    known: Profile,
    e: Entry,
    memory: Memory,
    found: list[Evidence] | None = None,
    resolved: Pieces | None = None,
) -> dict[str, Any]:
    """The fields of a workout's row as remembered, or of the evidence of a span that holds it, or of its own."""
    end = e.last_ms or e.at_ms

    def told() -> dict[str, Any]:
        if found is None:
            return session(journal, person, known, e, evidence(journal, person.id, e.at_ms, end))
        return session(journal, person, known, e, found, resolved)

    # Its recovery is seen in the minute after; what is touched reaches farther than that.
    return memory.row("session", (person.id, e.at_ms, end + 1), e.position, told)


def worn_in(
    journal: Journal, person: int, known: Profile, start_ms: int, end_ms: int
) -> list[tuple[str, Session]]:
    """The sessions of straps that have anything to do with [start, end), each with the name of the strap."""
    names = {s.id: s.name for s in journal.sources(person) if s.kind == "strap"}
    if not names:
        return []
    first, last = (known.calendar.day_of(at) for at in (start_ms, end_ms - 1))
    found = []
    for a, b in pairwise(midnights(known.zone, first, last + timedelta(days=1)).tolist()):
        exercise = spans(workouts(journal, person, a, b))
        day = Day.of(count(journal, person, known, a, b), known, exercise, a, b)
        found += [(names[s.source], s) for s in day.worn if s.start_ms < end_ms and s.end_ms > start_ms]
    return found


def session(
    journal: Journal,
    person: Person,
    known: Profile,
    e: Entry,
    found: list[Evidence],
    resolved: Pieces | None = None,
) -> dict[str, Any]:
    """The fields of a workout's row, of the evidence of any span that holds it, and what of it is believed."""
    assert e.last_ms is not None
    pieces = (believed(found) if resolved is None else resolved).clip(e.at_ms, e.last_ms)
    t = tally(*ruled(journal, person.id, known, pieces, e.at_ms, e.last_ms))
    lasts = pieces.end - pieces.start
    duration_s = e.content["timer_s"]
    return {
        "sport": e.content["sport"],
        "duration_s": float(duration_s) if duration_s is not None else (e.last_ms - e.at_ms) / 1000,
        "bpm_mean": float((lasts * pieces.bpm).sum() / lasts.sum()) if len(pieces) else None,
        "bpm_max": int(pieces.bpm.max()) if len(pieces) else None,
        "moderate_s": float(t.moderate_ms[0]) / 1000,
        "vigorous_s": float(t.vigorous_ms[0]) / 1000,
        "dose_min": dose_min(float(t.moderate_ms[0]) / MINUTE, float(t.vigorous_ms[0]) / MINUTE),
        "trimp": _trimp(pieces, known, e.at_ms),
        "recovery_60s": _recovery(found, known, e),
        "edwards": _edwards(pieces, known, e.at_ms),
    }


def _trimp(pieces: Pieces, known: Profile, at_ms: int) -> float | None:
    """Banister's load; None unless resting and maximum heart rate and sex are known, for none of them is guessed."""
    resting, maximum, sex = known.heart_at(at_ms)
    if not len(pieces) or resting is None or maximum is None or sex is None:
        return None
    return (
        banister(milliseconds_per_bpm(pieces), resting, maximum, sex)
        if maximum - resting >= LEAST_RESERVE
        else None
    )


def _edwards(pieces: Pieces, known: Profile, at_ms: int) -> float | None:
    """Edwards' load, which asks for a maximum heart rate alone; None where that is not known."""
    _, maximum, _ = known.heart_at(at_ms)
    return edwards(milliseconds_per_bpm(pieces), maximum) if len(pieces) and maximum is not None else None


def _recovery(found: list[Evidence], known: Profile, e: Entry) -> float | None:
    """How far the heart came down in the minute after, as one sensor saw it: the best that saw both ends of it."""
    assert e.last_ms is not None
    edges = known.sports.get(sport_of(e, known) or "", known.timeline).edges_at(e.last_ms)
    if edges is None:
        return None
    falls = (recovery(f.good, e.last_ms, edges.vigorous_bpm) for f in found)
    return next((fall for fall in falls if fall is not None), None)
