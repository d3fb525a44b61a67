"""Minutes per zone as people read them: lengths of time, and a line for each zone with its bar."""

from collections.abc import Iterator, Mapping

from ingest.language import N_
from ingest.language import gettext as _
from ingest.verbs.terminal import Terminal, padded, table_widths

ZONES = {"light": N_("light"), "moderate": N_("moderate"), "vigorous": N_("vigorous")}
"""What zones are called, as in the middle of a sentence."""

_LONGEST_BAR = 30

_LEAST_WHOLE_MIN = 30
"""Minutes that make a whole bar at least: five minutes shall not look like an hour."""


def zone_lines(t: Terminal, zones_min: Mapping[str, float]) -> Iterator[str]:
    """A line for each zone, the one that counts most first."""
    rows = [(_(ZONES[zone]), duration_text(zones_min[zone])) for zone in ("vigorous", "moderate", "light")]
    widths = table_widths(rows)
    # What is said to be no minute has no bar.
    moderate, vigorous = round(zones_min["moderate"]), round(zones_min["vigorous"])
    whole = max(moderate, vigorous, _LEAST_WHOLE_MIN)
    length = min(t.width - sum(widths) - 8, _LONGEST_BAR)
    bars = (t.bar(0, vigorous, whole, length), t.bar(moderate, 0, whole, length), "")
    for (name, text), bar in zip(rows, bars, strict=True):
        yield f"    {padded(name, widths[0])}  {padded(text, widths[1], right=True)}  {bar}".rstrip()


def duration_text(minutes: float) -> str:
    """A length of time in minutes, from two hours on in hours and minutes."""
    whole = round(minutes)
    if whole < 120:
        return _("{minutes} min").format(minutes=whole)
    return _("{hours} h {minutes} min").format(hours=whole // 60, minutes=whole % 60)
