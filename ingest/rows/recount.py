"""From what came into the journal to the rows that every store must hold for the time it touches.

Entries touch spans of time; days and weeks around them are counted anew from the journal. Nothing is carried over
from an earlier count, so the order in which things came in leaves no trace.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from ingest.journal import ALWAYS_MS, Entry, Journal, Person, Source
from ingest.journal.merged import PERSONS
from ingest.rows.cache import RowCache
from ingest.rows.calendar import WEEK
from ingest.rows.claim import claim_block
from ingest.rows.collector import all_collector_blocks, collector_blocks
from ingest.rows.day import day_block
from ingest.rows.evidence import Evidence, read_evidence
from ingest.rows.heart_rate import sample_blocks, told_sample_blocks
from ingest.rows.hour import hour_block
from ingest.rows.limits import limits_block
from ingest.rows.minute import minute_block
from ingest.rows.pause import pause_blocks
from ingest.rows.profile import Profile, profile_block
from ingest.rows.progress import progress_fields
from ingest.rows.ruling import AROUND_MS
from ingest.rows.session import cached_workout_fields, session_blocks
from ingest.rows.strap_session import StrapSession
from ingest.rows.table import Block
from ingest.rows.touched import ABOUT_EDGES, TouchedTime, overlaps
from ingest.rows.variability import variability_blocks
from ingest.rows.week import Week, count_week, week_block, week_workouts, weeks_with_data
from ingest.rows.workout import find_workouts, workout_end_ms
from zones.days import midnights
from zones.minutes import MINUTE, Totals
from zones.pieces import Pieces
from zones.spans import Spans

WEEK_MS = 7 * 24 * 60 * MINUTE

LIVE_MS = 60 * MINUTE
"""The evidence of so little time is kept at hand for what else is asked of it."""


def recount_rows(
    journal: Journal, entries: Sequence[Entry], cache: RowCache | None = None
) -> Iterator[list[Block]]:
    """The blocks of rows that take account of what came in, in portions of at most a week of one person.

    `cache` is that of one who follows the journal, and spares counting days that nothing touched.
    """
    cache = cache or RowCache()
    if entries:
        cache.begin(entries)
    persons = {p.id: p for p in journal.persons()}
    for person_id in sorted({e.person for e in entries}):
        own = [e for e in entries if e.person == person_id]
        person = persons[person_id]
        profile = cache.profile(journal, person_id)
        if any(e.what == PERSONS for e in own):
            yield from ([block] for block in all_collector_blocks(journal, person))
        yield list(collector_blocks(journal, person, own))
        # A sample may make a bout of effort long before and after it.
        touched = TouchedTime(journal, own, 0 if profile.bout_min is None else AROUND_MS)
        cache.invalidate(person_id, touched.days)
        if any(e.what in {*ABOUT_EDGES, PERSONS} for e in own):
            yield [profile_block(person, profile)]
        yield list(pause_blocks(journal, person, touched.pauses))
        yield from _recount_time(journal, person, profile, touched, cache)
    if entries:
        cache.advance(entries)


def recount_stretch(journal: Journal, person: Person, start_ms: int, end_ms: int) -> Iterator[list[Block]]:
    """All blocks of rows of one person in [start, end), as if all of it had just come in."""
    cache = RowCache()
    profile = cache.profile(journal, person.id)
    own = profile_block(person, profile, start_ms, end_ms)
    yield [*all_collector_blocks(journal, person, start_ms, end_ms), own]
    everything = Entry(
        journal.last_position(), person.id, "file", start_ms, start_ms, end_ms - 1, start_ms, None, {}
    )
    touched = TouchedTime(journal, [everything])
    yield list(pause_blocks(journal, person, touched.pauses))
    yield from _recount_time(journal, person, profile, touched, cache)


def told_samples(journal: Journal, entries: Sequence[Entry]) -> Iterator[list[Block]]:
    """The heart rates of what straps just told, a portion for each person; all else of these entries is counted later."""
    persons = {p.id: p for p in journal.persons()}
    for person_id in sorted({e.person for e in entries} & set(persons)):
        own = [e for e in entries if e.person == person_id]
        yield list(told_sample_blocks(journal, persons[person_id], own))


def _recount_time(
    journal: Journal, person: Person, profile: Profile, touched: TouchedTime, cache: RowCache
) -> Iterator[list[Block]]:
    """The weeks that the touched time has to do with, each counted once, and what lies between them."""
    weeks = set()
    for a, b in _joined(touched.days):
        weeks.update(weeks_with_data(journal, person, profile, *_whole_weeks(profile, a, b), beats=True))
    counted_to = -ALWAYS_MS
    for first_day in sorted(weeks):
        start, end = midnights(profile.zone, first_day, first_day + WEEK)[[0, -1]].tolist()
        if not overlaps(touched.days, start, end):
            continue
        for a, b in overlaps(touched.days, counted_to, start):
            yield _blocks_without_data(journal, person, profile, a, b, touched)
        yield list(_week_blocks(journal, person, profile, first_day, touched, cache))
        counted_to = end
    for a, b in overlaps(touched.days, counted_to, ALWAYS_MS):
        yield _blocks_without_data(journal, person, profile, a, b, touched)


def _joined(days: Spans) -> list[tuple[int, int]]:
    """Spans with what lies between them where that is less than a week: each of them costs a look into the journal."""
    wide = Spans.of(days.start, days.end + WEEK_MS)
    return overlaps(Spans.of(wide.start, wide.end - WEEK_MS), -ALWAYS_MS, ALWAYS_MS)


def _whole_weeks(profile: Profile, start_ms: int, end_ms: int) -> tuple[int, int]:
    """The weeks around a span: their rows are stamped with their first moments, which may lie before it."""
    calendar, zone = profile.calendar, profile.zone
    if start_ms > -ALWAYS_MS:
        first_day, _ = calendar.week_of(calendar.day_of(start_ms))
        start_ms = int(midnights(zone, first_day, first_day)[0])
    if end_ms < ALWAYS_MS:
        next_week = calendar.week_of(calendar.day_of(end_ms - 1))[0] + WEEK
        end_ms = int(midnights(zone, next_week, next_week)[0])
    return start_ms, end_ms


# --- a week with data ---


@dataclass(slots=True, eq=False)
class _EvidenceCollector:
    """What is made of the evidence while a week is counted, so that it is read once: rows of samples, and of workouts.

    The evidence of a short stretch is kept for whatever else is asked of it.
    """

    journal: Journal
    person: Person
    profile: Profile
    touched: TouchedTime
    cache: RowCache
    sources: list[Source]
    workouts: list[Entry]
    blocks: list[Block] = field(default_factory=list)
    _kept: list[tuple[int, int, list[Evidence]]] = field(default_factory=list)

    def collect(self, start_ms: int, end_ms: int, evidence: list[Evidence], resolved: Pieces) -> None:
        """Take what there is in the evidence of [start, end)."""
        if end_ms - start_ms <= LIVE_MS:
            self._kept.append((start_ms, end_ms, evidence))
        for table, spans in (("heart_rate", self.touched.samples), ("beat", self.touched.beats)):
            for a, b in overlaps(spans, start_ms, end_ms):
                self.blocks.extend(sample_blocks(table, self.person, self.sources, evidence, a, b))
        for workout in self.workouts:
            # Into the cache: each would be read once more otherwise.
            if start_ms <= workout.at_ms and workout_end_ms(workout) <= end_ms:
                cached_workout_fields(
                    self.journal, self.person, self.profile, workout, self.cache, evidence, resolved
                )

    def evidence(self, start_ms: int, end_ms: int) -> list[Evidence]:
        """The evidence of [start, end), of which a little may still be at hand."""
        inside = (kept for a, b, kept in self._kept if a <= start_ms and end_ms <= b)
        return next(inside, None) or read_evidence(self.journal, self.person.id, start_ms, end_ms)


@dataclass(frozen=True, slots=True, eq=False)
class _CountedWeek:
    """A week that was counted, and what else its rows are made from."""

    week: Week
    touched: TouchedTime
    collector: _EvidenceCollector
    strap_sessions: list[tuple[str, StrapSession]]

    @property
    def span_ms(self) -> tuple[int, int]:
        return int(self.week.borders_ms[0]), int(self.week.borders_ms[-1])

    def touched_days(self, spans: Spans) -> tuple[int, int]:
        """The first of the days that are touched, and the one behind the last, by their numbers in the week."""
        borders = self.week.borders_ms
        here = overlaps(spans, *self.span_ms)
        first = int(np.searchsorted(borders, here[0][0], side="right")) - 1
        return first, int(np.searchsorted(borders, here[-1][1], side="left"))

    def touched_ms(self, spans: Spans) -> tuple[int, int]:
        """The same as moments."""
        first, behind = self.touched_days(spans)
        return int(self.week.borders_ms[first]), int(self.week.borders_ms[behind])


def _week_blocks(
    journal: Journal, person: Person, profile: Profile, first_day: date, touched: TouchedTime, cache: RowCache
) -> Iterator[Block]:
    """The rows of the days of a week from the first to the last that is touched, and of the week itself."""
    # Read once: each look at them holds all that was noted of that time against its tally.
    workouts = week_workouts(journal, person, profile, first_day)
    sources = journal.sources(person.id)
    collector = _EvidenceCollector(journal, person, profile, touched, cache, sources, workouts)
    week = count_week(journal, person, profile, first_day, collector.collect, cache, workouts)
    yield from collector.blocks
    names = {s.id: s.name for s in sources}
    strap_sessions = [(names[s.source], s) for s in week.strap_sessions]
    counted = _CountedWeek(week, touched, collector, strap_sessions)
    for blocks in WEEK_TABLES.values():
        yield from blocks(counted)


def _minute_blocks(c: _CountedWeek) -> Iterator[Block]:
    tags = {"person": c.week.person.name}
    for a, b in overlaps(c.touched.edges, *c.span_ms):
        # What counts by a watch's own word comes and goes with limits: its minutes with it.
        told = c.collector.journal.told_workouts(c.week.person.id, a, b)
        yield minute_block(c.week.minutes, tags, a, b, only_zones=not told)
    for a, b in overlaps(c.touched.minutes, *c.span_ms):
        yield minute_block(c.week.minutes, tags, a, b)


def _limits_blocks(c: _CountedWeek) -> Iterator[Block]:
    for a, b in overlaps(c.touched.zones, *c.span_ms):
        tags = {"person": c.week.person.name}
        yield limits_block(c.week.minutes, c.week.borders_ms, tags, a, b)


def _hour_blocks(c: _CountedWeek) -> Iterator[Block]:
    w = c.week
    for a, b in overlaps(c.touched.zones, *c.span_ms):
        tags = {"person": w.person.name}
        yield hour_block(w.minutes, w.profile.calendar, w.first_day, w.borders_ms, tags, a, b)


def _day_blocks(c: _CountedWeek) -> Iterator[Block]:
    """From the first that is touched to the end of the week: each tells of those before it, too."""
    w = c.week
    first, _ = c.touched_days(c.touched.days)
    days = Totals(*(column[first:] for column in w.days.columns))
    progress = {name: column[first:] for name, column in progress_fields(w.days, w.target_min).items()}
    yield day_block(days, w.resting_bpm[first:], progress, w.borders_ms[first:], {"person": w.person.name})


def _session_blocks(c: _CountedWeek) -> Iterator[Block]:
    of, span = c.collector, c.touched_ms(c.touched.days)
    return session_blocks(of.journal, of.person, of.profile, *span, of.workouts, c.strap_sessions, of.cache)


def _variability_blocks(c: _CountedWeek) -> Iterator[Block]:
    if overlaps(c.touched.variability, *c.span_ms):
        of, span = c.collector, c.touched_ms(c.touched.variability)
        quiet = c.week.quiet_ms[~np.isnan(c.week.resting_bpm)].tolist()
        yield from variability_blocks(
            of.journal, of.person, quiet, c.strap_sessions, of.workouts, *span, of.cache, of.evidence
        )


WEEK_TABLES: Mapping[str, Callable[[_CountedWeek], Iterable[Block]]] = {
    "minute": _minute_blocks,
    "limits": _limits_blocks,
    "hour": _hour_blocks,
    "day": _day_blocks,
    "week": lambda c: [week_block(c.week, {"person": c.week.person.name})],
    "session": _session_blocks,
    "variability": _variability_blocks,
    "claim": lambda c: [claim_block(c.collector.journal, c.week.person, *c.touched_ms(c.touched.days))],
}
"""How the rows of a week are made, by table. One more table of what is counted is one more line here."""


# --- time without data ---


def _blocks_without_data(
    journal: Journal, person: Person, profile: Profile, start_ms: int, end_ms: int, touched: TouchedTime
) -> list[Block]:
    """Only what files say of themselves where no heart rate is recorded (any more)."""
    start_ms, end_ms = _whole_weeks(profile, start_ms, end_ms)
    tags = {"person": person.name}
    counted = [name for name in WEEK_TABLES if name not in {"session", "claim"}]
    blocks = [Block.empty(name, tags, start_ms, end_ms) for name in counted]
    workouts = find_workouts(journal, person.id, start_ms, end_ms)
    blocks += session_blocks(journal, person, profile, start_ms, end_ms, workouts)
    blocks.append(claim_block(journal, person, start_ms, end_ms))
    for name, spans in (("heart_rate", touched.samples), ("beat", touched.beats)):
        blocks += [Block.empty(name, tags, a, b) for a, b in overlaps(spans, start_ms, end_ms)]
    return blocks
