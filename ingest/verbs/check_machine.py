"""Is this computer fit for it? Folders, room and for how long, wear of the card, clock, time zone."""

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.language import gettext as _
from ingest.language import ngettext, number_text
from ingest.verbs.finding import FAIL, OK, WARN, Finding
from ingest.verbs.times import age_text

if TYPE_CHECKING:
    from ingest.journal import Journal
    from ingest.settings.model import Settings

LEAST_FREE_BYTES = 200 << 20
"""Some months of four straps; below it a card is nearly full whatever fills it."""

FEW_DAYS, VERY_FEW_DAYS = 180, 14
"""For so long the room should last, and must last."""

LATELY_DAYS = 28

MUCH_WRITTEN_BYTES = 1_000_000_000
"""A day; a card of 32 GB bears some ten thousand times its size at best, cheap ones a hundredth of that."""

LEAST_RUN_S = 3600.0
"""A daemon that runs for less has not shown yet what it writes in a day."""

DAY_S = 86_400


def machine_findings(settings: "Settings", journal: "Journal | None") -> Iterator[Finding]:
    """Everything about the computer, Bluetooth aside."""
    yield from _daemon(settings)
    yield from _folders(settings)
    yield _room(settings, journal)
    yield from _wear(settings)
    yield _confinement()
    yield from _clock(journal)
    if journal is not None:
        yield from _time_zones(settings, journal)


def _daemon(settings: "Settings") -> Iterator[Finding]:
    from ingest.system.lock import holder, settings_of_holder

    process = holder(settings.data)
    if process is None:
        told = _("The daemon does not run: nothing is collected")
        yield Finding(
            WARN, "daemon", told, _("Start it with `hartslag run`, or: sudo systemctl start hartslag")
        )
        return
    theirs = settings_of_holder(settings.data)
    if theirs and theirs != settings.mark:
        told = _("The settings were changed since the daemon started, and it does not know of it")
        yield Finding(WARN, "daemon", told, _("Start it anew: sudo systemctl restart hartslag"))
    else:
        yield Finding(OK, "daemon", _("The daemon runs (process {number})").format(number=process))


# --- the disk ---


def _folders(settings: "Settings") -> Iterator[Finding]:
    """The folders that are not the asker's to write."""
    for folder in (settings.inbox_folder, settings.archive, settings.rejected):
        if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
            told = _("Folder {folder} cannot be written by you; the daemon's user must own it").format(
                folder=folder
            )
            owner = settings.data.owner() if settings.data.exists() else "hartslag"
            yield Finding(FAIL, "folder", told, f"sudo chown -R {owner}: {folder}")


def free_bytes(settings: "Settings") -> int:
    """The room that is left where the data lie."""
    return shutil.disk_usage(settings.data).free


def low_space_line(settings: "Settings", free: int) -> str:
    """That less than LEAST_FREE_BYTES is left."""
    return _("Only {megabytes} MB are free where {folder} lies; make room soon").format(
        megabytes=free >> 20, folder=settings.data
    )


def _room(settings: "Settings", journal: "Journal | None") -> Finding:
    """How much is free, and for how long that is enough as it goes."""
    free = free_bytes(settings)
    if free < LEAST_FREE_BYTES:
        return Finding(
            FAIL, "room", low_space_line(settings, free), _("Delete what is not needed, or use a larger card")
        )
    gigabytes = number_text(free / 1e9, 1)
    daily = daily_bytes(settings, journal) if journal is not None else None
    if not daily:
        return Finding(OK, "room", _("Room: {gigabytes} GB free").format(gigabytes=gigabytes))
    days = free / daily
    level = FAIL if days < VERY_FEW_DAYS else WARN if days < FEW_DAYS else OK
    years = days / 365
    if years >= 2:
        lasts = _("{years} years").format(years=number_text(min(years, 100)))
    else:
        lasts = ngettext("{days} day", "{days} days", int(days)).format(days=int(days))
    told = _("Room: {gigabytes} GB free; as it goes that lasts for {lasts}")
    return Finding(
        level,
        "room",
        told.format(gigabytes=gigabytes, lasts=lasts),
        "" if level == OK else _("Delete what is not needed, or use a larger card"),
    )


def daily_bytes(settings: "Settings", journal: "Journal") -> float | None:
    """What the data grow by in a day, from the last four weeks; None where nothing came in then.

    By the time that was recorded, not by when it came: whoever brings ten years of files on one day does so once.
    """
    whole, lately = journal.recorded_bytes(time.time_ns() // 1_000_000 - LATELY_DAYS * DAY_S * 1000)
    if not lately:
        return None
    used = sum(_size(f) for f in (settings.journal_file.parent, settings.store_file.parent, settings.archive))
    return used * lately / whole / LATELY_DAYS


def _size(folder: Path) -> int:
    size = 0
    for here, _folders, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):
                size += (Path(here) / name).lstat().st_size
    return size


def _wear(settings: "Settings") -> Iterator[Finding]:
    """What the daemon writes to the card in a day, by what the kernel counted since it started."""
    from ingest.system.lock import holder

    process = holder(settings.data)
    written = None if process is None else written_bytes(process)
    if written is None:
        return
    count, seconds = written
    if seconds < LEAST_RUN_S:
        told = _("Card: what is written in a day is known once the daemon has run for an hour")
        yield Finding(OK, "wear", told)
        return
    daily = count / seconds * DAY_S
    told = _("Card: {megabytes} MB are written in a day (measured over {time})").format(
        megabytes=number_text(daily / 1e6), time=age_text(seconds)
    )
    much = daily > MUCH_WRITTEN_BYTES
    yield Finding(
        WARN if much else OK,
        "wear",
        told,
        _("That wears a card out within years; an SSD on USB lasts longer") if much else "",
    )


def written_bytes(process: int, proc: Path = Path("/proc")) -> tuple[int, float] | None:
    """(What a process had the kernel write to disks, for how many seconds it runs); None where that may not be seen.

    Source: proc_pid_io(5), proc_pid_stat(5).
    """
    try:
        counted = dict(
            line.split(": ") for line in (proc / str(process) / "io").read_text(encoding="ascii").splitlines()
        )
        fields = (proc / str(process) / "stat").read_text().rpartition(")")[2].split()
        up_s = float((proc / "uptime").read_text().split()[0])
        began_s = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return int(counted["write_bytes"]), max(up_s - began_s, 1.0)
    except (OSError, ValueError, KeyError):
        return None


def _confinement() -> Finding:
    """How far the kernel shuts in the process that reads files of strangers."""
    from ingest.system.confinement import possible_confinement

    if possible_confinement().whole:
        told = _(
            "Files are read by a process that the kernel shuts in: it reaches no other file and no network"
        )
        return Finding(OK, "reading", told)
    told = _("Files are read by a process of its own, which this kernel cannot shut in")
    return Finding(
        WARN, "reading", told, _("Update the system; until then take files only from those whom you trust")
    )


# --- time ---


def _clock(journal: "Journal | None") -> Iterator[Finding]:
    from ingest.system.clock import SystemClock

    clock = SystemClock()
    if clock.synchronized():
        yield Finding(OK, "clock", _("The clock of this computer is kept right by a time server"))
    elif clock.kept():
        told = _("No time server keeps the clock of this computer right; it goes by a clock with a battery")
        yield Finding(OK, "clock", told)
    else:
        told = _(
            "Nobody keeps the clock of this computer right, and it has no battery to know the time after a power cut"
        )
        yield Finding(WARN, "clock", told, _("Connect it to the internet, or fit a clock with a battery"))
    boots = journal.unplaced_boots() if journal is not None else []
    if boots:
        told = ngettext(
            "In {count} start of this computer the time was never known; what straps told then waits for a date",
            "In {count} starts of this computer the time was never known; what straps told then waits for a date",
            len(boots),
        ).format(count=len(boots))
        yield Finding(
            WARN, "clock", told, _("`hartslag clock` shows them, and places them when you say when it was")
        )


def _time_zones(settings: "Settings", journal: "Journal") -> Iterator[Finding]:
    """Persons whose days are cut by another zone than the computer's; a slip of long ago, unless the settings say so."""
    from ingest.rows.profile import read_profile
    from ingest.settings.machine_zone import machine_zone
    from ingest.settings.time_zone import is_same_time

    machine = machine_zone()
    now_ms = time.time_ns() // 1_000_000
    for person in journal.persons():
        profile = read_profile(journal, person.id)
        zone = profile.calendar.zone_on(profile.calendar.day_of(now_ms))
        if is_same_time(zone, machine):
            continue
        told = _("Time zone: the days of {name} go by {zone}, this computer by {machine}").format(
            name=person.name, zone=zone, machine=machine
        )
        named = settings.person(person.name)
        if named is not None and "zone" in named.given:
            yield Finding(OK, "time zone", told)  # the settings say so
            continue
        do = _(
            'Set the right one: zone = "{machine}" below the name in the settings, or: sudo timedatectl set-timezone {zone}'
        )
        yield Finding(WARN, "time zone", told, do.format(machine=machine, zone=zone))
