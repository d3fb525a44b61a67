"""What `make run` has collected in a folder, copied to where the service keeps it. The folder stays as it was."""

import os
import shutil
import sys
from pathlib import Path

from ingest.errors import HartslagError, Stop
from ingest.language import gettext as _
from ingest.language import said, system_words
from ingest.settings.installed import find_installed
from ingest.settings.model import Settings
from ingest.system.acting import act_for_owner
from ingest.system.files import make_folder, sync_path
from ingest.system.lock import holder

_FOLDERS = ("archive", "rejected", "inbox")


def has_collected(folder: Path) -> bool:
    """Whether there is something in a data folder to take along."""
    return Settings(folder).journal_file.is_file()


def has_begun(data: Path) -> bool:
    """Whether the service has a journal of its own already."""
    return Settings(data).journal_file.exists()


def require_at_rest(folder: Path) -> None:
    """Raise Stop while a daemon works in a data folder: a journal that is written to cannot be copied as a file."""
    if process := holder(folder):
        words = _(
            "`make run` still collects in {folder} (process {process}). End it with Ctrl-C where it runs, then type the "
            "same command again."
        )
        raise Stop(words.format(folder=folder, process=process))


def take_along(folder: Path, data: Path) -> None:
    """Copy files and journal, the journal last: once it is there all of it is. Raises Stop; then nothing counts yet."""
    from ingest.journal import Journal

    require_at_rest(folder)
    origin, target = Settings(folder).journal_file, Settings(data).journal_file
    if target.exists():
        _require_empty(target, folder)
    for name in _FOLDERS:
        if (folder / name).is_dir():
            _copy_files(folder / name, data / name)
    passing = target.parent / "taken-along"
    shutil.rmtree(passing, ignore_errors=True)
    make_folder(passing)
    copy = passing / target.name
    for end in ("", "-wal"):  # what a kill left in the log belongs to it
        if (origin.with_name(origin.name + end)).exists():
            shutil.copyfile(origin.with_name(origin.name + end), copy.with_name(copy.name + end))
    with Journal(copy, create=False) as journal:
        faults = journal.faults()
    if faults:
        words = _("The journal in {folder} is damaged ({fault}), so nothing was taken along.")
        raise Stop(words.format(folder=folder, fault=faults[0]))
    sync_path(copy)
    for end in ("-wal", "-shm"):  # of an empty one that was there
        target.with_name(target.name + end).unlink(missing_ok=True)
    copy.rename(target)
    sync_path(target.parent)
    shutil.rmtree(passing, ignore_errors=True)


def _require_empty(journal_file: Path, folder: Path) -> None:
    """Raise Stop where something was collected already: two journals cannot become one."""
    from ingest.journal import Journal

    with Journal(journal_file, create=False) as journal:
        is_empty = not journal.files(latest=1) and not any(journal.sources(p.id) for p in journal.persons())
    if not is_empty:
        words = _(
            "The service has collected already, so the journal in {folder} cannot take its place. The files come along with:\n"
            "  sudo hartslag add {archive}"
        )
        raise Stop(words.format(folder=folder, archive=folder / "archive"))


def _copy_files(origin: Path, target: Path) -> None:
    """Copy the files below a folder; links and whatever else is no file stay behind."""
    for found in sorted(origin.rglob("*")):
        place = target / found.relative_to(origin)
        if found.is_file() and not found.is_symlink() and not place.exists():
            make_folder(place.parent)
            beside = place.with_name(f".{place.name}.tmp")
            shutil.copyfile(found, beside)
            beside.rename(place)


def main(folder: Path) -> None:
    """Take along what is in a folder, as the owner of the service's data."""
    installed = find_installed()
    assert installed is not None, "this is no installed program"
    act_for_owner(installed.data, installed.user)
    try:
        take_along(folder, installed.data)
    except OSError as e:
        words = _("What is in {folder} could not be taken along: {why}.")
        raise Stop(words.format(folder=folder, why=said(system_words(e)))) from e


if __name__ == "__main__":
    os.umask(0o077)
    try:
        main(Path(sys.argv[1]))
    except HartslagError as e:
        print(said(e.text), file=sys.stderr)
        sys.exit(1)
