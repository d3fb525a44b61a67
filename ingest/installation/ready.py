"""The last step before a version counts: it runs itself, reads the settings as the service will, and makes the store.

Grafana may then open the store before the service has started for the first time.
"""

import os
import sys
from pathlib import Path

from ingest.errors import HartslagError, TryLater
from ingest.language import said
from ingest.settings.file import load
from ingest.settings.installed import find_installed
from ingest.system.acting import act_for_owner
from ingest.system.patience import Patience

PATIENCE_S = 5.0
"""The service of the version before may have the store; then there is one."""


def make_ready() -> None:
    """Raises WrongSettings with every mistake in them."""
    import ingest.daemon  # noqa: F401 - all that runs all day: it is here, and can be loaded
    from ingest.stores.sqlite import SqliteStore

    installed = find_installed()
    assert installed is not None, "this is no installed program"
    settings = load(None, None, {}, Path("/"), installed=installed)
    act_for_owner(settings.data, installed.user)
    with SqliteStore(settings.store_file) as store:
        store.patience = Patience(PATIENCE_S)
        try:
            store.make()
        except TryLater as e:
            print(said(e.text), file=sys.stderr)


if __name__ == "__main__":
    os.umask(0o077)
    try:
        make_ready()
    except HartslagError as e:
        print(said(e.text), file=sys.stderr)
        sys.exit(1)
