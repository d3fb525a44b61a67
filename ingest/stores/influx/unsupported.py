"""Servers that take rows as InfluxDB does, and are none that rows can be kept true on: told apart by what they do.

QuestDB 9 answers `/ping` with `X-Influxdb-Version: v2.7.4` and knows neither `/query` nor a deletion; GreptimeDB, vmagent
and Telegraf take the same lines. None of these is told by its name: it is only repeated where it gives one.
"""

import re

from ingest.log import quoted
from ingest.stores.influx.client import Response, ServerClient, Unavailable

SUPPORTED = "InfluxDB 1.8, 2 and 3 Core, and VictoriaMetrics"

_NAMES_OF_PROXIES = re.compile(
    r"(nginx|apache|caddy|traefik|envoy|haproxy|lighttpd|cloudflare|openresty)", re.IGNORECASE
)


def name_of(response: Response) -> str:
    """What a server calls itself in the header for that; '' where it says nothing, or a proxy speaks."""
    told = next((value for name, value in response.headers.items() if name.lower() == "server"), "").strip()
    return "" if _NAMES_OF_PROXIES.search(told) else quoted(told[:60])


def explain_unsupported(client: ServerClient, response: Response, seen: str) -> Unavailable:
    """What to tell the owner of a server that answered so; `seen` is the rest of a sentence about it."""
    name = name_of(response)
    called = f" It calls itself {name}." if name else ""
    return Unavailable(
        f"What answers at {client.url} {seen} (status {response.status}).{called} That is none of the servers that"
        f" hartslag can write to: {SUPPORTED}. Name one of these as url below [influx]; if it is one behind a proxy, the"
        " proxy must let all its paths pass."
    )
