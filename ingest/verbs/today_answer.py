"""How today goes: the heart rate of this moment, minutes so far, what is to go; and who is heard.

Read again and again while a strap is worn: only what came in since is counted anew.
"""

import math
import time
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from ingest.grafana.sensor_names import sensor_names
from ingest.journal import Journal, Person
from ingest.rows.cache import RowCache
from ingest.rows.evidence import read_evidence
from ingest.rows.profile import Profile
from ingest.rows.ruling import AROUND_MS
from ingest.rows.touched import TouchedTime
from ingest.rows.unmeasured import UnmeasuredWorkout, find_unmeasured
from ingest.rows.week import Week, count_week
from ingest.settings.model import Settings
from ingest.settings.names import same_name
from ingest.system.lock import holder
from ingest.verbs.status_straps import LOW_PCT, strap_status
from ingest.verbs.times import utc_text
from ingest.verbs.week_answer import WeekAnswer, answer_of, newest_measured_week, unmeasured_json
from zones.dose import dose_min
from zones.minutes import MINUTE, Zone

FRESH_S = 12
"""Up to which age a heart rate is that of now: the daemon writes down every five seconds what straps tell."""

LATELY_S = 600
"""How far back a heart rate is looked for, to say how old it is."""

HEARD_S = 30
"""Up to this age a strap is heard; then it is said what may be wrong with it."""

_SENSORS_S = 10
"""After how long it is asked anew how straps are."""


@dataclass(frozen=True, slots=True)
class HeartRateNow:
    """The newest heart rate that is believed, of a strap; `zone` is None where limits are not known."""

    at_ms: int
    bpm: int
    zone: str | None
    source: str
    name: str

    def age_s(self, now_ms: int) -> float:
        return max(now_ms - self.at_ms, 0) / 1000

    def is_fresh(self, now_ms: int) -> bool:
        """Whether it may be told as that of now."""
        return self.age_s(now_ms) <= FRESH_S


@dataclass(frozen=True, slots=True)
class SensorNow:
    """A strap of the settings, and how it is (`status_straps.strap_status`)."""

    name: str
    status: dict[str, Any]

    @property
    def has_low_battery(self) -> bool:
        battery = self.status["battery_pct"]
        return battery is not None and battery <= LOW_PCT

    @property
    def is_heard(self) -> bool:
        age = self.status["age_s"]
        return age is not None and age <= HEARD_S

    @property
    def is_well(self) -> bool:
        """Whether nobody needs to look after it."""
        return self.is_heard and not self.has_low_battery


@dataclass(frozen=True, slots=True)
class TodayAnswer:
    """All of a person's today."""

    person: str
    day: date
    zone: str
    now_ms: int
    heart_rate: HeartRateNow | None
    zones_min: dict[str, float]
    """Minutes by `zones.minutes.Zone`, in lower case."""
    week: WeekAnswer
    sensors: list[SensorNow]
    runs: bool
    """Whether the daemon does."""
    newest: tuple[date, date] | None = None
    """The first and the last day of the newest week with anything measured, where in this one nothing is."""

    @property
    def measured_min(self) -> float:
        return sum(self.zones_min.values())

    @property
    def not_counted(self) -> list[UnmeasuredWorkout]:
        """Workouts of today of which nothing is measured."""
        return [w for w in self.week.unmeasured.workouts if w.day == self.day]

    @property
    def told_dose_min(self) -> float:
        """What of today's minutes counts by a watch's own word."""
        told = self.week.unmeasured.told_min
        return dose_min(*told[(self.day - self.week.first).days][1:]) if told else 0.0

    @property
    def dose_min(self) -> float:
        """What today adds to the week."""
        return dose_min(self.zones_min["moderate"], self.zones_min["vigorous"])

    @property
    def pace_min(self) -> float | None:
        """What an even pace asks of today: what was to go this morning, divided over the days that were left.

        None where nothing is to be held against a target.
        """
        if self.week.to_go_min is None:
            return None
        before = self.week.dose_min - self.dose_min
        return max(self.week.target_min - before, 0.0) / max(self.week.days_left, 1)

    @property
    def pace_to_go_min(self) -> int | None:
        """What of that is still to go, in whole minutes."""
        # A thousandth is no minute more.
        return None if self.pace_min is None else max(math.ceil(self.pace_min - self.dose_min - 0.001), 0)

    def json(self) -> dict[str, Any]:
        """What `today --json` prints of it."""
        h, w = self.heart_rate, self.week
        return {
            "person": self.person,
            "day": self.day.isoformat(),
            "time": utc_text(self.now_ms),
            "heart_rate": h
            and {
                "bpm": h.bpm,
                "zone": h.zone,
                "time": utc_text(h.at_ms),
                "age_s": h.age_s(self.now_ms),
                "is_now": h.is_fresh(self.now_ms),
                "source": h.source,
                "sensor": h.name,
            },
            **{f"{zone}_min": minutes for zone, minutes in self.zones_min.items()},
            "measured_min": self.measured_min,
            "dose_min": self.dose_min,
            "by_summary_min": self.told_dose_min,
            "pace_min": self.pace_min,
            "pace_to_go_min": self.pace_to_go_min,
            "week": {
                "week": w.week,
                "dose_min": w.dose_min,
                "target_min": w.target_min,
                "judged": w.not_judged is None,
                "to_go_min": w.to_go_min,
                "dose_least_min": w.dose_min - w.spread_min,
                "dose_most_min": w.dose_min + w.spread_min,
                "days_left": w.days_left,
                "not_measured_h": w.not_measured_h,
                **unmeasured_json(w.unmeasured),
            },
            "sensors": [
                {
                    "sensor": s.name,
                    "state": s.status["state"],
                    "age_s": s.status["age_s"],
                    "battery_pct": s.status["battery_pct"],
                    "battery_low": s.has_low_battery,
                }
                for s in self.sensors
            ],
            "daemon_runs": self.runs,
        }


class TodayFollower:
    """Tells how today goes, as often as it is asked, for some persons."""

    def __init__(self, settings: Settings, journal: Journal, persons: list[Person]) -> None:
        self._settings, self._journal, self._persons = settings, journal, persons
        self._cache = RowCache()
        self._position = journal.last_position()
        if newest := journal.entries(self._position - 1):
            self._cache.advance(newest)
        self._heart_rates: dict[int, HeartRateNow | None] = {}
        self._names = sensor_names(settings, journal)
        self._runs, self._asked_s, self._minute = False, -math.inf, -1
        self._answers: list[TodayAnswer] = []
        self._straps: dict[str, dict[str, Any]] = {}

    def answers(self) -> list[TodayAnswer]:
        """Each person's today, by the clock of the journal."""
        now_ms = self._journal.now_ms()
        same = not self._take_in() and now_ms // MINUTE == self._minute
        self._minute = now_ms // MINUTE
        if time.monotonic() - self._asked_s >= _SENSORS_S:
            same = False
            self._runs = holder(self._settings.data) is not None
            self._straps = {
                s.source: strap_status(self._journal, s, runs=self._runs) for s in self._settings.straps
            }
            self._asked_s = time.monotonic()
        if same:
            # Most seconds bring nothing: then only ages are others, and a small computer has nothing to count.
            self._answers = [
                replace(x, now_ms=now_ms, heart_rate=_lately(x.heart_rate, now_ms)) for x in self._answers
            ]
        else:
            self._answers = [self._answer(person, now_ms) for person in self._persons]
        return self._answers

    def _take_in(self) -> bool:
        """Take account of what came in since the last time, and return whether anything did."""
        before = self._position
        while entries := self._journal.entries(self._position):
            self._cache.begin(entries)
            for person in {e.person for e in entries}:
                own = [e for e in entries if e.person == person]
                profile = self._cache.profile(self._journal, person)
                around_ms = 0 if profile.bout_min is None else AROUND_MS
                self._cache.invalidate(person, TouchedTime(self._journal, own, around_ms).days)
                self._heart_rates.pop(person, None)
            self._cache.advance(entries)
            self._position = entries[-1].position
        return self._position > before

    def _answer(self, person: Person, now_ms: int) -> TodayAnswer:
        profile = self._cache.profile(self._journal, person.id)
        today = profile.calendar.day_of(now_ms)
        first_day, _ = profile.calendar.week_of(today)
        counted = count_week(self._journal, person, profile, first_day, cache=self._cache)
        own = [s for s in self._settings.straps if same_name(s.person) == same_name(person.name)]
        return TodayAnswer(
            person.name,
            today,
            profile.calendar.zone_on(today),
            now_ms,
            self._heart_rate(person, profile, now_ms),
            _minutes_of_day(counted, (today - first_day).days),
            replace(answer_of(counted, now_ms), unmeasured=find_unmeasured(self._journal, counted)),
            [SensorNow(self._names[s.source], self._straps[s.source]) for s in own],
            self._runs,
            None
            if int(counted.total.measured_ms[0])
            else newest_measured_week(self._journal, person, profile, today),
        )

    def _heart_rate(self, person: Person, profile: Profile, now_ms: int) -> HeartRateNow | None:
        if person.id not in self._heart_rates:
            self._heart_rates[person.id] = self._newest_heart_rate(person, profile, now_ms)
        return _lately(self._heart_rates[person.id], now_ms)

    def _newest_heart_rate(self, person: Person, profile: Profile, now_ms: int) -> HeartRateNow | None:
        """That of the strap that is believed first among those that tell of now, else the newest."""
        found = []
        for e in read_evidence(self._journal, person.id, now_ms - LATELY_S * 1000, now_ms + 1):
            good = e.good
            times = good.times.astype("int64")
            i = int(times.searchsorted(now_ms, side="right")) - 1
            if e.source.kind == "strap" and i >= 0:
                found.append((int(times[i]), int(good.bpm[i]), e.source.name))
        if not found:
            return None
        fresh = [one for one in found if now_ms - one[0] <= FRESH_S * 1000]
        at_ms, bpm, source = fresh[0] if fresh else max(found)
        edges = profile.timeline.edges_at(at_ms)
        zone = None
        if edges is not None:
            zone = (
                "vigorous"
                if bpm >= edges.vigorous_bpm
                else "moderate"
                if bpm >= edges.moderate_bpm
                else "light"
            )
        return HeartRateNow(at_ms, bpm, zone, source, self._names.get(source, source))


def _lately(found: HeartRateNow | None, now_ms: int) -> HeartRateNow | None:
    """A heart rate, unless it is so old that nobody needs to be told."""
    return None if found is None or found.age_s(now_ms) > LATELY_S else found


def _minutes_of_day(counted: Week, number: int) -> dict[str, float]:
    """Minutes by zone of one of the days of a week."""
    columns = zip(Zone, counted.days.columns, strict=True)
    return {zone.name.lower(): int(column[number]) / 60_000 for zone, column in columns}
