"""Files and stretches of time that do not count, said by an entry of the journal, and taken back by another one."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from ingest.journal import Journal, Writer
from ingest.journal.forgotten import Forgotten
from ingest.rows.profile import Profile, differences, read_profile
from ingest.rows.workout import find_workouts, sport_spans
from zones.spans import Spans


def forget(journal: Journal, together: Sequence[Forgotten]) -> int:
    """Have some things not count from now on; gives the number by which all of them are taken back."""
    spans = [touched_spans(journal, f) for f in together]
    edges = changed_edges(journal, together)
    first: int | None = None
    with journal.write() as w:
        for f, (span, *more) in zip(together, spans, strict=True):
            at_ms = w.now_ms if f.files else f.from_ms
            position = w.entry(f.person, "forget", at_ms, span, replace(f, because=first).content)
            for other in more:
                w.entry(f.person, "forget", at_ms, other, {"part_of": position})
            first = position if first is None else first
        _touch(w, together[0].person, edges)
    assert first is not None
    return first


def take_back(journal: Journal, forgotten: Forgotten) -> None:
    """Have it count again, and what was forgotten because of it."""
    together = followers(journal, forgotten)
    spans = [span for f in together for span in touched_spans(journal, f)]
    edges = changed_edges(journal, [forgotten], back=True)
    with journal.write() as w:
        for i, span in enumerate(spans):
            content = {"part_of" if i else "forget": forgotten.position}
            w.entry(forgotten.person, "undo", w.now_ms, span, content)
        _touch(w, forgotten.person, edges)


def followers(journal: Journal, forgotten: Forgotten) -> list[Forgotten]:
    """It, and what is forgotten because of it."""
    found = journal.forgotten(forgotten.person)
    return [forgotten, *(f for f in found if f.because == forgotten.position)]


def touched_spans(journal: Journal, forgotten: Forgotten) -> Sequence[tuple[int, int] | None]:
    """The time (ms, both ends included) in which something counts otherwise by it; one None where there is none."""
    if not forgotten.files:
        return [(forgotten.from_ms, forgotten.to_ms - 1)]
    spans = _pairs(Spans.pairs((a, b + 1) for a, b in journal.touched_by_files(forgotten.files)))
    return spans or [None]


def changed_edges(
    journal: Journal, together: Sequence[Forgotten], *, back: bool = False
) -> list[tuple[int, int]]:
    """The time (ms, both ends included) in which other limits of the heart rate hold by them."""
    person = together[0].person
    before = read_profile(journal, person)
    with supposing(journal, together, back=back):
        return differing_spans(journal, person, before, read_profile(journal, person))


def supposing(
    journal: Journal, together: Sequence[Forgotten], *, back: bool = False
) -> AbstractContextManager[None]:
    """The journal as if these were forgotten, or taken back."""
    if back:
        return journal.supposing(undone=[f.position for f in together])
    return journal.supposing(forgotten=together)


def differing_spans(journal: Journal, person: int, before: Profile, after: Profile) -> list[tuple[int, int]]:
    """The time (ms, both ends included) in which other numbers come of one profile than of the other."""
    workouts = find_workouts(journal, person)
    return _pairs(differences(before, after, lambda sport: sport_spans(workouts, sport)))


def _touch(w: Writer, person: int, spans: Iterable[tuple[int, int]]) -> None:
    for span in spans:
        w.entry(person, "touch", w.now_ms, span)


def _pairs(spans: Spans) -> list[tuple[int, int]]:
    return list(zip(spans.start.tolist(), (spans.end - 1).tolist(), strict=True))
