"""An inbox in which thousands of files wait is asked about one by one: what that costs must not grow with what came before."""

import hashlib
from pathlib import Path

from ingest.journal import Journal


def look(journal: Journal) -> None:
    """What is asked of the journal for one file that has arrived."""
    new = b"x" * 32
    assert journal.committed_arrivals("anna", "x.fit", new) == []
    assert journal.unfinished_arrival("anna", "x.fit", new) == (None, set())
    assert not journal.known_copy("anna", new)
    assert journal.unfiled_arrivals() == []


def steps_of_a_look(folder: Path, arrivals: int) -> int:
    """How many instructions SQLite takes for what the inbox asks of one file, after so many came in."""
    with Journal(folder / f"{arrivals}.db") as journal:
        with journal.write() as w:
            anna = w.person("anna")
            for i in range(arrivals):
                sha256 = hashlib.sha256(str(i).encode()).digest()
                arrival = w.arrival(anna, f"2026/{i:07d}_ACTIVITY.fit", sha256, kept=False)
                w.end_arrival(arrival, f"archive/2026/{i:07d}_ACTIVITY.fit", None)
                w.arrivals_filed([arrival])
        steps = 0

        def count() -> int:
            nonlocal steps
            steps += 1
            return 0

        look(journal)
        journal._db.set_progress_handler(count, 1)
        look(journal)
        journal._db.set_progress_handler(None, 1)
        return steps


def test_a_file_is_looked_for_in_as_many_steps_after_thousands_as_after_ten(tmp_path: Path) -> None:
    """Protects a full inbox from minutes of silence: 20,000 files took 20,000 looks at 20,000 arrivals."""
    few, many = steps_of_a_look(tmp_path, 10), steps_of_a_look(tmp_path, 3000)
    assert few > 0
    assert many < few + 30, (few, many)
