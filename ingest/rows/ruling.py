"""Which edges rule a moment: those of the sport that was done, or the usual ones; and which efforts are long enough."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from ingest.journal import DAY_MS, Entry, Journal
from ingest.rows.evidence import believed, evidence
from ingest.rows.profile import Profile
from zones.bouts import bouts, efforts, only_in
from zones.edges import Timeline
from zones.minutes import at_changes, classify
from zones.pieces import Pieces, split

LONGEST_SESSION_MS = 7 * DAY_MS

AROUND_MS = 2 * 3_600_000
"""How far before and after a span is looked for the rest of a bout: twice as long as any that can be asked for."""

INTERRUPTION = 0.2
"""The share of a bout that may be interruption: eight of ten minutes (as of Troiano's accelerometer bouts)."""


def ruled(
    journal: Journal, person: int, known: Profile, pieces: Pieces, start_ms: int, end_ms: int
) -> tuple[Pieces, Timeline | Sequence[Timeline]]:
    """Pieces within [start, end) as they are to be counted, and the timelines to count them with.

    Their `source` is then no source any more but tells the timeline. Where bouts of some length are asked for,
    effort outside of them does not count.
    """
    pieces, lines = by_sport(journal, person, known, pieces, start_ms, end_ms)
    if known.bout_min is None or not len(pieces):
        return pieces, lines
    a, b = start_ms - AROUND_MS, end_ms + AROUND_MS
    wide = by_sport(journal, person, known, believed(evidence(journal, person, a, b)), a, b)
    least = timedelta(minutes=known.bout_min)
    return only_in(pieces, bouts(efforts(*wide), least, least * INTERRUPTION)), lines


def counted(
    journal: Journal, person: int, known: Profile, resolved: Pieces, start_ms: int, end_ms: int
) -> tuple[Pieces, NDArray[np.uint8]]:
    """The resolved pieces of [start, end), each still of its source, and the zone in which each counts."""
    if not len(resolved):
        return resolved, np.empty(0, np.uint8)
    pieces, lines = ruled(journal, person, known, resolved, start_ms, end_ms)
    pieces = at_changes(pieces, lines)
    source = resolved.source[np.searchsorted(resolved.start, pieces.start, side="right") - 1]
    return replace(pieces, source=source), classify(pieces, lines)


def by_sport(
    journal: Journal, person: int, known: Profile, pieces: Pieces, start_ms: int, end_ms: int
) -> tuple[Pieces, Timeline | Sequence[Timeline]]:
    """The same, of sports alone; where two sessions overlap, the one that began last rules."""
    if not known.sports or not len(pieces):
        return pieces, known.timeline
    names = list(known.sports)
    found = [
        (e.at_ms, e.last_ms, 1 + names.index(name))
        for e in sessions(journal, person, start_ms, end_ms)
        if e.last_ms is not None and (name := sport_of(e, known)) is not None
    ]
    lines = [known.timeline, *known.sports.values()]
    pieces = split(pieces, np.array([m for a, b, _ in found for m in (a, b)], np.int64))
    rule = np.zeros(len(pieces), np.int16)
    for a, b, line in found:
        rule[(pieces.start >= a) & (pieces.start < b)] = line
    return replace(pieces, source=rule), lines


def sport_of(session: Entry, known: Profile) -> str | None:
    """The name of the sport whose edges rule in a session, the more exact one first; None for the usual edges."""
    names = (session.content.get("sub_sport"), session.content.get("sport"))
    return next((name for name in names if name in known.sports), None)


def sessions(journal: Journal, person: int, start_ms: int, end_ms: int) -> list[Entry]:
    """The sessions that overlap a span in order of their starts, whichever came in first."""
    found = journal.facts(person, "session", start_ms - LONGEST_SESSION_MS, end_ms)
    return sorted(
        (e for e in found if e.last_ms is not None and e.last_ms > start_ms),
        key=lambda e: (e.at_ms, e.last_ms, str(e.content.get("sub_sport")), str(e.content.get("sport"))),
    )
