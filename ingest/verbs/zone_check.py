"""Our arithmetic checked against the watch's: its own seconds per zone beside ours, with its own edges.

Many watches write into a workout how long the heart was in which of their zones (FIT message `time_in_zone`). At
import the same seconds are counted our way; what is left between the two is kept with the file and shown here.
"""

from datetime import date
from statistics import median
from typing import Any

import numpy as np

from ingest.formats.zone_check import ZoneCheck
from ingest.journal import Entry, Journal
from ingest.language import day_text, ngettext, number_text
from ingest.language import gettext as _

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


def is_close(summary: dict[str, Any]) -> bool:
    """Whether the workout in the middle is as close as smart recording allows."""
    return float(summary["median_deviation"]) <= AGREES


def zone_check_text(summary: dict[str, Any]) -> str:
    """The same in words."""
    total, agreeing = summary["workouts"], summary["agreeing"]
    numbers = {
        "total": total,
        "agreeing": agreeing,
        "percent": number_text(AGREES * 100),
        "usual": number_text(summary["median_deviation"] * 100),
        "most": number_text(summary["worst_deviation"] * 100),
        "day": day_text(date.fromisoformat(summary["worst_at"][:10])),
    }
    if agreeing == total:
        text = ngettext(
            "Time in the watch's own zones: we count as the watch does, in the {total} workout in which it tells.",
            "Time in the watch's own zones: we count as the watch does, in all {total} workouts in which it tells.",
            total,
        )
    elif total == 1:
        text = _(
            "Time in the watch's own zones: in the one workout in which it tells ({day}) we count {most} per cent in another zone"
            " than the watch. Mostly such a watch did not write down every second. Your minutes are counted by your own"
            " limits, not by those zones."
        )
    else:
        text = _(
            "Time in the watch's own zones: in {agreeing} of {total} workouts we count as the watch does (within {percent} per cent);"
            " in the middle {usual} per cent differs, at most {most} per cent ({day}). Mostly such a watch did not write down every second."
            " Your minutes are counted by your own limits, not by those zones."
        )
    return text.format(**numbers)
