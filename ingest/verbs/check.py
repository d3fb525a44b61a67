"""Is everything as it should be? Settings are read before this is asked."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from ingest.language import gettext as _
from ingest.language import number_text, said
from ingest.verbs.command import Invocation, print_lines, require_access, verb

if TYPE_CHECKING:
    from ingest.journal import Journal
    from ingest.settings.model import Settings

LEAST_FREE_BYTES = 200 << 20
"""Some months of four straps; below it a card is nearly full whatever fills it."""


def check_lines(settings: "Settings", journal: "Journal | None") -> Iterator[tuple[bool, str]]:
    """(Whether something is wrong, a line about it) for everything that can be looked at; no journal yet is no fault."""
    from ingest.stores.configured import configured_stores
    from ingest.stores.sqlite import SqliteStore

    yield False, _("Settings: {file}: fine").format(file=settings.file or _("no file, defaults"))
    if settings.straps:
        yield _check_bluetooth(settings)
    free = free_bytes(settings)
    if free < LEAST_FREE_BYTES:
        yield True, low_space_line(settings, free)
    else:
        yield False, _("Room: {gigabytes} GB free").format(gigabytes=number_text(free / 1e9, 1))
    yield from _folder_lines(settings)
    if journal is None:
        yield (
            False,
            _("Journal {path}: not made yet; the daemon makes it").format(path=settings.journal_file),
        )
        return
    faults = journal.faults() + [f"chunk {position} {what}" for position, what in journal.broken_chunks()]
    yield from _fault_lines(
        _("Journal {path}").format(path=journal.path),
        faults,
        _("Keep a copy; files in the archive can be added to a new journal."),
    )
    if settings.journal_file.stat().st_mode & 0o007:
        yield (
            True,
            _("Journal {path} is open to others than its owner and group: chmod o-rwx {path}").format(
                path=journal.path
            ),
        )
    yield from _watch_lines(settings, journal)
    for store in configured_stores(settings):
        if isinstance(store, SqliteStore) and not store.path.exists():
            yield False, _("Store {place}: not made yet; the daemon makes it").format(place=store.place)
        else:
            what = _("Store {place}").format(place=store.place)
            yield from _fault_lines(what, store.faults(journal.id), store.remedy)


def _folder_lines(settings: "Settings") -> Iterator[tuple[bool, str]]:
    """The folders that are not the asker's to write."""
    for folder in (settings.inbox_folder, settings.archive, settings.rejected):
        if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
            yield (
                True,
                _("Folder {folder} cannot be written by you; the daemon's user must own it").format(
                    folder=folder
                ),
            )


def _watch_lines(settings: "Settings", journal: "Journal") -> Iterator[tuple[bool, str]]:
    """The watches in the settings of which nothing has come in: one that is new, or a slip of the pen."""
    from ingest.grafana.sensor_names import watches

    known = {watch.serial for watch in watches(settings, journal)}
    for watch in settings.watches:
        if watch.serial not in known:
            yield (
                False,
                _(
                    "Watch {name}: no file of serial number {serial} has come in; `hartslag status` names those that have"
                ).format(name=watch.name or watch.person or watch.serial, serial=watch.serial),
            )


def free_bytes(settings: "Settings") -> int:
    """The room that is left where the data lie."""
    return shutil.disk_usage(settings.data).free


def low_space_line(settings: "Settings", free: int) -> str:
    """That less than LEAST_FREE_BYTES is left."""
    return _("Only {megabytes} MB are free where {folder} lies; make room soon").format(
        megabytes=free >> 20, folder=settings.data
    )


def _check_bluetooth(settings: "Settings") -> tuple[bool, str]:
    """Whether straps can be listened to now; asked of the system, nothing is searched for."""
    import asyncio

    from ingest.collect.adapter import NoBluetooth, find_adapter

    try:
        adapter = asyncio.run(find_adapter(settings.bluetooth.adapter))
    except NoBluetooth as e:
        return True, _("Bluetooth: {why}").format(why=said(e.text))
    return False, _("Bluetooth: the adapter {address} ({name}) is on").format(
        address=adapter.address, name=adapter.name
    )


def _fault_lines(what: str, faults: list[str], do: str) -> Iterator[tuple[bool, str]]:
    if not faults:
        yield False, _("{what}: whole").format(what=what)
    for fault in faults[:10]:
        yield True, f"{what}: {fault}"
    if faults:
        yield True, f"{what}: {do}"


@verb("check", ("Is everything in order?", "hartslag check"))
@click.pass_obj
def command(invocation: Invocation) -> None:
    """Check settings, journal and store; ends with 1 when something is wrong."""
    from ingest.household import view_journal

    settings = invocation.load_settings()
    require_access(settings)
    has_faults = False
    # A folder that is not there is mistyped, one without a journal waits for the first run of the daemon.
    is_new = settings.data.is_dir() and not settings.journal_file.exists()
    with nullcontext() if is_new else view_journal(settings) as journal:
        for is_fault, line in check_lines(settings, journal):
            has_faults |= is_fault
            print_lines([line])
    if has_faults:
        sys.exit(1)
