"""What a strap's listener says and whom it leaves alone."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from ingest.collect.sensor_info import SensorInfo
from ingest.settings.model import StrapSettings
from tests.support.air.clock import AirClock
from tests.support.air.loop import simulate, until
from tests.support.air.room import Room
from tests.support.bluez.bluez import Bluez, Fault
from tests.support.bluez.bus import Bus
from tests.support.bluez.quiet import Quiet
from tests.support.data_folder import Home, one_adapter, strap_of

A, B = "F0:00:00:00:00:01", "F0:00:00:00:00:02"


def watch(serial: str, person: str = "Jan") -> StrapSettings:
    return StrapSettings(name="Watch", serial=serial, person=person)


Story = Callable[[Room, Callable[..., Home]], Coroutine[Any, Any, None]]


@pytest.fixture
def play(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Callable[[Story], None]:
    """Run a story in a room, with what makes a home there."""
    caplog.set_level(logging.INFO, "ingest")

    def run(story: Story) -> None:
        async def whole() -> None:
            async with Room() as room:

                def home(*straps: StrapSettings) -> Home:
                    where, clock = tmp_path / "journal.db", AirClock()
                    return Home(where, clock, straps, backends=room.backends(), list_all=one_adapter).begin()

                await story(room, home)

        simulate(whole)

    return run


def test_two_watches_of_one_name_find_their_own_heart(play: Callable[[Story], None]) -> None:
    """Protects two people with the same watch: each is heard as who they are, whichever comes first."""

    async def story(room: Room, home: Callable[..., Home]) -> None:
        annas = await room.strap(A, name="Watch", serial="1")
        jans = await room.strap(B, name="Watch", serial="2")
        here = home(watch("2", "Jan"), watch("1", "Anna"))
        await until(lambda: here.states == ["connected"] * 2, "both", within_s=120)
        await asyncio.sleep(30)
        assert annas.connected
        assert jans.connected
        await here.end()

    play(story)


@pytest.mark.parametrize("has", [True, False])
def test_somebody_elses_watch_is_left_alone(play: Callable[[Story], None], has: bool) -> None:  # noqa: FBT001
    """Protects the neighbour's watch of that name, or what only calls itself so: asked once, and then not for minutes."""

    async def story(room: Room, home: Callable[..., Home]) -> None:
        other = await room.strap(A, name="Watch", serial="3", has_heart_rate=has)
        links: list[object] = []
        room.pi.on("connection", links.append)
        here = home(watch("2"))
        await asyncio.sleep(300)
        assert 1 <= len(links) <= (1 if has else 5)
        assert not other.delivered
        await here.end()

    play(story)


def test_a_link_of_another_program_is_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects the neighbour's watch that another program listens to: to look at it ends its link, so it is done once."""
    with Bus(tmp_path) as bus, contextlib.closing(Quiet(bus.address)) as quiet:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)

        async def story() -> None:
            async with Bluez(bus.address) as bluez:
                other = bluez.strap(A, name="Watch", serial="3")
                await bluez.hold(other)
                here = Home(tmp_path / "a.db", AirClock(), [watch("2")], rfkill=tmp_path).begin()
                await until(lambda: "Disconnect" in dict(bluez.calls), "the look at it")
                await asyncio.sleep(10)
                await bluez.hold(other)
                ended = [m for m, _ in bluez.calls].count("Disconnect")
                await asyncio.sleep(3600)
                assert [m for m, _ in bluez.calls].count("Disconnect") == ended == 1
                assert other.link is not None
                mine = bluez.strap(B, name="Watch", serial="2")
                await until(lambda: here.states == ["connected"], "the right one")
                assert mine.link is not None
                await here.end()

        simulate(story, settle=quiet)


def test_lines_come_with_changes_only(
    play: Callable[[Story], None], caplog: pytest.LogCaptureFixture
) -> None:
    """Protects the log of a Pi that runs for months: an hour away, silent or refused is a line or two, not thousands."""

    async def story(room: Room, home: Callable[..., Home]) -> None:
        strap = await room.strap(A, battery_pct=9)
        here = home(strap_of(A))
        await until(lambda: here.states == ["connected"], "the strap")
        await asyncio.sleep(10)
        await strap.tell_battery(8)
        strap.period_s = 3600.0
        await asyncio.sleep(3600)
        strap.period_s = 1.0
        await until(lambda: here.states == ["connected"], "the strap again")
        strap.leave()
        await asyncio.sleep(3600)
        await here.end()

    play(story)
    lines = [r.getMessage() for r in caplog.records if r.name.startswith("ingest")]
    assert len(lines) < 8, lines
    assert sum(line.endswith(("is connected.", "is well again.")) for line in lines) == 2
    assert sum("battery is at" in line for line in lines) == 1
    assert sum("says nothing" in line for line in lines) == 1


def test_a_battery_that_was_changed_may_be_low_again(
    play: Callable[[Story], None], caplog: pytest.LogCaptureFixture
) -> None:
    """Protects the second year: a new battery ends the warning, and the next low one is said again, once."""

    async def story(room: Room, home: Callable[..., Home]) -> None:
        strap = await room.strap(A, battery_pct=40)
        here = home(strap_of(A))
        await until(lambda: here.states == ["connected"], "the strap")
        for percent in (16, 15, 14, 16, 10, 90, 31, 12, 11):
            await strap.tell_battery(percent)
            await asyncio.sleep(2)
        await here.end()

    play(story)
    low = [r.getMessage() for r in caplog.records if "battery is at" in r.getMessage()]
    assert [line.split("is at ")[1].split(" %")[0] for line in low] == ["15", "12"]


def test_a_strap_that_must_be_paired_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects the few that ask for it: the state names the line that helps; without that line nothing is ever paired."""
    with Bus(tmp_path) as bus, contextlib.closing(Quiet(bus.address)) as quiet:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)

        async def story() -> None:
            async with Bluez(bus.address) as bluez:
                bluez.strap(A)
                bluez.fail("StartNotify", Fault("org.bluez.Error.NotPermitted", "Not paired"), times=1000)
                here = Home(tmp_path / "a.db", AirClock(), [strap_of(A)], rfkill=tmp_path).begin()
                await until(lambda: here.states == ["must be paired"], "the refusal")
                await here.end()
                assert "Pair" not in dict(bluez.calls)
                bluez.heal()
                paired = StrapSettings(address=A, person="Jan", pair=True)
                here = Home(tmp_path / "b.db", AirClock(), [paired], rfkill=tmp_path).begin()
                await until(lambda: here.states == ["connected"], "the strap")
                await here.end()
                assert [m for m, _ in bluez.calls].count("Pair") == 1

        simulate(story, settle=quiet)


def test_what_a_sensor_is_in_one_line() -> None:
    """Protects the line in the log: only what is known, in words."""
    assert str(SensorInfo()) == ""
    assert (
        str(SensorInfo(87, "chest", "Polar", "H10", "A1", "3.1"))
        == "Polar H10, firmware 3.1, chest, battery 87 %"
    )
