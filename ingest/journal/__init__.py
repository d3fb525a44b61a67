"""The truth on disk: what came in, in order, never edited."""

from ingest.journal.book import Journal
from ingest.journal.entry import (
    ALWAYS_MS,
    DAY_MS,
    KINDS,
    RANKS,
    Chunk,
    Columns,
    Contents,
    Entry,
    Filed,
    Person,
    Source,
)
from ingest.journal.writer import Writer

__all__ = [
    "ALWAYS_MS",
    "DAY_MS",
    "KINDS",
    "RANKS",
    "Chunk",
    "Columns",
    "Contents",
    "Entry",
    "Filed",
    "Journal",
    "Person",
    "Source",
    "Writer",
]
