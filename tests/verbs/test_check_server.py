"""What `check` says of a server: a line for each thing that it is asked, and what to do."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest.journal import Journal
from ingest.settings.model import InfluxSettings
from ingest.stores.following import follow
from ingest.verbs.check_server import server_findings
from ingest.verbs.finding import FAIL, OK, WARN, Finding
from tests.support.cluster import DELETE, SELECT, Cluster
from tests.support.households import happen, steady
from tests.support.influxdb2 import InfluxDB2
from tests.support.server_stores import SERVERS, START, Clock, journal_of_2024, open_store, serving

ALL = ["reached", "access", "owner", "retention", "deduplication", "deletion", "rows", "behind", "refused"]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """Of one workout."""
    with journal_of_2024(tmp_path / "data", [steady("Jan", START, 60, 120)]) as opened:
        yield opened


def seen(url: str, journal: Journal | None, folder: Path, site: str | None = None) -> dict[str, Finding]:
    """What `check` finds, by its aspect."""
    influx = InfluxSettings(url=url, site=site)
    with open_store(url, folder, clock=Clock(), site=site) as store:
        return {f.aspect: f for f in server_findings(influx, store, journal)}


def fill(url: str, journal: Journal, folder: Path, site: str | None = None) -> None:
    with open_store(url, folder, clock=Clock(), site=site) as store:
        follow(journal, store)


@pytest.mark.parametrize("kind", SERVERS)
def test_a_server_that_is_well_has_a_line_for_each_thing(kind: str, journal: Journal, tmp_path: Path) -> None:
    """Protects who asks whether all is well there, as soon as its address is written: each thing is asked, and nothing changed."""
    with serving(kind, tmp_path / "server", Clock()) as server:
        if isinstance(server, Cluster):
            server.shown_s = 0.0  # each look has a clock of its own
        assert [f.level for f in seen(server.url, None, tmp_path / "new").values()] == [
            OK,
            OK,
            WARN,
            OK,
            OK,
            OK,
        ]
        assert not (tmp_path / "new").exists()
        before = seen(server.url, journal, tmp_path)
        assert [f.level for f in before.values()][:3] == [OK, OK, WARN]
        assert "is not filled from this journal yet" in before["owner"].seen
        fill(server.url, journal, tmp_path)
        found = seen(server.url, journal, tmp_path)
        assert list(found) == ALL
        assert {f.level for f in found.values()} == {OK}
        happen(journal, steady("Jan", START + 86_400_000, 60, 120))
        assert (
            "1 entr" in seen(server.url, journal, tmp_path)["behind"].seen
            or "2 entr" in seen(server.url, journal, tmp_path)["behind"].seen
        )
        fill(server.url, journal, tmp_path)
        assert seen(server.url, journal, tmp_path)["behind"].level == OK


def _write_only(server: InfluxDB2) -> None:
    server.rights = {"write"}


def _read_only(server: InfluxDB2) -> None:
    server.rights = {"read"}


def _retention(server: InfluxDB2) -> None:
    server.keeps_for_ever = False


def _no_deletion(server: InfluxDB2) -> None:
    server.obeys = False


@pytest.mark.parametrize(
    ("lacks", "aspect"),
    [(_write_only, "access"), (_read_only, "access"), (_retention, "retention"), (_no_deletion, "deletion")],
)
def test_what_is_wrong_is_told_where_it_is(
    lacks: Callable[[InfluxDB2], None], aspect: str, journal: Journal, tmp_path: Path
) -> None:
    """Protects the owner from looking in the wrong place: what comes before is well, what is wrong fails, with what to do."""
    with InfluxDB2(tmp_path / "server") as server:
        fill(server.url, journal, tmp_path)
        lacks(server)
        found = seen(server.url, journal, tmp_path)
        failing = [f.aspect for f in found.values() if f.level == FAIL]
        assert failing == [aspect]
        assert found[aspect].do
        assert [f.aspect for f in found.values()][:2] == ALL[:2]
        assert found["behind"].level == OK


def test_half_a_cluster_is_said_to_be_that(tmp_path: Path) -> None:
    """Protects who names vmselect alone from being told of a retention, and that rows were written there."""
    with Cluster(tmp_path / "cluster") as cluster:
        cluster.routes = (SELECT, DELETE)
        found = seen(cluster.url, None, tmp_path)
        assert [(f.aspect, f.level) for f in found.values()] == [("reached", OK), ("access", FAIL)]
        assert "rows can be read, and not written" in found["access"].seen
        assert "/insert/ to vminsert, /select/ and /delete/ to vmselect" in found["access"].seen


def test_rows_of_another_with_the_same_name_are_found(journal: Journal, tmp_path: Path) -> None:
    """Protects two Pis that were set up with the same lines."""
    with (
        InfluxDB2(tmp_path / "server") as server,
        journal_of_2024(tmp_path / "other", [steady("Zoë", START, 60, 90)]) as other,
    ):
        fill(server.url, other, tmp_path / "2", "attic")
        found = seen(server.url, journal, tmp_path / "1", "attic")
        assert found["owner"].level == FAIL
        assert "another hartslag" in found["owner"].seen


def test_refused_rows_and_a_server_that_is_away_are_told(journal: Journal, tmp_path: Path) -> None:
    """Protects from a server that is called well because nobody could ask it."""
    with InfluxDB2(tmp_path / "server") as server:
        server.poison = lambda p: "no" if p.fields.get("bpm") == 120 and p.time_us % 7_000_000 == 0 else None
        fill(server.url, journal, tmp_path)
        found = seen(server.url, journal, tmp_path)
        assert found["refused"].level == WARN
        assert "retry" in found["refused"].do
    away = seen(server.url, journal, tmp_path)
    assert away["reached"].level == FAIL
    assert list(away) == ["reached", "behind", "refused"]
