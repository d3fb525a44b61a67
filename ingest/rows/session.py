"""Workouts: what a file tells of them, and what the heart did meanwhile."""

from collections.abc import Iterator, Mapping
from typing import Any

from ingest.journal import DAY_MS, Entry, Journal, Person
from ingest.rows.fact import facts_block
from ingest.rows.heart import Evidence, evidence
from ingest.rows.profile import Profile
from ingest.rows.ruling import ruled, sport_of
from ingest.rows.table import Block
from zones.dose import dose_min
from zones.edges import LEAST_RESERVE
from zones.load import banister, edwards
from zones.minutes import MINUTE, tally
from zones.pieces import Pieces, resolve
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
    done: Mapping[int, dict[str, Any]] | None = None,
) -> Iterator[Block]:
    """The rows of the workouts of a span: each stands at its start, which may lie before it.

    `done` are fields that are known already, by the position of the workout.
    """
    known_rows = done or {}
    rows = [
        (
            e,
            known_rows[e.position]
            if e.position in known_rows
            else session(
                journal, person, known, e, evidence(journal, person.id, e.at_ms, e.last_ms or e.at_ms)
            ),
        )
        for e in workouts(journal, person.id, start_ms, end_ms)
    ]
    tags = {"person": person.name}
    inside = [(e, row) for e, row in rows if e.at_ms >= start_ms]
    yield facts_block("session", tags, start_ms, end_ms, inside)
    for e, row in rows:
        if e.at_ms < start_ms:
            one = {**tags, "source": e.content["source"]}
            yield facts_block("session", one, e.at_ms, e.at_ms + 1, [(e, row)])


def session(
    journal: Journal, person: Person, known: Profile, e: Entry, found: list[Evidence]
) -> dict[str, Any]:
    """The fields of a workout's row, of the evidence of any span that holds it."""
    assert e.last_ms is not None
    pieces = resolve([f.pieces.clip(e.at_ms, e.last_ms) for f in found])
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
    return banister(pieces, resting, maximum, sex) if maximum - resting >= LEAST_RESERVE else None


def _edwards(pieces: Pieces, known: Profile, at_ms: int) -> float | None:
    """Edwards' load, which asks for a maximum heart rate alone; None where that is not known."""
    _, maximum, _ = known.heart_at(at_ms)
    return edwards(pieces, maximum) if len(pieces) and maximum is not None else None


def _recovery(found: list[Evidence], known: Profile, e: Entry) -> float | None:
    """How far the heart came down in the minute after, as one sensor saw it: the best that saw both ends of it."""
    assert e.last_ms is not None
    edges = known.sports.get(sport_of(e, known) or "", known.timeline).edges_at(e.last_ms)
    if edges is None:
        return None
    falls = (recovery(f.good, e.last_ms, edges.vigorous_bpm) for f in found)
    return next((fall for fall in falls if fall is not None), None)
