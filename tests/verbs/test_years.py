"""Years at the borders of what can be said: every verb answers, or says in words what is wrong."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from ingest.cli import hartslag
from ingest.demo.fit_encoder import workout
from ingest.errors import HartslagError
from ingest.formats.fit.era import FIRST_DATE

ENTRIES = {
    "profile": "[[person.profile]]\nfrom = {day}\nmoderate_bpm = 110\nvigorous_bpm = 140\n",
    "sport": "[[person.sport]]\nname = 'running'\nfrom = {day}\noffset_bpm = 5\n",
    "target": "[[person.target]]\nfrom = {day}\ntarget_min = 200\n",
    "plan": "[person.plan]\nfrom = {day}\ntargets_min = [60, 90]\nweeks = 52\n",
    "pause": "[[person.pause]]\nfrom = {day}\nto = {day}\n",
    "travel": "[[person.travel]]\nfrom = {day}\nzone = 'Pacific/Kiritimati'\n",
    "journey": "[[person.travel]]\nfrom = 1900-01-01\nto = {day}\nzone = 'Pacific/Pago_Pago'\n",
}

QUESTIONS = (
    ["week"],
    ["today", "--once"],
    ["profile"],
    ["explain", "2026-11-16"],
    ["report", "--out", "page.html"],
    ["rebuild"],
    ["status"],
    ["check"],
)

NO_TIMES = (
    "9999-12-31",
    "9999-12-31 23:59",
    "2262-04-12 00:00",
    "1677-09-20",
    "0001-01-01 00:00+14:00",
    "99999-01-01",
)


def answers(data: Path, words: list[str], settings: str = "") -> str:
    """What a verb says, in words or as a mistake in words; anything else is an error of the test."""
    file = data / "hartslag.toml"
    data.mkdir(exist_ok=True)
    file.write_text(f'[[person]]\nname = "Jan"\nborn = 1960\n{settings}')
    done = CliRunner().invoke(hartslag, ["--config", str(file), "--data", str(data), *words])
    if done.exception is not None and not isinstance(done.exception, (SystemExit, HartslagError)):
        raise done.exception
    return done.output + str(done.exception or "")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A household with workouts in the first and the last moments that are dates of a watch, and one of this time."""
    monkeypatch.chdir(tmp_path)
    files = []
    for i, start in enumerate((FIRST_DATE, 1_163_000_000, (1 << 32) - 700)):
        files.append(tmp_path / f"{i}.fit")
        files[-1].write_bytes(workout(start, [100 + n % 40 for n in range(600)]))
    assert "3 stored" in answers(tmp_path / "data", ["add", *map(str, files)])
    return tmp_path / "data"


@pytest.mark.parametrize("day", ["1900-01-01", "2199-12-31"])
def test_every_date_that_settings_allow_has_an_answer(data: Path, day: str) -> None:
    """Protects who mistypes a year: the borders of what is allowed are borders of what works."""
    for entry in ENTRIES.values():
        for words in QUESTIONS:
            answers(data, words, entry.format(day=day))


@pytest.mark.parametrize("time", NO_TIMES)
def test_a_time_that_cannot_be_ends_in_words(data: Path, time: str) -> None:
    """Protects who asks for the year 9999: it is said what would be right, by every verb that takes a time."""
    for words in (["explain", time], ["workout", time], ["forget", time, "--yes"], ["clock", time]):
        assert time.split(maxsplit=1)[0] in answers(data, words)
    for option in ("--from", "--to"):
        answers(data, ["export", option, time])
    assert "will not do" in answers(data, ["week", "--weeks", "9" * 20])
