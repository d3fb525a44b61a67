"""The mark of a deletion that is on its way, apart from all that carries it out: `status` and `check` look for it."""

from pathlib import Path

from ingest.settings.model import Settings


def mark_of(settings: Settings) -> Path:
    """The file that is there as long as a deletion was begun and is not complete."""
    return settings.journal_file.with_name("deleting")


def is_begun(settings: Settings) -> bool:
    """Whether one was broken off."""
    return mark_of(settings).exists()
