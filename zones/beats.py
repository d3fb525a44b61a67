"""From beat to beat: which intervals are artefacts, and how much the true ones vary."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

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


class BeatFault(IntEnum):
    """What is wrong with an interval between two beats."""

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


def find_chain_starts(
    times: NDArray[np.int64], rr_ms: ArrayLike, tolerance_ms: int = 1500
) -> NDArray[np.bool_]:
    """Which beats begin a new chain (bool, a row per beat): those whose interval does not reach back to the beat before.

    `times` are the moments of the beats (int64 ms, ascending), `rr_ms` their intervals. A notification that was lost
    leaves such a hole.
    """
    rr = np.asarray(rr_ms, np.float64)
    new = np.ones(len(rr), np.bool_)
    new[1:] = np.abs(np.diff(times) - rr[1:]) > tolerance_ms
    return new


def find_faults(
    rr_ms: ArrayLike, new: NDArray[np.bool_] | None = None, *, least_ms: float = LEAST_MS
) -> NDArray[np.uint8]:
    """For each interval (ms) what is wrong with it, as a `BeatFault` (uint8); `new` marks those that begin a chain.

    Lipponen and Tarvainen 2019 (doi 10.1080/03091902.2019.1640306), with a floor under its two thresholds. An interval
    outside 300..2000 ms is a fault of its own and no neighbour to any other, unless it can be told to hold a missed
    or an extra beat.
    """
    rr = np.asarray(rr_ms, np.float64)
    found = np.zeros(len(rr), np.uint8)
    borders = np.append(_chain_begins(len(rr), new), len(rr))
    for a, b in pairwise(borders.tolist()):
        if b - a >= FEWEST:
            found[a:b] = _chain_faults(rr[a:b], least_ms)
    impossible = (rr < SHORTEST_MS) | (rr > LONGEST_MS)
    return np.where(impossible & (found < BeatFault.MISSED), np.uint8(BeatFault.RANGE), found)


def measure_variability(
    rr_ms: ArrayLike, found: NDArray[np.uint8] | None = None, new: NDArray[np.bool_] | None = None
) -> Variability:
    """RMSSD, its logarithm, SDNN (n - 1) and pNN50 (of the pairs) of intervals in ms.

    As the Task Force of the European Society of Cardiology defines them (doi 10.1161/01.CIR.93.5.1043). `found` are
    their faults and `new` the beginnings of chains: faulty intervals are left out, and only two true
    ones that adjoin each other make a pair. Nothing is interpolated: an invented beat varies less than a true one.
    """
    rr = np.asarray(rr_ms, np.float64)
    none = np.zeros(len(rr), np.uint8), np.zeros(len(rr), np.bool_)
    one = np.zeros(len(rr), np.intp)
    return variability_of_sums(
        sum_intervals(one, 1, rr, none[0] if found is None else found, none[1] if new is None else new)[0]
    )


RATE_WINDOW_MS, RATE_BEATS = 5000, 3
"""Over how much time beats are averaged to a heart rate, as straps do, and how many true ones that needs at least."""


def rate_of_beats(times: NDArray[np.int64], rr_ms: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Heart rates out of beats: seconds (ms, ascending) in which a true beat was, and bpm over the last five seconds there.

    `times` are the moments of the beats (int64 ms, ascending), `rr_ms` their intervals. What is an artefact, or stands in
    a row too short to tell, has no part in it; where too few true beats are near there is no heart rate.
    """
    rr = np.asarray(rr_ms, np.float64)
    new = find_chain_starts(times, rr)
    begins = np.flatnonzero(new)
    lengths = np.diff(begins, append=len(rr))
    long_enough = np.repeat(lengths >= FEWEST, lengths)
    true = (find_faults(rr, new) == BeatFault.NONE) & long_enough
    t, rr = times[true], rr[true]
    second = t // 1000
    last = np.flatnonzero(np.append(second[1:] != second[:-1], True)) if len(t) else np.empty(0, np.int64)
    first = np.searchsorted(t, t[last] - RATE_WINDOW_MS, side="right")
    passed = np.append(0.0, np.cumsum(rr))
    count = last + 1 - first
    enough = count >= RATE_BEATS
    last, first, count = last[enough], first[enough], count[enough]
    bpm = np.rint(60_000 * count / (passed[last + 1] - passed[first]))
    return second[last] * 1000, bpm.astype(np.uint8)


CONTEXT_MS = 480_000
"""What lies farther from a beat than this has no part in what is wrong with it, as long as no interval is longer than
4 s: forty-five beats around each of the forty-five around it, and some more, none of them 5.5 s from the next."""

SUMS = ("intervals", "accepted", "length", "squares", "pairs", "steps", "far")
"""What adds up to the variability of any stretch: intervals and how many are accepted, their sum and that of their
squares, pairs of accepted ones that adjoin each other, the sum of the squares of their differences, and how many of these
are above 50 ms. Lengths are in 1/128000 s: whole for files and straps, so that sums are exact."""


def sum_intervals(
    which: NDArray[np.intp], n: int, rr_ms: ArrayLike, found: NDArray[np.uint8], new: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """The `SUMS` of n parts (int64, a row each); `which` is the part of each interval.

    `found` are the faults of the intervals, `new` marks those that begin a chain. A pair is of the part of its second.
    """
    rr = np.rint(np.asarray(rr_ms, np.float64) * 128).astype(np.int64)
    accepted = found == BeatFault.NONE
    step = np.diff(rr, prepend=rr[:1])
    pair = accepted & np.append(False, accepted[:-1]) & ~new
    columns = [
        np.ones_like(rr),
        accepted,
        accepted * rr,
        accepted * rr**2,
        pair,
        pair * step**2,
        pair & (np.abs(step) > 50 * 128),
    ]
    # A float adds up whole numbers exactly below 2^53: the squares of a hundred hours.
    parts = [np.bincount(which, column, n) for column in columns]
    return np.stack(parts, axis=1).astype(np.int64)


def variability_of_sums(total: NDArray[np.int64]) -> Variability:
    """The variability of a stretch, from its row of `SUMS` or the sum of several."""
    intervals, accepted, length, squares, pairs, steps, far = map(int, total)
    nan = float("nan")
    rmssd = math.sqrt(steps / pairs) / 128 if pairs else nan
    spread = accepted * squares - length**2
    return Variability(
        rmssd_ms=rmssd,
        ln_rmssd=math.log(rmssd) if rmssd > 0 else nan,
        sdnn_ms=math.sqrt(spread / (accepted * (accepted - 1))) / 128 if accepted > 1 else nan,
        pnn50=100 * far / pairs if pairs else nan,
        beats=accepted,
        seconds=length / 128_000,
        artefact_pct=100 * (intervals - accepted) / intervals if intervals else 0.0,
    )


def _chain_begins(n: int, new: NDArray[np.bool_] | None) -> NDArray[np.intp]:
    """The first index of each stretch."""
    if not n:
        return np.empty(0, np.intp)
    inner = np.empty(0, np.intp) if new is None else np.flatnonzero(new[1:]) + 1
    return np.append(0, inner)


def _chain_faults(rr: Floats, least: float) -> NDArray[np.uint8]:
    """The faults of one unbroken stretch."""
    step = np.diff(rr, prepend=rr[0])
    d = step / _threshold(step, least)
    usual = _medians(rr)
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
    kinds = [
        (ectopic, BeatFault.ECTOPIC),
        (missed, BeatFault.MISSED),
        (extra, BeatFault.EXTRA),
        (long, BeatFault.LONG),
    ]
    flags = [flag for flag, _ in kinds]
    return np.select([*flags, short], [*(kind for _, kind in kinds), BeatFault.SHORT], BeatFault.NONE).astype(
        np.uint8
    )


def _threshold(values: Floats, least: float) -> Floats:
    """What a value may differ by, from the quartile deviation of those around it."""
    out = np.empty(len(values))
    for a, rows, many in _windows(np.abs(values), ROUND):
        low, high = (_quantile(rows, many, q) for q in (0.25, 0.75))
        out[a : a + len(rows)] = (high - low) / 2
    return np.maximum(SPREAD * out, least)


def _medians(values: Floats) -> Floats:
    """The median of the values around each one."""
    out = np.empty(len(values))
    for a, rows, many in _windows(values, NEAR):
        here = np.arange(len(rows), dtype=np.intp)
        out[a : a + len(rows)] = (rows[here, (many - 1) // 2] + rows[here, many // 2]) / 2
    return out


def _windows(values: Floats, width: int) -> Iterator[tuple[int, Floats, NDArray[np.intp]]]:
    """The values around each one, in order of size, and how many there are: at both ends fewer, and then infinity.

    In portions that fit into a cache, each with its beginning. To put all in order is faster than to pick a few.
    """
    half, n = width // 2, len(values)
    padded = np.concatenate(
        [np.full(half, np.inf, dtype=np.float64), values, np.full(half, np.inf, dtype=np.float64)]
    )
    here = np.arange(n, dtype=np.intp)
    many = np.minimum(here + half, n - 1) - np.maximum(here - half, 0) + 1
    rows = sliding_window_view(padded, width)
    block = 1 << 11
    for a in range(0, n, block):
        yield a, np.sort(rows[a : a + block], axis=-1), many[a : a + block]


def _quantile(rows: Floats, many: NDArray[np.intp], q: float) -> Floats:
    """That quantile of the first so many values of each row in order, as numpy's own."""
    here, at = np.arange(len(rows), dtype=np.intp), (many - 1) * q
    below = at.astype(np.intp)
    low, high, share = rows[here, below], rows[here, np.minimum(below + 1, many - 1)], at - below
    return np.where(share < 0.5, low + (high - low) * share, high - (high - low) * (1 - share))
