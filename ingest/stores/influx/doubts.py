"""What a server said yes to and may still lose: a storage that is killed takes its last seconds along, and nobody says so.

Whatever stands between us and it may hide that it died: a proxy keeps its connections, and a cluster has many storages. So
what was sent is looked for once it must be visible, and on disk.
"""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from ingest.stores.contract import Stretch

QUIET_S = 30.0
"""After which what was sent can be seen, and is on the disk of who took it."""

BUSY_S = 300.0
"""What is sent all the time, as of a strap that is worn, is looked for as often."""

FRESH_S = 240.0
"""Of it what is older than this: younger minutes are kept back, and younger samples may not be seen yet."""

MOST_TRIES = 5
"""After so many times what is not there by then is what this server does not keep: the slow round asks again."""

LONGEST_DAYS = 7
"""Looked for at once."""

DAY_US = 86_400_000_000


class Doubts:
    """The days of persons in which rows were sent that were not looked for since, and how many rows were found elsewhere."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.may_lose = True
        """Whether this server may lose what was sent a moment ago."""
        self.counts: dict[Stretch, int] = {}
        """How many rows a stretch had when all of it was there; not of those in which rows were sent since."""
        self._tries: dict[tuple[str, int], int] = {}
        self._days: dict[tuple[str, int], tuple[float, float]] = {}
        """When rows of it were first sent since it was looked at, and when last."""

    def __bool__(self) -> bool:
        return bool(self._days)

    def sent(self, person: str, time_us: NDArray[np.int64]) -> None:
        """Rows of a person with these times are on their way."""
        if not len(time_us):
            return
        if self.counts:
            first_ms, last_ms = int(time_us.min()) // 1000, int(time_us.max()) // 1000
            for s in [*self.counts]:
                if s.person == person and s.start_ms <= last_ms and first_ms < s.end_ms:
                    del self.counts[s]
        if not self.may_lose:
            return
        now_s = self._clock()
        first = int(time_us.min()) // DAY_US
        for day in (np.flatnonzero(np.bincount(time_us // DAY_US - first)) + first).tolist():
            since_s, _ = self._days.get((person, day), (now_s, now_s))
            self._days[person, day] = since_s, now_s

    def due(self) -> Stretch | None:
        """What is to be looked for now, if anything: days of one person that lie side by side."""
        now_s = self._clock()
        quiet = sorted(key for key, (_, last_s) in self._days.items() if now_s - last_s >= QUIET_S)
        if quiet:
            person, first = quiet[0]
            last = first
            while (person, last + 1) in set(quiet[:LONGEST_DAYS]) and last - first + 1 < LONGEST_DAYS:
                last += 1
            return _stretch(person, first, last + 1)
        busy = [key for key, (since_s, _) in self._days.items() if now_s - since_s >= BUSY_S]
        return _stretch(*busy[0], busy[0][1] + 1, settled_only=True) if busy else None

    def looked(self, stretch: Stretch) -> None:
        """All of a stretch was there, but for what has been sent since."""
        self._tries.pop((stretch.person, stretch.start_ms), None)
        now_s = self._clock()
        for day in range(stretch.start_ms * 1000 // DAY_US, stretch.end_ms * 1000 // DAY_US):
            held = self._days.pop((stretch.person, day), None)
            if held is not None and stretch.settled_only:
                self._days[stretch.person, day] = max(held[0], now_s - FRESH_S), held[1]

    def lacked(self, stretch: Stretch) -> None:
        """Rows of a stretch were not there, and were sent once more: they are looked for again, though not for ever."""
        key = stretch.person, stretch.start_ms
        self._tries[key] = self._tries.get(key, 0) + 1
        if self._tries[key] >= MOST_TRIES:
            self.looked(stretch)
        for held in [key for key in self._days if key[0] == stretch.person and _is_in(key[1], stretch)]:
            self._days[held] = self._days[held][0], self._clock()

    def keep(self, persons: Iterable[str]) -> None:
        """Nothing is in doubt of others than these persons."""
        kept = set(persons)
        self._days = {key: held for key, held in self._days.items() if key[0] in kept}

    def clear(self) -> None:
        """Nothing is in doubt, nor known."""
        self._days.clear()
        self._tries.clear()
        self.counts.clear()

    @property
    def since_s(self) -> float:
        """What was sent before this moment of the clock was found."""
        return min((since_s for since_s, _ in self._days.values()), default=self._clock())


def _is_in(day: int, stretch: Stretch) -> bool:
    return stretch.start_ms * 1000 <= day * DAY_US < stretch.end_ms * 1000


def _stretch(person: str, first: int, behind: int, *, settled_only: bool = False) -> Stretch:
    day_ms = DAY_US // 1000
    return Stretch(person, first * day_ms, behind * day_ms, settled_only=settled_only)
