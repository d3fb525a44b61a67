"""A copy as one file that any computer opens: a zip with the journal, the settings, all files, and what each must be."""

import errno
import json
import os
import socket
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from ingest.backup.block import Damaged
from ingest.backup.content import files_to_copy
from ingest.backup.copies import FORMAT, Copy
from ingest.backup.journal_reader import IDENTITY
from ingest.backup.pack import forget_read, open_private, remember
from ingest.backup.staging import JOURNAL, DamagedParts, digest_of, put_if_whole
from ingest.errors import Stop
from ingest.journal import clock_ms
from ingest.journal.damage import leave_note
from ingest.language import N_, Text, system_words
from ingest.settings.model import Settings
from ingest.system.crash_points import reached
from ingest.system.files import NO_ROOM
from ingest.system.sqlite_copy import copy_database
from ingest.system.sqlite_dump import dump, unpack

CONTENTS, README = "contents.json", "README.txt"

_PIECE_BYTES = 1 << 20
_OLDEST_S = 366 * 86_400 * 11
"""A zip knows no time before 1980."""

_WORDS = """\
A copy of the heart rates that hartslag collected.

    journal/journal.db   what was collected: an SQLite database
    archive/, rejected/  the files that were taken, and those that could not be read
    hartslag.toml        the settings
    contents.json        the SHA-256 of each of these

To bring it back, also on another computer: install hartslag there, stop it, and

    hartslag restore FILE

It checks everything first.
"""


def write_one_file(
    settings: Settings, target: Path, mark: Callable[[int], None], now_ms: Callable[[], int] = clock_ms
) -> list[str]:
    """Write a copy of everything into a file: whole, read again and compared, or not there. Gives what could not be read.

    Raises TryLater where the journal cannot be read, Stop where the file cannot be written.
    """
    beside = target.with_name(f".{target.name}.tmp")
    database = target.with_name(f".{target.name}.db.tmp")
    try:
        database.unlink(missing_ok=True)
        open_private(database, 0o600).close()
        at_ms = now_ms()
        copy_database(settings.journal_file, database, mark)
        with open_private(beside, 0o600) as out:
            unread = _write(settings, out, database, at_ms, mark)
            out.flush()
            os.fsync(out.fileno())
            forget_read(out)
        reached("file written")
        with _opened(beside) as archive:
            for _ in _checked(archive, _contents(archive)["files"], mark):
                pass
        beside.rename(target)
        remember(target.parent)
    except Damaged as e:
        words = N_("The copy {file} is not what was written: that disk is failing. Take another one.")
        raise Stop(Text(words, file=target)) from e
    except OSError as e:
        raise _not_written(target, e) from e
    finally:
        for half in (beside, database, database.with_name(f"{database.name}-journal")):
            with suppress(OSError):  # of a disk that can only be read
                half.unlink(missing_ok=True)
    return unread


def _not_written(target: Path, error: OSError) -> Stop:
    if error.errno == errno.EFBIG:
        words = N_(
            "The copy is larger than a file on that disk can be. Format the disk as exFAT, or let the daemon keep copies"
            " there: [backup] in the settings."
        )
    elif error.errno in NO_ROOM:
        words = N_(
            "There is no room for the copy {file}; nothing is left of it. Make room, or take a larger disk."
        )
    else:
        words = N_("The copy {file} cannot be written: {why}. Choose another place.")
    return Stop(Text(words, file=target, why=system_words(error)))


def _write(
    settings: Settings, out: IO[bytes], database: Path, at_ms: int, mark: Callable[[int], None]
) -> list[str]:
    from importlib.metadata import version

    unread: list[str] = []
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(README, _WORDS)
        found = [_put(archive, JOURNAL, database, mark)]
        for name, path in files_to_copy(settings):
            try:
                path.open("rb").close()
            except FileNotFoundError:
                continue
            except OSError:
                unread.append(name)
            else:
                found.append(_put(archive, name, path, mark))
        (first,) = unpack(next(dump(database, first=IDENTITY)))
        contents = {
            "format": FORMAT,
            "at_ms": at_ms,
            "journal": first[1],
            "digest": digest_of(database, lambda _: None),
            "settings": str(settings.file) if settings.file else None,
            "host": socket.gethostname(),
            "program": version("hartslag"),
            "files": found,
        }
        archive.writestr(CONTENTS, json.dumps(contents, indent=1))
    return unread


def _put(archive: zipfile.ZipFile, name: str, path: Path, mark: Callable[[int], None]) -> dict[str, Any]:
    digest, size = sha256(), 0
    day_and_time = time.localtime(max(path.stat().st_mtime, _OLDEST_S))
    entry = zipfile.ZipInfo(name, day_and_time[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    with path.open("rb") as source, archive.open(entry, "w", force_zip64=True) as into:
        changed_ns = os.fstat(source.fileno()).st_mtime_ns
        while data := source.read(_PIECE_BYTES):
            digest.update(data)
            size += len(data)
            into.write(data)
            mark(len(data))
    return {"name": name, "size": size, "sha256": digest.hexdigest(), "changed_ns": changed_ns}


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Raises Damaged for what is no such file, or no longer."""
    with _as_damaged(), zipfile.ZipFile(path) as archive:
        yield archive


@contextmanager
def _as_damaged() -> Iterator[None]:
    """Raises Damaged for all that is raised of a zip which is not what it was."""
    import zlib

    try:
        yield
    except (
        zlib.error,
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        TypeError,
        EOFError,
        NotImplementedError,
        RuntimeError,
    ) as e:
        raise Damaged from e


def _contents(archive: zipfile.ZipFile) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(archive.read(CONTENTS))
    if found["format"] != FORMAT:
        raise Damaged
    return found


def _checked(
    archive: zipfile.ZipFile, files: list[dict[str, Any]], mark: Callable[[int], None]
) -> Iterator[tuple[dict[str, Any], Iterator[bytes]]]:
    """Each file and its bytes, which end with Damaged if they are not what they must be; what nobody takes is checked, too."""
    for file in files:
        pieces = _pieces(archive, file, mark)
        yield file, pieces
        for _ in pieces:
            pass


def _pieces(archive: zipfile.ZipFile, file: dict[str, Any], mark: Callable[[int], None]) -> Iterator[bytes]:
    digest, size = sha256(), 0
    with _as_damaged(), archive.open(file["name"]) as stream:
        while (data := stream.read(_PIECE_BYTES)) and size <= file["size"]:
            digest.update(data)
            size += len(data)
            mark(len(data))
            yield data
    if size != file["size"] or digest.hexdigest() != file["sha256"]:
        raise Damaged


def read_one_file(path: Path) -> Copy:
    """What a file holds. Raises Damaged for what is no copy, or one that is cut off; OSError."""
    with _opened(path) as archive:
        found = _contents(archive)
        sizes = {file["name"]: int(file["size"]) for file in found["files"]}
        return Copy(
            number=1,
            at_ms=int(found["at_ms"]),
            journal=str(found["journal"]),
            journal_lists=(),
            digest=str(found["digest"]),
            journal_bytes=sizes.pop(JOURNAL),
            entries=0,
            file_lists=(),
            files=len(sizes),
            file_bytes=sum(sizes.values()),
            settings=found["settings"],
            host=str(found["host"]),
            program=str(found["program"]),
        )


def stage_one_file(
    path: Path, copy: Copy, staging: Path, mark: Callable[[int], None], *, partly: bool = False
) -> DamagedParts:
    """Put the copy in a file together in a folder that is empty; with `partly` without what is damaged of it.

    Raises Damaged where it is not what it was, OSError.
    """
    has_journal, damaged = True, list[str]()
    with _opened(path) as archive:
        for file in _contents(archive)["files"]:
            pieces = _pieces(archive, file, mark)
            if file["name"] == JOURNAL:
                try:
                    _stage_journal(pieces, copy, staging, mark)
                except Damaged:
                    if not partly:
                        raise
                    has_journal = False
                    leave_note(staging / JOURNAL)  # up to where it is damaged it can be read
            elif not put_if_whole(staging, file["name"], pieces, int(file["changed_ns"]), partly=partly):
                damaged.append(file["name"])
    return DamagedParts(not has_journal, not has_journal, tuple(damaged))


def _stage_journal(pieces: Iterator[bytes], copy: Copy, staging: Path, mark: Callable[[int], None]) -> None:
    (staging / JOURNAL).parent.mkdir(mode=0o700)
    with (staging / JOURNAL).open("xb") as out:
        for data in pieces:
            out.write(data)
    if digest_of(staging / JOURNAL, mark) != copy.digest:
        raise Damaged
