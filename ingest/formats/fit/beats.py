"""Heartbeats out of `hrv`, `beat_intervals` and `raw_bbi` messages.

`hrv` holds up to five R-R intervals and no time: its beats are laid end to end and held to the records they stand
between, or without records from the beginning of the workout on. The other two carry the moment their first interval begins. Source: FIT SDK, profile, fields of

    file_id (0)           4 time_created
    session (18)          2 start_time
    hrv (78)              0 time (ms, up to five)
    beat_intervals (290)  0 timestamp_ms, 1 time (ms, many)
    raw_bbi (372)         0 timestamp_ms, 1 data (packed), 2 time, 3 quality, 4 gap
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.formats.fit.contents import ChainedFile, Contents
from ingest.formats.fit.definition import Definition
from ingest.formats.fit.era import ERA_MS, FIRST_DATE, NEVER, Seconds
from ingest.formats.fit.file import Beats, FitSeries
from zones.artefacts import STUCK_S, Artefact, find_artefacts, without_artefacts
from zones.beats import rate_of_beats
from zones.series import Series
from zones.spans import Spans

FILE_ID, SESSION, RECORD, HRV, BEAT_INTERVALS, RAW_BBI = 0, 18, 20, 78, 290, 372
CREATED, STARTED = 4, 2
NO_INTERVAL = 0xFFFF
SHORTEST_MS, LONGEST_MS = 200, 3000
"""300 to 20 beats a minute; anything else is time that passed without a beat we know of."""
DRIFT_MS = 3000
"""Beats laid end to end may be this far from the records around them; a longer gap means that some are missing."""

ANY_MS = 1 << 50
"""More than any two moments are apart."""

BLOCK = 512
"""Messages whose beats are placed at once: rarely does one of them drift away, and then a loop in Python takes no more than these."""

Intervals = tuple[Seconds, NDArray[Any], NDArray[np.bool_]]
"""End of each interval in milliseconds since 1970, its length in ms, and whether a beat ended it."""


def read_beats(contents: Contents) -> Beats:
    """All heartbeats of a file in order of time."""
    found: list[Intervals] = []
    for chained in contents.chained_files:
        if chained.messages.definitions_of(HRV):
            found.append(_from_hrv(chained))
        found.extend(
            _from_beat_intervals(chained, definition)
            for definition in chained.messages.definitions_of(BEAT_INTERVALS)
        )
        found.extend(
            _from_raw_bbi(chained, definition) for definition in chained.messages.definitions_of(RAW_BBI)
        )
    if not found:
        return Beats()
    end, rr, beat = found[0] if len(found) == 1 else (np.concatenate(c) for c in zip(*found, strict=True))
    found.clear()
    beat = beat & (rr >= SHORTEST_MS) & (rr <= LONGEST_MS)
    if not beat.all():
        end, rr = end[beat], rr[beat]
    if (np.diff(end) < 0).any():
        order = np.argsort(end, kind="stable")
        end, rr = end[order], rr[order]
    times, rr_ms = end.view("datetime64[ms]"), rr.astype(np.float32)
    times.flags.writeable = rr_ms.flags.writeable = False
    return Beats(times, rr_ms)


def holds_intervals(contents: Contents) -> bool:
    """Whether there are messages with R-R intervals, dated or not."""
    return any(
        chained.messages.definitions_of(number)
        for chained in contents.chained_files
        for number in (HRV, BEAT_INTERVALS, RAW_BBI)
    )


def derive_heart_rate(beats: Beats, last_ms: int | None) -> tuple[FitSeries | None, int]:
    """The heart rate of a workout that holds R-R intervals alone, from those that are true, and how many were left out.

    None where they tell none. Left out is what comes of beats that are of one length for minutes, as those of no heart are.
    `last_ms` is when the last record was written.
    """
    times = beats.times.astype(np.int64)
    at, bpm = rate_of_beats(times, beats.rr_ms)
    series = Series.of(at.view("datetime64[ms]"), bpm)
    varies = beats.rr_ms[1:] != beats.rr_ms[:-1]
    found = find_artefacts(series, STUCK_S["activity"], Spans.of(times[:-1][varies], times[1:][varies]))
    kept = without_artefacts(series, found & np.uint8(Artefact.STUCK))
    left_out = len(series) - len(kept)
    if not len(kept):
        return None, left_out
    end = max(int(kept.times[-1].astype(np.int64)) + 1000, last_ms or 0)
    return FitSeries("activity", kept.times, kept.bpm, np.datetime64(end, "ms")), left_out


def _from_hrv(chained: ChainedFile) -> Intervals:
    """The intervals of `hrv` in the order of the file, held to the records around them."""
    found = [
        f
        for d in chained.messages.definitions_of(HRV)
        if (f := _hrv_intervals(chained.messages.data, d)) is not None
    ]
    if not found:
        return _NONE
    at, count, rr = found[0]
    if len(found) > 1:
        each = np.concatenate([np.repeat(at, count) for at, count, _ in found])
        order = np.argsort(each, kind="stable")
        at, count, rr = each[order], np.ones(len(each), np.intp), np.concatenate([f[2] for f in found])[order]
    stamps, seconds = _record_times(chained)
    foremost = int(np.searchsorted(at, stamps[0])) if len(stamps) else len(at)
    lasted_ms = int(rr[: int(count[:foremost].sum())].sum())
    if foremost and (lasted_ms > DRIFT_MS or not chained.messages.definitions_of(RECORD)):
        stamps, seconds = _with_beginning(chained, stamps, seconds, lasted_ms // 1000)
    if not len(stamps):
        return _NONE
    near = np.maximum(np.searchsorted(stamps, at) - 1, 0)
    earliest = seconds[near] * 1000 + ERA_MS
    latest = np.maximum(_until(chained, at, near, seconds), earliest)
    return _place_near_records(rr, count, earliest, latest), rr, np.ones(len(rr), bool)


def _until(chained: ChainedFile, at: NDArray[np.intp], near: NDArray[np.intp], seconds: Seconds) -> Seconds:
    """When (ms) the beats of each message have ended: in the second before the next record, however long that takes.

    Behind the last record by the latest stamp that still follows. Without records a stamp is that of the start or of
    some event, and says nothing of beats that follow much later.
    """
    if not chained.messages.definitions_of(RECORD):
        return np.full(len(at), ANY_MS, np.int64)
    until = np.append(seconds[1:] - 1, 0)[near] * 1000 + ERA_MS
    last = near == len(seconds) - 1
    if last.any():
        stamps, later = chained.timestamps.full
        ends = np.append(np.maximum.accumulate(later[::-1])[::-1] * 1000 + ERA_MS, ANY_MS)
        until[last] = ends[np.searchsorted(stamps, at[last])]
    return until


def _hrv_intervals(
    data: bytes, definition: Definition
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.uint16]] | None:
    """Position and number of intervals per message, and all intervals."""
    table = definition.table(data, 0, 2)
    if table is None:
        return None
    there = (table != NO_INTERVAL) & (table != 0)
    return definition.positions, there.sum(axis=1, dtype=np.intp), table[there].astype(np.uint16)


def _record_times(chained: ChainedFile) -> tuple[Seconds, Seconds]:
    """Positions and times (s) of the dated records, or without any of all dated messages."""
    records = chained.messages.definitions_of(RECORD)
    if records:
        at = records[0].positions if len(records) == 1 else np.concatenate([d.positions for d in records])
        seconds = np.concatenate([chained.timestamps.seconds_of(d) for d in records])
        dated = seconds >= FIRST_DATE
        if not dated.all():
            at, seconds = at[dated], seconds[dated]
        if len(records) > 1:
            order = np.argsort(at, kind="stable")
            at, seconds = at[order], seconds[order]
        if len(at):
            return at, seconds
    return chained.timestamps.full


def _with_beginning(
    chained: ChainedFile, stamps: Seconds, seconds: Seconds, lasted_s: int
) -> tuple[Seconds, Seconds]:
    """The same, and before all of them the moment at which beats began that no stamp is before: where the session or the file did.

    Not if they would then last past the first stamp behind them; in that case they ended there.
    """
    begun = [
        int(chained.timestamps.on_calendar(begins[:1].astype(np.int64))[0])
        for number, which in ((SESSION, STARTED), (FILE_ID, CREATED))
        for definition in chained.messages.definitions_of(number)
        if (begins := definition.value(chained.messages.data, which, size=4)) is not None and len(begins)
    ]
    latest = int(seconds[0]) - lasted_s + DRIFT_MS // 1000 if len(seconds) else NEVER - 1
    begin = next((at for at in begun if FIRST_DATE <= at <= latest), None)
    if begin is None and not len(seconds):
        return stamps, seconds
    first = int(seconds[0]) - lasted_s if begin is None else begin
    return np.append(np.int64(-1), stamps), np.append(np.int64(first), seconds)


def _place_near_records(
    rr: NDArray[np.uint16], count: NDArray[np.intp], earliest: Seconds, latest: Seconds
) -> Seconds:
    """Ends (ms) of intervals that follow each other, so many per message, within the messages' moments (ms).

    They run freely until they are `DRIFT_MS` before or behind these and then start anew from where they should be, but never go back.
    """
    end = np.empty(len(rr), np.int64)
    offset: int | None = None
    reached = passed = done = 0
    for i in range(0, len(count), BLOCK):
        many = count[i : i + BLOCK]
        here = slice(done, done + int(many.sum()))
        if here.start == here.stop:
            continue
        freely = passed + np.cumsum(rr[here], dtype=np.int64)
        lowest, highest = (np.repeat(bound[i : i + BLOCK], many) - freely for bound in (earliest, latest))
        offsets = _hold_offset(lowest, highest, offset)
        end[here] = np.maximum(np.maximum.accumulate(freely + offsets), reached)
        passed, offset, reached, done = int(freely[-1]), int(offsets[-1]), int(end[here.stop - 1]), here.stop
    return end


def _hold_offset(lowest: Seconds, highest: Seconds, offset: int | None) -> Seconds:
    """How far each beat is moved to where it should be: as far as the one before, unless that is too far off."""
    if offset is not None and ((lowest - offset <= DRIFT_MS) & (offset - highest <= DRIFT_MS)).all():
        return np.full(len(lowest), offset, np.int64)
    held = []
    for low, high in zip(lowest.tolist(), highest.tolist(), strict=True):
        if offset is None or low - offset > DRIFT_MS:
            offset = low
        elif offset - high > DRIFT_MS:
            offset = high
        held.append(offset)
    return np.array(held, np.int64)


def _from_beat_intervals(chained: ChainedFile, definition: Definition) -> Intervals:
    """beat_intervals: a moment and the intervals that follow each other from there."""
    table = definition.table(chained.messages.data, 1, 2)
    if table is None:
        return _NONE
    rr = table.astype(np.int64)
    return _from_moment(chained, definition, np.where(rr == NO_INTERVAL, 0, rr), np.ones(rr.shape, bool))


def _from_raw_bbi(chained: ChainedFile, definition: Definition) -> Intervals:
    """raw_bbi: fourteen bits of length, one of quality (1 is good), one that says that no beat was seen.

    Some files spell the three out as arrays of their own.
    """
    data = chained.messages.data
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
    return _from_moment(chained, definition, np.where(there, rr, 0), beat & there)


def _from_moment(
    chained: ChainedFile, definition: Definition, rr: Seconds, beat: NDArray[np.bool_]
) -> Intervals:
    """Rows of intervals (0: none) laid end to end, each row from its message's own moment on."""
    data = chained.messages.data
    seconds = chained.timestamps.seconds_of(definition)
    past = definition.value(data, 0, size=2)
    start = seconds * 1000 + ERA_MS
    if past is not None:
        start += np.where(past == 0xFFFF, 0, past)
    end = start[:, None] + np.cumsum(rr, axis=1)
    sound = beat & (seconds >= FIRST_DATE)[:, None]
    return end.ravel(), rr.ravel(), sound.ravel()


_NONE: Intervals = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, bool))
