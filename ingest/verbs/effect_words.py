"""What would change, in words: weeks, days, workouts and limits, before and after."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ingest.language import date_text, ngettext
from ingest.language import gettext as _
from ingest.sports import sport_text
from ingest.verbs.times import end_time, time_of_day
from ingest.verbs.zone_table import duration_text
from zones.dose import full_minutes

if TYPE_CHECKING:
    from ingest.mistakes.effect import Change, Effect, LimitsChange, SeenWorkout
    from ingest.rows.calendar import Calendar
    from ingest.verbs.terminal import Terminal

MOST = 8
"""Lines of one sort that are shown; the rest is counted. `--json` has all."""


def effect_lines(
    t: "Terminal", effect: "Effect", calendar: "Calendar", names: Mapping[str, str]
) -> Iterator[str]:
    """What differs, most important first; `names` are what people call sources."""
    if effect.is_nothing:
        yield from t.wrap(_("No minute changes by it: nothing of it counts that is not counted otherwise."))
        return
    yield from _some(t, [_change_text(c, _("week {week}").format(week=c.name)) for c in effect.weeks])
    yield from _some(t, [_change_text(c, date_text(c.first)) for c in effect.days])
    for found, text in (
        (effect.gone, _("This workout goes: {workout}")),
        (effect.new, _("This appears: {workout}")),
    ):
        yield from _some(t, [text.format(workout=_workout_text(w, calendar, names)) for w in found])
    yield from _some(t, [_limits_text(c, calendar) for c in effect.limits])


def _some(t: "Terminal", texts: Sequence[str]) -> Iterator[str]:
    """The newest of some lines, and how many more there are."""
    more = len(texts) - MOST
    if more > 0:
        yield from t.wrap(ngettext("... and {n} more before", "... and {n} more before", more).format(n=more))
    for text in texts[-MOST:]:
        yield from t.wrap(text, hang=4)


def _change_text(c: "Change", when: str) -> str:
    before, after = c.doses_min
    return _(
        "{when}: {after} minutes for the week instead of {before}; measured {measured_after} instead of {measured_before}"
    ).format(
        when=when,
        before=full_minutes(before),
        after=full_minutes(after),
        measured_before=duration_text(c.before[0]),
        measured_after=duration_text(c.after[0]),
    )


def _workout_text(w: "SeenWorkout", calendar: "Calendar", names: Mapping[str, str]) -> str:
    day = calendar.day_of(w.start_ms)
    zone = calendar.zone_on(day)
    return _("{day}, {begin} to {end}, {what} ({sensor})").format(
        day=date_text(day),
        begin=time_of_day(w.start_ms, zone),
        end=end_time(w.start_ms, w.end_ms, zone),
        what=sport_text(w.sport) if w.sport else _("a strap was worn"),
        sensor=names.get(w.source, w.source),
    )


def _limits_text(c: "LimitsChange", calendar: "Calendar") -> str:
    from ingest.journal import ALWAYS_MS

    before, after = (
        _("{moderate} and {vigorous} bpm").format(moderate=held[0], vigorous=held[1])
        if held
        else _("unknown")
        for held in (c.before, c.after)
    )
    if c.from_ms <= -ALWAYS_MS:
        return _("limits from the beginning: {after} instead of {before}").format(before=before, after=after)
    day = date_text(calendar.day_of(c.from_ms))
    return _("limits from {day} on: {after} instead of {before}").format(day=day, before=before, after=after)
