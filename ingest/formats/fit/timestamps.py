"""When: the timestamps of messages, in seconds of the FIT era (0 is 1989-12-31T00:00:00Z).

A message may carry a full timestamp (field 253), the low 16 bits of one (monitoring's timestamp_16) or the low
5 bits in its header byte. The short forms are completed from the stamps before them in the file:

* 16 bits: the moment nearest to the last full timestamp. Counting only forward, as the profile suggests, throws
  samples 18 hours into the future wherever an event was stamped ahead of them (andrewcooke/choochoo #5).
* 5 bits: forward, at most 31 s after the stamp before (FIT SDK, "Compressed Timestamp Header").

A timestamp below 0x10000000 counts seconds since the device was switched on (FIT SDK, profile type date_time).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.formats.fit.definition import Definition
from ingest.formats.fit.messages import Messages

ERA_MS = 631_065_600_000
"""1989-12-31T00:00:00Z in milliseconds since 1970."""
FIRST_DATE = 0x10000000
"""Timestamps below count from power-on."""
NEVER = 0xFFFFFFFF
NONE = -1

TIMESTAMP, TIMESTAMP_16 = 253, 26
MONITORING, TIMESTAMP_CORRELATION = 55, 162

Seconds = NDArray[np.int64]


def milliseconds(seconds: Seconds) -> Seconds:
    """Milliseconds since 1970 of seconds of the FIT era; a fresh column."""
    found = seconds * 1000
    found += ERA_MS
    return found


def moment(seconds: int | None) -> np.datetime64 | None:
    """A timestamp as a moment; None where it is no date."""
    if seconds is None or not FIRST_DATE <= seconds < NEVER:
        return None
    return np.datetime64(seconds * 1000 + ERA_MS, "ms")


class Timestamps:
    """The timestamps of one chained file's messages."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self._full: tuple[Seconds, Seconds] | None = None
        self._five: tuple[Seconds, Seconds] | None = None

    def seconds_of(self, definition: Definition) -> Seconds:
        """One timestamp per message, a fresh column; NONE where it has none."""
        data = self._messages.data
        times = definition.value(data, TIMESTAMP, size=4)
        if times is None:
            seconds = np.full(len(definition), NONE, np.int64)
        else:
            seconds = times.astype(np.int64)
            if np.maximum.reduce(seconds, initial=0) == NEVER:
                seconds[seconds == NEVER] = NONE
        if definition.number == MONITORING:
            low = definition.value(data, TIMESTAMP_16, size=2)
            if low is not None:
                self._complete_16(definition, low, seconds)
        if self._messages.compressed:
            self._complete_5(definition, seconds)
        return seconds

    @property
    def full(self) -> tuple[Seconds, Seconds]:
        """Positions and seconds of all full timestamps of the file that are dates, in the order of the file."""
        if self._full is None:
            self._full = self._collect()
        return self._full

    def _collect(self) -> tuple[Seconds, Seconds]:
        data = self._messages.data
        at: list[Any] = []
        seconds: list[Any] = []
        for definition in self._messages.definitions:
            times = definition.value(data, TIMESTAMP, size=4)
            if times is not None and len(times):
                at.append(definition.positions)
                seconds.append(times)
        if not at:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        p = np.concatenate(at)
        t = np.concatenate(seconds).astype(np.int64)
        dated = (t >= FIRST_DATE) & (t != NEVER)
        p, t = p[dated], t[dated]
        order = np.argsort(p, kind="stable")
        return p[order], t[order]

    def _complete_16(self, definition: Definition, low: NDArray[Any], seconds: Seconds) -> None:
        at, full = self.full
        todo = np.flatnonzero((low != 0xFFFF) & (seconds == NONE))
        if not len(todo) or not len(at):
            return
        # Before the first full timestamp the next one is as good: nearest is nearest.
        before = np.searchsorted(at, definition.positions[todo]) - 1
        base = full[np.maximum(before, 0)]
        seconds[todo] = base + ((low[todo].astype(np.int64) - base + 0x8000 & 0xFFFF) - 0x8000)

    def _complete_5(self, definition: Definition, seconds: Seconds) -> None:
        if self._five is None:
            self._five = self._count_forward()
        at, times = self._five
        if not len(at):
            return
        todo = np.flatnonzero(seconds == NONE)
        where = np.minimum(np.searchsorted(at, definition.positions[todo]), len(at) - 1)
        mine = at[where] == definition.positions[todo]
        seconds[todo[mine]] = times[where[mine]]

    def _count_forward(self) -> tuple[Seconds, Seconds]:
        """Positions and seconds of the messages stamped in their header byte, whatever their kind.

        Relative times are counted on as well: they tell how far apart, though not when.
        """
        data = self._messages.data
        parts: list[tuple[Any, Any, Any]] = []
        for definition in self._messages.definitions:
            if not len(definition):
                continue
            at = definition.positions
            header = definition.column(data, 0, "u1")
            times = definition.value(data, TIMESTAMP, size=4)
            stamped = np.zeros(len(at), bool) if times is None else times != NEVER
            if times is not None and stamped.any():
                parts.append(
                    (at[stamped], times[stamped].astype(np.int64), np.ones(int(stamped.sum()), bool))
                )
            short = (header >= 0x80) & ~stamped
            if short.any():
                parts.append(
                    (at[short], (header[short] & 31).astype(np.int64), np.zeros(int(short.sum()), bool))
                )
        if not parts:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        at, value, full = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.argsort(at, kind="stable")
        at, value, full = at[order], value[order], full[order]
        ahead = np.where(full, 0, np.diff(value & 31, prepend=0) & 31)
        total = np.cumsum(ahead)
        anchor = np.maximum.accumulate(np.where(full, np.arange(len(at), dtype=np.intp), -1))
        times = np.where(anchor < 0, NONE, value[anchor] + total - total[anchor])
        return at[~full], times[~full]
