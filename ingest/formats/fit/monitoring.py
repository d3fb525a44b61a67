"""What an all-day file says beside heart rate: when its wearer moved, and what the watch claims for it.

A `monitoring` message sums up the time until its own timestamp: of one kind of activity, how long it has gone on today
(active_time) and how many steps or turns it took (cycles), both counted up through the day and not from message to
message; or, without these, only the kind and how intense it was. From that, movement is taken to be

* the time that active_time grew by since the last message about the same kind, ending at the timestamp, where
  cycles grew as well or the intensity is above 0; a first message, with nothing to compare, stands for a minute;
* the stated duration, or else the minute before the timestamp, where there is no active_time.

Sedentary time never counts: watches give it intensities, too. The arithmetic holds on files of a fenix 5.

Source: FIT SDK, profile, type `activity_type` and the fields of

    monitoring (55)           3 cycles, 4 active_time (1/1000 s), 5 activity_type, 9 cycles_16, 10 active_time_16 (s),
                              24 current_activity_type_intensity (5 bits the type, 3 the intensity), 28 intensity,
                              29 duration_min, 30 duration (s), 33 moderate_activity_minutes, 34 vigorous_activity_minutes
    monitoring_info (103)     253 timestamp
    monitoring_hr_data (211)  0 resting_heart_rate (of seven days), 1 current_day_resting_heart_rate
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ingest.formats.fit.contents import ChainedFile, Contents
from ingest.formats.fit.definition import Definition
from ingest.formats.fit.era import ERA_MS, FIRST_DATE
from ingest.formats.fit.file import Claim
from zones.spans import Spans

MONITORING, MONITORING_INFO, MONITORING_HR_DATA = 55, 103, 211
SEDENTARY = 8
NO_TYPE = 31
"""All bits of the packed type set: not known."""
MINUTE_MS = 60_000
LONGEST_MS = 60 * MINUTE_MS
"""No message stands for more; active_time may leap when a watch catches up after a charge."""


@dataclass(frozen=True, slots=True)
class _Movement:
    """One message of movement: when, of which kind, and as far as it says how much."""

    at: int
    kind: int
    intensity: int
    cycles: int | None
    active_ms: int | None
    stated_ms: int | None


def read_movement(contents: Contents) -> Spans:
    """The times in which the file saw movement."""
    spans: list[tuple[int, int]] = []
    for chained in contents.chained_files:
        movements = [
            movement
            for definition in chained.messages.definitions_of(MONITORING)
            for movement in _movements(chained, definition)
        ]
        movements.sort(key=lambda movement: movement.at)
        before: dict[int, _Movement] = {}
        for movement in movements:
            spans.extend(_movement_span(movement, before.get(movement.kind)))
            before[movement.kind] = movement
    return Spans.pairs(spans) if spans else Spans.none()


def _movement_span(movement: _Movement, before: _Movement | None) -> list[tuple[int, int]]:
    """The time this message saw movement in, if any."""
    if movement.kind == SEDENTARY or movement.kind >= NO_TYPE:
        return []
    lasted = MINUTE_MS if movement.stated_ms is None else movement.stated_ms
    turned = bool(movement.cycles)
    if before is not None:
        grown = _increase(movement.active_ms, before.active_ms)
        lasted = lasted if grown is None else grown
        turned = bool(_increase(movement.cycles, before.cycles))
        lasted = min(lasted, movement.at - before.at)
    if not turned and movement.intensity == 0:
        return []
    return [(movement.at - min(lasted, LONGEST_MS), movement.at)]


def _increase(now: int | None, before: int | None) -> int | None:
    """How much was added to a count that starts anew at midnight; None where one of the two is not known."""
    if now is None or before is None:
        return None
    return now - before if now >= before else now


def _movements(chained: ChainedFile, definition: Definition) -> list[_Movement]:
    data = chained.messages.data
    packed = _column(data, definition, 24, 1, 0xFF)
    kind = _column(data, definition, 5, 1, 0xFF)
    if packed is None and kind is None:
        return []
    intensity = _column(data, definition, 28, 1, 0xFF)
    cycles = _column(data, definition, 3, 4, 0xFFFFFFFF) or _column(data, definition, 9, 2, 0xFFFF)
    active = _column(data, definition, 4, 4, 0xFFFFFFFF)
    active_s = _column(data, definition, 10, 2, 0xFFFF)
    minutes = _column(data, definition, 29, 2, 0xFFFF)
    stated = _column(data, definition, 30, 4, 0xFFFFFFFF)
    found = []
    for i, at in enumerate(chained.timestamps.seconds_of(definition).tolist()):
        both = packed[i] if packed else None
        what = kind[i] if kind and kind[i] is not None else None if both is None else both & 31
        if at < FIRST_DATE or what is None:
            continue
        how = intensity[i] if intensity and intensity[i] is not None else 0 if both is None else both >> 5
        found.append(
            _Movement(
                at=at * 1000 + ERA_MS,
                kind=what,
                intensity=how or 0,
                cycles=cycles[i] if cycles else None,
                active_ms=active[i] if active else _scaled(active_s, i, 1000),
                stated_ms=_scaled(stated, i, 1000) if stated else _scaled(minutes, i, MINUTE_MS),
            )
        )
    return found


def _column(
    data: bytes, definition: Definition, number: int, size: int, absent: int
) -> list[int | None] | None:
    """A field of every message, None where a message leaves it out; None where the definition does."""
    column = definition.value(data, number, size)
    return None if column is None else [None if v == absent else v for v in column.tolist()]


def _scaled(column: list[int | None] | None, i: int, by: int) -> int | None:
    value = column[i] if column else None
    return None if value is None else value * by


def read_claims(contents: Contents) -> tuple[Claim, ...]:
    """What the watch itself claims, in order of time.

    Each message with moderate or vigorous minutes adds these to the day (Gadgetbridge sums them likewise); they are
    claimed for the minutes that end with its timestamp. A resting heart rate is claimed for the time since the file
    began.
    """
    claims = [
        claim
        for chained in contents.chained_files
        for definition in chained.messages.definitions_of(MONITORING)
        for claim in _intensity_minutes(chained, definition)
    ]
    for chained in contents.chained_files:
        for definition in chained.messages.definitions_of(MONITORING_HR_DATA):
            claims.extend(_resting_claims(chained, definition))
    claims.sort(key=lambda claim: (claim.start, claim.end))
    return tuple(claims)


def _intensity_minutes(chained: ChainedFile, definition: Definition) -> list[Claim]:
    data = chained.messages.data
    moderate = _column(data, definition, 33, 2, 0xFFFF)
    vigorous = _column(data, definition, 34, 2, 0xFFFF)
    if moderate is None and vigorous is None:
        return []
    found = []
    for i, at in enumerate(chained.timestamps.seconds_of(definition).tolist()):
        some, much = moderate[i] if moderate else None, vigorous[i] if vigorous else None
        total = (some or 0) + (much or 0)
        if at < FIRST_DATE or not 0 < total <= 24 * 60:
            continue
        end = _datetime(at)
        start = end - np.timedelta64(total, "m")
        found.append(
            Claim(start, end, None if some is None else float(some), None if much is None else float(much))
        )
    return found


def _resting_claims(chained: ChainedFile, definition: Definition) -> list[Claim]:
    """The day's own resting heart rate, or the average of seven days where the day has none yet."""
    data = chained.messages.data
    week = _column(data, definition, 0, 1, 0xFF)
    today = _column(data, definition, 1, 1, 0xFF)
    begun = [
        int(t)
        for d in chained.messages.definitions_of(MONITORING_INFO)
        for t in chained.timestamps.seconds_of(d)
        if t >= FIRST_DATE
    ]
    found = []
    for i, at in enumerate(chained.timestamps.seconds_of(definition).tolist()):
        bpm = (today[i] if today else None) or (week[i] if week else None)
        if at < FIRST_DATE or bpm is None or not 20 <= bpm <= 120:
            continue
        start = max((t for t in begun if t <= at), default=at)
        claim = Claim(_datetime(start), _datetime(at), resting_bpm=bpm)
        if claim not in found:
            found.append(claim)
    return found


def _datetime(seconds: int) -> Any:
    return np.datetime64(seconds * 1000 + ERA_MS, "ms")
