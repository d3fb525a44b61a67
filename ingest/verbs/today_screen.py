"""How today goes, as much of it as a screen has lines for: what matters least goes first, and nobody goes at all."""

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

from ingest.language import gettext as _

if TYPE_CHECKING:
    from ingest.verbs.terminal import Terminal


class Goes(IntEnum):
    """What a part of somebody's today is; where there are too few lines, the first of these goes first."""

    SPACE = 1
    BY_WHICH_SENSOR = 2
    NOT_COUNTED = 3
    SENSOR = 4
    """One of which nothing needs to be done."""
    ZONES = 5
    PACE = 6
    TROUBLE = 7
    """A sensor that somebody must look after."""
    MINUTES = 8
    NEVER = 9


Part = tuple[Goes, list[str]]


def fitting_lines(t: "Terminal", persons: Sequence[Iterable[Part]]) -> list[str]:
    """Everybody's today in no more lines than the terminal has, and how it ends; what is missing is said to be."""
    todays = [list(parts) for parts in persons]
    for least in Goes:
        kept = [[line for goes, lines in parts if goes >= least for line in lines] for parts in todays]
        is_whole = all(goes >= least or goes is Goes.SPACE for parts in todays for goes, _lines in parts)
        foot = _foot(t, is_whole=is_whole, many=len(todays) > 1)
        lines = _joined(kept)
        # An empty line before the foot only where one is free.
        for space in ([""], []):
            if len(lines) + len(space) + len(foot) <= t.height:
                return [*lines, *space, *foot]
    return [*_as_many_as_fit(kept, max(t.height - len(foot), 1)), *foot]


def _joined(persons: Sequence[list[str]]) -> list[str]:
    lines: list[str] = []
    for i, own in enumerate(persons):
        lines += ["", *own] if i else own
    return lines


def _as_many_as_fit(persons: Sequence[list[str]], room: int) -> list[str]:
    """Of a house full of people those who stand first, each whole; of the first one at least a part."""
    lines: list[str] = []
    for own in persons:
        if lines and len(lines) + len(own) > room:
            break
        lines += own
    return lines[:room]


def _foot(t: "Terminal", *, is_whole: bool, many: bool) -> list[str]:
    told = (
        []
        if is_whole
        else [
            _("Not all of it fits here: `hartslag today NAME` shows one person.")
            if many
            else _("Not all of it fits here: `hartslag today --once` shows it.")
        ]
    )
    told.append(_("Ctrl-C ends it."))
    return [t.dim(line) for text in told for line in t.wrap(text, 0)]
