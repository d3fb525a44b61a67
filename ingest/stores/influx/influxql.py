"""InfluxDB as a server: what is held, taken away and marked there, by InfluxQL.

InfluxQL is what 1, 2 (by the mapping of a bucket's own name) and 3 have in common
(https://docs.influxdata.com/influxdb/v2/query-data/influxql/, https://docs.influxdata.com/influxdb3/core/reference/influxql/).
A point that is written again takes the place of the old one, field by field, so only what must vanish is deleted.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.errors import TryLater
from ingest.language import N_, Text
from ingest.log import quoted
from ingest.rows.table import TABLES, TEXT, Block
from ingest.settings.model import InfluxSettings
from ingest.stores.influx.cells import Cells, Digest, FieldColumn, FieldKey, Labels, StoredSeries, block_cells
from ingest.stores.influx.client import (
    BodyTooLarge,
    Refused,
    ResponseTooLarge,
    ServerClient,
    reading_response,
    with_its_words,
)
from ingest.stores.influx.deletion import Deletion
from ingest.stores.influx.influxql_statements import (
    FIRST_US,
    LAST_US,
    Statements,
    tag_conditions,
    time_conditions,
)
from ingest.stores.influx.lines import clean_tag, coarsest_precision, encode_lines
from ingest.stores.influx.marker import CANARY_US, MARKER, canary_line, marker_line
from ingest.stores.influx.server import DEDUPLICATION, RETENTION, Unfit
from ingest.stores.influx.unsupported import SUPPORTED
from ingest.system.crash_points import reached


class InfluxServer:
    """InfluxDB 1.8 (and its like), 2 or 3."""

    may_lose = False
    """It keeps what it said yes to in a log on disk: none of it was lost at a kill -9."""
    minute_delay_s = 0.0
    future_limit_s = math.inf
    overwrites = overwrites_lower = True

    def __init__(self, client: ServerClient, influx: InfluxSettings, version: str) -> None:
        self._client, self._influx = client, influx
        self.site = clean_tag(influx.site or "")
        self.title = f"InfluxDB {version}".strip()
        self._statements = Statements(client, influx, together=not self._is_version(3))
        # What does not tell its version is asked by both: it says which of them it knows.
        by_api = not self._is_version(1) and not self._is_version(3)
        self._deletion = Deletion(client, influx, self._statements, by_api=by_api)
        self._deletes = True

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
        where = " AND ".join(tag_conditions(series.tags) + time_conditions(start_us, end_us))
        with reading_response(self._client.url):
            (response,) = self._statements.ask(f'SELECT * FROM "{series.table}" WHERE {where}')
            return _parse_cells(series, response)

    def digest(self, series: StoredSeries, start_us: int, end_us: int) -> Digest | None:
        """Of each field that is there of a series in [start, end) how many, and their sum; None where it cannot say."""
        numbers = [name for name, kind in TABLES[series.table].fields.items() if kind != TEXT]
        asked = [f'count("{name}")' for name in TABLES[series.table].fields]
        asked += [f'sum("{name}")' for name in numbers]
        where = " AND ".join(tag_conditions(series.tags) + time_conditions(start_us, end_us))
        with reading_response(self._client.url):
            try:
                (response,) = self._statements.ask(
                    f'SELECT {", ".join(asked)} FROM "{series.table}" WHERE {where}'
                )
            except Refused:
                return None
            found = [n for one in response.get("series", []) for n in one["values"][0][1:]]
            counts = dict(zip(TABLES[series.table].fields, found, strict=False))
            sums = dict(zip(numbers, found[len(counts) :], strict=False))
            return {name: (int(n), float(sums.get(name) or 0)) for name, n in counts.items() if n}

    def count_rows(self, person: str, start_us: int, end_us: int) -> int | None:
        """How many values are there of a person in [start, end), in all tables; None where it cannot say."""
        tags = [("person", clean_tag(person)), ("site", self.site)]
        where = " AND ".join(tag_conditions(tags) + time_conditions(start_us, end_us))
        with reading_response(self._client.url):
            try:
                answers = self._statements.ask(*(f'SELECT count(*) FROM "{t}" WHERE {where}' for t in TABLES))
            except Refused:
                return None
            return sum(
                n or 0 for answer in answers for one in answer.get("series", []) for n in one["values"][0][1:]
            )

    def delete_ranges(self, series: StoredSeries, labels: Labels, spans: Sequence[tuple[int, int]]) -> bool:
        """Take away the rows in spans (first and last time, both included); says whether they are gone."""
        return self._deletes and self._deletion.delete(series.table, (*series.tags, *labels), spans)

    def read_field(self, series: StoredSeries, key: FieldKey, start_us: int, end_us: int) -> FieldColumn:
        """One field of a series in [start, end), in microseconds."""
        none: FieldColumn = (np.empty(0, np.int64), np.empty(0))
        return self.read_range(series, start_us, end_us).get(key, none)

    def delete_field(self, series: StoredSeries, key: FieldKey) -> None:
        """Delete all rows of a series with these labels, whichever field asked for it."""
        self.delete_ranges(series, key[0], [(FIRST_US, LAST_US)])

    def clear(self) -> None:
        """Take away all rows of this site, and its marker; rows of nobody are those of another program in the bucket."""
        for table in TABLES:
            for person in sorted(self._persons_in(table)):
                self._delete_all(table, (("person", person), ("site", self.site)))
            reached("store clearing")
        for journal in sorted(self.owners()):
            self._delete_all(MARKER, (("journal", journal), ("site", self.site)))

    def persons(self) -> set[str]:
        """The persons with rows of this site."""
        return {person for table in TABLES for person in self._persons_in(table)}

    def _persons_in(self, table: str) -> set[str]:
        where = " AND ".join(tag_conditions([("site", self.site)]))
        with reading_response(self._client.url):
            (answer,) = self._statements.ask(
                f'SELECT * FROM "{table}" WHERE {where} GROUP BY "person" LIMIT 1'
            )
            return {str(one["tags"]["person"]) for one in answer.get("series", [])} - {""}

    def keep_persons(self, names: Collection[str]) -> None:
        """Take away the rows of this site that are of nobody of these names."""
        kept = {clean_tag(name) for name in names}
        for table in TABLES:
            for person in sorted(self._persons_in(table) - kept):
                self._delete_all(table, (("person", person), ("site", self.site)))

    def _delete_all(self, table: str, tags: tuple[tuple[str, str], ...]) -> None:
        if self._is_version(3) or not self._deletion.delete(table, tags, [(FIRST_US, LAST_US)]):
            raise self._deletion.explain_impossible(self.title)

    def is_empty(self) -> bool:
        """Whether no row of this site is there."""
        where = " AND ".join([*tag_conditions([("site", self.site)]), "\"person\" != ''"])
        asked = [f'SELECT * FROM "{table}" WHERE {where} LIMIT 1' for table in TABLES]
        with reading_response(self._client.url):
            return not any(answer.get("series") for answer in self._statements.ask(*asked))

    # --- the marker ---

    def owners(self) -> set[str]:
        """The journals that this site's rows are of."""
        where = " AND ".join(tag_conditions([("site", self.site)]))
        with reading_response(self._client.url):
            (answer,) = self._statements.ask(
                f'SELECT "version" FROM "{MARKER}" WHERE {where} GROUP BY "journal"'
            )
            return {str(one["tags"]["journal"]) for one in answer.get("series", [])} - {""}

    def claim_ownership(self, journal: str) -> None:
        """Leave the marker, which is as old as any row may be. Raises TryLater when it does not stay, or nothing can go."""
        self._write_twice(marker_line(journal, self.site) + canary_line(self.site))
        if journal not in self.owners():
            raise self._explain_unshown()
        self._see_canary()

    def try_out(self) -> None:
        """See how it keeps rows, without a marker."""
        self._write_twice(canary_line(self.site))
        self._see_canary()

    def _see_canary(self) -> None:
        """See that it is there once, and have it go. Raises TryLater."""
        tags = [("site", self.site)]
        where = " AND ".join([*tag_conditions(tags), *time_conditions(CANARY_US, CANARY_US + 1)])
        with reading_response(self._client.url):
            (answer,) = self._statements.ask(f'SELECT "canary" FROM "{MARKER}" WHERE {where}')
            copies = sum(len(one["values"]) for one in answer.get("series", []))
        if not copies:
            raise self._explain_unshown()
        if copies > 1:
            told = N_(
                "{title} at {url} has a row {copies} times that was sent twice, as it does not write over a row. That is none"
                " of the servers that hartslag can write to: {supported}."
            )
            url = self._client.url
            raise Unfit(
                DEDUPLICATION, Text(told, title=self.title, url=url, copies=copies, supported=SUPPORTED)
            )
        self._deletes = not self._is_version(3) and self._deletion.delete(
            MARKER, tags, [(CANARY_US, CANARY_US)]
        )
        if not self._deletes and not self._is_version(3):
            raise self._deletion.explain_impossible(self.title)

    def _write_twice(self, lines: bytes) -> None:
        try:
            for _ in range(2):
                self._client.write_lines(lines, "s")
        except (Refused, BodyTooLarge) as e:
            raise self._retention_error(str(e)) from e

    def _explain_unshown(self) -> Unfit:
        """A row of 1990 was taken with a yes, and is not there."""
        # Version 2 refuses what is older than its retention; what it does not show may be in another bucket.
        leads_here = not self._is_version(2) or self._statements.keeps_for_some_time()
        return self._retention_error("") if leads_here else self._leads_elsewhere()

    def _leads_elsewhere(self) -> Unfit:
        """What it took and does not show is in another bucket."""
        return Unfit(
            RETENTION,
            Text(
                N_(
                    "{title} at {url} took a row for the bucket {bucket} and does not show it in the database {database}, as"
                    " a mapping leads to another bucket. Look for it with influx v1 dbrp list, and delete it or let it lead"
                    " here."
                ),
                title=self.title,
                url=self._client.url,
                bucket=quoted(self._influx.bucket),
                database=quoted(self._statements.database),
            ),
        )

    @property
    def deletes(self) -> bool:
        """Whether single rows can be taken away, by what became of the last one that was tried."""
        return self._deletes

    def _is_version(self, major: int) -> bool:
        return self.title.startswith(f"InfluxDB {major}.")

    def _retention_error(self, words: str) -> Unfit:
        told = Text(
            N_(
                "{title} at {url} does not keep old rows. Let the bucket {bucket} keep its data for ever, with retention 0"
                " (InfluxDB 1: ALTER RETENTION POLICY autogen ON {bucket} DURATION INF)."
            ),
            title=self.title,
            url=self._client.url,
            bucket=quoted(self._influx.bucket),
        )
        return Unfit(RETENTION, with_its_words(told, words))

    def explain_refusal(self, said: str, otherwise: TryLater) -> TryLater:
        """It says by itself what it will not have."""
        return self._retention_error(said) if "retention" in said else otherwise

    def sync_visibility(self) -> None:
        """Have what was written be there when asked for: always so here."""

    def sync_others(self) -> None:
        """Always so here, too."""

    def hasten_visibility(self) -> None:
        """And so it is here."""


def _parse_cells(series: StoredSeries, answer: Mapping[str, Any]) -> Cells:
    """What an answer to SELECT * holds of a series. Raises ResponseTooLarge when it is not all of it."""
    found: Cells = {}
    for one in answer.get("series", []):
        if one.get("partial"):
            raise ResponseTooLarge("The server sent a part of what was asked for.")
        columns = dict(zip(one["columns"], zip(*one["values"], strict=True), strict=True))
        times = np.array(columns["time"], np.int64)
        if times.ndim != 1:
            raise ValueError("its times are no numbers")
        for labels, rows in _group_rows(series.free_tags, columns, len(times)):
            for name, kind in TABLES[series.table].fields.items():
                if name not in columns:
                    continue
                values = np.empty(len(rows), dtype=object)
                values[:] = [columns[name][i] for i in rows.tolist()]
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
        labels = tuple((t, str((columns[t][i] if t in columns else None) or "")) for t in free)
        rows.setdefault(labels, []).append(i)
    for labels, these in rows.items():
        yield labels, np.array(these, np.int64)
