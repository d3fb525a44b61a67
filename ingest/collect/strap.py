"""One strap, listened to for ever: found, connected to, watched while it speaks, and found again.

Services and characteristics are those of the Bluetooth SIG's `Heart Rate Service 1.0
<https://www.bluetooth.com/specifications/specs/heart-rate-service-1-0/>`_, Battery Service and Device Information
Service. Uses bleak's public interface only.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.device import BLEDevice
from bleak.exc import BleakDBusError, BleakError, BleakGATTProtocolError
from bleak.uuids import normalize_uuid_str

from ingest.collect.adapter import NoBluetooth
from ingest.collect.radio import (
    CALL_S,
    CONNECT_S,
    ERRORS,
    PAUSES_S,
    SAID_AFTER,
    Advertisement,
    Radio,
    error_text,
    within,
)
from ingest.collect.sensor_info import (
    BATTERY,
    READ_S,
    SERIAL,
    SensorInfo,
    percent,
    read_battery,
    read_sensor_info,
    read_text,
)
from ingest.collect.strap_state import StrapState
from ingest.formats.characteristics import CHARACTERISTICS
from ingest.log import Repeats, quoted
from ingest.settings.model import StrapSettings
from ingest.system.watchdog import UNWATCHED, WatchedPart

if TYPE_CHECKING:
    from ingest.collect.connection import Connection, StrapOwner
    from ingest.collect.recorder import Recorder

DISCONNECT_S = 3.0
"""For ending a connection. bleak would wait 10 s for a bluetoothd that has gone."""

LEAST_SILENCE_S, MOST_SILENCE_S, INTERVALS = 6.0, 30.0, 5
"""A connection is given up after five times the usual interval without a word. With two listeners a Polar H10 speaks every 3
to 5 s, so never below 6 s."""

FEW_NOTIFICATIONS = 3
"""A connection that fell silent after fewer did not speak at the pace that is known of its strap."""

TICK_S = 1.0
"""Between two looks at a connection."""

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

_NOT_FOUND = "not heard: not worn, out of reach, or in use by another device"

_UNPAIRED = {0x05, 0x08, 0x0C, 0x0F}
"""ATT errors that pairing would mend: authentication, authorisation, key size, encryption."""

_log = logging.getLogger(__name__)


class _WrongDeviceError(Exception):
    """Connected to what is not the strap, or does not talk to us: a state, why, and how long to leave it alone."""

    def __init__(self, state: str, why: str, avoid_s: float = WRONG_S) -> None:
        super().__init__(why)
        self.state, self.why, self.avoid_s = state, why, avoid_s


class _SilentError(Exception):
    """The connection stands, and nothing comes."""


class _SilenceLimit:
    """How long a silence of a strap is still no reason to give its connection up; what is known of that outlives a connection."""

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


class _Receiver:
    """What bleak calls for each notification of one connection."""

    def __init__(
        self, connection: "Connection", silence_limit: _SilenceLimit, now: Callable[[], float]
    ) -> None:
        self._connection, self._silence_limit, self._now = connection, silence_limit, now
        self.last_s = now()
        self.count = 0

    def __call__(self, _: BleakGATTCharacteristic, payload: bytearray) -> None:
        self._connection.receive(bytes(payload))
        before_s, self.last_s = self.last_s, self._now()
        if self.count:
            self._silence_limit.learn(self.last_s - before_s)
        self.count += 1


class StrapListener:
    """One strap of the settings; `run` is its task.

    Parameters
    ----------
    strap, owner
        How it is known by radio, and by which person and source the journal knows it.
    """

    def __init__(self, strap: StrapSettings, owner: "StrapOwner", radio: Radio, recorder: "Recorder") -> None:
        self._strap, self._owner, self._radio, self._recorder = strap, owner, radio, recorder
        self._state = StrapState("stopped")
        self._trouble = ("searching", _NOT_FOUND)
        self._silence_limit = _SilenceLimit()
        self._failures = 0
        self._connections = 0
        self._ages_s: deque[float] = deque(maxlen=4)
        self._avoided: dict[str, float] = {}
        self._strangers: deque[str] = deque(maxlen=100)
        self._info = SensorInfo()
        self._low = False
        self._part = UNWATCHED
        self._repeats = Repeats(_log)

    @property
    def name(self) -> str:
        """How the log calls it."""
        return str(self._owner)

    @property
    def state(self) -> StrapState:
        """How the strap is now."""
        return self._state

    async def run(self, part: WatchedPart = UNWATCHED) -> None:
        """Listen until cancelled; then the strap is free again within seconds."""
        self._part = part
        try:
            while True:
                pause_s = await self._connect_once()
                await asyncio.sleep(pause_s)
        finally:
            self._set_state("stopped")

    async def _connect_once(self) -> float:
        """Find the strap, and listen until that ends; gives the seconds to wait before the next attempt."""
        loop = asyncio.get_running_loop()
        forget = loop.call_later(FORGET_S, self._forget_trouble)
        self._part.rest()
        try:
            async with self._radio.find(self._matches, self._on_bluetooth_trouble) as advertisement:
                forget.cancel()
                self._part.mark()
                try:
                    await self._run_connection(advertisement)
                except _WrongDeviceError as e:
                    self._avoid(advertisement.address, e.avoid_s)
                    self._set_trouble(e.state, e.why)
        except _SilentError:
            if trouble := await self._radio.find_trouble():  # a service that died is no dry electrode
                self._on_bluetooth_trouble(trouble)
            else:
                self._set_trouble("silent", "the strap is connected and says nothing")
            self._failures += 1
        except ERRORS as e:
            self._failures += 1
            _log.debug("%s: %r", self.name, e)
            if self._failures >= SAID_AFTER:
                self._set_trouble(
                    "in use elsewhere?", f"it is heard, but does not let us in ({error_text(e)})"
                )
            elif self._trouble[0] == "searching":
                self._set_state(*self._trouble)
        finally:
            forget.cancel()
        return PAUSES_S[min(self._failures, len(PAUSES_S) - 1)]

    # --- finding it ---

    def _matches(self, advertisement: Advertisement) -> bool:
        """Whether this is the strap of the settings, or may be: a serial number is only told after connecting."""
        if self._avoided.get(advertisement.address, 0.0) > _now_s():
            return False
        if self._strap.address is not None:
            return advertisement.address == self._strap.address
        # A connection that another program holds to a stranger of that name is looked at once in our life: in leaving BlueZ
        # ends it for everybody, and a client of bleak cannot leave otherwise. It may be one that our last life left.
        if advertisement.connected and advertisement.address in self._strangers:
            return False
        return advertisement.name == self._strap.name

    def _avoid(self, address: str, seconds: float) -> None:
        now_s = _now_s()
        self._avoided = {a: until for a, until in self._avoided.items() if until > now_s}
        self._avoided[address] = now_s + seconds

    def _on_bluetooth_trouble(self, trouble: NoBluetooth | None) -> None:
        if trouble is None:
            self._set_state(*self._trouble)
        else:
            self._set_state(trouble.state, trouble.why)

    def _forget_trouble(self) -> None:
        """It is not even heard now: what was wrong with it before says nothing of where it is."""
        self._trouble, self._failures = ("searching", _NOT_FOUND), 0
        if self._state.number < 10 or self._state.number >= 20:
            self._set_state(*self._trouble)

    # --- one connection ---

    async def _run_connection(self, advertisement: Advertisement) -> None:
        """Connect, listen until the connection ends, and leave nothing of it behind."""
        gone = asyncio.Event()
        client = self._radio.client(advertisement.device, gone.set, pair=self._strap.pair)
        connection: Connection | None = None
        try:
            if self._trouble[0] == "searching":
                self._set_state("connecting", signal_dbm=advertisement.signal_dbm)
            await self._connect(client, advertisement.device)
            uuid, measurement = self._find_measurement(client)
            await self._check_serial(client)
            connection = self._recorder.open_connection(self._owner, uuid)
            receiver = _Receiver(connection, self._silence_limit, _now_s)
            await self._subscribe(client, measurement, receiver)
            began_s = _now_s()
            self._connections += 1
            battery_comes = await self._read_info(client)
            await self._watch(client, receiver, gone, battery_comes=battery_comes)
            self._record_age(_now_s() - began_s)
        finally:
            try:
                # Always, and always this client: bleak would hand each notification to a forgotten one as well.
                await within(DISCONNECT_S, client.disconnect())
            except ERRORS as e:
                _log.debug("%s: disconnecting: %r", self.name, e)
            finally:
                # Not before: BlueZ takes two seconds to end a connection, and delivers all the while.
                if connection is not None:
                    connection.end()

    async def _connect(self, client: BleakClient, device: BLEDevice) -> None:
        self._part.rest()  # others are connected to before
        async with self._radio.connecting:
            self._part.mark()
            try:
                await within(2 * CONNECT_S if self._strap.pair else CONNECT_S, client.connect())
            except BleakDBusError:
                # What BlueZ remembers of a life that was killed can stand in the way (InProgress): bleak has just asked
                # it to disconnect, and if that did not help it shall forget the device. Pairing would be forgotten too.
                if self._failures and not self._strap.pair:
                    await self._remove_device(device)
                raise

    async def _remove_device(self, device: BLEDevice) -> None:
        try:
            await within(READ_S, self._radio.client(device).unpair())
        except ERRORS as e:
            _log.debug("%s: forgetting: %r", self.name, e)

    def _find_measurement(self, client: BleakClient) -> tuple[str, BleakGATTCharacteristic]:
        """Where it tells heart rates, and the UUID of that; advertisements do not always say whether it does."""
        for uuid, known in CHARACTERISTICS.items():
            service = client.services.get_service(normalize_uuid_str(known.service))
            found = service and service.get_characteristic(normalize_uuid_str(uuid))
            if found:
                return uuid, found
        raise _WrongDeviceError("not a heart-rate sensor", f"{client.address} does not tell heart rates")

    async def _check_serial(self, client: BleakClient) -> None:
        wanted = self._strap.serial
        if wanted is None:
            return
        serial = await read_text(client, SERIAL)
        if serial == wanted:
            return
        has = f"the serial number {quoted(serial)}" if serial else "no serial number"
        self._strangers.append(client.address.upper())
        why = f"a {quoted(self._strap.name or '')} in reach has {has}"
        raise _WrongDeviceError("another serial number", why, STRANGER_S)

    async def _subscribe(
        self, client: BleakClient, measurement: BleakGATTCharacteristic, receiver: _Receiver
    ) -> None:
        try:
            await within(CALL_S, client.start_notify(measurement, receiver))
        except (BleakGATTProtocolError, BleakDBusError) as e:
            if isinstance(e, BleakGATTProtocolError):
                unpaired = e.code in _UNPAIRED
            else:
                unpaired = e.dbus_error == "org.bluez.Error.NotPermitted"
            if unpaired:
                why = "the strap tells heart rates to paired devices only"
                raise _WrongDeviceError("must be paired", why) from e
            raise

    async def _read_info(self, client: BleakClient) -> bool:
        """Read what the strap tells of itself, while it already speaks; says whether it will tell of its battery."""
        before, self._info = self._info, await read_sensor_info(client)
        self._set_battery(self._info.battery_pct)
        if str(replace(self._info, battery_pct=None)) != str(replace(before, battery_pct=None)):
            _log.info("%s: %s", self.name, self._info)
        return await self._subscribe_to_battery(client)

    async def _subscribe_to_battery(self, client: BleakClient) -> bool:
        battery = client.services.get_characteristic(BATTERY)
        if battery is None or "notify" not in battery.properties:
            return False
        try:
            await within(
                READ_S,
                client.start_notify(battery, lambda _, value: self._set_battery(percent(bytes(value)))),
            )
        except ERRORS as e:
            _log.debug("%s: battery: %r", self.name, e)
            return False
        return True

    async def _watch(
        self, client: BleakClient, receiver: _Receiver, gone: asyncio.Event, *, battery_comes: bool
    ) -> None:
        """Until the connection ends; raises _SilentError when nothing comes any more."""
        speaks = False
        since_s = looked_s = _now_s()
        asked_s = looked_s
        while not gone.is_set():
            self._part.mark()
            if receiver.count and not speaks:
                speaks, self._failures, self._trouble = True, 0, ("searching", _NOT_FOUND)
                self._set_state("connected")
            try:
                async with asyncio.timeout(TICK_S):
                    await gone.wait()
            except TimeoutError:
                now_s = _now_s()
                if now_s - looked_s > 2 * TICK_S:
                    since_s = now_s  # we slept, not the strap: what came meanwhile is still to be read
                looked_s = now_s
                if now_s - max(receiver.last_s, since_s) > self._silence_limit.seconds:
                    if receiver.count < FEW_NOTIFICATIONS:
                        self._silence_limit.double()
                    raise _SilentError from None
                if not battery_comes and now_s - asked_s > HOUR_S:
                    asked_s = now_s
                    with contextlib.suppress(*ERRORS):
                        self._set_battery(await read_battery(client))
        if not receiver.count:
            raise BleakError("the link ended before the strap said anything")

    # --- what is known of it ---

    def _set_battery(self, percent: int | None) -> None:
        if percent is None:
            return
        self._info = replace(self._info, battery_pct=percent)
        if self._state.state in {"connecting", "connected"}:
            self._set_state(self._state.state, self._state.why)
        if percent <= LOW_PCT and not self._low:
            self._low = True
            _log.warning("%s: its battery is at %d %%: have a new one ready.", self.name, percent)
        elif percent >= FULL_PCT:
            self._low = False

    def _record_age(self, age_s: float) -> None:
        """The other side ended the connection; a pattern in that is the owner's to know."""
        least, most = SAME_AGE_S
        self._ages_s.append(age_s)
        ages = sorted(self._ages_s)
        if len(ages) >= SAID_AFTER and least <= ages[0] and ages[-1] <= most and ages[-1] - ages[0] <= 3:
            why = f"each link ends after {ages[len(ages) // 2]:.0f} s: the kernel of this computer may be too old for the strap"
            self._trouble = ("searching", why)
            self._repeats.say("age", f"{self.name}: {why}. Update the system, or the firmware of the strap.")
        else:
            self._repeats.over("age", f"{self.name}: links last again.")
        self._set_state(*self._trouble)

    def _set_trouble(self, state: str, why: str) -> None:
        """To be shown until the strap speaks again, or is not heard for a while."""
        self._trouble = (state, why)
        self._set_state(state, why)

    def _set_state(self, state: str, why: str = "", *, signal_dbm: int | None = None) -> None:
        before = self._state
        self._state = StrapState(
            state,
            why,
            self._info.battery_pct,
            before.signal_dbm if signal_dbm is None else signal_dbm,
            max(self._connections - 1, 0),
        )
        if self._state == before:
            return
        self._recorder.record_state(self._owner, self._state)
        if state != before.state:
            self._log_change(before.state, state, why)

    def _log_change(self, before: str, state: str, why: str) -> None:
        if state == "connected":
            self._repeats.over("strap", None)
            _log.info("%s is connected.", self.name)
        elif before == "connected" and state == "searching":
            _log.info("%s is away; it is searched for.", self.name)
        if state in {"silent", "in use elsewhere?"} or self._state.number >= 20:
            self._repeats.say("strap", f"{self.name}: {why}.")


def _now_s() -> float:
    """The clock by which asyncio waits."""
    return asyncio.get_running_loop().time()
