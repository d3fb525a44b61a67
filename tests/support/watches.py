"""Watches for tests: their memory as a folder, and as what is mounted where the machine lets us."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest.demo.fit_encoder import workout
from ingest.system.plugged import FILE_SYSTEMS
from tests.support import needs

START = 1_100_000_000  # FIT era: November 2024
SERIAL = 3907354759


def make_watch(
    folder: Path, files: int = 6, *, serial: int = SERIAL, product: str = "Forerunner 965", first: int = 0
) -> Path:
    """The memory of a watch in a folder, with recordings of different days; more can be added from a `first` on."""
    root = folder / "GARMIN"
    for name in ("Activity", "Monitor", "Courses"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "GarminDevice.xml").write_text(
        f"<Device><Model><Description>{product}</Description></Model><Id>{serial}</Id></Device>"
    )
    (root / "Courses" / "hill.fit").write_bytes(b"no recording")
    for i in range(first, first + files):
        path = root / ("Monitor" if i % 3 == 2 else "Activity") / f"{i:03}.FIT"
        path.write_bytes(workout(START + i * 86_400, [100 + i % 60] * 120, serial=serial))
        os.utime(path, (1_700_000_000 + i, 1_700_000_000 + i))
    return folder


KINDS = {"ext4": ("noload",), "vfat": FILE_SYSTEMS["vfat"]}
"""File systems of disk images, and how they are mounted. What watches have not every kernel knows; ext4 stands in for it."""


@contextmanager
def plugged_in(image: Path, content: Path, kind: str = "ext4") -> Iterator[Path]:
    """A disk with what lies in a folder, as the device that the kernel makes of it."""
    needs.root()
    if kind not in Path("/proc/filesystems").read_text().split():
        pytest.skip(f"the kernel of this machine knows no {kind}")
    with image.open("wb") as out:
        out.truncate(64 << 20)
    if kind == "vfat":
        make = [needs.program("mkfs.vfat", "apt install dosfstools"), str(image)]
        subprocess.run(make, check=True, capture_output=True)
        copy = [needs.program("mcopy", "apt install mtools"), "-s", "-m", "-i", str(image)]
        subprocess.run([*copy, *map(str, content.iterdir()), "::"], check=True, capture_output=True)
    else:
        make = [needs.program("mkfs.ext4", "apt install e2fsprogs"), "-q", "-d", str(content), str(image)]
        subprocess.run(make, check=True, capture_output=True)
    made = subprocess.run(["losetup", "--find", "--show", image], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        pytest.skip("this machine has no loop devices; run the tests where root may mount a disk image")
    try:
        yield Path(made.stdout.strip())
    finally:
        subprocess.run(["losetup", "-d", made.stdout.strip()], check=False)


@contextmanager
def user_space_folder(content: Path, folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """What lies in a folder, shown in another by a file system in user space, as MTP is: its process can be ended."""
    needs.root()
    program = needs.program("bindfs", "apt install bindfs")
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("this machine has no /dev/fuse")
    folder.mkdir()
    process = subprocess.Popen([program, "-f", "-r", content, folder])
    end = time.monotonic() + 180
    try:
        while not os.path.ismount(folder):
            assert process.poll() is None, "bindfs has ended"
            assert time.monotonic() < end
            time.sleep(0.02)
        yield process
    finally:
        process.kill()
        process.wait()
        subprocess.run([shutil.which("umount") or "umount", "-l", folder], check=False, capture_output=True)
