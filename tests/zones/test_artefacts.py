"""What a sensor reported and no heart can have had."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zones.artefacts import REACH_MS, Artefact, _extreme, find_artefacts, without_artefacts
from zones.series import Series
from zones.spans import Spans


def by_second(*bpm: int, step: int = 1) -> Series:
    return Series.of((np.arange(len(bpm), dtype=np.int64) * step * 1000).view("datetime64[ms]"), bpm)


def found(series: Series, kind: Artefact, **more: Any) -> list[int]:
    return [i for i, bad in enumerate(find_artefacts(series, **more)) if bad & kind]


def wander(n: int, seed: int = 1) -> list[int]:
    """A heart that changes from second to second."""
    noise = np.random.default_rng(seed).integers(-1, 2, n)
    return [int(x) for x in 100 + 10 * np.sin(np.arange(n, dtype=np.int64) / 20) + noise]


def test_a_spike_of_two_seconds() -> None:
    """An optical sensor's 190 in the middle of 100 is masked, at either end too, and nothing else is."""
    for at in (0, 60, 118):
        bpm = wander(120)
        bpm[at : at + 2] = [190, 191]
        assert found(by_second(*bpm), Artefact.SPIKE) == [at, at + 1]
        assert not find_artefacts(by_second(*wander(120))).any()


def test_a_spike_lasts_ten_seconds_at_most() -> None:
    """What stays up for longer is a change of the heart, or of the sensor's mind; it is not ours to undo."""
    ten, eleven = wander(120), wander(120)
    ten[60:70] = [160] * 10
    eleven[60:71] = [160] * 11
    assert found(by_second(*ten), Artefact.SPIKE) == list(range(60, 70))
    assert found(by_second(*eleven), Artefact.SPIKE) == []


def test_an_onset_is_no_spike() -> None:
    """From rest to effort within a minute: all of it is believed."""
    rise = [70] * 60 + [70 + i for i in range(0, 90, 2)] + [160] * 60
    assert not find_artefacts(by_second(*rise)).any()


def test_twenty_five_is_not_far() -> None:
    """The limit itself is still believed, one more is not."""
    for up, expected in ((25, [45, 54]), (26, [45, 50, 54])):
        bpm = [100] * 120
        bpm[45:55:9] = [74, 126]
        bpm[50] += up
        assert found(by_second(*bpm), Artefact.SPIKE) == expected
        bpm[50] -= 2 * up
        assert found(by_second(*bpm), Artefact.SPIKE) == expected


def test_rare_values_are_never_spikes() -> None:
    """In an all-day file a heart may be anywhere a minute later."""
    bpm = [60] * 60
    bpm[30] = 120
    for step in (3, 60):  # thirty-one of them are more than a minute
        assert not find_artefacts(by_second(*bpm, step=step)).any()


def test_dropouts() -> None:
    """Nothing, and 255, are how sensors say so; a dropout is not a neighbour to judge spikes by."""
    bpm = [100] * 60
    bpm[20:40] = [0] * 20
    bpm[50] = 255
    assert found(by_second(*bpm), Artefact.DROPOUT) == [*range(20, 40), 50]
    assert found(by_second(*bpm), Artefact.SPIKE) == []


@pytest.mark.parametrize("of", [np.maximum, np.minimum])
def test_extremes_of_windows(of: np.ufunc) -> None:
    """By doubling, each window's extreme is that of exactly its thirty-one samples."""
    bpm = np.random.default_rng(0).integers(30, 231, 500).astype(np.uint8)
    windows = np.lib.stride_tricks.sliding_window_view(bpm, 31)
    assert _extreme(bpm, of).tolist() == of.reduce(windows, axis=1).tolist()


def test_a_stuck_sensor() -> None:
    """Two minutes of one value are a sensor that repeats itself; a second less are not, nor is it asked for."""
    bpm = wander(60) + [123] * 121 + wander(60)
    assert found(by_second(*bpm), Artefact.STUCK, stuck=120) == list(range(60, 181))
    assert found(by_second(*bpm), Artefact.STUCK, stuck=121) == []
    assert found(by_second(*bpm), Artefact.STUCK) == []
    for step in (6, 60):  # rarely heard is not stuck
        assert found(by_second(*[60] * 100, step=step), Artefact.STUCK, stuck=120) == []


def test_a_heart_whose_beats_vary_is_not_stuck() -> None:
    """A steady heart rate over beats that vary is a calm person, not a frozen sensor."""
    series = by_second(*[60] * 400)
    assert len(found(series, Artefact.STUCK, stuck=300)) == 400
    assert found(series, Artefact.STUCK, stuck=300, alive=Spans.of([0], [250_000])) == []
    assert len(found(series, Artefact.STUCK, stuck=300, alive=Spans.of([0], [100_000]))) == 400


def test_the_mask_leaves_the_samples_alone() -> None:
    """Raw samples stay as they came; what is believed is a copy without the rest."""
    bpm = [100] * 60
    bpm[30] = 180
    series = by_second(*bpm)
    good = without_artefacts(series, find_artefacts(series))
    assert series.bpm.tolist() == bpm
    assert len(good) == 59
    assert not (good.bpm == 180).any()
    assert without_artefacts(good, find_artefacts(good)) is good
    assert find_artefacts(Series.empty()).tolist() == []


@given(st.lists(st.sampled_from([0, 60, 80, 86, 100, 111, 140, 255]), max_size=90), st.integers(1, 4))
def test_spikes_equal_looking_at_each_window(bpm: list[int], step: int) -> None:
    """Shortcuts over calm windows change no verdict: compared with one median after the other."""
    series = by_second(*bpm, step=step)
    rows = [(t, b) for t, b in zip(series.times.astype(int).tolist(), bpm, strict=True) if 30 <= b <= 230]
    far = []
    for i, (_, b) in enumerate(rows):
        first, last = i, i
        while first > 0 and rows[first][0] - rows[first - 1][0] <= 60_000:
            first -= 1
        while last + 1 < len(rows) and rows[last + 1][0] - rows[last][0] <= 60_000:
            last += 1
        a = max(min(i - 15, last - 30), first)
        around = rows[a : a + 31] if last - first >= 30 else []
        dense = len(around) == 31 and around[-1][0] - around[0][0] <= 60_000
        far.append(dense and abs(b - sorted(v for _, v in around)[15]) > 25)
    expected, i = set(), 0
    while i < len(rows):
        j = i
        while j < len(rows) and far[j] == far[i] and (j == i or rows[j][0] - rows[j - 1][0] <= 60_000):
            j += 1
        goes_on = j < len(rows) and rows[j][0] - rows[j - 1][0] <= 60_000
        until = rows[j if goes_on else j - 1][0]
        if far[i] and until - rows[i][0] <= 10_000:
            expected |= {t for t, _ in rows[i:j]}
        i = j
    assert [1000 * step * i for i in found(series, Artefact.SPIKE)] == sorted(expected)


@st.composite
def sensors(draw: st.DrawFn) -> tuple[Series, Spans]:
    """Half an hour or so of a sensor that jumps, freezes and falls silent, and when beats were seen."""
    t, rows = 0, []
    for _ in range(draw(st.integers(1, 14))):
        bpm, step = draw(st.sampled_from([60, 80, 120, 150])), draw(st.sampled_from([1, 1, 1, 2, 5, 6, 31]))
        for i in range(draw(st.sampled_from([1, 3, 9, 11, 16, 40, 130, 200]))):
            rows.append((t, bpm + i % draw(st.sampled_from([1, 3]))))
            t += step * 1000
        t += draw(st.sampled_from([0, 0, 1, 29, 30, 59, 60, 61, 400])) * 1000
    beats = draw(st.lists(st.tuples(st.integers(0, t), st.integers(1, 90_000)), max_size=3))
    times, values = zip(*rows, strict=True)
    return Series.of(np.array(times).astype("datetime64[ms]"), values), Spans.pairs(
        (a, a + lasts) for a, lasts in beats
    )


@given(sensors(), st.integers(0, 3_000_000), st.integers(0, 900_000), st.sampled_from([120, 300]))
def test_a_verdict_knows_no_farther_than_its_reach(
    sensor: tuple[Series, Spans], start: int, lasts: int, stuck: int
) -> None:
    """A day looked at alone is judged as in a whole year: ten minutes around a sample are all that decide on it."""
    series, alive = sensor
    ms = series.times.astype(np.int64)
    near = (ms >= start - REACH_MS) & (ms <= start + lasts + REACH_MS)
    there = (ms >= start) & (ms <= start + lasts)
    alone = find_artefacts(Series.of(series.times[near], series.bpm[near]), stuck, alive)
    assert alone[there[near]].tolist() == find_artefacts(series, stuck, alive)[there].tolist()
