"""Persons who were found to be one: an entry `merge` of the one says whose history counts as theirs, `unmerge` takes it back.

Nothing is written anew by either: whoever reads of a person reads of all who are the same.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

PERSONS = "persons"
"""An entry by which a person has another name, or another history: all of their rows are others, in every store."""

HIDDEN = "/"
"""Stands in the name of a person who is another one's by now: no name that can be typed has it."""


MERGES = ("merge", "unmerge")
"""The names of the entries."""


def merges(ask: Callable[..., Iterable[Any]]) -> dict[int, int]:
    """Who is whose: the number of a person, and of the one as whom they count."""
    sql = (
        "SELECT what, content FROM entry WHERE person IN (SELECT id FROM person)"
        " AND what IN ('merge', 'unmerge') AND what <> 'chunk' ORDER BY position"
    )
    return merges_of(ask(sql))


def merges_of(entries: Iterable[tuple[str, str]]) -> dict[int, int]:
    """The same of what entries are called and hold, in order."""
    found: dict[int, int] = {}
    for what, text in entries:
        content = json.loads(text)
        if what == "merge":
            found[content["person"]] = content["into"]
        else:
            found.pop(content["person"], None)
    return {person: _end(found, person) for person in found}


def _end(found: Mapping[int, int], person: int) -> int:
    seen = {person}
    while person in found and found[person] not in seen:
        person = found[person]
        seen.add(person)
    return person


def own(found: Mapping[int, int], person: int) -> str:
    """The condition in SQL that a row is of a person, to be put behind the column's name."""
    others = sorted(one for one, other in found.items() if other == person)
    # Not as values of a statement: it is prepared anew only where somebody was merged.
    return f"IN ({', '.join(map(str, [int(person), *others]))})" if others else f"= {int(person)}"
