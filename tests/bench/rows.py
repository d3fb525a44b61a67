"""Ten years of history: what a change of profile costs, a new file beside an empty journal, a strap that is worn.

python -m tests.bench.rows [--years 10] [--live]

In seconds of one core, so that others who use the machine make no difference; by the clock too where it is to reach
something.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from ingest.household import record_profile
from ingest.journal import RANKS, Columns, Journal, Notifications
from ingest.journal.dating import Observation
from ingest.rows.cache import RowCache
from ingest.stores.following import follow
from ingest.stores.live_pace import LivePace
from ingest.stores.sqlite import SqliteStore
from zones.series import TIMES, Series
from zones.spans import Spans

SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
LAST = 1_795_000_000_000 // DAY * DAY
"""A midnight in November 2026."""

NEAR = 8 * 7 * DAY
"""New files come right behind the history, each into a week of its own; that is how much room they have."""


def one_day(journal: Journal, midnight: int, rng: np.random.Generator, name: str = "Jan") -> None:
    """An hour of a strap with a workout, and an all-day heart rate a minute."""
    with journal.write() as w:
        person = w.person(name)
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
    record_profile(journal, "Jan", {"zone": "Europe/Amsterdam", "maximum_bpm": 180}, overwrite=True)
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


BOOT = LAST - 40 * DAY
"""When the machine began to run, by its wall clock."""


def notified(first: int, seconds: int, rng: np.random.Generator) -> list[tuple[int, bytes]]:
    """A notification a second, each with the beats of its second, as a strap sends them."""
    told = []
    for at in range(first, first + seconds * SECOND, SECOND):
        bpm = int(80 + 20 * np.sin(at / 4e5) + rng.integers(-2, 3))
        beats = [
            int(61_440 // bpm + rng.integers(-30, 30)) for _ in range(1 + (at // SECOND % 60 < bpm - 60))
        ]
        octets = bytes([0x16, bpm]) + b"".join(units.to_bytes(2, "little") for units in beats)
        told.append((at + int(rng.integers(10, 60)) - BOOT, octets))
    return told


def seconds_told(each: list[tuple[float, float]]) -> float:
    """The clock of one who follows every five seconds."""
    return 5.0 * len(each)


def live(folder: Path, years: float) -> dict[str, tuple[float, float]]:
    """Milliseconds (of a core, and in all) for five seconds of a strap at the end of a week worn 16 hours a day.

    The hours are merged but for the last one. For one who follows, for one without a cache, as the daemon does it, and
    where effort counts in bouts only.
    """
    days = int(365.25 * years)
    monday = LAST - LAST // DAY % 7 * DAY + 4 * DAY
    rng = np.random.default_rng(1)
    with history(folder, days, monday - DAY) as journal, SqliteStore(folder / "store.db") as store:
        with journal.write() as w:
            w.clock_observation("boot", Observation(0, BOOT, synchronized=True, offset_ms=BOOT))

        def worn(first: int, seconds: int, began: int, together: int = 3600) -> None:
            with journal.write() as w:
                person = w.person("Jan")
                strap = w.source(person, "strap A0:9E:1A:00:00:01", "strap", RANKS["strap"])
                told = notified(first, seconds, rng)
                for i in range(0, seconds, together):
                    w.notifications(
                        person,
                        strap,
                        Notifications.from_arrivals("boot", began - BOOT, told[i : i + together]),
                    )

        for day in range(7):
            began = monday + day * DAY + 6 * HOUR
            for hour in range(16 if day < 6 else 15):
                worn(began + hour * HOUR, 3600, began)
        now = began + 15 * HOUR
        worn(now, 3500, began, 5)
        now += 3500 * SECOND
        cache = RowCache()
        follow(journal, store, cache=cache)
        result = {}
        for name, remembered, bouts, paced in (
            ("by one who follows", cache, False, False),
            ("without a memory", None, False, False),
            ("on average at the pace of the daemon", cache, False, True),
            ("in bouts", cache, True, False),
            ("in bouts, on average at the pace of the daemon", cache, True, True),
        ):
            if bouts and not paced:
                record_profile(
                    journal,
                    "Jan",
                    {"zone": "Europe/Amsterdam", "maximum_bpm": 180, "bout_min": 10},
                    overwrite=True,
                )
            follow(journal, store, cache=cache)
            each: list[tuple[float, float]] = []
            pace = LivePace(partial(seconds_told, each)) if paced else None
            for _ in range(36 if paced else 12):
                worn(now, 5, began)
                now += 5 * SECOND
                each.append(taken(partial(follow, journal, store, cache=remembered, pace=pace)))
            # At its pace a minute is one stretch of a dozen commits, of which one writes all that is counted.
            core, passed = (np.mean(each[12:], axis=0) if paced else np.median(each[2:], axis=0)) * 1e3
            result[name] = float(core), float(passed)
    return result


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--years", type=float, default=10)
    given.add_argument("--live", action="store_true", help="only what a strap costs that is being worn")
    asked = given.parse_args()
    years = asked.years
    if asked.live:
        live_bench(min(years, 2))
        return
    days = int(365.25 * years)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.perf_counter()
        with history(folder, days, LAST) as journal, SqliteStore(folder / "store.db") as store:
            print(f"{days} days written in {time.perf_counter() - began:.1f} s by the clock", flush=True)
            print(f"store filled in {taken(lambda: follow(journal, store))[0]:.1f} s", flush=True)
            each = []
            for maximum in (172, 178, 170):
                record_profile(
                    journal, "Jan", {"zone": "Europe/Amsterdam", "maximum_bpm": maximum}, overwrite=True
                )
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
    live_bench(min(years, 2))


def live_bench(years: float) -> None:
    with tempfile.TemporaryDirectory() as name:
        for how, (core, passed) in live(Path(name), years).items():
            print(
                f"five seconds of a strap after {years:g} years and a week worn 16 h a day, {how}: {core:.1f} ms of a"
                f" core, {passed:.1f} ms in all"
            )
    print("(to reach at the pace of the daemon: 5 ms, 10 ms in bouts)")


if __name__ == "__main__":
    main()
