"""Who wrote the file and what the heart was measured with.

Source: FIT SDK, profile, fields of

    file_id (0)       0 type, 1 manufacturer, 2 product, 3 serial_number, 4 time_created, 8 product_name
    device_info (23)  1 device_type, 2 manufacturer, 4 product, 25 source_type, 27 product_name
"""

from ingest.formats.fit.contents import Contents
from ingest.formats.fit.description import DEVICE_INFO, FILE_ID, Description, DescriptiveMessage
from ingest.formats.fit.era import moment
from ingest.formats.fit.file import Device

ANTPLUS, BLUETOOTH_LE, LOCAL = 1, 3, 5
ANT_HEART_RATE, BLE_HEART_RATE, LOCAL_WRIST = 120, 1, 10
"""FIT SDK, profile types `source_type`, `antplus_device_type`, `ble_device_type`, `local_device_type`."""
RECORD, WRIST_BPM = 20, 136
"""A field of `record` that no profile explains and that watches with an optical sensor write beside heart_rate."""


def read_device(contents: Contents, description: Description, *, remembered: bool) -> Device:
    """The maker of the first of the chained files; `remembered` says that there are samples out of a strap's memory."""
    ids = description.messages_of(FILE_ID)
    first = ids[0] if ids else DescriptiveMessage()
    return Device(
        manufacturer=_named(first, 1, "manufacturer"),
        product=_product(first, description.messages_of(DEVICE_INFO)),
        serial=first.integer(3),
        file_type=_named(first, 0, "file type"),
        created=moment(first.integer(4)),
        sensor=_sensor(contents, description, remembered=remembered),
    )


def _named(message: DescriptiveMessage, number: int, what: str) -> str | None:
    """The word for a value, or its number where the profile has no word."""
    value = message.integer(number)
    return message.name(number) or (None if value is None else f"{what} {value}")


def _product(first: DescriptiveMessage, devices: list[DescriptiveMessage]) -> str | None:
    """The name in file_id, the one that a device_info of the same product gives, or the number."""
    name = first.name(8) or first.name(2)
    value = first.integer(2)
    if name is None:
        same = (d.name(27) for d in devices if d.integer(4) == value and d.integer(2) == first.integer(1))
        name = next((n for n in same if n), None)
    return name or (f"product {value}" if value else None)


def _sensor(contents: Contents, description: Description, *, remembered: bool) -> str | None:
    wrist = False
    for device in description.messages_of(DEVICE_INFO):
        source, kind = device.integer(25), device.integer(1)
        if (source in (ANTPLUS, None) and kind == ANT_HEART_RATE) or (
            source == BLUETOOTH_LE and kind in (BLE_HEART_RATE, ANT_HEART_RATE)
        ):
            return "strap"
        wrist |= source == LOCAL and kind == LOCAL_WRIST
    if remembered:
        return "strap"
    if wrist or any(
        d.field(WRIST_BPM)
        for chained in contents.chained_files
        for d in chained.messages.definitions_of(RECORD)
    ):
        return "wrist"
    return None
