"""Times that count from power-on: the watch did not know the date yet.

Such a file can be dated only where the watch itself says which date a count meant: a `timestamp_correlation`
message (162: 253 timestamp, 1 system_timestamp) holds both (FIT SDK, profile). Without one the count stays a count; 1990 is never stored.
"""

from collections.abc import Sequence

import numpy as np

from ingest.formats.fit.contents import ChainedFile
from ingest.formats.fit.timestamps import FIRST_DATE, NEVER, NONE, Seconds

TIMESTAMP_CORRELATION = 162


def ahead_s(chained_files: Sequence[ChainedFile]) -> int:
    """How many seconds a count from power-on is behind the calendar, as the first word of the file on it says; 0 without one."""
    for chained in chained_files:
        for definition in chained.messages.definitions_of(TIMESTAMP_CORRELATION):
            date = definition.value(chained.messages.data, 253, size=4)
            count = definition.value(chained.messages.data, 1, size=4)
            if date is not None and count is not None:
                for known, since in zip(date.tolist(), count.tolist(), strict=True):
                    if FIRST_DATE <= known < NEVER and since < FIRST_DATE:
                        return int(known - since)
    return 0


def dated(chained: ChainedFile, seconds: Seconds) -> Seconds:
    """The timestamps with those that count from power-on put on the calendar where the file tells how."""
    if np.minimum.reduce(seconds, initial=FIRST_DATE) >= FIRST_DATE:
        return seconds
    for definition in chained.messages.definitions_of(TIMESTAMP_CORRELATION):
        date = definition.value(chained.messages.data, 253, size=4)
        count = definition.value(chained.messages.data, 1, size=4)
        if date is None or count is None:
            continue
        for known, since in zip(date.tolist(), count.tolist(), strict=True):
            if FIRST_DATE <= known < NEVER and since < FIRST_DATE:
                relative = (seconds > NONE) & (seconds < FIRST_DATE)
                seconds[relative] += known - since
                return seconds
    return seconds
