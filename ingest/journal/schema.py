"""The tables of the journal, as named migrations applied in order, in one transaction with their record."""

import contextlib
import logging
import sqlite3
from collections.abc import Callable

from ingest.errors import Stop
from ingest.language import N_, Text
from ingest.system.patience import Patience
from ingest.system.sqlite import PAGE_BYTES, transaction, write_ahead

_log = logging.getLogger(__name__)

FIRST = """
CREATE TABLE identity (journal TEXT NOT NULL);

CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE);

-- One origin of heart rates of one person. Never changed once written: rows in every store carry its name.
CREATE TABLE source (
    id INTEGER PRIMARY KEY,
    person INTEGER NOT NULL REFERENCES person,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('strap', 'activity', 'monitoring')),
    rank INTEGER NOT NULL,           -- the lower is believed first
    UNIQUE (person, name)
);

-- Whatever was dropped into the inbox or given to `add`, from the commit of its content until it is filed.
CREATE TABLE arrival (
    id INTEGER PRIMARY KEY,
    person INTEGER NOT NULL REFERENCES person,
    path TEXT NOT NULL,              -- where it lay
    sha256 BLOB NOT NULL,
    received_ms INTEGER NOT NULL,
    kept INTEGER NOT NULL,           -- 1: the original stays where it is, a copy is filed (`add`)
    ended INTEGER NOT NULL DEFAULT 0,  -- 1: all members are committed, it can be filed
    destination TEXT,                -- below the data folder; null: nowhere
    reason TEXT,                     -- written beside a rejected file
    filed INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX arrival_unfiled ON arrival (filed) WHERE filed = 0;
CREATE INDEX arrival_destination ON arrival (destination);

-- One FIT file: an arrival itself or a member of one.
CREATE TABLE file (
    id INTEGER PRIMARY KEY,
    arrival INTEGER NOT NULL REFERENCES arrival,
    member TEXT NOT NULL,            -- '' or the name within a zip
    person INTEGER NOT NULL REFERENCES person,
    sha256 BLOB NOT NULL,
    identity TEXT,                   -- maker, serial number and time of creation: equal for two copies of one recording
    digest BLOB,                     -- of the heart rates in it
    outcome TEXT NOT NULL CHECK (outcome IN ('stored', 'duplicate', 'partial', 'rejected')),
    reason TEXT NOT NULL,
    samples INTEGER NOT NULL,
    beats INTEGER NOT NULL,
    first_ms INTEGER,
    last_ms INTEGER,
    replaced_by INTEGER REFERENCES file,
    UNIQUE (arrival, member)
);
CREATE INDEX file_sha256 ON file (person, sha256);
CREATE INDEX file_identity ON file (person, identity);
CREATE INDEX file_digest ON file (person, digest);

-- What came in, in order. A reader of the journal remembers a position; the span says whose time must be counted anew.
CREATE TABLE entry (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    person INTEGER NOT NULL REFERENCES person,
    what TEXT NOT NULL,              -- chunk, file, session, claim, limits, check, profile, collector
    at_ms INTEGER NOT NULL,          -- the moment it is about
    first_ms INTEGER,                -- the time it touches; null: none
    last_ms INTEGER,
    recorded_ms INTEGER NOT NULL,
    file INTEGER REFERENCES file,
    content TEXT                     -- JSON
);
CREATE INDEX entry_fact ON entry (person, what, at_ms);
CREATE INDEX entry_file ON entry (file);

CREATE TABLE chunk (
    position INTEGER PRIMARY KEY REFERENCES entry,
    person INTEGER NOT NULL REFERENCES person,
    source INTEGER NOT NULL REFERENCES source,
    file INTEGER REFERENCES file,
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,        -- of the samples and beats
    end_ms INTEGER NOT NULL,         -- when the recording stopped: the last sample stands until then at most
    samples INTEGER NOT NULL,
    beats INTEGER NOT NULL,
    times_first_ms INTEGER, times BLOB, bpm BLOB,
    beats_first_ms INTEGER, beat_times BLOB, rr BLOB,
    pauses BLOB, movement BLOB
);
CREATE INDEX chunk_time ON chunk (person, first_ms);
CREATE INDEX chunk_file ON chunk (file);

-- What a reader of the journal last met, for `status`.
CREATE TABLE reader (name TEXT PRIMARY KEY, position INTEGER NOT NULL, error TEXT, error_ms INTEGER);
"""


def _all(db: sqlite3.Connection, statements: str) -> None:
    """Each by itself: `executescript` would commit the transaction that all of them are in."""
    for statement in statements.split(";\n"):
        if statement.strip():
            db.execute(statement)


def _first(db: sqlite3.Connection) -> None:
    _all(db, FIRST)
    db.execute("INSERT INTO identity VALUES (lower(hex(randomblob(16))))")


STRAPS = """
-- One connection to a strap. The steady clock means something within one boot of the machine only.
CREATE TABLE connection (
    id INTEGER PRIMARY KEY,
    source INTEGER NOT NULL REFERENCES source,
    boot TEXT NOT NULL,
    began_ms INTEGER NOT NULL,       -- by the steady clock
    UNIQUE (source, boot, began_ms)
);

-- A strap's chunk: its notifications as they came, from which everything else is decoded when it is read. `connection`
-- is null in one from a file; `steady_ms` is when the first of its `notified` notifications came, by the steady clock,
-- and `first_ms` the date given to that.
ALTER TABLE chunk ADD COLUMN connection INTEGER REFERENCES connection;
ALTER TABLE chunk ADD COLUMN steady_ms INTEGER;
ALTER TABLE chunk ADD COLUMN notified INTEGER;
ALTER TABLE chunk ADD COLUMN notifications BLOB;

-- Both clocks of a boot, whenever the wall clock was set or became known to be right.
CREATE TABLE clock (
    id INTEGER PRIMARY KEY,
    boot TEXT NOT NULL,
    steady_ms INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL,
    synchronized INTEGER NOT NULL,
    offset_ms INTEGER NOT NULL,      -- what is dated by it: the steady clock and this much
    position INTEGER NOT NULL        -- of the journal just before; what was heard in the boot lies behind that of its first
);
CREATE INDEX clock_boot ON clock (boot);

-- Straps' chunks up to here are merged as far as they ever will be.
CREATE TABLE merged (position INTEGER NOT NULL);
INSERT INTO merged VALUES (0);

-- What comes every few seconds is not written into indexes by which nobody looks for it.
DROP INDEX entry_file;
CREATE INDEX entry_file ON entry (file) WHERE file IS NOT NULL;
DROP INDEX chunk_file;
CREATE INDEX chunk_file ON chunk (file) WHERE file IS NOT NULL;
DROP INDEX entry_fact;
CREATE INDEX entry_fact ON entry (person, what, at_ms) WHERE what <> 'chunk';
"""


def _straps(db: sqlite3.Connection) -> None:
    _all(db, STRAPS)


CHARACTERISTICS = """
-- Which characteristic of the strap (GATT) the notifications of a connection are of, and how what a chunk holds is packed
-- in its blobs: whoever reads the file knows by which decoder. Columns with a default: no row is written anew.
ALTER TABLE connection ADD COLUMN characteristic TEXT NOT NULL DEFAULT '2A37';
ALTER TABLE chunk ADD COLUMN packing INTEGER NOT NULL DEFAULT 1;

-- Of `reader` only the error is used from here on: how far a store is, it says itself. A daemon of an earlier version may
-- go on running for a while, and writes the other columns.
"""


def _characteristics(db: sqlite3.Connection) -> None:
    _all(db, CHARACTERISTICS)


CLOCKS = """
-- Who vouches for a wall clock that no time server keeps, or what the owner said of a boot. What earlier versions dated
-- stays as they dated it.
ALTER TABLE clock ADD COLUMN believed TEXT NOT NULL DEFAULT 'earlier';
"""


def _clocks(db: sqlite3.Connection) -> None:
    _all(db, CLOCKS)


def _seals(db: sqlite3.Connection) -> None:
    from ingest.journal.sealing import seal_rows

    seal_rows(db)


MIGRATIONS: tuple[tuple[str, Callable[[sqlite3.Connection], None]], ...] = (
    ("first light", _first),
    ("straps", _straps),
    ("characteristics", _characteristics),
    ("clocks", _clocks),
    ("seals", _seals),
)


def create_tables(db: sqlite3.Connection) -> None:
    """Make all tables of an empty database, as they are today. The caller has begun a transaction, or does not need one."""
    db.execute("CREATE TABLE migration (name TEXT PRIMARY KEY, applied TEXT NOT NULL)")
    for name, change in MIGRATIONS:
        change(db)
        db.execute("INSERT INTO migration VALUES (?, datetime('now'))", (name,))


def applied(db: sqlite3.Connection) -> list[str]:
    """Names of the migrations that this file has seen."""
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if "migration" not in tables:
        if tables:
            raise sqlite3.DatabaseError("it is a database of something else")
        return []
    return [name for (name,) in db.execute("SELECT name FROM migration ORDER BY rowid")]


def missing(db: sqlite3.Connection) -> list[str]:
    """Names of the migrations that this file has yet to see. Raises Stop when it has seen some that nobody knows."""
    known = [name for name, _ in MIGRATIONS]
    seen = applied(db)
    if set(seen) - set(known):
        raise Stop(
            Text(
                N_(
                    "The journal was written by a newer version of hartslag ({changes}). Install that version again; this"
                    " one would not understand it. A copy from before may lie beside it, as journal.db.before-...:"
                    " docs/update-back-up-remove.md says how to go back to it."
                ),
                changes=", ".join(sorted(set(seen) - set(known))),
            )
        )
    return [name for name in known if name not in seen]


def require_current(db: sqlite3.Connection) -> None:
    """Raise Stop unless the file is up to date: for those who only read it."""
    if missing(db):
        raise Stop(
            Text(
                N_(
                    "The journal was written by an older version of hartslag and is brought up to date first: "
                    "run any verb once as the user whose it is."
                )
            )
        )


def migrate(db: sqlite3.Connection, patience: Patience) -> None:
    """Bring the file up to date, after a copy of it was made; ready at once when it is.

    Raises Stop where a newer version wrote it, TryLater where there is no room for the copy, or sqlite3.Error.
    """
    if not missing(db):
        return
    seen = applied(db)
    if seen and "straps" not in seen:
        _smaller_pages(db, patience)
    copy = None
    with transaction(db, patience):
        # Asked again within the transaction: two processes may open a new journal, or an old one, at once.
        names = missing(db)
        if names and applied(db):
            from ingest.journal.copy_before import copy_before

            copy = copy_before(db, names[0])
        db.execute("CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY, applied TEXT NOT NULL)")
        for name, change in MIGRATIONS:
            if name in names:
                change(db)
                db.execute("INSERT INTO migration VALUES (?, datetime('now'))", (name,))
    if copy is not None:
        _log.info("The journal is brought up to date for this version; as it was before it lies in %s.", copy)


def _smaller_pages(db: sqlite3.Connection, patience: Patience) -> None:
    """Give an older journal pages of today's size, which takes a copy of it. Left as it is where that is not possible now.

    It can only be done while nobody else has it open and there is room; larger pages cost the card some wear, no more.
    """
    (busy_ms,) = db.execute("PRAGMA busy_timeout").fetchone()
    db.execute("PRAGMA busy_timeout = 0")
    try:
        with contextlib.suppress(sqlite3.OperationalError):
            db.execute("PRAGMA journal_mode = DELETE")
            db.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            db.execute("VACUUM")
    finally:
        db.execute(f"PRAGMA busy_timeout = {busy_ms}")
        write_ahead(db, patience)
