"""What a chest strap remembered: `hr` messages, written after a swim, one value per heartbeat or so.

A message either anchors the strap's own clock (a date, a fraction of a second, and event_timestamp, a count of
1/1024 s) or counts on from it in twelve bits that run over every four seconds (event_timestamp_12, eight values
packed into twelve bytes, little-endian). Source: FIT SDK, profile message `hr` and "Plugins, Hr Mesgs";
dtcooper/python-fitparse #122 for what happens without the anchor.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.collect.fit.clock import ERA_MS, FIRST_DATE, Seconds
from ingest.collect.fit.contents import Part
from ingest.collect.fit.definition import Definition

HR = 132
FRACTION, TIME_256, BPM, EVENT, EVENT_12 = 0, 1, 6, 9, 10
TICKS = 32768
"""Parts of a second in which everything is added up: those of fractional_timestamp, 32 to one of event_timestamp."""


def events(part: Part) -> tuple[Seconds, NDArray[np.uint8]]:
    """Milliseconds since 1970 (0 where no anchor came before) and bpm of every value, in the order of the file."""
    found = [rows for definition in part.messages.of(HR) if (rows := _rows(part, definition)) is not None]
    if not found:
        return np.empty(0, np.int64), np.empty(0, np.uint8)
    at, count, full, bpm, anchor = (np.concatenate(column) for column in zip(*found, strict=True))
    if len(found) > 1:
        order = np.argsort(at, kind="stable")
        count, full, bpm, anchor = count[order], full[order], bpm[order], anchor[order]
    index = np.arange(len(count))
    # Counts of twelve bits go on from the value before, full ones start anew.
    ahead = np.where(full, 0, np.diff(count, prepend=0) & 0xFFF)
    total = np.cumsum(ahead)
    started = np.maximum.accumulate(np.where(full, index, -1))
    event = total + np.where(started < 0, 0, count[started] - total[started])
    anchored = np.maximum.accumulate(np.where(anchor >= 0, index, -1))
    since = event - event[anchored] & 0xFFFFFFFF
    ticks = anchor[anchored] + 32 * since
    milliseconds = (ticks * 1000 + TICKS // 2) // TICKS + ERA_MS
    return np.where(anchored < 0, 0, milliseconds), bpm


def _rows(part: Part, definition: Definition) -> tuple[Any, ...] | None:
    """Columns of one value each: position of the message, count, whether it is a full one, bpm, anchor.

    The anchor is the date in ticks at the first value of a message that brings one, else -1.
    """
    data = part.messages.data
    bpm = definition.table(data, BPM, 1)
    if bpm is None or not len(definition):
        return None
    full = definition.table(data, EVENT, 4)
    if full is not None:
        count = full.astype(np.int64)
    else:
        packed = definition.table(data, EVENT_12, 1)
        if packed is None or packed.shape[1] < 2:
            return None
        count = _unpack(packed)
    width = min(bpm.shape[1], count.shape[1])
    bpm, count = bpm[:, :width], count[:, :width]
    anchor = np.full(count.shape, -1, np.int64)
    if definition.field(253) is not None:
        seconds = part.clock.of(definition)
        dated = seconds >= FIRST_DATE
        anchor[dated, 0] = (seconds * TICKS + _fraction(data, definition))[dated]
    shape = count.shape
    at = np.broadcast_to(definition.positions[:, None], shape).ravel()
    return at, count.ravel(), np.full(count.size, full is not None), bpm.ravel(), anchor.ravel()


def _unpack(packed: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Twelve-bit numbers of rows of bytes, little-endian: two to three bytes."""
    first = np.arange(packed.shape[1] * 2 // 3) * 3 // 2
    wide = packed.astype(np.int64)
    pair = wide[:, first] | wide[:, first + 1] << 8
    return pair >> np.where(np.arange(len(first)) % 2, 4, 0) & 0xFFF


def _fraction(data: bytes, definition: Definition) -> NDArray[np.int64]:
    """Ticks past the date."""
    fraction = definition.value(data, FRACTION, size=2)
    if fraction is not None:
        return np.where(fraction == 0xFFFF, 0, fraction).astype(np.int64)
    coarse = definition.value(data, TIME_256, size=1)
    if coarse is not None:
        return np.where(coarse == 0xFF, 0, coarse).astype(np.int64) * (TICKS // 256)
    return np.zeros(len(definition), np.int64)
