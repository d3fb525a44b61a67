"""Every panel's question put to every store, filled with the same home: what is drawn is what happened, in words as people read them."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.grafana.boards import dashboards
from ingest.grafana.dashboard import DashboardDefaults, dashboard_json
from ingest.grafana.provisioning import DataSource, influxdb, victoriametrics
from ingest.grafana.query import Latest, Lines
from tests.support.grafana_panels import (
    STORES,
    YEARS,
    Board,
    Filled,
    Open,
    board,
    fill,
    looking,
    panels,
    the_only,
    values,
)
from tests.support.grafana_queries import Looking, Store, drawn, offered
from tests.support.grafana_stores import (
    ANNA,
    NOW,
    ODD,
    PAUSED,
    PEOPLE,
    PLACE,
    SECOND_STRAP,
    SOURCES,
    STRAP,
    WEEKS,
    bpm_at,
    tell,
    week_ms,
)
from tests.support.grafana_words import cells, line_names, texts
from tests.support.households import DAY, HOUR, MINUTE, Event, Noted, S, household, steady
from tests.support.servers import InfluxDB, VictoriaMetrics
from zones.dose import full_minutes

each_store = pytest.mark.parametrize("store", STORES)

MODERATE_BPM, VIGOROUS_BPM = round(0.64 * 180), round(0.77 * 180)


@pytest.fixture(scope="module")
def stores(filled: Filled) -> Open:
    return filled.stores


@pytest.fixture(scope="module")
def truth(filled: Filled) -> dict[tuple[str, str], dict[str, Any]]:
    return filled.truth


# --- everywhere ---


@each_store
def test_the_pickers_offer_everybody(stores: Open, store: str) -> None:
    """Protects the way in: everybody can be picked, whatever time is shown."""
    source, place = stores[store]
    for one in dashboards(source.language):
        content = dashboard_json(one, source.language, source.uid, DashboardDefaults())
        for variable in content["templating"]["list"]:
            found = offered(place, variable, looking(ANNA, NOW - DAY, NOW + 5 * DAY))
            assert found == (PEOPLE if variable["name"] == "person" else [])


@each_store
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
    """Protects what is true from where it is kept: each panel draws the same of each store, for everybody, at all times."""
    spans = [week_ms(first) for first in WEEKS.values()]
    first, second = (week_ms(WEEKS[name])[0] for name in ("october 2025", "november 2025"))
    spans += [
        (first, second),
        (first + 1, second + 1),
        (NOW - 370 * DAY, NOW),
        (NOW - 7 * DAY, NOW),
        (spans[-1][0], NOW),
        (spans[2][0] + 1, spans[2][0] + DAY),
    ]
    one_week = {*map(week_ms, WEEKS.values()), (spans[-2][0], NOW)}
    compared = 0
    for name in ("week", "now", "history", "workout", "collectors"):
        boards = {s: panels(stores[s][0], name) for s in ("sqlite", store)}
        for title in boards["sqlite"]:
            for person in PEOPLE if name == "week" else (ANNA, ODD):
                # What a dashboard without a picker shows is one week.
                for span in spans if name not in {"week", "now"} else [s for s in spans if s in one_week]:
                    looks = looking(person, *span)
                    wanted = told(stores["sqlite"], name, boards["sqlite"][title], looks)
                    found = told(stores[store], name, boards[store][title], looks)
                    assert_same(found, wanted, f"{title}, {person}, {span}")
                    compared += len(wanted)
    assert compared > 10_000


def told(store: tuple[DataSource, Store], name: str, panel: Any, looks: Looking) -> list[tuple[Any, ...]]:
    """Every number that a panel draws, with where it stands: time, sensor, name. Texts are told of by other tests."""
    source, place = store
    if panel["type"] == "stat":
        return [(None, "", text, 0.0) for text in texts(panel, drawn(place, panel, looks))]
    (spec,) = [
        p
        for d in dashboards(source.language)
        if d.name == name
        for p in d.panels
        if p.title == panel["title"] and p.type == panel["type"]
    ]
    found = []
    for frame in drawn(place, panel, looks):
        # Files that came within a millisecond are told apart by microseconds, and VictoriaMetrics has none. A word has
        # no time, nor has what was known all along.
        timeless = (
            isinstance(spec.queries.get(frame.ref), Latest)
            or name == "collectors"
            or "Time" not in frame.names
        )
        timeless = timeless or panel["title"] == "How far"
        sensors = next((frame[n] for n in ("Sensor", "From", "source") if n in frame.names), None)
        for column in frame.columns:
            if column.name in {"Time", "Sensor", "From", "source"}:
                continue
            # Of a week that is not judged, no bar or one without a height.
            heights = column.name == "Target met"
            sensor = column.labels.get("source", "") if isinstance(spec.queries.get(frame.ref), Lines) else ""
            found += [
                (
                    None if timeless else frame["Time"][i],
                    sensors[i] if sensors else sensor,
                    "" if sensor else column.name,
                    float(value),
                )
                for i, value in enumerate(column.values)
                if value is not None and not isinstance(value, str) and (value or not heights)
            ]
    return sorted(found, key=str)


def assert_same(found: list[tuple[Any, ...]], wanted: list[tuple[Any, ...]], what: str) -> None:
    assert len(found) == len(wanted), (what, found[:5], wanted[:5])
    for a, b in zip(found, wanted, strict=True):
        assert a[:3] == b[:3], what
        assert a[3] == pytest.approx(b[3], rel=1e-9, abs=1e-9), what


@each_store
def test_sensors_are_called_by_their_names(stores: Open, store: str) -> None:
    """Protects who does not know addresses: sensors have the names that people gave them, or a plain word, and no other."""
    said: dict[bool, list[str]] = {}
    for named in (False, True):
        said[named] = []
        for name, span in (
            ("now", (week_ms(WEEKS["this week"])[0], NOW)),
            ("history", YEARS),
            ("workout", YEARS),
        ):
            shown = board(stores, store, name, span, named=named)
            for title, panel in shown.panels.items():
                frames = shown.frames(title)
                said[named] += line_names(panel, frames) if panel["type"] == "timeseries" else []
                if panel["type"] == "table":
                    said[named] += [str(text) for line in cells(panel, frames) for text in line.values()]
        for text in said[named]:
            assert not any(source in text for source in SOURCES), text
    assert {"Strap", "Watch, workouts"} <= set(said[False])
    assert {"Anna's Polar", "The old one", "Forerunner 965, workouts", "Watch, workouts"} <= set(said[True])
    assert not {"Anna's Polar", "The old one"} & set(said[False])


# --- Now ---


@each_store
def test_the_heart_rate_is_that_of_the_strap_that_is_believed(stores: Open, store: str) -> None:
    """Protects who trains with two straps on: large stands the one that counts, below it both by name."""
    shown = board(stores, store, "now", (week_ms(WEEKS["this week"])[0], NOW), named=True)
    assert shown.texts("Heart rate") == [f"{bpm_at(NOW - S)} bpm"]
    assert shown.texts("Sensors now") == [f"{bpm_at(NOW - S)} bpm", "71 bpm"]
    (frame,) = shown.frames("Sensors now")
    assert frame["source"] == [STRAP, SECOND_STRAP]


@each_store
def test_what_is_older_than_half_a_minute_is_not_now(stores: Open, store: str) -> None:
    """Protects from a heart rate that stands still: when the strap is taken off there is none, and the words say so."""
    start = week_ms(WEEKS["this week"])[0]
    for after_s, worn in ((1, True), (28, True), (30, False), (3600, False)):
        shown = board(stores, store, "now", (start, NOW + after_s * S))
        assert shown.texts("Heart rate") == ([f"{bpm_at(NOW - S)} bpm"] if worn else ["No sensor worn"])
        assert (shown.texts("Zone") == ["No zone now"]) == (not worn)
        assert (shown.texts("Sensors now") == ["No sensor worn"]) == (not worn)


@each_store
def test_the_zone_is_a_word(stores: Open, store: str) -> None:
    """Protects who sees no colours: at a limit a heart rate is in the zone above it, just below in the one below."""
    start = week_ms(WEEKS["this week"])[0]
    for bpm, word in (
        (100, "Light"),
        (MODERATE_BPM - 1, "Light"),
        (MODERATE_BPM, "Moderate"),
        (MODERATE_BPM + 1, "Moderate"),
        (VIGOROUS_BPM - 1, "Moderate"),
        (VIGOROUS_BPM, "Vigorous"),
        (VIGOROUS_BPM + 1, "Vigorous"),
        (159, "Vigorous"),
    ):
        at = next(t for t in range(NOW - 5 * MINUTE, NOW, S) if bpm_at(t) == bpm)
        shown = board(stores, store, "now", (start, at + S // 2))
        assert shown.texts("Heart rate") == [f"{bpm} bpm"]
        assert shown.texts("Zone") == [word], bpm


@each_store
def test_now_adds_up_to_workout_day_and_week(stores: Open, truth: Any, store: str) -> None:
    """Protects the question asked while one trains: how much it is already, and how much is to go."""
    start = week_ms(WEEKS["this week"])[0]
    said = truth[ANNA, WEEKS["this week"]]
    shown = board(stores, store, "now", (start, NOW))
    # Not today were Monday's workout, the ten vigorous minutes before it, and ten of the watch that is worn all day.
    today = said["dose_min"] - (25 + len(WEEKS) - 1) - 20 - 10
    assert today > 0
    minutes = shown.texts("Minutes")
    assert minutes[0].endswith(" in this workout")
    assert minutes[1:] == [
        f"{full_minutes(today)} min today",
        f"{said['target_min'] - said['to_go_min']:.0f} min this week",
        f"{said['to_go_min']} min to go",
    ]
    later = board(stores, store, "now", (start, NOW + 11 * MINUTE))
    assert later.texts("Minutes") == minutes[1:]
    met = board(stores, store, "now", week_ms(WEEKS["october 2026"]))
    assert met.texts("Minutes")[-1] == "✓ enough for this week"


@each_store
def test_the_heart_rate_stands_between_the_limits_in_force(stores: Open, store: str) -> None:
    """Protects the live curve: every sample of the last hour, none of another time, and the limits of the person."""
    shown = board(stores, store, "now", (week_ms(WEEKS["this week"])[0], NOW), named=True)
    frames = shown.frames("Heart rate, last hour")
    lines = {f.columns[1].labels["source"]: f for f in frames if f.ref == "A"}
    assert {source: len(f["Time"]) for source, f in lines.items()} == {STRAP: 40 * 60, SECOND_STRAP: 600}
    assert lines[STRAP].columns[1].values[-1] == bpm_at(NOW - S)
    assert lines[STRAP]["Time"][-1] == NOW - S
    limits = {f.ref: f.columns[-1].values for f in frames if f.ref != "A"}
    assert {ref: set(values) for ref, values in limits.items()} == {
        "M": {MODERATE_BPM},
        "T": {VIGOROUS_BPM},
        "V": {VIGOROUS_BPM},
    }
    # A band is only drawn between lines that have points within the time shown.
    assert all(len(values) >= 4 for values in limits.values())
    names = line_names(shown.panels["Heart rate, last hour"], frames)
    assert sorted(names) == ["Anna's Polar", "Moderate", "Moderate from", "The old one", "Vigorous from"]


# --- Workout ---


@each_store
def test_a_workout_shows_its_pauses_and_the_watchs_own_word(stores: Open, store: str) -> None:
    """Protects honesty about one workout: our minutes, the watch's claim beside them, and when its timer stood still."""
    span = (PAUSED, PAUSED + 30 * MINUTE)
    shown = board(stores, store, "workout", span, named=True)
    assert sorted(shown.texts("This workout")) == sorted(
        [
            "running",
            "25 min long",
            "counts as 25",
            "25 min moderate",
            "125 bpm on average",
            "126 bpm at most",
        ]
    )
    assert shown.texts("What the watch says of it") == ["12 min moderate", "0 min vigorous"]
    (pause,) = shown.cells("Pauses, if any")
    assert pause == {
        "From": f"{datetime.fromtimestamp((PAUSED + 10 * MINUTE) / 1000, PLACE):%H:%M:%S}",
        "Sensor": "Forerunner 965, workouts",
        "Lasted": "300",
    }
    (sensor,) = shown.cells("Sensors")
    assert (sensor["Sensor"], sensor["Minutes"]) == ("Forerunner 965, workouts", "25 min")
    curve = shown.frames("Heart rate")
    (line,) = [f for f in curve if f.ref == "A"]
    assert (line["Time"][0], line["Time"][-1]) == (span[0], span[1] - S)
    assert {f.columns[-1].values[-1] for f in curve if f.ref in {"M", "V"}} == {MODERATE_BPM, VIGOROUS_BPM}
    without = board(stores, store, "workout", (NOW - 41 * MINUTE, NOW))
    nothing = without.panels["What the watch says of it"]["fieldConfig"]["defaults"]["noValue"]
    assert without.texts("What the watch says of it") == [nothing]
    assert without.cells("Pauses, if any") == []


# --- Collectors ---


@each_store
def test_straps_tell_how_they_are(stores: Open, store: str) -> None:
    """Protects the battery that runs out and the strap that fell silent: the newest word is shown, and the way there."""
    shown = board(stores, store, "collectors", (NOW - 7 * DAY, NOW), named=True)
    (sensor,) = shown.cells("Sensors")
    assert sensor == {
        "Sensor": f"Anna's Polar ({STRAP})",
        "State": "silent",
        "Battery": "14%",
        "Signal": "-66 dBm",
        "Connected anew": "0",
    }
    found = {}
    for title in ("Straps over time", "Batteries over time", "Signal", "Gaps in what straps sent"):
        (line,) = shown.frames(title)
        assert line.columns[1].labels["source"] == STRAP
        assert line_names(shown.panels[title], [line]) == ["Anna's Polar"]
        found[title] = line.columns[1].values
    assert found == {
        "Straps over time": [1, 3, 3, 3, 3, 3, 4],
        "Batteries over time": [19, 18, 17, 16, 15, 14],
        "Signal": [-61, -62, -63, -64, -65, -66],
        "Gaps in what straps sent": [0, 1, 0, 1, 0, 1, 0],
    }
    (meanings,) = shown.panels["Straps over time"]["fieldConfig"]["defaults"]["mappings"]
    assert [meanings["options"][str(n)]["text"] for n in (1, 3, 4)] == ["searching", "connected", "silent"]
    (newest,) = shown.frames("Newest minute in this store")
    assert newest["Time"][-1] == NOW // MINUTE * MINUTE


@each_store
def test_files_tell_what_became_of_them(stores: Open, store: str) -> None:
    """Protects who copied a file in: its name, what became of it, why, and that nothing waits any more."""
    shown = board(stores, store, "collectors", (NOW - 7 * DAY, NOW), ODD)
    lines = shown.cells("What came in")
    assert list(lines[0]) == ["Time", "File", "Outcome", "Samples", "Why"]
    assert [(line["File"], line["Outcome"], line["Samples"]) for line in lines] == [
        ("a.fit", "stored", "0"),
        ("a.fit", "partial", "0"),
    ]
    assert shown.texts("Files still waiting") == ["0"]
    assert [w.isdigit() for w in shown.texts("Position in the journal")] == [True]
    assert "None" not in str(lines)


# --- Fleet ---


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """Servers that two Pis write to, in each of which somebody is called Anna."""
    folder = tmp_path_factory.mktemp("sites")
    with InfluxDB(folder / "influxdb") as influx, VictoriaMetrics(folder / "victoriametrics") as victoria:
        for site, hours in (("room-1", 20), ("room-2", 30)):
            _write_site(folder, site, hours, [influx, victoria])
        yield {
            "influxdb": (influxdb(influx.url, "hartslag", has_token=False, has_sites=True), influx),
            "victoriametrics": (victoriametrics(victoria.url, has_token=False, has_sites=True), victoria),
        }


def _write_site(folder: Path, site: str, hours: int, servers: list[InfluxDB | VictoriaMetrics]) -> None:
    start = NOW - hours * HOUR
    events: list[Event] = [
        Noted(ANNA, (("maximum_bpm", 180), ("zone", "Europe/Amsterdam"))),
        *([Noted(ODD, (("maximum_bpm", 180),))] if site == "room-2" else []),
        steady(ANNA, start, hours * 60, 125),
        steady(ODD, start, 60, 125) if site == "room-2" else steady(ANNA, start - HOUR, 60, 60),
    ]
    with household(folder / site, events) as journal:
        tell(journal, ANNA, f"strap of {site}")
        for server in servers:
            fill(server, journal, folder / f"{site} {server.port}", site)


@pytest.mark.parametrize("store", STORES[1:])
def test_two_sites_are_not_mixed_and_both_are_shown(sites: Open, store: str) -> None:
    """Protects a clinic: people of one name in two places stay apart, and a Pi that has fallen silent is seen."""
    source, place = sites[store]
    week = next(d for d in dashboards(source.language) if d.name == "week")
    content = dashboard_json(week, source.language, source.uid, DashboardDefaults())
    site, person = content["templating"]["list"]
    for name, dose, people in (("room-1", 20, [ANNA]), ("room-2", 30, [ANNA, ODD])):
        looks = Looking(week_ms(WEEKS["this week"])[0], NOW, {"person": ANNA, "site": name, "now": str(NOW)})
        assert offered(place, site, looks) == ["room-1", "room-2"]
        assert offered(place, person, looks) == people
        shown = Board(sites[store], "week", looks)
        assert shown.texts("Enough?") == [f"{150 - dose} to go"]
        assert the_only(shown.rows("How far"))["Done"] == pytest.approx(dose)
    fleet = Board(sites[store], "fleet", Looking(NOW - 30 * DAY, NOW))
    (newest,) = fleet.frames("Newest minute of each site")
    assert newest.names == ["Site", "Newest minute"]
    ends = {site: NOW - hours * HOUR + hours * MINUTE for site, hours in (("room-1", 20), ("room-2", 30))}
    assert sorted(newest.rows()) == sorted((site, end // MINUTE * MINUTE) for site, end in ends.items())
    frames = {title: fleet.frames(title) for title in fleet.panels}
    assert {t: [sorted(f.rows()) for f in them] for t, them in frames.items() if "Newest" not in t} == {
        "Straps of each site": [[("room-1", "strap of room-1", 4), ("room-2", "strap of room-2", 4)]],
        "Batteries of each site": [[("room-1", "strap of room-1", 14), ("room-2", "strap of room-2", 14)]],
        "Files waiting at each site": [],
    }
    assert [line["State"] for line in fleet.cells("Straps of each site")] == ["silent", "silent"]
    (word,) = frames["Newest word of each site"]
    assert [at // MINUTE for _, at in sorted(word.rows())] == [(NOW - 4 * MINUTE) // MINUTE] * 2
