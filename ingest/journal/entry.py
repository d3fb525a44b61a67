"""What lies in the journal, as it is read back."""

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ingest.journal.notifications import Notifications
from zones.series import TIMES, Series
from zones.spans import Spans

DAY_MS = 86_400_000
"""No chunk is longer, so that the chunks of a span are found by their first time alone."""

ALWAYS_MS = 1 << 50
"""Beyond any date a calendar here can name (year 37,648): "from the beginning" and "for ever"."""

LEAST_MAXIMUM_BPM, MOST_MAXIMUM_BPM = 100, 230
"""A watch's own maximum outside these is not one; it never decides anything."""

KINDS = ("strap", "activity", "monitoring")

STANDS_MS = 5_000
"""How long a strap's last notification before a gap stands at most; straps notify about once a second."""

LONGEST_HEARD_MS = 3_600_000
"""No chunk of a strap is longer when it is appended, nor twice that when some were merged."""

RANKS = {"strap": 0, "activity strap": 1, "activity": 2, "monitoring": 3}
"""Whom to believe when two sources saw the same second; a workout recorded from a chest strap ranks like one.

A strap on the skin errs by 2 %, a wrist by 13 % (doi 10.1371/journal.pone.0238569).
"""


@dataclass(frozen=True, slots=True)
class Person:
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
class Columns:
    """What one source recorded without a break of its own making.

    `beat_times` (datetime64[ms], ascending) are the ends of the R-R intervals `rr_ms` (float32). `end_ms` is when
    the recording stopped: the last sample stands until then at most. `movement` is None where every second counts
    (workouts, straps) and otherwise holds the time in which an all-day watch saw its wearer move.

    Of a strap, the times are those at which its notifications came: of a sample its own, of an interval that of the
    notification which brought it, so that several may have one time, the oldest first. `contact` holds the moments (a
    millisecond each) of the notifications that said "no contact", so that `contact.covers` tells of each sample; it is
    None when not one of them says anything about contact. Cut or joined, connections give the same columns, cut or joined.
    """

    series: Series
    end_ms: int
    beat_times: NDArray[np.datetime64] = field(default_factory=lambda: np.empty(0, TIMES))
    rr_ms: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    pauses: Spans = field(default_factory=Spans.none)
    movement: Spans | None = None
    contact: Spans | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """One committed batch of columns from one source; of a strap also the notifications that say so."""

    position: int
    source: Source
    first_ms: int
    last_ms: int
    columns: Columns
    heard: Notifications | None = None

    @property
    def session(self) -> tuple[str, int] | None:
        """The connection to a strap that this is of: its boot, and its beginning by the steady clock (ms)."""
        return (self.heard.boot, self.heard.session_ms) if self.heard else None


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


class Contents(Protocol):
    """What the journal must know of a file's contents to tell copies of one recording apart."""

    @property
    def identity(self) -> str | None: ...
    @property
    def digest(self) -> bytes | None: ...
    @property
    def whole(self) -> bool: ...
    @property
    def samples(self) -> int: ...
    @property
    def beats(self) -> int: ...
    @property
    def span_ms(self) -> tuple[int, int] | None: ...


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
