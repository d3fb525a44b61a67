"""A zip as it lies there: its members in the order in which they lie, and never more of it read than it is long.

Nothing is ever written under a name out of a zip, so none can lead out of the inbox. Sources: PKWARE's APPNOTE 6.3.10
(4.3.7, what stands before a member), D. Fifield, "A better zip bomb" (WOOT 2019), for lists that name the same bytes twice.
"""

import struct
import zipfile
import zlib
from typing import IO, Any, BinaryIO, cast

from ingest.collect.sized_stream import SizedStream
from ingest.errors import Unusable
from ingest.language import N_

MOST_DIRECTORY_BYTES = 12 << 20
"""Some 100 bytes for each of 120,000; zipfile holds the whole list in memory, at seven times its size."""

_MEMBER = b"PK\x03\x04"

ZIP = (_MEMBER, b"PK\x05\x06")

_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Ways of packing that unpack piece by piece; a few kilobytes of bzip2 become gigabytes in one go."""

_BEFORE_BYTES, _LENGTHS_AT = 30, 26
"""What stands before a member besides its name and something extra, and where the lengths of those two stand."""

_LISTED, _LISTED_BYTES = b"PK\x01\x02", 46
"""What stands in the list before the name of each member: how it begins, and how long it is."""

_IS_UTF8, _KNOWN_VERSION, _OTHER_NAME = 0x800, 20, 0x7075
"""In the list: the flag of a name in UTF-8, a version all can read, and the mark of a second name of a member."""

BROKEN = (
    zipfile.BadZipFile,
    NotImplementedError,
    EOFError,
    zlib.error,
    OSError,
    RuntimeError,
    struct.error,
    ValueError,  # a name that is no text
    OverflowError,
)
"""What the standard library raises at bytes that are no zip or gzip after all."""


class DiskError(Exception):
    """What the system says of the disk, in a wrapping that zipfile does not take for a fault of the zip."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


class _GuardedStream:
    """A zip's stream that refuses to read a list of members larger than any account needs.

    With `mends`, what one member tells wrongly in the list is no reason to read none of the others.
    """

    def __init__(self, stream: BinaryIO, *, mends: bool = False) -> None:
        self._stream, self._mends = stream, mends
        self.most_bytes: int | None = MOST_DIRECTORY_BYTES

    def read(self, size: int = -1) -> bytes:
        if self.most_bytes is not None and size > self.most_bytes:
            words = N_(
                "This zip lists more than the {most} files that are looked at in one. Unpack it yourself and drop the FIT"
                " files in it."
            )
            raise Unusable(words.format(most=f"{MOST_DIRECTORY_BYTES // 100:,}"))
        try:
            data = self._stream.read(size)
            if self._mends and self.most_bytes is not None and data.startswith(_LISTED):
                return _mended_list(data)
            if self._mends and size == _BEFORE_BYTES and data.startswith(_MEMBER):
                return self._mended_head(data)
        except OSError as e:
            raise DiskError(e) from e
        return data

    def _mended_head(self, data: bytes) -> bytes:
        """What stands before a member, in accord with the list that was mended."""
        if len(data) < _BEFORE_BYTES:
            return data
        (flags,), (name,) = struct.unpack_from("<H", data, 6), struct.unpack_from("<H", data, _LENGTHS_AT)
        at = self._stream.tell()
        flags = _true_flags(flags, self._stream.read(name))
        self._stream.seek(at)
        return data[:6] + struct.pack("<H", flags) + data[8:]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _mended_list(data: bytes) -> bytes:
    """A list of members as zipfile takes it whole.

    A name that is no UTF-8 is not said to be, extras that are cut are none, a version that nobody knows is an old one.
    """
    mended, at = bytearray(data), 0
    while data.startswith(_LISTED, at) and at + _LISTED_BYTES <= len(data):
        _, version, flags, name, extra, comment = struct.unpack_from("<4s2xHH18xHHH", data, at)
        begin = at + _LISTED_BYTES
        mended[at + 6 : at + 8] = struct.pack("<H", min(version, _KNOWN_VERSION))
        mended[at + 8 : at + 10] = struct.pack("<H", _true_flags(flags, data[begin : begin + name]))
        begin += name
        if not _can_be_extra(data[begin : begin + extra]):
            mended[begin : begin + extra] = bytes(extra)
        at = begin + extra + comment
    return bytes(mended)


def _true_flags(flags: int, name: bytes) -> int:
    """The flags of a member, without that of UTF-8 where its name is none."""
    try:
        name.decode()
    except UnicodeDecodeError:
        return flags & ~_IS_UTF8
    return flags


def _can_be_extra(extra: bytes) -> bool:
    """Whether what stands behind a name is in parts that are as long as each says."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        part = extra[at + 4 : at + 4 + size]
        if len(part) < size or kind == _OTHER_NAME:
            return False
        at += 4 + size
    return True


class Window(SizedStream):
    """A part of a stream as a stream of its own."""

    def __init__(self, stream: BinaryIO, begin: int, size: int) -> None:
        super().__init__(size)
        self._stream, self._begin = stream, begin

    def readinto(self, into: Any, /) -> int:
        """Read on from there."""
        self._stream.seek(self._begin + self._at)
        some = self._stream.read(min(len(into), max(self._size - self._at, 0)))
        into[: len(some)] = some
        self._at += len(some)
        return len(some)


def open_zip(stream: BinaryIO) -> zipfile.ZipFile:
    """The zip in a stream. Raises Unusable for one that is made to harm, and what `BROKEN` names for one that is none."""
    guarded = _GuardedStream(stream)
    try:
        archive = zipfile.ZipFile(cast("IO[bytes]", guarded))
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError):
        # One member whose line in the list is wrong costs all the others; read the list with such lines mended.
        guarded = _GuardedStream(stream, mends=True)
        archive = zipfile.ZipFile(cast("IO[bytes]", guarded))
    guarded.most_bytes = None  # a member is bounded where it is read
    # Of each member no more is read than its length in the list, so this bounds what reading all of them takes.
    if sum(_BEFORE_BYTES + entry.compress_size for entry in archive.filelist) > archive.start_dir:
        archive.close()
        raise Unusable(N_("This zip names the same bytes over and over, which none of recordings does."))
    # Read one after the other as they lie, none is sought to and fro for, whatever the order of the list.
    archive.filelist.sort(key=lambda entry: entry.header_offset)
    return archive


def broken_text(error: Exception) -> str:
    """Why a zip cannot be opened, for its owner."""
    if isinstance(error, zipfile.BadZipFile) and "not a zip file" in str(
        error
    ):  # it has no list of members at its end
        return N_(
            "The zip ends too early, as when a copy was cut off. Copy it again, or unpack it where it is whole and drop the"
            " FIT files."
        )
    return N_("The zip cannot be opened: it is damaged. Copy it again, or unpack it and drop the FIT files.")


def require_readable(entry: zipfile.ZipInfo) -> None:
    """Raises Unusable for a member that is locked, or packed in a way that cannot be bounded."""
    if entry.flag_bits & 1 or entry.compress_type not in _PACKED:
        raise Unusable(
            N_("It is locked with a password. Unpack the zip yourself and drop the FIT files.")
            if entry.flag_bits & 1
            else N_(
                "It is packed in a way that is not read here. Unpack the zip yourself and drop the FIT files."
            )
        )


def window_on(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> BinaryIO | None:
    """A member as it lies in the zip, where it is not packed but only stored; None where it is."""
    if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
        return None
    stream = cast("BinaryIO", archive.fp)
    stream.seek(entry.header_offset + _LENGTHS_AT)
    name, extra = struct.unpack("<HH", stream.read(4))
    begin = entry.header_offset + _BEFORE_BYTES + name + extra
    return cast("BinaryIO", Window(stream, begin, entry.file_size))
