"""What would count otherwise if something were said of the past: days, weeks, workouts and limits, before and after."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from ingest.journal import ALWAYS_MS, Journal, Person
from ingest.rows.evidence import REACH_MS
from ingest.rows.profile import Profile, read_profile
from ingest.rows.week import Week, count_week, weeks_with_data
from ingest.rows.workout import find_workouts, workout_end_ms
from zones.dose import dose_min
from zones.minutes import MINUTE

Numbers = tuple[float, float, float]
"""Minutes measured, moderate and vigorous."""

NOTHING: Numbers = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Change:
    """A day, or a week by its first day, whose minutes differ."""

    first: date
    name: str
    before: Numbers
    after: Numbers

    @property
    def doses_min(self) -> tuple[float, float]:
        """What counts for the week, before and after."""
        return dose_min(*self.before[1:]), dose_min(*self.after[1:])

    def json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        keys = ("measured_min", "moderate_min", "vigorous_min")
        sides = (
            dict(zip((*keys, "dose_min"), (*numbers, dose), strict=True))
            for numbers, dose in zip((self.before, self.after), self.doses_min, strict=True)
        )
        return {
            "first": self.first.isoformat(),
            "name": self.name,
            **dict(zip(("before", "after"), sides, strict=True)),
        }


@dataclass(frozen=True, slots=True)
class SeenWorkout:
    """A workout, of a file or of a strap."""

    start_ms: int
    end_ms: int
    source: str
    sport: str | None


@dataclass(frozen=True, slots=True)
class LimitsChange:
    """Limits that hold otherwise from a moment on; None where none are known."""

    from_ms: int
    before: tuple[int, int] | None
    after: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Effect:
    """All that differs for one person."""

    person: str
    zone: Any
    days: list[Change]
    weeks: list[Change]
    gone: list[SeenWorkout]
    new: list[SeenWorkout]
    limits: list[LimitsChange]

    @property
    def is_nothing(self) -> bool:
        """Whether no number differs."""
        return not (self.days or self.weeks or self.gone or self.new or self.limits)

    def json(self) -> dict[str, Any]:
        """As `--json` prints it."""

        def workouts(found: Iterable[SeenWorkout]) -> list[dict[str, Any]]:
            return [
                {"from_ms": w.start_ms, "to_ms": w.end_ms, "source": w.source, "sport": w.sport}
                for w in found
            ]

        return {
            "person": self.person,
            "days": [d.json() for d in self.days],
            "weeks": [w.json() for w in self.weeks],
            "workouts_gone": workouts(self.gone),
            "workouts_new": workouts(self.new),
            "limits": [{"from_ms": c.from_ms, "before": c.before, "after": c.after} for c in self.limits],
        }


@dataclass(slots=True)
class _Seen:
    """What a journal tells of a person in some weeks."""

    profile: Profile
    days: dict[date, Numbers]
    weeks: dict[tuple[date, str], Numbers]
    workouts: set[SeenWorkout]


def find_effect(
    journal: Journal,
    person: Person,
    spans: Sequence[tuple[int, int]],
    supposing: Callable[[], AbstractContextManager[None]],
    progress: Callable[[Iterable[date]], Iterator[date]] = iter,
) -> Effect:
    """What would differ in the time that is touched (`spans`, ms, both ends included) if something were so.

    `progress` is handed the weeks that are looked at.
    """
    weeks = set(_weeks(journal, person, spans))
    with supposing():
        weeks |= set(_weeks(journal, person, spans))
    in_order = sorted(weeks)
    before = _look(journal, person, progress(in_order))
    with supposing():
        after = _look(journal, person, iter(in_order))
    return Effect(
        person.name,
        before.profile.zone,
        [
            Change(day, day.isoformat(), before.days.get(day, NOTHING), after.days.get(day, NOTHING))
            for day in sorted(before.days.keys() | after.days.keys())
            if _differs(before.days.get(day, NOTHING), after.days.get(day, NOTHING))
        ],
        [
            Change(*week, before.weeks.get(week, NOTHING), after.weeks.get(week, NOTHING))
            for week in sorted(before.weeks.keys() | after.weeks.keys())
            if _differs(before.weeks.get(week, NOTHING), after.weeks.get(week, NOTHING))
        ],
        sorted(before.workouts - after.workouts, key=lambda w: w.start_ms),
        sorted(after.workouts - before.workouts, key=lambda w: w.start_ms),
        list(_limits_changes(before.profile, after.profile)),
    )


def _differs(one: Numbers, other: Numbers) -> bool:
    return any(abs(a - b) > 1e-9 for a, b in zip(one, other, strict=True))


def _weeks(journal: Journal, person: Person, spans: Sequence[tuple[int, int]]) -> Iterator[date]:
    profile = read_profile(journal, person.id)
    for first, last in spans:
        a, b = max(first - REACH_MS, -ALWAYS_MS), min(last + REACH_MS, ALWAYS_MS)
        yield from weeks_with_data(journal, person, profile, a, b, beats=True)
        for e in find_workouts(journal, person.id, a, b):
            yield profile.calendar.week_of(profile.calendar.day_of(e.at_ms))[0]


def _look(journal: Journal, person: Person, weeks: Iterator[date]) -> _Seen:
    seen = _Seen(read_profile(journal, person.id), {}, {}, set())
    names = {s.id: s.name for s in journal.sources(person.id)}
    for first_day in weeks:
        week = count_week(journal, person, seen.profile, first_day)
        for i in range(7):
            seen.days[first_day + timedelta(days=i)] = _numbers(week, slice(i, i + 1))
        seen.weeks[first_day, week.name] = _numbers(week, slice(0, 7))
        start_ms, end_ms = int(week.borders_ms[0]), int(week.borders_ms[-1])
        seen.workouts |= {
            SeenWorkout(e.at_ms, workout_end_ms(e), e.content["source"], e.content.get("sport"))
            for e in find_workouts(journal, person.id, start_ms, end_ms)
        }
        seen.workouts |= {
            SeenWorkout(s.start_ms, s.end_ms, names[s.source], None) for s in week.strap_sessions
        }
    return seen


def _numbers(week: Week, days: slice) -> Numbers:
    d = week.days
    measured, moderate, vigorous = (
        int(column[days].sum()) / MINUTE for column in (d.measured_ms, d.moderate_ms, d.vigorous_ms)
    )
    return measured, moderate, vigorous


def _limits_changes(before: Profile, after: Profile) -> Iterator[LimitsChange]:
    """Where other limits hold, from when on; what differs in the same way only once."""
    moments = {-ALWAYS_MS, *before.timeline.valid_from.tolist(), *after.timeline.valid_from.tolist()}
    last: tuple[object, object] | None = None
    for at, _ in pairwise([*sorted(moments), ALWAYS_MS]):
        held = [
            (e.moderate_bpm, e.vigorous_bpm) if (e := p.timeline.edges_at(at)) else None
            for p in (before, after)
        ]
        if held[0] != held[1] and (held[0], held[1]) != last:
            yield LimitsChange(at, held[0], held[1])
        last = (held[0], held[1])
