"""Unpacking and reading files in a process of its own, so that no file can take the daemon down, or see anything of it.

The process has bounded memory and processor time, no environment, and once it is ready no file, no network and nothing open
but its pipes; it steps back behind everything else on the machine. A file is blamed only for what it does alone: twice, to
processes that have read another file well before, by their own processor time and with the speed of this machine in mind.
For what a machine does that is busy, short of memory or going down, a file is kept for later.
"""

import contextlib
import mmap
import time
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Self

from ingest.collect.lender import Lender
from ingest.collect.reader_child import Broke, Killed, ReaderChild
from ingest.collect.reader_messages import GIVE, MOST_MEMBERS, PASS, READ, Choice, ReadMember, checked
from ingest.collect.recording_check import check_recording
from ingest.errors import TryLater, Unusable
from ingest.formats.recording import Recording
from ingest.language import N_, Text
from ingest.system.confinement import Confinement
from ingest.system.patience import always

PROCESSOR_S = 20.0
PROCESSOR_S_PER_MB = 5.0
"""The slowest files seen take a tenth of that on a fast computer; a slow one has more, as its trial tells."""

SILENCE_S = 60.0
"""So long the process may get no processor at all before the machine is said to be too busy."""

MEMORY_BYTES = 512 << 20
"""Address space of the process besides six times the file: Python and numpy map some 150 MB of it."""

IDLE_S = 30.0
"""After this long without a file the process is let go, and its 40 MB with it."""

ANSWER_TIMES = 40
"""A sample takes three bytes of a file at the least, and nine of an answer; a beat two, and twelve."""

_BLAMED_AFTER = 2
"""What broke so many readers in a row is to blame."""


class ReaderProcess:
    """A process that reads files, started when the first one comes and again whenever it has ended."""

    def __init__(
        self,
        largest_bytes: int,
        *,
        processor_s: float = PROCESSOR_S,
        silence_s: float = SILENCE_S,
        going_on: Callable[[], bool] = always,
        folder: Path | None = None,
        module: str = "ingest.collect.reading",
    ) -> None:
        """`going_on` is asked while a file is being read; when it says no, the file is left for another time.

        Below `folder` is kept for a while what is unpacked and too large for memory. `module` is what runs in the process.
        """
        self._largest_bytes = largest_bytes
        self._processor_s = processor_s
        self._most_bytes = MEMORY_BYTES + 6 * largest_bytes
        self._silence_s, self._folder, self._module = silence_s, folder, module
        self._going_on = going_on
        self._child: ReaderChild | None = None
        self._used_s = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def confinement(self) -> Confinement | None:
        """How the process is shut in; None while there is none."""
        return self._child.confinement if self._child else None

    def members(
        self, stream: BinaryIO, choose: Choice, done: Collection[str] = frozenset()
    ) -> Generator[ReadMember, None, dict[str, int]]:
        """All members of an open file, in order, read as far as `choose` wants them, but those whose names are `done`.

        Gives how many files were passed over as they are no recordings, by the ends of their names. Raises Unusable when it cannot be opened, or breaks the process before a member is unpacked; TryLater for what is
        no fault of the file, and when it shall not go on; OSError as the disk does. Members given by then are right.
        """
        history = _History(done=frozenset(done))
        while True:
            try:
                with self._lend(stream) as talk:
                    return (yield from _members(talk, choose, history))
            except Broke as e:
                history.blame(e.reason)
            except Killed:
                # Perhaps an accident: a service that is stopped ends its children, too.
                history.kills += 1
                if history.kills >= _BLAMED_AFTER:
                    raise

    def looks_whole(self, stream: BinaryIO, name: str) -> bool:
        """Whether a file reads to its end, or is none of ours; one that breaks the process counts as whole: reading it will tell.

        Raises TryLater, and OSError as the disk does.
        """
        try:
            with self._lend(stream) as talk:
                (whole,) = _fields(talk.ask(("look", talk.size, name)), "whole", bool)
                talk.is_over = True
                return bool(whole)
        except (Broke, Unusable):
            return True

    def rest(self) -> None:
        """Let the process go when it has had nothing to do for a while."""
        if self._child and time.monotonic() - self._used_s > IDLE_S:
            self.close()

    def close(self) -> None:
        """End the process."""
        child, self._child = self._child, None
        if child:
            child.close()

    @contextlib.contextmanager
    def _lend(self, stream: BinaryIO) -> "Iterator[_Talk]":
        """A file lent to a process that runs; one that is left in the middle of it is ended."""
        if self._child is None or not self._child.is_running:
            self.close()
            self._child = ReaderChild(
                self._largest_bytes, self._most_bytes, self._going_on, self._silence_s, self._module
            )
        lender = Lender(stream, self._folder)
        talk = _Talk(self._child, lender, self._largest_bytes, self._most_bytes, self._processor_s)
        try:
            yield talk
        finally:
            lender.close()
            self._used_s = time.monotonic()
            if not talk.is_over:
                self.close()


@dataclass(slots=True)
class _Talk:
    """A file that is lent once: what is asked about it, and what is asked for in between."""

    _child: ReaderChild
    _lender: Lender
    _largest_bytes: int
    _memory_bytes: int
    _processor_s: float
    is_over: bool = False

    @property
    def size(self) -> int:
        """Of the file, in bytes."""
        return self._lender.size

    def ask(self, message: Any, size: int | None = None) -> tuple[Any, ...]:
        """What is answered about so many bytes, once all that it takes has been lent.

        Raises Broke, Unusable, TryLater, OSError.
        """
        size = min(self.size if size is None else size, self._largest_bytes)
        allowed_s = (self._processor_s + PROCESSOR_S_PER_MB * size / 1e6) * self._child.slowness
        watch = self._child.watch(allowed_s)
        answer = self._child.ask(message, watch, ANSWER_TIMES * size)
        while isinstance(answer, tuple) and (piece := self._lender.answer(answer)) is not None:
            answer = self._child.ask(piece, watch, ANSWER_TIMES * size)
        if not (isinstance(answer, tuple) and answer):
            raise Broke(N_("Reading it gave an answer that is none."))
        if answer[0] == "refused":
            self.is_over = True
            raise Unusable(*_fields(answer, "refused", str))
        if answer[0] == "failed":
            raise self._failure(*_fields(answer, "failed", str, str))
        return answer

    def _failure(self, kind: str, what: str) -> Exception:
        """What the process says of itself: it had not enough, or met something that no file may cause."""
        if kind == "memory":
            if _is_to_be_had(self._memory_bytes):
                return Broke(N_("Reading it took more memory than any recording needs."))
            return TryLater(
                Text(N_("There is too little memory free to read it; it is read once there is more."))
            )
        if kind == "machine":
            return TryLater(
                Text(N_("The system kept it from being read ({what}); it is tried again."), what=what)
            )
        return Broke(
            N_("Reading it failed ({what}). A later version of hartslag may read it.").format(what=what)
        )


@dataclass(slots=True)
class _History:
    """What became of a file so far, over several processes: members given, and what broke readers."""

    done: frozenset[str] = frozenset()
    given: set[str] = field(default_factory=set)
    faults: dict[str, str] = field(default_factory=dict)
    kills: int = 0
    reading: str | None = None
    """The member that is being read; None while the next one is being unpacked."""
    _breaks: Counter[tuple[str, int]] = field(default_factory=Counter)

    def choice(self, name: str, sha256: bytes, size: int, choose: Choice) -> str:
        """What shall be done with a member; of one that broke its readers at least the bytes are wanted."""
        self.reading = name
        if name in self.given or self._breaks[name, 0] > _BLAMED_AFTER:
            return PASS
        return GIVE if name in self.faults else choose(name, sha256, size)

    def blame(self, reason: str) -> None:
        """Note that a process broke. Raises Unusable when that was before a member was unpacked, and is no accident."""
        # What is being unpacked has no name yet: it comes behind so many that have.
        at = (self.reading, 0) if self.reading is not None else ("", len(self.given) + 1)
        self._breaks[at] += 1
        if self._breaks[at] < _BLAMED_AFTER:
            return
        if self.reading is None:
            raise Unusable(reason)
        self.faults[self.reading] = reason


def _members(talk: _Talk, choose: Choice, history: _History) -> Generator[ReadMember, None, dict[str, int]]:
    """The members that were not given yet. Raises as `ReaderProcess.members`, and Broke and Killed."""
    history.reading = None
    answer = talk.ask(("take", talk.size, history.done | history.given))
    while answer[0] != "end":
        if answer[0] == "member":
            name, sha256, size = _fields(answer, "member", str, bytes, int)
            choice = history.choice(name, sha256, size, choose)
            answer = talk.ask(choice, size)
            if (
                answer[0] != "read"
                or answer[1:3] != (name, sha256)
                or (choice == READ and answer[3:5] == (None, ""))
            ):
                raise Broke(N_("Reading it gave an answer that is none."))
        read = _read_member(answer)
        history.reading = None
        if read.name not in history.given:
            if read.name in history.faults:
                read = ReadMember(read.name, read.sha256, None, history.faults[read.name], read.data)
            history.given.add(read.name)
            if len(history.given) > MOST_MEMBERS:
                raise Broke(N_("Reading it gave more than any zip holds."))
            yield read
        answer = talk.ask(None)
    (passed_over,) = _fields(answer, "end", dict)
    talk.is_over = True
    return {str(ending): int(count) for ending, count in passed_over.items()}


def _read_member(answer: tuple[Any, ...]) -> ReadMember:
    wanted = Recording if len(answer) == 6 and answer[3] is not None else type(None)
    name, sha256, recording, fault, data = _fields(answer, "read", str, bytes, wanted, str, bytes)
    if recording is not None:
        try:
            check_recording(recording)
        except ValueError as e:
            raise Broke(N_("Reading it gave an answer that is none ({why}).").format(why=e)) from None
    return ReadMember(name, sha256, recording, fault, data)


def _fields(answer: tuple[Any, ...], kind: str, *types: type) -> list[Any]:
    """What stands in an answer of that kind. Raises Broke."""
    try:
        return checked(answer, kind, *types)
    except ValueError as e:
        raise Broke(N_("Reading it gave an answer that is none ({why}).").format(why=e)) from None


def _is_to_be_had(size: int) -> bool:
    """Whether the machine would give a process so many bytes, so that it was our own limit that was reached."""
    try:
        mmap.mmap(-1, size).close()
    except (OSError, MemoryError):
        return False
    return True
