"""What the numbers of a page rest on and since when, and what everybody should know about them."""

from collections.abc import Iterator, Sequence

from ingest.language import PLAIN_DAY, date_text, number_text, said
from ingest.language import gettext as _
from ingest.report.facts import ClaimFacts, LimitFacts, ReportFacts, SensorFacts
from ingest.report.words import days_text, sort_text
from ingest.sports import sport_text
from zones.dose import full_minutes


def what_was_used(facts: ReportFacts) -> Iterator[tuple[str, Sequence[str]]]:
    """Terms, and some lines about each."""
    if facts.sensors:
        yield _("Sensors"), [_sensor_line(sensor, facts) for sensor in facts.sensors]
    yield _("Limits"), list(_limit_lines(facts))
    yield _("Target"), list(_target_lines(facts))
    if facts.claims:
        yield _("What the watch says"), list(_claim_lines(facts))


def _sensor_line(sensor: SensorFacts, facts: ReportFacts) -> str:
    if facts.knows_limits:
        words = _("{name} ({sort}): {hours} h, {minutes} min of them moderate or vigorous; {days}")
    else:
        words = _("{name} ({sort}): {hours} h; {days}")
    return words.format(
        name=_isolated(sensor.name),
        sort=sort_text(sensor),
        hours=number_text(sensor.measured_h),
        minutes=number_text(full_minutes(sensor.counted_min)),
        days=days_text(sensor.first, sensor.last),
    )


def _limit_lines(facts: ReportFacts) -> Iterator[str]:
    for limits in facts.limits:
        yield _limit_line(limits)
    if not facts.limits:
        yield _("Not known: neither a year of birth nor a maximum nor limits of a test are in the settings.")
    if facts.medicine_since is None:
        yield _("No medicine that lowers the heart rate is noted in the settings.")
    elif facts.medicine_until is None:
        yield _("A medicine that lowers the heart rate, since {day}.").format(
            day=date_text(facts.medicine_since, PLAIN_DAY)
        )
    else:
        yield _("A medicine that lowers the heart rate: {days}.").format(
            days=days_text(facts.medicine_since, facts.medicine_until)
        )


def _limit_line(limits: LimitFacts) -> str:
    values = {
        "sport": sport_text(limits.sport) if limits.sport else "",
        "moderate": limits.moderate_bpm,
        "vigorous": limits.vigorous_bpm,
        "origin": said(limits.origin, on_paper=True),
        "day": date_text(limits.since, PLAIN_DAY) if limits.since else "",
    }
    if limits.sport and limits.since:
        words = _(
            "In {sport}, since {day}: moderate from {moderate}, vigorous from {vigorous} beats per minute ({origin})"
        )
    elif limits.sport:
        words = _(
            "In {sport}: moderate from {moderate}, vigorous from {vigorous} beats per minute ({origin})"
        )
    elif limits.since:
        words = _(
            "Since {day}: moderate from {moderate}, vigorous from {vigorous} beats per minute ({origin})"
        )
    else:
        words = _("Moderate from {moderate}, vigorous from {vigorous} beats per minute ({origin})")
    return words.format(**values)


def _target_lines(facts: ReportFacts) -> Iterator[str]:
    yield _("{minutes} minutes a week now; chosen by the person, not by this program.").format(
        minutes=number_text(facts.target_min)
    )
    for begins, target in facts.targets:
        yield _("From {day}: {minutes} minutes").format(
            day=date_text(begins, PLAIN_DAY), minutes=number_text(target)
        )


def _claim_lines(facts: ReportFacts) -> Iterator[str]:
    if facts.knows_limits:
        words = _(
            "{name}: moderate {moderate} min, vigorous {vigorous} min. Counted here for the same time: moderate {our_moderate} min, vigorous {our_vigorous} min."
        )
    else:
        words = _(
            "{name}: moderate {moderate} min, vigorous {vigorous} min. Nothing is counted here, as no limits are known."
        )
    for claim in facts.claims:
        yield words.format(
            name=_isolated(claim.name),
            moderate=number_text(claim.moderate_min),
            vigorous=number_text(claim.vigorous_min),
            our_moderate=number_text(full_minutes(claim.our_moderate_min)),
            our_vigorous=number_text(full_minutes(claim.our_vigorous_min)),
        )
        if facts.knows_limits and (why := _largest_step(claim)):
            yield why
    if facts.claimed_resting_bpm is not None:
        yield _("It gives a resting heart rate of {bpm} on a usual day.").format(
            bpm=number_text(facts.claimed_resting_bpm)
        )


def _largest_step(claim: ClaimFacts) -> str:
    """What makes most of the difference, if there is one to speak of."""
    step, minutes = max(claim.steps_min.items(), key=lambda item: abs(item[1]), default=("", 0.0))
    if abs(minutes) < 1:
        return ""
    return {
        "limits_and_rules": _("It may count by limits and rules of its own, which we do not know."),
        "no_movement": _(
            "Most of the difference: it saw no movement at those times, so they are not counted here."
        ),
        "not_believed": _("Most of the difference: values that a heart cannot have are left out here."),
        "other_sources": _("Most of the difference: a better sensor was worn at the same time."),
    }[step]


def about_these_numbers(facts: ReportFacts) -> list[tuple[str, str]]:
    """The texts that the product carries with its numbers, in short."""
    estimates = (
        _("Estimates."),
        _("A maximum heart rate by age is off by more than about 20 beats for one person in twenty. If the number says moderate and the body says hard, believe the body."),
    )  # fmt: skip
    texts = [
        (
            _("Stop and get help"),
            _("for chest pain or pressure, fainting, palpitations with dizziness, or unusual breathlessness (in an emergency: 112)."),
        ),
        (
            _("Not a medical device."),
            _("It counts minutes from a heart-rate sensor. It does not diagnose, monitor or treat MS or any heart condition, and raises no alarms."),
        ),
        (
            _("Before training harder,"),
            _("talk to your neurologist, MS nurse or physiotherapist, above all with heart disease, fainting, a recent relapse or a new medicine."),
        ),
        (
            _("Medicines."),
            _("Beta blockers, some other heart medicines and S1P modulators (fingolimod, siponimod, ozanimod, ponesimod) lower the heart rate; limits by age are then wrong. Limits from an exercise test hold only if it was done with the same medicine and dose. Or go by the effort itself: you can talk but not sing (moderate), or say only a few words (vigorous). Never change a medicine because of a number here."),
        ),
        (
            _("Heat."),
            _("Symptoms may get worse for a while when your body gets warm, and settle after cooling. If they last beyond a day, call your team. Heat and fever also raise the heart rate, so minutes may be overstated."),
        ),
        (
            _("The target is yours."),
            _("The World Health Organization names 150 to 300 minutes a week; the Canadian guideline for adults with MS 30 minutes of moderate aerobic exercise twice a week, and strength training twice a week. Less is also worth it."),
        ),
        (
            _("Sources."),
            _("MS guideline: Latimer-Cheung 2013, doi 10.1016/j.apmr.2013.05.015. Wrist sensors: Gorny 2017, doi 10.2196/mhealth.8233."),
        ),
    ]  # fmt: skip
    if any(limits.method == "age" for limits in facts.limits):
        texts.insert(-2, estimates)
    return texts


def _isolated(text: str) -> str:
    """A text whose direction of writing shall not reach what stands beside it (U+2068, U+2069)."""
    return f"\u2068{text}\u2069"
