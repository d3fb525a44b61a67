"""Whose heart beat how fast when: a person's sources over a span, and what each moment of it is worth."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from ingest.journal import Chunk, Journal, Source
from zones.pieces import Pieces, hold, resolve
from zones.series import TIMES, Series, join
from zones.spans import Spans

LONGEST = {
    "strap": timedelta(seconds=5),
    "activity": timedelta(seconds=30),
    "monitoring": timedelta(seconds=90),
}
"""How long a sample stands for at most.

Against the seconds per zone that watches store themselves, 30 s fits smart-recorded workouts best (99 % of their
gaps are shorter than 24 s); straps notify about once a second; all-day files hold about one sample a minute.
"""

LONGEST_MS = 90_000


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """One source over a span: its samples and beats as they are, and the time each sample stands for."""

    source: Source
    series: Series
    beat_times: NDArray[np.datetime64]
    rr_ms: NDArray[np.float32]
    pieces: Pieces


def evidence(journal: Journal, person: int, start_ms: int, end_ms: int) -> list[Evidence]:
    """A person's sources with data in [start, end), those to be believed first in front.

    Series reach as far over the span as a sample may stand for; pieces are cut to the span exactly.
    """
    by_source: dict[int, list[Chunk]] = {}
    for chunk in journal.chunks(person, start_ms - LONGEST_MS, end_ms + LONGEST_MS):
        by_source.setdefault(chunk.source.id, []).append(chunk)
    ranked = sorted(by_source.values(), key=lambda chunks: (chunks[0].source.rank, chunks[0].source.name))
    return [_evidence(i, chunks, start_ms, end_ms) for i, chunks in enumerate(ranked)]


def believed(found: list[Evidence]) -> Pieces:
    """One heart rate for each moment that any source saw; each piece carries the index of the source it is of."""
    return resolve([e.pieces for e in found])


def _evidence(index: int, chunks: list[Chunk], start_ms: int, end_ms: int) -> Evidence:
    source = chunks[0].source
    a, b = np.array([start_ms - LONGEST_MS, end_ms + LONGEST_MS]).astype(TIMES)
    series = join([c.columns.series.between(a, b) for c in chunks])
    pauses, movement = Spans.none(), Spans.none()
    for c in chunks:
        pauses = pauses | c.columns.pauses
        movement = movement | c.columns.movement if c.columns.movement is not None else movement
    everything_counts = any(c.columns.movement is None for c in chunks)
    pieces = hold(
        series,
        LONGEST[source.kind],
        pauses=pauses,
        ends=_ends(chunks),
        source=index,
        counts=True if everything_counts else movement,
    )
    times, rr_ms = _beats(chunks)
    return Evidence(source, series, times, rr_ms, pieces.clip(start_ms, end_ms))


def _ends(chunks: list[Chunk]) -> NDArray[np.int64]:
    """When the source stopped recording: the ends of its chunks, less those at which another one goes on."""
    first = np.array([c.first_ms for c in chunks])
    ends = np.array([c.columns.end_ms for c in chunks])
    goes_on = ((first <= ends[:, None]) & (ends > ends[:, None])).any(axis=1)
    return np.unique(ends[~goes_on])


def _beats(chunks: list[Chunk]) -> tuple[NDArray[np.datetime64], NDArray[np.float32]]:
    """The beats of a source in order of time; a beat that two chunks hold is one beat."""
    times = np.concatenate([c.columns.beat_times for c in chunks])
    rr_ms = np.concatenate([c.columns.rr_ms for c in chunks])
    if len(chunks) > 1 and len(times):
        order = np.lexsort((rr_ms, times))
        times, rr_ms = times[order], rr_ms[order]
        new = np.append(True, (times[1:] != times[:-1]) | (rr_ms[1:] != rr_ms[:-1]))
        times, rr_ms = times[new], rr_ms[new]
    return times, rr_ms
