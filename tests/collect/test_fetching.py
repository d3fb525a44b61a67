"""Files come from a watch whole and once, whatever is pulled, killed or full meanwhile; the watch is only read."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.collect.fetch_record import FetchState, open_record, read_states
from ingest.collect.fetching import TOGETHER, Fetched, NoRoom, fetch_files
from ingest.collect.watch_memory import MemoryFile, read_memory
from ingest.errors import Stop, TryLater
from ingest.system.crash_points import FETCH_POINTS
from tests.support.recording_disk import RecordingDisk
from tests.support.small_disk import fill, small_disk
from tests.support.watches import make_watch, user_space_folder

LARGEST = 64 << 20


def files_of(watch: Path) -> list[MemoryFile]:
    found = read_memory(watch)
    assert found is not None
    return found.files


def bring(watch: Path, data: Path, *, largest: int = LARGEST) -> Fetched:
    """One time that the watch is plugged in."""
    with open_record(data / "watches", FetchState("77")) as record:
        return fetch_files(files_of(watch), data / "inbox" / "watch-77", record, largest_bytes=largest)


def contents(folder: Path) -> dict[str, str]:
    """Each file below a folder by its name, with a fingerprint of what it holds."""
    files = (p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def recordings(watch: Path) -> dict[str, str]:
    found = contents(watch / "GARMIN")
    return {name: mark for name, mark in found.items() if name.startswith(("Activity", "Monitor"))}


def test_each_file_comes_once(tmp_path: Path) -> None:
    """Protects the card and the patience of whoever plugs in each day: only what is new or changed is copied again."""
    watch, data = make_watch(tmp_path / "watch"), tmp_path / "data"
    before = contents(watch)
    assert bring(watch, data) == Fetched(new=6, fetched=6)
    inbox = data / "inbox" / "watch-77"
    assert contents(inbox) == recordings(watch)
    assert contents(watch) == before
    for path in inbox.rglob("*.FIT"):
        path.unlink()  # taken by the daemon
    assert bring(watch, data) == Fetched()
    make_watch(watch, 1, first=6)
    grown = watch / "GARMIN" / "Monitor" / "002.FIT"
    grown.write_bytes(grown.read_bytes() + b"more of the day")
    assert bring(watch, data) == Fetched(new=2, fetched=2)
    assert sorted(contents(inbox)) == ["Activity/006.FIT", "Monitor/002.FIT"]


def test_the_inbox_never_sees_half_a_file(tmp_path: Path) -> None:
    """Protects against a power cut: the card remembers what a file holds before it has its name, and its name before it is noted."""
    disk = RecordingDisk(tmp_path)
    with open_record(tmp_path / "watches", FetchState("77"), disk) as record:
        files = files_of(make_watch(tmp_path / "watch", 2))
        fetch_files(files, tmp_path / "in", record, largest_bytes=LARGEST, disk=disk)
    assert disk.calls == [
        "fsync in/.fetching-77-0",
        "fsync in/.fetching-77-1",
        "rename in/.fetching-77-0 in/Activity/000.FIT",
        "rename in/.fetching-77-1 in/Activity/001.FIT",
        "fsync .",
        "fsync in",
        "fsync in/Activity",
        "fsync watches/77.fetched",
    ]


@pytest.mark.parametrize("which", [1, TOGETHER + 1])
@pytest.mark.parametrize("point", FETCH_POINTS)
def test_a_kill_at_any_step_loses_and_doubles_nothing(point: str, which: int, tmp_path: Path) -> None:
    """Killed at a named point and plugged in again, all files are in the inbox, each whole and under its own name."""
    watch, data = make_watch(tmp_path / "watch", TOGETHER + 3), tmp_path / "data"
    words = [sys.executable, "-m", "ingest", "--data", str(data), "fetch", str(watch)]
    crash = f"{point}:{which if point == 'fetch named' else min(which, 2)}"
    killed = subprocess.run(
        words, env={**os.environ, "HARTSLAG_CRASH_AT": crash}, capture_output=True, check=False
    )
    assert killed.returncode == -9
    inbox = next((data / "inbox").iterdir())
    assert {name: mark for name, mark in contents(inbox).items() if "/" in name}.items() <= recordings(
        watch
    ).items()
    (state,) = read_states(data / "watches")
    assert state.state == "gone"
    assert subprocess.run(words, capture_output=True, check=False).returncode == 0
    assert contents(inbox) == recordings(watch)


def test_a_line_that_was_cut_off_costs_a_copy_only(tmp_path: Path) -> None:
    """Protects against a power cut while a file is noted: it comes again, and those after it are noted as they should be."""
    watch, data = make_watch(tmp_path / "watch", 3), tmp_path / "data"
    bring(watch, data)
    noted = data / "watches" / "77.fetched"
    noted.write_bytes(noted.read_bytes()[:-7])
    assert bring(watch, data) == Fetched(new=1, fetched=1)
    assert bring(watch, data) == Fetched()


def test_a_watch_that_is_pulled_goes_on_next_time(tmp_path: Path) -> None:
    """Protects whoever pulls the cable too early: what came is whole, the rest follows, and nothing hangs."""
    content, data = make_watch(tmp_path / "content", TOGETHER + 8), tmp_path / "data"
    shown = tmp_path / "shown"
    with (
        user_space_folder(content, shown) as process,
        open_record(data / "watches", FetchState("77")) as record,
    ):

        def pull(now: Fetched) -> None:
            if now.fetched:
                process.kill()
                process.wait()

        files = files_of(shown)
        inbox = data / "inbox" / "watch-77"
        found = fetch_files(files, inbox, record, largest_bytes=LARGEST, told=pull)
    assert found == Fetched(new=TOGETHER + 8, fetched=TOGETHER, unreadable=1, is_gone=True)
    assert contents(inbox).items() <= recordings(content).items()
    assert bring(content, data) == Fetched(new=8, fetched=8)
    assert contents(inbox) == recordings(content)


def test_a_bad_file_is_counted_and_the_others_come(tmp_path: Path) -> None:
    """Protects the other files of a watch from one that cannot be read, which is tried again each time."""
    watch, data = make_watch(tmp_path / "watch", 5), tmp_path / "data"
    files = files_of(watch)
    changed = watch / "GARMIN" / "Activity" / "001.FIT"
    changed.write_bytes(changed.read_bytes() * 2)  # while it is being fetched
    with open_record(data / "watches", FetchState("77")) as record:
        found = fetch_files(files, data / "inbox" / "w", record, largest_bytes=LARGEST)
    assert found == Fetched(new=5, fetched=4, unreadable=1)
    assert bring(watch, data) == Fetched(new=1, fetched=1)


def test_what_is_too_large_stays_on_the_watch(tmp_path: Path) -> None:
    """Protects the card from a device that claims gigabytes."""
    watch = make_watch(tmp_path / "watch", 3)
    with (watch / "GARMIN" / "Activity" / "film.fit").open("wb") as out:
        out.truncate(1 << 40)
    assert bring(watch, tmp_path / "data", largest=1 << 20) == Fetched(new=3, fetched=3, too_large=1)


def test_a_full_disk_is_said_and_not_filled_to_the_brim(tmp_path: Path) -> None:
    """Protects what straps tell: a watch never takes the last room, and what came before is kept."""
    watch = make_watch(tmp_path / "watch", 3)
    (watch / "GARMIN" / "Monitor" / "large.FIT").write_bytes(b"x" * (1000 << 10))
    with small_disk(tmp_path / "data", "1M") as data:
        with pytest.raises(NoRoom, match="make room"):
            bring(watch, data)
        inbox = data / "inbox" / "watch-77"
        assert sorted(contents(inbox)) == ["Activity/000.FIT", "Activity/001.FIT", "Monitor/002.FIT"]
        fill(data / "filler")
        make_watch(watch, 1, first=9)
        with pytest.raises(NoRoom):
            bring(watch, data)
        (data / "filler").unlink()
        (watch / "GARMIN" / "Monitor" / "large.FIT").unlink()
        assert bring(watch, data) == Fetched(new=1, fetched=1)


def test_two_at_once_do_not_get_in_each_others_way(tmp_path: Path) -> None:
    """Protects from a watch that is fetched by hand while the system does so."""
    watch, data = make_watch(tmp_path / "watch", 1), tmp_path / "data"
    with (
        open_record(data / "watches", FetchState("77")),
        pytest.raises(TryLater, match="Another process"),
    ):
        bring(watch, data)


def test_an_inbox_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """Protects from silence: who is no friend of the inbox's owner hears of it."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "inbox").touch()
    with pytest.raises(Stop, match="cannot be written"):
        bring(make_watch(tmp_path / "watch", 1), tmp_path / "data")
