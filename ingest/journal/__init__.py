"""The truth on disk: what came in, in order, never edited."""

from ingest.journal.book import DAY_MS, Journal, Writer
from ingest.journal.entry import KINDS, RANKS, Chunk, Columns, Entry, Filed, Person, Source

__all__ = [
    "DAY_MS",
    "KINDS",
    "RANKS",
    "Chunk",
    "Columns",
    "Entry",
    "Filed",
    "Journal",
    "Person",
    "Source",
    "Writer",
]
