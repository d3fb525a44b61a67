"""The truth on disk: what came in, in order, never edited."""

from ingest.journal.book import Journal
from ingest.journal.entry import (
    ALWAYS_MS,
    DAY_MS,
    KINDS,
    RANKS,
    STANDS_MS,
    Chunk,
    Columns,
    Contents,
    Entry,
    Filed,
    Person,
    Source,
)
from ingest.journal.notifications import Notifications
from ingest.journal.writer import Writer

__all__ = [
    "ALWAYS_MS",
    "DAY_MS",
    "KINDS",
    "RANKS",
    "STANDS_MS",
    "Chunk",
    "Columns",
    "Contents",
    "Entry",
    "Filed",
    "Journal",
    "Notifications",
    "Person",
    "Source",
    "Writer",
]
