"""Beats placed in time from arrivals and intervals: on a simulated radio, and for any notifications whatever."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from zones.placing import LATEST_MS, REACH_MS, Placed, place

S = 1000


@dataclass(frozen=True)
class Told:
    """Notifications as they arrived (ms): of all of them, and of each beat told; and when each beat truly was (s)."""

    heard: NDArray[np.int64]
    arrivals: NDArray[np.int64]
    rr_ms: NDArray[np.float64]
    truth: NDArray[np.float64]

    def placed(self) -> Placed:
        return place(self.arrivals, self.rr_ms, self.heard)


def radio(
    seed: int,
    *,
    seconds: int = 3600,
    stalls: tuple[tuple[int, int], ...] = (),
    lost: float = 0.0,
    detection_s: float = 0.0,
    usual_s: float = 0.85,
) -> Told:
    """A strap that tells once a second, by a clock 30 ppm off, of the beats since; 10 to 60 ms on the air.

    One in fifty takes 300 ms more; what would arrive in a stall arrives at its end; some are lost, never two in a row.
    """
    rng = np.random.default_rng(seed)
    units: list[int] = []
    x = usual_s
    while len(units) < seconds / usual_s:
        x = usual_s + 0.9 * (x - usual_s) + rng.normal(0, 0.02)
        units.append(round(max(x, 0.3) * 1024))
    rr_s = np.array(units) / 1024
    beats = 5 + np.cumsum(rr_s)
    heard: list[int] = []
    arrivals: list[int] = []
    which: list[int] = []
    told, before = 0, False
    for tick in 5 + 1.00003 * np.arange(1, seconds):
        upto = int(np.searchsorted(beats + detection_s, tick, side="right"))
        arrival = tick + rng.uniform(0.01, 0.06) + (0.3 if rng.random() < 0.02 else 0.0)
        stalled = [b for a, b in stalls if a <= arrival < b]
        before = rng.random() < lost and not before and not stalled
        if not before:
            at = int(1000 * (stalled[0] if stalled else arrival))
            heard.append(at)
            arrivals += [at] * (upto - told)
            which += range(told, upto)
        told = upto
    return Told(np.sort(heard), np.sort(arrivals), rr_s[which] * 1000, beats[which])


def errors_s(told: Told, placed: Placed) -> tuple[float, float]:
    """The standard deviation of the error, and of the error of intervals, where no beat was lost in between."""
    off = placed.times / 1000 - told.truth[placed.which]
    beside = ~placed.new[1:] & (np.diff(placed.which) == 1)
    return float(off.std()), float(np.diff(off)[beside].std())


STALLS = ((600, 620), (900, 904), (1500, 1520), (1535, 1555), (2400, 2420))


@pytest.mark.parametrize(
    ("told", "limit_s"),
    [
        (radio(0), 0.020),
        (radio(1, usual_s=0.45), 0.020),
        (radio(2, detection_s=0.5), 0.020),
        (radio(3, stalls=STALLS), 0.020),
        (radio(4, lost=0.002), 0.020),
        (radio(5, lost=0.02), 0.040),
    ],
    ids=["usual", "hard effort", "a slow strap", "stalls", "few lost", "many lost"],
)
def test_beats_are_where_they_were(told: Told, limit_s: float) -> None:
    """Protects the beats of an hour: within 20 ms of the truth but for a constant, though they are told a second late."""
    placed = told.placed()
    assert len(placed.which) == len(told.rr_ms)
    error_s, interval_s = errors_s(told, placed)
    assert error_s <= limit_s
    assert interval_s <= 0.006


def test_a_stall_moves_no_beat() -> None:
    """Protects the beats told in a burst after a held-up loop: they are where they are without the stall."""
    held_up, free = radio(3, stalls=STALLS), radio(3)
    a, b = held_up.placed().times, free.placed().times
    assert len(a) == len(b)
    assert np.abs(a - b).max() <= 120
    assert held_up.placed().new.sum() == 1


def test_a_lost_notification_begins_a_chain() -> None:
    """Protects variability: two beats with a missed one between them are no pair."""
    told = radio(6, lost=0.01)
    placed = told.placed()
    behind_loss = np.flatnonzero(np.diff(told.truth) - told.rr_ms[1:] / 1000 > 0.01) + 1
    assert len(behind_loss) > 20
    begun = placed.which[placed.new]
    found = [i for i in behind_loss if np.abs(begun - i).min() <= 3]
    assert len(found) == len(behind_loss)
    assert len(begun) <= len(behind_loss) + 6


def test_beats_without_notifications_lost_are_one_chain_unless_the_strap_missed_some() -> None:
    """Protects the gap a strap leaves that goes on telling a heart rate but no intervals for ten seconds."""
    told = radio(7, seconds=600)
    quiet = (told.arrivals > 300 * S) & (told.arrivals <= 310 * S)
    kept = Told(told.heard, told.arrivals[~quiet], told.rr_ms[~quiet], told.truth[~quiet])
    placed = kept.placed()
    (begun,) = placed.which[placed.new][1:]
    assert abs(kept.arrivals[begun] - 311 * S) <= 3 * S
    assert errors_s(kept, placed)[0] <= 0.03


def test_an_impossible_interval_disturbs_no_other_beat() -> None:
    """Protects the minute around an interval of 64 s that a strap made up."""
    told = radio(8, seconds=600)
    wrong = told.rr_ms.copy()
    wrong[300] = 65535 * 1000 / 1024
    placed = place(told.arrivals, wrong, told.heard)
    assert placed.which.tolist() == list(range(len(wrong)))
    off = placed.times / 1000 - told.truth
    others = np.delete(off, 300)
    assert np.abs(others - np.median(others)).max() < 0.4


def test_a_first_word_that_tells_of_a_minute_ago_is_left_out() -> None:
    """Protects against beats of an earlier time that a strap kept and sends on connecting: when they were is not known."""
    arrivals = np.full(200, 100 * S)
    placed = place(arrivals, np.full(200, 1000.0), [100 * S])
    assert placed.times.tolist() == list(range(40 * S, 100 * S + 1, S))
    assert placed.which.tolist() == list(range(139, 200))


gaps = st.sampled_from(
    [0, 0, 200, 990, 1000, 1000, 1000, 1010, 1040, 1300, 700, 2000, 3100, 6000, 20_000, 40_000]
)
intervals = st.lists(st.sampled_from([0, 300, 500, 820, 870, 900, 1024, 1500, 3000, 5000, 65535]), max_size=3)
runs = st.tuples(gaps, intervals, st.integers(1, 25))
sessions = st.lists(runs, min_size=1, max_size=30)


def session(drawn: list[tuple[int, list[int], int]], start: int = 1_795_000_000_000) -> Told:
    """Notifications of which some repeat for a while, as straps do."""
    heard, arrivals, rr = [], [], []
    now = start
    for gap, told, times in drawn:
        for _ in range(times):
            now += gap
            heard.append(now)
            arrivals += [now] * len(told)
            rr += told
    none = np.empty(0)
    return Told(np.array(heard), np.array(arrivals, np.int64), np.array(rr) * 1000 / 1024, none)


@settings(max_examples=150)
@given(sessions)
def test_beats_ascend_and_none_is_in_the_future(drawn: list[tuple[int, list[int], int]]) -> None:
    """Protects every reader of beats: strictly ascending, never later than the word of them, at most a minute earlier."""
    told = session(drawn)
    placed = told.placed()
    assert (np.diff(placed.times) > 0).all()
    assert (np.diff(placed.which) > 0).all()
    late = told.arrivals[placed.which] - placed.times
    assert ((late >= 0) & (late <= LATEST_MS)).all()
    assert not len(placed.new) or placed.new[0]


@settings(max_examples=150)
@given(sessions, st.integers(-(10**12), 10**12))
def test_the_clock_has_no_say_in_the_rest(drawn: list[tuple[int, list[int], int]], shift: int) -> None:
    """Protects a later correction of the clock: all beats move with it, to the millisecond."""
    here, there = session(drawn).placed(), session(drawn, 1_795_000_000_000 + shift).placed()
    assert (here.times + shift).tolist() == there.times.tolist()
    assert here.which.tolist() == there.which.tolist()
    assert here.new.tolist() == there.new.tolist()


@settings(max_examples=300)
@given(sessions, st.floats(0, 1), st.integers(0, 100_000), st.integers(0, 200_000), st.integers(0, 200_000))
def test_what_is_far_away_has_no_say(
    drawn: list[tuple[int, list[int], int]], where: float, lasts: int, before: int, after: int
) -> None:
    """Protects "incremental equals rebuild": a beat is placed the same whatever is read around it, if it reaches far enough."""
    whole = session(drawn)
    a = int(whole.heard[0] + where * (whole.heard[-1] - whole.heard[0]))
    b = a + lasts
    reach = (a - REACH_MS - before, b + REACH_MS + after)
    near = (whole.arrivals >= reach[0]) & (whole.arrivals <= reach[1])
    heard = whole.heard[(whole.heard >= reach[0]) & (whole.heard <= reach[1])]
    part = place(whole.arrivals[near], whole.rr_ms[near], heard)
    everything = whole.placed()

    def inside(placed: Placed, first: int) -> list[tuple[int, int]]:
        here = (placed.times >= a) & (placed.times < b)
        return list(zip(placed.times[here].tolist(), (placed.which[here] + first).tolist(), strict=True))

    first = int(np.searchsorted(whole.arrivals, reach[0]))
    assert inside(part, first) == inside(everything, 0)
