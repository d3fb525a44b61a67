"""*Fleet*: every site that writes to one server."""

from ingest.collect.strap_state import NUMBERS
from ingest.grafana.dashboard import Dashboard
from ingest.grafana.panel import Override, table_panel, value_mappings
from ingest.grafana.query import SENSOR, SITE, Column, Sensors, Sites

_NO_SITE = "No site has sent anything in the time shown"

_STATES = {number: state for state, number in NUMBERS.items()}

FLEET = Dashboard(
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
            sensor_column=SENSOR,
            shows_sources=True,
        ),
        table_panel(
            "Batteries of each site",
            "As each strap last told it.",
            12,
            Sensors("collector", Column("battery_pct", "Battery")),
            "No strap has told its battery",
            [Override("Battery", {"unit": "percent"})],
            by=SITE,
            sensor_column=SENSOR,
            shows_sources=True,
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
