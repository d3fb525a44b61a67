"""What is said of a watch that is plugged in, whose files they become, and what by hand can go wrong."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ingest.collect.fetch_record import FetchState, keep_state, open_record
from ingest.demo.fit_encoder import workout
from ingest.settings.model import Settings
from ingest.system.plugged import NO_MTP_PROGRAM, NOT_SHOWN, note_beside
from ingest.verbs.fetch_words import fetch_json, fetch_sentence
from tests.support.daemons import QUICK, daemon, journal, rows, settled, until
from tests.support.households import hartslag, household
from tests.support.languages import speaking
from tests.support.other_user import NOBODY, open_to_others
from tests.support.watches import SERIAL, START, make_watch

TWO = '[[person]]\nname = "Jan"\n[[person]]\nname = "Anna"\n'
ANNAS = f'[[watch]]\nserial = "{SERIAL}"\nperson = "Anna"\n'


def status(data: Path) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(hartslag("--data", data, "status", "--json").out)
    return answer


def plug_in(
    data: Path, watch: Path, *, device: str = "/dev/null", trouble: str = "", detail: str = ""
) -> "subprocess.CompletedProcess[str]":
    """What the unit does once the system shows a watch in a folder."""
    note = note_beside(watch)
    note.write_text(json.dumps({"device": device, "trouble": trouble, "detail": detail}))
    return subprocess.run(
        [sys.executable, "-m", "ingest", "--data", str(data), "fetch", "--note", str(note), str(watch)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A household of Jan and Anna, which knows of no watch."""
    folder = tmp_path / "data"
    with household(folder):
        pass
    (folder / "hartslag.toml").write_text(QUICK + TWO)
    return folder


def test_a_watch_brings_its_files_to_its_person(tmp_path: Path) -> None:
    """Protects two people's hearts from each other: what nobody owns waits, and goes on by itself with the lines that status shows."""
    data, watch = tmp_path / "data", make_watch(tmp_path / "watch")
    with daemon(data, settings=QUICK + TWO):
        until(lambda: journal(data).exists(), "the journal")
        assert plug_in(data, watch).returncode == 0
        until(lambda: status(data)["inbox"]["waiting"] == 6, "all files to wait")
        shown = hartslag("--data", data, "status").out
        (plugged,) = status(data)["plugged"]
    assert plugged["add"] == ["[[watch]]", f'serial = "{SERIAL}"', 'person = "Jan" # Jan, Anna']
    assert "Forerunner 965: 6 new files fetched; you may unplug it." in shown
    for line in plugged["add"]:
        assert line in shown
    assert shown.index("Needs a hand") < shown.index("Whose watch is it?")
    assert "watch-" not in shown
    assert rows(journal(data), "SELECT count(*) FROM file") == [(0,)]
    lines = "\n".join(plugged["add"]).replace('"Jan" #', '"Anna" #')
    with daemon(data, settings=f"{QUICK}{TWO}{lines}\n"):
        until(lambda: settled(data), "all files to be taken")
    taken = rows(journal(data), "SELECT p.name, f.outcome FROM file f JOIN person p ON p.id = f.person")
    assert taken == [("Anna", "stored")] * 6
    assert plug_in(data, watch).returncode == 0
    (plugged,) = status(data)["plugged"]
    assert (plugged["person"], plugged["fetched"], plugged["add"]) == ("Anna", 0, [])
    assert plugged["sentence"] == "Forerunner 965 of Anna: nothing new; you may unplug it."


def test_one_person_needs_no_line(tmp_path: Path) -> None:
    """Protects who lives alone from having to write anything: a watch is theirs, with a name in the settings or without."""
    for settings, owner in (("", "me"), ('[[person]]\nname = "Anna"\n', "Anna")):
        data, watch = tmp_path / owner / "data", make_watch(tmp_path / owner / "watch", 2)
        with daemon(data, settings=QUICK + settings):
            assert plug_in(data, watch).returncode == 0
            until(lambda: settled(data) and rows(journal(data), "SELECT 1 FROM file"), "the files")  # noqa: B023
        assert rows(journal(data), "SELECT DISTINCT name FROM person") == [(owner,)]


def test_a_stick_that_is_no_watch_is_passed_over_in_silence(data: Path, tmp_path: Path) -> None:
    """Protects the log and status from every stick that somebody plugs in, and the stick from being copied."""
    stick = tmp_path / "stick"
    (stick / "photos").mkdir(parents=True)
    (stick / "run.fit").write_bytes(workout(START, [100] * 60))
    done = plug_in(data, stick)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert status(data)["plugged"] == []
    assert not (data / "inbox").exists()


@pytest.mark.parametrize(
    ("trouble", "detail", "says"),
    [
        (NO_MTP_PROGRAM, "", "sudo apt install jmtpfs"),
        (NOT_SHOWN, "device is busy \x1b]0;x\x07", r"device is busy \x1b]0;x\x07"),
    ],
)
def test_what_cannot_be_looked_into_is_said(
    trouble: str, detail: str, says: str, data: Path, tmp_path: Path
) -> None:
    """Protects from a watch that is plugged in and nothing happens: one line in log and status says what to do, until one works."""
    empty = tmp_path / "empty"
    empty.mkdir()
    done = plug_in(data, empty, trouble=trouble, detail=detail)
    assert done.returncode == 0
    assert len(done.stderr.splitlines()) == 1
    shown = " ".join(hartslag("--data", data, "status").out.split())
    assert says in done.stderr
    assert says in shown
    assert shown.index(says) < shown.index("Fine:")
    plug_in(data, make_watch(tmp_path / "watch", 1))
    assert says not in hartslag("--data", data, "status").out


def test_wrong_settings_keep_nothing_on_the_watch(data: Path, tmp_path: Path) -> None:
    """Protects the files of a watch from a slip of the pen: whose they are can be read later."""
    (data / "hartslag.toml").write_text("[[person]\n")
    done = plug_in(data, make_watch(tmp_path / "watch", 2))
    assert done.returncode == 0
    assert "cannot be understood" in done.stderr
    assert len(list((data / "inbox").rglob("*.FIT"))) == 2


def test_status_knows_what_goes_on(data: Path) -> None:
    """Protects from unplugging too early, and from waiting for nothing."""
    state = FetchState("77", "77", "Fenix 7", device="/dev/none", new=9, fetched=4)
    with open_record(data / "watches", state) as record:
        record.say(state)
        assert (
            "Fenix 7: 4 of 9 new files fetched; leave it plugged in."
            in hartslag("--data", data, "status").out
        )
    assert "Fenix 7: unplugged when 4 of 9 new files were fetched" in hartslag("--data", data, "status").out
    keep_state(
        data / "watches",
        FetchState("77", "77", "Fenix 7", device="/dev/none", state="done", new=9, fetched=9),
    )
    assert "Fenix 7: 9 new files fetched. (" in hartslag("--data", data, "status").out
    (data / "watches" / "78.json").write_text("{broken")
    assert hartslag("--data", data, "status").code == 0


def test_names_from_outside_reach_no_terminal(data: Path, tmp_path: Path) -> None:
    """Protects the terminal from a watch that calls itself something evil."""
    watch = make_watch(tmp_path / "watch", 1, product="Fenix \x1b]0;evil\x07\u202e")
    done = plug_in(data, watch)
    shown = hartslag("--data", data, "status").out
    for text in (done.stderr, shown):
        assert "\x1b" not in text
        assert "\u202e" not in text
    state = FetchState("77", "77", "Fenix \x1b]0;evil\x07\u202e\n", state="done")
    broken = FetchState("plugged", state="trouble", trouble="not shown", detail="no\x1b[2J\nway")
    for said in (
        fetch_sentence(Settings(data), state),
        fetch_sentence(Settings(data), broken),
        fetch_json(Settings(data), state)["watch"],
    ):
        assert said.isprintable(), said


def test_by_hand_from_any_folder(data: Path, tmp_path: Path) -> None:
    """Protects who has a phone's folder or another maker's watch: all of it comes, once, to the person who is named."""
    folder = tmp_path / "phone"
    (folder / "deep").mkdir(parents=True)
    for name in ("a.fit", "deep/b.fit", "notes.txt"):
        (folder / name).write_bytes(workout(START, [100] * 60))
    asked = hartslag("--data", data, "fetch", folder)
    assert asked.code == 1
    assert "Whose files are these? Add --person and a name; known: Jan, Anna." in asked.err
    wrong = hartslag("--data", data, "fetch", "--person", "Kim", folder)
    assert "Nobody in the settings is called Kim" in wrong.err
    for options, says in (
        ([], "The folder: 2 new files fetched."),
        ([], "The folder: nothing new."),
        (["--again"], "The folder: 2 new files fetched."),
    ):
        done = hartslag("--data", data, "fetch", "--person", "anna", *options, folder)
        assert (done.code, says in done.out) == (0, True), done
    assert "start the daemon" in done.out
    assert sorted(p.name for p in (data / "inbox" / "Anna").rglob("*.fit")) == ["a.fit", "b.fit"]


def test_by_hand_from_a_watch(data: Path, tmp_path: Path) -> None:
    """Protects who mounts a card by hand: it is known as when it is plugged in, and the answer can be read by a program."""
    watch = make_watch(tmp_path / "GARMIN", 2)
    answer = json.loads(hartslag("--data", data, "fetch", "--json", watch).out)
    assert (answer["serial"], answer["state"], answer["fetched"]) == (str(SERIAL), "done", 2)
    (data / "hartslag.toml").write_text(TWO + ANNAS + 'name = "Anna\'s watch"\n')
    assert "Anna's watch: nothing new." in hartslag("--data", data, "fetch", watch).out


def test_a_folder_that_is_not_there(data: Path, tmp_path: Path) -> None:
    """Protects who mistypes a folder: it is said, and nothing is remembered."""
    done = hartslag("--data", data, "fetch", tmp_path / "nowhere")
    assert done.code == 1
    assert "There is no folder" in done.err
    assert not (data / "watches").exists()


def test_nothing_of_a_watch_outlives_its_person(data: Path, tmp_path: Path) -> None:
    """Protects who wants to be gone: what waits of their watch goes, and the names of its files; other watches stay known."""
    (data / "hartslag.toml").write_text(TWO + ANNAS)
    hers, his = make_watch(tmp_path / "hers", 3), make_watch(tmp_path / "his", 2, serial=78)
    for watch, person in ((hers, "Anna"), (his, "Jan")):
        assert plug_in(data, watch).returncode == 0
        assert hartslag("--data", data, "add", "--person", person, watch / "GARMIN" / "Activity").code == 0
    assert hartslag("--data", data, "delete", "Anna", "--really", "Anna").code == 0
    left = [p.name for p in data.rglob("*") if str(SERIAL) in p.name]
    assert left == []
    assert sorted(p.name for p in (data / "watches").iterdir()) == ["78.fetched", "78.json"]
    assert (data / "inbox" / "watch-78").is_dir()


@pytest.mark.root
def test_sudo_brings_what_only_root_may_read_and_leaves_nothing_of_roots(tmp_path: Path) -> None:
    """Protects the daemon from files that it cannot open: by hand with sudo they are its user's."""
    data, watch = tmp_path / "data", make_watch(tmp_path / "watch", 2)
    data.mkdir()
    open_to_others(data)
    os.chown(data, NOBODY, NOBODY)
    watch.chmod(0o700)
    assert hartslag("--data", data, "fetch", watch).code == 0
    found = list(data.rglob("*"))
    assert len([p for p in found if p.suffix == ".FIT"]) == 2
    assert {p.stat().st_uid for p in found} == {NOBODY}
    assert {p.stat().st_mode & 0o077 for p in found if p.is_file()} == {0}


def test_in_dutch() -> None:
    """Protects who reads Dutch: how it goes is said as one says it."""
    settings = Settings(Path("/none"))
    with speaking("nl"):
        said = fetch_sentence(
            settings, FetchState("77", "77", device="/dev/sda", state="done", new=1, fetched=1)
        )
    assert said == "Het horloge: 1 nieuw bestand opgehaald; je kunt het loskoppelen."


def test_what_computes_is_not_loaded_for_a_watch(tmp_path: Path) -> None:
    """Protects the patience of who stands beside a Pi Zero with a cable in the hand: numpy alone takes a second there."""
    words = ["hartslag", "--data", str(tmp_path / "data"), "fetch", str(make_watch(tmp_path / "watch", 1))]
    script = f"import sys; sys.argv = {words!r}; from ingest.cli import main; main(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "1 new file fetched" in done.stdout
    assert not {"numpy", "sqlite3", "asyncio", "fitparse"} & set(done.stdout.split())
