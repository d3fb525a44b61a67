"""SQLite, once for the whole program: opening a file, transactions, and what its errors ask of us.

Every file is in WAL mode (https://sqlite.org/wal.html): readers never wait for the one that writes. What went wrong is
told by SQLite's result codes (https://sqlite.org/rescode.html) and by the room on the disk, never by words.
"""

import contextlib
import ctypes
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Literal, TypeVar

from ingest.errors import Stop, TryLater
from ingest.system.files import has_room, identity, make_file
from ingest.system.lock import exclusive, one_at_a_time
from ingest.system.patience import ENDLESS, Patience

PAGE_BYTES = 512
"""A commit every five seconds writes the four or five pages it changes, whole: 60 MB a day, with the usual 4096 300 MB."""

CACHE_KIB = 256
"""What a connection keeps of the pages it saw: SQLite's own 2 MB each fill within hours, unneeded, in a daemon with five.

The system keeps the file at hand anyway, in memory that it can take back (https://sqlite.org/pragma.html#pragma_cache_size).
"""

CHECKPOINT_BYTES = 4 << 20
"""How long the write-ahead log becomes before it is taken over: SQLite's own 1000 pages, were they of the usual size."""

STEP_S = 0.25
"""How long SQLite itself waits for others; then our own patience is asked whether to go on waiting."""

BUSY_S = 10.0
"""How long a replica waits for another process's transaction; then it is tried again later, and said."""

COMPANIONS = ("-wal", "-shm")
"""The write-ahead log and its index, beside the file (https://sqlite.org/walformat.html)."""


_log = logging.getLogger(__name__)

Result = TypeVar("Result")


class SqliteFault(Enum):
    """What an error of SQLite means."""

    BUSY = "another process holds it"
    FULL = "the disk is full"
    UNWRITABLE = "not permitted, read-only or broken"
    DAMAGED = "the bytes are no database"
    FOREIGN = "the tables are not those asked for"


_FAULTS = {
    sqlite3.SQLITE_BUSY: SqliteFault.BUSY,
    sqlite3.SQLITE_LOCKED: SqliteFault.BUSY,
    sqlite3.SQLITE_PROTOCOL: SqliteFault.BUSY,  # lost the race for the log's locks too often
    sqlite3.SQLITE_FULL: SqliteFault.FULL,
    sqlite3.SQLITE_READONLY: SqliteFault.UNWRITABLE,
    sqlite3.SQLITE_CANTOPEN: SqliteFault.UNWRITABLE,
    sqlite3.SQLITE_PERM: SqliteFault.UNWRITABLE,
    sqlite3.SQLITE_IOERR: SqliteFault.UNWRITABLE,
    sqlite3.SQLITE_CORRUPT: SqliteFault.DAMAGED,
    sqlite3.SQLITE_NOTADB: SqliteFault.DAMAGED,
    sqlite3.SQLITE_FORMAT: SqliteFault.DAMAGED,
    sqlite3.SQLITE_ERROR: SqliteFault.FOREIGN,
}
_PERHAPS_FULL = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}


def fault_of(error: sqlite3.Error, path: Path) -> SqliteFault | None:
    """What an error about the database at `path` means; None for what can only be a mistake in this program.

    On a full disk SQLite may call it an input/output error (SQLITE_IOERR_SHMSIZE: no room for the log's index) or a
    file that cannot be opened, so the disk itself is asked.
    """
    # An extended code has the primary one in its low byte; a misuse of the module has none at all.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_MISUSE) & 0xFF
    if code in _PERHAPS_FULL and not has_room(path.parent):
        return SqliteFault.FULL
    return _FAULTS.get(code)


def open_database(
    path: Path,
    *,
    patience: Patience = ENDLESS,
    synchronous: Literal["FULL", "NORMAL", "OFF"],
    page_bytes: int = PAGE_BYTES,
    any_thread: bool = False,
) -> sqlite3.Connection:
    """A connection that writes, in autocommit mode; the file is made when it is not there.

    Raises sqlite3.Error; see `fault_of`.
    """
    db = sqlite3.connect(path, isolation_level=None, timeout=STEP_S, check_same_thread=not any_thread)
    try:
        db.execute(f"PRAGMA page_size = {page_bytes}")  # taken by a new file only
        write_ahead(db, patience)
        db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_BYTES // page_bytes}")
        db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        # Debian's SQLite fills each page with zeros that becomes free, which is as much for the card as if it held something:
        # 3 MB a day. Who deletes for good asks for it.
        db.execute("PRAGMA secure_delete = FAST")
        db.execute(f"PRAGMA synchronous = {synchronous}")
    except BaseException:
        db.close()
        raise
    return db


def write_ahead(db: sqlite3.Connection, patience: Patience) -> None:
    """Switch to WAL; where two make a new file at once SQLite does not wait for this as it does elsewhere."""
    retried(lambda: db.execute("PRAGMA journal_mode = WAL"), patience)


def retried(work: Callable[[], Result], patience: Patience) -> Result:
    """What the work gives, once nobody else holds what it needs. Raises sqlite3.Error, busy when patience has ended."""
    busy: sqlite3.OperationalError | None = None
    for _ in patience.attempts():
        try:
            return work()
        except sqlite3.OperationalError as e:
            if _FAULTS.get(e.sqlite_errorcode & 0xFF) is not SqliteFault.BUSY:
                raise
            busy = e
    assert busy is not None
    raise busy


@contextmanager
def transaction(db: sqlite3.Connection, patience: Patience = ENDLESS) -> Iterator[None]:
    """One transaction: all of it is in the file when the block ends, or none of it. Raises sqlite3.Error."""
    retried(lambda: db.execute("BEGIN IMMEDIATE"), patience)
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # a full disk may have ended it already, and its words must not be lost
            db.execute("ROLLBACK")
        raise


def open_readonly(path: Path, *, patience: Patience = ENDLESS) -> sqlite3.Connection:
    """A connection that only reads, and leaves nothing behind that would lock out those who write.

    A reader needs the log's index, and makes it when it is not there: as its own file, which the daemon could then not
    write. So only the owner (or root, for whom SQLite gives it to the owner) may make it; others read without, which is
    right as long as nobody writes: there is no log then, or an empty one (https://sqlite.org/wal.html#read_only_databases).

    Raises sqlite3.Error, also when the file is not there.
    """
    log, index = (path.with_name(path.name + end) for end in COMPANIONS)
    ours = os.geteuid() in {0, path.stat().st_uid} if path.exists() else True
    if ours or (index.exists() and log.exists()):
        try:
            return _connect_readonly(path, "mode=ro", patience)
        except sqlite3.OperationalError as e:
            # Neither the index nor room for it, or no permission to make it.
            if fault_of(e, path) not in {SqliteFault.UNWRITABLE, SqliteFault.FULL} or not _is_empty(log):
                raise
    if not _is_empty(log):
        raise _unfinished(path)
    return _connect_readonly(path, "mode=ro&immutable=1", patience)


def _is_empty(log: Path) -> bool:
    try:
        return log.stat().st_size == 0
    except (FileNotFoundError, NotADirectoryError):
        return True


def _unfinished(path: Path) -> Stop:
    return Stop(
        f"{path} was not closed properly and nobody has it open. Run this once as the user whose it is; that mends it."
    )


def _connect_readonly(path: Path, how: str, patience: Patience) -> sqlite3.Connection:
    db = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, isolation_level=None, timeout=STEP_S)
    try:
        db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        retried(lambda: db.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone(), patience)
    except BaseException:
        db.close()
        raise
    return db


def let_go(db: sqlite3.Connection, path: Path, file: tuple[int, int] | None) -> None:
    """Close a connection to what was `file` at a path when it was opened.

    Whoever closes a database last deletes its log, by name: of one that was moved or deleted meanwhile that would be the
    log of whatever lies there now, with all that is in it. So such a connection is brought to rest and stays open for good.
    """
    if file == identity(path) or not any(
        path.with_name(path.name + end).exists() for end in ("", *COMPANIONS)
    ):
        db.close()
        return
    with contextlib.suppress(sqlite3.Error):
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # what was moved is whole without its log, too
        db.execute("PRAGMA shrink_memory")
    # Not even the end of the interpreter may close it.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(db))


def has_lost_log(path: Path) -> bool:
    """Whether the log of a database that was not closed was taken away: SQLite makes it before its index, and takes it behind that.

    Looked at twice, as both may come or go between two looks.
    """
    log, index = (path.with_name(path.name + end) for end in COMPANIONS)
    return path.exists() and all(index.exists() and not log.exists() for _ in range(2))


def make_new(path: Path, make: Callable[[], int]) -> None:
    """Make an empty file for a database where none is; `make` gives it, opened.

    A log that lies there already is of one that somebody took away, and may still have open: it goes before, as a new
    database must not share it. Only one process at a time does so, or the log of a quicker one would go.
    """
    with one_at_a_time(path.parent):
        if not path.exists():
            for end in COMPANIONS:
                path.with_name(path.name + end).unlink(missing_ok=True)
        os.close(make())


class DerivedFile:
    """An SQLite file that can be made anew from the journal: opened again when it was replaced, deleted when damaged.

    Also when its log was taken away: who opened it since has another one, and what both write would be mixed.

    One connection; belongs to the thread that uses it. All that goes wrong is raised as TryLater: what is written here
    comes again.
    """

    def __init__(
        self,
        path: Path,
        prepare: Callable[[sqlite3.Connection], None],
        *,
        subject: str,
        made_anew: str,
        waits: str,
        file_mode: int,
        make_folder: Callable[[Path], None],
        lock: str,
        page_bytes: int = PAGE_BYTES,
    ) -> None:
        """`prepare` makes the tables that are missing; `subject`, `made_anew` and `waits` are parts of its messages.

        `lock` is the name of a file beside it, by which one process at a time brings it up to date.
        """
        self.path = path
        self.patience = ENDLESS
        self._lock = path.with_name(lock)
        self._page_bytes = page_bytes
        self._prepare = prepare
        self._subject, self._made_anew, self._waits = subject, made_anew, waits
        self._file_mode, self._make_folder = file_mode, make_folder
        self._db: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._beside: list[tuple[int, int] | None] = []
        """The log and its index, when the file was opened: while it is open nobody rightly takes them."""

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        db, self._db = self._db, None
        if db is not None:
            let_go(db, self.path, self._file)

    def connection(self) -> sqlite3.Connection:
        """The connection; a new one when somebody has deleted or replaced the file, to a new file when its log was lost."""
        if self._db is not None and self._file == identity(self.path):
            if self._beside == self._companions():
                return self._db
            self._discard_without_log()
        self.close()
        self._make_folder(self.path.parent)
        if has_lost_log(self.path):
            self._discard_without_log()
        self._remove_foreign()
        make_new(self.path, lambda: make_file(self.path, self._file_mode))
        # What a power cut takes comes again from the journal, as the position is kept in this very file.
        db = open_database(
            self.path,
            patience=self._busy,
            synchronous="NORMAL",
            page_bytes=self._page_bytes,
            any_thread=True,
        )
        self._db, self._file = db, identity(self.path)
        self._prepare(db)
        self._beside = self._companions()
        return db

    def _companions(self) -> list[tuple[int, int] | None]:
        return [identity(self.path.with_name(self.path.name + end)) for end in COMPANIONS]

    def _discard_without_log(self) -> None:
        _log.info("%s lost its log, which somebody deleted; %s.", self._subject, self._made_anew)
        self.discard()

    def _remove_foreign(self) -> None:
        """Take away what another user put in this place, if it may not be written: what it lacks comes from the journal."""
        for end in ("", *COMPANIONS):
            path = self.path.with_name(self.path.name + end)
            if path.is_file() and path.lstat().st_uid != os.geteuid() and not os.access(path, os.W_OK):
                path.unlink()

    @property
    def _busy(self) -> Patience:
        """For transactions of others, which are short; for the lock, which a verb may hold for minutes, there is `patience`."""
        return Patience(min(BUSY_S, self.patience.at_most_s), self.patience.going_on)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Be the one process that brings it up to date: rows counted earlier must not land later. Raises TryLater."""
        with self.explained():
            self._make_folder(self.path.parent)
            with exclusive(self._lock, self._file_mode, self.patience, subject=self._subject):
                yield

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The connection, within one transaction. Raises TryLater."""
        with self.explained():
            db = self.connection()
            with transaction(db, self._busy):
                yield db

    def discard(self) -> None:
        """Take it away with its companions; the next use makes it anew. Raises OSError."""
        self.close()
        for end in ("", *COMPANIONS):
            self.path.with_name(self.path.name + end).unlink(missing_ok=True)

    def wipe(self) -> None:
        """Write the file anew without what was deleted from it, and empty its log. Raises TryLater."""
        if not self.path.exists():
            return
        with self.exclusive(), self.explained():
            db = self.connection()
            for statement in ("PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                db.execute(statement)

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Raise what SQLite and the file system complain of within the block as TryLater, in words."""
        try:
            yield
        except sqlite3.DatabaseError as e:
            self.close()
            fault = fault_of(e, self.path)
            if fault in {SqliteFault.DAMAGED, SqliteFault.FOREIGN}:
                self.discard()
                raise TryLater(f"{self._subject} was damaged ({e}); {self._made_anew}.") from e
            if fault is SqliteFault.FULL:
                raise TryLater(
                    f"{self._subject} cannot be written: the disk is full. Make room; {self._waits}."
                ) from e
            if fault is None:
                raise
            raise TryLater(f"{self._subject} cannot be written now ({e}); {self._waits}.") from e
        except OSError as e:
            self.close()
            raise TryLater(
                f"{self._subject} cannot be written ({e.strerror}). Check who owns its folder."
            ) from e
