"""The sentences about what came in and is not measured, whoever tells of it: swims with a mean alone, sensors that froze."""

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ingest.language import N_, date_text, ngettext
from ingest.language import gettext as _
from ingest.sports import sport_text
from ingest.verbs.zone_table import duration_text
from zones.dose import full_minutes

if TYPE_CHECKING:
    from ingest.rows.unmeasured import Unmeasured, UnmeasuredWorkout
    from ingest.verbs.week_answer import WeekAnswer

SHORT_DAY = "EEE d MMM"

_MANY = 4

REASONS = {
    "dropout": N_("the sensor told that it had none"),
    "spike": N_("far from what was seconds before and after"),
    "stuck": N_("it stood still: one value for minutes"),
    "loose": N_("the strap touched no skin"),
    "paused": N_("the timer of the watch was paused"),
}


def told_text(told_min: float) -> str:
    """How many minutes count by a watch's own word; "" where none do."""
    minutes = full_minutes(told_min)
    if not minutes:
        return ""
    return ngettext(
        "{minutes} of these minutes counts by the watch's own word: it wrote seconds in zones, and no heart rate.",
        "{minutes} of these minutes count by the watch's own word: it wrote seconds in zones, and no heart rate.",
        minutes,
    ).format(minutes=minutes)


def unmeasured_texts(row: "WeekAnswer") -> Iterator[str]:
    """What of a week does not count, a sentence each, and what says more."""
    x = row.unmeasured
    if x.workouts:
        yield ngettext(
            "{workouts} workout of this week does not count:",
            "{workouts} workouts of this week do not count:",
            len(x.workouts),
        ).format(workouts=len(x.workouts))
        yield from (workout_text(w) for w in x.workouts[:_MANY])
        if len(x.workouts) > _MANY:
            yield _("and {more} more").format(more=len(x.workouts) - _MANY)
    if x.samples:
        yield samples_text(x.samples, x.why)
    if x:
        yield _("{command} says more.").format(command=f"`{explain_command(row.week, row.person)}`")


def workout_text(w: "UnmeasuredWorkout") -> str:
    """A workout that does not count, and what is known of its heart rate."""
    if w.samples:
        text = _("{sport}, {day}, {duration}: none of its {samples} heart rates is believed ({why}).")
    elif w.bpm_mean is not None and w.bpm_max is not None:
        text = _(
            "{sport}, {day}, {duration}: only its mean of {mean} and its highest of {highest} bpm are known."
        )
    elif w.bpm_mean is not None:
        text = _("{sport}, {day}, {duration}: only its mean of {mean} bpm is known.")
    elif w.bpm_max is not None:
        text = _("{sport}, {day}, {duration}: only its highest of {highest} bpm is known.")
    else:
        text = _("{sport}, {day}, {duration}: only seconds in zones of the watch's own are known.")
    sport = sport_text(w.sport or "")
    return text.format(
        sport=sport[:1].upper() + sport[1:],
        day=date_text(w.day, SHORT_DAY),
        duration=duration_text((w.end_ms - w.start_ms) / 60_000),
        mean=w.bpm_mean,
        highest=w.bpm_max,
        samples=w.samples,
        why=_(REASONS[w.why]) if w.why else "",
    )


def samples_text(samples: int, why: str) -> str:
    """That heart rates came in which do not count, and why."""
    return ngettext(
        "{samples} heart rate of this week does not count: {why}.",
        "{samples} heart rates of this week do not count: {why}.",
        samples,
    ).format(samples=samples, why=_(REASONS[why]))


def nothing_counts_text(row: "WeekAnswer") -> str:
    """The answer of a week in which nothing was measured."""
    return _("Nothing counts in this week so far.") if row.is_current else _("Nothing counts in this week.")


def in_short_text(x: "Unmeasured") -> str:
    """What came in of a week in which nothing is measured, within a line."""
    if x.workouts:
        return ngettext(
            "nothing counts of {workouts} workout", "nothing counts of {workouts} workouts", len(x.workouts)
        ).format(workouts=len(x.workouts))
    return ngettext(
        "{samples} heart rate does not count", "{samples} heart rates do not count", x.samples
    ).format(samples=x.samples)


def explain_command(what: str, person: str) -> str:
    """What to type to have a time explained."""
    return shlex.join(["hartslag", "explain", what, person])
