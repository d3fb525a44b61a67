"""How long something that others hold is waited for; always in small steps, so that waiting ends with the program."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

STEP_S = 0.02
"""Between two tries: what is waited for lasts milliseconds as a rule, and fifty looks a second cost nothing."""


def always() -> bool:
    """Nobody asks to stop."""
    return True


@dataclass(frozen=True, slots=True)
class Patience:
    """Wait for `at_most_s`, and no longer than `going_on` says yes; it is asked between two tries."""

    at_most_s: float = math.inf
    going_on: Callable[[], bool] = always

    def attempts(self, step_s: float = STEP_S) -> Iterator[None]:
        """Come round once for each try; there is always a first one."""
        until_s = time.monotonic() + self.at_most_s
        while True:
            yield
            if time.monotonic() >= until_s or not self.going_on():
                return
            time.sleep(step_s)


ENDLESS = Patience()
"""Of a verb: whoever started it may press Ctrl-C."""
