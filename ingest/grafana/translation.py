"""Panels in the language that is spoken.

The specification is in English, and so is everything that a store is asked: only what Grafana shows is said in another
language, and the columns of an answer get names to be shown by.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ingest.grafana.panel import Override, Panel
from ingest.grafana.query import TIME, Json, columns_of, texts_of
from ingest.grafana.row_words import ROW_WORDS, row_text
from ingest.grafana.unit import translated_unit
from ingest.language import gettext

_NAMES_ARE_SHOWN = {"barchart", "state-timeline", "table", "timeseries"}
"""Panels that show what their columns are called."""


def translated(panel: Panel) -> Panel:
    """The panel with its own words in the language that is spoken; names of columns stay those that it looks for."""
    return replace(
        panel,
        title=gettext(panel.title),
        description=gettext(panel.description),
        no_value=gettext(panel.no_value),
        defaults=_properties(panel.defaults),
        options=_options(panel.options),
        overrides=[Override(o.name, _properties(o.properties), o.by) for o in panel.overrides],
        query_overrides={ref: _properties(p) for ref, p in panel.query_overrides.items()},
    )


def with_columns_translated(panel: Panel) -> Panel:
    """The panel with its columns, and known words of the rows in them, shown in the language that is spoken.

    To be the last that is done to a panel: an override finds its column by the name from before.
    """
    return replace(panel, column_overrides=[*_named_columns(panel), *_words_in_rows(panel)])


def _named_columns(panel: Panel) -> Iterator[Override]:
    if panel.type not in _NAMES_ARE_SHOWN:
        return
    named = {o.name for o in panel.overrides if "displayName" in o.properties}
    named |= _led_by(panel) | ({TIME} if panel.type != "table" else set())
    for name in dict.fromkeys([*_asked_for(panel), *_calculated(panel)]):
        if name not in named and gettext(name) != name:
            yield Override(name, {"displayName": gettext(name)})


def _asked_for(panel: Panel) -> Iterator[str]:
    for ref, query in panel.queries.items():
        if "displayName" not in panel.query_overrides.get(ref, {}):
            yield from columns_of(query)


def _calculated(panel: Panel) -> Iterator[str]:
    for step in panel.transformations:
        if alias := step["options"].get("alias"):
            yield alias
        yield from step["options"].get("renameByName", {}).values()


def _led_by(panel: Panel) -> set[str]:
    """The columns that links take an address from: those of Prometheus, but for the time, are found by the name that is shown."""
    links = [link["url"] for o in panel.overrides for link in o.properties.get("links", [])]
    return set(re.findall(r"__data\.fields\.(\w+)", " ".join(links))) - {TIME}


def _words_in_rows(panel: Panel) -> Iterator[Override]:
    for query in panel.queries.values():
        for label, place in texts_of(query).items():
            said = {word: row_text(place, word) for word in ROW_WORDS.get(place, ())}
            different = [(word, text) for word, text in said.items() if word != text]
            if different:
                options = {word: {"text": text, "index": i} for i, (word, text) in enumerate(different)}
                yield Override(label, {"mappings": [{"type": "value", "options": options}]})


def _properties(properties: Mapping[str, Any]) -> Json:
    return {name: _property(name, value) for name, value in properties.items()}


def _property(name: str, value: Any) -> Any:
    """One of Grafana's field options, with the words in it translated."""
    match name:
        case "displayName" | "noValue" | "custom.fillBelowTo":
            return gettext(value)
        case "unit":
            return translated_unit(value)
        case "links":
            return [{**link, "title": gettext(link["title"])} for link in value]
        case "mappings":
            return [_mapping(one) for one in value]
    return value


def _mapping(mapping: Json) -> Json:
    options = mapping["options"]
    if mapping["type"] == "value":
        return {**mapping, "options": {key: _result(result) for key, result in options.items()}}
    return {**mapping, "options": {**options, "result": _result(options["result"])}}


def _result(result: Json) -> Json:
    return {**result, "text": gettext(result["text"])}


def _options(options: Mapping[str, Any]) -> Json:
    found = dict(options)
    if "content" in found:
        found["content"] = gettext(found["content"])
    if "sortBy" in found:
        found["sortBy"] = [{**by, "displayName": gettext(by["displayName"])} for by in found["sortBy"]]
    return found
