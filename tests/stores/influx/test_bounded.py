"""Answers that never end, in time or in length: they are given up, whoever sends them."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import urllib3

from ingest.stores.influx.bounded import LARGEST_BYTES, BoundedPool

ENOUGH_S = 60.0
"""For a test: what is not given up goes on for longer."""


def _drip(client: socket.socket, beginning: bytes) -> None:
    """A byte now and then, for ever: no timeout of a socket ever comes to its end."""
    client.sendall(beginning)
    with contextlib.suppress(OSError):
        while True:
            client.sendall(b"a")
            time.sleep(0.05)


def _flood(client: socket.socket, beginning: bytes) -> None:
    with contextlib.suppress(OSError):
        client.sendall(beginning)
        while True:
            client.sendall(b"a" * 65536)


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """Gives the address of a server that does this with each connection."""
    with socket.socket() as listening, contextlib.ExitStack() as clients:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def begin(each: Callable[[socket.socket], None]) -> str:
            def accept() -> None:
                with contextlib.suppress(OSError):
                    while True:
                        client, _ = listening.accept()
                        clients.callback(client.close)
                        client.recv(65536)
                        threading.Thread(target=each, args=(client,), daemon=True).start()

            threading.Thread(target=accept, daemon=True).start()
            return f"http://127.0.0.1:{listening.getsockname()[1]}/"

        yield begin
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("beginning", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n", b""])
def test_an_answer_that_drips_is_given_up(
    beginning: bytes, serve: Callable[[Callable[[socket.socket], None]], str]
) -> None:
    """Protects a store from hanging on a server that sends a byte now and then: in its headers, its body, or at once."""
    pool = BoundedPool(urllib3.PoolManager(), lambda: True, longest_s=1.0)
    url = serve(lambda client: _drip(client, beginning))
    began_s = time.monotonic()
    with pytest.raises((urllib3.exceptions.HTTPError, OSError)):
        pool.request("GET", url, timeout=5.0, retries=False)
    assert pool.was_cut
    assert time.monotonic() - began_s < ENOUGH_S


def test_a_program_that_shall_end_waits_for_no_answer(
    serve: Callable[[Callable[[socket.socket], None]], str],
) -> None:
    """Protects the end of the daemon, which systemd gives half a minute."""
    ends = threading.Event()
    pool = BoundedPool(urllib3.PoolManager(), lambda: not ends.is_set())
    url = serve(lambda client: _drip(client, b"HTTP/1.1 200 OK\r\n\r\n"))
    threading.Timer(0.5, ends.set).start()
    with pytest.raises((urllib3.exceptions.HTTPError, OSError)):
        pool.request("GET", url, timeout=5.0, retries=False)
    assert pool.was_cut


def test_of_an_answer_without_end_only_the_beginning_is_read(
    serve: Callable[[Callable[[socket.socket], None]], str],
) -> None:
    """Protects the memory of a small computer from a page, a film or a flood in place of a database."""
    pool = BoundedPool(urllib3.PoolManager(), lambda: True)
    answer = pool.request(
        "GET", serve(lambda c: _flood(c, b"HTTP/1.1 200 OK\r\n\r\n")), timeout=5.0, retries=False
    )
    assert answer.too_long
    assert len(answer.data) == LARGEST_BYTES + 1
    assert not pool.was_cut


def test_an_end_that_crosses_a_question_is_no_trouble(
    serve: Callable[[Callable[[socket.socket], None]], str],
) -> None:
    """Protects from a proxy that ends connections which rest, at the very moment: asked anew at once, and but once."""
    answers = 0

    def once(client: socket.socket) -> None:
        nonlocal answers
        answers += 1
        if answers > 3:
            client.close()
            return
        client.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        client.recv(65536)  # and no word to the next question on this connection
        client.shutdown(socket.SHUT_RDWR)

    url = serve(once)
    pool = BoundedPool(urllib3.PoolManager(retries=False), lambda: True)
    for _ in range(3):
        assert pool.request("POST", url, body=b"x").status == 204
    with pytest.raises(urllib3.exceptions.ProtocolError):
        pool.request("POST", url, body=b"x")
    assert answers == 4


@pytest.mark.parametrize("leads_to", ["http://[::1", "//", "\xff", "http://127.0.0.1:1/", "/login"])
def test_nobody_goes_where_an_answer_leads(
    leads_to: str, serve: Callable[[Callable[[socket.socket], None]], str]
) -> None:
    """Protects the daemon from an address that is none, and the token from any other: such an answer is told as it is."""
    moved = f"HTTP/1.1 302 Found\r\nLocation: {leads_to}\r\nContent-Length: 0\r\n\r\n".encode("latin-1")
    url = serve(lambda client: client.sendall(moved))
    pool = BoundedPool(urllib3.PoolManager(retries=False), lambda: True)
    assert pool.request("POST", url, body=b"x").status == 302
