"""The dose of a week: moderate minutes, vigorous ones twice, beside what was aimed for and how much was measured."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

VIGOROUS_WEIGHT = 2
"""A vigorous minute does what two moderate ones do: 75 or 150 minutes a week are one recommendation (WHO 2020,
doi 10.1136/bjsports-2020-102955)."""

USUAL_TARGET = 150
"""Minutes of dose a week for adults, also with a chronic condition (WHO 2020)."""

Amount = TypeVar("Amount", float, NDArray[np.float64])


def dose_min(moderate: Amount, vigorous: Amount) -> Amount:
    """Moderate-equivalent minutes, of minutes or of columns of them; never rounded."""
    return moderate + VIGOROUS_WEIGHT * vigorous


_BY_FRACTIONS = 1e-6
"""By so much a sum of minutes with fractions may lie below the whole one that it is."""


def full_minutes(minutes: float) -> int:
    """Minutes that count as people read them: the full ones, wherever they stand.

    So they are the least it can be, never look like enough before it is, and make the target with what is to go.
    """
    return math.floor(minutes + _BY_FRACTIONS)


@dataclass(frozen=True, slots=True)
class Plan:
    """Which target (minutes of dose a week) holds from which day; `steps` ascend."""

    steps: tuple[tuple[date, float], ...] = ()

    @classmethod
    def of(cls, steps: Sequence[tuple[date, float]]) -> Self:
        """A plan of (from this day on, minutes a week); of two for one day the later in the list holds.

        Raises ValueError for a target that is not above 0 and at most 10 000 minutes.
        """
        for day, target in steps:
            if not 0 < target <= 10_000:
                raise ValueError(f"a target of {target} minutes a week from {day}")
        return cls(tuple(sorted(dict(steps).items())))

    def on(self, day: date) -> float:
        """The target in force on a day; before the first step the usual 150."""
        return next((target for start, target in reversed(self.steps) if start <= day), USUAL_TARGET)
