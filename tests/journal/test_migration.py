"""Bringing an older journal up to date: nothing in it changes, and a whole copy of it as it was lies beside it."""

import shutil
import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest

from ingest.errors import Stop, TryLater
from ingest.journal import ALWAYS_MS, Counts, Journal, Notifications
from ingest.journal.schema import MIGRATIONS, applied
from ingest.system.sqlite import PAGE_BYTES
from tests.support.air.heart import measurement

OLD = Path(__file__).parent.parent / "support" / "old_journals" / "straps.sql"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal that an older version wrote and closed."""
    path = tmp_path / "journal.db"
    path.touch(0o600)
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(OLD.read_text())
    return path


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as db:
        return list(db.iterdump())


def copy_of(path: Path) -> Path:
    return path.with_name("journal.db.before-characteristics")


def test_an_older_journal_is_read_as_it_was_and_goes_on(path: Path) -> None:
    """Protects years of recordings: what files and straps brought is read back, and what comes now joins it."""
    with Journal(path) as journal:
        assert applied(journal._db) == [name for name, _ in MIGRATIONS]
        assert journal.id == "9a94fed223b64760fdf9b78b74a29777"
        workout, strap = journal.chunks(1, -ALWAYS_MS, ALWAYS_MS)
        assert workout.columns.series.bpm.tolist() == [120, 121, 125, 130, 128, 119]
        assert strap.columns.series.bpm.tolist() == [70, 71, 72, 73, 74, 75]
        assert len(strap.columns.rr_ms) == 8
        assert strap.notifications is not None
        assert (strap.connection, strap.notifications.characteristic) == (("boot", 1500), "2A37")
        with journal.write() as w:
            w.notifications(1, 2, Notifications.from_arrivals("boot", 1500, [(8000, measurement(76))]))
            assert w.merge({}) == 2
        _, strap = journal.chunks(1, -ALWAYS_MS, ALWAYS_MS)
        assert strap.columns.series.bpm.tolist() == [70, 71, 72, 73, 74, 75, 76]
        assert (journal.size()["samples"], journal.size()["beats"]) == (13, 8)
        assert journal.store_errors() == {"sqlite": "the disk is full"}
        with journal.write() as w:
            w.store_error("sqlite", None)
            w.store_error("influx", "it does not answer")
        assert journal.store_errors() == {"influx": "it does not answer"}
        assert (journal.faults(), list(journal.broken_chunks())) == ([], [])


def test_a_daemon_of_the_version_before_goes_on(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Protects what is recorded while an update is installed: the old daemon writes to the new tables as it always did."""
    caplog.set_level("INFO")
    with Journal(path) as journal:
        assert [f"lies in {copy_of(path)}" in r.getMessage() for r in caplog.records] == [True]
        with closing(sqlite3.connect(path)) as old:
            old.execute(
                "INSERT INTO reader VALUES ('influx', 7, 'away', 5) ON CONFLICT (name) DO UPDATE SET"
                " position = 7, error = 'away', error_ms = iif('away' IS NULL, NULL, coalesce(error_ms, 5))"
            )
            old.execute("INSERT INTO connection (source, boot, began_ms) VALUES (2, 'boot', 99)")
            old.commit()
        assert journal.store_errors()["influx"] == "away"


def test_a_whole_copy_is_made_before_and_kept(path: Path) -> None:
    """Protects who goes back a version: the copy is the journal as it was, private, and never made twice."""
    before = dump(path)
    path.with_name(".journal.db.before-characteristics.tmp").write_bytes(b"half of one, from a power cut")
    with Journal(path):
        pass
    copy = copy_of(path)
    assert dump(copy) == before
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert sorted(p.name for p in path.parent.iterdir()) == ["journal.db", copy.name]
    made = copy.stat().st_mtime_ns, copy.stat().st_ino
    with Journal(path):
        assert (copy.stat().st_mtime_ns, copy.stat().st_ino) == made


def test_a_new_journal_needs_no_copy(tmp_path: Path) -> None:
    """Protects the card and the reader of a folder: nothing is copied where there was nothing."""
    together = [threading.Thread(target=lambda: Journal(tmp_path / "journal.db").close()) for _ in range(4)]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join()
    assert [p.name for p in tmp_path.iterdir()] == ["journal.db"]


def test_of_many_who_open_it_at_once_one_makes_the_copy(path: Path) -> None:
    """Protects the copy from being one of the journal as it became: whoever comes second finds it done."""
    before, said = dump(path), list[BaseException]()

    def opened() -> None:
        try:
            Journal(path).close()
        except BaseException as e:  # noqa: BLE001 - of a thread nobody else would hear
            said.append(e)

    together = [threading.Thread(target=opened) for _ in range(4)]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join()
    assert not said
    assert dump(copy_of(path)) == before


def test_without_room_for_the_copy_nothing_is_changed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects the only journal there is: it waits, with words, until there is room for two."""
    before = dump(path)
    with monkeypatch.context() as disk:
        disk.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 0))
        with pytest.raises(
            TryLater, match=r"no room for the copy journal\.db\.before-characteristics .* Make"
        ):
            Journal(path)
    assert dump(path) == before
    assert not copy_of(path).exists()
    with Journal(path) as journal:
        assert applied(journal._db) == [name for name, _ in MIGRATIONS]


def test_a_folder_that_takes_no_copy_is_said(path: Path) -> None:
    """Protects the owner from a riddle: the copy, what is wrong with it, and what to do are named."""
    path.with_name(".journal.db.before-characteristics.tmp").mkdir()
    with pytest.raises(TryLater, match=r"before-characteristics .* cannot be written: .* Check"):
        Journal(path)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ("UPDATE connection SET characteristic = '2A99'", "2A99"),
        ("UPDATE chunk SET packing = 7 WHERE connection IS NOT NULL", r"packed .*\(7\)"),
        ("UPDATE chunk SET packing = 8 WHERE connection IS NULL", r"packed .*\(8\)"),
    ],
)
def test_what_a_newer_version_wrote_is_refused_in_words(path: Path, change: str, word: str) -> None:
    """Protects from numbers out of octets that this version reads otherwise than they were written."""
    with Journal(path):
        pass
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(change)
    with Journal(path) as journal, pytest.raises(Stop, match=word):
        journal.chunks(1, -ALWAYS_MS, ALWAYS_MS)


def test_a_connection_brings_one_characteristic(path: Path) -> None:
    """Protects decoding: octets of another characteristic never lie under the name of the first."""
    strange = Notifications.from_arrivals("boot", 1500, [(9000, b"\0")], "2A99")
    with Journal(path) as journal:
        for counts, error in ((None, Stop), (Counts(0, 0), ValueError)):
            with pytest.raises(error, match="2A99"), journal.write() as w:
                w.notifications(1, 2, strange, counts)
