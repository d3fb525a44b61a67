"""The table `pause`: when the timer of a workout stood still, as its file tells."""

from collections.abc import Iterator
from typing import Any

from ingest.journal import Journal, Person
from ingest.rows.table import Block
from ingest.rows.touched import overlaps
from zones.spans import Spans


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
