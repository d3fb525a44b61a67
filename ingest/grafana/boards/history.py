"""*History*: a year of weeks, of rest and of workouts."""

from ingest.grafana.charts import time_series_panel
from ingest.grafana.dashboard import Dashboard
from ingest.grafana.panel import (
    BPM,
    HOURS,
    LINES,
    MEASURED,
    MINUTES,
    MODERATE,
    MS,
    NAMELESS,
    PLAIN,
    UNSEEN,
    VIGOROUS,
    WIDTH,
    Override,
    Panel,
    fixed_color,
    link_to,
    table_panel,
    value_mappings,
)
from ingest.grafana.query import SENSOR, TIME, Column, Json, Lines, Rows, calculate, full_numbers, organize
from ingest.grafana.unit import moment_unit, unit_of
from ingest.language import N_

NOTHING_YET = N_("Nothing measured in the time shown")

_BARS = {
    "drawStyle": "bars",
    "barAlignment": 1,
    "barWidthFactor": 0.85,
    "lineWidth": 2,
    "showPoints": "never",
}

_DASHED = {"custom.lineStyle": {"fill": "dash", "dash": [12, 6]}}

_AS_LINE = {"custom.drawStyle": "line", "custom.fillOpacity": 0, "custom.showPoints": "never"}

_THAT_WEEK = link_to(
    "week", "from=${__data.fields.Time.numeric}&to=${__data.fields.Until.numeric}999", N_("Open this week")
)

_HIDDEN = {"custom.hidden": True, "custom.hideFrom": UNSEEN, "unit": "none"}


def _window(of: str, reducer: str, rows: int, alias: str) -> Json:
    """A number for each row, of it and the rows before it."""
    window = {
        "field": of,
        "reducer": reducer,
        "windowAlignment": "trailing",
        "windowSizeMode": "fixed",
        "windowSize": rows,
    }
    return {
        "id": "calculateField",
        "options": {"mode": "windowFunctions", "alias": alias, "replaceFields": False, "window": window},
    }


_UNTIL = calculate("Ends", "-", "1", "Until")
"""The last second of a week: it is shown up to its last millisecond."""


def _usual_range_panel(
    title: str, description: str, column: Column, table: str, unit: str, rows: int, mean: str, no_value: str
) -> Panel:
    """Single values, their mean over so many, and one standard deviation around it as a band."""
    steps = (
        _window(column.label, "mean", rows, mean),
        _window(column.label, "stdDev", rows, "spread"),
        calculate(mean, "-", "spread", N_("Usual from")),
        calculate(mean, "+", "spread", N_("Usual to")),
        {
            "id": "organize",
            "options": {"excludeByName": {"spread": True}, "indexByName": {}, "renameByName": {}},
        },
    )
    edge = {
        "custom.lineWidth": 1,
        "custom.showPoints": "never",
        "custom.hideFrom": NAMELESS,
        "color": fixed_color(MEASURED),
    }
    return time_series_panel(
        title,
        description,
        12,
        {"A": Rows(table, (column,))},
        unit,
        no_value,
        custom={"showPoints": "always", "pointSize": 5, "spanNulls": True},
        overrides=[
            Override(column.label, {"color": fixed_color(PLAIN), "custom.drawStyle": "points"}),
            Override(
                mean, {"color": fixed_color(MEASURED), "custom.lineWidth": 3, "custom.showPoints": "never"}
            ),
            Override("Usual from", edge),
            Override("Usual to", {**edge, "custom.fillBelowTo": "Usual from", "custom.fillOpacity": 25}),
        ],
        transformations=steps,
    )


_WEEKDAYS = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))

_SHADES = [
    {"color": "transparent", "value": None},
    *(
        {"color": color, "value": minutes}
        for minutes, color in ((1, "#D6E6F4"), (60, "#9CC7E6"), (240, MODERATE))
    ),
]
"""Of many minutes more than of few; words in black or white can be read on each."""

_MAP_STEPS: tuple[Json, ...] = (
    {
        "id": "groupBy",
        "options": {
            "fields": {
                "Weekday": {"operation": "groupby", "aggregations": []},
                "Hour": {"operation": "groupby", "aggregations": []},
                "Minutes": {"operation": "aggregate", "aggregations": ["sum"]},
            }
        },
    },
    {
        "id": "groupingToMatrix",
        "options": {
            "columnField": "Weekday",
            "rowField": "Hour",
            "valueField": "Minutes (sum)",
            "emptyValue": "null",
        },
    },
    {
        "id": "organize",
        "options": {
            "excludeByName": {},
            "indexByName": {"Hour\\Weekday": 0, **{str(i): i for i in range(1, 8)}},
            "renameByName": {"Hour\\Weekday": "Hour", **{str(i): d for i, d in enumerate(_WEEKDAYS, 1)}},
        },
    },
    {"id": "sortBy", "options": {"fields": {}, "sort": [{"field": "Hour", "desc": False}]}},
)
"""From a row for each hour with minutes in it to a table of the hours of a day by the days of a week."""

HISTORY = Dashboard(
    "history",
    N_("History"),
    N_("Weeks, resting heart rate, variability and workouts over a year."),
    [
        time_series_panel(
            N_("Weeks against the target"),
            N_(
                "Moderate minutes + 2 x vigorous minutes of each week: a full bar has met its target; an empty frame has not"
                " met it, or not yet, or there was no target. It is the least it can be: what no sensor saw is not in it. The stepped line is the target. A week without a bar was not measured. A click opens a week."
            ),
            WIDTH,
            {
                "A": Rows(
                    "week",
                    (
                        Column("dose_min", N_("Minutes")),
                        Column("dose_min", N_("Target met"), factor="met"),
                        Column("target_min", N_("Target")),
                        Column("end_s", "Ends"),
                    ),
                )
            },
            MINUTES,
            NOTHING_YET,
            height=11,
            custom={**_BARS, "fillOpacity": 0},
            defaults={"min": 0},
            overrides=[
                Override("Minutes", {"color": fixed_color(MODERATE), "links": _THAT_WEEK}),
                Override(
                    "Target met",
                    {"color": fixed_color(MODERATE), "custom.fillOpacity": 100, "links": _THAT_WEEK},
                ),
                Override(
                    "Target",
                    {
                        **_AS_LINE,
                        **_DASHED,
                        "color": fixed_color(VIGOROUS),
                        "custom.lineInterpolation": "stepAfter",
                        "custom.lineWidth": 3,
                    },
                ),
                Override(
                    "Mean of four weeks",
                    {
                        **_AS_LINE,
                        "color": fixed_color(PLAIN),
                        "custom.lineWidth": 3,
                        "custom.spanNulls": True,
                    },
                ),
                *(Override(name, _HIDDEN) for name in ("Ends", "Until")),
            ],
            transformations=(_window("Minutes", "mean", 4, N_("Mean of four weeks")), _UNTIL),
        ),
        table_panel(
            N_("Week by week"),
            N_(
                "The newest first. A click on a week opens it. A week whose last day is still to come is open: its minutes are"
                " those so far."
            ),
            WIDTH,
            Rows(
                "week",
                (
                    Column("dose_min", "Dose"),
                    Column("target_min", N_("Target")),
                    Column("to_go_min", N_("Enough?")),
                    Column("measured_h", N_("Measured")),
                    Column("not_judged", N_("Not judged")),
                    Column("end_s", "Ends"),
                ),
            ),
            NOTHING_YET,
            [
                Override(
                    TIME,
                    {
                        "displayName": N_("Week of"),
                        "unit": moment_unit(N_("D MMM YYYY")),
                        "custom.width": 130,
                        "links": _THAT_WEEK,
                    },
                ),
                *(Override(name, {"unit": MINUTES, "custom.width": 110}) for name in ("Minutes", "Target")),
                Override(
                    "Enough?",
                    {
                        "unit": unit_of(N_("{} min short")),
                        "mappings": value_mappings({0: N_("✓ met")}),
                        "custom.width": 150,
                    },
                ),
                Override("Measured", {"unit": HOURS, "decimals": 1, "custom.width": 110}),
                Override("Last day", {"unit": moment_unit(N_("D MMM YYYY")), "custom.width": 130}),
                Override("Not judged", {"noValue": " "}),
                *(Override(name, _HIDDEN) for name in ("Ends", "Until")),
            ],
            transformations=(
                _UNTIL,
                calculate("Until", "*", "1000", N_("Last day")),
                full_numbers("Dose", N_("Minutes")),
                organize(
                    {},
                    ("Dose",),
                    (TIME, "Last day", "Minutes", "Target", "Enough?", "Measured", "Not judged"),
                ),
            ),
        ),
        table_panel(
            N_("When you move, by hour and weekday"),
            N_(
                "Moderate and vigorous minutes of the time shown, added up: the hours of a day by the days of a week."
            ),
            12,
            Rows(
                "hour",
                (
                    Column("active_min", N_("Minutes")),
                    Column("weekday", N_("Weekday")),
                    Column("hour", N_("Hour")),
                ),
            ),
            NOTHING_YET,
            [
                Override("Hour", {"unit": HOURS, "custom.cellOptions": {"type": "auto"}, "custom.width": 70}),
                *(
                    Override(
                        day,
                        {
                            "custom.cellOptions": {"type": "color-background", "mode": "basic"},
                            "color": {"mode": "thresholds"},
                            "thresholds": {"mode": "absolute", "steps": _SHADES},
                        },
                    )
                    for day in _WEEKDAYS
                ),
            ],
            by="Hour",
            height=10,
            transformations=_MAP_STEPS,
        ),
        _usual_range_panel(
            N_("Resting heart rate"),
            N_(
                "The lowest mean of five minutes of each day, its mean over seven days, and the band it usually lies in. A day with"
                " less than two hours of measured rest has none."
            ),
            Column("resting_bpm", N_("Each day")),
            "day",
            BPM,
            7,
            N_("Mean of seven days"),
            N_("Not known yet: it takes a day with two hours of measured rest"),
        ),
        _usual_range_panel(
            N_("Heart rate variability at rest"),
            N_(
                "RMSSD of the quietest five minutes of each day, its mean over four weeks, and the band it usually lies in; from"
                " sensors that tell single beats."
            ),
            Column("rest_rmssd_ms", N_("Each day")),
            "variability",
            MS,
            28,
            N_("Mean of four weeks"),
            N_("Not known yet: it takes a sensor that tells single beats"),
        ),
        time_series_panel(
            N_("Heart rate variability in workouts"),
            N_("RMSSD of each workout and of the quietest five minutes of each day, by sensor."),
            12,
            {"A": Lines("variability", Column("rmssd_ms", "RMSSD"))},
            MS,
            N_("Not known yet: it takes a sensor that tells single beats"),
            custom={"drawStyle": "points", "pointSize": 7},
            sensor_column=LINES,
        ),
        table_panel(
            N_("Workouts"),
            N_(
                "The newest first; a click on its time opens a workout. Load is Banister's training impulse; recovery is how far"
                " the heart came down in a minute. Empty means: not known."
            ),
            WIDTH,
            Rows(
                "session",
                (
                    Column("sport", N_("Sport")),
                    Column("duration_s", N_("Duration")),
                    Column("dose_min", N_("Minutes")),
                    Column("moderate_s", N_("Moderate")),
                    Column("vigorous_s", N_("Vigorous")),
                    Column("bpm_mean", N_("Mean")),
                    Column("bpm_max", N_("Highest")),
                    Column("trimp", N_("Load")),
                    Column("recovery_60s", N_("Recovery")),
                    Column("end_s", "Ends"),
                ),
                sensor_label=SENSOR,
            ),
            N_("No workout in the time shown"),
            [
                Override(
                    TIME,
                    {
                        "unit": moment_unit(N_("ddd D MMM YYYY, H:mm")),
                        "custom.width": 210,
                        "links": link_to(
                            "workout",
                            "from=${__data.fields.Time.numeric}&to=${__data.fields.Ends.numeric}000",
                            N_("Open this workout"),
                        ),
                    },
                ),
                *(Override(name, {"unit": "dthms"}) for name in ("Duration", "Moderate", "Vigorous")),
                *(Override(name, {"unit": BPM}) for name in ("Mean", "Highest", "Recovery")),
                Override("Minutes", {"unit": MINUTES}),
                Override("Ends", _HIDDEN),
            ],
            sensor_column=SENSOR,
        ),
    ],
    "now-1y/w",
    "now/w",
    "5m",
    shows_weeks_not_judged=True,
)
