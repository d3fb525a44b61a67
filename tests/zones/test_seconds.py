"""Seconds in zones: the golden cases, and the fast way against the slow one."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support import by_hand as byhand
from zones import seconds
from zones.edges import Edges, Timeline
from zones.minutes import seconds_in_zones, tally
from zones.pieces import hold
from zones.series import Series
from zones.spans import Spans

EDGES = [109, 131]


def raw(samples: Any, unit: int = 1) -> Any:
    """Samples as they may come: any order, any bpm a byte holds."""
    t = np.array([t * unit for t, _ in samples], np.int64).view("datetime64[ms]")
    return SimpleNamespace(times=t, bpm=np.array([bpm for _, bpm in samples], np.uint8))


def every_second(start: int, *bpm: int) -> list[tuple[int, int]]:
    return [(start + i, value) for i, value in enumerate(bpm)]


GOLDEN = {
    "A: thirty seconds": (every_second(0, *[100] * 10, *[120] * 10, *[140] * 10), 5, None, [10, 10, 10]),
    "B: uneven gaps": ([(0, 100), (4, 115), (9, 135), (12, 135)], 5, 20, [4, 5, 8]),
    "C: a gap in the middle": (
        every_second(0, *[120] * 10) + every_second(60, *[145] * 10),
        5,
        70,
        [0, 14, 10],
    ),
    "D: 255 and 0 are no samples": (
        every_second(0, *[120] * 3, 255, *[120] * 3, 0, 120, 120),
        5,
        None,
        [0, 10, 0],
    ),
    "E: an edge belongs to the zone above": (every_second(0, 108, 109, 130, 131), 1, None, [1, 2, 1]),
    "F: the tunnel": (every_second(0, *[130] * 60) + every_second(1560, *[145] * 60), 30, 1620, [0, 89, 60]),
    "G: the last of one second wins": ([(0, 110), (5, 110), (5, 150), (6, 110)], 5, 8, [0, 7, 1]),
}


@pytest.mark.parametrize("case", GOLDEN)
def test_golden_cases(case: str) -> None:
    """The seven cases everything else was designed around give their seconds exactly."""
    samples, cap, end, expected = GOLDEN[case]
    got = seconds_in_zones(raw(samples, 1000), EDGES, cap, end=None if end is None else end * 1000)
    assert got.tolist() == expected
    lasts = (samples[-1][0] + 1 if end is None else end) - samples[0][0]
    assert lasts - sum(expected) == {"B": 3, "C": 46, "F": 1471}.get(case[0], 0)  # what was not measured


def test_one_sample_alone_stands_for_nothing_until_an_end_is_known() -> None:
    """Of a single sample nobody knows how long it held: no invented second."""
    alone = raw([(0, 120)], 1000)
    assert seconds_in_zones(alone, EDGES, 5).tolist() == [0, 0, 0]
    assert seconds_in_zones(alone, EDGES, 5, end=3000).tolist() == [0, 3, 0]


def test_lengths_and_moments_of_every_kind_mean_the_same() -> None:
    """timedelta, timedelta64 and seconds; datetime, datetime64 and milliseconds: one answer."""
    samples, _, _, expected = GOLDEN["B: uneven gaps"]
    ends = [20_000, datetime(1970, 1, 1, 0, 0, 20, tzinfo=UTC), np.datetime64("1970-01-01T00:00:20")]
    for longest in (5, 5.0, timedelta(seconds=5), np.timedelta64(5, "s")):
        for end in ends:
            got = seconds_in_zones(raw(samples, 1000), EDGES, longest, end=end)  # type: ignore[arg-type]
            assert got.tolist() == expected


def test_coarse_and_wide_columns() -> None:
    """Times in whole seconds and bpm in wide integers, far out of range, are read for what they are."""
    t = np.arange(4).astype("datetime64[s]")
    series = SimpleNamespace(times=t, bpm=np.array([120, 376, -1, 140]))
    assert seconds_in_zones(series, EDGES, 5, end=5000).tolist() == [0, 3, 2]


def test_pauses_are_cut_out() -> None:
    """A sample before a pause does not stand for the pause, but again for what follows it within its cap."""
    samples = raw(every_second(0, *[120] * 10) + every_second(40, *[140] * 10), 1000)
    pauses = [
        (np.datetime64(12, "s"), np.datetime64(14, "s")),
        (np.datetime64(38, "s"), np.datetime64(45, "s")),
    ]
    assert seconds_in_zones(samples, EDGES, 10, pauses).tolist() == [0, 17, 5]
    assert seconds_in_zones(samples, EDGES, 10, Spans.pairs(pauses)).tolist() == [0, 17, 5]


@pytest.mark.parametrize("edges", [[120, 120], [131, 109]])
def test_edges_must_ascend(edges: list[int]) -> None:
    """A wrong order would silently swap zones, so it is refused."""
    with pytest.raises(ValueError, match="ascend"):
        seconds_in_zones(raw([]), edges, 5)


def test_a_cap_of_nothing_is_refused() -> None:
    """A cap of zero would make every measured second vanish."""
    with pytest.raises(ValueError, match="length of time"):
        seconds_in_zones(raw([]), EDGES, 0)


def test_no_edges_and_edges_out_of_reach() -> None:
    """Without edges all is one zone; an edge no heart rate reaches leaves an empty zone."""
    samples = raw(every_second(0, 100, 120, 140), 1000)
    assert seconds_in_zones(samples, [], 5).tolist() == [3]
    assert seconds_in_zones(samples, [-5, 109, 300], 5).tolist() == [0, 1, 2, 0]
    assert seconds_in_zones(raw([]), EDGES, 5).tolist() == [0, 0, 0]


@given(
    samples=byhand.any_samples,
    ordered=st.booleans(),
    edges=st.lists(st.integers(90, 150), max_size=14, unique=True).map(sorted),
    cap=byhand.caps,
    pauses=byhand.stretches,
    end=st.none() | byhand.moments,
    block=st.sampled_from([1, 2, 3, 8, 1 << 15]),
)
@example(
    [(0, 100), (1, 120), (2, 120), (4, 120), (3, 120), (5, 120), (6, 140), (7, 140)],
    False,
    [109],
    9,
    [],
    None,
    64,
)
@example([(90, 120), (99, 120), (100, 120), (0, 0)], False, [109, 131], 5, [], 50, 8)
@example([(0, 120), (1, 120), (2, 0), (3, 140), (5, 120)], True, [109, 131], 2, [(1, 4)], 4, 2)
def test_equals_counting_by_hand(
    samples: Any, ordered: Any, edges: list[int], cap: int, pauses: Any, end: int | None, block: int
) -> None:
    """Blocks, histograms and shortcuts give what counting millisecond by millisecond gives."""
    if ordered:
        samples = sorted(dict(samples).items())
    with patch.object(seconds, "BLOCK", block):
        got = seconds_in_zones(raw(samples), edges, timedelta(milliseconds=cap), Spans.pairs(pauses), end=end)
    assert (got * 1000).round().tolist() == byhand.milliseconds_in_zones(samples, edges, cap, pauses, end)


def test_one_step_back_in_an_orderly_series() -> None:
    """A single sample out of place among regular ones is put in its place, not counted backwards."""
    n = 5000
    t, bpm = np.arange(n) * 1000, np.random.default_rng(3).integers(60, 190, n).astype(np.uint8)
    order = np.arange(n)
    order[[2000, 2001]] = 2001, 2000
    mixed = SimpleNamespace(times=t[order].view("datetime64[ms]"), bpm=bpm[order])
    right = SimpleNamespace(times=t.view("datetime64[ms]"), bpm=bpm)
    assert seconds_in_zones(mixed, EDGES, 5).tolist() == seconds_in_zones(right, EDGES, 5).tolist()


def test_the_last_sample_stands_for_the_median_gap() -> None:
    """The median of all gaps, also when the most frequent one is not the median."""
    t = np.cumsum([0] + [1000] * 24 + [4000 + i for i in range(30)])
    samples = [(int(x), 120) for x in t]
    with patch.object(seconds, "BLOCK", 8):
        got = seconds_in_zones(raw(samples), EDGES, 60)
    assert got[1] * 1000 == t[-1] + 4002


def test_the_last_sample_after_a_sensor_fell_silent() -> None:
    """Zeros at the end, more than fit into a block, do not hide how often the sensor spoke before."""
    samples = [(i * 2000, 120) for i in range(20)] + [(40_000 + i * 1000, 0) for i in range(50)]
    with patch.object(seconds, "BLOCK", 8):
        assert seconds_in_zones(raw(samples), EDGES, 60).tolist() == [0, 40, 0]


@pytest.mark.parametrize("share", [0, 0.001, 0.05, 0.24, 0.26, 0.6, 1])
@pytest.mark.parametrize("faults", [0, 300])
def test_the_fast_way_equals_the_general_one(share: float, faults: int) -> None:
    """Over many blocks, from perfectly regular to entirely irregular, both ways agree to the millisecond."""
    rng = np.random.default_rng(7)
    n = 200_000
    step = np.full(n, 1000)
    odd = rng.random(n) < share
    step[odd] = rng.integers(1, 20_000, int(odd.sum()))
    bpm = rng.integers(60, 190, n).astype(np.uint8)
    bpm[rng.integers(0, n, faults)] = 0
    series = Series.of(np.cumsum(step).view("datetime64[ms]"), bpm)
    starts = np.sort(rng.integers(0, step.sum(), 40))
    pauses = Spans.of(starts, starts + 30_000)
    general = tally(hold(series, 5, pauses=pauses), Timeline.of([(0, Edges.from_bpm(109, 131))]))
    got = seconds_in_zones(series, EDGES, 5, pauses)
    assert (got * 1000).round().tolist() == [int(c[0]) for c in general.columns[:3]]
    many = seconds_in_zones(series, [70, 90, 109, 120, 131, 150], 5, pauses)
    assert np.add.reduceat(many, [0, 3, 5]).tolist() == pytest.approx(got.tolist())
    shuffled = rng.permutation(n)
    mixed = SimpleNamespace(times=series.times[shuffled], bpm=series.bpm[shuffled])
    assert seconds_in_zones(mixed, EDGES, 5, pauses).tolist() == got.tolist()
