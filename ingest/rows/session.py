"""The table `session`: workouts of which files tell, and sessions of straps that no file tells of."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

from ingest.formats.recording import can_be_timer
from ingest.journal import Entry, Journal, Person
from ingest.rows.cache import RowCache
from ingest.rows.day import Day
from ingest.rows.evidence import Evidence, read_evidence, resolve_sources
from ingest.rows.load import load_fields
from ingest.rows.minute import count_minutes
from ingest.rows.profile import Profile
from ingest.rows.ruling import apply_edges, ruling_sport
from ingest.rows.strap_session import StrapSession
from ingest.rows.table import Block
from ingest.rows.told import add_told
from ingest.rows.workout import find_workouts, workout_end_ms, workout_spans, workouts_in
from zones.days import midnights
from zones.dose import dose_min
from zones.minutes import MINUTE, sum_pieces
from zones.pieces import Pieces, milliseconds_per_bpm
from zones.recovery import measure_recovery


def session_blocks(
    journal: Journal,
    person: Person,
    profile: Profile,
    start_ms: int,
    end_ms: int,
    workouts: Sequence[Entry],
    strap_sessions: Sequence[tuple[str, StrapSession]] = (),
    cache: RowCache | None = None,
) -> Iterator[Block]:
    """The rows of the workouts, of those that are given, of a span: each stands at its start, which may lie before it.

    `strap_sessions` come with the name of the strap; those that begin in the span have a row, too.
    """
    cache = cache or RowCache()
    rows = [
        (e.content["source"], e.at_ms, cached_workout_fields(journal, person, profile, e, cache))
        for e in workouts_in(workouts, start_ms, end_ms)
    ]
    tags = {"person": person.name}
    inside = [(name, s.start_ms, s.fields) for name, s in strap_sessions if start_ms <= s.start_ms < end_ms]
    inside += [row for row in rows if row[1] >= start_ms]
    yield Block.by_source("session", tags, start_ms, end_ms, inside)
    for source, at, fields in rows:
        if at < start_ms:
            one = [(source, at, fields)]
            yield Block.by_source("session", {**tags, "source": source}, at, at + 1, one)


def cached_workout_fields(
    journal: Journal,
    person: Person,
    profile: Profile,
    workout: Entry,
    cache: RowCache,
    evidence: list[Evidence] | None = None,
    resolved: Pieces | None = None,
) -> dict[str, Any]:
    """The fields of a workout's row from the cache, or of the evidence of a span that holds it, or of its own."""
    end_ms = workout_end_ms(workout)

    def count() -> dict[str, Any]:
        if evidence is None:
            own = read_evidence(journal, person.id, workout.at_ms, end_ms)
            return workout_fields(journal, person, profile, workout, own)
        return workout_fields(journal, person, profile, workout, evidence, resolved)

    # Its recovery is seen in the minute after; what is touched reaches farther than that.
    return cache.row("session", (person.id, workout.at_ms, end_ms + 1), workout.position, count)


def workout_fields(
    journal: Journal,
    person: Person,
    profile: Profile,
    workout: Entry,
    evidence: list[Evidence],
    resolved: Pieces | None = None,
) -> dict[str, Any]:
    """The fields of a workout's row, of the evidence of any span that holds it, and the pieces it resolves to."""
    start_ms, end_ms = workout.at_ms, workout_end_ms(workout)
    pieces = (resolve_sources(evidence) if resolved is None else resolved).clip(start_ms, end_ms)
    ruled = apply_edges(journal, person.id, profile, pieces, start_ms, end_ms)
    t = sum_pieces(*add_told(journal, person.id, profile, pieces.spans, *ruled, start_ms, end_ms))
    held_ms = pieces.end - pieces.start
    told = workout.content  # the watch's summary: all there is where it recorded nothing second by second
    is_measured = bool(t.measured_ms[0])  # else its minutes are not known, which is no 0
    moderate_ms, vigorous_ms = float(t.moderate_ms[0]), float(t.vigorous_ms[0])
    load = load_fields(milliseconds_per_bpm(pieces), profile, start_ms)
    return {
        "sport": told["sport"],
        "duration_s": _duration_s(workout),
        "bpm_mean": float((held_ms * pieces.bpm).sum() / held_ms.sum())
        if len(pieces)
        else _told_mean(workout),
        "bpm_max": int(pieces.bpm.max()) if len(pieces) else told.get("bpm_max"),
        "moderate_s": moderate_ms / 1000 if is_measured else None,
        "vigorous_s": vigorous_ms / 1000 if is_measured else None,
        "dose_min": dose_min(moderate_ms / MINUTE, vigorous_ms / MINUTE) if is_measured else None,
        "trimp": load["trimp"],
        "recovery_60s": _recovery(journal, person.id, evidence, profile, workout),
        "edwards": load["edwards"],
        "end_s": -(-end_ms // 1000),  # nothing of it lies behind
    }


def _duration_s(workout: Entry) -> float:
    """How long it was without its pauses; a timer that cannot be is not believed."""
    length_ms = workout_end_ms(workout) - workout.at_ms
    ran_s, timer_s = (workout.content.get(name) for name in ("ran_s", "timer_s"))
    if ran_s is not None:
        return float(ran_s)
    return float(timer_s) if timer_s is not None and can_be_timer(timer_s, length_ms) else length_ms / 1000


def _told_mean(workout: Entry) -> float | None:
    mean = workout.content.get("bpm_mean")
    return None if mean is None else float(mean)


def _recovery(
    journal: Journal, person: int, evidence: list[Evidence], profile: Profile, workout: Entry
) -> float | None:
    """How far the heart came down in the minute after, as one sensor saw it: the best that saw both ends of it.

    None where another workout goes on in that minute, as the next leg of a triathlon does.
    """
    end_ms = workout_end_ms(workout)
    edges = profile.sports.get(ruling_sport(workout, profile) or "", profile.timeline).edges_at(end_ms)
    if edges is None:
        return None
    falls = (measure_recovery(e.good, end_ms, edges.vigorous_bpm) for e in evidence)
    fall = next((fall for fall in falls if fall is not None), None)
    if fall is None:
        return None
    goes_on = find_workouts(journal, person, end_ms, end_ms + MINUTE)
    return None if any(e.position != workout.position for e in goes_on) else fall


def strap_sessions_between(
    journal: Journal, person: int, profile: Profile, start_ms: int, end_ms: int
) -> list[tuple[str, StrapSession]]:
    """The sessions of straps that lie in [start, end) at least in part, each with the name of the strap."""
    names = {s.id: s.name for s in journal.sources(person) if s.kind == "strap"}
    if not names:
        return []
    first, last = (profile.calendar.day_of(at) for at in (start_ms, end_ms - 1))
    found = []
    for a, b in pairwise(midnights(profile.zone, first, last + timedelta(days=1)).tolist()):
        workouts = workout_spans(find_workouts(journal, person, a, b))
        day = Day.summarize(count_minutes(journal, person, profile, a, b), profile, workouts, a, b)
        found += [
            (names[s.source], s) for s in day.strap_sessions if s.start_ms < end_ms and s.end_ms > start_ms
        ]
    return found
