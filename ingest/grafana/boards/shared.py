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

LONGEST_MS = 90_000
"""What a sample stands for at most; a longer silence is a gap in the line, not a line."""

_VIGOROUS = Latest("profile", Column("vigorous_bpm", "Vigorous from"))

LIMITS: Mapping[str, Query] = {
    "M": Latest("profile", Column("moderate_bpm", "Moderate from")),
    # Asked for twice: the band below it has the colour of what lies in it, the line that of what begins there.
    "T": Latest("profile", Column("vigorous_bpm", "Moderate")),
    "V": _VIGOROUS,
}

_ACROSS = {
    # A profile is told once, perhaps years ago: Grafana draws its first value as a line across.
    "custom.transform": "constant",
    "custom.showPoints": "never",
    # Between its one point in 1970 and now a browser would put a gap every minute and a half: twenty million.
    "custom.insertNulls": False,
}

_DASHED = {**_ACROSS, "custom.lineStyle": {"fill": "dash", "dash": [12, 6]}, "custom.lineWidth": 2}

LIMIT_LINES = {
    "M": {"displayName": "Moderate from", "color": fixed_color(MODERATE), **_DASHED},
    "T": {
        "displayName": "Moderate",
        "color": fixed_color(MODERATE),
        **_ACROSS,
        "custom.lineWidth": 0,
        "custom.fillBelowTo": "Moderate from",
        "custom.fillOpacity": 25,
        "custom.hideFrom": NAMELESS,
    },
    "V": {"displayName": "Vigorous from", "color": fixed_color(VIGOROUS), **_DASHED},
}

HEART = {"insertNulls": LONGEST_MS, "spanNulls": LONGEST_MS, "lineInterpolation": "linear"}

BETWEEN = "The band is moderate, all above it vigorous, all below it light. A gap was not measured."


def heart_rate_panel(
    title: str, no_value: str, *, width: int = WIDTH, height: int = 10, time_from: str = ""
) -> Panel:
    """Every sample of every sensor, with the limits."""
    return time_series_panel(
        title,
        f"Every sample. {BETWEEN}",
        width,
        {"A": Lines("heart_rate", Column("bpm", "bpm")), **LIMITS},
        BPM,
        no_value,
        custom=HEART,
        query_overrides=LIMIT_LINES,
        defaults={"min": 40},
        height=height,
        sensor_column=LINES,
        time_from=time_from,
    )


def minutes_of_heart_rate_panel(title: str, no_value: str, *, time_from: str = "") -> Panel:
    """The mean of each minute, of all sensors together."""
    return time_series_panel(
        title,
        f"The mean of each minute, of all sensors together. {BETWEEN}",
        WIDTH,
        {"A": Rows("minute", (Column("bpm", "Heart rate"),)), **LIMITS},
        BPM,
        no_value,
        custom=HEART,
        query_overrides=LIMIT_LINES,
        defaults={"min": 40},
        overrides=[Override("Heart rate", {"color": fixed_color(MEASURED)})],
        time_from=time_from,
    )


def what_it_is_panel() -> Panel:
    """What this is, and what it is not."""
    return text_panel(
        "Minutes from a heart-rate sensor against a target of your own. Not a medical device. Time that no sensor saw is"
        " *not measured*: it is never counted as rest, and never as movement.",
        WIDTH,
        3,
    )
