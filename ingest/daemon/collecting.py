"""The inbox as a part of the daemon: what arrives is taken, one file after the other."""

import logging
import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from ingest.collect.arrival import Arrivals
from ingest.collect.arriving_file import Given
from ingest.collect.inbox import Candidate, Inbox, Turns
from ingest.collect.outcome import Onlooker, Outcome, passed_over_text
from ingest.collect.reader_process import ReaderProcess
from ingest.collect.reading_again import read_again
from ingest.daemon.journal import opened
from ingest.daemon.mending import have_unknown_read
from ingest.daemon.supervisor import in_words
from ingest.errors import Replaced, TryLater
from ingest.household import (
    open_journal,
    owner_in_archive,
    owner_of_folder,
    places_of,
    register_person,
    taker,
    typed_add,
)
from ingest.journal import Journal
from ingest.language import N_
from ingest.log import Repeats, quoted
from ingest.settings.model import Settings
from ingest.system.confinement import possible_confinement
from ingest.system.files import make_folder
from ingest.system.watchdog import WatchedPart

SCAN_S = 1.0
"""Between two scans of the inbox; a thousand files cost 2 ms."""

UNFORESEEN_S = 3600.0
"""The longest pause before a file is tried again that fails as nobody foresaw."""

_ALL = "all files"

_log = logging.getLogger(__name__)


class Collecting:
    """Takes what arrives in the inbox. What it knows of files that must wait outlives a failure."""

    def __init__(self, settings: Settings, wake_stores: Callable[[], None]) -> None:
        self._settings, self._wake_stores = settings, wake_stores
        self._repeats = Repeats(_log)
        self._turns = Turns(time.monotonic)
        self._unforeseen: tuple[str, Exception] | None = None
        """What failed as nobody foresaw, once those that were committed with it are told about."""

    def run(self, part: WatchedPart) -> None:
        """Look into the inbox until told to stop."""
        settings = self._settings
        if not possible_confinement().whole:
            _log.info(
                "This kernel has no seccomp, and no Landlock for the network: files are read less shut in."
            )
        for folder in (settings.inbox_folder, settings.archive, settings.rejected):
            make_folder(folder)
        with opened(part, lambda: open_journal(settings, create=True, going_on=part.going_on)) as journal:
            if journal is None:
                return
            have_unknown_read(places_of(settings), journal)
            with ReaderProcess(
                settings.inbox.largest_mb << 20, going_on=part.going_on, folder=settings.data
            ) as reader:
                arrivals = Arrivals(
                    journal, reader, settings.data, going_on=part.going_on, again=partial(typed_add, settings)
                )
                self._collect(part, journal, arrivals, reader)

    def _collect(
        self, part: WatchedPart, journal: Journal, arrivals: Arrivals, reader: ReaderProcess
    ) -> None:
        inbox = Inbox(
            self._settings.inbox_folder,
            partial(owner_of_folder, self._settings),
            time.monotonic,
            settle_s=self._settings.inbox.settle_s,
            patience_s=self._settings.inbox.patience_s,
            looks_whole=reader.looks_whole,
            going_on=part.going_on,
        )
        self._patiently("unfinished files", lambda: arrivals.finish(self._settings.inbox_folder))
        while part.going_on():
            journal.require_in_place()
            journal.require_log()
            self._look_into_inbox(part)
            self._read_again(part, journal, arrivals)
            found = inbox.scan()
            for waiting in found.waiting:
                if waiting.act:
                    self._repeats.say(
                        f"waiting {waiting.name}", f"{quoted(waiting.name)} waits: {waiting.why}."
                    )
            due = self._turns.due(found.arrived)
            for given, done in arrivals.take_all(self._given(part, journal, due, len(found.waiting))):
                self._say_taken(part, given.name, done)
            self._begin_anew_where_unforeseen()
            self._patiently("noting what is filed", arrivals.flush)
            self._patiently("noting what waits", partial(self._turns.note, journal, found.waiting))
            reader.rest()
            part.wait(SCAN_S)
        self._patiently("noting what is filed", arrivals.flush)

    def _read_again(self, part: WatchedPart, journal: Journal, arrivals: Arrivals) -> None:
        """Read the files of the archive that a repaired journal lacks; those in the inbox wait no longer than for one of them."""
        places = places_of(self._settings)
        if not places.read_again.exists():
            return

        def owner(path: Path) -> str:
            part.mark()
            return register_person(journal, self._settings, owner_in_archive(self._settings, path))

        for path, outcomes in read_again(places, arrivals, owner, going_on=part.going_on):
            if isinstance(outcomes, TryLater):
                self._repeats.say(f"again {path}", str(outcomes))
            else:
                self._wake_stores()

    def _given(
        self, part: WatchedPart, journal: Journal, due: list[Candidate], waiting: int
    ) -> Iterator[Given]:
        """What is to be taken, with whose it is, until the daemon is told to stop."""
        for left, candidate in zip(range(len(due) - 1, -1, -1), due, strict=True):
            if not part.going_on() or self._unforeseen is not None:
                return
            try:
                person, newcomer = taker(journal, self._settings, candidate.person)
            except Replaced:
                raise
            except Exception as e:  # noqa: BLE001 - said like anything else that keeps a file from being taken
                self._say_taken(part, candidate.name, e)
                continue
            yield Given(
                candidate.path,
                candidate.name,
                person,
                waiting=left + waiting,
                newcomer=newcomer,
                onlooker=Onlooker(passed_over=partial(_say_passed_over, candidate.name)),
            )

    def _say_taken(self, part: WatchedPart, name: str, done: list[Outcome] | Exception) -> None:
        """What became of a file is logged, and one that cannot be taken now keeps no other waiting."""
        kind = f"file {name}"
        if isinstance(done, TryLater):
            if part.going_on():  # at the end it is only left for the next start
                # What is no matter of this file, as a full disk, is said once for all.
                self._repeats.say(kind if Path(name).name in str(done) else _ALL, str(done))
            self._turns.not_taken(name, done.text)
        elif isinstance(done, Exception):
            # The part begins anew, with a journal opened anew, and takes the others first.
            self._turns.not_taken(name, in_words(done), longest_s=UNFORESEEN_S)
            words = f"{quoted(name)} could not be taken and stays in the inbox; it is tried again: {in_words(done)}"
            raise TryLater(words) from done
        else:
            for outcome in done:
                level = logging.WARNING if outcome.outcome == "rejected" else logging.INFO
                _log.log(level, "%s", outcome.sentence)
            self._repeats.over(kind, f"{quoted(name)} is taken after all.")
            self._repeats.over(_ALL, "Files are taken again.")
            self._turns.taken(name)
            self._wake_stores()

    def _begin_anew_where_unforeseen(self) -> None:
        """Have the part begin anew, with a journal opened anew, where a file failed as nobody foresaw; the others come first then."""
        if self._unforeseen is not None:
            (name, e), self._unforeseen = self._unforeseen, None
            words = (
                f"{quoted(name)} could not be taken and stays in the inbox; it is tried again: {in_words(e)}"
            )
            raise TryLater(words) from e

    def _look_into_inbox(self, part: WatchedPart) -> None:
        """Say where the inbox is none, or may not be read: nothing is found in it then."""
        folder = self._settings.inbox_folder
        try:
            os.scandir(folder).close()
        except FileNotFoundError:
            make_folder(folder)
            _log.warning("The inbox %s was gone; it is made again, and files are taken there.", folder)
        except OSError as e:
            part.trouble(
                N_(
                    "The inbox {folder} cannot be looked into ({why}). Make it a folder that its owner may read and write;"
                    " files are taken then."
                ).format(folder=folder, why=e.strerror),
                "inbox",
            )
        else:
            part.well(f"The inbox {folder} can be looked into again.", "inbox")

    def _patiently(self, kind: str, work: Callable[[], object]) -> None:
        try:
            work()
        except Replaced:
            raise
        except TryLater as e:
            self._repeats.say(kind, str(e))
        else:
            self._repeats.over(kind, f"{kind}: done after all.")


def _say_passed_over(name: str, beside: dict[str, int]) -> None:
    if beside:
        _log.info("%s: %s", quoted(name), passed_over_text(beside))
