"""The way of a file: read, committed to the journal, and only then filed away.

Whatever moment the power goes, the next start finishes what was begun: a file whose content is committed is only
moved, one whose content is not is read again from where it still lies.
"""

import errno
import hashlib
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path
from typing import Any

from ingest.collect import archive_members
from ingest.collect.reader_process import Reader
from ingest.errors import TryLater, Unusable
from ingest.formats.recording import Recording
from ingest.journal import Journal, Writer
from ingest.log import quoted
from ingest.settings.names import NOBODY
from ingest.system.crash_points import reached

TOGETHER = 64
"""Files after which the card is told to remember where they were filed: once for all of them spares it."""

HUGE_BYTES = 256 << 20
"""No recording is as large, and only a zip may be: reading all of it before looking into it would take minutes."""

LONGEST_NAME = 200
"""Bytes; file systems allow 255, and a number or `.txt` may come behind."""


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


@dataclass(frozen=True, slots=True)
class _Read:
    """A member after reading: its recording, or why there is none."""

    name: str
    sha256: bytes
    recording: Recording | None
    reason: str


@dataclass(slots=True)
class _Way:
    """One arrival on its way."""

    id: int | None
    name: str
    person: str
    sha256: bytes
    kept: bool
    waiting: int
    outcomes: list[Outcome]


class Arrivals:
    """Takes files into the journal and files them below the data folder.

    `waiting` counts the files that still lie in the inbox; it is kept with each file for the `collector` series.
    """

    def __init__(self, journal: Journal, reader: Reader, data: Path, largest_bytes: int) -> None:
        self._journal = journal
        self._reader = reader
        self._data = data
        self._largest_bytes = largest_bytes
        self._moved: list[int] = []
        self._unsynced = _Unsynced(set(), [])

    def take(
        self, path: Path, name: str, person: str, *, kept: bool = False, waiting: int = 0
    ) -> list[Outcome]:
        """Commit what a file holds and file it away; one outcome per FIT file in it.

        `name` says where it lay; with `kept` the original stays there and a copy is filed. Raises TryLater when it
        cannot be read or moved just now, or the journal is busy; it can simply be taken again.
        """
        # A name from an old stick may be no UTF-8; the journal keeps it with the odd bytes written out.
        name = name.encode("utf-8", "backslashreplace").decode()
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as e:
            if path.is_symlink():
                return self._refuse(
                    path, name, person, "It is only a link. Copy the file itself here.", kept=kept
                )
            raise TryLater(
                f"{path} cannot be read: {e.strerror}. Check who owns it and its permissions."
            ) from e
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return self._refuse(path, name, person, "It is not an ordinary file.", kept=kept)
            looks = _looks(os.fstat(descriptor))
            try:
                sha256 = _fingerprint(stream)
                reached("arrival read")
                way = self._way(name, person, sha256, kept=kept, waiting=waiting)
                if way.id is None:
                    self._walk(
                        way,
                        archive_members.members(stream, self._largest_bytes),
                        lambda: _looks(os.fstat(descriptor)) == looks,
                    )
                there = path.exists()
                same = there and _looks(path.lstat()) == looks
            except OSError as e:
                raise TryLater(
                    f"{path} cannot be read to its end: {e.strerror}. It stays where it is."
                ) from e
            assert way.id is not None
            # What its owner took back or replaced meanwhile is still held open; something huge is let go.
            rescued = None if same or looks[2] > HUGE_BYTES else stream
            self._file(way.id, path if there or rescued else None, rescued, looks)
        return way.outcomes

    def finish(self, inbox: Path) -> int:
        """File away what an earlier life committed but did not file; gives how many."""
        done = 0
        trouble: TryLater | None = None
        for arrival, name, sha256, kept in self._journal.unfiled_arrivals():
            path = Path(name) if kept else inbox / name
            try:
                with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as stream:
                    same = _fingerprint(stream) == sha256
            except OSError:
                same = False
            # Gone or changed: it was moved, or its owner took it back; the journal has its content either way.
            try:
                self._file(arrival, path if same else None, None)
                done += 1
            except TryLater as e:
                trouble = e  # the others need not wait for it
        self.flush()
        if trouble:
            raise trouble
        return done

    def flush(self) -> None:
        """Have the card remember what has been filed, then note it; until then a crash makes `finish` look again."""
        if self._moved:
            try:
                self._unsynced.sync()
            except OSError as e:
                raise TryLater(
                    f"The disk does not take what was filed: {e.strerror}. It will be tried again."
                ) from e
            with self._journal.write() as w:
                w.arrivals_filed(self._moved)
            self._moved = []

    def _way(self, name: str, person: str, sha256: bytes, *, kept: bool, waiting: int = 0) -> _Way:
        """A new way, or the one on which this file was committed but could not be moved."""
        way = _Way(None, name, person, sha256, kept, waiting, [])
        for arrival in self._journal.committed_arrivals(person, name, sha256):
            if arrival not in self._moved:
                way.id = arrival
                for member, outcome, samples, beats, first, last, reason in self._journal.arrival_members(
                    arrival
                ):
                    shown = f"{name}/{member}" if member else name
                    way.outcomes.append(
                        Outcome(shown, outcome, person, samples, beats, first, last, reason, member)
                    )
                break
        return way

    # --- reading ---

    def _walk(
        self, way: _Way, found: Iterator[archive_members.Member], unchanged: Callable[[], bool]
    ) -> None:
        """Read and commit every member; the last one's transaction also says where the arrival goes."""
        before: _Read | None = None
        way.id, done = self._journal.unfinished_arrival(way.person, way.name, way.sha256)
        try:
            for member in found:
                if member.name in done:
                    continue
                read = self._read(way.person, member)
                if before is not None:
                    self._commit(way, before, last=False)
                before = read
        except Unusable as e:
            if before is not None:
                self._commit(way, before, last=False)
            before = _Read("", way.sha256, None, str(e))
        if not unchanged():
            raise TryLater(
                f"{way.name} changed while it was read; it will be read again once it stands still."
            )
        if before is None:  # an earlier life read all of it, and died before saying where it goes
            with self._journal.write() as w:
                way.id = self._arrival(w, way, last=True)
            return
        self._commit(way, before, last=True)

    def _read(self, person: str, member: archive_members.Member) -> _Read:
        sha256 = hashlib.sha256(member.data).digest()
        if member.fault:
            return _Read(member.name, sha256, None, member.fault)
        if self._journal.known_copy(person, sha256):
            return _Read(member.name, sha256, None, "")  # no need to read what is already stored
        try:
            return _Read(member.name, sha256, self._reader.read(member.data), "")
        except Unusable as e:
            if member.name:
                self._set_aside(member, str(e))
            return _Read(member.name, sha256, None, str(e))

    def _set_aside(self, member: archive_members.Member, reason: str) -> None:
        """A member that will never do, taken out of its zip so that it can be looked at."""
        stem = _plain(member.name.replace("/", " - "))
        digest = hashlib.sha256(member.data).hexdigest()[:8]
        target = (
            self._data / "rejected" / f"{stem[:-4] if stem.lower().endswith('.fit') else stem}-{digest}.fit"
        )
        _write(target, member.data)
        _write(target.with_name(target.name + ".txt"), (reason + "\n").encode())

    # --- committing ---

    def _commit(self, way: _Way, read: _Read, *, last: bool) -> None:
        with self._journal.write() as w:
            person = w.person(way.person)
            outcome = _enter(w, way, person, read, lambda: self._arrival(w, way, last=False))
            way.outcomes.append(outcome)
            if last:
                self._arrival(w, way, last=True)
            reached("file begun")
        reached("file committed")

    def _arrival(self, w: Writer, way: _Way, *, last: bool) -> int:
        """The arrival's row, made when first needed; with `last` also where it goes."""
        if way.id is None:
            way.id = w.arrival(w.person(way.person), way.name, way.sha256, kept=way.kept)
        if last:
            outcomes, reasons, first_ms = w.arrival_outcomes(way.id)
            rejected = outcomes == {"rejected"}
            reason = "\n".join(reasons)
            destination = None
            if not (rejected and way.kept):
                year = _year(first_ms, w.now_ms)
                folder = "rejected" if rejected else f"archive/{year}{_folder_of(way.person)}"
                destination = self._in_archive(way) or self._free_name(
                    w, folder, Path(way.name).name, way.sha256, with_reason=rejected
                )
            w.end_arrival(way.id, destination, reason if rejected else None)
        return way.id

    def _in_archive(self, way: _Way) -> str | None:
        """Where a file that is added out of the archive lies already."""
        archive, path = (self._data / "archive").absolute(), Path(way.name)
        if not way.kept or not path.is_relative_to(archive):
            return None
        return str(path.relative_to(self._data.absolute()))

    def _free_name(self, w: Writer, folder: str, name: str, sha256: bytes, *, with_reason: bool) -> str:
        """Where in the folder the arrival may lie: under its own name, or one with a number when that is taken."""
        name = _plain(name)
        stem, dot, suffix = name.partition(".") if not name.startswith(".") else (name, "", "")
        number = 1
        while True:
            candidate = f"{folder}/{name}" if number == 1 else f"{folder}/{stem}-{number}{dot}{suffix}"
            holder = w.destination_holder(candidate)
            if holder == sha256:
                return candidate  # the same bytes, which will replace each other
            taken = holder is not None or os.path.lexists(self._data / candidate)
            if with_reason:
                taken = (
                    taken
                    or os.path.lexists(self._data / f"{candidate}.txt")
                    or w.destination_holder(f"{candidate}.txt") is not None
                )
            if not taken:
                return candidate
            number += 1

    # --- filing ---

    def _file(
        self, arrival: int, path: Path | None, opened: Any, looks: tuple[int, int, int, int] | None = None
    ) -> None:
        """Move the arrival to where it belongs, with its reason beside it if it was rejected."""
        destination, reason, kept = self._journal.arrival_destination(arrival)
        if destination and path is not None:
            target = self._data / destination
            try:
                if reason is not None:
                    _write(target.with_name(target.name + ".txt"), (reason + "\n").encode())
                    reached("reason written")
                if kept and opened is None and target.exists() and target.samefile(path):
                    pass  # it was added out of the archive
                elif kept or opened is not None:
                    # The original stays; or something else lies in its place by now and is taken in its turn.
                    _copy(opened or path, target, self._unsynced)
                else:
                    _move(path, target, self._unsynced, looks)
            except OSError as e:
                raise TryLater(
                    f"{path} is in the journal but cannot be moved to {destination}: {e.strerror}. "
                    "Check permissions and room on the disk; it will be tried again."
                ) from e
            reached("arrival moved")
        self._moved.append(arrival)
        reached("arrival filed")
        if len(self._moved) >= TOGETHER:
            self.flush()

    def _refuse(self, path: Path, name: str, person: str, reason: str, *, kept: bool) -> list[Outcome]:
        """Set aside what is not even a file; a link is moved as the link that it is."""
        sha256 = hashlib.sha256(os.fsencode(path)).digest()
        way = self._way(name, person, sha256, kept=kept)
        if way.id is None:
            self._commit(way, _Read("", sha256, None, reason), last=True)
        assert way.id is not None
        self._file(way.id, path, None)
        return way.outcomes


def _enter(w: Writer, way: _Way, person: int, read: _Read, arrival: Callable[[], int]) -> Outcome:
    """One file's rows within the open transaction."""
    recording = read.recording
    outcome, reason = "rejected", read.reason
    twin = w.copy_of(person, read.sha256)
    if twin is not None:
        outcome, reason, recording = "duplicate", f"The same file as {twin}.", None
    elif recording is not None:
        outcome, reason = ("stored" if recording.whole else "partial"), recording.remarks
        same = w.same_recording(person, recording.digest) if recording.digest and recording.whole else None
        if same is not None:
            outcome, reason, recording = "duplicate", f"The same recording as {same}.", None
    better, replaced = w.copies(person, recording) if recording else (None, [])
    if better is not None:
        reason += " A better copy of the recording is already stored."
    shown = f"{way.name}/{read.name}" if read.name else way.name
    file = w.file(arrival(), read.name, person, read.sha256, outcome, reason, recording, better)
    if recording is not None:
        _fill(w, person, file, recording, counts=better is None)
    samples, beats = (recording.samples, recording.beats) if recording else (0, 0)
    content = {"name": shown, "outcome": outcome, "samples": samples, "beats": beats, "waiting": way.waiting}
    w.entry(person, "file", w.now_ms, w.replace(replaced, file), content, file)
    first, last = (recording and recording.span_ms) or (None, None)
    return Outcome(shown, outcome, way.person, samples, beats, first, last, reason, read.name)


def _fill(w: Writer, person: int, file: int, recording: Recording, *, counts: bool) -> None:
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


def _fingerprint(stream: BufferedReader) -> bytes:
    """What tells one file from another: all its bytes, or of a huge one its size, beginning and end."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    if size <= HUGE_BYTES:
        return hashlib.file_digest(stream, "sha256").digest()
    told = hashlib.sha256(str(size).encode() + stream.read(1 << 20))
    stream.seek(size - (1 << 20))
    told.update(stream.read())
    return told.digest()


def _looks(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _folder_of(person: str) -> str:
    """The folder of a person within a year: their own, so that an archive added anew gives everybody theirs."""
    return "" if person == NOBODY else f"/{_plain(person)}"


def _year(first_ms: int | None, now_ms: int) -> int:
    """The year that the archive keeps it under: of the recording, or of its arrival when the watch's clock was off."""
    now = datetime.fromtimestamp(now_ms / 1000, UTC).year
    if first_ms is not None:
        year = datetime.fromtimestamp(first_ms / 1000, UTC).year
        if 1990 <= year <= now + 1:
            return year
    return now


def _plain(name: str) -> str:
    """A file name without anything that a file system or a terminal could take amiss."""
    plain = re.sub(r"[\x00-\x1f\x7f/\\]", "_", name) or "_"
    while len(plain.encode("utf-8", "surrogateescape")) > LONGEST_NAME:
        plain = plain[: len(plain) // 2 - 8] + "..." + plain[len(plain) // 2 + 8 :]
    return plain


@dataclass(slots=True)
class _Unsynced:
    """Folders and files that the card has yet to remember."""

    folders: set[Path]
    files: list[Path]

    def sync(self) -> None:
        if len(self.files) > 4:
            os.sync()  # one flush of everything is quicker than one for each
        else:
            for path in self.files:
                _sync(path)
            for folder in sorted(self.folders):
                _sync(folder)
        self.folders.clear()
        self.files.clear()


def _move(path: Path, target: Path, unsynced: _Unsynced, looks: tuple[int, int, int, int] | None) -> None:
    """Rename, also to another disk; what took the file's place in the very last moment goes back, to be read itself."""
    _folder(target.parent)
    try:
        path.rename(target)
        if looks is not None and _looks(target.lstat()) != looks:
            target.rename(path)
    except OSError as e:
        if e.errno != errno.EXDEV:  # the inbox may lie on another disk
            raise
        if path.is_symlink():  # what it points at is nobody's business
            beside = target.with_name(f".{target.name}.tmp")
            beside.unlink(missing_ok=True)
            beside.symlink_to(path.readlink())
            beside.rename(target)
        elif path.is_file():  # a pipe or device has no content to take along, and might never end
            with path.open("rb") as stream:
                _copy(stream, target, unsynced)
        unsynced.sync()  # the only other copy goes now
        path.unlink()
    unsynced.folders |= {target.parent, path.parent}


def _copy(origin: Any, target: Path, unsynced: _Unsynced) -> None:
    """Write beside and rename; `origin` is an open stream or a path."""
    if isinstance(origin, Path):
        with origin.open("rb") as stream:
            _copy(stream, target, unsynced)
        return
    _folder(target.parent)
    beside = target.with_name(f".{target.name}.tmp")
    origin.seek(0)
    with beside.open("wb") as out:
        shutil.copyfileobj(origin, out, 1 << 20)
    beside.rename(target)
    unsynced.files.append(target)
    unsynced.folders.add(target.parent)


def _write(target: Path, data: bytes) -> None:
    _folder(target.parent)
    beside = target.with_name(f".{target.name}.tmp")
    with beside.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    beside.rename(target)
    _sync(target.parent)


def _folder(folder: Path) -> None:
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)


def _sync(path: Path) -> None:
    """Have the card remember a file, or the renames in a folder; one that is gone needs none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
