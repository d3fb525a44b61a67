"""Settings by questions: what is asked, what comes of it, and that nothing comes of what was not agreed to."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from ingest import cli
from ingest.errors import Stop
from ingest.language import ENGLISH, speak
from ingest.settings.file import load
from ingest.settings.model import Settings
from ingest.system.lock import only_daemon
from ingest.verbs.command import Invocation
from ingest.verbs.setup import open_own_file
from tests.support.other_user import NOBODY, open_to_others, run_as
from tests.support.terminal_talk import END_OF_INPUT, Talked, talk

ANNA = ["1", "Anna", "no", "3", "1978", "2"]
"""English, her name, no medicine, a guess from her year of birth, 60 minutes."""
NO_MORE = ["1", "no", "3"]
"""Nobody else, no search for straps, no watch."""
ALL = [*ANNA, *NO_MORE, "1"]
NOTHING_NEW = ["", "", "no", ""]
"""The language as it is, nobody to be asked about, no straps, no watch."""

EAST_H = 12 - datetime.now(UTC).hour
NOON = f"Etc/GMT{-EAST_H:+d}"
"""A zone where it is noon now: no midnight comes between what a test expects and what the program does."""
_DAY = (datetime.now(UTC) + timedelta(hours=EAST_H)).date()
TODAY = _DAY.isoformat()
MONDAY = _DAY - timedelta(days=_DAY.weekday())


@pytest.fixture(autouse=True)
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock on the wall of whatever program is started here."""
    monkeypatch.setenv("TZ", NOON)


@pytest.fixture(autouse=True)
def _english_afterwards() -> Iterator[None]:
    """Protects other tests from the language that somebody chose here."""
    yield
    speak(ENGLISH)


def setup(folder: Path, answers: list[str]) -> Talked:
    """Through a pipe, a line for each answer."""
    done = subprocess.run(
        [sys.executable, "-m", "ingest", "--data", str(folder / "data"), "setup"],
        input="".join(f"{answer}\n" for answer in answers),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Talked(done.returncode, done.stdout + done.stderr)


def file(folder: Path, text: str | None = None) -> Path:
    """The settings file of the folder, with this text."""
    path = folder / "data" / "hartslag.toml"
    if text is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return path


def settings(folder: Path) -> Settings:
    return load(None, folder / "data", {}, folder)


# --- the whole way ---


@pytest.mark.parametrize("columns", [40, 80])
def test_from_nothing_to_settings_at_a_terminal(tmp_path: Path, columns: int) -> None:
    """Protects the first quarter of an hour with the program: answers at a terminal become settings that load, and all is said first."""
    talked = talk(["--data", tmp_path / "data", "setup"], ALL, columns=columns)
    assert talked.code == 0, talked.shown
    found = settings(tmp_path)
    (anna,) = found.persons
    assert (anna.name, anna.born, anna.target_min, found.language) == ("Anna", 1978, 60, "en")
    assert "\x1b" not in talked.shown, "nothing moves the cursor, nothing is coloured"
    asked = talked.shown.partition("Write this into")[0]
    for line in file(tmp_path).read_text().splitlines():
        assert line in asked
    too_wide = [
        line for line in talked.shown.splitlines() if len(line) > columns and str(tmp_path) not in line
    ]
    assert [line for line in too_wide if not line.startswith("  #")] == []


@pytest.mark.parametrize("after", range(len(ALL)))
@pytest.mark.parametrize("by", ["end of input", "Ctrl-C", "stop"])
def test_broken_off_at_any_question_nothing_is_written(tmp_path: Path, after: int, by: str) -> None:
    """Protects who is called away: whichever question they leave, the file is as it was, and it is said that it is."""
    before = '# mine\n[[person]]\nname = "Anna" # me\n'
    kept = file(tmp_path, before)
    answers = ["1", "3", "no", "2", "160", "1", "2", "1", *NO_MORE, "1"][: after + 1]
    ends: dict[str, str | bytes | int] = {
        "end of input": END_OF_INPUT,
        "Ctrl-C": signal.SIGINT,
        "stop": "stop",
    }
    last = ends[by]
    talked = talk(["--data", tmp_path / "data", "setup"], [*answers[:after], last])
    assert talked.code == 130
    assert "Nothing was written." in talked.words
    assert kept.read_text() == before
    assert [p.name for p in kept.parent.iterdir()] == ["hartslag.toml"]


def test_without_a_yes_nothing_is_written(tmp_path: Path) -> None:
    """Protects who presses Enter once too often: only a yes writes."""
    for end in (["no"], ["", "2"], ["maybe", "2"]):
        assert setup(tmp_path, [*ALL[:-1], *end]).code == 0
        assert not file(tmp_path).exists()


def test_going_back_takes_the_answer_back(tmp_path: Path) -> None:
    """Protects who mistyped: back leads to the question before, as often as one likes, and the last answer counts."""
    answers = [
        "back",
        "1",
        "Ana",
        "back",
        "Anna",
        "no",
        "3",
        "1987",
        "1",
        "back",
        "back",
        "1978",
        "2",
        *NO_MORE,
        "1",
    ]
    assert setup(tmp_path, answers).code == 0
    (anna,) = settings(tmp_path).persons
    assert (anna.name, anna.born, anna.target_min) == ("Anna", 1978, 60)


def test_a_pipe_that_answers_nonsense_for_ever_is_ended(tmp_path: Path) -> None:
    """Protects a script, `yes | hartslag setup`, from a dialogue without end."""
    talked = setup(tmp_path, ["1", "Anna", *["perhaps"] * 30])
    assert talked.code == 130
    assert "none that fit" in talked.words
    assert not file(tmp_path).exists()


# --- answers that are none ---


@pytest.mark.parametrize(
    "hostile",
    ['Anna"\n[data]\nfolder = "/"', "x" * 300, "a/b", "\x1b[2J", "\u202eanna", "con", "\udcff"],
)
def test_a_hostile_name_is_refused_in_words(tmp_path: Path, hostile: str) -> None:
    """Protects the file, and the terminal: a name is a name, or it is asked for again and shown harmlessly."""
    first, *rest = hostile.split("\n")
    octets = first.encode("utf-8", "surrogateescape") + b"\n"
    talked = talk(["--data", tmp_path / "data", "setup"], ["1", octets, "Anna", *ANNA[2:], *NO_MORE, "1"])
    assert talked.code == 0, talked.shown
    assert "does not fit" in talked.words
    assert [p.name for p in settings(tmp_path).persons] == ["Anna"]
    assert rest == [] or "folder" not in file(tmp_path).read_text()
    said = talked.shown.partition("What is your name?")[2].partition("does not fit")[2]
    assert "\x1b" not in said


@pytest.mark.parametrize("name", ["O'Neill", "Zoë 😀", "#1", "[[x]]", "Anna = 1"])
def test_a_strange_name_is_kept(tmp_path: Path, name: str) -> None:
    """Protects people from being told that their name is wrong, and the file from the marks in it."""
    assert setup(tmp_path, ["1", name, *ANNA[2:], *NO_MORE, "1"]).code == 0
    assert [p.name for p in settings(tmp_path).persons] == [name]


def test_what_is_pasted_does_not_agree(tmp_path: Path) -> None:
    """Protects who pastes a page by mistake: what was typed before the last question is no answer to it."""
    talked = talk(["--data", tmp_path / "data", "setup"], [*ALL[:-2], b"3\n1\nyes\n1\n"])
    assert talked.code == 130
    assert not file(tmp_path).exists()


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (["2", "900", "170"], "Type whole beats per minute, from 100 to 230."),
        (["1", "64 %", "110", "140"], "Type beats per minute, like 115; no percentage."),
        (["1", "140", "120", "150"], "Vigorous begins higher than moderate: type more than 140"),
        (["3", "1978-03-01", "1978"], "The year is enough: type 1978."),
        (["3", "2999", "1978"], "Type a year from 1900 to"),
    ],
)
def test_numbers_are_checked_at_once(tmp_path: Path, answers: list[str], words: str) -> None:
    """Protects who mistypes a number: it is told where it happens, and what to type."""
    talked = setup(tmp_path, ["1", "Anna", "no", *answers, "2", *NO_MORE, "1"])
    assert talked.code == 0, talked.shown
    assert words in talked.words
    assert settings(tmp_path).persons[0].name == "Anna"


# --- a file that is there ---

OLD = """\
# Our settings.
language = "en"

[[person]]   # me
name = 'Anna'
born = 1978 # as in my passport
target_min = 100

[inbox]
settle_s = 3.0  # our network is slow
"""


def test_nothing_new_leaves_every_octet(tmp_path: Path) -> None:
    """Protects a file from being tidied: who presses Enter throughout has the file that they had."""
    path = file(tmp_path, OLD)
    talked = setup(tmp_path, NOTHING_NEW)
    assert talked.code == 0
    assert "Nothing is to be changed" in talked.words
    assert path.read_text() == OLD


def test_what_is_new_holds_from_today_and_history_stays(tmp_path: Path) -> None:
    """Protects weeks that are over: a new limit and a new target get an entry with a day, and all else stays as it stands."""
    path = file(tmp_path, OLD)
    path.chmod(0o604)
    answers = ["", "3", "no", "2", "112", "140", "1", "4", "90", "1", *NO_MORE, "1"]
    talked = setup(tmp_path, answers)
    assert talked.code == 0, talked.shown
    (anna,) = settings(tmp_path).persons
    assert [e.written() for e in anna.profile] == [
        {"from": TODAY, "method": "bpm", "moderate_bpm": 112, "vigorous_bpm": 140}
    ]
    assert [e.written() for e in anna.target] == [{"from": MONDAY.isoformat(), "target_min": 90}]
    assert (anna.born, anna.target_min) == (1978, 100)
    kept = [line for line in path.read_text().splitlines() if line in OLD.splitlines()]
    assert kept[: len(OLD.splitlines())] == OLD.splitlines() or set(OLD.splitlines()) <= set(kept)
    assert path.stat().st_mode & 0o777 == 0o604
    before = path.with_name("hartslag.toml.before")
    assert (before.read_text(), before.stat().st_mode & 0o777) == (OLD, 0o604)


def test_what_was_wrong_is_corrected_where_it_stands(tmp_path: Path) -> None:
    """Protects who mistyped a limit months ago: the old number goes, and no entry pretends that it held until today."""
    path = file(tmp_path, '[[person]]\nname = "Anna"\nmoderate_bpm = 112 # physio\nvigorous_bpm = 140\n')
    answers = ["1", "3", "no", "2", "102", "130", "3", "4", "90", "4", *NO_MORE, "1"]
    assert setup(tmp_path, answers).code == 0
    (anna,) = settings(tmp_path).persons
    assert (anna.moderate_bpm, anna.vigorous_bpm, anna.target_min) == (102, 130, 90)
    assert (anna.profile, anna.target) == ((), ())
    assert "moderate_bpm = 102 # physio" in path.read_text()


def test_a_medicine_begins_on_a_day(tmp_path: Path) -> None:
    """Protects who begins a beta blocker: formulas by age end on that day, the months before are counted as they were."""
    file(tmp_path, OLD)
    talked = setup(tmp_path, ["", "3", "yes", "2026-03-01", "3", "", *NO_MORE, "1"])
    assert talked.code == 0, talked.shown
    assert "S1P modulators" in talked.words
    assert "Never change a medicine because of a number here" in talked.words
    (anna,) = settings(tmp_path).persons
    assert [e.written() for e in anna.profile] == [{"from": "2026-03-01", "limiting_medicine": True}]
    assert "guess" not in talked.words.partition("What do you know of your heart rate?")[2]


def test_a_plan_ends_where_another_target_begins(tmp_path: Path) -> None:
    """Protects weeks that a plan has judged: its steps so far stay, as targets of their own, when there is a new aim."""
    begun = MONDAY - timedelta(weeks=5)
    plan = f"[person.plan]\nfrom = {begun}\ntargets_min = [60, 90, 120]\nweeks = 4\n"
    file(tmp_path, f'[[person]]\nname = "Anna"\n{plan}')
    talked = setup(tmp_path, ["1", "3", "no", "4", "4", "75", "2", *NO_MORE, "1"])
    assert talked.code == 0, talked.shown
    assert "90 minutes now, by the plan 60, 90, 120" in talked.words
    (anna,) = settings(tmp_path).persons
    assert anna.plan is None
    assert [(e.since, e.target_min) for e in anna.target] == [
        (begun, 60),
        (begun + timedelta(weeks=4), 90),
        (MONDAY + timedelta(weeks=1), 75),
    ]


def test_a_strap_of_nobody_in_particular_stays_with_its_owner(tmp_path: Path) -> None:
    """Protects the strap of who was alone so far: with a second person in the settings it still hears the first."""
    file(tmp_path, '[[person]]\nname = "Anna"\nborn = 1978\n[[strap]]\naddress = "A0:9E:1A:12:34:56"\n')
    answers = ["1", "2", "Jan", "no", "3", "1950", "1", *NO_MORE, "1"]
    assert setup(tmp_path, answers).code == 0
    found = settings(tmp_path)
    assert [p.name for p in found.persons] == ["Anna", "Jan"]
    assert [s.person for s in found.straps] == ["Anna"]


def test_a_file_with_mistakes_is_told_with_lines_and_left_alone(tmp_path: Path) -> None:
    """Protects a file that cannot be understood: what is wrong, and in which line, comes before any question."""
    wrong = '# x\n[[person]]\nname = "Anna"\nborn = 78\n\n[[person.target]]\nfrom = 2026-01-01\n'
    path = file(tmp_path, wrong)
    talked = setup(tmp_path, ALL)
    assert talked.code == 78
    assert "Line 4: " in talked.shown
    assert "Line 6: " in talked.shown
    assert "Which language" not in talked.shown
    assert path.read_text() == wrong
    path.write_text("[[person]\n")
    assert setup(tmp_path, ALL).code == 78


def test_a_file_that_changes_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    """Protects who has the file open in an editor as well: what they saved there stays."""
    path = file(tmp_path, OLD)
    asking = subprocess.Popen(
        [sys.executable, "-m", "ingest", "--data", str(path.parent), "setup"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert asking.stdout is not None
    assert asking.stdin is not None
    asking.stdout.readline()  # it has read the file by now
    path.write_text("# edited\n")
    _, said = asking.communicate("\n".join(["1", "3", "no", "1", "2", "1", *NO_MORE, "1"]) + "\n")
    assert asking.returncode == 1
    assert "meanwhile" in said
    assert path.read_text() == "# edited\n"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """Protects settings that lie elsewhere, in a synchronised folder for instance."""
    real = tmp_path / "sync" / "mine.toml"
    real.parent.mkdir()
    real.write_text(OLD)
    file(tmp_path).parent.mkdir()
    file(tmp_path).symlink_to(real)
    assert setup(tmp_path, ["2", *NO_MORE, "1"]).code == 0
    assert file(tmp_path).is_symlink()
    assert 'language = "nl"' in real.read_text()


@pytest.mark.root
def test_who_may_not_write_is_told_the_command(tmp_path: Path) -> None:
    """Protects from ten answers in vain: a file that belongs to root is told at once, with the command that helps."""
    path = file(tmp_path, OLD)
    path.parent.chmod(0o755)
    open_to_others(path.parent)

    def ask() -> str:
        try:
            return str(open_own_file(Invocation(path, None), "setup"))
        except Stop as e:
            return str(e)

    said = run_as(NOBODY, ask)
    assert "belongs to somebody else" in said
    command = said.splitlines()[-1].strip()
    assert command.startswith("sudo ")
    assert command.endswith(f"--config {path} setup")


# --- what to do then ---


def test_a_daemon_that_runs_is_to_be_started_anew(tmp_path: Path) -> None:
    """Protects who wonders why nothing changed: whether the daemon runs is looked up, and what to do is said."""
    assert "does not run now" in setup(tmp_path, ALL).words
    with only_daemon(tmp_path / "data"):
        talked = setup(tmp_path, ["2", "", "no", "", "1"])
    assert f"({os.getpid()})" in talked.words or f" {os.getpid()})" in talked.words
    assert f"--data {tmp_path / 'data'} run" in talked.words


# --- whatever is answered ---

EVERYTHING = f"""\
# one
[[person]]
name = "Anna"
born = 1970
moderate_bpm = 100
vigorous_bpm = 130
# two
[[person.profile]]
from = 2026-01-01
method = "reserve"
resting_bpm = 60
maximum_bpm = 170

[[person.profile]]
from = {TODAY}
method = "age"

[[person.profile]]
from = 2028-01-01
method = "threshold"
threshold_bpm = 150
sport = "cycling"
# three
[[person.target]]
from = {MONDAY}
target_min = 80

[person.plan]
from = 2026-01-05
targets_min = [60, 90, 120]
# four
[[strap]]
address = "A0:9E:1A:12:34:56"
"""

ANSWERS = (
    ["", "1", "2", "3", "4"] * 4
    + ["5", "no", "no", "yes", "back", "?", "112", "140", "174", "98", "60", "75", "1978", "1950"]
    + [
        TODAY,
        MONDAY.isoformat(),
        "2026-03-01",
        "2030-01-01",
        "Jan",
        "60, 90",
        "0",
        "-1",
        '"\n[data]',
        "x" * 300,
    ]
)


@pytest.mark.parametrize("before", [None, OLD, EVERYTHING], ids=["nothing", "little", "everything"])
@pytest.mark.parametrize("seed", range(25))
def test_whatever_is_answered_the_file_is_good_or_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str | None, seed: int
) -> None:
    """Protects the file from any order of answers: it changes after a yes only, loads without a mistake, and keeps its remarks."""
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path / 'nothing'}")
    path = file(tmp_path, before)
    die = random.Random(seed)
    answers = [die.choice(ANSWERS) for _ in range(die.randint(10, 60))] + ["1", "no", "3", "1"] * 2
    done = CliRunner().invoke(cli.hartslag, ["--data", str(path.parent), "setup"], input="\n".join(answers))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    after = path.read_text() if path.exists() else None
    if "Written:" in done.output or "Geschreven:" in done.output:
        load(None, path.parent, {}, tmp_path)
        alone = [line for line in (before or "").splitlines() if line.startswith("#")]
        assert [line for line in (after or "").splitlines() if line in alone] == alone
    else:
        assert after == before
