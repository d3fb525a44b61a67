"""Whose what is that is read, and what of it does not count: as it is, or as it would be."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.journal.entry import ALWAYS_MS
from ingest.journal.forgotten import FORGETS, Forgotten, LeftOut, of_entries, without
from ingest.journal.merged import MERGES, merges_of, own
from ingest.journal.sealed_reader import SealedReader


class ForgottenReader(SealedReader):
    """Questions about what is forgotten, and who is the same."""

    _supposed: Sequence[Forgotten] = ()
    _supposed_undone: Sequence[int] = ()
    _supposed_merges: Mapping[int, int] | None = None
    _known_merges: tuple[tuple[int, int], dict[int, int]] | None = None
    _known_forgotten: tuple[tuple[int, int], dict[tuple[int, ...], list[Forgotten]]] | None = None

    def merges(self) -> dict[int, int]:
        """Who counts as whom, by their numbers."""
        now = self._state()
        if self._known_merges is None or self._known_merges[0] != now:
            with self._snapshot():
                rows = [
                    row
                    for (person,) in self._rows("SELECT id FROM person ORDER BY id")
                    for what in MERGES
                    for row in self._fact_rows(person, what, -ALWAYS_MS, ALWAYS_MS)
                ]
            self._known_merges = now, merges_of((row[2], row[8]) for row in sorted(rows))
        return {**self._known_merges[1], **(self._supposed_merges or {})}

    def _state(self) -> tuple[int, int]:
        """Something that is another one whenever the journal may have changed, by this connection or another."""
        ((version,),) = self._rows("PRAGMA data_version")
        return version, self._db.total_changes

    def own(self, person: int) -> str:
        """The condition in SQL that a row is of a person, behind the column's name."""
        return own(self.merges(), person)

    def _same(self, person: int) -> list[int]:
        """The numbers of all who are this person."""
        return [person, *sorted(one for one, other in self.merges().items() if other == person)]

    def _own_fact_rows(self, person: int, what: str, start_ms: int, end_ms: int) -> list[Any]:
        """`_fact_rows` of all who are this person, as theirs, in order of position."""
        rows = [row for one in self._same(person) for row in self._fact_rows(one, what, start_ms, end_ms)]
        return sorted(((row[0], person, *row[2:]) for row in rows), key=lambda row: row[0])

    def _own_chunk_index(self, person: int, start_ms: int, end_ms: int) -> NDArray[np.int64]:
        """`_chunk_index` of all who are this person, in the same order."""
        same = self._same(person)
        found = [self._chunk_index(one, start_ms, end_ms) for one in same]
        if len(same) == 1:
            return found[0]
        together = np.concatenate(found)
        return together[np.argsort(together[:, 0], kind="stable")]

    def forgotten(self, person: int) -> list[Forgotten]:
        """What of a person is forgotten, in the order in which that was said."""
        found = self._read_forgotten(person)
        if self._supposed or self._supposed_undone:
            found = without(found, self._supposed_undone)
            found += [f for f in self._supposed if f.person == person]
        return found

    def _read_forgotten(self, person: int) -> list[Forgotten]:
        """The same of the journal alone, kept until that changes: it is asked for with each question about a person."""
        now, key = self._state(), tuple(self._same(person))
        if self._known_forgotten is None or self._known_forgotten[0] != now:
            self._known_forgotten = now, {}
        known = self._known_forgotten[1]
        if key not in known:
            with self._snapshot():
                rows = [
                    row
                    for what in FORGETS
                    for row in self._own_fact_rows(person, what, -ALWAYS_MS, ALWAYS_MS)
                ]
            known[key] = of_entries((row[0], row[1], row[6], row[2], row[8]) for row in sorted(rows))
        return list(known[key])

    def left_out(self, person: int) -> LeftOut:
        """What is left out of all that is read of a person."""
        return LeftOut.of(self.forgotten(person))

    @contextmanager
    def supposing(self, forgotten: Iterable[Forgotten] = (), undone: Iterable[int] = ()) -> Iterator[None]:
        """Answer as if this were forgotten, too, and that taken back; nothing is written."""
        self._supposed, self._supposed_undone = tuple(forgotten), tuple(undone)
        try:
            yield
        finally:
            self._supposed, self._supposed_undone = (), ()

    @contextmanager
    def supposing_merged(self, person: int, into: int) -> Iterator[None]:
        """Answer as if one person were another; nothing is written."""
        self._supposed_merges = {person: into}
        try:
            yield
        finally:
            self._supposed_merges = None
