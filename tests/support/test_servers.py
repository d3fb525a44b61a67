"""The real servers in tests do what the tests of stores rely on."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.servers import InfluxDB, Server, VictoriaMetrics

NOW_MS = int(time.time() * 1000)


def written(server: Server, body: str) -> int:
    return server.ask("POST", "/api/v2/write?org=o&bucket=hartslag&precision=ms", body.encode())[0]


@pytest.fixture(params=[InfluxDB, VictoriaMetrics])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """Each of the two, running."""
    with request.param(tmp_path / "server") as made:
        yield made


def held(server: Server) -> list[float]:
    if isinstance(server, InfluxDB):
        return [row["bpm"] for row in server.rows("heart_rate")]
    assert isinstance(server, VictoriaMetrics)
    return [v for each in server.samples('{__name__="heart_rate_bpm"}').values() for v in each.values()]


def test_what_is_written_twice_is_held_once_and_survives_a_stop(server: Server) -> None:
    """Protects the comparisons in all other tests: last wins, and a restart shows the same data at the same address."""
    for bpm in (100, 90):
        assert written(server, f"heart_rate,person=Jan bpm={bpm} {NOW_MS}") == 204
    assert held(server) == [90]
    url = server.url
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        written(server, "")
    server.start()
    assert (server.url, held(server)) == (url, [90])


def test_it_hangs_and_goes_on(server: Server) -> None:
    """Protects the tests of a hanging server: it takes the connection, is silent, and answers afterwards."""
    line = f"heart_rate,person=Jan bpm=80 {NOW_MS}".encode()
    with server.hung(), pytest.raises(socket.timeout):
        server.ask("POST", "/api/v2/write?org=o&bucket=hartslag&precision=ms", line, timeout_s=0.3)
    assert written(server, line.decode()) == 204
    assert held(server) == [80]


def test_a_lost_one_begins_with_nothing(server: Server) -> None:
    """Protects the tests of an emptied server."""
    assert written(server, f"heart_rate,person=Jan bpm=80 {NOW_MS}") == 204
    server.lost()
    server.start()
    assert held(server) == []


def test_victoria_forgets_a_series_only_when_it_was_flushed(victoria: VictoriaMetrics) -> None:
    """Protects corrections: what was written a moment ago is deleted with the rest, and only the new values are there.

    Without the flush a mixture stays; without the deletion any of the values may come out after a merge.
    """
    for bpm in (120, 80, 100, 60):
        victoria.flush()
        assert victoria.ask("POST", "/api/v1/admin/tsdb/delete_series?match[]=heart_rate_bpm")[0] == 204
        lines = [f"heart_rate,person=p{i % 5} bpm={bpm} {NOW_MS - i * 1000}" for i in range(100)]
        assert written(victoria, "\n".join(lines)) == 204
        assert sorted(held(victoria)) == [bpm] * 100
    victoria.stop()
    victoria.start()
    victoria.ask("GET", "/internal/force_merge")
    assert sorted(held(victoria)) == [60] * 100
