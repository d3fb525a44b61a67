"""Rows taken away from an InfluxDB, and looked for afterwards: what a server answers to a deletion proves nothing.

* 1.8 does it by InfluxQL.
* 2 documents its own API (https://docs.influxdata.com/influxdb/v2/write-data/delete-data/). A tag in its predicate never
  matches a row that lacks the tag, compared with '' neither (influxdb 2.7, tsdb/engine/tsm1/predicate.go, `Matches`), so it
  cannot name the rows of a Pi without a site and spare those of others; what reads '' as InfluxQL does can. Those go by
  InfluxQL, which 2 documents, too (https://docs.influxdata.com/influxdb/v2/query-data/influxql/manage-data/), and which
  has no say in the retention policy: it means the default one (v1/coordinator/statement_executor.go, `getDefaultRP`).
* 3 Core can do neither.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from ingest.language import N_, Text
from ingest.log import quoted
from ingest.rows.table import TABLES
from ingest.settings.model import InfluxSettings
from ingest.stores.influx.client import Refused, ServerClient, reading_response
from ingest.stores.influx.influxql_statements import (
    DELETION_TIMEOUT_S,
    FIRST_US,
    LAST_US,
    Statements,
    double_quote,
    tag_conditions,
    time_conditions,
    url_quote,
)
from ingest.stores.influx.marker import MARKER
from ingest.stores.influx.server import DELETION, Unfit
from ingest.stores.influx.unsupported import SUPPORTED

STATEMENTS = 50
"""Sent together at most."""

Tags = Sequence[tuple[str, str]]
Span = tuple[int, int]
"""First and last time in microseconds, both included."""

_Way = Callable[[str, Tags, Sequence[Span]], bool]


class Deletion:
    """Of rows of one bucket; `by_api` where the server has the API of version 2."""

    def __init__(
        self, client: ServerClient, influx: InfluxSettings, statements: Statements, *, by_api: bool
    ) -> None:
        self._client, self._influx, self._statements, self._by_api = client, influx, statements, by_api
        self._is_default: bool | None = None
        self._said_yes = False

    def delete(self, table: str, tags: Tags, spans: Sequence[Span]) -> bool:
        """Take away rows with all of these tags, '' for one that they lack; says whether they are gone."""
        for i in range(0, len(spans), STATEMENTS):
            some = spans[i : i + STATEMENTS]
            ways = [self._by_statements, self._by_the_api]
            if self._by_api and all(value for name, value in tags if name == "site"):
                ways.reverse()
            self._said_yes = False
            if not any(self._try(way, table, tags, some) for way in ways):
                return False
        return True

    def _try(self, way: _Way, table: str, tags: Tags, spans: Sequence[Span]) -> bool:
        said_yes = way(table, tags, spans)
        self._said_yes |= said_yes
        return said_yes and self._are_gone(table, tags, spans)

    def _are_gone(self, table: str, tags: Tags, spans: Sequence[Span]) -> bool:
        asked = [
            f"SELECT * FROM {double_quote(table)} WHERE "
            + " AND ".join([*tag_conditions(tags), *time_conditions(a, b + 1)])
            + " LIMIT 1"
            for a, b in spans
        ]
        with reading_response(self._client.url):
            return not any(answer.get("series") for answer in self._statements.ask(*asked))

    def _by_statements(self, table: str, tags: Tags, spans: Sequence[Span]) -> bool:
        """By InfluxQL; not where that would mean another bucket."""
        if not self._means_this_bucket():
            return False
        try:
            self._statements.delete(
                *(
                    f"DELETE FROM {double_quote(table)} WHERE "
                    + " AND ".join([*tag_conditions(tags), f"time >= {a * 1000}", f"time <= {b * 1000}"])
                    for a, b in spans
                )
            )
        except Refused:
            return False
        return True

    def _means_this_bucket(self) -> bool:
        """A bucket without `/` is read by the same default; of another it is asked."""
        if not self._statements.policy or not self._by_api:
            return True
        if self._is_default is None:
            with reading_response(self._client.url):
                self._is_default = self._statements.default_policy() == self._statements.policy
        return self._is_default

    def _by_the_api(self, table: str, tags: Tags, spans: Sequence[Span]) -> bool:
        """By the API of version 2; where others have a site only by a predicate that can never mean their rows."""
        if not self._by_api:
            return False
        is_beside_sites = ("site", "") in tags and self._has_rows_of_sites()
        named = [("_measurement", table), *(t for t in tags if t[1] or (t[0] == "site" and is_beside_sites))]
        what = " AND ".join(f"{name}={double_quote(value)}" for name, value in named)
        return all(self._post(what, first, last) for first, last in spans)

    def _post(self, what: str, first_us: int, last_us: int) -> bool:
        # Both ends are included (tsdb/store.go), whatever the documentation says of the second.
        told = {"start": _rfc3339(first_us, "000"), "stop": _rfc3339(last_us, "999"), "predicate": what}
        path = f"/api/v2/delete?org={url_quote(self._influx.org)}&bucket={url_quote(self._influx.bucket)}"
        response = self._client.request("POST", path, json=told, timeout_s=DELETION_TIMEOUT_S)
        if response.status == 204:
            return True
        is_unknown = response.status == 404 and not re.search(rb"bucket|organi[sz]ation", response.body)
        if is_unknown or response.status in {400, 405, 501}:
            return False
        raise self._client.explain_failure(response)

    def _has_rows_of_sites(self) -> bool:
        asked = [f'SELECT * FROM "{table}" WHERE "site" != \'\' LIMIT 1' for table in (*TABLES, MARKER)]
        with reading_response(self._client.url):
            return any(answer.get("series") for answer in self._statements.ask(*asked))

    def explain_impossible(self, title: str) -> Unfit:
        """What to tell the owner where rows must go and do not."""
        if self._by_api and not self._influx.site and not self._means_this_bucket():
            template = N_(
                "{title} at {url} cannot delete this Pi's rows in the bucket {bucket} without those of others, as they have"
                ' no site. Give this Pi a name, site = "..." below [influx], or a bucket without / in its name.'
            )
        elif self._said_yes:
            template = N_(
                "{title} at {url} says yes to deleting rows and goes on to show them, so that what changes would stay wrong"
                " there. That is none of the servers that hartslag can write to: {supported}."
            )
        else:
            template = N_(
                "{title} at {url} cannot delete rows. Empty the bucket {bucket} yourself (delete and create it), then try"
                " again."
            )
        bucket = quoted(self._influx.bucket)
        told = Text(template, title=title, url=self._client.url, bucket=bucket, supported=SUPPORTED)
        return Unfit(DELETION, told)


def _rfc3339(us: int, nanoseconds: str) -> str:
    us = min(max(us, FIRST_US + 1_000_000), LAST_US - 1_000_000)
    told = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
    return f"{told.replace(tzinfo=None).isoformat(timespec='microseconds')}{nanoseconds}Z"
