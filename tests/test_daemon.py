"""The daemon as its owner meets it: started, fed, disturbed, stopped."""

import fcntl
import json
import os
import shutil
import signal
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from ingest.collect.strap_state import ADVICE
from ingest.demo.fit_encoder import day, workout
from tests.support.bluez.bluez import Fault, played
from tests.support.bluez.bus import Bus, state_without_a_bus
from tests.support.daemons import QUICK, daemon, hartslag, journal, left_behind, rows, settled, store, until
from tests.support.preloaded import PATIENCE_S
from tests.support.small_disk import fill, small_disk

START = 1_100_000_000  # FIT era: November 2024
STRAP = "F0:00:00:00:00:01"


def _started(data: Path) -> None:
    until(lambda: rows(store(data), "SELECT 1 FROM replica"), "the daemon to start")


def _log(data: Path) -> str:
    return (data.parent / f"{data.name}.log").read_text()


def test_two_real_files_become_this_weeks_minutes_within_ten_seconds(fit_files: Path, tmp_path: Path) -> None:
    """The main job with the defaults: dropped files are stored and counted before anybody gets impatient."""
    data = tmp_path / "data"
    with daemon(data, settings=""):
        _started(data)
        for name in ("78TH1430.FIT", "796A4003.FIT"):
            shutil.copy(fit_files / name, data / "inbox")
        dropped = time.monotonic()
        until(lambda: rows(store(data), "SELECT count(*) FROM week") == [(2,)], "both weeks")
        until(lambda: max(rows(store(data), "SELECT moderate_min FROM week")) != (0.0,), "minutes")
        took_s = time.monotonic() - dropped
    assert took_s < 10
    weeks = {w["week"]: w for w in json.loads(hartslag("--data", data, "week", "--json").stdout)}
    assert set(weeks) == {"2017-W35", "2017-W36"}
    # The watch itself counted 396 s of 3896 at or above 118 bpm of its own maximum of 185.
    assert weeks["2017-W36"]["moderate_min"] == pytest.approx(6.27, abs=0.01)
    in_store = {round(m, 6) for (m,) in rows(store(data), "SELECT moderate_min FROM week")}
    assert in_store == {round(w["moderate_min"], 6) for w in weeks.values()}
    status = json.loads(hartslag("--data", data, "status", "--json").stdout)
    assert status["inbox"]["stored"] == 2
    assert status["inbox"]["waiting"] == 0
    assert sorted(p.name for p in (data / "archive" / "2017").iterdir()) == ["78TH1430.FIT", "796A4003.FIT"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly(number: signal.Signals, tmp_path: Path) -> None:
    """Ctrl-C and systemd's stop end it with 0, without a traceback and without a process left over."""
    data = tmp_path / "data"
    (data / "inbox").mkdir(parents=True)
    (data / "inbox" / "run.fit").write_bytes(workout(START, [120] * 60))
    with daemon(data) as process:
        until(lambda: settled(data), "the file")
        process.send_signal(number)
        assert process.wait(PATIENCE_S) == 0
    assert "Traceback" not in _log(data)
    children = [p for p in Path("/proc").glob("[0-9]*/stat") if _parent(p) == process.pid]
    assert not children


def _parent(stat: Path) -> int:
    try:
        return int(stat.read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def test_a_second_daemon_is_refused(tmp_path: Path) -> None:
    """Two daemons on one folder would take the same file twice; the second says who the first is."""
    data = tmp_path / "data"
    with daemon(data) as process:
        _started(data)
        second = hartslag("--data", data, "run")
    assert second.returncode == 1
    assert str(process.pid) in second.stderr
    assert "Traceback" not in second.stderr


def test_wrong_settings_end_it_at_once_with_every_mistake(tmp_path: Path) -> None:
    """Systemd must not restart a daemon that only its owner can mend: exit code 78, each mistake a line."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "hartslag.toml").write_text('[[person]]\nnmae = "Anna"\nborn = "old"\n')
    ended = hartslag("--data", data, "run")
    assert ended.returncode == 78
    assert "name" in ended.stderr
    assert "born" in ended.stderr
    assert not (data / "journal").exists()


def test_status_tells_of_settings_that_a_running_daemon_has_not_read(tmp_path: Path) -> None:
    """Who writes settings beside a daemon that began without any is told to start it anew, until it was."""
    data = tmp_path / "data"
    told = "The settings were changed since the daemon started"
    with daemon(data):
        _started(data)
        before = hartslag("--data", data, "status").stdout
        (data / "hartslag.toml").write_text('[[person]]\nname = "Jan"\nborn = 1970\n')
        after = hartslag("--data", data, "status").stdout
    with daemon(data):
        _started(data)
        anew = hartslag("--data", data, "status").stdout
    assert [told in words for words in (before, after, anew)] == [False, True, False]


def test_an_unknown_folder_waits_and_status_says_which_line_helps(tmp_path: Path) -> None:
    """With settings, a mistyped folder is not a new person; its files lie there untouched until it is named."""
    data = tmp_path / "data"
    file = data / "inbox" / "Jan" / "run.fit"
    file.parent.mkdir(parents=True)
    file.write_bytes(workout(START, [120] * 60))
    settings = QUICK + '[[person]]\nname = "Anna"\n'
    with daemon(data, settings=settings):
        _started(data)
        time.sleep(2.5)
        assert file.exists()
        status = hartslag("--data", data, "status").stdout
    assert 'name = "Jan"' in status
    with daemon(data, settings=settings + '[[person]]\nname = "Jan"\n'):
        until(lambda: not file.exists(), "the file of Jan")
    assert rows(journal(data), "SELECT p.name FROM file f JOIN person p ON p.id = f.person") == [("Jan",)]


def test_the_store_may_be_deleted_while_it_runs(tmp_path: Path) -> None:
    """A deleted store is made anew with the same rows; nobody has to restart anything."""
    data = tmp_path / "data"
    (data / "inbox").mkdir(parents=True)
    (data / "inbox" / "run.fit").write_bytes(workout(START, [120] * 600))
    with daemon(data):
        until(lambda: settled(data), "the file")
        before = left_behind(data)
        for path in store(data).parent.glob("hartslag.db*"):
            path.unlink()
        until(lambda: settled(data), "the new store")
        assert left_behind(data) == before


def test_a_damaged_store_is_made_anew(tmp_path: Path) -> None:
    """A card that garbles the store costs nothing: it is only a replica."""
    data = tmp_path / "data"
    (data / "inbox").mkdir(parents=True)
    (data / "inbox" / "run.fit").write_bytes(workout(START, [120] * 600))
    with daemon(data):
        until(lambda: settled(data), "the file")
    before = left_behind(data)
    for path in store(data).parent.glob("hartslag.db-*"):
        path.unlink()
    store(data).write_bytes(os.urandom(4096))
    with daemon(data):
        until(lambda: _readable(data) and settled(data), "the new store")
        assert left_behind(data) == before


def _readable(data: Path) -> bool:
    try:
        return store(data).read_bytes().startswith(b"SQLite format 3")
    except OSError:
        return False


def test_a_store_that_is_away_never_holds_up_collection(tmp_path: Path) -> None:
    """With a folder in place of the store, files are still taken, status says what is wrong, and it catches up."""
    data = tmp_path / "data"
    store(data).mkdir(parents=True)
    (data / "inbox").mkdir()
    (data / "inbox" / "run.fit").write_bytes(workout(START, [120] * 600))
    with daemon(data):
        until(lambda: rows(journal(data), "SELECT 1 FROM arrival WHERE filed"), "the file")
        until(
            lambda: rows(journal(data), "SELECT 1 FROM reader WHERE error IS NOT NULL"),
            "the error to be noted",
        )
        status = json.loads(hartslag("--data", data, "status", "--json").stdout)
        assert status["stores"][0]["behind"] > 0
        assert str(store(data)) in status["stores"][0]["last_error"]
        store(data).rmdir()
        until(lambda: settled(data), "the store")
        until(
            lambda: rows(journal(data), "SELECT 1 FROM reader WHERE error IS NULL AND name <> 'counted'"),
            "the error to be over",
        )
    assert _log(data).count("cannot be written") == 1


def test_add_beside_a_running_daemon(tmp_path: Path) -> None:
    """Any process may append: what `add` takes reaches the store that the daemon keeps, once."""
    data = tmp_path / "data"
    given = tmp_path / "given"
    given.mkdir()
    (given / "run.fit").write_bytes(workout(START, [120] * 600))
    with daemon(data):
        _started(data)
        (data / "inbox" / "day.fit").write_bytes(day(START + 86_400, [70] * 100))
        added = hartslag("--data", data, "add", "--json", given / "run.fit")
        assert added.returncode == 0, added.stderr
        until(lambda: len(rows(store(data), "SELECT 1 FROM collector")) == 2, "both files in the store")
        until(lambda: settled(data), "everything to settle")
    assert (given / "run.fit").exists()
    assert rows(store(data), "SELECT count(*) FROM heart_rate") == [(700,)]


def test_a_folder_of_several_hundred_files_is_worked_off(tmp_path: Path) -> None:
    """A year of files at once: each is stored once, and memory does not grow with their number."""
    data = tmp_path / "data"
    (data / "inbox").mkdir(parents=True)
    for i in range(300):
        (data / "inbox" / f"{i}.fit").write_bytes(workout(START + i * 90_000, [100 + i % 50] * 120))
    with daemon(data) as process:
        until(lambda: len(rows(journal(data), "SELECT 1 FROM file")) >= 60, "the first sixty")
        early_kib = _resident_kib(process.pid)
        until(lambda: settled(data), "all of them")
        late_kib = _resident_kib(process.pid)
    assert rows(journal(data), "SELECT outcome, count(*) FROM file GROUP BY 1") == [("stored", 300)]
    assert late_kib < early_kib + 20_000
    assert rows(store(data), "SELECT count(*) FROM heart_rate") == [(300 * 120,)]


def _resident_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def test_it_tells_systemd_when_it_is_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Type=notify: without this word systemd would kill a daemon that works."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        heard.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        with daemon(tmp_path / "data"):
            while b"READY=1" not in heard.recv(4096):
                pass


@pytest.mark.root
def test_a_card_that_is_full_loses_nothing(tmp_path: Path) -> None:
    """With no room for the journal a file stays in the inbox, and is taken once there is room."""
    # The log lies elsewhere, as systemd's does.
    with small_disk(tmp_path / "data", "2500k") as data:
        filler = data / "filler"
        with daemon(data):
            _started(data)
            # It comes once the disk is full: one that lay there before could be taken, empty or whole, while there was room.
            coming = data / "inbox" / "run.fit.part"
            coming.write_bytes(workout(START, [60 + i * 7 % 90 for i in range(2000)]))
            fill(filler)
            coming.rename(data / "inbox" / "run.fit")
            until(lambda: "full" in _log(data) or "No space" in _log(data), "a word about the full disk")
            assert (data / "inbox" / "run.fit").exists()
            told = hartslag("--data", data, "status").stdout
            assert '"run.fit": ' in told
            assert "the disk is full" in told
            assert "{" not in told
            filler.unlink()
            until(lambda: settled(data), "the file")
        assert rows(store(data), "SELECT count(*) FROM heart_rate") == [(2000,)]


def test_it_starts_on_a_full_card_and_keeps_what_straps_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects a workout on a card without room: the daemon stays, says what is wrong, and writes all of it later."""
    settings = f'{QUICK}[[person]]\nname = "Anna"\n[[strap]]\naddress = "{STRAP}"\n'
    with small_disk(tmp_path / "data", "2500k") as data, Bus(tmp_path) as bus, played(bus.address) as air:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        with daemon(data, settings=QUICK + '[[person]]\nname = "Anna"\n'):
            _started(data)
        (data / "hartslag.toml").write_text(settings)
        fill(data / "filler")
        strap = air.do(air.bluez.strap, STRAP, period_s=0.2)
        with daemon(data, settings=settings) as process:
            until(lambda: len(strap.delivered) > 30, "the strap to be heard")
            assert process.poll() is None
            assert "the disk is full" in _log(data)
            (data / "filler").unlink()
            held = "SELECT coalesce(sum(notified), 0) FROM chunk"
            until(lambda: rows(journal(data), held)[0][0] > 30, "what was told meanwhile")
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 0
        # One may have been on its way when the link was ended.
        assert rows(journal(data), held)[0][0] in {len(strap.delivered) - 1, len(strap.delivered)}


def _store_error(data: Path) -> str:
    status = json.loads(hartslag("--data", data, "status", "--json").stdout)
    return str(status["stores"][0]["last_error"])


@pytest.mark.parametrize("held", ["store/lock", "journal/journal.db"])
def test_what_another_process_holds_keeps_neither_the_others_nor_the_end(held: str, tmp_path: Path) -> None:
    """Protects from a verb that is stopped by Ctrl-Z: it is said, the rest goes on, and the daemon ends when told to."""
    data = tmp_path / "data"
    with daemon(data) as process:
        _started(data)
        with _held(data / held):
            (data / "inbox" / "run.fit").write_bytes(workout(START, [120] * 60))
            if held == "store/lock":
                until(lambda: rows(journal(data), "SELECT 1 FROM arrival WHERE filed"), "the file")
                until(lambda: "held by another process" in _log(data), "a word about it")
                until(lambda: "held by another process" in _store_error(data), "the same in status")
            else:
                time.sleep(2)
            process.send_signal(signal.SIGTERM)
            assert process.wait(8) == 0
    with daemon(data):
        until(lambda: settled(data), "the file after all")
    assert rows(store(data), "SELECT count(*) FROM heart_rate") == [(60,)]


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """A lock, or the right to write into a database, in somebody else's hands."""
    if path.suffix == ".db":
        with closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as db:
            db.execute("BEGIN IMMEDIATE")
            yield
    else:
        with path.open("r+b") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield


def test_a_huge_file_holds_nothing_up(tmp_path: Path) -> None:
    """Sixteen gigabytes of nothing are set aside by looking at their size, not by reading them."""
    data = tmp_path / "data"
    (data / "inbox").mkdir(parents=True)
    with (data / "inbox" / "a huge one.fit").open("wb") as out:
        out.truncate(16 << 30)
    (data / "inbox" / "run.fit").write_bytes(workout(START, [120] * 60))
    with daemon(data):
        until(lambda: settled(data), "both files")
    assert rows(journal(data), "SELECT outcome FROM file ORDER BY 1") == [("rejected",), ("stored",)]
    assert "larger than 64 MB" in (data / "rejected" / "a huge one.fit.txt").read_text()


def test_status_says_why_each_file_waits(tmp_path: Path) -> None:
    """Whoever asks why a file still lies there gets the true reason, and first of all what they must do themselves."""
    data = tmp_path / "data"
    inbox = data / "inbox"
    (inbox / "a" / "b" / "c" / "d" / "e" / "f" / "g" / "h" / "i").mkdir(parents=True)
    whole = workout(START, [120] * 60)
    (inbox / "copying.fit.part").write_bytes(whole)
    (inbox / "cut.fit").write_bytes(whole[:-20])
    (inbox / "run.fit").write_bytes(whole)
    (inbox / "CON").mkdir()
    (inbox / "CON" / "run.fit").write_bytes(whole)
    with daemon(data, settings=QUICK + "\n"):
        _started(data)
    (inbox / "run.fit").write_bytes(workout(START + 1000, [120] * 60))
    files = json.loads(hartslag("--data", data, "status", "--json").stdout)["inbox"]["files"]
    why = {f["file"]: f["why"] for f in files}
    assert "deep" in why["a/b/c/d/e/f/g/h/i/"]
    assert "still being copied" in why["copying.fit.part"]
    assert "cannot be the name of a person" in why["CON/"]
    assert "does not run" in why["run.fit"]
    assert "ends too early" in why["cut.fit"]
    assert {f["file"] for f in files[-2:]} == {"copying.fit.part", "cut.fit"}


def test_straps_inbox_and_store_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole: a strap is heard while a file is taken, both are in the store within seconds, and the end loses nothing."""
    data = tmp_path / "data"
    settings = f'{QUICK}[[person]]\nname = "Anna"\n[[strap]]\naddress = "{STRAP}"\n'
    with Bus(tmp_path) as bus, played(bus.address) as air:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        strap = air.do(air.bluez.strap, STRAP, period_s=0.2, battery_pct=12)
        with daemon(data, settings=settings) as process:
            (data / "inbox").mkdir(parents=True, exist_ok=True)
            (data / "inbox" / "run.fit").write_bytes(workout(START, [120] * 60))
            live = f"SELECT 1 FROM heart_rate WHERE source = 'strap {STRAP}'"
            until(lambda: len(rows(store(data), live)) > 20, "live samples")
            until(lambda: rows(journal(data), "SELECT 1 FROM arrival WHERE filed"), "the file")
            (now,) = json.loads(hartslag("--data", data, "status", "--json").stdout)["straps"]
            assert (now["state"], now["battery_pct"], now["person"]) == ("connected", 12, "Anna")
            assert now["age_s"] < 10
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 0
        assert strap.link is None
        told = len(strap.delivered)
    log = _log(data)
    assert log.count("battery is at 12 %") == 1
    assert "Traceback" not in log
    with daemon(data, settings=QUICK + '[[person]]\nname = "Anna"\n'):
        # One may have been on its way when the link was ended.
        until(lambda: len(rows(store(data), live)) in {told - 1, told}, "what was told last")
    status = hartslag("--data", data, "status").stdout
    assert "Strap" not in status


def test_a_killed_daemon_takes_its_straps_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After kill -9 BlueZ still holds the link, and a search would find nothing: the next life goes on with it at once."""
    data = tmp_path / "data"
    settings = f'{QUICK}[[strap]]\naddress = "{STRAP}"\n'
    with Bus(tmp_path) as bus, played(bus.address) as air:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        strap = air.do(air.bluez.strap, STRAP, period_s=0.2)
        with daemon(data, settings=settings) as process:
            until(lambda: len(strap.delivered) > 10, "the strap")
            process.kill()
        assert strap.link is not None
        told = len(strap.delivered)
        with daemon(data, settings=settings):
            until(lambda: len(strap.delivered) > told + 10, "the strap again")
        assert air.bluez.connects == 1
        assert strap.link is None


def test_it_ends_although_bluetooth_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bluetoothd that answers nothing any more keeps neither systemd waiting nor the last heart rates from the journal."""
    data = tmp_path / "data"
    with Bus(tmp_path) as bus, played(bus.address) as air:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        strap = air.do(air.bluez.strap, STRAP, period_s=0.2)
        with daemon(data, settings=f'{QUICK}[[strap]]\naddress = "{STRAP}"\n') as process:
            until(lambda: len(strap.delivered) > 10, "the strap")
            for method in ("Disconnect", "StopDiscovery", "StartDiscovery", "GetManagedObjects"):
                air.do(air.bluez.fail, method, Fault(), times=100)
            told = len(strap.delivered)
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 0
    assert "Traceback" not in _log(data)
    assert rows(journal(data), "SELECT sum(notified) FROM chunk")[0][0] >= told - 1


def test_without_bluetooth_everything_else_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Pi without Bluetooth says so once, in one line, and takes files; `status` and `check` have the same line."""
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path / 'nothing'}")
    state = state_without_a_bus()
    data = tmp_path / "data"
    (data / "inbox").mkdir(parents=True)
    (data / "inbox" / "run.fit").write_bytes(workout(START, [120] * 60))
    settings = f'{QUICK}[[strap]]\naddress = "{STRAP}"\n[[strap]]\nname = "Watch"\nserial = "7"\n'
    with daemon(data, settings=settings) as process:
        until(lambda: settled(data), "the file")
        until(
            lambda: rows(journal(data), "SELECT 1 FROM entry WHERE what = 'collector'"), "the straps' states"
        )
        now = json.loads(hartslag("--data", data, "status", "--json").stdout)["straps"]
        assert [s["state"] for s in now] == [state] * 2
        shown = hartslag("--data", data, "status").stdout
        assert ADVICE[state] in " ".join(shown.split())
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    log = _log(data)
    assert log.count(ADVICE[state]) == 1
    assert "Traceback" not in log
    check = hartslag("--data", data, "check")
    assert check.returncode == 1
    assert [line for line in check.stdout.splitlines() if line.startswith("FAIL  Bluetooth: ")]
