"""*History* put to every store: a year of weeks, of rest and of workouts, and the way from there to one of them."""

from datetime import datetime
from typing import Any

import pytest

from tests.support.grafana_panels import STORES, YEARS, Filled, Open, board
from tests.support.grafana_stores import (
    ANNA,
    NOW,
    ODD,
    PAUSED,
    PLACE,
    TARGET_MIN,
    WEEKS,
    week_ms,
)
from tests.support.grafana_words import links
from tests.support.households import DAY, MINUTE
from zones.dose import full_minutes

each_store = pytest.mark.parametrize("store", STORES)


@pytest.fixture(scope="module")
def stores(filled: Filled) -> Open:
    return filled.stores


@pytest.fixture(scope="module")
def truth(filled: Filled) -> dict[tuple[str, str], dict[str, Any]]:
    return filled.truth


@each_store
def test_a_range_has_its_beginning_and_not_its_end(stores: Open, truth: Any, store: str) -> None:
    """Protects who looks from midnight to midnight: one week is one week, whose stamp is its first moment."""
    first, second = (week_ms(WEEKS[name])[0] for name in ("october 2025", "november 2025"))
    for begins, ends, wanted in (
        (first, second, ["october 2025"]),
        (first + 1, second, []),
        (first + 1, second + 1, ["november 2025"]),
        (first, second + 1, ["october 2025", "november 2025"]),
    ):
        found = board(stores, store, "history", (begins, ends)).rows("Weeks against the target")
        doses = [truth[ANNA, WEEKS[name]]["dose_min"] for name in wanted]
        assert [found[time]["Minutes"] for time in sorted(found)] == pytest.approx(doses)


@each_store
def test_two_persons_are_not_mixed(stores: Open, truth: Any, store: str) -> None:
    """Protects one person's numbers from another's, also for a name with quotes, commas and brackets in it."""
    for person, target in ((ANNA, TARGET_MIN), (ODD, 60)):
        weeks = board(stores, store, "history", YEARS, person).rows("Weeks against the target")
        said = sorted(row["dose_min"] for (name, _), row in truth.items() if name == person)
        assert len(said) >= len(WEEKS)
        assert sorted(row["Minutes"] for row in weeks.values()) == pytest.approx(said)
        assert {row.get("Target") for row in weeks.values()} <= {target, None}


@each_store
def test_a_year_of_weeks_says_which_were_enough(stores: Open, truth: Any, store: str) -> None:
    """Protects the look back: a full bar where the target is met, an empty one where not, and the mean of four weeks."""
    shown = board(stores, store, "history", YEARS)
    rows = [row for _, row in sorted(shown.rows("Weeks against the target").items())]
    said = [row for (name, _), row in sorted(truth.items(), key=lambda each: each[0][1]) if name == ANNA]
    for i, (row, week) in enumerate(zip(rows, said, strict=True)):
        filled = row.get("Target met") or None
        assert filled == (pytest.approx(week["dose_min"]) if week["to_go_min"] == 0 else None)
        four = [w["dose_min"] for w in said[max(0, i - 3) : i + 1]]
        assert row["Mean of four weeks"] == pytest.approx(sum(four) / len(four))
    lines = shown.cells("Week by week")
    assert [line["Enough?"].strip(" -") for line in reversed(lines)] == [
        ""
        if week["to_go_min"] is None
        else f"{week['to_go_min']} min short"
        if week["to_go_min"]
        else "✓ met"
        for week in said
    ]
    assert [line["Not judged"].strip(" -") for line in reversed(lines)] == [
        "" if week["judged"] else week["not_judged_why"] or "no reason given" for week in said
    ]
    assert [line["Minutes"] for line in reversed(lines)] == [
        f"{full_minutes(w['dose_min'])} min" for w in said
    ]


@each_store
def test_a_click_on_a_week_or_a_workout_opens_just_that(stores: Open, truth: Any, store: str) -> None:
    """Protects the way from the look back to one week and one workout: exactly their time."""
    shown = board(stores, store, "history", YEARS)
    uid = stores[store][0].uid
    weeks = [week_ms(first) for name, first in sorted(truth) if name == ANNA]
    wanted = [[(f"/d/{uid}-week", {"from": str(a), "to": str(b)})] for a, b in weeks]
    for title, name in (("Weeks against the target", "Minutes"), ("Week by week", "Time")):
        found = links(shown.panels[title], shown.frames(title), name)
        assert sorted(map(str, found)) == sorted(map(str, wanted))
    (frame,) = shown.frames("Workouts")
    found = links(shown.panels["Workouts"], [frame], "Time")
    for at, duration, ((path, span),) in zip(frame["Time"], frame["Duration"], found, strict=True):
        assert path == f"/d/{uid}-workout"
        assert int(span["from"]) == at
        assert 0 <= int(span["to"]) - (at + duration * 1000) <= (5 * MINUTE if at == PAUSED else 0)


@each_store
def test_the_map_of_hours_adds_up(stores: Open, truth: Any, store: str) -> None:
    """Protects who looks for the hour at which moving goes well: every minute stands in its hour and weekday, once."""
    lines = board(stores, store, "history", YEARS).cells("When you move, by hour and weekday")
    (frame,) = board(stores, store, "history", YEARS).frames("When you move, by hour and weekday")
    days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert frame.names[0] == "Hour"
    assert [n for n in days if n in frame.names] == frame.names[1:]
    assert frame["Hour"] == sorted(frame["Hour"])
    total = sum(v for day in frame.names[1:] for v in frame[day] if v is not None)
    said = [row for (name, _), row in truth.items() if name == ANNA]
    assert total == pytest.approx(sum(row["moderate_min"] + row["vigorous_min"] for row in said))
    at_noon = {day: frame[day][frame["Hour"].index(12)] for day in frame.names[1:]}
    assert at_noon["Mon"] == pytest.approx(sum(25 + i for i in range(len(WEEKS))))
    assert lines


@each_store
def test_the_usual_range_is_around_the_mean(stores: Open, store: str) -> None:
    """Protects from a single bad night: what is usual is the mean of the days before, and one deviation around it."""
    shown = board(stores, store, "history", YEARS)
    rows = [row for _, row in sorted(shown.rows("Resting heart rate").items())]
    assert len(rows) > 7
    for i, row in enumerate(rows):
        seven = [r["Each day"] for r in rows[max(0, i - 6) : i + 1]]
        mean = sum(seven) / len(seven)
        spread = (sum((x - mean) ** 2 for x in seven) / len(seven)) ** 0.5
        assert row["Mean of seven days"] == pytest.approx(mean)
        assert row["Usual from"] == pytest.approx(mean - spread, abs=1e-6)
        assert row["Usual to"] == pytest.approx(mean + spread, abs=1e-6)
    variability = shown.rows("Heart rate variability at rest")
    assert set(variability) <= set(shown.rows("Heart rate variability in workouts"))


@each_store
def test_workouts_are_read_line_by_line(stores: Open, store: str) -> None:
    """Protects workouts as sentences: newest first, what belongs together in one line, words and all."""
    shown = board(stores, store, "history", (NOW - 7 * DAY, NOW), named=True)
    lines = shown.cells("Workouts")
    wanted = ["Time", "Sensor", "Sport", "Duration", "Minutes", "Moderate", "Vigorous", "Mean", "Highest"]
    assert [n for n in lines[0] if n not in {"Load", "Recovery"}] == wanted
    times = [datetime.strptime(line["Time"], "%a %d %b %Y, %H:%M").replace(tzinfo=PLACE) for line in lines]
    assert times == sorted(times, reverse=True)
    assert [(line["Sensor"], line["Sport"], line["Duration"]) for line in lines] == [
        ("Anna's Polar", "running", "2400"),
        ("Forerunner 965, workouts", "running", str(1500 + 60 * (len(WEEKS) - 1))),
        ("Forerunner 965, workouts", "running", "1200"),
        ("Watch, workouts", "running", "2400"),
    ]
