"""The descriptive messages of a file: who wrote it, what was done, what the watch believes of its wearer.

Fields are read here; what a number is called is asked of fitparse, which knows the names of sports, makers and products.
This is the one place that knows it, and it is imported only when something has to be named.
"""

import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ingest.formats.fit.contents import Contents
from ingest.formats.fit.definition import Definition
from ingest.language import N_

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
"""Number of a message -> numbers of its fields."""

MOST_MESSAGES = 1000
"""Different descriptive messages that are taken; a triathlon has about 50."""
MOST_LOOKED_AT = 20_000
LAYOUTS_KEPT = 256
"""A household's watches write some dozens; one is half a kilobyte."""

STRING = 0x07
NUMBERS: dict[int, tuple[str, object]] = {
    0x00: ("B", 0xFF), 0x01: ("b", 0x7F), 0x02: ("B", 0xFF), 0x0A: ("B", 0),
    0x83: ("h", 0x7FFF), 0x84: ("H", 0xFFFF), 0x8B: ("H", 0),
    0x85: ("i", 0x7FFFFFFF), 0x86: ("I", 0xFFFFFFFF), 0x8C: ("I", 0),
    0x8E: ("q", (1 << 63) - 1), 0x8F: ("Q", (1 << 64) - 1), 0x90: ("Q", 0),
    0x88: ("f", None), 0x89: ("d", None),
}  # fmt: skip
"""Base types (FIT SDK, "FIT Protocol"): `struct`'s letter, and the value that stands for none, which of fractions is NaN."""

Value = int | float | str


@dataclass(frozen=True, slots=True)
class DescriptiveMessage:
    """One descriptive message: its number, and the value of each field that has one."""

    number: int = -1
    values: Mapping[int, Value] = field(default_factory=dict)

    def integer(self, number: int) -> int | None:
        """The value where it is a whole number."""
        value = self.values.get(number)
        return value if isinstance(value, int) else None

    def bpm(self, number: int) -> int | None:
        """The value where it can be the rate of a heart."""
        value = self.integer(number)
        return value if value is not None and 20 <= value <= 250 else None

    def name(self, number: int) -> str | None:
        """The word that stands in the field, or for its number; None where there is no word."""
        value = self.values.get(number)
        word = value if value is None or isinstance(value, str) else _word(self.number, number, self.values)
        return (word.strip() or None) if word else None

    def seconds(self, number: int) -> float | None:
        """A field in thousandths of a second; None where the message lacks it."""
        value = self.values.get(number)
        return None if value is None or isinstance(value, str) else value / 1000


@dataclass(slots=True)
class Description:
    """The descriptive messages by their number, in the order of the file."""

    messages: dict[int, list[DescriptiveMessage]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def messages_of(self, number: int) -> list[DescriptiveMessage]:
        """All messages of a number, in the order of the file."""
        return self.messages.get(number, [])


def describe(contents: Contents) -> Description:
    """What the descriptive messages say; of those that repeat one before them the first alone."""
    found = Description()
    seen: set[object] = set()
    for looked, (position, definition) in enumerate(_in_order(contents)):
        if len(seen) == MOST_MESSAGES or looked == MOST_LOOKED_AT:
            found.faults.append(
                N_("holds more descriptive messages than any watch writes; the rest of them was left unread")
            )
            break
        layout = _layout(definition.raw)
        cells = layout.cells(contents.data, position)
        key = definition.number, layout.form, cells
        if cells and key not in seen:
            seen.add(key)
            message = DescriptiveMessage(definition.number, layout.values(cells))
            found.messages.setdefault(definition.number, []).append(message)
    return found


def _in_order(contents: Contents) -> Iterator[tuple[int, Definition]]:
    """(position, definition) of the descriptive messages in the order of the file."""
    for chained in contents.chained_files:
        found: list[tuple[int, Definition]] = []
        for number in WANTED:
            for definition in chained.messages.definitions_of(number):
                found.extend((p, definition) for p in definition.each_position(MOST_LOOKED_AT))
        found.sort(key=lambda message: message[0])
        yield from found


class _Layout:
    """The wanted fields in the messages of a definition, cut out by one call.

    Numbers and strings are read. Arrays are left alone, and so are sizes that a type cannot have (COROS watches write them).
    """

    __slots__ = ("_fields", "_struct", "form")

    def __init__(self, definition: Definition) -> None:
        wanted = WANTED[definition.number]
        self._fields: dict[int, object] = {}
        """Number of each -> what stands for no value in it; `...` in one that is not read."""
        order, letters, end = ">" if definition.big_endian else "<", [], 0
        for number, offset, size, base in definition.fields():
            if number not in wanted or number in self._fields or not size:
                continue
            letter, none = NUMBERS.get(base) or NUMBERS.get(base | 0x80) or ("", ...)
            if not letter or struct.calcsize(letter) != size:
                letter, none = f"{size}s", None if base == STRING else ...
            letters += [f"{offset - end}x", letter]
            self._fields[number] = none
            end = offset + size
        self._struct = struct.Struct(order + "".join(letters))
        self.form = (order, *zip(self._fields, letters[1::2], strict=True))
        """Equal for definitions that lay the wanted fields out alike."""

    def cells(self, data: bytes, position: int) -> tuple[Any, ...]:
        """The wanted fields of the message there as they stand in the file."""
        return self._struct.unpack_from(data, position)

    def values(self, cells: tuple[Any, ...]) -> dict[int, Value]:
        """Those that are read and hold a value, by their number."""
        found: dict[int, Value] = {}
        for (number, none), cell in zip(self._fields.items(), cells, strict=True):
            if none is not ... and (value := _value(cell, none)) is not None:
                found[number] = value
        return found


def _value(cell: float | bytes, none: object) -> Value | None:
    """What stands in a field; a string ends with a zero byte, or with its field, and a letter that is no UTF-8 costs itself alone."""
    if isinstance(cell, bytes):
        return cell.partition(b"\0")[0].decode("utf-8", "replace") or None
    return None if cell == none or math.isnan(cell) else cell


@lru_cache(LAYOUTS_KEPT)
def _layout(raw: bytes) -> _Layout:
    """The layout of a definition; a watch writes the same ones into each of its files."""
    return _Layout(Definition(raw))


def _word(message: int, number: int, values: Mapping[int, Value]) -> str | None:
    """What fitparse's profile calls the number in a field of a message; what a product is depends on its maker."""
    from fitparse import profile

    meant = profile.MESSAGE_TYPES[message].fields.get(number)
    if meant is None:
        return None
    for other in meant.subfields or ():
        if any(values.get(reference.def_num) == reference.raw_value for reference in other.ref_fields):
            meant = other
            break
    word = (meant.type.values or {}).get(values[number])
    return word if isinstance(word, str) else None
