"""What notifications of a strap say, whatever characteristic they came from: neutral columns."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class PayloadFault(IntEnum):
    """Why a payload gives no measurement."""

    NONE = 0
    """It does give one."""
    EMPTY = 1
    """No octet at all."""
    TRUNCATED = 2
    """Shorter than it says itself."""
    TOO_FAST = 3
    """A rate above 255."""


@dataclass(frozen=True, slots=True, eq=False)
class Measurements:
    """What n payloads say, as columns.

    `fault` (uint8, a `PayloadFault` each), `bpm` (uint8, 0 where no heart was felt or nothing is known) and `contact` (int8:
    1 yes, 0 no, -1 where it does not say) have n entries. `rr_ms` (float32) are the R-R intervals of all payloads in
    order, `payload` (int64) is the index of the payload each came with.
    """

    fault: NDArray[np.uint8]
    bpm: NDArray[np.uint8]
    contact: NDArray[np.int8]
    rr_ms: NDArray[np.float32]
    payload: NDArray[np.int64]
