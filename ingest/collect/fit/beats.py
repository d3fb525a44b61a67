"""Heartbeats out of `hrv`, `beat_intervals` and `raw_bbi` messages.

`hrv` holds up to five R-R intervals and no time: its beats are laid end to end and held to the records they stand
between. The other two carry the moment their first interval begins. Source: FIT SDK, profile messages of these names.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.collect.fit import power_on
from ingest.collect.fit.clock import ERA_MS, FIRST_DATE, Seconds
from ingest.collect.fit.contents import Contents, Part
from ingest.collect.fit.definition import Definition
from ingest.collect.fit.file import Beats

RECORD, HRV, BEAT_INTERVALS, RAW_BBI = 20, 78, 290, 372
NO_INTERVAL = 0xFFFF
SHORTEST_MS, LONGEST_MS = 200, 3000
"""300 to 20 beats a minute; anything else is time that passed without a beat we know of."""
DRIFT_MS = 3000
"""Beats laid end to end may be this far from the records around them; a longer gap means that some are missing."""

BLOCK = 4096
"""Beats placed at once: numbers of Python are four times the size of numpy's."""

Intervals = tuple[Seconds, NDArray[Any], NDArray[np.bool_]]
"""End of each interval in milliseconds since 1970, its length in ms, and whether a beat ended it."""


def read_beats(contents: Contents) -> Beats:
    """All heartbeats of a file in order of time."""
    found: list[Intervals] = []
    for part in contents.parts:
        if part.messages.of(HRV):
            found.append(_laid_end_to_end(part))
        found.extend(_intervals(part, definition) for definition in part.messages.of(BEAT_INTERVALS))
        found.extend(_raw(part, definition) for definition in part.messages.of(RAW_BBI))
    if not found:
        return Beats()
    end, rr, beat = (np.concatenate(column) for column in zip(*found, strict=True))
    beat &= (rr >= SHORTEST_MS) & (rr <= LONGEST_MS)
    end, rr = end[beat], rr[beat]
    if (np.diff(end) < 0).any():
        order = np.argsort(end, kind="stable")
        end, rr = end[order], rr[order]
    times, rr_ms = end.view("datetime64[ms]"), rr.astype(np.float32)
    times.flags.writeable = rr_ms.flags.writeable = False
    return Beats(times, rr_ms)


def _laid_end_to_end(part: Part) -> Intervals:
    """The intervals of `hrv` in the order of the file, held to the records around them."""
    found = [f for d in part.messages.of(HRV) if (f := _listed(part.messages.data, d)) is not None]
    stamps, milliseconds = _records(part)
    if not found or not len(stamps):
        return _NONE
    at, rr = (np.concatenate(column) for column in zip(*found, strict=True))
    if len(found) > 1:
        order = np.argsort(at, kind="stable")
        at, rr = at[order], rr[order]
    before = np.maximum(np.searchsorted(stamps, at) - 1, 0)
    del at
    return _held(np.cumsum(rr, dtype=np.int64), milliseconds[before]), rr, np.ones(len(rr), bool)


def _listed(data: bytes, definition: Definition) -> tuple[NDArray[np.intp], NDArray[np.uint16]] | None:
    """Position of the message and length, per interval that is one."""
    table = definition.table(data, 0, 2)
    if table is None:
        return None
    there = (table != NO_INTERVAL) & (table != 0)
    return np.repeat(definition.positions, there.sum(axis=1)), table[there].astype(np.uint16)


def _records(part: Part) -> tuple[Seconds, Seconds]:
    """Positions and times (ms) of the dated records, or without any of all dated messages."""
    at, seconds = part.clock.full
    records = part.messages.of(RECORD)
    if records:
        p = np.concatenate([d.positions for d in records])
        s = np.concatenate([power_on.dated(part, part.clock.of(d)) for d in records])
        dated = s >= FIRST_DATE
        if dated.any():
            p, s = p[dated], s[dated]
            order = np.argsort(p, kind="stable")
            at, seconds = p[order], s[order]
    return at, seconds * 1000 + ERA_MS


def _held(passed: Seconds, around: Seconds) -> Seconds:
    """Moments of beats that end `passed` milliseconds after the first one began, near the moments `around` them.

    They run freely until they are too far off and then start anew from where they should be, but never go back.
    """
    offset: int | None = None
    latest = 0
    for i in range(0, len(passed), BLOCK):
        moments = []
        for since, near in zip(passed[i : i + BLOCK].tolist(), around[i : i + BLOCK].tolist(), strict=True):
            if offset is None or abs(near - since - offset) > DRIFT_MS:
                offset = near - since
            latest = max(latest, since + offset)
            moments.append(latest)
        passed[i : i + BLOCK] = moments
    return passed


def _intervals(part: Part, definition: Definition) -> Intervals:
    """beat_intervals: a moment and the intervals that follow each other from there."""
    table = definition.table(part.messages.data, 1, 2)
    if table is None:
        return _NONE
    rr = table.astype(np.int64)
    return _from_moment(part, definition, np.where(rr == NO_INTERVAL, 0, rr), np.ones(rr.shape, bool))


def _raw(part: Part, definition: Definition) -> Intervals:
    """raw_bbi: fourteen bits of length, one of quality (1 is good), one that says that no beat was seen.

    Some files spell the three out as arrays of their own.
    """
    data = part.messages.data
    packed = definition.table(data, 1, 2)
    if packed is not None:
        whole = packed.astype(np.int64)
        there, rr, beat = whole != NO_INTERVAL, whole & 0x3FFF, whole >> 14 == 1
    else:
        spelled = definition.table(data, 2, 2)
        if spelled is None:
            return _NONE
        rr = spelled.astype(np.int64)
        there, beat = rr != NO_INTERVAL, np.ones(rr.shape, bool)
        for number, wanted in ((3, 1), (4, 0)):
            flags = definition.table(data, number, 1)
            if flags is not None and flags.shape[1] == rr.shape[1]:
                beat &= flags == wanted
    return _from_moment(part, definition, np.where(there, rr, 0), beat & there)


def _from_moment(part: Part, definition: Definition, rr: Seconds, beat: NDArray[np.bool_]) -> Intervals:
    """Rows of intervals (0: none) laid end to end, each row from its message's own moment on."""
    data = part.messages.data
    seconds = power_on.dated(part, part.clock.of(definition))
    past = definition.value(data, 0, size=2)
    start = seconds * 1000 + ERA_MS
    if past is not None:
        start += np.where(past == 0xFFFF, 0, past)
    end = start[:, None] + np.cumsum(rr, axis=1)
    sound = beat & (seconds >= FIRST_DATE)[:, None]
    return end.ravel(), rr.ravel(), sound.ravel()


_NONE: Intervals = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, bool))
