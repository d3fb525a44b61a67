"""Bleak's backend over the room's air, so that the real BleakScanner, BleakClient and BleakAdapter run."""

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar, Literal, Self

from bleak.args import SizedBuffer
from bleak.assigned_numbers import gatt_char_props_to_strs
from bleak.backends.adapter import BaseBleakAdapter
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, AdvertisementDataCallback, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import (
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
    BleakGATTProtocolErrorCode,
)
from bleak.uuids import normalize_uuid_str
from bumble import hci
from bumble.att import ATT_Error
from bumble.core import UUID, AdvertisingData, BaseBumbleError
from bumble.core import TimeoutError as BumbleTimeout
from bumble.device import Advertisement, Connection, Peer

from tests.support.air.room import Room


def _uuid(uuid: UUID) -> str:
    return normalize_uuid_str(uuid.to_hex_str("-"))


class AirScanner(BaseBleakScanner):
    """Hears the advertisements in the room."""

    room: ClassVar[Room]

    def __init__(
        self,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        scanning_mode: Literal["active", "passive"],
        **_: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)
        if scanning_mode == "passive":  # stock BlueZ of Debian 12 and 13 refuses it
            raise BleakError("passive scanning mode requires bluez or_patterns")
        self._process = self.room.process

    async def start(self) -> None:
        """Listen; several may at once."""
        self.seen_devices = {}
        self.room.pi.on("advertisement", self._heard)
        self._process.at_death(self._deaf)
        self.room.scanning += 1
        if self.room.scanning == 1:
            await self.room.pi.start_scanning(active=True, filter_duplicates=False)

    async def stop(self) -> None:
        """Listen no more."""
        if self._process.dead:
            return
        self._deaf()
        self.room.scanning -= 1
        if not self.room.scanning:
            await self.room.pi.stop_scanning()

    def _deaf(self) -> None:
        if self._heard in self.room.pi.listeners("advertisement"):
            self.room.pi.remove_listener("advertisement", self._heard)

    def _heard(self, advertisement: Advertisement) -> None:
        said = advertisement.data
        kind = AdvertisingData.Type
        name = said.get(kind.COMPLETE_LOCAL_NAME)
        uuids = [
            _uuid(u) for some in said.get_all(kind.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS) for u in some
        ]
        if not self.is_allowed_uuid(uuids):
            return
        data = AdvertisementData(name, {}, {}, uuids, None, advertisement.rssi, (advertisement,))
        address = advertisement.address.to_string(with_type_qualifier=False)
        device = self.create_or_update_device(address, address, name, advertisement.address, data)
        self._process.tell(lambda: self.call_detection_callbacks(device, data))


class AirAdapter(BaseBleakAdapter):
    """Knows the links that a process left behind."""

    room: ClassVar[Room]

    @classmethod
    async def get(cls, **_: Any) -> Self:
        return cls()

    async def get_connected_devices(self, service_uuids: frozenset[str]) -> list[BLEDevice]:
        """Devices of the room to which the Pi has a link; what services they have, nobody knows without asking."""
        del service_uuids
        return [
            BLEDevice(c.peer_address.to_string(with_type_qualifier=False), strap.name, c.peer_address)
            for c in self.room.pi.connections.values()
            for strap in self.room.straps
            if hci.Address(strap.address) == c.peer_address
        ]


class AirClient(BaseBleakClient):
    """One session with a strap."""

    room: ClassVar[Room]

    def __init__(
        self,
        address_or_ble_device: BLEDevice | str,
        *,
        disconnected_callback: Callable[[], None] | None,
        timeout: float,
        services: set[str] | None = None,
        **_: Any,
    ) -> None:
        super().__init__(address_or_ble_device, disconnected_callback=disconnected_callback, timeout=timeout)
        if not isinstance(address_or_ble_device, BLEDevice):
            raise TypeError("connect with what the scan found, never with an address")
        self._wanted = services
        self._name = address_or_ble_device.name or self.address
        self._peer_address: hci.Address = address_or_ble_device.details
        self._process = self.room.process
        self._connection: Connection | None = None
        self._peer: Peer | None = None
        self._heard: dict[int, Callable[[bytes], None]] = {}

    @property
    def name(self) -> str:
        return self._name

    @property
    def mtu_size(self) -> int:
        return self._peer.gatt_client.mtu if self._peer else 23

    @property
    def is_connected(self) -> bool:
        return self._connection is not None

    async def connect(self, pair: bool, **kwargs: Any) -> None:  # noqa: FBT001 - bleak's own signature
        """Connect, or take over the link that is there, and learn the services."""
        if self._connection:
            raise BleakError("Client is already connected")
        connection = next(
            (c for c in self.room.pi.connections.values() if c.peer_address == self._peer_address), None
        )
        if connection is None:
            connection = await self._call(kwargs.get("timeout", self._timeout))
        connection.on(connection.EVENT_DISCONNECTION, self._ended)
        self._connection, self._peer = connection, Peer(connection)
        self._process.at_death(self._die)
        try:
            if pair:
                await connection.pair()
            await self._discover(self._peer)
        except BaseException as e:
            if self._connection:
                await connection.disconnect()
            if isinstance(e, BleakError) or not isinstance(e, Exception):
                raise
            raise BleakError("failed to discover services, device disconnected") from e

    async def _call(self, timeout_s: float) -> Connection:
        try:
            async with asyncio.timeout(timeout_s), self.room.connecting:
                return await self.room.pi.connect(self._peer_address, timeout=timeout_s)
        except BumbleTimeout as e:
            raise TimeoutError from e
        except BaseBumbleError as e:
            raise BleakDeviceNotFoundError(self.address, str(e)) from e
        except asyncio.CancelledError:  # BlueZ gives up for a client that gave up, or died
            await self.room.stop_connecting()
            raise

    async def _discover(self, peer: Peer) -> None:
        found = BleakGATTServiceCollection()
        for s in await peer.discover_services():
            if self._wanted is not None and _uuid(s.uuid) not in self._wanted:
                continue
            service = BleakGATTService(s, s.handle, _uuid(s.uuid))
            found.add_service(service)
            for c in await s.discover_characteristics():
                characteristic = BleakGATTCharacteristic(
                    c,
                    c.handle,
                    _uuid(c.uuid),
                    list(gatt_char_props_to_strs(int(c.properties))),
                    lambda: self.mtu_size - 3,
                    service,
                )
                found.add_characteristic(characteristic)
                for d in await c.discover_descriptors():
                    found.add_descriptor(BleakGATTDescriptor(d, d.handle, _uuid(d.type), characteristic))
        self.services = found

    def _ended(self, _: int) -> None:
        if self._connection is not None:
            self._connection = self._peer = self.services = None
            self._heard.clear()
            if self._disconnected_callback is not None:
                self._process.tell(self._disconnected_callback)

    def _die(self) -> None:
        """The process is dead: BlueZ unsubscribes what it was subscribed to, and keeps the link."""
        connection, self._connection = self._connection, None
        if connection is not None and self._peer is not None:
            for c in self._peer.get_characteristics_by_uuid(UUID.from_16_bits(0x2A37)):
                asyncio.get_running_loop().create_task(c.unsubscribe(force=True))

    async def disconnect(self) -> None:
        if self._connection:
            await self._connection.disconnect()

    async def pair(self, *_: Any, **__: Any) -> None:
        if self._connection:
            await self._connection.pair()

    async def unpair(self) -> None:
        return

    def _check(self) -> None:
        if self._connection is None:
            raise BleakError("Not connected")

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **_: Any
    ) -> bytearray:
        self._check()
        del use_cached
        try:
            return bytearray(await characteristic.obj.read_value())
        except ATT_Error as e:
            raise BleakGATTProtocolError(BleakGATTProtocolErrorCode(e.error_code)) from e

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **_: Any
    ) -> bytearray:
        self._check()
        del use_cached
        return bytearray(await descriptor.obj.read_value())

    async def write_gatt_char(
        self,
        characteristic: BleakGATTCharacteristic,
        data: SizedBuffer,
        response: bool,  # noqa: FBT001 - bleak's own signature
    ) -> None:
        self._check()
        await characteristic.obj.write_value(bytes(data), with_response=response)

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        self._check()
        await descriptor.obj.write_value(bytes(data), with_response=True)

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **_: Any
    ) -> None:
        self._check()
        process = self._process

        def heard(value: bytes) -> None:
            process.tell(lambda: callback(bytearray(value)))

        self._heard[characteristic.handle] = heard
        await characteristic.obj.subscribe(heard)

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        self._check()
        await characteristic.obj.unsubscribe(self._heard.pop(characteristic.handle))
