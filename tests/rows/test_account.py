"""An account of any span is complete and adds up: to the clock, and to what `week` says."""

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.rows.account import account_for
from ingest.rows.profile import read_profile
from ingest.rows.week import count_week
from tests.support.happenings import around, events, faulty, new_folder, recordings
from tests.support.households import HOUR, MINUTE, Event, Noted, Recording, at, household, steady
from tests.zones.test_minutes import CHANGES
from zones.days import midnights, week_of

LIMITS = Noted("Jan", (("moderate_bpm", 100), ("vigorous_bpm", 140), ("zone", "Europe/Amsterdam")))


@settings(max_examples=40)
@given(st.lists(events | faulty() | recordings(), min_size=1, max_size=6), st.data())
def test_minutes_explained_one_by_one_are_the_week(happened: list[Event], data: st.DataObject) -> None:
    """Protects "explain adds up to week": to the millisecond, per source and reason, on days of 23 and 25 hours too."""
    with new_folder() as folder, household(folder, [LIMITS, *happened]) as journal:
        moment = data.draw(around(happened)) // MINUTE * MINUTE
        jan = next(p for p in journal.persons() if p.name == "Jan")
        known = read_profile(journal, jan.id)
        first, _ = week_of(known.calendar.day_of(moment))
        borders = midnights(known.zone, first, first + timedelta(days=7)).tolist()
        counted = count_week(journal, jan, known, first)
        whole = account_for(journal, jan.id, known, borders)
        assert whole.zones_ms.tolist() == [int(c[0]) for c in counted.total.columns]
        assert whole.zones_ms.sum() + sum(whole.not_measured_ms.values()) == borders[-1] - borders[0]
        # Minute by minute through an hour in which things happen, against that hour in one go.
        start = moment + data.draw(st.integers(-30, 0)) * MINUTE
        hour = account_for(journal, jan.id, known, [start, start + HOUR])
        minutes = [
            account_for(journal, jan.id, known, [a, b])
            for a, b in pairwise(range(start, start + HOUR + 1, MINUTE))
        ]
        assert np.sum([m.zones_ms for m in minutes], axis=0).tolist() == hour.zones_ms.tolist()
        for why, ms in hour.not_measured_ms.items():
            assert ms == sum(m.not_measured_ms[why] for m in minutes), why
        for name, share in hour.shares.items():
            mine = [m.shares[name] for m in minutes if name in m.shares]
            assert share.zones_ms.tolist() == np.sum([s.zones_ms for s in mine], axis=0).tolist()
            assert sum(share.lost_ms.values()) == sum(sum(s.lost_ms.values()) for s in mine)


def test_a_week_of_nothing_is_not_measured() -> None:
    """Protects "unknown is not zero": nothing recorded is said to be nothing recorded."""
    with new_folder() as folder, household(folder, [LIMITS]) as journal:
        (jan,) = journal.persons()
        known = read_profile(journal, jan.id)
        borders = midnights(known.zone, date(2026, 11, 16), date(2026, 11, 23)).tolist()
        whole = account_for(journal, jan.id, known, borders)
    assert not whole.zones_ms.any()
    assert whole.not_measured_ms["nothing"] == 7 * 24 * HOUR


def test_a_pause_is_one_however_long_it_lasts(tmp_path: Path) -> None:
    """Protects who paused for half an hour, over a midnight too: all of it is a pause, in whatever parts it is asked for."""
    start = at("2026-11-24T23:40+01:00")
    pause = (start + 10 * MINUTE, start + 50 * MINUTE)
    seconds = (*range(600), *range(3000, 3600))
    run = Recording(
        "Jan",
        "watch",
        "activity",
        tuple((start + s * 1000, 120 + s % 7) for s in seconds),
        start + HOUR,
        (pause,),
    )
    with household(tmp_path, [LIMITS, run]) as journal:
        (jan,) = journal.persons()
        known = read_profile(journal, jan.id)
        for borders in (
            [start, start + HOUR],
            [start, start + 20 * MINUTE, start + 29 * MINUTE, start + HOUR],
        ):
            whole = account_for(journal, jan.id, known, borders)
            expected = {"paused": 40 * MINUTE, "masked": 0, "gap": 0, "nothing": 0}
            assert whole.not_measured_ms == expected
            assert whole.shares["watch"].paused_ms == 40 * MINUTE
            assert whole.zones_ms.sum() == 20 * MINUTE


@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_every_day_of_every_clock_is_accounted_for(zone: str, day: date, tmp_path: Path) -> None:
    """Protects days of 23, 24.5 and 25 hours, and none at all: five zones and the reasons for the rest are the day."""
    rng = np.random.default_rng(day.toordinal())
    borders = midnights(zone, day - timedelta(days=1), day + timedelta(days=2)).tolist()
    happened: list[Event] = [
        Noted("Jan", (("moderate_bpm", 100), ("vigorous_bpm", 140), ("zone", zone))),
        *(
            steady("Jan", a, 17 * 3600, 120, step_s=40)
            for a in range(borders[0] - HOUR, borders[-1], 18 * HOUR)
        ),
    ]
    for source, kind, step in (("strap", "strap", 3), ("all-day", "monitoring", 60)):
        first = borders[1] + int(rng.integers(-4 * HOUR, 3 * HOUR)) // 1000 * 1000
        samples = tuple((first + i * step * 1000, int(rng.integers(60, 180))) for i in range(400))
        last = samples[-1][0]
        moved = ((first + HOUR // 4, last),) if kind == "monitoring" else None
        happened.append(
            Recording("Jan", source, kind, samples, last, ((first + HOUR // 9, first + HOUR // 6),), moved)
        )
    with household(tmp_path, happened) as journal:
        (jan,) = journal.persons()
        known = read_profile(journal, jan.id)
        for n, (a, b) in enumerate(pairwise(borders)):
            whole = account_for(journal, jan.id, known, [a, b])
            assert whole.zones_ms.sum() + sum(whole.not_measured_ms.values()) == b - a
            first, _ = week_of(day + timedelta(days=n - 1))
            counted = count_week(journal, jan, known, first)
            i = (day - first).days + n - 1
            assert counted.borders_ms[i : i + 2].tolist() == [a, b]
            assert [int(c[i]) for c in counted.days.columns] == whole.zones_ms.tolist()
