"""The store on a server in tests: a household to fill it with, a clock that passes when told to, and what it holds wrongly."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ingest.errors import TryLater
from ingest.journal import Journal
from ingest.settings.model import InfluxSettings, Settings
from ingest.stores.contract import Store
from ingest.stores.following import PORTION, follow
from ingest.stores.influx.ledger import wall_ms
from ingest.stores.influx.store import InfluxStore
from tests.support.cluster import Cluster
from tests.support.fake_server import FakeServer
from tests.support.households import (
    DAY,
    HOUR,
    Claim,
    Copies,
    Event,
    Limits,
    Noted,
    Recording,
    S,
    Workout,
    at,
    filled,
    happen,
    steady,
)
from tests.support.influxdb2 import InfluxDB2
from tests.support.replicas import differences, expected, held
from tests.support.servers import InfluxDB, VictoriaMetrics

Real = InfluxDB | InfluxDB2 | VictoriaMetrics

SERVERS: dict[str, type[Real]] = {
    "influxdb": InfluxDB,
    "influxdb2": InfluxDB2,
    "victoriametrics": VictoriaMetrics,
    "cluster": Cluster,
}
"""Every kind that a store may be on: each test of a failure runs against each."""

START = at("2024-10-26T10:00+02:00")
"""The Saturday before the clocks go back in Amsterdam."""

JAN = "Jan de Vries, A=B"
BEATS = tuple((START + i * 700, 700 + i % 5 * 11) for i in range(1200))
HAPPENED: list[Event] = [
    Noted(JAN, (("maximum_bpm", 180), ("zone", "Europe/Amsterdam"))),
    Recording(
        JAN,
        "strap é",
        "strap",
        tuple((START + i * S, 100 + i % 40) for i in range(900)),
        START + 900 * S,
        beats=BEATS,
    ),
    *(steady(JAN, START + i * DAY, 700, 105 + 5 * i, source=f"watch {i % 2}") for i in range(4)),
    steady(JAN, START - HOUR, 5 * HOUR // S, 60, source="all-day", kind="monitoring", step_s=60),
    Limits(JAN, START + DAY, 185),
    Workout(JAN, "watch 0", START, START + 700 * S, 650.5),
    Claim(JAN, "all-day", START - HOUR, START + HOUR, 12.5),
    steady("Zoë", START, 300, 90),
]

CORRECTIONS: dict[str, Event] = {
    "a maximum that makes moderate minutes light": Noted(
        JAN, (("maximum_bpm", 210), ("zone", "Europe/Amsterdam"))
    ),
    "a maximum that makes light minutes vigorous": Noted(
        JAN, (("maximum_bpm", 120), ("zone", "Europe/Amsterdam"))
    ),
    "another target": Noted(JAN, (("maximum_bpm", 180), ("target_min", 75), ("zone", "Europe/Amsterdam"))),
    "a zone in which days begin elsewhere": Noted(JAN, (("maximum_bpm", 180), ("zone", "Asia/Kolkata"))),
    "a better copy, of which rows vanish": Copies(
        (
            steady(JAN, START + 9 * DAY, 500, 150),
            Workout(JAN, "watch", START + 9 * DAY, START + 9 * DAY + 500 * S),
        ),
        (steady(JAN, START + 9 * DAY + 100 * S, 200, 110),),
    ),
    "a better copy with nothing in it": Copies(
        (steady(JAN, START - 30 * DAY, 90, 150),), (Limits(JAN, START, 185),)
    ),
    "a strap that says less": steady(JAN, START + DAY, 500, 70, source="strap", kind="strap"),
    "the same samples otherwise": Copies(
        (steady(JAN, START + 5 * DAY, 300, 150),), (steady(JAN, START + 5 * DAY, 300, 140),)
    ),
}


NOW_MS = START + 60 * DAY
"""When the wall clock of the tests begins."""


class Clock:
    """Seconds that pass when told to, so that no test waits for a pause to be over."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s

    def now_ms(self) -> int:
        """The wall clock."""
        return NOW_MS + round(self.now_s * 1000)

    def passes(self, seconds: float) -> None:
        self.now_s += seconds

    def sleep(self, seconds: float) -> None:
        """They pass at once, but for as much as a server needs that is busy."""
        self.now_s += seconds
        time.sleep(seconds / 50)


@contextmanager
def serving(kind: str, folder: Path, clock: Clock) -> Iterator[Real]:
    """A server of a kind, empty."""
    with SERVERS[kind](folder) as server:
        if isinstance(server, Cluster):
            # Late, and not so late that each trial of it asks twenty times.
            server.clock, server.shown_s = clock, 1.0
        yield server


@contextmanager
def erring(server: Real) -> Iterator[FakeServer]:
    """What errs when told to, in front of a server; the InfluxDB 2 of tests does so itself."""
    if isinstance(server, InfluxDB2):
        yield server
        return
    with FakeServer(server) as made:
        yield made


def settle(server: Real) -> None:
    """Have on its disk what it was given: tests pass the seconds that this takes it by themselves."""
    server.stop()
    server.start()


def save(server: Real) -> None:
    """The same while it runs on: a copy that may be taken of it is one of what is on its disk."""
    for one in server.storages if isinstance(server, Cluster) else [server]:
        if isinstance(one, VictoriaMetrics) and one.process is not None:
            for what in ("create", "delete_all"):
                assert one.ask("GET", f"/snapshot/{what}")[0] == 200


@contextmanager
def open_store(
    url: str, folder: Path, *, clock: Callable[[], float] = time.monotonic, **also: Any
) -> Iterator[InfluxStore]:
    """The store as the settings would make it."""
    wall, sleep = (clock.now_ms, clock.sleep) if isinstance(clock, Clock) else (wall_ms, time.sleep)
    store = InfluxStore(InfluxSettings(url=url, **also), folder, clock=clock, sleep=sleep, now_ms=wall)
    try:
        yield store
    finally:
        store.close()


def follow_patiently(
    journal: Journal, store: Store, clock: Clock, *, tries: int = 20, portion: int = PORTION
) -> int:
    """Up to date, however often the server is away; gives how many entries the last try took."""
    for _ in range(tries - 1):
        try:
            return follow(journal, store, portion=portion)
        except TryLater:
            clock.passes(3600)
    return follow(journal, store, portion=portion)


def catch_up(journal: Journal, store: Store, clock: Clock, *, tries: int = 20, portion: int = PORTION) -> int:
    """Up to date and put right, as after some quiet minutes; gives how many entries it took."""
    taken = 0
    for _ in range(3):
        taken += follow_patiently(journal, store, clock, tries=tries, portion=portion)
        clock.passes(400)
    return taken


def wrong_rows(journal: Journal, server: Real, path: Path, site: str = "") -> list[str]:
    """How what the server holds differs from an SQLite store made of the same journal."""
    return differences(held(server, site), expected(filled(journal, path), server))


@contextmanager
def journal_of_2024(data: Path, happened: Iterable[Event] = ()) -> Iterator[Journal]:
    """The journal of a household of 2024: VictoriaMetrics takes nothing of the future, whenever this is run."""
    with Journal(Settings(data).journal_file, now_ms=lambda: START + 40 * DAY) as journal:
        for event in happened:
            happen(journal, event)
        yield journal
