"""One ear for all straps: a shared search on one adapter, and the links that BlueZ still holds from our last life.

Uses bleak's public interface only (https://bleak.readthedocs.io).
"""

import asyncio
import contextlib
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
from bleak.uuids import normalize_uuid_16
from dbus_fast import DBusFastError

from ingest.collect.adapter import RFKILL, Adapter, Look, NoBluetooth, adapters, listening
from ingest.log import Repeats

HEART_RATE_SERVICE = normalize_uuid_16(0x180D)

ERRORS = (BleakError, DBusFastError, TimeoutError, OSError, EOFError, AssertionError, KeyError)
"""All that was seen to come out of bleak 3.1 on BlueZ when the radio, the strap, bluetoothd or D-Bus fail."""

TURN_S = 10.0
"""One turn of the search. BlueZ says nothing when it dies while it searches: it is asked anew this often."""

CALL_S = 10.0
"""For one call that should take milliseconds: ending a search, asking for links, subscribing."""

START_S = 30.0
"""For starting a search. Longer than a link that somebody else tries to make, as the kernel does one after the other: a
search that begins after it was given up would be in the way of all that follow (InProgress), for ever."""

CONNECT_S = 20.0
"""For making a link and asking what the device can do; it takes a second."""

GRACE_S = 2.0
"""For what a call does to tidy up after it was given up."""

PAUSES_S = (0.5, 1.0, 2.0, 5.0)
"""Between attempts that fail; never longer, so that a short fault makes a short gap."""

PATIENT, RARELY_S = 60, 30.0
"""Where no Bluetooth service ran for so many attempts, some minutes, it is asked for at this rate: each time the system
tries to start it, and writes into its log."""

STUBBORN = 3
"""Attempts in vain, one after the other, after which it is said aloud."""

_NO_SIGNAL_DBM = -127
"""What bleak says when BlueZ does not tell how strong it heard a device."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Advertisement:
    """A device that spoke, or to which a link was left; fit to be connected to at once."""

    device: BLEDevice
    name: str | None = None
    signal_dbm: int | None = None
    services: frozenset[str] = frozenset()
    held: bool = False
    """Whether it is connected already: nobody heard it, BlueZ knows it."""

    @property
    def address(self) -> str:
        return self.device.address.upper()


@dataclass(eq=False, slots=True)
class _Seeker:
    """Somebody who waits for a device."""

    mine: Callable[[Advertisement], bool]
    told: Callable[[NoBluetooth | None], None]
    found: asyncio.Future[Advertisement]
    since_s: float


class Radio:
    """Finds devices for those who seek them, for ever and quietly; `run` does the work.

    Parameters
    ----------
    chosen
        Address of the adapter to use; None for the first that can listen.
    scanner, client, adapter, look, rfkill
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
        look: Look = adapters,
        rfkill: Path = RFKILL,
    ) -> None:
        self._chosen, self._look, self._rfkill = chosen, look, rfkill
        self._scanner, self._client, self._adapter = scanner, client, adapter
        self._seekers: list[_Seeker] = []
        self._sought = asyncio.Event()
        self._over = asyncio.Event()
        self._taken: set[str] = set()
        self._trouble: NoBluetooth | None = None
        self._repeats = Repeats(_log)
        self.connecting = asyncio.Lock()
        """Held while a link is made or a search begins or ends: an adapter does one at a time."""

    # --- for those who seek ---

    @contextlib.asynccontextmanager
    async def seek(
        self, mine: Callable[[Advertisement], bool], told: Callable[[NoBluetooth | None], None]
    ) -> AsyncIterator[Advertisement]:
        """Wait for a device, however long it takes; within the block it is nobody else's.

        `told` hears at once, and whenever it changes, what is wrong with Bluetooth (None: nothing).
        """
        loop = asyncio.get_running_loop()
        seeker = _Seeker(mine, told, loop.create_future(), loop.time())
        self._seekers.append(seeker)
        self._check()
        self._over.set()  # adapters tell of a device once in a search: the one that is on may have told already
        told(self._trouble)
        try:
            heard = await seeker.found
            self._taken.add(heard.address)
        finally:
            self._seekers.remove(seeker)
            self._check()
        try:
            yield heard
        finally:
            self._taken.discard(heard.address)

    def client(
        self, device: BLEDevice, disconnected: Callable[[], None] = lambda: None, *, pair: bool = False
    ) -> BleakClient:
        """A client for one session with a device: a used one would hear everything twice."""
        return BleakClient(
            device,
            lambda _: disconnected(),
            timeout=CONNECT_S,
            pair=pair,
            backend=self._client,
        )

    # --- the work ---

    async def run(self) -> None:
        """Search whenever somebody seeks; ends only by being cancelled."""
        fresh, failures = True, 0
        while True:
            await self._sought.wait()
            pauses: tuple[float, ...] = PAUSES_S
            try:
                adapter = await listening(self._chosen, self._look, self._rfkill)
                if fresh:
                    # Links that outlived our last life: such a strap does not advertise, so no search would find it.
                    # Later only after a search in vain, as bleak may believe in links that bluetoothd took with it.
                    await self._offer_held(adapter)
                    fresh = False
                await self._turn(adapter)
            except NoBluetooth as e:
                failures += 1
                self._tell(e)
                if e.state == "no Bluetooth service" and failures > PATIENT:
                    pauses = (RARELY_S,)
            except ERRORS as e:
                _log.debug("The search failed: %r", e)
                failures += 1
                if failures >= STUBBORN:
                    why = f"Bluetooth cannot search, though its adapter is on ({short(e)})"
                    self._tell(NoBluetooth("wedged", why))
            else:
                failures = 0
            if failures:
                await asyncio.sleep(pauses[min(failures, len(pauses)) - 1])

    async def _turn(self, adapter: Adapter) -> None:
        """Search until everybody has found what they seek, somebody else seeks, or a while has passed."""
        self._over.clear()
        self._check()
        if not self._over.is_set():
            async with self._searching(adapter, self._hear):
                self._tell(None)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(TURN_S):
                        await self._over.wait()
        latest_s = asyncio.get_running_loop().time() - TURN_S
        if any(s.since_s <= latest_s for s in self._seekers if not s.found.done()):
            await self._offer_held(adapter)

    @contextlib.asynccontextmanager
    async def _searching(
        self, adapter: Adapter, hear: Callable[[BLEDevice, AdvertisementData], None]
    ) -> AsyncIterator[None]:
        """An active search, as passive ones need an experimental bluetoothd."""
        scanner = BleakScanner(hear, bluez={"adapter": adapter.name}, backend=self._scanner)
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

    def _hear(self, device: BLEDevice, said: AdvertisementData) -> None:
        self._offer(_heard(device, said))

    async def _offer_held(self, adapter: Adapter) -> None:
        """Offer the devices to which BlueZ holds a link."""
        try:
            for held in await self.held(adapter):
                self._offer(held)
        except ERRORS as e:
            _log.debug("Links cannot be listed: %r", e)

    async def held(self, adapter: Adapter) -> list[Advertisement]:
        """Sensors that are connected to this computer, by whomever.

        Raises one of `ERRORS` when that cannot be known.
        """
        asked = await within(CALL_S, BleakAdapter.get(bluez={"adapter": adapter.name}, backend=self._adapter))
        devices = await within(CALL_S, asked.get_connected_devices([HEART_RATE_SERVICE]))
        return [Advertisement(d, d.name, None, frozenset({HEART_RATE_SERVICE}), held=True) for d in devices]

    def _offer(self, heard: Advertisement) -> None:
        if heard.address in self._taken | {s.found.result().address for s in self._seekers if _got(s)}:
            return
        for seeker in self._seekers:
            if not seeker.found.done() and seeker.mine(heard):
                seeker.found.set_result(heard)
                self._check()
                return

    def _check(self) -> None:
        """Whether anybody still waits."""
        if any(not s.found.done() for s in self._seekers):
            self._sought.set()
        else:
            self._sought.clear()
            self._over.set()

    def _tell(self, trouble: NoBluetooth | None) -> None:
        if trouble is None:
            self._repeats.over("bluetooth", "Bluetooth works again.")
        else:
            self._repeats.say("bluetooth", f"{trouble.why}; straps are waited for. {trouble.advice}")
        if str(trouble) != str(self._trouble):
            self._trouble = trouble
            for seeker in self._seekers:
                seeker.told(trouble)

    # --- for who wants to know what is around ---

    async def around(self, seconds: float) -> tuple[list[Advertisement], list[Advertisement]]:
        """(What was heard in some seconds, strongest first; what is connected to this computer already).

        Raises NoBluetooth in words, or one of `ERRORS`.
        """
        adapter = await listening(self._chosen, self._look, self._rfkill)
        heard: dict[str, Advertisement] = {}

        def hear(device: BLEDevice, said: AdvertisementData) -> None:
            now = _heard(device, said)
            heard[now.address] = now

        async with self._searching(adapter, hear):
            await asyncio.sleep(seconds)
        held = await self.held(adapter)
        connected = {h.address for h in held}
        spoke = [h for h in heard.values() if h.address not in connected]
        return sorted(spoke, key=lambda h: -(h.signal_dbm or _NO_SIGNAL_DBM)), held


def _got(seeker: _Seeker) -> bool:
    return seeker.found.done() and not seeker.found.cancelled()


def _heard(device: BLEDevice, said: AdvertisementData) -> Advertisement:
    return Advertisement(
        device,
        said.local_name or device.name,
        said.rssi if said.rssi > _NO_SIGNAL_DBM else None,
        frozenset(said.service_uuids),
    )


def short(e: BaseException) -> str:
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
