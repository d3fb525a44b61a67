"""How things stand. The answer in words: what needs a hand first."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ingest.language import gettext as _
from ingest.verbs.command import Invocation, print_json, print_lines, require_access, verb

if TYPE_CHECKING:
    from ingest.journal import Journal
    from ingest.settings.model import Settings
    from ingest.verbs.terminal import Terminal


def status_lines(
    t: "Terminal", settings: "Settings", journal: "Journal", now: dict[str, Any], acts: frozenset[str]
) -> Iterator[str]:
    """The status in lines, by what must be done; `acts` are the waiting files that a person must do something about."""
    from ingest.verbs.status_words import FINE, HAND, HEADINGS, KNOW, remarks

    found = list(remarks(settings, journal, now, acts))
    if not any(r.group == HAND for r in found):
        yield t.bold(_("All is well: nothing needs a hand."))
        yield ""
    for group in (HAND, KNOW, FINE):
        mine = [r for r in found if r.group == group]
        if not mine:
            continue
        yield t.bold(_(HEADINGS[group]))
        for remark in mine:
            yield from t.wrap(remark.text, 2, 4)
            for line in remark.more:
                yield from t.wrap(line, 6, 8)
        if group != FINE:
            yield ""


def _fresh_lines(t: "Terminal", settings: "Settings") -> Iterator[str]:
    """That nothing was ever collected in a folder, and what comes first; or that the journal of what was is gone."""
    from ingest.verbs.called import as_called
    from ingest.verbs.check_data import held_without_journal

    if held := held_without_journal(settings):
        yield from (line for text in held for line in t.wrap(as_called(f"{text}."), 0, 2))
        return
    yield t.bold(_("Nothing is collected yet in {folder}.").format(folder=settings.data))
    texts = [
        _("Settings: {file}").format(file=settings.file)
        if settings.file
        else _("There is no settings file yet: `hartslag setup` asks for what is needed."),
        _("`hartslag run` starts to collect; `hartslag add FILE` takes one file of a watch."),
        _("If you have collected before, this is another folder: name the right one with --data."),
    ]
    for text in texts:
        yield from t.wrap(as_called(text), 2, 4)


@verb("status", ("Is something waiting for me?", "hartslag status"))
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def command(invocation: Invocation, as_json: bool) -> None:
    """Show what is collected, what waits, and how the stores are."""
    from ingest.verbs.status_answer import status, waiting_files
    from ingest.verbs.terminal import PIPE, find_terminal

    settings = invocation.load_settings()
    require_access(settings)
    if settings.data.is_dir() and not settings.journal_file.exists() and not as_json:
        print_lines(_fresh_lines(find_terminal() or PIPE, settings))
        return
    with invocation.view_journal() as (settings, journal):
        waiting = waiting_files(settings, journal)
        now = status(settings, journal, waiting)
        if as_json:
            print_json(now)
        else:
            acts = frozenset(w.name for w in waiting if w.act)
            print_lines(status_lines(find_terminal() or PIPE, settings, journal, now, acts))
