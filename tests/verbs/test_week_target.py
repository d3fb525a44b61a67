"""What a week is held against, and what is told beside it: the least it can be, the last seven days, no verdict."""

from pathlib import Path
from typing import Any

import pytest

from ingest.report import words
from ingest.verbs.report_answer import report_facts
from ingest.verbs.week import week_lines
from ingest.verbs.week_answer import WeekAnswer, week_answers
from tests.support.households import DAY, HOUR, Noted, at, household, steady

NOON = at("2026-11-18T12:00+01:00")
"""A Wednesday."""

HOME: dict[str, Any] = {"moderate_bpm": 110, "vigorous_bpm": 140, "zone": "Europe/Amsterdam"}


def lines(folder: Path, now_ms: int, **facts: Any) -> tuple[list[str], list[WeekAnswer]]:
    """What is told of a household with a walk on a Friday, a Monday and a Tuesday."""
    walks = [steady("Jan", NOON - i * DAY, 1200, 120) for i in (1, 2, 5)]
    with household(folder, [Noted("Jan", tuple({**HOME, **facts}.items())), *walks]) as journal:
        rows = week_answers(journal, journal.persons(), 4, now_ms)
    return list(week_lines(rows, "hartslag.toml")), rows


def test_the_week_so_far_and_the_last_seven_days(tmp_path: Path) -> None:
    """Protects a Wednesday: the hours to come are not "not measured", and Friday's walk is in the seven days."""
    text, rows = lines(tmp_path, NOON)
    assert "  At least 40 of 150 minutes  [#####...............]" in text
    assert "  Measured 0.7 h; 59 h not measured so far, so this is the least it can be." in text
    assert "  The last seven days: at least 60 minutes. Measured 1.0 h; 155 h not measured." in text
    assert rows[0].json()["last_seven_days"] == {
        "from": "2026-11-12",
        "to": "2026-11-18",
        "moderate_min": 60.0,
        "vigorous_min": 0.0,
        "dose_min": 60.0,
        "measured_min": 60.0,
        "active_days": 3,
        "not_measured_h": 155.0,
    }
    assert rows[1].json()["last_seven_days"] is None


@pytest.mark.parametrize(
    ("facts", "said", "other"),
    [
        ({"not_judged": ["2026-W47"]}, "  At least 40 minutes, not to be judged", "20 of 150 min"),
        (
            {"pause": [{"from": "2026-11-16", "to": "2026-11-16", "why": "relapse"}]},
            "  At least 40 minutes, not to be judged (relapse)",
            "20 of 150 min",
        ),
        (
            {"not_judged": ["2026-W46"]},
            "  At least 40 of 150 minutes  [#####...............]",
            "20, not to be judged",
        ),
        (
            {"plan": {"from": "2026-11-09", "targets_min": [60, 80], "weeks": 1}},
            "  At least 40 of 80 minutes  [##########..........]",
            "20 of 60 min",
        ),
        ({"bout_min": 30}, "  At least 0 of 150 minutes  [....................]", "0 of 150 min"),
    ],
)
def test_what_a_week_is_held_against(tmp_path: Path, facts: dict[str, Any], said: str, other: str) -> None:
    """Protects from a verdict that was not asked for: each week has its own target, or none and a reason."""
    text, _ = lines(tmp_path, NOON, **facts)
    assert said in text
    (row,) = [line for line in text if line.startswith("  2026-W46")]
    assert other in row


def test_no_verdict_on_the_person(tmp_path: Path) -> None:
    """Protects the tone: no streaks, no praise, no blame, and vigorous is never urged, whatever the week was."""
    for i, facts in enumerate([{}, {"target_min": 10}, {"target_min": 2000}, {"bout_min": 60}]):
        text, _ = lines(tmp_path / str(i), NOON, **facts)
        words = set(" ".join(text).lower().replace(",", " ").replace(".", " ").split())
        assert not words & {
            "streak",
            "well",
            "great",
            "failed",
            "only",
            "should",
            "must",
            "more",
            "missed",
            "reached",
        }


def test_who_takes_a_medicine_is_not_sent_to_a_formula(tmp_path: Path) -> None:
    """Protects who takes a beta blocker from the advice to write down a year of birth: it would be refused."""
    medicine = {"from": "2026-11-09", "limiting_medicine": True}
    with household(
        tmp_path,
        [Noted("Jan", (("born", 1970), ("profile", [medicine]))), steady("Jan", NOON - DAY, 1200, 120)],
    ) as journal:
        text = list(week_lines(week_answers(journal, journal.persons(), 4, NOON), "hartslag.toml"))
    assert (
        "  20 min are measured but not counted: since 2026-11-09 a medicine limits this heart rate," in text
    )
    assert not any("born" in line for line in text)


def test_a_medicine_that_is_over_is_told_of_as_such(tmp_path: Path) -> None:
    """Protects who has stopped from reading that a medicine limits their heart: it did, from one day to another, and that time can be mended."""
    entries = [
        {"from": "2026-11-09", "limiting_medicine": True},
        {"from": "2026-11-18", "limiting_medicine": False},
    ]
    noted = Noted("Jan", (("born", 1970), ("profile", entries)))
    then, later = (at(f"2026-11-{day}T12:00+01:00") for day in (17, 20))
    with household(
        tmp_path, [noted, steady("Jan", then - DAY, 600, 120), steady("Jan", then, 600, 120)]
    ) as journal:
        during, after = (
            "\n".join(week_lines(week_answers(journal, journal.persons(), 4, now), "hartslag.toml"))
            for now in (then + HOUR, later)
        )
        facts = report_facts(journal, journal.persons()[0], 12, later, {})
    assert "20 min are measured but not counted: since 2026-11-09 a medicine limits this heart rate" in during
    assert "from 2026-11-09 to 2026-11-17 a medicine limited this heart rate" in after
    assert "a medicine limits" not in after
    assert words.headline(facts).startswith("That cannot be said: a medicine limited the heart rate")
    assert "A medicine that lowers the heart rate was taken (9 to 17 November 2026)" in "".join(
        words.certainty(facts)
    )


@pytest.mark.parametrize(
    "entries",
    [
        [{"from": "2027-01-01", "limiting_medicine": True}],
        [
            {"from": "2026-01-01", "limiting_medicine": True},
            {"from": "2026-11-01", "limiting_medicine": False},
        ],
    ],
)
def test_a_medicine_of_another_time_is_not_blamed(tmp_path: Path, entries: list[dict[str, Any]]) -> None:
    """Protects who will take a medicine, or did, from losing the one line that mends this week."""
    noted = Noted("Jan", (("profile", entries),))
    with household(tmp_path, [noted, steady("Jan", NOON - DAY, 1200, 120)]) as journal:
        text = list(week_lines(week_answers(journal, journal.persons(), 4, NOON), "hartslag.toml"))
    assert not any("medicine" in line for line in text)
    assert "      born = 1970" in text


def test_short_effort_is_said_to_be_too_short(tmp_path: Path) -> None:
    """Protects who asks for bouts from a puzzle: minutes that do not count are shown, with the reason."""
    text, _ = lines(tmp_path, NOON, bout_min=30)
    assert (
        "  Not counted: 40 min of raised heart rate without movement or in bouts shorter than 30 min." in text
    )


def test_travellers_and_sunday_weeks_are_named_by_their_own_days(tmp_path: Path) -> None:
    """Protects a week that begins on Sunday: its first day, its name and its seven days agree."""
    text, rows = lines(tmp_path, NOON, week_begins="sunday")
    assert [(r.week, r.first.isoformat(), r.last.isoformat()) for r in rows] == [
        ("2026-W46", "2026-11-15", "2026-11-21"),
        ("2026-W45", "2026-11-08", "2026-11-14"),
    ]
    assert any("Sunday 15 November to Saturday 21 November 2026" in line for line in text)


NEW_YORK: dict[str, Any] = {
    "travel": [{"from": "2026-11-10", "to": "2026-11-12", "zone": "America/New_York"}],
}
TOKYO: dict[str, Any] = {"travel": [{"from": "2026-11-10", "to": "2026-11-12", "zone": "Asia/Tokyo"}]}


def test_hours_that_a_journey_adds_are_said_to_be_of_the_journey(tmp_path: Path) -> None:
    """Protects who adds up: seven days after a flight to the west have more than 168 hours, and it is said why."""
    text, rows = lines(tmp_path, NOON, **TOKYO)
    last = rows[0].last_seven_days
    assert last is not None
    # From midnight in Tokyo to noon in Amsterdam, eight hours west of it.
    assert last.hours == 6 * 24 + 12 + 8
    assert last.measured_min / 60 + last.not_measured_h == pytest.approx(last.hours)
    (told,) = [line for line in text if "seven days" in line]
    assert told.endswith("Measured 1.0 h; 163 h not measured. A journey made these days 8 h longer.")
    assert "journey" not in "".join(line for line in text if line != told), (
        "this week itself is as long as any"
    )


@pytest.mark.parametrize("facts", [{}, NEW_YORK, {"zone": "Asia/Kolkata"}])
def test_no_journey_is_told_where_none_made_days_longer(tmp_path: Path, facts: dict[str, Any]) -> None:
    """Protects the words of the week in a pipe: they stay as they are for who stays at home, or has fewer hours."""
    text, rows = lines(tmp_path, NOON, **facts)
    assert "journey" not in "".join(text)
    last = rows[0].last_seven_days
    assert last is not None
    assert (last.journey_h < 0) == ("travel" in facts)
    assert last.measured_min / 60 + last.not_measured_h == pytest.approx(last.hours)
