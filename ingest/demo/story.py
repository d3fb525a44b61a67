"""What happens to the made-up household: weeks of two people, up to a moment.

Robin wears a watch day and night, and a strap for some workouts; a plan that rises, days on which the watch was left on its
charger, a pause, and a journey. Sam has a strap alone, whose battery runs low. The same seed, moment and time zone give the
same story.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from random import Random
from zoneinfo import ZoneInfo

from ingest.demo.day import MINUTE_MS, MadeUpDay, Minutes, Walk
from ingest.demo.effort import CYCLING, HIKING, INTERVALS, ROWING, WALKING, Effort, Sport

WEEKS = 12

STEPS_MIN, STEP_WEEKS = (60, 90, 120), 4
"""The plan of Robin: a target of so many minutes for so many weeks each."""

SAMS_TARGET_MIN = 60

PAUSED, TESTED, TRAVELLED = 5, 6, 1
"""Weeks before this one: of the pause, of the exercise test, and of the journey."""

FORGOTTEN = 8
"""Weeks before this one in which the watch lay on its charger for two days."""

ROBINS_PARTS = (0.85, 1.15, 1.05, 0.8, 0.5, 0.12, 1.15, 0.85, 1.1, 0.8, 1.2, 0.75)
SAMS_PARTS = (0.9, 0.7, 1.2, 1.05, 0.55, 1.1, 0.8, 1.25, 0.95, 0.6, 1.15, 0.9)
"""How much of the target is done in a week, this one first."""

ROBINS_BORN, ROBINS_MAXIMUM_BPM = 1978, 172
SAMS_MODERATE_BPM, SAMS_VIGOROUS_BPM = 104, 126

LOST_MIN = 7
"""Minutes of a workout that count for nothing, as the heart comes late and is let go at the end."""

_ROBINS_WEEK: tuple[tuple[int, str, Sport, bool], ...] = (
    (0, "18:10", CYCLING, False),
    (2, "10:05", ROWING, True),
    (3, "19:05", INTERVALS, True),
    (5, "11:30", WALKING, False),
)
"""Weekday, clock, what is done, and whether the strap is worn."""

_SAMS_WEEK = ((1, "10:40"), (4, "10:20"), (6, "15:15"))
_SAMS_MORNINGS = (0, 3)
_FAR = ("Asia/Tokyo", "America/New_York")


@dataclass(frozen=True)
class Story:
    """What happens until `now`, for `weeks` weeks, to people who live in `zone`."""

    now: datetime
    zone: str
    seed: int = 1
    weeks: int = WEEKS

    @cached_property
    def now_ms(self) -> int:
        """This moment, on a whole minute: what came in later is not there yet."""
        return round(self.now.timestamp()) // 60 * MINUTE_MS

    @cached_property
    def today(self) -> date:
        """The day that it is at home."""
        return self.now.astimezone(ZoneInfo(self.zone)).date()

    @property
    def monday(self) -> date:
        """The first day of this week."""
        return self.today - timedelta(days=self.today.weekday())

    @property
    def first(self) -> date:
        """The first day of all."""
        return self.monday - timedelta(weeks=self.weeks - 1)

    @property
    def days(self) -> int:
        """How many days there are, this one the last."""
        return (self.today - self.first).days + 1

    def week_before(self, weeks: int) -> date:
        """The first day of the week so many weeks before this one."""
        return self.monday - timedelta(weeks=weeks)

    # --- what the settings say of it ---

    @property
    def plan_from(self) -> date:
        """When the first step of the plan begins."""
        return self.week_before(WEEKS - 1)

    @property
    def tested(self) -> date:
        """The day of Robin's exercise test."""
        return self.week_before(TESTED) + timedelta(days=4)

    @property
    def pause(self) -> tuple[date, date]:
        """The first and the last day of the pause."""
        return self.week_before(PAUSED), self.week_before(PAUSED) + timedelta(days=6)

    @property
    def journey(self) -> tuple[date, date]:
        """The first and the last day of the journey."""
        return self.week_before(TRAVELLED) + timedelta(days=2), self.week_before(TRAVELLED) + timedelta(
            days=6
        )

    @cached_property
    def far_zone(self) -> str:
        """The time zone of the journey, some hours away from home."""
        noon = datetime.combine(self.today, time(12))
        offsets = {z: noon.replace(tzinfo=ZoneInfo(z)).utcoffset() for z in (self.zone, *_FAR)}
        home = offsets[self.zone] or timedelta()
        return next(z for z in _FAR if abs((offsets[z] or timedelta()) - home) > timedelta(hours=4))

    # --- Robin ---

    def robins_zone(self, day: date) -> ZoneInfo:
        """Where Robin is."""
        away = self.journey[0] <= day <= self.journey[1]
        return ZoneInfo(self.far_zone if away else self.zone)

    def robins_day(self, day: date) -> MadeUpDay:
        """Robin's day from midnight to midnight."""
        begins, ends = (_moment_ms(d, "00:00", self.robins_zone(d)) for d in (day, day + timedelta(days=1)))
        random = self._random("Robin", day)
        ago, length = self._weeks_ago(day), (ends - begins) // MINUTE_MS
        efforts = self._robins_efforts(day)
        off: list[Minutes] = [
            (charge := 60 * 20 + random.randrange(-30, 20), charge + random.randrange(35, 70))
        ]
        if any(
            e.start_ms < begins + off[0][1] * MINUTE_MS and begins + off[0][0] * MINUTE_MS < e.end_ms
            for e in efforts
        ):
            off = [(60 * 21 + 15, 60 * 22)]
        if ago == FORGOTTEN and day.weekday() in {1, 2}:
            off, efforts = [(0, length)], []
        raised = (
            [(a := 60 * 15 + random.randrange(0, 90), a + random.randrange(8, 16))]
            if day.weekday() == 1
            else []
        )
        return MadeUpDay(
            day.isoformat(), begins, ends, self._resting_bpm(day), (self.seed, 1, day.toordinal()),
            efforts, self._walks(day, random, ago), off, raised,
        )  # fmt: skip

    def robins_moderate_bpm(self, day: date) -> int:
        """Where moderate begins: by age until the test, by the test from then on; a watch could not know better."""
        return 110 if day >= self.tested else 115

    def _resting_bpm(self, day: date) -> float:
        """It falls a little over the weeks of the plan, is raised in the pause, and is never quite the same."""
        ago = self._weeks_ago(day)
        ill = {PAUSED: 7.0, PAUSED - 1: 3.0}.get(ago, 0.0)
        return 57 + 5 * min(ago, WEEKS) / WEEKS + ill + self._random("rest", day).uniform(-1.6, 1.6)

    def _walks(self, day: date, random: Random, ago: int) -> list[Walk]:
        if ago == PAUSED or day.weekday() not in {1, 4, 6}:
            return []
        begins = 60 * 13 + random.randrange(0, 100)
        return [
            Walk(
                (begins, begins + random.randrange(9, 16)),
                self.robins_moderate_bpm(day) + random.uniform(-1, 7),
            )
        ]

    def _robins_efforts(self, day: date) -> list[Effort]:
        ago = self._weeks_ago(day)
        part = self._part(ROBINS_PARTS, "Robin", day)
        slots = list(_ROBINS_WEEK)
        if ago == TRAVELLED:
            slots = [(0, "18:10", CYCLING, False), (3, "09:30", HIKING, False), (5, "10:15", HIKING, False)]
        elif part < 0.8:
            slots = [slots[self._random("slot", self._monday_of(day)).randrange(2)], slots[3]]
        if part < 0.2:
            slots = slots[-1:]
        dose_min = max(part * self.target_min(day) - (0 if part < 0.2 else 22), 5)
        found = []
        for weekday, clock, sport, strap in slots:
            if weekday == day.weekday():
                minutes = round(dose_min / len(slots) / (1.3 if sport.intervals else 1.0)) + LOST_MIN
                aim = self.robins_moderate_bpm(day) + self._random(clock, day).randrange(7, 12)
                aim -= 4 if sport is ROWING else 0
                found.append(
                    self._effort(
                        "Robin", day, clock, minutes, sport, aim, self._resting_bpm(day), strap=strap
                    )
                )
        return found

    def target_min(self, day: date) -> int:
        """Robin's target of that week."""
        step = max((day - self.plan_from).days // 7 // STEP_WEEKS, 0)
        return STEPS_MIN[min(step, len(STEPS_MIN) - 1)]

    # --- Sam ---

    def sams_efforts(self, day: date) -> Iterator[Effort]:
        """What Sam does that day with the strap on: lying still for some mornings, and cycling at home."""
        part = self._part(SAMS_PARTS, "Sam", day)
        if day.weekday() in _SAMS_MORNINGS:
            still = Sport("lying", 0)
            yield self._effort("Sam", day, "07:20", 7, still, 66, 66, watch=False, strap=True)
        for weekday, clock in _SAMS_WEEK:
            if weekday == day.weekday():
                minutes = round(part * SAMS_TARGET_MIN / len(_SAMS_WEEK)) + LOST_MIN
                aim = SAMS_MODERATE_BPM + self._random(clock, day).randrange(5, 11)
                yield self._effort("Sam", day, clock, minutes, CYCLING, aim, 64, watch=False, strap=True)

    # --- both ---

    def _effort(
        self, who: str, day: date, clock: str, minutes: int, sport: Sport, aim: int, resting: float,
        *, watch: bool = True, strap: bool,
    ) -> Effort:  # fmt: skip
        zone = self.robins_zone(day) if who == "Robin" else ZoneInfo(self.zone)
        start = _moment_ms(day, clock, zone) + self._random(clock, day).randrange(0, 7) * MINUTE_MS
        seed = f"{self.seed} {who} {day} {clock}"
        return Effort(start, minutes, sport, aim, resting, seed, by_watch=watch, by_strap=strap)

    def _part(self, parts: tuple[float, ...], who: str, day: date) -> float:
        ago = self._weeks_ago(day)
        return parts[ago] if ago < len(parts) else self._random(who, self._monday_of(day)).uniform(0.4, 1.25)

    def _weeks_ago(self, day: date) -> int:
        return (self.monday - self._monday_of(day)).days // 7

    @staticmethod
    def _monday_of(day: date) -> date:
        return day - timedelta(days=day.weekday())

    def _random(self, what: str, day: date) -> Random:
        return Random(f"{self.seed} {what} {day.isoformat()}")


def _moment_ms(day: date, clock: str, zone: ZoneInfo) -> int:
    return round(datetime.combine(day, time.fromisoformat(clock), zone).timestamp() * 1000)
