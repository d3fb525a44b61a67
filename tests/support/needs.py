"""What a test cannot do without. Where it is missing the test is skipped; in CI, where all of it is installed, it fails."""

import os
import shutil
from importlib.util import find_spec
from typing import NoReturn

import pytest

IN_CI = os.environ.get("CI") == "true"


def skip_without(what: str, remedy: str) -> NoReturn:
    """End the test that runs: `what` is not here, and `remedy` brings it."""
    why = f"{what} is missing ({remedy})"
    if IN_CI:
        pytest.fail(why)
    pytest.skip(why)


def root() -> None:
    """Skips the test for everybody else; CI runs the tests as root, too."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user or mount a disk (sudo .venv/bin/pytest)")


def program(name: str, remedy: str) -> str:
    """The path of a program."""
    found = shutil.which(name)
    if found is None:
        skip_without(name, remedy)
    return found


def package(name: str, remedy: str) -> None:
    """Ends the test where a Python package is not installed; the test imports it afterwards."""
    if find_spec(name) is None:
        skip_without(name, remedy)
