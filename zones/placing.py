"""Beats of one Bluetooth connection placed in time: when each was, from when it was reported.

The Heart Rate Measurement (Bluetooth SIG, Heart Rate Service 1.0) tells the intervals between beats in 1/1024 s,
oldest first, and no moment. The sum of the intervals is exact but for its beginning; the moment of arrival is late by
up to a second of the strap's own, the radio, and whatever held the receiver up. How late each one was, is the
arrival less the sum so far; the truth is what that never falls below: its lower envelope.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zones.lowest import Lowest

Units = NDArray[np.int64]

UNIT = 128
"""Units in a millisecond. In 1/128000 s both 1 ms (128) and 1/1024 s (125) are whole: sums are exact wherever begun."""

WINDOW_MS = 30_000
"""How far before and behind its arrival the envelope of a beat is sought: clocks drift, so it may not be far."""

NEAR_MS = 10_000
"""The notifications around one that tell how often they come."""

HOLE = 1.5
"""A notification so many usual intervals after the one before follows on one that was lost."""

STALLED_MS = 250
"""Notifications closer together than this were held up together: they do not tell how often they come."""

LONGEST_GAP_MS = 4_000
"""Two notifications farther apart than this have lost one between them, however often they come."""

FEWEST = 10
"""Beats that must follow before a step up in the envelope proves that some were missed."""

LEAST_STEP_MS = 300
"""No missed beat makes a step lower than this, which is its own interval; nor than three quarters of the next one."""

LONGEST_MS = 4_000
"""An interval longer than this is none between two beats: a chain ends before it, and it adds to no sum."""

LATEST_MS = 60_000
"""Of a beat that was reported later than this it cannot be said when it was."""

REACH_MS = 2 * LATEST_MS + 2 * WINDOW_MS + NEAR_MS
"""No arrival farther from a beat than this has a part in where it is placed, or whether it is."""


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """Moments of beats (int64 ms since 1970, strictly ascending), and which of those given they are.

    `new` marks the first of each chain: between it and the one before beats were missed.
    """

    times: NDArray[np.int64]
    which: NDArray[np.intp]
    new: NDArray[np.bool_]


def place(arrivals: ArrayLike, rr_ms: ArrayLike, notified: ArrayLike) -> Placed:
    """Place the beats of one connection in time, from the arrivals of the notifications that carried them.

    Parameters
    ----------
    arrivals, rr_ms
        Of each beat when its notification arrived (ms, ascending), and its interval (ms).
    notified
        The arrivals of all notifications (ms, ascending), also of those that carried no beat.

    None is placed behind its arrival, nor before one reported earlier. Left out are those whose moment cannot be known:
    reported more than a minute late, or contradicted by a later one. Raises ValueError when the two columns differ in
    length or the arrivals do not ascend.
    """
    arrival = np.asarray(arrivals, np.int64)
    rr = np.rint(np.asarray(rr_ms, np.float64) * UNIT).astype(np.int64)
    if arrival.shape != rr.shape or arrival.ndim != 1:
        raise ValueError(
            f"arrivals {arrival.shape} and intervals {rr.shape} are not two columns of one length"
        )
    n = len(arrival)
    if not n:
        return Placed(arrival, np.empty(0, np.intp), np.empty(0, np.bool_))
    if (np.diff(arrival) < 0).any():
        raise ValueError("the arrivals do not ascend")
    no_interval = (rr > LONGEST_MS * UNIT) | (rr < 0)
    total = np.cumsum(np.where(no_interval, 0, rr))
    late = arrival * UNIT - total
    broken = no_interval.copy()
    behind_holes = np.searchsorted(arrival, _find_holes(np.asarray(notified, np.int64)))
    broken[behind_holes[behind_holes < n]] = True
    broken[0] = True
    first = np.searchsorted(arrival, arrival - WINDOW_MS)
    behind = np.searchsorted(arrival, arrival + WINDOW_MS, side="right")
    lowest = Lowest(late, int((behind - first).max()))
    new = broken | _find_missed(lowest, rr, *_cut_to_chain(broken, first, behind))
    base = lowest.between(*_cut_to_chain(new, first, behind))
    times = (base + total) // UNIT
    return _keep_agreeing(arrival, times, new)


def _find_holes(notified: NDArray[np.int64]) -> NDArray[np.int64]:
    """The arrivals before which a notification was lost: they took longer than those around them.

    Where others followed at once nothing was lost but the receiver held up; only the envelope can tell then.
    """
    gap = np.diff(notified)
    found = gap > LONGEST_GAP_MS
    usual = (gap >= STALLED_MS) & ~found
    held_up = np.append(gap[1:] < STALLED_MS, np.False_)[: len(gap)]
    beside = np.where(usual, gap, LONGEST_GAP_MS)
    least = np.minimum(np.append(beside[1:], LONGEST_GAP_MS), np.append(LONGEST_GAP_MS, beside[:-1]))
    # Only what is long beside one of its neighbours is worth a closer look.
    for i in np.flatnonzero(usual & ~held_up & (gap > HOLE * least)).tolist():
        a = int(np.searchsorted(notified, notified[i] - NEAR_MS))
        b = int(np.searchsorted(notified, notified[i + 1] + NEAR_MS, side="right")) - 1
        near = gap[a:b][usual[a:b]]
        found[i] = gap[i] > HOLE * np.partition(near, (len(near) - 1) // 2)[(len(near) - 1) // 2]
    return notified[1:][found & ~held_up]


def _find_missed(
    lowest: Lowest, rr: Units, first: NDArray[np.intp], behind: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Where the envelope ahead begins to lie a beat above the one behind: beats were missed there."""
    here = np.arange(len(rr), dtype=np.intp)
    asked = (first < here) & (behind - here >= FEWEST)
    before = lowest.between(np.where(asked, first, here), np.where(asked, here, here + 1))
    ahead = lowest.between(here, behind)
    step = np.maximum(3 * rr // 4, LEAST_STEP_MS * UNIT)
    above = asked & (ahead - before > step)
    begins: NDArray[np.bool_] = above & ~np.append(False, above[:-1])
    return begins


def _cut_to_chain(
    new: NDArray[np.bool_], first: NDArray[np.intp], behind: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The windows cut to the chain that each beat is of."""
    begins = np.flatnonzero(new)
    chain = np.cumsum(new) - 1
    return np.maximum(first, begins[chain]), np.minimum(behind, np.append(begins[1:], len(new))[chain])


def _keep_agreeing(arrival: Units, times: Units, new: NDArray[np.bool_]) -> Placed:
    """Those that are not too late and lie before all that were reported later."""
    there = arrival - times <= LATEST_MS
    later = np.minimum.accumulate(np.where(there, times, np.iinfo(np.int64).max)[::-1])[::-1]
    which = np.flatnonzero(there & (times < np.append(later[1:], np.iinfo(np.int64).max)))
    chain = np.cumsum(new)[which]
    return Placed(times[which], which, np.diff(chain, prepend=0) > 0)
