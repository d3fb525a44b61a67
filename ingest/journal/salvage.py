"""All rows of a damaged journal that are as they were written, and what is known of those that are not."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingest.formats.characteristics import HEART_RATE_MEASUREMENT
from ingest.formats.recording import DAY_MS, RANKS
from ingest.journal.aside import Aside
from ingest.journal.damage import Damage
from ingest.journal.entry import ALWAYS_MS
from ingest.journal.merged import HIDDEN, MERGES, merges_of
from ingest.journal.pages import Pages, Unreadable
from ingest.journal.schema import create_tables
from ingest.journal.seal import SEALED, insertion, is_readable, is_sealed, is_whole, seal_of
from ingest.journal.tally import CHUNK, COUNTED, recount
from ingest.system.sqlite import PAGE_BYTES

SINGLE = ("identity", "merged", "tallied")
"""Tables of one row, which carries no seal."""

_Row = tuple[Any, ...]

_Day = tuple[int, str, int]
"""Of whom, what, and on which day since 1970."""


@dataclass(slots=True)
class Salvaged:
    """What was found. `rows` are those of each table by their numbers, their seals behind them; their long values lie `aside`."""

    aside: Aside
    rows: dict[str, dict[int, _Row]] = field(default_factory=lambda: {table: {} for table in SEALED})
    single: dict[str, Any] = field(default_factory=dict)
    tally: dict[_Day, int] = field(default_factory=dict)
    broken: list[tuple[str, _Row]] = field(default_factory=list)
    """Rows that are not as they were written: their table, and what can be read of them."""
    is_walked: bool = True
    """Whether the way from the roots down was whole."""
    lost_pages: set[str] = field(default_factory=set)
    """The tables of which some pages could not be read; '' where not even that is known."""

    def of(self, table: str) -> Iterator[dict[str, Any]]:
        """The rows of a table, by the names of their columns."""
        for row in self.rows[table].values():
            yield dict(zip(SEALED[table], row, strict=False))


def salvage(path: Path) -> Salvaged:
    """Read all that is whole in a journal. Raises OSError when the file itself cannot be read."""
    pages, found = Pages(path, PAGE_BYTES), Salvaged(Aside(path.parent))
    layouts = _layouts()
    owners, free = _owners(pages, found.lost_pages), pages.free()
    found.is_walked = bool(owners) and free is not None
    leaves = [n for n in range(1, pages.count + 1) if n not in (free or ()) and pages.holds_rows(n)]
    # What hangs at its root counts before what was only found lying about.
    for number in sorted(leaves, key=lambda n: n not in owners):
        _read_page(pages, number, owners.get(number), layouts, found)
    _drop_superseded(found)
    _names_by_index(pages, found)
    return found


def _names_by_index(pages: Pages, found: Salvaged) -> None:
    """The names of persons and sources whose own rows are lost, of which the indexes keep a copy."""
    schema, _ = pages.leaves(1)
    roots = {
        str(row[1][1]): row[1][3]
        for leaf in schema
        for row in _safely(pages, leaf)
        if len(row[1]) == 5 and row[1][0] == "index" and isinstance(row[1][3], int)
    }
    for values in pages.index(roots.get("sqlite_autoindex_person_1", 0)):
        # By its index a row may be gone that was written anew since: `_tell_apart`.
        if [type(v) for v in values] == [str, int] and values[1] not in found.rows["person"]:
            _put(found, "person", (values[1], values[0]))
    for values in pages.index(roots.get("sqlite_autoindex_source_1", 0)):
        if [type(v) for v in values] == [int, str, int] and values[2] not in found.rows["source"]:
            person, name, number = values
            kind = next((k for k in ("strap", "monitoring") if k in name.split("-")[-1]), "activity")
            _put(found, "source", (number, person, name, kind, RANKS[kind]))


def _layouts() -> dict[str, list[tuple[str, Any]]]:
    """The columns of each table as they lie on disk, and what stands for those that older rows do not have."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        create_tables(db)
        names = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {
            name: [
                (column, _constant(default))
                for _, column, _, _, default, _ in db.execute(f"PRAGMA table_info({name})")
            ]
            for name in names
        }


def _constant(default: str | None) -> Any:
    if default is None:
        return None
    return default[1:-1] if default.startswith("'") else int(default)


def _owners(pages: Pages, lost: set[str]) -> dict[int, str]:
    """Of which table each page with rows is, as far as the way from the root is whole; `lost` are those where it is not."""
    found, roots = dict[int, str](), dict[str, int]()
    schema, is_whole = pages.leaves(1)
    for leaf in schema:
        for row in _safely(pages, leaf):
            values = row[1]
            if len(values) == 5 and values[0] == "table" and isinstance(values[3], int):
                roots[str(values[1])] = values[3]
    if not (is_whole and {*SEALED, *SINGLE, "tally"} <= set(roots)):
        lost.add("")
    for table, root in roots.items():
        leaves, is_whole = pages.leaves(root)
        found |= dict.fromkeys(leaves, table)
        if not is_whole:
            lost.add(table)
    return found


def _safely(pages: Pages, number: int) -> list[tuple[int, list[Any]]]:
    try:
        return [row for row in pages.rows(number) if row is not None]
    except (Unreadable, IndexError):
        return []


def _read_page(
    pages: Pages, number: int, owner: str | None, layouts: dict[str, list[tuple[str, Any]]], found: Salvaged
) -> None:
    for key, values in _safely(pages, number):
        tables = [owner] if owner is not None else [*SEALED]
        for table in tables:
            if table in SEALED and _take_sealed(found, table, key, values, layouts[table], owned=bool(owner)):
                break
            if owner == "tally":
                _take_tally(found, values)
            elif owner in SINGLE and len(values) == 1:
                found.single[owner] = values[0]
            elif owner == "reader" and len(values) > 3 and values[0] == COUNTED:
                found.single[COUNTED] = values[1], values[3]


def _take_sealed(
    found: Salvaged, table: str, key: int, values: list[Any], layout: list[tuple[str, Any]], *, owned: bool
) -> bool:
    if len(values) > len(layout):
        return False
    by_name = dict(layout) | dict(zip((name for name, _ in layout), values, strict=False))
    by_name[SEALED[table][0]] = key
    row = (*(by_name[name] for name in SEALED[table]), by_name["seal"])
    if key in found.rows[table]:
        return True
    if row[-1] is not None and is_sealed(table, row):
        found.rows[table][key] = found.aside.put(row)
        return True
    if owned and row[-1] is None and is_whole(table, row) and is_readable(table, row):
        # An earlier version wrote it; a seal that fits would hide for good that it is damaged.
        found.rows[table][key] = found.aside.put((*row[:-1], seal_of(table, row[:-1])))
        return True
    if owned:
        found.broken.append((table, found.aside.put(row)))
    return False


def _take_tally(found: Salvaged, values: list[Any]) -> None:
    if len(values) == 7 and all(isinstance(values[i], int) for i in (1, 3, 4)) and isinstance(values[2], str):
        found.tally[(values[1], values[2], values[3])] = values[4]


def _drop_superseded(found: Salvaged) -> None:
    """Without what was merged, where it is not known which pages are free: such pages may still hold what is no more."""
    if found.is_walked:
        return
    connection, steady, notified = (SEALED["chunk"].index(n) for n in ("connection", "steady_ms", "notified"))
    spans: dict[int, list[tuple[int, int, int]]] = {}
    for position, row in found.rows["chunk"].items():
        if row[connection] is not None:
            length = row[5] - row[4]
            spans.setdefault(row[connection], []).append((row[steady], row[steady] + length, position))
    for parts in spans.values():
        parts.sort(key=lambda p: (p[0], -p[1]))
        until = -(1 << 62)
        for _, last, position in parts:
            if last <= until and found.rows["chunk"][position][notified] is not None:
                del found.rows["chunk"][position]
                found.rows["entry"].pop(position, None)
            else:
                until = max(until, last)


# --- what is missing ---


NO_FILE = 0
"""What only a strap knew is of no file."""


@dataclass(frozen=True, slots=True)
class Trace:
    """What is known of something that is missing: the day, the file it is of (None: not known), and how many rows it is."""

    day: _Day | None = None
    file: int | None = None
    rows: int = 1


Missing = dict[Damage, Trace]
"""Damages that say whose something was and when; and what is known of each."""


def missing(found: Salvaged) -> tuple[Missing, set[int]]:
    """What was there and is not, and the files that are not whole any more."""
    names = _names(found)
    behind = found.single.get("tallied")
    behind = behind if isinstance(behind, int) else 0
    fewer = _fewer(found, behind)
    damages = Missing()
    _name_broken(found, names, damages)
    chunks = found.rows["chunk"]
    for e in found.of("entry"):
        day = (e["person"], CHUNK, _day(e["at_ms"]))
        is_lost = e["what"] == CHUNK and e["content"] is None and e["position"] not in chunks
        # An entry without a chunk may be one of an earlier version that says that something was dated anew.
        if is_lost and (day in fewer or e["position"] > behind):
            damage = _damage(names, e["person"], "", e["first_ms"], e["last_ms"])
            if not any((d.person, d.first_ms) == (damage.person, damage.first_ms) for d in damages):
                damages[damage] = Trace(day, e["file"] or NO_FILE)
    named = Counter(trace.day for trace in damages.values() if trace.day is not None)
    for day, n in sorted(fewer.items()):
        if named[day] < n:
            person, what, number = day
            damage = _damage(names, person, "", number * DAY_MS, (number + 1) * DAY_MS - 1, what)
            damages[damage] = Trace(day, rows=n - named[day])
    strangers = {row["person"] for table in ("chunk", "entry") for row in found.of(table)} - set(names)
    for person in sorted(strangers):
        damages[Damage(f"person {person}", "", None, None, "the name cannot be read")] = Trace()
    # What is missing of chunks and entries is known by the tally. Where that is not whole itself, nobody can tell.
    if found.lost_pages & {"tally", ""} and (found.lost_pages - {"tally"} or damages):
        damages[Damage("", "", None, None, "pages that cannot be read; what stood there is not known")] = (
            Trace()
        )
    counted, upto = found.single.get(COUNTED, (0, None))
    if upto == behind and isinstance(counted, int) and counted > sum(found.tally.values()) and not damages:
        damages[Damage("", "", None, None, "more was counted than is there; when that was is not known")] = (
            Trace()
        )
    return damages, _incomplete(found)


def _names(found: Salvaged) -> dict[int, str]:
    """What everybody is called, by their numbers; who was found to be another one has that one's name."""
    names = {row["id"]: str(row["name"]) for row in found.of("person")}
    told = sorted((e["position"], e["what"], e["content"]) for e in found.of("entry") if e["what"] in MERGES)
    merged = merges_of((what, content) for _, what, content in told)
    return {person: names.get(merged.get(person, person), name) for person, name in names.items()}


def _fewer(found: Salvaged, behind: int) -> dict[_Day, int]:
    """How many rows there are fewer than the tally has, of whom, what and which day."""
    held = Counter[_Day]()
    for row in found.of("chunk"):
        if row["position"] <= behind:
            held[row["person"], CHUNK, _day(row["first_ms"])] += 1
    for row in found.of("entry"):
        if row["position"] <= behind and row["what"] != CHUNK:
            held[row["person"], row["what"], _day(row["at_ms"])] += 1
    return {day: n - held[day] for day, n in found.tally.items() if held[day] < n}


def _name_broken(found: Salvaged, names: dict[int, str], damages: Missing) -> None:
    """Name the rows that are there, and are not as they were written."""
    sources = {row["id"]: str(row["name"]) for row in found.of("source")}
    for table, values in found.broken:
        row = dict(zip(SEALED[table], values, strict=False))
        number = row[SEALED[table][0]]
        if number in found.rows[table]:
            continue  # another copy of it is whole
        if table == "chunk" and number in found.rows["entry"]:
            e = dict(zip(SEALED["entry"], found.rows["entry"][number], strict=False))
            source = sources.get(row["source"], "") if isinstance(row["source"], int) else ""
            damage = _damage(names, e["person"], source, e["first_ms"], e["last_ms"])
            damages[damage] = Trace((e["person"], CHUNK, _day(e["at_ms"])), e["file"] or NO_FILE)
            continue
        # Nothing in it can be relied on, not even whose it is.
        file = number if table == "file" else row.get("file")
        person = number if table == "person" else row.get("person")
        what = f"row {number} of {table}"
        known = file if isinstance(file, int) else None
        damages[_damage(names, person, "", None, None, what)] = Trace(file=known)


def _day(ms: int) -> int:
    return ms // DAY_MS if ms >= 0 else -(-ms // DAY_MS)


def _damage(
    names: dict[int, str],
    person: Any,
    source: str,
    first: int | None,
    last: int | None,
    what: str = "a chunk",
) -> Damage:
    name = names.get(person) if isinstance(person, int) else None
    return Damage(name or f"person {person}", source, first, last, f"{what} cannot be read")


def _incomplete(found: Salvaged) -> set[int]:
    """The files of which some chunks are not there any more."""
    held = Counter[int]()
    for row in found.of("chunk"):
        if row["file"] is not None:
            held[row["file"]] += row["samples"] + row["beats"]
    return {
        row["id"]
        for row in found.of("file")
        if row["outcome"] in {"stored", "partial"} and held[row["id"]] < row["samples"] + row["beats"]
    }


# --- a journal of it ---


def without_files(found: Salvaged, arrivals: Iterable[int]) -> None:
    """Leave out some arrivals, with all that they brought: they are read again."""
    gone = set(arrivals)
    files = {row["id"] for row in found.of("file") if row["arrival"] in gone}
    for table, column, numbers in (
        ("chunk", "file", files),
        ("entry", "file", files),
        ("file", "id", files),
        ("arrival", "id", gone),
    ):
        at = SEALED[table].index(column)
        found.rows[table] = {key: row for key, row in found.rows[table].items() if row[at] not in numbers}


def make_up(found: Salvaged) -> None:
    """Put in what others point at and is not there: a name, a place, the entry of a chunk."""
    for row in [*found.of("chunk")]:
        _make_up_for_chunk(found, row)
    for row in [*found.of("chunk"), *found.of("entry")]:
        if row["file"] is not None and row["file"] not in found.rows["file"]:
            unknown = (b"", None, None, "stored", "", 0, 0, None, None, None)
            _put(found, "file", (row["file"], row["file"], "", row["person"], *unknown))
    for row in [*found.of("file")]:
        if row["arrival"] not in found.rows["arrival"]:
            _put(found, "arrival", (row["arrival"], row["person"], "", b"", 0, 1, 1, None, None, 1))
    for table in ("arrival", "file", "entry", "chunk", "source"):
        for person in {row["person"] for row in found.of(table)} - set(found.rows["person"]):
            _put(found, "person", (person, f"person {person}"))
    _tell_apart(found)
    _without_strays(found)


def _tell_apart(found: Salvaged) -> None:
    """Have no two rows by one name, as come of an index that lost one: a person is written anew then, and is the same."""
    known: dict[str, int] = {}
    for row in sorted(found.of("person"), key=lambda p: p["id"]):
        number, name = row["id"], str(row["name"])
        first = known.setdefault(name.lower(), number)
        if first == number:
            continue
        _put(found, "person", (number, f"{name}{HIDDEN}{number}"))
        position = max((*found.rows["entry"], *found.rows["chunk"], 0)) + 1
        content = {"copies": [], "into": first, "name": name, "person": number}
        now_ms = max((e["recorded_ms"] for e in found.of("entry")), default=0)
        _put(
            found, "entry", (position, first, "merge", now_ms, None, None, now_ms, None, json.dumps(content))
        )
    named = set[tuple[int, str]]()
    for row in sorted(found.of("source"), key=lambda s: s["id"]):
        if (row["person"], row["name"]) in named:
            _put(
                found,
                "source",
                (row["id"], row["person"], f"{row['name']} {row['id']}", row["kind"], row["rank"]),
            )
        named.add((row["person"], row["name"]))


def _make_up_for_chunk(found: Salvaged, row: dict[str, Any]) -> None:
    position, person, file, first = row["position"], row["person"], row["file"], row["first_ms"]
    if position not in found.rows["entry"]:
        last = max(row["last_ms"], row["end_ms"])
        span = (first, last) if first >= -ALWAYS_MS else (None, None)
        _put(found, "entry", (position, person, CHUNK, first, *span, max(first, 0), file, None))
    if row["source"] not in found.rows["source"]:
        kind = "activity" if row["connection"] is None else "strap"
        _put(found, "source", (row["source"], person, f"{kind} {row['source']}", kind, RANKS[kind]))
    if row["connection"] is not None and row["connection"] not in found.rows["connection"]:
        number, source, began = row["connection"], row["source"], row["steady_ms"]
        _put(found, "connection", (number, source, f"unknown {number}", began, HEART_RATE_MEASUREMENT))


def _without_strays(found: Salvaged) -> None:
    """Have no row point at nothing."""
    files = found.rows["file"]
    replaced = SEALED["file"].index("replaced_by")
    for row in list(files.values()):
        if row[replaced] is not None and row[replaced] not in files:
            _put(found, "file", (*row[:replaced], None, *row[replaced + 1 : -1]))
    sources, connections = found.rows["source"], found.rows["connection"]
    found.rows["connection"] = {key: row for key, row in connections.items() if row[1] in sources}


def _put(found: Salvaged, table: str, row: _Row) -> None:
    found.rows[table][row[0]] = (*row, seal_of(table, row))


def fill(db: sqlite3.Connection, found: Salvaged, *, identity: str | None) -> None:
    """Make a journal of what was found in an empty database; `identity` tells it from others, None: a new one."""
    db.execute("BEGIN")
    create_tables(db)
    for table in SEALED:
        if table == "run" and found.rows["run"]:
            db.execute("DELETE FROM run")
        rows = (found.aside.whole(found.rows[table][key]) for key in sorted(found.rows[table]))
        db.executemany(insertion(table), rows)
    if identity is not None:
        db.execute("UPDATE identity SET journal = ?", (identity,))
    merged = found.single.get("merged")
    if isinstance(merged, int):
        db.execute("UPDATE merged SET position = ?", (merged,))
    recount(db)
    db.execute("COMMIT")


def readable_copy(path: Path) -> tuple[sqlite3.Connection, list[Damage]] | None:
    """All that can be read of a journal as a database of its own, gone when it is closed, and what is missing; None: nothing can."""
    try:
        found = salvage(path)
    except OSError:
        return None
    if not found.rows["person"]:
        return None
    lost, _ = missing(found)
    make_up(found)
    db = sqlite3.connect("", isolation_level=None)
    identity = found.single.get("identity")
    fill(db, found, identity=identity if isinstance(identity, str) else None)
    return db, list(lost)
