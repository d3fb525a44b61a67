"""The tables `heart_rate` and `beat`: what each source recorded, as it is."""

from collections.abc import Iterator, Sequence

import numpy as np

from ingest.journal import ALWAYS_MS, Chunk, Entry, Journal, Person, Source
from ingest.rows.evidence import Evidence
from ingest.rows.table import Block
from ingest.rows.touched import overlaps, recorded_time
from zones.series import TIMES, join


def sample_blocks(
    table: str,
    person: Person,
    sources: Sequence[Source],
    evidence: Sequence[Evidence],
    start_ms: int,
    end_ms: int,
) -> Iterator[Block]:
    """The rows of `heart_rate` or `beat` in [start, end), a block for each source; one without any may have had some."""
    by_source = {e.source.id: e for e in evidence}
    field = "bpm" if table == "heart_rate" else "rr_ms"
    for source in sources:
        tags = _tags(person, source)
        e = by_source.get(source.id)
        times, values = np.empty(0, TIMES), np.empty(0, np.uint8 if table == "heart_rate" else np.float64)
        if e and table == "heart_rate":
            times, values = e.series.times, e.series.bpm
        elif e:
            # A store has room for one beat of a moment: the same one in each, whoever counts it again.
            last = np.append(
                e.beat_times[1:] != e.beat_times[:-1], np.ones(min(len(e.beat_times), 1), np.bool_)
            )
            times, values = e.beat_times[last], e.rr_ms[last].astype(np.float64)
        ms = times.astype(np.int64)
        i, j = np.searchsorted(ms, [start_ms, end_ms])
        yield Block(table, tags, start_ms * 1000, end_ms * 1000, ms[i:j] * 1000, {field: values[i:j]})


def told_sample_blocks(journal: Journal, person: Person, entries: Sequence[Entry]) -> Iterator[Block]:
    """The rows of `heart_rate` of what straps just told, and of nothing else: what is counted from them can wait."""
    for a, b in overlaps(recorded_time(entries), -ALWAYS_MS, ALWAYS_MS):
        by_source: dict[Source, list[Chunk]] = {}
        for chunk in journal.chunks(person.id, a, b):
            by_source.setdefault(chunk.source, []).append(chunk)
        for source, chunks in by_source.items():
            series = join([c.columns.series for c in chunks])
            ms = series.times.astype(np.int64)
            i, j = np.searchsorted(ms, [a, b])
            fields = {"bpm": series.bpm[i:j]}
            yield Block("heart_rate", _tags(person, source), a * 1000, b * 1000, ms[i:j] * 1000, fields)


def _tags(person: Person, source: Source) -> dict[str, str]:
    return {"person": person.name, "source": source.name, "kind": source.kind}
