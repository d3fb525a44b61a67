"""When: the timestamps of messages, in seconds of the FIT era (0 is 1989-12-31T00:00:00Z).

A message may carry a full timestamp (field 253), the low 16 bits of one (monitoring's timestamp_16) or the low
5 bits in its header byte. The short forms are completed from the stamps before them in the file:

* 16 bits: the moment nearest to the last full timestamp. Counting only forward, as the profile suggests, throws
  samples 18 hours into the future wherever an event was stamped ahead of them (andrewcooke/choochoo #5).
* 5 bits: forward, at most 31 s after the stamp before (FIT SDK, "Compressed Timestamp Header").

What counts from power-on has a date where the file tells which one (`power_on`).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.formats.fit.definition import Definition
from ingest.formats.fit.era import FIRST_DATE, NEVER, NONE, Seconds
from ingest.formats.fit.messages import Messages
from ingest.formats.fit.power_on import (
    TIMESTAMP,
    TIMESTAMP_CORRELATION,
    PowerOn,
    counts_from_power_on,
    dated,
    find_power_on,
)

TIMESTAMP_16 = 26
MONITORING, MONITORING_INFO = 55, 103


class Timestamps:
    """The timestamps of one chained file's messages; `all_messages` are those of all that are chained."""

    def __init__(self, messages: Messages, all_messages: Sequence[Messages]) -> None:
        self._messages = messages
        self._all_messages = all_messages
        self._stamps: tuple[Seconds, Seconds, Seconds] | None = None
        self._five: tuple[Seconds, Seconds] | None = None
        self._power_on: PowerOn | None = None
        self._met_count = False
        self._counts: bool | None = None

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
        return self.on_calendar(seconds)

    def on_calendar(self, seconds: Seconds) -> Seconds:
        """Timestamps, of whatever field, with those that count from power-on dated where the file tells how; in place."""
        if np.minimum.reduce(seconds, initial=FIRST_DATE) >= FIRST_DATE:
            return seconds
        self._met_count = True
        return dated(seconds, self.power_on)

    @property
    def power_on(self) -> PowerOn:
        """What the file tells of the date that its count meant, or another that is chained with it: a watch counts on."""
        if self._power_on is None:
            found = (find_power_on(m) for m in (self._messages, *self._all_messages))
            self._power_on = next((p for p in found if p.by), PowerOn())
        return self._power_on

    @property
    def dated_by(self) -> str:
        """By what those counts from power-on are dated that were asked for; empty where none was, or the file tells no date."""
        return self.power_on.by if self._met_count else ""

    @property
    def counts(self) -> bool:
        """Whether anything in the file counts from power-on, dated or not."""
        if self._counts is None:
            self._counts = counts_from_power_on(self._messages)
        return self._counts

    @property
    def full(self) -> tuple[Seconds, Seconds]:
        """Positions and seconds of all full timestamps of the file that are dates, in the order of the file."""
        at, seconds, numbers = self._collect()
        seconds = self.on_calendar(seconds.copy())
        dates = (seconds >= FIRST_DATE) & self._stands_for_itself(numbers)
        return at[dates], seconds[dates]

    def _stands_for_itself(self, numbers: Seconds) -> NDArray[np.bool_]:
        """Which messages, by their numbers, were written when they are stamped: in a file that counts, the one which tells the date was not."""
        stands: NDArray[np.bool_] = numbers != TIMESTAMP_CORRELATION
        return stands if stands.all() or self.counts else np.ones(len(numbers), np.bool_)

    def _collect(self) -> tuple[Seconds, Seconds, Seconds]:
        """Position, seconds and number of every message with a full timestamp, in the order of the file."""
        if self._stamps is None:
            data = self._messages.data
            parts: list[tuple[Any, Any, Any]] = [(np.empty(0, np.int64),) * 3]
            for definition in self._messages.definitions:
                times = definition.value(data, TIMESTAMP, size=4)
                if times is not None and len(times):
                    number = np.full(len(times), definition.number, np.int64)
                    parts.append((definition.positions, times.astype(np.int64), number))
            at, seconds, numbers = (np.concatenate(column) for column in zip(*parts, strict=True))
            told = seconds != NEVER
            at, seconds, numbers = at[told], seconds[told], numbers[told]
            order = np.argsort(at, kind="stable")
            self._stamps = at[order], seconds[order], numbers[order]
        return self._stamps

    def _complete_16(self, definition: Definition, low: NDArray[Any], seconds: Seconds) -> None:
        at, full, numbers = self._collect()
        # Some message or other may be stamped 0; those of the all-day recording itself count as their neighbours do.
        of_day = (numbers == MONITORING) | (numbers == MONITORING_INFO)
        base_for = (full >= FIRST_DATE) & self._stands_for_itself(numbers) | of_day
        at, full = at[base_for], full[base_for]
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

        Times from power-on are counted on as well: they tell how far apart, though not when.
        """
        data = self._messages.data
        parts: list[tuple[Any, Any, Any]] = []
        for definition in self._messages.definitions:
            if not len(definition) or (definition.number == TIMESTAMP_CORRELATION and self.counts):
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
