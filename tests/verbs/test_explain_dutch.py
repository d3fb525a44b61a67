"""`explain` in Dutch: nothing of it is left in English."""

import re
from pathlib import Path

import pytest

from ingest.demo.fit_encoder import Fit, workout
from tests.support.households import hartslag
from tests.support.terminals import on_terminal

START = 1_163_500_000
ENGLISH = {
    "the",
    "and",
    "are",
    "its",
    "from",
    "with",
    "moderate",
    "vigorous",
    "light",
    "believed",
    "measured",
    "nothing",
}
"""Words that no Dutch sentence has."""


def test_explain_speaks_dutch_whole(tmp_path: Path) -> None:
    """Protects who reads no English from half an answer: of a day, a week, a minute and a file."""
    (tmp_path / "hartslag.toml").write_text(
        'language = "nl"\n[[person]]\nname = "Anna"\nborn = 1970\nzone = "Europe/Amsterdam"\n'
    )
    swim = Fit().file_id(4, serial=9, created=START + 9000)
    swim.session(START + 9000, 1800, sport=5, mean=125, highest=150)
    swim.time_in_zone(START + 10800, [92, 111, 119, 143, 166, 185], [0, 0, 0, 1200, 600, 0, 0])
    files = {
        "rit.fit": workout(START, [100 + i % 60 for i in range(1500)] + [0] * 30),
        "zwem.fit": swim.done(),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    assert hartslag("--data", tmp_path, "add", *(tmp_path / name for name in files)).code == 0
    for what in ("2026-11-12", "2026-W46", "2026-11-12T11:30", "rit.fit", "zwem.fit"):
        answer = hartslag("--data", tmp_path, "explain", what)
        assert answer.code == 0, answer.err
        assert not ENGLISH & set(re.findall(r"[a-z]+", answer.out)), answer.out
    narrow = on_terminal("--data", tmp_path, "explain", "zwem.fit", columns=40)
    assert "vanaf 119 bpm: het horloge 1200 s" in narrow.text, (
        "a table too wide for the terminal is told line by line"
    )
    assert [line for line in narrow.lines if len(line) > 40 and len(line.split()) > 1] == []


@pytest.mark.parametrize(
    ("edges", "said"),
    [
        ([0] * 6, "whose limits were never set, it tells 0 for all: 0 0 0 1200 600 0 0"),
        ([185, 166, 143, 119, 111, 92], "7 zones whose limits (185, 166, 143, 119, 111, 92) do not rise"),
        ([92, 111, 119], "7 zones, and 3 limits (92, 111, 119) do not go with them"),
    ],
    ids=["never set", "falling", "too few"],
)
def test_what_is_wrong_with_the_limits_of_a_watch_is_said(
    tmp_path: Path, edges: list[int], said: str
) -> None:
    """Protects who looks for limits in a watch that has some: they are shown, with why its seconds do not count by them."""
    swim = Fit().file_id(4, serial=9, created=START + 9000)
    swim.session(START + 9000, 1800, sport=5, mean=125, highest=150)
    swim.time_in_zone(START + 10800, edges, [0, 0, 0, 1200, 600, 0, 0])
    (tmp_path / "swim.fit").write_bytes(swim.done())
    assert hartslag("--data", tmp_path, "add", tmp_path / "swim.fit").code == 0
    told = " ".join(hartslag("--data", tmp_path, "explain", "swim.fit").out.split())
    assert said in told
    assert "limits it does not tell" not in told
