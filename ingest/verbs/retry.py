"""Rows that a server refused, sent once more: when its owner has mended something there."""

from contextlib import closing

from ingest.errors import Stop
from ingest.settings.model import Settings


def retry(settings: Settings) -> tuple[int, str]:
    """(How many rows are still refused, what to say). Raises TryLater when the server is away, Stop without one."""
    if settings.influx is None:
        raise Stop("No server is named in the settings, so nothing was refused.")
    from ingest.stores.influx.store import InfluxStore

    with closing(InfluxStore(settings.influx, settings.store_file.parent)) as store:
        taken, left = store.retry()
    return len(left), f"{taken} rows were taken by {store.place}, {len(left)} are still refused."
