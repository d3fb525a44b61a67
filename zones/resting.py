"""The resting heart rate of a day: its quietest five minutes, away from exercise."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zones.moments import milliseconds
from zones.pieces import Pieces
from zones.spans import Spans

WINDOW_MS = 300_000
STEP_MS = 60_000
"""How far one window is from the next."""

LEAST_COVERAGE = 0.8
"""The share of a window that must be measured."""

AFTERWARDS_MS = 3_600_000
"""How long a heart may need to calm down after exercise."""

LEAST_REST_MS = 7_200_000
"""Measured rest in a day below which it has no resting heart rate: a strap worn for training only never sees one."""


def resting(pieces: Pieces, exercise: Spans, borders: ArrayLike) -> NDArray[np.float64]:
    """For each span (day) [borders[i], borders[i + 1]) the lowest mean over five minutes, in bpm; NaN without rest.

    Windows lie within the span, are measured to four fifths, and free of `exercise` and the hour after it.
    """
    return quietest(pieces, exercise, borders)[0]


def quietest(
    pieces: Pieces, exercise: Spans, borders: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The same, and when those five minutes began (ms); the first of several equal ones."""
    edge = milliseconds(borders)
    lowest = np.full(max(len(edge) - 1, 0), np.nan)
    begins = np.zeros(len(lowest), np.int64)
    busy = Spans.of(exercise.start, exercise.end + AFTERWARDS_MS)
    quiet = pieces.without(busy)
    if not len(quiet):
        return lowest, begins
    lasts = quiet.end - quiet.start
    time = np.concatenate([np.zeros(1, np.int64), np.cumsum(lasts)])
    beats = np.concatenate([np.zeros(1, np.int64), np.cumsum(lasts * quiet.bpm.astype(np.int64))])

    def until(at: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Measured time, and heart rate times time, before each moment."""
        i = np.searchsorted(quiet.start, at, side="right") - 1
        inside = np.where(i >= 0, np.minimum(at, quiet.end[i]) - quiet.start[i], 0)
        i = np.maximum(i, 0)
        return time[i] + inside, beats[i] + inside * quiet.bpm[i].astype(np.int64)

    measured = np.diff(until(edge)[0])
    for day in np.flatnonzero(measured >= LEAST_REST_MS):
        starts = np.arange(edge[day], edge[day + 1] - WINDOW_MS + 1, STEP_MS)
        (t0, b0), (t1, b1) = until(starts), until(starts + WINDOW_MS)
        free = busy.before_ms(starts + WINDOW_MS) == busy.before_ms(starts)
        good = free & (t1 - t0 >= LEAST_COVERAGE * WINDOW_MS)
        if good.any():
            means = (b1 - b0)[good] / (t1 - t0)[good]
            calmest = int(np.argmin(means))
            lowest[day], begins[day] = means[calmest], starts[good][calmest]
    return lowest, begins


def usual(resting_bpm: NDArray[np.float64], least: int = 7) -> float:
    """The median of the days that have one, to be proposed to the person; NaN with fewer than `least`."""
    known = resting_bpm[~np.isnan(resting_bpm)]
    return float(np.median(known)) if len(known) >= least else float("nan")
