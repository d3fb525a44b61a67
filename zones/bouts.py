"""Bouts: stretches of effort long enough to count for one who asks for that; by default every second does."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from zones.edges import Timeline
from zones.minutes import Zone, classify, split_at_changes
from zones.moments import Length, distinct, length_ms
from zones.pieces import Pieces, split
from zones.spans import Spans


def find_efforts(pieces: Pieces, timeline: Timeline | Sequence[Timeline]) -> Spans:
    """When the heart rate was moderate or vigorous, of a kind that counts.

    Each source may have a timeline of its own, by the index that pieces carry.
    """
    pieces = split_at_changes(pieces, timeline)
    zone = classify(pieces, timeline)
    hard = (zone == Zone.MODERATE) | (zone == Zone.VIGOROUS)
    return Spans.of(pieces.start[hard], pieces.end[hard])


def find_bouts(effort: Spans, least: Length, interruption: Length) -> Spans:
    """The stretches in which effort lasts, `interruption` in every `least` left aside: of ten minutes eight.

    Raises ValueError when `least` or `interruption` is no length of time.

    Eight of ten minutes is how accelerometers' bouts are counted (Troiano 2008, doi 10.1249/mss.0b013e31815a51b3).

    A moment is in a bout if some `least` around it, that effort begins and ends but for the interruptions within it, holds
    that much effort. So only what lies within `least` and one interruption of a moment has a say in it.
    """
    shortest, rest = length_ms(least), length_ms(interruption, 0)
    if not len(effort):
        return effort
    new = np.append(True, effort.start[1:] - effort.end[:-1] > rest)
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(effort)) - 1
    # Windows [s, s + least] may begin where they stay between the first and the last effort of such a run.
    inside = Spans.of(effort.start[first], effort.end[last] - shortest + 1)
    # How much effort a window holds grows or falls by a millisecond each, or stays, between these moments.
    borders = np.concatenate([effort.start, effort.end])
    at = distinct(np.concatenate([borders, borders - shortest]))
    over = effort.before_ms(at + shortest) - effort.before_ms(at) - (shortest - rest)
    a, b, fa, fb = at[:-1], at[1:], over[:-1], over[1:]
    some = (fa >= 0) | (fb >= 0)
    begins = np.where(fa >= 0, a, b - fb)[some]
    ends = np.where(fb >= 0, b, a + fa)[some]
    enough = Spans.of(begins, ends + 1) & inside
    return Spans.of(enough.start, enough.end - 1 + shortest)


def count_only_in(pieces: Pieces, spans: Spans) -> Pieces:
    """The same pieces, counting within the spans only; outside them what is at or above moderate is elevated."""
    pieces = split(pieces, np.concatenate([spans.start, spans.end]))
    return replace(pieces, counts=pieces.counts & spans.covers(pieces.start))
