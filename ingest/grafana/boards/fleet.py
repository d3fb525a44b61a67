"""*Fleet*: every site that writes to one server."""

from ingest.collect.strap_state import NUMBERS
from ingest.grafana.dashboard import Dashboard
from ingest.grafana.panel import Override, table_panel, value_mappings
from ingest.grafana.query import SENSOR, SITE, Column, Sensors, Sites
from ingest.language import N_

_NO_SITE = N_("No site has sent anything in the time shown")

_AGO = {"unit": "dateTimeFromNow", "custom.minWidth": 200}

_STATES = {number: state for state, number in NUMBERS.items()}

FLEET = Dashboard(
    "fleet",
    N_("Fleet"),
    N_("Every site that writes to this server: when it was last heard of, and how its straps are."),
    [
        table_panel(
            N_("Newest minute of each site"),
            N_("When the newest minute with a heart rate of each site was."),
            12,
            Sites("minute", "measured_s", N_("Newest minute")),
            _NO_SITE,
            [Override("Newest minute", _AGO)],
            by=SITE,
        ),
        table_panel(
            N_("Newest word of each site"),
            N_("When each site last told anything of its straps and files."),
            12,
            Sites("collector", "samples", N_("Newest word")),
            _NO_SITE,
            [Override("Newest word", _AGO)],
            by=SITE,
        ),
        table_panel(
            N_("Straps of each site"),
            N_("How each strap was when it was last heard of."),
            12,
            Sensors("collector", Column("state_no", N_("State"))),
            _NO_SITE,
            [Override("State", {"mappings": value_mappings(_STATES)})],
            by=SITE,
            sensor_column=SENSOR,
            shows_sources=True,
        ),
        table_panel(
            N_("Batteries of each site"),
            N_("As each strap last told it."),
            12,
            Sensors("collector", Column("battery_pct", N_("Battery"))),
            N_("No strap has told its battery"),
            [Override("Battery", {"unit": "percent"})],
            by=SITE,
            sensor_column=SENSOR,
            shows_sources=True,
        ),
        table_panel(
            N_("Files waiting at each site"),
            N_("How many files waited in the inbox when the newest one was taken."),
            12,
            Sensors("collector", Column("waiting", N_("Waiting"))),
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
