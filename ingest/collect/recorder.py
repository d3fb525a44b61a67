"""Notifications of straps on their way into the journal: taken at once, written every few seconds, never lost between."""

import logging
import threading
import time
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from ingest.collect.connection import Connection, StrapOwner
from ingest.collect.strap_state import StrapState
from ingest.errors import Replaced, Stop, TryLater
from ingest.formats.characteristics import CHARACTERISTICS, HEART_RATE_MEASUREMENT, Decoder
from ingest.journal import RANKS, STANDS_MS, Counts, Journal, Notifications, Writer
from ingest.journal.dating import Observation, new_observation, offset_ms
from ingest.journal.strap_writer import HOUR_MS
from ingest.language import N_
from ingest.system.clock import Clock
from ingest.system.crash_points import reached
from ingest.system.watchdog import UNWATCHED, WatchedPart

MOST_BYTES = 32 << 20
"""Kept of what cannot be written: three weeks of one strap at a notification a second, five days of four."""

MOST_STATES = 10_000
"""Changes of state kept meanwhile; the oldest go first."""

MINUTE_MS = 60_000

BUSY_MS = 4_000
"""How long a commit waits for others: what comes meanwhile is kept anyway, and the end must not take long."""

LAST_TRY_S = 10.0
"""How long it is tried again before anything is given up: at the end where the journal is busy (systemd waits 30 s for
us), and at any time where it cannot be written at all, as a disk that was shaken may come back."""

TRY_AGAIN_S = 0.2
"""Between two of these tries."""

_KEPT = N_("What straps tell is kept in memory meanwhile.")

_log = logging.getLogger(__name__)


class _Unwritten:
    """What of a connection is not in the journal yet, in 18 bytes a notification."""

    def __init__(self, owner: StrapOwner, connection: Connection) -> None:
        self.owner, self.connection = owner, connection
        self.steady_ms, self.lengths, self.octets = array("q"), array("I"), bytearray()
        self.counts: Counts | None = Counts(0, 0)
        """What all of them tell; None where a part of what was counted is not here any more: then the journal counts."""

    def __len__(self) -> int:
        return len(self.steady_ms)

    @property
    def size(self) -> int:
        return 12 * len(self.steady_ms) + len(self.octets)

    def add(self, steady_ms: int, payload: bytes) -> None:
        self.steady_ms.append(steady_ms)
        self.lengths.append(len(payload))
        self.octets += payload

    def first_hour(self, boot: str) -> Notifications:
        """The first of them, as far as they lie in one hour of the connection."""
        began = self.connection.began_ms
        hour = (self.steady_ms[0] - began) // HOUR_MS
        n = bisect_left(self.steady_ms, began + (hour + 1) * HOUR_MS)
        lengths = self.lengths[:n]
        octets = np.frombuffer(bytes(self.octets[: sum(lengths)]), np.uint8)
        characteristic = self.connection.characteristic
        return Notifications.from_columns(boot, began, self.steady_ms[:n], lengths, octets, characteristic)

    def drop(self, part: Notifications) -> None:
        """Forget the first of them, which are committed."""
        del self.steady_ms[: len(part)], self.lengths[: len(part)], self.octets[: len(part.octets)]
        self.counts = None if len(self) else Counts(0, 0)


class _StrapStatus:
    """The state of a strap, and how many heart rates it told since that was last written.

    A strap that says it feels no heart, or what nobody can read, has told no heart rate.
    """

    def __init__(self) -> None:
        self.state: StrapState | None = None
        self.written_ms: int | None = None
        self.last_ms: int | None = None
        self.samples = self.gaps = 0

    def count(self, arrivals: list[tuple[int, bytes]], decode: Decoder) -> Counts:
        """Count the heart rates and the gaps among new notifications (steady clock, payload).

        It is the only time that they are decoded on their way in, so what the journal counts is given as well.
        """
        lengths = np.array([len(payload) for _, payload in arrivals], np.int64)
        octets = np.frombuffer(b"".join(payload for _, payload in arrivals), np.uint8)
        measured = decode(lengths, octets)
        counts = Counts.of_measurements(measured)
        if not counts.samples:
            return counts
        at = np.array([at for at, _ in arrivals], np.int64)[measured.bpm > 0]
        before = at[0] if self.last_ms is None else self.last_ms
        self.samples += len(at)
        self.gaps += int(np.count_nonzero(np.diff(at, prepend=before) > STANDS_MS))
        self.last_ms = int(at[-1])
        return counts


@dataclass(slots=True)
class _Loss:
    """How many notifications of a strap are lost, and when the first and the last of them came (steady clock)."""

    count: int
    first_ms: int
    last_ms: int


class Recorder:
    """Brings what straps tell into the journal.

    `open_connection` and `record_state` may be called from any thread and never wait. What the journal does not take,
    because it is busy or the disk is full, is kept in order and tried again, up to `most_bytes` of it; what comes after
    that is lost, and said to be.
    """

    def __init__(
        self,
        journal_file: Path,
        clock: Clock,
        *,
        on_commit: Callable[[], None],
        interval_s: float = 5.0,
        most_bytes: int = MOST_BYTES,
        last_try_s: float = LAST_TRY_S,
    ) -> None:
        """`on_commit` is called after each commit that stores have to follow."""
        self._file, self._clock, self._on_commit = journal_file, clock, on_commit
        self._interval_s, self._most_bytes, self._last_try_s = interval_s, most_bytes, last_try_s
        self._journal: Journal | None = None
        self._lock = threading.Lock()
        self._unwritten: list[_Unwritten] = []
        self._began: dict[StrapOwner, int] = {}
        self._states: deque[tuple[int, StrapOwner, StrapState]] = deque(maxlen=MOST_STATES)
        self._statuses: dict[StrapOwner, _StrapStatus] = {}
        self._entries: deque[tuple[int, StrapOwner, dict[str, Any]]] = deque(maxlen=MOST_STATES)
        self._known: list[Observation] | None = None
        self._newest_right_ms: int | None = None
        self._hours: dict[tuple[StrapOwner, int], int] = {}
        self._unmerged = True
        self._losses: dict[StrapOwner, _Loss] = {}
        self._part = UNWATCHED

    # --- for those who listen to straps; any thread ---

    def open_connection(self, owner: StrapOwner, characteristic: str = HEART_RATE_MEASUREMENT) -> Connection:
        """A new connection to a strap, which notifies this characteristic."""
        with self._lock:
            # Two connections within a millisecond are two all the same.
            began = max(self._clock.steady_ms(), self._began.get(owner, -1) + 1)
            self._began[owner] = began
            connection = Connection(self._clock, began, characteristic)
            self._unwritten.append(_Unwritten(owner, connection))
        return connection

    def record_state(self, owner: StrapOwner, state: StrapState) -> None:
        """How a strap is now. Written with the next commit when more than the signal has changed."""
        self._states.append((self._clock.steady_ms(), owner, state))

    # --- the thread that writes ---

    def run(self, part: WatchedPart) -> None:
        """Commit every interval until told to stop, and a last time then; what is lost in the end is logged.

        Raises Stop when the journal cannot be written and a person must act. What is kept is kept: run again, it goes on.
        """
        self._part = part
        try:
            due = time.monotonic()
            over = False
            while not over:
                # From beginning to beginning: what a commit takes does not make the next one late.
                due = max(due + self._interval_s, time.monotonic())
                over = not part.wait(max(due - time.monotonic(), 0.0))
                self._commit_patiently(at_the_end=over)
        finally:
            self._let_go()
            if part.stop.is_set():
                self._report_losses()

    def _let_go(self) -> None:
        """Close the journal: of what lies there next time nothing is known yet."""
        journal, self._journal = self._journal, None
        self._known, self._hours, self._unmerged = None, {}, True
        if journal is not None:
            journal.close()

    def _commit_patiently(self, *, at_the_end: bool) -> None:
        """Commit; try again for a while what the journal does not take, if there is no later commit or it would be lost."""
        last_try = time.monotonic() + self._last_try_s
        while True:
            self._part.mark()
            try:
                if self._journal is None:
                    self._journal = Journal(self._file, now_ms=self._clock.wall_ms, busy_ms=BUSY_MS)
                self._journal.require_in_place()
                self.commit(self._journal)
            except Replaced:
                self._let_go()
                continue
            except TryLater as e:
                self._part.trouble(f"{e} {_KEPT}")
                if not at_the_end or time.monotonic() >= last_try:
                    return
            except Stop as e:
                if time.monotonic() >= last_try or not self._has_unwritten():
                    raise
                self._part.trouble(f"{e} {_KEPT}")
            else:
                self._part.well("What straps tell is written to the journal again.")
                return
            time.sleep(TRY_AGAIN_S)

    def _has_unwritten(self) -> bool:
        with self._lock:
            return any(len(kept) or kept.connection.pending for kept in self._unwritten)

    def _report_losses(self) -> None:
        """Say of each strap how much could not be written before the end, and when that was."""
        self._drain_connections()
        for kept in self._unwritten:
            if len(kept):
                self._add_loss(kept.owner, len(kept), kept.steady_ms[0], kept.steady_ms[-1])
        for owner, loss in self._losses.items():
            _log.error(
                "%s: %d notification%s from %s to %s could not be written to the journal; they are lost.",
                owner,
                loss.count,
                "" if loss.count == 1 else "s",
                self._local_time(loss.first_ms),
                self._local_time(loss.last_ms),
            )

    def _add_loss(self, owner: StrapOwner, count: int, first_ms: int, last_ms: int) -> None:
        loss = self._losses.setdefault(owner, _Loss(0, first_ms, last_ms))
        loss.count += count
        loss.first_ms, loss.last_ms = min(loss.first_ms, first_ms), max(loss.last_ms, last_ms)

    def _local_time(self, steady_ms: int) -> str:
        """A moment of the steady clock as the owner's clock on the wall shows it."""
        ahead = self._clock.wall_ms() - self._clock.steady_ms()
        if self._known:
            ahead = offset_ms(self._known, steady_ms)
        return f"{datetime.fromtimestamp((steady_ms + ahead) / 1000).astimezone():%Y-%m-%d %H:%M:%S}"

    def commit(self, journal: Journal) -> bool:
        """Bring all that has come so far into the journal; says whether there was anything.

        Raises TryLater when that is busy or full: nothing is lost, and the next time goes on where this one ended.
        """
        if self._known is None:
            self._newest_right_ms = journal.newest_right_ms(self._clock.boot)
            self._known = journal.observations(self._clock.boot)
        ended = self._drain_connections()
        self._add_entries({kept.owner for kept in self._unwritten if kept not in ended})
        wrote = False
        while True:
            observation = self._observe_clocks()
            more = [kept for kept in self._unwritten if len(kept)]
            if not (more or self._entries or (observation and self._known)):
                break
            self._write(journal, more, observation)
            wrote = True
        with self._lock:
            self._unwritten = [kept for kept in self._unwritten if kept not in ended]
        self._merge_safely(journal, ended=bool(ended))
        return wrote

    def _merge_safely(self, journal: Journal, *, ended: bool) -> None:
        """Merge; what is damaged in the journal must not keep new samples out: it is tried again after the next hour."""
        try:
            self._merge(journal, ended=ended)
        except TryLater:
            raise
        except Exception as e:  # noqa: BLE001 - it may be any damage
            _log.debug("Merging failed.", exc_info=e)
            self._part.trouble(
                N_("Chunks of the past cannot be merged, and stay as they are: {why}").format(why=e), "merge"
            )
            self._unmerged = False
        else:
            self._part.well("Chunks of the past are merged again.", "merge")

    def _drain_connections(self) -> list[_Unwritten]:
        """Empty what callbacks fill; gives the connections that are over and have told all they ever will."""
        with self._lock:
            unwritten = list(self._unwritten)
        # Asked first: nothing comes behind the end.
        ended = [kept for kept in unwritten if kept.connection.ended]
        size = sum(kept.size for kept in unwritten)
        for kept in unwritten:
            pending = kept.connection.pending
            arrivals = [pending.popleft() for _ in range(len(pending))]
            status = self._statuses.setdefault(kept.owner, _StrapStatus())
            counts = status.count(arrivals, CHARACTERISTICS[kept.connection.characteristic].decode)
            if kept.counts:
                kept.counts = Counts(kept.counts.samples + counts.samples, kept.counts.beats + counts.beats)
            for at, payload in arrivals:
                if size < self._most_bytes:
                    kept.add(at, payload)
                    size += 12 + len(payload)
                else:
                    self._add_loss(kept.owner, 1, at, at)
                    kept.counts = None
        if self._losses:
            self._part.trouble(
                N_(
                    "The memory for what straps tell and the journal does not take is full: what they tell now is lost."
                    " Make room on the disk."
                ),
                "full",
            )
        return ended

    def _add_entries(self, connected: set[StrapOwner]) -> None:
        """Make entries of changes of state, and one a minute of each strap that is connected."""
        for _ in range(len(self._states)):
            at, owner, state = self._states.popleft()
            status = self._statuses.setdefault(owner, _StrapStatus())
            before, status.state = status.state, state
            if before is None or replace(before, signal_dbm=None) != replace(state, signal_dbm=None):
                self._add_entry(at, owner, status)
        now = self._clock.steady_ms()
        for owner in connected:
            status = self._statuses.setdefault(owner, _StrapStatus())
            if status.state and status.written_ms is not None and now - status.written_ms >= MINUTE_MS:
                self._add_entry(now, owner, status)

    def _add_entry(self, at: int, owner: StrapOwner, status: _StrapStatus) -> None:
        assert status.state is not None
        content = {
            "source": owner.source,
            "boot": self._clock.boot,
            "steady_ms": at,
            "state": status.state.state,
            "state_no": status.state.number,
            "why": status.state.why,
            "battery_pct": status.state.battery_pct,
            "signal_dbm": status.state.signal_dbm,
            "reconnects": status.state.reconnects,
            "samples": status.samples,
            "gaps": status.gaps,
            "age_s": None if status.last_ms is None else round(max(at - status.last_ms, 0) / 1000, 1),
        }
        self._entries.append((at, owner, content))
        status.written_ms, status.samples, status.gaps = at, 0, 0

    def _observe_clocks(self) -> Observation | None:
        """What is new about the clocks; nothing when they could not be read at one moment."""
        assert self._known is not None
        for _ in range(5):
            synchronized = self._clock.synchronized()
            before = self._clock.steady_ms()
            wall = self._clock.wall_ms()
            if self._clock.steady_ms() - before <= 10:
                break
        else:
            if self._known:
                return None
        return new_observation(
            self._known,
            before,
            wall,
            synchronized=synchronized,
            kept=not self._known and self._clock.kept(),
            newest_right_ms=self._newest_right_ms,
        )

    def _write(self, journal: Journal, unwritten: list[_Unwritten], observation: Observation | None) -> None:
        """One transaction: what all straps told within an hour, and all else that is new."""
        assert self._known is not None
        known = [*self._known, *([observation] if observation else [])]
        boot = self._clock.boot
        parts = [kept.first_hour(boot) for kept in unwritten]
        entries = list(self._entries)
        with journal.write() as writer:
            if observation:
                writer.clock_observation(boot, observation)
            for kept, part in zip(unwritten, parts, strict=True):
                counts = kept.counts if len(part) == len(kept) else None
                writer.notifications(*self._ids(writer, kept.owner), part, counts)
            for at, owner, content in entries:
                at_ms = at + offset_ms(known, at)
                writer.entry(writer.person(owner.person), "collector", at_ms, None, content)
            reached("notifications begun")
        reached("notifications committed")
        self._known = known
        for kept, part in zip(unwritten, parts, strict=True):
            kept.drop(part)
        for _ in entries:
            self._entries.popleft()
        self._on_commit()
        if self._losses and not any(len(kept) for kept in self._unwritten):
            lost = sum(loss.count for loss in self._losses.values())
            self._part.well(f"{lost} notifications of straps were lost; there is room again.", "full")
            self._losses.clear()

    def _ids(self, writer: Writer, owner: StrapOwner) -> tuple[int, int]:
        person = writer.person(owner.person)
        return person, writer.source(person, owner.source, "strap", RANKS["strap"])

    def _merge(self, journal: Journal, *, ended: bool) -> None:
        """Merge what an earlier life left at the beginning, and then whatever hour or connection is over."""
        now = self._clock.steady_ms()
        going_on = {
            (kept.owner, kept.connection.began_ms) for kept in self._unwritten if kept.connection.received
        }
        before, self._hours = self._hours, {key: (now - key[1]) // HOUR_MS for key in going_on}
        turned = any(before.get(key, 0) < hour for key, hour in self._hours.items())
        if not (self._unmerged or ended or turned):
            return
        self._unmerged = True  # until it is done
        with journal.write() as writer:
            keys = {(self._ids(writer, owner)[1], self._clock.boot, began): now for owner, began in going_on}
            writer.merge(keys)
            reached("merge begun")
        reached("merged")
        self._unmerged = False
