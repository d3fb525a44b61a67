"""Bringing a copy back: which copies there are, which one is meant, and what is here already."""

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.backup.block import Damaged
from ingest.backup.content import FOLDERS, SETTINGS
from ingest.backup.copies import Backup, Copy
from ingest.backup.one_file import read_one_file, stage_one_file
from ingest.backup.staging import DamagedParts, stage
from ingest.errors import HartslagError, Stop
from ingest.journal import Journal
from ingest.language import N_, Text, system_words
from ingest.settings.model import Settings


@dataclass(frozen=True, slots=True)
class Found:
    """A copy that could be brought back, and where it lies: in a folder of many, or as one file."""

    copy: Copy
    backup: Backup | None
    file: Path | None = None

    @property
    def place(self) -> Path:
        """Where it lies."""
        place = self.file if self.backup is None else self.backup.folder
        assert place is not None
        return place

    @property
    def bytes_to_read(self) -> int:
        """What bringing it back comes across, the check of the journal included."""
        return 2 * self.copy.journal_bytes + self.copy.file_bytes

    def stage(self, staging: Path, mark: Callable[[int], None], *, partly: bool = False) -> DamagedParts:
        """Put it together in a folder that is empty; with `partly` without what is damaged. Raises Damaged, OSError."""
        if self.backup is not None:
            return stage(self.backup, self.copy, staging, mark, partly=partly)
        assert self.file is not None
        return stage_one_file(self.file, self.copy, staging, mark, partly=partly)


def find_copies(place: Path) -> list[Found]:
    """All copies in a folder or a file that are whole as far as their first look tells, oldest first.

    Raises Stop where there are none, or they cannot be read.
    """
    try:
        return _find_copies(place)
    except OSError as e:
        words = N_(
            "The copies in {place} cannot be read: {file}: {why}. Nothing was changed here. Check who may read there, and that the"
            " disk is in order."
        )
        raise Stop(Text(words, place=place, file=e.filename or place, why=system_words(e))) from e


def _find_copies(place: Path) -> list[Found]:
    if not place.exists():
        raise Stop(
            Text(N_("There is no {place}. Is the stick plugged in, or the share mounted?"), place=place)
        )
    if not place.is_dir():
        try:
            return [Found(read_one_file(place), None, place)]
        except Damaged as e:
            words = N_(
                "{file} is no copy that `hartslag backup` wrote, or it is cut off or damaged. Nothing was changed here."
                " Take another copy, if there is one."
            )
            raise Stop(Text(words, file=place)) from e
    found = []
    for folder in (place, *sorted(p for p in place.iterdir() if p.is_dir())):
        if (folder / "copies").is_dir() and (folder / "packs").is_dir():
            backup = Backup(folder, reading=True)
            found += [Found(copy, backup) for copy in backup.copies()]
    if not found:
        words = N_(
            "There is no copy in {folder}. Name the folder that stands below [backup] in the settings, or a file that"
            " `hartslag backup FILE` wrote."
        )
        raise Stop(Text(words, folder=place))
    return sorted(found, key=lambda f: (f.copy.at_ms, f.copy.number))


def newest(found: Sequence[Found]) -> Found:
    """The newest of copies of one folder: the one with the highest number, whatever the clock said."""
    return max(found, key=lambda f: f.copy.number)


def folders(found: Sequence[Found]) -> set[Path]:
    """The folders in which copies lie, each of them of one journal."""
    return {f.backup.folder for f in found if f.backup is not None}


def what_is_here(settings: Settings) -> list[str]:
    """What a copy would take the place of and somebody may miss, in words; nothing on a new computer."""
    here: list[str] = []
    if settings.journal_file.exists():
        try:
            with Journal(settings.journal_file, readonly=True) as journal:
                samples = journal.size()["samples"]
                if samples or journal.outcome_counts():
                    words = N_("a journal with {samples} samples")
                    here.append(Text(words, samples=samples))
        except HartslagError:
            here.append(Text(N_("a journal that cannot be read now")))
    folders = (settings.data / folder for folder in FOLDERS)
    filled = [folder for folder in folders if any(path.is_file() for path in folder.rglob("*"))]
    return here + [Text(N_("files in {folder}"), folder=folder) for folder in filled]


def is_worth_keeping(before: bytes | None, staged: Path) -> bool:
    """Whether settings say anything that those of the copy do not: the sample, in which nothing is switched on, does not."""
    after = staged / SETTINGS
    if before is None or not after.exists() or before == after.read_bytes():
        return False
    try:
        return bool(tomllib.loads(before.decode("utf-8-sig")))
    except ValueError:
        return True
