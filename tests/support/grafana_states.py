"""How a household can be when somebody looks at its dashboards: each state with its moment, its people, and what has come in."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np

from ingest.collect.strap_state import NUMBERS
from ingest.household import record_profile
from ingest.journal import Journal, Writer
from ingest.settings.model import StrapSettings
from tests.support.households import DAY, HOUR, MINUTE, S, a_file, at
from tests.support.made_up_days import Happening, Heard, Wearer, local_ms

ANNA, ODD = "Anna", "Zoë O'Hara (jr.), 2"
"""The second has whatever a name may have in it that means something to a database."""

POLAR, WAHOO = "strap A0:9E:1A:8A:3F:9C", "strap C3:7F:11:0A:95:E2"
"""Straps that the settings know by their addresses."""

ZONE = "Europe/Amsterdam"
LIMITS = {"maximum_bpm": 180, "zone": ZONE}


# --- what happens, each at its moment ---


@dataclass(frozen=True)
class Noted:
    """The settings say this of somebody from now on."""

    at_ms: int
    person: str
    facts: Mapping[str, Any]

    def happen(self, journal: Journal) -> None:
        record_profile(journal, self.person, dict(self.facts), overwrite=True)


@dataclass(frozen=True)
class Came:
    """A file came in, and this became of it."""

    at_ms: int
    person: str
    name: str
    facts: Sequence[Happening] = ()
    outcome: str = "stored"
    reason: str = ""
    device: Mapping[str, str] = field(default_factory=dict)
    """What a file says of the watch that made it."""

    def happen(self, journal: Journal) -> None:
        with journal.write() as w:
            person = w.person(self.person)
            file = a_file(w, person, self.outcome, self.name, self.reason)
            for fact in self.facts:
                fact.write(w, file)
            samples = sum(len(f.times) for f in self.facts if isinstance(f, Heard))
            numbers = {"samples": samples, "beats": 0, "waiting": 0}
            content = {"name": self.name, "outcome": self.outcome, **numbers, **self.device}
            w.entry(person, "file", w.now_ms, w.replace([], file), content, file)


@dataclass(frozen=True)
class Worn:
    """A strap was heard, up to this moment."""

    at_ms: int
    facts: Sequence[Happening]

    def happen(self, journal: Journal) -> None:
        with journal.write() as w:
            for fact in self.facts:
                fact.write(w)


@dataclass(frozen=True)
class Told:
    """A word of how a strap is."""

    at_ms: int
    person: str
    source: str
    state: str
    battery_pct: int | None = None
    signal_dbm: int | None = None
    samples: int = 0
    gaps: int = 0

    def happen(self, journal: Journal) -> None:
        with journal.write() as w:
            self._write(w)

    def _write(self, w: Writer) -> None:
        said = {
            "source": self.source,
            "state": self.state,
            "state_no": NUMBERS[self.state],
            "battery_pct": self.battery_pct,
            "signal_dbm": self.signal_dbm,
            "samples": self.samples,
            "gaps": self.gaps,
            "reconnects": 0,
            "age_s": 0.4 if self.samples else None,
        }
        w.entry(w.person(self.person), "collector", self.at_ms, None, said)


Event = Noted | Came | Worn | Told


@dataclass(frozen=True)
class State:
    """A household at a moment. `picked` is whose numbers are looked at."""

    name: str
    now_ms: int
    events: Callable[[], Iterator[Event]]
    persons: tuple[str, ...] = (ANNA,)
    picked: str = ANNA
    week_begins: Mapping[str, str] = field(default_factory=dict)
    straps: tuple[StrapSettings, ...] = ()


# --- weeks of somebody ---


def told_while_worn(person: str, strap: str, start_ms: int, end_ms: int, battery: int) -> Iterator[Told]:
    """Searching, connected each minute, and searching again, as a strap that is put on and taken off."""
    yield Told(start_ms - MINUTE, person, strap, "searching")
    rng = np.random.default_rng(start_ms // S % 1_000_003)
    for i, moment in enumerate(range(start_ms, end_ms, MINUTE)):
        signal, gaps = -58 - int(rng.integers(0, 14)), int(rng.integers(0, 20) == 0)
        yield Told(moment, person, strap, "connected", battery - i // 30, signal, 60 - 3 * gaps, gaps)


def weeks(
    who: Wearer, first: date, until_ms: int, minutes: Sequence[int], *, strapped: bool = True
) -> Iterator[Event]:
    """Week after week until a moment: a watch day and night, three workouts, one of them with a strap.

    `minutes` are those of each workout in each week, again from the beginning when they are used up.
    """
    day = first
    while local_ms(day, "00:00") < until_ms:
        number, weekday = (day - first).days // 7, (day - first).days % 7
        lasts = minutes[number % len(minutes)]
        stamp = day.isoformat()
        device = {"device": who.watch, "product": who.product}
        moved = 12 if weekday in {1, 4} else 0
        raised = 14 if weekday == 2 else 0
        found = list(who.day(day, until_ms, moved, raised))
        came = min(local_ms(day + timedelta(days=1), "07:20"), until_ms - 40 * MINUTE)
        for clock, on, sport, strap in (
            ("18:10", 0, "cycling", False),
            ("10:05", 3, "rowing", True),
            ("11:30", 5, "walking", False),
        ):
            start = local_ms(day, clock)
            ends = start + lasts * MINUTE
            if weekday != on or not lasts or ends > until_ms:
                continue
            with_strap = strap and strapped
            facts = list(
                who.workout(
                    start,
                    lasts,
                    138 if on == 0 else 128,
                    sport,
                    paused_min=4 if on == 0 and lasts > 20 else 0,
                    strapped=with_strap,
                )
            )
            if with_strap:
                yield from told_while_worn(who.name, who.strap, start, ends, 78 - number)
                yield Worn(ends, facts)
                yield Told(ends + MINUTE, who.name, who.strap, "searching")
            else:
                yield Came(
                    ends + 10 * MINUTE,
                    who.name,
                    f"{stamp}-{clock.replace(':', '-')}-{sport}.fit",
                    facts,
                    device=device,
                )
        early = local_ms(day, "06:40")
        if strapped and weekday in {1, 4, 6} and early + 8 * MINUTE < until_ms:
            yield Worn(early + 8 * MINUTE, list(who.resting(early, 8)))
        if found:
            yield Came(came, who.name, f"{stamp}_monitoring.fit", found, device=device)
        day += timedelta(days=1)


def _anna(seed: int, **also: Any) -> Wearer:
    return Wearer(ANNA, rng=np.random.default_rng(seed), **also)


# --- the states ---

_FIRST = date(2026, 10, 5)
"""A Monday, six weeks before; the clocks change on the 25th."""

_ANNAS = StrapSettings(address=POLAR.removeprefix("strap "), name="Anna's Polar", person=ANNA)
_NAMELESS = StrapSettings(address=WAHOO.removeprefix("strap "), person=ANNA)
_ODDS = StrapSettings(address=WAHOO.removeprefix("strap "), name="TICKR", person=ODD)


def _usual() -> Iterator[Event]:
    """Thursday evening, on the bicycle: a chest strap and the watch's broadcast are heard, and a third has fallen silent."""
    now = STATES["a usual week"].now_ms
    who = _anna(1)
    yield Noted(at("2026-09-30T20:00+02:00"), ANNA, LIMITS)
    yield Told(at("2026-11-18T08:00+01:00"), ANNA, "strap TICKR 1D07", "silent", 9, -88)
    yield from weeks(who, _FIRST, now - 60 * MINUTE, (40, 34, 0, 46, 30, 38, 33))
    yield Came(
        now - 50 * MINUTE,
        ANNA,
        "export-2026-11-19.zip/4411.fit",
        outcome="duplicate",
        reason="The same file as 2026-11-16-18-10-cycling.fit.",
    )
    yield Came(
        now - 49 * MINUTE,
        ANNA,
        "IMG_2231.jpg",
        outcome="rejected",
        reason="This is no FIT file: it begins like a picture.",
    )
    start = now - 34 * MINUTE
    yield from told_while_worn(ANNA, POLAR, start, now, 71)
    yield Worn(now, list(who.worn(start, now, 133)))
    second = Wearer(ANNA, strap=WAHOO, rng=np.random.default_rng(11))
    yield from told_while_worn(ANNA, WAHOO, start + 2 * MINUTE, now, 44)
    yield Worn(now, list(second.worn(start + 2 * MINUTE, now, 129)))


def _first_day() -> Iterator[Event]:
    """Tuesday evening, an hour after the settings were written; nothing has been measured."""
    yield Noted(at("2026-11-17T19:10+01:00"), ANNA, LIMITS)


def _monday() -> Iterator[Event]:
    """Before breakfast: six weeks are there, of this one nothing, for the watch's file of the night comes later."""
    yield Noted(at("2026-09-30T20:00+02:00"), ANNA, LIMITS)
    yield from weeks(_anna(3), _FIRST, at("2026-11-15T23:00+01:00"), (44, 52, 30))


def _watch_only() -> Iterator[Event]:
    """A strap was worn once, long ago; since then only the watch."""
    who = _anna(4)
    now = STATES["watch only"].now_ms
    yield Noted(at("2026-09-30T20:00+02:00"), ANNA, LIMITS)
    start = at("2026-10-08T10:00+02:00")
    yield from told_while_worn(ANNA, POLAR, start, start + 20 * MINUTE, 80)
    yield from weeks(who, _FIRST, now - 90 * MINUTE, (40, 34, 38), strapped=False)


def _no_limits() -> Iterator[Event]:
    """Nobody has said how old Anna is or how fast her heart can beat, and the watch does not know either."""
    now = STATES["no limits known"].now_ms
    yield Noted(at("2026-11-02T20:00+01:00"), ANNA, {"zone": ZONE})
    yield from weeks(_anna(5), date(2026, 11, 2), now - 20 * MINUTE, (40, 34, 38))


def _not_judged() -> Iterator[Event]:
    """A week of holidays with some movement in it."""
    now = STATES["week not judged"].now_ms
    away = {"from": "2026-11-14", "to": "2026-11-22", "why": "On holiday at the sea, without the bicycle"}
    yield Noted(at("2026-09-30T20:00+02:00"), ANNA, {**LIMITS, "pause": [away]})
    yield from weeks(_anna(6), _FIRST, now - 30 * MINUTE, (40, 44, 20), strapped=False)


def _met() -> Iterator[Event]:
    """Sunday evening: the target was reached yesterday."""
    now = STATES["target met"].now_ms
    yield Noted(at("2026-09-30T20:00+02:00"), ANNA, {**LIMITS, "target_min": 120})
    yield from weeks(_anna(7), _FIRST, now - 30 * MINUTE, (50, 58, 44))


def _about_enough() -> Iterator[Event]:
    """Sunday evening: a watch that writes every twenty seconds, on walks around the limit; what it did not write decides the week."""
    now = STATES["about enough"].now_ms
    who = _anna(31)
    yield Noted(at("2026-09-30T20:00+02:00"), ANNA, {**LIMITS, "target_min": 84})
    for day, minutes in ((date(2026, 11, 17), 40), (date(2026, 11, 19), 63), (date(2026, 11, 21), 62)):
        start = local_ms(day, "10:00")
        yield Came(
            start + 80 * MINUTE,
            ANNA,
            f"{day.isoformat()}-walking.fit",
            list(who.workout(start, minutes, 116, "walking", step_s=20)),
            device={"device": who.watch, "product": who.product},
        )
    yield Came(now - HOUR, ANNA, "2026-11-21_monitoring.fit", list(who.day(date(2026, 11, 21))))


def _two() -> Iterator[Event]:
    """Two people with their own limits, targets and weeks; the one with the odd name begins hers on Sunday."""
    now = STATES["two persons"].now_ms
    yield Noted(at("2026-09-30T20:00+02:00"), ANNA, LIMITS)
    yield Noted(
        at("2026-09-30T20:01+02:00"),
        ODD,
        {"maximum_bpm": 172, "target_min": 90, "week_begins": "sunday", "zone": ZONE},
    )
    odd = Wearer(ODD, "polar_electro-81234567", WAHOO, 63, rng=np.random.default_rng(9))
    yield from weeks(_anna(8), _FIRST, now - 30 * MINUTE, (40, 34, 38))
    yield from weeks(odd, date(2026, 10, 4), now - 30 * MINUTE, (24, 30))
    start = now - 25 * MINUTE
    yield from told_while_worn(ODD, WAHOO, start, now, 19)
    yield Worn(now, list(odd.worn(start, now, 118)))


def _twelve_years() -> Iterator[Event]:
    """Twelve years of two, with as few numbers as make them: all of them counted would take minutes.

    One of them has something on every day of the last year and in each week of another year; before that, a week in four.
    """
    now = STATES["twelve years"].now_ms
    anna = _anna(21)
    odd = Wearer(ODD, "polar_electro-81234567", WAHOO, 63, rng=np.random.default_rng(22))
    for who in (anna, odd):
        yield Noted(at("2014-11-01T12:00+01:00"), who.name, LIMITS)
    monday, number = date(2014, 11, 17), 0
    while local_ms(monday, "00:00") < now:
        age = now - local_ms(monday, "00:00")
        of_anna = 7 if age < 366 * DAY else int(age < 731 * DAY or number % 4 == 0)
        for who, days in ((anna, of_anna), (odd, int(number % 8 == 0))):
            facts = list(_light_week(who, monday, days, now))
            if facts:
                came = min(local_ms(monday, "00:00") + 7 * DAY, now)
                yield Came(came, who.name, f"{monday.isoformat()}_week.fit", facts)
        monday, number = monday + timedelta(days=7), number + 1


def _light_week(who: Wearer, monday: date, days: int, until_ms: int) -> Iterator[Happening]:
    """On some days a rest of two hours; on three of them, or on the only one, a workout."""
    for i in range(days):
        day = monday + timedelta(days=i)
        rest = local_ms(day, "05:00") + np.arange(126, dtype=np.int64) * MINUTE
        if rest[-1] + MINUTE < until_ms:
            bpm = who.resting_bpm + who.rng.integers(-2, 6, len(rest))
            yield Heard(who.name, who.all_day, "monitoring", rest, bpm, int(rest[-1]) + MINUTE, movement=())
        start = local_ms(day, "17:00")
        lasts = int(who.rng.integers(18, 46)) * (1 if days > 1 else 3)
        if i in {0, 2, 4} and start + lasts * MINUTE < until_ms:
            yield from who.workout(start, lasts, int(who.rng.integers(118, 146)), step_s=10)


STATES = {
    s.name: s
    for s in (
        State("a usual week", at("2026-11-19T18:40:30+01:00"), _usual, straps=(_ANNAS, _NAMELESS)),
        State("first day", at("2026-11-17T20:12:00+01:00"), _first_day),
        State("monday morning", at("2026-11-16T07:30:10+01:00"), _monday, straps=(_ANNAS,)),
        State("watch only", at("2026-11-18T21:45:00+01:00"), _watch_only),
        State("no limits known", at("2026-11-19T12:00:30+01:00"), _no_limits),
        State("week not judged", at("2026-11-20T09:15:00+01:00"), _not_judged),
        State("target met", at("2026-11-22T20:05:00+01:00"), _met),
        State("about enough", at("2026-11-22T20:15:00+01:00"), _about_enough),
        State(
            "two persons",
            at("2026-11-19T18:00:30+01:00"),
            _two,
            (ANNA, ODD),
            ODD,
            {ODD: "sunday"},
            (_ANNAS, _ODDS),
        ),
        State("twelve years", at("2026-11-21T10:00:00+01:00"), _twelve_years, (ANNA, ODD)),
    )
}
"""By their names."""
