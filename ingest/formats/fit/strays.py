"""Times that damage made of others: they lie far from those beside them in the file."""

import numpy as np
from numpy.typing import NDArray

from ingest.formats.fit.era import FIRST_DATE, Seconds

BESIDE_S = 60
"""So near are records that follow each other, pauses apart."""
PAUSE_S = 3600
"""Longer than this nobody pauses behind the first record, or before the last one."""
FAR_S = 7 * 86400
"""No workout lasts so long."""
MOST_FAR = 0.1
"""Of a file of which more is far from the middle it is a history of many days."""


def find_strays(seconds: Seconds) -> NDArray[np.bool_]:
    """Which timestamps of a damaged file, in its order, are strays: lone ones between others, or days from most of them."""
    strays = np.zeros(len(seconds), np.bool_)
    dated = np.flatnonzero(seconds >= FIRST_DATE)
    if len(dated) < 3:
        return strays
    at = seconds[dated]
    far = np.abs(at - np.sort(at)[len(at) // 2]) > FAR_S
    if np.count_nonzero(far) > MOST_FAR * len(at):
        far[:] = False
    step = np.abs(np.diff(at))
    over = np.abs(at[2:] - at[:-2]) <= BESIDE_S
    far[1:-1] |= (step[:-1] > BESIDE_S) & (step[1:] > BESIDE_S) & over
    far[0] |= step[0] > PAUSE_S and step[1] <= BESIDE_S
    far[-1] |= step[-1] > PAUSE_S and step[-2] <= BESIDE_S
    strays[dated] = far
    return strays
