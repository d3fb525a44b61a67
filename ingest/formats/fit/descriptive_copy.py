"""A file cut down to its descriptive messages, so that fitparse can read those without the rest.

What is left out: every message that is not wanted, every field that is not wanted, repetitions, developer fields
(and so the need for their descriptions), checksums. What is put right on the way, because fitparse 1.2 gives up the
whole file over it: a field whose size is no multiple of its base type (dtcooper/python-fitparse #111, #148; COROS
watches write them), base types it does not know, fields of no size.
"""

from collections.abc import Iterator, Mapping

from ingest.formats.fit.contents import Contents
from ingest.formats.fit.definition import Definition

MOST_MESSAGES = 1000
"""Different descriptive messages passed on; a triathlon has about 50."""
MOST_LOOKED_AT = 20_000

BASE_SIZES = {
    0x00: 1, 0x01: 1, 0x02: 1, 0x83: 2, 0x84: 2, 0x85: 4, 0x86: 4, 0x07: 1, 0x88: 4, 0x89: 8,
    0x0A: 1, 0x8B: 2, 0x8C: 4, 0x0D: 1, 0x8E: 8, 0x8F: 8, 0x90: 8,
}  # fmt: skip
"""Bytes per value of each base type (FIT SDK, "FIT Protocol")."""
BYTES = 0x0D

Wanted = Mapping[int, frozenset[int]]
"""Message number -> numbers of its fields."""


def slim(contents: Contents, wanted: Wanted) -> tuple[bytes, bool]:
    """A small FIT file with the wanted messages and fields in their order, and whether some had to be left out."""
    body: list[bytes] = []
    seen: set[bytes] = set()
    layouts: dict[bytes, tuple[bytes, list[slice]]] = {}
    current = b""
    looked = 0
    for position, definition in _in_order(contents, wanted):
        looked += 1
        if len(seen) == MOST_MESSAGES or looked > MOST_LOOKED_AT:
            return _framed(body), True
        if definition.raw not in layouts:
            layouts[definition.raw] = _layout(definition, wanted[definition.number])
        header, cuts = layouts[definition.raw]
        message = contents.data[position : position + definition.size]
        content = b"\0" + b"".join([message[cut] for cut in cuts])
        whole = header + content
        if not cuts or whole in seen:
            continue
        seen.add(whole)
        body.append(content if header == current else whole)
        current = header
    return _framed(body), False


def _in_order(contents: Contents, wanted: Wanted) -> Iterator[tuple[int, Definition]]:
    """(position, definition) of the wanted messages in the order of the file."""
    for chained in contents.chained_files:
        found: list[tuple[int, Definition]] = []
        for number in wanted:
            for definition in chained.messages.definitions_of(number):
                found.extend((p, definition) for p in definition.each_position(MOST_LOOKED_AT))
        found.sort(key=lambda message: message[0])
        yield from found


def _layout(definition: Definition, wanted: frozenset[int]) -> tuple[bytes, list[slice]]:
    """The definition message of the wanted fields alone, for local number 0, and where to cut them out."""
    fields: list[bytes] = []
    cuts: list[slice] = []
    taken: set[int] = set()
    for number, offset, size, base in definition.fields():
        if number in wanted and number not in taken and size:
            taken.add(number)
            fields.append(bytes((number, size, _readable(size, base))))
            cuts.append(slice(offset, offset + size))
    return b"\x40" + definition.raw[:4] + bytes((len(fields),)) + b"".join(fields), cuts


def _readable(size: int, base: int) -> int:
    """A base type that fits the size."""
    for known in (base, base | 0x80):
        if known in BASE_SIZES:
            return known if size % BASE_SIZES[known] == 0 else BYTES
    return BYTES


def _framed(body: list[bytes]) -> bytes:
    """Messages with a header of 12 bytes before and an empty checksum behind."""
    content = b"".join(body)
    return b"\x0c\x20\x00\x00" + len(content).to_bytes(4, "little") + b".FIT" + content + b"\0\0"
