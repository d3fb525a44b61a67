"""From the journal onto a server, against the peers: influxdb-client with Point objects, and urllib3 with ready-made bytes.

    python -m tests.bench.stores [--days N]

All rows of so many days of a strap around the clock, the servers being real and on this machine. Then what it takes in
memory, and how long a sample of a strap takes from its commit until it can be asked for.
"""

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

import numpy as np

from ingest.household import record_profile
from ingest.journal import RANKS, Columns, Journal
from ingest.rows.cache import RowCache
from ingest.rows.recount import recount_rows
from ingest.rows.table import TABLES, Block
from ingest.settings.model import InfluxSettings
from ingest.stores.following import follow
from ingest.stores.influx.lines import coarsest_precision, encode_lines
from ingest.stores.influx.store import InfluxStore
from ingest.stores.sqlite import SqliteStore
from tests.support.cluster import Cluster
from tests.support.servers import InfluxDB, VictoriaMetrics
from zones.series import TIMES, Series

SECOND, HOUR, DAY = 1000, 3_600_000, 86_400_000
POINTS = 40_000
"""Sent as Point objects; more would only take longer."""


class ClusterApart:
    """The stand-in for a cluster in a process of its own, as vmauth and vminsert are: here it would take from what is measured."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> Self:
        spawning = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawning.Pipe()
        self._process = spawning.Process(target=_serve_cluster, args=(self.folder, theirs))
        self._process.start()
        self.url, self.pids = self._pipe.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.send(None)
        self._process.join()


def _serve_cluster(folder: Path, pipe: Connection) -> None:
    with Cluster(folder) as cluster:
        pids = [storage.process.pid for storage in cluster.storages if storage.process]
        pipe.send((cluster.url, [os.getpid(), *pids]))
        pipe.recv()


Real = InfluxDB | VictoriaMetrics | ClusterApart


def worn(
    journal: Journal, first_ms: int, seconds: int, rng: np.random.Generator, person: str = "Jan"
) -> None:
    """A strap's samples, one a second."""
    with journal.write() as w:
        of = w.person(person)
        strap = w.source(of, "strap", "strap", RANKS["strap"])
        times = (first_ms + np.arange(seconds) * SECOND).astype(TIMES)
        bpm = np.clip(100 + 30 * np.sin(np.arange(seconds) / 400) + rng.integers(-5, 6, seconds), 40, 200)
        w.chunk(of, strap, Columns(Series.of(times, bpm.astype(np.uint8)), first_ms + seconds * SECOND))


def history(path: Path, days: int, until_ms: int) -> Journal:
    journal = Journal(path)
    record_profile(journal, "Jan", {"zone": "Europe/Amsterdam", "maximum_bpm": 180}, overwrite=True)
    rng = np.random.default_rng(1)
    for hour in range(days * 24):
        worn(journal, until_ms - days * DAY + hour * HOUR, 3600, rng)
    return journal


def blocks(journal: Journal) -> Iterator[Block]:
    for portion in recount_rows(journal, journal.entries(0, 1_000_000)):
        yield from portion


def bodies(journal: Journal) -> Iterator[tuple[bytes, str]]:
    """The same lines as the store sends."""
    for b in blocks(journal):
        unit = "ms" if b.start_us < 0 else coarsest_precision(b.time_us)
        kinds = TABLES[b.table].fields
        for body in encode_lines(b.table, b.tags, b.time_us, b.fields, kinds, b.labels, precision=unit):
            yield body, unit


def posted(server: Real, ready: list[tuple[bytes, str]]) -> float:
    """Seconds of plain urllib3 with ready-made bytes."""
    import urllib3

    with urllib3.PoolManager() as pool:
        began = time.perf_counter()
        for body, unit in ready:
            url = f"{server.url}/api/v2/write?org=hartslag&bucket=hartslag&precision={unit}"
            assert pool.request("POST", url, body=body).status == 204
        return time.perf_counter() - began


def pointed(server: Real, journal: Journal, count: int) -> tuple[int, float]:
    """(Points, seconds) of influxdb-client, from the same blocks to the same server."""
    from influxdb_client.client.influxdb_client import InfluxDBClient
    from influxdb_client.client.write.point import Point
    from influxdb_client.client.write_api import SYNCHRONOUS
    from influxdb_client.domain.write_precision import WritePrecision

    done = 0
    spent = 0.0
    point: Any = Point
    client: Any = InfluxDBClient
    with client(url=server.url, token="", org="hartslag") as one:
        write = one.write_api(write_options=SYNCHRONOUS)
        for block in blocks(journal):
            if block.table != "heart_rate" or not len(block):
                continue
            began = time.perf_counter()
            for i in range(0, min(len(block), count - done), 5000):
                some = slice(i, i + 5000)
                times, bpm = (block.time_us[some] // 1_000_000).tolist(), block.fields["bpm"][some].tolist()
                tagged = [
                    point("heart_rate").tag("person", "Jan").tag("source", "strap").tag("kind", "strap")
                    .field("bpm", value).time(at, WritePrecision.S)
                    for at, value in zip(times, bpm, strict=True)
                ]  # fmt: skip
                write.write("hartslag", record=tagged)
                done += len(tagged)
            spent += time.perf_counter() - began
            if done >= count:
                break
    return done, spent


def fresh(kind: type[Real], what: Callable[[Real, Path], Any]) -> Any:
    """What is measured on a server that is empty."""
    with tempfile.TemporaryDirectory() as name, kind(Path(name) / "server") as server:
        return what(server, Path(name))


def store(server: Real, folder: Path) -> InfluxStore:
    return InfluxStore(InfluxSettings(url=server.url), folder / "store")


def filled(server: Real, folder: Path, journal: Journal) -> float:
    """Seconds from the journal until the server has said yes to everything."""
    with closing(store(server, folder)) as one:
        began = time.perf_counter()
        follow(journal, one)
        return time.perf_counter() - began


def sent(server: Real, folder: Path, journal: Journal, ready: list[Block]) -> float:
    """Seconds from rows that are counted already."""
    with closing(store(server, folder)) as one:
        one.begin(journal)
        began = time.perf_counter()
        one.write([ready], journal.last_position())
        return time.perf_counter() - began


ROUNDS = 3
"""Each way is tried so often, in turn: what else the machine does takes from all of them."""


def cpu_s(server: Real) -> float:
    """What a server has used of the processors."""
    if isinstance(server, ClusterApart):
        pids = server.pids
    else:
        assert server.process is not None
        pids = [server.process.pid]
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(each[11]) + int(each[12]) for each in fields) / os.sysconf("SC_CLK_TCK")


def costing(kind: type[Real], what: Callable[[Real, Path], float]) -> tuple[float, float, float]:
    """(seconds, seconds of a processor here, the same of the server) of one way."""

    def one(server: Real, folder: Path) -> tuple[float, float, float]:
        theirs, ours = cpu_s(server), time.process_time()
        wall = what(server, folder)
        return wall, time.process_time() - ours, cpu_s(server) - theirs

    found: tuple[float, float, float] = fresh(kind, one)
    return found


def throughput(journal: Journal) -> None:
    ready, rows = list(bodies(journal)), list(blocks(journal))
    count = sum(body.count(b"\n") for body, _ in ready)
    print(
        f"{count} lines, {sum(len(b) for b, _ in ready) / 1e6:.0f} MB; the fastest of {ROUNDS} rounds each\n"
    )
    print("| onto | way | k lines/s | of urllib3 | CPU s here | CPU s of the server |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    ways: dict[str, Callable[[Real, Path], float]] = {
        "urllib3, ready-made": lambda s, _: posted(s, ready),
        "from rows": lambda s, f: sent(s, f, journal, rows),
        "from the journal": lambda s, f: filled(s, f, journal),
    }
    for kind in (VictoriaMetrics, ClusterApart, InfluxDB):
        best: dict[str, tuple[float, float, float]] = {}
        for _ in range(ROUNDS):
            for way, what in ways.items():
                best[way] = min(best.get(way, (1e9, 0.0, 0.0)), costing(kind, what))
        plain = best["urllib3, ready-made"][0]
        for way, (wall, ours, theirs) in best.items():
            print(
                f"| {kind.__name__} | {way} | {count / wall / 1e3:.0f} | {plain / wall:.2f} | {ours:.2f} | {theirs:.2f} |",
                flush=True,
            )
        points, spent = fresh(kind, lambda s, _: pointed(s, journal, POINTS))
        whole = count / best["from the journal"][0]
        print(
            f"| {kind.__name__} | Point objects | {points / spent / 1e3:.1f} | journal / Points {whole * spent / points:.0f} | | |",
            flush=True,
        )
    print("\nto reach: journal / urllib3 0.8, journal / Points 15\n")


# --- memory ---


def memory(journal: Path) -> None:
    """The largest a process becomes that counts all rows, and one that sends them, too."""

    def peak_mib(folder: Path, url: str) -> float:
        words = ["-m", "tests.bench.stores", "--once", str(journal), url, str(folder)]
        return float(
            subprocess.run([sys.executable, *words], check=True, capture_output=True, text=True).stdout
        )

    for kind in (VictoriaMetrics, InfluxDB):
        counting = fresh(kind, lambda _, folder: peak_mib(folder, ""))
        sending = fresh(kind, lambda server, folder: peak_mib(folder, server.url))
        print(
            f"{kind.__name__}: {counting:.0f} MiB to count, {sending:.0f} MiB to count and send:"
            f" {sending - counting:.0f} more (to reach: 30)"
        )


def once(path: Path, url: str, folder: Path) -> None:
    with Journal(path) as journal:
        if url:
            with closing(InfluxStore(InfluxSettings(url=url), folder / "store")) as one:
                follow(journal, one)
        else:
            with SqliteStore(folder / "s.db") as sqlite:
                position = sqlite.begin(journal)
            while entries := journal.entries(position, 400):
                for _ in recount_rows(journal, entries):
                    pass
                position = entries[-1].position
    status = Path("/proc/self/status").read_text()
    print(int(status.split("VmHWM:")[1].split()[0]) / 1024)


# --- how soon ---


def soon(kind: type[InfluxDB | VictoriaMetrics] | None) -> list[float]:
    """Seconds from the commit of five seconds of a strap until the last of them can be asked for."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        now_ms = int(time.time()) * SECOND
        server = kind(folder / "server").start() if kind else None
        try:
            with history(folder / "journal.db", 1, now_ms - 30 * SECOND) as journal:
                one: Any = store(server, folder) if server else SqliteStore(folder / "s.db")
                with closing(one):
                    remembered = RowCache()
                    follow(journal, one, cache=remembered)
                    return [_until_seen(journal, one, remembered, server, folder) for _ in range(8)][2:]
        finally:
            if server:
                server.kill()


def _until_seen(
    journal: Journal, one: Any, remembered: RowCache, server: InfluxDB | VictoriaMetrics | None, folder: Path
) -> float:
    time.sleep(1.0)
    first_ms = int(time.time() - 5) * SECOND
    worn(journal, first_ms, 5, np.random.default_rng(first_ms))
    last_ms = first_ms + 4 * SECOND
    began = time.perf_counter()
    follow(journal, one, cache=remembered)
    while not _seen(server, folder, last_ms):
        time.sleep(0.01)
        assert time.perf_counter() - began < 60
    return time.perf_counter() - began


def _seen(server: Real | None, folder: Path, at_ms: int) -> bool:
    """Asked without any flush of ours."""
    if isinstance(server, InfluxDB):
        return bool(server.query(f'SELECT "bpm" FROM "heart_rate" WHERE time = {at_ms}ms'))
    if isinstance(server, VictoriaMetrics):
        # Dashboards see it as soon with -search.latencyOffset=0s, and half a minute later without.
        path = f"/api/v1/export?match[]=heart_rate_bpm&start={at_ms / 1e3}&end={at_ms / 1e3 + 1}"
        return str(at_ms).encode() in server.ask("GET", path)[1]
    import sqlite3

    with closing(sqlite3.connect(folder / "s.db", timeout=10)) as db:
        return bool(db.execute("SELECT 1 FROM heart_rate WHERE time = ?", (at_ms / 1e3,)).fetchall())


def latency() -> None:
    for kind, limit in ((VictoriaMetrics, 2.0), (InfluxDB, 2.0), (None, 1.0)):
        taken = soon(kind)
        name = kind.__name__ if kind else "SQLite"
        print(
            f"{name}: a sample can be asked for {np.median(taken) * 1e3:.0f} ms after its commit, at most {max(taken) * 1e3:.0f} ms (to reach: {limit:g} s)",
            flush=True,
        )


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--days", type=int, default=20)
    given.add_argument("--once", nargs=3, help=argparse.SUPPRESS)
    asked = given.parse_args()
    if asked.once:
        once(Path(asked.once[0]), asked.once[1], Path(asked.once[2]))
        return
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "journal.db"
        with history(path, asked.days, int(time.time()) * SECOND - DAY) as journal:
            throughput(journal)
        memory(path)
    latency()


if __name__ == "__main__":
    main()
