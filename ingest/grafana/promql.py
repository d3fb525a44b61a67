"""PromQL as VictoriaMetrics speaks it; a field of a table is the metric `table_field` there.

PromQL needs care, for it is made for something else:

- A range query gives values at moments of its own choosing, not those of the rows, carries each value on for five
  minutes and hides the last thirty seconds (https://docs.victoriametrics.com/#query-latency). So rows are never asked for
  with one. An instant query for a range selector gives the rows as they are, with their own times
  (https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries).
- Such a range is open on its left, (t - d, t]: the week that begins with it would be missing, and the one that begins
  with its end be there. An offset of one millisecond makes it [t - d, t), which SQL and InfluxQL are asked for too.
- It has no rows, only values: each column is a question of its own, and Grafana joins the answers by their times. Values
  that SQL divides are divided by Grafana then: nothing can be calculated with rows before they have arrived.
- Of the newest row alone everything can be calculated; `count_values` makes labels of its numbers, which a table shows as
  columns of one row (https://prometheus.io/docs/prometheus/latest/querying/operators/#aggregation-operators).
- A range that reaches back before 1970 finds nothing in VictoriaMetrics, so what has always held is looked for at the
  beginning of time itself.
- It has no texts. The store writes one as a label of a metric that is always 1, and a table shows that label.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ingest.grafana.query import (
    BPM_COLUMN,
    INBOX,
    SENSOR,
    SITE,
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
    calculate,
    conditions,
    fill_in,
    is_for_reading,
    is_text,
    organize,
    text_condition,
    within_s,
)
from ingest.rows.table import REAL, TABLES

_RANGE = "[${__range_ms}ms] offset 1ms"


@dataclass(frozen=True, slots=True)
class PromQL:
    """PromQL for VictoriaMetrics."""

    type: str = "prometheus"
    has_sites: bool = True

    def _metric(self, table: str, name: str, also: str = "") -> str:
        # Grafana's own escaping would put a backslash before an apostrophe; names cannot have what needs one here.
        who = 'person="${person:raw}"' + (',site="${site:raw}"' if self.has_sites else "")
        return f"{table}_{name}{{{who}{also}}}"

    def build_target(self, ref: str, query: Query) -> PanelTarget:
        """The question under a reference."""
        form, legend = "table", ""
        steps: list[Json] = []
        match query:
            case Rows():
                return self._rows(ref, query)
            case Newest():
                return self._numbers(ref, query)
            case Line():
                return self._line(ref, query)
            case Sources():
                return self._sources(ref, query)
            case Lines():
                text = self._metric(query.table, query.column.name, _of_source(query.source)) + _RANGE
                form, legend = "time_series", "{{source}}"
            case Latest():
                metric = self._metric(query.table, query.column.name)
                # A year is 365 days here. The second half is for what is stamped with the beginning of 1970.
                text = f"last_over_time({metric}[50y]) or last_over_time({metric}[23h] @ 86400)"
                form, legend = "time_series", query.column.label
            case Live():
                metric = self._metric("heart_rate", "bpm", ',kind="strap"')
                text = f'sort_by_label(last_over_time({metric}[{query.within_s}s]), "source")'
                names = {"Value": BPM_COLUMN, f"Value #{ref}": BPM_COLUMN}
                steps = [organize(names, ("__name__", "kind", "person", "site"))]
            case Sites():
                metric = f"{query.table}_{query.field}[${{__range_ms}}ms]"
                text = f"max by (site) (tlast_over_time({metric})) * 1000"
                steps = [organize({"site": SITE, "Value": query.label}, (TIME,), ("site", "Value"))]
            case Sensors():
                text = f"last_over_time({query.table}_{query.column.name}[${{__range_ms}}ms])"
                names = {"site": SITE, "source": SENSOR, "Value": query.column.label}
                steps = [organize(names, (TIME, "__name__", "person"), tuple(names))]
        return PanelTarget([_target(ref, text, form, legend)], steps)

    def _sources(self, ref: str, query: Sources) -> PanelTarget:
        refs = {f"{ref}{i}": c for i, c in enumerate(query.columns, 1)}
        no_inbox = f',source!="{INBOX}"'
        targets = [
            _target(
                r,
                f"last_over_time({self._metric(query.table, c.name, no_inbox)}{_RANGE})",
                "table",
                "",
            )
            for r, c in refs.items()
        ]
        names = {"source": SENSOR, **{f"Value #{r}": c.label for r, c in refs.items()}}
        steps = [_without_labels([]), {"id": "merge", "options": {}}, organize(names, (TIME,), tuple(names))]
        return PanelTarget(targets, steps)

    def _numbers(self, ref: str, query: Newest) -> PanelTarget:
        several = len(query.values) > 1
        targets = [
            _target(
                f"{ref}{i}" if several else ref,
                f"({self._expression(query, expression)}){self._conditions(query)}",
                "time_series",
                label,
            )
            for i, (label, expression) in enumerate(query.values.items(), 1)
        ]
        return PanelTarget(targets, _join(several=several))

    def _rows(self, ref: str, query: Rows) -> PanelTarget:
        names = list(dict.fromkeys(n for c in query.columns for n in (c.name, c.factor) if n))
        several = len(names) > 1
        refs = {name: f"{ref}{i}" if several else ref for i, name in enumerate(names, 1)}
        form = "table" if is_for_reading(query) else "time_series"
        shown = {c.name: c.label for c in query.columns if not _calculated(c)}
        metrics = {n: self._metric(query.table, n, _of_source(query.source)) + _RANGE for n in names}
        if query.newest and not query.source and "source" in TABLES[query.table].tags:
            # Every source has a newest one of its own.
            metrics = {
                n: f"last_over_time({m}) and on(source) topk(1, tlast_over_time({m}))"
                for n, m in metrics.items()
            }
        targets = [_target(r, metrics[n], form, shown.get(n, n)) for n, r in refs.items()]
        if is_for_reading(query):
            return PanelTarget(targets, _merge_rows(query, {refs[c.name]: c for c in query.columns}))
        return PanelTarget(targets, _join_columns(query.columns))

    def _newest(self, query: Newest | Line, name: str, also: str = "") -> str:
        seconds = within_s(query)
        span = f"[{seconds}s] offset 1ms" if seconds else _RANGE
        metric = self._metric(query.table, name, also)
        table = TABLES[query.table]
        always = next(column for column, kind in table.fields.items() if kind == REAL)
        newest = f"tlast_over_time({self._metric(query.table, always)}{span})"
        found = f"last_over_time({metric}{span})"
        # All columns are to be of one row: what the newest lacks is not that of an older one, nor of another sensor.
        found = f"{found} and (tlast_over_time({metric}{span}) >= on() group_left() max({newest}))"
        return f"({found} and on(source) topk(1, {newest}))" if "source" in table.tags else f"({found})"

    def _expression(self, query: Newest | Line, expression: str) -> str:
        # The greatest of one is that one, without its labels.
        return fill_in(
            expression, query.table, lambda name: f"max({self._newest(query, name)})", "(${__to} / 1000)"
        )

    def _conditions(self, query: Newest | Line) -> str:
        return "".join(f" and on() ({self._condition(query, c)})" for c in conditions(query))

    def _condition(self, query: Newest | Line, condition: str) -> str:
        on_text = text_condition(condition)
        if on_text:
            name, operator, word = on_text
            return self._newest(query, name, f',{name}{operator}"{word}"')
        return self._expression(query, condition.replace(" = ", " == "))

    def _line(self, ref: str, query: Line) -> PanelTarget:
        """The value as a number, or a row in which it and the values of its links are labels."""
        if is_text(query.table, query.value):
            name = query.value
            text = f"topk(1, max by ({name}) ({self._newest(query, name)}))"
        else:
            text = f"({self._expression(query, query.value)})"
        for name, expression in query.links.items():
            text += (
                f' * on() group_left({name}) count_values("{name}", {self._expression(query, expression)})'
            )
        form = "table" if query.links or is_text(query.table, query.value) else "time_series"
        return PanelTarget([_target(ref, f"({text}){self._conditions(query)}", form, ref)])

    def person_query(self) -> Json:
        """Everybody who has a week."""
        return _label_values("person", '{site="${site:raw}"}' if self.has_sites else "")

    def site_query(self) -> Json:
        """Every site."""
        return _label_values("site", "")

    def not_judged(self) -> Json:
        """A span for each week that is not judged: a range query sees each row for as long as it is looked back at."""
        return {
            "expr": f"last_over_time({self._metric('week', 'not_judged')}[7d])",
            "step": "1h",
            "titleFormat": "{{not_judged}}",
            "textFormat": "",
            "tagKeys": "",
            "useValueForTime": False,
        }


def _of_source(source: str) -> str:
    return f',source="{source}"' if source else ""


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


def _label_values(label: str, which: str) -> Json:
    # Not label_values(): that one knows nobody on a Monday morning, before anything is measured in the week shown.
    text = f"query_result(last_over_time(week_measured_h{which}[5y]))"
    return {"query": text, "definition": text, "regex": f'/{label}="([^"]+)"/'}


def _calculated(column: Column) -> bool:
    return column.divisor != 1 or bool(column.factor)


def _join(*, several: bool) -> list[Json]:
    return [{"id": "joinByField", "options": {"byField": TIME, "mode": "outer"}}] if several else []


def _join_columns(columns: Sequence[Column]) -> list[Json]:
    """Columns that came one by one as one frame, those that have to be calculated calculated."""
    steps = _join(several=len({n for c in columns for n in (c.name, c.factor) if n}) > 1)
    shown = {c.name: c.label for c in columns if not _calculated(c)}
    left_out: list[str] = []
    for c in filter(_calculated, columns):
        operator, right = ("*", c.factor) if c.factor else ("/", str(c.divisor))
        steps.append(calculate(shown.get(c.name, c.name), operator, shown.get(right, right), c.label))
        left_out += [n for n in (c.name, c.factor) if n and n not in shown]
    if left_out:
        steps.append(organize({}, tuple(left_out), (TIME, *(c.label for c in columns))))
    return steps


def _without_labels(also: Sequence[str]) -> Json:
    return {
        "id": "filterFieldsByName",
        "options": {"exclude": {"names": ["__name__", "person", "site", *also]}},
    }


def _merge_rows(query: Rows, refs: Mapping[str, Column]) -> list[Json]:
    """Columns that came one by one as one table, a line for each time and source."""
    assert not any(map(_calculated, query.columns)), "a table shows seconds as they are"
    texts = {ref for ref, c in refs.items() if is_text(query.table, c.name)}
    values = {ref: f"Value #{ref}" if len(refs) > 1 else "Value" for ref in refs}
    left_out = [values[ref] for ref in refs if ref in texts]
    names = {c.name if ref in texts else values[ref]: c.label for ref, c in refs.items()}
    return [
        _without_labels(left_out if query.sensor_label else [*left_out, "source"]),
        {"id": "merge", "options": {}},
        organize({"source": query.sensor_label, **names}, (), (TIME, "source", *names)),
        {"id": "sortBy", "options": {"fields": {}, "sort": [{"field": TIME, "desc": True}]}},
    ]
