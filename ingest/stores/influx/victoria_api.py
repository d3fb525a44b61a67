"""VictoriaMetrics asked: what series and values it holds, what they sum up to, and to delete some, at its paths.

A cluster has three of them behind one address (https://docs.victoriametrics.com/cluster-victoriametrics/#url-format);
with `http://.../insert/0/influx` the others are found by their names. With a storage away it answers with what the
others hold, and says `isPartial`, or 503: nothing is known then.
"""

import json
import time
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ingest.errors import TryLater
from ingest.language import N_, Text
from ingest.stores.influx.cells import FieldColumn
from ingest.stores.influx.client import (
    QUERY_TIMEOUT_S,
    Response,
    ResponseTooLarge,
    ServerClient,
    Unavailable,
    reading_response,
    with_its_words,
)
from ingest.stores.influx.cluster_address import OF_CLUSTER, ROUTES, explain_address, is_of_cluster
from ingest.stores.influx.server import DELETION, Unfit

FUTURE_MS = 2 * 86_400_000
"""It takes nothing that lies further ahead, and 1.122 finds nothing at all when asked for a time far ahead."""

FIRST_MS = 86_400_000
"""What is earlier is sent as of the second day of 1970: 0 is taken for "now", and the first day is lost in a deletion."""

FOREVER_US = 1 << 62


class VictoriaApi:
    """The paths of one server, alone or a cluster, for one site."""

    def __init__(self, client: ServerClient, site: str) -> None:
        self._client, self.site = client, site
        self._can_flush = True
        self.is_cluster = is_of_cluster(client.url)
        self._query_url = OF_CLUSTER.sub(r"/select/\1/prometheus", client.url)
        self._delete_url = OF_CLUSTER.sub(r"/delete/\1/prometheus", client.url)

    def flush(self) -> bool:
        """Have it show what was written, and say whether it does; one that never does is not asked again."""
        if not self._can_flush:
            return False
        status = self._client.request("GET", "/internal/force_flush", base=self._query_url).status
        self._can_flush = status == 200 or status >= 500
        return status == 200

    def _query(self, path: str, match: str, start_us: int = 0, end_us: int = FOREVER_US) -> Response:
        """`end_us` is not included."""
        last_ms = time.time_ns() // 1_000_000 + FUTURE_MS
        start_ms = min(max(-(-start_us // 1000), 1), last_ms)
        end_ms = min(max(-(-end_us // 1000) - 1, start_ms), last_ms)
        fields = {"match[]": match, "start": f"{start_ms / 1000:.3f}", "end": f"{end_ms / 1000:.3f}"}
        fields["deny_partial_response"] = "1"
        response = self._client.request("POST", path, fields, timeout_s=QUERY_TIMEOUT_S, base=self._query_url)
        if response.status in {400, 404, 405}:
            raise self.explain(response.message, self._client.explain_failure(response))
        if response.status == 503 and "vmstorage" in response.message:
            raise self._explain_partial()
        if response.status != 200:
            raise self._client.explain_failure(response)
        return response

    def explain(self, said: str, otherwise: TryLater) -> TryLater:
        """What to tell the owner of a refusal in these words: that the address is wrong, or `otherwise` where it is right."""
        return explain_address(self._client, self._query_url, self.site, said, otherwise)

    def export(self, match: str, start_us: int, end_us: int) -> Iterator[tuple[dict[str, str], FieldColumn]]:
        """All that is held of some series in [start, end), metric by metric. Raises ResponseTooLarge."""
        if end_us <= max(start_us, 1000):
            return
        # Without reduce_mem_usage: with it 1.79 now and then gives what is one metric's under the name of another.
        response = self._query("/api/v1/export", match, start_us, end_us)
        with reading_response(self._client.url):
            found = [_metric_and_column(one) for one in response.json_lines()]
        yield from found

    def find_series(self, match: str) -> list[dict[str, str]]:
        """The labels of some series; where they are too many to be told, that there are any."""
        try:
            with reading_response(self._client.url):
                return list(self.whole_answer("/api/v1/series", match))
        except ResponseTooLarge:
            return [{}]

    def whole_answer(self, path: str, match: str) -> Any:
        """What is said of series by all storages. Raises Unavailable when some were not there to be asked."""
        return self._whole(self._query(path, match))

    def _whole(self, response: Response) -> Any:
        said = response.json()
        if said.get("isPartial"):
            raise self._explain_partial()
        return said["data"]

    def _explain_partial(self) -> Unavailable:
        """What an answer means that is not of all storages, or would not be."""
        told = N_(
            "A part of VictoriaMetrics at {url} is away (a vmstorage does not answer vmselect). What it misses is kept and"
            " sent when all of it is back."
        )
        return Unavailable(Text(told, url=self._client.url))

    def sum_up(self, text: str, start_us: int, end_us: int) -> dict[str, float] | None:
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

    def delete(self, match: str) -> None:
        """Delete some series, all of them. Raises Unavailable when a part of it is away, Unfit when it does not do that."""
        path = "/api/v1/admin/tsdb/delete_series"
        response = self._client.request(
            "POST", path, {"match[]": match}, timeout_s=QUERY_TIMEOUT_S, base=self._delete_url
        )
        if response.status in {200, 204}:
            return
        if "deleteAuthKey" in response.message:
            wants_key = N_(
                "VictoriaMetrics at {url} takes rows and deletes none, as it wants a key for that. Start it without"
                " -deleteAuthKey"
            )
            raise Unfit(DELETION, Text(wants_key, url=self._client.url))
        if response.status in {400, 404, 405}:
            told = Text(
                N_(
                    "VictoriaMetrics at {url} takes rows and deletes none, as {path} leads nowhere. Of a cluster give vmauth"
                    " the routes {routes} (docs/servers.md shows its file)."
                ),
                url=self._client.url,
                path=path,
                routes=ROUTES,
            )
            raise Unfit(DELETION, with_its_words(told, response.message))
        raise self._client.explain_failure(response)


def _metric_and_column(one: Any) -> tuple[dict[str, str], FieldColumn]:
    """A line of an export. Raises what `reading_response` knows for a line that is none."""
    times, values = np.array(one["timestamps"], np.int64) * 1000, np.array(one["values"], float)
    if times.ndim != 1 or times.shape != values.shape:
        raise ValueError("its times and values are not as many")
    metric = {str(name): str(value) for name, value in one["metric"].items()}
    return {"__name__": metric["__name__"], **metric}, (times, values)


def fresh(exactly: Iterable[tuple[str, str]]) -> str:
    """A selector as it was never asked before: what one found is remembered for a second or two, also when it was nothing."""
    return selector([], exactly).removesuffix("}") + f',nobody!="{time.time_ns()}"}}'


def selector(like: Iterable[tuple[str, str]], exactly: Iterable[tuple[str, str]]) -> str:
    """What selects series: by patterns of labels, and by labels as they are."""
    parts = [f'{name}=~"{value}"' for name, value in like]
    parts += [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in exactly]
    return "{" + ",".join(parts) + "}"
