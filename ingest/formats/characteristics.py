"""Which characteristics of a strap (GATT) are listened to and decoded: one entry for each, by the UUID Bluetooth gave it.

The journal keeps the octets as they came and the name of their characteristic beside them, so this table is all that
decoding a strap of another kind takes.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.formats import heart_rate_measurement
from ingest.formats.measurements import Measurements

Decoder = Callable[[NDArray[np.int64], NDArray[np.uint8]], Measurements]
"""From the lengths of payloads, and the octets of all of them; raises nothing, whatever these hold."""

HEART_RATE_MEASUREMENT = "2A37"
"""Bluetooth SIG, "Assigned Numbers", 3.8.1."""


class Characteristic(NamedTuple):
    """One that tells of the heart: the service it belongs to (its UUID, as here), and what decodes its payloads."""

    service: str
    decode: Decoder


CHARACTERISTICS: Mapping[str, Characteristic] = {
    HEART_RATE_MEASUREMENT: Characteristic("180D", heart_rate_measurement.decode),
}
"""By UUID, four digits where the SIG assigned them; of several that one strap has, the first is subscribed to."""
