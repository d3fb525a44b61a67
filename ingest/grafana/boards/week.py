"""*This week*: was it enough? The answer first, then what it is made of."""

from ingest.grafana.boards.shared import (
    DONE,
    FULL,
    OPEN,
    SURELY_MET,
    SURELY_NOT_MET,
    minutes_of_heart_rate_panel,
    what_it_is_panel,
)
from ingest.grafana.charts import bar_chart_panel, progress_bar_panel
from ingest.grafana.dashboard import THIS_WEEK, Dashboard
from ingest.grafana.panel import (
    HOURS,
    MEASURED,
    MINUTES,
    MODERATE,
    PLAIN,
    WIDTH,
    link_to,
    words_panel,
)
from ingest.grafana.query import Column, Line, Newest, Rows
from ingest.grafana.unit import moment_unit
from ingest.language import N_

NOTHING_YET = N_("Nothing measured this week")

_NOTHING_COUNTED = N_("Nothing counted this week")
"""Where nothing was measured, and where limits are not known."""

RUNNING, PAST = "end_s - {to_s} > 1", "end_s - {to_s} <= 1"
"""A week that is over is shown up to its last millisecond."""

_NOT_MEASURED_H = "({to_s} - start_s) / 3600 - measured_h"
_GAPS, _NO_GAPS = f"{_NOT_MEASURED_H} >= 0.5", f"{_NOT_MEASURED_H} < 0.5"
_TO_GO = "to_go_min > 0"
_KNOWN, _UNKNOWN, _MEDICINE = (f"limits = '{word}'" for word in ("known", "unknown", "medicine"))
_NOT_JUDGED = "not_judged != ''"

_CHANGED_LAST, _CHANGED_FIRST = (f"(start_s + 396000) % 604800 {sign} 86400" for sign in (">=", "<"))
"""Whether a week begins on another day than a Sunday, the day on which clocks change; a Sunday of anywhere begins within the day from Saturday, 10:00 UTC, on."""

_LEFT_S = {"start_s + 604800 - {to_s}": _CHANGED_LAST, "end_s - {to_s}": _CHANGED_FIRST}
"""The seconds that are left, each day held for one of 24 hours: right but for the day on which it is not."""

_DAY_H = 27
"""Hours of a day, and room for a number above a bar as long as that."""

_MET = "to_go_min <= 0"

ANSWER = (
    Line("week", "to_go_min", N_("✓ Enough"), (_MET, SURELY_MET)),
    Line("week", "measured_h", N_("About enough"), OPEN),
    Line("week", "to_go_min", N_("{} to go"), (_TO_GO, RUNNING, SURELY_NOT_MET)),
    Line("week", DONE, N_("At least {}"), (_TO_GO, PAST, _GAPS, SURELY_NOT_MET)),
    Line("week", DONE, N_("{} min"), (_TO_GO, PAST, _NO_GAPS, SURELY_NOT_MET)),
    Line("week", "measured_h", N_("Not judged"), (_NOT_JUDGED, _KNOWN)),
    Line("week", "measured_h", N_("Not counted"), ("limits != 'known'",)),
)

DETAILS = (
    Line("week", f"dose_min - {FULL}", N_("{} min"), (_MET, SURELY_MET)),
    Line("week", DONE, N_("{} min so far"), (_TO_GO, RUNNING, SURELY_NOT_MET)),
    # Down to the whole minute and up to it, as `hartslag week` tells them.
    Line("week", f"dose_least_min - {FULL}", N_("between {}"), OPEN),
    Line("week", "dose_most_min + 0.49999", N_("and {}"), OPEN),
    Line("week", "target_min", N_("of {}"), ("to_go_min >= 0",)),
    # Today included: shown as the whole number that is nearest. Where the watch left open what decides there is no room for it.
    *(
        Line(
            "week",
            f"({left}) / 86400 + 0.49999",
            N_("{} days left"),
            (_TO_GO, RUNNING, SURELY_NOT_MET, which, f"{left} > 86400"),
        )
        for left, which in _LEFT_S.items()
    ),
    *(
        Line(
            "week",
            "end_s",
            N_("today is the last day"),
            (_TO_GO, RUNNING, SURELY_NOT_MET, which, f"{left} <= 86400"),
        )
        for left, which in _LEFT_S.items()
    ),
    Line("week", _NOT_MEASURED_H, N_("{} h not measured"), (_TO_GO, _GAPS)),
    # Behind the numbers, as the source of Prometheus has what is a table there.
    Line("week", "not_judged", "{}", (_NOT_JUDGED, _KNOWN)),
    Line("week", "measured_h", N_("One line is missing below [[person]]"), (_UNKNOWN,)),
    Line("week", "measured_h", N_("in the settings: born = 1970"), (_UNKNOWN,)),
    Line("week", "measured_h", N_("with your own year of birth"), (_UNKNOWN,)),
    Line("week", "measured_h", N_("Limits of your own are missing in"), (_MEDICINE,)),
    Line("week", "measured_h", "[[person.profile]]: moderate_bpm", (_MEDICINE,)),
    Line("week", "measured_h", N_("and vigorous_bpm"), (_MEDICINE,)),
)

_PARTS = (
    Line("week", "moderate_min", N_("{} min moderate"), (_KNOWN,)),
    Line("week", "vigorous_min", N_("{} min vigorous, counted twice"), (_KNOWN, "vigorous_min >= 0.5")),
    Line("week", "active_days", N_("{} active days"), (_KNOWN, "active_days != 1")),
    Line("week", "active_days", N_("{} active day"), (_KNOWN, "active_days = 1")),
    Line("week", "measured_h", N_("{} h measured"), ("measured_h >= 0.95",)),
    Line("week", "measured_h * 60", N_("{} min measured"), ("measured_h < 0.95",)),
)

_NOT_COUNTED = (
    Line("week", "elevated_min", N_("{} min raised without movement"), ("elevated_min >= 0.5",)),
    Line("week", "unclassified_min", N_("{} min while limits were not known"), ("unclassified_min >= 0.5",)),
)

_WHEN = (Line("week", "start_s * 1000", moment_unit(N_("dddd D MMMM YYYY")), ("measured_h >= 0",)),)

_MOVES = (
    # Before the others, as the source of Prometheus has what is no table there.
    Line("week", "measured_h", N_("This week"), (PAST,)),
    Line(
        "week",
        "measured_h",
        N_("< The week before"),
        ("before_s > 0",),
        links={"from": "before_s", "until": "start_s - 1"},
    ),
    Line(
        "week", "measured_h", N_("The week after >"), (PAST,), links={"from": "end_s", "until": "after_s - 1"}
    ),
)

_WHOLE_WEEK = "from=${__data.fields.from}000&to=${__data.fields.until}999"

WEEK = Dashboard(
    "week",
    N_("This week"),
    N_("Was it enough? Minutes of this week against the target, day by day."),
    [
        # From the row, and not of Grafana's range: that would be told in the time zone of the browser.
        words_panel(
            N_("Week of"),
            N_("Its first day, where the person lives."),
            WIDTH,
            2,
            _WHEN,
            N_("one with nothing measured"),
            size_px=16,
        ),
        words_panel(
            N_("Enough?"),
            N_(
                "Moderate minutes + 2 x vigorous minutes of the week against the target. It is the least it can be: what no"
                " sensor saw is not in it. About enough: just the seconds that the watch did not write decide. A week that is"
                " not to be judged has no target."
            ),
            12,
            6,
            ANSWER,
            N_("Not measured"),
        ),
        words_panel(
            N_("In numbers"),
            N_(
                "The minutes and the target, the days that are left with today, and the hours that no sensor saw."
            ),
            12,
            6,
            DETAILS,
            NOTHING_YET,
        ),
        progress_bar_panel(
            N_("How far"),
            N_("The filled part is done, the empty frame is to go, the mark across is the target."),
            Newest(
                "week",
                {
                    N_("Done"): DONE,
                    N_("To go"): "to_go_min",
                    N_("Target"): "target_min / 60",
                    N_("More"): "(dose_min - target_min) * met",
                },
                ("to_go_min >= 0",),
            ),
            N_("No target to be drawn: the week is not judged, or nothing is counted"),
        ),
        words_panel(
            N_("Other weeks"),
            N_("A click opens that week. History has them all."),
            8,
            6,
            _MOVES,
            N_("See History"),
            size_px=20,
            links={
                0: link_to("week", "{this_week}", N_("This week")),
                1: link_to("week", _WHOLE_WEEK, N_("The week before")),
                2: link_to("week", _WHOLE_WEEK, N_("The week after")),
            },
        ),
        words_panel(
            N_("What it is made of"),
            N_("A day with ten minutes or more of moderate or vigorous movement is an active day."),
            8,
            6,
            _PARTS,
            NOTHING_YET,
        ),
        words_panel(
            N_("Not counted"),
            N_(
                "Heart rate at or above the moderate limit while the watch saw no movement, or for too short a time: stress, heat"
                " and fever raise it too. And what was measured while nothing told where moderate begins."
            ),
            8,
            6,
            _NOT_COUNTED,
            N_("Nothing was left out"),
        ),
        bar_chart_panel(
            N_("Minutes by day"),
            N_(
                "Moderate minutes + 2 x vigorous minutes. A day without a bar was not measured. A 0 means: measured, and none"
                " counted."
            ),
            12,
            Rows("day", (Column("dose_min", N_("Minutes")),)),
            MINUTES,
            _NOTHING_COUNTED,
            {"Minutes": MODERATE},
        ),
        bar_chart_panel(
            N_("So far, against an even pace"),
            N_(
                "The minutes of the week up to the end of each day, and what an even pace to the target would have been by then."
            ),
            12,
            Rows("day", (Column("so_far_min", N_("So far")), Column("pace_min", N_("Even pace")))),
            MINUTES,
            _NOTHING_COUNTED,
            {"So far": MODERATE, "Even pace": PLAIN},
        ),
        bar_chart_panel(
            N_("Hours measured by day"),
            N_(
                "How long a sensor saw the heart. The rest of the day is not known; it is neither rest nor movement."
            ),
            WIDTH,
            Rows("day", (Column("measured_s", N_("Measured"), 3600),)),
            HOURS,
            NOTHING_YET,
            {"Measured": MEASURED},
            soft_max=_DAY_H,
        ),
        minutes_of_heart_rate_panel(
            N_("Heart rate, last 24 hours"), N_("Nothing measured in the last 24 hours"), time_from="24h"
        ),
        what_it_is_panel(),
    ],
    THIS_WEEK,
    "now",
    "30s",
    has_picker=False,
)
