"""The checksum of a FIT file: CRC-16/ARC (polynomial 0x8005 reflected, starting from 0), as the FIT SDK defines it.

Because it starts from 0 it is linear and blind to leading zeros, and the checksum of bytes followed by their own
little-endian checksum is 0. The first lets numpy do it in parallel; the second checks a file in one call.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

_compiled: Callable[[bytes], int] | None
try:
    from fastcrc.crc16 import arc
except ImportError:  # no wheel for this machine
    _compiled = None
else:
    _compiled = arc


def crc16(data: bytes) -> int:
    """The checksum of `data`, by the fastest way there is here."""
    return by_numpy(data) if _compiled is None else _compiled(data)


BLOCK = 1 << 20
"""Bytes per round: keeps the temporaries small whatever the file."""


def by_numpy(data: bytes) -> int:
    """The checksum of `data` without compiled help: about 1 ms per megabyte, 200 times a loop in Python."""
    register = 0
    first = len(data) % BLOCK
    for at in range(first - BLOCK if first else 0, len(data), BLOCK):
        words = _words(data[max(at, 0) : at + BLOCK])
        register = int(_after_words(BLOCK // 2)[register]) if register else 0
        register ^= _reduced(words)
    return register


def _words(block: bytes) -> NDArray[np.uint16]:
    """The bytes as little-endian words; an odd one gets a zero in front, which changes nothing."""
    return np.frombuffer(block if len(block) % 2 == 0 else b"\0" + block, "<u2").astype(np.uint16)


def _reduced(registers: NDArray[np.uint16]) -> int:
    """Register after all words: neighbours are joined pairwise, the left one moved over the right one's length.

    A word fed into register r gives the same as r xor word fed into nothing, so the words are the first
    registers, one feeding late; the last line makes up for that.
    """
    span = 1
    while len(registers) > 1:
        if len(registers) % 2:
            registers = np.concatenate((np.zeros(1, np.uint16), registers))
        registers = _after_words(span)[registers[0::2]] ^ registers[1::2]
        span *= 2
    return int(_after_words(1)[registers[0]]) if len(registers) else 0


@cache
def _after_words(count: int) -> NDArray[np.uint16]:
    """What each of the 65536 registers becomes after `count` (a power of two) zero words."""
    if count > 1:
        half = _after_words(count // 2)
        return half[half]
    registers = np.arange(1 << 16, dtype=np.uint16)
    for _ in range(16):
        registers = np.where(registers & 1, (registers >> 1) ^ np.uint16(0xA001), registers >> 1)
    return registers
