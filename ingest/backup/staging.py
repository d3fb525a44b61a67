"""A copy put together beside the data, and checked to the last byte, before anything of them is touched."""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from ingest.backup.block import Damaged
from ingest.backup.content import FOLDERS, SETTINGS, KeptFile, kept_files
from ingest.backup.copies import Backup, Copy
from ingest.backup.journal_reader import IDENTITY
from ingest.backup.remains import load_remains
from ingest.backup.stream import passing_over, records
from ingest.system.sqlite_dump import dump, load, unpack

JOURNAL = "journal/journal.db"


class DamagedParts(NamedTuple):
    """What of a copy is damaged."""

    journal: bool = False
    remains: bool = False
    """What can be read of the journal was put together all the same."""
    files: tuple[str, ...] = ()
    unnamed: int = 0
    """Of so many files not even the name is left."""


def stage(
    backup: Backup, copy: Copy, staging: Path, mark: Callable[[int], None], *, partly: bool = False
) -> DamagedParts:
    """Put a copy together in a folder that is empty; with `partly` without what is damaged of it.

    Raises Damaged where it is not what it was, OSError.
    """
    blocks = backup.blocks()

    def read(known_by: bytes) -> bytes:
        data = blocks.read(known_by)
        mark(len(data))
        return data

    has_journal, remains = True, False
    try:
        _stage_journal(copy, staging, read, mark)
    except Damaged:
        if not partly:
            raise
        has_journal, remains = False, _stage_remains(copy, staging, read)
    seen, damaged = 0, list[str]()
    try:
        for file in kept_files(copy.file_lists, passing_over(read) if partly else read):
            seen += 1
            if not put_if_whole(staging, file.name, _content(file, read), file.changed_ns, partly=partly):
                damaged.append(file.name)
    except ValueError as e:
        raise Damaged from e
    return DamagedParts(not has_journal, remains, tuple(damaged), copy.files - seen)


def _stage_remains(copy: Copy, staging: Path, read: Callable[[bytes], bytes]) -> bool:
    """Put together what can be read of a journal; False where that is nothing."""
    journal = staging / JOURNAL
    shutil.rmtree(journal.parent)
    journal.parent.mkdir(mode=0o700)
    if load_remains(records(copy.journal_lists, passing_over(read)), journal):
        return True
    shutil.rmtree(journal.parent)
    return False


def _stage_journal(
    copy: Copy, staging: Path, read: Callable[[bytes], bytes], mark: Callable[[int], None]
) -> None:
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


def put_if_whole(
    staging: Path, name: str, content: Iterable[bytes], changed_ns: int, *, partly: bool
) -> bool:
    """Write a file of a copy; with `partly` one that is damaged is left out, which is False. Raises Damaged, OSError."""
    target = _target(staging, name)
    target.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    try:
        with target.open("xb") as out:
            for data in content:
                out.write(data)
    except Damaged:
        if not partly:
            raise
        target.unlink()
        return False
    os.utime(target, ns=(changed_ns, changed_ns))
    return True


def _target(staging: Path, name: str) -> Path:
    """Where a file of a copy goes. Raises Damaged where its name says no place for one."""
    place = PurePosixPath(name)
    if name != SETTINGS and (
        place.parts[0] not in FOLDERS or ".." in place.parts or len(place.parts) < 2 or "\0" in name
    ):
        raise Damaged
    return staging / place
