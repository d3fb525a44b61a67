"""What Grafana reads at its start: where a store is, and where its dashboards lie.

Grafana replaces $NAME, ${NAME} and $__file{PATH} in these files, and only in these, by what is in its environment or in a
file; $$ stands for a dollar sign (https://grafana.com/docs/grafana/latest/administration/provisioning/). So a token stays in
a file of Grafana's own and never stands here.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from ingest.grafana.influxql import InfluxQL
from ingest.grafana.promql import PromQL
from ingest.grafana.query import Json, Language
from ingest.grafana.sqlite import Sqlite

GRAFANA = PurePosixPath("/etc/grafana")
"""Where what we write is copied to."""

FOLDER = "hartslag"
"""Of the dashboards, there and in Grafana's own menu."""


@dataclass(frozen=True, slots=True)
class DataSource:
    """One store as a data source of Grafana. `name` is the last part of its identity: sqlite, influxdb, victoriametrics."""

    name: str
    title: str
    language: Language
    json_data: Mapping[str, Any]
    url: str = ""
    has_token: bool = False

    @property
    def uid(self) -> str:
        return f"hartslag-{self.name}"

    @property
    def token_file(self) -> PurePosixPath:
        """Where Grafana finds the token it may read with."""
        return GRAFANA / FOLDER / f"{self.name}.token"

    @property
    def folder(self) -> PurePosixPath:
        """Where Grafana finds the dashboards."""
        return GRAFANA / FOLDER / self.name


def sqlite(path: str) -> DataSource:
    """The embedded store, a file. Its reader waits for a moment when the daemon makes it anew or tidies up in it.

    A file that is not there stays so (https://sqlite.org/uri.html): made by Grafana it would be Grafana's own, and the
    daemon could never write it. Writing is asked for, as who may only read cannot make the index of SQLite's log.
    """
    json_data = {"path": path, "pathOptions": "mode=rw&_pragma=busy_timeout(5000)"}
    return DataSource("sqlite", "hartslag", Sqlite(), json_data)


def influxdb(url: str, bucket: str, *, has_token: bool, has_sites: bool) -> DataSource:
    """InfluxDB 1.8, 2 or 3: a bucket of 2 and 3 answers to InfluxQL by its own name, as a database of 1 does."""
    json_data = {"dbName": bucket, "httpMode": "GET", "version": "InfluxQL"}
    return DataSource(
        "influxdb", "hartslag (InfluxDB)", InfluxQL(has_sites=has_sites), json_data, url, has_token
    )


def victoriametrics(url: str, *, has_token: bool, has_sites: bool) -> DataSource:
    """VictoriaMetrics, which Grafana takes for Prometheus; `nocache` lets it show what has just come in.

    `url` is where is written to; a cluster is read from at another path
    (https://docs.victoriametrics.com/cluster-victoriametrics/#url-format).
    """
    url = re.sub(r"/insert/([0-9:]+)/influx$", r"/select/\1/prometheus", url)
    json_data = {
        "httpMode": "POST",
        "customQueryParameters": "nocache=1",
        "timeInterval": "1s",
        "prometheusType": "Prometheus",
        "manageAlerts": False,
    }
    language = PromQL(has_sites=has_sites)
    return DataSource("victoriametrics", "hartslag (VictoriaMetrics)", language, json_data, url, has_token)


def datasource_yaml(source: DataSource) -> str:
    """The file for provisioning/datasources."""
    one: Json = {
        "name": source.title,
        "uid": source.uid,
        "type": source.language.type,
        "access": "proxy",
        "editable": False,
        **({"url": source.url} if source.url else {}),
        "jsonData": dict(source.json_data),
    }
    if source.has_token:
        one["jsonData"]["httpHeaderName1"] = "Authorization"
    text = _yaml({"apiVersion": 1, "datasources": [_escape_dollars(one)]})
    if source.has_token:
        text += f'    secureJsonData:\n      httpHeaderValue1: "Token $__file{{{source.token_file}}}"\n'
    return text


def dashboards_yaml(source: DataSource) -> str:
    """The file for provisioning/dashboards."""
    one = {
        "name": source.uid,
        "type": "file",
        "folder": source.title,
        "folderUid": source.uid,
        "disableDeletion": False,
        "allowUiUpdates": False,
        "updateIntervalSeconds": 60,
        "options": {"path": str(source.folder)},
    }
    return _yaml({"apiVersion": 1, "providers": [_escape_dollars(one)]})


def _escape_dollars(value: Any) -> Any:
    """With every dollar sign standing for itself."""
    if isinstance(value, dict):
        return {key: _escape_dollars(each) for key, each in value.items()}
    return value.replace("$", "$$") if isinstance(value, str) else value


def _yaml(content: Mapping[str, Any]) -> str:
    """YAML whose texts are in double quotes, as JSON writes them."""
    lines = []
    for key, value in content.items():
        if isinstance(value, list):
            lines.append(f"{key}:")
            for each in value:
                inner = list(_yaml_mapping(each, "    "))
                lines += [f"  - {inner[0].lstrip()}", *inner[1:]]
        else:
            lines.append(f"{key}: {json.dumps(value)}")
    return "\n".join(lines) + "\n"


def _yaml_mapping(content: Mapping[str, Any], indent: str) -> list[str]:
    lines = []
    for key, value in content.items():
        if isinstance(value, Mapping):
            lines += [f"{indent}{key}:", *_yaml_mapping(value, indent + "  ")]
        else:
            lines.append(f"{indent}{key}: {json.dumps(value, ensure_ascii=False)}")
    return lines
