"""Local days, and the table `day`: seconds per zone, the resting heart rate, and the sessions of straps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ingest.rows.minute import CountedMinutes, zone_seconds
from ingest.rows.profile import Profile
from ingest.rows.strap_session import StrapSession, find_strap_sessions
from ingest.rows.table import Block
from zones.dose import dose_min
from zones.minutes import MINUTE, Totals
from zones.resting import find_calmest
from zones.spans import Spans


@dataclass(frozen=True, slots=True, eq=False)
class Day:
    """What is kept of a counted day: milliseconds per zone, and the sessions of straps.

    Its resting heart rate is NaN if it has none; `quiet_ms` is when the five minutes of it began.
    """

    zones_ms: NDArray[np.int64]
    resting_bpm: float
    quiet_ms: int
    strap_sessions: tuple[StrapSession, ...]
    open_squares: int = 0
    """The sum of the squares of what is open in it: see `zones.spread`."""
    unmeasured_ms: tuple[int, ...] = ()
    """When the workouts began of which no heart rate was seen on that day."""

    @classmethod
    def summarize(
        cls, counted: CountedMinutes, profile: Profile, workouts: Spans, start_ms: int, end_ms: int
    ) -> Self:
        """That of a day [start, end) that was counted; `workouts` are those around it."""
        m = counted.minutes
        exercise = workouts | counted.exercise
        resting, quiet = find_calmest(
            m.start_ms, m.measured_ms, m.bpm_ms, counted.covered, exercise, start_ms, end_ms
        )
        zones_ms = np.array([column.sum() for column in m.columns], dtype=np.int64)
        sessions = find_strap_sessions(counted.strap_minutes, m, workouts, profile)
        return cls(zones_ms, resting, quiet, tuple(sessions), counted.open_time.squares)


def known_doses(totals: Totals) -> list[float | None]:
    """The dose of each span; None where nothing of it could be classified: that is not known, and no 0."""
    known = totals.measured_ms > totals.unclassified_ms
    doses = dose_min(totals.moderate_ms / MINUTE, totals.vigorous_ms / MINUTE)
    return [dose if some else None for dose, some in zip(doses.tolist(), known.tolist(), strict=True)]


def day_block(
    days: Totals,
    resting_bpm: NDArray[np.float64],
    progress: Mapping[str, Sequence[float | None]],
    midnights_ms: NDArray[np.int64],
    tags: dict[str, str],
) -> Block:
    """The rows of days, of which those without anything measured have none; `midnights_ms` is one more than days.

    `progress` are the fields that tell of the week up to each of them.
    """
    measured = days.measured_ms > 0
    t = Totals(*(column[measured] for column in days.columns))
    fields = {
        **zone_seconds(t),
        "dose_min": known_doses(t),
        "resting_bpm": [None if np.isnan(bpm) else bpm for bpm in resting_bpm[measured].tolist()],
        **{
            name: [x for x, some in zip(column, measured, strict=True) if some]
            for name, column in progress.items()
        },
    }
    times_us = midnights_ms * 1000
    return Block("day", tags, int(times_us[0]), int(times_us[-1]), times_us[:-1][measured], fields)
