"""A recording: what one file, or a stretch of a strap's notifications, holds, whatever its format."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zones.series import TIMES, Series
from zones.spans import Spans

DAY_MS = 86_400_000
"""No chunk is longer, so that the chunks of a span are found by their first time alone."""

LONGEST_SESSION_MS = 7 * DAY_MS
"""No session is longer: the workouts of a span are looked for so far before it, and a file's longer ones are left out."""

NEAR_S, NEAR_PART = 2.0, 0.005
"""Two lengths of a workout that lie nearer than this, or than this part of it, are the same: its stamps are whole seconds."""

KINDS = ("strap", "activity", "monitoring")

RANKS = {"strap": 0, "activity strap": 1, "activity": 2, "monitoring": 3, "derived": 4}
"""Whom to believe when two sources saw the same second; a workout recorded from a chest strap ranks like one, and what is
derived from R-R intervals alone comes last.

A strap on the skin errs by 2 %, a wrist by 13 % (doi 10.1371/journal.pone.0238569).
"""


def near_s(length_s: float) -> float:
    """How far two lengths of about so many seconds may be apart and still be the same."""
    return max(NEAR_S, NEAR_PART * length_s)


def can_be_timer(timer_s: float, length_ms: int) -> bool:
    """Whether a timer may have run so long in a workout of a length; some programs write 0, or what they like."""
    return 0 < timer_s <= length_ms / 1000 + near_s(length_ms / 1000)


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


@dataclass(frozen=True, slots=True)
class Part:
    """Chunks of one source in a file."""

    source: str
    kind: str
    rank: int
    columns: list[Columns]


@dataclass(frozen=True, slots=True)
class Fact:
    """Something a file says of a span of time (ms, both ends included).

    `what` is `session` (content: `source`, `sport`, `sub_sport`, `timer_s` (where it is believed), `bpm_mean`, `bpm_max`, `ran_s` where
    no timer tells it, `doubts` about what it tells of its length, `sensor` where it tells that it was the wrist's, and `pauses` where the timer stood still: how its presses were read), `claim` (`source`, `end`,
    `moderate_min`, `vigorous_min`, `resting_bpm`), `undated` (heart rates by a clock that was not set: `samples`, `first_s`, `last_s`, and the
    file's `mark`), `limits` (`maximum_bpm` and what else the watch holds) or `check`
    (seconds per zone by the watch's own edges). What is not known is None.
    """

    what: str
    start_ms: int
    end_ms: int
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Model:
    """Which product a device is, as its file says; `device` is what the names of all its sources begin with."""

    device: str
    product: str


@dataclass(frozen=True, slots=True)
class Recording:
    """What one file holds, whatever its format, ready for the journal."""

    identity: str | None
    digest: bytes | None
    whole: bool
    parts: list[Part]
    facts: list[Fact]
    samples: int
    beats: int
    span_ms: tuple[int, int] | None
    remarks: str = ""
    model: Model | None = None
