"""The dashboards: which panels there are, in which order, in which words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ingest.collect.strap_state import NUMBERS
from ingest.grafana.panel import (
    BPM,
    DAYS,
    ELEVATED,
    HOURS,
    MEASURED,
    MINUTES,
    MODERATE,
    PLAIN,
    VIGOROUS,
    WIDTH,
    Override,
    Panel,
    bar_chart_panel,
    bar_gauge_panel,
    fixed_color,
    stat_panel,
    state_timeline_panel,
    table_panel,
    text_panel,
    time_series_panel,
    value_mappings,
)
from ingest.grafana.query import SITE, TIME, Column, Json, Language, Latest, Lines, Rows, Sensors, Sites

SCHEMA = 41
"""Of Grafana 11.6 and 12; those near by read it too, and newer ones bring it up to date by themselves."""

LONGEST_MS = 90_000
"""What a sample stands for at most; a longer silence is a gap in the line, not a line."""

NOTHING_YET = "Nothing measured yet"

INBOX = "inbox"
"""The source of what files tell of themselves."""

OF_SOURCE = "${__field.labels.source}"
"""The name of a line: that of its sensor."""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One dashboard. `time_from` and `time_to` are the time it shows at first, as Grafana writes it."""

    name: str
    title: str
    description: str
    panels: Sequence[Panel]
    time_from: str
    time_to: str
    refresh: str
    has_person_variable: bool = True


@dataclass(frozen=True, slots=True)
class DashboardDefaults:
    """What of a household decides how its dashboards look at first.

    `zone` is a time zone, or "browser" for that of whoever looks; `week_begins` a day that Grafana lets weeks begin with,
    or "" for any other; `person` who is picked at first, "" for the first there is; `site` likewise; `sensors` what people
    call the sources they know.
    """

    zone: str = "browser"
    week_begins: str = "monday"
    person: str = ""
    site: str = ""
    sensors: Mapping[str, str] = field(default_factory=dict)


def dashboards(language: Language) -> list[Dashboard]:
    """All there are for a store; one of a single Pi has no fleet."""
    return [_WEEK, _HISTORY, _COLLECTORS, *([_FLEET] if language.has_sites else [])]


def dashboard_json(dashboard: Dashboard, language: Language, uid: str, defaults: DashboardDefaults) -> Json:
    """A dashboard as Grafana keeps it. `uid` is that of the data source."""
    variables = []
    if dashboard.has_person_variable:
        if language.has_sites:
            variables.append(_variable("site", "Site", language.site_query(), defaults.site, language, uid))
        variables.append(
            _variable("person", "Person", language.person_query(), defaults.person, language, uid)
        )
    time_from, time_to = dashboard.time_from, dashboard.time_to
    if time_from == _THIS_WEEK and not defaults.week_begins:
        # Grafana does not know such weeks. Of seven whole days exactly one is the first of a week.
        time_from, time_to = "now-6d/d", "now/d"
    return {
        "uid": f"{uid}-{dashboard.name}",
        "title": dashboard.title,
        "description": dashboard.description,
        "tags": ["hartslag", uid],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": True,
        "graphTooltip": 0,
        "timezone": defaults.zone,
        "weekStart": defaults.week_begins,
        "refresh": dashboard.refresh,
        "time": {"from": time_from, "to": time_to},
        "timepicker": {"refresh_intervals": ["5s", "10s", "30s", "1m", "5m", "15m", "1h"]},
        "templating": {"list": variables},
        "annotations": {"list": []},
        "links": [
            {
                "type": "dashboards",
                "tags": [uid],
                "title": "hartslag",
                "asDropdown": False,
                "includeVars": True,
                "keepTime": False,
                "targetBlank": False,
            }
        ],
        "panels": _lay_out(dashboard.panels, language, uid),
    }


def _variable(
    name: str, label: str, query: Json, picked: str, language: Language, uid: str
) -> dict[str, Any]:
    return {
        "type": "query",
        "name": name,
        "label": label,
        "datasource": {"type": language.type, "uid": uid},
        **query,
        "current": {"text": picked, "value": picked, "selected": True} if picked else {},
        "options": [],
        "refresh": 1,
        "sort": 5,
        "multi": False,
        "includeAll": False,
        "hide": 0,
    }


def _lay_out(panels: Sequence[Panel], language: Language, uid: str) -> list[Json]:
    """From left to right and from top to bottom."""
    found: list[Json] = []
    x = y = tallest = 0
    for i, panel in enumerate(panels, 1):
        if x + panel.width > WIDTH:
            x, y, tallest = 0, y + tallest, 0
        found.append(panel.json(i, x, y, language, uid))
        x += panel.width
        tallest = max(tallest, panel.height)
    return found


# --- this week ---

_LIMITS = {
    "M": Latest("profile", Column("moderate_bpm", "Moderate from")),
    "V": Latest("profile", Column("vigorous_bpm", "Vigorous from")),
}

_LIMIT_LINES = {
    # A profile is told once, perhaps years ago: Grafana draws its first value as a line across.
    ref: {
        "displayName": name,
        "color": fixed_color(color),
        "custom.transform": "constant",
        "custom.lineStyle": {"fill": "dash", "dash": [12, 6]},
        "custom.lineWidth": 2,
        "custom.showPoints": "never",
        **also,
    }
    for ref, name, color, also in (
        ("M", "Moderate from", MODERATE, {}),
        ("V", "Vigorous from", VIGOROUS, {"custom.fillBelowTo": "Moderate from", "custom.fillOpacity": 12}),
    )
}

_HEART = {
    "insertNulls": LONGEST_MS,
    "spanNulls": LONGEST_MS,
    "lineInterpolation": "linear",
}

_THIS_WEEK = "now/w"

_WEEK = Dashboard(
    "week",
    "This week",
    "Minutes of this week against the target, day by day.",
    [
        bar_gauge_panel(
            "Was it enough?",
            "Moderate minutes + 2 x vigorous minutes of the week, and the target. It is the least it can be: what no sensor"
            " saw is not in it. There is no target in a week that is not to be judged.",
            14,
            Rows("week", (Column("dose_min", "This week, at least"), Column("target_min", "Target"))),
            MINUTES,
            "Nothing measured this week yet",
            {"This week, at least": MODERATE, "Target": PLAIN},
        ),
        stat_panel(
            "The week in numbers",
            "A day with ten minutes or more of moderate or vigorous movement is an active day.",
            10,
            {
                "A": Rows(
                    "week",
                    (
                        Column("moderate_min", "Moderate"),
                        Column("vigorous_min", "Vigorous"),
                        Column("active_days", "Active days"),
                        Column("measured_h", "Measured"),
                    ),
                )
            },
            MINUTES,
            "Nothing measured this week yet",
            height=7,
            overrides=[Override("Active days", {"unit": DAYS}), Override("Measured", {"unit": HOURS})],
        ),
        bar_chart_panel(
            "Minutes by day",
            "A day without a bar was not measured. A 0 means: measured, and none counted.",
            12,
            Rows("day", (Column("moderate_s", "Moderate", 60), Column("vigorous_s", "Vigorous", 60))),
            MINUTES,
            "Nothing measured this week yet",
            {"Moderate": MODERATE, "Vigorous": VIGOROUS},
        ),
        bar_chart_panel(
            "Hours measured by day",
            "How long a sensor saw the heart. The rest of the day is not known; it is neither rest nor movement.",
            12,
            Rows("day", (Column("measured_s", "Measured", 3600),)),
            HOURS,
            "Nothing measured this week yet",
            {"Measured": MEASURED},
            maximum=24,
        ),
        stat_panel(
            "Heart rate now",
            "The newest heart rate of the last two minutes, of each sensor.",
            6,
            {"A": Lines("heart_rate", Column("bpm", "bpm"))},
            BPM,
            "No sensor now",
            height=10,
            name=OF_SOURCE,
            time_from="2m",
        ),
        time_series_panel(
            "Heart rate, last hour",
            "Every sample. Between the dashed lines is moderate, above them vigorous, below them light. A gap was not measured.",
            18,
            {"A": Lines("heart_rate", Column("bpm", "bpm")), **_LIMITS},
            BPM,
            "No sensor in the last hour",
            custom=_HEART,
            query_overrides=_LIMIT_LINES,
            defaults={"displayName": OF_SOURCE, "min": 40},
            time_from="1h",
        ),
        stat_panel(
            "Limits in force",
            "Where moderate and where vigorous begin. `hartslag profile` says why.",
            6,
            _LIMITS,
            BPM,
            "Not known: see Settings in the README",
            height=10,
        ),
        time_series_panel(
            "Heart rate, last 24 hours",
            "The mean of each minute, of all sensors together. A gap was not measured.",
            18,
            {"A": Rows("minute", (Column("bpm", "Heart rate"),)), **_LIMITS},
            BPM,
            "Nothing measured in the last 24 hours",
            custom=_HEART,
            query_overrides=_LIMIT_LINES,
            defaults={"min": 40},
            overrides=[Override("Heart rate", {"color": fixed_color(MEASURED)})],
            time_from="24h",
        ),
        bar_chart_panel(
            "Not counted: raised heart rate without movement",
            "Heart rate at or above the moderate limit while the watch saw no movement, or for too short a time. Stress, heat"
            " and fever raise it too.",
            12,
            Rows("day", (Column("elevated_s", "Without movement", 60),)),
            MINUTES,
            "Nothing measured this week yet",
            {"Without movement": ELEVATED},
        ),
        bar_chart_panel(
            "Not counted: limits not known",
            "Measured while nothing told where moderate begins. `hartslag week` says which line in the settings mends it.",
            12,
            Rows("day", (Column("unclassified_s", "Limits not known", 60),)),
            MINUTES,
            "Nothing measured this week yet",
            {"Limits not known": PLAIN},
        ),
        text_panel(
            "Minutes from a heart-rate sensor against a target of your own. Not a medical device. Time that no sensor saw is"
            " *not measured*: it is never counted as rest, and never as movement.",
            24,
            3,
        ),
    ],
    _THIS_WEEK,
    _THIS_WEEK,
    "10s",
)

# --- history ---

_BARS = {
    "drawStyle": "bars",
    "fillOpacity": 80,
    "barAlignment": 1,
    "barWidthFactor": 0.85,
    "showPoints": "always",
    "pointSize": 4,
}
"""With a point on top of each: one that lies on the ground is a week with nothing, and no point a week not measured."""

_HISTORY = Dashboard(
    "history",
    "History",
    "Weeks, resting heart rate, workouts and variability over a year.",
    [
        time_series_panel(
            "Weeks against the target",
            "Moderate minutes + 2 x vigorous minutes of each week; the stepped line is the target. A week without a bar and"
            " without a point was not measured. A week that is not to be judged has no target.",
            24,
            {"A": Rows("week", (Column("dose_min", "Minutes, at least"), Column("target_min", "Target")))},
            MINUTES,
            NOTHING_YET,
            custom=_BARS,
            defaults={"min": 0},
            overrides=[
                Override("Minutes, at least", {"color": fixed_color(MODERATE)}),
                Override(
                    "Target",
                    {
                        "color": fixed_color(VIGOROUS),
                        "custom.drawStyle": "line",
                        "custom.lineInterpolation": "stepAfter",
                        "custom.lineStyle": {"fill": "dash", "dash": [12, 6]},
                        "custom.lineWidth": 3,
                        "custom.fillOpacity": 0,
                        "custom.showPoints": "never",
                    },
                ),
            ],
        ),
        time_series_panel(
            "Moderate and vigorous minutes by week",
            "As they were measured, vigorous minutes once.",
            12,
            {"A": Rows("week", (Column("moderate_min", "Moderate"), Column("vigorous_min", "Vigorous")))},
            MINUTES,
            NOTHING_YET,
            custom={**_BARS, "stacking": {"mode": "normal", "group": "A"}},
            defaults={"min": 0},
            overrides=[
                Override("Moderate", {"color": fixed_color(MODERATE)}),
                Override("Vigorous", {"color": fixed_color(VIGOROUS)}),
            ],
        ),
        time_series_panel(
            "Hours measured by week",
            "A week has 168 hours. The fewer were measured, the less the minutes say.",
            12,
            {"A": Rows("week", (Column("measured_h", "Measured"),))},
            HOURS,
            NOTHING_YET,
            custom=_BARS,
            defaults={"min": 0, "max": 168},
            overrides=[Override("Measured", {"color": fixed_color(MEASURED)})],
        ),
        time_series_panel(
            "Resting heart rate",
            "The lowest mean of five minutes of each day. A day with less than two hours of measured rest has none.",
            12,
            {"A": Rows("day", (Column("resting_bpm", "At rest"),))},
            BPM,
            "Not known yet: it takes a day with two hours of measured rest",
            # Two days without are a gap in the line.
            custom={"showPoints": "always", "spanNulls": 2 * 86_400_000, "insertNulls": 2 * 86_400_000},
            overrides=[Override("At rest", {"color": fixed_color(MEASURED)})],
        ),
        time_series_panel(
            "Heart rate variability",
            "RMSSD of each workout and of the quietest five minutes of each day, from sensors that tell single beats.",
            12,
            {"A": Lines("variability", Column("rmssd_ms", "RMSSD"))},
            "ms",
            "Not known yet: it takes a sensor that tells single beats",
            custom={"drawStyle": "points", "pointSize": 7},
            defaults={"displayName": OF_SOURCE},
        ),
        table_panel(
            "Workouts",
            "The newest first. Load is Banister's training impulse; recovery is how far the heart came down in a minute. Empty"
            " means: not known.",
            24,
            Rows(
                "session",
                (
                    Column("sport", "Sport"),
                    Column("duration_s", "Duration"),
                    Column("bpm_mean", "Mean"),
                    Column("bpm_max", "Highest"),
                    Column("moderate_s", "Moderate"),
                    Column("vigorous_s", "Vigorous"),
                    Column("dose_min", "Minutes"),
                    Column("trimp", "Load"),
                    Column("recovery_60s", "Recovery"),
                ),
                sensor_label="Sensor",
            ),
            "No workout yet",
            [
                Override(TIME, {"unit": "time:ddd D MMM YYYY, H:mm", "custom.width": 210}),
                *(Override(name, {"unit": "dthms"}) for name in ("Duration", "Moderate", "Vigorous")),
                *(Override(name, {"unit": BPM}) for name in ("Mean", "Highest", "Recovery")),
                Override("Minutes", {"unit": MINUTES}),
            ],
        ),
    ],
    "now-1y/w",
    "now",
    "5m",
)

# --- collectors ---

_STATES = {number: state for state, number in NUMBERS.items()}

_COLLECTORS = Dashboard(
    "collectors",
    "Collectors",
    "What collects, what came in, and whether the store keeps up.",
    [
        stat_panel(
            "Newest minute in this store",
            "When the newest minute with a heart rate was. Long ago while a sensor is worn: ask `hartslag status`.",
            8,
            {"A": Rows("minute", (Column("measured_s", "Measured"),), newest=True)},
            "dateTimeFromNow",
            "Nothing in the time shown",
            shown_field=TIME,
            text="value",
        ),
        stat_panel(
            "Straps",
            "How each strap was when it was last heard of. `hartslag status` says what to do.",
            8,
            {"A": Lines("collector", Column("state_no", "State"))},
            "none",
            "No strap in the time shown",
            name=OF_SOURCE,
            texts=_STATES,
        ),
        stat_panel(
            "Batteries",
            "As each strap last told it, in the time shown.",
            8,
            {"A": Lines("collector", Column("battery_pct", "Battery"))},
            "percent",
            "No strap has told its battery",
            name=OF_SOURCE,
        ),
        state_timeline_panel(
            "Straps over time",
            "Each state lasts until the next one is told.",
            24,
            Lines("collector", Column("state_no", "State")),
            _STATES,
            "No strap in the time shown",
            OF_SOURCE,
        ),
        time_series_panel(
            "Gaps in what straps sent",
            "How often a strap fell silent since the point before. A gap is not measured; nothing is made up for it.",
            8,
            {"A": Lines("collector", Column("gaps", "Gaps"))},
            "none",
            "No strap in the time shown",
            defaults={"min": 0, "displayName": OF_SOURCE},
            custom={"drawStyle": "points"},
            legend=["sum"],
        ),
        time_series_panel(
            "Signal",
            "How strongly a strap is heard. Around -90 and below it may be lost: come nearer.",
            8,
            {"A": Lines("collector", Column("signal_dbm", "Signal"))},
            "suffix: dBm",
            "No strap in the time shown",
            defaults={"displayName": OF_SOURCE},
            custom={"drawStyle": "points"},
        ),
        time_series_panel(
            "Batteries over time",
            "As each strap told it.",
            8,
            {"A": Lines("collector", Column("battery_pct", "Battery"))},
            "percent",
            "No strap has told its battery",
            defaults={"min": 0, "max": 100, "displayName": OF_SOURCE},
            custom={"spanNulls": True},
        ),
        stat_panel(
            "Files still waiting",
            "How many files waited in the inbox when the newest one was taken.",
            6,
            {"A": Rows("collector", (Column("waiting", "Waiting"),), newest=True, source=INBOX)},
            "none",
            "No file in the time shown",
            text="value",
            height=11,
        ),
        table_panel(
            "What came in",
            "Each file and what became of it: stored; duplicate (had it already); partial (damaged, what could be read is"
            " kept); rejected (of no use, the reason lies beside it).",
            18,
            Rows(
                "collector",
                (Column("state", "Outcome"), Column("samples", "Samples"), Column("waiting", "Waiting")),
                sensor_label="From",
                source=INBOX,
            ),
            "No file in the time shown",
            [Override(TIME, {"unit": "time:ddd D MMM YYYY, H:mm:ss", "custom.width": 230})],
        ),
    ],
    "now-7d",
    "now",
    "1m",
)

# --- many Pis ---

_NO_SITE = "No site has sent anything in the time shown"

_FLEET = Dashboard(
    "fleet",
    "Fleet",
    "Every site that writes to this server: when it was last heard of, and how its straps are.",
    [
        table_panel(
            "Newest minute of each site",
            "When the newest minute with a heart rate of each site was.",
            12,
            Sites("minute", "measured_s", "Newest minute"),
            _NO_SITE,
            [Override("Newest minute", {"unit": "dateTimeFromNow"})],
            by=SITE,
        ),
        table_panel(
            "Newest word of each site",
            "When each site last told anything of its straps and files.",
            12,
            Sites("collector", "samples", "Newest word"),
            _NO_SITE,
            [Override("Newest word", {"unit": "dateTimeFromNow"})],
            by=SITE,
        ),
        table_panel(
            "Straps of each site",
            "How each strap was when it was last heard of.",
            12,
            Sensors("collector", Column("state_no", "State")),
            _NO_SITE,
            [Override("State", {"mappings": value_mappings(_STATES)})],
            by=SITE,
        ),
        table_panel(
            "Batteries of each site",
            "As each strap last told it.",
            12,
            Sensors("collector", Column("battery_pct", "Battery")),
            "No strap has told its battery",
            [Override("Battery", {"unit": "percent"})],
            by=SITE,
        ),
        table_panel(
            "Files waiting at each site",
            "How many files waited in the inbox when the newest one was taken.",
            12,
            Sensors("collector", Column("waiting", "Waiting")),
            _NO_SITE,
            [],
            by=SITE,
        ),
    ],
    "now-30d",
    "now",
    "1m",
    has_person_variable=False,
)
