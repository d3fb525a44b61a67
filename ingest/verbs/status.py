"""How things stand: what is collected, what waits, which store is behind and why."""

import math
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import click

from ingest.collect.inbox import Inbox, Waiting
from ingest.collect.strap_state import ADVICE, NUMBERS
from ingest.household import find_person, owner_of_folder
from ingest.journal import ALWAYS_MS, DAY_MS, Entry, Journal
from ingest.log import quoted
from ingest.rows.profile import read_profile
from ingest.settings.model import Settings, StrapSettings
from ingest.stores.configured import configured_stores
from ingest.stores.contract import Store
from ingest.system.lock import holder
from ingest.verbs import clock_offsets, zone_check
from ingest.verbs.check import LEAST_FREE_BYTES, free_bytes, low_space_line
from ingest.verbs.command import Invocation, print_json, print_lines
from ingest.verbs.times import day_and_time

_MANY = 5
_REFUSALS = 100
_LATELY_MS = 60_000
"""Twice what passes at most until a server's position is written down."""

_QUIET_S = 30
"""What a strap tells is in the journal within seconds; after this it is asked whether it is worn."""

_NEWEST = 50
"""Chunks looked through for the last word of a strap; one is written every five seconds while it is worn."""


def status(settings: Settings, journal: Journal) -> dict[str, Any]:
    """Everything `status` knows, in the shape that `--json` prints."""
    daemon = holder(settings.data)
    waiting = _waiting_files(settings, journal, runs=daemon is not None)
    outcomes = journal.outcome_counts()
    errors = journal.store_errors()
    return {
        "daemon": daemon,
        "settings": str(settings.file) if settings.file else None,
        "persons": [_person_status(journal, p.id, p.name) for p in journal.persons()],
        "journal": journal.size(),
        "free_bytes": free_bytes(settings),
        "inbox": {
            "waiting": len(waiting),
            **{name: outcomes.get(name, 0) for name in ("stored", "duplicate", "partial", "rejected")},
            "files": [{"file": w.name, "why": w.why} for w in waiting],
        },
        "stores": [
            _store_status(journal, store, errors.get(store.name), runs=daemon is not None)
            for store in configured_stores(settings)
        ],
        "clocks": [d.json() | {"sentence": d.sentence} for d in clock_offsets.clock_offsets(journal)],
        "judge": zone_check.summarize_zone_checks(zone_check.zone_checks(journal)),
        "straps": [strap_status(journal, s, runs=daemon is not None) for s in settings.straps],
    }


def _person_status(journal: Journal, person: int, name: str) -> dict[str, Any]:
    known = read_profile(journal, person)
    now_ms = time.time_ns() // 1_000_000
    edges = known.timeline.edges_at(now_ms)
    today = known.calendar.day_of(now_ms)
    medicine = known.medicine_in(today, today)
    return {
        "name": name,
        "zone": known.calendar.zone_on(today),
        "target_min": known.calendar.target(known.calendar.week_of(today)[0]),
        "medicine_since": medicine and medicine.isoformat(),
        "edges": edges
        and {"moderate_bpm": edges.moderate_bpm, "vigorous_bpm": edges.vigorous_bpm, "origin": edges.origin},
    }


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
        "age_s": round(max(now_ms - max(heard_ms), 0) / 1000, 1) if heard_ms else None,
    }


def _strap_entries(journal: Journal, person: int, source: str) -> list[Entry]:
    """What the collector of a source wrote of it, in order; as far back as it takes to find anything."""
    now_ms = time.time_ns() // 1_000_000
    for days in (1, 30, None):
        start_ms = -ALWAYS_MS if days is None else now_ms - days * DAY_MS
        found = [e for e in journal.facts(person, "collector", start_ms) if e.content["source"] == source]
        if found:
            break
    return sorted(found, key=lambda e: e.position)


def _store_status(journal: Journal, store: Store, error: str | None, *, runs: bool) -> dict[str, Any]:
    """How a store is. A server's position is written down seldom: what came in since then is not held against it."""
    position, known_ms = store.reported_position(journal.id)
    now_ms = time.time_ns() // 1_000_000
    lately = known_ms is not None and runs and error is None and now_ms - known_ms < _LATELY_MS
    behind, oldest_ms = (
        journal.waiting(position, known_ms) if lately and known_ms else journal.waiting(position)
    )
    refused = [{"row": r.key, "why": r.reason, "since_ms": r.since_ms} for r in store.refused_rows()]
    return {
        "name": store.name,
        "place": store.place,
        "behind": behind,
        "oldest_waiting_s": None if oldest_ms is None else max(time.time() - oldest_ms / 1000, 0.0),
        "last_error": error,
        "refused": len(refused),
        "refusals": refused[:_REFUSALS],
    }


def _waiting_files(settings: Settings, journal: Journal, *, runs: bool) -> list[Waiting]:
    """The files in the inbox and why each still lies there, those first that a person must do something about."""
    # As the daemon sees it, but for the time that has passed.
    inbox = Inbox(
        settings.inbox_folder,
        partial(owner_of_folder, settings),
        lambda: 0.0,
        settle_s=0,
        patience_s=settings.inbox.patience_s or math.inf,
        largest_bytes=settings.inbox.largest_mb << 20,
    )
    scan = inbox.scan()
    stuck = {path for _, path, _, kept in journal.unfiled_arrivals() if not kept}
    found = list(scan.waiting)
    for candidate in scan.arrived:
        if candidate.name in stuck:
            why = "its content is stored, but it cannot be moved away; check who owns the folders"
            found.append(Waiting(candidate.name, why, act=True))
        elif runs:
            found.append(Waiting(candidate.name, "it is taken in a moment, after those before it"))
        else:
            found.append(Waiting(candidate.name, "the daemon does not run", act=True))
    return sorted(found, key=lambda w: not w.act)


def status_lines(settings: Settings, journal: Journal, now: dict[str, Any]) -> Iterator[str]:
    """The status in plain lines."""
    pid = now["daemon"]
    yield (
        f"The daemon runs (process {pid})."
        if pid
        else "The daemon does not run: start it with `hartslag run`."
    )
    yield f"Settings: {now['settings'] or 'no file now; of a person known from earlier settings these still hold'}"
    for p in now["persons"]:
        yield f"Person {p['name']}: target {p['target_min']:.0f} min a week, {_limits(p)}, time zone {p['zone']}"
    j = now["journal"]
    yield f"Journal: {j['samples']} samples and {j['beats']} beats in {j['chunks']} chunks, {j['bytes'] / 1e6:.1f} MB"
    if now["free_bytes"] < LEAST_FREE_BYTES:
        yield low_space_line(settings, now["free_bytes"])
    i = now["inbox"]
    yield (
        f"Files: {i['stored']} stored, {i['duplicate']} duplicate, {i['partial']} partial, {i['rejected']} rejected,"
        f" {i['waiting']} waiting in {settings.inbox_folder}"
    )
    yield from _first_lines([f"{quoted(f['file'])}: {f['why']}" for f in i["files"]])
    for outcome in ("rejected", "partial"):
        found = journal.files(outcome, _MANY)
        yield from _first_lines(
            [f"{outcome} {day_and_time(f.received_ms)} {quoted(f.name)}: {f.reason}" for f in found]
        )
    yield from zone_check.zone_check_lines(now["judge"])
    yield from (c["sentence"] for c in now["clocks"])
    for s in now["stores"]:
        late = (
            "not written to"
            if s["last_error"] and not s["behind"]
            else "up to date"
            if not s["behind"]
            else f"{s['behind']} entries behind, the oldest {s['oldest_waiting_s']:.0f} s"
        )
        trouble = f"; last error: {s['last_error']}" if s["last_error"] else ""
        yield f"Store {s['name']}: {late}{trouble}"
        if s["refused"]:
            yield f"    {s['refused']} rows are refused by the server and kept here; `hartslag retry` sends them again:"
            yield from _first_lines(
                [f"{day_and_time(r['since_ms'])} {quoted(r['row'])}: {r['why']}" for r in s["refusals"]]
            )
    for s in now["straps"]:
        yield from _strap_lines(s)


def _limits(p: dict[str, Any]) -> str:
    e = p["edges"]
    return (
        f"moderate from {e['moderate_bpm']}, vigorous from {e['vigorous_bpm']} bpm ({e['origin']})"
        if e
        else f"limits unknown: a medicine limits this heart rate since {p['medicine_since']}; give your own limits"
        if p["medicine_since"]
        else "limits unknown: add  born = YEAR  below this name in the settings"
    )


def _strap_lines(s: dict[str, Any]) -> Iterator[str]:
    called = s["address"] or f"{quoted(s['name'])} {s['serial']}"
    facts = [f"{s['state']} since {day_and_time(s['since_ms'])}" if s["since_ms"] else s["state"]]
    if s["age_s"] is not None:
        facts.append(f"last heard {_age_text(s['age_s'])} ago")
    if s["battery_pct"] is not None:
        facts.append(f"battery {s['battery_pct']} %")
    if s["signal_dbm"] is not None:
        facts.append(f"signal {s['signal_dbm']} dBm")
    if s["samples_24h"] or s["gaps_24h"]:
        facts.append(
            f"{_count_text(s['samples_24h'], 'sample')} and {_count_text(s['gaps_24h'], 'gap')} in 24 h"
        )
    if s["reconnects"]:
        facts.append(
            f"connected anew {'once' if s['reconnects'] == 1 else _count_text(s['reconnects'], 'time')}"
        )
    yield f"Strap {called} of {s['person']}: {', '.join(facts)}"
    if s["state"] not in {"connected", "connecting", "stopped"}:
        yield f"    {'. '.join(filter(None, (s['why'], s['advice'])))}"
    elif s["state"] == "connected" and (s["age_s"] or 0) > _QUIET_S:
        yield "    it is connected and tells no heart rate: not worn?"


def _count_text(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _age_text(seconds: float) -> str:
    for unit, name in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} s"


def _first_lines(texts: list[str]) -> Iterator[str]:
    for text in texts[:_MANY]:
        yield f"    {text}"
    if len(texts) > _MANY:
        yield f"    and {len(texts) - _MANY} more"


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def command(invocation: Invocation, as_json: bool) -> None:
    """Show what is collected, what waits, and how the stores are."""
    with invocation.view_journal() as (settings, journal):
        now = status(settings, journal)
        if as_json:
            print_json(now)
        else:
            print_lines(status_lines(settings, journal, now))
