"""The settings file as something to be written: who may, and what is said to whom who may not."""

import os
from pathlib import Path

import pytest

from ingest.errors import Stop
from ingest.settings.file import FILE_NAME
from ingest.verbs.command import Invocation
from ingest.verbs.setup import open_own_file
from tests.support.other_user import NOBODY, open_to_others, run_as


def refusal(folder: Path) -> str:
    """What is said to somebody, who is not root, who wants to change the settings in a folder."""

    def ask() -> str:
        try:
            return str(open_own_file(Invocation(None, folder), "setup"))
        except Stop as e:
            return str(e)

    return run_as(NOBODY, ask)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder of somebody who is not root."""
    own = tmp_path / "own"
    own.mkdir()
    open_to_others(own)
    os.chown(own, NOBODY, NOBODY)
    return own


@pytest.mark.root
@pytest.mark.parametrize("mode", [0o555, 0o000])
def test_a_folder_of_my_own_that_is_locked_is_called_that(folder: Path, mode: int) -> None:
    """Protects who locked their own folder: nobody else is blamed, no password is asked for, and what opens it is said."""
    folder.chmod(mode)
    said = refusal(folder)
    assert "folder" in said
    assert "somebody else" not in said
    assert "sudo" not in said
    assert said.splitlines()[-1].strip() == f"chmod u+rwx {folder}"


@pytest.mark.root
def test_a_file_of_my_own_that_is_locked_is_called_that(folder: Path) -> None:
    """Protects who locked their own settings file against reading: nobody else is blamed for it."""
    file = folder / FILE_NAME
    file.touch(0o000)
    os.chown(file, NOBODY, NOBODY)
    said = refusal(folder)
    assert "somebody else" not in said
    assert said.splitlines()[-1].strip() == f"chmod u+rw {file}"


@pytest.mark.root
def test_a_folder_of_somebody_else_is_called_that(tmp_path: Path) -> None:
    """Protects from words about a settings file that does not exist: it is the folder that belongs to somebody else."""
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    open_to_others(tmp_path)
    theirs.chmod(0o755)
    said = refusal(theirs)
    assert said.startswith(f"The folder {theirs} belongs to somebody else")
    assert said.splitlines()[-1].strip().startswith("sudo ")
