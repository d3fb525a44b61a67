"""Rows that lie too far ahead of now for a server that drops such ones: kept in the ledger until their time has come."""

import math
import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ingest.rows.table import Block
from ingest.stores.influx.batch import BatchWriter
from ingest.stores.influx.cells import StoredSeries, select_rows
from ingest.stores.influx.ledger import Ledger
from ingest.stores.influx.server import Server

FOREVER_US = 1 << 62


class FutureRows:
    """Those of one server."""

    def __init__(self, server: Server, batch: BatchWriter, ledger: Ledger) -> None:
        self._server, self._batch, self._ledger = server, batch, ledger
        self._any = bool(ledger.deferred_rows(FOREVER_US))

    def defer(self, series: StoredSeries, block: Block) -> Block:
        """The block without what lies too far ahead, which is kept in place of what was kept of the block's span."""
        if math.isinf(self._server.future_limit_s):
            return block
        limit_us = self._limit_us()
        ahead = block.time_us >= limit_us
        if self._any or ahead.any():
            self._ledger.defer_rows(
                repr(series), block.start_us, block.end_us, self._encode_each(block, np.flatnonzero(ahead))
            )
            self._any = True
        if not ahead.any():
            return block
        return select_rows(block, np.flatnonzero(~ahead), block.start_us, min(block.end_us, limit_us))

    def without(self, block: Block) -> Block:
        """The block without what lies too far ahead."""
        if math.isinf(self._server.future_limit_s):
            return block
        limit_us = self._limit_us()
        near = np.flatnonzero(block.time_us < limit_us)
        return select_rows(block, near, block.start_us, max(min(block.end_us, limit_us), block.start_us))

    def _encode_each(self, block: Block, rows: NDArray[np.int64]) -> Iterator[tuple[int, str, bytes]]:
        """Time, precision and line of each of the rows."""
        for i in rows.tolist():
            at_us = int(block.time_us[i])
            for line, precision in self._server.encode(
                select_rows(block, np.array([i], dtype=np.int64), at_us, at_us + 1)
            ):
                yield at_us, precision, line

    def send_due(self) -> None:
        """Send what lay too far ahead and does so no more; returns with the server's yes."""
        if self._any:
            due = self._ledger.deferred_rows(self._limit_us())
            for _, precision, line in due:
                self._batch.add(line, precision)
            self._batch.flush()
            self._ledger.delete_deferred(number for number, *_ in due)

    def _limit_us(self) -> int:
        """By the true time, whatever clock a test gives to the rest: the server has it, too."""
        return time.time_ns() // 1000 + int(self._server.future_limit_s * 1e6)
