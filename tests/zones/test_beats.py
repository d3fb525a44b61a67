"""Variability against published values, and the faults that would spoil it."""

from importlib.metadata import distribution

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.needs import package
from zones.beats import BeatFault, find_chain_starts, find_faults, measure_variability, rate_of_beats


def published(name: str) -> np.ndarray:
    """A series of intervals that pyhrv brings along with a report about it."""
    package("pyhrv", "make second-opinion")
    series: np.ndarray = np.load(str(distribution("pyhrv").locate_file(f"pyhrv/files/{name}.npy")))
    return series.astype(float)


def a_heart(n: int = 1000, seed: int = 0) -> np.ndarray:
    """Intervals around 800 ms that breathe."""
    rng = np.random.default_rng(seed)
    return 800 + 30 * np.sin(np.arange(n) / 4) + rng.uniform(-9, 9, n)


def test_published_report_of_an_hour() -> None:
    """The long series: values as printed in its report, by hand of others."""
    v = measure_variability(published("SampleNNISeriesLong"))
    got = [round(x, 3) for x in (v.sdnn_ms, v.rmssd_ms, v.pnn50, v.seconds * 1000 / v.beats, v.heart_rate)]
    assert got == [85.357, 60.523, 28.571, 768.438, 78.080]
    assert v.beats == 4684
    assert round(v.pnn50 * 4683 / 100) == 1338  # pairs that differ by more than 50 ms
    assert v.artefact_pct == 0


def test_five_minutes() -> None:
    """The short series: computed once with independent tools."""
    v = measure_variability(published("SampleNNISeriesShort"))
    got = [round(x, 4) for x in (v.seconds * 1000 / v.beats, v.sdnn_ms, v.rmssd_ms, v.pnn50)]
    assert got == [888.9555, 95.6904, 101.3006, 48.5119]
    assert round(v.ln_rmssd, 4) == round(np.log(101.30063), 4)
    assert (v.beats, round(v.pnn50 * 336 / 100)) == (337, 163)


def test_faults_as_another_implementation_finds_them() -> None:
    """Over an hour of a real heart NeuroKit2 0.2.13 names the same ectopic and missed beats, and as many odd ones."""
    found = find_faults(published("SampleNNISeriesLong"))
    ectopic = [401, 402, 439, 2097, 2255, 2674, 2682, 2991, 3051, 4261, 4430]
    assert np.flatnonzero(found == BeatFault.ECTOPIC).tolist() == ectopic
    assert np.flatnonzero(found == BeatFault.MISSED).tolist() == [923, 1079, 1798]
    assert np.count_nonzero((found == BeatFault.LONG) | (found == BeatFault.SHORT)) == 69
    assert not (found == BeatFault.EXTRA).any()


def test_by_hand() -> None:
    """Differences of 10, -60 and 60 ms: everything computed on paper."""
    v = measure_variability([800, 810, 750, 810])
    assert v.rmssd_ms == pytest.approx(np.sqrt((100 + 3600 + 3600) / 3))
    assert v.sdnn_ms == pytest.approx(np.std([800, 810, 750, 810], ddof=1))
    assert v.pnn50 == pytest.approx(200 / 3)
    assert (v.beats, v.seconds) == (4, 3.17)
    assert measure_variability([800, 850]).pnn50 == 0  # 50 is not more than 50
    assert measure_variability([800, 850.25]).pnn50 == 100  # and this is


def test_too_few_beats_have_no_variability() -> None:
    """One beat or none: not a number, never zero."""
    for rr in ([], [800]):
        v = measure_variability(rr)
        assert np.isnan([v.rmssd_ms, v.ln_rmssd, v.sdnn_ms, v.pnn50]).all()
        assert v.artefact_pct == 0
    assert np.isnan(measure_variability([]).heart_rate)
    assert np.isnan(measure_variability([800, 800]).ln_rmssd)  # the logarithm of nothing


def test_one_missed_beat() -> None:
    """One doubled interval would more than double RMSSD; it is found, and left out or halved."""
    rr = a_heart()
    bad = np.delete(rr, 500)
    bad[499] = rr[499] + rr[500]
    found = find_faults(bad)
    assert np.flatnonzero(found).tolist() == [499]
    assert found[499] == BeatFault.MISSED
    true = measure_variability(rr).rmssd_ms
    assert measure_variability(bad).rmssd_ms > 2 * true
    assert measure_variability(bad, found).rmssd_ms == pytest.approx(true, rel=0.01)
    assert measure_variability(bad, found).artefact_pct == pytest.approx(100 / 999)


def test_one_extra_beat() -> None:
    """One interval cut in two is found, and nothing else but its second half."""
    rr = a_heart()
    bad = np.insert(rr, 500, 350.0)
    bad[501] -= 350
    found = find_faults(bad)
    assert found[500] == BeatFault.EXTRA
    assert set(np.flatnonzero(found)) <= {500, 501}


def test_beats_missed_one_after_the_other() -> None:
    """The second doubled interval does not differ from the first, only from what is usual."""
    rr = np.concatenate([a_heart(100), [1600.0, 1600.0, 1600.0], a_heart(100, 2)])
    found = find_faults(rr)
    assert np.flatnonzero(found).tolist() == [100, 101, 102]
    assert (found[100:103] == BeatFault.MISSED).all()


def test_short_ones_one_after_the_other() -> None:
    """Nor does the middle one of three that came too soon."""
    rr = np.concatenate([a_heart(100), [550.0, 550.0, 550.0], a_heart(100, 2)])
    assert np.flatnonzero(find_faults(rr) == BeatFault.SHORT).tolist() == [100, 101, 102]


def test_an_early_beat() -> None:
    """A beat that came early and the pause after it are both out."""
    rr = a_heart()
    rr[500] -= 250
    rr[501] += 250
    found = find_faults(rr)
    assert np.flatnonzero(found).tolist() == [500, 501]


@pytest.mark.parametrize("rhythm", [600.0, 800.0, 1000.0])
def test_a_missed_beat_in_a_perfectly_even_rhythm(rhythm: float) -> None:
    """A simulator's or pacemaker's rhythm has no spread: its missed beat is found all the same."""
    rr = np.full(200, rhythm)
    assert not find_faults(rr).any()
    rr[100] *= 2
    found = find_faults(rr)
    assert np.flatnonzero(found).tolist() == [100]
    assert found[100] == BeatFault.MISSED


def test_intervals_no_heart_has() -> None:
    """Outside 300..2000 ms nothing is accepted, however short the stretch."""
    rr = [700, 600, 2300, 200, 1000, 230, 1200]
    assert np.flatnonzero(find_faults(rr) == BeatFault.RANGE).tolist() == [2, 3, 5]
    assert find_faults([100, 100]).tolist() == [BeatFault.RANGE] * 2
    assert find_faults([]).tolist() == []


def test_a_hole_makes_no_pair() -> None:
    """Beats on both sides of a lost notification are no neighbours."""
    times = np.array([800, 1600, 2400, 9000, 9800], np.int64)
    rr = [800, 800, 800, 900, 800]
    new = find_chain_starts(times, rr)
    assert new.tolist() == [True, False, False, True, False]
    assert measure_variability(rr).rmssd_ms == pytest.approx(np.sqrt((0 + 0 + 1e4 + 1e4) / 4))
    assert measure_variability(rr, new=new).rmssd_ms == pytest.approx(np.sqrt((0 + 0 + 1e4) / 3))


def test_stretches_are_judged_each_by_itself() -> None:
    """A jump of the rhythm across a hole is no fault."""
    rr = np.concatenate([a_heart(100), a_heart(100, 1) / 2 + 200])
    new = np.zeros(200, np.bool_)
    new[100] = True
    apart = np.concatenate([find_faults(rr[:100]), find_faults(rr[100:])])
    assert find_faults(rr, new).tolist() == apart.tolist()


@given(st.lists(st.integers(200, 2200), max_size=150))
def test_any_intervals_at_all(rr: list[int]) -> None:
    """Whatever a sensor sends: a verdict for each, and what is no fault is accepted."""
    found = find_faults(rr)
    assert len(found) == len(rr)
    v = measure_variability(rr, found)
    assert v.beats == int((found == 0).sum())


@given(st.integers(40, 190), st.integers(20, 200))
def test_an_even_heart_gives_its_own_rate(bpm: int, beats: int) -> None:
    """The heart rate out of beats is that of the heart, in every second in which enough of them were seen."""
    rr = np.full(beats, 60_000 / bpm)
    times = np.cumsum(rr).astype(np.int64)
    at, found = rate_of_beats(times, rr)
    assert set(found.tolist()) <= {bpm}
    assert (np.diff(at) > 0).all()
    assert set((at // 1000).tolist()) == set((times[2:] // 1000).tolist())


def test_what_is_no_true_beat_makes_no_heart_rate() -> None:
    """A missed beat and an extra one leave the rate as it is; a row too short to tell, and no beats, give none."""
    rr = a_heart(300)
    odd = rr.copy()
    odd[100], odd[200] = 2 * odd[100], odd[200] / 2
    for each in (rr, odd):
        _, found = rate_of_beats(np.cumsum(each).astype(np.int64), each)
        assert 72 <= found.min() <= found.max() <= 79
    few = np.cumsum(rr[:9]).astype(np.int64)
    for times, each in ((few, rr[:9]), (np.empty(0, np.int64), np.empty(0))):
        at, found = rate_of_beats(times, each)
        assert (len(at), len(found)) == (0, 0)
