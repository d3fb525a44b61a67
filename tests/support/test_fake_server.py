"""The fake server understands a body as the real InfluxDB does; its faults are what they are called."""

import http.client

import pytest

from tests.support import fake_server as fakeserver
from tests.support.fake_server import WRITE, FakeServer
from tests.support.servers import InfluxDB, Server

LINES = [
    r"minute,person=Jan\ de\ Vries\,\ A\=B bpm=71.5,bpm_min=60i 1795000000000",
    r'session,person=Zoë,source=watch sport="a \"quoted\" b\\c",duration_s=60 1795000000000',
    "minute,person=Jan bpm=1e3 1795000000000",
    "minute,person=Jan bpm_min=7i 1795000000000",
    "minute,person=Jan bpm=2 1795000000000",
    "minute,source=b,person=Jan bpm=3 -1000",
]
BROKEN = [
    "minute",
    "minute bpm=",
    "minute bpm=oops 1",
    "minute,person= bpm=1 1",
    "minute,person=a bpm=1 x",
    "",
]


def sent(server: FakeServer | Server, *lines: str) -> int:
    path = f"{WRITE}?org=o&bucket=hartslag&precision=ms"
    if isinstance(server, Server):
        return server.ask("POST", path, "\n".join(lines).encode())[0]
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request("POST", path, "\n".join(lines).encode())
        return connection.getresponse().status
    finally:
        connection.close()


def told(rows: list[dict[str, object]]) -> list[list[tuple[str, object]]]:
    return sorted(sorted((k, v) for k, v in row.items() if v is not None) for row in rows)


def test_it_holds_what_influxdb_holds(influx: InfluxDB) -> None:
    """Protects what tests conclude from the fake: escapes, types, fields one by one and the last value, as the real one."""
    with FakeServer() as fake:
        assert sent(fake, *LINES) == sent(influx, *LINES) == 204
        for measurement in ("minute", "session"):
            assert told(fake.rows(measurement)) == told(influx.rows(measurement))
        for line in BROKEN[:-1]:
            assert (line, sent(fake, line)) == (line, sent(influx, line)) == (line, 400)


@pytest.mark.parametrize(
    ("fault", "stored"),
    [
        (fakeserver.dies, 0),
        (fakeserver.dies_after_storing, 2),
        (fakeserver.dies_halfway, 1),
        (fakeserver.half_answers, 2),
        (fakeserver.babbles, 0),
    ],
)
def test_a_connection_that_ends_leaves_what_it_says(fault: fakeserver.Fault, stored: int) -> None:
    """Protects the tests of lost answers: nobody is told yes, and as much is held as the fault's name says."""
    lines = [f"minute,person=Jan bpm={i} {i}" for i in range(2)]
    with FakeServer() as fake:
        fake.faults.append(fault)
        with pytest.raises((http.client.HTTPException, OSError)):
            sent(fake, *lines)
        assert len(fake.rows("minute")) == stored
        assert sent(fake, *lines) == 204
        assert len(fake.rows("minute")) == 2


@pytest.mark.parametrize(
    ("poisoned", "status", "stored"), [("partial", 400, 1), ("all", 400, 0), ("silent", 204, 1)]
)
def test_poison_as_each_server_takes_it(poisoned: str, status: int, stored: int) -> None:
    """Protects the tests of poison points: stored but for it, not at all, or dropped without a word."""
    with FakeServer() as fake:
        fake.poison = lambda p: "bad point" if p.fields == {"bpm": 1.0} else None
        fake.poisoned = poisoned
        assert sent(fake, *(f"minute,person=Jan bpm={i} {i}" for i in range(2))) == status
        assert len(fake.rows("minute")) == stored


def test_away_and_back_and_in_front_of_another(influx: InfluxDB) -> None:
    """Protects the tests of outages: refused while away, and what it passes on the real one holds."""
    line = "minute,person=Jan bpm=1 1"
    with FakeServer(influx) as fake:
        with fake.away(), pytest.raises(ConnectionRefusedError):
            sent(fake, line)
        assert sent(fake, line) == 204
        assert told(influx.rows("minute")) == told(fake.rows("minute"))
