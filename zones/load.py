"""Training load: how long the heart worked, the harder the more."""

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from zones.edges import LEAST_RESERVE, percent

Sex = Literal["woman", "man"]

BANISTER: dict[Sex, tuple[float, float]] = {"man": (0.64, 1.92), "woman": (0.86, 1.67)}
"""Factor and exponent of Banister's weight for the share of the reserve in use. Those for women are published too;
using the men's for them, as is often done, counts a quarter too little."""

EDWARDS = 50, 60, 70, 80, 90
"""Per cent of the maximum at which a minute begins to count 1, 2, 3, 4 and 5."""

MINUTE_MS = 60_000


def banister(bpm_ms: NDArray[np.int64], resting: int, maximum: int, sex: Sex) -> float:
    """Banister's training impulse (TRIMP), from how long (ms, 256 rows) each heart rate held.

    Summed over the samples' own times, not of a mean heart rate, which is less: the weight is exponential. Factors for
    men and women: Morton, Fitz-Clarke and Banister 1990 (doi 10.1152/jappl.1990.69.3.1171).

    Raises ValueError when the two heart rates are not a resting and a maximum one.
    """
    if maximum - resting < LEAST_RESERVE:
        raise ValueError(f"resting {resting} and maximum {maximum} bpm lie less than {LEAST_RESERVE} apart")
    a, b = BANISTER[sex]
    share = np.clip((np.arange(256, dtype=np.intp) - resting) / (maximum - resting), 0, 1)
    # Rounded once, whatever the machine adds in what order.
    return math.fsum((bpm_ms / MINUTE_MS * (share * a * np.exp(b * share))).tolist())


def edwards(bpm_ms: NDArray[np.int64], maximum: int) -> float:
    """Edwards' load, from how long (ms, 256 rows) each heart rate held; of sex it knows nothing.

    Minutes in five zones from half of the maximum (bpm) on, weighted 1 to 5 (Edwards 1993, "The Heart Rate Monitor
    Book").
    """
    edges = [percent(p, maximum) for p in EDWARDS]
    weights = np.searchsorted(edges, np.arange(256, dtype=np.intp), side="right")
    # Whole numbers are added before the one division: what a machine multiplies with (BLAS) rounds in its own way.
    return int((bpm_ms * weights).sum()) / MINUTE_MS
