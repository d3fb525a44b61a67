"""What a kind of server must be able to do to hold a store."""

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from ingest.errors import TryLater
from ingest.rows.table import Block
from ingest.stores.influx.cells import Cells, Digest, FieldColumn, FieldKey, Labels, StoredSeries

RETENTION, DEDUPLICATION, DELETION = "retention", "deduplication", "deletion"
"""What a server must have set, or be able to do, to keep rows true."""


class Unfit(TryLater):
    """A server does not keep rows as it must; `aspect` says in which respect."""

    def __init__(self, aspect: str, text: str) -> None:
        super().__init__(text)
        self.aspect = aspect


class Server(Protocol):
    """A server, and what differs between kinds of them. All methods raise Unavailable when it cannot be asked."""

    @property
    def title(self) -> str:
        """What a person calls it."""

    @property
    def site(self) -> str:
        """The site that is a tag of all rows, '' for none."""

    @property
    def may_lose(self) -> bool:
        """Whether it may lose what it said yes to when it is killed."""

    @property
    def minute_delay_s(self) -> float:
        """How old a minute must be before it is sent, as until then its numbers still fall; 0: any."""

    @property
    def overwrites(self) -> bool:
        """Whether what is written again takes the place of what was, and a single row can be deleted."""

    @property
    def deletes(self) -> bool:
        """Whether what is no longer true can be taken away, by what is known so far."""

    @property
    def overwrites_lower(self) -> bool:
        """Whether at least a higher number takes the place of a lower one."""

    @property
    def future_limit_s(self) -> float:
        """How far ahead of now a row may lie at most."""

    def align_times(self, block: Block) -> Block:
        """The block with times that the server can tell apart."""

    def encode(self, block: Block) -> Iterator[tuple[bytes, str]]:
        """The rows of a block as (lines, precision)."""

    def block_cells(self, block: Block) -> Cells:
        """The cells that the rows of a block are to this server."""

    def read_range(self, series: StoredSeries, start_us: int, end_us: int) -> Cells:
        """What is held of a series in [start, end). Raises ResponseTooLarge when that is more than is read at once."""

    def read_field(self, series: StoredSeries, key: FieldKey, start_us: int, end_us: int) -> FieldColumn:
        """What is held of one field of a series in [start, end). Raises ResponseTooLarge."""

    def digest(self, series: StoredSeries, start_us: int, end_us: int) -> Digest | None:
        """Of each field that is held of a series in [start, end) how many, and their sum; None where it cannot say."""

    def count_rows(self, person: str, start_us: int, end_us: int) -> int | None:
        """How many values are held of a person in [start, end), in all tables; None where it cannot say."""

    def delete_ranges(self, series: StoredSeries, labels: Labels, spans: Sequence[tuple[int, int]]) -> bool:
        """Delete rows in spans (first and last time in microseconds, both included); says whether it can."""

    def delete_field(self, series: StoredSeries, key: FieldKey) -> None:
        """Delete one field of a series, all of it."""

    def clear(self) -> None:
        """Delete all rows of this site and its marker. Raises TryLater when it cannot."""

    def persons(self) -> set[str]:
        """The persons of whom rows of this site are there."""

    def keep_persons(self, names: Collection[str]) -> None:
        """Delete the rows of this site that are of nobody of these names. Raises TryLater when it cannot."""

    def is_empty(self) -> bool:
        """Whether no row of this site is there."""

    def owners(self) -> set[str]:
        """The ids of the journals that this site's rows are of, from its ownership markers."""

    def claim_ownership(self, journal: str) -> None:
        """Write the marker, which is as old as any row. Raises TryLater when it does not stay, and says why."""

    def try_out(self) -> None:
        """Find the same out without a marker, by a canary that is taken away again. Raises TryLater as that does."""

    def explain_refusal(self, said: str, otherwise: TryLater) -> TryLater:
        """What to tell the owner when not even one row is taken, and the server says this; as a rule `otherwise`."""

    def sync_visibility(self) -> None:
        """Return once what we have written is visible to queries."""

    def sync_others(self) -> None:
        """Return once what anybody has written up to now is visible to queries."""

    def hasten_visibility(self) -> None:
        """Have what was just written be visible within a second or two, where that takes asking for."""
