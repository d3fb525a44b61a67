"""The journal, opened for a part of the daemon: waited for while the disk is full or another process holds it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ingest.errors import TryLater
from ingest.journal import Journal
from ingest.system.patience import Patience
from ingest.system.watchdog import WatchedPart

STEP_S = 1.0
"""Between two tries."""

_KIND = "journal"


@contextmanager
def opened(part: WatchedPart, open_it: Callable[[], Journal]) -> Iterator[Journal | None]:
    """The journal, closed at the end; None when the part was told to stop meanwhile."""
    for _ in Patience(going_on=part.going_on).attempts(step_s=STEP_S):
        try:
            journal = open_it()
        except TryLater as e:
            part.trouble(str(e), _KIND)
        else:
            part.well("The journal is open.", _KIND)
            with journal:
                yield journal
            return
    yield None
