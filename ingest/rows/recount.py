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

from ingest.journal import ALWAYS_MS, DAY_MS, Entry, Journal, Person
from ingest.rows.heart import LONGEST_MS, Evidence, believed, evidence
from ingest.rows.profile import Profile, profile
from ingest.rows.table import Block
from zones.days import day_of, midnights, week_of
from zones.dose import dose_min
from zones.minutes import MINUTE, Minutes, Totals, minutes, tally, totals
from zones.spans import Spans

ACTIVE_DAY_MS = 10 * MINUTE
"""A day with at least this much moderate or vigorous movement is an active one."""

LONGEST_SESSION_MS = 7 * DAY_MS

WEEK = timedelta(days=7)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, eq=False)
class Week:
    """One local week of a person, day by day: `borders_ms` are the eight midnights around its seven days."""

    person: Person
    profile: Profile
    first_day: date
    name: str
    borders_ms: NDArray[np.int64]
    minutes: Minutes
    days: Totals

    @property
    def total(self) -> Totals:
        return Totals.of(np.array([[column.sum() for column in self.days.columns]]))


def week(journal: Journal, person: Person, known: Profile, first_day: date) -> Week:
    """A person's week from the journal, counted day by day so that a week of beats needs no memory of a week."""
    borders = midnights(known.zone, first_day, first_day + WEEK)
    parts = [
        minutes(believed(evidence(journal, person.id, int(a), int(b))), known.timeline)
        for a, b in pairwise(borders.tolist())
    ]
    together = Minutes(
        *(np.concatenate([getattr(p, f) for p in parts]) for f in Minutes.__dataclass_fields__)
    )
    _, name = week_of(first_day)
    return Week(person, known, first_day, name, borders, together, totals(together, borders))


def weeks_with_data(journal: Journal, person: Person, zone: str, start_ms: int, end_ms: int) -> list[date]:
    """The first days of the weeks in which a person has anything recorded, latest first."""
    held = journal.held(person.id, start_ms, end_ms)
    if not held:
        return []
    moments = np.clip(np.array(held, np.int64).ravel(), start_ms, end_ms)
    days = np.unique(day_of(moments, zone))
    return sorted({week_of(date.fromordinal(int(d)))[0] for d in days}, reverse=True)


def recounts(journal: Journal, entries: Sequence[Entry]) -> Iterator[list[Block]]:
    """The blocks of rows that take account of what came in, in portions of at most a week of one person."""
    persons = {p.id: p for p in journal.persons()}
    for person_id in sorted({e.person for e in entries}):
        mine = [e for e in entries if e.person == person_id]
        person = persons[person_id]
        known = profile(journal, person_id)
        yield _collector(person, mine)
        touched = _spans(mine)
        if any(e.what in {"profile", "limits"} for e in mine):
            yield _profile_rows(person, known)
        samples = _spans([e for e in mine if e.what in {"chunk", "file"}])
        yield from _stretches(journal, person, known, touched, samples)


def _spans(entries: Sequence[Entry]) -> Spans:
    """The time that entries touch; a sample also changes for how long the one before it stands."""
    some = [e for e in entries if e.first_ms is not None and e.last_ms is not None]
    return Spans.of(
        [max(e.first_ms - LONGEST_MS, -ALWAYS_MS) for e in some],  # type: ignore[operator]
        [min(e.last_ms + LONGEST_MS, ALWAYS_MS) for e in some],  # type: ignore[operator]
    )


def _stretches(
    journal: Journal, person: Person, known: Profile, touched: Spans, samples: Spans
) -> Iterator[list[Block]]:
    for a, b in zip(touched.start.tolist(), touched.end.tolist(), strict=True):
        done_to = a
        for first_day in reversed(weeks_with_data(journal, person, known.zone, a, b)):
            counted = week(journal, person, known, first_day)
            start, end = int(counted.borders_ms[0]), int(counted.borders_ms[-1])
            if done_to < start:
                yield _nothing(person, done_to, start, samples)
            yield list(_week_rows(journal, counted, max(a, start), min(b, end), samples))
            done_to = end
        if done_to < b:
            yield _nothing(person, done_to, b, samples)


def _nothing(person: Person, start_ms: int, end_ms: int, samples: Spans) -> list[Block]:
    """No rows at all where nothing is recorded (any more)."""
    tables = ["minute", "day", "week", "session", "variability", "claim"]
    blocks = [_empty(name, {"person": person.name}, start_ms, end_ms) for name in tables]
    for a, b in _overlap(samples, start_ms, end_ms):
        blocks += [_empty(name, {"person": person.name}, a, b) for name in ("heart_rate", "beat")]
    return blocks


def _week_rows(
    journal: Journal, counted: Week, start_ms: int, end_ms: int, samples: Spans
) -> Iterator[Block]:
    """The rows of the days of a week that [start, end) touches, and of the week itself."""
    tags = {"person": counted.person.name}
    borders = counted.borders_ms
    first = int(np.searchsorted(borders, start_ms, side="right")) - 1
    last = int(np.searchsorted(borders, end_ms, side="left"))
    a, b = int(borders[first]), int(borders[last])
    for x, y in _overlap(samples, start_ms, end_ms):
        yield from _samples(journal, counted.person, x, y)
    yield _minutes(counted.minutes, tags, a, b)
    yield _days(counted, tags, first, last)
    yield _week(counted, tags)
    yield from _sessions(journal, counted, a, b)
    yield _claims(journal, counted.person, a, b)


def _samples(journal: Journal, person: Person, start_ms: int, end_ms: int) -> Iterator[Block]:
    """Samples and beats of each source as they are, day by day."""
    for a in range(start_ms, end_ms, DAY_MS):
        b = min(a + DAY_MS, end_ms)
        found = {e.source.id: e for e in evidence(journal, person.id, a, b)}
        for source in journal.sources(person.id):
            tags = {"person": person.name, "source": source.name, "kind": source.kind}
            e = found.get(source.id)
            times = e.series.times.astype(np.int64) if e else np.empty(0, np.int64)
            i, j = np.searchsorted(times, [a, b])
            bpm = e.series.bpm[i:j] if e else np.empty(0, np.uint8)
            yield Block("heart_rate", tags, a * 1000, b * 1000, times[i:j] * 1000, {"bpm": bpm})
            times = e.beat_times.astype(np.int64) if e else np.empty(0, np.int64)
            i, j = np.searchsorted(times, [a, b])
            rr = e.rr_ms[i:j].astype(np.float64) if e else np.empty(0)
            yield Block("beat", tags, a * 1000, b * 1000, times[i:j] * 1000, {"rr_ms": rr})


def _minutes(all_minutes: Minutes, tags: dict[str, str], start_ms: int, end_ms: int) -> Block:
    i, j = np.searchsorted(all_minutes.start_ms, [start_ms, end_ms])
    m = Minutes(*(getattr(all_minutes, f)[i:j] for f in Minutes.__dataclass_fields__))
    fields = {"bpm": m.bpm_mean, "bpm_min": m.bpm_min, "bpm_max": m.bpm_max, **_zone_seconds(m)}
    return Block("minute", tags, start_ms * 1000, end_ms * 1000, m.start_ms * 1000, fields)


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
        "resting_bpm": [None] * len(which),
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
        "target_min": np.array([counted.profile.target_min])[rows],
        "measured_h": (t.measured_ms / (60 * MINUTE))[rows],
        "active_days": [active_days(counted.days)][rows],
    }
    return Block("week", tags, int(borders[0]), int(borders[-1]), borders[:1][rows], fields)


def active_days(days: Totals) -> int:
    """How many of the days held ten minutes or more of what counts."""
    return int(np.count_nonzero(days.moderate_ms + days.vigorous_ms >= ACTIVE_DAY_MS))


def _sessions(journal: Journal, counted: Week, start_ms: int, end_ms: int) -> Iterator[Block]:
    """The workouts that have anything to do with [start, end): a row stands at its start, which may lie before."""
    known = {
        (e.content["source"], e.at_ms): e
        for e in journal.facts(counted.person.id, "session", start_ms - LONGEST_SESSION_MS, end_ms)
        if e.last_ms is not None and (e.last_ms > start_ms or e.at_ms >= start_ms)
    }
    rows = [(e, _session(journal, counted, e)) for e in known.values()]
    tags = {"person": counted.person.name}
    inside = [(e, row) for e, row in rows if e.at_ms >= start_ms]
    yield _facts_block("session", tags, start_ms, end_ms, inside)
    for e, row in rows:
        if e.at_ms < start_ms:
            one = {**tags, "source": e.content["source"]}
            yield _facts_block("session", one, e.at_ms, e.at_ms + 1, [(e, row)])


def _session(journal: Journal, counted: Week, e: Entry) -> dict[str, Any]:
    assert e.last_ms is not None
    pieces = believed(evidence(journal, counted.person.id, e.at_ms, e.last_ms))
    t = tally(pieces, counted.profile.timeline)
    lasts = pieces.end - pieces.start
    duration_s = e.content["timer_s"]
    return {
        "sport": e.content["sport"],
        "duration_s": float(duration_s) if duration_s is not None else (e.last_ms - e.at_ms) / 1000,
        "bpm_mean": float((lasts * pieces.bpm).sum() / lasts.sum()) if len(pieces) else None,
        "bpm_max": int(pieces.bpm.max()) if len(pieces) else None,
        "moderate_s": float(t.moderate_ms[0]) / 1000,
        "vigorous_s": float(t.vigorous_ms[0]) / 1000,
        "dose_min": dose_min(float(t.moderate_ms[0]) / MINUTE, float(t.vigorous_ms[0]) / MINUTE),
        "trimp": None,
        "recovery_60s": None,
    }


def _claims(journal: Journal, person: Person, start_ms: int, end_ms: int) -> Block:
    rows = [
        (e, {f: e.content[f] for f in ("moderate_min", "vigorous_min", "resting_bpm")})
        for e in journal.facts(person.id, "claim", start_ms, end_ms)
    ]
    return _facts_block("claim", {"person": person.name}, start_ms, end_ms, rows)


def _facts_block(
    table: str, tags: dict[str, str], start_ms: int, end_ms: int, rows: Sequence[tuple[Entry, dict[str, Any]]]
) -> Block:
    """Rows stamped with the moments of their facts, labelled with their sources; of two with one key the later."""
    kept = {(e.content["source"], e.at_ms): (e, row) for e, row in rows}
    found = list(kept.values())
    fields = {name: [row[name] for _, row in found] for name in (found[0][1] if found else ())}
    return Block(
        table,
        tags,
        start_ms * 1000,
        end_ms * 1000,
        np.array([e.at_ms for e, _ in found], np.int64) * 1000,
        fields,
        {} if "source" in tags else {"source": [e.content["source"] for e, _ in found]},
    )


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


def local_date(moment_ms: int, zone: str) -> date:
    """The local day of a moment."""
    return date.fromordinal(int(day_of(np.array([moment_ms]), zone)[0]))


def utc(moment_ms: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=moment_ms)


__all__ = ["Evidence", "Week", "active_days", "local_date", "recounts", "utc", "week", "weeks_with_data"]
