"""Was this week enough? Numbers against households small enough to count by hand."""

import json
import re
import time
from datetime import date
from pathlib import Path

import pytest

from ingest.demo.fit_encoder import workout
from ingest.errors import Stop
from ingest.household import persons_called
from ingest.journal import Person
from ingest.verbs.week import week_lines
from ingest.verbs.week_answer import week_answers
from tests.support.households import DAY, Event, Limits, Noted, at, happen, hartslag, household, steady

HOME = Noted(
    "Jan", (("moderate_bpm", 110), ("vigorous_bpm", 140), ("target_min", 90), ("zone", "Europe/Amsterdam"))
)
MONDAY = at("2026-11-16T00:00+01:00")
HAPPENED: list[Event] = [
    HOME,
    # 20 min moderate, of which the strap saw the last 5 as vigorous; 10 min light; 90 s of raised rest
    steady("Jan", MONDAY + 36_000_000, 20 * 60, 120),
    steady("Jan", MONDAY + 36_000_000 + 900_000, 5 * 60, 150, source="strap", kind="strap"),
    steady("Jan", MONDAY + 2 * DAY, 10 * 60, 100),
    steady("Jan", MONDAY + 3 * DAY, 90, 130, source="all-day", kind="monitoring", step_s=30, movement=()),
    steady("Jan", MONDAY - 7 * DAY, 60, 120),
    steady("Jan", MONDAY - 21 * DAY, 30, 120),
    steady("Piet", MONDAY + 7_200_000, 61, 120),
]

KEYS = (
    "person", "week", "from", "to", "light_min", "moderate_min", "vigorous_min", "elevated_min",
    "unclassified_min", "measured_min", "dose_min", "target_min",
)  # fmt: skip


def test_json_has_the_agreed_keys_and_numbers_counted_by_hand(tmp_path: Path) -> None:
    """Protects what others build on: `week --json`, newest first, decimals that nobody has rounded."""
    with household(tmp_path, HAPPENED):
        pass
    answer = hartslag("--data", tmp_path, "week", "--json", "--weeks", "9")
    rows = json.loads(answer.out)
    assert answer.code == 0
    assert all(tuple(row)[: len(KEYS)] == KEYS for row in rows)
    short = [tuple(row[k] for k in KEYS) for row in rows]
    assert short == [
        ("Jan", "2026-W47", "2026-11-16", "2026-11-22", 10.0, 15.0, 5.0, 1.5, 0.0, 31.5, 25.0, 90.0),
        ("Piet", "2026-W47", "2026-11-16", "2026-11-22", 0.0, 0.0, 0.0, 0.0, 61 / 60, 61 / 60, 0.0, 150.0),
        ("Jan", "2026-W46", "2026-11-09", "2026-11-15", 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 90.0),
        ("Jan", "2026-W44", "2026-10-26", "2026-11-01", 0.0, 0.5, 0.0, 0.0, 0.0, 0.5, 0.5, 90.0),
    ]


def test_so_many_weeks_with_data_of_each_person_are_shown(tmp_path: Path) -> None:
    """Protects `--weeks` and the name: weeks without data are passed over, not shown as zero."""
    with household(tmp_path, HAPPENED) as journal:
        assert [row.week for row in week_answers(journal, persons_called(journal, "jan"), 2)] == [
            "2026-W47",
            "2026-W46",
        ]
        assert [row.week for row in week_answers(journal, persons_called(journal, "Jan"), 3)] == [
            "2026-W47",
            "2026-W46",
            "2026-W44",
        ]
        assert [(row.person, row.week) for row in week_answers(journal, journal.persons(), 1)] == [
            ("Jan", "2026-W47"),
            ("Piet", "2026-W47"),
        ]
        with pytest.raises(Stop, match="Kim is known here; known: Jan, Piet"):
            week_answers(journal, persons_called(journal, "Kim"), 1)


def test_the_edges_of_the_week_and_their_origin_stand_beside_it(tmp_path: Path) -> None:
    """Protects "numbers carry their origin": both maxima of a week in which the watch's changed, with the day."""
    happened: list[Event] = [
        Noted("Jan", (("zone", "Europe/Amsterdam"),)),
        steady("Jan", MONDAY + 3_600_000, 60, 118),
        Limits("Jan", MONDAY - DAY, 180),
        Limits("Jan", MONDAY + 2 * DAY, 190),
    ]
    with household(tmp_path, happened) as journal:
        (row,) = week_answers(journal, journal.persons(), 4)
    assert [(begins, e.moderate_bpm) for begins, e in row.edges] == [(None, 115), (date(2026, 11, 18), 122)]
    words = "\n".join(week_lines([row], "x.toml"))
    assert "maximum heart rate 180 bpm set in the watch" in words
    assert "since 2026-11-18" in words


def test_words_say_how_much_of_what_is_wanted_was_reached(tmp_path: Path) -> None:
    """Protects the one sentence that the whole program is for."""
    with household(tmp_path, HAPPENED) as journal:
        words = "\n".join(
            week_lines(
                week_answers(journal, persons_called(journal, "Jan"), 4, MONDAY + 7 * DAY - 1), "x.toml"
            )
        )
        later = "\n".join(
            week_lines(week_answers(journal, persons_called(journal, "Jan"), 4, MONDAY + 8 * DAY), "x.toml")
        )
    assert "Jan, this week: Monday 16 November to Sunday 22 November 2026" in words
    assert "25 of 90 minutes  [#####...............]" in words
    assert "moderate 15 min + 2 x vigorous 5 min; light 10 min; 1 active day" in words
    assert "Not counted: 2 min of raised heart rate without movement" in words
    assert "Measured 0.5 h; 167 h not measured so far, so this is the least it can be." in words
    assert "Not a medical device" in words
    assert "nothing is measured this week yet" in later


@pytest.mark.parametrize(
    ("zone", "this_week"), [("Pacific/Auckland", True), ("UTC", False), ("America/Los_Angeles", False)]
)
def test_this_week_is_that_of_the_person(zone: str, this_week: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """Protects Monday morning in New Zealand, when the machine may still have Sunday."""
    now = at("2026-11-16T00:30+13:00")
    home = Noted("Jan", (("moderate_bpm", 110), ("vigorous_bpm", 140), ("zone", zone)))
    with household(tmp_path, [home, steady("Jan", now - 600_000 - 2 * DAY, 600, 120)]) as journal:
        before = "\n".join(week_lines(week_answers(journal, journal.persons(), 4, now), "x.toml"))
    assert ("nothing is measured this week yet" in before) == this_week


def test_a_file_from_the_future_hides_no_week(tmp_path: Path) -> None:
    """Protects this week from one file of a watch whose clock was wrong: it stands first, and the file is told of."""
    happened = [*HAPPENED, steady("Jan", at("2027-11-16T10:00+01:00"), 600, 120)]
    now = MONDAY + 5 * DAY
    with household(tmp_path, happened) as journal:
        ((row,), rows) = (
            week_answers(journal, persons_called(journal, "Jan"), 1, now),
            week_answers(journal, persons_called(journal, "Jan"), 9, now),
        )
        before = "\n".join(
            week_lines(week_answers(journal, persons_called(journal, "Jan"), 4, MONDAY - 60 * DAY), "x.toml")
        )
    words = "\n".join(week_lines([row], "x.toml"))
    assert [r.week for r in rows] == ["2026-W47", "2026-W46", "2026-W44"]
    assert "Jan, this week: Monday 16 November" in words
    assert "Files hold days that are still to come (2027-W46): the clock of a watch was wrong." in words
    assert row.json()["still_to_come"] == ["2027-W46"]
    assert "The newest week with data:\n  2027-W46" in before, "of who has no other weeks these are shown"


def test_a_week_that_was_measured_throughout_is_not_the_least_it_can_be(tmp_path: Path) -> None:
    """Protects from "0 h not measured, so this is the least": it is said from half an hour on, beside the minutes too."""
    with household(tmp_path, [HOME, steady("Jan", MONDAY, 7200, 120, kind="strap")]) as journal:
        texts = [
            "\n".join(
                week_lines(
                    week_answers(journal, persons_called(journal, "Jan"), 1, MONDAY + minutes * 60_000),
                    "x.toml",
                )
            )
            for minutes in (120, 149, 150)
        ]
    assert ["At least" in text for text in texts] == [False, False, True]
    assert ["the least it can be" in text for text in texts] == [False, False, True]
    assert "  Measured 2.0 h so far." in texts[1].splitlines()
    assert "Measured 2.0 h; 1 h not measured so far" in texts[2]


@pytest.mark.parametrize("settings", ["", '[[person]]\nname = "Piet"\n'])
def test_unclassified_minutes_name_the_one_line_that_mends_them(tmp_path: Path, settings: str) -> None:
    """Protects the owner from guessing: doing what is said, word by word, makes the minutes count."""
    with household(tmp_path, [steady("Piet", MONDAY, 600, 150)]):
        pass
    if settings:
        (tmp_path / "hartslag.toml").write_text(settings)
    answer = hartslag("--data", tmp_path, "week", "Piet")
    assert "10 min are measured but not counted" in answer.out
    assert str(tmp_path / "hartslag.toml") in answer.out
    line = next(row.strip() for row in answer.lines if row.strip().startswith("born = "))
    assert '[[person]]  and  name = "Piet"' in answer.out
    (tmp_path / "hartslag.toml").write_text(f'[[person]]\nname = "Piet"\n{line}\n')
    answer = hartslag("--data", tmp_path, "week", "Piet", "--json")
    (row,) = json.loads(answer.out)
    assert (row["unclassified_min"], row["vigorous_min"]) == (0.0, 10.0)
    assert row["edges"][0]["method"] == "age"


def test_an_empty_journal_says_what_to_do(tmp_path: Path) -> None:
    """Protects the first minute with the program."""
    with household(tmp_path):
        pass
    assert "Drop FIT files into the inbox" in hartslag("--data", tmp_path, "week").out
    assert json.loads(hartslag("--data", tmp_path, "week", "--json").out) == []


def test_json_says_what_is_to_go_and_how_many_days_are_left(tmp_path: Path) -> None:
    """Protects a display of someone's own: "65 minutes to go, 4 days left", counted where the person is, and 0 once over."""
    far = Noted("Jan", (("moderate_bpm", 110), ("vigorous_bpm", 140), ("zone", "Pacific/Auckland")))
    paused = ("pause", [{"from": "2026-11-16", "to": "2026-11-16"}])
    monday = at("2026-11-16T00:00+13:00")
    with household(tmp_path, [*HAPPENED, far]) as journal:
        jan, piet = journal.persons()

        def told(person: Person, now_ms: int) -> tuple[int | None, int]:
            said = week_answers(journal, [person], 1, now_ms)[0].json()
            return said["to_go_min"], said["days_left"]

        for now, days in ((monday, 7), (monday + DAY - 1, 7), (monday + DAY, 6), (monday + 7 * DAY - 1, 1)):
            assert told(jan, now) == (125, days)
        assert told(jan, monday + 7 * DAY) == (125, 0)
        assert told(jan, monday - 60 * DAY)[1] == 7, "of a week that is still to come none is over"
        assert told(piet, monday + 2 * DAY)[0] is None, "no limits are known"
        happen(journal, Noted("Jan", (*far.facts, paused)))
        assert told(jan, monday) == (None, 7)
        happen(journal, Noted("Jan", (*far.facts, ("target_min", 25.5))))
        assert told(jan, monday)[0] == 1


def test_minutes_without_limits_are_unknown_and_not_none(tmp_path: Path) -> None:
    """Protects who has said nothing of their heart from a zero that looks like a verdict."""
    (tmp_path / "hartslag.toml").write_text('[[person]]\nname = "Anna"\nzone = "UTC"\n')
    start = int(time.time()) - 8 * 86_400 - 631_065_600
    for i in range(2):
        path = tmp_path / f"{i}.fit"
        path.write_bytes(workout(start + i * 7 * 86_400, [130 + j % 7 for j in range(900)], maximum=None))
        assert hartslag("--data", tmp_path, "add", path).code == 0
    told = hartslag("--data", tmp_path, "week").out
    assert "Not counted: the limits of the heart rate are not known." in told
    assert "not counted, no limits are known" in told
    assert not re.search(r"\b0 (of|min)|moderate 0|\[\.+\]", told), told


def test_seven_days_that_nothing_can_count_are_not_told(tmp_path: Path) -> None:
    """Protects who has said nothing of their heart: on a Monday the last seven days read "at least 0 minutes"."""
    saturday, monday = at("2026-11-21T10:00+01:00"), at("2026-11-23T12:00+01:00")
    with household(tmp_path, [steady("Jan", saturday, 900, 150)]) as journal:

        def told() -> str:
            return "\n".join(week_lines(week_answers(journal, journal.persons(), 2, monday), "hartslag.toml"))

        assert "Not counted" in told()
        assert "last seven days" not in told()
        happen(journal, HOME)
        assert "The last seven days: at least 30 minutes." in told()
