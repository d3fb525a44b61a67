"""Time zones by name: which there are, and the words where one is none."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from ingest.language import gettext as _
from ingest.log import quoted

NOBODYS = frozenset({"UTC", "UCT", "Universal", "Zulu", "Etc/UTC", "Etc/UCT", "Etc/Universal", "Etc/Zulu"})
"""What a computer goes by that nobody has set to a zone."""

YEARS = 10
"""Back from now: zones that showed the same time for so long are the same to a person."""

_OFFSET = re.compile(
    r"\s*((etc/)?(gmt|utc|ut|z|cet|wet|eet|est|cst|mst|pst))?\s*[+\-\u2212]?\s*\d.*", re.IGNORECASE
)


def is_zone(name: str) -> bool:
    """Whether it is the name of a time zone."""
    # The system's folder of zones also holds these: with leap seconds, or not the same everywhere.
    if name.startswith(("right/", "posix/")) or name in {"localtime", "posixrules", "Factory"}:
        return False
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def known_zone(name: str) -> str:
    """The name, when it is that of a time zone. Raises ValueError with the nearest one that there is."""
    if _BESIDE_UTC.fullmatch(name):
        raise ValueError(_beside_utc(name))
    if is_zone(name):
        return name
    raise ValueError(_no_zone(name))


_BESIDE_UTC = re.compile(r"(?:etc/)?gmt[+-](?:1?\d)", re.IGNORECASE)
"""Zones of whole hours; "Etc/GMT+1" is there in every system."""


def _beside_utc(name: str) -> str:
    """What such a name means, which is the other way round than anybody thinks (tzdata, file `etcetera`)."""
    hours = int(re.split(r"(?=[+-])", name)[-1])
    if not hours or not name.casefold().startswith("etc/"):
        return _no_zone(name)
    words = (
        _(
            "found {found}, which is {hours} h behind UTC, west of Greenwich, whatever its sign looks like, and has no summer"
            ' time; right would be the place, like "Europe/Amsterdam"'
        )
        if hours > 0
        else _(
            "found {found}, which is {hours} h ahead of UTC, east of Greenwich, whatever its sign looks like, and has no"
            ' summer time; right would be the place, like "Europe/Amsterdam"'
        )
    )
    return words.format(found=quoted(name), hours=abs(hours))


def _no_zone(name: str) -> str:
    """That a name is none of a time zone, and the nearest one that there is."""
    if _OFFSET.fullmatch(name):
        # The nearest would be "Etc/GMT+1", which lies to the west: the sign in such names is the other way round.
        return _(
            "found {found}, which is no time zone but hours beside UTC, without summer time; right would be the place,"
            ' like "Europe/Amsterdam"'
        ).format(found=quoted(name))
    from difflib import get_close_matches
    from zoneinfo import available_timezones

    known = {zone.casefold(): zone for zone in available_timezones() if not zone.startswith("Etc/")}
    cities = {key.rpartition("/")[2]: zone for key, zone in sorted(known.items())}
    near = known | cities
    key = name.strip().casefold().replace(" ", "_")
    places = [near[key]] if key in near else _places_of(key.upper())
    # An abbreviation is near to others that mean another time: "CEST" to "EST".
    if not places and not (name.strip().isupper() and len(key) <= _LONGEST_ABBREVIATION):
        places = [near[match] for match in get_close_matches(key, near, 1, 0.75)]
    if places:
        return _(
            'found {found}, which is no time zone; right would be one like "Europe/Amsterdam"; did you mean {near}?'
        ).format(found=quoted(name), near=_(" or ").join(map(quoted, places)))
    return _('found {found}, which is no time zone; right would be one like "Europe/Amsterdam"').format(
        found=quoted(name)
    )


_LONGEST_ABBREVIATION = 5

_PLACES = (
    "Europe/Amsterdam", "Europe/London", "Europe/Lisbon", "Europe/Dublin", "Europe/Athens", "Europe/Moscow",
    "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Anchorage",
    "America/Halifax", "America/St_Johns", "Pacific/Honolulu", "Asia/Kolkata", "Asia/Jerusalem", "Asia/Karachi",
    "Asia/Shanghai", "Asia/Tokyo", "Asia/Seoul", "Asia/Manila", "Asia/Jakarta", "Australia/Sydney",
    "Australia/Adelaide", "Australia/Perth", "Pacific/Auckland", "Africa/Johannesburg", "Africa/Nairobi",
    "Africa/Lagos",
)  # fmt: skip
"""Of each time that has an abbreviation a place that many live by; one abbreviation may be that of several times."""


def _places_of(abbreviation: str) -> list[str]:
    """The places whose clocks are called so in winter or in summer."""
    year = datetime.now(UTC).year
    return [
        place
        for place in _PLACES
        if is_zone(place)
        and abbreviation in {datetime(year, month, 15, tzinfo=ZoneInfo(place)).tzname() for month in (1, 7)}
    ]


def is_same_time(zone: str, other: str) -> bool:
    """Whether two zones have shown the same time for years: Amsterdam and Berlin differ in name alone."""
    return zone == other or offsets(ZoneInfo(zone)) == offsets(ZoneInfo(other))


@lru_cache(maxsize=8)
def offsets(zone: ZoneInfo) -> tuple[float, ...]:
    """By how many seconds a zone was ahead of UTC, each half of a month for some years and the one that comes."""
    year = datetime.now(UTC).year
    moments = (
        datetime(y, month, day, tzinfo=UTC)
        for y in range(year - YEARS, year + 2)
        for month in range(1, 13)
        for day in (1, 15)
    )
    found = (m.astimezone(zone).utcoffset() for m in moments)
    return tuple(offset.total_seconds() if offset else 0.0 for offset in found)
