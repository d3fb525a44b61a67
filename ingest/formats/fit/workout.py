"""The workouts of a file as the watch sums them up.

Source: FIT SDK, profile, fields of

    sport (12)    0 sport, 1 sub_sport
    session (18)  2 start_time, 5 sport, 6 sub_sport, 7 total_elapsed_time, 8 total_timer_time, 16 avg_heart_rate,
                  17 max_heart_rate, 253 timestamp
    lap (19)      2 start_time, 7 total_elapsed_time, 8 total_timer_time (both 1/1000 s), 15 avg_heart_rate, 16 max_heart_rate,
                  254 message_index
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.formats.fit.contents import ChainedFile, Contents
from ingest.formats.fit.definition import Definition
from ingest.formats.fit.description import SESSION, SPORT, Description, DescriptiveMessage
from ingest.formats.fit.era import ERA_MS, FIRST_DATE, NEVER, moment
from ingest.formats.fit.file import Device, FitSeries, FitSession
from ingest.formats.fit.pauses import Lap
from ingest.formats.fit.sport_names import SPORTS, SUB_SPORTS
from ingest.formats.fit.summary import Summary, check_summary
from ingest.formats.recording import NEAR_S

LAP = 19
LAP_START, LAP_ELAPSED, LAP_TIMER, LAP_MEAN, LAP_MAX, INDEX = 2, 7, 8, 15, 16, 254
STARTS = 2, 253, 7, 8
"""The fields of a session that tell when it began: its start, or else its end and how long it was."""
INDEX_BITS, NO_INDEX = 0xFFF, 0xFFFF
"""Of the profile's type message_index: its upper bits mark what was selected."""


def read_sessions(contents: Contents, description: Description) -> tuple[FitSession, ...]:
    """The sessions that have a date, in order of their start."""
    sports = description.messages_of(SPORT)
    sport_message = sports[0] if sports else DescriptiveMessage()
    found = []
    for message in description.messages_of(SESSION):
        start = _start(contents, *(message.integer(number) for number in STARTS))
        end = _end(contents, message, start)
        if start is None or end is None or end < start:
            continue
        told = check_summary(message.integer(16), message.integer(17))
        if told.mean is None:
            mean, lap_maximum = _lap_heart_rate(contents, start, end)
            found_in_laps = check_summary(mean, told.highest or lap_maximum)
            told = replace(found_in_laps, left_out=(*told.left_out, *found_in_laps.left_out))
        found.append(
            FitSession(
                start=start,
                end=end,
                sport=_sport(message, 5, SPORTS) or _sport(sport_message, 0, SPORTS) or "generic",
                sub_sport=_sport(message, 6, SUB_SPORTS) or _sport(sport_message, 1, SUB_SPORTS),
                timer_s=message.seconds(8),
                bpm_mean=told.mean,
                bpm_max=told.highest,
                left_out=told.left_out,
            )
        )
    return tuple(sorted(found, key=lambda session: session.start))


def summaries_without_time(
    contents: Contents, description: Description, sessions: Sequence[FitSession]
) -> list[Summary]:
    """What sessions or laps tell of the heart where no workout is known, as none of them tells from when to when it was."""
    if sessions:
        return []
    told = [(m.integer(16), m.integer(17)) for m in description.messages_of(SESSION)]
    summaries = [check_summary(mean, highest) for mean, highest in [*told, *_laps_tell(contents)]]
    return [s for s in summaries if s.mean is not None or s.highest is not None]


def _laps_tell(contents: Contents) -> Iterator[tuple[int | None, int | None]]:
    """Mean and maximum of each lap."""
    for chained in contents.chained_files:
        for definition in chained.messages.definitions_of(LAP):
            mean, highest = (definition.value(contents.data, n, 1) for n in (LAP_MEAN, LAP_MAX))
            nothing = [None] * len(definition)
            yield from zip(
                nothing if mean is None else mean.tolist(),
                nothing if highest is None else highest.tolist(),
                strict=True,
            )


def session_untold(
    series: Sequence[FitSeries], laps: list[Lap], contents: Contents, description: Description, device: Device
) -> tuple[FitSession, ...]:
    """The workout of a file that holds its samples or laps and no session: the watch died, or its program writes none."""
    if device.file_type not in (None, "activity"):
        return ()
    activity = next((s for s in series if s.kind == "activity"), None)
    told, timer_s = Summary(None, None), None
    if activity is not None:
        start, end = activity.times[0], activity.times[-1] if activity.end is None else activity.end
        own = [lap for lap in laps if _at(lap.start_ms) < end and _at(lap.end_ms) > start]
        start = min([start, *(_at(lap.start_ms) for lap in own)])
        end = max([end, *(_at(lap.end_ms) for lap in own)])
    elif laps:
        start, end = _at(min(lap.start_ms for lap in laps)), _at(max(lap.end_ms for lap in laps))
        told = check_summary(*_lap_heart_rate(contents, start, end))
        timer_s = sum(lap.timer_s for lap in laps)
    if activity is None and told.mean is None:
        return ()
    sports, undated = description.messages_of(SPORT), description.messages_of(SESSION)
    sport = sports[0] if sports else DescriptiveMessage()
    # What was done is known, though its session tells nothing of when.
    other = undated[0] if undated else DescriptiveMessage()
    return (
        FitSession(
            start=start,
            end=end,
            sport=_sport(other, 5, SPORTS) or _sport(sport, 0, SPORTS) or "generic",
            sub_sport=_sport(other, 6, SUB_SPORTS) or _sport(sport, 1, SUB_SPORTS),
            timer_s=timer_s,
            bpm_mean=told.mean,
            bpm_max=told.highest,
        ),
    )


def _at(ms: int) -> np.datetime64:
    return np.datetime64(ms, "ms")


def _moment(contents: Contents, seconds: int | None) -> np.datetime64 | None:
    """A timestamp as a moment, one that counts from power-on where the file tells which date it meant."""
    if seconds is not None and seconds < FIRST_DATE:
        seconds += contents.power_on.ahead_s
    return moment(seconds)


def _start(
    contents: Contents, begun: int | None, ended: int | None, elapsed_ms: int | None, timer_ms: int | None
) -> np.datetime64 | None:
    """When a session began, by its end and its length where it does not tell."""
    end, lasted_ms = _moment(contents, ended), elapsed_ms or timer_ms
    if begun is not None or end is None or not lasted_ms:
        return _moment(contents, begun)
    return end - np.timedelta64(lasted_ms, "ms")


def _end(
    contents: Contents, message: DescriptiveMessage, start: np.datetime64 | None
) -> np.datetime64 | None:
    """Start and elapsed time; the message's own timestamp may be that of the moment it was saved."""
    elapsed = message.seconds(7)
    if start is not None and elapsed is not None:
        return start + np.timedelta64(round(elapsed * 1000), "ms")
    return _moment(contents, message.integer(253))


def _sport(message: DescriptiveMessage, number: int, newer: dict[int, str]) -> str | None:
    value = message.integer(number)
    if value is None:
        return None
    return message.name(number) or newer.get(value, f"sport {value}")


def _lap_heart_rate(
    contents: Contents, start: np.datetime64, end: np.datetime64
) -> tuple[int | None, int | None]:
    """Mean, weighted by time, and maximum of the laps within a session: all a swim may say of the heart."""
    weight = total = highest = 0.0
    for chained in contents.chained_files:
        for definition in chained.messages.definitions_of(LAP):
            columns = [
                definition.value(contents.data, n, s)
                for n, s in ((LAP_START, 4), (LAP_TIMER, 4), (LAP_MEAN, 1))
            ]
            if any(column is None for column in columns):
                continue
            begun, timer, mean = (column.astype(np.int64) for column in columns if column is not None)
            length = definition.value(contents.data, LAP_ELAPSED, 4)
            if length is not None:
                # A timer that cannot be would outweigh all other laps.
                lasted = length.astype(np.int64)
                timer = np.where((timer > 0) & (timer <= lasted + 1000 * NEAR_S), timer, lasted)
            maximum = definition.value(contents.data, LAP_MAX, 1)
            top = np.zeros_like(mean) if maximum is None else maximum.astype(np.int64)
            begun = chained.timestamps.on_calendar(begun)
            within = (begun >= FIRST_DATE) & (mean >= 30) & (mean <= 230) & (timer < NEVER)
            for at, ms, bpm, most in zip(
                begun[within], timer[within], mean[within], top[within], strict=True
            ):
                when = moment(int(at))
                if when is not None and start <= when <= end:
                    weight += float(ms)
                    total += float(ms) * float(bpm)
                    highest = max(highest, float(most) if most <= 230 else 0.0)
    return (round(total / weight) if weight else None), (int(highest) or None)


def read_laps(contents: Contents) -> list[Lap]:
    """The laps that have a date, a length and a timer, in the order of the file."""
    found: list[tuple[int, Lap]] = []
    for which, chained in enumerate(contents.chained_files):
        for definition, indices in message_indices(contents, chained, LAP):
            columns = [definition.value(contents.data, n, 4) for n in (LAP_START, LAP_ELAPSED, LAP_TIMER)]
            if any(column is None for column in columns):
                continue
            begun, length, timer = (column.astype(np.int64) for column in columns if column is not None)
            begun = chained.timestamps.on_calendar(begun)
            sound = (
                (begun >= FIRST_DATE) & (begun < NEVER) & (length < NEVER) & (timer > 0) & (timer <= length)
            )
            start = begun[sound] * 1000 + ERA_MS
            rows = zip(
                definition.positions[sound].tolist(),
                start.tolist(),
                (start + length[sound]).tolist(),
                (timer[sound] / 1000).tolist(),
                indices[sound].tolist(),
                strict=True,
            )
            found += [(at, Lap(a, b, timer_s, (which, index))) for at, a, b, timer_s, index in rows]
    return [lap for _, lap in sorted(found)]


def message_indices(
    contents: Contents, chained: ChainedFile, number: int
) -> Iterator[tuple[Definition, NDArray[np.int64]]]:
    """The definitions of a kind of message, each with the indices of its own: those that the file tells, or else their order in it."""
    definitions = chained.messages.definitions_of(number)
    for definition in definitions:
        among = [d.positions for d in definitions]
        yield definition, indices_told(definition.value(contents.data, INDEX, 2), definition.positions, among)


def indices_told(
    told: NDArray[Any] | None, positions: NDArray[np.intp], among: Sequence[NDArray[np.intp]]
) -> NDArray[np.int64]:
    """The indices at some positions, their order among all such positions where none is told."""
    if told is not None and (known := told != NO_INDEX).all():
        return told.astype(np.int64) & INDEX_BITS
    order = np.searchsorted(np.sort(np.concatenate(among)), positions).astype(np.int64)
    return order if told is None else np.where(known, told.astype(np.int64) & INDEX_BITS, order)


def _numbers(contents: Contents, definition: Definition, number: int) -> list[int | None]:
    """A field of four bytes in each message of a definition; None where it tells nothing."""
    column = definition.value(contents.data, number, 4)
    if column is None:
        return [None] * len(definition)
    return [None if value == NEVER else value for value in column.tolist()]


def session_indices(contents: Contents, sessions: Sequence[FitSession]) -> dict[tuple[int, int], int]:
    """Which of the sessions is meant by an index in a chained file: each of these counts its own, and sessions are in order of their start.

    Where no message tells of the one there is, the first of each is it.
    """
    found: dict[tuple[int, int], int] = {}
    left: list[np.datetime64 | None] = [session.start for session in sessions]
    told = False
    for which, chained in enumerate(contents.chained_files):
        rows: list[tuple[int, int, np.datetime64 | None]] = []
        for definition, indices in message_indices(contents, chained, SESSION):
            columns = [_numbers(contents, definition, number) for number in STARTS]
            starts = [_start(contents, *each) for each in zip(*columns, strict=True)]
            rows += zip(definition.positions.tolist(), indices.tolist(), starts, strict=True)
        for _, index, when in sorted(rows, key=itemgetter(0)):
            told = True
            if when is not None and when in left:
                place = left.index(when)
                found.setdefault((which, index), place)
                # Two that began at once are taken in the order of the file.
                if when in left[place + 1 :]:
                    left[place] = None
    return found if told else {(which, 0): 0 for which in range(len(contents.chained_files)) if sessions}
