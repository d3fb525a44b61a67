"""A copy brought back: everything is checked first, and what is here is set aside."""

import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ingest.errors import HartslagError, Stop
from ingest.language import N_, Text, ngettext, said
from ingest.language import gettext as _
from ingest.verbs.called import as_called
from ingest.verbs.command import Invocation, WholeNumber, verb
from ingest.verbs.messages import print_sentences, print_wrapped

if TYPE_CHECKING:
    from ingest.backup.restoring import Found
    from ingest.backup.staging import DamagedParts
    from ingest.backup.swap import Restored
    from ingest.settings.model import Settings
    from ingest.settings.own_file import OwnFile


class Moment(click.ParamType):  # type: ignore[type-arg]  # click 8.1 knows none
    """A day, or a day and a time of day, on the clock of this machine; gives its last moment in ms."""

    name = "moment"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The moment. Raises BadParameter."""
        for form, last_s in (("%Y-%m-%d", 86_400), ("%Y-%m-%d %H:%M", 60), ("%Y-%m-%dT%H:%M", 60)):
            try:
                found = datetime.strptime(str(value), form).astimezone()
            except (ValueError, OverflowError, OSError):
                continue
            return round(found.timestamp() + last_s) * 1000 - 1
        words = _('{value} will not do; right would be a day like 2026-11-16, or "2026-11-16 10:00".')
        raise click.BadParameter(words.format(value=repr(value)), ctx, param)


def copy_lines(found: "Sequence[Found]") -> Iterator[str]:
    """A line for each copy, the newest last."""
    from ingest.backup.restoring import folders
    from ingest.verbs.times import day_and_time

    several = len(folders(found)) > 1
    for f in found:
        line = ngettext(
            "{when}  copy {number}: {n} file, {size} MB, made on {computer}",
            "{when}  copy {number}: {n} files, {size} MB, made on {computer}",
            f.copy.files,
        ).format(
            when=day_and_time(f.copy.at_ms),
            number=f.copy.number,
            n=f.copy.files,
            size=-(-(f.copy.journal_bytes + f.copy.file_bytes) // 1_000_000),
            computer=f.copy.host,
        )
        in_one = f.backup.folder if several and f.backup else None
        yield line + (_(", in {folder}").format(folder=in_one.name) if in_one else "")


def the_copy(found: "Sequence[Found]", until_ms: int | None, number: int | None, place: Path) -> "Found":
    """The copy that is meant. Raises Stop where that is not clear."""
    from ingest.backup.restoring import folders, newest

    meant = [f for f in found if number in {None, f.copy.number}]
    if until_ms is not None:
        meant = [f for f in meant if f.copy.at_ms <= until_ms]
    if not meant:
        words = (
            _("No copy in {folder} is so old. There are:\n{copies}")
            if number is None
            else _("No copy in {folder} has that number. There are:\n{copies}")
        )
        raise Stop(words.format(folder=place, copies="\n".join(copy_lines(found[:20]))))
    if len(several := folders(meant)) > 1:
        words = _(
            "In {folder} lie copies of several journals. Name the folder of the one that you mean, such as {example}:\n{copies}"
        )
        shown = "\n".join(copy_lines(meant[-20:]))
        raise Stop(words.format(folder=place, example=min(several), copies=shown))
    return newest(meant) if until_ms is None else meant[-1]


def require_no_daemon(settings: "Settings") -> None:
    """Raise Stop while the daemon runs."""
    from ingest.system.lock import holder

    if process := holder(settings.data):
        raise Stop(
            Text(
                N_(
                    "The daemon runs (process {process}). Stop it first: Ctrl-C where it runs, or"
                    " sudo systemctl stop hartslag"
                ),
                process=process,
            )
        )


def bring_back(
    settings: "Settings",
    own: "OwnFile",
    found: "Sequence[Found]",
    one: "Found",
    *,
    set_aside: bool,
    partly: bool,
) -> "tuple[Restored, DamagedParts]":
    """Check a copy and put it in the place of what is here; gives where that lies now, and what of the copy is damaged.

    Only with `partly` may anything be. Raises Stop; until the copy is checked nothing is changed.
    """
    from ingest.backup.block import Damaged
    from ingest.backup.restoring import is_worth_keeping, what_is_here
    from ingest.backup.swap import begin_staging, complete, discard, plan
    from ingest.system.files import make_folder
    from ingest.verbs.progress import progress_bar

    here = [] if set_aside else what_is_here(settings)
    if here:
        raise _something_here(here)
    try:
        make_folder(settings.data, 0o750)
        staged = begin_staging(settings.data)
        with progress_bar(_("Checking and copying"), one.bytes_to_read) as mark:
            left = one.stage(staged, mark, partly=partly)
        if not any(path.is_file() for path in staged.rglob("*")):
            raise Stop(_("Nothing of that copy is whole. Nothing was changed here."))
        if not set_aside and is_worth_keeping(own.content, staged):
            raise _something_here([_("other settings in {file}").format(file=own.path)])
        aside = f"before-restore-{datetime.now().astimezone():%Y-%m-%d-%H%M%S}"
        plan(settings.data, aside, own.path)
    except Damaged as e:
        raise _damaged(found, one) from e
    except OSError as e:
        raise _not_copied(settings, one, e) from e
    finally:
        discard(settings.data)
    return complete(settings.data), left


def _something_here(here: list[str]) -> Stop:
    words = _(
        "There is something here already, which no copy takes the place of unasked: {what}. Call it again with --set-aside:"
        " what is here is then kept, in a folder beside it."
    )
    return Stop(words.format(what=", ".join(map(said, here))))


def _not_copied(settings: "Settings", one: "Found", error: OSError) -> Stop:
    from ingest.language import system_words
    from ingest.system.files import NO_ROOM

    if error.errno in NO_ROOM:
        words = N_(
            "There is no room in {folder} for the copy. Nothing was changed; make room, and call it again."
        )
    elif error.filename is not None and Path(os.fsdecode(error.filename)).is_relative_to(one.place):
        return _not_readable(one, error)
    else:
        words = N_("The copy could not be put together: {file}: {why}. Nothing was changed.")
    return Stop(Text(words, folder=settings.data, file=error.filename or "?", why=system_words(error)))


def _damaged(found: "Sequence[Found]", one: "Found") -> Stop:
    """What to say of a copy that is damaged. Raises Stop where the disk with the copies has gone."""
    from ingest.backup.wholeness import Survey
    from ingest.verbs.damaged_copies import damaged_lines
    from ingest.verbs.progress import progress_bar

    def look(one: "Found") -> Survey:
        assert one.backup is not None
        size = sum(path.stat().st_size for path in one.backup.packs.iterdir())
        with progress_bar(_("Looking for whole copies"), size) as mark:
            return Survey(one.backup, mark)

    mine = [f for f in found if f.backup is one.backup]
    try:
        return Stop("\n".join(damaged_lines(mine, one, look)))
    except OSError as e:
        raise _not_readable(one, e) from e


def _not_readable(one: "Found", error: OSError) -> Stop:
    from ingest.language import system_words

    words = N_(
        "The disk with the copies was taken away, or cannot be read any more: {file}: {why}. Nothing was changed here; put it in"
        " again, and call it again."
    )
    return Stop(Text(words, file=error.filename or one.place, why=system_words(error)))


def _end_lines(invocation: Invocation, settings: "Settings", restored: "Restored") -> Iterator[str]:
    """What there is to know once a copy is in its place."""
    if restored.aside is not None:
        words = _("What was here before lies in {folder}; delete it when you are content.")
        yield words.format(folder=restored.aside)
    if restored.settings is not None:
        words = _("The settings could not be written; those of the copy lie in {file}.")
        yield words.format(file=restored.settings)
    try:
        now = invocation.load_settings()
    except HartslagError as e:
        yield _("The settings that came with it need your hand: {why}").format(why=said(e.text))
    else:
        if now.data != settings.data:
            yield _(
                "The settings that came with it name another data folder, {folder}, below [data]. Change that line, or"
                " call hartslag with --data {here}."
            ).format(folder=now.data, here=settings.data)
    yield _("Start it again: `hartslag run`")


@verb(
    "restore",
    ("The newest copy on a stick", "hartslag restore /media/usb/hartslag"),
    ("One of an earlier day", "hartslag restore --from 2026-11-16 /media/usb/hartslag"),
    ("Which copies are there?", "hartslag restore --list /media/usb/hartslag"),
    ("One of these", "hartslag restore --copy 12 /media/usb/hartslag"),
)
@click.argument("place", metavar="FILE|FOLDER", type=click.Path(path_type=Path))
@click.option(
    "--from",
    "until_ms",
    metavar="WHEN",
    type=Moment(),
    help="The newest copy of that day or minute, or before it.",
)
@click.option(
    "--copy", "number", type=WholeNumber(1, 99_999_999), help="The copy of that number in the list."
)
@click.option("--list", "only_list", is_flag=True, help="Show the copies there are, and change nothing.")
@click.option(
    "--set-aside", is_flag=True, help="Keep what is here in a folder of its own, and take the copy instead."
)
@click.option("--damaged", is_flag=True, help="What is whole of a copy that is damaged, without the rest.")
@click.pass_obj
def command(
    invocation: Invocation,
    place: Path,
    until_ms: int | None,
    number: int | None,
    *,
    only_list: bool,
    set_aside: bool,
    damaged: bool,
) -> None:
    """Bring journal, settings and files back from a copy: a file, or the folder in which the daemon kept copies.

    Everything is checked first. What is here already is never overwritten. Broken off at any moment, everything is as it
    was, or as the copy has it; called again, it goes on where it was.
    """
    from ingest.backup.plan import is_planned
    from ingest.backup.restoring import find_copies
    from ingest.backup.swap import complete
    from ingest.verbs.damaged_copies import left_out_lines
    from ingest.verbs.setup import open_own_file
    from ingest.verbs.times import day_and_time

    settings = invocation.load_settings()
    if only_list:
        print_wrapped(copy_lines(find_copies(place)))
        return
    require_no_daemon(settings)
    if is_planned(settings.data):
        restored = complete(settings.data)
        print_sentences([_("What was broken off before is brought to its end: the copy is in its place.")])
    else:
        found = find_copies(place)
        one = the_copy(found, until_ms, number, place)
        own = open_own_file(invocation, "restore", str(place))
        restored, left = bring_back(settings, own, found, one, set_aside=set_aside, partly=damaged)
        lacking = list(left_out_lines(left))
        words = (
            _("What is whole of the copy of {when}, made on {computer}, is in its place, in {folder}.")
            if lacking
            else _("The copy of {when}, made on {computer}, is checked and in its place, in {folder}.")
        )
        when = day_and_time(one.copy.at_ms)
        print_sentences([words.format(when=when, computer=one.copy.host, folder=settings.data)])
        print_sentences(as_called(line) for line in lacking)
    print_sentences(as_called(line) for line in _end_lines(invocation, settings, restored))
