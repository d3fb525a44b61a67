"""What is a workout: the same one for whoever asks, however often and in whatever order files told of it."""

from pathlib import Path

from ingest.formats.recording import LONGEST_SESSION_MS
from ingest.journal import Journal
from ingest.rows.cache import RowCache
from ingest.rows.workout import find_workouts, workout_spans
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
from tests.support.households import (
    HOUR,
    MINUTE,
    Noted,
    Workout,
    a_file,
    at,
    came_in,
    filled,
    household,
    rows,
    steady,
)

START = at("2026-11-16T10:00+01:00")
HOME = Noted(
    "Jan",
    (
        ("moderate_bpm", 100),
        ("sport", [{"name": "running", "offset_bpm": 30}]),
        ("vigorous_bpm", 140),
        ("zone", "Europe/Amsterdam"),
    ),
)
"""At 110 bpm an hour is moderate, and light while running."""

RUN = Workout("Jan", "watch", START, START + HOUR)
SHORTER_WALK = Workout("Jan", "watch", START, START + HOUR // 2, sport="walking")


def lengths(journal: Journal, start_ms: int, end_ms: int) -> list[tuple[str, int]]:
    return [
        (e.content["sport"], (e.last_ms or 0) - e.at_ms) for e in find_workouts(journal, 1, start_ms, end_ms)
    ]


def test_of_two_workouts_with_one_key_the_later_is_found_wherever_one_looks(tmp_path: Path) -> None:
    """Protects a row from being called walking and ruled by running: a shortened workout is gone where it was cut off."""
    with household(tmp_path, [HOME, RUN, SHORTER_WALK]) as journal:
        assert lengths(journal, START, START + HOUR) == [("walking", HOUR // 2)]
        assert lengths(journal, START + HOUR // 2, START + HOUR) == []


def test_a_corrected_workout_leaves_a_store_that_followed_as_a_rebuild_does(tmp_path: Path) -> None:
    """Protects the minutes that only the earlier entry covered: nobody was running in them, and then again somebody was."""
    with household(tmp_path, [HOME, steady("Jan", START, 3600, 110), RUN]) as journal:
        cache = RowCache()
        with SqliteStore(tmp_path / "along.db") as store:
            moderate = []
            for outcome in ("stored", "partial", "whole"):
                with journal.write() as w:
                    if outcome == "partial":
                        damaged = a_file(w, 1, outcome)
                        SHORTER_WALK.write(w, damaged)
                    elif outcome == "whole":  # the whole copy tells of no walk: the run is what there was
                        whole = a_file(w, 1)
                        came_in(w, 1, whole, "stored", [damaged])
                follow(journal, store, cache=cache)
                along = rows(tmp_path / "along.db")
                assert along == filled(journal, tmp_path / f"{outcome}.db")
                moderate.append(sum(row[6] for row in along["minute"]))
    assert moderate == [0.0, 3600.0, 0.0]


def test_workouts_come_in_one_order_whichever_came_in_first(tmp_path: Path) -> None:
    """Protects whose edges rule where two watches recorded one hour: the order does not tell who was read first."""
    other = Workout("Jan", "other watch", START, START + HOUR, sport="cycling")
    earlier = Workout("Jan", "watch", START - HOUR, START + MINUTE)
    orders = []
    for i, events in enumerate([(RUN, other, earlier), (earlier, other, RUN)]):
        with household(tmp_path / str(i), [HOME, *events]) as journal:
            orders.append([(e.content["source"], e.at_ms) for e in find_workouts(journal, 1)])
    assert (
        orders[0]
        == orders[1]
        == [
            ("watch", START - HOUR),
            ("other watch", START),
            ("watch", START),
        ]
    )


def test_the_longest_workout_is_found_at_its_end(tmp_path: Path) -> None:
    """Protects the last hour of a workout of a week: the look-back is as long as any that a file may tell of."""
    longest = Workout("Jan", "watch", START, START + LONGEST_SESSION_MS)
    with household(tmp_path, [HOME, longest]) as journal:
        end = START + LONGEST_SESSION_MS
        assert find_workouts(journal, 1, end - 1, end)
        assert not find_workouts(journal, 1, end, end + HOUR)
        assert not find_workouts(journal, 1, START - HOUR, START)


def test_a_workout_without_length_counts_where_it_starts(tmp_path: Path) -> None:
    """Protects the row of a workout that was stopped at once: it is there, and takes no time."""
    with household(tmp_path, [HOME, Workout("Jan", "watch", START, START)]) as journal:
        assert len(find_workouts(journal, 1, START, START + 1)) == 1
        assert not find_workouts(journal, 1, START + 1, START + HOUR)
        assert not find_workouts(journal, 1, START - HOUR, START)
        assert not len(workout_spans(find_workouts(journal, 1)))
