"""An account of a span of time: what was measured, by which source, and for everything else why not.

Every millisecond of the span is in exactly one place, so the accounts of its parts add up to that of the whole.
"""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ingest.journal import RANKS, Journal, Source
from ingest.rows.evidence import LONGEST_HOLD, Evidence, read_evidence, resolve_sources
from ingest.rows.pause import ends_paused
from ingest.rows.profile import Profile
from ingest.rows.ruling import classify_by_source
from ingest.rows.told import find_told
from zones import artefacts
from zones.artefacts import Artefact
from zones.minutes import Zone, classify
from zones.pieces import hold
from zones.spans import Spans

WHY_NOT = ("paused", "masked", "gap", "nothing")
"""Why a moment is not measured, the first that holds: the timer of a watch was paused; a sample there is not believed;
no sample came for longer than one may stand; nothing recorded."""


TOLD = "summary"
"""The kind of what counts by the watch's own word; no source of samples is of it."""


def told_key(source: str) -> str:
    """Where the share of a watch's own word stands, apart from that of the samples of the same watch."""
    return f"{source} {TOLD}"


@dataclass(slots=True)
class Share:
    """What one source has to do with a span; all in milliseconds but the counts of samples."""

    source: Source
    zones_ms: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(Zone), np.int64))
    """Where it was believed, by zone."""
    lost_ms: dict[str, int] = field(default_factory=dict)
    """Where it had a heart rate too, but a better source was believed: by the name of that."""
    paused_ms: int = 0
    masked_ms: int = 0
    gap_ms: int = 0
    samples: int = 0
    artefacts: dict[str, int] = field(default_factory=dict)

    def add(self, other: "Share") -> None:
        """Count another share in."""
        self.zones_ms = self.zones_ms + other.zones_ms
        for mine, more in ((self.lost_ms, other.lost_ms), (self.artefacts, other.artefacts)):
            for name, n in more.items():
                mine[name] = mine.get(name, 0) + n
        self.paused_ms += other.paused_ms
        self.masked_ms += other.masked_ms
        self.gap_ms += other.gap_ms
        self.samples += other.samples


@dataclass(slots=True)
class Account:
    """All of a span: per source (a watch's own word apart, see `told_key`), and for what is not measured by reason."""

    start_ms: int
    end_ms: int
    shares: dict[str, Share]
    not_measured_ms: dict[str, int]

    @property
    def zones_ms(self) -> NDArray[np.int64]:
        """Milliseconds per zone."""
        none = np.zeros(len(Zone), np.int64)
        return sum((share.zones_ms for share in self.shares.values()), none)

    def add(self, other: "Account") -> None:
        """Go on with the account of what follows."""
        self.end_ms = other.end_ms
        for name, share in other.shares.items():
            self.shares.setdefault(name, Share(share.source)).add(share)
        for why, ms in other.not_measured_ms.items():
            self.not_measured_ms[why] += ms


@dataclass(frozen=True, slots=True, eq=False)
class Silence:
    """Where a source recorded and yet tells nothing, by reason."""

    paused: Spans
    masked: Spans
    gap: Spans


def find_silence(e: Evidence, start_ms: int, end_ms: int, stood: Spans | None = None) -> Silence:
    """Why a source that recorded in [start, end) has no heart rate there; `stood` is where its timer stood still at the end.

    Ten minutes behind its last sample it no longer counts as recording; a pause that is told of is one however long it lasts.
    """
    here = Spans.of([start_ms], [end_ms])
    recorded = hold(e.series, artefacts.REACH_MS / 1000, ends=e.ends).spans & here
    unmasked = hold(e.series, LONGEST_HOLD[e.source.kind], pauses=e.pauses, ends=e.ends).spans & here
    # A masked sample's own time, and what is masked without any value: it is no gap of the sensor's making.
    paused = (e.pauses.clip(start_ms, end_ms) | (stood or Spans.none())) - e.pieces.spans
    masked = unmasked - e.pieces.spans - paused
    return Silence(paused, masked, recorded - paused - masked - e.pieces.spans)


def account_for_part(
    journal: Journal, person: int, evidence: list[Evidence], profile: Profile, start_ms: int, end_ms: int
) -> Account:
    """The account of [start, end), of which this is the evidence."""
    resolved, zone = classify_by_source(journal, person, profile, resolve_sources(evidence), start_ms, end_ms)
    lasts = resolved.end - resolved.start
    covered = [resolved.take(resolved.source == i).spans for i in range(len(evidence))]
    stood = ends_paused(journal, person, start_ms, end_ms)
    silences = [find_silence(e, start_ms, end_ms, stood.get(e.source.name)) for e in evidence]
    shares = {}
    for i, e in enumerate(evidence):
        mine = resolved.source == i
        share = Share(e.source, np.bincount(zone[mine], lasts[mine], len(Zone)).astype(np.int64))
        for j in range(i):
            if lost := (e.pieces.spans & covered[j]).measure_ms:
                share.lost_ms[evidence[j].source.name] = lost
        share.paused_ms, share.masked_ms, share.gap_ms = (
            s.measure_ms for s in (silences[i].paused, silences[i].masked, silences[i].gap)
        )
        a, b = np.searchsorted(e.series.times.astype(np.int64), [start_ms, end_ms])
        share.samples = int(b - a)
        for sort in Artefact:
            if n := int(np.count_nonzero(e.bad[a:b] & sort)):
                share.artefacts[(sort.name or "").lower()] = n
        if share.samples or share.zones_ms.any() or share.lost_ms or share.paused_ms or share.gap_ms:
            shares[e.source.name] = share
    measured = resolved.spans
    for told in find_told(journal, person, profile, measured, start_ms, end_ms):
        name, line = told.workout.content["source"], profile.sports.get(told.sport, profile.timeline)
        share = shares.setdefault(told_key(name), Share(Source(0, person, name, TOLD, len(RANKS))))
        zone = classify(told.pieces, line)
        share.zones_ms += np.bincount(zone, told.pieces.end - told.pieces.start, len(Zone)).astype(np.int64)
        measured = measured | told.pieces.spans
    return Account(start_ms, end_ms, shares, _not_measured(measured, silences, start_ms, end_ms))


def _not_measured(measured: Spans, silences: list[Silence], start_ms: int, end_ms: int) -> dict[str, int]:
    """Milliseconds without any heart rate, each under the first reason that holds."""
    left = Spans.of([start_ms], [end_ms]) - measured
    found = dict.fromkeys(WHY_NOT, 0)
    for why in WHY_NOT[:-1]:
        here = left & Spans.union(getattr(s, why) for s in silences)
        found[why] = here.measure_ms
        left = left - here
    found["nothing"] = left.measure_ms
    return found


def account_for(journal: Journal, person: int, profile: Profile, borders_ms: list[int]) -> Account:
    """The account of a long span, part by part between its borders, so that a week needs no memory of a week."""
    whole = Account(borders_ms[0], borders_ms[0], {}, dict.fromkeys(WHY_NOT, 0))
    for a, b in pairwise(borders_ms):
        if b > a:
            whole.add(account_for_part(journal, person, read_evidence(journal, person, a, b), profile, a, b))
    return whole
