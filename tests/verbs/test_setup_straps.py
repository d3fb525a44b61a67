"""The strap that somebody wears, found by setup and told by its heart rate, on a played BlueZ."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.collect.strap_state import ADVICE
from ingest.settings.file import load
from tests.support.bluez.bluez import Played, played
from tests.support.bluez.bus import Bus, state_without_a_bus
from tests.support.daemons import until
from tests.support.terminal_talk import talk

CHEST, WATCH, ODD = "F0:00:00:00:00:01", "40:00:00:00:00:02", "40:00:00:00:00:03"
BEFORE = '[[person]]\nname = "Anna"\nborn = 1978\n\n[[person]]\nname = "Jan"\n'
ASKED = ["1", "1"]
"""English, nobody to be asked about."""


@pytest.fixture
def air(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Played]:
    """A chest strap that is worn, and a watch that changes its address, and another that calls itself something odd."""
    with Bus(tmp_path) as bus, played(bus.address) as bluez:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        bluez.do(bluez.bluez.strap, CHEST, name="Polar H10", serial="A1B2", rssi=-50)
        bluez.do(bluez.bluez.strap, WATCH, name='For"erunner', serial="77", rssi=-85, battery_pct=12)
        bluez.do(bluez.bluez.strap, ODD, name="A\x1b[2J", serial="78", rssi=-90)
        yield bluez


def test_straps_are_told_by_their_heart_rate_and_end_in_the_file(air: Played, tmp_path: Path) -> None:
    """Protects who has a strap and no idea of its address: its live heart rate is shown, and what is chosen loads."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "hartslag.toml").write_text(BEFORE)
    # The first that is offered, for Jan; the next, for Anna; one that could not be known again; no more.
    straps = ["yes", "1", "yes", "2", "yes", "1", "yes", "1", "yes", "1", "yes"]
    answers = [*ASKED, *straps, "no", "3", "yes"]
    talked = talk(["--data", data, "setup", "--seconds", "6"], answers)
    assert talked.code == 0, talked.shown
    assert "Polar H10, Virtual Oy VS-10, near, battery 87 %" in talked.words
    assert talked.words.count("beats per minute") >= 4
    assert "\x1b" not in talked.shown
    assert "it could not be known again" in talked.words
    found = load(None, data, {}, tmp_path)
    assert [(s.address, s.serial, s.person) for s in found.straps] == [
        (CHEST, None, "Jan"),
        (None, "77", "Anna"),
    ]
    assert all(strap.link is None for strap in air.bluez.straps), "every connection was ended"


def test_without_bluetooth_the_questions_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects who has no Bluetooth: it is said what to do, and everything else is asked and written all the same."""
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path / 'nothing'}")
    data = tmp_path / "data"
    talked = talk(
        ["--data", data, "setup"], ["1", "Anna", "no", "3", "1978", "2", "1", "yes", "no", "3", "yes"]
    )
    assert talked.code == 0, talked.shown
    assert ADVICE[state_without_a_bus()] in talked.words
    assert [p.name for p in load(None, data, {}, tmp_path).persons] == ["Anna"]


def test_nothing_in_reach(air: Played, tmp_path: Path) -> None:
    """Protects who forgot to moisten it: what to do is said, and it can be searched for again."""
    for strap in air.bluez.straps:
        air.do(air.bluez.leave, strap)
    talked = talk(
        ["--data", tmp_path, "setup", "--seconds", "3"],
        [*ASKED[:1], "Anna", "no", "3", "", "2", "1", "yes", "no", "3", "no"],
    )
    assert talked.code == 0, talked.shown
    assert "moisten it" in talked.words
    assert "Search again" in talked.words


def test_a_search_that_is_interrupted_ends_and_nothing_is_written(air: Played, tmp_path: Path) -> None:
    """Protects who does not want to wait: Ctrl-C ends the search and the questions at once, and the adapter is let go."""
    asking = subprocess.Popen(
        [sys.executable, "-m", "ingest", "--data", str(tmp_path / "data"), "setup"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert asking.stdin is not None
    asking.stdin.write("1\nAnna\nno\n3\n1978\n2\n1\nyes\n")
    asking.stdin.flush()
    until(lambda: air.bluez.searchers, "the search")
    asking.send_signal(signal.SIGINT)
    said, errors = asking.communicate(timeout=180)
    assert (asking.returncode, errors) == (130, "")
    assert said.rstrip().endswith("Nothing was written.")
    # Interrupted before its beginning was answered, the search ends because its client is gone.
    until(lambda: not air.bluez.searchers, "the end of the search")
    assert not (tmp_path / "data").exists()
