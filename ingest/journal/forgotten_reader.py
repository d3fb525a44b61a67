"""Reading what does not count, as it is or as it would be."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from ingest.journal.entry import ALWAYS_MS
from ingest.journal.forgotten import FORGETS, Forgotten, LeftOut, of_entries, without
from ingest.journal.sealed_reader import SealedReader


class ForgottenReader(SealedReader):
    """Questions about what is forgotten."""

    _supposed: Sequence[Forgotten] = ()
    _supposed_undone: Sequence[int] = ()

    def forgotten(self, person: int) -> list[Forgotten]:
        """What of a person is forgotten, in the order in which that was said."""
        with self._snapshot():
            rows = [row for what in FORGETS for row in self._fact_rows(person, what, -ALWAYS_MS, ALWAYS_MS)]
        found = of_entries((row[0], row[1], row[6], row[2], row[8]) for row in sorted(rows))
        if self._supposed or self._supposed_undone:
            found = without(found, self._supposed_undone)
            found += [f for f in self._supposed if f.person == person]
        return found

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
