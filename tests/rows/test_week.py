"""Which weeks are counted: all in which anything lies, wherever their borders are."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ingest.rows.cache import RowCache
from ingest.rows.profile import read_profile
from ingest.rows.table import TABLES
from ingest.rows.week import count_week, weeks_with_data
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
from tests.support.households import DAY, HOUR, MINUTE, Noted, at, filled, happen, household, rows, steady
from tests.support.strap_sessions import StrapConnection, happen_all, payload
from zones.spans import Spans

MONDAY = at("2026-11-16T00:00+01:00")
AMSTERDAM = Noted("Jan", (("zone", "Europe/Amsterdam"),))
LATE = StrapConnection(
    tuple(
        (at, octets)
        for at, octets in [
            (MONDAY + 300 + i * 1000, payload(60, [1000, 1010 + i % 5 * 9] if i < 2 else [1024 + i % 5 * 9]))
            for i in range(60)
        ]
    )
)
"""A connection that begins with the week and tells first of a beat that lies before it."""

LIMITS = (("moderate_bpm", 100), ("target_min", 30), ("vigorous_bpm", 140), ("zone", "Europe/Amsterdam"))


@pytest.mark.parametrize(
    "later",
    [
        Noted("Jan", (("zone", "UTC"),)),
        Noted("Jan", (("week_begins", "sunday"), ("zone", "Europe/Amsterdam"))),
    ],
)
def test_beats_before_the_first_midnight_of_a_week_stay_where_they_were(tmp_path: Path, later: Noted) -> None:
    """Protects the beats of the second before a week in which a strap was put on: nothing else lies in the week before."""
    with household(tmp_path, [AMSTERDAM]) as journal:
        happen_all(journal, [LATE])
        cache = RowCache()
        with SqliteStore(tmp_path / "along.db") as store:
            follow(journal, store, cache=cache)
            first = rows(tmp_path / "along.db")["beat"]
            happen(journal, later)
            follow(journal, store, cache=cache)
        along, anew = rows(tmp_path / "along.db"), filled(journal, tmp_path / "anew.db")
    assert first[0][0] * 1000 < MONDAY
    assert along == anew


def test_a_week_is_found_by_what_lies_in_it(tmp_path: Path) -> None:
    """Protects the first days of weeks from a chunk that ends where they begin or begins where they end."""
    monday, next_monday = date(2026, 11, 16), date(2026, 11, 23)
    begins, ends = MONDAY, MONDAY + 7 * DAY
    with household(
        tmp_path, [AMSTERDAM, steady("Jan", begins, 60, 80), steady("Jan", ends, 60, 80)]
    ) as journal:
        (jan,) = journal.persons()
        profile = read_profile(journal, jan.id)
        assert weeks_with_data(journal, jan, profile) == [next_monday, monday]
        assert weeks_with_data(journal, jan, profile, begins, ends) == [monday]
        assert weeks_with_data(journal, jan, profile, ends, ends + DAY) == [next_monday]
        assert weeks_with_data(journal, jan, profile, begins - DAY, begins) == []
        assert weeks_with_data(journal, jan, profile, begins - DAY, begins, beats=True) == [date(2026, 11, 9)]
        assert weeks_with_data(journal, jan, profile, ends + DAY, ends + 2 * DAY) == []


def test_a_day_is_active_from_ten_minutes_of_what_counts_on(tmp_path: Path) -> None:
    """Protects the count of active days: moderate and vigorous minutes add up, others do not, and ten are enough."""
    limits = (("moderate_bpm", 100), ("vigorous_bpm", 140), ("zone", "Europe/Amsterdam"))
    days = [
        steady("Jan", MONDAY, 600, 110),
        steady("Jan", MONDAY + DAY, 595, 110),
        steady("Jan", MONDAY + 2 * DAY, 300, 110),
        steady("Jan", MONDAY + 2 * DAY + HOUR, 300, 150),
        steady("Jan", MONDAY + 3 * DAY, 3600, 80),
    ]
    with household(tmp_path, [Noted("Jan", limits), *days]) as journal:
        (week,) = filled(journal, tmp_path / "store.db")["week"]
    assert week[7] == 2


@pytest.mark.parametrize(
    ("facts", "minutes", "met"),
    [
        (LIMITS, 29, 0),
        (LIMITS, 30, 1),
        (LIMITS, 31, 1),
        ((("not_judged", ["2026-W47"]), *LIMITS), 31, None),
        ((("target_min", 30), ("zone", "Europe/Amsterdam")), 31, None),
    ],
)
def test_a_week_is_met_or_not_or_neither(
    tmp_path: Path, facts: tuple[tuple[str, Any], ...], minutes: int, met: int | None
) -> None:
    """Protects the answer of a week: yes from the target on, no before it, and neither where nothing is held against it."""
    with household(
        tmp_path, [Noted("Jan", tuple(sorted(facts))), steady("Jan", MONDAY, minutes * 60, 110)]
    ) as journal:
        (week,) = filled(journal, tmp_path / "store.db")["week"]
    columns = ("time", *TABLES["week"].tags, *TABLES["week"].fields)
    assert dict(zip(columns, week, strict=True))["met"] == met


def test_a_stretch_that_is_counted_in_one_go_ends_at_what_the_cache_holds(tmp_path: Path) -> None:
    """Protects a store that follows from counting days that nothing touched: what is counted again is one day, of the newest a minute."""
    days = [steady("Jan", MONDAY + i * DAY + HOUR, 600, 110) for i in range(7)]
    counted: list[tuple[int, int]] = []
    with household(tmp_path, [AMSTERDAM, *days]) as journal:
        (jan,) = journal.persons()
        profile, cache = read_profile(journal, jan.id), RowCache()

        def count() -> list[tuple[int, int]]:
            counted.clear()
            count_week(
                journal, jan, profile, date(2026, 11, 16), lambda a, b, *_: counted.append((a, b)), cache
            )
            return [*counted]

        assert count() == [(MONDAY, MONDAY + 7 * DAY)]
        assert count() == []
        cache.invalidate(jan.id, Spans.of([MONDAY + DAY], [MONDAY + DAY + MINUTE]))
        assert count() == [(MONDAY + DAY, MONDAY + 2 * DAY)]
        last = MONDAY + 6 * DAY + HOUR
        cache.invalidate(jan.id, Spans.of([last], [last + MINUTE]))
        assert count() == [(last, last + MINUTE)]
        cache.invalidate(jan.id + 1, Spans.of([MONDAY], [MONDAY + 7 * DAY]))
        assert count() == []
