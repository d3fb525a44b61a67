"""The SQLite store as Grafana and its owner meet it: shape, permissions, damage, other readers."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from ingest.errors import TryLater
from ingest.journal import Journal
from ingest.rows.table import TABLES
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
from tests.support.households import DAY, Event, Noted, at, filled, happen, household, rows, steady
from tests.support.other_user import NOBODY, open_to_others, run_as

START = at("2026-11-16T10:00+01:00")
HAPPENED: list[Event] = [
    Noted("Jan", (("zone", "Europe/Amsterdam"),)),
    *(steady("Jan", START + i * DAY, 300, 100 + i, source=f"watch {i % 3}") for i in range(5)),
    steady("Piet", START, 300, 90),
]
MORE = steady("Jan", START + 10 * DAY, 300, 120)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A journal of two persons and some days."""
    with household(tmp_path / "data", HAPPENED) as opened:
        yield opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the store will be; its folder is not there yet."""
    return tmp_path / "store" / "hartslag.db"


def brought_up_to_date(journal: Journal, path: Path) -> None:
    """What the daemon does: it tries again when it is told to."""
    with SqliteStore(path) as store:
        try:
            follow(journal, store)
        except TryLater:
            follow(journal, store)


def truncated(path: Path) -> None:
    with path.open("r+b") as f:
        f.truncate(path.stat().st_size // 2)


def overwritten(path: Path) -> None:
    with path.open("r+b") as f:
        f.seek(4096)
        f.write(os.urandom(path.stat().st_size - 4096))


def no_database(path: Path) -> None:
    path.write_bytes(b"I am a text file, and a rather long one at that.\n" * 100)


def deleted(path: Path) -> None:
    path.unlink()


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def of_an_older_make(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DROP VIEW heart_rate")
        db.execute("ALTER TABLE day DROP COLUMN dose_min")
        db.execute("UPDATE replica SET version = 0")


@pytest.mark.parametrize("harm", [truncated, overwritten, no_database, deleted, emptied, of_an_older_make])
def test_harmed_in_any_way_it_is_made_anew_by_itself(journal: Journal, path: Path, harm: object) -> None:
    """Protects Grafana's panels from a bad card or a curious owner: the next look fills the store again."""
    before = filled(journal, path)
    assert callable(harm)
    harm(path)
    happen(journal, MORE)
    brought_up_to_date(journal, path)
    assert rows(path) == filled(journal, path.with_name("anew.db"))
    assert len(rows(path)["heart_rate"]) > len(before["heart_rate"])


OPEN = """
import sys, time
from pathlib import Path
from ingest.journal import Journal
from ingest.stores.sqlite import SqliteStore
journal = Journal(Path(sys.argv[1]).with_name("journal.db"))
while time.time() < float(sys.argv[2]):
    pass
with SqliteStore(Path(sys.argv[1])) as store:
    store.begin(journal)
"""


def test_several_may_make_a_new_store_at_once(tmp_path: Path) -> None:
    """Protects `hartslag add` beside a daemon that has just started: neither is told that the store is locked."""
    for i in range(4):
        at_once = str(time.time() + 0.7)
        together = [
            subprocess.Popen(
                [sys.executable, "-c", OPEN, str(tmp_path / f"{i}.db"), at_once],
                stderr=subprocess.PIPE,
                text=True,
                cwd=Path(__file__).parents[2],
            )
            for _ in range(4)
        ]
        assert [one.communicate(timeout=180)[1] for one in together] == [""] * 4


@pytest.mark.parametrize("companions", [True, False])
def test_deleted_while_it_is_open_it_is_made_anew(journal: Journal, path: Path, *, companions: bool) -> None:
    """Protects an owner who deletes the store under a running daemon: nothing is written into the void."""
    with SqliteStore(path) as store:
        follow(journal, store)
        for name in ["hartslag.db", *(["hartslag.db-wal", "hartslag.db-shm"] if companions else [])]:
            path.with_name(name).unlink()
        happen(journal, MORE)
        try:
            follow(journal, store)
        except TryLater:
            follow(journal, store)
    assert rows(path) == filled(journal, path.with_name("anew.db"))


@pytest.mark.parametrize("seen", [True, False], ids=["opened by others", "by nobody"])
@pytest.mark.parametrize("lost", [["-wal"], ["-shm"], ["-wal", "-shm"]], ids="".join)
def test_a_log_lost_while_it_is_open_makes_it_anew(
    journal: Journal, path: Path, lost: list[str], *, seen: bool
) -> None:
    """Protects Grafana from rows of two logs: who deletes one under a running daemon has a whole store at its next look, and no alarm."""
    with SqliteStore(path) as store:
        follow(journal, store)
        for end in lost:
            path.with_name(path.name + end).unlink()
        if seen:  # as Grafana does, which makes new ones
            with closing(sqlite3.connect(path)) as db, suppress(sqlite3.Error):
                db.execute("SELECT count(*) FROM heart_rate").fetchall()
        happen(journal, MORE)
        follow(journal, store)
        assert store.faults() == []
        assert rows(path) == filled(journal, path.with_name("anew.db"))


def test_a_log_lost_at_rest_makes_it_anew(journal: Journal, path: Path) -> None:
    """Protects from half a store after a power cut, when what was being taken over is gone: `check` says so, the next look mends it."""
    left = path.parent / "left" / path.name
    with SqliteStore(path) as store:
        follow(journal, store)
        left.parent.mkdir()
        for end in ("", "-shm"):
            shutil.copy(path.with_name(path.name + end), left.with_name(left.name + end))
    with SqliteStore(left) as store:
        assert ["log was deleted" in found for found in store.faults()] == [True]
        assert store.reported_position(journal) == 0
        follow(journal, store)
        assert store.faults() == []
    assert rows(left) == filled(journal, path.with_name("anew.db"))


def test_a_reader_in_the_middle_of_a_query_neither_blocks_nor_is_blocked(
    journal: Journal, path: Path
) -> None:
    """Protects a slow panel and the daemon from each other: the reader keeps its picture, the writer goes on."""
    filled(journal, path)
    count = "SELECT count(*) FROM heart_rate"
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        (before,) = reader.execute(count).fetchone()
        happen(journal, MORE)
        with SqliteStore(path) as store:
            follow(journal, store)
        assert reader.execute(count).fetchone() == (before,)
        reader.execute("COMMIT")
        assert reader.execute(count).fetchone() == (before + 300,)


def test_time_is_in_unix_seconds_and_every_field_has_its_type(journal: Journal, path: Path) -> None:
    """Protects Grafana's plugin, which takes whole first values for a column of whole numbers."""
    found = filled(journal, path)
    assert found["heart_rate"][0] == (START / 1000, "Jan", "watch 0", "activity", 100)
    with closing(sqlite3.connect(path)) as db:
        for name, table in TABLES.items():
            kinds = {"time": "REAL", **dict.fromkeys(table.tags, "TEXT"), **table.fields}
            columns = {row[1] for row in db.execute(f"PRAGMA table_info({name})")}
            assert columns == set(kinds), name
            for column, kind in kinds.items():
                there = {t for (t,) in db.execute(f"SELECT DISTINCT typeof({column}) FROM {name}")}
                assert there <= {kind.lower(), "null"}, (name, column)


@pytest.mark.parametrize("table", TABLES)
def test_a_panel_of_one_person_reads_only_its_range(journal: Journal, path: Path, table: str) -> None:
    """Protects a Pi with ten years in it: person and time are found by key, in no table by looking at all of it."""
    filled(journal, path)
    query = f"SELECT * FROM {table} WHERE person = 'Jan' AND time >= 1 AND time < 2"
    with closing(sqlite3.connect(path)) as db:
        plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {query}")]
    assert plan
    assert not [step for step in plan if step.startswith("SCAN")], plan
    assert any("time>" in step for step in plan), plan


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_the_group_may_read_and_write_whatever_the_umask(journal: Journal, path: Path, umask: int) -> None:
    """Protects Grafana's user: it needs to write the companions of the file, and strangers need nothing."""
    before = os.umask(umask)
    try:
        with SqliteStore(path) as store:
            follow(journal, store)
            made = {p.name: stat.S_IMODE(p.stat().st_mode) for p in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert {"hartslag.db", "hartslag.db-wal", "hartslag.db-shm"} <= set(made)
    assert {made[name] for name in made if name.startswith("hartslag.db")} == {0o660}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o2770


AS_NOBODY = """
import os, sqlite3, sys
os.setgroups([int(sys.argv[2])])
os.setgid(65534)
os.setuid(65534)
db = sqlite3.connect(f"file:{sys.argv[1]}?mode=rw", uri=True)
db.execute("PRAGMA query_only(1)")
print(db.execute("SELECT count(*) FROM heart_rate").fetchone()[0], flush=True)
input()
"""

GROUP = 54321
"""Of nobody on this machine."""


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that the group of Grafana's user can reach; pytest's own are closed to others."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="hartslag-") as folder:
        Path(folder).chmod(0o755)
        store = Path(folder) / "store"
        store.mkdir()
        os.chown(store, -1, GROUP)
        store.chmod(0o2770)
        yield store / "hartslag.db"


def other_user(path: Path) -> "subprocess.Popen[str]":
    """Grafana: a user of the group, who opens the store, looks, and keeps it open until told."""
    return subprocess.Popen(
        [sys.executable, "-c", AS_NOBODY, str(path), str(GROUP)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
    )


@pytest.mark.root
@pytest.mark.parametrize("when", ["first after a clean close", "while it is open", "killed"])
def test_a_second_user_never_locks_the_daemon_out(journal: Journal, shared: Path, when: str) -> None:
    """Protects against the trap of WAL: companions made by Grafana's user must be writable by the daemon."""
    with SqliteStore(shared) as store:
        follow(journal, store)
        if when == "while it is open":
            reader = other_user(shared)
            assert reader.stdout is not None
            assert reader.stdout.readline() == "1800\n"
    if when != "while it is open":
        reader = other_user(shared)
        assert reader.stdout is not None
        assert reader.stdout.readline() == "1800\n"
    if when == "killed":
        reader.kill()
        reader.communicate()
    for companion in shared.parent.glob("hartslag.db*"):
        held = companion.stat()
        assert (stat.S_IMODE(held.st_mode), held.st_gid) == (0o660, GROUP), companion.name
    happen(journal, MORE)
    # The daemon is no root: it gets by with being of the group, too.
    done = subprocess.run(
        [sys.executable, "-c", WRITE_AS_DAEMON, str(shared), str(GROUP)],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    assert done.returncode == 0, done.stderr
    with SqliteStore(shared) as store:
        follow(journal, store)
    if reader.poll() is None:
        reader.communicate("\n")
    assert len(rows(shared)["heart_rate"]) == 2100


WRITE_AS_DAEMON = """
import os, sqlite3, sys
os.setgroups([int(sys.argv[2])])
os.setgid(65533)
os.setuid(65533)
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("UPDATE replica SET position = position")
"""


def test_made_before_the_first_start_it_has_every_table_and_no_row(journal: Journal, path: Path) -> None:
    """Protects Grafana on the day of the installation: its panels find tables to ask, and the first rows come into them."""
    with SqliteStore(path) as store:
        store.make()
        store.make()
        assert set(TABLES) <= {*rows(path)}
        assert {len(held) for table, held in rows(path).items() if table != "replica"} == {0}
        assert store.faults() == []
        follow(journal, store)
    assert len(rows(path)["heart_rate"]) == 1800


def test_an_empty_file_of_nobody_in_particular_is_said_and_filled(journal: Journal, path: Path) -> None:
    """Protects from a store that `check` calls whole although nothing of ours is in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(0o660)
    with SqliteStore(path) as store:
        (fault,) = store.faults()
        assert "nothing of hartslag" in fault
        follow(journal, store)
        assert store.faults() == []


@pytest.mark.root
def test_what_another_user_put_in_its_place_is_said_and_replaced(tmp_path: Path) -> None:
    """Protects from an older data source of Grafana, which made an empty file of its own: the store was dead for good."""
    folder = tmp_path / "store"
    folder.mkdir()
    open_to_others(folder)
    os.chown(folder, NOBODY, NOBODY)
    (folder / "hartslag.db").touch(0o640)  # it is root's

    def make() -> str:
        with SqliteStore(folder / "hartslag.db") as store:
            faults = store.faults()
            seen = store.misplaced()
            store.make()
            assert store.misplaced() is None
            return "; ".join([*faults, *store.faults()]) if faults == [seen] else "not said"

    assert run_as(NOBODY, make) == "it belongs to another user (0); the daemon makes it anew"
