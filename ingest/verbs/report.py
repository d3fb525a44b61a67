"""One page of weeks for whoever treats a person."""

import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ingest.errors import Stop
from ingest.language import gettext as _
from ingest.language import said, system_words
from ingest.log import quoted
from ingest.verbs.command import Invocation, WholeNumber, verb
from ingest.verbs.messages import print_wrapped, say

if TYPE_CHECKING:
    from ingest.journal import Journal, Person
    from ingest.settings.model import Settings

STDOUT = "-"


def targets(persons: Sequence[str], everybody: Sequence[str], out: str | None, ending: str) -> list[Path]:
    """Where each page goes. Raises UsageError where several are to go into one file."""
    from ingest.report.renewal import file_names

    names = file_names(everybody, ending)
    place = Path(out or ".")
    is_folder = os.path.isdir(place)  # noqa: PTH112 - raises nothing where one may not look
    if out is None or out.endswith("/") or is_folder:
        return [place / names[person] for person in persons]
    if len(persons) > 1:
        raise click.UsageError(
            _(
                "There are several persons ({names}): name one of them, or a folder with --out FOLDER/."
            ).format(names=", ".join(persons))
        )
    return [place]


def require_place(target: Path) -> None:
    """Raise Stop where a page can surely not be put: before minutes go by with counting and drawing."""
    try:
        target.parent.stat()
        if not os.access(target.parent, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        target.stat()
    except FileNotFoundError:
        if not target.parent.exists():
            require_place(target.parent)
    except OSError as e:
        raise _not_there(target, e) from e


def _not_there(target: Path, error: OSError) -> Stop:
    return Stop(
        _("The page cannot be written to {file}: {why}. Choose another place with --out.").format(
            file=quoted(str(target.absolute())), why=said(system_words(error))
        )
    )


def page_of(settings: "Settings", journal: "Journal", person: "Person", weeks: int, *, pdf: bool) -> bytes:
    """The page of a person, or the same as PDF."""
    from ingest.grafana.sensor_names import sensor_names
    from ingest.report.fonts import fonts_kept_in
    from ingest.report.page import page_html
    from ingest.verbs.report_answer import report_facts

    facts = report_facts(journal, person, weeks, journal.now_ms(), sensor_names(settings, journal))
    with fonts_kept_in(settings.data / "cache" / "matplotlib"):
        page = page_html(facts)
    if pdf:
        from ingest.report.pdf import pdf_of

        return pdf_of(page)
    return page.encode("utf-8")


@verb(
    "report",
    ("A page of everybody, in this folder", "hartslag report"),
    ("Anna's, to be printed", "hartslag report Anna --pdf --out anna.pdf"),
)
@click.argument("person", required=False)
@click.option(
    "--out",
    metavar="FILE",
    help="Where to write it; a folder takes a file for each person, - is the standard output (default: this folder).",
)
@click.option(
    "--weeks", type=WholeNumber(1, 53), default=12, show_default=True, help="How many weeks that are over."
)
@click.option("--pdf", is_flag=True, help="As PDF, if Chromium or WeasyPrint is installed.")
@click.pass_obj
def command(invocation: Invocation, person: str | None, out: str | None, weeks: int, pdf: bool) -> None:
    """Write one page for the physiotherapist or neurologist.

    It tells in words whether the last month was enough, what it was measured with, how sure that is and what was not
    seen; below are the weeks one by one. Any browser opens it, on a phone too, and it prints on A4. Without PERSON
    everybody gets a page.
    """
    from ingest.household import persons_called
    from ingest.system.acting import acting_for_caller
    from ingest.system.files import write_file

    with invocation.view_journal() as (settings, journal):
        persons = persons_called(journal, person)
        if not persons:
            raise Stop(
                _("Nothing is measured yet. Drop FIT files into the inbox, or give them to `hartslag add`.")
            )
        ending = ".pdf" if pdf else ".html"
        if out == STDOUT and len(persons) == 1:
            sys.stdout.buffer.write(page_of(settings, journal, persons[0], weeks, pdf=pdf))
            sys.stdout.flush()
            return
        everybody = [one.name for one in journal.persons()]
        for one, target in zip(
            persons, targets([p.name for p in persons], everybody, out, ending), strict=True
        ):
            with acting_for_caller():
                require_place(target)
            if sys.stderr.isatty():
                say(_("Counting the weeks of {person} ...").format(person=one.name), sys.stderr)
            page = page_of(settings, journal, one, weeks, pdf=pdf)
            try:
                with acting_for_caller():
                    write_file(target, page, mode=0o640)
            except OSError as e:
                raise _not_there(target, e) from e
            print_wrapped(
                [_("The page of {person} is {file}").format(person=one.name, file=target.absolute())]
            )
