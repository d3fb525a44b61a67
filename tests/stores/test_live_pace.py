"""What straps tell, on its way to a store at a pace that spares the card: soon enough, whole in the end, and at once where it must."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from ingest.collect.connection import StrapOwner
from ingest.collect.recorder import Recorder
from ingest.collect.strap_state import StrapState
from ingest.journal import Journal
from ingest.rows.cache import RowCache
from ingest.stores.following import follow
from ingest.stores.live_pace import LivePace
from ingest.stores.sqlite import SqliteStore
from tests.support.households import filled, happen, rows, steady
from tests.support.strap_sessions import payload
from tests.support.straps import ManualClock

CONNECTED, GONE = StrapState("connected", "", 80, -60), StrapState("searching", "not heard", 80, None)
COMMIT_S, LATEST_S = 5, 12


class Worn:
    """A strap that is worn, and a store that follows what it tells second by second."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, ManualClock(steady=3_000, ahead=1_700_000_040_000)
        self.pace, self.cache = LivePace(lambda: self.clock.steady / 1000), RowCache()
        self.recorder = Recorder(folder / "journal.db", self.clock, on_commit=lambda: None)
        self.writing = Journal(folder / "journal.db", now_ms=self.clock.wall_ms)
        self.journal = Journal(folder / "journal.db")
        self.store = SqliteStore(folder / "store.db")
        self.owner = StrapOwner("me", "strap F0:00:00:00:00:01")
        self.link = self.recorder.open_connection(self.owner)
        self.recorder.record_state(self.owner, CONNECTED)
        self.seconds = 0

    def close(self) -> None:
        self.store.close()
        self.journal.close()
        self.writing.close()

    def goes_on(self, seconds: int) -> Iterator[int]:
        """Each second: it tells something, commits come every five, and the store is looked after as the daemon does it."""
        for _ in range(seconds):
            self.seconds += 1
            self.clock.on(1000)
            self.link.receive(payload(60 + self.seconds % 90, [700 + self.seconds % 50]))
            if self.seconds % COMMIT_S == 0:
                self.recorder.commit(self.writing)
            self.look()
            yield self.seconds

    def look(self) -> None:
        follow(self.journal, self.store, cache=self.cache, pace=self.pace)

    def newest_ms(self) -> int:
        """Of the heart rates in the store."""
        return max((round(row[0] * 1000) for row in rows(self.folder / "store.db")["heart_rate"]), default=0)

    def is_at_the_end(self) -> bool:
        return self.store.reported_position(self.journal) == self.journal.last_position()


@pytest.fixture
def worn(tmp_path: Path) -> Iterator[Worn]:
    """A strap that was just put on."""
    with closing(Worn(tmp_path)) as made:
        yield made


def test_heart_rates_are_in_the_store_within_seconds(worn: Worn) -> None:
    """Protects who looks at Grafana while moving: what the strap told twelve seconds ago is there, at every second."""
    for second in worn.goes_on(200):
        if second > LATEST_S:
            assert worn.clock.wall_ms() - worn.newest_ms() <= LATEST_S * 1000, second


def test_all_that_is_counted_is_there_soon_after_its_minute(worn: Worn) -> None:
    """Protects the minutes of a week that goes on: each is in the store, whole, a few seconds after it ended."""
    for _ in worn.goes_on(200):
        whole_minutes = (worn.clock.wall_ms() - 2 * COMMIT_S * 1000 - 5000) // 60_000 * 60
        counted = [row for row in rows(worn.folder / "store.db")["minute"] if row[0] < whole_minutes]
        assert len(counted) == max(whole_minutes - worn.clock.ahead // 60_000 * 60, 0) // 60
        assert all(row[-1] == 60 for row in counted[1:])


def test_killed_at_any_second_a_store_comes_to_what_the_journal_says(worn: Worn) -> None:
    """Protects what was written ahead of the position: who starts anew after a kill -9 has every row, and none twice."""
    random, killed = Random(15), worn.folder / "killed"
    for second in worn.goes_on(150):
        if random.random() < 0.15:
            shutil.rmtree(killed, ignore_errors=True)
            killed.mkdir()
            for end in ("", "-wal"):  # as it lies there at this moment; nobody closes it
                shutil.copy(worn.folder / f"store.db{end}", killed / f"store.db{end}")
            with SqliteStore(killed / "store.db") as again:
                assert again.begin(worn.journal) <= worn.journal.last_position()
                follow(worn.journal, again)
            assert rows(killed / "store.db") == filled(worn.journal, killed / "anew.db"), second


def test_the_position_moves_with_the_minute_only(worn: Worn) -> None:
    """Protects the card: days, weeks and workouts that hardly change are not written every few seconds."""
    positions = {worn.store.reported_position(worn.journal) for _ in worn.goes_on(300)}
    assert len(positions) <= 300 / 60 + 2


def test_a_file_a_correction_and_a_strap_that_is_gone_go_at_once(worn: Worn) -> None:
    """Protects who waits for their file, and the end of a workout: nothing but more of the same waits."""
    list(worn.goes_on(90))
    assert not worn.is_at_the_end()
    happen(worn.writing, steady("me", worn.clock.wall_ms() - 7_200_000, 300, 120))
    worn.look()
    assert worn.is_at_the_end()
    list(worn.goes_on(10))
    assert not worn.is_at_the_end()
    worn.link.end()
    worn.recorder.record_state(worn.owner, GONE)
    worn.recorder.commit(worn.writing)
    worn.look()
    assert worn.is_at_the_end()
    assert rows(worn.folder / "store.db") == filled(worn.journal, worn.folder / "anew.db")


def test_what_waits_is_written_though_nothing_more_is_told(worn: Worn) -> None:
    """Protects the last seconds before a strap falls silent without a word: they do not wait for the next ones."""
    list(worn.goes_on(70))
    for _ in range(61):
        worn.clock.on(1000)
        worn.look()
    assert worn.is_at_the_end()


def test_a_store_that_another_process_emptied_is_filled(worn: Worn) -> None:
    """Protects `hartslag rebuild` beside a strap that is worn: what was written ahead is not taken for held."""
    list(worn.goes_on(85))
    with SqliteStore(worn.folder / "store.db") as rebuilding:
        rebuilding.clear(worn.journal)
    list(worn.goes_on(65))
    follow(worn.journal, worn.store)
    assert rows(worn.folder / "store.db") == filled(worn.journal, worn.folder / "anew.db")


def test_early_rows_move_no_position(worn: Worn) -> None:
    """Protects what a restart goes by: heart rates that come before their turn leave the position where it was."""
    list(worn.goes_on(70))
    before = worn.store.reported_position(worn.journal), worn.newest_ms()
    list(worn.goes_on(30))
    assert worn.newest_ms() > before[1]
    assert worn.store.reported_position(worn.journal) == before[0]
