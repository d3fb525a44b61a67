"""Stretches of time: pauses, movement, what a better source has already covered."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zones.moments import distinct


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """Half-open stretches of time [start, end) in milliseconds since 1970, UTC.

    Disjoint, not touching, ascending and none of them empty; both arrays int64 and read-only.
    """

    start: NDArray[np.int64]
    end: NDArray[np.int64]

    @classmethod
    def of(cls, start: ArrayLike, end: ArrayLike) -> Self:
        """The union of any stretches, in any order; those that end before they start hold nothing.

        Raises ValueError when the columns differ in length.
        """
        a, b = _ms(start), _ms(end)
        if a.shape != b.shape or a.ndim != 1:
            raise ValueError(f"starts {a.shape} and ends {b.shape} are not two columns of one length")
        some = b > a
        if not some.all():
            a, b = a[some], b[some]
        if len(a) > 1 and not (a[1:] > b[:-1]).all():
            order = np.argsort(a, kind="stable")
            a, b = a[order], np.maximum.accumulate(b[order])
            new = np.append(True, a[1:] > b[:-1])
            a, b = a[new], b[np.append(np.flatnonzero(new)[1:] - 1, len(b) - 1)]
        a.flags.writeable = b.flags.writeable = False
        return cls(a, b)

    @classmethod
    def pairs(cls, pairs: Iterable[Any]) -> Self:
        """The union of (start, end) pairs of datetime64, datetime or milliseconds."""
        rows = list(pairs)
        return cls.of([row[0] for row in rows], [row[1] for row in rows])

    @classmethod
    def union(cls, parts: Iterable["Spans"]) -> "Spans":
        """The time that lies in any of the parts."""
        some = [part for part in parts if len(part)]
        if len(some) < 2:  # most often: nothing is copied then
            return some[0] if some else _NONE
        return cls.of(np.concatenate([p.start for p in some]), np.concatenate([p.end for p in some]))

    @classmethod
    def none(cls) -> "Spans":
        """No stretch at all: always the same one, as it is asked for many times a day."""
        return _NONE

    def __len__(self) -> int:
        return len(self.start)

    @property
    def measure_ms(self) -> int:
        """How much time the stretches hold together."""
        return int(np.add.reduce(self.end - self.start)) if self.start.size else 0

    def __or__(self, other: "Spans") -> "Spans":
        return Spans.union((self, other))

    def __and__(self, other: "Spans") -> "Spans":
        """What lies in both."""
        return self._cut(other, inside=True)

    def __sub__(self, other: "Spans") -> "Spans":
        """What lies in these and not in the others."""
        return self._cut(other, inside=False)

    def clip(self, start: int, end: int) -> "Spans":
        """What of them lies in [start, end)."""
        if not self.start.size:
            return _NONE
        i, j = self.end.searchsorted(start, side="right"), self.start.searchsorted(end)
        if i >= j:
            return _NONE
        return Spans.of(np.maximum(self.start[i:j], start), np.minimum(self.end[i:j], end))

    def _cut(self, other: "Spans", *, inside: bool) -> "Spans":
        at = distinct(np.concatenate([self.start, self.end, other.start, other.end]))
        kept = self.covers(at) & (other.covers(at) == inside)
        return Spans.of(at[:-1][kept[:-1]], at[1:][kept[:-1]])

    def before_ms(self, at: NDArray[np.int64]) -> NDArray[np.int64]:
        """How much of the stretches (ms) lies before each moment (int64 ms)."""
        if not len(self):
            return np.zeros(len(at), np.int64)
        total = np.concatenate([[0], np.cumsum(self.end - self.start)])
        i = np.searchsorted(self.start, at, side="right")
        inside = np.minimum(at, self.end[np.maximum(i - 1, 0)]) - self.start[np.maximum(i - 1, 0)]
        return np.where(i > 0, total[np.maximum(i - 1, 0)] + inside, 0)

    def covers(self, at: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which moments (int64 ms) lie within a stretch."""
        i = np.searchsorted(self.start, at, side="right")
        return (i > 0) & (at < self.end[np.maximum(i - 1, 0)]) if len(self) else np.zeros(len(at), np.bool_)

    def meet(self, start: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of other stretches [start, end), none of them empty, share time with these."""
        # More of these begin before it ends than end by its beginning.
        return np.searchsorted(self.start, end) > np.searchsorted(self.end, start, side="right")


def _ms(moments: ArrayLike) -> NDArray[np.int64]:
    """A fresh column of milliseconds from datetime64, datetime or whole numbers."""
    a = np.asarray(moments)
    if a.dtype.kind in "MO" and a.size:
        a = a.astype("datetime64[ms]")
    return a.astype(np.int64)


_NONE = Spans.of([], [])
