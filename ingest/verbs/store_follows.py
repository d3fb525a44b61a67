"""The store for Grafana brought up to date by a verb that wrote to the journal, whether a daemon runs or not."""

import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from ingest.errors import HartslagError, TryLater
from ingest.language import N_, Text

if TYPE_CHECKING:
    from ingest.journal import Journal
    from ingest.settings.model import Settings
    from ingest.stores.sqlite import SqliteStore

_log = logging.getLogger(__name__)


def catch_up(settings: "Settings") -> str | None:
    """Have the store follow the journal, or say why it cannot; in `add` beside the reading, as both mostly wait for the card.

    Where no daemon says so, the reason is noted for `status`, until the store follows again.
    """
    from ingest.journal import Journal
    from ingest.stores.sqlite import SqliteStore

    with Journal(settings.journal_file) as journal, SqliteStore(settings.store_file) as store:
        trouble = _follow(journal, store)
        if journal.store_errors().get(store.name) != trouble:
            _note(settings, journal, store, trouble)
    return trouble


def _follow(journal: "Journal", store: "SqliteStore") -> str | None:
    from ingest.stores.following import follow

    try:
        follow(journal, store)
    except TryLater as e:
        return str(e)
    except HartslagError:
        raise
    except Exception as e:  # noqa: BLE001 - what is in the journal is not to look lost because it cannot be counted
        from ingest.daemon.supervisor import in_words

        _log.debug("The store cannot follow.", exc_info=e)
        words = N_(
            "The store {place} cannot be brought up to date: {why}. A newer hartslag may be able to; `hartslag check`"
            " looks for what else is wrong."
        )
        return Text(words, place=store.place, why=in_words(e))
    return None


def _note(settings: "Settings", journal: "Journal", store: "SqliteStore", trouble: str | None) -> None:
    from ingest.system.lock import holder

    if holder(settings.data) is not None:
        return  # the daemon notes what troubles its own stores
    with suppress(TryLater), journal.write() as w:
        w.store_error(store.name, trouble)
