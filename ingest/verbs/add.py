"""Files taken by hand: what `add` does and says."""

import json
import logging
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ingest.collect.arrival import Arrivals, Outcome
from ingest.collect.inbox import files as files_below
from ingest.collect.reader_process import Reader
from ingest.errors import Stop, TryLater
from ingest.household import open_journal, register_person
from ingest.journal import Journal
from ingest.settings.model import Settings
from ingest.settings.names import wrong_with_name
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore

_log = logging.getLogger(__name__)

PORTION = 25
"""Files after which the store follows: enough that a week with many of them is counted once."""


def files_in(given: Sequence[Path]) -> list[Path]:
    """The files that are meant: those given, and all below the folders given.

    Raises Stop for what is not there.
    """
    found: list[Path] = []
    for path in given:
        if path.is_dir():
            found += [Path(entry.path) for entry, _ in files_below(path)]
        elif os.path.lexists(path):
            found.append(path)
        else:
            raise Stop(f"There is no file {path}. Nothing was added.")
    if not found:
        raise Stop(f"There is no file in {', '.join(map(str, given))}. Nothing was added.")
    return found


def add(settings: Settings, files: Sequence[Path], person: str | None) -> Iterator[list[Outcome] | TryLater]:
    """Take files into the journal one after the other, and the store along with them.

    Each file gives its outcomes, or what keeps it from being read now. Raises Stop for a person who may not send files.
    """
    name = settings.default_person if person is None else person
    if wrong_with_name(name) or (settings.person(name) is None):
        known = ", ".join(p.name for p in settings.persons)
        raise Stop(wrong_with_name(name) or f"Nobody in the settings is called {name}; known: {known}.")
    largest = settings.inbox.largest_mb << 20
    with (
        open_journal(settings, create=True) as journal,
        Reader(largest) as reader,
        ThreadPoolExecutor(1) as beside,
    ):
        arrivals = Arrivals(journal, reader, settings.data, largest)
        store = beside.submit(_catch_up, settings)
        try:
            for done, path in enumerate(files, start=1):
                try:
                    owner = register_person(journal, settings, person or _owner(settings, path))
                    yield arrivals.take(path, str(path.absolute()), owner, kept=True)
                except TryLater as e:
                    yield e
                if done % PORTION == 0 and store.done():
                    store = beside.submit(_catch_up, settings)
        finally:
            arrivals.flush()
            store.result()
            trouble = _catch_up(settings)
            if trouble:
                _log.warning("%s The files are in the journal; nothing is lost.", trouble)


def _owner(settings: Settings, path: Path) -> str:
    """Whose a file is that nobody is named for: in the archive it lies in the folder of its person."""
    archive = settings.archive.absolute()
    if path.absolute().is_relative_to(archive):
        _year, *folders, _name = path.absolute().relative_to(archive).parts
        if folders and settings.person(folders[0]) is not None:
            return folders[0]
    return settings.default_person


def _catch_up(settings: Settings) -> str | None:
    """Have the store follow the journal, or say why it cannot; beside the reading, as both mostly wait for the card."""
    with Journal(settings.journal_file) as journal, SqliteStore(settings.store_file) as store:
        try:
            follow(journal, store)
        except TryLater as e:
            return str(e)
    return None


def as_json(o: Outcome, shown: str) -> str:
    """One line of `add --json`."""
    return json.dumps(
        {
            "file": shown,
            "outcome": o.outcome,
            "person": o.person,
            "samples": o.samples,
            "beats": o.beats,
            "from": _moment(o.first_ms),
            "to": _moment(o.last_ms),
            "reason": o.reason,
        },
        ensure_ascii=False,
    )


def _moment(ms: int | None) -> str | None:
    if ms is None:
        return None
    return f"{(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)).isoformat(timespec='milliseconds')[:-6]}Z"


class Told:
    """Says what became of each file; behind a progress bar only what is amiss and the sum, once it is done."""

    def __init__(self, *, as_json: bool, wait: bool) -> None:
        self._as_json, self._wait = as_json, wait
        self._amiss: list[str] = []
        self._sums: Counter[str] = Counter()

    def take(self, path: Path, outcomes: list[Outcome] | TryLater) -> bool:
        """Tell of one file; says whether it was not taken."""
        if isinstance(outcomes, TryLater):
            self._sums["not read"] += 1
            self._say(str(outcomes), amiss=True)
            return True
        for o in outcomes:
            self._sums[o.outcome] += 1
            if self._as_json:
                print(as_json(o, o.shown(path)), flush=True)
            else:
                self._say(o.sentence, amiss=o.outcome in {"partial", "rejected"})
        return any(o.outcome == "rejected" for o in outcomes)

    def _say(self, text: str, *, amiss: bool) -> None:
        if self._wait:
            if amiss:
                self._amiss.append(text)
        elif self._as_json:
            print(text, file=sys.stderr)
        else:
            print(text, flush=True)

    def finish(self) -> None:
        """What is left to say."""
        for text in self._amiss:
            print(text, file=sys.stderr if self._as_json else sys.stdout)
        if not self._as_json and self._sums.total() > 1:
            print(", ".join(f"{count} {outcome}" for outcome, count in sorted(self._sums.items())) + ".")


def has_bar(files: Sequence[Path]) -> bool:
    return sys.stderr.isatty() and len(files) > 1


def bar(files: Sequence[Path]) -> AbstractContextManager[Any]:
    """A progress bar over files on a terminal; the bare files in a pipe."""
    if not has_bar(files):
        return nullcontext(files)
    import click

    return click.progressbar(files, label="Adding", file=sys.stderr, show_pos=True)
