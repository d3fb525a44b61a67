"""The dose against its target."""

from datetime import date

import numpy as np
import pytest

from zones.dose import Plan, active_days, coverage, dose_min


def test_the_dose() -> None:
    """Sixty moderate and forty-five vigorous minutes just meet 150; five and fifteen make thirty-five."""
    assert dose_min(60.0, 45.0) == 150
    assert dose_min(np.array([5.0, 0.5]), np.array([15.0, 0.0])).tolist() == [35, 0.5]


def test_active_days() -> None:
    """Ten minutes, of either kind together, make a day an active one; nine and a half do not."""
    assert active_days(np.array([10.0, 9.5, 6.0, 0.0]), np.array([0.0, 0.0, 4.0, 30.0])) == 3


def test_coverage() -> None:
    """How much was measured, next to every total; of nothing, nothing."""
    assert coverage(6 * 3_600_000, 24 * 3_600_000) == 0.25
    assert coverage(0, 0) == 0


def test_a_stepwise_plan() -> None:
    """60, 90, 120, 150, a step every four weeks; before the plan the usual target, after it the last."""
    plan = Plan.stepwise(date(2026, 1, 5), [60, 90, 120, 150], 4)
    assert [plan.on(date(2026, m, d)) for m, d in ((1, 4), (1, 5), (2, 1), (2, 2), (3, 2), (3, 30), (12, 31))] == [
        150, 60, 60, 90, 120, 150, 150,
    ]  # fmt: skip
    assert Plan().on(date(2026, 1, 1)) == 150
    assert (
        Plan.of([(date(2026, 2, 1), 90), (date(2026, 1, 1), 60), (date(2026, 2, 1), 100)]).on(
            date(2026, 3, 1)
        )
        == 100
    )


@pytest.mark.parametrize("target", [0, -5, float("nan"), 20_000])
def test_targets_that_cannot_be(target: float) -> None:
    """A target of nothing would always be met."""
    with pytest.raises(ValueError, match="target"):
        Plan.of([(date(2026, 1, 1), target)])
    with pytest.raises(ValueError, match="step"):
        Plan.stepwise(date(2026, 1, 1), [60], 0)
