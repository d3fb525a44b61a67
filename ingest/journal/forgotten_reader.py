"""Reading what does not count, as it is or as it would be."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from ingest.journal.forgotten import Forgotten, LeftOut, in_force, without
from ingest.journal.row_reader import RowReader


class ForgottenReader(RowReader):
    """Questions about what is forgotten."""

    _supposed: Sequence[Forgotten] = ()
    _supposed_undone: Sequence[int] = ()

    def forgotten(self, person: int) -> list[Forgotten]:
        """What of a person is forgotten, in the order in which that was said."""
        found = in_force(self._rows, f"= {int(person)}")
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
