"""Moments and lengths of time as people read and write them; moments are milliseconds since 1970, UTC."""

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ingest.language import N_, date_text, number_text
from ingest.language import gettext as _

if TYPE_CHECKING:
    from ingest.rows.calendar import Calendar

_MINUTE_MS, _DAY_MS = 60_000, 86_400_000

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

YEARS = range(1971, 2201)
"""What can be asked for: no heart rate is from before or after, and every clock can tell its midnights."""


def utc_text(ms: int, timespec: str = "auto") -> str:
    """A moment in UTC by ISO 8601, such as 2026-11-16T09:00:00Z."""
    return (EPOCH + timedelta(milliseconds=ms)).isoformat(timespec=timespec).replace("+00:00", "Z")


def zoned_text(ms: int, zone: str) -> str:
    """A moment on the clock of a time zone by ISO 8601, such as 2026-11-16T10:00:00+01:00."""
    return _in_zone(ms, zone).isoformat(timespec="seconds")


def zone_at(calendar: "Calendar", ms: int) -> str:
    """The name of the time zone in which a person was at a moment."""
    return calendar.zone_on(calendar.day_of(ms))


def day_and_time(ms: int, zone: str | None = None) -> str:
    """A moment such as 2026-11-16 10:00, on the clock of a time zone or of this machine."""
    return f"{_in_zone(ms, zone):%Y-%m-%d %H:%M}"


def time_of_day(ms: int, zone: str) -> str:
    """A moment such as 10:00."""
    return f"{_in_zone(ms, zone):%H:%M}"


def time_to_the_ms(ms: int, zone: str) -> str:
    """A moment such as 10:00:05, or 10:00:05.250 between two seconds."""
    moment = _in_zone(ms, zone)
    return f"{moment:%H:%M:%S}" + (f".{moment.microsecond // 1000:03d}" if moment.microsecond else "")


def weekday_and_date(ms: int, zone: str) -> str:
    """A day such as Mon 2026-11-16."""
    day = _in_zone(ms, zone)
    return f"{date_text(day, 'EEE')} {day:%Y-%m-%d}"


def _in_zone(ms: int, zone: str | None) -> datetime:
    return (EPOCH + timedelta(milliseconds=ms)).astimezone(None if zone is None else ZoneInfo(zone))


def end_time(start_ms: int, end_ms: int, zone: str) -> str:
    """The moment at which something ended, with its day where that is no longer plain from the moment it began."""
    clock = time_of_day(end_ms, zone)
    return clock if end_ms - start_ms < _DAY_MS else f"{date_text(_in_zone(end_ms, zone))} {clock}"


def length_text(ms: float) -> str:
    """A length of time such as 1 h 5 min 2 s, or 2.5 s; in whole seconds from a minute on, and from a second on in tenths."""
    step = 1000 if ms >= _MINUTE_MS else 100 if ms >= 1000 else 1
    minutes, rest = divmod(round(ms / step) * step, _MINUTE_MS)
    parts = [_("{n} h").format(n=minutes // 60)] if minutes >= 60 else []
    parts += [_("{n} min").format(n=minutes % 60)] if minutes else []
    parts += [_("{n} s").format(n=plain_number(rest / 1000))] if rest or not minutes else []
    return " ".join(parts)


def plain_number(number: float) -> str:
    """A number with as many decimals as it has: `2.5`, `40`."""
    written = f"{number:g}"
    return number_text(number, len(written.partition(".")[2])) if "e" not in written else written


def age_text(seconds: float) -> str:
    """How long ago something was, `40 s`, `5 min`, `3 h`, `2 days`."""
    for unit, text in ((86400, N_("{n} days")), (3600, N_("{n} h")), (60, N_("{n} min"))):
        if seconds >= 2 * unit:
            return _(text).format(n=number_text(seconds / unit))
    return _("{n} s").format(n=number_text(seconds))


def parse_moment(text: str) -> date | datetime:
    """A date or a time as a person writes it. Raises ValueError when it is neither."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return datetime.fromisoformat(text)


def local_ms(moment: date | datetime, calendar: "Calendar") -> int:
    """The milliseconds of a person's midnight or of a time, on the clock of where the person was unless it says otherwise.

    Raises ValueError or OverflowError for what no clock can show.
    """
    if not isinstance(moment, datetime):
        if moment.year in YEARS:
            from zones.days import midnights

            return int(midnights(calendar.zone, moment, moment)[0])
        moment = datetime.combine(moment, time())
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(calendar.zone_on(moment.date())))
    return round(moment.timestamp() * 1000)
