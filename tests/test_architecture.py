"""What ARCHITECTURE.md says of the tree is true."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "ARCHITECTURE.md").read_text()
NAMED = sorted(set(re.findall(r"`((?:ingest|zones|tests|config|systemd)/[\w./]*)`(?! \(new\))", TEXT)))


@pytest.mark.parametrize("place", NAMED)
def test_every_place_that_is_named_is_there(place: str) -> None:
    """Protects a stranger from being sent to a file that has moved."""
    assert (ROOT / place).exists()


def test_what_is_named_in_a_file_is_in_it() -> None:
    """Protects the walks: the list or function that they say to touch is in the file that they name."""
    rows = re.findall(r"^\| `([\w./]+\.py)` \| (.*) \|$", TEXT, re.MULTILINE)
    assert len(rows) > 5
    for place, words in rows:
        names = re.findall(r"`([A-Z_a-z]+)`", words)
        text = (ROOT / place).read_text()
        assert [name for name in names if name not in text] == [], place


def test_every_room_has_its_line() -> None:
    """Protects the picture from rooms that nobody drew."""
    rooms = {p.parent.relative_to(ROOT).as_posix() + "/" for p in (ROOT / "ingest").glob("*/*.py")}
    assert sorted(room for room in rooms if f"`{room}`" not in TEXT) == []
