"""Where time is cut: local days of 23 and 25 hours, the turn of the year, midnight within a workout, chunks."""

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ingest.rows.calendar import Calendar
from ingest.rows.profile import read_profile
from ingest.rows.week import count_week
from tests.support.households import (
    HOUR,
    MINUTE,
    Claim,
    Copies,
    Event,
    Fact,
    Limits,
    Noted,
    Recording,
    S,
    Workout,
    at,
    filled,
    happen,
    household,
    steady,
)
from tests.support.strap_sessions import StrapConnection, wear_strap
from zones.days import midnights

HOME = Noted("Jan", (("moderate_bpm", 110), ("vigorous_bpm", 140), ("zone", "Europe/Amsterdam")))


def table(folder: Path, name: str, *happened: Event) -> list[tuple[Any, ...]]:
    """The rows of one table of a household in which this happened."""
    with household(folder, happened) as journal:
        return filled(journal, folder / "store.db")[name]


@pytest.mark.parametrize(
    ("midnight", "hours"),
    [("2026-03-29T00:00+01:00", 23), ("2026-10-25T00:00+02:00", 25), ("2026-11-16T00:00+01:00", 24)],
)
def test_a_local_day_is_as_long_as_it_is(tmp_path: Path, midnight: str, hours: int) -> None:
    """Protects the days around clock changes: all of a day in one row, stamped at its own midnight."""
    first = at(midnight)
    all_day = [
        steady("Jan", first + i * 12 * HOUR, 12 * 3600, 120, step_s=10) for i in range(-1, 4)
    ]  # from the half day before to after the end
    days = {row[0]: row[7] for row in table(tmp_path, "day", HOME, *all_day)}
    assert days[first / 1000] == hours * 3600
    assert days[first / 1000 + hours * 3600] > 0


def test_the_turn_of_the_year_is_one_week(tmp_path: Path) -> None:
    """Protects week 53: 28 December 2026 to 3 January 2027 belong together, 4 January does not."""
    days = ["2026-12-27", "2026-12-28", "2026-12-31", "2027-01-01", "2027-01-03", "2027-01-04"]
    walks = [steady("Jan", at(f"{day}T12:00+01:00"), 600, 120) for day in days]
    weeks = [(row[0], row[2]) for row in table(tmp_path, "week", HOME, *walks)]
    assert weeks == [
        (at("2026-12-21T00:00+01:00") / 1000, 10.0),
        (at("2026-12-28T00:00+01:00") / 1000, 40.0),
        (at("2027-01-04T00:00+01:00") / 1000, 10.0),
    ]


def test_a_workout_over_midnight_is_one_session_in_two_days(tmp_path: Path) -> None:
    """Protects sessions that end in the next week: one row with all its seconds, and a share for each day and week."""
    start = at("2026-11-15T23:40+01:00")
    run = steady("Jan", start, 3600, 150, cuts=(start + 20 * MINUTE,))
    happened: list[Event] = [HOME, run, Workout("Jan", "watch", start, start + HOUR)]
    with household(tmp_path, happened) as journal:
        found = filled(journal, tmp_path / "store.db", portion=1)
    ((time, _, _, sport, duration, mean, _, moderate, vigorous, dose, *_),) = found["session"]
    assert (time, sport, duration, mean) == (start / 1000, "running", 3600.0, 150.01)
    assert (moderate, vigorous, dose) == (0.0, 3600.0, 120.0)
    assert [row[4] for row in found["day"]] == [1200.0, 2400.0]
    assert [row[3] for row in found["week"]] == [20.0, 40.0]


def test_cuts_between_chunks_are_no_gaps(tmp_path: Path) -> None:
    """Protects live recordings: chunk after chunk, also over midnight, counts as if it were one."""
    start = at("2026-11-16T23:00+01:00")
    bpm = tuple((start + i * 7 * S, 100 + i % 60) for i in range(1000))
    end = bpm[-1][0] + 7 * S
    whole = Recording("Jan", "watch", "activity", bpm, end)
    cut = Recording("Jan", "watch", "activity", bpm, end, cuts=tuple(t for t, _ in bpm[::13]))
    assert table(tmp_path / "a", "minute", HOME, whole) == table(tmp_path / "b", "minute", HOME, cut)
    assert sum(row[10] for row in table(tmp_path / "c", "minute", HOME, cut)) == 7000.0


def test_a_damaged_copy_leaves_no_trace(tmp_path: Path) -> None:
    """Protects "half-copied and then whole": after it came whole, rows are as if it had never come otherwise."""
    start = at("2026-11-16T10:00+01:00")
    whole: tuple[Fact, ...] = (
        steady("Jan", start, 600, 120),
        Workout("Jan", "watch", start, start + 600 * S),
        Limits("Jan", start, 185),
    )
    # What was damaged said other things, also of another time: its maximum decided about all that is measured.
    damaged: tuple[Fact, ...] = (
        steady("Jan", start, 400, 170),
        steady("Jan", start + 30 * HOUR, 400, 170),
        Workout("Jan", "watch", start + 30 * HOUR, start + 31 * HOUR),
        Claim("Jan", "watch", start + 60 * HOUR, start + 61 * HOUR, 5.0),
        Limits("Jan", start, 120),
    )
    before = steady("Jan", start - 100 * HOUR, 600, 100)
    zone = Noted("Jan", (("zone", "Europe/Amsterdam"),))
    with household(tmp_path / "a", [zone, before]) as journal:
        found = filled(journal, tmp_path / "a.db")
        happen(journal, Copies(damaged, whole))
        found = filled(journal, tmp_path / "a.db", portion=1)
    with household(tmp_path / "b", [zone, before, *whole]) as journal:
        expected = filled(journal, tmp_path / "b.db")
    assert {n: rows for n, rows in found.items() if n != "collector"} == {
        n: rows for n, rows in expected.items() if n != "collector"
    }


def test_limits_govern_from_their_moment_on_and_the_first_also_before(tmp_path: Path) -> None:
    """Protects history: a new maximum in the watch changes what comes after it, whichever file came first."""
    days = [at(f"2026-11-{day}T12:00+01:00") for day in (10, 12, 14)]
    walks = [steady("Jan", day, 60, 118) for day in days]
    old, new = Limits("Jan", days[0], 180), Limits("Jan", days[1], 190)  # moderate from 115, from 122
    orders: list[list[Event]] = [[old, *walks, new], [new, *walks, old], [*walks, old, new]]
    for i, happened in enumerate(orders):
        found = table(tmp_path / str(i), "day", *happened)
        assert [row[3] for row in found] == [60.0, 0.0, 0.0]
    assert [row[3] for row in table(tmp_path / "one", "day", *walks, new)] == [0.0] * 3


def test_a_maximum_that_is_none_decides_nothing(tmp_path: Path) -> None:
    """Protects all that is measured from a watch that says 240: the next true maximum still governs from the beginning."""
    start = at("2026-11-16T10:00+01:00")
    happened: list[Event] = [
        steady("Jan", start, 60, 150),
        Limits("Jan", start, 240),
        Limits("Jan", start + HOUR, 185),
    ]
    with household(tmp_path, happened) as journal:
        ((*_, vigorous, _, unclassified, measured, _, _, _, _),) = filled(
            journal, tmp_path / "s.db", portion=1
        )["day"]
    assert (vigorous, unclassified, measured) == (60.0, 0.0, 60.0)


def test_without_any_limits_time_is_unclassified_and_a_year_of_birth_mends_it(tmp_path: Path) -> None:
    """Protects "unknown is not zero", and the one line that the owner is asked for."""
    start = at("2026-11-16T10:00+01:00")
    with household(tmp_path, [steady("Jan", start, 600, 150)]) as journal:
        ((*_, unclassified, measured, dose, _, _, _),) = filled(journal, tmp_path / "s.db")["day"]
        assert (unclassified, measured, dose) == (600.0, 600.0, None)
        happen(journal, Noted("Jan", (("born", 1970), ("zone", "Europe/Amsterdam"))))
        ((*_, unclassified, measured, dose, _, _, _),) = filled(journal, tmp_path / "s.db")["day"]
        # 211 - 0.64 x 56 = 175; 77 % of it is 135
        assert (unclassified, measured, dose) == (0.0, 600.0, 20.0)


@pytest.mark.parametrize("born", [1900, 1926, 1970, 2015, 2026])
def test_every_year_of_birth_that_settings_allow_gives_edges(tmp_path: Path, born: int) -> None:
    """Protects the oldest and the youngest in the house from a formula that ends before they do."""
    start = at("2026-11-16T10:00+01:00")
    happened: list[Event] = [
        Noted("Jan", (("born", born), ("zone", "Europe/Amsterdam"))),
        steady("Jan", start, 60, 200),
    ]
    ((*_, unclassified, measured, _, _, _, _),) = table(tmp_path, "day", *happened)
    assert (unclassified, measured) == (0.0, 60.0)


def test_raised_heart_rate_without_movement_is_elevated(tmp_path: Path) -> None:
    """Protects the dose from fever and stairs in dreams: an all-day watch counts only where it saw movement."""
    start = at("2026-11-16T10:00+01:00")
    moved = ((start + 5 * MINUTE, start + 8 * MINUTE),)
    watch = steady("Jan", start, 1200, 120, source="all-day", kind="monitoring", step_s=60, movement=moved)
    ((_, _, light, moderate, _, elevated, _, measured, _, _, _, _),) = table(tmp_path, "day", HOME, watch)
    assert (light, moderate, elevated, measured) == (0.0, 180.0, 1020.0, 1200.0)


def test_what_is_said_of_a_time_without_heart_rate_is_kept(tmp_path: Path) -> None:
    """Protects workouts without a sensor and the watch's own claims: they are rows although nothing was measured."""
    start = at("2026-11-16T10:00+01:00")
    said: list[Event] = [
        Workout("Jan", "watch", start, start + HOUR, 3000.0),
        Claim("Jan", "all-day", start, start + 24 * HOUR, 30.0),
    ]
    elsewhere = steady("Jan", start + 72 * HOUR, 60, 100)
    for i, happened in enumerate([[*said, elsewhere], [elsewhere, *said]]):
        with household(tmp_path / str(i), [HOME, *happened]) as journal:
            found = filled(journal, tmp_path / f"{i}.db", portion=1)
        assert [row[3:6] for row in found["session"]] == [("running", 3000.0, None)]
        assert [row[3] for row in found["claim"]] == [30.0]
        assert len(found["minute"]) == 1, "and what was measured that week is still there"


def test_a_workout_of_no_length_is_a_row_without_heart_rate(tmp_path: Path) -> None:
    """Protects the store from a workout stopped in the second it began: nothing is divided by nothing."""
    start = at("2026-11-16T10:00+01:00")
    happened: list[Event] = [steady("Jan", start, 60, 150), Workout("Jan", "watch", start + S, start + S)]
    ((_, _, _, _, duration, mean, highest, *_),) = table(tmp_path, "session", *happened)
    assert (duration, mean, highest) == (0.0, None, None)


def stretches(folder: Path, *happened: Recording | StrapConnection) -> list[tuple[int, int]]:
    """The stretches of time in which the week from 16 November 2026 is counted."""
    found: list[tuple[int, int]] = []
    with household(folder, [HOME]) as journal:
        for event in happened:
            with journal.write() as w:
                event.write(w)
        person = journal.person("Jan")
        assert person
        known = read_profile(journal, person.id)
        count_week(journal, person, known, date(2026, 11, 16), lambda a, b, *_: found.append((a, b)))
    return found


def test_a_usual_week_is_counted_in_one_go(tmp_path: Path) -> None:
    """Protects the speed of a long history: an hour a day is no reason to go through a week seven times."""
    monday = at("2026-11-16T00:00+01:00")
    hours = [steady("Jan", monday + i * 24 * HOUR + 17 * HOUR, 3600, 120) for i in range(7)]
    assert stretches(tmp_path, *hours) == [(monday, monday + 7 * 24 * HOUR)]


@pytest.mark.parametrize("kind", ["strap", "file"])
def test_a_week_of_beats_needs_no_memory_of_a_week(tmp_path: Path, kind: str) -> None:
    """Protects the memory of a small Pi: days with much in them are counted by themselves, whatever it is that came."""
    monday = at("2026-11-16T00:00+01:00")
    starts = [monday + i * 24 * HOUR + 8 * HOUR for i in range(3)]
    seconds = 26_000
    if kind == "strap":
        found = stretches(tmp_path, *(wear_strap(start, [100] * seconds, rr=False) for start in starts))
    else:
        found = stretches(tmp_path, *(steady("Jan", start, seconds, 100) for start in starts))
    assert found[:2] == [(monday, monday + 24 * HOUR), (monday + 24 * HOUR, monday + 48 * HOUR)]
    assert found[-1][1] == monday + 7 * 24 * HOUR
    assert all(one[1] == other[0] for one, other in pairwise(found))


def test_a_minute_of_two_days_is_divided_between_them(tmp_path: Path) -> None:
    """Protects days where local time was not whole minutes off: Monrovia was 44 min 30 s behind until 1972."""
    midnight = at("1971-02-03T00:44:30+00:00")
    there = Noted("Jan", (("moderate_bpm", 110), ("vigorous_bpm", 140), ("zone", "Africa/Monrovia")))
    days = table(tmp_path, "day", there, steady("Jan", midnight - 100 * S, 300, 120))
    assert [(row[0], row[7]) for row in days] == [(midnight / 1000 - 86_400, 100.0), (midnight / 1000, 200.0)]


def test_a_pause_without_an_end_goes_on_until_the_next_one() -> None:
    """A relapse does not say when it is over: no week of it is judged, and the end that is added later ends it."""
    relapse = {"from": "2026-11-04", "why": "a relapse"}
    later = {"from": "2026-11-23", "to": "2026-11-29", "why": "a holiday"}
    mondays = [date(2026, 10, 26) + timedelta(weeks=i) for i in range(7)]
    known = Calendar.of({"pause": [later, relapse]})
    assert [known.not_judged(m) for m in mondays] == [None, *["a relapse"] * 3, "a holiday", None, None]
    still = Calendar.of({"pause": [relapse]})
    assert [still.not_judged(m) for m in mondays] == [None, *["a relapse"] * 6]
    ended = Calendar.of({"pause": [{**relapse, "to": "2026-11-08"}]})
    differ = still.differences(ended)
    assert int(differ.start[0]) == int(midnights("UTC", mondays[2], mondays[2])[0])
