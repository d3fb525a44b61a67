"""A copy put together beside the data, and checked to the last byte, before anything of them is touched."""

import os
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from typing import Any

from ingest.backup.block import Damaged
from ingest.backup.content import FOLDERS, SETTINGS, KeptFile, kept_files
from ingest.backup.copies import Backup, Copy
from ingest.backup.journal_reader import IDENTITY
from ingest.backup.stream import records
from ingest.system.sqlite_dump import dump, load, unpack

JOURNAL = "journal/journal.db"


def stage(backup: Backup, copy: Copy, staging: Path, mark: Callable[[int], None]) -> None:
    """Put a copy together in a folder that is empty. Raises Damaged where it is not what it was, OSError."""
    blocks = backup.blocks()

    def read(known_by: bytes) -> bytes:
        data = blocks.read(known_by)
        mark(len(data))
        return data

    digest = blake2b(digest_size=20)

    def portions() -> Iterator[bytes]:
        for portion in records(copy.journal_lists, read):
            digest.update(portion)
            yield portion

    journal = staging / JOURNAL
    journal.parent.mkdir(mode=0o700)
    try:
        load(_values(portions()), journal)
        if digest.hexdigest() != copy.digest or digest_of(journal, mark) != copy.digest:
            raise Damaged
        for file in kept_files(copy.file_lists, read):
            put_file(staging, file.name, _content(file, read), file.changed_ns)
    except ValueError as e:
        raise Damaged from e


def _values(portions: Iterable[bytes]) -> Iterator[list[Any]]:
    for portion in portions:
        yield from unpack(portion)


def _content(file: KeptFile, read: Callable[[bytes], bytes]) -> Iterator[bytes]:
    size = 0
    for piece in file.pieces:
        data = read(piece)
        size += len(data)
        yield data
    if size != file.size:
        raise Damaged


def digest_of(journal: Path, mark: Callable[[int], None]) -> str:
    """What is left of all that a journal holds; equal for two that hold the same."""
    digest = blake2b(digest_size=20)
    for record in dump(journal, first=IDENTITY):
        mark(len(record))
        digest.update(record)
    return digest.hexdigest()


def put_file(staging: Path, name: str, content: Iterable[bytes], changed_ns: int) -> None:
    """Write a file of a copy, where its name says, if that is a place for one. Raises Damaged, OSError."""
    place = PurePosixPath(name)
    if name != SETTINGS and (
        place.parts[0] not in FOLDERS or ".." in place.parts or len(place.parts) < 2 or "\0" in name
    ):
        raise Damaged
    target = staging / place
    target.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    with target.open("xb") as out:
        for data in content:
            out.write(data)
    os.utime(target, ns=(changed_ns, changed_ns))
