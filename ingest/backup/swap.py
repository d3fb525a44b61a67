"""What was put together takes the place of what is there, which is set aside and never deleted.

Once the plan is written the copy counts: whoever comes next, the daemon or `hartslag restore`, brings it to its end. Each
step may be done twice. A folder changes its place with another in one moment, so there is always a whole journal.
"""

import ctypes
import errno
import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from ingest.backup.content import FOLDERS, SETTINGS
from ingest.backup.plan import is_planned, plan_file, staging_folder
from ingest.backup.staging import JOURNAL
from ingest.errors import Stop
from ingest.language import N_, Text, system_words
from ingest.system.acting import acting_as_root
from ingest.system.crash_points import reached
from ingest.system.files import sync_path, write_file

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
"""Of renameat2(2)."""

_PARTS = (*FOLDERS, "journal")
"""In their order: the journal counts, and comes last."""


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """What is to take which place."""

    aside: str
    """The folder, below the data, for what was there before."""
    settings: str | None
    """The file in whose place those of the copy are put; None where they stay in the folder of the plan."""
    inodes: dict[str, int]
    """Of each part of the copy, by which it is told from what was there."""


class Restored(NamedTuple):
    """Where things lie once a copy is in its place."""

    aside: Path | None
    """What was there before; None where there was nothing."""
    settings: Path | None
    """The settings of the copy, where they could not take the place of those that are in force."""


def begin_staging(data: Path) -> Path:
    """An empty folder to put a copy together in. Raises OSError."""
    folder = staging_folder(data)
    discard(data)
    folder.mkdir(mode=0o700, parents=True)
    folder.parent.chmod(0o700)
    return folder


def discard(data: Path) -> None:
    """Forget what was put together, unless it counts already."""
    if not is_planned(data):
        shutil.rmtree(data / "restore", ignore_errors=True)


def plan(data: Path, aside: str, settings: Path | None) -> None:
    """Decide that what was put together counts. Raises OSError."""
    staged = staging_folder(data)
    inodes = {part: (staged / part).stat().st_ino for part in _PARTS if (staged / part).exists()}
    os.sync()
    reached("restore staged")
    made = RestorePlan(aside, str(settings) if settings else None, inodes)
    write_file(plan_file(data), json.dumps(asdict(made)).encode())
    reached("restore planned")


def complete(data: Path) -> Restored:
    """Bring what is planned to its end. Raises Stop when it cannot be done."""
    try:
        made = RestorePlan(**json.loads(plan_file(data).read_bytes()))
        aside = data / made.aside
        staged = staging_folder(data)
        settings = _swap_settings(made, staged / SETTINGS, aside, data)
        for part in _PARTS:
            if part in made.inodes:
                _swap(staged / part, data / part, aside / part, made.inodes[part])
            elif (data / part).exists():
                _set_aside(data / part, aside / part)
            sync_path(data)
            reached("restore moved")
        shutil.rmtree(staged, ignore_errors=True)
        plan_file(data).unlink()
        shutil.rmtree(data / "restore", ignore_errors=True)
        sync_path(data)
    except OSError as e:
        words = N_(
            "The copy is whole and checked, but could not take its place: {file}: {why}. Mend that, and run"
            " `hartslag restore` again; it goes on where it was."
        )
        raise Stop(Text(words, file=e.filename or data, why=system_words(e))) from e
    return Restored(aside if aside.exists() else None, settings)


def _swap_settings(made: RestorePlan, staged: Path, aside: Path, data: Path) -> Path | None:
    """Put the settings of the copy in force; gives where they lie where that is not permitted, as for the daemon."""
    if made.settings is None or not staged.exists():
        return None
    target = Path(made.settings).resolve()
    content = staged.read_bytes()
    before = target.read_bytes() if target.exists() else None
    left = None
    if before != content:
        if before is not None:
            _make_aside(aside)
            write_file(aside / SETTINGS, before)
        try:
            with acting_as_root():
                _write_settings(target, content)
        except OSError as e:
            if e.errno not in {errno.EACCES, errno.EPERM, errno.EROFS}:
                raise
            left = data / f"restored-{SETTINGS}"
            write_file(left, content)
    reached("settings restored")
    staged.unlink()
    return left


def _write_settings(target: Path, content: bytes) -> None:
    if target.exists():
        write_file(target, content, like=target.stat())
        return
    write_file(target, content, mode=0o640)
    if os.geteuid() == 0:  # in somebody's own folder it is theirs
        owner = target.parent.stat()
        os.chown(target, owner.st_uid, owner.st_gid)


def _swap(staged: Path, target: Path, aside: Path, inode: int) -> None:
    """Put a folder in its place, and what was there aside."""
    if staged.exists() and staged.stat().st_ino == inode:
        if target.exists() and not _exchange(staged, target):
            _set_aside(target, aside)
        if not target.exists():
            staged.rename(target)
        reached("restore swapped")
    if staged.exists():
        _set_aside(staged, aside)


def _set_aside(folder: Path, aside: Path) -> None:
    """Keep a folder, unless there is nothing in it that anybody collected."""
    if _is_empty(folder):
        shutil.rmtree(folder)
        return
    _make_aside(aside.parent)
    number = 2
    target = aside
    while target.exists():
        target, number = aside.with_name(f"{aside.name}-{number}"), number + 1
    folder.rename(target)
    sync_path(aside.parent)


def _make_aside(folder: Path) -> None:
    if not folder.exists():
        folder.mkdir(mode=0o700)


def _is_empty(folder: Path) -> bool:
    if folder.name == "journal":
        return not (folder / Path(JOURNAL).name).exists()
    return not any(path.is_file() for path in folder.rglob("*"))


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change places in one moment; False where the file system cannot."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    if rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    if (number := ctypes.get_errno()) in {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EPERM}:
        return False
    raise OSError(number, os.strerror(number), str(other))
