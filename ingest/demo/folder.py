"""The folder of a made-up household: made beside what is there and put in place at the end, and never over anything else."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ingest.demo.watch import MADE_UP
from ingest.errors import Stop
from ingest.language import gettext as _
from ingest.settings.file import FILE_NAME
from ingest.system.files import NO_ROOM
from ingest.system.lock import holder

MARK = "MADE-UP.txt"
"""The file by which a made-up household is known."""

FIRST_LINE = "Everything in this folder was made up by `hartslag demo`.\n"

UNFINISHED, BEFORE = ".being-made", ".made-before"

OURS = ("journal", "store", "archive", "inbox", "rejected", FILE_NAME)
"""What a household consists of, beside its mark. The settings come last, and go first: where they are, all is there."""


class DemoFolder:
    """The folder `path` and what is in it."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    @property
    def is_made(self) -> bool:
        """Whether a made-up household is there, whole: its settings are the last to be put in place."""
        return _marked(self.path) and (self.path / FILE_NAME).exists()

    @property
    def _unfinished(self) -> Path:
        return self.path / UNFINISHED

    def require_ours(self) -> None:
        """Raise Stop unless nothing is there but what an earlier `demo` made, and nobody works in it."""
        try:
            self._require_ours()
        except OSError as e:
            raise self._trouble(e) from e

    def _require_ours(self) -> None:
        if not self.path.exists():
            return
        if not self.path.is_dir():
            raise Stop(_("{path} is a file. Name a folder: hartslag demo FOLDER").format(path=self.path))
        for folder in (self.path, self._unfinished):
            if process := holder(folder):
                raise Stop(
                    _("Process {process} works in {path}. Stop it first.").format(
                        process=process, path=self.path
                    )
                )
        if self._is_free or _marked(self.path):
            return
        raise Stop(
            _("{path} holds something that is not a demo, and stays as it is. Name another folder: hartslag demo FOLDER")
            .format(path=self.path)
        )  # fmt: skip

    @property
    def _is_free(self) -> bool:
        """Whether nothing is in it but what an end by force left."""
        return all(p.name in {UNFINISHED, BEFORE} and _marked(p) for p in self.path.iterdir())

    def require_nothing_real(self) -> None:
        """Raise Stop where somebody added files of their own: these are never deleted."""
        for folder in ("inbox", "archive", "rejected"):
            for found in sorted((self.path / folder).rglob("*")):
                if found.is_file() and MADE_UP not in found.name:
                    raise Stop(
                        _("{file} was not made by the demo, and nothing is deleted. Move it elsewhere first.")
                        .format(file=found)
                    )  # fmt: skip

    @contextmanager
    def being_made(self, mark: str) -> Iterator[Path]:
        """A place for the new household, which takes that of the old one at the end; nothing is left of it otherwise.

        Raises Stop when it cannot be made, or the disk is full.
        """
        created = not self.path.exists()
        try:
            self._remove(UNFINISHED, BEFORE)
            self._unfinished.mkdir(parents=True)
            (self._unfinished / MARK).write_text(FIRST_LINE + mark)
            yield self._unfinished
            self._put_in_place()
        except OSError as e:
            raise self._trouble(e) from e
        finally:
            with suppress(OSError):
                self._remove(UNFINISHED, BEFORE)
                if created:
                    self.path.rmdir()

    def _put_in_place(self) -> None:
        os.sync()
        before = self.path / BEFORE
        before.mkdir()
        for name in (*reversed(OURS), MARK):
            if (self.path / name).exists():
                (self.path / name).rename(before / name)
        # The mark first: an end by force in between leaves what is known to be ours.
        for name in (MARK, *OURS):
            if (self._unfinished / name).exists():
                (self._unfinished / name).rename(self.path / name)

    def _remove(self, *names: str) -> None:
        for name in names:
            if (self.path / name).is_dir():
                shutil.rmtree(self.path / name)

    def _trouble(self, e: OSError) -> Stop:
        if e.errno in NO_ROOM:
            return Stop(
                _("The disk of {path} is full. Make room, or name a folder elsewhere: hartslag demo FOLDER")
                .format(path=self.path)
            )  # fmt: skip
        if e.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            return Stop(
                _("{path} cannot be written ({why}). Name a folder of your own: hartslag demo FOLDER")
                .format(path=self.path, why=e.strerror)
            )  # fmt: skip
        return Stop(f"{e.filename or self.path}: {e.strerror}.")


def _marked(folder: Path) -> bool:
    try:
        return (folder / MARK).read_text(encoding="utf-8").startswith(FIRST_LINE)
    except (OSError, ValueError):
        return False
