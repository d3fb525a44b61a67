"""To know when a bus is quiet: whatever was sent before has arrived."""

import contextlib
import os
import socket
import time

from dbus_fast import Message

_BUS = "org.freedesktop.DBus"

_ROUNDS = 3
"""The daemon takes what was sent in one of its turns, and hands it on in the next at the latest."""

_ANSWER_S = 30.0
"""A bus that is down says so at once; one that is there may have to wait for a busy machine."""


class Quiet:
    """Call it: it returns when all that clients had sent is in the sockets of those it is for.

    Asks the daemon, which does one thing after the other, a few questions of no interest.
    """

    def __init__(self, address: str) -> None:
        self._path = address.removeprefix("unix:path=")
        self._socket: socket.socket | None = None
        self._serial = 0

    def __call__(self) -> None:
        try:
            if self._socket is None:
                self._connect()
            for _ in range(_ROUNDS):
                self._ask("GetId")
        except OSError:  # the bus is down or has just gone: others are about to notice
            self.close()
            time.sleep(0.005)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connect(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(_ANSWER_S)
        self._socket.connect(self._path)
        uid = str(os.getuid()).encode().hex()
        self._socket.sendall(f"\0AUTH EXTERNAL {uid}\r\n".encode())
        self._socket.recv(1024)
        self._socket.sendall(b"BEGIN\r\n")
        self._ask("Hello")

    def _ask(self, member: str) -> None:
        assert self._socket is not None
        self._serial += 1
        question = Message(
            destination=_BUS,
            path="/org/freedesktop/DBus",
            interface=_BUS,
            member=member,
            serial=self._serial,
        )
        self._socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while self._socket.recv(65536):
                pass
        self._socket.settimeout(_ANSWER_S)
        self._socket.sendall(question._marshall(negotiate_unix_fd=False))
        if not self._socket.recv(65536):
            raise ConnectionResetError
