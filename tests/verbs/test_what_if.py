"""Weeks under other limits: asked side by side, and nothing is written down by asking."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.verbs import what_if
from ingest.verbs.week_answer import week_answers
from tests.support.happenings import facts, new_folder
from tests.support.households import NOW, Event, Limits, Noted, at, filled, hartslag, household, steady

HOME: tuple[tuple[str, Any], ...] = (
    ("born", 1970),
    ("moderate_bpm", 110),
    ("vigorous_bpm", 140),
    ("zone", "Europe/Amsterdam"),
)
WALK = steady("Jan", at("2026-11-16T12:00+01:00"), 1200, 120)


@pytest.mark.parametrize(
    ("asked", "moderate", "vigorous", "origin"),
    [
        ("moderate_bpm=125,vigorous_bpm=150", 0.0, 0.0, "own limits"),
        ("maximum_bpm=150", 0.0, 20.0, "measured maximum heart rate 150 bpm"),
        ("method=max,maximum_bpm=180", 20.0, 0.0, "measured maximum heart rate 180 bpm"),
        ("method=reserve,resting_bpm=60,maximum_bpm=200", 20.0, 0.0, "resting 60 and maximum 200 bpm"),
        ("method=reserve,resting_bpm=60", 20.0, 0.0, "resting 60 and maximum 175 bpm"),
        ("method=threshold,threshold_bpm=150,sport=running", 0.0, 0.0, "threshold 150 bpm in running"),
        ("method=age", 20.0, 0.0, "211 - 0.64 x age (Nes 2013), age 56, +/- 10.8 bpm"),
        ("method=age,born=1930", 0.0, 20.0, "211 - 0.64 x age (Nes 2013), age 96, +/- 10.8 bpm"),
        ("bout_min=30", 0.0, 0.0, "own limits"),
    ],
)
def test_a_week_under_other_limits(
    tmp_path: Path, asked: str, moderate: float, vigorous: float, origin: str
) -> None:
    """Protects the answer to "is it the formula or is it me": each question gives its own minutes and its origin."""
    with household(tmp_path, [Noted("Jan", HOME), WALK]) as journal:
        rows = week_answers(journal, journal.persons(), 1, NOW)
        (((other,),)) = what_if.hypothetical_weeks(journal, rows, [asked], NOW)
    assert (rows[0].moderate_min, rows[0].vigorous_min) == (20.0, 0.0)
    assert (other.answer.moderate_min, other.answer.vigorous_min) == (moderate, vigorous)
    assert [e.origin for _, e in other.answer.edges] == [origin]
    assert other.answer.measured_min == 20.0


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("method=reserve", 'found "reserve", which also needs resting_bpm. For instance: method=reserve,'),
        ("method=guess", 'method: found "guess"; right would be one of "bpm"'),
        ("speed=3", "'speed=3' is none of method=..., moderate_bpm=..."),
        ("moderate_bpm=110", "vigorous_bpm is missing"),
        ("bout_min=90", "bout_min: found 90; right would be whole minutes from 1 to 60"),
        ("method=reserve,resting_bpm=100,maximum_bpm=120", "lie less than 40 beats apart"),
        ("", "is none of"),
    ],
)
def test_what_cannot_be_asked(tmp_path: Path, asked: str, said: str) -> None:
    """Protects from an answer to another question than was asked: each mistake is said in words."""
    with household(tmp_path, [Noted("Jan", HOME), WALK]) as journal:
        rows = week_answers(journal, journal.persons(), 1, NOW)
        with pytest.raises(ValueError, match=r"\w|^$") as told:
            what_if.hypothetical_weeks(journal, rows, [asked], NOW)
    assert said in str(told.value)


def test_a_formula_is_refused_to_who_takes_a_medicine(tmp_path: Path) -> None:
    """Protects who takes a beta blocker from a guess also when it is only asked about."""
    medicine = ("profile", [{"from": "2026-11-01", "limiting_medicine": True}])
    with household(tmp_path, [Noted("Jan", (*HOME, medicine)), WALK]) as journal:
        rows = week_answers(journal, journal.persons(), 1, NOW)
        with pytest.raises(ValueError, match="a medicine that limits your heart rate"):
            what_if.hypothetical_weeks(journal, rows, ["method=age"], NOW)


@pytest.mark.parametrize(
    "said",
    [
        ("target", [{"from": "2026-01-01", "target_min": 90}]),
        ("plan", {"from": "2026-01-01", "targets_min": [60, 90], "weeks": 4}),
    ],
)
def test_a_target_is_supposed_whatever_was_said_of_targets(tmp_path: Path, said: tuple[str, Any]) -> None:
    """Protects who asks "and with 60?" from the answer to the target that the settings date."""
    with household(tmp_path, [Noted("Jan", (*HOME, said)), WALK]) as journal:
        rows = week_answers(journal, journal.persons(), 1, NOW)
        (((other,),)) = what_if.hypothetical_weeks(journal, rows, ["target_min=70"], NOW)
    assert (rows[0].target_min, other.answer.target_min) == (90, 70)


questions = st.sampled_from(
    ["method=age", "maximum_bpm=170", "moderate_bpm=100,vigorous_bpm=120", "bout_min=10", "target_min=60"]
)


@settings(max_examples=30)
@given(st.lists(facts, min_size=1, max_size=4), st.lists(questions, min_size=1, max_size=2))
def test_asking_changes_nothing(happened: list[Event], asked: list[str]) -> None:
    """Protects the journal and the store: after any question both are what they were, to the byte and to the row."""
    with new_folder() as folder, household(folder, [Noted("Jan", HOME), *happened]) as journal:
        before = filled(journal, folder / "store.db"), list(journal._db.iterdump())
        rows = week_answers(journal, journal.persons(), 3, NOW)
        found = what_if.hypothetical_weeks(journal, rows, asked, NOW)
        assert [len(others) for others in found] == [len(asked)] * len(rows)
        for row, others in zip(rows, found, strict=True):
            assert {o.answer.measured_min for o in others} == {row.measured_min}
        assert rows == week_answers(journal, journal.persons(), 3, NOW)
        assert (filled(journal, folder / "store.db"), list(journal._db.iterdump())) == before


def test_the_verb_leaves_the_journal_as_it_is(tmp_path: Path) -> None:
    """Protects the truth on disk: the verb prints the weeks side by side and the file stays the same to the byte."""
    with household(tmp_path, [Noted("Jan", HOME), WALK, Limits("Jan", WALK.end_ms, 170)]):
        pass
    file = tmp_path / "journal" / "journal.db"
    hartslag("--data", tmp_path, "week")
    before = file.read_bytes()
    done = hartslag("--data", tmp_path, "week", "--what-if", "method=age", "--what-if", "maximum_bpm=150")
    assert done.code == 0, done.err
    assert done.lines[0] == "The same weeks under other limits. Asking changes nothing."
    assert "  as it is            20 of 150 min = moderate 20 + 2 x vigorous 0" in done.lines
    assert "  maximum_bpm=150     40 of 150 min = moderate 0 + 2 x vigorous 20" in done.lines
    done = hartslag("--data", tmp_path, "week", "--json", "--what-if", "maximum_bpm=150")
    ((week),) = json.loads(done.out)
    assert (week["dose_min"], week["what_if"][0]["dose_min"]) == (20.0, 40.0)
    assert file.read_bytes() == before
    done = hartslag("--data", tmp_path, "week", "--what-if", "method=reserve")
    assert done.code == 2
    assert "needs resting_bpm" in done.err
