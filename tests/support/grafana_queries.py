"""What Grafana does between a dashboard and a store: fills in variables and times, asks, and makes frames of the answers.

Only as much of it as our dashboards use, each part as the sources of Grafana 11 and of the plugin
frser-sqlite-datasource 4 have it. Frames are lists of columns; a column has its name and its labels.
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
from urllib.parse import urlencode

from ingest.grafana.query import Latest, Lines, Query, Rows, Sensors, Sites
from tests.support.servers import InfluxDB, VictoriaMetrics

Json = dict[str, Any]


@dataclass(frozen=True)
class Looking:
    """What is picked above a dashboard: the times in ms, and the variables."""

    from_ms: int
    to_ms: int
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Column:
    """A field of a frame: times in ms, numbers or texts."""

    name: str
    values: list[Any]
    labels: dict[str, str] = field(default_factory=dict)


@dataclass
class Frame:
    """Columns of one length, of the query under one reference."""

    ref: str
    columns: list[Column]

    def __getitem__(self, name: str) -> list[Any]:
        (found,) = [c for c in self.columns if c.name == name]
        return found.values

    @property
    def names(self) -> list[str]:
        return [c.name for c in self.columns]

    def rows(self) -> list[tuple[Any, ...]]:
        return list(zip(*(c.values for c in self.columns), strict=True))


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


def fields_read(query: Query) -> Mapping[str, set[str]]:
    """Which fields of which table a question reads."""
    match query:
        case Rows():
            return {query.table: {c.name for c in query.columns}}
        case Lines() | Latest() | Sensors():
            return {query.table: {query.column.name}}
        case Sites():
            return {query.table: {query.field}}


# --- SQLite, through the plugin ---


def ask_sqlite(path: Path, target: Json, looking: Looking) -> list[Frame]:
    """What the plugin's backend makes of a target: a type for each column, from its declaration or its first value."""
    sql = filled_in(target["rawQueryText"], looking)
    with closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True)) as db:
        db.execute(f"CREATE TEMP VIEW asked AS {sql}")
        declared = [row[2].upper() for row in db.execute("PRAGMA temp.table_info(asked)")]
        db.execute("DROP VIEW asked")
        db.execute("PRAGMA query_only = 1")
        cursor = db.execute(sql)
        names = [d[0] for d in cursor.description]
        rows = cursor.fetchall()
    columns = [
        Column(
            name, _typed([row[i] for row in rows], "TIME" if name in target["timeColumns"] else declared[i])
        )
        for i, name in enumerate(names)
    ]
    if target["queryType"] == "table":
        return [Frame(target["refId"], columns)]
    return _wide(target["refId"], columns)


def _typed(values: list[Any], declared: str) -> list[Any]:
    first = next((v for v in values if v is not None), None)
    if declared not in {"INTEGER", "REAL", "TEXT", "TIME"}:
        declared = {int: "INTEGER", float: "REAL", str: "TEXT"}.get(type(first), "REAL")
    make: dict[str, Callable[[Any], Any]] = {"INTEGER": int, "REAL": float, "TEXT": str, "TIME": _plugin_ms}
    return [None if v is None else make[declared](v) for v in values]


def _plugin_ms(seconds: float) -> int:
    fraction, whole = math.modf(seconds)
    return int(whole) * 1000 + int(fraction * 1e9) // 1_000_000


def _wide(ref: str, columns: list[Column]) -> list[Frame]:
    """A frame for each distinct text, which becomes a label (grafana-plugin-sdk-go, data.LongToWide)."""
    times, texts, numbers = columns[0], columns[1:-1], columns[-1]
    if not times.values:
        return []
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
        assert target["alias"] in {"", "$tag_source"}
        return [
            Frame(
                target["refId"],
                [
                    Column("Time", [row[0] // 1000 for row in s["values"]]),
                    *(
                        Column(name, [row[i] for row in s["values"]], s.get("tags", {}))
                        for i, name in enumerate(s["columns"][1:], 1)
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


# --- what Grafana does with frames before it draws them ---


def transformed(frames: list[Frame], steps: list[Json]) -> list[Frame]:
    """The frames after a panel's transformations."""
    for step in steps:
        frames = _STEPS[step["id"]](frames, step["options"])
    return frames


def _join(frames: list[Frame], options: Json) -> list[Frame]:
    """Side by side, a row for each time that any of them has."""
    assert options == {"byField": "Time", "mode": "outer"}
    if len(frames) < 2:
        return frames
    times = sorted({at for f in frames for at in f["Time"]})
    columns = [Column("Time", times)]
    for f in frames:
        held = dict(zip(f["Time"], f.columns[1].values, strict=True))
        assert len(held) == len(f["Time"])
        columns.append(Column(f.columns[1].name, [held.get(at) for at in times], f.columns[1].labels))
    return [Frame("joined", columns)]


def _calculate(frames: list[Frame], options: Json) -> list[Frame]:
    binary = options["binary"]
    assert (options["mode"], options["replaceFields"], binary["operator"]) == ("binary", False, "/")
    for f in frames:
        if binary["left"] in f.names:
            values = [v / float(binary["right"]) for v in f[binary["left"]]]
            f.columns.append(Column(options["alias"], values))
    return frames


def _without(frames: list[Frame], options: Json) -> list[Frame]:
    left_out = options["exclude"]["names"]
    return [Frame(f.ref, [c for c in f.columns if c.name not in left_out]) for f in frames]


def _merge(frames: list[Frame], options: Json) -> list[Frame]:
    """One below the other; rows that agree in all columns that two have in common become one."""
    assert options == {}
    if not frames:
        return []
    shared = [n for n in frames[0].names if all(n in f.names for f in frames)]
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for f in frames:
        for row in f.rows():
            named = dict(zip(f.names, row, strict=True))
            found.setdefault(tuple(named[n] for n in shared), {}).update(named)
    names = list(dict.fromkeys(n for f in frames for n in f.names))
    return [Frame("merged", [Column(n, [row.get(n) for row in found.values()]) for n in names])]


def _organize(frames: list[Frame], options: Json) -> list[Frame]:
    order, names = options["indexByName"], options["renameByName"]
    done = []
    for f in frames:
        kept = [c for c in f.columns if not options["excludeByName"].get(c.name)]
        kept.sort(key=lambda c: order.get(c.name, len(order)))
        done.append(Frame(f.ref, [Column(names.get(c.name, c.name), c.values, c.labels) for c in kept]))
    return done


def _sort(frames: list[Frame], options: Json) -> list[Frame]:
    (by,) = options["sort"]
    done = []
    for f in frames:
        key = f.names.index(by["field"])
        rows = sorted(f.rows(), key=lambda row: row[key], reverse=by["desc"])
        done.append(
            Frame(f.ref, [Column(c.name, [r[i] for r in rows], c.labels) for i, c in enumerate(f.columns)])
        )
    return done


_STEPS: dict[str, Callable[[list[Frame], Json], list[Frame]]] = {
    "joinByField": _join,
    "calculateField": _calculate,
    "filterFieldsByName": _without,
    "merge": _merge,
    "organize": _organize,
    "sortBy": _sort,
}


# --- panels ---

Store = Path | InfluxDB | VictoriaMetrics


def drawn(store: Store, panel: Json, looking: Looking) -> list[Frame]:
    """The frames that a panel draws of a store."""
    looking = _within_span(panel, looking)
    frames: list[Frame] = []
    for target in panel.get("targets", []):
        match store:
            case Path():
                frames += ask_sqlite(store, target, looking)
            case InfluxDB():
                frames += ask_influx(store, target, looking)
            case VictoriaMetrics():
                frames += ask_victoria(store, target, looking)
    if any(t.get("format") == "table" for t in panel.get("targets", [])):
        frames = as_tables(frames, len(panel["targets"]) > 1)
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
    text = filled_in(variable["query"], looking)
    if isinstance(store, Path):
        with closing(sqlite3.connect(store)) as db:
            found = [row[0] for row in db.execute(text)]
    elif isinstance(store, InfluxDB):
        found = [row[1] for s in store.query(text) for row in s["values"]]
    else:
        (inner,) = re.findall(r"^query_result\((.*)\)$", text)
        answer = store.query(inner, looking.to_ms / 1000)
        shown = ["{" + ",".join(f'{k}="{v}"' for k, v in one["metric"].items()) + "}" for one in answer]
        pattern = variable["regex"].strip("/")
        found = [m[1] for one in shown if (m := re.search(pattern, one))]
    return sorted(dict.fromkeys(found), key=str.casefold)


def moment(text: str) -> int:
    """Milliseconds of a moment in ISO form, offset included."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)
