"""Our arithmetic checked against the watch's: its own seconds per zone beside ours, with its own edges.

Many watches write into a workout how long the heart was in which of their zones (FIT message `time_in_zone`). At
import the same seconds are counted our way; what is left between the two is kept with the file and shown here.
"""

from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from ingest.journal import Entry, Journal

AGREES = 0.02
"""Smart-recorded workouts differ by a per cent or so, as samples between the kept ones are lost."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One workout: seconds per zone of the watch and of ours, lowest zone first."""

    person: str
    at_ms: int
    edges: tuple[int, ...]
    watch_s: tuple[float, ...]
    ours_s: tuple[float, ...]

    @property
    def deviation(self) -> float:
        """Sum over the zones of |ours - watch|, as a fraction of the watch's total; 0 if it counted nothing."""
        total = sum(self.watch_s)
        off = sum(abs(a - b) for a, b in zip(self.ours_s, self.watch_s, strict=True))
        return off / total if total else 0.0


def judged(journal: Journal) -> list[Judged]:
    """Every workout whose watch wrote its own seconds per zone, oldest first."""
    found = [_judged(p.name, e) for p in journal.persons() for e in journal.facts(p.id, "check")]
    return sorted(found, key=lambda j: j.at_ms)


def _judged(person: str, e: Entry) -> Judged:
    c = e.content
    return Judged(person, e.at_ms, tuple(c["edges"]), tuple(c["watch_s"]), tuple(c["ours_s"]))


def summed(found: list[Judged]) -> dict[str, Any] | None:
    """How far apart we are over all of them; None when no watch has said."""
    if not found:
        return None
    worst = max(found, key=lambda j: j.deviation)
    return {
        "workouts": len(found),
        "median_deviation": median(j.deviation for j in found),
        "agreeing": sum(j.deviation <= AGREES for j in found),
        "worst_deviation": worst.deviation,
        "worst_at": f"{np.datetime64(worst.at_ms, 'ms')}Z",
    }


def told(summary: dict[str, Any] | None) -> list[str]:
    """The same in words."""
    if summary is None:
        return []
    line = (
        f"Checked against the watch's own seconds per zone: of {summary['workouts']} workouts that tell them"
        f" {summary['agreeing']} agree within {AGREES:.0%}; in the middle {summary['median_deviation']:.2%} apart,"
        f" at most {summary['worst_deviation']:.1%} (on {summary['worst_at'][:10]})"
    )
    return [line]
