"""The store for Grafana brought up to date by a verb that wrote to the journal, whether a daemon runs or not."""

from typing import TYPE_CHECKING

from ingest.errors import TryLater

if TYPE_CHECKING:
    from ingest.settings.model import Settings


def catch_up(settings: "Settings") -> str | None:
    """Have the store follow the journal, or say why it cannot; in `add` beside the reading, as both mostly wait for the card."""
    from ingest.journal import Journal
    from ingest.stores.following import follow
    from ingest.stores.sqlite import SqliteStore

    with Journal(settings.journal_file) as journal, SqliteStore(settings.store_file) as store:
        try:
            follow(journal, store)
        except TryLater as e:
            return str(e)
    return None
