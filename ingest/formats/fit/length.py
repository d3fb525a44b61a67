"""How long a workout lasted, and what its file tells of that and cannot be.

A session tells its length (FIT SDK, profile: session (18) 7 total_elapsed_time) and how long its timer ran (8 total_timer_time). Some
programs write 0 or what they like, others the "moving time", which no press of the timer knows of. What they tell is held against the records
and the pauses that are believed:

    elapsed     the length reaches past everything that the file tells, or is nothing while records were written, or shorter than the timer
    zero        the timer did not run at all
    longer      the timer ran for longer than the workout was
    recorded    heart rate was recorded for longer than the timer ran, and nothing tells which seconds were paused
    paused      the timer ran in the pauses that are believed
"""

from dataclasses import replace

import numpy as np

from ingest.formats.fit import timer
from ingest.formats.fit.contents import Contents
from ingest.formats.fit.era import ERA_MS
from ingest.formats.fit.file import FitSeries, FitSession, LengthDoubt
from ingest.formats.fit.pauses import Lap, laps_of, session_ms
from ingest.formats.fit.time_in_zone import LONGEST
from ingest.formats.fit.timer import Press
from ingest.formats.recording import NEAR_S, can_be_timer, near_s
from zones.pieces import hold
from zones.series import Series
from zones.spans import Spans

ZERO, LONGER, RECORDED, PAUSED, ELAPSED = "zero", "longer", "recorded", "paused", "elapsed"

SAVED_MS = 60_000
"""So long after all that a file tells of a workout may have ended: what is stamped last is a second old, or some more."""


def mend_lengths(
    sessions: tuple[FitSession, ...],
    contents: Contents,
    laps: list[Lap],
    presses: list[Press],
    last_ms: int | None,
) -> tuple[FitSession, ...]:
    """The sessions, each with an end that can be, and with the timers of its laps where it tells none.

    `last_ms` is when the last record was written.
    """
    stops = [p.at_ms for p in presses if not p.runs and last_ms and 0 <= p.at_ms - last_ms <= SAVED_MS]
    recorded = max([last_ms or 0, *stops])
    mended = (
        _mend_length(s, contents, recorded, following)
        for s, following in zip(sessions, [*sessions[1:], None], strict=False)
    )
    return tuple(_with_lap_timers(s, laps) for s in mended)


def _with_lap_timers(session: FitSession, laps: list[Lap]) -> FitSession:
    own = laps_of(laps, session_ms(session.start), session_ms(session.end))
    if session.timer_s is not None or not own:
        return session
    return replace(session, timer_s=sum(lap.timer_s for lap in own))


def _mend_length(
    session: FitSession, contents: Contents, recorded: int, following: FitSession | None
) -> FitSession:
    a, b = session_ms(session.start), session_ms(session.end)
    if following is not None:
        recorded = min(recorded, session_ms(following.start))
    told_ms = None if session.timer_s is None else round(session.timer_s * 1000)
    if b > recorded + SAVED_MS:
        latest = _latest_ms(contents)
        can_be = latest <= a or b <= latest + SAVED_MS
        end = b if can_be else recorded if recorded > a else latest
    elif b == a and recorded > a + SAVED_MS:
        end = recorded
    elif told_ms and not can_be_timer(told_ms / 1000, b - a) and a + told_ms <= recorded + NEAR_S * 1000:
        end = a + told_ms
    else:
        return session
    if end == b:
        return session
    doubt = LengthDoubt(ELAPSED, (b - a) / 1000, (end - a) / 1000)
    return replace(session, end=np.datetime64(end, "ms"), doubts=(*session.doubts, doubt))


def _latest_ms(contents: Contents) -> int:
    """The latest moment that anything in the file is stamped with."""
    stamps = [chained.timestamps.full[1] for chained in contents.chained_files]
    return max((int(s.max()) * 1000 + ERA_MS for s in stamps if len(s)), default=0)


def judge_timers(
    sessions: tuple[FitSession, ...], samples: FitSeries | None, pauses: Spans, presses: list[Press]
) -> tuple[FitSession, ...]:
    """The sessions, their timers held against the samples and the pauses that are believed."""
    return tuple(_judge_timer(s, samples, pauses, presses) for s in sessions)


def _judge_timer(
    session: FitSession, samples: FitSeries | None, pauses: Spans, presses: list[Press]
) -> FitSession:
    a, b = session_ms(session.start), session_ms(session.end)
    outside_ms = ran_ms = b - a - pauses.clip(a, b).measure_ms
    if samples is not None:
        last = int(samples.times[-1].astype(np.int64))
        stopped = timer.last_stop(presses, last)
        if stopped is not None and last <= b:
            ran_ms -= max(0, b - max(stopped, last))
    told_s, length_s, ran_s = session.timer_s, (b - a) / 1000, ran_ms / 1000
    if told_s is None:
        return replace(session, ran_s=ran_s) if ran_ms < b - a else session
    counted_s = 0.0
    # Samples stand outside the pauses alone: to count them is dear, and most often not needed.
    if samples is not None and outside_ms / 1000 > told_s + near_s(told_s):
        counted_s = _counted_ms(samples, pauses, a, b) / 1000
    doubt = None
    if not can_be_timer(told_s, b - a):
        doubt = LengthDoubt(LONGER if told_s else ZERO, told_s, length_s)
    elif counted_s > told_s + near_s(told_s):
        doubt = LengthDoubt(RECORDED, told_s, counted_s)
    elif samples is not None and told_s > ran_s + near_s(ran_s) and ran_ms < b - a:
        doubt = LengthDoubt(PAUSED, told_s, ran_s)
    if doubt is None or b == a:
        return session
    return replace(session, timer_s=None, ran_s=ran_s, doubts=(*session.doubts, doubt))


def _counted_ms(samples: FitSeries, pauses: Spans, start_ms: int, end_ms: int) -> int:
    """For how long of a span its samples stand."""
    stop = (
        np.datetime64(end_ms, "ms") if samples.end is None else min(samples.end, np.datetime64(end_ms, "ms"))
    )
    inside = Series(samples.times, samples.bpm).between(np.datetime64(start_ms, "ms"), stop)
    held = hold(inside, LONGEST, pauses=pauses, ends=[stop])
    return int((held.end - held.start).sum())
