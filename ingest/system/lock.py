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
from ingest.system.files import identity, make_file, make_folder
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
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Be the only process that makes files in a folder in this way, which takes an instant."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):  # a network's file system may not know this of folders
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class DaemonLock:
    """What makes a process the one daemon of a data folder, until it is closed; belongs to one thread at a time.

    A file beside the journal, in which others read whose it is, may be deleted or moved away; so the data folder itself
    is locked, too. `settings` tells others with which ones the daemon works (`settings_of_holder`).
    """

    def __init__(self, data: Path, settings: str = "") -> None:
        self._data, self._settings = data, settings
        self._folder: int | None = None
        self._file: int | None = None

    def take(self) -> None:
        """Raises Stop when there is another daemon, OSError when the lock cannot be made."""
        make_folder(_path(self._data).parent)
        if self._folder is None:
            self._folder = os.open(self._data, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                free = _lock(self._folder, Patience(_LOOKED_AT_S))
            except OSError:
                free = True  # a network's file system may not know this of folders
            if not free:
                self.close()
                raise _another(self._data, holder(self._data) or 0)
        descriptor = make_file(_path(self._data), 0o600)
        if not _lock(descriptor, Patience(_LOOKED_AT_S)):
            process = _named(descriptor)
            os.close(descriptor)
            self.close()
            raise _another(self._data, process)
        before, self._file = self._file, descriptor
        if before is not None:
            os.close(before)
        os.ftruncate(descriptor, 0)
        try:
            os.pwrite(descriptor, f"{os.getpid()} {self._settings}".encode(), 0)
        except OSError as e:
            if e.errno != errno.ENOSPC:  # on a full disk the daemon starts all the same, without a name
                raise

    def keep(self) -> bool:
        """Take it anew where the file or the folder was moved, deleted or replaced; gives whether that was so.

        Raises Stop when another daemon was quicker, OSError when it cannot be made.
        """
        if self._folder is not None and _of(self._folder) != identity(self._data):
            os.close(self._folder)
            self._folder = None
        elif self._file is not None and _of(self._file) == identity(_path(self._data)):
            return False
        self.take()
        return True

    def close(self) -> None:
        """Let another daemon begin."""
        for descriptor in (self._file, self._folder):
            if descriptor is not None:
                os.close(descriptor)
        self._file = self._folder = None


@contextmanager
def only_daemon(data: Path, settings: str = "") -> Iterator[DaemonLock]:
    """Be the one daemon of a data folder. Raises as `DaemonLock.take`."""
    lock = DaemonLock(data, settings)
    lock.take()
    try:
        yield lock
    finally:
        lock.close()


def _of(descriptor: int) -> tuple[int, int]:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino


def _another(data: Path, process: int) -> Stop:
    words = N_(
        "Another daemon (process {process}) already works in {folder}. "
        "One is enough; to run a second household, give it its own folder with --data."
    )
    return Stop(Text(words, process=process, folder=data))


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
