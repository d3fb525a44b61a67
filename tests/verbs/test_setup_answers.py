"""What setup says to an answer that does not fit: words of a conversation, not of a settings file."""

from pathlib import Path
from typing import Any

import pytest

from ingest.settings.mistakes import mistakes_in
from ingest.verbs.setup_answers import BOUNDS, day_from, steps_from, value_for
from tests.support.terminal_talk import talk

TABLES = {"born": "person", "target_min": "person", "weeks": "person.plan"}


def refusal(key: str, typed: str, others: dict[str, Any] | None = None) -> str:
    """Why an answer is none."""
    with pytest.raises(ValueError, match=r"\w") as caught:
        value_for(TABLES.get(key, "person.profile"), key, others)(typed)
    return str(caught.value)


@pytest.mark.parametrize("key", BOUNDS)
@pytest.mark.parametrize(
    "typed", ["", "0", "x", '"', "64 %", "115.5", "-3", "123456789", "9" * 30, "\x1b[2J"]
)
def test_nothing_is_said_in_the_language_of_a_file(key: str, typed: str) -> None:
    """Protects who is no programmer: no key of the file, no quotes to be left out, nothing that was "found"."""
    said = refusal(key, typed)
    for of_a_file in ("_bpm", "_min", "quotes", "found", "right would", "\x1b"):
        assert of_a_file not in said
    assert "ype " in said, "what to type is said"


@pytest.mark.parametrize("key", BOUNDS)
def test_an_empty_answer_is_told_what_to_type(key: str) -> None:
    """Protects who presses Enter where nothing stands in brackets: a number is wanted, or the way back."""
    assert refusal(key, "") == "Type a number, or back."


@pytest.mark.parametrize("key", BOUNDS)
def test_the_bounds_that_are_told_are_those_of_the_settings(key: str) -> None:
    """Protects from advice that is refused in its turn: what is said to fit does, and one beside it does not."""
    _words, least, most = BOUNDS[key]
    table = TABLES.get(key, "person.profile")

    def is_taken(value: int) -> bool:
        values = {key: value, "maximum_bpm": 100} if key in {"moderate_bpm", "vigorous_bpm"} else {key: value}
        values |= {"moderate_bpm": 50} if key == "vigorous_bpm" else {}
        words = [m for m in mistakes_in(table, values) if m.startswith(f"{key}: ")]
        return not any("from" in m or "year" in m for m in words)

    assert is_taken(least)
    assert not is_taken(least - 1)
    if key != "born":  # which goes on with the years
        assert is_taken(most)
        assert not is_taken(most + 1)


def test_the_true_reason_is_told() -> None:
    """Protects who gives limits the wrong way round: that vigorous is the lower one is said, not that it is slow."""
    assert "higher than moderate: type more than 110" in refusal("vigorous_bpm", "100", {"moderate_bpm": 110})
    assert "highest heart rate, 150" in refusal("moderate_bpm", "150", {"maximum_bpm": 150})
    assert "medicine" in refusal("moderate_bpm", "70")
    assert "too low beside your highest heart rate, 180" in refusal(
        "moderate_bpm", "70", {"maximum_bpm": 180}
    )


def test_a_plan_rises() -> None:
    """Protects from a target that falls by a slip: the lowest step comes first, and the same twice is no fall."""
    assert steps_from("60, 60 90") == [60, 60, 90]
    with pytest.raises(ValueError, match="60 comes after 90"):
        steps_from("90, 60")
    with pytest.raises(ValueError, match="Type the minutes a week of each step"):
        steps_from("60, many")


def test_an_empty_day_is_told_what_to_type() -> None:
    """Protects who presses Enter where a day is wanted."""
    with pytest.raises(ValueError, match=r"^Type a day, like 2026-03-01, or back\.$"):
        day_from("")


def test_who_stops_is_told_of_all_answers(tmp_path: Path) -> None:
    """Protects who stops at the second person: that the first is not kept either is said, where anything was answered."""
    anna = ["1", "Anna", "no", "3", "1978", "2"]
    said = talk(["--data", tmp_path, "setup"], [*anna, "2", "Jan", "stop"]).words
    assert "You stopped. No answer is kept, whoever it was about. Nothing was written." in said
    narrow = talk(["--data", tmp_path, "setup"], ["1", "stop"], columns=40)
    assert "No answer is kept, whoever it was about." in narrow.words
    assert len(narrow.shown.splitlines()[-1]) <= 40
    assert "No answer" not in talk(["--data", tmp_path, "setup"], ["stop"]).words
