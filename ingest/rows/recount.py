"""From what came into the journal to the rows that every store must hold for the time it touches.

Entries touch spans of time; days and weeks around them are counted anew from the journal. Nothing is carried over
from an earlier count, so the order in which things came in leaves no trace.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.journal import ALWAYS_MS, DAY_MS, Entry, Journal, Person, Source
from ingest.rows.cache import ABOUT_EDGES, Memory
from ingest.rows.calendar import Calendar
from ingest.rows.day import Counted, Day, Seen, count
from ingest.rows.evidence import REACH_MS, Evidence, evidence
from ingest.rows.fact import facts_block
from ingest.rows.profile import Profile
from ingest.rows.ruling import AROUND_MS
from ingest.rows.session import sessions, spans, workout_fields, workouts
from ingest.rows.strap_session import Session
from ingest.rows.table import TABLES, Block
from ingest.rows.variability import variabilities
from zones import placing
from zones.days import Place, day_of, midnights, week_of
from zones.dose import dose_min
from zones.minutes import MINUTE, Minutes, Totals
from zones.pieces import Pieces
from zones.resting import AFTERWARDS_MS
from zones.series import TIMES
from zones.spans import Spans

LIVE_MS = 60 * MINUTE
"""The evidence of so little time is kept at hand for what else is asked of it."""

TOGETHER = 30_000
"""Samples and beats that are counted in one go: a usual week is, days of a strap around the clock are not.

A call to numpy costs the same for a day as for a week; and what a day of a strap needs in memory is enough.
"""

ACTIVE_DAY_MS = 10 * MINUTE
"""A day with at least this much moderate or vigorous movement is an active one."""

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True, eq=False)
class Week:
    """One local week of a person, day by day: `borders_ms` are the eight midnights around its seven days.

    `minutes` are those of the days that were counted, `resting_bpm` is NaN and `quiet_ms` nothing for a day without,
    `worn` are the sessions of straps that no file tells of.
    """

    person: Person
    profile: Profile
    first_day: date
    name: str
    borders_ms: NDArray[np.int64]
    minutes: Minutes
    days: Totals
    resting_bpm: NDArray[np.float64]
    quiet_ms: NDArray[np.int64]
    worn: tuple[Session, ...]

    @property
    def total(self) -> Totals:
        return Totals.of(np.array([[column.sum() for column in self.days.columns]]))


def week(
    journal: Journal,
    person: Person,
    known: Profile,
    first_day: date,
    seen: Seen | None = None,
    memory: Memory | None = None,
) -> Week:
    """A person's week from the journal, in stretches of days so that a week of beats needs no memory of a week.

    `seen` is shown the evidence of what is counted and what of it is believed; what `memory` holds is not.
    """
    memory = memory or Memory()
    borders = midnights(known.zone, first_day, first_day + WEEK)
    exercise = spans(workouts(journal, person.id, int(borders[0]) - AFTERWARDS_MS, int(borders[-1])))
    parts, days = [], []
    stretch, until = Counted.none(), int(borders[0])
    for i, (a, b) in enumerate(pairwise(borders.tolist())):
        span = person.id, a, b
        day = memory.day(span)
        if day is None:
            if b > until:
                until = _as_far(journal, person.id, memory, borders[i:].tolist())
                stretch = count(journal, person.id, known, a, until, seen, memory.counted(span))
            counted = stretch.between(a, b)
            parts.append(counted.minutes)
            day = Day.of(counted, known, exercise, a, b)
            memory.keep(span, day, counted)
        days.append(day)
    _, name = week_of(first_day, known.first_weekday)
    return Week(
        person,
        known,
        first_day,
        name,
        borders,
        Minutes.join(parts),
        Totals.of(np.array([d.zones_ms for d in days])),
        np.array([d.resting_bpm for d in days]),
        np.array([d.quiet_ms for d in days]),
        tuple(session for d in days for session in d.worn),
    )


def _as_far(journal: Journal, person: int, memory: Memory, borders: list[int]) -> int:
    """Until which of the midnights to count from the first one on: one day of which something is remembered, or many."""
    start, end = borders[:2]
    if memory.counted((person, start, end)) is not None:
        return end
    amounts = journal.chunk_sizes(person, start, borders[-1])
    for border, following in pairwise(borders[1:]):
        span = person, border, following
        if memory.day(span) is not None or memory.counted(span) is not None:
            break
        # Where local time was no whole minutes off a minute may be of two days: each counts its own part.
        if border % MINUTE or sum(amount for first, amount in amounts if first < following) > TOGETHER:
            break
        end = following
    return end


def weeks_with_data(
    journal: Journal, person: Person, zone: Place, start_ms: int, end_ms: int, first_weekday: int = 0
) -> list[date]:
    """The first days of the weeks in which a person has anything recorded, latest first."""
    held = journal.chunk_spans(person.id, start_ms, end_ms)
    if not held:
        return []
    moments = np.clip(np.array(held, np.int64).ravel(), start_ms, end_ms)
    days = np.unique(day_of(moments, zone))
    return sorted({week_of(date.fromordinal(int(d)), first_weekday)[0] for d in days}, reverse=True)


def recounts(
    journal: Journal, entries: Sequence[Entry], memory: Memory | None = None
) -> Iterator[list[Block]]:
    """The blocks of rows that take account of what came in, in portions of at most a week of one person.

    `memory` is of one who follows the journal, and spares counting days that nothing touched.
    """
    memory = memory or Memory()
    if entries:
        memory.open(entries)
    persons = {p.id: p for p in journal.persons()}
    for person_id in sorted({e.person for e in entries}):
        mine = [e for e in entries if e.person == person_id]
        person = persons[person_id]
        known = memory.profile(journal, person_id)
        yield list(_collector(journal, person, mine))
        # A sample may make a bout of effort long before and after it.
        news = _News(journal, mine, 0 if known.bout_min is None else AROUND_MS)
        memory.heed(person_id, news.touched)
        if any(e.what in ABOUT_EDGES for e in mine):
            yield _profile_rows(person, known)
        yield from _stretches(journal, person, known, news, memory)
    if entries:
        memory.heeded(entries)


class _News:
    """The time that entries touch: where samples came or went, where workouts and days did, where only edges changed."""

    def __init__(self, journal: Journal, entries: Sequence[Entry], around_ms: int) -> None:
        # Samples are what they are; beats may be placed anew when word of others comes.
        recorded = [e for e in entries if e.what in {"chunk", "file"}]
        self.samples = _spans(recorded, reach_ms=0)
        self.placed = _spans(recorded, reach_ms=placing.REACH_MS)
        self.measured = _spans([e for e in entries if e.what not in ABOUT_EDGES], around_ms, around_ms)
        self.edges = _spans([e for e in entries if e.what in ABOUT_EDGES])
        # A day rests from the workouts of the evening before.
        afterwards = _spans([e for e in entries if e.what in {"session", "file"}], AFTERWARDS_MS)
        self.touched = self.measured | afterwards | self.edges
        other_days = _other_days(journal, [e for e in entries if e.what == "profile"])
        self.beats = self.measured | afterwards | (self.edges if other_days else Spans.none())


def _other_days(journal: Journal, changes: Sequence[Entry]) -> bool:
    """Whether a change of a profile moved the person to another time zone."""
    zones: dict[int, list[Any]] = {}
    for e in changes:
        if e.person not in zones:
            known = sorted(journal.facts(e.person, "profile"), key=lambda k: k.position)
            before = [k for k in known if k.position < e.position][-1:]
            zones[e.person] = [_where(k) for k in before] or ["UTC"]
        zones[e.person].append(_where(e))
    return any(one != other for places in zones.values() for one, other in pairwise(places))


def _where(e: Entry) -> Place:
    """Where a profile lets its person live when."""
    return Calendar.of(e.content).zone


def _spans(
    entries: Sequence[Entry], afterwards_ms: int = 0, before_ms: int = 0, reach_ms: int = REACH_MS
) -> Spans:
    """The time that entries touch; a sample also has a say in what those around it are worth."""
    some = [(e.first_ms, e.last_ms) for e in entries if e.first_ms is not None and e.last_ms is not None]
    return Spans.pairs(
        (max(first - reach_ms - before_ms, -ALWAYS_MS), min(last + 1 + reach_ms + afterwards_ms, ALWAYS_MS))
        for first, last in some
    )


def _stretches(
    journal: Journal, person: Person, known: Profile, news: _News, memory: Memory
) -> Iterator[list[Block]]:
    """The weeks that the touched time has to do with, each counted once, and what lies between them."""
    touched = news.touched
    around = [
        _whole_weeks(known.zone, a, b, known.first_weekday)
        for a, b in zip(touched.start.tolist(), touched.end.tolist(), strict=True)
    ]
    weeks = {
        w for a, b in around for w in weeks_with_data(journal, person, known.zone, a, b, known.first_weekday)
    }
    counted_to = -ALWAYS_MS
    for first_day in sorted(weeks):
        start, end = midnights(known.zone, first_day, first_day + WEEK)[[0, -1]].tolist()
        if not list(_overlap(touched, start, end)):
            continue
        for a, b in _overlap(touched, counted_to, start):
            yield _nothing(journal, person, known, a, b, news)
        yield list(_week_rows(journal, person, known, first_day, news, memory))
        counted_to = end
    for a, b in _overlap(touched, counted_to, ALWAYS_MS):
        yield _nothing(journal, person, known, a, b, news)


def _nothing(
    journal: Journal, person: Person, known: Profile, start_ms: int, end_ms: int, news: _News
) -> list[Block]:
    """Only what files say of themselves where no heart rate is recorded (any more)."""
    start_ms, end_ms = _whole_weeks(known.zone, start_ms, end_ms, known.first_weekday)
    tables = ["minute", "day", "week", "variability"]
    blocks = [_empty(name, {"person": person.name}, start_ms, end_ms) for name in tables]
    blocks += sessions(journal, person, known, start_ms, end_ms)
    blocks.append(_claims(journal, person, start_ms, end_ms))
    for name, samples in (("heart_rate", news.samples), ("beat", news.placed)):
        blocks += [
            _empty(name, {"person": person.name}, a, b) for a, b in _overlap(samples, start_ms, end_ms)
        ]
    return blocks


def _whole_weeks(zone: Place, start_ms: int, end_ms: int, first_weekday: int) -> tuple[int, int]:
    """The weeks around a span: their rows are stamped with their first moments, which may lie before it."""
    if start_ms > -ALWAYS_MS:
        first_day, _ = week_of(local_date(start_ms, zone), first_weekday)
        start_ms = int(midnights(zone, first_day, first_day)[0])
    if end_ms < ALWAYS_MS:
        next_week = week_of(local_date(end_ms - 1, zone), first_weekday)[0] + WEEK
        end_ms = int(midnights(zone, next_week, next_week)[0])
    return start_ms, end_ms


class _Look:
    """What is seen while a week is counted: the rows of samples and beats, and what workouts and bouts of beats tell."""

    def __init__(self, journal: Journal, person: Person, known: Profile, news: _News, memory: Memory) -> None:
        self.blocks: list[Block] = []
        self.sources = journal.sources(person.id)
        self.workouts: list[Entry] = []
        self._journal, self._person, self._known = journal, person, known
        self._news, self._memory = news, memory
        self._held: list[tuple[int, int, list[Evidence]]] = []

    def seen(self, start_ms: int, end_ms: int, found: list[Evidence], resolved: Pieces) -> None:
        """Take what there is in the evidence of [start, end)."""
        if end_ms - start_ms <= LIVE_MS:
            self._held.append((start_ms, end_ms, found))
        for table, samples in (("heart_rate", self._news.samples), ("beat", self._news.placed)):
            for a, b in _overlap(samples, start_ms, end_ms):
                self.blocks.extend(_samples(table, self._person, self.sources, found, a, b))
        for e in self.workouts:
            # A day that is read tells of its workouts too; each would be read once more otherwise.
            if _within(e, start_ms, end_ms):
                workout_fields(self._journal, self._person, self._known, e, self._memory, found, resolved)

    def evidence(self, start_ms: int, end_ms: int) -> list[Evidence]:
        """The evidence of [start, end), of which a little may still be at hand."""
        inside = (found for a, b, found in self._held if a <= start_ms and end_ms <= b)
        return next(inside, None) or evidence(self._journal, self._person.id, start_ms, end_ms)


def _week_rows(
    journal: Journal, person: Person, known: Profile, first_day: date, news: _News, memory: Memory
) -> Iterator[Block]:
    """The rows of the days of a week from the first to the last that is touched, and of the week itself."""
    look = _Look(journal, person, known, news, memory)
    week_ends = midnights(known.zone, first_day, first_day + WEEK)[[0, -1]].tolist()
    look.workouts = workouts(journal, person.id, *week_ends)
    counted = week(journal, person, known, first_day, look.seen, memory)
    yield from look.blocks
    tags = {"person": person.name}
    borders = counted.borders_ms
    week_ms = int(borders[0]), int(borders[-1])
    for a, b in _overlap(news.edges, *week_ms):
        yield _minutes(counted.minutes, tags, a, b, only_zones=True)
    for a, b in _overlap(news.measured, *week_ms):
        yield _minutes(counted.minutes, tags, a, b)
    first, last = _days_around(news.touched, borders)
    a, b = int(borders[first]), int(borders[last])
    yield _days(counted, tags, first, last)
    yield _week(counted, tags)
    names = {s.id: s.name for s in look.sources}
    worn = [(names[s.source], s) for s in counted.worn]
    yield from sessions(journal, person, known, a, b, worn, memory)
    if list(_overlap(news.beats, *week_ms)):
        first, last = _days_around(news.beats, borders)
        quiet = counted.quiet_ms[~np.isnan(counted.resting_bpm)].tolist()
        within = int(borders[first]), int(borders[last])
        yield from variabilities(journal, person, quiet, worn, *within, memory, look.evidence)
    yield _claims(journal, person, a, b)


def _within(e: Entry, start_ms: int, end_ms: int) -> bool:
    return e.last_ms is not None and start_ms <= e.at_ms and e.last_ms <= end_ms


def _days_around(touched: Spans, borders: NDArray[np.int64]) -> tuple[int, int]:
    """The first of the days between the borders that is touched, and the one behind the last."""
    here = list(_overlap(touched, int(borders[0]), int(borders[-1])))
    first = int(np.searchsorted(borders, here[0][0], side="right")) - 1
    return first, int(np.searchsorted(borders, here[-1][1], side="left"))


def _samples(
    table: str, person: Person, sources: Sequence[Source], found: list[Evidence], start_ms: int, end_ms: int
) -> Iterator[Block]:
    """Samples or beats of each source as they are; nothing of a source without any, which may have had some."""
    by_source = {e.source.id: e for e in found}
    field = "bpm" if table == "heart_rate" else "rr_ms"
    for source in sources:
        tags = {"person": person.name, "source": source.name, "kind": source.kind}
        e = by_source.get(source.id)
        values: NDArray[Any] = np.empty(0, np.uint8 if table == "heart_rate" else np.float64)
        times = np.empty(0, TIMES)
        if e and table == "heart_rate":
            times, values = e.series.times, e.series.bpm
        elif e:
            # A store has room for one beat of a moment: the same one in each, whoever counts it again.
            last = np.append(
                e.beat_times[1:] != e.beat_times[:-1], np.ones(min(len(e.beat_times), 1), np.bool_)
            )
            times, values = e.beat_times[last], e.rr_ms[last].astype(np.float64)
        ms = times.astype(np.int64)
        i, j = np.searchsorted(ms, [start_ms, end_ms])
        yield Block(table, tags, start_ms * 1000, end_ms * 1000, ms[i:j] * 1000, {field: values[i:j]})


def _minutes(
    all_minutes: Minutes, tags: dict[str, str], start_ms: int, end_ms: int, *, only_zones: bool = False
) -> Block:
    """The minutes that a stretch of time has to do with."""
    start_ms, end_ms = start_ms // MINUTE * MINUTE, -(-end_ms // MINUTE) * MINUTE
    m = all_minutes.between(start_ms, end_ms)
    fields = {"bpm": m.bpm_mean, "bpm_min": m.bpm_min, "bpm_max": m.bpm_max, **_zone_seconds(m)}
    return Block(
        "minute",
        tags,
        start_ms * 1000,
        end_ms * 1000,
        m.start_ms * 1000,
        fields,
        only_zones=only_zones,
    )


def _zone_seconds(t: Totals) -> dict[str, NDArray[np.float64]]:
    return {
        "light_s": t.light_ms / 1000,
        "moderate_s": t.moderate_ms / 1000,
        "vigorous_s": t.vigorous_ms / 1000,
        "elevated_s": t.elevated_ms / 1000,
        "unclassified_s": t.unclassified_ms / 1000,
        "measured_s": t.measured_ms / 1000,
    }


def _days(counted: Week, tags: dict[str, str], first: int, last: int) -> Block:
    """The days with anything measured among those from the first to before the last."""
    which = np.arange(first, last)
    which = which[counted.days.measured_ms[which] > 0]
    t = Totals(*(column[which] for column in counted.days.columns))
    fields = {
        **_zone_seconds(t),
        "dose_min": dose_min(t.moderate_ms / MINUTE, t.vigorous_ms / MINUTE),
        "resting_bpm": [None if np.isnan(bpm) else bpm for bpm in counted.resting_bpm[which].tolist()],
    }
    borders = counted.borders_ms * 1000
    return Block("day", tags, int(borders[first]), int(borders[last]), borders[which], fields)


def _week(counted: Week, tags: dict[str, str]) -> Block:
    t = counted.total
    borders = counted.borders_ms * 1000
    rows = slice(0, 1 if t.measured_ms[0] else 0)
    fields: dict[str, Any] = {
        "moderate_min": (t.moderate_ms / MINUTE)[rows],
        "vigorous_min": (t.vigorous_ms / MINUTE)[rows],
        "dose_min": dose_min(t.moderate_ms / MINUTE, t.vigorous_ms / MINUTE)[rows],
        "target_min": [counted.profile.calendar.aim(counted.first_day)][rows],
        "measured_h": (t.measured_ms / (60 * MINUTE))[rows],
        "active_days": [active_days(counted.days)][rows],
    }
    return Block("week", tags, int(borders[0]), int(borders[-1]), borders[:1][rows], fields)


def active_days(days: Totals) -> int:
    """How many of the days held ten minutes or more of what counts."""
    return int(np.count_nonzero(days.moderate_ms + days.vigorous_ms >= ACTIVE_DAY_MS))


def _claims(journal: Journal, person: Person, start_ms: int, end_ms: int) -> Block:
    rows = [
        (e, {f: e.content[f] for f in ("moderate_min", "vigorous_min", "resting_bpm")})
        for e in journal.facts(person.id, "claim", start_ms, end_ms)
    ]
    return facts_block("claim", {"person": person.name}, start_ms, end_ms, rows)


def _profile_rows(person: Person, known: Profile) -> list[Block]:
    """When which edges took effect, with the heart they are of; what always held is stamped with 2 January 1970.

    VictoriaMetrics takes a time of 0 for none and writes down the present instead, and cannot look up the first hour.
    """
    line = known.timeline
    rows = [
        (max(at, DAY_MS), e, *known.heart.at(at))
        for at in sorted({*line.valid_from.tolist(), *known.heart.begins})
        if (e := line.edges_at(at))
    ]
    fields = {
        "moderate_bpm": [e.moderate_bpm for _, e, _, _ in rows],
        "vigorous_bpm": [e.vigorous_bpm for _, e, _, _ in rows],
        "maximum_bpm": [maximum for *_, maximum in rows],
        "resting_bpm": [resting for _, _, resting, _ in rows],
        "method": [e.method for _, e, _, _ in rows],
        "origin": [e.origin for _, e, _, _ in rows],
    }
    times = np.array([at for at, *_ in rows], np.int64) * 1000
    return [Block("profile", {"person": person.name}, -ALWAYS_MS * 1000, ALWAYS_MS * 1000, times, fields)]


def _collector(journal: Journal, person: Person, entries: Sequence[Entry]) -> Iterator[Block]:
    """A row per file that came in, and per word of how a strap is.

    Two within one millisecond are told apart by their positions. Where words were dated anew, those that are there now
    take the place of all that were there.
    """
    for e in entries:
        if e.what == "file":
            at = e.recorded_ms * 1000 + e.position % 1000
            yield _words(person, "inbox", {at: {**e.content, "state": e.content["outcome"]}}, at, at + 1)
        elif e.what == "collector":
            at = e.at_ms * 1000 + e.position % 1000
            yield _words(person, e.content["source"], {at: e.content}, at, at + 1)
        elif e.what == "redated":
            source, end_ms = e.content["source"], e.content["last_ms"] + 1
            # Day by day: a boot may last for months.
            for a in range(e.content["first_ms"], end_ms, DAY_MS):
                b = min(a + DAY_MS, end_ms)
                words = {
                    word.at_ms * 1000 + word.position % 1000: word.content
                    for word in journal.facts(person.id, "collector", a, b)
                    if word.content["source"] == source
                }
                yield _words(person, source, words, a * 1000, b * 1000)


def _words(
    person: Person, source: str, words: dict[int, dict[str, Any]], start_us: int, end_us: int
) -> Block:
    """What a collector said of a source, by the moments of its rows (us)."""
    at = sorted(words)
    fields = {name: [words[t].get(name) for t in at] for name in TABLES["collector"].fields}
    tags = {"person": person.name, "source": source}
    return Block("collector", tags, start_us, end_us, np.array(at, np.int64), fields)


def _empty(table: str, tags: dict[str, str], start_ms: int, end_ms: int) -> Block:
    return Block(table, tags, start_ms * 1000, end_ms * 1000, np.empty(0, np.int64), {})


def _overlap(spans: Spans, start_ms: int, end_ms: int) -> Iterator[tuple[int, int]]:
    for a, b in zip(spans.start.tolist(), spans.end.tolist(), strict=True):
        if a < end_ms and b > start_ms:
            yield max(a, start_ms), min(b, end_ms)


def local_date(moment_ms: int, zone: Place) -> date:
    """The local day of a moment."""
    return date.fromordinal(int(day_of(np.array([moment_ms]), zone)[0]))


def utc(moment_ms: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=moment_ms)


__all__ = [
    "Evidence",
    "Memory",
    "Week",
    "active_days",
    "local_date",
    "recounts",
    "utc",
    "week",
    "weeks_with_data",
]
