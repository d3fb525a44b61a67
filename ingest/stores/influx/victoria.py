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
  with `http://.../insert/0/influx` the others are found by their names. With a storage away it answers with what the
  others hold, and says `isPartial`, or 503: nothing is known then.
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
from ingest.stores.influx.cells import Cells, Digest, FieldColumn, FieldKey, Labels, StoredSeries, block_cells
from ingest.stores.influx.client import (
    QUERY_TIMEOUT_S,
    BodyTooLarge,
    Refused,
    Response,
    ResponseTooLarge,
    ServerClient,
    Unavailable,
    reading_response,
)
from ingest.stores.influx.cluster_address import explain_address
from ingest.stores.influx.lines import clean_tag, coarsest_precision, encode_lines
from ingest.stores.influx.marker import MARKER, MARKER_US, marker_line
from ingest.stores.influx.server import DEDUPLICATION, RETENTION, Unfit
from ingest.system.crash_points import reached

RETENTION_FLAG, DEDUP_FLAG = "-retentionPeriod=100y", "-dedup.minScrapeInterval=1ms"

FUTURE_MS = 2 * 86_400_000
"""It takes nothing that lies further ahead, and 1.122 finds nothing at all when asked for a time far ahead."""

FIRST_MS = 86_400_000
"""What is earlier is sent as of the second day of 1970: 0 is taken for "now", and the first day is lost in a deletion."""

FOREVER_US = 1 << 62

VISIBLE_AFTER_S = 7.0
"""After which what was written shows by itself; 5 s were seen. What does not is sent once more, which changes nothing."""

CANARY_S = 25.0
"""How long a server that is busy may take to show what was written to try it out."""

FLUSHED_S = 10.0
"""The same of one that can be told to show it."""

LOOK_S = 0.2
"""Between two looks for it."""

CANARIES = 10
"""Moments at which each way to write two values is tried."""

_ALL = [f"{table}_{field}" for table in TABLES for field in TABLES[table].fields]


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
        self.overwrites_lower = False
        self._can_force_flush = True
        self._raised: tuple[float, str] | None = None
        self._client = client
        self.site = clean_tag(influx.site or "")
        path = re.compile(r"/insert/([0-9:]+)/influx$")
        self._is_cluster = path.search(client.url) is not None
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

    def digest(self, series: StoredSeries, start_us: int, end_us: int) -> Digest | None:
        """Of each field that is held of a series in [start, end) how many, and their sum; None where it cannot say."""
        names = "|".join(TABLES[series.table].fields)
        match = _selector([("__name__", f"{series.table}_(?:{names})")], series.tags)
        match = match.replace("{", "{{").replace("}", "}}")
        counts, sums = (
            self._sum_up(
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
        match = _selector(
            [("__name__", "|".join(_ALL))], [("person", clean_tag(person)), ("site", self.site)]
        )
        match = match.replace("{", "{{").replace("}", "}}")
        counts = self._sum_up(f"sum(count_over_time({match}{{span}}))", start_us, end_us)
        return None if counts is None else int(sum(counts.values()))

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
            held = {str(name) for name in self._whole_answer("/api/v1/label/person/values", of_site)}
        for person in sorted(held - kept - {""}):
            of_person = [("site", self.site), ("person", person)]
            self._delete(_selector([("__name__", everything)], of_person))

    def is_empty(self) -> bool:
        """Whether it holds no row of this site."""
        return not self._find_series(_selector([("__name__", "|".join(_ALL))], [("site", self.site)]))

    # --- the marker ---

    def owners(self) -> set[str]:
        """The ids of the journals whose marker it holds for this site."""
        found = self._find_series(_fresh([("__name__", f"{MARKER}_version"), ("site", self.site)]))
        with reading_response(self._client.url):
            return {str(metric["journal"]) for metric in found if "journal" in metric}

    def claim_ownership(self, journal: str) -> None:
        """Write the marker of a journal and find out how this server keeps rows. Raises TryLater where it drops or doubles them."""
        try:
            for _ in range(2):
                self._client.write_lines(marker_line(journal, self.site), "s")
            self._write_canary(journal)
        except (Refused, BodyTooLarge) as e:
            otherwise = TryLater(
                f"VictoriaMetrics at {self._client.url} does not even take the line that says whose rows these are. Nothing"
                f" is lost. It says: {e}"
            )
            raise explain_address(self._client, self._query_url, self.site, str(e), otherwise) from e
        marker = [("__name__", f"{MARKER}_version"), ("site", self.site), ("journal", journal)]
        until = time.monotonic() + (FLUSHED_S if self._flush() else CANARY_S)
        while True:
            self._flush()
            there = [len(times) for _, (times, _) in self._export(_fresh(marker), 0, FOREVER_US)]
            shown = self._shown_canary(journal)
            # Seen before all of it is there, of two copies one alone would pass for both.
            is_shown = bool(there) and len(shown) >= 6 * CANARIES
            if is_shown or time.monotonic() > until:
                break
            self._client.wait(LOOK_S)
        if not there:
            storage = "each vmstorage" if self._is_cluster else "it"
            raise Unfit(
                RETENTION,
                f"VictoriaMetrics at {self._client.url} drops what is older than its retention, a month unless told"
                f" otherwise. Start {storage} with {RETENTION_FLAG}",
            )
        if sum(there) > 1 or len(shown) > 6 * CANARIES:
            select = "vmselect, and each vmstorage, too," if self._is_cluster else "it"
            raise Unfit(
                DEDUPLICATION,
                f"VictoriaMetrics at {self._client.url} keeps every copy of a row that is sent again. Start"
                f" {select} with {DEDUP_FLAG}",
            )
        self._raise_canary(journal)

    def _write_canary(self, journal: str, *, raised: bool = False) -> None:
        """Two values at each of some moments, in all orders there are, each way at several moments.

        1.79 chooses anew at each, and on a busy computer it once chose the higher one in all six ways (1 of 160 tries),
        after which numbers that rose were never corrected.
        """
        times = MARKER_US + np.arange(6 * CANARIES, dtype=np.int64) * 1_000_000
        tags = {"journal": journal, "site": self.site}
        ways = [
            ((0, 1.0), (1, 2.0)),
            ((2, 1.0), (2, 2.0)),
            ((3, 2.0), (3, 1.0)),
            *(((i, value),) for i, value in ((4, 1.0), (5, 2.0), (4, 2.0), (5, 1.0))),
        ]
        for rows in [((0, 2.0), (1, 1.0))] if raised else ways:
            at = np.concatenate([times[i::6] for i, _ in rows])
            values = np.repeat([value for _, value in rows], CANARIES)
            for body in encode_lines(MARKER, tags, at, {"canary": values}, {"canary": REAL}):
                self._client.write_lines(body, "s")

    def _shown_canary(self, journal: str) -> list[float]:
        match = _fresh([("__name__", f"{MARKER}_canary"), ("journal", journal), ("site", self.site)])
        return [float(v) for _, (_, values) in self._export(match, 0, FOREVER_US) for v in values]

    def _raise_canary(self, journal: str) -> None:
        """Write the last of the ways: over values that are shown already. What comes of it is seen later."""
        self._write_canary(journal, raised=True)
        self.overwrites_lower = False
        self._raised = (self._client.wrote_at, journal)
        if self._flush():
            self._see_raised()

    def _see_raised(self) -> None:
        """Whether of two values at one moment the higher one is shown, whichever came first: found by trying all ways."""
        if self._raised is not None:
            self.overwrites_lower = self._shown_canary(self._raised[1]) == [2.0] * 6 * CANARIES
            self._raised = None

    def _flush(self) -> bool:
        """Have the server show what was written, and say whether it can be told to."""
        if self._can_force_flush:
            response = self._client.request("GET", "/internal/force_flush", base=self._query_url)
            self._can_force_flush = response.status == 200
        return self._can_force_flush

    def sync_visibility(self) -> None:
        """Return when questions see all that was written."""
        if not self._flush():
            self._client.wait(self._client.wrote_at + VISIBLE_AFTER_S - time.monotonic())
        if self._raised is not None and time.monotonic() - self._raised[0] >= VISIBLE_AFTER_S:
            self._see_raised()

    def sync_others(self) -> None:
        """The same, of what others may have written, too."""
        if not self._flush():
            self._client.wait(VISIBLE_AFTER_S)

    def hasten_visibility(self) -> None:
        """It shows after some seconds by itself; a server that many Pis write to is left to that."""
        if not self.site:
            self._flush()

    # --- within ---

    def _query(self, path: str, match: str, start_us: int = 0, end_us: int = FOREVER_US) -> Response:
        """`end_us` is not included."""
        last_ms = time.time_ns() // 1_000_000 + FUTURE_MS
        start_ms = min(max(-(-start_us // 1000), 1), last_ms)
        end_ms = min(max(-(-end_us // 1000) - 1, start_ms), last_ms)
        fields = {"match[]": match, "start": f"{start_ms / 1000:.3f}", "end": f"{end_ms / 1000:.3f}"}
        fields["deny_partial_response"] = "1"
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
                return list(self._whole_answer("/api/v1/series", match))
        except ResponseTooLarge:
            return [{}]

    def _whole_answer(self, path: str, match: str) -> Any:
        """What is said of series by all storages. Raises Unavailable when some were not there to be asked."""
        return self._whole(self._query(path, match))

    def _whole(self, response: Response) -> Any:
        said = response.json()
        if said.get("isPartial"):
            raise Unavailable(
                f"A part of VictoriaMetrics at {self._client.url} is away (a vmstorage does not answer vmselect). What it"
                " misses is kept and sent when all of it is back."
            )
        return said["data"]

    def _sum_up(self, text: str, start_us: int, end_us: int) -> dict[str, float] | None:
        """What a question about the values in [start, end) gives, by metric; None where it is not understood."""
        first_ms = max(-(-start_us // 1000), FIRST_MS)
        last_ms = min(-(-end_us // 1000) - 1, time.time_ns() // 1_000_000 + FUTURE_MS)
        if last_ms < first_ms:
            return {}
        fields = {
            "query": text.format(span=f"[{last_ms - first_ms + 1}ms]"),
            "time": f"{last_ms / 1000:.3f}",
            "nocache": "1",
            "deny_partial_response": "1",
        }
        response = self._client.request(
            "POST", "/api/v1/query", fields, timeout_s=QUERY_TIMEOUT_S, base=self._query_url
        )
        if response.status in {400, 422}:
            return None
        if response.status != 200:
            raise self._client.explain_failure(response)
        with reading_response(self._client.url):
            found = self._whole(response)["result"]
            return {one["metric"].get("__name__", ""): float(one["value"][1]) for one in found}

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


def _fresh(exactly: Iterable[tuple[str, str]]) -> str:
    """A selector as it was never asked before: what one found is remembered for a second or two, also when it was nothing."""
    return _selector([], exactly).removesuffix("}") + f',nobody!="{time.time_ns()}"}}'


def _selector(like: Iterable[tuple[str, str]], exactly: Iterable[tuple[str, str]]) -> str:
    parts = [f'{name}=~"{value}"' for name, value in like]
    parts += [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in exactly]
    return "{" + ",".join(parts) + "}"
