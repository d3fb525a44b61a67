"""Which time it was by the wall clock, for what is known by the steady clock only.

A Pi has no clock that runs while it is off: it starts with the time at which it was last on, and is set right once the
network is there (systemd-timesyncd(8)). The steady clock knows of no such steps. Both are slewed alike, so between
two steps their difference stays the same (clock_gettime(2)): a boot is dated by the few moments at which it changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

SMALLEST_STEP_MS = 1000
"""A smaller step of the wall clock changes no date: nothing that is counted is finer, and a date stays what it is."""


@dataclass(frozen=True, slots=True)
class Observation:
    """Both clocks at one moment of a boot, and whether the wall clock was then known to be right.

    `offset_ms` is by how much the wall clock is ahead, in what is dated by this observation.
    """

    steady_ms: int
    wall_ms: int
    synchronized: bool
    offset_ms: int


def new_observation(
    known: Sequence[Observation], steady_ms: int, wall_ms: int, *, synchronized: bool
) -> Observation | None:
    """What must be noted of a look at the clocks, after those known of the boot; None when it tells nothing new."""
    offset = wall_ms - steady_ms
    if known:
        stepped = abs(offset - known[-1].offset_ms) > SMALLEST_STEP_MS
        if not stepped and (known[-1].synchronized or not synchronized):
            return None
        # A clock that is back where it was, or is confirmed, dates as before: to the millisecond.
        same = [o.offset_ms for o in known if abs(offset - o.offset_ms) <= SMALLEST_STEP_MS]
        offset = same[-1] if same else offset
    return Observation(steady_ms, wall_ms, synchronized, offset)


def offset_ms(known: Sequence[Observation], steady_ms: int) -> int:
    """By how much the wall clock is ahead of the steady one in what is dated at a moment of a boot.

    That is what the last look before it showed of those that were known to be right; before the first of them, what
    that one showed. Where none was, the last look of all is the best there is: whoever set the clock by hand meant it.
    A later step does not move what was right when it came: after a month without network it is the clock that went
    wrong meanwhile, not the month before.
    """
    right = [o for o in known if o.synchronized]
    if not right:
        return known[-1].offset_ms
    before = [o for o in right if o.steady_ms <= steady_ms]
    return (before[-1] if before else right[0]).offset_ms
