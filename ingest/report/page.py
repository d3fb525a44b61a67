"""The page of a person, whole, as HTML that needs nothing beside it."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from hashlib import sha256
from importlib.resources import files
from statistics import fmean
from typing import Any

from ingest.language import PLAIN_DAY, date_text, gettext, ngettext, number_text, spoken_language
from ingest.language import gettext as _
from ingest.report import words
from ingest.report.charts import resting_charts, week_charts
from ingest.report.facts import ReportFacts, WeekFacts, WorkoutFacts
from ingest.report.used import about_these_numbers, what_was_used
from ingest.sports import UNTOLD, sport_text
from zones.dose import full_minutes

UNKNOWN = "-"
"""Stands for one number that is not known, among others that are."""

_MANY_SPORTS = 6
"""Sports with a row of their own; the seldom ones share one."""


def page_html(facts: ReportFacts) -> str:
    """The page, in the language that is spoken."""
    from markupsafe import Markup

    style = _read("page.css")
    page: str = _template().render(
        language=spoken_language(),
        style=Markup(style),  # noqa: S704 - our own file
        style_hash=f"sha256-{b64encode(sha256(style.encode()).digest()).decode()}",
        title=_("{person}: minutes of movement").format(person=facts.person),
        heading=_("Minutes of movement by heart rate, {day}").format(day=date_text(facts.today, PLAIN_DAY)),
        facts=facts,
        headline=words.headline(facts),
        summary=list(words.summary(facts)),
        measured_with=words.measured_with(facts),
        certainty=list(words.certainty(facts)),
        not_seen=list(words.not_seen(facts)),
        used=list(what_was_used(facts)),
        about=about_these_numbers(facts),
        footer=_footer(facts),
        **(_of_weeks(facts) if facts.is_measured else {}),
    )
    return page


def _footer(facts: ReportFacts) -> str:
    if not facts.is_measured:
        return _("Made by the program hartslag. It is no medical device and makes no diagnosis.")
    return _(
        "Made by the program hartslag from {person}'s own sensors. It is no medical device and makes no diagnosis."
    ).format(person=facts.person)


def _of_weeks(facts: ReportFacts) -> dict[str, Any]:
    """What stands on a page once anything is measured."""
    return {
        "goes_on": not facts.weeks[-1].is_over,
        "is_shorter": len(facts.weeks) < facts.asked_weeks,
        "is_unjudged": any(week.not_judged is not None and week.has_dose for week in facts.weeks),
        "may_be_more": any(week.may_be_more and week.has_dose for week in facts.weeks),
        "target_key": _target_key(facts),
        "week_charts": _safe(
            week_charts(facts, _("Minutes of each week against the target"), _in_words(facts))
        ),
        "week_notes": list(_week_notes(facts.weeks)),
        "week_caption": _(
            "Minutes; an active day has at least ten moderate or vigorous ones. At rest: the middle resting heart rate of the days, in beats per minute. Numbers are rounded, so sums may differ by one."
        ),
        "week_columns": [
            _("Week"),
            _("Minutes"),
            _("Target"),
            _("Outcome"),
            _("Moderate"),
            _("Vigorous"),
            _("Active days"),
            _("Hours measured"),
            _("At rest"),
        ],
        "week_rows": [list(_week_row(week, facts.today)) for week in facts.weeks],
        "resting_sentence": _resting_sentence(facts),
        "resting_charts": _safe(
            resting_charts(facts, _("Resting heart rate of each day and week"), _resting_sentence(facts))
        ),
        "resting_rows": [
            (
                words.week_text(week, facts.today),
                UNKNOWN if week.resting is None else number_text(week.resting),
                len(week.resting_bpm),
            )
            for week in facts.weeks
        ],
        **_of_workouts(facts),
    }


def _of_workouts(facts: ReportFacts) -> dict[str, Any]:
    return {
        "sport_columns": [
            _("Sport"),
            _("Times"),
            _("Mean length, min"),
            _("Mean heart rate"),
            _("Highest"),
            _("Moderate in all, min"),
            _("Vigorous in all, min"),
        ],
        "sport_caption": _("{days}. The highest heart rate is that of a moment.").format(
            days=words.days_text(facts.weeks[0].first, min(facts.weeks[-1].last, facts.today))
        ),
        "sport_rows": [row.texts() for row in _sports(facts.workouts)],
    }


def _target_key(facts: ReportFacts) -> str:
    """What the dashes in the drawing are; "" where there are none."""
    targets = {week.target_min for week in facts.weeks if week.not_judged is None}
    if len(targets) == 1:
        return _("target: {minutes}").format(minutes=number_text(targets.pop()))
    return _("target") if targets else ""


def _in_words(facts: ReportFacts) -> str:
    reached = sum(week.is_met for week in facts.weeks)
    held = sum(week.is_held_against_target for week in facts.weeks)
    return ngettext(
        "{reached} of {held} weeks reached the target. The table below has the numbers.",
        "{reached} of {held} weeks reached the target. The table below has the numbers.",
        reached,
    ).format(reached=reached, held=held)


def _week_row(week: WeekFacts, today: date) -> Iterator[str]:
    yield words.week_text(week, today)
    yield words.dose_of(week)
    yield UNKNOWN if week.not_judged is not None else number_text(week.target_min)
    yield words.verdict(week) or UNKNOWN
    for value in (week.moderate_min, week.vigorous_min):
        yield number_text(full_minutes(value)) if week.has_dose else UNKNOWN
    yield str(week.active_days) if week.has_dose else UNKNOWN
    yield number_text(week.measured_h, 0 if week.measured_h >= 1 else 1)
    yield UNKNOWN if week.resting is None else number_text(week.resting)


def _resting_sentence(facts: ReportFacts) -> str:
    known = [week for week in facts.weeks if week.resting is not None]
    if not known:
        return _("Not measured: that takes a sensor that is worn at rest, at night for instance.")
    first, last = known[0].resting, known[-1].resting
    assert first is not None
    assert last is not None
    if len(known) == 1:
        return _("{bpm} beats per minute, in {days}.").format(
            bpm=number_text(last), days=words.days_text(known[0].first, known[0].last)
        )
    return _(
        "{first} beats per minute in the first of these weeks, {last} in the newest; the lowest five quiet minutes of each day."
    ).format(first=number_text(first), last=number_text(last))


def _week_notes(weeks: Sequence[WeekFacts]) -> Iterator[str]:
    """Why weeks are not judged, a line for each stretch of one reason."""
    stretch: list[WeekFacts] = []
    for week in [*weeks, None]:
        goes_on = bool(stretch) and week is not None and week.not_judged == stretch[0].not_judged
        if stretch and not goes_on:
            days = words.days_text(stretch[0].first, stretch[-1].last)
            why = stretch[0].not_judged
            yield (
                _("{days}: not judged ({why}).").format(days=days, why=why)
                if why
                else _("{days}: not judged.").format(days=days)
            )
            stretch = []
        if week is not None and week.not_judged is not None:
            stretch.append(week)


# --- workouts by sport ---


@dataclass(frozen=True, slots=True)
class _Sport:
    name: str
    workouts: Sequence[WorkoutFacts]

    def texts(self) -> list[str]:
        means = [w.bpm_mean for w in self.workouts if w.bpm_mean is not None]
        most = [w.bpm_max for w in self.workouts if w.bpm_max is not None]
        return [
            self.name,
            str(len(self.workouts)),
            number_text(fmean(w.duration_min for w in self.workouts)),
            number_text(fmean(means)) if means else UNKNOWN,
            str(max(most)) if most else UNKNOWN,
            _sum_text([w.moderate_min for w in self.workouts]),
            _sum_text([w.vigorous_min for w in self.workouts]),
        ]


def _sum_text(minutes: Sequence[float | None]) -> str:
    known = [m for m in minutes if m is not None]
    return number_text(full_minutes(sum(known))) if known else UNKNOWN


def _sports(workouts: Sequence[WorkoutFacts]) -> list[_Sport]:
    """What was done most often first; seldom sports together at the end."""
    by_sport: dict[str, list[WorkoutFacts]] = {}
    for workout in workouts:
        told = workout.sport not in UNTOLD
        name = sport_text(str(workout.sport)) if told else _("sport not known")
        by_sport.setdefault(name[:1].upper() + name[1:], []).append(workout)
    found = sorted((_Sport(*item) for item in by_sport.items()), key=lambda s: (-len(s.workouts), s.name))
    if len(found) <= _MANY_SPORTS:
        return found
    rest = [w for sport in found[_MANY_SPORTS - 1 :] for w in sport.workouts]
    return [*found[: _MANY_SPORTS - 1], _Sport(_("Other sports"), rest)]


# --- the template ---


def _safe(charts: Sequence[str]) -> list[Any]:
    """Drawings of our own making, in which all texts are escaped."""
    from markupsafe import Markup

    return [Markup(chart) for chart in charts]  # noqa: S704 - see above


def _read(name: str) -> str:
    return files("ingest.report").joinpath(name).read_text("utf-8")


@cache
def _template() -> Any:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True,
        extensions=["jinja2.ext.i18n"],
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]  # added by the extension
    return environment.from_string(_read("page.html"))
