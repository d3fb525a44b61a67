"""Files come from a watch into the inbox: each whole or not at all, whatever is pulled, and each once.

They are copied beside their places, a few at a time; the card is told to remember them; they get their names, by which
the inbox knows them; and only then they are noted as fetched. The watch is only ever read.
"""

import contextlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.collect.fetch_record import FetchRecord
from ingest.collect.watch_memory import MemoryFile
from ingest.errors import Stop, TryLater
from ingest.language import N_, Text, system_words
from ingest.system.crash_points import reached
from ingest.system.files import DISK, NO_ROOM, Disk, make_folder, plain_name, sync_path

TOGETHER, TOGETHER_BYTES = 32, 16 << 20
"""Files and bytes after which the card is told to remember them: once for all of them spares it."""

LEFT_BYTES, LEFT_SHARE = 100 << 20, 0.05
"""What is left free of the disk, the lesser of both: what straps tell must find room whatever a watch brings."""

_FAILED_IN_A_ROW = 5
"""Files that cannot be read one after the other: the watch is gone, or as good as."""

_PIECE = 1 << 20


class NoRoom(TryLater):
    """The disk takes no more files; those that it took are in the inbox."""


@dataclass(slots=True)
class Fetched:
    """How many files came, and why others did not; `is_gone`: the watch was pulled before all was read."""

    new: int = 0
    fetched: int = 0
    unreadable: int = 0
    too_large: int = 0
    is_gone: bool = False


def fetch_files(
    files: Sequence[MemoryFile],
    target: Path,
    record: FetchRecord,
    *,
    largest_bytes: int,
    told: Callable[[Fetched], None] = lambda _: None,
    disk: Disk = DISK,
) -> Fetched:
    """Bring the files that are not in the record below a folder of the inbox; `told` hears of each few that came.

    Raises NoRoom, and Stop when the inbox cannot be written.
    """
    wanted = [file for file in files if file.mark not in record.marks]
    fitting = [file for file in wanted if file.size <= largest_bytes]
    state = Fetched(new=len(fitting), too_large=len(wanted) - len(fitting))
    told(state)
    if not fitting:
        return state
    try:
        make_folder(target.parent)
        _make_folder(target)
        for left in target.glob(f".fetching-{record.state.key}-*"):
            left.unlink()  # of a life that was cut short
        failed = 0
        for few in _portions(fitting):
            copied: list[tuple[MemoryFile, Path]] = []
            try:
                for file in few:
                    _ask_for_room(target, file.size)
                    beside = target / f".fetching-{record.state.key}-{len(copied)}"
                    if _copy(file, beside):
                        copied.append((file, beside))
                        failed = 0
                    else:
                        state.unreadable, failed = state.unreadable + 1, failed + 1
                        state.is_gone = failed >= _FAILED_IN_A_ROW or not _is_there(file.path)
                    if state.is_gone:
                        break
            finally:
                _settle(copied, target, record, disk)
                state.fetched += len(copied)
            told(state)
            if state.is_gone:
                break
    except OSError as e:
        raise _our_trouble(e, target) from e
    return state


def _our_trouble(error: OSError, target: Path) -> TryLater | Stop:
    if error.errno in NO_ROOM:
        return NoRoom(
            Text(N_("The disk with {folder} is full: make room. What was fetched is safe."), folder=target)
        )
    words = N_("{folder} in the inbox cannot be written: {why}. Check who owns it.")
    return Stop(Text(words, folder=target, why=system_words(error)))


def _portions(files: Iterable[MemoryFile]) -> Iterator[list[MemoryFile]]:
    few: list[MemoryFile] = []
    for file in files:
        few.append(file)
        if len(few) == TOGETHER or sum(f.size for f in few) >= TOGETHER_BYTES:
            yield few
            few = []
    if few:
        yield few


def _make_folder(folder: Path) -> None:
    """A folder into which the group may drop files if it may do so in the one above."""
    for one in reversed([f for f in (folder, *folder.parents) if not f.exists()]):
        one.mkdir(mode=0o700)
        with contextlib.suppress(
            PermissionError
        ):  # to a hardened service, where the inbox hands on its group
            one.chmod(stat.S_IMODE(one.stat().st_mode) | one.parent.stat().st_mode & 0o070)


def _ask_for_room(folder: Path, size: int) -> None:
    disk = os.statvfs(folder)
    free, whole = disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize
    if free - size < min(LEFT_BYTES, LEFT_SHARE * whole):
        words = N_(
            "Only {megabytes} MB are free on the disk with {folder}: make room. What was fetched is safe."
        )
        raise NoRoom(Text(words, megabytes=free >> 20, folder=folder))


def _is_there(path: Path) -> bool:
    """Whether the folder of a file can still be looked into, so that only this file is bad."""
    try:
        with os.scandir(path.parent) as found:
            next(found, None)
        path.lstat()
    except OSError:
        return False
    return True


def _copy(file: MemoryFile, beside: Path) -> bool:
    """Copy a file, and whether all of it came: one that is pulled away, damaged or being written does not count."""
    try:
        source = os.open(file.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        flags = os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(beside, flags, 0o600), "wb") as out:
            whole = _pour(source, file.size, out.write)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    finally:
        os.close(source)
    if not whole:
        beside.unlink()
    return whole


def _pour(source: int, size: int, write: Callable[[bytes], object]) -> bool:
    done = 0
    while done <= size:
        try:
            if not stat.S_ISREG(os.fstat(source).st_mode):
                return False
            piece = os.read(source, _PIECE)
        except OSError:
            return False
        if not piece:
            break
        write(piece)
        done += len(piece)
    return done == size


def _settle(copied: Sequence[tuple[MemoryFile, Path]], target: Path, record: FetchRecord, disk: Disk) -> None:
    """Have the card remember what was copied, give each file its name, and note it."""
    if not copied:
        return
    if len(copied) > 4:
        disk.sync()  # one flush of everything is quicker than one for each
    else:
        for _, beside in copied:
            sync_path(beside, disk)
    reached("fetch copied")
    folders = {target, target.parent}
    for file, beside in copied:
        place = target.joinpath(*map(plain_name, file.name.split("/")))
        _make_folder(place.parent)
        disk.rename(beside, place)
        reached("fetch named")
        folders |= {place.parent, place.parent.parent}
    for folder in sorted(folders):
        sync_path(folder, disk)
    record.add(file for file, _ in copied)
    reached("fetch noted")
