"""Ten years of history: what a change of profile costs, and what a new file costs beside an empty journal.

python -m tests.bench.rows [--years 10]
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ingest.journal import RANKS, Columns, Journal
from ingest.rows.memory import Memory
from ingest.rows.profile import note
from ingest.stores.replica import follow
from ingest.stores.sqlite import SqliteStore
from zones.series import TIMES, Series
from zones.spans import Spans

SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
LAST = 1_795_000_000_000 // DAY * DAY
"""A midnight in November 2026."""

NEAR = 8 * 7 * DAY
"""New files come right behind the history, each into a week of its own; that is how much room they have."""


def one_day(journal: Journal, midnight: int, rng: np.random.Generator) -> None:
    """An hour of a strap with a workout, and an all-day heart rate a minute."""
    with journal.write() as w:
        person = w.person("Jan")
        strap = w.source(person, "strap", "strap", RANKS["strap"])
        watch = w.source(person, "all-day", "monitoring", RANKS["monitoring"])
        start = midnight + 17 * HOUR
        seconds = (start + np.arange(3600) * SECOND).astype(TIMES)
        bpm = (115 + 25 * np.sin(np.arange(3600) / 300) + rng.integers(-2, 3, 3600)).astype(np.uint8)
        w.chunk(person, strap, Columns(Series.of(seconds, bpm), start + HOUR))
        content = {"source": "strap", "sport": "cycling", "timer_s": None}
        w.entry(person, "session", start, (start, start + HOUR), content)
        minutes = (midnight + np.arange(1439) * MINUTE).astype(TIMES)
        bpm = (65 + rng.integers(-6, 20, 1439)).astype(np.uint8)
        moved = Spans.of([midnight + 9 * HOUR], [midnight + 10 * HOUR])
        w.chunk(person, watch, Columns(Series.of(minutes, bpm), midnight + 1439 * MINUTE, movement=moved))


def history(folder: Path, days: int, until: int) -> Journal:
    journal = Journal(folder / "journal.db")
    rng = np.random.default_rng(1)
    note(journal, "Jan", {"zone": "Europe/Amsterdam", "maximum_bpm": 180}, overwrite=True)
    for i in range(days, 0, -1):
        one_day(journal, until - i * DAY, rng)
    return journal


def taken(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of one core, and by the clock."""
    cpu, clock = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - clock


def new_file(folder: Path, days: int) -> list[float]:
    """Seconds for each of several files of a day, alone in their weeks, into a history of so many days before them."""
    each = []
    with history(folder, days, LAST - NEAR) as journal, SqliteStore(folder / "store.db") as store:
        follow(journal, store)
        for i in range(7):
            one_day(journal, LAST - NEAR + (7 * i + 9) * DAY, np.random.default_rng(2))
            each.append(taken(lambda: follow(journal, store))[0])
    return each


def live(folder: Path) -> tuple[float, float]:
    """Seconds for five seconds of a strap into the last day of a week worn around the clock, without and with memory."""
    with Journal(folder / "journal.db") as journal, SqliteStore(folder / "store.db") as store:
        note(journal, "Jan", {"zone": "UTC", "maximum_bpm": 180}, overwrite=True)
        monday = LAST - LAST // DAY % 7 * DAY + 4 * DAY
        rng = np.random.default_rng(1)

        def worn(first: int, seconds: int) -> None:
            with journal.write() as w:
                person = w.person("Jan")
                strap = w.source(person, "strap", "strap", RANKS["strap"])
                times = (first + np.arange(seconds) * SECOND).astype(TIMES)
                bpm = (80 + rng.integers(-9, 9, seconds)).astype(np.uint8)
                w.chunk(person, strap, Columns(Series.of(times, bpm), first + seconds * SECOND))

        now = monday
        while now < monday + 6 * DAY + 20 * HOUR:
            worn(now, 3600)
            now += HOUR
        memory = Memory()
        follow(journal, store, memory=memory)
        result = []
        for remembered in (None, memory):
            taken = []
            for _ in range(12):
                worn(now, 5)
                now += 5 * SECOND
                began = time.perf_counter()
                follow(journal, store, memory=remembered)
                taken.append(time.perf_counter() - began)
            result.append(float(np.median(taken[2:])))
    return result[0], result[1]


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--years", type=float, default=10)
    years = given.parse_args().years
    days = int(365.25 * years)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.perf_counter()
        with history(folder, days, LAST) as journal, SqliteStore(folder / "store.db") as store:
            print(f"{days} days written in {time.perf_counter() - began:.1f} s by the clock", flush=True)
            print(f"store filled in {taken(lambda: follow(journal, store))[0]:.1f} s", flush=True)
            each = []
            for maximum in (172, 178, 170):
                note(journal, "Jan", {"zone": "Europe/Amsterdam", "maximum_bpm": maximum}, overwrite=True)
                each.append(taken(lambda: follow(journal, store)))
            cpu, clock = min(each)
            print(
                f"a profile changed, {years:g} years recounted in {cpu:.1f} s of a core, {clock:.1f} s by the clock,"
                " the best of three (to reach: 10 for 10)"
            )
    with tempfile.TemporaryDirectory() as a, tempfile.TemporaryDirectory() as b:
        full, empty = np.median(new_file(Path(a), days)), np.median(new_file(Path(b), 0))
    print(
        f"a new file: {full * 1e3:.1f} ms into {years:g} years, {empty * 1e3:.1f} ms into an empty journal,"
        f" ratio {full / empty:.2f} (to reach: 1.20)"
    )
    with tempfile.TemporaryDirectory() as name:
        without, with_memory = live(Path(name))
    print(
        f"five seconds of a strap into a week at 1 Hz: {without * 1e3:.1f} ms, {with_memory * 1e3:.1f} ms by one who follows"
    )


if __name__ == "__main__":
    main()
