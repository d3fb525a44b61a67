"""One connection to a strap: what it notifies is stamped, told from its duplicates, and kept until it is written."""

from collections import deque
from dataclasses import dataclass

from ingest.formats.characteristics import HEART_RATE_MEASUREMENT
from ingest.system.clock import Clock

BEATS_FLAG = 0x10
"""The flag of a notification that carries R-R intervals (Bluetooth SIG, Heart Rate Service 1.0)."""

DUPLICATE_MS = 5
"""Two subscriptions to one strap deliver each notification twice, within less than a millisecond."""

QUIET_MS = 100
"""A notification that follows others faster than this is one of a burst, in which nothing is a duplicate."""

STALLED = 1.5
"""After more than so many usual intervals of quiet, several notifications had time to pile up."""


@dataclass(frozen=True, slots=True)
class StrapOwner:
    """Which strap, and whose heart: names of a person and of a source in the journal; the source's never changes."""

    person: str
    source: str

    def __str__(self) -> str:
        return f"{self.person}'s {self.source}"


class Connection:
    """One connection to a strap. `receive` and `end` belong to one thread, all else may be read by any."""

    def __init__(self, clock: Clock, began_ms: int, characteristic: str = HEART_RATE_MEASUREMENT) -> None:
        self.began_ms = began_ms
        self.characteristic = characteristic
        self.received = 0
        self.last_steady_ms: int | None = None
        self.ended = False
        self.pending: deque[tuple[int, bytes]] = deque()
        self._steady_ms = clock.steady_ms
        self._last = b""
        self._quiet_ms = QUIET_MS
        self._intervals: deque[int] = deque(maxlen=9)

    def receive(self, payload: bytes) -> None:
        """Take a notification: stamp it, drop it if it is a duplicate, keep it in memory. The callback's whole work.

        What comes after the end of the connection is dropped.
        """
        if self.ended:
            return
        now = self._steady_ms()
        last = self.last_steady_ms
        if last is not None:
            passed = now - last
            if passed <= DUPLICATE_MS and payload == self._last and self._last_came_alone():
                return
            self._quiet_ms = passed
            if passed > DUPLICATE_MS:
                self._intervals.append(passed)
        self._last = bytes(payload)
        self.pending.append((now, self._last))
        self.last_steady_ms = now
        self.received += 1

    def _last_came_alone(self) -> bool:
        """Whether the notification before this one came neither in a burst, nor with others after a stall."""
        if self._quiet_ms < QUIET_MS:
            return False
        if len(self._intervals) <= 2:
            # Nobody knows yet what a stall is here. Two that carry the very same beats at once are one all the same.
            return len(self._last) > 0 and bool(self._last[0] & BEATS_FLAG)
        # Its own interval is the last one.
        return self._quiet_ms <= STALLED * sorted(self._intervals)[len(self._intervals) // 2]

    def end(self) -> None:
        """Take nothing any more."""
        self.ended = True
