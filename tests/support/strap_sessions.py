"""Straps for tests: what they notify, as octets, and how that comes into a journal."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from zlib import crc32

import numpy as np
from hypothesis import strategies as st

from ingest.journal import RANKS, Journal, Notifications, Writer
from ingest.journal.boots import observations
from ingest.journal.dating import Observation, offset_ms
from tests.support.happenings import moments
from tests.support.households import S

BOOT_MS = 1_790_000_000_000
"""When the boot began that all of them are heard in, by the wall clock."""

Arrival = tuple[int, bytes]
"""When a notification came (ms since 1970) and its octets."""


def payload(bpm: int, rr: Sequence[int] = (), *, contact: bool | None = None) -> bytes:
    """A Heart Rate Measurement; intervals in 1/1024 s."""
    flags = (0x10 if rr else 0) | {None: 0, False: 4, True: 6}[contact]
    return bytes([flags, bpm]) + b"".join(each.to_bytes(2, "little") for each in rr)


@dataclass(frozen=True)
class StrapConnection:
    """One connection to a strap; its chunks are cut before the notifications of these numbers."""

    arrivals: tuple[Arrival, ...]
    person: str = "Jan"
    source: str = "strap A0:9E:1A:00:00:01"
    cuts: tuple[int, ...] = ()

    def write(self, w: Writer, connection_ms: int | None = None) -> None:
        """Append all of it, of a connection that began then by the steady clock."""
        person = w.person(self.person)
        source = w.source(person, self.source, "strap", RANKS["strap"])
        if not w.db.execute("SELECT 1 FROM clock").fetchone():
            ClockCorrection(0).write(w)
        session = self.connection_ms if connection_ms is None else connection_ms
        for a, b in self._borders:
            part = [(at - BOOT_MS, octets) for at, octets in self.arrivals[a:b]]
            w.notifications(person, source, Notifications.from_arrivals("boot", session, part))

    def parts(self) -> list["ConnectionPart"]:
        """Each chunk as an event of its own, as they come in life."""
        return [
            ConnectionPart(replace(self, arrivals=self.arrivals[a:b], cuts=()), self.connection_ms)
            for a, b in self._borders
        ]

    @property
    def connection_ms(self) -> int:
        """When it began by the steady clock: a while before the first word, and another while for each."""
        return self.arrivals[0][0] - BOOT_MS - crc32(repr(self.arrivals).encode()) % 100_000

    @property
    def _borders(self) -> list[tuple[int, int]]:
        """What is committed together; never more than fifty minutes."""
        n = len(self.arrivals)
        cuts = sorted({c for c in (*self.cuts, *range(3000, n, 3000)) if 0 < c < n})
        return list(pairwise([0, *cuts, n]))


@dataclass(frozen=True)
class ConnectionPart:
    """Some notifications of a connection that began earlier."""

    heard: StrapConnection
    connection_ms: int

    def write(self, w: Writer) -> None:
        self.heard.write(w, self.connection_ms)


@dataclass(frozen=True)
class ClockCorrection:
    """The wall clock turns out to have been that much behind: all that was heard is dated anew."""

    by_ms: int

    def write(self, w: Writer) -> None:
        wall = BOOT_MS + self.by_ms
        w.clock_observation("boot", Observation(0, wall, synchronized=True, offset_ms=wall))


@dataclass(frozen=True)
class StateReport:
    """A collector says how a strap is; dated as best known."""

    at_ms: int
    state_no: int = 3
    person: str = "Jan"
    source: str = "strap A0:9E:1A:00:00:01"

    def write(self, w: Writer) -> None:
        if not w.db.execute("SELECT 1 FROM clock").fetchone():
            ClockCorrection(0).write(w)
        steady = self.at_ms - BOOT_MS
        known = observations(lambda sql, *values: w.db.execute(sql, values), "boot")
        said = {"source": self.source, "boot": "boot", "steady_ms": steady, "state_no": self.state_no}
        w.entry(w.person(self.person), "collector", steady + offset_ms(known, steady), None, said)


@dataclass(frozen=True)
class ChunkMerge:
    """The chunks of each hour of all connections become one."""

    def write(self, w: Writer) -> None:
        w.merge({})


def wear_strap(
    start_ms: int,
    bpm: Iterable[int],
    *,
    rr: bool = True,
    contact: bool | None = None,
    source: str = "strap A0:9E:1A:00:00:01",
    cuts: tuple[int, ...] = (),
) -> StrapConnection:
    """A notification a second with these heart rates, with intervals that vary as a heart's do."""
    arrivals = []
    owed = 0.0
    for i, value in enumerate(bpm):
        owed += 1.0
        told = []
        while rr and value and owed * 1024 >= (units := 60 * 1024 // value + i % 5 * 9):
            told.append(units)
            owed -= units / 1024
        arrivals.append((start_ms + i * S + 20 + i * 7 % 31, payload(value, told, contact=contact)))
    return StrapConnection(tuple(arrivals), source=source, cuts=cuts)


def happen_all(
    journal: Journal,
    events: Iterable[StrapConnection | ConnectionPart | ChunkMerge | ClockCorrection | StateReport],
) -> None:
    """Each in a transaction of its own."""
    for event in events:
        with journal.write() as w:
            event.write(w)


@st.composite
def connections(draw: st.DrawFn) -> StrapConnection:
    """A connection in which the strap tells no beats for a while, freezes, slips, loses the heart, is held up."""
    start = draw(moments)
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    now, arrivals, told_ms = start, [], 0.0
    value = 80
    for _ in range(draw(st.integers(1, 7))):
        level = draw(st.sampled_from([0, 55, 75, 120, 155, 180]))
        how = draw(st.sampled_from(["well", "well", "silent", "frozen", "slipped", "quiet"]))
        held_up = draw(st.integers(0, 9)) == 0
        lasts = draw(st.sampled_from([3, 11, 40, 70, 130, 200]))
        end = now + lasts * S
        for i in range(lasts):
            if how == "quiet" and i > 4:
                continue
            at = end if held_up else now + i * S + int(rng.integers(10, 60))
            if how not in {"frozen", "slipped"}:
                value = level + int(rng.integers(-1, 2)) if level else 0
            rr = []
            while how in {"well", "slipped"} and level and told_ms < now + i * S:
                rr.append(int(60 * 1024 // level + rng.integers(-20, 20)))
                told_ms = max(told_ms, now + i * S - 1500) + rr[-1] * 1000 / 1024
            contact = {"slipped": False, "frozen": draw(st.booleans()) if i == 0 else False}.get(how, True)
            arrivals.append((at, payload(value, rr, contact=contact)))
        now = end
    cuts = draw(st.lists(st.integers(1, len(arrivals)), max_size=5))
    every = draw(st.sampled_from([None, 5, 60]))
    if every:
        cuts += range(every, min(len(arrivals), 6 * every), every)
    source = draw(st.sampled_from(["strap A0:9E:1A:00:00:01", "strap A0:9E:1A:00:00:01", "strap Verity 7"]))
    return StrapConnection(tuple(arrivals), source=source, cuts=tuple(cuts))
