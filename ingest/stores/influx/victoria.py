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
* A cluster has its three paths behind one address (https://docs.victoriametrics.com/cluster-victoriametrics/#url-format);
  with `http://.../insert/0/influx` the others are found by their names. This was read, not run.
"""

import json
import re
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ingest.errors import TryLater
from ingest.rows.table import REAL, TABLES, TEXT, Block
from ingest.settings.model import InfluxSettings
from ingest.stores.influx.cells import Cells, FieldColumn, FieldKey, Labels, StoredSeries, block_cells
from ingest.stores.influx.client import (
    QUERY_TIMEOUT_S,
    BodyTooLarge,
    Refused,
    Response,
    ResponseTooLarge,
    ServerClient,
    reading_response,
)
from ingest.stores.influx.cluster_address import explain_address
from ingest.stores.influx.lines import clean_tag, coarsest_precision, encode_lines
from ingest.stores.influx.marker import MARKER, MARKER_US, marker_line
from ingest.stores.influx.server import DEDUPLICATION, RETENTION, Unfit
from ingest.system.crash_points import reached

FLAGS = "-retentionPeriod=100y -dedup.minScrapeInterval=1ms"

FUTURE_MS = 2 * 86_400_000
"""It takes nothing that lies further ahead, and 1.122 finds nothing at all when asked for a time far ahead."""

FIRST_MS = 86_400_000
"""What is earlier is sent as of the second day of 1970: 0 is taken for "now", and the first day is lost in a deletion."""

FOREVER_US = 1 << 62

VISIBLE_AFTER_S = 6.0
"""After which what was written shows by itself."""

CANARIES = 10
"""Moments at which each way to write two values is tried."""

_ALL = [f"{table}_{field}" for table in TABLES for field in TABLES[table].fields]


class VictoriaServer:
    """VictoriaMetrics, alone or as a cluster."""

    title = "VictoriaMetrics"
    durability_lag_s = 300.0
    """Far more than the eight seconds that were seen to be lost, and more than minutes are held back."""
    minute_delay_s = 180.0
    """A strap's samples of a minute are committed, masked and counted by then."""
    overwrites = False
    deletes = True
    future_limit_s = FUTURE_MS / 1000 - 3600

    def __init__(self, client: ServerClient, influx: InfluxSettings) -> None:
        self.overwrites_lower = False
        self._can_force_flush = True
        self._client = client
        self.site = clean_tag(influx.site or "")
        path = re.compile(r"/insert/([0-9:]+)/influx$")
        self._query_url = path.sub(r"/select/\1/prometheus", client.url)
        self._delete_url = path.sub(r"/delete/\1/prometheus", client.url)

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
        match = _selector([("__name__", f"{series.table}_(?:{names})")], series.tags)
        found: dict[FieldKey, list[FieldColumn]] = {}
        with reading_response(self._client.url):
            for metric, column in self._export(match, start_us, end_us):
                name = metric["__name__"].removeprefix(f"{series.table}_")
                labels: Labels = tuple((tag, metric.get(tag, "")) for tag in series.free_tags)
                if TABLES[series.table].fields[name] == TEXT:
                    labels = _add_label(labels, name, metric.get(name, ""))
                found.setdefault((labels, name), []).append(column)
        return {key: _concatenate(columns) for key, columns in found.items()}

    def read_field(self, series: StoredSeries, key: FieldKey, start_us: int, end_us: int) -> FieldColumn:
        """One metric of a series in [start, end). Raises ResponseTooLarge."""
        match = _selector([], [("__name__", f"{series.table}_{key[1]}"), *series.tags, *key[0]])
        return _concatenate([column for _, column in self._export(match, start_us, end_us)])

    def delete_field(self, series: StoredSeries, key: FieldKey) -> None:
        """Delete one metric of a series, all of it."""
        self._delete(_selector([], [("__name__", f"{series.table}_{key[1]}"), *series.tags, *key[0]]))

    def delete_ranges(self, series: StoredSeries, labels: Labels, spans: Sequence[tuple[int, int]]) -> bool:
        """Rows are taken away with their series only."""
        del series, labels, spans
        return False

    def clear(self) -> None:
        """Take away all rows of this site, and its marker."""
        for names in (_ALL, [f"{MARKER}_{field}" for field in ("version", "canary")]):
            self._delete(_selector([("__name__", "|".join(names))], [("site", self.site)]))
            reached("store clearing")

    def keep_persons(self, names: Collection[str]) -> None:
        """Take away the series of this site that are of nobody of these names."""
        kept = {clean_tag(name) for name in names}
        everything = "|".join(_ALL)
        of_site = _selector([("__name__", everything)], [("site", self.site)])
        with reading_response(self._client.url):
            held = {str(name) for name in self._query("/api/v1/label/person/values", of_site).json()["data"]}
        for person in sorted(held - kept - {""}):
            of_person = [("site", self.site), ("person", person)]
            self._delete(_selector([("__name__", everything)], of_person))

    def is_empty(self) -> bool:
        """Whether it holds no row of this site."""
        return not self._find_series(_selector([("__name__", "|".join(_ALL))], [("site", self.site)]))

    # --- the marker ---

    def owners(self) -> set[str]:
        """The ids of the journals whose marker it holds for this site."""
        found = self._find_series(_selector([], [("__name__", f"{MARKER}_version"), ("site", self.site)]))
        with reading_response(self._client.url):
            return {str(metric["journal"]) for metric in found if "journal" in metric}

    def claim_ownership(self, journal: str) -> None:
        """Write the marker of a journal and find out how this server keeps rows. Raises TryLater where it drops or doubles them."""
        try:
            for _ in range(2):
                self._client.write_lines(marker_line(journal, self.site), "s")
            self.overwrites_lower = self._keeps_highest(journal)
        except (Refused, BodyTooLarge) as e:
            otherwise = TryLater(
                f"VictoriaMetrics at {self._client.url} does not even take the line that says whose rows these are. Nothing"
                f" is lost. It says: {e}"
            )
            raise explain_address(self._client, self._query_url, self.site, str(e), otherwise) from e
        match = _selector([], [("__name__", f"{MARKER}_version"), ("site", self.site), ("journal", journal)])
        end = time.monotonic() + VISIBLE_AFTER_S
        while True:
            self.sync_visibility()
            there = [len(times) for _, (times, _) in self._export(match, 0, FOREVER_US)]
            if there or time.monotonic() > end:
                break
            time.sleep(0.2)
        if not there:
            raise Unfit(
                RETENTION,
                f"VictoriaMetrics at {self._client.url} drops what is older than its retention, a month unless told"
                f" otherwise. Start it with {FLAGS}",
            )
        if sum(there) > 1:
            raise Unfit(
                DEDUPLICATION,
                f"VictoriaMetrics at {self._client.url} keeps every copy of a row that is sent again. Start it with {FLAGS}",
            )

    def _keeps_highest(self, journal: str) -> bool:
        """Whether of two values at one moment the higher one is shown, whichever came first: found by trying all ways.

        Each way at several moments: 1.79 chooses anew at each, and on a busy computer it once chose the higher one in
        all six ways (1 of 160 tries), after which numbers that rose were never corrected.
        """
        moments = 6 * CANARIES
        times = MARKER_US + np.arange(moments, dtype=np.int64) * 1_000_000
        tags = {"journal": journal, "site": self.site}

        def write(*rows: tuple[int, float]) -> None:
            at = np.concatenate([times[i::6] for i, _ in rows])
            values = np.repeat([value for _, value in rows], CANARIES)
            for body in encode_lines(MARKER, tags, at, {"canary": values}, {"canary": REAL}):
                self._client.write_lines(body, "s")

        write((0, 1.0), (1, 2.0))
        write((2, 1.0), (2, 2.0))
        write((3, 2.0), (3, 1.0))
        for i, value in ((4, 1.0), (5, 2.0), (4, 2.0), (5, 1.0)):
            write((i, value))
        self.sync_visibility()
        write((0, 2.0), (1, 1.0))
        self.sync_visibility()
        selector = _selector([], [("__name__", f"{MARKER}_canary"), *tags.items()])
        shown = [values.tolist() for _, (_, values) in self._export(selector, 0, FOREVER_US)]
        return shown == [[2.0] * moments]

    def sync_visibility(self) -> None:
        """Return when questions see all that was written."""
        response = self._client.request("GET", "/internal/force_flush", base=self._query_url)
        if response.status != 200:
            time.sleep(VISIBLE_AFTER_S)  # where this is not allowed, it shows by itself

    def hasten_visibility(self) -> None:
        """It shows after 1 to 5 s by itself; a server that many Pis write to is left to that."""
        if not self.site and self._can_force_flush:
            response = self._client.request("GET", "/internal/force_flush", base=self._query_url)
            self._can_force_flush = response.status == 200

    def instance_id(self) -> str:
        """What changes when the server is started anew."""
        response = self._client.request("GET", "/metrics")
        found = re.search(rb"^vm_app_start_timestamp (\S+)", response.body, re.MULTILINE)
        # Where this is not told, every new connection may be to a server that was started anew.
        return found[1].decode() if found else f"connection {self._client.connections}"

    # --- within ---

    def _query(self, path: str, match: str, start_us: int = 0, end_us: int = FOREVER_US) -> Response:
        """`end_us` is not included."""
        last_ms = time.time_ns() // 1_000_000 + FUTURE_MS
        start_ms = min(max(-(-start_us // 1000), 1), last_ms)
        end_ms = min(max(-(-end_us // 1000) - 1, start_ms), last_ms)
        fields = {"match[]": match, "start": f"{start_ms / 1000:.3f}", "end": f"{end_ms / 1000:.3f}"}
        response = self._client.request("POST", path, fields, timeout_s=QUERY_TIMEOUT_S, base=self._query_url)
        if response.status in {400, 404, 405}:
            otherwise = self._client.explain_failure(response)
            raise explain_address(self._client, self._query_url, self.site, response.message, otherwise)
        if response.status != 200:
            raise self._client.explain_failure(response)
        return response

    def _export(self, match: str, start_us: int, end_us: int) -> Iterator[tuple[dict[str, str], FieldColumn]]:
        if end_us <= max(start_us, 1000):
            return
        # Without reduce_mem_usage: with it 1.79 now and then gives what is one metric's under the name of another.
        response = self._query("/api/v1/export", match, start_us, end_us)
        with reading_response(self._client.url):
            found = [_metric_and_column(one) for one in response.json_lines()]
        yield from found

    def _find_series(self, match: str) -> list[dict[str, str]]:
        try:
            with reading_response(self._client.url):
                return list(self._query("/api/v1/series", match).json()["data"])
        except ResponseTooLarge:
            return [{}]

    def _delete(self, match: str) -> None:
        path = "/api/v1/admin/tsdb/delete_series"
        response = self._client.request(
            "POST", path, {"match[]": match}, timeout_s=QUERY_TIMEOUT_S, base=self._delete_url
        )
        if response.status not in {200, 204}:
            raise self._client.explain_failure(response)


def _metric_and_column(one: Any) -> tuple[dict[str, str], FieldColumn]:
    """A line of an export. Raises what `reading_response` knows for a line that is none."""
    times, values = np.array(one["timestamps"], np.int64) * 1000, np.array(one["values"], float)
    if times.ndim != 1 or times.shape != values.shape:
        raise ValueError("its times and values are not as many")
    metric = {str(name): str(value) for name, value in one["metric"].items()}
    return {"__name__": metric["__name__"], **metric}, (times, values)


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


def _selector(like: Iterable[tuple[str, str]], exactly: Iterable[tuple[str, str]]) -> str:
    parts = [f'{name}=~"{value}"' for name, value in like]
    parts += [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in exactly]
    return "{" + ",".join(parts) + "}"
