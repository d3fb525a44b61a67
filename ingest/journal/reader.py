"""The journal's one door: opening it, appending to it, reading on from a position.

SQLite in WAL mode with ``synchronous=FULL``: with NORMAL a power cut may take every commit since the last
checkpoint (https://sqlite.org/pragma.html#pragma_synchronous). Any process may append; SQLite orders them.
"""

import errno
import json
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from ingest.errors import DiskFull, Replaced, Stop, TryLater
from ingest.journal import tally
from ingest.journal.boots import BootReader
from ingest.journal.damage import (
    DamagedJournal,
    blame_damage,
    damaged_text,
    leave_note,
    lost_log,
    no_journal_text,
)
from ingest.journal.entry import ALWAYS_MS, Entry, Person
from ingest.journal.file_reader import FileReader
from ingest.journal.schema import migrate, require_current
from ingest.journal.seal import columns_of, is_whole
from ingest.journal.wholeness_reader import WholenessReader
from ingest.journal.witnessed import HeldByStore
from ingest.journal.writer import Writer
from ingest.language import N_, Text, system_words
from ingest.system.files import identity, make_folder
from ingest.system.patience import Patience, always
from ingest.system.sqlite import (
    COMPANIONS,
    SqliteFault,
    fault_of,
    let_go,
    make_new,
    open_database,
    open_readonly,
    retried,
    transaction,
)

_log = logging.getLogger(__name__)

BUSY_MS = 60_000
"""How long to wait for another process that is appending; transactions last milliseconds."""


_MADE_WITHIN_S = 2
"""For a new journal to get its tables, once its file is there."""


def clock_ms() -> int:
    """Milliseconds since 1970 by the clock of the machine."""
    return time.time_ns() // 1_000_000


class Journal(WholenessReader, FileReader, BootReader):
    """One connection to the journal; belongs to the thread that opened it."""

    def __init__(
        self,
        path: Path,
        *,
        create: bool = True,
        now_ms: Callable[[], int] = clock_ms,
        busy_ms: int = BUSY_MS,
        readonly: bool = False,
        going_on: Callable[[], bool] = always,
        synced: bool = True,
        fall_back: bool = True,
    ) -> None:
        """Open the journal at `path`, making it when it is not there.

        `busy_ms` is how long others are waited for, no longer than `going_on` says yes. With `readonly` nothing is made
        or changed, and whoever may read the file may open it. One that is not `synced` may be damaged by a power cut: only
        for what can be made anew. A damaged one that is only read is read page by page, and what is missing is among
        `damages`, unless `fall_back` says no.

        Raises Stop when it is missing and must not be made, or cannot be opened; TryLater when it is busy or the disk full.
        """
        self.path = path
        self.now_ms = now_ms
        self._patience = Patience(busy_ms / 1000, going_on)
        self._damages = {}
        self._generation: str | None = None
        self._last: int | None = None
        self._log: tuple[int, int] | None = None
        self._may_fall_back = readonly and fall_back
        try:
            there, is_file = path.exists(), path.is_file()
        except OSError as e:
            words = N_("The journal {path} cannot be reached: {why}. Run hartslag as the user whose it is.")
            raise Stop(Text(words, path=path, why=system_words(e))) from e
        if not is_file:
            if there or readonly or not create or path.is_symlink():
                raise Stop(no_journal_text(path))
            _make_private(path)
        self._file = identity(path)
        if there and self._stays_empty():
            raise DamagedJournal(damaged_text(path, "it is an empty file"))
        try:
            self._open(readonly=readonly, synced=synced)
        except DamagedJournal:
            if not self._fall_back():
                raise

    def _stays_empty(self) -> bool:
        """Whether the file holds nothing at all; one that another process is just making is waited for."""
        for _ in range(_MADE_WITHIN_S * 20):
            if not self.path.exists() or self.path.stat().st_size:
                return False
            time.sleep(1 / 20)
        return True

    def _open(self, *, readonly: bool, synced: bool) -> None:
        self._db = _opened(self.path, self._patience, readonly=readonly, synced=synced)
        try:
            if readonly:
                require_current(self._db)
            else:
                self._db.execute("PRAGMA foreign_keys = ON")
                migrate(self._db, self._patience)
                tally.keep_sum(self._db)
            self._id()
        except (sqlite3.Error, TypeError, UnicodeDecodeError) as e:
            self._db.close()
            raise _explained(e, self.path) from e
        except BaseException:
            self._db.close()
            raise

    def _fall_back(self) -> bool:
        """Go on with all that can be read page by page, kept beside for as long as this is open; says whether there is any."""
        if not self._may_fall_back:
            return False
        from ingest.journal.salvage import readable_copy

        self._may_fall_back = False
        self._newest = None
        copy = readable_copy(self.path)
        if copy is None:
            return False
        self._db, lost = copy
        for damage in lost:
            self._note(damage)
        leave_note(self.path)
        return True

    def _id(self) -> str:
        (found,) = self._db.execute("SELECT journal FROM identity").fetchone()
        return str(found)

    @property
    def id(self) -> str:
        """What tells this journal from any other; a store that followed another one starts anew."""
        return str(self._rows("SELECT journal FROM identity")[0][0])

    def close(self) -> None:
        """Let go of the file."""
        let_go(self._db, self.path, self._file)

    def require_in_place(self) -> None:
        """Raise Replaced when the file was moved, deleted or replaced since it was opened."""
        if identity(self.path) != self._file:
            words = N_(
                "The journal {path} was moved or deleted while it was in use; what is there now is opened."
            )
            raise Replaced(Text(words, path=self.path))

    def require_log(self) -> None:
        """Raise LogLost when the log is another one than when this was asked first: while it is open nobody rightly takes it."""
        log = self.path.with_name(self.path.name + COMPANIONS[0])
        self._log = self._log or identity(log)
        if identity(log) != self._log:
            raise lost_log(log)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        self.close()
        blame_damage(self.path, error)

    @contextmanager
    def write(self) -> Iterator["Writer"]:
        """One transaction: all of it is on the card when the block ends, or none of it.

        Raises Replaced when the file is not the one at its path any more.
        """
        try:
            with transaction(self._db, self._patience):
                self.require_in_place()  # nobody puts another in its place now
                tally.begin_sum(self._db)
                yield Writer(self._db, self.now_ms(), self._new_generation())
                tally.advance(self._db, tally.MOST_BEHIND)
                (self._last,) = self._db.execute(f"SELECT {tally.LAST}").fetchone()
        except sqlite3.Error as e:
            raise self._said(_explained(e, self.path)) from e
        finally:
            self._newest = None  # what was read within may have been taken back

    def delete_persons(self, persons: Sequence[int], nobody: str) -> None:
        """Delete all that is known of some persons; `wipe` takes their bytes. Raises TryLater, Stop."""
        from ingest.journal.departure import delete_persons

        self._db.execute("PRAGMA secure_delete = ON")
        with self.write() as w:
            delete_persons(w, persons, nobody)

    def wipe(self) -> None:
        """Leave no byte of what was deleted in the file and its log. Raises TryLater when the disk is full, Stop."""
        from ingest.journal.departure import wipe

        try:
            wipe(self._db)
        except sqlite3.Error as e:
            raise _explained(e, self.path) from e

    def _explained(self, e: Exception) -> Exception:
        return _explained(e, self.path)

    def _said(self, why: Exception) -> Exception:
        """Leave a note for the daemon where the journal is damaged: it mends it."""
        if isinstance(why, DamagedJournal):
            leave_note(self.path)
        return why

    def _new_generation(self) -> str | None:
        """What to call this run of a writer, unless it is written down already, in the very file that this now is."""
        (last,) = self._db.execute("SELECT coalesce(max(position), 0) FROM entry").fetchone()
        if (
            self._last is not None
            and last >= self._last
            and self.generation_at(self._last) == self._generation
        ):
            return None
        self._generation = os.urandom(8).hex()
        return self._generation

    def _rows(self, sql: str, *values: Any) -> list[Any]:
        try:
            return retried(lambda: self._db.execute(sql, values).fetchall(), self._patience)
        except (sqlite3.Error, UnicodeDecodeError) as e:
            why = _explained(e, self.path)
            if isinstance(why, DamagedJournal) and self._fall_back():
                return self._rows(sql, *values)
            raise self._said(why) from e

    def persons(self) -> list[Person]:
        """Everybody the journal knows, oldest first."""
        merged = self.merges()
        rows = self._sealed_rows("person", "ORDER BY id")
        return [Person(*row[:2]) for row in rows if row[0] not in merged]

    def person(self, name: str) -> Person | None:
        """Who has this name, exactly; None where nobody has."""
        rows = self._sealed_rows("person", "WHERE name = ?", name)
        return Person(*rows[0][:2]) if rows else None

    def last_position(self) -> int:
        """The position of the entry that came in last; 0 in an empty journal."""
        return int(self._rows("SELECT coalesce(max(position), 0) FROM entry")[0][0])

    def generation_at(self, position: int) -> str | None:
        """Which run of a writer a position is of; None where that cannot be said, or the journal ends before it."""
        if position > self._rows(f"SELECT {tally.LAST}")[0][0]:
            return None
        rows = self._sealed_rows(
            "run", "WHERE first_position <= ? ORDER BY first_position DESC LIMIT 1", position
        )
        return str(rows[0][1]) if rows else None

    def note_gone(self, held: HeldByStore) -> None:
        """Note what a store of another past of this journal held of straps, and is not here. Raises OSError."""
        from ingest.journal.losses import Loss, add_losses
        from ingest.journal.witnessed import gone

        for loss in add_losses(self.path, [Loss(self.now_ms(), d) for d in gone(self, held)]):
            _log.warning("Gone for good: %s", loss.damage.sentence)

    def entries(self, after: int, limit: int = 500) -> list[Entry]:
        """What came in behind a position, in order."""
        sql = f"SELECT {columns_of('entry')} FROM entry WHERE position > ? ORDER BY position LIMIT ?"
        rows = self._rows(sql, after, limit)
        merged = self.merges()
        whole = (_entry(row) for row in rows if self._is_whole_entry(row))
        return [replace(e, person=merged[e.person]) if e.person in merged else e for e in whole]

    def waiting(self, after: int, lately_ms: tuple[int, int]) -> tuple[int, int | None, int]:
        """How many entries lie behind a position, when the oldest was recorded (ms), and how many more are of lately."""
        sql = "SELECT recorded_ms BETWEEN ? AND ?, count(*), min(recorded_ms) FROM entry WHERE position > ? GROUP BY 1"
        found = {
            lately: (count, oldest_ms) for lately, count, oldest_ms in self._rows(sql, *lately_ms, after)
        }
        return *found.get(0, (0, None)), found.get(1, (0, None))[0]

    def facts(
        self, person: int, what: str, start_ms: int = -ALWAYS_MS, end_ms: int = ALWAYS_MS
    ) -> list[Entry]:
        """A person's facts of one sort about moments in [start, end), in order of the moments, then of position.

        What came from a file that a better copy has replaced, or that is forgotten, is left out.
        """
        with self._snapshot():
            left_out = self.left_out(person)
            # What the settings said of one who is another's by now says nothing of that other.
            ask = self._fact_rows if what == "profile" else self._own_fact_rows
            rows = ask(person, what, start_ms, end_ms)
            without = {*self._replaced(np.array([row[7] or 0 for row in rows], np.int64)), *left_out.files}
        whole = sorted((row for row in rows if row[7] not in without), key=lambda row: (row[3], row[0]))
        return [e for e in map(_entry, whole) if not left_out.hides(e)]

    def _is_whole_entry(self, row: Sequence[Any]) -> bool:
        """Whether an entry is as it was written; noted if not."""
        if is_whole("entry", row):
            return True
        whose = row[1] if isinstance(row[1], int) else 0
        self._damaged(whose, "", None, None, f"entry {row[0]}: its checksum is wrong")
        return False

    def told_spans(self, person: int) -> list[tuple[int, int]]:
        """The (first, last) times (ms) that the facts of a person's files touch, of that person alone."""
        rows = [
            row
            for what in ("session", "claim", "check", "limits")
            for row in self._fact_rows(person, what, -ALWAYS_MS, ALWAYS_MS)
        ]
        return [(min(row[4:6]), max(row[4:6])) for row in rows if None not in row[4:6]]

    def file_entries(self, person: int) -> list[Entry]:
        """The entry of each file of a person, whatever became of it since, in order of position."""
        return [_entry(row) for row in self._own_fact_rows(person, "file", -ALWAYS_MS, ALWAYS_MS)]

    def profile(self, person: int) -> dict[str, Any] | None:
        """What the settings said of a person when they were last noted."""
        known = self.facts(person, "profile")
        return max(known, key=lambda e: e.position).content if known else None

    def size(self) -> dict[str, int]:
        """Chunks, samples and beats in the journal, and its bytes on disk."""
        rows = self._rows("SELECT count(*), coalesce(sum(samples), 0), coalesce(sum(beats), 0) FROM chunk")
        on_disk = sum(
            p.stat().st_size for p in (self.path, self.path.with_name(self.path.name + "-wal")) if p.exists()
        )
        return dict(zip(("chunks", "samples", "beats", "bytes"), (*rows[0], on_disk), strict=True))

    def recorded_bytes(self, since_ms: int) -> tuple[int, int]:
        """How much all chunks take, and those of what was recorded since a moment."""
        taken = " + ".join(
            f"coalesce(length({column}), 0)"
            for column in ("times", "bpm", "beat_times", "rr", "pauses", "movement", "notifications")
        )
        sql = f"SELECT coalesce(sum({taken}), 0), coalesce(sum(({taken}) * (first_ms >= ?)), 0) FROM chunk"
        return tuple(self._rows(sql, since_ms)[0])

    def store_errors(self) -> dict[str, str]:
        """What troubles the stores, by their names; those without trouble are left out."""
        return dict(self._rows("SELECT name, error FROM reader WHERE error IS NOT NULL"))


def _entry(row: Sequence[Any]) -> Entry:
    return Entry(*(*row[:8], json.loads(row[8]) if row[8] else {}))


def _make_private(path: Path) -> None:
    """An empty file that only its owner can read, in a folder that only its owner can enter."""
    try:
        make_folder(path.parent)
        make_new(path, lambda: os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as e:
        if e.errno == errno.ENOSPC:
            raise _full(path) from e
        raise Stop(
            Text(
                N_(
                    "The journal cannot be made at {path}: {why}. Choose a folder you may write to with --data."
                ),
                path=path,
                why=system_words(e),
            )
        ) from e


def _full(path: Path) -> DiskFull:
    return DiskFull(
        Text(
            N_("The journal {path} cannot grow: the disk is full. Make room; nothing is lost meanwhile."),
            path=path,
        )
    )


def _opened(path: Path, patience: Patience, *, readonly: bool, synced: bool) -> sqlite3.Connection:
    try:
        if readonly:
            return open_readonly(path, patience=patience)
        return open_database(path, patience=patience, synchronous="FULL" if synced else "OFF")
    except (sqlite3.Error, UnicodeDecodeError) as e:  # SQLite's words, of a damaged table of contents
        raise _explained(e, path) from e


def _explained(e: Exception, path: Path) -> Exception:
    """SQLite's complaint as a sentence with what to do; a journal without its own row (TypeError) is damaged, too."""
    fault = fault_of(e, path) if isinstance(e, sqlite3.Error) else SqliteFault.DAMAGED
    if fault is SqliteFault.FOREIGN or _contradicts_itself(e):
        fault = SqliteFault.DAMAGED
    if fault is SqliteFault.BUSY:
        words = N_("The journal {path} is busy: another process has been writing to it for too long.")
        return TryLater(Text(words, path=path))
    if fault is SqliteFault.FULL:
        return _full(path)
    if fault is SqliteFault.UNWRITABLE:
        return Stop(
            Text(
                N_(
                    "The journal {path} cannot be written ({why}). Check who owns it and that the disk is well."
                ),
                path=path,
                why=str(e),
            )
        )
    if fault is SqliteFault.DAMAGED:
        return DamagedJournal(damaged_text(path, str(e)))
    return e


def _contradicts_itself(e: Exception) -> bool:
    """Whether it is something that only damaged rows can bring about: no text in a text, a number that is there already."""
    code = getattr(e, "sqlite_errorcode", None)
    if code is None:
        return isinstance(e, sqlite3.OperationalError)
    codes = {
        sqlite3.SQLITE_CONSTRAINT,
        sqlite3.SQLITE_MISMATCH,
        sqlite3.SQLITE_TOOBIG,
        sqlite3.SQLITE_INTERNAL,
    }
    return code & 0xFF in codes
