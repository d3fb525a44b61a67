"""Columns come back from their blobs exactly as they went in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.journal import columns as packed
from zones.series import TIMES

STEPS = st.lists(st.one_of(st.integers(0, 3000), st.integers(0, 0xFFFFFFFF)), max_size=200)


@given(first=st.integers(-(1 << 45), 1 << 45), steps=STEPS)
def test_times_come_back(first: int, steps: list[int]) -> None:
    """A sample's moment is its identity in every store: not a millisecond may change."""
    times = np.cumsum(np.array([first, *steps], np.int64)).view(TIMES)
    back = packed.unpack_times(packed.pack_times(times), first, len(times))
    assert back.dtype == TIMES
    assert (back == times).all()
    assert not back.flags.writeable


@given(st.binary(max_size=300))
def test_bpm_come_back(raw: bytes) -> None:
    """Any byte is kept, whether or not it can be a heart rate: the journal does not judge."""
    bpm = np.frombuffer(raw, np.uint8)
    back = packed.unpack_bpm(packed.pack_bpm(bpm))
    assert back.dtype == np.uint8
    assert back.tobytes() == raw
    assert not back.flags.writeable


@given(st.lists(st.floats(0, 65535, width=32), max_size=200))
def test_intervals_come_back(rr: list[float]) -> None:
    """R-R intervals keep every bit: variability is computed from their small differences."""
    column = np.array(rr, np.float32)
    back = packed.unpack_rr(packed.pack_rr(column))
    assert back.dtype == np.float32
    assert back.tobytes() == column.tobytes()


@given(st.lists(st.tuples(st.integers(-(1 << 62), 1 << 62), st.integers(-(1 << 62), 1 << 62)), max_size=50))
def test_spans_come_back(pairs: list[tuple[int, int]]) -> None:
    """Pauses and movement keep their milliseconds, far dates included."""
    start, end = (np.array([p[i] for p in pairs], np.int64) for i in (0, 1))
    back = packed.unpack_spans(packed.pack_spans(start, end))
    assert [b.tolist() for b in back] == [start.tolist(), end.tolist()]


@pytest.mark.parametrize("ms", [[5, 4], [0, 1 << 32], [0, 10, 9]])
def test_what_cannot_be_packed_is_refused(ms: list[int]) -> None:
    """Times that run backwards or jump by weeks would come back wrong; they never get in."""
    times = np.array(ms, np.int64).view(TIMES)
    with pytest.raises(ValueError, match="must ascend"):
        packed.pack_times(times)


def test_an_hour_is_small() -> None:
    """A card wears by what is written: an hour of a workout at 1 Hz takes less than 4 kB."""
    rng = np.random.default_rng(1)
    times = (np.arange(3600, dtype=np.int64) * 1000).view(TIMES)
    bpm = np.clip(120 + np.cumsum(rng.integers(-1, 2, 3600)), 40, 200).astype(np.uint8)
    assert len(packed.pack_times(times)) + len(packed.pack_bpm(bpm)) < 4000
