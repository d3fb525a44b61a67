"""VictoriaMetrics as a server: every field of a table is a metric of its own, `table_field`, and all values are numbers.

What was seen of it (1.79.5 and 1.122.0, with the flags that are asked for in `claim_ownership`):

* Of several values at one millisecond 1.122 shows the highest, 1.79 any: a number that falls, or changes, cannot be
  written over, and a single row cannot be taken away. Whole series can be deleted, and written again at once: `corrections`
  does so.
* A time of 0 is taken for "now", and one in the future by more than two days or beyond the retention is dropped with a
  yes, as are texts (they become 0). What is of the first day of 1970 does not come back after a deletion. So all of
  that day is sent as of the second, and a text as a label of a metric that is 1:
  `session_sport{sport="running"}`.
* What was said yes to in the last seconds before a kill -9 is lost. It shows to those who ask after some seconds, or
  after `/internal/force_flush`.
"""

import contextlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from ingest.errors import TryLater
from ingest.rows.table import REAL, TABLES, TEXT, Block
from ingest.settings.model import InfluxSettings
from ingest.stores.influx.cells import Cells, Digest, FieldColumn, FieldKey, Labels, StoredSeries, block_cells
from ingest.stores.influx.client import (
    ServerClient,
    Unavailable,
    reading_response,
)
from ingest.stores.influx.lines import clean_tag, coarsest_precision, encode_lines
from ingest.stores.influx.marker import MARKER, marker_line
from ingest.stores.influx.victoria_api import FIRST_MS, FOREVER_US, FUTURE_MS, VictoriaApi, fresh, selector
from ingest.stores.influx.victoria_trial import VictoriaTrial
from ingest.system.crash_points import reached

VISIBLE_AFTER_S = 7.0
"""After which what was written shows by itself; 5 s were seen. What does not is sent once more, which changes nothing."""

_TRIAL = "trial"
"""Of no journal: what is written to look at a server that holds nothing of ours."""

_ALL = [f"{table}_{field}" for table in TABLES for field in TABLES[table].fields]
_OURS = [("__name__", "|".join(_ALL)), ("person", ".+")]
"""What selects rows of somebody; others are no rows of a hartslag."""


class VictoriaServer:
    """VictoriaMetrics, alone or as a cluster."""

    title = "VictoriaMetrics"
    may_lose = True
    """Killed, it has lost all of its last eight seconds."""
    minute_delay_s = 180.0
    """A strap's samples of a minute are committed, masked and counted by then."""
    overwrites = False
    deletes = True
    future_limit_s = FUTURE_MS / 1000 - 3600

    def __init__(self, client: ServerClient, influx: InfluxSettings) -> None:
        self._client = client
        self.site = clean_tag(influx.site or "")
        self._api = VictoriaApi(client, self.site)
        self._trial = VictoriaTrial(client, self._api)

    def align_times(self, block: Block) -> Block:
        """Times in whole milliseconds, none of them 0; rows told apart by microseconds are told apart by milliseconds."""
        start, end = block.start_us, block.end_us
        ms, us = np.divmod(block.time_us, 1000)
        if start % 1000:
            start = (start // 1000 + start % 1000) * 1000
            end = start + 1000
        return replace(
            block, start_us=start, end_us=-(-end // 1000) * 1000, time_us=np.maximum(ms + us, FIRST_MS) * 1000
        )

    def encode(self, block: Block) -> Iterator[tuple[bytes, str]]:
        """The lines of a block, as bodies with their precision; of a text field each text is a label with the value 1."""
        kinds = TABLES[block.table].fields
        numbers = {name: column for name, column in block.fields.items() if kinds[name] != TEXT}
        tags = {**block.tags, "site": self.site}
        precision = coarsest_precision(block.time_us)
        for body in encode_lines(
            block.table, tags, block.time_us, numbers, kinds, block.labels, precision=precision
        ):
            yield body, precision
        for name in block.fields:
            if kinds[name] == TEXT:
                texts = [t if t is None else clean_tag(str(t)) for t in block.fields[name]]
                one = {name: [1.0 if t else None for t in texts]}
                labels = {**block.labels, name: [t or "" for t in texts]}
                for body in encode_lines(
                    block.table, tags, block.time_us, one, {name: REAL}, labels, precision=precision
                ):
                    yield body, precision

    def block_cells(self, block: Block) -> Cells:
        """The cells of a block as the server will show them: texts as labels."""
        found: Cells = {}
        for (labels, name), (times, values) in block_cells(block).items():
            if TABLES[block.table].fields[name] != TEXT:
                found[labels, name] = times, values
                continue
            texts = np.array([clean_tag(str(v)) for v in values], dtype=np.str_)
            for text in np.unique(texts).tolist():
                here = texts == text
                if text:
                    found[_add_label(labels, name, text), name] = times[here], np.ones(int(here.sum()))
        return found

    def read_range(self, series: StoredSeries, start_us: int, end_us: int) -> Cells:
        """All fields of a series in [start, end), in microseconds. Raises ResponseTooLarge."""
        names = "|".join(TABLES[series.table].fields)
        match = selector([("__name__", f"{series.table}_(?:{names})")], series.tags)
        found: dict[FieldKey, list[FieldColumn]] = {}
        with reading_response(self._client.url):
            for metric, column in self._api.export(match, start_us, end_us):
                name = metric["__name__"].removeprefix(f"{series.table}_")
                labels: Labels = tuple((tag, metric.get(tag, "")) for tag in series.free_tags)
                if TABLES[series.table].fields[name] == TEXT:
                    labels = _add_label(labels, name, metric.get(name, ""))
                found.setdefault((labels, name), []).append(column)
        return {key: _concatenate(columns) for key, columns in found.items()}

    def read_field(self, series: StoredSeries, key: FieldKey, start_us: int, end_us: int) -> FieldColumn:
        """One metric of a series in [start, end). Raises ResponseTooLarge."""
        match = selector([], [("__name__", f"{series.table}_{key[1]}"), *series.tags, *key[0]])
        return _concatenate([column for _, column in self._api.export(match, start_us, end_us)])

    def digest(self, series: StoredSeries, start_us: int, end_us: int) -> Digest | None:
        """Of each field that is held of a series in [start, end) how many, and their sum; None where it cannot say."""
        names = "|".join(TABLES[series.table].fields)
        match = selector([("__name__", f"{series.table}_(?:{names})")], series.tags)
        match = match.replace("{", "{{").replace("}", "}}")
        counts, sums = (
            self._api.sum_up(
                f"sum({what}_over_time({match}{{span}}) keep_metric_names) by (__name__)", start_us, end_us
            )
            for what in ("count", "sum")
        )
        if counts is None or sums is None:
            return None
        return {
            name.removeprefix(f"{series.table}_"): (int(n), sums.get(name, 0.0)) for name, n in counts.items()
        }

    def count_rows(self, person: str, start_us: int, end_us: int) -> int | None:
        """How many values are held of a person in [start, end), in all tables; None where it cannot say."""
        match = selector([("__name__", "|".join(_ALL))], [("person", clean_tag(person)), ("site", self.site)])
        match = match.replace("{", "{{").replace("}", "}}")
        counts = self._api.sum_up(f"sum(count_over_time({match}{{span}}))", start_us, end_us)
        return None if counts is None else int(sum(counts.values()))

    def delete_field(self, series: StoredSeries, key: FieldKey) -> None:
        """Delete one metric of a series, all of it."""
        self._api.delete(selector([], [("__name__", f"{series.table}_{key[1]}"), *series.tags, *key[0]]))

    def delete_ranges(self, series: StoredSeries, labels: Labels, spans: Sequence[tuple[int, int]]) -> bool:
        """Rows are taken away with their series only."""
        del series, labels, spans
        return False

    def clear(self) -> None:
        """Take away all rows of this site, and its marker; rows of nobody are those of another program in the same place."""
        marker = [("__name__", f"{MARKER}_version|{MARKER}_canary"), ("journal", ".+")]
        for match in (_OURS, marker):
            self._api.delete(selector(match, [("site", self.site)]))
            reached("store clearing")

    def persons(self) -> set[str]:
        """The persons with series of this site."""
        of_site = selector([("__name__", "|".join(_ALL))], [("site", self.site)])
        with reading_response(self._client.url):
            found = self._api.whole_answer("/api/v1/label/person/values", of_site)
            return {str(name) for name in found} - {""}

    def keep_persons(self, names: Collection[str]) -> None:
        """Take away the series of this site that are of nobody of these names."""
        for person in sorted(self.persons() - {clean_tag(name) for name in names}):
            of_person = [("site", self.site), ("person", person)]
            self._api.delete(selector([("__name__", "|".join(_ALL))], of_person))

    def is_empty(self) -> bool:
        """Whether it holds no row of this site."""
        return not self._api.find_series(selector(_OURS, [("site", self.site)]))

    # --- the marker ---

    def owners(self) -> set[str]:
        """The ids of the journals whose marker it holds for this site.

        Its value is asked for: the index knows for weeks of what a shorter retention has taken away.
        """
        marker = fresh([("__name__", f"{MARKER}_version"), ("site", self.site)])
        found = self._api.export(marker, 0, FOREVER_US)
        return {metric["journal"] for metric, (times, _) in found if len(times) and metric.get("journal")}

    def claim_ownership(self, journal: str) -> None:
        """Write the marker of a journal and find out how this server keeps rows. Raises TryLater where it drops or doubles them."""
        self._trial.write([marker_line(journal, self.site)] * 2, "s")
        self._trial.run(journal, is_marked=True)
        self._remove_canary("")
        self._trial.raise_values(journal)

    def try_out(self) -> None:
        """Find out how it keeps rows, without a marker. Raises Unfit where it drops or doubles them, or takes none away."""
        self._trial.run(_TRIAL, is_marked=False)
        self._remove_canary(_TRIAL)
        self._remove_canary("")

    def _remove_canary(self, label: str) -> None:
        with contextlib.suppress(Unavailable):  # of two copies of everything one may be away
            self._trial.remove(label)

    def explain_refusal(self, said: str, otherwise: TryLater) -> TryLater:
        """What to tell the owner when not even one row is taken."""
        return self._api.explain(said, otherwise)

    @property
    def overwrites_lower(self) -> bool:
        """Whether a higher number takes the place of a lower one, as far as is known."""
        return self._trial.overwrites_lower

    def sync_visibility(self) -> None:
        """Return when questions see all that was written."""
        if not self._api.flush():
            self._client.wait(self._client.wrote_at + VISIBLE_AFTER_S - self._client.clock())
        self._trial.see_raised(VISIBLE_AFTER_S)

    def sync_others(self) -> None:
        """The same, of what others may have written, too."""
        if not self._api.flush():
            self._client.wait(VISIBLE_AFTER_S)

    def hasten_visibility(self) -> None:
        """It shows after some seconds by itself; a server that many Pis write to is left to that."""
        if not self.site:
            self._api.flush()


def _add_label(labels: Labels, name: str, text: str) -> Labels:
    return tuple(sorted([*labels, (name, text)]))


def _concatenate(columns: Iterable[FieldColumn]) -> FieldColumn:
    """Parts of one metric in order of time."""
    some = list(columns)
    if not some:
        return np.empty(0, np.int64), np.empty(0)
    times, values = (np.concatenate(parts) for parts in zip(*some, strict=True))
    order = np.argsort(times, kind="stable")
    return times[order], values[order]
