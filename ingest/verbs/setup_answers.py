"""How typed answers become values of the settings, by the rules that hold for the settings file."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from ingest.language import gettext as _
from ingest.log import quoted
from ingest.settings.mistakes import mistakes_in


def value_for(
    table: str, key: str, others: Mapping[str, Any] | None = None, *, text: bool = False
) -> Callable[[str], Any]:
    """Reads an answer as the value of a key, where `others` are known already.

    What gives it raises ValueError with the words that the settings file has for such a mistake.
    """

    def read(typed: str) -> Any:
        number = re.fullmatch(r"[0-9]{1,9}", typed)
        value: Any = int(typed) if number and not text else typed
        if wrong := _wrong_with(table, key, {**(others or {}), key: value}):
            raise ValueError(wrong)
        return value

    return read


def _wrong_with(table: str, key: str, values: Mapping[str, Any]) -> str | None:
    """What is wrong with the value of one key; what is still missing beside it is asked for later."""
    start = f"{key}: "
    found = [m.removeprefix(start) for m in mistakes_in(table, values) if m.startswith(start)]
    return _("That does not fit: {why}.").format(why=found[0]) if found else None


def day_from(typed: str) -> date:
    """A day as it is typed, the year first. Raises ValueError in words."""
    if re.fullmatch(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}", typed):
        year, month, number = map(int, typed.split("-"))
        try:
            found = date(year, month, number)
        except ValueError:
            pass
        else:
            if found.year >= 1900:
                return found
    raise ValueError(
        _("{answer} is no day. Type the year, the month and the day, like {example}.").format(
            answer=quoted(typed), example="2026-03-01"
        )
    )


def steps_from(typed: str) -> list[int]:
    """The steps of a plan, `60, 90, 120`. Raises ValueError in words."""
    parts = [part for part in re.split(r"[\s,;]+", typed) if part]
    steps: list[Any] = [int(part) if re.fullmatch(r"[0-9]{1,9}", part) else part for part in parts]
    if wrong := _wrong_with("person.plan", "targets_min", {"targets_min": steps}):
        raise ValueError(wrong)
    return steps
