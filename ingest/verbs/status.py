"""How things stand. The answer in words."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ingest.log import quoted
from ingest.verbs.check import LEAST_FREE_BYTES, low_space_line
from ingest.verbs.command import Invocation, print_json, print_lines, verb
from ingest.verbs.times import day_and_time

if TYPE_CHECKING:
    from ingest.journal import Journal
    from ingest.settings.model import Settings

_MANY = 5

_QUIET_S = 30
"""What a strap tells is in the journal within seconds; after this it is asked whether it is worn."""


def status_lines(settings: "Settings", journal: "Journal", now: dict[str, Any]) -> Iterator[str]:
    """The status in plain lines."""
    from ingest.verbs.zone_check import zone_check_lines

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
    yield from zone_check_lines(now["judge"])
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
    if (pages := now["report"]) is not None:
        yield f"Pages in {pages['folder']}: {pages['last_error'] or 'renewed each day'}"
    for s in now["straps"]:
        yield from _strap_lines(s)
    yield from map(_watch_line, now["watches"])


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
    called = " ".join(filter(None, (s["name"] and quoted(s["name"]), s["address"] or s["serial"])))
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


def _watch_line(w: dict[str, Any]) -> str:
    own = f"{quoted(w['name'])}, " if w["named"] else ""
    known = f"{own}{w['model'] or 'model unknown'}"
    return f"Watch {known}, serial number {w['serial']}, of {' and '.join(w['persons'])}"


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


@verb("status", ("Is something waiting for me?", "hartslag status"))
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def command(invocation: Invocation, as_json: bool) -> None:
    """Show what is collected, what waits, and how the stores are."""
    from ingest.verbs.status_answer import status

    with invocation.view_journal() as (settings, journal):
        now = status(settings, journal)
        if as_json:
            print_json(now)
        else:
            print_lines(status_lines(settings, journal, now))
