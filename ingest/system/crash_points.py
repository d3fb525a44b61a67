"""Named moments at which a test may kill this very process, to see that nothing is lost or doubled.

Does nothing unless the environment names one of them.
"""

import os
import signal

POINTS = (
    "arrival read",  # the bytes are in memory, nothing is written
    "file begun",  # within the transaction, before its commit
    "file committed",
    "reason written",  # beside a rejected file
    "arrival moved",
    "arrival filed",
    "store begun",  # within the store's transaction
    "store written",
    "store committed",
)

SERVER_POINTS = (
    "store begun",
    "store sending",  # a portion is on its way to a server, or collected for it
    "store written",
    "store committed",
    "series copied",  # of a server that can only forget a whole series
    "series deleted",
    "series posted",
)
"""Of a store on a server."""

CLEARING = "store clearing"
"""A part of a server's rows is deleted, and others are not yet."""

FETCH_POINTS = (
    "fetch copied",  # beside their places, and the card remembers them
    "fetch named",  # the first is in its place, where the inbox takes it
    "fetch noted",
)
"""Of what comes from a watch."""

STRAP_POINTS = (
    "notifications begun",  # what straps sent is within the transaction, before its commit
    "notifications committed",
    "merge begun",  # chunks of an hour are one, before the commit
    "merged",
)

MENDING_POINTS = (
    "journal mended",  # the new one is written and noted, and not in its place yet
    "journal kept",  # the damaged one has its other name, too
    "journal without log",
)
"""Of a damaged journal."""

DEPARTURE_POINTS = (
    "departure begun",  # noted, nothing is gone yet
    "departure files removed",
    "departure rows removed",
    "departure wiped",
)
"""Of a person who is deleted."""

BACKUP_POINTS = (
    "pack begun",
    "pack written",  # and has no name yet
    "copy written",
    "copy removed",  # and what only it needed is still there
    "pack deleted",
)
"""Of a copy in the folder for copies."""

RESTORE_POINTS = (
    "restore staged",  # all is put together and checked
    "restore planned",  # from here on the copy counts
    "settings restored",
    "restore swapped",  # a folder is in its place, and what was there is not aside yet
    "restore moved",
)
"""Of a copy that is brought back."""

_CHOSEN = os.environ.get("HARTSLAG_CRASH_AT", "")


def reached(point: str) -> None:
    """Die here, as a power cut would, if this is the chosen moment ("file begun" or "file begun:3" for the third)."""
    if _CHOSEN:
        _count(point)


def _count(point: str) -> None:
    name, _, which = _CHOSEN.partition(":")
    if point == name:
        _times.append(point)
        if len(_times) == int(which or 1):
            os.kill(os.getpid(), signal.SIGKILL)


_times: list[str] = []
"""The chosen moment, once for each time that it was reached."""
