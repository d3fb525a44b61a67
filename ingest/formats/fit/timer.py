"""The timer of a workout: when the one who wears the watch pressed stop, and start again.

Source: FIT SDK, profile message `event` (21: 0 event, of which 0 is the timer; 1 event_type) and type `event_type`. Watches may write an event
ahead of its turn, so events are put in order of their times first.
"""

from ingest.formats.fit import power_on
from ingest.formats.fit.contents import Contents
from ingest.formats.fit.timestamps import ERA_MS, FIRST_DATE
from zones.spans import Spans

EVENT, TIMER, START = 21, 0, 0
STOPS = frozenset({1, 4, 8, 9})
"""stop, stop_all, stop_disable, stop_disable_all."""


def timer_events(contents: Contents) -> list[tuple[int, bool]]:
    """(milliseconds since 1970, whether it runs from here on) of every timer event, in order of time."""
    data = contents.data
    found: list[tuple[int, bool]] = []
    for chained in contents.chained_files:
        for definition in chained.messages.definitions_of(EVENT):
            event, kind = definition.field(0), definition.field(1)
            if event is None or kind is None or event[1] != 1 or kind[1] != 1:
                continue
            # Events are few and those of the timer fewer: byte by byte is quicker than by columns.
            mine = [i for i, p in enumerate(definition.each_position()) if data[p + event[0]] == TIMER]
            if not mine:
                continue
            seconds = power_on.dated(chained, chained.timestamps.seconds_of(definition))
            positions = definition.positions
            for i in mine:
                how, at = data[positions[i] + kind[0]], int(seconds[i])
                if at >= FIRST_DATE and (how == START or how in STOPS):
                    found.append((at * 1000 + ERA_MS, how == START))
    found.sort(key=lambda event: event[0])
    return found


def last_stop(contents: Contents) -> int | None:
    """When the timer was stopped for good; None where it was not, or the file does not say."""
    found = timer_events(contents)
    return found[-1][0] if found and not found[-1][1] else None


def pauses(contents: Contents, last_ms: int | None) -> Spans:
    """The times between a stop of the timer and its next start; one left open ends at `last_ms`."""
    spans: list[tuple[int, int]] = []
    stopped: int | None = None
    for at, running in timer_events(contents):
        if running:
            if stopped is not None:
                spans.append((stopped, at))
            stopped = None
        elif stopped is None:
            stopped = at
    if stopped is not None and last_ms is not None:
        spans.append((stopped, last_ms))
    return Spans.pairs(spans) if spans else Spans.none()
