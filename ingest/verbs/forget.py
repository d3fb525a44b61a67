"""What should not count: a wrong person's file, a strap on the dog. Nothing is deleted, and it can be taken back."""

import shlex
import sys
from typing import TYPE_CHECKING, Any

import click

from ingest.language import gettext as _
from ingest.verbs.asking import ask_for_yes
from ingest.verbs.command import Invocation, print_json, print_lines, verb
from ingest.verbs.messages import print_wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from ingest.journal import Journal, Person
    from ingest.journal.forgotten import Forgotten
    from ingest.mistakes.effect import Effect
    from ingest.settings.model import Settings
    from ingest.verbs.forget_subject import ForgetSubject


def effect_of(
    journal: "Journal", person: "Person", together: "list[Forgotten]", *, back: bool = False
) -> "Effect":
    """What changes when some things are forgotten, or taken back."""
    from ingest.mistakes.effect import find_effect
    from ingest.mistakes.forgetting import changed_edges, supposing, touched_spans

    spans = [span for f in together for span in touched_spans(journal, f) if span is not None]
    spans += changed_edges(journal, together, back=back)
    return find_effect(journal, person, spans, lambda: supposing(journal, together, back=back), looking)


def looking(weeks: "Iterable[date]") -> "Iterator[date]":
    """The weeks, with a bar on a terminal where there are many."""
    in_order = list(weeks)
    if len(in_order) < 20 or not sys.stderr.isatty():
        yield from in_order
        return
    with click.progressbar(in_order, label=_("Looking"), width=0, file=sys.stderr) as shown:
        yield from shown


def show_effect(
    settings: "Settings", journal: "Journal", person: "Person", effect: "Effect", heading: str
) -> None:
    """Print what would change for a person."""
    from ingest.grafana.sensor_names import sensor_names
    from ingest.rows.profile import read_profile
    from ingest.verbs.effect_words import effect_lines
    from ingest.verbs.terminal import PIPE, find_terminal

    t = find_terminal() or PIPE
    print_lines(t.wrap(heading, 0))
    calendar = read_profile(journal, person.id).calendar
    print_lines(effect_lines(t, effect, calendar, sensor_names(settings, journal)))


def forgotten_json(journal: "Journal") -> list[dict[str, Any]]:
    """What is forgotten, as `--list --json` and `status --json` print it."""
    return [
        {
            "number": f.position,
            "person": p.name,
            "name": f.name,
            "files": list(f.files),
            "source": f.source,
            "from_ms": None if f.files else f.from_ms,
            "to_ms": None if f.files else f.to_ms,
            "recorded_ms": f.recorded_ms,
        }
        for p in journal.persons()
        for f in journal.forgotten(p.id)
        if f.is_said
    ]


def _list(journal: "Journal", *, as_json: bool) -> None:
    found = forgotten_json(journal)
    if as_json:
        print_json(found)
        return
    if not found:
        print_wrapped([_("Nothing is forgotten.")])
    for f in found:
        line = _("{person}: {what} does not count. To take that back: `hartslag forget --undo {number}`")
        print_wrapped([line.format(person=f["person"], what=f["name"], number=f["number"])])


def _forget(
    invocation: Invocation, words: tuple[str, ...], source: str | None, *, yes: bool, as_json: bool
) -> None:
    from ingest.mistakes.forgetting import forget
    from ingest.verbs.forget_subject import parse_forget

    with invocation.view_journal() as (settings, journal):
        subject = parse_forget(settings, journal, words, source)
        effect = effect_of(journal, subject.person, subject.together)
        if as_json:
            print_json({"forget": subject.words, **effect.json()})
        else:
            heading = _("If {what} of {person} does not count:").format(
                what=subject.words, person=subject.person.name
            )
            show_effect(settings, journal, subject.person, effect, heading)
    ask_for_yes(yes=yes)
    with invocation.open_journal() as (settings, journal):
        number = forget(journal, subject.together)
        _note(settings, journal)
    _follow(settings)
    if not as_json:
        _say_forgotten(settings, subject, number)


def _say_forgotten(settings: "Settings", subject: "ForgetSubject", number: int) -> None:
    """What is done, how it is taken back, and how a file comes to the right person."""
    text = _("It does not count any more. To take that back: `hartslag forget --undo {number}`")
    print_wrapped([text.format(number=number)])
    if subject.file_at is not None:
        others = [p.name for p in settings.persons if p.name != subject.person.name]
        whose, at = others[0] if others else "NAME", str(settings.data / subject.file_at)
        text = _("If it is somebody else's: `hartslag add --person {name} {file}`")
        print_wrapped([text.format(name=shlex.quote(whose), file=shlex.quote(at))])


def _undo(invocation: Invocation, words: tuple[str, ...], *, yes: bool, as_json: bool) -> None:
    from ingest.mistakes.forgetting import followers, take_back
    from ingest.verbs.forget_subject import find_forgotten

    with invocation.view_journal() as (settings, journal):
        person, forgotten = find_forgotten(journal, words)
        effect = effect_of(journal, person, followers(journal, forgotten), back=True)
        if as_json:
            print_json({"undo": forgotten.name, **effect.json()})
        else:
            heading = _("If {what} of {person} counts again:").format(what=forgotten.name, person=person.name)
            show_effect(settings, journal, person, effect, heading)
    ask_for_yes(yes=yes)
    with invocation.open_journal() as (settings, journal):
        take_back(journal, forgotten)
        _note(settings, journal)
    _follow(settings)
    if not as_json:
        print_wrapped([_("It counts again.")])


def _note(settings: "Settings", journal: "Journal") -> None:
    """Write down apart from the journal what does not count: a copy of it that is put back may know nothing of it."""
    from ingest.household import places_of
    from ingest.journal.known import note_gone_since_known

    note_gone_since_known(places_of(settings), journal)


def _follow(settings: "Settings") -> None:
    from ingest.verbs.messages import say
    from ingest.verbs.store_follows import catch_up

    if trouble := catch_up(settings):
        say(trouble, sys.stderr)


@verb(
    "forget",
    ("A file that was somebody else's", "hartslag forget run.fit Anna"),
    ("The strap was on the dog", "hartslag forget 2026-03-03 18:00 - 19:10 Anna --source H10"),
    ("The workout that went on then", "hartslag forget 2026-03-03 18:30 Anna"),
    ("It was right after all", "hartslag forget --undo"),
)
@click.argument("words", nargs=-1, metavar="FILE|SESSION|SPAN [PERSON]")
@click.option(
    "--source",
    metavar="NAME",
    help="Of a span: of this strap or watch alone, by the name that `status` shows.",
)
@click.option(
    "--undo",
    is_flag=True,
    help="Take back what was forgotten last, or what is named by its number, file or time.",
)
@click.option("--list", "lists", is_flag=True, help="Show what is forgotten.")
@click.option(
    "--yes",
    is_flag=True,
    help="Do it without a question; without it, a pipe is only shown what would change.",
)
@click.option("--json", "as_json", is_flag=True, help="What would change, or what is forgotten, as JSON.")
@click.pass_obj
def command(
    invocation: Invocation,
    words: tuple[str, ...],
    source: str | None,
    undo: bool,
    lists: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Have a file, a workout or some time not count; shows first what changes, and can be taken back.

    A SESSION is named by a time in it (2026-03-03 18:30), a SPAN by its ends (2026-03-03 18:00 - 19:10), a day
    (2026-03-03) or a week (2026-W10). Nothing is deleted. Ends with 3 when nothing was changed as nobody said yes.
    """
    if lists:
        with invocation.view_journal() as (_settings, journal):
            _list(journal, as_json=as_json)
    elif undo:
        _undo(invocation, words, yes=yes, as_json=as_json)
    elif not words:
        raise click.UsageError(_("What shall be forgotten? A file, a time, a day or a week."))
    else:
        _forget(invocation, words, source, yes=yes, as_json=as_json)
