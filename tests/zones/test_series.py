"""Samples as columns, and stretches of time."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import by_hand as byhand
from zones.moments import are_among, distinct, length_ms, milliseconds, moment_ms
from zones.series import Series, clean_samples, join, median_gap_ms
from zones.spans import Spans


def columns(rows: Any) -> tuple[np.ndarray, np.ndarray]:
    return np.array([t for t, _ in rows], np.int64).view("datetime64[ms]"), np.array(
        [b for _, b in rows], np.uint8
    )


@given(byhand.any_samples)
def test_a_series_is_in_order(rows: Any) -> None:
    """However samples come: ascending, one for each time, the last one given."""
    series = Series.of(*columns(rows))
    assert list(zip(series.times.astype(int).tolist(), series.bpm.tolist(), strict=True)) == sorted(
        dict(rows).items()
    )
    assert not series.times.flags.writeable
    assert not series.bpm.flags.writeable


@given(st.lists(byhand.any_samples, max_size=4), st.data())
def test_join_does_not_know_which_part_came_first(parts: list[Any], data: st.DataObject) -> None:
    """Of parts that contradict each other the lowest heart rate stands, a fault only where all are, in any order."""
    expected: dict[int, int] = {}
    for t, bpm in (sample for rows in parts for sample in dict(rows).items()):
        if t not in expected or (not 30 <= bpm <= 230, bpm) < (not 30 <= expected[t] <= 230, expected[t]):
            expected[t] = bpm
    joined = join([Series.of(*columns(rows)) for rows in data.draw(st.permutations(parts))])
    assert list(zip(joined.times.astype(int).tolist(), joined.bpm.tolist(), strict=True)) == sorted(
        expected.items()
    )


def test_join_of_one_part_is_that_part() -> None:
    """Nothing is copied where there is nothing to join."""
    whole = Series.of(*columns([(0, 60), (1000, 61)]))
    assert join([whole]) is whole


@given(byhand.any_samples, byhand.moments, byhand.moments)
def test_between_takes_the_half_open_span(rows: Any, a: int, b: int) -> None:
    """From the start on, and not the end."""
    part = Series.of(*columns(rows)).between(np.datetime64(a, "ms"), np.datetime64(b, "ms"))
    assert part.times.astype(int).tolist() == sorted({t for t, _ in rows if a <= t < b})


@given(byhand.any_samples)
def test_only_plausible_samples_can_count(rows: Any) -> None:
    """A fault never hides a true sample of the same time, whichever came first."""
    t, bpm = clean_samples(*columns(rows))
    good = {t: b for t, b in rows if 30 <= b <= 230}
    assert list(zip(t.tolist(), bpm.tolist(), strict=True)) == sorted(good.items())


@given(st.lists(st.integers(-10_000, 10_000), unique=True).map(sorted))
def test_the_median_gap_is_a_gap(t: list[int]) -> None:
    """The lower of the two in the middle, so that it is a whole number that occurs."""
    gaps = sorted(b - a for a, b in pairwise(t))
    assert median_gap_ms(np.array(t, np.int64)) == (gaps[(len(gaps) - 1) // 2] if gaps else 0)


def test_the_median_gap_is_that_of_late() -> None:
    """Who spoke every second for a day and then every ten seconds for an hour speaks every ten seconds."""
    gaps = np.array([1000] * 86_400 + [10_000] * 501 + [1000] * 499)
    assert median_gap_ms(np.concatenate([[0], np.cumsum(gaps)])) == 10_000
    assert median_gap_ms(np.concatenate([[0], np.cumsum(gaps[:-1])])) == 10_000
    assert median_gap_ms(np.concatenate([[0], np.cumsum([*gaps, 1000, 1000])])) == 1000


def test_columns_that_do_not_match() -> None:
    """Columns of different lengths, or values no byte holds, are a fault of the caller."""
    with pytest.raises(ValueError, match="two columns"):
        Series.of(np.arange(3, dtype=np.int64).astype("datetime64[ms]"), [60, 61])
    with pytest.raises(ValueError, match="two columns"):
        clean_samples(np.arange(3, dtype=np.int64), np.array([60, 61]))
    with pytest.raises(ValueError, match="byte"):
        Series.of(np.arange(1, dtype=np.int64).astype("datetime64[ms]"), [300])
    with pytest.raises(ValueError, match="two columns"):
        Spans.of([1, 2], [3])


@given(byhand.stretches, byhand.stretches, st.lists(byhand.moments))
def test_spans_are_the_union(one: Any, other: Any, at: list[int]) -> None:
    """Disjoint, not touching, in order; what either holds, they hold together."""
    both = Spans.pairs(one) | Spans.pairs(other)
    inside = {ms for a, b in [*one, *other] for ms in range(a, b)}
    assert both.measure_ms == len(inside)
    assert (both.start < both.end).all()
    assert (both.start[1:] > both.end[:-1]).all()
    moments = np.array(at, np.int64)
    assert both.covers(moments).tolist() == [t in inside for t in at]
    assert both.before_ms(moments).tolist() == [sum(ms < t for ms in inside) for t in at]
    for lasts in (1, 7):
        met = [any(ms in inside for ms in range(t, t + lasts)) for t in at]
        assert both.meet(moments, moments + lasts).tolist() == met


def test_moments_of_every_kind() -> None:
    """Milliseconds, datetime64 of any unit and aware datetimes are one moment; a naive one is none."""
    for moment in (
        1500,
        np.datetime64(1500, "ms"),
        np.datetime64(1_500_000, "us"),
        datetime.fromtimestamp(1.5, UTC),
    ):
        assert moment_ms(moment) == 1500
    with pytest.raises(ValueError, match="time zone"):
        moment_ms(datetime(2026, 1, 1))  # noqa: DTZ001
    times = np.arange(3, dtype=np.int64).astype("datetime64[ms]")
    assert np.shares_memory(milliseconds(times), times)
    assert milliseconds(times.astype("datetime64[s]")).tolist() == [0, 0, 0]
    with pytest.raises(TypeError, match="whole milliseconds"):
        milliseconds([1.5])
    assert length_ms(0.0015) == 2
    with pytest.raises(ValueError, match="length of time"):
        length_ms(-1)


@given(st.lists(st.integers(-5, 5)))
def test_distinct_moments(moments: list[int]) -> None:
    """Protects what is cut at borders: each moment once, in order, the first one too."""
    assert distinct(np.array(moments, np.int64)).tolist() == sorted(set(moments))


@given(st.lists(st.integers(-5, 5)), st.lists(st.integers(-5, 5)))
def test_moments_among_others(moments: list[int], others: list[int]) -> None:
    """Protects what a strap said of its contact: it counts for the samples that came with it, in whatever order."""
    found = are_among(np.array(moments, np.int64), np.array(others, np.int64))
    assert found.tolist() == [m in others for m in moments]


def test_the_shortest_length() -> None:
    """Protects against a cap of nothing: a millisecond is a length of time, less is none, unless none is allowed."""
    assert length_ms(0.001) == 1
    assert length_ms(0, 0) == 0
    assert length_ms(timedelta(seconds=2)) == length_ms(2) == length_ms(np.timedelta64(2, "s")) == 2000
    with pytest.raises(ValueError, match="at least 1 ms"):
        length_ms(0.0004)
