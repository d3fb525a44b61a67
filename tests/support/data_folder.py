"""The part of the daemon that listens to straps, in the event loop of a test, on a real journal."""

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ingest.collect.adapter import Adapter, ListAdapters, list_adapters
from ingest.collect.connection import StrapOwner
from ingest.collect.radio import Radio
from ingest.collect.recorder import Recorder
from ingest.collect.strap import StrapListener
from ingest.journal import ALWAYS_MS, Journal
from ingest.settings.model import StrapSettings
from tests.support.air.clock import AirClock
from tests.support.air.heart import Delivered
from tests.support.air.room import Backends

COMMIT_S = 5.0
"""Between two commits."""


async def one_adapter() -> list[Adapter]:
    """The adapters of a room: it has no D-Bus to ask."""
    return [Adapter("hci0", "00:11:22:33:44:55")]


class Home:
    """One life of the listening process. The journal outlives it."""

    def __init__(
        self,
        journal: Path,
        clock: AirClock,
        straps: Sequence[StrapSettings],
        *,
        backends: Backends | None = None,
        list_all: ListAdapters = list_adapters,
        chosen: str | None = None,
        rfkill: Path = Path("/nowhere"),
    ) -> None:
        edges: dict[str, Any] = backends._asdict() if backends else {}
        self._journal = Journal(journal, now_ms=clock.wall_ms)
        self.recorder = Recorder(journal, clock, interval_s=COMMIT_S, on_commit=lambda: None)
        self.radio = Radio(chosen, list_all=list_all, rfkill=rfkill, **edges)
        self.listeners = [
            StrapListener(s, StrapOwner(s.person, s.source), self.radio, self.recorder) for s in straps
        ]
        self.committed_s = asyncio.get_running_loop().time()
        """When all that had come until then was in the journal."""
        self._tasks: list[asyncio.Task[Any]] = []

    def begin(self) -> "Home":
        """Start to listen."""
        work = [self.radio.run(), *(listener.run() for listener in self.listeners), self._commits()]
        self._tasks = [asyncio.create_task(w) for w in work]
        return self

    async def _commits(self) -> None:
        """What the recorder's thread does, in the time of the loop."""
        while True:
            await asyncio.sleep(COMMIT_S)
            self.recorder.commit(self._journal)
            self.committed_s = asyncio.get_running_loop().time()

    async def end(self) -> None:
        """As at SIGTERM: straps are let go, the rest is committed."""
        await self._stop()
        self.recorder.commit(self._journal)
        self._journal.close()

    async def die(self) -> None:
        """Stop whatever runs; what was not committed is lost."""
        await self._stop()
        self._journal.close()

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks = []

    @property
    def states(self) -> list[str]:
        return [listener.state.state for listener in self.listeners]


class Recorded(NamedTuple):
    """A notification as the journal has it."""

    boot: str
    connection_ms: int
    steady_ms: int
    wall_ms: int
    payload: bytes


def strap_of(address: str, person: str = "Jan") -> StrapSettings:
    return StrapSettings(address=address, person=person)


def delivered_payloads(delivered: Iterable[Delivered], clock: AirClock) -> list[tuple[int, bytes]]:
    """What a strap was told was delivered: steady time (ms), payload."""
    return [(clock.steady_of(d.at_s), d.payload) for d in delivered]


def recorded(journal: Path, source: str) -> list[Recorded]:
    """All notifications of a source in the journal, session by session, in order."""
    found = []
    with Journal(journal) as opened:
        for person in opened.persons():
            for chunk in opened.chunks(person.id, -ALWAYS_MS, ALWAYS_MS):
                if chunk.notifications is not None and chunk.source.name == source:
                    ahead = chunk.first_ms - int(chunk.notifications.steady_ms[0])
                    came = zip(
                        chunk.notifications.steady_ms.tolist(), chunk.notifications.payloads, strict=True
                    )
                    found += [
                        Recorded(
                            chunk.notifications.boot, chunk.notifications.connection_ms, at, at + ahead, p
                        )
                        for at, p in came
                    ]
    return sorted(
        found, key=lambda r: (r.boot, r.connection_ms, r.steady_ms)
    )  # stable: a burst stays in order


def recorded_payloads(journal: Path, source: str) -> list[tuple[int, bytes]]:
    """What the journal holds of a source: steady time (ms), payload."""
    return [(r.steady_ms, r.payload) for r in recorded(journal, source)]
