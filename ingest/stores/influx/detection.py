"""Which kind of server answers at an address."""

import contextlib
import re

from ingest.language import N_, Text
from ingest.settings.model import InfluxSettings
from ingest.stores.influx.client import ServerClient
from ingest.stores.influx.cluster_address import is_of_cluster
from ingest.stores.influx.influxql import InfluxServer
from ingest.stores.influx.server import Server
from ingest.stores.influx.unsupported import explain_unsupported
from ingest.stores.influx.victoria import VictoriaServer


def detect_server(client: ServerClient, influx: InfluxSettings) -> Server:
    """The server as it introduces itself. Raises Unavailable."""
    ping = client.request("GET", "/ping")
    headers = {k.lower(): v for k, v in ping.headers.items()}
    if "x-influxdb-version" in headers or "x-influxdb-build" in headers:
        version = _as_version(headers.get("x-influxdb-version", ""))
        return InfluxServer(client, influx, version or _influxdb_version(client))
    if (
        "x-server-hostname" in headers  # which a proxy may take away
        or is_of_cluster(client.url)
        or client.request("GET", "/api/v1/status/buildinfo").status == 200
    ):
        return VictoriaServer(client, influx)
    if ping.status in {404, 405} or (ping.status == 400 and "HTTPS" not in ping.message):
        neither = Text(N_("answers neither as InfluxDB nor as VictoriaMetrics"))
        raise explain_unsupported(client, ping, neither)
    if ping.status not in {200, 204}:
        raise client.explain_failure(ping)
    return InfluxServer(client, influx, _influxdb_version(client))


def _influxdb_version(client: ServerClient) -> str:
    """The version that /health tells, as InfluxDB 2 and 3 have it; '' when it tells none."""
    with contextlib.suppress(ValueError, AttributeError):
        return _as_version(str(client.request("GET", "/health").json().get("version", "")))
    return ""


def _as_version(told: str) -> str:
    found = re.match(r"v?(\d[\w.+-]{0,30})", told)
    return found[1] if found else ""
