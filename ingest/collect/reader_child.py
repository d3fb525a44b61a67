"""One reading process: started, asked, watched while it works, and what its end says of the machine or of the file."""

import contextlib
import logging
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from ingest.collect.reader_messages import LENGTH, checked, packed, unpacked
from ingest.errors import TryLater
from ingest.language import N_, Text, system_words
from ingest.log import quoted
from ingest.system.confinement import Confinement

TRIAL_S = 0.001
"""Of processor time: what reading the trial file takes on the computer on which the limits were found."""

ASK_S = 1.0
"""How often whoever waits for a file is asked whether to go on."""

STEP_S = 900.0
"""No file is waited for longer in one go, whatever the reason; others have their turn then."""

_PASSED_ON = ("LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH")
"""Without these some Pythons do not start."""

_MOST_WORDS = 4096

_CRASHES = frozenset(
    {signal.SIGSEGV, signal.SIGABRT, signal.SIGILL, signal.SIGFPE, signal.SIGSYS, signal.SIGTRAP}
)
"""By these a process ends through what it does itself. SIGBUS is none: a card that cannot read the program gives it, too."""

_log = logging.getLogger(__name__)


class Broke(Exception):  # noqa: N818 - named by what happened
    """The file at hand broke the reading process, it seems; `reason` says how, in words for its owner."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Killed(TryLater):
    """Somebody else ended the reading process."""


class ReaderChild:
    """A process that has shut itself in and reads what it is lent; `slowness` is 1 on a fast computer, and more on others."""

    def __init__(
        self, largest_bytes: int, most_bytes: int, going_on: Callable[[], bool], silence_s: float, module: str
    ) -> None:
        """Start it, and wait until it is ready. Raises TryLater."""
        self._going_on = going_on
        self._silence_s = silence_s
        self._words = b""
        options = ["-X", f"pycache_prefix={sys.pycache_prefix}"] if sys.pycache_prefix else []
        # -P: a folder called "zones" where the daemon was started must not be taken for ours.
        words = [sys.executable, *options, "-B", "-P", "-m", module]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [*words, str(largest_bytes), str(most_bytes), str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                # One thread is enough, and each further one maps tens of megabytes.
                env={
                    **{n: os.environ[n] for n in _PASSED_ON if n in os.environ},
                    "OPENBLAS_NUM_THREADS": "1",
                },
                bufsize=0,
            )
        except (OSError, MemoryError) as e:
            why = system_words(e) if isinstance(e, OSError) else "no memory"
            words_ = N_("Files cannot be read just now, as the process for it cannot be started: {why}.")
            raise TryLater(Text(words_, why=why)) from e
        pipes = (self._process.stdin, self._process.stdout, self._process.stderr)
        self._to, self._back, self._errors = (pipe.fileno() for pipe in pipes if pipe)
        os.set_blocking(self._to, False)
        self._poll = select.poll()
        for pipe in (self._back, self._errors):
            self._poll.register(pipe, select.POLLIN)
        self._poll.register(self._to, 0)
        self.pid = self._process.pid
        try:
            self._be_ready()
        except BaseException:
            self.close()
            raise

    def _be_ready(self) -> None:
        """Wait until it has tried itself out, however slow the machine: nothing has been lent to it yet."""
        try:
            answer = self.ask(None, self.watch(None))
            took_s, landlock, system_calls = checked(answer, "ready", float, int, bool)
        except (Broke, Killed, ValueError) as e:
            _log.debug("The reading process did not get ready: %s %s", e, quoted(self._last_words()))
            words = N_(
                "Files cannot be read just now, as the process for it ended before it had begun: there is too little"
                " memory, or the card cannot be read."
            )
            raise TryLater(Text(words)) from e
        self.slowness = max(took_s / TRIAL_S, 1.0)
        self.confinement = Confinement(landlock, system_calls)

    def watch(self, allowed_s: float | None) -> "Watch":
        """An eye on it for what comes now: it may take so much processor time; None: however much, as long as it gets any."""
        return Watch(self.pid, allowed_s, self._silence_s)

    @property
    def is_running(self) -> bool:
        """Whether it can be asked something."""
        return self._process.poll() is None

    def close(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe:
                with contextlib.suppress(BrokenPipeError):  # what was still to be written to it
                    pipe.close()
        self._process.wait()

    def ask(self, message: Any, watch: "Watch", most_bytes: int = 0) -> Any:
        """Send a message (None: nothing) and wait for one, of so many bytes besides a megabyte.

        Raises Broke where the file can be blamed, TryLater where not.
        """
        try:
            return unpacked(self._exchange(message, watch, most_bytes + (1 << 20)))
        except ValueError as e:
            raise Broke(N_("Reading it gave an answer that is none ({why}).").format(why=e)) from None

    def _exchange(self, message: Any, watch: "Watch", most_bytes: int) -> bytes:
        """Both pipes are watched, so that neither side can block the other for ever."""
        sending = memoryview(b"" if message is None else packed(message))
        received = bytearray()
        wanted = LENGTH.size
        while len(received) < wanted:
            if sending:
                sending = sending[self._send(sending) :]
            ready = self._wait(sending=bool(sending))
            if not self._going_on():
                words = N_("Reading a file was broken off by the end; it is read at the next start.")
                raise TryLater(Text(words))
            watch.look(moved=bool(ready & {self._to, self._back}))
            if self._errors in ready:
                self._hear()
            if self._back in ready:
                some = os.read(self._back, min(1 << 20, wanted - len(received)))
                if not some:
                    raise self._why_it_ended()
                received += some
                if len(received) == wanted == LENGTH.size:
                    wanted += min(LENGTH.unpack(received)[0], most_bytes)
        return bytes(
            received[LENGTH.size :]
        )  # one that was longer than it may be ends early, and is no message

    def _wait(self, *, sending: bool) -> set[int]:
        """Wait a while for any pipe; gives those that are ready."""
        self._poll.modify(self._to, select.POLLOUT if sending else 0)
        found = dict(self._poll.poll(ASK_S * 1000))
        if found.get(self._to, 0) & select.POLLERR and self._back not in found:  # it listens no more
            raise self._why_it_ended()
        return set(found)

    def _send(self, some: memoryview) -> int:
        """How much of it the pipe takes now."""
        try:
            return os.write(self._to, some)
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            return len(some)  # it has ended, and the other pipe tells how

    def _hear(self) -> None:
        """Keep the last of what it says beside its answers."""
        some = os.read(self._errors, _MOST_WORDS)
        self._words = (self._words + some)[-_MOST_WORDS:]
        if not some:
            with contextlib.suppress(KeyError):  # that was known already
                self._poll.unregister(self._errors)

    def _why_it_ended(self) -> Exception:
        """What its end says."""
        with contextlib.suppress(
            subprocess.TimeoutExpired
        ):  # it closed its pipe and lives: nothing of ours does that
            self._process.wait(10)
        code = self._process.returncode
        if code is not None and (code > 0 or -code in _CRASHES):
            _log.debug("The reading process ended with %s: %s", code, quoted(self._last_words()))
            how = signal.Signals(-code).name if code < 0 else f"exit {code}"
            return Broke(N_("Reading it broke the reader ({how}).").format(how=how))
        words = N_(
            "The system ended the process that reads files, as it does when memory is short; it is read once there is more."
        )
        return Killed(Text(words))

    def _last_words(self) -> str:
        os.set_blocking(self._errors, False)
        with contextlib.suppress(OSError):
            self._hear()
        lines = self._words.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""


class Watch:
    """An eye on a process at work: whether it has used up its time, or is given none."""

    def __init__(self, pid: int, allowed_s: float | None, silence_s: float) -> None:
        self._pid, self._allowed_s, self._longest_silence_s = pid, allowed_s, silence_s
        self._began_s = self._used_s = _processor_s(pid)
        self._looked_s = time.monotonic()
        self._silent_s = self._waited_s = 0.0
        self._moved = False

    def look(self, *, moved: bool) -> None:
        """Raises Broke when it took more than it may, and TryLater when the machine gives it nothing.

        Should we be the ones who were stopped, the time until then is not held against it.
        """
        now_s = time.monotonic()
        self._moved |= moved
        if now_s - self._looked_s < ASK_S / 2:
            return
        passed_s, self._looked_s = min(now_s - self._looked_s, 2 * ASK_S), now_s
        used_s = _processor_s(self._pid)
        if self._allowed_s is not None and used_s - self._began_s > self._allowed_s:
            words = N_("Reading it took more than {seconds} s of processor time, which no recording needs.")
            raise Broke(words.format(seconds=f"{self._allowed_s:.0f}"))
        self._silent_s = 0.0 if self._moved or used_s > self._used_s else self._silent_s + passed_s
        self._waited_s += passed_s
        self._used_s, self._moved = used_s, False
        if self._silent_s > self._longest_silence_s or self._waited_s > STEP_S:
            words = N_(
                "The machine is too busy to read files; it is tried again once others have had their turn."
            )
            raise TryLater(Text(words))


def _processor_s(pid: int) -> float:
    """The processor time that a process has used (clock_getcpuclockid(3) makes the number of its clock so); 0 for one that is gone."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0
