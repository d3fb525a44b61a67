"""Locks between processes, which the kernel lets go of however a process ends (flock(2))."""

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.errors import Stop, TryLater
from ingest.language import N_, Text
from ingest.system.files import make_file
from ingest.system.patience import Patience

_LOOKED_AT_S = 0.4
"""How long a lock may seem taken because somebody only looks at it (`holder`), which takes an instant."""


@contextmanager
def exclusive(path: Path, mode: int, patience: Patience, *, subject: str) -> Iterator[None]:
    """Be the only process that holds the lock at a path, made with those permissions.

    Raises TryLater when patience ends before the others let go of it; OSError when it cannot be made.
    """
    descriptor = make_file(path, mode)
    try:
        if not _lock(descriptor, patience):
            raise TryLater(f"{subject} is held by another process, which is waited for.")
        yield
    finally:
        os.close(descriptor)


def _path(data: Path) -> Path:
    return data / "journal" / "daemon"


@contextmanager
def only_daemon(data: Path, settings: str = "") -> Iterator[None]:
    """Be the one daemon of a data folder; `settings` tells others which ones it works with (`settings_of_holder`).

    Raises Stop when there is another, OSError when the lock cannot be made.
    """
    _path(data).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = make_file(_path(data), 0o600)
    try:
        if not _lock(descriptor, Patience(_LOOKED_AT_S)):
            raise Stop(
                Text(
                    N_(
                        "Another daemon (process {process}) already works in {folder}. "
                        "One is enough; to run a second household, give it its own folder with --data."
                    ),
                    process=_named(descriptor),
                    folder=data,
                )
            )
        os.ftruncate(descriptor, 0)
        try:
            os.pwrite(descriptor, f"{os.getpid()} {settings}".encode(), 0)
        except OSError as e:
            if e.errno != errno.ENOSPC:  # on a full disk the daemon starts all the same, without a name
                raise
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, patience: Patience) -> bool:
    """Take the lock of an open file; polled, so that waiting can end with the program."""
    for _ in patience.attempts():
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    return False


def holder(data: Path) -> int | None:
    """The process of the daemon that works in a data folder, None when there is none."""
    try:
        descriptor = os.open(_path(data), os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError:
        return _holder_by_kernel(_path(data))
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _named(descriptor)
    else:
        return None
    finally:
        os.close(descriptor)


def settings_of_holder(data: Path) -> str | None:
    """What the daemon that works in a data folder said of its settings, None where nobody knows."""
    try:
        return _path(data).read_text().partition(" ")[2] or None
    except OSError:
        return None


def _holder_by_kernel(path: Path) -> int | None:
    """The process that holds the lock at a path which only its owner may open: whoever could, could hold it too.

    The kernel lists locks to everybody, by inode (proc_locks(5)); the device it names is not that of stat(2) everywhere.
    """
    with contextlib.suppress(OSError):
        inode = f":{path.stat().st_ino}"
        for line in Path("/proc/locks").read_text().splitlines():
            _, kind, _, access, pid, file, *_ = line.split()
            if (kind, access) == ("FLOCK", "WRITE") and file.endswith(inode):
                return int(pid)
    return None


def _named(descriptor: int) -> int:
    return int(os.pread(descriptor, 20, 0).partition(b" ")[0] or b"0")
