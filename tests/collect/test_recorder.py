"""From the callback to the journal: nothing lost, doubled, reordered or waited for, whatever the journal does."""

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.collect.connection import Connection, StrapOwner
from ingest.collect.recorder import MINUTE_MS, Recorder
from ingest.collect.strap_state import StrapState
from ingest.errors import Stop, TryLater
from ingest.journal import ALWAYS_MS, Journal
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
from ingest.system.clock import SystemClock
from ingest.system.crash_points import STRAP_POINTS
from ingest.system.watchdog import WatchedPart
from tests.support.air.heart import measurement
from tests.support.daemons import until
from tests.support.happenings import new_folder
from tests.support.households import filled, rows
from tests.support.strap_feeder import COMMITS, EACH, numbered
from tests.support.straps import ADA, ManualClock, stored_notifications, stored_notifications_at

STRAP = StrapOwner("me", ADA)
OTHER = StrapOwner("Piet", "strap Polar 7")
HOUR = 3_600_000

HANGS_S = 600
"""A process that takes longer than this hangs; until then it is the machine that is busy."""


class Desk:
    """A recorder, its journal and its clocks, driven by hand."""

    def __init__(self, folder: Path, **more: Any) -> None:
        self.path = folder / "j.db"
        self.clock = ManualClock()
        self.rung = 0
        self.journal = Journal(self.path, now_ms=self.clock.wall_ms, busy_ms=20)
        self.recorder = Recorder(self.path, self.clock, on_commit=self._ring, **more)

    def _ring(self) -> None:
        self.rung += 1

    def commit(self) -> bool:
        return self.recorder.commit(self.journal)

    def beat(self, connection: Connection, n: int, count: int = 1) -> None:
        """The notifications numbered from n on, one a second."""
        for i in range(n, n + count):
            self.clock.on(1000)
            connection.receive(numbered(i))

    def numbers(self, person: str = "me") -> list[int]:
        """Which notifications the journal holds."""
        return [
            int.from_bytes(octets[2:4], "little") - 400
            for *_, octets in stored_notifications(self.journal, person).notifications
        ]

    def chunks(self) -> int:
        return self.journal.size()["chunks"]

    def states(self) -> list[dict[str, Any]]:
        return [e.content for e in self.journal.entries(0, 10_000) if e.what == "collector"]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.journal.close()


def test_what_is_counted_on_the_way_in_is_what_is_read_back(desk: Desk) -> None:
    """Protects the counts of the journal: whole, cut at an hour, or kept while it was busy, each heart rate and interval once."""
    connection = desk.recorder.open_connection(STRAP)
    seconds = (1, 2, 3600 - 6, 5, 1)  # the fourth portion lies on both sides of an hour
    for n, count in enumerate(seconds):
        for i in range(count):
            desk.clock.on(1000)
            connection.receive(measurement(0 if i % 3 == 1 else 60 + n, (800,) * (i % 3), contact=True))
        if n != 1:
            desk.commit()
    chunks = desk.journal.chunks(1, -ALWAYS_MS, ALWAYS_MS)
    told = sum(len(c.columns.series) for c in chunks), sum(len(c.columns.rr_ms) for c in chunks)
    assert (desk.journal.size()["samples"], desk.journal.size()["beats"]) == told
    assert told[0] == sum(count - (count + 1) // 3 for count in seconds)


# --- the callback ---


def stamped(*arrivals: tuple[int, bytes]) -> list[tuple[int, bytes]]:
    """What a connection keeps of notifications that come at these moments."""
    clock = ManualClock()
    connection = Connection(clock, 0)
    for at, octets in arrivals:
        clock.steady = at
        connection.receive(octets)
    assert connection.received == len(connection.pending)
    assert connection.last_steady_ms == connection.pending[-1][0]
    return list(connection.pending)


A, B = measurement(70), measurement(71)


@pytest.mark.parametrize("subscriptions", [2, 3])
def test_doubles_of_a_second_subscription_are_dropped(subscriptions: int) -> None:
    """Protects beats: a client that was never disconnected delivers each notification once more, and no more are kept."""
    arrivals = [
        (1000 * second + copy // 2, measurement(70 + second // 3, (850 + second // 2,)))
        for second in range(1, 30)
        for copy in range(subscriptions)
    ]
    assert stamped(*arrivals) == arrivals[::subscriptions]


def test_a_steady_rate_is_no_double() -> None:
    """Protects wrist sensors: the same octets each second, without intervals, are as many notifications."""
    arrivals = [(second * 1000, A) for second in range(1, 100)]
    assert stamped(*arrivals) == arrivals


@pytest.mark.parametrize("stall_s", [2, 3, 20])
def test_a_burst_after_a_stall_is_kept_whole(stall_s: int) -> None:
    """Protects what a busy Pi delivers late: equal octets in one millisecond are as many seconds of heart rate."""
    before = [(second * 1000, A) for second in range(1, 20)]
    burst = [(19_000 + stall_s * 1000, A)] * stall_s
    after = [(19_000 + (stall_s + 1 + i) * 1000, A) for i in range(5)]
    assert stamped(*before, *burst, *after) == [*before, *burst, *after]


def test_only_what_is_equal_and_at_once_is_a_double() -> None:
    """Protects fast sensors and changing rates: other octets, or some milliseconds later, are not the same."""
    different = [(1000, A), (1001, B), (2000, A), (2006, A), (3000, A), (3001, measurement(70, (850,)))]
    assert stamped(*different) == different
    fast = [(1000 + 50 * (i // 2), A) for i in range(100)]
    assert len(stamped(*fast)) == 100, "in a burst all is kept, from its very first pair on"


def test_after_the_end_nothing_is_heard(desk: Desk) -> None:
    """Protects the order: a callback of a client that is gone belongs to no connection any more."""
    connection = desk.recorder.open_connection(STRAP)
    desk.beat(connection, 0, 3)
    connection.end()
    desk.beat(connection, 3, 3)
    again = desk.recorder.open_connection(STRAP)
    desk.beat(again, 6, 3)
    desk.commit()
    assert desk.numbers() == [0, 1, 2, 6, 7, 8]
    assert (connection.received, connection.last_steady_ms) == (3, 63_000)


# --- the commit ---


def test_what_was_told_is_in_the_journal(desk: Desk) -> None:
    """Protects the whole way: octets, steady time, connection, person and source, and a date by the wall clock."""
    one, two = desk.recorder.open_connection(STRAP), desk.recorder.open_connection(OTHER)
    for i in range(4):
        desk.beat(one, i)
        desk.beat(two, 50 + i)
    assert desk.commit()
    assert desk.rung == 1
    found = stored_notifications(desk.journal)
    assert found.notifications == [
        (ADA, "first boot", 60_000, 61_000 + 2000 * i, numbered(i)) for i in range(4)
    ]
    assert found.dates == [desk.clock.ahead + 61_000 + 2000 * i for i in range(4)]
    assert desk.numbers("Piet") == [50, 51, 52, 53]
    assert [s.kind for s in desk.journal.sources(1)] == ["strap"]


def test_all_straps_are_one_transaction(desk: Desk) -> None:
    """Protects the card: four straps cost one commit, seen as one by another reader of the file."""
    connections = [desk.recorder.open_connection(StrapOwner("me", f"strap {i}")) for i in range(4)]
    for n, connection in enumerate(connections):
        desk.beat(connection, n)
        desk.recorder.record_state(StrapOwner("me", f"strap {n}"), StrapState("connected"))
    commits: list[str] = []
    desk.journal._db.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
    desk.commit()
    # The second one is that of the beginning: what an earlier life has left is merged.
    assert len(commits) == 2
    for n, connection in enumerate(connections):
        desk.beat(connection, 10 + n)
    desk.commit()
    assert len(commits) == 3
    assert len(desk.numbers()) == 8


def test_nothing_is_written_when_nothing_came(desk: Desk) -> None:
    """Protects the card at night: with no strap near, or one that is silent, not a byte is written."""
    connection = desk.recorder.open_connection(STRAP)
    desk.beat(connection, 0)
    desk.commit()
    desk.commit()
    written = desk.path.with_name("j.db-wal").stat().st_size, desk.journal._db.total_changes
    for _ in range(50):
        desk.clock.on(5000)
        assert not desk.commit()
    assert (desk.path.with_name("j.db-wal").stat().st_size, desk.journal._db.total_changes) == written
    assert desk.rung == 1


def test_two_connections_in_one_millisecond_are_two(desk: Desk) -> None:
    """Protects the placing of beats, which goes by connection."""
    for n in range(3):
        connection = desk.recorder.open_connection(STRAP)
        connection.receive(numbered(n))
        connection.end()
    desk.commit()
    assert [began for _, _, began, _, _ in stored_notifications(desk.journal).notifications] == [
        60_000,
        60_001,
        60_002,
    ]


def test_threads_lose_nothing(desk: Desk) -> None:
    """Protects the handing over: a callback that comes while the writer empties the buffer is neither lost nor doubled."""
    clock = SystemClock()
    recorder = Recorder(desk.path, clock, on_commit=lambda: None)
    connection = recorder.open_connection(STRAP)
    count = 30_000

    def callbacks() -> None:
        for n in range(count):
            connection.receive(numbered(n))

    teller = threading.Thread(target=callbacks)
    teller.start()
    while teller.is_alive():
        recorder.commit(desk.journal)
    connection.end()
    recorder.commit(desk.journal)
    assert desk.numbers() == list(range(count))


# --- a journal that does not take it ---


@contextmanager
def busy(path: Path) -> Iterator[None]:
    """Another process is writing to the journal."""
    with Journal(path) as other, other.write() as w:
        w.person("somebody")
        yield


@contextmanager
def full(journal: Journal) -> Iterator[None]:
    """There is no room on the disk."""
    (pages,) = journal._db.execute("PRAGMA page_count").fetchone()
    journal._db.execute(f"PRAGMA max_page_count = {pages}")
    yield
    journal._db.execute("PRAGMA max_page_count = 1073741823")


@pytest.mark.parametrize("trouble", ["busy", "full"])
def test_what_cannot_be_written_is_written_later(desk: Desk, trouble: str) -> None:
    """Protects heart rates while a file is imported or the card is full: all of it, in order, in chunks of an hour."""
    connection = desk.recorder.open_connection(STRAP)
    desk.beat(connection, 0, 5)
    desk.commit()
    n = 5
    with busy(desk.path) if trouble == "busy" else full(desk.journal):
        for _ in range(6):
            desk.beat(connection, n, 400)
            n += 400
            desk.clock.on(HOUR // 3)
            with pytest.raises(TryLater):
                desk.commit()
        desk.recorder.record_state(STRAP, StrapState("silent"))
        connection.end()
        again = desk.recorder.open_connection(STRAP)
        desk.beat(again, n, 3)
        with pytest.raises(TryLater):
            desk.commit()
    desk.beat(again, n + 3, 1)
    desk.commit()
    assert desk.numbers() == list(range(n + 4))
    assert desk.journal.faults() == []
    (longest,) = desk.journal._db.execute("SELECT max(last_ms - first_ms) FROM chunk").fetchone()
    assert longest < HOUR
    assert [s["state"] for s in desk.states()] == ["silent"]


def test_memory_is_bounded_and_its_end_is_said(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """Protects a Pi with 512 MB whose card is full for weeks: what is kept is the beginning, whole, and it is said once."""
    recorder = Recorder(desk.path, desk.clock, on_commit=lambda: None, most_bytes=18 * 1000)
    connection = recorder.open_connection(STRAP)
    caplog.set_level(logging.INFO)
    with busy(desk.path):
        for n in range(0, 3000, 100):
            desk.beat(connection, n, 100)
            with pytest.raises(TryLater):
                recorder.commit(desk.journal)
    kept = recorder.commit(desk.journal)
    desk.beat(connection, 5000, 5)
    recorder.commit(desk.journal)
    assert kept
    numbers = desk.numbers()
    first = numbers[:-5]
    assert first == list(range(len(first)))
    assert 1000 <= len(first) <= 1200
    assert numbers[-5:] == list(range(5000, 5005))
    words = [r.getMessage() for r in caplog.records if r.levelno >= logging.INFO]
    assert [w for w in words if "is full: what they tell now is lost" in w] == [words[0]]
    assert f"{3000 - len(first)} notifications of straps were lost" in words[-1]


def test_weeks_fit_into_the_memory() -> None:
    """Protects the promise that a full card costs nothing for days: a strap at one a second for twenty of them."""
    from ingest.collect.recorder import MOST_BYTES, _Unwritten

    kept = _Unwritten(STRAP, Connection(ManualClock(), 0))
    for i in range(3600):
        kept.add(i * 1000, measurement(70, (850, 860)))
    assert kept.size * 24 * 20 < MOST_BYTES
    actual = sys.getsizeof(kept.steady_ms) + sys.getsizeof(kept.lengths) + sys.getsizeof(kept.octets)
    assert actual < 1.3 * kept.size


# --- merging ---


def test_an_hour_becomes_one_chunk_and_an_ended_connection_too(desk: Desk) -> None:
    """Protects ten years of straps: a chunk an hour, not one each five seconds."""
    connection, n = desk.recorder.open_connection(STRAP), 0
    for _ in range(2 * 720 + 10):
        desk.beat(connection, n, 5)
        n += 5
        desk.commit()
    assert desk.chunks() == 2 + 11, "what lies on both sides of an hour is in two"
    connection.end()
    desk.commit()
    assert desk.chunks() == 3
    assert desk.numbers() == list(range(n))


def test_what_a_killed_process_left_is_merged(desk: Desk) -> None:
    """Protects against a Pi whose plug is pulled each evening: the next life tidies up what the last one left."""
    for life in range(3):
        connection = desk.recorder.open_connection(STRAP)
        for i in range(4):
            desk.beat(connection, 10 * life + i)
            desk.commit()
        assert desk.chunks() == life + 4
        desk.recorder = Recorder(desk.path, desk.clock, on_commit=lambda: None)
        if life == 1:
            desk.clock.boot, desk.clock.steady = "second boot", 1000
    desk.commit()
    assert desk.chunks() == 3
    assert sorted(desk.numbers()) == [0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23]


# --- the clock ---


def test_a_clock_that_is_set_dates_what_was_heard_before(desk: Desk) -> None:
    """Protects a workout that began before the router was on: it was on that morning, not when the Pi last ran."""
    clock = desk.clock
    clock.right, clock.ahead = False, 1_600_000_000_000
    connection = desk.recorder.open_connection(STRAP)
    desk.beat(connection, 0, 3)
    desk.commit()
    desk.beat(connection, 3, 3)
    clock.ahead = 1_800_000_000_000
    clock.right = True
    desk.commit()
    desk.beat(connection, 6, 1)
    desk.commit()
    assert stored_notifications(desk.journal).dates == [1_800_000_061_000 + 1000 * i for i in range(7)]
    looks = desk.journal.observations("first boot")
    assert [(o.offset_ms, o.synchronized) for o in looks] == [
        (1_600_000_000_000, False),
        (1_800_000_000_000, True),
    ]


def test_the_clock_may_be_set_when_no_strap_is_near(desk: Desk) -> None:
    """Protects a short walk: it is dated anew when the time is known, though nothing more was heard."""
    desk.clock.right, desk.clock.ahead = False, 1_790_000_000_000
    connection = desk.recorder.open_connection(STRAP)
    desk.beat(connection, 0, 3)
    connection.end()
    desk.commit()
    rung = desk.rung
    desk.clock.ahead += 5 * HOUR
    assert desk.commit()
    assert desk.rung == rung + 1
    assert stored_notifications(desk.journal).dates == [
        desk.clock.ahead + 61_000 + 1000 * i for i in range(3)
    ]


def test_a_life_of_the_same_boot_knows_its_clock(desk: Desk) -> None:
    """Protects dates over a restart of the daemon: what was noted of the boot holds, and is not noted again."""
    connection = desk.recorder.open_connection(STRAP)
    desk.beat(connection, 0)
    desk.commit()
    desk.clock.ahead += 300  # slewed by as little as no clock is set
    desk.recorder = Recorder(desk.path, desk.clock, on_commit=lambda: None)
    connection = desk.recorder.open_connection(STRAP)
    desk.beat(connection, 1)
    desk.commit()
    assert len(desk.journal.observations("first boot")) == 1
    assert stored_notifications(desk.journal).dates == [1_700_000_061_000, 1_700_000_062_000]


def test_clocks_that_could_not_be_read_at_once_are_not_believed(desk: Desk) -> None:
    """Protects dates on a machine that is held up: between looking at one clock and the other, seconds may pass."""
    connection = desk.recorder.open_connection(STRAP)
    desk.beat(connection, 0)
    desk.commit()
    desk.clock.torn = 3000
    desk.beat(connection, 1)
    desk.commit()
    assert len(desk.journal.observations("first boot")) == 1


# --- states ---


def test_states_are_written_on_change_and_each_minute(desk: Desk) -> None:
    """Protects `status` and the card: what changed at once, what goes on once a minute, a signal alone never."""
    recorder, clock = desk.recorder, desk.clock
    recorder.record_state(STRAP, StrapState("searching"))
    desk.commit()
    connection = recorder.open_connection(STRAP)
    recorder.record_state(STRAP, StrapState("connected", battery_pct=80, signal_dbm=-60))
    for second in range(150):
        desk.beat(connection, second)
        recorder.record_state(STRAP, StrapState("connected", battery_pct=80, signal_dbm=-60 - second % 5))
        if second % 5 == 4:
            desk.commit()
    connection.end()
    recorder.record_state(STRAP, StrapState("searching", reconnects=1))
    desk.commit()
    for _ in range(100):
        clock.on(5000)
        desk.commit()
    found = desk.states()
    assert [s["state"] for s in found] == ["searching", "connected", "connected", "connected", "searching"]
    assert [s["state_no"] for s in found] == [1, 3, 3, 3, 1]
    assert [s["reconnects"] for s in found] == [0, 0, 0, 0, 1]
    assert sum(s["samples"] for s in found) == 150
    assert found[0]["age_s"] is None
    assert {s["source"] for s in found} == {ADA}
    assert {s["battery_pct"] for s in found[1:4]} == {80}
    assert all(isinstance(s["signal_dbm"], int) for s in found[1:4])
    assert [s["gaps"] for s in found] == [0] * 5
    moments = [e.at_ms for e in desk.journal.entries(0, 1000) if e.what == "collector"]
    assert all(b - a >= MINUTE_MS for a, b in pairwise(moments[1:4]))


def test_gaps_and_silence_are_counted(desk: Desk) -> None:
    """Protects against a strap that drops out unnoticed: how often, and how long ago the last beat was."""
    connection = desk.recorder.open_connection(STRAP)
    desk.recorder.record_state(STRAP, StrapState("connected"))
    desk.commit()
    for n, pause in enumerate([0, 0, 9000, 0, 30_000, 4000]):
        desk.clock.on(pause)
        desk.beat(connection, n)
    desk.clock.on(20_000)
    desk.recorder.record_state(STRAP, StrapState("silent", why="nothing was heard for 20 s"))
    desk.commit()
    said = desk.states()[-1]
    assert (said["gaps"], said["age_s"], said["why"]) == (2, 20.0, "nothing was heard for 20 s")


def test_a_clock_that_is_set_dates_what_was_said_of_straps(desk: Desk, tmp_path: Path) -> None:
    """Protects "connected since" and Grafana: what was said before the network came was said today, in every store."""
    clock, recorder = desk.clock, desk.recorder
    clock.right, clock.ahead = False, 1_600_000_000_000
    with SqliteStore(tmp_path / "along.db") as store:
        recorder.record_state(STRAP, StrapState("searching"))
        recorder.record_state(OTHER, StrapState("searching"))
        desk.commit()
        clock.on(9000)
        recorder.record_state(STRAP, StrapState("connected"))
        desk.commit()
        follow(desk.journal, store)
        clock.right, clock.ahead = True, 1_800_000_000_000
        clock.on(9000)
        recorder.record_state(STRAP, StrapState("silent"))
        desk.commit()
        follow(desk.journal, store)
    moments = [e.at_ms for e in desk.journal.entries(0) if e.what == "collector"]
    assert moments == [1_800_000_060_000, 1_800_000_060_000, 1_800_000_069_000, 1_800_000_078_000]
    along = rows(tmp_path / "along.db")
    assert along == filled(desk.journal, tmp_path / "anew.db")
    assert [round(row[0] * 1000) for row in along["collector"]] == moments
    last = desk.journal.last_position()
    clock.boot = "second boot"
    desk.recorder = Recorder(desk.path, clock, on_commit=lambda: None)
    clock.ahead += HOUR
    desk.recorder.record_state(STRAP, StrapState("searching"))
    desk.commit()
    assert [e.what for e in desk.journal.entries(last)] == ["collector"], "another boot has its own clock"


def test_what_tells_no_heart_rate_is_no_sample(desk: Desk) -> None:
    """Protects `status` and Grafana from a strap in a drawer that says zero: kept as it came, and a gap all the same."""
    nothing = [measurement(0), b"", b"\x01\x50", b"\x01\x50\x01"]
    connection = desk.recorder.open_connection(STRAP)
    desk.recorder.record_state(STRAP, StrapState("connected"))
    desk.commit()
    desk.beat(connection, 0, 3)
    for second in range(60):
        desk.clock.on(1000)
        connection.receive(nothing[second % len(nothing)])
        if second % 5 == 4:
            desk.commit()
    worn = desk.states()[-1]
    desk.beat(connection, 3, 2)
    desk.recorder.record_state(STRAP, StrapState("stopped"))
    desk.commit()
    again = desk.states()[-1]
    assert (worn["samples"], worn["gaps"], worn["age_s"]) == (3, 0, 60.0)
    assert (again["samples"], again["gaps"], again["age_s"]) == (2, 1, 0.0)
    assert len(stored_notifications(desk.journal).notifications) == 65


# --- the thread ---


def test_the_thread_commits_and_ends_with_a_commit(tmp_path: Path) -> None:
    """Protects the last seconds before a restart: what was told when the stop came is in the journal."""
    rung = threading.Event()
    recorder = Recorder(tmp_path / "j.db", SystemClock(), on_commit=rung.set, interval_s=0.05)
    part = WatchedPart("the recorder")
    thread = threading.Thread(target=recorder.run, args=(part,))
    thread.start()
    connection = recorder.open_connection(STRAP)
    connection.receive(numbered(0))
    assert rung.wait(180)
    with busy(tmp_path / "j.db"):
        connection.receive(numbered(1))
        part.end()
        thread.join(0.5)
        assert thread.is_alive(), "the last commit waits for who is writing"
    thread.join(30)
    assert not thread.is_alive()
    assert [octets for *_, octets in stored_notifications_at(tmp_path / "j.db").notifications] == [
        numbered(0),
        numbered(1),
    ]


def test_what_no_waiting_mends_ends_the_thread(tmp_path: Path) -> None:
    """Protects against a daemon that seems to run: a journal that cannot be written at all needs a person."""
    (tmp_path / "j.db").write_bytes(b"these are no rows" * 300)
    recorder = Recorder(tmp_path / "j.db", SystemClock(), on_commit=lambda: None, interval_s=0.01)
    with pytest.raises(Stop, match="damaged"):
        recorder.run(WatchedPart("the recorder"))


def test_what_a_journal_that_stays_broken_costs_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Protects the owner from a hole nobody speaks of: of which strap how much is lost, and from when to when."""
    (tmp_path / "j.db").write_bytes(b"these are no rows" * 300)
    clock = ManualClock()
    recorder = Recorder(
        tmp_path / "j.db", clock, on_commit=lambda: None, interval_s=0.01, last_try_s=0.3, most_bytes=60
    )
    mine, other = recorder.open_connection(STRAP), recorder.open_connection(OTHER)
    for n in range(5):  # more than fit into so little memory
        mine.receive(numbered(n))
        clock.on(1000)
    other.receive(numbered(5))
    part = WatchedPart("the recorder")
    with pytest.raises(Stop, match="damaged"):
        recorder.run(part)
    assert not [r for r in caplog.records if r.levelno == logging.ERROR], (
        "it is started again, and has it all"
    )
    part.end()
    with pytest.raises(Stop, match="damaged"):
        recorder.run(part)
    first, last, only = (
        f"{datetime.fromtimestamp((clock.ahead + ms) / 1000).astimezone():%Y-%m-%d %H:%M:%S}"
        for ms in (60_000, 64_000, 65_000)
    )
    assert [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR] == [
        f"{STRAP}: 5 notifications from {first} to {last} could not be written to the journal; they are lost.",
        f"{OTHER}: 1 notification from {only} to {only} could not be written to the journal; they are lost.",
    ]


def test_a_journal_that_comes_back_costs_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Protects heart rates from a disk that was shaken: what could not be written at first is, as soon as it can be."""
    caplog.set_level(logging.INFO)
    path, part = tmp_path / "j.db", WatchedPart("the recorder")
    path.write_bytes(b"these are no rows" * 300)
    recorder = Recorder(path, SystemClock(), on_commit=lambda: None, interval_s=0.01, last_try_s=120)
    connection = recorder.open_connection(STRAP)
    for n in range(3):
        connection.receive(numbered(n))
    thread = threading.Thread(target=recorder.run, args=(part,))
    thread.start()
    until(lambda: "kept in memory meanwhile" in caplog.text, "the warning")
    path.unlink()
    until(lambda: "written to the journal again" in caplog.text, "the commit")
    part.end()
    thread.join(30)
    assert [octets for *_, octets in stored_notifications_at(path).notifications] == [
        numbered(n) for n in range(3)
    ]
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


# --- power cuts ---


def fed(folder: Path, first: int, connections: int, crash_at: str = "") -> tuple[int, int, int]:
    """Let a process feed a recorder; gives its exit code, how far it had heard, and how far it was told all is safe."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.strap_feeder", str(folder), str(first), str(connections)],
        capture_output=True,
        text=True,
        timeout=HANGS_S,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "HARTSLAG_CRASH_AT": crash_at},
        check=False,
    )
    said = {"heard": first, "committed": first}
    for line in done.stdout.splitlines():
        what, n = line.split()
        said[what] = int(n)
    assert done.returncode in {0, -9}, done.stderr
    return done.returncode, said["heard"], said["committed"]


@pytest.mark.parametrize("which", [1, 2, 3])
@pytest.mark.parametrize("point", STRAP_POINTS)
def test_a_kill_costs_one_interval_at_most(point: str, which: int, tmp_path: Path) -> None:
    """Protects everything that was committed: killed at any step, it is there once, and the next life goes on from it."""
    code, heard, safe = fed(tmp_path, 0, 4, f"{point}:{which}")
    assert code == -9, f"{point} was never reached"
    with Journal(tmp_path / "j.db") as journal:
        left = [octets for *_, octets in stored_notifications(journal).notifications]
        assert left == [numbered(n) for n in range(len(left))]
        assert safe <= len(left) <= heard <= safe + EACH
        assert (journal.faults(), list(journal.broken_chunks())) == ([], [])
    code, after, _ = fed(tmp_path, 1000, 2)
    assert (code, after) == (0, 1000 + 2 * COMMITS * EACH)
    with Journal(tmp_path / "j.db") as journal:
        told = stored_notifications(journal).notifications
        assert [octets for *_, octets in told] == [*left, *(numbered(n) for n in range(1000, after))]
        connections = {(boot, began) for _, boot, began, _, _ in told}
        assert journal.size()["chunks"] == len(connections), "all is merged, what the first life left as well"
        assert rows(tmp_path / "along.db") == filled(journal, tmp_path / "anew.db")


def test_a_kill_at_any_moment_is_survived(tmp_path: Path) -> None:
    """Protects against what no named point stands for: several lives, each killed at some moment, lose no commit."""
    first, expected = 0, 0
    for life in range(6):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.strap_feeder", str(tmp_path), str(first), "1000"],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        assert process.stdout is not None
        for _ in range(40 + 17 * life):
            process.stdout.readline()
        process.kill()
        said = process.stdout.read().splitlines()
        process.wait()
        process.stdout.close()
        whole = [line.split() for line in said if line.split()[1:]]
        committed = [int(n) for what, n in whole if what == "committed"]
        expected = committed[-1] if committed else first
        numbers = [
            int.from_bytes(o[2:4], "little") - 400
            for *_, o in stored_notifications_at(tmp_path / "j.db").notifications
        ]
        assert numbers == sorted(set(numbers))
        assert not committed or expected - 1 in numbers
        first += 3000


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from("hcelbfw"), st.integers(1, 30)), max_size=40))
def test_whatever_happens_nothing_is_lost(happened: list[tuple[str, int]]) -> None:
    """Protects the order of all things: connections, commits, trouble, ends and clock steps in any order."""
    with new_folder() as folder:
        desk = Desk(folder)
        connection, n, block = desk.recorder.open_connection(STRAP), 0, ""
        for what, much in [*happened, ("w", 0), ("c", 1)]:
            match what:
                case "h":
                    desk.beat(connection, n, much)
                    n += much
                case "e":
                    connection.end()
                    connection = desk.recorder.open_connection(STRAP)
                case "l":
                    desk.clock.on(much * HOUR // 7)
                    desk.clock.ahead += (much - 15) * 700
                case "b" | "f" | "w":
                    block = "" if what == "w" else what
                case "c" if block == "b":
                    with busy(desk.path):
                        _try(desk)
                case "c" if block == "f":
                    with full(desk.journal):
                        _try(desk)
                case _:
                    desk.commit()
        assert desk.numbers() == list(range(n))
        assert (desk.journal.faults(), list(desk.journal.broken_chunks())) == ([], [])
        desk.journal.close()


def _try(desk: Desk) -> None:
    """Commit, which may not be possible now."""
    try:
        desk.commit()
    except TryLater:
        desk.journal.last_position()  # it is still there to be read


def test_the_feeder_is_fed(tmp_path: Path) -> None:
    """Protects the tests above: a process that is not killed commits all it hears."""
    assert fed(tmp_path, 0, 2) == (0, 2 * COMMITS * EACH, 2 * COMMITS * EACH)
    until(
        lambda: len(stored_notifications_at(tmp_path / "j.db").notifications) == 2 * COMMITS * EACH,
        "the journal",
    )
