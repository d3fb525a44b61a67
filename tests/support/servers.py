"""The real servers that stores write to: InfluxDB 1.8.3 and VictoriaMetrics, each a process on a folder of its own.

They can be killed, hung and started again on the same data. `.ci/servers` installs them.
"""

import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Self
from urllib.parse import urlencode

from tests.support.needs import program, skip_without

READY_S = 180.0
"""How long a server may take to answer; here it takes a fraction of a second."""

FAR_S = 4_102_444_800
"""The year 2100."""

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hartslag"
INFLUXD = Path(os.environ.get("HARTSLAG_INFLUXD") or CACHE / "influxd-1.8.3")
"""InfluxDB 1.8.3, where `.ci/servers` has built it or where the environment says."""

VICTORIA = "victoria-metrics"
INSTALLS = ".ci/servers installs it"


def free_port() -> int:
    """A port of 127.0.0.1 where nobody listens, below those that outgoing connections are given.

    One of those could be taken while a test keeps the server down, or a client be connected to itself.
    """
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Server:
    """A server process with its data in `folder`; the port stays the same for all of its lives."""

    ready_path: ClassVar[str]

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What stands in the settings."""
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        return {}

    # --- its lives ---

    def start(self) -> Self:
        """Start, or start again on the same data; returns when it answers."""
        assert self.process is None, "it runs"
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, env={**os.environ, **self.environment()}
            )
        end = time.monotonic() + READY_S
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > end:
                self.kill()
                said = (self.folder / "log").read_text(errors="replace")[-2000:]
                raise AssertionError(f"{self.command()[0]} did not start: {said}")
            time.sleep(0.02)
        return self

    def _answers(self) -> bool:
        try:
            return self.ask("GET", self.ready_path, timeout_s=1.0)[0] in {200, 204}
        except (OSError, http.client.HTTPException):
            return False

    def kill(self) -> None:
        """As a power cut ends it."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """As its owner ends it; what it was given is on the disk."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.process is None:
            return
        process, self.process = self.process, None
        process.send_signal(how)
        process.send_signal(signal.SIGCONT)
        try:
            process.wait(READY_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    @contextmanager
    def hung(self) -> Iterator[None]:
        """It takes connections and answers nothing; afterwards it goes on as if nothing had been."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        state = Path(f"/proc/{self.process.pid}/stat")
        while state.read_text().rpartition(")")[2].split()[0] != "T":
            time.sleep(0.001)
        try:
            yield
        finally:
            if self.process is not None:
                self.process.send_signal(signal.SIGCONT)

    def flush(self) -> None:
        """Let questions see all that was written, where that takes asking for."""

    def lost(self) -> None:
        """Killed, and all its data with it; `start` begins with nothing."""
        self.kill()
        shutil.rmtree(self.folder)

    def __enter__(self) -> Self:
        return self if self.process else self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()

    # --- questions ---

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 30.0,
    ) -> tuple[int, bytes]:
        """Status and body of one request on a connection of its own."""
        status, _, answer = self.answer(method, path, body, headers, timeout_s)
        return status, answer

    def answer(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 30.0,
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def _told(self, path: str, **values: Any) -> bytes:
        form = urlencode(values).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        status, body = self.ask("POST", path, form, kind)
        assert status in {200, 204}, (status, body[:500])
        return body


class InfluxDB(Server):
    """InfluxDB 1.8.3, which takes writes of version 2, and in it a database (bucket) of that name.

    The language Flux is off unless `INFLUXDB_HTTP_FLUX_ENABLED="true"`: it takes three seconds at each start.
    """

    ready_path = "/ping"

    def __init__(self, folder: Path, database: str = "hartslag", **also: str) -> None:
        super().__init__(folder)
        self.database = database
        self.also = also

    def command(self) -> list[str]:
        if not INFLUXD.exists():
            skip_without("InfluxDB 1.8.3", INSTALLS)
        return [str(INFLUXD), "-config", os.devnull]

    def environment(self) -> dict[str, str]:
        return {
            "INFLUXDB_REPORTING_DISABLED": "true",
            "INFLUXDB_BIND_ADDRESS": "127.0.0.1:0",
            "INFLUXDB_META_DIR": str(self.folder / "meta"),
            "INFLUXDB_DATA_DIR": str(self.folder / "data"),
            "INFLUXDB_DATA_WAL_DIR": str(self.folder / "wal"),
            "INFLUXDB_DATA_INDEX_VERSION": "tsi1",
            "INFLUXDB_DATA_QUERY_LOG_ENABLED": "false",
            "INFLUXDB_HTTP_BIND_ADDRESS": f"127.0.0.1:{self.port}",
            "INFLUXDB_HTTP_LOG_ENABLED": "false",
            "INFLUXDB_MONITOR_STORE_ENABLED": "false",
            **self.also,
        }

    def start(self) -> Self:
        super().start()
        if self.also.get("INFLUXDB_HTTP_AUTH_ENABLED") != "true":
            self.query(f'CREATE DATABASE "{self.database}"')
        return self

    def query(self, text: str, **values: Any) -> list[dict[str, Any]]:
        """The series that InfluxQL gives, each with name, columns and values; times are whole microseconds."""
        found = json.loads(self._told("/query", q=text, db=self.database, epoch="u", **values))
        result = found["results"][0]
        assert "error" not in result, result
        return list(result.get("series", []))

    def rows(self, measurement: str, where: str = "") -> list[dict[str, Any]]:
        """Every point of a measurement, tags and fields side by side; what a point lacks is None."""
        found = self.query(f'SELECT * FROM "{measurement}" {where}')
        return [dict(zip(s["columns"], row, strict=True)) for s in found for row in s["values"]]

    def measurements(self) -> set[str]:
        return {row[0] for s in self.query("SHOW MEASUREMENTS") for row in s["values"]}

    def series(self) -> list[str]:
        """Every series there is, with its tags: the cardinality."""
        return [row[0] for s in self.query("SHOW SERIES") for row in s["values"]]


class VictoriaMetrics(Server):
    """VictoriaMetrics; `flags` replace those that hartslag asks its owner for."""

    ready_path = "/health"
    FLAGS = ("-retentionPeriod=100y", "-dedup.minScrapeInterval=1ms")

    def __init__(self, folder: Path, flags: Sequence[str] = FLAGS) -> None:
        super().__init__(folder)
        self.flags = tuple(flags)

    def command(self) -> list[str]:
        return [
            program(VICTORIA, INSTALLS),
            f"-storageDataPath={self.folder / 'data'}",
            f"-httpListenAddr=127.0.0.1:{self.port}",
            "-memory.allowedBytes=256MB",
            *self.flags,
        ]

    def flush(self) -> None:
        """Let questions see all that was written."""
        self.ask("GET", "/internal/force_flush")

    def export(self, match: str = '{__name__!=""}') -> list[dict[str, Any]]:
        """Every series with its labels in `metric`, and with `values` and `timestamps` (ms), as it is stored."""
        self.flush()
        # What a selector found is remembered for a second or two, series that came since or not.
        match = match.removesuffix("}") + f',nobody!="{time.time_ns()}"}}'
        # Without an end it is the last whole second, and what was just written is not shown.
        body = self._told("/api/v1/export", **{"match[]": match, "start": 0, "end": FAR_S})
        return [json.loads(line) for line in body.splitlines()]

    def samples(self, match: str = '{__name__!=""}') -> dict[tuple[tuple[str, str], ...], dict[int, float]]:
        """Labels (name and all, in order) -> time (ms) -> value; a sample that is there twice is an error."""
        found: dict[tuple[tuple[str, str], ...], dict[int, float]] = {}
        for each in self.export(match):
            held = found.setdefault(tuple(sorted(each["metric"].items())), {})
            for at, value in zip(each["timestamps"], each["values"], strict=True):
                assert at not in held, (each["metric"], at)
                held[at] = value
        return found

    def query_range(self, text: str, start_s: float, end_s: float, step_s: float) -> list[dict[str, Any]]:
        """What a panel of Grafana gets: series with `metric` and `values` [[seconds, text]]."""
        body = self._told("/api/v1/query_range", query=text, start=start_s, end=end_s, step=step_s, nocache=1)
        return list(json.loads(body)["data"]["result"])

    def query(self, text: str, at_s: float) -> list[dict[str, Any]]:
        """An instant query: series with `metric` and `value` [seconds, text]."""
        body = self._told("/api/v1/query", query=text, time=at_s, nocache=1)
        return list(json.loads(body)["data"]["result"])

    def metric(self, name: str) -> float:
        """One of its own counters, summed over labels: vm_rows_invalid_total and the like."""
        _, body = self.ask("GET", "/metrics")
        lines = (line for line in body.decode().splitlines() if line.split("{")[0].split(" ")[0] == name)
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)
