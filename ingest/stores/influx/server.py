"""What a kind of server can do for the store that is kept on it."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from ingest.rows.table import Block
from ingest.stores.influx.cells import Cells, Column, Key, Labels, Series


class Server(Protocol):
    """A server, and what differs between kinds of them. All raise Away when it cannot be asked."""

    @property
    def title(self) -> str:
        """What a person calls it."""

    @property
    def site(self) -> str:
        """The site that is a tag of all rows, '' for none."""

    @property
    def lag_s(self) -> float:
        """For how many seconds it may still lose what it said yes to, when it is killed."""

    @property
    def settles_s(self) -> float:
        """How old a minute must be before it is sent, as until then its numbers still fall; 0: any."""

    @property
    def replaces(self) -> bool:
        """Whether what is written again takes the place of what was, and a single row can be taken away."""

    @property
    def raises(self) -> bool:
        """Whether at least a higher number takes the place of a lower one."""

    @property
    def future_s(self) -> float:
        """How far ahead of now a row may lie at most."""

    def fitted(self, block: Block) -> Block:
        """The block with times that the server can tell apart."""

    def bodies(self, block: Block) -> Iterator[tuple[bytes, str]]:
        """(Lines, unit) of the rows of a block."""

    def cells(self, block: Block) -> Cells:
        """The cells that the rows of a block are to it."""

    def held(self, series: Series, start_us: int, end_us: int) -> Cells:
        """What is there of a series in [start, end). Raises TooMuch when that is more than is read at once."""

    def erase(self, series: Series, labels: Labels, spans: Sequence[tuple[int, int]]) -> bool:
        """Take away rows in spans (first and last time in microseconds, both included); says whether it can."""

    def column(self, series: Series, key: Key, start_us: int, end_us: int) -> Column:
        """One field of a series in [start, end). Raises TooMuch."""

    def forget(self, series: Series, key: Key) -> None:
        """Take away one field of a series, all of it."""

    def clear(self) -> None:
        """Take away all rows of this site and its marker. Raises TryLater when it cannot."""

    def is_empty(self) -> bool:
        """Whether no row of this site is there."""

    def markers(self) -> set[str]:
        """The journals that this site's rows are of."""

    def mark(self, journal: str) -> None:
        """Leave the marker, which is as old as any row. Raises TryLater when it does not stay, and says why."""

    def flush(self) -> None:
        """Have what was written be there when asked for."""

    def show(self) -> None:
        """Have what was just written show within a second or two, where that takes asking for."""

    def born(self) -> str:
        """What is another when the server was started anew and may have lost something by that."""
