"""Which pauses of a workout are believed.

A pause that is told wrongly takes away minutes that somebody moved. Home trainers write stops and never a start (cagnulein/qdomyos-zwift
#1279), and one start that is missing would silence all that follows. So readings of the presses are held against how long the
watch's own timers say that they ran (FIT SDK, profile: session (18) 8 total_timer_time, lap (19) 7 total_elapsed_time and
8 total_timer_time), workout by workout:

    told        from each stop to the next start
    mended      the same, where of two presses of one kind in a row the one between them is put to where samples go on, or ended
    silent      what is told, where no samples were recorded: elsewhere no pause at all
    late        what is told, each from the second after its stop: the second of a stop still ran (COROS watches)
    unpressed   what is mended, and where nothing was recorded though no stop tells of it
    timed       what is mended, and the one press that is missing while samples went on is put to where the timers have it

The first is believed unless another one comes nearer to the timers, or to the seconds that the watch counted in its zones. Where there is
no timer to ask, or none that any reading comes near to, samples decide: a stop with a start behind it is a pause; a stop without one ends
where heart rate was recorded again, unless the watch records during its pauses, too.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.formats.fit.file import FitSession, PauseVerdict
from ingest.formats.fit.timer import Press, end_of, last_stop, told_pauses
from ingest.formats.recording import NEAR_S, can_be_timer, near_s
from zones.moments import are_among
from zones.spans import Spans

TOLD, MENDED, SILENT, LATE, UNPRESSED, TIMED = "told", "mended", "silent", "late", "unpressed", "timed"

STAMP_MS = 1000
"""Presses are stamped in whole seconds."""
LATE_PART = 0.5
"""By so much of a second for each pause the timer must be nearer where the seconds of stops ran: those of other watches are off by half a
second to either side, and several make up for each other."""
FAR_PART = 0.1
"""A timer from which every reading is farther than this part of the time counted something else, and is no evidence."""

SHORTEST_SILENCE_MS, LONGEST_SILENCE_MS = 3000, 30_000
"""Between samples it is silent after three times their usual distance, but not sooner or later than this."""

WRITES_ON_MS = 60_000
"""Watches write on for a moment after the last stop; samples for longer than this tell that the timer was started again."""

Moments = NDArray[np.int64]


class Lap(NamedTuple):
    """One lap: its span (ms), for how long its timer ran (s), and its place: which chained file, which lap of it."""

    start_ms: int
    end_ms: int
    timer_s: float
    place: tuple[int, int]


@dataclass(frozen=True, slots=True)
class TimedStretch:
    """A stretch of time, and for how long timers say that they ran in it (s): any of them may be right."""

    start_ms: int
    end_ms: int
    timers_s: tuple[float, ...]
    parts: tuple["TimedStretch", ...] = ()
    """The laps that make it up."""

    def ran_s(self, pauses: Spans) -> float:
        """How much of it lies outside the pauses."""
        return (self.end_ms - self.start_ms - pauses.clip(self.start_ms, self.end_ms).measure_ms) / 1000

    def off_s(self, pauses: Spans) -> float:
        """How far that is from the nearest timer."""
        ran_s = self.ran_s(pauses)
        return min([abs(ran_s - timer_s) for timer_s in self.timers_s])

    @property
    def near_s(self) -> float:
        """By so much another reading must be nearer to the timers than one before it."""
        return near_s(max(self.timers_s))

    def is_believable(self, off_s: float) -> bool:
        """Whether a reading that is so far off may be what the timers counted."""
        return off_s * 1000 <= max(NEAR_S * 1000, FAR_PART * (self.end_ms - self.start_ms))


class Weighed(NamedTuple):
    """What is believed of a stretch: which reading, its pauses, and whether a timer agrees."""

    stretch: TimedStretch
    way: str
    pauses: Spans
    by_timer: bool


def believe_pauses(
    presses: list[Press],
    times: Moments,
    sessions: tuple[FitSession, ...],
    laps: list[Lap],
    zone_s: dict[int, float],
    last_ms: int | None,
) -> tuple[Spans, tuple[FitSession, ...]]:
    """The pauses that are believed, and the sessions with how that was decided.

    `times` are those of the workout's samples (int64 ms, ascending); pauses end with them, with the record at `last_ms`, or
    with the last stop behind both.
    `zone_s` are the seconds that the watch counted in its zones, by the index of the session.
    """
    last = max([last_ms or 0, *times[-1:].tolist()])
    until = max([last, *(lap.end_ms for lap in laps), *(session_ms(s.end) for s in sessions)])
    # A stop that is stamped long after the workout must not silence what was recorded since; nor must the last one of a workout
    # what a strap remembers of the time behind it.
    end = min(end_of(presses, last), until)
    stop = last_stop(presses, last)
    if stop is not None and stop < last and until < end + 2 * STAMP_MS:
        # Of a watch that records in its pauses the last sample stands until the workout's end, which was in one.
        end = until
    told = told_pauses(presses, min(end_of(presses, last_ms), until) if last_ms else None)
    windows = _windows(sessions, laps, zone_s)
    pressed = len(told) or len(presses) > 2
    if not len(times) or not (pressed or any(w.off_s(told) > w.near_s for w in windows)):
        return told, sessions
    readings = _readings(presses, times, until)
    if windows:
        believed = [_weigh(readings, w, presses, times) for w in windows]
        outside = told - Spans.pairs((w.start_ms, w.end_ms) for w in windows)
        found = Spans.union([outside, *(w.pauses for w in believed)])
    else:
        believed, found = [], readings[_by_samples(readings, presses)]
    if len(found):
        found = found.clip(min(int(found.start[0]), end), end)
    return found, tuple(_with_verdict(s, readings[TOLD], found, believed, end) for s in sessions)


def between_sessions(times: Moments, sessions: tuple[FitSession, ...]) -> Spans:
    """From the end of a workout to the beginning of the next one of the file, where nothing was recorded any more.

    Two workouts in one file need no press of stop between them: the last sample of the first one stands until its end.
    """
    if len(sessions) < 2:
        return Spans.none()
    spans = []
    stands_ms = _step_ms(times)
    ends = np.maximum.accumulate([session_ms(s.end) for s in sessions])
    for end, session in zip(ends.tolist(), sessions[1:], strict=False):
        begin = session_ms(session.start)
        before = times[: np.searchsorted(times, begin)][-1:].tolist()
        silent_from = max([end, *(at + stands_ms for at in before)])
        if begin > silent_from:
            spans.append((silent_from, begin))
    return Spans.pairs(spans)


def session_ms(moment: np.datetime64) -> int:
    """A moment of a session as milliseconds since 1970."""
    return int(moment.astype("datetime64[ms]").astype(np.int64))


# --- the readings ---


def _readings(presses: list[Press], times: Moments, until_ms: int) -> dict[str, Spans]:
    told = told_pauses(presses, until_ms)
    usual = _usual_ms(times)
    mended = mended_pauses(presses, times, usual, until_ms)
    quiet = np.flatnonzero(np.diff(times) > usual)
    silent_from = times[quiet] + min(_step_ms(times), usual)
    return {
        TOLD: told,
        MENDED: mended,
        SILENT: silent_pauses(told, times, usual),
        LATE: Spans.of(np.minimum(told.start + STAMP_MS, told.end), told.end),
        UNPRESSED: mended | Spans.of(silent_from, times[quiet + 1]),
    }


def _usual_ms(times: Moments) -> int:
    """After how long without a sample it is silent."""
    return min(max(3 * _step_ms(times), SHORTEST_SILENCE_MS), LONGEST_SILENCE_MS)


def _step_ms(times: Moments) -> int:
    """How far apart samples are, and so for how long the one before a silence was meant to stand."""
    if len(times) < 2:
        return 0
    # As `np.median`, and ten times as fast where most steps are alike.
    steps = np.sort(times[1:] - times[:-1])
    return int(steps[(len(steps) - 1) // 2] + steps[len(steps) // 2]) // 2


def mended_pauses(presses: list[Press], times: Moments, usual_ms: int, until_ms: int) -> Spans:
    """The pauses, where between two presses of one kind the missing one is put beside the samples.

    A start that is missing was where samples went on, a stop where the last sample before the next start no longer stood. A start after the last sample
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
                spans.append((int(times[i]) + min(_step_ms(times), usual_ms), at))
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
        own = laps_of(laps, a, b)
        timers = [s.timer_s] if s.timer_s is not None and can_be_timer(s.timer_s, b - a) else []
        parts: tuple[TimedStretch, ...] = ()
        if own:
            timers.append(sum(lap.timer_s for lap in own))
            parts = tuple(TimedStretch(lap.start_ms, lap.end_ms, (lap.timer_s,)) for lap in own)
        if can_be_timer(zone_s.get(i, 0), b - a):
            timers.append(zone_s[i])
        if timers:
            found.append(TimedStretch(a, b, tuple(timers), parts))
    found.sort(key=lambda w: w.end_ms - w.start_ms)
    found += [TimedStretch(lap.start_ms, lap.end_ms, (lap.timer_s,)) for lap in laps]
    return _apart(w for w in found if w.end_ms > w.start_ms)


def laps_of(laps: list[Lap], start_ms: int, end_ms: int) -> list[Lap]:
    """The laps that make up a span; none where they leave some of it out."""
    own = [lap for lap in laps if lap.start_ms >= start_ms - 1000 and lap.end_ms <= end_ms + 2000]
    return own if sum(lap.end_ms - lap.start_ms for lap in own) >= 0.98 * (end_ms - start_ms) else []


def _apart(windows: Iterable[TimedStretch]) -> list[TimedStretch]:
    """Those that share no time with one before them."""
    kept: list[TimedStretch] = []
    for w in windows:
        # Both ends are cut-off seconds: neighbours may touch.
        a, b = w.start_ms + 1000, w.end_ms - 1000
        if a >= b or not any(other.start_ms < b and other.end_ms > a for other in kept):
            kept.append(w)
    return kept


def _weigh(readings: dict[str, Spans], window: TimedStretch, presses: list[Press], times: Moments) -> Weighed:
    """What is believed in a stretch, and whether its timers decided that."""
    off = {way: window.off_s(pauses) for way, pauses in readings.items()}
    best = TOLD
    many = len(readings[TOLD].clip(window.start_ms, window.end_ms))
    for way in (MENDED, SILENT, UNPRESSED, LATE):
        near = window.near_s if way != LATE else max(NEAR_S, LATE_PART * many)
        if off[way] < off[best] - near:
            best = way
    if off[best] > window.near_s:
        timed = _time_press(readings[MENDED], window, presses, times)
        if timed is not None:
            return Weighed(window, TIMED, timed, by_timer=True)
        found = _weigh_laps(readings, window, presses, times)
        if found is not None:
            return found
    by_timer = window.is_believable(off[best])
    way = best if by_timer else _by_samples(readings, presses)
    pauses = readings[way].clip(window.start_ms, window.end_ms)
    return Weighed(window, way, pauses, off[way] <= window.near_s)


def _time_press(mended: Spans, window: TimedStretch, presses: list[Press], times: Moments) -> Spans | None:
    """The pauses, if one press alone is missing where samples went on, and the timers tell where it was.

    Of two such presses nobody knows how the time was shared out between them.
    """
    a, b = window.start_ms, window.end_ms
    alone = [
        (stops, x, y)
        for stops, x, y in _lone_presses(presses, a, b, int(times[-1]))
        if not mended.clip(x, y).measure_ms
    ]
    if len(alone) != 1:
        return None
    (stops, x, y), inside = alone[0], mended.clip(a, b)
    for timer_s in window.timers_s:
        missing = round((window.ran_s(inside) - timer_s) * 1000)
        if 0 < missing < y - x:
            return inside | (Spans.of([x], [x + missing]) if stops else Spans.of([y - missing], [y]))
    return None


def _lone_presses(
    presses: list[Press], from_ms: int, to_ms: int, last_ms: int
) -> Iterator[tuple[bool, int, int]]:
    """The stops without a start behind them and the starts without a stop before, and between which moments the other one must lie.

    Before its first start a timer that only ever stops tells nothing of when it ran.
    """
    started = False
    for before, press, after in zip([None, *presses], presses, [*presses[1:], None], strict=False):
        if started and before is not None and from_ms <= press.at_ms <= to_ms:
            goes_on = last_ms - press.at_ms > WRITES_ON_MS if after is None else not after.runs
            if not press.runs and goes_on:
                yield True, press.at_ms, min(to_ms if after is None else after.at_ms, last_ms)
            elif press.runs and before.runs:
                yield False, max(before.at_ms, from_ms), press.at_ms
        started = started or press.runs


def _weigh_laps(
    readings: dict[str, Spans], window: TimedStretch, presses: list[Press], times: Moments
) -> Weighed | None:
    """The same lap by lap, if in each of them its own timer agrees with what is believed."""
    if len(window.parts) < 2:
        return None
    each = [_weigh(readings, part, presses, times) for part in window.parts]
    if not all(w.by_timer for w in each):
        return None
    way = next((w.way for w in each if w.way != TOLD), TOLD)
    return Weighed(window, way, Spans.union(w.pauses for w in each), by_timer=True)


def _by_samples(readings: dict[str, Spans], presses: list[Press]) -> str:
    """The reading that samples speak for: where they go on in pauses that were ended by a start, they tell nothing of the others."""
    starts = np.array([press.at_ms for press in presses if press.runs], np.int64)
    mended = readings[MENDED]
    ended = are_among(mended.end, starts)
    closed = Spans.of(mended.start[ended], mended.end[ended])
    return TOLD if 2 * (closed & readings[SILENT]).measure_ms < closed.measure_ms else MENDED


def _with_verdict(
    session: FitSession, told: Spans, found: Spans, believed: list[Weighed], end_ms: int
) -> FitSession:
    """The session with what was told and believed of it; as it is where the timer never stood still before the recording ended."""
    a, b = session_ms(session.start), session_ms(session.end)
    told_ms, ms = (spans.clip(a, min(b, end_ms)).measure_ms for spans in (told, found))
    if not told_ms and not ms:
        return session
    own = next((w for w in believed if a <= w.stretch.start_ms < b), None)
    way = TOLD if told_ms == ms else MENDED if own is None else own.way
    stood_s = None
    if own is not None and not own.by_timer:
        stood_s = (own.stretch.end_ms - own.stretch.start_ms) / 1000 - own.stretch.timers_s[0]
    by_timer = own is not None and own.by_timer
    return replace(session, pauses=PauseVerdict(way, by_timer, told_ms / 1000, ms / 1000, stood_s))
