"""Pauses are the times between a stop of the timer and its next start, and nothing else."""

import numpy as np
import pytest

from ingest.demo.fit_encoder import ERA, Fit
from ingest.formats import fit

START = 1_000_000_000


def pauses(file: Fit) -> list[tuple[int, int]]:
    """(start, end) in seconds after START."""
    found = fit.read(file.done()).pauses
    base = (START + ERA) * 1000
    return [
        ((int(a) - base) // 1000, (int(b) - base) // 1000)
        for a, b in zip(found.start, found.end, strict=True)
    ]


def recording(*presses: tuple[int, bool], until: int = 100) -> Fit:
    file = Fit()
    for second in range(until + 1):
        file.record(START + second, 100)
    for at, start in presses:
        file.timer(START + at, start=start)
    return file


@pytest.mark.parametrize(
    ("presses", "expected"),
    [
        ((), []),
        (((0, True), (100, False)), []),
        (((0, True), (20, False), (30, True), (100, False)), [(20, 30)]),
        (((30, True), (0, True), (20, False)), [(20, 30)]),  # written out of their order
        (((0, True), (20, False), (25, False), (30, True)), [(20, 30)]),  # stopped twice
        (((0, True), (80, False)), [(80, 100)]),  # left open: until the last record
        (((5, True), (10, True), (100, False)), []),  # started late: before it nothing was paused
        (((50, False), (50, True)), []),
        (((50, True),), []),
    ],
)
def test_pauses(presses: tuple[tuple[int, bool], ...], expected: list[tuple[int, int]]) -> None:
    """Events count in order of their times, a second stop adds nothing, an open pause ends with the records."""
    assert pauses(recording(*presses)) == expected


@pytest.mark.parametrize(
    ("kind", "paused"), [(1, True), (4, True), (8, True), (9, True), (3, False), (5, False)]
)
def test_kinds_of_stops(kind: int, paused: bool) -> None:  # noqa: FBT001
    """All four ways to stop are stops; markers and the like are not."""
    file = recording((0, True)).timer(START + 40, start=False, kind=kind).timer(START + 60, start=True)
    assert pauses(file) == ([(40, 60)] if paused else [])


def test_events_of_others() -> None:
    """Only event 0 is the timer: a stop of the music is no pause."""
    file = recording((0, True))
    file.message(21, (253, "uint32", START + 10), (0, "enum", 9), (1, "enum", 1), local=2)
    assert pauses(file) == []


def test_samples_in_a_pause_are_kept() -> None:
    """A pause is told beside the samples, not cut out of them: how to count is not the reader's business."""
    found = fit.read(recording((0, True), (20, False), (30, True), (100, False)).done())
    assert len(found.series[0]) == 101
    assert found.series[0].end == np.datetime64((START + ERA + 100) * 1000, "ms")


@pytest.mark.parametrize(
    ("elapsed", "end_ms"), [(100.565, 100_565), (101.9, 101_900), (99.4, 100_000), (130.0, 100_000)]
)
def test_the_end_of_a_workout_is_told_finer_by_its_session(elapsed: float, end_ms: int) -> None:
    """Protects the last second: a press of stop is stamped with the whole second it fell into, a session is not."""
    file = recording((0, True), (100, False)).session(START, elapsed)
    assert fit.read(file.done()).series[0].end == np.datetime64((START + ERA) * 1000 + end_ms, "ms")
