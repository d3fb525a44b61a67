"""The watch's own seconds per zone beside ours, and where what lies between them comes from.

The same seconds are counted step by step: as a watch would, without what our sensors saw that are not to be believed,
with the better source where two saw the same second. What each step changes is its cause.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.journal import Entry, Journal
from ingest.rows.account import silence
from ingest.rows.heart import LONGEST, believed, evidence
from ingest.rows.profile import Profile
from zones.minutes import tally
from zones.pieces import Pieces, hold

Seconds = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Beside:
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
    paused_s: float
    gap_s: float
    """Seconds that we do not count at all: the timer was paused; no sample for longer than one may stand."""
    moderate_bpm: int | None
    vigorous_bpm: int | None
    """Our own edges, which decide what counts for the week, beside the watch's."""
    moderate_s: float
    vigorous_s: float

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
                for name in ("paused_s", "gap_s", "moderate_bpm", "vigorous_bpm", "moderate_s", "vigorous_s")
            },
        }


def beside(journal: Journal, person: int, known: Profile, check: Entry) -> Beside:
    """What a watch counted in one workout beside what we count there."""
    c, a, b = check.content, check.at_ms, int(check.content["end"])
    edges = tuple(c["edges"])
    found = evidence(journal, person, a, b)
    _, sources = journal.of_file(check.file) if check.file is not None else (None, [])
    mine = next((e for e in found if e.source.id in sources and e.source.kind == "activity"), None)
    watch = np.array(c["watch_s"], np.float64)
    none = np.zeros(len(watch))
    paused = gap = 0.0
    raw, masked = none, none
    if mine is not None:
        whole = hold(mine.series, LONGEST[mine.source.kind], pauses=mine.pauses, ends=mine.ends).clip(a, b)
        raw, masked = _seconds(whole, edges), _seconds(mine.pieces, edges)
        quiet = silence(mine, a, b)
        paused, gap = quiet.paused.measure_ms / 1000, quiet.gap.measure_ms / 1000
    resolved = believed(found)
    ours = _seconds(resolved, edges)
    own = known.timeline.edges_at(a)
    t = tally(resolved, known.timeline)
    return Beside(
        a,
        b,
        edges,
        watch,
        ours,
        raw - watch,
        masked - raw,
        ours - masked,
        paused,
        gap,
        own.moderate_bpm if own else None,
        own.vigorous_bpm if own else None,
        float(t.moderate_ms[0]) / 1000,
        float(t.vigorous_ms[0]) / 1000,
    )


def _seconds(pieces: Pieces, edges: tuple[int, ...]) -> Seconds:
    """Seconds per zone of given edges."""
    zone = np.searchsorted(edges, pieces.bpm, side="right")
    return np.bincount(zone, pieces.end - pieces.start, len(edges) + 1) / 1000
