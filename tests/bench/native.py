"""The decoders of other languages, as programs: `tests/bench/decoders/go` and `rust`, built where their toolchains are.

Each reads the FIT files of a folder and prints what `tests.bench.fit` measures, as JSON.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = Path(__file__).parent / "decoders"
BUILT = ROOT / "build" / "bench"
TOOLCHAINS = os.pathsep.join(
    [os.environ.get("PATH", ""), "/usr/local/go/bin", str(Path.home() / ".cargo" / "bin")]
)

PROGRAMS: dict[str, tuple[str, list[str], Path]] = {
    "go": ("Go, muktihari/fit", ["go", "build", "-o", str(BUILT / "go-decode"), "."], BUILT / "go-decode"),
    "rust": (
        "Rust, fitparser",
        ["cargo", "build", "--quiet", "--release", "--locked", "--target-dir", str(BUILT / "rust")],
        BUILT / "rust" / "release" / "decode",
    ),
}
"""Folder below `decoders` -> what it is called, how it is built, and where it is then."""


def build_decoders() -> dict[str, tuple[str, Path]]:
    """What each is called and its program; one that cannot be built here is left out, and why is said."""
    built = {}
    for language, (words, command, program) in PROGRAMS.items():
        tool = shutil.which(command[0], path=TOOLCHAINS)
        if tool is None:
            print(f"{command[0]} is not here: {words} is left out.", file=sys.stderr)
            continue
        done = subprocess.run(
            [tool, *command[1:]], cwd=SOURCES / language, env={**os.environ, "PATH": TOOLCHAINS},
            check=False, capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode:
            print(
                f"{words} could not be built and is left out: {done.stderr.strip()[-500:]}", file=sys.stderr
            )
            continue
        built[language] = words, program
    return built
