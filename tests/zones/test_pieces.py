"""Pieces: every millisecond has one owner, the best that holds it."""

from datetime import timedelta
from typing import Any

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support import by_hand as byhand
from tests.zones.test_seconds import raw
from zones.pieces import Pieces, hold, merged, resolve, split, split_every
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
    assert byhand.spelt_out(got) == byhand.hold(samples, cap, pauses, ends, 3)


def test_a_recording_does_not_reach_into_the_next() -> None:
    """Two files of one watch, minutes apart: the last sample of the first stops where that file stops."""
    got = held([(0, 100), (10, 110), (50, 120)], 60, ends=[15, 55])
    assert list(zip(got.start.tolist(), got.end.tolist(), strict=True)) == [(0, 10), (10, 15), (50, 55)]


@given(byhand.any_samples, byhand.caps, byhand.stretches)
def test_movement_decides_millisecond_by_millisecond(samples: Any, cap: int, movement: Any) -> None:
    """All-day time counts exactly where movement was seen, and not a piece more."""
    got = byhand.spelt_out(held(samples, cap, counts=Spans.pairs(movement)))
    for ms, what in got.items():
        assert what.counts == any(a <= ms < b for a, b in movement)
    assert {ms: what.bpm for ms, what in got.items()} == {
        ms: what.bpm for ms, what in byhand.hold(samples, cap).items()
    }


@given(several)
def test_resolve_gives_each_millisecond_to_the_first_that_holds_it(ranked: list[Pieces]) -> None:
    """Of overlapping sources the best one counts, second by second; nothing is lost and nothing counted twice."""
    expected: dict[int, byhand.Held] = {}
    for pieces in reversed(ranked):
        expected |= byhand.spelt_out(pieces)
    got = resolve(ranked)
    assert byhand.spelt_out(got) == expected
    assert got.measure_ms == len(expected) == got.spans.measure_ms
    assert same(resolve([got]), got)
    assert same(resolve([got, *ranked]), got)


@given(several, byhand.stretches)
def test_what_is_cut_out_is_gone_and_the_rest_stays(ranked: list[Pieces], holes: Any) -> None:
    """Cutting spans out of pieces takes exactly those milliseconds."""
    pieces = resolve(ranked)
    left = byhand.spelt_out(pieces.without(Spans.pairs(holes)))
    whole = byhand.spelt_out(pieces)
    assert left == {ms: what for ms, what in whole.items() if not any(a <= ms < b for a, b in holes)}


@example([held([(0, 95), (2, 95)], 2)], [1, 1], 1)
@given(several, st.lists(byhand.moments, max_size=12), st.integers(1, 50))
def test_splitting_changes_no_millisecond(ranked: list[Pieces], at: list[int], length: int) -> None:
    """After a split no piece crosses a border, and every moment holds what it held."""
    pieces = resolve(ranked)
    parts = split(pieces, np.array(at, np.int64))
    assert byhand.spelt_out(parts) == byhand.spelt_out(pieces)
    assert not any(((parts.start < moment) & (moment < parts.end)).any() for moment in at)
    every = split_every(pieces, length)
    assert byhand.spelt_out(every) == byhand.spelt_out(pieces)
    assert (every.start // length == (every.end - 1) // length).all()


@given(several, byhand.moments)
def test_clips_at_any_moment_add_up(ranked: list[Pieces], at: int) -> None:
    """A span counted in two halves gives what it gives whole."""
    pieces = resolve(ranked)
    before, after = pieces.clip(-1000, at), pieces.clip(at, 1000)
    assert byhand.spelt_out(before) | byhand.spelt_out(after) == byhand.spelt_out(pieces)
    assert before.measure_ms + after.measure_ms == pieces.measure_ms
    assert byhand.spelt_out(merged([after, before])) == byhand.spelt_out(pieces)


@given(st.dictionaries(byhand.moments, byhand.heart_rates), st.randoms(use_true_random=False), byhand.caps)
def test_order_of_arrival_is_irrelevant(samples: dict[int, int], random: Any, cap: int) -> None:
    """Samples that came late, or twice, give the same pieces as samples that came in order."""
    rows = list(samples.items())
    mixed = rows + rows[: len(rows) // 2]
    random.shuffle(mixed)
    assert same(held(mixed, cap), held(sorted(rows), cap))
