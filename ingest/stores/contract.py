"""The contract of every store, and how one is brought up to date.

A store remembers how far into the journal it is, and its position moves only once it holds everything up to there.
A store that is behind, away, deleted or of another journal is not a special case: it is at a smaller position.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from ingest.journal import Entry, Journal
from ingest.rows.cache import Memory
from ingest.rows.recount import recounts
from ingest.rows.table import Block

PORTION = 400
"""Entries counted together: enough that a hundred files of one week count that week once, few enough for memory."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that the server will not have, as it was sent, and the server's words."""

    key: str
    line: bytes
    unit: str
    words: str
    since_ms: int


class Store(Protocol):
    """A replica of the journal's rows."""

    @property
    def name(self) -> str:
        """What the settings and `status` call it."""

    @property
    def place(self) -> str:
        """Where it is, in words for a person: a path or an address, never a secret."""

    def close(self) -> None:
        """Let go of what is open; used again, it opens anew."""

    def begin(self, journal: str, last: int = 0) -> int:
        """The position in the journal of that id, whose last one is `last`; 0 when the store holds something else.

        Raises TryLater when it is away.
        """

    def write(self, portions: Iterable[list[Block]], position: int) -> None:
        """Hold the blocks, then and only then be at the position; not at all if it was emptied since `begin`.

        Writing the same again is harmless. Raises TryLater when it is away; what it then holds it may hold again.
        """

    def rest(self) -> None:
        """Do what waits for a moment at which nothing more is there to be written. Raises TryLater when it is away."""

    def clear(self, journal: str, last: int = 0) -> None:
        """Forget all rows: the next one to follow the journal of that id, whose last position is `last`, fills it anew."""

    # --- for `status` and `check` ---

    @property
    def remedy(self) -> str:
        """What helps when `faults` finds something."""

    def position(self, journal: str) -> int:
        """How far it is, as far as can be told without asking it; 0 when it holds something else."""

    def standing(self, journal: str) -> tuple[int, int | None]:
        """Its position, and the moment (ms) at which that was written down; None where it is always so."""

    def refused(self) -> list[Refusal]:
        """The rows that it will not have."""

    def faults(self, journal: str) -> list[str]:
        """What is wrong with it, asked of itself."""


def follow(
    journal: Journal,
    store: Store,
    *,
    portion: int = PORTION,
    progress: Callable[[int, int], None] | None = None,
    going_on: Callable[[], bool] = lambda: True,
    memory: Memory | None = None,
) -> int:
    """Bring a store up to date; gives how many entries it took.

    What comes in meanwhile goes first, between two portions of the past, and once more when it is its turn: nothing
    has to be remembered of it, and what is written twice is written once.

    `progress` is told (position, last position) after each portion; `going_on` may say that it is time to stop;
    `memory` spares one who follows all day long the days that nothing touched.
    """
    taken = 0
    news = journal.last_position()
    while going_on():
        # Asked anew each time: another process may have emptied the store to fill it again.
        position = store.begin(journal.id, journal.last_position())
        entries: list[Entry] = journal.entries(position, portion)
        if not entries:
            store.rest()
            break
        last = entries[-1].position
        news = max(news, last)
        latest = _Latest(journal, news, portion)
        try:
            store.write(latest.first(recounts(journal, entries, memory), going_on), last)
        except _Stopped:
            break
        news = latest.position
        taken += len(entries)
        if progress:
            progress(last, journal.last_position())
    return taken


class _Stopped(Exception):  # noqa: N818 - nothing is wrong
    """It is time to stop, in the middle of entries: those that are begun are counted again another time."""


class _Latest:
    """What comes in while the past is written."""

    def __init__(self, journal: Journal, position: int, most: int) -> None:
        self._journal, self._most = journal, most
        self.position = position

    def first(self, portions: Iterable[list[Block]], going_on: Callable[[], bool]) -> Iterator[list[Block]]:
        """The portions, and between them those of what has come in since."""
        for portion in portions:
            yield portion
            if not going_on():
                raise _Stopped
            entries = self._journal.entries(self.position, self._most)
            if entries:
                self.position = entries[-1].position
                # Without the memory: a day that was remembered in between would be spared those who are at it.
                yield from recounts(self._journal, entries)
