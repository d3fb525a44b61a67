"""Times that count from power-on: the watch did not know the date yet.

Such a count has a date only where the file itself tells which one was meant; otherwise it stays a count, and 1990 is never stored.
What tells it, the first that does:

    correlation   a `timestamp_correlation` message holds both (FIT SDK, profile, 162: 253 timestamp, 1 system_timestamp)
    records       the clock was set while every second was recorded: the first dated record is the second after the last counted one
    summary       a workout or lap that began by the count and ended by the date tells how long it lasted
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ingest.formats.fit.era import FIRST_DATE, NEVER, NONE, Seconds
from ingest.formats.fit.messages import Messages

FILE_ID, SESSION, LAP, RECORD, EVENT, TIMESTAMP_CORRELATION = 0, 18, 19, 20, 21, 162
TIMESTAMP, START, ELAPSED, CREATED, SYSTEM_TIMESTAMP = 253, 2, 7, 4, 1

CORRELATION, RECORDS, SUMMARY = "correlation", "records", "summary"

_AROUND = 30
"""Records on either side of the moment at which the clock was set by which it is told whether every second was recorded."""


class PowerOn(NamedTuple):
    """How many seconds a count from power-on is behind the calendar, and what tells so; nothing where `by` is empty."""

    ahead_s: int = 0
    by: str = ""


class _Setting(NamedTuple):
    """The records between which the clock was set: the last count, the first date, and whether every second was recorded there."""

    counted: int
    date: int
    every_second: bool


def dated(seconds: Seconds, power_on: PowerOn) -> Seconds:
    """The timestamps with those that count from power-on put on the calendar, in place."""
    if power_on.by:
        seconds[(seconds > NONE) & (seconds < FIRST_DATE)] += power_on.ahead_s
    return seconds


def find_power_on(messages: Messages) -> PowerOn:
    """What a file tells of the date that its count meant."""
    for known, since in _correlations(messages):
        return PowerOn(known - since, CORRELATION)
    setting = _find_setting(messages)
    if setting is None:
        return PowerOn()
    if setting.every_second:
        return PowerOn(setting.date - setting.counted - 1, RECORDS)
    for ahead_s, lasted_s in _summaries(messages):
        # A summary that was stamped when it was saved would have the records overtake each other.
        if 0 < setting.date - setting.counted - ahead_s <= lasted_s:
            return PowerOn(ahead_s, SUMMARY)
    return PowerOn()


def counts_from_power_on(messages: Messages) -> bool:
    """Whether anything in a file counts from power-on."""
    fields = [(d, TIMESTAMP) for d in messages.definitions if d.number != TIMESTAMP_CORRELATION]
    fields += [(d, START) for d in messages.definitions_of(SESSION)]
    fields += [(d, CREATED) for d in messages.definitions_of(FILE_ID)]
    columns = (definition.value(messages.data, number, size=4) for definition, number in fields)
    return any(
        column is not None and np.minimum.reduce(column, initial=FIRST_DATE) < FIRST_DATE
        for column in columns
    )


def _correlations(messages: Messages) -> Iterator[tuple[int, int]]:
    for definition in messages.definitions_of(TIMESTAMP_CORRELATION):
        date = definition.value(messages.data, TIMESTAMP, size=4)
        count = definition.value(messages.data, SYSTEM_TIMESTAMP, size=4)
        if date is not None and count is not None:
            for known, since in zip(date.tolist(), count.tolist(), strict=True):
                if FIRST_DATE <= known < NEVER and since < FIRST_DATE:
                    yield known, since


def _find_setting(messages: Messages) -> _Setting | None:
    """Where the records pass from counts to dates; None where they do not, or more than once."""
    columns = [
        (definition.positions, times.astype(np.int64))
        for definition in messages.definitions_of(RECORD)
        if (times := definition.value(messages.data, TIMESTAMP, size=4)) is not None
    ]
    if not columns:
        return None
    at, seconds = (np.concatenate(column) for column in zip(*columns, strict=True))
    order = np.argsort(at, kind="stable")
    at, seconds = at[order], seconds[order]
    told = seconds != NEVER
    at, seconds = at[told], seconds[told]
    counted = int(np.count_nonzero(seconds < FIRST_DATE))
    if not 0 < counted < len(seconds) or (seconds[counted:] < FIRST_DATE).any():
        return None
    steps = np.diff(seconds)
    if (steps[: counted - 1] < 0).any():  # it was switched on anew
        return None
    around = np.concatenate(
        [steps[max(counted - 1 - _AROUND, 0) : counted - 1], steps[counted : counted + _AROUND]]
    )
    every_second = len(around) > 1 and bool((around <= 1).all())
    between = (int(at[counted - 1]), int(at[counted]))
    if any(
        ((d.positions > between[0]) & (d.positions < between[1])).any()
        for d in messages.definitions_of(EVENT)
    ):
        every_second = False  # the timer may have stood still
    return _Setting(int(seconds[counted - 1]), int(seconds[counted]), every_second)


def _summaries(messages: Messages) -> Iterator[tuple[int, int]]:
    """By each workout and lap from a count to a date how many seconds lie between the two, and how long it lasted."""
    for definition in (*messages.definitions_of(SESSION), *messages.definitions_of(LAP)):
        columns = [definition.value(messages.data, n, size=4) for n in (START, ELAPSED, TIMESTAMP)]
        if any(column is None for column in columns):
            continue
        rows = zip(*(column.tolist() for column in columns if column is not None), strict=True)
        for began, lasted_ms, ended in rows:
            if began < FIRST_DATE <= ended < NEVER and lasted_ms != NEVER:
                lasted_s = round(lasted_ms / 1000)
                yield ended - began - lasted_s, lasted_s
