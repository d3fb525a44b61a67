"""Minutes: how long each one was light, moderate or vigorous, and the sums of them over days, weeks, sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zones.edges import Timeline
from zones.moments import distinct, milliseconds
from zones.pieces import Pieces, split, split_every

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
    return _classify(pieces, *limits_of(pieces, timeline))


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


def _classify(pieces: Pieces, moderate: NDArray[np.int16], vigorous: NDArray[np.int16]) -> NDArray[np.uint8]:
    reached = (pieces.bpm >= moderate).astype(np.uint8) + (pieces.bpm >= vigorous)
    zone = np.where((reached > 0) & ~pieces.counts, np.uint8(Zone.ELEVATED), reached)
    return np.where(moderate == 0, np.uint8(Zone.UNCLASSIFIED), zone)


def split_at_changes(pieces: Pieces, timeline: Timeline | Sequence[Timeline]) -> Pieces:
    """The pieces split wherever any edges change."""
    lines = [timeline] if isinstance(timeline, Timeline) else list(timeline)
    return split(pieces, np.concatenate([line.valid_from for line in lines])) if lines else pieces


def tabulate_minutes(pieces: Pieces, timeline: Timeline | Sequence[Timeline]) -> Minutes:
    """Milliseconds per zone, and heart rate, of every minute that the pieces touch.

    Each moment is classified by the edges in force at it. Sums are whole milliseconds, so the result does not
    depend on how the pieces were cut: a long history may be counted a month at a time, in little memory.
    """
    pieces = split_every(split_at_changes(pieces, timeline), MINUTE)
    if not len(pieces):
        return Minutes.none()
    minute = pieces.start // MINUTE
    new = np.append(True, minute[1:] != minute[:-1])
    first = np.flatnonzero(new)
    lasts = pieces.end - pieces.start
    last = np.append(first[1:], len(pieces)) - 1
    row = np.cumsum(new) - 1
    moderate_bpm, vigorous_bpm = limits_of(pieces, timeline)
    # Sums of whole numbers below 2^53 are exact in the floats that bincount adds with.
    cell = row * len(Zone) + _classify(pieces, moderate_bpm, vigorous_bpm)
    table = np.bincount(cell, lasts, len(first) * len(Zone)).astype(np.int64).reshape(-1, len(Zone))
    light, moderate, vigorous, elevated, unclassified = Totals.of(table).columns
    return Minutes(
        light,
        moderate,
        vigorous,
        elevated,
        unclassified,
        start_ms=minute[first] * MINUTE,
        bpm_ms=np.add.reduceat(lasts * pieces.bpm, first),
        bpm_min=np.minimum.reduceat(pieces.bpm, first),
        bpm_max=np.maximum.reduceat(pieces.bpm, first),
        moderate_bpm=np.broadcast_to(moderate_bpm, len(pieces))[last],
        vigorous_bpm=np.broadcast_to(vigorous_bpm, len(pieces))[last],
    )


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
