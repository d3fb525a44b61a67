"""The fake BlueZ itself: what other tests build on."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from bleak import BleakAdapter, BleakClient, BleakScanner
from bleak.backends.device import BLEDevice
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
    BleakError,
)

from tests.support.air.loop import simulate, until
from tests.support.bluez.bluez import Adapter, Bluez, Fault
from tests.support.bluez.bus import Bus
from tests.support.bluez.quiet import Quiet
from tests.support.bluez.strap import MEASUREMENT, SERIAL, SUPERVISION_S, Strap, uuid


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bus]:
    with Bus(tmp_path) as started:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", started.address)
        yield started


def play(bus: Bus, story: Callable[[Bluez], Coroutine[Any, Any, None]], **kw: Any) -> None:
    async def whole() -> None:
        async with Bluez(bus.address, **kw) as bluez:
            await story(bluez)

    asyncio.run(whole())


async def found(strap: Strap, *, timeout_s: float = 2.0) -> BLEDevice | None:
    return await BleakScanner.find_device_by_address(strap.address, timeout=timeout_s)


class Listener:
    def __init__(self, device: BLEDevice) -> None:
        self.heard: list[bytes] = []
        self.gone = asyncio.Event()
        self.client = BleakClient(device, disconnected_callback=lambda _: self.gone.set())

    async def listen(self, **kw: Any) -> "Listener":
        await self.client.connect()
        await self.client.start_notify(
            uuid(MEASUREMENT), lambda _, data: self.heard.append(bytes(data)), **kw
        )
        return self


async def listening(strap: Strap, **kw: Any) -> Listener:
    device = await found(strap)
    assert device is not None
    return await Listener(device).listen(**kw)


async def signals_through() -> None:
    await asyncio.sleep(0.05)


@pytest.mark.parametrize("way", ["StartNotify", "AcquireNotify"])
def test_every_notification_arrives_once(bus: Bus, way: str) -> None:
    """Protects the ground truth, by both ways BlueZ has to hand notifications on."""

    async def story(bluez: Bluez) -> None:
        strap = bluez.strap(period_s=0.01, serial="77")
        listener = await listening(strap, bluez={"use_start_notify": way == "StartNotify"})
        assert bytes(await listener.client.read_gatt_char(uuid(SERIAL))) == b"77"
        await until(lambda: len(listener.heard) > 50, "notifications")
        await listener.client.disconnect()
        await asyncio.sleep(0.05)
        assert listener.heard == [d.payload for d in strap.delivered]
        assert {m for m, _ in bluez.calls if m.endswith("Notify")} == {way}

    play(bus, story)


def test_objects_appear_when_heard_and_vanish_with_the_crash(bus: Bus) -> None:
    """Protects the faithfulness that decides about adoption: bluetoothd knows nobody it has not heard in this life."""

    async def story(bluez: Bluez) -> None:
        strap = bluez.strap(period_s=0.02)
        assert bluez.life is not None
        assert list(bluez.life.tree.objects) == ["/org/bluez/hci0"]
        listener = await listening(strap)
        await until(lambda: listener.heard, "notifications")
        bluez.crash()
        heard = len(listener.heard)
        await asyncio.sleep(0.2)
        assert listener.client.is_connected  # nobody said otherwise
        assert not listener.gone.is_set()
        assert len(listener.heard) <= heard + 1
        with pytest.raises(BleakError):
            await found(strap)
        await bluez.start()
        assert bluez.life is not None
        assert list(bluez.life.tree.objects) == ["/org/bluez/hci0"]
        with pytest.raises(BleakDBusError, match="UnknownObject"):
            await listener.client.disconnect()
        again = await listening(strap)
        await until(lambda: again.heard, "notifications")
        await again.client.disconnect()

    play(bus, story)


def test_losses_are_told(bus: Bus) -> None:
    """Protects the callbacks: a drop, an absence, an adapter that is off or pulled, a bluetoothd that is stopped."""

    async def story(bluez: Bluez) -> None:
        strap, (adapter,) = bluez.strap(period_s=0.02), bluez.adapters

        def nothing() -> None: ...

        losses: list[tuple[Callable[[], None], Callable[[], None]]] = [
            (lambda: bluez.drop(strap), nothing),
            (lambda: bluez.leave(strap), lambda: bluez.enter(strap)),
            (lambda: bluez.power(adapter, on=False), lambda: bluez.power(adapter, on=True)),
            (lambda: bluez.block(adapter, blocked=True), lambda: bluez.block(adapter, blocked=False)),
            (lambda: bluez.unplug(adapter), lambda: bluez.plug(adapter)),
        ]
        for lose, back in losses:
            listener = await listening(strap)
            lose()
            await asyncio.wait_for(listener.gone.wait(), 3)
            await listener.client.disconnect()
            back()
            await signals_through()
        listener = await listening(strap)
        await bluez.stop()
        await asyncio.wait_for(listener.gone.wait(), 3)
        await listener.client.disconnect()
        await bluez.start()

    play(bus, story)


def test_reasons_of_an_adapter(bus: Bus) -> None:
    """Protects what bleak is told of adapters: none, off, and one among two by its name."""

    async def story(bluez: Bluez) -> None:
        strap, first = bluez.strap(), bluez.adapters[0]
        bluez.power(first, on=False)
        with pytest.raises(BleakBluetoothNotAvailableError) as off:
            await found(strap)
        assert off.value.reason == BleakBluetoothNotAvailableReason.POWERED_OFF
        bluez.unplug(first)
        await signals_through()
        with pytest.raises(BleakBluetoothNotAvailableError) as none:
            await found(strap)
        assert none.value.reason == BleakBluetoothNotAvailableReason.NO_BLUETOOTH
        bluez.power(first, on=True)
        bluez.plug(first)
        bluez.plug(Adapter("hci1", "00:11:22:33:44:66"))
        await signals_through()
        device = await BleakScanner.find_device_by_address(
            strap.address, timeout=2, bluez={"adapter": "hci1"}
        )
        assert device is not None
        assert device.details["path"].startswith("/org/bluez/hci1/")

    play(bus, story)


def test_calls_fail_hang_and_kill(bus: Bus) -> None:
    """Protects the injection of faults into any D-Bus method."""

    async def story(bluez: Bluez) -> None:
        strap = bluez.strap()
        device = await found(strap)
        assert device is not None
        bluez.fail("Connect", Fault("org.bluez.Error.Failed", "br-connection-unknown"))
        with pytest.raises(BleakDBusError, match="br-connection-unknown"):
            await BleakClient(device).connect()
        bluez.fail("Connect", Fault())
        with pytest.raises(TimeoutError):
            await BleakClient(device, timeout=0.3).connect()
        client = BleakClient(device)
        await client.connect()
        bluez.fail("ReadValue", Fault())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.read_gatt_char(uuid(SERIAL)), 0.3)
        bluez.fail("ReadValue", Fault(delay_s=0.1))
        assert bytes(await client.read_gatt_char(uuid(SERIAL))) == b"0001"
        bluez.fail("StartNotify", Fault(crash=True))
        with pytest.raises((BleakError, TimeoutError)):
            await asyncio.wait_for(client.start_notify(uuid(MEASUREMENT), lambda *_: None), 0.5)
        assert bluez.life is None
        with pytest.raises((BleakError, TimeoutError)):
            await client.disconnect()

    play(bus, story)


def test_a_link_outlives_its_client_and_can_be_adopted(bus: Bus) -> None:
    """Protects the trap of SIGKILL: the client is gone, the link stays, no scan hears the strap."""

    async def story(bluez: Bluez) -> None:
        strap = bluez.strap(period_s=0.02)
        listener = await listening(strap)
        await until(lambda: listener.heard, "notifications")
        backend: Any = listener.client._backend
        backend._bus.disconnect()  # what the kernel does to the sockets of a process that dies
        await asyncio.sleep(0.1)
        delivered = len(strap.delivered)
        await asyncio.sleep(0.1)
        assert len(strap.delivered) == delivered
        assert strap.link is not None
        assert await found(strap, timeout_s=0.3) is None
        (device,) = await (await BleakAdapter.get()).get_connected_devices(["180d"])
        second = await Listener(device).listen()
        await until(lambda: len(second.heard) > 2, "notifications")
        await second.client.disconnect()
        await listener.client.disconnect()

    play(bus, story)


def test_an_old_client_doubles_what_the_new_one_hears(bus: Bus) -> None:
    """Protects the fault of BlueZ that a client left undisconnected is: its subscription lives on."""

    async def story(bluez: Bluez) -> None:
        strap = bluez.strap(period_s=0.05)
        first = await listening(strap)
        bluez.drop(strap)
        await first.gone.wait()
        second = await listening(strap)
        delivered = len(strap.delivered)
        await until(lambda: len(strap.delivered) > delivered + 5, "notifications")
        assert len(second.heard) >= 2 * 5
        assert second.heard[::2][:4] == second.heard[1::2][:4]
        await first.client.disconnect()
        await second.client.disconnect()

    play(bus, story)


def test_minutes_of_it_pass_in_seconds(bus: Bus) -> None:
    """Protects the simulation on a real bus: time leaps only when D-Bus is quiet, and nothing is lost by that."""

    async def story() -> None:
        async with Bluez(bus.address) as bluez:
            strap = bluez.strap()
            listener = await listening(strap)
            await asyncio.sleep(300)
            assert listener.heard == [d.payload for d in strap.delivered]
            assert len(listener.heard) in {299, 300}
            bluez.leave(strap)
            assert await until(listener.gone.is_set, "the loss") < SUPERVISION_S + 0.1
            await listener.client.disconnect()

    with contextlib.closing(Quiet(bus.address)) as quiet:
        simulate(story, settle=quiet)


def test_no_permission_and_no_bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects the two refusals before any Bluetooth: a bus that forbids org.bluez, and no bus at all."""

    async def search() -> None:
        await BleakScanner.find_device_by_name("x", timeout=0.1)

    with Bus(tmp_path, permitted=False) as bus:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)

        async def refused(_: Bluez) -> None:
            with pytest.raises(BleakDBusError, match="AccessDenied"):
                await search()

        play(bus, refused)
    with pytest.raises(OSError, match=r"No such file|refused"):
        asyncio.run(search())


def test_the_bus_restarts(bus: Bus) -> None:
    """Protects the restart of dbus-daemon: clients are told, and everything works on the new one."""

    async def story(bluez: Bluez) -> None:
        strap = bluez.strap(period_s=0.02)
        listener = await listening(strap)
        await asyncio.to_thread(bus.stop)
        await asyncio.wait_for(listener.gone.wait(), 3)
        await listener.client.disconnect()
        bluez.crash()
        await asyncio.to_thread(bus.start)
        await bluez.start()
        again = await listening(strap)
        await until(lambda: again.heard, "notifications")
        await again.client.disconnect()

    play(bus, story)
