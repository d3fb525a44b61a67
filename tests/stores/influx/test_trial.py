"""How a server keeps rows, tried out before it is filled and by `check`: flags that hide or drop what is sent are named."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from ingest.errors import TryLater
from ingest.journal import Journal
from ingest.stores.following import follow
from ingest.stores.influx.store import InfluxStore
from ingest.stores.looking_over import Rounds
from tests.support.households import Noted, happen, steady
from tests.support.influxdb2 import InfluxDB2
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
from tests.support.servers import InfluxDB, VictoriaMetrics

AN_HOUR = 75

WELL = ("-retentionPeriod=100y", "-dedup.minScrapeInterval=1ms")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """Of one workout."""
    limits = Noted(JAN, (("maximum_bpm", 180), ("zone", "Europe/Amsterdam")))
    with journal_of_2024(tmp_path / "data", [limits, steady(JAN, START, 600, 120)]) as opened:
        yield opened


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (WELL[1:], "Start it with -retentionPeriod=100y$"),
        (WELL[:1], "keeps every copy.*-dedup.minScrapeInterval=1ms$"),
        ((WELL[0], "-dedup.minScrapeInterval=1s"), "near each other.*with -dedup.minScrapeInterval=1ms$"),
        ((WELL[0], "-dedup.minScrapeInterval=30s"), "near each other.*with -dedup.minScrapeInterval=1ms$"),
        ((*WELL, "-influxTrimTimestamp=1s"), "near each other.*without -influxTrimTimestamp"),
        ((*WELL, "-influxSkipSingleField"), 'by the name "replica".*without -influxSkipSingleField'),
        ((*WELL, "-influxMeasurementFieldSeparator=."), 'by the name "replica.canary".*FieldSeparator'),
    ],
)
def test_a_flag_that_drops_or_hides_rows_is_named_before_any_is_sent(
    flags: tuple[str, ...], words: str, journal: Journal, clock: Clock, tmp_path: Path
) -> None:
    """Protects heart rates of each second: with -dedup.minScrapeInterval=30s, a usual one, 50 of 1,400 were there."""
    with VictoriaMetrics(tmp_path / "server", flags) as server:
        with open_store(server.url, tmp_path / "checked", clock=clock) as store:
            (checked,) = (s.trouble for s in store.inspect(journal.id) if s.trouble and not s.harmless)
        with (
            open_store(server.url, tmp_path / "store", clock=clock) as store,
            pytest.raises(TryLater, match=words) as caught,
        ):
            follow(journal, store)
        assert checked == str(caught.value)
        server.flush()
        assert {one["metric"].get("person") for one in server.export()} == {None}


def test_a_server_that_is_looked_at_first_is_filled_afterwards(
    journal: Journal, server: Real, clock: Clock, tmp_path: Path
) -> None:
    """Protects who asks `check` before the daemon has run: it says how the server keeps rows, and leaves nothing there."""
    with open_store(server.url, tmp_path / "store", clock=clock) as store:
        seen = store.inspect(journal.id)
        assert [s.aspect for s in seen if not s.trouble] == [
            "reached",
            "access",
            "retention",
            "deduplication",
            "deletion",
        ]
        catch_up(journal, store, clock)
        assert wrong_rows(journal, server, tmp_path / "s.db") == []


def test_influxdb_2_that_takes_old_rows_and_drops_them_is_told_its_retention(
    journal: Journal, clock: Clock, tmp_path: Path
) -> None:
    """Protects who let a bucket keep a month: where it says yes to old rows all the same, no mapping is looked for."""
    with (
        InfluxDB2(tmp_path / "server") as server,
        open_store(server.url, tmp_path / "s", clock=clock) as store,
    ):
        server.keeps_for_ever = False
        (refused,) = (s.trouble for s in store.inspect(journal.id) if s.trouble and not s.harmless)
        assert "with retention 0" in refused
        server.says_so = False
        (dropped,) = (s.trouble for s in store.inspect(journal.id) if s.trouble and not s.harmless)
        assert "with retention 0" in dropped
        with pytest.raises(TryLater, match="with retention 0"):
            follow(journal, store)


def test_an_empty_tag_in_a_predicate_is_tried_where_nothing_else_is_left(
    journal: Journal, clock: Clock, tmp_path: Path
) -> None:
    """Protects a Pi without a site beside others: a server of version 2 that reads '' as a lacking tag deletes its rows."""
    with InfluxDB2(tmp_path / "server", "home/heart") as server:
        server.reads_empty_tags = True
        with open_store(server.url, tmp_path / "2", clock=clock, bucket=server.bucket, site="attic") as other:
            catch_up(journal, other, clock)
        with open_store(server.url, tmp_path / "1", clock=clock, bucket=server.bucket) as store:
            catch_up(journal, store, clock)
            store.clear(journal)
            assert {row["site"] for row in server.rows("heart_rate")} == {"attic"}
            catch_up(journal, store, clock)
            assert wrong_rows(journal, server, tmp_path / "1.db") == []
        assert wrong_rows(journal, server, tmp_path / "2.db", "attic") == []


@pytest.mark.parametrize("kind", [InfluxDB, VictoriaMetrics])
def test_a_copy_of_another_day_that_comes_back_is_put_right(
    kind: type[InfluxDB | VictoriaMetrics], journal: Journal, clock: Clock, tmp_path: Path
) -> None:
    """Protects who puts a server back from its copy: as many rows are there as before, and they are those of then."""
    with kind(tmp_path / "server") as server, open_store(server.url, tmp_path / "s", clock=clock) as store:
        catch_up(journal, store, clock)
        server.stop()
        shutil.copytree(server.folder, tmp_path / "copy")
        server.start()
        happen(journal, CORRECTIONS["a maximum that makes light minutes vigorous"])
        catch_up(journal, store, clock)
        rounds = Rounds(clock)
        _an_hour(journal, store, clock, rounds)
        server.lost()
        _an_hour(journal, store, clock, rounds, times=5)
        shutil.copytree(tmp_path / "copy", server.folder)
        server.start()
        assert wrong_rows(journal, server, tmp_path / "1.db") != []
        _an_hour(journal, store, clock, rounds)
        catch_up(journal, store, clock)
        assert wrong_rows(journal, server, tmp_path / "2.db") == []


def _an_hour(
    journal: Journal, store: InfluxStore, clock: Clock, rounds: Rounds, times: int = AN_HOUR
) -> None:
    for _ in range(times):
        with suppress(TryLater):
            follow(journal, store, rounds=rounds)
        clock.passes(60)
