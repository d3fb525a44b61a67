"""A copy made by hand, and what a person is told of it."""

import json
import os
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from ingest.settings.model import Settings
from tests.support.backups import SETTINGS_TEXT, archived
from tests.support.daemons import hartslag, until
from tests.support.households import NOW, household, steady
from tests.support.small_disk import small_disk


def a_home(tmp_path: Path, more: str = "") -> Path:
    """A data folder in which something was collected."""
    data = tmp_path / "data"
    with household(data, [steady("Anna", NOW, 1200, 120)]):
        pass
    (data / "hartslag.toml").write_text(SETTINGS_TEXT + more)
    archived(Settings(data), "Anna/2026/run é.fit", os.urandom(40_000))
    return data


def test_a_copy_is_one_file_that_any_computer_opens(tmp_path: Path) -> None:
    """Protects who has lost the program: the journal, files and settings can be taken out by hand, and checked."""
    data, file = a_home(tmp_path), tmp_path / "copy.zip"
    done = hartslag("--data", data, "backup", file)
    assert done.returncode == 0, done.stderr
    assert f"restore {file}" in done.stdout
    assert file.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        contents = json.loads(archive.read("contents.json"))
        for entry in contents["files"]:
            assert sha256(archive.read(entry["name"])).hexdigest() == entry["sha256"]
        assert "hartslag restore" in archive.read("README.txt").decode()
        assert archive.read("hartslag.toml").decode() == SETTINGS_TEXT
        assert (tmp_path / "data" / "archive" / "Anna/2026/run é.fit").read_bytes() == archive.read(
            "archive/Anna/2026/run é.fit"
        )
        archive.extract("journal/journal.db", tmp_path / "out")
    with closing(sqlite3.connect(tmp_path / "out" / "journal" / "journal.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("SELECT sum(samples) FROM chunk").fetchone() == (1200,)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["copy.zip", "data", "out"]


def test_nothing_is_written_over(tmp_path: Path) -> None:
    """Protects the copy of last month: another name is asked for; a folder gets a file of its own."""
    data, file = a_home(tmp_path), tmp_path / "copy.zip"
    file.write_text("mine")
    done = hartslag("--data", data, "backup", file)
    assert done.returncode == 1
    assert "another name" in done.stderr
    assert file.read_text() == "mine"
    (tmp_path / "stick").mkdir()
    assert hartslag("--data", data, "backup", tmp_path / "stick").returncode == 0
    assert [p.suffix for p in (tmp_path / "stick").iterdir()] == [".zip"]


def test_a_disk_that_is_too_small_is_told_and_left_clean(tmp_path: Path) -> None:
    """Protects from half a copy: it is whole or not there, and it is said what is missing."""
    data = a_home(tmp_path)
    archived(Settings(data), "Anna/2026/large.fit", os.urandom(3_000_000))
    with small_disk(tmp_path / "usb", "2m") as disk:
        done = hartslag("--data", data, "backup", disk / "copy.zip")
        assert (done.returncode, list(disk.iterdir())) == (1, [])
        assert "no room" in done.stderr
        assert "Traceback" not in done.stderr
    with closing(sqlite3.connect(data / "journal" / "journal.db")) as db, db:
        db.execute("CREATE TABLE much AS SELECT randomblob(1500000) AS more")
    with small_disk(tmp_path / "tiny", "600k") as disk:  # not even the journal fits
        done = hartslag("--data", data, "backup", disk / "copy.zip")
        assert (done.returncode, list(disk.iterdir())) == (1, [])
        assert "no room" in done.stderr


def test_a_disk_that_can_only_be_read_is_told(tmp_path: Path) -> None:
    """Protects who pushed the little switch of a card: it is said of which copy, and what to do."""
    with small_disk(tmp_path / "usb", "2m") as disk:
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        done = hartslag("--data", a_home(tmp_path), "backup", disk / "copy.zip")
        assert done.returncode == 1
        assert f"The copy {disk / 'copy.zip'} cannot be written" in done.stderr


@pytest.mark.parametrize("words", [[], ["nowhere/copy.zip"]])
def test_where_a_copy_cannot_go_is_said(tmp_path: Path, words: list[str]) -> None:
    """Protects who forgot the folder: one sentence says what to write, or what to make."""
    done = hartslag("--data", a_home(tmp_path), "backup", *words, cwd=tmp_path)
    assert done.returncode == 1
    assert ("[backup]" if not words else "no folder") in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_file_it_does_what_the_daemon_does(tmp_path: Path) -> None:
    """Protects who wants a copy now: it goes to the folder of the settings, and `status` knows of it."""
    stick = tmp_path / "stick"
    data = a_home(tmp_path, f'[backup]\nfolder = "{stick}"\n')
    refused = hartslag("--data", data, "backup")
    assert refused.returncode == 1
    assert "--begin" in refused.stderr
    assert "waited for" in hartslag("--data", data, "status").stdout
    done = hartslag("--data", data, "backup", "--begin")
    assert done.returncode == 0, done.stderr
    assert "first copy" in done.stdout
    now = json.loads(hartslag("--data", data, "status", "--json").stdout)["backup"]
    assert (now["folder"], now["copies"], now["trouble"], now["same_disk"]) == (str(stick), 1, None, True)
    assert 0 <= now["age_s"] < 600
    assert f"Copies in {stick}: the only one is" in hartslag("--data", data, "status").stdout


def test_two_at_once_do_not_meet(tmp_path: Path) -> None:
    """Protects the packs: while one process writes a copy another one says so, and ends."""
    stick = tmp_path / "stick"
    data = a_home(tmp_path, f'[backup]\nfolder = "{stick}"\n')
    assert hartslag("--data", data, "backup", "--begin").returncode == 0
    hold = (
        "import fcntl, os, sys, time; f = os.open(sys.argv[1], os.O_RDWR); fcntl.flock(f, fcntl.LOCK_EX);"
        "print('held', flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, data / "journal" / "backup"], stdout=subprocess.PIPE
    ) as holding:
        assert holding.stdout is not None
        until(lambda: holding.stdout is not None and holding.stdout.readline(), "the lock")
        done = hartslag("--data", data, "backup")
        holding.kill()
    assert done.returncode == 1
    assert "another process" in done.stderr


def test_a_new_folder_without_a_journal_says_so(tmp_path: Path) -> None:
    """Protects who is too early: there is nothing to copy, and nothing is made."""
    done = hartslag("--data", tmp_path / "nothing", "backup", tmp_path / "copy.zip")
    assert done.returncode == 1
    assert "no journal" in done.stderr
    assert list(tmp_path.iterdir()) == []
