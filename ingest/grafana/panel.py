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
class Style:
    """How one thing in a panel differs from the rest of it: what is called so, or, by "byType", all of a type."""

    name: str
    properties: Mapping[str, Any]
    by: str = "byName"


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. `queries` by their references; `empty` is what it says when there is nothing."""

    kind: str
    title: str
    about: str
    width: int
    height: int
    queries: Mapping[str, Query] = field(default_factory=dict)
    empty: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    styles: Sequence[Style] = ()
    by_query: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """How all that comes of one query differs, by its reference."""
    span: str = ""
    """The time it shows where that is not the time of the dashboard, such as "1h" for the last hour."""

    def json(self, number: int, x: int, y: int, language: Language, uid: str) -> Json:
        """The panel in a place of its dashboard, asking a data source in its language."""
        source = {"type": language.type, "uid": uid}
        asked = [language.asked(ref, query) for ref, query in self.queries.items()]
        steps = [step for one in asked for step in one.transformations]
        # They work on everything that a panel has asked for.
        assert not steps or len(asked) == 1, self.title
        found: Json = {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": self.about,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
            "fieldConfig": {
                "defaults": {**({"noValue": self.empty} if self.empty else {}), **self.defaults},
                "overrides": [
                    *(_override(s.by, s.name, s.properties) for s in self.styles),
                    *(_override("byFrameRefID", ref, p) for ref, p in self.by_query.items()),
                ],
            },
            "options": dict(self.options),
        }
        if asked:
            found["datasource"] = source
            found["targets"] = [{"datasource": source, **target} for one in asked for target in one.targets]
            found["transformations"] = steps
        if self.span:
            found["timeFrom"] = self.span
        return found


def _override(matcher: str, which: str, properties: Mapping[str, Any]) -> Json:
    return {
        "matcher": {"id": matcher, "options": which},
        "properties": [{"id": name, "value": value} for name, value in properties.items()],
    }


def coloured(colour: str) -> Json:
    """One colour, whatever the value is."""
    return {"mode": "fixed", "fixedColor": colour}


# --- the sorts of panels ---


def number(
    title: str,
    about: str,
    width: int,
    queries: Mapping[str, Query],
    unit: str,
    empty: str,
    *,
    height: int = 5,
    text: str = "value_and_name",
    field_shown: str = "",
    name: str = "",
    meanings: Mapping[int, str] | None = None,
    styles: Sequence[Style] = (),
    span: str = "",
) -> Panel:
    """One or a few large numbers, each the newest of its kind, or the words that they mean."""
    named = {"displayName": name} if name else {}
    meant = {"mappings": mapped(meanings)} if meanings else {}
    defaults = {"unit": unit, "decimals": 0, "color": coloured(PLAIN), **named, **meant}
    options = {
        "reduceOptions": {
            "calcs": ["lastNotNull"],
            "fields": f"/^{field_shown}$/" if field_shown else "",
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
    return Panel("stat", title, about, width, height, queries, empty, defaults, options, styles, span=span)


def lengths(
    title: str, about: str, width: int, query: Query, unit: str, empty: str, colours: Mapping[str, str]
) -> Panel:
    """Numbers as lengths below each other, all on one scale that begins with nothing."""
    defaults = {"unit": unit, "decimals": 0, "min": 0, "color": coloured(PLAIN)}
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
    styles = [
        Style(name, {"color": coloured(colour), "noValue": UNKNOWN}) for name, colour in colours.items()
    ]
    return Panel("bargauge", title, about, width, 7, {"A": query}, empty, defaults, options, styles)


def days(
    title: str,
    about: str,
    width: int,
    query: Query,
    unit: str,
    empty: str,
    colours: Mapping[str, str],
    most: float | None = None,
) -> Panel:
    """A bar for each day that was measured, its number on it: nothing measured is no bar, and none is a 0."""
    defaults = {
        "unit": unit,
        "decimals": 0,
        "min": 0,
        **({"max": most} if most else {}),
        "custom": {"fillOpacity": 85, "lineWidth": 1, "axisPlacement": "auto", "axisSoftMax": 10},
    }
    options = {
        "xField": TIME,
        "orientation": "vertical",
        "stacking": "normal" if len(colours) > 1 else "none",
        "showValue": "always",
        "barWidth": 0.8,
        "groupWidth": 0.8,
        "xTickLabelRotation": 0,
        "xTickLabelSpacing": 0,
        "legend": _legend([]) if len(colours) > 1 else {"showLegend": False},
        "tooltip": {"mode": "multi", "sort": "none"},
        "text": {"valueSize": 18},
    }
    styles = [
        Style(TIME, {"unit": "time:ddd D MMM"}),
        *(Style(name, {"color": coloured(colour)}) for name, colour in colours.items()),
    ]
    return Panel("barchart", title, about, width, 9, {"A": query}, empty, defaults, options, styles)


def course(
    title: str,
    about: str,
    width: int,
    queries: Mapping[str, Query],
    unit: str,
    empty: str,
    *,
    styles: Sequence[Style] = (),
    by_query: Mapping[str, Mapping[str, Any]] | None = None,
    custom: Mapping[str, Any] | None = None,
    defaults: Mapping[str, Any] | None = None,
    legend: Sequence[str] = ("lastNotNull",),
    height: int = 10,
    span: str = "",
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
        about,
        width,
        height,
        queries,
        empty,
        all_defaults,
        options,
        styles,
        by_query or {},
        span,
    )


def states(
    title: str, about: str, width: int, query: Query, meanings: Mapping[int, str], empty: str, name: str
) -> Panel:
    """A band for each line of an answer, in whose parts stands what its numbers mean."""
    defaults = {
        "displayName": name,
        "mappings": mapped(meanings),
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
    return Panel("state-timeline", title, about, width, 8, {"A": query}, empty, defaults, options)


def mapped(meanings: Mapping[int, str]) -> list[Json]:
    """Grafana's list of what numbers mean."""
    texts = {str(n): {"text": text, "index": i} for i, (n, text) in enumerate(meanings.items())}
    return [{"type": "value", "options": texts}]


def table(
    title: str,
    about: str,
    width: int,
    query: Query,
    empty: str,
    styles: Sequence[Style],
    *,
    by: str = TIME,
    height: int = 11,
) -> Panel:
    """Rows to be read: the newest first, or in the order of another column."""
    options = {"showHeader": True, "cellHeight": "md", "sortBy": [{"displayName": by, "desc": by == TIME}]}
    defaults = {"custom": {"align": "auto", "filterable": False, "minWidth": 90}, "decimals": 0}
    # What stands where a whole table is empty would otherwise stand in each empty cell.
    blank = [Style(kind, {"noValue": UNKNOWN}, "byType") for kind in ("number", "string")]
    all_styles = [*blank, *styles]
    return Panel("table", title, about, width, height, {"A": query}, empty, defaults, options, all_styles)


def words(text: str, width: int, height: int) -> Panel:
    """A text."""
    return Panel("text", "", "", width, height, options={"mode": "markdown", "content": text})


def _legend(numbers: Sequence[str]) -> Json:
    return {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": list(numbers)}
