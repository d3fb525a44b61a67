"""Times that damage made of others: they lie far from those beside them in the file, which follow each other without them."""

import numpy as np
from numpy.typing import NDArray

from ingest.formats.fit.era import FIRST_DATE, Seconds

RECORDS_S, ALL_DAY_S = 60, 7200
"""So near are messages of a workout, and stretches of a day with a date of their own, that follow each other."""
PAUSE_S = 3600
"""Longer than this nobody pauses behind the first record, or before the last one."""
FAR_S = 7 * 86400
"""No workout lasts so long."""
FEW, PART = 10, 0.1
"""What a time that is wrong takes along is no more than so many, or than this part of all: a file of which more is far from the middle
is a history of many days."""


def find_strays(seconds: Seconds, beside_s: int = RECORDS_S) -> NDArray[np.bool_]:
    """Which timestamps of a damaged file, in its order, are strays: a few between others, or days from nearly all of them."""
    strays = np.zeros(len(seconds), np.bool_)
    dated = np.flatnonzero(seconds >= FIRST_DATE)
    if len(dated) < 3:
        return strays
    at = seconds[dated]
    begins = np.flatnonzero(np.concatenate([[True], np.abs(np.diff(at)) > beside_s]))
    ends = np.append(begins[1:], len(at)) - 1
    counts = ends - begins + 1
    stray = np.zeros(len(begins), np.bool_)
    # Of three stretches the one in the middle is wrong where the others go on without it.
    stray[1:-1] = (np.abs(at[begins[2:]] - at[ends[:-2]]) <= beside_s)[: max(len(begins) - 2, 0)]
    stray &= counts <= max(FEW, PART * len(at))
    if len(begins) > 1:
        first, last = (bool(stray[i]) for i in (1, -2))
        stray[0] |= not first and counts[0] == 1 and abs(int(at[1] - at[0])) > PAUSE_S
        stray[-1] |= not last and counts[-1] == 1 and abs(int(at[-1] - at[-2])) > PAUSE_S
    found = np.repeat(stray, counts.astype(np.intp))
    far = np.abs(at - np.sort(at)[len(at) // 2]) > FAR_S
    if np.count_nonzero(far) <= PART * len(at):
        found |= far
    strays[dated] = found
    return strays
