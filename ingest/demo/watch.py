"""The files of a made-up watch: a workout, and a day of somebody, as FIT."""

from collections.abc import Sequence

import numpy as np

from ingest.demo.day import MINUTE_MS, MadeUpDay, Minutes, WatchedMinutes
from ingest.demo.effort import Effort
from ingest.demo.fit_encoder import ERA, Fit

SERIAL = 1234567890
PRODUCT = 3992
"""As files call a Forerunner 255."""

MADE_UP = "(made up)"
"""Stands in the name of each file, wherever it may be copied to."""

_WALKING, _STEPS_A_MINUTE = 6, 104
_SEDENTARY = 8

CLAIMED = 1.2
"""Watches are generous: this one claims a fifth more minutes than were walked."""


def workout_file(effort: Effort, maximum_bpm: int | None) -> bytes:
    """A workout as the watch writes it, a heart rate a second; with the maximum that is set in it, if one is."""
    start = effort.start_ms // 1000 - ERA
    bpm = effort.bpm
    fit = Fit().file_id(4, product=PRODUCT, serial=SERIAL, created=start).device_info(start)
    if maximum_bpm is not None:
        fit.zones_target(maximum_bpm)
    end = start + len(bpm)
    fit.timer(start, start=True).records(start, bpm).timer(end, start=False)
    mean = round(sum(bpm) / len(bpm))
    fit.session(start, end - start, sport=effort.sport.number, mean=mean, highest=max(bpm))
    return fit.activity(end, seconds=end - start).done()


def all_day_file(day: MadeUpDay, minutes: WatchedMinutes) -> bytes | None:
    """What the watch saw in a day, hour by hour; None where it was not worn at all."""
    if not minutes.worn.any():
        return None
    start = day.start_ms // 1000 - ERA
    fit = Fit().file_id(32, product=PRODUCT, serial=SERIAL, created=start).monitoring_info(start)
    steps = active_ms = 0
    active = _active(day, minutes)
    for first in range(0, len(minutes.bpm), 60):
        # The low half of a time is enough for heart rates, as long as a whole one stands somewhere before them.
        fit.monitoring(start + first * 60, (24, "byte", _SEDENTARY))
        worn = first + np.flatnonzero(minutes.worn[first : first + 60])
        fit.monitoring_rates(start + 60 * (worn + 1), minutes.bpm[worn])
        for minute in worn[minutes.moved[worn]].tolist():
            steps, active_ms = steps + _STEPS_A_MINUTE, active_ms + MINUTE_MS
            time = start + 60 * (minute + 1)
            fit.monitoring(
                time,
                (3, "uint32", steps),
                (4, "uint32", active_ms),
                (24, "byte", _WALKING | 3 << 5),
                local=13,
            )
        for a, b in active:
            if first < b <= first + 60:
                claimed = (33, "uint16", round(CLAIMED * max(b - a - 4, 1)))
                fit.monitoring(start + 60 * b, claimed, (34, "uint16", 0), local=9)
    resting = round(day.resting_bpm)
    return fit.monitoring_hr_data(start + 60 * len(minutes.bpm), week=resting, today=resting).done()


def _active(day: MadeUpDay, minutes: WatchedMinutes) -> Sequence[Minutes]:
    """What the watch takes for activity: walks and workouts that are over."""
    efforts = [
        (at, at + e.minutes)
        for e in day.efforts
        if e.by_watch and (at := (e.start_ms - day.start_ms) // MINUTE_MS) + e.minutes <= len(minutes.bpm)
    ]
    return [*minutes.walked, *efforts]
