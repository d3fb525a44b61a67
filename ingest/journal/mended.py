"""What is noted of mending a journal: where everything lies, what the last time found, which files are to be read again.

Apart from what mends, as `status` and every opening of the journal ask for it.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from ingest.journal.damage import Damage
from ingest.system.files import write_file


@dataclass(frozen=True, slots=True)
class Places:
    """Where everything lies that mending has to do with: the journal, and what it was made from."""

    journal: Path
    data: Path
    archive: Path

    @property
    def report(self) -> Path:
        """What the last mending found, for `status`."""
        return self.journal.with_name("repaired.json")

    @property
    def read_again(self) -> Path:
        """The list of files that are to be read once more."""
        return self.journal.with_name("read-again.json")


@dataclass(frozen=True, slots=True)
class Mended:
    """What mending found: what is gone, the files that are read again, and where the damaged journal lies."""

    at_ms: int
    why: str
    kept: str
    entries: int
    chunks: int
    lost: list[Damage] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


def pending(places: Places) -> list[str]:
    """The files that are still to be read again."""
    try:
        found = json.loads(places.read_again.read_bytes())
    except (OSError, ValueError):
        return []
    return [str(place) for place in found] if isinstance(found, list) else []


def done(places: Places, left: list[str]) -> None:
    """Note which files are still to be read again. Raises OSError."""
    if left:
        write_file(places.read_again, json.dumps(left).encode())
    else:
        places.read_again.unlink(missing_ok=True)


def last_mending(places: Places) -> Mended | None:
    """What the last mending found, None when there was none."""
    try:
        told = json.loads(places.report.read_bytes())
        return Mended(**told | {"lost": [Damage(**d) for d in told["lost"]]})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def note_mending(places: Places, mended: Mended) -> None:
    """Write down what the last mending found. Raises OSError."""
    write_file(places.report, json.dumps(asdict(mended), ensure_ascii=False).encode())


def keep_mending_of(places: Places, persons: Iterable[str]) -> None:
    """Let go of what the last mending found to be lost of everybody but these persons. Raises OSError."""
    last, names = last_mending(places), {*persons, ""}
    if last is not None:
        note_mending(places, replace(last, lost=[d for d in last.lost if d.person in names]))
