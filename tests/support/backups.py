"""Data folders that are copied elsewhere, and what is in them as something to compare."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ingest.backup.copies import Backup
from ingest.backup.place import MARK
from ingest.backup.staging import stage
from ingest.backup.taking import Taken, Taking, nothing
from ingest.journal import Journal
from ingest.settings.model import Settings
from ingest.system.sqlite_dump import dump
from tests.support.households import Event, happen, household

SETTINGS_TEXT = '# of mine\n[[person]]\nname = "Anna"\n'


def home_with_copies(tmp_path: Path, events: Iterable[Event] = ()) -> Settings:
    """A data folder with a journal and a settings file, and a folder beside it that may take copies."""
    data, folder = tmp_path / "data", tmp_path / "stick"
    with household(data, events):
        pass
    (data / "hartslag.toml").write_text(SETTINGS_TEXT)
    folder.mkdir()
    (folder / MARK).write_text("")
    return replace(Settings(data), file=data / "hartslag.toml", backup_folder=folder)


def take_copy(settings: Settings, **options: Any) -> Taken:
    """A copy taken now."""
    return Taking(settings, **options).take()


def comes_in(settings: Settings, *events: Event) -> None:
    """Something more happens in a home."""
    with Journal(settings.journal_file) as journal:
        for event in events:
            happen(journal, event)


def archived(settings: Settings, name: str, content: bytes) -> Path:
    """A file that was taken."""
    path = settings.archive / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def content_of(data: Path) -> dict[str, object]:
    """What a copy must bring back: the journal row by row, each file, and the settings."""
    found: dict[str, object] = {"journal": list(dump(data / "journal" / "journal.db"))}
    for folder in ("archive", "rejected"):
        for path in (data / folder).rglob("*"):
            if path.is_file():
                found[str(path.relative_to(data))] = (path.read_bytes(), path.stat().st_mtime_ns)
    found["settings"] = (data / "hartslag.toml").read_bytes()
    return found


def the_backup(settings: Settings) -> Backup:
    """The copies of the only journal in the folder."""
    assert settings.backup_folder is not None
    (folder,) = (p for p in settings.backup_folder.iterdir() if p.is_dir())
    return Backup(folder)


def brought_back(settings: Settings, into: Path, number: int | None = None) -> dict[str, object]:
    """What is in a copy, the newest unless its number is given."""
    backup = the_backup(settings)
    copies = {copy.number: copy for copy in backup.copies()}
    into.mkdir(parents=True)
    stage(backup, copies[number or max(copies)], into, nothing)
    return content_of(into)


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
