"""What we know of a server's store, on our side: how far it is, what it refused, which series are being corrected.

A small SQLite file beside the store for Grafana. Not the server, which may be away when `status` asks; not the journal,
where each of our steps would cost a write to the card that waits for it. Without this file all is compared anew.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.errors import Stop
from ingest.rows.version import rows_version
from ingest.stores.contract import RefusedRow
from ingest.stores.influx.lines import parse_tags
from ingest.system.files import make_folder
from ingest.system.sqlite import DerivedFile, open_readonly

PAGE_BYTES = 4096
"""SQLite's own: copies of whole series are kept here, and little else."""

_TABLES = """
CREATE TABLE IF NOT EXISTS replica (
    place TEXT NOT NULL, journal TEXT NOT NULL, version INTEGER NOT NULL,
    position INTEGER NOT NULL,  -- held for sure, whatever happens to the server now
    sent INTEGER NOT NULL,      -- said yes to
    sent_ms INTEGER NOT NULL,   -- when that was written down
    empty_to INTEGER NOT NULL,  -- filled from nothing up to here: what is sent for these entries needs no comparing
    writer TEXT NOT NULL,
    generation TEXT             -- which run of a writer `sent` is of, in the journal
);
CREATE TABLE IF NOT EXISTS refused (
    line BLOB NOT NULL, unit TEXT NOT NULL, key TEXT PRIMARY KEY, tables TEXT NOT NULL, time_us INTEGER NOT NULL,
    words TEXT NOT NULL, since_ms INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS patch (
    id INTEGER PRIMARY KEY, series TEXT NOT NULL, start_us INTEGER NOT NULL, end_us INTEGER NOT NULL,
    times BLOB NOT NULL, cells BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS copy (id INTEGER PRIMARY KEY, series TEXT NOT NULL, unit TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS ahead (series TEXT NOT NULL, time_us INTEGER NOT NULL, unit TEXT NOT NULL, line BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS copied (series TEXT PRIMARY KEY);
"""

_PATCH = "INSERT INTO patch (series, start_us, end_us, times, cells) VALUES (?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """How far a store is."""

    position: int
    sent: int
    sent_ms: int
    empty_to: int
    writer: str
    generation: str | None = None
    """Which run of a writer `sent` is of."""


class Ledger:
    """The file at a path. One connection; belongs to the thread that uses it."""

    def __init__(self, path: Path, now_ms: Callable[[], int]) -> None:
        self.path, self.now_ms = path, now_ms
        self.file = DerivedFile(
            path,
            _create,
            subject=str(path),
            made_anew="the server is compared with the journal anew",
            waits="it is tried again",
            file_mode=0o600,  # refused rows stand in it: nobody but us needs to read them
            make_folder=make_folder,
            lock="influx.lock",
            page_bytes=PAGE_BYTES,
        )

    def close(self) -> None:
        """Let go of the file."""
        self.file.close()

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        """The connection, within one transaction. Raises TryLater."""
        return self.file.transaction()

    def exclusive(self) -> AbstractContextManager[None]:
        """One process at a time brings the server up to date: rows counted earlier must not land later."""
        return self.file.exclusive()

    # --- how far ---

    def replica_state(self, place: str, journal: str) -> ReplicaState | None:
        """How far the store is; None when the file tells of another server or journal, or of nothing."""
        with self.transaction() as db:
            return _read_state(db, place, journal)

    def last_journal(self, place: str) -> str | None:
        """The journal that was last sent to the server; a file that is not there is not made."""
        if not self.path.exists():
            return None
        with self.transaction() as db:
            found = db.execute("SELECT journal FROM replica WHERE place = ?", (place,)).fetchone()
        return found[0] if found else None

    def reset(
        self, place: str, journal: str, writer: str, empty_to: int, generation: str | None
    ) -> ReplicaState:
        """Be at the beginning; nothing is refused any more, as all is sent once more."""
        with self.transaction() as db:
            for table in ("replica", "refused", "ahead", "patch", "copy", "copied"):
                db.execute(f"DELETE FROM {table}")
            db.execute(
                "INSERT INTO replica (place, journal, version, position, sent, sent_ms, empty_to, writer, generation)"
                " VALUES (?, ?, ?, 0, 0, ?, ?, ?, ?)",
                (place, journal, rows_version(), self.now_ms(), empty_to, writer, generation),
            )
            return ReplicaState(0, 0, self.now_ms(), empty_to, writer, generation)

    def advance(self, state: ReplicaState, patches: Iterable[tuple[Any, ...]] = ()) -> None:
        """Be further on, together with what is still to be corrected up to there."""
        with self.transaction() as db:
            db.execute(
                "UPDATE replica SET position = ?, sent = ?, sent_ms = ?, writer = ?, generation = ?",
                (state.position, state.sent, self.now_ms(), state.writer, state.generation),
            )
            db.executemany(_PATCH, patches)

    def peek_state(self, place: str, journal: str) -> ReplicaState | None:
        """How far the store is, for `status`; makes and changes nothing."""
        with suppress(sqlite3.DatabaseError, Stop), closing(open_readonly(self.path)) as db:
            return _read_state(db, place, journal)
        return None

    def keep_persons(self, names: Collection[str]) -> None:
        """Let go of all that is kept here of others than these persons."""
        kept = [_person_in_json(name) for name in names]
        shown = [repr(("person", name)) for name in names]
        with self.transaction() as db:
            for table in ("patch", "copy", "copied"):
                for (series,) in db.execute(f"SELECT DISTINCT series FROM {table}").fetchall():
                    if not any(name in series for name in kept):
                        db.execute(f"DELETE FROM {table} WHERE series = ?", (series,))
            for (series,) in db.execute("SELECT DISTINCT series FROM ahead").fetchall():
                if not any(name in series for name in shown):
                    db.execute("DELETE FROM ahead WHERE series = ?", (series,))
            for (key,) in db.execute("SELECT key FROM refused").fetchall():
                if parse_tags(key.encode()).get("person") not in names:
                    db.execute("DELETE FROM refused WHERE key = ?", (key,))

    # --- what was refused ---

    def add_refused(self, refusals: Iterable[tuple[bytes, str, str, str, int, str]]) -> None:
        """Keep rows: (line, precision, key, table, time in us, reason); the newest of a key takes the older one's place."""
        with self.transaction() as db:
            db.executemany(
                "INSERT OR REPLACE INTO refused (line, unit, key, tables, time_us, words, since_ms)"
                f" VALUES (?, ?, ?, ?, ?, ?, {self.now_ms()})",
                refusals,
            )

    def refused_rows(self, limit: int = 1_000_000) -> list[RefusedRow]:
        """The newest of them first."""
        if not self.path.exists():
            return []
        with self.transaction() as db:
            rows = db.execute(
                "SELECT key, line, unit, words, since_ms FROM refused ORDER BY since_ms DESC, key LIMIT ?",
                (limit,),
            )
            return [RefusedRow(*row) for row in rows]

    def delete_refused(self, keys: Iterable[str]) -> None:
        """The rows of these keys were taken after all."""
        with self.transaction() as db:
            db.executemany("DELETE FROM refused WHERE key = ?", [(k,) for k in keys])

    def delete_outdated(
        self, table: str, start_us: int, end_us: int, is_outdated: Callable[[str], bool]
    ) -> None:
        """Rows in [start, end) are sent anew, or are no more: what was refused of them is forgotten.

        `is_outdated` says of a key in that span whether its tags are among them.
        """
        with self.transaction() as db:
            span = (table, max(start_us, -(1 << 62)), min(end_us, 1 << 62))
            keys = db.execute(
                "SELECT key FROM refused WHERE tables = ? AND time_us >= ? AND time_us < ?", span
            ).fetchall()
            db.executemany("DELETE FROM refused WHERE key = ?", [key for key in keys if is_outdated(key[0])])

    # --- what lies in the future ---

    def defer_rows(
        self, series: str, start_us: int, end_us: int, rows: Iterable[tuple[int, str, bytes]]
    ) -> None:
        """Keep rows, (time, precision, line) each, until their time has come, in place of those of the series in [start, end)."""
        with self.transaction() as db:
            span = (series, max(start_us, -(1 << 62)), min(end_us, 1 << 62))
            db.execute("DELETE FROM ahead WHERE series = ? AND time_us >= ? AND time_us < ?", span)
            db.executemany("INSERT INTO ahead VALUES (?, ?, ?, ?)", ((series, *row) for row in rows))

    def deferred_rows(self, before_us: int) -> list[tuple[int, str, bytes]]:
        """The rows kept of the time before a moment: (number, precision, line)."""
        with self.transaction() as db:
            return db.execute(
                "SELECT rowid, unit, line FROM ahead WHERE time_us < ?", (before_us,)
            ).fetchall()

    def delete_deferred(self, numbers: Iterable[int]) -> None:
        """These rows were sent."""
        with self.transaction() as db:
            db.executemany("DELETE FROM ahead WHERE rowid = ?", [(n,) for n in numbers])

    # --- corrections ---

    def add_patches(self, patches: Iterable[tuple[Any, ...]]) -> None:
        """Note what is to be corrected: (series, start, end, times, cells)."""
        with self.transaction() as db:
            db.executemany(_PATCH, patches)

    def patches(self, series: str) -> list[tuple[int, int, bytes, bytes]]:
        """What is to be put right in a series, oldest first: (start, end, times, cells)."""
        with self.transaction() as db:
            sql = "SELECT start_us, end_us, times, cells FROM patch WHERE series = ? ORDER BY id"
            return db.execute(sql, (series,)).fetchall()

    def patched_series(self) -> list[str]:
        """The series with something to be corrected, that longest known first."""
        with self.transaction() as db:
            return [s for (s,) in db.execute("SELECT series FROM patch GROUP BY series ORDER BY min(id)")]

    def save_copy(self, series: str, bodies: Iterable[tuple[str, bytes]]) -> None:
        """Keep all that a series is to hold, (precision, lines) each, in place of what was to be corrected in it."""
        with self.transaction() as db:
            db.execute("DELETE FROM copy WHERE series = ?", (series,))
            rows = ((series, unit, body) for unit, body in bodies)
            db.executemany("INSERT INTO copy (series, unit, body) VALUES (?, ?, ?)", rows)
            db.execute("INSERT OR REPLACE INTO copied (series) VALUES (?)", (series,))
            db.execute("DELETE FROM patch WHERE series = ?", (series,))

    def copied_series(self) -> list[str]:
        """The series of which a copy is kept."""
        with self.transaction() as db:
            return [name for (name,) in db.execute("SELECT series FROM copied ORDER BY series")]

    def copied_lines(self, series: str) -> Iterator[tuple[str, bytes]]:
        """The copy of a series, a (precision, lines) at a time."""
        after = 0
        while True:
            with self.transaction() as db:
                row = db.execute(
                    "SELECT id, unit, body FROM copy WHERE series = ? AND id > ? ORDER BY id LIMIT 1",
                    (series, after),
                ).fetchone()
            if row is None:
                return
            after = row[0]
            yield row[1], row[2]

    def delete_copy(self, series: str) -> None:
        """The copy of a series is no longer needed."""
        with self.transaction() as db:
            for table in ("copy", "copied"):
                db.execute(f"DELETE FROM {table} WHERE series = ?", (series,))


def _person_in_json(name: str) -> str:
    """How a series that is kept as JSON names its person."""
    return json.dumps(["person", name], ensure_ascii=False)


def _create(db: sqlite3.Connection) -> None:
    db.executescript(_TABLES)
    if not any(row[1] == "generation" for row in db.execute("PRAGMA table_info(replica)")):
        db.execute("ALTER TABLE replica ADD COLUMN generation TEXT")


def _read_state(db: sqlite3.Connection, place: str, journal: str) -> ReplicaState | None:
    has_generation = any(row[1] == "generation" for row in db.execute("PRAGMA table_info(replica)"))
    generation = "generation" if has_generation else "NULL"  # an earlier version's
    row = db.execute(
        f"SELECT position, sent, sent_ms, empty_to, writer, {generation} FROM replica WHERE place = ? AND journal = ? AND version = ?",
        (place, journal, rows_version()),
    ).fetchone()
    return ReplicaState(*row) if row else None


def wall_ms() -> int:
    """The wall clock, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000
