"""A dashboard as Grafana keeps it: its panels, its time, its variables and its links."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ingest.grafana.naming import cell_mappings, full_cell_mappings, line_overrides
from ingest.grafana.panel import LINES, PLAIN, WIDTH, Override, Panel
from ingest.grafana.query import Json, Language
from ingest.grafana.translation import translated, with_columns_translated
from ingest.language import gettext
from ingest.language import gettext as _

SCHEMA = 41
"""Of Grafana 11.6 and 12; those near by read it too, and newer ones bring it up to date by themselves."""

THIS_WEEK = "now/w"


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One dashboard. `time_from` and `time_to` are the time it shows at first, as Grafana writes it.

    Without a picker its time is only changed by links: a week is a whole one then.
    """

    name: str
    title: str
    description: str
    panels: Sequence[Panel]
    time_from: str
    time_to: str
    refresh: str
    has_person_variable: bool = True
    has_picker: bool = True
    shows_weeks_not_judged: bool = False


@dataclass(frozen=True, slots=True)
class DashboardDefaults:
    """What of a household decides how its dashboards look at first.

    `zone` is a time zone, or "browser" for that of whoever looks; `week_begins` a day that Grafana lets weeks begin with,
    or "" for any other; `person` who is picked at first, "" for the first there is; `site` likewise; `sensors` what people
    call the sources they know.
    """

    zone: str = "browser"
    week_begins: str = "monday"
    person: str = ""
    site: str = ""
    sensors: Mapping[str, str] = field(default_factory=dict)


def dashboard_json(dashboard: Dashboard, language: Language, uid: str, defaults: DashboardDefaults) -> Json:
    """A dashboard as Grafana keeps it, in the language that is spoken. `uid` is that of the data source."""
    variables = []
    if dashboard.has_person_variable:
        if language.has_sites:
            variables.append(
                _variable("site", _("Site"), language.site_query(), defaults.site, language, uid)
            )
        variables.append(
            _variable("person", _("Person"), language.person_query(), defaults.person, language, uid)
        )
    time_from = dashboard.time_from
    if time_from == THIS_WEEK and not defaults.week_begins:
        # Grafana does not know such weeks. Of seven whole days exactly one is the first of a week.
        time_from = "now-6d/d"
    filled: Json = _with_links(
        {
            "links": _links(uid, defaults),
            "panels": _lay_out(dashboard.panels, language, uid, defaults),
        },
        uid,
        language,
        f"from={time_from}&to=now",
    )
    return {
        "uid": f"{uid}-{dashboard.name}",
        "title": gettext(dashboard.title),
        "description": gettext(dashboard.description),
        "tags": ["hartslag", uid],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": True,
        "graphTooltip": 0,
        "timezone": defaults.zone,
        # Where it is said Grafana writes dates in English, whatever the browser asks for.
        "weekStart": defaults.week_begins if "/w" in dashboard.time_from else "",
        "refresh": dashboard.refresh,
        "time": {"from": time_from, "to": dashboard.time_to},
        "timepicker": {
            "hidden": not dashboard.has_picker,
            "refresh_intervals": ["5s", "10s", "30s", "1m", "5m", "15m", "1h"],
        },
        "templating": {"list": variables},
        "annotations": {"list": _annotations(dashboard, language, uid)},
        **filled,
    }


def _variable(
    name: str, label: str, query: Json, picked: str, language: Language, uid: str
) -> dict[str, Any]:
    return {
        "type": "query",
        "name": name,
        "label": label,
        "datasource": {"type": language.type, "uid": uid},
        **query,
        "current": {"text": picked, "value": picked, "selected": True} if picked else {},
        "options": [],
        "refresh": 1,
        "sort": 5,
        "multi": False,
        "includeAll": False,
        "hide": 0,
    }


def _links(uid: str, defaults: DashboardDefaults) -> list[Json]:
    """At the top of each: the other dashboards, and the week before this one as a whole."""
    links: list[Json] = [
        {
            "type": "dashboards",
            "tags": [uid],
            "title": _("All dashboards"),
            "asDropdown": True,
            "includeVars": True,
            "keepTime": False,
            "targetBlank": False,
        }
    ]
    if defaults.week_begins:
        links.append(
            {
                "type": "link",
                "title": _("Last week"),
                "url": "/d/{uid}-week?from=now-1w/w&to=now-1w/w",
                "icon": "",
                "asDropdown": False,
                "includeVars": True,
                "keepTime": False,
                "targetBlank": False,
            }
        )
    return links


def _annotations(dashboard: Dashboard, language: Language, uid: str) -> list[Json]:
    if not dashboard.shows_weeks_not_judged:
        return []
    source = {"type": language.type, "uid": uid}
    return [
        {
            "name": _("Not judged"),
            "datasource": source,
            "enable": True,
            "hide": True,
            "iconColor": PLAIN,
            **language.not_judged(),
        }
    ]


def _lay_out(
    panels: Sequence[Panel], language: Language, uid: str, defaults: DashboardDefaults
) -> list[Json]:
    """From left to right and from top to bottom."""
    found: list[Json] = []
    x = y = tallest = 0
    for i, panel in enumerate(panels, 1):
        if x + panel.width > WIDTH:
            x, y, tallest = 0, y + tallest, 0
        named = with_columns_translated(_named(translated(panel), defaults.sensors))
        found.append(named.json(i, x, y, language, uid))
        x += panel.width
        tallest = max(tallest, panel.height)
    return found


def _named(panel: Panel, sensors: Mapping[str, str]) -> Panel:
    """A panel that calls sensors what people call them."""
    if panel.sensor_column == LINES:
        # A band of states has the colour of its words' background.
        lines = line_overrides(sensors, colored=panel.type == "timeseries")
        return replace(panel, overrides=[*lines, *panel.overrides])
    if panel.sensor_column:
        mappings = full_cell_mappings(sensors) if panel.shows_sources else cell_mappings(sensors)
        names = Override(panel.sensor_column, {"mappings": mappings})
        return replace(panel, overrides=[*panel.overrides, names])
    return panel


def _with_links(value: Any, uid: str, language: Language, this_week: str) -> Any:
    """With the addresses of links filled in: which store's dashboard, for whom, and when this week is."""
    if isinstance(value, dict):
        return {
            key: _address(each, uid, language, this_week)
            if key == "url"
            else _with_links(each, uid, language, this_week)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [_with_links(each, uid, language, this_week) for each in value]
    return value


def _address(url: str, uid: str, language: Language, this_week: str) -> str:
    who = "${person:queryparam}" + ("&${site:queryparam}" if language.has_sites else "")
    # A link to the dashboard that is open changes nothing that it does not name.
    return url.replace("{uid}", uid).replace("{who}", who).replace("{this_week}", this_week)
