"""The reading process: what it reads is what the file says, and no file or accident takes anybody along."""

import gzip
import io
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from ingest.collect import reader_process
from ingest.collect.reader_messages import READ, ReadMember
from ingest.collect.reader_process import ReaderProcess
from ingest.demo.fit_encoder import day, workout
from ingest.errors import TryLater, Unusable
from ingest.formats.file_formats import read_recording
from ingest.formats.recording import Recording
from tests.support.archives import zipped
from tests.support.hostile_reading import hostile
from tests.support.recordings import same
from tests.support.small_disk import small_disk

FIT = workout(1_100_000_000, [100, 120, 140])
OTHER = workout(1_100_100_000, [90, 95])
LARGEST = 8 << 20
HOSTILE = "tests.support.hostile_reading"


@pytest.fixture
def reader() -> Iterator[ReaderProcess]:
    with ReaderProcess(LARGEST) as r:
        yield r


def members(reader: ReaderProcess, data: bytes) -> list[ReadMember]:
    return list(reader.members(io.BytesIO(data), lambda *_: READ))


def read(reader: ReaderProcess, data: bytes) -> Recording:
    """The recording in a file. Raises Unusable with the reason for which there is none."""
    (member,) = members(reader, data)
    if member.recording is None:
        raise Unusable(member.fault)
    return member.recording


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


@contextmanager
def all_children_get(number: signal.Signals) -> Iterator[None]:
    """Send every child of this process a signal as soon as it is there, until the block ends."""
    over, got = threading.Event(), set[int]()

    def send() -> None:
        while not over.wait(0.01):
            for task in Path("/proc/self/task").iterdir():
                for pid in set(map(int, (task / "children").read_text().split())) - got:
                    got.add(pid)
                    os.kill(pid, number)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        over.set()
        sender.join()


# --- what it reads ---


@pytest.mark.parametrize("data", [FIT, day(1_100_000_000, [60, 110, 80, 255, 70]), FIT[:-60]])
def test_it_says_what_the_reader_itself_says(reader: ReaderProcess, data: bytes) -> None:
    """The detour through another process changes no value, no type and no fault."""
    assert same(read(reader, data), read_recording(data))


def test_real_files_come_through(reader: ReaderProcess, fit_files: Path) -> None:
    """What real watches write survives the way as well, though nothing can be loaded there: all of it, or why not."""
    for path in sorted(fit_files.glob("*.[fF][iI][tT]")):
        data = path.read_bytes()
        try:
            expected: Recording | str = read_recording(data)
        except Unusable as e:
            expected = str(e)
        try:
            got: Recording | str = read(reader, data)
        except Unusable as e:
            got = str(e)
        assert same(got, expected) or (isinstance(got, str) and isinstance(expected, str)), path.name


def test_a_zip_is_unpacked_there(reader: ReaderProcess) -> None:
    """The members of an archive come in order, each with its bytes' sha256; a bad one brings its bytes along."""
    bad = b"\x0e\x10\x00\x00\x05\x00\x00\x00.FIT" + bytes(20)
    found = members(reader, zipped(("a.fit", FIT), ("é.fit", bad), ("c.fit.gz", gzip.compress(OTHER))))
    assert [(m.name, m.recording and m.recording.samples, m.data) for m in found] == [
        ("a.fit", 3, b""),
        ("é.fit", None, bad),
        ("c.fit.gz", 2, b""),
    ]


def test_whether_a_file_is_whole_is_found_out_there(reader: ReaderProcess) -> None:
    """Looking at a file that is still being copied is left to the process, too."""
    for data, whole in ((FIT, True), (FIT[:-3], False), (gzip.compress(FIT)[:-4], False), (b"", False)):
        assert reader.looks_whole(io.BytesIO(data), "run.fit.gz") == whole


def test_a_bad_file_costs_the_child_nothing(reader: ReaderProcess) -> None:
    """Two thousand files that are no recordings are refused by one process, not by two thousand."""
    read(reader, FIT)
    first = child(reader)
    for bad in (b"", b"no FIT at all", bytes(5000)):
        with pytest.raises(Unusable):
            read(reader, bad)
    assert child(reader) == first


def test_large_files_do_not_stop_both_sides(reader: ReaderProcess) -> None:
    """A file and an answer larger than any pipe holds pass in both directions at once."""
    data = workout(1_100_000_000, [100 + i % 50 for i in range(60_000)])
    assert len(data) > 6 * (1 << 16)
    assert read(reader, data).samples == 60_000


class Counted(io.BytesIO):
    """A file that knows how much of it was read."""

    total = 0

    def read(self, size: int | None = -1, /) -> bytes:
        some = super().read(size)
        self.total += len(some)
        return some


def test_a_gzip_of_nothing_costs_next_to_nothing(reader: ReaderProcess) -> None:
    """Empty gzips behind one another are given up after a megabyte, by the process that is made for it."""
    nothing = Counted(gzip.compress(b"", 9) * 500_000)
    assert reader.looks_whole(nothing, "nothing.fit.gz")
    with pytest.raises(Unusable, match="next to nothing"):
        list(reader.members(nothing, lambda *_: READ))
    assert nothing.total < len(nothing.getvalue()) / 2


def export() -> bytes:
    """An account's export: a packed zip within the zip, larger than any memory that is taken for one."""
    beside = [(f"{i}.tcx", os.urandom(1 << 20)) for i in range(6)]
    return zipped(
        ("uploads.zip", zipped(("a.fit", FIT), *beside, ("b.fit", OTHER), packing=zipfile.ZIP_STORED))
    )


def test_a_large_zip_within_a_zip_is_read_beside_memory(tmp_path: Path) -> None:
    """It is unpacked once, to a file without a name that is gone with it; what was read before is passed over by its name."""
    before = sorted(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names of a moment, not paths
    with ReaderProcess(LARGEST, folder=tmp_path) as r:
        found = r.members(io.BytesIO(export()), lambda *_: READ)
        assert next(found).name == "uploads.zip/a.fit"
        assert len(open_below(tmp_path)) == 1
        assert [m.recording and m.recording.samples for m in found] == [2]
        assert list(tmp_path.iterdir()) == []
        left = r.members(io.BytesIO(export()), lambda *_: READ, {"uploads.zip/a.fit"})
        assert [m.name for m in left] == ["uploads.zip/b.fit"]
    assert sorted(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def open_below(folder: Path) -> list[str]:
    """What this process has open below a folder."""
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.append(str(entry.readlink()))
    return [place for place in found if place.startswith(str(folder))]


@pytest.mark.root
def test_a_large_zip_leaves_room_for_the_journal(tmp_path: Path) -> None:
    """What is unpacked for a while never takes the room that a strap's notifications need; the file waits, and says for what."""
    with small_disk(tmp_path / "small", "64m") as small, ReaderProcess(LARGEST, folder=small) as r:
        with pytest.raises(TryLater, match="no room to unpack"):
            members(r, export())
        assert read(r, FIT).samples == 3


KEEPING = """
import sys
from ingest.collect.reader_messages import LENGTH, packed
while True:
    sys.stdout.buffer.write(packed(("keep", 1, bytes(1 << 20))))
    sys.stdout.buffer.flush()
    (count,) = LENGTH.unpack(sys.stdin.buffer.read(8))
    sys.stdin.buffer.read(count)
"""


def test_no_file_fills_the_disk(tmp_path: Path) -> None:
    """A file that has taken the reader over has no more kept for it than an export unfolds to."""
    with ReaderProcess(LARGEST, folder=tmp_path, module=HOSTILE) as r:
        with pytest.raises(Unusable, match="far more than recordings do"):
            read(r, hostile(KEEPING))
        assert list(tmp_path.iterdir()) == []


# --- accidents ---


def test_an_accident_condemns_no_file(reader: ReaderProcess) -> None:
    """A child that the system ended, while idle or at work, is replaced, and the file is read after all."""
    read(reader, FIT)
    first = child(reader)
    os.kill(first, signal.SIGKILL)
    assert read(reader, FIT).samples == 3
    second = child(reader)
    os.kill(second, signal.SIGSTOP)  # so that it cannot answer before it is ended
    killer = threading.Timer(0.3, os.kill, (second, signal.SIGKILL))
    killer.start()
    assert read(reader, FIT).samples == 3
    killer.join()
    assert len({first, second, child(reader)}) == 3


def test_stopping_the_service_condemns_no_file(reader: ReaderProcess) -> None:
    """`systemctl stop` and Ctrl-C tell all processes of the daemon; a file being read then must not be rejected."""
    read(reader, FIT)
    first = child(reader)
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(first, number)
    assert read(reader, FIT).samples == 3
    assert child(reader) == first


def test_a_file_is_not_blamed_for_killed_readers(reader: ReaderProcess) -> None:
    """What the kernel ends when memory is short says nothing of the file, however often it happens."""
    for _ in range(4):
        with all_children_get(signal.SIGKILL), pytest.raises(TryLater, match="memory"):
            read(reader, FIT)
    assert read(reader, FIT).samples == 3


def test_a_file_is_not_blamed_for_readers_that_are_killed_over_it(reader: ReaderProcess) -> None:
    """A large file is what the kernel ends a reader over; that it had begun to read says nothing of the file, either."""

    def kill(_name: str, _sha256: bytes, _size: int) -> str:
        os.kill(child(reader), signal.SIGKILL)
        return READ

    for _ in range(3):
        with pytest.raises(TryLater, match="memory is short"):
            list(reader.members(io.BytesIO(FIT), kill))
    assert read(reader, FIT).samples == 3


def test_a_file_is_not_blamed_for_a_reader_that_gets_no_processor() -> None:
    """A start that takes minutes, or a machine that gives the reader nothing, is no fault of the file, however often."""
    with ReaderProcess(LARGEST, silence_s=1.5) as r:
        for _ in range(2):
            with all_children_get(signal.SIGSTOP), pytest.raises(TryLater, match="too busy"):
                read(r, FIT)
        read(r, FIT)
        stopped = child(r)
        os.kill(stopped, signal.SIGSTOP)
        with pytest.raises(TryLater, match="too busy"):
            read(r, FIT + bytes(200_000))  # more than a pipe takes while nobody reads
        assert state(stopped) == ""
        assert read(r, FIT).samples == 3


def test_a_file_is_not_blamed_where_no_reader_can_be_started() -> None:
    """No descriptor is left, say: the file waits, and is read once there is one."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ReaderProcess(LARGEST) as r:
        resource.setrlimit(resource.RLIMIT_NOFILE, (4, before[1]))
        try:
            with pytest.raises(TryLater, match="cannot be started"):
                read(r, FIT)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        assert read(r, FIT).samples == 3


STARVED = """
import io, resource
from pathlib import Path
from ingest.collect.reader_process import ReaderProcess
from tests.support.hostile_reading import hostile
taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
with ReaderProcess(1 << 20, module="tests.support.hostile_reading") as r:
    list(r.members(io.BytesIO(hostile("told = 1")), lambda *_: "read"))
    most = taken + (300 << 20)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    list(r.members(io.BytesIO(hostile("x = bytearray(1 << 40)")), lambda *_: "read"))
"""


def test_a_file_is_not_blamed_where_the_machine_has_no_memory() -> None:
    """A reader that gets too little memory on a machine that has none left, says nothing of the file."""
    done = subprocess.run(
        [sys.executable, "-c", STARVED],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert "TryLater: There is too little memory free" in done.stderr


def test_a_file_is_left_when_the_end_comes() -> None:
    """Protects the end from a file that takes long: it stays where it is, and nobody is left behind with it."""
    ending = False
    with ReaderProcess(LARGEST, going_on=lambda: not ending) as r:
        read(r, FIT)
        reading = child(r)
        os.kill(reading, signal.SIGSTOP)
        ending = True
        with pytest.raises(TryLater, match="read at the next start"):
            read(r, FIT)
        assert state(reading) == ""


# --- what a file does alone ---

BAD: dict[str, tuple[str, str]] = {
    "memory": ("x = bytearray(1 << 40)", "more memory than any recording needs"),
    "processor": ("while True: pass", "processor time, which no recording needs"),
    "crash": ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
    "exit": ("import os; os._exit(3)", "exit 3"),
    "error of ours": ("1 / 0", "ZeroDivisionError"),
    "nonsense": ("import os; os.write(1, b'\\0' * 2000)", "answer that is none"),
}


@pytest.mark.parametrize("how", BAD)
def test_a_file_that_breaks_every_reader_is_to_blame(how: str) -> None:
    """What breaks two readers that had read another file well is set aside, in words, with its bytes; others come through."""
    code, words = BAD[how]
    with ReaderProcess(LARGEST, processor_s=0.3, module=HOSTILE) as r:
        data = hostile(code)
        found = members(r, zipped(("a.fit", FIT), ("b.hostile", data), ("c.fit", OTHER)))
        assert [(m.name, m.recording and m.recording.samples, m.data) for m in found] == [
            ("a.fit", 3, b""),
            ("b.hostile", None, data),
            ("c.fit", 2, b""),
        ]
        assert words in found[1].fault
        assert r.looks_whole(io.BytesIO(FIT), "run.fit")


def test_memory_is_bounded(reader: ReaderProcess) -> None:
    """The process may take so much memory and no more, and is the first to go where the machine has none."""
    read(reader, FIT)
    limit, hard = resource.prlimit(child(reader), resource.RLIMIT_AS)
    assert limit == hard == reader_process.MEMORY_BYTES + 6 * LARGEST
    assert Path(f"/proc/{child(reader)}/oom_score_adj").read_text() == "1000\n"


# --- what it leaves behind ---


def test_nothing_is_left_when_it_is_closed() -> None:
    """No zombie and no open pipe stays, however the child ended: a daemon starts thousands of them in a year."""
    before = sorted(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names of a moment, not paths
    pids = []
    for ending in (None, signal.SIGKILL, signal.SIGSTOP):
        r = ReaderProcess(LARGEST)
        read(r, FIT)
        pids.append(child(r))
        if ending:
            os.kill(child(r), ending)
        r.close()
        r.close()
    assert [state(p) for p in pids] == ["", "", ""]
    assert sorted(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_one_that_is_left_in_the_middle_is_ended(reader: ReaderProcess) -> None:
    """Whoever stops asking for members, as at a full disk, leaves no process that waits for an answer."""
    found = reader.members(io.BytesIO(zipped(("a.fit", FIT), ("b.fit", OTHER))), lambda *_: READ)
    assert next(found).name == "a.fit"
    reading = child(reader)
    found.close()
    assert state(reading) == ""
    assert read(reader, FIT).samples == 3


def test_it_ends_with_its_parent() -> None:
    """A daemon that is killed leaves no reader behind that nobody knows of."""
    code = (
        "import io, sys, time; from ingest.collect.reader_process import ReaderProcess\n"
        "r = ReaderProcess(1 << 20); list(r.members(io.BytesIO(sys.stdin.buffer.read()), lambda *_: 'read'))\n"
        "print(r._child.pid, flush=True); time.sleep(60)\n"
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
    assert within(180, lambda: state(orphan) in {"", "Z"})  # Z: whoever inherits it may be slow to look


def test_a_folder_of_the_same_name_is_not_taken_for_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon may be started anywhere, also where a folder or file is called "zones" or "pickle"."""
    (tmp_path / "zones").mkdir()
    (tmp_path / "pickle.py").write_text("raise SystemExit('taken for ours')")
    monkeypatch.chdir(tmp_path)
    with ReaderProcess(LARGEST) as r:
        assert read(r, FIT).samples == 3
