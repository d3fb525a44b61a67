"""Was this week enough? The newest weeks of a person, counted as people read them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import islice
from typing import Any

from ingest.journal import ALWAYS_MS, Journal, Person
from ingest.rows.cache import RowCache
from ingest.rows.calendar import WEEK, Calendar
from ingest.rows.profile import Profile, read_profile
from ingest.rows.progress import possible_doses
from ingest.rows.unmeasured import NOTHING_UNMEASURED, Unmeasured, find_unmeasured
from ingest.rows.week import Week, count_active_days, count_week, weeks_with_data
from ingest.verbs.limit_doubts import LimitDoubts, find_limit_doubts
from ingest.verbs.times import utc_text
from zones.days import midnights
from zones.dose import dose_min, full_minutes
from zones.edges import Edges, Timeline

_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class DayAnswer:
    """A local day's minutes."""

    day: date
    moderate_min: float
    vigorous_min: float
    unclassified_min: float
    measured_min: float

    @property
    def dose_min(self) -> float:
        """What it adds to the week."""
        return dose_min(self.moderate_min, self.vigorous_min)

    @property
    def full_minutes(self) -> int:
        """The same as people read it."""
        return full_minutes(self.dose_min)


@dataclass(frozen=True, slots=True)
class WeekAnswer:
    """A week's minutes as people read them; never rounded before they are summed."""

    person: str
    week: str
    first: date
    last: date
    light_min: float
    moderate_min: float
    vigorous_min: float
    elevated_min: float
    unclassified_min: float
    measured_min: float
    dose_min: float
    target_min: float
    active_days: int
    hours: float
    """How long the week was, or has been so far, where the person was."""
    edges: list[tuple[date | None, Edges]]
    is_current: bool = False
    """Whether it is that week now, where the person is."""
    not_judged: str | None = None
    """Why the week is not judged, "" if nobody said why; None if it is."""
    bout_min: int | None = None
    sports: Mapping[str, list[tuple[date | None, Edges]]] = field(default_factory=dict)
    """The edges in the sports that have their own."""
    medicine_since: date | None = None
    """When the medicine began that limited the heart rate in the week so far."""
    medicine_until: date | None = None
    """Its last day, if it is over by now."""
    still_to_come: tuple[str, ...] = ()
    """Weeks that begin after now and yet have something recorded, beside the newest week of a person."""
    to_go_min: int | None = None
    """The whole minutes up to the target; None where the week is not judged or no limits are known."""
    days_left: int = 0
    """How many of its days are not over yet, today among them."""
    last_seven_days: "WeekAnswer | None" = None
    """Today and the six days before it, beside the newest week of a person."""
    days: tuple[DayAnswer, ...] = ()
    """Its days, without those that are still to come."""
    doubts: LimitDoubts | None = None
    """What speaks against the limits that are in use now, beside the newest week of a person."""
    spread_min: float = 0.0
    """By how much the dose may be more or less, as watches did not write every second that they saw."""
    unmeasured: Unmeasured = NOTHING_UNMEASURED
    """What came in of it and is not measured, and what counts by a watch's own word."""
    journey_h: float = 0.0
    """How many hours a journey has made of these days more than they would have had without it; negative if fewer."""

    def json(self) -> dict[str, Any]:
        """What `week --json` prints of it."""
        numbers = (
            "light_min",
            "moderate_min",
            "vigorous_min",
            "elevated_min",
            "unclassified_min",
            "measured_min",
            "dose_min",
            "target_min",
            "active_days",
        )
        return {
            "person": self.person,
            "week": self.week,
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            **{name: getattr(self, name) for name in numbers},
            "edges": _edges_json(self.edges),
            "sports": {sport: _edges_json(edges) for sport, edges in self.sports.items()},
            "not_measured_h": self.not_measured_h,
            "judged": self.not_judged is None,
            "not_judged_why": self.not_judged or None,
            "to_go_min": self.to_go_min,
            "dose_least_min": self.dose_min - self.spread_min,
            "dose_most_min": self.dose_min + self.spread_min,
            "decided": self.open_range is None,
            "days_left": self.days_left,
            "bout_min": self.bout_min,
            "still_to_come": list(self.still_to_come),
            "last_seven_days": self.last_seven_days and self.last_seven_days.minutes_json(),
            "limits_in_doubt": self.doubts.json() if self.doubts else None,
            **unmeasured_json(self.unmeasured),
        }

    @property
    def is_measured(self) -> bool:
        """Whether anything of it was."""
        return self.measured_min > 0

    @property
    def not_measured_h(self) -> float:
        """What no sensor saw of the week so far, in hours."""
        return max(self.hours - self.measured_min / 60, 0.0)

    @property
    def may_be_more(self) -> bool:
        """Whether so much was not measured that the minutes are only the least they can be."""
        return self.not_measured_h >= 0.5

    @property
    def open_range(self) -> tuple[int, int] | None:
        """The least and the most that the dose may be, in whole minutes, where these are on both sides of the target."""
        least, most = possible_doses(self.dose_min, self.spread_min)
        if self.to_go_min is None or not least < self.target_min <= most:
            return None
        return math.floor(least), math.ceil(most)

    @property
    def has_limits(self) -> bool:
        """Whether anything of what was measured could be told to be light, moderate or vigorous."""
        return self.measured_min > self.unclassified_min

    @property
    def full_minutes(self) -> int:
        """The minutes as people read them."""
        return full_minutes(self.dose_min)

    def minutes_json(self) -> dict[str, Any]:
        """The same of any days, held against nothing."""
        names = ("moderate_min", "vigorous_min", "dose_min", "measured_min", "active_days", "not_measured_h")
        days = {"from": self.first.isoformat(), "to": self.last.isoformat()}
        return {**days, **{name: getattr(self, name) for name in names}}


def week_answers(
    journal: Journal, persons: Sequence[Person], most: int, now_ms: int | None = None
) -> list[WeekAnswer]:
    """The newest weeks of some persons of which anything came in, at most so many of each, newest first.

    Weeks that are still to come are passed over, unless a person has no others.
    """
    now_ms = journal.now_ms() if now_ms is None else now_ms
    found = [row for person in persons for row in _newest_weeks(journal, person, most, now_ms)]
    return sorted(found, key=lambda row: row.first, reverse=True)


def _newest_weeks(journal: Journal, person: Person, most: int, now_ms: int) -> Iterator[WeekAnswer]:
    profile = read_profile(journal, person.id)
    today = profile.calendar.day_of(now_ms)
    held = _weeks_with_anything(journal, person, profile, most, today)
    coming = tuple(profile.calendar.week_of(d)[1] for d in reversed(held) if d > today)
    begun = [d for d in held if d <= today]
    cache = RowCache()  # the last seven days have days in common with the newest weeks
    told = _told_weeks(journal, person, profile, begun or held, cache)
    for i, (counted, unmeasured) in enumerate(islice(told, most)):
        row = replace(answer_of(counted, now_ms), unmeasured=unmeasured)
        if i == 0:
            since = today - timedelta(days=6)
            rolling = (
                counted
                if since == counted.first_day
                else count_week(journal, person, profile, since, cache=cache)
            )
            row = replace(
                row,
                last_seven_days=answer_of(rolling, now_ms),
                still_to_come=coming,
                doubts=find_limit_doubts(person.name, profile, now_ms),
            )
        yield row


def newest_measured_week(
    journal: Journal, person: Person, profile: Profile, today: date
) -> tuple[date, date] | None:
    """The first and the last day of the newest week that has begun in which anything is measured."""
    for first_day in weeks_with_data(journal, person, profile):
        if first_day <= today:
            counted = count_week(journal, person, profile, first_day)
            if int(counted.total.measured_ms[0]):
                return first_day, first_day + timedelta(days=6)
    return None


def _weeks_with_anything(
    journal: Journal, person: Person, profile: Profile, most: int, today: date
) -> list[date]:
    """The first days of the weeks of which anything may have come in, latest first, back to so many that have begun."""
    held = weeks_with_data(journal, person, profile)
    begun = [day for day in held if day <= today][:most]
    since = midnights(profile.zone, begun[-1], begun[-1])[0] if len(begun) == most else -ALWAYS_MS
    summed_up = journal.summed_up_workouts(person.id, int(since), ALWAYS_MS)
    days = {profile.calendar.week_of(profile.calendar.day_of(at_ms))[0] for at_ms in summed_up}
    return sorted({*held, *days}, reverse=True)


def _told_weeks(
    journal: Journal, person: Person, profile: Profile, first_days: list[date], cache: RowCache
) -> Iterator[tuple[Week, Unmeasured]]:
    """Those of the weeks in which anything is measured, or of which there is anything else to tell."""
    for first_day in first_days:
        counted = count_week(journal, person, profile, first_day, cache=cache)
        unmeasured = find_unmeasured(journal, counted)
        if unmeasured or int(counted.total.measured_ms[0]):
            yield counted, unmeasured


def answer_of(counted: Week, now_ms: int) -> WeekAnswer:
    """A counted week as people read it."""
    t, calendar = counted.total, counted.profile.calendar
    light, moderate, vigorous, elevated, unclassified = (int(c[0]) / _MINUTE_MS for c in t.columns)
    a, b = int(counted.borders_ms[0]), int(counted.borders_ms[-1])
    today, last_day = calendar.day_of(now_ms), counted.first_day + timedelta(days=6)
    medicine = counted.profile.medicine_in(counted.first_day, min(last_day, today))
    return WeekAnswer(
        counted.person.name,
        counted.name,
        counted.first_day,
        last_day,
        light,
        moderate,
        vigorous,
        elevated,
        unclassified,
        int(t.measured_ms[0]) / _MINUTE_MS,
        dose_min(moderate, vigorous),
        calendar.target(counted.first_day),
        count_active_days(counted.days),
        (min(b, max(now_ms, a)) - a) / 3_600_000,
        edges_between(counted.profile.timeline, calendar, a, b),
        a <= now_ms < b,
        calendar.not_judged(counted.first_day),
        counted.profile.bout_min,
        {sport: edges_between(line, calendar, a, b) for sport, line in counted.profile.sports.items()},
        medicine.since if medicine else None,
        medicine.until(today) if medicine else None,
        to_go_min=counted.to_go_min,
        days_left=min(max((counted.first_day + WEEK - today).days, 0), 7),
        days=tuple(day for day in _days(counted) if day.day <= today),
        spread_min=counted.spread_min,
        journey_h=_journey_h(calendar, counted.first_day, min(counted.first_day + WEEK, today)),
    )


def _journey_h(calendar: Calendar, first: date, last: date) -> float:
    """How much later a day began than if the person had stayed where the first one was: who flies west has a long day."""
    if last <= first:
        return 0.0
    there, stayed = (midnights(zone, last, last)[0] for zone in (calendar.zone, calendar.zone_on(first)))
    return int(there - stayed) / 3_600_000


def _days(counted: Week) -> Iterator[DayAnswer]:
    t = counted.days
    columns = (t.moderate_ms, t.vigorous_ms, t.unclassified_ms, t.measured_ms)
    for i, ms in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        yield DayAnswer(counted.first_day + timedelta(days=i), *(x / _MINUTE_MS for x in ms))


def edges_between(line: Timeline, calendar: Calendar, a: int, b: int) -> list[tuple[date | None, Edges]]:
    """The edges in force in the week, with the day they took effect; None if they always held."""
    found: list[tuple[date | None, Edges]] = []
    for i, edges in enumerate(line.edges):
        begins, ends = line.governed(i)
        if edges is not None and begins < b and ends > a:
            found.append((None if begins == -ALWAYS_MS else calendar.day_of(begins), edges))
    return found


def unmeasured_json(x: Unmeasured) -> dict[str, Any]:
    """What `--json` prints of what is not measured: workouts that do not count, and what counts by a watch's own word."""
    light, moderate, vigorous = x.told_zones_min
    return {
        "by_summary": {
            "light_min": light,
            "moderate_min": moderate,
            "vigorous_min": vigorous,
            "dose_min": x.told_dose_min,
        },
        "not_counted": [
            {
                "from": utc_text(w.start_ms),
                "source": w.source,
                "sport": w.sport,
                "duration_min": (w.end_ms - w.start_ms) / _MINUTE_MS,
                "bpm_mean": w.bpm_mean,
                "bpm_max": w.bpm_max,
                "samples": w.samples,
                "why": w.why or "summary",
            }
            for w in x.workouts
        ],
        "samples_not_counted": x.samples,
    }


def _edges_json(edges: list[tuple[date | None, Edges]]) -> list[dict[str, Any]]:
    return [
        {
            "from": begins.isoformat() if begins else None,
            "moderate_bpm": e.moderate_bpm,
            "vigorous_bpm": e.vigorous_bpm,
            "method": e.method,
            "origin": e.origin,
        }
        for begins, e in edges
    ]
