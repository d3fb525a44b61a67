"""The watched folder: nothing is taken before it has arrived, everything that has is taken."""

import gzip
import io
import os
import sys
import zipfile
from collections import Counter
from pathlib import Path
from typing import BinaryIO

import pytest

from ingest.collect.inbox import (
    DEEPEST,
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    Candidate,
    Inbox,
    Turns,
    Waiting,
    left_in_system_folders,
    noted_troubles,
)
from ingest.demo.fit_encoder import workout
from ingest.errors import TryLater
from tests.support.archives import zipped
from tests.support.direct_reader import DirectReader
from tests.support.households import household
from tests.support.other_user import NOBODY, open_to_others, run_as

FIT = workout(1_100_000_000, [100, 120, 140])
SETTLE, PATIENCE = 2.0, 60.0


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def whose(folder: str) -> tuple[str | None, str]:
    top = folder.partition("/")[0]
    if top in {"", "anna"}:
        return top or "me", ""
    return None, f'add the lines  [[person]]  and  name = "{top}"'


class Watch:
    """An inbox with a clock that moves when it is told to."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, Clock()
        self.inbox = Inbox(
            folder,
            whose,
            self.clock,
            settle_s=SETTLE,
            patience_s=PATIENCE,
            looks_whole=DirectReader(1 << 20).looks_whole,
        )

    def after(self, seconds: float = 0) -> list[str]:
        """The names that have arrived that much later."""
        self.clock.now += seconds
        return [d.name for d in self.inbox.scan().arrived]

    def why(self, name: str) -> str:
        return next((w.why for w in self.inbox.scan().waiting if w.name == name), "")

    def drop(self, name: str, data: bytes = FIT) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path


def bytes_read() -> int:
    """What this process has read of files so far, as the kernel counts it."""
    return int(Path("/proc/self/io").read_text().split()[1])


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return Watch(folder)


def test_a_file_is_taken_once_it_stands_still(watch: Watch) -> None:
    """Neither at first sight, which may be in the middle of a copy, nor later than promised."""
    watch.drop("run.fit")
    assert watch.after() == []
    assert "just appeared" in watch.why("run.fit")
    assert watch.after(SETTLE - 0.1) == []
    assert watch.after(0.1) == ["run.fit"]


def test_a_file_that_grows_starts_anew(watch: Watch) -> None:
    """A slow network copy that pauses between two looks is not taken half."""
    for end in range(20, len(FIT), 40):
        watch.drop("run.fit", FIT[:end])
        assert watch.after(SETTLE - 0.1) == []
    watch.drop("run.fit")
    assert watch.after() == []
    assert watch.after(SETTLE) == ["run.fit"]


UNFINISHED = {
    "half a recording.fit": FIT[:-40],
    "only its header.fit": FIT[:12],
    "less than its header.fit": FIT[:5],
    "claimed.fit": bytes(5000),
    "claimed without suffix": bytes(5000),
    "claimed, then begun.fit": FIT[:40] + bytes(len(FIT) - 40),
    "nothing.fit": b"",
    "half a gzip.fit.gz": gzip.compress(FIT)[:-9],
    "half a zip.zip": b"",  # filled in below
}
with io.BytesIO() as _out:
    with zipfile.ZipFile(_out, "w") as _zip:
        _zip.writestr("a.fit", FIT)
    UNFINISHED["half a zip.zip"] = _out.getvalue()[:-10]


@pytest.mark.parametrize("name", UNFINISHED)
def test_what_ends_too_early_is_waited_for(watch: Watch, name: str) -> None:
    """A copy that stalls looks finished but is not; only after long patience is it taken for what it is."""
    watch.drop(name, UNFINISHED[name])
    watch.after()
    assert watch.after(SETTLE) == []
    assert "ends too early" in watch.why(name)
    assert watch.after(PATIENCE - SETTLE - 0.1) == []
    assert watch.after(0.1) == [name]


def test_a_stalled_copy_that_goes_on_is_whole_in_the_end(watch: Watch) -> None:
    """What was found unfinished is looked at anew when it changes."""
    watch.drop("run.fit", FIT[:-40])
    watch.after()
    assert watch.after(SETTLE) == []
    watch.drop("run.fit")
    watch.after()
    assert watch.after(SETTLE) == ["run.fit"]


@pytest.mark.parametrize(
    "name",
    [
        "run.fit.part", "run.FIT.TMP", "run.fit.crdownload", "run.fit.filepart", "run.fit~",
        ".syncthing.run.fit.tmp", "~syncthing~run.fit.tmp", ".run.fit.tmp", "anna/run.fit.partial",
    ],
)  # fmt: skip
def test_names_that_say_unfinished_are_left_alone(watch: Watch, name: str) -> None:
    """Programs mark what they still write; it is never read, however long it lies, and the owner is told."""
    path = watch.drop(name)
    for _ in range(3):
        assert watch.after(PATIENCE) == []
    assert "still being copied" in watch.why(name)
    done = path.with_name("done.fit")
    path.rename(done)
    assert watch.after() == [], "a rename into place is an appearance"
    assert watch.after(SETTLE) == [done.relative_to(watch.folder).as_posix()]


@pytest.mark.parametrize(
    "name",
    [
        ".DS_Store", ".stfolder/x.fit", ".hidden.fit", "Thumbs.db", "desktop.ini", ".Trash-1000/files/x.fit", "lost+found/x.fit",
        "System Volume Information/x.fit", "anna/@eaDir/x.fit", "#recycle/x.fit", "$RECYCLE.BIN/x.fit", "__MACOSX/x.fit",
    ],
)  # fmt: skip
def test_what_is_nobodys_recording_is_not_even_mentioned(watch: Watch, name: str) -> None:
    """Side files of other systems are neither taken nor complained of."""
    watch.drop(name)
    watch.after()
    assert watch.after(PATIENCE) == []
    assert watch.inbox.scan().waiting == []


def test_recordings_in_folders_of_systems_are_counted(watch: Watch) -> None:
    """Protects a run that a disk check put into lost+found: it is not taken, and told of; what else lies there is nobody's."""
    for name in (
        "lost+found/#4711",
        "lost+found/deep/x.fit",
        "anna/#recycle/run.fit",
        ".Trash-1000/files/x.fit",
    ):
        watch.drop(name)
    watch.drop("lost+found/#4712", b"no recording")
    watch.drop("__MACOSX/._run.fit", b"\x00\x05\x16\x07" + bytes(99))
    watch.drop("anna/run.fit")
    assert left_in_system_folders(watch.folder) == {
        "lost+found/": 2, "anna/#recycle/": 1, ".Trash-1000/": 1,
    }  # fmt: skip
    assert watch.inbox.scan().waiting == [Waiting("anna/run.fit", "it has just appeared or changed")]


def test_what_macos_lays_beside_a_file_is_not_even_mentioned(watch: Watch) -> None:
    """A Mac that copies to a share leaves ._NAME beside each file (OctoPrint/OctoPrint #2558); only what it is decides."""
    watch.drop("run.fit")
    watch.drop("._run.fit", b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        " + bytes(90))
    watch.drop("._walk.fit")
    watch.after()
    assert sorted(watch.after(PATIENCE)) == ["._walk.fit", "run.fit"]
    assert watch.inbox.scan().waiting == []


def test_another_file_under_the_same_name_starts_anew(watch: Watch) -> None:
    """A file renamed over a settled one has itself to settle, even at the same size."""
    watch.drop("run.fit")
    watch.after()
    other = watch.drop("other.part", FIT[::-1])
    assert watch.after(SETTLE) == ["run.fit"]
    other.rename(watch.folder / "run.fit")
    assert watch.after() == []


def test_the_files_own_time_decides_nothing(watch: Watch) -> None:
    """A camera's or watch's made-up date neither hastens nor delays."""
    for name, when in (("old.fit", 0), ("new.fit", 4_000_000_000)):
        os.utime(watch.drop(name), (when, when))
    assert watch.after() == []
    assert sorted(watch.after(SETTLE)) == ["new.fit", "old.fit"]


def test_a_file_that_vanishes_is_forgotten(watch: Watch) -> None:
    """Its owner took it back: nothing is taken, and when it comes again it has to settle again."""
    path = watch.drop("run.fit")
    watch.after()
    path.unlink()
    assert watch.after(SETTLE) == []
    watch.drop("run.fit")
    assert watch.after() == []
    assert watch.after(SETTLE) == ["run.fit"]


def test_folders_are_persons(watch: Watch) -> None:
    """A person's folder makes the files in it theirs, however deep; nobody's folder waits as one, with the line to add."""
    for name in ("run.fit", "anna/run.fit", "anna/2026/may/run.fit", "bob/run.fit", "bob/may/run.fit"):
        watch.drop(name)
    watch.after()
    watch.clock.now += SETTLE
    found = watch.inbox.scan()
    assert sorted((d.name, d.person) for d in found.arrived) == [
        ("anna/2026/may/run.fit", "anna"), ("anna/run.fit", "anna"), ("run.fit", "me"),
    ]  # fmt: skip
    assert [(w.name, w.files, 'name = "bob"' in w.why) for w in found.waiting] == [("bob/", 2, True)]


@pytest.mark.parametrize("folder", ["Photos", "anna", "anna/DCIM"])
def test_what_is_no_recording_is_passed_over_in_folders_and_makes_nobody_a_person(
    watch: Watch, folder: str
) -> None:
    """Protects a phone's folder of hundreds of photos, and an export's of GPX: they stay, are counted, and propose no person.

    Its recordings are taken, whatever they are called.
    """
    kinds = {
        "a.jpg": b"\xff\xd8\xff\xe0",
        "b.heic": b"\0\0\0\x18ftypheic",
        "c.pdf": b"%PDF-1.7",
        "d.mov": b"\0\0\0\x14ftypqt",
        "e.gpx": b"<?xml version='1.0'?><gpx>",
        "f.gpx.gz": gzip.compress(b"<gpx>"),
        "notes.txt": b"Hello",
        "letter.docx": b"PK\x03\x04",
        "README": b"",
    }
    for name, head in kinds.items():
        watch.drop(f"{folder}/{name}", head + bytes(99))
    watch.drop("one.jpg", b"\xff\xd8\xff\xe0")
    assert watch.after() == []
    watch.clock.now += SETTLE
    found = watch.inbox.scan()
    assert [d.name for d in found.arrived] == ["one.jpg"], (
        "what was put into the inbox by hand is told of by itself"
    )
    assert found.waiting == []
    counted = {".jpg": 1, ".heic": 1, ".pdf": 1, ".mov": 1, ".gpx": 1, ".gz": 1, ".txt": 1, ".docx": 1, "": 1}
    assert found.passed_over == {folder.split("/", maxsplit=1)[0]: counted}
    for name, content in {
        "run.fit": FIT,
        "11": FIT,
        "12.gz": gzip.compress(FIT),
        "13": zipped(("a.fit", FIT)),
    }.items():
        watch.drop(f"{folder}/{name}", content)
    watch.after()
    watch.clock.now += SETTLE
    found = watch.inbox.scan()
    if folder == "Photos":
        assert [(w.name, w.files) for w in found.waiting] == [("Photos/", 4)]
    else:
        runs = [f"{folder}/{name}" for name in ("11", "12.gz", "13", "run.fit")]
        assert sorted(d.name for d in found.arrived) == sorted(["one.jpg", *runs])


def test_an_inbox_that_is_away_is_empty(watch: Watch) -> None:
    """A share that is not mounted ends nothing; when it is back, so are its files."""
    watch.folder.rmdir()
    assert watch.after() == []
    watch.folder.mkdir()
    watch.drop("run.fit")
    watch.after()
    assert watch.after(SETTLE) == ["run.fit"]


@pytest.mark.timeout(20)
def test_links_and_pipes_are_never_opened(watch: Watch, tmp_path: Path) -> None:
    """A pipe would hang the daemon and a link lead out of the inbox; folders behind links are not walked."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.fit").write_bytes(FIT)
    (watch.folder / "link.fit").symlink_to(outside / "secret.fit")
    (watch.folder / "folder").symlink_to(outside)
    (watch.folder / "loop").symlink_to(watch.folder)
    (watch.folder / "nowhere.fit").symlink_to(tmp_path / "nowhere")
    os.mkfifo(watch.folder / "pipe.fit")
    watch.after()
    found = watch.after(PATIENCE)
    assert "folder/secret.fit" not in found
    assert sorted(found) == ["link.fit", "nowhere.fit", "pipe.fit"]
    for folder in ("folder/", "loop/"):
        assert "it is a link to a folder" in watch.why(folder)


def test_an_unreadable_file_waits_with_the_reason(watch: Watch) -> None:
    """A file of another user is not rejected: its owner is told what to change, and then it is taken."""
    path = watch.drop("run.fit")
    path.chmod(0)
    open_to_others(watch.folder)

    def work() -> str:
        watch.after()
        assert watch.after(PATIENCE) == []
        return watch.why("run.fit")

    assert run_as(NOBODY, work) == f"it may not be read (Permission denied); let it be read: chmod a+r {path}"
    path.chmod(0o644)

    def again() -> str:
        watch.after()
        return ",".join(watch.after(PATIENCE))

    assert run_as(NOBODY, again) == "run.fit"


def test_folders_have_a_deepest(watch: Watch) -> None:
    """A whole watch's memory is searched; a folder chain without end is not."""
    deep = "anna/" + "/".join(["d"] * (DEEPEST - 1))
    watch.drop(f"{deep}/run.fit")
    watch.drop(f"{deep}/d/too deep.fit")
    watch.after()
    assert watch.after(SETTLE) == [f"{deep}/run.fit"]


def test_two_thousand_files_are_looked_at_cheaply(watch: Watch) -> None:
    """A look reads no file again that has not changed: with all files known it touches none of them."""
    for i in range(2000):
        watch.drop(f"{i}.fit")
    watch.after()
    assert len(watch.after(SETTLE)) == 2000
    before = bytes_read()
    for _ in range(3):
        assert len(watch.after(1)) == 2000
    assert bytes_read() - before < 2000, "a look must not become a reading"
    assert len(watch.inbox._known) == 2000


def calls_of_a_look(watch: Watch) -> Counter[str]:
    """How often the file system is asked what, by one scan."""
    asked = Counter[str]()
    names = {"open", "stat", "lstat", "scandir", "is_dir", "is_symlink", "is_file"}

    def note(_frame: object, event: str, what: object) -> None:
        name = getattr(what, "__name__", "")
        if event == "c_call" and name in names:
            asked[name] += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        watch.inbox.scan()
    finally:
        sys.setprofile(before)
    return asked


def test_each_file_costs_a_look_as_much_as_the_others(watch: Watch) -> None:
    """Protects a Pi with an export in its inbox: a look asks of each file the same, and opens none that it knows."""
    told = []
    for n in (50, 100, 150):
        for i in range(n):
            watch.drop(f"{i:03d}.fit")
        watch.after(0)
        watch.after(SETTLE)
        told.append(calls_of_a_look(watch))
    few, more, most = told
    assert few["stat"] == 50
    assert few["open"] == 0
    assert {k: most[k] - more[k] for k in most} == {k: more[k] - few[k] for k in more}
    assert most["scandir"] == few["scandir"] == 1


def test_what_is_gone_leaves_no_memory(watch: Watch) -> None:
    """A daemon that saw a hundred thousand files over the years remembers those that lie there now."""
    for i in range(300):
        path = watch.drop(f"{i}.fit")
        watch.after()
        path.unlink()
    watch.drop("bob/run.fit")
    watch.drop("x.part")
    watch.after()
    assert list(watch.inbox._known) == ["bob/run.fit"]


def test_a_gzip_bomb_does_not_hold_up_the_inbox(watch: Watch) -> None:
    """Waiting for a bomb to end costs no more than the largest recording would."""
    path = watch.drop("bomb.fit.gz", gzip.compress(bytes(300 << 20), 1))
    watch.after()
    before = bytes_read()
    assert watch.after(SETTLE) == ["bomb.fit.gz"]
    assert bytes_read() - before < path.stat().st_size / 4


def test_a_file_that_cannot_be_looked_at_waits_with_the_reason(tmp_path: Path) -> None:
    """A reader that cannot be started is no reason to take a file that may be half there, nor to try each second."""
    (tmp_path / "run.fit").write_bytes(FIT)
    clock, looks = Clock(), 0

    def looks_whole(_stream: BinaryIO, _name: str) -> bool:
        nonlocal looks
        looks += 1
        if looks < 3:
            raise TryLater("There is no memory.")
        return True

    inbox = Inbox(tmp_path, whose, clock, settle_s=0, patience_s=PATIENCE, looks_whole=looks_whole)
    for _ in range(5):
        assert inbox.scan().waiting == [Waiting("run.fit", "There is no memory", trouble=True)]
        clock.now += 1
    assert looks == 1
    clock.now += FIRST_PAUSE_S
    assert inbox.scan().arrived == []
    clock.now += FIRST_PAUSE_S
    assert inbox.scan().arrived == []
    assert looks == 2, "the second pause is longer"
    clock.now += FIRST_PAUSE_S
    assert [c.name for c in inbox.scan().arrived] == ["run.fit"]


# --- whose turn it is ---


def candidates(*names: str) -> list[Candidate]:
    return [Candidate(Path(name), name, "me") for name in names]


def test_what_could_not_be_taken_goes_to_the_end() -> None:
    """One file that nobody can read now keeps no other waiting, and is tried again ever less often."""
    clock = Clock()
    turns = Turns(clock)

    def due(*names: str) -> list[str]:
        return [c.name for c in turns.due(candidates(*names))]

    assert due("a", "b") == ["a", "b"]
    turns.not_taken("a", "no memory")
    assert due("a", "b") == ["b"]
    turns.not_taken("b", "no memory")
    clock.now += FIRST_PAUSE_S
    assert due("a", "b", "new") == ["new", "a", "b"]
    pauses = []
    for _ in range(12):
        turns.not_taken("a", "no memory")
        began = clock.now
        while "a" not in due("a"):
            clock.now += FIRST_PAUSE_S
        pauses.append(clock.now - began)
    assert pauses == sorted(pauses)
    assert max(pauses) == LONGEST_PAUSE_S
    turns.taken("a")
    turns.not_taken("a", "no memory")
    clock.now += FIRST_PAUSE_S
    assert due("a") == ["a"], "it begins anew"
    assert due() == []
    assert due("a") == ["a"], "what went away and comes again is new"


def test_why_files_wait_is_noted_for_status(tmp_path: Path) -> None:
    """The daemon knows why a file waits, `status` asks: it is there until that is over, and written once."""
    turns = Turns(Clock())
    with household(tmp_path) as journal:
        turns.note(journal, [])
        turns.not_taken("a", "There is no memory.")
        looked = [
            Waiting("b", "it is too busy", trouble=True),
            Waiting("c", "it has just appeared or changed"),
        ]
        turns.note(journal, looked)
        changes = journal._db.total_changes
        turns.note(journal, looked)
        assert journal._db.total_changes == changes
        assert noted_troubles(journal) == {"a": "There is no memory", "b": "it is too busy"}
        Turns(Clock()).note(journal, [])
        assert noted_troubles(journal) == {}, "a daemon that starts knows of none"
