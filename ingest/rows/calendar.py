"""A person's days and weeks: where they live when, on which day a week begins, what is aimed for, what is not judged."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise, zip_longest
from typing import Any, Self
from zoneinfo import ZoneInfo

import numpy as np

from ingest.journal import ALWAYS_MS
from ingest.settings.profile_history import day
from zones.days import Place, day_of, midnights, week_of
from zones.dose import USUAL_TARGET, Plan
from zones.spans import Spans

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Pause:
    """Days, the last included, whose weeks are not judged; without a last one it goes on until the next pause."""

    first: date
    last: date | None
    why: str

    def touches(self, first_day: date, last_day: date) -> bool:
        """Whether some of these days lie in it."""
        return self.first <= last_day and (self.last is None or self.last >= first_day)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The local days and weeks of a person, and what a week is held against."""

    zone: Place = "UTC"
    first_weekday: int = 0
    plan: Plan = field(default_factory=Plan)
    named: frozenset[str] = frozenset()
    pauses: tuple[Pause, ...] = ()

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Self:
        """From what the settings said."""
        return cls(
            _places(facts),
            WEEKDAYS.index(facts.get("week_begins", WEEKDAYS[0])),
            _plan(facts),
            frozenset(facts.get("not_judged", ())),
            tuple(_pauses(facts.get("pause", ()))),
        )

    def week_of(self, on: date) -> tuple[date, str]:
        """The first day of the week of a day, and its name."""
        return week_of(on, self.first_weekday)

    def day_of(self, moment_ms: int) -> date:
        """The local day of a moment."""
        return date.fromordinal(int(day_of(np.array([moment_ms], dtype=np.int64), self.zone)[0]))

    def zone_on(self, on: date) -> str:
        """The name of the time zone of a day."""
        if isinstance(self.zone, (str, ZoneInfo)):
            return str(self.zone)
        return next((str(z) for begins, z in reversed(self.zone) if begins <= on), str(self.zone[0][1]))

    def target(self, first_day: date) -> float:
        """The target of the week that begins on a day."""
        return self.plan.on(first_day)

    def not_judged(self, first_day: date) -> str | None:
        """Why the week that begins on a day is not judged, "" if nobody said why; None if it is."""
        last_day = first_day + WEEK - timedelta(days=1)
        reasons = [p.why for p in self.pauses if p.touches(first_day, last_day)]
        if reasons:
            return ", ".join(dict.fromkeys(filter(None, reasons)))
        return "" if self.week_of(first_day)[1] in self.named else None

    def aim(self, first_day: date) -> float | None:
        """What a store holds as the target of a week; None where it is not judged."""
        return None if self.not_judged(first_day) is not None else self.target(first_day)

    def differences(self, other: "Calendar") -> Spans:
        """The time whose days or weeks differ between the two, or are held against another target."""
        if self.first_weekday != other.first_weekday:
            return Spans.of([-ALWAYS_MS], [ALWAYS_MS])
        return self._elsewhere(other) | self._aimed(other)

    def _elsewhere(self, other: "Calendar") -> Spans:
        """Where midnights differ, and the weeks that begin, end or have a neighbour there: rows of weeks tell of both."""
        if self.zone == other.zone:
            return Spans.none()
        borders = sorted({b for c in (self, other) for b in _moves(c.zone)})
        spans = []
        for a, b in pairwise([date.min, *borders, date.max]):
            probe = a if a > date.min else (b - timedelta(days=1) if b < date.max else date(2000, 1, 1))
            if self.zone_on(probe) != other.zone_on(probe):
                spans.append((_first(self, other, a), _last(self, other, b)))
                spans += self._neighbours(other, a, b)
        return Spans.pairs(spans)

    def _neighbours(self, other: "Calendar", a: date, b: date) -> list[tuple[int, int]]:
        """The weeks of which one of the four borders that they tell of lies in the days [a, b), if there is any."""
        first = a if a == date.min else self.week_of(a + WEEK - timedelta(days=1))[0]
        last = b if b == date.max else self.week_of(b - timedelta(days=1))[0]
        if first > last:
            return []
        return [
            (
                _first(self, other, a if a == date.min else first - 2 * WEEK),
                _last(self, other, b if b == date.max else last + 2 * WEEK),
            )
        ]

    def _aimed(self, other: "Calendar") -> Spans:
        """The weeks that are held against another target, or are judged in one of the two only, or not for another reason."""
        if (self.plan, self.named, self.pauses) == (other.plan, other.named, other.pauses):
            return Spans.none()
        steps = {d for c in (self, other) for d, _ in c.plan.steps if d > date.min}
        named = {d for n in self.named | other.named for d in self._around(n)}
        pauses = (*self.pauses, *other.pauses)
        paused = {p.first for p in pauses} | {p.last + timedelta(days=1) for p in pauses if p.last}
        # Nothing changes but at the beginnings of the weeks of these days, or of the next ones.
        weeks = {self.week_of(d)[0] + i * WEEK for d in steps | named | paused for i in (0, 1)}
        borders = [date.min, *sorted(weeks), date.max]
        spans = []
        for a, b in pairwise(borders):
            probe = a if a > date.min else (b - WEEK if b < date.max else date(2000, 1, 3))
            held = [
                (c.aim(day), c.not_judged(day)) for c in (self, other) for day in [self.week_of(probe)[0]]
            ]
            if held[0] != held[1]:
                spans.append((_first(self, other, a), _last(self, other, b)))
        return Spans.pairs(spans)

    def _around(self, name: str) -> list[date]:
        """Days of a week by its name, whatever the day it begins with."""
        year, _, number = name.partition("-W")
        try:
            monday = date.fromisocalendar(int(year), 1, 1) + (int(number) - 1) * WEEK
        except (ValueError, OverflowError):
            return []
        return [monday + i * WEEK for i in (-1, 0, 1)]


def _moves(zone: Place) -> list[date]:
    """The days on which another zone begins."""
    return [] if isinstance(zone, (str, ZoneInfo)) else [d for d, _ in zone[1:]]


def _first(a: Calendar, b: Calendar, on: date) -> int:
    if on == date.min:
        return -ALWAYS_MS
    return min(int(midnights(c.zone, on, on)[0]) for c in (a, b))


def _last(a: Calendar, b: Calendar, on: date) -> int:
    if on == date.max:
        return ALWAYS_MS
    return max(int(midnights(c.zone, on, on)[0]) for c in (a, b))


def _places(facts: Mapping[str, Any]) -> Place:
    """The home zone alone, or the zones of one who travels."""
    home = facts.get("zone", "UTC")
    places: list[tuple[date, str]] = [(date.min, home)]
    moves = [*facts.get("moved", ()), *facts.get("travel", ())]
    for journey in sorted(moves, key=lambda t: t["from"]):
        begins = day(journey["from"])
        # Back home before it, unless the last journey ends on its eve or did not end.
        while places[-1][0] >= begins and len(places) > 1:
            places.pop()
        places.append((begins, journey["zone"]))
        if journey.get("to") is None:
            home = journey["zone"]
        else:
            places.append((day(journey["to"]) + timedelta(days=1), home))
    return home if len(places) == 1 else tuple(places)


def _pauses(entries: Iterable[Mapping[str, Any]]) -> Iterator[Pause]:
    known = sorted(entries, key=lambda p: str(p["from"]))
    eves = [day(p["from"]) - timedelta(days=1) for p in known[1:]]
    for entry, eve in zip_longest(known, eves):
        last = day(entry["to"]) if entry.get("to") else eve
        yield Pause(day(entry["from"]), last, entry.get("why") or "")


def _plan(facts: Mapping[str, Any]) -> Plan:
    steps: list[tuple[date, float]] = [(date.min, float(facts.get("target_min", USUAL_TARGET)))]
    plan = facts.get("plan")
    if plan:
        begins = day(plan["from"])
        for i, target in enumerate(plan["targets_min"]):
            steps.append((begins + timedelta(weeks=plan["weeks"] * i), float(target)))
    steps += [(day(t["from"]), float(t["target_min"])) for t in facts.get("target", ())]
    return Plan.of(steps)
