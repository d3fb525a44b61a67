"""In which letters the program works, whatever the locale of a terminal or service says."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ingest.demo.fit_encoder import workout

ERA_S = 631_065_600
ROOT = Path(__file__).parents[2]
NAME = "Zoë 日"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder of somebody with letters that not every locale has, and a workout beside it."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "hartslag.toml").write_text(f'[[person]]\nname = "{NAME}"\nzone = "UTC"\n', encoding="utf-8")
    start = int(time.time()) - 86_400 - ERA_S
    (tmp_path / "a.fit").write_bytes(workout(start, [130 + i % 7 for i in range(600)]))
    return folder


def hartslag(data: Path, *words: str | bytes, **locale: str) -> subprocess.CompletedProcess[bytes]:
    """A process of its own under a locale: the letters of a process are decided at its start."""
    environ = {n: v for n, v in os.environ.items() if not n.startswith(("LC_", "LANG", "PYTHON"))}
    done = subprocess.run(
        [sys.executable, "-m", "ingest", "--data", data, *words],
        env={**environ, "PYTHONPATH": str(ROOT), **locale},
        cwd=data.parent,
        capture_output=True,
        timeout=180,
        check=False,
    )
    assert b"Traceback" not in done.stderr, done.stderr
    return done


@pytest.mark.parametrize("locale", ["C", "POSIX"])
def test_names_lie_in_the_archive_as_utf8_whatever_the_locale(data: Path, locale: str) -> None:
    """Protects a file that came in and was not archived: a locale without letters of a name is no reason, and JSON stays UTF-8."""
    letters = {"LC_ALL": locale, "PYTHONUTF8": "0"}
    added = hartslag(data, "add", "a.fit", **letters)
    assert added.returncode == 0, added.stderr
    archived = [p for p in data.rglob("*.fit") if "archive" in p.parts]
    assert [p.parent.name for p in archived] == [NAME]
    assert b"Zo? ?" in hartslag(data, "week", **letters).stdout
    assert json.loads(hartslag(data, "week", "--json", **letters).stdout.decode())[0]["person"] == NAME
    assert NAME in hartslag(data, "export", **letters).stdout.decode()


def test_a_terminal_is_read_and_written_in_its_own_letters(data: Path, tmp_path: Path) -> None:
    """Protects a terminal of Latin-1: a name that is typed there is that name, a file is found by its octets, and no UTF-8 is shown."""
    made = subprocess.run(
        ["/bin/sh", "-c", f"localedef -i nl_NL -f ISO-8859-1 '{tmp_path}/nl_NL.ISO-8859-1'"],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("a locale of Latin-1 cannot be made here (apt-get install locales)")
    letters = {"LOCPATH": str(tmp_path), "LC_ALL": "nl_NL.ISO-8859-1"}
    (tmp_path / "a.fit").rename(os.fsdecode(os.fsencode(tmp_path) + b"/zo\xeb.fit"))
    added = hartslag(data, "add", b"zo\xeb.fit", **letters)
    assert added.returncode == 0, added.stderr
    assert b"Zo\xeb ?" in added.stdout
    renamed = hartslag(data, "rename", NAME.encode(), b"Lo\xefs", "--yes", **letters)
    assert renamed.returncode == 0, renamed.stderr
    assert "Loïs" in (data / "hartslag.toml").read_text(encoding="utf-8")
