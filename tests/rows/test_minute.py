"""The limits that come with each minute: those it was counted by, whatever is said or heard of later."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from ingest.journal import Journal
from ingest.rows.cache import RowCache
from ingest.rows.recount import recount_rows
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
REST: list[Event] = [steady("Jan", START, 600, 70), steady("Jan", START + DAY, 120, 70)]
"""Ten quiet minutes and two a day later: in no zone but light, whatever is said."""

USUAL, RUNNING = (110, 140), (130, 160)
SPORT: dict[str, Any] = {"sport": [{"name": "running", "offset_bpm": 20}]}
RUN = Workout("Jan", "watch", START + 2 * MINUTE, START + 5 * MINUTE + 40 * S)


def said(**facts: Any) -> Noted:
    known = {"zone": "Europe/Amsterdam", "moderate_bpm": 110, "vigorous_bpm": 140, **facts}
    return Noted("Jan", tuple(sorted((name, fact) for name, fact in known.items() if fact is not None)))


def limits(found: dict[str, list[tuple[Any, ...]]]) -> list[tuple[int | None, int | None]]:
    return [row[-2:] for row in found["minute"]]


def limits_along(folder: Path, journal: Journal, cache: RowCache) -> list[tuple[int | None, int | None]]:
    """Those of a store that has followed so far, which are those of one that is made anew."""
    with SqliteStore(folder / "along.db") as store:
        follow(journal, store, cache=cache)
    found = rows(folder / "along.db")
    assert found == filled(journal, folder / f"{journal.last_position()}.db"), "a rebuild gives the same"
    return limits(found)


def test_a_minute_tells_the_limits_of_its_last_moment(tmp_path: Path) -> None:
    """Protects the band in a chart from another sport's limits: those that rule at the end of a minute are told with it."""
    with household(tmp_path, [said(**SPORT), *REST, RUN]) as journal:
        found = filled(journal, tmp_path / "store.db")
    assert limits(found) == [USUAL] * 2 + [RUNNING] * 3 + [USUAL] * 7


def test_quiet_minutes_get_the_limits_that_are_said_of_them_later(tmp_path: Path) -> None:
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
        assert limits_along(tmp_path, journal, cache) == [(None, None)] * 12
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
        assert limits_along(tmp_path, journal, cache) == [(128, 154)] * 10 + [(None, None)] * 2


def test_workouts_that_come_and_go_bring_and_take_their_limits(tmp_path: Path) -> None:
    """Protects the band from a workout that was another one: minutes lose the limits of a sport that was not done."""
    cache = RowCache()
    run = Workout("Jan", "watch", START, START + HOUR)
    with household(tmp_path, [said(**SPORT), steady("Jan", START, 3600, 70)]) as journal:
        assert limits_along(tmp_path, journal, cache) == [USUAL] * 60
        happen(journal, run)
        assert limits_along(tmp_path, journal, cache) == [RUNNING] * 60
        with journal.write() as w:
            damaged = a_file(w, 1, "partial")
            replace(run, end_ms=START + MINUTE).write(w, damaged)
        assert limits_along(tmp_path, journal, cache) == [RUNNING] + [USUAL] * 59
        with journal.write() as w:
            came_in(w, 1, a_file(w, 1), "stored", [damaged])
        assert limits_along(tmp_path, journal, cache) == [RUNNING] * 60


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


def test_a_change_of_limits_tells_them_with_zones_alone(tmp_path: Path) -> None:
    """Protects ten years of minutes: a change of profile says of each which limits hold, and that nothing else can differ."""
    with household(tmp_path, [said(), *REST]) as journal:
        position = journal.last_position()
        happen(journal, said(moderate_bpm=120))
        blocks = [b for p in recount_rows(journal, journal.entries(position)) for b in p]
    told = [(b.only_zones, list(b.fields["moderate_bpm"])) for b in blocks if b.table == "minute" and len(b)]
    assert told == [(True, [120] * 12)]
