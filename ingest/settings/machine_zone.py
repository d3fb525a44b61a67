"""The time zone that this machine is set to, by name, and how persons whose zone nobody names follow it.

Source: localtime(5), environ(7) for TZ, tzfile(5). A plain copy in the place of the link `/etc/localtime` has no name, but
the content of one.
"""

import os
import zoneinfo
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from ingest.settings.time_zone import NOBODYS, is_same_time, is_zone, offsets

_ETC = Path("/etc")
_MOST_LINKS = 9
_LARGEST_BYTES = 1 << 20


def machine_zone(etc: Path = _ETC, environ: Mapping[str, str] = os.environ) -> str:
    """The name of the time zone this machine is set to, "UTC" when that cannot be known."""
    return shell_zone(environ) or _system_zone(etc, _mark(etc))


def shell_zone(environ: Mapping[str, str] = os.environ) -> str:
    """The time zone that whoever started this process set for it alone; "" if none."""
    told = environ.get("TZ", "").removeprefix(":")
    name = told.rpartition("/zoneinfo/")[2]
    return name if name and not name.startswith("/") and is_zone(name) else ""


def _mark(etc: Path) -> tuple[object, ...]:
    """What changes when somebody sets another zone."""
    found: list[object] = []
    for name in ("localtime", "timezone"):
        with suppress(OSError):
            status = (etc / name).lstat()
            found += [name, status.st_ino, status.st_mtime_ns, status.st_size]
    return tuple(found)


@lru_cache(maxsize=4)
def _system_zone(etc: Path, _marked: tuple[object, ...]) -> str:
    written = _written(etc / "timezone")
    try:
        content = (etc / "localtime").read_bytes()[:_LARGEST_BYTES]
    except OSError:
        return written or "UTC"
    return _linked(etc / "localtime") or _alike(content, written) or written or "UTC"


def _linked(path: Path) -> str:
    """The zone whose file a link leads to, by the name that it was set by: the file may be a link to another one."""
    at = path
    for _step in range(_MOST_LINKS):
        try:
            at = Path(os.path.normpath(at.parent / at.readlink()))
        except OSError:
            return ""
        _folder, is_there, name = str(at).rpartition("/zoneinfo/")
        name = name.removeprefix("posix/")
        if is_there and is_zone(name):
            return name
    return ""


def _written(path: Path) -> str:
    try:
        name = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
    return name if is_zone(name) else ""


def _alike(content: bytes, likely: str) -> str:
    """The zone whose file has the same content, or else shows the same time for years; "" if there is none."""
    if not content.startswith(b"TZif"):
        return ""
    for name in _names(likely):
        for folder in zoneinfo.TZPATH:
            file = Path(folder, name)
            with suppress(OSError):
                if file.stat().st_size == len(content) and file.read_bytes() == content:
                    return name
    import io

    try:
        here = offsets(zoneinfo.ZoneInfo.from_file(io.BytesIO(content)))
    except ValueError:
        return ""
    return next((name for name in _names(likely) if offsets(zoneinfo.ZoneInfo(name)) == here), "")


def _names(likely: str) -> Iterator[str]:
    """All names of zones, the likely one and those of places in countries first: several have the same content."""
    yield from ([likely] if likely else [])
    yield "Etc/UTC"
    for folder in zoneinfo.TZPATH:
        with suppress(OSError):
            lines = Path(folder, "zone.tab").read_text(encoding="utf-8").splitlines()
            yield from sorted(row.split("\t")[2] for row in lines if row[:1] not in {"#", ""})
    yield from sorted(
        name for name in zoneinfo.available_timezones() if is_zone(name)
    )  # slow, and rarely needed


# --- persons whose zone nobody names -----------------------------------------------------------------------


def zone_in_force(facts: Mapping[str, Any]) -> str:
    """Where a person lives by what is known of them, journeys left aside."""
    return str([facts.get("zone", "UTC"), *(m["zone"] for m in facts.get("moved", ()))][-1])


def follow(noted: Mapping[str, Any], machine: str, on: date, *, may_move: bool) -> dict[str, Any]:
    """The facts of where a person lives whose zone nobody names, once the machine is set to another one.

    Whoever lived by a machine that nobody had set never lived there: all their days go by the new zone. Else the days from
    `on` do, and those before stay as they were counted.
    """
    kept = {key: noted[key] for key in ("zone", "moved") if key in noted}
    before = zone_in_force(noted)
    if machine in NOBODYS or is_same_time(machine, before):
        return kept
    if before in NOBODYS:
        return {"zone": machine}
    if not may_move:
        return kept
    moved = [m for m in noted.get("moved", ()) if m["from"] < on.isoformat()]
    return {"zone": noted["zone"], "moved": [*moved, {"from": on.isoformat(), "zone": machine}]}
