"""Seconds of the FIT era: 0 is 1989-12-31T00:00:00Z.

A timestamp below 0x10000000 is no date but counts seconds since the device was switched on (FIT SDK, profile type date_time).
So does one of the year 2000, before there were FIT devices: a clock that was reset begins anew on 2000-01-01. Later years before the
first devices are those of histories that were written as FIT afterwards.
"""

import numpy as np
from numpy.typing import NDArray

ERA_MS = 631_065_600_000
"""1989-12-31T00:00:00Z in milliseconds since 1970."""
FIRST_DATE = 347_241_600
"""2001-01-01T00:00:00Z: timestamps below count from when the clock began."""
NEVER = 0xFFFFFFFF
NONE = -1

Seconds = NDArray[np.int64]


def milliseconds(seconds: Seconds) -> Seconds:
    """Milliseconds since 1970 of seconds of the FIT era; a fresh column."""
    found = seconds * 1000
    found += ERA_MS
    return found


def moment(seconds: int | None) -> np.datetime64 | None:
    """A timestamp as a moment; None where it is no date."""
    if seconds is None or not FIRST_DATE <= seconds < NEVER:
        return None
    return np.datetime64(seconds * 1000 + ERA_MS, "ms")
