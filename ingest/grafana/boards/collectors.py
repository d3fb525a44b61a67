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
from ingest.grafana.unit import moment_unit
from ingest.language import N_

_STATES = {number: state for state, number in NUMBERS.items()}

_NO_STRAP = N_("No strap in the time shown")

_WHEN = {"unit": moment_unit(N_("ddd D MMM YYYY, H:mm:ss")), "custom.width": 215}

COLLECTORS = Dashboard(
    "collectors",
    N_("Collectors"),
    N_("What collects, what came in, and whether the store keeps up."),
    [
        stat_panel(
            N_("Newest minute in this store"),
            N_(
                "When the newest minute with a heart rate was. Long ago while a sensor is worn: ask `hartslag status`."
            ),
            8,
            {"A": Rows("minute", (Column("measured_s", N_("Measured")),), newest=True)},
            "dateTimeFromNow",
            N_("Nothing in the time shown"),
            shown_field=TIME,
        ),
        stat_panel(
            N_("Position in the journal"),
            N_(
                "The newest entry of the journal that this store is known to hold. `hartslag status` says how far the journal is."
            ),
            8,
            {"A": Rows("collector", (Column("position", "Position"),), newest=True)},
            "none",
            N_("No word in the time shown"),
        ),
        stat_panel(
            N_("Files still waiting"),
            N_("How many files waited in the inbox when the newest one was taken."),
            8,
            {"A": Rows("collector", (Column("waiting", N_("Waiting")),), newest=True, source=INBOX)},
            "none",
            N_("No file in the time shown"),
        ),
        table_panel(
            N_("Sensors"),
            N_(
                "Every strap by its name and by what the store calls it, and how it was when it was last heard of. `hartslag"
                " status` says what to do."
            ),
            WIDTH,
            Sources(
                "collector",
                (
                    Column("state_no", N_("State")),
                    Column("battery_pct", N_("Battery")),
                    Column("signal_dbm", N_("Signal")),
                    Column("reconnects", N_("Connected anew")),
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
            N_("Straps over time"),
            N_("Each state lasts until the next one is told."),
            WIDTH,
            Lines("collector", Column("state_no", N_("State"))),
            _STATES,
            _NO_STRAP,
        ),
        time_series_panel(
            N_("Gaps in what straps sent"),
            N_(
                "How often a strap fell silent since the point before. A gap is not measured; nothing is made up for it."
            ),
            8,
            {"A": Lines("collector", Column("gaps", "Gaps"))},
            "none",
            _NO_STRAP,
            defaults={"min": 0},
            custom={"drawStyle": "points"},
            sensor_column=LINES,
        ),
        time_series_panel(
            N_("Signal"),
            N_("How strongly a strap is heard. Around -90 and below it may be lost: come nearer."),
            8,
            {"A": Lines("collector", Column("signal_dbm", N_("Signal")))},
            DBM,
            _NO_STRAP,
            custom={"drawStyle": "points"},
            sensor_column=LINES,
        ),
        time_series_panel(
            N_("Batteries over time"),
            N_("As each strap told it."),
            8,
            {"A": Lines("collector", Column("battery_pct", N_("Battery")))},
            "percent",
            N_("No strap has told its battery"),
            defaults={"min": 0, "max": 100},
            custom={"spanNulls": True},
            sensor_column=LINES,
        ),
        table_panel(
            N_("What came in"),
            N_(
                "Each file and what became of it: stored; duplicate (had it already); partial (damaged, what could be read is"
                " kept); rejected (of no use, set aside with its reason)."
            ),
            WIDTH,
            Rows(
                "collector",
                (
                    Column("file", N_("File")),
                    Column("state", N_("Outcome")),
                    Column("samples", N_("Samples")),
                    Column("reason", N_("Why")),
                ),
                sensor_label="From",
                source=INBOX,
            ),
            N_("No file in the time shown"),
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
