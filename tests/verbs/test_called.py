"""Commands in messages: as whoever reads them has to type them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = f"#!{sys.executable}\nfrom ingest.cli import main\nmain()\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with the program in `.venv/bin`, as `make run` leaves it, and an empty data folder."""
    place = tmp_path / ".venv" / "bin" / "hartslag"
    place.parent.mkdir(parents=True)
    place.write_text(PROGRAM)
    place.chmod(0o755)
    (tmp_path / "demo").mkdir()
    return tmp_path


def told(home: Path, *words: str, path: str = "") -> str:
    root = str(Path(__file__).parents[2])
    environ = {**os.environ, "PYTHONPATH": root, "LANG": "C.UTF-8", "PATH": f"{path}:{os.environ['PATH']}"}
    done = subprocess.run(
        words, cwd=home, env=environ, capture_output=True, text=True, timeout=180, check=False
    )
    return done.stderr


def test_a_command_in_a_message_can_be_copied(home: Path) -> None:
    """Protects who has installed nothing yet: the program is named by the path it was called by, with the same folder."""
    assert "(`.venv/bin/hartslag --data demo run`)" in told(
        home, ".venv/bin/hartslag", "--data", "demo", "week"
    )
    assert "(`.venv/bin/hartslag --data=demo run`)" in told(
        home, ".venv/bin/hartslag", "--data=demo", "-v", "week"
    )


def test_a_command_that_the_shell_finds_has_its_name_alone(home: Path) -> None:
    """Protects the short name: through the script of `make install`, and where the folder of the program is in PATH."""
    program = home / ".venv" / "bin" / "hartslag"
    script = home / "bin" / "hartslag"
    script.parent.mkdir()
    script.write_text(f"#!/bin/sh\nexec '{program}' \"$@\"\n")
    script.chmod(0o755)
    assert "(`hartslag --data demo run`)" in told(
        home, str(script), "--data", "demo", "week", path=str(script.parent)
    )
    assert "(`hartslag --data demo run`)" in told(
        home, str(program), "--data", "demo", "week", path=str(program.parent)
    )
