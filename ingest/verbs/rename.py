"""Another name for a person: their history, files, folders and settings go along."""

import sys
from typing import TYPE_CHECKING

import click

from ingest.errors import Stop
from ingest.language import N_, Text, ngettext
from ingest.language import gettext as _
from ingest.verbs.asking import ask_for_yes
from ingest.verbs.command import Invocation, require_access, verb
from ingest.verbs.messages import print_sentences

if TYPE_CHECKING:
    from ingest.journal import Journal, Person
    from ingest.settings.model import Settings
    from ingest.verbs.persons_changed import SettingsChange


def known(journal: "Journal", name: str) -> "Person | None":
    """The person of that name in the journal; one whom only the settings name is none."""
    from ingest.household import find_person

    found = find_person(journal, name)
    return found if found is not None and found.id > 0 else None


def show_plan(
    settings: "Settings",
    journal: "Journal",
    change: "SettingsChange",
    person: "Person",
    into: "Person | None",
    new: str,
) -> None:
    """Print what would be otherwise."""
    from ingest.mistakes.homes import inbox_folders

    files = len(journal.destinations(person.id))
    if into is None:
        text = ngettext(
            "{old} gets the name {new}: all of the history, here and in every store, and {files} file of the archive.",
            "{old} gets the name {new}: all of the history, here and in every store, and {files} files of the archive.",
            files,
        )
        print_sentences([text.format(old=person.name, new=new, files=files)])
    else:
        show_merge(settings, journal, person, into)
    if inbox_folders(settings, person.name):
        print_sentences([_("What waits in the inbox folder {folder} goes along.").format(folder=person.name)])
    if change.lines:
        print_sentences(
            [_("In the file {file} these lines change:").format(file=change.own.path), *change.lines]
        )


def show_merge(settings: "Settings", journal: "Journal", person: "Person", into: "Person") -> None:
    """Print what changes for the one as whom another counts."""
    from ingest.journal import ALWAYS_MS
    from ingest.mistakes.effect import find_effect
    from ingest.verbs.forget import looking, show_effect

    heading = _(
        "All that is known of {old} becomes {new}'s; where both recorded, the better sensor is believed:"
    ).format(old=person.name, new=into.name)
    spans = [*journal.told_spans(person.id), *journal.chunk_spans(person.id, -ALWAYS_MS, ALWAYS_MS)]
    effect = find_effect(
        journal, into, _joined(spans), lambda: journal.supposing_merged(person.id, into.id), looking
    )
    show_effect(settings, journal, into, effect, heading)


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    from zones.spans import Spans

    joined = Spans.pairs((min(a, b), max(a, b) + 1) for a, b in spans)
    return [(a, b - 1) for a, b in zip(joined.start.tolist(), joined.end.tolist(), strict=True)]


def carry_out(
    settings: "Settings",
    change: "SettingsChange",
    old: str,
    new: str,
    *,
    person: "Person | None",
    into: "Person | None",
) -> None:
    """Do it: settings, journal, folders, pages; the same again completes what was broken off."""
    from ingest.journal import Journal
    from ingest.mistakes.homes import move_inbox, pages_of, rehome_archive, remove_pages
    from ingest.mistakes.persons import merge, rename
    from ingest.verbs.persons_changed import without_daemon

    with without_daemon(settings.data):
        change.save()
        with Journal(settings.journal_file, create=False) as journal:
            pages = pages_of(settings, [p.name for p in journal.persons()])
            if person is not None and into is not None:
                merge(journal, person, into)
            elif person is not None:
                rename(journal, person, new)
            now = known(journal, new)
            assert now is not None
            rehome_archive(settings, journal, now.id, now.name)
            for other, whose in journal.merges().items():
                if whose == now.id:
                    rehome_archive(settings, journal, other, now.name)
            move_inbox(settings, old, now.name)
            list(remove_pages(pages - pages_of(settings, [p.name for p in journal.persons()])))


def follow(settings: "Settings") -> None:
    """Have the store for Grafana follow at once; servers do as soon as the daemon runs."""
    from ingest.verbs.messages import say
    from ingest.verbs.store_follows import catch_up

    if trouble := catch_up(settings):
        say(trouble, sys.stderr)


@verb(
    "rename",
    ("The name was written wrongly", "hartslag rename Ana Anna"),
    ("Only one letter is another", "hartslag rename Jansson Janssen"),
)
@click.argument("old")
@click.argument("new")
@click.option(
    "--yes",
    is_flag=True,
    help="Do it without a question; without it, a pipe is only shown what would change.",
)
@click.pass_obj
def command(invocation: Invocation, old: str, new: str, yes: bool) -> None:
    """Give the person OLD the name NEW: history, files, folders, stores and settings.

    Where NEW is known already, as after a name was corrected in the settings, both histories become one. The daemon must
    not run meanwhile. Broken off, the same again completes it. Ends with 3 when nothing was changed as nobody said yes.
    """
    from ingest.household import view_journal
    from ingest.mistakes.homes import inbox_folders
    from ingest.settings.names import as_kept, wrong_with_name
    from ingest.verbs.persons_changed import SettingsChange

    if wrong := wrong_with_name(new):
        raise Stop(Text(N_("{name} cannot be a name: {wrong}."), name=new, wrong=wrong))
    new = as_kept(new)
    settings = invocation.load_settings()
    require_access(settings)
    change = SettingsChange(invocation, "rename", old, new)
    change.rename(old, new)
    with view_journal(settings) as journal:
        person, into = known(journal, old), known(journal, new)
        if person is not None and person == into:
            into = None
        if person is None and not (into is not None and (change.lines or inbox_folders(settings, old))):
            names = ", ".join(p.name for p in journal.persons())
            raise Stop(Text(N_("Nobody called {name} is known here; known: {names}."), name=old, names=names))
        if person is not None and person.name == new and not change.lines:
            raise Stop(Text(N_("{name} is called so already."), name=new))
        if person is not None:
            show_plan(settings, journal, change, person, into, new)
        elif change.lines:
            print_sentences(
                [_("In the file {file} these lines change:").format(file=change.own.path), *change.lines]
            )
    ask_for_yes(yes=yes)
    carry_out(settings, change, old, new, person=person, into=into)
    follow(settings)
    print_sentences([_("{old} is called {new} now.").format(old=old, new=new)])
