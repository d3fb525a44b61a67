"""Outages of servers, and of ourselves, while things keep coming in: afterwards each row is there once, and no other."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from ingest.demo.fit_encoder import day, workout
from ingest.errors import TryLater
from ingest.journal import Journal
from ingest.settings.model import InfluxSettings
from ingest.stores.following import follow
from ingest.stores.influx.client import ServerClient, Unavailable
from ingest.stores.influx.doubts import QUIET_S
from ingest.system.crash_points import CLEARING, SERVER_POINTS
from tests.support import fake_server as fakeserver
from tests.support import households
from tests.support.cluster import INSERT, SELECT, Cluster
from tests.support.daemons import QUICK, daemon, hartslag, rows, settled, store, until
from tests.support.daemons import journal as journal_file
from tests.support.fake_server import FakeServer, says
from tests.support.hasty import HASTE
from tests.support.households import DAY, Event, Noted, happen, steady
from tests.support.replicas import differences, expected, held
from tests.support.server_stores import (
    CORRECTIONS,
    JAN,
    START,
    Clock,
    Real,
    catch_up,
    open_store,
    save,
    settle,
    wrong_rows,
)
from tests.support.servers import VictoriaMetrics

FIT_START = 1_100_000_000
"""November 2024, in FIT's era."""

HOUR_S, LONG_S = 3600, 1200


def files() -> Iterator[tuple[str, bytes]]:
    """Hours of watches, one after the other: whole, cut off and then whole, twice, and all day long beneath."""
    for i in range(1000):
        start = FIT_START + i * 5 * HOUR_S
        whole = workout(start, [95 + (i * 7 + s // 30) % 80 for s in range(LONG_S)], sport=1 + i % 2)
        if i % 4 == 1:
            yield f"{i} cut off.fit", whole[: len(whole) // 3]
        if i % 4 == 2:
            yield f"{i} day.fit", day(start - 2 * HOUR_S, [60 + m % 9 for m in range(240)])
        yield f"{i}.fit", whole
        if i % 4 == 3:
            yield f"{i} again.fit", whole


Outage = Callable[[], contextlib.AbstractContextManager[None]]


class Feeding:
    """What an owner drops while servers come and go."""

    def __init__(self, inbox: Path) -> None:
        self.inbox, self._files = inbox, files()

    def some(self, seconds: float) -> None:
        """Drop a file now and then."""
        end = time.monotonic() + seconds
        while True:
            name, content = next(self._files)
            beside = self.inbox.parent / name
            beside.write_bytes(content)
            beside.rename(self.inbox / name)
            if time.monotonic() > end:
                break
            time.sleep(0.4)


@contextlib.contextmanager
def set_for(fake: FakeServer, fault: fakeserver.Fault, *, everywhere: bool = False) -> Iterator[None]:
    fake.always, fake.everywhere = fault, everywhere
    try:
        yield
    finally:
        fake.always = None


@contextlib.contextmanager
def dead(server: Real) -> Iterator[None]:
    server.kill()
    try:
        yield
    finally:
        server.start()


@pytest.fixture
def shared(server: Real) -> Real:
    """A server that another process writes to, with a clock of its own: a cluster shows it at the next question."""
    if isinstance(server, Cluster):
        server.shown_s = 0.0
    return server


def put_right(data: Path) -> bool:
    """Whether the daemon knows that its server holds all of the journal for sure, with nothing left to correct."""
    ledger = data / "store" / "influx.db"
    last = rows(journal_file(data), "SELECT max(position) FROM entry")
    left = "SELECT position, (SELECT count(*) FROM patch) + (SELECT count(*) FROM copied) FROM replica"
    return rows(ledger, left) == [(last[0][0], 0)]


def test_a_daemon_collects_through_every_outage_of_a_server(
    shared: Real, fake: FakeServer, tmp_path: Path
) -> None:
    """Protects the person's numbers on the server: hours of files while it is killed, hangs, refuses, fills its disk.

    Meanwhile the SQLite store is up to date, and afterwards both hold the same rows.
    """
    data = tmp_path / "data"
    (data / "inbox").mkdir(parents=True)
    feeding = Feeding(data / "inbox")

    def said_yes_since(moment_s: float) -> bool:
        return any(r.status == 204 and r.at_s > moment_s for r in fake.writes)

    @contextlib.contextmanager
    def killed(*, resting_s: float = 0.0) -> Iterator[None]:
        """What it said yes to a moment ago is gone with it, and no more than that: its disk is as fast as the daemon's clock.

        It is killed once nobody has asked it anything for so long.
        """
        saved_s = -1e9
        while time.monotonic() - saved_s > 0.8 * QUIET_S / HASTE:
            save(shared)
            saved_s = time.monotonic()
            feeding.some(0.0)
            until(partial(said_yes_since, saved_s), "rows to be taken")
            until(lambda: time.monotonic() - fake.requests[-1].at_s >= resting_s, "the daemon to rest")
        with dead(shared):
            yield

    outages: list[Outage] = [
        killed,
        fake.away,
        lambda: set_for(fake, says(500, "no space left on device")),
        shared.hung,
        lambda: set_for(fake, fakeserver.dies_after_storing),
        lambda: set_for(fake, fakeserver.PORTAL, everywhere=True),
        lambda: set_for(fake, fakeserver.dies_halfway),
        killed,
    ]
    with daemon(data, settings=f'{QUICK}\n[influx]\nurl = "{fake.url}"\n', hasty=True) as process:
        feeding.some(1.0)
        for outage in outages:
            with outage():
                feeding.some(1.0)
                if outage is outages[1]:
                    until(lambda: settled(data), "the SQLite store while the server is away")
                    status = json.loads(hartslag("--data", data, "status", "--json").stdout)
                    assert fake.url in json.dumps(status["stores"])
            feeding.some(0.4)
        until(lambda: settled(data) and put_right(data), "the server to hold what SQLite holds")
        with killed(resting_s=0.5):
            pass  # it is there again before it is asked: nothing tells the daemon
        until(lambda: settled(data) and put_right(data), "the server to hold what it lost")
        wanted = expected(households.rows(store(data)), shared)
        assert differences(held(shared), wanted) == []
        assert process.poll() is None
    assert len(wanted["heart_rate"]) > 20 * LONG_S
    assert "Traceback" not in (tmp_path / "data.log").read_text()


def test_a_server_that_hangs_is_left_for_later(server: Real) -> None:
    """Protects the thread of a store from a server that takes the connection and never answers."""
    path = (
        "/api/v1/labels" if isinstance(server, VictoriaMetrics) else "/query?db=hartslag&q=SHOW+MEASUREMENTS"
    )
    base = server.url.replace(INSERT, SELECT)
    client = ServerClient(InfluxSettings(url=server.url))
    with server.hung(), contextlib.closing(client), pytest.raises(Unavailable, match="in time"):
        client.request("GET", path, base=base, timeout_s=0.3)
    with contextlib.closing(client):
        assert client.request("GET", path, base=base).status == 200


def test_it_holds_all_of_it_after_every_outage(
    server: Real, fake: FakeServer, journal: Journal, clock: Clock, tmp_path: Path
) -> None:
    """Protects what a server said yes to and lost when it was killed: it is sent again, corrections included."""
    corrections = list(CORRECTIONS.values())
    with open_store(fake.url, tmp_path / "store", clock=clock) as store:

        def tries(count: int) -> None:
            for _ in range(count):
                # By the clock it is long ago that the server took what is looked for now; by its own it is a moment.
                save(server)
                with contextlib.suppress(TryLater):
                    follow(journal, store)
                clock.passes(8)

        outages: list[Outage] = [
            lambda: dead(server),
            fake.away,
            lambda: set_for(fake, says(500, "no space left on device")),
            lambda: set_for(fake, fakeserver.dies_after_storing),
            lambda: set_for(fake, fakeserver.dies_halfway),
            lambda: set_for(fake, fakeserver.half_answers, everywhere=True),
            lambda: dead(server),
        ]
        catch_up(journal, store, clock)
        settle(server)
        for i, outage in enumerate(outages):
            happen(journal, steady(JAN, START + i * DAY // 3, 900, 100 + 7 * i, source=f"watch {i % 2}"))
            tries(1)
            # Two lives of a server within one second look like one.
            time.sleep(1.1)
            with outage():
                happen(journal, corrections[i])
                tries(3)
            happen(journal, steady("Zoë", START + i * DAY, 60, 90 + i))
            tries(2)
        time.sleep(1.1)
        with dead(server):
            tries(1)
        catch_up(journal, store, clock)
        assert wrong_rows(journal, server, tmp_path / "s.db") == []


def test_a_power_cut_right_after_a_series_was_written_anew(
    server: Real, journal: Journal, clock: Clock, tmp_path: Path
) -> None:
    """Protects years of rows: deleted for good, written again, lost in the cut, and an hour without power behind it."""
    with open_store(server.url, tmp_path / "store", clock=clock) as store:
        catch_up(journal, store, clock)
    settle(server)
    happen(journal, CORRECTIONS["a strap that says less"])
    with open_store(server.url, tmp_path / "store", clock=clock) as store:
        follow(journal, store)
        server.flush()  # has the deletion on the disk, and not what was written
        server.kill()
    clock.passes(3600)
    server.start()
    with open_store(server.url, tmp_path / "store", clock=clock) as store:
        catch_up(journal, store, clock)
    assert wrong_rows(journal, server, tmp_path / "s.db") == []


FOLLOW = """
import sys
from pathlib import Path
from ingest.journal import Journal
from ingest.stores.following import follow
from tests.support.server_stores import Clock, open_store
with Journal(Path(sys.argv[1])) as journal, open_store(sys.argv[2], Path(sys.argv[3]), clock=Clock()) as store:
    follow(journal, store, portion=4)
"""

CLEAR = """
import sys
from pathlib import Path
from ingest.journal import Journal
from tests.support.server_stores import Clock, open_store
with Journal(Path(sys.argv[1])) as journal, open_store(sys.argv[2], Path(sys.argv[3]), clock=Clock()) as store:
    store.clear(journal)
"""


def following(
    journal: Journal, url: str, folder: Path, point: str, what: str = FOLLOW
) -> "subprocess.Popen[bytes]":
    """A process of its own that sends, or does `what`, until it is killed at a point."""
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "HARTSLAG_CRASH_AT": point}
    return subprocess.Popen([sys.executable, "-c", what, str(journal.path), url, str(folder)], env=env)


def points(server: Real) -> list[str]:
    """All there are, where there are any; one of them later than at the first time."""
    there = [p for p in SERVER_POINTS if isinstance(server, VictoriaMetrics) or not p.startswith("series")]
    return [*there, "store sending:4"]


def test_killed_at_any_step_of_sending_and_started_again_no_row_is_lost_or_double(
    shared: Real, journal: Journal, clock: Clock, tmp_path: Path
) -> None:
    """Protects the server's rows from our own power cuts: at each step, while it corrects."""
    with open_store(shared.url, tmp_path / "store", clock=clock) as store:
        catch_up(journal, store, clock)
    changes: list[Event] = [
        Noted(JAN, (("maximum_bpm", bpm), ("zone", "Europe/Amsterdam"))) for bpm in (120, 220)
    ]
    for i, point in enumerate(points(shared)):
        happen(journal, changes[i % 2])
        for each in range(3):
            happen(journal, steady(JAN, START + (10 + i) * DAY // 2 + each * 400_000, 300, 90 + 3 * i))
        happen(journal, list(CORRECTIONS.values())[4])
        killed = following(journal, shared.url, tmp_path / "store", point).wait(180)
        assert (point, killed) == (point, -signal.SIGKILL)
        with open_store(shared.url, tmp_path / "store", clock=clock) as store:
            catch_up(journal, store, clock)
        assert (point, wrong_rows(journal, shared, tmp_path / f"{i}.db")) == (point, [])


def test_killed_while_a_server_is_emptied_what_is_gone_does_not_pass_for_held(
    shared: Real, journal: Journal, clock: Clock, tmp_path: Path
) -> None:
    """Protects from a rebuild that was broken off: rows deleted by then would be missed by nobody."""
    with open_store(shared.url, tmp_path / "store", clock=clock) as store:
        catch_up(journal, store, clock)
    for point in (CLEARING, f"{CLEARING}:2"):
        killed = following(journal, shared.url, tmp_path / "store", point, CLEAR).wait(180)
        assert (point, killed) == (point, -signal.SIGKILL)
        with open_store(shared.url, tmp_path / "store", clock=clock) as store:
            assert store.begin(journal) == 0
            catch_up(journal, store, clock)
        assert (point, wrong_rows(journal, shared, tmp_path / f"{point}.db")) == (point, [])
