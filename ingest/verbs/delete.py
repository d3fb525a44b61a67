"""A person taken out of everything: journal, archive, stores, copies. It is the only verb that deletes from the journal."""

import sys
from typing import TYPE_CHECKING

import click

from ingest.errors import Stop
from ingest.language import N_, Text, ngettext, said
from ingest.language import gettext as _
from ingest.verbs.asking import UNCHANGED
from ingest.verbs.command import Invocation, require_access, verb
from ingest.verbs.messages import print_sentences, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingest.journal import Journal
    from ingest.mistakes.departure import Departure
    from ingest.settings.model import Settings
    from ingest.verbs.persons_changed import SettingsChange


def plan_lines(
    settings: "Settings", journal: "Journal", departure: "Departure", change: "SettingsChange"
) -> "Iterator[str]":
    """All that goes, and what is out of reach."""
    from ingest.stores.configured import configured_stores

    name = departure.person.name
    samples = journal.samples_of(departure.numbers)
    yield _("All of {name} is to be deleted, and cannot be brought back:").format(name=name)
    yield "  " + _("the journal: {samples} heart rates, and all that files and settings told").format(
        samples=samples
    )
    files = len(departure.files)
    yield "  " + ngettext(
        "{n} file in archive and rejected", "{n} files in archive and rejected", files
    ).format(n=files)
    for path in (*departure.folders, *departure.pages, *departure.journals):
        yield f"  {path}"
    for store in configured_stores(settings):
        yield "  " + _("the rows in the store {place}").format(place=store.place)
    if settings.backup_folder is not None:
        text = _("all copies in {folder}: a new one without {name} takes their place")
        yield "  " + text.format(folder=settings.backup_folder, name=name)
    if change.lines:
        yield _("In the file {file} these lines change:").format(file=change.own.path)
        yield from change.lines
    text = _(
        "{path} was set aside and may tell of {name}, too, and of others: delete it yourself if it may go."
    )
    yield from (text.format(path=path, name=name) for path in departure.aside)
    yield _(
        "What the program cannot reach: copies and pages that you made elsewhere, what a server keeps as a backup of its own,"
        " the log of the system, other sticks with copies."
    )


def _ask_for_name(name: str, again: str | None) -> None:
    """Return once the name was typed, as an argument or on the terminal; ends the verb otherwise."""
    from ingest.settings.names import same_name

    if again is None:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            say(
                _("Nothing is deleted: the same line with --really and the name once more does it."),
                sys.stderr,
            )
            sys.exit(UNCHANGED)
        question = _("To delete all of it, type the name:")
        again = click.prompt(question, default="", show_default=False, prompt_suffix=" ")
    if same_name(again.strip()) != same_name(name):
        say(_("That is not the name. Nothing is deleted."), sys.stderr)
        sys.exit(UNCHANGED)


@verb(
    "delete",
    ("All of Anna is to go; it shows first what that is", "hartslag delete Anna"),
    ("In a script", "hartslag delete Anna --really Anna"),
)
@click.argument("person")
@click.option("--really", metavar="NAME", help="The name once more, instead of the question.")
@click.pass_obj
def command(invocation: Invocation, person: str, really: str | None) -> None:
    """Delete a PERSON everywhere, for good: journal, archive, inbox, pages, stores, copies and settings.

    It shows first what goes, and asks for the name. The daemon must not run meanwhile. Broken off, the same again completes
    it. What is out of reach is named. Ends with 3 when nothing was deleted.
    """
    from ingest.household import known_names, view_journal
    from ingest.mistakes.broken_off import is_begun
    from ingest.mistakes.departure import find_departure
    from ingest.verbs.persons_changed import SettingsChange
    from ingest.verbs.rename import known

    settings = invocation.load_settings()
    require_access(settings)
    change = SettingsChange(invocation, "delete", person)
    change.remove(person)
    with view_journal(settings) as journal:
        found = known(journal, person)
        if found is None and not (is_begun(settings) or change.lines):
            names = known_names(journal)
            raise Stop(
                Text(N_("Nobody called {name} is known here; known: {names}."), name=person, names=names)
            )
        if found is not None:
            print_sentences(plan_lines(settings, journal, find_departure(settings, journal, found), change))
    _ask_for_name(person, really)
    missed = _carry_out(settings, change, person)
    print_sentences([_("{name} is deleted.").format(name=person), *(said(text) for text in missed)])


def _carry_out(settings: "Settings", change: "SettingsChange", name: str) -> list[Text]:
    from ingest.journal import Journal
    from ingest.mistakes.departure import (
        begin,
        complete,
        find_departure,
        remove_from_disk,
        remove_from_journal,
    )
    from ingest.verbs.persons_changed import without_daemon
    from ingest.verbs.rename import known

    with without_daemon(settings.data):
        begin(settings)
        # First: while the settings name them, whoever opens the journal writes them into it.
        change.save()
        change.remove_kept()
        with Journal(settings.journal_file, create=False) as journal:
            if (found := known(journal, name)) is not None:
                departure = find_departure(settings, journal, found)
                remove_from_disk(departure)
                remove_from_journal(journal, departure)
            return complete(settings, journal)
