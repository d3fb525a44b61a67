"""From what came into the journal to the rows that every store must hold for the time it touches.

Entries touch spans of time; days and weeks around them are counted anew from the journal. Nothing is carried over
from an earlier count, so the order in which things came in leaves no trace.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.journal import ALWAYS_MS, Entry, Journal, Person, Source
from ingest.rows.calendar import Calendar
from ingest.rows.fact import facts_block
from ingest.rows.heart import REACH_MS, Evidence, believed, evidence
from ingest.rows.memory import Day, Memory
from ingest.rows.profile import Profile, profile
from ingest.rows.ruling import AROUND_MS, ruled
from ingest.rows.session import session, sessions, spans, workouts
from ingest.rows.table import Block
from ingest.rows.variability import variabilities
from zones.days import Place, day_of, midnights, week_of
from zones.dose import dose_min
from zones.minutes import MINUTE, Minutes, Totals, minutes
from zones.pieces import Pieces
from zones.resting import AFTERWARDS_MS, quietest
from zones.series import TIMES, Series
from zones.spans import Spans

ACTIVE_DAY_MS = 10 * MINUTE
"""A day with at least this much moderate or vigorous movement is an active one."""

WEEK = timedelta(days=7)

_COLUMNS = tuple(Minutes.__dataclass_fields__)


@dataclass(frozen=True, slots=True, eq=False)
class Week:
    """One local week of a person, day by day: `borders_ms` are the eight midnights around its seven days.

    `minutes` are those of the days that were counted, `resting_bpm` is NaN and `quiet_ms` nothing for a day without.
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

    @property
    def total(self) -> Totals:
        return Totals.of(np.array([[column.sum() for column in self.days.columns]]))


def week(
    journal: Journal,
    person: Person,
    known: Profile,
    first_day: date,
    seen: Callable[[int, int, list[Evidence]], None] | None = None,
    memory: Memory | None = None,
) -> Week:
    """A person's week from the journal, counted day by day so that a week of beats needs no memory of a week.

    `seen` is shown the evidence of each day that is counted, with the day's borders in ms; those in `memory` are not.
    """
    borders = midnights(known.zone, first_day, first_day + WEEK)
    exercise = spans(workouts(journal, person.id, int(borders[0]) - AFTERWARDS_MS, int(borders[-1])))
    parts, days = [], []
    for a, b in pairwise(borders.tolist()):
        day = memory.get(person.id, a, b) if memory else None
        if day is None:
            found = evidence(journal, person.id, a, b)
            pieces = believed(found)
            part = minutes(*ruled(journal, person.id, known, pieces, a, b))
            parts.append(part)
            day = _day(found, pieces, part, exercise, a, b)
            if memory:
                memory.keep(person.id, a, b, day)
            if seen is not None:
                seen(a, b, found)
        days.append(day)
    none = minutes(Pieces.none(), known.timeline)
    together = Minutes(*(np.concatenate([getattr(p, f) for p in [none, *parts]]) for f in _COLUMNS))
    _, name = week_of(first_day, known.first_weekday)
    return Week(
        person,
        known,
        first_day,
        name,
        borders,
        together,
        Totals.of(np.array([d.zones_ms for d in days])),
        np.array([d.resting_bpm for d in days]),
        np.array([d.quiet_ms for d in days]),
    )


def _day(found: list[Evidence], pieces: Pieces, counted: Minutes, exercise: Spans, a: int, b: int) -> Day:
    """What is remembered of a day. Besides workouts, all that a workout file recorded is exercise."""
    for e in found:
        if e.source.kind == "activity":
            exercise = exercise | e.pieces.spans
    resting, quiet = (
        quietest(pieces, exercise, [a, b]) if b > a else (np.array([np.nan]), np.zeros(1, np.int64))
    )
    return Day(np.array([column.sum() for column in counted.columns]), float(resting[0]), int(quiet[0]))


def weeks_with_data(
    journal: Journal, person: Person, zone: Place, start_ms: int, end_ms: int, first_weekday: int = 0
) -> list[date]:
    """The first days of the weeks in which a person has anything recorded, latest first."""
    held = journal.held(person.id, start_ms, end_ms)
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
    persons = {p.id: p for p in journal.persons()}
    for person_id in sorted({e.person for e in entries}):
        mine = [e for e in entries if e.person == person_id]
        person = persons[person_id]
        known = profile(journal, person_id)
        yield _collector(person, mine)
        # A sample may make a bout of effort long before and after it.
        news = _News(journal, mine, 0 if known.bout_min is None else AROUND_MS)
        if memory:
            memory.heed(entries, person_id, news.touched)
        if any(e.what in _ABOUT_EDGES for e in mine):
            yield _profile_rows(person, known)
        yield from _stretches(journal, person, known, news, memory)
    if memory and entries:
        memory.heeded(entries)


_ABOUT_EDGES = {"profile", "limits", "touch"}


class _News:
    """The time that entries touch: where samples came or went, where workouts and days did, where only edges changed."""

    def __init__(self, journal: Journal, entries: Sequence[Entry], around_ms: int) -> None:
        self.samples = _spans([e for e in entries if e.what in {"chunk", "file"}])
        self.measured = _spans([e for e in entries if e.what not in _ABOUT_EDGES], around_ms, around_ms)
        self.edges = _spans([e for e in entries if e.what in _ABOUT_EDGES])
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


def _spans(entries: Sequence[Entry], afterwards_ms: int = 0, before_ms: int = 0) -> Spans:
    """The time that entries touch; a sample also has a say in what those around it are worth."""
    some = [e for e in entries if e.first_ms is not None and e.last_ms is not None]
    return Spans.of(
        [max(e.first_ms - REACH_MS - before_ms, -ALWAYS_MS) for e in some],  # type: ignore[operator]
        [min(e.last_ms + REACH_MS + afterwards_ms, ALWAYS_MS) for e in some],  # type: ignore[operator]
    )


def _stretches(
    journal: Journal, person: Person, known: Profile, news: _News, memory: Memory | None
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
            yield _nothing(journal, person, known, a, b, news.samples)
        yield list(_week_rows(journal, person, known, first_day, news, memory))
        counted_to = end
    for a, b in _overlap(touched, counted_to, ALWAYS_MS):
        yield _nothing(journal, person, known, a, b, news.samples)


def _nothing(
    journal: Journal, person: Person, known: Profile, start_ms: int, end_ms: int, samples: Spans
) -> list[Block]:
    """Only what files say of themselves where no heart rate is recorded (any more)."""
    start_ms, end_ms = _whole_weeks(known.zone, start_ms, end_ms, known.first_weekday)
    tables = ["minute", "day", "week", "variability"]
    blocks = [_empty(name, {"person": person.name}, start_ms, end_ms) for name in tables]
    blocks += sessions(journal, person, known, start_ms, end_ms)
    blocks.append(_claims(journal, person, start_ms, end_ms))
    for a, b in _overlap(samples, start_ms, end_ms):
        blocks += [_empty(name, {"person": person.name}, a, b) for name in ("heart_rate", "beat")]
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


def _week_rows(
    journal: Journal,
    person: Person,
    known: Profile,
    first_day: date,
    news: _News,
    memory: Memory | None,
) -> Iterator[Block]:
    """The rows of the days of a week from the first to the last that is touched, and of the week itself."""
    blocks: list[Block] = []
    sources = journal.sources(person.id)
    week_ends = midnights(known.zone, first_day, first_day + WEEK)[[0, -1]].tolist()
    exercise = workouts(journal, person.id, *week_ends)
    done: dict[int, dict[str, Any]] = {}

    def seen(start_ms: int, end_ms: int, found: list[Evidence]) -> None:
        for a, b in _overlap(news.samples, start_ms, end_ms):
            blocks.extend(_samples(person, sources, found, a, b))

        # A day that is read tells of its workouts too; each would be read once more otherwise.
        done.update(
            {
                e.position: session(journal, person, known, e, found)
                for e in exercise
                if _within(e, start_ms, end_ms)
            }
        )

    counted = week(journal, person, known, first_day, seen, memory)
    yield from blocks
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
    yield from sessions(journal, person, known, a, b, done)
    if list(_overlap(news.beats, *week_ms)):
        first, last = _days_around(news.beats, borders)
        quiet = counted.quiet_ms[~np.isnan(counted.resting_bpm)].tolist()
        yield from variabilities(journal, person, quiet, int(borders[first]), int(borders[last]))
    yield _claims(journal, person, a, b)


def _within(e: Entry, start_ms: int, end_ms: int) -> bool:
    return e.last_ms is not None and start_ms <= e.at_ms and e.last_ms <= end_ms


def _days_around(touched: Spans, borders: NDArray[np.int64]) -> tuple[int, int]:
    """The first of the days between the borders that is touched, and the one behind the last."""
    here = list(_overlap(touched, int(borders[0]), int(borders[-1])))
    first = int(np.searchsorted(borders, here[0][0], side="right")) - 1
    return first, int(np.searchsorted(borders, here[-1][1], side="left"))


def _samples(
    person: Person, sources: Sequence[Source], found: list[Evidence], start_ms: int, end_ms: int
) -> Iterator[Block]:
    """Samples and beats of each source as they are; nothing of a source without any, which may have had some."""
    by_source = {e.source.id: e for e in found}
    none, no_times = Series.empty(), np.empty(0, TIMES)
    for source in sources:
        tags = {"person": person.name, "source": source.name, "kind": source.kind}
        e = by_source.get(source.id)
        series, beat_times = (e.series, e.beat_times) if e else (none, no_times)
        times = series.times.astype(np.int64)
        i, j = np.searchsorted(times, [start_ms, end_ms])
        fields: dict[str, Any] = {"bpm": series.bpm[i:j]}
        yield Block("heart_rate", tags, start_ms * 1000, end_ms * 1000, times[i:j] * 1000, fields)
        times = beat_times.astype(np.int64)
        i, j = np.searchsorted(times, [start_ms, end_ms])
        fields = {"rr_ms": e.rr_ms[i:j].astype(np.float64) if e else np.empty(0)}
        yield Block("beat", tags, start_ms * 1000, end_ms * 1000, times[i:j] * 1000, fields)


def _minutes(
    all_minutes: Minutes, tags: dict[str, str], start_ms: int, end_ms: int, *, only_zones: bool = False
) -> Block:
    """The minutes that a stretch of time has to do with."""
    start_ms, end_ms = start_ms // MINUTE * MINUTE, -(-end_ms // MINUTE) * MINUTE
    i, j = np.searchsorted(all_minutes.start_ms, [start_ms, end_ms])
    m = Minutes(*(getattr(all_minutes, f)[i:j] for f in _COLUMNS))
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
    """When which edges took effect; those that always held are stamped with 1970."""
    line = known.timeline
    rows = [(max(int(at), 0), e) for at, e in zip(line.valid_from, line.edges, strict=True) if e]
    fields = {
        "moderate_bpm": [e.moderate_bpm for _, e in rows],
        "vigorous_bpm": [e.vigorous_bpm for _, e in rows],
        "method": [e.method for _, e in rows],
        "origin": [e.origin for _, e in rows],
    }
    times = np.array([at for at, _ in rows], np.int64) * 1000
    return [Block("profile", {"person": person.name}, -ALWAYS_MS * 1000, ALWAYS_MS * 1000, times, fields)]


def _collector(person: Person, entries: Sequence[Entry]) -> list[Block]:
    """A row per file that came in. Two within one millisecond are told apart by their positions."""
    files = [e for e in entries if e.what == "file"]
    blocks = []
    for e in files:
        at = e.recorded_ms * 1000 + e.position % 1000
        fields = {
            "state": [e.content["outcome"]],
            "battery_pct": [None],
            "samples": [e.content["samples"]],
            "gaps": [None],
            "waiting": [e.content["waiting"]],
        }
        tags = {"person": person.name, "source": "inbox"}
        blocks.append(Block("collector", tags, at, at + 1, np.array([at], np.int64), fields))
    return blocks


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
