"""Pieces of time and the heart rate each stands for: gaps, caps, pauses and overlaps settled."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zones.moments import Length, distinct, length_ms, milliseconds
from zones.series import Samples, clean_samples, median_gap_ms
from zones.spans import Spans


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """Half-open pieces of time [start, end) with one heart rate each; disjoint, ascending, none empty.

    `start` and `end` are int64 milliseconds since 1970, UTC; `bpm` uint8; `source` int16, an index of the caller's;
    `counts` tells whether time at or above moderate counts, or is only elevated.
    """

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    bpm: NDArray[np.uint8]
    source: NDArray[np.int16]
    counts: NDArray[np.bool_]

    @classmethod
    def none(cls) -> Self:
        """No piece at all."""
        moments = np.empty(0, np.int64)
        return cls(moments, moments, np.empty(0, np.uint8), np.empty(0, np.int16), np.empty(0, np.bool_))

    def __len__(self) -> int:
        return len(self.start)

    @property
    def measure_ms(self) -> int:
        """How much time the pieces hold together."""
        return int((self.end - self.start).sum())

    @property
    def spans(self) -> Spans:
        """The time they cover."""
        if not len(self):
            return Spans.none()
        # Some pieces follow each other without a gap.
        gap = np.flatnonzero(self.start[1:] > self.end[:-1])
        return Spans.of(np.append(self.start[0], self.start[gap + 1]), np.append(self.end[gap], self.end[-1]))

    def take(self, which: Any) -> "Pieces":
        """Those at the given indices, or in the given slice or mask."""
        return Pieces(
            self.start[which], self.end[which], self.bpm[which], self.source[which], self.counts[which]
        )

    def clip(self, start: int, end: int) -> "Pieces":
        """What of them lies in [start, end)."""
        if end <= start:
            return self.none()
        a = int(np.searchsorted(self.end, start, side="right"))
        b = int(np.searchsorted(self.start, end))
        held = self.take(slice(a, max(a, b)))
        return replace(held, start=np.maximum(held.start, start), end=np.minimum(held.end, end))

    def without(self, spans: Spans) -> "Pieces":
        """What of them lies outside the spans; a piece around a span comes out as two."""
        if not len(spans) or not len(self):
            return self
        # The free stretches: before the first span, between each two, after the last.
        opens = np.append(min(int(self.start[0]), int(spans.start[0])), spans.end)
        closes = np.append(spans.start, max(int(self.end[-1]), int(spans.end[-1])))
        first = np.searchsorted(closes, self.start, side="right")
        parts = np.maximum(np.searchsorted(opens, self.end) - first, 0)
        piece, nth = _unrolled(parts)
        stretch, held = first[piece] + nth, self.take(piece)
        return replace(
            held, start=np.maximum(held.start, opens[stretch]), end=np.minimum(held.end, closes[stretch])
        )


def _unrolled(parts: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """For each part of each piece: which piece it is of, and the how manieth of it, from 0."""
    piece = np.repeat(np.arange(len(parts), dtype=np.intp), parts)
    return piece, np.arange(len(piece), dtype=np.intp) - np.repeat(np.cumsum(parts) - parts, parts)


def hold(
    series: Samples,
    longest: Length,
    *,
    pauses: Spans | None = None,
    ends: ArrayLike | None = None,
    source: int = 0,
    counts: bool | Spans = True,
) -> Pieces:
    """The time each sample of one source stands for: until the next one, at most `longest`, less the pauses.

    `ends` are the ascending moments at which a recording ended: no sample reaches past the first of them at or
    after its own time. A last sample with no end after it stands for the median of the newest gaps. `counts` may be
    the stretches (of movement) in which time counts; pieces are split at their borders. A bpm outside 30..230 is
    no sample. Raises ValueError when `longest` is no length of time or the columns differ in length.
    """
    t, bpm = clean_samples(series.times, series.bpm)
    if not len(t):
        return Pieces.none()
    cap = length_ms(longest)
    stops = milliseconds([] if ends is None else ends)
    ended = len(stops) > 0 and stops[-1] >= t[-1]
    until = np.append(t[1:], stops[-1] if ended else t[-1] + min(median_gap_ms(t), cap))
    if len(stops):
        # The first end at or after each sample's own time.
        i = np.searchsorted(stops, t)
        until = np.where(i < len(stops), np.minimum(until, stops[np.minimum(i, len(stops) - 1)]), until)
    until = np.minimum(until, t + cap)
    marks = np.full(len(t), source, np.int16), np.full(len(t), counts is True, dtype=np.bool_)
    pieces = Pieces(t, until, bpm, *marks)
    if (until <= t).any():
        pieces = pieces.take(until > t)
    if pauses is not None:
        pieces = pieces.without(pauses)
    if isinstance(counts, Spans):
        pieces = split(pieces, np.concatenate([counts.start, counts.end]))
        pieces = replace(pieces, counts=counts.covers(pieces.start))
    return pieces


def split(pieces: Pieces, at: NDArray[np.int64]) -> Pieces:
    """The same time in pieces that cross none of the moments (int64 ms, in any order)."""
    if not len(pieces):
        return pieces
    at = distinct(at[(at > pieces.start[0]) & (at < pieces.end[-1])])
    if not len(at):
        return pieces
    first = np.searchsorted(at, pieces.start, side="right")
    inside = np.maximum(np.searchsorted(at, pieces.end) - first, 0)
    if not inside.any():
        return pieces
    piece, nth = _unrolled(inside + 1)
    held = pieces.take(piece)
    cut = first[piece] + nth  # the moment at which this part ends, and the one before it at which it starts
    start = np.where(nth > 0, at[np.maximum(cut - 1, 0)], held.start)
    end = np.where(nth < inside[piece], at[np.minimum(cut, len(at) - 1)], held.end)
    return replace(held, start=start, end=end)


def split_every(pieces: Pieces, length: int) -> Pieces:
    """The same time in pieces that cross no whole multiple of `length` ms."""
    before = pieces.start // length
    inside = ((pieces.end - 1) // length - before).astype(np.intp)
    if not inside.any():
        return pieces
    piece, nth = _unrolled(inside + 1)
    held, border = pieces.take(piece), (before[piece] + nth) * length
    return replace(held, start=np.maximum(held.start, border), end=np.minimum(held.end, border + length))


def resolve(ranked: Sequence[Pieces]) -> Pieces:
    """One heart rate for each moment: of the first in the list that holds it, the one believed first.

    The others are cut exactly; a millisecond is never counted twice, and none that any of them holds is lost.
    """
    some = [pieces for pieces in ranked if len(pieces)]
    if len(some) < 2:
        return some[0] if some else Pieces.none()
    parts, taken = [some[0]], some[0].spans
    for i, lower in enumerate(some[1:], 2):
        left = lower.without(taken)
        if len(left):
            parts.append(left)
            if i < len(some):
                taken = taken | left.spans
    return merge(parts)


def merge(parts: Sequence[Pieces]) -> Pieces:
    """Pieces that do not overlap each other, in order of time."""
    if len(parts) == 1:
        return parts[0]
    columns = [
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("start", "end", "bpm", "source", "counts")
    ]
    order = np.argsort(columns[0], kind="stable")
    return Pieces(*(column[order] for column in columns))


def milliseconds_per_bpm(pieces: Pieces) -> NDArray[np.int64]:
    """For how long (int64 ms, 256 rows by bpm) each heart rate held: the same in whatever order the pieces come."""
    return np.bincount(pieces.bpm, pieces.end - pieces.start, 256).astype(np.int64)
