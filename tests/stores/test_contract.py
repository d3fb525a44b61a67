"""The contract of a store: it holds everything up to its position, whatever happens on the way there."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.journal import Journal
from ingest.rows.recount import recount_rows
from ingest.rows.table import Block
from ingest.settings.model import Settings
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
from tests.support.households import (
    DAY,
    Event,
    Limits,
    Noted,
    Workout,
    at,
    filled,
    happen,
    household,
    rows,
    steady,
)

START = at("2026-11-16T10:00+01:00")
HAPPENED: list[Event] = [
    Noted("Jan", (("zone", "Europe/Amsterdam"),)),
    *(steady("Jan", START + i * DAY, 300, 100 + i, source=f"watch {i % 3}") for i in range(12)),
    Limits("Jan", START + DAY, 180),
    Workout("Jan", "watch 0", START, START + 300_000),
    steady("Piet", START, 300, 90),
]

FOLLOW = """
import sys
from pathlib import Path
from ingest.journal import Journal
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
with Journal(Path(sys.argv[1])) as journal, SqliteStore(Path(sys.argv[2])) as store:
    follow(journal, store, portion=3)
"""


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A journal of two persons and some weeks."""
    with household(tmp_path, HAPPENED) as opened:
        yield opened


def following(journal: Journal, store: Path, **env: str) -> "subprocess.Popen[bytes]":
    """A process of its own that brings a store up to date."""
    root = str(Path(__file__).parents[2])
    return subprocess.Popen(
        [sys.executable, "-c", FOLLOW, str(journal.path), str(store)],
        env={**os.environ, "PYTHONPATH": root, **env},
    )


@pytest.mark.parametrize(
    "point",
    [
        "store begun",
        "store begun:4",
        "store written",
        "store written:5",
        "store committed",
        "store committed:2",
    ],
)
def test_killed_at_any_step_and_followed_again_no_row_is_lost_or_double(
    journal: Journal, tmp_path: Path, point: str
) -> None:
    """Protects the store from power cuts: its position never runs ahead of its rows."""
    along = tmp_path / "along.db"
    assert following(journal, along, HARTSLAG_CRASH_AT=point).wait(60) == -signal.SIGKILL
    with SqliteStore(along) as store:
        assert store.reported_position(journal.id)[0] < journal.last_position()
    assert filled(journal, along) == filled(journal, tmp_path / "anew.db")


def test_a_count_that_fails_midway_leaves_the_position(journal: Journal, tmp_path: Path) -> None:
    """Protects "the position moves only at the end": what raises after some rows is repeated as a whole."""

    def failing() -> Iterator[list[Block]]:
        yield from list(recount_rows(journal, journal.entries(0)))[:-1]
        raise RuntimeError

    with SqliteStore(tmp_path / "along.db") as store:
        assert store.begin(journal.id) == 0
        with pytest.raises(RuntimeError):
            store.write(failing(), journal.last_position())
        assert store.begin(journal.id) == 0
        assert follow(journal, store) == journal.last_position()
    assert rows(tmp_path / "along.db") == filled(journal, tmp_path / "anew.db")


def test_the_same_again_changes_nothing(journal: Journal, tmp_path: Path) -> None:
    """Protects against a lost answer: a portion written twice is written once, and the position never goes back."""
    before = filled(journal, tmp_path / "s.db")
    entries = journal.entries(0, 9)
    with SqliteStore(tmp_path / "s.db") as store:
        position = store.begin(journal.id)
        store.write(recount_rows(journal, entries), entries[-1].position)
        assert store.begin(journal.id) == position == journal.last_position()
    assert rows(tmp_path / "s.db") == before


def test_it_stops_between_portions_when_told_and_goes_on_from_there(journal: Journal, tmp_path: Path) -> None:
    """Protects a quick end of the daemon during a long rebuild, and the work done by then."""
    seen: list[int] = []
    with SqliteStore(tmp_path / "s.db") as store:
        taken = follow(
            journal, store, portion=4, progress=lambda p, _: seen.append(p), going_on=lambda: len(seen) < 2
        )
        assert taken == 8
        assert seen == [4, 8]
        assert follow(journal, store) == journal.last_position() - 8
    assert rows(tmp_path / "s.db") == filled(journal, tmp_path / "anew.db")


def test_two_at_once_give_what_one_gives(journal: Journal, tmp_path: Path) -> None:
    """Protects `hartslag add` beside a running daemon: both follow, neither undoes the other's rows."""
    along = tmp_path / "along.db"
    both = [following(journal, along) for _ in range(2)]
    for i in range(6):
        happen(journal, steady("Jan", START + i * DAY + 100_000, 400, 150, source="strap", kind="strap"))
    assert [one.wait(60) for one in both] == [0, 0]
    assert filled(journal, along) == filled(journal, tmp_path / "anew.db")


def test_made_anew_while_another_follows_and_not_finished_it_is_still_made_whole(
    journal: Journal, tmp_path: Path
) -> None:
    """Protects the rows that a running daemon had counted before somebody's `rebuild` began, and was broken off."""
    with SqliteStore(tmp_path / "s.db") as daemon, SqliteStore(tmp_path / "s.db") as rebuilding:
        told: list[int] = []

        def broken_off(position: int, _: int) -> None:
            told.append(position)
            if len(told) == 2:
                rebuilding.clear(journal.id)

        follow(journal, daemon, portion=4, progress=broken_off)
    assert rows(tmp_path / "s.db") == filled(journal, tmp_path / "anew.db")


def test_of_another_journal_it_is_emptied_first(journal: Journal, tmp_path: Path) -> None:
    """Protects a restored or exchanged data folder: no row of the other household stays."""
    filled(journal, tmp_path / "s.db")
    other = Settings(tmp_path / "other")
    with household(other.data, [steady("Kim", START, 60, 100)]) as theirs:
        found = filled(theirs, tmp_path / "s.db")
        assert found == filled(theirs, tmp_path / "anew.db")
        assert {row[1] for row in found["minute"]} == {"Kim"}
