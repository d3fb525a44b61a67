"""The Bluetooth adapters of this computer, and what is wrong with them in words.

Asked over D-Bus directly: bleak knows adapters only by names like hci0, which change places from boot to boot.
Source: `org.bluez.Adapter1 <https://github.com/bluez/bluez/blob/master/doc/org.bluez.Adapter.rst>`_ and
`rfkill <https://docs.kernel.org/driver-api/rfkill.html>`_.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from dbus_fast import BusType, DBusFastError, Message, MessageType
from dbus_fast.aio import MessageBus

from ingest.collect.strap_state import ADVICE
from ingest.errors import TryLater
from ingest.language import N_, Text, system_words

RFKILL = Path("/sys/class/rfkill")

KERNEL_ADAPTERS = Path("/sys/class/bluetooth")
"""The adapters that the kernel has, a folder each; it is not there where there never was one."""

ANSWER_S = 5.0
"""A Bluetooth service that does not answer within this time is stuck; it usually takes milliseconds."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """One radio of this computer; `name` (hci0) may be another one's after the next boot."""

    name: str
    address: str
    powered: bool = True
    low_energy: bool = True


ListAdapters = Callable[[], Awaitable[list[Adapter]]]
"""Lists the adapters there are now; raises NoBluetooth when nobody can be asked."""


class NoBluetooth(TryLater):
    """There is no Bluetooth now: which of the states of a strap that is, why, and what to do."""

    def __init__(self, state: str, why: str) -> None:
        super().__init__(Text(N_("{why}. {advice}"), why=why, advice=Text(ADVICE[state])))
        self.state, self.why, self.advice = state, why, ADVICE[state]


class _NoService(Exception):  # noqa: N818 - it may be that there is nothing to serve
    """Nobody answers to the name of BlueZ, and there is no adapter for which it would be started."""


async def list_adapters(kernel: Path = KERNEL_ADAPTERS) -> list[Adapter]:
    """The adapters that BlueZ knows, in order of their names.

    Raises NoBluetooth when the system's Bluetooth service cannot be asked.
    """
    try:
        async with asyncio.timeout(ANSWER_S):
            reply = await _ask_for_objects(kernel)
    except _NoService:
        return []
    except TimeoutError as e:
        raise NoBluetooth("wedged", Text(N_("The Bluetooth service of this computer does not answer"))) from e
    except PermissionError as e:
        raise NoBluetooth(
            "no permission", Text(N_("This user may not talk to D-Bus, and so not to Bluetooth"))
        ) from e
    except (OSError, EOFError, DBusFastError) as e:
        if not _has_adapters(kernel):
            return []
        # No socket; or the bus hangs up on a user that it cannot name.
        why = system_words(e) if isinstance(e, OSError) and e.strerror else str(e) or type(e).__name__
        raise NoBluetooth(
            "no Bluetooth service", Text(N_("The system's D-Bus cannot be reached ({why})"), why=why)
        ) from e
    return _adapters_in(reply)


def _adapters_in(reply: Message) -> list[Adapter]:
    if reply.message_type is MessageType.ERROR:
        error = reply.error_name or ""
        if error.endswith(".AccessDenied"):
            raise NoBluetooth(
                "no permission", Text(N_("This user may not use the Bluetooth of this computer"))
            )
        if error.endswith((".NoReply", ".Timeout", ".TimedOut")):
            raise NoBluetooth("wedged", Text(N_("The Bluetooth service of this computer does not answer")))
        raise NoBluetooth(
            "no Bluetooth service", Text(N_("The Bluetooth service of this computer does not run"))
        )
    found = []
    for path, interfaces in reply.body[0].items():
        properties = interfaces.get("org.bluez.Adapter1")
        if properties is not None:
            roles = properties["Roles"].value if "Roles" in properties else ["central"]
            name = path.rpartition("/")[2]
            found.append(
                Adapter(
                    name, properties["Address"].value, bool(properties["Powered"].value), "central" in roles
                )
            )
    return sorted(found, key=lambda a: a.name)


async def _ask_for_objects(kernel: Path) -> Message:
    """BlueZ's answer to the question which objects it has; asking starts the service where systemd may.

    Without an adapter systemd does not start it (ConditionPathIsDirectory= in bluetooth.service), D-Bus waits for it in vain
    and writes a line into the system's log: then it is not asked at all.
    """
    bus = MessageBus(bus_type=BusType.SYSTEM)
    try:
        await bus.connect()
        runs = await bus.call(
            Message(
                destination="org.freedesktop.DBus",
                path="/org/freedesktop/DBus",
                interface="org.freedesktop.DBus",
                member="NameHasOwner",
                signature="s",
                body=["org.bluez"],
            )
        )
        if runs is not None and runs.body == [False] and not _has_adapters(kernel):
            raise _NoService
        reply = await bus.call(
            Message(
                destination="org.bluez",
                path="/",
                interface="org.freedesktop.DBus.ObjectManager",
                member="GetManagedObjects",
            )
        )
        if reply is None:
            raise EOFError("no answer")
        return reply
    finally:
        bus.disconnect()


def _has_adapters(kernel: Path) -> bool:
    try:
        return any(kernel.iterdir())
    except OSError:
        return False


def choose_adapter(found: list[Adapter], wanted: str | None, rfkill: Path = RFKILL) -> Adapter:
    """The adapter with the wanted address, or the first that can listen.

    Raises NoBluetooth when there is none: missing, switched off, blocked, or without low energy.
    """
    if not found and _blocked(rfkill, None):
        raise NoBluetooth("adapter blocked", Text(N_("Bluetooth is blocked on this computer")))
    if wanted is not None and wanted not in {a.address for a in found}:
        if found:
            words = N_("The Bluetooth adapter {wanted} of the settings is missing; there is {found}")
        else:
            words = N_("The Bluetooth adapter {wanted} of the settings is missing; there is none")
        why = Text(words, wanted=wanted, found=", ".join(a.address for a in found))
        raise NoBluetooth("adapter missing", why)
    if not found:
        raise NoBluetooth("adapter missing", Text(N_("This computer has no Bluetooth adapter")))
    named = [a for a in found if wanted in {None, a.address}]
    able = [a for a in named if a.low_energy]
    if not able:
        raise NoBluetooth(
            "unsupported",
            Text(N_("The Bluetooth adapter {address} has no low energy"), address=named[0].address),
        )
    powered = [a for a in able if a.powered]
    if powered:
        return powered[0]
    first = able[0]
    match _blocked(rfkill, first.name):
        case "soft":
            raise NoBluetooth(
                "adapter blocked",
                Text(N_("The Bluetooth adapter {address} is blocked"), address=first.address),
            )
        case "hard":
            raise NoBluetooth(
                "adapter off",
                Text(
                    N_("The Bluetooth adapter {address} is off by a switch of the computer"),
                    address=first.address,
                ),
            )
        case _:
            raise NoBluetooth(
                "adapter off",
                Text(N_("The Bluetooth adapter {address} is switched off"), address=first.address),
            )


def _blocked(rfkill: Path, name: str | None) -> str | None:
    """How the kernel blocks an adapter (or any Bluetooth): "soft" by a command that can be taken back, "hard" by a switch."""
    found = set()
    for folder in sorted(rfkill.glob("rfkill*")):
        try:
            switch = {key: (folder / key).read_text().strip() for key in ("type", "name", "soft", "hard")}
        except OSError:
            continue  # unplugged while we read
        # Beside the adapter's own switch (hci0) a laptop may have one for all of Bluetooth, under another name.
        if switch["type"] == "bluetooth" and (
            name is None or switch["name"] == name or not switch["name"].startswith("hci")
        ):
            found |= {how for how in ("soft", "hard") if switch[how] == "1"}
    return "hard" if "hard" in found else "soft" if found else None


async def find_adapter(
    wanted: str | None, list_all: ListAdapters = list_adapters, rfkill: Path = RFKILL
) -> Adapter:
    """The adapter to listen with now; raises NoBluetooth in words."""
    return choose_adapter(await list_all(), wanted, rfkill)
