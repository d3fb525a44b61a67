"""*Now*, for while one trains: heart rate and zone as large as the screen allows, and what it adds up to."""

from dataclasses import replace

from ingest.grafana.boards.shared import (
    DONE,
    FULL,
    LIMITS,
    OPEN,
    SURELY_MET,
    SURELY_NOT_MET,
    heart_rate_panel,
)
from ingest.grafana.dashboard import THIS_WEEK, Dashboard
from ingest.grafana.panel import BPM, WIDTH, Panel, stat_panel, words_panel
from ingest.grafana.query import BPM_COLUMN, SOURCE, Json, Line, Live, calculate
from ingest.language import N_

_FRESH_S = 30
"""A strap tells once a second and is committed every five; what is older than this is not now."""

_LIVE = Live(_FRESH_S)

_MOST = 4
"""Sensors at once."""

_NOT_WORN = N_("No sensor worn")

_LIGHT, _MODERATE, _VIGOROUS = N_("Light"), N_("Moderate"), N_("Vigorous")


_ZONE_STEPS: tuple[Json, ...] = (
    # All in one row. A heart rate at a limit is in the zone above, so half a beat is added to compare with.
    {"id": "concatenate", "options": {"frameNameMode": "drop", "frameNameLabel": "frame"}},
    calculate(BPM_COLUMN, "+", "0.5", "here"),
    # The middle one of heart rate and both limits is the lower limit below it, and the upper one above it.
    {
        "id": "calculateField",
        "options": {
            "mode": "reduceRow",
            "alias": "held",
            "replaceFields": False,
            "reduce": {"reducer": "median", "include": ["here", "Moderate from", "Vigorous from"]},
        },
    },
    calculate("held", "-", "Moderate from", "above"),
    calculate("Vigorous from", "-", "Moderate from", "width"),
    calculate("above", "/", "width", "part"),
    # Without a heart rate the middle of the limits would be left; of what is not there nothing can be made.
    calculate("here", "*", "0", "nothing"),
    calculate("part", "+", "nothing", N_("Zone")),
)
"""From heart rate and limits to 0 (light), between 0 and 1 (moderate) or 1 (vigorous): no store is asked to compare."""

_NO_ZONE = N_("No zone now")

_ZONES = [
    {"type": "special", "options": {"match": "null+nan", "result": {"text": _NO_ZONE, "index": 3}}},
    *(
        {"type": "range", "options": {"from": a, "to": b, "result": {"text": text, "index": i}}}
        for i, (a, b, text) in enumerate(
            [(-1e9, 0, _LIGHT), (1e-9, 1 - 1e-9, _MODERATE), (1, 1e9, _VIGOROUS)]
        )
    ),
]


def _zone_panel() -> Panel:
    return stat_panel(
        N_("Zone"),
        N_("What this heart rate counts as, by the limits in force."),
        12,
        {"A": _LIVE, "M": LIMITS["M"], "V": LIMITS["V"]},
        "none",
        _NO_ZONE,
        height=8,
        shown_field="Zone",
        rows=1,
        defaults={"mappings": _ZONES, "decimals": 3},
        transformations=_ZONE_STEPS,
    )


NOW = Dashboard(
    "now",
    N_("Now"),
    N_("While you move: heart rate, zone, and the minutes it adds up to."),
    [
        stat_panel(
            N_("Heart rate"),
            N_("The newest heart rate of the sensor that is believed, not older than half a minute."),
            12,
            {"A": _LIVE},
            BPM,
            _NOT_WORN,
            height=8,
            shown_field=BPM_COLUMN,
            rows=1,
        ),
        _zone_panel(),
        words_panel(
            N_("Minutes"),
            N_("Moderate minutes + 2 x vigorous minutes of this workout, of today and of the week."),
            9,
            13,
            (
                Line(
                    "session",
                    f"dose_min - {FULL}",
                    N_("{} min in this workout"),
                    ("dose_min >= 1", "end_s > {to_s} - 600"),
                    within_s=86_400,
                ),
                Line(
                    "day",
                    f"dose_min - {FULL}",
                    N_("{} min today"),
                    ("so_far_min >= 0", "dose_min >= 1"),
                    within_s=86_400,
                ),
                Line(
                    "day",
                    "dose_min * 0",
                    N_("{} min today"),
                    ("so_far_min >= 0", "dose_min < 1"),
                    within_s=86_400,
                ),
                # Short of the target rounded down, as on This week: it and what is to go make the target.
                Line("week", DONE, N_("{} min this week"), ("to_go_min > 0",)),
                Line("week", f"dose_min - {FULL}", N_("{} min this week"), ("to_go_min <= 0",)),
                Line(
                    "week",
                    f"dose_min - {FULL}",
                    N_("{} min this week"),
                    ("not_judged != ''", "limits = 'known'", "dose_min >= 1"),
                ),
                Line(
                    "week",
                    "dose_min * 0",
                    N_("{} min this week"),
                    ("not_judged != ''", "limits = 'known'", "dose_min < 1"),
                ),
                Line("week", "to_go_min", N_("{} min to go"), ("to_go_min > 0", SURELY_NOT_MET)),
                Line("week", "to_go_min", N_("✓ enough for this week"), ("to_go_min <= 0", SURELY_MET)),
                Line("week", "measured_h", N_("about enough for this week"), OPEN),
                Line("week", "measured_h", N_("Limits are not known"), ("limits != 'known'",)),
            ),
            N_("Nothing measured this week"),
        ),
        heart_rate_panel(
            N_("Heart rate, last hour"), N_("No sensor in the last hour"), width=15, height=13, time_from="1h"
        ),
        replace(
            stat_panel(
                N_("Sensors now"),
                N_("Every sensor that is heard; of two the first is believed."),
                WIDTH,
                {"A": _LIVE},
                BPM,
                _NOT_WORN,
                height=5,
                title_px=18,
                text="value_and_name",
                rows=_MOST,
                sensor_column=SOURCE,
            ),
            # By its question: a column that Grafana has renamed has a name already.
            query_overrides={"A": {"displayName": f"${{__data.fields.{SOURCE}}}"}},
        ),
    ],
    THIS_WEEK,
    "now",
    "5s",
    has_picker=False,
)
