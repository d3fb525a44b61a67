"""A copy brought back on a new Pi, or in the place of what is there; broken off at any moment."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.backup.pack import read_spots
from ingest.settings.model import Settings
from ingest.system.crash_points import RESTORE_POINTS
from tests.support.backups import (
    archived,
    brought_back,
    comes_in,
    content_of,
    home_with_copies,
    take_copy,
    the_backup,
)
from tests.support.daemons import daemon, hartslag, journal, rows, store, until
from tests.support.households import DAY, NOW, steady

FIRST = steady("Anna", NOW, 1200, 120)
LATER = steady("Anna", NOW + DAY, 600, 140)


@pytest.fixture(name="copied")
def _copied(tmp_path: Path) -> Settings:
    """A home of which there are two copies: of a day, and of the next, with a file more."""
    home = home_with_copies(tmp_path, [FIRST])
    archived(home, "Anna/2026/one.fit", os.urandom(30_000))
    take_copy(home, now_ms=lambda: NOW)
    comes_in(home, LATER)
    archived(home, "Anna/2026/two.fit", os.urandom(30_000))
    take_copy(home, now_ms=lambda: NOW + DAY)
    return home


def test_on_a_new_pi_it_is_one_command(copied: Settings, tmp_path: Path) -> None:
    """Protects who holds a new Pi and the old stick: journal, settings and files are back to the last byte."""
    new = tmp_path / "new"
    done = hartslag("--data", new, "restore", tmp_path / "stick")
    assert done.returncode == 0, done.stderr
    assert content_of(new) == content_of(copied.data)
    assert sorted(p.name for p in new.iterdir()) == ["archive", "hartslag.toml", "journal"]
    assert "Anna" in hartslag("--data", new, "week").stdout


def test_from_one_file_it_is_the_same(copied: Settings, tmp_path: Path) -> None:
    """Protects who made a copy by hand."""
    assert hartslag("--data", copied.data, "backup", tmp_path / "copy.zip").returncode == 0
    done = hartslag("--data", tmp_path / "new", "restore", tmp_path / "copy.zip")
    assert done.returncode == 0, done.stderr
    assert content_of(tmp_path / "new") == content_of(copied.data)


@pytest.mark.usefixtures("copied")
def test_the_daemon_goes_on_where_it_was(tmp_path: Path) -> None:
    """Protects the days to come: the restored journal is collected into, and the store is made of it."""
    new = tmp_path / "new"
    assert hartslag("--data", new, "restore", tmp_path / "stick").returncode == 0
    with daemon(new):
        until(lambda: rows(new / "store" / "hartslag.db", "SELECT 1 FROM minute"), "the store")
    assert rows(journal(new), "SELECT sum(samples) FROM chunk") == [(1800,)]


def test_an_older_copy_is_named_by_its_day(copied: Settings, tmp_path: Path) -> None:
    """Protects who notices a mistake late: the copies are listed, and that of a day is taken."""
    listed = hartslag("restore", "--list", tmp_path / "stick").stdout.splitlines()
    assert len(listed) == 2
    day = listed[0].split()[0]
    done = hartslag("--data", tmp_path / "new", "restore", tmp_path / "stick", "--from", day)
    assert done.returncode == 0, done.stderr
    assert content_of(tmp_path / "new") == brought_back(copied, tmp_path / "first", 1)
    too_old = hartslag("--data", tmp_path / "none", "restore", tmp_path / "stick", "--from", "2020-01-01")
    assert too_old.returncode == 1
    assert listed[0] in too_old.stderr
    assert hartslag("restore", tmp_path / "stick", "--from", "yesterday").returncode == 2


def test_what_is_there_is_never_overwritten(copied: Settings, tmp_path: Path) -> None:
    """Protects a newer journal from an older copy: it is refused in words, and with the word set aside, whole."""
    comes_in(copied, steady("Anna", NOW + 2 * DAY, 300, 99))
    before = content_of(copied.data)
    refused = hartslag("--data", copied.data, "restore", tmp_path / "stick")
    assert refused.returncode == 1
    assert "2100 samples" in refused.stderr
    assert "--set-aside" in refused.stderr
    assert content_of(copied.data) == before
    done = hartslag("--data", copied.data, "restore", "--set-aside", tmp_path / "stick")
    assert done.returncode == 0, done.stderr
    assert content_of(copied.data) == brought_back(copied, tmp_path / "back")
    (aside,) = copied.data.glob("before-restore-*")
    shutil.copy(copied.data / "hartslag.toml", aside)
    assert content_of(aside) == before


def test_settings_of_ones_own_are_no_less(copied: Settings, tmp_path: Path) -> None:
    """Protects settings that were made on the new Pi; the sample, in which nothing is switched on, gives way."""
    new = tmp_path / "new"
    new.mkdir()
    (new / "hartslag.toml").write_text('[[person]]\nname = "Bo"\n')
    refused = hartslag("--data", new, "restore", tmp_path / "stick")
    assert refused.returncode == 1
    assert "other settings" in refused.stderr
    assert sorted(p.name for p in new.iterdir()) == ["hartslag.toml"]
    (new / "hartslag.toml").write_text("## The sample.\n# name = 1\n")
    assert hartslag("--data", new, "restore", tmp_path / "stick").returncode == 0
    assert (new / "hartslag.toml").read_bytes() == (copied.data / "hartslag.toml").read_bytes()
    (aside,) = new.glob("before-restore-*")
    assert (aside / "hartslag.toml").read_text() == "## The sample.\n# name = 1\n"


def test_it_waits_for_no_daemon(copied: Settings, tmp_path: Path) -> None:
    """Protects the journal that is being written: while the daemon runs nothing is brought back."""
    with daemon(tmp_path / "busy") as process:
        until(lambda: journal(tmp_path / "busy").exists(), "the daemon")
        done = hartslag("--data", tmp_path / "busy", "restore", tmp_path / "stick")
    assert done.returncode == 1
    assert f"process {process.pid}" in done.stderr
    assert copied.data.exists()


def test_grafana_shows_what_the_copy_has(copied: Settings, tmp_path: Path) -> None:
    """Protects the dashboards from rows that are no longer true: a store that was further on is brought to what the copy says."""

    def shown() -> list[tuple[int]]:
        return rows(store(copied.data), "SELECT count(*) FROM heart_rate")

    with daemon(copied.data):
        until(lambda: shown() == [(1800,)], "the store")
    day = hartslag("restore", "--list", tmp_path / "stick").stdout.split()[0]
    words = ("restore", "--set-aside", "--from", day, tmp_path / "stick")
    done = hartslag("--data", copied.data, *words)
    assert done.returncode == 0, done.stderr
    with daemon(copied.data):
        until(lambda: shown() == [(1200,)], "the store to be what the copy says")


def _spoil(copied: Settings, pack: int, upto: int = -200) -> None:
    """Change what blocks of a pack hold, and not where they lie."""
    path = sorted(the_backup(copied).packs.iterdir())[pack]
    spoilt = bytearray(path.read_bytes())
    for at in range(100, len(spoilt[:upto]), 50):
        spoilt[at] ^= 1
    path.write_bytes(spoilt)


def test_a_damaged_copy_is_refused_and_the_newest_whole_one_is_named(
    copied: Settings, tmp_path: Path
) -> None:
    """Protects from being sent in circles: of copies that share what is damaged, of one minute even, the whole one is named."""
    comes_in(copied, steady("Anna", NOW + 2 * DAY, 300, 99))
    take_copy(copied, now_ms=lambda: NOW + DAY)
    _spoil(copied, 1)
    done = hartslag("--data", tmp_path / "new", "restore", tmp_path / "stick")
    assert done.returncode == 1
    assert "Copy 3" in done.stderr
    assert "2 of the 3 copies there are damaged" in done.stderr
    assert "copy 1, of" in done.stderr
    assert not (tmp_path / "new" / "journal").exists()
    again = hartslag("--data", tmp_path / "new", "restore", tmp_path / "stick", "--copy", "1")
    assert again.returncode == 0, again.stderr
    assert content_of(tmp_path / "new") == brought_back(copied, tmp_path / "first", 1)


def test_copies_of_one_minute_are_told_apart(copied: Settings, tmp_path: Path) -> None:
    """Protects who was given two copies of one minute: each has a number, and by that either is taken."""
    comes_in(copied, steady("Anna", NOW + 2 * DAY, 300, 99))
    take_copy(copied, now_ms=lambda: NOW + DAY)
    listed = hartslag("restore", "--list", tmp_path / "stick").stdout.splitlines()
    assert len(set(listed)) == 3
    assert [line.partition("copy ")[2][0] for line in listed] == ["1", "2", "3"]
    done = hartslag("--data", tmp_path / "new", "restore", tmp_path / "stick", "--copy", "2")
    assert done.returncode == 0, done.stderr
    assert content_of(tmp_path / "new") == brought_back(copied, tmp_path / "second", 2)
    none = hartslag("--data", tmp_path / "none", "restore", tmp_path / "stick", "--copy", "4")
    assert none.returncode == 1
    assert listed[2] in none.stderr


def test_what_is_whole_of_a_damaged_copy_comes_back(copied: Settings, tmp_path: Path) -> None:
    """Protects what is left where no copy is whole: which holds most is said, and by one word more it is there, without the rest."""
    (copied.archive / "Anna" / "2026" / "one.fit").write_bytes(os.urandom(700_000))
    take_copy(copied, now_ms=lambda: NOW + 2 * DAY)
    blocks = the_backup(copied).packs
    whole = {path: path.read_bytes() for path in blocks.iterdir()}
    _spoil(copied, 0)  # what all share of the journal
    done = hartslag("--data", tmp_path / "new", "restore", tmp_path / "stick")
    assert done.returncode == 1
    assert "None of the 3 copies there is whole" in done.stderr
    assert "of 3 files, and of the journal what can be read" in done.stderr
    part = hartslag("--data", tmp_path / "new", "restore", tmp_path / "stick", "--damaged")
    assert part.returncode == 0, part.stderr
    assert "journal is damaged" in part.stdout
    assert "`hartslag" in part.stdout
    names = ["one.fit", "two.fit"]
    assert sorted(p.name for p in (tmp_path / "new" / "archive" / "Anna" / "2026").iterdir()) == names
    for path, content in whole.items():
        path.write_bytes(content)
    _spoil(copied, 2, 1000)  # the new file alone
    part = hartslag("--data", tmp_path / "other", "restore", tmp_path / "stick", "--damaged")
    assert part.returncode == 0, part.stderr
    assert "archive/Anna/2026/one.fit" in part.stdout
    assert content_of(tmp_path / "other")["journal"] == content_of(copied.data)["journal"]


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_what_can_be_read_of_a_damaged_journal_comes_back(tmp_path: Path, lost: int) -> None:
    """Protects the straps' hours beside those in a damaged block, the first of a table too: they are there, and what is gone is named."""
    home = home_with_copies(tmp_path, [steady("Anna", NOW + i * DAY, 600, 100 + i % 80) for i in range(500)])
    take_copy(home, now_ms=lambda: NOW)
    packs = the_backup(home).packs
    ((number, pack),) = enumerate(packs.iterdir(), 1)
    block = sorted(read_spots(packs, number).values(), key=lambda spot: spot.offset)[lost]
    spoilt = bytearray(pack.read_bytes())
    spoilt[block.offset + block.length // 2] ^= 1
    pack.write_bytes(spoilt)
    new = tmp_path / "new"
    done = hartslag("--data", new, "restore", "--damaged", tmp_path / "stick")
    assert done.returncode == 0, done.stderr
    assert "What can be read of it is here" in done.stdout
    told = json.loads(hartslag("--data", new, "repair", "--json").stdout)
    assert told["faults"]
    ((chunks,),) = rows(journal(new), "SELECT count(*) FROM chunk")
    gone = [damage for damage in told["gone"] if damage["person"] == "Anna"]
    assert chunks + len(gone) == 500
    assert chunks > 100
    assert bool(gone) == (lost != 1)
    assert hartslag("--data", new, "repair", "--dry-run").stdout.startswith("The journal is whole")


def test_a_bad_place_on_the_stick_spoils_no_copy_but_its_own(copied: Settings, tmp_path: Path) -> None:
    """Protects the copies beside one that the disk cannot read, as of a bad sector below a pack or a copy; and a stick that was pulled from being called damaged."""
    packs = sorted(the_backup(copied).packs.iterdir())
    packs[1].unlink()
    packs[1].mkdir()  # the nearest to a sector that cannot be read
    copies = the_backup(copied).packs.with_name("copies")
    (copies / "00000003.copy").mkdir()
    done = hartslag("--data", tmp_path / "new", "restore", tmp_path / "stick")
    assert done.returncode == 1
    assert "--copy 1" in done.stderr
    again = hartslag("--data", tmp_path / "new", "restore", tmp_path / "stick", "--copy", "1")
    assert again.returncode == 0, again.stderr
    packs[0].unlink()
    packs[0].mkdir()
    done = hartslag("--data", tmp_path / "other", "restore", tmp_path / "stick", "--copy", "1")
    assert done.returncode == 1
    assert "taken away, or cannot be read" in done.stderr
    assert "damaged" not in done.stderr
    assert str(packs[0]) in done.stderr


@pytest.mark.parametrize("spoil", ["cut", "bit", "text"])
def test_a_damaged_file_is_refused(copied: Settings, tmp_path: Path, spoil: str) -> None:
    """Protects from a zip that was cut off on its way, or is something else."""
    file = tmp_path / "copy.zip"
    assert hartslag("--data", copied.data, "backup", file).returncode == 0
    data = bytearray(file.read_bytes())
    if spoil == "cut":
        del data[-1000:]
    elif spoil == "bit":
        data[len(data) // 2] ^= 1
    else:
        data = bytearray(b"my holidays")
    file.write_bytes(data)
    done = hartslag("--data", tmp_path / "new", "restore", file)
    assert done.returncode == 1
    assert "damaged" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "new" / "journal").exists()
    if spoil == "bit":
        assert "--damaged" in done.stderr
        part = hartslag("--data", tmp_path / "new", "restore", "--damaged", file)
        assert part.returncode == 0, part.stderr
        assert "damaged" in part.stdout
        assert (tmp_path / "new" / "journal" / "journal.db").exists()


def test_copies_of_two_journals_are_told_apart(copied: Settings, tmp_path: Path) -> None:
    """Protects from somebody else's heart rates: where a folder holds two journals it is asked which, and each has its folder."""
    other = replace(home_with_copies(tmp_path / "other"), backup_folder=copied.backup_folder)
    take_copy(other, now_ms=lambda: NOW + 2 * DAY)
    for asked in ([], ["--copy", "1"], ["--from", "2100-01-01"]):
        done = hartslag("--data", tmp_path / "new", "restore", tmp_path / "stick", *asked)
        assert done.returncode == 1
        assert "several journals" in done.stderr
        assert not (tmp_path / "new" / "journal").exists()
    folders = [p for p in (tmp_path / "stick").iterdir() if p.is_dir()]
    (mine,) = (p for p in folders if len(list((p / "copies").iterdir())) == 2)
    assert f"in {mine.name}" in done.stderr
    assert hartslag("--data", tmp_path / "new", "restore", mine).returncode == 0
    assert content_of(tmp_path / "new") == content_of(copied.data)


@pytest.mark.parametrize("point", RESTORE_POINTS)
def test_broken_off_it_is_as_before_or_as_the_copy(copied: Settings, tmp_path: Path, point: str) -> None:
    """Protects from the power cut in the middle: the journal is always a whole one, and called again it is done."""
    comes_in(copied, steady("Anna", NOW + 2 * DAY, 300, 99))
    before, after = content_of(copied.data), brought_back(copied, tmp_path / "back")
    words = ("--data", str(copied.data), "restore", "--set-aside", str(tmp_path / "stick"))
    killed = hartslag(*words, env={"HARTSLAG_CRASH_AT": point})
    assert killed.returncode == -9, killed.stderr
    assert content_of(copied.data)["journal"] in (before["journal"], after["journal"])
    done = hartslag(*words)
    assert done.returncode == 0, done.stderr
    assert content_of(copied.data) == after
    aside = list(copied.data.glob("before-restore-*"))
    assert any((folder / "journal" / "journal.db").exists() for folder in aside)
    assert not (copied.data / "restore").exists()


@pytest.mark.parametrize("point", ["restore planned", "restore swapped:2"])
def test_the_daemon_ends_what_was_broken_off(copied: Settings, tmp_path: Path, point: str) -> None:
    """Protects who does not call it again: the Pi starts after the power cut, and the daemon works on the copy, whole."""
    after = brought_back(copied, tmp_path / "back")
    words = ("--data", str(copied.data), "restore", "--set-aside", str(tmp_path / "stick"))
    assert hartslag(*words, env={"HARTSLAG_CRASH_AT": point}).returncode == -9
    with daemon(copied.data):
        until(lambda: not (copied.data / "restore").exists(), "the copy to be in its place")
    assert [f"archive/Anna/2026/{n}.fit" in after for n in ("one", "two")] == [True, True]
    assert rows(journal(copied.data), "SELECT sum(samples) FROM chunk") == [(1800,)]
    assert sorted(p.name for p in (copied.archive / "Anna" / "2026").iterdir()) == ["one.fit", "two.fit"]
