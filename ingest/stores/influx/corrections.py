"""Series that a server can neither correct nor take rows from: written anew, whole, rarely and a few at a time.

A copy of all that the series should hold is kept on our side before the server deletes it, and until the server cannot
lose it any more. Whatever dies on the way, the copy is sent again.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ingest.rows.table import REAL
from ingest.stores.influx.cells import Column, Difference, Key, Series
from ingest.stores.influx.ledger import Ledger
from ingest.stores.influx.lines import lines
from ingest.stores.influx.outbox import Outbox
from ingest.stores.influx.server import Server
from ingest.stores.influx.wire import TooMuch
from ingest.system.crash_points import reached

EVERY_S = 300.0
"""Between two rounds: at most 288 a day, however often the resting heart rate of a live day falls."""

MOST_CELLS = 200_000
"""Kept in memory until they go to the ledger."""

END_US = 7_258_118_400_000_000
"""The year 2200."""


class Amends:
    """What is to be put right on one server."""

    def __init__(self, server: Server, outbox: Outbox, ledger: Ledger, clock: Callable[[], float]) -> None:
        self._server, self._outbox, self._ledger, self._clock = server, outbox, ledger, clock
        self._waiting: list[tuple[str, int, int, bytes, bytes]] = []
        self._cells = 0
        self._series: set[str] = set(ledger.patched()) if not server.replaces else set()
        self._new: list[str] = []
        self._made = -1e9
        self._posted: dict[str, float] = {}

    def heed(
        self, series: Series, key: Key, d: Difference, start_us: int, end_us: int, new: Column | None
    ) -> None:
        """Note what a series should hold in [start, end), if that cannot be had by writing it.

        Which series are concerned is in the ledger before anything is written: from then on it may be any of two
        numbers that the server shows, and looking at it proves nothing.
        """
        name = _named(series, key)
        if name not in self._series:
            beyond = d.fallen if self._server.raises else d.other
            if not (len(d.gone) or len(beyond)):
                return
            self._new.append(name)
            self._series.add(name)
        times, values = new if new is not None else (np.empty(0, np.int64), np.empty(0))
        self._waiting.append((name, _bounded(start_us), _bounded(end_us), times.tobytes(), values.tobytes()))
        self._cells += len(times)

    def warn(self) -> None:
        """Have the ledger know of the series concerned; to be done before rows are sent."""
        if self._new:
            self._ledger.patch([(name, 0, 0, b"", b"") for name in self._new])
            self._new = []

    @property
    def waiting(self) -> bool:
        """Whether something is not in the ledger yet."""
        return bool(self._waiting)

    @property
    def many(self) -> bool:
        """Whether what waits should go to the ledger now."""
        return self._cells > MOST_CELLS

    @property
    def due(self) -> bool:
        """Whether it is time for a round."""
        return bool(self._series) and self._clock() - self._made >= EVERY_S

    def taken(self) -> list[tuple[str, int, int, bytes, bytes]]:
        """What goes to the ledger."""
        waiting, self._waiting, self._cells = self._waiting, [], 0
        return waiting

    def make(self) -> None:
        """Put right all that is in the ledger."""
        self._made = self._clock()
        self._server.flush()
        for name in self._ledger.patched():
            self._ledger.copy(name, self._right(name, self._ledger.patches(name)))
            reached("series copied")
            self._again(name)
        self._series.clear()

    def again(self) -> None:
        """After somebody died: send what may have been lost of the series that were written anew.

        However long ago that was: a power cut may have come right behind them, and lasted.
        """
        for name in self._ledger.copies():
            self._again(name)

    def _again(self, name: str) -> None:
        series, key = _parsed(name)
        self._server.forget(series, key)
        reached("series deleted")
        for unit, body in self._ledger.bodies(name):
            self._outbox.put(body, unit)
        self._outbox.post()
        reached("series posted")
        self._posted[name] = self._clock()

    def discard(self, seen: float) -> None:
        """Copies of what the server, seen to be the same at a moment of the clock, cannot lose any more.

        To be called before a position is held for sure: what was sent after a copy is not in it.
        """
        for name in [n for n, at in self._posted.items() if seen - at >= self._server.lag_s]:
            self._ledger.discard(name)
            del self._posted[name]

    def _right(self, name: str, found: list[tuple[int, int, bytes, bytes]]) -> Iterator[tuple[str, bytes]]:
        """All that a series should hold, as lines."""
        series, key = _parsed(name)
        patches = [
            (a, b, np.frombuffer(times, np.int64), np.frombuffer(values, np.float64))
            for a, b, times, values in found
        ]
        tags = {**dict(series.tags), **dict(key[0])}
        for a, b, held in self._held(series, key, 0, END_US):
            times, values = _patched(a, b, held, patches)
            for body in lines(series.table, tags, times, {key[1]: values}, {key[1]: REAL}, unit="ms"):
                yield "ms", body

    def _held(
        self, series: Series, key: Key, start_us: int, end_us: int
    ) -> Iterator[tuple[int, int, Column]]:
        try:
            held = self._server.column(series, key, start_us, end_us)
        except TooMuch:
            middle = (start_us + end_us) // 2000 * 1000
            yield from self._held(series, key, start_us, middle)
            yield from self._held(series, key, middle, end_us)
        else:
            yield start_us, end_us, held


def _patched(start_us: int, end_us: int, held: Column, patches: list[Any]) -> Column:
    """The cells of [start, end) with what was to be put right in them, the latest last."""
    times, values = held
    for a, b, right_times, right_values in patches:
        if a >= end_us or b <= start_us:
            continue
        stay = (times < a) | (times >= b)
        mine = (right_times >= start_us) & (right_times < end_us)
        times = np.concatenate([times[stay], right_times[mine]])
        values = np.concatenate([values[stay], right_values[mine]])
    order = np.argsort(times, kind="stable")
    return times[order], values[order]


def _bounded(us: int) -> int:
    return min(max(us, 0), END_US)


def _named(series: Series, key: Key) -> str:
    return json.dumps([series.table, series.tags, *key], ensure_ascii=False)


def _parsed(name: str) -> tuple[Series, Key]:
    table, tags, labels, field = json.loads(name)
    return (
        Series(table, tuple((k, v) for k, v in tags)),
        (tuple((k, v) for k, v in labels), field),
    )
