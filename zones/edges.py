"""Edges: the heart rates at which moderate and vigorous begin, and the time in which they were in force."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from zones.moments import FOREVER

Method = Literal["bpm", "max", "reserve", "threshold", "age"]

OF_MAXIMUM = 64, 77
"""Per cent of the maximum at which moderate and vigorous begin (American College of Sports Medicine)."""

OF_RESERVE = 40, 60
"""Per cent of the heart-rate reserve for the same (American College of Sports Medicine)."""

OF_THRESHOLD = {"running": (85, 90), "cycling": (81, 90)}
"""Per cent of the lactate-threshold heart rate at which zones 2 and 3 of Friel begin, by sport."""

LEAST_RESERVE = 40
"""A maximum closer than this (bpm) to the resting rate is a slip of the pen: one of the two is something else."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A maximum heart rate from age alone, in hundredths of a bpm: at birth, and lost per year."""

    at_birth: int
    per_year: int
    words: str
    error: str
    source: str

    def maximum(self, age: int) -> int:
        """Whole bpm at that age (years), rounded half up; ValueError for an age outside 5 to 110."""
        if not 5 <= age <= 110:
            raise ValueError(f"an age of {age} years: a formula knows none outside 5 to 110")
        return (self.at_birth - self.per_year * age + 50) // 100


USUAL_ERROR = "off by 18 to 24 bpm or more for 1 in 20"
"""What seven such equations were found to be in 230 adults (doi 10.1371/journal.pone.0335842)."""

FORMULAS = {
    "fox": Formula(22000, 100, "220 - age", "standard deviation 10 to 12 bpm", "Fox"),
    "tanaka": Formula(
        20800, 70, "208 - 0.7 x age", "standard deviation usually quoted as 10 bpm", "Tanaka 2001"
    ),
    "gellish": Formula(20700, 70, "207 - 0.7 x age", USUAL_ERROR, "Gellish 2007"),
    "nes": Formula(21100, 64, "211 - 0.64 x age", "+/- 10.8 bpm", "Nes 2013"),
    "gulati": Formula(20600, 88, "206 - 0.88 x age", f"{USUAL_ERROR}; women", "Gulati 2010"),
    "sydo-women": Formula(21000, 79, "210 - 0.79 x age", f"{USUAL_ERROR}; women", "Sydo 2014"),
    "sydo-men": Formula(22000, 95, "220 - 0.95 x age", f"{USUAL_ERROR}; men", "Sydo 2014"),
}
"""Last resorts, by name. Tanaka: doi 10.1016/S0735-1097(00)01054-8; Gellish: doi 10.1097/mss.0b013e31803349c6; Nes:
doi 10.1111/j.1600-0838.2012.01445.x; Gulati: doi 10.1161/CIRCULATIONAHA.110.939249."""


@dataclass(frozen=True, slots=True)
class Edges:
    """The lowest moderate and the lowest vigorous bpm, by which method, and from which numbers (in words).

    However they are made, ValueError is raised when the two are no such pair between 31 and 230.
    """

    moderate_bpm: int
    vigorous_bpm: int
    method: Method
    origin: str

    def __post_init__(self) -> None:
        if not 30 < self.moderate_bpm < self.vigorous_bpm <= 230:
            raise ValueError(
                f"moderate from {self.moderate_bpm} and vigorous from {self.vigorous_bpm} bpm ({self.origin}): "
                "both must lie between 31 and 230, vigorous above moderate"
            )

    @classmethod
    def from_bpm(cls, moderate: int, vigorous: int, origin: str = "own limits") -> Self:
        """Edges given outright, for instance from an exercise test."""
        return cls(moderate, vigorous, "bpm", origin)

    @classmethod
    def from_maximum(cls, maximum: int, origin: str | None = None) -> Self:
        """64 and 77 % of a maximum heart rate."""
        moderate, vigorous = (percent(p, maximum) for p in OF_MAXIMUM)
        return cls(moderate, vigorous, "max", origin or f"maximum {maximum} bpm")

    @classmethod
    def from_reserve(cls, resting: int, maximum: int, origin: str | None = None) -> Self:
        """40 and 60 % of the way from the resting to the maximum heart rate (Karvonen 1957); ValueError where that is short."""
        if maximum - resting < LEAST_RESERVE:
            raise ValueError(
                f"resting {resting} and maximum {maximum} bpm lie less than {LEAST_RESERVE} apart: "
                "one of them is not what it says"
            )
        moderate, vigorous = (percent(p, maximum - resting, resting) for p in OF_RESERVE)
        return cls(moderate, vigorous, "reserve", origin or f"resting {resting}, maximum {maximum} bpm")

    @classmethod
    def from_threshold(cls, threshold: int, sport: str = "running", origin: str | None = None) -> Self:
        """Where the second and third of Friel's zones begin, from a lactate-threshold heart rate.

        Stricter for moderate than per cent of the maximum: 85 % of a threshold is some 74 % of a maximum. Raises
        ValueError for a sport that has no such zones.
        """
        if sport not in OF_THRESHOLD:
            raise ValueError(f"no zones of a threshold for {sport!r}, only for {', '.join(OF_THRESHOLD)}")
        moderate, vigorous = (percent(p, threshold) for p in OF_THRESHOLD[sport])
        return cls(moderate, vigorous, "threshold", origin or f"threshold {threshold} bpm, {sport}")

    @classmethod
    def from_age(cls, age: int, formula: str = "nes", origin: str | None = None) -> Self:
        """64 and 77 % of what a formula guesses the maximum to be: a last resort, its error in the origin.

        Raises ValueError for a formula that is not in `FORMULAS` and an age that it does not know.
        """
        if formula not in FORMULAS:
            raise ValueError(f"no formula {formula!r}, only {', '.join(FORMULAS)}")
        guess = FORMULAS[formula]
        moderate, vigorous = (percent(p, guess.maximum(age)) for p in OF_MAXIMUM)
        words = origin or f"{guess.words} ({guess.source}), age {age}, {guess.error}"
        return cls(moderate, vigorous, "age", words)

    def shifted(self, bpm: int, why: str, origin: str | None = None) -> "Edges":
        """The same edges some bpm higher or lower, as for a sport done seated or with the arms."""
        if not bpm:
            return self
        return Edges(
            self.moderate_bpm + bpm,
            self.vigorous_bpm + bpm,
            self.method,
            origin or f"{self.origin}, {bpm:+d} bpm {why}",
        )


def percent(p: int, whole: int, above: int = 0) -> int:
    """`above` plus p per cent of `whole`, rounded half up as printed tables do (Python's round gives even numbers)."""
    return above + (whole * p + 50) // 100


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """Which edges were in force when: each from its `valid_from` (int64 ms) until the next; None where unknown.

    Before the first entry they are unknown.
    """

    valid_from: NDArray[np.int64]
    edges: tuple[Edges | None, ...]

    @classmethod
    def of(cls, entries: Sequence[tuple[int, Edges | None]]) -> Self:
        """A timeline of (valid from in ms, edges); of two for one moment the later in the list holds."""
        kept = dict(sorted(entries, key=lambda entry: entry[0]))
        return cls(np.fromiter(kept, np.int64, len(kept)), tuple(kept.values()))

    def __len__(self) -> int:
        return len(self.edges)

    def at(self, moments: NDArray[np.int64]) -> NDArray[np.intp]:
        """For each moment (int64 ms) the index of its entry, -1 before the first."""
        return np.searchsorted(self.valid_from, moments, side="right") - 1

    def edges_at(self, moment: int) -> Edges | None:
        """The edges in force at one moment."""
        i = int(self.at(np.array([moment], np.int64))[0])
        return self.edges[i] if i >= 0 else None

    def governed(self, i: int) -> tuple[int, int]:
        """The half-open time in ms that an entry governs; the last one governs for ever."""
        end = int(self.valid_from[i + 1]) if i + 1 < len(self) else FOREVER
        return int(self.valid_from[i]), end

    def limits(self, moments: NDArray[np.int64]) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
        """For each moment (int64 ms) the bpm at which moderate and vigorous begin (int16 each); 0 for both while unknown."""
        entry = self.at(moments) + 1
        moderate = np.array([0, *(e.moderate_bpm if e else 0 for e in self.edges)], np.int16)
        vigorous = np.array([0, *(e.vigorous_bpm if e else 0 for e in self.edges)], np.int16)
        return moderate[entry], vigorous[entry]
