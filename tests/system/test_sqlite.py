"""SQLite's errors told apart by code and by the room on the disk; files opened to write and only to read."""

import os
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from ingest.errors import Stop, TryLater
from ingest.system.patience import Patience
from ingest.system.sqlite import (
    DerivedFile,
    SqliteFault,
    fault_of,
    open_database,
    open_readonly,
    retried,
    transaction,
)
from tests.support.other_user import NOBODY, open_to_others, run_as
from tests.support.small_disk import fill, small_disk


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with a table and a row, closed."""
    path = tmp_path / "a.db"
    make(path)
    return path


def make(path: Path) -> None:
    with closing(open_database(path, synchronous="FULL")) as db:
        db.execute("CREATE TABLE t (x)")
        db.execute("INSERT INTO t VALUES (1)")


def error(work: Callable[[], object]) -> sqlite3.Error:
    with pytest.raises(sqlite3.Error) as caught:
        work()
    return caught.value


def rows(path: Path) -> list[tuple[int]]:
    with closing(open_readonly(path)) as db:
        return db.execute("SELECT x FROM t ORDER BY x").fetchall()


# --- what an error means ---


def test_a_database_that_may_not_grow_is_full(path: Path) -> None:
    """Protects whoever waits for room from being told that the disk is broken."""
    with closing(open_database(path, synchronous="FULL")) as db:
        db.execute("PRAGMA max_page_count = 1")
        e = error(lambda: db.execute("INSERT INTO t VALUES (zeroblob(100000))"))
    assert fault_of(e, path) is SqliteFault.FULL


def test_a_full_disk_is_full_whatever_sqlite_calls_it(tmp_path: Path) -> None:
    """Protects a daemon that starts on a full card: SQLite calls that an input/output error or a file it cannot open."""
    with small_disk(tmp_path / "small", "400k") as small:
        path = small / "a.db"
        make(path)
        fill(small / "filler")
        found = error(lambda: open_database(path, synchronous="FULL").execute("INSERT INTO t VALUES (2)"))
        assert found.sqlite_errorname != "SQLITE_FULL", "the case that needs a look at the disk"
        assert fault_of(found, path) is SqliteFault.FULL
        assert rows(path) == [(1,)], "and what is there can be read"
        (small / "filler").unlink()
        assert fault_of(found, path) is SqliteFault.UNWRITABLE


def test_a_disk_without_inodes_is_full(tmp_path: Path) -> None:
    """Protects a card full of tiny files from being called broken."""
    with small_disk(tmp_path / "small", "4m,nr_inodes=20") as small:
        path = small / "a.db"
        make(path)
        with suppress(OSError):
            for i in range(30):
                (small / str(i)).touch()
        found = error(lambda: open_database(path, synchronous="FULL").execute("INSERT INTO t VALUES (2)"))
        assert fault_of(found, path) is SqliteFault.FULL


def test_what_holds_it_is_waited_for_and_then_named_busy(path: Path) -> None:
    """Protects two that write at once, and the end of one that waits."""
    with (
        closing(open_database(path, synchronous="FULL")) as one,
        closing(open_database(path, synchronous="FULL")) as other,
    ):
        asked = []

        def going_on() -> bool:
            asked.append(time.monotonic())
            return len(asked) < 2

        with transaction(one):
            one.execute("INSERT INTO t VALUES (2)")
            e = error(lambda: transaction(other, Patience(going_on=going_on)).__enter__())
        assert fault_of(e, path) is SqliteFault.BUSY
        assert len(asked) == 2
        with transaction(other):
            other.execute("INSERT INTO t VALUES (3)")
    assert rows(path) == [(1,), (2,), (3,)]


def test_two_make_the_same_file_at_once(tmp_path: Path) -> None:
    """Protects the first start, at which the daemon's parts all open what is not there yet."""
    path, faults = tmp_path / "a.db", []

    def work() -> None:
        try:
            with closing(open_database(path, synchronous="NORMAL")) as db, transaction(db):
                db.execute("CREATE TABLE IF NOT EXISTS t (x)")
        except sqlite3.Error as e:
            faults.append(e)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be one" * 100, None])
def test_damage_is_told_from_everything_else(path: Path, content: bytes | None) -> None:
    """Protects a damaged journal from being waited for, and a damaged store from staying so."""
    if content is None:
        whole = bytearray(path.read_bytes())
        whole[512:] = b"\xaa" * (len(whole) - 512)
        content = bytes(whole)
    path.write_bytes(content)

    def read() -> None:
        with closing(open_database(path, synchronous="FULL")) as db:
            db.execute("SELECT x FROM t").fetchall()

    assert fault_of(error(read), path) is SqliteFault.DAMAGED


def test_a_mistake_in_the_program_is_none_of_these(path: Path) -> None:
    """Protects against a bug that is tried again for ever and seen by nobody."""
    db = open_database(path, synchronous="FULL")
    db.execute("CREATE UNIQUE INDEX one ON t (x)")
    assert fault_of(error(lambda: db.execute("INSERT INTO t VALUES (1)")), path) is None
    db.close()
    assert fault_of(error(lambda: db.execute("SELECT 1")), path) is None
    with pytest.raises(sqlite3.IntegrityError):
        retried(lambda: (_ for _ in ()).throw(sqlite3.IntegrityError()), Patience(at_most_s=5))


def test_a_transaction_is_whole_or_nothing(path: Path) -> None:
    """Protects every commit: what fails in the middle leaves nothing, and the connection goes on."""
    with closing(open_database(path, synchronous="FULL")) as db:
        with suppress(ZeroDivisionError), transaction(db):
            db.execute("INSERT INTO t VALUES (2)")
            raise ZeroDivisionError
        with transaction(db):
            db.execute("INSERT INTO t VALUES (3)")
    assert rows(path) == [(1,), (3,)]


def test_a_disk_that_may_not_be_written_needs_a_person(path: Path) -> None:
    """Protects an owner whose files belong to somebody else from a daemon that waits in silence."""
    path.chmod(0o444)
    path.parent.chmod(0o555)

    def work() -> str:
        with pytest.raises(sqlite3.Error) as caught:
            open_database(path, synchronous="FULL").execute("INSERT INTO t VALUES (2)")
        return str(fault_of(caught.value, path))

    try:
        open_to_others(path.parent.parent)
        assert run_as(NOBODY, work) == str(SqliteFault.UNWRITABLE)
    finally:
        path.parent.chmod(0o755)


# --- only to read ---


def _readable(path: Path) -> None:
    open_to_others(path.parent.parent)
    path.parent.chmod(0o755)
    for name in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        if name.exists():
            name.chmod(0o644)


def _seen_by_another(path: Path) -> str:
    return run_as(NOBODY, lambda: str([x for (x,) in rows(path)]))


def test_another_user_reads_what_nobody_has_open(path: Path) -> None:
    """Protects `hartslag week` for whoever may read the journal and nothing more, while the daemon is stopped."""
    _readable(path)
    before = sorted(path.parent.iterdir())
    assert _seen_by_another(path) == "[1]"
    if os.geteuid() == 0:
        assert sorted(path.parent.iterdir()) == before, "it leaves no file behind that is not the owner's"


def test_another_user_in_a_folder_open_to_all_leaves_nothing_behind(path: Path) -> None:
    """Protects the daemon from an index that another user made and it may not write."""
    _readable(path)
    path.parent.chmod(0o777)
    assert _seen_by_another(path) == "[1]"
    assert all(p.stat().st_uid == os.geteuid() for p in path.parent.iterdir())


def test_another_user_reads_along_with_the_daemon(path: Path) -> None:
    """Protects the same while the daemon writes: what is only in the log counts."""
    with closing(open_database(path, synchronous="FULL")) as db:
        db.execute("INSERT INTO t VALUES (2)")
        _readable(path)
        assert _seen_by_another(path) == "[1, 2]"
        db.execute("INSERT INTO t VALUES (3)")
        assert _seen_by_another(path) == "[1, 2, 3]"


def test_a_log_without_its_index_is_never_passed_over(path: Path) -> None:
    """Protects against numbers without what was written last: an immutable file has no log."""
    with closing(open_database(path, synchronous="FULL")) as db:
        db.execute("INSERT INTO t VALUES (2)")
        kept = {end: path.with_name(path.name + end).read_bytes() for end in ("-wal",)}
        whole = path.read_bytes()
    path.write_bytes(whole)
    path.with_name(path.name + "-wal").write_bytes(kept["-wal"])
    _readable(path)
    if os.geteuid() == 0:

        def work() -> str:
            with pytest.raises(Stop) as caught:
                rows(path)
            return str(caught.value)

        assert "was not closed properly" in run_as(NOBODY, work)
    assert rows(path) == [(1,), (2,)], "its owner reads it, and so mends it"


def test_reading_makes_no_database(tmp_path: Path) -> None:
    """Protects a mistyped folder from an empty file."""
    found = error(lambda: open_readonly(tmp_path / "a.db"))
    assert fault_of(found, tmp_path / "a.db") is SqliteFault.UNWRITABLE
    assert not list(tmp_path.iterdir())


def test_a_reader_writes_nothing(path: Path) -> None:
    """Protects the journal from verbs that only show."""
    with closing(open_readonly(path)) as db:
        assert error(lambda: db.execute("INSERT INTO t VALUES (2)")).sqlite_errorname == "SQLITE_READONLY"


# --- what can be made anew ---


def _tables(db: sqlite3.Connection) -> None:
    db.execute("CREATE TABLE IF NOT EXISTS t (x)")


def _replica(path: Path) -> DerivedFile:
    return DerivedFile(
        path,
        _tables,
        subject="It",
        made_anew="it is made anew",
        waits="it comes again",
        file_mode=0o660,
        make_folder=lambda folder: folder.mkdir(parents=True, exist_ok=True),
        lock="lock",
    )


def _write(replica: DerivedFile, x: int) -> None:
    with replica.transaction() as db:
        db.execute("INSERT INTO t VALUES (?)", (x,))


def test_a_replaced_file_is_opened_again(tmp_path: Path) -> None:
    """Protects against rows that go into a file that is there no more: what counts is which file it is, not its name."""
    replica, other = _replica(tmp_path / "s" / "a.db"), _replica(tmp_path / "b.db")
    _write(replica, 1)
    _write(other, 7)
    other.close()
    for end in ("-wal", "-shm"):
        (tmp_path / "s" / f"a.db{end}").unlink()
    (tmp_path / "b.db").rename(replica.path)
    _write(replica, 8)
    assert rows(replica.path) == [(7,), (8,)]
    replica.close()


@pytest.mark.parametrize("spoil", ["bytes", "tables"])
def test_a_damaged_one_is_deleted_and_made_anew(tmp_path: Path, spoil: str) -> None:
    """Protects against a replica that stays damaged though the journal has everything."""
    replica = _replica(tmp_path / "a.db")
    _write(replica, 1)
    if spoil == "bytes":
        replica.close()
        replica.path.write_bytes(b"garbage, and more of it than a header takes" * 50)
    else:
        with replica.transaction() as db:
            db.execute("ALTER TABLE t RENAME TO u")
    with pytest.raises(TryLater, match=r"It was damaged .*; it is made anew"):
        _write(replica, 2)
    _write(replica, 3)
    assert rows(replica.path) == [(3,)]
    replica.close()


def test_a_full_disk_is_said_and_waited_for(tmp_path: Path) -> None:
    """Protects against a store that is called broken, or deleted, because the card is full."""
    with small_disk(tmp_path / "small", "400k") as small:
        replica = _replica(small / "a.db")
        _write(replica, 1)
        replica.close()
        fill(small / "filler")
        with pytest.raises(
            TryLater, match=r"It cannot be written: the disk is full\. Make room; it comes again"
        ):
            _write(replica, 2)
        (small / "filler").unlink()
        _write(replica, 3)
        assert rows(replica.path) == [(1,), (3,)]
        replica.close()


def test_it_is_written_by_its_group(tmp_path: Path) -> None:
    """Protects the daemon from a file that Grafana's user opened first, and its owner from a strict umask."""
    replica = _replica(tmp_path / "a.db")
    _write(replica, 1)
    modes = {p.name: p.stat().st_mode & 0o777 for p in tmp_path.iterdir()}
    assert modes == {"a.db": 0o660, "a.db-wal": 0o660, "a.db-shm": 0o660}
    replica.close()


if sys.platform != "linux":
    pytestmark = pytest.mark.skip(reason="permissions and disks are tried on Linux only")
