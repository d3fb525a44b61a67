"""Time counted minute by minute, and the table `minute`: what comes in costs the minutes that it touches."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ingest.journal import Journal
from ingest.rows.evidence import Evidence, read_evidence, resolve_sources
from ingest.rows.profile import Profile
from ingest.rows.ruling import apply_edges
from ingest.rows.strap_session import StrapMinutes
from ingest.rows.table import Block
from ingest.rows.told import add_told
from zones.minutes import MINUTE, Minutes, Totals, tabulate_minutes
from zones.pieces import Pieces, split_every
from zones.spans import Spans
from zones.spread import RECORDED_MS, OpenTime, find_open_time

OnEvidence = Callable[[int, int, list[Evidence], Pieces], None]
"""Called with each stretch that is counted (start and end in ms), its evidence, and the pieces that it resolves to."""


@dataclass(frozen=True, slots=True, eq=False)
class CountedMinutes:
    """A stretch of time as it was counted: its minutes, and those in which a strap was believed.

    `covered` is when there was any heart rate, `exercise` when workout files recorded.
    """

    minutes: Minutes
    strap_minutes: StrapMinutes
    covered: Spans
    exercise: Spans
    open_time: OpenTime = field(default_factory=OpenTime.none)
    """What workouts leave open whose watch did not write every second."""

    @classmethod
    def count(
        cls,
        journal: Journal,
        person: int,
        profile: Profile,
        evidence: list[Evidence],
        pieces: Pieces,
        start_ms: int,
        end_ms: int,
    ) -> Self:
        """That of [start, end), of which `pieces` are the resolved evidence."""
        exercise = Spans.union(e.pieces.spans for e in evidence if e.source.kind == "activity")
        covered = pieces.spans
        ruled, lines = apply_edges(journal, person, profile, pieces, start_ms, end_ms)
        open_time = OpenTime.none()
        if len(exercise):
            open_time = find_open_time(split_every(_long_of_workouts(evidence, pieces, ruled), MINUTE), lines)
        with_told = add_told(journal, person, profile, covered, ruled, lines, start_ms, end_ms)
        return cls(
            tabulate_minutes(*with_told),
            StrapMinutes.count(evidence, pieces),
            covered,
            exercise,
            open_time,
        )

    @classmethod
    def none(cls) -> Self:
        """No time at all."""
        return cls(Minutes.none(), StrapMinutes.none(), Spans.none(), Spans.none())

    @classmethod
    def join(cls, parts: Sequence["CountedMinutes"]) -> "CountedMinutes":
        """That of stretches that follow each other."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            Minutes.join([p.minutes for p in parts]),
            StrapMinutes.join([p.strap_minutes for p in parts]),
            Spans.union(p.covered for p in parts),
            Spans.union(p.exercise for p in parts),
            OpenTime.join(p.open_time for p in parts),
        )

    def between(self, start_ms: int, end_ms: int) -> "CountedMinutes":
        """What of it lies in [start, end), which begin with a minute unless they are ends of all of it."""
        first_ms = start_ms // MINUTE * MINUTE
        return CountedMinutes(
            self.minutes.between(first_ms, end_ms),
            self.strap_minutes.between(first_ms, end_ms),
            self.covered.clip(start_ms, end_ms),
            self.exercise.clip(start_ms, end_ms),
            self.open_time.between(first_ms, end_ms),
        )


def _long_of_workouts(evidence: list[Evidence], pieces: Pieces, ruled: Pieces) -> Pieces:
    """Those of the ruled pieces, which are the pieces of which some may be cut, that leave something open in workouts."""
    ruled_of = pieces.source
    if len(ruled) != len(pieces):
        # Each is of the last that began by then.
        ruled_of = ruled_of[np.searchsorted(pieces.start, ruled.start, side="right") - 1]
    mine = np.array([e.source.kind == "activity" for e in evidence], dtype=np.bool_)
    return ruled.take(mine[ruled_of] & (ruled.end - ruled.start > RECORDED_MS))


def count_minutes(
    journal: Journal,
    person: int,
    profile: Profile,
    start_ms: int,
    end_ms: int,
    on_evidence: OnEvidence | None = None,
    before: tuple[CountedMinutes, Spans] | None = None,
) -> CountedMinutes:
    """The time [start, end) counted from the journal.

    `before` is how it was counted last and the time touched since: only that is then counted anew.
    """
    everything = Spans.of([start_ms], [end_ms])
    stale = everything if before is None else _whole_minutes(before[1], start_ms, end_ms)
    if before is None or 2 * stale.measure_ms > end_ms - start_ms:
        stale = everything
    parts = []
    for a, b, is_stale in _cut(stale, start_ms, end_ms):
        if is_stale:
            evidence = read_evidence(journal, person, a, b)
            pieces = resolve_sources(evidence)
            parts.append(CountedMinutes.count(journal, person, profile, evidence, pieces, a, b))
            if on_evidence is not None:
                on_evidence(a, b, evidence, pieces)
        elif before is not None:
            parts.append(before[0].between(a, b))
    return CountedMinutes.join(parts)


def _whole_minutes(spans: Spans, start_ms: int, end_ms: int) -> Spans:
    return Spans.of(spans.start // MINUTE * MINUTE, -(-spans.end // MINUTE) * MINUTE).clip(start_ms, end_ms)


def _cut(spans: Spans, start_ms: int, end_ms: int) -> Iterator[tuple[int, int, bool]]:
    """[start, end) in the stretches within the spans (True) and those between them (False)."""
    at = start_ms
    for a, b in zip(spans.start.tolist(), spans.end.tolist(), strict=True):
        if a > at:
            yield at, a, False
        yield a, b, True
        at = b
    if at < end_ms:
        yield at, end_ms, False


# --- the table ---


def minute_block(
    counted: Minutes, tags: dict[str, str], start_ms: int, end_ms: int, *, only_zones: bool = False
) -> Block:
    """The rows of the minutes that [start, end) has a part in; `only_zones` where nothing else may have changed."""
    start_ms, end_ms = start_ms // MINUTE * MINUTE, -(-end_ms // MINUTE) * MINUTE
    m = counted.between(start_ms, end_ms)
    return Block(
        "minute",
        tags,
        start_ms * 1000,
        end_ms * 1000,
        m.start_ms * 1000,
        {"bpm": m.bpm_mean, "bpm_min": m.bpm_min, "bpm_max": m.bpm_max, **zone_seconds(m)},
        only_zones=only_zones,
    )


def zone_seconds(totals: Totals) -> dict[str, NDArray[np.float64]]:
    """The fields of seconds per zone, and of seconds measured."""
    return {
        "light_s": totals.light_ms / 1000,
        "moderate_s": totals.moderate_ms / 1000,
        "vigorous_s": totals.vigorous_ms / 1000,
        "elevated_s": totals.elevated_ms / 1000,
        "unclassified_s": totals.unclassified_ms / 1000,
        "measured_s": totals.measured_ms / 1000,
    }
