"""Units of Grafana that are words beside a number. It puts a space behind the number, and none behind what stands before."""

import re

from ingest.language import gettext

_AROUND = re.compile(r"(.* )?\{\}( .*)?")
_AFFIX = re.compile(r"(prefix|suffix):(.*)")


def unit_of(words: str) -> str:
    """The unit for a sentence with `{}` for the number at one of its ends: `suffix:min` for `{} min`.

    Raises ValueError for one that Grafana cannot say: with words on both sides, or with no number.
    """
    found = _AROUND.fullmatch(words)
    before, behind = (found[1] or "", found[2] or "") if found else ("", "")
    if found is None or (before and behind):
        raise ValueError(f"{words!r} has no {{}} at one of its ends")
    return f"prefix:{before}" if before else f"suffix:{behind.strip()}" if behind else "none"


def moment_unit(pattern: str) -> str:
    """The unit of a time in ms, by a pattern of moment.js such as `D MMMM YYYY`."""
    return f"time:{pattern}"


def translated_unit(unit: str) -> str:
    """The unit in the language that is spoken; one of Grafana's own is the same in each.

    So are names of days and months in a pattern: they are the browser's, and English wherever a dashboard says when a week
    begins (@grafana/data, `setWeekStart`). A language does better with figures.
    """
    if unit.startswith("time:"):
        return moment_unit(gettext(unit.removeprefix("time:")))
    words = words_of(unit)
    return unit_of(gettext(words)) if words else unit


def words_of(unit: str) -> str | None:
    """The sentence that a unit was made of; None for a unit of Grafana's own."""
    found = _AFFIX.fullmatch(unit)
    if found is None:
        return None
    return f"{found[2]}{{}}" if found[1] == "prefix" else f"{{}} {found[2]}"
