"""What a follower remembers: days that nothing touched, and never a day that something did."""

from pathlib import Path

import numpy as np

from ingest.rows.cache import MOST, MOST_COUNTED, MOST_ROWS, RowCache
from ingest.rows.day import Day
from ingest.rows.minute import CountedMinutes
from ingest.rows.strap_session import StrapMinutes
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
from tests.support.households import DAY, Noted, at, filled, happen, household, rows, steady
from zones.minutes import Minutes
from zones.spans import Spans

START = at("2026-11-16T10:00+01:00")
HOME = Noted("Jan", (("moderate_bpm", 110), ("vigorous_bpm", 140), ("zone", "Europe/Amsterdam")))


def test_what_another_process_brought_into_the_store_is_not_missed(tmp_path: Path) -> None:
    """Protects the week when a rebuild beside the daemon moved the store on: days remembered from before are let go."""
    with household(tmp_path, [HOME, steady("Jan", START, 600, 120)]) as journal:
        cache = RowCache()
        with SqliteStore(tmp_path / "s.db") as store:
            follow(journal, store, cache=cache)
            happen(journal, steady("Jan", START + 3600_000, 600, 120))
            filled(journal, tmp_path / "s.db")  # another one, without this memory
            happen(journal, steady("Jan", START + DAY, 600, 120))
            follow(journal, store, cache=cache)
        assert rows(tmp_path / "s.db") == filled(journal, tmp_path / "anew.db")


def test_a_day_that_is_over_is_kept_as_sums(tmp_path: Path) -> None:
    """Protects a Pi that follows for weeks: minute by minute only what goes on is kept, and a day that just ended."""
    morning = at("2026-11-16T00:00+01:00")
    with household(tmp_path, [HOME]) as journal, SqliteStore(tmp_path / "s.db") as store:
        cache, kept = RowCache(), []
        for hour in (10, 23, 25, 40):
            happen(journal, steady("Jan", morning + hour * 3600_000, 600, 120))
            follow(journal, store, cache=cache)
            days = [morning, morning + DAY]
            kept.append([cache.minutes((1, a, a + DAY)) is not None for a in days])
        assert kept == [[True, True], [True, True], [True, True], [False, True]]
        assert rows(tmp_path / "s.db") == filled(journal, tmp_path / "anew.db")


def test_memory_is_bounded() -> None:
    """Protects a Pi that follows for years: days as sums, fewer of them minute by minute."""
    cache = RowCache()
    counted = CountedMinutes(Minutes.none(), StrapMinutes.none(), Spans.none(), Spans.none())
    day = Day(zones_ms=np.zeros(5, np.int64), resting_bpm=0.0, quiet_ms=0, strap_sessions=())
    for i in range(2 * MOST):
        cache.store((1, i, i + 1), day, counted)
        cache.row("session", (1, i, i + 1), i, dict)
        cache.row("session", (1, i, i + 1), -i, dict)
        cache.row("session", (1, i, i + 1), None, dict)
    assert cache.day((1, 0, 1)) is None
    assert cache.day((1, 2 * MOST - 1, 2 * MOST)) is day
    held = [cache.minutes((1, i, i + 1)) is not None for i in range(2 * MOST)]
    assert sum(held) == MOST_COUNTED
    assert len(cache._rows) == MOST_ROWS
