"""One daemon per data folder."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.errors import Stop


def _path(data: Path) -> Path:
    return data / "journal" / "daemon"


@contextmanager
def only_daemon(data: Path) -> Iterator[None]:
    """Be the one daemon of a data folder; the kernel lets go of it however this process ends.

    Raises Stop when there is another.
    """
    descriptor = os.open(_path(data), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        if not _locked(descriptor):
            raise Stop(
                f"Another daemon (process {_named(descriptor)}) already works in {data}. "
                "One is enough; to run a second household, give it its own folder with --data."
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    """Take the lock; somebody who only looks (`holder`) has it for an instant."""
    for _ in range(20):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)
        else:
            return True
    return False


def holder(data: Path) -> int | None:
    """The process of the daemon that works in a data folder, None when there is none."""
    try:
        descriptor = os.open(_path(data), os.O_RDONLY | os.O_CLOEXEC)
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


def _named(descriptor: int) -> int:
    return int(os.pread(descriptor, 20, 0) or b"0")
