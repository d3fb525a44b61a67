"""How does today go? The answer in words; on a terminal it renews itself while a strap is listened to."""

import signal
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from ingest.language import date_text, ngettext, number_text
from ingest.language import gettext as _
from ingest.verbs.command import Invocation, print_json, print_lines, verb
from ingest.verbs.messages import print_wrapped
from ingest.verbs.times import age_text, time_to_the_ms

if TYPE_CHECKING:
    from ingest.verbs.terminal import Terminal
    from ingest.verbs.today_answer import SensorNow, TodayAnswer, TodayFollower
    from ingest.verbs.today_screen import Part

_EVERY_S = 1.0
"""After how long a terminal is looked after again."""


def today_lines(t: "Terminal", answers: list["TodayAnswer"], *, over: bool = False) -> Iterator[str]:
    """Everybody's today. `over` when nothing is renewed any more: then no heart rate is that of now."""
    for i, answer in enumerate(answers):
        if i:
            yield ""
        for _goes, lines in _person_parts(t, answer, over=over):
            yield from lines


def screen_lines(t: "Terminal", answers: list["TodayAnswer"]) -> list[str]:
    """The same in no more lines than the terminal has."""
    from ingest.verbs.today_screen import fitting_lines

    return fitting_lines(t, [_person_parts(t, answer, over=False) for answer in answers])


def _person_parts(t: "Terminal", x: "TodayAnswer", *, over: bool) -> Iterator["Part"]:
    from ingest.verbs.today_screen import Goes

    space = (Goes.SPACE, [""])
    yield Goes.NEVER, list(t.wrap(_("{name}, {day}").format(name=x.person, day=date_text(x.day)), 0))
    yield space
    yield Goes.NEVER, list(t.bold_lines(_heart_rate_text(x, over=over)))
    if x.heart_rate is not None:
        yield Goes.BY_WHICH_SENSOR, list(t.wrap(_("heard by {sensor}").format(sensor=x.heart_rate.name)))
    yield space
    yield from _zone_parts(t, x)
    yield space
    for i, text in enumerate(_week_texts(x)):
        yield Goes.PACE if i else Goes.NEVER, list(t.wrap(text))
    if x.sensors:
        yield space
        for sensor in x.sensors:
            goes = Goes.SENSOR if sensor.is_well else Goes.TROUBLE
            yield goes, list(t.wrap(sensor_text(sensor, runs=x.runs), hang=4))


# --- the heart rate ---


def _heart_rate_text(x: "TodayAnswer", *, over: bool) -> str:
    from ingest.verbs.zone_table import ZONES

    h = x.heart_rate
    if h is None:
        return _("No strap is worn: nothing was heard of one in the last ten minutes.")
    zone = _(ZONES[h.zone]) if h.zone else ""
    if over:
        at = time_to_the_ms(h.at_ms // 1000 * 1000, x.zone)
        text = _("{bpm} bpm, {zone}, at {time}") if zone else _("{bpm} bpm at {time}")
        return text.format(bpm=h.bpm, zone=zone, time=at)
    if h.is_fresh(x.now_ms):
        return (_("{bpm} bpm now: {zone}") if zone else _("{bpm} bpm now")).format(bpm=h.bpm, zone=zone)
    return _("{bpm} bpm, but that was {age} ago").format(bpm=h.bpm, age=age_text(h.age_s(x.now_ms)))


# --- minutes ---


def _zone_parts(t: "Terminal", x: "TodayAnswer") -> Iterator["Part"]:
    from ingest.verbs.today_screen import Goes
    from ingest.verbs.unmeasured_words import told_text, workout_text
    from ingest.verbs.zone_table import zone_lines

    yield Goes.MINUTES, list(t.wrap(_minutes_text(x)))
    for workout in x.not_counted:
        yield Goes.NOT_COUNTED, list(t.wrap(workout_text(workout), hang=4))
    if not x.measured_min:
        return
    if told := told_text(x.told_dose_min):
        yield Goes.NOT_COUNTED, list(t.wrap(told))
    if x.week.has_limits:
        yield Goes.ZONES, list(zone_lines(t, x.zones_min))
    if x.zones_min["elevated"] >= 0.5:
        text = _("Not counted: {minutes} min of raised heart rate without movement.")
        yield Goes.NOT_COUNTED, list(t.wrap(text.format(minutes=number_text(x.zones_min["elevated"]))))


def _minutes_text(x: "TodayAnswer") -> str:
    from zones.dose import full_minutes

    if not x.measured_min and x.not_counted:
        return _("Nothing of today counts so far.")
    if not x.measured_min:
        return _("Nothing is measured today yet.")
    if x.week.has_limits:
        return _("Today: {minutes} minutes, in which vigorous ones count twice.").format(
            minutes=full_minutes(x.dose_min)
        )
    return _("Today: {minutes} min measured; none of it counts, for no limits are known.").format(
        minutes=number_text(x.measured_min)
    )


def _week_texts(x: "TodayAnswer") -> Iterator[str]:
    from ingest.verbs.unmeasured_words import in_short_text
    from ingest.verbs.week_words import dose_of_target_text, dose_without_target_text, span_text

    w = x.week
    if w.not_judged is not None and w.is_measured:
        yield _("This week: {minutes}.").format(minutes=dose_without_target_text(w))
        return
    if not w.measured_min:
        target = number_text(w.target_min)
        if w.not_judged is not None:
            what = in_short_text(w.unmeasured) if w.unmeasured else _("nothing is measured yet")
            yield _not_judged_text(w.not_judged).format(what=what, why=w.not_judged)
        elif w.unmeasured:
            text = _("This week: {what}: `hartslag week` says more. The target is {target} minutes.")
            yield text.format(what=in_short_text(w.unmeasured), target=target)
        else:
            text = _("This week: nothing is measured yet; the target is {target} minutes.")
            yield text.format(target=target)
        if x.newest is not None:
            yield _("The newest week that is measured is {days}: `hartslag week` shows it.").format(
                days=span_text(*x.newest)
            )
        return
    if w.to_go_min is None:
        yield _("This week cannot be counted: `hartslag week` says which line in the settings is missing.")
        return
    done = dose_of_target_text(w)
    if w.open_range is not None:
        yield _("This week: about enough. {minutes}.").format(minutes=done)
        return
    if not w.to_go_min:
        yield _("This week: enough. {minutes}.").format(minutes=done)
        return
    yield ngettext(
        "This week: {to_go} minute to go. {minutes}.",
        "This week: {to_go} minutes to go. {minutes}.",
        w.to_go_min,
    ).format(to_go=w.to_go_min, minutes=done)
    pace = number_text(x.pace_min or 0)
    if x.pace_to_go_min:
        yield _("An even pace asks {minutes} minutes of today: {to_go} to go.").format(
            minutes=pace, to_go=x.pace_to_go_min
        )
    else:
        yield _("An even pace asks {minutes} minutes of today: done.").format(minutes=pace)


# --- sensors ---


def _not_judged_text(why: str) -> str:
    """What is said of a week in which nothing counts so far, and which is held against nothing."""
    if why:
        return _("This week: {what}; it is not judged ({why}).")
    return _("This week: {what}; it is not judged.")


def sensor_text(s: "SensorNow", *, runs: bool) -> str:
    """How a strap is, in a sentence or two; `runs` says whether the daemon does."""
    age, battery = s.status["age_s"], s.status["battery_pct"]
    if not runs:
        told = _("{sensor}: not listened to. The daemon does not run: start it with `hartslag run`.")
    elif s.is_heard:
        told = _("{sensor}: heard.")
    elif age is not None:
        told = _("{sensor}: {state}, last heard {age} ago.")
    else:
        told = _("{sensor}: {state}, never heard yet.")
    text = told.format(sensor=s.name, state=_(s.status["state"]), age=age_text(age or 0))
    if not s.status["dated"]:
        text += " " + _("It counts once the time is known: `hartslag status` says more.")
    if battery is None:
        return text
    low = (
        _("Battery {battery} %: change it soon.") if s.has_low_battery else _("Battery {battery} %.")
    ).format(battery=battery)
    return f"{text} {low}"


# --- renewing it ---


def _renew(t: "Terminal", follower: "TodayFollower") -> None:
    """Show it until Ctrl-C, and then once more as what it is by then: over."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from ingest.verbs.terminal import find_terminal

    def shown(lines: Iterator[str]) -> Text:
        return Text.from_ansi("\n".join(lines), no_wrap=True, overflow="crop", end="")

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    before: list[str] = []
    with Live(console=Console(highlight=False, emoji=False), auto_refresh=False) as live:
        try:
            while True:
                answers = follower.answers()
                # The window may have become another.
                t = find_terminal() or t
                lines = screen_lines(t, answers)
                # What does not change is not written again: a screen reader would read it again, too.
                if lines != before:
                    live.update(shown(iter(lines)), refresh=True)
                    before = lines
                time.sleep(_EVERY_S)
        except (KeyboardInterrupt, SystemExit):
            live.update(shown(today_lines(t, answers, over=True)), refresh=True)
            raise


@verb(
    "today",
    ("How today goes, of everybody", "hartslag today"),
    ("Only one person, once, without renewing it", "hartslag today Anna --once"),
)
@click.argument("person", required=False)
@click.option("--once", is_flag=True, help="Show it once and end, on a terminal too.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, once: an array, a person each.")
@click.pass_obj
def command(invocation: Invocation, person: str | None, once: bool, as_json: bool) -> None:
    """Show how today goes: the heart rate now, minutes so far, what is to go.

    On a terminal it renews itself while the daemon listens to a strap; Ctrl-C ends it. In a pipe it is shown once.
    """
    from ingest.household import persons_called
    from ingest.verbs.terminal import PIPE, find_terminal
    from ingest.verbs.today_answer import TodayFollower

    with invocation.view_journal() as (settings, journal):
        follower = TodayFollower(settings, journal, persons_called(journal, person))
        answers = follower.answers()
        t = find_terminal() or PIPE
        is_heard = any(x.heart_rate or (x.runs and x.sensors) for x in answers)
        if as_json:
            print_json([x.json() for x in answers])
        elif not answers:
            print_wrapped([_("Nobody is known here yet. `hartslag setup` asks who you are.")])
        elif t.renews and not once and is_heard:
            _renew(t, follower)
        else:
            print_lines(today_lines(t, answers))
