"""What a chest strap remembered: `hr` messages, written after a swim, one value per heartbeat or so.

A message either anchors the strap's own clock (a date, a fraction of a second, and event_timestamp, a count of
1/1024 s) or counts on from it in twelve bits that run over every four seconds (event_timestamp_12, eight values
packed into twelve bytes, little-endian). Source: FIT SDK, profile message `hr` and "Plugins, Hr Mesgs";
dtcooper/python-fitparse #122 for what happens without the anchor.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.formats.fit.contents import ChainedFile
from ingest.formats.fit.definition import Definition
from ingest.formats.fit.era import ERA_MS, FIRST_DATE, Seconds

HR = 132
FRACTION, TIME_256, BPM, EVENT, EVENT_12 = 0, 1, 6, 9, 10
TICKS = 32768
"""Parts of a second in which everything is added up: those of fractional_timestamp, 32 to one of event_timestamp."""

Column = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class _Values:
    """The messages of one definition: a count of the strap's clock and a bpm per value, the rest per message."""

    at: Column
    """Position in the file."""
    count: Column
    bpm: Column
    width: Column
    """Values of the message, the same in each."""
    full: Column
    """The counts are whole ones, not twelve bits; the same in each."""
    anchor: Column
    """The date in ticks that the first value of the message is from; -1 where the message brings none."""


def read_events(chained: ChainedFile) -> tuple[Seconds, NDArray[np.uint8]]:
    """Milliseconds since 1970 (0 where no anchor came before) and bpm of every value, in the order of the file."""
    found = [
        rows
        for definition in chained.messages.definitions_of(HR)
        if (rows := _read_values(chained, definition)) is not None
    ]
    if not found:
        return np.empty(0, np.int64), np.empty(0, np.uint8)
    count, bpm, first, width, full, anchor = _in_order(found)
    # Counts of twelve bits go on from the value before, whole ones start anew.
    ahead = np.diff(count, prepend=0) & 0xFFF
    anew = np.repeat(first[full], width[full].astype(np.intp)) + _index_within(width[full])
    ahead[anew] = 0
    total = np.cumsum(ahead)
    event = total + _forward_fill(anew, count[anew] - total[anew], len(count))
    dated = anchor >= 0
    where = first[dated]
    since = event - _forward_fill(where, event[where], len(count)) & 0xFFFFFFFF
    ticks = 32 * since + _forward_fill(where, anchor[dated], len(count))
    milliseconds = (ticks * 1000 + TICKS // 2 >> 15) + ERA_MS  # 2**15 is TICKS
    milliseconds[: where[0] if len(where) else None] = 0
    return milliseconds, bpm


def _in_order(found: list[_Values]) -> tuple[Column, Column, Column, Column, Column, Column]:
    """All rows in the order of the file: count and bpm per value; first value, width, full, anchor per message."""
    count = np.concatenate([rows.count for rows in found])
    bpm = np.concatenate([rows.bpm for rows in found])
    width, full, anchor = (
        np.concatenate(column)
        for column in zip(*((rows.width, rows.full, rows.anchor) for rows in found), strict=True)
    )
    start = np.cumsum(width) - width
    at = np.concatenate([rows.at for rows in found])
    if (at[1:] < at[:-1]).any():
        order = np.argsort(at, kind="stable")
        width, full, anchor = width[order], full[order], anchor[order]
        index = np.repeat(start[order], width.astype(np.intp)) + _index_within(width)
        count, bpm = count[index], bpm[index]
        start = np.cumsum(width) - width
    return count, bpm, start, width, full, anchor


def _index_within(width: Column) -> Column:
    """0, 1, 2 ... anew for each of the widths."""
    many = width.astype(np.intp)
    within: Column = np.arange(many.sum(), dtype=np.int64) - np.repeat(np.cumsum(width) - width, many)
    return within


def _forward_fill(where: Column, value: Column, count: int) -> Column:
    """A column in which each value stands from its place to the next one's, and 0 before the first.

    One value for all comes as a column of one.
    """
    if not len(where):
        return np.zeros(1, np.int64)
    if len(where) == 1 and where[0] == 0:
        return value
    held: Column = np.repeat(np.append(0, value), np.diff(where, prepend=0, append=count).astype(np.intp))
    return held


def _read_values(chained: ChainedFile, definition: Definition) -> _Values | None:
    data = chained.messages.data
    bpm = definition.table(data, BPM, 1)
    if bpm is None:
        return None
    count = definition.table(data, EVENT, 4)
    full = count is not None
    if count is None:
        packed = definition.table(data, EVENT_12, 1)
        if packed is None or packed.shape[1] < 2:
            return None
        count = _unpack_12_bits(packed)
    width = min(bpm.shape[1], count.shape[1])
    anchor = np.full(len(definition), -1, np.int64)
    if definition.field(253) is not None:
        seconds = chained.timestamps.seconds_of(definition)
        anchor = np.where(seconds >= FIRST_DATE, seconds * TICKS + _fraction(data, definition), -1)
    count = count[:, :width].astype(np.int64).ravel()
    each = len(anchor)
    return _Values(
        definition.positions,
        count,
        bpm[:, :width].ravel(),
        np.full(each, width, dtype=np.int64),
        np.full(each, full, dtype=np.bool_),
        anchor,
    )


def _unpack_12_bits(packed: NDArray[np.uint8]) -> Column:
    """Twelve-bit numbers of rows of bytes, little-endian: two to three bytes, and one to a rest of two."""
    count = packed.shape[1] * 2 // 3
    wide = packed.astype(np.uint16)
    numbers = np.empty((len(packed), count), np.uint16)
    low, high = wide[:, 0::3], wide[:, 1::3]
    even, odd = (count + 1) // 2, count // 2
    numbers[:, 0::2] = low[:, :even] | (high[:, :even] & 0xF) << 8
    numbers[:, 1::2] = high[:, :odd] >> 4 | wide[:, 2::3][:, :odd] << 4
    return numbers


def _fraction(data: bytes, definition: Definition) -> Column:
    """Ticks past the date."""
    fraction = definition.value(data, FRACTION, size=2)
    if fraction is not None:
        return np.where(fraction == 0xFFFF, 0, fraction).astype(np.int64)
    coarse = definition.value(data, TIME_256, size=1)
    if coarse is not None:
        return np.where(coarse == 0xFF, 0, coarse).astype(np.int64) * (TICKS // 256)
    return np.zeros(len(definition), np.int64)
