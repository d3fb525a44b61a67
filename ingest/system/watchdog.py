"""Whether every part of the program goes on: systemd is told so only then, and one that hangs ends the process."""

import logging
import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from ingest.log import Repeats
from ingest.system import systemd

LIMIT_S = 300.0
"""A part of which nothing is heard for so long hangs; a single step of its work may take a minute on a slow card."""

LOOK_S = 5.0
"""Between two looks at the parts."""

LAST_WORDS_S = 2.0
"""How long the words about a part that hangs may take, as it may hang in saying something."""

EX_HANGS = 70
"""The exit code then, EX_SOFTWARE of sysexits.h."""

_log = logging.getLogger(__name__)


def _keep_to_itself(_key: str, _trouble: str | None) -> None:
    """Nobody wants to know."""


class WatchedPart:
    """One part of the program, with a thread or a task of its own: how it is told to end, and what it says of itself.

    It goes on as long as it says so now and then: what takes long within it calls `going_on` or `mark` in between, and
    a wait that may take any time is told by `rest`. What troubles it is said once in the log, and to `tell` with its key.
    """

    def __init__(
        self,
        name: str,
        *,
        key: str = "",
        limit_s: float = LIMIT_S,
        tell: Callable[[str, str | None], None] = _keep_to_itself,
    ) -> None:
        self.name, self.key, self.limit_s = name, key or name, limit_s
        self.stop = threading.Event()
        self.ended = False
        self.marks, self.rests = 0, False
        self._tell, self._told = tell, ""
        self._woken = threading.Event()
        self._repeats = Repeats(_log)
        self._troubles: dict[str, str] = {}

    # --- that it goes on, and until when; any thread ---

    def mark(self) -> None:
        """Say that it goes on."""
        self.marks += 1
        self.rests = False

    def going_on(self) -> bool:
        """Say that it goes on, and be told whether it shall."""
        self.mark()
        return not self.stop.is_set()

    def rest(self) -> None:
        """Say that it waits for something that may take any time; until the next `mark`."""
        self.rests = True

    def wait(self, seconds: float) -> bool:
        """Rest for a while, until it is woken or told to end; gives whether it shall go on."""
        self.rest()
        if not self.stop.is_set():
            self._woken.wait(seconds)
        self._woken.clear()
        return self.going_on()

    def wake(self) -> None:
        """There is something to do: end its wait."""
        self._woken.set()

    def end(self) -> None:
        """Tell it to end."""
        self.stop.set()
        self._woken.set()

    # --- what troubles it ---

    def trouble(self, text: str, kind: str = "") -> None:
        """Say what is wrong, a sentence for the owner; until `well` of the same kind. Once, however often it is called."""
        self._repeats.say(kind, text)
        self._troubles[kind] = text
        self._tell_change()

    def well(self, text: str | None = None, kind: str = "") -> None:
        """Say that this trouble is over; nothing when there was none."""
        if self._troubles.pop(kind, None) is not None:
            self._repeats.over(kind, text)
            self._tell_change()

    def _tell_change(self) -> None:
        told = " ".join(dict.fromkeys(self._troubles.values()))
        if told != self._told:
            self._told = told
            self._tell(self.key, told or None)


UNWATCHED = WatchedPart("")
"""Nobody looks at it, and nobody tells it to end."""


class Watchdog:
    """An eye on all parts, from a thread of its own: it goes on where the event loop hangs.

    Only time in which it looked itself counts: a process that was stopped, or a machine that slept, hangs no part.
    """

    def __init__(self, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._looked_s = monotonic_s()
        self._silent: dict[WatchedPart, tuple[int, float]] = {}
        self._end_by_s: float | None = None

    def watch(self, part: WatchedPart) -> None:
        """Look at a part, too."""
        self._silent[part] = part.marks, 0.0

    def expect_end(self, within_s: float) -> None:
        """All parts shall have ended by then."""
        self._end_by_s = self._monotonic_s() + within_s

    def hanging(self) -> list[WatchedPart]:
        """The parts that hang, as far as can be seen at this look; it is to be called every `LOOK_S`."""
        now_s = self._monotonic_s()
        passed_s, self._looked_s = min(now_s - self._looked_s, 2 * LOOK_S), now_s
        late = self._end_by_s is not None and now_s > self._end_by_s
        found = []
        for part, (marks, silent_s) in list(self._silent.items()):
            still = part.marks == marks and not part.rests and not part.ended
            self._silent[part] = part.marks, silent_s + passed_s if still else 0.0
            if not part.ended and (late or self._silent[part][1] > part.limit_s):
                found.append(part)
        return found

    def run(self, every: timedelta | None) -> None:
        """Look on for ever, and say to systemd every so often that all is well; a part that hangs ends the process."""
        step_s = LOOK_S if every is None else min(LOOK_S, every.total_seconds())
        said_s = -float("inf")
        while True:
            hanging = self.hanging()
            if hanging:
                end_by_force(hanging, at_the_end=self._end_by_s is not None)
            if every is not None and self._looked_s - said_s >= every.total_seconds() - step_s / 2:
                systemd.alive()
                said_s = self._looked_s
            time.sleep(step_s)


def end_by_force(hanging: list[WatchedPart], *, at_the_end: bool) -> None:
    """Say which parts hang, and end the process: a thread cannot be ended otherwise."""
    names = ", ".join(part.name for part in hanging)
    words = (
        f"Ended by force, as this did not end: {names}. What is in the journal is safe."
        if at_the_end
        else f"This hangs: {names}. The daemon ends, so that systemd starts it anew."
    )
    saying = threading.Thread(target=_say_last, args=(words,), daemon=True)
    saying.start()
    saying.join(LAST_WORDS_S)
    os._exit(1 if at_the_end else EX_HANGS)


def _say_last(words: str) -> None:
    systemd.status(words)
    _log.critical("%s", words)
