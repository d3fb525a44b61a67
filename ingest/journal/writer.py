"""Appending to the journal: what one transaction may do."""

from ingest.journal.file_writer import FileWriter
from ingest.journal.strap_writer import StrapWriter


class Writer(StrapWriter, FileWriter):
    """One transaction of the journal: what straps and files bring, and what is said of persons."""
