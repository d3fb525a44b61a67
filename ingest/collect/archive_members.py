"""Opening what was dropped: a FIT file as it is, or the FIT files within gzip and zip, within bounds.

The bounds are on what is unpacked at once and in all, never on what lies beside the recordings: an account's export is
gigabytes, and most of what it holds is none.
"""

import gzip
import io
import zipfile
from collections import Counter
from collections.abc import Callable, Container, Generator, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePosixPath
from typing import IO, Any, BinaryIO, Protocol, cast

from ingest.collect.reader_messages import MOST_MEMBERS, most_spooled_bytes
from ingest.collect.zip_archive import (
    BROKEN,
    ZIP,
    DiskError,
    broken_text,
    open_zip,
    require_readable,
    window_on,
)
from ingest.errors import Unusable
from ingest.formats.file_formats import ENDINGS, HEAD_BYTES, describe_unread, format_of, packed_as
from ingest.language import N_
from ingest.log import as_name
from ingest.settings.names import made_by_system

DEEPEST = 3
"""An account's export is a zip of zips of gzipped files."""

MOST_BYTES_TIMES = 200
"""A FIT file shrinks to a tenth or so; what shrinks to less than this is made to harm."""

MOST_PACKED_TIMES, MOST_PACKED_BYTES = 2, 1 << 20
"""Packing makes nothing much longer than it was: what is longer holds parts without content, each of which takes its time."""

IN_MEMORY_BYTES = 4 << 20
"""A packed zip within a zip that is no longer is held in memory, a longer one outside of it."""

_PIECE_BYTES = 1 << 18
_MOST_ENDINGS = 40

_GZIP = b"\x1f\x8b"
_MEANT = (*ENDINGS, *(f"{ending}.gz" for ending in ENDINGS))

Spool = Callable[[Iterable[bytes]], AbstractContextManager[BinaryIO]]
"""Keeps what comes piece by piece outside of memory, as a file that is read here and there as long as it is needed."""

PassedOver = dict[str, int]
"""How many files of a zip were passed over as they are no recordings, by the ends of their names ('' for any other)."""


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
        elif head in ZIP:
            open_zip(stream).close()
    except Unusable:
        return True
    except DiskError as e:
        raise e.error from None
    except BROKEN as e:
        if isinstance(e, OSError) and e.errno:  # of the disk; gzip's own have no number
            raise
        return False
    return True


def members(
    stream: BinaryIO,
    largest_bytes: int,
    spool: Spool,
    done: Container[str] = frozenset(),
    *,
    most_members: int = MOST_MEMBERS,
) -> Generator[Member, None, PassedOver]:
    """The FIT files in an archive on disk, one after the other, each at most `largest_bytes` long.

    Those whose names are `done` are not unpacked again. What is not meant to be a FIT file is passed over in a zip; gives
    how many in the end. Raises Unusable for an archive that cannot be opened, is empty, or is made to harm.
    """
    stream.seek(0)
    head = stream.read(4)
    if head in ZIP:
        size = stream.seek(0, io.SEEK_END)
        unpacking = _Unpacking(size, largest_bytes, spool, done, most_members)
        yield from unpacking.members(stream, "", 1)
        if not unpacking.found and not unpacking.passed_over:
            raise Unusable(N_("There is nothing in this zip. Copy or export it again."))
        return dict(unpacking.passed_over)
    stream.seek(0)
    data = _gunzip(stream, largest_bytes) if head.startswith(_GZIP) else _read_bounded(stream, largest_bytes)
    if not data:
        raise Unusable(N_("The file is empty. Copy it again from the watch."))
    if format_of(data) is None:
        words = (
            N_("This is not a FIT file but {what}. Unpack it and drop the FIT files that lie in it.")
            if packed_as(data)
            else N_(
                'This is not a FIT file but {what}. Export the activity as FIT ("original") and drop that.'
            )
        )
        raise Unusable(words.format(what=describe_unread(data)))
    yield Member("", data)
    return {}


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(slots=True)
class _Budget:
    """What an archive may still unfold to."""

    left_bytes: int
    left_members: int

    def spend(self, size: int) -> None:
        self.left_bytes -= size
        self.check()

    def count_member(self) -> None:
        self.left_members -= 1
        self.check()

    def check(self) -> None:
        if self.left_bytes < 0 or self.left_members < 0:
            raise Unusable(
                N_(
                    "This zip unfolds to far more than recordings do. Unpack it yourself and drop the FIT files in it."
                )
            )


class _Faulty(Exception):  # noqa: N818 - of a file
    """Why a file in a zip cannot be had, in words."""


class _Unpacking:
    """One zip that is unpacked, with all zips within it."""

    def __init__(
        self, size: int, largest_bytes: int, spool: Spool, done: Container[str], most_members: int
    ) -> None:
        self._largest_bytes, self._spool, self._done = largest_bytes, spool, done
        self._budget = _Budget(size * MOST_BYTES_TIMES + largest_bytes, most_members)
        self._most_spooled_bytes = most_spooled_bytes(size)
        self._names: dict[str, int] = {}
        self.found = False
        self.passed_over: Counter[str] = Counter()

    def members(self, stream: BinaryIO, prefix: str, depth: int) -> Iterator[Member]:
        """The FIT files in a zip, and in the zips within it. Raises Unusable."""
        if depth > DEEPEST:
            words = N_("It lies more than {most} zips deep. Unpack it and drop the FIT files.")
            raise Unusable(words.format(most=DEEPEST))
        try:
            with open_zip(stream) as archive:
                for entry in archive.filelist:
                    if not entry.filename.endswith("/"):  # a folder
                        yield from self._of_entry(archive, entry, prefix, depth)
        except DiskError as e:
            raise e.error from None
        except Unusable:
            raise
        except BROKEN as e:
            raise Unusable(broken_text(e)) from e

    def _of_entry(
        self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, prefix: str, depth: int
    ) -> Iterator[Member]:
        name = prefix + as_name(entry.filename.replace("\\", "/"))
        named = name.lower().endswith(_MEANT) and not is_side_file(name)
        if named:  # known by its name before it is unpacked, and so when it need not be
            name = self._unique_name(name)
            if name in self._done:
                self._count()
                return
        try:
            data = yield from self._unpacked(archive, entry, name, depth, named=named)
            fault = ""
        except _Faulty as e:
            data, fault = b"", str(e)
        if data or fault:
            self._count()
            yield Member(name if named else self._unique_name(name), data, fault)

    def _unpacked(
        self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str, depth: int, *, named: bool
    ) -> Generator[Member, None, bytes]:
        """The bytes of a FIT file; of a zip the FIT files in it, and no bytes; none of what is passed over. Raises _Faulty."""
        meant = named or name.lower().endswith(".zip")
        try:
            require_readable(entry)
            with archive.open(entry) as stream:
                head = stream.read(HEAD_BYTES)
                is_zip = head[:4] in ZIP
                meant = named or is_zip or format_of(head) is not None
                if is_zip:
                    yield from self._of_inner_zip(
                        archive, entry, chain((head,), _pieces(stream)), name, depth
                    )
                    return b""
                data = self._read(entry, head, stream, meant=meant)
        except (Unusable, *BROKEN) as e:
            self._budget.check()
            if meant:
                words = N_(
                    "It cannot be taken out of the zip: what lies there is damaged. Copy the zip again."
                )
                raise _Faulty(str(e) if isinstance(e, Unusable) else words) from e
            data = b""
        if data[:4] in ZIP:  # in a gzip
            yield from self._of_laid_out(io.BytesIO(data), name, depth)
            return b""
        if not data:
            self._pass_over(name)
        return data

    def _of_inner_zip(
        self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, pieces: Iterable[bytes], name: str, depth: int
    ) -> Iterator[Member]:
        """The FIT files in a zip within a zip: read where it lies, or laid where it can be read here and there."""
        self._budget.spend(entry.file_size)
        if depth >= DEEPEST:
            yield from self._of_laid_out(io.BytesIO(), name, depth)
        elif window := window_on(archive, entry):
            yield from self._of_laid_out(window, name, depth)
        elif entry.file_size <= IN_MEMORY_BYTES:
            yield from self._of_laid_out(io.BytesIO(b"".join(pieces)), name, depth)
        elif entry.file_size > self._most_spooled_bytes:
            raise Unusable(N_("It unfolds to far more than recordings do. Unpack it and drop the FIT files."))
        else:
            with self._spool(pieces) as stream:
                yield from self._of_laid_out(stream, name, depth)

    def _of_laid_out(self, stream: BinaryIO, name: str, depth: int) -> Iterator[Member]:
        try:
            yield from self.members(stream, name + "/", depth + 1)
        except Unusable as e:
            self._budget.check()
            self._count()
            yield Member(self._unique_name(name), b"", str(e))

    def _read(self, entry: zipfile.ZipInfo, head: bytes, stream: IO[bytes], *, meant: bool) -> bytes:
        """The bytes of a FIT file, or of a zip in a gzip; nothing for any other."""
        if not (meant or head.startswith(_GZIP)):
            return b""
        # Paid before it is read: what turns out too large or broken has cost as much time.
        self._budget.spend(min(entry.file_size, self._largest_bytes))
        data = head + _read_bounded(stream, self._largest_bytes - len(head))
        if data.startswith(_GZIP):
            try:
                data = _gunzip(io.BytesIO(data), self._largest_bytes)
            except Unusable:
                self._budget.spend(self._largest_bytes)
                raise
            self._budget.spend(len(data))
        if meant and format_of(data) is None:
            words = N_("This is not a FIT file but {what}.")
            raise Unusable(words.format(what=describe_unread(data)))
        return data if format_of(data) or data[:4] in ZIP else b""

    def _count(self) -> None:
        self._budget.count_member()
        self.found = True

    def _pass_over(self, name: str) -> None:
        """Count a file that is no recording; what a system laid beside is not worth a word."""
        path = PurePosixPath(name.lower().removesuffix(".gz"))
        if is_side_file(name) or path.name in {".ds_store", "thumbs.db", "desktop.ini"}:
            return
        known = len(path.suffix) <= 8 and path.suffix[1:].isalnum()
        ending = (
            path.suffix
            if known and (path.suffix in self.passed_over or len(self.passed_over) < _MOST_ENDINGS)
            else ""
        )
        self.passed_over[ending] += 1

    def _unique_name(self, name: str) -> str:
        """The name, or one with a number when the archive had that name before: a zip may hold one name twice.

        The last number given to each name is remembered, so that thousands of one name cost no more than as many others.
        """
        name = name or "unnamed"
        unique = name
        while unique in self._names:
            self._names[name] += 1
            unique = f"{name} ({self._names[name]})"
        self._names[unique] = 1
        return unique


def is_side_file(name: str) -> bool:
    """Whether a system made a file of that name beside others, as macOS does: it holds no recording of its own."""
    *folders, last = name.split("/")
    return last.startswith("._") or any(made_by_system(folder) for folder in folders)


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: stream.read(_PIECE_BYTES), b"")


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
            raise Unusable(N_("This gzip holds next to nothing for its length, as none of a recording does."))
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
    except BROKEN as e:
        if isinstance(e, OSError) and e.errno:  # a stick that was pulled out is no fault of the file
            raise
        words = (
            N_("The gzip ends too early, as when a copy was cut off. Copy it again.")
            if isinstance(e, EOFError)
            else N_("The gzip cannot be unpacked: what lies in it is damaged. Copy it again.")
        )
        raise Unusable(words) from e


def _read_bounded(stream: _Readable, most_bytes: int) -> bytes:
    return _within(stream.read(most_bytes + 1), most_bytes)


def _within(data: bytes, most_bytes: int) -> bytes:
    """The bytes, if they are not too many. Raises Unusable."""
    if len(data) > most_bytes:
        words = N_("It is larger than {most} MB, the most that is read of one recording.")
        raise Unusable(words.format(most=f"{most_bytes / (1 << 20):.0f}"))
    return data
