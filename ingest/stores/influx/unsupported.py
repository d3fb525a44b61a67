"""Servers that take rows as InfluxDB does, and are none that rows can be kept true on: told apart by what they do.

QuestDB 9 answers `/ping` with `X-Influxdb-Version: v2.7.4` and knows neither `/query` nor a deletion; GreptimeDB, vmagent
and Telegraf take the same lines. None of these is told by its name: it is only repeated where it gives one.
"""

import re
from urllib.parse import urlsplit

from ingest.language import N_, Text, joined
from ingest.log import quoted
from ingest.stores.influx.client import Response, ServerClient, Unavailable

SUPPORTED = Text(N_("InfluxDB 1.8, 2 and 3 Core, and VictoriaMetrics"))

_NAMES_OF_PROXIES = re.compile(
    r"(nginx|apache|caddy|traefik|envoy|haproxy|lighttpd|cloudflare|openresty)", re.IGNORECASE
)


def name_of(response: Response) -> str:
    """What a server calls itself in the header for that; '' where it says nothing, or a proxy speaks."""
    told = next((value for name, value in response.headers.items() if name.lower() == "server"), "").strip()
    return "" if not told or _NAMES_OF_PROXIES.search(told) else quoted(told[:60])


def explain_unsupported(client: ServerClient, response: Response, seen: Text) -> Unavailable:
    """What to tell the owner of a server that answered so; `seen` is the rest of a sentence about it."""
    parts = [
        Text(
            N_("What answers at {url} {seen} (status {status})."),
            url=client.url,
            seen=seen,
            status=response.status,
        )
    ]
    if name := name_of(response):
        parts.append(Text(N_("It calls itself {name}."), name=name))
    root = urlsplit(client.url)
    address = f"{root.scheme}://{root.netloc}"
    if root.path and _is_influxdb(client, address):
        right = N_('InfluxDB has no path in its address: write url = "{address}" below [influx].')
        parts.append(Text(right, address=address))
    else:
        parts.append(
            Text(
                N_(
                    "That is none of the servers that hartslag can write to: {supported}. Name one of these as url below"
                    " [influx]; if it is one behind a proxy, the proxy must let all its paths pass."
                ),
                supported=SUPPORTED,
            )
        )
    return Unavailable(joined(parts, " "))


def _is_influxdb(client: ServerClient, address: str) -> bool:
    """Whether one answers there that can be asked in InfluxQL."""
    try:
        fields = {"q": "SHOW DATABASES"}
        told = client.request("POST", "/query", fields, base=address)
        return told.status == 401 or (told.status == 200 and "results" in told.json())
    except (Unavailable, ValueError, TypeError):
        return False
