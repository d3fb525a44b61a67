"""A person under another name, and two who are one: history, folders, archive, settings; and what a broken-off try leaves."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from ingest.demo.fit_encoder import ERA, workout
from ingest.journal import Journal
from ingest.settings.names import NOBODY
from tests.support.households import Answer, at, hartslag
from tests.support.preloaded import COMMAND
from tests.support.terminal_talk import END_OF_INPUT, talk

EVENING = at("2026-11-16T18:00+01:00")
LIMITS = 'zone = "Europe/Amsterdam"\nmoderate_bpm = 110\nvigorous_bpm = 140\n'
SETTINGS = f"""# who we are
[[person]]
name = "Ana"  # my sister
{LIMITS}
[[strap]]
address = "F0:00:00:00:00:01"
person = "Ana"
"""


def run_file(days: int = 0) -> bytes:
    return workout(EVENING // 1000 - ERA + days * 86_400, [150 + i % 5 for i in range(1800)])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Ana's data: a run that is taken, and one that waits in the inbox."""
    (tmp_path / "hartslag.toml").write_text(SETTINGS)
    (tmp_path / "inbox" / "Ana").mkdir(parents=True)
    (tmp_path / "run.fit").write_bytes(run_file())
    assert verb(tmp_path, "add", tmp_path / "run.fit").code == 0
    (tmp_path / "inbox" / "Ana" / "later.fit").write_bytes(run_file(1))
    return tmp_path


def verb(data: Path, *words: str | Path) -> Answer:
    return hartslag("--data", data, *words)


def doses(data: Path) -> dict[str, float]:
    weeks = json.loads(verb(data, "week", "--weeks", "1", "--json").out)
    return {w["person"]: w["dose_min"] for w in weeks}


def names_in_settings(data: Path) -> list[str]:
    return [p["name"] for p in tomllib.loads((data / "hartslag.toml").read_text())["person"]]


def test_a_name_is_corrected_everywhere(data: Path) -> None:
    """Protects a history from its old name: shown before, and then nothing of it is left but the copy of the settings."""
    shown = verb(data, "rename", "Ana", "Anna")
    assert shown.code == 3
    assert '+ name = "Anna"' in shown.out
    assert doses(data) == {"Ana": 60}
    assert verb(data, "rename", "Ana", "Anna", "--yes").code == 0
    assert doses(data) == {"Anna": 60}
    text = (data / "hartslag.toml").read_text()
    assert 'name = "Anna"  # my sister' in text
    assert 'person = "Anna"' in text
    assert (data / "inbox/Anna/later.fit").exists()
    assert (data / "archive/2026/Anna/run.fit").read_bytes() == run_file()
    assert not (data / "archive/2026/Ana").exists()
    assert verb(data, "explain", "run.fit", "Anna").code == 0
    assert verb(data, "rename", "Ana", "Anna", "--yes").code == 1


def test_on_a_terminal_only_a_yes_changes_a_name(data: Path) -> None:
    """Protects names and settings from a slip: no, nothing, Ctrl-C and Ctrl-D leave both as they are, a yes does not."""
    before = (data / "hartslag.toml").read_bytes()
    nothing: dict[str, list[tuple[str | bytes | int, int]]] = {
        "rename": [("no", 3), (END_OF_INPUT, 130)],
        "merge": [("", 3), (signal.SIGINT, 130)],
    }
    for verb_and_names in (["rename", "Ana", "Anna"], ["merge", "Ana", "Ben"]):
        if verb_and_names[0] == "merge":
            (data / "hartslag.toml").write_text(SETTINGS + f'\n[[person]]\nname = "Ben"\n{LIMITS}')
            assert verb(data, "add", "--person", "Ben", data / "run.fit").code == 0
            before = (data / "hartslag.toml").read_bytes()
        for answer, code in nothing[verb_and_names[0]]:
            talked = talk(["--data", data, *verb_and_names], [answer])
            assert "Do it? (yes or no)" in talked.words
            assert talked.code == code, talked.shown
        assert (data / "hartslag.toml").read_bytes() == before
    assert "Ana" in doses(data)
    assert talk(["--data", data, "rename", "Ana", "Anna"], ["yes"], columns=40).code == 0
    assert set(doses(data)) == {"Anna", "Ben"}


def test_a_name_that_was_corrected_by_hand_is_told_and_brought_together(data: Path) -> None:
    """Protects the history that stayed with the old name in silence: check and status name the line, which mends it."""
    (data / "hartslag.toml").write_text(SETTINGS.replace("Ana", "Anna"))
    verb(data, "add", "--person", "Anna", data / "inbox/Ana/later.fit")
    checked = verb(data, "check")
    assert "WARN  There is a history of Ana" in checked.out
    assert "hartslag rename Ana Anna" in checked.out
    assert "hartslag rename Ana Anna" in verb(data, "status").out
    assert verb(data, "rename", "Ana", "Anna", "--yes").code == 0
    assert doses(data) == {"Anna": 120}
    assert "rename" not in verb(data, "check").out
    assert json.loads(verb(data, "status", "--json").out)["left_behind"] == []


def test_a_journal_that_is_gone_is_no_new_household(data: Path) -> None:
    """Protects who asks before the daemon has begun anew: what was collected is said to be without its journal, and what brings it back."""
    shutil.rmtree(data / "journal")
    for asked in ("check", "status"):
        told = " ".join(verb(data, asked).out.split())
        assert "gone, though something was collected here before" in told
        assert "restore` shows the copies there are" in told


def test_a_name_in_no_letters_is_asked_for_in_words(data: Path) -> None:
    """Protects from a traceback: a file of an old stick, whose name is no UTF-8, is explained by the name that it has."""
    odd = data / os.fsdecode(b"r\xfcn.fit")
    odd.write_bytes(run_file(3))
    assert verb(data, "add", "--person", "Ana", odd).code == 0
    for name in (odd, odd.name):
        assert verb(data, "explain", name, "Ana").code == 0


def test_a_change_that_nobody_reads_of_is_not_called_done(data: Path) -> None:
    """Protects who cuts the words of a change short (`| head`): what was not done for it ends with 1, and says so."""
    command = [sys.executable, "-m", "ingest", "--data", str(data), "rename", "Ana", "Anna", "--yes"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = " ".join(process.stderr.read().split())
    done = "Anna" in doses(data)
    assert done == (process.returncode == 0)
    assert done or "read no further" in said


def test_settings_that_are_lost_do_not_make_a_new_person(data: Path) -> None:
    """Protects the weeks of a household whose settings file is gone: what comes for nobody in particular stays the first one's, and it is told."""
    (data / "hartslag.toml").unlink()
    with Journal(data / "journal" / "journal.db") as journal, journal.write() as w:
        w.person(NOBODY)  # as a daemon without settings once noted its troubles; nothing was ever theirs
    assert verb(data, "add", data / "inbox/Ana/later.fit").code == 0
    assert doses(data) == {"Ana": 120}
    for asked in ("check", "status"):
        told = " ".join(verb(data, asked).out.split())
        assert "Nobody is named in the settings any more, which once told of Ana" in told
        assert "no strap is listened to, and files in the inbox itself are Ana's" in told


def test_two_who_are_one_and_two_again(data: Path) -> None:
    """Protects a merge that was a mistake: sensors, files and folders are the one's, and each has their own again after --undo."""
    both = SETTINGS + f'\n[[person]]\nname = "Ben"\n{LIMITS}'
    (data / "hartslag.toml").write_text(both)
    (data / "other.fit").write_bytes(run_file(2))
    for file in ("run.fit", "other.fit"):
        assert verb(data, "add", "--person", "Ben", data / file).code == 0
    assert doses(data) == {"Ana": 60, "Ben": 120}
    shown = verb(data, "merge", "Ana", "Ben")
    assert shown.code == 3
    assert "120 minutes for the week instead of 60" in shown.out
    done = verb(data, "merge", "Ana", "Ben", "--yes")
    assert "merge --undo Ana Ben" in done.out
    assert doses(data) == {"Ana": 120}
    assert names_in_settings(data) == ["Ana"]
    assert sorted(p.name for p in (data / "archive/2026").iterdir()) == ["Ana"]
    assert verb(data, "add", "--person", "Ana", data / "other.fit").out.startswith("duplicate")
    assert verb(data, "merge", "--undo", "Ana", "Ben", "--yes").code == 0
    (data / "hartslag.toml").write_text(both)
    assert doses(data) == {"Ana": 60, "Ben": 120}
    assert (data / "archive/2026/Ben/other.fit").exists()


def test_of_two_who_are_one_the_watch_is_believed(data: Path) -> None:
    """Protects a merge from hiding what the watch recorded behind the same samples that a program passed on before."""
    both = SETTINGS + f'\n[[person]]\nname = "Ben"\n{LIMITS}'
    (data / "hartslag.toml").write_text(both)
    start, bpm = EVENING // 1000 - ERA + 3 * 86_400, [145] * 1800
    (data / "program.fit").write_bytes(workout(start, bpm, serial=0, sport=2))
    (data / "watch.fit").write_bytes(workout(start, bpm))
    assert verb(data, "add", "--person", "Ana", data / "program.fit").code == 0
    assert verb(data, "add", "--person", "Ben", data / "watch.fit").code == 0
    assert verb(data, "merge", "Ana", "Ben", "--yes").code == 0
    assert [w["sport"] for w in json.loads(verb(data, "workout", "--json").out)] == ["running"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("rename", "Nobody", "Anna"), "Nobody called Nobody"),
        (("rename", "Ana", "a/b"), "cannot be a name"),
        (("merge", "Ana", "Nobody"), "Nobody called Nobody"),
        (("merge", "Ana", "ana"), "one person already"),
        (("merge", "--undo", "Ana", "Ben"), "was not merged"),
    ],
)
def test_slips_are_told_in_words(data: Path, words: tuple[str, ...], told: str) -> None:
    """Protects whoever mistypes a name: nothing is written."""
    slip = verb(data, *words, "--yes")
    assert slip.code == 1
    assert told in slip.err
    assert doses(data) == {"Ana": 60}


def test_beside_a_daemon_nothing_is_done(data: Path) -> None:
    """Protects a name from coming back: a daemon that works with the old one is to be stopped first."""
    daemon = subprocess.Popen([*COMMAND, "--data", str(data), "run"], stdout=subprocess.PIPE, text=True)
    try:
        assert daemon.stdout is not None
        daemon.stdout.readline()
        refused = verb(data, "rename", "Ana", "Anna", "--yes")
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.communicate(timeout=180)
    assert refused.code == 1
    assert "Stop it" in refused.err
    assert names_in_settings(data) == ["Ana"]


@pytest.mark.parametrize("broken_off", ["settings", "journal"])
def test_broken_off_the_same_again_completes_it(data: Path, broken_off: str) -> None:
    """Protects against a kill between settings, journal and folders: whatever was done, the same line does the rest."""
    if broken_off == "settings":
        (data / "hartslag.toml").write_text(SETTINGS.replace("Ana", "Anna"))
        assert verb(data, "export").code == 0
    else:
        (data / "archive/2026/Ana").rename(data / "kept")
        assert verb(data, "rename", "Ana", "Anna", "--yes").code == 0
        (data / "kept").rename(data / "archive/2026/Ana")
        (data / "inbox/Anna").rename(data / "inbox/Ana")
    assert verb(data, "rename", "Ana", "Anna", "--yes").code == 0
    assert doses(data) == {"Anna": 60}
    assert (data / "inbox/Anna/later.fit").exists()
    assert (data / "archive/2026/Anna/run.fit").exists()
