"""A copy of everything, now: as one file, or in the folder in which the daemon keeps copies."""

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ingest.errors import Stop
from ingest.language import N_, Text, ngettext, number_text
from ingest.language import gettext as _
from ingest.verbs.called import as_called
from ingest.verbs.command import Invocation, require_access, verb
from ingest.verbs.messages import print_sentences, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingest.settings.model import Settings


_NICER = 10
"""How far the daemon's copies step back behind everything else."""


def copy_to_file(settings: "Settings", target: Path) -> tuple[Path, list[str]]:
    """Write a copy into a file, or into a file of today in a folder; gives the file, and what could not be read.

    Raises Stop, TryLater.
    """
    from datetime import datetime

    from ingest.backup.content import bytes_to_copy
    from ingest.backup.one_file import write_one_file
    from ingest.system.acting import acting_for_caller
    from ingest.verbs.progress import progress_bar

    with acting_for_caller():
        if target.is_dir():
            target /= f"hartslag-{datetime.now().astimezone():%Y-%m-%d-%H%M}.zip"
        if target.exists():
            raise Stop(
                Text(
                    N_("There is a file {file} already. Nothing is written over: choose another name."),
                    file=target,
                )
            )
        if not target.parent.is_dir():
            raise Stop(
                Text(
                    N_("There is no folder {folder} for the copy. Make it, or choose another place."),
                    folder=target.parent,
                )
            )
        with progress_bar(_("Copying"), 3 * bytes_to_copy(settings)) as mark:
            return target, write_one_file(settings, target, mark)


def copy_to_folder(settings: "Settings", *, begin: bool, mark: "Callable[[int], None] | None") -> list[str]:
    """Do now what the daemon does each hour; gives what there is to say. Raises Stop, TryLater."""
    from ingest.backup.content import bytes_to_copy
    from ingest.backup.taking import Taking
    from ingest.verbs.progress import progress_bar
    from ingest.verbs.times import day_and_time

    if settings.backup_folder is None:
        raise Stop(
            Text(
                N_(
                    'The settings name no folder for copies. Write [backup] and below it folder = "..." into them, or say'
                    " where a single copy shall go: `hartslag backup FILE`"
                )
            )
        )
    if mark is not None:
        taken = Taking(settings, begin=begin, mark=mark).take()
    else:
        with progress_bar(_("Copying"), bytes_to_copy(settings)) as shown:
            taken = Taking(settings, begin=begin, mark=shown).take()
    state = taken.state
    copies = ngettext(
        "Everything is copied to {folder}; {size} MB of it were new. It is the first copy there.",
        "Everything is copied to {folder}; {size} MB of it were new. {n} copies are there, the oldest of {oldest}.",
        state.copies,
    )
    assert state.oldest_ms is not None
    return [
        copies.format(
            folder=state.folder,
            size=number_text(taken.written_bytes / 1e6, 1),
            n=state.copies,
            oldest=day_and_time(state.oldest_ms),
        ),
        *_not_in_it(list(state.unread)),
    ]


def _not_in_it(unread: list[str]) -> list[str]:
    if not unread:
        return []
    words = _("Not in it, as you may not read them: {files}")
    return [words.format(files=", ".join(unread[:5]) + (" ..." if len(unread) > 5 else ""))]


def _alive() -> "Callable[[int], None]":
    """Tells whoever started us, by a dot a second at most, that it goes on."""
    os.nice(_NICER)
    told_s = [0.0]

    def mark(_: int) -> None:
        if time.monotonic() - told_s[0] > 1:
            told_s[0] = time.monotonic()
            os.write(sys.stdout.fileno(), b".")

    return mark


@verb(
    "backup",
    ("As one file, on a stick", "hartslag backup /media/usb/hartslag.zip"),
    ("Into the folder that the settings name, as the daemon does each hour", "hartslag backup"),
)
@click.argument("file", metavar="[FILE]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--begin", is_flag=True, help="The folder for copies may lie on the disk of the data: it is synchronised."
)
@click.option("--alive", is_flag=True, hidden=True, help="Tell by dots that it goes on.")
@click.pass_obj
def command(invocation: Invocation, file: Path | None, begin: bool, alive: bool) -> None:
    """Copy the journal, the settings and all files to FILE, or to the folder for copies.

    The daemon may go on meanwhile. The copy is of one moment, read again once it is written, and whole or not there. A
    folder as FILE gets a file of today. `hartslag restore` brings it back.
    """
    settings = invocation.load_settings()
    require_access(settings)
    if not settings.journal_file.exists():
        raise Stop(
            _("There is nothing to copy yet: no journal is in {folder}.").format(
                folder=settings.journal_file.parent
            )
        )
    if file is None:
        lines = copy_to_folder(settings, begin=begin, mark=_alive() if alive else None)
        if not alive:
            print_sentences(lines)
        return
    if begin:
        raise click.UsageError(_("--begin is for the folder in the settings, and goes without FILE."))
    written, unread = copy_to_file(settings, file.absolute())
    size = number_text(written.stat().st_size / 1e6, 1)
    told = _("Everything is copied to {file} ({size} MB), and was read again.")
    print_sentences([told.format(file=written, size=size)])
    for line in _not_in_it(unread):
        say(line, sys.stderr)
    told = _("To bring it back, here or on another computer: `hartslag restore FILE`")
    print_sentences([as_called(told.replace("FILE", str(written)))])
