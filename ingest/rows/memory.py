"""What was counted of the last days, for one who follows the journal: a beat that comes in costs its own day, no week."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.journal import Entry
from zones.spans import Spans

MOST = 200
"""Days remembered, a hundred bytes each; a week of some persons is what is asked for again and again."""


@dataclass(frozen=True, slots=True, eq=False)
class Day:
    """A day's totals: milliseconds per zone, and its resting heart rate (NaN without) with its beginning."""

    zones_ms: NDArray[np.int64]
    resting_bpm: float
    quiet_ms: int


class Memory:
    """Days as they were counted last, each until an entry of the journal touches it."""

    def __init__(self) -> None:
        self._position = 0
        self._days: dict[tuple[int, int, int], Day] = {}

    def heed(self, entries: Sequence[Entry], person: int, touched: Spans) -> None:
        """Forget what the entries change: all, when others came in between that were never seen."""
        if entries[0].position > self._position + 1:
            self._days.clear()
        for key in [k for k in self._days if k[0] == person]:
            i = int(np.searchsorted(touched.end, key[1], side="right"))
            if i < len(touched) and touched.start[i] < key[2]:
                del self._days[key]

    def heeded(self, entries: Sequence[Entry]) -> None:
        """All of these were heeded."""
        self._position = max(self._position, entries[-1].position)

    def get(self, person: int, start_ms: int, end_ms: int) -> Day | None:
        return self._days.get((person, start_ms, end_ms))

    def keep(self, person: int, start_ms: int, end_ms: int, day: Day) -> None:
        self._days[person, start_ms, end_ms] = day
        while len(self._days) > MOST:
            del self._days[next(iter(self._days))]
