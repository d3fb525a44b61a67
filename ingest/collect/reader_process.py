"""Reading a file in a process of its own, so that no file can take the daemon down.

The child has bounded memory and steps back behind everything else on the machine; a file that takes too long or
too much costs the child its life and nobody else anything. What it sends back is believed no further than its
types: only our own plain records and numpy arrays are made from it.
"""

import contextlib
import io
import os
import pickle
import select
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from typing import IO, Any, Self

from ingest.errors import TryLater, Unusable
from ingest.formats.file_formats import read_recording
from ingest.formats.recording import Recording
from ingest.system.patience import always

PATIENCE_S = 20.0
PATIENCE_S_PER_MB = 5.0
"""A Pi Zero reads some 10 MB/s of heart rate; descriptive messages take longer."""

MEMORY_BYTES = 512 << 20
"""Address space of the child besides six times the file: Python and numpy map some 150 MB of it."""

IDLE_S = 30.0
"""After this long without a file the child is let go, and its 40 MB with it."""

ANSWER_TIMES = 40
"""A sample takes three bytes of a file at the least, and nine of an answer; a beat two, and twelve."""

ASK_S = 1.0
"""How often whoever waits for a file is asked whether to go on."""

_MOST_ANSWER_BYTES = 1 << 20

_LENGTH = struct.Struct("<Q")


class ReaderProcess:
    """A process that reads files, started when the first one comes and again whenever it has died."""

    def __init__(
        self,
        largest_bytes: int,
        *,
        patience_s: float = PATIENCE_S,
        going_on: Callable[[], bool] = always,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`going_on` is asked while a file is being read; when it says no, the file is left for another time."""
        self._largest_bytes = largest_bytes
        self._patience_s = patience_s
        self._going_on = going_on
        self._monotonic_s = monotonic_s
        self._child: subprocess.Popen[bytes] | None = None
        self._used_s = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, data: bytes) -> Recording:
        """The recording in a file.

        Raises Unusable for what holds nothing to read, or takes more memory or time than any recording needs; TryLater
        when it shall not go on.
        """
        allowed_s = self._patience_s + PATIENCE_S_PER_MB * len(data) / 1e6
        try:
            try:
                answer = self._ask(data, allowed_s)
            except (BrokenPipeError, EOFError):
                # Perhaps it was not the file: a service that is stopped, or a machine short of memory, ends children.
                self.close()
                answer = self._ask(data, allowed_s)
        except TimeoutError:
            self.close()
            raise Unusable(
                f"Reading it took more than {allowed_s:.0f} s, which no recording needs."
            ) from None
        except (BrokenPipeError, EOFError):
            self.close()
            raise Unusable(
                "Reading it took more memory than any recording needs, or broke the reader."
            ) from None
        try:
            result = _loads(answer)
        except (pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError, ImportError) as e:
            self.close()
            raise Unusable(f"Reading it gave an answer that is none ({e}).") from None
        if isinstance(result, str):
            raise Unusable(result)
        if not isinstance(result, Recording):
            raise TypeError(f"the reading process sent {type(result).__name__}")
        return result

    def _ask(self, data: bytes, allowed_s: float) -> bytes:
        child = self._running_child()
        self._used_s = self._monotonic_s()
        until_s = self._used_s + allowed_s
        try:
            return _exchange(child, data, lambda: until_s - self._monotonic_s(), self._going_on)
        except TryLater:
            self.close()  # it is in the middle of a file
            raise

    def rest(self) -> None:
        """Let the child go when it has had nothing to do for a while."""
        if self._child and self._monotonic_s() - self._used_s > IDLE_S:
            self.close()

    def close(self) -> None:
        child, self._child = self._child, None
        if child:
            child.kill()
            for pipe in (child.stdin, child.stdout):
                if pipe:
                    with contextlib.suppress(BrokenPipeError):  # what was still to be written to it
                        pipe.close()
            child.wait()

    def _running_child(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            self.close()
            self._child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                # -P: a folder called "zones" where the daemon was started must not be taken for ours.
                [sys.executable, "-B", "-P", "-m", __name__, str(self._largest_bytes), str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # One thread is enough, and each further one maps tens of megabytes.
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
                bufsize=0,
            )
        return self._child


def _exchange(
    child: subprocess.Popen[bytes], data: bytes, left_s: Callable[[], float], going_on: Callable[[], bool]
) -> bytes:
    """Send one message and wait for one; both pipes are watched, so neither side can block the other for ever."""
    assert child.stdin
    assert child.stdout
    to, back = child.stdin.fileno(), child.stdout.fileno()
    os.set_blocking(to, False)
    sending = memoryview(_LENGTH.pack(len(data)) + data)
    received = bytearray()
    wanted: int | None = None
    while wanted is None or len(received) < wanted:
        allowed_s = left_s()
        ready, able, _ = select.select([back], [to] if sending else [], [], min(max(allowed_s, 0), ASK_S))
        if not going_on():
            raise TryLater("Reading a file was broken off by the end; it is read at the next start.")
        if not ready and not able and allowed_s <= 0:
            raise TimeoutError
        if able:
            sending = sending[os.write(to, sending[: 1 << 16]) :]
        if ready:
            some = os.read(back, 1 << 20)
            if not some:
                raise EOFError
            received += some
            if wanted is None and len(received) >= _LENGTH.size:
                wanted = _LENGTH.unpack_from(received)[0] + _LENGTH.size
                if wanted > _MOST_ANSWER_BYTES + ANSWER_TIMES * len(data):
                    raise EOFError
    return bytes(received[_LENGTH.size :])


class _Records(pickle.Unpickler):
    """Makes our own records and numpy arrays, and nothing else whatever the message asks for."""

    def find_class(self, module: str, name: str) -> Any:
        ours = module in {"ingest.formats.recording", "zones.series", "zones.spans"}
        numpys = module.split(".", maxsplit=1)[0] == "numpy" and name in {
            "ndarray",
            "dtype",
            "datetime64",
            "_reconstruct",
            "scalar",
            "_frombuffer",
        }
        if (ours and name.isidentifier()) or numpys:  # a dotted name would lead on into what a module imports
            found = super().find_class(module, name)
            if numpys or (isinstance(found, type) and found.__module__ == module):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is none of ours")


def _loads(message: bytes) -> Any:
    return _Records(io.BytesIO(message)).load()


PR_SET_PDEATHSIG = 1
"""From linux/prctl.h; Python has no name for it."""


def _limit(largest_bytes: int, parent: int) -> None:
    import ctypes
    import resource
    import signal

    most = MEMORY_BYTES + 6 * largest_bytes
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # it has nothing to write to disk
    os.nice(5)
    # Should the parent die while a file is being read, the kernel ends this process too.
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit


def _receive(stream: IO[bytes], count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        some = stream.read(min(count - len(data), 1 << 20))
        if not some:
            raise EOFError
        data += some
    return bytes(data)


def _serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """The child: one file in, one answer out, until the parent is gone."""
    while True:
        try:
            data = _receive(requests, _LENGTH.unpack(_receive(requests, _LENGTH.size))[0])
        except EOFError:
            return
        answer: Recording | str
        try:
            answer = read_recording(data)
        except Unusable as e:
            answer = str(e)
        message = pickle.dumps(answer, protocol=5)
        answers.write(_LENGTH.pack(len(message)) + message)
        answers.flush()


if __name__ == "__main__":
    import signal

    # Ctrl-C and `systemctl stop` go to the whole group of processes; the parent decides when this one ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _limit(int(sys.argv[1]), int(sys.argv[2]))
    try:
        _serve(sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:
        os._exit(0)
