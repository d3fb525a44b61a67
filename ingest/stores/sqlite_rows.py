"""How rows lie in the tables of the SQLite store, and how blocks of them take the place of what is held."""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.rows.table import TABLES, Block
from ingest.system.crash_points import reached

SAMPLED = ("heart_rate", "beat")
"""Tables of a row per sample: kept by source number, and shown with its tags by a view."""


def create_tables(db: sqlite3.Connection) -> None:
    """All tables and views, with no row."""
    db.execute(
        "CREATE TABLE series (id INTEGER PRIMARY KEY, person TEXT NOT NULL, source TEXT NOT NULL, kind TEXT NOT NULL,"
        " UNIQUE (person, source))"
    )
    for name, table in TABLES.items():
        fields = ", ".join(f"{f} {kind}" for f, kind in table.fields.items())
        if name in SAMPLED:
            db.execute(
                f"CREATE TABLE {name}_sample (series INTEGER NOT NULL, time REAL NOT NULL, {fields},"
                " PRIMARY KEY (series, time)) WITHOUT ROWID"
            )
            columns = ", ".join(f"x.{f}" for f in table.fields)
            db.execute(
                f"CREATE VIEW {name} AS SELECT x.time, s.person, s.source, s.kind, {columns}"
                f" FROM series s JOIN {name}_sample x ON x.series = s.id"
            )
        else:
            tags = "".join(f"{tag} TEXT NOT NULL, " for tag in table.tags)
            # A panel asks for a person and a time, of whichever sources there were then.
            person, *others = table.tags
            db.execute(
                f"CREATE TABLE {name} (time REAL NOT NULL, {tags}{fields},"
                f" PRIMARY KEY ({', '.join((person, 'time', *others))})) WITHOUT ROWID"
            )


def replace_blocks(db: sqlite3.Connection, blocks: Sequence[Block]) -> None:
    """Have each block take the place of what is held in its span."""
    reached("store begun")
    for block in blocks:
        if block.table in SAMPLED:
            _replace_samples(db, block)
        else:
            _replace_rows(db, block)


def _seconds(us: int) -> float:
    return us / 1e6


def _replace_rows(db: sqlite3.Connection, block: Block) -> None:
    table = TABLES[block.table]
    where = " AND ".join(f"{tag} = ?" for tag in block.tags) + " AND time >= ? AND time < ?"
    key = (*block.tags.values(), _seconds(block.start_us), _seconds(block.end_us))
    if block.only_zones:
        rows = _row_tuples(_possibly_changed(db, block, where, key))
    else:
        rows = _changed_tuples(db, block, where, key)
    names = ", ".join(("time", *table.tags, *table.fields))
    marks = ", ".join("?" * (1 + names.count(",")))
    db.executemany(f"INSERT OR REPLACE INTO {block.table} ({names}) VALUES ({marks})", rows)


def _changed_tuples(
    db: sqlite3.Connection, block: Block, where: str, key: tuple[Any, ...]
) -> list[tuple[Any, ...]]:
    """The rows that are not held as they are, as a card wears out by the page; those held that are none of them are deleted."""
    table, rows = TABLES[block.table], _row_tuples(block)
    names = ("time", *table.tags)
    held = db.execute(f"SELECT {', '.join((*names, *table.fields))} FROM {block.table} WHERE {where}", key)
    first = next(held, None)
    if first is None:  # as while a store is filled
        return rows
    n = len(names)
    changed = {row[:n]: row for row in rows}
    removed = []
    for row in chain([first], held):
        if changed.get(row[:n]) == row:
            del changed[row[:n]]
        elif row[:n] not in changed:
            removed.append(row[:n])
    one = " AND ".join(f"{name} = ?" for name in names)
    db.executemany(f"DELETE FROM {block.table} WHERE {one}", removed)
    return list(changed.values())


def _row_tuples(block: Block) -> list[tuple[Any, ...]]:
    """Time, tags and fields of each row."""
    if not len(block):
        return []
    table = TABLES[block.table]
    columns = [
        (block.time_us / 1e6).tolist(),
        *([block.tags[tag]] * len(block) if tag in block.tags else block.labels[tag] for tag in table.tags),
        *(_as_list(block.fields[f]) for f in table.fields),
    ]
    return list(zip(*columns, strict=True))


def _possibly_changed(db: sqlite3.Connection, block: Block, where: str, key: tuple[Any, ...]) -> Block:
    """The rows of a block that may differ from those held: what was and stays light is as it was.

    A year of an all-day watch is half a million minutes, nearly all of them light whatever the edges.
    """
    held = db.execute(f"SELECT time FROM {block.table} WHERE {where} AND light_s <> measured_s", key)
    before = np.array([time for (time,) in held], np.float64)
    light = block.fields["light_s"] == block.fields["measured_s"]
    some = ~light | np.isin(block.time_us / 1e6, before)
    fields = {name: column[some] for name, column in block.fields.items()}
    return replace(block, time_us=block.time_us[some], fields=fields)


def _as_list(column: Any) -> list[Any]:
    return column.tolist() if isinstance(column, np.ndarray) else list(column)


def _replace_samples(db: sqlite3.Connection, block: Block) -> None:
    if len(block):
        key = (block.tags["person"], block.tags["source"], block.tags["kind"])
        db.execute("INSERT INTO series (person, source, kind) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", key)
    where = " AND ".join(f"{tag} = ?" for tag in block.tags)
    for (series,) in db.execute(
        f"SELECT id FROM series WHERE {where}", tuple(block.tags.values())
    ).fetchall():
        _insert_samples(db, _changed_rows(db, block, series), series)


def _changed_rows(db: sqlite3.Connection, block: Block, series: int) -> Block:
    """The rows of a block that are not held as they are; those held that are none of its rows are deleted."""
    span = series, _seconds(block.start_us), _seconds(block.end_us)
    where = f"FROM {block.table}_sample WHERE series = ? AND time >= ? AND time < ?"
    held = np.array(db.execute(f"SELECT * {where}", span).fetchall(), np.float64).reshape(-1, 3)
    if not len(held):
        return block
    (field,) = TABLES[block.table].fields
    values = np.asarray(block.fields[field]) if len(block) else np.empty(0)
    time = block.time_us / 1e6
    at = np.minimum(np.searchsorted(held[:, 1], time), len(held) - 1)
    changed = (held[at, 1] != time) | (held[at, 2] != values)
    removed = held[~np.isin(held[:, 1], time), 1]
    if 2 * len(removed) > len(held):
        db.execute(f"DELETE {where}", span)
        return block
    db.executemany(
        f"DELETE FROM {block.table}_sample WHERE series = ? AND time = ?",
        [(series, t) for t in removed.tolist()],
    )
    return replace(block, time_us=block.time_us[changed], fields={field: values[changed]})


def _insert_samples(db: sqlite3.Connection, block: Block, series: int) -> None:
    if not len(block):
        return
    (field,) = TABLES[block.table].fields
    values = np.asarray(block.fields[field])
    if values.dtype == np.uint8:
        _insert_bytes(db, block.table, series, block.time_us, values)
    else:
        rows = zip((block.time_us / 1e6).tolist(), values.tolist(), strict=True)
        db.executemany(f"INSERT OR REPLACE INTO {block.table}_sample VALUES ({series}, ?, ?)", rows)


def _insert_bytes(
    db: sqlite3.Connection, table: str, series: int, time_us: NDArray[np.int64], values: NDArray[np.uint8]
) -> None:
    """All rows in one statement: milliseconds since the first and value packed into one number of a JSON list.

    Twice as fast as binding row by row, and SQLite works on it without holding up the rest of the program.
    """
    ms = time_us // 1000
    packed = ((ms - ms[0]) << 8 | values).tolist()
    db.execute(
        f"INSERT OR REPLACE INTO {table}_sample SELECT ?, (? + (value >> 8)) / 1000.0, value & 255 FROM json_each(?)",
        (series, int(ms[0]), str(packed)),
    )
