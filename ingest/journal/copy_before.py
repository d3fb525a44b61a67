"""A copy of the journal as it was, made before its tables are changed and kept beside it."""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from ingest.errors import TryLater
from ingest.language import N_, Text, system_words
from ingest.system.files import DISK, make_file, sync_path
from ingest.system.sqlite import SqliteFault, fault_of

_MODE = 0o600
"""Heart rates are nobody else's business."""


def copy_before(db: sqlite3.Connection, migration: str) -> Path:
    """A whole copy of the database as it was last committed, beside it, under a name that says what comes next.

    `db` may hold the lock for writing, so that nobody appends meanwhile; it has changed nothing yet. Raises TryLater
    when there is no room, or sqlite3.Error.
    """
    import shutil  # which drags bz2 and lzma along; copies are rare

    path = Path(db.execute("PRAGMA database_list").fetchone()[2])
    target = path.with_name(f"{path.name}.before-{migration}")
    beside = target.with_name(f".{target.name}.tmp")
    needed = _size(db)
    try:
        if shutil.disk_usage(path.parent).free < needed:
            raise _no_room(path, target, needed)
        beside.unlink(missing_ok=True)
        os.close(make_file(beside, _MODE))
        # The connection that holds the lock may not be copied from (https://sqlite.org/c3ref/backup_finish.html).
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(beside)) as copy:
            source.backup(copy)
        sync_path(beside)
        DISK.rename(beside, target)
        sync_path(path.parent)
    except sqlite3.Error as e:
        if fault_of(e, path) is SqliteFault.FULL:
            raise _no_room(path, target, needed) from e
        raise
    except OSError as e:
        raise TryLater(
            Text(
                N_(
                    "The journal {path} must be changed for this version, and the copy {copy} that is made of it before"
                    " cannot be written: {why}. Check who owns its folder; nothing is changed until then."
                ),
                path=path,
                copy=target.name,
                why=system_words(e),
            )
        ) from e
    finally:
        with suppress(OSError):
            beside.unlink()
    return target


def _size(db: sqlite3.Connection) -> int:
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    (size,) = db.execute("PRAGMA page_size").fetchone()
    return int(pages * size)


def _no_room(path: Path, target: Path, needed: int) -> TryLater:
    return TryLater(
        Text(
            N_(
                "The journal {path} must be changed for this version, and there is no room for the copy {copy} that is"
                " made of it before. Make {megabytes:.1f} MB of room on that disk; nothing is changed until then."
            ),
            path=path,
            copy=target.name,
            megabytes=max(needed / 1e6, 0.1),
        )
    )
