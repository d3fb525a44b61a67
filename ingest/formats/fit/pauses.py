"""Which pauses of a workout are believed.

A pause that is told wrongly takes away minutes that somebody moved. Home trainers write stops and never a start (cagnulein/qdomyos-zwift
#1279), and one start that is missing would silence all that follows. So three readings of the presses are held against how long the
watch's own timers say that they ran (FIT SDK, profile: session (18) 8 total_timer_time, lap (19) 7 total_elapsed_time and
8 total_timer_time), workout by workout:

    told      from each stop to the next start
    mended    the same, where of two presses of one kind in a row the one between them is put to where samples go on, or ended
    silent    what is told, where no samples were recorded: elsewhere no pause at all

The first is believed unless another one comes nearer to the timers, or to the seconds that the watch counted in its zones. Where there is
no timer to ask, samples decide: a stop with a start behind it is a pause; a stop without one ends where heart rate was recorded again,
unless the watch records during its pauses, too.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.formats.fit.file import FitSession, PauseVerdict
from ingest.formats.fit.timer import Press, told_pauses
from zones.moments import are_among
from zones.spans import Spans

TOLD, MENDED, SILENT = "told", "mended", "silent"

NEAR_S, NEAR_PART = 2.0, 0.005
"""By so much another reading must be nearer to the timer than one before it: presses are stamped in whole seconds."""
FAR_PART = 0.1
"""A timer from which every reading is farther than this part of the time counted something else, and is no evidence."""

SHORTEST_SILENCE_MS, LONGEST_SILENCE_MS = 3000, 30_000
"""Between samples it is silent after three times their usual distance, but not sooner or later than this."""

WRITES_ON_MS = 60_000
"""Watches write on for a moment after the last stop; samples for longer than this tell that the timer was started again."""

Moments = NDArray[np.int64]


class Lap(NamedTuple):
    """One lap: its span (ms), and for how long its timer ran (s)."""

    start_ms: int
    end_ms: int
    timer_s: float


@dataclass(frozen=True, slots=True)
class TimedStretch:
    """A stretch of time, and for how long timers say that they ran in it (s): any of them may be right."""

    start_ms: int
    end_ms: int
    timers_s: tuple[float, ...]

    def off_s(self, pauses: Spans) -> float:
        """How far the time outside the pauses is from the nearest timer."""
        ran_s = (self.end_ms - self.start_ms - pauses.clip(self.start_ms, self.end_ms).measure_ms) / 1000
        return min(abs(ran_s - timer_s) for timer_s in self.timers_s)

    def is_believable(self, off_s: float) -> bool:
        """Whether a reading that is so far off may be what the timers counted."""
        return off_s * 1000 <= max(NEAR_S * 1000, FAR_PART * (self.end_ms - self.start_ms))


def believe_pauses(
    presses: list[Press],
    times: Moments,
    sessions: tuple[FitSession, ...],
    laps: list[Lap],
    zone_s: dict[int, float],
    last_ms: int | None,
) -> tuple[Spans, tuple[FitSession, ...]]:
    """The pauses that are believed, and the sessions with how that was decided.

    `times` are those of the workout's samples (int64 ms, ascending); a pause left open ends with them or with the record at `last_ms`.
    `zone_s` are the seconds that the watch counted in its zones, by the index of the session.
    """
    ends = [session_ms(s.end) for s in sessions]
    last = max([last_ms or 0, *times[-1:].tolist()]) or None
    told = told_pauses(presses, last_ms)
    if not len(times) or (not len(told) and len(presses) < 3):
        return told, sessions
    until = max([last or 0, *(lap.end_ms for lap in laps), *ends])
    readings = _readings(presses, times, until)
    windows = _windows(sessions, laps, zone_s)
    if windows:
        parts = [told - Spans.pairs((w.start_ms, w.end_ms) for w in windows)]
        believed = [(w, *_weigh(readings, w, presses)) for w in windows]
        parts += [readings[way].clip(w.start_ms, w.end_ms) for w, way, _ in believed]
        found = Spans.union(parts)
    else:
        believed, found = [], readings[_by_samples(readings, presses)]
    if last is not None and len(found):
        found = found.clip(min(int(found.start[0]), last), last)
    return found, tuple(_with_verdict(s, readings[TOLD], found, believed, last or 0) for s in sessions)


def session_ms(moment: np.datetime64) -> int:
    """A moment of a session as milliseconds since 1970."""
    return int(moment.astype("datetime64[ms]").astype(np.int64))


# --- the readings ---


def _readings(presses: list[Press], times: Moments, until_ms: int) -> dict[str, Spans]:
    told = told_pauses(presses, until_ms)
    steps = np.diff(times)
    usual = int(np.median(steps)) if len(steps) else 0
    usual = min(max(3 * usual, SHORTEST_SILENCE_MS), LONGEST_SILENCE_MS)
    return {
        TOLD: told,
        MENDED: mended_pauses(presses, times, usual, until_ms),
        SILENT: silent_pauses(told, times, usual),
    }


def mended_pauses(presses: list[Press], times: Moments, usual_ms: int, until_ms: int) -> Spans:
    """The pauses, where between two presses of one kind the missing one is put beside the samples.

    A start that is missing was where samples went on, a stop where they ended before the next start. A start after the last sample
    started nothing.
    """
    spans: list[tuple[int, int]] = []
    stopped: int | None = None
    runs = False
    last = int(times[-1]) if len(times) else until_ms
    for press in [p for p in presses if not p.runs or p.at_ms <= last]:
        at = press.at_ms
        if press.runs:
            i = int(np.searchsorted(times, at)) - 1
            if stopped is not None:
                spans.append((stopped, at))
            elif runs and i >= 0 and at - int(times[i]) > usual_ms:
                spans.append((int(times[i]), at))
            stopped, runs = None, True
        elif stopped is None:
            stopped, runs = at, False
        else:
            went_on = _goes_on(times, stopped, usual_ms)
            if went_on is not None and went_on[1] < at:
                spans.append((stopped, went_on[0]))
                stopped = at
    if stopped is not None:
        went_on = _goes_on(times, stopped, usual_ms) if last - stopped > WRITES_ON_MS else None
        spans.append((stopped, until_ms if went_on is None else went_on[0]))
    return Spans.pairs(spans)


def _goes_on(times: Moments, stopped: int, usual_ms: int) -> tuple[int, int] | None:
    """The end of a pause, which is its beginning where samples went on at their usual pace, and the first sample in or after it."""
    i = int(np.searchsorted(times, stopped, side="right"))
    if i == len(times):
        return None
    after = int(times[i])
    before = int(times[i - 1]) if i else after
    return (after if after - before > usual_ms else stopped), after


def silent_pauses(told: Spans, times: Moments, usual_ms: int) -> Spans:
    """What of the pauses nothing was recorded in; one between two samples is silent as a whole."""
    if not len(times) or not len(told):
        return told
    within = np.searchsorted(times, told.end) - np.searchsorted(times, told.start, side="right")
    whole = Spans.of(told.start[within <= 0], told.end[within <= 0])
    silent = np.flatnonzero(np.diff(times) > usual_ms)
    outside = min(int(times[0]), int(told.start[0])), max(int(times[-1]), int(told.end[-1]))
    gaps = Spans.of([outside[0], *times[silent], times[-1]], [times[0], *times[silent + 1], outside[1]])
    return whole | (told & gaps)


# --- what they are held against ---


def _windows(
    sessions: tuple[FitSession, ...], laps: list[Lap], zone_s: dict[int, float]
) -> list[TimedStretch]:
    """Stretches that do not overlap, each with its timers: the sessions, or the laps of what no session tells."""
    found: list[TimedStretch] = []
    for i, s in enumerate(sessions):
        a, b = session_ms(s.start), session_ms(s.end)
        own = [lap for lap in laps if lap.start_ms >= a - 1000 and lap.end_ms <= b + 2000]
        all_of_it = sum(lap.end_ms - lap.start_ms for lap in own) >= 0.98 * (b - a)
        timers = [s.timer_s] if s.timer_s is not None and _is_timer(s.timer_s, b - a) else []
        if all_of_it and own:
            timers.append(sum(lap.timer_s for lap in own))
        if _is_timer(zone_s.get(i, 0), b - a):
            timers.append(zone_s[i])
        if timers:
            found.append(TimedStretch(a, b, tuple(timers)))
    found.sort(key=lambda w: w.end_ms - w.start_ms)
    found += [TimedStretch(lap.start_ms, lap.end_ms, (lap.timer_s,)) for lap in laps]
    return _apart(w for w in found if w.end_ms > w.start_ms)


def _is_timer(timer_s: float, length_ms: int) -> bool:
    """Whether a timer may have run so long; some programs write 0, or what they like."""
    return 0 < timer_s <= length_ms / 1000 * 1.01 + NEAR_S


def _apart(windows: Iterable[TimedStretch]) -> list[TimedStretch]:
    """Those that share no time with one before them."""
    kept: list[TimedStretch] = []
    taken = Spans.none()
    for w in windows:
        # Both ends are cut-off seconds: neighbours may touch.
        if taken.clip(w.start_ms + 1000, w.end_ms - 1000).measure_ms == 0:
            mine = Spans.of([w.start_ms], [w.end_ms])
            kept.append(w)
            taken = taken | mine
    return kept


def _weigh(readings: dict[str, Spans], window: TimedStretch, presses: list[Press]) -> tuple[str, bool]:
    """The reading that is believed in a stretch, and whether its timers decided that."""
    off = {way: window.off_s(pauses) for way, pauses in readings.items()}
    near = max(NEAR_S, NEAR_PART * max(window.timers_s))
    best = TOLD
    for way in (MENDED, SILENT):
        if off[way] < off[best] - near:
            best = way
    return (best, True) if window.is_believable(off[best]) else (_by_samples(readings, presses), False)


def _by_samples(readings: dict[str, Spans], presses: list[Press]) -> str:
    """The reading that samples speak for: where they go on in pauses that were ended by a start, they tell nothing of the others."""
    starts = np.array([press.at_ms for press in presses if press.runs], np.int64)
    mended = readings[MENDED]
    ended = are_among(mended.end, starts)
    closed = Spans.of(mended.start[ended], mended.end[ended])
    return TOLD if 2 * (closed & readings[SILENT]).measure_ms < closed.measure_ms else MENDED


def _with_verdict(
    session: FitSession,
    told: Spans,
    found: Spans,
    believed: list[tuple[TimedStretch, str, bool]],
    last_ms: int,
) -> FitSession:
    """The session with what was told and believed of it; as it is where the timer never stood still before its last sample."""
    a, b = session_ms(session.start), session_ms(session.end)
    told_ms, ms = (spans.clip(a, min(b, last_ms)).measure_ms for spans in (told, found))
    if not told_ms and not ms:
        return session
    own = next(((way, timer) for w, way, timer in believed if a <= w.start_ms < b), (MENDED, False))
    way = own[0] if told_ms != ms else TOLD
    return replace(session, pauses=PauseVerdict(way, own[1], told_ms / 1000, ms / 1000))
