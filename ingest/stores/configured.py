"""The stores that the settings ask for."""

from ingest.settings.model import Settings
from ingest.stores.contract import Store
from ingest.stores.sqlite import SqliteStore


def configured_stores(settings: Settings) -> list[Store]:
    """Each store to be kept up to date; the embedded one always. None is opened before it is used."""
    stores: list[Store] = [SqliteStore(settings.store_file)]
    if settings.influx is not None:
        # Only where it is asked for: whoever has no server does not pay for its import.
        from ingest.stores.influx.store import InfluxStore

        stores.append(InfluxStore(settings.influx, settings.store_file.parent))
    return stores
