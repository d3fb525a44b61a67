"""The store for Grafana that needs no server: an SQLite file beside the journal, rebuilt from it at any time.

Grafana runs as another user and may be the first to open the file: it and its companions must then be writable by
the group, or the daemon would be locked out by files that Grafana made (https://sqlite.org/wal.html#read_only_databases).
"""

import os
import sqlite3
from collections.abc import Collection, Iterable
from contextlib import closing, suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ingest.errors import DiskFull, Stop
from ingest.language import N_, Text
from ingest.language import gettext as _
from ingest.rows.table import TABLES, Block
from ingest.rows.version import rows_version
from ingest.stores.contract import Followed, Overtaken, RefusedRow, Stretch
from ingest.stores.held_straps import StrapsInSqlite
from ingest.stores.sqlite_rows import SAMPLED, create_tables, replace_blocks
from ingest.system.crash_points import reached
from ingest.system.files import make_folder
from ingest.system.patience import Patience
from ingest.system.sqlite import DerivedFile, SqliteFault, fault_of, has_lost_log, open_readonly

if TYPE_CHECKING:
    from ingest.journal import Journal
    from ingest.journal.damage import Damage

_FOLDER_MODE, _FILE_MODE = 0o2770, 0o660


class SqliteStore:
    """The store at a path. One connection; belongs to the thread that uses it."""

    name = "sqlite"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.place = str(path)
        self._file = DerivedFile(
            path,
            _create_position,
            subject=f"The store {path}",
            made_anew="it is made anew from the journal",
            waits="it catches up by itself",
            file_mode=_FILE_MODE,
            make_folder=lambda folder: make_folder(folder, _FOLDER_MODE),
            lock="lock",
        )
        self._began = 0
        self._journal: Followed | None = None

    @property
    def patience(self) -> Patience:
        """How long it waits for another process that has the file."""
        return self._file.patience

    @patience.setter
    def patience(self, patience: Patience) -> None:
        self._file.patience = patience

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    # --- the contract of a store ---

    def begin(self, journal: Followed) -> int:
        """The position in a journal; the store is emptied when it is of another or of an older version."""
        self._journal = journal
        with self._file.explained():
            db = self._file.connection()
            held = self._held_position(db, journal)
            if held is None:
                self.clear(journal)
            self._began = held or 0
            return self._began

    def _held_position(self, db: sqlite3.Connection, journal: Followed) -> int | None:
        """The position in a journal; None where what is held is of another, or of another past of it."""
        has_generation = any(row[1] == "generation" for row in db.execute("PRAGMA table_info(replica)"))
        generation = "generation" if has_generation else "NULL"  # an earlier version's
        held = db.execute(f"SELECT journal, version, position, {generation} FROM replica").fetchone()
        if held is None or held[:2] != (journal.id, rows_version()):
            return None
        position = int(held[2])
        return position if held[3] == journal.generation_at(position) else None

    def write(self, portions: Iterable[list[Block]], position: int) -> None:
        """Hold the blocks, a transaction for each portion, and be at the position with the last of them."""
        with self._file.exclusive():
            if not self._is_where_it_began():
                raise Overtaken
            todo = iter(portions)
            before: list[Block] | None = None
            for portion in chain(todo, [None]):
                if before is not None:
                    with self._file.transaction() as db:
                        replace_blocks(db, before)
                        if portion is None:
                            self._move_position(db, position)
                        reached("store written")
                elif portion is None:
                    with self._file.transaction() as db:
                        self._move_position(db, position)
                before = portion
            reached("store committed")

    def _is_where_it_began(self) -> bool:
        """Whether no other process has moved the position since `begin`."""
        with self._file.explained():
            held = self._file.connection().execute("SELECT position FROM replica").fetchone()
        return held is not None and held[0] == self._began

    def _move_position(self, db: sqlite3.Connection, position: int) -> None:
        """Be at a position; never further back."""
        assert self._journal is not None, "begin comes first"
        if position == self._began:
            return  # only the newest rows came, ahead of their turn: no page is written for that
        generation = self._journal.generation_at(position)
        db.execute(
            "UPDATE replica SET position = ?1, generation = ?2 WHERE position <= ?1", (position, generation)
        )
        self._began = max(self._began, position)

    def keep_persons(self, names: Collection[str]) -> None:
        """Delete the rows of everybody else."""
        marks = ", ".join("?" * len(names))
        others = f"person NOT IN ({marks})"
        with self._file.exclusive(), self._file.transaction() as db:
            if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'series'").fetchone():
                return
            for name in TABLES:
                if name in SAMPLED:
                    of_others = f"SELECT id FROM series WHERE {others}"
                    db.execute(f"DELETE FROM {name}_sample WHERE series IN ({of_others})", tuple(names))
                else:
                    db.execute(f"DELETE FROM {name} WHERE {others}", tuple(names))
            db.execute(f"DELETE FROM series WHERE {others}", tuple(names))

    def holds_others(self, names: Collection[str]) -> bool:
        """What was deleted is gone for good."""
        del names
        return False

    def wipe(self) -> None:
        """Leave no byte of deleted rows in the file."""
        self._file.wipe()

    def discard(self) -> None:
        """Take the file away: whoever follows next makes it anew. Raises TryLater."""
        with self._file.exclusive():
            self._file.discard()

    def maintain(self) -> None:
        """Nothing waits here."""

    def doubted(self, persons: Collection[str]) -> None:
        """What was committed is on the disk."""
        del persons

    def counts_as_before(self, stretch: Stretch) -> bool:
        """`faults` looks over the whole file."""
        del stretch
        return True

    def compare(self, portions: Iterable[list[Block]], stretch: Stretch) -> bool:
        """Nothing is ever asked for."""
        del portions, stretch
        return True

    def make(self) -> None:
        """Be there for those who read, with no row, also before anything was collected. Raises TryLater."""
        with self._file.exclusive(), self._file.transaction() as db:
            if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'series'").fetchone():
                create_tables(db)

    def clear(self, journal: Followed) -> None:
        """Delete all rows: the next one to follow the journal fills it anew."""
        with self._file.exclusive():
            self._bear_witness(journal)
            self._empty(journal)

    def _bear_witness(self, journal: Followed) -> None:
        """Tell a journal that is not the one that was followed, or was put back, what is held of straps."""
        db = self._file.connection()
        with suppress(sqlite3.OperationalError):  # tables of an earlier version, or none
            if _is_of_another(db, journal):
                journal.note_gone(StrapsInSqlite(db))

    def missing_from(self, journal: "Journal") -> "list[Damage]":
        """What it would tell a journal that was repaired: what it holds of straps, and that journal does not. Nothing is changed."""
        from ingest.journal.witnessed import gone

        if not self.path.exists():
            return []
        with suppress(sqlite3.Error, Stop), closing(open_readonly(self.path)) as db:
            return gone(journal, StrapsInSqlite(db)) if _is_of_another(db, journal) else []
        return []

    def _empty(self, journal: Followed) -> None:
        with self._file.transaction() as db:
            for kind, name in db.execute(
                "SELECT type, name FROM sqlite_schema WHERE name NOT LIKE 'sqlite%'"
            ).fetchall():
                if kind in {"table", "view"} and name != "replica":
                    db.execute(f'DROP {kind} "{name}"')
            db.execute("DELETE FROM replica")
            create_tables(db)
            sql = "INSERT INTO replica (journal, version, position, generation) VALUES (?, ?, 0, ?)"
            db.execute(sql, (journal.id, rows_version(), journal.generation_at(0)))

    # --- for `status` and `check` ---

    remedy = "`hartslag rebuild` makes it anew."

    def refused_rows(self) -> list[RefusedRow]:
        """It takes all of them."""
        return []

    def reported_position(self, journal: Followed) -> int:
        """Its position, which is always the true one; 0 when the file is not there or cannot be read."""
        if has_lost_log(self.path):
            return 0
        with suppress(sqlite3.DatabaseError, Stop), closing(open_readonly(self.path)) as db:
            return self._held_position(db, journal) or 0
        return 0

    def misplaced(self) -> str | None:
        """What is in its place instead of it: a file of another user's, one that lost its log, or one in which nothing of ours is."""
        if not self.path.is_file():
            return None
        if has_lost_log(self.path):
            return _("its log was deleted; the daemon makes it anew")
        if not os.access(self.path, os.W_OK):
            owner = self.path.stat().st_uid
            return _("it belongs to another user ({number}); the daemon makes it anew").format(number=owner)
        with suppress(sqlite3.DatabaseError, Stop), closing(open_readonly(self.path)) as db:
            if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'replica'").fetchone():
                return _("nothing of hartslag is in it; the daemon makes it anew")
        return None

    def faults(self, journal: str = "") -> list[str]:  # noqa: ARG002 - a copy of any journal may be damaged
        """What SQLite finds wrong with the file; empty when it is whole or not there. Raises DiskFull."""
        if not self.path.exists():
            return []
        if wrong := self.misplaced():
            return [wrong]
        try:
            with closing(open_readonly(self.path)) as db:
                found = [row[0] for row in db.execute("PRAGMA integrity_check")]
        except sqlite3.DatabaseError as e:
            if fault_of(e, self.path) is SqliteFault.FULL:
                words = N_(
                    "The store {path} cannot be looked at: the disk is full. Make room; nothing is lost meanwhile."
                )
                raise DiskFull(Text(words, path=self.path)) from e
            return [str(e)]
        except Stop as e:
            return [str(e)]
        return [] if found == ["ok"] else found


def _is_of_another(db: sqlite3.Connection, journal: Followed) -> bool:
    """Whether a store was filled from another journal, or from another past of it. Raises sqlite3.Error."""
    held = db.execute("SELECT journal, position, generation FROM replica").fetchone()
    return bool(held) and held != (journal.id, held[1], journal.generation_at(held[1]))


def _create_position(db: sqlite3.Connection) -> None:
    db.execute(
        "CREATE TABLE IF NOT EXISTS replica (journal TEXT NOT NULL, version INTEGER NOT NULL, position INTEGER NOT NULL,"
        " generation TEXT)"
    )
    if not any(row[1] == "generation" for row in db.execute("PRAGMA table_info(replica)")):
        db.execute("ALTER TABLE replica ADD COLUMN generation TEXT")
