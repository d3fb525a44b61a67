"""The daemon mends the journal by itself, at its start and while it runs: nobody looks at a Pi in a living room."""

import random
import shutil
from pathlib import Path

import pytest

from ingest.journal.damage import leave_note
from ingest.journal.mending import whole
from tests.support.daemons import QUICK, daemon, hartslag, until
from tests.support.damaged_journals import DAMAGES, household_of_all_kinds

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
    assert len(list(path.parent.glob("journal.db.damaged-*"))) == (harm in {"foreign", "truncated"})


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
