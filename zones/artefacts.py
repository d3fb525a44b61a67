"""Artefacts: heart rates a sensor reported that no heart can have had, as a mask beside the samples."""

from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

from zones.moments import Length, length_ms
from zones.series import Series, plausible
from zones.spans import Spans

AROUND = 31
"""Samples around each one whose median it is held against."""

AROUND_MS = 60_000
"""Where 31 samples take longer than this, a heart can truly change as much: no judgement."""

SPIKE_BPM, SPIKE_MS = 25, 10_000
"""This far from the median, and for so long at most, is a spike; what lasts longer is a change."""

DENSE_MS = 5_000
"""A stuck sensor still sends: with fewer samples than one in this time it may just have had nothing new to say."""

STUCK_S = {"strap": 300, "activity": 120}
"""Seconds of one unchanging value after which a sensor of a kind counts as stuck. None for all-day files: they
tell a value a minute, and a resting heart may well show the same one twice."""


class Artefact(IntFlag):
    """Why a sample is not believed."""

    DROPOUT = 1
    """Outside 30..230: how sensors say that they have nothing."""
    SPIKE = 2
    """Seconds far from what was before and after."""
    STUCK = 4
    """The same value for minutes: a sensor that lost the heart and repeats itself."""


def artefacts(series: Series, stuck: Length | None = None, alive: Spans | None = None) -> NDArray[np.uint8]:
    """For each sample 0, or the `Artefact`s it is one of; the samples themselves stay as they are.

    `stuck` is how long a value may stay the same (not looked at without it), `alive` the stretches in which beats
    were seen to vary, so that an unchanging heart rate is a true one.
    """
    bad = np.where(plausible(series.bpm), np.uint8(0), np.uint8(Artefact.DROPOUT))
    there = np.flatnonzero(bad == 0)
    t, bpm = series.times[there].view(np.int64), series.bpm[there]
    bad[there] |= np.where(_spikes(t, bpm), np.uint8(Artefact.SPIKE), np.uint8(0))
    if stuck is not None:
        bad[there] |= np.where(_stuck(t, bpm, length_ms(stuck), alive), np.uint8(Artefact.STUCK), np.uint8(0))
    return bad


def believed(series: Series, bad: NDArray[np.uint8]) -> Series:
    """The samples without artefacts. What is masked is no sample: the one before stands on, up to its cap."""
    good = bad == 0
    if good.all():
        return series
    times, bpm = series.times[good], series.bpm[good]
    times.flags.writeable = bpm.flags.writeable = False
    return Series(times, bpm)


def _spikes(t: NDArray[np.int64], bpm: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which samples are far from the median of those around them, for a short while only."""
    n = len(t)
    far = np.zeros(n, np.bool_)
    if n < AROUND:
        return far
    # At both ends the first and the last whole window serve; only where one spans no hole.
    window = np.clip(np.arange(n) - AROUND // 2, 0, n - AROUND)
    dense = (t[AROUND - 1 :] - t[: n - AROUND + 1] <= AROUND_MS)[window]
    # Where all values of a window lie close together none can be a spike: the median is sought elsewhere only.
    wide = (_extreme(bpm, np.maximum) - _extreme(bpm, np.minimum) > SPIKE_BPM)[window]
    for some in _blocks(np.flatnonzero(dense & wide)):
        around = bpm[window[some][:, None] + np.arange(AROUND)]
        median = np.partition(around, AROUND // 2, axis=1)[:, AROUND // 2].astype(np.int16)
        far[some] = np.abs(bpm[some] - median) > SPIKE_BPM
    first, last = _runs(far)
    lasts = np.append(t[1:], t[-1])[last] - t[first]
    spike = np.zeros(n, np.bool_)
    spike[np.flatnonzero(far)] = np.repeat(lasts <= SPIKE_MS, last - first + 1)
    return spike


def _stuck(
    t: NDArray[np.int64], bpm: NDArray[np.uint8], longest: int, alive: Spans | None
) -> NDArray[np.bool_]:
    """Which samples belong to a dense run of one value that lasts at least `longest`."""
    same = np.zeros(len(t), np.bool_)
    if not len(t):
        return same
    new = np.append(True, (bpm[1:] != bpm[:-1]) | (np.diff(t) > AROUND_MS // 2))
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(t)) - 1
    lasts = t[last] - t[first]
    long = (lasts >= longest) & ((last - first) * DENSE_MS >= lasts)
    if alive is not None:
        # Where beats vary for half of the run the sensor is not stuck.
        long &= 2 * (alive.before_ms(t[last]) - alive.before_ms(t[first])) < lasts
    return np.repeat(long, last - first + 1)


def _extreme(bpm: NDArray[np.uint8], of: np.ufunc) -> NDArray[np.uint8]:
    """The highest or lowest of each whole window, by doubling: of 2, 4, 8, 16 and then of 31."""
    found = bpm
    width = 1
    while 2 * width <= AROUND:
        found = of(found[width:], found[:-width])
        width *= 2
    rest = AROUND - width
    return of(found[rest:], found[:-rest])  # type: ignore[no-any-return]


def _blocks(which: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """In parts small enough that all their windows fit into a cache."""
    return np.array_split(which, len(which) // 16_384 + 1)


def _runs(flags: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The first and the last index of each run of True."""
    edge = np.diff(np.concatenate([[0], flags.view(np.int8), [0]]))
    return np.flatnonzero(edge == 1), np.flatnonzero(edge == -1) - 1
