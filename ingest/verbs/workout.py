"""How was a workout? Its minutes, its curve and where they are from, in words."""

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

import click

from ingest.language import N_, date_text, ngettext, number_text
from ingest.language import gettext as _
from ingest.verbs.command import Invocation, print_json, print_lines, verb
from ingest.verbs.times import end_time, time_of_day
from ingest.verbs.zone_table import duration_text, zone_lines

if TYPE_CHECKING:
    from ingest.verbs.terminal import Terminal
    from ingest.verbs.workout_answer import WorkoutAnswer

_REASONS = {
    "paused": N_("Not measured: {duration}, while the timer of the watch was paused."),
    "masked": N_("Not measured: {duration}, of which the sensor told what cannot be believed."),
    "gap": N_("Not measured: {duration}, in which no heart rate came."),
    "nothing": N_("Not measured: {duration}, in which nothing was recorded."),
}

_LEAST_MIN = 0.5

_LEAST_PAUSE_MS = 10_000

_MOST_PAUSES = 4
"""That are shown one by one."""

_WIDE = 60
"""Columns from which limits have their names beside the curve."""


def workout_lines(t: "Terminal", answers: list["WorkoutAnswer"]) -> Iterator[str]:
    """The workouts in lines, each in full."""
    for i, x in enumerate(answers):
        if i:
            yield ""
        yield from _workout_lines(t, x)


def _workout_lines(t: "Terminal", x: "WorkoutAnswer") -> Iterator[str]:
    yield from t.wrap(_heading(x), 0)
    yield ""
    yield from _minutes_lines(t, x)
    curve = list(_curve_lines(t, x)) if t.draws else []
    if curve:
        yield ""
        yield from curve
    for texts in (
        _heart_texts(x),
        chain(_source_texts(x), _copies_texts(x)),
        _watch_texts(x),
        _other_texts(x),
    ):
        for j, text in enumerate(texts):
            if j == 0:
                yield ""
            yield from t.wrap(text, hang=4)


def _heading(x: "WorkoutAnswer") -> str:
    from ingest.verbs.workout_answer import sport_name

    f = x.found
    sport = sport_name(f)
    if sport:
        text = _("{person}: {sport}, {day}, {begin} to {end} ({duration})")
    elif f.entry is not None:
        text = _("{person}: workout, {day}, {begin} to {end} ({duration})")
    else:
        text = _("{person}: a strap was worn, {day}, {begin} to {end} ({duration})")
    return text.format(
        person=x.person,
        sport=sport,
        day=date_text(x.day),
        begin=time_of_day(f.start_ms, x.zone),
        end=end_time(f.start_ms, f.end_ms, x.zone),
        duration=duration_text((f.end_ms - f.start_ms) / 60_000),
    )


def _minutes_lines(t: "Terminal", x: "WorkoutAnswer") -> Iterator[str]:
    from zones.dose import full_minutes

    measured, unclassified = sum(x.zones_min.values()), x.zones_min["unclassified"]
    if not measured:
        masked = x.not_measured_min["masked"]
        yield from t.bold_lines(
            _("No minutes: none of its heart rates can be believed.")
            if masked
            else _("No heart rate was measured.")
            if x.fields["bpm_mean"] is None and x.fields["bpm_max"] is None
            else _("No minutes: the watch tells the heart rate of the whole workout alone.")
        )
        if masked:
            yield from t.wrap(_(_REASONS["masked"]).format(duration=duration_text(masked)), hang=4)
        return
    if unclassified >= measured - 0.01:
        yield from t.bold_lines(_("Not counted: the limits of the heart rate are not known."))
        yield from t.wrap(_("`hartslag week` says which line in the settings is missing."))
    else:
        dose = full_minutes(x.fields["dose_min"])
        yield from t.bold_lines(
            ngettext("{minutes} minute for the week", "{minutes} minutes for the week", dose).format(
                minutes=dose
            )
        )
        yield from t.wrap(
            _("moderate {moderate} min + 2 x vigorous {vigorous} min").format(
                moderate=full_minutes(x.zones_min["moderate"]), vigorous=full_minutes(x.zones_min["vigorous"])
            )
        )
        yield from zone_lines(t, x.zones_min)
        if unclassified >= _LEAST_MIN:
            yield from t.wrap(
                _("Not counted: {duration}, as limits were not known then.").format(
                    duration=duration_text(unclassified)
                )
            )
    if x.zones_min["elevated"] >= _LEAST_MIN:
        yield from t.wrap(
            _("Not counted: {duration} of raised heart rate, without movement or too short.").format(
                duration=duration_text(x.zones_min["elevated"])
            )
        )
    for why, minutes in x.not_measured_min.items():
        if minutes >= _LEAST_MIN:
            yield from t.wrap(_(_REASONS[why]).format(duration=duration_text(minutes)), hang=4)


def _heart_texts(x: "WorkoutAnswer") -> Iterator[str]:
    from ingest.verbs.explain_workout import doubt_texts
    from ingest.verbs.week_words import limits_text

    row = x.fields
    mean, highest = row["bpm_mean"], row["bpm_max"]
    if mean is not None or highest is not None:
        text = (
            _("Heart rate {highest} bpm at most.")
            if mean is None
            else _("Heart rate {mean} bpm on average.")
            if highest is None
            else _("Heart rate {mean} bpm on average, {highest} at most.")
        )
        yield text.format(mean=number_text(mean or 0), highest=highest)
    fell = row["recovery_60s"]
    if fell is not None:
        text = (
            _("A minute after the end it was {bpm} bpm lower.")
            if fell >= 0
            else _("A minute after the end it was {bpm} bpm higher.")
        )
        yield text.format(bpm=number_text(abs(fell)))
    yield from _load_texts(row["trimp"], row["edwards"])
    if x.edges is not None:
        yield limits_text(None, x.edges, x.own_sport)
    if x.pauses:
        yield _pauses_text(x)
    for doubt in doubt_texts(x.doubts):
        yield f"{doubt[0].upper()}{doubt[1:]}."


def _load_texts(trimp: float | None, edwards: float | None) -> Iterator[str]:
    """How heavy a workout was, by both formulas, and what such a number is good for."""
    if trimp is not None:
        yield _("How heavy it was, to compare your workouts by: {trimp} (TRIMP, after Banister).").format(
            trimp=number_text(trimp)
        )
    if edwards is not None:
        text = (
            _(
                "How heavy it was, to compare your workouts by: {edwards} (minutes in five zones, after Edwards)."
            )
            if trimp is None
            else _("The same by minutes in five zones, after Edwards: {edwards}.")
        )
        yield text.format(edwards=number_text(edwards))


def _pauses_text(x: "WorkoutAnswer") -> str:
    """When it was paused; of many pauses, or of those that begin and end in one minute, how many and how long."""
    whole_min = sum(b - a for a, b in x.pauses) / 60_000
    times = [(time_of_day(a, x.zone), time_of_day(b, x.zone), b - a) for a, b in x.pauses]
    long = [(a, b, ms) for a, b, ms in times if a != b and ms >= _LEAST_PAUSE_MS]
    shown = sorted(sorted(long, key=lambda t: -t[2])[:_MOST_PAUSES], key=long.index)
    told = ", ".join(_("{begin} to {end}").format(begin=a, end=b) for a, b, _ms in shown)
    if len(shown) == len(times):
        return _("Paused: {times}.").format(times=told)
    amount = {"pauses": len(times), "duration": duration_text(whole_min), "times": told}
    if not shown:
        return ngettext(
            "Paused: {pauses} pause, {duration} in all.",
            "Paused: {pauses} pauses, {duration} in all.",
            len(times),
        ).format(**amount)
    return _("Paused: {pauses} pauses, {duration} in all; the longest {times}.").format(**amount)


def _source_texts(x: "WorkoutAnswer") -> Iterator[str]:
    for name, minutes in x.believed_min.items():
        yield _("{sensor}: its heart rate was taken for {duration}.").format(
            sensor=name, duration=duration_text(minutes)
        )
    for name, minutes in x.not_used_min.items():
        if minutes >= _LEAST_MIN:
            yield _("{sensor}: not used for {duration}, a better sensor saw the same time.").format(
                sensor=name, duration=duration_text(minutes)
            )


def _copies_texts(x: "WorkoutAnswer") -> Iterator[str]:
    if x.copies:
        yield _("It was recorded twice and counts once: {sensors} told of it, too.").format(
            sensors=_(" and ").join(x.copies)
        )


def _watch_texts(x: "WorkoutAnswer") -> Iterator[str]:
    if x.told_verdict:
        yield _("The watch tells seconds in zones of its own: {verdict}.").format(verdict=x.told_verdict)
    if x.watch is not None:
        parts = [
            _("{duration} below {bpm}").format(
                duration=duration_text(x.watch.watch_s[0] / 60), bpm=x.watch.edges[0]
            )
        ]
        parts += [
            _("{duration} from {bpm}").format(duration=duration_text(seconds / 60), bpm=bpm)
            for bpm, seconds in zip(x.watch.edges, x.watch.watch_s[1:], strict=True)
        ]
        yield _("The watch itself counted in its own zones: {zones} bpm.").format(zones=", ".join(parts))
    for begin_ms, end_ms, claim in x.claims:
        yield _(
            "The watch claims from {begin} to {end}: moderate {moderate} min, vigorous {vigorous} min."
        ).format(
            begin=time_of_day(begin_ms, x.zone),
            end=time_of_day(end_ms, x.zone),
            moderate=number_text(claim["moderate_min"]),
            vigorous=number_text(claim["vigorous_min"]),
        )


def _other_texts(x: "WorkoutAnswer") -> Iterator[str]:
    from ingest.verbs.workout_answer import sport_name

    if x.others:
        told = ", ".join(
            _("{begin} {sport}").format(
                begin=time_of_day(f.start_ms, x.zone), sport=sport_name(f) or _("strap worn")
            )
            for f in x.others
        )
        yield _("Also on that day: {workouts}.").format(workouts=told)
        first = x.others[0].start_ms
        yield _("To see one: {command}").format(
            command=f"hartslag workout {x.day.isoformat()}T{time_of_day(first, x.zone)}"
        )


# --- the curve ---


def _curve_lines(t: "Terminal", x: "WorkoutAnswer") -> Iterator[str]:
    from ingest.verbs.curve import Scale, curve_lines, curve_size

    known = [bpm for bpm in x.curve(200) if bpm is not None]
    if not known:
        return
    e = x.edges
    bounds = [("moderate", e.moderate_bpm), ("vigorous", e.vigorous_bpm)] if e else []
    high = max(*known, *(bpm + 4 for _zone, bpm in bounds))
    low = min(*known, *(bpm - 8 for _zone, bpm in bounds))
    limits = [
        (zone, bpm, f"{_limit_names()[zone]} {bpm}" if t.width >= _WIDE else str(bpm)) for zone, bpm in bounds
    ]
    labels = number_text(high), number_text(low)
    columns, wanted = curve_size(t, [*labels, *(label for _zone, _bpm, label in limits)])
    yield from curve_lines(t, x.curve(wanted), Scale(low, high), limits, labels)
    begin, end = (time_of_day(ms, x.zone) for ms in (x.found.start_ms, x.found.end_ms))
    yield f"{begin}{end:>{columns - len(begin)}}".rjust(t.width - 1)


def _limit_names() -> dict[str, str]:
    return {"moderate": _("moderate"), "vigorous": _("vigorous")}


@verb(
    "workout",
    ("The newest workout", "hartslag workout"),
    ("The last one of a day, or the one that went on at a time", "hartslag workout 2026-11-16T18:30 Anna"),
)
@click.argument("when", required=False)
@click.argument("person", required=False)
@click.option(
    "--json", "as_json", is_flag=True, help="As JSON: an array, a workout each, with a curve by the minute."
)
@click.pass_obj
def command(invocation: Invocation, when: str | None, person: str | None, as_json: bool) -> None:
    """Show a workout: its minutes, its curve, by which sensor.

    WHEN is a day (2026-11-16: its last workout) or a time (2026-11-16T18:30: the one that went on then). Without it
    the newest workout is shown, of each person or of the one that is named.
    """
    from ingest.verbs.terminal import PIPE, find_terminal
    from ingest.verbs.workout_answer import workout_answers

    with invocation.view_journal() as (settings, journal):
        answers = workout_answers(settings, journal, when, person)
        if as_json:
            print_json([x.json() for x in answers])
            return
        t = find_terminal() or PIPE
        if answers:
            print_lines(workout_lines(t, answers))
        elif when is None or person is None:
            print_lines(t.wrap(_none_text(when), 0))
        else:
            print_lines(t.wrap(_("{person} has no workout then.").format(person=person), 0))


def _none_text(when: str | None) -> str:
    if when is not None:
        return _("There is no workout then.")
    return _(
        "There is no workout yet. One appears when a strap was worn for ten minutes, or when a workout file comes into the inbox."
    )
