"""What setup says of limits where a watch has told its maximum already."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from ingest import cli
from ingest.demo.fit_encoder import workout
from ingest.language import ENGLISH, speak

YEAR = ["1", "Anna", "no", "4", "1978"]
"""English, her name, no medicine, her year of birth."""
REST = ["2", "1", "no", "3", "1"]
"""60 minutes, nobody else, no straps, no watch, and a yes."""


@pytest.fixture(autouse=True)
def _english_afterwards() -> Iterator[None]:
    """Protects other tests from the language that somebody chose here."""
    yield
    speak(ENGLISH)


@pytest.fixture
def taken(tmp_path: Path) -> Path:
    """A data folder with a workout of a watch in which a maximum of 190 is set, taken before there were settings."""
    (tmp_path / "ride.fit").write_bytes(workout(1_100_000_000, [100, 120, 140, 150] * 300, maximum=190))
    run(tmp_path / "data", "add", str(tmp_path / "ride.fit"))
    return tmp_path / "data"


def run(data: Path, *words: str, answers: list[str] | None = None) -> str:
    """What a verb says, without the ends of lines."""
    typed = "".join(f"{a}\n" for a in answers or ())
    done = CliRunner().invoke(cli.hartslag, ["--data", str(data), *words], input=typed)
    assert done.exit_code == 0, (done.output, done.exception)
    return " ".join(done.output.split())


def test_limits_that_are_promised_are_those_that_are_used(taken: Path) -> None:
    """Protects from a promise that is not kept: the maximum of the watch goes before a guess, and setup says so."""
    said = run(taken, "setup", answers=[*YEAR, *REST])
    assert "Your watch says that your highest heart rate is 190" in said
    assert "moderate begins at 122 and vigorous at 146" in said
    assert "Anna: born in 1978. The limits stay those of the watch." in said
    assert "a guess from the year of birth, 1978" not in said
    week = run(taken, "week", "Anna")
    assert "122" in week
    assert "190 bpm set in the watch" in week


def test_an_answer_better_than_the_watch_counts(taken: Path) -> None:
    """Protects who knows better than the watch: with a measured maximum the limits follow from that."""
    said = run(taken, "setup", answers=["1", "Anna", "no", "3", "175", *REST])
    assert "Leave it as it is: the maximum that is set in your watch, 190 beats per minute" in said
    assert "With that, moderate begins at 112 and vigorous at 135" in said
    assert "175 bpm" in run(taken, "week", "Anna")


def test_somebody_else_has_no_watch(taken: Path) -> None:
    """Protects the second person: the watch of the first decides nothing of theirs."""
    kim = ["2", "Kim", "no", "3", "1978", "2"]
    said = run(taken, "setup", answers=["1", "Anna", "no", "1", "2", *kim, "1", "no", "3", "1"])
    assert "With that, moderate begins at 115 and vigorous at 139" in said
    assert "Kim, limits: a guess from the year of birth, 1978." in said
