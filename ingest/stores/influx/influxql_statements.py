"""Statements of InfluxQL put to one bucket, and what an answer that is none means for the owner.

`/query` with the database and the retention policy as `db` and `rp`. Of a bucket of version 2 these are its mapping: the
name, or what stands before and behind the first `/` of it (influxdb 2.7, dbrp/service.go, `parseDBRP`); 1.8 takes the
`bucket` of its writes apart in the same way (services/httpd/handler.go, `serveWriteV2`).
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ingest.language import N_, Text
from ingest.log import quoted
from ingest.settings.model import InfluxSettings
from ingest.stores.influx.client import (
    MESSAGE_CHARACTERS,
    QUERY_TIMEOUT_S,
    BodyTooLarge,
    Refused,
    Response,
    ServerClient,
    Unavailable,
    with_its_words,
)
from ingest.stores.influx.marker import MARKER, canary_line
from ingest.stores.influx.unsupported import explain_unsupported

FIRST_US, LAST_US = -9_223_372_036_854_774, 9_223_372_036_854_774
"""The times that InfluxDB knows, whose own unit is the nanosecond."""

DELETION_TIMEOUT_S = 100.0
"""A deletion goes through all that a server holds; one that is told to end does not wait for it."""


class Statements:
    """What is asked of one bucket of one server."""

    def __init__(self, client: ServerClient, influx: InfluxSettings, *, together: bool = True) -> None:
        """`together`: whether one request may hold several; 3 Core takes one (influxdb3_server/src/http.rs)."""
        self._client, self._influx, self._together = client, influx, together
        self.database, _, self.policy = influx.bucket.partition("/")

    def ask(self, *statements: str) -> list[Mapping[str, Any]]:
        """The result of each statement. Raises Unavailable, or Refused when one cannot be done."""
        if not self._together and len(statements) > 1:
            return [result for statement in statements for result in self.ask(statement)]
        response = self._send(statements, QUERY_TIMEOUT_S)
        results = self._read(response)
        if results is None:
            raise self._client.explain_failure(response)
        if len(results) != len(statements):
            raise explain_unsupported(
                self._client, response, Text(N_("says nothing to a question in InfluxQL"))
            )
        return results

    def delete(self, *statements: str) -> None:
        """Have statements carried out that have no result. Raises Unavailable or Refused.

        Version 2 does what they say and answers `{}` (influxdb 2.7, v1/coordinator/statement_executor.go sends no result,
        and influxql/query/response.go leaves empty `results` out); so a yes says little, and who asked looks.
        """
        response = self._send(statements, DELETION_TIMEOUT_S)
        if response.status in {405, 501}:
            raise Refused(response.message)
        if self._read(response) is None and not (response.status == 200 and _parse(response) == {}):
            raise self._client.explain_failure(response)

    def default_policy(self) -> str | None:
        """The retention policy that a statement without one means; None where there is none."""
        (answer,) = self.ask(f"SHOW RETENTION POLICIES ON {double_quote(self.database)}")
        for one in answer.get("series", []):
            for row in one["values"]:
                told = dict(zip(one["columns"], row, strict=True))
                if told["default"]:
                    return str(told["name"])
        return None

    def _send(self, statements: Iterable[str], timeout_s: float) -> Response:
        fields = {"db": self.database, "epoch": "u", "q": ";".join(statements)}
        if self.policy:
            fields["rp"] = self.policy
        return self._client.request("POST", "/query", fields, timeout_s=timeout_s)

    def _read(self, response: Response) -> list[Mapping[str, Any]] | None:
        """The results; None where the answer has none."""
        content = _parse(response)
        results = content.get("results") if isinstance(content, dict) else None
        if not isinstance(results, list) or not all(isinstance(one, dict) for one in results):
            if response.status == 404 and re.search(rb"database|bucket", response.body, re.IGNORECASE):
                raise self._explain_missing(response.message)  # as 3 Core says it
            if response.status in {404, 405, 501}:
                raise explain_unsupported(self._client, response, Text(N_("cannot be asked in InfluxQL")))
            if response.status in {400, 422}:
                raise Refused(response.message)
            return None
        for one in results:
            if "error" in one:
                words = str(one["error"])[:MESSAGE_CHARACTERS]
                if "not found" in words or "policy not set" in words:
                    raise self._explain_missing(words)
                raise Refused(words)
        return results

    def _explain_missing(self, words: str) -> Unavailable:
        """Why a database is not found: there is no such bucket, it has no mapping, or the token may not read it.

        Version 2 says the same of all three. A row that is written tells the first apart, what a token is shown of
        its buckets the others.
        """
        try:
            self._client.write_lines(canary_line(self._influx.site or ""), "s")
        except Unavailable as e:
            return e  # it says what is missing
        except (Refused, BodyTooLarge) as e:
            words = f"{words}; {e}"
        names = {"url": self._client.url, "bucket": quoted(self._influx.bucket)}
        # 3 Core makes a database when it is written to.
        again = _parse(self._send([f'SELECT "canary" FROM "{MARKER}" LIMIT 1'], QUERY_TIMEOUT_S))
        if isinstance(again, dict) and not any(
            "error" in one for one in again.get("results") or [{"error": ""}]
        ):
            made = N_(
                "The server at {url} has made the database {bucket} just now; it is filled at the next try."
            )
            return Unavailable(Text(made, **names))
        if self._shown_buckets():
            told = Text(
                N_(
                    "The server at {url} has a bucket {bucket}, and nothing in InfluxQL that leads to it. Give it a mapping:"
                    " influx v1 dbrp create --bucket-id ID --db {database} --rp {policy} --default."
                ),
                **names,
                database=self.database,
                policy=self.policy or "autogen",
            )
        else:
            told = Text(
                N_(
                    "The server at {url} takes rows for the bucket {bucket} and does not show them, as the token may write"
                    " it, and not read it. Make a token that may do both."
                ),
                **names,
            )
        return Unavailable(with_its_words(told, words))

    def keeps_for_some_time(self) -> bool:
        """Whether the bucket is one of version 2 that is said to keep its rows for a while and no longer."""
        rules = [rule for bucket in self._shown_buckets() for rule in bucket.get("retentionRules") or []]
        return any(isinstance(rule, dict) and rule.get("everySeconds") for rule in rules)

    def _shown_buckets(self) -> list[dict[str, Any]]:
        """What the token is shown of the bucket by the API of version 2."""
        path = f"/api/v2/buckets?org={url_quote(self._influx.org)}&name={url_quote(self._influx.bucket)}"
        shown = self._client.request("GET", path)
        content = _parse(shown) if shown.status == 200 else None
        found = content.get("buckets") if isinstance(content, dict) else None
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _parse(response: Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def tag_conditions(tags: Iterable[tuple[str, str]]) -> list[str]:
    """Conditions by which rows have these tags; '' is for those that lack it."""
    return [f'"{name}" = {_single_quote(value)}' for name, value in tags]


def time_conditions(start_us: int, end_us: int) -> list[str]:
    """Conditions by which rows are of [start, end), in microseconds."""
    start, end = max(start_us, FIRST_US), min(end_us, LAST_US)
    return [f"time >= {start * 1000}", f"time < {end * 1000}"]


def _single_quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def double_quote(text: str) -> str:
    """A name, or a value in a predicate, as InfluxQL reads it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def url_quote(text: str) -> str:
    """A value within a query string."""
    from urllib.parse import quote

    return quote(text, safe="")
