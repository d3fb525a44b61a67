"""Pieces: every millisecond has one owner, the best that holds it."""

from collections import Counter
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support import by_hand as byhand
from tests.support.by_hand import raw
from zones.edges import Edges, Timeline
from zones.minutes import sum_pieces
from zones.moments import Length
from zones.pieces import Pieces, hold, merge, milliseconds_per_bpm, resolve, split, split_every
from zones.spans import Spans

some_ends = st.lists(byhand.moments, max_size=4).map(sorted)


def held(samples: Any, cap: int, **more: Any) -> Pieces:
    return hold(raw(samples), timedelta(milliseconds=cap), **more)


def same(a: Pieces, b: Pieces) -> bool:
    return all(
        np.array_equal(getattr(a, name), getattr(b, name))
        for name in ("start", "end", "bpm", "source", "counts")
    )


several = st.lists(st.tuples(byhand.any_samples, byhand.caps), max_size=4).map(
    lambda drawn: [held(samples, cap, source=i) for i, (samples, cap) in enumerate(drawn)]
)


@given(byhand.any_samples, byhand.caps, byhand.stretches, some_ends)
@example([(0, 100), (10, 110), (50, 120)], 60, [], [10, 55])
def test_hold_equals_counting_by_hand(samples: Any, cap: int, pauses: Any, ends: list[int]) -> None:
    """Gaps, caps, pauses and the ends of recordings, each alone and all together."""
    got = held(samples, cap, pauses=Spans.pairs(pauses), ends=ends, source=3)
    assert byhand.by_millisecond(got) == byhand.hold(samples, cap, pauses, ends, 3)


def test_a_recording_does_not_reach_into_the_next() -> None:
    """Two files of one watch, minutes apart: the last sample of the first stops where that file stops."""
    got = held([(0, 100), (10, 110), (50, 120)], 60, ends=[15, 55])
    assert list(zip(got.start.tolist(), got.end.tolist(), strict=True)) == [(0, 10), (10, 15), (50, 55)]


@given(byhand.any_samples, byhand.caps, byhand.stretches)
def test_movement_decides_millisecond_by_millisecond(samples: Any, cap: int, movement: Any) -> None:
    """All-day time counts exactly where movement was seen, and not a piece more."""
    got = byhand.by_millisecond(held(samples, cap, counts=Spans.pairs(movement)))
    for ms, what in got.items():
        assert what.counts == any(a <= ms < b for a, b in movement)
    assert {ms: what.bpm for ms, what in got.items()} == {
        ms: what.bpm for ms, what in byhand.hold(samples, cap).items()
    }


@given(several)
def test_resolve_gives_each_millisecond_to_the_first_that_holds_it(ranked: list[Pieces]) -> None:
    """Of overlapping sources the best one counts, second by second; nothing is lost and nothing counted twice."""
    expected: dict[int, byhand.Millisecond] = {}
    for pieces in reversed(ranked):
        expected |= byhand.by_millisecond(pieces)
    got = resolve(ranked)
    assert byhand.by_millisecond(got) == expected
    assert got.measure_ms == len(expected) == got.spans.measure_ms
    assert same(resolve([got]), got)
    assert same(resolve([got, *ranked]), got)


@given(several, byhand.stretches)
def test_what_is_cut_out_is_gone_and_the_rest_stays(ranked: list[Pieces], holes: Any) -> None:
    """Cutting spans out of pieces takes exactly those milliseconds."""
    pieces = resolve(ranked)
    left = byhand.by_millisecond(pieces.without(Spans.pairs(holes)))
    whole = byhand.by_millisecond(pieces)
    assert left == {ms: what for ms, what in whole.items() if not any(a <= ms < b for a, b in holes)}


@example([held([(0, 95), (2, 95)], 2)], [1, 1], 1)
@given(several, st.lists(byhand.moments, max_size=12), st.integers(1, 50))
def test_splitting_changes_no_millisecond(ranked: list[Pieces], at: list[int], length: int) -> None:
    """After a split no piece crosses a border, and every moment holds what it held."""
    pieces = resolve(ranked)
    parts = split(pieces, np.array(at, np.int64))
    assert byhand.by_millisecond(parts) == byhand.by_millisecond(pieces)
    assert not any(((parts.start < moment) & (moment < parts.end)).any() for moment in at)
    every = split_every(pieces, length)
    assert byhand.by_millisecond(every) == byhand.by_millisecond(pieces)
    assert (every.start // length == (every.end - 1) // length).all()


@given(several, byhand.moments)
def test_clips_at_any_moment_add_up(ranked: list[Pieces], at: int) -> None:
    """A span counted in two halves gives what it gives whole."""
    pieces = resolve(ranked)
    before, after = pieces.clip(-1000, at), pieces.clip(at, 1000)
    assert byhand.by_millisecond(before) | byhand.by_millisecond(after) == byhand.by_millisecond(pieces)
    assert before.measure_ms + after.measure_ms == pieces.measure_ms
    assert byhand.by_millisecond(merge([after, before])) == byhand.by_millisecond(pieces)


@given(st.dictionaries(byhand.moments, byhand.heart_rates), st.randoms(use_true_random=False), byhand.caps)
def test_order_of_arrival_is_irrelevant(samples: dict[int, int], random: Any, cap: int) -> None:
    """Samples that came late, or twice, give the same pieces as samples that came in order."""
    rows = list(samples.items())
    mixed = rows + rows[: len(rows) // 2]
    random.shuffle(mixed)
    assert same(held(mixed, cap), held(sorted(rows), cap))


# --- the seconds of a week ---

LINE = Timeline.of([(-(10**15), Edges.from_bpm(109, 131))])


def seconds(samples: Any, longest: Length, **more: Any) -> list[float]:
    """Light, moderate and vigorous seconds of samples, as a week counts them."""
    return [int(c[0]) / 1000 for c in sum_pieces(hold(samples, longest, **more), LINE).columns[:3]]


def every_second(start: int, *bpm: int) -> list[tuple[int, int]]:
    return [(start + i, value) for i, value in enumerate(bpm)]


GOLDEN = {
    "A: thirty seconds": (every_second(0, *[100] * 10, *[120] * 10, *[140] * 10), 5, None, [10, 10, 10]),
    "B: uneven gaps": ([(0, 100), (4, 115), (9, 135), (12, 135)], 5, 20, [4, 5, 8]),
    "C: a gap in the middle": (
        every_second(0, *[120] * 10) + every_second(60, *[145] * 10),
        5,
        70,
        [0, 14, 10],
    ),
    "D: 255 and 0 are no samples": (
        every_second(0, *[120] * 3, 255, *[120] * 3, 0, 120, 120),
        5,
        None,
        [0, 10, 0],
    ),
    "E: an edge belongs to the zone above": (every_second(0, 108, 109, 130, 131), 1, None, [1, 2, 1]),
    "F: the tunnel": (every_second(0, *[130] * 60) + every_second(1560, *[145] * 60), 30, 1620, [0, 89, 60]),
    "G: the last of one second wins": ([(0, 110), (5, 110), (5, 150), (6, 110)], 5, 8, [0, 7, 1]),
}


@pytest.mark.parametrize("case", GOLDEN)
def test_golden_cases(case: str) -> None:
    """The seven cases everything else was designed around give their seconds exactly."""
    samples, cap, end, expected = GOLDEN[case]
    assert seconds(raw(samples, 1000), cap, ends=None if end is None else [end * 1000]) == expected
    lasts = (samples[-1][0] + 1 if end is None else end) - samples[0][0]
    assert lasts - sum(expected) == {"B": 3, "C": 46, "F": 1471}.get(case[0], 0)  # what was not measured


def test_one_sample_alone_stands_for_nothing_until_an_end_is_known() -> None:
    """Of a single sample nobody knows how long it held: no invented second."""
    alone = raw([(0, 120)], 1000)
    assert seconds(alone, 5) == [0, 0, 0]
    assert seconds(alone, 5, ends=[3000]) == [0, 3, 0]


def test_lengths_of_every_kind_mean_the_same() -> None:
    """timedelta, timedelta64 and seconds: one answer."""
    samples, _, _, expected = GOLDEN["B: uneven gaps"]
    for longest in (5, 5.0, timedelta(seconds=5), np.timedelta64(5, "s")):
        assert seconds(raw(samples, 1000), longest, ends=[20_000]) == expected


def test_coarse_and_wide_columns() -> None:
    """Times in whole seconds and bpm in wide integers, far out of range, are read for what they are."""
    t = np.arange(4, dtype=np.int64).astype("datetime64[s]")
    series = SimpleNamespace(times=t, bpm=np.array([120, 376, -1, 140]))
    assert seconds(series, 5, ends=[5000]) == [0, 3, 2]


def test_pauses_are_cut_out() -> None:
    """A sample before a pause does not stand for the pause, but again for what follows it within its cap."""
    samples = raw(every_second(0, *[120] * 10) + every_second(40, *[140] * 10), 1000)
    pauses = [
        (np.datetime64(12, "s"), np.datetime64(14, "s")),
        (np.datetime64(38, "s"), np.datetime64(45, "s")),
    ]
    assert seconds(samples, 10, pauses=Spans.pairs(pauses)) == [0, 17, 5]


def test_a_cap_of_nothing_is_refused() -> None:
    """A cap of zero would make every measured second vanish."""
    with pytest.raises(ValueError, match="length of time"):
        hold(raw(every_second(0, 100)), 0)


def test_the_last_sample_stands_for_the_median_gap() -> None:
    """The median of all gaps, also when the most frequent one is not the median."""
    t = np.cumsum([0] + [1000] * 24 + [4000 + i for i in range(30)])
    assert seconds(raw([(int(x), 120) for x in t]), 60)[1] * 1000 == t[-1] + 4002


def test_the_last_sample_after_a_sensor_fell_silent() -> None:
    """Zeros at the end do not hide how often the sensor spoke before."""
    samples = [(i * 2000, 120) for i in range(20)] + [(40_000 + i * 1000, 0) for i in range(50)]
    assert seconds(raw(samples), 60) == [0, 40, 0]


@given(byhand.any_samples, byhand.caps)
def test_how_long_each_heart_rate_held_by_hand(samples: Any, cap: int) -> None:
    """Protects loads and the watch's own zones: every millisecond is at the heart rate that held it."""
    counted = Counter(what.bpm for what in byhand.hold(samples, cap).values())
    found = milliseconds_per_bpm(held(samples, cap))
    assert {bpm: int(ms) for bpm, ms in enumerate(found) if ms} == counted
