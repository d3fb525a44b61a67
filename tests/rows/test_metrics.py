"""What is told of workouts and days beyond minutes: load, recovery, resting heart rate, variability. None is guessed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingest.rows.table import TABLES
from tests.support.households import (
    DAY,
    HOUR,
    MINUTE,
    Claim,
    Event,
    Noted,
    Pair,
    Recording,
    S,
    Workout,
    at,
    filled,
    happen,
    household,
    steady,
)

START = at("2026-11-16T10:00+01:00")
LIMITS = (("moderate_bpm", 110), ("vigorous_bpm", 140), ("zone", "Europe/Amsterdam"))
HOME = Noted("Jan", LIMITS)


def table(folder: Path, name: str, *happened: Event) -> list[dict[str, Any]]:
    """The rows of one table of a household in which this happened."""
    with household(folder, happened) as journal:
        found = filled(journal, folder / "store.db", portion=2)[name]
    columns = ("time", *TABLES[name].tags, *TABLES[name].fields)
    return [dict(zip(columns, row, strict=True)) for row in found]


def run(bpm: int, seconds: int = 3600) -> list[Event]:
    return [steady("Jan", START, seconds, bpm), Workout("Jan", "watch", START, START + seconds * S)]


def resting(bpm: int) -> tuple[str, Any]:
    """The person's own word of a resting heart rate, from long ago."""
    return "profile", [{"from": "1990-01-01", "resting_bpm": bpm}]


@pytest.mark.parametrize(("sex", "load"), [("man", 100.4403), ("woman", 113.5168)])
def test_load_of_an_hour(sex: str, load: float, tmp_path: Path) -> None:
    """An hour at 150 between 60 and 190 is what Banister's formula gives for a man and for a woman."""
    known = Noted("Jan", (("maximum_bpm", 190), resting(60), ("sex", sex), ("zone", "UTC")))
    (row,) = table(tmp_path, "session", known, *run(150))
    assert row["trimp"] == pytest.approx(load, rel=1e-3)


@pytest.mark.parametrize("lacking", ["maximum_bpm", "profile", "sex"])
def test_no_load_is_guessed(lacking: str, tmp_path: Path) -> None:
    """Who has not said all three, or says what cannot be, gets no load rather than a wrong one."""
    facts: dict[str, Any] = {"maximum_bpm": 190, "profile": resting(60)[1], "sex": "man", "zone": "UTC"}
    del facts[lacking]
    (row,) = table(tmp_path / "a", "session", Noted("Jan", tuple(facts.items())), *run(150))
    assert row["trimp"] is None
    near = Noted("Jan", (("maximum_bpm", 90), resting(60), ("sex", "man"), ("zone", "UTC")))
    (row,) = table(tmp_path / "b", "session", near, *run(150))
    assert row["trimp"] is None


def test_a_change_of_the_resting_heart_rate_alone_counts_the_load_anew(tmp_path: Path) -> None:
    """A correction reaches the load of past workouts although no limit changed with it."""
    facts = (*LIMITS, ("maximum_bpm", 190), ("sex", "man"))
    with household(tmp_path, [Noted("Jan", (*facts, resting(60))), *run(150)]) as journal:
        (before,) = filled(journal, tmp_path / "s.db")["session"]
        happen(journal, Noted("Jan", (*facts, resting(70))))
        (after,) = filled(journal, tmp_path / "s.db")["session"]
        assert after != before
        assert [after] == filled(journal, tmp_path / "anew.db")["session"]


def test_recovery_is_seen_by_one_sensor(tmp_path: Path) -> None:
    """The fall in the minute after, where a strap went on; the watch that stopped has no say in it."""
    stop = START + 600 * S
    values = [(START + i * S, 160 + i % 2 if i <= 600 else 160 - (i - 600) // 2) for i in range(700)]
    strap = Recording("Jan", "chest", "strap", tuple(values), START + 700 * S)
    happened: list[Event] = [HOME, steady("Jan", START, 600, 150), Workout("Jan", "watch", START, stop)]
    (row,) = table(tmp_path / "a", "session", *happened)
    assert row["recovery_60s"] is None
    (row,) = table(tmp_path / "b", "session", *happened, strap)
    assert row["recovery_60s"] == pytest.approx(30, abs=1.5)


@pytest.mark.parametrize(("later_s", "fell"), [(0, None), (30, None), (120, 20)])
def test_no_recovery_while_the_next_workout_goes_on(later_s: int, fell: float | None, tmp_path: Path) -> None:
    """A leg of a triathlon that runs straight on to the next has no minute of rest after it."""
    stop = START + 600 * S
    values = [(START + i * S, 160 + i % 2 if i <= 600 else 140 + i % 2) for i in range(1200)]
    legs = [Workout("Jan", "watch", a, b) for a, b in ((START, stop), (stop + later_s * S, START + 1200 * S))]
    record = Recording("Jan", "watch", "activity", tuple(values), START + 1200 * S)
    row, _second = table(tmp_path, "session", HOME, record, *legs)
    assert row["recovery_60s"] == (None if fell is None else pytest.approx(fell, abs=1.5))


def test_the_highest_heart_rate_is_no_spike(tmp_path: Path) -> None:
    """Two seconds of 210 do not become somebody's maximum."""
    values = tuple((START + i * S, 210 if 300 <= i < 302 else 150 + i % 2) for i in range(600))
    (row,) = table(
        tmp_path,
        "session",
        HOME,
        Recording("Jan", "watch", "activity", values, START + 600 * S),
        Workout("Jan", "watch", START, START + 600 * S),
    )
    assert row["bpm_max"] == 151


def night(hours: int = 4, *, beats: bool = False) -> Recording:
    """An all-day watch at night: about 60, and 50 from the second hour for ten minutes."""
    first = at("2026-11-16T01:00+01:00")
    minutes = range(hours * 60)
    samples = tuple((first + i * MINUTE, 50 if 60 <= i < 70 else 60 + i % 3) for i in minutes)
    rr: tuple[Pair, ...] = ()
    if beats:
        rr = tuple((first + i * 1200, 1200 + (10 if i % 2 else -10)) for i in range(hours * 3000))
    return Recording("Jan", "all-day", "monitoring", samples, first + hours * HOUR, (), (), (), rr)


def test_the_resting_heart_rate_of_a_day(tmp_path: Path) -> None:
    """The quietest five minutes of a night; two hours of rest are needed, and what the watch claims stays a claim."""
    claim = Claim("Jan", "all-day", START, START + HOUR, 1.0)
    assert [r["resting_bpm"] for r in table(tmp_path / "a", "day", HOME, night(), claim)] == [50.0]
    assert [r["resting_bpm"] for r in table(tmp_path / "b", "day", HOME, night(1), claim)] == [None]


def test_the_hour_after_a_workout_is_no_rest(tmp_path: Path) -> None:
    """A workout that ends after midnight is remembered by the day that rests from it, in whatever order they come."""
    first = at("2026-11-16T01:00+01:00")
    late = Workout("Jan", "watch", first - 3 * HOUR, first + 30 * MINUTE)  # quiet again from 2:30
    evening = Workout("Jan", "watch", first - 3 * HOUR, first - 90 * MINUTE)  # quiet from half past midnight
    for i, (workout, expected) in enumerate([(late, 60.6), (evening, 50.0)]):
        orders: list[list[Event]] = [[HOME, night(), workout], [HOME, workout, night()]]
        for j, happened in enumerate(orders):
            (row,) = [r for r in table(tmp_path / f"{i}{j}", "day", *happened) if r["resting_bpm"]]
            assert row["resting_bpm"] == pytest.approx(expected, abs=0.5)


def test_the_variability_of_the_quietest_minutes(tmp_path: Path) -> None:
    """All-day beats give a row per day, of its resting window: differences of 20 ms from beat to beat are an RMSSD of 20."""
    (row,) = table(tmp_path, "variability", HOME, night(beats=True))
    assert row["time"] == at("2026-11-16T02:00+01:00") / 1000
    assert row["source"] == "all-day"
    assert row["rmssd_ms"] == pytest.approx(20)
    assert row["sdnn_ms"] == pytest.approx(10, abs=0.1)
    assert (row["pnn50"], row["artefact_pct"]) == (0.0, 0.0)


def beating(source: str, kind: str, swing: int, seconds: int = 600) -> Recording:
    """A workout in which intervals differ by twice the swing."""
    samples = tuple((START + i * S, 75 + i % 2) for i in range(seconds))
    beats = tuple((START + i * 800, 800 + (swing if i % 2 else -swing)) for i in range(seconds * 5 // 4))
    return Recording("Jan", source, kind, samples, START + seconds * S, beats=beats)


def test_variability_at_rest_is_a_column_of_its_own(tmp_path: Path) -> None:
    """Protects the line of the nights from workouts and straps, in which it is another: only rest has the column."""
    run: list[Event] = [beating("watch", "activity", 5), Workout("Jan", "watch", START, START + 600 * S)]
    worn = replace(
        beating("chest", "strap", 10), samples=tuple((START + DAY + i * S, 130) for i in range(900))
    )
    beats = tuple((START + DAY + i * 800, 800 + i % 2 * 20) for i in range(1100))
    worn = replace(worn, beats=beats, end_ms=START + DAY + 900 * S)
    found = table(tmp_path, "variability", HOME, night(beats=True), *run, worn)
    assert [(row["source"], row["rest_rmssd_ms"] is not None) for row in found] == [
        ("all-day", True),
        ("watch", False),
        ("chest", False),
    ]
    assert found[0]["rest_rmssd_ms"] == found[0]["rmssd_ms"] == pytest.approx(20)


def test_of_two_workouts_that_begin_at_once_the_longer_has_the_row(tmp_path: Path) -> None:
    """Protects the row of a workout from another device that was stopped early: one key has one row, of all of it."""
    workouts = [Workout("Jan", name, START, START + s * S) for name, s in (("a", 120), ("b", 600), ("c", 60))]
    (row,) = table(tmp_path, "variability", HOME, beating("watch", "activity", 5), *workouts)
    assert row["beats"] > 700


def test_beats_of_two_sensors_are_never_mixed(tmp_path: Path) -> None:
    """Of a strap and a watch that both saw the beats of a workout the strap alone is asked."""
    workout = Workout("Jan", "watch", START, START + 600 * S)
    watch, strap = beating("watch", "activity", 5), beating("chest", "strap", 10)
    (row,) = table(tmp_path / "a", "variability", HOME, watch, workout)
    assert (row["source"], row["rmssd_ms"]) == ("watch", pytest.approx(10))
    (row,) = table(tmp_path / "b", "variability", HOME, watch, workout, strap)
    assert (row["source"], row["rmssd_ms"]) == ("chest", pytest.approx(20))
    assert row["time"] == START / 1000


def test_too_few_beats_tell_nothing(tmp_path: Path) -> None:
    """Below a minute of beats there is no row, and below four minutes no SDNN."""
    workout = Workout("Jan", "watch", START, START + 600 * S)
    assert table(tmp_path / "a", "variability", HOME, beating("watch", "activity", 5, 50), workout) == []
    (row,) = table(tmp_path / "b", "variability", HOME, beating("watch", "activity", 5, 120), workout)
    assert row["sdnn_ms"] is None
    for seconds, has_row, has_sdnn in [
        (59, False, False),
        (61, True, False),
        (238, True, False),
        (242, True, True),
    ]:
        found = table(
            tmp_path / str(seconds), "variability", HOME, beating("watch", "activity", 5, seconds), workout
        )
        assert bool(found) == has_row
        assert any(row["sdnn_ms"] is not None for row in found) == has_sdnn
