"""The sentences of a page: whether it was enough, what it was measured with, how sure that is, what was not seen."""

from collections.abc import Iterator
from datetime import date
from operator import attrgetter

from ingest.language import DAY_OF_MONTH, N_, PLAIN_DAY, date_text, ngettext, number_text, said
from ingest.language import gettext as _
from ingest.report.facts import LimitFacts, ReportFacts, SensorFacts, WeekFacts
from zones.dose import full_minutes

SHORT, SHORT_WITH_YEAR = N_("d MMM"), N_("d MMM y")

MANY = 4
"""Workouts that do not count and are named."""


def days_text(first: date, last: date) -> str:
    """From a day to another; month and year stand once, where they are the same."""
    if (first.year, first.month) == (last.year, last.month):
        begins = number_text(first.day)
    else:
        begins = date_text(first, DAY_OF_MONTH if first.year == last.year else PLAIN_DAY)
    return _("{first} to {last}").format(first=begins, last=date_text(last, PLAIN_DAY))


def week_text(week: WeekFacts, today: date) -> str:
    """A week as a row is called: `26 Oct - 1 Nov`, with the year unless it is this one."""
    one_month = (week.first.year, week.first.month) == (week.last.year, week.last.month)
    first = number_text(week.first.day) if one_month else date_text(week.first, SHORT)
    last = date_text(week.last, SHORT if week.last.year == today.year else SHORT_WITH_YEAR)
    return _("{first} - {last}").format(first=first, last=last)


def minutes_text(minutes: float, *, may_be_more: bool) -> str:
    """Full minutes, with the words for that it may be more."""
    full = number_text(full_minutes(minutes))
    return _("at least {minutes}").format(minutes=full) if may_be_more else full


# --- was the last month enough? ---


def headline(facts: ReportFacts) -> str:
    """The answer, in one sentence."""
    if not facts.is_measured:
        return _nothing_measured(facts)
    if not facts.judged:
        return _no_answer(facts)
    if not facts.month[0].is_over:
        return _first_week(facts.judged[0])
    if not facts.met and not facts.is_seen_enough:
        return _("That cannot be said: only {hours} of {all} hours were measured.").format(
            hours=number_text(facts.month_measured_h), all=number_text(facts.month_h)
        )
    return _one_week(facts) if len(facts.judged) == 1 else _several_weeks(facts)


def _nothing_measured(facts: ReportFacts) -> str:
    if facts.not_counted or facts.samples_not_counted:
        return _("That cannot be said: what came in cannot be counted in minutes.")
    if facts.newest_measured is not None:
        return _("That cannot be said: nothing was measured in the last {weeks} weeks.").format(
            weeks=facts.asked_weeks
        )
    return _("Nothing is measured yet.")


def _several_weeks(facts: ReportFacts) -> str:
    weeks, met = len(facts.judged), facts.met
    if weeks < len(facts.month):
        return _judged_weeks(facts).format(met=met, weeks=weeks)
    if met == weeks:
        words = _("Yes: all of the last {weeks} weeks reached the target.")
    elif met:
        words = ngettext(
            "In part: {met} of the last {weeks} weeks reached the target.",
            "In part: {met} of the last {weeks} weeks reached the target.",
            met,
        )
    elif facts.may_have_missed:
        words = _("Not shown to be enough: none of the last {weeks} weeks reached the target.")
    else:
        words = _("No: none of the last {weeks} weeks reached the target.")
    return words.format(met=met, weeks=weeks)


def _judged_weeks(facts: ReportFacts) -> str:
    """The same where not all weeks of the month are judged."""
    if facts.met == len(facts.judged):
        return _("Yes: all {weeks} weeks that are judged reached the target.")
    if facts.met:
        return ngettext(
            "In part: {met} of the {weeks} weeks that are judged reached the target.",
            "In part: {met} of the {weeks} weeks that are judged reached the target.",
            facts.met,
        )
    if facts.may_have_missed:
        return _("Not shown to be enough: none of the {weeks} weeks that are judged reached the target.")
    return _("No: none of the {weeks} weeks that are judged reached the target.")


def _no_answer(facts: ReportFacts) -> str:
    if any(week.limits == "medicine" for week in facts.month if week.is_measured):
        return (
            _("That cannot be said: a medicine limits the heart rate, and no limits from a test are known.")
            if facts.medicine_until is None
            else _(
                "That cannot be said: a medicine limited the heart rate, and no limits from a test are known."
            )
        )
    if any(week.limits == "unknown" for week in facts.month if week.is_measured):
        return _("That cannot be said: it is not set yet at which heart rate moderate movement begins.")
    if any(week.not_judged is not None for week in facts.month):
        return _("The last weeks are not judged.")
    return _("That cannot be said: nothing was measured in the last weeks.")


def _first_week(week: WeekFacts) -> str:
    if week.is_met:
        return _("Yes: the first week has reached the target already.")
    return _("It is too early to say: the first week still goes on.")


def _one_week(facts: ReportFacts) -> str:
    if facts.met:
        return _("Yes: the one week that is judged reached the target.")
    if facts.may_have_missed:
        return _("Not shown to be enough: the one week that is judged did not reach the target.")
    return _("No: the one week that is judged did not reach the target.")


def summary(facts: ReportFacts) -> Iterator[str]:
    """What stands below the answer."""
    if not facts.is_measured:
        yield from not_counted(facts)
        if facts.newest_measured is not None:
            yield _("The newest week that was measured is {days}.").format(
                days=days_text(*facts.newest_measured)
            )
        elif not (facts.not_counted or facts.samples_not_counted):
            yield _("As soon as a strap or a watch has measured something, it will appear here.")
        return
    yield from _not_a_plain_yes(facts)
    yield from _average(facts)
    yield from _not_judged(facts)
    empty = sum(not week.is_measured for week in facts.month)
    if empty:
        yield ngettext(
            "In {weeks} of these weeks nothing was measured; it is not known how that week was.",
            "In {weeks} of these weeks nothing was measured; it is not known how they were.",
            empty,
        ).format(weeks=empty)
    yield from _this_week(facts)


def _not_a_plain_yes(facts: ReportFacts) -> Iterator[str]:
    """What belongs directly below an answer that is not "yes": what may have been missed, and that it is no failure."""
    if not facts.judged or facts.met == len(facts.judged) or not facts.month[0].is_over:
        return
    missed = facts.month_h - facts.month_measured_h
    if missed >= 1:
        yield _(
            "{missed} of {all} hours were not measured; there may have been more movement in them."
        ).format(missed=number_text(missed), all=number_text(facts.month_h))
    if facts.is_mostly_wrist:
        yield _("Most was measured at the wrist, where moderate minutes are often missed.")
    yield _("The target is the person's own choice; a week below it is not a failure.")


def _average(facts: ReportFacts) -> Iterator[str]:
    days = days_text(facts.month[0].first, facts.month[-1].last)
    if facts.mean_dose_min is None:
        if facts.month[0].is_over:
            yield _("This is about {days}.").format(days=days)
        return
    if not facts.month[0].is_over:
        return
    targets = sorted({week.target_min for week in facts.judged})
    values = {
        "days": days,
        "weeks": len(facts.judged),
        "minutes": minutes_text(facts.mean_dose_min, may_be_more=facts.may_be_more),
        "target": number_text(targets[0]),
        "most": number_text(targets[-1]),
    }
    if len(facts.judged) < len(facts.month):
        mean = ngettext(
            "{days}: {minutes} minutes in the week that is judged.",
            "{days}: {minutes} minutes a week, the mean of the {weeks} weeks that are judged.",
            len(facts.judged),
        )
    else:
        mean = _("{days}: on average {minutes} minutes a week.")
    yield mean.format(**values)
    if len(targets) == 1:
        yield _("The target of these weeks is {target}.").format(**values)
    else:
        yield _("The targets of these weeks are from {target} to {most}.").format(**values)
    yield _("A vigorous minute counts as two moderate ones.")


def _not_judged(facts: ReportFacts) -> Iterator[str]:
    for week in facts.month:
        if week.not_judged is not None:
            yield not_judged_text(week)


def not_judged_text(week: WeekFacts) -> str:
    """That a week is held against nothing, and why."""
    days = days_text(week.first, week.last)
    if week.not_judged:
        return _("{days} is not judged: {why}.").format(days=days, why=week.not_judged)
    return _("{days} is not judged.").format(days=days)


def _this_week(facts: ReportFacts) -> Iterator[str]:
    week = facts.weeks[-1]
    if week.is_over:
        return
    if not week.has_dose:
        return
    minutes = minutes_text(week.dose_min, may_be_more=week.may_be_more)
    if week.not_judged is not None:
        yield _("This week so far: {minutes} minutes; it is not judged.").format(minutes=minutes)
    elif week.open_range is not None:
        least, most = week.open_range
        yield _("This week so far: {least} to {most} of {target} minutes.").format(
            least=least, most=most, target=number_text(week.target_min)
        )
    else:
        yield _("This week so far: {minutes} of {target} minutes.").format(
            minutes=minutes, target=number_text(week.target_min)
        )


# --- what was it measured with? ---


def sort_text(sensor: SensorFacts) -> str:
    """What kind of sensor it is."""
    return {
        "strap": _("chest strap"),
        "watch with strap": _("watch that listened to a strap"),
        "wrist": _("wrist, during workouts"),
        "workouts": _("sensor unknown, during workouts"),
        "derived": _("from beats, during workouts"),
        "all day": _("wrist, all day"),
        "summary": _("by the watch's own word: seconds in zones, no heart rate"),
    }[sensor.sort]


def measured_with(facts: ReportFacts) -> tuple[str, list[tuple[str, str]]]:
    """What the sensors of the last month are told of, and each with its part."""
    total = sum(sensor.counted_min for sensor in facts.month_sensors)
    if total >= 1:
        heading = _("{minutes} minutes of moderate or vigorous movement, each counted once ({days}):").format(
            days=days_text(facts.month[0].first, facts.month[-1].last),
            minutes=number_text(full_minutes(total)),
        )
    else:
        heading = _("Measured hours:")
    return heading, [
        (
            sensor.name,
            _("{minutes} min; {sort}").format(
                minutes=number_text(full_minutes(sensor.counted_min)), sort=sort_text(sensor)
            )
            if total >= 1
            else _("{hours} h; {sort}").format(hours=number_text(sensor.measured_h), sort=sort_text(sensor)),
        )
        for sensor in facts.month_sensors
    ]


# --- how sure is it? ---


def certainty(facts: ReportFacts) -> Iterator[str]:
    """How far the numbers may be off, and why."""
    usual = [limits for limits in facts.limits if not limits.sport]
    yield from _medicine(facts)
    if usual:
        yield _limits_certainty(usual[-1])
    else:
        yield _(
            "The heart rate is measured, but no limits are known, so no minutes are counted. A year of birth in the settings gives a rough estimate; limits from an exercise test or a physiotherapist are better."
        )
    if facts.guess is not None:
        yield _(
            "If the true maximum is {beats} beats lower or higher, which is common, the average becomes {lower} or {higher} minutes a week."
        ).format(
            beats=facts.guess.off_bpm,
            lower=number_text(facts.guess.if_lower_min),
            higher=number_text(facts.guess.if_higher_min),
        )
    if told := full_minutes(facts.told_dose_min):
        yield ngettext(
            "{minutes} minute counts by the watch's own word: it wrote seconds in zones, and no heart rate.",
            "{minutes} minutes count by the watch's own word: it wrote seconds in zones, and no heart rate.",
            told,
        ).format(minutes=told)
    total = sum(sensor.counted_min for sensor in facts.month_sensors if sensor.sort != "summary")
    wrist, strap = (
        sum(sensor.counted_min for sensor in facts.month_sensors if is_one(sensor))
        for is_one in (attrgetter("is_wrist"), attrgetter("is_strap"))
    )
    if total >= 1 and wrist >= 0.995 * total:
        yield _(
            "All minutes come from the wrist. A strap is more exact: in one study wrist sensors missed about half of the moderate minutes."
        )
    elif total >= 1 and wrist >= 0.5:
        yield _(
            "{percent} percent of the minutes come from the wrist. Straps are more exact: in one study wrist sensors missed about half of the moderate minutes."
        ).format(percent=number_text(100 * wrist / total))
    elif total >= 1 and strap >= 0.995 * total:
        yield _("All minutes come from a strap, the most exact of these sensors.")
    elif total >= 1 and total - strap - wrist >= 0.5:
        yield _("Of {percent} percent of the minutes it is not known which sensor measured them.").format(
            percent=number_text(100 * (total - strap - wrist) / total)
        )


def _medicine(facts: ReportFacts) -> Iterator[str]:
    if facts.medicine_since is not None:
        until = facts.medicine_until
        words = (
            _(
                "A medicine that lowers the heart rate is taken since {day}; limits by age or of the watch do not hold then."
            )
            if until is None
            else _(
                "A medicine that lowers the heart rate was taken ({days}); limits by age or of the watch did not hold then."
            )
        )
        days = days_text(facts.medicine_since, until or facts.today)
        yield words.format(day=date_text(facts.medicine_since, PLAIN_DAY), days=days)


def _limits_certainty(limits: LimitFacts) -> str:
    numbers = {
        "moderate": limits.moderate_bpm,
        "vigorous": limits.vigorous_bpm,
        "origin": said(limits.origin, on_paper=True),
    }
    if limits.method == "age":
        words = _(
            "Estimated: the limits (moderate from {moderate}, vigorous from {vigorous} beats per minute) follow from the age alone."
        )
    elif limits.method == "max" and "watch" in limits.origin:
        words = _(
            "The limits (moderate from {moderate}, vigorous from {vigorous} beats per minute) follow from the maximum that is set in the watch; it may be a guess by age."
        )
    elif limits.method == "bpm":
        words = _(
            "The limits (moderate from {moderate}, vigorous from {vigorous} beats per minute) were given for this person."
        )
    elif limits.method == "max":
        words = _(
            "The limits (moderate from {moderate}, vigorous from {vigorous} beats per minute) are 64 and 77 percent of a maximum that was given in the settings: {origin}."
        )
    else:
        words = _(
            "The limits (moderate from {moderate}, vigorous from {vigorous} beats per minute) are calculated from numbers in the settings, which this program cannot check: {origin}."
        )
    return words.format(**numbers)


# --- what was not seen? ---


def not_seen(facts: ReportFacts) -> Iterator[str]:
    """What no sensor saw, and what none can see."""
    if not facts.is_measured:
        yield _("Everything so far.")
    else:
        missed = facts.month_h - facts.month_measured_h
        yield _(
            "{missed} of {all} hours ({percent} percent) were not measured. They are counted neither as rest nor as movement."
        ).format(
            missed=number_text(missed),
            all=number_text(facts.month_h),
            percent=number_text(100 * missed / facts.month_h),
        )
        yield from not_counted(facts)
        if facts.has_clock_change:
            yield _("The clock was changed in these weeks, so they have an hour more or less.")
        elevated = sum(week.elevated_min for week in facts.month)
        if elevated >= 0.5:
            yield _(
                "Not counted: {minutes} min with a raised heart rate but without movement. It may be arm work, heat, fever, stress or coffee; the program cannot tell."
            ).format(minutes=number_text(elevated))
    if facts.bout_min is not None:
        yield _("Efforts shorter than {minutes} min are not counted, as was chosen.").format(
            minutes=facts.bout_min
        )
    yield _("Strength, balance and stretching do not show in the heart rate.")


def not_counted(facts: ReportFacts) -> Iterator[str]:
    """What came in of these weeks and does not count: the newest workouts one by one."""
    if facts.not_counted:
        yield ngettext(
            "{workouts} workout does not count:",
            "{workouts} workouts do not count:",
            len(facts.not_counted),
        ).format(workouts=len(facts.not_counted))
        yield from facts.not_counted[-MANY:]
        if len(facts.not_counted) > MANY:
            yield _("These are the newest; {more} came before them.").format(
                more=len(facts.not_counted) - MANY
            )
    if facts.samples_not_counted:
        yield ngettext(
            "{samples} heart rate is not believed, and does not count.",
            "{samples} heart rates are not believed, and do not count.",
            facts.samples_not_counted,
        ).format(samples=facts.samples_not_counted)


# --- weeks, one by one ---


def dose_of(week: WeekFacts) -> str:
    """Its minutes, or why there are none."""
    if not week.is_measured:
        return _("not measured")
    if not week.has_dose:
        return _("limits not known")
    if week.open_range is not None:
        least, most = week.open_range
        minutes = _("{least} to {most}").format(least=least, most=most)
    else:
        minutes = number_text(week.full_minutes)
    return f"\u2265 {minutes}" if week.may_be_more else minutes


def verdict(week: WeekFacts) -> str:
    """What became of the target."""
    if not week.is_over:
        return _("in progress") if week.not_judged is None else _("in progress, not judged")
    if week.not_judged is not None:
        return _("not judged")
    if not week.is_held_against_target:
        return ""
    if week.open_range is not None:
        return _("about reached")
    return _("reached") if week.is_met else _("below")
