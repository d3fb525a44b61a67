"""A small process in place of the daemon: it feeds a recorder, says what it has heard and what it believes is safe.

    python -m tests.support.strap_feeder FOLDER FIRST CONNECTIONS

Each notification carries a number, from FIRST on. A store follows along, as it does in the daemon.
"""

import sys
from pathlib import Path

from ingest.collect.connection import Connection, StrapOwner
from ingest.collect.recorder import Recorder
from ingest.collect.strap_state import StrapState
from ingest.journal import Journal
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
from ingest.system.clock import SystemClock
from tests.support.air.heart import measurement
from tests.support.straps import ADA

COMMITS, EACH = 3, 5
"""Commits of a connection, and notifications of one."""


def numbered(n: int) -> bytes:
    """The n-th notification: no other has its interval."""
    return measurement(60 + n % 100, (400 + n,))


def feed(folder: Path, first: int, connections: int) -> None:
    strap = StrapOwner("me", ADA)
    recorder = Recorder(folder / "j.db", SystemClock(), on_commit=lambda: None)
    with Journal(folder / "j.db") as journal, SqliteStore(folder / "along.db") as store:

        def commit() -> None:
            recorder.commit(journal)
            print("committed", n, flush=True)
            follow(journal, store)

        n = first
        commit()
        for _ in range(connections):
            connection: Connection = recorder.open_connection(strap)
            recorder.record_state(strap, StrapState("connected"))
            for _ in range(COMMITS):
                for _ in range(EACH):
                    connection.receive(numbered(n))
                    n += 1
                    print("heard", n, flush=True)
                commit()
            connection.end()
            commit()


if __name__ == "__main__":
    feed(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
