"""The samples as they are, as CSV in order of time."""

from collections.abc import Iterator
from datetime import datetime

import numpy as np

from ingest.journal import DAY_MS, Journal, Person
from ingest.rows.evidence import read_evidence

HEADER = "time,person,source,kind,bpm"


def lines(journal: Journal, persons: list[Person], start_ms: int, end_ms: int) -> Iterator[str]:
    """CSV lines of all samples with start <= time < end, ascending; the memory of a few hours at a time."""
    yield HEADER
    days: set[int] = set()
    for person in persons:
        for first, last in journal.chunk_spans(person.id, start_ms, end_ms):
            days.update(range(first // DAY_MS, last // DAY_MS + 1))
    for day in sorted(days):
        a, b = max(day * DAY_MS, start_ms), min((day + 1) * DAY_MS, end_ms)
        if a < b:
            yield from _span(journal, persons, a, b)


def _span(journal: Journal, persons: list[Person], a: int, b: int) -> Iterator[str]:
    times, tails = [], []
    for person in persons:
        for e in read_evidence(journal, person.id, a, b):
            ms = e.series.times.astype(np.int64)
            i, j = np.searchsorted(ms, [a, b])
            head = f",{_quoted(person.name)},{_quoted(e.source.name)},{e.source.kind},"
            times.append(e.series.times[i:j])
            tails += [head + str(bpm) for bpm in e.series.bpm[i:j].tolist()]
    if not times:
        return
    together = np.concatenate(times)
    order = np.argsort(together, kind="stable")
    stamps = np.datetime_as_string(together[order], unit="ms", timezone="UTC").tolist()
    for stamp, i in zip(stamps, order.tolist(), strict=True):
        yield stamp + tails[i]


def _quoted(text: str) -> str:
    """A CSV field by RFC 4180."""
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\r\n') else text


def moment_ms(text: str, zone: str) -> int:
    """Milliseconds of a date or time as a person writes it, local unless it says otherwise.

    Raises ValueError when it is neither.
    """
    from zoneinfo import ZoneInfo

    when = datetime.fromisoformat(text)
    if when.tzinfo is None:
        when = when.replace(tzinfo=ZoneInfo(zone))
    return round(when.timestamp() * 1000)
