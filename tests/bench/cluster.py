"""Many Pis fill one VictoriaMetrics cluster while a storage of it dies: each must be whole ten minutes later, by itself.

    python -m tests.bench.cluster [--pis N] [--days N] [--copies N] [--storm-only]

Each Pi is a thread of this process with a journal of its own, as the daemon follows one. The storages are real, what stands in
front of them is `tests.support.cluster`. Then what a change in 14 months and files of a year ago take on the cluster, and
how soon the daemon ends that is told to.
"""

import argparse
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ingest.errors import TryLater
from ingest.household import record_profile
from ingest.journal import Journal
from ingest.stores.following import follow
from ingest.stores.looking_over import Rounds
from tests.bench.stores import DAY, HOUR, worn
from tests.support.cluster import SHOWN_S, Cluster
from tests.support.daemons import daemon
from tests.support.households import filled
from tests.support.replicas import differences, expected, held
from tests.support.server_stores import open_store

AWAY_S = 20.0
WHOLE_S = 600.0
MONTHS_14 = 425


class Pi:
    """One journal and its store on the cluster, followed in a thread of its own."""

    def __init__(self, number: int, url: str, folder: Path, days: int) -> None:
        self.site = f"pi-{number}"
        self._url, self.folder = url, folder / self.site
        self.folder.mkdir()
        rng = np.random.default_rng(number)
        with Journal(self.folder / "journal.db") as journal:
            record_profile(journal, "Jan", {"zone": "Europe/Amsterdam", "maximum_bpm": 180}, overwrite=True)
            until_ms = int(time.time()) * 1000 - DAY
            for day in range(days):
                worn(journal, until_ms - day * DAY, 3600, rng)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._live)
        self.first_filled_s: float | None = None

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._ending.set()
        self._thread.join()

    def _live(self) -> None:
        began, rounds = time.monotonic(), Rounds()
        with (
            Journal(self.folder / "journal.db") as journal,
            open_store(self._url, self.folder / "store", site=self.site) as store,
        ):
            while not self._ending.is_set():
                try:
                    follow(journal, store, rounds=rounds, going_on=lambda: not self._ending.is_set())
                    self.first_filled_s = self.first_filled_s or time.monotonic() - began
                except TryLater:
                    pass
                self._ending.wait(1.0)

    def wrong(self, cluster: Cluster) -> list[str]:
        with Journal(self.folder / "journal.db") as journal:
            wanted = expected(filled(journal, self.folder / "s.db"), cluster)
        return differences(held(cluster, self.site), wanted)


def storm(pis: int, days: int, copies: int) -> None:
    with tempfile.TemporaryDirectory() as name, Cluster(Path(name) / "cluster", copies=copies) as cluster:
        all_of_them = [Pi(i, cluster.url, Path(name), days) for i in range(pis)]
        began = time.monotonic()
        for pi in all_of_them:
            pi.start()
        while sum(pi.first_filled_s is not None for pi in all_of_them) < pis // 3:
            time.sleep(0.1)
        cluster.storages[0].kill()
        print(f"{time.monotonic() - began:.0f} s: a storage is killed")
        time.sleep(AWAY_S)
        cluster.start()
        back = time.monotonic()
        wrong: list[str] = [pi.site for pi in all_of_them]
        while wrong and time.monotonic() - back < WHOLE_S:
            time.sleep(30)
            wrong = [pi.site for pi in all_of_them if pi.wrong(cluster)]
            print(
                f"{time.monotonic() - back:.0f} s after it is back: {len(wrong)} of {pis} Pis lack rows",
                flush=True,
            )
        for pi in all_of_them:
            pi.end()
        print(f"{pis} Pis, {copies} copies: {len(wrong)} not whole (to reach: 0 within {WHOLE_S:.0f} s)\n")


@contextmanager
def two_persons(path: Path) -> Iterator[Journal]:
    """Twenty minutes a day of each, for 14 months."""
    rng = np.random.default_rng(1)
    with Journal(path) as journal:
        until_ms = int(time.time()) * 1000 - DAY
        for person in ("Jan", "Anna"):
            record_profile(journal, person, {"zone": "Europe/Amsterdam", "maximum_bpm": 180}, overwrite=True)
        for day in range(MONTHS_14):
            worn(journal, until_ms - day * DAY, 1200, rng)
            worn(journal, until_ms - day * DAY + 2 * HOUR, 1200, rng, person="Anna")
        yield journal


def changes() -> None:
    with (
        tempfile.TemporaryDirectory() as name,
        Cluster(Path(name) / "cluster") as cluster,
        two_persons(Path(name) / "journal.db") as journal,
        open_store(cluster.url, Path(name) / "store") as store,
    ):

        def until_equal(what: str, to_reach_s: float) -> None:
            began = time.monotonic()
            wanted = expected(filled(journal, Path(name) / f"{time.monotonic_ns()}.db"), cluster)
            counted = time.monotonic()
            follow(journal, store)
            while differences(held(cluster), wanted):
                time.sleep(0.5)
                follow(journal, store)
            # Since then it was only read: by the looks half a minute later, and by us, through a proxy in Python.
            equal = cluster.changed_s + SHOWN_S
            print(f"{what}: equal after {equal - counted:.0f} s (to reach: {to_reach_s:.0f} s);", end=" ")
            print(f"counting all of it takes {counted - began:.0f} s", flush=True)

        began = time.monotonic()
        store.begin(journal)
        print(f"canary: {time.monotonic() - began:.1f} s (to reach: 5 s)")
        until_equal("14 months of two persons", 600)
        for person in ("Jan", "Anna"):
            record_profile(journal, person, {"zone": "Europe/Amsterdam", "maximum_bpm": 200}, overwrite=True)
        until_equal("a corrected profile of both", 60)
        for i in range(3):
            first_ms = int(time.time()) * 1000 - (365 + i) * DAY + 5 * HOUR
            worn(journal, first_ms, 3600, np.random.default_rng(i))
        until_equal("three workouts of a year ago", 30)


ENDS_AFTER_S = (0.5, 1.0, 2.0, 3.0, 4.5, 6.0, 9.0, 13.0, 20.0)
"""A daemon is told to end so long after its start: in the middle of filling, waiting, comparing or correcting."""


def endings() -> None:
    with tempfile.TemporaryDirectory() as name, Cluster(Path(name) / "cluster") as cluster:
        data = Path(name) / "data"
        (data / "journal").mkdir(parents=True)
        took_s = []
        with two_persons(data / "journal" / "journal.db") as journal:
            for i, seconds in enumerate(ENDS_AFTER_S):
                for person in ("Jan", "Anna"):
                    facts = {"zone": "Europe/Amsterdam", "maximum_bpm": 180 + 20 * (i % 2)}
                    record_profile(journal, person, facts, overwrite=True)
                with daemon(data, settings=f'[influx]\nurl = "{cluster.url}"\n') as process:
                    time.sleep(seconds)
                    began = time.monotonic()
                    process.send_signal(signal.SIGTERM)
                    status = process.wait(120)
                    took_s.append(time.monotonic() - began)
                    assert status in {0, -signal.SIGTERM}, status  # before it listens it just ends
        print("SIGTERM: it ends after", *(f"{s:.1f}" for s in took_s), "s (to reach: 10 s)", flush=True)


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--pis", type=int, default=50)
    given.add_argument("--days", type=int, default=20)
    given.add_argument("--copies", type=int, default=1)
    given.add_argument("--storm-only", action="store_true")
    asked = given.parse_args()
    if asked.pis:
        storm(asked.pis, asked.days, asked.copies)
    if not asked.storm_only:
        changes()
        endings()


if __name__ == "__main__":
    main()
