"""Artefacts: heart rates a sensor reported that no heart can have had, as a mask beside the samples."""

from dataclasses import dataclass
from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

from zones.lowest import Lowest
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

REACH_MS = 600_000
"""What lies farther from a sample than this has no part in the verdict on it: a hole of a minute, another minute of
neighbours and ten seconds of a spike, or a window of five minutes and a gap in it."""

STUCK_S = {"strap": 120, "activity strap": 300, "activity": 120}
"""Seconds of one unchanging value after which a sensor of a kind counts as stuck, unless its beats are seen to vary.
A watch's file may leave the beats of its strap out. None for all-day files: they tell a value a minute, and a resting
heart may well show the same one twice."""

SILENT_S = 60
"""The same for a strap that usually reports beats and does not meanwhile."""

STILL_S, STILL_BPM = 120, 2
"""How long, and within how many bpm, the value of such a strap may linger without any beats."""

BEATS_NEAR_MS = 5_000
"""A sample so near to a reported beat is not without beats: a slow heart leaves notifications without any."""

USUAL_MS = 30_000
"""So long must a strap have reported beats to be one that usually does."""

AROUND_STRAP_MS = 300_000
"""How far from a sample is looked for what its strap usually says."""

LOOSE_S = 10
"""After so long of one value a strap that says it touches no skin is believed that."""


class Artefact(IntFlag):
    """Why a sample is not believed."""

    DROPOUT = 1
    """Outside 30..230: how sensors say that they have nothing."""
    SPIKE = 2
    """Seconds far from what was before and after."""
    STUCK = 4
    """The same value for minutes: a sensor that lost the heart and repeats itself."""
    LOOSE = 8
    """The strap reports no skin contact, and reported no beats or repeated itself meanwhile."""


@dataclass(frozen=True, slots=True, eq=False)
class StrapSignals:
    """What a strap said besides heart rates: when it reported beats, and whether it touched skin.

    `beats` are moments (int64 ms, ascending). `contact` and `no_contact` (bool, a row per sample) are whether the strap
    reported skin contact then, and whether it reported none; neither where it reports nothing of it.
    """

    beats: NDArray[np.int64]
    contact: NDArray[np.bool_]
    no_contact: NDArray[np.bool_]


def find_artefacts(
    series: Series,
    stuck: Length | None = None,
    alive: Spans | None = None,
    signals: StrapSignals | None = None,
) -> NDArray[np.uint8]:
    """For each sample 0, or the `Artefact`s it is one of (uint8, a row per sample); the samples stay as they are.

    Parameters
    ----------
    stuck
        How long a value may stay the same; not looked at without it.
    alive
        The stretches in which beats were seen to vary, so that an unchanging heart rate is a true one.
    signals
        What a strap said besides, a row per sample of `series`.

    Raises ValueError when `stuck` is no length of time.
    """
    bad = np.where(plausible(series.bpm), np.uint8(0), np.uint8(Artefact.DROPOUT))
    there = np.flatnonzero(bad == 0)
    t, bpm = series.times[there].view(np.int64), series.bpm[there]
    bad[there] |= np.where(_spikes(t, bpm), np.uint8(Artefact.SPIKE), np.uint8(0))
    if stuck is not None:
        bad[there] |= np.where(_stuck(t, bpm, length_ms(stuck), alive), np.uint8(Artefact.STUCK), np.uint8(0))
    if signals is not None and len(there):
        near_beats = Spans.of(signals.beats - BEATS_NEAR_MS, signals.beats + BEATS_NEAR_MS + 1)
        usual = (
            near_beats.start[near_beats.end - near_beats.start >= USUAL_MS],
            near_beats.end[near_beats.end - near_beats.start >= USUAL_MS],
        )
        silent = Spans.of(usual[0] - AROUND_STRAP_MS, usual[1] + AROUND_STRAP_MS).covers(
            t
        ) & ~near_beats.covers(t)
        repeated = silent & (_stuck(t, bpm, length_ms(SILENT_S), near_beats) | _still(t, bpm, silent))
        bad[there] |= np.where(repeated, np.uint8(Artefact.STUCK), np.uint8(0))
        loose = _loose(t, bpm, silent, alive, signals.contact[there], signals.no_contact[there])
        bad[there] |= np.where(loose, np.uint8(Artefact.LOOSE), np.uint8(0))
    return bad


def _still(t: NDArray[np.int64], bpm: NDArray[np.uint8], silent: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which samples belong to a dense window without beats in which the value lingers."""
    n, longest = len(t), length_ms(STILL_S)
    begin = np.flatnonzero(silent & (t <= t[-1] - longest))
    if not len(begin):
        return np.zeros(n, np.bool_)
    end = np.searchsorted(t, t[begin] + longest)
    beats = np.append(0, np.cumsum(~silent))
    without = (beats[end + 1] == beats[begin]) & ((end - begin) * DENSE_MS >= t[end] - t[begin])
    begin, end = begin[without], end[without]
    if not len(begin):
        return np.zeros(n, np.bool_)
    value, widest = bpm.astype(np.int64), int((end + 1 - begin).max())
    spread = -Lowest(-value, widest).between(begin, end + 1) - Lowest(value, widest).between(begin, end + 1)
    return _covered(begin[spread <= STILL_BPM], end[spread <= STILL_BPM], n)


def _loose(
    t: NDArray[np.int64],
    bpm: NDArray[np.uint8],
    silent: NDArray[np.bool_],
    alive: Spans | None,
    contact: NDArray[np.bool_],
    no_contact: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Which samples a strap took without skin by its own word, if it says otherwise near them.

    Straps were seen to say so for minutes while they were worn: beats that vary are believed more.
    """
    if not no_contact.any() or not contact.any():
        return np.zeros(len(t), np.bool_)
    knows = Spans.of(t[contact] - AROUND_STRAP_MS, t[contact] + AROUND_STRAP_MS).covers(t)
    return no_contact & knows & (silent | _stuck(t, bpm, length_ms(LOOSE_S), alive))


def without_artefacts(series: Series, bad: NDArray[np.uint8]) -> Series:
    """The samples whose mask (uint8, as of `find_artefacts`) is 0; the same Series where all are.

    What is masked is no sample: the one before stands on, up to its cap.
    """
    kept = bad == 0
    if kept.all():
        return series
    times, bpm = series.times[kept], series.bpm[kept]
    times.flags.writeable = bpm.flags.writeable = False
    return Series(times, bpm)


def _spikes(t: NDArray[np.int64], bpm: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which samples are far from the median of those around them, for a short while only."""
    n = len(t)
    far = np.zeros(n, np.bool_)
    if n < AROUND:
        return far
    # Where all values of a window lie close together none can be a spike: the median is sought elsewhere only.
    wide = _extreme(bpm, np.maximum) - _extreme(bpm, np.minimum) > SPIKE_BPM
    near = wide & (t[AROUND - 1 :] - t[: n - AROUND + 1] <= AROUND_MS)
    if not near.any():
        return far
    # At both ends of a stretch its first and last whole window serve; only where one spans no hole.
    first, last, stretch = _stretches(t)
    window = np.minimum(np.arange(n, dtype=np.intp) - AROUND // 2, (last - AROUND + 1)[stretch])
    window = np.clip(np.maximum(window, first[stretch]), 0, n - AROUND)
    for some in _blocks(np.flatnonzero(near[window])):
        around = bpm[window[some][:, None] + np.arange(AROUND, dtype=np.intp)]
        median = np.partition(around, AROUND // 2, axis=1)[:, AROUND // 2].astype(np.int16)
        far[some] = np.abs(bpm[some] - median) > SPIKE_BPM
    if not far.any():
        return far
    a, b = _runs(far, first[1:])
    lasts = t[np.minimum(b + 1, last[stretch[b]])] - t[a]
    spike = np.zeros(n, np.bool_)
    spike[np.flatnonzero(far)] = np.repeat(lasts <= SPIKE_MS, b - a + 1)
    return spike


def _stretches(t: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """The first and last index of each stretch without a hole of a minute, and for each sample which one it is of."""
    new = np.append(True, np.diff(t) > AROUND_MS)
    first = np.flatnonzero(new)
    return first, np.append(first[1:], len(t)) - 1, np.cumsum(new) - 1


def _stuck(
    t: NDArray[np.int64], bpm: NDArray[np.uint8], longest: int, alive: Spans | None
) -> NDArray[np.bool_]:
    """Which samples belong to a dense window of one value that is as long as `longest`."""
    n = len(t)
    same = np.zeros(n, np.bool_)
    if not n or t[-1] - t[0] < longest:
        return same
    new = np.append(True, (bpm[1:] != bpm[:-1]) | (np.diff(t) > AROUND_MS // 2))
    first = np.flatnonzero(new)
    last = np.append(first[1:], n) - 1
    long = t[last] - t[first] >= longest
    if not long.any():
        return same
    candidates = np.flatnonzero(np.repeat(long, last - first + 1))
    until = np.searchsorted(t, t[candidates] + longest)
    inside = until <= np.repeat(last[long], (last - first + 1)[long])
    begin, end = candidates[inside], until[inside]
    lasts = t[end] - t[begin]
    bad = (end - begin) * DENSE_MS >= lasts
    if alive is not None:
        # Where beats vary for half of the time the sensor is not stuck.
        bad &= 2 * (alive.before_ms(t[end]) - alive.before_ms(t[begin])) < lasts
    return _covered(begin[bad], end[bad], n)


def _covered(begin: NDArray[np.intp], end: NDArray[np.intp], n: int) -> NDArray[np.bool_]:
    """Which of n samples lie in any window, its end included."""
    edge = np.bincount(begin, minlength=n + 1) - np.bincount(end + 1, minlength=n + 2)[: n + 1]
    return np.cumsum(edge)[:n] > 0


def _extreme(bpm: NDArray[np.uint8], extreme: np.ufunc) -> NDArray[np.uint8]:
    """The highest or lowest of each whole window, by doubling: of 2, 4, 8, 16 and then of 31."""
    found = bpm
    width = 1
    while 2 * width <= AROUND:
        found = extreme(found[width:], found[:-width])
        width *= 2
    rest = AROUND - width
    return extreme(found[rest:], found[:-rest])  # type: ignore[no-any-return]  # a ufunc is typed as any


def _blocks(which: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """In parts small enough that all their windows fit into a cache."""
    return np.array_split(which, len(which) // 16_384 + 1)


def _runs(flags: NDArray[np.bool_], borders: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The first and the last index of each run of True; a run ends before each border."""
    begins = flags & np.append(True, ~flags[:-1])
    begins[borders] = flags[borders]
    first = np.flatnonzero(begins)
    ends = flags & np.append(~flags[1:], True)
    ends[borders - 1] = flags[borders - 1]
    return first, np.flatnonzero(ends)
