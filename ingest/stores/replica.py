"""The contract of every store, and how one is brought up to date.

A store remembers how far into the journal it is, and its position moves only once it holds everything up to there.
A store that is behind, away, deleted or of another journal is not a special case: it is at a smaller position.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

from ingest.journal import Entry, Journal
from ingest.rows.memory import Memory
from ingest.rows.recount import recounts
from ingest.rows.table import Block

PORTION = 400
"""Entries counted together: enough that a hundred files of one week count that week once, few enough for memory."""


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

    def begin(self, journal: str) -> int:
        """The position in the journal of that id; 0, and empty, when it holds something else.

        Raises TryLater when it is away.
        """

    def write(self, portions: Iterable[list[Block]], position: int) -> None:
        """Hold the blocks, then and only then be at the position; not at all if it was emptied since `begin`.

        Writing the same again is harmless. Raises TryLater when it is away; what it then holds it may hold again.
        """


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

    `progress` is told (position, last position) after each portion; `going_on` may say that it is time to stop;
    `memory` spares one who follows all day long the days that nothing touched.
    """
    taken = 0
    while going_on():
        # Asked anew each time: another process may have emptied the store to fill it again.
        position = store.begin(journal.id)
        entries: list[Entry] = journal.entries(position, portion)
        if not entries:
            break
        store.write(recounts(journal, entries, memory), entries[-1].position)
        taken += len(entries)
        if progress:
            progress(entries[-1].position, journal.last_position())
    return taken
