"""Why a minute, day, week or file is counted as it is.

Every millisecond of the span appears once: in a zone, under the source that was believed, or among what is not measured,
under the reason. So minutes explained one by one add up to what `week` says.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np

from ingest.journal import DAY_MS, Entry, Journal
from ingest.language import N_, Text, joined
from ingest.rows.account import Account, Share, account_for
from ingest.rows.evidence import LONGEST_HOLD, Evidence, read_evidence, resolve_sources
from ingest.rows.profile import Profile
from ingest.rows.ruling import classify_by_source, ruling_sport
from ingest.rows.workout import find_workouts
from ingest.verbs.clock_offsets import ClockOffset, offsets_between
from ingest.verbs.explain_subject import Subject
from ingest.verbs.measures import Measures, measure_span
from ingest.verbs.times import utc_text, zone_at
from ingest.verbs.watch_comparison import ClaimComparison, ZoneComparison, compare_claim, compare_zones
from zones.artefacts import BEATS_NEAR_MS, Artefact
from zones.dose import dose_min
from zones.edges import Edges, Timeline
from zones.minutes import MINUTE, Zone
from zones.pieces import Pieces


@dataclass(frozen=True, slots=True)
class MaskedRun:
    """Samples of a source, one after the other, that are not believed: the first, the last, lowest and highest bpm, why."""

    source: str
    first_ms: int
    last_ms: int
    samples: int
    bpm: tuple[int, int]
    reason: str

    def json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "from": utc_text(self.first_ms),
            "to": utc_text(self.last_ms),
            "samples": self.samples,
            "bpm": list(self.bpm),
            "why": self.reason,
        }


@dataclass(frozen=True, slots=True)
class ExplainedSample:
    """One sample, how long it stands, and what it counts as: seconds by zone."""

    source: str
    at_ms: int
    bpm: int
    stands_s: float
    counts_as_s: dict[str, float]
    not_used_s: float
    """Where another source is believed first."""
    masked: str | None
    """Why it is not believed."""

    def json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "time": utc_text(self.at_ms),
            "bpm": self.bpm,
            "stands_s": self.stands_s,
            "counts_as": self.counts_as_s,
            "not_used_s": self.not_used_s,
            "masked": self.masked,
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that can be said of a subject."""

    subject: Subject
    account: Account
    edges: list[tuple[int, Edges | None]]
    sports: dict[str, list[tuple[int, Edges | None]]]
    """The edges of the sports that were done in the span and have their own."""
    measures: Measures
    claims: list[ClaimComparison]
    checks: list[ZoneComparison]
    clocks: list[ClockOffset]
    masked: list[MaskedRun]
    samples: list[ExplainedSample]
    """Those of a minute."""

    def json(self) -> dict[str, Any]:
        """What `explain --json` prints."""
        subject, measures = self.subject, self.measures
        zones = {
            f"{z.name.lower()}_s": ms / 1000
            for z, ms in zip(Zone, self.account.zones_ms.tolist(), strict=True)
        }
        return {
            "person": subject.person.name,
            "what": subject.name,
            "reason": subject.file.reason if subject.file else None,
            "time_said_of": subject.without_date or None,
            "zone": zone_at(subject.profile.calendar, subject.start_ms),
            "from": utc_text(subject.start_ms),
            "to": utc_text(subject.end_ms),
            **zones,
            "measured_s": int(self.account.zones_ms.sum()) / 1000,
            "dose_min": self.dose_min,
            "not_measured_s": {why: ms / 1000 for why, ms in self.account.not_measured_ms.items()},
            "edges": _edges_json(self.edges),
            "sports": {sport: _edges_json(edges) for sport, edges in self.sports.items()},
            "sources": [_share_json(s) for s in self.account.shares.values()],
            "sessions": [_workout_json(e, row) for e, row in measures.workouts],
            "worn": [
                {"from": utc_text(s.start_ms), "source": name, **s.fields}
                for name, s in measures.strap_sessions
            ],
            "days": [
                {
                    "from": utc_text(d.start_ms),
                    **d.zones_s,
                    "dose_min": d.dose_min,
                    "resting_bpm": d.resting_bpm,
                    "quiet_from": None if d.quiet_ms is None else utc_text(d.quiet_ms),
                }
                for d in measures.days
            ],
            "variability": [
                {"from": utc_text(row["at_ms"]), **{k: v for k, v in row.items() if k != "at_ms"}}
                for row in measures.variability
            ],
            "claims": [{"from": utc_text(c.claim.at_ms), **c.json()} for c in self.claims],
            "watch": [c.json() for c in self.checks],
            "clocks": [d.json() for d in self.clocks],
            "masked": [run.json() for run in self.masked],
            "samples": [sample.json() for sample in self.samples],
        }

    @property
    def dose_min(self) -> float:
        """What the span adds to the week."""
        zones = self.account.zones_ms
        return float(dose_min(int(zones[Zone.MODERATE]) / MINUTE, int(zones[Zone.VIGOROUS]) / MINUTE))


_LONGEST_HOLD_MS = max(LONGEST_HOLD.values()) // timedelta(milliseconds=1)

FIRST_MS = -(1 << 45)
"""Edges from before this hold from the beginning."""


def explain(journal: Journal, subject: Subject) -> Explanation:
    """All that can be said of the subject."""
    person, profile, start_ms, end_ms = subject.person.id, subject.profile, subject.start_ms, subject.end_ms
    file = None if subject.file is None else subject.file.id
    claims = journal.facts(person, "claim", start_ms - 2 * DAY_MS, end_ms)
    checks = journal.facts(person, "check", start_ms - 7 * DAY_MS, end_ms)
    masked: list[MaskedRun] = []
    samples: list[ExplainedSample] = []
    clocks: dict[tuple[str, str], ClockOffset] = {}
    for start, end in pairwise(subject.borders_ms):
        found = read_evidence(journal, person, start, end)
        masked += [run for e in found for run in _masked_runs(e, start, end)]
        clocks |= {(c.ahead, c.behind): c for c in offsets_between(journal, subject.person, found)}
        if subject.is_minute:
            samples = _explain_samples(journal, person, found, profile, start, end)
    return Explanation(
        subject,
        account_for(journal, person, profile, subject.borders_ms),
        _edges_in_force(profile.timeline, start_ms, end_ms),
        _sport_edges(journal, person, profile, start_ms, end_ms),
        measure_span(journal, subject.person, profile, start_ms, end_ms, whole_days=subject.whole_days),
        [compare_claim(journal, person, profile, c) for c in claims if _end_ms(c) > start_ms],
        [
            compare_zones(journal, person, profile, c)
            for c in checks
            if _end_ms(c) > start_ms and (file is None or c.file in {file, None})
        ],
        list(clocks.values()),
        masked,
        samples,
    )


def _end_ms(e: Entry) -> int:
    return int(e.content.get("end") or e.last_ms or e.at_ms)


def _edges_in_force(line: Timeline, start_ms: int, end_ms: int) -> list[tuple[int, Edges | None]]:
    """The edges in force in a span, each with when it took effect."""
    return [
        (int(line.valid_from[i]), line.edges[i])
        for i in range(len(line))
        if line.governed(i)[0] < end_ms and line.governed(i)[1] > start_ms
    ]


def _sport_edges(
    journal: Journal, person: int, profile: Profile, start_ms: int, end_ms: int
) -> dict[str, list[tuple[int, Edges | None]]]:
    """The edges in force in the sports that were done in a span, if they have their own."""
    done = (ruling_sport(e, profile) for e in find_workouts(journal, person, start_ms, end_ms))
    return {
        sport: _edges_in_force(profile.sports[sport], start_ms, end_ms)
        for sport in sorted({s for s in done if s})
    }


def _edges_json(edges: list[tuple[int, Edges | None]]) -> list[dict[str, Any]]:
    return [
        {
            "from": None if begins < FIRST_MS else utc_text(begins),
            "moderate_bpm": e and e.moderate_bpm,
            "vigorous_bpm": e and e.vigorous_bpm,
            "method": e and e.method,
            "origin": e and e.origin,
        }
        for begins, e in edges
    ]


def _workout_json(workout: Entry, row: dict[str, Any]) -> dict[str, Any]:
    content = workout.content
    return {
        "from": utc_text(workout.at_ms),
        "source": content["source"],
        "copies": content.get("copies", []),
        "watch_edges": content.get("watch_edges"),
        "watch_s": content.get("watch_s"),
        **row,
        "pauses": content.get("pauses"),
        "doubts": content.get("doubts", []),
    }


def _masked_runs(e: Evidence, start_ms: int, end_ms: int) -> Iterator[MaskedRun]:
    """The runs of samples of a source in [start, end) that are not believed."""
    ms = e.series.times.astype(np.int64)
    there = np.flatnonzero((ms >= start_ms) & (ms < end_ms) & (e.bad != 0))
    for run in np.split(there, np.flatnonzero(np.diff(there) > 1) + 1) if len(there) else ():
        bpm = e.series.bpm[run]
        yield MaskedRun(
            e.source.name,
            int(ms[run[0]]),
            int(ms[run[-1]]),
            len(run),
            (int(bpm.min()), int(bpm.max())),
            _artefact_text(int(np.bitwise_or.reduce(e.bad[run])), e, int(ms[run[0]]), int(ms[run[-1]])),
        )


def _artefact_text(bad: int, e: Evidence, first_ms: int, last_ms: int) -> str:
    """Why samples from first to last are not believed."""
    beats = e.beat_times.view(np.int64)
    a, b = np.searchsorted(beats, (first_ms - BEATS_NEAR_MS, last_ms + BEATS_NEAR_MS))
    alike = b - a > 1 and 2 * np.count_nonzero(np.diff(e.rr_ms[a:b]) == 0) >= b - a - 1
    words = _ARTEFACTS | ({Artefact.STUCK: _WITH_BEATS} if alike else {})
    return joined([Text(words[sort]) for sort in Artefact if bad & sort], ", ")


_WITH_BEATS = N_("frozen: one value for minutes, while its beats do not vary as those of a heart do")


_ARTEFACTS = {
    Artefact.DROPOUT: N_("no heart rate (the sensor's way to say that it has none)"),
    Artefact.SPIKE: N_("a spike: far from what was seconds before and after"),
    Artefact.STUCK: N_("frozen: one value for minutes, or hardly another while no beats came"),
    Artefact.LOOSE: N_("no contact: the strap said that it touched no skin, and no beats came"),
}


def _explain_samples(
    journal: Journal, person: int, found: list[Evidence], profile: Profile, start_ms: int, end_ms: int
) -> list[ExplainedSample]:
    """Each sample that has a say in [start, end)."""
    resolved, zone = classify_by_source(journal, person, profile, resolve_sources(found), start_ms, end_ms)
    samples = []
    for i, e in enumerate(found):
        ms = e.series.times.astype(np.int64)
        good = e.good.times.astype(np.int64)
        # The sample that each piece stands for is the last believed one before it: pieces are cut at pauses and movement.
        sample_of_piece = (
            good[np.maximum(np.searchsorted(good, e.pieces.start, side="right") - 1, 0)] if len(good) else ms
        )
        for k in np.flatnonzero((ms < end_ms) & (ms >= start_ms - _LONGEST_HOLD_MS)).tolist():
            at_ms = int(ms[k])
            pieces = e.pieces.take(sample_of_piece == at_ms) if len(e.pieces) else Pieces.none()
            if at_ms < start_ms and not len(pieces):
                continue
            believed_ms = _overlap_ms(pieces, resolved, zone, i)
            samples.append(
                ExplainedSample(
                    e.source.name,
                    at_ms,
                    int(e.series.bpm[k]),
                    pieces.measure_ms / 1000,
                    {Zone(z).name.lower(): n / 1000 for z, n in believed_ms.items()},
                    (pieces.measure_ms - sum(believed_ms.values())) / 1000,
                    _artefact_text(int(e.bad[k]), e, at_ms, at_ms) or None,
                )
            )
    return sorted(samples, key=lambda sample: sample.at_ms)


def _overlap_ms(mine: Pieces, resolved: Pieces, zone: Any, source: int) -> dict[int, int]:
    """How much of some pieces of a source was believed, by zone."""
    won: dict[int, int] = {}
    for a, b in zip(mine.start.tolist(), mine.end.tolist(), strict=True):
        i, j = np.searchsorted(resolved.end, a, side="right"), np.searchsorted(resolved.start, b)
        for k in range(int(i), int(j)):
            if resolved.source[k] == source:
                n = int(min(resolved.end[k], b) - max(resolved.start[k], a))
                won[int(zone[k])] = won.get(int(zone[k]), 0) + n
    return won


def _share_json(s: Share) -> dict[str, Any]:
    return {
        "source": s.source.name,
        "kind": s.source.kind,
        "samples": s.samples,
        **{f"{z.name.lower()}_s": ms / 1000 for z, ms in zip(Zone, s.zones_ms.tolist(), strict=True)},
        "lost_to_s": {name: ms / 1000 for name, ms in s.lost_ms.items()},
        "paused_s": s.paused_ms / 1000,
        "masked_s": s.masked_ms / 1000,
        "gap_s": s.gap_ms / 1000,
        "masked_samples": s.artefacts,
    }
