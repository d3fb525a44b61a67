"""A life of bluetoothd: what it holds is gone with it."""

import asyncio
import os
import socket
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from dbus_fast import BusType, Message, MessageType
from dbus_fast.aio import MessageBus

from tests.support.bluez.strap import HEART_RATE, MEASUREMENT, Strap, uuid
from tests.support.bluez.tree import ADAPTER, CHARACTERISTIC, DEVICE, SERVICE, Tree, variants

if TYPE_CHECKING:
    from tests.support.bluez.bluez import Adapter, Bluez

TEMPORARY_S = 30.0
"""After which BlueZ forgets a device that it saw in a scan and that nobody connected to (main.conf TemporaryTimeout)."""

CONNECT_S = 20.0
"""How long BlueZ calls a device that does not answer."""

_UNKNOWN = "org.freedesktop.DBus.Error.UnknownObject"
_BUS = "org.freedesktop.DBus"


class RefusedError(Exception):
    """A D-Bus error as an answer."""


@dataclass
class Life:
    """One run of the daemon: its name on the bus, its objects, its clients."""

    bluez: "Bluez"
    bus: MessageBus = field(init=False)
    tree: Tree = field(init=False)
    straps: dict[str, Strap] = field(default_factory=dict)
    searching: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Adapter -> bus names of the clients that search."""
    notified: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Characteristic -> bus names of the clients of StartNotify. It outlives the link, as BlueZ's does."""
    sockets: dict[str, socket.socket] = field(default_factory=dict)
    """Characteristic -> our end of what AcquireNotify gave away."""
    over: bool = False
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    # --- birth and death ---

    async def begin(self) -> None:
        """Own org.bluez, and show the adapters there are."""
        self.bus = await MessageBus(
            bus_address=self.bluez.bus_address, bus_type=BusType.SYSTEM, negotiate_unix_fd=True
        ).connect()
        # dbus-fast 5.2 takes a full socket for the end of its connection (BlockingIOError): let it never be full.
        assert self.bus._sock is not None
        self.bus._sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        self.tree = Tree(self.bus)
        self.bus.add_message_handler(self._message)
        await self.bus.call(
            Message(
                destination=_BUS,
                path="/org/freedesktop/DBus",
                interface=_BUS,
                member="AddMatch",
                signature="s",
                body=[f"type='signal',sender='{_BUS}',member='NameOwnerChanged'"],
            )
        )
        for adapter in self.bluez.adapters:
            self.plugged(adapter)
        await self.bus.request_name("org.bluez")

    def die(self) -> None:
        """Gone without goodbye: no signal, and the sockets close."""
        self.over = True
        for task in self._tasks:
            task.cancel()
        for s in self.sockets.values():
            s.close()
        self.bus.disconnect()

    async def end(self) -> None:
        """Stopped by systemd: links end, objects go, and everybody is told."""
        for strap in [s for s in self.straps.values() if s.link]:
            self.lose(strap)
        for adapter in self.bluez.adapters:
            self.tree.remove(adapter.path)
        await self.bus.call(
            Message(destination=_BUS, path="/org/freedesktop/DBus", interface=_BUS, member="GetId")
        )  # by its answer the signals are through
        self.die()

    def _later(self, what: Callable[..., Any], *args: Any) -> None:
        task = asyncio.create_task(what(*args))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- adapters ---

    def plugged(self, adapter: "Adapter") -> None:
        self.tree.add(
            adapter.path,
            ADAPTER,
            Address=adapter.address,
            AddressType="public",
            Name="pi",
            Alias="pi",
            Powered=adapter.powered,
            PowerState=adapter.power_state,
            Discovering=False,
            Roles=["central", "peripheral"],
            UUIDs=[],
        )

    def powered(self, adapter: "Adapter") -> None:
        """Tell that an adapter is on or off now; off, its links and searches have ended."""
        if not adapter.powered:
            for strap in [s for s in self.straps.values() if s.link and s.link.startswith(adapter.path)]:
                self.lose(strap)
            self.searching.pop(adapter.path, None)
        self.tree.change(
            adapter.path,
            ADAPTER,
            Powered=adapter.powered,
            PowerState=adapter.power_state,
            Discovering=bool(self.searching.get(adapter.path)),
        )

    def unplugged(self, adapter: "Adapter") -> None:
        for strap in [s for s in self.straps.values() if s.link and s.link.startswith(adapter.path)]:
            self.lose(strap)
        self.searching.pop(adapter.path, None)
        self.tree.remove(adapter.path)

    # --- devices ---

    async def _search(self, adapter: "Adapter") -> None:
        """Hear whoever advertises, as long as somebody searches."""
        await asyncio.sleep(0.01)
        while self.searching.get(adapter.path):
            for strap in self.bluez.straps:
                if strap.can_be_heard:
                    self._hear(adapter, strap)
            await asyncio.sleep(0.5)

    def _hear(self, adapter: "Adapter", strap: Strap) -> None:
        """An advertisement: an object appears when first heard, and says a new signal strength after that."""
        path = _device(adapter, strap)
        self.straps[path] = strap
        if path in self.tree.objects:
            self.tree.change(path, DEVICE, RSSI=strap.rssi)
            return
        dashed = strap.address.replace(":", "-")
        self.tree.add(
            path,
            DEVICE,
            Address=strap.address,
            AddressType="random",
            **({"Name": strap.name} if strap.name else {}),
            Alias=strap.name or dashed,
            Adapter=adapter.path,
            Connected=False,
            Paired=False,
            Bonded=False,
            Trusted=False,
            ServicesResolved=False,
            UUIDs=[uuid(HEART_RATE)] if strap.says_heart_rate else [],
            RSSI=strap.rssi,
        )

    async def _forget(self, path: str) -> None:
        """Drop a device that nobody connected to."""
        await asyncio.sleep(TEMPORARY_S)
        strap = self.straps.get(path)
        if strap and strap.link != path and not self.searching.get(path.rsplit("/", 1)[0]):
            self.tree.remove(path)
            del self.straps[path]

    async def _connect(self, call: Message, path: str) -> None:
        """Call a device until it answers; then its services appear, one by one."""
        strap, loop = self.straps[path], asyncio.get_running_loop()
        end = loop.time() + CONNECT_S
        while not strap.can_be_heard and strap.link != path:
            if loop.time() > end or path not in self.tree.objects:
                aborted = "le-connection-abort-by-local"
                self.bus.send(Message.new_error(call, "org.bluez.Error.Failed", aborted))
                return
            await asyncio.sleep(0.1)
        await self._link(strap, path, lambda: self.bus.send(Message.new_method_return(call)))

    async def hold(self, adapter: "Adapter", strap: Strap) -> None:
        """A link that a client made which was killed since."""
        self._hear(adapter, strap)
        await self._link(strap, _device(adapter, strap), lambda: None)

    async def _link(self, strap: Strap, path: str, made: Callable[[], object]) -> None:
        strap.link = path
        self.tree.change(path, DEVICE, Connected=True)
        made()
        await asyncio.sleep(self.bluez.resolving_s)
        if strap.link != path:
            return
        handle = 0x10
        for service, characteristics in strap.services.items():
            service_path = f"{path}/service{handle:04x}"
            self.tree.add(service_path, SERVICE, UUID=uuid(service), Device=path, Primary=True)
            for characteristic, (flags, _) in characteristics.items():
                handle += 2
                notifies = {"Notifying": False, "NotifyAcquired": False} if "notify" in flags else {}
                self.tree.add(
                    f"{service_path}/char{handle:04x}",
                    CHARACTERISTIC,
                    UUID=uuid(characteristic),
                    Service=service_path,
                    Flags=flags,
                    Value=b"",
                    MTU=247,
                    **notifies,
                )
            handle += 0x10
        self.tree.change(path, DEVICE, ServicesResolved=True, UUIDs=[uuid(s) for s in strap.services])

    def lose(self, strap: Strap) -> None:
        """The link is gone, and everybody is told; who asked for notifications is still on the list."""
        path, strap.link = strap.link, None
        if path is None or path not in self.tree.objects:
            return
        for c in [c for c in self.sockets if c.startswith(path)]:
            self.sockets.pop(c).close()
        self.tree.change(path, DEVICE, Connected=False, ServicesResolved=False)
        for service in self.tree.below(path, SERVICE):
            self.tree.remove(service)
        self._later(self._forget, path)

    def notify(self, strap: Strap, payload: bytes, characteristic: str = MEASUREMENT) -> bool:
        """Hand a notification on, once per client that asked, as BlueZ does; says whether there was one."""
        if strap.link is None:
            return False
        told = False
        for path in self.tree.below(strap.link, CHARACTERISTIC):
            if self.tree.objects[path][CHARACTERISTIC]["UUID"] == uuid(characteristic):
                for _ in self.notified.get(path, ()):
                    self.tree.change(path, CHARACTERISTIC, Value=payload)
                    told = True
                if path in self.sockets:
                    self.sockets[path].send(payload)
                    told = True
        return told

    # --- calls ---

    def _message(self, m: Message) -> Message | bool | None:
        if self.over:
            return True
        if m.message_type == MessageType.SIGNAL and m.member == "NameOwnerChanged":
            if not m.body[2]:
                self._client_left(m.body[0])
            return None
        if m.message_type != MessageType.METHOD_CALL or m.interface in {None, "org.freedesktop.DBus.Peer"}:
            return None
        self.bluez.calls.append((m.member or "", m.path or ""))
        fault = self.bluez.fault(m.member or "")
        if fault is None:
            return self._answer(m)
        # BlueZ forgets who searched even where its kernel refuses to stop.
        answer = self._answer(m) if m.member == "StopDiscovery" else None
        if fault.crash:
            self.bluez.crash()
        elif fault.error:
            return Message.new_error(m, fault.error, fault.text)
        elif fault.delay_s:
            asyncio.get_running_loop().call_later(fault.delay_s, self._answer_late, m, answer)
        return True

    def _answer_late(self, m: Message, answer: Message | Literal[True] | None) -> None:
        if not self.over:
            answer = self._answer(m) if answer is None else answer
            if isinstance(answer, Message):
                self.bus.send(answer)

    def _answer(self, m: Message) -> Message | Literal[True]:
        if m.path != "/" and m.path not in self.tree.objects:
            return Message.new_error(
                m, _UNKNOWN, f"Method {m.member} on an object {m.path} that is not there"
            )
        do = (
            getattr(self, f"_{m.interface.rsplit('.', 1)[-1]}_{m.member}".lower(), None)
            if m.interface
            else None
        )
        if do is None:
            return Message.new_error(m, "org.freedesktop.DBus.Error.UnknownMethod", f"No method {m.member}")
        try:
            answer: Message | Literal[True] | None = do(m)
        except RefusedError as e:
            return Message.new_error(m, *e.args)
        return Message.new_method_return(m) if answer is None else answer

    def _client_left(self, name: str) -> None:
        """A client has left the bus: its searches and subscriptions end, the links it made stay."""
        for path, names in list(self.searching.items()):
            names.discard(name)
            if not names:
                self._stopped(path)
        for path, clients in self.notified.items():
            self.notified[path] = [c for c in clients if c != name]

    def _stopped(self, path: str) -> None:
        self.searching.pop(path, None)
        if path in self.tree.objects:
            self.tree.change(path, ADAPTER, Discovering=False)
        for device in self.tree.below(path, DEVICE):
            self._later(self._forget, device)

    def _ready(self, m: Message) -> "Adapter":
        adapter = self.bluez.adapter_at(m.path or "")
        if not adapter.powered:
            raise RefusedError("org.bluez.Error.NotReady", "Resource Not Ready")
        return adapter

    def _objectmanager_getmanagedobjects(self, m: Message) -> Message:
        return Message.new_method_return(m, "a{oa{sa{sv}}}", [self.tree.everything()])

    def _properties_get(self, m: Message) -> Message:
        interface, name = m.body
        value = variants({name: self.tree.objects[m.path or ""][interface][name]})[name]
        return Message.new_method_return(m, "v", [value])

    def _properties_getall(self, m: Message) -> Message:
        return Message.new_method_return(m, "a{sv}", [variants(self.tree.objects[m.path or ""][m.body[0]])])

    def _properties_set(self, m: Message) -> None:
        interface, name, value = m.body
        if (interface, name) == (ADAPTER, "Powered"):
            adapter = self.bluez.adapter_at(m.path or "")
            if adapter.blocked:
                raise RefusedError("org.bluez.Error.Failed", "Blocked through rfkill")
            self.bluez.power(adapter, on=value.value)
        else:
            self.tree.change(m.path or "", interface, **{name: value.value})

    def _adapter1_setdiscoveryfilter(self, m: Message) -> None:
        self._ready(m)

    def _adapter1_startdiscovery(self, m: Message) -> None:
        adapter, name = self._ready(m), m.sender or ""
        names = self.searching[adapter.path]
        if name in names:
            raise RefusedError("org.bluez.Error.InProgress", "Operation already in progress")
        names.add(name)
        if len(names) == 1:
            self.tree.change(adapter.path, ADAPTER, Discovering=True)
            self._later(self._search, adapter)

    def _adapter1_stopdiscovery(self, m: Message) -> None:
        adapter, name = self._ready(m), m.sender or ""
        if name not in self.searching[adapter.path]:
            raise RefusedError("org.bluez.Error.Failed", "No discovery started")
        self.searching[adapter.path].discard(name)
        if not self.searching[adapter.path]:
            self._stopped(adapter.path)

    def _adapter1_removedevice(self, m: Message) -> None:
        (path,) = m.body
        if path not in self.straps:
            raise RefusedError("org.bluez.Error.DoesNotExist", "Does Not Exist")
        if self.straps[path].link == path:
            self.lose(self.straps[path])
        self.tree.remove(path)
        del self.straps[path]

    def _device1_connect(self, m: Message) -> bool:
        self.bluez.connects += 1
        self._later(self._connect, m, m.path)
        return True

    def _device1_disconnect(self, m: Message) -> bool:
        async def disconnect() -> None:
            await asyncio.sleep(self.bluez.disconnecting_s)
            strap = self.straps.get(m.path or "")
            if strap and strap.link == m.path:
                self.lose(strap)
            self.bus.send(Message.new_method_return(m))

        self._later(disconnect)
        return True

    def _device1_pair(self, m: Message) -> bool:
        self.tree.change(m.path or "", DEVICE, Paired=True, Bonded=True)
        return self._device1_connect(m)

    def _value(self, path: str) -> bytes:
        characteristic = self.tree.objects[path][CHARACTERISTIC]
        service = self.tree.objects[characteristic["Service"]][SERVICE]
        strap = self.straps[service["Device"]]
        return strap.services[service["UUID"][4:8]][characteristic["UUID"][4:8]][1]

    def _gattcharacteristic1_readvalue(self, m: Message) -> Message:
        path = m.path or ""
        if "read" not in self.tree.objects[path][CHARACTERISTIC]["Flags"]:
            raise RefusedError("org.bluez.Error.NotPermitted", "Read not permitted")
        value = self._value(path)
        self.tree.change(path, CHARACTERISTIC, Value=value)
        return Message.new_method_return(m, "ay", [value])

    def _gattcharacteristic1_startnotify(self, m: Message) -> None:
        path, name = m.path or "", m.sender or ""
        if path in self.sockets:
            raise RefusedError("org.bluez.Error.NotPermitted", "Notify acquired")
        if name in self.notified[path]:
            raise RefusedError("org.bluez.Error.InProgress", "Operation already in progress")
        self.notified[path].append(name)

    def _gattcharacteristic1_stopnotify(self, m: Message) -> None:
        path, name = m.path or "", m.sender or ""
        if name not in self.notified[path]:
            raise RefusedError("org.bluez.Error.Failed", "No notify session started")
        self.notified[path].remove(name)

    def _gattcharacteristic1_acquirenotify(self, m: Message) -> bool:
        path = m.path or ""
        if path in self.sockets or self.notified[path]:
            raise RefusedError("org.bluez.Error.InProgress", "Operation already in progress")
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sockets[path] = ours
        given = os.dup(theirs.fileno())
        theirs.close()
        self.bus.send(Message.new_method_return(m, "hq", [0, 247], unix_fds=[given]))
        return True


def _device(adapter: "Adapter", strap: Strap) -> str:
    return f"{adapter.path}/dev_{strap.address.replace(':', '_')}"
