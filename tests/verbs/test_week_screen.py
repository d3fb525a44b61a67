"""Was this week enough? What a terminal shows of it."""

import time
from pathlib import Path

import pytest

from ingest.verbs.terminal import Terminal, cells
from ingest.verbs.week_answer import week_answers
from ingest.verbs.week_screen import week_screen
from tests.support.households import DAY, Event, Noted, at, hartslag, household, steady
from tests.support.terminals import STYLE, on_terminal

LONG = "Johanna-Wilhelmina van der Meulen-Oosterhuis 日本語 🚴 de derde van die naam"
LIMITS = (("moderate_bpm", 110), ("vigorous_bpm", 140), ("target_min", 90), ("zone", "Europe/Amsterdam"))
MONDAY = at("2026-11-16T00:00+01:00")


def happened(name: str = "Jan", facts: tuple[tuple[str, object], ...] = LIMITS) -> list[Event]:
    """Twenty minutes of Monday, five of them vigorous, ten of rest on Wednesday, and a week before."""
    return [
        Noted(name, facts),
        steady(name, MONDAY + 36_000_000, 15 * 60, 120),
        steady(name, MONDAY + 36_900_000, 5 * 60, 150),
        steady(name, MONDAY + 2 * DAY, 10 * 60, 100),
        steady(name, MONDAY - 7 * DAY, 60 * 60, 120),
    ]


def screen(folder: Path, events: list[Event], now_ms: int, width: int = 80) -> list[str]:
    """The lines of everybody in a household at a moment."""
    with household(folder, events) as journal:
        rows = week_answers(journal, journal.persons(), 4, now_ms)
    return list(week_screen(Terminal(width, unicode=False), rows, "/data/hartslag.toml"))


def test_the_answer_stands_first_and_days_are_bars(tmp_path: Path) -> None:
    """Protects tired eyes: what is to go, then how it came about, day by day; unmeasured is not zero."""
    lines = screen(tmp_path, happened(), MONDAY + 3 * DAY + 3_600_000)
    assert lines[:7] == [
        "Jan, this week: Monday 16 November to Sunday 22 November 2026",
        "",
        "  65 minutes to go",
        "  At least 25 of 90 minutes so far.",
        "  4 days are left with today: 17 minutes a day.",
        "  ============########....................................................",
        "",
    ]
    assert lines[7:12] == [
        "  Mon 16  25 min         ========================################",
        "  Tue 17  not measured",
        "  Wed 18   0 min",
        "  Thu 19  nothing yet today",
        "  = moderate 15 min   # vigorous 5 min, counts twice",
    ]
    assert "  2026-W46  60 of 90 min  measured 1 h  =============......." in lines


@pytest.mark.parametrize("width", [32, 40, 60, 80])
@pytest.mark.parametrize("name", ["Jan", LONG])
def test_nothing_is_wider_than_the_terminal(tmp_path: Path, width: int, name: str) -> None:
    """Protects a narrow window from wrapped bars: limits, sports, pauses and long names stay within it."""
    sports = (("sport", [{"name": "hand_cycling", "offset_bpm": -10}]), ("bout_min", 10))
    pause = (
        "pause",
        [{"from": "2026-11-09", "to": "2026-11-15", "why": "On holiday at the sea, without a bicycle"}],
    )
    lines = screen(tmp_path, happened(name, (*LIMITS, *sports, pause)), MONDAY + 6 * DAY, width)
    assert max(map(cells, lines)) <= width
    assert "".join(name.split()) in "".join("".join(lines).split())


def test_each_answer_is_said_in_words(tmp_path: Path) -> None:
    """Protects from a bar that has to be judged by eye: enough, held against nothing, not counted, nothing yet."""
    now = MONDAY + 6 * DAY + 3_600_000
    met = screen(tmp_path / "met", happened(facts=(*LIMITS[:2], ("target_min", 20))), now)
    assert met[2] == "  Enough: 25 of 20 minutes"
    pause = ("pause", [{"from": "2026-11-16", "to": "2026-11-16", "why": "ill"}])
    assert screen(tmp_path / "ill", happened(facts=(*LIMITS, pause)), now)[2] == (
        "  At least 25 minutes, not to be judged (ill)"
    )
    unknown = screen(tmp_path / "unknown", happened(facts=()), now)
    assert unknown[2] == "  Not counted: the limits of the heart rate are not known."
    assert "      born = 1970" in unknown
    later = screen(tmp_path / "later", happened(), MONDAY + 8 * DAY)
    assert later[0].startswith("Jan: nothing is measured this week yet.")
    assert "  At least 25 of 90 minutes" in later
    last = screen(tmp_path / "last", happened(), now)
    assert last[4] == "  Today is the last day of the week."
    assert screen(tmp_path / "none", [], now)[0].startswith("Nothing is measured yet.")


def lately(folder: Path) -> None:
    """A household of whom something is measured this week, whenever the test runs."""
    now = time.time_ns() // 1_000_000
    with household(folder, [Noted("Zoë", LIMITS), steady("Zoë", now - 1_200_000, 900, 150)]):
        pass


def test_on_a_real_terminal(tmp_path: Path) -> None:
    """Protects what a person sees: as wide as the window, never wider; colour and blocks only where they can be had."""
    lately(tmp_path)
    week: list[str | Path] = ["--data", tmp_path, "week"]
    narrow, wide = on_terminal(*week, columns=40), on_terminal(*week, columns=200)
    assert narrow.code == wide.code == 0
    assert narrow.widest <= 40
    assert 60 < wide.widest <= 88
    assert narrow.text.replace("█", "").split() != []
    assert "█" in wide.sent
    assert "\x1b[38;5;202m" in wide.sent
    colourless = on_terminal(*week, env={"NO_COLOR": "1"})
    assert (
        STYLE.findall(colourless.sent.replace("\x1b[1m", "").replace("\x1b[2m", "").replace("\x1b[0m", ""))
        == []
    )
    assert "█" in colourless.sent
    for env in ({"TERM": "dumb"}, {"LC_ALL": "C"}, {"LC_ALL": "", "LANG": "C"}, {"LC_ALL": "", "LANG": ""}):
        ascii_only = on_terminal(*week, env=env)
        assert "#" in ascii_only.sent
        assert ascii_only.sent.replace("Zoë", "").isascii(), env
    assert "\x1b" not in on_terminal(*week, env={"TERM": "dumb"}).sent


def test_a_pipe_is_told_the_same_as_ever(tmp_path: Path) -> None:
    """Protects scripts: whatever the terminal shows, in a pipe stand plain lines without colour."""
    lately(tmp_path)
    piped = hartslag("--data", tmp_path, "week", env={"TERM": "xterm-256color", "COLUMNS": "40"})
    assert "\x1b" not in piped.out
    assert "of 90 minutes  [" in piped.out
    assert max(map(len, piped.lines)) > 40


def test_everybody_has_an_own_answer(tmp_path: Path) -> None:
    """Protects two people in one house: each under the own name."""
    lines = screen(tmp_path, [*happened("Jan"), *happened("Piet")], MONDAY + 3 * DAY)
    assert [line.split(",")[0] for line in lines if ", this week" in line] == ["Jan", "Piet"]


def test_seven_days_without_anything_are_not_told_beside_a_week_of_years_ago(tmp_path: Path) -> None:
    """Protects who brings old files: what nobody measured in these days has nothing to do with a week of then."""
    with household(tmp_path, happened()) as journal:
        for later, told in ((8, True), (400, False)):
            rows = week_answers(journal, journal.persons(), 4, MONDAY + later * DAY)
            text = " ".join(week_screen(Terminal(80, unicode=False), rows, "hartslag.toml"))
            assert ("The last seven days" in text) == told
