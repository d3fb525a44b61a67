"""Boots that never learned the time, placed where their owner says they were, and taken back: words are added, none is changed."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ingest.journal import Journal
from ingest.journal.boots import Boot
from ingest.journal.dating import OWNER, TAKEN_BACK, Observation, date_offset_ms


class _SupposedError(Exception):
    """Ends a transaction that was only to be looked at."""


def placing(boot: Boot, when_ms: int) -> Observation:
    """The word that the first of what a boot told was heard at that moment."""
    return Observation(
        boot.first_ms, when_ms, synchronized=False, offset_ms=when_ms - boot.first_ms, believed=OWNER
    )


def taking_back(boot: Boot) -> Observation:
    """The word that what the owner said of a boot does not hold."""
    ahead = date_offset_ms(boot.known, boot.first_ms) or 0
    at = boot.first_ms + ahead
    return Observation(boot.first_ms, at, synchronized=False, offset_ms=ahead, believed=TAKEN_BACK)


def say_of_boot(journal: Journal, boot: str, said: Observation) -> None:
    """Have the owner's word hold from now on; every store counts anew what it moves."""
    with journal.write() as w:
        w.clock_observation(boot, said)


@contextmanager
def supposing(journal: Journal, boot: str, said: Observation) -> Iterator[None]:
    """Within the block the journal reads as if the word held; nothing is written. Others wait meanwhile who write."""
    with suppress(_SupposedError), journal.write() as w:
        w.clock_observation(boot, said)
        yield
        raise _SupposedError


def dated_spans(boot: Boot, said: Observation) -> list[tuple[int, int]]:
    """The time (ms, both ends included) in which something counts otherwise by a word of the owner: what was, and what is then."""
    offsets = {date_offset_ms(known, boot.first_ms) for known in (boot.known, [*boot.known, said])}
    return sorted((boot.first_ms + ahead, boot.last_ms + ahead) for ahead in offsets if ahead is not None)
