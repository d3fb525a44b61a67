"""The table `hour`: moderate and vigorous minutes by the hours of the clock where a person is."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from ingest.rows.calendar import Calendar
from ingest.rows.table import Block
from zones.minutes import MINUTE, Minutes

HOUR_MS, DAY_MS = 3_600_000, 86_400_000

Hours = tuple[NDArray[np.int64], tuple[int, ...]]
"""When each of some hours begins (ms), and which hour of its day it is."""


@lru_cache(maxsize=64)
def clock_hours(zone: str, start_ms: int, end_ms: int) -> Hours:
    """The hours by the clock of a time zone in [start, end), a day at most.

    One begins wherever the clock shows a full hour, and wherever it is changed: an hour that comes twice is two.
    """
    starts = []
    hours: list[int] = []
    at = start_ms
    while at < end_ms:
        change = _before_change(zone, at, end_ms)
        local_ms = at + _offset_ms(zone, at)
        full = np.arange(at + HOUR_MS - local_ms % HOUR_MS, change, HOUR_MS, dtype=np.int64)
        begins = np.concatenate([np.array([at], np.int64), full])
        starts.append(begins)
        hours += ((begins + (local_ms - at)) % DAY_MS // HOUR_MS).tolist()
        at = change
    return np.concatenate([np.empty(0, np.int64), *starts]), tuple(hours)


def _before_change(zone: str, start_ms: int, end_ms: int) -> int:
    """The end of a stretch, or the moment in it at which the clock is changed: on a whole second."""
    offset_ms = _offset_ms(zone, start_ms)
    if _offset_ms(zone, end_ms - 1) == offset_ms:
        return end_ms
    low, high = start_ms // 1000, -(-end_ms // 1000)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_ms(zone, middle * 1000) == offset_ms:
            low = middle
        else:
            high = middle
    return high * 1000


def _offset_ms(zone: str, at_ms: int) -> int:
    moment = datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(ZoneInfo(zone))
    return int((moment.utcoffset() or timedelta()) / timedelta(milliseconds=1))


def hour_block(
    minutes: Minutes,
    calendar: Calendar,
    first_day: date,
    midnights_ms: NDArray[np.int64],
    tags: dict[str, str],
    start_ms: int,
    end_ms: int,
) -> Block:
    """The rows of the hours that [start, end) has a part in; those without any movement that counts have none.

    `midnights_ms` are those around the days from `first_day` on, `minutes` all of the days that the span touches.
    """
    first = int(np.searchsorted(midnights_ms, start_ms, side="right")) - 1
    behind = int(np.searchsorted(midnights_ms, end_ms, side="left"))
    days = [first_day + timedelta(days=i) for i in range(first, behind)]
    parts = [
        clock_hours(calendar.zone_on(day), *midnights_ms[i : i + 2].tolist())
        for i, day in enumerate(days, first)
    ]
    starts = np.concatenate([*(begins for begins, _ in parts), midnights_ms[behind : behind + 1]])
    weekdays = np.repeat([day.isoweekday() for day in days], [len(hours) for _, hours in parts])
    hours = np.array([hour for _, part in parts for hour in part], np.int64)
    i = int(np.searchsorted(starts, start_ms, side="right")) - 1
    j = int(np.searchsorted(starts, end_ms, side="left"))
    m = minutes.between(int(starts[i]), int(starts[j]))
    row = np.searchsorted(starts[i:j], m.start_ms, side="right") - 1
    # Sums of whole numbers below 2^53 are exact in the floats that bincount adds with.
    active_ms = np.bincount(row, m.moderate_ms + m.vigorous_ms, j - i)
    some = active_ms > 0
    fields = {
        "active_min": active_ms[some] / MINUTE,
        "weekday": weekdays[i:j][some],
        "hour": hours[i:j][some],
    }
    return Block("hour", tags, int(starts[i]) * 1000, int(starts[j]) * 1000, starts[i:j][some] * 1000, fields)
