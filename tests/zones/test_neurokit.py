"""A second opinion on beats: NeuroKit2, which nobody needs to run hartslag."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.needs import package
from zones.beats import BeatFault, find_faults, measure_variability

Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def neurokit() -> Any:
    """Imported for these tests alone: that takes some seconds."""
    package("neurokit2", "make second-opinion")
    import neurokit2

    return neurokit2


def a_heart(n: int = 600, seed: int = 4) -> Floats:
    """Whole milliseconds around 820 that breathe and wander."""
    rng = np.random.default_rng(seed)
    wander = np.cumsum(rng.normal(0, 4, n))
    rr: Floats = np.round(820 + 35 * np.sin(np.arange(n) / 4) + wander - wander.mean() + rng.normal(0, 12, n))
    return rr


def peaks(rr: Floats) -> NDArray[np.int64]:
    """When the beats were, in ms."""
    return np.concatenate([[0], np.cumsum(rr)]).astype(np.int64)


@pytest.mark.parametrize("seed", range(3))
def test_variability_is_theirs(neurokit: Any, seed: int) -> None:
    """RMSSD and SDNN are the same numbers; pNN50 too, of the pairs where they take the intervals."""
    rr = a_heart(seed=seed)
    theirs = neurokit.hrv_time(peaks(rr), sampling_rate=1000)
    ours = measure_variability(rr)
    assert ours.rmssd_ms == pytest.approx(float(theirs["HRV_RMSSD"].iloc[0]))
    assert ours.sdnn_ms == pytest.approx(float(theirs["HRV_SDNN"].iloc[0]))
    n = len(rr)
    assert ours.pnn50 == pytest.approx(float(theirs["HRV_pNN50"].iloc[0]) * n / (n - 1))


@pytest.mark.parametrize("seed", range(3))
def test_faults_are_theirs(neurokit: Any, seed: int) -> None:
    """A missed, an extra and two early beats are found by both at the same places, and called the same."""
    rr = a_heart(seed=seed)
    rr[100] += rr[101]  # a beat was missed
    rr = np.delete(rr, 101)
    rr = np.insert(rr, 300, 300.0)  # one too many was seen
    rr[301] -= 300
    for early in (450, 520):
        rr[early] -= 260
        rr[early + 1] += 260
    # Once: again and again it would tell what is left after its corrections. It numbers beats, and the first ends
    # no interval.
    found, _ = neurokit.signal_fixpeaks(peaks(rr), sampling_rate=1000, method="Kubios", iterative=False)
    theirs = {kind: {int(i) - 1 for i in found[kind]} for kind in ("ectopic", "missed", "extra", "longshort")}
    ours = find_faults(rr)
    assert theirs["missed"] == set(np.flatnonzero(ours == BeatFault.MISSED).tolist()) == {100}
    assert theirs["extra"] == set(np.flatnonzero(ours == BeatFault.EXTRA).tolist()) == {300}
    assert theirs["ectopic"] <= set(np.flatnonzero(ours == BeatFault.ECTOPIC).tolist())
    assert set().union(*theirs.values()) == set(np.flatnonzero(ours).tolist())
    assert {450, 451, 520, 521} <= set(np.flatnonzero(ours).tolist())
