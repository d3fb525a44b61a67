"""Answers of a server with anything in the place of something: whatever it is, nothing but TryLater comes of it."""

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from ingest.errors import TryLater
from ingest.stores.following import follow
from tests.support.fake_server import Exchange, FakeServer, Fault, Request, Said
from tests.support.households import Noted, happen, steady
from tests.support.influxdb2 import InfluxDB2
from tests.support.server_stores import SERVERS, START, Clock, journal_of_2024, open_store, serving

HOSTILE: list[Any] = [None, -1, 10**30, 1e308, "", "x\x1b[2J", [], {}, [[1]], {"a": {}}, True, [None, 10**30]]


def twist(content: Any, chance: random.Random) -> Any:
    """The same with one thing in it replaced, wherever it is."""
    if not isinstance(content, dict | list) or not content or chance.random() < 0.15:
        return chance.choice(HOSTILE)
    if isinstance(content, dict):
        key = chance.choice(sorted(content))
        if chance.random() < 0.1:
            return {k: v for k, v in content.items() if k != key}
        return {**content, key: twist(content[key], chance)}
    at = chance.randrange(len(content))
    if chance.random() < 0.1:
        return content[:at] + content[at + 1 :]
    return [*content[:at], twist(content[at], chance), *content[at + 1 :]]


STATUSES = [
    "204 No Content",
    "200 OK",
    "202",
    "206 Partial",
    "299",
    "304 Not Modified",
    "400 Bad Request",
    "413 Too Large",
    "422 ?",
    "429 Slow",
    "500 Oh",
    "503 Away",
    "599 ?",
    "999 ?",
    "100 Continue",
    "101 Switching",
    "000 ?",
    "-1 ?",
    "20 4",
    "abc",
    "",
]

HEADERS = [
    *(
        f"Retry-After: {when}"
        for when in (
            *("", "-5", "nan", "inf", "-inf", "1e400", "9" * 5000, "soon", "\xff", ",", "0x10", "12 13"),
            *(
                "Thu, 99 Foo 2026 99:99:99 GMT",
                "Mon, 01 Jan 0001 00:00:00 -0000",
                "1 Jan 9999 23:59:59 -9999",
            ),
        )
    ),
    *(f"Content-Length: {length}" for length in ("", "-1", "abc", "3", "1000000", "9" * 30, "3, 4", "1e3")),
    *(f"Content-Encoding: {how}" for how in ("gzip", "deflate", "br", "zstd", ",".join(["gzip"] * 9), "x")),
    *("Transfer-Encoding: chunked", "Content-Type: application/json; charset=none", "Content-Type: \xff/"),
    *(
        "Location: http://[",
        "Connection: keep-alive",
        "no header at all",
        "X: " + "y" * 70_000,
        "\r\n".join(["Z: z"] * 150),
    ),
]

BODIES = [
    b"",
    b"{",
    b"[]",
    b"1",
    b"null",
    b'"x"',
    b'{"message": [1]}',
    b'{"error": {}}',
    b'{"code": null, "message": null}',
]
BODIES += [
    b"caf\xe9 \xff",
    b"\x1f\x8b\x08",
    b"zz\r\nx\r\n0\r\n\r\n",
    b"3\r\nabc\r\n0\r\n\r\n",
    b"{" * 3000,
    b"\x1b[2J\x00" * 9,
]


def anything_said(chance: random.Random) -> bytes:
    """An answer to a write, in the form of HTTP or nearly so."""
    body = chance.choice(BODIES)
    headers = chance.sample(HEADERS, chance.randrange(4))
    if chance.random() < 0.7:
        headers.append(f"Content-Length: {len(body)}")
    return "\r\n".join([f"HTTP/1.1 {chance.choice(STATUSES)}", *headers, "", ""]).encode("latin-1") + body


class Twisting(FakeServer):
    """While `chance` is set: of the answers in JSON each third has something else in one place, and so have answers to writes."""

    chance: random.Random | None = None

    def fault_for(self, request: Request) -> Fault:
        honest = super().fault_for(request)
        if self.chance is None or not request.is_write or self.chance.random() > 1 / 3:
            return honest
        said, is_stored = anything_said(self.chance), self.chance.random() < 0.5

        def twisted(x: Exchange) -> None:
            if is_stored:
                x.store()
            x.handler.wfile.write(said)
            x.handler.close_connection = True

        return twisted

    def serve(self, request: Request) -> Said:
        status, headers, body = super().serve(request)
        if self.chance is None or not body.startswith(b"{") or self.chance.random() > 1 / 3:
            return status, headers, body
        lines = [json.dumps(twist(json.loads(line), self.chance)) for line in body.splitlines()]
        return status, headers, "\n".join(lines).encode()


class TwistingInfluxDB2(Twisting, InfluxDB2):
    """The same of the InfluxDB 2 of tests, which stands before a real one by itself."""


@contextmanager
def twisting(kind: str, folder: Path, clock: Clock) -> Iterator[Twisting]:
    """A server of a kind."""
    if kind == "influxdb2":
        with TwistingInfluxDB2(folder) as made:
            yield made
        return
    with serving(kind, folder, clock) as behind:
        assert not isinstance(behind, InfluxDB2)
        with Twisting(behind) as made:
            yield made


TRIES = 24


@pytest.mark.parametrize("kind", SERVERS)
def test_whatever_stands_in_an_answer_it_is_try_later(kind: str, clock: Clock, tmp_path: Path) -> None:
    """Protects the daemon from a server that answers in the right form with anything in it: no other error, ever."""
    with twisting(kind, tmp_path / "server", clock) as server:
        for n in range(TRIES):
            site = f"pi-{n}"
            happened = [steady("Jan", START, 60, 120), steady("Zoë", START, 30, 90)]
            with (
                journal_of_2024(tmp_path / site / "data", happened) as journal,
                open_store(server.url, tmp_path / site / "store", clock=clock, site=site) as store,
            ):
                follow(journal, store)
                server.chance = random.Random(n)
                for bpm in (110, 140):
                    happen(journal, steady("Jan", START, 60, bpm, source="watch"))
                    happen(journal, Noted("Jan", (("maximum_bpm", bpm + 60), ("zone", "Europe/Amsterdam"))))
                    clock.passes(400)
                    with suppress(TryLater):
                        follow(journal, store)
                    clock.passes(400)
                    with suppress(TryLater):
                        follow(journal, store)
                    clock.passes(4000)
                    with suppress(TryLater):
                        follow(journal, store)
                        store.keep_persons(["Jan"])
                store.inspect(journal.id)
                clock.passes(4000)
                with suppress(TryLater):
                    store.clear(journal)
                server.chance = None
