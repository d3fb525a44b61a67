"""Servers that are none of those that rows can be kept true on, and addresses of half a cluster: told apart by what they do."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest.errors import TryLater
from ingest.journal import Journal
from ingest.stores.following import follow
from tests.support.cluster import DELETE, INSERT, SELECT
from tests.support.fake_server import WRITE, FakeServer, Request, Said
from tests.support.households import Noted, happen, steady
from tests.support.server_stores import (
    START,
    Clock,
    catch_up,
    journal_of_2024,
    open_store,
    wrong_rows,
)
from tests.support.servers import InfluxDB, VictoriaMetrics

VICTORIA = {"X-Server-Hostname": "box", "Content-Type": "text/plain; charset=utf-8"}


class Answering(FakeServer):
    """Says what it is told to say to each path; takes rows where the answer is 204."""

    def __init__(self, answers: Callable[[Request], Said]) -> None:
        super().__init__()
        self.answers = answers

    def serve(self, request: Request) -> Said:
        return self.answers(request)


def questdb(request: Request) -> Said:
    """QuestDB 9.0.3, as it was run: `/ping` as InfluxDB, rows taken, `/query` for GET alone."""
    called = {"Server": "questDB/1.0", "Content-Type": "text/plain; charset=utf-8"}
    if request.path == "/ping":
        return 204, {**called, "X-Influxdb-Version": "v2.7.4"}, b""
    if request.path == WRITE:
        return 204, called, b""
    return (
        (405, called, b"Method POST not supported")
        if request.path == "/query"
        else (404, called, b"Not Found")
    )


def greptimedb(request: Request) -> Said:
    """GreptimeDB below /v1/influxdb (https://docs.greptime.com/user-guide/protocols/influxdb-line-protocol/): no InfluxQL."""
    if request.path in {"/v1/influxdb/ping", f"/v1/influxdb{WRITE}"}:
        return 204, {}, b""
    return 404, {}, b""


def nothing_at_its_root(request: Request) -> Said:
    """The same, its path left out."""
    return greptimedb(request)


def telegraf(request: Request) -> Said:
    """Telegraf's influxdb_listener: an empty list to every question (plugins/inputs/influxdb_listener, `handleQuery`)."""
    known = {"X-Influxdb-Version": "1.0", "Content-Type": "application/json"}
    if request.path == "/query":
        return 200, known, b'{"results": []}'
    return (204, known, b"") if request.path in {"/ping", WRITE} else (404, known, b"")


def prometheus(request: Request) -> Said:
    """It can be asked as VictoriaMetrics is, and takes no lines."""
    if request.path in {"/api/v1/status/buildinfo", "/api/v1/series"}:
        return 200, {"Content-Type": "application/json"}, b'{"status":"success","data":[]}'
    return 400 if request.path == WRITE else 404, {}, b""


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """Of one workout."""
    with journal_of_2024(tmp_path / "data", [steady("Jan", START, 60, 120)]) as opened:
        yield opened


def said_at(url: str, journal: Journal, folder: Path) -> str:
    with open_store(url, folder, clock=Clock()) as store, pytest.raises(TryLater) as caught:
        follow(journal, store)
    assert url in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("answers", "path", "words"),
    [
        (questdb, "", 'It calls itself "questDB/1.0"'),
        (greptimedb, "/v1/influxdb", "none of the servers that hartslag can write to"),
        (nothing_at_its_root, "", "answers neither as InfluxDB nor as VictoriaMetrics"),
        (telegraf, "", "none of the servers that hartslag can write to"),
        (prometheus, "", "rows can be read, and not written"),
    ],
)
def test_a_server_that_is_none_of_these_is_said_to_be_none(
    answers: Callable[[Request], Said], path: str, words: str, journal: Journal, tmp_path: Path
) -> None:
    """Protects from a server that takes every row with a yes and shows none: nothing of the journal is sent there."""
    with Answering(answers) as server:
        assert words in said_at(server.url + path, journal, tmp_path)
        sent = b"".join(r.body for r in server.requests if r.path.endswith(WRITE))
        assert b"heart_rate" not in sent


class Doubling(FakeServer):
    """Before an InfluxDB: shows each row twice, as what does not write over a row."""

    def serve(self, request: Request) -> Said:
        status, headers, body = super().serve(request)
        if request.path == "/query" and b"SELECT" in request.body:
            content = json.loads(body)
            for result in content["results"]:
                for series in result.get("series", []):
                    series["values"] *= 2
            body = json.dumps(content).encode()
        return status, headers, body


class Keeping(FakeServer):
    """Before an InfluxDB: says yes to each deletion and does nothing."""

    def serve(self, request: Request) -> Said:
        if request.path == "/query" and b"DELETE" in request.body:
            return 200, {"Content-Type": "application/json"}, b'{"results":[{"statement_id":0}]}'
        return super().serve(request)


@pytest.mark.parametrize(
    ("kind", "words"), [(Doubling, "does not write over a row"), (Keeping, "says yes to deleting rows")]
)
def test_what_speaks_like_influxdb_is_tried_out_first(
    kind: type[FakeServer], words: str, journal: Journal, tmp_path: Path
) -> None:
    """Protects numbers that change later: a server that cannot take a row back is noticed before anything is sent."""
    with InfluxDB(tmp_path / "server") as behind, kind(behind) as server:
        assert words in said_at(server.url, journal, tmp_path / "store")
        assert behind.rows("heart_rate") == []


class InfluxDB3(FakeServer):
    """Before an InfluxDB 1.8: what 3 Core does otherwise, by its sources (influxdb3_server/src/http.rs), which nobody ran here.

    One statement in a request, none that deletes, and no /api/v2/delete.
    """

    def serve(self, request: Request) -> Said:
        known = {"X-Influxdb-Version": "3.10.1", "X-Influxdb-Build": "Core"}
        if request.path == "/ping":
            return 200, known, b'{"version":"3.10.1"}'
        if request.path == "/query" and b"%3B" in request.body:
            return 400, known, b"must provide only one InfluxQl statement per query"
        if request.path == "/query" and b"DELETE" in request.body:
            return 500, known, b"This feature is not implemented: DELETE"
        if request.path == "/api/v2/delete":
            return 404, known, b"not found"
        return super().serve(request)


def test_influxdb_3_is_filled_and_says_what_it_cannot_delete(journal: Journal, tmp_path: Path) -> None:
    """Protects who has InfluxDB 3 Core: it is filled, and what it cannot take away is listed, never waited for."""
    clock = Clock()
    with (
        InfluxDB(tmp_path / "server") as behind,
        InfluxDB3(behind) as server,
        open_store(server.url, tmp_path / "store", clock=clock) as store,
    ):
        catch_up(journal, store, clock)
        assert wrong_rows(journal, behind, tmp_path / "a.db") == []
        happen(journal, Noted("Jan", (("maximum_bpm", 180), ("zone", "Asia/Kolkata"))))
        catch_up(journal, store, clock)
        assert store.reported_position(journal) == journal.last_position()
        assert all("cannot delete single rows" in row.reason for row in store.refused_rows())
        assert store.refused_rows()
        assert [s.aspect for s in store.inspect(journal.id) if s.trouble] == ["deletion"]
        with pytest.raises(TryLater, match="yourself"):
            store.clear(journal)


# --- addresses of VictoriaMetrics ---


class Routed(FakeServer):
    """Before a single VictoriaMetrics: lets through what begins with one of its routes, which it takes away.

    What was written is shown to whoever asks: the seconds that pass meanwhile are those of a clock of the tests.
    """

    def __init__(self, behind: VictoriaMetrics) -> None:
        super().__init__(behind)
        self.victoria = behind
        self.routes: tuple[str, ...] = ()
        self.headers = VICTORIA

    def serve(self, request: Request) -> Said:
        for route in self.routes:
            is_write = request.path.endswith(WRITE)
            known = is_write == (route == INSERT) or route == ""
            if request.path.startswith((route + "/api", "/ping")) and known:
                request.path = request.path.removeprefix(route)
                if not is_write:
                    self.victoria.flush()
                return super().serve(request)
        return 400, self.headers, b'unsupported path requested: "' + request.path.encode() + b'"'


@pytest.mark.parametrize(
    ("routes", "path", "words"),
    [
        ((INSERT,), INSERT, "rows can be written, and not read"),
        ((SELECT,), SELECT, "rows can be read, and not written"),
        ((INSERT,), "", "rows can neither be written nor read"),
        ((INSERT, SELECT), INSERT, "takes rows and deletes none"),
    ],
)
def test_half_a_cluster_or_a_path_left_out_is_said_with_the_routes(
    routes: tuple[str, ...], path: str, words: str, journal: Journal, tmp_path: Path
) -> None:
    """Protects who names vminsert or vmselect alone from "is kept and sent again" for ever: the routes of vmauth are told."""
    with VictoriaMetrics(tmp_path / "server") as behind, Routed(behind) as server:
        server.routes = routes
        with open_store(server.url + path, tmp_path / "checked", clock=Clock()) as store:
            checked = store.inspect(journal.id)
        said = said_at(server.url + path, journal, tmp_path / "store")
        assert [s.trouble for s in checked if s.trouble and not s.harmless] == [said]
        assert words in said
        assert "/insert/ to vminsert, /select/ and /delete/ to vmselect" in said
        assert "docs/servers.md" in said
        behind.flush()
        assert not [s for s in behind.samples() if ("__name__", "heart_rate_bpm") in s]


@pytest.mark.parametrize(
    ("routes", "path", "right"),
    [
        ((INSERT, SELECT, DELETE), "", INSERT),
        ((INSERT, SELECT, DELETE), "/insert/0", INSERT),
        (("",), "/victoria", ""),
    ],
)
def test_an_address_with_another_path_is_told_the_right_one(
    routes: tuple[str, ...], path: str, right: str, journal: Journal, tmp_path: Path
) -> None:
    """Protects who leaves a path out, or writes one too many, from guessing: what is there is asked, and the line is told."""
    with VictoriaMetrics(tmp_path / "server") as behind, Routed(behind) as server:
        server.routes = routes
        said = said_at(server.url + path, journal, tmp_path / "store")
        assert f'write url = "{server.url}{right}" below [influx].' in said


@pytest.mark.parametrize("headers", [VICTORIA, {}])
def test_all_routes_together_are_a_server(headers: dict[str, str], journal: Journal, tmp_path: Path) -> None:
    """Protects the address that the words above tell to write, also where a proxy takes away what a server says of itself."""
    with VictoriaMetrics(tmp_path / "server") as behind, Routed(behind) as server:
        server.routes, server.headers = (INSERT, SELECT, DELETE, "/select/0"), headers
        with open_store(server.url + INSERT, tmp_path / "store", clock=Clock()) as store:
            follow(journal, store)
        behind.flush()
        assert [s for s in behind.samples() if ("__name__", "heart_rate_bpm") in s]
