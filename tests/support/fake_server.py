"""A server that lies, dawdles and dies: takes writes as InfluxDB does, remembers every point, and errs as it is told.

It runs in the process of the test. What it stored is in `held`, last wins per series, time and field, as in InfluxDB;
whether it also said so to the one who wrote is another matter. With a real server `behind` it everything passes through
to that one, and questions are answered by it.
Syntax: https://docs.influxdata.com/influxdb/v1/write_protocols/line_protocol_reference/
"""

import contextlib
import gzip
import json
import re
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.support.loopback_http import Asked, LoopbackHttp
from tests.support.servers import Server, free_port

UNIT_US = {"ns": 1e-3, "us": 1, "ms": 1000, "s": 1_000_000}
"""Microseconds in one of what `precision` names."""

WRITE = "/api/v2/write"

Value = float | int | str | bool
Said = tuple[int, dict[str, str], bytes]
"""Status, headers, body."""

IS_INFLUX = {"X-Influxdb-Version": "1.8.3", "X-Influxdb-Build": "OSS"}

_OF_ONE_CONNECTION = {"Date", "Server", "Connection", "Transfer-Encoding", "Content-Length"}

Key = tuple[str, tuple[tuple[str, str], ...]]
"""Measurement and tags, in order of their names."""


@dataclass(frozen=True, eq=False)
class Point:
    """One line of a body."""

    key: Key
    fields: dict[str, Value]
    time_us: int
    line: str


@dataclass
class Request:
    """What came in, unpacked."""

    method: str
    path: str
    asked: dict[str, str]
    headers: dict[str, str]
    body: bytes
    size: int
    at_s: float
    status: int | None = None
    """What was answered; None when the connection was cut before."""

    @property
    def is_write(self) -> bool:
        """Whether lines are to be stored; below the path of a cluster, too."""
        return self.path.endswith(WRITE)


# --- line protocol, read with other means than it is written with ---

_PART = r"(?:\\.|[^\\,= ])+"
_FIELD = rf'({_PART})=("(?:\\.|[^"\\])*"|[^ ,"]+)'
_LINE = re.compile(rf"((?:\\.|[^\\, ])+)((?:,{_PART}={_PART})*) ({_FIELD}(?:,{_FIELD})*) (-?\d+)")


def _plain(text: str) -> str:
    return re.sub(r"\\([,= ])", r"\1", text)


def _value(text: str) -> Value:
    if text[0] == '"':
        return re.sub(r'\\(["\\])', r"\1", text[1:-1])
    if re.fullmatch(r"-?\d+i", text):
        return int(text[:-1])
    if text in {"true", "false"}:
        return text == "true"
    if re.fullmatch(r"-?\d+(\.\d+)?([eE][-+]?\d+)?", text):
        return float(text)
    raise ValueError(text)


def point(line: str, precision: str) -> Point:
    """A line as a point; raises ValueError when it is no line."""
    found = _LINE.fullmatch(line)
    if not found:
        raise ValueError(line)
    tags = re.findall(rf"({_PART})=({_PART})", found[2])
    fields = {_plain(name): _value(value) for name, value in re.findall(_FIELD, found[3])}
    key = (_plain(found[1]), tuple(sorted((_plain(k), _plain(v)) for k, v in tags)))
    return Point(key, fields, round(int(found[found.re.groups]) * UNIT_US[precision]), line)


def points(body: bytes, precision: str) -> Iterator[Point]:
    for line in body.decode().split("\n"):
        if line:
            yield point(line, precision)


# --- the server ---


class Exchange:
    """One request while it is being answered, in the hands of a fault."""

    def __init__(self, server: "FakeServer", request: Request, handler: Asked) -> None:
        self.server = server
        self.request = request
        self.handler = handler

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Say so, and be done; an underscore in the name of a header stands for its hyphen."""
        self.request.status = status
        self.handler.say(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)

    def honestly(self) -> None:
        """What a server without faults does."""
        status, headers, body = self.server.serve(self.request)
        self.answer(status, body, **headers)

    def store(self) -> None:
        """Hold the points, and say nothing yet."""
        self.server.serve(self.request)

    def cut(self) -> None:
        """End the connection as a process that dies does."""
        self.handler.close_connection = True
        with contextlib.suppress(OSError):
            linger = struct.pack("ii", 1, 0)
            self.handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.handler.connection.shutdown(socket.SHUT_RDWR)

    def raw(self, answer: bytes) -> None:
        """These bytes, whatever they are, and then nothing any more."""
        self.handler.wfile.write(answer)
        self.handler.wfile.flush()
        self.cut()


Fault = Callable[[Exchange], None]


def says(status: int, body: bytes | str = b"", **headers: str) -> Fault:
    """Stores nothing, and says so."""
    text = body.encode() if isinstance(body, str) else body
    return lambda x: x.answer(status, text, **headers)


def stores_but_says(status: int, body: bytes = b"") -> Fault:
    """Stores everything, and denies it."""

    def fault(x: Exchange) -> None:
        x.store()
        x.answer(status, body)

    return fault


def dies(x: Exchange) -> None:
    """Before anything is stored."""
    x.cut()


def dies_after_storing(x: Exchange) -> None:
    x.store()
    x.cut()


def dies_halfway(x: Exchange) -> None:
    """The first half of the lines is on its disk, and nobody is told."""
    lines = x.request.body.splitlines(keepends=True)
    half = Request(**{**vars(x.request), "body": b"".join(lines[: len(lines) // 2])})
    if half.body:
        x.server.serve(half)
    x.cut()


def half_answers(x: Exchange) -> None:
    """Stores everything and dies within its answer."""
    x.store()
    x.raw(b"HTTP/1.1 20")


def babbles(x: Exchange) -> None:
    """Something listens there that is no HTTP server."""
    x.raw(b"\x00\xff\xfe SSH-2.0-OpenSSH_9.2p1\r\n" * 3)


def after(seconds: float, then: Fault = Exchange.honestly) -> Fault:
    """Lets one wait."""

    def fault(x: Exchange) -> None:
        x.server.sleep(seconds)
        then(x)

    return fault


PORTAL = says(
    200,
    "<!DOCTYPE html><html><title>Welcome to our hotel</title></html>",
    Content_Type="text/html; charset=utf-8",
)
"""A captive portal: yes to everybody, to whatever it is."""


class FakeServer:
    """Listens on a port of its own, which stays the same while it is `away`.

    `faults` are used up by writes one after the other; `always` holds for every write while it is set. `poison` says
    why the server will not take a point; `poisoned` whether then the rest of the body is stored ("partial", as
    InfluxDB), all of it refused ("all", as VictoriaMetrics today), or only that point silently dropped ("silent").
    """

    def __init__(self, behind: Server | None = None, *, largest_bytes: int = 25_000_000) -> None:
        self.behind = behind
        self.largest_bytes = largest_bytes
        self.port = free_port()
        self.token: str | None = None
        self.faults: deque[Fault] = deque()
        self.always: Fault | None = None
        self.everywhere = False
        """Whether `always` holds for questions too."""
        self.nth: tuple[int, Fault] | None = None
        """A fault for the request, of whatever kind, before which there are so many more."""
        self.poison: Callable[[Point], str | None] = lambda _: None
        self.poisoned = "partial"
        self.held: dict[Key, dict[int, dict[str, Value]]] = {}
        self.requests: list[Request] = []
        self._lock = threading.RLock()
        self._awake = threading.Event()
        self._http: LoopbackHttp | None = None

    @property
    def url(self) -> str:
        """What stands in the settings."""
        return f"http://127.0.0.1:{self.port}{urlsplit(self.behind.url).path if self.behind else ''}"

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(self, *_: object) -> None:
        self._awake.set()
        self._close()

    @contextmanager
    def away(self) -> Iterator[None]:
        """Nobody listens; connections that were open are closed."""
        self._close()
        try:
            yield
        finally:
            self._open()

    def lost(self) -> None:
        """Forget all points, as a server whose disk was exchanged."""
        with self._lock:
            self.held.clear()

    def sleep(self, seconds: float) -> None:
        """Wait, but not longer than the server lives."""
        self._awake.wait(seconds)

    @property
    def writes(self) -> list[Request]:
        return [r for r in self.requests if r.is_write]

    def rows(self, measurement: str) -> list[dict[str, Any]]:
        """Every point of a measurement, with `time` in microseconds, tags and fields side by side."""
        with self._lock:
            return [
                {"time": at, **dict(tags), **fields}
                for (name, tags), series in self.held.items()
                if name == measurement
                for at, fields in series.items()
            ]

    # --- within ---

    def _open(self) -> None:
        self._http = LoopbackHttp(self.port, self._answer)

    def _close(self) -> None:
        http, self._http = self._http, None
        if http is not None:
            http.close()

    def _answer(self, asked: Asked, raw: bytes) -> None:
        split = urlsplit(asked.path)
        headers = dict(asked.headers.items())
        body = gzip.decompress(raw) if headers.get("Content-Encoding") == "gzip" and raw else raw
        values = {name: values[-1] for name, values in parse_qs(split.query, keep_blank_values=True).items()}
        headers["X-Query"] = split.query
        request = Request(asked.command, split.path, values, headers, body, len(raw), time.monotonic())
        self.fault_for(request)(Exchange(self, request, asked))

    def fault_for(self, request: Request) -> Fault:
        with self._lock:
            self.requests.append(request)
            if self.nth is not None:
                before, fault = self.nth
                self.nth = (before - 1, fault) if before else None
                if not before:
                    return fault
            writing = request.is_write
            if writing and self.faults:
                return self.faults.popleft()
            if self.always is not None and (writing or self.everywhere):
                return self.always
        return Exchange.honestly

    def serve(self, request: Request) -> Said:
        """What an honest server says."""
        if request.is_write:
            return self._take(request)
        if self.behind is not None:
            return self._pass_on(request)
        if request.path in {"/ping", "/health"}:
            return 204, IS_INFLUX, b""
        return _error(404, "not found", "path not found")

    def _pass_on(self, request: Request) -> Said:
        assert self.behind is not None
        query = f"?{request.headers['X-Query']}" if request.headers["X-Query"] else ""
        headers = {name: request.headers[name] for name in {"Content-Type"} & set(request.headers)}
        status, said, body = self.behind.answer(
            request.method, request.path + query, request.body or None, headers
        )
        said = {name: value for name, value in said.items() if name not in _OF_ONE_CONNECTION}
        return status, said, body

    def _take(self, request: Request) -> Said:
        if self.token is not None and request.headers.get("Authorization") != f"Token {self.token}":
            return _error(401, "unauthorized", "unauthorized access")
        if request.size > self.largest_bytes:
            return _error(413, "request too large", "cannot read data: points batch is too large")
        try:
            found = list(points(request.body, request.asked.get("precision", "ns")))
        except ValueError as e:
            return _error(400, "invalid", f"unable to parse '{str(e)[:200]}'")
        with self._lock:
            return self._keep(found, request)

    def _keep(self, found: list[Point], request: Request) -> Said:
        wrong = {p: why for p in found if (why := self.poison(p))}
        why = next(iter(wrong.values()), "")
        if wrong and self.poisoned == "all":
            return _error(400, "invalid", why)
        good = [p for p in found if p not in wrong]
        if self.behind is not None and good:
            body = "\n".join(p.line for p in good).encode()
            status, said, text = self.behind.answer(
                "POST", f"{request.path}?{request.headers['X-Query']}", body
            )
            if status != 204:
                return status, said, text
        for p in good:
            self.held.setdefault(p.key, {}).setdefault(p.time_us, {}).update(p.fields)
        if wrong and self.poisoned == "partial":
            return _error(400, "invalid", f"partial write: {why} dropped={len(wrong)}")
        return 204, IS_INFLUX, b""


def _error(status: int, code: str, message: str) -> Said:
    """An error in the form of InfluxDB 2 (https://docs.influxdata.com/influxdb/v2/api/)."""
    body = json.dumps({"code": code, "message": message}).encode()
    return status, {**IS_INFLUX, "Content-Type": "application/json"}, body
