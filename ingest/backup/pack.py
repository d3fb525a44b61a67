"""Packs: files of many blocks. A stick takes one file of a megabyte well, and a thousand small ones badly.

Before each block stands what it is, and behind all of them a list for who looks something up. A pack is written beside,
read again from the disk, and only then gets its name.
"""

import contextlib
import errno
import os
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import IO

from ingest.backup.block import ID_BYTES, Damaged, packed, unpacked
from ingest.system.crash_points import reached
from ingest.system.files import NO_ROOM

PACK_BYTES = 8 << 20
"""A pack is closed once it is so large: less is lost when the stick is pulled, and less is rewritten to free some of it."""

FIRST = b"hartslag pack 1\n"
_BLOCK = struct.Struct(f"<4s{ID_BYTES}sII")
_BLOCK_MARK = b"HSBK"
_ENTRY = struct.Struct(f"<{ID_BYTES}sQII")
_END = struct.Struct("<4sI16s")
_END_MARK = b"HSND"

_NO_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EBADF}
"""What a share says that cannot remember a folder."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a block lies: the number of its pack, and how long it is there and in truth."""

    pack: int
    offset: int
    length: int
    size: int


def pack_path(folder: Path, number: int) -> Path:
    """The file of a pack."""
    return folder / f"{number:08d}.pack"


def pack_numbers(folder: Path) -> list[int]:
    """The packs of a folder, oldest first."""
    names = (re.fullmatch(r"(\d{8})\.pack", path.name) for path in folder.iterdir())
    return sorted(int(found[1]) for found in names if found)


def remember(path: Path) -> None:
    """Have the disk remember what is in a folder, or a file, where it can."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as e:
        if e.errno not in _NO_SYNC:
            raise
    finally:
        os.close(descriptor)


def open_private(path: Path, mode: int) -> IO[bytes]:
    """A file to be written anew, with these permissions whatever the umask says, where the disk knows any."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    with contextlib.suppress(OSError):
        os.fchmod(descriptor, mode)
    return os.fdopen(descriptor, "wb")


def forget_read(stream: IO[bytes]) -> None:
    """Have the next read come from the disk itself, and not from what the system still has in memory."""
    os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


@contextmanager
def passing_over_bad_places(*, wanted: bool) -> Iterator[None]:
    """Where that is wanted, end the block at what the disk cannot read; what somebody may not read is no bad place."""
    try:
        yield
    except PermissionError:
        raise
    except OSError:
        if not wanted:
            raise


def read_spots(folder: Path, number: int, *, reading: bool = False) -> dict[bytes, Spot]:
    """The blocks of a pack; of one whose list is damaged those that can be found without it. Raises OSError.

    With `reading` a place that the disk cannot read is one that is damaged.
    """
    found = dict[bytes, Spot]()
    with passing_over_bad_places(wanted=reading), pack_path(folder, number).open("rb") as stream:
        with contextlib.suppress(Damaged), passing_over_bad_places(wanted=reading):
            return _listed(stream, number)
        for known_by, spot in _walked(stream, number):
            found[known_by] = spot
    return found


def _listed(stream: IO[bytes], number: int) -> dict[bytes, Spot]:
    size = stream.seek(0, os.SEEK_END)
    if size < len(FIRST) + _END.size:
        raise Damaged
    stream.seek(size - _END.size)
    mark, count, digest = _END.unpack(stream.read(_END.size))
    start = size - _END.size - count * _ENTRY.size
    if mark != _END_MARK or start < len(FIRST):
        raise Damaged
    stream.seek(start)
    entries = stream.read(count * _ENTRY.size)
    if blake2b(entries, digest_size=16).digest() != digest:
        raise Damaged
    return {found[0]: Spot(number, *found[1:]) for found in _ENTRY.iter_unpack(entries)}


def _walked(stream: IO[bytes], number: int) -> Iterator[tuple[bytes, Spot]]:
    at = stream.seek(len(FIRST))
    while len(head := stream.read(_BLOCK.size)) == _BLOCK.size:
        mark, known_by, length, size = _BLOCK.unpack(head)
        if mark != _BLOCK_MARK:
            return
        yield known_by, Spot(number, at + _BLOCK.size, length, size)
        at = stream.seek(at + _BLOCK.size + length)


def read_block(folder: Path, known_by: bytes, spot: Spot) -> bytes:
    """A block. Raises Damaged, OSError."""
    try:
        with pack_path(folder, spot.pack).open("rb") as stream:
            stream.seek(spot.offset)
            written = stream.read(spot.length)
    except FileNotFoundError as e:
        raise Damaged from e
    except OSError as e:
        if e.errno == errno.EIO:  # what the disk itself cannot read
            raise Damaged from e
        raise
    return unpacked(written, spot.size, known_by)


class PackWriter:
    """Writes blocks into packs of a folder, one after the other."""

    def __init__(self, folder: Path, mode: int) -> None:
        """Packs are made with those permissions, where the disk knows any."""
        self._folder, self._mode = folder, mode
        self._number = max(pack_numbers(folder), default=0)
        self._out: IO[bytes] | None = None
        self._spots: dict[bytes, Spot] = {}
        self._at = 0

    @property
    def _beside(self) -> Path:
        return self._folder / f".{self._number:08d}.tmp"

    def add(self, known_by: bytes, data: bytes) -> None:
        """Take a block; it is there once `finish` has said so. Raises OSError, as for a full disk."""
        if self._out is None:
            self._number += 1
            self._out = open_private(self._beside, self._mode)
            self._out.write(FIRST)
            self._at = len(FIRST)
            reached("pack begun")
        written = packed(data)
        self._out.write(_BLOCK.pack(_BLOCK_MARK, known_by, len(written), len(data)))
        self._out.write(written)
        self._spots[known_by] = Spot(self._number, self._at + _BLOCK.size, len(written), len(data))
        self._at += _BLOCK.size + len(written)

    @property
    def length(self) -> int:
        """How long the pack is that is not finished."""
        return self._at

    def finish(self) -> dict[bytes, Spot]:
        """Close the pack: its blocks are on the disk, were read again from there, and have their names. Raises OSError."""
        if self._out is None:
            return {}
        out, spots = self._out, self._spots
        entries = b"".join(_ENTRY.pack(k, s.offset, s.length, s.size) for k, s in spots.items())
        out.write(entries)
        out.write(_END.pack(_END_MARK, len(spots), blake2b(entries, digest_size=16).digest()))
        out.flush()
        os.fsync(out.fileno())
        forget_read(out)
        out.close()
        reached("pack written")
        self._prove(spots)
        self._beside.rename(pack_path(self._folder, self._number))
        remember(self._folder)
        self._out, self._spots, self._at = None, {}, 0
        return spots

    def _prove(self, spots: dict[bytes, Spot]) -> None:
        with self._beside.open("rb") as stream:
            try:
                whole = _listed(stream, self._number) == spots
                for known_by, spot in spots.items():
                    stream.seek(spot.offset)
                    unpacked(stream.read(spot.length), spot.size, known_by)
            except Damaged:
                whole = False
        if not whole:
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(self._folder))

    def drop(self) -> None:
        """Take back the pack that is not finished."""
        if self._out is not None:
            try:
                self._out.close()
            except OSError as e:  # the rest of its buffer found no room either
                if e.errno not in NO_ROOM:
                    raise
            self._beside.unlink(missing_ok=True)
        self._out, self._spots, self._at = None, {}, 0
