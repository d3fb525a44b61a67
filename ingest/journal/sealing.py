"""The step of the schema that gives every row its checksum, every day its tally, and every writer's run its generation."""

import os
import sqlite3

from ingest.journal.seal import SEALED, columns_of, insertion, is_readable, seal_of
from ingest.journal.tally import recount, triggers

TABLES = """
-- How many rows there are of a person on a day, and a sum over them (`ingest/journal/tally.py`).
CREATE TABLE tally (
    id INTEGER PRIMARY KEY,
    person INTEGER NOT NULL,
    what TEXT NOT NULL,
    day INTEGER NOT NULL,            -- since 1970, UTC
    held INTEGER NOT NULL,
    mixed INTEGER NOT NULL,
    proof INTEGER NOT NULL,
    UNIQUE (person, what, day)
);

-- Up to which position it counts.
CREATE TABLE tallied (position INTEGER NOT NULL);

-- From which position on which generation of writers went on. A store remembers that of its position: in a journal that was
-- put back from a copy it is another.
CREATE TABLE run (first_position INTEGER PRIMARY KEY, generation TEXT NOT NULL);

-- Everything that decides which chunks count when, so that it can be held against the tally without reading their data.
DROP INDEX chunk_time;
CREATE INDEX chunk_time ON chunk (person, first_ms, last_ms, end_ms, file)
"""


def seal_rows(db: sqlite3.Connection) -> None:
    """The step itself."""
    for statement in TABLES.split(";\n"):
        db.execute(statement)
    for table in SEALED:
        db.execute(f"ALTER TABLE {table} ADD COLUMN seal INTEGER")
        seal_unsealed(db, table)
        key = SEALED[table][0]
        db.execute(f"CREATE INDEX {table}_unsealed ON {table} ({key}) WHERE seal IS NULL")
        # An earlier version that is still running changes rows and knows of no seals: none is better than a wrong one.
        db.execute(
            f"CREATE TRIGGER {table}_unseal AFTER UPDATE ON {table} WHEN new.seal IS old.seal AND new.seal IS NOT NULL"
            f" BEGIN UPDATE {table} SET seal = NULL WHERE {key} = new.{key}; END"
        )
    # What came before has a generation, too: another one in every copy that is brought up to date.
    first = 0, os.urandom(8).hex()
    db.execute(insertion("run"), (*first, seal_of("run", first)))
    _without_autoincrement(db)
    recount(db)
    for statement in triggers():
        db.execute(statement)


def seal_unsealed(db: sqlite3.Connection, table: str) -> None:
    """Seal the rows without one: all of them once, later those that an earlier version wrote.

    What of them cannot be read back any more gets a seal that it does not fit, so that it is left out and named.
    """
    key = SEALED[table][0]
    after = -(1 << 62)
    while True:
        rows = db.execute(
            f"SELECT {columns_of(table)} FROM {table} WHERE seal IS NULL AND {key} > ? ORDER BY {key} LIMIT 500",
            (after,),
        ).fetchall()
        if not rows:
            return
        after = rows[-1][0]
        sealed = [(seal_of(table, row[:-1]) if is_readable(table, row) else -1, row[0]) for row in rows]
        db.executemany(f"UPDATE {table} SET seal = ? WHERE {key} = ?", sealed)


def _without_autoincrement(db: sqlite3.Connection) -> None:
    """Number entries by the last one that is there, which merging keeps: one page less to write with every commit.

    How a table lies on disk is the same with and without; only its words say so (https://sqlite.org/autoinc.html).
    """
    (version,) = db.execute("PRAGMA schema_version").fetchone()
    db.execute("PRAGMA writable_schema = ON")
    try:
        db.execute(
            "UPDATE sqlite_schema SET sql = replace(sql, 'PRIMARY KEY AUTOINCREMENT', 'PRIMARY KEY') WHERE name = 'entry'"
        )
        db.execute(f"PRAGMA schema_version = {version + 1}")
    finally:
        db.execute("PRAGMA writable_schema = OFF")
