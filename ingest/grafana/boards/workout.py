"""*Workout*: one workout, as a click on it opens it: its curve, its pauses, and what the watch says of it."""

from ingest.grafana.boards.shared import FULL, heart_rate_panel
from ingest.grafana.dashboard import Dashboard
from ingest.grafana.panel import BPM, MINUTES, Override, table_panel, words_panel
from ingest.grafana.query import SENSOR, TIME, Column, Line, Rows
from ingest.grafana.unit import moment_unit
from ingest.language import N_

_NONE = N_("No workout in the time shown")

_CLOCK = "time:H:mm:ss"

WORKOUT = Dashboard(
    "workout",
    N_("Workout"),
    N_("One workout. A click on a workout in History opens it here; else the last 24 hours are shown."),
    [
        words_panel(
            N_("This workout"),
            N_(
                "What hartslag counted of it; nothing is said of minutes where none are, or where limits are not known."
            ),
            14,
            9,
            (
                Line("session", "duration_s / 60", N_("{} min long")),
                Line("session", f"dose_min - {FULL}", N_("counts as {}"), ("dose_min >= 1",)),
                Line("session", "moderate_s / 60", N_("{} min moderate"), ("moderate_s >= 30",)),
                Line("session", "vigorous_s / 60", N_("{} min vigorous"), ("vigorous_s >= 30",)),
                Line("session", "bpm_mean", N_("{} bpm on average"), ("bpm_mean > 0",)),
                Line("session", "bpm_max", N_("{} bpm at most"), ("bpm_max > 0",)),
                # Behind the numbers, as the source of Prometheus has what is a table there.
                Line("session", "sport", "{}", ("sport != ''",)),
            ),
            _NONE,
        ),
        words_panel(
            N_("What the watch says of it"),
            N_("The watch's own minutes, by its own limits. They are shown beside ours and never counted."),
            10,
            9,
            (
                Line("claim", "moderate_min", N_("{} min moderate"), ("moderate_min >= 0",)),
                Line("claim", "vigorous_min", N_("{} min vigorous"), ("vigorous_min >= 0",)),
            ),
            N_("No claim by a watch"),
        ),
        heart_rate_panel(N_("Heart rate"), N_("No heart rate in the time shown"), height=13),
        table_panel(
            N_("Sensors"),
            N_("Who recorded it. Where several did, each second is taken from the one that tells it better."),
            14,
            Rows(
                "session",
                (
                    Column("sport", N_("Sport")),
                    Column("dose_min", N_("Minutes")),
                    Column("bpm_mean", N_("Mean")),
                    Column("bpm_max", N_("Highest")),
                ),
                sensor_label=SENSOR,
            ),
            _NONE,
            [
                Override(
                    TIME,
                    {
                        "displayName": N_("Start"),
                        "unit": moment_unit(N_("ddd D MMM, H:mm")),
                        "custom.width": 150,
                    },
                ),
                *(Override(name, {"unit": BPM}) for name in ("Mean", "Highest")),
                Override("Minutes", {"unit": MINUTES}),
            ],
            height=8,
            sensor_column=SENSOR,
        ),
        table_panel(
            N_("Pauses, if any"),
            N_("When its timer stood still. Nothing is counted then."),
            10,
            Rows(
                "pause",
                (Column("duration_s", N_("Lasted")), Column("end_s", "Until", 1)),
                sensor_label=SENSOR,
            ),
            N_("No pause"),
            [
                Override(TIME, {"displayName": N_("From"), "unit": _CLOCK, "custom.width": 100}),
                Override("Lasted", {"unit": "dthms"}),
                Override(
                    "Until",
                    {
                        "custom.hidden": True,
                        "custom.hideFrom": {"viz": True, "legend": True, "tooltip": True},
                    },
                ),
            ],
            height=8,
            sensor_column=SENSOR,
        ),
    ],
    "now-24h",
    "now",
    "1m",
)
