"""Opening what was dropped: a FIT file as it is, or the FIT files within gzip and zip, within bounds.

Nothing is ever written to disk here, so no name within a zip can lead out of the inbox.
"""

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from ingest.errors import Unusable

MOST_MEMBERS = 20_000
"""A zip of a whole account holds a few thousand files per decade of wear."""

DEEPEST = 3
"""An account's export is a zip of zips of gzipped files."""

MOST_BYTES_TIMES = 200
"""A FIT file shrinks to a tenth or so; what shrinks to less than this is made to harm."""

_GZIP = b"\x1f\x8b"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_LATER_EXPORTS = {
    b"<?xml": "an XML file such as GPX or TCX",
    b"<gpx": "a GPX file",
    b"<Trai": "a TCX file",
    b"{": "a JSON file",
    b"%PDF": "a PDF",
    b"\x00\x05\x16\x07": "a side file that macOS makes (AppleDouble); it holds no recording",
}


@dataclass(frozen=True, slots=True)
class Member:
    """One file out of a parcel: its name within it ('' for the parcel itself) and its bytes, or why it has none."""

    name: str
    data: bytes
    fault: str = ""


def is_fit(data: bytes) -> bool:
    """Whether the bytes begin like a FIT file."""
    return len(data) >= 12 and data[8:12] == b".FIT"


def what_it_is(data: bytes) -> str:
    """A guess in words at what bytes that are no FIT file may be."""
    if not data:
        return "empty"
    return next(
        (words for magic, words in _LATER_EXPORTS.items() if data.startswith(magic)), "something else"
    )


def looks_whole(data: bytes) -> bool:
    """Whether a gzip or zip reads to its end; says yes to what is neither."""
    try:
        if data.startswith(_GZIP):
            _gunzip(data, len(data) * MOST_BYTES_TIMES + (1 << 20))
        elif data.startswith(_ZIP):
            with zipfile.ZipFile(io.BytesIO(data)):
                pass
    except Unusable:
        return False
    except zipfile.BadZipFile:
        return False
    return True


def members(data: bytes, largest_bytes: int) -> Iterator[Member]:
    """The FIT files in a parcel, one after the other, each at most `largest_bytes` long.

    What is not meant to be a FIT file is passed over in a zip. Raises Unusable for a parcel that cannot be opened,
    holds no FIT file at all, or is made to harm.
    """
    if data.startswith(_GZIP):
        data = _gunzip(data, largest_bytes)
    if not data.startswith(_ZIP):
        if not is_fit(data):
            raise Unusable(
                f'This is not a FIT file but {what_it_is(data)}. Export the activity as FIT ("original") and drop that.'
                if data
                else "The file is empty. Copy it again from the watch."
            )
        yield Member("", data)
        return
    budget = _Budget(len(data) * MOST_BYTES_TIMES + largest_bytes)
    found = False
    for member in _unzip(data, "", 1, largest_bytes, budget):
        found = True
        yield member
    if not found:
        raise Unusable(
            'There is no FIT file in this zip. Export the activities as FIT ("original") and drop those.'
        )


@dataclass(slots=True)
class _Budget:
    """What a parcel may still unfold to."""

    left_bytes: int
    left_members: int = MOST_MEMBERS

    def spend(self, size: int) -> None:
        self.left_bytes -= size
        self.left_members -= 1
        if self.left_bytes < 0 or self.left_members < 0:
            raise Unusable(
                "This zip unfolds to far more than recordings do. Unpack it yourself and drop the FIT files in it."
            )


def _unzip(data: bytes, prefix: str, depth: int, largest_bytes: int, budget: _Budget) -> Iterator[Member]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as parcel:
            for info in parcel.infolist():
                budget.spend(0)
                if info.is_dir():
                    continue
                yield from _member(parcel, info, prefix, depth, largest_bytes, budget)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, zlib.error, ValueError, OSError) as e:
        if isinstance(e, Unusable):
            raise
        raise Unusable(
            f"The zip cannot be opened ({e}). Copy it again, or unpack it and drop the FIT files."
        ) from e


def _member(
    parcel: zipfile.ZipFile,
    info: zipfile.ZipInfo,
    prefix: str,
    depth: int,
    largest_bytes: int,
    budget: _Budget,
) -> Iterator[Member]:
    name = prefix + info.filename.replace("\\", "/")
    meant = info.filename.lower().endswith((".fit", ".fit.gz"))
    try:
        if info.flag_bits & 1:
            if meant:
                yield Member(
                    name, b"", "It is locked with a password. Unpack the zip yourself and drop the FIT files."
                )
            return
        with parcel.open(info) as stream:
            head = stream.read(12)
            if not (meant or is_fit(head) or head.startswith((_GZIP, *_ZIP))):
                return
            inner = head + stream.read(largest_bytes + 1 - len(head))
    except (zipfile.BadZipFile, NotImplementedError, EOFError, zlib.error, ValueError, OSError) as e:
        yield Member(name, b"", f"It cannot be taken out of the zip ({e}). Copy the zip again.")
        return
    budget.spend(len(inner))
    if len(inner) > largest_bytes:
        yield Member(name, b"", f"It is larger than {largest_bytes >> 20} MB, the most that is read.")
        return
    if inner.startswith(_GZIP):
        try:
            inner = _gunzip(inner, largest_bytes)
        except Unusable as e:
            yield Member(name, b"", str(e))
            return
        budget.spend(len(inner))
    if inner.startswith(_ZIP):
        if depth >= DEEPEST:
            yield Member(
                name, b"", f"It lies more than {DEEPEST} zips deep. Unpack it and drop the FIT files."
            )
            return
        try:
            yield from _unzip(inner, name + "/", depth + 1, largest_bytes, budget)
        except Unusable as e:
            if budget.left_bytes < 0 or budget.left_members < 0:
                raise
            yield Member(name, b"", str(e))
        return
    if meant or is_fit(inner):
        yield Member(name, inner)


def _gunzip(data: bytes, largest_bytes: int) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            inner = stream.read(largest_bytes + 1)
    except (EOFError, OSError, zlib.error) as e:
        raise Unusable(f"The gzip cannot be unpacked ({e}). Copy it again.") from e
    if len(inner) > largest_bytes:
        raise Unusable(f"It unpacks to more than {largest_bytes >> 20} MB, the most that is read.")
    return inner
