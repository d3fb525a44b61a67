"""What Grafana does between a dashboard and a store: fills in variables and times, asks, and makes frames of the answers.

Only as much of it as our dashboards use, each part as the sources of Grafana 11 and of the plugin frser-sqlite-datasource 4
have it. The plugin itself cannot be asked: the proxy of Go's modules does not hand its module out (status 403).
"""

import json
import math
import re
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from ingest.grafana.provisioning import sqlite
from tests.support.grafana_frames import Column, Frame, Json
from tests.support.grafana_transformations import transformed
from tests.support.servers import InfluxDB, VictoriaMetrics

__all__ = ["Column", "Frame", "Json", "Looking", "NoRowsError", "Store", "drawn", "offered"]


@dataclass(frozen=True)
class Looking:
    """What is picked above a dashboard: the times in ms, and the variables."""

    from_ms: int
    to_ms: int
    variables: Mapping[str, str] = field(default_factory=dict)


def filled_in(text: str, looking: Looking) -> str:
    """A query with its variables replaced, as Grafana's template service does it."""
    formats: dict[str, Callable[[str], str]] = {
        "sqlstring": lambda v: "'" + v.replace("'", "''") + "'",
        "regex": lambda v: re.sub(r"[\\^$*+?.()|\[\]{}/]", r"\\\g<0>", v),
        "raw": lambda v: v,
    }
    built_in = {
        "__from": str(looking.from_ms),
        "__to": str(looking.to_ms),
        "__range_ms": str(looking.to_ms - looking.from_ms),
        "timeFilter": f"time >= {looking.from_ms}ms and time <= {looking.to_ms}ms",
    }

    def value(name: str, form: str | None) -> str:
        if name in built_in:
            return built_in[name]
        assert form is not None, f"{name} stands without a format, which each data source chooses for itself"
        return formats[form](looking.variables[name])

    done = re.sub(r"\$\{(\w+)(?::(\w+))?\}", lambda m: value(m[1], m[2]), text)
    return re.sub(r"\$(__\w+|timeFilter)", lambda m: value(m[1], None), done)


# --- SQLite, through the plugin ---


class NoRowsError(Exception):
    """A question of the type "time series" found nothing: status 500, and a red badge on the panel."""


def opened(path: Path) -> sqlite3.Connection:
    """The store as the plugin opens it: with the options that the data source has, and nothing may be written."""
    options = parse_qsl(sqlite(str(path)).json_data["pathOptions"])
    place = urlencode([(name, value) for name, value in options if name != "_pragma"])
    db = sqlite3.connect(f"file:{quote(str(path))}?{place}", uri=True)
    for name, value in options:
        if name == "_pragma":
            db.execute(f"PRAGMA {value}")
    return db


def ask_sqlite(path: Path, target: Json, looking: Looking) -> list[Frame]:
    """What the plugin's backend makes of a target: a type for each column, from its declaration or its first value."""
    sql = filled_in(target["rawQueryText"], looking)
    with closing(opened(path)) as db:
        db.execute(f"CREATE TEMP VIEW asked AS {sql}")
        declared = [row[2].upper() for row in db.execute("PRAGMA temp.table_info(asked)")]
        db.execute("DROP VIEW asked")
        db.execute("PRAGMA query_only(1)")
        cursor = db.execute(sql)
        names = [d[0] for d in cursor.description]
        rows = cursor.fetchall()
    columns = [
        _typed(name, [row[i] for row in rows], "TIME" if name in target["timeColumns"] else declared[i])
        for i, name in enumerate(names)
    ]
    if target["queryType"] == "table":
        return [Frame(target["refId"], columns)]
    if not rows and any(c.type == "string" for c in columns):
        raise NoRowsError("can not convert to wide series, input fields have no rows")
    return _wide(target["refId"], columns)


def _typed(name: str, values: list[Any], declared: str) -> Column:
    first = next((v for v in values if v is not None), None)
    if declared not in {"INTEGER", "REAL", "TEXT", "TIME"}:
        declared = {int: "INTEGER", float: "REAL", str: "TEXT"}.get(type(first), "REAL")
    make: dict[str, Callable[[Any], Any]] = {"INTEGER": int, "REAL": float, "TEXT": str, "TIME": _plugin_ms}
    kind = {"TEXT": "string", "TIME": "time"}.get(declared, "number")
    return Column(name, [None if v is None else make[declared](v) for v in values], type=kind)


def _plugin_ms(seconds: float) -> int:
    fraction, whole = math.modf(seconds)
    return int(whole) * 1000 + int(fraction * 1e9) // 1_000_000


def _wide(ref: str, columns: list[Column]) -> list[Frame]:
    """A frame for each distinct text, which becomes a label (grafana-plugin-sdk-go, data.LongToWide)."""
    times, texts, numbers = columns[0], columns[1:-1], columns[-1]
    assert times.values == sorted(times.values), "long to wide: times must ascend"
    found: dict[tuple[str, ...], Frame] = {}
    for i, at in enumerate(times.values):
        key = tuple(t.values[i] for t in texts)
        labels = dict(zip((t.name for t in texts), key, strict=True))
        fresh = Frame(ref, [Column(times.name, []), Column(numbers.name, [], labels)])
        frame = found.setdefault(key, fresh)
        frame.columns[0].values.append(at)
        frame.columns[1].values.append(numbers.values[i])
    return list(found.values())


# --- InfluxDB, in InfluxQL ---


def ask_influx(server: InfluxDB, target: Json, looking: Looking) -> list[Frame]:
    """What Grafana's own data source for InfluxDB makes of a raw query."""
    assert target["rawQuery"]
    series = server.query(filled_in(target["query"], looking))
    if target["resultFormat"] == "time_series":
        assert target["alias"] == "$tag_source"
        return [
            Frame(
                target["refId"],
                [
                    Column("Time", [row[0] // 1000 for row in s["values"]]),
                    # Named by the alias, whatever the column is called.
                    *(
                        Column(s["tags"]["source"], [row[i] for row in s["values"]], s["tags"])
                        for i in range(1, len(s["columns"]))
                    ),
                ],
            )
            for s in series
        ]
    if not series:
        return []
    rows = [(s.get("tags", {}), row) for s in series for row in s["values"]]
    tags = list(series[0].get("tags", {}))
    return [
        Frame(
            target["refId"],
            [
                Column("Time", [row[0] // 1000 for _, row in rows]),
                *(Column(tag, [labels[tag] for labels, _ in rows]) for tag in tags),
                *(
                    Column(name, [row[i] for _, row in rows])
                    for i, name in enumerate(series[0]["columns"][1:], 1)
                ),
            ],
        )
    ]


# --- VictoriaMetrics, in PromQL ---


def ask_victoria(server: VictoriaMetrics, target: Json, looking: Looking) -> list[Frame]:
    """What Grafana's own data source for Prometheus makes of an instant query, be its answer a vector or a matrix."""
    assert target["instant"]
    assert not target["range"]
    form = urlencode(
        {
            "query": filled_in(target["expr"], looking),
            "time": f"{looking.to_ms / 1000:.3f}",
            "nocache": 1,
        }
    )
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    status, body = server.ask("POST", "/api/v1/query", form.encode(), kind)
    assert status == 200, body
    found = json.loads(body)["data"]["result"]
    frames = []
    for one in found:
        values = one["values"] if "values" in one else [one["value"]]
        labels = one["metric"]
        legend = target["legendFormat"].replace("{{source}}", labels.get("source", ""))
        frames.append(
            Frame(
                target["refId"],
                [
                    Column("Time", [round(at * 1000) for at, _ in values]),
                    Column(legend, [float(v) for _, v in values], labels),
                ],
            )
        )
    return frames


def as_tables(frames: list[Frame], several: bool) -> list[Frame]:  # noqa: FBT001
    """The format "table": a line for each value, with the labels of its series in columns of their own."""
    tables = []
    for ref in dict.fromkeys(f.ref for f in frames):
        mine = [f for f in frames if f.ref == ref]
        names = list(dict.fromkeys(label for f in mine for label in sorted(f.columns[1].labels)))
        tables.append(
            Frame(
                ref,
                [
                    Column("Time", [at for f in mine for at in f.columns[0].values]),
                    *(
                        Column(n, [f.columns[1].labels.get(n, "") for f in mine for _ in f.columns[0].values])
                        for n in names
                    ),
                    Column(
                        f"Value #{ref}" if several else "Value",
                        [v for f in mine for v in f.columns[1].values],
                    ),
                ],
            )
        )
    return tables


# --- panels ---

Store = Path | InfluxDB | VictoriaMetrics


def answers(store: Store, target: Json, looking: Looking) -> list[Frame]:
    """What the data source of a store makes of a target."""
    match store:
        case Path():
            return ask_sqlite(store, target, looking)
        case InfluxDB():
            return ask_influx(store, target, looking)
        case VictoriaMetrics():
            return ask_victoria(store, target, looking)


def drawn(store: Store, panel: Json, looking: Looking) -> list[Frame]:
    """The frames that a panel draws of a store."""
    looking = _within_span(panel, looking)
    frames: list[Frame] = []
    for target in panel.get("targets", []):
        frames += answers(store, target, looking)
    tables = {t["refId"] for t in panel.get("targets", []) if t.get("format") == "table"}
    if tables:
        frames = [f for f in frames if f.ref not in tables] + as_tables(
            [f for f in frames if f.ref in tables], len(tables) > 1
        )
    return transformed(frames, panel.get("transformations", []))


_SPANS_MS = {"2m": 120_000, "1h": 3_600_000, "24h": 86_400_000}


def _within_span(panel: Json, looking: Looking) -> Looking:
    """A panel with a time of its own shows the time until now; here "now" is the variable of that name, in ms."""
    if "timeFrom" not in panel:
        return looking
    now = int(looking.variables["now"])
    return Looking(now - _SPANS_MS[panel["timeFrom"]], now, looking.variables)


def offered(store: Store, variable: Json, looking: Looking) -> list[str]:
    """What a variable offers, in order."""
    found = found_for_variable(store, filled_in(variable["query"], looking), looking)
    if variable["regex"]:
        pattern = variable["regex"].strip("/")
        found = [m[1] for one in found if (m := re.search(pattern, one))]
    return sorted(dict.fromkeys(found), key=str.casefold)


def found_for_variable(store: Store, text: str, looking: Looking) -> list[str]:
    """What a variable's question finds, before its pattern picks from it."""
    if isinstance(store, Path):
        with closing(opened(store)) as db:
            return [row[0] for row in db.execute(text)]
    if isinstance(store, InfluxDB):
        return [row[1] for s in store.query(text) for row in s["values"]]
    (inner,) = re.findall(r"^query_result\((.*)\)$", text)
    at_s = looking.to_ms / 1000
    return [
        "{"
        + ",".join(f'{k}="{v}"' for k, v in one["metric"].items())
        + f"}} {one['value'][1]} {at_s * 1000:.0f}"
        for one in store.query(inner, at_s)
    ]


def moment(text: str) -> int:
    """Milliseconds of a moment in ISO form, offset included."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)
