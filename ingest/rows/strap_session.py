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
from ingest.rows.load import load_fields
from ingest.rows.profile import Profile
from zones.dose import dose_min
from zones.minutes import MINUTE, Minutes
from zones.moments import distinct
from zones.pieces import Pieces, split_every
from zones.spans import Spans

INTERRUPTION_MS = 10 * MINUTE
"""A strap that was silent for longer than this was taken off: what comes then is another session."""

LEAST_MS = 10 * MINUTE
"""What is shorter is no session."""


@dataclass(frozen=True, slots=True, eq=False)
class StrapMinutes:
    """The minutes in which a strap was believed: `start_ms` (ascending), and the id of the `source` of each.

    `held_ms` is for how long (ms) the heart rate `bpm` held in the minute that begins at `held_start_ms`, whichever source
    it was of; in order of these, without what held for no time. Of two straps in one minute the source is the one believed
    for longer.
    """

    start_ms: NDArray[np.int64]
    source: NDArray[np.int64]
    held_start_ms: NDArray[np.int64]
    bpm: NDArray[np.uint8]
    held_ms: NDArray[np.uint16]

    @classmethod
    def none(cls) -> Self:
        """No minute at all."""
        none = np.empty(0, np.int64)
        return cls(none, none, none, np.empty(0, np.uint8), np.empty(0, np.uint16))

    @classmethod
    def count(cls, evidence: Sequence[Evidence], pieces: Pieces) -> "StrapMinutes":
        """Those of some evidence and the pieces that it resolves to."""
        strap = np.array([e.source.kind == "strap" for e in evidence], np.bool_)
        if not strap.any() or not len(pieces):
            return cls.none()
        pieces = split_every(pieces, MINUTE)
        minute, of_strap = pieces.start // MINUTE, strap[pieces.source]
        first = np.append(0, np.flatnonzero(minute[1:] != minute[:-1]) + 1)
        here = np.logical_or.reduceat(of_strap, first)
        if not here.any():
            return cls.none()
        starts, amounts = minute[first][here] * MINUTE, np.diff(first, append=len(pieces))
        if not here.all():
            inside = np.repeat(here, amounts)
            pieces, of_strap, amounts = pieces.take(inside), of_strap[inside], amounts[here]
        n, sources, held_ms = len(starts), len(evidence), pieces.end - pieces.start
        row = np.repeat(np.arange(n, dtype=np.intp), amounts)
        # A heart has a dozen rates in a minute: a day of all 256 would be most of what is kept of it.
        bpm_ms = np.bincount(row * 256 + pieces.bpm, held_ms, n * 256).astype(np.uint16)
        held = np.flatnonzero(bpm_ms)
        longest = np.full(n, strap.argmax(), np.intp)
        if np.count_nonzero(strap) > 1:
            of_source = row[of_strap] * sources + pieces.source[of_strap]
            by_source = np.bincount(of_source, held_ms[of_strap], n * sources)
            longest = by_source.reshape(n, sources).argmax(axis=1)
        ids = np.array([e.source.id for e in evidence], np.int64)
        return cls(starts, ids[longest], starts[held // 256], (held % 256).astype(np.uint8), bpm_ms[held])

    @classmethod
    def join(cls, parts: Sequence["StrapMinutes"]) -> Self:
        """Those of parts of time that follow each other."""
        names = cls.__dataclass_fields__
        return cls(*(np.concatenate([getattr(p, name) for p in [cls.none(), *parts]]) for name in names))

    def between(self, start_ms: int, end_ms: int) -> "StrapMinutes":
        """Those that begin in [start, end)."""
        i, j = np.searchsorted(self.start_ms, [start_ms, end_ms])
        k, m = np.searchsorted(self.held_start_ms, [start_ms, end_ms])
        held = self.held_start_ms[k:m], self.bpm[k:m], self.held_ms[k:m]
        return StrapMinutes(self.start_ms[i:j], self.source[i:j], *held)

    def bpm_ms_of(self, rows: NDArray[np.intp]) -> NDArray[np.int64]:
        """For how long (ms) each heart rate from 0 to 255 held in the minutes of these rows."""
        some = np.zeros(len(self.start_ms), np.bool_)
        some[rows] = True
        held = some[np.searchsorted(self.start_ms, self.held_start_ms)]
        # Whole numbers below 2^53: a float adds them up exactly.
        return np.bincount(self.bpm[held], self.held_ms[held], 256).astype(np.int64)


@dataclass(frozen=True, slots=True)
class StrapSession:
    """The time in which a strap was worn, and the fields of its row."""

    source: int
    start_ms: int
    end_ms: int
    fields: dict[str, Any]


def find_strap_sessions(
    strap_minutes: StrapMinutes, minutes: Minutes, workouts: Spans, profile: Profile
) -> list[StrapSession]:
    """The sessions of a day, of its minutes, in order of their beginnings; minutes of workouts are left out."""
    if not len(strap_minutes.start_ms):
        return []
    found = []
    for source in distinct(strap_minutes.source).tolist():
        rows = np.flatnonzero(strap_minutes.source == source)
        runs = _split_at_interruptions(strap_minutes, rows, workouts)
        found += [_summarize(strap_minutes, run, minutes, profile) for run in runs]
    return sorted(found, key=lambda s: (s.start_ms, s.source))


def _split_at_interruptions(
    strap_minutes: StrapMinutes, rows: NDArray[np.intp], workouts: Spans
) -> Iterator[NDArray[np.intp]]:
    """The rows of the minutes of each session."""
    start = strap_minutes.start_ms[rows]
    free = ~workouts.meet(start, start + MINUTE)
    rows, start = rows[free], start[free]
    if not len(rows):
        return
    before, after = start[:-1] + MINUTE, start[1:]
    parted = (after - before > INTERRUPTION_MS) | (workouts.before_ms(after) > workouts.before_ms(before))
    for run in np.split(rows, np.flatnonzero(parted) + 1):
        if strap_minutes.start_ms[run[-1]] + MINUTE - strap_minutes.start_ms[run[0]] >= LEAST_MS:
            yield run


def _summarize(
    strap_minutes: StrapMinutes, run: NDArray[np.intp], minutes: Minutes, profile: Profile
) -> StrapSession:
    start = int(strap_minutes.start_ms[run[0]])
    end = int(strap_minutes.start_ms[run[-1]]) + MINUTE
    index = np.searchsorted(minutes.start_ms, strap_minutes.start_ms[run])
    bpm_ms = strap_minutes.bpm_ms_of(run)
    moderate_ms = int(minutes.moderate_ms[index].sum())
    vigorous_ms = int(minutes.vigorous_ms[index].sum())
    fields = {
        "sport": None,
        "duration_s": (end - start) / 1000,
        "bpm_mean": int(minutes.bpm_ms[index].sum()) / int(minutes.measured_ms[index].sum()),
        "bpm_max": int(minutes.bpm_max[index].max()),
        "moderate_s": moderate_ms / 1000,
        "vigorous_s": vigorous_ms / 1000,
        "dose_min": dose_min(moderate_ms / MINUTE, vigorous_ms / MINUTE),
        **load_fields(bpm_ms, profile, start),
        # The strap went off with the end of it: nobody saw what the heart did then.
        "recovery_60s": None,
        "end_s": end // 1000,
    }
    return StrapSession(int(strap_minutes.source[run[0]]), start, end, fields)
