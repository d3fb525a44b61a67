"""Two persons who are one: the history of the one counts as the other's, until that is taken back."""

import shlex

import click

from ingest.errors import Stop
from ingest.language import N_, Text
from ingest.language import gettext as _
from ingest.verbs.asking import ask_for_yes
from ingest.verbs.called import as_called
from ingest.verbs.command import Invocation, require_access, verb
from ingest.verbs.messages import print_sentences
from ingest.verbs.rename import carry_out, follow, known, show_plan


@verb(
    "merge",
    ("Ana and Anna are one: all of it is Anna's", "hartslag merge Anna Ana"),
    ("They were two after all", "hartslag merge --undo Anna Ana"),
)
@click.argument("name")
@click.argument("other")
@click.option("--undo", is_flag=True, help="Take back that OTHER is NAME: each has their own again.")
@click.option(
    "--yes",
    is_flag=True,
    help="Do it without a question; without it, a pipe is only shown what would change.",
)
@click.pass_obj
def command(invocation: Invocation, name: str, other: str, undo: bool, yes: bool) -> None:
    """Have all that is known of OTHER count as NAME's: sensors, files and history.

    Nothing is deleted; where both recorded the better sensor is believed, and copies count once. The daemon must not run
    meanwhile. Ends with 3 when nothing was changed as nobody said yes.
    """
    from ingest.household import view_journal
    from ingest.verbs.persons_changed import SettingsChange

    settings = invocation.load_settings()
    require_access(settings)
    if undo:
        _part(invocation, name, other, yes=yes)
        return
    change = SettingsChange(invocation, "merge", name, other)
    change.rename(other, name)
    with view_journal(settings) as journal:
        into, person = known(journal, name), known(journal, other)
        for found, called in ((into, name), (person, other)):
            if found is None:
                names = ", ".join(p.name for p in journal.persons())
                raise Stop(
                    Text(N_("Nobody called {name} is known here; known: {names}."), name=called, names=names)
                )
        assert person is not None
        assert into is not None
        if person == into:
            raise Stop(Text(N_("{name} is one person already."), name=person.name))
        show_plan(settings, journal, change, person, into, into.name)
    ask_for_yes(yes=yes)
    carry_out(settings, change, person.name, into.name, person=person, into=into)
    follow(settings)
    text = _("{old} is {new} now. To take that back: `hartslag merge --undo {names}`")
    names = shlex.join([into.name, person.name])
    print_sentences([as_called(text.format(old=person.name, new=into.name, names=names))])


def _part(invocation: Invocation, name: str, other: str, *, yes: bool) -> None:
    """Take it back."""
    from ingest.household import view_journal
    from ingest.journal import Journal
    from ingest.mistakes.homes import rehome_archive
    from ingest.mistakes.persons import merged_into, part
    from ingest.settings.names import same_name
    from ingest.verbs.persons_changed import without_daemon

    settings = invocation.load_settings()
    with view_journal(settings) as journal:
        of = known(journal, name)
        found = [p for p in merged_into(journal, of) if same_name(p.name) == same_name(other)] if of else []
        if of is None or not found:
            raise Stop(Text(N_("{other} was not merged into {name}."), other=other, name=name))
        if known(journal, found[-1].name) is not None:
            words = N_(
                "There is another {name} by now; give that one another name first: `hartslag rename {name} ...`"
            )
            raise Stop(Text(words, name=found[-1].name))
    text = _(
        "{other} is a person of their own again, with what came in as theirs; what came in since stays {name}'s."
    )
    print_sentences([text.format(other=found[-1].name, name=of.name)])
    ask_for_yes(yes=yes)
    with without_daemon(settings.data), Journal(settings.journal_file, create=False) as journal:
        part(journal, found[-1], of)
        rehome_archive(settings, journal, found[-1].id, found[-1].name)
    follow(settings)
    if settings.person(found[-1].name) is None:
        text = _('To go on collecting for them, add to the settings:  [[person]]  and  name = "{name}"')
        print_sentences([text.format(name=found[-1].name)])
