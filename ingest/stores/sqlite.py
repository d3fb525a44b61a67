"""The store for Grafana that needs no server: an SQLite file beside the journal, rebuilt from it at any time.

Grafana runs as another user and may be the first to open the file: it and its companions must then be writable by
the group, or the daemon would be locked out by files that Grafana made (https://sqlite.org/wal.html#read_only_databases).
"""

import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from ingest.errors import DiskFull, Stop
from ingest.language import N_, Text
from ingest.language import gettext as _
from ingest.rows.table import TABLES, Block
from ingest.rows.version import rows_version
from ingest.stores.contract import Followed, Overtaken, RefusedRow, Stretch
from ingest.stores.held_straps import StrapsInSqlite
from ingest.system.crash_points import reached
from ingest.system.files import make_folder
from ingest.system.patience import Patience
from ingest.system.sqlite import DerivedFile, SqliteFault, fault_of, open_readonly

if TYPE_CHECKING:
    from ingest.journal import Journal
    from ingest.journal.damage import Damage

SAMPLED = ("heart_rate", "beat")
"""Tables of a row per sample: kept by source number, and shown with its tags by a view."""

_FOLDER_MODE, _FILE_MODE = 0o2770, 0o660


class SqliteStore:
    """The store at a path. One connection; belongs to the thread that uses it."""

    name = "sqlite"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.place = str(path)
        self._file = DerivedFile(
            path,
            _create_position,
            subject=f"The store {path}",
            made_anew="it is made anew from the journal",
            waits="it catches up by itself",
            file_mode=_FILE_MODE,
            make_folder=lambda folder: make_folder(folder, _FOLDER_MODE),
            lock="lock",
        )
        self._began = 0
        self._journal: Followed | None = None

    @property
    def patience(self) -> Patience:
        """How long it waits for another process that has the file."""
        return self._file.patience

    @patience.setter
    def patience(self, patience: Patience) -> None:
        self._file.patience = patience

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    # --- the contract of a store ---

    def begin(self, journal: Followed) -> int:
        """The position in a journal; the store is emptied when it is of another or of an older version."""
        self._journal = journal
        with self._file.explained():
            db = self._file.connection()
            held = self._held_position(db, journal)
            if held is None:
                self.clear(journal)
            self._began = held or 0
            return self._began

    def _held_position(self, db: sqlite3.Connection, journal: Followed) -> int | None:
        """The position in a journal; None where what is held is of another, or of another past of it."""
        has_generation = any(row[1] == "generation" for row in db.execute("PRAGMA table_info(replica)"))
        generation = "generation" if has_generation else "NULL"  # an earlier version's
        held = db.execute(f"SELECT journal, version, position, {generation} FROM replica").fetchone()
        if held is None or held[:2] != (journal.id, rows_version()):
            return None
        position = int(held[2])
        return position if held[3] == journal.generation_at(position) else None

    def write(self, portions: Iterable[list[Block]], position: int) -> None:
        """Hold the blocks, a transaction for each portion, and be at the position with the last of them."""
        with self._file.exclusive():
            if not self._is_where_it_began():
                raise Overtaken
            todo = iter(portions)
            before: list[Block] | None = None
            for portion in chain(todo, [None]):
                if before is not None:
                    with self._file.transaction() as db:
                        _replace_blocks(db, before)
                        if portion is None:
                            self._move_position(db, position)
                        reached("store written")
                elif portion is None:
                    with self._file.transaction() as db:
                        self._move_position(db, position)
                before = portion
            reached("store committed")

    def _is_where_it_began(self) -> bool:
        """Whether no other process has moved the position since `begin`."""
        with self._file.explained():
            held = self._file.connection().execute("SELECT position FROM replica").fetchone()
        return held is not None and held[0] == self._began

    def _move_position(self, db: sqlite3.Connection, position: int) -> None:
        """Be at a position; never further back."""
        assert self._journal is not None, "begin comes first"
        if position == self._began:
            return  # only the newest rows came, ahead of their turn: no page is written for that
        generation = self._journal.generation_at(position)
        db.execute(
            "UPDATE replica SET position = ?1, generation = ?2 WHERE position <= ?1", (position, generation)
        )
        self._began = max(self._began, position)

    def keep_persons(self, names: Collection[str]) -> None:
        """Delete the rows of everybody else."""
        marks = ", ".join("?" * len(names))
        others = f"person NOT IN ({marks})"
        with self._file.exclusive(), self._file.transaction() as db:
            if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'series'").fetchone():
                return
            for name in TABLES:
                if name in SAMPLED:
                    of_others = f"SELECT id FROM series WHERE {others}"
                    db.execute(f"DELETE FROM {name}_sample WHERE series IN ({of_others})", tuple(names))
                else:
                    db.execute(f"DELETE FROM {name} WHERE {others}", tuple(names))
            db.execute(f"DELETE FROM series WHERE {others}", tuple(names))

    def holds_others(self, names: Collection[str]) -> bool:
        """What was deleted is gone for good."""
        del names
        return False

    def wipe(self) -> None:
        """Leave no byte of deleted rows in the file."""
        self._file.wipe()

    def discard(self) -> None:
        """Take the file away: whoever follows next makes it anew. Raises TryLater."""
        with self._file.exclusive():
            self._file.discard()

    def maintain(self) -> None:
        """Nothing waits here."""

    def doubted(self, persons: Collection[str]) -> None:
        """What was committed is on the disk."""
        del persons

    def counts_as_before(self, stretch: Stretch) -> bool:
        """`faults` looks over the whole file."""
        del stretch
        return True

    def compare(self, portions: Iterable[list[Block]], stretch: Stretch) -> bool:
        """Nothing is ever asked for."""
        del portions, stretch
        return True

    def make(self) -> None:
        """Be there for those who read, with no row, also before anything was collected. Raises TryLater."""
        with self._file.exclusive(), self._file.transaction() as db:
            if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'series'").fetchone():
                _create(db)

    def clear(self, journal: Followed) -> None:
        """Delete all rows: the next one to follow the journal fills it anew."""
        with self._file.exclusive():
            self._bear_witness(journal)
            self._empty(journal)

    def _bear_witness(self, journal: Followed) -> None:
        """Tell a journal that is not the one that was followed, or was put back, what is held of straps."""
        db = self._file.connection()
        with suppress(sqlite3.OperationalError):  # tables of an earlier version, or none
            if _is_of_another(db, journal):
                journal.note_gone(StrapsInSqlite(db))

    def missing_from(self, journal: "Journal") -> "list[Damage]":
        """What it would tell a journal that was repaired: what it holds of straps, and that journal does not. Nothing is changed."""
        from ingest.journal.witnessed import gone

        if not self.path.exists():
            return []
        with suppress(sqlite3.Error, Stop), closing(open_readonly(self.path)) as db:
            return gone(journal, StrapsInSqlite(db)) if _is_of_another(db, journal) else []
        return []

    def _empty(self, journal: Followed) -> None:
        with self._file.transaction() as db:
            for kind, name in db.execute(
                "SELECT type, name FROM sqlite_schema WHERE name NOT LIKE 'sqlite%'"
            ).fetchall():
                if kind in {"table", "view"} and name != "replica":
                    db.execute(f'DROP {kind} "{name}"')
            db.execute("DELETE FROM replica")
            _create(db)
            sql = "INSERT INTO replica (journal, version, position, generation) VALUES (?, ?, 0, ?)"
            db.execute(sql, (journal.id, rows_version(), journal.generation_at(0)))

    # --- for `status` and `check` ---

    remedy = "`hartslag rebuild` makes it anew."

    def refused_rows(self) -> list[RefusedRow]:
        """It takes all of them."""
        return []

    def reported_position(self, journal: Followed) -> int:
        """Its position, which is always the true one; 0 when the file is not there or cannot be read."""
        with suppress(sqlite3.DatabaseError, Stop), closing(open_readonly(self.path)) as db:
            return self._held_position(db, journal) or 0
        return 0

    def misplaced(self) -> str | None:
        """What is in its place instead of it: a file of another user's, or one in which nothing of ours is."""
        if not self.path.is_file():
            return None
        if not os.access(self.path, os.W_OK):
            owner = self.path.stat().st_uid
            return _("it belongs to another user ({number}); the daemon makes it anew").format(number=owner)
        with suppress(sqlite3.DatabaseError, Stop), closing(open_readonly(self.path)) as db:
            if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'replica'").fetchone():
                return _("nothing of hartslag is in it; the daemon makes it anew")
        return None

    def faults(self, journal: str = "") -> list[str]:  # noqa: ARG002 - a copy of any journal may be damaged
        """What SQLite finds wrong with the file; empty when it is whole or not there. Raises DiskFull."""
        if not self.path.exists():
            return []
        if wrong := self.misplaced():
            return [wrong]
        try:
            with closing(open_readonly(self.path)) as db:
                found = [row[0] for row in db.execute("PRAGMA integrity_check")]
        except sqlite3.DatabaseError as e:
            if fault_of(e, self.path) is SqliteFault.FULL:
                words = N_(
                    "The store {path} cannot be looked at: the disk is full. Make room; nothing is lost meanwhile."
                )
                raise DiskFull(Text(words, path=self.path)) from e
            return [str(e)]
        except Stop as e:
            return [str(e)]
        return [] if found == ["ok"] else found


def _is_of_another(db: sqlite3.Connection, journal: Followed) -> bool:
    """Whether a store was filled from another journal, or from another past of it. Raises sqlite3.Error."""
    held = db.execute("SELECT journal, position, generation FROM replica").fetchone()
    return bool(held) and held != (journal.id, held[1], journal.generation_at(held[1]))


def _create_position(db: sqlite3.Connection) -> None:
    db.execute(
        "CREATE TABLE IF NOT EXISTS replica (journal TEXT NOT NULL, version INTEGER NOT NULL, position INTEGER NOT NULL,"
        " generation TEXT)"
    )
    if not any(row[1] == "generation" for row in db.execute("PRAGMA table_info(replica)")):
        db.execute("ALTER TABLE replica ADD COLUMN generation TEXT")


def _create(db: sqlite3.Connection) -> None:
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


def _replace_blocks(db: sqlite3.Connection, blocks: Sequence[Block]) -> None:
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
        block = _possibly_changed(db, block, where, key)
    names, n = ("time", *table.tags, *table.fields), 1 + len(table.tags)
    rows = {row[:n]: row for row in _row_tuples(block)}
    if not block.only_zones:
        # What is as it was is not written again: a card wears out by the page.
        removed = []
        for held in db.execute(f"SELECT {', '.join(names)} FROM {block.table} WHERE {where}", key):
            if rows.get(held[:n]) == held:
                del rows[held[:n]]
            elif held[:n] not in rows:
                removed.append(held[:n])
        one = " AND ".join(f"{name} = ?" for name in names[:n])
        db.executemany(f"DELETE FROM {block.table} WHERE {one}", removed)
    marks = ", ".join("?" * len(names))
    db.executemany(
        f"INSERT OR REPLACE INTO {block.table} ({', '.join(names)}) VALUES ({marks})", list(rows.values())
    )


def _row_tuples(block: Block) -> Iterator[tuple[Any, ...]]:
    """Time, tags and fields of each row."""
    if not len(block):
        return
    table = TABLES[block.table]
    columns = [
        (block.time_us / 1e6).tolist(),
        *([block.tags[tag]] * len(block) if tag in block.tags else block.labels[tag] for tag in table.tags),
        *(_as_list(block.fields[f]) for f in table.fields),
    ]
    yield from zip(*columns, strict=True)


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
        (series, int(ms[0]), f"[{','.join(map(str, packed))}]"),
    )
