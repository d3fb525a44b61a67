"""How far a week is on its way to the target: what is to go, and day by day beside an even pace."""

import math

import numpy as np
from numpy.typing import NDArray

from zones.dose import dose_min
from zones.minutes import MINUTE, Totals


def classified_so_far(days: Totals) -> NDArray[np.bool_]:
    """Whether anything measured up to the end of each day could be classified: before that nothing tells the limits."""
    known: NDArray[np.bool_] = np.cumsum(days.measured_ms - days.unclassified_ms) > 0
    return known


LEAST_SPREAD_MIN = 0.5
"""Nobody asks about less."""


def possible_doses(dose: float, spread_min: float) -> tuple[float, float]:
    """The least and the most that a dose may be, which a watch left open that did not write every second."""
    spread = spread_min if spread_min >= LEAST_SPREAD_MIN else 0.0
    return max(dose - spread, 0.0), dose + spread


def minutes_to_go(days: Totals, target_min: float | None) -> int | None:
    """The whole minutes up to a target, rounded up, 0 once it is met; None where nothing is to be held against it.

    That is without a target, and where limits are not known: of what was measured nothing could be classified.
    """
    if target_min is None or not classified_so_far(days)[-1]:
        return None
    # In whole milliseconds: no rounding of a fraction may ask for a minute more.
    dose_ms = dose_min(int(days.moderate_ms.sum()), int(days.vigorous_ms.sum()))
    return max(math.ceil((round(target_min * MINUTE) - dose_ms) / MINUTE), 0)


def progress_fields(days: Totals, target_min: float | None) -> dict[str, list[float | None]]:
    """The fields `so_far_min` and `pace_min` of the days of a week: its dose up to the end of each, and an even pace."""
    known = classified_so_far(days).tolist()
    so_far = dose_min(np.cumsum(days.moderate_ms) / MINUTE, np.cumsum(days.vigorous_ms) / MINUTE).tolist()
    pace = [None if target_min is None else target_min * (i + 1) / len(days) for i in range(len(days))]
    return {
        "so_far_min": [x if k else None for x, k in zip(so_far, known, strict=True)],
        "pace_min": [x if k else None for x, k in zip(pace, known, strict=True)],
    }
