"""What straps notified: appended as it came, dated by the best clock there is, merged when no more can come.

Its entries are called `chunk` like those of files. One of that name without a chunk says that samples went from, or came
to, the time it touches: that is how a new date reaches the stores. What a collector said of a strap is dated by the same
clock; an entry `redated` says where of one source its words went from, and came to.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ingest.formats.heart_rate_measurement import decode
from ingest.formats.recording import Columns
from ingest.journal.dating import SMALLEST_STEP_MS, Observation, offset_ms
from ingest.journal.entry import LONGEST_STRAP_CHUNK_MS, STANDS_MS
from ingest.journal.notifications import Notifications
from zones.series import TIMES, Series
from zones.spans import Spans

if TYPE_CHECKING:
    from ingest.journal.writer import Writer

HOUR_MS = 3_600_000
"""What one chunk holds in the end: small enough to be read for a minute of it, some kilobytes."""


def decode_columns(notifications: Notifications, ahead_ms: int) -> Columns:
    """What notifications say, dated: the wall clock is that much ahead of the steady one.

    What cannot be decoded says nothing. Of several samples within one millisecond, as they come after a stall, the last
    one stands; all intervals are there.
    """
    measured = decode(notifications.lengths, notifications.octets)
    at = notifications.steady_ms + ahead_ms
    some = measured.bpm > 0
    tells, none = measured.contact >= 0, measured.contact == 0
    return Columns(
        Series.of(at[some].view(TIMES), measured.bpm[some]),
        int(at[-1]) + STANDS_MS,
        at[measured.payload].view(TIMES),
        measured.rr_ms,
        contact=Spans.of(at[none], at[none] + 1) if tells.any() else None,
    )


def unpack_rows(rows: Sequence[Sequence[Any]]) -> Notifications:
    """The notifications of rows of one connection: (boot, began_ms, notifications, steady_ms, notified)."""
    in_order = sorted(
        rows, key=lambda row: row[3]
    )  # stable: within a millisecond the earlier position goes first
    boot, began_ms = rows[0][:2]
    return Notifications.unpack(boot, began_ms, [(blob, at, n) for _, _, blob, at, n in in_order])


def observations(ask: Callable[..., Iterable[Any]], boot: str) -> list[Observation]:
    """The looks at the clocks of a boot, in order."""
    sql = "SELECT steady_ms, wall_ms, synchronized, offset_ms FROM clock WHERE boot = ? ORDER BY id"
    return [Observation(steady, wall, bool(s), offset) for steady, wall, s, offset in ask(sql, boot)]


def _known(w: "Writer", boot: str) -> list[Observation]:
    return observations(lambda sql, *values: w.db.execute(sql, values), boot)


def append(w: "Writer", person: int, source: int, notifications: Notifications) -> int:
    known = _known(w, notifications.boot)
    if not known:
        raise ValueError("the clock of this boot was never observed")
    steady, last = int(notifications.steady_ms[0]), int(notifications.steady_ms[-1])
    if last - steady > LONGEST_STRAP_CHUNK_MS:
        raise ValueError("a chunk of a strap is at most an hour long")
    ahead = offset_ms(known, steady)
    columns = decode_columns(notifications, ahead)
    first = steady + ahead
    name = (source, notifications.boot, notifications.connection_ms)
    w.db.execute(
        "INSERT INTO connection (source, boot, began_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", name
    )
    sql = "SELECT id FROM connection WHERE source = ? AND boot = ? AND began_ms = ?"
    (connection,) = w.db.execute(sql, name).fetchone()
    position = w.entry(person, "chunk", first, (first, columns.end_ms))
    w.db.execute(
        "INSERT INTO chunk (position, person, source, first_ms, last_ms, end_ms, samples, beats, connection, steady_ms,"
        " notified, notifications) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            position,
            person,
            source,
            first,
            last + ahead,
            columns.end_ms,
            len(columns.series),
            len(columns.rr_ms),
            connection,
            steady,
            len(notifications),
            notifications.pack(),
        ),
    )
    return position


def observe_clock(w: "Writer", boot: str, seen: Observation) -> None:
    w.db.execute(
        "INSERT INTO clock (boot, steady_ms, wall_ms, synchronized, offset_ms, position)"
        " SELECT ?, ?, ?, ?, ?, coalesce(max(position), 0) FROM entry",
        (boot, seen.steady_ms, seen.wall_ms, seen.synchronized, seen.offset_ms),
    )
    known = _known(w, boot)
    touched: dict[int, list[tuple[int, int]]] = {}
    for position, person, steady, first, end in w.db.execute(
        "SELECT c.position, c.person, c.steady_ms, c.first_ms, c.end_ms FROM chunk c"
        " JOIN connection n ON n.id = c.connection"
        " WHERE c.position > (SELECT min(position) FROM clock WHERE boot = ?1) AND n.boot = ?1",
        (boot,),
    ).fetchall():
        shift = steady + offset_ms(known, steady) - first
        if abs(shift) > SMALLEST_STEP_MS:
            w.db.execute(
                "UPDATE chunk SET first_ms = first_ms + ?1, last_ms = last_ms + ?1, end_ms = end_ms + ?1"
                " WHERE position = ?2",
                (shift, position),
            )
            touched.setdefault(person, []).extend([(first, end), (first + shift, end + shift)])
    for person, spans in touched.items():
        union = Spans.pairs(spans)
        for first, end in zip(union.start.tolist(), union.end.tolist(), strict=True):
            w.entry(person, "chunk", first, (first, end))
    _redate_collector_entries(w, boot, known)


def _redate_collector_entries(w: "Writer", boot: str, known: Sequence[Observation]) -> None:
    """Date anew what collectors said in a boot. Nothing is counted of that, so it touches no time: only rows move."""
    moved: dict[tuple[int, str, int], list[int]] = {}
    for position, person, source, steady, at in w.db.execute(
        "SELECT position, person, json_extract(content, '$.source'), json_extract(content, '$.steady_ms'), at_ms FROM entry"
        " WHERE position > (SELECT min(position) FROM clock WHERE boot = ?1) AND what = 'collector'"
        " AND json_extract(content, '$.boot') = ?1 ORDER BY position",
        (boot,),
    ).fetchall():
        shift = steady + offset_ms(known, steady) - at
        if abs(shift) > SMALLEST_STEP_MS:
            w.db.execute("UPDATE entry SET at_ms = ? WHERE position = ?", (at + shift, position))
            moved.setdefault((person, source, shift), []).append(at)
    for (person, source, shift), moments in moved.items():
        for ahead in (0, shift):
            first, last = min(moments) + ahead, max(moments) + ahead
            w.entry(person, "redated", first, None, {"source": source, "first_ms": first, "last_ms": last})


def merge(w: "Writer", going_on: Mapping[tuple[int, str, int], int]) -> int:
    (after,) = w.db.execute("SELECT position FROM merged").fetchone()
    groups: dict[tuple[Any, ...], list[int]] = {}
    for position, source, boot, session, steady, first in w.db.execute(
        "SELECT c.position, c.source, n.boot, n.began_ms, c.steady_ms, c.first_ms FROM chunk c"
        " JOIN connection n ON n.id = c.connection WHERE c.position > ? ORDER BY c.position",
        (after,),
    ):
        # What is dated otherwise stays apart: a chunk has one date.
        hour = (steady - session) // HOUR_MS
        groups.setdefault((source, boot, session, hour, first - steady), []).append(position)
    (upto,) = w.db.execute("SELECT coalesce(max(position), 0) FROM entry").fetchone()
    fewer = 0
    for (source, boot, session, hour, _), positions in groups.items():
        now = going_on.get((source, boot, session))
        if now is not None and hour >= (now - session) // HOUR_MS:
            upto = min(upto, positions[0] - 1)
        elif len(positions) > 1:
            _merge(w, positions)
            fewer += len(positions) - 1
    if upto != after:
        w.db.execute("UPDATE merged SET position = ?", (upto,))
    return fewer


def _merge(w: "Writer", positions: list[int]) -> None:
    """One chunk of several of one connection with one date, at the last of their positions.

    Who has read on to there has read all of them; who has not finds all of them there. Their entries touch no more than
    what it touches: where they were dated anew, others have been written behind them that touch the time before.
    """
    marks = ", ".join("?" * len(positions))
    rows = w.db.execute(
        "SELECT c.first_ms - c.steady_ms, n.boot, n.began_ms, c.notifications, c.steady_ms, c.notified FROM chunk c"
        f" JOIN connection n ON n.id = c.connection WHERE c.position IN ({marks}) ORDER BY c.position",
        positions,
    ).fetchall()
    ahead = rows[0][0]
    notifications = unpack_rows([row[1:] for row in rows])
    columns = decode_columns(notifications, ahead)
    *others, last = positions
    first = int(notifications.steady_ms[0]) + ahead
    w.db.execute(
        "UPDATE chunk SET first_ms = ?, last_ms = ?, end_ms = ?, samples = ?, beats = ?, steady_ms = ?, notified = ?,"
        " notifications = ? WHERE position = ?",
        (
            first,
            int(notifications.steady_ms[-1]) + ahead,
            columns.end_ms,
            len(columns.series),
            len(columns.rr_ms),
            int(notifications.steady_ms[0]),
            len(notifications),
            notifications.pack(),
            last,
        ),
    )
    w.db.execute(
        "UPDATE entry SET at_ms = ?1, first_ms = ?1, last_ms = ?2 WHERE position = ?3",
        (first, columns.end_ms, last),
    )
    for table in ("chunk", "entry"):
        w.db.executemany(f"DELETE FROM {table} WHERE position = ?", [(p,) for p in others])
