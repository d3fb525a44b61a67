"""The objects bluetoothd shows on the bus, and the signals that tell of their changes."""

from collections.abc import Mapping
from typing import Any

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

ADAPTER = "org.bluez.Adapter1"
DEVICE = "org.bluez.Device1"
SERVICE = "org.bluez.GattService1"
CHARACTERISTIC = "org.bluez.GattCharacteristic1"
MANAGER = "org.freedesktop.DBus.ObjectManager"
PROPERTIES = "org.freedesktop.DBus.Properties"

_TYPES = {bool: "b", str: "s", bytes: "ay"}
_NAMED = {"RSSI": "n", "MTU": "q", "Adapter": "o", "Device": "o", "Service": "o"}


def variants(values: Mapping[str, Any]) -> dict[str, Variant]:
    """Properties as they go over the bus; lists are lists of strings."""
    return {k: Variant(_NAMED.get(k) or _TYPES.get(type(v), "as"), v) for k, v in values.items()}


class Tree:
    """Paths, their interfaces, their properties; every change is told to whoever listens."""

    def __init__(self, bus: MessageBus) -> None:
        self._bus = bus
        self.objects: dict[str, dict[str, dict[str, Any]]] = {}

    def _signal(self, path: str, interface: str, member: str, signature: str, body: list[Any]) -> None:
        self._bus.send(
            Message(
                message_type=MessageType.SIGNAL,
                path=path,
                interface=interface,
                member=member,
                signature=signature,
                body=body,
            )
        )

    def add(self, path: str, interface: str, **properties: Any) -> None:
        self.objects[path] = {interface: properties}
        self._signal("/", MANAGER, "InterfacesAdded", "oa{sa{sv}}", [path, {interface: variants(properties)}])

    def remove(self, path: str) -> None:
        """Remove an object and all below it, the deepest first."""
        for p in sorted((p for p in self.objects if p == path or p.startswith(f"{path}/")), reverse=True):
            self._signal("/", MANAGER, "InterfacesRemoved", "oas", [p, list(self.objects.pop(p))])

    def change(self, path: str, interface: str, **properties: Any) -> None:
        self.objects[path][interface].update(properties)
        self._signal(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", [interface, variants(properties), []])

    def below(self, path: str, interface: str) -> list[str]:
        """Paths under a path that have an interface."""
        return [p for p, i in self.objects.items() if p.startswith(f"{path}/") and interface in i]

    def everything(self) -> dict[str, dict[str, dict[str, Variant]]]:
        return {p: {i: variants(v) for i, v in faces.items()} for p, faces in self.objects.items()}
