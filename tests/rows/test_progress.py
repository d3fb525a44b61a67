"""What a week and its days tell of the way to the target: counted by hand, and the same however it came to be."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.journal import Journal
from ingest.rows.progress import minutes_to_go, progress_fields
from ingest.rows.table import TABLES
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
from tests.support.households import (
    DAY,
    HOUR,
    Event,
    Limits,
    Noted,
    at,
    filled,
    happen,
    household,
    steady,
)
from zones.minutes import MINUTE, Totals

MONDAY = at("2026-11-16T00:00+01:00")
LIMITS = {"moderate_bpm": 110, "vigorous_bpm": 140}


def said(**facts: Any) -> Noted:
    """What the settings say of Jan."""
    return Noted("Jan", tuple(sorted({"zone": "Europe/Amsterdam", **facts}.items())))


def walk(day: int, minutes: int, bpm: int = 120) -> Event:
    """Some minutes of a heart rate at noon of a day of the week."""
    return steady("Jan", MONDAY + day * DAY + 12 * HOUR, minutes * 60, bpm)


def fields(journal: Journal, folder: Path, table: str, *names: str) -> list[Any]:
    """Some fields of all rows of a table that followed along; they are those of a store made anew."""
    with SqliteStore(folder / "along.db") as store:
        follow(journal, store)
    along, anew = filled(journal, folder / "along.db"), filled(journal, folder / "anew.db")
    (folder / "anew.db").unlink()
    assert along == anew
    columns = ("time", *TABLES[table].tags, *TABLES[table].fields)
    which = [columns.index(name) for name in names]
    return [row[which[0]] if len(which) == 1 else tuple(row[i] for i in which) for row in anew[table]]


day_amounts = st.tuples(*[st.integers(0, 24 * 60 * MINUTE // 5)] * 5)


@given(
    st.lists(day_amounts, min_size=7, max_size=7), st.sampled_from([60.0, 150.0, 112.5, 133.333, 0.1, 10_000])
)
def test_what_is_to_go_is_the_least_whole_number_that_reaches_the_target(
    amounts: list[tuple[int, ...]], target: float
) -> None:
    """Protects "26 minutes to go": so many are enough and one less is not, and 0 says that the target is met."""
    days = Totals.of(np.array(amounts, np.int64))
    to_go, progress = minutes_to_go(days, target), progress_fields(days, target)
    if sum(sum(day[:4]) for day in amounts) == 0:
        assert (to_go, set(progress["so_far_min"])) == (None, {None})
        return
    dose_ms, wanted_ms = sum(day[1] + 2 * day[2] for day in amounts), round(target * MINUTE)
    assert to_go is not None
    assert dose_ms + to_go * MINUTE >= wanted_ms
    assert to_go == 0 or dose_ms + (to_go - 1) * MINUTE < wanted_ms
    assert progress["so_far_min"][-1] == pytest.approx(dose_ms / MINUTE)
    assert progress["pace_min"][-1] == pytest.approx(target)
    told = [x for x in progress["so_far_min"] if x is not None]
    assert told == sorted(told)
    assert minutes_to_go(days, None) is None


def test_a_target_with_a_fraction_is_met_to_the_millisecond() -> None:
    """Protects from a minute to go where the target was met exactly: 0.27 minutes are 16,200.000000000002 ms to a computer."""
    met = Totals.of(np.array([[0, 16_200, 0, 0, 0]], np.int64))
    assert (minutes_to_go(met, 0.27), minutes_to_go(met, 0.28)) == (0, 1)


def test_days_tell_how_far_the_week_is_beside_an_even_pace(tmp_path: Path) -> None:
    """Protects the line of the week so far: a day that comes in late, and another target, change all days behind it."""
    names = "so_far_min", "pace_min"
    with household(tmp_path, [said(**LIMITS, target_min=70), walk(1, 10), walk(4, 20)]) as journal:
        assert fields(journal, tmp_path, "day", *names) == [(10, 20), (30, 50)]
        assert fields(journal, tmp_path, "week", "to_go_min", "dose_min") == [(40, 30)]
        happen(journal, walk(0, 5, 150))
        assert fields(journal, tmp_path, "day", *names) == [(10, 10), (20, 20), (40, 50)]
        happen(journal, walk(7, 3))
        happen(journal, said(**LIMITS, target_min=35))
        assert fields(journal, tmp_path, "day", *names) == [(10, 5), (20, 10), (40, 25), (3, 5)]
        assert fields(journal, tmp_path, "week", "to_go_min") == [0, 32]


def test_a_week_that_is_not_judged_says_why_and_is_held_against_nothing(tmp_path: Path) -> None:
    """Protects a relapse from a bar that stays short: no pace and nothing to go, and the reason as it is now."""
    names = "target_min", "to_go_min", "not_judged"
    pause = {"from": "2026-11-18", "to": "2026-11-18"}
    with household(tmp_path, [said(**LIMITS), walk(1, 10), walk(8, 10)]) as journal:
        assert fields(journal, tmp_path, "week", *names) == [(150, 140, None)] * 2
        for why, told in (({}, "no reason given"), ({"why": "a cold"}, "a cold"), ({"why": "flu"}, "flu")):
            happen(journal, said(**LIMITS, pause=[{**pause, **why}]))
            assert fields(journal, tmp_path, "week", *names) == [(None, None, told), (150, 140, None)]
        assert fields(journal, tmp_path, "day", "so_far_min", "pace_min") == [
            (10, None),
            (10, pytest.approx(150 * 2 / 7)),
        ]
        happen(journal, said(**LIMITS, not_judged=["2026-W48"]))
        assert fields(journal, tmp_path, "week", "not_judged") == [None, "no reason given"]


def test_without_limits_nothing_is_told_of_the_target_but_why(tmp_path: Path) -> None:
    """Protects a household without limits from "0 of 150": it is told what is missing, and what follows when it is said."""
    week, day = ("limits", "to_go_min", "unclassified_min", "dose_min"), ("so_far_min", "pace_min")
    medicine = [{"from": "2026-11-15", "limiting_medicine": True}]
    with household(tmp_path, [said(), walk(1, 10), walk(4, 20)]) as journal:
        assert fields(journal, tmp_path, "week", *week) == [("unknown", None, 30, None)]
        assert fields(journal, tmp_path, "day", *day) == [(None, None)] * 2
        happen(journal, said(profile=medicine))
        assert fields(journal, tmp_path, "week", *week) == [("medicine", None, 30, None)]
        happen(journal, said(profile=[{**medicine[0], **LIMITS}]))
        assert fields(journal, tmp_path, "week", *week) == [("known", 120, 0, 30)]
        happen(journal, said())
        assert fields(journal, tmp_path, "week", *week) == [("unknown", None, 30, None)]
        happen(journal, Limits("Jan", MONDAY, 170))
        assert fields(journal, tmp_path, "week", *week) == [("known", 120, 0, 30)]


def test_limits_that_begin_within_a_week_begin_its_way_to_the_target(tmp_path: Path) -> None:
    """Protects the days before a first test from "0 so far": of them nothing was known, of the week then something is."""
    since = [{"from": "2026-11-19", **LIMITS}]
    with household(tmp_path, [said(profile=since), walk(1, 10), walk(4, 20)]) as journal:
        assert fields(journal, tmp_path, "day", "so_far_min", "pace_min") == [
            (None, None),
            (20, pytest.approx(150 * 5 / 7)),
        ]
        assert fields(journal, tmp_path, "week", "limits", "to_go_min", "unclassified_min") == [
            ("known", 130, 10)
        ]


def test_the_medicine_of_another_day_is_not_why(tmp_path: Path) -> None:
    """Protects from a wrong reason: a medicine that began behind all that was measured has nothing to do with it."""
    medicine = [{"from": "2026-11-20", "limiting_medicine": True}]
    with household(tmp_path, [said(profile=medicine), walk(1, 10)]) as journal:
        assert fields(journal, tmp_path, "week", "limits") == ["unknown"]
        happen(journal, walk(4, 10))
        assert fields(journal, tmp_path, "week", "limits") == ["medicine"]


def test_raised_heart_rate_without_movement_is_told_of_a_week(tmp_path: Path) -> None:
    """Protects who wonders where the minutes are: what was not counted is a field of the week."""
    still = steady(
        "Jan", MONDAY + HOUR, 1800, 120, source="all-day", kind="monitoring", step_s=60, movement=()
    )
    with household(tmp_path, [said(**LIMITS), still]) as journal:
        (told,) = fields(journal, tmp_path, "week", "elevated_min", "dose_min", "to_go_min", "limits")
    assert told == (30, 0, 150, "known")


BORDERS = "before_s", "start_s", "end_s", "after_s"


@pytest.mark.parametrize(
    ("facts", "borders"),
    [
        (
            {},
            [
                "2026-10-12T00:00+02:00",
                "2026-10-19T00:00+02:00",
                "2026-10-26T00:00+01:00",
                "2026-11-02T00:00+01:00",
            ],
        ),
        (
            {"week_begins": "sunday"},
            [
                "2026-10-11T00:00+02:00",
                "2026-10-18T00:00+02:00",
                "2026-10-25T00:00+02:00",
                "2026-11-01T00:00+01:00",
            ],
        ),
        (
            {"travel": [{"from": "2026-10-26", "to": "2026-11-01", "zone": "Asia/Kolkata"}]},
            [
                "2026-10-12T00:00+02:00",
                "2026-10-19T00:00+02:00",
                "2026-10-26T00:00+05:30",
                "2026-11-02T00:00+01:00",
            ],
        ),
        (
            {"travel": [{"from": "2026-11-02", "to": "2026-11-08", "zone": "Asia/Kolkata"}]},
            [
                "2026-10-12T00:00+02:00",
                "2026-10-19T00:00+02:00",
                "2026-10-26T00:00+01:00",
                "2026-11-02T00:00+05:30",
            ],
        ),
        (
            {"travel": [{"from": "2026-10-07", "to": "2026-10-13", "zone": "Asia/Kolkata"}]},
            [
                "2026-10-12T00:00+05:30",
                "2026-10-19T00:00+02:00",
                "2026-10-26T00:00+01:00",
                "2026-11-02T00:00+01:00",
            ],
        ),
    ],
)
def test_a_week_tells_where_its_neighbours_lie(
    tmp_path: Path, facts: dict[str, Any], borders: list[str]
) -> None:
    """Protects the links to the week before and the next one: over a clock change, on a journey, whatever day begins it.

    What the settings say comes after what was measured: a journey of next week changes the row of this one.
    """
    measured = steady("Jan", at("2026-10-21T12:00+02:00"), 600, 120)
    with household(tmp_path, [said(), measured]) as journal:
        fields(journal, tmp_path, "week", *BORDERS)
        happen(journal, said(**facts))
        assert fields(journal, tmp_path, "week", *BORDERS) == [
            tuple(at(border) // 1000 for border in borders)
        ]
