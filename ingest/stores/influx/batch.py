"""Lines on their way to a server: collected, written, split where they are too many, set aside where the server rejects them."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from ingest.errors import TryLater
from ingest.language import N_, Text
from ingest.log import quoted
from ingest.stores.influx.client import BodyTooLarge, Refused, ServerClient, with_its_words

BODY_BYTES = 3 << 19
"""Lines are collected up to this: half a second of a small server's work."""

LEAST_BODY_BYTES = 16 << 10

MOST_AHEAD = 3
"""Bodies that are on their way or ready behind one that is: the next one leaves as soon as the server has said yes, and is
not waited for until somebody has time to hand it on."""

MOST_REFUSED = 50
"""Rows of one body that are set aside one by one. Where more are refused it is not the rows but the bucket."""


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A line that the server will not have, with its words."""

    line: bytes
    precision: str
    reason: str


class BatchWriter:
    """Lines for one server. Belongs to one thread; bodies are written by another, in their order, while the next are made."""

    probe_line: bytes
    """A line (precision s) that the server has taken before: refused now, it is the server and not the other line."""

    def __init__(self, client: ServerClient, set_aside: Callable[[RejectedLine], None]) -> None:
        self._client, self._set_aside = client, set_aside
        self._lines: dict[str, list[bytes]] = {}
        self._bytes = 0
        self.body_limit = BODY_BYTES
        """How many bytes are collected now."""
        self._refused = 0
        self._executor: ThreadPoolExecutor | None = None
        self._in_flight: deque[tuple[bytes, str, Future[None]]] = deque()

    def add(self, body: bytes, precision: str) -> None:
        """Take lines along; they are written when there are enough of them, while the next are made ready."""
        self._lines.setdefault(precision, []).append(body)
        self._bytes += len(body)
        if self._bytes < self.body_limit:
            return
        for of_body, together in self._take_bodies():
            if len(together) <= 2 * self.body_limit:
                while len(self._in_flight) >= MOST_AHEAD:
                    self._await_first()
                if self._executor is None:
                    self._executor = ThreadPoolExecutor(1)
                written = self._executor.submit(self._client.write_lines, together, of_body)
                self._in_flight.append((together, of_body, written))
            else:
                self._await_all()
                self._refused = 0
                self._write(together, of_body)

    def flush(self) -> None:
        """Return once the server has said yes to all that was added.

        Raises Unavailable, or TryLater when it takes nothing.
        """
        self._await_all()
        for precision, body in self._take_bodies():
            self._refused = 0
            self._write(body, precision)

    def discard(self) -> None:
        """Drop what was added; what is on its way has arrived or failed when this returns, and cannot come later."""
        self._lines, self._bytes = {}, 0
        self._recall()
        if self._executor is not None:
            self._executor.shutdown()
            self._executor = None

    def shrink(self) -> None:
        """Write smaller bodies: the server could not take so much in time."""
        self.body_limit = max(self.body_limit // 2, LEAST_BODY_BYTES)

    def _take_bodies(self) -> list[tuple[str, bytes]]:
        bodies = [(precision, b"".join(parts)) for precision, parts in self._lines.items()]
        self._lines, self._bytes = {}, 0
        return bodies

    def _await_all(self) -> None:
        """Have the server's answers to all that is on its way."""
        while self._in_flight:
            self._await_first()

    def _await_first(self) -> None:
        """Have the server's answer to what left first. What is behind it is not there for good before it is."""
        body, precision, written = self._in_flight.popleft()
        later = self._recall() if written.exception() is not None else []
        self._refused = 0
        self._handle_outcome(body, precision, written.result)
        for body_behind, of_body in later:
            self._write(body_behind, of_body)

    def _recall(self) -> list[tuple[bytes, str]]:
        """Have nothing be on its way any more; gives what was, written or not."""
        later, self._in_flight = self._in_flight, deque()
        wait([written for _, _, written in later if not written.cancel()])
        return [(body, precision) for body, precision, _ in later]

    def _write(self, body: bytes, precision: str) -> None:
        if len(body) > 2 * self.body_limit and _split_lines(body) is not None:
            self._write_halves(body, precision)
        else:
            self._handle_outcome(body, precision, lambda: self._client.write_lines(body, precision))

    def _handle_outcome(self, body: bytes, precision: str, outcome: Callable[[], None]) -> None:
        try:
            outcome()
            self.body_limit = min(self.body_limit + (self.body_limit >> 3), BODY_BYTES)
        except BodyTooLarge:
            self.body_limit = max(min(len(body) // 2, self.body_limit), LEAST_BODY_BYTES)
            if _split_lines(body) is None:
                self._reject(body, precision, Text(N_("a single row is too large")))
            else:
                self._write_halves(body, precision)
        except Refused as e:
            # InfluxDB has kept the good lines, VictoriaMetrics none: sending them again suits both.
            if _split_lines(body) is None:
                self._reject(body, precision, str(e))
            else:
                self._write_halves(body, precision)

    def _write_halves(self, body: bytes, precision: str) -> None:
        halves = _split_lines(body)
        assert halves is not None
        for half in halves:
            self._write(half, precision)

    def _reject(self, line: bytes, precision: str, reason: str) -> None:
        self._refused += 1
        try:
            self._client.write_lines(self.probe_line, "s")
        except (Refused, BodyTooLarge) as e:
            told = Text(
                N_("The server at {url} refuses whatever is sent. Nothing is lost."), url=self._client.url
            )
            raise TryLater(with_its_words(told, reason)) from e
        if self._refused > MOST_REFUSED:
            told = Text(
                N_(
                    "The server at {url} refuses very many rows, such as {row}. Has another program written to this bucket?"
                    " Give hartslag one of its own."
                ),
                url=self._client.url,
                row=quoted(line.decode(errors="replace")),
            )
            raise TryLater(with_its_words(told, reason))
        self._set_aside(RejectedLine(line, precision, reason))


def _split_lines(body: bytes) -> tuple[bytes, bytes] | None:
    """The lines in two parts; None when it is one. A text in quotes holds no end of a line."""
    middle = body.find(b"\n", len(body) // 2)
    if middle in {-1, len(body) - 1}:
        middle = body.rfind(b"\n", 0, len(body) // 2)
    return None if middle == -1 else (body[: middle + 1], body[middle + 1 :])
