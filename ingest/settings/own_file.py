"""The settings file as something to be written: who may, what lies there now, and putting a new one in its place.

A new one is whole or not there, has the permissions and the owner of the one before, and that one is kept beside it.
"""

import errno
import os
import shlex
import signal
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from ingest.errors import Stop
from ingest.language import gettext as _
from ingest.log import quoted
from ingest.settings.file import LARGEST_FILE, check, places, read
from ingest.settings.installed import Installed
from ingest.settings.mistakes import in_order, sentence, wrong_settings
from ingest.settings.writer import SettingsText
from ingest.system.files import write_file

_MODE = 0o640
"""Of a new file: its owner's, and its group's, as a service is of the group of /etc/hartslag."""


@dataclass(frozen=True, slots=True)
class OwnFile:
    """The settings file that is to be changed, or made."""

    path: Path
    """As its owner calls it; it may be a link."""
    content: bytes | None
    """What it holds; None where there is none yet."""

    @property
    def kept(self) -> Path:
        """Where the one before is kept."""
        target = self.path.resolve()
        return target.with_name(f"{target.name}.before")

    def draft(self, first: str) -> SettingsText:
        """Its text to be changed; `first` is what a new one begins with.

        Raises WrongSettings with every mistake in it, and its line.
        """
        if self.content is None:
            return SettingsText(first)
        read(self.path)  # which says in words what is no text, or no TOML
        draft = SettingsText(self.content.decode())
        if wrong := check(draft.values)[1]:
            raise wrong_settings(self.path, draft.values, wrong)
        return draft

    def save(self, draft: SettingsText) -> None:
        """Put the draft in its place, once it was read as the program will read it.

        Raises Stop when it has mistakes, or the file was changed meanwhile; then nothing is written.
        """
        if wrong := check(tomllib.loads(draft.text.removeprefix("\ufeff")))[1]:
            raise Stop(
                "\n".join(
                    [
                        _("The settings would have mistakes, so nothing was written:"),
                        *(sentence(draft.values, m) for _line, m in in_order(draft, wrong)),
                    ]
                )
            )
        target = self.path.resolve()
        with _uninterrupted():
            if _read(target) != self.content:
                raise Stop(
                    _(
                        "The settings file {file} was changed by somebody else meanwhile, so nothing was written: "
                        "start again."
                    ).format(file=quoted(str(self.path)))
                )
            if self.content is None:
                write_file(target, draft.text.encode(), mode=_MODE)
                if os.geteuid() == 0:  # with sudo in somebody's own folder it is theirs
                    owner = target.parent.stat()
                    os.chown(target, owner.st_uid, owner.st_gid)
            else:
                like = target.stat()
                write_file(self.kept, self.content, like=like)
                write_file(target, draft.text.encode(), like=like)


def own_file(
    config: Path | None,
    data: Path | None,
    environ: Mapping[str, str],
    cwd: Path,
    installed: Installed | None = None,
) -> OwnFile:
    """The settings file that counts, or the one to be made.

    Raises PermissionError for what belongs to somebody else: the file, and second what it is that is theirs. Raises Stop
    for what is one's own and cannot be written all the same.
    """
    if data is None and environ.get("HARTSLAG_DATA"):
        data = cwd / environ["HARTSLAG_DATA"]
    named, candidates = places(config, data, environ, cwd, installed=installed)
    found = next((p for p in candidates if _is_there(p)), None)
    if found is None:
        # An installed daemon reads that of the system, but only where nobody keeps data of their own here.
        system = candidates[-1]
        is_systems = not named and system.parent.is_dir() and not candidates[0].parent.is_dir()
        found = system if is_systems else candidates[0]
    try:
        content = _read(found.resolve())
    except PermissionError:
        _refuse(found, next(p for p in (found, *found.absolute().parents) if os.path.exists(p)))  # noqa: PTH110 - what may not be looked at is not there, where pathlib raises
    _ask_for_permission(found, content)
    return OwnFile(found, content)


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except PermissionError:
        return True  # nobody knows: whoever may look must say
    except OSError:
        return False
    return True


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as stream:
            return stream.read(LARGEST_FILE + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _ask_for_permission(path: Path, content: bytes | None) -> None:
    target = path.resolve()
    if content is not None and os.geteuid() not in {0, target.stat().st_uid}:
        _refuse(path, target)
    folder = next(p for p in target.parents if p.exists())
    if not os.access(folder, os.W_OK | os.X_OK):
        _refuse(path, folder)


def _refuse(file: Path, what: Path) -> NoReturn:
    """Say why the settings file cannot be changed: by `what`, which is the file itself or a folder."""
    if os.geteuid() not in {0, what.stat().st_uid}:
        raise PermissionError(errno.EPERM, "not yours", str(file), None, str(what))
    if os.statvfs(what).f_flag & os.ST_RDONLY:
        words = _(
            "The settings cannot be kept in {place}: that disk can only be read. Name another folder, with --data."
        )
    elif what.is_dir():
        words = _(
            "The settings cannot be kept in the folder {place}: it is locked against writing. This command opens it:\n"
            "  {command}"
        )
    else:
        words = _("The settings file {place} is locked against reading. This command opens it:\n  {command}")
    command = shlex.join(["chmod", "u+rwx" if what.is_dir() else "u+rw", str(what)])
    raise Stop(words.format(place=quoted(str(what)), command=command))


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ctrl-C waits until both files are where they belong, which takes milliseconds."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
