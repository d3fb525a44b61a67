"""Lines on their way to a server: collected, posted, split where they are too many, and set aside where they are poison."""

import re
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from ingest.errors import TryLater
from ingest.log import quoted
from ingest.stores.influx.wire import Refused, TooLarge, Wire

BODY_BYTES = 3 << 19
"""Lines are collected up to this: half a second of a small server's work."""

LEAST_BODY_BYTES = 16 << 10

MOST_REFUSED = 50
"""Rows of one body that are set aside one by one. Where more are refused it is no poisonous row but the bucket."""


@dataclass(frozen=True, slots=True)
class Poison:
    """A line that the server will not have, with its words."""

    line: bytes
    unit: str
    words: str


class Outbox:
    """Lines for one server."""

    harmless: bytes
    """A line that the server has taken before, to tell poison from a closed door."""

    def __init__(self, wire: Wire, set_aside: Callable[[Poison], None]) -> None:
        self._wire, self._set_aside = wire, set_aside
        self._lines: dict[str, list[bytes]] = {}
        self._bytes = 0
        self._most = BODY_BYTES
        self._refused = 0
        self._beside: ThreadPoolExecutor | None = None
        self._flying: tuple[bytes, str, Future[None]] | None = None

    def put(self, body: bytes, unit: str) -> None:
        """Take lines along; they are posted when there are enough of them, while the next are made ready."""
        self._lines.setdefault(unit, []).append(body)
        self._bytes += len(body)
        if self._bytes < self._most:
            return
        for of, together in self._taken():
            self._landed()
            if self._beside is None:
                self._beside = ThreadPoolExecutor(1)
            if len(together) <= 2 * self._most:
                self._flying = (together, of, self._beside.submit(self._wire.post, together, of))
            else:
                self._refused = 0
                self._post(together, of)

    def post(self) -> None:
        """Return once the server has said yes to all that was put in. Raises Away, or TryLater when it takes nothing."""
        self._landed()
        for unit, body in self._taken():
            self._refused = 0
            self._post(body, unit)

    def drop(self) -> None:
        """Forget what was put in; what is on its way has arrived or failed when this returns, and cannot come later."""
        self._lines, self._bytes = {}, 0
        flying, self._flying = self._flying, None
        if flying is not None:
            wait([flying[2]])
        if self._beside is not None:
            self._beside.shutdown()
            self._beside = None

    def _taken(self) -> list[tuple[str, bytes]]:
        bodies = [(unit, b"".join(parts)) for unit, parts in self._lines.items()]
        self._lines, self._bytes = {}, 0
        return bodies

    def _landed(self) -> None:
        """Have the server's yes to what is on its way."""
        flying, self._flying = self._flying, None
        if flying is not None:
            body, unit, answer = flying
            self._refused = 0
            self._judge(body, unit, answer.result)

    def shrink(self) -> None:
        """The server could not take so much in time."""
        self._most = max(self._most // 2, LEAST_BODY_BYTES)

    def _post(self, body: bytes, unit: str) -> None:
        if len(body) > 2 * self._most and _halves(body) is not None:
            self._apart(body, unit)
        else:
            self._judge(body, unit, lambda: self._wire.post(body, unit))

    def _judge(self, body: bytes, unit: str, answer: Callable[[], None]) -> None:
        try:
            answer()
            self._most = min(self._most + (self._most >> 3), BODY_BYTES)
        except TooLarge:
            self._most = max(min(len(body) // 2, self._most), LEAST_BODY_BYTES)
            if _halves(body) is None:
                self._poison(body, unit, "a single row is too large")
            else:
                self._apart(body, unit)
        except Refused as e:
            # InfluxDB has kept the good lines, VictoriaMetrics none: sending them again suits both.
            if _halves(body) is None:
                self._poison(body, unit, str(e))
            else:
                self._apart(body, unit)

    def _apart(self, body: bytes, unit: str) -> None:
        halves = _halves(body)
        assert halves is not None
        for half in halves:
            self._post(half, unit)

    def _poison(self, line: bytes, unit: str, words: str) -> None:
        self._refused += 1
        try:
            self._wire.post(self.harmless, "s")
        except (Refused, TooLarge) as e:
            raise TryLater(
                f"The server at {self._wire.url} refuses whatever is sent. Nothing is lost; it says: {words}"
            ) from e
        if self._refused > MOST_REFUSED:
            raise TryLater(
                f"The server at {self._wire.url} refuses very many rows, such as {quoted(line.decode(errors='replace'))}."
                f" It says: {words} Has another program written to this bucket? Give hartslag one of its own."
            )
        self._set_aside(Poison(line, unit, words))


def _halves(body: bytes) -> tuple[bytes, bytes] | None:
    """The lines in two parts; None when it is one. A text in quotes holds no end of a line."""
    middle = body.find(b"\n", len(body) // 2)
    if middle in {-1, len(body) - 1}:
        middle = body.rfind(b"\n", 0, len(body) // 2)
    return None if middle == -1 else (body[: middle + 1], body[middle + 1 :])


_SERIES = re.compile(rb"((?:\\.|[^ \\])*) ")


def series_of(line: bytes) -> bytes:
    """What stands before the fields of a line: table and tags."""
    found = _SERIES.match(line)
    return found[1] if found else line


def table_of(series: bytes) -> str:
    return series.partition(b",")[0].decode()


def tags_of(series: bytes) -> Mapping[str, str]:
    """The tags of a series as they were before they were escaped."""
    pairs = re.findall(rb",((?:\\.|[^,=\\])*)=((?:\\.|[^,\\])*)", series)
    return {_plain(name): _plain(value) for name, value in pairs}


def _plain(escaped: bytes) -> str:
    return re.sub(rb"\\(.)", rb"\1", escaped).decode(errors="replace")


def time_of(line: bytes) -> int:
    """The time at the end of a line, in its unit."""
    return int(line.rstrip(b"\n").rpartition(b" ")[2])
