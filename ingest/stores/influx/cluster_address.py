"""An address of VictoriaMetrics at which rows can be written and not read, or the other way: said in words.

A cluster has a service for each: vminsert takes rows below /insert/, vmselect answers below /select/ and deletes below
/delete/ (https://docs.victoriametrics.com/cluster-victoriametrics/#url-format), and vmauth makes one address of them
(https://docs.victoriametrics.com/vmauth/). Whoever names one of the two alone, or leaves out the path, is told by what can
be done there, and not by a name: a proxy or vmagent may be in the same place.
"""

import re
from urllib.parse import urlsplit

from ingest.errors import TryLater
from ingest.language import N_, Text, joined
from ingest.stores.influx.client import (
    BodyTooLarge,
    Refused,
    ServerClient,
    Unavailable,
    with_its_words,
)
from ingest.stores.influx.marker import canary_line

ROUTES = Text(N_("/insert/ to vminsert, /select/ and /delete/ to vmselect"))

_ASKED = "/api/v1/series?match[]=replica_canary&start=631152000&end=631152120"


OF_CLUSTER = re.compile(r"/insert/([0-9:]+)/influx$")
"""How an address ends below which a cluster takes rows; the number is that of a tenant."""


def is_of_cluster(url: str) -> bool:
    """Whether an address is one of a cluster, by its path."""
    return OF_CLUSTER.search(url) is not None


def explain_address(
    client: ServerClient, query_url: str, site: str, said: str, otherwise: TryLater
) -> TryLater:
    """What to tell the owner of an answer that no VictoriaMetrics gives at the right address; `otherwise` where it is that.

    `said` are the server's own words.
    """
    writes, reads = _can_write(client, site), _can_read(client, query_url)
    root = urlsplit(client.url)
    address = f"{root.scheme}://{root.netloc}"

    def told(template: str, *more: str) -> Unavailable:
        what = Text(template, url=client.url, address=address)
        return Unavailable(with_its_words(joined([what, *more], " "), said if more else ""))

    in_front = Text(
        N_(
            "Of a cluster put vmauth in front, with the routes {routes} (docs/servers.md shows its file), and write"
            ' url = "http://VMAUTH:8427/insert/0/influx" below [influx].'
        ),
        routes=ROUTES,
    )
    if writes and reads:
        return otherwise
    if writes:
        return told(N_("At {url} rows can be written, and not read, as at vminsert alone."), in_front)
    if reads:
        return told(N_("At {url} rows can be read, and not written, as at vmselect alone."), in_front)
    if _can_read(client, f"{address}/select/0/prometheus"):
        return told(
            N_(
                "At {url} rows can neither be written nor read. It is a cluster; write"
                ' url = "{address}/insert/0/influx" below [influx].'
            )
        )
    if root.path and _can_read(client, address):
        return told(
            N_(
                "At {url} rows can neither be written nor read. It is a single VictoriaMetrics; write"
                ' url = "{address}" below [influx].'
            )
        )
    return told(
        N_(
            "At {url} rows can neither be written nor read. A single VictoriaMetrics has an address without a path, and a"
            " cluster one that ends in /insert/0/influx."
        ),
        in_front,
    )


def _can_write(client: ServerClient, site: str) -> bool:
    try:
        client.write_lines(canary_line(site), "s")
    except (Refused, BodyTooLarge, Unavailable):
        return False
    return True


def _can_read(client: ServerClient, query_url: str) -> bool:
    try:
        told = client.request("GET", _ASKED, base=query_url)
        return told.status == 200 and told.json()["status"] == "success"
    except (Unavailable, ValueError, KeyError, TypeError):
        return False
