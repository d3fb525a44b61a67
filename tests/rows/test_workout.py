"""What is a workout: the same one for whoever asks, however often and in whatever order files told of it."""

from dataclasses import replace
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
    Event,
    Fact,
    Noted,
    Recording,
    S,
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
WALK = Workout("Jan", "watch", START, START + HOUR, sport="walking")
SHORTER_RUN = Workout("Jan", "watch", START, START + HOUR // 2)
SHORTER_WALK = Workout("Jan", "watch", START, START + HOUR // 2, sport="walking")


def lengths(journal: Journal, start_ms: int, end_ms: int) -> list[tuple[str, int]]:
    return [
        (e.content["sport"], (e.last_ms or 0) - e.at_ms) for e in find_workouts(journal, 1, start_ms, end_ms)
    ]


def test_of_two_workouts_with_one_key_the_longer_is_found_wherever_one_looks(tmp_path: Path) -> None:
    """Protects a workout from a copy of it that was cut, whichever came in first: its samples count, and its row tells of all of them."""
    for order in ([RUN, SHORTER_WALK], [SHORTER_WALK, RUN]):
        with household(tmp_path / order[0].sport, [HOME, *order]) as journal:
            assert lengths(journal, START, START + HOUR) == [("running", HOUR)]
            assert lengths(journal, START + HOUR // 2, START + HOUR) == [("running", HOUR)]


def test_of_two_workouts_of_one_length_the_later_corrects_the_earlier(tmp_path: Path) -> None:
    """Protects who put the sport right and exported again: a row is not called walking and ruled by running."""
    with household(tmp_path, [HOME, RUN, WALK]) as journal:
        assert lengths(journal, START, START + HOUR) == [("walking", HOUR)]


def test_a_corrected_workout_leaves_a_store_that_followed_as_a_rebuild_does(tmp_path: Path) -> None:
    """Protects the minutes that only one of the entries covered: somebody was running in them, and then again nobody was."""
    with household(tmp_path, [HOME, steady("Jan", START, 3600, 110), SHORTER_RUN]) as journal:
        cache = RowCache()
        with SqliteStore(tmp_path / "along.db") as store:
            moderate = []
            for outcome in ("stored", "partial", "whole"):
                with journal.write() as w:
                    if outcome == "partial":
                        damaged = a_file(w, 1, outcome)
                        WALK.write(w, damaged)
                    elif outcome == "whole":  # the whole copy tells of no walk: the run is what there was
                        whole = a_file(w, 1)
                        came_in(w, 1, whole, "stored", [damaged])
                follow(journal, store, cache=cache)
                along = rows(tmp_path / "along.db")
                assert along == filled(journal, tmp_path / f"{outcome}.db")
                moderate.append(sum(row[6] for row in along["minute"]))
    assert moderate == [1800.0, 3600.0, 1800.0]


def test_a_part_of_a_workout_in_another_file_of_its_device_is_no_workout_beside_it(tmp_path: Path) -> None:
    """Protects the list from one run twice: of one device what lies within another file's workout is a part, of two it is not."""
    with household(tmp_path, [HOME, steady("Jan", START, 3600, 110)]) as journal:
        pieces = [
            Workout("Jan", "watch", START + HOUR // 2, START + HOUR, sport="walking"),
            RUN,
            Workout("Jan", "other watch", START + HOUR * 3 // 4, START + HOUR, sport="cycling"),
        ]
        with SqliteStore(tmp_path / "along.db") as store:
            for i, piece in enumerate(pieces):
                with journal.write() as w:
                    piece.write(w, a_file(w, 1))
                follow(journal, store, cache=RowCache())
                assert rows(tmp_path / "along.db") == filled(journal, tmp_path / f"{i}.db")
        found = find_workouts(journal, 1)
        assert [(e.content["sport"], e.content.get("copies")) for e in found] == [
            ("running", []),
            ("cycling", None),
        ]


SWIM, RIDE = (
    Workout("Jan", "watch", START, START + 20 * MINUTE, sport="swimming"),
    Workout("Jan", "watch", START + 22 * MINUTE, START + HOUR, sport="cycling"),
)
WHOLE = Workout("Jan", "watch", START, START + HOUR, sport="multisport")


def test_of_a_workout_of_several_sports_its_legs_are_the_workouts(tmp_path: Path) -> None:
    """Protects the first leg, which begins when the whole does, and the sums from one hour twice, in whatever order files tell of them."""
    by_another_name = replace(WHOLE, sport="generic")
    orders: list[list[tuple[Workout, ...]]] = [
        [(WHOLE, SWIM, RIDE)],
        [(SWIM, RIDE, WHOLE)],
        [(SWIM, by_another_name, RIDE)],
        [(WHOLE, SWIM), (WHOLE, SWIM, RIDE)],  # a copy that was cut, and the whole file
    ]
    for i, files in enumerate(orders):
        with (
            household(tmp_path / str(i), [HOME, steady("Jan", START, 3600, 110)]) as journal,
            SqliteStore(tmp_path / f"{i}.db") as store,
        ):
            for n, file in enumerate(files):
                with journal.write() as w:
                    number = a_file(w, 1)
                    for workout in file:
                        workout.write(w, number)
                follow(journal, store, cache=RowCache())
                assert rows(tmp_path / f"{i}.db") == filled(journal, tmp_path / f"{i}-{n}.db")
            assert lengths(journal, START, START + HOUR) == [
                ("swimming", 20 * MINUTE),
                ("cycling", 38 * MINUTE),
            ]


def test_a_workout_of_several_sports_stands_where_its_legs_do_not_tell_what_it_does(tmp_path: Path) -> None:
    """Protects what no leg tells: the time of those that are missing, a mean or seconds in zones of the whole; and a run from its pieces."""
    told = replace(WHOLE, more=(("bpm_mean", 140),))
    pieces = replace(SWIM, sport="running"), replace(RIDE, sport="running")
    some: list[tuple[Workout, ...]] = [(WHOLE,), (WHOLE, SWIM), (told, SWIM, RIDE), (RUN, *pieces)]
    for i, file in enumerate(some):
        with household(tmp_path / str(i), [HOME]) as journal:
            with journal.write() as w:
                number = a_file(w, 1)
                for workout in file:
                    workout.write(w, number)
            assert (file[0].sport, HOUR) in lengths(journal, START, START + HOUR)


def test_workouts_come_in_one_order_whichever_came_in_first(tmp_path: Path) -> None:
    """Protects whose edges rule where two watches recorded one hour: the order does not tell who was read first."""
    other = Workout("Jan", "other watch", START, START + HOUR // 2, sport="cycling")
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


WATCH = Recording("Jan", "watch", "activity", tuple((START + i * S, 110) for i in range(3600)), START + HOUR)
PHONE = Workout("Jan", "phone", START - 2 * MINUTE, START + HOUR + 3 * MINUTE, sport="walking")


def found(
    journal: Journal, start_ms: int = START - HOUR, end_ms: int = START + 3 * HOUR
) -> list[tuple[str, list[str]]]:
    workouts = find_workouts(journal, 1, start_ms, end_ms)
    return [(e.content["source"], e.content.get("copies", [])) for e in workouts]


def test_two_copies_of_a_workout_are_one_whichever_came_in_first(tmp_path: Path) -> None:
    """Protects a week's list from one run told twice: the one that recorded is believed, and the other is named."""
    untold = Workout("Jan", "watch", START, START + HOUR, sport="generic")
    orders: list[list[Event]] = [[WATCH, untold, PHONE], [PHONE, untold, WATCH]]
    for i, events in enumerate(orders):
        with household(tmp_path / str(i), [HOME, *events]) as journal:
            assert found(journal) == [("watch", ["phone"])]
            assert found(journal, START - 2 * MINUTE, START) == [], (
                "nor is the copy found where it alone reaches"
            )
            assert found(journal, START + HOUR + MINUTE, START + 2 * HOUR) == []
            assert find_workouts(journal, 1)[0].content["sport"] == "walking", (
                "what the better one does not tell"
            )
            rows = filled(journal, tmp_path / f"{i}.db")["session"]
            assert len(rows) == 1


def test_what_is_half_of_a_workout_is_no_copy_of_it(tmp_path: Path) -> None:
    """Protects the legs of a triathlon, and the walk that began while another watch still recorded the ride."""
    legs = [Workout("Jan", "watch", START + i * HOUR, START + (i + 1) * HOUR) for i in range(2)]
    whole = Workout("Jan", "phone", START, START + 2 * HOUR)
    with household(tmp_path, [HOME, *legs, whole]) as journal:
        assert len(find_workouts(journal, 1)) == 3


def test_a_copy_that_comes_later_takes_the_row_of_the_other_in_a_store_that_follows(tmp_path: Path) -> None:
    """Protects a store from two rows of one workout over midnight, and from none once the better copy is replaced."""
    midnight = at("2026-11-17T00:00+01:00")
    late = Workout("Jan", "phone", midnight - MINUTE, midnight + HOUR)
    samples = tuple((midnight + MINUTE + i * S, 110) for i in range(3540))
    better: list[Fact] = [
        Recording("Jan", "watch", "activity", samples, midnight + HOUR),
        Workout("Jan", "watch", midnight + MINUTE, midnight + HOUR),
    ]
    with household(tmp_path, [HOME, late]) as journal:
        cache = RowCache()
        with SqliteStore(tmp_path / "along.db") as store:
            told = []
            for step in ("phone", "watch", "replaced"):
                with journal.write() as w:
                    if step == "watch":
                        file = a_file(w, 1, "partial")
                        for fact in better:
                            fact.write(w, file)
                    elif step == "replaced":
                        came_in(w, 1, a_file(w, 1), "stored", [file])
                follow(journal, store, cache=cache)
                along = rows(tmp_path / "along.db")
                assert along == filled(journal, tmp_path / f"{step}.db")
                told.append([row[0] for row in along["session"]])
    assert told == [[late.start_ms // S], [(midnight + MINUTE) // S], [late.start_ms // S]]
