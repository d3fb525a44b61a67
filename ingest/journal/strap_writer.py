"""Appending what straps notified: as it came, dated by the best clock there is, merged when no more can come.

Its entries are called `chunk` like those of files. One of that name without a chunk says that samples went from, or came
to, the time it touches: that is how a new date reaches the stores. What a collector said of a strap is dated by the same
clock; an entry `redated` says where of one source its words went from, and came to.

What is heard in a boot of which nobody knows when it was lies at `UNDATED_MS`, and touches no time.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from ingest.formats.measurements import Measurements
from ingest.journal.boots import observations
from ingest.journal.columns import PACKING
from ingest.journal.dating import SMALLEST_STEP_MS, Observation, date_offset_ms, offset_ms
from ingest.journal.entry import ALWAYS_MS, LONGEST_STRAP_CHUNK_MS, STANDS_MS, UNDATED_MS
from ingest.journal.entry_writer import EntryWriter
from ingest.journal.notifications import Notifications
from ingest.journal.strap_chunks import STRAP_COLUMNS, decode_notifications, unpack_rows
from zones.spans import Spans

HOUR_MS = 3_600_000
"""What one chunk holds in the end: small enough to be read for a minute of it, some kilobytes."""

ConnectionKey = tuple[int, str, int]
"""Source, boot, and the beginning by the steady clock (ms)."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of some notifications told a heart rate, and how many R-R intervals all of them told."""

    samples: int
    beats: int

    @classmethod
    def of_measurements(cls, measured: Measurements) -> Self:
        """Those of decoded notifications."""
        return cls(int(np.count_nonzero(measured.bpm)), len(measured.rr_ms))


class StrapWriter(EntryWriter):
    """What a transaction may append of straps."""

    def clock_observation(self, boot: str, seen: Observation) -> None:
        """Note a look at the clocks of a boot, or a word of the owner, and date anew what it shows to be dated wrongly.

        A date is all that changes. The time before and the time after are touched, so that every store counts both anew.
        """
        new = self.db.execute(
            "INSERT INTO clock (boot, steady_ms, wall_ms, synchronized, offset_ms, believed, position)"
            " SELECT ?, ?, ?, ?, ?, ?, coalesce(max(position), 0) FROM entry RETURNING id",
            (boot, seen.steady_ms, seen.wall_ms, seen.synchronized, seen.offset_ms, seen.believed),
        )
        self._seal("clock", new.fetchall())
        known = self._observations(boot)
        self._redate_chunks(boot, known)
        self._redate_collector_entries(boot, known)

    def _observations(self, boot: str) -> list[Observation]:
        return observations(lambda sql, *values: self.db.execute(sql, values), boot)

    def _redate_chunks(self, boot: str, known: Sequence[Observation]) -> None:
        touched: dict[int, list[tuple[int, int]]] = {}
        for position, person, steady, first, end in self.db.execute(
            "SELECT c.position, c.person, c.steady_ms, c.first_ms, c.end_ms FROM chunk c"
            " JOIN connection n ON n.id = c.connection"
            " WHERE c.position > (SELECT min(position) FROM clock WHERE boot = ?1) AND n.boot = ?1",
            (boot,),
        ).fetchall():
            shift = steady + _chunk_offset_ms(known, steady) - first
            if abs(shift) > SMALLEST_STEP_MS and self._is_whole("chunk", position):
                self.db.execute(
                    "UPDATE chunk SET first_ms = first_ms + ?1, last_ms = last_ms + ?1, end_ms = end_ms + ?1"
                    " WHERE position = ?2",
                    (shift, position),
                )
                self._seal("chunk", [(position,)])
                both = [(first, end), (first + shift, end + shift)]
                touched.setdefault(person, []).extend(span for span in both if _is_dated(span[0]))
        for person, spans in touched.items():
            union = Spans.pairs(spans)
            for first, end in zip(union.start.tolist(), union.end.tolist(), strict=True):
                self.entry(person, "chunk", first, (first, end), {"redated": True})

    def _redate_collector_entries(self, boot: str, known: Sequence[Observation]) -> None:
        """Date anew what collectors said in a boot. Nothing is counted of that, so it touches no time: only rows move."""
        moved: dict[tuple[int, str, int], list[int]] = {}
        for position, person, source, steady, at in self.db.execute(
            "SELECT position, person, json_extract(content, '$.source'), json_extract(content, '$.steady_ms'), at_ms"
            " FROM entry WHERE position > (SELECT min(position) FROM clock WHERE boot = ?1) AND what = 'collector'"
            " AND CASE WHEN json_valid(content) THEN json_extract(content, '$.boot') = ?1 END ORDER BY position",
            (boot,),
        ).fetchall():
            shift = steady + offset_ms(known, steady) - at
            if abs(shift) > SMALLEST_STEP_MS and self._is_whole("entry", position):
                self.db.execute("UPDATE entry SET at_ms = ? WHERE position = ?", (at + shift, position))
                self._seal("entry", [(position,)])
                moved.setdefault((person, source, shift), []).append(at)
        for (person, source, shift), moments in moved.items():
            for ahead in (0, shift):
                first, last = min(moments) + ahead, max(moments) + ahead
                content = {"source": source, "first_ms": first, "last_ms": last}
                self.entry(person, "redated", first, None, content)

    def notifications(
        self, person: int, source: int, notifications: Notifications, counts: Counts | None = None
    ) -> int:
        """Append what a strap notified; gives its position. It is dated by the clock of its boot as best known.

        `counts` are those of a caller who has decoded it already. Raises ValueError when the clock of that boot was
        never observed, it is longer than `LONGEST_STRAP_CHUNK_MS`, or the connection is known to bring another
        characteristic.
        """
        n = notifications
        known = self._observations(n.boot)
        if not known:
            raise ValueError("the clock of this boot was never observed")
        steady, last = int(n.steady_ms[0]), int(n.steady_ms[-1])
        if last - steady > LONGEST_STRAP_CHUNK_MS:
            raise ValueError("a chunk of a strap is at most an hour long")
        ahead = _chunk_offset_ms(known, steady)
        counts = counts or Counts.of_measurements(decode_notifications(n))
        first, end = steady + ahead, last + ahead + STANDS_MS
        position = self.entry(person, "chunk", first, (first, end) if _is_dated(first) else None)
        self._insert(
            "chunk",
            (
                position,
                person,
                source,
                None,
                first,
                last + ahead,
                end,
                counts.samples,
                counts.beats,
                *((None,) * 8),  # what only files have
                self._connection(source, n),
                steady,
                len(n),
                n.pack(),
                PACKING,
            ),
        )
        return position

    def _connection(self, source: int, notifications: Notifications) -> int:
        """The id of a connection, which is new to the journal at most once."""
        n = notifications
        new = self.db.execute(
            "INSERT INTO connection (source, boot, began_ms, characteristic) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
            " RETURNING id",
            (source, n.boot, n.connection_ms, n.characteristic),
        )
        self._seal("connection", new.fetchall())
        sql = "SELECT id, characteristic FROM connection WHERE source = ? AND boot = ? AND began_ms = ?"
        found, characteristic = self.db.execute(sql, (source, n.boot, n.connection_ms)).fetchone()
        if characteristic != n.characteristic:
            raise ValueError(f"a connection of {characteristic} brings no {n.characteristic}")
        return int(found)

    # --- merging ---

    def merge(self, going_on: Mapping[ConnectionKey, int]) -> int:
        """Make one chunk of those of each hour of each connection; gives how many there are fewer.

        `going_on` are the connections that may still bring something, with the steady clock (ms) from which on: the
        hour that lies in is left alone.
        """
        (after,) = self.db.execute("SELECT position FROM merged").fetchone()
        groups: dict[tuple[Any, ...], list[int]] = {}
        for position, source, boot, began, steady, first in self.db.execute(
            "SELECT c.position, c.source, n.boot, n.began_ms, c.steady_ms, c.first_ms FROM chunk c"
            " JOIN connection n ON n.id = c.connection WHERE c.position > ? ORDER BY c.position",
            (after,),
        ):
            # What is dated otherwise stays apart: a chunk has one date.
            hour = (steady - began) // HOUR_MS
            groups.setdefault((source, boot, began, hour, first - steady), []).append(position)
        (upto,) = self.db.execute("SELECT coalesce(max(position), 0) FROM entry").fetchone()
        fewer = 0
        for (source, boot, began, hour, _), positions in groups.items():
            now = going_on.get((source, boot, began))
            if now is not None and hour >= (now - began) // HOUR_MS:
                upto = min(upto, positions[0] - 1)
            elif len(positions) > 1:
                self._merge_chunks(positions)
                fewer += len(positions) - 1
        if upto != after:
            self.db.execute("UPDATE merged SET position = ?", (upto,))
        return fewer

    def _merge_chunks(self, positions: list[int]) -> None:
        """One chunk of several of one connection with one date, at the last of their positions.

        Who has read on to there has read all of them; who has not finds all of them there. Their entries touch no more
        than what it touches: where they were dated anew, others have been written behind them that touch the time before.
        """
        # One statement however many there are: SQLite's copy of each that was prepared stays in memory, 60 KB of a long one.
        rows = self.db.execute(
            f"SELECT c.first_ms - c.steady_ms, c.samples, c.beats, {STRAP_COLUMNS} FROM chunk c"
            " JOIN connection n ON n.id = c.connection WHERE c.position IN (SELECT value FROM json_each(?))"
            " ORDER BY c.position",
            (json.dumps(positions),),
        ).fetchall()
        ahead = rows[0][0]
        merged = unpack_rows([row[3:] for row in rows])
        *others, position = positions
        steady, last = int(merged.steady_ms[0]), int(merged.steady_ms[-1])
        first, end = steady + ahead, last + ahead + STANDS_MS
        self.db.execute(
            "UPDATE chunk SET first_ms = ?, last_ms = ?, end_ms = ?, samples = ?, beats = ?, steady_ms = ?, notified = ?,"
            " notifications = ?, packing = ? WHERE position = ?",
            (
                first,
                last + ahead,
                end,
                # Counted when they came, and not decoded for it again.
                sum(row[1] for row in rows),
                sum(row[2] for row in rows),
                steady,
                len(merged),
                merged.pack(),
                PACKING,
                position,
            ),
        )
        self.db.execute(
            "UPDATE entry SET at_ms = ?, first_ms = ?, last_ms = ? WHERE position = ?",
            (first, *((first, end) if _is_dated(first) else (None, None)), position),
        )
        for table in ("chunk", "entry"):
            self._seal(table, [(position,)])
        for table in ("chunk", "entry"):
            self.db.executemany(f"DELETE FROM {table} WHERE position = ?", [(p,) for p in others])


def _chunk_offset_ms(known: Sequence[Observation], steady_ms: int) -> int:
    ahead = date_offset_ms(known, steady_ms)
    return UNDATED_MS if ahead is None else ahead


def _is_dated(ms: int) -> bool:
    return ms >= -ALWAYS_MS
