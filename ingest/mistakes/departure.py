"""A person taken out of everything within reach: files, journal, stores and copies. Broken off, the same again completes it.

Files go first, while the journal still tells which they are; then the journal's rows, in one transaction; then all that is
made of it. A mark without a name stays until all of it is done.
"""

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ingest.backup.owed import owe
from ingest.errors import Stop, TryLater
from ingest.journal import Journal, Person
from ingest.language import N_, Text
from ingest.mistakes.broken_off import mark_of
from ingest.mistakes.homes import inbox_folders, pages_of, watch_traces
from ingest.settings.model import Settings
from ingest.settings.names import NOBODY
from ingest.stores.configured import configured_stores
from ingest.system.crash_points import reached
from ingest.system.files import plain_name, write_file


@dataclass(frozen=True, slots=True)
class Departure:
    """What there is of a person on this computer."""

    person: Person
    numbers: Sequence[int]
    """The person's, and those of all who count as the person."""
    files: Sequence[Path]
    """In the archive and among the rejected ones, with their reasons."""
    folders: Sequence[Path]
    """In inbox and archive, which are theirs alone."""
    pages: Sequence[Path]
    journals: Sequence[Path]
    """Whole copies of the journal as it was before a change of its tables: all in them is in the journal itself."""
    aside: Sequence[Path]
    """What was set aside, by a restore for instance: it may tell of others what nothing else does, so it stays."""

    def paths(self) -> Iterator[Path]:
        """All that is to be removed."""
        yield from (*self.files, *self.folders, *self.pages, *self.journals)


def find_departure(settings: Settings, journal: Journal, person: Person) -> Departure:
    """What is to go. Nothing is changed."""
    numbers = [person.id, *(one for one, other in journal.merges().items() if other == person.id)]
    persons = [p.name for p in journal.persons()]
    left = [name for name in persons if name != person.name]
    beside = _beside_journal(settings)
    archive = settings.archive.glob(f"*/{_escaped(plain_name(person.name))}")
    return Departure(
        person,
        numbers,
        [p for number in numbers for p in _files(settings, journal, number, set(numbers))],
        [
            *inbox_folders(settings, person.name),
            *watch_traces(settings, journal, person),
            *(p for p in archive if p.is_dir()),
        ],
        sorted(p for p in pages_of(settings, persons) - pages_of(settings, left) if p.exists()),
        [p for p in beside if _is_copy_before(p)],
        [*(p for p in beside if not _is_copy_before(p)), *sorted(settings.data.glob("before-restore-*"))],
    )


def _forget_what_was_noted(settings: Settings, journal: Journal) -> None:
    """Have no note beside the journal name anybody but those who are left. Raises OSError."""
    from ingest.household import places_of
    from ingest.journal.known import note_known
    from ingest.journal.losses import keep_losses_of
    from ingest.journal.mended import keep_mending_of

    persons = [p.name for p in journal.persons()]
    keep_losses_of(journal.path, persons)
    keep_mending_of(places_of(settings), persons)
    note_known(places_of(settings), journal)


def _escaped(name: str) -> str:
    import glob

    return glob.escape(name)


def _files(settings: Settings, journal: Journal, person: int, same: set[int]) -> Iterator[Path]:
    for place in journal.destinations(person):
        path = settings.data / place
        if journal.destination_owners(place) <= same:
            yield from (
                p for p in (path, path.with_name(f"{path.name}.txt")) if p.is_file() or p.is_symlink()
            )
    for mark in journal.rejected_marks(person):
        yield from settings.rejected.glob(f"*-{mark}.*")


def _beside_journal(settings: Settings) -> list[Path]:
    """What was made of the journal and lies beside it."""
    file = settings.journal_file
    with contextlib.suppress(OSError):
        return sorted(p for p in file.parent.iterdir() if p.name.lstrip(".").startswith(f"{file.name}."))
    return []


def _is_copy_before(path: Path) -> bool:
    return ".before-" in path.name


def begin(settings: Settings) -> None:
    """Note that one is on its way; it says nothing of whom."""
    write_file(mark_of(settings), b"")
    if settings.backup_folder is not None:
        owe(settings)
    reached("departure begun")


def remove_from_disk(departure: Departure) -> None:
    """Remove files, folders and pages. Raises OSError."""
    for path in departure.paths():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            path.parent.rmdir()  # a year in which nobody else has anything
    reached("departure files removed")


def remove_from_journal(journal: Journal, departure: Departure) -> None:
    """Delete the rows, in one transaction."""
    journal.delete_persons(departure.numbers, NOBODY)
    reached("departure rows removed")


def complete(settings: Settings, journal: Journal) -> list[Text]:
    """Do what is left: bytes in the journal, rows in the stores, copies; gives what could not be reached, in words."""
    missed = list[Text]()
    journal.wipe()
    reached("departure wiped")
    for store in configured_stores(settings):
        with closing(store):
            try:
                store.begin(journal)
                store.keep_persons([p.name for p in journal.persons()])
                store.wipe()
            except TryLater as e:
                words = N_("The store {place} was not reached ({why}); the daemon does it there once it is.")
                missed.append(Text(words, place=store.place, why=e.text))
    _forget_what_was_noted(settings, journal)  # also what a store has just told
    if settings.backup_folder is not None:
        from ingest.backup.taking import Taking

        try:
            Taking(settings, only=True).take()
        except (TryLater, Stop) as e:
            words = N_(
                "The copies in {folder} were not reached ({why}); they go with the next copy that is taken."
            )
            missed.append(Text(words, folder=settings.backup_folder, why=e.text))
    mark_of(settings).unlink(missing_ok=True)
    return missed
