"""Which pauses of a workout are believed is said where an owner asks why."""

import json
from pathlib import Path

import pytest

from ingest.demo.fit_encoder import Fit
from ingest.verbs.times import length_text
from tests.support.daemons import hartslag

START = 1_140_000_000
"""2026-02-14T11:40 in Amsterdam, in the FIT era."""


SETTINGS = '[[person]]\nname = "Anna"\nzone = "Europe/Amsterdam"\nmoderate_bpm = 105\nvigorous_bpm = 150\n'


def test_pauses_are_explained(household: Path) -> None:
    """An owner reads which pauses counted, which did not, and what speaks for that; other programs find it, too."""
    ride = recorded(0, (0, 1800)).timer(START, start=False).timer(START + 1800, start=False)
    run = recorded(3600, (0, 300), (400, 1000)).timer(START + 3600, start=True)
    run.timer(START + 3900, start=False).timer(START + 4000, start=True).timer(START + 4600, start=False)
    words = explained(
        household, ride.session(START, 1800, sport=2), run.session(START + 3600, 1000, timer=900)
    )
    assert "pauses 0 s; its stops and starts tell 30 min, which is not believed:" in words
    assert "a stop or a start is missing, as its heart rate tells, and its own timer ran in it" in words
    assert (
        "pauses 1 min 40 s, as its stops and starts tell, and for so long its own timer stood still" in words
    )
    said = json.loads(hartslag("--data", household, "explain", "2026-02-14", "--json").stdout)["sessions"]
    assert [s["pauses"]["reading"] for s in said] == ["mended", "told"]


def test_a_timer_that_is_not_believed_is_explained(household: Path) -> None:
    """Protects whoever holds the headline against the minutes: both are of what is believed, and why is said."""
    moving = recorded(0, (0, 1800)).session(START, 1800, timer=1200)
    broken = recorded(3600, (0, 1500)).session(START + 3600, 1500, timer=99_999)
    lost = recorded(7200, (0, 600), (900, 1800)).timer(START + 7200, start=True)
    lost.timer(START + 7800, start=False).timer(START + 9000, start=False)
    lost.session(START + 7200, 1800, timer=1200)
    words = explained(household, moving, broken, lost)
    assert "Workout 2026-02-14 11:40, running, 30 min:" in words
    assert (
        "its own timer tells 20 min, which is not believed: heart rate was recorded for 30 min,"
        " and nothing tells which seconds of it were paused" in words
    )
    assert "Workout 2026-02-14 12:40, running, 25 min:" in words
    assert "its own timer tells 27 h 46 min 39 s, which cannot be: it was 25 min from start to end" in words
    assert "Workout 2026-02-14 13:40, running, 25 min:" in words
    assert "as its heart rate tells, though its own timer stood still for 10 min" in words
    assert "no timer of its own tells otherwise" not in words
    shown = " ".join(hartslag("--data", household, "workout", "2026-02-14T12:50").stdout.split())
    assert "Its own timer tells 27 h 46 min 39 s, which cannot be" in shown
    said = json.loads(hartslag("--data", household, "explain", "2026-02-14", "--json").stdout)["sessions"]
    assert [s["duration_s"] for s in said] == [1800, 1500, 1500]
    assert [[d["why"] for d in s["doubts"]] for s in said] == [["recorded"], ["longer"], ["recorded"]]


@pytest.mark.parametrize(
    ("records", "stood"),
    [
        (1289, "for 18 min 32 s more at its end, in which nothing was recorded"),
        (1201, "for the last 20 min, in which nothing was recorded"),
    ],
    ids=["writes on", "falls silent"],
)
def test_a_long_pause_at_the_end_is_one_pause(household: Path, records: int, stood: str) -> None:
    """Protects who asks where twenty minutes went: its own timer stood still for all of them, whatever was still written then."""
    run = recorded(0, (0, records)).timer(START, start=True).timer(START + 1200, start=False)
    words = explained(household, run.session(START, 2400, timer=1200))
    assert "20 min  moderate: counts once" in words, "no minute more or less"
    assert "          20 min  not measured: the timer of the watch was paused" in words
    assert f"its own timer stood still {stood}" in words
    assert "23 h 20 min  not measured: nothing recorded" in words, "of the rest of the day"


def test_lengths_are_whole_seconds(household: Path) -> None:
    """Protects readers from "13 min 45.296 s": nobody needs to know a workout so exactly."""
    words = explained(household, recorded(0, (0, 826)).session(START, 825.296))
    assert "running, 13 min 45 s:" in words
    assert ".296" not in words
    assert [length_text(ms) for ms in (0, 4, 2549, 59_960, 60_499, 3_599_600)] == [
        "0 s",
        "0.004 s",
        "2.5 s",
        "1 min",
        "1 min",
        "1 h 0 min",
    ]


def test_a_value_that_stays_while_beats_come_is_called_so(household: Path) -> None:
    """Protects a truth: beats came, so a heart rate is not left out because none did."""
    file = Fit().file_id(4, created=START)
    for second in range(600):
        file.record(START + second, 120).hrv(500, 500)
    words = explained(household, file.session(START, 600))
    assert "one value for minutes, while its beats do not vary as those of a heart do" in words
    assert "no beats came" not in words


@pytest.fixture
def household(tmp_path: Path) -> Path:
    """A data folder of one person, in which a heart rate of 120 is moderate."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "hartslag.toml").write_text(SETTINGS)
    return tmp_path / "data"


def explained(household: Path, *files: Fit) -> str:
    """What `explain` says of the day of some files."""
    for i, fit in enumerate(files):
        path = household.parent / f"{i}.fit"
        path.write_bytes(fit.done())
        assert hartslag("--data", household, "add", path).returncode == 0
    return hartslag("--data", household, "explain", "2026-02-14").stdout


def recorded(begins: int, *stretches: tuple[int, int]) -> Fit:
    fit = Fit().file_id(4, serial=begins + 1, created=START + begins)
    for a, b in stretches:
        for second in range(a, b):
            fit.record(START + begins + second, 120 + second % 7)
    return fit
