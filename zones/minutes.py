"""Minutes: how long each one was light, moderate or vigorous, and the sums of them over days, weeks, sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zones.edges import Timeline
from zones.moments import distinct, milliseconds
from zones.pieces import Pieces, split, unrolled

MINUTE = 60_000
"""Milliseconds."""


class Zone(IntEnum):
    """What a moment was; the five of them together are what was measured."""

    LIGHT = 0
    MODERATE = 1
    VIGOROUS = 2
    ELEVATED = 3
    """At or above moderate, but of a kind that does not count: no movement seen."""
    UNCLASSIFIED = 4
    """No edges known."""


@dataclass(frozen=True, slots=True, eq=False)
class Totals:
    """Milliseconds per zone of any spans, as int64 columns with one row per span."""

    light_ms: NDArray[np.int64]
    moderate_ms: NDArray[np.int64]
    vigorous_ms: NDArray[np.int64]
    elevated_ms: NDArray[np.int64]
    unclassified_ms: NDArray[np.int64]

    @classmethod
    def of(cls, rows: NDArray[np.int64]) -> Self:
        """From a table with a row per span and a column per zone."""
        return cls(*(np.ascontiguousarray(rows[:, zone]) for zone in Zone))

    def __len__(self) -> int:
        return len(self.light_ms)

    @property
    def columns(self) -> tuple[NDArray[np.int64], ...]:
        """The five, in the order of Zone."""
        return self.light_ms, self.moderate_ms, self.vigorous_ms, self.elevated_ms, self.unclassified_ms

    @property
    def measured_ms(self) -> NDArray[np.int64]:
        """The sum of the five; all else is unknown, not zero."""
        measured: NDArray[np.int64] = np.sum(self.columns, axis=0, dtype=np.int64)
        return measured


@dataclass(frozen=True, slots=True, eq=False)
class Minutes(Totals):
    """The minutes with any data in them: `start_ms` (int64, multiples of 60 000, ascending), zones, and bpm.

    `bpm_ms` is heart rate times the milliseconds it held; `bpm_min` and `bpm_max` are uint8. `moderate_bpm` and
    `vigorous_bpm` are the edges in force at the last moment measured in it, 0 while unknown.
    """

    start_ms: NDArray[np.int64]
    bpm_ms: NDArray[np.int64]
    bpm_min: NDArray[np.uint8]
    bpm_max: NDArray[np.uint8]
    moderate_bpm: NDArray[np.int16]
    vigorous_bpm: NDArray[np.int16]

    @classmethod
    def none(cls) -> Self:
        """No minute at all."""
        none, byte, short = np.empty(0, np.int64), np.empty(0, np.uint8), np.empty(0, np.int16)
        return cls(none, none, none, none, none, none, none, byte, byte, short, short)

    @classmethod
    def join(cls, parts: Sequence["Minutes"]) -> Self:
        """Those of parts of time that follow each other."""
        names = cls.__dataclass_fields__
        return cls(*(np.concatenate([getattr(p, name) for p in [cls.none(), *parts]]) for name in names))

    def between(self, start_ms: int, end_ms: int) -> "Minutes":
        """Those that begin in [start, end)."""
        i, j = np.searchsorted(self.start_ms, [start_ms, end_ms])
        return Minutes(*(getattr(self, name)[i:j] for name in self.__dataclass_fields__))

    @property
    def bpm_mean(self) -> NDArray[np.float64]:
        """Weighted by time."""
        return self.bpm_ms / self.measured_ms


def classify(pieces: Pieces, timeline: Timeline | Sequence[Timeline]) -> NDArray[np.uint8]:
    """The zone of each piece (uint8, a `Zone` each) by the edges in force at its start.

    A sequence gives each source its own timeline, by the index the pieces carry.
    """
    moderate, vigorous = limits_of(pieces, timeline)
    reached = _reached(pieces, moderate)
    zone = reached.astype(np.uint8) + _reached(pieces, vigorous)
    zone[reached & ~pieces.counts] = Zone.ELEVATED
    zone[np.broadcast_to(moderate == 0, len(pieces))] = Zone.UNCLASSIFIED
    return zone


def limits_of(
    pieces: Pieces, timeline: Timeline | Sequence[Timeline]
) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """The bpm at which moderate and vigorous begin at the start of each piece, or of all together; 0 while unknown."""
    if isinstance(timeline, Timeline):
        # Pieces ascend: where the same holds at both ends it holds for all.
        ends = timeline.at(pieces.start[[0, -1]]) if len(pieces) else np.zeros(2, np.intp)
        return timeline.limits(pieces.start[:1] if ends[0] == ends[1] else pieces.start)
    moderate = np.zeros(len(pieces), np.int16)
    vigorous = np.zeros(len(pieces), np.int16)
    for source in distinct(pieces.source):
        mine = pieces.source == source
        moderate[mine], vigorous[mine] = timeline[source].limits(pieces.start[mine])
    return moderate, vigorous


def _reached(pieces: Pieces, limit_bpm: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Which pieces are at or above a limit, one of all or one of each; none where it is unknown."""
    if len(limit_bpm) == 1:  # a plain number is held against bytes as they are: a third of the time
        return pieces.bpm >= (limit_bpm.item() or 255)
    reached: NDArray[np.bool_] = (pieces.bpm >= limit_bpm) & (limit_bpm > 0)
    return reached


def split_at_changes(pieces: Pieces, timeline: Timeline | Sequence[Timeline]) -> Pieces:
    """The pieces split wherever any edges change."""
    lines = [timeline] if isinstance(timeline, Timeline) else list(timeline)
    return split(pieces, np.concatenate([line.valid_from for line in lines])) if lines else pieces


def tabulate_minutes(pieces: Pieces, timeline: Timeline | Sequence[Timeline]) -> Minutes:
    """Milliseconds per zone, and heart rate, of every minute that the pieces touch.

    Each moment is classified by the edges in force at it. Sums are whole milliseconds, so the result does not
    depend on how the pieces were cut: a long history may be counted a month at a time, in little memory.
    """
    pieces = split_at_changes(pieces, timeline)
    if not len(pieces):
        return Minutes.none()
    minute = pieces.start // MINUTE
    first = np.append(0, np.flatnonzero(minute[1:] != minute[:-1]) + 1)
    last = np.append(first[1:], len(pieces)) - 1
    # Only the last piece of a minute may go on beyond it: into the next one, in which others begin, or it is cut.
    border = (minute[last] + 1) * MINUTE
    over_ms = np.maximum(pieces.end[last] - border, 0)
    next_begins = np.append(border[1:] - MINUTE, border[-1] - 1) == border
    alone = (over_ms > 0) & ((over_ms > MINUTE) | ~next_begins)
    if alone.any():
        row, nth = unrolled(((over_ms[alone] + MINUTE - 1) // MINUTE).astype(np.intp))
        return tabulate_minutes(split(pieces, border[alone][row] + nth * MINUTE), timeline)
    runs = _Runs.of(pieces, first, last, border, over_ms)
    moderate_bpm, vigorous_bpm = limits_of(pieces, timeline)
    reached, hard = _reached(pieces, moderate_bpm), _reached(pieces, vigorous_bpm)
    elevated = unclassified = np.zeros(len(first), np.int64)
    if not pieces.counts.all():
        elevated = runs.sum(reached & ~pieces.counts)
        reached, hard = reached & pieces.counts, hard & pieces.counts
    if not moderate_bpm.all():
        unclassified = runs.sum(np.broadcast_to(moderate_bpm == 0, len(pieces)))
    active, vigorous = runs.sum(reached), runs.sum(hard)
    return Minutes(
        runs.sum() - active - elevated - unclassified,
        active - vigorous,
        vigorous,
        elevated,
        unclassified,
        start_ms=border - MINUTE,
        bpm_ms=runs.sum(pieces.bpm),
        bpm_min=runs.extreme(pieces.bpm, np.minimum),
        bpm_max=runs.extreme(pieces.bpm, np.maximum),
        moderate_bpm=np.broadcast_to(moderate_bpm, len(pieces))[last],
        vigorous_bpm=np.broadcast_to(vigorous_bpm, len(pieces))[last],
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Runs:
    """The pieces that begin in each minute, from the indices `first` on, and what the last of some gives to the minute after.

    Sums of what follows each other, in 32 bits, which no minute needs more of: 5 ns a sample at 1 Hz, where cutting each column
    at the minutes, and counting by an index for each piece, took 30 to 100.
    """

    first: NDArray[np.intp]
    lasts_ms: NDArray[np.int32]
    gives: NDArray[np.intp]
    giver: NDArray[np.intp]
    given_ms: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        pieces: Pieces,
        first: NDArray[np.intp],
        last: NDArray[np.intp],
        border: NDArray[np.int64],
        over_ms: NDArray[np.int64],
    ) -> Self:
        """Those of pieces of which the last of each minute, which ends at the border, goes on for so long beyond it."""
        lasts_ms = (pieces.end - pieces.start).astype(np.int32)
        lasts_ms[last] = np.minimum(pieces.end[last], border) - pieces.start[last]
        gives = np.flatnonzero(over_ms)
        return cls(first, lasts_ms, gives, last[gives], over_ms[gives])

    def sum(self, times: NDArray[Any] | None = None) -> NDArray[np.int64]:
        """For how long pieces held in each minute (ms), times something of each."""
        held = self.lasts_ms if times is None else self.lasts_ms * times
        total = np.add.reduceat(held, self.first, dtype=np.int32).astype(np.int64)
        total[self.gives + 1] += self.given_ms if times is None else self.given_ms * times[self.giver]
        return total

    def extreme(self, column: NDArray[np.uint8], of: np.ufunc) -> NDArray[np.uint8]:
        """The lowest or highest of each minute."""
        found: NDArray[np.uint8] = of.reduceat(column, self.first)
        found[self.gives + 1] = of(found[self.gives + 1], column[self.giver])
        return found


def sum_minutes(minutes: Minutes, borders: ArrayLike) -> Totals:
    """The zones of each span [borders[i], borders[i + 1]), a row per span; a minute is of the span its start lies in."""
    at = np.searchsorted(minutes.start_ms, milliseconds(borders))
    sums = [np.append(0, np.cumsum(column)) for column in minutes.columns]
    return Totals(*(np.diff(total[at]) for total in sums))


def sum_pieces(pieces: Pieces, timeline: Timeline | Sequence[Timeline]) -> Totals:
    """The zones of all the pieces together, to the millisecond: one row."""
    pieces = split_at_changes(pieces, timeline)
    sums = np.bincount(classify(pieces, timeline), pieces.end - pieces.start, len(Zone)).astype(np.int64)
    return Totals.of(sums.reshape(1, -1))
