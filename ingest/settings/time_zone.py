"""Time zones by name: which there are, and the one of this machine."""

import contextlib
import warnings
from zoneinfo import ZoneInfo

from ingest.language import gettext as _
from ingest.log import quoted


def known_zone(name: str) -> str:
    """The name, when it is that of a time zone. Raises ValueError with the nearest one that there is."""
    # The system's folder of zones also holds these: with leap seconds, or not the same everywhere.
    odd = name.startswith(("right/", "posix/")) or name in {"localtime", "posixrules", "Factory"}
    try:
        if not odd:
            ZoneInfo(name)
            return name
    except (KeyError, ValueError, OSError):
        pass
    raise ValueError(_no_zone(name))


def _no_zone(name: str) -> str:
    """That a name is none of a time zone, and the nearest one that there is."""
    from difflib import get_close_matches
    from zoneinfo import available_timezones

    known = {zone.casefold(): zone for zone in available_timezones()}
    cities = {key.rpartition("/")[2]: zone for key, zone in sorted(known.items())}
    near = known | cities
    key = name.strip().casefold().replace(" ", "_")
    if match := get_close_matches(key, near, 1, 0.75):
        return _(
            'found {found}, which is no time zone; right would be one like "Europe/Amsterdam"; did you mean {near}?'
        ).format(found=quoted(name), near=quoted(near[match[0]]))
    return _('found {found}, which is no time zone; right would be one like "Europe/Amsterdam"').format(
        found=quoted(name)
    )


def machine_zone() -> str:
    """The name of the time zone this machine is set to, "UTC" when that cannot be known."""
    from tzlocal import get_localzone_name

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where nothing is set; UTC is our answer to that
        with contextlib.suppress(KeyError, ValueError, OSError):
            return known_zone(get_localzone_name() or "UTC")
    return "UTC"
