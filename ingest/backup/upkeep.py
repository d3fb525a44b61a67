"""Copies that the daemon keeps: when one is due, and the process of its own that takes it.

A disk or a share may hang for as long as it likes: that process hangs then, and nothing else does.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from ingest.backup.state import BackupState, note, read_state, with_trouble
from ingest.backup.trouble import AWAY, FAILED, NoCopy
from ingest.journal import clock_ms
from ingest.language import N_, Text
from ingest.settings.model import Settings
from ingest.system.watchdog import WatchedPart

EVERY_S = 3300.0
"""Between two copies: with the time that one takes, the newest is never older than an hour."""

AGAIN_S = 600.0
"""After which what failed is tried again; a stick that is plugged in is seen at once."""

LOOK_S = 10.0
SILENT_S = 300.0
"""A copy of which nothing is heard for so long hangs. A stick may take a minute to remember what it was given."""

END_S = 5.0
"""For a process to end that was told to; one that waits for a disk cannot be ended at all."""

_STEP_S = 0.5
_LAST_WORDS = 400
_MOUNTS = Path("/proc/self/mountinfo")


class Upkeep:
    """A part of the daemon."""

    def __init__(self, settings: Settings, silent_s: float = SILENT_S) -> None:
        """A process that takes a copy hangs once nothing is heard of it for `silent_s`."""
        self._settings, self._silent_s = settings, silent_s
        self._hanging: subprocess.Popen[bytes] | None = None

    def run(self, part: WatchedPart) -> None:
        """Take a copy whenever one is due, until told to stop."""
        due_s, mounts = time.monotonic() + self._wait_s(), _mounted()
        while part.going_on():
            before, mounts = mounts, _mounted()
            away = self._state().trouble == AWAY if mounts != before else False
            if time.monotonic() >= due_s or away:
                trouble = self._try(part)
                if not part.going_on():
                    return
                if trouble:
                    part.trouble(trouble)
                else:
                    part.well(f"A copy was taken again to {self._settings.backup_folder}.")
                due_s = time.monotonic() + (AGAIN_S if trouble else EVERY_S)
            part.wait(LOOK_S)

    def _wait_s(self) -> float:
        """How long the newest copy is young enough: nothing where it is of a day to come, when the clock was wrong."""
        state = self._state()
        if state.newest_ms is None or state.trouble is not None:
            return 0.0
        age_s = (clock_ms() - state.newest_ms) / 1000
        return max(EVERY_S - age_s, 0.0) if age_s >= 0 else 0.0

    def _state(self) -> BackupState:
        return read_state(self._settings) or BackupState(str(self._settings.backup_folder))

    def _try(self, part: WatchedPart) -> str | None:
        """Have a copy taken; gives what went wrong, None for nothing."""
        if self._hanging is not None:
            if self._hanging.poll() is None:
                return self._note_hanging()
            self._hanging = None
        with TemporaryFile() as said:
            try:
                child = self._start(said)
            except OSError as e:
                return f"No copy could be taken: {e.strerror}."
            assert child.stdout is not None
            with child.stdout:
                hangs = not self._wait(child, child.stdout.fileno(), part)
            if child.returncode == 0 or not part.going_on():
                return None
            if hangs:
                return self._note_hanging()
            said.seek(0)
            words = " ".join(said.read().decode("utf-8", "replace").split())[-_LAST_WORDS:]
        if self._state().trouble is None:
            text = Text(N_("No copy was made: {why}"), why=words or str(child.returncode))
            note(self._settings, with_trouble(self._state(), NoCopy(FAILED, text)))
        return self._state().sentence

    def _start(self, said: IO[bytes]) -> "subprocess.Popen[bytes]":
        settings = self._settings
        config = ["--config", str(settings.file)] if settings.file else []
        words = [*config, "--data", str(settings.data), "backup", "--alive"]
        return subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-P", "-m", "ingest", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
            start_new_session=True,  # so that who reads the journal for it is ended with it
        )

    def _wait(self, child: "subprocess.Popen[bytes]", heard: int, part: WatchedPart) -> bool:
        """Wait for its end; False when it was told to end, as nothing was heard of it, or we were told to."""
        last_s = time.monotonic()
        while part.going_on() and time.monotonic() - last_s < self._silent_s:
            if select.select([heard], [], [], _STEP_S)[0]:
                last_s = time.monotonic()
                if not os.read(heard, 4096):
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        child.wait(END_S)
                        return True
                    break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        try:
            child.wait(END_S)
        except subprocess.TimeoutExpired:
            self._hanging = child
        return False

    def _note_hanging(self) -> str:
        words = N_("The disk or share with the copies does not answer: {folder}. It is tried again.")
        trouble = NoCopy(AWAY, Text(words, folder=self._settings.backup_folder))
        note(self._settings, with_trouble(self._state(), trouble))
        return str(trouble)


def _mounted() -> bytes:
    """What is mounted where, without touching any of it."""
    try:
        return _MOUNTS.read_bytes()
    except OSError:
        return b""
