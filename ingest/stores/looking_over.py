"""Looking for what a store should hold: what it was given a moment ago, and in a slow round all there is.

A server may lose rows that it said yes to, and a disk those that it held for years. Nobody says so, so it is asked.
"""

import time
from collections import deque
from collections.abc import Callable
from itertools import pairwise

from ingest.journal import ALWAYS_MS, Journal, Person
from ingest.rows.calendar import WEEK
from ingest.rows.profile import profile_times, read_profile
from ingest.rows.recount import recount_stretch
from ingest.rows.week import weeks_with_data
from ingest.stores.contract import Overtaken, Store, Stretch
from zones.days import midnights

ROUND_S = 2700.0
"""From the beginning of one round to that of the next: what is lost is there again within an hour."""

SPREAD_S = 1800.0
"""Over which a round is spread: a server on a Pi has other things to do."""


def look_over(journal: Journal, store: Store, rounds: "Rounds | None", going_on: Callable[[], bool]) -> None:
    """Look for what a store was given lately, and a little further in the slow round."""
    _look_for_doubted(journal, store, going_on)
    if rounds and going_on():
        rounds.go_on(journal, store)


def _look_for_doubted(journal: Journal, store: Store, going_on: Callable[[], bool]) -> None:
    """As long as nothing new comes in."""
    last = journal.last_position()
    while going_on() and journal.last_position() == last:
        stretch = store.doubted([p.name for p in journal.persons()])
        if stretch is None or not _compare(journal, store, stretch):
            return


def _compare(journal: Journal, store: Store, stretch: Stretch) -> bool:
    """Compare a stretch with the journal; says whether that could be done."""
    person = journal.person(stretch.person)
    portions = recount_stretch(journal, person, stretch.start_ms, stretch.end_ms) if person else ()
    try:
        store.compare(portions, stretch)
    except Overtaken:
        return False  # at the next look it is asked where it is
    return True


class Rounds:
    """One slow round after the other over all weeks of everybody, for one store."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` counts seconds."""
        self._clock = clock
        self._left: deque[Stretch] = deque()
        self._begin_s = clock()
        self._step_s = 0.0
        self._next_s = 0.0

    def go_on(self, journal: Journal, store: Store) -> None:
        """Look at the next weeks, if it is time to."""
        now_s = self._clock()
        if not self._left and now_s >= self._begin_s:
            names = [person.name for person in journal.persons()]
            if store.holds_others(names):
                store.keep_persons(names)
            self._left.extend(s for person in journal.persons() for s in _weeks(journal, person))
            self._begin_s = now_s + ROUND_S
            self._step_s = SPREAD_S / max(len(self._left), 1)
            self._next_s = now_s
        while self._left and now_s >= self._next_s:
            self._next_s += self._step_s
            stretch = self._left.popleft()
            if not store.counts_as_before(stretch):
                _compare(journal, store, stretch)


def _weeks(journal: Journal, person: Person) -> list[Stretch]:
    """All time in as many stretches as a person has weeks in which there are rows, latest first.

    Each is of such a week and of all that lies before it to the next one: where no rows are there may be some that should not.
    """
    profile = read_profile(journal, person.id)
    days = set(weeks_with_data(journal, person, profile, beats=True))
    moments = [e.recorded_ms for e in journal.file_entries(person.id)]
    moments += [first_ms for first_ms, _ in journal.told_spans(person.id) if 0 < first_ms < ALWAYS_MS]
    moments += [stamp_ms for _, stamp_ms in profile_times(profile)]
    days |= {profile.calendar.week_of(profile.calendar.day_of(at_ms))[0] for at_ms in moments}
    ends_ms = [int(midnights(profile.zone, day + WEEK, day + WEEK)[0]) for day in sorted(days)[:-1]]
    borders_ms = pairwise([-ALWAYS_MS, *ends_ms, ALWAYS_MS])
    return [Stretch(person.name, start_ms, end_ms) for start_ms, end_ms in borders_ms][::-1]
