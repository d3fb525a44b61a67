"""A made-up heart: what straps tell of it is what a heart could do."""

from random import Random

import numpy as np

from ingest.demo.heart import Heart, measurement
from ingest.formats.heart_rate_measurement import decode


def beating(asked_bpm: float, seconds: int) -> tuple[list[int], list[int]]:
    """Heart rates of each second and all intervals (ms), of a heart that comes from rest."""
    heart = Heart(Random("a test"), 60, 60)
    payloads = [measurement(heart.follow(asked_bpm), heart.intervals()) for _ in range(seconds)]
    told = decode(np.array([len(p) for p in payloads]), np.frombuffer(b"".join(payloads), np.uint8))
    assert not told.fault.any()
    assert told.contact.all()
    return told.bpm.tolist(), told.rr_ms.tolist()


def test_it_comes_late_and_gets_there() -> None:
    """Protects the shape of a workout: a minute after it is asked the heart is two thirds of the way, then it stays."""
    bpm, _ = beating(130, 600)
    assert 95 < bpm[57] < 112
    assert 127 < sum(bpm[300:]) / 300 < 133


def test_its_intervals_add_up_to_the_time() -> None:
    """Protects what is counted of beats: each has one interval, and together they fill the time."""
    for asked in (60, 130):
        bpm, intervals_ms = beating(asked, 600)
        assert abs(sum(intervals_ms) / 1000 - 600) < 2
        assert abs(len(intervals_ms) - sum(bpm) / 60) < 12


def test_it_breathes_at_rest_and_hardly_in_effort() -> None:
    """Protects the numbers of variability: tens of milliseconds lying still, a few while cycling."""

    def rmssd_ms(asked: float) -> float:
        late = np.array(beating(asked, 900)[1])[-400:]
        return float(np.sqrt(np.mean(np.diff(late) ** 2)))

    assert 20 < rmssd_ms(60) < 70
    assert 1 < rmssd_ms(135) < 10
