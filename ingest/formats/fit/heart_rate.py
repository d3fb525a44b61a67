"""Heart rate out of a file: the samples of `record`, `hr`, `monitoring` and `hsa_heart_rate_data` as two series.

What the watch saw of a workout comes in `record` messages, one value each, and, where a chest strap remembered what
could not be sent under water, in `hr` messages. Both are the same heart; inside the time that `hr` covers it is
believed. What the watch saw all day comes in `monitoring` and, on newer watches, `hsa_heart_rate_data`.

Source: FIT SDK, profile, fields record (20) 3 heart_rate, monitoring (55) 27 heart_rate, hsa_heart_rate_data (308)
0 processing_interval (s) and 2 heart_rate (an array); for hr (132) see `strap_memory`.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.formats.fit import strap_memory, timer
from ingest.formats.fit.contents import ChainedFile, Contents
from ingest.formats.fit.definition import Definition
from ingest.formats.fit.developer import developer_heart_rate, in_bytes, number_kind
from ingest.formats.fit.era import ERA_MS, FIRST_DATE, NONE, Seconds, milliseconds
from ingest.formats.fit.file import FitSeries
from ingest.formats.fit.strays import ALL_DAY_S, RECORDS_S, find_strays
from zones.series import HIGHEST_BPM, LOWEST_BPM, Series, join

RECORD, MONITORING, HSA_HEART_RATE = 20, 55, 308
RECORD_BPM, MONITORING_BPM = 3, 27
NOT_WRITTEN = 255
HELD_MS = 30_000
"""A workout's sample stands for at most this long, so where `hr` is silent for longer `record` speaks again."""

Samples = tuple[Seconds, NDArray[np.uint8]]
"""Milliseconds since 1970 and bpm."""


@dataclass(slots=True)
class HeartRateColumns:
    """The heart rate of a file, and what could not be made a sample."""

    series: tuple[FitSeries, ...] = ()
    dropped: int = 0
    unwritten: int = 0
    """Of the dropped ones those that were never written: 255 stands for "none"."""
    too_high: int = 0
    """Of the dropped ones those above any heart rate."""
    undated: int = 0
    timeless: int = 0
    """Of the undated ones those whose messages tell no time at all."""
    from_strap: bool = False
    """There are `hr` messages: only chest straps remember."""
    record: list[Samples] = field(default_factory=list)
    memory: list[Samples] = field(default_factory=list)
    monitoring: list[Samples] = field(default_factory=list)
    presses: list[timer.Press] = field(default_factory=list)
    """Those of the timer; asked for only where there is a workout."""
    last_ms: int | None = None
    """When the last record was written, with or without a heart rate."""
    damaged: bool = False
    """Some bytes may not be what the watch wrote."""
    strayed: int = 0
    """Values left out as damage made their times."""

    def keep_plausible(self, seconds: Seconds, bpm: NDArray[Any]) -> Samples:
        """The samples among timestamps and values; what cannot be one is counted."""
        # Bytes below the lowest wrap round to values above the highest.
        fine = bpm - np.uint8(LOWEST_BPM) <= HIGHEST_BPM - LOWEST_BPM
        sound = int(np.count_nonzero(fine))
        if sound < len(bpm):
            self.drop(bpm[~fine])
            seconds, bpm = seconds[fine], bpm[fine]
        if sound and np.minimum.reduce(seconds) < FIRST_DATE:
            dated = seconds >= FIRST_DATE
            self.undated += len(bpm) - int(np.count_nonzero(dated))
            self.timeless += int(np.count_nonzero(seconds < 0))
            seconds, bpm = seconds[dated], bpm[dated]
        return milliseconds(seconds), bpm.astype(np.uint8)

    def without_strays(
        self, seconds: Seconds, bpm: NDArray[Any], beside_s: int
    ) -> tuple[Seconds, NDArray[Any]]:
        """Timestamps and values without those whose times damage made; these are counted."""
        if self.damaged and (strays := find_strays(seconds, beside_s)).any():
            self.strayed += int(np.count_nonzero(strays))
            return seconds[~strays], bpm[~strays]
        return seconds, bpm

    def drop(self, bpm: NDArray[Any]) -> None:
        """Count values that cannot be samples, by why."""
        unwritten = int(np.count_nonzero(bpm == NOT_WRITTEN))
        self.dropped += len(bpm)
        self.unwritten += unwritten
        self.too_high += int(np.count_nonzero(bpm > HIGHEST_BPM)) - unwritten


def read_heart_rate(contents: Contents) -> HeartRateColumns:
    """The series of a file."""
    columns = HeartRateColumns(damaged=bool(contents.faults))
    for chained in contents.chained_files:
        if chained.messages.definitions_of(RECORD):
            _read_records(columns, chained)
        if chained.messages.definitions_of(MONITORING):
            _read_monitoring(columns, chained)
        for definition in chained.messages.definitions_of(HSA_HEART_RATE):
            _read_hsa(columns, chained, definition)
        if chained.messages.definitions_of(strap_memory.HR):
            _read_strap_memory(columns, chained)
    columns.series = tuple(
        series
        for series in (_activity_series(columns, contents), _monitoring_series(columns))
        if series is not None
    )
    return columns


def _read_records(columns: HeartRateColumns, chained: ChainedFile) -> None:
    data = chained.messages.data
    found: list[tuple[Definition, NDArray[Any]]] = []
    for definition in chained.messages.definitions_of(RECORD):
        bpm = definition.value(data, RECORD_BPM, size=1)
        if bpm is None:
            bpm = _wide_heart_rate(data, definition)
        if definition.has_developer_fields:
            bpm = developer_heart_rate(chained.messages, definition, bpm)
        if bpm is None:
            seconds = chained.timestamps.seconds_of(definition)
            _note_last_record(columns, seconds[~find_strays(seconds)] if columns.damaged else seconds)
        else:
            found.append((definition, bpm))
    if found:
        seconds, bpm = columns.without_strays(*_in_order(chained, found), RECORDS_S)
        _note_last_record(columns, seconds)
        columns.record.append(columns.keep_plausible(seconds, bpm))


def _wide_heart_rate(data: bytes, definition: Definition) -> NDArray[Any] | None:
    """A heart rate that a program wrote in more than a byte, as bytes."""
    where = definition.field(RECORD_BPM)
    kind = None if where is None else number_kind(where[2])
    if where is None or kind is None or np.dtype(kind).itemsize != where[1]:
        return None
    return in_bytes(definition.column(data, where[0], kind))


def _note_last_record(columns: HeartRateColumns, seconds: Seconds) -> None:
    """Until these records, with or without a heart rate, the watch was recording."""
    latest = int(np.maximum.reduce(seconds, initial=0))
    if latest >= FIRST_DATE:
        columns.last_ms = max(columns.last_ms or 0, latest * 1000 + ERA_MS)


def _read_monitoring(columns: HeartRateColumns, chained: ChainedFile) -> None:
    found = [
        (definition, bpm)
        for definition in chained.messages.definitions_of(MONITORING)
        if (bpm := definition.value(chained.messages.data, MONITORING_BPM, size=1)) is not None
    ]
    if found:
        seconds, bpm = columns.without_strays(*_in_order(chained, found), ALL_DAY_S)
        columns.monitoring.append(columns.keep_plausible(seconds, bpm))


def _in_order(
    chained: ChainedFile, found: list[tuple[Definition, NDArray[Any]]]
) -> tuple[Seconds, NDArray[Any]]:
    """Timestamps and values of several definitions in the order of the file: the last word on a moment counts."""
    if len(found) == 1:
        return chained.timestamps.seconds_of(found[0][0]), found[0][1]
    at = np.concatenate([definition.positions for definition, _ in found])
    seconds = np.concatenate([chained.timestamps.seconds_of(definition) for definition, _ in found])
    bpm = np.concatenate([bpm for _, bpm in found])
    if (at[1:] > at[:-1]).all():
        return seconds, bpm
    order = np.argsort(at, kind="stable")
    return seconds[order], bpm[order]


def _read_hsa(columns: HeartRateColumns, chained: ChainedFile, definition: Definition) -> None:
    """Arrays of values, one per processing interval from the message's timestamp on."""
    data = chained.messages.data
    rows = definition.table(data, 2, 1)
    if rows is None:
        return
    first = chained.timestamps.seconds_of(definition)
    interval = definition.value(data, 0, size=2)
    step = np.ones(len(first), np.int64) if interval is None else interval.astype(np.int64)
    step[(step == 0) | (step == 0xFFFF)] = 1
    count = rows.shape[1]
    seconds = first[:, None] + step[:, None] * np.arange(count, dtype=np.intp)
    seconds[first < 0] = NONE
    columns.monitoring.append(columns.keep_plausible(seconds.ravel(), rows.ravel()))


def _read_strap_memory(columns: HeartRateColumns, chained: ChainedFile) -> None:
    times, bpm = strap_memory.read_events(chained)
    fine = bpm - np.uint8(LOWEST_BPM) <= HIGHEST_BPM - LOWEST_BPM
    sound = int(np.count_nonzero(fine))
    if times.size and np.minimum.reduce(times) < FIRST_DATE * 1000 + ERA_MS:
        fine &= times >= FIRST_DATE * 1000 + ERA_MS
    kept = int(np.count_nonzero(fine))
    columns.drop(bpm[bpm - np.uint8(LOWEST_BPM) > HIGHEST_BPM - LOWEST_BPM])
    columns.undated += sound - kept
    if kept:
        columns.from_strap = True
        columns.memory.append((times, bpm) if kept == len(bpm) else (times[fine], bpm[fine]))


def _activity_series(columns: HeartRateColumns, contents: Contents) -> FitSeries | None:
    record, memory = _join_samples(columns.record), _join_samples(columns.memory)
    if memory is None:
        series = record
    elif record is None:
        series = memory
    else:
        outside = ~_is_covered(record.times, memory.times)
        series = (
            join([Series(record.times[outside], record.bpm[outside]), memory]) if outside.any() else memory
        )
    if series is None:
        return None
    last = int(series.times[-1].astype(np.int64))
    if columns.last_ms is not None:
        last = max(last, columns.last_ms)
    columns.presses = timer.read_presses(contents)
    end = timer.end_of(columns.presses, last)
    return FitSeries("activity", series.times, series.bpm, np.datetime64(end, "ms"))


def _monitoring_series(columns: HeartRateColumns) -> FitSeries | None:
    series = _join_samples(columns.monitoring)
    return None if series is None else FitSeries("monitoring", series.times, series.bpm)


def _join_samples(parts: list[Samples]) -> Series | None:
    parts = [part for part in parts if len(part[0])]
    if not parts:
        return None
    if len(parts) == 1:
        at, bpm = parts[0]
    else:
        at, bpm = np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
    times = at.view("datetime64[ms]")
    if not (at[1:] > at[:-1]).all():
        return Series.of(times, bpm)
    # What Series.of would do, without the copy: nobody else has these columns.
    at.flags.writeable = times.flags.writeable = bpm.flags.writeable = False
    return Series(times, bpm)


def _is_covered(times: NDArray[np.datetime64], by: NDArray[np.datetime64]) -> NDArray[np.bool_]:
    """Which moments lie within a stretch that `by` covers without a longer silence than a sample stands for."""
    at, covering = times.view(np.int64), by.view(np.int64)
    after = np.searchsorted(covering, at, side="left")
    before = np.searchsorted(covering, at, side="right") - 1
    inside = (after < len(covering)) & (before >= 0)
    gap = covering[np.minimum(after, len(covering) - 1)] - covering[np.maximum(before, 0)]
    return inside & (gap <= HELD_MS)
