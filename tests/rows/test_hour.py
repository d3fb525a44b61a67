"""Active minutes by the hours of the clock: where a person is, whatever is done to the clock there."""

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.rows.cache import RowCache
from ingest.rows.hour import DAY_MS, HOUR_MS, clock_hours
from ingest.rows.recount import recount_rows
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
from tests.support.happenings import events, new_folder
from tests.support.households import (
    DAY,
    HOUR,
    MINUTE,
    Event,
    Noted,
    Recording,
    S,
    a_file,
    at,
    came_in,
    filled,
    happen,
    household,
    rows,
    steady,
)

LIMITS = (("moderate_bpm", 110), ("vigorous_bpm", 140))


def home(zone: str, *facts: tuple[str, object]) -> Noted:
    return Noted("Jan", tuple(sorted((*LIMITS, ("zone", zone), *facts))))


def hours_of(folder: Path, *happened: Event) -> list[tuple[float, float, int, int]]:
    """Time (s), active minutes, weekday and hour of each row."""
    with household(folder, happened) as journal:
        found = filled(journal, folder / "store.db")["hour"]
    return [(row[0], *row[2:]) for row in found]


def test_minutes_that_count_are_told_by_the_hour(tmp_path: Path) -> None:
    """Protects the map of cool hours: a walk over a full hour is in both, a quiet hour in none, vigorous ones count once."""
    ten = at("2026-11-17T10:00+01:00")
    walk = steady("Jan", ten - 5 * MINUTE, 20 * 60, 120)
    quiet, run = steady("Jan", ten + 3 * HOUR, 600, 90), steady("Jan", ten + 5 * DAY, 600, 150)
    assert hours_of(tmp_path, home("Europe/Amsterdam"), walk, quiet, run) == [
        ((ten - HOUR) / 1000, 5.0, 2, 9),
        (ten / 1000, 15.0, 2, 10),
        ((ten + 5 * DAY) / 1000, 10.0, 7, 10),
    ]


def test_the_hour_that_comes_twice_has_two_rows(tmp_path: Path) -> None:
    """Protects the night in autumn: what was done in each of the two hours stays apart."""
    first = at("2026-10-25T02:00+02:00")
    walks = [steady("Jan", first + i * HOUR + 30 * MINUTE, (i + 1) * 300, 120) for i in range(3)]
    assert hours_of(tmp_path, home("Europe/Amsterdam"), *walks) == [
        (first / 1000, 5.0, 7, 2),
        ((first + HOUR) / 1000, 10.0, 7, 2),
        ((first + 2 * HOUR) / 1000, 15.0, 7, 3),
    ]


def test_a_clock_that_is_changed_within_an_hour_begins_another(tmp_path: Path) -> None:
    """Protects Lord Howe Island, where half past one comes twice, and Nepal, whose hours begin at other minutes."""
    again = at("2026-04-05T01:30+10:30")
    assert hours_of(tmp_path / "a", home("Australia/Lord_Howe"), steady("Jan", again - HOUR, 7200, 120)) == [
        ((again - HOUR) / 1000, 60.0, 7, 1),
        (again / 1000, 30.0, 7, 1),
        ((again + HOUR / 2) / 1000, 30.0, 7, 2),
    ]
    walk = steady("Jan", at("2026-11-17T10:50+05:45"), 1200, 120)
    assert hours_of(tmp_path / "b", home("Asia/Kathmandu"), walk) == [
        (at("2026-11-17T10:00+05:45") / 1000, 10.0, 2, 10),
        (at("2026-11-17T11:00+05:45") / 1000, 10.0, 2, 11),
    ]


def test_on_a_journey_hours_are_those_of_the_day_there(tmp_path: Path) -> None:
    """Protects who travels: a day that ends by the clock of another zone has hours more, of that same weekday."""
    travel = ("travel", [{"from": "2026-11-18", "to": "2026-11-18", "zone": "America/New_York"}])
    walks = [
        steady("Jan", at(moment), 600, 120)
        for moment in ("2026-11-17T23:00+01:00", "2026-11-18T03:00+01:00", "2026-11-18T03:00-05:00")
    ]
    assert [row[2:] for row in hours_of(tmp_path, home("Europe/Amsterdam", travel), *walks)] == [
        (2, 23),
        (2, 3),
        (3, 3),
    ]


ZONES = ("Europe/Amsterdam", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia")
changes = st.sampled_from(
    [
        "2026-03-29T01:00Z",
        "2026-10-25T01:00Z",
        "2026-04-04T15:00Z",
        "2026-10-03T15:30Z",
        "2009-11-01T02:31Z",  # one minute past midnight in Newfoundland
        "2011-12-30T10:00Z",  # the day that Samoa left out
    ]
).map(at)


@given(st.sampled_from(ZONES), changes, st.integers(-2 * DAY_MS // S, 2 * DAY_MS // S))
def test_the_hours_of_a_span_are_all_of_it_and_each_is_one_hour_of_the_clock(
    zone: str, change: int, offset: int
) -> None:
    """Protects every clock there is: asked second by second it shows the same hour from a beginning to the next one."""
    start = change + offset // 60 * MINUTE
    end = start + DAY_MS
    begins, hours = clock_hours(zone, start, end)
    assert begins[0] == start
    borders = [*begins.tolist(), end]
    for (a, b), hour in zip(pairwise(borders), hours, strict=True):
        assert 0 < b - a <= HOUR_MS
        shown = [_clock(zone, at) for at in (a, (a + b) // 2000 * 1000, b - S)]
        assert {local.hour for local in shown} == {hour}
        assert len({local.utcoffset() for local in shown}) == 1
        after = _clock(zone, b)
        assert after.hour != hour or after.utcoffset() != shown[0].utcoffset() or b == end


def _clock(zone: str, at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo(zone))


@settings(max_examples=30)
@given(st.lists(events, min_size=1, max_size=8))
def test_hours_add_up_to_their_days(happened: list[Event]) -> None:
    """Protects the map from telling another sum than the week: each active minute of a day is in one of its hours."""
    with new_folder() as folder, household(folder, happened) as journal:
        found = filled(journal, folder / "store.db")
    for person in ("Jan", "Piet"):
        days = [(row[0], (row[3] + row[4]) / 60) for row in found["day"] if row[1] == person]
        hours = [row for row in found["hour"] if row[1] == person]
        begins = np.array([time for time, _ in days])
        of_day = np.searchsorted(begins, [row[0] for row in hours], side="right") - 1
        sums = np.bincount(of_day, [row[2] for row in hours], len(days))
        assert sums.tolist() == pytest.approx([minutes for _, minutes in days])
        assert all(row[2] > 0 for row in hours)


def test_a_live_minute_rewrites_its_hour_alone(tmp_path: Path) -> None:
    """Protects a card and a server from the hours of all the day whenever a strap says something."""
    start = at("2026-11-17T10:00+01:00")
    with household(tmp_path, [home("Europe/Amsterdam")]) as journal:
        cache = RowCache()
        with SqliteStore(tmp_path / "along.db") as store:
            happen(journal, steady("Jan", start, 5400, 120, source="strap", kind="strap"))
            follow(journal, store, cache=cache)
            position = journal.last_position()
            happen(journal, steady("Jan", start + 5400 * S, 60, 120, source="strap", kind="strap"))
            blocks = [b for p in recount_rows(journal, journal.entries(position), cache) for b in p]
    (hour,) = [b for b in blocks if b.table == "hour"]
    assert (hour.start_us // 1000, hour.end_us // 1000) == (start + HOUR, start + 2 * HOUR)
    assert hour.fields["active_min"].tolist() == [31.0]
    assert {b.table for b in blocks if b.table == "pause"} == set(), "no strap has a timer"


def test_hours_of_what_was_replaced_or_is_no_more_classified_vanish(tmp_path: Path) -> None:
    """Protects the map from hours of a damaged file, and from limits that hold no more: nothing stays that is not so."""
    walk = steady("Jan", at("2026-11-17T10:00+01:00"), 600, 120)
    with household(tmp_path, [home("Europe/Amsterdam")]) as journal, SqliteStore(tmp_path / "s.db") as store:

        def hours() -> int:
            follow(journal, store)
            found = rows(tmp_path / "s.db")
            assert found == filled(journal, tmp_path / f"{journal.last_position()}.db")
            return len(found["hour"])

        with journal.write() as w:
            person = w.person("Jan")
            damaged = a_file(w, person, "partial")
            walk.write(w, damaged)
            came_in(w, person, damaged, "partial")
        assert hours() == 1
        happen(journal, Noted("Jan", (("zone", "Europe/Amsterdam"),)))
        assert hours() == 0
        happen(journal, home("Europe/Amsterdam"))
        assert hours() == 1
        with journal.write() as w:
            came_in(w, person, a_file(w, person), "stored", [damaged])
        assert hours() == 0


def test_a_recording_of_a_day_without_movement_has_no_hour(tmp_path: Path) -> None:
    """Protects all-day watches from rows of nothing: only hours with minutes that count are rows."""
    start = at("2026-11-17T00:00+01:00")
    samples = tuple((start + i * MINUTE, 115 + i % 3) for i in range(600))
    still = Recording("Jan", "all-day", "monitoring", samples, start + 600 * MINUTE, movement=())
    assert hours_of(tmp_path, home("Europe/Amsterdam"), still) == []
