"""The store on a server, real ones: what it holds is what the SQLite store holds, whatever the journal went through."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import TryLater
from ingest.journal import Journal
from ingest.settings.model import InfluxSettings, Settings
from ingest.stores.following import PORTION, follow
from ingest.stores.influx.ledger import wall_ms
from ingest.stores.influx.store import InfluxStore
from tests.support.happenings import events, new_folder
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
from tests.support.replicas import differences, expected, held
from tests.support.servers import InfluxDB, VictoriaMetrics

Real = InfluxDB | VictoriaMetrics

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


@contextmanager
def store_on(
    url: str, folder: Path, *, clock: Callable[[], float] = time.monotonic, **also: Any
) -> Iterator[InfluxStore]:
    """The store as the settings would make it."""
    now_ms = clock.now_ms if isinstance(clock, Clock) else wall_ms
    store = InfluxStore(InfluxSettings(url=url, **also), folder, clock=clock, now_ms=now_ms)
    try:
        yield store
    finally:
        store.close()


def brought(
    journal: Journal, store: InfluxStore, clock: Clock, *, tries: int = 20, portion: int = PORTION
) -> int:
    """Up to date and put right, as after some quiet minutes; gives how many entries it took."""
    taken = 0
    for _ in range(3):
        for left in range(tries, 0, -1):
            try:
                taken += follow(journal, store, portion=portion)
                break
            except TryLater:
                if left == 1:
                    raise
                clock.passes(3600)
        clock.passes(400)
    return taken


def wrong(journal: Journal, server: Real, path: Path, site: str = "") -> list[str]:
    """How what the server holds differs from an SQLite store made of the same journal."""
    return differences(held(server, site), expected(filled(journal, path), server))


@pytest.fixture(params=[InfluxDB, VictoriaMetrics])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Real]:
    """Each of the two, empty."""
    with request.param(tmp_path / "server") as made:
        yield made


@contextmanager
def home(data: Path, happened: Iterable[Event] = ()) -> Iterator[Journal]:
    """The journal of a household of 2024: VictoriaMetrics takes nothing of the future, whenever this is run."""
    with Journal(Settings(data).journal_file, now_ms=lambda: START + 40 * DAY) as journal:
        for event in happened:
            happen(journal, event)
        yield journal


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A journal in which something of everything is."""
    with home(tmp_path / "data", HAPPENED) as opened:
        yield opened


def earlier(thing: Any) -> Any:
    """An event two years before, on the same days of the week and as near to the clock changes."""
    if isinstance(thing, int) and abs(thing) > 10**12:
        return thing - 104 * 7 * DAY
    if isinstance(thing, tuple):
        return tuple(earlier(each) for each in thing)
    if is_dataclass(thing) and not isinstance(thing, type):
        return type(thing)(**{f.name: earlier(getattr(thing, f.name)) for f in fields(thing)})
    return thing


def test_it_holds_what_the_sqlite_store_holds_through_every_correction(
    journal: Journal, server: Real, tmp_path: Path
) -> None:
    """Protects the numbers on the server: all of them, and after each correction, whether numbers rise, fall or vanish."""
    clock = Clock()
    with store_on(server.url, tmp_path / "store", clock=clock) as store:
        brought(journal, store, clock)
        assert wrong(journal, server, tmp_path / "0.db") == []
        for i, (name, event) in enumerate(CORRECTIONS.items()):
            happen(journal, event)
            brought(journal, store, clock)
            assert (name, wrong(journal, server, tmp_path / f"{i + 1}.db")) == (name, [])
    if isinstance(server, VictoriaMetrics):
        server.stop()
        server.start()
        server.ask("GET", "/internal/force_merge")
    assert wrong(journal, server, tmp_path / "last.db") == []


@pytest.mark.parametrize("kind", [InfluxDB, VictoriaMetrics])
def test_whatever_happens_in_a_household_the_server_holds_its_rows(kind: type[Real], tmp_path: Path) -> None:
    """Protects what no example thought of: any happenings, brought up to date in any portions, beside other sites."""
    site = iter(range(1000))

    @settings(max_examples=10)
    @given(st.lists(events.map(earlier), min_size=1, max_size=7), st.integers(0, 6), st.integers(1, 5))
    def each(happened: list[Event], some: int, portion: int) -> None:
        name = f"pi-{next(site)}"
        clock = Clock()
        with new_folder() as folder, home(folder, happened[:some]) as journal:
            with store_on(there.url, folder / "store", clock=clock, site=name) as store:
                brought(journal, store, clock, portion=portion)
                for event in happened[some:]:
                    happen(journal, event)
                    follow(journal, store, portion=portion)
                brought(journal, store, clock)
            assert wrong(journal, there, folder / "s.db", name) == []

    with kind(tmp_path / "server") as there:
        each()
