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

from ingest.backup.content import FOLDERS, SETTINGS
from ingest.backup.staging import JOURNAL
from ingest.errors import Stop
from ingest.language import N_, Text, system_words
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
    owner: tuple[int, int] | None = None
    """Whose the settings shall be, where there were none."""


def staging_folder(data: Path) -> Path:
    """Where a copy is put together: on the disk of the data, so that it only has to be renamed."""
    return data / "restore" / "copy"


def _plan_file(data: Path) -> Path:
    return data / "restore" / "plan.json"


def is_planned(data: Path) -> bool:
    """Whether a copy is to take the place of the data, and was broken off there."""
    return os.path.exists(_plan_file(data))  # noqa: PTH110 - raises nothing where one may not look


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


def plan(data: Path, aside: str, settings: Path | None, owner: tuple[int, int] | None) -> None:
    """Decide that what was put together counts. Raises OSError."""
    staged = staging_folder(data)
    inodes = {part: (staged / part).stat().st_ino for part in _PARTS if (staged / part).exists()}
    os.sync()
    reached("restore staged")
    made = RestorePlan(aside, str(settings) if settings else None, inodes, owner)
    write_file(_plan_file(data), json.dumps(asdict(made)).encode())
    reached("restore planned")


def complete(data: Path) -> Path | None:
    """Bring what is planned to its end; gives where what was there before lies, None where there was nothing.

    Raises Stop when it cannot be done.
    """
    try:
        made = RestorePlan(**json.loads(_plan_file(data).read_bytes()))
        aside = data / made.aside
        staged = staging_folder(data)
        _swap_settings(made, staged / SETTINGS, aside)
        for part in _PARTS:
            if part in made.inodes:
                _swap(staged / part, data / part, aside / part, made.inodes[part])
            elif (data / part).exists():
                _set_aside(data / part, aside / part)
            sync_path(data)
            reached("restore moved")
        shutil.rmtree(staged, ignore_errors=True)
        _plan_file(data).unlink()
        shutil.rmtree(data / "restore", ignore_errors=True)
        sync_path(data)
    except OSError as e:
        words = N_(
            "The copy is whole and checked, but could not take its place: {file}: {why}. Mend that, and run"
            " `hartslag restore` again; it goes on where it was."
        )
        raise Stop(Text(words, file=e.filename or data, why=system_words(e))) from e
    return aside if aside.exists() else None


def _swap_settings(made: RestorePlan, staged: Path, aside: Path) -> None:
    if made.settings is None or not staged.exists():
        return
    target = Path(made.settings).resolve()
    content = staged.read_bytes()
    if target.exists():
        before = target.read_bytes()
        if before != content:
            _make_aside(aside)
            write_file(aside / SETTINGS, before)
            write_file(target, content, like=target.stat())
    else:
        write_file(target, content)
        if made.owner and os.geteuid() == 0:
            os.chown(target, *made.owner)
    reached("settings restored")
    staged.unlink()


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
