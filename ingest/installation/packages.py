"""The packages that the program needs, in a virtual environment: by pip, in silence but for a calm line of progress.

PyPI has ready-made packages of numpy and dbus-fast for 64 bits only. Elsewhere numpy is Debian's and dbus-fast is built
without its part in C (its own switch SKIP_CYTHON): compiling them would take a Pi hours.
"""

import os
import platform
import re
import select
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory

from ingest.errors import Stop
from ingest.language import gettext as _

DOWNLOAD_MB, DISK_MB = 60, 270

WITH_WHEELS = ("x86_64", "aarch64")
FROM_DEBIAN = {"numpy": (2, 0), "matplotlib": (3, 9)}
"""Packages of Debian, and the least version that will do; Debian 13 has them."""

_OF_MATPLOTLIB = [
    "contourpy",
    "cycler",
    "fonttools",
    "kiwisolver",
    "packaging",
    "pillow",
    "pyparsing",
    "python-dateutil",
    "six",
]
_STILL_S = 5.0
_OUT_OF_REACH = re.compile(
    "NewConnectionError|ConnectionError|ConnectTimeout|ReadTimeout|Name or service not known|Network is unreachable"
    "|name resolution|No matching distribution found|Could not find a version",
)


def has_wheels() -> bool:
    """Whether everything comes ready-made for this machine; a 32-bit system may have a 64-bit kernel."""
    return platform.machine() in WITH_WHEELS and struct.calcsize("P") == 8


def require_debians() -> None:
    """Raise Stop, with the line to type, unless Debian's packages are there that stand in for those of PyPI, if need be."""
    if has_wheels():
        return
    missing = [name for name, least in FROM_DEBIAN.items() if _version(name) < least]
    if not missing:
        return
    words = _(
        "This system has 32 bits (or a rare processor): hartslag is made for 64 bits, and a Raspberry Pi OS of 64 bits "
        "runs on every Pi since the Pi 3 and the Pi Zero 2. On this one it needs Debian 13 or newer, and Debian's own "
        "packages. Type this, then the same command again:\n"
        "  sudo apt install {packages}"
    )
    raise Stop(words.format(packages=" ".join(f"python3-{name}" for name in missing)))


def _version(package: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in re.findall(r"\d+", metadata.version(package))[:2])
    except metadata.PackageNotFoundError:
        return (0,)


def make_environment(folder: Path) -> None:
    """An empty virtual environment in a folder. Raises Stop."""
    require_debians()
    words = [sys.executable, "-m", "venv", *([] if has_wheels() else ["--system-site-packages"]), str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - our own interpreter
    if done.returncode:
        hint = _("Python's venv is missing. Install it with:\n  sudo apt install python3-venv")
        raise Stop(hint if "ensurepip" in done.stdout + done.stderr else (done.stderr or done.stdout).strip())


def install_packages(environment: Path, source: Path, *, editable: bool) -> None:
    """Install the program in the folder `source`, and all that it needs, into an environment. Raises Stop in words.

    An `editable` one runs from that folder, and follows what changes in it.
    """
    what = ["-e", str(source)] if editable else [str(source)]
    with TemporaryDirectory() as passing:
        constraints = Path(passing) / "constraints.txt"
        constraints.write_text("".join(_constraints(source)))
        environ = _pip_environment(constraints)
        code, said = _pip(environment, ["-c", str(constraints), *what], environ)
        if code:
            raise _not_installed(said)
        # A CRC in C where there is a wheel for this machine; numpy does it elsewhere.
        fast = ["--only-binary", "fastcrc", "fastcrc"]
        _pip(environment, ["-c", str(constraints), *fast], environ)


def share_packages(before: Path, environment: Path) -> None:
    """Have an environment hold what another has, as the same files on the card; pip then renews what is to be renewed.

    It never writes into a file: it puts another in its place, so the one before keeps its own.
    """
    for folder in environment.glob("lib/python3.*/site-packages"):
        origin = before / folder.relative_to(environment)
        for found in origin.rglob("*"):
            target = folder / found.relative_to(origin)
            is_program = target.relative_to(folder).parts[0].partition("-")[0] in {
                "ingest",
                "zones",
                "hartslag",
            }
            if not is_program and found.is_file() and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                os.link(found, target)


def can_be_loaded(environment: Path) -> bool:
    """Whether the program in an environment finds all that it needs, whole."""
    every = "import ingest.cli, ingest.daemon, bleak, fitparse, influxdb_client, jinja2, matplotlib, rich, tomlkit"
    words = [str(environment / "bin" / "python"), "-I", "-c", every]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0  # noqa: S603 - what was installed


def _constraints(source: Path) -> Iterator[str]:
    """The versions that were tried together, but of what Debian has in its own."""
    others = () if has_wheels() else (*FROM_DEBIAN, *_OF_MATPLOTLIB)
    with (source / ".ci" / "constraints.txt").open(encoding="utf-8") as lines:
        yield from (line for line in lines if line.partition("==")[0].casefold() not in others)


def _pip_environment(constraints: Path) -> dict[str, str]:
    return {
        **os.environ,
        # Also holds for what building a package needs.
        "PIP_CONSTRAINT": str(constraints),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        # Else pip tells at length how it will build two packages in the future.
        "PIP_USE_PEP517": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
        **({} if has_wheels() else {"SKIP_CYTHON": "1"}),
    }


def _pip(environment: Path, words: Sequence[str], environ: Mapping[str, str]) -> tuple[int, list[str]]:
    """How pip ended, and what it said."""
    command = [
        str(environment / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--no-input",
        "--progress-bar",
        "off",
        *words,
    ]
    said = ""
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environ) as pip,  # noqa: S603
        _progress_line() as show,
    ):
        assert pip.stdout is not None
        try:
            while True:
                if not select.select([pip.stdout], [], [], _STILL_S)[0]:
                    show("")
                elif more := os.read(pip.stdout.fileno(), 1 << 16).decode(errors="replace"):
                    begun = said.rpartition("\n")[2]
                    said += more
                    for line in (begun + more).splitlines():
                        show(line)
                else:
                    break
        except BaseException:
            pip.terminate()
            raise
    return pip.returncode, said.splitlines()


@contextmanager
def _progress_line() -> "Iterator[_ProgressLine]":
    line = _ProgressLine()
    try:
        yield line
    finally:
        line.clear()


class _ProgressLine:
    """How many packages, how long, and which one now: on one line of a terminal, and not at all elsewhere."""

    def __init__(self) -> None:
        self._began, self._number, self._now = time.monotonic(), 0, ""
        self._is_shown = sys.stderr.isatty()

    def __call__(self, said: str) -> None:
        """Show it anew, after pip said something, or nothing for a while."""
        if found := re.match(r"\s*(?:Collecting|Building wheel for) ([\w.-]+)", said):
            self._number += said.lstrip().startswith("Collecting")
            self._now = found[1]
        elif said.startswith("Installing collected"):
            self._now = _("putting them in place")
        if self._is_shown:
            minutes, seconds = divmod(round(time.monotonic() - self._began), 60)
            line = _("{number} packages, {time} min: {now}").format(
                number=self._number, time=f"{minutes}:{seconds:02}", now=self._now
            )
            print(f"\r\x1b[K  {line[:70]}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Take it away."""
        if self._is_shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _not_installed(said: Sequence[str]) -> Stop:
    text = "\n".join(said)
    if "No space left on device" in text or "Disk quota exceeded" in text:
        return Stop(
            _(
                "The disk is full: {megabytes} MB are needed. Make room, then type the same command again."
            ).format(megabytes=DISK_MB)
        )
    if _OUT_OF_REACH.search(text):
        return Stop(
            _(
                "Installing needs the internet, this once. Connect this machine, then type the same command again."
            )
        )
    last = [line for line in said if line.strip()][-6:]
    return Stop(
        "\n".join([_("A package could not be installed. pip says:"), *(f"  {line}" for line in last)])
    )
