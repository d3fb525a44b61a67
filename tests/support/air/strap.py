"""A strap in the air, made with bumble; what it was told was delivered is written down."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence

from bumble import data_types, gatt, hci
from bumble.core import UUID, AdvertisingData, DataType, ProtocolError
from bumble.device import Device, DeviceConfiguration
from bumble.gatt import Characteristic, CharacteristicValue, Service

from tests.support.air.heart import Delivered, Heart, Sensor
from tests.support.air.link import AirController, AirLink

_READ, _NOTIFY = Characteristic.Properties.READ, Characteristic.Properties.NOTIFY
_READABLE = Characteristic.Permissions.READABLE

ADVERTISING_MS = 500
"""Between two advertisements. Straps differ: 100 ms to 1.3 s."""


class Strap:
    """One strap. Alive from `on()` to `off()`; the test changes its attributes and calls its verbs meanwhile."""

    def __init__(
        self,
        link: AirLink,
        address: str,
        *,
        name: str = "Strap",
        serial: str = "0001",
        seed: int = 0,
        bpm: float = 72,
        period_s: float = 1.0,
        phase_s: float = 0.0,
        says_heart_rate: bool = True,
        has_heart_rate: bool = True,
        battery_pct: int = 87,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.link, self.address, self.name, self.serial = link, address, name, serial
        self.sensor = Sensor(Heart(seed, loop.time(), bpm))
        self.period_s, self.phase_s, self.battery_pct = period_s, phase_s, battery_pct
        self.says_heart_rate = says_heart_rate
        """Whether the advertisement names the heart rate service."""
        self.has_heart_rate = has_heart_rate
        """Whether there is one at all."""
        self.delivered: list[Delivered] = []
        self._sent: deque[tuple[bytes, tuple[float, ...]]] = deque(maxlen=1000)
        self._measurement = Characteristic(
            gatt.GATT_HEART_RATE_MEASUREMENT_CHARACTERISTIC, _NOTIFY, Characteristic.Permissions(0), b""
        )
        self._battery: Characteristic[bytes] = Characteristic(
            gatt.GATT_BATTERY_LEVEL_CHARACTERISTIC,
            _READ | _NOTIFY,
            _READABLE,
            CharacteristicValue(read=lambda _: bytes([self.battery_pct])),
        )
        self._beating: asyncio.Task[None] | None = None
        self._device: Device | None = None
        self._antenna: AirController | None = None

    # --- power ---

    async def on(self) -> None:
        """Begin to advertise and to measure."""
        self._antenna = AirController(self.name, self.link, self._crossed)
        self._device = Device.from_config_with_hci(
            DeviceConfiguration(
                name=self.name,
                address=hci.Address(self.address),
                advertising_interval_min=ADVERTISING_MS,
                advertising_interval_max=ADVERTISING_MS,
            ),
            *both_ways(self._antenna),
        )
        self._device.add_services(self._services())
        self._device.advertising_data = self._advertisement()
        await self._device.power_on()
        await self._device.start_advertising(auto_restart=True)
        self._beating = asyncio.create_task(self._beat())

    async def off(self) -> None:
        """The battery is taken out: gone without goodbye."""
        if self._device is None or self._antenna is None:
            return
        if self._beating is not None:
            self._beating.cancel()
        self.link.vanish(self._antenna)
        self.link.remove_controller(self._antenna)
        self._device, self._antenna = None, None

    async def readdress(self, address: str) -> None:
        """Start anew under another address, as watches do."""
        await self.off()
        self.address = address
        await self.on()

    # --- radio ---

    @property
    def connected(self) -> bool:
        return self._device is not None and bool(self._device.connections)

    def leave(self) -> None:
        """Out of reach."""
        if self._antenna is not None:
            self.link.leave(self._antenna)

    def enter(self) -> None:
        """Back in reach."""
        if self._antenna is not None:
            self.link.enter(self._antenna)

    async def drop(self) -> None:
        """End the link from this side."""
        if self._device is not None:
            for connection in list(self._device.connections.values()):
                await connection.disconnect()

    # --- notifications ---

    async def send(self, payload: bytes, beats_s: tuple[float, ...] = ()) -> None:
        """Notify whoever is subscribed of any bytes."""
        if self._device is None:
            return
        self._sent.append((payload, beats_s))
        # A link that ends while this is on its way: nobody was told anything.
        with contextlib.suppress(ProtocolError, asyncio.CancelledError):
            await self._device.notify_subscribers(self._measurement, payload)

    async def tell_battery(self, battery_pct: int) -> None:
        """The battery is lower now; who asked to be told is told."""
        self.battery_pct = battery_pct
        if self._device is not None:
            await self._device.notify_subscribers(self._battery, bytes([battery_pct]))

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        due_s = loop.time() + self.phase_s
        while True:
            due_s += self.period_s
            await asyncio.sleep(due_s - loop.time())
            said = self.sensor.says(due_s)
            if said is not None:
                await self.send(*said)

    def _crossed(self, handle: int, payload: bytes) -> None:
        """A notification has reached the other side."""
        if handle != self._measurement.handle:
            return
        while self._sent:
            sent, beats_s = self._sent.popleft()
            if sent == payload:
                break
        else:
            raise AssertionError(f"{self.name} never sent {payload.hex()}")
        self.delivered.append(Delivered(asyncio.get_running_loop().time(), payload, beats_s))

    # --- what it is ---

    def _services(self) -> Sequence[Service]:
        def text(uuid: UUID, words: str) -> Characteristic[bytes]:
            return Characteristic(uuid, _READ, _READABLE, words.encode())

        location = Characteristic(gatt.GATT_BODY_SENSOR_LOCATION_CHARACTERISTIC, _READ, _READABLE, b"\x01")
        heart = Service(gatt.GATT_HEART_RATE_SERVICE, [self._measurement, location])
        about = [
            text(gatt.GATT_MANUFACTURER_NAME_STRING_CHARACTERISTIC, "Virtual Oy"),
            text(gatt.GATT_MODEL_NUMBER_STRING_CHARACTERISTIC, "VS-10"),
            text(gatt.GATT_SERIAL_NUMBER_STRING_CHARACTERISTIC, self.serial),
            text(gatt.GATT_FIRMWARE_REVISION_STRING_CHARACTERISTIC, "1.2.3"),
        ]
        return [
            *([heart] if self.has_heart_rate else []),
            Service(gatt.GATT_BATTERY_SERVICE, [self._battery]),
            Service(gatt.GATT_DEVICE_INFORMATION_SERVICE, about),
        ]

    def _advertisement(self) -> bytes:
        flags = AdvertisingData.Flags
        said: list[DataType] = [
            data_types.Flags(flags.LE_GENERAL_DISCOVERABLE_MODE | flags.BR_EDR_NOT_SUPPORTED)
        ]
        if self.says_heart_rate:
            said.append(data_types.CompleteListOf16BitServiceUUIDs([UUID.from_16_bits(0x180D)]))
        if self.name:
            said.append(data_types.CompleteLocalName(self.name))
        return bytes(AdvertisingData(said))


def both_ways(controller: AirController) -> tuple[AirController, AirController]:
    """A controller is bumble's source and sink at once."""
    return controller, controller
