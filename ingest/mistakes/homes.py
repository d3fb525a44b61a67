"""Where the files of a person lie: their folder in the inbox, their part of the archive, their pages.

Whatever moment the power goes, the same again completes it: a file is in its new place before it leaves the old one.
"""

import contextlib
import filecmp
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from ingest.journal import Journal, Person
from ingest.report.renewal import file_names
from ingest.settings.model import Settings
from ingest.settings.names import folder_of_watch, same_name
from ingest.system.files import plain_name, sync_path

_OF_WATCH = re.compile(r"-(\d{1,10})-(?:monitoring|activity)")
"""The serial number in the name of a source."""


def move_inbox(settings: Settings, old: str, new: str) -> int:
    """Take what waits in the inbox under one name along to another; gives how many files."""
    moved = 0
    for folder in inbox_folders(settings, old):
        target = settings.inbox_folder / new
        if folder == target:
            continue
        if same_name(folder.name) == same_name(new) or not target.exists():
            moved += sum(len(files) for _, _, files in os.walk(folder))
            folder.rename(target)
        else:
            moved += _move_into(folder, target)
        sync_path(settings.inbox_folder)
    return moved


def inbox_folders(settings: Settings, name: str) -> list[Path]:
    """The folders in the inbox that are of a name, however it is written."""
    with contextlib.suppress(OSError):
        return [
            p for p in settings.inbox_folder.iterdir() if p.is_dir() and same_name(p.name) == same_name(name)
        ]
    return []


def watch_traces(settings: Settings, journal: Journal, person: Person) -> list[Path]:
    """What is kept of the watches that are a person's alone: files that wait, and the names of those that were fetched."""
    theirs = _serials(settings, journal, person)
    for other in journal.persons():
        if other.id != person.id:
            theirs -= _serials(settings, journal, other)
    found = [settings.inbox_folder / folder_of_watch(serial) for serial in sorted(theirs)]
    for serial in sorted(theirs):
        found += [settings.watch_folder / f"{serial}.{ending}" for ending in ("fetched", "json")]
    return [path for path in found if path.exists()]


def _serials(settings: Settings, journal: Journal, person: Person) -> set[str]:
    """The serial numbers of a person's watches, by the settings and by what came from them."""
    sources = (_OF_WATCH.search(source.name) for source in journal.sources(person.id))
    named = {w.serial for w in settings.watches if w.person and same_name(w.person) == same_name(person.name)}
    return named | {found[1] for found in sources if found}


def _move_into(folder: Path, target: Path) -> int:
    moved = 0
    for place, _folders, files in os.walk(folder):
        there = target / Path(place).relative_to(folder)
        there.mkdir(parents=True, exist_ok=True)
        for name in files:
            Path(place, name).rename(_free(there / name))
            moved += 1
    shutil.rmtree(folder)
    return moved


def _free(path: Path) -> Path:
    number, candidate = 1, path
    while os.path.lexists(candidate):
        number += 1
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return candidate


def rehome_archive(settings: Settings, journal: Journal, person: int, name: str) -> int:
    """Move the archived files that came in of a person to the folders of a name; gives how many.

    An archive that is added to an empty journal gives everybody what lies in their folders.
    """
    moves: dict[str, str] = {}
    for place in journal.destinations(person):
        folder, year, *between, file = place.split("/")
        wanted = [folder, year, plain_name(name)]
        if folder == "archive" and [folder, year, *between] != wanted and (settings.data / place).exists():
            moves[place] = _copied(settings.data, place, "/".join([*wanted, file]))
    if not moves:
        return 0
    with journal.write() as w:
        w.move_destinations(person, moves)
    for old in moves:
        if not journal.destination_owners(old):
            (settings.data / old).unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                (settings.data / old).parent.rmdir()
    return len(moves)


def _copied(data: Path, place: str, wanted: str) -> str:
    """Where a file lies now, too: where it is wanted, or beside something else that lies there."""
    source, target = data / place, data / wanted
    target.parent.mkdir(parents=True, exist_ok=True)
    while os.path.lexists(target):
        if filecmp.cmp(source, target, shallow=False):
            return str(target.relative_to(data))
        target = _free(target)
    try:
        os.link(source, target)
    except OSError:  # no disk for Windows has links
        shutil.copy2(source, target)
    sync_path(target.parent)
    return str(target.relative_to(data))


def pages_of(settings: Settings, persons: list[str]) -> set[Path]:
    """The pages that are renewed for some persons."""
    folder = settings.report_folder
    return {folder / name for name in file_names(persons).values()} if folder else set()


def remove_pages(pages: set[Path]) -> Iterator[Path]:
    """Remove pages that are nobody's any more; gives those that were there."""
    for page in sorted(pages):
        with contextlib.suppress(FileNotFoundError):
            page.unlink()
            yield page
