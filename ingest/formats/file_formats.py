"""Which format a file is in, and who reads it: one entry for each format that can be read, and words for others we know."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from ingest.errors import Unusable
from ingest.formats.recording import Recording
from ingest.language import N_

HEAD_BYTES = 1024
"""So many bytes from the beginning tell every format from the others."""


@dataclass(frozen=True, slots=True)
class FileFormat:
    """How files of one format are known, and read.

    `recognises` takes the first `HEAD_BYTES` of a file or more, and loads nothing, as the daemon asks it; `looks_whole` and `read` all of it. `read` raises
    Unusable, and nothing else, for what holds nothing to read. `trial` gives a small file of this format: reading it loads
    all that reading any needs, as the reading process can load nothing later.
    """

    name: str
    endings: tuple[str, ...]
    """Of file names, in small letters: a file that has one is meant to be in this format."""
    recognises: Callable[[bytes], bool]
    looks_whole: Callable[[bytes], bool]
    read: Callable[[bytes], Recording]
    trial: Callable[[], bytes]


def _loaded(module: str, name: str) -> Callable[..., Any]:
    """A function of a module that is loaded once it is called: the daemon asks what files are called, and reads none itself."""

    def call(*values: Any) -> Any:
        return getattr(import_module(module), name)(*values)

    return call


def _recognises_fit(data: bytes) -> bool:
    """Whether the first twelve bytes are those of a FIT file (FIT SDK, "FIT Protocol", file header)."""
    return data[8:12] == b".FIT"


_FIT = (_loaded("ingest.formats.fit", name) for name in ("looks_whole", "read_recording", "trial_file"))

FORMATS: tuple[FileFormat, ...] = (FileFormat("FIT", (".fit",), _recognises_fit, *_FIT),)

ENDINGS = tuple(ending for known in FORMATS for ending in known.endings)

NOT_READ: Mapping[bytes, str] = {
    b"<?xml": N_("an XML file such as GPX or TCX"),
    b"<gpx": N_("a GPX file"),
    b"<Trai": N_("a TCX file"),
    b"{": N_("a JSON file"),
    b"%PDF": N_("a PDF"),
    b"\xff\xd8\xff": N_("a photo (JPEG)"),
    b"\x89PNG": N_("a picture (PNG)"),
    b"\x00\x05\x16\x07": N_("a side file that macOS makes (AppleDouble); it holds no recording"),
}
"""The first bytes of what people drop as well, and what it is in words."""

PACKED: Mapping[tuple[int, bytes], str] = {
    (0, b"7z\xbc\xaf\x27\x1c"): "7-Zip",
    (0, b"Rar!\x1a\x07"): "RAR",
    (0, b"BZh"): "bzip2",
    (0, b"\xfd7zXZ\x00"): "xz",
    (0, b"\x28\xb5\x2f\xfd"): "zstd",
    (0, b"PK\x03\x04"): "zip",
    (257, b"ustar"): "tar",
}
"""Where in a file which bytes tell that it is packed, and as what: none of these is opened here, nor a zip within a gzip."""


def format_of(data: bytes) -> FileFormat | None:
    """The format of a file, by its first bytes; None where it is in none that can be read."""
    return next((known for known in FORMATS if known.recognises(data)), None)


def describe_unread(data: bytes) -> str:
    """A guess in words at what bytes in none of the formats may be."""
    if not data:
        return N_("an empty file")
    if kind := packed_as(data):
        return N_("a packed file ({kind})").format(kind=kind)
    return next((words for magic, words in NOT_READ.items() if data.startswith(magic)), N_("something else"))


def packed_as(data: bytes) -> str | None:
    """What packed the files in these bytes, if anything did that is not opened here."""
    return next((kind for (at, magic), kind in PACKED.items() if data.startswith(magic, at)), None)


def read_recording(data: bytes) -> Recording:
    """The recording in a file. Raises Unusable, and nothing else, for what holds nothing to read."""
    known = format_of(data)
    if known is None:
        words = N_("This is not a {formats} file but {what}.")
        formats = " or ".join(known.name for known in FORMATS)
        raise Unusable(words.format(formats=formats, what=describe_unread(data)))
    return known.read(data)
