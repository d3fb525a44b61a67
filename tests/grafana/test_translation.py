"""Dashboards in another language: what is shown is said in it, and what is asked stays as it is."""

import json
from itertools import chain
from typing import Any

import pytest

from ingest.collect.strap_state import NUMBERS
from ingest.grafana.boards import dashboards
from ingest.grafana.dashboard import DashboardDefaults, dashboard_json
from ingest.grafana.provisioning import DataSource, influxdb, sqlite, victoriametrics
from ingest.grafana.row_words import OUTCOMES, ROW_WORDS, STRAP_STATES
from ingest.grafana.unit import translated_unit, unit_of, words_of
from ingest.language import languages
from ingest.rows.table import TABLES
from ingest.rows.week import NO_REASON
from tests.support.languages import said, speaking

Json = dict[str, Any]

SOURCES = (
    sqlite("/a/hartslag.db"),
    influxdb("http://a:1", "b", has_token=False, has_sites=True),
    victoriametrics("http://a:1", has_token=False, has_sites=True),
)
NAMES = {"strap A0:9E:1A:8A:3F:9C": "Light", "garmin-7-monitoring": 'Anna\'s "Done"'}
"""What an owner may call sensors: words of ours, too."""

each_source = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
each_language = pytest.mark.parametrize("language", [one for one in languages() if one != "en"])


def boards(source: DataSource, language: str) -> list[Json]:
    defaults = DashboardDefaults(sensors=NAMES)
    with speaking(language):
        return [dashboard_json(d, source.language, source.uid, defaults) for d in dashboards(source.language)]


@each_source
@each_language
def test_what_is_asked_is_the_same_in_every_language(source: DataSource, language: str) -> None:
    """Protects links, bookmarks and questions: words of a language, quotes and all, reach no store and no address."""
    for one, other in zip(boards(source, "en"), boards(source, language), strict=True):
        for key in ("uid", "tags", "time", "timezone", "weekStart", "refresh"):
            assert one[key] == other[key]
        assert [v | {"label": ""} for v in one["templating"]["list"]] == [
            v | {"label": ""} for v in other["templating"]["list"]
        ]
        for panel, translated in zip(one["panels"], other["panels"], strict=True):
            for key in ("id", "type", "gridPos", "datasource", "targets", "transformations", "timeFrom"):
                assert panel.get(key) == translated.get(key)
        assert addresses(one) == addresses(other)


def addresses(value: Any) -> list[str]:
    """All addresses of links in it, in order."""
    if isinstance(value, dict):
        own = [value["url"]] if "url" in value else []
        return own + list(chain.from_iterable(map(addresses, value.values())))
    return list(chain.from_iterable(map(addresses, value))) if isinstance(value, list) else []


@each_source
@each_language
def test_every_column_has_a_name_of_its_own(source: DataSource, language: str) -> None:
    """Protects legends and tables: no two columns of a panel are called the same, and none as another is in English."""
    for board in boards(source, language):
        for panel in board["panels"]:
            names = {
                o["matcher"]["options"]: p["value"]
                for o in panel["fieldConfig"]["overrides"]
                if o["matcher"]["id"] == "byName"
                for p in o["properties"]
                if p["id"] == "displayName"
            }
            assert len(set(names.values())) == len(names), panel["title"]
            others = {name: text for name, text in names.items() if name != text}
            assert not set(others.values()) & set(names), panel["title"]


@each_source
def test_each_column_that_is_read_has_its_dutch_name(source: DataSource) -> None:
    """Protects a table from English above Dutch: every column of the list of workouts that is not hidden is named."""
    history = next(b for b in boards(source, "nl") if b["uid"].endswith("-history"))
    panel = next(p for p in history["panels"] if p["title"] == "Trainingen")
    names = {
        o["matcher"]["options"]: p["value"]
        for o in panel["fieldConfig"]["overrides"]
        for p in o["properties"]
        if p["id"] == "displayName"
    }
    assert names == {
        "Time": "Tijd",
        "Duration": "Duur",
        "Minutes": "Minuten",
        "Moderate": "Matig",
        "Vigorous": "Zwaar",
        "Mean": "Gemiddeld",
        "Highest": "Hoogste",
        "Load": "Belasting",
        "Recovery": "Herstel",
    }


@each_source
@each_language
def test_a_band_lies_between_lines_by_their_names(source: DataSource, language: str) -> None:
    """Protects the band of moderate: Grafana finds its lower edge by what that is called on the panel."""
    found = 0
    for panel in chain.from_iterable(b["panels"] for b in boards(source, language)):
        properties = [p for o in panel["fieldConfig"]["overrides"] for p in o["properties"]]
        names = {p["value"] for p in properties if p["id"] == "displayName"}
        below = {p["value"] for p in properties if p["id"] == "custom.fillBelowTo"}
        assert below <= names, panel["title"]
        found += len(below)
    assert found >= 5


@each_source
@each_language
def test_names_of_the_owners_own_are_left_as_they_are(source: DataSource, language: str) -> None:
    """Protects what an owner calls a sensor, be it a word that we translate elsewhere."""
    text = json.dumps(boards(source, language), ensure_ascii=False)
    for name in NAMES.values():
        assert json.dumps(name) in text


def test_all_that_rows_say_of_straps_and_weeks_has_words() -> None:
    """Protects tables and bands from English among other words: each state of a strap, and a week without a reason, is marked."""
    assert set(STRAP_STATES) == set(NUMBERS)
    assert ROW_WORDS["week", "not_judged"] == (NO_REASON,)
    assert all(field in TABLES[table].fields for table, field in ROW_WORDS)
    assert all(said(word, "nl") != word for word in (*OUTCOMES, *STRAP_STATES))


@pytest.mark.parametrize("words", ["{} min so far", "of {}", "{}"])
def test_a_unit_is_the_words_around_a_number(words: str) -> None:
    """Protects sentences with a number in them: what Grafana is told says the same again."""
    unit = unit_of(words)
    assert words_of(unit) == (None if words == "{}" else words)


@pytest.mark.parametrize("words", ["still {} min", "minutes"])
def test_a_number_stands_at_an_end(words: str) -> None:
    """Protects a sentence of a new language: Grafana puts words before a number or behind it, and not on both sides."""
    with pytest.raises(ValueError, match="at one of its ends"):
        unit_of(words)


def test_units_of_grafanas_own_stay() -> None:
    """Protects percent and durations, which Grafana writes by itself; words of ours are said in the language."""
    with speaking("nl"):
        found = [translated_unit(unit) for unit in ("percent", "suffix:h", "prefix:of ", "suffix:days left")]
    assert found == ["percent", "suffix:u", "prefix:van ", "suffix:dagen te gaan"]
