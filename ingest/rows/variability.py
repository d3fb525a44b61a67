"""How much the heart varies from beat to beat, per workout and in the quietest five minutes of a day."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ingest.journal import Journal, Person
from ingest.rows.fact import rows_block
from ingest.rows.heart import Evidence, evidence
from ingest.rows.session import workouts
from ingest.rows.table import Block
from zones.beats import faults, starts, variability
from zones.resting import WINDOW_MS

LEAST_S = 60
"""Seconds of true beats below which there is no RMSSD (doi 10.3389/fpubh.2017.00258)."""

LEAST_SDNN_S = 240
"""SDNN needs five minutes; this is what is measured at least of a window of five."""

Row = tuple[str, int, dict[str, Any]]


def variabilities(
    journal: Journal, person: Person, quiet_ms: Iterable[int], start_ms: int, end_ms: int
) -> Iterator[Block]:
    """The rows of a span: of its workouts, which may begin before it, and of the resting windows that begin in it.

    Of several workouts that begin at one moment the longest speaks for all.
    """
    spans: dict[int, int] = {at: at + WINDOW_MS for at in quiet_ms if start_ms <= at < end_ms}
    found = workouts(journal, person.id, start_ms, end_ms)
    for e in found:
        if e.last_ms is not None and (e.at_ms >= start_ms or e.last_ms > start_ms):
            spans[e.at_ms] = max(spans.get(e.at_ms, 0), e.last_ms)
    rows = [row for at, end in sorted(spans.items()) if (row := _row(journal, person.id, at, end))]
    tags = {"person": person.name}
    yield rows_block("variability", tags, start_ms, end_ms, [row for row in rows if row[1] >= start_ms])
    for at in sorted(at for at in spans if at < start_ms):
        yield rows_block("variability", tags, at, at + 1, [row for row in rows if row[1] == at])


def _row(journal: Journal, person: int, at_ms: int, end_ms: int) -> Row | None:
    """The beats of one sensor, the best one with enough of them; those of two are never mixed."""
    rows = (_of(e, at_ms, end_ms) for e in evidence(journal, person, at_ms, end_ms))
    return next((row for row in rows if row is not None), None)


def _of(e: Evidence, at_ms: int, end_ms: int) -> Row | None:
    times = e.beat_times.astype(np.int64)
    i, j = np.searchsorted(times, [at_ms, end_ms])
    rr = e.rr_ms[i:j].astype(np.float64)
    if rr.sum() < LEAST_S * 1000:
        return None
    new = starts(times[i:j], rr)
    v = variability(rr, faults(rr, new), new)
    if v.seconds < LEAST_S or np.isnan(v.rmssd_ms):
        return None
    return (
        e.source.name,
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
