"""A verb as somebody sees it: run in a real pseudo terminal of some width."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ingest.verbs.terminal import cells
from tests.support.preloaded import COMMAND

STYLE = re.compile("\x1b\\[[0-9;]*m")
"""A change of colour or weight."""

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Seen:
    """What a terminal was sent, and how the verb ended."""

    code: int
    sent: str

    @property
    def lines(self) -> list[str]:
        """Its lines without colour or weight."""
        return plain(self.sent)

    @property
    def text(self) -> str:
        """All its words, wherever lines were wrapped."""
        return " ".join(self.sent_plain.split())

    @property
    def sent_plain(self) -> str:
        return STYLE.sub("", self.sent)

    @property
    def widest(self) -> int:
        """The columns of its longest line."""
        return max(map(cells, self.lines))


def plain(sent: str) -> list[str]:
    """Lines without colour or weight."""
    return STYLE.sub("", sent).replace("\r\n", "\n").splitlines()


def on_terminal(
    *words: str | Path,
    columns: int = 80,
    rows: int = 50,
    env: Mapping[str, str] | None = None,
    until: Callable[[str], bool] | None = None,
) -> Seen:
    """Run a verb as a process with a terminal of its own.

    `until` is asked about what was sent, again and again; Ctrl-C is pressed once it says yes, or after two minutes.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    environ = {k: v for k, v in os.environ.items() if k not in {"NO_COLOR", "COLUMNS", "LINES"}}
    environ |= {"PYTHONPATH": str(_ROOT), "TZ": "Europe/Amsterdam", "TERM": "xterm-256color", **(env or {})}
    process = subprocess.Popen(
        [*COMMAND, *map(str, words)], stdin=theirs, stdout=theirs, stderr=theirs, env=environ
    )
    os.close(theirs)
    sent, begun = b"", time.monotonic()
    try:
        while True:
            if select.select([ours], [], [], 0.5)[0]:
                if not (part := _read(ours)):
                    break
                sent += part
            late = time.monotonic() - begun > 120
            if late or (until is not None and until(sent.decode(errors="replace"))):
                process.send_signal(signal.SIGINT)
                until, begun = None, time.monotonic()
        code = process.wait(180)
    finally:
        process.kill()
        os.close(ours)
    text = sent.decode(errors="replace")
    assert "Traceback" not in text, text
    return Seen(code, text)


def _read(terminal: int) -> bytes:
    """What was written; nothing once nobody writes any more."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""
