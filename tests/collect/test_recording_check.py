"""What the daemon takes for a recording, and what a process that a file has taken over cannot pass off as one."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest.collect.recording_check import FARTHEST_MS, check_recording
from ingest.demo.fit_encoder import day, workout
from ingest.errors import Unusable
from ingest.formats.file_formats import read_recording
from ingest.formats.recording import Fact, Recording
from zones.series import TIMES, Series
from zones.spans import Spans

GOOD = read_recording(workout(1_100_000_000, [100, 120, 140, 150]))


def with_columns(**changed: Any) -> Recording:
    (part,) = GOOD.parts
    (columns,) = part.columns
    return replace(GOOD, parts=[replace(part, columns=[replace(columns, **changed)])])


def times(*ms: int) -> Any:
    return np.array(ms, np.int64).astype(TIMES)


def bpm(count: int) -> Any:
    return np.full(count, 100, np.uint8)


BAD: dict[str, Callable[[], Recording]] = {
    "half a character": lambda: replace(GOOD, remarks="\ud800"),
    "a number as identity": lambda: replace(GOOD, identity=7),  # type: ignore[arg-type]
    "less than nothing": lambda: replace(GOOD, samples=-1),
    "one end of a span": lambda: replace(GOOD, span_ms=(1,)),  # type: ignore[arg-type]
    "a time beyond all": lambda: replace(GOOD, span_ms=(0, FARTHEST_MS)),
    "another kind": lambda: replace(GOOD, parts=[replace(GOOD.parts[0], kind="strap'; --")]),
    "no parts": lambda: replace(GOOD, parts=None),  # type: ignore[arg-type]
    "a fact that nobody knows": lambda: replace(GOOD, facts=[Fact("profile", 1, 2, {})]),
    "a fact that is no JSON": lambda: replace(GOOD, facts=[Fact("session", 1, 2, {"a": b"bytes"})]),
    "a fact without end": lambda: replace(GOOD, facts=[Fact("session", 1, 2, {"a": [[[[[1]]]]]})]),
    "columns of two lengths": lambda: with_columns(series=Series(times(1, 2), bpm(3))),
    "columns of objects": lambda: with_columns(series=Series(np.array([1, "x"], object), bpm(2))),
    "times that go back": lambda: with_columns(series=Series(times(2, 1), bpm(2))),
    "no time": lambda: with_columns(series=Series(np.array(["NaT"], TIMES), bpm(1))),
    "a table for a column": lambda: with_columns(series=Series(times(1, 2).reshape(2, 1), bpm(2))),
    "spans that overlap": lambda: with_columns(pauses=Spans(np.array([1, 2]), np.array([9, 8]))),
    "no spans": lambda: with_columns(movement=3),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_no_recording_is_refused(what: str) -> None:
    """It would end the daemon, or be written into the journal, where nothing is ever edited."""
    check_recording(GOOD)
    with pytest.raises(ValueError, match="no "):
        check_recording(BAD[what]())


def test_a_field_that_is_missing_is_noticed() -> None:
    """A pickle need not set all that a record has."""
    with pytest.raises(ValueError, match="identity"):
        check_recording(Recording.__new__(Recording))


def test_what_watches_write_passes(fit_files: Path) -> None:
    """No good file is blamed for a check that is too strict."""
    check_recording(read_recording(day(1_100_000_000, [60, 110, 80, 255, 70] * 60)))
    for path in sorted(fit_files.glob("*.[fF][iI][tT]")):
        try:
            recording = read_recording(path.read_bytes())
        except Unusable:
            continue
        check_recording(recording)
