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
        if not len(held) or (held.start[0] >= start and held.end[-1] <= end):
            return held
        # Only the first and the last can reach over.
        starts, ends = held.start.copy(), held.end.copy()
        starts[0], ends[-1] = max(starts[0], start), min(ends[-1], end)
        return replace(held, start=starts, end=ends)

    def without(self, spans: Spans) -> "Pieces":
        """What of them lies outside the spans; a piece around a span comes out as two."""
        if not len(spans) or not len(self):
            return self
        # Most pieces meet no span: they stay as they are.
        meeting = _ranges(
            np.searchsorted(self.end, spans.start, side="right"), np.searchsorted(self.start, spans.end)
        )
        if not len(meeting):
            return self
        met = self.take(meeting)
        # The free stretches: before the first span, between each two, after the last.
        opens = np.append(min(int(met.start[0]), int(spans.start[0])), spans.end)
        closes = np.append(spans.start, max(int(met.end[-1]), int(spans.end[-1])))
        first = np.searchsorted(closes, met.start, side="right")
        parts = np.maximum(np.searchsorted(opens, met.end) - first, 0)
        piece, nth = unrolled(parts)
        stretch = first[piece] + nth
        start, end = np.maximum(met.start[piece], opens[stretch]), np.minimum(met.end[piece], closes[stretch])
        return _with_parts(self, meeting, parts, start, end)


def _with_parts(
    pieces: Pieces,
    which: NDArray[np.intp],
    parts: NDArray[np.intp],
    start: NDArray[np.int64],
    end: NDArray[np.int64],
) -> Pieces:
    """The pieces with some of them (ascending indices) each in so many parts, or gone; `start` and `end` are of the parts."""
    piece, nth = unrolled(parts)
    more = np.cumsum(parts - 1)
    at = (which + more - parts + 1)[piece] + nth
    held = pieces
    if (parts != 1).any():
        # For each row of the result whose parts it is of; a number for each stretch of rows between two cuts is little.
        n = len(pieces) + int(more[-1])
        stretches = np.diff(np.concatenate([[0], which + 1 + more, [n]]))
        index = np.arange(n, dtype=np.intp) - np.repeat(np.append(0, more), stretches)
        index[at] = which[piece]
        held = pieces.take(index)
    starts, ends = held.start.copy(), held.end.copy()
    starts[at], ends[at] = start, end
    return replace(held, start=starts, end=ends)


def _ranges(first: NDArray[np.intp], behind: NDArray[np.intp]) -> NDArray[np.intp]:
    """All indices in any of the ranges [first, behind), each once, ascending; both bounds ascend."""
    first = np.maximum(first, np.append(0, np.maximum.accumulate(behind)[:-1]))
    which, nth = unrolled(np.maximum(behind - first, 0))
    return first[which] + nth


def unrolled(parts: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
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
    until = np.empty(len(t), np.int64)
    until[:-1] = t[1:]
    until[-1] = stops[-1] if ended else t[-1] + min(median_gap_ms(t), cap)
    np.minimum(until, t + cap, out=until)
    if len(stops):
        # An end has a say in the last sample at or before it alone; of several the first one, assigned last.
        last = np.searchsorted(t, stops, side="right")[::-1] - 1
        heard = last >= 0
        last = last[heard]
        until[last] = np.minimum(until[last], stops[::-1][heard])
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
    # Few pieces have one of the moments inside: the last that begins before it, if it lasts beyond.
    before = np.searchsorted(pieces.start, at) - 1
    cut = pieces.end[before] > at
    at, before = at[cut], before[cut]
    if not len(at):
        return pieces
    which, cuts = _counted(before)
    # Each part begins where the one before it ends.
    borders = np.cumsum(cuts + 1) - cuts - 1
    start, end = np.empty(len(at) + len(which), np.int64), np.empty(len(at) + len(which), np.int64)
    inner = np.ones(len(start), np.bool_)
    inner[borders] = False
    start[borders], start[inner] = pieces.start[which], at
    end[:-1], end[borders + cuts] = start[1:], pieces.end[which]
    return _with_parts(pieces, which, cuts + 1, start, end)


def _counted(column: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The distinct numbers of an ascending column, and how often each occurs."""
    first = np.flatnonzero(np.append(True, column[1:] != column[:-1]))
    return column[first], np.diff(np.append(first, len(column)))


def split_every(pieces: Pieces, length: int) -> Pieces:
    """The same time in pieces that cross no whole multiple of `length` ms."""
    before = pieces.start // length
    inside = ((pieces.end - 1) // length - before).astype(np.intp)
    if not inside.any():
        return pieces
    which = np.flatnonzero(inside)
    parts = inside[which] + 1
    piece, nth = unrolled(parts)
    piece = which[piece]
    border = (before[piece] + nth) * length
    start, end = np.maximum(pieces.start[piece], border), np.minimum(pieces.end[piece], border + length)
    return _with_parts(pieces, which, parts, start, end)


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
    merged = parts[0]
    for part in parts[1:]:
        many, few = (part, merged) if len(part) > len(merged) else (merged, part)
        # The many are only moved apart: an eighth of what sorting all of them takes.
        at = np.searchsorted(many.start, few.start)
        names = Pieces.__dataclass_fields__
        merged = Pieces(*(np.insert(getattr(many, name), at, getattr(few, name)) for name in names))
    return merged


def milliseconds_per_bpm(pieces: Pieces) -> NDArray[np.int64]:
    """For how long (int64 ms, 256 rows by bpm) each heart rate held: the same in whatever order the pieces come."""
    return np.bincount(pieces.bpm, pieces.end - pieces.start, 256).astype(np.int64)
