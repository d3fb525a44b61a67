"""Lines on their way to a server: collected, posted, split where they are too many, and set aside where they are poison."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ingest.errors import TryLater
from ingest.log import quoted
from ingest.stores.wire import Refused, TooLarge, Wire

BODY_BYTES = 2 << 20
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
    """Lines for one server. `harmless` is a line that the server has taken before, to tell poison from a closed door."""

    def __init__(self, wire: Wire, harmless: bytes, set_aside: Callable[[Poison], None]) -> None:
        self._wire, self._harmless, self._set_aside = wire, harmless, set_aside
        self._lines: dict[str, list[bytes]] = {}
        self._bytes = 0
        self._most = BODY_BYTES
        self._refused = 0

    def put(self, body: bytes, unit: str) -> None:
        """Take lines along; they may be posted now or with those that follow."""
        self._lines.setdefault(unit, []).append(body)
        self._bytes += len(body)
        if self._bytes >= self._most:
            self.post()

    def post(self) -> None:
        """Return once the server has said yes to all that was put in. Raises Away, or TryLater when it takes nothing."""
        for unit in list(self._lines):
            self._refused = 0
            body = b"".join(self._lines[unit])
            self._post(body, unit)
            del self._lines[unit]
        self._bytes = 0

    def shrink(self) -> None:
        """The server could not take so much in time."""
        self._most = max(self._most // 2, LEAST_BODY_BYTES)

    def _post(self, body: bytes, unit: str) -> None:
        if len(body) > 2 * self._most and _halves(body) is not None:
            self._apart(body, unit)
            return
        try:
            self._wire.post(body, unit)
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
            self._wire.post(self._harmless, "s")
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
