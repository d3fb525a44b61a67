"""The reading process: it shuts itself in, and then unpacks and reads what it is lent. `ingest/collect/reader_process.py` starts it.

What it is asked and what it answers is in `ingest/collect/reader_messages.py`; the bytes of a file are asked for through the
same pipes, piece by piece, so that it needs no file of its own.
"""

import hashlib
import io
import os
import pickle
import sys
import time
from collections.abc import Container, Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import IO, Any, BinaryIO, cast

from ingest.collect import archive_members
from ingest.collect.reader_messages import GIVE, LENGTH, READ, Choice, ReadMember, packed
from ingest.collect.sized_stream import SizedStream
from ingest.errors import Unusable
from ingest.formats.file_formats import ENDINGS, FORMATS, HEAD_BYTES, format_of, read_recording
from ingest.system.confinement import Confinement, confine

PIECE_BYTES = 1 << 20
"""Of a file, asked for at once."""

_TRIALS = 4


def read_members(
    stream: BinaryIO,
    largest_bytes: int,
    choose: Choice,
    spool: archive_members.Spool,
    done: Container[str] = frozenset(),
) -> Generator[ReadMember, None, archive_members.PassedOver]:
    """All members of what arrived, read as far as they are wanted, but not those whose names are `done`.

    Gives how many files were passed over. Raises Unusable when it cannot be opened at all.
    """
    found = archive_members.members(stream, largest_bytes, spool, done)
    while True:
        try:
            member = next(found)
        except StopIteration as over:
            return cast("archive_members.PassedOver", over.value)
        sha256 = hashlib.sha256(member.data).digest()
        if member.fault:
            yield ReadMember(member.name, sha256, fault=member.fault)
            continue
        choice = choose(member.name, sha256, len(member.data))
        if choice == READ:
            try:
                yield ReadMember(member.name, sha256, read_recording(member.data))
            except Unusable as e:
                yield ReadMember(member.name, sha256, fault=str(e), data=member.data)
        else:
            yield ReadMember(member.name, sha256, data=member.data if choice == GIVE else b"")


def looks_whole(stream: BinaryIO, name: str, largest_bytes: int) -> bool:
    """Whether a file of that name reads to its end; what is not meant for us at all counts as whole."""
    head = stream.read(HEAD_BYTES)
    if not head:
        return False
    known = format_of(head)
    if known is not None:
        stream.seek(0)
        return known.looks_whole(stream.read(largest_bytes))
    if head.startswith(b"\0" * 4) or PurePath(name).suffix.lower() in ENDINGS:
        # Some programs claim the whole size first and fill it in afterwards.
        return PurePath(name).name.startswith("._")
    return archive_members.looks_whole(stream, largest_bytes)


class _Link:
    """The pipes to whoever started us."""

    def __init__(self, requests: IO[bytes], answers: IO[bytes]) -> None:
        self._requests, self._answers = requests, answers

    def send(self, *message: Any) -> None:
        self._answers.write(packed(message))
        self._answers.flush()

    def receive(self) -> Any:
        """The next thing that is asked of us. Raises EOFError when nothing more will be."""
        (count,) = LENGTH.unpack(self._exactly(LENGTH.size))
        return pickle.loads(self._exactly(count))  # noqa: S301 - whoever started us may have us do anything

    def ask(self, *message: Any) -> Any:
        self.send(*message)
        return self.receive()

    def _exactly(self, count: int) -> bytes:
        data = self._requests.read(count)
        if len(data) < count:
            raise EOFError
        return data


class _Lent(SizedStream):
    """A file that somebody else has open, and reads for us: the arrival is the first, what was unpacked of it comes behind."""

    def __init__(self, link: _Link, number: int, size: int) -> None:
        super().__init__(size)
        self._link, self._number = link, number

    def readinto(self, into: Any, /) -> int:
        count = min(len(into), PIECE_BYTES, max(self._size - self._at, 0))
        if count == 0:
            return 0
        data: bytes = self._link.ask("want", self._number, self._at, count)
        into[: len(data)] = data
        self._at += len(data)
        return len(data)


def _lent(link: _Link, number: int, size: int) -> BinaryIO:
    return cast("BinaryIO", io.BufferedReader(_Lent(link, number, size), min(max(size, 1), PIECE_BYTES)))


class _Spooling:
    """Has somebody else keep what was unpacked, who lends it back."""

    def __init__(self, link: _Link) -> None:
        self._link, self._kept = link, 0

    @contextmanager
    def __call__(self, pieces: Iterable[bytes]) -> Iterator[BinaryIO]:
        self._kept += 1
        number, size = self._kept, 0
        try:
            for piece in pieces:
                self._link.ask("keep", number, piece)
                size += len(piece)
            yield _lent(self._link, number, size)
        finally:
            self._kept -= 1
            self._link.ask("drop", number)


def _answer(link: _Link, request: tuple[Any, ...], largest_bytes: int) -> None:
    kind, size, *more = request
    stream = _lent(link, 0, size)
    if kind == "look":
        link.send("whole", looks_whole(stream, more[0], largest_bytes))
        return

    def choose(name: str, sha256: bytes, size: int) -> str:
        return str(link.ask("member", name, sha256, size))

    found = read_members(stream, largest_bytes, choose, _Spooling(link), more[0])
    while True:
        try:
            read = next(found)
        except StopIteration as over:
            link.send("end", over.value)
            return
        link.send("read", read.name, read.sha256, read.recording, read.fault, read.data)


def _serve(link: _Link, largest_bytes: int) -> None:
    """Answer until whoever started us is gone."""
    while True:
        try:
            request = link.receive()
        except EOFError:
            return
        try:
            _answer(link, request, largest_bytes)
        except EOFError:
            return
        except Unusable as e:
            link.send("refused", str(e))
        except MemoryError:
            link.send("failed", "memory", "")
        except (ImportError, OSError) as e:
            link.send("failed", "machine", f"{type(e).__name__}: {e}")
        except Exception as e:  # noqa: BLE001 - it is told where it can be logged
            link.send("failed", "bug", f"{type(e).__name__}: {e}")


def _try_out() -> float:
    """The processor time (s) that reading the trial files takes; everything that reading needs is loaded by that."""
    for name in ("a", "é"):  # the two ways in which zips write names
        name.encode("cp437"), name.encode("utf-8")
    took_s = []
    for _ in range(_TRIALS):
        before_s = time.process_time()
        for known in FORMATS:
            packed((known.looks_whole(known.trial()), known.read(known.trial())))
        took_s.append(time.process_time() - before_s)
    return min(took_s)


PR_SET_PDEATHSIG = 1
"""From linux/prctl.h; Python has no name for it."""


def _limit(most_bytes: int, parent: int) -> None:
    import ctypes
    import resource
    import signal

    # Ctrl-C and `systemctl stop` go to the whole group of processes; the parent decides when this one ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # it has nothing to write to disk
    os.nice(5)
    # Should the parent die while a file is being read, the kernel ends this process too.
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit


def _volunteer() -> None:
    """Be the first to go where memory is short: all that it takes is another try (`man proc_pid_oom_score_adj`)."""
    try:
        with open("/proc/self/oom_score_adj", "w") as out:  # noqa: PTH123 - not a file
            out.write("1000")
    except OSError:
        return


def main(largest_bytes: int, most_bytes: int, parent: int) -> None:
    """Read files until whoever started us is gone."""
    os.environ.clear()
    _volunteer()
    _limit(most_bytes, parent)
    took_s = _try_out()
    confinement: Confinement = confine()
    link = _Link(sys.stdin.buffer, sys.stdout.buffer)
    try:
        link.send("ready", took_s, confinement.landlock, confinement.system_calls)
        _serve(link, largest_bytes)
    except BrokenPipeError:
        os._exit(0)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
