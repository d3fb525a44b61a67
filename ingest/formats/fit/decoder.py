"""The whole of a FIT file, in our words."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ingest.formats.fit.beats import derive_heart_rate, holds_intervals, read_beats
from ingest.formats.fit.contents import Contents, parse_contents
from ingest.formats.fit.description import describe
from ingest.formats.fit.device import read_device
from ingest.formats.fit.file import Beats, Device, FitFile, FitSeries, FitSession, HeartRate, Undated
from ingest.formats.fit.heart_rate import HeartRateColumns, read_heart_rate
from ingest.formats.fit.length import judge_timers, mend_lengths
from ingest.formats.fit.limits import read_limits
from ingest.formats.fit.monitoring import read_claims, read_movement
from ingest.formats.fit.pauses import LATE, TIMED, believe_pauses
from ingest.formats.fit.time_in_zone import (
    ZoneTimes,
    check_zones,
    read_session_times,
    read_zone_times,
    usual_zones,
    with_told_zones,
)
from ingest.formats.fit.timer import end_of, read_presses, told_pauses
from ingest.formats.fit.workout import read_laps, read_sessions, session_of_samples, undated_summary
from ingest.language import N_
from zones.spans import Spans

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
    if not sessions:
        sessions = session_of_samples([*heart.series, *filter(None, [derived])], device, description)
    presses, laps = heart.presses or read_presses(contents), read_laps(contents)
    sessions = mend_lengths(sessions, contents, laps, presses, heart.last_ms)
    zone_times = read_zone_times(contents)
    told_times = zone_times or read_session_times(contents)
    series = tuple(_end_with_session(s, sessions) for s in heart.series)
    activity = next((s for s in series if s.kind == "activity"), None)
    samples = activity or derived
    times = np.empty(0, np.int64) if samples is None else samples.times.view(np.int64)
    zone_s = {z.index: sum(z.seconds) for z in told_times}
    pauses, sessions = believe_pauses(presses, times, sessions, laps, zone_s, heart.last_ms)
    sessions = judge_timers(sessions, samples, pauses, presses)
    undated = _undated(data, heart, undated_summary(contents, description))
    checks = check_zones(told_times, usual_zones(description), sessions, activity, pauses)
    notes = (
        *_notes(heart, device, sessions, told_times, of_beats, derived, undated),
        *_pause_notes(heart, sessions, pauses),
    )
    return FitFile(
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
        undated=undated,
        dropped=heart.dropped,
        unwritten=heart.unwritten,
        too_high=heart.too_high,
        faults=(*contents.faults, *description.faults),
        notes=(*contents.notes, *notes),
    )


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


def _undated(data: bytes, heart: HeartRateColumns, summary: tuple[int, int] | None) -> Undated | None:
    counted = heart.counted_s or summary
    if heart.series or counted is None:
        return None
    first, last = counted
    return Undated(heart.undated - heart.timeless, first, last, hashlib.sha256(data).hexdigest()[:8])


def _end_with_session(series: FitSeries, sessions: tuple[FitSession, ...]) -> FitSeries:
    """The same, its end to the millisecond where a session tells it: the press of stop is stamped in whole seconds."""
    if series.kind != "activity" or series.end is None or not sessions:
        return series
    end = max(session.end for session in sessions)
    return replace(series, end=end) if series.end < end < series.end + STAMP else series


def _notes(
    heart: HeartRateColumns,
    device: Device,
    sessions: tuple[FitSession, ...],
    zone_times: list[ZoneTimes],
    of_beats: list[str],
    derived: FitSeries | None,
    undated: Undated | None,
) -> Iterator[str]:
    """What is worth saying of a file that is not damaged."""
    yield from _clock_notes(heart)
    if heart.series:
        return
    yield from of_beats
    if derived is not None:
        return
    told = [s for s in sessions if s.bpm_mean is not None or s.bpm_max is not None]
    if told:
        each = "; ".join(_of_summary(s) for s in told[:3])
        yield N_("the heart rate is in its summary alone ({each}): the workout is kept with it").format(
            each=each
        )
    elif any(sum(z.seconds) > 0 and z.index < len(sessions) for z in zone_times):
        yield N_(
            "holds no heart rate second by second: the workout is kept with the seconds in zones that its watch tells"
        )
    elif undated is not None and not undated.samples:
        yield N_("its clock was not set, and the heart rate is in its summary alone: nobody knows its date")
        yield N_("the file is kept, and counts once it is said when it was: hartslag clock")
    elif not heart.undated and not of_beats:
        yield _without_note(heart, device, sessions)
    yield from (clause for s in sessions[:3] for clause in s.left_out)


def _clock_notes(heart: HeartRateColumns) -> Iterator[str]:
    """That of some heart rates nobody knows when they were."""
    if heart.timeless:
        words = N_(
            "{n} of its heart rates tell no time, so nobody can say when they were; they could not be kept"
        )
        yield words.format(n=heart.timeless)
    if heart.undated > heart.timeless:
        yield N_("its clock was not set: times count from power-on, {n} values have no date").format(
            n=heart.undated - heart.timeless
        )
        if not heart.series:
            yield N_("the file is kept, and counts once it is said when it was: hartslag clock")


def _without_note(heart: HeartRateColumns, device: Device, sessions: tuple[FitSession, ...]) -> str:
    """Why a file holds no heart rate at all."""
    if heart.too_high:
        return N_("holds no heart rate: none of its {n} values can be one").format(n=heart.dropped)
    if heart.dropped:
        return N_("holds no heart rate: all {n} values say that there was no sensor").format(n=heart.dropped)
    if device.file_type:
        words = (
            N_("holds no heart rate: a file of type {type} with a workout")
            if sessions
            else N_("holds no heart rate: a file of type {type}")
        )
        return words.format(type=device.file_type)
    return (
        N_("holds no heart rate: a file of unknown type with a workout")
        if sessions
        else N_("holds no heart rate: a file of unknown type")
    )


def _of_summary(session: FitSession) -> str:
    mean, highest = session.bpm_mean, session.bpm_max
    words = (
        N_("a maximum of {highest} bpm and no mean")
        if mean is None
        else N_("a mean of {mean} bpm and no maximum")
        if highest is None
        else N_("a mean of {mean} and a maximum of {highest} bpm")
    )
    return words.format(mean=mean, highest=highest)


def _pause_notes(heart: HeartRateColumns, sessions: tuple[FitSession, ...], pauses: Spans) -> list[str]:
    """What is worth saying of pauses that are not believed as the timer's presses tell them, though no timer tells where they were."""
    if any(s.pauses is not None and s.pauses.reading in {LATE, TIMED} for s in sessions):
        return []
    end = None if heart.last_ms is None else end_of(heart.presses, heart.last_ms)
    less_s = (told_pauses(heart.presses, end).measure_ms - pauses.measure_ms) / 1000
    if less_s < 1 or not heart.series:
        return []
    words = N_(
        "{seconds} s of the pauses that its timer tells are not believed, as heart rate was recorded in them"
    )
    return [words.format(seconds=f"{less_s:.0f}")]
