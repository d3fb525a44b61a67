"""The dose of a week: moderate minutes, vigorous ones twice, beside what was aimed for and how much was measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

VIGOROUS_WEIGHT = 2
"""A vigorous minute does what two moderate ones do: 75 or 150 minutes a week are one recommendation (WHO 2020)."""

USUAL_TARGET = 150
"""Minutes of dose a week for adults, also with a chronic condition (WHO 2020)."""

ACTIVE_DAY = 10
"""Minutes of moderate and vigorous together that make a day an active one."""

Amount = TypeVar("Amount", float, NDArray[np.float64])


def dose_min(moderate: Amount, vigorous: Amount) -> Amount:
    """Moderate-equivalent minutes, of minutes or of columns of them; never rounded."""
    return moderate + VIGOROUS_WEIGHT * vigorous


def active_days(moderate: NDArray[np.float64], vigorous: NDArray[np.float64]) -> int:
    """How many of the days had at least ten moderate and vigorous minutes together."""
    return int(np.count_nonzero(moderate + vigorous >= ACTIVE_DAY))


def coverage(measured_ms: int, span_ms: int) -> float:
    """The share of a span that was measured at all, 0 to 1; of an empty span nothing was."""
    return measured_ms / span_ms if span_ms else 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Which target (minutes of dose a week) holds from which day; `steps` ascend."""

    steps: tuple[tuple[date, float], ...] = ()

    @classmethod
    def of(cls, steps: Sequence[tuple[date, float]]) -> Self:
        """A plan of (from this day on, minutes a week); of two for one day the later in the list holds."""
        for day, target in steps:
            if not 0 < target <= 10_000:
                raise ValueError(f"a target of {target} minutes a week from {day}")
        return cls(tuple(sorted(dict(steps).items())))

    @classmethod
    def stepwise(cls, start: date, targets: Sequence[float], weeks: int) -> Self:
        """A plan that rises (60, 90, 120, 150) by one step every few weeks and stays at the last."""
        if weeks < 1:
            raise ValueError(f"a step of {weeks} weeks")
        return cls.of([(start + timedelta(weeks=weeks * i), target) for i, target in enumerate(targets)])

    def on(self, day: date) -> float:
        """The target in force on a day; before the first step the usual 150."""
        return next((target for start, target in reversed(self.steps) if start <= day), USUAL_TARGET)
