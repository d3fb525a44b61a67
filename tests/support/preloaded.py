"""The command `hartslag` in processes of their own that do not import everything anew: each costs what its work costs.

One process has imported the program and does nothing else; each call is a copy of it (`fork`) with the caller's
environment, folder and umask. What Python or the program reads of the environment before `main` is called cannot be given
to a copy: where that differs, a new process is started.
"""

import atexit
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import BinaryIO

PATIENCE_S = 180.0
"""How long a test waits for what should take a second; a slow machine is no failure, nor is a pause of half a minute."""

ROOT = Path(__file__).parents[2]

READ_AT_START = ("PYTHON", "LC_", "LANG", "HARTSLAG_CRASH_AT", "OPENBLAS", "LD_")
"""How the names begin of what is read before `main` is called."""

_SERVE = "from ingest.cli import main; from tests.support.preloaded import serve; serve(); main()"

COMMAND = [sys.executable, "-c", "from ingest.cli import main; main()"]
"""What starts the program anew."""


def run(words: list[str], environ: Mapping[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a verb to its end as a process of its own, with nothing to read from."""
    environ = {**environ, "PYTHONPATH": str(ROOT)}
    program = _program()
    if _read_at_start(environ) != program.read_at_start:
        return subprocess.run(
            [*COMMAND, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            env=environ,
            cwd=folder,
            check=False,
        )
    return program.run(words, environ, folder)


def _read_at_start(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name.startswith(READ_AT_START)}


@cache
def _program() -> "_Program":
    return _Program()


class _Program:
    """The process that copies are made of; it ends with the one that started it."""

    def __init__(self) -> None:
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.read_at_start = _read_at_start(environ)
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        atexit.register(self._socket.close)
        with theirs:
            subprocess.run(
                [sys.executable, "-c", _SERVE, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=environ,
                cwd=ROOT,
                check=True,
            )

    def run(
        self, words: list[str], environ: Mapping[str, str], folder: Path
    ) -> subprocess.CompletedProcess[str]:
        """Have a copy do it; its words lie in files without a name until it ends."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        os.umask(umask := os.umask(0))
        with ours, theirs, _nameless() as task, _nameless() as out, _nameless() as err:
            # Set where the program is started, and passed on to what it starts.
            environ = {"OPENBLAS_NUM_THREADS": "1", **environ}
            task.write(json.dumps([words, environ, str(folder), umask]).encode())
            task.flush()
            socket.send_fds(self._socket, [b"."], [f.fileno() for f in (theirs, task, out, err)])
            theirs.close()
            pid = int(ours.recv(100))
            ours.settimeout(PATIENCE_S)
            try:
                code = int(ours.recv(100))
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(words, PATIENCE_S) from None
            said = [os.pread(f.fileno(), os.fstat(f.fileno()).st_size, 0).decode() for f in (out, err)]
        return subprocess.CompletedProcess(words, code, *said)


def _nameless() -> BinaryIO:
    return os.fdopen(os.memfd_create("told"), "w+b")


def serve() -> None:
    """Make copies until nobody can ask any more; only a copy comes back from here, to do what was asked."""
    if os.fork():  # nobody's child, so that a test may end whatever a process of its own has started
        os._exit(0)
    from ingest.cli import VERBS, load_verb

    for verb in VERBS:
        load_verb(verb)

    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever asks
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # who watches over a copy is nobody's to wait for
    with socket.socket(fileno=int(sys.argv[1])) as asked:
        while fds := socket.recv_fds(asked, 1, 4)[1]:
            if os.fork() == 0:
                asked.close()
                return _watch(*fds)
            for fd in fds:
                os.close(fd)
    sys.exit()


def _watch(answer: int, task: int, out: int, err: int) -> None:
    """Make the copy that does it, and tell how it ended; only the copy comes back from here."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid:
        os.write(answer, str(pid).encode())
        os.write(answer, str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())
        os._exit(0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    words, environ, folder, umask = json.loads(os.pread(task, os.fstat(task).st_size, 0))
    os.dup2(out, 1)
    os.dup2(err, 2)
    for fd in (answer, task, out, err):
        os.close(fd)
    os.environ.clear()
    os.environ.update(environ)
    time.tzset()
    os.umask(umask)
    os.chdir(folder)
    sys.argv = ["-c", *words]
