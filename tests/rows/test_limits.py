"""The limits that are told every ten minutes: those that minutes were counted by, whatever is said or heard of later."""

import sqlite3
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from ingest.journal import Journal
from ingest.rows.cache import RowCache
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
from tests.support.households import (
    DAY,
    HOUR,
    MINUTE,
    Event,
    Limits,
    Noted,
    S,
    Workout,
    a_file,
    at,
    came_in,
    filled,
    happen,
    household,
    rows,
    steady,
)

START = at("2026-11-16T12:00+01:00")
REST: list[Event] = [steady("Jan", START, 6000, 70), steady("Jan", START + DAY, 1200, 70)]
"""Ten times ten quiet minutes and twice a day later: in no zone but light, whatever is said."""

USUAL, RUNNING = (110, 140), (130, 160)
SPORT: dict[str, Any] = {"sport": [{"name": "running", "offset_bpm": 20}]}
RUN = Workout("Jan", "watch", START + 20 * MINUTE, START + 50 * MINUTE + 40 * S)


def said(**facts: Any) -> Noted:
    known = {"zone": "Europe/Amsterdam", "moderate_bpm": 110, "vigorous_bpm": 140, **facts}
    return Noted("Jan", tuple(sorted((name, fact) for name, fact in known.items() if fact is not None)))


def limits(found: dict[str, list[tuple[Any, ...]]]) -> list[tuple[int | None, int | None]]:
    return [row[-2:] for row in found["limits"]]


def limits_along(folder: Path, journal: Journal, cache: RowCache) -> list[tuple[int | None, int | None]]:
    """Those of a store that has followed so far, which are those of one that is made anew."""
    with SqliteStore(folder / "along.db") as store:
        follow(journal, store, cache=cache)
    found = rows(folder / "along.db")
    assert found == filled(journal, folder / f"{journal.last_position()}.db"), "a rebuild gives the same"
    return limits(found)


def test_ten_minutes_tell_the_limits_that_their_first_one_ends_with(tmp_path: Path) -> None:
    """Protects the band in a chart from another sport's limits: those that rule at the end of the first minute are told."""
    with household(tmp_path, [said(**SPORT), *REST, RUN]) as journal:
        found = filled(journal, tmp_path / "store.db")
    assert limits(found) == [USUAL] * 2 + [RUNNING] * 3 + [USUAL] * 7


def test_quiet_time_gets_the_limits_that_are_said_of_them_later(tmp_path: Path) -> None:
    """Protects the band from limits that hold no more, where not one second changes its zone."""
    entry = {"from": "2026-11-17", "moderate_bpm": 120, "vigorous_bpm": 150}
    cache = RowCache()
    with household(tmp_path, [said(), *REST, RUN]) as journal:
        assert limits_along(tmp_path, journal, cache) == [USUAL] * 12
        happen(journal, said(profile=[entry]))
        assert limits_along(tmp_path, journal, cache) == [USUAL] * 10 + [(120, 150)] * 2
        happen(journal, said(profile=[{**entry, "moderate_bpm": 115}]))
        assert limits_along(tmp_path, journal, cache) == [USUAL] * 10 + [(115, 150)] * 2
        happen(journal, said(**SPORT))
        assert limits_along(tmp_path, journal, cache) == [USUAL] * 2 + [RUNNING] * 3 + [USUAL] * 7
        happen(journal, said(moderate_bpm=None, vigorous_bpm=None))
        assert limits_along(tmp_path, journal, cache) == []
        happen(journal, Limits("Jan", START, 200))
        assert limits_along(tmp_path, journal, cache) == [(128, 154)] * 12
        happen(
            journal,
            said(
                moderate_bpm=None,
                vigorous_bpm=None,
                profile=[{"from": "2026-11-17", "limiting_medicine": True}],
            ),
        )
        assert limits_along(tmp_path, journal, cache) == [(128, 154)] * 10


def test_workouts_that_come_and_go_bring_and_take_their_limits(tmp_path: Path) -> None:
    """Protects the band from a workout that was another one: time loses the limits of a sport that was not done."""
    cache = RowCache()
    run = Workout("Jan", "watch", START, START + HOUR)
    with household(tmp_path, [said(**SPORT), steady("Jan", START, 3600, 70)]) as journal:
        assert limits_along(tmp_path, journal, cache) == [USUAL] * 6
        happen(journal, replace(run, end_ms=START + MINUTE))
        assert limits_along(tmp_path, journal, cache) == [RUNNING] + [USUAL] * 5
        with journal.write() as w:
            damaged = a_file(w, 1, "partial")
            run.write(w, damaged)
        assert limits_along(tmp_path, journal, cache) == [RUNNING] * 6
        with journal.write() as w:
            came_in(w, 1, a_file(w, 1), "stored", [damaged])
        assert limits_along(tmp_path, journal, cache) == [RUNNING] + [USUAL] * 5


def test_a_more_exact_sport_takes_the_limits_from_the_other_one(tmp_path: Path) -> None:
    """Protects who says that trails have the usual limits: runs on trails lose those of running, and get them back."""
    cache = RowCache()
    trail = {"name": "trail", "offset_bpm": 0}
    with household(tmp_path, [said(**SPORT), *REST, replace(RUN, sub_sport="trail")]) as journal:
        assert limits_along(tmp_path, journal, cache)[2:5] == [RUNNING] * 3
        happen(journal, said(sport=[*SPORT["sport"], trail]))
        assert limits_along(tmp_path, journal, cache)[2:5] == [USUAL] * 3
        happen(journal, said(**SPORT))
        assert limits_along(tmp_path, journal, cache)[2:5] == [RUNNING] * 3


def times(found: dict[str, list[tuple[Any, ...]]]) -> list[int]:
    """The stamps of the rows in ms."""
    return [int(row[0]) * 1000 for row in found["limits"]]


def test_ten_minutes_are_stamped_at_their_first_one_with_limits(tmp_path: Path) -> None:
    """Protects a band that would begin before or after its heart rate: also where limits or minutes come in later."""
    own = {"name": "running", "moderate_bpm": 130, "vigorous_bpm": 160}
    facts = said(moderate_bpm=None, vigorous_bpm=None, sport=[own])
    run = Workout("Jan", "watch", START + 13 * MINUTE, START + 40 * MINUTE)
    cache = RowCache()
    with household(tmp_path, [facts, steady("Jan", START + 5 * MINUTE, 3000, 70)]) as journal:
        assert limits_along(tmp_path, journal, cache) == []
        happen(journal, run)
        assert limits_along(tmp_path, journal, cache) == [RUNNING] * 3
        assert times(rows(tmp_path / "along.db")) == [START + m * MINUTE for m in (13, 20, 30)]
        happen(journal, said(sport=[own]))
        assert limits_along(tmp_path, journal, cache) == [USUAL] * 2 + [RUNNING] * 2 + [USUAL] * 2
        assert times(rows(tmp_path / "along.db")) == [START + m * MINUTE for m in (5, 10, 20, 30, 40, 50)]
        happen(journal, steady("Jan", START + 2 * MINUTE, 60, 70))
        assert len(limits_along(tmp_path, journal, cache)) == 6
        assert times(rows(tmp_path / "along.db"))[0] == START + 2 * MINUTE


def test_ten_minutes_over_a_midnight_are_told_for_each_day(tmp_path: Path) -> None:
    """Protects Nepal, where days and weeks begin between ten minutes: what comes in on one side leaves the other as it is."""
    midnight = at("2026-11-16T00:00+05:45")  # a Monday
    early = {"from": "2026-11-16", "moderate_bpm": 120, "vigorous_bpm": 150}
    # What comes in touches the eleven minutes around it: those over midnight, and those on one side alone.
    for border, (a, b) in product((midnight, midnight + DAY), ((-3, 2), (-15, 2), (-3, 13))):
        told = [border + a * MINUTE, border + b * MINUTE]
        for order in (1, -1):
            cache, folder = RowCache(), tmp_path / f"{border} {a} {b} {order}"
            with household(folder, [said(zone="Asia/Kathmandu", profile=[early])]) as journal:
                for start in told[::order]:
                    happen(journal, steady("Jan", start, 120, 70))
                    limits_along(folder, journal, cache)
            assert times(rows(folder / "along.db")) == told


def test_a_beat_that_comes_in_writes_the_limits_of_its_ten_minutes_alone(tmp_path: Path) -> None:
    """Protects a card from a page written anew with each beat: there is one new row for ten minutes of a strap."""
    cache = RowCache()
    with household(tmp_path, [said(), steady("Jan", START, 3600, 70)]) as journal:
        limits_along(tmp_path, journal, cache)
        with sqlite3.connect(tmp_path / "along.db") as db:
            db.execute("CREATE TABLE written (time REAL)")
            db.execute(
                "CREATE TRIGGER follows AFTER INSERT ON limits BEGIN INSERT INTO written VALUES (new.time); END"
            )
        for i in range(13):
            happen(journal, steady("Jan", START + HOUR + i * MINUTE, 60, 70 + i % 5))
            with SqliteStore(tmp_path / "along.db") as store:
                follow(journal, store, cache=cache)
        with sqlite3.connect(tmp_path / "along.db") as db:
            written = [int(time) * 1000 for (time,) in db.execute("SELECT time FROM written")]
    assert written == [START + HOUR, START + HOUR + 10 * MINUTE]
