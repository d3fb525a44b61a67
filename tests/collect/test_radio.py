"""What is wrong with Bluetooth is said in words; the search hears for everybody, on the adapter that was chosen."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from bleak.backends.device import BLEDevice

from ingest.collect.adapter import Adapter, NoBluetooth, choose_adapter, find_adapter, list_adapters
from ingest.collect.radio import GRACE_S, Advertisement, Radio, within
from ingest.collect.strap_state import ADVICE, NUMBERS, STATES, StrapState
from tests.support.air.loop import simulate, until
from tests.support.air.room import Room
from tests.support.bluez.bluez import Adapter as Dongle
from tests.support.bluez.bluez import Bluez, Fault
from tests.support.bluez.bus import Bus
from tests.support.bluez.quiet import Quiet

PI, DONGLE = Adapter("hci0", "B8:27:EB:00:00:01"), Adapter("hci1", "00:1A:7D:00:00:02")
A, B = "F0:00:00:00:00:01", "F0:00:00:00:00:02"


# --- words ---


def off(adapter: Adapter) -> Adapter:
    return Adapter(adapter.name, adapter.address, powered=False)


def rfkill(folder: Path, *switches: tuple[str, str, int, int]) -> Path:
    """The kernel's folder of switches: type, name, soft, hard."""
    for i, switch in enumerate(switches):
        one = folder / f"rfkill{i}"
        one.mkdir(parents=True)
        for key, value in zip(("type", "name", "soft", "hard"), switch, strict=True):
            (one / key).write_text(f"{value}\n")
    return folder


@pytest.mark.parametrize(
    ("found", "wanted", "switches", "state", "said"),
    [
        ([], None, [], "adapter missing", "no Bluetooth adapter"),
        ([], None, [("bluetooth", "hci0", 1, 0)], "adapter blocked", "rfkill unblock bluetooth"),
        ([], DONGLE.address, [], "adapter missing", f"{DONGLE.address} of the settings is missing"),
        ([PI], DONGLE.address, [], "adapter missing", f"there is {PI.address}"),
        ([off(PI)], None, [], "adapter off", "bluetoothctl power on"),
        ([off(PI)], None, [("wlan", "phy0", 1, 0)], "adapter off", "switched off"),
        ([off(PI)], None, [("bluetooth", "hci0", 1, 0)], "adapter blocked", "rfkill unblock bluetooth"),
        ([off(PI)], None, [("bluetooth", "tpacpi_bluetooth_sw", 1, 0)], "adapter blocked", "rfkill unblock"),
        ([off(PI)], None, [("bluetooth", "hci1", 1, 0)], "adapter off", "switched off"),
        ([off(PI)], None, [("bluetooth", "hci0", 1, 1)], "adapter off", "by a switch of the computer"),
        ([off(PI), DONGLE], PI.address, [], "adapter off", PI.address),
        ([Adapter("hci0", PI.address, low_energy=False)], None, [], "unsupported", "Low Energy"),
    ],
)
def test_what_is_wrong_is_one_plain_line(
    tmp_path: Path,
    found: list[Adapter],
    wanted: str | None,
    switches: list[tuple[str, str, int, int]],
    state: str,
    said: str,
) -> None:
    """Protects the owner's next step: what keeps Bluetooth from working, and the command that mends it."""
    with pytest.raises(NoBluetooth) as told:
        choose_adapter(found, wanted, rfkill(tmp_path / "rfkill", *switches))
    assert told.value.state == state
    assert said in str(told.value)
    assert "\n" not in str(told.value)


def test_the_adapter_is_chosen_by_its_address(tmp_path: Path) -> None:
    """Protects against hci0 and hci1 changing places; without a choice the first that is on listens."""
    assert choose_adapter([PI, DONGLE], DONGLE.address, tmp_path) is DONGLE
    swapped = Adapter("hci0", DONGLE.address)
    assert choose_adapter([swapped, Adapter("hci1", PI.address)], DONGLE.address, tmp_path) is swapped
    assert choose_adapter([off(PI), DONGLE], None, tmp_path) is DONGLE
    assert choose_adapter([PI, DONGLE], None, tmp_path) is PI


def test_states_keep_their_numbers() -> None:
    """Protects dashboards: the number of a state is in stores for ever, and each state that needs it has advice."""
    assert dict(NUMBERS) == {
        "stopped": 0, "searching": 1, "connecting": 2, "connected": 3, "silent": 4, "in use elsewhere?": 5,
        "adapter off": 10, "adapter blocked": 11, "adapter missing": 12, "no Bluetooth service": 13,
        "no permission": 14, "wedged": 15, "unsupported": 16,
        "not a heart-rate sensor": 20, "another serial number": 21, "must be paired": 22,
    }  # fmt: skip
    assert {s for s in STATES if not ADVICE[s]} == {"connecting", "connected"}
    with pytest.raises(ValueError, match="no state 'asleep'"):
        StrapState("asleep")


# --- asking BlueZ ---


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bus]:
    with Bus(tmp_path) as started:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", started.address)
        yield started


Story = Callable[[Bluez], Coroutine[Any, Any, None]]


def play(bus: Bus, story: Story, *, waits: bool = True, **kw: Any) -> None:
    """Run a story beside BlueZ; one that waits for nothing runs in the machine's own time."""

    async def whole() -> None:
        async with Bluez(bus.address, **kw) as bluez:
            await story(bluez)

    if not waits:
        asyncio.run(whole())
        return
    with contextlib.closing(Quiet(bus.address)) as quiet:
        simulate(whole, settle=quiet)


async def wrong(kernel: Path) -> str:
    with pytest.raises(NoBluetooth) as told:
        await find_adapter(None, partial(list_adapters, kernel), kernel / "no switches")
    return told.value.state


def test_the_adapters_are_asked_for(bus: Bus) -> None:
    """Protects the choice by address: names, addresses and power as BlueZ has them now, not as they were."""

    async def story(bluez: Bluez) -> None:
        first, second = bluez.adapters
        assert await list_adapters() == [Adapter("hci0", first.address), Adapter("hci1", second.address)]
        bluez.power(first, on=False)
        assert [a.powered for a in await list_adapters()] == [False, True]
        bluez.unplug(second)
        assert [a.name for a in await list_adapters()] == ["hci0"]

    play(bus, story, waits=False, adapters=[Dongle(), Dongle("hci1", "00:11:22:33:44:66")])


def test_a_bluetooth_service_in_trouble(bus: Bus, tmp_path: Path) -> None:
    """Protects who looks for the fault: not running and not answering are told apart, and neither is waited for long."""
    (tmp_path / "kernel" / "hci0").mkdir(parents=True)

    async def hangs(bluez: Bluez) -> None:
        bluez.fail("GetManagedObjects", Fault())
        assert await wrong(tmp_path / "kernel") == "wedged"

    async def gone(bluez: Bluez) -> None:
        bluez.crash()
        assert await wrong(tmp_path / "kernel") == "no Bluetooth service"
        bus.stop()
        assert await wrong(tmp_path / "kernel") == "no Bluetooth service"

    play(bus, hangs)
    play(bus, gone, waits=False)


def test_a_computer_without_an_adapter_is_told_so_at_once(bus: Bus, tmp_path: Path) -> None:
    """Protects from advice that cannot help, and from thousands of lines a day of a service that D-Bus waits for in vain."""

    async def nobody(bluez: Bluez) -> None:
        bluez.crash()
        assert await wrong(tmp_path / "not there") == "adapter missing"
        (tmp_path / "empty").mkdir()
        assert await wrong(tmp_path / "empty") == "adapter missing"

    play(bus, nobody, waits=False)


def test_a_user_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects who is not in the group bluetooth: that is said, not that there is no adapter."""
    with Bus(tmp_path, permitted=False) as bus:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)

        async def story(_: Bluez) -> None:
            assert await wrong(tmp_path / "kernel") == "no permission"

        play(bus, story, waits=False)


# --- the search ---


class Seeking:
    """Somebody who seeks one address, and what they were told meanwhile."""

    def __init__(self, radio: Radio, address: str) -> None:
        self.told: list[str | None] = []
        self.heard: Advertisement | None = None
        self.enough = asyncio.Event()
        self.task = asyncio.create_task(self._seek(radio, address))

    async def _seek(self, radio: Radio, address: str) -> None:
        async with radio.find(
            lambda h: h.address == address, lambda t: self.told.append(t.state if t else None)
        ) as heard:
            self.heard = heard
            await self.enough.wait()


def test_it_picks_up_whatever_appears(bus: Bus, tmp_path: Path) -> None:
    """Protects a Pi whose Bluetooth comes late: each step is told once, and the strap is found seconds after the last."""

    async def story(bluez: Bluez) -> None:
        bluez.strap(A)
        (adapter,) = bluez.adapters
        bluez.power(adapter, on=False)
        bluez.unplug(adapter)
        radio = Radio(adapter.address, rfkill=tmp_path)
        task = asyncio.create_task(radio.run())
        seeking = Seeking(radio, A)
        await asyncio.sleep(20)
        bluez.plug(adapter)
        await asyncio.sleep(20)
        bluez.power(adapter, on=True)
        await until(lambda: seeking.heard, "the strap", within_s=8)
        assert seeking.told == [None, "adapter missing", "adapter off", None]
        task.cancel()
        seeking.task.cancel()

    play(bus, story)


def test_the_chosen_adapter_listens_whatever_it_is_called(bus: Bus, tmp_path: Path) -> None:
    """Protects a dongle with a better antenna: it searches, as hci1 today and as hci0 tomorrow."""

    async def story(bluez: Bluez) -> None:
        bluez.strap(A)
        radio = Radio(bluez.adapters[1].address, rfkill=tmp_path)
        task = asyncio.create_task(radio.run())
        seeking = Seeking(radio, A)
        await until(lambda: seeking.heard, "the strap")
        assert {p for m, p in bluez.calls if m == "StartDiscovery"} == {"/org/bluez/hci1"}
        task.cancel()
        seeking.task.cancel()

    play(bus, story, adapters=[Dongle(), Dongle("hci1", "00:11:22:33:44:66")])


def test_a_search_that_fails_is_tried_again_and_then_said(bus: Bus, tmp_path: Path) -> None:
    """Protects against a bluetoothd that is stuck: twice is bad luck and quiet, three times is said, and it goes on."""

    async def story(bluez: Bluez) -> None:
        bluez.strap(A)
        bluez.fail("StartDiscovery", Fault("org.bluez.Error.InProgress", "in progress"), times=2)
        radio = Radio(rfkill=tmp_path)
        task = asyncio.create_task(radio.run())
        seeking = Seeking(radio, A)
        await until(lambda: seeking.heard, "the strap")
        assert seeking.told == [None]
        seeking.enough.set()
        await seeking.task
        bluez.fail("StartDiscovery", Fault("org.bluez.Error.Failed", "x"), times=4)
        again = Seeking(radio, A)
        await until(lambda: again.heard, "the strap")
        assert again.told == [None, "wedged", None]
        task.cancel()
        again.task.cancel()

    play(bus, story)


def test_nobody_seeks_nobody_searches(tmp_path: Path) -> None:
    """Protects Wi-Fi beside Bluetooth: the air is searched only while a wanted strap is missing."""

    async def story() -> None:
        async with Room() as room:
            await room.strap(A)
            radio = Radio(list_all=_pi, rfkill=tmp_path, **room.backends()._asdict())
            task = asyncio.create_task(radio.run())
            await asyncio.sleep(30)
            assert room.scanning == 0
            found, missing = Seeking(radio, A), Seeking(radio, B)
            await until(lambda: found.heard, "the strap")
            await asyncio.sleep(30.1)
            assert room.scanning == 1
            missing.task.cancel()
            await asyncio.sleep(11)
            assert room.scanning == 0
            task.cancel()
            found.task.cancel()

    simulate(story)


def test_told_to_stop_it_stops_whatever_fails(bus: Bus, tmp_path: Path) -> None:
    """Protects the end of the daemon: an error of the search's own end does not make it go on."""

    async def story(bluez: Bluez) -> None:
        bluez.fail("StopDiscovery", Fault("org.bluez.Error.Failed", "x"), times=100)
        radio = Radio(rfkill=tmp_path)
        task = asyncio.create_task(radio.run())
        seeking = Seeking(radio, A)
        await asyncio.sleep(3)
        task.cancel()
        await asyncio.wait({task}, timeout=20)
        assert task.cancelled()
        seeking.task.cancel()

    play(bus, story)


def test_whoever_begins_to_seek_begins_a_search(bus: Bus, tmp_path: Path) -> None:
    """Protects the quick return of one strap while another is away: adapters tell of a device once in a search only."""

    async def story(bluez: Bluez) -> None:
        radio = Radio(rfkill=tmp_path)
        task = asyncio.create_task(radio.run())
        missing = Seeking(radio, B)

        def searches() -> int:
            return [m for m, _ in bluez.calls].count("StartDiscovery")

        async with asyncio.timeout(180):
            while not searches():  # noqa: ASYNC110 - what the bus was told has no event
                await asyncio.sleep(0.05)
            # Until that search stands, whoever comes is part of it.
            await asyncio.sleep(3)
            before = searches()
            late = Seeking(radio, A)
            while searches() == before:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert searches() == before + 1
        task.cancel()
        missing.task.cancel()
        late.task.cancel()

    play(bus, story)


def test_a_device_is_somebodys_until_it_is_let_go(tmp_path: Path) -> None:
    """Protects two watches of one name: who has a device keeps it, and two never connect to one."""

    async def story() -> None:
        async with Room() as room:
            await room.strap(A)
            radio = Radio(list_all=_pi, rfkill=tmp_path, **room.backends()._asdict())
            task = asyncio.create_task(radio.run())
            one, other = Seeking(radio, A), Seeking(radio, A)
            await asyncio.sleep(60)
            assert [s.heard is not None for s in (one, other)] == [True, False]
            one.enough.set()
            await until(lambda: other.heard, "the strap")
            task.cancel()
            other.task.cancel()

    simulate(story)


def test_links_of_an_earlier_life_come_first(tmp_path: Path) -> None:
    """Protects the start after SIGKILL: a strap that BlueZ still holds does not advertise, and is offered as it is."""

    async def story() -> None:
        async with Room() as room:
            await room.strap(A)
            backends = room.backends()._asdict()
            left = Radio(list_all=_pi, rfkill=tmp_path, **backends)
            task = asyncio.create_task(left.run())
            found = Seeking(left, A)
            await until(lambda: found.heard, "the strap")
            assert found.heard is not None
            await left.client(found.heard.device).connect()
            task.cancel()
            found.task.cancel()
            await room.kill()
            radio = Radio(list_all=_pi, rfkill=tmp_path, **room.backends()._asdict())
            task = asyncio.create_task(radio.run())
            again = Seeking(radio, A)
            assert await until(lambda: again.heard, "the strap") < 1
            assert again.heard is not None
            assert again.heard.connected
            task.cancel()
            again.task.cancel()

    simulate(story)


async def _pi() -> list[Adapter]:
    return [PI]


# --- bounds ---


def test_no_call_is_waited_for_longer_than_agreed() -> None:
    """Protects the daemon from a bluetoothd that hangs, also while bleak tidies up after a call that was given up."""
    left: list[str] = []

    async def hangs() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            try:
                await asyncio.sleep(3600)
            finally:
                left.append("nothing")

    async def story() -> float:
        began = asyncio.get_running_loop().time()
        with pytest.raises(TimeoutError):
            await within(3, hangs())
        assert left == ["nothing"]
        return asyncio.get_running_loop().time() - began

    assert simulate(story) <= 3 + 2 * GRACE_S


def test_a_bounded_call_is_what_it_was() -> None:
    """Protects results and errors of a call from its bounds; and to be told to stop stops the call too."""

    async def fails() -> None:
        raise KeyError("x")

    async def story() -> None:
        assert await within(1, asyncio.sleep(0.5, "done")) == "done"
        with pytest.raises(KeyError):
            await within(1, fails())
        stopped = asyncio.Event()

        async def long() -> None:
            try:
                await asyncio.sleep(3600)
            finally:
                stopped.set()

        task = asyncio.create_task(within(7200, long()))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert stopped.is_set()

    simulate(story)


def test_held_devices_have_addresses_in_capitals() -> None:
    """Protects the comparison with the settings: some systems write addresses small."""
    assert Advertisement(BLEDevice("f0:00:00:00:00:0a", None, None)).address == "F0:00:00:00:00:0A"
