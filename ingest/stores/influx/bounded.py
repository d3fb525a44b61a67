"""Answers of a server within bounds: whatever answers, they are read whole into so much memory and so much time, or not.

Timeouts of sockets count from one byte to the next: who sends one now and then is waited for without end. And an answer
is as long as the other side likes it. Here both are counted over the whole of a request.
"""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

LARGEST_BYTES = 8 << 20
"""Of an answer that is read at once; what would be larger is asked for in parts."""

LONGEST_S = 120.0
"""For a request and its answer: eight megabytes by a slow line. Less than a part of the daemon may be silent."""

STEP_S = 0.5
"""Between two looks at whether a request has taken too long, or the program shall end."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as influxdb-client takes it from urllib3; of a body that is too long only the beginning is there."""

    status: int
    reason: str
    headers: Mapping[str, str]
    data: bytes

    @property
    def too_long(self) -> bool:
        """Whether there was more of it than is read."""
        return len(self.data) > LARGEST_BYTES

    def getheaders(self) -> Mapping[str, str]:  # noqa: D102 - the name is influxdb-client's
        return self.headers

    def getheader(self, name: str, default: str | None = None) -> str | None:  # noqa: D102 - as above
        return next((v for k, v in self.headers.items() if k.lower() == name.lower()), default)


class BoundedPool:
    """In place of urllib3's PoolManager within influxdb-client. For one request at a time."""

    def __init__(self, manager: Any, going_on: Callable[[], bool], longest_s: float = LONGEST_S) -> None:
        self._manager, self._going_on, self._longest_s = manager, going_on, longest_s
        self._lock = threading.Lock()
        self._began_s: float | None = None
        self._is_watching = False
        self._socket: socket.socket | None = None
        self._left: list[socket.socket] = []
        self._is_kept = False
        """Whether the connection in use was left open by an earlier answer."""
        self.was_cut = False
        """Whether the last request took too long, and was ended."""
        manager.pool_classes_by_scheme = {
            scheme: type(pool.__name__, (pool,), {"ConnectionCls": self._reporting(pool.ConnectionCls)})
            for scheme, pool in manager.pool_classes_by_scheme.items()
        }

    def clear(self) -> None:
        """Close all connections."""
        self._manager.clear()

    def request(self, method: str, url: str, **more: Any) -> Answer:
        """Ask, and read the answer. Raises what urllib3 raises, or OSError; one that takes too long is a connection that breaks."""
        # Where a server sends us on to is no place for a token, and need not be an address.
        more |= {"preload_content": False, "redirect": False}
        with self._watched():
            raw = self._ask(method, url, more)
            try:
                body = raw.read(LARGEST_BYTES + 1)
            finally:
                if self.was_cut or not raw.isclosed():
                    raw.close()  # rather than to read on to its end
                raw.release_conn()
            if self.was_cut:  # an answer without a length ends with its connection, and would pass for whole
                raise TimeoutError("it was cut")
            return Answer(raw.status, raw.reason or "", dict(raw.headers.items()), body)

    def _ask(self, method: str, url: str, more: dict[str, Any]) -> Any:
        """Ask once; twice where the connection was one that rested, as its end may cross the question on the way."""
        from urllib3.exceptions import ProtocolError

        try:
            return self._manager.request(method, url, **more)
        except ProtocolError:
            if not self._is_kept or self.was_cut:
                raise
            return self._manager.request(method, url, **more)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """End the connection when that takes too long, from another thread: this one waits for the next byte."""
        with self._lock:
            self.was_cut, self._began_s = False, time.monotonic()
            if not self._is_watching:
                self._is_watching = True
                threading.Thread(target=self._watch, daemon=True).start()
        try:
            yield
        finally:
            with self._lock:
                self._began_s, self._socket = None, None
            for handle in self._left:
                handle.close()
            self._left.clear()

    def _watch(self) -> None:
        """One for many requests, as long as they follow each other: beginning and ending it takes longer than a small one."""
        while True:
            time.sleep(min(STEP_S, self._longest_s))
            with self._lock:
                if self._began_s is None:
                    self._is_watching = False
                    return
                if time.monotonic() - self._began_s >= self._longest_s or not self._going_on():
                    self.was_cut = True
                    self._cut()  # and again until it is over: a connection may only just be made

    def _cut(self) -> None:
        used = self._socket
        if used is not None:
            with contextlib.suppress(OSError):
                used.shutdown(socket.SHUT_RDWR)

    def _reporting(self, connection_class: type[Any]) -> type[Any]:
        """A class of connections that tell which socket they use: a second handle of it, as TLS takes the first away."""
        pool = self

        class ReportingConnection(connection_class):  # type: ignore[misc]
            _handle: socket.socket | None = None
            _has_answered = False

            def _new_conn(self) -> socket.socket:
                made: socket.socket = super()._new_conn()
                self._handle = socket.socket(fileno=os.dup(made.fileno()))
                pool._socket, pool._is_kept, self._has_answered = self._handle, False, False
                return made

            def request(self, *args: Any, **more: Any) -> None:
                pool._socket, pool._is_kept = self._handle, self._has_answered
                super().request(*args, **more)

            def getresponse(self) -> Any:
                answer = super().getresponse()
                self._has_answered = True
                return answer

            def close(self) -> None:
                handle, self._handle = self._handle, None
                if handle is not None and handle is pool._socket:
                    pool._left.append(handle)  # the answer of a connection that is closed may still be read
                elif handle is not None:
                    handle.close()
                super().close()

        return ReportingConnection
