"""What a copy holds beside the journal: the settings file, and the files that were taken or set aside."""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from ingest.backup.block import ID_BYTES
from ingest.backup.blocks import Blocks
from ingest.backup.stream import StreamWriter, records
from ingest.settings.model import Settings
from ingest.system.sqlite_dump import pack, unpack

SETTINGS = "hartslag.toml"
FOLDERS = ("archive", "rejected")

_PIECE_BYTES = 1 << 20


class KeptFile(NamedTuple):
    """A file in a copy: its name below the data folder, and the blocks of what it holds."""

    name: str
    size: int
    changed_ns: int
    pieces: tuple[bytes, ...]


def files_to_copy(settings: Settings) -> Iterator[tuple[str, Path]]:
    """All files that a copy holds, by the names that they have in it, in order."""
    for folder in FOLDERS:
        yield from _below(settings.data / folder, folder)
    if settings.file is not None:
        yield SETTINGS, settings.file


def _below(folder: Path, name: str) -> Iterator[tuple[str, Path]]:
    try:
        entries = sorted(os.scandir(folder), key=lambda e: e.name)
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _below(Path(entry.path), f"{name}/{entry.name}")
        elif entry.is_file(follow_symlinks=False) and not _is_half(entry.name):
            yield f"{name}/{entry.name}", Path(entry.path)


def bytes_to_copy(settings: Settings) -> int:
    """How much that is, the journal included, to show how far a copy is."""
    sizes = 0
    for path in (settings.journal_file, *(path for _, path in files_to_copy(settings))):
        with contextlib.suppress(OSError):
            sizes += path.stat().st_size
    return sizes


def _is_half(name: str) -> bool:
    """Whether a file is one that is being written just now."""
    return name.startswith(".") and name.endswith(".tmp")


def kept_files(lists: Sequence[str], read: Callable[[bytes], bytes]) -> Iterator[KeptFile]:
    """The files of a copy. Raises what `read` raises, or ValueError."""
    for portion in records(lists, read):
        for name, size, changed_ns, pieces in unpack(portion):
            yield KeptFile(
                name,
                size,
                changed_ns,
                tuple(pieces[at : at + ID_BYTES] for at in range(0, len(pieces), ID_BYTES)),
            )


def _next_piece(source: IO[bytes]) -> bytes | None:
    """More of a file; empty at its end, None where the card cannot read it any more."""
    try:
        return source.read(_PIECE_BYTES)
    except OSError:
        return None


class FileKeeper:
    """Puts files into a copy; those that are as they were in the copy before are not read again."""

    def __init__(self, blocks: Blocks, before: Iterator[KeptFile], mark: Callable[[int], None]) -> None:
        self._blocks, self._mark = blocks, mark
        self._before = {file.name: file for file in before}
        self._stream = StreamWriter(blocks.keep)
        self.count = self.size = 0
        self.unread: list[str] = []
        """Files that are there and could not be read."""

    def keep(self, name: str, path: Path) -> None:
        """Put one file into the copy; one that has gone meanwhile is not in it, and of one that cannot be read that of before. Raises OSError when the copy cannot be written."""
        before = self._before.get(name)
        if before is not None and not all(piece in self._blocks for piece in before.pieces):
            before = None
        try:
            found = self._found(name, path, before)
        except FileNotFoundError:
            return
        if found is None:
            self.unread.append(name)
            if before is None:
                return
            found = before  # an older one is better than none
        for piece in found.pieces:
            self._stream.content(piece)
        self._stream.add(pack([found.name, found.size, found.changed_ns, b"".join(found.pieces)]))
        self.count += 1
        self.size += found.size
        self._mark(found.size)

    def _found(self, name: str, path: Path, before: KeptFile | None) -> KeptFile | None:
        """The file as it is, whose blocks are kept; None where it cannot be read."""
        try:
            now = path.stat()
            if before is not None and (before.size, before.changed_ns) == (now.st_size, now.st_mtime_ns):
                return before
            source = path.open("rb", buffering=0)
        except FileNotFoundError:
            raise
        except OSError:
            return None
        pieces, size = [], 0
        with source:
            while data := _next_piece(source):
                self._mark(0)
                pieces.append(self._blocks.keep(data))
                size += len(data)
        return None if data is None else KeptFile(name, size, now.st_mtime_ns, tuple(pieces))

    def end(self) -> tuple[str, ...]:
        """The lists of the copy's blocks."""
        return self._stream.end()
