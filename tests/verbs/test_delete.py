"""A person is deleted: no byte and no row of them is left within reach, and those who stay have all that they had."""

import json
import os
import signal
import sqlite3
import tomllib
from contextlib import closing
from pathlib import Path

import pytest

from ingest.backup.copies import Backup
from ingest.backup.place import MARK
from ingest.demo.fit_encoder import ERA, workout
from ingest.household import open_journal
from ingest.journal import Notifications
from ingest.settings.file import load
from ingest.system.crash_points import DEPARTURE_POINTS
from ingest.verbs.store_follows import catch_up
from tests.support.backups import take_copy
from tests.support.households import Answer, at, hartslag
from tests.support.straps import append_notifications, observe_clock
from tests.support.terminal_talk import END_OF_INPUT, talk

EVENING = at("2026-11-16T18:00+01:00")
LIMITS = 'zone = "Europe/Amsterdam"\nmoderate_bpm = 110\nvigorous_bpm = 140\n'
SETTINGS = f"""[backup]
folder = "copies"

[[person]]
name = "Ben"
{LIMITS}
[[person]]
name = "Zwaantje"
{LIMITS}
[[strap]]
address = "F0:00:00:77:77:77"
name = "her own strap"
person = "Zwaantje"
"""
TELLING = (b"Zwaantje", b"F0:00:00:77:77:77", b"secret-run", b"her own strap")
"""What would tell of her, wherever it stood."""


def run_file(days: int) -> bytes:
    return workout(EVENING // 1000 - ERA + days * 86_400, [150 + i % 5 for i in range(1200)])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two persons with files, one of them with a strap, one file rejected, one waiting, and copies of all."""
    data = tmp_path / "data"
    (data / "inbox" / "Zwaantje").mkdir(parents=True)
    (data / "hartslag.toml").write_text(SETTINGS.replace('"copies"', f'"{tmp_path / "copies"}"'))
    (data / "hartslag.toml.before").write_text(SETTINGS)
    (tmp_path / "run.fit").write_bytes(run_file(0))
    (tmp_path / "secret-run.fit").write_bytes(run_file(1))
    assert verb(data, "add", "--person", "Ben", tmp_path / "run.fit").code == 0
    assert verb(data, "add", "--person", "Zwaantje", tmp_path / "secret-run.fit").code == 0
    (data / "inbox" / "Zwaantje" / "later.fit").write_bytes(run_file(2))
    (data / "journal" / "journal.db.before-seals").write_bytes(b"Zwaantje as she was")
    settings = load(None, data, {}, data)
    with open_journal(settings, create=False) as journal:
        observe_clock(journal, "boot", 0, EVENING)
        beats = [(1000 * i, bytes([0, 120 + i % 3])) for i in range(600)]
        with journal.write() as w:
            heard = Notifications.from_arrivals("boot", 0, beats)
            append_notifications(w, heard, "Zwaantje", "strap F0:00:00:77:77:77")
    catch_up(settings)
    (tmp_path / "copies").mkdir()
    (tmp_path / "copies" / MARK).write_text("")
    take_copy(settings)
    (tmp_path / "secret-run.fit").unlink()
    return data


def verb(data: Path, *words: str | Path, env: dict[str, str] | None = None) -> Answer:
    return hartslag("--data", data, *words, env=env)


def telling_files(data: Path) -> list[str]:
    """The files below the data folder that tell of her, by their names or their bytes."""
    return [
        str(path.relative_to(data))
        for path in data.rglob("*")
        if any(
            t in os.fsencode(path.relative_to(data)) or (path.is_file() and t in path.read_bytes())
            for t in TELLING
        )
    ]


def doses(data: Path) -> dict[str, float]:
    weeks = json.loads(verb(data, "week", "--weeks", "1", "--json").out)
    return {w["person"]: round(w["dose_min"]) for w in weeks}


def is_gone(data: Path) -> None:
    """Assert that nothing of her is there, and all of him."""
    assert telling_files(data) == []
    assert doses(data) == {"Ben": 40}
    settings = tomllib.loads((data / "hartslag.toml").read_text())
    assert [p["name"] for p in settings["person"]] == ["Ben"]
    assert "strap" not in settings
    with closing(sqlite3.connect(next((data / "store").glob("*.db")))) as db:
        assert db.execute("SELECT DISTINCT person FROM minute").fetchall() == [("Ben",)]
    (copies,) = [p for p in (data.parent / "copies").iterdir() if (p / "copies").is_dir()]
    assert len(Backup(copies).copies()) == 1
    assert not (data / "journal" / "copies-owed").exists()
    assert verb(data, "check").out.count("FAIL  Journal") == 0


def test_nothing_of_her_is_left_and_he_has_all_that_he_had(data: Path) -> None:
    """Protects who wants to be gone: shown before, asked for by name, and then no byte of it is in journal, store, files or copies."""
    (data / "before-restore-2026-11-01-120000").mkdir()
    shown = verb(data, "delete", "Zwaantje")
    assert "before-restore-2026-11-01-120000 was set aside" in shown.out
    assert shown.code == 3
    assert "cannot be brought back" in shown.out
    assert "Nothing is deleted" in shown.err
    assert verb(data, "delete", "Zwaantje", "--really", "Ben").code == 3
    assert doses(data)["Ben"] == 40
    assert (data / "archive/2026/Zwaantje/secret-run.fit").exists()
    done = verb(data, "delete", "zwaantje", "--really", "Zwaantje")
    assert done.code == 0
    is_gone(data)
    assert verb(data, "delete", "Zwaantje", "--really", "Zwaantje").code == 1


def test_on_a_terminal_the_name_is_asked_for(data: Path) -> None:
    """Protects a life from a slip: a yes, another name and Ctrl-D delete nothing; the name typed does."""
    before = doses(data)
    words: list[str | Path] = ["--data", data, "delete", "Zwaantje"]
    nothing: list[tuple[str | bytes | int, int]] = [
        ("yes", 3),
        ("Ben", 3),
        ("", 3),
        (signal.SIGINT, 130),
        (END_OF_INPUT, 130),
    ]
    for answer, code in nothing:
        talked = talk(words, [answer])
        assert "type the name:" in talked.words
        assert talked.code == code, talked.shown
    assert doses(data) == before
    assert (data / "archive/2026/Zwaantje/secret-run.fit").exists()
    talked = talk(words, ["zwaantje "], columns=40, env={"LC_ALL": "nl_NL.UTF-8"})
    assert "Typ de naam om alles te wissen:" in talked.words
    assert talked.code == 0, talked.shown
    # A path is never broken, nor is what begins with spaces: both are there to be copied.
    sentences = [
        line
        for line in talked.shown.splitlines()
        if "/" not in line and "zwaan" not in line and line[:2] != "  "
    ]
    assert max(map(len, sentences)) <= 40
    is_gone(data)


@pytest.mark.parametrize("point", DEPARTURE_POINTS)
def test_killed_on_the_way_the_same_again_completes_it(data: Path, point: str) -> None:
    """Protects against a power cut in the middle: whatever is gone by then, the same line takes the rest."""
    killed = verb(data, "delete", "Zwaantje", "--really", "Zwaantje", env={"HARTSLAG_CRASH_AT": point})
    assert killed.code == -signal.SIGKILL
    assert "broken off" in verb(data, "check").out
    assert verb(data, "delete", "Zwaantje", "--really", "Zwaantje").code == 0
    is_gone(data)


def test_copies_out_of_reach_go_with_the_next_one(data: Path) -> None:
    """Protects against a stick that is not plugged in: that is said, and the next copy on it leaves none from before."""
    copies = data.parent / "copies"
    copies.rename(data.parent / "in a drawer")
    done = verb(data, "delete", "Zwaantje", "--really", "Zwaantje")
    assert done.code == 0
    assert "were not reached" in done.out
    (data.parent / "in a drawer").rename(copies)
    take_copy(load(None, data, {}, data))
    is_gone(data)


def test_the_last_one_leaves_an_empty_house(data: Path) -> None:
    """Protects a household of one: it, too, can be deleted, and goes on with whoever comes then."""
    assert verb(data, "delete", "Zwaantje", "--really", "Zwaantje").code == 0
    assert verb(data, "delete", "Ben", "--really", "Ben").code == 0
    assert doses(data) == {}
    (data.parent / "new.fit").write_bytes(run_file(3))
    assert verb(data, "add", data.parent / "new.fit").code == 0
    assert sum(doses(data).values()) >= 0
    assert verb(data, "status").code == 0
