"""A settings file under a name that is not read: its owner learns that it is there, and how it must be called."""

from pathlib import Path

import pytest

from ingest.errors import WrongSettings
from ingest.settings.file import load
from ingest.settings.misnamed import misnamed


@pytest.mark.parametrize(
    "name",
    [
        "Hartslag.toml",
        "HARTSLAG.TOML",
        "hartslag.tml",
        "hartslag.toml.txt",
        "hartslag.txt",
        "hartslag (1).toml",
        "hartslag - kopie.toml",
        "hartslag.toml.toml",
        "hartslg.toml",
        "hartslag.ini",
    ],
)
def test_a_file_that_must_be_meant_is_named(tmp_path: Path, name: str) -> None:
    """Protects who wrote settings that nobody reads: they never pass for no file, and the right name is said."""
    (tmp_path / name).write_text('[[person]]\nname = "Anna"\n')
    with pytest.raises(WrongSettings) as told:
        load(None, tmp_path, {}, tmp_path, system=tmp_path / "nowhere")
    assert name in str(told.value)
    assert 'give it the name "hartslag.toml"' in str(told.value)


@pytest.mark.parametrize(
    "name", ["hartslag.db", "hartslag-2026.zip", "notes.txt", "strap.toml", "hartslag.log"]
)
def test_what_is_something_else_is_left_alone(tmp_path: Path, name: str) -> None:
    """Protects copies and notes in the same folder from being taken for settings."""
    (tmp_path / name).write_text("something")
    assert misnamed(tmp_path / "hartslag.toml") is None


@pytest.mark.parametrize(
    ("above", "of_anna", "words"),
    [
        ("", "born = 14-03-1978", "the year is enough: born = 1978"),
        ("", 'born = "14-03-1978"', "the year is enough: born = 1978"),
        ("age = 48", "", "born is meant, perhaps, which belongs below [[person]]"),
        ("", 'zone = "Etc/GMT+1"', "1 h behind UTC, west of Greenwich"),
        ("", 'zone = "Etc/GMT-2"', "2 h ahead of UTC, east of Greenwich"),
        ("", 'zone = "GMT+1"', "no time zone but hours beside UTC"),
    ],
)
def test_what_people_write_is_told_in_their_words(
    tmp_path: Path, above: str, of_anna: str, words: str
) -> None:
    """Protects who writes a birthday, an age above the person, or a zone whose sign is the other way round."""
    (tmp_path / "hartslag.toml").write_text(f'{above}\n[[person]]\nname = "Anna"\n{of_anna}\n')
    with pytest.raises(WrongSettings) as told:
        load(None, tmp_path, {}, tmp_path)
    assert words in str(told.value)
