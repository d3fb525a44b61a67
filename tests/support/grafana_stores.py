"""A home for dashboards: weeks around both changes of the clock and around New Year, and something of all kinds."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ingest.journal import Journal
from tests.support.households import (
    DAY,
    HOUR,
    MINUTE,
    Claim,
    Copies,
    Event,
    Limits,
    Noted,
    Recording,
    S,
    Workout,
    at,
    steady,
)

ANNA, ODD = "Anna", "Zoë O'Hara (jr.), 2"
"""The second has whatever a name may have in it that means something to a database."""

UNLIMITED, MEDICATED = "Ben", "Eva"
"""Of one nothing tells the limits, of the other a medicine keeps them from being known."""

WORN = "Ida"
"""Who wore a sensor in all of one week, and moved little."""

PEOPLE = sorted([ANNA, ODD, UNLIMITED, MEDICATED, WORN])

TARGET_MIN = 110
"""Of Anna: some weeks reach it and some do not."""

STRAP, SECOND_STRAP = "strap A0:9E:1A:12:34:51", "strap A0:9E:1A:12:34:52"
WATCH, OTHER_WATCH, ODDS_WATCH = "garmin-77-activity", "garmin-78-activity", "garmin-79-activity"
ALL_DAY = "garmin-77-monitoring"
SOURCES = (STRAP, SECOND_STRAP, WATCH, OTHER_WATCH, ODDS_WATCH, ALL_DAY)
"""As the journal calls them."""

PLACE = ZoneInfo("Europe/Amsterdam")

NOW = at("2026-11-19T12:00:30+01:00")
"""When a strap is worn, half a minute into a minute."""

WEEKS = {
    "october 2025": "2025-10-20",
    "november 2025": "2025-10-27",
    "new year": "2025-12-29",
    "march 2026": "2026-03-23",
    "april 2026": "2026-03-30",
    "october 2026": "2026-10-19",
    "not judged": "2026-11-09",
    "this week": "2026-11-16",
}
"""Their first days; the clocks change on the last day of those called after the month in which they do."""


def week_ms(first_day: str) -> tuple[int, int]:
    """The first and the last millisecond of a week, as Grafana has "this week" in the zone of the household."""
    start = datetime.fromisoformat(first_day).replace(tzinfo=PLACE)
    return round(start.timestamp() * 1000), round((start + timedelta(days=7)).timestamp() * 1000) - 1


def _local(day: str, clock: str, after_days: int = 0) -> int:
    moment = datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=PLACE) + timedelta(days=after_days)
    return round(moment.timestamp() * 1000)


def _workout(person: str, start: int, seconds: int, bpm: int, source: str) -> Iterator[Event]:
    yield steady(person, start, seconds, bpm, source=source)
    yield Workout(person, source, start, start + seconds * S)


def _all_day(
    person: str, start: int, minutes: int, bpm: int, moved: tuple[tuple[int, int], ...] = ()
) -> Event:
    return steady(
        person, start, minutes * 60, bpm, source=ALL_DAY, kind="monitoring", step_s=60, movement=moved
    )


def bpm_at(ms: int) -> int:
    """What the strap that is believed tells at a moment of the last forty minutes: all zones within a minute."""
    return 100 + ms // S % 60


def happenings() -> Iterator[Event]:
    """Everything, in no particular order of time."""
    facts = (
        ("maximum_bpm", 180),
        ("not_judged", ["2026-W46"]),
        ("pause", [{"from": "2026-04-01", "to": "2026-04-02", "why": "holiday"}]),
        ("target_min", TARGET_MIN),
        ("zone", "Europe/Amsterdam"),
    )
    yield Noted(ANNA, facts)
    yield Noted(ODD, (("target_min", 60), ("week_begins", "sunday"), ("zone", "Europe/Amsterdam")))
    yield Limits(ODD, at("2025-01-01T00:00Z"), 170)
    for i, first in enumerate(WEEKS.values()):
        # Monday noon, over midnight into the day of the change, and the last minutes of the week.
        yield from _workout(ANNA, _local(first, "12:00:00"), 1500 + 60 * i, 125, WATCH)
        if first != WEEKS["this week"]:
            yield from _workout(ANNA, _local(first, "23:40:00", 5), 2400, 128 + i, OTHER_WATCH)
            yield from _workout(ANNA, _local(first, "23:50:00", 6), 1200, 150, WATCH)
        yield _all_day(ANNA, _local(first, "08:00:00", 2), 300, 58 + i)
        raised = _local(first, "15:00:00", 2)
        yield _all_day(ANNA, raised, 30, 130, moved=((raised, raised + 10 * MINUTE),))
        yield from _workout(ODD, _local(first, "12:00:00"), 900 + 30 * i, 135, ODDS_WATCH)
        yield _all_day(ODD, _local(first, "09:00:00", 3), 200, 55 + i)
    worn = range(NOW - 40 * MINUTE, NOW, S)
    bpm = tuple((t, bpm_at(t)) for t in worn)
    beats = tuple((t, 700 + t // S % 5 * 8) for t in worn)
    yield Recording(ANNA, STRAP, "strap", bpm, NOW, beats=beats)
    yield Workout(ANNA, STRAP, NOW - 40 * MINUTE, NOW)
    # A second strap, heard for half a minute more: of two the first is believed.
    yield Recording(ANNA, SECOND_STRAP, "strap", tuple((t, 71) for t in worn[-600:]), NOW)
    yield from _paused()
    yield from _without_limits()
    yield from _worn_all_week()
    copied = steady(ODD, _local("2026-11-17", "10:00:00"), 600, 90, source=ODDS_WATCH)
    yield Copies((replace(copied, samples=copied.samples[:300]),), (copied,))
    yield Claim(ANNA, WATCH, _local("2026-11-16", "00:00:00"), _local("2026-11-16", "00:00:00") + DAY, 20.0)


PAUSED = _local("2026-10-21", "18:00:00")
"""When a workout of half an hour begins that its wearer interrupts from the tenth minute to the fifteenth."""


def _paused() -> Iterator[Event]:
    pause = (PAUSED + 10 * MINUTE, PAUSED + 15 * MINUTE)
    heart = steady(ANNA, PAUSED, 1800, 125, source=WATCH)
    yield replace(heart, pauses=(pause,))
    yield Workout(ANNA, WATCH, PAUSED, PAUSED + 30 * MINUTE, timer_s=1500.0)
    yield Claim(ANNA, WATCH, PAUSED, PAUSED + 30 * MINUTE, 12.0)


def _worn_all_week() -> Iterator[Event]:
    first = WEEKS["october 2026"]
    yield Noted(WORN, (("maximum_bpm", 180), ("zone", "Europe/Amsterdam")))
    # The sensor told to the end of the week's 169 hours.
    for hour in range(0, 169, 13):
        yield _all_day(WORN, _local(first, "00:00:00") + hour * HOUR, 13 * 60, 60)
    yield from _workout(WORN, _local(first, "12:00:00"), 1800, 125, ODDS_WATCH)
    # The week after begins, for who begins weeks on Sundays, with the change of the clock.
    yield from _workout(ODD, _local("2026-10-26", "12:00:00"), 600, 135, ODDS_WATCH)


def _without_limits() -> Iterator[Event]:
    zone = ("zone", "Europe/Amsterdam")
    yield Noted(UNLIMITED, (zone,))
    medicine = {"from": "2025-01-01", "limiting_medicine": True}
    yield Noted(MEDICATED, (zone, ("born", 1970), ("profile", [medicine])))
    for first in (WEEKS["october 2026"], WEEKS["this week"]):
        for person in (UNLIMITED, MEDICATED):
            yield steady(person, _local(first, "10:00:00"), 1200, 120, source=ODDS_WATCH)


def tell(journal: Journal, person: str, strap: str = STRAP) -> None:
    """What a strap of a person says of itself: found, connected for some minutes, its battery low in the end."""
    with journal.write() as w:
        for i, (state_no, state) in enumerate([(1, "searching"), *[(3, "connected")] * 5, (4, "silent")]):
            said = {
                "source": strap,
                "state": state,
                "state_no": state_no,
                "battery_pct": 20 - i if state_no > 1 else None,
                "signal_dbm": -60 - i if state_no > 1 else None,
                "samples": 60 * (state_no == 3),
                "gaps": i % 2,
                "reconnects": 0,
                "age_s": 0.4 if state_no > 1 else None,
            }
            w.entry(w.person(person), "collector", NOW - (10 - i) * MINUTE, None, said)


__all__ = [
    "ALL_DAY",
    "ANNA",
    "HOUR",
    "MEDICATED",
    "NOW",
    "ODD",
    "OTHER_WATCH",
    "PAUSED",
    "PEOPLE",
    "PLACE",
    "SECOND_STRAP",
    "SOURCES",
    "STRAP",
    "TARGET_MIN",
    "UNLIMITED",
    "WATCH",
    "WEEKS",
    "WORN",
    "bpm_at",
    "happenings",
    "tell",
    "week_ms",
]
