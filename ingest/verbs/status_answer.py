"""How things stand, in the shape that `status --json` prints: what is collected, what waits, which store is behind and why."""

import math
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from functools import cache, partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, BinaryIO

from ingest.backup.state import KEY, backup_status
from ingest.collect.fetch_record import read_states
from ingest.collect.inbox import TROUBLE as INBOX_TROUBLE
from ingest.collect.inbox import Inbox, InboxScan, Waiting, left_in_system_folders, noted_troubles
from ingest.grafana.sensor_names import sensor_names, watches
from ingest.household import left_behind, owner_of_folder, places_of
from ingest.journal import ALWAYS_MS, DAY_MS, Journal
from ingest.journal.damage import note_file
from ingest.journal.mended import last_mending, pending
from ingest.report.renewal import TROUBLE
from ingest.rows.profile import read_profile
from ingest.settings.machine_zone import zone_in_force
from ingest.settings.model import Settings
from ingest.stores.configured import configured_stores
from ingest.stores.contract import Store
from ingest.system.acting import power_to_read
from ingest.system.clock import SystemClock
from ingest.system.files import has_room
from ingest.system.lock import holder, settings_of_holder
from ingest.verbs import clock_offsets, zone_check
from ingest.verbs.check_machine import free_bytes
from ingest.verbs.clock_answer import boot_json, machine_clock
from ingest.verbs.clock_files import undated_files
from ingest.verbs.fetch_words import fetch_json
from ingest.verbs.forget import forgotten_json
from ingest.verbs.limit_doubts import device_names, doubt_parts, find_limit_doubts
from ingest.verbs.loss_words import recent_losses
from ingest.verbs.status_straps import strap_status
from ingest.verbs.times import day_and_time, zone_at
from ingest.verbs.told_twice import told_twice

if TYPE_CHECKING:
    from ingest.collect.reader_process import ReaderProcess

_NEWS_MS = 30 * 86_400_000
"""For so long it is told that the machine was set to another time zone."""

_REFUSALS = 100
_SOON_MS = 150_000
"""What came in so lately is no sign of trouble while the daemon runs: what straps tell is counted once a minute
(`ingest/stores/live_pace.py`), and a server's position is written down half a minute later."""


def status(settings: Settings, journal: Journal, waiting: list[Waiting]) -> dict[str, Any]:
    """Everything `status` knows, in the shape that `--json` prints; `waiting` is what lies in the inbox."""
    daemon = holder(settings.data)
    outcomes = journal.outcome_counts()
    errors = journal.store_errors()
    backup = backup_status(settings, time.time_ns() // 1_000_000)
    return {
        "daemon": daemon,
        "settings": str(settings.file) if settings.file else None,
        "settings_in_force": None if daemon is None else _are_in_force(settings),
        "persons": [_person_status(settings, journal, p.id, p.name) for p in journal.persons()],
        "left_behind": [{"name": name, "like": other} for name, other in left_behind(settings, journal)],
        "forgotten": forgotten_json(journal),
        "journal": journal.size(),
        "damage": _damage(settings, journal),
        "free_bytes": free_bytes(settings),
        "inbox": {
            "waiting": sum(w.files for w in waiting if not w.passed_over),
            **{name: outcomes.get(name, 0) for name in ("stored", "duplicate", "partial", "rejected")},
            "files": [{"file": w.name, "why": w.why, "files": w.files} for w in waiting if not w.passed_over],
            "passed_over": [
                {"folder": w.name, "files": w.files, "kinds": w.kinds} for w in waiting if w.passed_over
            ],
            "left_by_systems": [
                {"folder": folder, "files": n}
                for folder, n in sorted(left_in_system_folders(settings.inbox_folder).items())
            ],
        },
        "stores": [
            _store_status(journal, store, errors.get(store.name), runs=daemon is not None)
            for store in configured_stores(settings)
        ],
        "parts": _failing_parts(settings, errors, backup) if daemon is not None else [],
        "report": settings.report_folder
        and {"folder": str(settings.report_folder), "last_error": errors.get(TROUBLE)},
        "backup": backup,
        "clocks": [d.json() | {"sentence": d.sentence} for d in clock_offsets.clock_offsets(journal)],
        "judge": zone_check.summarize_zone_checks(zone_check.zone_checks(journal)),
        "clock": machine_clock(journal, SystemClock()).json() if settings.straps else None,
        "boots": [boot_json(b) for b in journal.unplaced_boots()],
        "undated": [f.json() for f in undated_files(journal)],
        "ahead": _files_ahead(journal),
        "told_twice": told_twice(journal),
        "straps": [strap_status(journal, s, runs=daemon is not None) for s in settings.straps],
        "plugged": [fetch_json(settings, s) for s in read_states(settings.watch_folder)],
        "watches": [
            {"serial": w.serial, "model": w.model, "name": w.name, "named": w.named, "persons": w.persons}
            for w in watches(settings, journal)
        ],
    }


def _files_ahead(journal: Journal) -> list[dict[str, Any]]:
    """The files that tell of days still to come: their watch was set to a wrong day, by years or by a month."""
    from_ms = journal.now_ms() + DAY_MS
    ahead = {
        p.name: (read_profile(journal, p.id).calendar, journal.left_out(p.id).files)
        for p in journal.persons()
        if journal.chunk_spans(p.id, from_ms, ALWAYS_MS)
    }
    return [
        {
            "file": f.name,
            "person": f.person,
            "begins": day_and_time(f.first_ms, zone_at(ahead[f.person][0], f.first_ms)),
        }
        for f in (journal.files() if ahead else ())
        if f.person in ahead
        and f.first_ms is not None
        and f.first_ms >= from_ms
        and f.id not in ahead[f.person][1]
    ]


def _failing_parts(
    settings: Settings, errors: Mapping[str, str], backup: Mapping[str, Any] | None
) -> list[dict[str, str]]:
    """Which parts of the daemon are in trouble, but for those that have a place of their own in the status."""
    told = {store.name for store in configured_stores(settings)} | {TROUBLE, INBOX_TROUBLE}
    if backup and backup["trouble"]:
        told.add(KEY)
    return [{"part": key, "trouble": error} for key, error in sorted(errors.items()) if key not in told]


def _damage(settings: Settings, journal: Journal) -> dict[str, Any]:
    """What is known to be damaged in the journal, and what the last repair found."""
    places = places_of(settings)
    last = last_mending(places)
    return {
        "is_damaged": note_file(places.journal).exists() or bool(journal.damages),
        "found": [asdict(d) for d in journal.damages],
        "repaired": last and asdict(last),
        "lost": recent_losses(places, journal),
        "to_read_again": len(pending(places)),
    }


def _are_in_force(settings: Settings) -> bool | None:
    """Whether the daemon that runs works with these settings; None where it does not say."""
    theirs = settings_of_holder(settings.data)
    return theirs == settings.mark if theirs else None


def _person_status(settings: Settings, journal: Journal, person: int, name: str) -> dict[str, Any]:
    profile = read_profile(journal, person)
    now_ms = time.time_ns() // 1_000_000
    edges = profile.timeline.edges_at(now_ms)
    today = profile.calendar.day_of(now_ms)
    medicine = profile.medicine_in(today, today)
    named = settings.person(name)
    settled = named is not None and "zone" not in named.given
    doubts = find_limit_doubts(name, profile, now_ms)
    if doubts.devices:
        doubts = doubts.named(device_names(sensor_names(settings, journal)))
    return {
        "name": name,
        "zone": profile.calendar.zone_on(today),
        "target_min": profile.calendar.target(profile.calendar.week_of(today)[0]),
        "medicine_since": medicine.since.isoformat() if medicine else None,
        "edges": edges
        and {"moderate_bpm": edges.moderate_bpm, "vigorous_bpm": edges.vigorous_bpm, "origin": edges.origin},
        "moved": settled and _moved(journal, person),
        "limits_in_doubt": doubts.json() if doubts else None,
        "doubts": [
            {"text": text, "lines": lines, "more": more} for text, lines, more in doubt_parts(doubts) if edges
        ],
    }


def _moved(journal: Journal, person: int) -> dict[str, str] | None:
    """From which time zone to which the machine took a person lately whose zone nobody names; None if it did not."""
    recorded = sorted(journal.facts(person, "profile"), key=lambda e: e.position)
    said = [(e.recorded_ms, e.content) for e in recorded] + [
        (journal.now_ms(), journal.profile(person) or {})
    ]
    places = [(ms, zone_in_force(facts)) for ms, facts in said if "zone" in facts]
    for (_, before), (ms, after) in reversed(list(pairwise(places))):
        if before != after:
            lately = ms > journal.now_ms() - _NEWS_MS
            return {"before": before, "zone": after} if lately else None
    return None


def _store_status(journal: Journal, store: Store, error: str | None, *, runs: bool) -> dict[str, Any]:
    """How a store is. What the daemon brings there soon is told, and not held against it."""
    now_ms = time.time_ns() // 1_000_000
    lately_ms = (now_ms - _SOON_MS, now_ms + _SOON_MS) if runs and error is None else (1, 0)
    position = store.reported_position(journal)
    behind, oldest_ms, on_the_way = journal.waiting(position, lately_ms)
    refused = [{"row": r.key, "why": r.reason, "since_ms": r.since_ms} for r in store.refused_rows()]
    return {
        "name": store.name,
        "place": store.place,
        "behind": behind,
        "on_the_way": on_the_way,
        "is_new": position == 0,
        "oldest_waiting_s": None if oldest_ms is None else max(time.time() - oldest_ms / 1000, 0.0),
        "last_error": error or store.misplaced(),
        "refused": len(refused),
        "refusals": refused[:_REFUSALS],
    }


def waiting_files(settings: Settings, journal: Journal) -> list[Waiting]:
    """The files in the inbox and why each still lies there, those first that a person must do something about."""
    with ExitStack() as started:

        @cache
        def reader() -> "ReaderProcess":
            # Started for the first file that is asked about: mostly there is none.
            from ingest.collect.reader_process import ReaderProcess

            return started.enter_context(ReaderProcess(settings.inbox.largest_mb << 20, folder=settings.data))

        def looks_whole(stream: BinaryIO, name: str) -> bool:
            with power_to_read(all_files=True):  # the program may lie where only root can read
                return reader().looks_whole(stream, name)

        # As the daemon sees it, but for the time that has passed.
        inbox = Inbox(
            settings.inbox_folder,
            partial(owner_of_folder, settings),
            lambda: 0.0,
            settle_s=0,
            patience_s=settings.inbox.patience_s or math.inf,
            looks_whole=looks_whole,
        )
        with power_to_read(all_files=False):  # what the daemon may not read waits, even if root may
            scan = inbox.scan()
    runs = holder(settings.data) is not None
    stuck = {path for _, path, _, kept in journal.unfiled_arrivals() if not kept}
    troubles = noted_troubles(journal) if runs else {}
    found = list(scan.waiting)
    # A full disk takes no note of why either.
    is_full = runs and bool(scan.arrived) and not has_room(settings.data)
    for candidate in scan.arrived:
        if candidate.name in stuck and (candidate.name in troubles or not runs):
            why = "its content is stored, but it cannot be moved away; check who owns the folders"
            found.append(Waiting(candidate.name, why, act=True))
        elif candidate.name in troubles:
            found.append(Waiting(candidate.name, troubles[candidate.name]))
        elif is_full:
            found.append(
                Waiting(candidate.name, "the disk is full; it is taken once there is room", act=True)
            )
        elif runs:
            found.append(Waiting(candidate.name, "it is taken in a moment, after those before it"))
        else:
            found.append(Waiting(candidate.name, "the daemon does not run", act=True))
    return [*sorted(found, key=lambda w: not w.act), *_passed_over(scan)]


def _passed_over(scan: InboxScan) -> list[Waiting]:
    """The folders of the inbox in which files lie that are no recordings."""
    return [
        Waiting(f"{name}/", "", files=sum(kinds.values()), passed_over=True, kinds=dict(kinds))
        for name, kinds in sorted(scan.passed_over.items())
    ]
