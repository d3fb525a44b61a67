"""Which edges were in force when, and whose days and targets they are: what the journal knows of a person."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from ingest.journal import ALWAYS_MS, DAY_MS, Entry, Journal, Person
from ingest.journal.device_maxima import DeviceMaximum, maxima_in_force
from ingest.rows import limit_origins
from ingest.rows.calendar import Calendar
from ingest.rows.table import Block
from ingest.settings.profile_history import USUAL_FORMULA, ProfileState, day, profile_states
from zones.days import Place, midnights
from zones.edges import FORMULAS, Edges, Timeline
from zones.load import Sex
from zones.spans import Spans

OLDEST = 110
"""The age up to which formulas guess a maximum; who is older keeps the guess of that age."""

YOUNGEST = 5

Beginnings = Sequence[tuple[int, Any]]
"""(From this moment on in ms, this): ascending, the first from the beginning unless nothing holds there."""


@dataclass(frozen=True, slots=True, eq=False)
class HeartRateLimits:
    """The resting and maximum heart rate that held when: each from its moment until the next."""

    begins: tuple[int, ...] = ()
    numbers: tuple[tuple[int | None, int | None], ...] = ()

    def at(self, moment_ms: int) -> tuple[int | None, int | None]:
        """The two numbers in force at a moment (ms); None where there is none."""
        i = int(np.searchsorted(self.begins, moment_ms, side="right")) - 1
        return self.numbers[i] if i >= 0 else (None, None)


@dataclass(frozen=True, slots=True)
class Medicine:
    """A medicine that limits the heart rate: since when it is taken, and from which day on it is no longer."""

    since: date
    ends: date

    def until(self, today: date) -> date | None:
        """Its last day, if it is over; None while it is taken."""
        return self.ends - timedelta(days=1) if self.ends <= today else None


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """A person as the numbers need them: edges in force when, days and weeks, targets, what a heart can do.

    `sports` has a timeline of its own for each sport whose edges differ; all others use `timeline`.
    """

    timeline: Timeline
    calendar: Calendar
    sports: Mapping[str, Timeline] = field(default_factory=dict)
    bout_min: int | None = None
    heart: HeartRateLimits = field(default_factory=HeartRateLimits)
    sex: Sex | None = None
    medicines: tuple[Medicine, ...] = ()
    """Those that limit the heart rate, ascending."""
    states: tuple[ProfileState, ...] = ()
    """What the person said of their heart, ascending."""
    devices: tuple[DeviceMaximum, ...] = ()
    """What their devices were set to when, in no order."""
    sport_entries: tuple[Mapping[str, Any], ...] = ()
    """What the person said of limits in one sport, in no order."""

    @property
    def zone(self) -> Place:
        """The time zone, or for one who travels the zones with the days they begin."""
        return self.calendar.zone

    @property
    def first_weekday(self) -> int:
        """The day on which a week begins, 0 for Monday."""
        return self.calendar.first_weekday

    def medicine_in(self, first: date, last: date) -> Medicine | None:
        """The newest medicine that limits the heart rate on some of these days."""
        taken = (m for m in reversed(self.medicines) if m.since <= last and m.ends > first)
        return next(taken, None)

    def state_on(self, on: date) -> ProfileState:
        """What the person's own words come to on a day."""
        begun = (s for s in reversed(self.states) if s.since is None or s.since <= on)
        return next(begun, ProfileState(None, None))

    def sport_entries_on(self, on: date) -> dict[str, Mapping[str, Any]]:
        """What the person's own words for each sport come to on a day."""
        begun = [e for e in self.sport_entries if e.get("from") is None or day(e["from"]) <= on]
        return {e["name"]: e for e in sorted(begun, key=lambda e: str(e.get("from") or ""))}

    def heart_at(self, moment_ms: int) -> tuple[int | None, int | None, Sex | None]:
        """The resting and maximum heart rate at a moment and the sex, for measures of load; None where not known.

        The maximum is the person's own, else the watch's, else guessed by age; the resting rate is only ever the
        person's own word.
        """
        return *self.heart.at(moment_ms), self.sex


def read_profile(journal: Journal, person: int) -> Profile:
    """What the journal knows of a person by now."""
    return build_profile(journal.profile(person) or {}, journal.facts(person, "limits"))


def build_profile(facts: Mapping[str, Any], limits: Iterable[Entry]) -> Profile:
    """The profile that follows from what the settings said and from the limits set in devices."""
    calendar = Calendar.of(facts)
    born = facts.get("born")
    devices = tuple(DeviceMaximum.of(e.at_ms, e.content) for e in limits)
    watch = tuple(maxima_in_force(devices, born))
    rules = _EdgeRules(tuple(profile_states(facts)), calendar.zone, watch, born)
    timeline = Timeline.of(rules.edges())
    return Profile(
        timeline,
        calendar,
        _sports(facts.get("sport", ()), timeline, calendar.zone),
        facts.get("bout_min"),
        rules.heart(),
        facts.get("sex"),
        tuple(_medicines(rules.states)),
        rules.states,
        devices,
        tuple(facts.get("sport", ())),
    )


def _medicines(states: Sequence[ProfileState]) -> Iterable[Medicine]:
    """From when until when medicines were taken; entries that say nothing of one do not end it."""
    ends: dict[date, date] = {}
    for i, state in enumerate(states):
        if state.medicine_since is not None:
            following = states[i + 1].since if i + 1 < len(states) else None
            ends[state.medicine_since] = following or date.max
    return (Medicine(since, ends) for since, ends in ends.items())


@dataclass(frozen=True, slots=True)
class _EdgeRules:
    """Everything that decides edges: what the owner wrote comes first, then the watch, and a guess by age last."""

    states: tuple[ProfileState, ...]
    zone: Place
    watch: tuple[tuple[int, int], ...]
    born: int | None

    def edges(self) -> list[tuple[int, Edges | None]]:
        """When which edges began to hold."""
        found: list[tuple[int, Edges | None]] = []
        for (a, b), state in self._segments():
            found += _within(self._edges_in(state), a, b)
        return found

    def heart(self) -> HeartRateLimits:
        """When which resting and maximum heart rate began to hold."""
        found: list[tuple[int, tuple[int | None, int | None]]] = []
        for (a, b), state in self._segments():
            resting = state.numbers.get("resting_bpm")
            maxima = _within(self._maxima_in(state), a, b) or [(a, None)]
            found += [(at, (resting, maximum)) for at, maximum in maxima]
        return HeartRateLimits(tuple(at for at, _ in found), tuple(numbers for _, numbers in found))

    def _segments(self) -> Iterable[tuple[tuple[int, int], ProfileState]]:
        begins = [
            -ALWAYS_MS if s.since is None else int(midnights(self.zone, s.since, s.since)[0])
            for s in self.states
        ]
        ends = [*begins[1:], ALWAYS_MS]
        return ((span, s) for span, s in zip(zip(begins, ends, strict=True), self.states, strict=True))

    def _edges_in(self, state: ProfileState) -> Beginnings:
        """What a state leads to; beginnings outside its time are cut off by who asks."""
        if state.method not in {None, "age"}:
            return [(-ALWAYS_MS, _own(state))]
        if state.medicine:
            return [(-ALWAYS_MS, None)]
        if self.watch and state.method is None:
            return [(at, Edges.from_maximum(bpm, limit_origins.watch_maximum(bpm))) for at, bpm in self.watch]
        return _by_age(self.born, self.zone, _formula(state)) if self.born else []

    def _maxima_in(self, state: ProfileState) -> Beginnings:
        own = state.numbers.get("maximum_bpm")
        if own is not None or state.medicine:
            return [(-ALWAYS_MS, own)]
        if self.watch:
            return self.watch
        if not self.born:
            return []
        formula = FORMULAS[_formula(state)]
        ages = _years(self.born, self.zone)
        return [(at, formula.maximum(age)) for at, age in ages]


def _own(state: ProfileState) -> Edges | None:
    """The edges that the person's own numbers give; None for numbers that the settings would refuse today."""
    numbers, since = state.numbers, state.method_since
    try:
        match state.method:
            case "bpm":
                moderate, vigorous = numbers["moderate_bpm"], numbers["vigorous_bpm"]
                edges = Edges.from_bpm(moderate, vigorous, limit_origins.own_limits(since))
            case "max":
                maximum = numbers["maximum_bpm"]
                edges = Edges.from_maximum(maximum, limit_origins.measured_maximum(maximum, since))
            case "reserve":
                resting, maximum = numbers["resting_bpm"], numbers["maximum_bpm"]
                edges = Edges.from_reserve(resting, maximum, limit_origins.reserve(resting, maximum, since))
            case _:
                threshold, sport = numbers["threshold_bpm"], numbers["sport"]
                origin = limit_origins.threshold(threshold, sport, since)
                edges = Edges.from_threshold(threshold, sport, origin)
    except (KeyError, ValueError):
        return None
    return edges


def _formula(state: ProfileState) -> str:
    return str(state.numbers.get("formula") or USUAL_FORMULA) if state.method == "age" else USUAL_FORMULA


def _within(line: Beginnings, start_ms: int, end_ms: int) -> list[tuple[int, Any]]:
    """What of a line holds in [start, end): its last beginning before it, moved there, and those inside."""
    before = [what for at, what in line if at <= start_ms][-1:]
    return [(start_ms, what) for what in before] + [x for x in line if start_ms < x[0] < end_ms]


@lru_cache(maxsize=16)
def _years(born: int, zone: Place) -> tuple[tuple[int, int], ...]:
    """The age from when on, one entry a year: that which is reached in the year."""
    first = max(born + YOUNGEST, 1990)
    found: list[tuple[int, int]] = []
    for year in range(first, born + OLDEST + 1):
        new_year = int(midnights(zone, date(year, 1, 1), date(year, 1, 1))[0])
        found.append((new_year if found else -ALWAYS_MS, year - born))
    return tuple(found)


@lru_cache(maxsize=16)
def _by_age(born: int, zone: Place, formula: str) -> tuple[tuple[int, Edges], ...]:
    return tuple(
        (at, Edges.from_age(age, formula, limit_origins.guess_by_age(age, formula)))
        for at, age in _years(born, zone)
    )


def _sports(entries: Iterable[Mapping[str, Any]], usual: Timeline, zone: Place) -> dict[str, Timeline]:
    """A timeline for each sport of which the settings say that its limits differ."""
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for entry in sorted(entries, key=lambda e: e.get("from") or ""):
        by_name.setdefault(entry["name"], []).append(entry)
    return {name: _sport(name, mine, usual, zone) for name, mine in by_name.items()}


def _sport(name: str, entries: Sequence[Mapping[str, Any]], usual: Timeline, zone: Place) -> Timeline:
    line = list(zip(usual.valid_from.tolist(), usual.edges, strict=True))
    begins = [
        -ALWAYS_MS if e.get("from") is None else int(midnights(zone, day(e["from"]), day(e["from"]))[0])
        for e in entries
    ]
    found = _within(line, -ALWAYS_MS, begins[0])
    for a, b, entry in zip(begins, [*begins[1:], ALWAYS_MS], entries, strict=True):
        since = day(entry["from"]) if entry.get("from") else None
        if entry.get("moderate_bpm") is not None:
            origin = limit_origins.own_limits_of_sport(name, since)
            found.append((a, Edges.from_bpm(entry["moderate_bpm"], entry["vigorous_bpm"], origin)))
            continue
        offset = entry["offset_bpm"]
        found += [(at, e and _shifted(e, offset, name, since)) for at, e in _within(line, a, b)]
    return Timeline.of(found)


def _shifted(edges: Edges, bpm: int, sport: str, since: date | None) -> Edges | None:
    origin = limit_origins.shifted_for_sport(edges.origin, bpm, sport, since)
    try:
        return edges.shifted(bpm, sport, origin)
    except ValueError:
        return None  # no heart rate any more; the settings refuse it where they can know


# --- the table ---


def profile_times(profile: Profile) -> list[tuple[int, int]]:
    """Since when (ms) something of it holds, and when its row is stamped."""
    line = profile.timeline
    return [(at, max(at, DAY_MS)) for at in sorted({*line.valid_from.tolist(), *profile.heart.begins})]


def profile_block(
    person: Person, profile: Profile, start_ms: int = -ALWAYS_MS, end_ms: int = ALWAYS_MS
) -> Block:
    """When in [start, end) which edges took effect, with the heart they are of; what always held is stamped with 2 January 1970.

    VictoriaMetrics takes a time of 0 for none and writes down the present instead, and cannot look up the first hour.
    """
    rows = [
        (stamp, e, *profile.heart.at(at))
        for at, stamp in profile_times(profile)
        if start_ms <= stamp < end_ms and (e := profile.timeline.edges_at(at))
    ]
    fields = {
        "moderate_bpm": [e.moderate_bpm for _, e, _, _ in rows],
        "vigorous_bpm": [e.vigorous_bpm for _, e, _, _ in rows],
        "maximum_bpm": [maximum for *_, maximum in rows],
        "resting_bpm": [resting for _, _, resting, _ in rows],
        "method": [e.method for _, e, _, _ in rows],
        "origin": [str(e.origin) for _, e, _, _ in rows],
    }
    times_us = np.array([at for at, *_ in rows], np.int64) * 1000
    return Block("profile", {"person": person.name}, start_ms * 1000, end_ms * 1000, times_us, fields)


# --- what a change of it touches ---


def differences(old: Profile, new: Profile, sessions: Callable[[str], Spans]) -> Spans:
    """The time in which other numbers come of one profile than of the other.

    `sessions` gives the time in which a sport was done: elsewhere its edges decide nothing.
    """
    if old.bout_min != new.bout_min or old.sex != new.sex:
        return Spans.of([-ALWAYS_MS], [ALWAYS_MS])
    found = Spans.union(
        _differ(old, new, value_at)
        for value_at in (
            lambda p, at: _bpm(p.timeline, at),
            lambda p, at: p.heart.at(at),
            _why_unknown,
        )
    )
    for sport in {*old.sports, *new.sports}:
        differ = _differ(old, new, lambda p, at, s=sport: {_bpm(line, at) for line in _may_rule(p, s)})  # type: ignore[misc]  # mypy knows no type of a default in a lambda
        found = found | (differ & sessions(sport))
    return found | old.calendar.differences(new.calendar)


def _may_rule(p: Profile, sport: str) -> Sequence[Timeline]:
    """The timelines one of which rules where a sport was done: without its own perhaps that of a less exact sport."""
    return [p.sports[sport]] if sport in p.sports else [p.timeline, *p.sports.values()]


def _bpm(timeline: Timeline, at: int) -> tuple[int, int] | None:
    edges = timeline.edges_at(at)
    return (edges.moderate_bpm, edges.vigorous_bpm) if edges else None


def _why_unknown(p: Profile, at: int) -> bool:
    """Whether it is a medicine for which no limits are known."""
    if p.timeline.edges_at(at) is not None or at == -ALWAYS_MS:
        return False  # no medicine is taken from the beginning: it has a day from which on
    on = p.calendar.day_of(at)
    return p.medicine_in(on, on) is not None


def _differ(old: Profile, new: Profile, value_at: Callable[[Profile, int], Any]) -> Spans:
    """The time in which something differs that only changes where an edge, a sport's edge or the heart does."""
    moments = {-ALWAYS_MS, ALWAYS_MS}
    for p in (old, new):
        for line in (p.timeline, *p.sports.values()):
            moments.update(line.valid_from.tolist())
        moments.update(p.heart.begins)
    borders = sorted(moments)
    differ = [(a, b) for a, b in pairwise(borders) if value_at(old, a) != value_at(new, a)]
    return Spans.pairs(differ)
