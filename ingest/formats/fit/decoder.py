"""The whole of a FIT file, in our words."""

from dataclasses import replace

import numpy as np

from ingest.formats.fit import timer
from ingest.formats.fit.beats import read_beats
from ingest.formats.fit.contents import parse_contents
from ingest.formats.fit.description import describe
from ingest.formats.fit.device import read_device
from ingest.formats.fit.file import Device, FitFile, FitSeries, FitSession, HeartRate
from ingest.formats.fit.heart_rate import HeartRateColumns, read_heart_rate
from ingest.formats.fit.limits import read_limits
from ingest.formats.fit.monitoring import read_claims, read_movement
from ingest.formats.fit.time_in_zone import check_zones, read_zone_times
from ingest.formats.fit.workout import read_sessions

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
    zone_times = read_zone_times(contents)
    pauses = timer.pauses(contents, heart.last_ms)
    series = tuple(_end_with_session(s, sessions) for s in heart.series)
    activity = next((s for s in series if s.kind == "activity"), None)
    return FitFile(
        series=series,
        beats=read_beats(contents),
        pauses=pauses,
        movement=read_movement(contents),
        sessions=sessions,
        device=device,
        limits=read_limits(contents, description, zone_times),
        claims=read_claims(contents),
        checks=check_zones(zone_times, sessions, activity, pauses),
        dropped=heart.dropped,
        faults=(*contents.faults, *description.faults),
        notes=tuple(_notes(heart, device, sessions=len(sessions))),
    )


def _end_with_session(series: FitSeries, sessions: tuple[FitSession, ...]) -> FitSeries:
    """The same, its end to the millisecond where a session tells it: the press of stop is stamped in whole seconds."""
    if series.kind != "activity" or series.end is None or not sessions:
        return series
    end = max(session.end for session in sessions)
    return replace(series, end=end) if series.end < end < series.end + STAMP else series


def _notes(heart: HeartRateColumns, device: Device, *, sessions: int) -> list[str]:
    """What is worth saying of a file that is not damaged."""
    notes = []
    if heart.undated:
        notes.append(
            "its clock was not set: times count from power-on, "
            f"{heart.undated} values have no date and could not be kept"
        )
    elif not heart.series:
        what = f"a file of type {device.file_type}" if device.file_type else "a file of unknown type"
        if heart.dropped:
            notes.append(f"holds no heart rate: all {heart.dropped} values say that there was no sensor")
        else:
            notes.append(f"holds no heart rate: {what}{' with a workout' if sessions else ''}")
    return notes
