"""Which edges rule a moment: those of the sport that was done, or the usual ones; and which efforts are long enough."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from ingest.journal import Entry, Journal
from ingest.rows.evidence import read_evidence, resolve_sources
from ingest.rows.profile import Profile
from ingest.rows.workout import find_workouts, workout_end_ms
from zones.bouts import count_only_in, find_bouts, find_efforts
from zones.edges import Timeline
from zones.minutes import classify, split_at_changes
from zones.pieces import Pieces, split

AROUND_MS = 2 * 3_600_000
"""How far before and after a span is looked for the rest of a bout: twice as long as any that can be asked for."""

INTERRUPTION = 0.2
"""The share of a bout that may be interruption: eight of ten minutes (as of Troiano's accelerometer bouts)."""


def apply_edges(
    journal: Journal, person: int, profile: Profile, pieces: Pieces, start_ms: int, end_ms: int
) -> tuple[Pieces, Timeline | Sequence[Timeline]]:
    """Pieces within [start, end) as they are to be counted, and the timelines to count them with.

    Their `source` is then no source any more but tells the timeline. Where bouts of some length are asked for,
    effort outside of them does not count.
    """
    pieces, lines = split_by_sport(journal, person, profile, pieces, start_ms, end_ms)
    if profile.bout_min is None or not len(pieces):
        return pieces, lines
    a, b = start_ms - AROUND_MS, end_ms + AROUND_MS
    wide = split_by_sport(
        journal, person, profile, resolve_sources(read_evidence(journal, person, a, b)), a, b
    )
    least = timedelta(minutes=profile.bout_min)
    return count_only_in(pieces, find_bouts(find_efforts(*wide), least, least * INTERRUPTION)), lines


def classify_by_source(
    journal: Journal, person: int, profile: Profile, resolved: Pieces, start_ms: int, end_ms: int
) -> tuple[Pieces, NDArray[np.uint8]]:
    """The resolved pieces of [start, end), each still of its source, and the zone in which each counts."""
    if not len(resolved):
        return resolved, np.empty(0, np.uint8)
    pieces, lines = apply_edges(journal, person, profile, resolved, start_ms, end_ms)
    pieces = split_at_changes(pieces, lines)
    source = resolved.source[np.searchsorted(resolved.start, pieces.start, side="right") - 1]
    return replace(pieces, source=source), classify(pieces, lines)


def split_by_sport(
    journal: Journal, person: int, profile: Profile, pieces: Pieces, start_ms: int, end_ms: int
) -> tuple[Pieces, Timeline | Sequence[Timeline]]:
    """The same, of sports alone; where two workouts overlap, the one that began last rules."""
    if not profile.sports or not len(pieces):
        return pieces, profile.timeline
    names = list(profile.sports)
    found = [
        (e.at_ms, workout_end_ms(e), 1 + names.index(name))
        for e in find_workouts(journal, person, start_ms, end_ms)
        if (name := ruling_sport(e, profile)) is not None
    ]
    lines = [profile.timeline, *profile.sports.values()]
    pieces = split(pieces, np.array([m for a, b, _ in found for m in (a, b)], np.int64))
    rule = np.zeros(len(pieces), np.int16)
    for a, b, line in found:
        rule[(pieces.start >= a) & (pieces.start < b)] = line
    return replace(pieces, source=rule), lines


def ruling_sport(workout: Entry, profile: Profile) -> str | None:
    """The name of the sport whose edges rule in a workout, the more exact one first; None for the usual edges."""
    names = (workout.content.get("sub_sport"), workout.content.get("sport"))
    return next((name for name in names if name in profile.sports), None)
