"""How a strap is, in the shape that `status --json` prints: its state, when it was last heard, its battery, what came of it."""

import time
from typing import Any

from ingest.collect.strap_state import ADVICE, NUMBERS
from ingest.household import find_person
from ingest.journal import ALWAYS_MS, DAY_MS, Entry, Journal
from ingest.journal.dating import date_offset_ms
from ingest.settings.model import StrapSettings

QUIET_S = 30
"""What a strap tells is in the journal within seconds; after this it is asked whether it is worn."""

LOW_PCT = 20
"""From here on down a battery is low."""

_NEWEST = 50
"""Chunks looked through for the last word of a strap; one is written every five seconds while it is worn."""


def strap_status(journal: Journal, strap: StrapSettings, *, runs: bool) -> dict[str, Any]:
    """How a strap is, from what its collector last said, and what came of it in a day."""
    person = find_person(journal, strap.person)
    entries = _strap_entries(journal, person.id, strap.source) if person else []
    newest = entries[-1] if entries else None
    now_ms = time.time_ns() // 1_000_000
    content = newest.content if newest else {}
    state = content.get("state", "stopped") if runs else "stopped"
    if runs and state == "stopped":
        state = "searching"  # it has just begun, and not written a word yet
    begun = next((e for e in reversed(entries) if e.content["state"] != state), None)
    since = next((e.at_ms for e in entries if begun is None or e.position > begun.position), None)
    heard_ms = [newest.at_ms - content["age_s"] * 1000] if newest and content["age_s"] is not None else []
    if person:
        ids = {one.id for one in journal.sources(person.id) if one.name == strap.source}
        heard_ms += [last for source, _, last in journal.newest_spans(person.id, _NEWEST) if source in ids]
    today = [e for e in entries if e.at_ms > now_ms - DAY_MS]
    return {
        "address": strap.address,
        "name": strap.name,
        "serial": strap.serial,
        "person": strap.person,
        "state": state,
        "state_no": NUMBERS[state],
        "since_ms": since if runs else None,
        "why": content.get("why", "") if runs else "",
        "advice": ADVICE[state],
        "battery_pct": content.get("battery_pct"),
        "signal_dbm": content.get("signal_dbm"),
        "reconnects": content.get("reconnects", 0),
        "samples_24h": sum(e.content["samples"] for e in today),
        "gaps_24h": sum(e.content["gaps"] for e in today),
        "dated": not runs or _is_dated(journal, content.get("boot")),
        "age_s": round(max(now_ms - max(heard_ms), 0) / 1000, 1) if heard_ms else None,
    }


def _is_dated(journal: Journal, boot: str | None) -> bool:
    """Whether what is heard in a boot has a date; with nothing heard there is nothing without."""
    known = journal.observations(boot) if boot else []
    return not known or date_offset_ms(known, known[-1].steady_ms) is not None


def _strap_entries(journal: Journal, person: int, source: str) -> list[Entry]:
    """What the collector of a source wrote of it, in order; as far back as it takes to find anything."""
    now_ms = time.time_ns() // 1_000_000
    for days in (1, 30, None):
        start_ms = -ALWAYS_MS if days is None else now_ms - days * DAY_MS
        found = [e for e in journal.facts(person, "collector", start_ms) if e.content["source"] == source]
        if found:
            break
    return sorted(found, key=lambda e: e.position)
