"""One strap, listened to for ever: found, connected to, watched while it speaks, and found again.

Services and characteristics are those of the Bluetooth SIG's `Heart Rate Service 1.0
<https://www.bluetooth.com/specifications/specs/heart-rate-service-1-0/>`_, Battery Service and Device Information
Service. Uses bleak's public interface only.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.device import BLEDevice
from bleak.exc import BleakDBusError, BleakError, BleakGATTProtocolError
from bleak.uuids import normalize_uuid_16

from ingest.collect.adapter import NoBluetooth
from ingest.collect.radio import (
    CALL_S,
    CONNECT_S,
    ERRORS,
    HEART_RATE_SERVICE,
    PAUSES_S,
    STUBBORN,
    Advertisement,
    Radio,
    short,
    within,
)
from ingest.collect.strap_state import StrapState
from ingest.log import Repeats, quoted
from ingest.settings.model import StrapSettings

if TYPE_CHECKING:
    from ingest.collect.connection import Connection, StrapOwner
    from ingest.collect.recorder import Recorder

MEASUREMENT = normalize_uuid_16(0x2A37)
LOCATION = normalize_uuid_16(0x2A38)
BATTERY = normalize_uuid_16(0x2A19)
MAKER, MODEL, SERIAL, FIRMWARE = map(normalize_uuid_16, (0x2A29, 0x2A24, 0x2A25, 0x2A26))

LOCATIONS = ("elsewhere", "chest", "wrist", "finger", "hand", "ear lobe", "foot")
"""Where a sensor says it is worn, by the number it says (Body Sensor Location, 0x2A38)."""

READ_S = 5.0
"""For reading one value. bleak itself would wait for ever."""

DISCONNECT_S = 3.0
"""For ending a link. bleak would wait 10 s for a bluetoothd that has gone."""

LEAST_SILENCE_S, MOST_SILENCE_S, INTERVALS = 6.0, 30.0, 5
"""A link is given up after five times the usual interval without a word. With two listeners a Polar H10 speaks every 3
to 5 s, so never below 6 s."""

FEW_WORDS = 3
"""A link that fell silent after fewer did not speak at the pace that is known of its strap."""

TICK_S = 1.0
"""Between two looks at a link."""

WRONG_S, STRANGER_S = 60.0, 600.0
"""For how long a device is left alone that was connected to and is not the strap: somebody else may want to use it. The
second is for one of the right name and the wrong serial number."""

FORGET_S = 90.0
"""After which a strap that cannot be heard any more is just being searched for, whatever was wrong with it before."""

HOUR_S = 3600.0

LOW_PCT, FULL_PCT = 15, 30
"""A battery is low at the first, and well again at the second, so that it is not said again at every percent."""

SAME_AGE_S = (30.0, 100.0)
"""Links that end again and again at one age between these: the two sides do not agree on the connection's interval."""

_UNHEARD = "not heard: not worn, out of reach, or in use by another device"

_UNPAIRED = {0x05, 0x08, 0x0C, 0x0F}
"""ATT errors that pairing would mend: authentication, authorisation, key size, encryption."""

_log = logging.getLogger(__name__)


class _WrongError(Exception):
    """Connected to what is not the strap, or does not talk to us: a state, why, and how long to leave it alone."""

    def __init__(self, state: str, why: str, alone_s: float = WRONG_S) -> None:
        super().__init__(why)
        self.state, self.why, self.alone_s = state, why, alone_s


class _SilentError(Exception):
    """The link stands, and nothing comes."""


@dataclass(frozen=True, slots=True)
class About:
    """What a sensor tells of itself; None where it tells nothing."""

    battery_pct: int | None = None
    location: str | None = None
    maker: str | None = None
    model: str | None = None
    serial: str | None = None
    firmware: str | None = None

    def __str__(self) -> str:
        called = " ".join(filter(None, (self.maker, self.model)))
        parts = (
            called,
            self.firmware and f"firmware {self.firmware}",
            self.location,
            None if self.battery_pct is None else f"battery {self.battery_pct} %",
        )
        return ", ".join(filter(None, parts))


class _Patience:
    """How long a silence of a strap is still no reason to give its link up; what is known of that outlives a link."""

    def __init__(self) -> None:
        self._intervals_s: deque[float] = deque(maxlen=60)
        self._unknown_s = MOST_SILENCE_S

    @property
    def seconds(self) -> float:
        intervals = sorted(self._intervals_s)
        if len(intervals) < INTERVALS:
            return self._unknown_s
        return min(max(INTERVALS * intervals[len(intervals) // 2], LEAST_SILENCE_S), MOST_SILENCE_S)

    def learn(self, interval_s: float) -> None:
        self._intervals_s.append(interval_s)

    def double(self) -> None:
        """Forget what was usual: a strap that has become slow would be disconnected for ever."""
        self._unknown_s = min(2 * self.seconds, MOST_SILENCE_S)
        self._intervals_s.clear()


class _Ear:
    """What bleak calls for each notification of one link."""

    def __init__(self, connection: "Connection", patience: _Patience, now: Callable[[], float]) -> None:
        self._connection, self._patience, self._now = connection, patience, now
        self.last_s = now()
        self.words = 0

    def __call__(self, _: BleakGATTCharacteristic, payload: bytearray) -> None:
        self._connection.receive(bytes(payload))
        before_s, self.last_s = self.last_s, self._now()
        if self.words:
            self._patience.learn(self.last_s - before_s)
        self.words += 1


class StrapListener:
    """One strap of the settings; `run` is its task.

    Parameters
    ----------
    strap, strapped
        How it is known by radio, and by which person and source the journal knows it.
    """

    def __init__(
        self, strap: StrapSettings, strapped: "StrapOwner", radio: Radio, recorder: "Recorder"
    ) -> None:
        self._strap, self._strapped, self._radio, self._recorder = strap, strapped, radio, recorder
        self._state = StrapState("stopped")
        self._missing = ("searching", _UNHEARD)
        self._patience = _Patience()
        self._failures = 0
        self._connections = 0
        self._ages_s: deque[float] = deque(maxlen=4)
        self._avoided: dict[str, float] = {}
        self._strangers: deque[str] = deque(maxlen=100)
        self._about = About()
        self._low = False
        self._repeats = Repeats(_log)

    @property
    def called(self) -> str:
        """How the owner is told of it."""
        return f"{self._strapped.person}'s {self._strap.source}"

    @property
    def state(self) -> StrapState:
        return self._state

    async def run(self) -> None:
        """Listen until cancelled; then the strap is free again within seconds."""
        try:
            while True:
                pause_s = await self._life()
                await asyncio.sleep(pause_s)
        finally:
            self._note("stopped")

    async def _life(self) -> float:
        """Find the strap, and listen until that ends; gives the seconds to wait before the next attempt."""
        loop = asyncio.get_running_loop()
        forget = loop.call_later(FORGET_S, self._forget)
        try:
            async with self._radio.seek(self._is_mine, self._told) as heard:
                forget.cancel()
                try:
                    await self._run_connection(heard)
                except _WrongError as e:
                    self._avoid(heard.address, e.alone_s)
                    self._trouble(e.state, e.why)
        except _SilentError:
            self._trouble("silent", "the strap is connected and says nothing")
            self._failures += 1
        except ERRORS as e:
            self._failures += 1
            _log.debug("%s: %r", self.called, e)
            if self._failures >= STUBBORN:
                self._trouble("in use elsewhere?", f"it is heard, but does not let us in ({short(e)})")
            elif self._missing[0] == "searching":
                self._note(*self._missing)
        finally:
            forget.cancel()
        return PAUSES_S[min(self._failures, len(PAUSES_S) - 1)]

    # --- finding it ---

    def _is_mine(self, heard: Advertisement) -> bool:
        """Whether this is the strap of the settings, or may be: a serial number is only told after connecting."""
        if self._avoided.get(heard.address, 0.0) > _now_s():
            return False
        if self._strap.address is not None:
            return heard.address == self._strap.address
        # A link that another program holds to a stranger of that name is looked at once in our life: in leaving BlueZ
        # ends it for everybody, and a client of bleak cannot leave otherwise. It may be one that our last life left.
        if heard.held and heard.address in self._strangers:
            return False
        return heard.name == self._strap.name

    def _avoid(self, address: str, seconds: float) -> None:
        now_s = _now_s()
        self._avoided = {a: until for a, until in self._avoided.items() if until > now_s}
        self._avoided[address] = now_s + seconds

    def _told(self, trouble: NoBluetooth | None) -> None:
        if trouble is None:
            self._note(*self._missing)
        else:
            self._note(trouble.state, trouble.why)

    def _forget(self) -> None:
        """It is not even heard now: what was wrong with it before says nothing of where it is."""
        self._missing, self._failures = ("searching", _UNHEARD), 0
        if self._state.number < 10 or self._state.number >= 20:
            self._note(*self._missing)

    # --- one connection ---

    async def _run_connection(self, heard: Advertisement) -> None:
        """Connect, listen until the link ends, and leave nothing of it behind."""
        gone = asyncio.Event()
        client = self._radio.client(heard.device, gone.set, pair=self._strap.pair)
        connection: Connection | None = None
        try:
            if self._missing[0] == "searching":
                self._note("connecting", signal_dbm=heard.signal_dbm)
            await self._connect(client, heard.device)
            measurement = self._measurement(client)
            await self._check_serial(client)
            connection = self._recorder.open_connection(self._strapped)
            ear = _Ear(connection, self._patience, _now_s)
            await self._subscribe(client, measurement, ear)
            began_s = _now_s()
            self._connections += 1
            told = await self._ask(client)
            await self._watch(client, ear, gone, told_of_battery=told)
            self._ended(_now_s() - began_s)
        finally:
            try:
                # Always, and always this client: bleak would hand each notification to a forgotten one as well.
                await within(DISCONNECT_S, client.disconnect())
            except ERRORS as e:
                _log.debug("%s: disconnecting: %r", self.called, e)
            finally:
                # Not before: BlueZ takes two seconds to end a link, and delivers all the while.
                if connection is not None:
                    connection.end()

    async def _connect(self, client: BleakClient, device: BLEDevice) -> None:
        async with self._radio.connecting:
            try:
                await within(2 * CONNECT_S if self._strap.pair else CONNECT_S, client.connect())
            except BleakDBusError:
                # What BlueZ remembers of a life that was killed can stand in the way (InProgress): bleak has just asked
                # it to disconnect, and if that did not help it shall forget the device. Pairing would be forgotten too.
                if self._failures and not self._strap.pair:
                    await self._make_forget(device)
                raise

    async def _make_forget(self, device: BLEDevice) -> None:
        try:
            await within(READ_S, self._radio.client(device).unpair())
        except ERRORS as e:
            _log.debug("%s: forgetting: %r", self.called, e)

    def _measurement(self, client: BleakClient) -> BleakGATTCharacteristic:
        """Where it tells heart rates; advertisements do not always say whether it does."""
        service = client.services.get_service(HEART_RATE_SERVICE)
        found = service and service.get_characteristic(MEASUREMENT)
        if not found:
            raise _WrongError("not a heart-rate sensor", f"{client.address} does not tell heart rates")
        return found

    async def _check_serial(self, client: BleakClient) -> None:
        wanted = self._strap.serial
        if wanted is None:
            return
        serial = await _text(client, SERIAL)
        if serial == wanted:
            return
        has = f"the serial number {quoted(serial)}" if serial else "no serial number"
        self._strangers.append(client.address.upper())
        why = f"a {quoted(self._strap.name or '')} in reach has {has}"
        raise _WrongError("another serial number", why, STRANGER_S)

    async def _subscribe(self, client: BleakClient, measurement: BleakGATTCharacteristic, ear: _Ear) -> None:
        try:
            await within(CALL_S, client.start_notify(measurement, ear))
        except BleakGATTProtocolError as e:
            if e.code in _UNPAIRED:
                raise _WrongError(
                    "must be paired", "the strap tells heart rates to paired devices only"
                ) from e
            raise
        except BleakDBusError as e:
            if e.dbus_error == "org.bluez.Error.NotPermitted":
                raise _WrongError(
                    "must be paired", "the strap tells heart rates to paired devices only"
                ) from e
            raise

    async def _ask(self, client: BleakClient) -> bool:
        """Read what the strap tells of itself, while it already speaks; says whether it will tell of its battery."""
        before, self._about = self._about, await about(client)
        self._battery(self._about.battery_pct)
        if str(replace(self._about, battery_pct=None)) != str(replace(before, battery_pct=None)):
            _log.info("%s: %s", self.called, self._about)
        return await self._listen_to_battery(client)

    async def _listen_to_battery(self, client: BleakClient) -> bool:
        battery = client.services.get_characteristic(BATTERY)
        if battery is None or "notify" not in battery.properties:
            return False
        try:
            await within(
                READ_S, client.start_notify(battery, lambda _, told: self._battery(_percent(bytes(told))))
            )
        except ERRORS as e:
            _log.debug("%s: battery: %r", self.called, e)
            return False
        return True

    async def _watch(
        self, client: BleakClient, ear: _Ear, gone: asyncio.Event, *, told_of_battery: bool
    ) -> None:
        """Until the link ends; raises _SilentError when nothing comes any more."""
        heard = False
        since_s = looked_s = _now_s()
        asked_s = looked_s
        while not gone.is_set():
            if ear.words and not heard:
                heard, self._failures, self._missing = True, 0, ("searching", _UNHEARD)
                self._note("connected")
            try:
                async with asyncio.timeout(TICK_S):
                    await gone.wait()
            except TimeoutError:
                now_s = _now_s()
                if now_s - looked_s > 2 * TICK_S:
                    since_s = now_s  # we slept, not the strap: what came meanwhile is still to be read
                looked_s = now_s
                if now_s - max(ear.last_s, since_s) > self._patience.seconds:
                    if ear.words < FEW_WORDS:
                        self._patience.double()
                    raise _SilentError from None
                if not told_of_battery and now_s - asked_s > HOUR_S:
                    asked_s = now_s
                    with contextlib.suppress(*ERRORS):
                        self._battery(await _battery(client))
        if not ear.words:
            raise BleakError("the link ended before the strap said anything")

    # --- what is known of it ---

    def _battery(self, percent: int | None) -> None:
        if percent is None:
            return
        self._about = replace(self._about, battery_pct=percent)
        if self._state.state in {"connecting", "connected"}:
            self._note(self._state.state, self._state.why)
        if percent <= LOW_PCT and not self._low:
            self._low = True
            _log.warning("%s: its battery is at %d %%: have a new one ready.", self.called, percent)
        elif percent >= FULL_PCT:
            self._low = False

    def _ended(self, age_s: float) -> None:
        """The other side ended the link; a pattern in that is the owner's to know."""
        least, most = SAME_AGE_S
        self._ages_s.append(age_s)
        ages = sorted(self._ages_s)
        if len(ages) >= STUBBORN and least <= ages[0] and ages[-1] <= most and ages[-1] - ages[0] <= 3:
            why = f"each link ends after {ages[len(ages) // 2]:.0f} s: the kernel of this computer may be too old for the strap"
            self._missing = ("searching", why)
            self._repeats.say(
                "age", f"{self.called}: {why}. Update the system, or the firmware of the strap."
            )
        else:
            self._repeats.over("age", f"{self.called}: links last again.")
        self._note(*self._missing)

    def _trouble(self, state: str, why: str) -> None:
        """To be shown until the strap speaks again, or is not heard for a while."""
        self._missing = (state, why)
        self._note(state, why)

    def _note(self, state: str, why: str = "", *, signal_dbm: int | None = None) -> None:
        before = self._state
        self._state = StrapState(
            state,
            why,
            self._about.battery_pct,
            before.signal_dbm if signal_dbm is None else signal_dbm,
            max(self._connections - 1, 0),
        )
        if self._state == before:
            return
        self._recorder.record_state(self._strapped, self._state)
        if state != before.state:
            self._say(before.state, state, why)

    def _say(self, before: str, state: str, why: str) -> None:
        if state == "connected":
            self._repeats.over("strap", None)
            _log.info("%s is connected.", self.called)
        elif before == "connected" and state == "searching":
            _log.info("%s is away; it is searched for.", self.called)
        if state in {"silent", "in use elsewhere?"} or self._state.number >= 20:
            self._repeats.say("strap", f"{self.called}: {why}.")


async def about(client: BleakClient) -> About:
    """What a connected sensor tells of itself; nothing more after the first value that does not come."""
    found = About()
    readings: tuple[tuple[str, Callable[[], Awaitable[object]]], ...] = (
        ("battery_pct", lambda: _battery(client)),
        ("location", lambda: _location(client)),
        ("maker", lambda: _text(client, MAKER)),
        ("model", lambda: _text(client, MODEL)),
        ("serial", lambda: _text(client, SERIAL)),
        ("firmware", lambda: _text(client, FIRMWARE)),
    )
    try:
        for key, read in readings:
            found = replace(found, **{key: await read()})  # type: ignore[arg-type]  # each read gives what its field holds
    except ERRORS as e:
        _log.debug("Reading what the sensor is: %r", e)
    return found


async def _read(client: BleakClient, uuid: str) -> bytes | None:
    """One value, None where there is none or it may not be read."""
    characteristic = client.services.get_characteristic(uuid)
    if characteristic is None or "read" not in characteristic.properties:
        return None
    try:
        return bytes(await within(READ_S, client.read_gatt_char(characteristic)))
    except BleakGATTProtocolError as e:
        _log.debug("Reading %s: %r", uuid, e)
        return None


async def _battery(client: BleakClient) -> int | None:
    return _percent(await _read(client, BATTERY) or b"")


async def _location(client: BleakClient) -> str | None:
    told = await _read(client, LOCATION)
    return LOCATIONS[told[0]] if told and told[0] < len(LOCATIONS) else None


async def _text(client: BleakClient, uuid: str) -> str | None:
    """A text, as it is meant: makers fill up with zeros and blanks."""
    told = await _read(client, uuid)
    return (told or b"").decode("utf-8", "replace").strip("\0 \t\r\n") or None


def _percent(told: bytes) -> int | None:
    return told[0] if told and told[0] <= 100 else None


def _now_s() -> float:
    """The clock by which asyncio waits."""
    return asyncio.get_running_loop().time()
