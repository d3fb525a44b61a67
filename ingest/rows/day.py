"""A day of a person, counted minute by minute: what comes in costs the minutes that it touches."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ingest.journal import Journal
from ingest.rows.evidence import Evidence, believed, evidence
from ingest.rows.profile import Profile
from ingest.rows.ruling import ruled
from ingest.rows.strap_session import Session, Worn, worn_sessions
from zones.minutes import MINUTE, Minutes, minutes
from zones.pieces import Pieces, split_every
from zones.resting import calmest
from zones.spans import Spans

Seen = Callable[[int, int, list[Evidence], Pieces], None]
"""Is shown the evidence of each stretch (ms) that is counted, and what of it is believed."""


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """A stretch of time as it was counted: its minutes, and those in which a strap was `worn`.

    `covered` is when there was any heart rate, `exercise` when workout files recorded.
    """

    minutes: Minutes
    worn: Worn
    covered: Spans
    exercise: Spans

    @classmethod
    def of(
        cls,
        journal: Journal,
        person: int,
        known: Profile,
        found: list[Evidence],
        pieces: Pieces,
        a: int,
        b: int,
    ) -> Self:
        """That of [a, b), of which `found` is the evidence and `pieces` what of it is believed."""
        exercise = Spans.none()
        for e in found:
            if e.source.kind == "activity":
                exercise = exercise | e.pieces.spans
        pieces = split_every(pieces, MINUTE)  # once, for all that goes by the minute
        counted = minutes(*ruled(journal, person, known, pieces, a, b))
        return cls(counted, Worn.of(found, pieces), pieces.spans, exercise)

    @classmethod
    def none(cls) -> Self:
        return cls(Minutes.none(), Worn.none(), Spans.none(), Spans.none())

    @classmethod
    def join(cls, parts: Sequence["Counted"]) -> "Counted":
        """That of stretches that follow each other."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            Minutes.join([p.minutes for p in parts]),
            Worn.join([p.worn for p in parts]),
            _union([p.covered for p in parts]),
            _union([p.exercise for p in parts]),
        )

    def between(self, a: int, b: int) -> "Counted":
        """What of it lies in [a, b), which begin with a minute unless they are ends of all of it."""
        first = a // MINUTE * MINUTE
        return Counted(
            self.minutes.between(first, b),
            self.worn.between(first, b),
            self.covered.clip(a, b),
            self.exercise.clip(a, b),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Day:
    """What is remembered of a day: milliseconds per zone, and the sessions of straps.

    Its resting heart rate is NaN if it has none; `quiet_ms` is when the five minutes of it began.
    """

    zones_ms: NDArray[np.int64]
    resting_bpm: float
    quiet_ms: int
    worn: tuple[Session, ...]

    @classmethod
    def of(cls, counted: Counted, known: Profile, workouts: Spans, a: int, b: int) -> Self:
        """That of a day [a, b) that was counted; `workouts` are those around it."""
        m = counted.minutes
        exercise = workouts | counted.exercise
        resting, quiet = calmest(m.start_ms, m.measured_ms, m.bpm_ms, counted.covered, exercise, a, b)
        zones = np.array([column.sum() for column in m.columns])
        return cls(zones, resting, quiet, tuple(worn_sessions(counted.worn, m, workouts, known)))


def count(
    journal: Journal,
    person: int,
    known: Profile,
    a: int,
    b: int,
    seen: Seen | None = None,
    before: tuple[Counted, Spans] | None = None,
) -> Counted:
    """A day [a, b) counted from the journal; if it was counted `before`, only where that does not hold any more."""
    stale = Spans.of([a], [b]) if before is None else _whole_minutes(before[1], a, b)
    if before is None or 2 * stale.measure_ms > b - a:
        stale = Spans.of([a], [b])
    parts = []
    for s, e, again in _cut(stale, a, b):
        if again:
            found = evidence(journal, person, s, e)
            pieces = believed(found)
            parts.append(Counted.of(journal, person, known, found, pieces, s, e))
            if seen is not None:
                seen(s, e, found, pieces)
        elif before is not None:
            parts.append(before[0].between(s, e))
    return Counted.join(parts)


def _whole_minutes(spans: Spans, a: int, b: int) -> Spans:
    return Spans.of(spans.start // MINUTE * MINUTE, -(-spans.end // MINUTE) * MINUTE).clip(a, b)


def _cut(spans: Spans, a: int, b: int) -> Iterator[tuple[int, int, bool]]:
    """[a, b) in the stretches within the spans and those between them, told apart."""
    at = a
    for s, e in zip(spans.start.tolist(), spans.end.tolist(), strict=True):
        if s > at:
            yield at, s, False
        yield s, e, True
        at = e
    if at < b:
        yield at, b, False


def _union(parts: list[Spans]) -> Spans:
    none = Spans.none()
    some = [none, *parts]
    return Spans.of(np.concatenate([p.start for p in some]), np.concatenate([p.end for p in some]))
