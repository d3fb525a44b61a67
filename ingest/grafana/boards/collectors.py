"""*Collectors*: what collects, what came in, and whether the store keeps up. The one place for addresses and raw names."""

from ingest.collect.strap_state import NUMBERS
from ingest.grafana.charts import state_timeline_panel, time_series_panel
from ingest.grafana.dashboard import Dashboard
from ingest.grafana.panel import (
    DBM,
    LINES,
    WIDTH,
    Override,
    stat_panel,
    table_panel,
    value_mappings,
)
from ingest.grafana.query import INBOX, SENSOR, TIME, Column, Lines, Rows, Sources

_STATES = {number: state for state, number in NUMBERS.items()}

_NO_STRAP = "No strap in the time shown"

_WHEN = {"unit": "time:ddd D MMM YYYY, H:mm:ss", "custom.width": 215}

COLLECTORS = Dashboard(
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
        ),
        stat_panel(
            "Position in the journal",
            "The newest entry of the journal that this store is known to hold. `hartslag status` says how far the journal is.",
            8,
            {"A": Rows("collector", (Column("position", "Position"),), newest=True)},
            "none",
            "No word in the time shown",
        ),
        stat_panel(
            "Files still waiting",
            "How many files waited in the inbox when the newest one was taken.",
            8,
            {"A": Rows("collector", (Column("waiting", "Waiting"),), newest=True, source=INBOX)},
            "none",
            "No file in the time shown",
        ),
        table_panel(
            "Sensors",
            "Every strap by its name and by what the store calls it, and how it was when it was last heard of. `hartslag"
            " status` says what to do.",
            WIDTH,
            Sources(
                "collector",
                (
                    Column("state_no", "State"),
                    Column("battery_pct", "Battery"),
                    Column("signal_dbm", "Signal"),
                    Column("reconnects", "Connected anew"),
                ),
            ),
            _NO_STRAP,
            [
                Override("State", {"mappings": value_mappings(_STATES)}),
                Override("Battery", {"unit": "percent"}),
                Override("Signal", {"unit": DBM}),
            ],
            by=SENSOR,
            height=7,
            sensor_column=SENSOR,
            shows_sources=True,
        ),
        state_timeline_panel(
            "Straps over time",
            "Each state lasts until the next one is told.",
            WIDTH,
            Lines("collector", Column("state_no", "State")),
            _STATES,
            _NO_STRAP,
        ),
        time_series_panel(
            "Gaps in what straps sent",
            "How often a strap fell silent since the point before. A gap is not measured; nothing is made up for it.",
            8,
            {"A": Lines("collector", Column("gaps", "Gaps"))},
            "none",
            _NO_STRAP,
            defaults={"min": 0},
            custom={"drawStyle": "points"},
            sensor_column=LINES,
        ),
        time_series_panel(
            "Signal",
            "How strongly a strap is heard. Around -90 and below it may be lost: come nearer.",
            8,
            {"A": Lines("collector", Column("signal_dbm", "Signal"))},
            DBM,
            _NO_STRAP,
            custom={"drawStyle": "points"},
            sensor_column=LINES,
        ),
        time_series_panel(
            "Batteries over time",
            "As each strap told it.",
            8,
            {"A": Lines("collector", Column("battery_pct", "Battery"))},
            "percent",
            "No strap has told its battery",
            defaults={"min": 0, "max": 100},
            custom={"spanNulls": True},
            sensor_column=LINES,
        ),
        table_panel(
            "What came in",
            "Each file and what became of it: stored; duplicate (had it already); partial (damaged, what could be read is"
            " kept); rejected (of no use, set aside with its reason).",
            WIDTH,
            Rows(
                "collector",
                (
                    Column("file", "File"),
                    Column("state", "Outcome"),
                    Column("samples", "Samples"),
                    Column("reason", "Why"),
                ),
                sensor_label="From",
                source=INBOX,
            ),
            "No file in the time shown",
            [
                Override(TIME, _WHEN),
                Override(
                    "From",
                    {
                        "custom.hidden": True,
                        "custom.hideFrom": {"viz": True, "legend": True, "tooltip": True},
                    },
                ),
                Override("File", {"custom.minWidth": 220}),
                Override("Why", {"custom.minWidth": 260}),
            ],
        ),
    ],
    "now-7d",
    "now",
    "1m",
)
