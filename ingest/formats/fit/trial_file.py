"""A small FIT file that any reader can read: tried before others, it tells how fast this machine is, and that all is there."""

import struct

from ingest.formats.fit.crc import crc16

SAMPLES = 2000

_START = 1_000_000_000
"""In seconds since the end of 1989, as FIT counts them."""

_ENUM, _UINT8, _UINT16, _UINT32, _UINT32Z = 0x00, 0x02, 0x84, 0x86, 0x8C
"""Types of fields: FIT SDK, "FIT Protocol", base types."""


def trial_file() -> bytes:
    """An activity of two thousand seconds."""
    body = _definition(0, 0, (0, 1, _ENUM), (1, 2, _UINT16), (3, 4, _UINT32Z), (4, 4, _UINT32))
    body += struct.pack("<BBHII", 0, 4, 1, 1, _START)  # file_id: an activity
    body += _definition(1, 20, (253, 4, _UINT32), (3, 1, _UINT8))
    body += b"".join(struct.pack("<BIB", 1, _START + i, 60 + i % 100) for i in range(SAMPLES))  # record
    body += _definition(2, 18, (253, 4, _UINT32), (2, 4, _UINT32), (7, 4, _UINT32), (5, 1, _ENUM))
    body += struct.pack("<BIIIB", 2, _START + SAMPLES, _START, SAMPLES * 1000, 1)  # session
    header = struct.pack("<BBHI4s", 12, 16, 0, len(body), b".FIT")
    return header + body + struct.pack("<H", crc16(header + body))


def _definition(local: int, number: int, *fields: tuple[int, int, int]) -> bytes:
    """How the messages of one number are laid out: of each field its number, size and type."""
    return struct.pack("<BBBHB", 0x40 | local, 0, 0, number, len(fields)) + b"".join(map(bytes, fields))
