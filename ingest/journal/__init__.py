"""The truth on disk: what came in, in order, never edited."""

from ingest.formats.recording import DAY_MS, KINDS, RANKS, Columns
from ingest.journal.entry import (
    ALWAYS_MS,
    STANDS_MS,
    Chunk,
    Entry,
    Filed,
    Person,
    Source,
)
from ingest.journal.notifications import Notifications
from ingest.journal.reader import Journal, clock_ms
from ingest.journal.strap_writer import Counts
from ingest.journal.writer import Writer

__all__ = [
    "ALWAYS_MS",
    "DAY_MS",
    "KINDS",
    "RANKS",
    "STANDS_MS",
    "Chunk",
    "Columns",
    "Counts",
    "Entry",
    "Filed",
    "Journal",
    "Notifications",
    "Person",
    "Source",
    "Writer",
    "clock_ms",
]
