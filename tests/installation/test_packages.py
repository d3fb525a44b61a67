"""pip, as somebody who installs hears of it: nothing while it goes well, words when it does not."""

import subprocess
import sys
from pathlib import Path

import pytest

from ingest.errors import Stop
from ingest.installation.packages import can_be_loaded, install_packages, share_packages
from tests.support.programs import linked_program

ROOT = Path(__file__).parents[2]


def environment(folder: Path, said: str, code: int) -> Path:
    """An environment whose pip says and does no more than this."""
    python = folder / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\ncat <<'END'\n{said}\nEND\nexit {code}\n")
    python.chmod(0o755)
    return folder


def test_what_pip_tells_is_not_shown_to_a_pipe(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Protects a log, and who reads slowly, from hundreds of lines and from words about the future of pip."""
    said = "Collecting numpy\nDEPRECATION: Building 'fitparse' using the legacy setup.py\nInstalling collected packages: numpy"
    install_packages(environment(tmp_path / "new", said, 0), ROOT, editable=False)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("WARNING: Retrying after connection broken by 'NewConnectionError'", "needs the internet"),
        ("ERROR: Could not install packages: [Errno 28] No space left on device", "disk is full: 270 MB"),
        (
            "error: something rare\n\nERROR: it failed",
            "pip says:\n  error: something rare\n  ERROR: it failed",
        ),
    ],
    ids=["no network", "no room", "anything else"],
)
def test_what_keeps_it_from_being_installed_is_said(tmp_path: Path, said: str, words: str) -> None:
    """Protects who never saw pip from its pages: a sentence says what to do."""
    with pytest.raises(Stop) as stopped:
        install_packages(environment(tmp_path / "new", said, 1), ROOT, editable=False)
    assert words in stopped.value.text


def test_a_bare_python_can_install() -> None:
    """Protects the first minute on a new Pi: what installs the packages needs none of them."""
    script = "import sys; sys.path.insert(0, sys.argv[1]); import ingest.installation.__main__, ingest.settings.installed"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", script, str(ROOT)], check=False, capture_output=True
    )
    assert done.returncode == 0, done.stderr


def test_an_update_shares_what_the_version_before_has(tmp_path: Path) -> None:
    """Protects a slow Pi, and a card: what did not change is neither fetched nor written again, and stays the other's too."""
    before, new = tmp_path / "before", tmp_path / "new"
    packages = before / "lib" / "python3.13" / "site-packages"
    for name in ("numpy/core.py", "hartslag-0.1.dist-info/RECORD", "ingest/cli.py", "pip/old.py"):
        (packages / name).parent.mkdir(parents=True, exist_ok=True)
        (packages / name).write_text(name)
    own = new / "lib" / "python3.13" / "site-packages"
    (own / "pip").mkdir(parents=True)
    (own / "pip" / "old.py").write_text("newer")
    share_packages(before, new)
    held = sorted(str(p.relative_to(own)) for p in own.rglob("*") if p.is_file())
    assert held == ["numpy/core.py", "pip/old.py"]
    assert (own / "numpy" / "core.py").samefile(packages / "numpy" / "core.py")
    assert (own / "pip" / "old.py").read_text() == "newer"


def test_what_lacks_a_package_is_not_taken_for_whole(tmp_path: Path) -> None:
    """Protects from an update that shares a damaged package with the version before."""
    linked_program(tmp_path / "whole", ROOT)
    linked_program(tmp_path / "half", ROOT)
    (tmp_path / "half" / "lib").unlink()
    assert can_be_loaded(tmp_path / "whole")
    assert not can_be_loaded(tmp_path / "half")
