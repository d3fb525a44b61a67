"""Opening what was dropped: a FIT file as it is, or the FIT files within gzip and zip, within bounds.

Nothing is ever written to disk here, so no name within a zip can lead out of the inbox.
"""

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import IO, Any, BinaryIO, Protocol, cast

from ingest.collect.reader_messages import MOST_MEMBERS
from ingest.errors import Unusable
from ingest.formats.file_formats import ENDINGS, HEAD_BYTES, describe_unread, format_of

MOST_DIRECTORY_BYTES = 4 << 20
"""Some 200 bytes for each of that many; zipfile holds the whole list in memory, at ten times its size."""

DEEPEST = 3
"""An account's export is a zip of zips of gzipped files."""

MOST_BYTES_TIMES = 200
"""A FIT file shrinks to a tenth or so; what shrinks to less than this is made to harm."""

MOST_PACKED_TIMES, MOST_PACKED_BYTES = 2, 1 << 20
"""Packing makes nothing much longer than it was: what is longer holds parts without content, each of which takes its time."""

_PIECE_BYTES = 1 << 18

_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Ways of packing that unpack piece by piece; a few kilobytes of bzip2 become gigabytes in one go."""

_DO = 'Export the activity as FIT ("original") and drop that.'
_BROKEN = (
    zipfile.BadZipFile,
    NotImplementedError,
    EOFError,
    zlib.error,
    OSError,
    RuntimeError,
    struct.error,
    ValueError,  # a name that is no text, a place before the beginning
    OverflowError,
)
"""What the standard library raises at bytes that are no zip or gzip after all."""

_GZIP = b"\x1f\x8b"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_MEANT = (*ENDINGS, *(f"{ending}.gz" for ending in ENDINGS))


@dataclass(frozen=True, slots=True)
class Member:
    """One file out of an archive: its name within it ('' for the archive itself) and its bytes, or why it has none."""

    name: str
    data: bytes
    fault: str = ""


def looks_whole(stream: BinaryIO, largest_bytes: int) -> bool:
    """Whether a gzip or zip on disk reads to its end; says yes to what is neither, or too large in any case."""
    stream.seek(0)
    head = stream.read(4)
    stream.seek(0)
    try:
        if head.startswith(_GZIP):
            for _ in _gunzipped(stream, largest_bytes):
                pass
        elif head in _ZIP:
            _open_zip(stream).close()
    except Unusable:
        return True
    except _DiskError as e:
        raise e.error from None
    except _BROKEN as e:
        if isinstance(e, OSError) and e.errno:  # of the disk; gzip's own have no number
            raise
        return False
    return True


def members(stream: BinaryIO, largest_bytes: int) -> Iterator[Member]:
    """The FIT files in an archive on disk, one after the other, each at most `largest_bytes` long.

    What is not meant to be a FIT file is passed over in a zip. Raises Unusable for an archive that cannot be opened,
    holds no FIT file at all, or is made to harm.
    """
    stream.seek(0)
    head = stream.read(4)
    if head in _ZIP:
        size = stream.seek(0, io.SEEK_END)
        names: dict[str, int] = {}
        for member in _unzip(stream, "", 1, largest_bytes, _Budget(size * MOST_BYTES_TIMES + largest_bytes)):
            yield replace(member, name=_unique_name(member.name, names))
        if not names:
            raise Unusable("There is no FIT file in this zip. " + _DO)
        return
    stream.seek(0)
    data = _gunzip(stream, largest_bytes) if head.startswith(_GZIP) else _read_bounded(stream, largest_bytes)
    if not data:
        raise Unusable("The file is empty. Copy it again from the watch.")
    if format_of(data) is None:
        raise Unusable(f"This is not a FIT file but {describe_unread(data)}. {_DO}")
    yield Member("", data)


def _unique_name(name: str, numbers: dict[str, int]) -> str:
    """The name, or one with a number when the archive had that name before: a zip may hold one name twice.

    `numbers` is the last one given to each name, so that thousands of one name cost no more than as many others.
    """
    name = name or "unnamed"
    unique = name
    while unique in numbers:
        numbers[name] += 1
        unique = f"{name} ({numbers[name]})"
    numbers[unique] = 1
    return unique


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(slots=True)
class _Budget:
    """What an archive may still unfold to."""

    left_bytes: int
    left_members: int = MOST_MEMBERS

    def spend(self, size: int) -> None:
        self.left_bytes -= size
        self.check()

    def count_member(self) -> None:
        self.left_members -= 1
        self.check()

    def check(self) -> None:
        if self.left_bytes < 0 or self.left_members < 0:
            raise Unusable(
                "This zip unfolds to far more than recordings do. Unpack it yourself and drop the FIT files in it."
            )


class _DiskError(Exception):
    """What the system says of the disk, in a wrapping that zipfile does not take for a fault of the zip."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


class _GuardedStream:
    """A zip's stream that refuses to read a list of members larger than any account needs, or the zip over and over."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.most_bytes: int | None = MOST_DIRECTORY_BYTES
        at = stream.tell()
        self._left_bytes = MOST_PACKED_TIMES * stream.seek(0, io.SEEK_END) + MOST_PACKED_BYTES
        stream.seek(at)

    def read(self, size: int = -1) -> bytes:
        if self.most_bytes is not None and size > self.most_bytes:
            raise Unusable(
                f"This zip lists more than the {MOST_MEMBERS} files that are looked at in one. "
                "Unpack it yourself and drop the FIT files in it."
            )
        try:
            data = self._stream.read(size)
        except OSError as e:
            raise _DiskError(e) from e
        self._left_bytes -= len(data)
        if self._left_bytes < 0:
            raise Unusable("This zip names the same bytes over and over, which none of recordings does.")
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _open_zip(stream: BinaryIO) -> zipfile.ZipFile:
    guarded = _GuardedStream(stream)
    archive = zipfile.ZipFile(cast("IO[bytes]", guarded))
    guarded.most_bytes = None  # a member is bounded where it is read
    return archive


def _unzip(
    stream: BinaryIO, prefix: str, depth: int, largest_bytes: int, budget: _Budget
) -> Iterator[Member]:
    try:
        with _open_zip(stream) as archive:
            for info in archive.infolist():
                budget.count_member()
                if info.filename.endswith("/"):  # a folder
                    continue
                name = prefix + info.filename.replace("\\", "/")
                try:
                    inner = _read_member(archive, info, largest_bytes, budget)
                except Unusable as e:
                    budget.check()
                    yield Member(name, b"", str(e))
                    continue
                if inner[:4] not in _ZIP:
                    if inner:
                        yield Member(name, inner)
                elif depth < DEEPEST:
                    yield from _unzip_nested(inner, name, depth + 1, largest_bytes, budget)
                else:
                    yield Member(
                        name, b"", f"It lies more than {DEEPEST} zips deep. Unpack it and drop the FIT files."
                    )
    except _DiskError as e:
        raise e.error from None
    except Unusable:
        raise
    except _BROKEN as e:
        raise Unusable(
            f"The zip cannot be opened ({e}). Copy it again, or unpack it and drop the FIT files."
        ) from e


def _unzip_nested(
    inner: bytes, name: str, depth: int, largest_bytes: int, budget: _Budget
) -> Iterator[Member]:
    try:
        yield from _unzip(io.BytesIO(inner), name + "/", depth, largest_bytes, budget)
    except Unusable as e:
        budget.check()
        yield Member(name, b"", str(e))


def _read_member(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, largest_bytes: int, budget: _Budget
) -> bytes:
    """The bytes of a member that is, or should be, a FIT file or a zip; nothing for any other."""
    meant = info.filename.lower().endswith(_MEANT)
    if info.flag_bits & 1 or info.compress_type not in _PACKED:
        if meant or info.filename.lower().endswith(".zip"):
            why = "locked with a password" if info.flag_bits & 1 else "packed in a way that is not read here"
            raise Unusable(f"It is {why}. Unpack the zip yourself and drop the FIT files.")
        return b""
    try:
        with archive.open(info) as stream:
            head = stream.read(HEAD_BYTES)
            if not (meant or format_of(head) or head.startswith((_GZIP, *_ZIP))):
                return b""
            # Paid before it is read: what turns out too large or broken has cost as much time.
            budget.spend(min(info.file_size, largest_bytes))
            inner = head + _read_bounded(stream, largest_bytes - len(head))
    except Unusable:
        raise
    except _BROKEN as e:
        raise Unusable(f"It cannot be taken out of the zip ({e}). Copy the zip again.") from e
    if inner.startswith(_GZIP):
        try:
            inner = _gunzip(io.BytesIO(inner), largest_bytes)
        except Unusable:
            budget.spend(largest_bytes)
            raise
        budget.spend(len(inner))
    if meant and format_of(inner) is None:
        raise Unusable(f"This is not a FIT file but {describe_unread(inner)}.")
    return inner if format_of(inner) or inner[:4] in _ZIP else b""


class _PackedStream:
    """A gzip's stream that refuses to give much more than has been unpacked of it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._left_bytes = MOST_PACKED_BYTES

    def earn(self, unpacked_bytes: int) -> None:
        self._left_bytes += MOST_PACKED_TIMES * unpacked_bytes

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._left_bytes -= len(data)
        if self._left_bytes < 0:
            raise Unusable("This gzip holds next to nothing for its length, as none of a recording does.")
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _gunzipped(stream: BinaryIO, most_bytes: int) -> Iterator[bytes]:
    """What is in a gzip, piece by piece, until it ends or is longer than that."""
    guarded = _PackedStream(stream)
    left = most_bytes
    with gzip.GzipFile(fileobj=cast("IO[bytes]", guarded)) as inner:
        while left >= 0 and (some := inner.read(min(_PIECE_BYTES, left + 1))):
            left -= len(some)
            guarded.earn(len(some))
            yield some


def _gunzip(stream: BinaryIO, largest_bytes: int) -> bytes:
    try:
        return _within(b"".join(_gunzipped(stream, largest_bytes)), largest_bytes)
    except Unusable:
        raise
    except _BROKEN as e:
        if isinstance(e, OSError) and e.errno:  # a stick that was pulled out is no fault of the file
            raise
        raise Unusable(f"The gzip cannot be unpacked ({e}). Copy it again.") from e


def _read_bounded(stream: _Readable, most_bytes: int) -> bytes:
    return _within(stream.read(most_bytes + 1), most_bytes)


def _within(data: bytes, most_bytes: int) -> bytes:
    """The bytes, if they are not too many. Raises Unusable."""
    if len(data) > most_bytes:
        raise Unusable(
            f"It is larger than {most_bytes / (1 << 20):.0f} MB, the most that is read of one recording."
        )
    return data
