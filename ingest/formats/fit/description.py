"""The descriptive messages of a file, read by fitparse: it knows the names of sports, makers and products.

The one place that knows fitparse. It is fed a slimmed copy, cannot harm what was read before, and is imported only
when there is something to describe.
"""

from dataclasses import dataclass, field
from typing import Any

from ingest.formats.fit.contents import Contents
from ingest.formats.fit.descriptive_copy import slim

FILE_ID, USER_PROFILE, ZONES_TARGET, HR_ZONE, SPORT, SESSION, DEVICE_INFO = 0, 3, 7, 8, 12, 18, 23
WANTED = {
    FILE_ID: frozenset({0, 1, 2, 3, 4, 8}),
    USER_PROFILE: frozenset({2, 8, 11}),
    ZONES_TARGET: frozenset({1, 2, 5}),
    HR_ZONE: frozenset({1, 254}),
    SPORT: frozenset({0, 1}),
    SESSION: frozenset({2, 5, 6, 7, 8, 16, 17, 253}),
    DEVICE_INFO: frozenset({1, 2, 3, 4, 25, 27}),
}


@dataclass(frozen=True, slots=True)
class DescriptiveMessage:
    """One descriptive message: per field number the raw value, and what fitparse makes of it."""

    raw: dict[int, Any] = field(default_factory=dict)
    decoded: dict[int, Any] = field(default_factory=dict)

    def integer(self, number: int) -> int | None:
        """The raw value where it is a whole number."""
        value = self.raw.get(number)
        return value if isinstance(value, int) else None

    def bpm(self, number: int) -> int | None:
        """The raw value where it can be the rate of a heart."""
        value = self.integer(number)
        return value if value is not None and 20 <= value <= 250 else None

    def name(self, number: int) -> str | None:
        """The word for the value; None where there is no word."""
        value = self.decoded.get(number)
        return value.strip() or None if isinstance(value, str) else None

    def seconds(self, number: int) -> float | None:
        """A number in seconds as fitparse scaled it; None where the message lacks it."""
        value = self.decoded.get(number)
        return float(value) if isinstance(value, int | float) else None


@dataclass(slots=True)
class Description:
    """The descriptive messages by their number, in the order of the file."""

    messages: dict[int, list[DescriptiveMessage]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def messages_of(self, number: int) -> list[DescriptiveMessage]:
        """All messages of a number, in the order of the file."""
        return self.messages.get(number, [])


class _AsTheyAre:
    """fitparse's hook for making datetimes and units of values; ours leaves them alone."""

    def _leave(self, _: Any) -> None: ...

    run_type_processor = run_field_processor = run_unit_processor = run_message_processor = _leave


def describe(contents: Contents) -> Description:
    """What the descriptive messages say; whatever goes wrong with them is a fault in words, never an error."""
    found = Description()
    if not any(
        chained.messages.definitions_of(number) for chained in contents.chained_files for number in WANTED
    ):
        return found
    slimmed, incomplete = slim(contents, WANTED)
    if incomplete:
        found.faults.append(
            "holds more descriptive messages than any watch writes; the rest of them was left unread"
        )
    try:
        import fitparse
        from fitparse.records import DEV_TYPES

        DEV_TYPES.clear()  # they outlive a file: dtcooper/python-fitparse #125
        with fitparse.FitFile(slimmed, check_crc=False, data_processor=_AsTheyAre()) as reader:
            for message in reader.get_messages():
                described = DescriptiveMessage()
                for value in message.fields:
                    described.raw[value.def_num] = value.raw_value
                    described.decoded[value.def_num] = value.value
                found.messages.setdefault(message.mesg_num, []).append(described)
    except (MemoryError, ImportError):  # no fault of the file
        raise
    except Exception as error:  # noqa: BLE001 - a third party's reader at work on an untrusted file
        found.faults.append(f"its description could not be read to the end ({type(error).__name__}: {error})")
    return found
