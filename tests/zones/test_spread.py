"""What a watch did not write leaves a dose open, by so much and no more."""

from math import sqrt

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from zones.edges import Edges, Timeline
from zones.pieces import Pieces
from zones.spread import OpenTime, find_open_time, spread_min

ALWAYS = -(1 << 45)
LINE = Timeline.of([(ALWAYS, Edges.from_bpm(110, 140))])


def held(*rows: tuple[int, int], counts: bool = True) -> Pieces:
    """(seconds, bpm) one after the other, from 0 on."""
    lasts = np.array([seconds for seconds, _ in rows], np.int64) * 1000
    end = np.cumsum(lasts)
    bpm = np.array([bpm for _, bpm in rows], np.uint8)
    return Pieces(end - lasts, end, bpm, np.zeros(len(rows), np.int16), np.full(len(rows), counts))


def test_only_what_is_near_to_a_limit_is_open() -> None:
    """A heart rate two beats from a limit may have crossed it unseen; three beats, and the watch would have written."""
    near = [108, 109, 110, 111, 138, 141]
    far = [107, 112, 125, 137, 142, 200]
    found = find_open_time(held(*((12, bpm) for bpm in near + far)), LINE)
    assert found.dose_ms.tolist() == [11_000] * len(near)
    assert found.start_ms.tolist() == [12_000 * i for i in range(len(near))]


def test_every_second_leaves_nothing_open() -> None:
    """A watch that writes each second left nothing out, and what does not count or has no limits decides nothing."""
    assert find_open_time(held((1, 110), (1, 109), (1, 140)), LINE).squares == 0
    assert find_open_time(held((12, 110), counts=False), LINE).squares == 0
    assert find_open_time(held((12, 110)), Timeline.of([])).squares == 0
    assert find_open_time(Pieces.none(), LINE).squares == 0


def test_both_limits_at_once() -> None:
    """Where moderate and vigorous begin close together, a gap may be off by two minutes of dose for each of its own."""
    narrow = Timeline.of([(ALWAYS, Edges.from_bpm(110, 112))])
    assert find_open_time(held((12, 110)), narrow).dose_ms.tolist() == [22_000]


rows = st.lists(st.tuples(st.integers(1, 30), st.integers(60, 190)), max_size=60)


@given(rows, st.integers(0, 60))
def test_squares_of_parts_add_up(some: list[tuple[int, int]], at: int) -> None:
    """Days are counted apart and added: it makes no difference where a stretch is cut between two samples."""
    pieces = held(*some)
    whole = find_open_time(pieces, LINE)
    i = min(at, len(pieces))
    parts = [find_open_time(pieces.take(slice(i)), LINE), find_open_time(pieces.take(slice(i, None)), LINE)]
    joined = OpenTime.join(parts)
    assert joined.squares == sum(part.squares for part in parts) == whole.squares
    assert joined.start_ms.tolist() == whole.start_ms.tolist()
    border = int(pieces.start[i]) if i < len(pieces) else 10**9
    assert whole.between(0, border).squares == parts[0].squares


@given(rows)
def test_gaps_are_off_less_together_than_one_by_one(some: list[tuple[int, int]]) -> None:
    """A spread is never more than if all gaps were off the same way, nor less than the widest of them alone."""
    found = find_open_time(held(*some), LINE)
    spread_ms = spread_min(found.squares) * 60_000
    assert spread_ms <= found.dose_ms.sum() + 0.001
    assert spread_ms >= max(found.dose_ms.tolist(), default=0) - 0.001
    assert spread_ms == sqrt(found.squares)
