"""What root does for a watch that is plugged in: it is shown to be read only, and nothing is left when it is gone."""

import errno
import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.system.plugged import (
    NO_MTP_PROGRAM,
    NOT_SHOWN,
    PluggedNote,
    hide,
    maker_of,
    note_beside,
    read_note,
    show,
)
from tests.support import needs
from tests.support.daemons import hartslag
from tests.support.watches import KINDS, make_watch, plugged_in

MTP_DEVICE = Path("/dev/bus/usb/001/012")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where a device is shown; whatever a test leaves there is taken away."""
    place = tmp_path / "run" / "with space" / "sda1"
    yield place
    hide(place)


def fingerprint(image: Path) -> str:
    return hashlib.sha256(image.read_bytes()).hexdigest()


def mounts(below: Path) -> list[str]:
    return [m for m in Path("/proc/self/mountinfo").read_text().splitlines() if str(below) in m]


def is_read_only(folder: Path) -> bool:
    """Whether not even root can write."""
    try:
        (folder / "written").touch()
    except OSError as e:
        return e.errno == errno.EROFS
    return False


@pytest.mark.root
@pytest.mark.parametrize("kind", KINDS)
def test_a_disk_is_shown_to_be_read_only(kind: str, folder: Path, tmp_path: Path) -> None:
    """Protects the watch: not a bit of it changes by being plugged in, and nothing of it is left on the Pi."""
    image = tmp_path / "image"
    with plugged_in(image, make_watch(tmp_path / "watch"), kind) as device:
        untouched = fingerprint(image)
        for _ in range(2):  # the second time what a life that was cut short has left is in the way
            assert show(device, folder, kinds=KINDS, wait_s=0) == PluggedNote(str(device))
        assert read_note(note_beside(folder)) == PluggedNote(str(device))
        assert len(list((folder / "GARMIN").rglob("*.FIT"))) == 6
        assert is_read_only(folder)
        (line,) = mounts(tmp_path)
        assert {"ro", "nosuid", "nodev", "noexec"} <= set(line.split()[5].split(","))
        done = hartslag("--data", tmp_path / "data", "fetch", "--note", note_beside(folder), folder)
        assert done.returncode == 0
        assert "Forerunner 965: 6 new files fetched" in done.stderr
        hide(folder)
        assert fingerprint(image) == untouched
    assert list(folder.parent.iterdir()) == []
    assert mounts(tmp_path) == []


@pytest.mark.root
def test_who_has_mounted_it_keeps_it(folder: Path, tmp_path: Path) -> None:
    """Protects a desktop that shows the watch already: it stays writable there, and is only read here."""
    theirs = tmp_path / "media"
    theirs.mkdir()
    with plugged_in(tmp_path / "image", make_watch(tmp_path / "watch")) as device:
        subprocess.run(["mount", device, theirs], check=True)
        try:
            assert show(device, folder, kinds=KINDS, wait_s=60).trouble == ""
            assert len(list((folder / "GARMIN").rglob("*.FIT"))) == 6
            assert is_read_only(folder)
            (theirs / "route.gpx").touch()
            hide(folder)
            assert (theirs / "route.gpx").exists()
        finally:
            subprocess.run(["umount", theirs], check=True)


@pytest.mark.root
def test_a_stick_is_let_go_at_once(folder: Path, tmp_path: Path) -> None:
    """Protects whoever plugs in a stick and wants to write to it: it is looked at and left alone, as is what no watch has."""
    stick = tmp_path / "stick"
    (stick / "photos").mkdir(parents=True)
    with plugged_in(tmp_path / "image", stick) as device:
        for kinds in (KINDS, {}):
            assert show(device, folder, kinds=kinds, wait_s=0).trouble == ""
            assert list(folder.iterdir()) == []
            assert mounts(tmp_path) == []


@pytest.mark.root
def test_a_stick_that_cannot_be_mounted_is_nobodys_trouble(folder: Path, tmp_path: Path) -> None:
    """Protects status from every broken stick: only of a watch it is said that it cannot be looked into."""
    with plugged_in(tmp_path / "image", make_watch(tmp_path / "watch")) as device:
        assert show(device, folder, kinds={"ext4": ("no such option",)}, wait_s=0) == PluggedNote(str(device))
        assert list(folder.iterdir()) == []


def test_the_maker_of_a_disk_is_found_above_it(tmp_path: Path) -> None:
    """Protects from silence about a watch that cannot be mounted: it is told from any other stick by its maker."""
    usb = tmp_path / "devices" / "usb1" / "1-1"
    disk = usb / "1-1:1.0" / "host0" / "block" / "sda"
    (disk / "sda1").mkdir(parents=True)
    (usb / "idVendor").write_text("091e\n")
    (tmp_path / "block").mkdir()
    (tmp_path / "block" / "sda1").symlink_to(disk / "sda1")
    assert maker_of(Path("/dev/sda1"), tmp_path / "block") == "091e"
    assert maker_of(Path("/dev/sdb1"), tmp_path / "block") == ""


@pytest.mark.root
def test_a_disk_that_is_pulled_while_it_is_read(folder: Path, tmp_path: Path) -> None:
    """Protects from a watch that is pulled: the fetching ends by itself, nothing is left in the way, and the rest comes next time."""
    watch, image, data = make_watch(tmp_path / "watch", 40), tmp_path / "image", tmp_path / "data"
    with plugged_in(image, watch) as device:
        show(device, folder, kinds=KINDS, wait_s=0)
        os.truncate(image, 4096)  # every block of it is gone now, as with a cable that is pulled
        done = hartslag("--data", data, "fetch", "--note", note_beside(folder), folder)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert "plug it in" in done.stderr
        hide(folder)
    with plugged_in(image, watch) as device:
        show(device, folder, kinds=KINDS, wait_s=0)
        assert hartslag("--data", data, "fetch", folder).returncode == 0
    assert len(list((data / "inbox").rglob("*.FIT"))) == 40


# --- MTP ---


def program(folder: Path, name: str, script: str) -> str:
    """A program of that name, and the search path on which it is the first."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@pytest.mark.root
@pytest.mark.parametrize("name", ["jmtpfs", "simple-mtpfs"])
def test_mtp_is_shown_by_the_program_that_is_there(
    name: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects owners of newer watches: what a file system in user space shows is fetched, and its process ends with it."""
    bindfs = needs.program("bindfs", "apt install bindfs")
    content = make_watch(tmp_path / "content" / "Internal Storage").parent
    place = '"$1"' if name == "jmtpfs" else '"$2"'
    script = f'echo "$@" >> {tmp_path}/called\n{bindfs} -r {content} {place} -o allow_other'
    others = tmp_path / "others"
    path = program(others, name, script)
    if name == "simple-mtpfs":  # jmtpfs, which is asked first, may be on this machine
        for needed in ("sh", "mount", "umount"):
            (others / needed).symlink_to(needs.program(needed, "util-linux"))
        path = str(others)
    monkeypatch.setenv("PATH", path)
    assert show(MTP_DEVICE, folder, pauses_s=()) == PluggedNote(str(MTP_DEVICE))
    called = (tmp_path / "called").read_text()
    assert ("-device=1,12" if name == "jmtpfs" else str(MTP_DEVICE)) in called
    assert "ro,nosuid,nodev,noexec,allow_other" in called
    done = hartslag("--data", tmp_path / "data", "fetch", "--note", note_beside(folder), folder)
    assert "Forerunner 965: 6 new files fetched" in done.stderr
    assert "could not be read" not in done.stderr
    hide(folder)
    assert mounts(tmp_path) == []


def test_without_a_program_for_mtp_it_is_said_which(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects from a watch that is plugged in in vain: the note says what is missing."""
    monkeypatch.setenv("PATH", str(tmp_path))
    show(MTP_DEVICE, folder)
    assert read_note(note_beside(folder)).trouble == NO_MTP_PROGRAM


def test_a_watch_that_is_busy_is_tried_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects from giving up too early, and from silence: a watch needs a moment, and what its program says last is kept."""
    script = f"echo x >> {tmp_path}/tries; echo first >&2; echo 'device is busy' >&2; exit 3"
    monkeypatch.setenv("PATH", program(tmp_path / "programs", "jmtpfs", script))
    note = show(MTP_DEVICE, folder, pauses_s=(0.0, 0.0))
    assert (note.trouble, note.detail) == (NOT_SHOWN, "device is busy")
    assert (tmp_path / "tries").read_text() == "x\n" * 3
    hide(folder)
    assert list(folder.parent.iterdir()) == []
