"""The whole of a FIT file, in our words."""

from dataclasses import replace

import numpy as np

from ingest.formats.fit.beats import derive_heart_rate, holds_intervals, read_beats
from ingest.formats.fit.contents import Contents, parse_contents
from ingest.formats.fit.description import describe
from ingest.formats.fit.device import read_device
from ingest.formats.fit.file import Beats, FitFile, FitSeries, FitSession, HeartRate
from ingest.formats.fit.heart_rate import HeartRateColumns, read_heart_rate
from ingest.formats.fit.lap_zones import with_laps
from ingest.formats.fit.length import judge_timers, mend_lengths
from ingest.formats.fit.limits import read_limits
from ingest.formats.fit.monitoring import read_claims, read_movement
from ingest.formats.fit.notes import notes_of
from ingest.formats.fit.pauses import believe_pauses, between_sessions
from ingest.formats.fit.time_in_zone import (
    check_zones,
    read_session_times,
    read_zone_times,
    usual_zones,
    with_told_zones,
)
from ingest.formats.fit.timer import Press, last_stop, read_presses
from ingest.formats.fit.unset_clock import find_undated
from ingest.formats.fit.workout import (
    read_laps,
    read_sessions,
    session_untold,
    summaries_without_time,
)
from ingest.language import N_
from zones.series import median_gap_ms

STAMP = np.timedelta64(2, "s")
"""A stop's stamp and a session's end that lie nearer than this are the same press: both clocks may have cut off a
second."""


def heart_rate(data: bytes) -> HeartRate:
    """The heart rate of a FIT file and nothing else; the fast way.

    Raises `Unusable`, and nothing else, for bytes that hold nothing to read.
    """
    contents = parse_contents(data)
    heart = read_heart_rate(contents)
    return HeartRate(heart.series, heart.dropped, heart.undated, tuple(contents.faults))


def read(data: bytes) -> FitFile:
    """Everything we want of a FIT file.

    Raises `Unusable`, and nothing else, for bytes that hold nothing to read. Damage that leaves something to read
    is told in `faults`.
    """
    contents = parse_contents(data)
    heart = read_heart_rate(contents)
    description = describe(contents)
    device = read_device(contents, description, remembered=heart.from_strap)
    sessions = read_sessions(contents, description)
    beats, derived, of_beats = _read_beats(contents, heart)
    presses, laps = heart.presses or read_presses(contents), read_laps(contents)
    if not sessions:
        found = [*heart.series, *filter(None, [derived])]
        sessions = session_untold(found, laps, contents, description, device)
    zone_times = read_zone_times(contents, sessions)
    told_times = zone_times or read_session_times(contents, sessions)
    sessions = mend_lengths(sessions, contents, laps, presses, heart.last_ms)
    told_times = with_laps(told_times, sessions, laps, contents)
    series = tuple(_end_with_session(s, sessions, presses) for s in heart.series)
    activity = next((s for s in series if s.kind == "activity"), None)
    samples = activity or derived
    times = np.empty(0, np.int64) if samples is None else samples.times.view(np.int64)
    zone_s = {z.index: sum(z.seconds) for z in told_times if z.index is not None}
    pauses, sessions = believe_pauses(presses, times, sessions, laps, zone_s, heart.last_ms)
    sessions = judge_timers(sessions, samples, pauses, presses)
    pauses = pauses | between_sessions(times, sessions)
    checks = check_zones(told_times, usual_zones(description), sessions, activity, pauses)
    file = FitFile(
        series=series,
        beats=beats,
        derived=derived,
        pauses=pauses,
        movement=read_movement(contents),
        sessions=with_told_zones(sessions, told_times, checks),
        device=device,
        limits=read_limits(contents, description, zone_times),
        claims=read_claims(contents),
        checks=checks,
        dropped=heart.dropped,
        unwritten=heart.unwritten,
        too_high=heart.too_high,
        faults=(*contents.faults, *description.faults),
    )
    # Nothing else of a file with heart rates is read only once its time is known.
    if not heart.series or heart.undated > heart.timeless:
        file = replace(file, undated=find_undated(contents, file, read))
    untimed = summaries_without_time(contents, description, sessions)
    return replace(file, notes=notes_of(contents, heart, file, told_times, of_beats, untimed))


def _read_beats(contents: Contents, heart: HeartRateColumns) -> tuple[Beats, FitSeries | None, list[str]]:
    """The beats of a file, the heart rate out of them where it holds no other, and what is worth saying of that."""
    beats = read_beats(contents)
    if heart.series or not holds_intervals(contents):
        return beats, None, []
    if not len(beats):
        words = N_(
            "holds R-R intervals and no heart rate, and tells no time: nobody can say when its beats were"
        )
        return beats, None, [] if heart.undated else [words]
    derived, left_out = derive_heart_rate(beats, heart.last_ms)
    if derived is None:
        words = (
            N_(
                "holds R-R intervals and no heart rate: its {n} beats are of one length for minutes, as those of no heart are"
            )
            if left_out
            else N_(
                "holds R-R intervals and no heart rate: of its {n} beats too few in a row are true to derive one"
            )
        )
        return beats, None, [words.format(n=len(beats))]
    words = N_("holds R-R intervals and no heart rate: {n} heart rates are derived from its true beats")
    said = [words.format(n=len(derived))]
    if left_out:
        words = N_("left out: {n} of beats that are of one length for minutes, as those of no heart are")
        said.append(words.format(n=left_out))
    return beats, derived, said


def _end_with_session(series: FitSeries, sessions: tuple[FitSession, ...], presses: list[Press]) -> FitSeries:
    """The same, its end to the millisecond where a session tells it: the press of stop is stamped in whole seconds.

    Where none was pressed, the last sample stands until then as others stand until the next one.
    """
    if series.kind != "activity" or series.end is None or not sessions:
        return series
    end = max(session.end for session in sessions)
    if end <= series.end:
        return series
    slack, times = STAMP, series.times.astype(np.int64)
    if end >= series.end + STAMP and last_stop(presses, int(times[-1])) is None:
        slack += np.timedelta64(median_gap_ms(times), "ms")
    return replace(series, end=end) if end < series.end + slack else series
