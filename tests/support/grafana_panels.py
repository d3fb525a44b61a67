"""Panels of our dashboards put to a store: by their titles, looked at by a person in a span of time."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.grafana.boards import dashboards
from ingest.grafana.dashboard import DashboardDefaults, dashboard_json
from ingest.grafana.provisioning import DataSource, influxdb, sqlite, victoriametrics
from ingest.journal import Journal
from ingest.language import ENGLISH
from ingest.settings.model import InfluxSettings
from ingest.stores.following import follow
from ingest.stores.influx.store import InfluxStore
from ingest.stores.sqlite import SqliteStore
from ingest.verbs.week_answer import week_answers
from tests.support.grafana_queries import Frame, Json, Looking, Store, drawn
from tests.support.grafana_stores import ANNA, NOW, SECOND_STRAP, STRAP, WATCH, happenings, tell
from tests.support.grafana_words import cells, texts
from tests.support.households import DAY, household
from tests.support.languages import speaking
from tests.support.servers import InfluxDB, VictoriaMetrics

Open = dict[str, tuple[DataSource, Store]]

STORES = ["sqlite", "influxdb", "victoriametrics"]


def fill(server: InfluxDB | VictoriaMetrics, journal: Journal, folder: Path, site: str | None = None) -> None:
    """Have a server hold what is in a journal."""
    folder.mkdir()
    with closing(InfluxStore(InfluxSettings(url=server.url, site=site), folder)) as store:
        follow(journal, store)
        store.maintain()
    if isinstance(server, VictoriaMetrics):
        server.flush()


@dataclass(frozen=True)
class Filled:
    """The same home in every store, and what `hartslag week --json` says of each week: by person and first day."""

    stores: Open
    truth: dict[tuple[str, str], dict[str, Any]]


@contextmanager
def filled_stores(folder: Path) -> Iterator[Filled]:
    """Each store, filled from one journal; the servers as the settings of a Pi without a site would have it."""
    path = folder / "hartslag.db"
    with (
        household(folder / "home", happenings()) as journal,
        InfluxDB(folder / "influxdb") as influx,
        VictoriaMetrics(folder / "victoriametrics") as victoria,
    ):
        tell(journal, ANNA)
        with SqliteStore(path) as store:
            follow(journal, store)
        for server in (influx, victoria):
            fill(server, journal, folder / f"ledger {server.port}")
        said = json.loads(json.dumps([w.json() for w in week_answers(journal, journal.persons(), 100, NOW)]))
        yield Filled(
            {
                "sqlite": (sqlite(str(path)), path),
                "influxdb": (influxdb(influx.url, "hartslag", has_token=False, has_sites=True), influx),
                "victoriametrics": (victoriametrics(victoria.url, has_token=False, has_sites=True), victoria),
            },
            {(row["person"], row["from"]): row for row in said},
        )


def panels(
    source: DataSource, name: str, defaults: DashboardDefaults | None = None, language: str = ENGLISH
) -> dict[str, Json]:
    """The panels of a dashboard, by their titles in English."""
    (one,) = [d for d in dashboards(source.language) if d.name == name]
    with speaking(language):
        board = dashboard_json(one, source.language, source.uid, defaults or DashboardDefaults())
    return {said.title: panel for said, panel in zip(one.panels, board["panels"], strict=True)}


def looking(person: str, from_ms: int, to_ms: int, now_ms: int = NOW) -> Looking:
    """A person picked, where nobody named a site."""
    return Looking(from_ms, to_ms, {"person": person, "site": "", "now": str(now_ms)})


@dataclass(frozen=True)
class Board:
    """A dashboard of one store, looked at."""

    store: tuple[DataSource, Store]
    name: str
    looks: Looking
    defaults: DashboardDefaults | None = None
    language: str = ENGLISH

    @property
    def panels(self) -> dict[str, Json]:
        """Its panels, by their titles in English."""
        return panels(self.store[0], self.name, self.defaults, self.language)

    def frames(self, title: str) -> list[Frame]:
        """What a panel draws."""
        return drawn(self.store[1], self.panels[title], self.looks)

    def texts(self, title: str) -> list[str]:
        """What a panel says."""
        return texts(self.panels[title], self.frames(title))

    def cells(self, title: str) -> list[dict[str, str]]:
        """What stands in the lines of a table."""
        return cells(self.panels[title], self.frames(title))

    def rows(self, title: str) -> dict[int, dict[str, Any]]:
        """What stands at each time."""
        return values(self.frames(title))


YEARS = (NOW - 500 * DAY, NOW)

NAMES = {STRAP: "Anna's Polar", SECOND_STRAP: "The old one", WATCH: "Forerunner 965, workouts"}
"""What people call the sensors of the home."""


def board(
    stores: Open, store: str, name: str, span: tuple[int, int], person: str = ANNA, *, named: bool = False
) -> Board:
    """A dashboard of a store as a person sees it in a span of time, with or without names of sensors."""
    defaults = DashboardDefaults(sensors=NAMES) if named else None
    return Board(stores[store], name, looking(person, *span, now_ms=min(span[1], NOW)), defaults)


def values(frames: list[Frame]) -> dict[int, dict[str, Any]]:
    """What stands at each time, whichever frame it is in; a cell with nothing in it is none."""
    found: dict[int, dict[str, Any]] = {}
    for frame in frames:
        for row in frame.rows():
            named = {n: v for n, v in zip(frame.names, row, strict=True) if v is not None}
            if len(named) > 1:
                found.setdefault(named.pop("Time"), {}).update(named)
    return found


def the_only(found: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """What stands at the one time there is."""
    (one,) = found.values()
    return one
