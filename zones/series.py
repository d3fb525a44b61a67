"""Samples as columns: the one shape in which heart rate travels through the program."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zones.moments import milliseconds

TIMES = np.dtype("datetime64[ms]")
"""Milliseconds since 1970, UTC: fine enough for a beat, exact in 64 bits."""

LOWEST_BPM, HIGHEST_BPM = 30, 230
"""A heart rate outside these is a fault of the sensor: 0 is how devices say "none", 255 how FIT does."""

LATELY = 1000
"""Gaps that tell how often a sensor speaks: the newest ones, for it may have spoken otherwise before."""


class Samples(Protocol):
    """Anything with columns of times (moments in any order) and bpm, of equal length."""

    @property
    def times(self) -> NDArray[Any]:
        """Moments, `datetime64[ms]` in UTC."""

    @property
    def bpm(self) -> NDArray[Any]:
        """Heart rates, one for each moment."""


def plausible(bpm: NDArray[Any]) -> NDArray[np.bool_]:
    """Which values (bpm) can be a heart rate at all."""
    return (bpm >= LOWEST_BPM) & (bpm <= HIGHEST_BPM)


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Samples of one source: `times` (datetime64[ms], UTC, strictly ascending) and `bpm` (uint8).

    Both arrays are read-only and of equal length.
    """

    times: NDArray[np.datetime64]
    bpm: NDArray[np.uint8]

    @classmethod
    def of(cls, times: ArrayLike, bpm: ArrayLike) -> Self:
        """Series of any samples: sorted stably by time, and of those with one time the last one given.

        Raises ValueError when the columns differ in length or a bpm does not fit into a byte.
        """
        t = np.asarray(times).astype(TIMES, copy=False)
        b = np.asarray(bpm)
        if t.shape != b.shape or t.ndim != 1:
            raise ValueError(f"times {t.shape} and bpm {b.shape} are not two columns of one length")
        if b.size and (b.min() < 0 or b.max() > 255):
            raise ValueError(f"bpm from {b.min()} to {b.max()} does not fit into a byte")
        step = np.diff(t)
        if (step <= np.timedelta64(0, "ms")).any():
            order = np.argsort(t, kind="stable")
            t, b = t[order], b[order]
            last = np.append(t[1:] != t[:-1], True)
            t, b = t[last], b[last]
        t = t.copy() if t is times else t
        b = b.astype(np.uint8)
        t.flags.writeable = b.flags.writeable = False
        return cls(t, b)

    @classmethod
    def empty(cls) -> Self:
        """No sample at all."""
        return cls.of(np.empty(0, TIMES), np.empty(0, np.uint8))

    def __len__(self) -> int:
        return len(self.times)

    def between(self, start: np.datetime64, end: np.datetime64) -> "Series":
        """The samples with start <= time < end."""
        a, b = np.searchsorted(self.times, np.array([start, end], TIMES))
        return Series(self.times[a:b], self.bpm[a:b])


def join(parts: Sequence[Series]) -> Series:
    """One Series of several of the same source, whichever came first.

    Where they tell different heart rates of one moment it is the lowest that can be one: never more than any of them saw.
    """
    if not parts:
        return Series.empty()
    if len(parts) == 1:
        return parts[0]
    t, b = np.concatenate([p.times for p in parts]), np.concatenate([p.bpm for p in parts])
    if (t[1:] <= t[:-1]).any():
        order = np.lexsort((np.uint8(255) - b, plausible(b), t))
        t, b = t[order], b[order]  # of several at one moment the last one stays
    return Series.of(t, b)


def clean_samples(times: ArrayLike, bpm: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """The columns that can count: int64 ms strictly ascending, and plausible bpm.

    What cannot be a heart rate goes first, then of several at one time the last one given stays. Raises ValueError when
    the columns differ in length, TypeError for times that are no moments.
    """
    t, b = milliseconds(times), np.asarray(bpm)
    if t.shape != b.shape or t.ndim != 1:
        raise ValueError(f"times {t.shape} and bpm {b.shape} are not two columns of one length")
    possible = plausible(b)
    if not possible.all():
        t, b = t[possible], b[possible]
    b = b.astype(np.uint8, copy=False)
    if (t[1:] <= t[:-1]).any():
        order = np.argsort(t, kind="stable")
        t, b = t[order], b[order]
        last = np.append(t[1:] != t[:-1], True)
        t, b = t[last], b[last]
    return t, b


def median_gap_ms(t: NDArray[np.int64]) -> int:
    """The lower median of the newest gaps between ascending moments, so a gap that occurs; 0 without any gap."""
    gaps = np.diff(t[-LATELY - 1 :])
    return int(np.sort(gaps)[(len(gaps) - 1) // 2]) if len(gaps) else 0
