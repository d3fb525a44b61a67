"""One day of somebody, a heart rate a minute as a watch tells it: a night, chores, walks, and what was done besides."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ingest.demo.effort import Effort

MINUTE_MS = 60_000

CALM_MIN = 25
"""After an effort until nothing is left of it."""

Minutes = tuple[int, int]
"""From and to, in minutes since the day began."""


@dataclass(frozen=True)
class Walk:
    """A walk that is no workout: the watch notices it by itself."""

    minutes: Minutes
    bpm: float


@dataclass(frozen=True)
class MadeUpDay:
    """A local day from `start_ms` to `end_ms`, of somebody who wears a watch outside the minutes in `off`."""

    name: str
    start_ms: int
    end_ms: int
    resting_bpm: float
    seed: Sequence[int]
    efforts: Sequence[Effort] = ()
    walks: Sequence[Walk] = ()
    off: Sequence[Minutes] = ()
    raised: Sequence[Minutes] = ()
    """Minutes in which the heart beats fast and nothing moves."""


@dataclass(frozen=True, eq=False)
class WatchedMinutes:
    """What the watch saw: for each minute of the day a heart rate, whether the watch was worn, and whether it moved."""

    bpm: NDArray[np.uint8]
    worn: NDArray[np.bool_]
    moved: NDArray[np.bool_]
    walked: list[Minutes] = field(default_factory=list)


def day_minutes(day: MadeUpDay, until_ms: int) -> WatchedMinutes:
    """The whole minutes of a day, up to a moment."""
    n = max((min(day.end_ms, until_ms) - day.start_ms) // MINUTE_MS, 0)
    random = np.random.default_rng(list(day.seed))
    length = (day.end_ms - day.start_ms) // MINUTE_MS
    # All of the day is thrown in any case: what is past stays as it is when more of the day is over.
    asked, moved = _asked(day, length, random)
    spread = np.where(asked > day.resting_bpm + 8, 3.4, 1.1)
    noise = random.normal(0, 1, length) * spread
    worn = np.ones(length, np.bool_)
    for a, b in day.off:
        worn[a:b] = False
    bpm = _follow(asked, noise)
    for effort in day.efforts:
        if effort.by_watch and effort.end_ms <= until_ms:
            at = (effort.start_ms - day.start_ms) // MINUTE_MS
            means = np.asarray(effort.bpm).reshape(-1, 60).mean(axis=1)[: length - at]
            bpm[at : at + len(means)] = means
            _calm_down(bpm[at + len(means) :], float(means[-1]))
            moved[at : at + len(means)] = True
            worn[at : at + len(means)] = True
    whole = np.rint(np.clip(bpm, 40, 205)).astype(np.uint8)
    walked = [w.minutes for w in day.walks if w.minutes[1] <= n]
    return WatchedMinutes(whole[:n], worn[:n], moved[:n], walked)


def _asked(
    day: MadeUpDay, length: int, random: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """What each minute asks of the heart, and in which somebody moves."""
    at = np.arange(length, dtype=np.int64)
    up = 60 * 7 + int(random.integers(-25, 30))
    bed = 60 * 23 + int(random.integers(-40, 20))
    awake = (at >= up) & (at < bed)
    # Of some ninety minutes each, deeper at first than towards the morning, and no two nights alike.
    cycle, shift = float(random.uniform(84, 102)), float(random.uniform(0, 40))
    depth = 1.2 + 1.6 * np.exp(-at / 300) + 0.8 * np.sin(at / 71 + shift)
    asleep = day.resting_bpm + 3.5 + depth * np.cos((at + shift) * 2 * np.pi / cycle) + 3 * np.exp(-at / 120)
    sitting = day.resting_bpm + 15 + 3 * np.sin((at - up) * 2 * np.pi / 640)
    asked = np.where(awake, sitting, asleep)
    moved = np.zeros(length, np.bool_)
    for start in random.integers(up + 10, bed - 40, 9).tolist():
        lasts = int(random.integers(4, 22))
        asked[start : start + lasts] = day.resting_bpm + float(random.uniform(24, 36))
        moved[start : start + lasts] = True
    for meal in (up + 25, 12 * 60 + 35, 18 * 60 + 20):
        asked[meal : meal + 50] += 4
    for a, b in day.raised:
        asked[a:b] = day.resting_bpm + 62
        moved[a - 1 : b + 1] = False
    for walk in day.walks:
        a, b = walk.minutes
        asked[a:b], moved[a:b] = walk.bpm, True
    return asked, moved


def _calm_down(bpm: NDArray[np.float64], last_bpm: float) -> None:
    """Bring the heart from where an effort left it down to what the minutes after it ask for."""
    n = min(CALM_MIN, len(bpm))
    bpm[:n] += np.maximum(last_bpm - bpm[:n], 0) * np.exp(-np.arange(n, dtype=np.int64) / 5)


def _follow(asked: NDArray[np.float64], noise: NDArray[np.float64]) -> NDArray[np.float64]:
    """The heart of each minute: two thirds of the way to what is asked, and off by what fades within minutes."""
    level, wander = float(asked[0]), 0.0
    found = []
    for wanted, push in zip(asked.tolist(), noise.tolist(), strict=True):
        level += 0.65 * (wanted - level)
        wander = 0.7 * wander + push
        found.append(level + wander)
    return np.array(found, dtype=np.float64)
