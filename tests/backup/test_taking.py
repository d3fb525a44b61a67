"""Copies that the daemon takes: what is in them, what they cost, which stay, and what becomes of those that are broken."""

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.backup.block import Damaged
from ingest.backup.copies import DAY_MS, HOUR_MS, Backup, Copy, kept
from ingest.backup.place import MARK
from ingest.backup.staging import put_if_whole
from ingest.backup.state import read_state
from ingest.backup.trouble import AWAY, FAILED, FULL, NoCopy
from ingest.errors import Stop
from ingest.system.sqlite_dump import dump, load, unpack
from tests.support.backups import (
    archived,
    brought_back,
    comes_in,
    content_of,
    home_with_copies,
    size_of,
    take_copy,
    the_backup,
)
from tests.support.households import HOUR, NOW, steady
from tests.support.small_disk import fill, small_disk

YEAR = [steady("Anna", NOW - day * 24 * HOUR, 1800, 90 + day % 50) for day in range(40)]


@settings(max_examples=15)
@given(
    hours=st.lists(st.tuples(st.integers(0, 500), st.integers(1, 300), st.integers(50, 180)), max_size=6),
    files=st.dictionaries(
        st.text("aé .-_ß9", min_size=1, max_size=12).filter(lambda n: n.strip(". ")),
        st.binary(max_size=3000),
        max_size=5,
    ),
)
def test_what_comes_back_is_what_was_there(
    tmp_path_factory: pytest.TempPathFactory, hours: list[tuple[int, int, int]], files: dict[str, bytes]
) -> None:
    """Protects everything: a copy holds journal, settings and files to the last byte, whatever they are."""
    home = home_with_copies(
        tmp_path_factory.mktemp("home"),
        [steady("Anna", NOW + h * HOUR, seconds, bpm) for h, seconds, bpm in hours],
    )
    for name, content in files.items():
        archived(home, f"Anna/2026/{name}", content)
        archived(home, f"../rejected/{name}", content[::-1])
    take_copy(home)
    assert brought_back(home, home.data.parent / "back") == content_of(home.data)


def test_a_database_of_any_tables_is_the_same_again(tmp_path: Path) -> None:
    """Protects tables that come later: whatever SQLite holds comes back row by row, numbers of rows and counters too."""
    one, other = tmp_path / "one.db", tmp_path / "other.db"
    with closing(sqlite3.connect(one)) as db:
        db.executescript(
            """PRAGMA user_version = 7;
            CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, b BLOB, t TEXT, r REAL);
            INSERT INTO counted (b, t, r) VALUES (x'00ff', 'é "1"', 1.5), (x'', '', 1e300), (NULL, 'x', 9e-308);
            DELETE FROM counted WHERE id = 3;
            CREATE TABLE named (name TEXT PRIMARY KEY, big INTEGER);
            INSERT INTO named (rowid, name, big) VALUES (9, 'a', 9223372036854775807), (4, 'b', -9223372036854775808);
            CREATE TABLE "odd name" (k TEXT, v, PRIMARY KEY (k, v)) WITHOUT ROWID;
            INSERT INTO "odd name" VALUES ('b', 1), ('a', x'01'), ('a', 'x');
            CREATE INDEX by_text ON counted (t) WHERE t <> '';
            CREATE VIEW seen AS SELECT t FROM counted;"""
        )
        db.commit()
    load(unpack(b"".join(dump(one))), other)
    assert list(dump(one)) == list(dump(other))
    with closing(sqlite3.connect(other)) as db:
        assert db.execute("SELECT rowid, name FROM named ORDER BY rowid").fetchall() == [(4, "b"), (9, "a")]
        assert db.execute("SELECT seq FROM sqlite_sequence").fetchall() == [(3,)]


def test_an_hour_in_which_little_changed_costs_little(tmp_path: Path) -> None:
    """Protects the stick and the wait: what was copied before is not written again, and files not even read."""
    home = home_with_copies(tmp_path, YEAR)
    archived(home, "Anna/2026/run.fit", os.urandom(300_000))
    first = take_copy(home)
    assert first.written_bytes > 300_000
    comes_in(home, steady("Anna", NOW + HOUR, 3600, 120))
    (home.archive / "Anna/2026/run.fit").chmod(0)
    second = take_copy(home)
    assert second.written_bytes < 100_000
    assert take_copy(home).written_bytes == 0
    (home.archive / "Anna/2026/run.fit").chmod(0o600)
    assert brought_back(home, tmp_path / "back") == content_of(home.data)


def test_of_a_file_that_cannot_be_read_the_one_before_stays(tmp_path: Path) -> None:
    """Protects what was copied once: that a file cannot be read any more is told, and takes nothing out of the copies."""
    home = home_with_copies(tmp_path)
    path = archived(home, "Anna/2026/run.fit", b"as it was")
    take_copy(home)
    path.write_bytes(b"as it is now")
    path.chmod(0)
    state = take_copy(home).state
    back = brought_back(home, tmp_path / "back")["archive/Anna/2026/run.fit"]
    assert isinstance(back, tuple)
    if os.geteuid() == 0:  # may read anything
        assert (state.unread, back[0]) == ((), b"as it is now")
    else:
        assert (state.unread, back[0]) == (("archive/Anna/2026/run.fit",), b"as it was")


def test_a_copy_is_of_one_moment(tmp_path: Path) -> None:
    """Protects from a copy that is half of before and half of after: what comes in meanwhile is in the next one."""
    home = home_with_copies(tmp_path, YEAR)
    before = content_of(home.data)
    seen = [0]

    def meanwhile(_: int) -> None:
        seen[0] += 1
        if seen[0] == 20:
            comes_in(home, steady("Anna", NOW + HOUR, 60, 150))

    take_copy(home, mark=meanwhile)
    assert seen[0] > 20
    assert brought_back(home, tmp_path / "back") == before
    take_copy(home)
    assert brought_back(home, tmp_path / "again") == content_of(home.data)


def test_copies_are_kept_by_age() -> None:
    """Protects an old copy from going too soon, and the stick from filling: all of a day, then days, weeks, months."""

    def copy(number: int, at_ms: int) -> Copy:
        return Copy(number, at_ms, "j", (), "", 0, 0, (), 0, 0, None, "pi", "1")

    hours = 24 * 400
    copies = [copy(i, NOW - (hours - i) * HOUR_MS) for i in range(hours)]
    stay = kept(copies, NOW)
    ages = [NOW - c.at_ms for c in copies if c.number in stay]
    assert sum(age < DAY_MS for age in ages) == 23
    assert 12 <= sum(DAY_MS <= age < 14 * DAY_MS for age in ages) <= 14
    assert 6 <= sum(14 * DAY_MS <= age < 61 * DAY_MS for age in ages) <= 10
    assert 10 <= sum(age >= 61 * DAY_MS for age in ages) <= 13
    assert max(copies, key=lambda c: c.number).number in stay
    # A clock that was wrong makes no copy the first to go.
    assert kept([copy(1, NOW), copy(2, 0)], NOW) == {1, 2}


def test_what_no_copy_needs_is_gone(tmp_path: Path) -> None:
    """Protects the stick from filling with what was pruned, and the copies that stay from losing what they share."""
    home = home_with_copies(tmp_path, YEAR)
    extra = archived(home, "Anna/2026/big.fit", os.urandom(2_000_000))
    take_copy(home, now_ms=lambda: NOW)
    extra.unlink()
    for hour in [*range(1, 8), *range(200, 207)]:
        comes_in(home, steady("Anna", NOW + hour * HOUR, 300, 100 + hour % 50))
        take_copy(home, now_ms=lambda hour=hour: NOW + hour * HOUR)
    taken = take_copy(home, now_ms=lambda: NOW + 70 * DAY_MS)
    copies = the_backup(home).copies()
    assert len(copies) <= 3
    assert size_of(the_backup(home).folder) < 1_000_000 < taken.copy.at_ms
    for copy in copies:
        shutil.rmtree(tmp_path / "back", ignore_errors=True)
        brought_back(home, tmp_path / "back", copy.number)
    assert brought_back(home, tmp_path / "last") == content_of(home.data)


def test_nothing_of_the_past_stays_where_that_is_asked(tmp_path: Path) -> None:
    """Protects who is deleted everywhere: after it no earlier copy is there, nor a byte of theirs in any pack."""
    home = home_with_copies(tmp_path, YEAR)
    secret = os.urandom(50_000)
    file = archived(home, "Anna/2026/secret.fit", secret)
    archived(home, "Bo/2026/other.fit", os.urandom(3_000_000))
    take_copy(home)
    file.unlink()
    take_copy(home, only=True)
    backup = the_backup(home)
    assert [c.number for c in backup.copies()] == [2]
    assert not any(secret in p.read_bytes() for p in backup.packs.iterdir())
    assert brought_back(home, tmp_path / "back") == content_of(home.data)


def test_what_the_disk_has_spoilt_is_seen_and_written_again(tmp_path: Path) -> None:
    """Protects from a stick that forgets: what it gives back is checked, and the newest copy heals once it was looked at."""
    home = home_with_copies(tmp_path, YEAR)
    content = os.urandom(100_000)
    archived(home, "Anna/2026/run.fit", content)
    take_copy(home)
    (pack,) = the_backup(home).packs.iterdir()
    spoilt = bytearray(pack.read_bytes())
    spoilt[spoilt.index(content) + 5000] ^= 1
    pack.write_bytes(spoilt)
    with pytest.raises(Damaged):
        brought_back(home, tmp_path / "back")
    found = [take_copy(home, proved_within=4).state.damaged for _ in range(4)]
    assert sum(found) >= 1
    assert brought_back(home, tmp_path / "again") == content_of(home.data)


def test_a_pack_without_its_list_is_still_read(tmp_path: Path) -> None:
    """Protects what lies in a pack that was cut off: what comes before the cut is found."""
    home = home_with_copies(tmp_path, YEAR)
    take_copy(home)
    (pack,) = the_backup(home).packs.iterdir()
    pack.write_bytes(pack.read_bytes()[:-3])
    assert brought_back(home, tmp_path / "back") == content_of(home.data)


def test_a_copy_that_is_half_there_is_not_listed(tmp_path: Path) -> None:
    """Protects from trusting what a pulled stick left: only copies that are whole count, and the next attempt goes on."""
    home = home_with_copies(tmp_path, YEAR)
    take_copy(home)
    backup = the_backup(home)
    (written,) = (backup.folder / "copies").iterdir()
    (backup.folder / "copies" / "00000002.copy").write_bytes(written.read_bytes()[:100])
    (backup.folder / "copies" / ".00000003.copy.tmp").write_bytes(b"{")
    (backup.packs / ".00000009.tmp").write_bytes(b"x" * 1000)
    assert [c.number for c in backup.copies()] == [1]
    take_copy(home)
    assert [c.number for c in backup.copies()] == [1, 3]
    assert list(backup.folder.rglob(".*")) == []


def test_a_stick_that_is_out_is_waited_for(tmp_path: Path) -> None:
    """Protects the card: while the stick is out its empty folder is not filled, and it is said what is waited for."""
    home = home_with_copies(tmp_path)
    assert home.backup_folder is not None
    (home.backup_folder / MARK).unlink()
    for folder_there in (True, False):
        if not folder_there:
            home.backup_folder.rmdir()
        with pytest.raises(NoCopy, match="waited for") as caught:
            take_copy(home)
        assert caught.value.kind == AWAY
        assert size_of(tmp_path / "stick") == 0 if folder_there else not home.backup_folder.exists()
        state = read_state(home)
        assert state is not None
        assert state.trouble == AWAY
    take_copy(home, begin=True)  # a person's word
    state = read_state(home)
    assert state is not None
    assert (state.trouble, state.same_disk, state.copies) == (None, True, 1)


def test_a_stick_needs_no_word(tmp_path: Path) -> None:
    """Protects who plugs in a stick: on a disk of its own the first copy is made unasked, and the folder is private."""
    home = home_with_copies(tmp_path, YEAR)
    with small_disk(tmp_path / "usb", "20m") as disk:
        home = replace(home, backup_folder=disk / "copies" / "of-the-pi")
        taken = take_copy(home)
        assert not taken.state.same_disk
        assert (disk / "copies" / "of-the-pi").stat().st_mode & 0o777 == 0o700
        modes = {p.stat().st_mode & 0o077 for p in (disk / "copies").rglob("*")}
        assert modes == {0}


def test_on_a_full_disk_the_newest_copy_stays(tmp_path: Path) -> None:
    """Protects the only copy: older ones make room if that helps, and one that is whole is never given for one that is not."""
    home = home_with_copies(tmp_path, YEAR)
    with small_disk(tmp_path / "usb", "8m") as disk:
        home = replace(home, backup_folder=disk / "copies")
        extra = archived(home, "Anna/2026/one.fit", os.urandom(4_000_000))
        take_copy(home)
        extra.unlink()
        take_copy(home)
        archived(home, "Anna/2026/two.fit", os.urandom(4_500_000))
        take_copy(home)  # the first goes for it
        assert [c.number for c in the_backup(home).copies()][-1] == 3
        assert 1 not in [c.number for c in the_backup(home).copies()]
        assert brought_back(home, tmp_path / "back") == content_of(home.data)
        whole = content_of(home.data)
        archived(home, "Anna/2026/three.fit", os.urandom(6_000_000))
        with pytest.raises(NoCopy, match="full") as caught:
            take_copy(home)
        assert caught.value.kind == FULL
        assert brought_back(home, tmp_path / "again") == whole
        fill(disk / "by somebody else")
        with pytest.raises(NoCopy, match="full"):
            take_copy(home)
        state = read_state(home)
        assert state is not None
        assert state.trouble == FULL
        assert state.newest_ms is not None
        assert brought_back(home, tmp_path / "still") == whole


def test_a_damaged_journal_spoils_no_copy(tmp_path: Path) -> None:
    """Protects the copies from before: what cannot be read makes no new one, and it is said which verb helps."""
    home = home_with_copies(tmp_path, YEAR)
    take_copy(home)
    spoilt = bytearray(home.journal_file.read_bytes())
    for at in range(20_000, len(spoilt), 4096):
        spoilt[at : at + 600] = os.urandom(600)
    home.journal_file.write_bytes(spoilt)
    with pytest.raises(NoCopy, match="damaged") as caught:
        take_copy(home)
    assert caught.value.kind == FAILED
    assert [c.number for c in the_backup(home).copies()] == [1]


def test_a_folder_within_the_data_is_refused(tmp_path: Path) -> None:
    """Protects from copies of copies."""
    home = replace(home_with_copies(tmp_path), backup_folder=tmp_path / "data" / "archive" / "b")
    with pytest.raises(Stop, match="within the data"):
        take_copy(home)


def test_two_journals_in_one_folder_keep_apart(tmp_path: Path) -> None:
    """Protects from a new Pi that pushes out the copies of the old one: each journal has its own, and it is told of the other."""
    one = home_with_copies(tmp_path / "one", YEAR)
    other = replace(home_with_copies(tmp_path / "other"), backup_folder=one.backup_folder)
    take_copy(one)
    assert take_copy(other).state.others == 1
    assert one.backup_folder is not None
    assert sorted(len(Backup(p).copies()) for p in one.backup_folder.iterdir() if p.is_dir()) == [1, 1]


def test_a_name_that_leads_elsewhere_is_no_file_of_a_copy(tmp_path: Path) -> None:
    """Protects the rest of the disk from a folder that somebody else wrote."""
    for name in ("../x", "archive/../../x", "/etc/x", "journal/journal.db", "archive", "inbox/a"):
        with pytest.raises(Damaged):
            put_if_whole(tmp_path, name, [b"x"], 0, partly=True)
    assert list(tmp_path.iterdir()) == []
