"""What was counted lately, for a store that follows the journal: a beat that comes in costs its own minutes, not a day.

It changes no result: what an entry of the journal touches is dropped and counted again.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from ingest.journal import Entry, Journal
from ingest.rows.day import Day
from ingest.rows.minute import CountedMinutes
from ingest.rows.profile import Profile, read_profile
from ingest.rows.touched import ABOUT_EDGES, LEAVE_OUT
from zones.minutes import MINUTE
from zones.spans import Spans

MOST = 200
"""Days kept, some hundred bytes each; a week of some persons is what is asked for again and again."""

MOST_COUNTED = 8
"""Days kept minute by minute, 300 kilobytes each at most: of some persons the one that goes on."""

OVER_MS = 180 * MINUTE
"""So long after its end nothing that a strap tells touches a day any more, not even where bouts are asked for."""

MOST_ROWS = 500
"""Rows of workouts and of variability that are kept."""

MOST_SUMS = 2_000
"""Minutes of beats kept of each strap: the longest day, and what of the day before goes on into it."""

Span = tuple[int, int, int]
"""A person, and from when to when (ms)."""

Sums = bytes
"""What adds up to variability (`zones.beats.SUMS`), as numbers of 64 bits: a row of an array would keep all of the array."""

Row = TypeVar("Row")


class RowCache:
    """Days, minutes, rows and profiles as they were made last, each until an entry of the journal touches it."""

    def __init__(self) -> None:
        self._position = 0
        self._days: dict[Span, Day] = {}
        self._minutes: dict[Span, tuple[CountedMinutes, Spans]] = {}
        self._rows: dict[tuple[str, Span, Any], Any] = {}
        self._sums: dict[tuple[int, int], dict[int, Sums]] = {}
        self._profiles: dict[int, Profile] = {}

    def begin(self, entries: Sequence[Entry]) -> None:
        """Start on these entries: drop everything when there were others since the last ones that were taken."""
        if entries[0].position > self._position + 1:
            for held in (self._days, self._minutes, self._rows, self._sums, self._profiles):
                held.clear()
        for e in entries:
            if e.what in {*ABOUT_EDGES, *LEAVE_OUT}:
                self._profiles.pop(e.person, None)

    def invalidate(self, person: int, touched: Spans) -> None:
        """Drop what the touched time of a person has a part in."""
        pairs = list(zip(touched.start.tolist(), touched.end.tolist(), strict=True))

        def is_touched(span: Span) -> bool:
            return span[0] == person and any(a < span[2] and b > span[1] for a, b in pairs)

        for day in [span for span in self._days if is_touched(span)]:
            del self._days[day]
        for row in [key for key in self._rows if is_touched(key[1])]:
            del self._rows[row]
        for span, (counted, stale) in self._minutes.items():
            if is_touched(span):
                self._minutes[span] = counted, stale | touched.clip(span[1], span[2])
        for key, held in self._sums.items():
            if key[0] == person:
                for minute in _touched_minutes(held, pairs):
                    held.pop(minute, None)

    def advance(self, entries: Sequence[Entry]) -> None:
        """All of these entries were taken."""
        self._position = max(self._position, entries[-1].position)

    def profile(self, journal: Journal, person: int) -> Profile:
        """What the journal knows of a person by now."""
        if person not in self._profiles:
            self._profiles[person] = read_profile(journal, person)
        return self._profiles[person]

    def forget_profiles(self) -> None:
        """Read what the journal knows of persons anew: it has changed ahead of where its reader is."""
        self._profiles.clear()

    def day(self, span: Span) -> Day | None:
        """A day that nothing has touched since it was counted."""
        return self._days.get(span)

    def minutes(self, span: Span) -> tuple[CountedMinutes, Spans] | None:
        """A day as it was counted, and the time in it that was touched since."""
        return self._minutes.get(span)

    def store(self, span: Span, day: Day, counted: CountedMinutes) -> None:
        """Keep a day that was just counted."""
        self._days.pop(span, None)
        self._minutes.pop(span, None)
        self._days[span], self._minutes[span] = day, (counted, Spans.none())
        newest = counted.minutes.start_ms[-1:].tolist()
        for over in [s for s in self._minutes if s[0] == span[0] and newest and s[2] < newest[0] - OVER_MS]:
            del self._minutes[over]
        _bound(self._days, MOST)
        _bound(self._minutes, MOST_COUNTED)

    def row(self, table: str, span: Span, key: Any, count: Callable[[], Row]) -> Row:
        """A row about a span of time, told from others of it by `key`; made by `count` when something touched it since."""
        whole_key = table, span, key
        if whole_key not in self._rows:
            self._rows[whole_key] = count()
            _bound(self._rows, MOST_ROWS)
        row: Row = self._rows[whole_key]
        return row

    def beat_sums(self, person: int, source: int) -> dict[int, Sums]:
        """The sums of the beats of a source by minute (ms), to be added to."""
        held = self._sums.setdefault((person, source), {})
        _bound(held, MOST_SUMS)
        return held


def _touched_minutes(held: Iterable[int], pairs: list[tuple[int, int]]) -> list[int]:
    """The minutes of some that are touched, or all of them where that is cheaper to say."""
    if sum(b - a for a, b in pairs) > MOST_SUMS * MINUTE:
        return list(held)
    return [m for a, b in pairs for m in range(a // MINUTE * MINUTE, b, MINUTE)]


def _bound(held: dict[Any, Any], most: int) -> None:
    """Drop what was kept first."""
    while len(held) > most:
        del held[next(iter(held))]
