"""A person taken out of the journal, row by row and byte by byte. Nothing else ever deletes from it."""

import json
import sqlite3
from collections.abc import Sequence

from ingest.journal.entry_writer import EntryWriter

OF_PERSON = (
    "DELETE FROM chunk WHERE person IN {who}",
    "DELETE FROM connection WHERE source IN (SELECT id FROM source WHERE person IN {who})",
    "DELETE FROM entry WHERE person IN {who}",
    "DELETE FROM file WHERE person IN {who}",
    "DELETE FROM arrival WHERE person IN {who}",
    "DELETE FROM source WHERE person IN {who}",
    "DELETE FROM tally WHERE person IN {who}",
    "DELETE FROM person WHERE id IN {who}",
)


def delete_persons(w: EntryWriter, persons: Sequence[int], nobody: str) -> None:
    """Delete all rows of some persons within the open transaction, and have every store drop theirs.

    `nobody` is the name of who is there when nobody else is: an entry is somebody's.
    """
    # Files may stand for one another: who is pointed at goes in the same transaction.
    w.db.execute("PRAGMA defer_foreign_keys = ON")
    for statement in OF_PERSON:
        w.db.execute(statement.format(who="(SELECT value FROM json_each(?1))"), (json.dumps(list(persons)),))
    left = w.db.execute("SELECT min(id) FROM person").fetchone()[0]
    w.entry(left if left is not None else w.person(nobody), "persons", w.now_ms, None)


def wipe(db: sqlite3.Connection) -> None:
    """Write the file anew without the pages that nothing is in, and empty its log. Raises sqlite3.Error."""
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.execute("VACUUM")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
