"""What a server holds, as the rows that the SQLite store holds of the same journal."""

import json
import math
from collections.abc import Iterable
from typing import Any

from ingest.rows.table import TABLES, TEXT, Table
from ingest.stores.influx.lines import clean_tag
from tests.support.fake_server import FakeServer
from tests.support.servers import InfluxDB, VictoriaMetrics

EARLIEST_S = 86_400.0
"""VictoriaMetrics takes 0 for "now": what always held is stamped a day later there."""

Rows = dict[str, list[tuple[Any, ...]]]
"""By table: time (unix seconds), tags, fields; in order, as `tests.support.households.rows` gives them."""


def held(server: InfluxDB | VictoriaMetrics | FakeServer, site: str = "") -> Rows:
    """All rows of a site."""
    if isinstance(server, VictoriaMetrics):
        found = _of_victoria(server, site)
    else:
        found = {
            name: [_row(table, r) for r in server.rows(name) if (r.get("site") or "") == site]
            for name, table in TABLES.items()
        }
    return {name: ordered(rows) for name, rows in found.items()}


def _row(table: Table, point: dict[str, Any]) -> tuple[Any, ...]:
    return (
        point["time"] / 1e6,
        *(point.get(t) or "" for t in table.tags),
        *(point.get(f) for f in table.fields),
    )


def _of_victoria(server: VictoriaMetrics, site: str) -> Rows:
    points: dict[str, dict[tuple[Any, ...], dict[str, float | str]]] = {name: {} for name in TABLES}
    of_site = f'{{__name__!="",site={json.dumps(site, ensure_ascii=False)}}}'
    for labels, samples in server.samples(of_site).items():
        tags = dict(labels)
        name, _, field = tags["__name__"].partition("_")
        for table in TABLES:
            if tags["__name__"].startswith(f"{table}_"):
                name, field = table, tags["__name__"].removeprefix(f"{table}_")
        if name not in TABLES:
            continue
        for at_ms, value in samples.items():
            key = (at_ms / 1e3, *(tags.get(t, "") for t in TABLES[name].tags))
            row = points[name].setdefault(key, {})
            if TABLES[name].fields[field] != TEXT:
                row[field] = value
            else:  # a label of a metric that is 1; two texts of one row would both be seen
                row[field] = f"{row[field]} and {tags[field]}" if field in row else tags[field]
    return {
        name: [(*key, *(fields.get(f) for f in TABLES[name].fields)) for key, fields in rows.items()]
        for name, rows in points.items()
    }


def ordered(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=lambda row: [(x is not None, x) for x in row])


def expected(rows: Rows, server: InfluxDB | VictoriaMetrics | FakeServer) -> Rows:
    """What a server should hold when the SQLite store holds `rows`: a point without any field cannot be."""
    found: Rows = {}
    for name, table in TABLES.items():
        tags, kept = 1 + len(table.tags), rows[name]
        if isinstance(server, VictoriaMetrics):
            texts = [tags + i for i, kind in enumerate(table.fields.values()) if kind == TEXT]
            kept = [
                (
                    _in_ms(row[0]),
                    *(clean_tag(x) or None if i in texts and x else x for i, x in enumerate(row) if i),
                )
                for row in kept
            ]
        found[name] = ordered(row for row in kept if any(x is not None for x in row[tags:]))
    return found


def _in_ms(time_s: float) -> float:
    """A time as VictoriaMetrics can tell it from others: microseconds that tell rows apart become milliseconds."""
    ms, us = divmod(round(time_s * 1e6), 1000)
    return max((ms + us) / 1e3, EARLIEST_S)


def differences(found: Rows, wanted: Rows) -> list[str]:
    """What a person needs to see of two that should be the same; numbers may differ in their last digits."""
    told = []
    for name in wanted:
        a, b = found[name], wanted[name]
        if len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True)):
            continue
        only_a, only_b = _apart(a, b), _apart(b, a)
        told.append(
            f"{name}: {len(a)} rows, wanted {len(b)}; too much {only_a[:3]}, missing {only_b[:2]} ... {only_b[-2:]}"
        )
    return told


def _apart(a: list[tuple[Any, ...]], b: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows of the first that are not in the second, numbers rounded."""
    there = {_rounded(row) for row in b}
    return [row for row in a if _rounded(row) not in there]


def _rounded(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(float(f"{x:.9g}") if i and isinstance(x, int | float) else x for i, x in enumerate(row))


def _same(a: tuple[Any, ...], b: tuple[Any, ...]) -> bool:
    return len(a) == len(b) and all(x == y or _close(x, y) for x, y in zip(a, b, strict=True))


def _close(x: Any, y: Any) -> bool:
    return (
        isinstance(x, int | float)
        and isinstance(y, int | float)
        and math.isclose(x, y, rel_tol=1e-12, abs_tol=1e-12)
    )
