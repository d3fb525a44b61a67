"""What a person reads on a panel: values with the units, mappings, names and links that the panel's JSON gives them."""

import math
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.support.grafana_frames import Column, Frame, Json
from tests.support.grafana_stores import PLACE


@dataclass(frozen=True)
class Word:
    """One text that stands on a panel, and the addresses that a click on it leads to: path and times."""

    text: str
    leads_to: list[tuple[str, dict[str, str]]] = field(default_factory=list)


def words(panel: Json, frames: list[Frame]) -> list[Word]:
    """All that a stat panel says, from top to bottom; its words for nothing if there is nothing."""
    reduced = panel["options"]["reduceOptions"]
    shown = re.compile(reduced["fields"].strip("/")) if reduced["fields"] else None
    found = []
    for f in frames:
        for c in f.columns:
            if not (shown.search(c.name) if shown else kind(c) == "number"):
                continue
            rows = range(len(c.values)) if reduced["values"] else _last_known(c)
            look = looks(panel, f, c)
            found += [Word(text(c.values[i], look), _addresses(panel, look, f, i)) for i in rows]
    return found[: reduced.get("limit")] or [Word(panel["fieldConfig"]["defaults"]["noValue"])]


def texts(panel: Json, frames: list[Frame]) -> list[str]:
    """The words of a stat panel without their links."""
    return [word.text for word in words(panel, frames)]


def _last_known(column: Column) -> list[int]:
    return [i for i, v in enumerate(column.values) if v is not None][-1:]


def cells(panel: Json, frames: list[Frame]) -> list[dict[str, str]]:
    """The lines of a table as they are read: what stands under each heading that is not hidden."""
    lines: list[dict[str, str]] = []
    for f in frames:
        columns = [(c, looks(panel, f, c)) for c in f.columns]
        seen = [(c, look) for c, look in columns if not look.get("custom.hidden")]
        lines += [
            {look.get("displayName", c.name): text(c.values[i], look) for c, look in seen}
            for i in range(len(f.columns[0].values) if f.columns else 0)
        ]
    return lines


def links(panel: Json, frames: list[Frame], name: str) -> list[list[tuple[str, dict[str, str]]]]:
    """Where a click on each value of a column leads to."""
    found = []
    for f in frames:
        for c in (c for c in f.columns if c.name == name):
            look = looks(panel, f, c)
            found += [_addresses(panel, look, f, i) for i in range(len(c.values))]
    return found


def line_names(panel: Json, frames: list[Frame]) -> list[str]:
    """What the lines of a chart are called in its legend."""
    columns = [(f, c) for f in frames for c in f.columns if c.name != "Time" and kind(c) == "number"]
    return [looks(panel, f, c).get("displayName", called(c)) for f, c in columns]


def kind(column: Column) -> str:
    """Time, number or string."""
    if column.name == "Time":
        return "time"
    return column.type or ("string" if any(isinstance(v, str) for v in column.values) else "number")


def called(column: Column) -> str:
    """What Grafana calls a column by itself: with its source where it has one."""
    source = column.labels.get("source")
    return f"{column.name} {source}" if source and source not in column.name else column.name


def looks(panel: Json, frame: Frame, column: Column) -> Json:
    """How a column looks: as everything in the panel does, and then as the overrides want it, the last one first."""
    defaults = panel["fieldConfig"]["defaults"]
    found = {key: value for key, value in defaults.items() if key != "custom"}
    for override in panel["fieldConfig"]["overrides"]:
        if _is_meant(override["matcher"], frame, column):
            found |= {p["id"]: p["value"] for p in override["properties"]}
    return found


def _is_meant(matcher: Json, frame: Frame, column: Column) -> bool:
    which = matcher["options"]
    match matcher["id"]:
        case "byName":
            return bool(which == column.name)
        case "byRegexp":
            return re.search(which.strip("/"), called(column)) is not None
        case "byType":
            return bool(which == kind(column))
        case _:
            assert matcher["id"] == "byFrameRefID"
            return bool(which == frame.ref)


def text(value: Any, look: Json) -> str:
    """A value as Grafana writes it: mapped to words, or rounded and with its unit."""
    for mapping in look.get("mappings", []):
        found = _mapped(value, mapping)
        if found is not None:
            return found
    if value is None:
        return str(look.get("noValue", ""))
    if isinstance(value, str):
        return value
    if math.isnan(value):
        return "NaN"
    return _number_text(value, look)


def _number_text(value: float, look: Json) -> str:
    scale = 10 ** look.get("decimals", 0)
    number = f"{math.floor(value * scale + 0.5) / scale:.{look.get('decimals', 0)}f}"
    sort, _, affix = str(look.get("unit", "none")).partition(":")
    match sort:
        case "prefix":
            return affix + number
        case "suffix":
            return f"{number} {affix}"
        case "time":
            return _moment_text(value, affix)
        case "percent":
            return f"{number}%"
    return number


def _moment_text(ms: float, form: str) -> str:
    """A moment as moment.js writes it in the household's zone: only the words of forms that our lines have."""
    at = datetime.fromtimestamp(ms / 1000, PLACE)
    parts = {
        "dddd": f"{at:%A}",
        "ddd": f"{at:%a}",
        "MMMM": f"{at:%B}",
        "MMM": f"{at:%b}",
        "M": str(at.month),
        "YYYY": f"{at:%Y}",
        "D": str(at.day),
        "H": str(at.hour),
        "mm": f"{at:%M}",
        "ss": f"{at:%S}",
    }
    return re.sub(r"\[([^\]]*)\]|[A-Za-z]+", lambda found: found[1] or parts[found[0]], form)


def _mapped(value: Any, mapping: Json) -> str | None:
    options = mapping["options"]
    match mapping["type"]:
        case "special":
            assert options["match"] == "null+nan"
            nothing = value is None or (isinstance(value, float) and math.isnan(value))
            return options["result"]["text"] if nothing else None
        case "value":
            key = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
            return options[key]["text"] if key in options else None
        case "range":
            inside = isinstance(value, int | float) and options["from"] <= value <= options["to"]
            return options["result"]["text"] if inside else None
        case _:
            assert mapping["type"] == "regex"
            inside = isinstance(value, str) and re.search(options["pattern"].strip("/"), value) is not None
            return options["result"]["text"] if inside else None


def _addresses(panel: Json, look: Json, frame: Frame, row: int) -> list[tuple[str, dict[str, str]]]:
    def value(found: re.Match[str]) -> str:
        column = next(c for c in frame.columns if c.name == found[1])
        if found[2]:
            return f"{column.values[row]:.0f}"
        return text(column.values[row], looks(panel, frame, column))

    filled = [
        re.sub(r"\$\{__data\.fields\.(\w+)(\.numeric)?\}", value, link["url"])
        for link in look.get("links", [])
    ]
    parts = [urlsplit(re.sub(r"\$\{\w+:queryparam\}", "", url)) for url in filled]
    return [(part.path, dict(parse_qsl(part.query))) for part in parts]
