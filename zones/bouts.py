"""Bouts: stretches of effort long enough to count for one who asks for that; by default every second does."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from zones.edges import Timeline
from zones.minutes import Zone, at_changes, classify
from zones.moments import Length, length_ms
from zones.pieces import Pieces, split
from zones.spans import Spans


def efforts(pieces: Pieces, timeline: Timeline | Sequence[Timeline]) -> Spans:
    """When the heart rate was moderate or vigorous, of a kind that counts."""
    pieces = at_changes(pieces, timeline)
    zone = classify(pieces, timeline)
    hard = (zone == Zone.MODERATE) | (zone == Zone.VIGOROUS)
    return Spans.of(pieces.start[hard], pieces.end[hard])


def bouts(effort: Spans, least: Length, interruption: Length) -> Spans:
    """The stretches of at least `least` with no interruption longer than `interruption`.

    Effort itself fills at least `least` less one interruption: with ten minutes and two it is eight of ten.
    """
    if not len(effort):
        return effort
    shortest, rest = length_ms(least), length_ms(interruption, 0)
    new = np.append(True, effort.start[1:] - effort.end[:-1] > rest)
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(effort)) - 1
    start, end = effort.start[first], effort.end[last]
    active = np.add.reduceat(effort.end - effort.start, first)
    long = (end - start >= shortest) & (active >= shortest - rest)
    return Spans.of(start[long], end[long])


def only_in(pieces: Pieces, spans: Spans) -> Pieces:
    """The same pieces, counting within the spans only; outside them what is at or above moderate is elevated."""
    pieces = split(pieces, np.concatenate([spans.start, spans.end]))
    return replace(pieces, counts=pieces.counts & spans.covers(pieces.start))
