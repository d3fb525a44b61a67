"""A week where just the seconds that a watch did not write decide whether it was enough."""

import json
from pathlib import Path

import pytest

from ingest.household import persons_called
from ingest.language import speak
from ingest.verbs.terminal import Terminal
from ingest.verbs.week import week_lines
from ingest.verbs.week_answer import WeekAnswer, week_answers
from ingest.verbs.week_screen import week_screen
from tests.support.households import HOUR, MINUTE, Noted, Recording, S, at, hartslag, household

MONDAY = at("2026-11-16T00:00+01:00")
NOW = MONDAY + 20 * HOUR


def worked_out(minutes: int, *, step_s: int = 12, kind: str = "activity", bpm: int = 110) -> Recording:
    """At and just above where moderate begins, a sample every so many seconds."""
    start = MONDAY + 10 * HOUR
    samples = tuple((start + i * S, bpm + i // step_s % 2) for i in range(0, minutes * 60, step_s))
    movement = ((start, start + minutes * MINUTE),) if kind == "monitoring" else None
    return Recording("Jan", "watch", kind, samples, start + minutes * MINUTE, movement=movement)


def answers(folder: Path, happened: Recording, **more: object) -> list[WeekAnswer]:
    facts = {"moderate_bpm": 110, "vigorous_bpm": 140, "target_min": 150, "zone": "Europe/Amsterdam", **more}
    with household(folder, [Noted("Jan", tuple(facts.items())), happened]) as journal:
        return week_answers(journal, persons_called(journal, "Jan"), 4, NOW)


@pytest.mark.parametrize("minutes", [148, 153])
def test_a_week_near_its_target_says_from_where_to_where(tmp_path: Path, minutes: int) -> None:
    """Who is told "enough" or "two minutes to go" of what nobody knows is told something wrong."""
    rows = answers(tmp_path, worked_out(minutes))
    least, most = (143, 153) if minutes == 148 else (147, 159)
    piped = "\n".join(week_lines(rows, "hartslag.toml"))
    assert f"{least} to {most} of 150 minutes, or more" in piped
    assert "The watch did not write every second that it saw" in piped
    lines = list(week_screen(Terminal(80, unicode=False), rows, "hartslag.toml"))
    assert lines[2] == f"  About enough: {least} to {most} of 150 minutes, or more"
    assert "to go" not in "\n".join(lines)
    narrow = list(week_screen(Terminal(40, unicode=False), rows, "hartslag.toml"))
    assert max(map(len, narrow)) <= 40


@pytest.mark.parametrize(
    "happened",
    [
        worked_out(120),
        worked_out(200),
        worked_out(149, step_s=1),
        worked_out(149, bpm=125),
        worked_out(149, kind="monitoring", step_s=60),
    ],
    ids=["too little", "plenty", "each second", "far from the limit", "an all-day file"],
)
def test_a_week_that_is_decided_says_one_number(tmp_path: Path, happened: Recording) -> None:
    """Numbers are as sure as they are: a span stands only where it would change the answer."""
    (row,) = answers(tmp_path, happened)
    assert row.open_range is None
    assert row.json()["decided"]
    assert " to 1" not in "\n".join(week_lines([row], "hartslag.toml"))


def test_a_week_that_is_not_judged_is_not_weighed(tmp_path: Path) -> None:
    """A week of rest is held against nothing, so nothing is open in it either."""
    (row,) = answers(tmp_path, worked_out(149), not_judged=["2026-W47"])
    assert row.open_range is None


def test_programs_find_the_least_and_the_most(tmp_path: Path) -> None:
    """Protects what others build on: the same numbers in JSON, whether they decide or not."""
    answers(tmp_path, worked_out(149))
    (said,) = json.loads(hartslag("--data", tmp_path, "week", "--json").out)
    assert said["dose_min"] == 149
    off = 11 * (149 * 5) ** 0.5 / 60
    assert said["dose_least_min"] == pytest.approx(149 - off)
    assert said["dose_most_min"] == pytest.approx(149 + off)
    assert said["decided"] is False


def test_in_dutch_too(tmp_path: Path) -> None:
    """Who reads Dutch reads the same."""
    rows = answers(tmp_path, worked_out(148))
    speak("nl")
    try:
        words = "\n".join(week_screen(Terminal(80, unicode=False), rows, "hartslag.toml"))
    finally:
        speak("en")
    assert "Ongeveer genoeg: 143 tot 153 van de 150 minuten, of meer" in words
