"""What nobody asks for is looked over: a chunk of years ago that a card has spoilt is found while there is a copy of its file."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ingest.daemon.inspection import SLICES, look_over_chunks, look_over_store
from ingest.journal import Journal
from ingest.journal.damage import note_file
from ingest.settings.file import load
from ingest.settings.model import Settings
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
from tests.support.households import rows, steady


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = load(None, tmp_path, {}, tmp_path)
    with Journal(found.journal_file) as journal:
        for day in range(SLICES * 3):
            with journal.write() as w:
                steady("anna", 1_790_000_000_000 + day * 86_400_000, 60, 100 + day).write(w)
        with closing(SqliteStore(found.store_file)) as store:
            follow(journal, store)
    return found


def look_over(settings: Settings, going_on: Callable[[], bool] = lambda: True) -> list[int]:
    """The parts in which something was found."""
    found = []
    for number in range(SLICES):
        look_over_chunks(settings, number, lambda _s: None, going_on)
        if note_file(settings.journal_file).exists():
            found.append(number)
            note_file(settings.journal_file).unlink()
    return found


def test_each_chunk_is_in_one_part_of_the_week(settings: Settings) -> None:
    """Protects what is old from being passed over: whichever chunk is spoilt, one day of the week finds it, and only one."""
    assert look_over(settings) == []
    seen = set()
    for position in (1, 2, SLICES, SLICES * 2, SLICES * 3 - 1, SLICES * 3):
        with closing(sqlite3.connect(settings.journal_file, isolation_level=None)) as db:
            numbers = [n for (n,) in db.execute("SELECT position FROM chunk ORDER BY position")]
            one = numbers[position - 1]
            (bpm,) = db.execute("SELECT bpm FROM chunk WHERE position = ?", (one,)).fetchone()
            change = "UPDATE chunk SET bpm = ?, seal = seal + ? WHERE position = ?"
            db.execute(change, (bytes([*bpm[:-1], bpm[-1] ^ 1]), 1, one))
            (found,) = look_over(settings)
            db.execute(change, (bpm, -1, one))
        seen.add(found)
    assert {0, SLICES - 1} <= seen
    assert look_over(settings, lambda: False) == []


def test_a_store_of_two_times_is_made_anew(settings: Settings) -> None:
    """Protects Grafana from a store of which half was put back: it is found by SQLite's own check, and filled anew."""
    path = settings.store_file
    before = rows(path)
    look_over_store(settings)
    assert path.exists()
    content = bytearray(path.read_bytes())
    pages = [at for at in range(512, len(content), 512) if content[at] in {0x0A, 0x0D}]
    for at in pages[len(pages) // 2 :]:
        content[at : at + 512] = content[pages[0] : pages[0] + 512]
    path.write_bytes(content)
    look_over_store(settings)
    assert not path.exists()
    with Journal(settings.journal_file) as journal, closing(SqliteStore(path)) as store:
        follow(journal, store)
    assert rows(path) == before
