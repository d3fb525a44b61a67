"""How many rows there are of each person, kind and day: so that an index that has lost some is found out.

What is asked of an index is added up in the same way and held against it. The newest entries are not in it yet: there
are few of them, and they are read in order of position, without an index.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.formats.recording import DAY_MS

MODULUS = 2_147_483_647
_POSITION, _FIRST, _LAST, _END, _FILE = 1_000_003, 1009, 1013, 1019, 65_599
"""Small enough that no sum has more than 63 bits, beyond which SQLite would round."""

MOST_BEHIND = 24
"""Entries that are not in the tally yet: two minutes of a strap. With each commit it would cost the card 9 MB a day."""

CHUNK = "chunk"
"""What `tally` calls chunks; everything else goes by what its entry is called."""


def _modulo(sql: str) -> str:
    """Never negative, also before 1970."""
    return f"((({sql}) % {MODULUS} + {MODULUS}) % {MODULUS})"


def _sum(factors: dict[str, int]) -> str:
    return " + ".join(f"({column}) % {MODULUS} * {factor}" for column, factor in factors.items())


def _mixed(row: str, *, chunk: bool) -> str:
    if chunk:
        last = {f"{row}.last_ms": _LAST, f"{row}.end_ms": _END, f"coalesce({row}.file, 0)": _FILE}
        return _modulo(_sum({f"{row}.first_ms": _FIRST, f"{row}.position": _POSITION, **last}))
    return _modulo(_sum({f"{row}.at_ms": _FIRST, f"{row}.position": _POSITION}))


def _proof(held: str, mixed: str) -> str:
    """What a row of the tally must be to be believed itself."""
    return _modulo(f"person * 7919 + day * 104729 + {held} * 1299709 + {mixed} * 31")


def _moved(sign: str, row: str, *, chunk: bool) -> str:
    what, at = (f"'{CHUNK}'", f"{row}.first_ms") if chunk else (f"{row}.what", f"{row}.at_ms")
    held = f"(held {sign} 1)"
    mixed = _modulo(f"mixed {sign} {_mixed(row, chunk=chunk)}")
    key = f"{row}.person, {what}, {at} / {DAY_MS}"
    return (
        f"INSERT INTO tally (person, what, day, held, mixed, proof) VALUES ({key}, 0, 0, 0) ON CONFLICT DO NOTHING;"
        f" UPDATE tally SET held = {held}, mixed = {mixed}, proof = {_proof(held, mixed)}"
        f" WHERE (person, what, day) = ({key});"
    )


def _summed(behind: str, upto: str) -> str:
    """Rows for the tally of what lies in (behind, upto]."""
    chunks, facts = (
        f"SELECT t.person AS person, {what} AS what, {at} / {DAY_MS} AS day, count(*) AS held,"
        f" sum({_mixed('t', chunk=chunk)}) % {MODULUS} AS mixed FROM {table} t"
        f" WHERE t.position > {behind} AND t.position <= {upto}{where} GROUP BY 1, 2, 3"
        for table, chunk, what, at, where in (
            ("chunk", True, f"'{CHUNK}'", "t.first_ms", ""),
            ("entry", False, "t.what", "t.at_ms", f" AND t.what <> '{CHUNK}'"),
        )
    )
    together, mixed = "held + excluded.held", f"(mixed + excluded.mixed) % {MODULUS}"
    return (
        "INSERT INTO tally (person, what, day, held, mixed, proof)"
        f" SELECT person, what, day, held, mixed, {_proof('held', 'mixed')} FROM ({chunks} UNION ALL {facts}) WHERE true"
        f" ON CONFLICT (person, what, day) DO UPDATE SET held = {together}, mixed = {mixed},"
        f" proof = {_proof(f'({together})', f'({mixed})')}"
    )


def triggers() -> list[str]:
    """The statements that make the tally be kept from now on.

    What is appended is added when `tallied` moves on; what is changed or deleted behind that, at once.
    """
    made = [
        f"CREATE TRIGGER tally_more AFTER UPDATE OF position ON tallied BEGIN {_summed('old.position', 'new.position')}; END"
    ]
    # Whoever deletes something leaves no gap among the entries that are read by their positions.
    made += [
        f"CREATE TRIGGER {table}_delete_first BEFORE DELETE ON {table} WHEN old.position > (SELECT position FROM tallied)"
        " BEGIN UPDATE tallied SET position = (SELECT max(position) FROM entry); END"
        for table in ("chunk", "entry")
    ]
    for table, condition, columns in (
        ("chunk", "", "person, first_ms, last_ms, end_ms, file"),
        ("entry", f" AND old.what <> '{CHUNK}'", "person, what, at_ms"),
    ):
        for event, rows in (("DELETE", ("old",)), (f"UPDATE OF {columns}", ("old", "new"))):
            does = " ".join(_moved("-" if r == "old" else "+", r, chunk=table == "chunk") for r in rows)
            name = f"{table}_{event.split(maxsplit=1)[0].lower()}_tally"
            made.append(
                f"CREATE TRIGGER {name} AFTER {event} ON {table}"
                f" WHEN old.position <= (SELECT position FROM tallied){condition} BEGIN {does} END"
            )
    return made


def recount(db: sqlite3.Connection) -> None:
    """Make the tally anew from the rows that there are."""
    db.execute("DELETE FROM tally")
    (last,) = db.execute("SELECT coalesce(max(position), 0) FROM entry").fetchone()
    db.execute(_summed("0", str(last)))
    db.execute("DELETE FROM tallied")
    db.execute("INSERT INTO tallied VALUES (?)", (last,))


LAST = "max((SELECT coalesce(max(position), 0) FROM entry), (SELECT position FROM tallied))"
"""The last position that was given, also where its entry is gone: no position is given twice."""


def advance(db: sqlite3.Connection, most_behind: int = 0) -> None:
    """Add to the tally what came in since it was last added, once that is more than so many entries."""
    (behind,) = db.execute(
        "SELECT (SELECT coalesce(max(position), 0) FROM entry) - position FROM tallied"
    ).fetchone()
    if behind > most_behind:
        db.execute("UPDATE tallied SET position = position + ?", (behind,))


def mix_chunks(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same of rows of (first_ms, position, last_ms, end_ms, file)."""
    return _mix(rows, (_FIRST, _POSITION, _LAST, _END, _FILE))


def mix_facts(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same of rows of (at_ms, position)."""
    return _mix(rows, (_FIRST, _POSITION))


def _mix(rows: NDArray[np.int64], factors: tuple[int, ...]) -> NDArray[np.int64]:
    # As SQLite has it: the rest of a number has its sign.
    mixed: NDArray[np.int64] = (np.fmod(rows, MODULUS) * np.array(factors, dtype=np.int64)).sum(
        axis=1
    ) % MODULUS
    return mixed


def wrong_days(
    moments_ms: NDArray[np.int64], mixed: NDArray[np.int64], told: Sequence[Sequence[Any]]
) -> list[int]:
    """The days on which rows (their moments, ascending, and what was mixed of them) are not those that were told.

    `told` are rows of (person, day, held, mixed, proof) of the tally.
    """
    found: dict[int, tuple[int, int]] = {}
    if len(moments_ms):
        days = np.sign(moments_ms) * (np.abs(moments_ms) // DAY_MS)
        begins = np.flatnonzero(np.append(True, np.diff(days) != 0))
        held = np.diff(np.append(begins, len(days)))
        sums = np.add.reduceat(mixed, begins) % MODULUS
        found = {int(day): (int(n), int(s)) for day, n, s in zip(days[begins], held, sums, strict=True)}
    wrong = set(found)
    for person, day, n, s, proof in told:
        is_proved = all(isinstance(v, int) for v in (day, n, s, proof)) and (
            proof == (person * 7919 + day * 104729 + n * 1299709 + s * 31) % MODULUS
        )
        if is_proved and found.get(day, (0, 0)) == (n, s):
            wrong.discard(day)
        else:
            wrong.add(day)
    return sorted(d for d in wrong if isinstance(d, int))


COUNTED = "counted"
"""The row in `reader` with the sum of the whole tally, and the position up to which it was counted then.

An old copy of the file under a newer log has pages of both times: each may be whole, and this sum is not theirs.
"""

_NOW = f"error_ms = (SELECT position FROM tallied) WHERE name = '{COUNTED}'"


def keep_sum(db: sqlite3.Connection) -> None:
    """Have this connection keep the sum. An earlier version does not: what it leaves is summed up anew at the next write."""
    for event, change in (
        ("INSERT", "+ new.held"),
        ("UPDATE OF held", "+ new.held - old.held"),
        ("DELETE", "- old.held"),
    ):
        db.execute(
            f"CREATE TEMP TRIGGER counted_{event[:6].lower()} AFTER {event} ON main.tally"
            f" BEGIN UPDATE reader SET position = position {change}, {_NOW}; END"
        )


def begin_sum(db: sqlite3.Connection) -> None:
    """Sum the tally up, within the open transaction, where that is not done for what it counts now."""
    if _sum_of(lambda sql: db.execute(sql).fetchall()) is None:
        db.execute(
            "INSERT OR REPLACE INTO reader (name, position, error, error_ms)"
            " SELECT ?, (SELECT coalesce(sum(held), 0) FROM tally), NULL, position FROM tallied",
            (COUNTED,),
        )


def _sum_of(ask: Callable[[str], list[Any]]) -> int | None:
    """The sum that is kept; None where it is not of what the tally counts."""
    sql = f"SELECT r.position FROM reader r, tallied t WHERE r.name = '{COUNTED}' AND r.error_ms = t.position"
    rows = ask(sql)
    return int(rows[0][0]) if rows else None


def uncounted(ask: Callable[[str], list[Any]]) -> int:
    """How many rows more were counted than the tally tells of: pages of it are of another time."""
    kept = _sum_of(ask)
    return 0 if kept is None else kept - int(ask("SELECT coalesce(sum(held), 0) FROM tally")[0][0])
