"""A damaged journal made whole: what is readable goes into a new one, files are read again from the archive, the rest is named."""

import logging
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ingest.errors import Stop, TryLater
from ingest.language import N_, Text, ngettext, said, system_words
from ingest.language import gettext as _
from ingest.verbs.command import Invocation, print_json, verb
from ingest.verbs.messages import print_sentences, say

if TYPE_CHECKING:
    from ingest.journal.damage import Damage
    from ingest.journal.mended import Mended, Places
    from ingest.journal.mending import Look
    from ingest.settings.model import Settings

_MOST = 20


def found_lines(why: list[str], seen: "Look") -> Iterator[str]:
    """What is wrong with the journal, and what a repair would do."""
    from ingest.verbs.damage_words import damage_text

    if not why and not seen.again:
        yield _("The journal is whole: there is nothing to repair.")
        return
    for line in why[:_MOST]:
        yield _("Damaged: {what}").format(what=line)
    if len(why) > _MOST:
        yield _("... and {count} more.").format(count=len(why) - _MOST)
    chunks, entries = len(seen.found.rows["chunk"]), len(seen.found.rows["entry"])
    yield _("Readable: {entries} entries, {chunks} of them with heart rates.").format(
        entries=entries, chunks=chunks
    )
    if seen.again:
        yield ngettext(
            "{count} file is read again from the archive.",
            "{count} files are read again from the archive.",
            len(seen.again),
        ).format(count=len(seen.again))
    yield from (_("Gone: {what}").format(what=damage_text(d)) for d in seen.lost)


def _besides_lines(found: list[dict[str, Any]]) -> Iterator[str]:
    """What is lost besides what the damaged journal itself tells, as a repair would tell it."""
    from ingest.verbs.loss_words import loss_text

    for loss in found:
        text = loss_text(loss)
        yield text if loss["counts_again"] else _("Gone: {what}").format(what=text)


def _found_besides(settings: "Settings", places: "Places", seen: "Look") -> list[dict[str, Any]]:
    """What a repair would find to be lost besides, by what was noted apart from the journal and by the store: tried apart from the data."""
    from ingest.household import owner_in_archive
    from ingest.journal.known import gone_since_known
    from ingest.journal.losses import Loss, read_losses, with_losses
    from ingest.journal.mending import rehearsed
    from ingest.stores.sqlite import SqliteStore
    from ingest.verbs.loss_words import loss_json

    before = read_losses(places.journal)
    coming = {owner_in_archive(settings, settings.data / place) for _number, place in seen.again}
    try:
        with rehearsed(seen) as journal, SqliteStore(settings.store_file) as store:
            now_ms = journal.now_ms()
            held = with_losses(before, [Loss(now_ms, damage) for damage in seen.lost])
            held = with_losses(held, gone_since_known(places, journal, coming))
            held = with_losses(held, [Loss(now_ms, damage) for damage in store.missing_from(journal)])
            new = [loss for loss in held if loss not in before and loss.damage not in seen.lost]
            return [loss_json(journal, loss) for loss in new]
    except OSError as e:
        words = N_("What else is lost could not be looked for: {why}. The repair itself tells it.")
        say(said(Text(words, why=system_words(e))), sys.stderr)
        return []


def mended_lines(mended: "Mended", again: int, failed: int, more: list[dict[str, Any]]) -> Iterator[str]:
    """What was done; `more` is what is lost besides what the damaged journal itself tells."""
    from ingest.verbs.damage_words import damage_text
    from ingest.verbs.loss_words import loss_text

    yield _("The journal is repaired.")
    if mended.kept:
        yield _("The damaged one is kept beside it as {name}; delete it once all is as you want it.").format(
            name=mended.kept
        )
    if again:
        yield ngettext(
            "{count} file was read again from the archive.",
            "{count} files were read again from the archive.",
            again,
        ).format(count=again)
    if failed:
        yield ngettext(
            "{count} file could not be read yet; the daemon tries it again.",
            "{count} files could not be read yet; the daemon tries them again.",
            failed,
        ).format(count=failed)
    if not (mended.lost or more):
        yield _("Nothing is lost.")
    yield from (_("Gone for good: {what}").format(what=damage_text(d)) for d in mended.lost)
    for loss in more:
        text = loss_text(loss)
        yield text if loss["counts_again"] else _("Gone for good: {what}").format(what=text)


def read_files_again(settings: "Settings", places: "Places") -> tuple[int, int]:
    """Read the files of the list; gives how many were taken, and how many could not be read now."""
    from ingest.collect.arrival import Arrivals
    from ingest.collect.reader_process import ReaderProcess
    from ingest.collect.reading_again import read_again
    from ingest.household import open_journal, owner_in_archive, register_person
    from ingest.journal.mended import pending

    count = len(pending(places))
    if not count:
        return 0, 0
    taken = 0
    with (
        open_journal(settings, create=True) as journal,
        ReaderProcess(settings.inbox.largest_mb << 20, folder=settings.data) as reader,
    ):
        arrivals = Arrivals(journal, reader, settings.data)
        todo = read_again(
            places,
            arrivals,
            lambda path: register_person(journal, settings, owner_in_archive(settings, path)),
        )
        if sys.stderr.isatty():
            with click.progressbar(todo, length=count, label=_("Reading"), width=0, file=sys.stderr) as shown:
                taken = sum(isinstance(outcomes, list) for _path, outcomes in shown)
        else:
            taken = sum(isinstance(outcomes, list) for _path, outcomes in todo)
    return taken, count - taken


@verb(
    "repair",
    ("What is damaged, and what would be done?", "hartslag repair --dry-run"),
    ("A new journal of all that can be read", "hartslag repair"),
)
@click.option("--dry-run", is_flag=True, help="Only look; change nothing.")
@click.option("--json", "as_json", is_flag=True, help="What was found, and what is gone, as JSON.")
@click.pass_obj
def command(invocation: Invocation, *, dry_run: bool, as_json: bool) -> None:
    """Make a new journal of all that can be read of a damaged one.

    The damaged one is kept beside it. Files are read again from the archive; what only straps knew and cannot be read is
    named. The daemon does the same by itself.
    """
    from ingest.household import open_journal, places_of
    from ingest.journal.known import note_gone_since_known
    from ingest.journal.losses import read_losses
    from ingest.journal.mending import look, mend, whole
    from ingest.verbs.loss_words import loss_json

    settings = invocation.load_settings()
    _require_still(settings, dry_run=dry_run)
    places = places_of(settings)
    why = whole(places.journal)
    seen = look(places)
    if not as_json:
        print_sentences(found_lines([said(line) for line in why], seen))
    if dry_run or not (why or seen.again):
        found = _found_besides(settings, places, seen) if why or seen.again else []
        if as_json:
            told = _json(why, seen.lost, [place for _, place in seen.again], "")
            print_json({**told, "found": found})
        else:
            print_sentences(_besides_lines(found))
        return
    logging.getLogger("ingest").setLevel(logging.ERROR)  # what is gone is told here, in the owner's words
    before = read_losses(places.journal)
    mended = mend(places, why[0] if why else "files of the archive were not in it")
    again, failed = read_files_again(settings, places)
    with open_journal(settings, create=True) as journal:
        note_gone_since_known(places, journal)
    _follow(settings)  # the store knows more exactly what it held and is gone
    new = [loss for loss in read_losses(places.journal) if loss not in before]
    with open_journal(settings, create=True) as journal:
        more = [loss_json(journal, loss) for loss in new if loss.damage not in mended.lost]
    if as_json:
        told = _json(why, mended.lost, mended.files, mended.kept)
        print_json({**told, "found": more})
    else:
        print_sentences(mended_lines(mended, again, failed, more))


def _require_still(settings: "Settings", *, dry_run: bool) -> None:
    """Raise Stop where there is nothing to repair, or a daemon that does it."""
    from ingest.system.lock import holder

    if not settings.data.is_dir():
        words = N_("There is no folder {folder}. Name the right one with --data.")
        raise Stop(Text(words, folder=settings.data))
    process = holder(settings.data)
    if process is not None and not dry_run:
        words = N_(
            "The daemon runs (process {process}) and repairs the journal by itself. To do it by hand, stop it first:"
            " `sudo systemctl stop hartslag`, or Ctrl-C where it runs."
        )
        raise Stop(Text(words, process=process))


def _json(faults: list[str], gone: list["Damage"], files: list[str], kept: str) -> dict[str, Any]:
    from dataclasses import asdict

    return {"faults": faults, "gone": [asdict(d) for d in gone], "files": files, "kept": kept}


def _follow(settings: "Settings") -> None:
    """Have the store be what the journal says now; where it cannot, it is said, and the daemon does that."""
    from ingest.verbs.store_follows import catch_up

    try:
        trouble = catch_up(settings)
    except TryLater as e:
        trouble = e.text
    if trouble:
        say(said(trouble), sys.stderr)
