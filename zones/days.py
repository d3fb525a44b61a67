"""Local days and weeks: where they begin, which one a moment belongs to, and what they are called."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zones.moments import distinct, milliseconds, moment_ms

_DAY_MS = 86_400_000

_EPOCH = date(1970, 1, 1).toordinal()
_MARGIN_DAYS = 2  # how far a local day may lie from the day in UTC, with one to spare

Place = str | ZoneInfo | Sequence[tuple[date, str | ZoneInfo]]
"""A time zone, by name or itself; or for one who travels, ascending (from this day on, this zone)."""


def midnights(zone: Place, first: date, last: date) -> NDArray[np.int64]:
    """When each local day from `first` to `last`, both included, begins: int64 ms, UTC.

    A day begins at the first instant whose local date it is, also where the clock skips midnight or passes it
    twice, and lasts until the next begins: 23, 24 or 25 hours, none at all for a day an island skipped. The borders
    of days d..e are the midnights of d..e+1.

    Raises ValueError when the zones of a traveller do not ascend by day, zoneinfo.ZoneInfoNotFoundError for a name that
    is no time zone.
    """
    places = _places(zone)
    # Two days earlier than asked for: what a day skipped there takes away is the same whatever is asked for.
    asked, first = first, first - min(timedelta(days=2), first - date.min)
    begins = np.empty((last - first).days + 1, np.int64)
    now = 0
    for i in range(len(begins)):
        day = first + timedelta(days=i)
        while now + 1 < len(places) and places[now + 1][0] <= day:
            now += 1
        begins[i] = _midnight(places[now][1], day)
    # Who flies east over the date line skips a day: it lasts no time, never less.
    return np.maximum.accumulate(begins)[(asked - first).days :]


def day_of(moments: ArrayLike, zone: Place) -> NDArray[np.int64]:
    """The local day of each moment, as the ordinal of its date.

    A midnight costs microseconds, so it costs what the days with moments cost, however many years lie between them.
    """
    ms = milliseconds(moments)
    if not len(ms):
        return np.empty(0, np.int64)
    utc_days = distinct(ms // _DAY_MS)
    begins, days = [], []
    for stretch in np.split(utc_days, np.flatnonzero(np.diff(utc_days) > 2 * _MARGIN_DAYS) + 1):
        first, last = (date.fromordinal(_EPOCH + int(day)) for day in stretch[[0, -1]])
        first, last = first - timedelta(days=_MARGIN_DAYS), last + timedelta(days=_MARGIN_DAYS)
        begins.append(midnights(zone, first, last))
        days.append(np.arange(first.toordinal(), last.toordinal() + 1, dtype=np.int64))
    return np.concatenate(days)[np.searchsorted(np.concatenate(begins), ms, side="right") - 1]


def week_of(day: date, first_weekday: int = 0) -> tuple[date, str]:
    """The first day of a date's week, and its name, such as "2026-W47".

    `first_weekday` is 0 for Monday (ISO 8601) to 6 for Sunday. A week belongs to the year that holds its fourth
    day, the rule of ISO 8601 whatever the first day; with Sunday these are the weeks of epidemiologists (CDC, MMWR weeks).
    """
    start = day - timedelta(days=(day.weekday() - first_weekday) % 7)
    middle = start + timedelta(days=3)
    number = (middle - date(middle.year, 1, 1)).days // 7 + 1
    return start, f"{middle.year}-W{number:02d}"


def _places(zone: Place) -> list[tuple[date, ZoneInfo]]:
    """The zones of a person, each with the day it begins; the first one also governs what was before."""
    if isinstance(zone, str | ZoneInfo):
        return [(date.min, _zone(zone))]
    places = [(day, _zone(z)) for day, z in zone]
    if not places or any(a[0] >= b[0] for a, b in pairwise(places)):
        raise ValueError("the zones of a traveller ascend by day, and there is at least one")
    return places


def _zone(zone: str | ZoneInfo) -> ZoneInfo:
    return ZoneInfo(zone) if isinstance(zone, str) else zone


@lru_cache(maxsize=1024)
def _midnight(zone: ZoneInfo, day: date) -> int:
    """The first instant of one local day."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    begins = midnight.astimezone(UTC)
    if (begins - timedelta(seconds=1)).astimezone(zone).date() < day:
        return moment_ms(begins)
    # The clock jumped over midnight from before it: the day begins with the jump, near here, on a whole second.
    low, high = begins - timedelta(hours=26), begins + timedelta(hours=26)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        if middle.astimezone(zone).date() < day:
            low = middle
        else:
            high = middle
    return moment_ms(high)
