"""Reading rows by their seals: what is not as it was written is left out, and said."""

import json
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.journal.damage import Damage, say_once
from ingest.journal.index_reader import IndexReader
from ingest.journal.seal import SEALED, columns_of, is_whole

_Row = tuple[Any, ...]


class SealedReader(IndexReader):
    """Rows of the tables that carry seals. An earlier version's rows have none, and are taken as they are."""

    path: Path
    _damages: dict[Damage, None]

    @property
    def damages(self) -> list[Damage]:
        """What could not be read so far, of what was asked."""
        return list(self._damages)

    def _damaged(self, person: int, source: str, first_ms: int | None, last_ms: int | None, why: str) -> None:
        self._note(Damage(self._name_of(person), source, first_ms, last_ms, why))

    def _note(self, damage: Damage) -> None:
        if damage not in self._damages:
            self._damages[damage] = None
            say_once(self.path, damage)

    def _name_of(self, person: int) -> str:
        rows = self._rows("SELECT name FROM person WHERE id = ?", person)
        return str(rows[0][0]) if rows else f"person {person}"

    @contextmanager
    def _named(self, person: int, source: str, first_ms: int, last_ms: int) -> Iterator[None]:
        """Note it as a damage when a chunk cannot be unpacked in the block: one that was damaged before there were seals."""
        try:
            yield
        except (ValueError, zlib.error) as e:
            self._damaged(person, source, first_ms, last_ms, f"it cannot be unpacked: {e}")

    def _sealed_rows(self, table: str, where: str, *values: Any) -> list[Any]:
        """The rows of a small table, their seals behind them, without the damaged ones."""
        rows = self._rows(f"SELECT {columns_of(table)} FROM {table} {where}", *values)
        whole = [row for row in rows if is_whole(table, row)]
        if len(whole) < len(rows):
            column = SEALED[table].index("person") if "person" in SEALED[table] else None
            for row in rows:
                if row not in whole:
                    person = row[column] if column is not None and isinstance(row[column], int) else 0
                    self._damaged(person, "", None, None, f"row {row[0]} of {table}: its checksum is wrong")
        return whole

    def _sealed_by_number(
        self, table: str, numbers: Sequence[int]
    ) -> tuple[list[Any], dict[int, _Row | None]]:
        """The whole rows among those of these numbers, in order of them; and the others, None where there is none."""
        if not numbers:
            return [], {}
        key = SEALED[table][0]
        rows = self._rows(
            f"SELECT {columns_of(table)} FROM {table} WHERE {key} IN (SELECT value FROM json_each(?)) ORDER BY {key}",
            json.dumps(numbers),
        )
        whole = [row for row in rows if is_whole(table, row)]
        if len(whole) == len(numbers):
            return whole, {}
        bad: dict[int, _Row | None] = dict.fromkeys(numbers)
        for row in rows:
            bad[row[0]] = row
        for row in whole:
            del bad[row[0]]
        return whole, bad

    def _fact_rows(self, person: int, what: str, start_ms: int, end_ms: int) -> list[Any]:
        """The entries of a person's facts of one sort about moments in [start, end), in order of position."""
        with self._snapshot():
            moments = self._fact_index(person, what, start_ms, end_ms)
            rows, bad = self._sealed_by_number("entry", moments[:, 1].tolist())
        for number in bad:
            at = int(moments[moments[:, 1] == number, 0][0])
            self._damaged(person, "", at, at, f"{what} {number}: its checksum is wrong")
        return rows

    def _replaced(self, files: NDArray[np.int64]) -> list[int]:
        """Those of some files (0: none) that a better copy has replaced, or of which that cannot be said."""
        numbers = sorted(set(files.tolist()) - {0})
        rows, bad = self._sealed_by_number("file", numbers)
        for number, row in bad.items():
            person = row[3] if row and isinstance(row[3], int) else 0
            self._damaged(person, "", None, None, f"row {number} of file: its checksum is wrong")
        replaced = SEALED["file"].index("replaced_by")
        return [row[0] for row in rows if row[replaced] is not None]
