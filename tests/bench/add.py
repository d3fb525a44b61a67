"""`hartslag add` of two thousand workouts of an hour: into an empty journal, and into one that holds ten years.

    python -m tests.bench.add [--files N] [--years Y]

Whole processes, minutes and SQLite store included. Says how many files a second, how the last hundred compare with
the first hundred, and the largest memory of any one process. Prints a Markdown table.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from ingest.demo.fit_encoder import workout

START = 900_000_000
DAY = 86_400


def hour(chance: random.Random) -> list[int]:
    """An hour of heart rates that wander as they do."""
    bpm, found = 100, []
    for _ in range(3600):
        bpm = max(60, min(180, bpm + chance.choice((-1, 0, 0, 1))))
        found.append(bpm)
    return found


def write(folder: Path, count: int, first_day: int) -> None:
    """A workout a day; a hundred different hours are enough that nothing is ever a duplicate."""
    chance = random.Random(first_day)
    hours = [hour(chance) for _ in range(100)]
    folder.mkdir(parents=True)
    for i in range(count):
        (folder / f"{i:05d}.fit").write_bytes(
            workout(START + (first_day + i) * DAY + i % 3600, hours[i % 100])
        )


def lines(process: "subprocess.Popen[str]") -> Iterator[float]:
    """When each file was done, in seconds since the start."""
    began = time.perf_counter()
    assert process.stdout
    for _ in process.stdout:
        yield time.perf_counter() - began


def add(data: Path, folder: Path) -> tuple[float, float, float, float]:
    """(Seconds, seconds of the first hundred, of the last hundred, largest MiB of one process)."""
    command = [sys.executable, "-u", "-m", "ingest", "--data", str(data), "add", "--json", str(folder)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    )
    began = time.perf_counter()
    done: list[float] = []
    peak_kib = 0
    for i, at in enumerate(lines(process)):
        done.append(at)
        if i % 50 == 0:
            peak_kib = max(peak_kib, *(_peak_kib(pid) for pid in (process.pid, *_children(process.pid))))
    process.wait()
    return time.perf_counter() - began, done[99] - done[0], done[-1] - done[-100], peak_kib / 1024


def _children(pid: int) -> list[int]:
    try:
        return [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _peak_kib(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return int(status.split("VmHWM:")[1].split()[0]) if "VmHWM:" in status else 0


def report(files: int, years: int) -> None:
    """Measure and print."""
    print(f"`hartslag add` of {files} workouts of an hour, minutes and store included\n")
    print(
        "| into | files/s | last hundred / first hundred | peak MiB of a process |\n| --- | ---: | ---: | ---: |"
    )
    with tempfile.TemporaryDirectory() as scratch:
        new, old = Path(scratch) / "new", Path(scratch) / "old"
        write(new, files, 0)
        write(old, years * 365, -years * 365)
        for name, before in (("an empty journal", None), (f"a journal of {years} years", old)):
            data = Path(scratch) / f"data {name}"
            if before is not None:
                add(data, before)
            s, first, last, mib = add(data, new)
            print(f"| {name} | {files / s:.0f} | {last / first:.2f} | {mib:.0f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--years", type=int, default=10)
    given = parser.parse_args()
    report(given.files, given.years)


if __name__ == "__main__":
    main()
