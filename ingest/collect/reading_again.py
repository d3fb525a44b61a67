"""Files of the archive read once more, after the journal was repaired: on the way that every file takes."""

from collections.abc import Callable, Iterator
from pathlib import Path

from ingest.collect.arrival import Arrivals
from ingest.collect.outcome import Outcome
from ingest.errors import Replaced, TryLater
from ingest.journal.mended import Places, done, pending
from ingest.system.patience import always

_NOTED_EACH = 20
"""Files after which the list is written anew: one that is read twice changes nothing."""


def read_again(
    places: Places,
    arrivals: Arrivals,
    owner: Callable[[Path], str],
    *,
    going_on: Callable[[], bool] = always,
) -> Iterator[tuple[Path, list[Outcome] | TryLater]]:
    """Take all files of the list, and strike out each that is taken; `owner` gives the person whose file it is."""
    left = pending(places)
    try:
        for i, place in enumerate(list(left), start=1):
            if not going_on():
                return
            path = places.data / place
            try:
                outcomes: list[Outcome] | TryLater = (
                    arrivals.take(path, str(path.absolute()), owner(path), kept=True)
                    if path.is_file()
                    else []
                )
                left.remove(place)
            except Replaced:
                raise
            except TryLater as e:
                outcomes = e
            yield path, outcomes
            if i % _NOTED_EACH == 0:
                _note(places, arrivals, left)
    finally:
        _note(places, arrivals, left)


def _note(places: Places, arrivals: Arrivals, left: list[str]) -> None:
    arrivals.flush()
    if pending(places) != left:
        done(places, left)
