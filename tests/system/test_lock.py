"""One daemon per data folder."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.errors import Stop
from ingest.system.lock import holder, only_daemon
from tests.support.other_user import NOBODY, open_to_others, run_as

HOLD = """
import sys
from pathlib import Path
from ingest.system.lock import only_daemon
with only_daemon(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a journal's place in it."""
    (tmp_path / "journal").mkdir()
    return tmp_path


def test_nobody_holds_a_new_folder(tmp_path: Path, data: Path) -> None:
    """Protects `status` from naming a daemon that was never there."""
    assert holder(tmp_path / "elsewhere") is None
    assert holder(data) is None


def test_the_second_is_refused_and_told_of_the_first(data: Path) -> None:
    """Protects the inbox from two daemons that move each other's files away."""
    with only_daemon(data):
        assert holder(data) == os.getpid()
        with pytest.raises(Stop, match=f"process {os.getpid()}.*--data"), only_daemon(data):
            pass
        assert holder(data) == os.getpid(), "being refused takes nothing away"
    assert holder(data) is None


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_however_a_daemon_ends_the_next_one_may_start(data: Path, end: signal.Signals) -> None:
    """Protects the restart after a crash: no file left behind keeps the next daemon out."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(data)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        assert holder(data) == other.pid
        other.send_signal(end)
        other.wait(180)
    with only_daemon(data):
        assert holder(data) == os.getpid()


def test_the_lock_is_private(data: Path) -> None:
    """Protects the daemon from strangers who could hold its lock."""
    with only_daemon(data):
        assert (data / "journal" / "daemon").stat().st_mode & 0o077 == 0


def test_another_user_sees_the_daemon_too(data: Path) -> None:
    """Protects `status` of whoever may read the journal from saying that a daemon which runs does not."""
    open_to_others(data / "journal")
    with only_daemon(data):
        assert run_as(NOBODY, lambda: str(holder(data))) == str(os.getpid())
    assert run_as(NOBODY, lambda: str(holder(data))) == "None"
