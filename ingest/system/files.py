"""Files that survive a power cut: written beside, synced, renamed, and moved also to another disk.

A rename is remembered once the folder is synced, the bytes once the file is (https://man7.org/linux/man-pages/man2/fsync.2.html).
"""

import contextlib
import errno
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import IO

NEEDED_BYTES = 64 << 10
"""What `has_room` asks for: the index of SQLite's log takes 32 KiB at once, and some pages come along."""

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""The disk is full, or a quota or limit is reached."""


LONGEST_NAME = 200
"""Bytes; file systems allow 255, and a number or `.txt` may come behind."""


class Disk:
    """The calls that decide what a power cut leaves; a test hands in a disk that writes down their order."""

    def fsync(self, descriptor: int) -> None:
        """Have the card remember an open file or folder."""
        os.fsync(descriptor)

    def sync(self) -> None:
        """Have all cards remember everything."""
        os.sync()

    def rename(self, path: Path, target: Path) -> None:
        """Give a file another place on the same disk, in place of what lay there."""
        path.rename(target)


DISK = Disk()
"""The one of this machine."""


def make_folder(folder: Path, mode: int = 0o700) -> None:
    """Make a folder with these permissions whatever the umask says, and those above it, each only where it is not there."""
    missing = [folder] if not folder.exists() else []
    while missing and not (above := missing[-1].parent).exists():
        missing.append(above)
    for one in reversed(missing):
        one.mkdir(mode=0o700, exist_ok=True)
        # A hardened service may not set the bit by which a folder hands on its group; systemd-tmpfiles has set it then.
        with contextlib.suppress(PermissionError):
            one.chmod(mode if one == folder else mode & 0o750)


def identity(path: Path) -> tuple[int, int] | None:
    """Which file lies at a path, by device and inode; None where none does."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_dev, status.st_ino


def make_file(path: Path, mode: int) -> int:
    """An open file, made with these permissions whatever the umask says when it is not there."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, mode & 0o600)
    except FileExistsError:
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        os.fchmod(descriptor, mode)
        if os.geteuid() == 0:  # `sudo hartslag rebuild` must not lock the daemon out
            owner = path.parent.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def has_room(folder: Path) -> bool:
    """Whether the disk takes a small file more; asked by making one without a name, as quotas and inodes count too."""
    import tempfile

    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            os.posix_fallocate(probe.fileno(), 0, NEEDED_BYTES)
    except OSError as e:
        return e.errno not in NO_ROOM
    return True


def write_file(
    target: Path, data: bytes, disk: Disk = DISK, *, like: os.stat_result | None = None, mode: int = 0o600
) -> None:
    """Write a file whole or not at all, and have the card remember it before this returns.

    With these permissions whatever the umask says, or with those and the owner of another, where it shall be `like` that.
    What fails leaves nothing behind.
    """
    make_folder(target.parent)
    beside = _beside(target)
    try:
        with _open_private(beside) as out:
            if like is not None:
                _make_like(out.fileno(), like)
            else:
                os.fchmod(out.fileno(), mode)
            out.write(data)
            out.flush()
            disk.fsync(out.fileno())
        disk.rename(beside, target)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    sync_path(target.parent, disk)


def _open_private(path: Path) -> IO[bytes]:
    """An empty file to write to, that nobody but its owner can open in the meantime."""
    path.unlink(missing_ok=True)
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags, 0o600), "wb")


def _make_like(descriptor: int, like: os.stat_result) -> None:
    now = os.fstat(descriptor)
    if (now.st_uid, now.st_gid) != (like.st_uid, like.st_gid):
        os.fchown(descriptor, like.st_uid, like.st_gid)
    os.fchmod(descriptor, like.st_mode & 0o7777)


def sync_path(path: Path, disk: Disk = DISK) -> None:
    """Have the card remember a file, or the renames in a folder; one that is gone needs none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        disk.fsync(descriptor)
    finally:
        os.close(descriptor)


def _beside(target: Path) -> Path:
    return target.with_name(f".{target.name}.tmp")


class Mover:
    """Moves and copies files at once; the card is told to remember them together, by `sync`, which spares it."""

    def __init__(self, disk: Disk = DISK) -> None:
        self._disk = disk
        self._folders: set[Path] = set()
        self._files: list[Path] = []

    def copy(self, origin: IO[bytes], target: Path) -> None:
        """Copy an open file to a path, where it appears whole."""
        make_folder(target.parent)
        beside = _beside(target)
        origin.seek(0)
        with _open_private(beside) as out:
            from shutil import copyfileobj  # it brings bz2 and lzma along

            copyfileobj(origin, out, 1 << 20)
        self._disk.rename(beside, target)
        self._files.append(target)
        self._folders.add(target.parent)

    def move(
        self, path: Path, target: Path, expected: Callable[[os.stat_result], bool] = lambda _: True
    ) -> None:
        """Rename a file, also to another disk.

        What is not the `expected` file, but took its place in the very last moment, is put back.
        """
        make_folder(target.parent)
        try:
            self._disk.rename(path, target)
            if not expected(target.lstat()):
                self._disk.rename(target, path)
        except OSError as e:
            if e.errno != errno.EXDEV:  # the inbox may lie on another disk
                raise
            self._carry(path, target)
        self._folders |= {target.parent, path.parent}

    def _carry(self, path: Path, target: Path) -> None:
        """Move a file to another disk: a copy, and once that is safe the end of the original."""
        if path.is_symlink():  # what it points at is nobody's business
            beside = _beside(target)
            beside.unlink(missing_ok=True)
            beside.symlink_to(path.readlink())
            self._disk.rename(beside, target)
            self._folders.add(target.parent)
        elif path.is_file():  # a pipe or device has no content to take along, and might never end
            with path.open("rb") as stream:
                self.copy(stream, target)
        self.sync()  # the only other copy goes now
        path.unlink()

    def sync(self) -> None:
        """Have the card remember what was moved and copied."""
        if len(self._files) > 4:
            self._disk.sync()  # one flush of everything is quicker than one for each
        else:
            for path in self._files:
                sync_path(path, self._disk)
            for folder in sorted(self._folders):
                sync_path(folder, self._disk)
        self._folders.clear()
        self._files.clear()


def plain_name(name: str) -> str:
    """A file name without anything that a file system or a terminal could take amiss."""
    plain = re.sub(r"[\x00-\x1f\x7f/\\]", "_", name) or "_"
    while len(plain.encode("utf-8", "surrogateescape")) > LONGEST_NAME:
        plain = plain[: len(plain) // 2 - 8] + "..." + plain[len(plain) // 2 + 8 :]
    return plain
