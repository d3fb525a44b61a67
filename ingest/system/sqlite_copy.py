"""A database copied whole by SQLite's own backup, and checked (https://sqlite.org/backup.html)."""

import errno
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from ingest.errors import TryLater
from ingest.language import N_, Text
from ingest.system.sqlite import SqliteFault, fault_of, open_readonly

_STEP_PAGES = 4096


def copy_database(path: Path, target: Path, mark: Callable[[int], None]) -> None:
    """Copy a database as it is at one moment into a file that is not there yet, which is then one file and no more.

    `mark` is told how many bytes more are copied. Raises TryLater, or OSError where the copy cannot be written.
    """
    try:
        with closing(open_readonly(path)) as source:
            # One transaction for all steps: else each commit of somebody else would have it begin anew.
            source.execute("BEGIN")
            (size,) = source.execute("PRAGMA page_size").fetchone()
            source.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()
            _copy(source, target, size, mark)
    except sqlite3.Error as e:
        words = N_("No copy is made, as {path} cannot be copied now ({why}).")
        raise TryLater(Text(words, path=path, why=str(e))) from e
    # No longer one with a write-ahead log: a file by itself (https://sqlite.org/fileformat2.html, offset 18).
    with target.open("r+b") as file:
        file.seek(18)
        file.write(b"\1\1")
    if (found := _faults(target)) != ["ok"]:
        words = N_(
            "No copy is made, as the journal {path} is damaged ({why}). `hartslag repair` brings back what can be read."
        )
        raise TryLater(Text(words, path=path, why="; ".join(found)))


def _copy(source: sqlite3.Connection, target: Path, page_bytes: int, mark: Callable[[int], None]) -> None:
    copied = 0

    def progress(_: int, remaining: int, total: int) -> None:
        nonlocal copied
        mark((total - remaining - copied) * page_bytes)
        copied = total - remaining

    # A share may know no locks, and nobody else has the copy open.
    how = f"{target.absolute().as_uri()}?vfs=unix-none"
    with closing(sqlite3.connect(how, uri=True)) as copy:
        copy.execute("PRAGMA synchronous = OFF")
        try:
            source.backup(copy, pages=_STEP_PAGES, progress=progress)
        except sqlite3.Error as e:
            if fault_of(e, target) is SqliteFault.FULL:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target)) from e
            raise


def _faults(path: Path) -> list[str]:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as db:
        try:
            return [str(row[0]) for row in db.execute("PRAGMA integrity_check(3)")]
        except sqlite3.DatabaseError as e:
            return [str(e)]
