"""What lies in the journal, as it is read back."""

from dataclasses import dataclass
from typing import Any

from ingest.formats.recording import Columns
from ingest.journal.notifications import Notifications

ALWAYS_MS = 1 << 50
"""Beyond any date a calendar here can name (year 37,648): "from the beginning" and "for ever"."""

UNDATED_MS = -(1 << 60)
"""The "date" of what was heard by a steady clock of which nobody knows when it was: as much before that moment as the clock
shows, where no question about a time reaches it."""

LEAST_MAXIMUM_BPM, MOST_MAXIMUM_BPM = 100, 230
"""A watch's own maximum outside these is not one; it never decides anything."""

STANDS_MS = 5_000
"""How long a strap's last notification before a gap stands at most; straps notify about once a second."""

LONGEST_STRAP_CHUNK_MS = 3_600_000
"""No chunk of a strap is longer when it is appended, nor twice that when some were merged."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who the heart belongs to; the number never changes, the name is a label."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Source:
    """One origin of heart rates of one person; of two that saw the same second the lower rank is believed."""

    id: int
    person: int
    name: str
    kind: str
    rank: int


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """One committed batch of columns from one source; of a strap also the notifications that say so."""

    position: int
    source: Source
    first_ms: int
    last_ms: int
    columns: Columns
    notifications: Notifications | None = None

    @property
    def connection(self) -> tuple[str, int] | None:
        """The connection to a strap that this is of: its boot, and its beginning by the steady clock (ms)."""
        return (self.notifications.boot, self.notifications.connection_ms) if self.notifications else None


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that came in, about the moment `at_ms`.

    `first_ms` to `last_ms` (both included) is the time that it touches, if any: it must be counted anew.
    """

    position: int
    person: int
    what: str
    at_ms: int
    first_ms: int | None
    last_ms: int | None
    recorded_ms: int
    file: int | None
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Filed:
    """What became of one file."""

    id: int
    name: str
    person: str
    outcome: str
    reason: str
    samples: int
    beats: int
    first_ms: int | None
    last_ms: int | None
    received_ms: int
