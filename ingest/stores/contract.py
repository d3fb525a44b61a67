"""The contract of every store: all that has to be known to write one.

A store is a replica of the journal's rows, for Grafana or another reader. It remembers how far into the journal it is
(its position), and the position moves only once everything up to there is held. So a store that is behind, was away,
was deleted or is of another journal is no special case: it is at a smaller position.

One that is to be added needs a file here, a line in `configured.py`, its heading in `ingest/settings/model.py` and its
place in `tests/stores/test_contract.py`, which puts every store through the same.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

from ingest.journal.witnessed import HeldByStore
from ingest.rows.table import Block
from ingest.system.patience import Patience


class Followed(Protocol):
    """What a store asks of the journal that it follows; `Journal` is one."""

    @property
    def id(self) -> str:
        """Which journal it is, whatever it is called and wherever it lies."""

    def last_position(self) -> int:
        """Where it ends, by which a store may know what of a filling comes first."""

    def generation_at(self, position: int) -> str | None:
        """Which run of a writer a position is of; None where the journal ends before it.

        A store remembers that of its position. Where the journal has another one there, or ends before it, it was put
        back from a copy: what the store holds is of another past, and it is at 0.
        """

    def note_gone(self, held: HeldByStore) -> None:
        """What a store of another past holds of straps and is not there is noted, before the store lets go of it."""


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that a store will never take, set aside so that it does not hold up the others."""

    key: str
    """Table, tags and time (microseconds): one row has one key."""
    line: bytes
    """The row as it was sent; empty when it is not to be sent again."""
    precision: str
    """The unit of the time in `line`: s, ms or us."""
    reason: str
    """The store's own words."""
    since_ms: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """Time of one person in which a store is compared with the journal."""

    person: str
    start_ms: int
    end_ms: int
    """Not included."""
    settled_only: bool = False
    """Whether more is being written of it all the time: only what was written a while ago is compared."""


class Overtaken(Exception):  # noqa: N818 - nothing is wrong
    """Another process has moved or emptied the store since `begin`: ask it anew, and count from there."""


class Store(Protocol):
    """A replica of the journal's rows, brought up to date by `ingest.stores.following.follow`.

    `follow` calls `begin`, then `write` with all rows that the next entries of the journal touch, and again, until the
    store is at the journal's end; then `maintain`. Each of these, and `clear`, may raise TryLater with a sentence for
    the owner (the store is away, its disk is full) or Stop (a person must act): the daemon says it and comes back, and
    neither the journal nor another store is disturbed.

    Between two calls anything may have happened to what the store keeps: another process may have written to it
    (`hartslag add` beside the daemon), emptied it (`hartslag rebuild`), or deleted, replaced or damaged it. An object is
    used by one thread at a time, and opens nothing before it is first used.
    """

    @property
    def name(self) -> str:
        """What the settings, `status` and `rebuild --store` call it: one lower-case word."""

    @property
    def place(self) -> str:
        """Where it is, in words for a person: a path or an address, never a secret."""

    patience: Patience
    """How long it waits for another process, endlessly unless told otherwise; then TryLater is raised."""

    def close(self) -> None:
        """Let go of what is open. May be called twice; used again afterwards, it opens anew."""

    def begin(self, journal: Followed) -> int:
        """The position up to which it holds the rows of a journal, which is the one that `write` goes by; 0: nothing counts.

        A store that holds rows of another journal or of another past of it (`generation_at`), or rows computed by another
        version of `ingest.rows`, must not mix them with what comes: it is at 0, and is either empty when this returns or
        compares what it holds with what it is given.
        """

    def write(self, portions: Iterable[list[Block]], position: int) -> None:
        """Hold all the blocks, then and only then be at `position`.

        A block takes the place of all rows of its table with its tags in [start_us, end_us): what is held there and is
        none of its rows must vanish. The same block may come again and must change nothing; a later block prevails
        over an earlier one. A portion is as much as is in memory at once; they are made while the iterator is read, and what
        it raises must leave the position where it was. What was written before that may stay: it comes again.

        The position never goes back by this, and stays where only rows of what lies behind it come early.

        Raises Overtaken, with nothing read or written, where the position is not the one that `begin` gave: another process
        has emptied the store, or held entries of which this one's counts may know nothing.
        """

    def keep_persons(self, names: Collection[str]) -> None:
        """Delete the rows of everybody but these persons: one has another name by now, or is gone from the journal.

        Called again, it changes nothing.
        """

    def holds_others(self, names: Collection[str]) -> bool:
        """Whether rows of others than these persons are there, though they were deleted."""

    def wipe(self) -> None:
        """Leave no byte of deleted rows in what lies on this computer."""

    def maintain(self) -> None:
        """Do what waits for a moment at which nothing is left to be written; most stores have nothing to do."""

    def doubted(self, persons: Collection[str]) -> Stretch | None:
        """What it was told to hold of these persons lately and may have lost without a word; None: nothing is to be looked for now."""

    def counts_as_before(self, stretch: Stretch) -> bool:
        """Whether it holds as many rows of a stretch as when it was last found to hold all, and nothing was written since."""

    def compare(self, portions: Iterable[list[Block]], stretch: Stretch) -> bool:
        """Look whether it holds all the blocks, write what it lacks, and say whether it lacked nothing.

        The blocks are all of the stretch; its position is not touched. Raises Overtaken as `write` does.
        """

    def clear(self, journal: Followed) -> None:
        """Delete all rows and be at 0 of a journal.

        Killed on the way, the store must be at 0, too.
        """

    # --- for `status` and `check`: these change no row and never raise TryLater ---

    @property
    def remedy(self) -> str:
        """What helps when `faults` finds something, a sentence for the owner."""

    def reported_position(self, journal: Followed) -> int:
        """Its position in that journal as far as is written down on this computer; 0: none."""

    def refused_rows(self) -> list[RefusedRow]:
        """The rows that were set aside; none for a store that takes all of them."""

    def misplaced(self) -> str | None:
        """What is in its place instead of it, in words; None where it is itself, or not made yet."""

    def faults(self, journal: str) -> list[str]:
        """What is wrong with it, asked of itself; empty when it is well, or a file that is not made yet.

        Raises DiskFull where it cannot be asked as the disk is full.
        """
