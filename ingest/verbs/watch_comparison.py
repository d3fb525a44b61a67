"""What the watch itself says beside what we count, and where what lies between them comes from.

The same time is counted step by step: as a watch would, without what its sensor saw that is not to be believed, with
the better source where two saw the same second. What each step changes is its cause.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.journal import Entry, Journal
from ingest.rows.account import find_silence
from ingest.rows.evidence import LONGEST_HOLD, Evidence, read_evidence, resolve_sources
from ingest.rows.profile import Profile
from ingest.rows.ruling import apply_edges, ruling_sport
from ingest.rows.workout import find_workouts
from zones.minutes import MINUTE, sum_pieces
from zones.pieces import Pieces, hold
from zones.spans import Spans
from zones.spread import NEAR_BPM, RECORDED_MS

Seconds = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ZoneComparison:
    """One workout, seconds per zone of the watch, lowest first: its own, ours, and the steps between them."""

    at_ms: int
    end_ms: int
    edges: tuple[int, ...]
    watch_s: Seconds
    ours_s: Seconds
    counting_s: Seconds
    """Ours less the watch's from the same samples: cut-off seconds, smart recording, rules nobody has published."""
    masked_s: Seconds
    """What is not believed."""
    other_s: Seconds
    """Where another source was believed, or had a heart rate where the watch had none."""
    timer_s: float | None
    """How long the watch's own timer ran. Its zones may add up to something else, whatever we count."""
    open_s: float
    """Of the time between its records, how much lies so near to a limit that the watch saw it on either side."""
    paused_s: float
    gap_s: float
    """Seconds that we do not count at all: the timer was paused; no sample for longer than one may stand."""
    moderate_bpm: int | None
    vigorous_bpm: int | None
    """Our own edges, which decide what counts for the week, beside the watch's."""
    moderate_s: float
    vigorous_s: float
    edges_from: str
    rule: str
    """Where the watch's edges are from, and its writer's rule for a heart rate equal to one: `ZoneCheck`."""

    def json(self) -> dict[str, Any]:
        return {
            "at_ms": self.at_ms,
            "end_ms": self.end_ms,
            "watch_edges": list(self.edges),
            **{
                name: getattr(self, name).tolist()
                for name in ("watch_s", "ours_s", "counting_s", "masked_s", "other_s")
            },
            **{
                name: getattr(self, name)
                for name in (
                    "timer_s",
                    "open_s",
                    "paused_s",
                    "gap_s",
                    "moderate_bpm",
                    "vigorous_bpm",
                    "moderate_s",
                    "vigorous_s",
                    "edges_from",
                    "rule",
                )
            },
        }


def compare_zones(journal: Journal, person: int, profile: Profile, check: Entry) -> ZoneComparison:
    """What a watch counted in one workout beside what we count there."""
    start_ms, end_ms, edges = check.at_ms, int(check.content["end"]), tuple(check.content["edges"])
    found = read_evidence(journal, person, start_ms, end_ms)
    _, sources = journal.recorded_by_file(check.file) if check.file is not None else (None, [])
    mine = next((e for e in found if e.source.id in sources and e.source.kind == "activity"), None)
    watch = np.array(check.content["watch_s"], np.float64)
    recorded = trusted = np.zeros(len(watch))
    paused = gap = undecided = 0.0
    if mine is not None:
        whole = _recorded_pieces(mine, start_ms, end_ms)
        recorded, trusted = _zone_seconds(whole, edges), _zone_seconds(mine.pieces, edges)
        undecided = _undecided_s(whole, edges)
        quiet = find_silence(mine, start_ms, end_ms)
        paused, gap = quiet.paused.measure_ms / 1000, quiet.gap.measure_ms / 1000
    resolved = resolve_sources(found)
    ours = _zone_seconds(resolved, edges)
    of_span = find_workouts(journal, person, start_ms, end_ms)
    workout = next((e for e in of_span if (e.at_ms, e.last_ms) == (start_ms, end_ms)), None)
    sport = None if workout is None else ruling_sport(workout, profile)
    own = profile.sports.get(sport or "", profile.timeline).edges_at(start_ms)
    moderate, vigorous = _count_minutes(journal, person, profile, resolved, start_ms, end_ms)
    return ZoneComparison(
        at_ms=start_ms,
        end_ms=end_ms,
        edges=edges,
        watch_s=watch,
        ours_s=ours,
        counting_s=recorded - watch,
        masked_s=trusted - recorded,
        other_s=ours - trusted,
        timer_s=None if workout is None else workout.content.get("timer_s"),
        open_s=undecided,
        paused_s=paused,
        gap_s=gap,
        moderate_bpm=own.moderate_bpm if own else None,
        vigorous_bpm=own.vigorous_bpm if own else None,
        moderate_s=moderate * 60,
        vigorous_s=vigorous * 60,
        edges_from=check.content.get("edges_from", "time_in_zone"),
        rule=check.content.get("rule", "upper"),
    )


@dataclass(frozen=True, slots=True)
class ClaimComparison:
    """The minutes a watch claims of a day, (moderate, vigorous), ours, and the steps between them.

    The steps are None where it claims none.
    """

    claim: Entry
    ours_min: tuple[float, float]
    elevated_min: float
    steps: dict[str, tuple[float, float]] | None

    def json(self) -> dict[str, Any]:
        c = self.claim.content
        return {
            **{name: c.get(name) for name in ("source", "moderate_min", "vigorous_min", "resting_bpm")},
            "ours": {
                "moderate_min": self.ours_min[0],
                "vigorous_min": self.ours_min[1],
                "elevated_min": self.elevated_min,
            },
            "difference_min": self.steps
            and {
                why: {"moderate": moderate, "vigorous": vigorous}
                for why, (moderate, vigorous) in self.steps.items()
            },
        }


def compare_claim(journal: Journal, person: int, profile: Profile, claim: Entry) -> ClaimComparison:
    """What a watch claims of a stretch of time beside what we count there; the steps add up to the difference."""
    content, start_ms = claim.content, claim.at_ms
    end_ms = int(content.get("end") or claim.last_ms or start_ms)
    found = read_evidence(journal, person, start_ms, end_ms)
    mine = next((e for e in found if e.source.name == content["source"]), None)
    resolved = resolve_sources(found)
    ours = _count_minutes(journal, person, profile, resolved, start_ms, end_ms)
    ruled_pieces = apply_edges(journal, person, profile, resolved, start_ms, end_ms)
    elevated = float(sum_pieces(*ruled_pieces).elevated_ms[0]) / MINUTE
    steps = None
    if content["moderate_min"] is not None and content["vigorous_min"] is not None:
        # Its own samples with our limits; where it saw movement; what of them is believed; with all other sources.
        each = [Pieces.none()] * 3
        if mine is not None:
            recorded = _recorded_pieces(mine, start_ms, end_ms)
            each = [recorded, _recorded_pieces(mine, start_ms, end_ms, mine.movement), mine.pieces]
        counts = [
            (float(content["moderate_min"]), float(content["vigorous_min"])),
            *(_count_minutes(journal, person, profile, pieces, start_ms, end_ms) for pieces in each),
            ours,
        ]
        steps = {
            step: (after[0] - before[0], after[1] - before[1])
            for step, before, after in zip(STEPS, counts[:-1], counts[1:], strict=True)
        }
    return ClaimComparison(claim, ours, elevated, steps)


STEPS = ("limits_and_rules", "no_movement", "not_believed", "other_sources")
"""Why a claim differs from ours: its maker's limits and rules, which nobody publishes, against our limits; no movement
seen; samples that are not believed; sources that are believed first, or that recorded while it did not."""


def _recorded_pieces(e: Evidence, start_ms: int, end_ms: int, movement: Spans | None = None) -> Pieces:
    """What a source recorded, all of it believed; counting everywhere or where it saw movement."""
    counts = True if movement is None else movement
    return hold(e.series, LONGEST_HOLD[e.source.kind], pauses=e.pauses, ends=e.ends, counts=counts).clip(
        start_ms, end_ms
    )


def _count_minutes(
    journal: Journal, person: int, profile: Profile, pieces: Pieces, start_ms: int, end_ms: int
) -> tuple[float, float]:
    """Moderate and vigorous minutes of pieces by the limits in force."""
    t = sum_pieces(*apply_edges(journal, person, profile, pieces, start_ms, end_ms))
    return float(t.moderate_ms[0]) / MINUTE, float(t.vigorous_ms[0]) / MINUTE


def _undecided_s(pieces: Pieces, edges: tuple[int, ...]) -> float:
    """Seconds after the first of each sample's own, where a limit is as near as the heart may have come unseen."""
    bpm = pieces.bpm.astype(np.int64)
    low, high = (np.searchsorted(edges, bpm + k, side="right") for k in (-NEAR_BPM, NEAR_BPM))
    after = np.maximum(pieces.end - pieces.start - RECORDED_MS, 0)
    return float(after[low != high].sum()) / 1000


def _zone_seconds(pieces: Pieces, edges: tuple[int, ...]) -> Seconds:
    """Seconds per zone of given edges."""
    zone = np.searchsorted(edges, pieces.bpm, side="right")
    return np.bincount(zone, pieces.end - pieces.start, len(edges) + 1) / 1000
