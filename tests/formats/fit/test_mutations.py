"""Nothing that can happen to bytes makes the reader fail, hang, or tell of a heart that cannot be."""

import re
import time

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import Unusable
from ingest.formats import fit
from tests.fuzz.seeds import SEEDS
from tests.support import fit_reference

MUTATION = st.tuples(
    st.sampled_from(["flip", "cut", "insert", "double", "end", "join"]),
    st.integers(0, 10_000),
    st.integers(1, 60),
    st.binary(min_size=1, max_size=8),
)


def mutate(data: bytes, changes: list[tuple[str, int, int, bytes]]) -> bytes:
    for what, where, length, new in changes:
        i = where % (len(data) + 1)
        match what:
            case "flip":
                data = data[:i] + new[:1] + data[i + 1 :]
            case "cut":
                data = data[:i] + data[i + length :]
            case "insert":
                data = data[:i] + new + data[i:]
            case "double":
                data = data[: i + length] + data[i : i + length] + data[i + length :]
            case "end":
                data = data[:i]
            case "join":
                data += SEEDS[where % len(SEEDS)][: length * 20]
    return data


@settings(max_examples=1500)
@given(st.sampled_from(SEEDS), st.lists(MUTATION, min_size=1, max_size=6))
def test_mutated(seed: bytes, changes: list[tuple[str, int, int, bytes]]) -> None:
    """Only `Unusable` is raised, soon, and every sample is plausible and later than the one before."""
    data = mutate(seed, changes)
    begun = time.process_time()
    try:
        file = fit.read(data)
    except Unusable:
        return
    assert time.process_time() - begun < 1
    for series in file.series:
        assert len(series)
        assert (np.diff(series.times) > np.timedelta64(0, "ms")).all()
        assert series.bpm.min() >= 30
        assert series.bpm.max() <= 230
    assert (np.diff(file.beats.times) >= np.timedelta64(0, "ms")).all()
    truth = fit_reference.heart_rate(data)
    found = {
        s.kind: dict(zip(s.times.astype(np.int64).tolist(), s.bpm.tolist(), strict=True)) for s in file.series
    }
    # Of a damaged file times that damage made are left out, which the reference does not judge: no more than are told.
    strayed = sum(int(n) for note in file.notes for n in re.findall(r"^left out: (\d+) value", note))
    assert not strayed or file.faults
    wanted = {"activity": truth.activity(), "monitoring": truth.all_day()}
    others = [
        at
        for kind, times in wanted.items()
        for at in times.keys() | found.get(kind, {}).keys()
        if times.get(at) != found.get(kind, {}).get(at)
    ]
    assert len(others) <= strayed
    assert truth.dropped - strayed <= file.dropped <= truth.dropped


@given(st.binary(max_size=400))
def test_any_bytes_behind_a_header(body: bytes) -> None:
    """Bytes that were never a file behave no worse."""
    data = b"\x0c\x20\x54\x08" + len(body).to_bytes(4, "little") + b".FIT" + body
    try:
        fit.read(data)
    except Unusable:
        return
