"""What a server does not take, or takes and does not show: it is told as long as it is so, and no longer."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.journal import Journal
from ingest.stores.following import follow
from ingest.stores.influx.store import InfluxStore
from ingest.stores.looking_over import Rounds
from ingest.system.lock import only_daemon
from tests.support.fake_server import FakeServer, Point
from tests.support.households import DAY, Event, Noted, happen, hartslag, steady
from tests.support.server_stores import (
    CORRECTIONS,
    JAN,
    START,
    Clock,
    Real,
    catch_up,
    journal_of_2024,
    open_store,
    wrong_rows,
)
from tests.support.servers import VictoriaMetrics

HAPPENED: list[Event] = [
    Noted(JAN, (("maximum_bpm", 180), ("zone", "Europe/Amsterdam"))),
    *(steady(JAN, START + i * DAY, 200, 105 + 5 * i, source=f"watch {i % 2}") for i in range(2)),
]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """Two days of one person."""
    with journal_of_2024(tmp_path / "data", HAPPENED) as opened:
        yield opened


def of_minutes(p: Point) -> str | None:
    return "field type conflict" if p.key[0] == "minute" else None


@pytest.mark.parametrize("server", ["influxdb", "victoriametrics"], indirect=True)
def test_a_row_that_is_sent_anew_is_refused_no_more(
    journal: Journal, fake: FakeServer, server: Real, clock: Clock, tmp_path: Path
) -> None:
    """Protects from rows that are called refused for ever, though they are there: also of tables that name nothing but a person.

    And from a row that is forgotten because somebody else was renamed.
    """
    fake.poison = of_minutes
    with open_store(fake.url, tmp_path / "store", clock=clock) as store:
        catch_up(journal, store, clock)
        refused = store.refused_rows()
        assert refused
        store.begin(journal)
        store.keep_persons([JAN])
        assert store.refused_rows() == refused
        fake.poison = lambda _: None
        happen(journal, CORRECTIONS["a maximum that makes light minutes vigorous"])
        catch_up(journal, store, clock)
        assert store.refused_rows() == []
    assert wrong_rows(journal, server, tmp_path / "s.db") == []


def follow_for_hours(journal: Journal, store: InfluxStore, clock: Clock, rounds: Rounds) -> None:
    """As a daemon does: at first often, then through three slow rounds."""
    for i in range(16):
        follow(journal, store, rounds=rounds)
        clock.passes(40 if i < 8 else 1500)


def told(data: Path, url: str) -> str:
    """What `status` says of the store while a daemon runs."""
    (data / "hartslag.toml").write_text(f'[influx]\nurl = "{url}"\n')
    with only_daemon(data):
        said = hartslag("--data", data, "status").out
        stores = json.loads(hartslag("--data", data, "status", "--json").out)["stores"]
    assert (stores[1]["refused"] > 0) == ("does not show them" in said)
    return said


@pytest.mark.parametrize("server", ["influxdb", "influxdb2", "cluster"], indirect=True)
def test_rows_that_are_taken_and_not_shown_are_told(
    journal: Journal, fake: FakeServer, server: Real, clock: Clock, tmp_path: Path
) -> None:
    """Protects from "up to date" where rows are missing: a server whose clock or limits are wrong says yes and drops them."""
    data = tmp_path / "data"
    fake.poison, fake.poisoned = of_minutes, "silent"
    rounds = Rounds(clock)
    with open_store(fake.url, data / "store", clock=clock) as store:
        follow_for_hours(journal, store, clock, rounds)
    assert "Store influx: up to date, but for what the server does not take" in told(data, fake.url)
    fake.poison = lambda _: None
    with open_store(fake.url, data / "store", clock=clock) as store:
        follow_for_hours(journal, store, clock, Rounds(clock))
        assert store.refused_rows() == []
    assert wrong_rows(journal, server, tmp_path / "s.db") == []
    assert "Store influx: up to date\n" in told(data, fake.url)


def test_a_victoria_with_too_few_series_is_told(journal: Journal, clock: Clock, tmp_path: Path) -> None:
    """Protects who has limited how many series a server takes: what is behind the limit is dropped with a yes."""
    flags = [*VictoriaMetrics.FLAGS, "-storage.maxHourlySeries=20"]
    with (
        VictoriaMetrics(tmp_path / "server", flags) as server,
        open_store(server.url, tmp_path / "data" / "store", clock=clock) as store,
    ):
        follow_for_hours(journal, store, clock, Rounds(clock))
        assert wrong_rows(journal, server, tmp_path / "s.db") != []
        assert "limits neither series nor texts" in told(tmp_path / "data", server.url)
