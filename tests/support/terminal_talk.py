"""Somebody who sits at a terminal and answers: a real pseudo terminal, and the program in it as a process of its own."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PROMPT = re.compile(
    rb"(?:^|\n)[^\n]*(?:(?:back or stop|terug of stop)[^\n]*:|\((?:yes or no|ja of nee)\)|type the name:|te wissen:) $"
)
"""The end of what is shown while an answer is waited for."""

END_OF_INPUT = b"\x04"

PATIENCE_S = 180.0

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Talked:
    """What was shown, and how the program ended."""

    code: int
    shown: str

    @property
    def words(self) -> str:
        """Without the ends of lines, so that a sentence is found wherever it was wrapped."""
        return " ".join(self.shown.split())


def talk(
    words: Iterable[str | Path],
    answers: Iterable[str | bytes | int],
    *,
    columns: int = 80,
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
) -> Talked:
    """Answer each question in turn: with a line, with octets as they are, or with a signal. After the last the input ends."""
    terminal, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", **(env or {})}
    environ.pop("COLUMNS", None)
    program = subprocess.Popen(
        [sys.executable, "-c", "from ingest.cli import main; main()", *map(str, words)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environ,
        cwd=cwd,
    )
    os.close(theirs)
    try:
        shown = _talk(terminal, program, list(answers))
        code = program.wait(PATIENCE_S)
    finally:
        program.kill()
        program.wait()
        os.close(terminal)
    assert "Traceback" not in shown, shown
    return Talked(code, shown)


def _talk(terminal: int, program: "subprocess.Popen[bytes]", left: list[str | bytes | int]) -> str:
    shown, asked_at = b"", -1
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.02)[0]:
            try:
                shown += os.read(terminal, 65536)
            except OSError:  # that is how the end of a terminal looks
                break
        elif len(shown) != asked_at and PROMPT.search(shown.replace(b"\r\n", b"\n")):
            asked_at = len(shown)
            answer = left.pop(0) if left else END_OF_INPUT
            if isinstance(answer, int):
                program.send_signal(answer)
            else:
                os.write(terminal, answer if isinstance(answer, bytes) else f"{answer}\n".encode())
    return shown.decode(errors="replace").replace("\r\n", "\n")
