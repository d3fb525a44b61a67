"""SQL of SQLite, asked through the plugin frser-sqlite-datasource.

The plugin takes times in unix seconds, and the type of a column from its first value. A question of the sort "time
series" without rows is an error to it, so all are of the sort "table"; Grafana makes lines of them.
"""

from dataclasses import dataclass

from ingest.grafana.query import (
    BPM_COLUMN,
    INBOX,
    SENSOR,
    SOURCE,
    TIME,
    Column,
    Json,
    Latest,
    Line,
    Lines,
    Live,
    Newest,
    PanelTarget,
    Query,
    Rows,
    Sensors,
    Sites,
    Sources,
    conditions,
    fill_in,
    is_for_reading,
    is_text,
    text_condition,
    within_s,
)

_TO_S = "$__to / 1000.0"
_RANGE = f"time >= $__from / 1000.0 AND time < {_TO_S}"
_PERSON = "person = ${person:sqlstring}"


@dataclass(frozen=True, slots=True)
class Sqlite:
    """SQL for the embedded store."""

    type: str = "frser-sqlite-datasource"
    has_sites: bool = False

    def build_target(self, ref: str, query: Query) -> PanelTarget:
        """The question under a reference."""
        steps: list[Json] = []
        match query:
            case Rows():
                sql = _rows_sql(query)
            case Lines():
                columns = f'time AS "{TIME}", source, {_column(query.column)}'
                source = f" AND source = '{query.source}'" if query.source else ""
                sql = (
                    f"SELECT {columns} FROM {query.table} WHERE {_PERSON}{source} AND {_RANGE}"
                    f" AND {query.column.name} IS NOT NULL ORDER BY time"
                )
                steps.append({"id": "prepareTimeSeries", "options": {"format": "multi"}})
            case Latest():
                sql = (
                    f'SELECT time AS "{TIME}", {_column(query.column)} FROM {query.table} WHERE {_PERSON}'
                    f" AND time <= {_TO_S} AND {query.column.name} IS NOT NULL ORDER BY time DESC LIMIT 1"
                )
            case Newest():
                chosen = [f'{_expression(e, query.table)} AS "{name}"' for name, e in query.values.items()]
                sql = _newest_sql(query, chosen)
            case Line():
                text = is_text(query.table, query.value)
                value = query.value if text else _expression(query.value, query.table)
                chosen = [f'{value} AS "{query.value if text else ref}"']
                chosen += [f'{_expression(e, query.table)} AS "{name}"' for name, e in query.links.items()]
                sql = _newest_sql(query, chosen)
            case Live():
                sql = (
                    f'SELECT max(time) AS "{TIME}", source AS "{SOURCE}", bpm AS "{BPM_COLUMN}" FROM heart_rate WHERE {_PERSON}'
                    f" AND kind = 'strap' AND time >= {_TO_S} - {query.within_s} AND time < {_TO_S} GROUP BY source ORDER BY source"
                )
            case Sources():
                sql = _sources_sql(query)
            case Sites() | Sensors():
                raise ValueError("a file is the store of one Pi")
        return PanelTarget([_target(ref, sql, [TIME])], steps)

    def person_query(self) -> Json:
        """Everybody who has a week."""
        sql = "SELECT DISTINCT person FROM week ORDER BY person"
        return {"query": sql, "definition": sql, "regex": ""}

    def site_query(self) -> Json:
        """Raises ValueError: a file is the store of one Pi."""
        raise ValueError("a file is the store of one Pi")

    def not_judged(self) -> Json:
        """A span for each week that is not judged."""
        sql = (
            f"SELECT time, end_s AS timeEnd, not_judged AS text FROM week WHERE {_PERSON} AND {_RANGE}"
            " AND not_judged IS NOT NULL ORDER BY time"
        )
        return {"target": _target("Anno", sql, ["time", "timeEnd"])}


def _target(ref: str, sql: str, times: list[str]) -> Json:
    # The plugin's own editor keeps the text twice; what is sent is made from the raw one.
    return {
        "refId": ref,
        "queryType": "table",
        "rawQueryText": sql,
        "queryText": sql,
        "timeColumns": times,
    }


def _rows_sql(query: Rows) -> str:
    selected = [
        f'time AS "{TIME}"',
        *([f'source AS "{query.sensor_label}"'] if query.sensor_label else []),
        *(_column(c) for c in query.columns),
    ]
    order = " ORDER BY time DESC" if query.newest or is_for_reading(query) else " ORDER BY time"
    limit = " LIMIT 1" if query.newest else ""
    source = f" AND source = '{query.source}'" if query.source else ""
    # As in stores that hold no row of nothing.
    names = ", ".join(c.name for c in query.columns)
    source += f" AND {names if len(query.columns) == 1 else f'COALESCE({names})'} IS NOT NULL"
    return (
        f"SELECT {', '.join(selected)} FROM {query.table} WHERE {_PERSON}{source} AND {_RANGE}{order}{limit}"
    )


def _sources_sql(query: Sources) -> str:
    here = f"{_PERSON} AND {_RANGE}"
    last = [
        f"(SELECT {c.name} FROM {query.table} WHERE {here} AND source = sensor.source AND {c.name} IS NOT NULL"
        f' ORDER BY time DESC LIMIT 1) AS "{c.label}"'
        for c in query.columns
    ]
    sensors = f"SELECT DISTINCT source FROM {query.table} WHERE {here} AND source != '{INBOX}'"
    return f'SELECT source AS "{SENSOR}", {", ".join(last)} FROM ({sensors}) AS sensor ORDER BY source'


def _newest_sql(query: Newest | Line, chosen: list[str]) -> str:
    since = f"time >= {_TO_S} - {within_s(query)} AND time < {_TO_S}" if within_s(query) else _RANGE
    newest = f"SELECT * FROM {query.table} WHERE {_PERSON} AND {since} ORDER BY time DESC LIMIT 1"
    where = " AND ".join(_condition(c, query.table) for c in conditions(query)) or "TRUE"
    return f'SELECT time AS "{TIME}", {", ".join(chosen)} FROM ({newest}) WHERE {where}'


def _condition(condition: str, table: str) -> str:
    on_text = text_condition(condition)
    if on_text:
        return " ".join((on_text[0], on_text[1], f"'{on_text[2]}'"))
    return _expression(condition, table)


def _expression(expression: str, table: str) -> str:
    # As real numbers: of whole ones SQLite would make whole parts.
    return fill_in(expression, table, lambda name: f"CAST({name} AS REAL)", _TO_S)


def _column(column: Column) -> str:
    # Of whole seconds SQLite would make whole minutes, and of a first whole number the plugin a column of them.
    value = f"{column.name} / {column.divisor}.0" if column.divisor != 1 else column.name
    value += f" * {column.factor}" if column.factor else ""
    return f'{value} AS "{column.label}"'
