"""The air between bumble's controllers, with range, delay, and a record of what crossed it."""

import asyncio
from collections.abc import Callable
from typing import Any

from bumble import hci, ll
from bumble.controller import Connection, Controller
from bumble.core import PhysicalTransport
from bumble.link import LocalLink

SUPERVISION_S = 4.0
"""How long both sides believe in a link that carries nothing; straps ask for 2 to 6 s."""

_NOTIFICATION = bytes((4, 0, 0x1B))  # L2CAP channel of ATT, opcode Handle Value Notification


class AirController(Controller):
    """A controller with an antenna: in reach of the others or not, and without two faults of bumble 0.0.236."""

    def __init__(
        self, name: str, link: "AirLink", crossed: Callable[[int, bytes], None] | None = None
    ) -> None:
        self.away = False
        self.crossed = crossed or (lambda _handle, _payload: None)
        super().__init__(name, link=link)

    def on_hci_le_create_connection_cancel_command(
        self,
        command: hci.HCI_LE_Create_Connection_Cancel_Command,  # noqa: ARG002 - the name is bumble's
    ) -> Any:
        """End a cancelled attempt, as a controller does; bumble's leaves it pending for ever."""
        pending, self.pending_le_connection = self.pending_le_connection, None
        if pending is None:
            return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        ended = hci.HCI_LE_Connection_Complete_Event(
            status=hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
            connection_handle=0,
            role=hci.Role.CENTRAL,
            peer_address_type=pending.peer_address.address_type,
            peer_address=pending.peer_address,
            connection_interval=0,
            peripheral_latency=0,
            supervision_timeout=0,
            central_clock_accuracy=0,
        )
        asyncio.get_running_loop().call_soon(self.send_hci_packet, ended)
        return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)


class AirLink(LocalLink):
    """Carries packets between controllers that are in reach of each other.

    A short absence delays what is sent, since a link layer repeats it until it is heard; a longer one ends the link.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.delay_s: Callable[[], float] | None = None
        """How long each notification takes through the air; none arrives before its predecessor."""
        self._waiting: dict[int, list[Callable[[], None]]] = {}
        self._due_s: dict[int, float] = {}
        self._leaving: dict[AirController, asyncio.TimerHandle] = {}

    # --- what the test does ---

    def leave(self, controller: AirController) -> None:
        """Out of reach of everybody."""
        if controller.away:
            return
        controller.away = True
        self._leaving[controller] = asyncio.get_running_loop().call_later(
            SUPERVISION_S, self._lose, controller
        )

    def enter(self, controller: AirController) -> None:
        """Back in reach; what waited arrives now."""
        if not controller.away:
            return
        controller.away = False
        self._leaving.pop(controller).cancel()
        for connection in list(controller.le_connections.values()):
            for carry in self._waiting.pop(id(connection), ()):
                carry()
            other = self._other(connection)
            if other is not None and not _away(other[0]):
                for carry in self._waiting.pop(id(other[1]), ()):
                    carry()

    def vanish(self, controller: AirController) -> None:
        """Off for ever; the others learn of it as of any silence."""
        controller.away = True
        for connection in list(controller.le_connections.values()):
            if other := self._other(connection):
                asyncio.get_running_loop().call_later(SUPERVISION_S, self._give_up, *other)
        if leaving := self._leaving.pop(controller, None):
            leaving.cancel()

    def _give_up(self, controller: Controller, connection: Connection) -> None:
        self._waiting.pop(id(connection), None)
        self._due_s.pop(id(connection), None)
        if controller.le_connections.get(connection.peer_address) is connection:
            controller.on_le_disconnected(connection, hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)

    def _lose(self, controller: AirController) -> None:
        """Both sides give the link up."""
        for connection in list(controller.le_connections.values()):
            other = self._other(connection)
            for side in [(controller, connection), *([other] if other else [])]:
                self._give_up(*side)

    # --- what bumble's controllers ask of it ---

    def send_acl_data(
        self,
        sender_controller: Controller,
        destination_address: hci.Address,
        transport: PhysicalTransport,
        data: bytes,
    ) -> None:
        """Carry data along a connection, under the address used on it (bumble's link takes the random one)."""
        connection = sender_controller.le_connections.get(destination_address)
        if connection is None or (other := self._other(connection)) is None:
            return
        receiver = other[0]

        def arrive() -> None:
            if connection.self_address in receiver.le_connections:
                if data[2:5] == _NOTIFICATION and isinstance(sender_controller, AirController):
                    sender_controller.crossed(int.from_bytes(data[5:7], "little"), data[7:])
                receiver.on_link_acl_data(connection.self_address, transport, data)

        self._carry(connection, receiver, arrive, slow=data[2:5] == _NOTIFICATION)

    def send_ll_control_pdu(
        self, sender_address: hci.Address, receiver_address: hci.Address, packet: ll.ControlPdu
    ) -> None:
        """Carry the link layer's own packets; a goodbye out of reach is never heard."""
        receiver, sender = self.find_le_controller(receiver_address), self.find_le_controller(sender_address)
        if receiver is None or sender is None:
            return
        connection = sender.le_connections.get(receiver_address)
        if connection is None:
            return

        def arrive() -> None:
            if sender_address in receiver.le_connections:
                receiver.on_ll_control_pdu(sender_address, packet)

        self._carry(connection, receiver, arrive)

    def send_advertising_pdu(self, sender_controller: Controller, packet: ll.AdvertisingPdu) -> None:
        """Tell everybody in reach who listens."""
        if _away(sender_controller):
            return
        loop = asyncio.get_running_loop()
        for c in self.controllers:
            listens = c.le_scan_enable or c.pending_le_connection or isinstance(packet, ll.ConnectInd)
            if c is not sender_controller and listens and not _away(c):
                loop.call_soon(c.on_ll_advertising_pdu, packet)

    # --- how ---

    def _other(self, connection: Connection) -> tuple[Controller, Connection] | None:
        """The other side of a connection."""
        for c in self.controllers:
            there = c.le_connections.get(connection.self_address)
            if there is not None and there.self_address == connection.peer_address:
                return c, there
        return None

    def _carry(
        self, connection: Connection, receiver: Controller, arrive: Callable[[], None], *, slow: bool = False
    ) -> None:
        loop = asyncio.get_running_loop()
        if _away(connection.controller) or _away(receiver):
            waiting = self._waiting.setdefault(id(connection), [])
            waiting.append(lambda: self._carry(connection, receiver, arrive, slow=slow))
        elif self.delay_s is not None and slow:
            due = max(loop.time() + self.delay_s(), self._due_s.get(id(connection), 0.0))
            self._due_s[id(connection)] = due
            loop.call_at(due, arrive)
        else:
            loop.call_soon(arrive)


def _away(controller: Controller) -> bool:
    return isinstance(controller, AirController) and controller.away
