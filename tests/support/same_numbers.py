"""What real recordings come to, as digests that must be the same on every machine: python -m tests.support.same_numbers FOLDER.

A line for the samples as `export` prints them, and one for each row of a store; real numbers go in with all their digits.
"""

import hashlib
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from ingest.collect.arrival import Arrivals
from ingest.collect.reader_process import ReaderProcess
from ingest.household import persons_called
from ingest.verbs.samples_csv import export_lines, local_spans
from tests.support.households import Noted, filled, happen, household

PROFILE = (
    ("born", 1975),
    ("maximum_bpm", 182),
    ("resting_bpm", 52),
    ("sex", "woman"),
    ("zone", "Europe/Amsterdam"),
)


def digests(recordings: Path, data: Path) -> Iterator[str]:
    """The lines, of all recordings of a folder as those of one person."""
    inbox = data / "inbox"
    inbox.mkdir()
    with household(data) as journal:
        happen(journal, Noted("Anna", PROFILE))
        with ReaderProcess(1 << 26) as reader:
            arrivals = Arrivals(journal, reader, data)
            for path in sorted(recordings.glob("*.[fF][iI][tT]")):
                # A copy: what comes in is moved into the archive.
                copy = Path(shutil.copyfile(path, inbox / path.name))
                arrivals.take(copy, copy.name, "Anna")
        persons = persons_called(journal, None)
        text = "\n".join(export_lines(journal, local_spans(journal, persons, None, None)))
        yield f"export {len(text)} {digest(text)}"
        for table, rows in sorted(filled(journal, data / "store.db").items()):
            if table != "collector":  # what it tells of is when files came in
                yield from (f"{table} {when(row[0])} {digest(repr(row))}" for row in rows)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def when(time: float) -> str:
    """A moment as somebody reads it who looks for the row."""
    return datetime.fromtimestamp(time, UTC).isoformat()


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        for line in digests(Path(sys.argv[1]), Path(folder)):
            print(line)
