"""Time that passes only when nothing is left to do: hours of radio in seconds of the machine."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from functools import partial
from typing import Any, TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class LeapLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock stands still while there is work, and leaps to the next timer when there is none.

    Threads of its executor are work too: the clock waits for them. `settle` is called before each leap, and
    shall return when what goes through other processes (a D-Bus daemon) has come back.
    """

    def __init__(self, settle: Callable[[], None] | None = None) -> None:
        self.now_s = 1000.0
        self.settle = settle
        self.threads = 0
        super().__init__(_Leap(self))

    def time(self) -> float:
        return self.now_s

    def stall(self, seconds: float) -> None:
        """Stand still while the world goes on: what became due meanwhile comes late, all of it at once."""
        self.now_s += seconds

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Count the call as work until it is done."""
        future = super().run_in_executor(executor, func, *args)
        self.threads += 1
        future.add_done_callback(self._thread_is_done)
        return future

    def _thread_is_done(self, _: object) -> None:
        self.threads -= 1


class _Leap(selectors.DefaultSelector):
    def __init__(self, loop: LeapLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or self._loop.threads:
            return super().select(timeout if timeout is not None and timeout <= 0 else None)
        ready = super().select(0)
        if not ready and timeout > 0 and self._loop.settle is not None:
            self._loop.settle()
            ready = super().select(0)
        if not ready and timeout > 0:
            self._loop.now_s += timeout
        return ready


def simulate(story: Callable[[], Coroutine[Any, Any, T]], *, settle: Callable[[], None] | None = None) -> T:
    """Run a story to its end in time that leaps."""
    with asyncio.Runner(loop_factory=partial(LeapLoop, settle)) as runner:
        return runner.run(story())


async def until(true: Callable[[], Any], what: str, *, within_s: float = 60.0, step_s: float = 0.01) -> float:
    """Wait (in the loop's time) for what should come true; how long it took, in seconds."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while not true():
        if loop.time() - began > within_s:
            raise AssertionError(f"waited {within_s:.0f} s for {what}")
        await asyncio.sleep(step_s)
    return loop.time() - began
