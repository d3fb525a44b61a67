"""Which time it was by the wall clock, for what is known by the steady clock only.

A Pi has no clock that runs while it is off: it starts with the time at which it was last on, and is set right once the
network is there (systemd-timesyncd(8)). The steady clock knows of no such steps. Both are slewed alike, so between
two steps their difference stays the same (clock_gettime(2)): a boot is dated by the few moments at which it changed.

A boot in which nobody vouched for the wall clock is kept apart: a wrong date would count in a week that it was not in.
"""

from collections.abc import Sequence
from dataclasses import dataclass

SMALLEST_STEP_MS = 1000
"""A smaller step of the wall clock changes no date: nothing that is counted is finer, and a date stays what it is."""

NOBODY, BATTERY, HAND, EARLIER = "", "battery", "hand", "earlier"
"""Who vouches for a wall clock that no time server keeps: nobody; a clock with a battery, which it began with; whoever set
it while the program looked on, as they meant it; or an earlier version of the program, which asked for nobody."""

OWNER, TAKEN_BACK = "owner", "taken back"
"""It is no look at the clocks: the owner said when it was (`hartslag clock`), or took that back."""

EARLIEST_MS = 1_735_689_600_000
"""2025-01-01: before this program. A clock that shows less has forgotten the time."""

LONGEST_OFF_MS = 25 * 366 * 86_400_000
"""A clock that is as far ahead of all that is known has lost its mind, as one that holds its bits upside down (2106, 2255)."""


@dataclass(frozen=True, slots=True)
class Observation:
    """Both clocks at one moment of a boot, whether a time server kept the wall clock right then, and who else vouched for it.

    `offset_ms` is by how much the wall clock is ahead, in what is dated by this observation.
    """

    steady_ms: int
    wall_ms: int
    synchronized: bool
    offset_ms: int
    believed: str = NOBODY

    @property
    def is_look(self) -> bool:
        """Whether the clocks were looked at; otherwise it is what the owner said of them."""
        return self.believed not in {OWNER, TAKEN_BACK}


def new_observation(
    known: Sequence[Observation],
    steady_ms: int,
    wall_ms: int,
    *,
    synchronized: bool,
    kept: bool = False,
    newest_right_ms: int | None = None,
) -> Observation | None:
    """What must be noted of a look at the clocks, after those known of the boot; None when it tells nothing new.

    `kept` says that the wall clock began with what a clock with a battery shows. What was surely right in an earlier boot
    lies before it, or it is not believed.
    """
    looks = [o for o in known if o.is_look]
    offset = wall_ms - steady_ms
    stepped = bool(looks) and abs(offset - looks[-1].offset_ms) > SMALLEST_STEP_MS
    if looks:
        if not stepped and (looks[-1].synchronized or not synchronized):
            return None
        # A clock that is back where it was, or is confirmed, dates as before: to the millisecond.
        same = [o.offset_ms for o in looks if abs(offset - o.offset_ms) <= SMALLEST_STEP_MS]
        offset = same[-1] if same else offset
    believed = NOBODY
    if not synchronized and is_possible(wall_ms, newest_right_ms):
        believed = HAND if stepped else BATTERY if kept else NOBODY
    return Observation(steady_ms, wall_ms, synchronized, offset, believed)


def is_possible(wall_ms: int, newest_right_ms: int | None) -> bool:
    """Whether it may be that moment, after all that is surely known."""
    after = max(newest_right_ms or EARLIEST_MS, EARLIEST_MS)
    return after <= wall_ms <= after + LONGEST_OFF_MS


def date_offset_ms(known: Sequence[Observation], steady_ms: int) -> int | None:
    """By how much the wall clock is ahead of the steady one in what is dated at a moment of a boot; None: it is kept apart.

    That is what the last look before it showed of those that were known to be right; before the first of them, what
    that one showed. A later step does not move what was right when it came: after a month without network it is the
    clock that went wrong meanwhile, not the month before.

    Where none was, it is whoever vouched for a clock last, or said when it was: the latest knew best.
    """
    right = [o for o in known if o.synchronized]
    if right:
        before = [o for o in right if o.steady_ms <= steady_ms]
        return (before[-1] if before else right[0]).offset_ms
    last = last_word(known)
    return last.offset_ms if last else None


def last_word(known: Sequence[Observation]) -> Observation | None:
    """What dates a boot that no time server was there in; None where nobody vouched for any clock."""
    said: list[Observation] = []
    for o in known:
        if o.believed == TAKEN_BACK:
            said = [each for each in said if each.believed != OWNER]
        elif o.believed:
            said.append(o)
    return said[-1] if said else None


def is_placed(known: Sequence[Observation]) -> bool:
    """Whether it is the owner who says when a boot was."""
    last = last_word(known)
    return last is not None and last.believed == OWNER and not any(o.synchronized for o in known)


def offset_ms(known: Sequence[Observation], steady_ms: int) -> int:
    """The same for what counts nowhere, such as the state of a strap: where nobody vouches for a clock, the last look at it."""
    found = date_offset_ms(known, steady_ms)
    return [o for o in known if o.is_look][-1].offset_ms if found is None else found
