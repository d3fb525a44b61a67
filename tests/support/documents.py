"""What the pages for people say: their blocks of commands and settings, headings and links, and commands run as a reader runs them.

python -m tests.support.documents FOLDER: runs the lines that come in as JSON in that folder, and says what became of each.
"""

import contextlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<info>[^\n]*)\n(?P<text>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE
)
_LINK = re.compile(r"!?\[(?P<words>(?:[^\[\]]|!\[[^\]]*\]\([^)]*\))*)\]\((?P<target>[^)\s]+)\)")
_SHELL = re.compile(r"[|<>*~$;&]|^\w+=")
"""Signs that a line is for a shell, and not a command alone."""


@dataclass(frozen=True)
class Block:
    """What stands between two lines of three backticks."""

    info: str
    text: str
    line: int

    @property
    def commands(self) -> list[str]:
        """Its lines, less comments."""
        return [line for line in self.text.splitlines() if line.strip() and not line.startswith("#")]


def blocks(text: str) -> Iterator[Block]:
    """All of a page, in order; the indent of a list is taken away."""
    for found in _FENCE.finditer(text):
        indent = len(found["indent"])
        lines = [line[indent:] for line in found["text"].splitlines()]
        yield Block(found["info"].strip(), "\n".join(lines), text.count("\n", 0, found.start()) + 1)


def prose(text: str) -> str:
    """A page without its blocks."""
    return _FENCE.sub("", text)


def spans(text: str) -> list[str]:
    """What a page sets as code within its sentences."""
    return [" ".join(found.split()) for found in re.findall(r"(?<!`)`([^`]+)`(?!`)", prose(text))]


def links(text: str) -> list[str]:
    """Where a page leads, pictures among it."""
    text = re.sub(r"(?<!`)`[^`]+`(?!`)", "code", prose(text))
    return [found["target"] for found in _LINK.finditer(text)]


def anchors(text: str) -> set[str]:
    """The names of a page's headings, as a website of repositories makes them of their words."""
    titles = re.findall(r"^#+ (.*)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@dataclass(frozen=True)
class Ran:
    """What became of a command."""

    command: str
    code: int
    said: str


def run_commands(commands: Sequence[str], folder: Path) -> list[Ran]:
    """Run them one after the other where a reader would; one process for all, as starting Python is most of the time."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.documents", str(folder)],
        input=json.dumps(list(commands)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=ROOT,
        env={**os.environ, "TZ": "Europe/Amsterdam", "LANG": "C.UTF-8", "HOME": str(folder)},
    )
    assert done.returncode == 0, done.stderr
    return [Ran(*each) for each in json.loads(done.stdout)]


def _run(line: str) -> tuple[str, int, str]:
    from ingest.cli import main

    command = line.removeprefix(".venv/bin/")

    if not command.startswith("hartslag ") or _SHELL.search(command):
        script = f'hartslag() {{ "{sys.executable}" -m ingest "$@"; }}\n{command}'
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            capture_output=True,
            text=True,
            check=False,
            env=environ,
        )
        return line, done.returncode, done.stdout + done.stderr
    sys.argv = shlex.split(command)
    said = io.StringIO()
    code = 0
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
    return line, code, said.getvalue()


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    print(json.dumps([_run(command) for command in json.load(sys.stdin)]))
