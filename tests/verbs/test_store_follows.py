"""A store that a verb cannot bring up to date: it says so, `status` does as long as it is so, and what was taken is kept."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from ingest.demo.fit_encoder import workout
from ingest.settings.model import Settings
from ingest.verbs.store_follows import catch_up
from tests.support.daemons import hartslag
from tests.support.households import Noted, happen, household, steady

START = 1_100_000_000
REFUSES = "CREATE TRIGGER refuses BEFORE INSERT ON session BEGIN SELECT RAISE(ABORT, 'none are taken'); END"


def told_of_store(data: Path) -> dict[str, object]:
    (store,) = json.loads(hartslag("--data", data, "status", "--json").stdout)["stores"]
    assert isinstance(store, dict)
    return store


def change(settings: Settings, sql: str) -> None:
    with closing(sqlite3.connect(settings.store_file)) as db, db:
        db.execute(sql)


def test_a_store_that_cannot_follow_is_told_until_it_can(tmp_path: Path) -> None:
    """Protects who adds a file without a daemon from a store that stays behind in silence."""
    data, files = tmp_path / "data", [tmp_path / f"{i}.fit" for i in range(3)]
    for i, file in enumerate(files):
        file.write_bytes(workout(START + i * 90_000, [120] * 600))
    assert hartslag("--data", data, "add", files[0]).returncode == 0
    assert told_of_store(data)["last_error"] is None
    change(Settings(data), REFUSES)
    added = hartslag("--data", data, "add", files[1])
    assert added.stdout.startswith("stored")
    assert "none are taken" in added.stderr
    store = told_of_store(data)
    assert "none are taken" in str(store["last_error"])
    assert store["behind"]
    change(Settings(data), "DROP TRIGGER refuses")
    assert hartslag("--data", data, "add", files[2]).stderr == ""
    assert told_of_store(data)["last_error"] is None


def test_what_cannot_be_counted_is_told_in_words(tmp_path: Path) -> None:
    """Protects a person from a traceback, and from thinking a file lost, where counting breaks as it did on 32 bits."""
    settings = Settings(tmp_path)
    with household(tmp_path) as journal:
        happen(journal, steady("Jan", START * 1000, 600, 120))
        happen(journal, Noted("Jan", (("pause", 7),)))
    trouble = catch_up(settings)
    assert trouble
    assert "cannot be brought up to date: TypeError" in trouble
    with household(tmp_path) as journal:
        assert list(journal.store_errors().values()) == [trouble]
