"""The resting heart rate of a day: its quietest five minutes, away from exercise."""

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zones.moments import milliseconds
from zones.pieces import Pieces, split_every
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


def find_resting(pieces: Pieces, exercise: Spans, borders: ArrayLike) -> NDArray[np.float64]:
    """For each span (day) [borders[i], borders[i + 1]) the lowest mean over five minutes, in bpm; NaN without rest.

    `borders` are moments, ascending; the result has a row (float64) less. Windows lie within the span, are measured to
    four fifths, and free of `exercise` and the hour after it. Other definitions (Garmin's half hour, Firstbeat's fifty
    beats) give other numbers.
    """
    return find_quietest(pieces, exercise, borders)[0]


def find_quietest(
    pieces: Pieces, exercise: Spans, borders: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The same, and when those five minutes began (ms, on a whole minute); the first of several equal ones."""
    edge = milliseconds(borders)
    parts = split_every(pieces, STEP_MS)
    minute, lasts = parts.start // STEP_MS, parts.end - parts.start
    first = np.flatnonzero(np.append(True, minute[1:] != minute[:-1])[: len(minute)])
    measured, bpm = (np.add.reduceat(x, first) if len(x) else x for x in (lasts, lasts * parts.bpm))
    start, covered = minute[first] * STEP_MS, pieces.spans
    found = [find_calmest(start, measured, bpm, covered, exercise, a, b) for a, b in pairwise(edge.tolist())]
    return np.array([low for low, _ in found], dtype=np.float64), np.array([at for _, at in found], np.int64)


def find_calmest(
    start_ms: NDArray[np.int64],
    measured_ms: NDArray[np.int64],
    bpm_ms: NDArray[np.int64],
    covered: Spans,
    exercise: Spans,
    begins: int,
    ends: int,
) -> tuple[float, int]:
    """The lowest mean heart rate over five minutes in [begins, ends) and when they begin; NaN and 0 without rest.

    From the minutes with anything measured (`start_ms`, ascending): for how long, and heart rate times that; `covered`
    is when something was measured.
    """
    busy = Spans.of(exercise.start, exercise.end + AFTERWARDS_MS)
    zero = begins + -begins % STEP_MS
    n = (ends - zero) // STEP_MS
    here = covered.clip(begins, ends)
    rest_ms = here.measure_ms - int((busy.before_ms(here.end) - busy.before_ms(here.start)).sum())
    if rest_ms < LEAST_REST_MS or n * STEP_MS < WINDOW_MS:
        return float("nan"), 0
    i, j = np.searchsorted(start_ms, [zero, ends])
    which = (start_ms[i:j] - zero) // STEP_MS
    wide = WINDOW_MS // STEP_MS
    time, beats = np.zeros(n + 1, np.int64), np.zeros(n + 1, np.int64)
    some = which < n
    time[1 + which[some]], beats[1 + which[some]] = measured_ms[i:j][some], bpm_ms[i:j][some]
    time, beats = np.cumsum(time), np.cumsum(beats)
    t, b = time[wide:] - time[:-wide], beats[wide:] - beats[:-wide]
    starts = zero + np.arange(n - wide + 1, dtype=np.int64) * STEP_MS
    free = ~busy.meet(starts, starts + WINDOW_MS)
    usable = np.flatnonzero(free & (t >= LEAST_COVERAGE * WINDOW_MS))
    if not len(usable):
        return float("nan"), 0
    means = b[usable] / t[usable]
    calm = int(np.argmin(means))
    return float(means[calm]), int(starts[usable[calm]])


def find_usual_resting(resting_bpm: NDArray[np.float64], least: int = 7) -> float:
    """The median (bpm) of the days that have one, to be proposed to the person; NaN with fewer than `least`.

    `resting_bpm` is a row per day, NaN for those without.
    """
    known = resting_bpm[~np.isnan(resting_bpm)]
    return float(np.median(known)) if len(known) >= least else float("nan")
