"""Minutes that are not over: kept back from a server that cannot take back a number, until theirs have settled."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from ingest.rows.table import Block
from ingest.stores.influx.cells import StoredSeries, select_rows


class RecentMinutes:
    """The youngest minutes of each series; `delay_s` is how old one must be to be sent, 0: all are sent at once."""

    def __init__(self, delay_s: float, now_us: Callable[[], int]) -> None:
        self._delay_us, self._now_us = int(delay_s * 1e6), now_us
        self._blocks: dict[StoredSeries, Block] = {}

    @property
    def has_any(self) -> bool:
        """Whether minutes are kept back."""
        return bool(self._blocks)

    def hold_back(self, series: StoredSeries, block: Block) -> Iterator[Block]:
        """What is to be sent now that a block has come: minutes kept before that it leaves alone, and its older ones."""
        if not self._delay_us or block.table != "minute":
            yield block
            return
        now_us = self._now_us()
        recent = np.flatnonzero((block.time_us > now_us - self._delay_us) & (block.time_us <= now_us))
        before = self._blocks.pop(series, None)
        if before is not None:
            apart = (before.time_us < block.start_us) | (before.time_us >= block.end_us)
            if apart.any():
                kept = select_rows(before, np.flatnonzero(apart), before.start_us, before.end_us)
                yield replace(kept, start_us=int(kept.time_us[0]), end_us=int(kept.time_us[-1]) + 1)
        if not len(recent):
            yield block
            return
        first_us = int(block.time_us[recent[0]])
        self._blocks[series] = select_rows(block, recent, first_us, block.end_us)
        yield select_rows(block, np.flatnonzero(block.time_us < first_us), block.start_us, first_us)

    def take_settled(self) -> Iterator[tuple[StoredSeries, Block]]:
        """The minutes that are old enough by now."""
        settled_us = self._now_us() - self._delay_us
        for series, block in list(self._blocks.items()):
            old = np.flatnonzero(block.time_us <= settled_us)
            if not len(old):
                continue
            del self._blocks[series]
            rest = np.flatnonzero(block.time_us > settled_us)
            border_us = int(block.time_us[rest[0]]) if len(rest) else block.end_us
            if len(rest):
                self._blocks[series] = select_rows(block, rest, border_us, block.end_us)
            yield series, select_rows(block, old, block.start_us, border_us)
