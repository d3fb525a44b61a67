"""Small households for tests: persons, sources and what comes in of them, written through the journal's own door."""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ingest.formats import recording
from ingest.household import record_profile
from ingest.journal import RANKS, Columns, Journal, Writer
from ingest.rows.table import TABLES
from ingest.settings.model import Settings
from ingest.stores.following import follow
from ingest.stores.sqlite import SqliteStore
from tests.support import preloaded
from zones.series import TIMES, Series
from zones.spans import Spans

S, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
"""Milliseconds."""

NOW = 1_795_000_000_000
"""The clock of every household here: some moment in November 2026."""

Pair = tuple[int, int]


def at(text: str) -> int:
    """Milliseconds of a moment in ISO form, offset included."""
    moment = datetime.fromisoformat(text)
    assert moment.tzinfo is not None
    return round(moment.timestamp() * 1000)


@dataclass(frozen=True)
class Recording:
    """What one source saw: pairs of time (ms) and bpm, and the end of it; cut into chunks at the moments of `cuts`."""

    person: str
    source: str
    kind: str
    samples: tuple[Pair, ...]
    end_ms: int
    pauses: tuple[Pair, ...] = ()
    movement: tuple[Pair, ...] | None = None
    cuts: tuple[int, ...] = ()
    beats: tuple[Pair, ...] = ()
    """When each heartbeat was, and the interval before it (ms)."""

    def write(self, w: Writer, file: int | None = None) -> None:
        """Append it, a chunk for each part; chunks that follow each other touch."""
        person = w.person(self.person)
        source = w.source(person, self.source, self.kind, RANKS[self.kind])
        borders = [-(1 << 60), *sorted(set(self.cuts)), 1 << 60]
        parts = [[s for s in self.samples if a <= s[0] < b] for a, b in pairwise(borders)]
        parts = [part for part in parts if part]
        ends = [part[0][0] for part in parts[1:]] + [self.end_ms]
        begins = [-(1 << 60), *ends[:-1]]
        for i, (part, end) in enumerate(zip(parts, ends, strict=True)):
            times, bpm = zip(*part, strict=True)
            until = end if i + 1 < len(parts) else 1 << 60
            beats = [beat for beat in self.beats if begins[i] <= beat[0] < until]
            w.chunk(
                person,
                source,
                Columns(
                    Series.of(np.array(times).astype(TIMES), np.array(bpm, np.uint8)),
                    end,
                    np.array([t for t, _ in beats], np.int64).astype(TIMES),
                    np.array([rr for _, rr in beats], np.float32),
                    pauses=Spans.pairs(self.pauses),
                    movement=None if self.movement is None else Spans.pairs(self.movement),
                ),
                file,
            )


@dataclass(frozen=True)
class Limits:
    """What a watch says its wearer's maximum is."""

    person: str
    at_ms: int
    maximum_bpm: int

    def write(self, w: Writer, file: int | None = None) -> None:
        person = w.person(self.person)
        file = a_file(w, person) if file is None else file
        w.limits(person, self.at_ms, {"maximum_bpm": self.maximum_bpm}, file)


@dataclass(frozen=True)
class Workout:
    """A session as a file tells of it."""

    person: str
    source: str
    start_ms: int
    end_ms: int
    timer_s: float | None = None
    sport: str = "running"
    sub_sport: str | None = None
    more: tuple[tuple[str, Any], ...] = ()
    """What else its file tells."""

    def write(self, w: Writer, file: int | None = None) -> None:
        content = {"source": self.source, "sport": self.sport, "timer_s": self.timer_s, **dict(self.more)}
        if self.sub_sport is not None:
            content["sub_sport"] = self.sub_sport
        w.entry(w.person(self.person), "session", self.start_ms, (self.start_ms, self.end_ms), content, file)


@dataclass(frozen=True)
class Claim:
    """What the watch itself says of a stretch of time."""

    person: str
    source: str
    start_ms: int
    end_ms: int
    moderate_min: float

    def write(self, w: Writer, file: int | None = None) -> None:
        content = {
            "source": self.source,
            "moderate_min": self.moderate_min,
            "vigorous_min": 0.0,
            "resting_bpm": None,
        }
        w.entry(w.person(self.person), "claim", self.start_ms, (self.start_ms, self.end_ms), content, file)


Fact = Recording | Limits | Workout | Claim


@dataclass(frozen=True)
class Noted:
    """The settings say something else of a person from now on; `facts` are pairs."""

    person: str
    facts: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Copies:
    """A damaged copy of a file, and then the whole one that takes its place."""

    damaged: tuple[Fact, ...]
    whole: tuple[Fact, ...]


Event = Fact | Noted | Copies


_EMPTY = recording.Recording(None, None, whole=True, parts=[], facts=[], samples=0, beats=0, span_ms=None)


def a_file(w: Writer, person: int, outcome: str = "stored", name: str = "a.fit", reason: str = "") -> int:
    """The number of a file that has come in."""
    arrival = w.arrival(person, name, os.urandom(32), kept=False)
    w.end_arrival(arrival, f"archive/2026/{name}", None)
    w.arrivals_filed([arrival])
    return w.file(arrival, "", person, os.urandom(32), outcome, reason, _EMPTY, None)


def came_in(
    w: Writer, person: int, file: int, outcome: str, replaced: Sequence[int] = (), name: str = "a.fit"
) -> None:
    """The entry that a file leaves, naming the time of those whose place it takes."""
    content = {"name": name, "outcome": outcome, "samples": 0, "beats": 0, "waiting": 0}
    w.entry(person, "file", w.now_ms, w.replace(list(replaced), file), content, file)


def happen(journal: Journal, event: Event) -> None:
    """Let the journal know of an event, in as many transactions as in life."""
    if isinstance(event, Noted):
        record_profile(journal, event.person, dict(event.facts), overwrite=True)
        return
    if isinstance(event, Copies):
        with journal.write() as w:
            person = w.person((event.damaged or event.whole)[0].person)
            damaged = a_file(w, person, "partial", reason="It ends too early.")
            for fact in event.damaged:
                fact.write(w, damaged)
            came_in(w, person, damaged, "partial")
        with journal.write() as w:
            whole = a_file(w, person)
            for fact in event.whole:
                fact.write(w, whole)
            came_in(w, person, whole, "stored", [damaged])
        return
    with journal.write() as w:
        event.write(w)


@contextmanager
def household(data: Path, events: Iterable[Event] = ()) -> Iterator[Journal]:
    """The journal of a data folder in which all that has happened."""
    with Journal(Settings(data).journal_file, now_ms=lambda: NOW) as journal:
        for event in events:
            happen(journal, event)
        yield journal


def filled(journal: Journal, path: Path, portion: int = 400) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of a store at a path once it has followed the journal."""
    with SqliteStore(path) as store:
        follow(journal, store, portion=portion)
    return rows(path)


def rows(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of a store, by table, in order."""
    with closing(sqlite3.connect(path)) as db:
        return {
            name: sorted(
                db.execute(f"SELECT {', '.join(('time', *t.tags, *t.fields))} FROM {name}"),
                key=lambda row: [(x is not None, x) for x in row],
            )
            for name, t in TABLES.items()
        }


def steady(
    person: str,
    start_ms: int,
    seconds: int,
    bpm: int,
    *,
    source: str = "watch",
    kind: str = "activity",
    step_s: int = 1,
    movement: tuple[Pair, ...] | None = None,
    cuts: tuple[int, ...] = (),
) -> Recording:
    """A recording of one heart rate all along, from start to start + seconds.

    A beat more each hundredth second: an unchanging value would be that of a sensor that lost the heart.
    """
    samples = tuple((start_ms + i * S, bpm + (i % 100 == 99)) for i in range(0, seconds, step_s))
    return Recording(person, source, kind, samples, start_ms + seconds * S, movement=movement, cuts=cuts)


@dataclass
class Answer:
    """What a verb said."""

    code: int
    out: str
    err: str
    lines: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.lines = self.out.splitlines()


def hartslag(*words: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> Answer:
    """Run a verb as a process of its own; a traceback is never an answer to a person."""
    environ = {**os.environ, "TZ": "Europe/Amsterdam", **(env or {})}
    done = preloaded.run([*map(str, words)], environ, cwd or Path.cwd())
    assert "Traceback" not in done.stderr, done.stderr
    return Answer(done.returncode, done.stdout, done.stderr)
