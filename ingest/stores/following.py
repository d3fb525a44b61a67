"""How a store is brought up to date with the journal."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from ingest.journal import Entry, Journal
from ingest.journal.merged import PERSONS
from ingest.rows.cache import RowCache
from ingest.rows.recount import recount_rows, told_samples
from ingest.rows.table import Block
from ingest.rows.touched import ABOUT_EDGES
from ingest.stores.contract import Overtaken, Store
from ingest.stores.live_pace import Due, LivePace
from ingest.stores.looking_over import Rounds, look_over

PORTION = 400
"""Entries counted together: enough that a hundred files of one week count that week once, few enough for memory."""


def follow(
    journal: Journal,
    store: Store,
    *,
    portion: int = PORTION,
    progress: Callable[[int, int], None] | None = None,
    going_on: Callable[[], bool] = lambda: True,
    cache: RowCache | None = None,
    pace: LivePace | None = None,
    rounds: Rounds | None = None,
) -> int:
    """Bring a store up to date; gives how many entries it took.

    What comes in meanwhile goes first, between two portions of the past, and once more when it is its turn: nothing
    has to be remembered of it, and what is written twice is written once. Files wait for their turn, if that is soon. Other edges among it let the portion begin anew.

    `progress` is called with (position, last position) after each portion; `going_on` may say that it is time to stop;
    `cache` and `pace` spare one who follows all day long days that nothing touched, and a card many writes; `rounds` are
    the slow rounds over all that the store should hold. Another process may follow beside it. Raises TryLater when the store is away; it is then where it was, or further on.
    """
    taken, latest_position = 0, journal.last_position()
    while going_on():
        position = store.begin(journal)
        entries = journal.entries(position, portion)
        if not entries or (pace and _can_wait(journal, store, position, entries, pace)):
            store.maintain()
            look_over(journal, store, rounds, going_on)
            break
        last = entries[-1].position
        latest_position = max(latest_position, last)
        latest = _LatestEntries(journal, latest_position, portion)
        _keep_persons(journal, store, entries)
        try:
            store.write(latest.interleave(recount_rows(journal, entries, cache), going_on), last)
        except _Stopped:
            break
        except Overtaken:
            continue
        except _EdgesChanged:
            latest_position = latest.position
            if cache:
                cache.forget_profiles()
            continue
        latest_position = latest.position
        if pace:
            pace.wrote_all(entries)
        taken += len(entries)
        if progress:
            progress(last, journal.last_position())
    return taken


def _keep_persons(journal: Journal, store: Store, entries: list[Entry]) -> None:
    """Have a store let go of persons who have another name since these entries, or are gone."""
    if any(e.what == PERSONS for e in entries):
        store.keep_persons([p.name for p in journal.persons()])


def _can_wait(journal: Journal, store: Store, position: int, entries: list[Entry], pace: LivePace) -> bool:
    """Whether what is behind the position can wait; heart rates that cannot are written, ahead of it."""
    due = pace.due(position, entries)
    if due is Due.SAMPLES:
        told = pace.unshown(entries)
        with suppress(Overtaken):  # it is asked anew at the next look
            store.write(told_samples(journal, told), position)
            pace.wrote_samples(told)
    return due is not Due.ALL


FILES_WAIT_S = 10.0
"""So long files may wait for their turn: while many come in, each would be counted once as the latest and once in its turn."""


class _Stopped(Exception):  # noqa: N818 - nothing is wrong
    """It is time to stop, in the middle of entries: those that are begun are counted again another time."""


class _EdgesChanged(Exception):  # noqa: N818 - nothing is wrong
    """What is being counted goes by edges that hold no more."""


class _LatestEntries:
    """What comes in while the past is written: entries behind `position`, at most `limit` at a time."""

    def __init__(self, journal: Journal, position: int, limit: int) -> None:
        self._journal, self._limit = journal, limit
        self._since_s = time.monotonic()
        self.position = position

    def interleave(
        self, portions: Iterable[list[Block]], going_on: Callable[[], bool]
    ) -> Iterator[list[Block]]:
        """The portions, and between them those of what has come in since."""
        for portion in portions:
            yield portion
            if not going_on():
                raise _Stopped
            entries = self._journal.entries(self.position, self._limit) if self._are_due() else []
            if entries:
                self.position, self._since_s = entries[-1].position, time.monotonic()
                # Without the cache: a day that it kept in between would be spared those who are at it.
                yield from recount_rows(self._journal, entries)
                if any(e.what in ABOUT_EDGES and e.first_ms is not None for e in entries):
                    raise _EdgesChanged

    def _are_due(self) -> bool:
        """Whether something else than files is among them, as of a strap that is worn, or the past takes long."""
        waited_s = time.monotonic() - self._since_s
        return waited_s >= FILES_WAIT_S or self._journal.not_only_files(self.position, self._limit)
