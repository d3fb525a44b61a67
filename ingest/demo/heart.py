"""A heart, second by second: it follows what it is asked for a little late, wanders, and breathes between its beats."""

import math
from collections.abc import Iterator, Sequence
from random import Random

import numpy as np

TAU_S = 57.0
"""The heart is two thirds of the way after so long, up as down (doi 10.1186/s12938-015-0112-7)."""

WANDER, WANDER_BPM = 0.96, 0.35
"""How much of its wandering is left a second later, and what is added to it: some 1.3 bpm around what is asked."""

BREATHS_PER_S = 0.24
"""At rest; faster with effort."""

UNITS_PER_S = 1024
"""In which straps tell intervals (Bluetooth SIG, Heart Rate Service 1.0)."""


class Heart:
    """One heart at work; `bpm` is how fast it beats now."""

    def __init__(self, random: Random, resting_bpm: float, bpm: float) -> None:
        self._chance = _normals(random)
        self._resting_bpm = resting_bpm
        self._level = bpm
        self._wander = self._ahead_s = self._breath = 0.0
        self.bpm = self._level

    def follow(self, asked_bpm: float) -> int:
        """Beat for a second while that much is asked; gives the heart rate at the end of it."""
        self._level += (asked_bpm - self._level) / TAU_S
        self._wander = WANDER * self._wander + WANDER_BPM * next(self._chance)
        self.bpm = max(self._level + self._wander, 38.0)
        return round(self.bpm)

    def intervals(self) -> list[int]:
        """Those between the beats of the last second, in 1/1024 s; they breathe at rest and hardly do in effort."""
        effort = min(max((self.bpm - self._resting_bpm) / 70, 0.0), 1.0)
        depth, unrest_s = 0.045 * (1 - effort) ** 2 + 0.003, 0.012 * (1 - effort) ** 2 + 0.002
        self._breath += (BREATHS_PER_S + 0.3 * effort) * math.tau
        self._ahead_s += 1.0
        found: list[int] = []
        usual_s = 60 / self.bpm
        while True:
            breath = self._breath - self._ahead_s * BREATHS_PER_S * math.tau
            interval_s = usual_s * (1 + depth * math.sin(breath)) + unrest_s * next(self._chance)
            if interval_s > self._ahead_s:
                return found
            self._ahead_s -= interval_s
            found.append(round(interval_s * UNITS_PER_S))


def _normals(random: Random) -> Iterator[float]:
    """Normally distributed numbers for ever, thrown by the thousand: an effort needs two for each heartbeat."""
    many = np.random.default_rng(random.getrandbits(64))
    while True:
        yield from many.normal(size=1024).tolist()


def measurement(bpm: int, intervals: Sequence[int]) -> bytes:
    """What a strap notifies: a Heart Rate Measurement that feels skin, with intervals in 1/1024 s."""
    flags = 0x06 | (0x10 if intervals else 0)
    return bytes((flags, bpm)) + b"".join(each.to_bytes(2, "little") for each in intervals)
