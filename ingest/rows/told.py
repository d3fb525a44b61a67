"""Minutes by the watch's own word: a workout of which its file tells seconds in zones, and not one heart rate in time.

They count where its zones begin at this person's limits, in time that no sample of any source covers. Nobody knows when in
the workout they were: each minute of it gets its part. The heart rate that stands in such a minute is the mean that the watch
tells, or where that lies in another zone the limit next to it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ingest.journal import Entry, Journal
from ingest.language import N_
from ingest.rows.evidence import read_evidence, resolve_sources
from ingest.rows.profile import Profile
from ingest.rows.ruling import ruling_sport
from ingest.rows.workout import find_workouts, workout_end_ms
from zones.edges import Edges, Timeline
from zones.minutes import MINUTE, Zone, classify
from zones.pieces import Pieces, merge
from zones.spans import Spans

SLACK_S, SLACK_SHARE = 2.0, 0.005
"""By so much a watch may round what it tells of one workout in several places."""


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What the watch tells of a workout, as pieces, and how the timeline that rules it is called: "" the usual one."""

    workout: Entry
    pieces: Pieces
    sport: str


def add_told(
    journal: Journal,
    person: int,
    profile: Profile,
    covered: Spans,
    pieces: Pieces,
    lines: Timeline | Sequence[Timeline],
    start_ms: int,
    end_ms: int,
) -> tuple[Pieces, Timeline | Sequence[Timeline]]:
    """What `apply_edges` gives of the samples that cover a time, and behind them what watches tell of [start, end) themselves."""
    found = list(find_told(journal, person, profile, covered, start_ms, end_ms))
    if not found:
        return pieces, lines
    if isinstance(lines, Timeline):
        pieces = replace(pieces, source=np.zeros(len(pieces), np.int16))
        lines = [profile.timeline, *profile.sports.values()]
    order = ["", *profile.sports]
    parts = [replace(t.pieces, source=np.full(len(t.pieces), order.index(t.sport), np.int16)) for t in found]
    return merge([pieces, *parts]), lines


def find_told(
    journal: Journal, person: int, profile: Profile, covered: Spans, start_ms: int, end_ms: int
) -> Iterator[Told]:
    """What counts by watches' own word in [start, end), outside of what samples cover and of what is forgotten.

    Where bouts of some length are asked for none of it does: nobody knows how long an effort was.
    """
    if profile.bout_min is not None or not journal.told_workouts(person, start_ms, end_ms):
        return
    left_out = journal.left_out(person)
    for workout in find_workouts(journal, person, start_ms, end_ms):
        edges = counted_edges(workout, profile)
        if edges is not None:
            gone = covered | left_out.spans(workout.content["source"])
            pieces = _lay_out(workout, edges).without(gone).clip(start_ms, end_ms)
            if len(pieces):
                covered = covered | pieces.spans
                yield Told(workout, pieces, ruling_sport(workout, profile) or "")


def count_told(
    journal: Journal, person: int, profile: Profile, borders_ms: Sequence[int]
) -> NDArray[np.int64] | None:
    """Milliseconds light, moderate and vigorous that count by watches' own word between each two borders; None for none at all."""
    start_ms, end_ms = borders_ms[0], borders_ms[-1]
    if profile.bout_min is not None:
        return None
    whole = Spans.pairs(journal.told_workouts(person, start_ms, end_ms)).clip(start_ms, end_ms)
    if not len(whole):
        return None
    found = np.zeros((len(borders_ms) - 1, 3), np.int64)
    for i, (a, b) in enumerate(pairwise(borders_ms)):
        here = whole.clip(a, b)
        for start, end in zip(here.start.tolist(), here.end.tolist(), strict=True):
            covered = resolve_sources(read_evidence(journal, person, start, end)).spans
            for told in find_told(journal, person, profile, covered, start, end):
                zone = classify(told.pieces, profile.sports.get(told.sport, profile.timeline))
                lasts = told.pieces.end - told.pieces.start
                found[i] += np.bincount(zone, lasts, len(Zone)).astype(np.int64)[:3]
    return found if found.any() else None


def ruling_edges(workout: Entry, profile: Profile) -> Edges | None:
    """The limits that rule a workout; None where nothing tells where moderate begins then."""
    return profile.sports.get(ruling_sport(workout, profile) or "", profile.timeline).edges_at(workout.at_ms)


def counted_edges(workout: Entry, profile: Profile) -> Edges | None:
    """The limits that rule a workout if the zones of its watch, which told no more, begin at both; None otherwise."""
    theirs = workout.content.get("watch_edges") or ()
    edges = ruling_edges(workout, profile)
    if edges is None or len(workout.content.get("watch_s") or ()) != len(theirs) + 1:
        return None
    if contradiction(workout):
        return None
    return edges if edges.moderate_bpm in theirs and edges.vigorous_bpm in theirs else None


def contradiction(workout: Entry) -> str:
    """Why the seconds in zones that a watch tells cannot be, by what the same file says of the workout; empty if they can."""
    told = workout.content
    seconds, lowest = np.array(told["watch_s"], np.float64), np.array([0, *told["watch_edges"]], np.float64)
    total_s, lasts_s = float(seconds.sum()), (workout_end_ms(workout) - workout.at_ms) / 1000
    if total_s > lasts_s * (1 + SLACK_SHARE) + SLACK_S:
        return N_("they are more than the workout lasted")
    highest, mean = told.get("bpm_max"), told.get("bpm_mean")
    if highest and float(seconds[lowest > highest].sum()) > SLACK_S:
        return N_("they lie above the highest heart rate of the workout")
    if mean and total_s and float((seconds * lowest).sum()) / total_s > mean + 1:
        return N_("they lie higher than the mean heart rate of the workout allows")
    return ""


def told_zone_ms(workout: Entry, edges: Edges) -> NDArray[np.int64]:
    """Milliseconds light, moderate and vigorous that the watch tells of a workout."""
    lowest = np.array([0, *workout.content["watch_edges"]], np.int64)
    zone = (lowest >= edges.moderate_bpm).astype(np.intp) + (lowest >= edges.vigorous_bpm)
    seconds = np.array(workout.content["watch_s"], np.float64)
    return np.rint(np.bincount(zone, seconds, 3) * 1000).astype(np.int64)


def told_ms(workout: Entry) -> int:
    """For how long a watch tells zones of a workout: not for longer than that lasted."""
    seconds = float(np.sum(np.array(workout.content["watch_s"], np.float64)))
    return min(round(seconds * 1000), workout_end_ms(workout) - workout.at_ms)


def _lay_out(workout: Entry, edges: Edges) -> Pieces:
    """Each minute of a workout with its part of what the watch tells, lowest zone first."""
    begin, end = workout.at_ms, workout_end_ms(workout)
    if end <= begin:
        return Pieces.none()
    ms = told_zone_ms(workout, edges)
    lasts = end - begin
    if int(ms.sum()) > lasts:
        ms = ms * lasts // int(ms.sum())
        ms[ms.argmax()] += lasts - ms.sum()
    inner = np.arange(begin // MINUTE + 1, -(-end // MINUTE), dtype=np.int64) * MINUTE
    borders = np.concatenate([[begin], inner, [end]]).astype(np.int64)
    parts = _shares(ms, borders - begin)
    stop = borders[:-1] + np.cumsum(parts, axis=0)
    mean = workout.content.get("bpm_mean") or 0
    bpm = (
        min(mean or edges.moderate_bpm - 1, edges.moderate_bpm - 1),
        min(max(mean, edges.moderate_bpm), edges.vigorous_bpm - 1),
        max(mean, edges.vigorous_bpm),
    )
    begins, stops = (stop - parts).T.ravel(), stop.T.ravel()
    which = np.tile(np.array(bpm, np.uint8), len(borders) - 1)
    pieces = Pieces(begins, stops, which, np.zeros(len(which), np.int16), np.ones(len(which), np.bool_))
    return pieces.take(stops > begins)


def _shares(amounts: NDArray[np.int64], borders: NDArray[np.int64]) -> NDArray[np.int64]:
    """How much of each amount lies between each two borders, which ascend from 0: in proportion, and not one is lost.

    The amounts are not more together than the last border; no stretch gets more than it is long.
    """
    lasts, lengths = borders[-1], np.diff(borders)
    parts = amounts[:, None] * lengths // lasts
    # What is left of each amount goes to where there is room left: a stretch has room for two or three at most.
    room = np.diff(amounts.sum() * borders // lasts) - parts.sum(axis=0)
    left = amounts - parts.sum(axis=1)
    where = np.repeat(np.arange(len(room), dtype=np.intp), room.astype(np.intp))
    whose = np.repeat(np.arange(len(left), dtype=np.intp), left.astype(np.intp))
    one_each = np.bincount(whose * len(room) + where, minlength=parts.size)
    shares: NDArray[np.int64] = parts + one_each.astype(np.int64).reshape(parts.shape)
    return shares
