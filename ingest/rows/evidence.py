"""Whose heart beat how fast when: a person's sources over a span, and what each moment of it is worth."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ingest.journal import RANKS, Chunk, Journal, Source
from zones import artefacts
from zones.moments import are_among, distinct
from zones.pieces import Pieces, hold, resolve
from zones.placing import place
from zones.series import TIMES, Series, join
from zones.spans import Spans

LONGEST_HOLD = {
    "strap": timedelta(seconds=5),
    "activity": timedelta(seconds=30),
    "monitoring": timedelta(seconds=90),
}
"""How long a sample stands for at most.

Against the seconds per zone that watches store themselves, 30 s fits smart-recorded workouts best (99 % of their
gaps are shorter than 24 s); straps notify about once a second; all-day files hold about one sample a minute.
"""

_LONGEST_HOLD_MS = 90_000

LONGEST_BEAT_MS = 4000
"""Two beats farther apart than this have lost one between them."""


REACH_MS = artefacts.REACH_MS + _LONGEST_HOLD_MS
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
        return artefacts.without_artefacts(self.series, self.bad)


def read_evidence(journal: Journal, person: int, start_ms: int, end_ms: int) -> list[Evidence]:
    """A person's sources with data in [start, end), those to be believed first in front.

    Series reach over the span as far as a sample may; pieces are cut to the span exactly, and are the same whatever
    span around them is asked for.
    """
    by_source: dict[int, list[Chunk]] = {}
    for chunk in journal.chunks(person, start_ms - REACH_MS, end_ms + REACH_MS):
        by_source.setdefault(chunk.source.id, []).append(chunk)
    ranked = sorted(by_source.values(), key=lambda chunks: (chunks[0].source.rank, chunks[0].source.name))
    return [_read_source(i, chunks, start_ms, end_ms) for i, chunks in enumerate(ranked)]


def resolve_sources(evidence: Sequence[Evidence]) -> Pieces:
    """One heart rate for each moment that any source saw; each piece carries the index of the source it is of."""
    return resolve([e.pieces for e in evidence])


def _read_source(index: int, chunks: list[Chunk], start_ms: int, end_ms: int) -> Evidence:
    source = chunks[0].source
    a, b = np.array([start_ms - REACH_MS, end_ms + REACH_MS], dtype=np.int64).astype(TIMES)
    series = join([c.columns.series for c in chunks]).between(a, b)
    beats = _Beats.gather(chunks)
    bad = artefacts.find_artefacts(
        series,
        _stuck_s(source),
        beats.alive if len(beats.arrival_ms) else None,
        _strap_signals(chunks, series, beats),
    )
    pauses, movement, ends = Spans.union([c.columns.pauses for c in chunks]), _movement(chunks), _ends(chunks)
    pieces = hold(
        artefacts.without_artefacts(series, bad),
        LONGEST_HOLD[source.kind],
        pauses=pauses,
        ends=ends,
        source=index,
        counts=True if movement is None else movement,
    ).clip(start_ms, end_ms)
    return Evidence(source, series, bad, beats.times, beats.rr_ms, pauses, movement, ends, pieces)


def _stuck_s(source: Source) -> float | None:
    """After how long an unchanging value is no longer believed; a watch may have listened to a strap.

    What is derived from beats was held against them when it was.
    """
    if source.rank == RANKS["derived"]:
        return None
    kind = (
        "activity strap"
        if source.kind == "activity" and source.rank <= RANKS["activity strap"]
        else source.kind
    )
    return artefacts.STUCK_S.get(kind)


def _movement(chunks: list[Chunk]) -> Spans | None:
    """When its wearer was seen to move; None where every second counts, as in workouts."""
    with_movement = [c for c in chunks if c.columns.movement is not None]
    if not with_movement:
        return None
    everything = Spans.pairs((c.first_ms, c.columns.end_ms) for c in chunks if c.columns.movement is None)
    return Spans.union(
        [everything, *(c.columns.movement for c in with_movement if c.columns.movement is not None)]
    )


def _ends(chunks: list[Chunk]) -> NDArray[np.int64]:
    """When the source stopped recording: the ends of its chunks, less those at which another one goes on."""
    if len(chunks) == 1:
        return np.array([chunks[0].columns.end_ms], dtype=np.int64)
    first = np.array([c.first_ms for c in chunks], dtype=np.int64)
    ends = np.array([c.columns.end_ms for c in chunks], dtype=np.int64)
    # In order of their beginnings: does any that began by then last longer?
    order = np.argsort(first, kind="stable")
    longest = np.maximum.accumulate(ends[order])
    goes_on = longest[np.searchsorted(first[order], ends, side="right") - 1] > ends
    return distinct(ends[~goes_on])


@dataclass(frozen=True, slots=True, eq=False)
class _Beats:
    """The beats of a source in order of time, and when (int64 ms) word of which intervals (ms) arrived.

    A file holds each beat at its own moment. A strap notifies of it later: its beats are placed, connection by connection.
    """

    times: NDArray[np.datetime64]
    rr_ms: NDArray[np.float32]
    arrival_ms: NDArray[np.int64]
    arrived_rr_ms: NDArray[np.float32]

    @classmethod
    def gather(cls, chunks: list[Chunk]) -> Self:
        """Those of all chunks of the source."""
        connections: dict[tuple[str, int], list[Chunk]] = {}
        times, rr_ms = _merge_beats([c for c in chunks if c.notifications is None])
        arrival_ms, arrived_rr_ms = times.astype(np.int64), rr_ms
        for c in chunks:
            if c.connection is not None:
                connections.setdefault(c.connection, []).append(c)
        if connections:
            parts = [_place_connection(mine) for mine in connections.values()]
            arrival_ms, arrived_rr_ms = _in_order(
                [(arrival_ms, arrived_rr_ms), *((p.arrival_ms, p.arrived_rr_ms) for p in parts)]
            )
            ms, rr_ms = _in_order(
                [(times.astype(np.int64), rr_ms), *((p.times.astype(np.int64), p.rr_ms) for p in parts)]
            )
            times = ms.view(TIMES)
        return cls(times, rr_ms, arrival_ms, arrived_rr_ms)

    @property
    def alive(self) -> Spans:
        """When beats were seen to vary: from each one to the next of another length, if none was lost between them."""
        varies = (self.arrived_rr_ms[1:] != self.arrived_rr_ms[:-1]) & (
            np.diff(self.arrival_ms) <= LONGEST_BEAT_MS
        )
        return Spans.of(self.arrival_ms[:-1][varies], self.arrival_ms[1:][varies])


def _place_connection(chunks: list[Chunk]) -> _Beats:
    """The beats of one connection."""
    chunks = sorted(chunks, key=lambda c: (c.first_ms, c.last_ms, c.position))
    arrival_ms = np.concatenate([c.columns.beat_times for c in chunks]).astype(np.int64)
    rr_ms = np.concatenate([c.columns.rr_ms for c in chunks])
    notified_ms = np.concatenate(
        [
            c.notifications.steady_ms + (c.first_ms - c.notifications.steady_ms[0])
            for c in chunks
            if c.notifications
        ]
    )
    # Where the clock was corrected meanwhile parts of a connection may overlap.
    order = np.argsort(arrival_ms, kind="stable")
    arrival_ms, rr_ms = arrival_ms[order], rr_ms[order]
    placed = place(arrival_ms, rr_ms, np.sort(notified_ms))
    return _Beats(placed.times.view(TIMES), rr_ms[placed.which], arrival_ms, rr_ms)


def _merge_beats(chunks: list[Chunk]) -> tuple[NDArray[np.datetime64], NDArray[np.float32]]:
    """The beats of chunks that tell when each was; a beat that two chunks hold is one beat."""
    none = np.empty(0, TIMES), np.empty(0, np.float32)
    times = np.concatenate([none[0], *(c.columns.beat_times for c in chunks)])
    rr_ms = np.concatenate([none[1], *(c.columns.rr_ms for c in chunks)])
    if len(chunks) > 1 and len(times):
        order = np.lexsort((rr_ms, times))
        times, rr_ms = times[order], rr_ms[order]
        new = np.append(True, (times[1:] != times[:-1]) | (rr_ms[1:] != rr_ms[:-1]))
        times, rr_ms = times[new], rr_ms[new]
    return times, rr_ms


def _in_order(
    parts: list[tuple[NDArray[np.int64], NDArray[np.float32]]],
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Moments and intervals of several connections in order of time."""
    ms, rr_ms = (np.concatenate(column) for column in zip(*parts, strict=True))
    if (np.diff(ms) < 0).any():
        order = np.lexsort((rr_ms, ms))
        return ms[order], rr_ms[order]
    return ms, rr_ms


def _strap_signals(chunks: list[Chunk], series: Series, beats: _Beats) -> artefacts.StrapSignals | None:
    """What a strap said besides heart rates; None of a file."""
    straps = [c for c in chunks if c.notifications is not None]
    if not straps:
        return None
    t = series.times.astype(np.int64)
    says = [c for c in straps if c.columns.contact is not None]
    off = Spans.union([c.columns.contact for c in says if c.columns.contact is not None]).covers(t)
    spoke = (
        are_among(t, np.concatenate([c.columns.series.times.astype(np.int64) for c in says])) if says else off
    )
    return artefacts.StrapSignals(beats.arrival_ms, spoke & ~off, off)
