"""A person under another name, and two who are one: every row of every store is the one of somebody who was never called otherwise."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.household import persons_called
from ingest.journal import Journal, Person
from ingest.mistakes.persons import merge, merged_into, part, rename
from ingest.rows.cache import RowCache
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
from tests.support.happenings import MOMENTS, events, facts, new_folder
from tests.support.households import (
    MINUTE,
    Copies,
    Event,
    Fact,
    Noted,
    a_file,
    came_in,
    filled,
    happen,
    household,
    rows,
    steady,
)
from tests.support.strap_sessions import StateReport

JAN = Noted("Jan", (("moderate_bpm", 110), ("vigorous_bpm", 140), ("zone", "Europe/Amsterdam")))
BEN = Noted("Ben", (("moderate_bpm", 90), ("vigorous_bpm", 160), ("zone", "UTC")))

Rows = dict[str, list[tuple[Any, ...]]]


def known(journal: Journal, name: str) -> Person:
    (person,) = persons_called(journal, name)
    return person


def without_words(found: Rows) -> Rows:
    return {name: held for name, held in found.items() if name != "collector"}


def of(event: Event, person: str) -> Event:
    """The same, of somebody else."""
    if isinstance(event, Copies):
        return Copies(
            *(tuple(replace(f, person=person) for f in some) for some in (event.damaged, event.whole))
        )
    return replace(event, person=person)


@settings(max_examples=12)
@given(st.lists(events, min_size=1, max_size=5), st.integers(1, 4))
def test_a_new_name_is_that_of_a_person_who_never_had_another(happened: list[Event], portion: int) -> None:
    """Protects a history whose name is corrected: the rows of the old name vanish, and those of the new one are all of them."""
    with new_folder() as data, household(data, [JAN, *happened]) as journal:
        cache = RowCache()
        with SqliteStore(data / "along.db") as store:
            follow(journal, store, cache=cache)
            before = rows(data / "along.db")
            rename(journal, known(journal, "Jan"), "Anna")
            follow(journal, store, cache=cache, portion=portion)
            along = rows(data / "along.db")
            assert along == filled(journal, data / "anew.db")
            assert "Jan" not in {row[1] for held in along.values() for row in held}
            rename(journal, known(journal, "Anna"), "Jan")
            follow(journal, store, cache=cache, portion=portion)
        assert rows(data / "along.db") == before


@settings(max_examples=15)
@given(st.lists(st.tuples(facts, st.sampled_from(["Jan", "Ben"])), min_size=1, max_size=6), st.data())
def test_two_who_are_one_have_what_one_has_to_whom_all_of_it_came(
    happened: list[tuple[Fact, str]], data: st.DataObject
) -> None:
    """Protects a person with two names: nothing is lost, nothing counts twice, and taken back each has their own again."""
    when = data.draw(st.integers(0, len(happened)))
    with new_folder() as folder, household(folder, [JAN, *(f for f, _ in happened)]) as journal:
        one = without_words(filled(journal, folder / "store.db"))
    with new_folder() as folder, household(folder, [JAN, BEN]) as journal:
        cache = RowCache()
        with SqliteStore(folder / "along.db") as store:
            for i, (fact, person) in enumerate([*happened, (None, "")]):
                if i == when:
                    merge(journal, known(journal, "Ben"), known(journal, "Jan"))
                    follow(journal, store, cache=cache)
                if fact is not None:
                    happen(journal, of(fact, person if i < when else "Jan"))
                follow(journal, store, cache=cache)
            along = rows(folder / "along.db")
            assert without_words(along) == one
            assert along == filled(journal, folder / "anew.db")


@settings(max_examples=12)
@given(st.lists(st.tuples(facts, st.sampled_from(["Jan", "Ben"])), min_size=1, max_size=5))
def test_parted_again_each_has_their_own(happened: list[tuple[Fact, str]]) -> None:
    """Protects against a merge that was a mistake itself: every row is the one that was there before."""
    with new_folder() as data, household(data, [JAN, BEN, *(of(f, p) for f, p in happened)]) as journal:
        with SqliteStore(data / "along.db") as store:
            follow(journal, store)
            before = rows(data / "along.db")
            merge(journal, known(journal, "Ben"), known(journal, "Jan"))
            follow(journal, store)
            assert [p.name for p in journal.persons()] == ["Jan"]
            (ben,) = merged_into(journal, known(journal, "Jan"))
            part(journal, ben, known(journal, "Jan"))
            follow(journal, store)
        assert rows(data / "along.db") == before
        assert rows(data / "along.db") == filled(journal, data / "anew.db")


def test_copies_that_both_had_count_once_and_what_was_said_of_straps_moves_along(tmp_path: Path) -> None:
    """Protects the minutes of a file that was given to both names, and the list of what came in and how straps were."""
    run, half = steady("Jan", MOMENTS[2], 1200, 120), steady("Jan", MOMENTS[2], 600, 120)
    with household(tmp_path, [JAN, BEN]) as journal:
        for person, part_of_it, outcome in (("Jan", half, "partial"), ("Ben", run, "stored")):
            with journal.write() as w:
                number = w.person(person)
                file = a_file(w, number, outcome)
                w.db.execute("UPDATE file SET identity = 'garmin 1' WHERE id = ?", (file,))
                replace(part_of_it, person=person).write(w, file)
                came_in(w, number, file, outcome)
        with journal.write() as w:
            StateReport(MOMENTS[2] + 20 * MINUTE, person="Ben").write(w)
        merge(journal, known(journal, "Ben"), known(journal, "Jan"))
        held = filled(journal, tmp_path / "store.db")
        assert [f.person for f in journal.files()] == ["Jan", "Jan"]
        assert journal.merges() == {2: 1}
        again = journal.files("stored")
    assert len(held["minute"]) == 20
    assert sorted({row[1] for row in held["collector"]}) == ["Jan"]
    assert len(held["collector"]) == 3
    assert len(again) == 1
