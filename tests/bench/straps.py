"""Straps: forty on one radio, how soon one is back, what a notification costs, a daemon with four, and beats in time.

python -m tests.bench.straps [--minutes 60] [--daemon-s 60] [--days 1]
"""

import argparse
import asyncio
import os
import random
import statistics
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np

from ingest.collect.connection import StrapOwner
from ingest.collect.recorder import Recorder
from ingest.journal import Journal
from ingest.rows.cache import RowCache
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
from ingest.system.clock import SystemClock
from tests.support.air.clock import AirClock
from tests.support.air.heart import Heart, Sensor
from tests.support.air.link import SUPERVISION_S
from tests.support.air.loop import LeapLoop, simulate, until
from tests.support.air.room import Room
from tests.support.bluez.bluez import played
from tests.support.bluez.bus import Bus
from tests.support.daemons import QUICK, daemon
from tests.support.daemons import until as until_real
from tests.support.data_folder import Home, delivered_payloads, one_adapter, recorded_payloads, strap_of
from zones.placing import place

PAGE = os.sysconf("SC_PAGE_SIZE")
TICK = os.sysconf("SC_CLK_TCK")


def address(n: int) -> str:
    return f"F0:00:00:00:00:{n:02X}"


def forty(folder: Path, minutes: float) -> None:
    """Every delivered notification of forty straps in the journal once, in order."""

    async def story() -> None:
        async with Room() as room:
            straps = [await room.strap(address(n), seed=n, phase_s=n / 41) for n in range(1, 41)]
            clock = AirClock()
            journal = folder / "forty.db"
            home = Home(
                journal,
                clock,
                [strap_of(s.address) for s in straps],
                backends=room.backends(),
                list_all=one_adapter,
            ).begin()
            await asyncio.sleep(60 * minutes)
            await home.end()
            delivered = sum(len(s.delivered) for s in straps)
            whole = all(
                recorded_payloads(journal, f"strap {s.address}") == delivered_payloads(s.delivered, clock)
                for s in straps
            )
            size = journal.stat().st_size
            print(
                f"40 straps, {minutes:g} min: {delivered} delivered, in the journal once and in order: {whole}; {size / 1e6:.1f} MB"
            )

    began = time.perf_counter()
    simulate(story)
    print(f"  simulated in {time.perf_counter() - began:.0f} s")


def back(folder: Path) -> None:
    """How soon a loss is known, and how soon a strap is heard again once it is back."""

    async def story() -> None:
        async with Room() as room:
            strap = await room.strap(address(1))
            home = Home(
                folder / "back.db",
                AirClock(),
                [strap_of(strap.address)],
                backends=room.backends(),
                list_all=one_adapter,
            ).begin()
            chance, losses, returns = random.Random(1), [], []
            for _ in range(50):
                await until(lambda: home.states == ["connected"], "the strap")
                await asyncio.sleep(10 + chance.random())
                strap.leave()
                losses.append(await until(lambda: home.states != ["connected"], "the loss"))
                await asyncio.sleep(10 - SUPERVISION_S)
                strap.enter()
                returns.append(await until(lambda: home.states == ["connected"], "the strap"))
            await home.end()
            print(
                f"absent for 10 s, 50 times: loss known after {max(losses):.2f} s at most (supervision time {SUPERVISION_S:g} s);"
                f" heard again {statistics.median(returns):.2f} s after it is back, {max(returns):.2f} s at most"
            )

    simulate(story)


def cost() -> None:
    """Notifications a second into the buffer, and the median of the callback's whole work."""
    loop = LeapLoop()
    sensor = Sensor(Heart(1, 0.0))
    said = [s[0] for n in range(1, 2001) if (s := sensor.says(float(n)))]
    loop.close()
    recorder = Recorder(Path("/nowhere"), SystemClock(), on_commit=lambda: None)
    connection = recorder.open_connection(StrapOwner("jan", "strap"))
    taken = []
    for i in range(200_000):
        payload = said[i % len(said)]
        began = time.perf_counter_ns()
        connection.receive(payload)
        taken.append(time.perf_counter_ns() - began)
    begin_s = time.perf_counter()
    for i in range(200_000):
        connection.receive(said[i % len(said)])
    rate = 200_000 / (time.perf_counter() - begin_s)
    print(
        f"callback: median {statistics.median(taken) / 1000:.2f} us; {rate:,.0f} notifications a second into the buffer"
    )


def processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def resident_mib(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 2**20


def four(folder: Path, seconds: float) -> None:
    """Memory and processor of a real daemon that listens to four straps."""
    settings = (
        QUICK
        + '[[person]]\nname = "jan"\n'
        + "".join(f'[[strap]]\naddress = "{address(n)}"\nperson = "jan"\n' for n in range(1, 5))
    )
    with Bus(folder) as bus, played(bus.address) as bluez:
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = bus.address
        straps = [bluez.do(bluez.bluez.strap, address(n), phase_s=n / 4) for n in range(1, 5)]
        with daemon(folder / "four", settings=settings) as process:
            until_real(lambda: all(len(s.delivered) > 20 for s in straps), "four straps")
            before, began, sizes = processor_s(process.pid), time.monotonic(), [resident_mib(process.pid)]
            while (left := began + seconds - time.monotonic()) > 0:
                time.sleep(min(left, 60))
                sizes.append(resident_mib(process.pid))
            used = processor_s(process.pid) - before
            share = used / (time.monotonic() - began)
            steps = ", ".join(f"{s:.1f}" for s in sizes)
            print(
                f"daemon with four straps, {seconds:g} s: {share:.2%} of a core; MiB resident each minute: {steps}"
            )
        del os.environ["DBUS_SYSTEM_BUS_ADDRESS"]


class ManualClock:
    """A clock moved by hand."""

    boot = "bench"

    def __init__(self) -> None:
        self.ms = 60_000

    def steady_ms(self) -> int:
        return self.ms

    def wall_ms(self) -> int:
        return self.ms + 1_790_000_000_000

    def synchronized(self) -> bool:
        return True

    def kept(self) -> bool:
        return True


def growth(folder: Path, days: float) -> None:
    """Memory of a recorder that follows four straps for days, an hour's connection each, and of a store that follows it."""
    clock, cache = ManualClock(), RowCache()
    recorder = Recorder(folder / "growth.db", clock, on_commit=lambda: None)
    sensors = [Sensor(Heart(n, 60.0)) for n in range(4)]
    sizes = []
    with (
        Journal(folder / "growth.db") as journal,
        Journal(folder / "growth.db") as read,
        SqliteStore(folder / "store.db") as store,
    ):
        for _ in range(round(days * 24)):
            connections = [
                recorder.open_connection(StrapOwner(f"person {n}", f"strap {n}")) for n in range(4)
            ]
            for second in range(3600):
                clock.ms += 1000
                for sensor, connection in zip(sensors, connections, strict=True):
                    said = sensor.says(clock.ms / 1000)
                    if said:
                        connection.receive(said[0])
                if second % 5 == 4:
                    recorder.commit(journal)
                    follow(read, store, cache=cache)
            for connection in connections:
                connection.end()
            sizes.append(resident_mib(os.getpid()))
    steps = ", ".join(f"{s:.1f}" for s in sizes)
    print(f"recorder and store, four straps of four persons, {days:g} days: MiB resident every hour: {steps}")


def placed() -> None:
    """How far placed beats lie from the true ones on a radio with delays and stalls, but for a constant."""
    for name, stalls in (
        ("plain", ()),
        ("a stall of 20 s", ((600.0, 620.0),)),
        ("stalls of 2 s", tuple((t, t + 2.0) for t in range(300, 3300, 60))),
    ):
        errors, intervals, order = [], [], 0
        for seed in range(5):
            chance = random.Random(seed)
            sensor = Sensor(Heart(seed, 0.0))
            truth: list[float] = []
            arrivals, rr, all_arrivals, last = [], [], [], 0.0
            for n in range(1, 3601):
                sent = n * 1.00003
                said = sensor.says(sent)
                assert said is not None
                at = sent + chance.uniform(0.01, 0.06) + (0.3 if chance.random() < 0.02 else 0)
                at = next((b for a, b in stalls if a <= at < b), at)
                last = max(at, last)
                all_arrivals.append(round(last * 1000))
                ticks = np.frombuffer(said[0][2:], "<u2")[: len(said[1])]
                arrivals += [round(last * 1000)] * len(said[1])
                rr += [t * 125 / 128 for t in ticks.tolist()]
                truth += said[1]
            found = place(arrivals, rr, all_arrivals)
            error = found.times / 1000 - np.array(truth)[found.which]
            errors.append(float(np.std(error)))
            intervals.append(len(found.which) / len(truth))
            order += sum(b <= a for a, b in pairwise(found.times.tolist()))
        print(
            f"beats placed, {name}: sd {max(errors) * 1000:.1f} ms at worst of 5 hours, {min(intervals):.2%} of them placed, {order} out of order"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--daemon-s", type=float, default=60)
    parser.add_argument("--days", type=float, default=1)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        placed()
        cost()
        back(Path(folder))
        four(Path(folder), chosen.daemon_s)
        growth(Path(folder), chosen.days)
        forty(Path(folder), chosen.minutes)
