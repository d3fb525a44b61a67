"""Verbs that root runs on somebody's data: nothing that they leave is root's."""

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.demo.fit_encoder import ERA, workout
from tests.support.households import Answer, hartslag
from tests.support.other_user import NOBODY

pytestmark = pytest.mark.root


@pytest.fixture
def data() -> Iterator[Path]:
    """The empty data folder of somebody who is not root, where nobody else's tests close a folder above it."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        folder = Path(place) / "data"
        folder.mkdir(mode=0o750)
        os.chown(folder, NOBODY, NOBODY)
        yield folder


def owners(folder: Path) -> set[int]:
    """Whose the files and folders below a folder are."""
    return {p.lstat().st_uid for p in folder.rglob("*")}


def without_umask(*words: str | Path, cwd: Path | None = None) -> Answer:
    """A verb in a shell that lets everybody read and write what it makes."""
    before = os.umask(0)
    try:
        return hartslag(*words, cwd=cwd)
    finally:
        os.umask(before)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A workout that root alone may read."""
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o700)
    file = folder / "run.fit"
    file.write_bytes(workout(1_700_000_000 - ERA, [120] * 600))
    file.chmod(0o600)
    return file


def test_what_root_adds_before_the_first_start_is_the_owners(data: Path, mine: Path) -> None:
    """Protects the daemon from a journal of root's, which it could never open; the file is read as root may read it."""
    added = without_umask("--data", data, "add", mine)
    assert (added.code, added.err) == (0, "")
    assert owners(data) == {NOBODY}
    assert [p.name for p in (data / "archive").rglob("*.fit")] == ["run.fit"]


def test_nothing_is_open_to_others_whatever_the_umask(data: Path, mine: Path) -> None:
    """Protects what a heart did from everybody else on the machine: the group sees Grafana's store, and others nothing."""
    assert without_umask("--data", data, "add", mine).code == 0
    assert without_umask("--data", data, "rebuild").code == 0
    modes = {p.relative_to(data): stat.S_IMODE(p.stat().st_mode) for p in data.rglob("*")}
    assert {str(p): oct(mode) for p, mode in modes.items() if mode & 0o007} == {}
    for_group = {p.parts[0] for p, mode in modes.items() if mode & 0o070}
    assert for_group == {"store"}
    assert stat.S_IMODE(data.stat().st_mode) == 0o750


def test_what_the_daemon_may_not_read_is_told_though_root_may(data: Path, mine: Path) -> None:
    """Protects who copied a private file into the inbox and asks with sudo: it was said to be taken in a moment, for ever."""
    assert without_umask("--data", data, "add", mine).code == 0
    (data / "inbox" / "Anna").mkdir(parents=True)
    (data / "hartslag.toml").write_text('[[person]]\nname = "Anna"\n')
    file = data / "inbox" / "Anna" / "closed.fit"
    file.write_bytes(b"whatever")
    file.chmod(0o600)
    for folder in (data / "inbox", file.parent):
        os.chown(folder, NOBODY, NOBODY)
    told = f"it may not be read (Permission denied); let it be read: chmod a+r {file}"
    assert told in " ".join(hartslag("--data", data, "status").out.split())
    assert told in " ".join(hartslag("--data", data, "check").out.split())
    file.chmod(0o644)
    assert "may not be read" not in hartslag("--data", data, "status").out
    file.parent.chmod(0)
    os.chown(file.parent, 0, 0)
    assert "the folder cannot be opened" in hartslag("--data", data, "check").out


def test_a_page_is_written_where_its_caller_may(data: Path, mine: Path, tmp_path: Path) -> None:
    """Protects who asks with sudo for the page, in a folder that the owner of the data may not write to."""
    without_umask("--data", data, "add", mine)
    here = tmp_path / "here"
    here.mkdir(mode=0o700)
    answer = hartslag("--data", data, "report", "--out", here / "me.html")
    assert (answer.code, answer.err) == (0, "")
    assert stat.S_IMODE((here / "me.html").stat().st_mode) == 0o640
    assert owners(data) == {NOBODY}
