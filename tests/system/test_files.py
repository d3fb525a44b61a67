"""Files on their way to the card: the order of writing, syncing and renaming, on a disk that writes it down."""

import errno
import io
import os
import resource
from pathlib import Path

import pytest

from ingest.system.files import Mover, has_room, make_file, write_file
from tests.support.other_user import run_as
from tests.support.recording_disk import RecordingDisk
from tests.support.small_disk import fill, small_disk


def test_a_written_file_is_synced_before_it_is_renamed(tmp_path: Path) -> None:
    """Protects the reason beside a rejected file: with a power cut at any moment it is whole or not there."""
    disk = RecordingDisk(tmp_path)
    write_file(tmp_path / "a" / "b.txt", b"why", disk)
    assert disk.calls == ["fsync a/.b.txt.tmp", "rename a/.b.txt.tmp a/b.txt", "fsync a"]
    assert (tmp_path / "a" / "b.txt").read_bytes() == b"why"


def test_a_file_that_takes_the_place_of_another_has_its_permissions(tmp_path: Path) -> None:
    """Protects settings that others may not read, and a daemon that must: a new file has what the one before had."""
    target = tmp_path / "hartslag.toml"
    target.write_bytes(b"old")
    target.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(target, 1, 2)
    before = target.stat()
    write_file(target, b"new", like=before)
    after = target.stat()
    assert target.read_bytes() == b"new"
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)


def test_a_file_that_cannot_be_written_leaves_the_one_before_and_nothing_beside_it(tmp_path: Path) -> None:
    """Protects settings on a card that fails: the old file stays whole, and no half of a new one lies about."""

    class Broken(RecordingDisk):
        def fsync(self, descriptor: int) -> None:
            raise OSError(errno.EIO, "Input/output error", descriptor)

    target = tmp_path / "hartslag.toml"
    target.write_bytes(b"old")
    with pytest.raises(OSError, match="Input/output error"):
        write_file(target, b"new", Broken(tmp_path), like=target.stat())
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("hartslag.toml", b"old")]


def test_what_is_moved_and_copied_is_synced_together(tmp_path: Path) -> None:
    """Protects an archive after a power cut: a copy's bytes, and the names in every folder that changed."""
    disk = RecordingDisk(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").write_bytes(b"a")
    mover = Mover(disk)
    mover.move(tmp_path / "in" / "a", tmp_path / "out" / "a")
    mover.copy(io.BytesIO(b"b"), tmp_path / "out" / "b")
    assert disk.calls == ["rename in/a out/a", "rename out/.b.tmp out/b"]
    mover.sync()
    assert disk.calls[2:] == ["fsync out/b", "fsync in", "fsync out"]
    mover.sync()
    assert len(disk.calls) == 5, "once is enough"


def test_many_copies_are_synced_in_one_go(tmp_path: Path) -> None:
    """Protects the speed of `add` with an archive of years."""
    disk = RecordingDisk(tmp_path)
    mover = Mover(disk)
    for i in range(5):
        mover.copy(io.BytesIO(b"b"), tmp_path / str(i))
    mover.sync()
    assert disk.calls[5:] == ["sync"]


def test_to_another_disk_the_copy_is_safe_before_the_original_goes(tmp_path: Path) -> None:
    """Protects an inbox on a USB stick: between the two there is no moment with neither."""

    class OtherDisk(RecordingDisk):
        def rename(self, path: Path, target: Path) -> None:
            if path.parent != target.parent:
                raise OSError(errno.EXDEV, "Invalid cross-device link")
            super().rename(path, target)

        def fsync(self, descriptor: int) -> None:
            super().fsync(descriptor)
            assert os.path.lexists(original)

    disk = OtherDisk(tmp_path)
    original = tmp_path / "a"
    (tmp_path / "a").write_bytes(b"a")
    Mover(disk).move(tmp_path / "a", tmp_path / "out" / "a")
    assert disk.calls == ["rename out/.a.tmp out/a", "fsync out/a", "fsync out"]
    assert not (tmp_path / "a").exists()
    original = tmp_path / "link"
    original.symlink_to("a")
    Mover(disk).move(tmp_path / "link", tmp_path / "out" / "link")
    assert (tmp_path / "out" / "link").readlink() == Path("a")
    assert disk.calls[3:] == ["rename out/.link.tmp out/link", "fsync out"]


def test_another_file_in_its_place_goes_back(tmp_path: Path) -> None:
    """Protects a file that was replaced in the very last moment: it is read itself, and not filed as the one before."""
    (tmp_path / "a").write_bytes(b"new")
    Mover().move(tmp_path / "a", tmp_path / "out" / "a", lambda status: status.st_size == 99)
    assert (tmp_path / "a").read_bytes() == b"new"
    assert not (tmp_path / "out" / "a").exists()


def test_a_new_file_has_its_permissions_whatever_the_umask(tmp_path: Path) -> None:
    """Protects a store that Grafana's group reads from a service with a strict umask."""
    before = os.umask(0o077)
    try:
        os.close(make_file(tmp_path / "a", 0o660))
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o660
    (tmp_path / "a").chmod(0o600)
    os.close(make_file(tmp_path / "a", 0o660))
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600, "what its owner chose stays"


def test_room_is_asked_of_the_disk(tmp_path: Path) -> None:
    """Protects whoever has no room from hearing that the disk is broken, and the other way round."""
    assert has_room(tmp_path)
    assert has_room(tmp_path / "nowhere"), "what is not there is not full"
    assert not list(tmp_path.iterdir())
    with small_disk(tmp_path / "small", "400k") as small:
        assert has_room(small)
        fill(small / "filler")
        assert not has_room(small)


@pytest.mark.root
def test_a_limit_counts_as_no_room(tmp_path: Path) -> None:
    """Protects the same where not the disk but a limit on the user is reached."""

    def limited() -> str:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        return str(has_room(tmp_path))

    assert run_as(0, limited) == "False"
