"""What a server is known to hold of the newest hours, so that it need not be asked for each live sample."""

import numpy as np

from ingest.stores.influx.cells import Cells, StoredSeries, count_cells, replace_range, slice_cells

MOST_CELLS = 60_000
"""Of one series: the newest hours of a strap."""

MOST_SERIES = 200


class KnownCells:
    """Cells of some series, each in one span of time, as the server holds them once what was sent has arrived."""

    def __init__(self) -> None:
        self._series: dict[StoredSeries, tuple[int, int, Cells]] = {}

    def find(self, series: StoredSeries, start_us: int, end_us: int) -> Cells | None:
        """The cells of a series in [start, end); None when not all of that is known."""
        known = self._series.get(series)
        if known is None or start_us < known[0] or end_us > known[1]:
            return None
        return slice_cells(known[2], start_us, end_us)

    def keep(self, series: StoredSeries, start_us: int, end_us: int, cells: Cells) -> None:
        """Know all cells of a series in [start, end), in place of what was known of it."""
        self._series.pop(series, None)
        self._series[series] = (start_us, end_us, cells)
        while len(self._series) > MOST_SERIES:
            del self._series[next(iter(self._series))]

    def update(self, series: StoredSeries, start_us: int, end_us: int, new: Cells) -> None:
        """The server holds these cells in [start, end) now, or will once they are sent or corrected."""
        known = self._series.get(series)
        if known is None or start_us >= known[1] or end_us <= known[0]:
            return
        first_us, last_us, cells = known
        if start_us < first_us or end_us > last_us:
            del self._series[series]
            return
        cells = replace_range(cells, start_us, end_us, new)
        if count_cells(cells) > MOST_CELLS:
            times = np.sort(np.concatenate([t for t, _ in cells.values()]))
            first_us = int(times[len(times) // 2])
            cells = slice_cells(cells, first_us, last_us)
        self._series[series] = (first_us, last_us, cells)

    def drop(self, series: StoredSeries) -> None:
        """Know nothing of a series."""
        self._series.pop(series, None)

    def clear(self) -> None:
        """Know nothing."""
        self._series.clear()
