"""Earlier copies that must go as soon as there is a next one: somebody was deleted while the copies were out of reach."""

from ingest.settings.model import Settings
from ingest.system.files import write_file

_NAME = "copies-owed"


def owe(settings: Settings) -> None:
    """Note that no copy from before now may stay. It says nothing of whom that is for."""
    write_file(settings.journal_file.with_name(_NAME), b"")


def is_owed(settings: Settings) -> bool:
    """Whether earlier copies are to go."""
    return settings.journal_file.with_name(_NAME).exists()


def settle(settings: Settings) -> None:
    """They are gone."""
    settings.journal_file.with_name(_NAME).unlink(missing_ok=True)
