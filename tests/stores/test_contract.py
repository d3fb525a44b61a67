"""The contract of a store, for every store there is: it holds everything up to its position, whatever happens on the way."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from ingest.journal import Journal
from ingest.rows.cache import RowCache
from ingest.rows.recount import recount_rows, told_samples
from ingest.rows.table import TABLES, Block
from ingest.stores.contract import Overtaken, Store
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
from tests.support.households import (
    DAY,
    HOUR,
    Event,
    Limits,
    Noted,
    Workout,
    a_file,
    at,
    came_in,
    filled,
    happen,
    household,
    rows,
    steady,
)
from tests.support.replicas import Rows, differences, expected, held
from tests.support.server_stores import SERVERS, Clock, catch_up, journal_of_2024, open_store, serving

START = at("2024-10-26T10:00+02:00")
HAPPENED: list[Event] = [
    Noted("Jan", (("maximum_bpm", 180), ("zone", "Europe/Amsterdam"))),
    *(steady("Jan", START + i * DAY, 300, 100 + i, source=f"watch {i % 3}") for i in range(12)),
    replace(steady("Jan", START + HOUR, 300, 150), pauses=((START + HOUR, START + HOUR + 40_000),)),
    Limits("Jan", START + DAY, 180),
    Workout("Jan", "watch 0", START, START + 300_000),
    steady("Piet", START, 300, 90),
]
JAN_FACTS: list[dict[str, Any]] = [
    {"maximum_bpm": 210, "zone": "Asia/Kolkata"},
    {"maximum_bpm": 210, "sport": [{"name": "running", "offset_bpm": 5}]},
    {"maximum_bpm": 130, "pause": [{"from": "2024-10-28", "to": "2024-10-28", "why": "a cold"}]},
    {"maximum_bpm": 130, "pause": [{"from": "2024-10-28", "to": "2024-11-04", "why": "flu, still"}]},
    {"maximum_bpm": 130, "target_min": 60, "week_begins": "sunday"},
    {"born": 1960, "profile": [{"from": "1990-01-01", "limiting_medicine": True}]},
    {"maximum_bpm": 130},
]
"""One after the other the settings say this of Jan."""
MORE = steady("Jan", START + 20 * DAY, 200, 130)

FOLLOW = """
import sys
from pathlib import Path
from ingest.journal import Journal
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
with Journal(Path(sys.argv[1])) as journal, SqliteStore(Path(sys.argv[2])) as store:
    follow(journal, store, portion=3)
"""


@dataclass
class Place:
    """Where one kind of store is, empty at first. Each `open` gives another object, as another process has it."""

    open: Callable[[], AbstractContextManager[Store]]
    read: Callable[[], Rows]
    wanted: Callable[[Rows], Rows]
    """What it must hold when an SQLite store holds these rows: not all can hold everything."""
    clock: Clock
    folder: Path

    def __post_init__(self) -> None:
        self._number = count()

    def wrong_rows(self, journal: Journal) -> list[str]:
        """How what it holds differs from what is made of the journal in one go."""
        anew = filled(journal, self.folder / f"anew {next(self._number)}.db")
        return differences(self.read(), self.wanted(anew))

    def catch_up(self, journal: Journal, store: Store, portion: int = 4) -> int:
        """Up to date, as after some quiet minutes."""
        return catch_up(journal, store, self.clock, portion=portion)


@pytest.fixture(params=["sqlite", *SERVERS])
def place(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Place]:
    """Each kind of store; one that is added gets a branch here."""
    if request.param == "sqlite":
        path = tmp_path / "store" / "s.db"
        yield Place(lambda: closing(SqliteStore(path)), lambda: rows(path), lambda r: r, clock, tmp_path)
        return
    with serving(request.param, tmp_path / "server", clock) as server:
        yield Place(
            lambda: open_store(server.url, tmp_path / "store", clock=clock),
            lambda: held(server),
            lambda r: expected(r, server),
            clock,
            tmp_path,
        )


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A journal of two persons and some weeks."""
    with journal_of_2024(tmp_path / "data", HAPPENED) as opened:
        yield opened


def test_a_count_that_fails_midway_leaves_the_position(journal: Journal, place: Place) -> None:
    """Protects "the position moves only at the end": what raises after some rows is repeated as a whole."""

    def failing() -> Iterator[list[Block]]:
        yield from list(recount_rows(journal, journal.entries(0)))[:-1]
        raise RuntimeError

    with place.open() as store:
        assert store.begin(journal) == 0
        with pytest.raises(RuntimeError):
            store.write(failing(), journal.last_position())
        assert store.begin(journal) == 0
        assert place.catch_up(journal, store) == journal.last_position()
    assert place.wrong_rows(journal) == []


def test_heart_rates_that_come_early_come_again_in_their_turn(journal: Journal, place: Place) -> None:
    """Protects what is told live: written ahead of the position they move it nowhere, and are there once in the end."""
    with place.open() as store:
        place.catch_up(journal, store)
        before = store.begin(journal)
        happen(journal, MORE)
        store.write(told_samples(journal, journal.entries(before)), before)
        assert store.begin(journal) == before
    with place.open() as another:  # as after a kill
        assert another.begin(journal) == before
        place.catch_up(journal, another)
    assert place.wrong_rows(journal) == []


def test_the_same_again_changes_nothing(journal: Journal, place: Place) -> None:
    """Protects against a lost answer: a portion written twice is written once, and the position never goes back."""
    entries = journal.entries(0, 9)
    with place.open() as store:
        place.catch_up(journal, store)
        position = store.begin(journal)
        store.write(recount_rows(journal, entries), entries[-1].position)
        assert store.begin(journal) == position == journal.last_position()
        place.catch_up(journal, store)
    assert place.wrong_rows(journal) == []


def test_rows_that_change_and_rows_that_vanish_are_no_more_what_they_were(
    journal: Journal, place: Place
) -> None:
    """Protects corrections: a block takes the place of all that was held in its span, higher, lower or nothing at all."""
    with place.open() as store:
        place.catch_up(journal, store)
        for facts in JAN_FACTS:
            happen(journal, Noted("Jan", tuple({"zone": "Europe/Amsterdam", **facts}.items())))
            place.catch_up(journal, store)
            assert place.wrong_rows(journal) == []


def test_pauses_of_a_copy_that_was_replaced_vanish(journal: Journal, place: Place) -> None:
    """Protects each store from a pause that no file tells of any more, and from one that is shorter than it was."""
    walk = steady("Jan", START + 30 * DAY, 300, 100, source="another watch")
    pauses = [
        tuple((walk.samples[i][0], walk.samples[j][0]) for i, j in of)
        for of in (((10, 99), (150, 200)), ((10, 20),))
    ]
    with place.open() as store:
        with journal.write() as w:
            person = w.person("Jan")
            damaged = a_file(w, person, "partial")
            replace(walk, pauses=pauses[0]).write(w, damaged)
            came_in(w, person, damaged, "partial")
        place.catch_up(journal, store)
        assert len(place.read()["pause"]) == 3
        with journal.write() as w:
            whole = a_file(w, person)
            replace(walk, pauses=pauses[1]).write(w, whole)
            came_in(w, person, whole, "stored", [damaged])
        place.catch_up(journal, store)
        assert len(place.read()["pause"]) == 2
    assert place.wrong_rows(journal) == []


def test_it_stops_between_portions_when_told_and_goes_on_from_there(journal: Journal, place: Place) -> None:
    """Protects a quick end of the daemon during a long rebuild, and the work done by then."""
    seen: list[int] = []
    with place.open() as store:
        taken = follow(
            journal, store, portion=4, progress=lambda p, _: seen.append(p), going_on=lambda: len(seen) < 2
        )
        assert taken == 8
        assert seen == [4, 8]
        assert place.catch_up(journal, store) == journal.last_position() - 8
    assert place.wrong_rows(journal) == []


def test_the_position_is_known_to_who_only_asks(journal: Journal, place: Place) -> None:
    """Protects `status`: what is reported is where the store is, and nothing for another journal; refused is nothing."""
    with place.open() as store:
        assert store.reported_position(journal) == 0
        place.catch_up(journal, store)
        store.close()
        store.close()
        assert store.reported_position(journal) == journal.last_position()
        with household(journal.path.with_name("another.db")) as another:
            assert store.reported_position(another) == 0
        assert store.refused_rows() == []
        assert store.faults(journal.id) == []
        happen(journal, MORE)
        place.catch_up(journal, store)
        assert store.reported_position(journal) == journal.last_position()
    assert place.wrong_rows(journal) == []


def test_made_anew_while_another_follows_and_not_finished_it_is_still_made_whole(
    journal: Journal, place: Place
) -> None:
    """Protects the rows that a running daemon had counted before somebody's `rebuild` began, and was broken off."""
    with place.open() as daemon, place.open() as rebuilding:
        positions: list[int] = []

        def broken_off(position: int, _: int) -> None:
            positions.append(position)
            if len(positions) == 2:
                rebuilding.clear(journal)

        follow(journal, daemon, portion=4, progress=broken_off)
        place.catch_up(journal, daemon)
    assert place.wrong_rows(journal) == []


def test_emptied_since_it_began_its_position_does_not_move(journal: Journal, place: Place) -> None:
    """Protects all rows from a `rebuild` between a daemon's question and its writing: they would be missed by nobody."""
    with place.open() as daemon, place.open() as rebuilding:
        place.catch_up(journal, daemon)
        happen(journal, MORE)
        begun = daemon.begin(journal)
        entries = journal.entries(begun)
        rebuilding.clear(journal)
        with pytest.raises(Overtaken):
            daemon.write(recount_rows(journal, entries), entries[-1].position)
        assert daemon.begin(journal) == 0
        place.catch_up(journal, daemon)
    assert place.wrong_rows(journal) == []


def test_overtaken_by_another_it_counts_by_all_that_was_held(journal: Journal, place: Place) -> None:
    """Protects days and weeks beside `hartslag add`: a daemon that knows only its own entries left out the other's."""
    cache = RowCache()
    with place.open() as daemon, place.open() as adding:
        place.catch_up(journal, adding)
        follow(journal, daemon, cache=cache)
        same_day = START + 20 * DAY
        happen(journal, steady("Jan", same_day, 200, 130))
        follow(journal, daemon, cache=cache)  # its cache knows the day
        happen(journal, steady("Jan", same_day + HOUR, 300, 150))
        begun = daemon.begin(journal)
        entries = journal.entries(begun)
        happen(journal, steady("Jan", same_day + 2 * HOUR, 400, 140))
        place.catch_up(journal, adding)
        with contextlib.suppress(Overtaken):
            daemon.write(recount_rows(journal, entries, cache), entries[-1].position)
        follow(journal, daemon, cache=cache)
        place.catch_up(journal, daemon)
    assert place.wrong_rows(journal) == []


def test_of_another_journal_it_is_emptied_first(journal: Journal, place: Place) -> None:
    """Protects a restored or exchanged data folder: no row of the other household stays."""
    with place.open() as store:
        place.catch_up(journal, store)
        with journal_of_2024(place.folder / "other", [steady("Kim", START, 60, 100)]) as other:
            place.clock.passes(400)
            place.catch_up(other, store)
            assert place.wrong_rows(other) == []
    assert {row[1] for row in place.read()["minute"]} == {"Kim"}


ODD = (
    'the "best" run.fit',
    "eind\\",
    "a\\b, c=d e.fit",
    "two\nlines\r\n.fit",
    "Zoë 跑步 🏃.fit",
    "{a}[b]$c|d'e`f%.fit",
    " spaces ",
    "long " * 2000,
)


def test_rows_of_a_name_that_nobody_has_any_more_vanish(journal: Journal, place: Place) -> None:
    """Protects a corrected name in Grafana: nothing stands under the old one, and under the new one all of it, in every store."""
    with place.open() as store:
        place.catch_up(journal, store)
        with journal.write() as w:
            w.rename(w.person("Jan"), "Anna d'Arc, 1")
        place.catch_up(journal, store)
        assert place.wrong_rows(journal) == []
        happen(journal, replace(MORE, person="Anna d'Arc, 1"))
        place.catch_up(journal, store)
        assert place.wrong_rows(journal) == []


def test_odd_names_and_reasons_of_files_come_back_as_they_are(journal: Journal, place: Place) -> None:
    """Protects the table of files: what a language of queries or lines has a use for is a name like any other."""
    with place.open() as store:
        place.catch_up(journal, store)
        for name, reason in zip(ODD, reversed(ODD), strict=True):
            with journal.write() as w:
                jan = w.person("Jan")
                file = a_file(w, jan, "rejected", name, f"Why: {reason}")
                came_in(w, jan, file, "rejected", name=name)
        place.catch_up(journal, store)
        assert place.wrong_rows(journal) == []
        held = [row for row in place.read()["collector"] if row[2] == "inbox"]
        store.clear(journal)
        place.catch_up(journal, store)
    assert place.wrong_rows(journal) == []
    at = 1 + len(TABLES["collector"].tags) + list(TABLES["collector"].fields).index("file")
    found = {row[at]: row[at + 1] for row in sorted(held, key=lambda row: row[at + 2])}
    assert {name.replace("\\", "/") for name in found if len(name) < 200} == {
        name.replace("\\", "/") for name in map(in_a_line, ODD[:-1])
    }
    assert len(found) == len(ODD)
    assert all(reason.startswith("Why: ") and len(reason) <= 200 for reason in found.values())


def test_a_text_that_changes_is_no_more_what_it_was(journal: Journal, place: Place) -> None:
    """Protects the reason why a week is not judged: where texts are labels the old one, however odd, would stay beside it."""
    with place.open() as store:
        for why in ('a "cold", or \\d+ {x="y"}', "grippe é", "a cold"):
            rest = [{"from": "2024-10-21", "to": "2024-10-27", "why": why}]
            facts = (("maximum_bpm", 180), ("pause", rest), ("zone", "Europe/Amsterdam"))
            happen(journal, Noted("Jan", facts))
            place.catch_up(journal, store)
            assert place.wrong_rows(journal) == []
    at = 1 + len(TABLES["week"].tags) + list(TABLES["week"].fields).index("not_judged")
    assert {row[at] for row in place.read()["week"]} >= {"a cold"}


def in_a_line(name: str) -> str:
    return "".join(max(c, " ") for c in name).strip()


# --- processes of their own, with the store that needs no server; those on a server: influx/test_outage.py ---


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
    assert following(journal, along, HARTSLAG_CRASH_AT=point).wait(180) == -signal.SIGKILL
    with SqliteStore(along) as store:
        assert store.reported_position(journal) < journal.last_position()
    assert filled(journal, along) == filled(journal, tmp_path / "anew.db")


def test_two_at_once_give_what_one_gives(journal: Journal, tmp_path: Path) -> None:
    """Protects `hartslag add` beside a running daemon: both follow, neither undoes the other's rows."""
    along = tmp_path / "along.db"
    both = [following(journal, along) for _ in range(2)]
    for i in range(6):
        happen(journal, steady("Jan", START + i * DAY + 100_000, 400, 150, source="strap", kind="strap"))
    assert [one.wait(180) for one in both] == [0, 0]
    assert filled(journal, along) == filled(journal, tmp_path / "anew.db")
