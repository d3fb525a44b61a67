"""What a server said yes to and may still lose: a storage that is killed takes its last seconds along, and nobody says so.

Whatever stands between us and it may hide that it died: a proxy keeps its connections, and a cluster has many storages. So
what was sent is looked for once it must be visible, and on disk.
"""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from ingest.stores.contract import Stretch
from ingest.stores.influx.lines import clean_tag

QUIET_S = 30.0
"""After which what was sent can be seen, and is on the disk of who took it."""

BUSY_S = 300.0
"""What is sent all the time, as of a strap that is worn, is looked for as often."""

FRESH_S = 240.0
"""Of it what is older than this: younger minutes are kept back, and younger samples may not be seen yet."""

MOST_TRIES, SURE_TRIES = 5, 2
"""After so many times what is not there by then is what this server does not keep, the second of one that loses nothing by
itself: the slow round asks again."""

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
        self._later: dict[tuple[str, int], tuple[float, float]] = {}
        """The same of days that were looked at, but for what waits there to be corrected."""

    def __bool__(self) -> bool:
        return bool(self._days)

    def sent(self, person: str, time_us: NDArray[np.int64]) -> None:
        """Rows of a person with these times are on their way, or are to vanish."""
        if not len(time_us):
            return
        person = clean_tag(person)
        if self.counts:
            first_ms, last_ms = int(time_us.min()) // 1000, int(time_us.max()) // 1000
            for s in [*self.counts]:
                if clean_tag(s.person) == person and s.start_ms <= last_ms and first_ms < s.end_ms:
                    del self.counts[s]
        if not self.may_lose:
            return
        now_s = self._clock()
        for day in _days(time_us):
            since_s, _ = self._days.get((person, day), (now_s, now_s))
            self._days[person, day] = since_s, now_s

    def due(self) -> Stretch | None:
        """What is to be looked for now, if anything: days of one person, by the name that the server knows."""
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
        """All of a stretch was there, but for what has been sent since. What was sent a moment ago may still be lost."""
        self._tries.pop((clean_tag(stretch.person), stretch.start_ms), None)
        now_s = self._clock()
        for key in self._of(stretch):
            since_s, last_s = self._days[key]
            if stretch.settled_only:
                self._days[key] = max(since_s, now_s - FRESH_S), last_s
            elif now_s - last_s >= QUIET_S:
                del self._days[key]

    def postpone(self, stretch: Stretch) -> None:
        """All of a stretch was there but for what waits to be corrected, which is looked for behind that."""
        for key in self._of(stretch):
            self._later[key] = self._days.pop(key)

    def resume(self) -> None:
        """What waited to be corrected is, or something else came of it: it is looked for as if it were sent now."""
        for key, (since_s, _) in self._later.items():
            self._days[key] = min(since_s, self._days.get(key, (since_s, 0.0))[0]), self._clock()
        self._later.clear()

    def lacked(self, stretch: Stretch) -> tuple[bool, bool]:
        """Rows of a stretch were not there, and were sent once more: they are looked for again, though not for ever.

        Gives whether that is new, and whether it is given up.
        """
        key = clean_tag(stretch.person), stretch.start_ms
        self._tries[key] = self._tries.get(key, 0) + 1
        is_new = self._tries[key] == 1
        gives_up = self._tries[key] >= (MOST_TRIES if self.may_lose else SURE_TRIES)
        if gives_up:
            del self._tries[key]
        for day in self._of(stretch):
            since_s, _ = self._days.pop(day)
            if not gives_up:
                self._days[day] = since_s, self._clock()
        return is_new, gives_up

    def _of(self, stretch: Stretch) -> list[tuple[str, int]]:
        """Those of the days in doubt that lie in a stretch."""
        person, a, b = clean_tag(stretch.person), stretch.start_ms * 1000, stretch.end_ms * 1000
        return [key for key in self._days if key[0] == person and a <= key[1] * DAY_US < b]

    def keep(self, persons: Iterable[str]) -> None:
        """Nothing is in doubt of others than these persons."""
        kept = {clean_tag(name) for name in persons}
        self._days = {key: held for key, held in self._days.items() if key[0] in kept}
        self._later = {key: held for key, held in self._later.items() if key[0] in kept}

    def clear(self) -> None:
        """Nothing is in doubt, nor known."""
        self._days.clear()
        self._later.clear()
        self._tries.clear()
        self.counts.clear()

    @property
    def since_s(self) -> float:
        """What was sent before this moment of the clock was found."""
        held = [*self._days.values(), *self._later.values()]
        return min((since_s for since_s, _ in held), default=self._clock())


def _days(time_us: NDArray[np.int64]) -> list[int]:
    """The days that there are rows of."""
    if not len(time_us):
        return []
    first = int(time_us.min()) // DAY_US
    return (np.flatnonzero(np.bincount(time_us // DAY_US - first)) + first).tolist()


def _stretch(person: str, first: int, behind: int, *, settled_only: bool = False) -> Stretch:
    day_ms = DAY_US // 1000
    return Stretch(person, first * day_ms, behind * day_ms, settled_only=settled_only)
