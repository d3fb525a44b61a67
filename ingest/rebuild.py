"""A store made anew from the journal."""

import sys
from contextlib import nullcontext
from typing import Any

from ingest.errors import TryLater
from ingest.journal import Journal
from ingest.settings import Settings
from ingest.stores.replica import follow
from ingest.stores.sqlite import SqliteStore


def rebuild(settings: Settings, journal: Journal) -> str:
    """Forget the store's rows and fill it from the journal; gives what to say when done.

    Stopped halfway it goes on from there by itself, here or in the daemon. Raises TryLater when the store is away.
    """
    with SqliteStore(settings.store_file) as store, _bar(journal.last_position()) as shown:
        try:
            store.clear(journal.id)
        except TryLater:
            store.clear(journal.id)  # a damaged one was deleted by the attempt
        at = 0

        def progress(position: int, _: int) -> None:
            nonlocal at
            if shown is not None:
                shown.update(position - at)
            at = position

        taken = follow(journal, store, portion=100, progress=progress)
    return f"The store {store.path} is made anew from {taken} entries of the journal."


def _bar(length: int) -> Any:
    if not sys.stderr.isatty():
        return nullcontext(None)
    import click

    return click.progressbar(length=length, label="Rebuilding", file=sys.stderr)
