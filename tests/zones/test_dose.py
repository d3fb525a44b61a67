"""The dose against its target."""

from datetime import date

import numpy as np
import pytest

from zones.dose import Plan, dose_min, full_minutes


def test_the_dose() -> None:
    """Sixty moderate and forty-five vigorous minutes just meet 150; five and fifteen make thirty-five."""
    assert dose_min(60.0, 45.0) == 150
    assert dose_min(np.array([5.0, 0.5]), np.array([15.0, 0.0])).tolist() == [35, 0.5]


@pytest.mark.parametrize(
    ("minutes", "wanted"),
    [(96.6, 96), (119.9999, 119), (120.4, 120), (0.0, 0), (0.999, 0), (0.1 * 3 * 10, 3), (2.9999999999, 3)],
)
def test_minutes_are_full_ones(minutes: float, wanted: int) -> None:
    """Protects from 120 of 120 minutes with one to go, and from a minute less because fractions were added."""
    assert full_minutes(minutes) == wanted


def test_a_plan() -> None:
    """Before the plan the usual target, then each step until the next; of two for one day the later one holds."""
    plan = Plan.of([(date(2026, 2, 2), 90), (date(2026, 1, 5), 60), (date(2026, 2, 2), 100)])
    days = (date(2026, 1, 4), date(2026, 1, 5), date(2026, 2, 1), date(2026, 2, 2), date(2026, 12, 31))
    assert [plan.on(day) for day in days] == [150, 60, 60, 100, 100]
    assert Plan().on(date(2026, 1, 1)) == 150


@pytest.mark.parametrize("target", [0, -5, float("nan"), 20_000])
def test_targets_that_cannot_be(target: float) -> None:
    """A target of nothing would always be met."""
    with pytest.raises(ValueError, match="target"):
        Plan.of([(date(2026, 1, 1), target)])


def test_targets_at_the_ends() -> None:
    """Protects who begins with next to nothing: any target above none is one, up to ten thousand minutes."""
    assert Plan.of([(date(2026, 1, 1), 0.5)]).on(date(2026, 1, 1)) == 0.5
    assert Plan.of([(date(2026, 1, 1), 10_000)]).on(date(2026, 1, 1)) == 10_000
    with pytest.raises(ValueError, match="target"):
        Plan.of([(date(2026, 1, 1), 10_000.5)])
