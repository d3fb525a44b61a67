"""Hours of faults at random, on both radios, our own death among them: the journal holds what was delivered, once."""

import asyncio
import contextlib
import gc
import random
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from dbus_fast.aio import MessageBus

from tests.support.air.clock import AirClock
from tests.support.air.heart import Delivered
from tests.support.air.loop import LeapLoop, simulate
from tests.support.air.room import Room
from tests.support.bluez.bluez import Adapter, Bluez, Fault
from tests.support.bluez.bus import Bus
from tests.support.bluez.quiet import Quiet
from tests.support.data_folder import COMMIT_S, Home, one_adapter, recorded, strap_of

TRUE_MS = 1_790_000_000_000
"""What time it really is at the beginning; the Pi, which has no clock of its own, believes otherwise at first."""

METHODS = (
    "GetManagedObjects",
    "StartDiscovery",
    "StopDiscovery",
    "Connect",
    "StartNotify",
    "ReadValue",
    "Disconnect",
)
FAULTS = (
    Fault("org.bluez.Error.Failed", "Software caused connection abort"),
    Fault("org.bluez.Error.InProgress", "Operation already in progress"),
    Fault(),
    Fault(delay_s=2.0),
    Fault(crash=True),
)

Act = Callable[[], Awaitable[None]]


class Storm:
    """Faults at random moments, each of which passes; and lives of the listening process, one after the other."""

    def __init__(self, seed: int, begin: Callable[[], Home]) -> None:
        self.random = random.Random(seed)
        self._begin = begin
        self.home = begin()
        self.deaths: list[tuple[float, float]] = []
        """(When was committed last, when it died)."""
        self._passing: set[asyncio.Task[None]] = set()

    async def blow(self, seconds: float, acts: Sequence[Act]) -> None:
        """One fault after the other, some of them at once."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end:
            await asyncio.sleep(
                self.random.choice((0.05, 1.0, 7.0, 30.0, 90.0)) * self.random.uniform(0.5, 1.5)
            )
            await self.random.choice(acts)()
        await asyncio.gather(*self._passing)

    def later(self, most_s: float, what: Callable[[], object]) -> None:
        """Let a fault pass after a while."""

        async def passes() -> None:
            await asyncio.sleep(self.random.uniform(0.01, most_s))
            done = what()
            if asyncio.iscoroutine(done):
                await done

        task = asyncio.create_task(passes())
        self._passing.add(task)
        task.add_done_callback(self._passing.discard)

    async def die(self, cut: Callable[[], Awaitable[None]]) -> None:
        """Our own process is killed, and another one begins."""
        self.deaths.append((self.home.committed_s, asyncio.get_running_loop().time()))
        await cut()
        await self.home.die()
        self.home = self._begin()

    async def stall(self) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, LeapLoop)
        loop.stall(self.random.uniform(0.5, 20))

    def check(self, delivered: Sequence[Delivered], journal: Path, source: str, clock: AirClock) -> None:
        """All of it once, in order, at its time, but for what came between a death and the commit before it."""
        came = iter(recorded(journal, source))
        now = next(came, None)
        lost = 0
        before: tuple[int, bytes] | None = None
        for d in delivered:
            steady = clock.steady_of(d.at_s)
            if now is not None and (now.steady_ms, now.payload) == (steady, d.payload):
                assert abs(now.wall_ms - (TRUE_MS + steady - clock.steady_of(1000.0))) <= 1000
                now = next(came, None)
            elif before == (steady, d.payload) and not d.beats_s:
                pass  # the same value twice at one moment, after two stalls in a row: nobody can tell it from a double
            else:
                lost += 1
                assert any(committed <= d.at_s <= died for committed, died in self.deaths), (
                    steady,
                    d.payload,
                )
        assert now is None, "the journal holds what was never delivered, or twice, or out of order"
        assert lost <= len(self.deaths) * (COMMIT_S + 20) * 1.5


@pytest.mark.parametrize("seed", range(2))
def test_storms_on_the_virtual_radio(tmp_path: Path, seed: int) -> None:
    """Protects the promise of the whole: three straps, half an hour, whatever happens, and nothing lost but what must be."""

    async def story() -> None:
        async with Room() as room:
            straps = [
                await room.strap(f"F0:00:00:00:00:0{i}", seed=seed + i, phase_s=i * 0.31 + 0.0137)
                for i in range(3)
            ]
            journal = tmp_path / "journal.db"
            clock = AirClock(wall_ms=TRUE_MS - 12_345_678, synchronized=False)

            def begin() -> Home:
                return Home(
                    journal,
                    clock,
                    [strap_of(s.address) for s in straps],
                    backends=room.backends(),
                    list_all=one_adapter,
                ).begin()

            storm = Storm(seed, begin)
            storm.later(1800, lambda: clock.set_wall(TRUE_MS + clock.steady_ms() - clock.steady_of(1000.0)))

            async def drop() -> None:
                await storm.random.choice(straps).drop()

            async def leave() -> None:
                strap = storm.random.choice(straps)
                strap.leave()
                storm.later(storm.random.choice((3, 30, 600)), strap.enter)

            async def silence() -> None:
                strap = storm.random.choice(straps)
                strap.sensor.wear = storm.random.choice(("silent", "zero", "frozen", "contact"))
                storm.later(storm.random.choice((3, 30, 300)), lambda: setattr(strap.sensor, "wear", "worn"))

            async def die() -> None:
                await storm.die(room.kill)

            await storm.blow(1800, (drop, leave, leave, silence, die, storm.stall))
            await asyncio.sleep(60)
            assert storm.home.states == ["connected"] * 3
            await storm.home.end()
            for strap in straps:
                assert len(strap.delivered) > 700
                storm.check(strap.delivered, journal, f"strap {strap.address}", clock)

    simulate(story)


@pytest.mark.parametrize("seed", range(3))
def test_storms_on_bluez(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Protects the same on bleak's real backend: crashes and restarts of BlueZ, the bus, the adapter, any call, and us."""
    with Bus(tmp_path) as bus, contextlib.closing(Quiet(bus.address)) as quiet:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)

        async def story() -> None:
            async with Bluez(bus.address) as bluez:
                straps = [bluez.strap(f"F0:00:00:00:00:0{i}", phase_s=0.3 * i + 0.0137) for i in range(2)]
                (adapter,) = bluez.adapters
                journal = tmp_path / "journal.db"
                clock = AirClock(wall_ms=TRUE_MS - 12_345_678, synchronized=False)
                storm = Storm(
                    seed, lambda: Home(journal, clock, [strap_of(s.address) for s in straps]).begin()
                )
                storm.later(
                    1000, lambda: clock.set_wall(TRUE_MS + clock.steady_ms() - clock.steady_of(1000.0))
                )
                await storm.blow(2400, bluez_acts(storm, bluez, bus, adapter))
                bluez.heal()
                await revive(bluez)
                await asyncio.sleep(90)
                assert storm.home.states == ["connected"] * 2
                await storm.home.end()
                for strap in straps:
                    assert len(strap.delivered) > 500
                    storm.check(strap.delivered, journal, f"strap {strap.address}", clock)

        simulate(story, settle=quiet)


async def revive(bluez: Bluez) -> None:
    """Start bluetoothd; not while there is no bus to start it on, when who stopped that starts both."""
    with contextlib.suppress(OSError, EOFError):
        await bluez.start()


def bluez_acts(storm: Storm, bluez: Bluez, bus: Bus, adapter: Adapter) -> list[Act]:
    """What can happen to BlueZ."""

    async def drop() -> None:
        bluez.drop(storm.random.choice(bluez.straps))

    async def leave() -> None:
        strap = storm.random.choice(bluez.straps)
        bluez.leave(strap)
        storm.later(storm.random.choice((1, 30, 300)), lambda: bluez.enter(strap))

    async def silence() -> None:
        strap = storm.random.choice(bluez.straps)
        strap.sensor.wear = storm.random.choice(("silent", "zero", "frozen"))
        storm.later(storm.random.choice((3, 30)), lambda: setattr(strap.sensor, "wear", "worn"))

    async def crash() -> None:
        bluez.crash()
        storm.later(10, lambda: revive(bluez))

    async def restart() -> None:
        await bluez.stop()
        storm.later(5, lambda: revive(bluez))

    async def restart_bus() -> None:
        bus.stop()
        bluez.crash()
        await asyncio.sleep(storm.random.uniform(0.1, 3))
        bus.start()
        await bluez.start()

    async def power() -> None:
        bluez.power(adapter, on=False)
        storm.later(20, lambda: bluez.power(adapter, on=True))

    async def unplug() -> None:
        if adapter in bluez.adapters:
            bluez.unplug(adapter)
            storm.later(20, lambda: bluez.plug(adapter))

    async def fault() -> None:
        bluez.fail(
            storm.random.choice(METHODS), storm.random.choice(FAULTS), times=storm.random.choice((1, 3))
        )
        storm.later(60, lambda: revive(bluez))

    async def die() -> None:
        await storm.die(lambda: cut(bluez))

    return [drop, leave, silence, crash, restart, restart_bus, power, unplug, fault, fault, die, storm.stall]


async def cut(bluez: Bluez) -> None:
    """What the kernel does to the sockets of a process that dies."""
    mine = bluez.life.bus if bluez.life else None
    for bus in gc.get_objects():
        if isinstance(bus, MessageBus) and bus is not mine and bus.connected:
            bus.disconnect()
