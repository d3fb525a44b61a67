"""What the watch believes of the heart of its wearer, from whichever message tells most nearly.

`time_in_zone` comes first: it holds what the watch counted this very workout with. Then what was set in the watch
(`zones_target`, `hr_zone`), then the person's profile; the resting heart rate that an all-day file measured goes
before one that was typed in. Source: FIT SDK, profile, fields of

    user_profile (3)          2 age, 8 resting_heart_rate, 11 default_max_heart_rate
    zones_target (7)          1 max_heart_rate, 2 threshold_heart_rate
    hr_zone (8)               1 high_bpm
    monitoring_hr_data (211)  0 resting_heart_rate (of seven days), 1 current_day_resting_heart_rate
"""

from ingest.formats.fit.contents import Contents
from ingest.formats.fit.description import HR_ZONE, USER_PROFILE, ZONES_TARGET, Description
from ingest.formats.fit.file import Limits
from ingest.formats.fit.time_in_zone import ZoneTimes

MONITORING_HR_DATA = 211
LOWEST_MAXIMUM = 90
OPEN_TOP = 254
"""`hr_zone` may close its last zone with a value that stands for "no end"."""

Stated = tuple[str, int]
"""The message, and the bpm it gives."""


def read_limits(contents: Contents, description: Description, zone_times: list[ZoneTimes]) -> Limits | None:
    """The limits the file gives; None where it gives none."""
    maximum = [("time_in_zone", t.maximum_bpm) for t in zone_times]
    threshold = [("time_in_zone", t.threshold_bpm) for t in zone_times]
    resting = _measured_resting(contents) + [("time_in_zone", t.resting_bpm) for t in zone_times]
    edges = [("time_in_zone", t.edges) for t in zone_times]
    for message in description.messages_of(ZONES_TARGET):
        maximum.append(("zones_target", message.bpm(1)))
        threshold.append(("zones_target", message.bpm(2)))
    edges.append(("hr_zone", _zone_edges(description)))
    ages = [message.integer(2) for message in description.messages_of(USER_PROFILE)]
    for message in description.messages_of(USER_PROFILE):
        maximum.append(("user_profile", message.bpm(11)))
        resting.append(("user_profile", message.bpm(8)))
    best = _first_given([(m, v) for m, v in maximum if v and v >= LOWEST_MAXIMUM])
    at_rest, at_threshold = _first_given(resting), _first_given(threshold)
    zones = next(((message, e) for message, e in edges if e), None)
    given = [message for message, _ in filter(None, (best, at_threshold, at_rest, zones))]
    if not given:
        return None
    return Limits(
        maximum_bpm=best and best[1],
        resting_bpm=at_rest and at_rest[1],
        threshold_bpm=at_threshold and at_threshold[1],
        origin=", ".join(dict.fromkeys(given)),
        edges=zones[1] if zones else (),
        by_age=best is not None and any(_is_of_age(best[1], age) for age in ages),
    )


def _is_of_age(maximum: int, age: int | None) -> bool:
    """Whether the watch came to its maximum by itself, for the age that was typed in or before the last birthday."""
    return age is not None and maximum + age in {220, 221}


def _first_given(values: list[tuple[str, int | None]]) -> Stated | None:
    return next(((message, value) for message, value in values if value), None)


def _measured_resting(contents: Contents) -> list[tuple[str, int | None]]:
    """The seven-day average, and before it settles the day's own value, the last that the file gives."""
    values: list[tuple[str, int | None]] = []
    for number in (0, 1):
        for chained in reversed(contents.chained_files):
            for definition in reversed(chained.messages.definitions_of(MONITORING_HR_DATA)):
                column = definition.value(contents.data, number, size=1)
                if column is not None:
                    plausible = column[(column >= 20) & (column <= 120)]
                    values.extend(("monitoring_hr_data", int(v)) for v in plausible[-1:])
    return values


def _zone_edges(description: Description) -> tuple[int, ...]:
    """Where the watch's zones begin: each one's upper end is the next one's edge."""
    tops = sorted({top for message in description.messages_of(HR_ZONE) if (top := message.bpm(1))})
    return tuple(top for top in tops if top < OPEN_TOP)
