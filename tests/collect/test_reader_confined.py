"""The reading process is shut in: a file that has taken it over can reach nothing of the household, of the machine or of the network."""

import io
import os
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from ingest.collect.reader_process import ReaderProcess
from ingest.demo.fit_encoder import Fit, workout
from ingest.system.confinement import possible_confinement
from tests.support.documents import ROOT
from tests.support.hostile_reading import hostile
from tests.support.households import household
from tests.support.other_user import open_to_others

LARGEST = 1 << 20

TRY = """
import os, socket
tried = []
def attempt(what, work):
    try:
        work()
    except OSError as e:
        tried.append(f"{what}: {e.strerror}")
    else:
        tried.append(f"{what}: DONE")
"""


def told_by(code: str, module: str = "hostile_reading") -> str:
    """What a file reports that does this while it is read."""
    with ReaderProcess(LARGEST, module=f"tests.support.{module}") as reader:
        (member,) = reader.members(io.BytesIO(hostile(code)), lambda *_: "read")
        return member.fault


@pytest.fixture(params=["hostile_reading", "hostile_reading_of_nobody"], ids=["as we are", "as nobody"])
def user(request: pytest.FixtureRequest) -> str:
    """Who reads: whoever runs the tests, and a user without any power."""
    return str(request.param)


def attempts(user: str, work: dict[str, str]) -> str:
    """What became of each thing that a file tried."""
    lines = [f"attempt({what!r}, lambda: {code})" for what, code in work.items()]
    return told_by(TRY + "\n".join(lines) + "\ntold = ', '.join(tried)", user)


@pytest.fixture
def shut_in() -> None:
    if not possible_confinement().system_calls and possible_confinement().landlock < 4:
        pytest.skip("this kernel has neither seccomp nor Landlock for the network to shut a process in with")


@pytest.mark.usefixtures("shut_in")
def test_it_can_neither_open_the_journal_nor_connect(tmp_path: Path, user: str) -> None:
    """A file that has taken over the reading process sees nothing of the household, and tells nobody."""
    with household(tmp_path) as journal:
        place = journal.path
    place.chmod(0o666)
    open_to_others(place.parent)
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        host, port = server.getsockname()
        tries = {
            "read the journal": f"open({str(place)!r}, 'rb')",
            "write the journal": f"open({str(place)!r}, 'ab')",
            "look at the folder": f"os.listdir({str(place.parent)!r})",
            "delete the journal": f"os.unlink({str(place)!r})",
            "connect": f"socket.create_connection(({host!r}, {port}), 1)",
            "reach D-Bus": "socket.socket(socket.AF_UNIX).connect('/run/dbus/system_bus_socket')",
        }
        told = attempts(user, tries)
    assert [part.split(": ")[0] for part in told.split(", ")] == list(tries)
    assert "DONE" not in told
    assert place.exists()


def test_it_can_start_and_harm_no_process(user: str) -> None:
    """Nor does it start another program, end the daemon, or free itself."""
    if not possible_confinement().system_calls:
        pytest.skip("this kernel has no seccomp to filter system calls with")
    tries = {
        "start a program": "os.execv('/bin/true', ['true'])",
        "become two": "os.fork()",
        "end the daemon": "os.kill(os.getppid(), 0)",
        "make a pipe": "os.pipe()",
        "be another": "os.setuid(0)",
        "be more important": "os.nice(0)",
    }
    told = attempts(user, tries)
    assert told.count("Operation not permitted") == len(tries)


def test_it_has_no_environment_and_nothing_open_but_its_pipes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A password in the environment, or a file that the daemon has open, is not handed on."""
    monkeypatch.setenv("INFLUX_TOKEN", "secret")
    with (
        Path("/dev/null").open() as left_open,
        ReaderProcess(LARGEST) as reader,
    ):
        os.set_inheritable(left_open.fileno(), True)
        assert list(reader.members(io.BytesIO(workout(1_100_000_000, [100])), lambda *_: "read"))
        assert reader._child
        process = Path(f"/proc/{reader._child.pid}")
        names = {line.partition(b"=")[0] for line in (process / "environ").read_bytes().split(b"\0") if line}
        assert names <= {b"OPENBLAS_NUM_THREADS", b"LD_LIBRARY_PATH", b"PYTHONHOME", b"PYTHONPATH"}
        held = {p.name: str(p.readlink())[:5] for p in (process / "fd").iterdir()}
        assert held == {"0": "pipe:", "1": "pipe:", "2": "pipe:"}
    assert told_by("import os; told = sorted(os.environ)") == "[]"


def test_it_says_how_far_the_kernel_went_along() -> None:
    """What the doctor tells of the kernel is what a reader really gets."""
    with ReaderProcess(LARGEST) as reader:
        assert list(reader.members(io.BytesIO(workout(1_100_000_000, [100])), lambda *_: "read"))
        assert reader.confinement == possible_confinement()


def test_all_that_reading_needs_is_loaded_before(fit_files: Path) -> None:
    """What would have to be loaded later cannot be, and a good file would be told to wait for ever."""
    loaded = told_by("import sys; told = ' '.join(sys.modules)").split()
    code = (
        "import sys\nfrom pathlib import Path\nfrom ingest.collect.reading import read_members, _try_out\n"
        "from ingest.errors import Unusable\n_try_out()\nbefore = set(sys.modules)\n"
        f"for path in sorted(Path({str(fit_files)!r}).iterdir()):\n"
        "    try:\n        with path.open('rb') as f: list(read_members(f, 64 << 20, lambda *_: 'read', None))\n"
        "    except Unusable: pass\n"
        "print(*sorted(set(sys.modules) - before))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert set(done.stdout.split()) <= set(loaded)


def test_a_file_of_many_pauses_without_a_session_is_read() -> None:
    """Protects good files: what weighs their pauses loads nothing that a process which is shut in cannot load."""
    file = Fit().file_id(created=1_100_000_000)
    for i in range(20):
        file.records(1_100_000_000 + 120 * i, [120 + second % 20 for second in range(90)])
        file.timer(1_100_000_090 + 120 * i, start=False)
        file.timer(1_100_000_120 + 120 * i, start=True)
    with ReaderProcess(LARGEST) as reader:
        (member,) = reader.members(io.BytesIO(file.done()), lambda *_: "read")
    assert (member.fault, member.recording is not None) == ("", True)
