"""What was fetched from each watch so far, and how its last fetching went: two small files for each, below the data folder.

The first grows by a line for each file, so that a watch with thousands of files is looked through in seconds. A line
that is lost costs a copy that is known to the journal already, and nothing else.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ingest.collect.watch_memory import MemoryFile
from ingest.errors import TryLater
from ingest.language import N_, Text
from ingest.system.files import DISK, Disk, make_file, make_folder, write_file

FETCHING, DONE, GONE, NO_ROOM, TROUBLE = "fetching", "done", "gone", "no room", "trouble"

NO_WATCH = "plugged"
"""The name of what is known of a device that could not be looked into."""


@dataclass(frozen=True, slots=True)
class FetchState:
    """How the fetching from one watch goes, or went; in the shape that is kept and that `status --json` prints."""

    key: str
    """Of its files: the serial number, or what stands for it."""
    serial: str = ""
    product: str = ""
    person: str = ""
    """Who was named by hand; "" where the settings say whose it is."""
    device: str = ""
    """What it was plugged in as; "" where a folder was named by hand."""
    state: str = FETCHING
    at_ms: int = 0
    new: int = 0
    fetched: int = 0
    unreadable: int = 0
    too_large: int = 0
    trouble: str = ""
    detail: str = ""


class FetchRecord:
    """The files of one watch that were fetched, held by this process alone."""

    def __init__(self, folder: Path, descriptor: int, state: FetchState, disk: Disk) -> None:
        self._folder, self._descriptor, self._disk = folder, descriptor, disk
        self.state = state
        with os.fdopen(os.dup(descriptor), "rb") as stream:
            stream.seek(0)
            text = stream.read()
        self._is_torn = not text.endswith(b"\n") and bool(text)
        self.marks = set(text.decode("utf-8", "replace").split("\n"))

    def add(self, files: Iterable[MemoryFile]) -> None:
        """Note files that are in the inbox for good."""
        lines = "".join(f"{file.mark}\n" for file in files)
        os.lseek(self._descriptor, 0, os.SEEK_END)
        os.write(self._descriptor, (("\n" if self._is_torn else "") + lines).encode())
        self._is_torn = False
        self._disk.fsync(self._descriptor)
        self.marks.update(lines.split("\n"))

    def say(self, state: FetchState) -> None:
        """Keep how it goes, for `status`."""
        self.state = state
        keep_state(self._folder, state, self._disk)


@contextmanager
def open_record(folder: Path, state: FetchState, disk: Disk = DISK) -> Iterator[FetchRecord]:
    """The record of a watch. Raises TryLater while another process fetches from it."""
    make_folder(folder)
    descriptor = make_file(folder / f"{state.key}.fetched", 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            raise TryLater(
                Text(N_("Another process fetches from this watch just now. Wait until it has ended."))
            ) from e
        yield FetchRecord(folder, descriptor, state, disk)
    finally:
        os.close(descriptor)


def keep_state(folder: Path, state: FetchState, disk: Disk = DISK) -> None:
    """Keep how a fetching goes; on a full disk what was known before stays."""
    with contextlib.suppress(OSError):
        write_file(folder / f"{state.key}.json", json.dumps(asdict(state)).encode(), disk)


def forget_state(folder: Path, key: str) -> None:
    """Say no more of what is over."""
    with contextlib.suppress(OSError):
        (folder / f"{key}.json").unlink()


def read_states(folder: Path) -> list[FetchState]:
    """What is known of each watch, the one that was plugged in last at the end; what cannot be read is left out."""
    found = []
    with contextlib.suppress(OSError):
        for path in sorted(folder.glob("*.json")):
            with contextlib.suppress(OSError, ValueError, TypeError):
                state = FetchState(**json.loads(path.read_bytes()))
                state = replace(state, at_ms=int(state.at_ms))
                if state.state == FETCHING and not _is_held(folder / f"{state.key}.fetched"):
                    state = replace(state, state=GONE)
                found.append(state)
    return sorted(found, key=lambda s: s.at_ms)


def _is_held(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)
