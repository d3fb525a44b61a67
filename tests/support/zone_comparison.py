"""Zones compared: what watches counted in their zones beside what is counted here, file by file.

Run as `python -m tests.support.zone_comparison [FOLDER]`; without a folder over HARTSLAG_FIT_FILES. Three tables: each file that holds
`time_in_zone`; what other rules would make of the same files; and the same rules where the truth is known, because
real recordings of every second are thinned here as a watch's smart recording does.
"""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from ingest.errors import Unusable
from ingest.formats import fit
from ingest.formats.fit.time_in_zone import LONGEST
from zones.edges import Edges, Timeline
from zones.pieces import Pieces, hold
from zones.series import Series
from zones.spans import Spans
from zones.spread import find_open_time, spread_min

FULL_RATE = 0.5
"""From this share of one-second steps on a watch recorded every second; below it, smartly."""

DEAD_BPM = 3
"""Smart recording writes when the heart rate has changed by so much, or after some seconds (seen in the steps of all
such files); between two records it is anywhere less far from the former."""

OPEN_S = 10
"""Where less is open than this, seconds that both clocks cut off are as much."""

NO_SAMPLES = 0.5
"""Where less than this of the watch's time has samples that can be a heart rate, there is nothing to compare."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One workout of one file."""

    file: str
    check: fit.ZoneCheck
    series: Series
    pauses: Spans
    timer_s: float

    @property
    def full_rate(self) -> bool:
        return float(np.mean(np.diff(self.series.times.astype(np.int64)) <= 1000)) >= FULL_RATE

    @property
    def comparable(self) -> bool:
        return sum(self.check.ours_s) >= NO_SAMPLES * sum(self.check.watch_s)

    @property
    def watch_against_itself(self) -> float:
        """How far the watch's zones are from its own timer: no count that adds up to the timer comes nearer."""
        watch = sum(self.check.watch_s)
        return abs(watch - self.timer_s) / watch

    @property
    def before_the_first(self) -> float:
        """The part of the watch's seconds that had passed before it wrote its first heart rate: nobody can count them."""
        passed = int(self.series.times[0].astype(np.int64)) - int(self.check.start.astype(np.int64))
        return max(passed, 0) / 1000 / sum(self.check.watch_s)

    @property
    def seconds(self) -> tuple[Floats, NDArray[np.bool_]]:
        """The middles of the hundredths of a second of the workout, in ms from its start, and whether the timer ran."""
        start = int(self.check.start.astype(np.int64))
        at = np.arange(5, int(self.check.end.astype(np.int64)) - start, 10, dtype=np.int64)
        return at.astype(np.float64), ~self.pauses.covers(at + start)

    def left_open(self) -> tuple[Floats, Floats]:
        """The least and the most seconds per zone that the records allow for, as smart recording leaves out the rest."""
        at, runs = self.seconds
        t, bpm = self.columns
        i = np.clip(np.searchsorted(t, at, side="right") - 1, 0, None)
        wide = np.where(at - t[i] < 1000, 0, DEAD_BPM - 1)
        low, high = (np.searchsorted(self.check.edges, bpm[i] + k * wide, side="right") for k in (-1, 1))
        zones = range(len(self.check.watch_s))
        least = [np.count_nonzero(runs & (low == z) & (high == z)) / 100 for z in zones]
        most = [np.count_nonzero(runs & (low <= z) & (high >= z)) / 100 for z in zones]
        return np.array(least), np.array(most)

    def spread(self) -> list[tuple[float, float]]:
        """For each of the watch's limits: ours less the watch's seconds from it on, and how far they may be apart (s)."""
        start, stop = (int(m.astype(np.int64)) for m in (self.check.start, self.check.end))
        pieces = hold(self.series, LONGEST, pauses=self.pauses, ends=[stop]).clip(start, stop)
        ours, watch = (np.cumsum(s[::-1])[::-1] for s in (self.check.ours_s, self.check.watch_s))
        return [
            (float(ours[i + 1] - watch[i + 1]), open_s(pieces, edge))
            for i, edge in enumerate(self.check.edges)
        ]

    @property
    def columns(self) -> tuple[Floats, Floats]:
        """The samples: ms from the start, bpm."""
        return (self.series.times - self.check.start).astype(np.float64), self.series.bpm.astype(np.float64)

    def by(self, rule: "Rule") -> float:
        """The deviation under another rule."""
        at, runs = self.seconds
        zone = np.searchsorted(self.check.edges, rule(at, *self.columns), side="right")
        ours = np.bincount(zone[runs], minlength=len(self.check.watch_s)) / 100
        return float(np.abs(ours - self.check.watch_s).sum() / sum(self.check.watch_s))


def comparisons(folder: Path) -> Iterator[Comparison]:
    """Every workout in a folder whose watch wrote its own seconds per zone; copies of one only once."""
    seen = set()
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() != ".fit":
            continue
        try:
            file = fit.read(path.read_bytes())
        except Unusable:
            continue
        for check in file.checks:
            if (check.start, check.watch_s) in seen:
                continue
            seen.add((check.start, check.watch_s))
            series = next(s for s in file.series if s.kind == "activity").series
            session = next(s for s in file.sessions if (s.start, s.end) == (check.start, check.end))
            timer_s = session.timer_s or float((session.end - session.start) / np.timedelta64(1, "s"))
            yield Comparison(
                path.name, check, series.between(check.start, check.end), file.pauses, float(timer_s)
            )


def open_s(pieces: Pieces, edge: int) -> float:
    """By how many seconds the time from a limit on may be off, as `zones.spread` tells."""
    found = find_open_time(pieces, Timeline.of([(-(1 << 45), Edges.from_bpm(edge, 230))]))
    return 60 * spread_min(found.squares)


def spreads_of_thinned(folder: Path, every_s: int, least_s: float) -> list[tuple[float, float]]:
    """(error, spread) in seconds, over recordings thinned as watches do it, for limits that leave at least so much open."""
    found = []
    for bpm in every_second(folder):
        at = thinned(bpm, every_s)
        times = at.astype(np.int64) * 1000
        end = np.append(times[1:], len(bpm) * 1000)
        values = bpm[at].astype(np.uint8)
        marks = np.zeros(len(at), np.int16), np.ones(len(at), np.bool_)
        pieces = Pieces(times, end, values, *marks)
        for edge in range(90, 185, 5):
            ours = float((end - times)[values >= edge].sum()) / 1000
            spread = open_s(pieces, edge)
            if spread >= least_s:
                found.append((ours - float(np.count_nonzero(bpm >= edge)), spread))
    return found


# --- rules: the heart rate at moments `at` of samples at `t`; all of them in ms ---

Rule = Callable[[Floats, Floats, Floats], Floats]


def until_the_next(at: Floats, t: Floats, bpm: Floats) -> Floats:
    """What we do: a sample stands until the next one."""
    return bpm[_before(at, t)]


def before_it(at: Floats, t: Floats, bpm: Floats) -> Floats:
    """A sample stands for the time since the one before."""
    return bpm[np.minimum(np.searchsorted(t, at), len(t) - 1)]


def the_nearer(at: Floats, t: Floats, bpm: Floats) -> Floats:
    """The sample that is nearer in time."""
    i = _before(at, t)
    j = np.minimum(i + 1, len(t) - 1)
    return np.where(at - t[i] <= t[j] - at, bpm[i], bpm[j])


def a_straight_line(at: Floats, t: Floats, bpm: Floats) -> Floats:
    """A line from each sample to the next, in whole bpm."""
    return np.asarray(np.floor(np.interp(at, t, bpm) + 0.5))


def _before(at: Floats, t: Floats) -> NDArray[np.intp]:
    return np.clip(np.searchsorted(t, at, side="right") - 1, 0, None)


RULES = {
    "until the next": until_the_next,
    "before it": before_it,
    "the nearer": the_nearer,
    "straight line": a_straight_line,
}


# --- where the truth is known ---


def every_second(folder: Path, least_s: int = 500) -> Iterator[Floats]:
    """Real recordings of every second, as columns of bpm."""
    for path in sorted(folder.iterdir()):
        try:
            found = fit.heart_rate(path.read_bytes()).series if path.suffix.lower() == ".fit" else ()
        except Unusable:
            continue
        for s in found:
            t = s.times.astype(np.int64)
            if s.kind == "activity" and len(s) >= least_s and np.mean(np.diff(t) == 1000) > 0.9:
                at = np.arange(t[0], t[-1], 1000, dtype=np.int64).astype(np.float64)
                yield until_the_next(at, t.astype(np.float64), s.bpm.astype(np.float64))


def thinned(bpm: Floats, every_s: int) -> NDArray[np.intp]:
    """Which seconds smart recording would write."""
    kept = [0]
    for i, value in enumerate(bpm.tolist()):
        if abs(value - bpm[kept[-1]]) >= DEAD_BPM or i - kept[-1] >= every_s:
            kept.append(i)
    return np.array(kept)


def compare_with_truth(folder: Path, every_s: int) -> dict[str, list[float]]:
    """The deviations of each rule from the truth, over recordings and the usual zones of maxima from 150 to 204."""
    found: dict[str, list[float]] = {name: [] for name in RULES}
    for bpm in every_second(folder):
        at, kept = np.arange(len(bpm), dtype=np.float64) + 0.5, thinned(bpm, every_s)
        made = {name: rule(at, kept.astype(np.float64), bpm[kept]) for name, rule in RULES.items()}
        for maximum in range(150, 206, 3):
            edges = [(maximum * p + 50) // 100 for p in (50, 60, 70, 80, 90, 100)]
            truth = np.bincount(np.searchsorted(edges, bpm, side="right"), minlength=7)
            if np.count_nonzero(truth > len(bpm) / 20) < 2:
                continue  # all of it in one zone: any rule would do
            for name, values in made.items():
                ours = np.bincount(np.searchsorted(edges, values, side="right"), minlength=7)
                found[name].append(float(np.abs(ours - truth).sum() / len(bpm)))
    return found


def chance(off: list[float], files: int, within: float = 0.01) -> float:
    """How often the median of so many cases, drawn anew and anew, is within that."""
    drawn = np.random.default_rng(1).choice(np.array(off), (10_000, files))
    return float(np.mean(np.median(drawn, axis=1) <= within))


def main() -> None:
    default = os.environ.get("HARTSLAG_FIT_FILES") or Path(__file__).parents[3] / "shared" / "fit-files"
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else default)
    found = list(comparisons(folder))
    print("| file | watch's zones s | its timer s | ours s | off | watch off its own timer | left open |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for v in sorted(found, key=lambda v: (not v.full_rate, v.check.deviation)):
        least, most = v.left_open()
        print(
            f"| {v.file} | {sum(v.check.watch_s):.1f} | {v.timer_s:.1f} | {sum(v.check.ours_s):.1f} |"
            f" {v.check.deviation:.2%} | {v.watch_against_itself:.2%} |"
            + (
                f" {float((most - least).sum()) / 2 / sum(v.check.watch_s):.1%} |"
                if v.comparable
                else " no heart rates |"
            )
        )
    for full, words in ((True, "every second"), (False, "recorded smartly")):
        mine = [v for v in found if v.full_rate == full and v.comparable]
        if mine:
            off = median(v.check.deviation for v in mine)
            rest = median(max(v.check.deviation - v.watch_against_itself, 0.0) for v in mine)
            nearest = median(v.watch_against_itself for v in mine)
            print(f"\n{words}: {len(mine)} files, median {off:.3%}; beyond the watch's own timer {rest:.3%}")
            worst = np.quantile([max(v.check.deviation - v.watch_against_itself, 0.0) for v in mine], 0.9)
            print(f"    nine of ten are within {worst:.3%} beyond the watch's own timer")
            off_and_spread = [pair for v in mine for pair in v.spread() if pair[1] >= OPEN_S]
            inside = sum(abs(off) <= spread for off, spread in off_and_spread)
            print(
                f"    {inside} of {len(off_and_spread)} limits that leave {OPEN_S} s open are off by no more"
            )
            print(f"    no count that adds up to the timers comes nearer than {nearest:.3%}")
            for name, rule in RULES.items():
                each = [v.by(rule) for v in mine]
                print(f"    {name:<16} median {median(each):.2%}, mean {np.mean(each):.2%}")
    for every_s in (5, 9, 12):
        print(f"\nthinned here, a record after {every_s} s at the latest:")
        pairs = spreads_of_thinned(folder, every_s, OPEN_S)
        print(
            f"    {sum(abs(off) <= spread for off, spread in pairs)} of {len(pairs)} limits are within the spread"
        )
        for name, off_each in compare_with_truth(folder, every_s).items():
            if off_each:
                print(
                    f"    {name:<16} median {median(off_each):.2%}, mean {np.mean(off_each):.2%}, {len(off_each)} cases;"
                    f" of seven the median is within 1 % in {chance(off_each, 7):.0%}"
                )


if __name__ == "__main__":
    main()
