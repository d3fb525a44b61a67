"""Pauses of workouts: what the timer of a watch said, whole however chunks cut it, and nobody else's."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.rows.recount import recount_rows
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
from tests.support.happenings import new_folder, recordings
from tests.support.households import (
    DAY,
    HOUR,
    MINUTE,
    Noted,
    Recording,
    S,
    a_file,
    at,
    came_in,
    filled,
    happen,
    household,
    rows,
    steady,
)

START = at("2026-11-17T10:00+01:00")
HOME = Noted("Jan", (("zone", "Europe/Amsterdam"),))
RUN = replace(
    steady("Jan", START, 1200, 120),
    pauses=((START + 60 * S, START + 150 * S + 400), (START + 20 * MINUTE - 30 * S, START + 20 * MINUTE)),
)
OF_RUN = [
    (START / 1000 + 60, "Jan", "watch", START // 1000 + 151, 90.4),
    (START / 1000 + 1170, "Jan", "watch", START // 1000 + 1200, 30.0),
]

Rows = list[tuple[Any, ...]]


def part(start_s: int, end_s: int, *pauses: tuple[int, int], source: str = "watch") -> Recording:
    """A recording of some seconds from START on, and what it tells of pauses."""
    whole = steady("Jan", START + start_s * S, end_s - start_s, 120, source=source, step_s=10)
    return replace(whole, pauses=tuple((START + a * S, START + b * S) for a, b in pauses))


def followed(folder: Path, *happened: Recording) -> Rows:
    """The pauses of a store that followed each of them; they are those of one made anew."""
    with household(folder, [HOME]) as journal:
        with SqliteStore(folder / "along.db") as store:
            for recorded in happened:
                happen(journal, recorded)
                follow(journal, store)
        found = rows(folder / "along.db")["pause"]
        assert found == filled(journal, folder / "anew.db")["pause"]
    return found


def test_each_stop_of_the_timer_of_a_workout_file_is_a_row(tmp_path: Path) -> None:
    """Protects the curve of a workout from an unexplained gap: the row says from when until when the timer stood still."""
    strap, all_day = (replace(RUN, source=kind, kind=kind, movement=None) for kind in ("strap", "monitoring"))
    assert followed(tmp_path, RUN, strap, all_day) == OF_RUN


def test_a_pause_that_chunks_cut_is_one_whatever_came_first(tmp_path: Path) -> None:
    """Protects a long break from becoming two where a file was cut, and from a beginning that came in last."""
    parts = (
        part(0, 600, (300, 600)),
        part(600, 1200, (600, 1200)),
        part(1200, 1800, (1200, 1500), (1600, 1700)),
        part(650, 660, (650, 655), source="other watch"),
    )
    whole = [(START // 1000 + a, source, b - a) for a, b, source in (
        (300, 1500, "watch"), (650, 655, "other watch"), (1600, 1700, "watch"))]  # fmt: skip
    for i, order in enumerate(((0, 1, 2, 3), (2, 1, 0, 3), (0, 2, 3, 1), (1, 3, 2, 0))):
        found = followed(tmp_path / str(i), *(parts[j] for j in order))
        assert [(row[0], row[2], row[4]) for row in found] == whole, order
        assert [row[3] for row in found] == [begin + lasts for begin, _, lasts in whole]


def test_a_recording_tells_of_its_own_time_alone(tmp_path: Path) -> None:
    """Protects from a pause that reaches beyond what was recorded: when the file ends nobody waits any more."""
    found = followed(tmp_path, part(0, 600, (300, 700)), part(3000, 3600, (2000, 3100)))
    assert [(row[0] - START / 1000, row[4]) for row in found] == [(300, 300), (3000, 100)]


def test_a_pause_of_more_than_a_day_is_one_though_its_chunks_are_far_apart(tmp_path: Path) -> None:
    """Protects an expedition: what comes in touches the end of a pause whose beginning lies days before it."""
    day = DAY // S - 400
    chunks = [
        Recording(
            "Jan",
            "watch",
            "activity",
            ((START + i * day * S, 80), (START + (i + 1) * day * S - 60 * S, 80)),
            START + (i + 1) * day * S,
            ((START + i * day * S + (HOUR if i == 0 else 0), START + (i + 1) * day * S),),
        )
        for i in range(4)
    ]
    for order in ((0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2)):
        found = followed(tmp_path / str(order), *(chunks[i] for i in order))
        assert [(row[0], row[4]) for row in found] == [(START / 1000 + 3600, 4 * day - 3600.0)]


@settings(max_examples=40)
@given(st.lists(recordings(), min_size=1, max_size=4), st.data())
def test_the_order_leaves_no_trace(happened: list[Recording], data: st.DataObject) -> None:
    """Protects a store that followed along: in whatever order and how often recordings came, pauses are those of all."""
    again = data.draw(st.permutations([*happened, happened[0]]))
    with new_folder() as one, new_folder() as other:
        assert followed(one, *happened) == followed(other, *again)


def test_pauses_of_a_damaged_copy_give_way_to_those_of_the_whole_file(tmp_path: Path) -> None:
    """Protects from a pause that never was: what another copy told of goes with that copy."""
    with household(tmp_path, [HOME]) as journal, SqliteStore(tmp_path / "s.db") as store:
        with journal.write() as w:
            person = w.person("Jan")
            damaged = a_file(w, person, "partial")
            part(0, 600, (100, 600)).write(w, damaged)
            came_in(w, person, damaged, "partial")
        happen(journal, part(600, 900, (600, 700)))
        follow(journal, store)
        assert [(row[0] - START / 1000, row[4]) for row in rows(tmp_path / "s.db")["pause"]] == [(100, 600)]
        before = damaged
        for pauses, told in ((((200, 250),), [(200, 50), (600, 100)]), ((), [(600, 100)])):
            with journal.write() as w:
                whole = a_file(w, person)
                part(0, 600, *pauses).write(w, whole)
                came_in(w, person, whole, "stored", [before])
            before = whole
            follow(journal, store)
            found = rows(tmp_path / "s.db")
            assert [(row[0] - START / 1000, row[4]) for row in found["pause"]] == told
            assert found == filled(journal, tmp_path / f"{whole}.db")


def test_only_what_tells_of_pauses_has_them_written(tmp_path: Path) -> None:
    """Protects the live commit of a strap, and a change of the settings, from reading the files of the day."""
    with household(tmp_path, [HOME, RUN]) as journal:
        for later, tables in (
            (steady("Jan", START, 60, 120, source="strap", kind="strap"), 0),
            (steady("Jan", START, 60, 120, source="other watch"), 0),
            (Noted("Jan", (("born", 1960), ("zone", "Asia/Kolkata"))), 0),
            (part(2000, 2100, (2010, 2020)), 1),
        ):
            position = journal.last_position()
            happen(journal, later)
            blocks = [b for p in recount_rows(journal, journal.entries(position)) for b in p]
            assert sum(b.table == "pause" for b in blocks) == tables
