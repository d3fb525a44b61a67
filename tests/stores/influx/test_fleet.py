"""Whose server it is: the right flags, emptied ones, other hartslags, and fifty Pis that write to one."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.errors import TryLater
from ingest.journal import Journal
from ingest.settings.model import InfluxSettings
from ingest.stores.following import follow
from ingest.stores.influx.client import ServerClient
from ingest.stores.influx.marker import marker_line
from tests.support.cluster import Cluster
from tests.support.households import DAY, Copies, Event, Limits, Noted, filled, happen, steady
from tests.support.influxdb2 import InfluxDB2
from tests.support.replicas import differences, expected, held
from tests.support.server_stores import (
    START,
    Clock,
    Real,
    catch_up,
    journal_of_2024,
    open_store,
    settle,
    wrong_rows,
)
from tests.support.servers import InfluxDB, VictoriaMetrics

SITES = 50

HAPPENED: list[Event] = [
    Noted("Jan", (("maximum_bpm", 180), ("zone", "Europe/Amsterdam"))),
    steady("Jan", START, 300, 120),
    Copies(
        (steady("Jan", START + DAY, 90, 110),),
        (steady("Jan", START + DAY, 120, 110), Limits("Jan", START, 180)),
    ),
]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A small one: fifty are made of it."""
    with journal_of_2024(tmp_path / "data", HAPPENED) as opened:
        yield opened


# --- what the owner has to set ---


def test_a_victoria_that_is_started_again_with_less_is_noticed(
    journal: Journal, clock: Clock, tmp_path: Path
) -> None:
    """Protects who updates a server and forgets the flag: the daemon, which runs on, says within a minute which one it is."""
    with (
        VictoriaMetrics(tmp_path / "server") as server,
        open_store(server.url, tmp_path / "store", clock=clock) as store,
    ):
        catch_up(journal, store, clock)
        server.stop()
        server.flags = ("-dedup.minScrapeInterval=1ms",)
        server.start()
        said = []
        for _ in range(4):
            clock.passes(61)
            try:
                follow(journal, store)
            except TryLater as e:
                said.append(str(e))
        assert "-retentionPeriod=100y" in said[-1]
        server.stop()
        server.flags = VictoriaMetrics.FLAGS
        server.start()
        clock.passes(100)
        catch_up(journal, store, clock)
        assert wrong_rows(journal, server, tmp_path / "s.db") == []


def test_influxdb_that_forgets_or_lacks_the_bucket_is_noticed(journal: Journal, tmp_path: Path) -> None:
    """Protects old files from a bucket with a short retention, and tells who has made none yet what to do."""
    clock = Clock()
    with (
        InfluxDB(tmp_path / "server") as server,
        open_store(server.url, tmp_path / "a", clock=clock) as store,
        open_store(server.url, tmp_path / "b", clock=clock, bucket="other") as other,
    ):
        server.query('ALTER RETENTION POLICY "autogen" ON "hartslag" DURATION 30d')
        with pytest.raises(TryLater, match="for ever"):
            follow(journal, store)
        server.query('ALTER RETENTION POLICY "autogen" ON "hartslag" DURATION INF')
        catch_up(journal, store, clock)
        assert wrong_rows(journal, server, tmp_path / "s.db") == []
        with pytest.raises(TryLater, match="Create"):
            follow(journal, other)


# --- whose rows they are ---


@pytest.mark.parametrize("open_meanwhile", [True, False])
def test_an_emptied_server_is_filled_anew(
    journal: Journal, server: Real, clock: Clock, tmp_path: Path, *, open_meanwhile: bool
) -> None:
    """Protects Grafana from a server whose disk was exchanged: nobody has to tell hartslag."""
    with open_store(server.url, tmp_path / "store", clock=clock) as store:
        catch_up(journal, store, clock)
        server.lost()
        server.start()
        if open_meanwhile:
            catch_up(journal, store, clock)
            assert wrong_rows(journal, server, tmp_path / "s.db") == []
    with open_store(server.url, tmp_path / "store", clock=clock) as store:
        catch_up(journal, store, clock)
        assert wrong_rows(journal, server, tmp_path / "s.db") == []


@pytest.mark.parametrize("open_meanwhile", [True, False])
@pytest.mark.parametrize(("before", "after"), [(InfluxDB, VictoriaMetrics), (VictoriaMetrics, InfluxDB)])
def test_a_server_of_another_kind_in_its_place_is_filled(
    before: type[Real],
    after: type[Real],
    journal: Journal,
    clock: Clock,
    tmp_path: Path,
    *,
    open_meanwhile: bool,
) -> None:
    """Protects who goes over to another database and leaves the address as it is: nobody has to tell hartslag."""
    first, second = before(tmp_path / "first"), after(tmp_path / "second")
    second.port = first.port
    with open_store(first.url, tmp_path / "store", clock=clock) as store:
        with first:
            catch_up(journal, store, clock)
        with second:
            happen(journal, steady("Jan", START + 3 * DAY, 60, 100))
            if open_meanwhile:
                catch_up(journal, store, clock)
                assert wrong_rows(journal, second, tmp_path / "s.db") == []
                settle(second)
    with second, open_store(second.url, tmp_path / "store", clock=clock) as store:
        catch_up(journal, store, clock)
        assert wrong_rows(journal, second, tmp_path / "s.db") == []


def test_without_what_is_known_of_it_the_server_is_compared(
    journal: Journal, server: Real, clock: Clock, tmp_path: Path
) -> None:
    """Protects a Pi whose state file is lost or garbled: nothing is double, and what changed meanwhile comes right."""
    for i, content in enumerate([None, b"", b"no database at all, and rather long for one" * 100]):
        with open_store(server.url, tmp_path / "store", clock=clock) as store:
            catch_up(journal, store, clock)
        for path in (tmp_path / "store").glob("influx.db*"):
            path.unlink()
        if content is not None:
            (tmp_path / "store" / "influx.db").write_bytes(content)
        happen(journal, Noted("Jan", (("maximum_bpm", 150 + 20 * i), ("zone", "Europe/Amsterdam"))))
        with open_store(server.url, tmp_path / "store", clock=clock) as store:
            catch_up(journal, store, clock)
            assert (i, wrong_rows(journal, server, tmp_path / f"{i}.db")) == (i, [])


def test_two_without_a_site_are_told_apart_and_one_may_take_the_place(
    server: Real, clock: Clock, tmp_path: Path
) -> None:
    """Protects the first Pi's rows from a second one that was set up with the same lines."""
    with (
        journal_of_2024(tmp_path / "a", HAPPENED) as first,
        journal_of_2024(tmp_path / "b", [steady("Jan", START, 60, 90)]) as second,
    ):
        with open_store(server.url, tmp_path / "1", clock=clock) as store:
            catch_up(first, store, clock)
        with open_store(server.url, tmp_path / "2", clock=clock) as store:
            with pytest.raises(TryLater, match="site = "):
                follow(second, store)
            assert wrong_rows(first, server, tmp_path / "1.db") == []
        with open_store(server.url, tmp_path / "3", clock=clock, site="attic") as store:
            catch_up(second, store, clock)
        assert wrong_rows(first, server, tmp_path / "1.db") == []
        assert wrong_rows(second, server, tmp_path / "2.db", "attic") == []
        with open_store(server.url, tmp_path / "2", clock=clock) as store:
            clock.passes(100)
            store.clear(second)
            catch_up(second, store, clock)
        assert wrong_rows(second, server, tmp_path / "2.db") == []
        with open_store(server.url, tmp_path / "1", clock=clock) as store:
            clock.passes(100)
            with pytest.raises(TryLater, match="another hartslag"):
                follow(first, store)


def test_one_that_comes_at_the_same_moment_is_noticed_by_both(
    journal: Journal, server: Real, clock: Clock, tmp_path: Path
) -> None:
    """Protects the rows of two that were set up with the same lines at once: neither had found the other's marker."""
    with (
        open_store(server.url, tmp_path / "store", clock=clock) as store,
        contextlib.closing(ServerClient(InfluxSettings(url=server.url))) as other,
    ):
        catch_up(journal, store, clock)
        other.write_lines(marker_line("another", ""), "s")
        server.flush()
        clock.passes(100)
        happen(journal, steady("Jan", START + 3 * DAY, 60, 100))
        with pytest.raises(TryLater, match="another hartslag without a site"):
            follow(journal, store)


def test_a_journal_that_was_exchanged_takes_the_place_of_the_earlier_one(
    server: Real, clock: Clock, tmp_path: Path
) -> None:
    """Protects a data folder that was restored or begun anew: no row of the earlier journal stays."""
    theirs: list[Event] = [steady("Kim", START, 60, 90)]
    for i, happened in enumerate([HAPPENED, theirs]):
        with (
            journal_of_2024(tmp_path / f"data {i}", happened) as journal,
            open_store(server.url, tmp_path / "store", clock=clock) as store,
        ):
            catch_up(journal, store, clock)
            assert wrong_rows(journal, server, tmp_path / f"{i}.db") == []


FOREIGN = b"""heart_rate,device=belt bpm=61i 1730000000
session,app=web duration_s=5 1730000000
minute,host=pi bpm=4 1730000060
replica,host=db lag=3 1730000000
replica,host=db version=14 1730000000
"""
"""What another program has in the same bucket, in measurements that happen to be called as ours are."""


def foreign_rows(server: Real) -> int:
    """How many of its values are there."""
    if isinstance(server, VictoriaMetrics):
        return sum(
            len(held)
            for match in ("app", "host", "device")
            for held in server.samples(f'{{{match}!=""}}').values()
        )
    tables = [(name, server.rows(name)) for name in ("heart_rate", "session", "minute", "replica")]
    mine = [
        row for _, rows in tables for row in rows if row.get("app") or row.get("host") or row.get("device")
    ]
    return sum(
        row.get(field) is not None for row in mine for field in ("bpm", "duration_s", "lag", "version")
    )


def test_rows_of_another_program_stay(journal: Journal, server: Real, clock: Clock, tmp_path: Path) -> None:
    """Protects what others keep in the same bucket: it holds up nothing, and nothing of it is taken away with ours."""
    with contextlib.closing(ServerClient(InfluxSettings(url=server.url))) as other:
        other.write_lines(FOREIGN, "s")
    with open_store(server.url, tmp_path / "store", clock=clock) as store:
        catch_up(journal, store, clock)
        assert foreign_rows(server) == 5
        store.begin(journal)
        store.keep_persons(["Zoë"])
        assert foreign_rows(server) == 5
        store.clear(journal)
        assert foreign_rows(server) == 5
        assert not any(person for rows in held(server).values() for _, person, *_ in rows)
        catch_up(journal, store, clock)
        assert foreign_rows(server) == 5


# --- many Pis ---


def test_fifty_pis_write_to_one_server(server: Real, clock: Clock, tmp_path: Path) -> None:
    """Protects a clinic: the same names everywhere, and each site's rows are its own; few series, and all are well."""
    pis = 10 if isinstance(server, Cluster) else SITES  # the bench of clusters has fifty, and kills a storage
    for i in range(pis):
        more = steady("Jan", START + 2 * DAY, 60 + i, 100 + i)
        with (
            journal_of_2024(tmp_path / f"data {i}", [*HAPPENED, more]) as journal,
            open_store(server.url, tmp_path / f"store {i}", clock=clock, site=f"pi-{i}") as store,
        ):
            follow(journal, store)
            if i % 10 == 0:
                wanted = expected(filled(journal, tmp_path / f"{i}.db"), server)
                assert (i, differences(held(server, f"pi-{i}"), wanted)) == (i, [])
    sites = {f"pi-{i}" for i in range(pis)}
    if isinstance(server, VictoriaMetrics):
        held_series = [dict(labels) for labels in server.samples()]
        assert {s["site"] for s in held_series if s["__name__"] == "collector_samples"} == sites
        assert len(held_series) <= pis * 60  # of each site one per field
        return
    engine = server.engine if isinstance(server, InfluxDB2) else server
    last = engine.query('SELECT last("state") FROM "collector" GROUP BY "site"')
    assert {s["tags"]["site"]: s["values"][0][1] for s in last} == dict.fromkeys(sites, "stored")
    samples = engine.query('SELECT count("bpm") FROM "heart_rate" GROUP BY "site"')
    assert {s["tags"]["site"]: s["values"][0][1] for s in samples} == {
        f"pi-{i}": 480 + i for i in range(SITES)
    }
    assert len(engine.series()) <= SITES * 12  # of each site one per table
