"""The command as a person meets it: help, exit codes, mistakes in words, and a clean end."""

import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ingest.cli import PURPOSES, load_verb
from ingest.cli import VERBS as SUMMARIES
from ingest.cli import hartslag as command
from ingest.demo.fit_encoder import ERA, workout
from ingest.verbs.command import Verb
from tests.support.households import S, at, hartslag, household, steady
from tests.support.preloaded import COMMAND

ROOT = Path(__file__).parents[1]
START = at("2026-11-16T10:00+01:00")
VERBS = sorted(SUMMARIES)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_and_every_option_says_what_it_is_for(verb: str) -> None:
    """Protects who reads --help instead of a README."""
    command = load_verb(verb)
    assert command.help
    assert command.help.partition("\n\n")[0] == SUMMARIES[verb]
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert parameter.help.endswith((".", ")", ":")), parameter.help
    answer = hartslag(verb, "--help")
    assert answer.code == 0
    assert command.help.splitlines()[0].strip() in " ".join(answer.out.split())


def help_page(verb: str, columns: int) -> str:
    """What --help shows on a terminal of so many columns."""
    words = [*filter(None, [verb]), "--help"]
    done = CliRunner().invoke(command, words, prog_name="hartslag", env={"COLUMNS": str(columns)})
    assert done.exit_code == 0
    return done.output


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize("verb", ["", *VERBS])
def test_help_fits_the_terminal_and_nothing_is_cut_off(verb: str, columns: int) -> None:
    """Protects who reads it on a phone over ssh: whole sentences in 40 columns, and examples that can be copied."""
    page = help_page(verb, columns)
    lines = [
        line for line in page.splitlines() if not line.lstrip().startswith(("hartslag ", "sudo hartslag "))
    ]
    assert max(map(len, lines)) <= columns
    assert "..." not in page.replace("[ARGS]...", "").replace("FILES...", "").replace("VALUE,...", "")
    told = " ".join(page.split())
    assert [s for name, s in SUMMARIES.items() if verb in {"", name} and s not in told] == []


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_an_example(verb: str) -> None:
    """Protects who learns from examples: each is there, is of this verb, and would be understood."""
    called = load_verb(verb)
    assert isinstance(called, Verb)
    assert called.examples
    for wanted, line in called.examples:
        assert wanted[0].isupper()
        words = line.partition(" > ")[0].split("hartslag ")[-1].split()
        assert verb in words or verb == "demo"
        if verb not in words:
            continue  # what to look at next
        called.make_context(verb, words[words.index(verb) + 1 :])
        assert f"    {line}\n" in help_page(verb, 40)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["wek"], "Did you mean 'week'?"),
        (["week", "--weks", "3"], "Did you mean '--weeks'?"),
        (["week", "--weeks", "0"], "right would be a whole number, from 1 to 100000."),
        (["scan", "--seconds", "an hour"], "right would be a whole number, from 1 to 600."),
    ],
)
def test_who_mistypes_is_told_what_would_be_right(words: list[str], told: str) -> None:
    """Protects who slips: the answer says what was meant, and where help is."""
    with pytest.raises(click.UsageError) as refused:
        command(words, prog_name="hartslag", standalone_mode=False)
    shown = CliRunner().invoke(command, words, prog_name="hartslag").output
    assert told in refused.value.format_message()
    assert "--help' for help" in shown


def test_every_verb_has_its_purpose() -> None:
    """Protects the list in --help from losing a verb."""
    listed = [verb for verbs in PURPOSES.values() for verb in verbs]
    assert len(listed) == len(set(listed))
    assert set(VERBS) <= set(listed)


def test_all_verbs_are_there() -> None:
    """Protects the agreed set of verbs, and the words that the program is no medical device."""
    answer = hartslag("--help")
    assert {"add", "check", "export", "rebuild", "run", "status", "week"} <= set(VERBS)
    assert "Not a medical device" in answer.out
    for option in ("--config", "--data", "--version"):
        assert option in answer.out


@pytest.mark.parametrize(
    "words",
    [
        ["wek"],
        ["week", "--weeks", "0"],
        ["week", "--weeks", "x"],
        ["export", "--from", "yesterday"],
        ["add"],
        ["--dta"],
    ],
)
def test_bad_usage_ends_with_2(tmp_path: Path, words: list[str]) -> None:
    """Protects scripts: a slip on the command line is told apart from trouble."""
    with household(tmp_path, [steady("me", START, 1, 60)]):
        pass
    answer = hartslag("--data", tmp_path, *words) if words != ["--dta"] else hartslag("--dta", "week")
    assert answer.code == 2
    assert answer.err
    assert answer.out == ""


@pytest.mark.parametrize("verb", ["run", "week", "status", "check", "export", "rebuild"])
def test_wrong_settings_end_with_78_and_every_mistake(tmp_path: Path, verb: str) -> None:
    """Protects the owner who made two mistakes, and systemd, which must not try this again."""
    (tmp_path / "hartslag.toml").write_text('[[person]]\nname = "Jan"\nborn = 1850\nzone = "Mars"\n')
    answer = hartslag("--data", tmp_path, verb)
    assert answer.code == 78
    assert "1850" in answer.err
    assert "Mars" in answer.err
    assert hartslag("--config", tmp_path / "none.toml", "--data", tmp_path, verb).code == 78


@pytest.mark.parametrize("verb", ["week", "status", "check", "export", "rebuild"])
@pytest.mark.parametrize("data", ["nowhere", "file"])
def test_a_wrong_data_folder_is_a_sentence(tmp_path: Path, verb: str, data: str) -> None:
    """Protects a mistyped --data: exit 1, one line that names the folder, nothing made."""
    (tmp_path / "file").write_text("x")
    answer = hartslag("--data", tmp_path / data, verb)
    assert answer.code == 1
    assert str(tmp_path / data) in answer.err
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("verb", ["run", "add"])
def test_a_data_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path, verb: str) -> None:
    """Protects the first start in a place where it cannot work."""
    (tmp_path / "file").write_text("x")
    answer = hartslag("--data", tmp_path / "file", verb, *([tmp_path / "file"] if verb == "add" else []))
    assert answer.code == 1
    assert str(tmp_path / "file") in answer.err


WITH_JSON = [verb for verb in VERBS if any(p.name == "as_json" for p in load_verb(verb).params)]
WORDS = {"add": ["a.fit"], "explain": ["2026-11-16"], "fetch": ["."], "forget": ["a.fit"], "scan": []}


@pytest.mark.parametrize("verb", WITH_JSON)
def test_who_asks_for_json_gets_it_of_what_is_wrong_too(tmp_path: Path, verb: str) -> None:
    """Protects a program that watches: a slip in the settings, or no data at all, is an object with the mistakes, and no success."""
    (tmp_path / "hartslag.toml").write_text('[[person]]\nname = "Anna"\nborn = 3\ntarget_min = "x"\n')
    answer = hartslag("--data", tmp_path, verb, *WORDS.get(verb, []), "--json")
    assert answer.code == 78
    told = json.loads(answer.out)
    assert "has 2 mistakes" in told["error"]
    assert [("born" in line, "target_min" in line) for line in told["mistakes"]] == [
        (True, False),
        (False, True),
    ]
    assert told["mistakes"][0] in answer.err, "and people read it, too"
    nowhere = hartslag("--data", tmp_path / "none", verb, *WORDS.get(verb, []), "--no-such-option", "--json")
    assert nowhere.code == 2
    assert "--no-such-option" in json.loads(nowhere.out)["error"]


@pytest.fixture
def common() -> Iterator[Path]:
    """A folder that every user may enter, as pytest's own is for one alone."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def as_somebody_else(data: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A verb, run by a user who owns nothing; as root on a copy before, so that all it imports is there."""
    copy = data.with_name("copy")
    shutil.copytree(data, copy)
    script = (
        "import contextlib, io, os, shutil, sys, ingest.verbs.not_allowed\n"
        "from ingest.cli import hartslag, main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "    hartslag(['--data', sys.argv.pop(1), *sys.argv[3:]], standalone_mode=False)\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "main()\n"
    )
    return subprocess.run(
        [sys.executable, "-c", script, str(copy), "--data", str(data), *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "TZ": "Europe/Amsterdam"},
    )


@pytest.mark.root
@pytest.mark.parametrize("verb", ["week", "status", "check", "export", "rebuild"])
def test_somebody_elses_data_is_a_sentence(common: Path, verb: str) -> None:
    """Protects who asks for the week without being the daemon's user: told so, and no traceback."""
    data = common / "data"
    with household(data, [steady("me", START, 1, 60)]):
        pass
    done = as_somebody_else(data, verb)
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == 1
    assert str(data) in done.stderr


@pytest.mark.root
@pytest.mark.parametrize("closed", ["journal", "hartslag.toml", "."])
def test_ones_own_data_that_are_closed_are_opened_by_a_line(common: Path, closed: str) -> None:
    """Protects whose own folder lost its permissions from being told to join their own group: the line that is told mends it."""
    data = common / "data"
    with household(data, [steady("me", START, 1, 60)]):
        (data / "hartslag.toml").write_text('[[person]]\nname = "Anna"\nborn = 1980\n')
    for path in (data, *data.rglob("*")):
        os.chown(path, 65534, 65534)
    (data / closed).chmod(0)
    done = as_somebody_else(data, "status")
    assert done.returncode != 0
    told = " ".join(done.stderr.split())
    assert "usermod" not in told
    assert "sudo" not in told
    assert "its permissions keep you out of it" in told
    (line,) = [line.strip() for line in done.stderr.splitlines() if line.strip().startswith("chmod ")]
    subprocess.run(shlex.split(line), check=True)
    shutil.rmtree(common / "copy")
    assert as_somebody_else(data, "status").returncode == 0


@pytest.mark.root
@pytest.mark.parametrize("running", [False, True], ids=["daemon stopped", "daemon running"])
@pytest.mark.parametrize(
    "words",
    [
        ["week"],
        ["week", "--json"],
        ["profile", "--propose"],
        ["explain", "2026-11-16"],
        ["export"],
        ["status"],
    ],
    ids=" ".join,
)
def test_whoever_may_read_may_ask_and_changes_nothing(
    common: Path, words: list[str], *, running: bool
) -> None:
    """Protects the family and a read-only mount: who may only read sees what the owner sees, new settings included."""
    data = common / "data"
    with household(data, [steady("me", START, 600, 120)]) as journal:
        (data / "hartslag.toml").write_text('[[person]]\nname = "Anna"\nborn = 1980\n')
        (data / "inbox").mkdir(mode=0o755)
        data.chmod(0o755)
        (data / "journal").chmod(0o755)
        if not running:
            journal.close()
        for file in (data / "journal").iterdir():
            file.chmod(0o644)
        before = contents(data)
        done = as_somebody_else(data, *words)
        assert (done.returncode, done.stderr) == (0, "")
        assert contents(data) == before
    owner = hartslag("--data", data, *words)
    if words[0] == "status":
        assert "Person Anna: target 150 min a week, moderate from" in done.stdout
    else:
        assert hours_apart(done.stdout) == hours_apart(owner.out)
        assert "Anna" in done.stdout or words[0] == "explain"


def contents(data: Path) -> dict[str, tuple[int, int, str]]:
    """Of each file below a folder but the index of a log, which readers lock in: its mode, when it was changed, its bytes."""
    return {
        str(p.relative_to(data)): (
            p.stat().st_mode,
            p.stat().st_mtime_ns,
            hashlib.sha256(p.read_bytes()).hexdigest(),
        )
        for p in sorted(data.rglob("*"))
        if p.is_file() and not p.name.endswith("-shm")
    }


def hours_apart(text: str) -> str:
    """An answer without the hours of the week that have passed meanwhile."""
    return re.sub(r'"not_measured_h": [\d.]+', "", text)


@pytest.mark.parametrize(
    "words", [["week", "Kim"], ["export", "--person", "Kim"], ["add", "--person", "a/b", __file__]]
)
def test_an_unknown_person_is_a_sentence(tmp_path: Path, words: list[str]) -> None:
    """Protects from an empty answer where a name was mistyped."""
    with household(tmp_path, [steady("me", START, 1, 60)]):
        pass
    answer = hartslag("--data", tmp_path, *words)
    assert answer.code == 1
    assert answer.out == ""
    assert words[0] == "add" or "known: me" in answer.err


def test_ctrl_c_is_a_clean_end(tmp_path: Path) -> None:
    """Protects the terminal: an export that is too long is stopped, which is said in one line."""
    with household(tmp_path, [steady("me", START + i * 4_000_000, 3600, 60) for i in range(300)]):
        pass
    with subprocess.Popen(
        [*COMMAND, "--data", str(tmp_path), "export"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as export:
        assert export.stdout is not None
        assert export.stdout.readline() == "time,person,source,kind,bpm\n"
        export.send_signal(signal.SIGINT)
        _, err = export.communicate(timeout=180)
    assert export.returncode == 130
    assert err.strip() == "Stopped. Nothing is lost: the same command again goes on, or begins anew."


@pytest.fixture(scope="module")
def far_away(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A household whose names have letters that few terminals know."""
    data = tmp_path_factory.mktemp("data")
    with household(data, [steady("Zo\u00eb \u0141ucja \u65e5\u672c", START, 600, 120)]):
        return data


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("latin-1", ("week",)),
        ("latin-1", ("status", "--json")),
        ("ascii:strict", ("status",)),
        ("ascii", ("week", "--json")),
        ("ascii:strict", ("profile", "--json")),
        ("cp1252", ("profile",)),
        ("ascii", ("add", "\u65e5\u672c.fit", "--json")),
        ("ascii", ("week", "\u0141")),
    ],
)
def test_letters_that_a_terminal_does_not_have_end_no_verb(
    far_away: Path, encoding: str, words: tuple[str, ...]
) -> None:
    """A name is a question mark at worst, and JSON is UTF-8 wherever it goes."""
    (far_away / "\u65e5\u672c.fit").write_bytes(b"nothing of a watch")
    done = subprocess.run(
        [*COMMAND, "--data", str(far_away), *words],
        capture_output=True,
        timeout=180,
        cwd=far_away,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding},
        check=False,
    )
    assert b"Traceback" not in done.stderr
    if "--json" in words:
        assert json.loads(done.stdout.decode())
        assert "\u65e5\u672c" in done.stdout.decode()
    else:
        assert b"?" in done.stdout + done.stderr


@pytest.mark.parametrize("verb", ["export", "week", "status"])
def test_a_reader_who_has_had_enough_is_a_clean_end(tmp_path: Path, verb: str) -> None:
    """Protects `hartslag export | head`: no complaint, and no failure either."""
    with household(tmp_path, [steady("me", START + i * 4_000_000, 3600, 60) for i in range(100)]):
        pass
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*COMMAND, "--data", str(tmp_path), verb],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def test_add_says_what_became_of_each_file(tmp_path: Path) -> None:
    """Protects the interface of `add --json`: a line per file with agreed keys; 1 when any was rejected."""
    good, bad = tmp_path / "good.fit", tmp_path / "bad.fit"
    good.write_bytes(workout(START // S - ERA, [120] * 60))
    bad.write_bytes(b"no FIT file at all")
    data = tmp_path / "data"
    answer = hartslag("--data", data, "add", "--json", good)
    (line,) = map(json.loads, answer.lines)
    assert answer.code == 0
    assert line == {
        "file": str(good),
        "outcome": "stored",
        "person": "me",
        "samples": 60,
        "beats": 0,
        "from": "2026-11-16T09:00:00.000Z",
        "to": line["to"],
        "reason": line["reason"],
    }
    assert line["to"].startswith("2026-11-16T09:0")
    answer = hartslag("--data", data, "add", "--json", "--person", "Kim", bad, good)
    lines = [json.loads(row) for row in answer.lines]
    assert answer.code == 1
    assert [(row["file"], row["outcome"], row["person"]) for row in lines] == [
        (str(bad), "rejected", "Kim"),
        (str(good), "stored", "Kim"),
    ]
    assert lines[0]["reason"]
    assert (lines[0]["from"], lines[0]["to"]) == (None, None)
    assert good.exists(), "the original stays where it is"
    assert hartslag("--data", data, "add", good).lines[0].startswith("duplicate")


def test_add_takes_a_whole_folder_or_nothing_when_something_is_missing(tmp_path: Path) -> None:
    """Protects against half an import after a slip in a path."""
    folder = tmp_path / "watch"
    folder.mkdir()
    for i in range(3):
        (folder / f"{i}.fit").write_bytes(workout(START // S - ERA + i * 100, [120] * 60))
    data = tmp_path / "data"
    answer = hartslag("--data", data, "add", folder, tmp_path / "gone.fit")
    assert (answer.code, answer.out) == (1, "")
    assert "gone.fit" in answer.err
    assert "Nothing was added" in answer.err
    assert not data.exists()
    answer = hartslag("--data", data, "add", folder)
    assert (answer.code, len(answer.lines), answer.lines[-1]) == (0, 4, "3 stored.")
    (row,) = json.loads(hartslag("--data", data, "week", "--json").out)
    assert row["measured_min"] == 3.0


def test_add_for_somebody_whom_the_settings_do_not_name_adds_nothing(tmp_path: Path) -> None:
    """Protects one person's history from another's files after a slip in a name."""
    (tmp_path / "hartslag.toml").write_text('[[person]]\nname = "Jan"\n')
    good = tmp_path / "good.fit"
    good.write_bytes(workout(START // S - ERA, [120] * 60))
    answer = hartslag("--data", tmp_path, "add", "--person", "Kim", good)
    assert (answer.code, answer.out) == (1, "")
    assert "known: Jan" in answer.err
    assert not (tmp_path / "archive").exists()
