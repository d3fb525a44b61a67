"""What does not count though it came in: files and stretches of time that an entry `forget` names, until an `undo`.

Nothing is deleted or edited by either. Whoever reads chunks or facts leaves it out, whatever came in first.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from ingest.formats.recording import Columns
from ingest.journal.entry import Chunk, Entry
from ingest.journal.notifications import Notifications
from ingest.journal.strap_chunks import decode_columns
from zones.series import TIMES
from zones.spans import Spans

FORGETS = ("forget", "undo")
"""The names of entries that say what does not count, and that it does again."""

_ABOUT_A_TIME = ("session", "claim", "check")
"""Facts that are left out where all of the time they tell of is forgotten."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Something that does not count: files, or the time [from_ms, to_ms) of one source or of all of them.

    `position` is that of its entry, the number by which it is taken back. `because` is that of another one which it
    follows: a better copy of a forgotten file is forgotten with it.
    """

    position: int
    person: int
    files: tuple[int, ...] = ()
    name: str = ""
    """What its owner called it."""
    source: str | None = None
    from_ms: int = 0
    to_ms: int = 0
    recorded_ms: int = 0
    because: int | None = None
    placing: bool = False
    """Whether it is a date that was given to a file, and taken back: nothing that anybody forgot."""

    @property
    def is_said(self) -> bool:
        """Whether somebody said that it does not count, and can take that back by its number."""
        return self.because is None and not self.placing

    @property
    def content(self) -> dict[str, Any]:
        """What its entry holds."""
        if self.files:
            about: dict[str, Any] = {"files": list(self.files)}
        else:
            about = {"source": self.source, "from_ms": self.from_ms, "to_ms": self.to_ms}
        why = {} if self.because is None else {"because": self.because}
        return {"name": self.name, **about, **why, **({"placing": True} if self.placing else {})}

    @classmethod
    def of_entry(cls, position: int, person: int, recorded_ms: int, content: dict[str, Any]) -> Self:
        """What an entry holds."""
        return cls(
            position,
            person,
            tuple(content.get("files", ())),
            content.get("name", ""),
            content.get("source"),
            content.get("from_ms", 0),
            content.get("to_ms", 0),
            recorded_ms,
            content.get("because"),
            content.get("placing", False),
        )


def in_force(ask: Callable[..., Iterable[Any]], persons: str) -> list[Forgotten]:
    """What is forgotten of some persons (`= 1` or `IN (1, 2)`) by now, in order."""
    sql = (
        "SELECT position, person, recorded_ms, what, content FROM entry"
        f" WHERE person {persons} AND what IN ('forget', 'undo') AND what <> 'chunk' ORDER BY position"
    )
    return of_entries(ask(sql))


def of_entries(rows: Iterable[Sequence[Any]]) -> list[Forgotten]:
    """What is forgotten by (position, person, recorded_ms, what, content) of entries in order."""
    held: dict[int, Forgotten] = {}
    for position, person, recorded_ms, what, text in rows:
        content = json.loads(text)
        if what == "undo":
            _take_back(held, content.get("forget"))
        elif "part_of" not in content:
            held[position] = Forgotten.of_entry(position, person, recorded_ms, content)
    return list(held.values())


def _take_back(held: dict[int, Forgotten], position: int | None) -> None:
    for key in [k for k, f in held.items() if position in {k, f.because}]:
        del held[key]


def without(held: Iterable[Forgotten], undone: Iterable[int]) -> list[Forgotten]:
    """Those that are left when some are taken back."""
    left = {f.position: f for f in held}
    for position in undone:
        _take_back(left, position)
    return list(left.values())


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What is to be left out when a person's chunks and facts are read."""

    files: frozenset[int] = frozenset()
    always: Spans = field(default_factory=Spans.none)
    """When nothing counts, whatever it is of."""
    of_source: dict[str, Spans] = field(default_factory=dict)

    @classmethod
    def of(cls, held: Sequence[Forgotten]) -> Self:
        """That of all that is forgotten."""
        if not held:
            return cls()
        spans: dict[str | None, list[tuple[int, int]]] = {}
        for f in held:
            if not f.files:
                spans.setdefault(f.source, []).append((f.from_ms, f.to_ms))
        always = Spans.pairs(spans.pop(None, []))
        files = frozenset(file for f in held for file in f.files)
        return cls(files, always, {s: Spans.pairs(p) | always for s, p in spans.items() if s is not None})

    @property
    def has_spans(self) -> bool:
        """Whether any time is left out, whatever file it is of."""
        return bool(len(self.always) or self.of_source)

    def except_files(self, column: str) -> str:
        """The condition in SQL, to be put behind others, that a row is of none of the files."""
        if not self.files:
            return ""
        return f" AND ({column} IS NULL OR {column} NOT IN ({', '.join(map(str, sorted(self.files)))}))"

    def spans(self, source: str | None) -> Spans:
        """When nothing of a source counts."""
        return self.always if source is None else self.of_source.get(source, self.always)

    def hides(self, e: Entry) -> bool:
        """Whether a fact tells of nothing but forgotten time."""
        if e.what not in _ABOUT_A_TIME:
            return False
        spans = self.spans(e.content.get("source"))
        last_ms = e.at_ms if e.last_ms is None else max(e.last_ms, e.at_ms)
        return bool(((spans.start <= e.at_ms) & (last_ms <= spans.end) & (e.at_ms < spans.end)).any())

    def trim(self, source: str, first_ms: int, last_ms: int) -> list[tuple[int, int]]:
        """What is left of the time from first to last, both included."""
        spans = self.spans(source)
        if not len(spans):
            return [(first_ms, last_ms)]
        left = Spans.of([first_ms], [last_ms + 1]) - spans
        return [(a, b - 1) for a, b in zip(left.start.tolist(), left.end.tolist(), strict=True)]

    def cut_chunk(self, chunk: Chunk) -> list[Chunk]:
        """What is left of a chunk of a file, in parts: each ends where what is forgotten begins."""
        spans = self.spans(chunk.source.name)
        until_ms = max(chunk.last_ms, chunk.columns.end_ms)
        if not _meet(spans, chunk.first_ms, until_ms):
            return [chunk]
        parts = []
        for a, b in _between(spans):
            columns = _cut_columns(chunk.columns, a, b)
            ends = [t[[0, -1]].astype(np.int64) for t in (columns.series.times, columns.beat_times) if len(t)]
            if ends:
                first, last = int(min(e[0] for e in ends)), int(max(e[1] for e in ends))
                parts.append(replace(chunk, first_ms=first, last_ms=last, columns=columns))
        return parts

    def decode(
        self, source: str, notifications: Notifications, ahead_ms: int
    ) -> list[tuple[Notifications, Columns]]:
        """What is left of a strap's notifications, in parts as `cut_chunk`, each with what it says."""
        spans = self.spans(source)
        at = notifications.steady_ms + ahead_ms
        if not _meet(spans, int(at[0]), int(at[-1])):
            columns = decode_columns(notifications, ahead_ms)
            until = spans.start[spans.start > int(at[-1])]
            return [(notifications, _ending(columns, int(until[0]) if len(until) else None))]
        parts = []
        for a, b in _between(spans):
            i, j = np.searchsorted(at, [a, b])
            if i < j:
                some = notifications.between(int(i), int(j))
                parts.append((some, _ending(decode_columns(some, ahead_ms), b)))
        return parts


def _meet(spans: Spans, first_ms: int, last_ms: int) -> bool:
    return bool(((spans.start <= last_ms) & (spans.end > first_ms)).any())


def _between(spans: Spans) -> list[tuple[int, int]]:
    """The stretches [a, b) that the spans leave, from the beginning to the end of time."""
    edge = 1 << 61
    return list(zip([-edge, *spans.end.tolist()], [*spans.start.tolist(), edge], strict=True))


def _cut_columns(c: Columns, start_ms: int, end_ms: int) -> Columns:
    i, j = np.searchsorted(c.beat_times.astype(np.int64), [start_ms, end_ms])
    k, n = np.searchsorted(c.series.times.astype(np.int64), [start_ms, end_ms])
    return replace(
        c,
        series=type(c.series)(c.series.times[k:n], c.series.bpm[k:n]),
        end_ms=min(c.end_ms, end_ms),
        beat_times=c.beat_times[i:j].astype(TIMES),
        rr_ms=c.rr_ms[i:j],
    )


def _ending(c: Columns, end_ms: int | None) -> Columns:
    return c if end_ms is None or c.end_ms <= end_ms else replace(c, end_ms=end_ms)
