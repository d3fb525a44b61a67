"""What straps notified, in the journal: raw and whole, merged unseen, dated anew in every store."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.errors import Stop
from ingest.journal import ALWAYS_MS, STANDS_MS, Chunk, Journal, Notifications
from ingest.journal import columns as packed
from ingest.journal.entry import LONGEST_STRAP_CHUNK_MS
from ingest.journal.schema import FIRST, MIGRATIONS, applied
from ingest.rows.cache import RowCache
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
from ingest.system.sqlite import PAGE_BYTES, STEP_S
from ingest.verbs.samples_csv import export_lines
from tests.support.air.heart import measurement
from tests.support.happenings import new_folder
from tests.support.households import filled, rows
from tests.support.straps import ADA, append_notifications, observe_clock, stored_notifications
from zones.series import TIMES

WALL = 1_767_225_600_000
BOOT = "first boot"
HOUR = 3_600_000


def beating(began: int, start: int, count: int, *, step: int = 1000, bpm: int = 70) -> Notifications:
    """A strap that tells its rate and one interval each second."""
    arrivals = [
        (start + i * step, measurement(bpm + i % 7, (860 - i % 50,), contact=i % 9 > 0)) for i in range(count)
    ]
    return Notifications.from_arrivals(BOOT, began, arrivals)


# --- as it came ---

arrivals = st.lists(
    st.tuples(st.sampled_from([0, 0, 1, 999, 1000, 1000, 60_000]), st.binary(max_size=24)),
    min_size=1,
    max_size=40,
)


def part(told: Notifications, i: int, j: int) -> Notifications:
    """Some of them."""
    pairs = list(zip(told.steady_ms.tolist(), told.payloads, strict=True))[i:j]
    return Notifications.from_arrivals(told.boot, told.connection_ms, pairs)


@given(st.integers(0, 1 << 45), arrivals)
def test_every_octet_comes_back(start: int, steps: list[tuple[int, bytes]]) -> None:
    """Protects the truth: whatever a strap sends, decodable or not, is read back as it came, when it came."""
    at = [start + passed for passed in accumulate(step for step, _ in steps)]
    told = Notifications.from_arrivals(BOOT, start, zip(at, (octets for _, octets in steps), strict=True))
    cut = len(at) // 2
    halves = [told] if not cut else [part(told, 0, cut), part(told, cut, len(at))]
    in_parts = [(h.pack(), int(h.steady_ms[0]), len(h)) for h in halves]
    assert Notifications.unpack(BOOT, start, in_parts).payloads == told.payloads
    back = Notifications.unpack(BOOT, start, [(told.pack(), at[0], len(at))])
    assert back.payloads == [octets for _, octets in steps]
    assert back.steady_ms.tolist() == at


def test_what_does_not_fit_is_refused() -> None:
    """Protects the journal from a clock that goes back, and from a count that is not that of the octets."""
    for pairs in ([], [(5, b"\0\1"), (4, b"\0\1")]):
        with pytest.raises(ValueError, match=r"fit|goes back"):
            Notifications.from_arrivals(BOOT, 0, pairs)
    with pytest.raises(ValueError, match="fit"):
        Notifications.from_columns(BOOT, 0, [1, 2], [1, 2], np.zeros(4, np.uint8))
    blob = Notifications.from_arrivals(BOOT, 0, [(1, b"\0\1")]).pack()
    for count in (2, 400):
        with pytest.raises(ValueError, match=r"short|fit"):
            Notifications.unpack(BOOT, 0, [(blob, 1, count)])


def test_a_chunk_says_what_the_strap_said(tmp_path: Path) -> None:
    """Protects samples, beats and contact: dated by the wall clock, zero no sample, several intervals at one arrival."""
    told = [
        (61_000, measurement(70, (870, 868), contact=True)),
        (62_000, measurement(0, contact=False)),
        (63_000, b"\x01\x46"),  # cut off
        (64_000, measurement(71, (866,), contact=False)),
    ]
    with Journal(tmp_path / "j.db") as journal:
        observe_clock(journal, BOOT, 60_000, WALL)
        with journal.write() as w:
            append_notifications(w, Notifications.from_arrivals(BOOT, 60_500, told))
        (chunk,) = journal.chunks(1, WALL, WALL + 10_000)
        c = chunk.columns
        assert (chunk.source.name, chunk.source.kind, chunk.source.rank) == (ADA, "strap", 0)
        assert (c.series.times.astype(int) - WALL).tolist() == [1000, 4000]
        assert c.series.bpm.tolist() == [70, 71]
        assert (c.beat_times.astype(int) - WALL).tolist() == [1000, 1000, 4000]
        assert c.rr_ms.tolist() == [870 * 1000 / 1024, 868 * 1000 / 1024, 866 * 1000 / 1024]
        assert c.contact is not None
        assert (c.contact.start - WALL).tolist() == [2000, 4000]
        assert (c.contact.end - c.contact.start).tolist() == [1, 1]
        assert c.end_ms == WALL + 4000 + STANDS_MS
        assert (chunk.first_ms, chunk.last_ms) == (WALL + 1000, WALL + 4000)
        assert chunk.connection == (BOOT, 60_500)
        assert chunk.notifications is not None
        assert (
            list(zip(chunk.notifications.steady_ms.tolist(), chunk.notifications.payloads, strict=True))
            == told
        )
        assert journal.size()["samples"] == 2
        assert journal.chunk_spans(1, WALL, WALL + 1) == [], "before the first notification there is nothing"
        assert journal.chunk_spans(1, WALL, WALL + 1000) == [(WALL + 1000, WALL + 4000 + STANDS_MS)]
        assert list(journal.broken_chunks()) == []


def test_without_contact_bits_nothing_is_said_of_contact(tmp_path: Path) -> None:
    """Protects wrist sensors, which do not know: that is not the same as "no contact"."""
    with Journal(tmp_path / "j.db") as journal:
        observe_clock(journal, BOOT, 60_000, WALL)
        with journal.write() as w:
            append_notifications(w, Notifications.from_arrivals(BOOT, 60_500, [(61_000, measurement(70))]))
            append_notifications(
                w, Notifications.from_arrivals(BOOT, 70_500, [(71_000, measurement(70, contact=True))])
            )
        silent, worn = journal.chunks(1, WALL, WALL + 20_000)
        assert silent.columns.contact is None
        assert worn.columns.contact is not None
        assert len(worn.columns.contact) == 0


def test_what_is_never_decodable_is_kept(tmp_path: Path) -> None:
    """Protects what a better version may read one day: a chunk of nonsense is a chunk, whole, and merges like any."""
    with Journal(tmp_path / "j.db") as journal:
        observe_clock(journal, BOOT, 60_000, WALL)
        for i in range(3):
            with journal.write() as w:
                append_notifications(
                    w,
                    Notifications.from_arrivals(BOOT, 60_500, [(61_000 + i, b""), (61_000 + i, b"\x09\xff")]),
                )
        with journal.write() as w:
            w.merge({})
        (chunk,) = journal.chunks(1, WALL, WALL + 10_000)
        assert len(chunk.columns.series) == 0
        assert [octets for *_, octets in stored_notifications(journal).notifications] == [
            b"",
            b"\x09\xff",
        ] * 3
        assert list(journal.broken_chunks()) == []


def test_a_chunk_needs_a_clock_and_an_end(tmp_path: Path) -> None:
    """Protects dates and memory: nothing is dated by guess, and no chunk is so long that a span would miss it."""
    with Journal(tmp_path / "j.db") as journal:
        with pytest.raises(ValueError, match="never observed"), journal.write() as w:
            append_notifications(w, beating(0, 0, 2))
        observe_clock(journal, BOOT, 0, WALL)
        with pytest.raises(ValueError, match="an hour"), journal.write() as w:
            append_notifications(w, beating(0, 0, 2, step=LONGEST_STRAP_CHUNK_MS + 1))
        assert journal.persons() == []


def test_check_sees_spoilt_notifications(tmp_path: Path) -> None:
    """Protects against a card that forgets: `hartslag check` names the chunk, whatever of it is spoilt."""
    path = tmp_path / "j.db"
    with Journal(path) as journal:
        observe_clock(journal, BOOT, 0, WALL)
        with journal.write() as w:
            good, *bad = [append_notifications(w, beating(0, i * 9000, 3)) for i in range(3)]
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("UPDATE chunk SET notifications = x'00' WHERE position = ?", bad[:1])
            db.execute("UPDATE chunk SET notified = notified + 1 WHERE position = ?", bad[1:])
        assert [p for p, _ in journal.broken_chunks()] == bad
        assert good


def test_export_shows_samples_of_straps(tmp_path: Path) -> None:
    """Protects who takes their data along: a strap's samples are in it like those of a file."""
    with Journal(tmp_path / "j.db") as journal:
        observe_clock(journal, BOOT, 60_000, WALL)
        with journal.write() as w:
            append_notifications(w, beating(60_000, 61_000, 3))
        assert list(export_lines(journal, [(p, WALL, WALL + HOUR) for p in journal.persons()]))[1:] == [
            f"2026-01-01T00:00:0{i + 1}.000Z,me,{ADA},strap,{70 + i}" for i in range(3)
        ]


# --- merging ---


@dataclass(frozen=True)
class Bit:
    """The wall clock is set, then a connection (by number) tells something after a pause; perhaps it is time to merge."""

    which: int
    after_ms: int
    count: int
    step_ms: int = 0
    merge: bool = False


bits = st.builds(
    Bit,
    st.integers(0, 2),
    st.sampled_from([1, 1000, 4000, HOUR // 3, HOUR]),
    st.integers(1, 4),
    st.sampled_from([0, 0, 0, 0, 900, -40_000, 3 * HOUR]),
    st.booleans(),
)


def contents(chunks: Sequence[Chunk]) -> list[Any]:
    """All that chunks hold together, however it is cut."""
    found: list[Any] = []
    for c in chunks:
        name = (c.source.name, c.connection)
        assert c.notifications is not None
        ahead = c.first_ms - int(c.notifications.steady_ms[0])
        found += [
            ("raw", name, at, at + ahead, octets)
            for at, octets in zip(c.notifications.steady_ms.tolist(), c.notifications.payloads, strict=True)
        ]
        s = c.columns
        found += [
            ("sample", name, *pair)
            for pair in zip(s.series.times.astype(int).tolist(), s.series.bpm.tolist(), strict=True)
        ]
        found += [
            ("beat", name, *pair)
            for pair in zip(s.beat_times.astype(int).tolist(), s.rr_ms.tolist(), strict=True)
        ]
        found += [("off", name, at) for at in (s.contact.start.tolist() if s.contact else [])]
    return sorted(found, key=repr)


def touched(journal: Journal, after: int) -> list[tuple[int, int]]:
    """The time that is to be counted anew by who has read to a position."""
    return [
        (e.first_ms, e.last_ms)
        for e in journal.entries(after, 100_000)
        if e.first_ms is not None and e.last_ms is not None
    ]


def all_chunks(journal: Journal) -> list[Chunk]:
    return journal.chunks(1, -ALWAYS_MS, ALWAYS_MS)


def live(journal: Journal, happened: list[Bit], path: Path | None = None) -> None:
    """Three connections of two straps tell what they tell; a store may follow along."""
    steady, ahead = 1_000_000, WALL
    began: dict[int, int] = {}
    observe_clock(journal, BOOT, steady, steady + ahead)
    cache = RowCache()
    for i, bit in enumerate(happened):
        steady += bit.after_ms
        ahead += bit.step_ms
        observe_clock(journal, BOOT, steady, steady + ahead, right=bit.step_ms != 900)
        start = began.setdefault(bit.which, steady)
        told = [
            (steady + 1000 * k, measurement(70 + (i + k) % 40, (800 + i,), contact=k != 1))
            for k in range(bit.count)
        ]
        steady = told[-1][0]
        with journal.write() as w:
            append_notifications(
                w, Notifications.from_arrivals(BOOT, start, told), source=f"strap {bit.which % 2}"
            )
        if bit.merge:
            with journal.write() as w:
                sources = {k: w.source(1, f"strap {k % 2}", "strap", 0) for k in began}
                w.merge({(sources[k], BOOT, at): steady for k, at in began.items()})
        if path and i % 3 == 0:
            with SqliteStore(path) as store:
                follow(journal, store, portion=2, cache=cache)
    if path:
        with SqliteStore(path) as store:
            follow(journal, store, cache=cache)


@settings(max_examples=60)
@given(st.lists(bits, min_size=1, max_size=14))
@example([Bit(0, 1000, 3), Bit(0, 1000, 3), Bit(1, 1000, 2), Bit(0, HOUR, 2, merge=True)])
def test_merging_changes_nothing_and_hides_nothing(happened: list[Bit]) -> None:
    """Protects every store: what it has not read yet is touched behind its position, what it reads is what there was."""
    with new_folder() as folder, Journal(folder / "j.db") as journal:
        live(journal, happened)
        before, said, size = rows_of(journal), contents(all_chunks(journal)), journal.size()
        everything = journal.entries(0, 100_000)
        with journal.write() as w:
            fewer = w.merge({})
        after = rows_of(journal)
        assert contents(all_chunks(journal)) == said
        counted = (
            sum(1 for what, *_ in said if what == "sample"),
            sum(1 for what, *_ in said if what == "beat"),
        )
        assert (
            (journal.size()["samples"], journal.size()["beats"])
            == (size["samples"], size["beats"])
            == counted
        )
        assert len(before) - len(after) == fewer
        groups = {row[1:] for row in before.values()}
        assert sorted(row[1:] for row in after.values()) == sorted(groups), (
            "one an hour of a connection and a date"
        )
        assert after.keys() <= before.keys()
        assert journal.last_position() == everything[-1].position
        for position in [0, *(e.position for e in everything)]:
            spans = touched(journal, position)
            for new in (row for p, row in before.items() if p > position):
                # Whoever had not read it finds it behind its position: told of, and there.
                assert any(a <= new[0][0] and new[0][1] <= b for a, b in spans)
                here = [row for p, row in after.items() if p > position and row[1:] == new[1:]]
                assert any(row[0][0] <= new[0][0] and new[0][1] <= row[0][1] for row in here)
        assert (journal.faults(), list(journal.broken_chunks())) == ([], [])
        with journal.write() as w:
            assert w.merge({}) == 0


def test_a_merged_chunk_takes_the_last_position(tmp_path: Path) -> None:
    """Protects a store that has read a part: what it has not read yet still lies behind where it is."""
    with Journal(tmp_path / "j.db") as journal:
        observe_clock(journal, BOOT, 0, WALL)
        with journal.write() as w:
            first, second, third = [append_notifications(w, beating(0, i * 5000, 5)) for i in range(3)]
            assert w.merge({}) == 2
        (entry,) = journal.entries(second)
        assert first < second < third == entry.position
        assert (entry.what, entry.first_ms, entry.last_ms) == ("chunk", WALL, WALL + 14_000 + STANDS_MS)
        (chunk,) = all_chunks(journal)
        assert (chunk.position, len(chunk.columns.series)) == (third, 15)
        assert journal.entries(third) == []


def rows_of(journal: Journal) -> dict[int, tuple[tuple[int, int], int, int, int]]:
    """How a strap's chunks lie on disk: position -> its span, and what those merged into one have in common."""
    sql = (
        "SELECT position, first_ms, end_ms, connection, (steady_ms - began_ms) / 3600000, first_ms - steady_ms"
        " FROM chunk JOIN connection n ON n.id = connection"
    )
    return {p: ((first, end), *same) for p, first, end, *same in journal._db.execute(sql)}


def test_what_may_still_grow_is_left_alone(tmp_path: Path) -> None:
    """Protects the card: the hour that goes on is merged once, when it is over, and a connection that ended at once."""
    with Journal(tmp_path / "j.db") as journal:
        observe_clock(journal, BOOT, 0, WALL)
        with journal.write() as w:
            for i in range(6):
                append_notifications(w, beating(0, i * 5000, 5))
            for i in range(3):
                append_notifications(w, beating(7, 20_000 + i * 5000, 5), source="strap 2")
            for i in range(4):
                append_notifications(w, beating(0, HOUR + i * 5000, 5))
            first, second = (w.source(1, name, "strap", 0) for name in (ADA, "strap 2"))
            assert w.merge({(first, BOOT, 0): HOUR - 1, (second, BOOT, 7): HOUR}) == 0
            assert w.merge({(first, BOOT, 0): HOUR + 20_000, (second, BOOT, 7): HOUR}) == 5
            assert w.merge({(first, BOOT, 0): HOUR + 20_000}) == 2
            assert w.merge({}) == 3
        assert list(journal._db.execute("SELECT notified FROM chunk")) == [(30,), (15,), (20,)]
        assert [len(c.notifications or ()) for c in all_chunks(journal)] == [15, 50], (
            "read, a connection is one"
        )


def test_files_between_are_left_alone(tmp_path: Path) -> None:
    """Protects files that come in while a strap is worn: only what straps told is merged."""
    from tests.journal.test_journal import append, columns

    with Journal(tmp_path / "j.db") as journal:
        observe_clock(journal, BOOT, 0, WALL)
        for i in range(3):
            with journal.write() as w:
                append_notifications(w, beating(0, i * 5000, 5))
            append(journal, columns(i * 1000, i * 1000 + 500))
        with journal.write() as w:
            w.merge({})
        assert [(c.source.kind, len(c.columns.series)) for c in all_chunks(journal)] == [
            ("activity", 2),
            ("activity", 2),
            ("strap", 15),
            ("activity", 2),
        ]


# --- the clock ---


@settings(max_examples=30)
@given(st.lists(bits, min_size=2, max_size=12))
@example(
    [Bit(0, 1000, 4), Bit(0, 1000, 4), Bit(0, 1000, 1, step_ms=-40_000), Bit(0, 1000, 2, step_ms=3 * HOUR)]
)
def test_a_store_that_followed_along_equals_one_made_anew(happened: list[Bit]) -> None:
    """Protects stores from rows at a time that was never: after clock steps and merges they hold what a rebuild holds."""
    with new_folder() as folder, Journal(folder / "j.db") as journal:
        live(journal, happened, folder / "along.db")
        assert rows(folder / "along.db") == filled(journal, folder / "anew.db", portion=3)


def test_dates_change_and_nothing_else(tmp_path: Path) -> None:
    """Protects the truth when the network comes up: same octets, same steady time, new date; old and new time are touched."""
    with Journal(tmp_path / "j.db") as journal:
        observe_clock(journal, BOOT, 0, WALL, right=False)
        with journal.write() as w:
            for i in range(4):
                append_notifications(w, beating(0, i * 5000, 5))
            append_notifications(w, beating(3, 20_000, 5), person="Piet")
        with journal.write() as w:
            w.merge({(1, BOOT, 0): 20_000})
        before, position = stored_notifications(journal), journal.last_position()
        assert observe_clock(journal, BOOT, 30_000, WALL + 30_000 + 9 * HOUR)
        after = stored_notifications(journal)
        assert after.notifications == before.notifications
        assert after.dates == [d + 9 * HOUR for d in before.dates]
        assert touched(journal, position) == [
            (WALL, WALL + 19_000 + STANDS_MS),
            (WALL + 9 * HOUR, WALL + 9 * HOUR + 19_000 + STANDS_MS),
            (WALL + 20_000, WALL + 24_000 + STANDS_MS),
            (WALL + 20_000 + 9 * HOUR, WALL + 24_000 + 9 * HOUR + STANDS_MS),
        ]
        assert [e.what for e in journal.entries(position)] == ["chunk"] * 4
        assert not observe_clock(journal, BOOT, 40_000, WALL + 40_000 + 9 * HOUR)
        with journal.write() as w:
            append_notifications(w, beating(0, 40_000, 1))
        assert stored_notifications(journal).dates[-1] == WALL + 40_000 + 9 * HOUR


def test_another_boot_is_another_clock(tmp_path: Path) -> None:
    """Protects yesterday: that the clock was wrong in this boot says nothing about the one before."""
    with Journal(tmp_path / "j.db") as journal:
        observe_clock(journal, BOOT, 0, WALL, right=False)
        with journal.write() as w:
            append_notifications(w, beating(0, 5000, 2))
        observe_clock(journal, "second boot", 0, WALL + HOUR, right=False)
        observe_clock(journal, "second boot", 9000, WALL + 9 * HOUR)
        assert stored_notifications(journal).dates == [WALL + 5000, WALL + 6000]
        (look,) = journal.observations(BOOT)
        assert (look.offset_ms, look.synchronized) == (WALL, False)


# --- the file itself ---


def old(path: Path) -> None:
    """A journal as it was before straps, with a chunk in it."""
    with closing(sqlite3.connect(path)) as db:
        db.executescript(FIRST)
        db.execute("INSERT INTO identity VALUES ('an old one')")
        db.execute("CREATE TABLE migration (name TEXT PRIMARY KEY, applied TEXT NOT NULL)")
        db.execute("INSERT INTO migration VALUES ('first light', datetime('now'))")
        db.execute("INSERT INTO person VALUES (1, 'me')")
        db.execute("INSERT INTO source VALUES (1, 1, 'watch', 'activity', 2)")
        db.execute("INSERT INTO entry VALUES (1, 1, 'chunk', 0, 0, 2000, 5, NULL, NULL)")
        db.execute("INSERT INTO entry VALUES (2, 1, 'claim', 0, 0, 2000, 5, NULL, '{\"n\": 1}')")
        times = np.array([0, 1000], np.int64).view(TIMES)
        db.execute(
            "INSERT INTO chunk VALUES (1, 1, 1, NULL, 0, 1000, 2000, 2, 0, 0, ?, ?, NULL, NULL, NULL, NULL, NULL)",
            (packed.pack_times(times), packed.pack_bpm(np.array([99, 100], np.uint8))),
        )
        db.commit()


@pytest.mark.parametrize("busy", [False, True])
def test_a_journal_from_before_straps_goes_on(tmp_path: Path, *, busy: bool) -> None:
    """Protects years of recordings through an update, also while another program has the file open."""
    path = tmp_path / "j.db"
    old(path)
    with closing(sqlite3.connect(path)) as reader:
        if busy:
            reader.execute("PRAGMA journal_mode = WAL")
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM entry").fetchall()
        with Journal(path) as journal:
            assert applied(journal._db) == [name for name, _ in MIGRATIONS]
            assert journal.id == "an old one"
            assert journal._db.execute("PRAGMA page_size").fetchone() == (4096 if busy else PAGE_BYTES,)
            assert journal._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert journal._db.execute("PRAGMA busy_timeout").fetchone() == (STEP_S * 1000,)
            (chunk,) = journal.chunks(1, 0, 10_000)
            assert (chunk.columns.series.bpm.tolist(), chunk.notifications, chunk.connection) == (
                [99, 100],
                None,
                None,
            )
            assert [e.content for e in journal.facts(1, "claim")] == [{"n": 1}]
            observe_clock(journal, BOOT, 0, WALL)
            with journal.write() as w:
                append_notifications(w, beating(0, 1000, 3))
            assert len(all_chunks(journal)) == 2
            assert (journal.faults(), list(journal.broken_chunks())) == ([], [])


def test_a_journal_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    """Protects against going back: what this version does not know it must not touch."""
    path = tmp_path / "j.db"
    with Journal(path):
        pass
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("INSERT INTO migration VALUES ('telepathy', 'now')")
    with pytest.raises(Stop, match="telepathy"):
        Journal(path)
