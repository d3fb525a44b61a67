"""The watch's own seconds per heart rate zone of workouts of which only the laps tell them.

Source: FIT SDK, profile: `time_in_zone` (216) whose reference_mesg is a lap, and lap (19), field 57 time_in_hr_zone (1/1000 s).
"""

from collections.abc import Sequence

from ingest.formats.fit.contents import ChainedFile, Contents
from ingest.formats.fit.file import FitSession
from ingest.formats.fit.pauses import Lap, laps_of, session_ms
from ingest.formats.fit.time_in_zone import ZoneTimes, zone_times_about, zone_tops
from ingest.formats.fit.workout import LAP, message_indices

LAP_TIMES, NONE = 57, 0xFFFFFFFF


def with_laps(
    told: list[ZoneTimes], sessions: Sequence[FitSession], laps: list[Lap], contents: Contents
) -> list[ZoneTimes]:
    """What is told of sessions, and behind it the sum of what laps tell of those that nothing is told of.

    Only where they make up the whole session and each tells of the same zones: the rest of a workout is nobody's to guess.
    """
    known = {z.index for z in told if sum(z.seconds) > 0}
    lacking = [i for i in range(len(sessions)) if i not in known]
    if not lacking or not laps or not (of_laps := _zones_of_laps(contents)):
        return told
    sums = list(told)
    for i in lacking:
        own = laps_of(laps, session_ms(sessions[i].start), session_ms(sessions[i].end))
        zones = [of_laps[lap.place] for lap in own if lap.place in of_laps]
        if own and len(zones) == len(own) and len({(z.limits, len(z.seconds)) for z in zones}) == 1:
            sums.append(_sum(i, zones))
    return sums


def _sum(session: int, zones: list[ZoneTimes]) -> ZoneTimes:
    """What laps of the same zones tell together."""
    first = zones[0]
    seconds = tuple(round(sum(column), 3) for column in zip(*(z.seconds for z in zones), strict=True))
    return ZoneTimes(session, first.edges, seconds, None, None, None, first.origin, first.limits)


def _zones_of_laps(contents: Contents) -> dict[tuple[int, int], ZoneTimes]:
    """What is told of each lap, by its index; `time_in_zone` goes before the lap itself."""
    found: dict[tuple[int, int], ZoneTimes] = {}
    for which, chained in enumerate(contents.chained_files):
        own = {i: z for _, i, z in zone_times_about(contents, chained, LAP)}
        found.update(((which, i), z) for i, z in (_own_times(contents, chained) | own).items())
    return found


def _own_times(contents: Contents, chained: ChainedFile) -> dict[int, ZoneTimes]:
    """What laps say themselves, with the zones that `hr_zone` gives."""
    found: dict[int, ZoneTimes] = {}
    if not any(definition.field(LAP_TIMES) for definition in chained.messages.definitions_of(LAP)):
        return found
    tops = zone_tops(contents, chained)
    for definition, indices in message_indices(contents, chained, LAP):
        table = definition.table(contents.data, LAP_TIMES, 4)
        if table is None:
            continue
        for index, row in zip(indices.tolist(), table.tolist(), strict=True):
            seconds = tuple(ms / 1000 for ms in row if ms != NONE)
            found[index] = ZoneTimes(None, tops, seconds, None, None, None, "hr_zone", tops)
    return found
