"""A made-up week of one person, and the one before, through the real inbox: `make example`, for somebody without a watch at hand."""

import argparse
import math
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ingest.demo.fit_encoder import ERA, day, workout
from tests.support.daemons import daemon, hartslag, settled

SETTINGS = """\
[inbox]
settle_s = 0.2

[[person]]
name = "Robin"
born = 1978
target_min = 150
"""

# Day of the week, hour, minutes, heart rate aimed at, FIT's number for the sport.
WORKOUTS = (
    (0, 10, 35, 122, 2),
    (2, 19, 25, 128, 11),
    (3, 10, 30, 118, 2),
    (5, 11, 45, 126, 11),
    (6, 9, 20, 142, 2),
)


def week_of_files(monday: datetime, now: datetime) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of a week's FIT files: a walk or ride on most days, and what the watch saw all day until now."""
    for number, hour, minutes, aim, sport in WORKOUTS:
        start = monday + timedelta(days=number, hours=hour)
        if start + timedelta(minutes=minutes) > now:
            continue
        yield (
            f"{start:%Y-%m-%d} workout.fit",
            workout(_fit(start), list(_effort(minutes * 60, aim)), sport=sport, maximum=None),
        )
    for number in range(7):
        start = monday + timedelta(days=number, hours=7)
        worn_min = min(15 * 60, int((now - start).total_seconds()) // 60)
        if worn_min > 0:
            yield (
                f"{start:%Y-%m-%d} all day.fit",
                day(_fit(start), [_idle(number, m) for m in range(worn_min)]),
            )


def _fit(moment: datetime) -> int:
    return int(moment.timestamp()) - ERA


def _effort(seconds: int, aim: int) -> Iterator[int]:
    """A heart that takes a minute to answer, then wavers around what it is asked for, and cools down at the end."""
    bpm = 76.0
    for t in range(seconds):
        asked = aim + 9 * math.sin(t / 170) + 3 * math.sin(t / 23) if t < seconds - 240 else 95
        bpm += (asked - bpm) / 58  # half a minute to a minute and a half (doi 10.1186/s12938-015-0112-7)
        yield round(bpm)


def _idle(number: int, minute: int) -> int:
    """All-day heart rate: mostly at rest, and a walk to the shop."""
    if 300 <= minute < 312:
        return 108 + number
    return round(66 + 5 * math.sin(minute / 47 + number) + 3 * math.sin(minute / 7))


def main() -> None:
    """Feed the week to a fresh daemon and show what its owner would see."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--keep", type=Path, help="leave the data folder here, for Grafana to look at")
    folder: Path | None = parser.parse_args().keep
    if folder is not None and (folder / "journal").exists():
        parser.exit(1, f"{folder} holds a journal already; name an empty folder.\n")
    now = datetime.now(UTC).replace(microsecond=0)
    monday = now.replace(hour=0, minute=0, second=0) - timedelta(days=now.weekday() + 7)
    with tempfile.TemporaryDirectory() as scratch:
        data = (folder or Path(scratch) / "data").absolute()
        inbox = data / "inbox"
        inbox.mkdir(parents=True)
        files = [f for w in (0, 7) for f in week_of_files(monday + timedelta(days=w), now)]
        for name, content in files:
            (inbox / name).write_bytes(content)
        print(f"{len(files)} files made up for Robin lie in a fresh inbox; the daemon takes them ...")
        with daemon(data, settings=SETTINGS):
            while not settled(data):
                time.sleep(0.1)
        print()
        print(hartslag("--data", data, "week").stdout)
        if folder is not None:
            print(f"The data folder is left in {data}.")


if __name__ == "__main__":
    main()
