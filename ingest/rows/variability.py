"""How much the heart varies from beat to beat: per workout, while a strap is worn, in the quietest minutes of a day."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.journal import Journal, Person
from ingest.rows.cache import Memory
from ingest.rows.evidence import LONGEST_BEAT_MS, Evidence
from ingest.rows.fact import rows_block
from ingest.rows.session import workouts
from ingest.rows.strap_session import Session
from ingest.rows.table import Block
from zones.beats import CONTEXT_MS, SUMS, Variability, faults, starts, summed, sums, variability
from zones.minutes import MINUTE
from zones.resting import WINDOW_MS

LEAST_S = 60
"""Seconds of true beats below which there is no RMSSD (doi 10.3389/fpubh.2017.00258)."""

LEAST_SDNN_S = 240
"""SDNN needs five minutes; this is what is measured at least of a window of five."""

Row = tuple[str, int, dict[str, Any]]

Seen = Callable[[int, int], list[Evidence]]
"""The evidence of [start, end), in ms."""


def variabilities(
    journal: Journal,
    person: Person,
    quiet_ms: Iterable[int],
    worn: Sequence[tuple[str, Session]],
    start_ms: int,
    end_ms: int,
    memory: Memory,
    seen: Seen,
) -> Iterator[Block]:
    """The rows of a span: of its workouts, which may begin before it, of what straps saw, and of resting windows.

    `seen` gives the evidence of a stretch of time. Of several that begin at one moment the longest speaks for all.
    """
    spans: dict[int, tuple[int, tuple[str, Session] | None]] = {
        at: (at + WINDOW_MS, None) for at in quiet_ms if start_ms <= at < end_ms
    }
    for name, s in worn:
        if start_ms <= s.start_ms < end_ms and s.end_ms > spans.get(s.start_ms, (0, None))[0]:
            spans[s.start_ms] = s.end_ms, (name, s)
    for e in workouts(journal, person.id, start_ms, end_ms):
        if e.last_ms is not None and e.last_ms > spans.get(e.at_ms, (0, None))[0]:
            spans[e.at_ms] = e.last_ms, None
    rows = []
    for at, (end, strap) in sorted(spans.items()):
        row = (
            _of_strap(person.id, *strap, memory, seen)
            if strap
            else memory.row("variability", (person.id, at, end), None, partial(_row, seen, at, end))
        )
        if row:
            rows.append(row)
    tags = {"person": person.name}
    yield rows_block("variability", tags, start_ms, end_ms, [row for row in rows if row[1] >= start_ms])
    for at in sorted(at for at in spans if at < start_ms):
        yield rows_block("variability", tags, at, at + 1, [row for row in rows if row[1] == at])


def _of_strap(person: int, name: str, session: Session, memory: Memory, seen: Seen) -> Row | None:
    """What a strap's own beats tell of a session: the sum of its minutes, of which only new ones are looked at."""
    known = memory.sums(person, session.source)
    minutes = np.arange(session.start_ms, session.end_ms, MINUTE)
    new = minutes[[at not in known for at in minutes.tolist()]]
    for run in np.split(new, np.flatnonzero(np.diff(new) > MINUTE) + 1) if len(new) else ():
        a, b = int(run[0]), int(run[-1]) + MINUTE
        found = next((e for e in seen(a, b) if e.source.id == session.source), None)
        table = _sums(found, a, b) if found else np.zeros((len(run), len(SUMS)), np.int64)
        known.update(zip(run.tolist(), table, strict=True))
    v = summed(np.sum([known[at] for at in minutes.tolist()], axis=0))
    return _told(name, session.start_ms, v)


def _sums(e: Evidence, a: int, b: int) -> NDArray[np.int64]:
    """What each minute of [a, b) adds to the variability of whatever it is part of."""
    times = e.beat_times.astype(np.int64)
    i, j = np.searchsorted(times, [a - CONTEXT_MS, b + CONTEXT_MS])
    times, rr = times[i:j], e.rr_ms[i:j].astype(np.float64)
    new = starts(times, rr) | (rr > LONGEST_BEAT_MS)
    n = (b - a) // MINUTE
    # What lies around is there for the faults alone.
    which = np.where((times >= a) & (times < b), (times - a) // MINUTE, n)
    return sums(which, n + 1, rr, faults(rr, new), new)[:n]


def _row(seen: Seen, at_ms: int, end_ms: int) -> Row | None:
    """The beats of one sensor, the best one with enough of them; those of two are never mixed."""
    rows = (_of(e, at_ms, end_ms) for e in seen(at_ms, end_ms))
    return next((row for row in rows if row is not None), None)


def _of(e: Evidence, at_ms: int, end_ms: int) -> Row | None:
    times = e.beat_times.astype(np.int64)
    i, j = np.searchsorted(times, [at_ms, end_ms])
    rr = e.rr_ms[i:j].astype(np.float64)
    if rr.sum() < LEAST_S * 1000:
        return None
    new = starts(times[i:j], rr)
    return _told(e.source.name, at_ms, variability(rr, faults(rr, new), new))


def _told(source: str, at_ms: int, v: Variability) -> Row | None:
    """The row of what was found; none where there are too few true beats."""
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
