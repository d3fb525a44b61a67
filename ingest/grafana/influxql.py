"""InfluxQL, the one language that InfluxDB 1.8, 2 and 3 all speak.

Names of persons and sites stand in expressions, where Grafana escapes whatever is in them.
"""

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
    conditions,
    fill_in,
    is_for_reading,
    is_text,
    organize,
    text_condition,
    within_s,
)

_SITE = '"site" =~ /^${site:regex}$/'
# What Grafana fills in has its end included, and the day that begins with it would be shown with the day before.
_RANGE = "$timeFilter AND time < ${__to}ms"


@dataclass(frozen=True, slots=True)
class InfluxQL:
    """InfluxQL for InfluxDB."""

    type: str = "influxdb"
    has_sites: bool = True

    @property
    def _person(self) -> str:
        return '"person" =~ /^${person:regex}$/' + (f" AND {_SITE}" if self.has_sites else "")

    def build_target(self, ref: str, query: Query) -> PanelTarget:
        """The question under a reference."""
        form, alias = "table", ""
        steps: list[Json] = []
        match query:
            case Rows():
                text = self._rows_text(query)
            case Lines():
                source = f" AND \"source\" = '{query.source}'" if query.source else ""
                text = (
                    f'SELECT {_column(query.column)} FROM "{query.table}" WHERE {self._person}{source} AND {_RANGE}'
                    ' GROUP BY "source"'
                )
                form, alias = "time_series", "$tag_source"
            case Latest():
                text = (
                    f'SELECT {_column(query.column)} FROM "{query.table}" WHERE {self._person}'
                    " AND time <= ${__to}ms ORDER BY time DESC LIMIT 1"
                )
            case Newest() | Line():
                text = self._newest_text(ref, query)
            case Live():
                text = (
                    f'SELECT last("bpm") AS "{BPM_COLUMN}" FROM "heart_rate" WHERE {self._person} AND "kind" = \'strap\''
                    f' AND time >= ${{__to}}ms - {query.within_s}s AND time < ${{__to}}ms GROUP BY "source"'
                )
            case Sources():
                chosen = ", ".join(f'last("{c.name}") AS "{c.label}"' for c in query.columns)
                text = (
                    f'SELECT {chosen} FROM "{query.table}" WHERE {self._person} AND {_RANGE} AND "source" != \'{INBOX}\''
                    ' GROUP BY "source"'
                )
                steps = [organize({"source": SENSOR}, (TIME,), ("source", *(c.label for c in query.columns)))]
            case Sites():
                text = f'SELECT last("{query.field}") AS "value" FROM "{query.table}" WHERE $timeFilter GROUP BY "site"'
                steps = [organize({TIME: query.label, "site": SITE}, ("value",), ("site", TIME))]
            case Sensors():
                text = (
                    f'SELECT last("{query.column.name}") AS "value" FROM "{query.table}" WHERE $timeFilter'
                    ' GROUP BY "site", "source"'
                )
                names = {"site": SITE, "source": SENSOR, "value": query.column.label}
                steps = [organize(names, (TIME,), tuple(names))]
        target = {"refId": ref, "rawQuery": True, "query": text, "resultFormat": form, "alias": alias}
        return PanelTarget([target], steps)

    def _rows_text(self, query: Rows) -> str:
        selected = [f'"source" AS "{query.sensor_label}"'] if query.sensor_label else []
        selected += [_column(c) for c in query.columns]
        order = " ORDER BY time DESC" if query.newest or is_for_reading(query) else ""
        limit = " LIMIT 1" if query.newest else ""
        source = f" AND \"source\" = '{query.source}'" if query.source else ""
        return f'SELECT {", ".join(selected)} FROM "{query.table}" WHERE {self._person}{source} AND {_RANGE}{order}{limit}'

    def _newest_text(self, ref: str, query: Newest | Line) -> str:
        if isinstance(query, Newest):
            values = query.values
        else:
            values = {query.value if is_text(query.table, query.value) else ref: query.value, **query.links}
        chosen = [f'{_expression(e, query.table)} AS "{name}"' for name, e in values.items()]
        since = (
            f"time >= ${{__to}}ms - {within_s(query)}s AND time < ${{__to}}ms" if within_s(query) else _RANGE
        )
        newest = f'SELECT * FROM "{query.table}" WHERE {self._person} AND {since} ORDER BY time DESC LIMIT 1'
        where = " AND ".join(_condition(c, query.table) for c in conditions(query))
        return (
            f"SELECT {', '.join(chosen)} FROM ({newest})"
            + (f" WHERE {where}" if where else "")
            + " ORDER BY time DESC"
        )

    def person_query(self) -> Json:
        """Everybody who has a week."""
        site = f" WHERE {_SITE}" if self.has_sites else ""
        text = f'SHOW TAG VALUES FROM "week" WITH KEY = "person"{site}'
        return {"query": text, "definition": text, "regex": ""}

    def site_query(self) -> Json:
        """Every site."""
        text = 'SHOW TAG VALUES FROM "week" WITH KEY = "site"'
        return {"query": text, "definition": text, "regex": ""}

    def not_judged(self) -> Json:
        """A span for each week that is not judged."""
        chosen = '"not_judged", "end_s" * 1000 AS "end"'
        query = f'SELECT {chosen} FROM "week" WHERE {self._person} AND {_RANGE} AND "not_judged" != \'\''
        return {
            "query": query,
            "textColumn": "not_judged",
            "timeEndColumn": "end",
            "tagsColumn": "",
            "titleColumn": "",
        }


def _condition(condition: str, table: str) -> str:
    on_text = text_condition(condition)
    if on_text:
        return f"\"{on_text[0]}\" {on_text[1]} '{on_text[2]}'"
    return _expression(condition, table)


def _expression(expression: str, table: str) -> str:
    return fill_in(expression, table, lambda name: f'"{name}"', "${__to} / 1000")


def _column(column: Column) -> str:
    value = f'"{column.name}"' + (f" / {column.divisor}" if column.divisor != 1 else "")
    value += f' * "{column.factor}"' if column.factor else ""
    return f'{value} AS "{column.label}"'
