"""What CI has root run once more, and what it does not."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LISTED = [
    line
    for line in (ROOT / ".ci" / "same-for-everybody").read_text().splitlines()
    if not line.startswith("#")
]
ABOUT_USERS = re.compile(r"mark\.root|needs\.root|other_user|gete?[ug]id|chmod|chown|st_mode|st_uid|umask")


@pytest.mark.parametrize("room", LISTED)
def test_what_root_does_not_repeat_asks_nothing_of_users(room: str) -> None:
    """Protects promises about users and modes of files from never being tried as root: a room that has one is not left out."""
    place = ROOT / room
    files = [place] if place.is_file() else sorted(place.rglob("test_*.py"))
    assert files
    assert [f.name for f in files if ABOUT_USERS.search(f.read_text())] == []


def test_what_runs_on_32_bits_is_there() -> None:
    """Protects a room of tests that was renamed from running on 32 bits no more: zones and rows as a whole, and the recordings."""
    asked = (ROOT / ".ci" / "narrow-tests").read_text().split()
    assert {"tests/zones", "tests/rows", "tests/formats/fit/test_recordings.py"} <= set(asked)
    assert [room for room in asked if not (ROOT / room).exists()] == []
