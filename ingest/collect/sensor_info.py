"""What a connected sensor tells of itself: battery, place on the body, maker, model, serial number, firmware.

Source: Battery Service, Device Information Service and Heart Rate Service 1.0 of the Bluetooth SIG.
"""

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bleak import BleakClient
from bleak.exc import BleakGATTProtocolError
from bleak.uuids import normalize_uuid_16

from ingest.collect.radio import ERRORS, within

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

LOCATION = normalize_uuid_16(0x2A38)
BATTERY = normalize_uuid_16(0x2A19)
MAKER, MODEL, SERIAL, FIRMWARE = map(normalize_uuid_16, (0x2A29, 0x2A24, 0x2A25, 0x2A26))

LOCATIONS = ("elsewhere", "chest", "wrist", "finger", "hand", "ear lobe", "foot")
"""Where a sensor says it is worn, by the number it says (Body Sensor Location, 0x2A38)."""

READ_S = 5.0
"""For reading one value. bleak itself would wait for ever."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SensorInfo:
    """What a sensor tells of itself; None where it tells nothing."""

    battery_pct: int | None = None
    location: str | None = None
    maker: str | None = None
    model: str | None = None
    serial: str | None = None
    firmware: str | None = None

    def __str__(self) -> str:
        product = " ".join(filter(None, (self.maker, self.model)))
        parts = (
            product,
            self.firmware and f"firmware {self.firmware}",
            self.location,
            None if self.battery_pct is None else f"battery {self.battery_pct} %",
        )
        return ", ".join(filter(None, parts))


async def read_sensor_info(client: BleakClient) -> SensorInfo:
    """What a connected sensor tells of itself; nothing more after the first value that does not come."""
    info = SensorInfo()
    fields: tuple[tuple[str, Callable[[], Awaitable[object]]], ...] = (
        ("battery_pct", lambda: read_battery(client)),
        ("location", lambda: _read_location(client)),
        ("maker", lambda: read_text(client, MAKER)),
        ("model", lambda: read_text(client, MODEL)),
        ("serial", lambda: read_text(client, SERIAL)),
        ("firmware", lambda: read_text(client, FIRMWARE)),
    )
    try:
        for key, read in fields:
            info = replace(info, **{key: await read()})  # type: ignore[arg-type]  # each read gives what its field holds
    except ERRORS as e:
        _log.debug("Reading what the sensor is: %r", e)
    return info


async def _read(client: BleakClient, uuid: str) -> bytes | None:
    """One value, None where there is none or it may not be read."""
    characteristic = client.services.get_characteristic(uuid)
    if characteristic is None or "read" not in characteristic.properties:
        return None
    try:
        return bytes(await within(READ_S, client.read_gatt_char(characteristic)))
    except BleakGATTProtocolError as e:
        _log.debug("Reading %s: %r", uuid, e)
        return None


async def read_battery(client: BleakClient) -> int | None:
    """The level of the battery in per cent; None where the sensor does not tell it."""
    return percent(await _read(client, BATTERY) or b"")


async def _read_location(client: BleakClient) -> str | None:
    value = await _read(client, LOCATION)
    return LOCATIONS[value[0]] if value and value[0] < len(LOCATIONS) else None


async def read_text(client: BleakClient, uuid: str) -> str | None:
    """A text, as it is meant: makers fill up with zeros and blanks."""
    value = await _read(client, uuid)
    return (value or b"").decode("utf-8", "replace").strip("\0 \t\r\n") or None


def percent(value: bytes) -> int | None:
    """The level of a battery as it is notified or read; None for what is no percentage."""
    return value[0] if value and value[0] <= 100 else None
