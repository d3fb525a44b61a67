"""Messages and errors: in lines that fit a terminal, and as they are in a pipe."""

from pathlib import Path

import pytest

from ingest.demo.fit_encoder import workout
from tests.support.households import hartslag
from tests.support.terminals import on_terminal

MISTAKES = '[[person]]\nname = "Jan"\nborn = 1850\nzone = "Mars"\n'


@pytest.mark.parametrize("columns", [40, 80])
def test_errors_are_wrapped_at_words_on_a_terminal_alone(tmp_path: Path, columns: int) -> None:
    """Protects tired eyes from words that are broken at the edge; whoever reads from a pipe gets a line a mistake."""
    (tmp_path / "hartslag.toml").write_text(MISTAKES)
    piped = hartslag("--data", tmp_path, "week")
    seen = on_terminal("--data", tmp_path, "week", columns=columns)
    assert seen.code == piped.code == 78
    assert seen.text == " ".join(piped.err.split())
    assert all(len(line) <= columns or " " not in line for line in seen.lines)
    assert max(map(len, piped.err.splitlines())) > 80


def test_a_demo_that_is_there_is_told_with_whole_commands(tmp_path: Path) -> None:
    """Protects who makes it a second time: lines to copy as they stand, however narrow the window."""
    demo = tmp_path / "demo"
    assert hartslag("demo", demo).code == 0
    piped, seen = hartslag("demo", demo), on_terminal("demo", demo, columns=40)
    assert piped.code == seen.code == 1
    for line in (f"--data {demo} week", f"demo {demo} --anew"):
        for told in (piped.err.splitlines(), seen.lines):
            assert sum(one.startswith("  ") and one.endswith(line) for one in told) == 1


def test_a_mistyped_verb_is_told_in_the_language_of_the_system() -> None:
    """Protects who reads no English from "No such command"; a pipe in English keeps the words it knows."""
    dutch = hartslag("wek", env={"LC_ALL": "nl_NL.UTF-8"})
    assert dutch.code == 2
    assert "Fout: De opdracht 'wek' bestaat niet. Bedoelde je 'week'?" in dutch.err
    assert "Try" not in dutch.err
    english = hartslag("wek", env={"LC_ALL": "C"})
    assert english.err.endswith("--help' for help.\n\nError: No such command 'wek'. Did you mean 'week'?\n")


@pytest.mark.parametrize("columns", [40, 80])
def test_answers_are_wrapped_at_words_on_a_terminal_alone(tmp_path: Path, columns: int) -> None:
    """Protects tired eyes: whatever verb answers, its lines end where the terminal does, and a pipe has a line each."""
    (tmp_path / "hartslag.toml").write_text('[[person]]\nname = "Anna"\nborn = 1970\n')
    workout_of_anna = tmp_path / "a-workout-of-anna-on-a-fine-day.fit"
    workout_of_anna.write_bytes(workout(1_163_500_000, [120] * 600))
    added = on_terminal("--data", tmp_path, "add", workout_of_anna, columns=columns)
    assert added.code == 0
    assert hartslag("--data", tmp_path, "forget", workout_of_anna.name, "--yes").code == 0
    told = ["forget --list", "profile", "profile --propose", "explain 2026-11-14", "check"]
    for seen in (added, *(on_terminal("--data", tmp_path, *verb.split(), columns=columns) for verb in told)):
        assert seen.lines
        assert [line for line in seen.lines if len(line) > columns and len(line.split()) > 1] == []
