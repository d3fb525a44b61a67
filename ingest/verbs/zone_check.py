"""Our arithmetic checked against the watch's: its own seconds per zone beside ours, with its own edges.

Many watches write into a workout how long the heart was in which of their zones (FIT message `time_in_zone`). At
import the same seconds are counted our way; what is left between the two is kept with the file and shown here.
"""

from statistics import median
from typing import Any

import numpy as np

from ingest.formats.fit import ZoneCheck
from ingest.journal import Entry, Journal

AGREES = 0.02
"""Smart-recorded workouts differ by a per cent or so, as samples between the kept ones are lost."""


def zone_checks(journal: Journal) -> list[ZoneCheck]:
    """Every workout whose watch wrote its own seconds per zone, oldest first."""
    found = [_zone_check(e) for p in journal.persons() for e in journal.facts(p.id, "check")]
    return sorted(found, key=lambda check: check.start)


def _zone_check(e: Entry) -> ZoneCheck:
    c = e.content
    start, end = np.datetime64(e.at_ms, "ms"), np.datetime64(int(c["end"]), "ms")
    return ZoneCheck(start, end, tuple(c["edges"]), tuple(c["watch_s"]), tuple(c["ours_s"]))


def summarize_zone_checks(found: list[ZoneCheck]) -> dict[str, Any] | None:
    """How far apart we are over all of them; None when no watch has said."""
    if not found:
        return None
    worst = max(found, key=lambda j: j.deviation)
    return {
        "workouts": len(found),
        "median_deviation": median(j.deviation for j in found),
        "agreeing": sum(j.deviation <= AGREES for j in found),
        "worst_deviation": worst.deviation,
        "worst_at": f"{worst.start}Z",
    }


def zone_check_lines(summary: dict[str, Any] | None) -> list[str]:
    """The same in words."""
    if summary is None:
        return []
    line = (
        f"Checked against the watch's own seconds per zone: of {summary['workouts']} workouts that tell them"
        f" {summary['agreeing']} agree within {AGREES:.0%}; in the middle {summary['median_deviation']:.2%} apart,"
        f" at most {summary['worst_deviation']:.1%} (on {summary['worst_at'][:10]})"
    )
    return [line]
