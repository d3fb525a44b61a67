"""Seconds in zones: each sample counted for the time it stands for, as fast as memory delivers it."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from zones.moments import FOREVER, Length, Moment, length_ms, milliseconds, moment_ms
from zones.series import HIGHEST_BPM, LATELY, LOWEST_BPM, median_gap_ms, plausible, samples
from zones.spans import Spans

BLOCK = 1 << 16
"""Samples looked at in one go: their gaps and masks stay in a core's own cache."""

BATCH = 1 << 13
"""Irregular gaps that are settled together: enough to make the calls cheap, few enough to stay in cache."""

MANY = 12
"""Where more than one gap in so many is irregular, weighing all of them is cheaper than picking them out."""

FEW_EDGES = 4
"""Up to here weights are added up by a mask for each edge, above it by a histogram: a mask costs half a nanosecond a
sample, a histogram two."""

WHOLE = np.iinfo(np.int32).max
"""Milliseconds that fit into 32 bits, 24 days: what masks multiply with."""


class Samples(Protocol):
    """Anything with columns of times and bpm."""

    @property
    def times(self) -> NDArray[Any]: ...

    @property
    def bpm(self) -> NDArray[Any]: ...


def seconds_in_zones(
    series: Samples,
    edges: Sequence[int],
    longest: Length,
    pauses: Spans | Iterable[Any] = (),
    *,
    end: Moment | None = None,
) -> NDArray[np.float64]:
    """Seconds below the first of the ascending edges, between each two, and from the last upwards.

    A bpm equal to an edge belongs to the upper zone. Each sample stands for the time to the next one, at most
    `longest`, less the pauses; a bpm outside 30..230 is no sample. The last one stands until `end`, or
    without it for the median of the newest gaps, likewise at most `longest`; nothing counts past `end`.
    Samples may come in any order; of those with one time the last given is meant.

    Sums are whole milliseconds: the order and the splitting of additions cannot change them. Raises ValueError
    when the edges do not ascend.
    """
    zone_of = _zone_of(edges)
    cap = length_ms(longest)
    cut = pauses if isinstance(pauses, Spans) else Spans.pairs(pauses)
    until = None if end is None else moment_ms(end)
    t, bpm = milliseconds(series.times), np.asarray(series.bpm)
    if t.shape != bpm.shape or t.ndim != 1:
        raise ValueError(f"times {t.shape} and bpm {bpm.shape} are not two columns of one length")
    count = None
    if bpm.dtype == np.uint8 and (until is None or not len(t) or t[-1] < until):
        count = _Count(zone_of, edges, cap).of(t, bpm)
    if count is None or (until is not None and count.held is not None and count.held[0] >= until):
        t, bpm = samples(t, bpm)
        if until is not None:
            t, bpm = t[: np.searchsorted(t, until)], bpm[: np.searchsorted(t, until)]
        count = _Count(zone_of, edges, cap).of(t, bpm)
    if count is None:
        raise AssertionError("samples() gives them ascending")
    last = count.finish(t, bpm, until)
    sums = count.sums
    if len(cut):
        if count.faults:
            t, bpm = samples(t, bpm)
        sums = sums - _paused(t, bpm, zone_of, cap, cut, last, len(sums))
    return sums / 1000.0


def _zone_of(edges: Sequence[int]) -> NDArray[np.intp]:
    """For each bpm a byte can hold, its zone."""
    given = np.asarray(edges, np.int64).reshape(-1)
    if (np.diff(given) <= 0).any():
        raise ValueError(f"the edges {list(edges)} do not ascend")
    return np.searchsorted(given, np.arange(256), side="right")


class _Count:
    """Milliseconds per zone of samples seen block by block."""

    def __init__(self, zone_of: NDArray[np.intp], edges: Sequence[int], cap: int) -> None:
        self.cap = cap
        self.zone_of = zone_of
        self.zones = len(edges) + 1
        # An edge beyond a byte is never reached; one below 1 always is.
        self.edges = [np.uint8(max(e, 0)) for e in edges if e <= 255]
        self.masks = len(self.edges) <= FEW_EDGES and cap <= WHOLE
        self.sums = np.zeros(self.zones, np.int64)
        self.odd: list[tuple[NDArray[np.uint8], NDArray[np.int64], int]] = []  # bpm, gap, and the regular gap
        self.waiting = 0  # how many those are
        self.faults = False  # whether anything was no sample
        self.held: tuple[int, int] | None = None  # time and bpm of the sample still waiting for its next

    def of(self, t: NDArray[np.int64], bpm: NDArray[np.uint8]) -> "_Count | None":
        """Itself with all gaps between the samples counted; None when they do not ascend."""
        # Fresh memory for every block would cost more than what is done with it.
        step = np.empty(BLOCK, np.int64)
        flag = np.empty(BLOCK, np.bool_)
        weight, index = (
            (np.empty(BLOCK, np.int32), np.empty(BLOCK, np.int32))
            if self.masks
            else (np.empty(BLOCK), np.empty(BLOCK, np.intp))
        )
        self.buffers = flag, weight, index
        for i in range(0, len(t), BLOCK):
            bt, bb = t[i : i + BLOCK], bpm[i : i + BLOCK]
            n = len(bt)
            if np.minimum.reduce(bb) < LOWEST_BPM or np.maximum.reduce(bb) > HIGHEST_BPM:
                self.faults = True
                good = plausible(bb)
                bt, bb = bt[good], bb[good]
                n = len(bt)
                if not n:
                    continue
            if self.held is not None:
                across = int(bt[0]) - self.held[0]
                if across <= 0:
                    return None
                self.sums[self.zone_of[self.held[1]]] += min(across, self.cap)
            self.held = int(bt[-1]), int(bb[-1])
            if n > 1 and not self._block(bt, bb[:-1], step[: n - 1], flag[: n - 1]):
                return None
        return self if self._settle() else None

    def _block(
        self, t: NDArray[np.int64], bpm: NDArray[np.uint8], step: NDArray[np.int64], odd: NDArray[np.bool_]
    ) -> bool:
        """Count the gaps inside one block; False when its times do not ascend."""
        n = len(step)
        np.subtract(t[1:], t[:-1], out=step)
        few = np.sort(step[:: n // 32 + 1])
        gap = int(few[len(few) // 2])
        if gap <= 0:
            return False
        irregular = n
        if 2 * np.count_nonzero(few == gap) > len(few):
            np.not_equal(step, gap, out=odd)
            irregular = int(np.count_nonzero(odd))
        if irregular > n // MANY:
            if step.min() <= 0:
                return False
            self._weigh_all(bpm, np.minimum(step, self.cap, out=step))
            return True
        each = min(gap, self.cap)
        if irregular:
            where = odd.nonzero()[0]
            self.odd.append((bpm[where], step[where], each))
            self.waiting += irregular
            if self.waiting >= BATCH and not self._settle():
                return False
        self._repeat(bpm, each, odd)
        return True

    def _settle(self) -> bool:
        """Count what irregular gaps are more or less than regular ones; False when one leads back in time."""
        if not self.odd:
            return True
        bpm, gaps, each = zip(*self.odd, strict=True)
        self.odd.clear()
        self.waiting = 0
        gap = np.concatenate(gaps)
        self._weigh(np.concatenate(bpm), np.minimum(gap, self.cap) - np.repeat(each, [len(g) for g in gaps]))
        return bool(gap.min() > 0)

    def _weigh_all(self, bpm: NDArray[np.uint8], weights: NDArray[np.int64]) -> None:
        """Add a block of samples, all of them of different weights."""
        flag, weight, index = (column[: len(bpm)] for column in self.buffers)
        np.copyto(weight, weights, casting="unsafe")
        if not self.masks:
            np.copyto(index, bpm)
            self._weigh(index, weight)
            return
        above = int(weights.sum())
        for zone, edge in enumerate(self.edges):
            np.copyto(index, np.greater_equal(bpm, edge, out=flag))
            reached = int(np.multiply(index, weight, out=index).sum(dtype=np.int64))
            self.sums[zone] += above - reached
            above = reached
        self.sums[len(self.edges)] += above

    def _weigh(self, bpm: NDArray[Any], weights: NDArray[Any]) -> None:
        """Add samples of different weights; sums of whole milliseconds are exact in a float up to 285 000 years."""
        by_bpm = np.bincount(bpm, weights, 256)
        self.sums += np.bincount(self.zone_of, by_bpm, self.zones).astype(np.int64)

    def _repeat(self, bpm: NDArray[np.uint8], each: int, flag: NDArray[np.bool_]) -> None:
        """Add samples that all stand for the same time."""
        above = len(bpm)
        for zone, edge in enumerate(self.edges):
            np.greater_equal(bpm, edge, out=flag)
            reached = int(np.count_nonzero(flag))
            self.sums[zone] += (above - reached) * each
            above = reached
        self.sums[len(self.edges)] += above * each

    def finish(self, t: NDArray[np.int64], bpm: NDArray[np.uint8], until: int | None) -> tuple[int, int]:
        """Count the last sample too; its time and the moment until which it stands."""
        if self.held is None:
            return 0, 0
        at, last = self.held
        stands = (until - at) if until is not None else median_gap_ms(self._newest(t, bpm))
        stands = min(max(stands, 0), self.cap)
        self.sums[self.zone_of[last]] += stands
        return at, at + stands

    def _newest(self, t: NDArray[np.int64], bpm: NDArray[np.uint8]) -> NDArray[np.int64]:
        """The times of the last samples, faults left out, as many as tell how often they came."""
        if not self.faults:
            return t
        tail = t[-BLOCK:][plausible(bpm[-BLOCK:])]
        return tail if len(tail) > LATELY else t[plausible(bpm)]


def _paused(
    t: NDArray[np.int64],
    bpm: NDArray[np.uint8],
    zone_of: NDArray[np.intp],
    cap: int,
    cut: Spans,
    last: tuple[int, int],
    zones: int,
) -> NDArray[np.int64]:
    """Milliseconds per zone that ascending samples stand for within the pauses."""
    sums = np.zeros(zones, np.int64)
    # Only samples less than `cap` before a pause or within it can reach into it.
    near = Spans.of(cut.start - cap, cut.end + cap)
    for a, b in zip(np.searchsorted(t, near.start), np.searchsorted(t, near.end), strict=True):
        at, what = t[a:b], bpm[a:b]
        if not len(at):
            continue
        until = np.append(at[1:], last[1] if at[-1] == last[0] else FOREVER)
        lost = cut.before_ms(np.minimum(until, at + cap)) - cut.before_ms(at)
        sums += np.bincount(zone_of[what], lost, zones).astype(np.int64)
    return sums
