"""What root does for a watch that is plugged in: its files appear in a folder, to be read only. Nothing more is done as root.

    python -I -m ingest.system.plugged show /dev/sda1 /run/hartslag-watch/sda1
    python -I -m ingest.system.plugged hide /run/hartslag-watch/sda1

Beside the folder a note says what it is, or why there is nothing in it. Who has mounted the device goes first: a kernel
that shows a disk to be read only refuses it to the next who wants to write.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

FILE_SYSTEMS: Mapping[str, tuple[str, ...]] = {
    # The times of files stay the same in summer and winter, by which they are known again.
    "vfat": ("tz=UTC", "utf8=1"),
    "exfat": (),
}
"""Those that watches and their cards have, and how each is mounted; nothing else is ever tried on what somebody plugs in."""

GARMIN = "091e"
"""Among makers of USB devices."""

SAFELY = ("ro", "nosuid", "nodev", "noexec")

MTP_PROGRAMS = ("jmtpfs", "simple-mtpfs")

NO_MTP_PROGRAM, NOT_SHOWN = "no MTP program", "not shown"

DESKTOP_S, ALONE_S = 15.0, 1.0
"""How long a desktop is given to mount a disk by itself, and where none does that."""

BUSY_S = (2.0, 5.0, 10.0)
"""Pauses between tries: a watch needs a moment after it was plugged in, and a desktop may look at it first."""

_LONGEST_S = 60


@dataclass(frozen=True, slots=True)
class PluggedNote:
    """What was plugged in, and why its files cannot be shown, "" where they are; `detail` is what a program said."""

    device: str
    trouble: str = ""
    detail: str = ""


def note_beside(folder: Path) -> Path:
    """Where the note about a folder lies."""
    return folder.with_name(f"{folder.name}.json")


def read_note(path: Path) -> PluggedNote:
    """The note at a path. Raises OSError, ValueError, TypeError when it is none."""
    return PluggedNote(**json.loads(path.read_text()))


def show(
    device: Path,
    folder: Path,
    *,
    kinds: Mapping[str, tuple[str, ...]] = FILE_SYSTEMS,
    wait_s: float | None = None,
    pauses_s: Sequence[float] = BUSY_S,
) -> PluggedNote:
    """Show the files of a device in a folder, which is made, and leave a note beside it."""
    hide(folder)
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    if device.is_relative_to("/dev/bus/usb"):
        note = _show_mtp(device, folder, pauses_s)
    else:
        note = _show_disk(device, folder, kinds, _desktop_s() if wait_s is None else wait_s)
    note_beside(folder).write_text(json.dumps(asdict(note)))
    return note


def hide(folder: Path) -> None:
    """Undo what `show` did, whatever has become of the device; nothing is left of it."""
    _unmount(folder)
    with contextlib.suppress(FileNotFoundError):
        folder.rmdir()
    note_beside(folder).unlink(missing_ok=True)


def _unmount(folder: Path) -> None:
    """Also what is busy, and what is left of a device that is gone."""
    while _is_mounted(folder):
        if _run(["umount", str(folder)]).returncode and _run(["umount", "-l", str(folder)]).returncode:
            return


# --- disks ---


def _show_disk(
    device: Path, folder: Path, kinds: Mapping[str, tuple[str, ...]], wait_s: float
) -> PluggedNote:
    kind = _run(["blkid", "-p", "-o", "value", "-s", "TYPE", str(device)]).stdout.strip()
    if kind not in kinds:
        return PluggedNote(str(device))
    until_s = time.monotonic() + wait_s
    while not _mounts_of(device) and time.monotonic() < until_s:
        time.sleep(0.2)
    done = _mount(device, folder, (kind, *kinds[kind]))
    if done is not None and done.returncode and _mounts_of(device):  # by a desktop, in this very moment
        done = _mount(device, folder, (kind, *kinds[kind]))
    if done is None:
        return PluggedNote(str(device))
    if done.returncode:
        _unmount(folder)  # the second of two steps may have failed, by which it is only to be read
        is_watch = maker_of(device) == GARMIN
        return PluggedNote(str(device), *((NOT_SHOWN, _last_line(done.stderr)) if is_watch else ()))
    if not _has_watch(folder):
        _unmount(folder)  # any stick comes this way; who plugged it in shall not have to wait for it
    return PluggedNote(str(device))


def _mount(
    device: Path, folder: Path, kind_and_options: tuple[str, ...]
) -> "subprocess.CompletedProcess[str] | None":
    """Show what is mounted elsewhere here, too, or else mount it; None where its owner has plans for it in fstab."""
    kind, *own = kind_and_options
    if elsewhere := _mounts_of(device):
        return _run(["mount", "-o", ",".join(("bind", *SAFELY)), elsewhere[0], str(folder)])
    if _run(["findmnt", "--fstab", "--noheadings", "--source", str(device)]).stdout:
        return None
    return _run(["mount", "-t", kind, "-o", ",".join((*SAFELY, *own)), str(device), str(folder)])


def maker_of(device: Path, blocks: Path = Path("/sys/class/block")) -> str:
    """The number of the maker of the USB device that a disk is, as the kernel lists it; "" where it is none."""
    place = (blocks / device.name).resolve()
    for above in (place, *place.parents):
        with contextlib.suppress(OSError):
            return (above / "idVendor").read_text().strip()
    return ""


def _has_watch(folder: Path) -> bool:
    try:
        return any(name.casefold() == "garmin" for name in os.listdir(folder))  # noqa: PTH208 - names are all it takes
    except OSError:
        return False


def _mounts_of(device: Path) -> list[str]:
    """Where the whole of a disk is mounted by now."""
    number = device.stat().st_rdev
    wanted = f"{os.major(number)}:{os.minor(number)}"
    lines = (line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines())
    return [_unescaped(place) for _, _, disk, root, place, *_ in lines if (disk, root) == (wanted, "/")]


def _is_mounted(folder: Path) -> bool:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return any(_unescaped(line.split()[4]) == str(folder) for line in lines)


def _unescaped(path: str) -> str:
    """A path out of the kernel's list, which writes a space as its number."""
    return path.encode().decode("unicode_escape").encode("latin-1").decode("utf-8", "surrogateescape")


def _desktop_s() -> float:
    """How long to wait for somebody else: what mounts disks for desktops runs only where there is one."""
    return DESKTOP_S if _run(["systemctl", "is-active", "--quiet", "udisks2"]).returncode == 0 else ALONE_S


# --- MTP ---


def _show_mtp(device: Path, folder: Path, pauses_s: Sequence[float]) -> PluggedNote:
    program = next((p for p in MTP_PROGRAMS if shutil.which(p)), None)
    if program is None:
        return PluggedNote(str(device), NO_MTP_PROGRAM)
    options = ",".join((*SAFELY, "allow_other"))
    if program == "jmtpfs":
        bus, number = int(device.parent.name), int(device.name)
        command = [program, str(folder), f"-device={bus},{number}", "-o", options]
    else:
        command = [program, str(device), str(folder), "-o", options]
    said = ""
    for pause_s in (0.0, *pauses_s):
        time.sleep(pause_s)
        done = _run(command)
        if done.returncode == 0:
            return PluggedNote(str(device))
        said = _last_line(done.stderr or done.stdout)
    return PluggedNote(str(device), NOT_SHOWN, said)


def _run(command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    """What a program says; one that is not there or hangs has failed.

    It speaks into files: a file system in user space goes on in the background, and would hold the ends of pipes.
    """
    environ = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            ended = subprocess.run(  # noqa: S603 - programs of the system, with paths that udev gave
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                check=False,
                timeout=_LONGEST_S,
                env=environ,
            )
        except (OSError, subprocess.TimeoutExpired) as e:
            return subprocess.CompletedProcess(command, 1, "", str(e))
        told = []
        for stream in (out, err):
            stream.seek(0)
            told.append(stream.read().decode("utf-8", "replace"))
    return subprocess.CompletedProcess(command, ended.returncode, *told)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""


def main(words: Sequence[str]) -> None:
    """The command of the unit."""
    match words:
        case ["show", device, folder]:
            show(Path(device), Path(folder))
        case ["hide", folder]:
            hide(Path(folder))
        case _:
            sys.exit("usage: python -I -m ingest.system.plugged show DEVICE FOLDER | hide FOLDER")


if __name__ == "__main__":
    main(sys.argv[1:])
