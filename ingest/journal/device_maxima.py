"""Which maximum heart rate holds of those that a person's devices are set to: the highest, from the day on which one first had it.

A device that says less does not take it back: two devices that differ, or one that was reset, would switch the limits
with each file otherwise. What a device guessed by age (220 - age, as it does until its owner sets it) holds only where
none was ever set. So nothing depends on the order in which files arrive: only on when they were recorded.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from ingest.journal.entry import ALWAYS_MS, LEAST_MAXIMUM_BPM, MOST_MAXIMUM_BPM

_GUESS_FROM = 220
"""Less the age in years: what devices begin with."""

_YEAR_MS = 366 * 86_400_000


class DeviceMaximum(NamedTuple):
    """What a device was set to when it recorded a file."""

    at_ms: int
    bpm: int
    by_age: bool = False
    """Whether the file itself shows that it is nobody's setting, but a guess by age."""
    device: str = ""

    @classmethod
    def of(cls, at_ms: int, content: dict[str, Any]) -> "DeviceMaximum":
        """That of an entry `limits`."""
        return cls(at_ms, content["maximum_bpm"], bool(content.get("by_age")), content.get("device") or "")

    @property
    def is_possible(self) -> bool:
        """Whether it may decide anything."""
        return LEAST_MAXIMUM_BPM <= self.bpm <= MOST_MAXIMUM_BPM


def guessed_by_age(bpm: int, age: int) -> bool:
    """Whether a device would have come to this by itself, for somebody of that age or before their last birthday."""
    return bpm + age in {_GUESS_FROM, _GUESS_FROM + 1}


def maxima_in_force(found: Iterable[DeviceMaximum], born: int | None) -> list[tuple[int, int]]:
    """(From this moment on in ms, this maximum), ascending; the first also holds before it."""
    line: list[tuple[int, int]] = []
    highest_set = highest_guess = 0
    for one, by_age in _judged(_firsts(found), born):
        if by_age:
            highest_guess = max(highest_guess, one.bpm)
        else:
            highest_set = max(highest_set, one.bpm)
        holds = highest_set or highest_guess
        if not line:
            line.append((-ALWAYS_MS, holds))
        elif line[-1][1] != holds:
            line.append((one.at_ms, holds))
    return line


def _firsts(found: Iterable[DeviceMaximum]) -> Iterable[DeviceMaximum]:
    """Of what a device says again and again the first: the others change nothing."""
    firsts: dict[tuple[int, bool, str], DeviceMaximum] = {}
    for one in found:
        before = firsts.get(one[1:])
        if before is None or one.at_ms < before.at_ms:
            firsts[one[1:]] = one
    return firsts.values()


def _judged(found: Iterable[DeviceMaximum], born: int | None) -> Iterable[tuple[DeviceMaximum, bool]]:
    """Each that may decide anything in the order of time, and whether it is a guess by age.

    What was one stays one: devices do not notice birthdays. Of two at one moment what was set, and then the higher, comes
    first.
    """
    guesses: set[tuple[str, int]] = set()
    judged = [(one, _is_guess(one, born)) for one in found if one.is_possible]
    for one, by_age in sorted(
        judged, key=lambda pair: (pair[0].at_ms, pair[1], -pair[0].bpm, pair[0].device)
    ):
        if by_age:
            guesses.add((one.device, one.bpm))
        yield one, by_age or (one.device, one.bpm) in guesses


def _is_guess(one: DeviceMaximum, born: int | None) -> bool:
    return one.by_age or (born is not None and guessed_by_age(one.bpm, _year(one.at_ms) - born))


def _year(ms: int) -> int:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)).year


def newest_of_each_device(found: Iterable[DeviceMaximum], at_ms: int) -> list[DeviceMaximum]:
    """What each device said last in the year before a moment, those of the highest first."""
    newest: dict[str, DeviceMaximum] = {}
    for one in found:
        before = newest.get(one.device)
        if (
            at_ms - _YEAR_MS < one.at_ms <= at_ms
            and one.is_possible
            and (before is None or (one.at_ms, one.bpm) > (before.at_ms, before.bpm))
        ):
            newest[one.device] = one
    return sorted(newest.values(), key=lambda one: (-one.bpm, one.device))


def differing_span(
    before: Sequence[tuple[int, int]], after: Sequence[tuple[int, int]]
) -> tuple[int, int] | None:
    """The time (ms, both ends included) in which one line tells another maximum than the other; None where none."""
    borders = sorted({at for at, _ in before} | {at for at, _ in after})
    differ = [_at(before, at) != _at(after, at) for at in borders]
    if True not in differ:
        return None
    last = len(differ) - 1 - differ[::-1].index(True)
    ends = borders[last + 1] - 1 if last + 1 < len(borders) else ALWAYS_MS
    return borders[differ.index(True)], ends


def _at(line: Sequence[tuple[int, int]], at_ms: int) -> int | None:
    return next((bpm for begins, bpm in reversed(line) if begins <= at_ms), None)
