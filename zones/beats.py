"""From beat to beat: which intervals are artefacts, and how much the true ones vary."""

from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

SHORTEST_MS, LONGEST_MS = 300, 2000
"""An interval outside these (200 and 30 bpm) is no interval between two beats."""

ROUND = 91
"""Beats around each one from whose spread its threshold comes (Lipponen and Tarvainen)."""

NEAR = 11
"""Beats around each one whose median is what it should have been (Lipponen and Tarvainen)."""

SPREAD = 5.2
"""How many quartile deviations make a threshold (Lipponen and Tarvainen)."""

LEAST_MS = 30.0
"""No threshold is finer than this: in a perfectly even rhythm (a simulator, a pacemaker) it would be zero and
a missed beat would be divided by it."""

FEWEST = 12
"""Intervals below which a stretch is too short to tell which of them are odd."""


class Fault(IntEnum):
    """What is wrong with an interval."""

    NONE = 0
    RANGE = 1
    ECTOPIC = 2
    LONG = 3
    SHORT = 4
    MISSED = 5
    EXTRA = 6


@dataclass(frozen=True, slots=True)
class Variability:
    """How much the heart varies from beat to beat; NaN where there are too few beats.

    `beats` and `seconds` are what was accepted, `artefact_pct` the share of intervals that was not. Values of windows
    of different length are not comparable (doi 10.3389/fpubh.2017.00258).
    """

    rmssd_ms: float
    ln_rmssd: float
    sdnn_ms: float
    pnn50: float
    beats: int
    seconds: float
    artefact_pct: float

    @property
    def heart_rate(self) -> float:
        """Mean heart rate of the accepted beats, in bpm."""
        return 60 * self.beats / self.seconds if self.seconds else float("nan")


def starts(times: NDArray[np.int64], rr_ms: ArrayLike, tolerance_ms: int = 1500) -> NDArray[np.bool_]:
    """Which beats begin a new stretch: those whose interval does not reach back to the beat before.

    `times` are the moments of the beats in ms. A notification that was lost leaves such a hole.
    """
    rr = np.asarray(rr_ms, np.float64)
    new = np.ones(len(rr), np.bool_)
    new[1:] = np.abs(np.diff(times) - rr[1:]) > tolerance_ms
    return new


def faults(
    rr_ms: ArrayLike, new: NDArray[np.bool_] | None = None, *, least_ms: float = LEAST_MS
) -> NDArray[np.uint8]:
    """For each interval (ms) what is wrong with it, as a `Fault`; `new` marks those that begin a stretch.

    Lipponen and Tarvainen 2019 (doi 10.1080/03091902.2019.1640306), with a floor under its two thresholds. An interval
    outside 300..2000 ms is a fault of its own and no neighbour to any other, unless it can be told to hold a missed
    or an extra beat.
    """
    rr = np.asarray(rr_ms, np.float64)
    found = np.zeros(len(rr), np.uint8)
    borders = np.append(_begins(len(rr), new), len(rr))
    for a, b in pairwise(borders.tolist()):
        if b - a >= FEWEST:
            found[a:b] = _stretch(rr[a:b], least_ms)
    impossible = (rr < SHORTEST_MS) | (rr > LONGEST_MS)
    return np.where(impossible & (found < Fault.MISSED), np.uint8(Fault.RANGE), found)


def corrected(rr_ms: ArrayLike, found: NDArray[np.uint8]) -> Floats:
    """The intervals with missed beats put in, extra ones taken out and the other faults bridged in a straight line."""
    rr = np.asarray(rr_ms, np.float64)
    extra = np.flatnonzero(found[:-1] == Fault.EXTRA)
    # An extra beat cut one interval in two: both halves together are the true one.
    merged = rr.copy()
    merged[extra + 1] += merged[extra]
    kept = np.ones(len(rr), np.bool_)
    kept[extra] = False
    settled = np.where(np.append(False, found[:-1] == Fault.EXTRA), Fault.NONE, found)[kept]
    parts = np.where(settled == Fault.MISSED, 2, 1)
    rr = np.repeat(merged[kept] / parts, parts)
    odd = np.isin(
        np.repeat(settled, parts), (Fault.RANGE, Fault.ECTOPIC, Fault.LONG, Fault.SHORT, Fault.EXTRA)
    )
    if odd.any() and not odd.all():
        rr[odd] = np.interp(np.flatnonzero(odd), np.flatnonzero(~odd), rr[~odd])
    return rr


def variability(
    rr_ms: ArrayLike, found: NDArray[np.uint8] | None = None, new: NDArray[np.bool_] | None = None
) -> Variability:
    """RMSSD, its logarithm, SDNN (n - 1) and pNN50 (of the pairs) of intervals in ms.

    `found` are their faults and `new` the beginnings of stretches: faulty intervals are left out, and only two true
    ones that adjoin each other make a pair. Nothing is interpolated: an invented beat varies less than a true one.
    """
    rr = np.asarray(rr_ms, np.float64)
    good = np.ones(len(rr), np.bool_) if found is None else np.asarray(found) == Fault.NONE
    pair = good[1:] & good[:-1]
    if new is not None:
        pair &= ~new[1:]
    steps, nn = np.diff(rr)[pair], rr[good]
    nan = float("nan")
    rmssd = float(np.sqrt(np.mean(steps**2))) if len(steps) else nan
    return Variability(
        rmssd_ms=rmssd,
        ln_rmssd=float(np.log(rmssd)) if rmssd > 0 else nan,
        sdnn_ms=float(np.std(nn, ddof=1)) if len(nn) > 1 else nan,
        pnn50=float(100 * np.mean(np.abs(steps) > 50)) if len(steps) else nan,
        beats=len(nn),
        seconds=float(nn.sum()) / 1000,
        artefact_pct=float(100 * np.mean(~good)) if len(rr) else 0.0,
    )


def _begins(n: int, new: NDArray[np.bool_] | None) -> NDArray[np.intp]:
    """The first index of each stretch."""
    if not n:
        return np.empty(0, np.intp)
    inner = np.empty(0, np.intp) if new is None else np.flatnonzero(new[1:]) + 1
    return np.append(0, inner)


def _stretch(rr: Floats, least: float) -> NDArray[np.uint8]:
    """The faults of one unbroken stretch."""
    step = np.diff(rr, prepend=rr[0])
    d = step / _threshold(step, least)
    usual = _round_each(rr, NEAR, _median)
    off = rr - usual
    off = np.where(off < 0, 2 * off, off)  # short ones are nearer to what is usual: the paper doubles them
    limit = _threshold(off, least)
    m = off / limit
    before, after, later = np.append(0.0, d[:-1]), np.append(d[1:], 0.0), np.append(d[2:], [0.0, 0.0])
    beside = np.where(d > 0, np.maximum(before, after), np.minimum(before, after))
    following = np.where(d >= 0, np.minimum(after, later), np.maximum(after, later))

    ectopic = ((d > 1) & (beside < -0.13 * d - 0.17)) | ((d < -1) & (beside > -0.13 * d + 0.17))
    long = ~ectopic & (((d > 1) & (following < -1)) | (m > 3))
    short = ~ectopic & (((d < -1) & (following > 1)) | (m < -3))
    missed = long & (np.abs(rr / 2 - usual) < limit)
    extra = short & (np.abs(rr + np.append(rr[1:], np.inf) - usual) < limit)
    kinds = [(ectopic, Fault.ECTOPIC), (missed, Fault.MISSED), (extra, Fault.EXTRA), (long, Fault.LONG)]
    which = [which for which, _ in kinds]
    return np.select([*which, short], [*(kind for _, kind in kinds), Fault.SHORT], Fault.NONE).astype(
        np.uint8
    )


def _threshold(values: Floats, least: float) -> Floats:
    """What a value may differ by, from the quartile deviation of those around it."""
    return np.maximum(SPREAD * _round_each(np.abs(values), ROUND, _quartile_deviation), least)


def _median(rows: Floats) -> Any:
    return np.median(rows, axis=-1)


def _quartile_deviation(rows: Floats) -> Any:
    low, high = np.quantile(rows, (0.25, 0.75), axis=-1)
    return (high - low) / 2


def _round_each(values: Floats, width: int, measure: Any) -> Floats:
    """A measure of the values around each one; at both ends of the fewer that there are."""
    half = width // 2
    n = len(values)
    out = np.empty(n)
    block = 1 << 14
    for a in range(half, n - half, block):
        b = min(a + block, n - half)
        out[a:b] = measure(sliding_window_view(values[a - half : b + half], width))
    for i in [*range(min(half, n)), *range(max(n - half, half), n)]:
        out[i] = measure(values[max(i - half, 0) : i + half + 1])
    return out
