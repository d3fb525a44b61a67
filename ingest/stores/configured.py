"""The stores that the settings ask for."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingest.settings.model import Settings
    from ingest.stores.contract import Store

STORES = ("sqlite", "influx")
"""The name of each kind of store there is; the first is always kept."""


def configured_stores(settings: "Settings") -> "list[Store]":
    """Each store to be kept up to date; the embedded one always. None is opened before it is used."""
    from ingest.stores.sqlite import SqliteStore

    stores: list[Store] = [SqliteStore(settings.store_file)]
    if settings.influx is not None:
        # Only where it is asked for: whoever has no server does not pay for its import.
        from ingest.stores.influx.store import InfluxStore

        stores.append(InfluxStore(settings.influx, settings.store_file.parent))
    return stores
