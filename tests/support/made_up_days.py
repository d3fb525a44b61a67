"""Days of made-up people, in numbers as sensors give them: nights and days of a watch, workouts, a strap that is worn."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from ingest.journal import RANKS, Columns, Writer
from tests.support.households import MINUTE, Claim, Pair, S, Workout
from zones.series import TIMES, Series
from zones.spans import Spans

PLACE = ZoneInfo("Europe/Amsterdam")


def local_ms(day: date, clock: str) -> int:
    """Milliseconds of a time of day there."""
    return round(
        datetime.fromisoformat(f"{day.isoformat()}T{clock}").replace(tzinfo=PLACE).timestamp() * 1000
    )


@dataclass(frozen=True, eq=False)
class Heard:
    """Heart rates of one source: when (ms), how fast, and until when."""

    person: str
    source: str
    kind: str
    times: NDArray[np.int64]
    bpm: NDArray[np.int64]
    end_ms: int
    pauses: tuple[Pair, ...] = ()
    movement: tuple[Pair, ...] | None = None
    with_beats: bool = False

    def write(self, w: Writer, file: int | None = None) -> None:
        person = w.person(self.person)
        source = w.source(person, self.source, self.kind, RANKS[self.kind])
        beats, intervals = self._beats() if self.with_beats else (np.empty(0), np.empty(0))
        columns = Columns(
            Series.of(self.times.astype(TIMES), self.bpm.astype(np.uint8)),
            self.end_ms,
            beats.astype(np.int64).astype(TIMES),
            intervals.astype(np.float32),
            pauses=Spans.pairs(self.pauses),
            movement=None if self.movement is None else Spans.pairs(self.movement),
        )
        w.chunk(person, source, columns, file)

    def _beats(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """A beat after each interval that the heart rate of the moment has, a little early or late with each breath."""
        rng = np.random.default_rng(int(self.times[0] // S) % 1_000_003)
        length = int((self.end_ms - self.times[0]) / 60_000 * self.bpm.max()) + 1
        at = np.linspace(0, len(self.bpm) - 1, length).astype(int)
        usual = 60_000 / self.bpm[at]
        intervals = usual * (1 + 0.03 * np.sin(np.arange(length, dtype=np.int64) * 1.4)) + rng.normal(
            0, 6, length
        )
        beats = self.times[0] + np.cumsum(intervals)
        kept = beats < self.end_ms
        return beats[kept], intervals[kept]


Happening = Heard | Workout | Claim


@dataclass(frozen=True)
class Wearer:
    """Somebody and what they wear."""

    name: str
    watch: str = "garmin-3461172093"
    strap: str = "strap A0:9E:1A:8A:3F:9C"
    resting_bpm: int = 56
    product: str = "product 3992"
    """As its files say it: a number for a Forerunner 255."""
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(7))

    @property
    def all_day(self) -> str:
        return f"{self.watch}-monitoring"

    @property
    def activity(self) -> str:
        return f"{self.watch}-activity"

    # --- a day of a watch ---

    def day(
        self, day: date, until_ms: int | None = None, moved_min: int = 0, raised_min: int = 0
    ) -> Iterator[Heard]:
        """Midnight to midnight, a heart rate a minute; it lies on its charger from eight to nine in the evening.

        So many minutes of walking at three, and as many at eleven with a heart that beats fast without movement.
        """
        times = np.arange(
            local_ms(day, "00:00"), local_ms(day + timedelta(days=1), "00:00"), MINUTE, dtype=np.int64
        )
        charging = local_ms(day, "20:00"), local_ms(day, "21:00")
        walk = (local_ms(day, "15:00"), local_ms(day, "15:00") + moved_min * MINUTE)
        stress = (local_ms(day, "11:00"), local_ms(day, "11:00") + raised_min * MINUTE)
        moved = [(local_ms(day, "09:00"), local_ms(day, "09:30")), *([walk] if moved_min else [])]
        if until_ms is not None:
            times = times[times < until_ms]
            moved = [(a, b) for a, b in moved if b <= until_ms]
        awake = (times >= local_ms(day, "07:00")) & (times < local_ms(day, "23:00"))
        bpm = np.where(awake, self.resting_bpm + 16, self.resting_bpm) + self.rng.integers(-3, 9, len(times))
        for (a, b), height in ((walk, 124), (stress, 121)):
            within = (times >= a) & (times < b)
            bpm[within] = height + self.rng.integers(-2, 5, int(within.sum()))
        worn = (times < charging[0]) | (times >= charging[1])
        times, bpm = times[worn], bpm[worn]
        noon = local_ms(day, "12:00")
        # In two: no chunk may be longer than a day, and one day in autumn has 25 hours.
        for half in (times < noon, times >= noon):
            if half.any():
                end = int(times[half][-1]) + MINUTE
                yield Heard(
                    self.name, self.all_day, "monitoring", times[half], bpm[half], end, movement=tuple(moved)
                )

    # --- workouts ---

    def curve(self, seconds: int, height: int, step_s: int = 1) -> NDArray[np.int64]:
        """From rest up to a height within five minutes, then up and down around it, and down at the end."""
        at = np.arange(0, seconds, step_s, dtype=np.int64)
        rise = np.minimum(1.0, at / 300)
        fall = np.minimum(1.0, (seconds - at) / 120)
        level = self.resting_bpm + 30 + (height - self.resting_bpm - 30) * np.minimum(rise, 0.6 + 0.4 * fall)
        waves = 7 * np.sin(at / 95) + self.rng.normal(0, 1.2, len(at))
        return np.asarray(np.rint(level + waves * rise), np.int64)

    def workout(
        self,
        start_ms: int,
        minutes: int,
        height: int,
        sport: str = "cycling",
        *,
        paused_min: int = 0,
        strapped: bool = False,
        step_s: int = 1,
    ) -> Iterator[Happening]:
        """A workout out of a watch's file, or with a strap; with a pause of its timer in the middle, and the watch's claim."""
        end = start_ms + minutes * MINUTE
        source = self.strap if strapped else self.activity
        bpm = self.curve(minutes * 60, height, step_s)
        times = start_ms + np.arange(len(bpm), dtype=np.int64) * step_s * S
        pauses: tuple[Pair, ...] = ()
        if paused_min:
            middle = start_ms + minutes * MINUTE // 2
            pauses = ((middle, middle + paused_min * MINUTE),)
            running = (times < pauses[0][0]) | (times >= pauses[0][1])
            times, bpm = times[running], bpm[running]
        kind = "strap" if strapped else "activity"
        yield Heard(self.name, source, kind, times, bpm, end, pauses, with_beats=strapped)
        yield Workout(self.name, source, start_ms, end, minutes * 60.0 - paused_min * 60.0, sport)
        if not strapped:
            yield Claim(self.name, source, start_ms, end, minutes * 0.8)

    def worn(self, start_ms: int, end_ms: int, height: int) -> Iterator[Happening]:
        """A strap that is on, with every heartbeat."""
        bpm = self.curve((end_ms - start_ms) // S + 150, height)[: (end_ms - start_ms) // S]
        times = start_ms + np.arange(len(bpm), dtype=np.int64) * S
        yield Heard(self.name, self.strap, "strap", times, bpm, end_ms, with_beats=True)

    def resting(self, start_ms: int, minutes: int) -> Iterator[Happening]:
        """A strap that is on before getting up: for what the beats of a heart at rest tell."""
        times = start_ms + np.arange(minutes * 60, dtype=np.int64) * S
        waves = 2 * np.sin(np.arange(len(times), dtype=np.int64) / 40)
        bpm = np.asarray(np.rint(self.resting_bpm + 2 + waves + self.rng.normal(0, 1, len(times))), np.int64)
        yield Heard(self.name, self.strap, "strap", times, bpm, start_ms + minutes * MINUTE, with_beats=True)
