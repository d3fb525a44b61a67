"""When the timer of a workout stood still: the table `pause`, as its file tells, and what only its own timer tells of its end."""

from collections.abc import Iterator
from typing import Any

from ingest.formats.recording import near_s
from ingest.journal import Entry, Journal, Person
from ingest.rows.evidence import Evidence, read_evidence
from ingest.rows.table import Block
from ingest.rows.touched import overlaps
from ingest.rows.workout import find_workouts, workout_end_ms
from zones.spans import Spans

LEAST_END_MS = 10_000
"""Who stops a workout saves it within seconds; nobody asks about these."""


def pause_blocks(journal: Journal, person: Person, touched: Spans) -> Iterator[Block]:
    """The rows of all pauses that reach into the touched time, which may begin before it."""
    for start_ms, end_ms in zip(touched.start.tolist(), touched.end.tolist(), strict=True):
        a, b, pauses = _whole_pauses(journal, person.id, start_ms, end_ms)
        rows: list[tuple[str, int, dict[str, Any]]] = [
            (source, at, {"end_s": -(-end // 1000), "duration_s": (end - at) / 1000})
            for source, spans in pauses.items()
            for at, end in overlaps(spans, a, b)
        ]
        yield Block.by_source("pause", {"person": person.name}, a, b, rows)


def _whole_pauses(
    journal: Journal, person: int, start_ms: int, end_ms: int
) -> tuple[int, int, dict[str, Spans]]:
    """The span and all around it that pauses reach to, and the pauses by source: chunks may cut one in two."""
    while True:
        parts: dict[str, list[Spans]] = {}
        for source, spans in journal.pauses(person, start_ms, end_ms):
            parts.setdefault(source, []).append(spans)
        pauses = {source: Spans.union(some) for source, some in parts.items()}
        reaching = [(a, b) for spans in pauses.values() for a, b in _touching(spans, start_ms, end_ms)]
        first = min([start_ms, *(a for a, _ in reaching)])
        last = max([end_ms, *(b for _, b in reaching)])
        if (first, last) == (start_ms, end_ms):
            return start_ms, end_ms, pauses
        start_ms, end_ms = first, last


def _touching(spans: Spans, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """Those of the spans that share time with [start, end)."""
    pairs = zip(spans.start.tolist(), spans.end.tolist(), strict=True)
    return [(a, b) for a, b in pairs if a < end_ms and b > start_ms]


def ends_paused(journal: Journal, person: int, start_ms: int, end_ms: int) -> dict[str, Spans]:
    """Where in [start, end) workouts were over but for their saving, by source: as `end_paused` has it."""
    found: dict[str, Spans] = {}
    for workout in find_workouts(journal, person, start_ms, end_ms):
        spans = end_paused(journal, person, workout).clip(start_ms, end_ms)
        if len(spans):
            source = workout.content["source"]
            found[source] = found.get(source, Spans.none()) | spans
    return found


def end_paused(journal: Journal, person: int, workout: Entry) -> Spans:
    """The end of a workout in which nothing was recorded any more, if its own timer stood still then; else nothing.

    A pause is believed where something was recorded: no sample counts less or more by this one.
    """
    timer_s, begin, end = workout.content.get("timer_s"), workout.at_ms, workout_end_ms(workout)
    if timer_s is None or end - begin - timer_s * 1000 < LEAST_END_MS:
        return Spans.none()
    mine = [e for e in read_evidence(journal, person, begin, end) if _is_of(e, workout)]
    pauses = Spans.union(e.pauses.clip(begin, end) for e in mine)
    recorded = pauses | Spans.union(e.pieces.spans for e in mine)
    if not len(recorded):
        return Spans.none()
    last = int(recorded.end[-1])
    off_s = (end - last - (end - begin - timer_s * 1000 - pauses.measure_ms)) / 1000
    is_so = end - last >= LEAST_END_MS and abs(off_s) <= near_s(timer_s)
    return Spans.of([last], [end]) if is_so else Spans.none()


def _is_of(e: Evidence, workout: Entry) -> bool:
    return bool(e.source.name == workout.content["source"])
