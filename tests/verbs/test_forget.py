"""Have something not count: what is shown before, what is asked, and how it is taken back."""

import json
import signal
from pathlib import Path

import pytest

from ingest.demo.fit_encoder import ERA, workout
from tests.support.households import HOUR, Answer, Event, Noted, Workout, at, hartslag, household, steady
from tests.support.terminal_talk import END_OF_INPUT, talk

EVENING = at("2026-11-16T18:00+01:00")
SETTINGS = """
[[person]]
name = "Anna"
zone = "Europe/Amsterdam"
moderate_bpm = 110
vigorous_bpm = 140

[[person]]
name = "Ben"
zone = "Europe/Amsterdam"
moderate_bpm = 110
vigorous_bpm = 140

[[strap]]
address = "F0:00:00:00:00:01"
name = "H10"
person = "Anna"
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Anna's data: an evening with a watch, and a strap on a Tuesday."""
    (tmp_path / "hartslag.toml").write_text(SETTINGS)
    limits = (("moderate_bpm", 110), ("vigorous_bpm", 140), ("zone", "Europe/Amsterdam"))
    events: list[Event] = [
        Noted("Anna", limits),
        steady("Anna", EVENING, 3600, 120, source="garmin-1-activity"),
        Workout("Anna", "garmin-1-activity", EVENING, EVENING + HOUR),
        steady("Anna", EVENING + 24 * HOUR, 3600, 150, source="strap F0:00:00:00:00:01", kind="strap"),
    ]
    with household(tmp_path, events):
        return tmp_path


def week_minutes(data: Path, person: str = "Anna") -> float:
    (week,) = json.loads(hartslag("--data", data, "week", person, "--weeks", "1", "--json").out)
    return float(week["dose_min"])


def forget(data: Path, *words: str) -> Answer:
    return hartslag("--data", data, "forget", *words)


def test_a_pipe_is_shown_what_would_change_and_nothing_is_changed(data: Path) -> None:
    """Protects a history from a script: without a yes only the minutes are told, and the status says so."""
    shown = forget(data, "2026-11-17", "18:00", "-", "18:30", "Anna")
    assert shown.code == 3
    assert "Nothing is changed yet" in shown.err
    assert "120 minutes for the week instead of 180" in shown.out
    assert week_minutes(data) == 180


def test_on_a_terminal_only_a_yes_changes_anything(data: Path) -> None:
    """Protects a history from a slip: nothing, half a yes and Ctrl-C change nothing; a yes does, in each language, and back."""
    words: list[str | Path] = ["--data", data, "forget", "2026-11-17", "18:00", "-", "18:30", "Anna"]
    nothing: list[tuple[str | bytes | int, int]] = [
        ("no", 3),
        ("", 3),
        ("yes please", 3),
        (signal.SIGINT, 130),
        (END_OF_INPUT, 130),
    ]
    for answer, code in nothing:
        talked = talk(words, [answer])
        assert "Do it? (yes or no)" in talked.words
        assert talked.code == code, talked.shown
    assert week_minutes(data) == 180
    talked = talk(words, [" ja "], columns=40, env={"LC_ALL": "nl_NL.UTF-8"})
    assert "Doen? (ja of nee)" in talked.words
    assert talked.code == 0, talked.shown
    assert week_minutes(data) == 120
    undo: list[str | Path] = ["--data", data, "forget", "--undo"]
    assert talk(undo, ["no"]).code == 3
    assert week_minutes(data) == 120
    assert talk(undo, ["Y"]).code == 0
    assert week_minutes(data) == 180


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (("2026-11-17 18:00 - 19:00", "Anna"), 60),
        (("2026-11-17", "Anna", "--source", "H10"), 60),
        (("2026-11-16T18:10", "Anna"), 120),
        (("2026-W47", "Anna", "--source", "H10"), 60),
        (("2026-11-16", "-", "2026-11-16", "Anna"), 120),
    ],
)
def test_each_form_takes_what_it_names_and_undo_gives_it_back(
    data: Path, words: tuple[str, ...], left: float
) -> None:
    """Protects what is typed: a span, a day, a week or a workout, all sensors or one, and back again as it was."""
    assert forget(data, *words, "--yes").code == 0
    assert week_minutes(data) == left
    listed = json.loads(forget(data, "--list", "--json").out)
    assert [f["person"] for f in listed] == ["Anna"]
    assert forget(data, "--undo", str(listed[0]["number"]), "--yes").code == 0
    assert week_minutes(data) == 180
    assert json.loads(forget(data, "--list", "--json").out) == []


@pytest.mark.parametrize(
    ("words", "undone"),
    [
        ("2026-11-17", "2026-11-17"),
        ("2026-11-16 18:10", "2026-11-16 18:30"),
        ("2026-W47", "2026-11-16 - 2026-11-22"),
        ("2026-11-17 18:00 - 18:30", "2026-11-17 18:00 to 18:30"),
    ],
)
def test_what_named_a_time_takes_it_back_too(data: Path, words: str, undone: str) -> None:
    """Protects who never noted the number: the words that forgot a time give it back, and those of another time do not."""
    assert forget(data, words, "Anna", "--yes").code == 0
    assert len(json.loads(forget(data, "--list", "--json").out)) == 1
    assert "Nothing of that name" in forget(data, "--undo", "2026-11-15", "Anna", "--yes").err
    assert forget(data, "--undo", undone, "Anna", "--yes").code == 0
    assert week_minutes(data) == 180


SWUM = (("watch_edges", (90, 110, 140, 160)), ("watch_s", (0, 0, 2400, 1200, 0)))


@pytest.mark.parametrize(
    ("words", "left"), [("2026-11-18 18:10", 180), ("2026-11-18", 180), ("2026-11-18 18:00 - 18:30", 220)]
)
def test_what_only_a_watch_tells_is_forgotten_as_all_else(data: Path, words: str, left: float) -> None:
    """Protects who lent a watch to a swimmer: minutes by its own word go with their time, all of them or a part."""
    when = EVENING + 48 * HOUR
    with household(data, [Workout("Anna", "garmin-1-activity", when, when + HOUR, more=SWUM)]):
        pass
    assert week_minutes(data) == 260
    assert forget(data, words, "Anna", "--yes").code == 0
    assert week_minutes(data) == left
    assert forget(data, "--undo", "--yes").code == 0
    assert week_minutes(data) == 260


def test_of_whom_all_is_forgotten_nobody_says_that_it_holds_no_heart_rate(data: Path) -> None:
    """Protects who forgot too much: where the week stands empty, what is forgotten is told, and where it is listed."""
    file = data / "run.fit"
    file.write_bytes(workout(EVENING // 1000 - ERA, [150 + i % 5 for i in range(1800)]))
    assert hartslag("--data", data, "add", "--person", "Ben", file).code == 0
    assert forget(data, "2026-11-16", "Ben", "--yes").code == 0
    told = hartslag("--data", data, "week", "Ben").out
    assert "Ben: all that came in is forgotten. `hartslag forget --list` shows it." in " ".join(told.split())


def test_a_wrong_persons_file_goes_and_comes_to_the_right_one(data: Path) -> None:
    """Protects two weeks at once: the file of the other is forgotten, told when it comes again, and given where it belongs."""
    file = data / "run.fit"
    file.write_bytes(workout(EVENING // 1000 - ERA + 2 * 86_400, [150 + i % 5 for i in range(1800)]))
    assert hartslag("--data", data, "add", "--person", "Anna", file).code == 0
    assert week_minutes(data) == 240
    done = forget(data, "run.fit", "Anna", "--yes")
    assert "This workout goes" in done.out
    assert f"add --person Ben {data}/archive/2026/Anna/run.fit" in done.out
    assert week_minutes(data) == 180
    asked = hartslag("--data", data, "explain", "run.fit", "Anna")
    assert (asked.code, "is forgotten" in asked.out) == (0, True)
    assert "as it is forgotten" in hartslag("--data", data, "explain", "2026-11-18", "Anna").out
    again = hartslag("--data", data, "add", "--person", "Anna", file)
    assert "duplicate" in again.out
    assert "forgotten" in again.out
    assert week_minutes(data) == 180
    assert hartslag("--data", data, "add", "--person", "Ben", data / "archive/2026/Anna/run.fit").code == 0
    assert week_minutes(data, "Ben") == 60
    # Each has it in a folder of their own: an archive that is added anew gives it to both, as it was.
    assert (data / "archive/2026/Ben/run.fit").exists()
    assert forget(data, "--undo", "run.fit", "--yes").code == 0
    assert week_minutes(data) == 240


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("nothing.fit",), "No file called nothing.fit"),
        (("2026-11-17 18:00 - 19:00",), "Whose?"),
        (("2026-11-19", "Anna"), "Nothing that counts is recorded of Anna then"),
        (("2026-11-17", "Anna", "--source", "Fenix"), "Anna has no sensor Fenix"),
        (("2026-11-17", "10:00", "Anna"), "Anna has no workout"),
        (("2026-02-30", "Anna"), "There is no day 2026-02-30"),
        (("--undo",), "Nothing is forgotten"),
    ],
)
def test_slips_are_told_in_words(data: Path, words: tuple[str, ...], told: str) -> None:
    """Protects whoever mistypes: what was not understood is said, and nothing is written."""
    slip = forget(data, *words, "--yes")
    assert slip.code == 1
    assert told in slip.err
    assert week_minutes(data) == 180
