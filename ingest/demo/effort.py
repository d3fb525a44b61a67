"""One workout: what it asks of the heart second by second, and what the heart makes of it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from random import Random

from ingest.demo.heart import Heart, measurement

WARM_UP_S, COOL_DOWN_S = 300, 210

DRIFT_BPM_PER_MIN = 0.12
"""In a long effort the heart beats faster and faster for the same work (doi 10.1249/MSS.0000000000002835)."""


@dataclass(frozen=True)
class Sport:
    """What is done: how files call it (FIT profile, type `sport`), and how it asks."""

    name: str
    number: int
    intervals: bool = False


WALKING, HIKING, CYCLING = Sport("walking", 11), Sport("hiking", 17), Sport("cycling", 2)
ROWING, INTERVALS = Sport("rowing", 15, intervals=True), Sport("cycling", 2, intervals=True)


@dataclass(frozen=True)
class Effort:
    """A workout of somebody, from `start_ms` on (since 1970, UTC); `seed` makes it the same each time.

    `by_watch` and `by_strap` say what heard it.
    """

    start_ms: int
    minutes: int
    sport: Sport
    aim_bpm: int
    resting_bpm: float
    seed: str
    by_watch: bool = True
    by_strap: bool = False

    @property
    def end_ms(self) -> int:
        """When it is over."""
        return self.start_ms + self.minutes * 60_000

    @cached_property
    def _seconds(self) -> list[tuple[int, bytes]]:
        random = Random(self.seed)
        heart = Heart(random, self.resting_bpm, min(self.resting_bpm + 18, self.aim_bpm))
        seconds = self.minutes * 60
        found = []
        for asked in asked_bpm(seconds, self.aim_bpm, self.resting_bpm, self.sport, random):
            bpm = heart.follow(asked)
            found.append((bpm, measurement(bpm, heart.intervals()) if self.by_strap else b""))
        return found

    @property
    def bpm(self) -> list[int]:
        """The heart rate of each second."""
        return [bpm for bpm, _ in self._seconds]

    @property
    def notifications(self) -> list[bytes]:
        """What a strap tells each second."""
        return [octets for _, octets in self._seconds]


def asked_bpm(seconds: int, aim: float, resting: float, sport: Sport, random: Random) -> Iterator[float]:
    """What is asked second by second: a warm-up, the thing itself, with hills or intervals, and a cool-down."""
    easy = min(resting + 28, aim)
    warm_up = min(WARM_UP_S, seconds // 4)
    cool_down = min(COOL_DOWN_S, seconds // 5)
    hills = random.uniform(130, 240)
    for t in range(seconds):
        if t < warm_up:
            yield easy + (aim - easy) * (0.35 + 0.65 * t / warm_up)
        elif t >= seconds - cool_down:
            yield easy
        else:
            drift = DRIFT_BPM_PER_MIN * (t - warm_up) / 60
            if sport.intervals:
                yield aim + drift + (17 if (t - warm_up) % 300 < 150 else -5)
            else:
                yield aim + drift + 4 * math.sin(t / hills) + 2 * math.sin(t / 31)
