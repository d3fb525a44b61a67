"""Heart Rate Measurement, the characteristic 0x2A37: what a strap notifies, many payloads at once.

The format is that of the GATT Specification Supplement, "Heart Rate Measurement" (bluetooth.com/specifications/gss), with
the rules of the Heart Rate Service 1.0, section 3.1:

    flags (8 bits)  bit 0: the rate has 16 bits; bits 1 and 2: contact; bit 3: energy follows; bit 4: intervals follow
    rate            8 or 16 bits, bpm; 0 is what straps say when they feel no heart
    energy          16 bits, kJ, if bit 3 is set
    intervals       16 bits each, 1/1024 s, the oldest first, as many as there are octets left, if bit 4 is set

All of it little-endian. What the specification leaves open is decided here:

* Bits 5 to 7 and octets behind the last field are reserved for future use, so they are passed over. Half an interval
  at the end is such an octet.
* Bit 4 without any octet left is a reading without intervals; straps send it between two beats.
* An interval of 0 is not one, and is left out. All others stay as they are: what is plausible is judged by who counts.
* A rate that the payload is too short for, or an energy, makes all of it untrustworthy: it is refused. So does a rate
  above 255, which no heart has and a shifted octet easily makes.
* Contact is known only when bit 2 is set; bit 1 says then whether there is any.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

HIGHEST_BPM = 255


class Refusal(IntEnum):
    """Why a payload gives no reading."""

    NONE = 0
    """It does give one."""
    EMPTY = 1
    """No octet at all."""
    TRUNCATED = 2
    """Shorter than its flags say."""
    TOO_FAST = 3
    """A rate above 255."""


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """What n payloads say, as columns.

    `refused` (uint8, a `Refusal` each), `bpm` (uint8, 0 where no heart was felt or nothing is known), `contact` (int8: 1 yes,
    0 no, -1 where it does not say), `energy_kj` (int32, -1 without) have n entries. `ticks` (uint16, 1/1024 s) are the
    intervals of all payloads in order, `of` (int64) the payload each came with.
    """

    refused: NDArray[np.uint8]
    bpm: NDArray[np.uint8]
    contact: NDArray[np.int8]
    energy_kj: NDArray[np.int32]
    ticks: NDArray[np.uint16]
    of: NDArray[np.int64]

    @property
    def rr_ms(self) -> NDArray[np.float32]:
        """The intervals in ms (float32), exactly: 125/128 of a number below 2**16 has no more than 24 bits."""
        return self.ticks.astype(np.float32) * np.float32(125 / 128)


def decode(lengths: NDArray[np.int64], octets: NDArray[np.uint8]) -> Readings:
    """What payloads of these lengths, lying one behind the other in `octets`, say. Nothing is ever raised.

    The lengths are not negative and their sum is the number of octets.
    """
    n = len(lengths)
    start = np.cumsum(lengths) - lengths
    # What lies behind an octet is asked for before it is known to be there.
    raw = np.concatenate([octets, np.zeros(4, np.uint8)]).astype(np.int64)
    flags = np.where(lengths > 0, raw[start], 0)
    wide, energy, intervals = flags & 1, flags >> 3 & 1, flags >> 4 & 1
    fixed = 2 + wide + 2 * energy

    bpm = raw[start + 1] + (raw[start + 2] << 8) * wide
    refused = np.select(
        [lengths == 0, lengths < fixed, bpm > HIGHEST_BPM],
        [Refusal.EMPTY, Refusal.TRUNCATED, Refusal.TOO_FAST],
        Refusal.NONE,
    )
    good = refused == Refusal.NONE
    at = np.where(good & (energy == 1), start + 2 + wide, 0)
    kj = raw[at] + (raw[at + 1] << 8)

    many = np.where(good, (lengths - fixed) // 2 * intervals, 0)
    of = np.repeat(np.arange(n, dtype=np.int64), many)
    nth = np.arange(len(of)) - np.repeat(np.cumsum(many) - many, many)
    at = (start + fixed)[of] + 2 * nth
    ticks = raw[at] + (raw[at + 1] << 8)
    some = ticks > 0
    return Readings(
        refused.astype(np.uint8),
        np.where(good, bpm, 0).astype(np.uint8),
        np.where(good & (flags & 4 > 0), flags >> 1 & 1, -1).astype(np.int8),
        np.where(good & (energy == 1), kj, -1).astype(np.int32),
        ticks[some].astype(np.uint16),
        of[some],
    )
