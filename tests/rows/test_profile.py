"""What holds from which day: a new entry leaves the past alone, a correction touches what it governs."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.household import record_profile
from ingest.journal import ALWAYS_MS, Journal
from ingest.rows.profile import build_profile, read_profile
from ingest.settings.person import PersonSettings
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
from tests.support.happenings import facts as happenings
from tests.support.happenings import new_folder
from tests.support.households import (
    DAY,
    HOUR,
    MINUTE,
    Event,
    Limits,
    Noted,
    S,
    Workout,
    at,
    filled,
    happen,
    household,
    rows,
    steady,
)

HOME: dict[str, Any] = {"zone": "Europe/Amsterdam", "moderate_bpm": 110, "vigorous_bpm": 140}
MONDAYS = [at(f"2026-11-{day:02d}T12:00+01:00") for day in (2, 9, 16, 23)]
WALKS: list[Event] = [steady("Jan", monday, 1200, 120) for monday in MONDAYS]


def said(**facts: Any) -> Noted:
    return Noted("Jan", tuple({**HOME, **facts}.items()))


def touched(journal: Journal, after: int) -> list[tuple[int, int]]:
    """The time that entries behind a position touch."""
    return [(e.first_ms, e.last_ms) for e in journal.entries(after) if e.first_ms is not None and e.last_ms]


def changed(
    folder: Path, first: Noted, then: Noted, *happened: Event
) -> tuple[list[tuple[int, int]], Any, Any]:
    """What a change of the settings touches, and the rows of a store that followed before and after it.

    Those after it are what a rebuild gives.
    """
    with household(folder, [first, *(happened or WALKS)]) as journal:
        before = filled(journal, folder / "along.db")
        position = journal.last_position()
        happen(journal, then)
        spans = touched(journal, position)
        after = filled(journal, folder / "along.db")
        assert after == filled(journal, folder / "anew.db"), "a rebuild gives the same"
    return spans, before, after


# --- edges ---


def test_a_new_entry_touches_the_time_from_its_day_on(tmp_path: Path) -> None:
    """Protects every week there is from a new test result: only what comes after it is counted with it."""
    entry = {"from": "2026-11-10", "moderate_bpm": 125, "vigorous_bpm": 150}
    spans, before, after = changed(tmp_path, said(), said(profile=[entry]))
    assert spans == [(at("2026-11-10T00:00+01:00"), ALWAYS_MS - 1)]
    assert [row[2] for row in before["week"]] == [20.0] * 4
    assert [row[2] for row in after["week"]] == [20.0, 20.0, 0.0, 0.0]
    assert [row[-2:] for row in after["profile"]] == [
        ("bpm", "own limits"),
        ("bpm", "own limits, since 2026-11-10"),
    ]


def test_a_correction_touches_the_days_that_the_entry_governs(tmp_path: Path) -> None:
    """Protects what came before and after a slip of the pen: only the time between the two entries is recounted."""
    wrong = {"from": "2026-11-09", "moderate_bpm": 125, "vigorous_bpm": 150}
    right = {**wrong, "moderate_bpm": 115}
    later = {"from": "2026-11-16", "moderate_bpm": 118, "vigorous_bpm": 150}
    spans, before, after = changed(tmp_path, said(profile=[wrong, later]), said(profile=[right, later]))
    assert spans == [(at("2026-11-09T00:00+01:00"), at("2026-11-16T00:00+01:00") - 1)]
    assert [row[2] for row in before["week"]] == [20.0, 0.0, 20.0, 20.0]
    assert [row[2] for row in after["week"]] == [20.0] * 4


def test_another_word_for_the_same_edges_touches_no_minute(tmp_path: Path) -> None:
    """Protects ten years of minutes from a change of the day on which an entry begins that changes no edge."""
    same = {"moderate_bpm": 110, "vigorous_bpm": 140}
    spans, before, after = changed(tmp_path, said(), said(profile=[{"from": "2026-11-10", **same}]))
    assert spans == []
    assert {k: v for k, v in before.items() if k != "profile"} == {
        k: v for k, v in after.items() if k != "profile"
    }


def test_a_medicine_stops_guesses_and_the_watch_but_not_the_own_word() -> None:
    """Protects who takes a beta blocker from limits that were made for a heart without it."""
    moment = at("2026-11-16T12:00+01:00")
    medicine = {"from": "2026-11-10", "limiting_medicine": True}
    cases: list[tuple[dict[str, Any], tuple[int, int] | None, tuple[int | None, int | None, str | None]]] = [
        ({"born": 1970}, None, (None, None, None)),
        ({"maximum_bpm": 175}, (112, 135), (None, 175, None)),
        (HOME, (110, 140), (None, None, None)),
    ]
    for own, edges, heart in cases:
        known = build_profile({"zone": "Europe/Amsterdam", **own, "profile": [medicine]}, [])
        found = known.timeline.edges_at(moment)
        assert (found and (found.moderate_bpm, found.vigorous_bpm)) == edges
        assert known.heart_at(moment) == heart
        assert known.timeline.edges_at(moment - 30 * DAY) is not None
    ended = {"from": "2026-11-14", "limiting_medicine": False}
    known = build_profile({"born": 1970, "profile": [medicine, ended]}, [])
    assert known.timeline.edges_at(moment) is not None


def test_a_medicine_keeps_the_watch_out(tmp_path: Path) -> None:
    """Protects from a maximum set in the watch before the medicine: from its day on nothing is counted with it."""
    home = {"zone": "Europe/Amsterdam"}
    medicine = {"from": "2026-11-10", "limiting_medicine": True}
    with household(
        tmp_path, [Noted("Jan", tuple(home.items())), Limits("Jan", MONDAYS[0], 170), *WALKS]
    ) as journal:
        happen(journal, Noted("Jan", (*home.items(), ("profile", [medicine]))))
        weeks = filled(journal, tmp_path / "store.db")["week"]
        jan = journal.person("Jan")
        assert jan is not None
        assert read_profile(journal, jan.id).heart_at(MONDAYS[1]) == (None, 170, None)
        assert read_profile(journal, jan.id).heart_at(MONDAYS[2]) == (None, None, None)
    assert [row[2] for row in weeks] == [20.0, 20.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("entry", "edges", "origin"),
    [
        (
            {"method": "reserve", "resting_bpm": 60, "maximum_bpm": 175},
            (106, 129),
            "resting 60 and maximum 175 bpm, since 2026-11-10",
        ),
        (
            {"method": "max", "maximum_bpm": 175},
            (112, 135),
            "measured maximum heart rate 175 bpm, since 2026-11-10",
        ),
        (
            {"method": "threshold", "threshold_bpm": 160, "sport": "cycling"},
            (130, 144),
            "threshold 160 bpm in cycling, since 2026-11-10",
        ),
        (
            {"method": "age", "formula": "tanaka"},
            (108, 130),
            "208 - 0.7 x age (Tanaka 2001), age 56, standard deviation usually quoted as 10 bpm",
        ),
        ({"resting_bpm": 60}, (112, 135), "maximum heart rate 175 bpm set in the watch"),
    ],
)
def test_each_method_and_its_origin(
    tmp_path: Path, entry: dict[str, Any], edges: tuple[int, int], origin: str
) -> None:
    """Protects "numbers carry their origin": whichever method was in force, the profile says which and since when."""
    home = {"zone": "Europe/Amsterdam", "born": 1970, "profile": [{"from": "2026-11-10", **entry}]}
    with household(tmp_path, [Noted("Jan", tuple(home.items())), Limits("Jan", MONDAYS[0], 175)]) as journal:
        jan = journal.person("Jan")
        assert jan is not None
        found = read_profile(journal, jan.id).timeline.edges_at(MONDAYS[2])
    assert found is not None
    assert ((found.moderate_bpm, found.vigorous_bpm), found.origin) == (edges, origin)


def test_the_heart_of_a_moment() -> None:
    """Protects measures of load: resting and maximum heart rate are those of the day, own word before a guess."""
    known = build_profile(
        {
            "born": 1970,
            "sex": "woman",
            "profile": [
                {"from": "2026-11-10", "resting_bpm": 60},
                {"from": "2026-11-17", "maximum_bpm": 180},
            ],
        },
        [],
    )
    assert [known.heart_at(monday) for monday in MONDAYS] == [
        (None, 175, "woman"),
        (None, 175, "woman"),
        (60, 175, "woman"),
        (60, 180, "woman"),
    ]


# --- sports ---


@pytest.mark.parametrize(
    "sport",
    [{"name": "running", "offset_bpm": -15}, {"name": "running", "moderate_bpm": 100, "vigorous_bpm": 119}],
)
def test_a_sport_has_limits_of_its_own_within_its_workouts(tmp_path: Path, sport: dict[str, Any]) -> None:
    """Protects arms and seats: lower limits hold in workouts of that sport, and nowhere else, whatever saw them."""
    monday = MONDAYS[2]
    happened: list[Event] = [
        *(steady("Jan", m, 1200, 100) for m in MONDAYS),
        steady("Jan", monday + 2 * HOUR, 600, 100, source="strap", kind="strap"),
        Workout("Jan", "watch", monday + 5 * MINUTE, monday + 15 * MINUTE),
        Workout("Jan", "watch", monday + 2 * HOUR, monday + 2 * HOUR + 5 * MINUTE),
    ]
    spans, before, after = changed(tmp_path, said(), said(sport=[sport]), *happened)
    assert spans == [
        (monday + 5 * MINUTE, monday + 15 * MINUTE - 1),
        (monday + 2 * HOUR, monday + 2 * HOUR + 5 * MINUTE - 1),
    ]
    assert [row[2] for row in before["week"]] == [0.0] * 4
    assert [row[2] for row in after["week"]] == [0.0, 0.0, 15.0, 0.0]
    assert [row[7] for row in after["session"]] == [600.0, 300.0]


# --- days and weeks ---


def test_a_target_touches_the_weeks_it_is_for(tmp_path: Path) -> None:
    """Protects old weeks from a new aim: the target of a week is that which held on its first day."""
    spans, _, after = changed(tmp_path, said(), said(target=[{"from": "2026-11-11", "target_min": 60}]))
    assert spans == [(at("2026-11-16T00:00+01:00"), ALWAYS_MS - 1)]
    assert [row[5] for row in after["week"]] == [150.0, 150.0, 60.0, 60.0]


def test_a_plan_rises_step_by_step(tmp_path: Path) -> None:
    """Protects the plan: each step lasts its weeks, the last one stays, and before the plan the old target holds."""
    plan = {"from": "2026-11-09", "targets_min": [60, 90], "weeks": 1}
    spans, _, after = changed(tmp_path, said(target_min=30), said(target_min=30, plan=plan))
    assert spans == [(at("2026-11-09T00:00+01:00"), ALWAYS_MS - 1)]
    assert [row[5] for row in after["week"]] == [30.0, 60.0, 90.0, 90.0]


def test_weeks_that_are_not_judged_have_no_target_in_the_store(tmp_path: Path) -> None:
    """Protects a relapse from a red bar: its minutes stay, what they were held against goes, and only there."""
    pause = {"from": "2026-11-20", "to": "2026-11-20", "why": "relapse"}
    spans, before, after = changed(tmp_path, said(), said(not_judged=["2026-W45"], pause=[pause]))
    assert spans == [
        (at("2026-11-02T00:00+01:00"), at("2026-11-09T00:00+01:00") - 1),
        (at("2026-11-16T00:00+01:00"), at("2026-11-23T00:00+01:00") - 1),
    ]
    assert [row[5] for row in after["week"]] == [None, 150.0, None, 150.0]
    assert [row[2] for row in after["week"]] == [row[2] for row in before["week"]]


def test_a_journey_moves_its_midnights_only(tmp_path: Path) -> None:
    """Protects days at home from a journey: midnight is there what it is there, from the first day to the last.

    Touched are also the weeks that tell of its midnights as of the borders of their neighbours.
    """
    journey = {"from": "2026-11-09", "to": "2026-11-15", "zone": "Asia/Kolkata"}
    spans, before, after = changed(tmp_path, said(), said(travel=[journey]))
    assert spans == [(at("2026-10-26T00:00+01:00"), at("2026-11-23T00:00+01:00") - 1)]
    assert [row[0] * 1000 for row in after["day"]] == [
        at("2026-11-02T00:00+01:00"),
        at("2026-11-09T00:00+05:30"),
        at("2026-11-16T00:00+01:00"),
        at("2026-11-23T00:00+01:00"),
    ]
    assert before["minute"] == after["minute"]
    assert len(after["week"]) == 4


def test_a_week_may_begin_on_sunday(tmp_path: Path) -> None:
    """Protects whose week begins with Sunday: a Sunday's walk is in the week of the Monday after it."""
    sunday = steady("Jan", at("2026-11-15T12:00+01:00"), 600, 120)
    _, _, after = changed(tmp_path, said(), said(week_begins="sunday"), *WALKS, sunday)
    assert [(row[0] * 1000, row[2]) for row in after["week"]] == [
        (at("2026-11-01T00:00+01:00"), 20.0),
        (at("2026-11-08T00:00+01:00"), 20.0),
        (at("2026-11-15T00:00+01:00"), 30.0),
        (at("2026-11-22T00:00+01:00"), 20.0),
    ]


def test_a_bout_over_midnight_is_one(tmp_path: Path) -> None:
    """Protects who asks for ten minutes at a time: five before and five after midnight are such, five alone are not."""
    midnight = at("2026-11-17T00:00+01:00")
    parts = [
        steady("Jan", midnight - 5 * MINUTE, 300, 120),
        steady("Jan", midnight + MINUTE, 300, 120, source="other watch"),
        steady("Jan", midnight + 5 * HOUR, 300, 120),
    ]
    with household(tmp_path, [said(bout_min=10), *parts[::2]]) as journal:
        with SqliteStore(tmp_path / "along.db") as store:
            follow(journal, store)
        assert [row[3] for row in rows(tmp_path / "along.db")["day"]] == [0.0, 0.0]
        happen(journal, parts[1])
        found = filled(journal, tmp_path / "along.db")
        assert found == filled(journal, tmp_path / "anew.db")
    assert [(row[3], row[5]) for row in found["day"]] == [(300.0, 0.0), (300.0, 300.0)]


# --- whatever is said ---

days = st.sampled_from(
    [f"2026-{m}-{d:02d}" for m in (10, 11, 12) for d in (1, 2, 24, 25, 26, 27)] + ["2027-01-01"]
)
entries = st.fixed_dictionaries(
    {"from": days},
    optional={
        "resting_bpm": st.sampled_from([50, 60]),
        "maximum_bpm": st.sampled_from([160, 180]),
        "limiting_medicine": st.booleans(),
    },
)
spoken: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"zone": st.sampled_from(["Europe/Amsterdam", "Europe/Amsterdam", "America/New_York"])},
    optional={
        "born": st.just(1970),
        "maximum_bpm": st.sampled_from([170, 190]),
        "target_min": st.sampled_from([60, 150]),
        "sex": st.sampled_from(["woman", "man"]),
        "bout_min": st.sampled_from([1, 10]),
        "week_begins": st.sampled_from(["sunday", "saturday"]),
        "not_judged": st.lists(st.sampled_from(["2026-W44", "2026-W53"]), min_size=1, unique=True),
        "profile": st.lists(entries, min_size=1, max_size=3, unique_by=lambda e: e["from"]),
        "sport": st.lists(
            st.fixed_dictionaries(
                {"name": st.just("running"), "offset_bpm": st.sampled_from([-10, 20])},
                optional={"from": days},
            ),
            min_size=1,
            max_size=2,
            unique_by=lambda e: e.get("from"),
        ),
        "target": st.lists(
            st.fixed_dictionaries({"from": days, "target_min": st.sampled_from([90, 150])}),
            min_size=1,
            max_size=2,
            unique_by=lambda e: e["from"],
        ),
        "plan": st.fixed_dictionaries({"from": days, "targets_min": st.just([60, 90]), "weeks": st.just(1)}),
        "pause": st.just([{"from": "2026-10-24", "to": "2026-11-02", "why": "holiday"}]),
        "travel": st.lists(
            st.fixed_dictionaries({"from": days, "zone": st.sampled_from(["Asia/Kolkata", "Pacific/Apia"])}),
            min_size=1,
            max_size=2,
            unique_by=lambda e: e["from"],
        ),
    },
)


@settings(max_examples=60)
@given(st.lists(happenings, min_size=1, max_size=5), st.lists(spoken, min_size=1, max_size=4))
def test_a_correction_equals_a_rebuild(happened: list[Event], sayings: list[dict[str, Any]]) -> None:
    """Protects "changing a past entry recomputes exactly what it touches": a rebuild may change no row at all."""
    with new_folder() as folder, household(folder, happened) as journal:
        for saying in sayings:
            record_profile(journal, "Jan", saying, overwrite=True)
            assert filled(journal, folder / "along.db") == filled(
                journal, folder / f"{journal.last_position()}.db"
            )


@settings(max_examples=60)
@given(st.lists(happenings, min_size=1, max_size=5), spoken, entries, st.sampled_from([None, 40, 200]))
def test_a_new_entry_changes_nothing_before_its_day(
    happened: list[Event], saying: dict[str, Any], entry: dict[str, Any], target: int | None
) -> None:
    """Protects history: what is said from a day on leaves every minute, day and week before that day as it is."""
    known = saying.get("profile", [])
    last = max([e["from"] for e in known], default="")
    day = max(entry["from"], last)
    new = {**saying, "profile": [*(e for e in known if e["from"] != day), {**entry, "from": day}]}
    if target is not None:
        new["target"] = [
            *(t for t in saying.get("target", []) if t["from"] < day),
            {"from": day, "target_min": target},
        ]
    if day in {e["from"] for e in known}:
        return
    with new_folder() as folder, household(folder) as journal:
        record_profile(journal, "Jan", {**saying, "bout_min": None}, overwrite=True)
        for event in happened:
            happen(journal, event)
        before = filled(journal, folder / "store.db")
        record_profile(journal, "Jan", {**new, "bout_min": None}, overwrite=True)
        after = filled(journal, folder / "store.db")
        jan = journal.person("Jan")
        assert jan is not None
        calendar = read_profile(journal, jan.id).calendar
        begins = calendar.week_of(date.fromisoformat(day))[0]
        border = at(f"{day}T00:00+14:00") / 1000
        week_border = at(f"{begins}T00:00+14:00") / 1000
    for table in ("minute", "claim"):
        assert [r for r in before[table] if r[0] < border] == [r for r in after[table] if r[0] < border]
    assert [r for r in before["day"] if r[0] < border - DAY / S] == [
        r for r in after["day"] if r[0] < border - DAY / S
    ]
    week_s = 7 * DAY / S
    assert [r for r in before["week"] if r[0] < week_border - week_s] == [
        r for r in after["week"] if r[0] < week_border - week_s
    ]


def test_the_facts_of_settings_are_what_the_journal_gives_back(tmp_path: Path) -> None:
    """Protects the card: settings with everything in them are noted once, and are no news the next time."""
    person = PersonSettings.read(
        {
            "name": "Jan",
            "zone": "Europe/Amsterdam",
            "profile": [{"from": date(2026, 3, 1), "resting_bpm": 60}],
            "plan": {"from": date(2026, 3, 2), "targets_min": [60, 90]},
            "travel": [{"from": date(2026, 3, 1), "zone": "Asia/Kolkata"}],
        }
    )
    with household(tmp_path) as journal:
        assert record_profile(journal, "Jan", person.facts(), overwrite=True)
        assert not record_profile(journal, "Jan", person.facts(), overwrite=True)
        assert journal.last_position() == 1
        jan = journal.person("Jan")
        assert jan is not None
        assert journal.profile(jan.id) == json.loads(json.dumps(person.facts()))
