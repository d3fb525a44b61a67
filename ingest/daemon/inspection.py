"""Old chunks and the store looked over, a part of them each day: a card loses in silence what nobody asks for."""

import logging
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime

from ingest.errors import DiskFull, TryLater
from ingest.journal import Journal
from ingest.journal.damage import DamagedJournal, leave_note
from ingest.settings.model import Settings
from ingest.stores.sqlite import SqliteStore

SLICES = 7
"""In a week all of it is looked over, wherever the daemon was started anew meanwhile."""

_NIGHT = range(2, 6)
"""Hours of the day in which nobody waits for anything."""

_UP_S = 3600.0
"""After which a daemon that is not up by night looks all the same."""

_CHUNKS = 10
"""Looked over between two rests."""

_REST_S = 0.1

_log = logging.getLogger(__name__)


class Inspection:
    """Remembers on which day it looked last."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._began_s = time.monotonic()
        self._day = 0

    def is_due(self) -> bool:
        """Whether the part of today is still to be looked over."""
        now = datetime.now().astimezone()
        is_quiet = now.hour in _NIGHT or time.monotonic() - self._began_s > _UP_S
        return is_quiet and now.toordinal() != self._day

    def look(self, rest: Callable[[float], object], going_on: Callable[[], bool]) -> None:
        """Look over the part of today. What is damaged is noted, so that it is mended, or made anew."""
        self._day = datetime.now().astimezone().toordinal()
        number = self._day % SLICES
        look_over_chunks(self._settings, number, rest, going_on)
        if number == 0 and going_on():
            look_over_store(self._settings)


def look_over_chunks(
    settings: Settings, number: int, rest: Callable[[float], object], going_on: Callable[[], bool]
) -> None:
    """Hold one of `SLICES` parts of all chunks against their seals."""

    def between(done: int) -> bool:
        if done % _CHUNKS == 0:
            rest(_REST_S)
        return going_on()

    try:
        with Journal(settings.journal_file, create=False, going_on=going_on) as journal:
            last = journal.last_position()
            first, until = (last * n // SLICES for n in (number, number + 1))
            for position, what in journal.broken_chunks(first, until, between):
                _log.warning("Chunk %s of the journal %s.", position, what)
                leave_note(settings.journal_file)
    except DamagedJournal as e:
        _log.warning("%s", e)
        leave_note(settings.journal_file)
    except TryLater as e:
        _log.debug("Nothing is looked over today: %s", e)


def look_over_store(settings: Settings) -> None:
    """Take the SQLite store away where it is damaged: it is made anew from the journal."""
    with closing(SqliteStore(settings.store_file)) as store:
        try:
            faults = store.faults()
        except DiskFull as e:
            _log.debug("Nothing is looked over today: %s", e)
            return
        if not faults:
            return
        _log.warning("The store %s is damaged (%s); it is made anew from the journal.", store.path, faults[0])
        try:
            store.discard()
        except TryLater as e:
            _log.debug("%s", e)
