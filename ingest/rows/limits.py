"""The table `limits`: by which limits minutes were counted, told every ten minutes, so that a chart has them beside a heart rate."""

import numpy as np
from numpy.typing import NDArray

from ingest.rows.table import Block
from zones.minutes import MINUTE, Minutes

TEN_MS = 10 * MINUTE
"""Close enough that each stretch of heart rate has its limits, and seldom enough that a change of them costs little."""


def limits_block(
    minutes: Minutes, midnights_ms: NDArray[np.int64], tags: dict[str, str], start_ms: int, end_ms: int
) -> Block:
    """The rows of the ten minutes by the clock that [start, end) has a part in, each of its first minute with limits.

    `midnights_ms` are those around days, `minutes` all of the days that the span touches. Ten minutes over a midnight,
    as in Nepal, are told for each day alone: the other one may not be at hand.
    """
    day = int(np.searchsorted(midnights_ms, start_ms, side="right")) - 1
    behind = int(np.searchsorted(midnights_ms, end_ms, side="left"))
    start_ms = max(start_ms // TEN_MS * TEN_MS, int(midnights_ms[day]))
    end_ms = min(-(-end_ms // TEN_MS) * TEN_MS, int(midnights_ms[behind]))
    m = minutes.between(start_ms, end_ms)
    known = np.flatnonzero(m.moderate_bpm)
    at = m.start_ms[known]
    ten, day_no = at // TEN_MS, np.searchsorted(midnights_ms, at, side="right")
    first = np.flatnonzero(np.diff(ten, prepend=-1) | np.diff(day_no, prepend=-1))
    fields = {"moderate_bpm": m.moderate_bpm[known][first], "vigorous_bpm": m.vigorous_bpm[known][first]}
    return Block("limits", tags, start_ms * 1000, end_ms * 1000, at[first] * 1000, fields)
