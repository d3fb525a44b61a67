"""The clock of one source against that of another, from the heart that both of them measured."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zones.pieces import Pieces

SECOND = 1000
LEAST_OVERLAP = 600
"""Seconds both must have measured."""

MOST_OVERLAP = 7200
"""Seconds looked at; more would not tell more."""

FARTHEST = 180
"""Seconds; what is farther apart than this is not found."""

TOLERATED = 5
"""Seconds; a wrist is that much later than a strap with good clocks too."""

SPARSE_MS = 10_000
"""Where samples are farther apart, as in all-day files, each stands for so long that it seems late."""

LEAST_LIKENESS = 0.8
"""Correlation below which the two cannot be told to be the same heart at any offset."""

LEFT_UNLIKE = 0.5
"""How much of what is unlike with the clocks as they are may be left at the offset; a slow heart is alike anyhow."""


AS_LIKELY = 0.02
"""So much less alike is as likely: intervals repeat themselves, and of several offsets the smallest is the clock's."""


@dataclass(frozen=True, slots=True)
class Offset:
    """How many seconds the second source's clock is ahead, and how alike (0..1) the two are then, and as they are."""

    seconds: int
    likeness: float
    likeness_now: float


def find_offset(one: Pieces, other: Pieces) -> Offset | None:
    """By how much the clock of `other` is ahead of that of `one`, if by more than 5 s; None if not or unknown.

    Their heart rates second by second are correlated at every offset up to three minutes, over what both held.
    Unknown stays what overlaps less than ten minutes, is sampled too rarely, or hardly changed.
    """
    if any(not len(p) or np.median(p.end - p.start) > SPARSE_MS for p in (one, other)):
        return None
    start = max(int(one.start[0]), int(other.start[0])) // SECOND
    end = min(int(one.end[-1]), int(other.end[-1]), (start + MOST_OVERLAP) * SECOND) // SECOND
    if end - start < LEAST_OVERLAP:
        return None
    a = _by_second(one, start, end)
    b = _by_second(other, start - FARTHEST, end + FARTHEST)
    n = len(a)
    likeness = np.array([_likeness(a, b[lag : lag + n]) for lag in range(2 * FARTHEST + 1)], dtype=np.float64)
    best = _smallest_of_likely(likeness)
    now = float(likeness[FARTHEST])
    found = Offset(best - FARTHEST, float(likeness[best]), now)
    if abs(found.seconds) <= TOLERATED or found.likeness < LEAST_LIKENESS:
        return None
    return found if 1 - found.likeness <= LEFT_UNLIKE * (1 - now) else None


def _smallest_of_likely(likeness: NDArray[np.float64]) -> int:
    """Which of the peaks that are as good as the highest lies nearest to no offset at all."""
    around = np.concatenate([[-np.inf], likeness, [-np.inf]])
    is_peak = (likeness >= around[:-2]) & (likeness >= around[2:])
    likely = np.flatnonzero(is_peak & (likeness >= likeness.max() - AS_LIKELY))
    return int(likely[np.argmin(np.abs(likely - FARTHEST))])


def _by_second(pieces: Pieces, start: int, end: int) -> NDArray[np.float64]:
    """The heart rate that holds at each whole second, NaN where none does."""
    at = np.arange(start, end, dtype=np.int64) * SECOND
    i = np.searchsorted(pieces.start, at, side="right") - 1
    held = (i >= 0) & (at < pieces.end[i])
    return np.where(held, pieces.bpm[i], np.nan)


def _likeness(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """The correlation over what both hold, -1 where that is too little or does not change."""
    both = ~(np.isnan(a) | np.isnan(b))
    if np.count_nonzero(both) < LEAST_OVERLAP:
        return -1.0
    x, y = a[both] - a[both].mean(), b[both] - b[both].mean()
    spread = np.sqrt(np.mean(x * x) * np.mean(y * y))
    return float(np.mean(x * y) / spread) if spread >= 1 else -1.0
