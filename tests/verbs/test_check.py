"""`hartslag check`, the doctor: what it looks at, how well it says that is, and what to do about it."""

import json
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from ingest.backup.state import BackupState, note
from ingest.daemon.inspection import look_over_store
from ingest.household import view_journal
from ingest.journal import Journal
from ingest.language import ENGLISH, languages
from ingest.settings.file import load
from ingest.settings.model import Settings
from ingest.stores.sqlite import SqliteStore
from ingest.system.lock import only_daemon
from ingest.system.permissions import allowed
from ingest.verbs import check_machine
from ingest.verbs.check import findings, worst
from ingest.verbs.finding import FAIL, OK, WARN, Finding
from tests.support.households import a_file, filled, hartslag, household, steady
from tests.support.languages import speaking
from tests.support.small_disk import fill, small_disk

NOW_MS = time.time_ns() // 1_000_000
DAY_MS = 86_400_000


def seen(folder: Path, settings: str = "") -> dict[str, list[Finding]]:
    """What is found, by what it is about."""
    if settings:
        (folder / "hartslag.toml").write_text(settings)
    found: dict[str, list[Finding]] = {}
    if not Settings(folder).journal_file.exists():
        Journal(Settings(folder).journal_file).close()
    asked = load(None, folder, {}, folder)
    with view_journal(asked) as journal:
        for finding in findings(asked, journal):
            found.setdefault(finding.subject, []).append(finding)
    return found


def test_each_line_says_how_well_it_is_and_the_whole_in_a_sentence(tmp_path: Path) -> None:
    """Protects who asks once a year, and the program that asks each hour: words for one, words and a status for the other."""
    with household(tmp_path, [steady("Jan", NOW_MS - 60_000, 60, 100)]) as journal:
        filled(journal, Settings(tmp_path).store_file)
    answer = hartslag("--data", tmp_path, "check")
    assert {line[:6].strip() for line in answer.lines[:-2]} <= {OK, WARN, ""}
    assert "OK    Journal" in answer.out
    assert (answer.lines[-1], answer.code) == ("It works; what begins with WARN wants a look.", 0)
    told = json.loads(hartslag("--data", tmp_path, "check", "--json").out)
    assert told["status"] == WARN
    assert {f["subject"] for f in told["findings"]} >= {
        "settings",
        "daemon",
        "room",
        "clock",
        "journal",
        "backup",
        "store",
    }
    Settings(tmp_path).journal_file.chmod(0o644)
    answer = hartslag("--data", tmp_path, "check", "--json")
    assert (json.loads(answer.out)["status"], answer.code) == (FAIL, 1)


def test_a_watch_that_never_came_in_is_named(tmp_path: Path) -> None:
    """Protects who mistypes a serial number: its name would never appear, and nothing else would say why."""
    (tmp_path / "hartslag.toml").write_text(
        '[[watch]]\nserial = 77\nname = "Anna\'s watch"\n[[watch]]\nserial = 78\nname = "The new one"\n'
    )
    with household(tmp_path) as journal, journal.write() as w:
        w.source(w.person("Anna"), "garmin-77-monitoring", "monitoring", 1)
    (told,) = seen(tmp_path)["watch"]
    assert told.seen == (
        "Watch The new one: no file of serial number 78 has come in; `hartslag status` names those that have"
    )


def test_a_daemon_that_does_not_run_or_knows_older_settings_is_seen(tmp_path: Path) -> None:
    """Protects from weeks of nothing: that the daemon is not there is the first thing to know."""
    settings = Settings(tmp_path)
    (stopped,) = seen(tmp_path)["daemon"]
    with only_daemon(tmp_path, settings.mark):
        (runs,) = seen(tmp_path)["daemon"]
    with only_daemon(tmp_path, "other"):
        (older,) = seen(tmp_path, "[inbox]\nsettle_s = 1\n")["daemon"]
    assert [f.level for f in (stopped, runs, older)] == [WARN, OK, WARN]
    assert "does not know of it" in older.seen


def test_room_is_told_in_days_by_what_was_recorded_lately(tmp_path: Path) -> None:
    """Protects from a card that is full on holiday, and from alarm on the day on which ten years of files were brought."""
    with household(
        tmp_path, [*(steady("Jan", NOW_MS - d * DAY_MS, 3600, 100) for d in range(1, 20))]
    ) as journal:
        held = sum(p.stat().st_size for p in (tmp_path / "journal").iterdir())
        daily = check_machine.daily_bytes(Settings(tmp_path), journal)
    with household(tmp_path / "old", [steady("Jan", NOW_MS - 1000 * DAY_MS, 3600, 100)]) as old:
        assert check_machine.daily_bytes(Settings(tmp_path / "old"), old) is None
    assert daily is not None
    assert daily == pytest.approx(held / 28, rel=0.2)


def test_what_a_process_writes_is_what_the_kernel_counted(tmp_path: Path) -> None:
    """Protects the card: a fault that writes a gigabyte a day is seen before the card is worn out."""
    here = tmp_path / "7"
    here.mkdir()
    (here / "io").write_text("rchar: 5\nwchar: 6\nwrite_bytes: 48000000\ncancelled_write_bytes: 0\n")
    tick = os.sysconf("SC_CLK_TCK")
    (here / "stat").write_text(f"7 (hart slag) S {' '.join('0' for _ in range(18))} {1000 * tick} 0 0\n")
    (tmp_path / "uptime").write_text("44200.50 80000.00\n")
    written = check_machine.written_bytes(7, tmp_path)
    assert written is not None
    assert written == pytest.approx((48_000_000, 43_200.5))
    assert check_machine.written_bytes(8, tmp_path) is None


def test_days_that_go_by_another_zone_than_the_computer_are_named(tmp_path: Path) -> None:
    """Protects the evenings of a household whose Pi was set to its zone after the first start."""
    with household(tmp_path, [steady("Jan", NOW_MS - 60_000, 60, 100)]) as journal, journal.write() as w:
        w.entry(w.person("Jan"), "profile", w.now_ms, None, {"zone": "America/New_York"})

    def told(settings: str = "") -> list[tuple[str, str]]:
        (tmp_path / "hartslag.toml").write_text(settings)
        answer = hartslag("--data", tmp_path, "check", "--json", env={"TZ": "Europe/Amsterdam"})
        return [
            (f["level"], f["seen"]) for f in json.loads(answer.out)["findings"] if f["subject"] == "time zone"
        ]

    words = "Time zone: the days of Jan go by America/New_York, this computer by Europe/Amsterdam"
    assert told() == [(WARN, words)]
    assert told('[[person]]\nname = "Jan"\nzone = "America/New_York"\n') == [(OK, words)]
    assert told('[[person]]\nname = "Jan"\nzone = "Europe/Berlin"\n') == []


def test_files_that_wait_or_were_set_aside_lately_are_named(tmp_path: Path) -> None:
    """Protects the workout whose folder is misspelt, or whose file is broken, from never being missed."""
    with Journal(Settings(tmp_path).journal_file) as journal, journal.write() as w:
        a_file(w, w.person("Jan"), "rejected", "broken.fit", "It ends in the middle.")
    (tmp_path / "inbox" / "ana").mkdir(parents=True)
    (tmp_path / "inbox" / "ana" / "run.fit").write_bytes(b"x" * 100)
    found = seen(tmp_path, '[[person]]\nname = "Anna"\n')
    assert any("ana" in f.seen and "nobody" in f.do for f in found["inbox"])
    assert found["rejected"][0].level == WARN
    assert "broken.fit" in found["rejected"][0].do


def test_copies_are_missed_and_their_age_is_told(tmp_path: Path) -> None:
    """Protects from a dead card: whoever keeps no copy is told what that would cost."""
    (none,) = seen(tmp_path)["backup"]
    (new,) = seen(tmp_path, f'[backup]\nfolder = "{tmp_path / "stick"}"\n')["backup"]
    assert (none.level, new.level) == (WARN, WARN)
    assert "[backup]" in none.do
    assert "none yet" in new.seen


def test_what_the_last_look_at_the_copies_found_is_told(tmp_path: Path) -> None:
    """Protects from copies that cannot be trusted: a disk that fails, files that are in none, and whose copies are there."""
    settings = f'[backup]\nfolder = "{tmp_path / "stick"}"\n'
    seen(tmp_path, settings)
    asked, unread = load(None, tmp_path, {}, tmp_path), ("archive/a.fit", "archive/b\x1b[2J.fit")
    note(asked, BackupState(str(asked.backup_folder), NOW_MS, NOW_MS, 1))
    assert [f.level for f in seen(tmp_path)["backup"]] == [OK]
    note(asked, BackupState(str(asked.backup_folder), NOW_MS, NOW_MS, 1, others=1, damaged=3, unread=unread))
    age, damaged, missing, others = seen(tmp_path)["backup"]
    assert [f.level for f in (age, damaged, missing, others)] == [OK, WARN, WARN, OK]
    assert "something else than was written" in damaged.seen
    assert "2 files are not in them" in missing.seen
    assert missing.do == '"archive/a.fit", "archive/b\\x1b[2J.fit"'
    assert "restore --list" in others.do


def test_a_journal_that_cannot_be_opened_is_a_finding_and_all_else_is_looked_at(tmp_path: Path) -> None:
    """Protects who has a broken card from being told of nothing else."""
    with household(tmp_path):
        pass
    Settings(tmp_path).journal_file.write_bytes(b"no database at all" * 1000)
    answer = hartslag("--data", tmp_path, "check")
    assert answer.code == 1
    assert answer.err == ""
    assert "FAIL  " in answer.out
    assert "OK    Settings" in answer.out


def test_what_another_user_may_read_is_known_by_the_modes(tmp_path: Path) -> None:
    """Protects Grafana's panels: a folder above the store that is closed to its user is named, the store itself otherwise."""
    store = tmp_path / "data" / "store" / "hartslag.db"
    store.parent.mkdir(parents=True)
    store.write_bytes(b"")
    for path in (tmp_path, *tmp_path.parents):
        if path.stat().st_uid == os.getuid() and not path.stat().st_mode & 1:
            path.chmod(path.stat().st_mode | 0o011)
    other, group = os.getuid() + 4321, {store.stat().st_gid}
    store.parent.chmod(0o750)
    store.chmod(0o640)
    (tmp_path / "data").chmod(0o750)
    assert allowed(store, other, group) is None
    assert allowed(store, other, set()) == tmp_path / "data"
    store.chmod(0o600)
    assert allowed(store, other, group) == store
    (tmp_path / "data").chmod(0o700)
    assert allowed(store, other, group) == tmp_path / "data"


def test_the_worst_decides() -> None:
    """Protects monitoring from an average."""
    assert [
        worst([Finding(level, "", "") for level in levels]) for levels in ((), (OK, WARN), (WARN, FAIL, OK))
    ] == [
        OK,
        WARN,
        FAIL,
    ]


@pytest.mark.parametrize("language", languages())
def test_a_server_that_is_away_is_said_once(language: str, tmp_path: Path) -> None:
    """Protects from two alarms for one thing: what the daemon noted and what is seen now are the same."""
    (tmp_path / "hartslag.toml").write_text(
        f'language = "{language}"\n[influx]\nurl = "http://127.0.0.1:9"\n'
    )
    with household(tmp_path) as journal, journal.write() as w:
        w.store_error(
            "influx",
            "The server at http://127.0.0.1:9 cannot be reached, as nothing listens at its port 9; see that it runs; what"
            " it misses is kept and sent when it is back.",
        )
    with speaking(language):
        told = [f for f in seen(tmp_path)["store"] if "127.0.0.1:9" in f.seen and f.level != OK]
    assert [f.level for f in told] == [FAIL], told
    assert ("listens" in told[0].seen) == (language == ENGLISH)


def test_on_a_full_disk_a_healthy_store_is_not_called_broken(tmp_path: Path) -> None:
    """Protects a store that is well: without room nobody can look at it, so the disk alone is told of, and nothing is made anew."""
    with small_disk(tmp_path / "small", "6m") as small:
        data = small / "data"
        with household(data, [steady("Jan", NOW_MS - DAY_MS, 600, 120)]) as journal:
            filled(journal, Settings(data).store_file)
        store = Settings(data).store_file
        # What a power cut leaves behind: something in the log, and no index of it.
        with SqliteStore(store) as held, closing(sqlite3.connect(store)) as db:
            assert held.faults() == []
            db.execute("PRAGMA wal_autocheckpoint = 0")
            db.execute("CREATE TABLE another (a)")
            left = {end: store.with_name(store.name + end).read_bytes() for end in ("", "-wal")}
        for end, content in left.items():
            store.with_name(store.name + end).write_bytes(content)
        fill(small / "full")
        answer = hartslag("--data", data, "check")
        failed = [line for line in answer.out.splitlines() if line.startswith("FAIL")]
        assert len(failed) == 1
        assert "MB are free where" in failed[0]
        assert "rebuild" not in answer.out
        look_over_store(Settings(data))
        assert store.exists()
        (small / "full").unlink()
        assert "hartslag.db: whole" in hartslag("--data", data, "check").out
