"""The dashboards as files: what Grafana's own model makes of them, and what a person sees who sees badly."""

import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from ingest.grafana.boards import dashboards
from ingest.grafana.dashboard import DashboardDefaults, dashboard_json
from ingest.grafana.folder import default_files
from ingest.grafana.panel import MEASURED, MODERATE, PLAIN, SENSORS, STATE, VIGOROUS, WIDTH
from ingest.grafana.provisioning import influxdb, sqlite, victoriametrics
from ingest.grafana.query import fields_read
from ingest.rows.table import TABLES

Json = dict[str, Any]

ROOT = Path(__file__).parents[2]
SOURCES = (
    sqlite("/a/hartslag.db"),
    influxdb("http://a:1", "b", has_token=True, has_sites=True),
    victoriametrics("http://a:1", has_token=False, has_sites=False),
)
BOARDS = [
    dashboard_json(d, s.language, s.uid, DashboardDefaults()) for s in SOURCES for d in dashboards(s.language)
]
each_board = pytest.mark.parametrize("board", BOARDS, ids=lambda board: board["uid"])


def test_the_copies_in_config_are_those_of_the_specification() -> None:
    """Protects who copies config/grafana by hand: it is what hartslag itself would write. `make grafana` renews it."""
    folder = ROOT / "config" / "grafana"
    held = {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}
    assert held == default_files()


@each_board
def test_grafana_understands_every_word(board: Json) -> None:
    """Protects against settings that Grafana would silently leave out: its own model holds all that we say."""
    plugins.register_default_plugins()
    understood = json.loads(JSONEncoder().encode(Dashboard.from_json(board)))
    # What an annotation asks is its data source's own, as the targets of panels are; the model of Grafana has no words for it.
    theirs = re.compile(rf"\.definition$|^\.annotations\.list\[0\]\.({'|'.join(_QUESTIONS)})")
    assert [path for path in _missing(board, understood, "") if not theirs.search(path)] == []


_QUESTIONS = (
    "target",
    "query",
    "textColumn",
    "timeEndColumn",
    "tagsColumn",
    "titleColumn",
    "expr",
    "step",
    "titleFormat",
    "textFormat",
    "tagKeys",
    "useValueForTime",
)
"""The keys by which data sources keep the question of an annotation."""


def _missing(ours: Any, theirs: Any, path: str) -> Iterator[str]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in ours.items():
            if key in theirs:
                yield from _missing(value, theirs[key], f"{path}.{key}")
            else:
                yield f"{path}.{key}"
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            yield from _missing(a, b, f"{path}[{i}]")
    elif ours != theirs:
        yield path


@each_board
def test_it_works_untouched(board: Json) -> None:
    """Protects who only copies: fixed names for everything, nothing to be filled in, no panel that must be installed."""
    text = json.dumps(board)
    assert "${DS_" not in text
    assert "__inputs" not in board
    assert "id" not in board
    uids = {p["datasource"]["uid"] for p in board["panels"] if "datasource" in p}
    uids |= {v["datasource"]["uid"] for v in board["templating"]["list"]}
    (uid,) = uids
    assert board["uid"].startswith(uid)
    assert len(board["uid"]) <= 40
    core = {"barchart", "stat", "state-timeline", "table", "text", "timeseries"}
    assert {p["type"] for p in board["panels"]} <= core
    ids = [p["id"] for p in board["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in board["panels"]:
        refs = [t["refId"] for t in panel.get("targets", [])]
        assert len(set(refs)) == len(refs)


def test_no_two_dashboards_share_a_name() -> None:
    """Protects a Grafana with several stores in it: none of their dashboards takes the place of another."""
    uids = [board["uid"] for board in BOARDS]
    assert len(set(uids)) == len(uids)


@each_board
def test_panels_fill_the_page_without_overlapping(board: Json) -> None:
    """Protects the sight of the page: no panel lies on another, none begins beyond the edge."""
    places = [p["gridPos"] for p in board["panels"]]
    assert all(p["x"] >= 0 and p["x"] + p["w"] <= WIDTH for p in places)
    for a, b in combinations(places, 2):
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        above = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        assert beside or above, (a, b)


@each_board
def test_no_question_fails_for_want_of_rows(board: Json) -> None:
    """Protects who has only a watch: a time series without rows is an error of the SQLite plugin, and a red badge."""
    asked = [t for p in board["panels"] for t in p.get("targets", [])]
    asked += [a["target"] for a in board["annotations"]["list"] if "target" in a]
    kinds = {t["queryType"] for t in asked if t.get("datasource", {}).get("type", "").startswith("frser")}
    assert kinds == ({"table"} if "sqlite" in board["uid"] else set())


@each_board
def test_nothing_is_left_to_be_filled_in(board: Json) -> None:
    """Protects every click: addresses are whole, and each variable in them and in questions is one that there is."""
    text = json.dumps(board)
    assert re.findall(r"[^$]\{(?:uid|who|to_s)\}", text) == []
    own = {v["name"] for v in board["templating"]["list"]}
    built_in = {"__from", "__to", "__range_ms", "__data", "timeFilter"}
    used = set(re.findall(r"\$\{?(\w+)", text.replace("$tag_source", "").replace(")$", ")")))
    used = {name for name in used if not name.isdigit()}
    assert used <= own | built_in
    urls = re.findall(r'"url": "([^"]+)"', text)
    assert all(re.fullmatch(r"/d/hartslag-\w+-\w+(\?\S+)?", url) for url in urls), urls
    names = {b["uid"] for b in BOARDS}
    assert {url.split("?")[0].removeprefix("/d/") for url in urls} <= names
    for url in urls:
        # The link at the top of a dashboard takes the variables with it by itself.
        assert "now-1w/w" in url or "${person:queryparam}" in url


@each_board
def test_units_stand_one_space_from_their_numbers(board: Json) -> None:
    """Protects the sight of "66 bpm": Grafana puts a space before what stands behind a number, none behind what stands before."""
    for unit in re.findall(r'"(?:unit|value)": "((?:suffix|prefix):[^"]*)"', json.dumps(board)):
        sort, _, affix = unit.partition(":")
        assert affix.strip(), unit
        assert affix == (affix.strip() if sort == "suffix" else affix.strip() + " "), unit
        assert "  " not in affix


@each_board
def test_no_two_words_take_the_place_of_each_other(board: Json) -> None:
    """Protects sentences: each of their lines is another question, with an override of its own that says its words."""
    for panel in board["panels"]:
        if panel["type"] != "stat" or not panel["options"]["reduceOptions"]["values"]:
            continue
        overridden = [
            o["matcher"]["options"]
            for o in panel["fieldConfig"]["overrides"]
            if {p["id"] for p in o["properties"]} != {"mappings"}  # what stands in rows, said in words
        ]
        own = [name for name in overridden if name != "Value"]
        assert len(set(own)) == len(own), panel["title"]


def test_only_what_is_there_is_asked_for() -> None:
    """Protects from a slip of the pen that would only show as an empty panel: fields of tables, by their names."""
    asked = 0
    for source in SOURCES:
        for one in dashboards(source.language):
            for panel in one.panels:
                for query in panel.queries.values():
                    for table, fields in fields_read(query).items():
                        assert fields <= set(TABLES[table].fields), panel.title
                        asked += 1
    assert asked > 50


def _luminance(colour: str) -> float:
    """Of sRGB (WCAG 2.2, relative luminance)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("page", ["#ffffff", "#181b1f"], ids=["light", "dark"])
@pytest.mark.parametrize("colour", [MODERATE, VIGOROUS, MEASURED, PLAIN, STATE, *SENSORS])
def test_every_colour_stands_out_from_the_page(colour: str, page: str) -> None:
    """Protects who sees badly: the contrast that WCAG 2.2 asks of graphics, in Grafana's light and dark."""
    a, b = sorted((_luminance(colour), _luminance(page)))
    assert (b + 0.05) / (a + 0.05) >= 3


@each_board
def test_the_words_are_plain_and_promise_nothing(board: Json) -> None:
    """Protects the reader: every panel says what it shows and what its emptiness means, and none urges or diagnoses."""
    for panel in board["panels"]:
        if panel["type"] == "text":
            continue
        assert panel["title"]
        assert panel["fieldConfig"]["defaults"]["noValue"]
    said = json.dumps(
        [[p["title"], p["description"], p["options"].get("content", "")] for p in board["panels"]]
    )
    for word in (
        "sclerosis",
        " MS ",
        "must",
        "should",
        "disease",
        "relapse",
        "healthy",
        "danger",
        "try to",
        "goal",
    ):
        assert word not in said, word


@pytest.mark.parametrize(
    ("home", "shown"),
    [
        (DashboardDefaults(), ("now/w", "now", "monday")),
        (DashboardDefaults(week_begins="sunday"), ("now/w", "now", "sunday")),
        # Grafana has no weeks that begin on a Wednesday; seven whole days hold the beginning of exactly one.
        (DashboardDefaults(week_begins=""), ("now-6d/d", "now", "")),
    ],
)
def test_the_week_shown_is_the_persons_week(home: DashboardDefaults, shown: tuple[str, str, str]) -> None:
    """Protects this week's number for people whose week does not begin on Monday."""
    source = SOURCES[0]
    board = dashboard_json(dashboards(source.language)[0], source.language, source.uid, home)
    assert (board["time"]["from"], board["time"]["to"], board["weekStart"]) == shown


@each_board
def test_a_week_is_left_by_links_alone(board: Json) -> None:
    """Protects a week from the picker's arrow, which moves by half of what is shown under an unchanged headline."""
    shows_a_week = board["uid"].endswith(("-week", "-now"))
    assert board["timepicker"]["hidden"] == shows_a_week
