"""How far the heart comes down after effort, and how high it ever went."""

import numpy as np

from zones.moments import Length, Moment, length_ms, moment_ms
from zones.series import Series, plausible

AT_THE_END_MS = 5_000
"""The last seconds of effort whose median is where the heart started from."""

AROUND_MS = 3_000
"""How near to the moment asked for a sample must be."""

HIGHEST = 15
"""Samples whose median must reach a value: an optical sensor's spike of two seconds is no maximum."""


def measure_recovery(series: Series, stop: Moment, vigorous_bpm: int, after: Length = 60) -> float | None:
    """How many bpm the heart fell within a minute (`after`) of the end of effort; None when that was not recorded.

    Medians of five seconds before and six around. None also when the effort did not end vigorous. What is normal
    depends on protocol and posture, so there is no judgement (Cole 1999, doi 10.1056/NEJM199910283411804).
    """
    end = moment_ms(stop)
    then = end + length_ms(after)
    before = _median(series, end - AT_THE_END_MS, end + 1)
    if before is None or before < vigorous_bpm:
        return None
    later = _median(series, then - AROUND_MS, then + AROUND_MS + 1)
    return None if later is None else before - later


def find_highest(series: Series) -> int | None:
    """The highest heart rate (bpm) held by the median of fifteen samples within half a minute; None without any.

    To be proposed as a maximum, never taken for one: of a strap only, for a wrist may count steps.
    """
    possible = plausible(series.bpm)
    t, bpm = series.times[possible].view(np.int64), series.bpm[possible]
    if len(t) < HIGHEST:
        return None
    windows = np.lib.stride_tricks.sliding_window_view(bpm, HIGHEST)
    dense = t[HIGHEST - 1 :] - t[: len(t) - HIGHEST + 1] <= 2 * HIGHEST * 1000
    # More than half of the values must reach it: only windows that hold the highest candidates need a look.
    best = 0
    for a in range(0, len(windows), 1 << 14):
        part = windows[a : a + (1 << 14)][dense[a : a + (1 << 14)]]
        if len(part):
            best = max(best, int(np.partition(part, HIGHEST // 2, axis=1)[:, HIGHEST // 2].max()))
    return best or None


def _median(series: Series, start: int, end: int) -> float | None:
    """The median of the plausible samples in [start, end)."""
    some = series.between(np.datetime64(start, "ms"), np.datetime64(end, "ms")).bpm
    some = some[plausible(some)]
    return float(np.median(some)) if len(some) else None
