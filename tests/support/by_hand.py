"""The rules of zones/ once more, slowly: one millisecond after the other, in plain Python."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from zones.pieces import Pieces

Pair = tuple[int, int]


class Millisecond(NamedTuple):
    """What one millisecond holds."""

    bpm: int
    source: int
    counts: bool


def raw(samples: Any, unit: int = 1) -> Any:
    """Samples as they may come: any order, any bpm a byte holds."""
    t = np.array([t * unit for t, _ in samples], np.int64).view("datetime64[ms]")
    return SimpleNamespace(times=t, bpm=np.array([bpm for _, bpm in samples], np.uint8))


def hold(
    samples: Iterable[Pair], cap: int, pauses: Sequence[Pair] = (), ends: Sequence[int] = (), source: int = 0
) -> dict[int, Millisecond]:
    """Which heart rate stands for which millisecond."""
    kept = {t: bpm for t, bpm in samples if 30 <= bpm <= 230}
    times = sorted(kept)
    gaps = sorted(b - a for a, b in pairwise(times))
    held = {}
    for i, t in enumerate(times):
        stops = [e for e in ends if e >= t]
        until = t + cap
        if i + 1 < len(times):
            until = min(until, times[i + 1])
        elif not stops:
            until = min(until, t + (gaps[(len(gaps) - 1) // 2] if gaps else 0))
        if stops:
            until = min(until, *stops)
        for ms in range(t, until):
            if not any(a <= ms < b for a, b in pauses):
                held[ms] = Millisecond(kept[t], source, counts=True)
    return held


def by_millisecond(pieces: Pieces) -> dict[int, Millisecond]:
    """The same of pieces, which must be in order, not empty and not overlapping."""
    assert (pieces.end > pieces.start).all()
    assert (pieces.start[1:] >= pieces.end[:-1]).all()
    return {
        ms: Millisecond(bpm, source, counts)
        for start, end, bpm, source, counts in zip(
            *(c.tolist() for c in (pieces.start, pieces.end, pieces.bpm, pieces.source, pieces.counts)),
            strict=True,
        )
        for ms in range(start, end)
    }


moments = st.integers(-40, 360)
heart_rates = st.one_of(st.integers(95, 150), st.sampled_from([0, 29, 30, 60, 109, 131, 230, 231, 255]))
any_samples = st.lists(st.tuples(moments, heart_rates), max_size=60)
stretches = st.lists(st.tuples(moments, moments).map(lambda p: (min(p), max(p))), max_size=5)
caps = st.integers(1, 60)
