"""The clocks of this machine, as far as a test may touch them."""

import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ingest.system.clock import BOOT, SyncMark, SystemClock, says_right

ROOT = Path(__file__).parents[2]

REFUSED = {"x86_64": (159, 305), "aarch64": (171, 266)}
"""The numbers of adjtimex and clock_adjtime, by machine (arch/*/entry/syscalls in Linux)."""

FORBIDDEN = """
import ctypes, struct, sys
from pathlib import Path
from ingest.system.clock import SystemClock

def step(code, yes, no, value):
    return struct.pack("HBBI", code, yes, no, value)

first, second = int(sys.argv[2]), int(sys.argv[3])
# seccomp(2): load the number of the call; one of the two: errno 1, EPERM; any other: go on.
program = step(0x20, 0, 0, 0) + step(0x15, 1, 0, first) + step(0x15, 0, 1, second)
program += step(0x06, 0, 0, 0x00050001) + step(0x06, 0, 0, 0x7FFF0000)
held = ctypes.create_string_buffer(program)

class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_void_p)]

libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
if libc.prctl(22, 2, ctypes.byref(Program(5, ctypes.addressof(held))), 0, 0) != 0:
    sys.exit(3)
clock, touched = SystemClock(Path(sys.argv[1])), Path(sys.argv[1])
print(clock.synchronized())
touched.touch()
print(clock.synchronized())
"""
"""What ProtectClock= in the unit does, and then two looks: before and after systemd-timesyncd has set the clock."""


def test_the_clocks_tell_what_the_kernel_tells() -> None:
    """Protects every date: both clocks in ms, the steady one since the boot, and one name for the boot."""
    clock = SystemClock()
    assert abs(clock.wall_ms() - time.time() * 1000) < 1000
    before = time.clock_gettime(time.CLOCK_BOOTTIME) * 1000
    assert before - 1 <= clock.steady_ms() <= before + 1000
    if BOOT.exists():
        assert clock.boot == BOOT.read_text().strip() == SystemClock().boot
    assert len(clock.boot) == 36


def test_the_kernel_is_asked_whether_the_clock_is_right(tmp_path: Path) -> None:
    """Protects the dates of a Pi without a network: where the kernel answers, no file is believed beside it."""
    there, absent = tmp_path / "there", tmp_path / "absent"
    there.touch()
    assert SystemClock(there).synchronized() == SystemClock(absent).synchronized()


def test_where_the_kernel_may_not_be_asked_the_service_tells(tmp_path: Path) -> None:
    """Protects the dates of the daemon under systemd, which keeps it from every call that has to do with the clock."""
    numbers = REFUSED.get(platform.machine())
    if numbers is None:
        pytest.skip(
            f"the numbers of the calls on a machine of the kind {platform.machine()} are not known here"
        )
    done = subprocess.run(
        [sys.executable, "-c", FORBIDDEN, str(tmp_path / "synchronized"), *map(str, numbers)],
        capture_output=True,
        text=True,
        timeout=180,
        cwd=ROOT,
        check=False,
    )
    if done.returncode == 3:
        pytest.skip("this machine does not let a process filter its own calls (seccomp), as systemd does")
    assert (done.stdout.split(), done.stderr) == (["False", "True"], "")


@pytest.mark.parametrize(
    ("status", "greatest_error_us", "right"),
    [
        (0x2001, 30_000, True),  # systemd-timesyncd keeps it
        (0x0041, 30_000, True),  # and the hardware clock shows local time, or chrony may not touch that
        (0x0040, 16_000_000, False),  # since the boot, or since a step by hand
        (0x0000, 16_000_000, True),
    ],
)
def test_a_step_by_hand_is_known_to_the_kernel(status: int, greatest_error_us: int, *, right: bool) -> None:
    """Protects what is heard after somebody set the clock wrong by an hour: nobody vouches for it then."""
    assert says_right(status, greatest_error_us) is right


def test_a_file_that_stays_vouches_for_no_step(tmp_path: Path) -> None:
    """Protects dates where only systemd-timesyncd may be asked: after a step it must have touched its file again."""
    path = tmp_path / "synchronized"
    mark, hour = SyncMark(path), 3_600_000
    assert not mark.is_right(0)
    touch(path, 1)
    assert mark.is_right(0)
    assert mark.is_right(400), "slewed"
    assert not mark.is_right(hour), "a step by hand"
    assert not mark.is_right(hour)
    touch(path, 2)
    assert mark.is_right(hour)
    touch(path, 3)
    assert mark.is_right(0), "a step of its own, after which it touched the file"


def touch(path: Path, at_s: int) -> None:
    path.touch()
    os.utime(path, (at_s, at_s))


@pytest.mark.parametrize(
    ("shown", "board", "kept"),
    [
        ([0], True, True),
        ([-40], True, True),
        (
            [-90_000],
            True,
            False,
        ),  # somebody saved the time before the power went, and nobody knows how long ago
        ([None], True, False),  # its battery is empty: it cannot be read
        ([-1_700_000_000, 2], True, True),  # one of the board's own that forgets, and one with a battery
        ([], True, False),
        ([], False, True),
    ],
)
def test_a_clock_with_a_battery_is_told_from_one_without(
    tmp_path: Path, shown: list[int | None], *, board: bool, kept: bool
) -> None:
    """Protects a household without a network: a clock that ran on is believed, and one that stood still is not."""
    clocks, tree = tmp_path / "rtc", tmp_path / "devicetree"
    for number, ahead_s in enumerate(shown):
        (clocks / f"rtc{number}").mkdir(parents=True)
        if ahead_s is not None:
            (clocks / f"rtc{number}" / "since_epoch").write_text(f"{round(time.time()) + ahead_s}\n")
    if board:
        tree.mkdir()
    assert SystemClock(tmp_path / "touched", clocks, tree).kept() is kept


def test_the_service_may_ask_the_kernel_and_nothing_more() -> None:
    """Protects dates in the service after a step by hand: the call that tells of it is let through, though none that sets it."""
    unit = (ROOT / "systemd" / "hartslag.service").read_text().splitlines()
    allowed = " ".join(line for line in unit if line.startswith("SystemCallFilter=") and "~" not in line)
    # glibc asks by the second, on 32 bits by the third.
    assert {"adjtimex", "clock_adjtime", "clock_adjtime64"} <= set(allowed.replace("=", " ").split())
    assert "settime" not in allowed
    assert {"ProtectClock=no", "CapabilityBoundingSet=", "NoNewPrivileges=yes"} <= set(unit)
