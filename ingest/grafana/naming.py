"""What people call their sensors, put into panels: a store knows a sensor by a name that never changes."""

import re
from collections.abc import Mapping
from itertools import cycle

from ingest.grafana.panel import SENSORS, Override, fixed_color
from ingest.grafana.query import Json
from ingest.grafana.sensor_names import STRAP
from ingest.language import N_, gettext

_PLAIN_WORDS = {
    "strap .*": STRAP,
    "(?!strap ).*monitoring.*": N_("Watch, all day"),
    "(?!strap )(?!.*monitoring).*activity.*": N_("Watch, workouts"),
}
"""What a sensor is called whose name nobody knows, by what its source is called."""


def line_overrides(sensors: Mapping[str, str], *, colored: bool) -> list[Override]:
    """The names, and the colours if so, of lines of which each is one sensor's; `sensors` says what a source is called.

    Exactly one fits a line: Grafana looks for the next by the name that the one before gave.
    """
    escaped = {re.escape(source): name for source, name in sensors.items()}
    unknown = f"(?!(?:.* )?(?:{'|'.join(escaped)})$)" if escaped else ""
    plain = {f"/^{unknown}(?:.* )?{pattern}$/": gettext(name) for pattern, name in _PLAIN_WORDS.items()}
    known = {f"/^(?:.* )?{source}$/": name for source, name in escaped.items()}
    # Those that are known go first: of others there are few, if any.
    colors = dict(zip([*known, *plain], cycle(SENSORS), strict=False))
    return [
        Override(
            pattern,
            {"displayName": name, **({"color": fixed_color(colors[pattern])} if colored else {})},
            "byRegexp",
        )
        for pattern, name in {**plain, **known}.items()
    ]


def cell_mappings(sensors: Mapping[str, str]) -> list[Json]:
    """The names in cells that hold sources."""
    plain = [
        {
            "type": "regex",
            "options": {"pattern": f"/^{pattern}$/", "result": {"text": gettext(name), "index": i}},
        }
        for i, (pattern, name) in enumerate(_PLAIN_WORDS.items(), len(sensors))
    ]
    return [*_known(sensors), *plain]


def full_cell_mappings(sensors: Mapping[str, str]) -> list[Json]:
    """The names in cells that hold sources, with what the store calls them behind."""
    return _known({source: f"{name} ({source})" for source, name in sensors.items()})


def _known(names: Mapping[str, str]) -> list[Json]:
    options = {source: {"text": name, "index": i} for i, (source, name) in enumerate(names.items())}
    return [{"type": "value", "options": options}] if options else []
