"""Code run as another user, so that permissions count even where the tests are run by root."""

import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

NOBODY = 65534
"""The user that owns nothing, by custom of Linux."""


def run_as(user: int, work: Callable[[], str]) -> str:
    """What the work gives in a process of that user; the current one where we are not root and cannot change.

    An error in it is raised here as an AssertionError with its text.
    """
    if os.geteuid() != 0:
        return work()
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
            answer = "+" + work()
        except BaseException:  # noqa: BLE001 - the parent raises it
            answer = "-" + traceback.format_exc()
        os.write(into, answer.encode()[:60_000])
        sys.stdout.flush()
        os._exit(0)
    os.close(into)
    with os.fdopen(out, "rb") as stream:
        answer = stream.read().decode()
    os.waitpid(child, 0)
    assert answer.startswith("+"), answer[1:]
    return answer[1:]


def open_to_others(folder: Path) -> None:
    """Let other users come as far as the folder; pytest's own are closed to them, which matters to root only."""
    if os.geteuid() == 0:
        for above in (folder, *folder.parents):
            mode = above.stat().st_mode
            if mode & 0o005 != 0o005:
                above.chmod(mode | 0o055)
