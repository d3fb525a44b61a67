"""BlueZ and what lies under it: adapters and straps, which outlive a bluetoothd, and the faults a test asks for."""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from tests.support.bluez.bluetoothd import Life
from tests.support.bluez.strap import SUPERVISION_S, Strap

T = TypeVar("T")


@dataclass
class Adapter:
    """A Bluetooth adapter of the machine."""

    name: str = "hci0"
    address: str = "00:11:22:33:44:55"
    powered: bool = True
    blocked: bool = False

    @property
    def path(self) -> str:
        return f"/org/bluez/{self.name}"

    @property
    def power_state(self) -> str:
        return "on" if self.powered else "off-blocked" if self.blocked else "off"


@dataclass(frozen=True)
class Fault:
    """What happens to a D-Bus call instead of an answer: an error, silence (all fields empty), delay or death."""

    error: str = ""
    text: str = ""
    delay_s: float = 0.0
    crash: bool = False


class Bluez:
    """Use as `async with Bluez(bus.address)`, or from other threads through `played`."""

    def __init__(self, bus_address: str, *, adapters: list[Adapter] | None = None) -> None:
        self.bus_address = bus_address
        self.adapters = [Adapter()] if adapters is None else adapters
        self.straps: list[Strap] = []
        self.life: Life | None = None
        self.calls: list[tuple[str, str]] = []
        """Every call that arrived: method, path."""
        self.connects = 0
        self.resolving_s = 0.01
        self.disconnecting_s = 0.0
        """The real one takes about two seconds."""
        self._starting = asyncio.Lock()
        self._faults: dict[str, deque[Fault]] = {}
        self._beating: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._beating:
            if task.done() and not task.cancelled():
                task.result()  # a strap that failed to beat is a failure of the test
            task.cancel()
        if self.life is not None:
            self.life.die()
            self.life = None

    # --- bluetoothd ---

    async def start(self) -> None:
        """Run, if it does not."""
        async with self._starting:
            if self.life is None:
                life = Life(self)
                await life.begin()
                self.life = life

    def crash(self) -> None:
        """Kill -9: no signal; the kernel ends the links a moment later, of which nobody is told."""
        life, self.life = self.life, None
        if life is not None:
            life.die()
        for strap in self.straps:
            strap.link = None

    async def stop(self) -> None:
        """As systemd stops it."""
        life, self.life = self.life, None
        if life is not None:
            await life.end()

    # --- adapters ---

    def adapter_at(self, path: str) -> Adapter:
        return next(a for a in self.adapters if a.path == path)

    def power(self, adapter: Adapter, *, on: bool) -> None:
        adapter.powered = on
        if self.life is not None and adapter in self.adapters:
            self.life.powered(adapter)

    def block(self, adapter: Adapter, *, blocked: bool) -> None:
        """What `rfkill block bluetooth` does."""
        adapter.blocked = blocked
        self.power(adapter, on=not blocked)

    def unplug(self, adapter: Adapter) -> None:
        self.adapters.remove(adapter)
        if self.life is not None:
            self.life.unplugged(adapter)

    def plug(self, adapter: Adapter) -> None:
        self.adapters.append(adapter)
        if self.life is not None:
            self.life.plugged(adapter)

    # --- straps ---

    @property
    def subscribers(self) -> set[str]:
        """Bus names of the clients that are told what straps say."""
        return set().union(*self.life.notified.values()) if self.life is not None else set()

    @property
    def searchers(self) -> set[str]:
        """Bus names of the clients for which an adapter searches."""
        return set().union(*self.life.searching.values()) if self.life is not None else set()

    def strap(self, address: str = "F0:00:00:00:00:01", **features: Any) -> Strap:
        """Another strap, beating; features as Strap takes them."""
        strap = Strap(address, **features)
        self.straps.append(strap)
        self._beating.append(asyncio.get_running_loop().create_task(strap.beat(self._notify)))
        return strap

    def _notify(self, strap: Strap, payload: bytes) -> bool:
        return self.life is not None and self.life.notify(strap, payload)

    def send(self, strap: Strap, payload: bytes) -> None:
        """Send any bytes now."""
        strap.say(payload, (), self._notify)

    def drop(self, strap: Strap) -> None:
        """The strap ends the link."""
        if self.life is not None:
            self.life.lose(strap)

    async def hold(self, strap: Strap) -> None:
        """Be connected to it already, by a client that was killed."""
        if self.life is not None:
            await self.life.hold(self.adapters[0], strap)

    def leave(self, strap: Strap) -> None:
        """Out of reach."""
        strap.away = True
        if strap.link is not None:
            asyncio.get_running_loop().call_later(SUPERVISION_S, self._lose, strap, strap.link)

    def _lose(self, strap: Strap, link: str) -> None:
        """A link that has been silent for the supervision time."""
        if strap.away and strap.link == link and self.life is not None:
            self.life.lose(strap)

    def enter(self, strap: Strap) -> None:
        """Back in reach."""
        strap.away = False

    # --- faults ---

    def fail(self, method: str, fault: Fault, *, times: int = 1) -> None:
        """Let the next calls of a D-Bus method go wrong."""
        self._faults.setdefault(method, deque()).extend([fault] * times)

    def heal(self) -> None:
        """Nothing goes wrong any more."""
        self._faults.clear()

    def fault(self, method: str) -> Fault | None:
        faults = self._faults.get(method)
        return faults.popleft() if faults else None


class Played:
    """A Bluez in a thread of its own, for tests that run the real program beside it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, bluez: Bluez) -> None:
        self._loop, self.bluez = loop, bluez

    def do(self, what: Callable[..., T], *args: Any, **named: Any) -> T:
        """Call something of it where it lives; coroutines with `wait`."""

        async def call() -> T:
            return what(*args, **named)

        return self.wait(call())

    def wait(self, what: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(30)


@contextlib.contextmanager
def played(bus_address: str, *, adapters: list[Adapter] | None = None) -> Iterator[Played]:
    """BlueZ on a bus, in the background."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="BlueZ")
    thread.start()
    try:
        here = Played(loop, Bluez(bus_address, adapters=adapters))
        here.wait(here.bluez.__aenter__())
        try:
            yield here
        finally:
            here.wait(here.bluez.__aexit__())
            here.wait(asyncio.sleep(0))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
