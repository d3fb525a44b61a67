"""`time_in_zone`: the watch's own seconds per heart rate zone, and ours beside them.

A bpm equal to a boundary belongs to the zone above it, a sample stands until the next one and only while the timer
runs. Where every second was recorded the two then differ by what the watch's zones and its own timer do; where not, the
watch counted seconds that it did not write. Source of the fields: FIT SDK, profile message `time_in_zone`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import pairwise
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from ingest.formats.fit.contents import ChainedFile, Contents
from ingest.formats.fit.definition import Definition
from ingest.formats.fit.description import USER_PROFILE, ZONES_TARGET, Description
from ingest.formats.fit.file import FitSeries, FitSession
from ingest.formats.fit.workout import indices_told, message_indices, session_indices
from ingest.formats.zone_check import ZoneCheck
from zones.edges import percent
from zones.pieces import hold, milliseconds_per_bpm
from zones.series import Series
from zones.spans import Spans

TIME_IN_ZONE, SESSION, HR_ZONE = 216, 18, 8
SESSION_TIMES, HIGH_BPM, OPEN_TOP = 65, 1, 254
REFERENCE, INDEX, TIMES, BOUNDARIES, MAXIMUM, RESTING, THRESHOLD = 0, 1, 2, 6, 11, 12, 13
OF_MAXIMUM, OF_RESERVE = 1, 2
TENTHS = 50, 60, 70, 80, 90
"""Per cent at which the zones of a device begin that nobody changed (Garmin's manuals, "Heart Rate Zone Calculations")."""
AGREES, CLEARLY = 0.05, 0.005
LONGEST = timedelta(seconds=30)
"""Smart recording's gaps: median 4 s, 99 of 100 below 24 s."""


@dataclass(frozen=True, slots=True)
class ZoneTimes:
    """One `time_in_zone` message about a whole session, or about a lap."""

    index: int | None
    """Which of the sessions, counted from 0 in order of their start; None where none of the file's is meant, or a lap."""
    edges: tuple[int, ...]
    seconds: tuple[float, ...]
    maximum_bpm: int | None
    resting_bpm: int | None
    threshold_bpm: int | None
    origin: str = "time_in_zone"
    """The message that gave the edges."""
    limits: tuple[int, ...] = ()
    """The edges as they stand there, also those that are none."""

    @property
    def closed_edges(self) -> tuple[int, ...]:
        """The edges between as many zones as there are seconds; empty where they are no such edges.

        Two equal neighbours close a zone that holds nothing; with as many times as edges the last one closes the top.
        """
        edges = self.edges[:-1] if len(self.seconds) == len(self.edges) else self.edges
        fits = len(self.seconds) == len(edges) + 1 and all(a <= b for a, b in pairwise(edges))
        return edges if fits else ()


def read_zone_times(contents: Contents, sessions: Sequence[FitSession]) -> list[ZoneTimes]:
    """The seconds in heart rate zones of whole sessions, in the order of the file."""
    told = [
        (which, index, zone_time)
        for which, chained in enumerate(contents.chained_files)
        for _, index, zone_time in sorted(zone_times_about(contents, chained, SESSION), key=itemgetter(0))
    ]
    return _of_sessions(contents, sessions, told)


def _of_sessions(
    contents: Contents, sessions: Sequence[FitSession], told: Sequence[tuple[int, int, ZoneTimes]]
) -> list[ZoneTimes]:
    """What is told of an index in a chained file, each of the session that is meant."""
    # To look for that is a tenth of all that a file costs, and few tell anything.
    meant = session_indices(contents, sessions) if told else {}
    return [replace(zone_time, index=meant.get((which, index))) for which, index, zone_time in told]


def zone_times_about(
    contents: Contents, chained: ChainedFile, reference: int
) -> Iterator[tuple[int, int, ZoneTimes]]:
    """The seconds in heart rate zones of messages of one kind in a chained file, each behind its position and the index of what it is about."""
    rows_about = _rows_about(contents, chained, reference)
    among = [definition.positions[rows] for definition, rows in rows_about]
    for definition, rows in rows_about:
        times = definition.table(contents.data, TIMES, 4)
        boundaries = definition.table(contents.data, BOUNDARIES, 1)
        if boundaries is None:
            continue
        columns = [definition.value(contents.data, n, size=1) for n in (MAXIMUM, RESTING, THRESHOLD)]
        told = definition.value(contents.data, INDEX, size=2)
        at = definition.positions[rows]
        indices = indices_told(None if told is None else told[rows], at, among)
        for row, position, index in zip(rows.tolist(), at.tolist(), indices.tolist(), strict=True):
            limits = tuple(int(b) for b in boundaries[row] if b < 255)
            edges = tuple(b for b in limits if b)
            seconds = () if times is None else tuple(float(t) / 1000 for t in times[row] if t != 0xFFFFFFFF)
            maximum, resting, threshold = (
                None if c is None or not 20 <= c[row] <= 250 else int(c[row]) for c in columns
            )
            yield (
                position,
                index,
                ZoneTimes(None, edges, seconds, maximum, resting, threshold, limits=limits),
            )


def _rows_about(
    contents: Contents, chained: ChainedFile, reference: int
) -> list[tuple[Definition, NDArray[np.intp]]]:
    """The definitions of which messages are about one kind, and which of their messages are."""
    abouts = [
        (definition, definition.value(contents.data, REFERENCE, size=2))
        for definition in chained.messages.definitions_of(TIME_IN_ZONE)
    ]
    return [(d, np.flatnonzero(about == reference)[:1000]) for d, about in abouts if about is not None]


def zone_tops(contents: Contents, chained: ChainedFile) -> tuple[int, ...]:
    """Where the zones end that `hr_zone` (8) of a chained file gives."""
    tops: set[int] = set()
    for definition in chained.messages.definitions_of(HR_ZONE):
        column = definition.value(contents.data, HIGH_BPM, size=1)
        if column is not None:
            tops.update(int(top) for top in column if 0 < top < OPEN_TOP)
    return tuple(sorted(tops))


def read_session_times(contents: Contents, sessions: Sequence[FitSession]) -> list[ZoneTimes]:
    """What sessions themselves say (field 65, time_in_hr_zone), with the zones that `hr_zone` (8) of the same chained file gives."""
    found: list[tuple[int, int, int, ZoneTimes]] = []
    for which, chained in enumerate(contents.chained_files):
        if not any(d.field(SESSION_TIMES) for d in chained.messages.definitions_of(SESSION)):
            continue
        tops = zone_tops(contents, chained)
        for definition, indices in message_indices(contents, chained, SESSION):
            times = definition.table(contents.data, SESSION_TIMES, 4)
            if times is None:
                continue
            rows = zip(definition.positions.tolist(), indices.tolist(), times[:1000].tolist(), strict=False)
            for position, index, row in rows:
                seconds = tuple(ms / 1000 for ms in row if ms != 0xFFFFFFFF)
                zone_time = ZoneTimes(None, tops, seconds, None, None, None, "hr_zone")
                found.append((position, which, index, zone_time))
    return _of_sessions(contents, sessions, [each[1:] for each in sorted(found, key=itemgetter(0))])


def usual_zones(description: Description) -> list[tuple[int, ...]]:
    """Where zones begin that nobody changed: tenths of the maximum in `zones_target`, or of the reserve above the resting heart rate.

    Its field 5, hr_calc_type, tells which (1 and 2); most writers leave it out. A maximum closes the highest.
    """
    resting = next((r for m in description.messages_of(USER_PROFILE) if (r := m.bpm(8))), None)
    found = []
    for message in description.messages_of(ZONES_TARGET):
        maximum, how = message.bpm(1), message.integer(5)
        if maximum is None:
            continue
        if how in (OF_MAXIMUM, None):
            found.append((*(percent(p, maximum) for p in TENTHS), maximum))
        if how in (OF_RESERVE, None) and resting is not None and resting < maximum:
            found.append((*(percent(p, maximum - resting, resting) for p in TENTHS), maximum))
    return found


def check_zones(
    zone_times: list[ZoneTimes],
    usual: list[tuple[int, ...]],
    sessions: tuple[FitSession, ...],
    activity: FitSeries | None,
    pauses: Spans,
) -> tuple[ZoneCheck, ...]:
    """The watch's seconds beside ours, wherever a message says enough to count the same way and its workout has samples.

    Where it tells no edges the usual ones are taken if seconds in several zones agree with them, as chance would not have it.
    """
    checks: list[ZoneCheck] = []
    for zone_time in zone_times:
        edges, watch = zone_time.closed_edges, zone_time.seconds
        if activity is None or sum(watch) <= 0 or zone_time.index is None:
            continue
        session = sessions[zone_time.index]
        stop = session.end if activity.end is None else min(session.end, activity.end)
        samples = Series(activity.times, activity.bpm).between(session.start, stop)
        if not len(samples):
            continue
        bpm_ms = milliseconds_per_bpm(hold(samples, LONGEST, pauses=pauses, ends=[stop]))
        judged = partial(_judge, session, watch, bpm_ms)
        if edges:
            check = judged(edges, zone_time.origin)
            if zone_time.origin == "hr_zone":
                # "High" may be the last bpm of a zone: some writers count it so, and the seconds tell.
                lower = judged(tuple(e + 1 for e in edges), zone_time.origin, "lower")
                check = lower if lower.deviation < check.deviation - CLEARLY else check
            checks.append(check)
        elif not zone_time.edges and sum(s > 0 for s in watch) > 1:
            guesses = [
                judged(g[: len(watch) - 1], "zones_target")
                for g in usual
                if len(watch) in (len(g), len(g) + 1)
            ]
            checks += [g for g in guesses if g.deviation <= AGREES][:1]
    return tuple(checks)


def _judge(
    session: FitSession,
    watch: tuple[float, ...],
    bpm_ms: NDArray[np.int64],
    edges: tuple[int, ...],
    origin: str,
    rule: str = "upper",
) -> ZoneCheck:
    zone = np.searchsorted(edges, np.arange(256, dtype=np.intp), side="right")
    ours = np.bincount(zone, bpm_ms, len(edges) + 1) / 1000
    return ZoneCheck(session.start, session.end, edges, watch, tuple(ours.tolist()), origin, rule)


def with_told_zones(
    sessions: tuple[FitSession, ...], zone_times: list[ZoneTimes], checks: tuple[ZoneCheck, ...]
) -> tuple[FitSession, ...]:
    """The sessions, each with the seconds in zones that its watch tells and that nothing of ours stands beside."""
    judged = {(c.start, c.end) for c in checks}
    told = list(sessions)
    for z in zone_times:
        if z.index is not None and sum(z.seconds) > 0:
            session = told[z.index]
            if (session.start, session.end) not in judged:
                edges = z.closed_edges
                told[z.index] = replace(
                    session,
                    zone_edges=edges,
                    zone_s=z.seconds,
                    zone_limits=() if edges else z.limits or z.edges,
                )
    return tuple(told)
