"""How far a dose may be off because a watch did not write every second that it saw.

A watch that records smartly writes when its heart rate has changed by three, or after some seconds. Until then it was anywhere nearer,
so where a limit is as near as that, nobody can say on which side of it the time was spent. Each such gap is off by itself, one way or the
other: together they are off by about the root of the sum of their squares. Of recordings of every second that were thinned like this, 98 of
100 counts are within that, and so are all of the real ones whose watch counted for itself (`tests.support.zone_comparison`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Self

import numpy as np
from numpy.typing import NDArray

from zones.edges import Timeline
from zones.minutes import MINUTE, limits_of
from zones.pieces import Pieces

NEAR_BPM = 2
"""So far the heart rate may have gone unseen."""

RECORDED_MS = 1000
"""For so long a sample surely held."""


@dataclass(frozen=True, slots=True, eq=False)
class OpenTime:
    """Where a limit is near enough to be decided by what was not written: starts (int64 ms, ascending), and by how much.

    `dose_ms` (int64) is what the dose of each would change by; twice as much where both limits are near.
    """

    start_ms: NDArray[np.int64]
    dose_ms: NDArray[np.int64]

    @classmethod
    def none(cls) -> Self:
        """Nothing is open."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64))

    @classmethod
    def join(cls, parts: Iterable["OpenTime"]) -> "OpenTime":
        """That of stretches that follow each other."""
        some = [part for part in parts if len(part.start_ms)]
        if len(some) < 2:
            return some[0] if some else OpenTime.none()
        return cls(np.concatenate([p.start_ms for p in some]), np.concatenate([p.dose_ms for p in some]))

    def between(self, start_ms: int, end_ms: int) -> "OpenTime":
        """What begins in [start, end)."""
        i, j = np.searchsorted(self.start_ms, [start_ms, end_ms])
        return OpenTime(self.start_ms[i:j], self.dose_ms[i:j])

    @property
    def squares(self) -> int:
        """The sum of the squares (ms²): those of several stretches may be added."""
        return int((self.dose_ms * self.dose_ms).sum())


def find_open_time(pieces: Pieces, timeline: Timeline | Sequence[Timeline]) -> OpenTime:
    """What of the pieces a limit in force is as near to as the heart rate may have gone unseen, beyond each one's first second."""
    unseen = pieces.end - pieces.start - RECORDED_MS
    some = (unseen > 0) & pieces.counts
    if not some.any():
        return OpenTime.none()
    pieces, unseen = pieces.take(some), unseen[some]
    bpm = pieces.bpm.astype(np.int16)
    near = np.zeros(len(pieces), np.int64)
    for limit in limits_of(pieces, timeline):
        near += (limit > 0) & (bpm + NEAR_BPM >= limit) & (bpm - NEAR_BPM < limit)
    kept = near > 0
    return OpenTime(pieces.start[kept], unseen[kept] * near[kept])


def spread_min(squares: int) -> float:
    """By how many minutes a dose may be more or less, of the sum of squares of what is open in it."""
    return sqrt(squares) / MINUTE
