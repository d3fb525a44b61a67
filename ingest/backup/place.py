"""Where copies may be put: never on the card beside the data only because the stick is not in.

A folder is used once it bears our mark. It gets it where it lies on a disk of its own, or by a person's word. The folder in
which a stick shows up is on the card while the stick is out, and bears none.
"""

import contextlib
import errno
import os
from pathlib import Path

from ingest.backup.pack import open_private, remember
from ingest.backup.trouble import AWAY, FAILED, NoCopy
from ingest.errors import Stop
from ingest.language import N_, Text, system_words
from ingest.settings.model import Settings

MARK = "hartslag-backup.txt"

_WORDS = """\
Copies of the heart rates that hartslag collected: its journal, settings and files.

Each folder beside this text holds the copies of one journal. What is the same in several copies lies here once, in
"packs"; so please change nothing in here by hand.

To bring a copy back, also on another computer: install hartslag there, stop it, and give it this folder:

    hartslag restore FOLDER

It checks everything first. "hartslag restore --list FOLDER" shows the copies there are.
"""

_GONE = {
    errno.ENOENT,
    errno.ENODEV,
    errno.ENXIO,
    errno.EIO,
    errno.ENOTCONN,
    errno.ESTALE,
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.ETIMEDOUT,
    errno.ENOMEDIUM,
    errno.ESHUTDOWN,
}
"""What is said of a stick that was pulled, or a share whose server is away."""

_OF_THE_SYSTEM = frozenset(
    {
        "/",
        "/boot",
        "/boot/firmware",
        "/dev",
        "/dev/shm",  # noqa: S108 - nothing is put there
        "/home",
        "/opt",
        "/root",
        "/run",
        "/run/lock",
        "/srv",
        "/tmp",  # noqa: S108
        "/usr",
        "/var",
        "/var/lib",
        "/var/log",
        "/var/tmp",  # noqa: S108
    }
)
"""Disks that belong to the system, or to memory: one below them may be a stick."""


def require_place(settings: Settings, folder: Path, *, begin: bool) -> tuple[int, bool]:
    """The mode of what is made in the folder for copies, and whether it lies on the disk of the data.

    With `begin` a person says that it may. Raises NoCopy while it is not there, Stop where it cannot be.
    """
    if folder.resolve().is_relative_to(settings.data.resolve()):
        words = N_(
            "The folder for copies {folder} lies within the data. Name one on another disk, below [backup]."
        )
        raise Stop(Text(words, folder=folder))
    try:
        mark = folder / MARK
        same = not is_other_disk(folder, settings.data)
        if not mark.exists():
            if same and not begin:
                raise NoCopy(AWAY, _not_there(folder))
            _begin(folder)
        group = folder.stat().st_mode & 0o070
    except OSError as e:
        raise no_copy_for(e, folder) from e
    return 0o700 | group, same


def _not_there(folder: Path) -> Text:
    words = N_(
        "The stick or share for copies is not there: {folder} is no place on another disk. It is waited for. If the folder"
        " is meant to be on this disk, say so once: `hartslag backup --begin`"
    )
    return Text(words, folder=folder)


def no_copy_for(error: OSError, folder: Path) -> NoCopy:
    """What an error of the disk with the copies means."""
    if error.errno in _GONE:
        words = N_("The stick or share for copies is not there: {folder}: {why}. It is waited for.")
        return NoCopy(AWAY, Text(words, folder=folder, why=system_words(error)))
    words = N_(
        "No copy could be written to {folder}: {why}. Check that the user of hartslag may write there, and that the disk"
        " is in order."
    )
    return NoCopy(FAILED, Text(words, folder=folder, why=system_words(error)))


def is_other_disk(folder: Path, data: Path) -> bool:
    """Whether a folder lies, or would lie, on a disk that is neither that of the data nor one of the system's own. Raises OSError."""
    there = _nearest(folder)
    device = there.stat().st_dev
    if device in {_nearest(data).stat().st_dev, Path("/").stat().st_dev}:
        return False
    while not os.path.ismount(there):
        there = there.parent
    place = str(there.resolve())
    return place not in _OF_THE_SYSTEM and not place.startswith(
        ("/run/user/", "/run/credentials/", "/proc", "/sys")
    )


def _nearest(path: Path) -> Path:
    path = path.resolve()
    while not path.exists():
        path = path.parent
    return path


def _begin(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(0o700, parents=True)
        with contextlib.suppress(OSError):
            folder.chmod(0o700)
    with open_private(folder / f".{MARK}.tmp", 0o600) as out:
        out.write(_WORDS.encode())
        out.flush()
        os.fsync(out.fileno())
    (folder / f".{MARK}.tmp").rename(folder / MARK)
    remember(folder)
