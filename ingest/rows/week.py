"""Local weeks, counted day by day, and the table `week`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.journal import ALWAYS_MS, Entry, Journal, Person
from ingest.rows.cache import RowCache
from ingest.rows.calendar import WEEK
from ingest.rows.day import Day, known_doses
from ingest.rows.minute import CountedMinutes, OnEvidence, count_minutes
from ingest.rows.profile import Profile
from ingest.rows.progress import classified_so_far, minutes_to_go, possible_doses
from ingest.rows.strap_session import StrapSession
from ingest.rows.table import Block
from ingest.rows.workout import find_workouts, workout_end_ms, workout_spans
from zones.days import day_of, midnights, week_of
from zones.minutes import MINUTE, Minutes, Totals
from zones.moments import distinct
from zones.placing import LATEST_MS
from zones.resting import AFTERWARDS_MS
from zones.spans import Spans
from zones.spread import spread_min

TOGETHER = 30_000
"""Samples and beats that are counted in one go: a usual week is, days of a strap around the clock are not.

A call to numpy costs the same for a day as for a week; and what a day of a strap needs in memory is enough.
"""

ACTIVE_DAY_MS = 10 * MINUTE
"""A day with at least this much moderate or vigorous movement is an active one."""

NO_REASON = "no reason given"
"""Why a week is not judged where nobody said it: a store cannot tell an empty text from none."""


@dataclass(frozen=True, slots=True, eq=False)
class Week:
    """One local week of a person, day by day: `borders_ms` are the eight midnights around its seven days.

    `minutes` are those of the days that were counted, `resting_bpm` is NaN and `quiet_ms` nothing for a day without,
    `strap_sessions` are those that no file tells of.
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
    strap_sessions: tuple[StrapSession, ...]
    spread_min: float = 0.0
    """By how much its dose may be more or less, as watches did not write every second that they saw."""
    unmeasured_ms: tuple[int, ...] = ()
    """When the workouts began of which no heart rate was seen on the day on which they did."""

    @property
    def total(self) -> Totals:
        """The sum of its days."""
        return Totals.of(np.array([[column.sum() for column in self.days.columns]], dtype=np.int64))

    @property
    def target_min(self) -> float | None:
        """What it is held against; None where it is not judged."""
        return self.profile.calendar.aim(self.first_day)

    @property
    def to_go_min(self) -> int | None:
        """The whole minutes up to the target; None where it is not judged or no limits are known."""
        return minutes_to_go(self.days, self.target_min)

    @property
    def is_met(self) -> bool | None:
        """Whether the target is met; None where it is not judged or no limits are known."""
        return None if self.to_go_min is None else self.to_go_min == 0

    @property
    def limits(self) -> str:
        """Whether limits are "known"; where nothing measured could be classified, "medicine" or "unknown" is why."""
        if classified_so_far(self.days)[-1]:
            return "known"
        measured = [
            self.first_day + timedelta(days=i) for i in np.flatnonzero(self.days.measured_ms).tolist()
        ]
        limited = any(self.profile.medicine_in(day, day) is not None for day in measured)
        return "medicine" if limited else "unknown"


def count_week(
    journal: Journal,
    person: Person,
    profile: Profile,
    first_day: date,
    on_evidence: OnEvidence | None = None,
    cache: RowCache | None = None,
    entries: Sequence[Entry] | None = None,
) -> Week:
    """A person's week from the journal, in stretches of days so that a week of beats needs no memory of a week.

    `on_evidence` is called with what is counted; it is not with what the cache holds. `entries` are what `week_workouts` gives,
    where somebody has asked for it.
    """
    cache = cache or RowCache()
    borders = midnights(profile.zone, first_day, first_day + WEEK)
    entries = week_workouts(journal, person, profile, first_day) if entries is None else entries
    workouts = workout_spans(entries)
    parts, days = [], []
    stretch, until = CountedMinutes.none(), int(borders[0])
    for i, (a, b) in enumerate(pairwise(borders.tolist())):
        span = person.id, a, b
        day = cache.day(span)
        if day is None:
            if b > until:
                until = _stretch_end(journal, person.id, cache, borders[i:].tolist())
                stretch = count_minutes(
                    journal, person.id, profile, a, until, on_evidence, cache.minutes(span)
                )
            counted = stretch.between(a, b)
            parts.append(counted.minutes)
            day = Day.summarize(counted, profile, workouts, a, b)
            day = replace(day, unmeasured_ms=tuple(_unmeasured(entries, counted.covered, a, b)))
            cache.store(span, day, counted)
        days.append(day)
    _, name = week_of(first_day, profile.first_weekday)
    return Week(
        person,
        profile,
        first_day,
        name,
        borders,
        Minutes.join(parts),
        Totals.of(np.array([d.zones_ms for d in days], dtype=np.int64)),
        np.array([d.resting_bpm for d in days], dtype=np.float64),
        np.array([d.quiet_ms for d in days], dtype=np.int64),
        tuple(session for d in days for session in d.strap_sessions),
        spread_min(sum(d.open_squares for d in days)),
        tuple(at for d in days for at in d.unmeasured_ms),
    )


def week_workouts(journal: Journal, person: Person, profile: Profile, first_day: date) -> list[Entry]:
    """The workouts of a week, and those of the evening before it, from which its first day may still rest."""
    start_ms, end_ms = midnights(profile.zone, first_day, first_day + WEEK)[[0, -1]].tolist()
    return find_workouts(journal, person.id, start_ms - AFTERWARDS_MS, end_ms)


def _unmeasured(workouts: Sequence[Entry], covered: Spans, start_ms: int, end_ms: int) -> Iterator[int]:
    """The starts of the workouts that began on a day and share no time with what was covered on it."""
    begun = [e for e in workouts if start_ms <= e.at_ms < end_ms]
    ends = [max(workout_end_ms(e), e.at_ms + 1) for e in begun]
    seen = covered.meet(np.array([e.at_ms for e in begun], np.int64), np.array(ends, np.int64))
    return (e.at_ms for e, some in zip(begun, seen.tolist(), strict=True) if not some)


def _stretch_end(journal: Journal, person: int, cache: RowCache, borders: list[int]) -> int:
    """Until which of the midnights to count in one go from the first one on: one day if the cache has a part of it."""
    start, end = borders[:2]
    if cache.minutes((person, start, end)) is not None:
        return end
    amounts = journal.chunk_sizes(person, start, borders[-1])
    for border, following in pairwise(borders[1:]):
        span = person, border, following
        if cache.day(span) is not None or cache.minutes(span) is not None:
            break
        # Where local time was no whole minutes off a minute may be of two days: each counts its own part.
        if border % MINUTE or sum(amount for first, amount in amounts if first < following) > TOGETHER:
            break
        end = following
    return end


def weeks_with_data(
    journal: Journal,
    person: Person,
    profile: Profile,
    start_ms: int = -ALWAYS_MS,
    end_ms: int = ALWAYS_MS,
    *,
    beats: bool = False,
) -> list[date]:
    """The first days of the weeks in [start, end) in which a person may have samples or beats, latest first.

    With `beats` also those in which nothing but beats may lie: a strap tells of a beat after it, and a chunk begins
    with what was told.
    """
    before_ms = LATEST_MS if beats else 0
    chunks = np.array(journal.chunk_spans(person.id, start_ms, end_ms + before_ms), np.int64).reshape(-1, 2)
    chunks = chunks[chunks[:, 0] - before_ms < end_ms]
    # No chunk is longer than a week: where its first and its last moment lie is where all of it does.
    moments = np.clip([chunks[:, 0] - before_ms, chunks[:, 1]], start_ms, end_ms - 1).ravel()
    told = np.array(journal.told_workouts(person.id, start_ms, end_ms), np.int64).ravel()
    moments = np.concatenate([moments, np.clip(told, start_ms, end_ms - 1)])
    days = distinct(day_of(moments, profile.zone))
    return sorted({profile.calendar.week_of(date.fromordinal(int(d)))[0] for d in days}, reverse=True)


def week_block(week: Week, tags: dict[str, str]) -> Block:
    """The row of a week; none if nothing is measured in it."""
    start_ms, end_ms = (int(week.borders_ms[i]) for i in (0, -1))
    if not int(week.total.measured_ms[0]):
        return Block.empty("week", tags, start_ms, end_ms)
    fields = {name: [value] for name, value in _week_fields(week, start_ms, end_ms).items()}
    return Block("week", tags, start_ms * 1000, end_ms * 1000, week.borders_ms[:1] * 1000, fields)


def _week_fields(week: Week, start_ms: int, end_ms: int) -> dict[str, Any]:
    t, calendar = week.total, week.profile.calendar
    _, moderate, vigorous, elevated, unclassified = (int(column[0]) / MINUTE for column in t.columns)
    not_judged = calendar.not_judged(week.first_day)
    dose = known_doses(t)[0]
    least, most = (None, None) if dose is None else possible_doses(dose, week.spread_min)
    before_ms, after_ms = (
        int(midnights(calendar.zone, day, day)[0])
        for day in (week.first_day - WEEK, week.first_day + 2 * WEEK)
    )
    return {
        "moderate_min": moderate,
        "vigorous_min": vigorous,
        "dose_min": dose,
        "target_min": week.target_min,
        "measured_h": int(t.measured_ms[0]) / (60 * MINUTE),
        "active_days": count_active_days(week.days),
        "to_go_min": week.to_go_min,
        "met": None if week.is_met is None else int(week.is_met),
        "unclassified_min": unclassified,
        "elevated_min": elevated,
        "not_judged": NO_REASON if not_judged == "" else not_judged,
        "limits": week.limits,
        "before_s": before_ms // 1000,
        "start_s": start_ms // 1000,
        "end_s": end_ms // 1000,
        "after_s": after_ms // 1000,
        "dose_least_min": least,
        "dose_most_min": most,
    }


def count_active_days(days: Totals) -> int:
    """How many of the days held ten minutes or more of what counts."""
    return int(np.count_nonzero(days.moderate_ms + days.vigorous_ms >= ACTIVE_DAY_MS))
