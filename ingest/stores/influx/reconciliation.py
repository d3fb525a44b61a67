"""A server's rows compared with what they should be, and made so."""

from collections.abc import Callable, Collection, Iterable

import numpy as np
from numpy.typing import NDArray

from ingest.language import N_, Text
from ingest.rows.table import TABLES, TEXT, Block
from ingest.stores.influx.batch import BatchWriter
from ingest.stores.influx.cells import (
    Cells,
    Digest,
    FieldKey,
    Labels,
    StoredSeries,
    compare_columns,
    digest_cells,
    halve,
    same_digest,
    select_rows,
    slice_cells,
    split_rows,
)
from ingest.stores.influx.client import ResponseTooLarge
from ingest.stores.influx.corrections import Corrections
from ingest.stores.influx.doubts import FRESH_S, Doubts
from ingest.stores.influx.future_rows import FOREVER_US, FutureRows
from ingest.stores.influx.known_cells import KnownCells
from ingest.stores.influx.ledger import Ledger
from ingest.stores.influx.recent_minutes import RecentMinutes
from ingest.stores.influx.refused_rows import RefusedRows
from ingest.stores.influx.server import Server

COMPARED_ROWS = 10_000
"""Rows that are compared with the server's at once."""

SENT_ROWS = 30_000
"""Rows that are made into lines at once: a week of a strap would need forty megabytes."""

READ_ROWS = 500
"""Rows with texts that are read back to be looked for: of more the sums are asked for."""

NEW_US = 86_400_000_000
"""What ends later than this ago is read "from then on": what comes next is then known already."""


class Reconciler:
    """Makes the rows of blocks so on one server; what it has sent is held once the batch is flushed."""

    def __init__(
        self,
        server: Server,
        batch: BatchWriter,
        ledger: Ledger,
        refused: RefusedRows,
        corrections: Corrections,
        doubts: Doubts,
        save: Callable[[], None],
    ) -> None:
        """`save` is called when more corrections are pending than should be in memory."""
        self._server, self._batch, self._ledger = server, batch, ledger
        self._doubts = doubts
        self._unseen: dict[StoredSeries, tuple[int, int]] = {}
        """From when to when rows were sent that questions may not see yet."""
        self._lacked = False
        self.passed_over = False
        """Whether something was not looked at, since it waits to be corrected."""
        self._refused, self._corrections, self._save = refused, corrections, save
        self.known = KnownCells()
        self._minutes = RecentMinutes(server.minute_delay_s, self._now_us)
        self._future = FutureRows(server, batch, ledger)

    def replace(self, block: Block, *, filling: bool) -> None:
        """Have the block take the place of what is held; when filling an empty store there is nothing to compare."""
        block = self._server.align_times(block)
        self._refused.drop_outdated(block)
        series = StoredSeries.of_block(block, self._server.site)
        block = self._future.defer(series, block)
        if filling:
            self.known.drop(series)
            self._send(series, block)
            return
        for ready in self._minutes.hold_back(series, block):
            for piece in split_rows(ready, COMPARED_ROWS):
                self._reconcile(series, piece)

    def catch_up(self) -> None:
        """Send what was kept back and is due; returns with the server's yes."""
        for series, block in self._minutes.take_settled():
            self._reconcile(series, block)
        self._future.send_due()
        self._batch.flush()

    @property
    def has_kept_back(self) -> bool:
        """Whether rows wait here to be sent that the position is beyond."""
        return self._minutes.has_any

    def is_held(self, block: Block, *, settled_only: bool) -> bool:
        """Look whether the server holds a block, and send what it lacks; `settled_only`: of what is no more being written.

        What waits to be corrected is passed over: it would be found wanting until then, and be sent each time.
        """
        block = self._server.align_times(block)
        series = StoredSeries.of_block(block, self._server.site)
        block = self._future.without(block)
        ages_s = [FRESH_S] if settled_only else []
        ages_s += [self._server.minute_delay_s] if block.table == "minute" else []
        if ages_s:
            end_us = min(block.end_us, self._now_us() - int(max(ages_s) * 1e6))
            if end_us <= block.start_us:
                return True
            rows = np.flatnonzero(block.time_us < end_us)
            block = select_rows(block, rows, block.start_us, end_us)
        if not settled_only:
            self._see(series, block.start_us, block.end_us)
        waiting = self._corrections.waiting_fields(series)
        # Another text has the same sum.
        if TEXT not in TABLES[block.table].fields.values() or len(block) > READ_ROWS:
            wanted = digest_cells(self._server.block_cells(block))
            held = self._server.digest(series, block.start_us, block.end_us)
            if held is not None and same_digest(_without(held, waiting), _without(wanted, waiting)):
                self.passed_over |= bool(waiting & (held.keys() | wanted.keys()))
                return True
        self.known.drop(series)
        self._lacked = False
        for piece in split_rows(block, COMPARED_ROWS):
            self._reconcile(series, piece, waiting)
        return not self._lacked

    def _see(self, series: StoredSeries, start_us: int, end_us: int) -> None:
        """Have questions about a series in [start, end) see what was sent of it; with all else, so that one wait is enough."""
        if any(
            start_us <= last_us and end_us > first_us and one.overlaps(series)
            for one, (first_us, last_us) in self._unseen.items()
        ):
            self.see_all()

    def written_anew(self, corrected: Iterable[StoredSeries]) -> None:
        """Of series that were corrected nothing is known any more, and questions may not see yet what they hold."""
        self.known.clear()
        self._unseen.update((series, (-FOREVER_US, FOREVER_US)) for series in corrected)

    def see_all(self) -> None:
        """Return when questions see all that was sent."""
        self._batch.flush()
        self._server.sync_visibility()
        self._unseen.clear()

    def _now_us(self) -> int:
        return self._ledger.now_ms() * 1000

    def _send(self, series: StoredSeries, block: Block) -> None:
        if not len(block):
            return
        self._doubts.sent(block.tags["person"], block.time_us)
        first_us, last_us = self._unseen.get(series, (FOREVER_US, -FOREVER_US))
        first_us, last_us = min(first_us, int(block.time_us.min())), max(last_us, int(block.time_us.max()))
        self._unseen[series] = first_us, last_us
        for a in range(0, len(block), SENT_ROWS):
            rows = np.arange(a, min(a + SENT_ROWS, len(block)), dtype=np.intp)
            for body, precision in self._server.encode(
                select_rows(block, rows, block.start_us, block.end_us)
            ):
                self._batch.add(body, precision)

    def _reconcile(self, series: StoredSeries, block: Block, waiting: Collection[str] = frozenset()) -> None:
        """Send the rows of a block that differ from those held; delete or note for correction what cannot be overwritten.

        Fields that wait to be corrected are passed over.
        """
        try:
            held = self._read(series, block.start_us, block.end_us)
        except ResponseTooLarge:
            for half in halve(block):
                self._reconcile(series, half, waiting)
            return
        new = self._server.block_cells(block)
        differing: list[NDArray[np.int64]] = []
        removed: dict[Labels, list[NDArray[np.int64]]] = {}
        for key in self._pass_over(waiting, held.keys() | new.keys()):
            found = compare_columns(held.get(key), new.get(key))
            differing += [found.changed, found.removed]
            self._lacked |= bool(len(found.changed) or len(found.removed))
            if not self._server.overwrites:
                self._corrections.note(series, key, found, block.start_us, block.end_us, new.get(key))
            elif len(found.removed):
                removed.setdefault(key[0], []).append(found.removed)
        self._corrections.save_series()
        if removed:
            self._batch.flush()
        for labels, times in removed.items():
            self._delete_rows(series, labels, np.unique(np.concatenate(times)), new)
        if differing:
            rows = np.flatnonzero(np.isin(block.time_us, np.concatenate(differing)))
            self._send(series, select_rows(block, rows, block.start_us, block.end_us))
        self.known.update(series, block.start_us, block.end_us, new)
        if self._corrections.is_full:
            self._save()

    def _pass_over(self, waiting: Collection[str], keys: Collection[FieldKey]) -> list[FieldKey]:
        """Those of the fields that are not waiting."""
        others = [key for key in keys if key[1] not in waiting]
        self.passed_over |= len(others) < len(keys)
        return others

    def _read(self, series: StoredSeries, start_us: int, end_us: int) -> Cells:
        """What the server holds of a series in [start, end)."""
        known = self.known.find(series, start_us, end_us)
        if known is not None:
            return known
        self._see(series, start_us, end_us)
        if end_us < self._now_us() - NEW_US:
            return self._server.read_range(series, start_us, end_us)
        cells = self._server.read_range(series, start_us, FOREVER_US)
        self.known.keep(series, start_us, FOREVER_US, cells)
        return slice_cells(cells, start_us, end_us)

    def _delete_rows(
        self, series: StoredSeries, labels: Labels, removed: NDArray[np.int64], new: Cells
    ) -> None:
        """Delete rows, in as few stretches as there are between those that stay."""
        self._doubts.sent(series.person, removed)
        times = [times for key, (times, _) in new.items() if key[0] == labels]
        stay = np.setdiff1d(np.concatenate(times) if times else np.empty(0, np.int64), removed)
        breaks = np.flatnonzero(np.diff(np.searchsorted(stay, removed))) + 1
        spans = [(int(run[0]), int(run[-1])) for run in np.split(removed, breaks)]
        if not self._server.delete_ranges(series, labels, spans):
            template = N_("{title} cannot delete single rows; this one is no longer true")
            reason = Text(template, title=self._server.title)
            self._refused.keep_undeletable(series, labels, removed.tolist(), reason)


def _without(digest: Digest, fields: Collection[str]) -> Digest:
    return {name: of_it for name, of_it in digest.items() if name not in fields}
