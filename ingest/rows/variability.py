"""The table `variability`: how much the heart varies from beat to beat in a workout, while a strap is worn, and at rest."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.journal import Entry, Journal, Person
from ingest.rows.cache import RowCache
from ingest.rows.evidence import LONGEST_BEAT_MS, REACH_MS, Evidence
from ingest.rows.strap_session import StrapSession
from ingest.rows.table import Block
from ingest.rows.workout import workout_end_ms, workouts_in
from zones.beats import (
    CONTEXT_MS,
    SUMS,
    Variability,
    find_chain_starts,
    find_faults,
    measure_variability,
    sum_intervals,
    variability_of_sums,
)
from zones.minutes import MINUTE
from zones.resting import WINDOW_MS

LEAST_S = 60
"""Seconds of true beats below which there is no RMSSD (doi 10.3389/fpubh.2017.00258)."""

LEAST_SDNN_S = 240
"""SDNN needs five minutes; this is what is measured at least of a window of five."""

Row = tuple[str, int, dict[str, Any]]
"""Source, time in ms, and fields."""

EvidenceBetween = Callable[[int, int], list[Evidence]]
"""Gives the evidence of [start, end), in ms."""


@dataclass(frozen=True, slots=True)
class _Span:
    """What has a row: until when, of which session of which strap if of one, and whether it is a resting window."""

    end_ms: int
    strap: tuple[str, StrapSession] | None = None
    at_rest: bool = False


def variability_blocks(
    journal: Journal,
    person: Person,
    quiet_ms: Iterable[int],
    strap_sessions: Sequence[tuple[str, StrapSession]],
    workouts: Sequence[Entry],
    start_ms: int,
    end_ms: int,
    cache: RowCache,
    evidence_between: EvidenceBetween,
) -> Iterator[Block]:
    """The rows of a span: of the workouts in it, which may begin before it, of sessions of straps, and of resting windows.

    `quiet_ms` is when the resting windows begin. Of several spans that begin at one moment the longest has the row.
    """
    spans = {at: _Span(at + WINDOW_MS, at_rest=True) for at in quiet_ms if start_ms <= at < end_ms}
    other = [(s.start_ms, _Span(s.end_ms, (name, s))) for name, s in strap_sessions]
    other = [(at, span) for at, span in other if start_ms <= at < end_ms]
    other += [(e.at_ms, _Span(workout_end_ms(e))) for e in workouts_in(workouts, start_ms, end_ms)]
    for at, span in other:
        if at not in spans or span.end_ms > spans[at].end_ms:
            spans[at] = span
    if spans and not _has_beats(journal, person.id, min(spans), max(s.end_ms for s in spans.values())):
        evidence_between = _nothing  # most workouts of watches: their samples need not be read for that
    rows = []
    for at, span in sorted(spans.items()):
        row = (
            _strap_row(person.id, *span.strap, cache, evidence_between)
            if span.strap
            else cache.row(
                "variability",
                (person.id, at, span.end_ms),
                None,
                partial(_row, evidence_between, at, span.end_ms),
            )
        )
        if row:
            source, _, fields = row
            resting_ms = fields["rmssd_ms"] if span.at_rest else None
            rows.append((source, at, {**fields, "rest_rmssd_ms": resting_ms}))
    tags = {"person": person.name}
    inside = [row for row in rows if row[1] >= start_ms]
    yield Block.by_source("variability", tags, start_ms, end_ms, inside)
    for at in sorted(at for at in spans if at < start_ms):
        yield Block.by_source("variability", tags, at, at + 1, [row for row in rows if row[1] == at])


def _has_beats(journal: Journal, person: int, start_ms: int, end_ms: int) -> bool:
    """Whether evidence of a time can hold any: that reaches over it."""
    return journal.has_beats(person, start_ms - REACH_MS, end_ms + REACH_MS)


def _nothing(start_ms: int, end_ms: int) -> list[Evidence]:  # noqa: ARG001 - as whoever gives some
    return []


def _strap_row(
    person: int, name: str, session: StrapSession, cache: RowCache, evidence_between: EvidenceBetween
) -> Row | None:
    """The row of a strap's own beats in a session: the sum of its minutes, of which only new ones are looked at."""
    sums_at = cache.beat_sums(person, session.source)
    minutes = np.arange(session.start_ms, session.end_ms, MINUTE, dtype=np.int64)
    new = minutes[[at not in sums_at for at in minutes.tolist()]]
    for run in np.split(new, np.flatnonzero(np.diff(new) > MINUTE) + 1) if len(new) else ():
        a, b = int(run[0]), int(run[-1]) + MINUTE
        strap = next((e for e in evidence_between(a, b) if e.source.id == session.source), None)
        table = _minute_sums(strap, a, b) if strap else np.zeros((len(run), len(SUMS)), np.int64)
        sums_at.update(zip(run.tolist(), (row.tobytes() for row in table), strict=True))
    rows = np.frombuffer(b"".join(sums_at[at] for at in minutes.tolist()), np.int64)
    v = variability_of_sums(rows.reshape(-1, len(SUMS)).sum(axis=0))
    return _as_row(name, session.start_ms, v)


def _minute_sums(e: Evidence, start_ms: int, end_ms: int) -> NDArray[np.int64]:
    """What each minute of [start, end) adds to the variability of whatever it is part of."""
    times = e.beat_times.astype(np.int64)
    i, j = np.searchsorted(times, [start_ms - CONTEXT_MS, end_ms + CONTEXT_MS])
    times, rr_ms = times[i:j], e.rr_ms[i:j].astype(np.float64)
    new = find_chain_starts(times, rr_ms) | (rr_ms > LONGEST_BEAT_MS)
    n = (end_ms - start_ms) // MINUTE
    # What lies around is there for the faults alone.
    minute = np.where((times >= start_ms) & (times < end_ms), (times - start_ms) // MINUTE, n)
    return sum_intervals(minute, n + 1, rr_ms, find_faults(rr_ms, new), new)[:n]


def _row(evidence_between: EvidenceBetween, start_ms: int, end_ms: int) -> Row | None:
    """The row of the beats of one sensor, the best one with enough of them; those of two are never mixed."""
    rows = (_source_row(e, start_ms, end_ms) for e in evidence_between(start_ms, end_ms))
    return next((row for row in rows if row is not None), None)


def _source_row(e: Evidence, start_ms: int, end_ms: int) -> Row | None:
    times = e.beat_times.astype(np.int64)
    i, j = np.searchsorted(times, [start_ms, end_ms])
    rr_ms = e.rr_ms[i:j].astype(np.float64)
    if rr_ms.sum() < LEAST_S * 1000:
        return None
    new = find_chain_starts(times[i:j], rr_ms)
    return _as_row(e.source.name, start_ms, measure_variability(rr_ms, find_faults(rr_ms, new), new))


def _as_row(source: str, at_ms: int, v: Variability) -> Row | None:
    """The row of what was computed; none where there are too few true beats."""
    if v.seconds < LEAST_S or np.isnan(v.rmssd_ms):
        return None
    return (
        source,
        at_ms,
        {
            "rmssd_ms": v.rmssd_ms,
            "sdnn_ms": v.sdnn_ms if v.seconds >= LEAST_SDNN_S else None,
            "pnn50": v.pnn50,
            "beats": v.beats,
            "artefact_pct": v.artefact_pct,
            "ln_rmssd": None if np.isnan(v.ln_rmssd) else v.ln_rmssd,
        },
    )
