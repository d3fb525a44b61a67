"""InfluxDB as a server: what is held, taken away and marked there, by InfluxQL.

InfluxQL is what 1, 2 (by the mapping of a bucket's own name) and 3 have in common
(https://docs.influxdata.com/influxdb/v2/query-data/influxql/, https://docs.influxdata.com/influxdb3/core/reference/influxql/).
A point that is written again takes the place of the old one, field by field, so only what must vanish is deleted.
"""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.errors import TryLater
from ingest.rows.table import TABLES, TEXT, Block
from ingest.settings.model import InfluxSettings
from ingest.stores.influx.cells import Cells, FieldColumn, FieldKey, Labels, StoredSeries, block_cells
from ingest.stores.influx.client import (
    QUERY_TIMEOUT_S,
    BodyTooLarge,
    Refused,
    ResponseTooLarge,
    ServerClient,
    Unavailable,
    reading_response,
)
from ingest.stores.influx.lines import clean_tag, coarsest_precision, encode_lines
from ingest.stores.influx.marker import MARKER, marker_line
from ingest.system.crash_points import reached

FIRST_US, LAST_US = -9_223_372_036_854_774, 9_223_372_036_854_774
"""The times that InfluxDB knows, whose own unit is the nanosecond."""

STATEMENTS = 50
"""Sent together at most."""


class InfluxServer:
    """InfluxDB 1.8 (and its like), 2 or 3."""

    durability_lag_s = 0.0
    """It keeps what it said yes to in a log on disk: none of it was lost at a kill -9."""
    minute_delay_s = 0.0
    future_limit_s = math.inf
    overwrites = overwrites_lower = True

    def __init__(self, client: ServerClient, influx: InfluxSettings, version: str) -> None:
        self._client, self._influx = client, influx
        self.site = clean_tag(influx.site or "")
        self.title = f"InfluxDB {version}".strip()

    def align_times(self, block: Block) -> Block:
        """The block with times that the server can tell apart."""
        return block

    def encode(self, block: Block) -> Iterator[tuple[bytes, str]]:
        """(Lines, precision) of the rows of a block."""
        precision = coarsest_precision(block.time_us)
        tags = {**block.tags, "site": self.site}
        kinds = TABLES[block.table].fields
        for body in encode_lines(
            block.table, tags, block.time_us, block.fields, kinds, block.labels, precision=precision
        ):
            yield body, precision

    def block_cells(self, block: Block) -> Cells:
        """Each field of a row by itself."""
        return block_cells(block)

    def read_range(self, series: StoredSeries, start_us: int, end_us: int) -> Cells:
        """What is there of a series in [start, end). Raises ResponseTooLarge when that is more than is read at once."""
        where = " AND ".join(_tag_conditions(series.tags) + _time_conditions(start_us, end_us))
        with reading_response(self._client.url):
            (response,) = self._query(f'SELECT * FROM "{series.table}" WHERE {where}')
            return _parse_cells(series, response)

    def delete_ranges(self, series: StoredSeries, labels: Labels, spans: Sequence[tuple[int, int]]) -> bool:
        """Take away the rows in spans (first and last time, both included); says whether that can be done."""
        tags = (*series.tags, *labels)
        for i in range(0, len(spans), STATEMENTS):
            text = ";".join(
                f'DELETE FROM "{series.table}" WHERE '
                + " AND ".join([*_tag_conditions(tags), f"time >= {a * 1000}", f"time <= {b * 1000}"])
                for a, b in spans[i : i + STATEMENTS]
            )
            try:
                self._query(text)
            except Refused:
                if not all(
                    self._delete_by_v2_api(series.table, tags, a, b) for a, b in spans[i : i + STATEMENTS]
                ):
                    return False
        return True

    def _delete_by_v2_api(
        self, table: str, tags: Iterable[tuple[str, str]], first_us: int, last_us: int
    ) -> bool:
        """The same by the API of version 2 (https://docs.influxdata.com/influxdb/v2/write-data/delete-data/)."""
        what = " AND ".join(
            [f"_measurement={_double_quote(table)}", *(f"{k}={_double_quote(v)}" for k, v in tags if v)]
        )
        response = self._client.request(
            "POST",
            f"/api/v2/delete?org={_url_quote(self._influx.org)}&bucket={_url_quote(self._influx.bucket)}",
            json={"start": _rfc3339(first_us), "stop": _rfc3339(last_us + 1), "predicate": what},
            timeout_s=QUERY_TIMEOUT_S,
        )
        if response.status in {400, 404, 405, 501}:
            return False
        if response.status != 204:
            raise self._client.explain_failure(response)
        return True

    def read_field(self, series: StoredSeries, key: FieldKey, start_us: int, end_us: int) -> FieldColumn:
        """One field of a series in [start, end), in microseconds."""
        none: FieldColumn = (np.empty(0, np.int64), np.empty(0))
        return self.read_range(series, start_us, end_us).get(key, none)

    def delete_field(self, series: StoredSeries, key: FieldKey) -> None:
        """Delete all rows of a series with these labels, whichever field asked for it."""
        self.delete_ranges(series, key[0], [(FIRST_US, LAST_US)])

    def clear(self) -> None:
        """Take away all rows of this site, and its marker."""
        for table in (*TABLES, MARKER):
            self._delete_all(table, (("site", self.site),))
            reached("store clearing")

    def keep_persons(self, names: Collection[str]) -> None:
        """Take away the rows of this site that are of nobody of these names."""
        kept = {clean_tag(name) for name in names}
        for table in TABLES:
            asked = f'SHOW TAG VALUES FROM "{table}" WITH KEY = "person"'
            with reading_response(self._client.url):
                (response,) = self._query(asked)
                found = {row[1] for one in response.get("series", []) for row in one["values"]}
            for person in sorted(found - kept):
                # Where several write to one server the name may be another site's alone: nothing of ours goes then.
                self._delete_all(table, (("person", person), ("site", self.site)))

    def _delete_all(self, table: str, tags: tuple[tuple[str, str], ...]) -> None:
        if not self.delete_ranges(StoredSeries(table, tags), (), [(FIRST_US, LAST_US)]):
            raise TryLater(
                f"{self.title} at {self._client.url} cannot delete rows. Empty the bucket"
                f" {self._influx.bucket!r} yourself (delete and create it), then try again."
            )

    def is_empty(self) -> bool:
        """Whether no row of this site is there."""
        where = " AND ".join(_tag_conditions([("site", self.site)]))
        asked = [f'SELECT * FROM "{table}" WHERE {where} LIMIT 1' for table in TABLES]
        with reading_response(self._client.url):
            return not any(answer.get("series") for answer in self._query(";".join(asked)))

    # --- the marker ---

    def owners(self) -> set[str]:
        """The journals that this site's rows are of."""
        where = " AND ".join(_tag_conditions([("site", self.site)]))
        with reading_response(self._client.url):
            (response,) = self._query(f'SELECT "version" FROM "{MARKER}" WHERE {where} GROUP BY "journal"')
            return {one["tags"]["journal"] for one in response.get("series", [])}

    def claim_ownership(self, journal: str) -> None:
        """Leave the marker, which is as old as any row may be. Raises TryLater when it does not stay."""
        try:
            self._client.write_lines(marker_line(journal, self.site), "s")
        except (Refused, BodyTooLarge) as e:
            raise self._retention_error(str(e)) from e
        if journal not in self.owners():
            raise self._retention_error("it is not there when asked for")

    def _retention_error(self, words: str) -> TryLater:
        return TryLater(
            f"{self.title} at {self._client.url} does not keep old rows ({words}). Let the bucket"
            f" {self._influx.bucket!r} keep its data for ever: retention 0 (InfluxDB 1: ALTER RETENTION POLICY autogen"
            f' ON "{self._influx.bucket}" DURATION INF).'
        )

    def sync_visibility(self) -> None:
        """Have what was written be there when asked for: always so here."""

    def hasten_visibility(self) -> None:
        """Always so here, too."""

    def instance_id(self) -> str:
        """What is another after the server was started anew; of no matter here."""
        return ""

    def _query(self, text: str) -> list[Mapping[str, Any]]:
        """The results of statements. Raises Unavailable, or Refused when one cannot be done."""
        fields = {"db": self._influx.bucket, "epoch": "u", "q": text}
        response = self._client.request("POST", "/query", fields, timeout_s=QUERY_TIMEOUT_S)
        try:
            content = response.json()
        except ValueError:
            content = {}
        if not isinstance(content, dict) or not isinstance(content.get("results"), list):
            if response.status in {400, 405, 422, 501}:
                raise Refused(response.message)
            raise self._client.explain_failure(response)
        for one in content["results"]:
            if "error" in one:
                if "not found" in one["error"]:
                    raise Unavailable(
                        f"The server at {self._client.url} knows no bucket {self._influx.bucket!r}. Create it"
                        " (InfluxDB 1: the database), or correct bucket below [influx]."
                    )
                raise Refused(str(one["error"]))
        return list(content["results"])


def _parse_cells(series: StoredSeries, answer: Mapping[str, Any]) -> Cells:
    """What an answer to SELECT * holds of a series. Raises ResponseTooLarge when it is not all of it."""
    found: Cells = {}
    for one in answer.get("series", []):
        if one.get("partial"):
            raise ResponseTooLarge("The server sent a part of what was asked for.")
        columns = dict(zip(one["columns"], zip(*one["values"], strict=True), strict=True))
        times = np.array(columns["time"], np.int64)
        for labels, rows in _group_rows(series.free_tags, columns, len(times)):
            for name, kind in TABLES[series.table].fields.items():
                if name not in columns:
                    continue
                values = np.array([columns[name][i] for i in rows.tolist()], dtype=object)
                known = np.array([v is not None for v in values], np.bool_)
                if known.any():
                    kept = values[known]
                    found[labels, name] = times[rows][known], kept if kind == TEXT else kept.astype(float)
    return found


def _group_rows(
    free: Sequence[str], columns: Mapping[str, Sequence[Any]], count: int
) -> Iterator[tuple[Labels, NDArray[np.int64]]]:
    if not free:
        yield (), np.arange(count, dtype=np.intp)
        return
    rows: dict[Labels, list[int]] = {}
    for i in range(count):
        labels = tuple((t, (columns[t][i] if t in columns else None) or "") for t in free)
        rows.setdefault(labels, []).append(i)
    for labels, these in rows.items():
        yield labels, np.array(these, np.int64)


def _tag_conditions(tags: Iterable[tuple[str, str]]) -> list[str]:
    return [f'"{name}" = {_single_quote(value)}' for name, value in tags]


def _time_conditions(start_us: int, end_us: int) -> list[str]:
    start, end = max(start_us, FIRST_US), min(end_us, LAST_US)
    return [f"time >= {start * 1000}", f"time < {end * 1000}"]


def _single_quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _double_quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _url_quote(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")


def _rfc3339(us: int) -> str:
    us = min(max(us, FIRST_US + 1_000_000), LAST_US - 1_000_000)
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)).isoformat().replace("+00:00", "Z")
