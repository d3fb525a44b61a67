"""The way of a file: committed once, filed once, never lost, whatever happens on the way."""

import gzip
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.collect.arrival import Arrivals
from ingest.collect.outcome import Onlooker, Outcome, passed_over_text
from ingest.demo.fit_encoder import Fit, workout
from ingest.errors import TryLater
from ingest.formats import fit
from ingest.journal import ALWAYS_MS, Journal
from ingest.rows.workout import find_workouts
from tests.support.archives import zipped
from tests.support.direct_reader import DirectReader

START = 1_100_000_000
FIT = workout(START, [100, 120, 140, 150], maximum=None)
OTHER = workout(START + 100_000, [90, 95])
LARGEST = 1 << 20


class House:
    """A data folder with an inbox, a journal and the way between them."""

    def __init__(self, data: Path, now_ms: int = 1_700_000_000_000) -> None:
        self.data, self.inbox = data, data / "inbox"
        self.inbox.mkdir(parents=True, exist_ok=True)
        self.journal = Journal(data / "journal" / "journal.db", now_ms=lambda: now_ms)
        self.reader = DirectReader(LARGEST)
        self.arrivals = Arrivals(self.journal, self.reader, data)

    def drop(self, name: str, data: bytes) -> Path:
        path = self.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def take(self, name: str, data: bytes | None = None, person: str = "me", **how: Any) -> list[Outcome]:
        if data is not None:
            self.drop(name, data)
        return self.arrivals.take(self.inbox / name, name, person, **how)

    def outcome(self, name: str, data: bytes | None = None, person: str = "me", **how: Any) -> str:
        (one,) = self.take(name, data, person, **how)
        return one.outcome

    def files(self) -> dict[str, bytes]:
        """What lies below the data folder, without the journal."""
        return {
            p.relative_to(self.data).as_posix(): p.read_bytes().replace(str(self.data).encode(), b"DATA")
            for p in sorted(self.data.rglob("*"))
            if p.is_file() and p.parent.name != "journal"
        }

    def counted(self, person: str = "me") -> list[tuple[int, int]]:
        """Every sample that counts, as (ms, bpm)."""
        known = self.journal.person(person)
        assert known
        chunks = self.journal.chunks(known.id, -ALWAYS_MS, ALWAYS_MS)
        return sorted(
            pair
            for c in chunks
            for pair in zip(
                c.columns.series.times.astype(int).tolist(), c.columns.series.bpm.tolist(), strict=True
            )
        )

    def records(self) -> list[tuple[str, str]]:
        """Every file's name and outcome, oldest first."""
        return [(f.name, f.outcome) for f in reversed(self.journal.files())]

    def close(self) -> None:
        self.journal.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "data")
    yield made
    made.close()


# --- where each file ends ---


def test_a_file_is_stored_and_filed_by_its_year(house: House) -> None:
    """A recording is in the journal, and its file in the archive of the year in which it was recorded."""
    (done,) = house.take("run.fit", FIT)
    assert (done.outcome, done.samples, done.person, done.file) == ("stored", 4, "me", "run.fit")
    assert house.files() == {"archive/2024/run.fit": FIT}
    assert [bpm for _, bpm in house.counted()] == [100, 120, 140, 150]


SAME: dict[str, tuple[str, bytes]] = {
    "renamed": ("again.fit", FIT),
    "gzipped": ("run.fit.gz", gzip.compress(FIT)),
    "in a zip": ("run.zip", zipped(("x/run.fit", FIT))),
    "in other bytes": ("other.fit", workout(START, [100, 120, 140, 150], maximum=190)),
}


@pytest.mark.parametrize("how", SAME)
def test_the_same_recording_is_stored_once(house: House, how: str) -> None:
    """However a recording comes again, its seconds are in the journal once."""
    house.take("run.fit", FIT)
    before, size = house.counted(), house.journal.size()["chunks"]
    assert house.outcome(*SAME[how]) == "duplicate"
    assert (house.counted(), house.journal.size()["chunks"]) == (before, size)
    assert not list(house.inbox.iterdir())


def _with_sessions(legs: int, *, serial: int, manufacturer: int) -> bytes:
    """The same thirty minutes as a device or a program tells of them."""
    made = Fit().file_id(4, serial=serial, manufacturer=manufacturer, created=START)
    made.timer(START, start=True).records(START, [120, 130, 140] * 600).timer(START + 1800, start=False)
    for leg in range(legs):
        made.session(START + leg * 1800 // legs, 1800 // legs, sport=leg + 1)
    return made.activity(START + 1800, seconds=1800).done()


@pytest.mark.parametrize("first", ["watch", "program"])
def test_the_watch_is_believed_whoever_comes_first(house: House, first: str) -> None:
    """A program that passes on a triathlon as one workout neither hides the legs of the watch nor is counted beside them."""
    files = {
        "watch": _with_sessions(3, serial=7, manufacturer=1),
        "program": _with_sessions(1, serial=0, manufacturer=265),
    }
    for name in sorted(files, key=lambda name: name != first):
        house.take(f"{name}.fit", files[name])
    assert len(house.counted()) == 1800
    known = house.journal.person("me")
    assert known
    assert [e.content["sport"] for e in find_workouts(house.journal, known.id)] == [
        "running",
        "cycling",
        "transition",
    ]
    again = [house.outcome(f"{name} again.fit", data) for name, data in files.items()]
    assert (again, len(house.counted())) == (["duplicate"] * 2, 1800)


def test_what_takes_the_place_of_another_file_says_so(house: House) -> None:
    """Who drops the file of the watch after that of a program reads which of them counts now."""
    house.take("program.fit", _with_sessions(1, serial=0, manufacturer=265))
    (told,) = house.take("watch.fit", _with_sessions(3, serial=7, manufacturer=1))
    assert (told.outcome, "program.fit" in told.reason) == ("stored", True)


def test_twice_in_one_zip_is_stored_once(house: House) -> None:
    """An export that holds a recording twice, even under one name, ends as one recording and takes nobody down."""
    outcomes = house.take("run.zip", zipped(("a.fit", FIT), ("b/a.fit", FIT), ("b\\a.fit", OTHER)))
    assert [o.outcome for o in outcomes] == ["stored", "duplicate", "stored"]
    assert len(house.counted()) == 6


def test_another_person_may_own_an_equal_file(house: House) -> None:
    """Two people who drop one file both have it; each archive copy keeps its own name."""
    assert house.outcome("me/run.fit", FIT, "me") == "stored"
    assert house.outcome("you/run.fit", FIT, "you") == "stored"
    assert house.counted("me") == house.counted("you") != []


@pytest.mark.parametrize("order", ["half first", "whole first", "in one zip"])
def test_half_a_recording_and_the_whole_of_it(house: House, order: str) -> None:
    """A half-copied file leaves no trace in the counts once the whole one is there, in either order."""
    half = FIT[:-90]
    assert len(fit.read(half).series[0]) < 4
    if order == "in one zip":
        kinds = [o.outcome for o in house.take("a.zip", zipped(("half.fit", half), ("whole.fit", FIT)))]
    elif order == "half first":
        kinds = [house.outcome("half.fit", half), house.outcome("whole.fit", FIT)]
    else:
        kinds = [house.outcome("whole.fit", FIT), house.outcome("half.fit", half)][::-1]
    assert kinds == ["partial", "stored"]
    assert [bpm for _, bpm in house.counted()] == [100, 120, 140, 150]
    assert len(house.journal.facts(1, "session")) == 1


def test_what_will_never_do_is_set_aside_with_the_reason(house: House) -> None:
    """A rejected file lies whole in rejected/ with a text beside it that says why."""
    (done,) = house.take("track.fit", b"<gpx></gpx>")
    assert done.outcome == "rejected"
    assert house.files() == {
        "rejected/track.fit": b"<gpx></gpx>",
        "rejected/track.fit.txt": (
            f"{done.reason}\n\nTo try it again:\nhartslag add DATA/rejected/track.fit\n".encode()
        ),
    }
    assert "GPX" in done.reason


def test_a_bad_member_is_set_aside_out_of_its_zip(house: House) -> None:
    """The good recordings of a zip are stored; the bad one can be looked at on its own; no name leads elsewhere."""
    bad = b"\x0e\x10\x00\x00\x05\x00\x00\x00.FIT" + bytes(20)
    outcomes = house.take("a.zip", zipped(("../../bad.fit", bad), ("good.fit", FIT)))
    assert sorted(o.outcome for o in outcomes) == ["rejected", "stored"]
    names = set(house.files())
    assert "archive/2024/a.zip" in names
    (aside,) = [n for n in names if n.endswith(".fit")]
    assert aside.startswith("rejected/")
    assert house.files()[aside] == bad
    assert aside + ".txt" in names
    assert not list(house.data.parent.glob("*.fit"))


def test_one_name_never_hides_another_content(house: House) -> None:
    """Watches call every recording the same; in the archive and among the rejected none is written over."""
    contents = [workout(START + i * 1000, [100 + i] * 3) for i in range(4)]
    for data in contents:
        assert house.outcome("ACTIVITY.fit", data) == "stored"
    for data in (b"bad 1", b"bad 2"):
        assert house.outcome("bad.fit", data) == "rejected"
    kept = house.files()
    assert sorted(d for n, d in kept.items() if n.startswith("archive")) == sorted(contents)
    assert {d for n, d in kept.items() if n.endswith(".fit") and n.startswith("rejected")} == {
        b"bad 1",
        b"bad 2",
    }
    assert len([n for n in kept if n.endswith(".txt")]) == 2


def test_a_stranger_in_the_archive_is_not_written_over(house: House) -> None:
    """What a person has put into the archive by hand stays as it is."""
    (house.data / "archive" / "2024").mkdir(parents=True)
    (house.data / "archive" / "2024" / "run.fit").write_text("mine")
    house.take("run.fit", FIT)
    assert house.files() == {"archive/2024/run.fit": b"mine", "archive/2024/run-2.fit": FIT}


def test_a_kept_file_stays_where_it_is(house: House, tmp_path: Path) -> None:
    """`hartslag add` copies: the original is nobody's to move, and of a rejected one not even a copy is made."""
    mine = tmp_path / "run.fit"
    mine.write_bytes(FIT)
    (done,) = house.arrivals.take(mine, str(mine), "me", kept=True)
    assert (done.outcome, mine.read_bytes()) == ("stored", FIT)
    assert house.files() == {"archive/2024/run.fit": FIT}
    mine.write_bytes(b"no")
    (done,) = house.arrivals.take(mine, str(mine), "me", kept=True)
    assert (done.outcome, mine.read_bytes()) == ("rejected", b"no")
    assert house.files() == {"archive/2024/run.fit": FIT}


@pytest.mark.parametrize(
    "name",
    [b"m\xfcnchen.fit", b"\xff\xfe.fit", "überlänge ".encode() * 15 + b".fit", b"two\nlines\x1b[2J.fit"],
)
def test_odd_names_are_taken(house: House, name: bytes) -> None:
    """Names from old sticks that are no UTF-8, are very long, or would confuse a terminal are filed all the same."""
    name = name[-250:]
    text = os.fsdecode(name)
    assert house.outcome(text, FIT) == "stored"
    (filed,) = house.files()
    filed.encode()
    assert filed.isprintable()
    assert not list(house.inbox.iterdir())


# --- links, pipes and other disks ---


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A folder on another file system than the data."""
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == Path(tempfile.gettempdir()).stat().st_dev:
        pytest.skip("a second file system is needed in /dev/shm to move files across")
    folder = Path(tempfile.mkdtemp(dir=other))
    yield folder
    shutil.rmtree(folder)


def test_an_inbox_on_another_disk(house: House, elsewhere: Path) -> None:
    """Where a file cannot be renamed into the archive it is copied whole, and only then leaves the inbox."""
    path = elsewhere / "run.fit"
    path.write_bytes(FIT)
    (done,) = house.arrivals.take(path, "run.fit", "me")
    assert done.outcome == "stored"
    assert not path.exists()
    assert house.files() == {"archive/2024/run.fit": FIT}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("disk", ["same", "another"])
@pytest.mark.parametrize("what", ["link", "endless link", "pipe"])
def test_links_and_pipes_are_never_followed(
    house: House, request: pytest.FixtureRequest, tmp_path: Path, what: str, disk: str
) -> None:
    """A link to a secret is not read, one to a device does not fill the disk, and a pipe does not hang the daemon."""
    folder = house.inbox if disk == "same" else request.getfixturevalue("elsewhere")
    secret = tmp_path / "secret.fit"
    secret.write_bytes(FIT)
    path = folder / "x.fit"
    if what == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(secret if what == "link" else "/dev/zero")
    (done,) = house.arrivals.take(path, "x.fit", "me")
    assert done.outcome == "rejected"
    assert not os.path.lexists(path)
    assert secret.read_bytes() == FIT
    assert house.journal.size()["chunks"] == 0
    filed = house.data / "rejected" / "x.fit"
    assert filed.is_symlink() == (what != "pipe")
    assert (house.data / "rejected" / "x.fit.txt").read_text().startswith(done.reason + "\n")


# --- what happens meanwhile ---


def test_a_file_that_grows_while_it_is_read_is_not_taken(house: House) -> None:
    """What was read may be half of it: nothing is committed, the file stays, and comes whole the next time."""
    path = house.drop("run.fit", FIT[:-90])

    def grow(_: str) -> None:
        path.write_bytes(FIT)

    house.reader.before = grow
    with pytest.raises(TryLater, match="changed while it was read"):
        house.take("run.fit")
    assert (house.records(), house.files()) == ([], {"inbox/run.fit": FIT})
    house.reader.before = lambda _: None
    assert house.outcome("run.fit") == "stored"
    assert len(house.counted()) == 4


def test_a_file_that_takes_the_place_of_another_is_not_lost(house: House) -> None:
    """A new file renamed over one that is just being read stays in the inbox; both end in the archive."""
    path = house.drop("run.fit", FIT)

    def replace(_: str) -> None:
        beside = house.drop("other.tmp", OTHER)
        beside.rename(path)

    house.reader.before = replace
    assert house.outcome("run.fit") == "stored"
    assert house.files() == {"archive/2024/run.fit": FIT, "inbox/run.fit": OTHER}
    house.reader.before = lambda _: None
    assert house.outcome("run.fit") == "stored"
    assert sorted(house.files().values()) == sorted([FIT, OTHER])


def test_a_file_that_is_taken_back_is_kept_all_the_same(house: House) -> None:
    """Its owner deletes it while it is read: what was read is stored and archived."""
    path = house.drop("run.fit", FIT)
    house.reader.before = lambda _: path.unlink()
    assert house.outcome("run.fit") == "stored"
    assert house.files() == {"archive/2024/run.fit": FIT}


def test_a_file_that_is_gone_is_tried_later(house: House) -> None:
    """One that vanished before it was opened is no failure of anything."""
    with pytest.raises(TryLater, match="cannot be read"):
        house.take("gone.fit")
    assert house.records() == []


@pytest.mark.parametrize("data", [FIT, b"no recording", zipped(("a.fit", FIT), ("b.fit", OTHER))])
def test_trouble_with_the_archive_makes_no_second_record(house: House, data: bytes) -> None:
    """A file that is committed but cannot be moved is only moved once that is possible, and told of as it was."""
    for folder in ("archive", "rejected"):
        (house.data / folder).write_text("in the way")
    for _ in range(3):
        with pytest.raises(TryLater, match="cannot be moved"):
            house.take("x.fit", data)
    before = house.records()
    assert len(before) == (2 if data[:2] == b"PK" else 1)
    for folder in ("archive", "rejected"):
        (house.data / folder).unlink()
    done = house.take("x.fit")
    assert house.records() == before
    assert [o.outcome for o in done] == [outcome for _, outcome in before]
    assert not list(house.inbox.iterdir())
    house.arrivals.flush()
    assert house.journal.unfiled_arrivals() == []


def test_a_file_that_could_not_be_moved_and_is_replaced_is_waited_for_no_more(house: House) -> None:
    """Protects who copies a file once more because the first one broke off: nothing is left that only a new start ends."""
    (house.data / "rejected").write_text("in the way")
    with pytest.raises(TryLater, match="cannot be moved"):
        house.take("run.fit", b"")
    house.take("run.fit", FIT)
    house.arrivals.flush()
    assert house.journal.unfiled_arrivals() == []
    assert {outcome for _, outcome in house.records()} == {"rejected", "stored"}


def test_a_name_that_comes_again_at_once_is_a_file_of_its_own(house: House) -> None:
    """The same file dropped anew right after it was filed is a duplicate, not a forgotten move."""
    assert house.outcome("run.fit", FIT) == "stored"
    assert house.outcome("run.fit", FIT) == "duplicate"
    assert house.records() == [("run.fit", "stored"), ("run.fit", "duplicate")]


# --- an earlier life ---

ZIP = zipped(("a.fit", FIT), ("b.fit", OTHER), ("c.fit", b"no"), ("d.fit", workout(START + 9000, [80] * 5)))


def lasting(house: House) -> list[Any]:
    """All of the journal that does not depend on how often it was begun."""
    db = house.journal._db
    return [
        db.execute(
            "SELECT position, person, what, at_ms, first_ms, last_ms, file, content FROM entry"
        ).fetchall(),
        db.execute("SELECT * FROM chunk ORDER BY position").fetchall(),
        db.execute("SELECT id, arrival, member, outcome, reason, replaced_by FROM file").fetchall(),
        db.execute("SELECT id, path, destination, reason, ended FROM arrival").fetchall(),
    ]


@pytest.mark.parametrize("at", range(1, 4))
def test_a_zip_goes_on_where_it_stopped(tmp_path: Path, at: int) -> None:
    """Interrupted between two members and taken again, a zip leaves the journal of an undisturbed run."""
    calm, rough = House(tmp_path / "calm"), House(tmp_path / "rough")
    calm.take("all.zip", ZIP)
    seen: list[str] = []

    def stop(name: str) -> None:
        seen.append(name)
        if len(seen) == at:
            raise KeyboardInterrupt

    rough.reader.before = stop
    with pytest.raises(KeyboardInterrupt):
        rough.take("all.zip", ZIP)
    rough.close()
    again = House(tmp_path / "rough")
    again.arrivals.finish(again.inbox)
    again.take("all.zip")
    again.arrivals.flush()
    assert lasting(again) == lasting(calm)
    assert again.files() == calm.files()
    for house in (calm, again):
        house.close()


KILLED = (
    "import sys; from pathlib import Path\n"
    "from tests.collect.test_arrival import House\n"
    "h = House(Path(sys.argv[1])); h.take('all.zip'); h.arrivals.flush()\n"
)


@pytest.mark.parametrize("point", ["file begun:2", "file committed:1", "file committed:4", "arrival moved"])
def test_a_killed_process_leaves_nothing_half_done(tmp_path: Path, point: str) -> None:
    """After a real SIGKILL in the middle the next start ends with the journal and folders of an undisturbed run."""
    calm, rough = House(tmp_path / "calm"), House(tmp_path / "rough")
    calm.take("all.zip", ZIP)
    calm.arrivals.flush()
    rough.drop("all.zip", ZIP)
    rough.close()
    root = Path(__file__).parents[2]
    environment = {**os.environ, "HARTSLAG_CRASH_AT": point, "PYTHONPATH": str(root)}
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(rough.data)], env=environment, cwd=root, check=False
    )
    assert ended.returncode == -signal.SIGKILL
    again = House(rough.data)
    again.arrivals.finish(again.inbox)
    if list(again.inbox.iterdir()):
        again.take("all.zip")
        again.arrivals.flush()
    assert lasting(again) == lasting(calm)
    assert again.files() == calm.files()
    for house in (calm, again):
        house.close()


def test_what_was_committed_is_filed_at_the_next_start(house: House) -> None:
    """`finish` moves exactly what an earlier life left lying, and leaves a file that has changed since."""
    (house.data / "archive").write_text("in the way")
    for name, data in (("a.fit", FIT), ("b.fit", OTHER)):
        with pytest.raises(TryLater):
            house.take(name, data)
    (house.data / "archive").unlink()
    house.drop("b.fit", b"something else by now")
    next_life = Arrivals(house.journal, house.reader, house.data)
    assert next_life.finish(house.inbox) == 2
    assert house.files() == {"archive/2024/a.fit": FIT, "inbox/b.fit": b"something else by now"}
    assert next_life.finish(house.inbox) == 0


@pytest.mark.parametrize("now_ms", [30_000, 1_700_000_000_000, 8_200_000_000_000])
def test_the_archive_goes_by_the_year_of_the_recording(tmp_path: Path, now_ms: int) -> None:
    """Protects the order of the archive from the clock of the Pi: in 1970, and in 2229, a run of 2024 lies under 2024."""
    house = House(tmp_path, now_ms=now_ms)
    house.take("run.fit", FIT)
    house.take("the-same.fit", FIT)
    house.take("ahead.fit", workout(1_610_000_000, [100, 101]))
    house.take("nothing.fit", Fit().file_id(2).zones_target(190).done())
    arrived = datetime.fromtimestamp(now_ms / 1000, UTC).year
    assert list(house.files()) == sorted(
        [
            "archive/2024/run.fit",
            "archive/2024/the-same.fit",
            "archive/2041/ahead.fit",
            f"archive/{arrived}/nothing.fit",
        ]
    )
    house.close()


def test_settings_without_heart_rate_are_stored_with_a_word(house: House) -> None:
    """A file that is whole but holds no heart rate is no failure; its owner learns why it counts nothing."""
    (done,) = house.take("settings.fit", Fit().file_id(2).zones_target(190).done())
    assert (done.outcome, done.samples) == ("stored", 0)
    assert "no heart rate" in done.reason


# --- folders that are nobody yet, and archives of accounts ---

SETTINGS = Fit().file_id(2).zones_target(190).done()


def as_newcomer(house: House, name: str, data: bytes) -> list[str]:
    """Take what lies in the folder of somebody new; gives whose each file is then."""
    house.drop(name, data)
    made: list[str] = []

    def newcomer() -> str:
        made.append(name)
        return "Kim"

    outcomes = house.arrivals.take(house.inbox / name, name, "me", newcomer=newcomer)
    assert len(made) <= 1
    return [o.person for o in outcomes]


def test_a_folder_is_a_person_once_something_of_a_heart_is_read_in_it(house: House) -> None:
    """Protects a household from persons called after any folder: what holds no heartbeat belongs to the inbox's owner."""
    assert as_newcomer(house, "Kim/notes.txt", b"no FIT at all") == ["me"]
    assert as_newcomer(house, "Kim/settings.fit", SETTINGS) == ["me"]
    assert as_newcomer(house, "Kim/nothing.zip", zipped(("a.fit", b"x"), ("b.fit", b"y"))) == ["me", "me"]
    assert [p.name for p in house.journal.persons()] == ["me"]
    mixed = zipped(("a.fit", b"x"), ("s.fit", SETTINGS + b"\0"), ("b.fit", FIT), ("c.fit", b"y"))
    assert as_newcomer(house, "Kim/mixed.zip", mixed) == ["Kim"] * 4
    assert [p.name for p in house.journal.persons()] == ["me", "Kim"]
    assert as_newcomer(house, "Jo/same.fit", FIT) == ["Kim"], (
        "an equal file of the owner's says nothing of whose this is"
    )


def test_what_lies_beside_recordings_is_told_in_one_count(house: House) -> None:
    """Protects real rejections from drowning in thousands of files that nobody meant to be recordings."""
    told: list[dict[str, int]] = []
    beside = [(f"{i}.json", b"{}") for i in range(40)]
    house.drop(
        "export.zip",
        zipped(*beside, ("activities.csv", b"a,b"), ("a.fit.gz", gzip.compress(FIT)), ("b.fit", b"x")),
    )
    done = house.arrivals.take(
        house.inbox / "export.zip", "export.zip", "me", onlooker=Onlooker(passed_over=told.append)
    )
    assert [o.outcome for o in done] == ["stored", "rejected"]
    assert told == [{".json": 40, ".csv": 1}]
    assert passed_over_text(told[0]) == "Other files in it, which were passed over: 41 (40 .json, 1 .csv)."
    assert "GPX and TCX are not read" in passed_over_text({".tcx": 3, "": 1})


def test_no_name_reaches_a_terminal_with_what_it_would_obey(house: House) -> None:
    """Protects who reads what came in: a name out of a zip or an old stick turns, hides and colours nothing, and breaks no line."""
    members = zipped(
        ("\x1b[31mred\x1b]0;gone\x07.fit", FIT), ("again\n\x9b2J.fit", FIT), ("bad\u202e.fit", b"x")
    )
    done = house.take("\x1b[1mbold\n.zip", zipped(("in\x1b[0m.zip", members)))
    told = [text for o in done for text in (o.file, o.member, o.reason, o.sentence)]
    told += [text for f in house.journal.files() for text in (f.name, f.reason)]
    told += [name for name in house.files() if not name.startswith("inbox/")]
    told += [text.decode() for name, text in house.files().items() if name.endswith(".txt")]
    assert {o.outcome for o in done} == {"stored", "duplicate", "rejected"}
    assert all(c.isprintable() or c == "\n" for text in told for c in text)
    assert not any("\n" in text for o in done for text in (o.file, o.member, o.reason))
