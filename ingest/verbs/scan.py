"""Which straps are in reach, as lines to paste into the settings."""

import contextlib
import json
import logging
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from ingest.language import gettext as _
from ingest.verbs.command import Invocation, WholeNumber, print_json, print_lines, verb

if TYPE_CHECKING:
    from ingest.collect.radio import Advertisement, Radio
    from ingest.collect.sensor_info import SensorInfo
    from ingest.settings.model import Settings, StrapSettings

ASK_S = 15.0
"""For connecting to a sensor and reading what it tells of itself."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FoundStrap:
    """A sensor in reach; None where something is not known."""

    address: str
    name: str | None
    signal_dbm: int | None
    connected: bool
    """Whether this computer has a link to it already, so that it was not asked anything."""
    changes: bool
    """Whether its address is one of those that are thrown away after a while."""
    strap: "StrapSettings | None"
    """The block of the settings that it answers to."""
    battery_pct: int | None = None
    serial: str | None = None
    model: str | None = None

    def json(self) -> dict[str, Any]:
        return {
            "address": self.address,
            "name": self.name,
            "signal_dbm": self.signal_dbm,
            "connected": self.connected,
            "address_changes": self.changes,
            "battery_pct": self.battery_pct,
            "serial": self.serial,
            "model": self.model,
            "person": self.strap.person if self.strap else None,
        }


async def scan(settings: "Settings", radio: "Radio", seconds: float, *, ask: bool) -> list[FoundStrap]:
    """The heart-rate sensors in reach, those that are connected already first, then the strongest.

    `ask` connects to each that is free, for a moment, and reads what it tells of itself.
    Raises TryLater in words when Bluetooth cannot be used now.
    """
    from ingest.collect.adapter import NoBluetooth
    from ingest.collect.radio import ERRORS, HEART_RATE_SERVICES, error_text
    from ingest.system.lock import holder

    try:
        spoke, held = await radio.scan(seconds)
    except ERRORS as e:
        raise NoBluetooth(
            "wedged", f"Bluetooth cannot search, though its adapter is on ({error_text(e)})"
        ) from e
    found: list[FoundStrap] = []
    connected: list[StrapSettings] = []
    for advertisement in held:
        one = _found_strap(settings, advertisement, connected)
        found.append(replace(one, battery_pct=_last_battery(settings, one)))
        connected += [one.strap] if one.strap else []
    for advertisement in spoke:
        one = _found_strap(settings, advertisement, connected)
        if not HEART_RATE_SERVICES & advertisement.services and one.strap is None:
            continue
        if one.strap is not None and holder(settings.data) is not None:
            # The daemon is about to connect to it: a second client would end that link in leaving.
            found.append(replace(one, battery_pct=_last_battery(settings, one)))
            continue
        about = await _read_about(radio, advertisement) if ask else None
        found.append(_found_strap(settings, advertisement, connected, about))
    return found


def _found_strap(
    settings: "Settings",
    advertisement: "Advertisement",
    connected: list["StrapSettings"],
    about: "SensorInfo | None" = None,
) -> FoundStrap:
    """What is known of a sensor. By its name alone it is nobody's who is connected already: names are shared by many."""
    serial = about.serial if about else None
    matching = [
        s
        for s in settings.straps
        if s.address == advertisement.address
        or (
            s.address is None  # the name beside an address is the owner's own
            and s.name == advertisement.name is not None
            and (s not in connected if serial is None else serial == s.serial)
        )
    ]
    return FoundStrap(
        advertisement.address,
        advertisement.name,
        advertisement.signal_dbm,
        advertisement.connected,
        _is_private(advertisement),
        matching[0] if matching else None,
        about.battery_pct if about else None,
        serial,
        " ".join(filter(None, (about.maker, about.model))) or None if about else None,
    )


def _last_battery(settings: "Settings", one: FoundStrap) -> int | None:
    """What the daemon was last told by a strap that is its own now."""
    from ingest.errors import HartslagError
    from ingest.journal import Journal
    from ingest.verbs.status_straps import strap_status

    if one.strap is None:
        return None
    try:
        with Journal(settings.journal_file, readonly=True) as journal:
            battery_pct: int | None = strap_status(journal, one.strap, runs=True)["battery_pct"]
            return battery_pct
    except (HartslagError, OSError):
        return None  # nothing was collected yet, or it is another user's


def _is_private(advertisement: "Advertisement") -> bool:
    """Whether this is a private address, by its two highest bits (Bluetooth Core 5.4, vol 6, part B, 1.3.2).

    Only where BlueZ says that it is a random one at all: makers' addresses have all bits.
    """
    details = advertisement.device.details
    about = details.get("props", {}) if isinstance(details, dict) else {}
    return about.get("AddressType") == "random" and int(advertisement.address[:2], 16) >> 6 != 0b11


async def _read_about(radio: "Radio", advertisement: "Advertisement") -> "SensorInfo | None":
    from ingest.collect.radio import ERRORS, within
    from ingest.collect.sensor_info import read_sensor_info
    from ingest.collect.strap import DISCONNECT_S

    client = radio.client(advertisement.device)
    try:
        await within(ASK_S, client.connect())
        return await within(ASK_S, read_sensor_info(client))
    except ERRORS as e:
        _log.debug("%s does not answer: %r", advertisement.address, e)
        return None
    finally:
        try:
            await within(DISCONNECT_S, client.disconnect())
        except ERRORS as e:
            _log.debug("%s: disconnecting: %r", advertisement.address, e)


def scan_lines(settings: "Settings", found: list[FoundStrap]) -> Iterator[str]:
    """The straps as blocks of the settings, with what else is known of them as remarks."""
    if not found:
        yield _(
            "No strap was heard. Put it on and moisten it, switch a watch to broadcast its heart rate, and come near."
        )
        yield _(
            "A strap that a phone or another watch is connected to is not heard; switch Bluetooth off there."
        )
        return
    for one in found:
        yield ""
        yield f"# {_remark_text(one)}"
        if one.strap is not None:
            yield "# " + _("{person}'s, in the settings already").format(person=one.strap.person)
        yield from _block_lines(settings, one)
    if any(one.strap is None for one in found):
        yield ""
        yield "# " + _("`hartslag setup` asks which one is yours, and writes this for you.")


def _remark_text(one: FoundStrap) -> str:
    parts = (
        one.name or _("without a name"),
        one.model if one.model != one.name else None,
        _("connected to this computer") if one.connected else None,
        None
        if one.signal_dbm is None
        else _("signal {dbm} dBm ({strength})").format(
            dbm=one.signal_dbm, strength=_signal_text(one.signal_dbm)
        ),
        None if one.battery_pct is None else _("battery {percent} %").format(percent=one.battery_pct),
        None if one.serial is None else _("serial number {serial}").format(serial=one.serial),
    )
    return _one_line(", ".join(filter(None, parts)))


def _signal_text(signal_dbm: int) -> str:
    return _("strong") if signal_dbm >= -65 else _("fair") if signal_dbm >= -80 else _("weak")


def _block_lines(settings: "Settings", one: FoundStrap) -> Iterator[str]:
    if one.strap is not None:
        mine = one.strap
        yield "# [[strap]]"
        if mine.address is not None:
            yield f'# address = "{mine.address}"'
        if mine.name is not None:
            yield f"# name = {_toml_text(mine.name)}"
        if mine.serial is not None:
            yield f"# serial = {_toml_text(mine.serial)}"
        yield f"# person = {_toml_text(mine.person)}"
        return
    yield "[[strap]]"
    if one.changes and one.name and one.serial:
        yield f"name = {_toml_text(one.name)}"
        yield f"serial = {_toml_text(one.serial)}"
    else:
        yield f'address = "{one.address}"'
        if one.changes:
            yield "# " + _(
                "this address will change, and without a serial number the sensor cannot be known again"
            )
    if len(settings.persons) > 1:
        others = _("or {names}").format(names=", ".join(p.name for p in settings.persons[1:]))
        yield f"person = {_toml_text(settings.default_person)}  # {others}"


def _toml_text(text: str) -> str:
    """A text as TOML has it; the rules for what must be written otherwise are those of JSON."""
    return json.dumps(text, ensure_ascii=False)


def _one_line(text: str) -> str:
    """Names come by radio from anybody: they stay on their line."""
    return "".join(ch if ch.isprintable() else "?" for ch in text)


@contextlib.asynccontextmanager
async def _progress(seconds: float) -> AsyncIterator[None]:
    """A bar on a terminal while it is listened; nothing in a pipe."""
    import asyncio

    if not sys.stderr.isatty():
        yield
        return

    async def fill() -> None:
        for _second in range(int(seconds)):
            await asyncio.sleep(1)
            bar.update(1)

    with click.progressbar(
        length=int(seconds), label=_("Listening"), width=0, file=sys.stderr, show_eta=False
    ) as bar:
        filling = asyncio.create_task(fill())
        try:
            yield
        finally:
            filling.cancel()


@verb(
    "scan",
    ("Put the strap on and moisten it, then", "hartslag scan"),
    ("Listen for a minute", "hartslag scan --seconds 60"),
)
@click.option(
    "--seconds", type=WholeNumber(1, 600), default=12, show_default=True, help="How long to listen."
)
@click.option(
    "--listen-only", is_flag=True, help="Connect to nothing: battery and serial number stay unknown."
)
@click.option("--json", "as_json", is_flag=True, help="A JSON array.")
@click.pass_obj
def command(invocation: Invocation, seconds: int, listen_only: bool, as_json: bool) -> None:
    """Find straps in reach, and print them as lines for the settings.

    Connects to each for a moment to read its battery and serial number, unless this computer has a link to it already.
    """
    import asyncio

    from ingest.collect.radio import Radio

    settings = invocation.load_settings()

    async def listen() -> list[FoundStrap]:
        async with _progress(seconds):
            return await scan(settings, Radio(settings.bluetooth.adapter), seconds, ask=not listen_only)

    found = asyncio.run(listen())
    if as_json:
        print_json([one.json() for one in found])
    else:
        print_lines(scan_lines(settings, found))
