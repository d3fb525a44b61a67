"""Corrections on a server that can neither overwrite a number nor delete a row: whole series, deleted and written anew.

Rarely and a few at a time. A copy of all that the series should hold is kept on our side before the server deletes it,
and until the server cannot lose it any more. Whatever dies on the way, the copy is sent again.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
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
"""Between two rounds as a rule: some 288 a day, however often the resting heart rate of a live day falls."""

ROUNDS_AT_ONCE = 3
"""So many may follow each other after a quiet time: who drops files behind a corrected profile does not wait for them."""

MOST_CELLS = 200_000
"""Kept in memory until they go to the ledger."""

END_US = 7_258_118_400_000_000
"""The year 2200."""

Patch = tuple[str, int, int, bytes, bytes]
"""What a series should hold in a span: series, start and end (us, not included), times (int64) and values (float64)."""


class _RowsLost(Exception):  # noqa: N818 - named by what happened, as it is no error of ours
    """A series that was written anew a moment ago lacks some of it: what is there is not what it should hold."""


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
        names = ledger.patched_series() if not server.overwrites else []
        self._series = {name: _decode_name(name) for name in names}
        self._new_series: list[str] = []
        doubts.resume()
        self._spent_until_s = -1e9
        self._written: dict[str, tuple[float, int]] = {}
        """When series were written anew of which a copy is kept, and how many cells each then had."""
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
            self._series[name] = _decode_name(name)
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
        if not self._series or self.postponed:
            return False
        return self._spent_until_s - self._clock() <= (ROUNDS_AT_ONCE - 1) * ROUND_S

    def waiting_fields(self, series: StoredSeries) -> set[str]:
        """The fields of a series of which something waits to be corrected: looking at them proves nothing."""
        return {key[1] for one, key in self._series.values() if one.overlaps(series)}

    def take_pending(self) -> list[Patch]:
        """What goes to the ledger now."""
        pending, self._pending, self._pending_cells = self._pending, [], 0
        return pending

    def apply(self) -> list[StoredSeries]:
        """Correct all series that the ledger knows of; what was sent must be visible. Gives those that were written anew."""
        self._spent_until_s = max(self._spent_until_s, self._clock()) + ROUND_S
        written = []
        for name in self._ledger.patched_series():
            with suppress(
                _RowsLost
            ):  # what there is a copy of is put back now, and corrected in the next round
                self._ledger.save_copy(name, self._corrected_lines(name, self._ledger.patches(name)))
                self._series.pop(name, None)
            reached("series copied")
            written.append(self._rewrite(name))
        self._doubts.resume()
        return written

    def resend(self) -> list[StoredSeries]:
        """After somebody died: send what may have been lost of the series that were written anew; gives those.

        However long ago that was: a power cut may have come right behind them, and lasted.
        """
        return [self._rewrite(name) for name in self._ledger.copied_series()]

    def _rewrite(self, name: str) -> StoredSeries:
        """Have a series be what its copy says."""
        series, key = _decode_name(name)
        cells = 0
        try:
            self._server.delete_field(series, key)
        except Unavailable:
            self.postponed = True  # where it could be deleted it is gone, and must be there again
        reached("series deleted")
        for precision, body in self._ledger.copied_lines(name):
            times_us = _line_times_us(body, precision)
            cells += len(times_us)
            self._doubts.sent(series.person, times_us)
            self._batch.add(body, precision)
        self._batch.flush()
        reached("series posted")
        self._written[name] = self._clock(), cells
        return series

    def discard_copies(self, seen: float) -> None:
        """Drop copies of what was written before a moment of the clock, as all of it was found.

        To be called before a position is held for sure: what was sent after a copy is not in it.
        """
        for name in [n for n, (at, _) in self._written.items() if at < seen and not self.postponed]:
            self._ledger.delete_copy(name)
            del self._written[name]

    def _corrected_lines(
        self, name: str, found: list[tuple[int, int, bytes, bytes]]
    ) -> Iterator[tuple[str, bytes]]:
        """All that a series should hold, as (precision, lines). Raises _RowsLost at its end where the server lacks some."""
        series, key = _decode_name(name)
        cells = 0
        patches = [
            (a, b, np.frombuffer(times, np.int64), np.frombuffer(values, np.float64))
            for a, b, times, values in found
        ]
        tags = {**dict(series.tags), **dict(key[0])}
        kinds = {key[1]: REAL}
        for a, b, held in self._read_field(series, key, 0, END_US):
            cells += len(held[0])
            times, values = _apply_patches(a, b, held, patches)
            # A storage that is killed loses deletions, too.
            self._doubts.sent(series.person, np.setdiff1d(held[0], times))
            for body in encode_lines(series.table, tags, times, {key[1]: values}, kinds, precision="ms"):
                yield "ms", body
        if cells < self._written.get(name, (0.0, 0))[1]:
            raise _RowsLost

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
    """What the ledger calls one field of a series: the same whichever of its tags are fixed where it is asked for."""
    return json.dumps([series.table, sorted([*series.tags, *key[0]]), [], key[1]], ensure_ascii=False)


def _decode_name(name: str) -> tuple[StoredSeries, FieldKey]:
    table, tags, labels, field = json.loads(name)
    return (
        StoredSeries(table, tuple((k, v) for k, v in tags)),
        (tuple((k, v) for k, v in labels), field),
    )
