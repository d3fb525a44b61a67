"""Every panel's question put to every store, filled with the same home: what it draws is what `week --json` says."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ingest.grafana.boards import dashboards
from ingest.grafana.dashboard import DashboardDefaults, dashboard_json
from ingest.grafana.provisioning import DataSource, influxdb, sqlite, victoriametrics
from ingest.grafana.query import Latest, Lines
from ingest.journal import Journal
from ingest.settings.model import InfluxSettings
from ingest.stores.following import follow
from ingest.stores.influx.store import InfluxStore
from ingest.stores.sqlite import SqliteStore
from ingest.verbs.week_answer import week_answers
from tests.support.grafana_queries import Frame, Json, Looking, Store, drawn, offered
from tests.support.grafana_stores import ANNA, NOW, ODD, WEEKS, happenings, tell, week_ms
from tests.support.households import DAY, HOUR, MINUTE, Event, Noted, household, steady
from tests.support.servers import InfluxDB, VictoriaMetrics

Open = dict[str, tuple[DataSource, Store]]


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journal]:
    """The home's journal."""
    with household(tmp_path_factory.mktemp("home"), happenings()) as opened:
        tell(opened, ANNA)
        yield opened


@pytest.fixture(scope="module")
def stores(journal: Journal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """Each store, filled from the journal; the servers as the settings of a Pi without a site would have it."""
    folder = tmp_path_factory.mktemp("stores")
    path = folder / "hartslag.db"
    with SqliteStore(path) as store:
        follow(journal, store)
    with InfluxDB(folder / "influxdb") as influx, VictoriaMetrics(folder / "victoriametrics") as victoria:
        for server in (influx, victoria):
            fill(server, journal, folder / f"ledger {server.port}")
        yield {
            "sqlite": (sqlite(str(path)), path),
            "influxdb": (influxdb(influx.url, "hartslag", has_token=False, has_sites=True), influx),
            "victoriametrics": (victoriametrics(victoria.url, has_token=False, has_sites=True), victoria),
        }


def fill(server: InfluxDB | VictoriaMetrics, journal: Journal, folder: Path, site: str | None = None) -> None:
    """Have a server hold what is in a journal."""
    folder.mkdir()
    with closing(InfluxStore(InfluxSettings(url=server.url, site=site), folder)) as store:
        follow(journal, store)
        store.maintain()
    if isinstance(server, VictoriaMetrics):
        server.flush()


STORES = ["sqlite", "influxdb", "victoriametrics"]


def panels(source: DataSource, name: str) -> dict[str, Json]:
    """The panels of a dashboard, by title."""
    (one,) = [d for d in dashboards(source.language) if d.name == name]
    return {
        p["title"]: p for p in dashboard_json(one, source.language, source.uid, DashboardDefaults())["panels"]
    }


def looking(person: str, from_ms: int, to_ms: int) -> Looking:
    return Looking(from_ms, to_ms, {"person": person, "site": "", "now": str(NOW)})


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
    (one,) = found.values()
    return one


@pytest.fixture(scope="module")
def truth(journal: Journal) -> dict[tuple[str, str], dict[str, Any]]:
    """What `hartslag week --json` says of each week, by person and first day."""
    rows = json.loads(json.dumps([row.json() for row in week_answers(journal, journal.persons(), 100, NOW)]))
    return {(row["person"], row["from"]): row for row in rows}


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("week", WEEKS)
def test_a_week_is_what_hartslag_says(stores: Open, truth: Any, store: str, week: str) -> None:
    """Protects the one number that matters, in the weeks that databases get wrong: whoever looks, it is the same."""
    source, place = stores[store]
    board = panels(source, "week")
    said = truth[ANNA, WEEKS[week]]
    looks = looking(ANNA, *week_ms(WEEKS[week]))
    enough = the_only(values(drawn(place, board["Was it enough?"], looks)))
    numbers = the_only(values(drawn(place, board["The week in numbers"], looks)))
    assert enough["This week, at least"] == pytest.approx(said["dose_min"])
    assert enough.get("Target") == (said["target_min"] if said["judged"] else None)
    assert numbers == pytest.approx(
        {
            "Moderate": said["moderate_min"],
            "Vigorous": said["vigorous_min"],
            "Active days": said["active_days"],
            "Measured": said["measured_min"] / 60,
        }
    )
    assert said["judged"] == (week != "not judged")


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("week", WEEKS)
def test_days_add_up_to_the_week(stores: Open, truth: Any, store: str, week: str) -> None:
    """Protects the bars by day: none is missing, none belongs to the neighbours, and a day with nothing has none."""
    source, place = stores[store]
    board = panels(source, "week")
    said = truth[ANNA, WEEKS[week]]
    start, end = week_ms(WEEKS[week])
    found: dict[int, dict[str, Any]] = {}
    for title in (t for t in board if " by day" in t or t.startswith("Not counted")):
        for time, row in values(drawn(place, board[title], looking(ANNA, start, end))).items():
            found.setdefault(time, {}).update(row)
    sums = {name: sum(row[name] for row in found.values()) for name in found[start]}
    assert sums == pytest.approx(
        {
            "Moderate": said["moderate_min"],
            "Vigorous": said["vigorous_min"],
            "Measured": said["measured_min"] / 60,
            "Without movement": said["elevated_min"],
            "Limits not known": said["unclassified_min"],
        }
    )
    assert sums["Without movement"] > 0
    assert all(start <= time <= end for time in found)
    assert len(found) == (3 if week == "this week" else 4)
    assert all(row["Measured"] > 0 for row in found.values())


@pytest.mark.parametrize("store", STORES)
def test_a_range_has_its_beginning_and_not_its_end(stores: Open, truth: Any, store: str) -> None:
    """Protects who looks from midnight to midnight: one week is one week, whose stamp is its first moment."""
    source, place = stores[store]
    panel = panels(source, "history")["Weeks against the target"]
    first, second = (week_ms(WEEKS[name])[0] for name in ("october 2025", "november 2025"))
    for begins, ends, wanted in (
        (first, second, ["october 2025"]),
        (first + 1, second, []),
        (first + 1, second + 1, ["november 2025"]),
        (first, second + 1, ["october 2025", "november 2025"]),
    ):
        found = values(drawn(place, panel, looking(ANNA, begins, ends)))
        doses = [truth[ANNA, WEEKS[name]]["dose_min"] for name in wanted]
        assert [found[time]["Minutes, at least"] for time in sorted(found)] == pytest.approx(doses)


@pytest.mark.parametrize("store", STORES)
def test_two_persons_are_not_mixed(stores: Open, truth: Any, store: str) -> None:
    """Protects one person's numbers from another's, also for a name with quotes, commas and brackets in it."""
    source, place = stores[store]
    board = panels(source, "history")
    for person in (ANNA, ODD):
        looks = looking(person, NOW - 500 * DAY, NOW)
        weeks = values(drawn(place, board["Weeks against the target"], looks))
        said = sorted(row["dose_min"] for (name, _), row in truth.items() if name == person)
        assert len(said) >= len(WEEKS)
        assert sorted(row["Minutes, at least"] for row in weeks.values()) == pytest.approx(said)
        assert {row.get("Target") for row in weeks.values()} <= {90.0 if person == ANNA else 60.0, None}


@pytest.mark.parametrize("store", STORES)
def test_the_pickers_offer_everybody(stores: Open, store: str) -> None:
    """Protects the way in: both persons can be picked, whatever time is shown."""
    source, place = stores[store]
    for one in dashboards(source.language):
        content = dashboard_json(one, source.language, source.uid, DashboardDefaults())
        for variable in content["templating"]["list"]:
            found = offered(place, variable, looking(ANNA, NOW - DAY, NOW + 5 * DAY))
            assert found == ([ANNA, ODD] if variable["name"] == "person" else [])


@pytest.mark.parametrize("store", STORES)
def test_the_heart_rate_stands_between_the_limits_in_force(stores: Open, store: str) -> None:
    """Protects the live panel: every sample of the last hour, none of another time, and the limits of the person."""
    source, place = stores[store]
    board = panels(source, "week")
    looks = looking(ANNA, *week_ms(WEEKS["this week"]))
    frames = drawn(place, board["Heart rate, last hour"], looks)
    lines = {f.ref: f for f in frames}
    assert lines["A"].columns[1].labels["source"] == "strap"
    assert len(lines["A"]["Time"]) == 40 * 60
    assert lines["A"].columns[1].values[-1] == 100 + (NOW - 1000) // 1000 % 37
    assert lines["A"]["Time"][-1] == NOW - 1000
    assert lines["M"].columns[-1].values == [round(0.64 * 180)]
    assert lines["V"].columns[-1].values == [round(0.77 * 180)]
    limits = drawn(place, board["Limits in force"], looks)
    assert {f.columns[-1].name: f.columns[-1].values[-1] for f in limits} == {
        "Moderate from": round(0.64 * 180),
        "Vigorous from": round(0.77 * 180),
    }
    (now,) = drawn(place, board["Heart rate now"], looks)
    assert now.columns[1].values[-1] == lines["A"].columns[1].values[-1]
    day = values([f for f in drawn(place, board["Heart rate, last 24 hours"], looks) if f.ref == "A"])
    worn = [row["Heart rate"] for time, row in day.items() if time >= NOW - 41 * 60_000]
    assert len(worn) == 41
    assert all(100 <= bpm < 137 for bpm in worn)


@pytest.mark.parametrize("store", STORES)
def test_tables_are_read_line_by_line(stores: Open, store: str) -> None:
    """Protects workouts and files as sentences: newest first, what belongs together in one line, words and all."""
    source, place = stores[store]
    looks = looking(ANNA, NOW - 7 * DAY, NOW)
    (workouts,) = drawn(place, panels(source, "history")["Workouts"], looks)
    wanted = ["Time", "Sensor", "Sport", "Duration", "Mean", "Highest", "Moderate", "Vigorous", "Minutes"]
    assert [n for n in workouts.names if n not in {"Load", "Recovery"}] == wanted
    times = workouts["Time"]
    assert times == sorted(times, reverse=True)
    assert list(zip(workouts["Sensor"], workouts["Sport"], workouts["Duration"], strict=True)) == [
        ("strap", "running", 2400),
        ("watch 0", "running", 1500 + 60 * (len(WEEKS) - 1)),
        ("watch 0", "running", 1200),
        ("watch 1", "running", 2400),
    ]
    (files,) = drawn(place, panels(source, "collectors")["What came in"], looking(ODD, NOW - 7 * DAY, NOW))
    assert files.names == ["Time", "From", "Outcome", "Samples", "Waiting"]
    assert [row[1:] for row in files.rows()] == [("inbox", "stored", 0, 0), ("inbox", "partial", 0, 0)]
    (waiting,) = drawn(
        place, panels(source, "collectors")["Files still waiting"], looking(ODD, NOW - DAY, NOW)
    )
    assert waiting.columns[-1].values[-1] == 0


@pytest.mark.parametrize("store", STORES)
def test_straps_tell_how_they_are(stores: Open, store: str) -> None:
    """Protects the battery that runs out and the strap that fell silent: the newest word is shown, and the way there."""
    source, place = stores[store]
    board = panels(source, "collectors")
    looks = looking(ANNA, NOW - 7 * DAY, NOW)
    found = {}
    for title in ("Straps", "Straps over time", "Batteries", "Signal", "Gaps in what straps sent"):
        (line,) = drawn(place, board[title], looks)
        assert line.columns[1].labels["source"] == "strap"
        found[title] = line.columns[1].values
    assert found == {
        "Straps": [1, 3, 3, 3, 3, 3, 4],
        "Straps over time": [1, 3, 3, 3, 3, 3, 4],
        "Batteries": [19, 18, 17, 16, 15, 14],
        "Signal": [-61, -62, -63, -64, -65, -66],
        "Gaps in what straps sent": [0, 1, 0, 1, 0, 1, 0],
    }
    (meanings,) = board["Straps"]["fieldConfig"]["defaults"]["mappings"]
    assert [meanings["options"][str(n)]["text"] for n in (1, 3, 4)] == ["searching", "connected", "silent"]
    assert "None" not in str(drawn(place, board["What came in"], looks))


@pytest.mark.parametrize("store", STORES)
def test_before_anything_is_measured_every_panel_is_empty_and_none_fails(stores: Open, store: str) -> None:
    """Protects the first day: nobody to pick, nothing to draw, and words instead of an error."""
    source, place = stores[store]
    for one in dashboards(source.language):
        for panel in dashboard_json(one, source.language, source.uid, DashboardDefaults())["panels"]:
            frames = drawn(place, panel, Looking(0, 1000, {"person": "", "site": "", "now": "1000"}))
            assert values(frames) == {}
            assert panel["type"] == "text" or panel["fieldConfig"]["defaults"]["noValue"]


@pytest.mark.parametrize("store", STORES[1:])
def test_all_stores_draw_the_same(stores: Open, store: str) -> None:
    """Protects what is true from where it is kept: each panel draws the same of each store, for both, at all times."""
    spans = [week_ms(first) for first in WEEKS.values()]
    first, second = (week_ms(WEEKS[name])[0] for name in ("october 2025", "november 2025"))
    spans += [
        (first, second),
        (first + 1, second + 1),
        (NOW - 370 * DAY, NOW),
        (NOW - 7 * DAY, NOW),
        (spans[2][0] + 1, spans[2][0] + DAY),
    ]
    compared = 0
    for name in ("week", "history", "collectors"):
        for title in panels(stores["sqlite"][0], name):
            for person in (ANNA, ODD):
                for span in spans:
                    looks = looking(person, *span)
                    wanted = cells(stores["sqlite"], name, title, looks)
                    assert_same(
                        cells(stores[store], name, title, looks), wanted, f"{title}, {person}, {span}"
                    )
                    compared += len(wanted)
    assert compared > 10_000


def cells(store: tuple[DataSource, Store], name: str, title: str, looks: Looking) -> list[tuple[Any, ...]]:
    """Every number that a panel draws, with where it stands: time, sensor, name. Texts are for stores that have them."""
    source, place = store
    panel = panels(source, name)[title]
    (spec,) = [p for d in dashboards(source.language) if d.name == name for p in d.panels if p.title == title]
    found = []
    for frame in drawn(place, panel, looks):
        # Files that came within a millisecond are told apart by microseconds, and VictoriaMetrics has none.
        timeless = isinstance(spec.queries.get(frame.ref), Latest) or name == "collectors"
        sensors = next((frame[n] for n in ("Sensor", "From") if n in frame.names), None)
        for column in frame.columns:
            if column.name in {"Time", "Sensor", "From"}:
                continue
            sensor = column.labels.get("source", "") if isinstance(spec.queries.get(frame.ref), Lines) else ""
            here = [
                (
                    None if timeless else at,
                    sensors[i] if sensors else sensor,
                    "" if sensor else column.name,
                    float(value),
                )
                for i, (at, value) in enumerate(zip(frame["Time"], column.values, strict=True))
                if value is not None and not isinstance(value, str)
            ]
            # Of these one number is shown, the last.
            found += here[-1:] if panel["type"] in {"stat", "bargauge"} else here
    return sorted(found, key=str)


def assert_same(found: list[tuple[Any, ...]], wanted: list[tuple[Any, ...]], what: str) -> None:
    assert len(found) == len(wanted), what
    for a, b in zip(found, wanted, strict=True):
        assert a[:3] == b[:3], what
        assert a[3] == pytest.approx(b[3], rel=1e-9), what


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """Servers that two Pis write to, in each of which somebody is called Anna."""
    folder = tmp_path_factory.mktemp("sites")
    with InfluxDB(folder / "influxdb") as influx, VictoriaMetrics(folder / "victoriametrics") as victoria:
        for site, minutes in (("room-1", 20), ("room-2", 30)):
            start = NOW - minutes * HOUR
            events: list[Event] = [
                Noted(ANNA, (("maximum_bpm", 180), ("zone", "Europe/Amsterdam"))),
                *([Noted(ODD, (("maximum_bpm", 180),))] if site == "room-2" else []),
                steady(ANNA, start, minutes * 60, 125),
                steady(ODD, start, 60, 125) if site == "room-2" else steady(ANNA, start - HOUR, 60, 60),
            ]
            with household(folder / site, events) as journal:
                tell(journal, ANNA, f"strap of {site}")
                for server in (influx, victoria):
                    fill(server, journal, folder / f"{site} {server.port}", site)
        yield {
            "influxdb": (influxdb(influx.url, "hartslag", has_token=False, has_sites=True), influx),
            "victoriametrics": (victoriametrics(victoria.url, has_token=False, has_sites=True), victoria),
        }


@pytest.mark.parametrize("store", STORES[1:])
def test_two_sites_are_not_mixed_and_both_are_shown(sites: Open, store: str) -> None:
    """Protects a clinic: people of one name in two places stay apart, and a Pi that has fallen silent is seen."""
    source, place = sites[store]
    board = next(d for d in dashboards(source.language) if d.name == "week")
    site, person = dashboard_json(board, source.language, source.uid, DashboardDefaults())["templating"][
        "list"
    ]
    for name, dose, people in (("room-1", 20, [ANNA]), ("room-2", 30, [ANNA, ODD])):
        looks = Looking(*week_ms(WEEKS["this week"]), {"person": ANNA, "site": name, "now": str(NOW)})
        assert offered(place, site, looks) == ["room-1", "room-2"]
        assert offered(place, person, looks) == people
        found = the_only(values(drawn(place, panels(source, "week")["Was it enough?"], looks)))
        assert found["This week, at least"] == pytest.approx(dose)
    (newest,) = drawn(
        place, panels(source, "fleet")["Newest minute of each site"], Looking(NOW - 30 * DAY, NOW)
    )
    assert newest.names == ["Site", "Newest minute"]
    ends = {
        site: NOW - minutes * HOUR + minutes * MINUTE for site, minutes in (("room-1", 20), ("room-2", 30))
    }
    assert sorted(newest.rows()) == sorted((site, end // MINUTE * MINUTE) for site, end in ends.items())
    frames = {t: drawn(place, p, Looking(NOW - 30 * DAY, NOW)) for t, p in panels(source, "fleet").items()}
    assert {t: [sorted(f.rows()) for f in them] for t, them in frames.items() if "Newest" not in t} == {
        "Straps of each site": [[("room-1", "strap of room-1", 4), ("room-2", "strap of room-2", 4)]],
        "Batteries of each site": [[("room-1", "strap of room-1", 14), ("room-2", "strap of room-2", 14)]],
        "Files waiting at each site": [],
    }
    (word,) = frames["Newest word of each site"]
    assert [at // MINUTE for _, at in sorted(word.rows())] == [(NOW - 4 * MINUTE) // MINUTE] * 2
