"""A file whose clock was not set, as it would be if its watch had said once which date a count meant.

The count stays as the watch wrote it; one message is put in front, a `timestamp_correlation` (162: 253 timestamp, 1
system_timestamp; FIT SDK, profile), by which every time in the file has a date.
"""

import struct

from ingest.formats.fit.crc import crc16
from ingest.formats.fit.era import ERA_MS
from ingest.formats.fit.segment import segments

_DEFINITION = bytes((0x40, 0, 0)) + struct.pack("<H", 162) + bytes((2, 253, 4, 0x86, 1, 4, 0x86))


def place_file(data: bytes, count_s: int, at_ms: int) -> bytes:
    """The file with the word that its count from power-on stood at `count_s` at a moment (ms since 1970).

    Raises Unusable for what is no FIT file.
    """
    said = _DEFINITION + b"\0" + struct.pack("<II", (at_ms - ERA_MS) // 1000, count_s)
    placed = b""
    for segment in segments(data)[0]:
        body = said + data[segment.body : segment.end]
        head = b"\x0e" + data[segment.start + 1 : segment.start + 4] + struct.pack("<I4s", len(body), b".FIT")
        whole = head + struct.pack("<H", crc16(head)) + body
        placed += whole + struct.pack("<H", crc16(whole))
    return placed
