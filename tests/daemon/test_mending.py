"""The daemon mends the journal by itself, at its start and while it runs: nobody looks at a Pi in a living room."""

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ingest.journal.damage import leave_note
from ingest.journal.mending import whole
from ingest.system.crash_points import MENDING_POINTS
from ingest.system.sqlite import COMPANIONS
from tests.support.daemons import QUICK, daemon, hartslag, until
from tests.support.damaged_journals import DAMAGES
from tests.support.household_of_all_kinds import household_of_all_kinds

PEOPLE = '[[person]]\nname = "Anna"\nmaximum_bpm = 180\nzone = "UTC"\n[[person]]\nname = "Bram"\nmaximum_bpm = 170\n'


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("home") / "data"
    household_of_all_kinds(data, days=3)
    return data


def stored_files(data: Path) -> str:
    return hartslag("--data", data, "status", "--json").stdout.partition('"stored": ')[2].split(",")[0]


@pytest.mark.parametrize("harm", ["foreign", "truncated", "deleted", "empty"])
def test_the_daemon_mends_the_journal_and_goes_on(pristine: Path, tmp_path: Path, harm: str) -> None:
    """Protects what comes tomorrow from what the card did today: the files of the archive are back, and a new one is taken."""
    data = tmp_path / "data"
    shutil.copytree(pristine, data)
    path = data / "journal" / "journal.db"
    DAMAGES[harm](path, random.Random(1))
    with daemon(data, settings=QUICK + PEOPLE) as running:
        until(lambda: path.exists() and whole(path) == [] and stored_files(data) == "3", "a whole journal")
        assert running.poll() is None
    log = (tmp_path / "data.log").read_text()
    assert "The journal is repaired" in log
    assert "Traceback" not in log
    # Who looked at it just then may have left its log beside it, which is kept with it.
    kept = [p for p in path.parent.glob("journal.db.damaged-*") if not p.name.endswith(COMPANIONS)]
    assert len(kept) == (harm in {"foreign", "truncated"})


def test_a_daemon_that_runs_mends_what_is_found_damaged(pristine: Path, tmp_path: Path) -> None:
    """Protects a daemon that is never started anew: a note of whoever met the damage is enough, and all parts go on."""
    data = tmp_path / "data"
    shutil.copytree(pristine, data)
    path = data / "journal" / "journal.db"
    with daemon(data, settings=QUICK + PEOPLE):
        until(lambda: '"daemon": null' not in hartslag("--data", data, "status", "--json").stdout, "a daemon")
        leave_note(path)
        until(lambda: any(path.parent.glob("journal.db.damaged-*")), "a new journal")
        shutil.copy(next((data / "given").iterdir()), data / "inbox" / "again.fit")
        until(lambda: not (data / "inbox" / "again.fit").exists(), "a file to be taken")
    assert whole(path) == []
    assert "Traceback" not in (tmp_path / "data.log").read_text()


@pytest.mark.parametrize("column", ["bpm", "times"])
def test_a_chunk_without_a_seal_is_not_believed_unread(pristine: Path, tmp_path: Path, column: str) -> None:
    """Protects from "nothing was lost" over a chunk that nobody can unpack: its file is read again, and once mended is mended."""
    data = tmp_path / "data"
    shutil.copytree(pristine, data)
    path = data / "journal" / "journal.db"
    before = hartslag("--data", data, "export", "--csv").stdout
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        position, packed = db.execute(
            f"SELECT position, {column} FROM chunk WHERE file IS NOT NULL AND samples > 0 ORDER BY position DESC"
        ).fetchone()
        spoiled = bytearray(packed)
        spoiled[-1] ^= 4  # of its checksum: a bit elsewhere may mean nothing
        # What changes a row and knows of no seals takes its seal away.
        db.execute(f"UPDATE chunk SET {column} = ? WHERE position = ?", (bytes(spoiled), position))
    assert hartslag("--data", data, "export", "--csv").stdout != before
    with daemon(data, settings=QUICK + PEOPLE):
        until(lambda: any(path.parent.glob("journal.db.damaged-*")), "a new journal")
        until(lambda: not path.with_name("read-again.json").exists(), "nothing left to read")
    assert whole(path) == []
    assert hartslag("--data", data, "export", "--csv").stdout == before
    assert len(list(path.parent.glob("journal.db.damaged-*"))) == 1
    assert "Traceback" not in (tmp_path / "data.log").read_text()


@pytest.mark.parametrize("point", MENDING_POINTS)
@pytest.mark.parametrize("by", ["repair", "daemon"])
def test_a_repair_that_is_killed_is_completed(pristine: Path, tmp_path: Path, point: str, by: str) -> None:
    """Protects from the power failing in the middle of a repair: the next start has all of it, and what was damaged is kept."""
    data = tmp_path / "data"
    shutil.copytree(pristine, data)
    path = data / "journal" / "journal.db"
    before = hartslag("--data", data, "export").stdout
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        change = "UPDATE chunk SET seal = seal + 1 WHERE position = (SELECT max(position) FROM chunk WHERE file IS NOT NULL)"
        db.execute(change)
    assert hartslag("--data", data, "export").stdout != before
    if by == "repair":
        assert hartslag("--data", data, "repair", env={"HARTSLAG_CRASH_AT": point}).returncode == -9
    else:
        with daemon(data, settings=QUICK + PEOPLE, crash_at=point) as running:
            assert running.wait(180) == -9
    with daemon(data, settings=QUICK + PEOPLE):
        until(lambda: path.exists() and whole(path) == [], "a whole journal")
        until(lambda: not path.with_name("read-again.json").exists(), "nothing left to read")
        until(lambda: hartslag("--data", data, "export").stdout == before, "all of it")
    assert list(path.parent.glob("journal.db.damaged-*"))
    assert "Traceback" not in (tmp_path / "data.log").read_text()
