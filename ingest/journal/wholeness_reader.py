"""Whether the journal is whole, and can be written."""

import contextlib
import sqlite3
from abc import abstractmethod
from collections.abc import Callable, Iterator

from ingest.journal import tally
from ingest.journal.chunk_reader import ChunkReader
from ingest.journal.damage import DamagedJournal
from ingest.journal.entry import ALWAYS_MS
from ingest.journal.seal import SEALED, columns_of, is_whole
from ingest.journal.writer import Writer
from ingest.system.patience import Patience
from ingest.system.sqlite import transaction


class _Undone(Exception):  # noqa: N818 - nothing is wrong
    """What was tried is not to stay."""


class WholenessReader(ChunkReader):
    """Questions about the file itself."""

    now_ms: Callable[[], int]
    _patience: Patience

    @abstractmethod
    def _explained(self, e: Exception) -> Exception:
        """What SQLite complains of, in words."""

    def unusable(self) -> str | None:
        """Why nothing can be written here, or names and dates cannot be relied on; None when all is well."""
        for table in ("person", "source", "connection", "clock", "file", "arrival", "run"):
            for row in self._rows(f"SELECT {columns_of(table)} FROM {table}"):
                if not is_whole(table, row):
                    return f"row {row[0]} of {table} is not as it was written"
        if n := tally.uncounted(self._rows):
            return _uncounted(n)
        try:
            with contextlib.suppress(_Undone), transaction(self._db, self._patience):
                self._probe()
        except sqlite3.Error as e:
            why = self._explained(e)
            if isinstance(why, DamagedJournal):
                return str(e)
            raise why from e
        return None

    def _probe(self) -> None:
        """Write as much as a strap does, and take it back."""
        w = Writer(self._db, self.now_ms(), "")
        for (person,) in self._rows("SELECT min(id) FROM person"):
            w.entry(person or w.person("somebody"), "probe", 0)
        tally.advance(self._db)
        raise _Undone

    def wrong_rows(self) -> Iterator[str]:
        """Rows that are not as they were written, and indexes that do not give all of them."""
        for table in SEALED:
            if table != "chunk":
                for row in self._rows(f"SELECT {columns_of(table)} FROM {table}"):
                    if not is_whole(table, row):
                        yield f"row {row[0]} of {table} is not as it was written"
        if n := tally.uncounted(self._rows):
            yield _uncounted(n)
        yield from (f"chunk {position} {what}" for position, what in self.broken_chunks())
        for person, what in self._rows("SELECT DISTINCT person, what FROM tally"):
            try:
                if what == tally.CHUNK:
                    self._chunk_index(person, -ALWAYS_MS, ALWAYS_MS)
                else:
                    self._fact_index(person, what, -ALWAYS_MS, ALWAYS_MS)
            except DamagedJournal as e:
                yield str(e)

    def faults(self) -> list[str]:
        """What SQLite finds wrong with the file itself; empty when it is whole."""
        found = [row[0] for row in self._rows("PRAGMA integrity_check")]
        found += [
            f"row {row[1]} of {row[0]} points at nothing" for row in self._rows("PRAGMA foreign_key_check")
        ]
        return [] if found == ["ok"] else [line for line in found if line != "ok"]


def _uncounted(n: int) -> str:
    return f"{abs(n)} rows {'less' if n > 0 else 'more'} than were counted are there: it is put together of two times"
