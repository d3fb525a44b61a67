"""Which characteristics of a strap (GATT) can be decoded: one entry for each, by the number Bluetooth gave it.

The journal keeps the octets as they came and the name of their characteristic beside them, so this table is all that
decoding a strap of another kind takes.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from ingest.formats import heart_rate_measurement
from ingest.formats.measurements import Measurements

Decoder = Callable[[NDArray[np.int64], NDArray[np.uint8]], Measurements]
"""From the lengths of payloads, and the octets of all of them; raises nothing, whatever these hold."""

HEART_RATE_MEASUREMENT = "2A37"
"""Bluetooth SIG, "Assigned Numbers", 3.8.1."""

DECODERS: Mapping[str, Decoder] = {HEART_RATE_MEASUREMENT: heart_rate_measurement.decode}
