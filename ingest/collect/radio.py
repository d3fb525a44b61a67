"""One radio for all straps: a shared search on one adapter, and the connections that BlueZ still holds from our last life.

Uses bleak's public interface only (https://bleak.readthedocs.io).
"""

import asyncio
import contextlib
import importlib
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from bleak import BleakAdapter, BleakClient, BleakScanner
from bleak.backends.adapter import BaseBleakAdapter
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.exc import BleakError
from bleak.uuids import normalize_uuid_str
from dbus_fast import DBusFastError

from ingest.collect.adapter import RFKILL, Adapter, ListAdapters, NoBluetooth, find_adapter, list_adapters
from ingest.formats.characteristics import CHARACTERISTICS
from ingest.language import N_, Text
from ingest.log import Repeats
from ingest.system.watchdog import UNWATCHED, WatchedPart

HEART_RATE_SERVICES = frozenset(normalize_uuid_str(c.service) for c in CHARACTERISTICS.values())

ERRORS = (BleakError, DBusFastError, TimeoutError, OSError, EOFError, AssertionError, KeyError)
"""All that was seen to come out of bleak 3.1 on BlueZ when the radio, the strap, bluetoothd or D-Bus fail."""

TURN_S = 10.0
"""One turn of the search. BlueZ says nothing when it dies while it searches: it is asked anew this often."""

CALL_S = 10.0
"""For one call that should take milliseconds: ending a search, asking for connections, subscribing."""

START_S = 30.0
"""For starting a search. Longer than a connection that somebody else tries to make, as the kernel does one after the other: a
search that begins after it was given up would be in the way of all that follow (InProgress), for ever."""

CONNECT_S = 20.0
"""For making a connection and asking what the device can do; it takes a second."""

GRACE_S = 2.0
"""For what a call does to tidy up after it was given up."""

PAUSES_S = (0.5, 1.0, 2.0, 5.0)
"""Between attempts that fail; never longer, so that a short fault makes a short gap."""

MANY_FAILURES, RARELY_S = 60, 30.0
"""Where no Bluetooth service ran for so many attempts, some minutes, it is asked for at this rate: each time the system
tries to start it, and writes into its log."""

SAID_AFTER = 3
"""Attempts in vain, one after the other, after which it is said aloud."""

_NO_SIGNAL_DBM = -127
"""What bleak says when BlueZ does not tell how strong it heard a device."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Advertisement:
    """A device that advertised itself, or is connected already; fit to be connected to at once."""

    device: BLEDevice
    name: str | None = None
    signal_dbm: int | None = None
    services: frozenset[str] = frozenset()
    connected: bool = False
    """Whether it is connected already: it did not advertise itself, BlueZ knows it."""

    @property
    def address(self) -> str:
        """In capitals, as settings and the journal have it."""
        return self.device.address.upper()


@dataclass(eq=False, slots=True)
class _Request:
    """A device that somebody waits for."""

    matches: Callable[[Advertisement], bool]
    on_trouble: Callable[[NoBluetooth | None], None]
    found: asyncio.Future[Advertisement]
    since_s: float


def load_backend() -> None:
    """Have loaded what bleak loads at the first search and connection, which would hold up the event loop then."""
    for name in ("adapter", "scanner", "client"):
        with contextlib.suppress(
            ImportError
        ):  # a release that calls them otherwise loads them when it needs them
            importlib.import_module(f"bleak.backends.bluezdbus.{name}")


class Radio:
    """Finds devices for those who wait for them, for ever and quietly; `run` does the work.

    Parameters
    ----------
    chosen
        Address of the adapter to use; None for the first that can listen.
    scanner, client, adapter, list_all, rfkill
        The edges of the world, for tests: bleak's backends (None for the system's own), who lists the adapters, and
        where the kernel tells what it blocks.
    """

    def __init__(
        self,
        chosen: str | None = None,
        *,
        scanner: type[BaseBleakScanner] | None = None,
        client: type[BaseBleakClient] | None = None,
        adapter: type[BaseBleakAdapter] | None = None,
        list_all: ListAdapters = list_adapters,
        rfkill: Path = RFKILL,
    ) -> None:
        self._chosen, self._list_all, self._rfkill = chosen, list_all, rfkill
        self._scanner, self._client, self._adapter = scanner, client, adapter
        self._requests: list[_Request] = []
        self._wanted = asyncio.Event()
        self._turn_over = asyncio.Event()
        self._in_use: set[str] = set()
        self._trouble: NoBluetooth | None = None
        self._repeats = Repeats(_log)
        self.connecting = asyncio.Lock()
        """Held while a connection is made or a search begins or ends: an adapter does one at a time."""

    # --- for those who wait for a device ---

    @contextlib.asynccontextmanager
    async def find(
        self, matches: Callable[[Advertisement], bool], on_trouble: Callable[[NoBluetooth | None], None]
    ) -> AsyncIterator[Advertisement]:
        """Wait for a device, however long it takes; within the block it is nobody else's.

        `on_trouble` is called at once, and whenever it changes, with what is wrong with Bluetooth (None: nothing).
        """
        loop = asyncio.get_running_loop()
        request = _Request(matches, on_trouble, loop.create_future(), loop.time())
        self._requests.append(request)
        self._update_events()
        self._turn_over.set()  # adapters tell of a device once in a search: the one that is on may have told already
        on_trouble(self._trouble)
        try:
            advertisement = await request.found
            self._in_use.add(advertisement.address)
        finally:
            self._requests.remove(request)
            self._update_events()
        try:
            yield advertisement
        finally:
            self._in_use.discard(advertisement.address)

    async def find_trouble(self) -> NoBluetooth | None:
        """What is wrong with Bluetooth itself now; None: nothing that one could see without searching."""
        try:
            await find_adapter(self._chosen, self._list_all, self._rfkill)
        except NoBluetooth as e:
            return e
        return None

    def client(
        self, device: BLEDevice, disconnected: Callable[[], None] = lambda: None, *, pair: bool = False
    ) -> BleakClient:
        """A client for one connection to a device: a used one would hear everything twice."""
        return BleakClient(
            device,
            lambda _: disconnected(),
            timeout=CONNECT_S,
            pair=pair,
            backend=self._client,
        )

    # --- the work ---

    async def run(self, part: WatchedPart = UNWATCHED) -> None:
        """Search whenever somebody waits; ends only by being cancelled."""
        fresh, failures = True, 0
        while True:
            part.rest()
            await self._wanted.wait()
            part.mark()
            pauses: tuple[float, ...] = PAUSES_S
            try:
                adapter = await find_adapter(self._chosen, self._list_all, self._rfkill)
                if fresh:
                    # Links that outlived our last life: such a strap does not advertise, so no search would find it.
                    # Later only after a search in vain, as bleak may believe in connections that bluetoothd took with it.
                    await self._offer_connected(adapter)
                    fresh = False
                await self._turn(adapter)
            except NoBluetooth as e:
                failures += 1
                self._set_trouble(e)
                if e.state == "no Bluetooth service" and failures > MANY_FAILURES:
                    pauses = (RARELY_S,)
            except ERRORS as e:
                _log.debug("The search failed: %r", e)
                failures += 1
                if failures >= SAID_AFTER:
                    words = N_("Bluetooth cannot search, though its adapter is on ({why})")
                    why = Text(words, why=error_text(e))
                    self._set_trouble(NoBluetooth("wedged", why))
            else:
                failures = 0
            if failures:
                await asyncio.sleep(pauses[min(failures, len(pauses)) - 1])

    async def _turn(self, adapter: Adapter) -> None:
        """Search until everybody has what they wait for, somebody else begins to wait, or a while has passed."""
        self._turn_over.clear()
        self._update_events()
        if not self._turn_over.is_set():
            async with self._searching(adapter, self._on_advertisement):
                self._set_trouble(None)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(TURN_S):
                        await self._turn_over.wait()
        latest_s = asyncio.get_running_loop().time() - TURN_S
        if any(s.since_s <= latest_s for s in self._requests if not s.found.done()):
            await self._offer_connected(adapter)

    @contextlib.asynccontextmanager
    async def _searching(
        self, adapter: Adapter, callback: Callable[[BLEDevice, AdvertisementData], None]
    ) -> AsyncIterator[None]:
        """An active search, as passive ones need an experimental bluetoothd."""
        scanner = BleakScanner(callback, bluez={"adapter": adapter.name}, backend=self._scanner)
        async with self.connecting:
            await within(START_S, scanner.start())
        try:
            yield
        except BaseException:
            # What ends the search, such as the end of the daemon, must not be hidden by what ending it gives.
            with contextlib.suppress(*ERRORS):
                await self._stop(scanner)
            raise
        await self._stop(scanner)

    async def _stop(self, scanner: BleakScanner) -> None:
        async with self.connecting:
            await within(CALL_S, scanner.stop())

    def _on_advertisement(self, device: BLEDevice, data: AdvertisementData) -> None:
        self._offer(_advertisement(device, data))

    async def _offer_connected(self, adapter: Adapter) -> None:
        """Offer the devices to which BlueZ holds a connection."""
        try:
            for device in await self.connected_devices(adapter):
                self._offer(device)
        except ERRORS as e:
            _log.debug("Links cannot be listed: %r", e)

    async def connected_devices(self, adapter: Adapter) -> list[Advertisement]:
        """Sensors that are connected to this computer, by whomever.

        Raises one of `ERRORS` when that cannot be known.
        """
        found = await within(CALL_S, BleakAdapter.get(bluez={"adapter": adapter.name}, backend=self._adapter))
        devices = await within(CALL_S, found.get_connected_devices(list(HEART_RATE_SERVICES)))
        return [Advertisement(d, d.name, None, HEART_RATE_SERVICES, connected=True) for d in devices]

    def _offer(self, advertisement: Advertisement) -> None:
        if advertisement.address in self._in_use | {
            s.found.result().address for s in self._requests if _has_result(s)
        }:
            return
        for request in self._requests:
            if not request.found.done() and request.matches(advertisement):
                request.found.set_result(advertisement)
                self._update_events()
                return

    def _update_events(self) -> None:
        """Whether anybody still waits."""
        if any(not s.found.done() for s in self._requests):
            self._wanted.set()
        else:
            self._wanted.clear()
            self._turn_over.set()

    def _set_trouble(self, trouble: NoBluetooth | None) -> None:
        if trouble is None:
            self._repeats.over("bluetooth", "Bluetooth works again.")
        else:
            self._repeats.say("bluetooth", f"{trouble.why}; straps are waited for. {trouble.advice}")
        if str(trouble) != str(self._trouble):
            self._trouble = trouble
            for request in self._requests:
                request.on_trouble(trouble)

    # --- for who wants to know what is in reach ---

    async def scan(self, seconds: float) -> tuple[list[Advertisement], list[Advertisement]]:
        """(What advertised itself within some seconds, strongest first; what is connected to this computer already).

        Raises NoBluetooth in words, or one of `ERRORS`.
        """
        adapter = await find_adapter(self._chosen, self._list_all, self._rfkill)
        found: dict[str, Advertisement] = {}

        def collect(device: BLEDevice, data: AdvertisementData) -> None:
            advertisement = _advertisement(device, data)
            found[advertisement.address] = advertisement

        async with self._searching(adapter, collect):
            await asyncio.sleep(seconds)
        connected = await self.connected_devices(adapter)
        taken = {a.address for a in connected}
        free = [a for a in found.values() if a.address not in taken]
        return sorted(free, key=lambda a: -(a.signal_dbm or _NO_SIGNAL_DBM)), connected


def _has_result(request: _Request) -> bool:
    return request.found.done() and not request.found.cancelled()


def _advertisement(device: BLEDevice, data: AdvertisementData) -> Advertisement:
    return Advertisement(
        device,
        data.local_name or device.name,
        data.rssi if data.rssi > _NO_SIGNAL_DBM else None,
        frozenset(data.service_uuids),
    )


def error_text(e: BaseException) -> str:
    """What an error of bleak says, or at least its name."""
    return str(e) or type(e).__name__


T = TypeVar("T")


async def within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """Wait for a call, but never longer: not even for its tidying up, which may hang like itself.

    Raises TimeoutError.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
        if task.done():
            return task.result()
        raise TimeoutError(f"no answer within {seconds:g} s")
    finally:
        for _ in range(2):  # bleak asks BlueZ to disconnect when it is given up; that is given up then, too
            if not task.done():
                task.cancel()
                await asyncio.wait({task}, timeout=GRACE_S)
        if task.done() and not task.cancelled():
            task.exception()  # looked at, so that nobody complains of an error that nobody saw
