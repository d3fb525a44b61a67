"""What servers that live in the process of the test have in common: HTTP on a port of 127.0.0.1."""

import contextlib
import socket
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Asked(BaseHTTPRequestHandler):
    """One connection; each request on it, and its body, is handed to whoever answers."""

    protocol_version = "HTTP/1.1"
    server: "LoopbackHttp"
    # Headers and body leave together; otherwise each answer waits for an acknowledgement that is held back.
    wbufsize = -1
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.open.add(self.connection)

    def finish(self) -> None:
        self.server.open.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, *_: object) -> None:
        pass

    def _any(self) -> None:
        self.server.answer(self, self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _any  # noqa: N815

    def say(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Answer, and be done."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status != 204:
            self.wfile.write(body)


class LoopbackHttp(ThreadingHTTPServer):
    """Listens from when it is made until it is closed; `answer` is called with each request and its body."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 100

    def __init__(self, port: int, answer: Callable[[Asked, bytes], None]) -> None:
        self.answer = answer
        self.open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), Asked)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Nobody listens any more, and connections that are kept open between requests end."""
        self.shutdown()
        self.server_close()
        for each in list(self.open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who hangs up is right to."""
