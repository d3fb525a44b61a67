"""Appending to the journal: persons, sources, entries, and what troubles the stores."""

import json
import sqlite3
from collections.abc import Iterable
from typing import Any

from ingest.journal.entry import ALWAYS_MS
from ingest.journal.merged import PERSONS, merges, own
from ingest.journal.seal import SEALED, columns_of, insertion, is_sealed, seal_of
from ingest.journal.tally import LAST


class EntryWriter:
    """One transaction of the journal; everything appended through it shares one moment of recording."""

    def __init__(self, db: sqlite3.Connection, now_ms: int, generation: str | None = None) -> None:
        """`generation` is noted before the first entry of a writer's run; None: it is noted already."""
        self.db = db
        self.now_ms = now_ms
        self._generation = generation

    def own(self, person: int) -> str:
        """The condition in SQL that a row is of a person, behind the column's name."""
        return own(merges(lambda sql: self.db.execute(sql).fetchall()), person)

    def person(self, name: str) -> int:
        """The id of a person, who is new to the journal at most once."""
        new = self.db.execute(
            "INSERT INTO person (name) VALUES (?) ON CONFLICT DO NOTHING RETURNING id", (name,)
        )
        self._seal("person", new.fetchall())
        (found,) = self.db.execute("SELECT id FROM person WHERE name = ?", (name,)).fetchone()
        return int(found)

    def rename(self, person: int, name: str) -> None:
        """Give a person another name. Every store names persons in its rows: all of theirs are written anew."""
        self.db.execute("UPDATE person SET name = ? WHERE id = ?", (name, person))
        self._seal("person", [(person,)])
        self.tell_persons(person)

    def tell_persons(self, person: int) -> None:
        """Have every store write all rows of a person anew, and drop those of everybody whom the journal does not know."""
        self.entry(person, PERSONS, self.now_ms, (-ALWAYS_MS, ALWAYS_MS))

    def source(self, person: int, name: str, kind: str, rank: int) -> int:
        """The id of a source; kind and rank are those it was first seen with."""
        new = self.db.execute(
            "INSERT INTO source (person, name, kind, rank) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id",
            (person, name, kind, rank),
        )
        self._seal("source", new.fetchall())
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
        position = self._next_position()
        self._insert("entry", (position, person, what, at_ms, first, last, self.now_ms, file, text))
        return position

    def _next_position(self) -> int:
        (last,) = self.db.execute(f"SELECT {LAST}").fetchone()
        if self._generation is not None:
            self.db.execute(
                "INSERT INTO run (first_position, generation, seal) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE"
                " SET generation = ?2, seal = ?3",
                (last + 1, self._generation, seal_of("run", (last + 1, self._generation))),
            )
            self._generation = None
        return int(last) + 1

    def _insert(self, table: str, values: tuple[Any, ...]) -> None:
        """A row with all its columns, in the order of `SEALED`."""
        self.db.execute(insertion(table), (*values, seal_of(table, values)))

    def _seal(self, table: str, rows: Iterable[tuple[int]]) -> None:
        """Seal rows, by their numbers, as they are now."""
        key = SEALED[table][0]
        for (number,) in rows:
            sql = f"SELECT {', '.join(SEALED[table])} FROM {table} WHERE {key} = ?"
            row = self.db.execute(sql, (number,)).fetchone()
            self.db.execute(f"UPDATE {table} SET seal = ? WHERE {key} = ?", (seal_of(table, row), number))

    def _is_whole(self, table: str, number: int) -> bool:
        """Whether a row is as it was written: sealing another one anew would pass the damage off as what was said."""
        sql = f"SELECT {columns_of(table)} FROM {table} WHERE {SEALED[table][0]} = ?"
        row = self.db.execute(sql, (number,)).fetchone()
        return row[-1] is None or is_sealed(table, row)

    def store_error(self, name: str, error: str | None) -> None:
        """Note what troubles a store; None: nothing any more."""
        sql = "INSERT INTO reader (name, position, error) VALUES (?1, 0, ?2) ON CONFLICT (name) DO UPDATE SET error = ?2"
        self.db.execute(sql, (name, error))
