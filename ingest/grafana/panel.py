"""Panels as Grafana keeps them: what is asked, how it is drawn, and what stands there while there is nothing to draw.

Only panels that come with Grafana. The colours are of Okabe and Ito's set, those of them that stand out from a white and
from a black page alike (https://jfly.uni-koeln.de/color/); nothing is told by colour alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ingest.grafana.query import TIME, Json, Language, Query

MODERATE, VIGOROUS, MEASURED, ELEVATED, PLAIN = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8C8C8C"

MINUTES, HOURS, DAYS, BPM = "suffix: min", "suffix: h", "suffix: days", "suffix: bpm"
"""Units that stay what they are: Grafana's own would make 1.9 hours of 114 minutes."""

UNKNOWN = "-"
"""Stands for one thing that is not known, among others that are."""

WIDTH = 24
"""Columns of a dashboard."""

_LARGE, _MEDIUM = 44, 20
"""Sizes of letters, for people who see badly."""


@dataclass(frozen=True, slots=True)
class Override:
    """How one thing in a panel differs from the rest of it: what is called so, or, by "byType", all of a type."""

    name: str
    properties: Mapping[str, Any]
    by: str = "byName"


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. `queries` by their references; `no_value` is what it says when there is nothing."""

    type: str
    title: str
    description: str
    width: int
    height: int
    queries: Mapping[str, Query] = field(default_factory=dict)
    no_value: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    overrides: Sequence[Override] = ()
    query_overrides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """How all that comes of one query differs, by its reference."""
    time_from: str = ""
    """The time it shows where that is not the time of the dashboard, such as "1h" for the last hour."""

    def json(self, number: int, x: int, y: int, language: Language, uid: str) -> Json:
        """The panel in a place of its dashboard, asking a data source in its language."""
        source = {"type": language.type, "uid": uid}
        built = [language.build_target(ref, query) for ref, query in self.queries.items()]
        steps = [step for one in built for step in one.transformations]
        # They work on everything that a panel has asked for.
        assert not steps or len(built) == 1, self.title
        found: Json = {
            "id": number,
            "type": self.type,
            "title": self.title,
            "description": self.description,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
            "fieldConfig": {
                "defaults": {**({"noValue": self.no_value} if self.no_value else {}), **self.defaults},
                "overrides": [
                    *(_override_json(o.by, o.name, o.properties) for o in self.overrides),
                    *(_override_json("byFrameRefID", ref, p) for ref, p in self.query_overrides.items()),
                ],
            },
            "options": dict(self.options),
        }
        if built:
            found["datasource"] = source
            found["targets"] = [{"datasource": source, **target} for one in built for target in one.targets]
            found["transformations"] = steps
        if self.time_from:
            found["timeFrom"] = self.time_from
        return found


def _override_json(matcher: str, which: str, properties: Mapping[str, Any]) -> Json:
    return {
        "matcher": {"id": matcher, "options": which},
        "properties": [{"id": name, "value": value} for name, value in properties.items()],
    }


def fixed_color(color: str) -> Json:
    """One colour, whatever the value is."""
    return {"mode": "fixed", "fixedColor": color}


# --- kinds of panels ---


def stat_panel(
    title: str,
    description: str,
    width: int,
    queries: Mapping[str, Query],
    unit: str,
    no_value: str,
    *,
    height: int = 5,
    text: str = "value_and_name",
    shown_field: str = "",
    name: str = "",
    texts: Mapping[int, str] | None = None,
    overrides: Sequence[Override] = (),
    time_from: str = "",
) -> Panel:
    """One or a few large numbers, each the newest of its kind, or the words that they mean."""
    named = {"displayName": name} if name else {}
    meant = {"mappings": value_mappings(texts)} if texts else {}
    defaults = {"unit": unit, "decimals": 0, "color": fixed_color(PLAIN), **named, **meant}
    options = {
        "reduceOptions": {
            "calcs": ["lastNotNull"],
            "fields": f"/^{shown_field}$/" if shown_field else "",
            "values": False,
        },
        "colorMode": "none",
        "graphMode": "none",
        "justifyMode": "center",
        "textMode": text,
        "orientation": "auto",
        "wideLayout": False,
        "text": {"titleSize": _MEDIUM, "valueSize": _LARGE},
    }
    return Panel(
        "stat",
        title,
        description,
        width,
        height,
        queries,
        no_value,
        defaults,
        options,
        overrides,
        time_from=time_from,
    )


def bar_gauge_panel(
    title: str,
    description: str,
    width: int,
    query: Query,
    unit: str,
    no_value: str,
    colors: Mapping[str, str],
) -> Panel:
    """Numbers as lengths below each other, all on one scale that begins with nothing."""
    defaults = {"unit": unit, "decimals": 0, "min": 0, "color": fixed_color(PLAIN)}
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "orientation": "horizontal",
        "displayMode": "basic",
        "valueMode": "text",
        "namePlacement": "left",
        "showUnfilled": True,
        "sizing": "auto",
        "text": {"titleSize": _MEDIUM, "valueSize": 36},
    }
    overrides = [
        Override(name, {"color": fixed_color(color), "noValue": UNKNOWN}) for name, color in colors.items()
    ]
    return Panel(
        "bargauge", title, description, width, 7, {"A": query}, no_value, defaults, options, overrides
    )


def bar_chart_panel(
    title: str,
    description: str,
    width: int,
    query: Query,
    unit: str,
    no_value: str,
    colors: Mapping[str, str],
    maximum: float | None = None,
) -> Panel:
    """A bar for each day that was measured, its number on it: nothing measured is no bar, and none is a 0."""
    defaults = {
        "unit": unit,
        "decimals": 0,
        "min": 0,
        **({"max": maximum} if maximum else {}),
        "custom": {"fillOpacity": 85, "lineWidth": 1, "axisPlacement": "auto", "axisSoftMax": 10},
    }
    options = {
        "xField": TIME,
        "orientation": "vertical",
        "stacking": "normal" if len(colors) > 1 else "none",
        "showValue": "always",
        "barWidth": 0.8,
        "groupWidth": 0.8,
        "xTickLabelRotation": 0,
        "xTickLabelSpacing": 0,
        "legend": _legend([]) if len(colors) > 1 else {"showLegend": False},
        "tooltip": {"mode": "multi", "sort": "none"},
        "text": {"valueSize": 18},
    }
    overrides = [
        Override(TIME, {"unit": "time:ddd D MMM"}),
        *(Override(name, {"color": fixed_color(color)}) for name, color in colors.items()),
    ]
    return Panel(
        "barchart", title, description, width, 9, {"A": query}, no_value, defaults, options, overrides
    )


def time_series_panel(
    title: str,
    description: str,
    width: int,
    queries: Mapping[str, Query],
    unit: str,
    no_value: str,
    *,
    overrides: Sequence[Override] = (),
    query_overrides: Mapping[str, Mapping[str, Any]] | None = None,
    custom: Mapping[str, Any] | None = None,
    defaults: Mapping[str, Any] | None = None,
    legend: Sequence[str] = ("lastNotNull",),
    height: int = 10,
    time_from: str = "",
) -> Panel:
    """Values over time."""
    drawn = {
        "drawStyle": "line",
        "lineWidth": 2,
        "fillOpacity": 0,
        "pointSize": 6,
        "showPoints": "auto",
        "spanNulls": False,
        "axisPlacement": "auto",
        **(custom or {}),
    }
    options = {"legend": _legend(legend), "tooltip": {"mode": "multi", "sort": "none"}}
    all_defaults = {"unit": unit, "decimals": 0, "custom": drawn, **(defaults or {})}
    return Panel(
        "timeseries",
        title,
        description,
        width,
        height,
        queries,
        no_value,
        all_defaults,
        options,
        overrides,
        query_overrides or {},
        time_from,
    )


def state_timeline_panel(
    title: str, description: str, width: int, query: Query, texts: Mapping[int, str], no_value: str, name: str
) -> Panel:
    """A band for each line of an answer, in whose parts stands what its numbers mean."""
    defaults = {
        "displayName": name,
        "mappings": value_mappings(texts),
        "color": {"mode": "thresholds"},
        "thresholds": {"mode": "absolute", "steps": [{"color": PLAIN, "value": None}]},
        "custom": {"fillOpacity": 70, "lineWidth": 1},
    }
    options = {
        "showValue": "auto",
        "alignValue": "left",
        "mergeValues": True,
        "rowHeight": 0.8,
        "legend": {"showLegend": False, "displayMode": "list", "placement": "bottom"},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return Panel("state-timeline", title, description, width, 8, {"A": query}, no_value, defaults, options)


def value_mappings(texts: Mapping[int, str]) -> list[Json]:
    """Grafana's list of what numbers mean."""
    options = {str(n): {"text": text, "index": i} for i, (n, text) in enumerate(texts.items())}
    return [{"type": "value", "options": options}]


def table_panel(
    title: str,
    description: str,
    width: int,
    query: Query,
    no_value: str,
    overrides: Sequence[Override],
    *,
    by: str = TIME,
    height: int = 11,
) -> Panel:
    """Rows to be read: the newest first, or in the order of another column."""
    options = {"showHeader": True, "cellHeight": "md", "sortBy": [{"displayName": by, "desc": by == TIME}]}
    defaults = {"custom": {"align": "auto", "filterable": False, "minWidth": 90}, "decimals": 0}
    # What stands where a whole table is empty would otherwise stand in each empty cell.
    blank = [Override(kind, {"noValue": UNKNOWN}, "byType") for kind in ("number", "string")]
    all_overrides = [*blank, *overrides]
    return Panel(
        "table", title, description, width, height, {"A": query}, no_value, defaults, options, all_overrides
    )


def text_panel(text: str, width: int, height: int) -> Panel:
    """A text."""
    return Panel("text", "", "", width, height, options={"mode": "markdown", "content": text})


def _legend(numbers: Sequence[str]) -> Json:
    return {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": list(numbers)}
