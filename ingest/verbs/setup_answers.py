"""How typed answers become values of the settings: by the rules of the settings file, in the words of a conversation."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from ingest.language import N_, said
from ingest.language import gettext as _
from ingest.log import quoted
from ingest.settings.mistakes import mistakes_in
from ingest.settings.names import wrong_with_name
from ingest.settings.table import YEARS

_BEATS = N_("{answer} does not fit. Type whole beats per minute, from {least} to {most}.")
_MINUTES = N_("{answer} does not fit. Type whole minutes a week, from {least} to {most}.")

BOUNDS: Mapping[str, tuple[str, int, int]] = {
    "maximum_bpm": (_BEATS, 100, 230),
    "moderate_bpm": (_BEATS, 40, 220),
    "vigorous_bpm": (_BEATS, 40, 220),
    "target_min": (_MINUTES, 1, 2000),
    "weeks": (N_("{answer} does not fit. Type whole weeks, from {least} to {most}."), 1, 52),
    "born": (N_("{answer} does not fit. Type a year from {least} to {most}."), 1900, 2026),
}
"""What is said of a number out of bounds, and those bounds, which the settings have as well."""


def value_for(
    table: str, key: str, others: Mapping[str, Any] | None = None, *, text: bool = False
) -> Callable[[str], Any]:
    """Reads an answer as the value of a key, where `others` are known already.

    What gives it raises ValueError in words that name no key of a file, for a value that the settings refuse.
    """

    def read(typed: str) -> Any:
        number = re.fullmatch(r"[0-9]{1,9}", typed)
        value: Any = int(typed) if number and not text else typed
        if not _fits(table, key, {**(others or {}), key: value}):
            raise ValueError(_why_not(key, typed, others or {}))
        return value

    return read


def _fits(table: str, key: str, values: Mapping[str, Any]) -> bool:
    """Whether the settings take the value of one key; what is still missing beside it is asked for later."""
    return not any(m.startswith(f"{key}: ") for m in mistakes_in(table, values))


def _why_not(key: str, typed: str, others: Mapping[str, Any]) -> str:
    """What is wrong with an answer, and what to type."""
    if not typed:
        return _("Type a number, or back.") if key in BOUNDS else _("Type a name, or back.")
    if key not in BOUNDS:
        wrong = wrong_with_name(typed)
        return _("That does not fit: {why}.").format(why=said(wrong) if wrong else quoted(typed))
    if key == "born" and (year := re.match(r"((?:19|20)[0-9]{2})-[0-9]", typed)):
        return _("The year is enough: type {year}.").format(year=year[1])
    if key.endswith("_bpm") and typed.endswith("%"):
        return _("Type beats per minute, like {example}; no percentage.").format(example=115)
    words, least, most = BOUNDS[key]
    if key == "born":
        most = max(most, datetime.now().astimezone().year)
    if not re.fullmatch(r"[0-9]{1,9}", typed) or not least <= int(typed) <= most:
        return _(words).format(answer=quoted(typed), least=least, most=most)
    return _why_no_limit(int(typed), others)


def _why_no_limit(limit: int, others: Mapping[str, Any]) -> str:
    """What is wrong with a limit that is a heart rate, but does not go with what was said before."""
    moderate, maximum = others.get("moderate_bpm"), others.get("maximum_bpm")
    if moderate is not None and limit <= moderate:
        words = _("Vigorous begins higher than moderate: type more than {moderate}, or back to change that.")
    elif maximum is not None and limit >= maximum:
        words = _(
            "{limit} is not below your highest heart rate, {maximum}: type less than that, or back to change it."
        )
    elif maximum is not None:
        words = _(
            "{limit} beats per minute is too low beside your highest heart rate, {maximum}. Type beats per minute; no "
            "percentage."
        )
    else:
        words = _(
            "{limit} beats per minute is too low: so slow is a heart at rest. Type beats per minute, like 115; no "
            "percentage. If a medicine keeps your heart slow, go back, say yes to the question about medicines, and "
            "type the highest heart rate that was measured with it."
        )
    return words.format(limit=limit, moderate=moderate, maximum=maximum)


def day_from(typed: str) -> date:
    """A day as it is typed, the year first. Raises ValueError in words."""
    if re.fullmatch(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}", typed):
        year, month, number = map(int, typed.split("-"))
        try:
            found = date(year, month, number)
        except ValueError:
            pass
        else:
            if found.year in YEARS:
                return found
    if not typed:
        raise ValueError(_("Type a day, like {example}, or back.").format(example="2026-03-01"))
    raise ValueError(
        _("{answer} is no day. Type the year, the month and the day, like {example}.").format(
            answer=quoted(typed), example="2026-03-01"
        )
    )


def steps_from(typed: str) -> list[int]:
    """The steps of a plan that rises, `60, 90, 120`. Raises ValueError in words."""
    parts = [part for part in re.split(r"[\s,;]+", typed) if part]
    steps: list[Any] = [int(part) if re.fullmatch(r"[0-9]{1,9}", part) else part for part in parts]
    if not _fits("person.plan", "targets_min", {"targets_min": steps}):
        _words, least, most = BOUNDS["target_min"]
        raise ValueError(
            _(
                "{answer} does not fit. Type the minutes a week of each step, from {least} to {most}, like {example}."
            ).format(answer=quoted(typed), least=least, most=most, example="60, 90, 120")
        )
    for before, after in pairwise(steps):
        if after < before:
            raise ValueError(
                _(
                    "A plan rises, and here {after} comes after {before}. Type the lowest step first, or back for "
                    "another target."
                ).format(after=after, before=before)
            )
    return steps
