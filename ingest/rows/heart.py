"""Whose heart beat how fast when: a person's sources over a span, and what each moment of it is worth."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from ingest.journal import RANKS, Chunk, Journal, Source
from zones import artefacts
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

LONGEST_BEAT_MS = 4000
"""Two beats farther apart than this have lost one between them."""


REACH_MS = artefacts.REACH_MS + LONGEST_MS
"""How far a sample may reach: it decides whether those around it are believed, and for how long they stand."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """One source over a span: its samples and beats as they are, and the time each sample stands for.

    `bad` says of each sample why it is not believed (`zones.artefacts.Artefact`), 0 if it is. `movement` is None where
    every second counts.
    """

    source: Source
    series: Series
    bad: NDArray[np.uint8]
    beat_times: NDArray[np.datetime64]
    rr_ms: NDArray[np.float32]
    pauses: Spans
    movement: Spans | None
    ends: NDArray[np.int64]
    pieces: Pieces

    @property
    def good(self) -> Series:
        """The samples that are believed."""
        return artefacts.believed(self.series, self.bad)


def evidence(journal: Journal, person: int, start_ms: int, end_ms: int) -> list[Evidence]:
    """A person's sources with data in [start, end), those to be believed first in front.

    Series reach over the span as far as a sample may; pieces are cut to the span exactly, and are the same whatever
    span around them is asked for.
    """
    by_source: dict[int, list[Chunk]] = {}
    for chunk in journal.chunks(person, start_ms - REACH_MS, end_ms + REACH_MS):
        by_source.setdefault(chunk.source.id, []).append(chunk)
    ranked = sorted(by_source.values(), key=lambda chunks: (chunks[0].source.rank, chunks[0].source.name))
    return [_evidence(i, chunks, start_ms, end_ms) for i, chunks in enumerate(ranked)]


def believed(found: list[Evidence]) -> Pieces:
    """One heart rate for each moment that any source saw; each piece carries the index of the source it is of."""
    return resolve([e.pieces for e in found])


def _evidence(index: int, chunks: list[Chunk], start_ms: int, end_ms: int) -> Evidence:
    source = chunks[0].source
    a, b = np.array([start_ms - REACH_MS, end_ms + REACH_MS]).astype(TIMES)
    series = join([c.columns.series for c in chunks]).between(a, b)
    beats = times, rr_ms = _beats(chunks)
    bad = artefacts.artefacts(series, _stuck_s(source), _alive(*beats) if len(times) else None)
    pauses, movement, ends = _union([c.columns.pauses for c in chunks]), _movement(chunks), _ends(chunks)
    pieces = hold(
        artefacts.believed(series, bad),
        LONGEST[source.kind],
        pauses=pauses,
        ends=ends,
        source=index,
        counts=True if movement is None else movement,
    ).clip(start_ms, end_ms)
    return Evidence(source, series, bad, times, rr_ms, pauses, movement, ends, pieces)


def _stuck_s(source: Source) -> float | None:
    """After how long an unchanging value is no longer believed; a watch that listened to a strap is one."""
    return artefacts.STUCK_S.get("strap" if source.rank <= RANKS["activity strap"] else source.kind)


def _alive(times: NDArray[np.datetime64], rr_ms: NDArray[np.float32]) -> Spans:
    """When beats were seen to vary: from each one to the next of another length, if none was lost between them."""
    ms = times.astype(np.int64)
    varies = (rr_ms[1:] != rr_ms[:-1]) & (np.diff(ms) <= LONGEST_BEAT_MS)
    return Spans.of(ms[:-1][varies], ms[1:][varies])


def _union(parts: list[Spans]) -> Spans:
    some = [p for p in parts if len(p)]
    if len(some) < 2:
        return some[0] if some else Spans.none()
    return Spans.of(np.concatenate([p.start for p in some]), np.concatenate([p.end for p in some]))


def _movement(chunks: list[Chunk]) -> Spans | None:
    """When its wearer was seen to move; None where every second counts, as in workouts."""
    seen = [c for c in chunks if c.columns.movement is not None]
    if not seen:
        return None
    everything = Spans.pairs((c.first_ms, c.columns.end_ms) for c in chunks if c.columns.movement is None)
    return _union([everything, *(c.columns.movement for c in seen if c.columns.movement is not None)])


def _ends(chunks: list[Chunk]) -> NDArray[np.int64]:
    """When the source stopped recording: the ends of its chunks, less those at which another one goes on."""
    if len(chunks) == 1:
        return np.array([chunks[0].columns.end_ms])
    first = np.array([c.first_ms for c in chunks])
    ends = np.array([c.columns.end_ms for c in chunks])
    # In order of their beginnings: does any that began by then last longer?
    order = np.argsort(first, kind="stable")
    longest = np.maximum.accumulate(ends[order])
    goes_on = longest[np.searchsorted(first[order], ends, side="right") - 1] > ends
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
