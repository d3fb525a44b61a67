"""The memory of a watch, or its card, as a folder: which watch it is, and which of its files are recordings.

What lies in it came from outside. Nothing in it is followed, believed, or held in memory beyond a bound.
"""

import contextlib
import json
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

RECORDINGS = frozenset({"activity", "activities", "monitor", "sleep", "hrv", "hrvstatus", "metrics"})
"""Folders below GARMIN in which watches keep what they recorded; the others hold courses, maps and settings."""

DEEPEST = 4
"""Folders below one of these; a watch has one at most."""

MOST_FILES = 100_000
"""Ten times what a watch has room for; a broken file system may show files without end."""

_ENDINGS = (".fit", ".fit.gz", ".zip")
_LARGEST_DESCRIPTION = 1 << 20
_LOOKED_INTO = 5


@dataclass(frozen=True, slots=True)
class MemoryFile:
    """A file that may be fetched: where it lies, its name below the folder, its size, and when it was changed."""

    path: Path
    name: str
    size: int
    changed_ns: int

    @property
    def mark(self) -> str:
        """What tells it from any other file, and from itself after a change; a line of text."""
        return f"{self.size} {self.changed_ns} {json.dumps(self.name)}"


@dataclass(frozen=True, slots=True)
class WatchMemory:
    """What a watch says of itself, and its recordings; the serial number is "" where nothing tells it.

    `damaged` counts what could not even be looked at.
    """

    serial: str
    product: str
    files: list[MemoryFile]
    damaged: int = 0


def read_memory(folder: Path) -> WatchMemory | None:
    """The watch whose memory is shown in a folder; None where no watch keeps its files. Raises OSError when it is gone."""
    roots = _roots(folder)
    if not roots:
        return None
    found: list[MemoryFile] = []
    damaged: list[str] = []
    for root in roots:
        before = f"{root.parent.name}/" if len(roots) > 1 else ""
        for entry in _entries(root):
            if entry.name.casefold() in RECORDINGS and _is_folder(entry):
                found += _files_below(Path(entry.path), f"{before}{entry.name}/", DEEPEST, damaged)
    if damaged:
        _entries(folder)  # which says whether it is the watch that is gone
    serial, product = _description(roots)
    return WatchMemory(serial or _serial_in_files(found), product, found[:MOST_FILES], len(damaged))


def files_in(folder: Path) -> list[MemoryFile]:
    """The files in any other folder, and below it, that may be recordings."""
    from ingest.collect import (
        inbox,  # with all that knows formats, which a watch that is plugged in does not wait for
    )

    found = []
    for entry, name in inbox.files(folder):
        if entry.name.lower().endswith(_ENDINGS) and (file := _as_file(entry, name, [])):
            found.append(file)
    return found


def _roots(folder: Path) -> list[Path]:
    """The folders GARMIN: this one, one in it, or one in each storage that MTP shows (`Internal Storage`, `Primary`)."""
    if folder.name.casefold() == "garmin":
        return _named_garmin(folder) or [folder]
    if found := _named_garmin(folder):
        return [inner for root in found for inner in _named_garmin(root) or [root]]
    within: list[Path] = []
    for entry in _entries(folder):
        if _is_folder(entry):
            with contextlib.suppress(OSError):  # not for everybody, on a stick that is none of a watch
                within += _named_garmin(Path(entry.path))
    return within


def _named_garmin(folder: Path) -> list[Path]:
    return [Path(e.path) for e in _entries(folder) if e.name.casefold() == "garmin" and _is_folder(e)]


def _entries(folder: Path) -> list["os.DirEntry[str]"]:
    with os.scandir(folder) as found:
        return sorted(islice(found, MOST_FILES), key=lambda entry: entry.name)


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _files_below(folder: Path, prefix: str, deepest: int, damaged: list[str]) -> Iterator[MemoryFile]:
    try:
        entries = _entries(folder)
    except OSError:
        damaged.append(prefix)
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if _is_folder(entry):
            if deepest:
                yield from _files_below(Path(entry.path), f"{prefix}{entry.name}/", deepest - 1, damaged)
        elif entry.name.lower().endswith(".fit") and (file := _as_file(entry, prefix + entry.name, damaged)):
            yield file


def _as_file(entry: "os.DirEntry[str]", name: str, damaged: list[str]) -> MemoryFile | None:
    """None for what is no file, or is empty: a watch makes a file before it has anything to write."""
    try:
        found = entry.stat(follow_symlinks=False)
    except OSError:
        damaged.append(name)
        return None
    if not stat.S_ISREG(found.st_mode) or not found.st_size:
        return None
    return MemoryFile(Path(entry.path), name, found.st_size, found.st_mtime_ns)


# --- which watch it is ---


def _description(roots: list[Path]) -> tuple[str, str]:
    """(Serial number, product) as GarminDevice.xml has them, which every watch keeps; what it does not say is ""."""
    import html  # `status`, which asks how a fetching went, does without

    for root in roots:
        for entry in _entries(root):
            if entry.name.casefold() == "garmindevice.xml" and entry.is_file(follow_symlinks=False):
                text = _read(Path(entry.path), _LARGEST_DESCRIPTION).decode("utf-8", "replace")
                serial, product = (
                    _element(text, "Id", r"\d{1,10}"),
                    _element(text, "Description", "[^<>]{1,80}"),
                )
                known = serial.isdecimal() and 0 < int(serial) < 1 << 32
                return str(int(serial)) if known else "", " ".join(html.unescape(product).split())
    return "", ""


def _element(text: str, name: str, content: str) -> str:
    """The first element of that name. Looked for and not parsed: entities within entities would fill the memory."""
    found = re.search(rf"<(?:\w+:)?{name}>\s*({content})\s*</", text)
    return found[1] if found else ""


def _serial_in_files(files: list[MemoryFile]) -> str:
    for file in files[:_LOOKED_INTO]:
        from ingest.formats.fit.file_id import HEAD_BYTES, read_serial

        if serial := read_serial(_read(file.path, HEAD_BYTES)):
            return serial
    return ""


def _read(path: Path, most: int) -> bytes:
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as stream:
            return stream.read(most)
    except OSError:
        return b""
