"""`time_in_zone`: the watch's own seconds per heart rate zone, and ours beside them.

A bpm equal to a boundary belongs to the zone above it, a sample stands until the next one and only while the timer
runs. Where every second was recorded the two then differ by what the watch's zones and its own timer do; where not, the
watch counted seconds that it did not write. Source of the fields: FIT SDK, profile message `time_in_zone`.
"""

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

import numpy as np

from ingest.formats.fit.contents import Contents
from ingest.formats.fit.file import FitSeries, FitSession, ZoneCheck
from zones.pieces import hold, milliseconds_per_bpm
from zones.series import Series
from zones.spans import Spans

TIME_IN_ZONE, SESSION, HR_ZONE = 216, 18, 8
SESSION_TIMES, HIGH_BPM, OPEN_TOP = 65, 1, 254
REFERENCE, INDEX, TIMES, BOUNDARIES, MAXIMUM, RESTING, THRESHOLD = 0, 1, 2, 6, 11, 12, 13
LONGEST = timedelta(seconds=30)
"""Smart recording's gaps: median 4 s, 99 of 100 below 24 s."""


@dataclass(frozen=True, slots=True)
class ZoneTimes:
    """One `time_in_zone` message about a whole session."""

    index: int
    """Which session, counted from 0 in the order of the file."""
    edges: tuple[int, ...]
    seconds: tuple[float, ...]
    maximum_bpm: int | None
    resting_bpm: int | None
    threshold_bpm: int | None


def read_zone_times(contents: Contents) -> list[ZoneTimes]:
    """The seconds in heart rate zones of whole sessions, in the order of the file."""
    found: list[tuple[int, ZoneTimes]] = []
    for chained in contents.chained_files:
        for definition in chained.messages.definitions_of(TIME_IN_ZONE):
            about = definition.value(contents.data, REFERENCE, size=2)
            times = definition.table(contents.data, TIMES, 4)
            boundaries = definition.table(contents.data, BOUNDARIES, 1)
            if about is None or boundaries is None:
                continue
            columns = [definition.value(contents.data, n, size=1) for n in (MAXIMUM, RESTING, THRESHOLD)]
            order = definition.value(contents.data, INDEX, size=2)
            for row in np.flatnonzero(about == SESSION)[:1000].tolist():
                edges = tuple(int(b) for b in boundaries[row] if 0 < b < 255)
                seconds = (
                    () if times is None else tuple(float(t) / 1000 for t in times[row] if t != 0xFFFFFFFF)
                )
                bpm = [None if c is None or not 20 <= c[row] <= 250 else int(c[row]) for c in columns]
                which = 0 if order is None else int(order[row]) & 0xFFF
                found.append((int(definition.positions[row]), ZoneTimes(which, edges, seconds, *bpm)))
    return [zone_time for _, zone_time in sorted(found, key=lambda pair: pair[0])]


def read_session_times(contents: Contents) -> list[ZoneTimes]:
    """What sessions themselves say (field 65, time_in_hr_zone), with the zones that `hr_zone` (8) of the same chained file gives."""
    found: list[tuple[int, tuple[int, ...], tuple[float, ...]]] = []
    for chained in contents.chained_files:
        tops: set[int] = set()
        for definition in chained.messages.definitions_of(HR_ZONE):
            column = definition.value(contents.data, HIGH_BPM, size=1)
            if column is not None:
                tops.update(int(top) for top in column if 0 < top < OPEN_TOP)
        for definition in chained.messages.definitions_of(SESSION):
            times = definition.table(contents.data, SESSION_TIMES, 4)
            for row in range(min(len(definition), 1000)):
                seconds = (
                    () if times is None else tuple(float(t) / 1000 for t in times[row] if t != 0xFFFFFFFF)
                )
                found.append((int(definition.positions[row]), tuple(sorted(tops)), seconds))
    found.sort(key=lambda each: each[0])
    return [ZoneTimes(i, edges, seconds, None, None, None) for i, (_, edges, seconds) in enumerate(found)]


def check_zones(
    zone_times: list[ZoneTimes], sessions: tuple[FitSession, ...], activity: FitSeries | None, pauses: Spans
) -> tuple[ZoneCheck, ...]:
    """The watch's seconds beside ours, wherever a message says enough to count the same way."""
    checks: list[ZoneCheck] = []
    for zone_time in zone_times:
        edges, watch = zone_time.edges, zone_time.seconds
        # Two equal neighbours close a zone that holds nothing; with as many times as edges the last one closes the top.
        edges = edges[:-1] if len(watch) == len(edges) else edges
        ascending = all(a <= b for a, b in pairwise(edges))
        if activity is None or not edges or not ascending or len(watch) != len(edges) + 1 or sum(watch) <= 0:
            continue
        if zone_time.index >= len(sessions):
            continue
        session = sessions[zone_time.index]
        stop = session.end if activity.end is None else min(session.end, activity.end)
        samples = Series(activity.times, activity.bpm).between(session.start, stop)
        bpm_ms = milliseconds_per_bpm(hold(samples, LONGEST, pauses=pauses, ends=[stop]))
        zone = np.searchsorted(edges, np.arange(256, dtype=np.intp), side="right")
        ours = np.bincount(zone, bpm_ms, len(edges) + 1) / 1000
        checks.append(ZoneCheck(session.start, session.end, edges, watch, tuple(ours.tolist())))
    return tuple(checks)
