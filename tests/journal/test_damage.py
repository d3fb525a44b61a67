"""What a card that wears out does to the journal: no number is wrong for it, and all that can be read is read."""

import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from ingest.journal import ALWAYS_MS, Journal
from ingest.journal.damage import DamagedJournal, note_file
from ingest.journal.mended import Places
from ingest.journal.mending import mend, trouble, whole
from ingest.journal.salvage import fill, make_up, salvage
from ingest.journal.seal import SEALED, seal_of
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
from tests.support.daemons import hartslag
from tests.support.damaged_household import DamagedHousehold, look
from tests.support.damaged_journals import DAMAGES
from tests.support.household_of_all_kinds import household_of_all_kinds
from tests.support.households import steady

START = 1_790_000_000_000


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("home") / "data"
    household_of_all_kinds(data, days=4)
    return data


@pytest.fixture
def data(pristine: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pristine, tmp_path / "data"))


@contextmanager
def behind_its_back(path: Path) -> Iterator[sqlite3.Connection]:
    """The file changed as a card does it: neither seals nor tallies follow."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        yield db


@pytest.mark.parametrize("name", DAMAGES)
def test_no_damage_makes_a_wrong_number(pristine: Path, tmp_path: Path, name: str) -> None:
    """Protects the answer from a dying card: what is told is as before, or it is said whose and when; then it is mended."""
    before = look(pristine)
    shutil.copytree(pristine, tmp_path / "data")
    household = DamagedHousehold(tmp_path / "data", before, name, random.Random(name))
    household.suffer(processes=False)
    assert household.problems == [], household.done


def test_a_number_that_is_none_any_more_ends_no_verb_in_a_traceback(data: Path) -> None:
    """Protects the answer where a bit makes nothing of how many beats a chunk holds: the rest is counted, and it is named."""
    path, named = data / "journal" / "journal.db", "name = 'chunk'"
    with behind_its_back(path) as db:
        ((table,),) = db.execute(f"SELECT sql FROM sqlite_schema WHERE {named}").fetchall()
    for sql, change in (
        (
            table.replace(" NOT NULL", ""),
            "UPDATE chunk SET beats = NULL WHERE position = (SELECT max(position) FROM chunk)",
        ),
        (table, ""),
    ):
        with behind_its_back(path) as db:
            db.execute("PRAGMA writable_schema = RESET")
            db.execute("PRAGMA writable_schema = ON")
            db.execute(f"UPDATE sqlite_schema SET sql = ? WHERE {named}", (sql,))
        with behind_its_back(path) as db:
            db.execute(change)
    said = hartslag("--data", data, "week")
    assert said.returncode == 0, said.stderr
    assert "damaged in the journal" in " ".join((said.stdout + said.stderr).split())


def test_a_link_to_a_disk_that_is_away_is_no_lost_journal(data: Path, tmp_path: Path) -> None:
    """Protects the true journal on a disk that is not mounted yet: nothing is made in its place, and it is there again later."""
    path, elsewhere = data / "journal" / "journal.db", tmp_path / "disk"
    (data / "journal").rename(elsewhere)
    path.parent.mkdir()
    path.symlink_to(elsewhere / "journal.db")
    elsewhere.rename(tmp_path / "away")
    for asked in (["run"], ["repair"], ["week"], ["rename", "Bram", "Ben", "--yes"]):
        told = hartslag("--data", data, *asked)
        assert told.returncode == 1, told.stdout
        assert "mount the disk that it is on" in " ".join(told.stderr.split())
        assert path.is_symlink()
    (tmp_path / "away").rename(elsewhere)
    assert hartslag("--data", data, "week").returncode == 0


def test_what_nobody_foresaw_is_the_fault_of_a_damaged_journal_alone(data: Path) -> None:
    """Protects from a traceback over damage that is met where nothing looks for it; a mistake of ours over a whole journal stays one."""
    path = data / "journal" / "journal.db"
    with pytest.raises(TypeError), Journal(path, readonly=True):
        raise TypeError
    assert not note_file(path).exists()
    with behind_its_back(path) as db:
        db.execute("UPDATE chunk SET seal = 1 WHERE position = (SELECT max(position) FROM chunk)")
    with pytest.raises(DamagedJournal, match="hartslag repair"), Journal(path, readonly=True):
        raise TypeError
    assert note_file(path).exists()


def test_a_chunk_that_changed_is_left_out_and_named(data: Path) -> None:
    """Protects from a heart rate that nobody had: one flipped bit within a chunk is found by its checksum."""
    path = data / "journal" / "journal.db"
    with behind_its_back(path) as db:
        ((position, bpm),) = db.execute(
            "SELECT position, bpm FROM chunk WHERE bpm IS NOT NULL ORDER BY position DESC LIMIT 1"
        )
        db.execute(
            "UPDATE chunk SET bpm = ? WHERE position = ?",
            (bytes([*bpm[:-3], bpm[-3] ^ 4, *bpm[-2:]]), position),
        )
    with Journal(path) as journal:
        chunks = journal.chunks(1, -ALWAYS_MS, ALWAYS_MS)
        assert position not in {c.position for c in chunks}
        assert chunks
        ((damage),) = journal.damages
        assert (damage.person, damage.source) == ("Anna", "garmin-1-activity")
    assert note_file(path).exists()
    assert f"chunk {position} is not as it was written: its checksum is wrong" in whole(path)


def test_an_index_that_lost_a_row_is_found_out(data: Path) -> None:
    """Protects from a workout that silently is no more: what an index gives is held against the tally."""
    path = data / "journal" / "journal.db"
    with behind_its_back(path) as db:
        root = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'chunk_time'").fetchone()[0]
        db.execute("PRAGMA writable_schema = ON")
        db.execute(
            "CREATE INDEX other ON chunk (person, first_ms, last_ms, end_ms, file) WHERE position % 2 = 0"
        )
        db.execute(
            "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'other')"
            " WHERE name = 'chunk_time'"
        )
        db.execute("UPDATE sqlite_schema SET rootpage = ? WHERE name = 'other'", (root,))
    with Journal(path, readonly=True) as journal:
        assert len(journal.chunks(1, -ALWAYS_MS, ALWAYS_MS)) > 2
        assert journal.damages == []
    assert note_file(path).exists()


def test_what_is_mended_is_whole_and_the_damaged_one_is_kept(data: Path) -> None:
    """Protects whoever wants to look once more: the damaged file is there, byte for byte, and the new one is whole."""
    path = data / "journal" / "journal.db"
    places = Places(path, data, data / "archive")
    assert trouble(places) is None
    raw = bytearray(path.read_bytes())
    raw[:4096] = bytes(4096)
    path.write_bytes(raw)
    why = trouble(places)
    assert why is not None
    mended = mend(places, why)
    assert (path.parent / mended.kept).read_bytes() == bytes(raw)
    assert whole(path) == []
    assert trouble(places) is None


def test_a_store_follows_a_journal_that_was_put_back(tmp_path: Path) -> None:
    """Protects Grafana from a past that never was: a copy put back and written to is another one, however far it is."""
    path, copy = tmp_path / "journal" / "journal.db", tmp_path / "copy.db"

    def day(n: int, bpm: int) -> None:
        with Journal(path) as journal, journal.write() as w:
            steady("Anna", START + n * 86_400_000, 600, bpm).write(w)

    with closing(SqliteStore(tmp_path / "store" / "hartslag.db")) as store:
        day(0, 100)
        shutil.copy(path, copy)
        day(1, 120)
        with Journal(path) as journal:
            follow(journal, store)
        shutil.copy(copy, path)
        day(2, 140)
        with Journal(path) as journal:
            assert store.reported_position(journal) == 0
            follow(journal, store)
            assert store.reported_position(journal) == journal.last_position()
        with closing(sqlite3.connect(store.path)) as db:
            told = {bpm // 10 for (bpm,) in db.execute("SELECT DISTINCT bpm FROM heart_rate")}
        assert told == {10, 14}


def test_looking_for_damages_lets_nobody_take_the_log_away(data: Path) -> None:
    """Protects what straps tell next: reading the pages keeps the locks by which others know that somebody has the journal open."""
    path = data / "journal" / "journal.db"
    with Journal(path) as journal:
        with journal.write() as w:
            steady("Anna", START, 60, 100).write(w)
        salvage(path)
        assert hartslag("--data", data, "rebuild").returncode == 0
        assert path.with_name("journal.db-wal").exists()
        with journal.write() as w:
            steady("Anna", START + 86_400_000, 60, 120).write(w)
        last = journal.last_position()
    with Journal(path) as journal:
        assert journal.last_position() == last


def test_no_long_value_is_held_in_memory_while_a_journal_is_mended(data: Path) -> None:
    """Protects a Pi of 512 MB with a journal of ten years: what chunks hold goes from the old file into the new one by way of a third."""
    path = data / "journal" / "journal.db"
    found = salvage(path)
    chunks = found.rows["chunk"]
    assert chunks
    assert all(len(v) <= 64 for row in chunks.values() for v in row if isinstance(v, bytes))
    with closing(sqlite3.connect(path)) as db:
        columns = ", ".join((*SEALED["chunk"], "seal"))
        assert [found.aside.whole(chunks[n]) for n in sorted(chunks)] == db.execute(
            f"SELECT {columns} FROM chunk ORDER BY position"
        ).fetchall()


def test_a_person_who_was_written_twice_is_one_again(data: Path) -> None:
    """Protects the repair from an index that lost a name: who is in the settings was begun anew then, and both are the same."""
    path = data / "journal" / "journal.db"
    found = salvage(path)
    number = max(found.rows["person"]) + 1
    found.rows["person"][number] = (number, "Anna", seal_of("person", (number, "Anna")))
    make_up(found)
    with closing(sqlite3.connect(data / "new.db", isolation_level=None)) as db:
        fill(db, found, identity=None)
    with Journal(data / "new.db") as journal:
        assert [p.name for p in journal.persons()] == ["Anna", "Bram"]
        assert journal.merges()[number] == 1
    assert whole(data / "new.db") == []
