"""Whatever is killed, and whenever the power fails: nothing is lost but what straps told last, nothing doubled, nobody needed.

A short form; `python -m tests.bench.kills` and `python -m tests.bench.power_cuts` do it thousands of times.
"""

import os
import shutil
import subprocess
import sys

import pytest

from tests.support.documents import ROOT


def run(*words: str) -> list[str]:
    """A harness as a program of its own, which forks and may not do so beside a test's threads."""
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0, "\n".join([*lines[-20:], done.stderr[-2000:]])
    return lines


def test_processes_may_be_killed_at_any_moment() -> None:
    """Protects a household from losing or doubling a file or a heartbeat, and from a good file being blamed."""
    (told,) = run("tests.bench.kills", "--kills", "24", "--households", "2")
    assert told.endswith("0 wrong")


def test_power_may_fail_at_any_moment() -> None:
    """Protects what was committed from a disk that forgets all that it was not told to remember."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not here, which writes down what the disk is told")
    *_, told = run("tests.bench.power_cuts", "--cuts", "8", "--seconds", "6", "--workers", "2")
    assert told.endswith("0 wrong")
