"""Copies that the daemon keeps: a stick that comes and goes, one that hangs, and kills at each step."""

import json
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.backup.state import read_state
from ingest.backup.trouble import AWAY
from ingest.backup.upkeep import Upkeep
from ingest.demo.fit_encoder import workout
from ingest.settings.model import Settings
from ingest.system.crash_points import BACKUP_POINTS
from ingest.system.watchdog import WatchedPart
from tests.support.backups import (
    brought_back,
    comes_in,
    content_of,
    home_with_copies,
    size_of,
    take_copy,
    the_backup,
)
from tests.support.daemons import QUICK, daemon, hartslag, settled, until
from tests.support.households import HOUR, NOW, steady
from tests.support.small_disk import small_disk

START = 1_100_000_000


def trouble_of(home: Settings) -> str | None:
    """What troubles its copies, as it is noted."""
    state = read_state(home)
    return None if state is None else state.trouble


def test_a_stick_that_comes_late_is_waited_for(tmp_path: Path) -> None:
    """Protects who plugs the stick in later: it is told that it is missing, nothing is written in its place, and a copy is made once it is there."""
    usb = tmp_path / "usb"
    data = tmp_path / "data"
    home = replace(Settings(data), file=data / "hartslag.toml", backup_folder=usb / "copies")
    settings = f'{QUICK}[backup]\nfolder = "{usb}/copies"\n'
    with daemon(data, settings=settings):
        until(lambda: trouble_of(home) == AWAY, "the missing stick to be noted")
        (data / "inbox" / "a.fit").write_bytes(workout(START, [120] * 60))
        until(lambda: settled(data), "the file to be taken all the same")
        assert "waited for" in hartslag("--data", data, "status").stdout
        assert not usb.exists()
        with small_disk(usb, "20m"):
            until(lambda: (state := read_state(home)) is not None and state.copies == 1, "the copy")
            assert trouble_of(home) is None
            now = json.loads(hartslag("--data", data, "status", "--json").stdout)["backup"]
            assert (now["copies"], now["last_error"], now["same_disk"]) == (1, None, False)
            back = brought_back(home, tmp_path / "back")
            assert any(name.startswith("archive/") for name in back)
    log = (tmp_path / "data.log").read_text()
    assert log.count("waited for") == 1
    assert "Traceback" not in log


def test_the_daemon_copies_at_its_start_what_is_due_and_no_more(tmp_path: Path) -> None:
    """Protects the stick from a daemon that starts often: a copy of less than an hour ago is young enough."""
    home = home_with_copies(tmp_path, [steady("Anna", NOW, 600, 120)])
    settings = f'{QUICK}[backup]\nfolder = "{home.backup_folder}"\n'
    with daemon(home.data, settings=settings):
        until(lambda: (state := read_state(home)) is not None and state.copies == 1, "the first copy")
    with daemon(home.data, settings=settings):
        (home.data / "inbox" / "a.fit").write_bytes(workout(START, [120] * 60))
        until(lambda: settled(home.data), "the file to be taken")
    assert len(the_backup(home).copies()) == 1


def test_a_disk_that_hangs_holds_up_nothing(tmp_path: Path) -> None:
    """Protects the daemon and the card: who hangs at the stick is ended, as is who reads the journal for it, and it is said."""
    home = home_with_copies(tmp_path, [steady("Anna", NOW, 600, 120)])
    assert home.file is not None
    home.file.write_text(f'[backup]\nfolder = "{home.backup_folder}"\n')
    take_copy(home)
    os.mkfifo(the_backup(home).packs / "00000099.pack")  # whoever opens it waits for ever
    home.journal_file.with_name("backup.json").unlink()
    part = WatchedPart("the copies")
    working = threading.Thread(target=Upkeep(home, silent_s=3).run, args=(part,), daemon=True)
    working.start()
    until(lambda: trouble_of(home) == AWAY, "the hanging disk to be noted")
    state = read_state(home)
    assert state is not None
    assert "does not answer" in str(state.sentence)
    assert processes_with(str(home.data)) == []
    part.end()
    working.join(30)
    assert not working.is_alive()


def processes_with(word: str) -> list[str]:
    """The command lines of other processes that name something."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes().decode("utf-8", "replace")
            except OSError:
                continue
            if word in line:
                found.append(line)
    return found


@pytest.mark.parametrize("point", BACKUP_POINTS)
def test_killed_at_any_step_the_copies_from_before_are_whole(tmp_path: Path, point: str) -> None:
    """Protects what is there from a pulled stick and a power cut: each copy that is listed comes back, and the next one is made."""
    home = home_with_copies(tmp_path, [steady("Anna", NOW, 1200, 120)])
    assert home.file is not None
    home.file.write_text(f'[backup]\nfolder = "{home.backup_folder}"\n')
    for hour in range(14 if point in {"copy removed", "pack deleted"} else 2):
        comes_in(home, steady("Anna", NOW + hour * HOUR, 300, 100 + hour))
        take_copy(home, now_ms=lambda hour=hour: NOW - 9000 * HOUR + hour)
    before = {c.number for c in the_backup(home).copies()}
    whole = brought_back(home, tmp_path / "before")
    comes_in(home, steady("Anna", NOW + 99 * HOUR, 900, 133))
    killed = hartslag("--data", home.data, "backup", env={"HARTSLAG_CRASH_AT": point})
    assert killed.returncode == -9, killed.stderr
    left = {c.number for c in the_backup(home).copies()}
    assert max(before) in left
    for number in left:
        brought_back(home, tmp_path / f"left{number}", number)
    assert brought_back(home, tmp_path / "same", max(before)) == whole
    assert hartslag("--data", home.data, "backup").returncode == 0
    assert brought_back(home, tmp_path / "after") == content_of(home.data)
    assert list(the_backup(home).folder.rglob(".*")) == []
    assert size_of(the_backup(home).folder) < 400_000
