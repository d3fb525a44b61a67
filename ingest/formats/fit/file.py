"""What a FIT file says, in our words.

Moments are `numpy.datetime64` in milliseconds, UTC; a heart rate is whole beats per minute; spans are half-open.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ingest.formats.zone_check import ZoneCheck
from zones.series import TIMES, Series
from zones.spans import Spans


@dataclass(frozen=True, slots=True, eq=False)
class FitSeries:
    """The samples of one origin of heart rate in a file: strictly ascending, plausible, read-only."""

    kind: str
    """`activity` (a workout) or `monitoring` (all day)."""
    times: NDArray[np.datetime64]
    bpm: NDArray[np.uint8]
    end: np.datetime64 | None = None
    """After this nothing was being recorded any more; None where the file does not say."""

    @property
    def series(self) -> Series:
        """The same samples as the rest of the program knows them; shares the arrays."""
        return Series(self.times, self.bpm)

    def __len__(self) -> int:
        return len(self.times)


@dataclass(frozen=True, slots=True, eq=False)
class Beats:
    """Heartbeats: `times` (datetime64[ms], ascending) end the R-R intervals `rr_ms` (float32); read-only."""

    times: NDArray[np.datetime64] = field(default_factory=lambda: np.empty(0, TIMES))
    rr_ms: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))

    def __len__(self) -> int:
        return len(self.times)


@dataclass(frozen=True, slots=True)
class PauseVerdict:
    """How the presses of the timer were read in one workout."""

    reading: str
    """`told`, `mended`, `silent`, `late`, `unpressed` or `timed`: see `ingest.formats.fit.pauses`."""
    by_timer: bool
    """The watch's own timers agree; otherwise there are none, or they tell otherwise."""
    told_s: float
    believed_s: float
    stood_s: float | None = None
    """How long its own timer stood still by its own word, where that is another time than what is believed."""


@dataclass(frozen=True, slots=True)
class LengthDoubt:
    """What a session tells of its length and is not believed."""

    why: str
    """`zero`, `longer`, `recorded`, `paused` or `elapsed`: see `ingest.formats.fit.length`."""
    told_s: float
    other_s: float
    """What speaks against it, in seconds: how long the workout was, heart rate was recorded, or the pauses leave."""


@dataclass(frozen=True, slots=True)
class FitSession:
    """One workout as the watch sums it up."""

    start: np.datetime64
    end: np.datetime64
    sport: str
    sub_sport: str | None = None
    timer_s: float | None = None
    """Seconds with the timer running; None if the watch does not say, or says what is not believed."""
    ran_s: float | None = None
    """How long it lasted without its pauses, where no timer tells that."""
    doubts: tuple[LengthDoubt, ...] = ()
    bpm_mean: int | None = None
    bpm_max: int | None = None
    left_out: tuple[str, ...] = ()
    """What its summary tells of the heart rate and cannot be, a clause each."""
    pauses: PauseVerdict | None = None
    """None where the timer never stood still."""
    zone_edges: tuple[int, ...] = ()
    """Where the watch's zones begin, of which it tells seconds that nothing of ours can be put beside; empty where it does not say."""
    zone_s: tuple[float, ...] = ()
    """These seconds, lowest zone first."""
    zone_limits: tuple[int, ...] = ()
    """What it tells as the limits of its zones and cannot be them: they fall, were never set, or are not as many as it takes."""


@dataclass(frozen=True, slots=True)
class Undated:
    """What a watch told of the heart before its clock was set, and by its count from power-on (s) from when to when.

    Samples and beats are those that there are once it is said which date the count meant. `mark` tells this file from any other.
    """

    samples: int
    beats: int
    first_s: int
    last_s: int
    mark: str
    before_ms: int | None = None
    """What of the file has a date begins then (ms since 1970): the clock was set by that time. None where nothing has one."""


@dataclass(frozen=True, slots=True)
class Device:
    """Who wrote the file; `serial` and `created` together are the identity of its first segment."""

    manufacturer: str | None = None
    product: str | None = None
    serial: int | None = None
    file_type: str | None = None
    """`activity`, `monitoring_b`, `settings` ... in the words of the FIT profile."""
    created: np.datetime64 | None = None
    sensor: str | None = None
    """`strap` or `wrist`, where the file tells."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the watch believes of the heart of the one who wears it, in bpm."""

    maximum_bpm: int | None
    resting_bpm: int | None
    threshold_bpm: int | None
    origin: str
    """The messages that said so, the one that gave the maximum first: `time_in_zone, user_profile`."""
    edges: tuple[int, ...] = ()
    """Where the watch's own zones begin, ascending; a bpm equal to an edge belongs to the upper zone."""
    by_age: bool = False
    """Whether the maximum is 220 less the age in the same file: nobody's setting, but what watches begin with."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What the watch itself claims for a span of time."""

    start: np.datetime64
    end: np.datetime64
    moderate_min: float | None = None
    vigorous_min: float | None = None
    resting_bpm: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class HeartRate:
    """The heart rate of a file and nothing else: what `heart_rate` gives."""

    series: tuple[FitSeries, ...]
    dropped: int = 0
    undated: int = 0
    """Plausible values whose moment the file does not tell."""
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class FitFile:
    """Everything we want of a FIT file."""

    series: tuple[FitSeries, ...] = ()
    """At most one of kind `activity`, at most one of kind `monitoring`."""
    beats: Beats = field(default_factory=Beats)
    derived: FitSeries | None = None
    """A heart rate out of the beats, of a file that holds no other."""
    pauses: Spans = field(default_factory=Spans.none)
    """The timer was stopped."""
    movement: Spans = field(default_factory=Spans.none)
    """An all-day file saw movement."""
    sessions: tuple[FitSession, ...] = ()
    device: Device = field(default_factory=Device)
    limits: Limits | None = None
    claims: tuple[Claim, ...] = ()
    checks: tuple[ZoneCheck, ...] = ()
    undated: Undated | None = None
    """What has no date, and can be given one."""
    dropped: int = 0
    """Values that cannot be a heart rate (0, 255, outside 30 to 230) and were never made samples."""
    unwritten: int = 0
    """Of these the ones that were never written (255)."""
    too_high: int = 0
    """Of these the ones above 230."""
    faults: tuple[str, ...] = ()
    """Damage, in words; empty when the file is intact."""
    notes: tuple[str, ...] = ()
    """Worth saying, no damage."""
