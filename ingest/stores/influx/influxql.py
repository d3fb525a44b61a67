"""InfluxDB as a server: what is held, taken away and marked there, by InfluxQL.

InfluxQL is what 1, 2 (by the mapping of a bucket's own name) and 3 have in common
(https://docs.influxdata.com/influxdb/v2/query-data/influxql/, https://docs.influxdata.com/influxdb3/core/reference/influxql/).
A point that is written again takes the place of the old one, field by field, so only what must vanish is deleted.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.errors import TryLater
from ingest.rows.table import TABLES, TEXT, Block
from ingest.settings.model import Influx
from ingest.stores.influx.cells import Cells, Column, Key, Labels, Series, cells_of
from ingest.stores.influx.lines import lines, tag_text, unit_of
from ingest.stores.influx.wire import PATIENCE_S, Away, Refused, TooLarge, TooMuch, Wire, understood
from ingest.system.crash_points import reached

FIRST_US, LAST_US = -9_223_372_036_854_774, 9_223_372_036_854_774
"""The times that InfluxDB knows, whose own unit is the nanosecond."""

STATEMENTS = 50
"""Sent together at most."""

MARKER = "replica"
MARKED_US = 631_152_000_000_000
"""1990-01-01: as old as a sample in a file of a watch can be. A server that forgets old data forgets the marker."""


class InfluxServer:
    """InfluxDB 1.8 (and its like), 2 or 3."""

    lag_s = 0.0
    """It keeps what it said yes to in a log on disk: none of it was lost at a kill -9."""
    settles_s = 0.0
    future_s = math.inf
    replaces = raises = True

    def __init__(self, wire: Wire, influx: Influx, version: str) -> None:
        self._wire, self._influx = wire, influx
        self.site = tag_text(influx.site or "")
        self.title = f"InfluxDB {version}".strip()

    def fitted(self, block: Block) -> Block:
        """The block with times that the server can tell apart."""
        return block

    def bodies(self, block: Block) -> Iterator[tuple[bytes, str]]:
        """(Lines, unit) of the rows of a block."""
        unit = unit_of(block.time_us)
        tags = {**block.tags, "site": self.site}
        kinds = TABLES[block.table].fields
        for body in lines(block.table, tags, block.time_us, block.fields, kinds, block.labels, unit=unit):
            yield body, unit

    def cells(self, block: Block) -> Cells:
        """Each field of a row by itself."""
        return cells_of(block)

    def held(self, series: Series, start_us: int, end_us: int) -> Cells:
        """What is there of a series in [start, end). Raises TooMuch when that is more than is read at once."""
        where = " AND ".join(self._where(series.tags) + _between(start_us, end_us))
        with understood(self._wire.url):
            (answer,) = self._query(f'SELECT * FROM "{series.table}" WHERE {where}')
            return self._cells(series, answer)

    def _cells(self, series: Series, answer: Mapping[str, Any]) -> Cells:
        found: Cells = {}
        for one in answer.get("series", []):
            if one.get("partial"):
                raise TooMuch
            columns = dict(zip(one["columns"], zip(*one["values"], strict=True), strict=True))
            times = np.array(columns["time"], np.int64)
            for labels, rows in _grouped(series.free, columns, len(times)):
                for name, kind in TABLES[series.table].fields.items():
                    if name not in columns:
                        continue
                    values = np.array([columns[name][i] for i in rows.tolist()], dtype=object)
                    known = np.array([v is not None for v in values], np.bool_)
                    if known.any():
                        kept = values[known]
                        found[labels, name] = times[rows][known], kept if kind == TEXT else kept.astype(float)
        return found

    def erase(self, series: Series, labels: Labels, spans: Sequence[tuple[int, int]]) -> bool:
        """Take away the rows in spans (first and last time, both included); says whether that can be done."""
        tags = (*series.tags, *labels)
        for i in range(0, len(spans), STATEMENTS):
            text = ";".join(
                f'DELETE FROM "{series.table}" WHERE '
                + " AND ".join([*self._where(tags), f"time >= {a * 1000}", f"time <= {b * 1000}"])
                for a, b in spans[i : i + STATEMENTS]
            )
            try:
                self._query(text)
            except Refused:
                if not all(self._delete(series.table, tags, a, b) for a, b in spans[i : i + STATEMENTS]):
                    return False
        return True

    def _delete(self, table: str, tags: Iterable[tuple[str, str]], first_us: int, last_us: int) -> bool:
        """The same by the API of version 2 (https://docs.influxdata.com/influxdb/v2/write-data/delete-data/)."""
        what = " AND ".join([f"_measurement={_quoted(table)}", *(f"{k}={_quoted(v)}" for k, v in tags if v)])
        answer = self._wire.ask(
            "POST",
            f"/api/v2/delete?org={_path(self._influx.org)}&bucket={_path(self._influx.bucket)}",
            json={"start": _moment(first_us), "stop": _moment(last_us + 1), "predicate": what},
            patience_s=PATIENCE_S,
        )
        if answer.status in {400, 404, 405, 501}:
            return False
        if answer.status != 204:
            raise self._wire.trouble(answer)
        return True

    def column(self, series: Series, key: Key, start_us: int, end_us: int) -> Column:
        none: Column = (np.empty(0, np.int64), np.empty(0))
        return self.held(series, start_us, end_us).get(key, none)

    def forget(self, series: Series, key: Key) -> None:
        self.erase(series, key[0], [(FIRST_US, LAST_US)])

    def clear(self) -> None:
        """Take away all rows of this site, and its marker."""
        for table in (*TABLES, MARKER):
            series = Series(table, (("site", self.site),))
            if not self.erase(series, (), [(FIRST_US, LAST_US)]):
                raise TryLater(
                    f"{self.title} at {self._wire.url} cannot delete rows. Empty the bucket"
                    f" {self._influx.bucket!r} yourself (delete and create it), then try again."
                )
            reached("store clearing")

    def is_empty(self) -> bool:
        """Whether no row of this site is there."""
        where = " AND ".join(self._where([("site", self.site)]))
        asked = [f'SELECT * FROM "{table}" WHERE {where} LIMIT 1' for table in TABLES]
        with understood(self._wire.url):
            return not any(answer.get("series") for answer in self._query(";".join(asked)))

    # --- the marker ---

    def markers(self) -> set[str]:
        """The journals that this site's rows are of."""
        where = " AND ".join(self._where([("site", self.site)]))
        with understood(self._wire.url):
            (answer,) = self._query(f'SELECT "version" FROM "{MARKER}" WHERE {where} GROUP BY "journal"')
            return {one["tags"]["journal"] for one in answer.get("series", [])}

    def mark(self, journal: str) -> None:
        """Leave the marker, which is as old as any row may be. Raises TryLater when it does not stay."""
        try:
            self._wire.post(marker(journal, self.site), "s")
        except (Refused, TooLarge) as e:
            raise self._short(str(e)) from e
        if journal not in self.markers():
            raise self._short("it is not there when asked for")

    def _short(self, words: str) -> TryLater:
        return TryLater(
            f"{self.title} at {self._wire.url} does not keep old rows ({words}). Let the bucket"
            f" {self._influx.bucket!r} keep its data for ever: retention 0 (InfluxDB 1: ALTER RETENTION POLICY autogen"
            f' ON "{self._influx.bucket}" DURATION INF).'
        )

    def flush(self) -> None:
        """Have what was written be there when asked for: always so here."""

    def show(self) -> None:
        """Always so here, too."""

    def born(self) -> str:
        """What is another after the server was started anew; of no matter here."""
        return ""

    # --- within ---

    def _where(self, tags: Iterable[tuple[str, str]]) -> list[str]:
        return [f'"{name}" = {_literal(value)}' for name, value in tags]

    def _query(self, text: str) -> list[Mapping[str, Any]]:
        """The results of statements. Raises Away, or Refused when one cannot be done."""
        fields = {"db": self._influx.bucket, "epoch": "u", "q": text}
        answer = self._wire.ask("POST", "/query", fields, patience_s=PATIENCE_S)
        try:
            told = json.loads(answer.body)
        except ValueError:
            told = {}
        if not isinstance(told, dict) or not isinstance(told.get("results"), list):
            if answer.status in {400, 405, 422, 501}:
                raise Refused(answer.words)
            raise self._wire.trouble(answer)
        for one in told["results"]:
            if "error" in one:
                if "not found" in one["error"]:
                    raise Away(
                        f"The server at {self._wire.url} knows no bucket {self._influx.bucket!r}. Create it"
                        " (InfluxDB 1: the database), or correct bucket below [influx]."
                    )
                raise Refused(str(one["error"]))
        return list(told["results"])


def marker(journal: str, site: str) -> bytes:
    """The line that says whose rows these are."""
    (body,) = lines(
        MARKER,
        {"journal": journal, "site": site},
        np.array([MARKED_US]),
        {"version": [1.0]},
        {"version": "REAL"},
    )
    return body


def _grouped(
    free: Sequence[str], columns: Mapping[str, Sequence[Any]], count: int
) -> Iterator[tuple[Labels, NDArray[np.int64]]]:
    if not free:
        yield (), np.arange(count)
        return
    rows: dict[Labels, list[int]] = {}
    for i in range(count):
        labels = tuple((t, (columns[t][i] if t in columns else None) or "") for t in free)
        rows.setdefault(labels, []).append(i)
    for labels, these in rows.items():
        yield labels, np.array(these, np.int64)


def _between(start_us: int, end_us: int) -> list[str]:
    start, end = max(start_us, FIRST_US), min(end_us, LAST_US)
    return [f"time >= {start * 1000}", f"time < {end * 1000}"]


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _path(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")


def _moment(us: int) -> str:
    us = min(max(us, FIRST_US + 1_000_000), LAST_US - 1_000_000)
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)).isoformat().replace("+00:00", "Z")
