"""Corrections on a server that can neither overwrite a number nor delete a row: whole series, deleted and written anew.

Rarely and a few at a time. A copy of all that the series should hold is kept on our side before the server deletes it,
and until the server cannot lose it any more. Whatever dies on the way, the copy is sent again.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.rows.table import REAL
from ingest.stores.influx.batch import BatchWriter
from ingest.stores.influx.cells import SECOND_US, Difference, FieldColumn, FieldKey, StoredSeries
from ingest.stores.influx.client import ResponseTooLarge, Unavailable
from ingest.stores.influx.doubts import Doubts
from ingest.stores.influx.ledger import Ledger
from ingest.stores.influx.lines import PRECISIONS, encode_lines
from ingest.stores.influx.server import Server
from ingest.system.crash_points import reached

ROUND_S = 300.0
"""Between two rounds: at most 288 a day, however often the resting heart rate of a live day falls."""

MOST_CELLS = 200_000
"""Kept in memory until they go to the ledger."""

END_US = 7_258_118_400_000_000
"""The year 2200."""

Patch = tuple[str, int, int, bytes, bytes]
"""What a series should hold in a span: series, start and end (us, not included), times (int64) and values (float64)."""


class Corrections:
    """What is to be corrected on one server, one field of a series at a time."""

    def __init__(
        self,
        server: Server,
        batch: BatchWriter,
        ledger: Ledger,
        doubts: Doubts,
        clock: Callable[[], float],
    ) -> None:
        self._doubts = doubts
        self._server, self._batch, self._ledger, self._clock = server, batch, ledger, clock
        self._pending: list[Patch] = []
        self._pending_cells = 0
        self._series: set[str] = set(ledger.patched_series()) if not server.overwrites else set()
        self._new_series: list[str] = []
        self._last_round = -1e9
        self._written_at: dict[str, float] = {}
        self.postponed = False
        """Whether a series could be written, but not deleted: a replica of it is away. It is to be done once more."""

    def note(
        self,
        series: StoredSeries,
        key: FieldKey,
        difference: Difference,
        start_us: int,
        end_us: int,
        new: FieldColumn | None,
    ) -> None:
        """Note what a series should hold in [start, end), if that cannot be had by writing it.

        Which series are concerned is in the ledger before anything is written: from then on it may be any of two
        numbers that the server shows, and looking at it proves nothing.
        """
        name = _encode_name(series, key)
        if name not in self._series:
            lasting = difference.too_high if self._server.overwrites_lower else difference.modified
            if not (len(difference.removed) or len(lasting)):
                return
            self._new_series.append(name)
            self._series.add(name)
        times, values = new if new is not None else (np.empty(0, np.int64), np.empty(0))
        self._pending.append((name, _clamp(start_us), _clamp(end_us), times.tobytes(), values.tobytes()))
        self._pending_cells += len(times)

    def save_series(self) -> None:
        """Have the ledger know of the series concerned; to be done before rows are sent."""
        if self._new_series:
            self._ledger.add_patches([(name, 0, 0, b"", b"") for name in self._new_series])
            self._new_series = []

    @property
    def has_pending(self) -> bool:
        """Whether something is not in the ledger yet."""
        return bool(self._pending)

    @property
    def is_full(self) -> bool:
        """Whether what is pending should go to the ledger now."""
        return self._pending_cells > MOST_CELLS

    @property
    def is_due(self) -> bool:
        """Whether it is time for a round."""
        return bool(self._series) and not self.postponed and self._clock() - self._last_round >= ROUND_S

    def take_pending(self) -> list[Patch]:
        """What goes to the ledger now."""
        pending, self._pending, self._pending_cells = self._pending, [], 0
        return pending

    def apply(self) -> None:
        """Correct all series that the ledger knows of; what was sent must be visible."""
        self._last_round = self._clock()
        for name in self._ledger.patched_series():
            self._ledger.save_copy(name, self._corrected_lines(name, self._ledger.patches(name)))
            reached("series copied")
            self._rewrite(name)
        self._series.clear()

    def resend(self) -> None:
        """After somebody died: send what may have been lost of the series that were written anew.

        However long ago that was: a power cut may have come right behind them, and lasted.
        """
        for name in self._ledger.copied_series():
            self._rewrite(name)

    def _rewrite(self, name: str) -> None:
        series, key = _decode_name(name)
        try:
            self._server.delete_field(series, key)
        except Unavailable:
            self.postponed = True  # where it could be deleted it is gone, and must be there again
        reached("series deleted")
        person = dict(series.tags).get("person", "")
        for precision, body in self._ledger.copied_lines(name):
            self._doubts.sent(person, _line_times_us(body, precision))
            self._batch.add(body, precision)
        self._batch.flush()
        reached("series posted")
        self._written_at[name] = self._clock()

    def discard_copies(self, seen: float) -> None:
        """Drop copies of what was written before a moment of the clock, as all of it was found.

        To be called before a position is held for sure: what was sent after a copy is not in it.
        """
        for name in [n for n, at in self._written_at.items() if at < seen and not self.postponed]:
            self._ledger.delete_copy(name)
            del self._written_at[name]

    def _corrected_lines(
        self, name: str, found: list[tuple[int, int, bytes, bytes]]
    ) -> Iterator[tuple[str, bytes]]:
        """All that a series should hold, as (precision, lines)."""
        series, key = _decode_name(name)
        patches = [
            (a, b, np.frombuffer(times, np.int64), np.frombuffer(values, np.float64))
            for a, b, times, values in found
        ]
        tags = {**dict(series.tags), **dict(key[0])}
        kinds = {key[1]: REAL}
        for a, b, held in self._read_field(series, key, 0, END_US):
            times, values = _apply_patches(a, b, held, patches)
            for body in encode_lines(series.table, tags, times, {key[1]: values}, kinds, precision="ms"):
                yield "ms", body

    def _read_field(
        self, series: StoredSeries, key: FieldKey, start_us: int, end_us: int
    ) -> Iterator[tuple[int, int, FieldColumn]]:
        """What is held in [start, end), in as many parts as it takes: start and end of each, and its cells."""
        try:
            held = self._server.read_field(series, key, start_us, end_us)
        except ResponseTooLarge:
            if end_us - start_us <= SECOND_US:
                raise  # it is not the rows that are too many
            middle = (start_us + end_us) // 2000 * 1000
            yield from self._read_field(series, key, start_us, middle)
            yield from self._read_field(series, key, middle, end_us)
        else:
            yield start_us, end_us, held


def _apply_patches(start_us: int, end_us: int, held: FieldColumn, patches: list[Any]) -> FieldColumn:
    """The cells of [start, end) with the patches in place of what is held there, the latest last."""
    times, values = held
    for a, b, new_times, new_values in patches:
        if a >= end_us or b <= start_us:
            continue
        stay = (times < a) | (times >= b)
        here = (new_times >= start_us) & (new_times < end_us)
        times = np.concatenate([times[stay], new_times[here]])
        values = np.concatenate([values[stay], new_values[here]])
    order = np.argsort(times, kind="stable")
    return times[order], values[order]


def _line_times_us(body: bytes, precision: str) -> NDArray[np.int64]:
    """The times at the ends of lines, in microseconds."""
    times = [line.rpartition(b" ")[2] for line in body.splitlines()]
    return np.array(times, dtype=np.int64) * PRECISIONS[precision]


def _clamp(us: int) -> int:
    return min(max(us, 0), END_US)


def _encode_name(series: StoredSeries, key: FieldKey) -> str:
    """What the ledger calls one field of a series."""
    return json.dumps([series.table, series.tags, *key], ensure_ascii=False)


def _decode_name(name: str) -> tuple[StoredSeries, FieldKey]:
    table, tags, labels, field = json.loads(name)
    return (
        StoredSeries(table, tuple((k, v) for k, v in tags)),
        (tuple((k, v) for k, v in labels), field),
    )
