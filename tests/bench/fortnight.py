"""A fortnight of straps in simulated time, through recorder, journal, rows and store: what grows, and what is written.

    python -m tests.bench.fortnight [--straps 4] [--days 14] [--hours H] [--folder DIR]

A line for each simulated day. Ends with 1 when memory, descriptors or threads are more at the end than after the first
day, or when one strap has more written a day than the card is to take. What is counted is what the program writes; beside it
stands what the kernel sends to the disk for that, in pages of 4 KiB, which is nothing where the folder lies in memory.
"""

import argparse
import gc
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from ingest.collect.connection import Connection, StrapOwner
from ingest.collect.recorder import Recorder
from ingest.collect.strap_state import StrapState
from ingest.journal import Journal
from ingest.rows.cache import RowCache
from ingest.stores.following import follow
from ingest.stores.live_pace import LivePace
from ingest.stores.sqlite import SqliteStore
from ingest.system.memory import GIVE_BACK_S, give_back_memory, share_memory
from tests.support.air.heart import Heart, Sensor
from tests.support.straps import ManualClock

COMMIT_S = 5
DAY_S = 86_400

MOST_WRITTEN_MB = 100
"""A day with one strap worn all day."""

NOISE_MIB = 3.0
"""What memory may differ by from day to day without growing: pages that an allocator keeps."""


@dataclass(frozen=True)
class Reading:
    """How much of the machine a household takes after so many hours, and what it has had written since the last reading."""

    hours: float
    resident_mib: float
    descriptors: int
    threads: int
    written_mb: float
    sent_mb: float
    journal_mb: float
    store_mb: float

    def __str__(self) -> str:
        return (
            f"{self.hours:7.1f} h  {self.resident_mib:7.1f} MiB  {self.descriptors:3d} descriptors  {self.threads} threads"
            f"  {self.written_mb:7.1f} MB written, {self.sent_mb:7.1f} MB sent to the disk  journal {self.journal_mb:.1f} MB  store {self.store_mb:.1f} MB"
        )


class Household:
    """Straps that are worn all day; each link breaks now and then, for some seconds or for half an hour."""

    def __init__(self, folder: Path, straps: int) -> None:
        self._folder = folder
        self._clock = ManualClock()
        self._random = Random(14)
        self._recorder = Recorder(folder / "journal.db", self._clock, on_commit=lambda: None)
        self._owners = [StrapOwner(f"person {n}", f"strap F0:00:00:00:00:{n:02X}") for n in range(straps)]
        self._sensors = [Sensor(Heart(n, 0.0)) for n in range(straps)]
        self._links: dict[int, Connection] = {}
        self._back_s = dict.fromkeys(range(straps), 0)
        self._written = (0, 0)

    def live(self, hours: float, every_h: float = 24) -> Iterator[Reading]:
        """Let time pass; a reading each so many hours, and one at the end."""
        cache, pace = RowCache(), LivePace(lambda: self._clock.steady_ms() / 1000)
        with (
            Journal(self._folder / "journal.db", now_ms=self._clock.wall_ms) as journal,
            Journal(self._folder / "journal.db") as read,
            SqliteStore(self._folder / "store.db") as store,
        ):
            self._written = _written_bytes()
            for second in range(1, round(hours * 3600) + 1):
                self._second(second)
                if second % COMMIT_S == 0:
                    self._recorder.commit(journal)
                    follow(read, store, cache=cache, pace=pace)
                if second % GIVE_BACK_S == 0:
                    give_back_memory()
                if second % round(every_h * 3600) == 0 or second == round(hours * 3600):
                    yield self._reading(second / 3600)

    def _second(self, second: int) -> None:
        self._clock.on(1000)
        for n, owner in enumerate(self._owners):
            said = self._sensors[n].says(float(second))
            link = self._links.get(n)
            if link is None and second >= self._back_s[n]:
                link = self._links[n] = self._recorder.open_connection(owner)
                self._recorder.record_state(owner, StrapState("connected", "", 80, -60))
            if link is not None and self._random.random() < 1 / 5000:
                link.end()
                del self._links[n]
                self._back_s[n] = second + self._random.choice((3, 20, 1800))
                self._recorder.record_state(owner, StrapState("searching", "not heard", 80, None))
            elif link is not None and said:
                link.receive(said[0])

    def _reading(self, hours: float) -> Reading:
        gc.collect()
        before, self._written = self._written, _written_bytes()
        sizes = [(self._folder / name).stat().st_size / 1e6 for name in ("journal.db", "store.db")]
        return Reading(
            hours,
            int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20,
            len(list(Path("/proc/self/fd").iterdir())),
            threading.active_count(),
            (self._written[0] - before[0]) / 1e6,
            (self._written[1] - before[1]) / 1e6,
            *sizes,
        )


def _written_bytes() -> tuple[int, int]:
    """What this process has written so far, and what of it was sent to disks (proc(5), wchar and write_bytes)."""
    told = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(told["wchar"]), int(told["write_bytes"])


def growth(readings: list[Reading]) -> list[str]:
    """What is more at the end than after the first reading, in words."""
    first, last = readings[0], readings[-1]
    found = []
    if last.resident_mib > first.resident_mib + NOISE_MIB:
        found.append(f"memory grew from {first.resident_mib:.1f} to {last.resident_mib:.1f} MiB")
    if last.descriptors > first.descriptors:
        found.append(f"descriptors grew from {first.descriptors} to {last.descriptors}")
    if last.threads > first.threads:
        found.append(f"threads grew from {first.threads} to {last.threads}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--straps", type=int, default=4)
    parser.add_argument("--days", type=float, default=14)
    parser.add_argument("--hours", type=float, help="instead of days")
    parser.add_argument("--folder", type=Path)
    chosen = parser.parse_args()
    share_memory()  # as the daemon does
    hours = chosen.hours or chosen.days * 24
    readings = []
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        for reading in Household(Path(folder), chosen.straps).live(hours, min(24, hours / 2)):
            readings.append(reading)
            print(reading, flush=True)
    wrong = growth(readings)
    a_day = sum(r.written_mb for r in readings) / hours * 24
    print(f"{a_day:.1f} MB written a day by {chosen.straps} straps")
    if chosen.straps == 1 and a_day > MOST_WRITTEN_MB:
        wrong.append(f"more than {MOST_WRITTEN_MB} MB are written a day")
    print("\n".join(wrong) or "nothing grows")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
