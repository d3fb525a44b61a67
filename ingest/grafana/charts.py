"""Panels that draw numbers as lengths: bars, lines over time, bands of states."""

from collections.abc import Mapping, Sequence
from typing import Any

from ingest.grafana.panel import (
    LINES,
    MINUTES,
    MODERATE,
    NAMELESS,
    PLAIN,
    STATE,
    WIDTH,
    Override,
    Panel,
    fixed_color,
    value_mappings,
)
from ingest.grafana.query import TIME, Json, Query
from ingest.grafana.unit import moment_unit
from ingest.language import N_

_BARS_HEIGHT = 12
"""Grafana leaves a tenth of the scale free above the tallest bar: in a lower panel its number does not fit there."""


def progress_bar_panel(title: str, description: str, query: Query, no_value: str) -> Panel:
    """One bar on its side: what is done, what is to go as an empty frame, and the target as a mark across."""
    hollow = {"custom.fillOpacity": 0, "custom.lineWidth": 2}
    overrides = [
        Override(TIME, {"unit": "time:[ ]", "custom.axisPlacement": "hidden"}),
        Override("Done", {"color": fixed_color(MODERATE)}),
        Override("To go", {"color": fixed_color(PLAIN), **hollow}),
        Override("Target", {"color": fixed_color("text")}),
        Override("More", {"color": fixed_color(MODERATE), "custom.hideFrom": NAMELESS}),
    ]
    thick = {"barWidth": 0.97, "groupWidth": 0.97}
    options = {
        **_bar_options(),
        **thick,
        "orientation": "horizontal",
        "stacking": "normal",
        "showValue": "never",
    }
    defaults = _bar_defaults(MINUTES)
    # Its numbers stand in words above it.
    defaults["custom"]["axisPlacement"] = "hidden"
    return Panel(
        "barchart", title, description, WIDTH, 4, {"A": query}, no_value, defaults, options, overrides
    )


def bar_chart_panel(
    title: str,
    description: str,
    width: int,
    query: Query,
    unit: str,
    no_value: str,
    colors: Mapping[str, str],
    soft_max: float = 10,
) -> Panel:
    """A bar for each day that was measured, its number on it: nothing measured is no bar, and none is a 0.

    Several colours stand beside each other, without numbers: there is no room for so many. The axis reaches to `soft_max`
    at least.
    """
    several = len(colors) > 1
    options = {
        **_bar_options(),
        "legend": _legend([]) if several else {"showLegend": False},
        "showValue": "never" if several else "always",
    }
    overrides = [
        Override(TIME, {"unit": moment_unit(N_("ddd D"))}),
        *(Override(name, {"color": fixed_color(color)}) for name, color in colors.items()),
    ]
    defaults = _bar_defaults(unit, soft_max)
    return Panel(
        "barchart",
        title,
        description,
        width,
        _BARS_HEIGHT,
        {"A": query},
        no_value,
        defaults,
        options,
        overrides,
    )


def _bar_defaults(unit: str, soft_max: float = 0) -> Json:
    return {
        "unit": unit,
        "decimals": 0,
        "min": 0,
        "custom": {
            "fillOpacity": 100,
            "lineWidth": 1,
            "axisPlacement": "auto",
            "axisSoftMax": soft_max,
        },
    }


def _bar_options() -> Json:
    return {
        "xField": TIME,
        "orientation": "vertical",
        "stacking": "none",
        "showValue": "always",
        "barWidth": 0.8,
        "groupWidth": 0.8,
        "xTickLabelRotation": 0,
        "xTickLabelSpacing": 0,
        "legend": _legend([]),
        "tooltip": {"mode": "multi", "sort": "none"},
        "text": {"valueSize": 18},
    }


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
    legend: Sequence[str] = (),
    transformations: Sequence[Json] = (),
    sensor_column: str = "",
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
        transformations,
        sensor_column,
    )


def state_timeline_panel(
    title: str, description: str, width: int, query: Query, texts: Mapping[int, str], no_value: str
) -> Panel:
    """A band for each sensor, in whose parts stands what its numbers mean."""
    defaults = {
        "mappings": value_mappings(texts),
        "color": {"mode": "thresholds"},
        "thresholds": {"mode": "absolute", "steps": [{"color": STATE, "value": None}]},
        "custom": {"fillOpacity": 100, "lineWidth": 1},
    }
    options = {
        "showValue": "auto",
        "alignValue": "left",
        "mergeValues": True,
        "rowHeight": 0.8,
        "legend": {"showLegend": False, "displayMode": "list", "placement": "bottom"},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return Panel(
        "state-timeline",
        title,
        description,
        width,
        8,
        {"A": query},
        no_value,
        defaults,
        options,
        sensor_column=LINES,
    )


def _legend(numbers: Sequence[str]) -> Json:
    return {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": list(numbers)}
