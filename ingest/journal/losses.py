"""What is gone for good, or counts again unasked, as it was found: kept beside the journal and told for a while."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ingest.formats.recording import DAY_MS
from ingest.journal.damage import Damage
from ingest.system.files import write_file

RECENT_MS = 30 * DAY_MS
"""So long what was lost is told: nobody looks at a Pi each day."""

MARKED = "what straps told until then is not in this journal"
"""Why something is lost of which only a mark tells: a store that held it says more exactly when it was."""

_MOST = 500
"""Kept at most, the newest."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that is gone, and when that was found. `forgotten` is what its owner called something that counts again.

    The time of that is its damage's, when it is a time; `said_ms` is when its owner said that it does not count.
    """

    found_ms: int
    damage: Damage
    forgotten: str = ""
    said_ms: int = 0

    def json(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "found_ms": self.found_ms,
            "forgotten": self.forgotten,
            "said_ms": self.said_ms,
            **asdict(self.damage),
        }


def _file(journal: Path) -> Path:
    return journal.with_name("lost.json")


def read_losses(journal: Path) -> list[Loss]:
    """All that was found, the newest last; what cannot be read is none."""
    try:
        told = json.loads(_file(journal).read_bytes())
        return [
            Loss(
                int(one["found_ms"]),
                Damage(*(one[key] for key in ("person", "source", "first_ms", "last_ms", "why"))),
                str(one["forgotten"]),
                int(one["said_ms"]),
            )
            for one in told
        ]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def add_losses(journal: Path, found: Iterable[Loss]) -> list[Loss]:
    """Keep what was found, once; gives what is new of it. Raises OSError."""
    held = read_losses(journal)
    now = with_losses(held, found)
    if now != held:
        _write(journal, now)
    return [one for one in now if one not in held]


def with_losses(held: Sequence[Loss], found: Iterable[Loss]) -> list[Loss]:
    """What is kept once something more is found, the newest last."""
    known = {(one.damage, one.forgotten, one.said_ms) for one in held}
    new = [
        one
        for one in dict.fromkeys(found)
        if (one.damage, one.forgotten, one.said_ms) not in known and not _is_told_better(one, held)
    ]
    return [*(one for one in held if not _is_told_better(one, new)), *new] if new else [*held]


def _is_told_better(loss: Loss, others: Iterable[Loss]) -> bool:
    """Whether others say it already, or more exactly when it was that something is lost of which only a mark told."""
    whose = loss.damage.person, loss.damage.source
    of_the_same = [
        one
        for one in others
        if (one.damage.person, one.damage.source) == whose and one.damage.why != MARKED and not one.forgotten
    ]
    if loss.damage.why == MARKED:
        return any(abs(one.found_ms - loss.found_ms) < DAY_MS for one in of_the_same)
    return not loss.forgotten and any(
        abs(one.found_ms - loss.found_ms) < RECENT_MS and _lies_within(loss.damage, one.damage)
        for one in of_the_same
    )


def _lies_within(damage: Damage, other: Damage) -> bool:
    """Whether one span is a part of another that is longer: what a store misses of a chunk that could not be read."""
    spans = [
        (d.first_ms, d.last_ms) for d in (damage, other) if d.first_ms is not None and d.last_ms is not None
    ]
    if len(spans) < 2:
        return False
    (first, last), (begin, end) = spans
    return begin <= first and last <= end and (begin, end) != (first, last)


def _write(journal: Path, held: list[Loss]) -> None:
    write_file(_file(journal), json.dumps([one.json() for one in held[-_MOST:]], ensure_ascii=False).encode())


def keep_losses_of(journal: Path, persons: Iterable[str]) -> None:
    """Let go of what was lost of everybody but these persons. Raises OSError."""
    names = {*persons, ""}
    held = read_losses(journal)
    kept = [one for one in held if one.damage.person in names]
    if kept != held:
        _write(journal, kept)
