"""Files and stretches of time that do not count, said by an entry of the journal, and taken back by another one."""

from collections.abc import Iterable, Sequence

from ingest.journal import Journal, Writer
from ingest.journal.forgotten import Forgotten
from ingest.rows.profile import Profile, differences, read_profile
from ingest.rows.workout import find_workouts, sport_spans
from zones.spans import Spans


def forget(journal: Journal, forgotten: Forgotten) -> int:
    """Have it not count from now on; gives the number by which it is taken back."""
    span, *more = touched_spans(journal, forgotten)
    edges = changed_edges(journal, forgotten)
    with journal.write() as w:
        at_ms = w.now_ms if forgotten.files else forgotten.from_ms
        position = w.entry(forgotten.person, "forget", at_ms, span, forgotten.content)
        for other in more:
            w.entry(forgotten.person, "forget", at_ms, other, {"part_of": position})
        _touch(w, forgotten.person, edges)
    return position


def take_back(journal: Journal, forgotten: Forgotten) -> None:
    """Have it count again."""
    span, *more = touched_spans(journal, forgotten)
    edges = changed_edges(journal, forgotten, back=True)
    with journal.write() as w:
        w.entry(forgotten.person, "undo", w.now_ms, span, {"forget": forgotten.position})
        for other in more:
            w.entry(forgotten.person, "undo", w.now_ms, other, {"part_of": forgotten.position})
        _touch(w, forgotten.person, edges)


def touched_spans(journal: Journal, forgotten: Forgotten) -> Sequence[tuple[int, int] | None]:
    """The time (ms, both ends included) in which something counts otherwise by it; one None where there is none."""
    if not forgotten.files:
        return [(forgotten.from_ms, forgotten.to_ms - 1)]
    followers = [f.files for f in journal.forgotten(forgotten.person) if f.because == forgotten.position]
    files = {*forgotten.files, *(file for files in followers for file in files)}
    spans = _pairs(Spans.pairs((a, b + 1) for a, b in journal.touched_by_files(sorted(files))))
    return spans or [None]


def changed_edges(journal: Journal, forgotten: Forgotten, *, back: bool = False) -> list[tuple[int, int]]:
    """The time (ms, both ends included) in which other limits of the heart rate hold by it."""
    before = read_profile(journal, forgotten.person)
    suppose = {"undone": [forgotten.position]} if back else {"forgotten": [forgotten]}
    with journal.supposing(**suppose):
        after = read_profile(journal, forgotten.person)
        return differing_spans(journal, forgotten.person, before, after)


def differing_spans(journal: Journal, person: int, before: Profile, after: Profile) -> list[tuple[int, int]]:
    """The time (ms, both ends included) in which other numbers come of one profile than of the other."""
    workouts = find_workouts(journal, person)
    return _pairs(differences(before, after, lambda sport: sport_spans(workouts, sport)))


def _touch(w: Writer, person: int, spans: Iterable[tuple[int, int]]) -> None:
    for span in spans:
        w.entry(person, "touch", w.now_ms, span)


def _pairs(spans: Spans) -> list[tuple[int, int]]:
    return list(zip(spans.start.tolist(), (spans.end - 1).tolist(), strict=True))
