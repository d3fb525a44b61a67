"""Local days and weeks, wherever clocks do odd things."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.zones.test_minutes import CHANGES
from zones.days import day_of, midnights, week_of

HOUR = 3_600_000


def utc(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="minutes")[:16]


@pytest.mark.parametrize(
    ("zone", "day", "hours", "begins"),
    [
        ("Europe/Amsterdam", date(2026, 3, 29), 23, "2026-03-28T23:00"),
        ("Europe/Amsterdam", date(2026, 10, 25), 25, "2026-10-24T22:00"),
        ("America/Sao_Paulo", date(2018, 11, 4), 23, "2018-11-04T03:00"),  # begins at 01:00
        ("America/Sao_Paulo", date(2018, 2, 17), 25, "2018-02-17T02:00"),  # ends after two 23rd hours
        ("Asia/Beirut", date(2021, 3, 28), 23, "2021-03-27T22:00"),  # begins at 01:00
        ("America/Havana", date(2025, 11, 2), 25, "2025-11-02T04:00"),  # has two midnights
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5, "2026-04-04T13:00"),
        ("Pacific/Apia", date(2011, 12, 30), 0, "2011-12-30T10:00"),  # never happened
        ("America/St_Johns", date(2010, 11, 7), 25, "2010-11-07T02:30"),
        ("America/Toronto", date(1919, 3, 31), 23.5, "1919-03-31T04:30"),  # begins at 00:30, after 23:30
        ("Asia/Kathmandu", date(2026, 11, 22), 24, "2026-11-21T18:15"),
    ],
)
def test_odd_days(zone: str, day: date, hours: float, begins: str) -> None:
    """A day begins at its first instant, and is as long as it is."""
    a, b = midnights(zone, day, day + timedelta(days=1)).tolist()
    assert (b - a) / HOUR == hours
    assert utc(a) == begins


@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_midnights_are_first_instants_of_their_date(zone: str, day: date) -> None:
    """The instant itself has the date, the second before has not: checked against the clock of the zone."""
    place = ZoneInfo(zone)
    for i in range(-3, 4):
        date_ = day + timedelta(days=i)
        at = int(midnights(zone, date_, date_)[0])
        after, before = (datetime.fromtimestamp(ms / 1000, place).date() for ms in (at, at - 1000))
        assert before < date_ <= after


@given(
    st.sampled_from([zone for zone, _ in CHANGES]),
    st.lists(st.integers(1_100_000_000_000, 1_800_000_000_000), max_size=5),
)
def test_day_of_agrees_with_the_clock(zone: str, moments: list[int]) -> None:
    """Away from clocks that pass midnight twice, a moment's day is its local date."""
    expected = [datetime.fromtimestamp(ms // 1000, ZoneInfo(zone)).date().toordinal() for ms in moments]
    assert day_of(np.array(moments, np.int64), zone).tolist() == expected


def test_an_hour_that_comes_twice_around_midnight_belongs_to_the_new_day() -> None:
    """Where 00:01 is set back to 23:01, days still follow each other: the new day once begun goes on."""
    begin = int(midnights("America/St_Johns", date(2010, 11, 7), date(2010, 11, 7))[0])
    days = day_of(begin + np.array([-1, 0, 120_000, HOUR, 2 * HOUR], dtype=np.int64), "America/St_Johns")
    assert (days - date(2010, 11, 7).toordinal()).tolist() == [-1, 0, 0, 0, 0]


def test_a_traveller_changes_zone_with_a_day() -> None:
    """From the day of the journey on, days are those of the new place; one is longer or shorter."""
    places = [(date(2020, 1, 1), "Europe/Amsterdam"), (date(2026, 6, 10), "America/New_York")]
    borders = midnights(places, date(2026, 6, 8), date(2026, 6, 12))
    assert (np.diff(borders) / HOUR).tolist() == [24, 30, 24, 24]
    back = midnights(
        [*places, (date(2026, 6, 11), "Pacific/Kiritimati")], date(2026, 6, 9), date(2026, 6, 12)
    )
    assert (np.diff(back) / HOUR).tolist() == [30, 6, 24]
    assert day_of(borders[:1] - 1, places).tolist() == [date(2026, 6, 7).toordinal()]
    over_the_line = [(date(2020, 1, 1), "Pacific/Pago_Pago"), (date(2026, 6, 10), "Pacific/Kiritimati")]
    assert (np.diff(midnights(over_the_line, date(2026, 6, 8), date(2026, 6, 11))) / HOUR).tolist() == [
        24,
        0,
        23,
    ]


def test_midnights_do_not_depend_on_the_first_day_asked() -> None:
    """Who flies east over the date line has the same days in a week, in a day and in a minute that are asked for."""
    places = [(date(2020, 1, 1), "Pacific/Pago_Pago"), (date(2026, 3, 29), "Pacific/Kiritimati")]
    last = date(2026, 4, 3)
    whole = midnights(places, date(2026, 3, 20), last).tolist()
    for i in range(len(whole)):
        assert midnights(places, date(2026, 3, 20) + timedelta(days=i), last).tolist() == whole[i:]


@pytest.mark.parametrize("places", [[], [(date(2026, 1, 2), "UTC"), (date(2026, 1, 1), "UTC")]])
def test_a_muddled_journey_is_refused(places: list[tuple[date, str]]) -> None:
    """Zones out of order would move days about."""
    with pytest.raises(ValueError, match="ascend"):
        midnights(places, date(2026, 1, 1), date(2026, 1, 2))


def test_no_moments_have_no_days() -> None:
    """Nothing in, nothing out."""
    assert day_of(np.empty(0, np.int64), "UTC").tolist() == []


@given(st.dates(date(1990, 1, 1), date(2099, 12, 31)))
def test_weeks_are_those_of_iso_8601(day: date) -> None:
    """From Monday, name and first day are those of the standard, around every new year."""
    start, name = week_of(day)
    year, week, weekday = day.isocalendar()
    assert (name, start) == (f"{year}-W{week:02d}", day - timedelta(days=weekday - 1))


@given(st.dates(date(1990, 1, 1), date(2099, 12, 31)), st.integers(0, 6))
def test_weeks_from_any_day_follow_each_other(day: date, first: int) -> None:
    """Whatever day a week begins with: seven days, consecutive numbers, the year of its fourth day."""
    start, name = week_of(day, first)
    assert start.weekday() == first
    assert 0 <= (day - start).days < 7
    assert {week_of(start + timedelta(days=i), first) for i in range(7)} == {(start, name)}
    number, following = int(name[-2:]), week_of(start + timedelta(days=7), first)[1]
    assert following in (f"{name[:4]}-W{number + 1:02d}", f"{int(name[:4]) + 1}-W01")
    assert name[:4] == str((start + timedelta(days=3)).year)


def test_the_week_of_today() -> None:
    """A Sunday ends the ISO week and begins the American one."""
    assert week_of(date(2026, 11, 22)) == (date(2026, 11, 16), "2026-W47")
    assert week_of(date(2026, 11, 22), 6) == (date(2026, 11, 22), "2026-W47")
    assert week_of(date(2021, 1, 1)) == (date(2020, 12, 28), "2020-W53")
