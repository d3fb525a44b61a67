"""An address of VictoriaMetrics at which rows can be written and not read, or the other way: said in words.

A cluster has a service for each: vminsert takes rows below /insert/, vmselect answers below /select/ and deletes below
/delete/ (https://docs.victoriametrics.com/cluster-victoriametrics/#url-format), and vmauth makes one address of them
(https://docs.victoriametrics.com/vmauth/). Whoever names one of the two alone, or leaves out the path, is told by what can
be done there, and not by a name: a proxy or vmagent may be in the same place.
"""

from urllib.parse import urlsplit

from ingest.errors import TryLater
from ingest.stores.influx.client import BodyTooLarge, Refused, ServerClient, Unavailable
from ingest.stores.influx.marker import canary_line

ROUTES = "/insert/ to vminsert, /select/ and /delete/ to vmselect"

_ASKED = "/api/v1/series?match[]=replica_canary&start=631152000&end=631152120"


def explain_address(
    client: ServerClient, query_url: str, site: str, said: str, otherwise: TryLater
) -> TryLater:
    """What to tell the owner of an answer that no VictoriaMetrics gives at the right address; `otherwise` where it is that.

    `said` are the server's own words.
    """
    writes, reads = _can_write(client, site), _can_read(client, query_url)
    root = urlsplit(client.url)
    address = f"{root.scheme}://{root.netloc}"
    in_front = (
        f"Of a cluster put vmauth in front, with the routes {ROUTES} (docs/servers.md shows its file), and write"
        ' url = "http://VMAUTH:8427/insert/0/influx" below [influx].'
        f" It says: {said}"
    )
    if writes and reads:
        return otherwise
    if writes:
        return Unavailable(
            f"At {client.url} rows can be written, and not read, as at vminsert alone. {in_front}"
        )
    if reads:
        return Unavailable(
            f"At {client.url} rows can be read, and not written, as at vmselect alone. {in_front}"
        )
    nothing = f"At {client.url} rows can neither be written nor read."
    if _can_read(client, f"{address}/select/0/prometheus"):
        return Unavailable(
            f'{nothing} It is a cluster: write url = "{address}/insert/0/influx" below [influx].'
        )
    if root.path and _can_read(client, address):
        return Unavailable(
            f'{nothing} It is a single VictoriaMetrics: write url = "{address}" below [influx].'
        )
    return Unavailable(
        f"{nothing} A single VictoriaMetrics has an address without a path, and a cluster one that ends in"
        f" /insert/0/influx. {in_front}"
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
