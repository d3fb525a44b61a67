"""Pauses between tries of a server that is away: longer each time, and not in step with other computers."""

import random
from collections.abc import Callable

from ingest.errors import TryLater
from ingest.stores.influx.client import Unavailable

PAUSE_S = (1.0, 30.0)
"""The shortest and the longest pause before a server that was away is asked again."""

LONGEST_PAUSE_S = 3600.0
"""Whatever Retry-After says."""


class Backoff:
    """When one server may be asked again."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures = 0
        self._not_before = 0.0
        self._error = TryLater()

    def check(self) -> None:
        """Raise the last error again while it is too early to ask."""
        if self._clock() < self._not_before:
            raise self._error

    def fail(self, error: TryLater) -> None:
        """Begin a pause: doubled at each failure in a row, jittered, and at least what the server asks for."""
        self._error = Unavailable(error.text) if isinstance(error, Unavailable) else TryLater(error.text)
        self._failures += 1
        least, most = PAUSE_S
        pause = min(least * 2 ** min(self._failures - 1, 10), most)
        pause *= random.uniform(0.5, 1.0)
        if isinstance(error, Unavailable):
            pause = max(pause, error.retry_after_s or 0.0)
        self._not_before = self._clock() + min(pause, LONGEST_PAUSE_S)

    def succeed(self) -> None:
        """The next failure is the first one again."""
        self._failures = 0

    def skip(self) -> None:
        """Allow to ask at once: a person wants it."""
        self._not_before = 0.0
