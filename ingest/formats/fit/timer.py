"""The presses of a workout's timer: when the one who wears the watch stopped it, and started it again.

Source: FIT SDK, profile message `event` (21: 0 event, of which 0 is the timer; 1 event_type) and type `event_type`. Watches may write an event
ahead of its turn, so presses are put in order of their times first; within one second the file's order decides, as only it tells a stop
that was taken back at once from a start that was.
"""

from typing import NamedTuple

import numpy as np

from ingest.formats.fit.contents import ChainedFile, Contents
from ingest.formats.fit.era import ERA_MS, FIRST_DATE, NONE
from zones.spans import Spans

EVENT, RECORD, TIMER, START = 21, 20, 0, 0
STOPS = frozenset({1, 4, 8, 9})
"""stop, stop_all, stop_disable, stop_disable_all."""


class Press(NamedTuple):
    """A press of the timer's button, or what the watch did in its place."""

    at_ms: int
    runs: bool
    """Whether the timer runs from here on."""


def read_presses(contents: Contents) -> list[Press]:
    """Every start and stop of the timer, in order of time."""
    data = contents.data
    found: list[tuple[int, int, bool]] = []
    for chained in contents.chained_files:
        for definition in chained.messages.definitions_of(EVENT):
            event, kind = definition.field(0), definition.field(1)
            if event is None or kind is None or event[1] != 1 or kind[1] != 1:
                continue
            # Events are few and those of the timer fewer: byte by byte is quicker than by columns.
            mine = [i for i, p in enumerate(definition.each_position()) if data[p + event[0]] == TIMER]
            if not mine:
                continue
            seconds = chained.timestamps.seconds_of(definition)
            positions = definition.positions
            for i in mine:
                how, place = data[positions[i] + kind[0]], int(positions[i])
                if how != START and how not in STOPS:
                    continue
                at = int(seconds[i]) if seconds[i] != NONE else _seconds_beside(chained, place, how == START)
                if at >= FIRST_DATE:
                    found.append((at * 1000 + ERA_MS, place, how == START))
    return [Press(at, runs) for at, _, runs in sorted(found)]


def _seconds_beside(chained: ChainedFile, place: int, starts: bool) -> int:  # noqa: FBT001
    """When a press without a time was, by its place in the file: a start at the record behind it, a stop at the one before."""
    found = NONE
    nearest: int | None = None
    for definition in chained.messages.definitions_of(RECORD):
        places = definition.positions
        i = int(np.searchsorted(places, place)) - (0 if starts else 1)
        if 0 <= i < len(places) and (nearest is None or abs(int(places[i]) - place) < nearest):
            nearest = abs(int(places[i]) - place)
            found = int(chained.timestamps.seconds_of(definition)[i])
    return found


def last_stop(presses: list[Press], last_ms: int) -> int | None:
    """When the timer was stopped for good; None where it was not, or the file does not say.

    A start after the last sample, which was at `last_ms`, started nothing.
    """
    last = next((press for press in reversed(presses) if not press.runs or press.at_ms <= last_ms), None)
    return last.at_ms if last is not None and not last.runs else None


def end_of(presses: list[Press], last_ms: int) -> int:
    """When a recording ended, of which the last sample or record was at `last_ms`: then, or at the stop behind it."""
    stop = last_stop(presses, last_ms)
    return last_ms if stop is None else max(last_ms, stop)


def told_pauses(presses: list[Press], until_ms: int | None) -> Spans:
    """The times between a stop of the timer and its next start; none lasts beyond `until_ms`, where one left open ends."""
    spans: list[tuple[int, int]] = []
    stopped: int | None = None
    for at, runs in presses:
        if runs:
            if stopped is not None:
                spans.append((stopped, at))
            stopped = None
        elif stopped is None:
            stopped = at
    if stopped is not None and until_ms is not None:
        spans.append((stopped, until_ms))
    if until_ms is not None:
        spans = [(a, min(b, until_ms)) for a, b in spans]
    return Spans.pairs(spans) if spans else Spans.none()
