"""How things stand, and whether they are as they should be."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from ingest.lock import only_daemon
from ingest.settings import Settings
from tests.households import Event, Noted, a_file, at, filled, hartslag, household, steady

START = at("2026-11-16T10:00+01:00")
HAPPENED: list[Event] = [
    Noted("Jan", (("born", 1970), ("zone", "Europe/Amsterdam"))),
    steady("Jan", START, 60, 120),
]


def test_json_has_the_agreed_shape(tmp_path: Path) -> None:
    """Protects what watches over a household from afar: names, counts, and how far the store is behind."""
    with household(tmp_path, HAPPENED) as journal, journal.write() as w:
        for outcome in ("stored", "stored", "duplicate", "partial", "rejected"):
            a_file(w, 1, outcome, f"{outcome}.fit")
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "new.fit").write_bytes(b"x")
    (tmp_path / "inbox" / "half.fit.part").write_bytes(b"x")
    now = json.loads(hartslag("--data", tmp_path, "status", "--json").out)
    assert {"chunks", "samples", "beats", "bytes"} <= set(now["journal"])
    assert (now["journal"]["chunks"], now["journal"]["samples"], now["journal"]["beats"]) == (1, 60, 0)
    assert {k: now["inbox"][k] for k in ("waiting", "stored", "duplicate", "partial", "rejected")} == {
        "waiting": 2, "stored": 2, "duplicate": 1, "partial": 1, "rejected": 1,
    }  # fmt: skip
    (store,) = now["stores"]
    assert {"name", "behind", "oldest_waiting_s", "last_error"} <= set(store)
    assert (store["name"], store["behind"], store["last_error"]) == ("sqlite", 2, None)
    assert store["oldest_waiting_s"] >= 0
    assert now["straps"] == []
    assert now["daemon"] is None


def test_asking_changes_nothing(tmp_path: Path) -> None:
    """Protects the store from being made, or emptied, by somebody who only looks."""
    with household(tmp_path, HAPPENED):
        pass
    hartslag("--data", tmp_path, "status")
    assert not Settings(tmp_path).store_file.exists()


def test_in_words_with_the_edges_of_today(tmp_path: Path) -> None:
    """Protects the owner's first look: who runs, whose limits hold today, and that all is up to date."""
    with household(tmp_path, HAPPENED) as journal:
        filled(journal, Settings(tmp_path).store_file)
        with only_daemon(tmp_path):
            words = hartslag("--data", tmp_path, "status").out
    assert "The daemon runs (process " in words
    assert "Store sqlite: up to date" in words
    assert "Nes 2013), age " in words
    assert "age 110" not in words


def test_a_whole_household_is_found_whole(tmp_path: Path) -> None:
    """Protects `check` from crying wolf."""
    with household(tmp_path, HAPPENED) as journal:
        filled(journal, Settings(tmp_path).store_file)
    answer = hartslag("--data", tmp_path, "check")
    assert answer.code == 0, answer.out
    assert answer.out.count(": whole") == 2


def test_a_chunk_that_cannot_be_read_back_is_found(tmp_path: Path) -> None:
    """Protects the truth: damage inside a blob is no damage to SQLite, and yet found."""
    with household(tmp_path, HAPPENED) as journal:
        path = journal.path
    for spoilt in (b"not zlib", b""):
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("UPDATE chunk SET bpm = ?", (spoilt,))
        answer = hartslag("--data", tmp_path, "check")
        assert answer.code == 1
        assert "chunk 2 cannot be read back" in answer.out


def test_a_damaged_journal_is_found_and_the_way_out_named(tmp_path: Path) -> None:
    """Protects against a dying card: the owner hears of it in a sentence, not in a traceback."""
    with household(
        tmp_path, [*HAPPENED, *(steady("Jan", START + i * 60_000, 60, 60 + i % 100) for i in range(200))]
    ) as j:
        path = j.path
    whole = path.read_bytes()
    for first in (0, 4096, len(whole) // 2):
        damaged = bytearray(whole)
        damaged[first : first + 8192] = b"\xaa" * 8192
        path.write_bytes(damaged)
        answer = hartslag("--data", tmp_path, "check")
        assert answer.code == 1, first
        assert "archive" in answer.out + answer.err


def test_a_damaged_store_is_found_and_rebuild_mends_it(tmp_path: Path) -> None:
    """Protects the advice: what `check` recommends must do what it says, at the first try."""
    store = Settings(tmp_path).store_file
    with household(tmp_path, HAPPENED) as journal:
        filled(journal, store)
    store.write_bytes(store.read_bytes()[:4096] + b"\xaa" * 8192)
    answer = hartslag("--data", tmp_path, "check")
    assert answer.code == 1
    assert "`hartslag rebuild` makes it anew" in answer.out
    answer = hartslag("--data", tmp_path, "rebuild")
    assert (answer.code, answer.err) == (0, "")
    assert hartslag("--data", tmp_path, "check").code == 0


def test_a_journal_that_others_can_read_is_found(tmp_path: Path) -> None:
    """Protects what the journal holds: heart rates are nobody else's business."""
    with household(tmp_path, HAPPENED) as journal:
        path = journal.path
    assert path.stat().st_mode & 0o077 == 0
    path.chmod(0o644)
    answer = hartslag("--data", tmp_path, "check")
    assert answer.code == 1
    assert f"chmod 600 {path}" in answer.out
