"""A file that arrives: read, committed to the journal, and only then filed away.

Whatever moment the power goes, the next start finishes what was begun: a file whose content is committed is only
moved, one whose content is not is read again from where it still lies.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from io import BufferedReader
from pathlib import Path

from ingest.collect.filing import Filing, add_again, archive_folder, status_of
from ingest.collect.reader_messages import PASS, READ, ReadMember
from ingest.collect.reader_process import ReaderProcess
from ingest.errors import TryLater, Unusable
from ingest.formats.recording import Recording
from ingest.journal import Journal, Writer
from ingest.language import N_, Text, system_words
from ingest.log import quoted
from ingest.system.crash_points import reached
from ingest.system.files import DISK, Disk
from ingest.system.patience import always

_FORGOTTEN = N_(
    "That one is forgotten, so this does not count either; `hartslag forget --undo` takes that back."
)

_BETTER = N_("A better copy of the recording is already stored.")
_WITHOUT = N_("There is no recording in this zip.")

HUGE_BYTES = 256 << 20
"""No recording is as large, and only a zip may be: reading all of it before looking into it would take minutes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one FIT file; times in ms since 1970, UTC."""

    file: str
    outcome: str
    person: str
    samples: int
    beats: int
    first_ms: int | None
    last_ms: int | None
    reason: str
    member: str = ""

    def shown(self, path: Path) -> str:
        """Its name as its owner gave it: the path, and within a zip the member's."""
        return f"{path}/{self.member}" if self.member else str(path)

    @property
    def sentence(self) -> str:
        """What became of the file, in a line."""
        what = f"{self.outcome} {quoted(self.file)} of {self.person}"
        if self.samples or self.beats:
            what += f": {self.samples} samples" + (f", {self.beats} beats" if self.beats else "")
        return f"{what}. {self.reason}" if self.reason else f"{what}."


def _nothing(_: object) -> None: ...


@dataclass(frozen=True, slots=True)
class Onlooker:
    """Is told while an arrival is taken: of each FIT file in it, and in the end of the files that were passed over."""

    came: Callable[[Outcome], None] = _nothing
    passed_over: Callable[[dict[str, int]], None] = _nothing


NOBODY_LOOKS = Onlooker()

_KINDS_TOLD = 4


def passed_over_text(beside: dict[str, int]) -> Text:
    """What is said of files in a zip that were passed over: how many, and of which kinds most."""
    known = sorted(((count, ending) for ending, count in beside.items() if ending), reverse=True)
    kinds = [f"{count} {ending}" for count, ending in known[:_KINDS_TOLD]]
    kinds += ["..."] if beside.get("") or len(known) > _KINDS_TOLD else []
    if ".gpx" in beside or ".tcx" in beside:
        words = N_(
            "Other files in it, which were passed over: {count} ({kinds}). GPX and TCX are not read here: have those workouts"
            " exported as FIT."
        )
    else:
        words = N_("Other files in it, which were passed over: {count} ({kinds}).")
    return Text(words, count=sum(beside.values()), kinds=", ".join(kinds))


@dataclass(slots=True)
class _Arrival:
    """What is dropped or added as one: a file, or a zip of many. `id` is its number in the journal, once it has one.

    With a `newcomer` it is theirs, and they become a person, once something of a heart was read in it; until then it is
    `held`, and without any it is the person's.
    """

    name: str
    person: str
    sha256: bytes
    kept: bool
    waiting: int = 0
    newcomer: Callable[[], str] | None = None
    onlooker: Onlooker = NOBODY_LOOKS
    id: int | None = None
    held: list[ReadMember] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)

    def name_of(self, member: str) -> str:
        """The name by which its owner knows a member ('' for the arrival itself)."""
        return f"{self.name}/{member}" if member else self.name

    def to_commit(self, read: ReadMember, *, last: bool) -> list[ReadMember]:
        """What can be committed now that this was read, as it is known whose it is."""
        if self.newcomer is None:
            return [read]
        if read.recording is not None and _of_a_heart(read.recording):
            self.person, self.newcomer = self.newcomer(), None
        elif not last:
            self.held.append(replace(read, data=b""))
            return []
        held, self.held = self.held, []
        return [*held, read]


def _of_a_heart(recording: Recording) -> bool:
    """Whether a recording tells of somebody's heart; settings, say, tell of whoever a watch takes its wearer for."""
    if recording.samples or recording.beats:
        return True
    told = (fact.content for fact in recording.facts if fact.what != "limits")
    return any("bpm" in name and value is not None for content in told for name, value in content.items())


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

        `name` says where it lay; with `kept` the original stays there and a copy is filed. `newcomer` makes a person, and
        gives the name, of somebody whose it is instead if something of a heart is read in it. Raises TryLater when it
        cannot be read or moved just now, or the journal is busy; it can simply be taken again.
        """
        # A name from an old stick may be no UTF-8; the journal keeps it with the odd bytes written out.
        name = name.encode("utf-8", "backslashreplace").decode()
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as e:
            if path.is_symlink():
                return self._refuse(
                    path, name, person, N_("It is only a link. Copy the file itself here."), kept=kept
                )
            words = N_("{path} cannot be read: {why}. Check who owns it and its permissions.")
            raise TryLater(Text(words, path=path, why=system_words(e))) from e
        with os.fdopen(descriptor, "rb") as stream:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                return self._refuse(path, name, person, N_("It is not an ordinary file."), kept=kept)
            status = status_of(found)
            try:
                arrival = _Arrival(name, person, fingerprint(stream), kept, waiting, newcomer, onlooker)
                reached("arrival read")
                self._resume(arrival)
                if arrival.id is None:
                    self._read_members(arrival, stream, lambda: status_of(os.fstat(descriptor)) == status)
                there = path.exists()
                same = there and status_of(path.lstat()) == status
            except OSError as e:
                words = N_("{path} cannot be read to its end: {why}. It stays where it is.")
                raise TryLater(Text(words, path=path, why=system_words(e))) from e
            assert arrival.id is not None
            # What its owner took back or replaced meanwhile is still held open; something huge is let go.
            rescued = None if same or found.st_size > HUGE_BYTES else stream
            self._filing.file(arrival.id, path if there or rescued else None, rescued, status)
            self._let_go_of_earlier(arrival)
        return arrival.outcomes

    def _let_go_of_earlier(self, arrival: _Arrival) -> None:
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

    def _resume(self, arrival: _Arrival) -> None:
        """Go on with an arrival that was committed before but could not be moved."""
        committed = self._journal.committed_arrivals(arrival.person, arrival.name, arrival.sha256)
        arrival.id = next((number for number in committed if not self._filing.is_moved(number)), None)
        if arrival.id is None:
            return
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

    # --- reading ---

    def _read_members(self, arrival: _Arrival, stream: BufferedReader, unchanged: Callable[[], bool]) -> None:
        """Read and commit every member; the last one's transaction also says where the arrival goes."""
        arrival.id, done = self._journal.unfinished_arrival(arrival.person, arrival.name, arrival.sha256)

        def choose(name: str, sha256: bytes, _size: int) -> str:
            # No need to read what is already stored.
            stored = arrival.newcomer is None and self._journal.known_copy(arrival.person, sha256)
            return PASS if name in done or stored else READ

        beside: dict[str, int] = {}

        def read() -> Generator[ReadMember]:
            beside.update((yield from self._reader.members(stream, choose, done)))

        with closing(read()) as members:
            before = self._commit_all_but_last(arrival, (m for m in members if m.name not in done))
        if before is None and not done:  # a zip of papers or photos, which is no fault of it
            before = ReadMember("", arrival.sha256, _without_recording(beside))
        else:
            arrival.onlooker.passed_over(beside)
        if not unchanged():
            raise TryLater(
                Text(
                    N_("{name} changed while it was read; it will be read again once it stands still."),
                    name=arrival.name,
                )
            )
        if before is None:  # an earlier life read all of it, and died before saying where it goes
            with self._journal.write() as w:
                self._end(w, arrival)
            return
        self._commit(arrival, before, last=True)

    def _commit_all_but_last(self, arrival: _Arrival, members: Iterator[ReadMember]) -> ReadMember | None:
        """Commit members as they are read; gives the last one, or why there are no more."""
        before: ReadMember | None = None
        try:
            for member in members:
                if not self._going_on():
                    words = N_("{name} was broken off by the end; it goes on at the next start.")
                    raise TryLater(Text(words, name=arrival.name))
                if member.name and member.data:
                    self._filing.set_aside(member.name, member.data, member.sha256.hex(), member.fault)
                if before is not None:
                    self._commit(arrival, before, last=False)
                before = member
        except Unusable as e:
            if before is not None:
                self._commit(arrival, before, last=False)
            before = ReadMember("", arrival.sha256, fault=str(e))
        return before

    # --- committing ---

    def _commit(self, arrival: _Arrival, read: ReadMember, *, last: bool) -> None:
        for one in arrival.to_commit(read, last=last):
            with self._journal.write() as w:
                outcome = _write_file(w, arrival, one)
                if last and one is read:
                    self._end(w, arrival)
                reached("file begun")
            reached("file committed")
            arrival.outcomes.append(outcome)
            arrival.onlooker.came(outcome)

    def _end(self, w: Writer, arrival: _Arrival) -> None:
        """Write that all members are committed, and where the arrival goes."""
        number = _number(w, arrival)
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

    def _refuse(self, path: Path, name: str, person: str, reason: str, *, kept: bool) -> list[Outcome]:
        """Set aside what is not even a file; a link is moved as the link that it is."""
        arrival = _Arrival(name, person, hashlib.sha256(os.fsencode(path)).digest(), kept)
        self._resume(arrival)
        if arrival.id is None:
            self._commit(arrival, ReadMember("", arrival.sha256, fault=reason), last=True)
        assert arrival.id is not None
        self._filing.file(arrival.id, path)
        return arrival.outcomes


def _without_recording(beside: dict[str, int]) -> Recording:
    """What is known of a zip in which no file is a recording."""
    remarks = f"{_WITHOUT} {passed_over_text(beside)}"
    return Recording(
        None, None, whole=True, parts=[], facts=[], samples=0, beats=0, span_ms=None, remarks=remarks
    )


def _number(w: Writer, arrival: _Arrival) -> int:
    """The arrival's number in the journal; its row is made when first needed."""
    if arrival.id is None:
        arrival.id = w.arrival(w.person(arrival.person), arrival.name, arrival.sha256, kept=arrival.kept)
    return arrival.id


def _write_file(w: Writer, arrival: _Arrival, read: ReadMember) -> Outcome:
    """Write one file's rows within the open transaction."""
    person = w.person(arrival.person)
    recording = read.recording
    outcome, reason = "rejected", read.fault
    twin = w.copy_of(person, read.sha256)
    if twin is not None:
        outcome, reason, recording = "duplicate", N_("The same file as {file}.").format(file=twin), None
    elif recording is not None:
        outcome, reason = ("stored" if recording.whole else "partial"), recording.remarks
        same = w.same_recording(person, recording.digest) if recording.digest and recording.whole else None
        if same is not None:
            outcome, reason, recording = (
                "duplicate",
                N_("The same recording as {file}.").format(file=same),
                None,
            )
    better, replaced = w.copies(person, recording) if recording else (None, [])
    if better is not None:
        reason = f"{reason} {_BETTER}"
    if (read.recording is not None or twin is not None) and w.has_forgotten_copy(
        person, read.sha256, read.recording
    ):
        reason = f"{reason} {_FORGOTTEN}"
    shown = arrival.name_of(read.name)
    file = w.file(_number(w, arrival), read.name, person, read.sha256, outcome, reason, recording, better)
    if recording is not None:
        _write_recording(w, person, file, recording, counts=better is None)
    samples, beats = (recording.samples, recording.beats) if recording else (0, 0)
    content = {
        "name": shown,
        "outcome": outcome,
        "samples": samples,
        "beats": beats,
        "waiting": arrival.waiting,
    }
    if recording is not None and recording.model is not None:
        content |= {"device": recording.model.device, "product": recording.model.product}
    w.entry(person, "file", w.now_ms, w.replace(replaced, file), content, file)
    first, last = (recording and recording.span_ms) or (None, None)
    return Outcome(shown, outcome, arrival.person, samples, beats, first, last, reason, read.name)


def _write_recording(w: Writer, person: int, file: int, recording: Recording, *, counts: bool) -> None:
    """The chunks and facts of a file; what a better copy has already replaced touches nothing."""
    for part in recording.parts:
        source = w.source(person, part.source, part.kind, part.rank)
        for columns in part.columns:
            w.chunk(person, source, columns, file)
    for fact in recording.facts:
        if fact.what == "limits":
            if counts:
                w.limits(person, fact.start_ms, fact.content, file)
        else:
            w.entry(person, fact.what, fact.start_ms, (fact.start_ms, fact.end_ms), fact.content, file)


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
