"""Files taken by hand."""

import logging
import os
import shlex
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ingest.errors import Stop, TryLater
from ingest.language import N_, Text, gettext, ngettext, said
from ingest.log import quoted
from ingest.retelling import retold
from ingest.verbs.called import as_called
from ingest.verbs.command import Invocation, print_json, require_access, verb
from ingest.verbs.messages import print_wrapped, say
from ingest.verbs.store_follows import catch_up
from ingest.verbs.times import utc_text

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

    from ingest.collect.arriving_file import Given
    from ingest.collect.outcome import Onlooker, Outcome
    from ingest.journal import Journal
    from ingest.settings.model import Settings

_log = logging.getLogger(__name__)

_NOT_TAKEN = N_("{why} The file {file} was not taken: add it again then.")

BAR_S = 0.1
"""Between two looks of the bar while files come out of a zip."""

PORTION = 100
"""Files after which the store follows: enough that a week with many of them is counted once."""


def find_files(given: Sequence[Path], rejected: Path | None = None) -> list[Path]:
    """The files that are meant: those given, and below the folders given what can be a recording or hold some.

    What else lies in a folder, as on a phone, is told in one line. Among those that were set aside in the folder `rejected`
    all are meant but the texts that say why. Raises Stop for what is not there.
    """
    found: list[Path] = []
    beside: Counter[str] = Counter()
    for path in given:
        if path.is_dir():
            found += _files_below(path, rejected, beside)
        elif os.path.lexists(path):
            found.append(path)
        else:
            raise Stop(Text(N_("There is no file {path}. Nothing was added."), path=path))
    found = [path for path in found if not _is_reason(path, rejected)]
    folders = ", ".join(map(str, given))
    if not found and not beside:
        raise Stop(Text(N_("There is no file in {folders}. Nothing was added."), folders=folders))
    if beside:
        from ingest.collect.outcome import passed_over_text

        say(f"{folders}: {said(passed_over_text(dict(beside)))}", sys.stderr)
    if not found:
        raise Stop(Text(N_("There is no FIT file in {folders}. Nothing was added."), folders=folders))
    return found


def _files_below(folder: Path, rejected: Path | None, beside: Counter[str]) -> Iterator[Path]:
    """What is meant of all that lies below a folder; the rest is counted by the ends of its names."""
    from ingest.collect.inbox import (
        Waiting,
        ending_of,
        files,
        is_side_file,
        left_in_system_folders,
        may_hold_a_recording,
    )

    skipped: list[Waiting] = []
    for entry, _ in files(folder, skipped):
        path = Path(entry.path)
        if _lies_in(path, rejected) or may_hold_a_recording(path):
            yield path
        elif not is_side_file(path):
            beside[ending_of(path.name)] += 1
    for what in skipped:
        _log.warning("%s is passed over: %s.", quoted(str(folder / what.name)), what.why)
    for system, n in left_in_system_folders(folder).items():
        text = ngettext(
            "{n} FIT file in {folder}, a folder that a system made for itself, is not taken. To take it: `hartslag add {folder}`",
            "{n} FIT files in {folder}, a folder that a system made for itself, are not taken. To take them: `hartslag add {folder}`",
            n,
        )
        say(as_called(text.format(n=n, folder=shlex.quote(str(folder / system)))), sys.stderr)


def _is_reason(path: Path, rejected: Path | None) -> bool:
    return path.suffix == ".txt" and _lies_in(path, rejected) and os.path.lexists(path.with_suffix(""))


def _lies_in(path: Path, folder: Path | None) -> bool:
    return folder is not None and path.absolute().parent == folder.absolute()


def add_files(
    settings: "Settings", files: Sequence[Path], person: str | None, onlooker: "Onlooker"
) -> Iterator[list["Outcome"] | TryLater]:
    """Take files into the journal one after the other, and the store along with them.

    Each file gives its outcomes, or what keeps it from being read now. Raises Stop for a person who may not send files.
    """
    from concurrent.futures import ThreadPoolExecutor

    from ingest.collect.arrival import Arrivals
    from ingest.collect.filing import NotFiled
    from ingest.collect.reader_process import ReaderProcess
    from ingest.household import typed_add
    from ingest.settings.names import wrong_with_name

    name = settings.default_person if person is None else person
    if wrong_with_name(name) or (settings.person(name) is None):
        names = ", ".join(p.name for p in settings.persons)
        nobody = Text(N_("Nobody in the settings is called {name}; known: {names}."), name=name, names=names)
        raise Stop(wrong_with_name(name) or nobody)
    largest = settings.inbox.largest_mb << 20
    with (
        _opened_journal(settings, files) as journal,
        ReaderProcess(largest, folder=settings.data) as reader,
        ThreadPoolExecutor(1) as beside,
    ):
        arrivals = Arrivals(journal, reader, settings.data, again=partial(typed_add, settings))
        store = beside.submit(catch_up, settings)
        taken = 0
        given = _given(settings, journal, files, person, onlooker)
        try:
            for number, (_, done) in enumerate(arrivals.take_all(given), start=1):
                if isinstance(done, Exception) and not isinstance(done, TryLater):
                    raise done
                taken += isinstance(done, list | NotFiled)
                yield done
                if number % PORTION == 0 and store.done():
                    store = beside.submit(catch_up, settings)
        finally:
            arrivals.flush()
            store.result()
            trouble = catch_up(settings)
            if trouble:
                comfort = " What was taken is in the journal and is not lost." if taken else ""
                _log.warning("%s%s", trouble, comfort)


def _given(
    settings: "Settings", journal: "Journal", files: Sequence[Path], person: str | None, onlooker: "Onlooker"
) -> "Iterator[Given]":
    """The files, each with whose it is."""
    from ingest.collect.arriving_file import Given
    from ingest.household import register_person

    for path in files:
        owner = register_person(journal, settings, person or _owner(settings, journal, path))
        # What was set aside is not its owner's copy: it leaves that folder once it is taken.
        kept = not _lies_in(path, settings.rejected)
        yield Given(path, str(path.absolute()), owner, kept=kept, onlooker=onlooker)


def _opened_journal(settings: "Settings", files: Sequence[Path]) -> "Journal":
    """The journal to write to. Raises TryLater, with the word that nothing was taken."""
    from ingest.household import open_journal

    try:
        return open_journal(settings, create=True)
    except TryLater as e:
        if len(files) == 1:
            raise TryLater(Text(_NOT_TAKEN, why=e.text, file=quoted(str(files[0])))) from e
        raise TryLater(Text(N_("{why} No file was taken: add them again then."), why=e.text)) from e


def _owner(settings: "Settings", journal: "Journal", path: Path) -> str:
    """Whose a file is that nobody is named for: its folder in the archive tells, and the journal of what was set aside."""
    from ingest.household import owner_in_archive

    if _lies_in(path, settings.rejected):
        owner = _owner_of_rejected(journal, path)
        if owner is not None and settings.person(owner) is not None:
            return owner
    return owner_in_archive(settings, path)


def _owner_of_rejected(journal: "Journal", path: Path) -> str | None:
    from ingest.collect.arrival import fingerprint

    try:
        with path.open("rb") as stream:
            return journal.owner_of_rejected(fingerprint(stream))
    except OSError:  # taking it will say so
        return None


def outcome_json(o: "Outcome", path: Path) -> dict[str, Any]:
    """What `add --json` prints of a file, or of a member of one."""
    return {
        "file": o.shown(path),
        "outcome": o.outcome,
        "person": o.person,
        "samples": o.samples,
        "beats": o.beats,
        "from": None if o.first_ms is None else utc_text(o.first_ms, "milliseconds"),
        "to": None if o.last_ms is None else utc_text(o.last_ms, "milliseconds"),
        "reason": o.reason,
    }


def outcome_text(o: "Outcome") -> str:
    """What became of a file, in a line, and why, where that is told."""
    outcome = gettext(o.outcome)
    samples = ngettext("{n} sample", "{n} samples", o.samples).format(n=o.samples)
    beats = ngettext("{n} beat", "{n} beats", o.beats).format(n=o.beats)
    if o.beats:
        text = gettext("{outcome} {file} of {person}: {samples}, {beats}.")
    elif o.samples:
        text = gettext("{outcome} {file} of {person}: {samples}.")
    else:
        text = gettext("{outcome} {file} of {person}.")
    line = text.format(outcome=outcome, file=quoted(o.file), person=o.person, samples=samples, beats=beats)
    return f"{line} {retold(o.reason)}" if o.reason else line


def _told(path: Path, trouble: TryLater) -> str:
    """What keeps a file from being taken now, and what to do with it."""
    from ingest.collect.filing import NotFiled

    if isinstance(trouble, NotFiled):
        return trouble.text
    return Text(_NOT_TAKEN, why=trouble.text, file=quoted(str(path)))


_OUTCOMES = N_("stored"), N_("duplicate"), N_("partial"), N_("rejected"), N_("not read")


ALIKE_TOLD = 5
"""Failures with one reason that are told each; of more, how many there are."""


class _Report:
    """Prints what became of each file; behind a progress bar only the failures and the sum, once it is done."""

    def __init__(self, *, as_json: bool, bar: "ProgressBar[Any] | None") -> None:
        self.bar = bar
        self._as_json = as_json
        self._failures: dict[str, list[str]] = {}
        self._beside: list[str] = []
        self._sums: Counter[str] = Counter()
        self._came = 0
        self._shown_s = 0.0
        self.failed = False

    def came(self, _: "Outcome") -> None:
        """Show on the bar that one more is taken out of a zip."""
        self._came += 1
        now_s = time.monotonic()
        if self.bar is not None and now_s - self._shown_s > BAR_S:
            self._shown_s = now_s
            self.bar.current_item = self._came
            self.bar.render_progress()

    def passed_over(self, beside: dict[str, int]) -> None:
        """Keep what a zip holds besides recordings until its recordings are told."""
        from ingest.collect.outcome import passed_over_text

        if beside:
            self._beside.append(said(passed_over_text(beside)))

    def add(self, path: Path, outcomes: list["Outcome"] | TryLater) -> None:
        """Print what became of one file."""
        if isinstance(outcomes, TryLater):
            self._sums["not read"] += 1
            self._print(said(_told(path, outcomes)), failure=str(path))
            self.failed = True
        else:
            for o in outcomes:
                self._add(path, o)
        for text in self._beside:
            self._print(f"{quoted(str(path))}: {text}", failure=str(path))
        self._beside = []

    def _add(self, path: Path, o: "Outcome") -> None:
        self._sums[o.outcome] += 1
        self.failed |= o.outcome == "rejected"
        if self._as_json:
            print_json(outcome_json(o, path), indent=None)
        else:
            self._print(outcome_text(o), failure=o.reason if o.outcome in {"partial", "rejected"} else "")

    def _print(self, text: str, *, failure: str) -> None:
        """Print a line, at once or, with a bar, at the end; `failure`: for which reason it is told even then."""
        if self.bar is not None:
            if failure:
                self._failures.setdefault(failure, []).append(text)
        elif self._as_json:
            say(text, sys.stderr)
        else:
            print_wrapped([text])

    def finish(self) -> None:
        """Print what had to wait for the bar, and the sum."""
        for alike in self._failures.values():
            more = len(alike) - ALIKE_TOLD
            lines = alike if more <= 0 else alike[:ALIKE_TOLD]
            if more > 0:
                words = ngettext(
                    "... and {count} more file for the same reason.",
                    "... and {count} more files for the same reason.",
                    more,
                )
                lines.append(words.format(count=more))
            for text in lines:
                say(text, sys.stderr) if self._as_json else print_wrapped([text])
        if not self._as_json and self._sums.total() > 1:
            counts = (f"{count} {gettext(what)}" for what, count in sorted(self._sums.items()))
            print_wrapped([", ".join(counts) + "."])


@verb(
    "add",
    ("What is in the folder of a watch on a cable", "hartslag add /media/pi/GARMIN/GARMIN/ACTIVITY"),
    ("A file of Anna's", "hartslag add --person Anna run.fit"),
    ("What could not be read before", "hartslag add data/rejected"),
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--person", metavar="NAME", help="Whose files these are (default: the first person in the settings)."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per file and line.")
@click.pass_obj
def command(invocation: Invocation, files: tuple[Path, ...], person: str | None, as_json: bool) -> None:
    """Take FILES (or all files in a folder) into the journal; they stay where they are.

    Those in the folder "rejected" are tried again, and leave it once they are taken. Ends with 1 when a file was rejected.
    """
    from ingest.collect.outcome import Onlooker

    settings = invocation.load_settings()
    require_access(settings)
    found = find_files(files, settings.rejected)
    report = _Report(as_json=as_json, bar=_bar(found))
    try:
        with report.bar or nullcontext():
            onlooker = Onlooker(came=report.came, passed_over=report.passed_over)
            taken = add_files(settings, found, person, onlooker)
            for path, outcomes in zip(found, taken, strict=True):
                report.add(path, outcomes)
                if report.bar is not None:
                    report.bar.update(1)
    finally:
        report.finish()
    if report.failed:
        sys.exit(1)


def _bar(found: Sequence[Path]) -> "ProgressBar[Any] | None":
    """A bar over files, on a terminal; of a single one that may hold many, how many came."""
    if not sys.stderr.isatty() or (len(found) == 1 and found[0].suffix.lower() != ".zip"):
        return None
    alone = len(found) == 1

    def shown(came: int | None) -> str | None:
        return None if came is None else gettext("files: {count}").format(count=came)

    return click.progressbar(
        length=len(found),
        label=gettext("Adding"),
        file=sys.stderr,
        show_pos=not alone,
        show_percent=False,
        show_eta=not alone,
        item_show_func=shown,
        width=0,
        bar_template="%(label)s  %(info)s" if alone else "%(label)s  [%(bar)s]  %(info)s",
    )
