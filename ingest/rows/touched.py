"""The time that entries of the journal touch: where rows must be made anew."""

from collections.abc import Sequence
from itertools import pairwise

from ingest.journal import ALWAYS_MS, Entry, Journal
from ingest.journal.forgotten import FORGETS
from ingest.journal.merged import PERSONS
from ingest.rows.calendar import Calendar
from ingest.rows.evidence import REACH_MS
from ingest.rows.workout import are_copies, beside_workout, workout_end_ms
from zones import placing
from zones.days import Place
from zones.resting import AFTERWARDS_MS
from zones.spans import Spans

ABOUT_EDGES = {"profile", "limits", "touch"}
"""Entries that change what is known of a heart, and not what was recorded of it."""

LEAVE_OUT = {"file", *FORGETS, PERSONS}
"""Entries by which whole files, and all that they told of, may come or go: a better copy, what is forgotten, a history."""


BEYOND_MS = 7 * 86_400_000
"""Further than this no row lies from what it is made from."""

MONTH_MS = 30 * 86_400_000
"""What lies closer together is asked for at once."""


class TouchedTime:
    """The time that entries of one person touch, sorted by what may be different there.

    `samples` and `beats` may have come or gone; `minutes` are to be counted again; `edges` is where only zones may
    differ; `variability` may be another one; `pauses` of workouts may have come or gone. `days` is all of it, and where
    a day's resting heart rate may differ.
    """

    def __init__(self, journal: Journal, entries: Sequence[Entry], around_ms: int = 0) -> None:
        """`around_ms` is how far before and after a sample others may count otherwise, as where bouts are asked for."""
        recorded = [e for e in entries if e.what in {"chunk", *LEAVE_OUT}]
        measured = [e for e in entries if e.what not in ABOUT_EDGES]
        workouts = [e for e in entries if e.what in {"session", *LEAVE_OUT}]
        # Samples are what they are; beats may be placed anew when word of others comes.
        self.samples = recorded_time(recorded)
        self.beats = _touched(recorded, reach_ms=placing.REACH_MS)
        corrected = _corrected_workouts(journal, entries)
        self.minutes = _touched([*measured, *corrected], around_ms, around_ms)
        edges = [e for e in entries if e.what in ABOUT_EDGES]
        reached = _time_reached(journal, entries[-1].position) if edges else (0, 0)
        self.edges = _touched(edges).clip(*reached) - self.minutes
        self.zones = self.minutes | self.edges
        self.pauses = _touched(_about_pauses(journal, recorded))
        # A day rests from the workouts of the evening before.
        afterwards = _touched([*workouts, *corrected], AFTERWARDS_MS)
        self.days = self.zones | afterwards
        moved = _moved_elsewhere(journal, [e for e in entries if e.what == "profile"])
        self.variability = self.minutes | afterwards | (self.edges if moved else Spans.none())


def _time_reached(journal: Journal, position: int) -> tuple[int, int]:
    """From when to when edges matter to one who has come to a position: what else is recorded by now is counted in its turn.

    While a store is filled, all of a household's years would be counted twice otherwise.
    """
    if position >= journal.last_position():
        return -ALWAYS_MS, ALWAYS_MS
    first_ms, last_ms = journal.touched_until(position, ABOUT_EDGES) or (0, 0)
    # Workouts and the rest after them reach past what is recorded by hours.
    return first_ms - BEYOND_MS, last_ms + BEYOND_MS


def recorded_time(entries: Sequence[Entry]) -> Spans:
    """The time in which samples of these entries lie, or lay."""
    return _touched(entries, reach_ms=0)


def overlaps(spans: Spans, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """What of each of the spans lies in [start, end), where anything does."""
    pairs = zip(spans.start.tolist(), spans.end.tolist(), strict=True)
    return [(max(a, start_ms), min(b, end_ms)) for a, b in pairs if a < end_ms and b > start_ms]


def _touched(
    entries: Sequence[Entry], afterwards_ms: int = 0, before_ms: int = 0, reach_ms: int = REACH_MS
) -> Spans:
    """The time that entries touch; a sample also has a say in what those around it are worth."""
    spans = [
        # An entry about a time that ends before it begins touches what lies between.
        sorted((e.first_ms, e.last_ms))
        for e in entries
        if e.first_ms is not None and e.last_ms is not None
    ]
    return Spans.pairs(
        (max(first - reach_ms - before_ms, -ALWAYS_MS), min(last + 1 + reach_ms + afterwards_ms, ALWAYS_MS))
        for first, last in spans
    )


def _about_pauses(journal: Journal, recorded: Sequence[Entry]) -> list[Entry]:
    """Those of the entries that brought pauses, or that took the place of others."""
    if not recorded:
        return []
    positions = [e.position for e in recorded]
    with_pauses = journal.chunks_with_pauses(min(positions), max(positions))
    return [e for e in recorded if e.what in LEAVE_OUT or e.position in with_pauses]


def _corrected_workouts(journal: Journal, entries: Sequence[Entry]) -> list[Entry]:
    """The workouts whose place others have taken or left, of the same source and start or as copies: all of their time is touched."""
    found = []
    some = [(e, *_workout_time(e)) for e in entries if e.what == "session" or _leaves_out(e)]
    for near in _near_each_other(some):
        # Those of many files of some weeks are asked for at once.
        first, last = min(a for _, a, _ in near), max(b for _, _, b in near)
        known = beside_workout(journal, near[0][0].person, first, last)
        for e, a, b in near:
            beside = [s for s in known if (workout_end_ms(s) > a or s.at_ms >= a) and s.at_ms <= b]
            found += [s for s in beside if _leaves_out(e) or (s.position < e.position and _takes_place(e, s))]
    return found


def _leaves_out(e: Entry) -> bool:
    return e.what in LEAVE_OUT and e.first_ms is not None and e.last_ms is not None


def _workout_time(e: Entry) -> tuple[int, int]:
    if e.what == "session" or e.first_ms is None or e.last_ms is None:
        return e.at_ms, workout_end_ms(e)
    return e.first_ms, e.last_ms


def _near_each_other(
    some: list[tuple[Entry, int, int]],
) -> list[list[tuple[Entry, int, int]]]:
    """Entries and their times in groups, of which each begins less than a month after the one before it."""
    groups: list[list[tuple[Entry, int, int]]] = []
    for row in sorted(some, key=lambda row: row[1]):
        if not groups or row[1] - groups[-1][-1][1] > MONTH_MS:
            groups.append([])
        groups[-1].append(row)
    return groups


def _takes_place(later: Entry, earlier: Entry) -> bool:
    same = later.at_ms == earlier.at_ms and later.content["source"] == earlier.content["source"]
    return same or are_copies(later, earlier)


def _moved_elsewhere(journal: Journal, changes: Sequence[Entry]) -> bool:
    """Whether a change of the profile of one person moved them to another time zone."""
    if not changes:
        return False
    known = sorted(journal.facts(changes[0].person, "profile"), key=lambda e: e.position)
    before = [_place(e) for e in known if e.position < changes[0].position][-1:] or ["UTC"]
    places: list[Place] = [*before, *(_place(e) for e in changes)]
    return any(one != other for one, other in pairwise(places))


def _place(profile: Entry) -> Place:
    """Where a profile lets its person live when."""
    return Calendar.of(profile.content).zone
