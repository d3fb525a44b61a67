"""The parts of the daemon under one roof: each is started, started again when it fails, and told to end; none stops another."""

import asyncio
import contextlib
import logging
import signal
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from ingest.errors import HartslagError, LogLost, Replaced
from ingest.language import N_
from ingest.log import Repeats, quoted
from ingest.system import systemd
from ingest.system.watchdog import LIMIT_S, LOOK_S, Watchdog, WatchedPart, end_by_force

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 300.0
"""Before a part that failed is started again: doubled each time, from the first to the longest."""

ANEW_S = 0.2
"""Before one is started again that found another file in place of its own."""

WELL_AFTER_S = 60.0
"""A part that was started again and worked for so long is well."""

LET_GO_S = 12.0
"""For the parts of a stage to end, however much hangs; then those that put away what they brought are told to end, too."""

END_S = 25.0
"""For everything to end; systemd waits 30 s for us."""

LOOP_LIMIT_S = 60.0
"""A callback that holds the event loop for so long hangs; it takes milliseconds."""

_log = logging.getLogger(__name__)


def _nothing() -> None: ...


class Stage(IntEnum):
    """In which order parts are told to end: a later stage puts away what an earlier one brought."""

    WORK = 0
    RECORDING = 1
    STORES = 2
    NOTES = 3


@dataclass(frozen=True, slots=True)
class _Task:
    """A part, what it does, and when it is told to end."""

    part: WatchedPart
    work: Callable[[WatchedPart], Awaitable[None]]
    stage: Stage
    longest_pause_s: float


class Supervisor:
    """All parts of the daemon. `add` them, then `run` until told to stop (SIGTERM, Ctrl-C, `end`).

    `tell` is told what troubles a part, by its key, from any thread: None when that is over.
    """

    def __init__(self, tell: Callable[[str, str | None], None]) -> None:
        self._tell = tell
        self._tasks: list[_Task] = []
        self._watchdog = Watchdog()
        self._repeats = Repeats(_log)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending = asyncio.Event()
        self._error: Exception | None = None

    def add(
        self,
        key: str,
        name: str,
        work: Callable[[WatchedPart], None],
        *,
        limit_s: float = LIMIT_S,
        longest_pause_s: float = LONGEST_PAUSE_S,
        stage: Stage = Stage.WORK,
    ) -> WatchedPart:
        """A part with a thread of its own, which works as long as `part.going_on()` says so.

        The journal notes its troubles by `key`; the log calls it `name`. It hangs when it has not said for `limit_s`
        that it goes on.
        """

        async def in_thread(part: WatchedPart) -> None:
            await _in_thread(work, part)

        return self.add_to_loop(
            key, name, in_thread, limit_s=limit_s, longest_pause_s=longest_pause_s, stage=stage
        )

    def add_to_loop(
        self,
        key: str,
        name: str,
        work: Callable[[WatchedPart], Awaitable[None]],
        *,
        limit_s: float = LIMIT_S,
        longest_pause_s: float = LONGEST_PAUSE_S,
        stage: Stage = Stage.WORK,
    ) -> WatchedPart:
        """A part within the event loop, which works until it is cancelled."""
        part = WatchedPart(name, key=key, limit_s=limit_s, tell=self._tell)
        self._tasks.append(_Task(part, work, stage, longest_pause_s))
        return part

    @property
    def parts(self) -> list[WatchedPart]:
        """All of them, in the order in which they were added."""
        return [task.part for task in self._tasks]

    def end(self, error: Exception | None = None) -> None:
        """Tell all parts to end; `run` raises the error then. Any thread may."""
        self._error = self._error or error
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._ending.set)

    async def run(self, on_ready: Callable[[], None], on_interrupt: Callable[[], None] = _nothing) -> None:
        """Work until told to stop. `on_ready` is called once every part has begun, `on_interrupt` at the first Ctrl-C."""
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._on_stray_error)
        self._loop.add_signal_handler(signal.SIGTERM, self.end)
        self._loop.add_signal_handler(signal.SIGINT, self._interrupt, on_interrupt)
        for part in self.parts:
            self._watchdog.watch(part)
        async with asyncio.TaskGroup() as group:
            beat = group.create_task(self._beat())
            running = [(task, group.create_task(self._keep_going(task))) for task in self._tasks]
            watching = threading.Thread(target=self._watchdog.run, args=(systemd.every(),), daemon=True)
            watching.start()
            await asyncio.sleep(0)  # each has begun
            on_ready()
            systemd.ready()
            try:
                await self._ending.wait()
            finally:
                systemd.stopping()
                self._watchdog.expect_end(END_S)
            await self._end(running)
            beat.cancel()
        if self._error is not None:
            raise self._error

    def _interrupt(self, on_interrupt: Callable[[], None]) -> None:
        if not self._ending.is_set():
            self.end()
            self._ending.set()
            on_interrupt()

    async def _end(self, running: list[tuple[_Task, asyncio.Task[None]]]) -> None:
        """End all parts, those last that put away what the others brought; by force what does not end."""
        until_s = asyncio.get_running_loop().time() + END_S - LOOK_S
        for stage in Stage:
            tasks = [(task.part, future) for task, future in running if task.stage is stage]
            for part, future in tasks:
                part.end()
                future.cancel()
            if tasks:
                await asyncio.wait([future for _, future in tasks], timeout=LET_GO_S)
        everything = [future for _, future in running]
        if everything:
            left_s = until_s - asyncio.get_running_loop().time()
            await asyncio.wait(everything, timeout=max(left_s, 0.0))
        hanging = [task.part for task, future in running if not future.done()]
        if hanging:
            end_by_force(hanging, at_the_end=True)

    async def _beat(self) -> None:
        """Show that the event loop turns."""
        loop_part = WatchedPart("the event loop", limit_s=LOOP_LIMIT_S)
        self._watchdog.watch(loop_part)
        while True:
            loop_part.mark()
            await asyncio.sleep(LOOK_S)

    async def _keep_going(self, task: _Task) -> None:
        """One part's life: it is started until it is told to end, with pauses that grow while it fails."""
        loop, failures = asyncio.get_running_loop(), 0
        try:
            while True:
                began_s = loop.time()
                well = loop.call_later(
                    WELL_AFTER_S, task.part.well, f"{_begin(task.part.name)} works again.", _FAILED
                )
                try:
                    failed = await self._once(task)
                finally:
                    well.cancel()
                if task.part.stop.is_set():
                    return
                if failed:
                    failures = 1 if loop.time() - began_s > LONGEST_PAUSE_S else failures + 1
                pause_s = min(FIRST_PAUSE_S * 2 ** min(failures - 1, 30), task.longest_pause_s)
                await _pause(task.part, pause_s if failed else ANEW_S)
                if task.part.stop.is_set() and task.stage is Stage.WORK:
                    return  # those that put something away try it a last time
        finally:
            task.part.ended = True

    async def _once(self, task: _Task) -> bool:
        """Let a part work until it ends; gives whether it failed, which is said then."""
        part = task.part
        part.mark()
        try:
            await task.work(part)
            if part.stop.is_set():
                return False
            why = "it ended though nobody told it to"
        except Replaced as e:
            _log.debug("%s: %s", part.name, e)
            return False
        except LogLost as e:
            self.end(e)
            return False
        except Exception as e:  # noqa: BLE001 - whatever fails in a part ends no other
            why = in_words(e)
            _log.debug("%s failed.", part.name, exc_info=e)
        words = N_("{part} failed: {why}. It is started again by itself, and all else goes on.")
        part.trouble(words.format(part=_begin(part.name), why=why.rstrip(".")), _FAILED)
        return True

    def _on_stray_error(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What came out of a callback of some library: it belongs to no part, and ends none."""
        error = context.get("exception")
        why = in_words(error) if isinstance(error, Exception) else context.get("message", "")
        _log.debug("A callback failed.", exc_info=error)
        self._repeats.say(why, f"Something failed within the event loop: {why.rstrip('.')}. All parts go on.")


_FAILED = "failed"


def in_words(error: BaseException) -> str:
    """What an error says, as the rest of a sentence; one that nobody foresaw is called by its name, too."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, HartslagError):
        return str(error)
    if isinstance(error, MemoryError):
        return "there was not enough memory"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror} ({quoted(str(error.filename))})" if error.filename else error.strerror
    text = " ".join(str(error).split())
    return f"{type(error).__name__} {quoted(text)}" if text else type(error).__name__


def _begin(name: str) -> str:
    """A name at the beginning of a sentence."""
    return name[:1].upper() + name[1:]


async def _pause(part: WatchedPart, seconds: float) -> None:
    """Wait before a part is started again; no longer than until it is told to end, by being cancelled."""
    part.rest()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.sleep(seconds)
    part.mark()


async def _in_thread(work: Callable[[WatchedPart], None], part: WatchedPart) -> None:
    """Work in a thread of its own. When this is cancelled the part is told to end, and waited for."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[BaseException | None] = loop.create_future()

    def run() -> None:
        error: BaseException | None = None
        try:
            work(part)
        except BaseException as e:  # noqa: BLE001 - whatever it is, it is said by who started the thread
            error = e
        with contextlib.suppress(RuntimeError):  # the loop is closed: the process ends
            loop.call_soon_threadsafe(ended.set_result, error)

    threading.Thread(target=run, name=part.name, daemon=True).start()
    while not ended.done():
        try:
            await asyncio.shield(ended)
        except asyncio.CancelledError:
            part.end()
    error = ended.result()
    if error is not None:
        raise error if isinstance(error, Exception) else RuntimeError(repr(error))
