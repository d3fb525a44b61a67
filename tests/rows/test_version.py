"""A store that was filled by another make of the rows is filled anew; nobody has to think of it."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.language import languages, speak
from ingest.rows.table import REAL, TABLES
from ingest.rows.version import rows_version
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
    filled,
    happen,
    household,
    steady,
)
from tests.support.strap_sessions import StateReport, happen_all, wear_strap

MONDAY = at("2026-10-19T00:00+02:00")

GOLDEN = (71090137318, "680aaac6fea73e17")
"""The version of the rows, and the fingerprint of the rows of the household below."""


@pytest.mark.parametrize("language", languages())
def test_a_changed_computation_has_a_version_of_its_own(tmp_path: Path, language: str) -> None:
    """Protects installed stores from old rows beside new ones: they are filled anew if and only if the version differs.

    In whichever language people are spoken to, stores hold the same.
    """
    speak(language)
    with household(tmp_path, events()) as journal:
        happen_all(
            journal, [wear_strap(MONDAY + 3 * DAY + 9 * HOUR, pulse(1900, 4)), StateReport(MONDAY + 3 * DAY)]
        )
        happen(journal, Noted("Jan", (*PROFILE, ("week_begins", "sunday"))))
        rows = filled(journal, tmp_path / "store.db")
    assert all(rows.values()), "every table has rows here"
    found = rows_version(), fingerprint(row for name in sorted(rows) for row in rows[name])
    if found != GOLDEN and found[0] == GOLDEN[0]:
        raise AssertionError(
            "The rows come out otherwise than before. If that is meant, raise COMPUTATION in ingest/rows/version.py,"
            " run this test again and write here what it then says; stores out there are filled anew with the version."
        )
    assert found == GOLDEN, f"The version is another one: write {found} into GOLDEN."


def test_each_change_of_a_table_changes_the_version() -> None:
    """Protects a store from rows that it has no column for, though nobody thought of the version."""
    week = TABLES["week"]
    changed = [
        replace(week, fields={**week.fields, "vo2max": REAL}),
        replace(week, fields={**week.fields, "active_days": REAL}),
        replace(week, tags=(*week.tags, "source")),
    ]
    versions = [rows_version({**TABLES, "week": table}) for table in changed]
    assert len({rows_version(), *versions}) == 4
    assert rows_version({**TABLES, "week": replace(week, about="words")}) == rows_version()


PROFILE = (
    ("bout_min", 2),
    ("maximum_bpm", 176),
    ("pause", [{"from": "2026-10-26", "to": "2026-10-26", "why": "a cold"}]),
    ("profile", [{"from": "2026-10-20", "maximum_bpm": 172, "resting_bpm": 55}]),
    ("sex", "woman"),
    ("sport", [{"name": "running", "offset_bpm": 5}]),
    ("travel", [{"from": "2026-10-22", "to": "2026-10-23", "zone": "America/New_York"}]),
    ("zone", "Europe/Amsterdam"),
)


def events() -> list[Event]:
    """A week with a bit of everything, over the end of summer time."""
    happened: list[Event] = [Noted("Jan", PROFILE), Noted("Piet", (("born", 1960), ("zone", "Asia/Kolkata")))]
    for day in range(MONDAY, MONDAY + 8 * DAY, DAY):
        n = day // DAY % 7
        samples = tuple(
            (day + i * MINUTE, 50 + (i * 7 + n) % 13 + (60 if 600 < i < 640 else 0)) for i in range(1000)
        )
        beats = tuple((day + i * S, 900 + i % 7 * 17) for i in range(4000))
        moved = ((day + 610 * MINUTE, day + 630 * MINUTE),)
        happened += [
            Recording(
                "Jan", "all-day", "monitoring", samples, day + DAY, (), moved, (), beats if n % 2 else ()
            ),
            Claim("Jan", "all-day", day, day + DAY, 12.0 + n),
        ]
    run = MONDAY + 17 * HOUR
    seconds = tuple((run + i * S, bpm) for i, bpm in enumerate(pulse(2400, 1)))
    after = tuple((run + (2400 + i) * S, 150 - i) for i in range(70))
    pauses = ((run + 300 * S, run + 360 * S),)
    happened += [
        Recording("Jan", "watch", "activity", seconds + after, run + 2470 * S, pauses),
        Workout("Jan", "watch", run, run + 2400 * S, 2340.0),
        Workout("Jan", "watch", MONDAY + 30 * HOUR, MONDAY + 31 * HOUR),
        Limits("Piet", MONDAY, 168),
        steady("Piet", run, 1800, 110),
        Copies((steady("Piet", run + HOUR, 60, 90),), (steady("Piet", run + HOUR, 70, 90),)),
    ]
    return happened


def pulse(seconds: int, seed: int) -> list[int]:
    """Heart rates that rise and fall, one a second."""
    return [105 + (i // 20 * 7 + seed) % 60 + i % 3 for i in range(seconds)]


def fingerprint(rows: Iterable[tuple[object, ...]]) -> str:
    """One for all rows; of real numbers nine digits, as many as are the same on every machine."""
    told = hashlib.sha256()
    for row in rows:
        told.update(repr([f"{x:.9g}" if isinstance(x, float) else x for x in row]).encode())
    return told.hexdigest()[:16]
