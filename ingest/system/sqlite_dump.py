"""A database as records, one after the other, and made of them again: what it holds, not how its pages lie.

Rows that stay the same give the same bytes, so whoever keeps records need not keep them twice; where pages lie changes
with each commit. Reading all rows also proves that they can be read.
"""

import errno
import json
import os
import sqlite3
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from ingest.errors import TryLater
from ingest.language import N_, Text
from ingest.system.sqlite import PAGE_BYTES, SqliteFault, fault_of, open_readonly

_HEAD = struct.Struct("<II")
_ROW = 0
"""What a row's record begins with; all others begin with a word."""

_BATCH = 500

_TABLES = """
SELECT s.name, s.sql, l.wr FROM sqlite_schema s JOIN pragma_table_list l ON l.schema = 'main' AND l.name = s.name
WHERE s.type = 'table' AND s.name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY s.name"""

_REST = """
SELECT sql FROM sqlite_schema WHERE type <> 'table' AND sql IS NOT NULL ORDER BY type <> 'index', name"""


def pack(values: Sequence[Any]) -> bytes:
    """Plain values and bytes as a record, which says itself how long it is."""
    blobs = [v for v in values if isinstance(v, bytes)]
    plain = [[len(v)] if isinstance(v, bytes) else v for v in values]
    head = json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()
    return b"".join((_HEAD.pack(sum(map(len, blobs), len(head)), len(head)), head, *blobs))


def unpack(data: bytes) -> Iterator[list[Any]]:
    """The values of all records in a row. Raises ValueError where they are none."""
    at = 0
    while at < len(data):
        try:
            length, head = _HEAD.unpack_from(data, at)
        except struct.error as e:
            raise ValueError("a record is cut off") from e
        at += _HEAD.size
        blob, end = at + head, at + length
        if not head <= length or end > len(data):
            raise ValueError("a record is cut off")
        values: list[Any] = json.loads(data[at:blob])
        for i, value in enumerate(values):
            if isinstance(value, list):
                values[i] = data[blob : blob + value[0]]
                blob += value[0]
        yield values
        at = end


def dump(path: Path, *, first: str = "SELECT NULL") -> Iterator[bytes]:
    """All that a database holds at one moment, as records; the first of them has the answer to a question, too.

    One transaction that reads: it keeps nobody from writing, but the write-ahead log from being taken over to its end.
    Raises TryLater, or FileNotFoundError.
    """
    if not path.exists():
        raise FileNotFoundError(2, "No such file or directory", str(path))
    try:
        with closing(open_readonly(path)) as db:
            db.execute("BEGIN")
            facts = {name: _pragma(db, name) for name in ("user_version", "application_id")}
            answer = db.execute(first).fetchone()
            yield pack(["database", answer[0] if answer else None, json.dumps(facts)])
            for name, sql, without_rowid in db.execute(_TABLES).fetchall():
                yield from _dump_table(db, name, sql, without_rowid=bool(without_rowid))
            if db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'").fetchone():
                for row in db.execute("SELECT name, seq FROM sqlite_sequence ORDER BY name"):
                    yield pack(["sequence", *row])
            for (sql,) in db.execute(_REST).fetchall():
                yield pack(["then", sql])
    except sqlite3.Error as e:
        raise _not_copied(e, path) from e


def _not_copied(error: sqlite3.Error, path: Path) -> TryLater:
    if fault_of(error, path) in {SqliteFault.DAMAGED, SqliteFault.FOREIGN}:
        words = N_(
            "No copy is made, as the journal {path} is damaged ({why}). The copies from before stay. `hartslag repair`"
            " brings back what can be read."
        )
    else:
        words = N_("No copy is made, as the journal {path} cannot be read now ({why}).")
    return TryLater(Text(words, path=path, why=str(error)))


def _pragma(db: sqlite3.Connection, name: str) -> int:
    return int(db.execute(f"PRAGMA {name}").fetchone()[0])


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def heads(make: Callable[[sqlite3.Connection], None]) -> list[list[Any]]:
    """The values of the record with which each table would begin that `make` makes."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        make(db)
        tables = db.execute(_TABLES).fetchall()
        return [_head(db, name, sql, without_rowid=bool(without))[0] for name, sql, without in tables]


def _head(db: sqlite3.Connection, name: str, sql: str, *, without_rowid: bool) -> tuple[list[Any], list[Any]]:
    """(The values of a table's first record, its columns that are keys)."""
    columns = [row for row in db.execute(f"PRAGMA table_xinfo({_name(name)})") if row[6] == 0]
    names = [row[1] for row in columns]
    keys = [row for row in columns if row[5]]
    # The only integer that is a primary key is the number of the row itself.
    numbered = not without_rowid and not (len(keys) == 1 and keys[0][2].upper() == "INTEGER")
    return ["table", name, sql, json.dumps(names), numbered], keys


def _dump_table(db: sqlite3.Connection, name: str, sql: str, *, without_rowid: bool) -> Iterator[bytes]:
    head, keys = _head(db, name, sql, without_rowid=without_rowid)
    names, numbered = json.loads(head[3]), head[4]
    yield pack(head)
    wanted = ", ".join((["rowid"] if numbered else []) + list(map(_name, names)))
    ordered = sorted(keys, key=lambda row: int(row[5]))
    order = ", ".join(_name(row[1]) for row in ordered) if without_rowid else "rowid"
    for row in db.execute(f"SELECT {wanted} FROM {_name(name)} ORDER BY {order}"):
        yield pack([_ROW, *row])


def load(records: Iterable[list[Any]], path: Path) -> None:
    """Make a database of the values of its records, in a file that is not there yet.

    Nothing is told to the card yet. Raises OSError for a full disk, ValueError for what is no dump.
    """
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            for setting in (f"page_size = {PAGE_BYTES}", "journal_mode = OFF", "synchronous = OFF"):
                db.execute(f"PRAGMA {setting}")
            db.execute("BEGIN")
            _load(records, db)
            db.execute("COMMIT")
    except sqlite3.Error as e:
        if fault_of(e, path) is SqliteFault.FULL:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from e
        raise ValueError(str(e)) from e


def _load(records: Iterable[list[Any]], db: sqlite3.Connection) -> None:
    insert, rows = "", list[list[Any]]()
    for values in records:
        if values[0] == _ROW:
            rows.append(values[1:])
            if len(rows) == _BATCH:
                _insert(db, insert, rows)
            continue
        _insert(db, insert, rows)
        if values[0] == "table":
            insert = _begin_table(db, values)
        else:
            _take(db, values)
    _insert(db, insert, rows)


def _insert(db: sqlite3.Connection, statement: str, rows: list[list[Any]]) -> None:
    if rows:
        db.executemany(statement, rows)
    rows.clear()


def _begin_table(db: sqlite3.Connection, values: list[Any]) -> str:
    _, name, sql, columns, numbered = values
    db.execute(sql)
    names = (["rowid"] if numbered else []) + list(map(_name, json.loads(columns)))
    return f"INSERT INTO {_name(name)} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"


def _take(db: sqlite3.Connection, values: list[Any]) -> None:
    match values:
        case ["database", _, facts]:
            for name in ("user_version", "application_id"):
                db.execute(f"PRAGMA {name} = {int(json.loads(facts)[name])}")
        case ["sequence", name, number]:
            db.execute("DELETE FROM sqlite_sequence WHERE name = ?", (name,))
            db.execute("INSERT INTO sqlite_sequence VALUES (?, ?)", (name, number))
        case ["then", sql]:
            db.execute(sql)
        case _:
            raise ValueError("no record of a database")
