"""Stores and pages as parts of the daemon: each is kept up to date with the journal by itself."""

import contextlib
import logging
import time
from pathlib import Path

from ingest.daemon.journal import opened
from ingest.errors import Replaced, TryLater
from ingest.journal import Journal
from ingest.report.renewal import keep_pages
from ingest.rows.cache import RowCache
from ingest.settings.model import Settings
from ingest.stores.contract import Store
from ingest.stores.following import follow
from ingest.stores.live_pace import LivePace
from ingest.stores.looking_over import Rounds
from ingest.system.patience import Patience
from ingest.system.watchdog import WatchedPart

LOOK_S = 1.0
"""Between two looks at the journal: other processes append too, and a store that somebody deleted is made anew."""

RETRY_S = 30.0
"""After which pages are tried again."""

LOCK_S = 10.0
"""How long a store that another process brings up to date is waited for in silence; then `status` says so."""

LAST_S = 5.0
"""How long a store is brought to the journal's end when the daemon is told to end; what is missing comes at its next start."""

_log = logging.getLogger(__name__)


def keep_up_to_date(settings: Settings, store: Store, part: WatchedPart) -> None:
    """Keep one store up to date with the journal, whoever appends to it; the others do not wait for it.

    What a strap tells goes there at a pace that spares the card, and all of it at the end.
    """
    cache, pace, rounds, is_well = RowCache(), LivePace(), Rounds(), True
    store.patience = Patience(LOCK_S, part.going_on)
    with (
        opened(part, lambda: Journal(settings.journal_file, going_on=part.going_on)) as journal,
        contextlib.closing(store),
    ):
        if journal is None:
            return
        while part.going_on():
            journal.require_in_place()
            try:
                follow(journal, store, going_on=part.going_on, cache=cache, pace=pace, rounds=rounds)
            except Replaced:
                raise
            except TryLater as e:
                if not part.going_on():
                    break
                is_well = False
                part.trouble(str(e))
            else:
                is_well = True
                part.well(f"The store {store.place} is written again.")
            part.wait(LOOK_S)
        if is_well:
            _bring_to_the_end(journal, store, cache)


def _bring_to_the_end(journal: Journal, store: Store, cache: RowCache) -> None:
    """Bring a store to the journal's end, which moves no more: straps and inbox have ended. For a while only."""
    until_s = time.monotonic() + LAST_S

    def going_on() -> bool:
        return time.monotonic() < until_s

    store.patience = Patience(LAST_S, going_on)
    with contextlib.suppress(TryLater):
        follow(journal, store, going_on=going_on, cache=cache)


def renew_pages(settings: Settings, folder: Path, part: WatchedPart) -> None:
    """Keep a page of each person that is of today."""
    with opened(part, lambda: Journal(settings.journal_file, going_on=part.going_on)) as journal:
        if journal is None:
            return
        pages = keep_pages(settings, journal, folder, part)
        while part.going_on():
            journal.require_in_place()
            try:
                part.wait(next(pages, 0.0))
            except Replaced:
                raise
            except TryLater as e:
                _log.debug("%s", e)
                part.wait(RETRY_S)
                pages = keep_pages(settings, journal, folder, part)
