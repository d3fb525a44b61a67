"""The sentences about a week that a pipe and a terminal share, each whole, in the language that is spoken."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import TYPE_CHECKING

from ingest.language import DAY, DAY_OF_YEAR, date_text, day_text, ngettext, number_text, said
from ingest.language import gettext as _
from zones.dose import full_minutes

if TYPE_CHECKING:
    from ingest.verbs.week_answer import WeekAnswer
    from zones.edges import Edges

_MANY = 3


def nothing_text() -> str:
    """That there is nothing to count yet, and how something comes in."""
    return _("Nothing is measured yet. Drop FIT files into the inbox, or give them to `hartslag add`.")


def closing_text() -> str:
    """What the numbers are, and what they are not."""
    return _("Minutes from a heart-rate sensor against a target of your own. Not a medical device.")


def days_text(row: "WeekAnswer") -> str:
    """From which day to which, `Monday 16 November to Sunday 22 November 2026`."""
    return span_text(row.first, row.last)


def span_text(first: date, last: date) -> str:
    """From a day to another, both with their names."""
    begins = date_text(first, DAY_OF_YEAR if first.year == last.year else DAY)
    return _("{first} to {last}").format(first=begins, last=date_text(last))


def dose_of_target_text(row: "WeekAnswer") -> str:
    """The minutes beside the target, from least to most where that decides; they are the least that they can be where a part was not measured."""
    if row.open_range is not None:
        least, most = row.open_range
        text = (
            _("{least} to {most} of {target} minutes, or more")
            if row.may_be_more
            else _("{least} to {most} of {target} minutes")
        )
        return text.format(least=least, most=most, target=number_text(row.target_min))
    text = (
        _("At least {minutes} of {target} minutes") if row.may_be_more else _("{minutes} of {target} minutes")
    )
    return text.format(minutes=row.full_minutes, target=number_text(row.target_min))


def not_counted_text() -> str:
    """What is said in place of minutes where nobody knows the limits."""
    return _("Not counted: the limits of the heart rate are not known.")


def minutes_or_range(row: "WeekAnswer") -> str:
    """The minutes as a number, or from where to where they may be."""
    if row.open_range is None:
        return number_text(row.full_minutes)
    least, most = row.open_range
    return _("{least} to {most}").format(least=least, most=most)


def open_text(row: "WeekAnswer") -> str:
    """Why a week says from where to where; "" where it does not."""
    if row.open_range is None:
        return ""
    return _(
        "The watch did not write every second that it saw, and just those would decide whether this is enough."
    )


def dose_without_target_text(row: "WeekAnswer") -> str:
    """The minutes of a week that is held against nothing, and why it is not."""
    if row.not_judged:
        text = (
            _("At least {minutes} minutes, not to be judged ({why})")
            if row.may_be_more
            else _("{minutes} minutes, not to be judged ({why})")
        )
    else:
        text = (
            _("At least {minutes} minutes, not to be judged")
            if row.may_be_more
            else _("{minutes} minutes, not to be judged")
        )
    return text.format(minutes=row.full_minutes, why=row.not_judged)


def not_judged_text(row: "WeekAnswer") -> str:
    """That a week is held against nothing, and why, to stand behind something; "" for any other week."""
    if row.not_judged is None:
        return ""
    return (
        _(", not to be judged ({why})").format(why=row.not_judged)
        if row.not_judged
        else _(", not to be judged")
    )


def zones_text(row: "WeekAnswer") -> str:
    """Minutes per zone, and the days on which there were enough of them; "" where nobody knows the limits."""
    if row.measured_min > 0 and not row.has_limits:
        return ""
    return ngettext(
        "moderate {moderate} min + 2 x vigorous {vigorous} min; light {light} min; {days} active day",
        "moderate {moderate} min + 2 x vigorous {vigorous} min; light {light} min; {days} active days",
        row.active_days,
    ).format(
        moderate=full_minutes(row.moderate_min),
        vigorous=full_minutes(row.vigorous_min),
        light=number_text(row.light_min),
        days=row.active_days,
    )


def elevated_text(row: "WeekAnswer") -> str:
    """What was raised and yet does not count; "" where there was next to nothing."""
    if row.elevated_min < 0.5:
        return ""
    text = (
        _(
            "Not counted: {minutes} min of raised heart rate without movement or in bouts shorter than {bout} min."
        )
        if row.bout_min
        else _("Not counted: {minutes} min of raised heart rate without movement.")
    )
    return text.format(minutes=number_text(row.elevated_min), bout=row.bout_min)


def measured_text(row: "WeekAnswer") -> str:
    """How much of a week was measured, and what follows from that."""
    if row.may_be_more:
        text = (
            _("Measured {measured} h; {rest} h not measured so far, so this is the least it can be.")
            if row.is_current
            else _("Measured {measured} h; {rest} h not measured, so this is the least it can be.")
        )
    else:
        text = _("Measured {measured} h so far.") if row.is_current else _("Measured {measured} h.")
    told = text.format(measured=number_text(row.measured_min / 60, 1), rest=int(row.not_measured_h + 0.5))
    return _with_journey(told, row)


def measured_in_short(row: "WeekAnswer") -> str:
    """How much of a week was measured, within a line; where its minutes come from if nothing was second by second."""
    told = sum(row.unmeasured.told_zones_min)
    if told and row.measured_min - told < 0.5:
        return _("by the watch's own word")
    return _("measured {hours} h").format(hours=hours_number(row))


def hours_number(row: "WeekAnswer") -> str:
    """The hours that were measured; of less than one the tenths, too, as these are not 0."""
    hours = row.measured_min / 60
    return number_text(hours, 0 if hours >= 1 else 1)


def _with_journey(told: str, row: "WeekAnswer") -> str:
    """A sentence about the hours of some days, and why they are more than days have."""
    if row.journey_h <= 0:
        return told
    hours = number_text(row.journey_h, 0 if row.journey_h.is_integer() else 1)
    return f"{told} " + _("A journey made these days {hours} h longer.").format(hours=hours)


def last_seven_days_text(row: "WeekAnswer") -> str:
    """Today and the six days before it; "" where the week says the same, or no limits are known by which to count."""
    last = row.last_seven_days
    if last is None or last.first == row.first:
        return ""
    if not last.has_limits and (last.measured_min or not row.has_limits):
        return ""
    text = (
        _("The last seven days: at least {minutes} minutes. Measured {measured} h; {rest} h not measured.")
        if last.may_be_more
        else _("The last seven days: {minutes} minutes. Measured {measured} h.")
    )
    told = text.format(
        minutes=last.full_minutes,
        measured=number_text(last.measured_min / 60, 1),
        rest=int(last.not_measured_h + 0.5),
    )
    return _with_journey(told, last)


def still_to_come_text(row: "WeekAnswer") -> str:
    """That a file holds days of the future; "" where none does."""
    if not row.still_to_come:
        return ""
    weeks = ", ".join(row.still_to_come[:_MANY]) + (", ..." if row.still_to_come[_MANY:] else "")
    return _("Files hold days that are still to come ({weeks}): the clock of a watch was wrong.").format(
        weeks=weeks
    )


def limit_texts(row: "WeekAnswer") -> Iterator[str]:
    """The limits that held in a week, also those of sports that have their own, and where they are from."""
    for begins, e in row.edges:
        yield limits_text(begins, e)
    for sport, edges in row.sports.items():
        for begins, e in edges:
            yield limits_text(begins, e, sport)


def limits_text(begins: date | None, e: "Edges", sport: str | None = None) -> str:
    """One pair of limits, with the day since when they hold unless their origin tells it."""
    if begins and "since" not in e.origin:
        text = (
            _("Moderate from {moderate}, vigorous from {vigorous} bpm since {day}: {origin}.")
            if sport is None
            else _("In {sport} moderate from {moderate}, vigorous from {vigorous} bpm since {day}: {origin}.")
        )
    else:
        text = (
            _("Moderate from {moderate}, vigorous from {vigorous} bpm: {origin}.")
            if sport is None
            else _("In {sport} moderate from {moderate}, vigorous from {vigorous} bpm: {origin}.")
        )
    return text.format(
        sport=sport and _(sport),
        moderate=e.moderate_bpm,
        vigorous=e.vigorous_bpm,
        day=begins and day_text(begins),
        origin=said(e.origin),
    )


def doubted_parts(rows: list["WeekAnswer"]) -> list[tuple[str, list[str], str]]:
    """What speaks against the limits in use, with what settles it, as `not_counted_parts` gives it of the same weeks."""
    doubts = rows[0].doubts
    if not doubts:
        return []
    from ingest.verbs.limit_doubts import doubt_parts

    # That minutes are lost to a medicine is told beside these.
    lost = {row.medicine_since for row in rows if row.unclassified_min > 0}
    return [] if doubts.are_missing and doubts.medicine_since in lost else list(doubt_parts(doubts))


# --- what is measured and cannot be counted ---


def minutes_text(minutes: float) -> str:
    """A length of time in minutes."""
    return _("{minutes} min").format(minutes=number_text(minutes))


def not_counted_parts(
    name: str,
    rows: list["WeekAnswer"],
    settings_file: str,
    length_text: Callable[[float], str] = minutes_text,
) -> Iterator[tuple[str, list[str], str]]:
    """Why minutes are not counted, and what mends it: a paragraph, lines for the settings, a paragraph behind them."""
    unclassified = [row for row in rows if row.unclassified_min > 0]
    unknown = [row for row in unclassified if row.medicine_since is None]
    for since in sorted({row.medicine_since for row in unclassified if row.medicine_since}, reverse=True):
        limited = [row for row in unclassified if row.medicine_since == since]
        length = length_text(sum(row.unclassified_min for row in limited))
        yield _limited_part(length, since, limited[0].medicine_until, settings_file)
    if unknown:
        length = length_text(sum(row.unclassified_min for row in unknown))
        text = _(
            "{length} are measured but not counted: nothing tells where moderate begins for {name}.\n"
            "One line in {file} mends that, with your own year of birth:"
        ).format(length=length, name=name, file=settings_file)
        yield _born_part(text, name)
    elif any(w.lacks_limits for row in rows if row.medicine_since is None for w in row.unmeasured.workouts):
        text = _(
            "What a watch tells of its own zones cannot count: nothing tells where moderate begins for {name}.\n"
            "One line in {file} mends that, with your own year of birth:"
        ).format(name=name, file=settings_file)
        yield _born_part(text, name)


def _born_part(text: str, name: str) -> tuple[str, list[str], str]:
    """That nothing tells where moderate begins, with the line of settings that does."""
    more = _(
        'below the lines  [[person]]  and  name = "{name}". A measured  maximum_bpm  is better than the year.'
    )
    return text, ["born = 1970"], more.format(name=name)


def _limited_part(
    length: str, since: date, until: date | None, settings_file: str
) -> tuple[str, list[str], str]:
    """The same of a medicine; `until` is its last day, if it is over."""
    text = (
        _(
            "{length} are measured but not counted: since {day} a medicine limits this heart rate,\n"
            "so neither a formula by age nor the maximum in the watch is used. Limits from an exercise test or from a\n"
            "physiotherapist mend that, in an entry [[person.profile]] of {file}:"
        )
        if until is None
        else _(
            "{length} are measured but not counted: from {day} to {last} a medicine limited this heart rate,\n"
            "so neither a formula by age nor the maximum in the watch is used of that time. Limits from an exercise test or\n"
            "from a physiotherapist that held then mend that, in the entry [[person.profile]] of that first day in {file}:"
        )
    )
    told = text.format(length=length, day=day_text(since), last=until and day_text(until), file=settings_file)
    lines = ["moderate_bpm = 95", "vigorous_bpm = 115"]
    if until is None:
        from ingest.verbs.limit_doubts import by_effort_text

        return told, lines, by_effort_text()
    return told, lines, _("with the numbers that you were given.")
