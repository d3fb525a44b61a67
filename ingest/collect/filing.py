"""Where a file goes once its content is in the journal: below the data folder, under a name that is free.

The card is told to remember where files were moved before the journal notes that they are filed; until then a crash
makes the next start look for them again.
"""

import os
import shlex
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from ingest.errors import TryLater
from ingest.formats.file_formats import ENDINGS
from ingest.journal import Journal, Writer
from ingest.language import N_, Text, system_words
from ingest.language import gettext as _
from ingest.retelling import retold
from ingest.settings.names import NOBODY
from ingest.system.crash_points import reached
from ingest.system.files import DISK, Disk, Mover, plain_name, write_file

TOGETHER = 64
"""Files after which the card is told to remember where they were filed: once for all of them spares it."""

Status = tuple[int, int, int, int]
"""What tells whether a file is the same as before: device, inode, size and time of change (ns)."""


def status_of(found: os.stat_result) -> Status:
    """What tells this file from any other and from itself after a change."""
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def add_again(path: Path) -> str:
    """What to type so that a file is tried again."""
    return shlex.join(["hartslag", "add", str(path.absolute())])


class NotFiled(TryLater):
    """What a file holds is in the journal, but the file is not where it belongs yet."""


class Filing:
    """Moves arrivals to where the journal says they go, and notes that once the card remembers it."""

    def __init__(
        self, journal: Journal, data: Path, disk: Disk = DISK, again: Callable[[Path], str] = add_again
    ) -> None:
        """`again` gives what to type so that a file that was set aside is tried again."""
        self._journal = journal
        self._again = again
        self._data = data
        self._disk = disk
        self._mover = Mover(disk)
        self._moved: list[int] = []

    def is_moved(self, arrival: int) -> bool:
        """Whether it was moved already, and only the note is missing."""
        return arrival in self._moved

    def file(
        self, arrival: int, path: Path | None, opened: IO[bytes] | None = None, status: Status | None = None
    ) -> None:
        """Move an arrival to where it belongs, with its reason beside it if it was rejected.

        It lies at `path`, or nowhere any more. With `opened` its bytes are still to be had though something else lies there
        by now, which is taken in its turn. With `status` nothing else than what looked like that is moved.

        Raises NotFiled.
        """
        destination, reason, kept = self._journal.arrival_destination(arrival)
        if destination and path is not None:
            target = self._data / destination
            try:
                if reason is not None:
                    self._write_reason(target, reason)
                    reached("reason written")
                if opened is not None:
                    self._mover.copy(opened, target)
                elif not kept:
                    self._mover.move(path, target, lambda found: status is None or status_of(found) == status)
                    self._forget_reason(path, target)
                elif not (target.exists() and target.samefile(path)):  # it was added out of the archive
                    with path.open("rb") as stream:
                        self._mover.copy(stream, target)
            except OSError as e:
                words = N_(
                    "{path} is in the journal but cannot be moved to {place}: {why}. Check permissions and room on the disk;"
                    " it will be tried again."
                )
                raise NotFiled(Text(words, path=path, place=destination, why=system_words(e))) from e
            reached("arrival moved")
        self._moved.append(arrival)
        reached("arrival filed")
        if len(self._moved) >= TOGETHER:
            self.flush()

    def flush(self) -> None:
        """Have the card remember what has been filed, then note it. Raises TryLater."""
        if self._moved:
            try:
                self._mover.sync()
            except OSError as e:
                words = N_("The disk does not take what was filed: {why}. It will be tried again.")
                raise TryLater(Text(words, why=system_words(e))) from e
            with self._journal.write() as w:
                w.arrivals_filed(self._moved)
            self._moved = []

    def set_aside(self, member: str, data: bytes, digest: str, reason: str) -> None:
        """Write a member that will never do beside the rejected files, so that it can be looked at outside its zip."""
        name = Path(plain_name(member.replace("/", " - ")))
        stem, ending = (
            (name.stem, name.suffix.lower()) if name.suffix.lower() in ENDINGS else (name, ENDINGS[0])
        )
        target = self._data / "rejected" / f"{stem}-{digest[:8]}{ending}"
        write_file(target, data, self._disk)
        self._write_reason(target, reason)

    def _write_reason(self, target: Path, reason: str) -> None:
        how = _("To try it again:")
        text = f"{retold(reason)}\n\n{how}\n{self._again(target)}\n"
        # A name from an old stick may be no UTF-8.
        write_file(reason_file(target), text.encode("utf-8", "surrogateescape"), self._disk)

    def _forget_reason(self, path: Path, target: Path) -> None:
        """A file that was set aside, and is not any more, leaves no reason behind."""
        if path.parent == self._data / "rejected" and path != target:
            reason_file(path).unlink(missing_ok=True)

    def path_in_archive(self, w: Writer, name: str, person: str) -> str | None:
        """Where a file of a person that is added out of the archive lies already, below the data folder.

        Another person's stays theirs: an archive that is added anew gives everybody what lies in their folder.
        """
        archive, path = (self._data / "archive").absolute(), Path(name)
        if not path.is_relative_to(archive):
            return None
        place = str(path.relative_to(self._data.absolute()))
        owners = w.destination_owners(place)
        return place if not owners or person in owners else None

    def free_path(self, w: Writer, folder: str, name: str, sha256: bytes, *, with_reason: bool) -> str:
        """Where in the folder an arrival may lie: under its own name, or one with a number when that is taken."""
        name = plain_name(name)
        stem, dot, suffix = name.partition(".") if not name.startswith(".") else (name, "", "")
        number = 1
        while True:
            candidate = f"{folder}/{name}" if number == 1 else f"{folder}/{stem}-{number}{dot}{suffix}"
            if w.destination_holder(candidate) == sha256:
                return candidate  # the same bytes, which will replace each other
            names = [candidate, f"{candidate}.txt"] if with_reason else [candidate]
            if not any(w.destination_holder(n) is not None or os.path.lexists(self._data / n) for n in names):
                return candidate
            number += 1


def reason_file(path: Path) -> Path:
    """Where the reason lies for which a file was set aside: beside it."""
    return path.with_name(path.name + ".txt")


def archive_folder(person: str, first_ms: int | None, now_ms: int) -> str:
    """The folder of a year, and in it a person's own, so that an archive that is added anew gives everybody theirs."""
    owner = "" if person == NOBODY else f"/{plain_name(person)}"
    return f"archive/{_year(first_ms, now_ms)}{owner}"


def _year(first_ms: int | None, now_ms: int) -> int:
    """The year that the archive keeps it under: the recording's, whatever this machine's clock says; its arrival's without one."""
    return datetime.fromtimestamp((now_ms if first_ms is None else first_ms) / 1000, UTC).year
