"""A room with straps in it and a Pi: the air, the Pi's radio, and the process that listens."""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple, Self

from bleak.backends.adapter import BaseBleakAdapter
from bleak.backends.client import BaseBleakClient
from bleak.backends.scanner import BaseBleakScanner
from bumble import hci
from bumble.device import Connection, Device

from tests.support.air.link import AirController, AirLink
from tests.support.air.strap import Strap, both_ways


class Backends(NamedTuple):
    """Classes for bleak's `backend=`: of BleakScanner, of BleakClient, of BleakAdapter.get."""

    scanner: type[BaseBleakScanner]
    client: type[BaseBleakClient]
    adapter: type[BaseBleakAdapter]


class Room:
    """Straps and one Pi; use as `async with Room() as room`."""

    def __init__(self) -> None:
        self.link = AirLink()
        self.straps: list[Strap] = []
        self.pi = self._central("Pi", "C0:00:00:00:00:01")
        self.process = Process()
        self.connecting = asyncio.Lock()
        """A controller makes one connection at a time."""
        self.scanning = 0

    def _central(self, name: str, address: str) -> Device:
        antenna = AirController(name, self.link)
        return Device.with_hci(name, hci.Address(address), *both_ways(antenna))

    async def __aenter__(self) -> Self:
        await self.pi.power_on()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.process.kill()
        for strap in self.straps:
            await strap.off()

    async def strap(self, address: str = "F0:00:00:00:00:01", **features: Any) -> Strap:
        """Another strap, switched on; features as Strap takes them."""
        strap = Strap(self.link, address, **features)
        self.straps.append(strap)
        await strap.on()
        return strap

    async def phone(self, strap: Strap) -> Connection:
        """Somebody's phone takes the strap: it does not advertise any more, until `await connection.disconnect()`."""
        phone = self._central("Phone", "C0:00:00:00:00:99")
        await phone.power_on()
        return await phone.connect(hci.Address(strap.address))

    def backends(self) -> Backends:
        """Bleak's backends for a process in this room."""
        from tests.support.air.backend import AirAdapter, AirClient, AirScanner

        return Backends(
            type("AirScannerHere", (AirScanner,), {"room": self}),
            type("AirClientHere", (AirClient,), {"room": self}),
            type("AirAdapterHere", (AirAdapter,), {"room": self}),
        )

    async def stop_connecting(self) -> None:
        """End the attempt to connect that is under way, if one is; bumble forgets it when it is cancelled."""
        controller = next(c for c in self.link.controllers if c.random_address == self.pi.random_address)
        if controller.pending_le_connection is not None:
            await self.pi.send_sync_command(hci.HCI_LE_Create_Connection_Cancel_Command())

    async def kill(self) -> None:
        """The listening process dies by SIGKILL; what BlueZ holds, the links among it, stays.

        What it was doing in this event loop the caller cancels afterwards: nothing of it reaches the air any more.
        """
        self.process.kill()
        self.process = Process()
        if self.scanning:
            self.scanning = 0
            await self.pi.stop_scanning()


class Process:
    """The process that listens: what the radio has for it is lost once it is dead."""

    def __init__(self) -> None:
        self.dead = False
        self._killed: list[Callable[[], None]] = []

    def tell(self, what: Callable[[], None]) -> None:
        """Call back into it."""
        if not self.dead:
            what()

    def at_death(self, what: Callable[[], None]) -> None:
        """What the system does for a process that dies: forget its subscriptions."""
        self._killed.append(what)

    def kill(self) -> None:
        """Dead from now on."""
        self.dead = True
        for what in self._killed:
            what()
        self._killed.clear()
