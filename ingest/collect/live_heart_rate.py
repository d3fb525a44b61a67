"""The heart rate that one sensor tells just now, for somebody who wants to know which of several is on them. Nothing is kept."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from bleak import BleakClient
from bleak.uuids import normalize_uuid_str

from ingest.collect.radio import CALL_S, CONNECT_S, ERRORS, Radio, error_text, within
from ingest.collect.strap import DISCONNECT_S
from ingest.errors import TryLater
from ingest.formats.characteristics import CHARACTERISTICS, Characteristic

if TYPE_CHECKING:
    from ingest.collect.adapter import NoBluetooth

FIND_S = 15.0
"""A sensor that advertised itself a moment ago does so again within seconds."""

_log = logging.getLogger(__name__)


async def listen(radio: Radio, address: str, seconds: float, hear: Callable[[int], None]) -> None:
    """Connect to a sensor, and tell each heart rate that it notifies (bpm, 0: none felt) for some seconds.

    Raises TryLater in words when it cannot be heard.
    """
    searching = asyncio.create_task(radio.run())
    troubles: list[NoBluetooth | None] = []
    try:
        async with asyncio.timeout(FIND_S) as patience:
            async with radio.find(lambda a: a.address == address, troubles.append) as advertisement:
                patience.reschedule(None)
                await _listen(radio, radio.client(advertisement.device), seconds, hear)
    except TimeoutError as e:
        if troubles and troubles[-1] is not None:
            raise troubles[-1] from e
        raise TryLater(f"{address} is not heard any more: not worn, out of reach, or in use elsewhere") from e
    except ERRORS as e:
        raise TryLater(f"{address} does not answer ({error_text(e)})") from e
    finally:
        searching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await searching


async def _listen(radio: Radio, client: BleakClient, seconds: float, hear: Callable[[int], None]) -> None:
    try:
        async with radio.connecting:
            await within(CONNECT_S, client.connect())
        for uuid, known in CHARACTERISTICS.items():
            service = client.services.get_service(normalize_uuid_str(known.service))
            found = service and service.get_characteristic(normalize_uuid_str(uuid))
            if found:
                told = partial(_tell, known, hear)
                await within(CALL_S, client.start_notify(found, told))
                await asyncio.sleep(seconds)
                return
        raise TryLater(f"{client.address} does not tell heart rates")
    finally:
        try:
            await within(DISCONNECT_S, client.disconnect())
        except ERRORS as e:
            _log.debug("%s: disconnecting: %r", client.address, e)


def _tell(known: Characteristic, hear: Callable[[int], None], _: object, payload: bytearray) -> None:
    octets = np.frombuffer(bytes(payload), np.uint8)
    hear(int(known.decode(np.array([len(octets)], dtype=np.int64), octets).bpm[0]))
