"""All samples as they were recorded, as lines of CSV in order of time."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

import numpy as np

from ingest.journal import ALWAYS_MS, DAY_MS, Journal, Person
from ingest.rows.evidence import read_evidence
from ingest.rows.profile import read_profile
from ingest.verbs.times import local_ms

HEADER = "time,person,source,kind,bpm"

Span = tuple[Person, int, int]
"""A person, and the first and the last moment (ms, excluded) of what is exported of them."""


def export_lines(journal: Journal, spans: Sequence[Span]) -> Iterator[str]:
    """CSV lines of all samples in the spans of their persons, ascending; the memory of a few hours at a time."""
    yield HEADER
    days: set[int] = set()
    for person, start_ms, end_ms in spans:
        for first, last in journal.chunk_spans(person.id, start_ms, end_ms):
            days.update(range(first // DAY_MS, last // DAY_MS + 1))
    for day in sorted(days):
        begins, ends = day * DAY_MS, (day + 1) * DAY_MS
        within = [(person, max(start, begins), min(end, ends)) for person, start, end in spans]
        yield from _sorted_lines(journal, [span for span in within if span[1] < span[2]])


def _sorted_lines(journal: Journal, spans: Sequence[Span]) -> Iterator[str]:
    times, tails = [], []
    for person, start_ms, end_ms in spans:
        for e in read_evidence(journal, person.id, start_ms, end_ms):
            i, j = np.searchsorted(e.series.times.astype(np.int64), [start_ms, end_ms])
            head = f",{_csv_field(person.name)},{_csv_field(e.source.name)},{e.source.kind},"
            times.append(e.series.times[i:j])
            tails += [head + str(bpm) for bpm in e.series.bpm[i:j].tolist()]
    if not times:
        return
    together = np.concatenate(times)
    order = np.argsort(together, kind="stable")
    stamps = np.datetime_as_string(together[order], unit="ms", timezone="UTC").tolist()
    for stamp, i in zip(stamps, order.tolist(), strict=True):
        yield stamp + tails[i]


def _csv_field(text: str) -> str:
    """A text as RFC 4180 has it."""
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\r\n') else text


def local_spans(
    journal: Journal, persons: Sequence[Person], start: date | datetime | None, end: date | datetime | None
) -> list[Span]:
    """What lies between two days or times for each person: a day begins at the midnight of where that person was then."""
    spans = []
    for person in persons:
        calendar = read_profile(journal, person.id).calendar
        spans.append(
            (
                person,
                -ALWAYS_MS if start is None else local_ms(start, calendar),
                ALWAYS_MS if end is None else local_ms(end, calendar),
            )
        )
    return spans
