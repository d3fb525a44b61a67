"""InfluxDB 2 as its sources say that it answers, on the engine of 1.8.3: the two read and keep rows by the same code.

Held against influxdb v2.7.12 (https://github.com/influxdata/influxdb, paths below are in it) and its documentation:

Answers of a 2.7.12 that was built from there (its Flux left out) were compared with these.

* Tokens: http/authentication_middleware.go, http/legacy/influx1x_authentication_handler.go: 401 "unauthorized access".
* Writes: http/write_handler.go: 404 for an organisation or a bucket that the token is not shown, 403 "insufficient
  permissions for write", 422 with "outside retention policy" (http/write_handler.go, tsdb/shard.go).
* Mapping (DBRP): dbrp/service.go, `parseDBRP` and `bucketToMapping`: "a/b" is database a and policy b, and never the default
  of a; another name has the policy autogen, by default. What the token may not read is not there: "database not found".
* InfluxQL's DELETE: v1/coordinator/statement_executor.go: in the bucket of the *default* policy, whatever `rp` says, and
  without a result; influxql/query/response.go leaves an empty list of results out: `200 {}`.
* /api/v2/delete: http/delete_handler.go: 204, both ends of the time included (storage/engine.go), no OR, and
  tsdb/engine/tsm1/predicate.go, `Matches`: a tag that a row lacks matches nothing, not even ''.
"""

import json
import re
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlencode

from tests.support.fake_server import WRITE, FakeServer, Request, Said
from tests.support.servers import InfluxDB

IS_INFLUX_2 = {"X-Influxdb-Version": "v2.7.12", "X-Influxdb-Build": "OSS"}

_TAG = re.compile(r'\s*"?(\w+)"?\s*=\s*"((?:\\.|[^"\\])*)"\s*')


class InfluxDB2(FakeServer):
    """One organisation with buckets; `rights` are those of the token, "read" and "write"."""

    def __init__(self, folder: Path, bucket: str = "hartslag") -> None:
        self.engine = InfluxDB(folder)
        super().__init__(self.engine)
        self.org = "hartslag"
        self.buckets = {bucket: "hartslag"}
        """Each with the database of the engine that stands for it."""
        self.bucket = bucket
        self.rights = {"read", "write"}
        self.elsewhere = False
        """Whether a mapping of the bucket's name leads to another bucket."""
        self.is_mapped = True
        """Whether buckets have a mapping; by themselves they do so since 2.3."""
        self.keeps_for_ever = True
        self.says_so = True
        """Whether it says no to what it does not keep."""
        self.reads_empty_tags = False
        """Whether a predicate with an empty tag means the rows that lack it; 2.7.12 means none by it."""
        self.obeys = True
        """Whether it deletes what it says that it has deleted."""

    def __enter__(self) -> Self:
        self.engine.start()
        return super().__enter__()

    def __exit__(self, *why: object) -> None:
        super().__exit__(*why)
        self.engine.kill()

    # --- its lives ---

    def start(self) -> Self:
        """Start again on the same data."""
        self.engine.start()
        self._open()
        return self

    def kill(self) -> None:
        """As a power cut ends it."""
        self._close()
        self.engine.kill()

    def stop(self) -> None:
        """As its owner ends it."""
        self._close()
        self.engine.stop()

    def lost(self) -> None:
        """Killed, and all its data with it; `start` begins with nothing."""
        self._close()
        self.engine.lost()

    def hung(self) -> AbstractContextManager[None]:
        """It takes connections and answers nothing that its engine is asked."""
        return self.engine.hung()

    def flush(self) -> None:
        """It shows what it has taken."""

    def add_bucket(self, name: str) -> None:
        database = f"b{len(self.buckets)}"
        self.engine.query(f'CREATE DATABASE "{database}"')
        self.buckets[name] = database

    def rows(self, measurement: str) -> list[dict[str, Any]]:
        """Every point of a measurement in the bucket."""
        found = self.engine.query(f'SELECT * FROM "{self.buckets[self.bucket]}"."autogen"."{measurement}"')
        return [dict(zip(s["columns"], row, strict=True)) for s in found for row in s["values"]]

    def serve(self, request: Request) -> Said:
        if request.path == "/ping":
            return 204, IS_INFLUX_2, b""
        if request.path == "/health":
            return _json(200, {"name": "influxdb", "status": "pass", "version": "v2.7.12"})
        if self.token is not None and request.headers.get("Authorization") != f"Token {self.token}":
            by_influxql = request.path == "/query"
            return _error(401, "unauthorized", "Unauthorized" if by_influxql else "unauthorized access")
        answers = {
            WRITE: self._write,
            "/query": self._query,
            "/api/v2/delete": self._delete,
            "/api/v2/buckets": self._list,
        }
        return answers.get(request.path, _nothing)(request)

    def _found(self, request: Request) -> Said | None:
        """What is wrong with the organisation or the bucket that is asked for."""
        org, bucket = request.asked.get("org", ""), request.asked.get("bucket", "")
        if org != self.org:
            return _error(404, "not found", f'organization name "{org}" not found')
        if bucket not in self.buckets:
            return _error(404, "not found", f'bucket "{bucket}" not found')
        return None

    def _write(self, request: Request) -> Said:
        if wrong := self._found(request):
            return wrong
        if "write" not in self.rights:
            return _error(403, "forbidden", "insufficient permissions for write")
        if not self.keeps_for_ever and not self.says_so:
            return 204, IS_INFLUX_2, b""
        if not self.keeps_for_ever:
            why = (
                "failure writing points to database: partial write: points beyond retention policy dropped=1"
            )
            return _error(422, "unprocessable entity", why)
        asked = {**request.asked, "bucket": self.buckets[request.asked["bucket"]]}
        status, said, body = self._take(
            Request(**{**vars(request), "headers": {**request.headers, "X-Query": urlencode(asked)}})
        )
        return status, {**said, **IS_INFLUX_2}, body

    # --- InfluxQL ---

    def _query(self, request: Request) -> Said:
        told = {**request.asked, **{k: v[-1] for k, v in parse_qs(request.body.decode()).items()}}
        database, policy, text = told.get("db", ""), told.get("rp", ""), told["q"].strip()
        mappings = self._mappings(database)
        if text.upper().startswith("DELETE"):
            return self._delete_by_statement(database, mappings, text)
        if text.upper().startswith("SHOW RETENTION"):
            columns = ["name", "duration", "shardGroupDuration", "replicaN", "default"]
            rows = [[rp, "0s", "168h0m0s", 1, default] for rp, (_, default) in mappings.items()]
            return _results({"series": [{"columns": columns, "values": rows}]})
        if not mappings:
            return _results({"error": f"database not found: {database}"})
        wanted = policy or next((rp for rp, (_, default) in mappings.items() if default), "")
        if not wanted:
            return _results({"error": f"default retention policy not set for: {database}"})
        if wanted not in mappings:
            return _results({"error": f"retention policy not found: {wanted}"})
        form = {"db": self.buckets[mappings[wanted][0]], "epoch": told.get("epoch", ""), "q": text}
        return self._ask_engine(form)

    def _mappings(self, database: str) -> dict[str, tuple[str, bool]]:
        """By policy: the bucket, and whether it is the default one."""
        found = {}
        for name in self.buckets if self.is_mapped and "read" in self.rights else ():
            db, slash, rp = name.partition("/")
            if db == database:
                found[rp if slash else "autogen"] = (name, not slash and not self.elsewhere)
        if self.elsewhere:
            found["x"] = (next(name for name in self.buckets if name != self.bucket), True)
        return found

    def _delete_by_statement(self, database: str, mappings: dict[str, tuple[str, bool]], text: str) -> Said:
        bucket = next((name for name, default in mappings.values() if default), None)
        if bucket is None:
            return _results({"error": f"default retention policy not set for: {database}"})
        if "write" not in self.rights:
            return _results({"error": "insufficient permissions"})
        if self.obeys:
            status, _, body = self._ask_engine({"db": self.buckets[bucket], "q": text})
            if b'"error"' in body:
                return status, IS_INFLUX_2, body
        return _json(200, {})

    def _ask_engine(self, form: dict[str, str]) -> Said:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        status, body = self.engine.ask("POST", "/query", urlencode(form).encode(), kind)
        return status, {**IS_INFLUX_2, "Content-Type": "application/json"}, body

    # --- its own API ---

    def _delete(self, request: Request) -> Said:
        told = json.loads(request.body)
        tags = []
        for part in re.split(r"\s+[aA][nN][dD]\s+(?=\"?\w+\"?\s*=)", told["predicate"]):
            found = _TAG.fullmatch(part)
            if not found:
                return _error(400, "invalid", "bad logical expression, at position 0")
            tags.append((found[1], re.sub(r'\\(["\\])', r"\1", found[2])))
        if wrong := self._found(request):
            return wrong
        if "write" not in self.rights:
            return _error(403, "forbidden", "insufficient permissions to delete")
        if self.obeys and (self.reads_empty_tags or all(value for _, value in tags)):
            self._delete_rows(self.buckets[request.asked["bucket"]], tags, told)
        return 204, IS_INFLUX_2, b""

    def _delete_rows(self, database: str, tags: list[tuple[str, str]], told: dict[str, str]) -> None:
        measurement = next(value for name, value in tags if name == "_measurement")
        where = [f"time >= {_nanoseconds(told['start'])}", f"time <= {_nanoseconds(told['stop'])}"]
        for name, value in tags:
            if name != "_measurement":
                escaped = value.replace("\\", "\\\\").replace("'", "\\'")
                where.append(f"\"{name}\" = '{escaped}'")
        self._ask_engine({"db": database, "q": f'DELETE FROM "{measurement}" WHERE {" AND ".join(where)}'})

    def _list(self, request: Request) -> Said:
        name = request.asked.get("name", "")
        if name not in self.buckets or "read" not in self.rights:
            return _error(404, "not found", f'bucket "{name}" not found')
        rule = {"type": "expire", "everySeconds": 0 if self.keeps_for_ever else 2_592_000}
        return _json(200, {"buckets": [{"id": "0" * 16, "name": name, "retentionRules": [rule]}]})


def _nanoseconds(moment: str) -> int:
    seconds, _, fraction = moment.removesuffix("Z").partition(".")
    whole = round(
        (
            datetime.fromisoformat(seconds).replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
        ).total_seconds()
    )
    return whole * 1_000_000_000 + int(fraction.ljust(9, "0")[:9] or 0)


def _json(status: int, content: Any) -> Said:
    return status, {**IS_INFLUX_2, "Content-Type": "application/json"}, json.dumps(content).encode()


def _error(status: int, code: str, message: str) -> Said:
    return _json(status, {"code": code, "message": message})


def _results(result: dict[str, Any]) -> Said:
    return _json(200, {"results": [{"statement_id": 0, **result}]})


def _nothing(_: Request) -> Said:
    return _error(404, "not found", "path not found")
