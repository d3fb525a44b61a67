"""Panels as Grafana keeps them: what is asked, how it is drawn, and what stands there while there is nothing to draw.

Only panels that come with Grafana. The colours are of Okabe and Ito's set, those of them that stand out from a white and
from a black page alike (https://jfly.uni-koeln.de/color/), and a brown of ColorBrewer's; nothing is told by colour alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ingest.grafana.query import TIME, Json, Language, Line, Query, is_text
from ingest.grafana.unit import unit_of
from ingest.language import N_

MODERATE, VIGOROUS, MEASURED, PLAIN = "#0072B2", "#D55E00", "#009E73", "#8C8C8C"

SENSORS = (MEASURED, "#CC79A7", PLAIN, "#A6761D")
"""Of lines of which each is one sensor's. Grafana's own have a yellow among them that nobody sees on a white page."""

STATE = "#6E6E6E"
"""Of bands with words in them: it stands out from both pages, and white words from it."""

MINUTES, HOURS, BPM = unit_of(N_("{} min")), unit_of(N_("{} h")), unit_of(N_("{} bpm"))
MS, DBM = unit_of("{} ms"), unit_of("{} dBm")
"""Units that stay what they are: Grafana's own would make 1.9 hours of 114 minutes."""

UNKNOWN = "-"
"""Stands for one thing that is not known, among others that are."""

WIDTH = 24
"""Columns of a dashboard."""

LINES = "lines"
"""Stands for the lines of a panel, where others have a column."""

NAMELESS = {"legend": True, "tooltip": True, "viz": False}
"""What is drawn and needs no word."""

UNSEEN = {"legend": True, "tooltip": True, "viz": True}
"""What is only there for links."""


@dataclass(frozen=True, slots=True)
class Override:
    """How one thing in a panel differs from the rest of it: what is called so, or, by "byType", all of a type."""

    name: str
    properties: Mapping[str, Any]
    by: str = "byName"


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. `queries` by their references; `no_value` is what it says when there is nothing."""

    type: str
    title: str
    description: str
    width: int
    height: int
    queries: Mapping[str, Query] = field(default_factory=dict)
    no_value: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    overrides: Sequence[Override] = ()
    query_overrides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """How all that comes of one query differs, by its reference."""
    time_from: str = ""
    """The time it shows where that is not the time of the dashboard, such as "1h" for the last hour."""

    transformations: Sequence[Json] = ()
    """What Grafana does with all answers together, after what the language wants done with each."""
    sensor_column: str = ""
    """The column in which sensors stand by their sources; LINES where each line is one sensor's."""
    shows_sources: bool = False
    """Whether what the store calls a sensor stands beside its name."""
    column_overrides: Sequence[Override] = ()
    """What columns are called in another language; after all others, which find their columns by the English names."""

    def json(self, number: int, x: int, y: int, language: Language, uid: str) -> Json:
        """The panel in a place of its dashboard, asking a data source in its language."""
        source = {"type": language.type, "uid": uid}
        built = [language.build_target(ref, query) for ref, query in self.queries.items()]
        steps = [one.transformations for one in built if one.transformations]
        # They work on everything that a panel has asked for.
        assert all(step == steps[0] for step in steps), self.title
        found: Json = {
            "id": number,
            "type": self.type,
            "title": self.title,
            "description": self.description,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
            "fieldConfig": {
                "defaults": {**({"noValue": self.no_value} if self.no_value else {}), **self.defaults},
                "overrides": [
                    *(_override_json(o.by, o.name, o.properties) for o in self.overrides),
                    *(_override_json("byFrameRefID", ref, p) for ref, p in self.query_overrides.items()),
                    *(_override_json(o.by, o.name, o.properties) for o in self.column_overrides),
                ],
            },
            "options": dict(self.options),
        }
        if built:
            found["datasource"] = source
            found["targets"] = [{"datasource": source, **target} for one in built for target in one.targets]
            found["transformations"] = [*(steps[0] if steps else []), *self.transformations]
        if self.time_from:
            found["timeFrom"] = self.time_from
            found["hideTimeOverride"] = True
        return found


def link_to(board: str, times: str, title: str) -> list[Json]:
    """A link to a dashboard of the same store and person; `times` is its range as a part of an address.

    {uid}, {who} and {this_week} are filled in when the dashboard is written.
    """
    range_shown = f"{times}&" if times else ""
    return [{"title": title, "url": f"/d/{{uid}}-{board}?{range_shown}{{who}}", "targetBlank": False}]


def _override_json(matcher: str, which: str, properties: Mapping[str, Any]) -> Json:
    return {
        "matcher": {"id": matcher, "options": which},
        "properties": [{"id": name, "value": value} for name, value in properties.items()],
    }


def fixed_color(color: str) -> Json:
    """One colour, whatever the value is."""
    return {"mode": "fixed", "fixedColor": color}


# --- kinds of panels ---


def stat_panel(
    title: str,
    description: str,
    width: int,
    queries: Mapping[str, Query],
    unit: str,
    no_value: str,
    *,
    height: int = 5,
    text: str = "value",
    shown_field: str = "",
    rows: int = 0,
    title_px: int = 0,
    defaults: Mapping[str, Any] | None = None,
    transformations: Sequence[Json] = (),
    sensor_column: str = "",
) -> Panel:
    """One or a few numbers as large as there is room: the newest of its kind, or each of the first `rows` of an answer."""
    reduced = {
        "calcs": ["lastNotNull"],
        "fields": f"/^{shown_field}$/" if shown_field else "",
        "values": bool(rows),
        **({"limit": rows} if rows else {}),
    }
    return Panel(
        "stat",
        title,
        description,
        width,
        height,
        queries,
        no_value,
        {"unit": unit, "decimals": 0, "color": fixed_color(PLAIN), **(defaults or {})},
        {
            **_words_options(text),
            **({"text": {"titleSize": title_px}} if title_px else {}),
            "reduceOptions": reduced,
        },
        transformations=transformations,
        sensor_column=sensor_column,
    )


def words_panel(
    title: str,
    description: str,
    width: int,
    height: int,
    lines: Sequence[Line],
    no_value: str,
    *,
    size_px: int = 0,
    links: Mapping[int, Sequence[Json]] | None = None,
    time_from: str = "",
) -> Panel:
    """Words below each other, as large as there is room or of a size: of the lines those that apply.

    `links` by the number of a line.
    """
    refs = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", lines, strict=False))
    assert len(refs) == len(lines), title
    overrides: list[Override] = []
    names: list[str] = []
    for i, (ref, line) in enumerate(refs.items()):
        shown_field = line.value if is_text(line.table, line.value) else ref
        shown = {**_in_words(line), **({"links": list(links[i])} if links and i in links else {})}
        # Of a row with more values than one Prometheus calls the number by itself and its question.
        named = [shown_field, *(["Value", f"Value #{ref}"] if line.links else [])]
        overrides += [Override(name, shown) for name in named]
        names += named
    fields = "|".join(dict.fromkeys(names))
    options = {
        **_words_options("value"),
        **({"text": {"valueSize": size_px}} if size_px else {}),
        "orientation": "horizontal",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": f"/^({fields})$/", "values": True},
    }
    defaults = {"decimals": 0, "color": fixed_color(PLAIN)}
    return Panel(
        "stat",
        title,
        description,
        width,
        height,
        refs,
        no_value,
        defaults,
        options,
        overrides,
        time_from=time_from,
    )


_ANY = 1e15


def _in_words(line: Line) -> Json:
    """How a value is shown: with words before or behind it, or as words alone."""
    if line.words.startswith("time:"):
        return {"unit": line.words}
    if "{}" in line.words:
        return {"unit": unit_of(line.words)}
    options = {"from": -_ANY, "to": _ANY, "result": {"text": line.words, "index": 0}}
    return {"mappings": [{"type": "range", "options": options}]}


def _words_options(text: str) -> Json:
    """A stat panel without colours and curves."""
    return {
        "colorMode": "none",
        "graphMode": "none",
        "justifyMode": "auto",
        "textMode": text,
        "orientation": "auto",
        "wideLayout": False,
        "showPercentChange": False,
        "percentChangeColorMode": "standard",
    }


def value_mappings(texts: Mapping[int, str]) -> list[Json]:
    """Grafana's list of what numbers mean."""
    options = {str(n): {"text": text, "index": i} for i, (n, text) in enumerate(texts.items())}
    return [{"type": "value", "options": options}]


def table_panel(
    title: str,
    description: str,
    width: int,
    query: Query,
    no_value: str,
    overrides: Sequence[Override],
    *,
    by: str = TIME,
    height: int = 11,
    transformations: Sequence[Json] = (),
    sensor_column: str = "",
    shows_sources: bool = False,
) -> Panel:
    """Rows to be read: the newest first, or in the order of another column."""
    options = {"showHeader": True, "cellHeight": "md", "sortBy": [{"displayName": by, "desc": by == TIME}]}
    defaults = {"custom": {"align": "auto", "filterable": False, "minWidth": 90}, "decimals": 0}
    # What stands where a whole table is empty would otherwise stand in each empty cell.
    blank = [Override(kind, {"noValue": UNKNOWN}, "byType") for kind in ("number", "string")]
    wide = [Override(sensor_column, {"custom.width": 340 if shows_sources else 270})] if sensor_column else []
    all_overrides = [*blank, *wide, *overrides]
    return Panel(
        "table",
        title,
        description,
        width,
        height,
        {"A": query},
        no_value,
        defaults,
        options,
        all_overrides,
        transformations=transformations,
        sensor_column=sensor_column,
        shows_sources=shows_sources,
    )


def text_panel(text: str, width: int, height: int) -> Panel:
    """A text."""
    return Panel("text", "", "", width, height, options={"mode": "markdown", "content": text})
