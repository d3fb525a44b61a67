"""How often what a strap tells goes to a store while it tells it: a card wears out by the page, and each write costs some.

Every few seconds something is in the journal. Written each time with all that is counted from it, a day of one strap
cost a store 110 MB of pages that hardly differ; so its heart rates go every `SAMPLES_S`, and all else once a minute is
over.
Whatever else comes in, a file, a correction, a strap that is gone, goes at once, with all that came before it.
"""

import time
from collections.abc import Callable, Sequence
from enum import Enum

from ingest.journal import Entry

SAMPLES_S = 5.0
"""How long heart rates wait for more at most: Grafana shows one while somebody trains, with the journal's five seconds ten
seconds old at most."""

ROWS_S = 60.0
"""Between two writes of all that is counted, where no minute ends as nothing is told any more."""

_MINUTE_MS = 60_000


class Due(Enum):
    """What is to be written now."""

    NOTHING = "it can wait"
    SAMPLES = "heart rates alone, ahead of the position"
    ALL = "all rows, and the position moves"


class LivePace:
    """What is due of the entries behind a store's position; of one who follows the journal all day long.

    It changes no row in the end: what is written ahead of the position is written once more in its turn, and what waits
    lies in the journal.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` counts seconds."""
        self._clock = clock
        self._states: dict[tuple[int, str], str] = {}
        self._position: int | None = None
        self._shown = 0
        self._seen_s = 0.0
        self._unshown_s: float | None = None

    def due(self, position: int, entries: Sequence[Entry]) -> Due:
        """What is to be written of the entries behind a position, of which there is at least one."""
        now_s = self._clock()
        if position != self._position:
            self._position, self._shown = position, position
            self._seen_s, self._unshown_s = now_s, None
        minutes = {e.at_ms // _MINUTE_MS for e in entries if e.first_ms is not None}
        if len(minutes) > 1 or now_s - self._seen_s >= ROWS_S or not all(map(self._is_live, entries)):
            return Due.ALL
        if not self.unshown(entries):
            return Due.NOTHING
        if self._unshown_s is None:
            self._unshown_s = now_s
        return Due.SAMPLES if now_s - self._unshown_s >= SAMPLES_S else Due.NOTHING

    def unshown(self, entries: Sequence[Entry]) -> list[Entry]:
        """Those of the entries whose heart rates were not written ahead of the position."""
        return [e for e in entries if e.position > self._shown and e.what == "chunk"]

    def wrote_samples(self, entries: Sequence[Entry]) -> None:
        """The heart rates of these are in the store."""
        self._shown, self._unshown_s = entries[-1].position, None

    def wrote_all(self, entries: Sequence[Entry]) -> None:
        """All rows of these are in the store, and its position is behind them."""
        self._position = None
        for e in entries:
            if e.what == "collector":
                self._states[_strap(e)] = str(e.content.get("state"))

    def _is_live(self, entry: Entry) -> bool:
        """Whether it is more of what a strap tells as long as it is worn."""
        if entry.what == "chunk":
            return entry.file is None and not entry.content
        return entry.what == "collector" and self._states.get(_strap(entry)) == entry.content.get("state")


def _strap(entry: Entry) -> tuple[int, str]:
    return entry.person, str(entry.content.get("source"))
