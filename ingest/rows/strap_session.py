"""Workouts that no file tells of: the time in which a strap was worn, and what the heart did meanwhile.

Counted in whole minutes, so that a session is a sum of minutes, and one that goes on costs those that are new. What a
workout file tells of is not told a second time, and a day ends a session: straps are worn around the clock, too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ingest.rows.evidence import Evidence
from ingest.rows.profile import Profile
from zones.dose import dose_min
from zones.edges import LEAST_RESERVE
from zones.load import banister, edwards
from zones.minutes import MINUTE, Minutes
from zones.pieces import Pieces, split_every
from zones.spans import Spans

INTERRUPTION_MS = 10 * MINUTE
"""A strap that was silent for longer than this was taken off: what comes then is another session."""

LEAST_MS = 10 * MINUTE
"""What is shorter is no session."""


@dataclass(frozen=True, slots=True, eq=False)
class Worn:
    """The minutes in which a strap was believed: `start_ms` (ascending), the id of its `source`, and `stood`.

    That is for how long (ms, uint16, a row of 256 per minute) each heart rate stood, whoever told it. Of two straps in
    one minute it is that of the one believed for longer.
    """

    start_ms: NDArray[np.int64]
    source: NDArray[np.int64]
    stood: NDArray[np.uint16]

    @classmethod
    def none(cls) -> Self:
        none = np.empty(0, np.int64)
        return cls(none, none, np.empty((0, 256), np.uint16))

    @classmethod
    def of(cls, found: Sequence[Evidence], pieces: Pieces) -> "Worn":
        """Those of some evidence, resolved to pieces."""
        strap = np.array([e.source.kind == "strap" for e in found], np.bool_)
        if not strap.any() or not len(pieces):
            return cls.none()
        pieces = split_every(pieces, MINUTE)
        minute, lasts = pieces.start // MINUTE, pieces.end - pieces.start
        told = strap[pieces.source]
        starts = minute[told]
        starts = starts[np.diff(starts, prepend=starts[:1] - 1) > 0]  # pieces ascend, and so do their minutes
        row = np.searchsorted(starts, minute)
        inside = starts[np.minimum(row, len(starts) - 1)] == minute if len(starts) else told
        n = len(starts)
        cell = row[inside] * 256 + pieces.bpm[inside]
        stood = np.bincount(cell, lasts[inside], n * 256).astype(np.uint16).reshape(n, 256)
        by_source = np.bincount(row[told] * len(found) + pieces.source[told], lasts[told], n * len(found))
        best = by_source.reshape(n, len(found)).argmax(axis=1)
        ids = np.array([e.source.id for e in found], np.int64)
        return cls(starts * MINUTE, ids[best], stood)

    @classmethod
    def join(cls, parts: Sequence["Worn"]) -> Self:
        """Those of parts of time that follow each other."""
        names = cls.__dataclass_fields__
        return cls(*(np.concatenate([getattr(p, name) for p in [cls.none(), *parts]]) for name in names))

    def between(self, start_ms: int, end_ms: int) -> "Worn":
        """Those that begin in [start, end)."""
        i, j = np.searchsorted(self.start_ms, [start_ms, end_ms])
        return Worn(self.start_ms[i:j], self.source[i:j], self.stood[i:j])


@dataclass(frozen=True, slots=True)
class Session:
    """The time in which a strap was worn, and the fields of its row."""

    source: int
    start_ms: int
    end_ms: int
    fields: dict[str, Any]


def worn_sessions(worn: Worn, minutes: Minutes, workouts: Spans, known: Profile) -> list[Session]:
    """The sessions of a day, of its minutes, in order of their beginnings."""
    if not len(worn.start_ms):
        return []
    found = []
    for source in np.unique(worn.source).tolist():
        mine = np.flatnonzero(worn.source == source)
        found += [_session(worn, run, minutes, known) for run in _runs(worn, mine, workouts)]
    return sorted(found, key=lambda s: (s.start_ms, s.source))


def _runs(worn: Worn, mine: NDArray[np.intp], workouts: Spans) -> Iterator[NDArray[np.intp]]:
    """The minutes of each session."""
    start = worn.start_ms[mine]
    free = ~workouts.meet(start, start + MINUTE)
    mine, start = mine[free], start[free]
    if not len(mine):
        return
    before, after = start[:-1] + MINUTE, start[1:]
    parted = (after - before > INTERRUPTION_MS) | (workouts.before_ms(after) > workouts.before_ms(before))
    for run in np.split(mine, np.flatnonzero(parted) + 1):
        if worn.start_ms[run[-1]] + MINUTE - worn.start_ms[run[0]] >= LEAST_MS:
            yield run


def _session(worn: Worn, run: NDArray[np.intp], minutes: Minutes, known: Profile) -> Session:
    start = int(worn.start_ms[run[0]])
    end = int(worn.start_ms[run[-1]]) + MINUTE
    of = np.searchsorted(minutes.start_ms, worn.start_ms[run])
    stood = worn.stood[run].sum(axis=0, dtype=np.int64)
    moderate_ms, vigorous_ms = int(minutes.moderate_ms[of].sum()), int(minutes.vigorous_ms[of].sum())
    fields = {
        "sport": None,
        "duration_s": (end - start) / 1000,
        "bpm_mean": int(minutes.bpm_ms[of].sum()) / int(minutes.measured_ms[of].sum()),
        "bpm_max": int(minutes.bpm_max[of].max()),
        "moderate_s": moderate_ms / 1000,
        "vigorous_s": vigorous_ms / 1000,
        "dose_min": dose_min(moderate_ms / MINUTE, vigorous_ms / MINUTE),
        "trimp": _trimp(stood, known, start),
        "edwards": _edwards(stood, known, start),
        # The strap went off with the end of it: nobody saw what the heart did then.
        "recovery_60s": None,
    }
    return Session(int(worn.source[run[0]]), start, end, fields)


def _trimp(stood: NDArray[np.int64], known: Profile, at_ms: int) -> float | None:
    """Banister's load; None unless resting and maximum heart rate and sex are known."""
    resting, maximum, sex = known.heart_at(at_ms)
    if resting is None or maximum is None or sex is None or maximum - resting < LEAST_RESERVE:
        return None
    return banister(stood, resting, maximum, sex)


def _edwards(stood: NDArray[np.int64], known: Profile, at_ms: int) -> float | None:
    """Edwards' load; None unless a maximum heart rate is known."""
    _, maximum, _ = known.heart_at(at_ms)
    return None if maximum is None else edwards(stood, maximum)
