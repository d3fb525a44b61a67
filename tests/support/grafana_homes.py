"""The households of all states, and what each of them is in each store; made when first asked for."""

import copy
import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from datetime import date
from pathlib import Path
from typing import Any, Self, cast

from ingest.grafana.boards import dashboards
from ingest.grafana.dashboard import Dashboard, DashboardDefaults, dashboard_json
from ingest.grafana.provisioning import DataSource, influxdb, sqlite, victoriametrics
from ingest.grafana.sensor_names import sensor_names
from ingest.journal import Journal
from ingest.language import ENGLISH
from ingest.rows.profile import read_profile
from ingest.rows.table import Block
from ingest.settings.model import InfluxSettings, Settings
from ingest.stores.contract import Followed
from ingest.stores.contract import Store as StoreContract
from ingest.stores.following import follow
from ingest.stores.influx.store import InfluxStore
from ingest.stores.sqlite import SqliteStore
from ingest.verbs.week_answer import week_answers
from tests.support.grafana_frames import Json
from tests.support.grafana_queries import Store
from tests.support.grafana_states import STATES, ZONE, State
from tests.support.languages import speaking
from tests.support.servers import InfluxDB, VictoriaMetrics

STORES = ("sqlite", "influxdb", "victoriametrics")

SITE = "home"
"""Servers are written to by a Pi with this name, so that there is a fleet of one."""


class _Together:
    """Stores that follow at once, so that what each of them is to hold is counted once: twelve years take their time.

    Only what `follow` calls.
    """

    def __init__(self, stores: Sequence[StoreContract]) -> None:
        self._stores = stores

    def begin(self, journal: Followed) -> int:
        (position,) = {store.begin(journal) for store in self._stores}
        return position

    def write(self, portions: Iterable[list[Block]], position: int) -> None:
        held = list(portions)
        for store in self._stores:
            store.write(held, position)

    def maintain(self) -> None:
        for store in self._stores:
            store.maintain()

    def doubted(self, persons: Collection[str]) -> None:
        """They are drawn as soon as they are filled."""
        del persons


class Homes:
    """Every state's journal and stores, in a folder. Servers run until it is closed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open = ExitStack()
        self._journals: dict[str, Journal] = {}
        self._stores: dict[str, dict[str, Store]] = {}
        self._influx: InfluxDB | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def journal(self, state: State) -> Journal:
        """In which all has happened, in the order of its moments."""
        if state.name not in self._journals:
            moment = [0]
            folder = self.folder / _short(state.name)
            folder.mkdir(parents=True)
            journal = self._open.enter_context(Journal(folder / "journal.db", now_ms=lambda: moment[0]))
            for event in sorted(state.events(), key=lambda e: e.at_ms):
                moment[0] = event.at_ms
                event.happen(journal)
            moment[0] = state.now_ms
            self._journals[state.name] = journal
        return self._journals[state.name]

    def store(self, state: State, name: str) -> Store:
        """The store of that name, as it is once it has followed the journal."""
        if state.name not in self._stores:
            self._stores[state.name] = self._filled(state)
        return self._stores[state.name][name]

    def _filled(self, state: State) -> dict[str, Store]:
        """All three: a file, a database on the one InfluxDB, and a VictoriaMetrics of its own, which has no databases."""
        journal, folder = self.journal(state), self.folder / _short(state.name)
        if self._influx is None:
            self._influx = self._open.enter_context(InfluxDB(self.folder / "influxdb"))
        database = copy.copy(self._influx)
        database.database = _short(state.name)
        database.query(f'CREATE DATABASE "{database.database}"')
        metrics = self._open.enter_context(VictoriaMetrics(folder / "victoriametrics"))
        places = {
            "influxdb": InfluxSettings(url=database.url, bucket=database.database, site=SITE),
            "victoriametrics": InfluxSettings(url=metrics.url, site=SITE),
        }
        with ExitStack() as stores:
            together: list[StoreContract] = [stores.enter_context(SqliteStore(folder / "hartslag.db"))]
            for name, place in places.items():
                (folder / f"{name} ledger").mkdir()
                together.append(stores.enter_context(closing(InfluxStore(place, folder / f"{name} ledger"))))
            follow(journal, cast("StoreContract", _Together(together)))
        metrics.flush()
        return {"sqlite": folder / "hartslag.db", "influxdb": database, "victoriametrics": metrics}

    # --- what is drawn, and what it should say ---

    def dashboard(self, state: State, store: str, name: str, language: str = ENGLISH) -> Json:
        """A dashboard as `hartslag grafana` writes it for that household, whose settings name the language."""
        source = data_source(store)
        (one,) = [d for d in drawable(store) if d.name == name]
        settings = Settings(self.folder, straps=state.straps)
        with speaking(language):
            sensors = sensor_names(settings, self.journal(state))
            return dashboard_json(one, source.language, source.uid, defaults(state, store, sensors))

    def said(self, state: State, person: str) -> dict[str, Any] | None:
        """What `hartslag week --json` says at that moment of the week that goes on; None if it says nothing of it.

        Beside it what follows from that: whole minutes to go, and the days that are left with today.
        """
        journal = self.journal(state)
        (known,) = [p for p in journal.persons() if p.name == person]
        answers = [a for a in week_answers(journal, [known], 3, state.now_ms) if a.is_current]
        if not answers:
            return None
        found: dict[str, Any] = json.loads(json.dumps(answers[0].json()))
        today = read_profile(journal, known.id).calendar.day_of(state.now_ms)
        judged = found["judged"] and found["edges"]
        found["to_go_min"] = max(0, math.ceil(found["target_min"] - found["dose_min"])) if judged else None
        found["days_left"] = (date.fromisoformat(found["to"]) - today).days + 1
        return found


def _short(name: str) -> str:
    return name.replace(" ", "-")


def data_source(store: str) -> DataSource:
    """Where a dashboard of the state asks; its address is of no account here."""
    if store == "sqlite":
        return sqlite("/var/lib/hartslag/store/hartslag.db")
    make = (
        influxdb("http://localhost", "hartslag", has_token=False, has_sites=True)
        if store == "influxdb"
        else None
    )
    return make or victoriametrics("http://localhost", has_token=False, has_sites=True)


def drawable(store: str) -> list[Dashboard]:
    """The dashboards there are for a store."""
    return dashboards(data_source(store).language)


def defaults(state: State, store: str, sensors: Mapping[str, str]) -> DashboardDefaults:
    """As the settings of the household have them."""
    begins = {state.week_begins.get(person, "monday") for person in state.persons}
    return DashboardDefaults(
        zone=ZONE,
        week_begins=begins.pop() if len(begins) == 1 else "",
        person=state.persons[0],
        site="" if store == "sqlite" else SITE,
        sensors=sensors,
    )


__all__ = ["SITE", "STATES", "STORES", "Homes", "State", "data_source", "defaults", "drawable"]
