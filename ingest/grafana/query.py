"""What a panel asks a store for, said once, and the same question in the languages of three data sources.

Every question is for rows that are there already: no store is asked to add up, to average or to find out when a day or
a week begins. SQL and InfluxQL then give the same by themselves. PromQL needs care, for it is made for something else:

- A range query gives values at moments of its own choosing, not those of the rows, carries each value on for five
  minutes and hides the last thirty seconds (https://docs.victoriametrics.com/#query-latency). So rows are never asked for
  with one. An instant query for a range selector gives the rows as they are, with their own times
  (https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries).
- Such a range is open on its left, (t - d, t]: the week that begins with it would be missing, and the one that begins
  with its end be there. An offset of one millisecond makes it [t - d, t), which SQL and InfluxQL are asked for too.
- It has no rows, only values: each column is a question of its own, and Grafana joins the answers by their times. Values
  that SQL divides are divided by Grafana then: nothing can be calculated with rows before they have arrived.
- A range that reaches back before 1970 finds nothing in VictoriaMetrics, so what has always held is looked for at the
  beginning of time itself.
- It has no texts. The store writes one as a label of a metric that is always 1, and a table shows that label.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ingest.rows.table import TABLES, TEXT

Json = dict[str, Any]

TIME = "Time"
"""What the column of times is called in every answer."""


@dataclass(frozen=True, slots=True)
class Column:
    """A field or a tag of a table as it is shown, divided by a number where its unit is too small."""

    name: str
    label: str
    divisor: int = 1


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of the picked person in the range shown, as one frame of times and columns, oldest first.

    With `newest` only the last of them. With `sensor_label` the rows of several sources may share a time: they are told
    apart by the tag `source`, shown under that name, and stand newest first, as in a table for reading. With `source`
    only those of that one.
    """

    table: str
    columns: tuple[Column, ...]
    newest: bool = False
    sensor_label: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Lines:
    """One column of the picked person in the range shown, a frame for each source, or for one alone."""

    table: str
    column: Column
    source: str = ""


@dataclass(frozen=True, slots=True)
class Latest:
    """The last known value of a column, at or before the end of the range, however long ago."""

    table: str
    column: Column


@dataclass(frozen=True, slots=True)
class Sites:
    """When each site last had a row with a field in the range shown: a row of its name and that time for each."""

    table: str
    field: str
    label: str


@dataclass(frozen=True, slots=True)
class Sensors:
    """The last known value of a column in the range shown, a row for each sensor of each site."""

    table: str
    column: Column


Query = Rows | Lines | Latest | Sites | Sensors

SITE, SENSOR = "Site", "Sensor"
"""What the columns of their names are called."""


@dataclass(frozen=True, slots=True)
class PanelTarget:
    """The targets of a panel, and what Grafana does with their answers before it draws them."""

    targets: list[Json]
    transformations: list[Json] = field(default_factory=list)


class Language(Protocol):
    """How one sort of data source is asked."""

    @property
    def type(self) -> str:
        """Grafana's name of the sort of data source."""

    @property
    def has_sites(self) -> bool:
        """Whether the store is one of many Pis."""

    def build_target(self, ref: str, query: Query) -> PanelTarget:
        """The question under a reference (refId) such as "A"."""

    def person_query(self) -> Json:
        """The keys of a variable that offers everybody who has a week."""

    def site_query(self) -> Json:
        """The keys of a variable that offers every site."""


def _source_condition(query: Rows | Lines | Latest, condition: str) -> str:
    """The condition that only rows of the one source fulfil, if the question is for one."""
    source = "" if isinstance(query, Latest) else query.source
    return condition.format(source) if source else ""


# --- SQLite, by the plugin frser-sqlite-datasource ---


@dataclass(frozen=True, slots=True)
class Sqlite:
    """SQL of SQLite. The plugin takes times in unix seconds, and the type of a column from its first value."""

    type: str = "frser-sqlite-datasource"
    has_sites: bool = False

    _RANGE = "time >= $__from / 1000.0 AND time < $__to / 1000.0"

    def build_target(self, ref: str, query: Query) -> PanelTarget:
        match query:
            case Rows():
                selected = [
                    f'time AS "{TIME}"',
                    *([f'source AS "{query.sensor_label}"'] if query.sensor_label else []),
                ]
                selected += [_sql_column(c) for c in query.columns]
                order = " ORDER BY time DESC" if query.newest or query.sensor_label else " ORDER BY time"
                limit = " LIMIT 1" if query.newest else ""
                sql = f"SELECT {', '.join(selected)} FROM {query.table} WHERE {self._person_condition(query)} AND {self._RANGE}{order}{limit}"
                return PanelTarget([self._target(ref, sql, "table")])
            case Lines():
                selected = [f'time AS "{TIME}"', "source", _sql_column(query.column)]
                sql = (
                    f"SELECT {', '.join(selected)} FROM {query.table} WHERE {self._person_condition(query)} AND {self._RANGE}"
                    f" AND {query.column.name} IS NOT NULL ORDER BY time"
                )
                return PanelTarget([self._target(ref, sql, "time series")])
            case Latest():
                sql = (
                    f'SELECT time AS "{TIME}", {_sql_column(query.column)} FROM {query.table} WHERE {self._person_condition(query)}'
                    f" AND time <= $__to / 1000.0 AND {query.column.name} IS NOT NULL ORDER BY time DESC LIMIT 1"
                )
                return PanelTarget([self._target(ref, sql, "table")])
            case Sites() | Sensors():
                raise ValueError("a file is the store of one Pi")

    @staticmethod
    def _person_condition(query: Rows | Lines | Latest) -> str:
        return "person = ${person:sqlstring}" + _source_condition(query, " AND source = '{}'")

    @staticmethod
    def _target(ref: str, sql: str, kind: str) -> Json:
        # The plugin's own editor keeps the text twice; what is sent is made from the raw one.
        return {
            "refId": ref,
            "queryType": kind,
            "rawQueryText": sql,
            "queryText": sql,
            "timeColumns": [TIME],
        }

    def person_query(self) -> Json:
        sql = "SELECT DISTINCT person FROM week ORDER BY person"
        return {"query": sql, "definition": sql, "regex": ""}

    def site_query(self) -> Json:
        raise ValueError("a file is the store of one Pi")


def _sql_column(column: Column) -> str:
    # Of whole seconds SQLite would make whole minutes, and of a first whole number the plugin a column of them.
    value = f"{column.name} / {column.divisor}.0" if column.divisor != 1 else column.name
    return f'{value} AS "{column.label}"'


# --- InfluxDB 1.8, 2 and 3, in InfluxQL, the one language that all of them speak ---


@dataclass(frozen=True, slots=True)
class InfluxQL:
    """InfluxQL. Names of persons and sites stand in expressions, where Grafana escapes whatever is in them."""

    type: str = "influxdb"
    has_sites: bool = True

    def _person_condition(self, query: Rows | Lines | Latest) -> str:
        site = f" AND {self._SITE}" if self.has_sites else ""
        return '"person" =~ /^${person:regex}$/' + site + _source_condition(query, " AND \"source\" = '{}'")

    _SITE = '"site" =~ /^${site:regex}$/'
    # What Grafana fills in has its end included, and the day that begins with it would be shown with the day before.
    _RANGE = "$timeFilter AND time < ${__to}ms"

    def build_target(self, ref: str, query: Query) -> PanelTarget:
        match query:
            case Rows():
                selected = [f'"source" AS "{query.sensor_label}"'] if query.sensor_label else []
                selected += [_influxql_column(c) for c in query.columns]
                order = " ORDER BY time DESC" if query.newest or query.sensor_label else ""
                limit = " LIMIT 1" if query.newest else ""
                text = f'SELECT {", ".join(selected)} FROM "{query.table}" WHERE {self._person_condition(query)} AND {self._RANGE}{order}{limit}'
                return PanelTarget([self._target(ref, text, "table")])
            case Lines():
                text = (
                    f'SELECT {_influxql_column(query.column)} FROM "{query.table}" WHERE {self._person_condition(query)} AND {self._RANGE}'
                    ' GROUP BY "source"'
                )
                return PanelTarget([self._target(ref, text, "time_series", "$tag_source")])
            case Latest():
                text = (
                    f'SELECT {_influxql_column(query.column)} FROM "{query.table}" WHERE {self._person_condition(query)}'
                    " AND time <= ${__to}ms ORDER BY time DESC LIMIT 1"
                )
                return PanelTarget([self._target(ref, text, "table")])
            case Sites():
                text = f'SELECT last("{query.field}") AS "value" FROM "{query.table}" WHERE $timeFilter GROUP BY "site"'
                organize = _organize({TIME: query.label, "site": SITE}, ["value"], ["site", TIME])
                return PanelTarget([self._target(ref, text, "table")], [organize])
            case Sensors():
                text = (
                    f'SELECT last("{query.column.name}") AS "value" FROM "{query.table}" WHERE $timeFilter'
                    ' GROUP BY "site", "source"'
                )
                names = {"site": SITE, "source": SENSOR, "value": query.column.label}
                return PanelTarget(
                    [self._target(ref, text, "table")], [_organize(names, [TIME], list(names))]
                )

    @staticmethod
    def _target(ref: str, text: str, form: str, alias: str = "") -> Json:
        return {"refId": ref, "rawQuery": True, "query": text, "resultFormat": form, "alias": alias}

    def person_query(self) -> Json:
        site = f" WHERE {self._SITE}" if self.has_sites else ""
        text = f'SHOW TAG VALUES FROM "week" WITH KEY = "person"{site}'
        return {"query": text, "definition": text, "regex": ""}

    def site_query(self) -> Json:
        text = 'SHOW TAG VALUES FROM "week" WITH KEY = "site"'
        return {"query": text, "definition": text, "regex": ""}


def _influxql_column(column: Column) -> str:
    value = f'"{column.name}"' + (f" / {column.divisor}" if column.divisor != 1 else "")
    return f'{value} AS "{column.label}"'


# --- VictoriaMetrics, in PromQL ---


@dataclass(frozen=True, slots=True)
class PromQL:
    """PromQL as VictoriaMetrics speaks it; a field of a table is the metric `table_field` there."""

    type: str = "prometheus"
    has_sites: bool = True

    _RANGE = "[${__range_ms}ms] offset 1ms"

    def _metric(self, query: Rows | Lines | Latest, column: Column) -> str:
        # Grafana's own escaping would put a backslash before an apostrophe; names cannot have what needs one here.
        who = 'person="${person:raw}"' + (',site="${site:raw}"' if self.has_sites else "")
        labels = who + _source_condition(query, ',source="{}"')
        return f"{query.table}_{column.name}{{{labels}}}"

    def build_target(self, ref: str, query: Query) -> PanelTarget:
        match query:
            case Rows():
                several = len(query.columns) > 1
                refs = {f"{ref}{i}" if several else ref: c for i, c in enumerate(query.columns, 1)}
                form = "table" if query.sensor_label else "time_series"
                targets = [
                    self._target(r, self._metric(query, c) + self._RANGE, form, _undivided_name(c))
                    for r, c in refs.items()
                ]
                return PanelTarget(
                    targets, _merge_rows(query, refs) if query.sensor_label else _join_columns(query.columns)
                )
            case Lines():
                text = self._metric(query, query.column) + self._RANGE
                return PanelTarget([self._target(ref, text, "time_series", "{{source}}")])
            case Latest():
                metric = self._metric(query, query.column)
                # A year is 365 days here. The second half is for what is stamped with the beginning of 1970.
                text = f"last_over_time({metric}[50y]) or last_over_time({metric}[23h] @ 86400)"
                return PanelTarget([self._target(ref, text, "time_series", query.column.label)])
            case Sites():
                metric = f"{query.table}_{query.field}[${{__range_ms}}ms]"
                text = f"max by (site) (tlast_over_time({metric})) * 1000"
                organize = _organize({"site": SITE, "Value": query.label}, [TIME], ["site", "Value"])
                return PanelTarget([self._target(ref, text, "table", "")], [organize])
            case Sensors():
                metric = f"{query.table}_{query.column.name}[${{__range_ms}}ms]"
                text = f"last_over_time({metric})"
                names = {"site": SITE, "source": SENSOR, "Value": query.column.label}
                left_out = [TIME, "__name__", "person"]
                return PanelTarget(
                    [self._target(ref, text, "table", "")], [_organize(names, left_out, list(names))]
                )

    @staticmethod
    def _target(ref: str, text: str, form: str, legend: str) -> Json:
        return {
            "refId": ref,
            "expr": text,
            "instant": True,
            "range": False,
            "format": form,
            "legendFormat": legend,
            "editorMode": "code",
        }

    def person_query(self) -> Json:
        return self._label_values("person", '{site="${site:raw}"}' if self.has_sites else "")

    def site_query(self) -> Json:
        return self._label_values("site", "")

    @staticmethod
    def _label_values(label: str, which: str) -> Json:
        # Not label_values(): that one knows nobody on a Monday morning, before anything is measured in the week shown.
        text = f"query_result(last_over_time(week_measured_h{which}[5y]))"
        return {"query": text, "definition": text, "regex": f'/{label}="([^"]+)"/'}


def _undivided_name(column: Column) -> str:
    """The name of a column before Grafana divides it."""
    return column.name if column.divisor != 1 else column.label


def _join_columns(columns: Sequence[Column]) -> list[Json]:
    """Columns that came one by one as one frame, those that are too small divided."""
    steps: list[Json] = []
    if len(columns) > 1:
        steps.append({"id": "joinByField", "options": {"byField": TIME, "mode": "outer"}})
    divided = [c for c in columns if c.divisor != 1]
    for c in divided:
        binary = {"left": c.name, "operator": "/", "right": str(c.divisor)}
        options = {"mode": "binary", "alias": c.label, "replaceFields": False, "binary": binary}
        steps.append({"id": "calculateField", "options": options})
    if divided:
        steps.append(_organize({}, [c.name for c in divided], [TIME, *(c.label for c in columns)]))
    return steps


def _merge_rows(query: Rows, refs: Mapping[str, Column]) -> list[Json]:
    """Columns that came one by one as one table, a line for each time and source."""
    assert all(c.divisor == 1 for c in query.columns), "a table shows seconds as they are"
    texts = {ref for ref, c in refs.items() if TABLES[query.table].fields[c.name] == TEXT}
    values = {ref: f"Value #{ref}" if len(refs) > 1 else "Value" for ref in refs}
    left_out = ["__name__", "person", "site", *(values[ref] for ref in refs if ref in texts)]
    names = {c.name if ref in texts else values[ref]: c.label for ref, c in refs.items()}
    return [
        {"id": "filterFieldsByName", "options": {"exclude": {"names": left_out}}},
        {"id": "merge", "options": {}},
        _organize({"source": query.sensor_label, **names}, [], [TIME, "source", *names]),
        {"id": "sortBy", "options": {"fields": {}, "sort": [{"field": TIME, "desc": True}]}},
    ]


def _organize(names: Mapping[str, str], left_out: Sequence[str], order: Sequence[str]) -> Json:
    return {
        "id": "organize",
        "options": {
            "excludeByName": dict.fromkeys(left_out, True),
            "indexByName": {name: i for i, name in enumerate(order)},
            "renameByName": dict(names),
        },
    }
