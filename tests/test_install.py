"""The command that `make install` puts into a user's own folders, and what the Tab key then knows, in a real bash."""

import os
import pty
import re
import select
import shlex
import subprocess
import time
from pathlib import Path

import pytest

from tests.support import needs

ROOT = Path(__file__).parents[1]
PATIENCE_S = 60


def make(target: str, home: Path) -> "subprocess.CompletedProcess[str]":
    """Run a target for a user whose home is here; what pip installed stays as it is."""
    if not (ROOT / ".venv" / "bin" / "hartslag").exists():
        needs.skip_without("the program in .venv/", "make run installs it")
    return subprocess.run(
        [needs.program("make", "apt install make"), "-o", ".venv/run", target, "FOR=me"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "HOME": str(home), "MAKEFLAGS": "", "SHELL": "/bin/bash"},
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home, with a space in its name, into which the command was installed."""
    home = tmp_path_factory.mktemp("somebody") / "my home"
    home.mkdir()
    made = make("install", home)
    assert made.returncode == 0, made.stderr
    assert "log out and in once" in made.stdout
    return home


def test_the_command_knows_its_data_wherever_it_is_called(home: Path, tmp_path: Path) -> None:
    """Protects who types `hartslag week` in any folder: it is the week of this checkout, or of the data that were named."""
    command = home / ".local" / "bin" / "hartslag"
    environ = {"HOME": str(home), "PATH": os.environ["PATH"]}
    for named, folder in (({}, ROOT / "data"), ({"HARTSLAG_DATA": "/none"}, Path("/none"))):
        said = subprocess.run(
            [command, "--config", "/dev/null", "week"],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={**environ, **named},
        )
        assert "Traceback" not in said.stderr
        assert f"{folder}/" in said.stderr or said.returncode == 0


@pytest.mark.parametrize(
    ("typed", "completed"),
    [("hartslag wee", "hartslag week "), ("hartslag explain --js", "hartslag explain --json ")],
)
def test_the_tab_key_completes_verbs_and_options_in_bash(home: Path, typed: str, completed: str) -> None:
    """Protects who cannot remember the name of a verb, or tires of typing it."""
    file = home / ".local" / "share" / "bash-completion" / "completions" / "hartslag"
    screen = pressed_in_bash(home, f"PS1=; source {shlex.quote(str(file))}; echo READY", f"{typed}\t")
    assert re.search(rf"{re.escape(completed)}$", screen), screen


def pressed_in_bash(home: Path, first: str, keys: str) -> str:
    """What stands on a terminal after a line was run in bash, and then some keys were pressed."""
    path = f"{home / '.local' / 'bin'}:{os.environ['PATH']}"
    ours, theirs = pty.openpty()
    shell = subprocess.Popen(
        ["bash", "--norc", "--noprofile", "-i"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        cwd=home,
        env={"HOME": str(home), "PATH": path, "TERM": "dumb", "HISTFILE": ""},
    )
    os.close(theirs)
    try:
        os.write(ours, f"{first}\n".encode())
        read_until(ours, "\nREADY")
        os.write(ours, keys.encode())
        return read_until(ours, keys.strip() + r"\S* $")
    finally:
        shell.kill()
        shell.wait()
        os.close(ours)


def read_until(terminal: int, sign: str) -> str:
    """What a terminal shows until a sign is on it, or as much as came while patience lasted."""
    shown, end = "", time.monotonic() + PATIENCE_S
    while not re.search(sign, shown) and time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            shown += os.read(terminal, 4096).decode(errors="replace").replace("\r", "")
    return shown


def test_somebody_elses_command_of_that_name_stays(tmp_path: Path) -> None:
    """Protects what a person put there: nothing is written over, and nothing of it is taken away."""
    other = tmp_path / ".local" / "bin" / "hartslag"
    other.parent.mkdir(parents=True)
    other.write_text("#!/bin/sh\necho mine\n")
    made = make("install", tmp_path)
    assert made.returncode != 0
    assert "move it away first" in made.stderr
    assert make("uninstall", tmp_path).returncode == 0
    assert other.read_text() == "#!/bin/sh\necho mine\n"


def test_uninstall_leaves_nothing(tmp_path: Path) -> None:
    """Protects a home from litter."""
    make("install", tmp_path)
    assert len([p for p in tmp_path.rglob("*") if p.is_file()]) == 4
    assert make("uninstall", tmp_path).returncode == 0
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []
