"""Files taken by hand: where there is no room for them, where they were set aside before, and out of folders and archives of years."""

import gzip
import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.collect.arrival import Arrivals
from ingest.demo.fit_encoder import workout
from tests.support.archives import zipped
from tests.support.daemons import hartslag, journal, rows, until
from tests.support.direct_reader import DirectReader
from tests.support.households import household
from tests.support.small_disk import fill, small_disk
from tests.support.terminals import on_terminal

START = 1_100_000_000


@pytest.mark.root
@pytest.mark.parametrize(("room", "taken"), [(0, False), (16_000, False), (80_000, True)])
def test_on_a_full_disk_it_is_told_which_files_were_taken(tmp_path: Path, room: int, *, taken: bool) -> None:
    """Protects who would delete the file then: it is named, as not taken, and to be added again; then it is."""
    file = tmp_path / "run.fit"
    file.write_bytes(workout(START, [60 + i * 7 % 90 for i in range(20_000)]))
    with small_disk(tmp_path / "small", "2500k") as small:
        data = small / "d"
        first = tmp_path / "first.fit"
        first.write_bytes(workout(START + 90_000, [100] * 60))
        assert hartslag("--data", data, "add", first).returncode == 0
        filler = small / "filler"
        fill(filler)
        os.truncate(filler, filler.stat().st_size - room)
        full = hartslag("--data", data, "add", file)
        told = " ".join((full.stdout + full.stderr).split())
        assert full.returncode == 1, told
        assert taken or "the disk is full. Make room" in told
        assert (f'The file "{file}" was not taken: add it again then.' in told) is not taken
        assert ("in the journal" in told) is taken
        filler.unlink()
        again = hartslag("--data", data, "add", file)
        assert again.returncode == 0
        assert again.stdout.startswith("stored")


RUN = workout(START, [100, 120, 140, 150])


def below(folder: Path) -> list[str]:
    """The files below a folder."""
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def set_aside(data: Path) -> None:
    """Two files of Anna that were set aside: one as no reader could read it then, one that is none at all."""
    (data / "inbox" / "Anna").mkdir(parents=True)
    (data / "hartslag.toml").write_text('[[person]]\nname = "Robin"\n\n[[person]]\nname = "Anna"\n')
    with household(data) as journal:
        arrivals = Arrivals(journal, DirectReader(len(RUN) - 1), data)
        for name, content in (("run.fit", RUN), ("notes.txt", b"no FIT at all")):
            path = data / "inbox" / "Anna" / name
            path.write_bytes(content)
            (done,) = arrivals.take(path, f"Anna/{name}", "Anna")
            assert done.outcome == "rejected"
        arrivals.flush()
    assert below(data / "rejected") == ["notes.txt", "notes.txt.txt", "run.fit", "run.fit.txt"]


def test_what_was_set_aside_is_tried_again(tmp_path: Path) -> None:
    """Protects good files that were refused once: they come to whom they belong and leave the folder, with their reasons."""
    set_aside(tmp_path)
    done = hartslag("--data", tmp_path, "add", "--json", tmp_path / "rejected")
    told = {Path(o["file"]).name: o for o in map(json.loads, done.stdout.splitlines())}
    assert {name: (o["outcome"], o["person"]) for name, o in told.items()} == {
        "run.fit": ("stored", "Anna"),
        "notes.txt": ("rejected", "Anna"),
    }
    assert done.returncode == 1
    assert below(tmp_path / "archive") == ["2024/Anna/run.fit"]
    assert below(tmp_path / "rejected") == ["notes.txt", "notes.txt.txt"]
    hartslag("--data", tmp_path, "add", tmp_path / "rejected")
    assert below(tmp_path / "rejected") == ["notes.txt", "notes.txt.txt"], "as often as one likes"


def test_the_reason_tells_how_to_try_again(tmp_path: Path) -> None:
    """Protects who finds a file there: the last line of its reason can be typed as it stands."""
    set_aside(tmp_path)
    assert hartslag("--data", tmp_path, "add", tmp_path / "rejected" / "notes.txt").returncode == 1
    reason = tmp_path / "rejected" / "notes.txt.txt"
    said, _, how, typed = reason.read_text().splitlines()
    assert "not a FIT file" in said
    assert how == "To try it again:"
    (tmp_path / "rejected" / "notes.txt").write_bytes(RUN)  # as a reader that can read it would see it
    words = shlex.split(typed)
    assert words[:3] == [sys.executable, "-m", "ingest"], (
        "as it was started here, and never by a path of __main__.py"
    )
    assert subprocess.run(words, check=False).returncode == 0
    assert below(tmp_path / "rejected") == ["run.fit", "run.fit.txt"]


def export(folder: Path, count: int) -> Path:
    """An account's export: a zip of workouts within a zip, beside other files."""
    workouts = [(f"{i}.fit", workout(START + i * 86_400, [100 + i % 50] * 40)) for i in range(count)]
    beside = [(f"{i}.json", b"{}") for i in range(30)]
    file = folder / "export.zip"
    file.write_bytes(
        zipped(("Part1.zip", zipped(*workouts, *beside)), ("bad.fit", b"<gpx/>"), ("readme", b""))
    )
    return file


def committed(data: Path) -> int:
    """How many files the journal has by now."""
    return sum(count for (count,) in rows(journal(data), "SELECT count(*) FROM file"))


def test_years_in_one_zip_go_on_where_they_were_after_a_kill(tmp_path: Path) -> None:
    """Protects who pulls the plug while ten years come in: nothing is lost, nothing twice, and the rest is all that is left."""
    file, data = export(tmp_path, 150), tmp_path / "data"
    words = [sys.executable, "-m", "ingest", "--data", str(data), "add", "--json", str(file)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as first:
        until(lambda: committed(data) > 20, "some files are committed")
        first.kill()
    assert first.returncode == -signal.SIGKILL
    before = committed(data)
    assert before < 151
    again = subprocess.run(words, capture_output=True, text=True, check=False)
    told = [json.loads(line)["outcome"] for line in again.stdout.splitlines()]
    assert sorted(told) == ["rejected"] + ["stored"] * (150 - before), (
        "those of the first life are not unpacked again"
    )
    assert rows(journal(data), "SELECT outcome, count(*) FROM file GROUP BY outcome ORDER BY 1") == [
        ("rejected", 1), ("stored", 150),
    ]  # fmt: skip
    assert "Other files in it, which were passed over: 31 (30 .json, ...)." in again.stderr


def test_a_single_zip_shows_how_far_it_is(tmp_path: Path) -> None:
    """On a terminal years in one zip are a count that grows, then what is wrong, and the sum; not a line for each file."""
    seen = on_terminal("--data", tmp_path / "data", "add", export(tmp_path, 30), columns=60)
    assert "files: " in seen.sent
    assert seen.sent.count("stored") == 1
    assert "rejected" in seen.text
    assert "passed over: 31" in seen.text
    assert seen.lines[-1] == "1 rejected, 30 stored."


def test_what_else_lies_in_a_folder_is_told_in_one_line(tmp_path: Path) -> None:
    """Protects who adds a phone's folder: photos and papers are no failures, and a recording that cannot be read is seen among them."""
    folder = tmp_path / "Download"
    (folder / "DCIM").mkdir(parents=True)
    for name, content in {
        "run.fit": RUN, "walk": workout(START + 90_000, [100] * 30), "run.fit.gz": gzip.compress(workout(START + 95_000, [90] * 30)),
        "DCIM/1.jpg": b"jpg", "DCIM/2.JPG": b"jpg", "letter.docx": zipped(("a", b"b")), "backup.tar.gz": gzip.compress(b"x"),
        "track.tcx": b"<?xml ", "._run.fit": b"\x00\x05\x16\x07" + bytes(60), ".Trash-1000/old.fit": b"x",
    }.items():  # fmt: skip
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / "link").symlink_to(folder)
    data = tmp_path / "data"
    done = hartslag("--data", data, "add", "--json", folder)
    assert [json.loads(line)["outcome"] for line in done.stdout.splitlines()] == ["stored"] * 3
    assert done.returncode == 0
    told = " ".join(done.stderr.split())
    assert "passed over: 5 (2 .jpg, 1 .tcx, 1 .gz, 1 .docx). GPX and TCX are not read here" in told
    assert "it is a link to a folder" in told
    assert "1 FIT file in" in told
    assert ".Trash-1000, a folder that a system made for itself, is not taken" in told
    (folder / "bad.fit").write_bytes(b"x")
    assert hartslag("--data", data, "add", folder).returncode == 1
    none = hartslag("--data", data, "add", folder / "DCIM")
    assert "There is no FIT file in" in none.stderr
    assert none.returncode == 1


def test_an_empty_zip_is_called_empty(tmp_path: Path) -> None:
    """Protects who exported nothing from looking for a damage: a zip without members is read to its end like any other."""
    (tmp_path / "empty.zip").write_bytes(zipped())
    added = hartslag("--data", tmp_path / "data", "add", tmp_path / "empty.zip")
    assert "There is nothing in this zip" in added.stdout + added.stderr
