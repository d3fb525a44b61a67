"""Straps in reach, as lines to paste."""

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.collect.strap_state import ADVICE
from ingest.settings.file import load
from ingest.system.lock import only_daemon
from tests.support.bluez.bluez import Played, played
from tests.support.bluez.bus import Bus, state_without_a_bus
from tests.support.daemons import hartslag, until
from tests.support.preloaded import PATIENCE_S

CHEST, WATCH, OTHER = "F0:00:00:00:00:01", "40:00:00:00:00:02", "F0:00:00:00:00:03"
STRANGER = "40:00:00:00:00:04"


@pytest.fixture
def air(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Played]:
    """A chest strap, a watch that changes its address, and something that is no heart-rate sensor."""
    with Bus(tmp_path) as bus, played(bus.address) as bluez:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        bluez.do(bluez.bluez.strap, CHEST, name="Polar H10", serial="A1B2", rssi=-50)
        bluez.do(bluez.bluez.strap, WATCH, name='For"erunner', serial="77", rssi=-85, battery_pct=12)
        bluez.do(bluez.bluez.strap, OTHER, name="Lamp", says_heart_rate=False, has_heart_rate=False)
        yield bluez


def scan(data: Path, *words: str) -> str:
    done = hartslag("--data", data, "scan", "--seconds", "1", *words)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_what_is_shown_can_be_pasted(air: Played, tmp_path: Path) -> None:
    """Protects who sets up a strap: the lines, as they are, are settings that know each sensor the right way."""
    assert air.bluez.straps
    lines = scan(tmp_path / "data")
    assert "Polar H10, Virtual Oy VS-10, signal -50 dBm (strong), battery 87 %, serial number A1B2" in lines
    assert "signal -85 dBm (weak), battery 12 %, serial number 77" in lines
    assert "Lamp" not in lines
    (tmp_path / "pasted.toml").write_text(lines)
    straps = load(tmp_path / "pasted.toml", None, {}, tmp_path).straps
    assert [s.source for s in straps] == [f"strap {CHEST}", 'strap For"erunner 77']
    assert all(s.link is None for s in air.bluez.straps)


def test_whose_they_are(air: Played, tmp_path: Path) -> None:
    """Protects against naming a strap twice: who has it in the settings is said, and its block is only a remark."""
    data = tmp_path / "data"
    data.mkdir()
    settings = '[[person]]\nname = "Anna"\n[[person]]\nname = "Jan"\n[[strap]]\nname = "For\\"erunner"\nserial = "77"\nperson = "Jan"\n'
    (data / "hartslag.toml").write_text(settings)
    found = {f["address"]: f for f in json.loads(scan(data, "--json"))}
    assert list(found) == [CHEST, WATCH]  # the strongest first
    assert found[WATCH] == {
        "address": WATCH, "name": 'For"erunner', "signal_dbm": -85, "connected": False, "address_changes": True,
        "battery_pct": 12, "serial": "77", "model": "Virtual Oy VS-10", "person": "Jan",
    }  # fmt: skip
    assert found[CHEST]["person"] is None
    lines = scan(data)
    assert "# Jan's, in the settings already" in lines
    assert 'person = "Anna"  # or Jan' in lines
    (data / "hartslag.toml").write_text(settings + lines)
    assert len(load(data / "hartslag.toml", None, {}, tmp_path).straps) == 2
    assert air.bluez.straps


def test_the_name_that_its_owner_gave_a_strap_finds_no_other(air: Played, tmp_path: Path) -> None:
    """Protects a neighbour: a name beside an address is what people see, and a sensor that calls itself so is not theirs."""
    data = tmp_path / "data"
    data.mkdir()
    block = ["[[strap]]", f'address = "{CHEST}"', 'name = "For\\"erunner"', 'person = "me"']
    (data / "hartslag.toml").write_text("\n".join(block))
    found = {f["address"]: f["person"] for f in json.loads(scan(data, "--json", "--listen-only"))}
    assert found == {CHEST: "me", WATCH: None}
    mine = scan(data, "--listen-only").strip().split("\n\n")[0].splitlines()
    assert mine[1:] == ["# me's, in the settings already", *(f"# {line}" for line in block)]
    assert air.bluez.connects == 0


def test_only_listening_connects_to_nothing(air: Played, tmp_path: Path) -> None:
    """Protects neighbours in a gym, whose strap has one connection only."""
    lines = scan(tmp_path / "data", "--listen-only")
    assert air.bluez.connects == 0
    assert f'address = "{CHEST}"' in lines
    assert "this address will change" in lines


def test_a_strap_that_the_daemon_listens_to_is_left_alone(air: Played, tmp_path: Path) -> None:
    """Protects a workout: a strap connected to this computer is shown, with its battery, and loses nothing by that."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "hartslag.toml").write_text(f'[[strap]]\naddress = "{CHEST}"\n')
    log = (tmp_path / "log").open("w")
    daemon = subprocess.Popen(
        [sys.executable, "-m", "ingest", "--data", str(data), "run"], stdout=log, stderr=log
    )
    try:
        strap = air.bluez.straps[0]
        until(lambda: len(strap.delivered) > 2, "the strap")
        until(
            lambda: '"battery_pct": 87' in hartslag("--data", data, "status", "--json").stdout, "its battery"
        )
        (mine, _) = json.loads(scan(data, "--json"))
        assert (mine["address"], mine["connected"], mine["battery_pct"]) == (CHEST, True, 87)
        assert strap.link is not None
    finally:
        daemon.terminate()
        assert daemon.wait(PATIENCE_S) == 0
        log.close()
    assert strap.link is None


def test_a_stranger_of_that_name_is_a_stranger(air: Played, tmp_path: Path) -> None:
    """Protects two watches of one name: the one that is connected is known as the settings have it, the other is new."""
    data = tmp_path / "data"
    data.mkdir()
    block = ["[[strap]]", 'name = "For\\"erunner"', 'serial = "77"', 'person = "Ben"']
    (data / "hartslag.toml").write_text("\n".join(['[[person]]\nname = "Ben"', *block]))
    with (tmp_path / "log").open("w") as log:
        daemon = subprocess.Popen(
            [sys.executable, "-m", "ingest", "--data", str(data), "run"], stdout=log, stderr=log
        )
        try:
            strap = air.bluez.straps[1]
            until(lambda: len(strap.delivered) > 2, "the watch")
            air.do(air.bluez.strap, STRANGER, name='For"erunner', serial="99", battery_pct=55)
            lines = scan(data)
            assert strap.link is not None
        finally:
            daemon.terminate()
            assert daemon.wait(PATIENCE_S) == 0
    mine, _, stranger, more = (part.splitlines() for part in lines.strip().split("\n\n"))
    assert mine[1:] == ["# Ben's, in the settings already", *(f"# {line}" for line in block)]
    assert "battery 55 %, serial number 99" in stranger[0]
    assert stranger[1:] == ["[[strap]]", block[1], 'serial = "99"']
    assert "hartslag setup" in more[0]


def test_a_strap_that_a_daemon_is_about_to_have_is_left_to_it(air: Played, tmp_path: Path) -> None:
    """Protects the first seconds of a workout: two that connect at once would disconnect each other."""
    data = tmp_path / "data"
    (data / "journal").mkdir(parents=True)
    (data / "hartslag.toml").write_text(f'[[strap]]\naddress = "{CHEST}"\n[[strap]]\naddress = "{WATCH}"\n')
    with only_daemon(data):
        found = json.loads(scan(data, "--json"))
    assert [f["address"] for f in found] == [CHEST, WATCH]
    assert air.bluez.connects == 0


def test_nothing_in_reach_says_what_to_do(air: Played, tmp_path: Path) -> None:
    """Protects against an empty answer: not worn, not broadcasting, or taken by a phone."""
    for strap in air.bluez.straps:
        air.do(air.bluez.leave, strap)
    assert "No strap was heard. Put it on" in scan(tmp_path / "data")
    assert json.loads(scan(tmp_path / "data", "--json")) == []


def test_without_bluetooth_it_says_so_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects who has no Bluetooth from a traceback: one line with the next step, and a failure for scripts."""
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path / 'nothing'}")
    done = hartslag("--data", tmp_path, "scan")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert ADVICE[state_without_a_bus()] in done.stderr


def test_interrupted_it_stops_the_search(air: Played, tmp_path: Path) -> None:
    """Protects the radio and the terminal: Ctrl-C ends both the bar and the search, with 130 and no traceback."""
    terminal, theirs = pty.openpty()
    scanning = subprocess.Popen(
        [sys.executable, "-m", "ingest", "--data", str(tmp_path), "scan", "--seconds", "60"],
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    until(lambda: ("StartDiscovery", "/org/bluez/hci0") in air.bluez.calls, "the search")
    shown = b""
    while b"Listening" not in shown:
        shown += os.read(terminal, 10_000)
    scanning.send_signal(signal.SIGINT)
    assert scanning.wait(PATIENCE_S) == 130
    with contextlib.suppress(OSError):  # that is how the end of a terminal looks
        while part := os.read(terminal, 10_000):
            shown += part
    os.close(terminal)
    assert b"Traceback" not in shown
    # Interrupted before it was told that the search has begun, it leaves the bus, which ends the search as well.
    until(lambda: not air.bluez.searchers, "the end of the search")
    assert scanning.communicate()[0] == b""
