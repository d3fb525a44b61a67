"""Notifications of straps on their way into the journal: taken at once, written every few seconds, never lost between."""

import logging
import threading
import time
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ingest.collect.strap_state import StrapState
from ingest.errors import TryLater
from ingest.formats.heart_rate_measurement import decode
from ingest.journal import RANKS, STANDS_MS, Journal, Notifications, Writer
from ingest.journal.dating import Observation, new_observation, offset_ms
from ingest.journal.strap_chunks import HOUR_MS
from ingest.log import Repeats
from ingest.system.clock import Clock
from ingest.system.crash_points import reached

MOST_BYTES = 32 << 20
"""Kept of what cannot be written: three weeks of one strap at a notification a second, five days of four."""

MOST_NOTES = 10_000
"""Changes of state kept meanwhile; the oldest go first."""

MINUTE_MS = 60_000

BEATS = 0x10
"""The flag of a notification that carries R-R intervals (Bluetooth SIG, Heart Rate Service 1.0)."""

DOUBLE_MS = 5
"""Two subscriptions to one strap deliver each notification twice, within less than a millisecond."""

QUIET_MS = 100
"""A notification that follows others faster than this is one of a burst, in which nothing is a double."""

STALLED = 1.5
"""After more than so many usual intervals of quiet, several notifications had time to pile up."""

BUSY_MS = 4_000
"""How long a commit waits for others: what comes meanwhile is kept anyway, and the end must not take long."""

LAST_TRY_S = 10.0
"""How long the end tries again where the journal is busy; systemd waits 30 s for us."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StrapOwner:
    """Which strap, and whose heart: names of a person and of a source in the journal; the source's never changes."""

    person: str
    source: str


class Connection:
    """One connection to a strap. `heard` and `end` belong to one thread, all else may be read by any."""

    def __init__(self, clock: Clock, began_ms: int) -> None:
        self.began_ms = began_ms
        self.received = 0
        self.last_steady_ms: int | None = None
        self.ended = False
        self.pending: deque[tuple[int, bytes]] = deque()
        self._steady_ms = clock.steady_ms
        self._last = b""
        self._quiet_ms = QUIET_MS
        self._intervals: deque[int] = deque(maxlen=9)

    def receive(self, payload: bytes) -> None:
        """Take a notification: stamp it, drop it if it is a double, keep it in memory. The callback's whole work.

        What comes after the end of the connection is dropped.
        """
        if self.ended:
            return
        now = self._steady_ms()
        last = self.last_steady_ms
        if last is not None:
            passed = now - last
            if passed <= DOUBLE_MS and payload == self._last and self._on_time():
                return
            self._quiet_ms = passed
            if passed > DOUBLE_MS:
                self._intervals.append(passed)
        self._last = bytes(payload)
        self.pending.append((now, self._last))
        self.last_steady_ms = now
        self.received += 1

    def _on_time(self) -> bool:
        """Whether the notification before this one came alone: neither in a burst, nor with others after a stall."""
        if self._quiet_ms < QUIET_MS:
            return False
        if len(self._intervals) <= 2:
            # Nobody knows yet what a stall is here. Two that tell of the very same beats at once are one all the same.
            return len(self._last) > 0 and bool(self._last[0] & BEATS)
        # Its own interval is the last one.
        return self._quiet_ms <= STALLED * sorted(self._intervals)[len(self._intervals) // 2]

    def end(self) -> None:
        """Take nothing any more."""
        self.ended = True


class _Unwritten:
    """What of a connection is not in the journal yet, in 18 bytes a notification."""

    def __init__(self, strap: StrapOwner, connection: Connection) -> None:
        self.strap, self.connection = strap, connection
        self.steady_ms, self.lengths, self.octets = array("q"), array("I"), bytearray()

    def __len__(self) -> int:
        return len(self.steady_ms)

    @property
    def size(self) -> int:
        return 12 * len(self.steady_ms) + len(self.octets)

    def add(self, at: int, payload: bytes) -> None:
        self.steady_ms.append(at)
        self.lengths.append(len(payload))
        self.octets += payload

    def first_hour(self, boot: str) -> Notifications:
        """The first of them, as far as they lie in one hour of the connection."""
        began = self.connection.began_ms
        hour = (self.steady_ms[0] - began) // HOUR_MS
        n = bisect_left(self.steady_ms, began + (hour + 1) * HOUR_MS)
        lengths = self.lengths[:n]
        octets = np.frombuffer(bytes(self.octets[: sum(lengths)]), np.uint8)
        return Notifications.from_columns(boot, began, self.steady_ms[:n], lengths, octets)

    def drop(self, part: Notifications) -> None:
        """Forget the first of them, which are committed."""
        del self.steady_ms[: len(part)], self.lengths[: len(part)], self.octets[: len(part.octets)]


class _StrapStatus:
    """What is told of a strap, beside what it tells: its state, and the heart rates since that was last written.

    A strap that says it feels no heart, or what nobody can read, has told no heart rate.
    """

    def __init__(self) -> None:
        self.state: StrapState | None = None
        self.written_ms: int | None = None
        self.last_ms: int | None = None
        self.samples = self.gaps = 0

    def came(self, arrivals: list[tuple[int, bytes]]) -> None:
        lengths = np.array([len(payload) for _, payload in arrivals], np.int64)
        octets = np.frombuffer(b"".join(payload for _, payload in arrivals), np.uint8)
        at = np.array([at for at, _ in arrivals], np.int64)[decode(lengths, octets).bpm > 0]
        if not len(at):
            return
        before = at[0] if self.last_ms is None else self.last_ms
        self.samples += len(at)
        self.gaps += int(np.count_nonzero(np.diff(at, prepend=before) > STANDS_MS))
        self.last_ms = int(at[-1])


class Recorder:
    """Brings what straps tell into the journal.

    `listen` and `note` may be called from any thread and never wait. What the journal does not take, because it is busy
    or the disk is full, is kept in order and tried again, up to `most_bytes` of it; what comes after that is lost, and
    said to be.
    """

    def __init__(
        self,
        journal_file: Path,
        clock: Clock,
        *,
        on_commit: Callable[[], None],
        interval_s: float = 5.0,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        """`on_commit` is called after each commit that stores have to follow."""
        self._file, self._clock, self._on_commit = journal_file, clock, on_commit
        self._interval_s, self._most_bytes = interval_s, most_bytes
        self._lock = threading.Lock()
        self._held: list[_Unwritten] = []
        self._began: dict[StrapOwner, int] = {}
        self._noted: deque[tuple[int, StrapOwner, StrapState]] = deque(maxlen=MOST_NOTES)
        self._beside: dict[StrapOwner, _StrapStatus] = {}
        self._entries: deque[tuple[int, StrapOwner, dict[str, Any]]] = deque(maxlen=MOST_NOTES)
        self._known: list[Observation] | None = None
        self._hours: dict[tuple[StrapOwner, int], int] = {}
        self._unmerged = True
        self._lost = 0
        self._repeats = Repeats(_log)

    # --- for those who listen to straps; any thread ---

    def open_connection(self, strap: StrapOwner) -> Connection:
        """A new connection to a strap."""
        with self._lock:
            # Two connections within a millisecond are two all the same.
            began = max(self._clock.steady_ms(), self._began.get(strap, -1) + 1)
            self._began[strap] = began
            connection = Connection(self._clock, began)
            self._held.append(_Unwritten(strap, connection))
        return connection

    def record_state(self, strap: StrapOwner, state: StrapState) -> None:
        """How a strap is now. Written with the next commit when more than the signal has changed."""
        self._noted.append((self._clock.steady_ms(), strap, state))

    # --- the thread that writes ---

    def run(self, stop: threading.Event) -> None:
        """Commit every interval until told to stop, and a last time then.

        Raises Stop when the journal cannot be written and a person must act.
        """
        journal: Journal | None = None
        try:
            due = time.monotonic()
            while True:
                # From beginning to beginning: what a commit takes does not make the next one late.
                due = max(due + self._interval_s, time.monotonic())
                over = stop.wait(due - time.monotonic())
                last_try = time.monotonic() + (LAST_TRY_S if over else 0)
                while True:
                    try:
                        if journal is None:
                            journal = Journal(self._file, now_ms=self._clock.wall_ms, busy_ms=BUSY_MS)
                        self.commit(journal)
                        self._repeats.over("journal", "What straps tell is written to the journal again.")
                        break
                    except TryLater as e:
                        self._repeats.say("journal", f"{e} What straps tell is kept in memory meanwhile.")
                        if time.monotonic() >= last_try:
                            break
                        time.sleep(0.2)
                if over:
                    break
        finally:
            if journal is not None:
                journal.close()
        left = sum(len(h) for h in self._held)
        if left:
            _log.error("%d notifications of straps could not be written before the end; they are lost.", left)

    def commit(self, journal: Journal) -> bool:
        """Bring all that has come so far into the journal; says whether there was anything.

        Raises TryLater when that is busy or full: nothing is lost, and the next time goes on where this one ended.
        """
        if self._known is None:
            self._known = journal.observations(self._clock.boot)
        ended = self._take()
        wrote = False
        while True:
            seen = self._look()
            more = [h for h in self._held if len(h)]
            if not (more or self._entries or (seen and self._known)):
                break
            self._write(journal, more, seen)
            wrote = True
        with self._lock:
            self._held = [h for h in self._held if h not in ended]
        self._merge(journal, ended=bool(ended))
        return wrote

    def _take(self) -> list[_Unwritten]:
        """Empty what callbacks fill; gives the connections that are over and have told all they ever will."""
        with self._lock:
            held = list(self._held)
        ended = [h for h in held if h.connection.ended]  # asked first: nothing comes behind the end
        size = sum(h.size for h in held)
        for h in held:
            beside = self._beside.setdefault(h.strap, _StrapStatus())
            arrivals = [h.connection.pending.popleft() for _ in range(len(h.connection.pending))]
            beside.came(arrivals)
            for at, payload in arrivals:
                if size < self._most_bytes:
                    h.add(at, payload)
                    size += 12 + len(payload)
                else:
                    self._lost += 1
        if self._lost:
            self._repeats.say(
                "full",
                "The memory for what straps tell and the journal does not take is full: what they tell now is lost."
                " Make room on the disk.",
            )
        self._tell({h.strap for h in held if h not in ended})
        return ended

    def _tell(self, connected: set[StrapOwner]) -> None:
        """Make entries of changes of state, and one a minute of each strap that is connected."""
        for _ in range(len(self._noted)):
            at, strap, state = self._noted.popleft()
            beside = self._beside.setdefault(strap, _StrapStatus())
            before, beside.state = beside.state, state
            if before is None or replace(before, signal_dbm=None) != replace(state, signal_dbm=None):
                self._enter(at, strap, beside)
        now = self._clock.steady_ms()
        for strap in connected:
            beside = self._beside[strap]
            if beside.state and beside.written_ms is not None and now - beside.written_ms >= MINUTE_MS:
                self._enter(now, strap, beside)

    def _enter(self, at: int, strap: StrapOwner, beside: _StrapStatus) -> None:
        assert beside.state is not None
        content = {
            "source": strap.source,
            "boot": self._clock.boot,
            "steady_ms": at,
            "state": beside.state.state,
            "state_no": beside.state.number,
            "why": beside.state.why,
            "battery_pct": beside.state.battery_pct,
            "signal_dbm": beside.state.signal_dbm,
            "reconnects": beside.state.reconnects,
            "samples": beside.samples,
            "gaps": beside.gaps,
            "age_s": None if beside.last_ms is None else round(max(at - beside.last_ms, 0) / 1000, 1),
        }
        self._entries.append((at, strap, content))
        beside.written_ms, beside.samples, beside.gaps = at, 0, 0

    def _look(self) -> Observation | None:
        """What is new about the clocks; nothing when they could not be read at one moment."""
        assert self._known is not None
        for _ in range(5):
            synchronized = self._clock.synchronized()
            before = self._clock.steady_ms()
            wall = self._clock.wall_ms()
            if self._clock.steady_ms() - before <= 10:
                return new_observation(self._known, before, wall, synchronized=synchronized)
        return None if self._known else Observation(before, wall, synchronized, wall - before)

    def _write(self, journal: Journal, held: list[_Unwritten], seen: Observation | None) -> None:
        """One transaction: what all straps told within an hour, and all else that is new."""
        assert self._known is not None
        known = [*self._known, *([seen] if seen else [])]
        boot, parts, entries = (
            self._clock.boot,
            [h.first_hour(self._clock.boot) for h in held],
            len(self._entries),
        )
        with journal.write() as w:
            if seen:
                w.clock_observation(boot, seen)
            for h, part in zip(held, parts, strict=True):
                w.notifications(*self._ids(w, h.strap), part)
            for at, strap, content in list(self._entries)[:entries]:
                w.entry(w.person(strap.person), "collector", at + offset_ms(known, at), None, content)
            reached("heard begun")
        reached("heard committed")
        self._known = known
        for h, part in zip(held, parts, strict=True):
            h.drop(part)
        for _ in range(entries):
            self._entries.popleft()
        self._on_commit()
        if self._lost and not any(len(h) for h in self._held):
            self._repeats.over(
                "full", f"{self._lost} notifications of straps were lost; there is room again."
            )
            self._lost = 0

    def _ids(self, w: Writer, strap: StrapOwner) -> tuple[int, int]:
        person = w.person(strap.person)
        return person, w.source(person, strap.source, "strap", RANKS["strap"])

    def _merge(self, journal: Journal, *, ended: bool) -> None:
        """Merge what an earlier life left at the beginning, and then whatever hour or connection is over."""
        now = self._clock.steady_ms()
        going_on = {(h.strap, h.connection.began_ms) for h in self._held if h.connection.received}
        hours = {key: (now - key[1]) // HOUR_MS for key in going_on}
        turned = any(self._hours.get(key, 0) < hour for key, hour in hours.items())
        if not (self._unmerged or ended or turned):
            return
        self._unmerged = True  # until it is done
        with journal.write() as w:
            keys = {(self._ids(w, strap)[1], self._clock.boot, began): now for strap, began in going_on}
            w.merge(keys)
            reached("merge begun")
        reached("merged")
        self._hours, self._unmerged = hours, False
