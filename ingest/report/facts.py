"""What a page tells of a person: plain facts, counted by others; what follows from them alone is worked out here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from statistics import fmean, median

from zones.dose import full_minutes

MONTH_WEEKS = 4
"""So many weeks that are over are "the last month"."""

WEEK_HOURS = 168

SEEN_ENOUGH = 0.5
"""With less of the hours measured nobody can say that it was not enough: the unseen half is as large as the seen one."""

LITTLE_UNSEEN = 0.9
"""A plain "no" takes so much of the hours: what was not measured is then no more than a watch that charges."""


@dataclass(frozen=True, slots=True)
class WeekFacts:
    """A week as `week --json` tells of it; `limits` is "known", "medicine" or "unknown"."""

    first: date
    last: date
    is_over: bool
    moderate_min: float
    vigorous_min: float
    dose_min: float
    elevated_min: float
    unclassified_min: float
    measured_min: float
    not_measured_h: float
    may_be_more: bool
    active_days: int
    limits: str
    target_min: float
    not_judged: str | None
    to_go_min: int | None
    open_range: tuple[int, int] | None = None
    """From where to where its minutes may be, where what a watch did not write decides whether they are enough."""
    resting_bpm: tuple[tuple[date, float], ...] = ()
    """Of the days that have one."""
    told_dose_min: float = 0.0
    """What of its minutes counts by a watch's own word."""

    @property
    def is_measured(self) -> bool:
        return self.measured_min > 0

    @property
    def measured_h(self) -> float:
        return self.measured_min / 60

    @property
    def has_dose(self) -> bool:
        """Whether its minutes are known: some were measured while limits were known."""
        return self.is_measured and self.limits == "known"

    @property
    def full_minutes(self) -> int:
        """The minutes as people read them."""
        return full_minutes(self.dose_min)

    @property
    def is_held_against_target(self) -> bool:
        return self.to_go_min is not None and self.is_measured

    @property
    def is_met(self) -> bool:
        return self.is_held_against_target and self.to_go_min == 0

    @property
    def resting(self) -> float | None:
        """The middle one of its days."""
        return median(bpm for _, bpm in self.resting_bpm) if self.resting_bpm else None


@dataclass(frozen=True, slots=True)
class SensorFacts:
    """What one source had to do with a span.

    `sort` is "strap", "watch with strap", "wrist" (as its files tell), "workouts" (nobody knows what measured), "derived" (from beats),
    "all day" or "summary".
    """

    name: str
    sort: str
    measured_h: float
    counted_min: float
    """Moderate and vigorous minutes that were its own."""
    first: date
    last: date

    @property
    def is_wrist(self) -> bool:
        return self.sort in {"wrist", "all day"}

    @property
    def is_strap(self) -> bool:
        return self.sort in {"strap", "watch with strap"}


@dataclass(frozen=True, slots=True)
class LimitFacts:
    """Limits and since when they hold; `since` is None for always. `sport` is "" for the usual ones."""

    since: date | None
    moderate_bpm: int
    vigorous_bpm: int
    method: str
    origin: str
    sport: str = ""


@dataclass(frozen=True, slots=True)
class GuessFacts:
    """What the last month comes to, in minutes a week, were the guessed maximum so many beats lower or higher."""

    off_bpm: int
    if_lower_min: float
    if_higher_min: float


@dataclass(frozen=True, slots=True)
class WorkoutFacts:
    """One workout; `minutes` is None where no limits are known."""

    sport: str | None
    duration_min: float
    bpm_mean: float | None
    bpm_max: int | None
    moderate_min: float | None
    vigorous_min: float | None


@dataclass(frozen=True, slots=True)
class ClaimFacts:
    """What one watch counted itself, all its claims together, beside what is counted here for the same time."""

    name: str
    sort: str
    claims: int
    moderate_min: float
    vigorous_min: float
    our_moderate_min: float
    our_vigorous_min: float
    steps_min: Mapping[str, float]
    """Moderate + 2 x vigorous by which ours differs, by reason (`watch_comparison.STEPS`)."""


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """Everything on the page of a person, on a day. `weeks` stand in order of time; the last may still go on."""

    person: str
    today: date
    asked_weeks: int
    weeks: Sequence[WeekFacts]
    target_min: float
    """Of the week that goes on."""
    targets: Sequence[tuple[date, float]] = ()
    """Other targets, from which day on: those that began in these weeks, and those to come."""
    sensors: Sequence[SensorFacts] = ()
    month_sensors: Sequence[SensorFacts] = ()
    """The same of the last month alone."""
    not_measured_h: Mapping[str, float] = field(default_factory=dict)
    """Hours of the last month that no sensor saw, by reason."""
    limits: Sequence[LimitFacts] = ()
    guess: GuessFacts | None = None
    medicine_since: date | None = None
    medicine_until: date | None = None
    """Its last day, if it is over."""
    bout_min: int | None = None
    workouts: Sequence[WorkoutFacts] = ()
    claims: Sequence[ClaimFacts] = ()
    claimed_resting_bpm: float | None = None
    not_counted: Sequence[str] = ()
    """What came in of these weeks and does not count, a sentence for each workout."""
    samples_not_counted: int = 0
    """Other heart rates of weeks in which nothing is measured."""
    newest_measured: tuple[date, date] | None = None
    """The newest week with anything measured, whether it is among these or not."""

    @property
    def is_measured(self) -> bool:
        return any(week.is_measured for week in self.weeks)

    @property
    def told_dose_min(self) -> float:
        """What of the minutes of the last month counts by a watch's own word."""
        return sum(week.told_dose_min for week in self.month)

    @property
    def knows_limits(self) -> bool:
        """Whether any of its minutes could be counted."""
        return any(week.has_dose for week in self.weeks)

    @property
    def month(self) -> Sequence[WeekFacts]:
        """The newest weeks that are over, four at most; where none is, the one that goes on."""
        over = [week for week in self.weeks if week.is_over]
        return over[-MONTH_WEEKS:] if over else self.weeks[-1:]

    @property
    def month_measured_h(self) -> float:
        return sum(week.measured_h for week in self.month)

    @property
    def month_h(self) -> float:
        """All hours of the last month that are over."""
        return self.month_measured_h + sum(week.not_measured_h for week in self.month)

    @property
    def has_clock_change(self) -> bool:
        """Whether its weeks have an hour more or less than weeks have."""
        return self.month[-1].is_over and round(self.month_h) != len(self.month) * WEEK_HOURS

    @property
    def is_seen_enough(self) -> bool:
        """Whether "not enough" may be said: with most hours unseen, most of the movement may be unseen too."""
        return self.month_measured_h >= SEEN_ENOUGH * self.month_h

    @property
    def is_mostly_wrist(self) -> bool:
        """Whether most of what counts was measured at the wrist; where nothing counts, most of the hours."""
        return self._is_mostly({"wrist", "all day"})

    def _is_mostly(self, sorts: set[str]) -> bool:
        is_counted = sum(s.counted_min for s in self.month_sensors) >= 1
        parts = [(s.counted_min if is_counted else s.measured_h, s.sort in sorts) for s in self.month_sensors]
        return sum(part for part, is_so in parts if is_so) > sum(part for part, _ in parts) / 2

    @property
    def may_have_missed(self) -> bool:
        """Whether a plain "no" would be too strong: measured at the wrist, which misses much, or who knows where; or much not measured."""
        of_watches = self._is_mostly({"wrist", "all day", "workouts"})
        return of_watches or self.month_measured_h < LITTLE_UNSEEN * self.month_h

    @property
    def judged(self) -> Sequence[WeekFacts]:
        """Those of the last month that are held against a target."""
        return [week for week in self.month if week.is_held_against_target]

    @property
    def met(self) -> int:
        """How many of them reached it."""
        return sum(week.is_met for week in self.judged)

    @property
    def mean_dose_min(self) -> float | None:
        """Minutes a week on average, of those that are held against a target; None where there is none."""
        return fmean(week.dose_min for week in self.judged) if self.judged else None

    @property
    def may_be_more(self) -> bool:
        return any(week.may_be_more for week in self.month)
