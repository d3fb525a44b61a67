"""What a store of another past of the journal held of straps, and the journal does not: by that it is known what was lost."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from ingest.formats.recording import DAY_MS
from ingest.journal.damage import Damage

if TYPE_CHECKING:
    from ingest.journal.reader import Journal

WITNESSED = "a store held it, and the journal does not"

_TOGETHER_MS = 600_000
"""What is missing nearer to one another is told as one."""

_MOST_SPANS = 40
"""Of a source; of more it is told from when to when."""


class HeldByStore(Protocol):
    """What a store holds of straps."""

    def days(self) -> Iterator[tuple[str, str, int, int]]:
        """Of whom, by what, on which day since 1970, and how many samples."""

    def moments_ms(self, person: str, source: str, day: int) -> NDArray[np.int64]:
        """When those of a day were."""


def gone(journal: "Journal", held: HeldByStore) -> list[Damage]:
    """What straps told that the journal does not have, also among what does not count in it."""
    there = {(person, source, day): n for person, source, day, n in journal.strap_samples()}
    missing: dict[tuple[str, str], list[NDArray[np.int64]]] = {}
    for person, source, day, n in held.days():
        if there.get((person, source, day)) != n:
            moments = np.setdiff1d(
                held.moments_ms(person, source, day), _moments_ms(journal, person, source, day)
            )
            if len(moments):
                missing.setdefault((person, source), []).append(moments)
    return [
        Damage(person, source, first, last, WITNESSED)
        for (person, source), moments in missing.items()
        for first, last in _spans(np.concatenate(moments))
    ]


def _moments_ms(journal: "Journal", person: str, source: str, day: int) -> NDArray[np.int64]:
    known = journal.person(person)
    if known is None:
        return np.zeros(0, np.int64)
    with journal.supposing(undone=[f.position for f in journal.forgotten(known.id)]):
        chunks = journal.chunks(known.id, day * DAY_MS, (day + 1) * DAY_MS)
    of_source = [c.columns.series.times.astype(np.int64) for c in chunks if c.source.name == source]
    return np.concatenate([np.zeros(0, np.int64), *of_source])


def _spans(moments: NDArray[np.int64]) -> list[tuple[int, int]]:
    moments = np.sort(moments)
    breaks = np.flatnonzero(np.diff(moments) > _TOGETHER_MS)
    if len(breaks) >= _MOST_SPANS:
        return [(int(moments[0]), int(moments[-1]))]
    first, last = moments[np.append(0, breaks + 1)], moments[np.append(breaks, len(moments) - 1)]
    return list(zip(first.tolist(), last.tolist(), strict=True))
