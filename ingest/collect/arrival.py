"""A file that arrives: read, committed to the journal, and only then filed away.

Whatever moment the power goes, the next start finishes what was begun: a file whose content is committed is only
moved, one whose content is not is read again from where it still lies.
"""

import hashlib
import logging
import os
import stat
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from io import BufferedReader
from pathlib import Path

from ingest.collect.arriving_file import Arrival, ArrivingFile, Given
from ingest.collect.file_rows import arrival_number, write_file_rows
from ingest.collect.filing import Filing, add_again, archive_folder, status_of
from ingest.collect.outcome import NOBODY_LOOKS, Onlooker, Outcome, passed_over_text
from ingest.collect.reader_messages import PASS, READ, ReadMember
from ingest.collect.reader_process import ReaderProcess
from ingest.errors import Replaced, TryLater, Unusable
from ingest.formats.recording import Recording
from ingest.journal import Journal, Writer
from ingest.language import N_, Text, system_words
from ingest.system.crash_points import reached
from ingest.system.files import DISK, Disk
from ingest.system.patience import always

_log = logging.getLogger(__name__)

_WITHOUT = N_("There is no recording in this zip.")

HUGE_BYTES = 256 << 20
"""No recording is as large, and only a zip may be: reading all of it before looking into it would take minutes."""

TOGETHER, _MOST_SAMPLES, _LONGEST_S = 16, 100_000, 0.5
"""What is read is committed after so many files, so many samples or so long, whichever comes first."""


class Arrivals:
    """Takes files into the journal and files them below the data folder.

    `waiting` counts the files that still lie in the inbox; it is kept with each file for the `collector` series.
    """

    def __init__(
        self,
        journal: Journal,
        reader: ReaderProcess,
        data: Path,
        *,
        going_on: Callable[[], bool] = always,
        disk: Disk = DISK,
        again: Callable[[Path], str] = add_again,
    ) -> None:
        """`going_on` is asked between two members of a zip; when it says no, the rest is left for another time.

        `again` gives what to type so that a file that was set aside is tried again.
        """
        self._journal = journal
        self._reader = reader
        self._data = data
        self._going_on = going_on
        self._filing = Filing(journal, data, disk, again)

    def take(
        self,
        path: Path,
        name: str,
        person: str,
        *,
        kept: bool = False,
        waiting: int = 0,
        newcomer: Callable[[], str] | None = None,
        onlooker: Onlooker = NOBODY_LOOKS,
    ) -> list[Outcome]:
        """Commit what a file holds and file it away; one outcome per FIT file in it.

        What is told of it is as in `Given`. Raises TryLater when it cannot be read or moved just now, or the journal is
        busy; it can simply be taken again.
        """
        given = Given(path, name, person, kept, waiting, newcomer, onlooker)
        ((_, done),) = self.take_all([given])
        if isinstance(done, Exception):
            raise done
        return done

    def take_all(self, given: Iterable[Given]) -> Iterator[tuple[Given, list[Outcome] | Exception]]:
        """Take files in their order; of each its outcomes, or what kept it from being taken.

        What is read within a moment is committed as one, as the card needs the same time for one file and for many: none
        of these is filed, or told about, before all of them are on the card. Raises Replaced.
        """
        group: list[ArrivingFile] = []
        try:
            for one in given:
                # What is known of the first of one name decides on the second.
                if any(t.given.name == one.name for t in group):
                    yield from self._settle(group)
                    group = []
                group.append(ArrivingFile(one))
                self._read(group[-1])
                if _is_enough([read for t in group for read in t.reads], group[0].began_s):
                    yield from self._settle(group)
                    group = []
            yield from self._settle(group)
        finally:
            for arriving in group:
                arriving.close()

    def _settle(self, group: list[ArrivingFile]) -> Iterator[tuple[Given, list[Outcome] | Exception]]:
        """Commit what was read of these, and file it away."""
        for arriving in group:
            if arriving.failure is None and not arriving.is_committed:
                with arriving.failing():
                    arriving.require_unchanged()
        self._commit_all([t for t in group if t.failure is None])
        for arriving in group:
            if arriving.failure is None:
                with arriving.failing():
                    self._file(arriving)
            arriving.close()
        for arriving in group:
            yield arriving.given, arriving.failure or arriving.arrival.outcomes

    def _read(self, arriving: ArrivingFile) -> None:
        """Read what a file holds, up to what is left to commit of it; what keeps it from that is noted."""
        path, arrival = arriving.given.path, arriving.arrival
        with arriving.failing():
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError as e:
                if path.is_symlink():
                    self._refuse(arriving, N_("It is only a link. Copy the file itself here."))
                    return
                words = N_("{path} cannot be read: {why}. Check who owns it and its permissions.")
                raise TryLater(Text(words, path=path, why=system_words(e))) from e
            stream = arriving.stream = os.fdopen(descriptor, "rb")
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                self._refuse(arriving, N_("It is not an ordinary file."))
                return
            arriving.found = found
            try:
                arrival.sha256 = fingerprint(stream)
                reached("arrival read")
                if not self._resume(arriving):
                    self._read_members(arriving, stream)
            except OSError as e:
                raise _unreadable(path, e) from e

    def _file(self, arriving: ArrivingFile) -> None:
        """Move what is committed to where it belongs."""
        path, arrival, found = arriving.given.path, arriving.arrival, arriving.found
        assert arrival.id is not None
        if found is None:  # nothing but a name
            self._filing.file(arrival.id, path)
            return
        try:
            there = path.exists()
            same = there and status_of(path.lstat()) == status_of(found)
        except OSError as e:
            raise _unreadable(path, e) from e
        # What its owner took back or replaced meanwhile is still held open; something huge is let go.
        rescued = None if same or found.st_size > HUGE_BYTES else arriving.stream
        self._filing.file(arrival.id, path if there or rescued else None, rescued, status_of(found))
        self._let_go_of_earlier(arrival)

    def _let_go_of_earlier(self, arrival: Arrival) -> None:
        """What lay in this place before, was committed and could not be moved, is there no more: it waits for nothing."""
        for number, name, sha256, kept in self._journal.unfiled_arrivals():
            if name == arrival.name and sha256 != arrival.sha256 and not kept:
                self._filing.file(number, None)

    def finish(self, inbox: Path) -> int:
        """File away what an earlier life committed but did not file; gives how many. Raises TryLater."""
        done = 0
        trouble: TryLater | None = None
        for arrival, name, sha256, kept in self._journal.unfiled_arrivals():
            path = Path(name) if kept else inbox / name
            try:
                with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as stream:
                    same = fingerprint(stream) == sha256
            except OSError:
                same = False
            # Gone or changed: it was moved, or its owner took it back; the journal has its content either way.
            try:
                self._filing.file(arrival, path if same else None)
                done += 1
            except TryLater as e:
                trouble = e  # the others need not wait for it
        self.flush()
        if trouble:
            raise trouble
        return done

    def flush(self) -> None:
        """Have the card remember what has been filed, then note it. Raises TryLater."""
        self._filing.flush()

    def _resume(self, arriving: ArrivingFile) -> bool:
        """Go on with an arrival that was committed before but could not be moved, if this is one."""
        arrival = arriving.arrival
        committed = self._journal.committed_arrivals(arrival.person, arrival.name, arrival.sha256)
        arrival.id = next((number for number in committed if not self._filing.is_moved(number)), None)
        if arrival.id is None:
            return False
        arriving.is_committed = True
        for member, outcome, samples, beats, first, last, reason in self._journal.arrival_members(arrival.id):
            arrival.outcomes.append(
                Outcome(
                    arrival.name_of(member),
                    outcome,
                    arrival.person,
                    samples,
                    beats,
                    first,
                    last,
                    reason,
                    member,
                )
            )
        return True

    # --- reading ---

    def _read_members(self, arriving: ArrivingFile, stream: BufferedReader) -> None:
        """Read every member; those that are not committed on the way are left to commit, the last one among them."""
        arrival = arriving.arrival
        arrival.id, done = self._journal.unfinished_arrival(arrival.person, arrival.name, arrival.sha256)

        def choose(name: str, sha256: bytes, _size: int) -> str:
            # No need to read what is already stored.
            stored = arrival.newcomer is None and self._journal.known_copy(arrival.person, sha256)
            return PASS if name in done or stored else READ

        beside: dict[str, int] = {}

        def read() -> Generator[ReadMember]:
            beside.update((yield from self._reader.members(stream, choose, done)))

        with closing(read()) as members:
            self._read_and_commit(arriving, (m for m in members if m.name not in done))
        if not arriving.reads and not done:  # a zip of papers or photos, which is no fault of it
            arriving.reads = [ReadMember("", arrival.sha256, _without_recording(beside))]
        else:
            arrival.onlooker.passed_over(beside)
        # With nothing left, an earlier life read all of it, and died before saying where it goes.
        arriving.reads = arrival.to_commit(arriving.reads, last=True)

    def _read_and_commit(self, arriving: ArrivingFile, members: Iterator[ReadMember]) -> None:
        """Read members, and commit them as soon as they are enough; the last one is always left."""
        arrival, reads, began_s = arriving.arrival, arriving.reads, arriving.began_s
        try:
            for member in members:
                if _is_enough(reads, began_s):
                    self._commit([(arrival, arrival.to_commit(reads, last=False), False)])
                    reads.clear()
                    began_s = time.monotonic()
                if not self._going_on():
                    words = N_("{name} was broken off by the end; it goes on at the next start.")
                    raise TryLater(Text(words, name=arrival.name))
                if member.name and member.data:
                    self._filing.set_aside(member.name, member.data, member.sha256.hex(), member.fault)
                reads.append(replace(member, data=b""))
        except Unusable as e:
            reads.append(ReadMember("", arrival.sha256, fault=str(e)))

    # --- committing ---

    def _commit_all(self, arriving_files: list[ArrivingFile]) -> None:
        """Commit what was read of files; what one of them cannot do keeps no other waiting."""
        alone = [t for t in arriving_files if not t.is_committed]
        if len(alone) > 1:
            try:
                self._commit([(t.arrival, t.reads, True) for t in alone])
            except Replaced:
                raise
            except Exception:  # noqa: BLE001 - each by itself meets it again, or does not
                _log.debug("What was read together is committed one by one.", exc_info=True)
            else:
                alone = []
        for arriving in alone:
            with arriving.failing():
                self._commit([(arriving.arrival, arriving.reads, True)])

    def _commit(self, parts: list[tuple[Arrival, list[ReadMember], bool]]) -> None:
        """Commit what was read of arrivals, as one; of those that end with it also where they go."""
        if not any(reads or last for _, reads, last in parts):
            return
        outcomes: list[tuple[Arrival, Outcome]] = []
        numbers = [(arrival, arrival.id) for arrival, _, _ in parts]
        try:
            with self._journal.write() as w:
                for arrival, reads, last in parts:
                    for read in reads:
                        outcomes.append((arrival, write_file_rows(w, arrival, read)))
                        reached("file begun")
                    if last:
                        self._end(w, arrival)
        except BaseException:
            for arrival, number in numbers:  # it was taken back
                arrival.id = number
            raise
        for arrival, outcome in outcomes:
            reached("file committed")
            arrival.outcomes.append(outcome)
            arrival.onlooker.came(outcome)

    def _end(self, w: Writer, arrival: Arrival) -> None:
        """Write that all members are committed, and where the arrival goes."""
        number = arrival_number(w, arrival)
        outcomes, reasons, first_ms = w.arrival_outcomes(number)
        rejected = outcomes == {"rejected"}
        destination = None
        if not (rejected and arrival.kept):
            folder = "rejected" if rejected else archive_folder(arrival.person, first_ms, w.now_ms)
            destination = (
                self._filing.path_in_archive(w, arrival.name, arrival.person) if arrival.kept else None
            ) or self._filing.free_path(
                w, folder, Path(arrival.name).name, arrival.sha256, with_reason=rejected
            )
        w.end_arrival(number, destination, "\n".join(reasons) if rejected else None)

    def _refuse(self, arriving: ArrivingFile, reason: str) -> None:
        """Set aside what is not even a file; a link is moved as the link that it is."""
        arrival = arriving.arrival
        arrival.sha256 = hashlib.sha256(os.fsencode(arriving.given.path)).digest()
        if not self._resume(arriving):
            arriving.reads = [ReadMember("", arrival.sha256, fault=reason)]


def _unreadable(path: Path, e: OSError) -> TryLater:
    words = N_("{path} cannot be read to its end: {why}. It stays where it is.")
    return TryLater(Text(words, path=path, why=system_words(e)))


def _is_enough(reads: list[ReadMember], began_s: float) -> bool:
    """Whether what was read is to be committed now: a crash has no more than that read again, and straps wait no longer for it."""
    samples = sum(read.recording.samples for read in reads if read.recording is not None)
    return bool(reads) and (
        len(reads) >= TOGETHER or samples >= _MOST_SAMPLES or time.monotonic() - began_s >= _LONGEST_S
    )


def _without_recording(beside: dict[str, int]) -> Recording:
    """What is known of a zip in which no file is a recording."""
    remarks = f"{_WITHOUT} {passed_over_text(beside)}"
    return Recording(
        None, None, whole=True, parts=[], facts=[], samples=0, beats=0, span_ms=None, remarks=remarks
    )


def fingerprint(stream: BufferedReader) -> bytes:
    """What tells one file from another: all its bytes, or of a huge one its size, beginning and end."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    if size <= HUGE_BYTES:
        return hashlib.file_digest(stream, "sha256").digest()
    digest = hashlib.sha256(str(size).encode() + stream.read(1 << 20))
    stream.seek(size - (1 << 20))
    digest.update(stream.read())
    return digest.digest()
