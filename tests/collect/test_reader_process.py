"""The reading process: what it reads is what the file says, and no file or accident takes anybody along."""

import os
import pickle
import resource
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest.collect import reader_process
from ingest.collect.reader_process import ReaderProcess
from ingest.demo.fit_encoder import day, workout
from ingest.errors import TryLater, Unusable
from ingest.formats.file_formats import read_recording
from ingest.formats.recording import Columns, Fact, Part, Recording
from zones.series import Series

FIT = workout(1_100_000_000, [100, 120, 140])
LARGEST = 8 << 20


@pytest.fixture
def reader() -> Iterator[ReaderProcess]:
    with ReaderProcess(LARGEST) as r:
        yield r


def child(reader: ReaderProcess) -> int:
    assert reader._child
    return reader._child.pid


def state(pid: int) -> str:
    """The kernel's letter for a process ('Z' is one that nobody waited for), '' when there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


def same(a: Any, b: Any) -> bool:
    """Whether two answers hold the same values; arrays by value, records field by field."""
    if isinstance(a, np.ndarray):
        return bool(a.dtype == b.dtype and np.array_equal(a, b))
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(map(same, a, b))
    if hasattr(a, "__dataclass_fields__"):
        return type(a) is type(b) and all(same(getattr(a, f), getattr(b, f)) for f in a.__dataclass_fields__)
    return bool(a == b)


@pytest.mark.parametrize("data", [FIT, day(1_100_000_000, [60, 110, 80, 255, 70]), FIT[:-60]])
def test_it_says_what_the_reader_itself_says(reader: ReaderProcess, data: bytes) -> None:
    """The detour through another process changes no value, no type and no fault."""
    assert same(reader.read(data), read_recording(data))


def test_real_files_come_through(reader: ReaderProcess, fit_files: Path) -> None:
    """What real watches write survives the way as well: all of it, or the reason why not."""
    for path in sorted(fit_files.glob("*.[fF][iI][tT]"))[:12]:
        data = path.read_bytes()
        try:
            expected: Recording | str = read_recording(data)
        except Unusable as e:
            expected = str(e)
        try:
            got: Recording | str = reader.read(data)
        except Unusable as e:
            got = str(e)
        assert same(got, expected), path.name


def test_a_bad_file_costs_the_child_nothing(reader: ReaderProcess) -> None:
    """Two thousand files that are no recordings are refused by one process, not by two thousand."""
    reader.read(FIT)
    first = child(reader)
    for bad in (b"", b"no FIT at all", bytes(5000)):
        with pytest.raises(Unusable):
            reader.read(bad)
    assert child(reader) == first


def test_an_accident_condemns_no_file(reader: ReaderProcess) -> None:
    """A child that the system ended, while idle or at work, is replaced, and the file is read after all."""
    reader.read(FIT)
    first = child(reader)
    os.kill(first, signal.SIGKILL)
    assert reader.read(FIT).samples == 3
    second = child(reader)
    os.kill(second, signal.SIGSTOP)  # so that it cannot answer before it is ended
    killer = threading.Timer(0.3, os.kill, (second, signal.SIGKILL))
    killer.start()
    assert reader.read(FIT).samples == 3
    killer.join()
    assert len({first, second, child(reader)}) == 3


def test_stopping_the_service_condemns_no_file(reader: ReaderProcess) -> None:
    """`systemctl stop` and Ctrl-C tell all processes of the daemon; a file being read then must not be rejected."""
    reader.read(FIT)
    first = child(reader)
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(first, number)
    assert reader.read(FIT).samples == 3
    assert child(reader) == first


def test_a_file_that_ends_every_reader_is_unusable(reader: ReaderProcess) -> None:
    """A child that dies twice over one file dies of the file; the next file is read as ever."""
    over = threading.Event()

    def kill_them_all() -> None:
        while not over.is_set():
            # A child of which only half is there yet is one too.
            for line in Path("/proc/thread-self/children").read_text().split():
                os.kill(int(line), signal.SIGKILL)
            for task in Path("/proc/self/task").iterdir():
                for line in (task / "children").read_text().split():
                    os.kill(int(line), signal.SIGKILL)
            time.sleep(0.01)

    killer = threading.Thread(target=kill_them_all)
    killer.start()
    try:
        with pytest.raises(Unusable, match="broke the reader"):
            reader.read(FIT)
    finally:
        over.set()
        killer.join()
    assert reader.read(FIT).samples == 3


def test_memory_is_bounded(reader: ReaderProcess) -> None:
    """A file that needs more memory than the child may have costs the child, not the machine."""
    reader.read(FIT)
    limit, hard = resource.prlimit(child(reader), resource.RLIMIT_AS)
    assert limit == hard == reader_process.MEMORY_BYTES + 6 * LARGEST
    with pytest.raises(Unusable, match="more memory"):
        reader.read(bytes(limit // 2))  # more than the parent would ever send: with one copy, all it may have
    assert reader.read(FIT).samples == 3


def test_patience_ends() -> None:
    """A file over which the reader hangs is set aside after a while, and the hanging child is gone."""
    now_s = 0.0

    def pass_time() -> bool:
        nonlocal now_s
        if hanging:
            now_s += 19
        return True

    hanging = 0
    with ReaderProcess(LARGEST, patience_s=20, going_on=pass_time, monotonic_s=lambda: now_s) as r:
        r.read(FIT)
        hanging = child(r)
        os.kill(hanging, signal.SIGSTOP)
        with pytest.raises(Unusable, match="took more than 21 s"):
            r.read(FIT + bytes(200_000))  # more than a pipe takes while nobody reads
        assert state(hanging) == ""


def test_a_file_is_left_when_the_end_comes() -> None:
    """Protects the end from a file that takes long: it stays where it is, and nobody is left behind with it."""
    ending = False
    with ReaderProcess(LARGEST, going_on=lambda: not ending) as r:
        r.read(FIT)
        reading = child(r)
        os.kill(reading, signal.SIGSTOP)
        ending = True
        with pytest.raises(TryLater, match="read at the next start"):
            r.read(FIT)
        assert state(reading) == ""


def test_large_files_do_not_stop_both_sides(reader: ReaderProcess) -> None:
    """A file and an answer larger than any pipe holds pass in both directions at once."""
    data = workout(1_100_000_000, [100 + i % 50 for i in range(60_000)])
    assert len(data) > 6 * (1 << 16)
    assert reader.read(data).samples == 60_000


# --- what it leaves behind ---


def test_nothing_is_left_when_it_is_closed() -> None:
    """No zombie and no open pipe stays, however the child ended: a daemon starts thousands of them in a year."""
    before = sorted(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names of a moment, not paths
    pids = []
    for ending in (None, signal.SIGKILL, signal.SIGSTOP):
        r = ReaderProcess(LARGEST)
        r.read(FIT)
        pids.append(child(r))
        if ending:
            os.kill(child(r), ending)
        r.close()
        r.close()
    assert [state(p) for p in pids] == ["", "", ""]
    assert sorted(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_it_ends_with_its_parent() -> None:
    """A daemon that is killed leaves no reader behind that nobody knows of."""
    code = (
        "import sys, time; from ingest.collect.reader_process import ReaderProcess\n"
        "r = ReaderProcess(1 << 20); r.read(sys.stdin.buffer.read()); print(r._child.pid, flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdin
        assert parent.stdout
        parent.stdin.write(FIT)
        parent.stdin.close()
        orphan = int(parent.stdout.readline())
        assert state(orphan)
        parent.kill()
    assert within(10, lambda: state(orphan) in {"", "Z"})  # Z: whoever inherits it may be slow to look


def test_a_folder_of_the_same_name_is_not_taken_for_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon may be started anywhere, also where a folder or file is called "zones" or "pickle"."""
    (tmp_path / "zones").mkdir()
    (tmp_path / "pickle.py").write_text("raise SystemExit('taken for ours')")
    monkeypatch.chdir(tmp_path)
    with ReaderProcess(LARGEST) as r:
        assert r.read(FIT).samples == 3


# --- what it believes ---


def call(module: str, name: str, argument: str) -> bytes:
    """A pickle that asks for module.name(argument)."""

    def text(value: str) -> bytes:
        return pickle.SHORT_BINUNICODE + struct.pack("<B", len(value)) + value.encode()

    return (
        b"\x80\x04"
        + text(module)
        + text(name)
        + pickle.STACK_GLOBAL
        + text(argument)
        + pickle.TUPLE1
        + pickle.REDUCE
        + pickle.STOP
    )


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("posix", "system"),
        ("builtins", "eval"),
        ("subprocess", "getoutput"),
        ("numpy", "load"),
        ("numpy.testing", "rundocs"),
        ("ingest.collect.reader_process", "os.system"),
        ("ingest.formats.recording", "np.testing._private.utils.os.system"),
        ("ingest.formats.recording", "np.fromfile"),
        ("ingest.formats.recording", "dataclass"),
        ("zones.spans", "np.save"),
        ("zones.series", "milliseconds"),
        ("ingest.journal.reader", "Path"),
    ],
)
def test_an_answer_can_make_nothing_but_our_records(module: str, name: str, tmp_path: Path) -> None:
    """A file that took over the reading process can still run nothing in the daemon."""
    trace = tmp_path / "ran"
    with pytest.raises(pickle.UnpicklingError, match="none of ours"):
        reader_process._loads(call(module, name, f"touch {trace}"))
    assert not trace.exists()


def test_our_own_records_pass() -> None:
    """The gate lets through everything that a reader may answer."""
    times = np.array([1, 2], "datetime64[ms]")
    columns = Columns(Series(times, np.array([60, 61], np.uint8)), 3, times, np.array([1, 1], np.float32))
    parts = [Part("watch", "activity", 2, [columns])]
    file = Recording("one", b"digest", True, parts, [Fact("check", 1, 2, {"edges": (1, 2)})], 2, 2, (1, 2))
    assert same(reader_process._loads(pickle.dumps(file, protocol=5)), file)
