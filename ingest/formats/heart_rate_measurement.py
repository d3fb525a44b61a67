"""Heart Rate Measurement, the characteristic 0x2A37: what a strap notifies, many payloads at once.

The format is that of the GATT Specification Supplement, "Heart Rate Measurement" (bluetooth.com/specifications/gss), with
the rules of the Heart Rate Service 1.0, section 3.1:

    flags (8 bits)  bit 0: the rate has 16 bits; bits 1 and 2: contact; bit 3: energy follows; bit 4: intervals follow
    rate            8 or 16 bits, bpm; 0 is what straps say when they feel no heart
    energy          16 bits, kJ, if bit 3 is set; passed over
    intervals       16 bits each, 1/1024 s, the oldest first, as many as there are octets left, if bit 4 is set

All of it little-endian. What the specification leaves open is decided here:

* Bits 5 to 7 and octets behind the last field are reserved for future use, so they are passed over. Half an interval
  at the end is such an octet.
* Bit 4 without any octet left is a measurement without intervals; straps send it between two beats.
* An interval of 0 is not one, and is left out. All others stay as they are: what is plausible is judged by who counts.
* A rate that the payload is too short for, or an energy, makes all of it untrustworthy: it is refused. So does a rate
  above 255, which no heart has and a shifted octet easily makes.
* Contact is known only when bit 2 is set; bit 1 says then whether there is any.
"""

import numpy as np
from numpy.typing import NDArray

from ingest.formats.measurements import Measurements, PayloadFault

HIGHEST_BPM = 255


def decode(lengths: NDArray[np.int64], octets: NDArray[np.uint8]) -> Measurements:
    """What payloads of these lengths, lying one behind the other in `octets`, say. Raises nothing, whatever they hold.

    `lengths` (int64) are not negative, and their sum is the number of `octets` (uint8).
    """
    n = len(lengths)
    start = np.cumsum(lengths) - lengths
    # What lies behind an octet is asked for before it is known to be there.
    raw = np.concatenate([octets, np.zeros(4, np.uint8)]).astype(np.int64)
    flags = np.where(lengths > 0, raw[start], 0)
    wide, energy, intervals = flags & 1, flags >> 3 & 1, flags >> 4 & 1
    fixed = 2 + wide + 2 * energy

    bpm = raw[start + 1] + (raw[start + 2] << 8) * wide
    fault = np.select(
        [lengths == 0, lengths < fixed, bpm > HIGHEST_BPM],
        [PayloadFault.EMPTY, PayloadFault.TRUNCATED, PayloadFault.TOO_FAST],
        PayloadFault.NONE,
    )
    good = fault == PayloadFault.NONE
    count = np.where(good, (lengths - fixed) // 2 * intervals, 0).astype(np.intp)
    payload = np.repeat(np.arange(n, dtype=np.int64), count)
    nth = np.arange(len(payload), dtype=np.intp) - np.repeat(np.cumsum(count) - count, count)
    at = (start + fixed)[payload] + 2 * nth
    ticks = raw[at] + (raw[at + 1] << 8)
    real = ticks > 0
    return Measurements(
        fault.astype(np.uint8),
        np.where(good, bpm, 0).astype(np.uint8),
        np.where(good & (flags & 4 > 0), flags >> 1 & 1, -1).astype(np.int8),
        # Exactly: 125/128 of a number below 2**16 has no more than 24 bits.
        ticks[real].astype(np.float32) * np.float32(125 / 128),
        payload[real],
    )
