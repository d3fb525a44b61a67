"""Straps on bleak's real BlueZ backend: what BlueZ does wrong, fault by fault, and that all that came is recorded once."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from bleak import BleakAdapter, BleakClient

from ingest.collect.adapter import list_adapters
from tests.support.air.clock import AirClock
from tests.support.air.loop import LeapLoop, simulate, until
from tests.support.bluez.bluez import Adapter, Bluez, Fault
from tests.support.bluez.bus import Bus
from tests.support.bluez.quiet import Quiet
from tests.support.bluez.strap import MEASUREMENT, SUPERVISION_S, Strap, uuid
from tests.support.data_folder import Home, delivered_payloads, recorded_payloads, strap_of

A, B = "F0:00:00:00:00:01", "F0:00:00:00:00:02"

FAILED = Fault("org.bluez.Error.Failed", "le-connection-abort-by-local")
IN_PROGRESS = Fault("org.bluez.Error.InProgress", "Operation already in progress")
NOT_READY = Fault("org.bluez.Error.NotReady", "Resource Not Ready")
GONE = Fault("org.freedesktop.DBus.Error.UnknownObject", "Method on an object that is not there")
HANGS, SLOW, CRASHES = Fault(), Fault(delay_s=3.0), Fault(crash=True)


class Story:
    """A bus, BlueZ on it, a home that listens, a clock, and a journal."""

    def __init__(self, bus: Bus, bluez: Bluez, folder: Path) -> None:
        self.bus, self.bluez, self.clock = bus, bluez, AirClock()
        self.journal, self.rfkill, self.kernel = (
            folder / "journal.db",
            folder / "rfkill",
            folder / "bluetooth",
        )
        (self.kernel / "hci0").mkdir(parents=True)
        self.adapter = bluez.adapters[0] if bluez.adapters else Adapter()
        self._blocks(blocked=False)

    def home(self, *addresses: str, chosen: str | None = None) -> Home:
        """Begin a life of the listening process."""
        return Home(
            self.journal,
            self.clock,
            [strap_of(a) for a in addresses or (A,)],
            list_all=partial(list_adapters, self.kernel),
            chosen=chosen,
            rfkill=self.rfkill,
        ).begin()

    def block(self, *, blocked: bool) -> None:
        """`rfkill block bluetooth`, with what the kernel shows of it."""
        self.bluez.block(self.adapter, blocked=blocked)
        self._blocks(blocked=blocked)

    def _blocks(self, *, blocked: bool) -> None:
        folder = self.rfkill / "rfkill0"
        folder.mkdir(parents=True, exist_ok=True)
        for name, value in (
            ("type", "bluetooth"),
            ("name", "hci0"),
            ("soft", str(int(blocked))),
            ("hard", "0"),
        ):
            (folder / name).write_text(f"{value}\n")

    async def speaks(self, strap: Strap, within_s: float = 60.0) -> float:
        """Until the strap has been heard once more; how long that took."""
        before = len(strap.delivered)
        return await until(
            lambda: len(strap.delivered) > before, "a notification", within_s=within_s, step_s=0.1
        )

    async def state(self, home: Home, state: str, within_s: float = 60.0) -> float:
        return await until(lambda: home.states == [state], state, within_s=within_s, step_s=0.1)

    async def end(self, home: Home, *straps: Strap) -> None:
        """Stop, and compare the journal with what the straps were told."""
        await home.end()
        for strap in straps:
            came, delivered = (
                recorded_payloads(self.journal, f"strap {strap.address}"),
                delivered_payloads(strap.delivered, self.clock),
            )
            assert [p for _, p in came] == [p for _, p in delivered]
            assert came == delivered  # time stands still while D-Bus works


Play = Callable[..., None]


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Play]:
    """Run a story beside BlueZ."""
    with Bus(tmp_path) as bus:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)

        def run(story: Callable[[Story], Awaitable[None]], **named: Any) -> None:
            async def whole() -> None:
                async with Bluez(bus.address, **named) as bluez:
                    await story(Story(bus, bluez, tmp_path))

            with contextlib.closing(Quiet(bus.address)) as quiet:
                simulate(whole, settle=quiet)

        yield run


def test_four_straps_are_recorded_once(play: Play) -> None:
    """Protects the whole path over D-Bus: by StartNotify only, as AcquireNotify loses what comes during a stall."""

    async def story(s: Story) -> None:
        straps = [s.bluez.strap(f"F0:00:00:00:00:0{i}", period_s=0.97 + i / 100) for i in range(1, 5)]
        home = s.home(*(t.address for t in straps))
        for strap in straps:
            await s.speaks(strap)
        await asyncio.sleep(60)
        assert {m for m, _ in s.bluez.calls if m.endswith("Notify")} == {"StartNotify"}
        await s.end(home, *straps)
        assert all(len(t.delivered) > 50 for t in straps)
        assert all(t.link is None for t in straps)

    play(story)


@pytest.mark.parametrize("link_s", [20.3, 3.3])
@pytest.mark.parametrize("disconnect", [None, HANGS], ids=["", "disconnect hangs"])
def test_bluetoothd_is_killed(play: Play, disconnect: Fault | None, link_s: float) -> None:
    """Protects against silence that bleak calls connected, in links too young to know the pace of the strap by."""

    async def story(s: Story) -> None:
        strap = s.bluez.strap()
        home = s.home()
        for i in range(4):
            await s.speaks(strap)
            await asyncio.sleep(link_s if i else 20.3)
            s.bluez.crash()
            await asyncio.sleep(4)
            await s.bluez.start()
            if disconnect:
                s.bluez.fail("Disconnect", disconnect)
            assert await s.speaks(strap) < 10
            s.bluez.heal()
        await s.end(home, strap)

    play(story)


def test_a_dead_service_is_no_dry_electrode(play: Play) -> None:
    """Protects who would moisten a strap for hours: what fell silent is the computer's Bluetooth, and it is said to be."""

    async def story(s: Story) -> None:
        strap, seen = s.bluez.strap(), set[str]()
        home = s.home()
        await s.speaks(strap)
        await asyncio.sleep(20.3)
        s.bluez.crash()

        def told() -> bool:
            seen.update(home.states)
            return home.states == ["no Bluetooth service"]

        await until(told, "the fault", within_s=30, step_s=0.1)
        assert "silent" not in seen
        await s.bluez.start()
        await s.speaks(strap)
        await s.end(home, strap)

    play(story)


def test_bluetoothd_is_restarted(play: Play) -> None:
    """Protects an update of BlueZ: told at once, back within seconds."""

    async def story(s: Story) -> None:
        strap = s.bluez.strap()
        home = s.home()
        for _ in range(3):
            await s.speaks(strap)
            await asyncio.sleep(10.3)
            await s.bluez.stop()
            await asyncio.sleep(1)
            assert home.states == ["searching"] or home.listeners[0].state.number >= 10
            await s.bluez.start()
            assert await s.speaks(strap) < 8
        await s.end(home, strap)

    play(story)


def test_the_bus_is_restarted(play: Play) -> None:
    """Protects against the end of D-Bus itself: refused connections are waited out in the same process."""

    async def story(s: Story) -> None:
        strap = s.bluez.strap()
        home = s.home()
        await s.speaks(strap)
        await asyncio.sleep(10.3)
        s.bus.stop()
        s.bluez.crash()
        await s.state(home, "no Bluetooth service", within_s=20)
        await asyncio.sleep(30)
        s.bus.start()
        await s.bluez.start()
        assert await s.speaks(strap) < 10
        await s.end(home, strap)

    play(story)


@pytest.mark.parametrize("fault", ["adapter off", "adapter blocked", "adapter missing"])
def test_the_adapter_goes_and_comes_back(play: Play, fault: str) -> None:
    """Protects the reason in words, and the short back-off: two short faults never become one long gap."""

    async def story(s: Story) -> None:
        strap = s.bluez.strap()
        home = s.home()
        ways: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
            "adapter off": (
                lambda: s.bluez.power(s.adapter, on=False),
                lambda: s.bluez.power(s.adapter, on=True),
            ),
            "adapter blocked": (lambda: s.block(blocked=True), lambda: s.block(blocked=False)),
            "adapter missing": (lambda: s.bluez.unplug(s.adapter), lambda: s.bluez.plug(s.adapter)),
        }
        go, come = ways[fault]
        await s.speaks(strap)
        for away_s in (3, 3, 600):
            await asyncio.sleep(15.3)
            go()
            await s.state(home, fault, within_s=8)
            await asyncio.sleep(away_s)
            assert home.states == [fault]
            come()
            assert await s.speaks(strap) < 8
        await s.end(home, strap)

    play(story)


def test_the_adapter_is_pulled_during_a_search(play: Play) -> None:
    """Protects the search against UnknownObject from its own end."""

    async def story(s: Story) -> None:
        strap = s.bluez.strap()
        s.bluez.leave(strap)
        home = s.home()
        await until(lambda: ("StartDiscovery", s.adapter.path) in s.bluez.calls, "a search")
        await asyncio.sleep(3)
        s.bluez.unplug(s.adapter)
        await s.state(home, "adapter missing", within_s=20)
        s.bluez.plug(s.adapter)
        s.bluez.enter(strap)
        assert await s.speaks(strap) < 8
        await s.end(home, strap)

    play(story)


def test_bluetooth_appears_after_the_start(play: Play) -> None:
    """Protects the machine that has no Bluetooth yet: no adapter is a state, and it picks up when one appears."""

    async def story(s: Story) -> None:
        strap = s.bluez.strap()
        home = s.home()
        await s.state(home, "adapter missing")
        await asyncio.sleep(3600)
        s.bluez.plug(s.adapter)
        assert await s.speaks(strap) < 8
        await s.end(home, strap)

    play(story, adapters=[])


def test_a_link_of_a_killed_life_is_adopted(play: Play) -> None:
    """Protects the start after SIGKILL: the strap is connected, so no search would find it, for ever."""

    async def story(s: Story) -> None:
        strap = s.bluez.strap()
        await s.bluez.hold(strap)
        home = s.home()
        assert await s.speaks(strap) < 3
        assert "Connect" not in dict(s.bluez.calls)
        await asyncio.sleep(20)
        await s.end(home, strap)

    play(story)


def test_a_ghost_is_not_adopted_for_ever(play: Play) -> None:
    """Protects against bleak's memory: after a crash it believes in a link that bluetoothd took with it."""

    async def story(s: Story) -> None:
        strap = s.bluez.strap()
        home = s.home()
        await s.speaks(strap)
        await asyncio.sleep(20.3)
        s.bluez.leave(strap)
        s.bluez.crash()
        await s.bluez.start()
        await asyncio.sleep(120)
        s.bluez.enter(strap)
        assert await s.speaks(strap) < 15
        await s.end(home, strap)

    play(story)


def test_old_subscriptions_double_nothing(play: Play) -> None:
    """Protects against bleak's client that is not disconnected: after each drop everything would come once more."""

    async def story(s: Story) -> None:
        strap = s.bluez.strap()
        home = s.home()
        for _ in range(5):
            await s.speaks(strap)
            await asyncio.sleep(10.3)
            s.bluez.drop(strap)
            await until(lambda: home.states != ["connected"], "the loss")
        await s.speaks(strap)
        await asyncio.sleep(10)
        assert s.bluez.life is not None
        assert max(len(names) for names in s.bluez.life.notified.values()) == 1
        await s.end(home, strap)

    play(story)


def test_what_comes_while_letting_go_is_kept(play: Play) -> None:
    """Protects the last words: BlueZ takes two seconds to end a link, and delivers all the while."""

    async def story(s: Story) -> None:
        s.bluez.disconnecting_s = 2.0
        strap = s.bluez.strap(period_s=0.1)
        home = s.home()
        for silent_s in (6.7, 7.3, 7.9):
            await s.speaks(strap)
            await asyncio.sleep(20)
            strap.sensor.wear = "silent"
            await asyncio.sleep(silent_s)
            strap.sensor.wear = "worn"
        assert home.listeners[0].state.reconnects > 0
        await s.speaks(strap)
        await asyncio.sleep(20)
        await s.end(home, strap)

    play(story)


def test_another_program_listens_too(play: Play) -> None:
    """Protects the value that comes twice: with two subscribers BlueZ tells everybody everything twice."""

    async def story(s: Story) -> None:
        strap = s.bluez.strap()
        home = s.home()
        await s.speaks(strap)
        (device,) = await (await BleakAdapter.get()).get_connected_devices(["180d"])
        other = BleakClient(device)
        await other.connect()
        seen: list[bytes] = []
        await other.start_notify(uuid(MEASUREMENT), lambda _, data: seen.append(bytes(data)))
        delivered = len(strap.delivered)
        await asyncio.sleep(30)
        assert len(seen) >= 2 * (len(strap.delivered) - delivered) - 2
        await other.stop_notify(uuid(MEASUREMENT))
        await asyncio.sleep(10)
        assert home.listeners[0].state.reconnects == 0
        await s.end(home, strap)
        await other.disconnect()

    play(story)


def test_nobody_searches_while_all_are_there(play: Play) -> None:
    """Protects links from searches, which share their radio: searched is only while a wanted strap is missing."""

    async def story(s: Story) -> None:
        strap, late = s.bluez.strap(A), s.bluez.strap(B)
        s.bluez.leave(late)
        home = s.home(A, B)
        await s.speaks(strap)
        await asyncio.sleep(60)
        s.bluez.enter(late)
        await s.speaks(late)
        await asyncio.sleep(2)
        searches = [m for m, _ in s.bluez.calls].count("StartDiscovery")
        assert s.bluez.life is not None
        assert not s.bluez.life.searching.get(s.adapter.path)
        await asyncio.sleep(120)
        assert [m for m, _ in s.bluez.calls].count("StartDiscovery") == searches
        await s.end(home, strap, late)

    play(story)


def test_a_stall_loses_nothing(play: Play) -> None:
    """Protects the burst after 20 s of standing still, at 20 a second: all of it comes, late, in order."""

    async def story(s: Story) -> None:
        strap = s.bluez.strap(period_s=0.05)
        home = s.home()
        await s.speaks(strap)
        await asyncio.sleep(10)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, LeapLoop)
        loop.stall(20)
        await asyncio.sleep(10)
        assert home.listeners[0].state.reconnects == 0
        await s.end(home, strap)
        assert len(strap.delivered) > 780

    play(story)


def test_out_of_reach_is_known_within_the_supervision_time(play: Play) -> None:
    """Protects the state that is shown: a strap that walked away is searched for at once."""

    async def story(s: Story) -> None:
        strap = s.bluez.strap()
        home = s.home()
        await s.speaks(strap)
        await asyncio.sleep(10.3)
        s.bluez.leave(strap)
        assert await until(lambda: home.states != ["connected"], "the loss") < SUPERVISION_S + 0.2
        await asyncio.sleep(10)
        s.bluez.enter(strap)
        assert await s.speaks(strap) < 3
        await s.end(home, strap)

    play(story)


def test_values_that_cannot_be_read_hold_up_nothing(play: Play) -> None:
    """Protects against bleak's reads, which wait for ever: heart rates are recorded before and without them."""

    async def story(s: Story) -> None:
        strap = s.bluez.strap()
        s.bluez.fail("ReadValue", HANGS, times=1000)
        home = s.home()
        assert await s.speaks(strap) < 3
        await asyncio.sleep(60)
        assert home.states == ["connected"]
        assert home.listeners[0].state.reconnects == 0
        await s.end(home, strap)

    play(story)


FAULTS = {
    "fails": FAILED,
    "in progress": IN_PROGRESS,
    "not ready": NOT_READY,
    "object gone": GONE,
    "hangs": HANGS,
    "slow": SLOW,
    "crashes": CRASHES,
}

METHODS = (
    "GetManagedObjects",
    "SetDiscoveryFilter",
    "StartDiscovery",
    "StopDiscovery",
    "Connect",
    "StartNotify",
    "ReadValue",
    "Disconnect",
)


@pytest.mark.parametrize("method", METHODS)
def test_any_call_may_go_wrong(play: Play, method: str) -> None:
    """Protects the recovery from every fault of every call that bleak makes, once and three times in a row."""

    async def story(s: Story) -> None:
        strap = s.bluez.strap()
        home = s.home()
        for name, fault in FAULTS.items():
            for times in (1, 3):
                await s.speaks(strap)
                await asyncio.sleep(6.3)
                s.bluez.fail(method, fault, times=times)
                s.bluez.drop(strap)
                for _ in range(4):
                    await asyncio.sleep(10)
                    if s.bluez.life is None:
                        await s.bluez.start()
                s.bluez.heal()
                took = await s.speaks(strap)
                assert took < 35, (name, times)
        await s.end(home, strap)

    play(story)


def test_what_blocks_a_connection_is_forgotten(play: Play) -> None:
    """Protects against what BlueZ remembers of a killed life: InProgress until it is made to forget the device."""

    async def story(s: Story) -> None:
        strap = s.bluez.strap()
        s.bluez.fail("Connect", IN_PROGRESS, times=10_000)
        home = s.home()
        await until(lambda: "RemoveDevice" in dict(s.bluez.calls), "that BlueZ forgets it", within_s=120)
        s.bluez.heal()
        assert await s.speaks(strap) < 15
        await s.end(home, strap)

    play(story)


def test_a_search_that_cannot_begin_is_named(play: Play) -> None:
    """Protects who must restart the service: an adapter that is on and does not search is wedged, and said to be."""

    async def story(s: Story) -> None:
        strap = s.bluez.strap()
        s.bluez.fail("StartDiscovery", IN_PROGRESS, times=10_000)
        home = s.home()
        await s.state(home, "wedged")
        s.bluez.heal()
        assert await s.speaks(strap) < 10
        await s.end(home, strap)

    play(story)


def test_the_adapter_is_chosen_by_address(play: Play) -> None:
    """Protects who has two: names change places from boot to boot, addresses do not."""

    async def story(s: Story) -> None:
        strap = s.bluez.strap()
        home = s.home(chosen="00:11:22:33:44:66")
        await s.speaks(strap)
        assert strap.link == f"/org/bluez/hci1/dev_{A.replace(':', '_')}"
        await asyncio.sleep(5.3)
        for adapter in list(s.bluez.adapters):
            s.bluez.unplug(adapter)
        s.bluez.plug(Adapter("hci0", "00:11:22:33:44:66"))
        s.bluez.plug(Adapter("hci1", "00:11:22:33:44:55"))
        assert await s.speaks(strap) < 8
        assert strap.link == f"/org/bluez/hci0/dev_{A.replace(':', '_')}"
        await s.end(home, strap)

    play(story, adapters=[Adapter("hci0", "00:11:22:33:44:55"), Adapter("hci1", "00:11:22:33:44:66")])
