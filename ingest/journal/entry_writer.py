"""Appending to the journal: persons, sources, entries, and what troubles the stores."""

import json
import sqlite3
from typing import Any


class EntryWriter:
    """One transaction of the journal; everything appended through it shares one moment of recording."""

    def __init__(self, db: sqlite3.Connection, now_ms: int) -> None:
        self.db = db
        self.now_ms = now_ms

    def person(self, name: str) -> int:
        """The id of a person, who is new to the journal at most once."""
        self.db.execute("INSERT INTO person (name) VALUES (?) ON CONFLICT DO NOTHING", (name,))
        (found,) = self.db.execute("SELECT id FROM person WHERE name = ?", (name,)).fetchone()
        return int(found)

    def rename(self, person: int, name: str) -> None:
        """Give a person another name. Every store names persons in its rows: to all of them this is a new journal."""
        self.db.execute("UPDATE person SET name = ? WHERE id = ?", (name, person))
        self.db.execute("UPDATE identity SET journal = lower(hex(randomblob(16)))")

    def source(self, person: int, name: str, kind: str, rank: int) -> int:
        """The id of a source; kind and rank are those it was first seen with."""
        self.db.execute(
            "INSERT INTO source (person, name, kind, rank) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (person, name, kind, rank),
        )
        sql = "SELECT id FROM source WHERE person = ? AND name = ?"
        return int(self.db.execute(sql, (person, name)).fetchone()[0])

    def entry(
        self,
        person: int,
        what: str,
        at_ms: int,
        touches_ms: tuple[int, int] | None = None,
        content: dict[str, Any] | None = None,
        file: int | None = None,
    ) -> int:
        """Append what came in about a moment; gives its position. `touches_ms` is the time to count anew."""
        first, last = touches_ms or (None, None)
        text = json.dumps(content, sort_keys=True, ensure_ascii=False) if content is not None else None
        cursor = self.db.execute(
            "INSERT INTO entry (person, what, at_ms, first_ms, last_ms, recorded_ms, file, content)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (person, what, at_ms, first, last, self.now_ms, file, text),
        )
        return int(cursor.lastrowid or 0)

    def store_error(self, name: str, error: str | None) -> None:
        """Note what troubles a store; None: nothing any more."""
        sql = "INSERT INTO reader (name, position, error) VALUES (?1, 0, ?2) ON CONFLICT (name) DO UPDATE SET error = ?2"
        self.db.execute(sql, (name, error))
