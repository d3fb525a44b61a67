"""What systemd is told: that the daemon is ready, alive, and what it is at; silent where there is no systemd."""

import os
import threading
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any


def ready() -> None:
    """Everything is open; whoever waits for this unit may go on."""
    _send("READY=1")


def stopping() -> None:
    """The end was asked for and is under way."""
    _send("STOPPING=1")


def alive() -> None:
    """The work goes on; to be said from the loop that does it, so that a stuck one falls silent."""
    _send("WATCHDOG=1")


def status(text: str) -> None:
    """One line for `systemctl status`."""
    _send("STATUS=" + " ".join(text.split()))


def every(environ: Mapping[str, str] = os.environ) -> timedelta | None:
    """How often `alive` should be said, half of what systemd bears; None when nobody listens for it."""
    microseconds = environ.get("WATCHDOG_USEC", "")
    if (
        not microseconds.isdecimal()
        or not int(microseconds)
        or environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid())
    ):
        return None
    return timedelta(microseconds=int(microseconds)) / 2


def _send(message: str) -> None:
    with _one_at_a_time:  # parts of the daemon may both be the first to speak
        systemd = _systemd()
    if systemd is not None:
        # sdnotify encodes as Latin-1, and drops in silence what does not fit; systemd wants UTF-8.
        systemd.notify(message.encode("utf-8", "replace").decode("latin-1"))


_one_at_a_time = threading.Lock()


@cache
def _systemd() -> Any:
    """The connection to systemd, None without one; no child of ours inherits its address."""
    if not os.environ.get("NOTIFY_SOCKET"):
        return None
    from sdnotify import SystemdNotifier

    notifier = SystemdNotifier()
    del os.environ["NOTIFY_SOCKET"]
    return notifier
