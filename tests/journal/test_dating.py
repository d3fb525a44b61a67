"""Dating by the best clock there is; what nobody can date is kept apart, whole, until it is known when it was."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ingest.journal import ALWAYS_MS, STANDS_MS, Journal, Notifications
from ingest.journal.dating import (
    BATTERY,
    EARLIEST_MS,
    HAND,
    LONGEST_OFF_MS,
    NOBODY,
    OWNER,
    SMALLEST_STEP_MS,
    TAKEN_BACK,
    Observation,
    date_offset_ms,
    new_observation,
    offset_ms,
)
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
from tests.support.households import filled, rows
from tests.support.strap_sessions import payload
from tests.support.straps import append_notifications, observe_clock, stored_notifications

WALL = 1_767_225_600_000
HOUR, DAY = 3_600_000, 86_400_000
SERVER = "server"


def test_only_news_of_the_clocks_is_noted() -> None:
    """Protects the card and the dates: a clock that is slewed is no news, one that was set or is confirmed is."""
    first = new_observation([], 1000, WALL, synchronized=False)
    assert first == Observation(1000, WALL, synchronized=False, offset_ms=WALL - 1000)
    known = [first]
    assert new_observation(known, 5000, WALL + 4000 + SMALLEST_STEP_MS, synchronized=False) is None
    confirmed = new_observation(known, 5000, WALL + 4700, synchronized=True)
    assert confirmed is not None
    assert confirmed.offset_ms == first.offset_ms, "what was dated rightly keeps its date to the millisecond"
    known.append(confirmed)
    assert new_observation(known, 9000, WALL + 8000, synchronized=True) is None
    assert new_observation(known, 9000, WALL + 8000, synchronized=False) is None, (
        "a network that goes is no news"
    )
    wrong = new_observation(known, 9000, WALL - 3_000_000, synchronized=False)
    assert wrong is not None
    known.append(wrong)
    back = new_observation(known, 9500, WALL + 8510, synchronized=True)
    assert back is not None
    assert back.offset_ms == first.offset_ms


@pytest.mark.parametrize(
    ("looks", "dated"),
    [
        # (steady, offset, by whom): what is heard at 100, 200, 300, 400 is dated by
        ([(50, 7000, BATTERY)], [7000] * 4),
        ([(50, 7000, NOBODY), (250, 90_000, SERVER)], [90_000] * 4),
        ([(50, 7000, NOBODY), (250, 20_000, HAND)], [20_000] * 4),
        ([(50, 7000, BATTERY), (250, 20_000, NOBODY)], [7000] * 4),
        # A wrong step of an hour by hand, until a time server has mended it; or for as long as none does.
        ([(50, 7000, SERVER), (250, 20_000, HAND), (350, 7000, SERVER)], [7000] * 4),
        ([(50, 7000, SERVER), (250, 20_000, HAND)], [7000] * 4),
        # A month without network: the clock went wrong meanwhile, what came before stays right.
        ([(50, 7000, SERVER), (250, 20_000, SERVER)], [7000, 7000, 20_000, 20_000]),
        ([(50, 1000, NOBODY), (150, 7000, SERVER), (250, 20_000, SERVER)], [7000, 7000, 20_000, 20_000]),
        # What comes at the very moment of a look is dated by it.
        ([(50, 7000, SERVER), (200, 20_000, SERVER)], [7000, 20_000, 20_000, 20_000]),
        # The owner's word, for as long as it stands and nobody knows better.
        ([(50, 7000, NOBODY), (90, 30_000, OWNER)], [30_000] * 4),
        ([(50, 7000, NOBODY), (90, 30_000, OWNER), (90, 40_000, OWNER)], [40_000] * 4),
        ([(50, 7000, HAND), (90, 30_000, OWNER)], [30_000] * 4),
        ([(50, 7000, BATTERY), (90, 30_000, OWNER), (90, 30_000, TAKEN_BACK)], [7000] * 4),
        ([(50, 7000, BATTERY), (90, 30_000, OWNER), (350, 20_000, HAND)], [20_000] * 4),
        ([(50, 7000, NOBODY), (90, 30_000, OWNER), (350, 9000, SERVER)], [9000] * 4),
        # And nothing at all.
        ([(50, 7000, NOBODY)], None),
        ([(50, 7000, NOBODY), (250, 20_000, NOBODY)], None),
        ([(50, 7000, NOBODY), (90, 30_000, OWNER), (90, 30_000, TAKEN_BACK)], None),
    ],
)
def test_the_best_known_clock_dates(looks: list[tuple[int, int, str]], dated: list[int] | None) -> None:
    """Protects the time of every heartbeat on a Pi that does not know the time when it starts."""
    known = [
        Observation(at, at + offset, by == SERVER, offset, NOBODY if by == SERVER else by)
        for at, offset, by in looks
    ]
    found = [date_offset_ms(known, at) for at in (100, 200, 300, 400)]
    assert found == ([None] * 4 if dated is None else dated)
    if dated is None:
        last = [o for o in known if o.is_look][-1]
        assert offset_ms(known, 100) == last.offset_ms, (
            "a state of a strap still has the best moment there is"
        )


@pytest.mark.parametrize(
    ("wall_ms", "kept", "newest_right_ms", "believed"),
    [
        (WALL, True, None, BATTERY),
        (WALL, True, WALL - DAY, BATTERY),
        (WALL, False, WALL - DAY, NOBODY),
        # One that shows less than what was surely known before has stood still.
        (WALL, True, WALL + 1, NOBODY),
        (EARLIEST_MS - 1, True, None, NOBODY),
        # And one that shows a year that cannot be counts nothing.
        (WALL + LONGEST_OFF_MS + 1, True, WALL, NOBODY),
        (1 << 62, True, None, NOBODY),
    ],
)
def test_a_clock_that_no_server_keeps_is_believed_with_reason(
    wall_ms: int, newest_right_ms: int | None, believed: str, *, kept: bool
) -> None:
    """Protects a week from the minutes of another: of an unsynchronized clock it is asked what it began with."""
    seen = new_observation([], 500, wall_ms, synchronized=False, kept=kept, newest_right_ms=newest_right_ms)
    assert seen is not None
    assert seen.believed == believed


def test_a_clock_set_by_hand_is_believed_where_nobody_knows_better() -> None:
    """Protects a household without a network: who sets the clock after the power went sees their minutes."""
    began = new_observation([], 500, WALL, synchronized=False, newest_right_ms=WALL - DAY)
    assert began is not None
    assert date_offset_ms([began], 600) is None
    by_hand = new_observation([began], 900, WALL + 3 * DAY, synchronized=False, newest_right_ms=WALL - DAY)
    assert by_hand is not None
    assert date_offset_ms([began, by_hand], 600) == WALL + 3 * DAY - 900
    slip = new_observation(
        [began, by_hand], 950, WALL - 9 * DAY, synchronized=False, newest_right_ms=WALL - DAY
    )
    assert slip is not None
    assert date_offset_ms([began, by_hand, slip], 600) == WALL + 3 * DAY - 900, "a slip into the past"


# --- in the journal ---


def tell(journal: Journal, boot: str, steady: int, count: int = 5) -> None:
    """A strap that is heard for some seconds of a boot."""
    arrivals = [(steady + 1000 * i, payload(90 + i)) for i in range(count)]
    with journal.write() as w:
        append_notifications(w, Notifications.from_arrivals(boot, steady - 10, arrivals))


def merge(journal: Journal) -> None:
    with journal.write() as w:
        w.merge({})


def counted(store: Path) -> list[tuple[object, ...]]:
    """The samples that a store shows."""
    return [row[:1] for row in rows(store)["heart_rate"]]


@pytest.mark.parametrize("merged", [False, True])
def test_a_boot_that_never_learned_the_time_is_kept_apart(tmp_path: Path, *, merged: bool) -> None:
    """Protects every week: what was heard in such a boot is in the journal, whole, and counts nowhere until it is placed."""
    path = tmp_path / "along.db"
    with Journal(tmp_path / "j.db") as journal, SqliteStore(path) as store:
        observe_clock(journal, "first", 1000, WALL)
        tell(journal, "first", 2000)
        follow(journal, store)
        before = counted(path)
        # The power fails for three days; the clock begins where it was saved.
        observe_clock(journal, "second", 1000, WALL + HOUR, right=False, kept=False)
        tell(journal, "second", 60_000)
        tell(journal, "second", 90_000)
        if merged:
            merge(journal)
        observe_clock(journal, "third", 1000, WALL + 5 * DAY)
        tell(journal, "third", 2000)
        follow(journal, store)
        assert len(counted(path)) == len(before) + 5
        assert rows(path) == filled(journal, tmp_path / "anew.db")
        assert len(stored_notifications(journal).notifications) == 10
        assert journal.size()["samples"] == 20
        assert journal.chunk_spans(1, -ALWAYS_MS, ALWAYS_MS)[-1][0] == WALL + 1000
        assert {first for _, first, _ in journal.newest_spans(1, 50)} == {WALL + 1000, WALL + 5 * DAY + 1000}
        (boot,) = journal.unplaced_boots()
        assert (boot.id, boot.samples, boot.first_ms, boot.last_ms) == ("second", 10, 60_000, 94_000)
        assert boot.shown_ms == WALL + HOUR + 59_000
        assert (boot.after_ms, boot.before_ms) == (WALL + 5000, WALL + 5 * DAY)
        assert [(t.person, t.source) for t in boot.told] == [("me", "strap A0:9E:1A:12:34:56")]
        # The owner knows when it was; and was wrong; and takes it back.
        for began in (WALL + 2 * DAY, WALL + 3 * DAY, None):
            last = boot.known[-1]
            ahead = last.offset_ms if began is None else began - boot.first_ms
            said = Observation(
                boot.first_ms, boot.first_ms + ahead, False, ahead, OWNER if began else TAKEN_BACK
            )
            with journal.write() as w:
                w.clock_observation("second", said)
            follow(journal, store)
            assert rows(path) == filled(journal, tmp_path / f"{began}.db")
            dates = stored_notifications(journal).dates
            if began is None:
                assert len(dates) == 10
                assert [b.id for b in journal.unplaced_boots()] == ["second"]
                assert journal.placed_boots() == []
            else:
                expected = [began + 1000 * i for i in range(5)] + [
                    began + 30_000 + 1000 * i for i in range(5)
                ]
                assert [d for d in dates if WALL + DAY < d < WALL + 4 * DAY] == expected
                assert journal.unplaced_boots() == []
                (placed,) = journal.placed_boots()
                assert placed.placed_ms == began
        assert (journal.faults(), list(journal.broken_chunks())) == ([], [])


def test_what_was_apart_is_dated_once_the_time_is_known(tmp_path: Path) -> None:
    """Protects a workout at a house without network: when the Pi learns the time, it is touched where it belongs, and only there."""
    with Journal(tmp_path / "j.db") as journal:
        observe_clock(journal, "boot", 1000, WALL - 40 * DAY, right=False, kept=False)
        tell(journal, "boot", 2000)
        assert [(e.first_ms, e.last_ms) for e in journal.entries(0)] == [(None, None)]
        last = journal.last_position()
        observe_clock(journal, "boot", 9000, WALL + 8000)
        assert [(e.what, e.first_ms, e.last_ms) for e in journal.entries(last)] == [
            ("chunk", WALL + 1000, WALL + 5000 + STANDS_MS)
        ]
        merge(journal)
        assert stored_notifications(journal).dates == [WALL + 1000 + 1000 * i for i in range(5)]


def test_what_an_earlier_version_dated_stays_dated(tmp_path: Path) -> None:
    """Protects numbers that were shown for years: an update moves nothing away, though no time server was there then."""
    with Journal(tmp_path / "j.db") as journal:
        with journal.write() as w:
            w.db.execute(
                "INSERT INTO clock (boot, steady_ms, wall_ms, synchronized, offset_ms, position) VALUES ('old', 0, ?1, 0, ?1, 0)",
                (WALL,),
            )
        tell(journal, "old", 1000)
        assert stored_notifications(journal).dates[0] == WALL + 1000
        assert journal.unplaced_boots() == []


def test_a_damaged_row_is_dated_by_no_clock_and_holds_up_none(tmp_path: Path) -> None:
    """Protects straps from one bad byte: the clock is noted all the same, the rest is dated, and the damage stays one."""
    path = tmp_path / "j.db"
    with Journal(path) as journal:
        observe_clock(journal, "boot", 1000, WALL, right=False, kept=False)
        tell(journal, "boot", 2000)
        tell(journal, "boot", 9000)
        with journal.write() as w:
            said = {"source": "strap", "boot": "boot", "steady_ms": 2000}
            for _ in range(2):
                w.entry(1, "collector", WALL, None, said)
    with closing(sqlite3.connect(path)) as db, db:
        for table in ("chunk", "entry"):
            db.execute(f"DROP TRIGGER {table}_unseal")  # a card asks nobody
        db.execute("UPDATE chunk SET notifications = substr(notifications, 1, 9) WHERE position = 1")
        db.execute("UPDATE entry SET content = substr(content, 1, 9) WHERE position = 3")
    with Journal(path) as journal:
        observe_clock(journal, "boot", 20_000, WALL + DAY)
        assert stored_notifications(journal).dates == [WALL + DAY - 11_000 + 1000 * i for i in range(5)]
        assert [position for position, _ in journal.broken_chunks()] == [1]
        assert journal.facts(1, "collector")[0].at_ms == WALL + DAY - 18_000
