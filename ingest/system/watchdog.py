"""Whether every part of the program goes on: systemd is told so only then, and starts a new one otherwise."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from ingest.log import Repeats

SILENT_TIMES = 4
"""A part is taken to hang after so many times of what systemd is to hear from us, two minutes: a slow card may take one."""

_log = logging.getLogger(__name__)


class WatchedPart:
    """One part of the program, with a thread or task of its own; it goes on as long as it says so now and then.

    What takes long within it calls `going_on` in between: a wait that is known to end is no hang.
    """

    def __init__(self, name: str, stop: threading.Event, monotonic_s: Callable[[], float]) -> None:
        self.name = name
        self.ended = False
        self.stop = stop
        self._monotonic_s = monotonic_s
        self.marked_s = monotonic_s()

    def mark(self) -> None:
        """Say that it goes on. Any thread may."""
        self.marked_s = self._monotonic_s()

    def going_on(self) -> bool:
        """Say that it goes on, and be told whether it shall."""
        self.mark()
        return not self.stop.is_set()


class Watchdog:
    """The parts of the program."""

    def __init__(self, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._parts: list[WatchedPart] = []

    def part(self, name: str, stop: threading.Event) -> WatchedPart:
        """A new part, which shall go on until `stop` is set."""
        part = WatchedPart(name, stop, self._monotonic_s)
        self._parts.append(part)
        return part

    def silent(self, longest_s: float) -> list[str]:
        """The names of the parts that said nothing for longer than that and have not ended."""
        now_s = self._monotonic_s()
        return [p.name for p in self._parts if not p.ended and now_s - p.marked_s > longest_s]

    async def watch(self, say_alive: Callable[[], None], every: timedelta | None) -> None:
        """Say so every so often, from the event loop, for as long as all parts go on; never, when nobody listens."""
        if every is None:
            return
        repeats = Repeats(_log)
        while True:
            silent = self.silent(SILENT_TIMES * every.total_seconds())
            if silent:
                repeats.say(
                    "silent", f"{', '.join(silent)}: no sign of life. systemd will start the daemon anew."
                )
            else:
                say_alive()
            await asyncio.sleep(every.total_seconds())
