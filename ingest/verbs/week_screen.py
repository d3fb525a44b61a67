"""Was this week enough? The answer as a terminal shows it: the answer first, then day by day."""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ingest.language import date_text, ngettext, number_text
from ingest.language import gettext as _
from ingest.verbs import unmeasured_words as unmeasured
from ingest.verbs import week_words as words
from ingest.verbs.terminal import MODERATE, VIGOROUS, Terminal, cells, padded, table_widths
from ingest.verbs.zone_table import duration_text
from zones.dose import full_minutes

if TYPE_CHECKING:
    from ingest.verbs.week_answer import DayAnswer, WeekAnswer

_SHORT_DAY = "EEE d"

_LEAST_BAR = 6
"""Cells below which a bar says nothing."""

_LONGEST_BAR = 40

_WIDE = 60
"""Columns from which a line has room for words beside its numbers."""


def week_screen(
    t: Terminal, rows: list["WeekAnswer"], settings_file: str, without: Sequence[str] = ()
) -> Iterator[str]:
    """The weeks in lines for a terminal: of each person the newest in full, those before in a line each.

    `without` says of others why they have none.
    """
    if not rows:
        for text in without or [words.nothing_text()]:
            yield from t.wrap(text, 0)
        return
    for name in dict.fromkeys(row.person for row in rows):
        yield from _person_lines(t, name, [row for row in rows if row.person == name], settings_file)
        yield ""
    for text in without:
        yield from t.wrap(text, 0)
        yield ""
    for line in t.wrap(words.closing_text(), 0):
        yield t.dim(line)


def _person_lines(t: Terminal, name: str, rows: list["WeekAnswer"], settings_file: str) -> Iterator[str]:
    newest = rows[0]
    if newest.is_current:
        heading = _("{name}, this week: {days}").format(name=name, days=words.days_text(newest))
    else:
        heading = _("{name}: nothing is measured this week yet. The newest week with data is {days}:").format(
            name=name, days=words.days_text(newest)
        )
    yield from t.wrap(heading, 0)
    yield ""
    yield from answer_lines(t, newest)
    yield ""
    if newest.has_limits:
        yield from _day_lines(t, newest)
        yield from _legend_lines(t, newest)
        yield ""
    parts = words.not_counted_parts(name, rows, settings_file, duration_text)
    for text, lines, more in (*parts, *words.doubted_parts(rows)):
        yield from t.wrap(text)
        yield from (f"      {line}" for line in lines)
        yield from t.wrap(more)
        yield ""
    of_measured = [
        _light_text(newest),
        unmeasured.told_text(newest.unmeasured.told_dose_min),
        words.elevated_text(newest),
        words.measured_text(newest),
    ]
    told = [
        *(of_measured if newest.is_measured else []),
        *unmeasured.unmeasured_texts(newest),
        _last_seven_days_text(newest),
        words.still_to_come_text(newest),
        *words.limit_texts(newest),
    ]
    for text in filter(None, told):
        yield from t.wrap(text, hang=4)
    if len(rows) > 1:
        yield ""
        yield from _old_week_lines(t, rows[1:])


# --- the answer ---


def answer_lines(t: Terminal, row: "WeekAnswer") -> Iterator[str]:
    """Whether it is enough, what is to go, and how that divides over the days that are left."""
    if not row.is_measured:
        yield from t.bold_lines(unmeasured.nothing_counts_text(row))
        return
    yield from t.bold_lines(_answer_text(row))
    if row.to_go_min is None:
        return
    if row.open_range is not None:
        yield from t.wrap(words.open_text(row))
    elif row.to_go_min and row.is_current:
        yield from t.wrap(_so_far_text(row))
        yield from t.wrap(pace_text(row))
    length = min(t.width - 4, 2 * _LONGEST_BAR - 8)
    yield "  " + t.bar(row.moderate_min, 2 * row.vigorous_min, row.target_min, length, rest=True)


def _answer_text(row: "WeekAnswer") -> str:
    if row.not_judged is not None:
        return words.dose_without_target_text(row)
    if row.to_go_min is None:
        return words.not_counted_text()
    if row.open_range is not None:
        return _("About enough: {answer}").format(answer=words.dose_of_target_text(row))
    if not row.to_go_min:
        return _("Enough: {minutes} of {target} minutes").format(
            minutes=row.full_minutes, target=number_text(row.target_min)
        )
    if not row.is_current:
        return words.dose_of_target_text(row)
    return ngettext("{minutes} minute to go", "{minutes} minutes to go", row.to_go_min).format(
        minutes=row.to_go_min
    )


def _so_far_text(row: "WeekAnswer") -> str:
    text = (
        _("At least {minutes} of {target} minutes so far.")
        if row.may_be_more
        else _("{minutes} of {target} minutes so far.")
    )
    return text.format(minutes=row.full_minutes, target=number_text(row.target_min))


def pace_text(row: "WeekAnswer") -> str:
    """What is to go, divided evenly over the days that are left."""
    to_go, left = row.to_go_min or 0, max(row.days_left, 1)
    return ngettext(
        "Today is the last day of the week.",
        "{days} days are left with today: {minutes} minutes a day.",
        left,
    ).format(days=left, minutes=math.ceil(to_go / left))


# --- the days ---


def _day_lines(t: Terminal, row: "WeekAnswer") -> Iterator[str]:
    today = row.days[-1].day if row.is_current and row.days else None
    parts = [
        (date_text(d.day, _SHORT_DAY), _minutes(d), _("today") if d.day == today else "") for d in row.days
    ]
    if not parts:
        return
    label, number, mark = table_widths(parts)
    length = max(min(t.width - label - number - mark - 8, _LONGEST_BAR), _LEAST_BAR)
    most = max(row.target_min / 7, *(d.dose_min for d in row.days))
    for d, (name, minutes, word) in zip(row.days, parts, strict=True):
        start = f"  {padded(name, label)}  "
        if d.measured_min <= 0:
            yield start + t.dim(_("nothing yet today") if word else _("not measured"))
            continue
        start += padded(minutes, number, right=True) + (f"  {padded(word, mark)}" if mark else "")
        # What is said to be no minute has no bar.
        bar = t.bar(d.moderate_min, 2 * d.vigorous_min, most, length) if d.full_minutes else ""
        yield f"{t.bold(start) if word else start}  {bar}".rstrip()


def _minutes(d: "DayAnswer") -> str:
    return _("{minutes} min").format(minutes=d.full_minutes) if d.measured_min > 0 else ""


def _legend_lines(t: Terminal, row: "WeekAnswer") -> Iterator[str]:
    """What the two halves of a bar are, and how much of each there is."""
    legend = [
        (MODERATE, _("moderate {minutes} min").format(minutes=full_minutes(row.moderate_min))),
        (VIGOROUS, _("vigorous {minutes} min, counts twice").format(minutes=full_minutes(row.vigorous_min))),
    ]
    width = 2 + sum(2 + cells(text) for _zone, text in legend) + 3
    parts = [f"{t.mark(zone)} {text}" for zone, text in legend]
    yield from ["  " + "   ".join(parts)] if width <= t.width else ["  " + part for part in parts]


def _light_text(row: "WeekAnswer") -> str:
    if not row.has_limits:
        return ""
    return ngettext(
        "{days} day with ten minutes or more. Light: {hours} h, which does not count.",
        "{days} days with ten minutes or more. Light: {hours} h, which does not count.",
        row.active_days,
    ).format(days=row.active_days, hours=number_text(row.light_min / 60, 1))


def _last_seven_days_text(row: "WeekAnswer") -> str:
    """The same as in a pipe; "" where there is nothing to tell of them, as beside a week of years ago."""
    last = row.last_seven_days
    return words.last_seven_days_text(row) if last and last.measured_min else ""


# --- the weeks before ---


def _old_week_lines(t: Terminal, rows: list["WeekAnswer"]) -> Iterator[str]:
    long = t.width >= _WIDE
    yield from t.wrap(_("Weeks before") if long else _("Weeks before, and the hours measured"), hang=4)
    parts = [
        (
            row.week,
            _of_target(row),
            words.measured_in_short(row) if long else _("{hours} h").format(hours=words.hours_number(row)),
        )
        if row.is_measured
        else (row.week, "", "")
        for row in rows
    ]
    week, number, hours = table_widths(parts)
    length = min(t.width - week - number - hours - 10, _LONGEST_BAR // 2)
    for row, (name, minutes, measured) in zip(rows, parts, strict=True):
        if not row.is_measured:
            yield from t.wrap(f"{name}  {unmeasured.in_short_text(row.unmeasured)}", hang=4)
            continue
        line = f"  {padded(name, week)}  {padded(minutes, number, right=True)}  {padded(measured, hours, right=True)}"
        if row.has_limits and row.not_judged is None and length >= _LEAST_BAR:
            bar = t.bar(row.moderate_min, 2 * row.vigorous_min, row.target_min, length, rest=True)
            yield f"{line}  {bar}"
        else:
            yield from [line] if cells(line) <= t.width else t.wrap(f"{name} {minutes}, {measured}", hang=4)
        if row.not_judged is not None:
            yield from t.wrap(_not_judged(row), 4)


def _of_target(row: "WeekAnswer") -> str:
    if not row.has_limits:
        return _("not counted")
    if row.not_judged is not None:
        return _("{minutes} min").format(minutes=row.full_minutes)
    return _("{minutes} of {target} min").format(
        minutes=words.minutes_or_range(row), target=number_text(row.target_min)
    )


def _not_judged(row: "WeekAnswer") -> str:
    return _("not judged ({why})").format(why=row.not_judged) if row.not_judged else _("not judged")
