"""What is forgotten counts for nothing, whenever it came in, and taken back it is as if nothing had been said."""

from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.journal import ALWAYS_MS, Journal
from ingest.journal.forgotten import Forgotten
from ingest.mistakes.forgetting import forget, take_back
from ingest.rows.cache import RowCache
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
from tests.support.happenings import MOMENTS, SOURCES, facts, new_folder, nights
from tests.support.households import (
    MINUTE,
    Event,
    Fact,
    Limits,
    Noted,
    S,
    Workout,
    a_file,
    came_in,
    filled,
    happen,
    household,
    rows,
    steady,
)
from tests.support.strap_sessions import ChunkMerge, ClockCorrection, StrapConnection, connections

STRAPS = ("strap A0:9E:1A:00:00:01", "strap Verity 7")
HOME = Noted("Jan", (("zone", "Europe/Amsterdam"),))


def without_words(found: dict[str, list[tuple[object, ...]]]) -> dict[str, list[tuple[object, ...]]]:
    """The rows of a store but for the list of what came in."""
    return {name: held for name, held in found.items() if name != "collector"}


def bring(journal: Journal, brought: list[Fact]) -> int:
    """A file with all of this in it; gives its number."""
    with journal.write() as w:
        person = w.person("Jan")
        file = a_file(w, person)
        for fact in brought:
            fact.write(w, file)
        came_in(w, person, file, "stored")
    return file


Heard = Fact | StrapConnection | ChunkMerge | ClockCorrection

heard: st.SearchStrategy[Heard] = (
    facts
    | nights()
    | connections()
    | connections()
    | st.just(ChunkMerge())
    | st.just(ClockCorrection(90_000))
)
"""What may come in, of files and of straps."""


@st.composite
def spans(draw: st.DrawFn) -> Forgotten:
    """Some time of one source, or of all."""
    start = draw(st.sampled_from(MOMENTS)) + draw(st.integers(-120, 120)) * 30 * S
    length = draw(st.integers(1, 400)) * 30 * S
    source = draw(st.sampled_from([None, *sorted(SOURCES), *STRAPS, *STRAPS]))
    return Forgotten(0, 1, source=source, from_ms=start, to_ms=start + length)


@settings(max_examples=12)
@given(st.lists(facts, min_size=1, max_size=5), st.lists(facts, min_size=1, max_size=4), st.integers(1, 3))
def test_a_forgotten_file_leaves_what_a_household_has_that_never_saw_it(
    kept: list[Fact], wrong: list[Fact], portion: int
) -> None:
    """Protects a week from a wrong person's file: minutes, workouts and limits are those without it, and with it after --undo."""
    with new_folder() as data, household(data, [HOME]) as journal:
        cache = RowCache()
        for fact in kept:
            happen(journal, fact)
        with SqliteStore(data / "along.db") as store:
            follow(journal, store, cache=cache)
            before = rows(data / "along.db")
            file = bring(journal, wrong)
            follow(journal, store, cache=cache)
            with_it = rows(data / "along.db")
            gone = Forgotten(0, 1, files=(file,))
            position = forget(journal, [gone])
            follow(journal, store, cache=cache, portion=portion)
            assert without_words(rows(data / "along.db")) == without_words(before)
            assert without_words(filled(journal, data / "anew.db")) == without_words(before)
            take_back(journal, replace(gone, position=position))
            follow(journal, store, cache=cache, portion=portion)
            assert rows(data / "along.db") == with_it
            assert journal.forgotten(1) == []


@settings(max_examples=12)
@given(st.lists(heard, min_size=1, max_size=5, unique_by=repr), spans(), st.data())
def test_forgotten_time_is_the_same_before_and_after_what_comes_in_of_it(
    happened: list[Heard], span: Forgotten, data: st.DataObject
) -> None:
    """Protects a strap that hung on the dog: whether its samples came before or after that was said makes no difference."""
    when = data.draw(st.integers(0, len(happened)))
    seen = []
    for said_after in (when, len(happened)):
        with new_folder() as folder, household(folder, [HOME]) as journal:
            with journal.write() as w:
                for source, (kind, _) in SOURCES.items():
                    w.source(1, source, kind, 3)
            cache = RowCache()
            with SqliteStore(folder / "along.db") as store:
                for i, event in enumerate([*happened, None]):
                    if i == said_after:
                        forget(journal, [span])
                    if event is not None:
                        happen(journal, event)  # type: ignore[arg-type]  # as above
                    follow(journal, store, cache=cache)
            along = rows(folder / "along.db")
            assert along == filled(journal, folder / "anew.db")
            seen.append(without_words(along))
    assert seen[0] == seen[1]


@settings(max_examples=12)
@given(st.lists(heard, min_size=1, max_size=5, unique_by=repr), spans())
def test_forgotten_time_taken_back_is_as_before(happened: list[Heard], span: Forgotten) -> None:
    """Protects --undo: each row of a store that followed along is the one that was there."""
    with new_folder() as data, household(data, [HOME]) as journal:
        for event in happened:
            happen(journal, event)  # type: ignore[arg-type]  # what straps bring is written alike
        cache = RowCache()
        with SqliteStore(data / "along.db") as store:
            follow(journal, store, cache=cache)
            before = rows(data / "along.db")
            position = forget(journal, [span])
            follow(journal, store, cache=cache)
            held = rows(data / "along.db")
            inside = [
                row
                for row in held["heart_rate"]
                if span.from_ms <= row[0] * 1000 < span.to_ms and span.source in {None, row[2]}
            ]
            assert inside == []
            take_back(journal, replace(span, position=position))
            follow(journal, store, cache=cache)
            assert rows(data / "along.db") == before


def test_no_sample_stands_in_forgotten_time(tmp_path: Path) -> None:
    """Protects the minute before: a heart rate is not stretched over what is forgotten, nor is anything lost beside it."""
    start = MOMENTS[2]
    gone = Forgotten(0, 1, source="all-day", from_ms=start + 20 * MINUTE, to_ms=start + 30 * MINUTE)
    worn = steady("Jan", start, 3600, 120, source="all-day", kind="monitoring", step_s=60)
    with household(tmp_path, [HOME, worn]) as journal:
        forget(journal, [gone])
        minutes = {row[0]: row[-1] for row in filled(journal, tmp_path / "store.db")["minute"]}
    told = [minutes.get((start + i * MINUTE) / 1000) for i in range(60)]
    assert told == [60.0] * 20 + [None] * 10 + [60.0] * 30


def test_a_better_copy_of_a_forgotten_file_does_not_count_either(tmp_path: Path) -> None:
    """Protects against a forgotten half of a file that comes back whole: it stays forgotten, until it is taken back."""
    start = MOMENTS[2]
    half, whole = steady("Jan", start, 600, 90), steady("Jan", start, 1200, 90)
    with household(tmp_path, [HOME]) as journal:
        with journal.write() as w:
            damaged = a_file(w, 1, "partial")
            half.write(w, damaged)
            came_in(w, 1, damaged, "partial")
        gone = Forgotten(0, 1, files=(damaged,))
        position = forget(journal, [gone])
        with journal.write() as w:
            better = a_file(w, 1)
            whole.write(w, better)
            came_in(w, 1, better, "stored", [damaged])
        with SqliteStore(tmp_path / "along.db") as store:
            follow(journal, store)
            assert rows(tmp_path / "along.db")["minute"] == []
            take_back(journal, replace(gone, position=position))
            follow(journal, store)
        along = rows(tmp_path / "along.db")
        assert along == filled(journal, tmp_path / "anew.db")
        assert len(along["minute"]) == 20


def test_limits_of_a_forgotten_file_hold_no_more(tmp_path: Path) -> None:
    """Protects a year of minutes from the maximum in somebody else's watch: it went for all time, and comes back."""
    start = MOMENTS[2]
    events: list[Event] = [HOME, steady("Jan", start, 3600, 130), Limits("Jan", start - 90 * MINUTE, 190)]
    with household(tmp_path, events) as journal, SqliteStore(tmp_path / "along.db") as store:
        follow(journal, store)
        before = rows(tmp_path / "along.db")
        file = bring(
            journal, [Limits("Jan", start - 60 * MINUTE, 120), Workout("Jan", "watch", start, start + 1)]
        )
        position = forget(journal, [gone := Forgotten(0, 1, files=(file,))])
        follow(journal, store)
        assert without_words(rows(tmp_path / "along.db")) == without_words(before)
        # The same limits from the right watch's next file are not taken for known already.
        happen(journal, Limits("Jan", start - 60 * MINUTE, 120))
        follow(journal, store)
        assert rows(tmp_path / "along.db") == filled(journal, tmp_path / "anew.db")
        take_back(journal, replace(gone, position=position))
        follow(journal, store)
        assert rows(tmp_path / "along.db") == filled(journal, tmp_path / "anew2.db")


def test_nothing_of_what_is_forgotten_left_the_journal(tmp_path: Path) -> None:
    """Protects "nothing is deleted": chunk, entry and file are all there, octet by octet."""
    with household(tmp_path, [HOME, steady("Jan", MOMENTS[2], 600, 90)]) as journal:
        file = bring(journal, [steady("Jan", MOMENTS[3], 600, 95)])
        held = journal.size(), list(journal.entries(0))
        forget(journal, [Forgotten(0, 1, files=(file,))])
        assert journal.size()["samples"] == held[0]["samples"]
        assert list(journal.entries(0))[: len(held[1])] == held[1]
        assert len(journal.chunks(1, -ALWAYS_MS, ALWAYS_MS)) == 1
