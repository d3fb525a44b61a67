"""The journal on a real disk: what is written stays, whole, in order, private."""

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.errors import Stop, TryLater
from ingest.formats.recording import Recording
from ingest.journal import ALWAYS_MS, DAY_MS, Chunk, Columns, Journal
from ingest.journal.schema import MIGRATIONS, applied
from ingest.rows.profile import read_profile
from tests.support.other_user import NOBODY, open_to_others, run_as
from tests.support.small_disk import fill, small_disk
from zones.series import TIMES, Series
from zones.spans import Spans


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal" / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    with Journal(path, now_ms=lambda: 1_700_000_000_000) as opened:
        yield opened


def columns(*ms: int, end_ms: int | None = None) -> Columns:
    series = Series.of(np.array(ms, np.int64).view(TIMES), np.full(len(ms), 100, np.uint8))
    return Columns(series, ms[-1] if end_ms is None else end_ms)


def append(journal: Journal, *chunks: Columns, name: str = "me") -> list[int]:
    with journal.write() as w:
        person = w.person(name)
        source = w.source(person, "watch-1-activity", "activity", 2)
        return [w.chunk(person, source, c) for c in chunks]


# --- what comes back ---


SPAN = st.tuples(st.integers(0, DAY_MS), st.integers(0, DAY_MS))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    first=st.integers(-(1 << 44), 1 << 44),
    steps=st.lists(st.integers(1, 90_000), min_size=1, max_size=60),
    beats=st.lists(st.integers(300, 2000), max_size=60),
    pauses=st.lists(SPAN, max_size=5),
    movement=st.none() | st.lists(SPAN, max_size=5),
)
def test_a_chunk_comes_back_as_it_was(
    journal: Journal,
    first: int,
    steps: list[int],
    beats: list[int],
    pauses: list[tuple[int, int]],
    movement: list[tuple[int, int]] | None,
) -> None:
    """The journal is the truth: every column of a chunk is read back equal, "no movement known" included."""
    t = np.cumsum(np.array([first, *steps], np.int64))
    b = np.cumsum(np.array([first, *beats], np.int64))[1:]
    given_ = Columns(
        series=Series.of(t.view(TIMES), (t % 256).astype(np.uint8)),
        end_ms=int(t[-1]) + 1000,
        beat_times=b.view(TIMES),
        rr_ms=np.array(beats, np.float32),
        pauses=Spans.pairs([(first + x, first + y) for x, y in pauses]),
        movement=None if movement is None else Spans.pairs([(first + x, first + y) for x, y in movement]),
    )
    (position,) = append(journal, given_)
    person = journal.person("me")
    assert person
    (chunk,) = [c for c in journal.chunks(person.id, first, int(t[-1]) + 1) if c.position == position]
    back = chunk.columns
    assert (back.series.times == given_.series.times).all()
    assert (back.series.bpm == given_.series.bpm).all()
    assert back.end_ms == given_.end_ms
    assert (back.beat_times == given_.beat_times).all()
    assert back.rr_ms.tobytes() == given_.rr_ms.tobytes()
    assert back.pauses.start.tolist() == given_.pauses.start.tolist()
    assert back.pauses.end.tolist() == given_.pauses.end.tolist()
    assert (back.movement is None) == (movement is None)
    if back.movement is not None and given_.movement is not None:
        assert back.movement.start.tolist() == given_.movement.start.tolist()
        assert back.movement.end.tolist() == given_.movement.end.tolist()
    assert not list(journal.broken_chunks())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    chunks=st.lists(st.tuples(st.integers(0, 5 * DAY_MS), st.integers(0, DAY_MS)), min_size=1, max_size=12),
    spans=st.lists(
        st.tuples(st.integers(-DAY_MS, 7 * DAY_MS), st.integers(0, 3 * DAY_MS)), min_size=1, max_size=8
    ),
    seed=st.integers(0, 1 << 30),
)
def test_a_span_finds_its_chunks(
    tmp_path_factory: pytest.TempPathFactory,
    chunks: list[tuple[int, int]],
    spans: list[tuple[int, int]],
    seed: int,
) -> None:
    """The index by first time alone finds exactly what a look at every chunk would find; no second is missed."""
    del seed
    with Journal(tmp_path_factory.mktemp("j") / "journal.db") as journal:
        positions = append(journal, *(columns(*sorted({a, a + length})) for a, length in chunks))
        append(journal, columns(0, DAY_MS), name="somebody else")
        person = journal.person("me")
        assert person
        edges = [(a, a + length) for a, length in spans]
        edges += [(a, a + length) for a, length in chunks] + [
            (a + length, a + length + 1) for a, length in chunks
        ]
        for start, end in edges:
            expected = [
                p for p, (a, length) in zip(positions, chunks, strict=True) if a < end and a + length >= start
            ]
            assert [c.position for c in journal.chunks(person.id, start, end)] == expected


def test_a_chunk_is_at_most_a_day(journal: Journal) -> None:
    """A longer one would not be found by its first time; exactly a day still is."""
    (position,) = append(journal, columns(0, DAY_MS))
    for bad in (columns(0, DAY_MS + 1), columns(0, end_ms=DAY_MS + 1)):
        with pytest.raises(ValueError, match="at most a day"):
            append(journal, bad)
    with pytest.raises(ValueError, match="without samples"):
        append(journal, Columns(Series.empty(), 0))
    person = journal.person("me")
    assert person
    assert [c.position for c in journal.chunks(person.id, DAY_MS, DAY_MS + 1)] == [position]
    assert journal.last_position() == position, "what was refused must leave nothing behind"


# --- files ---


def brought(
    digest: bytes = b"d",
    identity: str = "garmin 1 activity 0",
    *,
    whole: bool = True,
    samples: int = 2,
    span_ms: tuple[int, int] = (0, 1000),
) -> Recording:
    """What a file brought, as far as the journal tells copies of one recording apart by it."""
    return Recording(identity, digest, whole, [], [], samples, 0, span_ms)


def file(journal: Journal, member: str, recording: Recording, *ms: int) -> int:
    """A file with one chunk and one fact."""
    with journal.write() as w:
        person = w.person("me")
        arrival = w.arrival(person, member, member.encode(), kept=False)
        better, worse = w.copies(person, recording)
        outcome = "stored" if recording.whole else "partial"
        made = w.file(arrival, "", person, member.encode(), outcome, "", recording, better)
        source = w.source(person, "watch", "activity", 2)
        w.chunk(person, source, columns(*ms), made)
        w.entry(person, "session", ms[0], (ms[0], ms[-1]), {"n": member}, made)
        w.entry(person, "file", ms[0], w.replace(worse, made), {"name": member}, made)
        return made


@pytest.mark.parametrize("first", ["partial", "whole"])
def test_a_damaged_copy_does_not_count_beside_the_whole_one(journal: Journal, first: str) -> None:
    """Half of a recording and then all of it, or the other way round: the half is in no count and no fact."""
    whole, partial = brought(), brought(whole=False, samples=1, digest=b"e")
    for name in ("partial", "whole") if first == "partial" else ("whole", "partial"):
        ms = (0, 400, 1000) if name == "whole" else (0, 600)
        file(journal, name, whole if name == "whole" else partial, *ms)
    person = journal.person("me")
    assert person
    assert [c.last_ms for c in journal.chunks(person.id, 0, DAY_MS)] == [1000]
    assert [e.content["n"] for e in journal.facts(person.id, "session")] == ["whole"]
    assert journal.chunk_spans(person.id, 0, DAY_MS) == [(0, 1000)]
    assert journal.chunk_sizes(person.id, 0, DAY_MS) == [(0, 3)]
    if first == "partial":
        touched = [(e.first_ms, e.last_ms) for e in journal.entries(0) if e.what == "file"]
        assert touched == [(None, None), (0, 600)], "what the half had brought must be counted anew"


def test_one_identity_for_every_recording_loses_none(journal: Journal) -> None:
    """A device that gives all its files one number and date still has all its days counted."""
    file(journal, "monday", brought(whole=False), 0, 1000)
    file(journal, "tuesday", brought(span_ms=(DAY_MS, DAY_MS + 1000)), DAY_MS, DAY_MS + 1000)
    person = journal.person("me")
    assert person
    assert len(journal.chunks(person.id, 0, 3 * DAY_MS)) == 2


def test_of_two_damaged_copies_the_longer_counts(journal: Journal) -> None:
    """A copy cut off later is the better one, whichever came first."""
    for name, samples, last in (("short", 1, 300), ("long", 5, 800), ("middle", 3, 500)):
        file(journal, name, brought(whole=False, samples=samples, digest=name.encode()), 0, last)
    person = journal.person("me")
    assert person
    assert [c.last_ms for c in journal.chunks(person.id, 0, DAY_MS)] == [800]


# --- limits ---

MOMENTS = [-ALWAYS_MS, *range(-1, 12), ALWAYS_MS - 1]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from([170, 180, 190])), min_size=1, max_size=8))
def test_limits_touch_what_they_govern(
    tmp_path_factory: pytest.TempPathFactory, said: list[tuple[int, int]]
) -> None:
    """In whatever order the files of a watch arrive, exactly those moments are counted anew whose edges change."""
    with Journal(tmp_path_factory.mktemp("j") / "journal.db") as journal:
        made = file(journal, "a", brought(), 0, 1)
        person = journal.person("me")
        assert person

        def edges() -> list[Any]:
            timeline = read_profile(journal, person.id).timeline
            return [timeline.edges_at(moment) for moment in MOMENTS]

        for at, maximum in said:
            before, position = edges(), journal.last_position()
            with journal.write() as w:
                w.limits(person.id, at, {"maximum_bpm": maximum}, made)
            (entry,) = journal.entries(position)
            touched = [
                entry.first_ms is not None
                and entry.last_ms is not None
                and entry.first_ms <= m <= entry.last_ms
                for m in MOMENTS
            ]
            assert touched == [x != y for x, y in zip(before, edges(), strict=True)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    said=st.lists(st.tuples(st.integers(0, 9), st.sampled_from([170, 180, 190])), max_size=5),
    half=st.tuples(st.integers(0, 9), st.sampled_from([170, 180, 190])),
    whole=st.none() | st.tuples(st.integers(0, 9), st.sampled_from([170, 180, 190])),
)
def test_limits_of_a_damaged_copy_go_with_it(
    tmp_path_factory: pytest.TempPathFactory,
    said: list[tuple[int, int]],
    half: tuple[int, int],
    whole: tuple[int, int] | None,
) -> None:
    """When a whole copy replaces a damaged one, every moment whose edges change by that is counted anew."""
    with Journal(tmp_path_factory.mktemp("j") / "journal.db") as journal:
        other, damaged = (file(journal, name, brought(identity=name), 0, 1) for name in "ab")
        person = journal.person("me")
        assert person
        with journal.write() as w:
            for at, maximum in said:
                w.limits(person.id, at, {"maximum_bpm": maximum}, other)
            w.limits(person.id, half[0], {"maximum_bpm": half[1]}, damaged)
        before, position = read_profile(journal, person.id).timeline, journal.last_position()
        with journal.write() as w:
            if whole:
                w.limits(person.id, whole[0], {"maximum_bpm": whole[1]}, other)
            w.replace([damaged], other)
        after = read_profile(journal, person.id).timeline
        spans = [(e.first_ms, e.last_ms) for e in journal.entries(position)]
        for m in MOMENTS:
            touched = any(a <= m <= b for a, b in spans if a is not None and b is not None)
            assert touched or before.edges_at(m) == after.edges_at(m)


# --- the file itself ---


def test_only_its_owner_can_read_it(path: Path) -> None:
    """Heart rates are nobody else's business, in the files that SQLite puts beside it as well."""
    before = os.umask(0)
    try:
        with Journal(path) as journal:
            append(journal, columns(0))
            beside = sorted(path.parent.iterdir())
            assert [p.name for p in beside] == ["journal.db", "journal.db-shm", "journal.db-wal"]
            assert {stat.S_IMODE(p.stat().st_mode) for p in beside} == {0o600}
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_commit_is_on_the_card(journal: Journal, path: Path) -> None:
    """WAL with synchronous=FULL, on every connection: with NORMAL a power cut takes what was acknowledged."""
    with Journal(path) as second:
        for connection in (journal, second):
            ask = [connection._db.execute(f"PRAGMA {p}").fetchone()[0] for p in PRAGMAS]
            assert ask == ["wal", 2, 1]


PRAGMAS = ("journal_mode", "synchronous", "foreign_keys")


def test_migrations_apply_once_and_in_order(path: Path) -> None:
    """Opening a journal again changes nothing in it, not even its identity, which every store knows it by."""
    with Journal(path) as journal:
        first = journal.id
        tables = list(journal._db.execute("SELECT sql FROM sqlite_schema"))
        assert applied(journal._db) == [name for name, _ in MIGRATIONS]
    with Journal(path) as journal:
        assert journal.id == first
        assert list(journal._db.execute("SELECT sql FROM sqlite_schema")) == tables
        assert journal._db.execute("SELECT count(*) FROM migration").fetchone() == (len(MIGRATIONS),)
    with Journal(path.with_name("other.db")) as other:
        assert other.id != first


def test_a_missing_journal_is_not_made_by_a_question(path: Path) -> None:
    """A mistyped --data must not grow an empty journal that answers "0 minutes"."""
    with pytest.raises(Stop, match="There is no journal"):
        Journal(path, create=False)
    assert not path.parent.exists()


@pytest.mark.parametrize("harm", ["words", "zeros", "pages"])
def test_a_broken_file_needs_a_person(path: Path, harm: str) -> None:
    """A damaged journal ends in a sentence that says what to keep and how to begin again; nothing is overwritten."""
    with Journal(path) as journal:
        append(journal, columns(0))
    with path.open("r+b") as stream:
        if harm == "pages":
            stream.seek(100)
            stream.write(b"\xff" * 4000)
        else:
            stream.write(b"these are no rows" * 300 if harm == "words" else bytes(4096))
    before = path.read_bytes()
    with pytest.raises(Stop) as caught:
        Journal(path).close()
    assert "damaged" in str(caught.value)
    assert "hartslag repair" in str(caught.value)
    assert path.read_bytes() == before


def test_a_folder_in_the_way_needs_a_person(path: Path) -> None:
    """What cannot be opened or made at all ends in words, not in a traceback."""
    path.mkdir(parents=True)
    with pytest.raises(Stop, match="is a folder"):
        Journal(path).close()
    (path.parent / "file").write_text("")
    with pytest.raises(Stop, match="cannot be made"):
        Journal(path.parent / "file" / "below" / "journal.db").close()


def test_a_full_disk_is_waited_for(journal: Journal) -> None:
    """Files stay in the inbox while there is no room, and go on when there is: nothing is half committed."""
    (position,) = append(journal, columns(0))
    (pages,) = journal._db.execute("PRAGMA page_count").fetchone()
    journal._db.execute(f"PRAGMA max_page_count = {pages + 2}")
    noise = np.random.default_rng(2).integers(0, 255, 40_000).astype(np.uint8)
    big = Columns(Series.of(np.arange(40_000).view(TIMES), noise), 40_000)
    with pytest.raises(TryLater, match="disk is full"):
        append(journal, columns(5), big)
    assert journal.last_position() == position
    journal._db.execute(f"PRAGMA max_page_count = {pages + 1000}")
    assert len(append(journal, columns(5), big)) == 2


def test_a_full_disk_is_waited_for_by_whoever_opens_it(tmp_path: Path) -> None:
    """Protects a start on a full card, which SQLite calls an input/output error: a person is told to make room."""
    with small_disk(tmp_path / "small", "400k") as small:
        path = small / "journal" / "journal.db"
        with Journal(path) as journal:
            append(journal, columns(0))
        fill(small / "filler")
        for where in (path, small / "another" / "journal.db"):
            with pytest.raises(TryLater, match="disk is full"), Journal(where) as journal:
                append(journal, columns(5))
        with Journal(path, readonly=True) as journal:
            assert journal.last_position() > 0, "what is there can be read"
        (small / "filler").unlink()
        with Journal(path) as journal:
            append(journal, columns(5))


def test_opened_only_to_read_it_changes_and_makes_nothing(path: Path) -> None:
    """Protects the journal from verbs that only show, and a mistyped folder from an empty journal."""
    with pytest.raises(Stop, match="There is no journal"):
        Journal(path, readonly=True)
    assert not path.parent.exists()
    with Journal(path) as journal:
        (position,) = append(journal, columns(0))
    before = path.read_bytes()
    with Journal(path, readonly=True) as journal:
        assert journal.last_position() == position
        with pytest.raises(Stop, match="cannot be written"):
            append(journal, columns(5))
    assert path.read_bytes() == before


def test_whoever_may_read_it_opens_it(path: Path) -> None:
    """Protects `week` for somebody in the household who may read the journal and is not the daemon's user."""
    with Journal(path) as journal:
        (position,) = append(journal, columns(0))
    path.parent.chmod(0o755)
    path.chmod(0o644)
    open_to_others(path.parent)

    def work() -> str:
        with Journal(path, readonly=True) as journal:
            return str(journal.last_position())

    assert run_as(NOBODY, work) == str(position)
    with Journal(path) as journal:
        (position,) = append(journal, columns(5))
        for end in ("-wal", "-shm"):
            path.with_name(path.name + end).chmod(0o644)
        assert run_as(NOBODY, work) == str(position), "beside a daemon that writes"


def test_a_busy_journal_is_tried_again(journal: Journal, path: Path) -> None:
    """Another process that writes for long costs patience only."""
    with Journal(path, busy_ms=20) as hasty:
        with journal.write() as w:
            w.person("me")
            with pytest.raises(TryLater, match="busy"), hasty.write():
                pass
        append(hasty, columns(0))


def test_a_transaction_leaves_all_or_nothing(journal: Journal, path: Path) -> None:
    """Whatever ends the block early, Ctrl-C included, nothing of it is seen by anybody."""
    for trouble in (KeyboardInterrupt, RuntimeError):

        def interrupted(trouble: type[BaseException] = trouble) -> None:
            with journal.write() as w:
                person = w.person("me")
                w.chunk(person, w.source(person, "s", "strap", 0), columns(0))
                raise trouble

        with pytest.raises(trouble):
            interrupted()
    with Journal(path) as other:
        assert (other.persons(), other.last_position(), other.size()["chunks"]) == ([], 0, 0)
    append(journal, columns(0))


def test_no_descriptor_is_left_by_what_cannot_be_opened(path: Path) -> None:
    """A daemon that retries for weeks must not run out of open files."""
    path.parent.mkdir()
    path.write_bytes(b"these are no rows" * 300)
    before = len(list(Path("/proc/self/fd").iterdir()))
    kept = []
    for _ in range(5):
        with pytest.raises(Stop) as caught:
            Journal(path)
        kept.append(caught)  # holds its frames, as a log might
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert kept


# --- many at once ---


def test_a_reader_that_only_reads_on_misses_nothing(path: Path) -> None:
    """Three processes append at once while one reads on from its position: it sees each entry once, in order."""
    code = (
        "import sys; from pathlib import Path; from ingest.journal import Journal\n"
        "with Journal(Path(sys.argv[1])) as j:\n"
        "    for n in range(60):\n"
        "        with j.write() as w:\n"
        "            p = w.person('me')\n"
        "            for k in range(1 + n % 3): w.entry(p, 'mark', n, None, {'who': sys.argv[2], 'n': n, 'k': k})\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(path), who]) for who in "abc"]
    seen: list[Any] = []
    with Journal(path) as journal:
        position = 0
        while True:
            over = all(w.poll() is not None for w in writers)
            found = journal.entries(position, limit=7)
            if over and not found:
                break
            seen += found
            position = found[-1].position if found else position
    assert [w.wait() for w in writers] == [0, 0, 0]
    assert all(x.position < y.position for x, y in pairwise(seen))
    for who in "abc":
        mine = [(e.content["n"], e.content["k"]) for e in seen if e.content["who"] == who]
        assert mine == [(n, k) for n in range(60) for k in range(1 + n % 3)]
    assert len(seen) == 3 * 120


def test_positions_are_never_given_twice(journal: Journal, path: Path) -> None:
    """A position that was rolled back or whose row is gone does not come again for something else."""
    first = append(journal, columns(0))
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DELETE FROM chunk")
        db.execute("DELETE FROM entry")
    assert append(journal, columns(0)) > first


def test_two_who_open_a_new_journal_at_once_agree(tmp_path: Path) -> None:
    """The daemon and `hartslag add` may both be first: one makes the tables, both go on."""
    for turn in range(30):
        path = tmp_path / str(turn) / "journal.db"
        ids: list[str] = []
        troubles: list[BaseException] = []
        barrier = threading.Barrier(6)

        def first(
            path: Path = path,
            ids: list[str] = ids,
            troubles: list[BaseException] = troubles,
            barrier: threading.Barrier = barrier,
        ) -> None:
            barrier.wait()
            try:
                with Journal(path) as journal:
                    ids.append(journal.id)
            except BaseException as e:  # noqa: BLE001 - shown below
                troubles.append(e)

        threads = [threading.Thread(target=first) for _ in range(6)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert troubles == []
        assert len(ids) == 6
        assert len(set(ids)) == 1


def test_check_sees_a_spoilt_chunk(journal: Journal, path: Path) -> None:
    """`hartslag check` finds a chunk whose bytes are not what was written, and says which."""
    good, bad = append(journal, columns(0, 1000), columns(5000, 6000))
    assert journal.faults() == []
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE chunk SET bpm = x'00' WHERE position = ?", (bad,))
    assert [p for p, _ in journal.broken_chunks()] == [bad]
    assert good


def test_the_chunks_type_says_whose_it_is(journal: Journal) -> None:
    """A chunk names its source, as every row in every store does."""
    append(journal, columns(0))
    person = journal.person("ME")
    assert person
    (chunk,) = journal.chunks(person.id, 0, 1)
    assert isinstance(chunk, Chunk)
    assert (chunk.source.name, chunk.source.kind, chunk.source.rank) == ("watch-1-activity", "activity", 2)
    with journal.write() as w:
        again = w.source(person.id, "watch-1-activity", "strap", 0)
    assert again == chunk.source.id
    assert journal.sources(person.id)[0].kind == "activity", "a source never changes once it is written"


def test_what_is_not_filed_is_found_without_looking_at_what_is(journal: Journal) -> None:
    """Protects the Pi after years of files: what is asked for every file does not look through all that came before."""
    asked: list[str] = []
    journal._db.set_trace_callback(asked.append)
    journal.unfiled_arrivals()
    journal.committed_arrivals("me", "inbox/a.fit", b"1")
    journal.unfinished_arrival("me", "inbox/a.fit", b"1")
    journal._db.set_trace_callback(None)
    plans = [" ".join(row[3] for row in journal._db.execute(f"EXPLAIN QUERY PLAN {sql}")) for sql in asked]
    assert len(plans) == 3
    for plan in plans:
        assert "arrival_unfiled" in plan, plan


def test_chunks_are_found_without_their_data(journal: Journal) -> None:
    """Protects spans, sizes and the newest: until a recording stopped, not only until its last sample."""
    append(journal, columns(1000, 2000, end_ms=9000), columns(20_000, 21_000, 22_000), columns(DAY_MS))
    append(journal, columns(5000), name="somebody else")
    person = journal.person("me")
    assert person
    assert journal.chunk_spans(person.id, 9000, 19_999) == [(1000, 9000)]
    assert journal.chunk_spans(person.id, 9001, 19_999) == []
    assert journal.chunk_spans(person.id, 9001, 20_000) == [(20_000, 22_000)]
    assert journal.chunk_spans(person.id, 0, DAY_MS) == [
        (DAY_MS, DAY_MS),
        (20_000, 22_000),
        (1000, 9000),
    ], "the latest first"
    assert sorted(journal.chunk_sizes(person.id, 9000, 20_001)) == [(1000, 2), (20_000, 3)]
    assert journal.chunk_sizes(person.id, 9001, 20_000) == []
    source = journal.sources(person.id)[0].id
    assert journal.newest_spans(person.id, 2) == [(source, DAY_MS, DAY_MS), (source, 20_000, 22_000)]


def test_a_file_is_found_by_what_it_is_called(journal: Journal) -> None:
    """Protects who asks for a file: the whole path before the mere name, in a zip and in the archive as well."""
    with journal.write() as w:
        person = w.person("me")
        for path, member in (("in/a.fit", ""), ("in/z.zip", "b/a.fit"), ("other/a.fit", ""), ("c.fit", "")):
            arrival = w.arrival(person, path, path.encode(), kept=False)
            w.file(arrival, member, person, path.encode(), "stored", "", brought(), None)
            w.end_arrival(arrival, f"archive/2026/{path.replace('/', '-')}", None)
    named = {
        "in/a.fit": ["in/a.fit"],
        "/home/me/in/a.fit": ["in/a.fit"],
        "z.zip/b/a.fit": ["in/z.zip/b/a.fit"],
        "a.fit": ["other/a.fit", "in/z.zip/b/a.fit", "in/a.fit"],
        "elsewhere/a.fit": ["other/a.fit", "in/z.zip/b/a.fit", "in/a.fit"],
        "archive/2026/in-a.fit": ["in/a.fit"],
        "nowhere\\in-a.fit": ["in/a.fit"],
        "d.fit": [],
    }
    assert {name: [f.name for f in journal.files_named(name)] for name in named} == named
    assert [f.name for f in journal.files(latest=2)] == ["c.fit", "other/a.fit"], "the newest first"
    assert (len(journal.files("stored")), journal.files("rejected")) == (4, [])


def test_an_arrival_says_why_its_files_were_rejected(journal: Journal) -> None:
    """Protects the words beside a rejected file: those of the rejected alone, each with its name in the zip."""
    with journal.write() as w:
        person = w.person("me")
        arrival = w.arrival(person, "z.zip", b"z", kept=False)
        w.file(arrival, "good.fit", person, b"g", "partial", "A bit is missing.", brought(whole=False), None)
        w.file(arrival, "bad.fit", person, b"b", "rejected", "It is empty.", None, None)
        found = w.arrival_outcomes(arrival)
    assert found == ({"partial", "rejected"}, ["bad.fit: It is empty."], 0)
