"""When it was that straps told something while nobody knew the time: what waits for that, and where it is placed."""

import re
import shlex
import sys
from typing import TYPE_CHECKING

import click

from ingest.errors import Stop
from ingest.language import N_, Text
from ingest.language import gettext as _
from ingest.verbs.asking import ask_for_yes
from ingest.verbs.command import Invocation, print_json, print_lines, verb
from ingest.verbs.messages import print_sentences, print_wrapped

if TYPE_CHECKING:
    from ingest.journal import Journal
    from ingest.journal.boots import Boot
    from ingest.journal.dating import Observation
    from ingest.settings.model import Settings


def _list(journal: "Journal", *, as_json: bool) -> None:
    from ingest.system.clock import SystemClock
    from ingest.verbs.clock_answer import boot_json, machine_clock
    from ingest.verbs.clock_files import placed_files, undated_files
    from ingest.verbs.clock_words import clock_lines
    from ingest.verbs.terminal import PIPE, find_terminal

    found = {
        "clock": machine_clock(journal, SystemClock()).json(),
        "waiting": [boot_json(b) for b in journal.unplaced_boots()],
        "placed": [boot_json(b) for b in journal.placed_boots()],
        "files": [f.json() for f in undated_files(journal)],
        "placed_files": [
            {
                "file": f.name,
                "person": f.copy.person,
                "from_ms": f.copy.first_ms,
                "to_ms": f.copy.last_ms,
            }
            for f in placed_files(journal)
        ],
    }
    if as_json:
        print_json(found)
    else:
        print_lines(clock_lines(find_terminal() or PIPE, journal, found))


def _place(invocation: Invocation, words: tuple[str, ...], *, yes: bool) -> None:
    from ingest.mistakes.placing import placing
    from ingest.system.clock import SystemClock
    from ingest.verbs.clock_answer import SHOWN, calendar_of, find_boot, machine_clock, parse_when, place_ms

    begins_with_time = re.match(r"[0-9]{1,6}-", words[0])
    number = None if begins_with_time else words[0]
    text = " ".join(words if begins_with_time else words[1:])
    if _place_file(invocation, number, text, yes=yes):
        return
    if not text:
        raise Stop(
            Text(N_("When was it? Put the day and the time behind it, like {example}."), example=_EXAMPLE)
        )
    when = parse_when(text)
    with invocation.open_journal() as (settings, journal):
        boot = find_boot([*journal.unplaced_boots(), *journal.placed_boots()], number)
        calendar = calendar_of(journal, boot.told[0].person)
        assert calendar is not None
        at_ms = place_ms(boot, when, calendar, machine_clock(journal, SystemClock()))
        said = placing(boot, at_ms)
        _show_effect(
            settings,
            journal,
            boot,
            said,
            _("If the first of {boot} was heard at {when}:").format(
                boot=boot.id[:SHOWN], when=f"{when:%Y-%m-%d %H:%M}"
            ),
        )
        ask_for_yes(yes=yes)
        _say(settings, journal, boot.id, said)
    text = _("It counts there now. To take that back: `hartslag clock {boot} --undo`")
    print_sentences([_as_called(text.format(boot=boot.id[:SHOWN]))])


_EXAMPLE = '"2026-11-20 18:30"'


def _place_file(invocation: Invocation, name: str | None, text: str, *, yes: bool) -> bool:
    """Place the file that waits under a name, or the only thing that waits; gives whether there is one."""
    from ingest.verbs.clock_answer import calendar_of, check_over, parse_when
    from ingest.verbs.clock_files import find_undated, lies_over, place_undated, undated_files
    from ingest.verbs.times import day_and_time, local_ms, zone_at

    with invocation.view_journal() as (settings, journal):
        waiting, boots = undated_files(journal), [*journal.unplaced_boots(), *journal.placed_boots()]
        alone = name is None and len(waiting) == 1 and not boots
        file = waiting[0] if alone else find_undated(waiting, name or "")
        if file is None and waiting and not boots:
            told = N_("No file that waits for a time is called {name}; there are {names}.")
            raise Stop(Text(told, name=name or "-", names=", ".join(f.short for f in waiting)))
        if file is None:
            return False
        if not text:
            told = N_("When did {file} begin? Put the day and the time behind it, like {example}.")
            raise Stop(Text(told, file=file.short, example=f'"{file.proposed}"'))
        when = parse_when(text)
        calendar = calendar_of(journal, file.person)
        assert calendar is not None
        # What is proposed is known to the second, at best, and told to the minute.
        at_ms = file.proposed_ms if text == file.proposed else local_ms(when, calendar)
        check_over(at_ms, file.lasted_s * 1000, journal.now_ms(), calendar)
        over = list(lies_over(journal, file, at_ms, calendar))
    begin, end = (day_and_time(ms, zone_at(calendar, ms)) for ms in (at_ms, at_ms + file.lasted_s * 1000))
    words = (
        _("{file}: {n} heart rates of {person} would count from {begin} to {end}.")
        if file.samples
        else _("{file}: {n} beats of {person} would be kept from {begin} to {end}.")
        if file.beats
        else _("{file}: the summary of this workout of {person} would count from {begin} to {end}.")
    )
    told = words.format(
        file=file.short, n=file.samples or file.beats, person=file.person, begin=begin, end=end
    )
    print_wrapped([told, *over])
    ask_for_yes(yes=yes)
    place_undated(settings, file, at_ms)
    text = _("It counts there now. To take that back: `hartslag clock {boot} --undo`")
    print_wrapped([text.format(boot=shlex.quote(file.short))])
    return True


def _undo(invocation: Invocation, words: tuple[str, ...], *, yes: bool) -> None:
    from ingest.mistakes.placing import taking_back
    from ingest.verbs.clock_answer import SHOWN, find_boot

    if _undo_file(invocation, words[0] if words else None, yes=yes):
        return
    with invocation.open_journal() as (settings, journal):
        boot = find_boot(journal.placed_boots(), words[0] if words else None)
        said = taking_back(boot)
        _show_effect(
            settings,
            journal,
            boot,
            said,
            _("If you do not know when {boot} was:").format(boot=boot.id[:SHOWN]),
        )
        ask_for_yes(yes=yes)
        _say(settings, journal, boot.id, said)
    print_sentences([_("It is kept, and counts in no week until you say when it was.")])


def _undo_file(invocation: Invocation, name: str | None, *, yes: bool) -> bool:
    """Have a file that was placed wait again; gives whether there is one."""
    from ingest.household import find_person, places_of
    from ingest.journal.forgotten import Forgotten
    from ingest.journal.known import note_gone_since_known
    from ingest.mistakes.forgetting import forget
    from ingest.verbs.clock_files import find_placed
    from ingest.verbs.forget import effect_of, show_effect
    from ingest.verbs.messages import say
    from ingest.verbs.store_follows import catch_up

    with invocation.view_journal() as (settings, journal):
        file = find_placed(journal, name) if name or not journal.placed_boots() else None
        if file is None:
            return False
        person = find_person(journal, file.copy.person)
        assert person is not None
        placing = [Forgotten(0, person.id, (file.copy.id,), file.copy_name, placing=True)]
        heading = _("If you do not know when {boot} was:").format(boot=file.short)
        show_effect(settings, journal, person, effect_of(journal, person, placing), heading)
    ask_for_yes(yes=yes)
    with invocation.open_journal() as (settings, journal):
        forget(journal, placing)
        note_gone_since_known(places_of(settings), journal)
    if trouble := catch_up(settings):
        say(trouble, sys.stderr)
    print_sentences([_("It is kept, and counts in no week until you say when it was.")])
    return True


def _right(invocation: Invocation) -> None:
    """It asks nothing: what it says can be seen on the wall, and is taken back like the rest."""
    from ingest.system.clock import SystemClock
    from ingest.verbs.clock_answer import right_now
    from ingest.verbs.times import day_and_time

    clock = SystemClock()
    said = right_now(clock)
    with invocation.open_journal() as (settings, journal):
        _say(settings, journal, clock.boot, said)
    text = _(
        "It is {time}: what straps have told since the machine was started counts by that, until the clock is set over the internet."
    )
    print_sentences([text.format(time=day_and_time(said.wall_ms))])


def _show_effect(
    settings: "Settings", journal: "Journal", boot: "Boot", said: "Observation", heading: str
) -> None:
    from ingest.household import find_person
    from ingest.mistakes.effect import find_effect
    from ingest.mistakes.placing import dated_spans, supposing
    from ingest.verbs.forget import show_effect

    for name in dict.fromkeys(t.person for t in boot.told):
        person = find_person(journal, name)
        if person is not None:
            spans = dated_spans(boot, said)
            effect = find_effect(journal, person, spans, lambda: supposing(journal, boot.id, said))
            show_effect(settings, journal, person, effect, f"{heading} ({person.name})")


def _say(settings: "Settings", journal: "Journal", boot: str, said: "Observation") -> None:
    from ingest.mistakes.placing import say_of_boot
    from ingest.verbs.messages import say
    from ingest.verbs.store_follows import catch_up

    say_of_boot(journal, boot, said)
    if trouble := catch_up(settings):
        say(trouble, sys.stderr)


def _as_called(text: str) -> str:
    from ingest.verbs.called import as_called

    return as_called(text)


@verb(
    "clock",
    ("What waits for a time?", "hartslag clock"),
    ("It was on Friday evening", 'hartslag clock 3f2a9c1b "2026-11-20 18:30"'),
    ("A workout of a watch without a date was on that day", 'hartslag clock run.fit "2026-11-20 18:30"'),
    ("No, it was not", "hartslag clock 3f2a9c1b --undo"),
    ("There is no internet, and the clock is right", "hartslag clock --right"),
)
@click.argument("words", nargs=-1, metavar="[NUMBER | FILE] [WHEN]")
@click.option("--undo", is_flag=True, help="Take back what was said of a number or a file.")
@click.option("--right", is_flag=True, help="Say that the clock of this machine is right now.")
@click.option(
    "--yes",
    is_flag=True,
    help="Do it without a question; without it, a pipe is only shown what would change.",
)
@click.option("--json", "as_json", is_flag=True, help="The clock, and what waits for a time, as JSON.")
@click.pass_obj
def command(
    invocation: Invocation, words: tuple[str, ...], undo: bool, right: bool, yes: bool, as_json: bool
) -> None:
    """Show what straps told while nobody knew the time, and say when it was; shows first what changes.

    A Pi has no clock that runs while it is off. What straps tell before it has learned the time from the internet is
    dated once it has; if it never did, until it was switched off again, it is listed here under a number. WHEN is the
    day and the time at which the first of it was heard. So do files of watches whose clock was not set: FILE is the name of one.
    Nothing is ever deleted. Ends with 3 when nobody said yes.
    """
    if right:
        _right(invocation)
    elif undo:
        _undo(invocation, words, yes=yes)
    elif words:
        _place(invocation, words, yes=yes)
    else:
        with invocation.view_journal() as (_settings, journal):
            _list(journal, as_json=as_json)
