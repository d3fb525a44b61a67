"""The virtual radio itself: what other tests build on."""

import asyncio

from bleak import BleakAdapter, BleakClient, BleakScanner
from bleak.backends.device import BLEDevice

from tests.support.air.clock import AirClock
from tests.support.air.heart import measurement
from tests.support.air.link import SUPERVISION_S
from tests.support.air.loop import LeapLoop, simulate, until
from tests.support.air.room import Backends, Room

MEASUREMENT = "00002a37-0000-1000-8000-00805f9b34fb"


async def found(backends: Backends, address: str, *, timeout_s: float = 5.0) -> BLEDevice | None:
    return await BleakScanner.find_device_by_address(address, timeout=timeout_s, backend=backends.scanner)


class Listener:
    """The smallest session: everything heard, and whether the link has ended."""

    def __init__(self, device: BLEDevice, backends: Backends) -> None:
        self.heard: list[bytes] = []
        self.gone = asyncio.Event()
        self.client = BleakClient(
            device, disconnected_callback=lambda _: self.gone.set(), backend=backends.client
        )

    async def listen(self) -> "Listener":
        await self.client.connect()
        await self.client.start_notify(MEASUREMENT, lambda _, data: self.heard.append(bytes(data)))
        return self


async def listening(backends: Backends, address: str) -> Listener:
    device = await found(backends, address)
    assert device is not None
    return await Listener(device, backends).listen()


def test_an_hour_passes_in_order() -> None:
    """Protects the simulation: timers in order, an hour in no time, and threads are waited for."""

    async def story() -> list[str]:
        loop, seen = asyncio.get_running_loop(), []
        began = loop.time()

        def note(after: float) -> None:
            seen.append(f"{after:.0f} {loop.time() - began:.0f}")

        for after in (3600.0, 5.0, 60.0):
            loop.call_later(after, note, after)
        await asyncio.to_thread(seen.append, "thread")
        assert loop.time() == began
        await asyncio.sleep(3601)
        return seen

    assert simulate(story) == ["thread", "5 5", "60 60", "3600 3600"]


def test_the_clock_follows_and_can_be_stepped() -> None:
    """Protects the fake clock: steady time never steps, wall time does, and a reboot begins both anew."""

    async def story() -> None:
        clock = AirClock(wall_ms=1000, synchronized=False)
        steady = clock.steady_ms()
        await asyncio.sleep(10)
        assert (clock.steady_ms() - steady, clock.wall_ms(), clock.synchronized()) == (10_000, 11_000, False)
        clock.set_wall(5_000_000)
        assert (clock.steady_ms() - steady, clock.wall_ms(), clock.synchronized()) == (
            10_000,
            5_000_000,
            True,
        )
        boot = clock.boot
        clock.reboot()
        assert clock.boot != boot
        assert clock.steady_ms() == 20_000
        assert clock.wall_ms() == 5_000_000

    simulate(story)


def test_every_notification_arrives_once() -> None:
    """Protects the ground truth: what the listener hears is what the strap wrote down as delivered."""

    async def story() -> None:
        async with Room() as room:
            strap = await room.strap(bpm=150)
            listener = await listening(room.backends(), strap.address)
            await asyncio.sleep(600)
            assert listener.heard == [d.payload for d in strap.delivered]
            assert len(listener.heard) in {599, 600}
            assert sum(len(d.beats_s) for d in strap.delivered) > 1400
            await listener.client.disconnect()
            await asyncio.sleep(10)
            assert len(strap.delivered) == len(listener.heard)

    simulate(story)


def test_out_of_reach_is_known_after_the_supervision_time() -> None:
    """Protects the range: a link is lost by silence, nothing is found meanwhile, and it is found again."""

    async def story() -> None:
        async with Room() as room:
            strap = await room.strap()
            backends = room.backends()
            listener = await listening(backends, strap.address)
            await asyncio.sleep(10.5)
            strap.leave()
            known_s = await until(listener.gone.is_set, "the loss")
            assert SUPERVISION_S - 0.1 < known_s < SUPERVISION_S + 0.1
            assert not strap.connected
            assert await found(backends, strap.address) is None
            strap.enter()
            again = await listening(backends, strap.address)
            await asyncio.sleep(10)
            heard = listener.heard + again.heard
            assert heard == [d.payload for d in strap.delivered]

    simulate(story)


def test_a_short_absence_only_delays() -> None:
    """Protects the link layer's promise: what is repeated until heard is late, not lost, and in order."""

    async def story() -> None:
        async with Room() as room:
            strap = await room.strap()
            listener = await listening(room.backends(), strap.address)
            await asyncio.sleep(5.5)
            strap.leave()
            await asyncio.sleep(SUPERVISION_S - 0.5)
            before = len(listener.heard)
            strap.enter()
            await asyncio.sleep(0.1)
            assert len(listener.heard) - before in {3, 4}
            assert listener.heard == [d.payload for d in strap.delivered]
            assert not listener.gone.is_set()

    simulate(story)


def test_drop_stall_and_new_address() -> None:
    """Protects the faults: a dropped link calls back, a stall delivers all of it late, an address can change."""

    async def story() -> None:
        async with Room() as room:
            strap, backends = await room.strap(), room.backends()
            listener = await listening(backends, strap.address)
            await asyncio.sleep(5.5)
            loop = asyncio.get_running_loop()
            assert isinstance(loop, LeapLoop)
            loop.stall(20)
            await asyncio.sleep(0.1)
            assert len(listener.heard) > 24
            assert listener.heard == [d.payload for d in strap.delivered]
            assert len({d.at_s for d in strap.delivered[-19:]}) == 1
            await strap.drop()
            assert await until(listener.gone.is_set, "the drop") < 0.1
            await strap.readdress("F0:00:00:00:00:02")
            assert await found(backends, "F0:00:00:00:00:01") is None
            assert await found(backends, "F0:00:00:00:00:02") is not None

    simulate(story)


def test_a_link_outlives_the_process() -> None:
    """Protects the trap of SIGKILL: the strap stays connected, no scan finds it, and it can be adopted."""

    async def story() -> None:
        async with Room() as room:
            strap = await room.strap()
            first = await listening(room.backends(), strap.address)
            await asyncio.sleep(5.5)
            await room.kill()
            await first.client.disconnect()  # what a dead process still does reaches nobody
            heard = len(first.heard)
            await asyncio.sleep(10)
            assert strap.connected
            assert len(first.heard) == heard == len(strap.delivered)
            backends = room.backends()
            assert await found(backends, strap.address) is None
            adapter = await BleakAdapter.get(backend=backends.adapter)
            (device,) = await adapter.get_connected_devices(["180d"])
            second = await Listener(device, backends).listen()
            await asyncio.sleep(5)
            assert len(second.heard) in {4, 5}
            assert len(strap.delivered) == heard + len(second.heard)

    simulate(story)


def test_a_phone_takes_the_strap() -> None:
    """Protects the one connection a strap has: while a phone has it, nobody finds it."""

    async def story() -> None:
        async with Room() as room:
            strap, backends = await room.strap(), room.backends()
            phone = await room.phone(strap)
            assert await found(backends, strap.address) is None
            await phone.disconnect()
            assert await found(backends, strap.address) is not None

    simulate(story)


def test_taken_off_in_four_ways() -> None:
    """Protects what is known of straps that nobody wears: no contact, zero, the same rate for ever, or silence."""

    async def story() -> None:
        async with Room() as room:
            strap = await room.strap()
            listener = await listening(room.backends(), strap.address)
            await asyncio.sleep(10.5)
            assert {p[0] for p in listener.heard} == {0x16}
            for wear, flags in (("contact", 0x04), ("zero", 0x04), ("frozen", 0x06)):
                strap.sensor.wear = wear  # type: ignore[assignment]
                listener.heard.clear()
                await asyncio.sleep(5)
                assert {p[0] for p in listener.heard} == {flags}
                assert len(set(listener.heard)) == 1
                assert (listener.heard[0][1] == 0) == (wear == "zero")
            strap.sensor.wear = "silent"
            listener.heard.clear()
            await asyncio.sleep(5)
            assert not listener.heard
            assert not listener.gone.is_set()

    simulate(story)


def test_bytes_of_a_measurement() -> None:
    """Protects the encoder: every optional field moves the ones behind it."""
    assert measurement(72).hex() == "0048"
    assert measurement(72, unused_bit=True).hex() == "0248"
    assert measurement(72, contact=False).hex() == "0448"
    assert measurement(300, (1024, 512), contact=True, energy_kj=7, wide=True).hex() == "1f2c01070000040002"
