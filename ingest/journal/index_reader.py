"""Asking the indexes of the journal: what they give is held against the tally, as a card may have lost some of it."""

import sqlite3
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.formats.recording import DAY_MS
from ingest.journal import tally
from ingest.journal.damage import UnreliableIndex, damaged_text, leave_note
from ingest.journal.row_reader import RowReader
from ingest.journal.seal import columns_of, is_sealed

_ANY = 1 << 62

_CHUNK = "first_ms, position, last_ms, end_ms, coalesce(file, 0)"


class IndexReader(RowReader):
    """Which chunks and facts there are in a span; raises `UnreliableIndex` where that cannot be said for sure."""

    path: Path
    _db: sqlite3.Connection
    _counted_to = 0
    _newest: tuple[tuple[int, int], list[tuple[Any, ...]], list[tuple[Any, ...]]] | None = None

    @abstractmethod
    def _fall_back(self) -> bool:
        """Go on with what can be read page by page, if that is wanted and not done yet; says whether it is."""

    def _unreliable(self, why: str) -> UnreliableIndex:
        return UnreliableIndex(damaged_text(self.path, why))

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """Several questions about one state of the journal, whoever writes meanwhile."""
        inside = self._db.in_transaction
        if not inside:
            self._rows("BEGIN")
        try:
            yield
        finally:
            if not inside and self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def _chunk_index(self, person: int, start_ms: int, end_ms: int) -> NDArray[np.int64]:
        """The person's chunks that begin in [start, end), in order of that: (first, position, last, end, file or 0)."""
        try:
            return self._ask_chunk_index(person, start_ms, end_ms)
        except UnreliableIndex:
            if not self._fall_back():
                leave_note(self.path)
                raise
            return self._ask_chunk_index(person, start_ms, end_ms)

    def _ask_chunk_index(self, person: int, start_ms: int, end_ms: int) -> NDArray[np.int64]:
        with self._snapshot():
            behind, _, newest = self._tail()
            days = _days(start_ms, end_ms)
            rows = self._rows(
                f"SELECT {_CHUNK} FROM chunk INDEXED BY chunk_time"
                " WHERE person = ? AND first_ms >= ? AND first_ms < ? ORDER BY first_ms",
                person,
                days[0],
                days[1],
            )
            found = self._whole_numbers(rows, 5)
            counted = found[found[:, 1] <= behind]
            told = self._told(person, tally.CHUNK, days)
            self._hold_against_tally(person, tally.CHUNK, counted, tally.mix_chunks(counted), told)
        more = self._whole_numbers([row[1:] for row in newest if row[0] == person], 5)
        found = np.concatenate([counted, more])
        if len(more):
            found = found[np.argsort(found[:, 0], kind="stable")]
        return found[(found[:, 0] >= start_ms) & (found[:, 0] < end_ms)]

    def _fact_index(self, person: int, what: str, start_ms: int, end_ms: int) -> NDArray[np.int64]:
        """The person's facts of one sort about moments in [start, end): (moment, position), in that order."""
        try:
            return self._ask_fact_index(person, what, start_ms, end_ms)
        except UnreliableIndex:
            if not self._fall_back():
                leave_note(self.path)
                raise
            return self._ask_fact_index(person, what, start_ms, end_ms)

    def _ask_fact_index(self, person: int, what: str, start_ms: int, end_ms: int) -> NDArray[np.int64]:
        with self._snapshot():
            behind, entries, _ = self._tail()
            days = _days(start_ms, end_ms)
            rows = self._rows(
                "SELECT at_ms, position FROM entry INDEXED BY entry_fact WHERE person = ? AND what = ? AND what <> 'chunk'"
                " AND at_ms >= ? AND at_ms < ? ORDER BY at_ms, position",
                person,
                what,
                days[0],
                days[1],
            )
            told = self._told(person, what, days)
            newest = [
                (at, position) for position, whose, kind, at, *_ in entries if (whose, kind) == (person, what)
            ]
            if not (rows or told or newest):
                return np.empty((0, 2), np.int64)  # as it is nearly always, in every commit of a strap
            found = self._whole_numbers(rows, 2)
            counted = found[found[:, 1] <= behind]
            self._hold_against_tally(person, what, counted, tally.mix_facts(counted), told)
        found = np.concatenate([counted, self._whole_numbers(newest, 2)])
        if newest:
            found = found[np.lexsort((found[:, 1], found[:, 0]))]
        return found[(found[:, 0] >= start_ms) & (found[:, 0] < end_ms)]

    def _told(self, person: int, what: str, days: tuple[int, int]) -> list[tuple[Any, ...]]:
        """What the tally says of these days."""
        return self._rows(
            "SELECT person, day, held, mixed, proof FROM tally WHERE person = ? AND what = ? AND day >= ? AND day < ?",
            person,
            what,
            days[0] if days[0] == -_ANY else days[0] // DAY_MS,
            days[1] if days[1] == _ANY else days[1] // DAY_MS,
        )

    def _hold_against_tally(
        self,
        person: int,
        what: str,
        rows: NDArray[np.int64],
        mixed: NDArray[np.int64],
        told: list[tuple[Any, ...]],
    ) -> None:
        wrong = tally.wrong_days(rows[:, 0], mixed, told)
        if wrong:
            raise self._unreliable(f"{what} rows of person {person} are missing on {len(wrong)} days")

    def _tail(self) -> tuple[int, list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        """The position up to which the tally counts, and the entries and chunks behind it, which are read without an index.

        A chunk there is (person, first, position, last, end, file or 0).
        """
        ((version,),) = self._rows("PRAGMA data_version")
        now = version, self._db.total_changes
        if self._newest is None or self._newest[0] != now:
            self._newest = now, *self._read_tail()
        _, entries, chunks = self._newest
        return self._counted_to, entries, chunks

    def _read_tail(self) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        ((behind,),) = self._rows("SELECT position FROM tallied")
        entries = self._rows(
            f"SELECT {columns_of('entry')} FROM entry WHERE position > ? ORDER BY position", behind
        )
        chunks = self._rows(
            f"SELECT person, {_CHUNK} FROM chunk WHERE position > ? ORDER BY position", behind
        )
        positions = [row[0] for row in entries]
        if positions != list(range(behind + 1, behind + 1 + len(positions))):
            raise self._unreliable(f"entries behind {behind} are missing")
        # A seal that is wrong is met where the entry is read; here it decides nothing.
        expected = {
            row[0] for row in entries if row[2] == "chunk" and row[8] is None and is_sealed("entry", row)
        }
        held = {row[2] for row in chunks}
        if not expected <= held or not held <= set(positions):
            raise self._unreliable(f"chunks behind {behind} are missing")
        self._counted_to = int(behind)
        return entries, chunks

    def _whole_numbers(self, rows: Sequence[Sequence[Any]], columns: int) -> NDArray[np.int64]:
        """Rows as an array; where something else has come to stand in one, the index it is of is not to be believed."""
        try:
            return np.array(rows, np.int64).reshape(-1, columns)
        except (TypeError, ValueError, OverflowError) as e:
            raise self._unreliable(f"an index holds something else than numbers: {e}") from e


def _days(start_ms: int, end_ms: int) -> tuple[int, int]:
    """The whole days around a span; what lies before 1970 goes together."""
    start = -_ANY if start_ms < DAY_MS else start_ms // DAY_MS * DAY_MS
    end = _ANY if end_ms > _ANY // 2 else -(-max(end_ms, DAY_MS) // DAY_MS) * DAY_MS
    return start, end
