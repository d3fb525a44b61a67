"""What several dashboards show."""

from collections.abc import Mapping

from ingest.grafana.charts import time_series_panel
from ingest.grafana.panel import (
    BPM,
    LINES,
    MEASURED,
    MODERATE,
    NAMELESS,
    VIGOROUS,
    WIDTH,
    Override,
    Panel,
    fixed_color,
    text_panel,
)
from ingest.grafana.query import Column, Latest, Lines, Query, Rows
from ingest.language import N_

DONE = "target_min - to_go_min"
"""The minutes of a week short of its target: rounded down, so that they never look like enough."""

FULL = "0.49999"
"""What makes of the minutes of one or more, shown as the whole number that is nearest, the full ones, as `full_minutes` gives them."""

_LEAST, _MOST = "dose_least_min - target_min", "dose_most_min - target_min"

SURELY_MET, SURELY_NOT_MET = f"{_LEAST} >= 0", f"{_MOST} < 0"

OPEN = (f"{_LEAST} < 0", f"{_MOST} >= 0")
"""Where just the seconds that a watch did not write decide whether a week is enough."""

LONGEST_MS = 90_000
"""What a sample stands for at most; a longer silence is a gap in the line, not a line."""

LIMITS: Mapping[str, Query] = {
    "M": Latest("profile", Column("moderate_bpm", N_("Moderate from"))),
    "V": Latest("profile", Column("vigorous_bpm", N_("Vigorous from"))),
}
"""The limits in force now."""

LIMIT_LINES: Mapping[str, Query] = {
    "M": Rows("limits", (Column("moderate_bpm", N_("Moderate from")),)),
    # Asked for twice: the band below it has the colour of what lies in it, the line that of what begins there.
    "T": Rows("limits", (Column("vigorous_bpm", N_("Moderate")),)),
    "V": Rows("limits", (Column("vigorous_bpm", N_("Vigorous from")),)),
}
"""The limits that minutes were counted by: a band is only drawn where both have points, and none where nothing is."""

_STEPPED = {
    "custom.lineInterpolation": "stepAfter",
    "custom.showPoints": "never",
    "custom.spanNulls": True,
    "custom.insertNulls": False,
}

_DASHED = {**_STEPPED, "custom.lineStyle": {"fill": "dash", "dash": [12, 6]}, "custom.lineWidth": 2}

_LIMIT_LOOKS = {
    "M": {"displayName": N_("Moderate from"), "color": fixed_color(MODERATE), **_DASHED},
    "T": {
        "displayName": N_("Moderate"),
        "color": fixed_color(MODERATE),
        **_STEPPED,
        "custom.lineWidth": 0,
        "custom.fillBelowTo": "Moderate from",
        "custom.fillOpacity": 25,
        "custom.hideFrom": NAMELESS,
    },
    "V": {"displayName": N_("Vigorous from"), "color": fixed_color(VIGOROUS), **_DASHED},
}

HEART = {"insertNulls": LONGEST_MS, "spanNulls": LONGEST_MS, "lineInterpolation": "linear"}


def heart_rate_panel(
    title: str, no_value: str, *, width: int = WIDTH, height: int = 10, time_from: str = ""
) -> Panel:
    """Every sample of every sensor, with the limits."""
    return time_series_panel(
        title,
        N_(
            "Every sample. The band is moderate, all above it vigorous, all below it light. A gap was not measured."
        ),
        width,
        {"A": Lines("heart_rate", Column("bpm", "bpm")), **LIMIT_LINES},
        BPM,
        no_value,
        custom=HEART,
        query_overrides=_LIMIT_LOOKS,
        defaults={"min": 40},
        height=height,
        sensor_column=LINES,
        time_from=time_from,
    )


def minutes_of_heart_rate_panel(title: str, no_value: str, *, time_from: str = "") -> Panel:
    """The mean of each minute, of all sensors together."""
    return time_series_panel(
        title,
        N_(
            "The mean of each minute, of all sensors together. The band is moderate, all above it vigorous, all below it"
            " light. A gap was not measured."
        ),
        WIDTH,
        {"A": Rows("minute", (Column("bpm", N_("Heart rate")),)), **LIMIT_LINES},
        BPM,
        no_value,
        custom=HEART,
        query_overrides=_LIMIT_LOOKS,
        defaults={"min": 40},
        overrides=[Override("Heart rate", {"color": fixed_color(MEASURED)})],
        time_from=time_from,
    )


def what_it_is_panel() -> Panel:
    """What this is, and what it is not."""
    return text_panel(
        N_(
            "Minutes from a heart-rate sensor against a target of your own. Not a medical device. Time that no sensor saw is"
            " *not measured*: it is never counted as rest, and never as movement."
        ),
        WIDTH,
        3,
    )
