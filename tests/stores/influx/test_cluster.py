"""Rows that a server said yes to and lost, and a cluster of which a part is away: afterwards each row is there, and no other."""

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from ingest.errors import TryLater
from ingest.journal import Journal
from ingest.rows.table import TABLES
from ingest.stores.following import follow
from ingest.stores.influx.store import InfluxStore
from ingest.stores.looking_over import Rounds
from ingest.system.patience import Patience
from tests.support.cluster import INSERT, Cluster
from tests.support.households import DAY, Event, Noted, a_file, came_in, filled, happen, steady
from tests.support.replicas import differences, expected, held
from tests.support.server_stores import (
    CORRECTIONS,
    JAN,
    START,
    Clock,
    Real,
    catch_up,
    journal_of_2024,
    open_store,
    save,
    settle,
    wrong_rows,
)
from tests.support.servers import InfluxDB, VictoriaMetrics

LITTLE: list[Event] = [
    Noted("Jan", (("maximum_bpm", 180), ("zone", "Europe/Amsterdam"))),
    steady("Jan", START, 300, 120),
]


@pytest.fixture
def cluster(tmp_path: Path, clock: Clock) -> Iterator[Cluster]:
    """Two storages that hold nothing."""
    with Cluster(tmp_path / "cluster", clock=clock) as made:
        yield made


def an_hour(journal: Journal, store: InfluxStore, clock: Clock, rounds: Rounds) -> None:
    for _ in range(75):
        with suppress(TryLater):  # the marker may have been among what was lost
            follow(journal, store, rounds=rounds)
        clock.passes(60)


def writes(cluster: Cluster) -> int:
    return sum(path.endswith("/write") for path in cluster.requests)


def test_what_a_storage_lost_is_sent_again_though_nobody_says_that_it_died(
    cluster: Cluster, journal: Journal, clock: Clock, tmp_path: Path
) -> None:
    """Protects what was acknowledged seconds before a kill: a proxy keeps the connection, and no path tells of a new life."""
    with open_store(cluster.url, tmp_path / "store", clock=clock) as store:
        follow(journal, store)
        cluster.storages[0].kill()
        cluster.start()
        catch_up(journal, store, clock)
        assert wrong_rows(journal, cluster, tmp_path / "1.db") == []
        settle(cluster)
        for event in [
            CORRECTIONS["a maximum that makes moderate minutes light"],
            steady(JAN, START, 900, 95),
        ]:
            happen(journal, event)
            follow(journal, store)
            cluster.storages[1].kill()
            cluster.start()
            catch_up(journal, store, clock)
            settle(cluster)
        assert wrong_rows(journal, cluster, tmp_path / "2.db") == []


def test_what_is_held_for_sure_waits_for_the_look(
    cluster: Cluster, journal: Journal, clock: Clock, tmp_path: Path
) -> None:
    """Protects from our own end between a yes and the look: what was not looked for is sent again by the next process."""
    with open_store(cluster.url, tmp_path / "store", clock=clock) as store:
        follow(journal, store)
    with open_store(cluster.url, tmp_path / "store", clock=clock) as store:
        assert store.begin(journal) == 0
        catch_up(journal, store, clock)
    with open_store(cluster.url, tmp_path / "store", clock=clock) as store:
        assert store.begin(journal) == journal.last_position()


def test_while_a_storage_is_away_nothing_is_known_and_nothing_is_done(
    cluster: Cluster, journal: Journal, clock: Clock, tmp_path: Path
) -> None:
    """Protects the rows of the storage that is there: an answer with holes looked like a server that was emptied."""
    rounds = Rounds(Clock())
    with open_store(cluster.url, tmp_path / "store", clock=clock) as store:
        catch_up(journal, store, clock)
        for storage in cluster.storages:
            storage.stop()  # what it was given is on its disk
            cluster.requests.clear()
            for _ in range(6):
                clock.passes(700)
                with pytest.raises(TryLater, match="away"):
                    follow(journal, store, rounds=rounds)
            assert not any(path.endswith(("/write", "/delete_series")) for path in cluster.requests)
            storage.start()
            clock.passes(700)
            assert follow(journal, store) == 0
        assert wrong_rows(journal, cluster, tmp_path / "s.db") == []


def test_with_two_copies_a_storage_may_be_away(journal: Journal, clock: Clock, tmp_path: Path) -> None:
    """Protects those who pay for two copies: what comes in meanwhile is taken, and all is there in the end."""
    with (
        Cluster(tmp_path / "cluster", copies=2, clock=clock) as cluster,
        open_store(cluster.url, tmp_path / "store", clock=clock) as store,
    ):
        follow(journal, store)
        cluster.storages[1].kill()
        happen(journal, steady(JAN, START + 3 * DAY, 900, 95))
        catch_up(journal, store, clock)
        assert store.begin(journal) == journal.last_position()
        cluster.start()
        catch_up(journal, store, clock)
        assert wrong_rows(journal, cluster, tmp_path / "s.db") == []


def test_rows_that_vanish_are_there_again_within_an_hour(
    server: Real, journal: Journal, clock: Clock, tmp_path: Path
) -> None:
    """Protects years that a disk lost, or a hand deleted, long after anybody was sure of them; what is whole is left alone."""
    with open_store(server.url, tmp_path / "store", clock=clock) as store:
        rounds = Rounds(clock)
        catch_up(journal, store, clock)
        an_hour(journal, store, clock, rounds)
        if isinstance(server, Cluster):
            server.requests.clear()
            an_hour(journal, store, clock, rounds)
            assert writes(server) == 0
            server.stop()
            server.storages[0].lost()
            server.start()
        elif not isinstance(server, VictoriaMetrics):
            at_ns = (START + DAY) * 1_000_000
            engine = server if isinstance(server, InfluxDB) else server.engine
            for table in ("minute", "heart_rate"):
                engine.query(
                    f'DELETE FROM "{table}" WHERE time > {at_ns} AND time < {at_ns + 300_000_000_000}'
                )
        else:
            server.ask(
                "POST", '/api/v1/admin/tsdb/delete_series?match[]={__name__=~"minute_bpm|heart_rate_bpm"}'
            )
        assert wrong_rows(journal, server, tmp_path / "1.db") != []
        an_hour(journal, store, clock, rounds)
        catch_up(journal, store, clock)
        assert wrong_rows(journal, server, tmp_path / "2.db") == []


@pytest.mark.parametrize(
    ("flags", "select", "words"),
    [
        (
            ("-dedup.minScrapeInterval=1ms",),
            VictoriaMetrics.FLAGS[1:],
            "each vmstorage with -retentionPeriod=100y$",
        ),
        (("-retentionPeriod=100y",), (), "vmselect.*with -dedup.minScrapeInterval=1ms$"),
    ],
)
def test_a_flag_that_is_missing_is_named_with_the_part_that_needs_it(
    flags: tuple[str, ...],
    select: tuple[str, ...],
    words: str,
    journal: Journal,
    clock: Clock,
    tmp_path: Path,
) -> None:
    """Protects from a cluster that forgets or doubles: vmselect does not even start with a flag that is vmstorage's."""
    with (
        Cluster(tmp_path / "cluster", flags, select_flags=select, clock=clock) as cluster,
        open_store(cluster.url, tmp_path / "store", clock=clock) as store,
        pytest.raises(TryLater, match=words),
    ):
        follow(journal, store)


def test_what_waits_to_be_corrected_is_not_looked_for_before(
    cluster: Cluster, journal: Journal, clock: Clock, tmp_path: Path
) -> None:
    """Protects corrections from the looks before them: each week of years was found wanting and sent once more, for an hour."""
    with open_store(cluster.url, tmp_path / "store", clock=clock) as store:
        catch_up(journal, store, clock)
        for bpm in (210, 120, 200, 130):
            happen(journal, Noted(JAN, (("maximum_bpm", bpm), ("zone", "Europe/Amsterdam"))))
            follow(journal, store)
            clock.passes(35)
        cluster.requests.clear()
        follow(journal, store)
        assert writes(cluster) == 0
        catch_up(journal, store, clock)
        assert wrong_rows(journal, cluster, tmp_path / "s.db") == []


@pytest.mark.parametrize("server", ["victoriametrics", "cluster"], indirect=True)
def test_a_deletion_that_a_server_lost_is_done_again(
    server: Real, journal: Journal, clock: Clock, tmp_path: Path
) -> None:
    """Protects days of which nothing is left: a kill brought their rows back, as many as were counted before."""
    assert isinstance(server, VictoriaMetrics)
    rounds = Rounds(clock)
    with open_store(server.url, tmp_path / "store", clock=clock) as store:
        with journal.write() as w:
            damaged = a_file(w, w.person(JAN), "partial", reason="It ends too early.")
            steady(JAN, START - 30 * DAY, 90, 150).write(w, damaged)
        catch_up(journal, store, clock)
        an_hour(journal, store, clock, rounds)
        save(server)
        server.kill()
        before = tmp_path / "before"
        shutil.copytree(server.folder, before)
        server.start()
        with journal.write() as w:
            came_in(w, w.person(JAN), a_file(w, w.person(JAN)), "stored", [damaged])
        follow(journal, store)
        # It is on the disk within a second: what the disk held before it takes its place.
        server.kill()
        shutil.rmtree(server.folder)
        shutil.copytree(before, server.folder)
        server.start()
        assert too_many(journal, server, tmp_path / "0.db"), "the deletion was lost"
        catch_up(journal, store, clock)
        assert wrong_rows(journal, server, tmp_path / "1.db") == []
        # And one that is lost long after all of it was found: of nobody who is known, and where nothing else is.
        rows = b"".join(
            b"minute,person=%s light_s=60i %d\n" % (person, (START - 300 * DAY) // 1000 + 60 * i)
            for person in (b"Jan\\ de\\ Vries\\,\\ A\\=B", b"Anna")
            for i in range(3)
        )
        base = INSERT if isinstance(server, Cluster) else ""
        assert server.ask("POST", f"{base}/api/v2/write?precision=s", rows)[0] == 204
        server.flush()
        time.sleep(
            3
        )  # so long by its own clock it remembers what a question found before, and the hour is over sooner
        an_hour(journal, store, clock, rounds)
        catch_up(journal, store, clock)
        assert wrong_rows(journal, server, tmp_path / "2.db") == []


def too_many(journal: Journal, server: Real, path: Path) -> bool:
    """Whether the server holds rows on days of which nothing should be there."""
    found, wanted = held(server), expected(filled(journal, path), server)
    days = {int(row[0]) // 86400 for row in wanted["minute"]}
    return any(int(row[0]) // 86400 not in days for row in found["minute"])


@pytest.mark.parametrize("server", ["victoriametrics", "cluster"], indirect=True)
def test_a_series_is_not_copied_from_a_server_that_lost_some_of_it(
    server: Real, journal: Journal, clock: Clock, tmp_path: Path
) -> None:
    """Protects years of rows from one correction behind another: killed in between, a server had little left to be copied."""

    def minutes() -> int:
        bpm = 1 + len(TABLES["minute"].tags) + list(TABLES["minute"].fields).index("bpm")
        return sum(row[bpm] is not None for row in held(server)["minute"])

    with open_store(server.url, tmp_path / "store", clock=clock) as store:
        catch_up(journal, store, clock)
        save(server)
        for i in range(4):  # of so many the last one has to wait
            happen(journal, steady(JAN, START + i * DAY, 500, 50, source="strap", kind="strap"))
            follow(journal, store)
        whole = minutes()
        server.flush()  # has the deletions on the disk, and not what was written
        server.kill()
        server.start()
        assert minutes() < whole
        clock.passes(300)
        store.begin(journal)
        store.maintain()
        assert minutes() == whole
        catch_up(journal, store, clock)
        assert wrong_rows(journal, server, tmp_path / "s.db") == []


@pytest.mark.parametrize("person", ["A\\B", "A\tB"])
def test_a_name_that_no_server_can_hold_is_looked_for_as_any_other(
    person: str, cluster: Cluster, clock: Clock, tmp_path: Path
) -> None:
    """Protects a person whose name is another one on the server: nobody of that name was known, and all passed for held."""
    happened: list[Event] = [
        Noted(person, (("maximum_bpm", 180), ("zone", "Europe/Amsterdam"))),
        steady(person, START, 300, 120),
    ]
    with (
        journal_of_2024(tmp_path / "data", happened) as journal,
        open_store(cluster.url, tmp_path / "store", clock=clock) as store,
    ):
        catch_up(journal, store, clock)
        save(cluster)
        happen(journal, steady(person, START, 300, 95, source="strap", kind="strap"))
        follow(journal, store)
        whole = held(cluster)
        cluster.kill()
        cluster.start()
        assert differences(held(cluster), whole) != []
        clock.passes(40)
        follow(journal, store)
        assert differences(held(cluster), whole) == []


def test_told_to_end_it_asks_nothing_more(
    cluster: Cluster, journal: Journal, clock: Clock, tmp_path: Path
) -> None:
    """Protects a quick end of the daemon: comparing years is thousands of short questions, of which none is long."""
    with open_store(cluster.url, tmp_path / "store", clock=clock) as store:
        catch_up(journal, store, clock)
        happen(journal, CORRECTIONS["a zone in which days begin elsewhere"])
        cluster.requests.clear()
        store.patience = Patience(going_on=lambda: len(cluster.requests) < 4)
        with pytest.raises(TryLater, match="next start"):
            follow(journal, store)
        assert len(cluster.requests) == 4
        store.patience = Patience()
        catch_up(journal, store, clock)
        assert wrong_rows(journal, cluster, tmp_path / "s.db") == []


def test_each_pi_is_whole_after_a_storage_died_while_all_of_them_filled_it(
    cluster: Cluster, clock: Clock, tmp_path: Path
) -> None:
    """Protects a clinic: before, 22 of 50 Pis lacked rows for ever, and were called up to date. The bench has fifty."""
    pis = 4
    with ExitStack() as opened:
        journals = [
            opened.enter_context(
                journal_of_2024(
                    tmp_path / f"data {i}", [*LITTLE, steady("Jan", START + i * DAY, 900, 100 + i)]
                )
            )
            for i in range(pis)
        ]
        stores = [
            opened.enter_context(
                open_store(cluster.url, tmp_path / f"store {i}", clock=clock, site=f"pi-{i}")
            )
            for i in range(pis)
        ]
        ending = threading.Thread(target=cluster.storages[0].kill)
        for i, (journal, store) in enumerate(zip(journals, stores, strict=True)):
            if i == pis - 1:
                ending.start()
            with suppress(TryLater):
                follow(journal, store)
        ending.join()
        cluster.start()
        clock.passes(60)
        for i, (journal, store) in enumerate(zip(journals, stores, strict=True)):
            catch_up(journal, store, clock)
            assert (i, wrong_rows(journal, cluster, tmp_path / f"{i}.db", f"pi-{i}")) == (i, [])


def test_the_stand_in_sums_up_as_the_real_one_does(tmp_path: Path, cluster: Cluster) -> None:
    """Protects these tests: the two questions that the stand-in answers by itself are answered alike by VictoriaMetrics."""
    lines = b"".join(
        b"minute,person=Jan light_s=%d,moderate_s=%d %d\n" % (i % 60, 60 - i % 60, START // 1000 + 60 * i)
        for i in range(100)
    )
    at = f"{START / 1000 + 600 - 0.001:.3f}"
    match = '{__name__=~"minute_(?:light_s|moderate_s)",person="Jan"}[600000ms]'
    questions = [
        *(f"sum({what}_over_time({match}) keep_metric_names) by (__name__)" for what in ("count", "sum")),
        f"sum(count_over_time({match}))",
    ]
    with VictoriaMetrics(tmp_path / "one") as one:
        said = []
        for server, path in ((one, ""), (cluster, "/insert/0/influx")):
            assert server.ask("POST", f"{path}/api/v2/write?precision=s", lines)[0] == 204
            server.flush()
            said.append(
                [
                    sorted(
                        (r["metric"].get("__name__", ""), r["value"][1])
                        for r in server.query(question, float(at))
                    )
                    for question in questions
                ]
            )
    assert said[0] == said[1]
    assert said[0][0] == [("minute_light_s", "10"), ("minute_moderate_s", "10")]
