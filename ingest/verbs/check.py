"""Is everything as it should be? A line for each thing that was looked at, with what was seen and what to do."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from ingest.language import ENGLISH, said, speak
from ingest.language import gettext as _
from ingest.verbs.command import Invocation, print_json, print_lines, require_access, verb
from ingest.verbs.finding import FAIL, OK, WARN, Finding

if TYPE_CHECKING:
    from ingest.journal import Journal
    from ingest.settings.model import Settings
    from ingest.verbs.terminal import Terminal


def findings(settings: "Settings", journal: "Journal | None") -> Iterator[Finding]:
    """All that can be looked at; no journal yet is no fault. Settings were read before this is asked."""
    from ingest.verbs.check_bluetooth import bluetooth_findings
    from ingest.verbs.check_data import data_findings
    from ingest.verbs.check_machine import machine_findings

    told = _("Settings: {file}: fine").format(file=settings.file or _("no file, defaults"))
    yield Finding(OK, "settings", told)
    yield from machine_findings(settings, journal)
    yield from bluetooth_findings(settings, journal)
    yield from data_findings(settings, journal)


def finding_lines(t: "Terminal", finding: Finding) -> Iterator[str]:
    """A finding in lines: how well it is, what was seen, and below that what to do."""
    first, *more = t.wrap(finding.seen, 6)
    yield from (f"{finding.level:<6}{first[6:]}", *more)
    for line in finding.do.splitlines():
        yield from t.wrap(line, 6, whole=True)  # a line to type is never broken


def worst(found: list[Finding]) -> str:
    """How well all of it is."""
    return max((f.level for f in found), key=(OK, WARN, FAIL).index, default=OK)


def closing_text(found: list[Finding]) -> str:
    """All of it in a sentence."""
    match worst(found):
        case "OK":
            return _("All is well.")
        case "WARN":
            return _("It works; what begins with WARN wants a look.")
        case _:
            return _("What begins with FAIL needs a hand.")


@verb(
    "check",
    ("Is everything in order?", "hartslag check"),
    ("The same for a program that watches", "hartslag check --json"),
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def command(invocation: Invocation, as_json: bool) -> None:
    """Look after settings, disk, clock, Bluetooth, journal, copies and stores; ends with 1 when something fails.

    Each line begins with OK, WARN (it works, and wants a look) or FAIL.
    """
    from ingest.verbs.terminal import PIPE, find_terminal

    settings = invocation.load_settings()
    if as_json:
        speak(ENGLISH)
    t, found = find_terminal() or PIPE, list[Finding]()
    for finding in _findings(settings):
        found.append(finding)
        if not as_json:
            print_lines(finding_lines(t, finding))
    if as_json:
        print_json({"status": worst(found), "findings": [f.json() for f in found]})
    else:
        print_lines(["", *t.wrap(closing_text(found), 0)])
    if worst(found) == FAIL:
        sys.exit(1)


def _findings(settings: "Settings") -> Iterator[Finding]:
    """All of it, also where the journal cannot be opened: that is then what was found."""
    from ingest.errors import DiskFull, Stop, TryLater
    from ingest.household import view_journal

    require_access(settings)
    # A folder that is not there is mistyped, one without a journal waits for the first run of the daemon.
    if settings.data.is_dir() and not settings.journal_file.exists():
        yield from findings(settings, None)
        return
    try:
        journal = view_journal(settings)
    except (Stop, TryLater) as e:
        if not settings.data.is_dir():
            raise
        if isinstance(e, DiskFull):
            from ingest.verbs.check_data import no_room_findings

            yield from no_room_findings(settings, e)
        else:
            yield Finding(FAIL, "journal", said(e.text))
        yield from (f for f in findings(settings, None) if f.subject != "journal")
        return
    with journal:
        yield from findings(settings, journal)
