"""What was known of the journal a while ago, kept apart from it: by that an older copy put in its place is found out.

Written after the journal's own commits and now and then, so it may be behind, and never ahead of what is on the card.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ingest.journal.damage import Damage
from ingest.journal.entry import STANDS_MS
from ingest.journal.losses import MARKED, Loss, add_losses
from ingest.journal.mended import Places
from ingest.journal.merged import MERGES, PERSONS
from ingest.journal.reader import Journal
from ingest.system.files import write_file

COUNTS_AGAIN = "what said that it does not count is not in this journal"

_OF_OTHER_TIMES = (PERSONS, *MERGES, "redated")
"""After entries of these names a strap's time may be another one, or somebody else's."""


_Said = tuple[str, str, int, str, int, int]
"""Of whom, what its owner called what does not count, when that was said (ms); its source, if any, and its time, if it is one."""


@dataclass(slots=True)
class Known:
    """Which journal it was, how far, from when to when each strap had told by then, and what did not count."""

    journal: str
    position: int
    generation: str | None
    heard: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)
    """(First, last) time (ms), by person and source."""
    forgotten: list[_Said] = field(default_factory=list)

    def is_past_of(self, journal: Journal) -> bool:
        """Whether a journal is this one, later on or not."""
        return (self.journal, self.generation) == (journal.id, journal.generation_at(self.position))


def known_file(places: Places) -> Path:
    """Where it is written down."""
    return places.data / "known.json"


def read_known(places: Places) -> Known | None:
    """What was written down last; None where nothing is, or it cannot be read."""
    try:
        told = json.loads(known_file(places).read_bytes())
        known = Known(str(told["journal"]), int(told["position"]), told["generation"])
        for person, sources in told["heard"].items():
            known.heard[person] = {source: (int(a), int(b)) for source, (a, b) in sources.items()}
        known.forgotten = [
            (str(person), str(name), int(said), str(source), int(a), int(b))
            for person, name, said, source, a, b in told["forgotten"]
        ]
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return known


def note_known(places: Places, journal: Journal) -> None:
    """Write down how the journal is now. Raises OSError."""
    before = read_known(places)
    last = journal.last_position()
    now = Known(journal.id, last, journal.generation_at(last), forgotten=[*_forgotten(journal)])
    goes_on = before is not None and before.is_past_of(journal) and not _is_other(journal, before.position)
    if goes_on and before is not None:
        now.heard = before.heard
    for person, source, first, until in journal.strap_spans(before.position if goes_on and before else 0):
        of_person = now.heard.setdefault(person, {})
        a, b = of_person.get(source, (first, until))
        of_person[source] = min(a, first), max(b, until)
    if before is None or asdict(before) != asdict(now):
        write_file(known_file(places), json.dumps(asdict(now), ensure_ascii=False).encode())


def _is_other(journal: Journal, after: int) -> bool:
    """Whether entries behind a position move what was heard before it."""
    return journal.has_entries_of(_OF_OTHER_TIMES, after)


def _forgotten(journal: Journal) -> Iterator[_Said]:
    for person in journal.persons():
        for f in journal.forgotten(person.id):
            if f.because is None:
                yield person.name, f.name, f.recorded_ms, f.source or "", f.from_ms, f.to_ms


def gone_since_known(places: Places, journal: Journal, coming: Iterable[str] = ()) -> list[Loss]:
    """What was known and is not in the journal that is there now; nothing where it is the same one.

    `coming` are persons whose files are soon to be in it.
    """
    known = read_known(places)
    if known is None or known.is_past_of(journal):
        return []
    now_ms = journal.now_ms()
    lost = [Loss(now_ms, damage) for damage in _unheard(known, journal)]
    held = set(_forgotten(journal))
    persons = {*coming, *(person.name for person in journal.persons())}
    for said in known.forgotten:
        person, name, said_ms, source, first, last = said
        if said not in held and person in persons:
            is_time = last > 0
            damage = Damage(
                person, source, first if is_time else None, last if is_time else None, COUNTS_AGAIN
            )
            lost.append(Loss(now_ms, damage, name, said_ms))
    return lost


def _unheard(known: Known, journal: Journal) -> Iterator[Damage]:
    there = {(person, source): (first, last) for person, source, first, last in journal.strap_spans(0)}
    for person, sources in known.heard.items():
        for source, (first, last) in sources.items():
            if (person, source) not in there:
                yield Damage(person, source, first, last, MARKED)
                continue
            begins, ends = there[person, source]
            if first < begins - STANDS_MS:
                yield Damage(person, source, first, begins, MARKED)
            if last > ends + STANDS_MS:
                yield Damage(person, source, ends, last, MARKED)


def note_gone_since_known(places: Places, journal: Journal) -> list[Loss]:
    """Keep what is gone for `status`, and how the journal is now; gives what is newly known to be gone.

    A disk that is full is no reason not to go on.
    """
    new = list[Loss]()
    with suppress(OSError):
        new = add_losses(places.journal, gone_since_known(places, journal))
        note_known(places, journal)
    return new
