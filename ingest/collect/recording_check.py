"""Whether a recording that the reading process sent is one: fields of their types, columns of their lengths, times in order.

A process that a file has taken over can send anything; what is wrong here would break the daemon, or the journal, further on.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.formats.recording import KINDS, Columns, Fact, Model, Part, Recording
from zones.series import TIMES, Series
from zones.spans import Spans

FARTHEST_MS = 1 << 52
"""No time in the journal lies farther from 1970, in which all of them are numbers that JSON and floats hold, too."""

_FACTS = frozenset({"session", "claim", "limits", "check", "undated"})
_DEEPEST = 4


def check_recording(recording: Recording) -> None:
    """Raises ValueError for what is no recording."""
    try:
        _check(recording)
    except (AttributeError, TypeError, UnicodeError) as e:  # a field that is not there, a text that is none
        raise ValueError(f"no recording: {e}") from e


def _check(r: Recording) -> None:
    _require(r.identity is None or _is_text(r.identity), "identity")
    _require(r.digest is None or type(r.digest) is bytes, "digest")
    _require(type(r.whole) is bool and _is_text(r.remarks), "words")
    _require(_is_count(r.samples) and _is_count(r.beats), "counts")
    _require(r.span_ms is None or (type(r.span_ms) is tuple and _are_times(*r.span_ms)), "span")
    _require(
        r.model is None or (type(r.model) is Model and _is_text(r.model.device, r.model.product)), "model"
    )
    _require(type(r.parts) is list and type(r.facts) is list, "parts")
    for part in r.parts:
        _require(type(part) is Part and _is_text(part.source) and part.kind in KINDS, "part")
        _require(_is_count(part.rank) and type(part.columns) is list, "part")
        for columns in part.columns:
            _require(type(columns) is Columns and _are_columns(columns), "columns")
    for fact in r.facts:
        _require(
            type(fact) is Fact and fact.what in _FACTS and _are_times(fact.start_ms, fact.end_ms), "fact"
        )
        _require(type(fact.content) is dict and _is_plain(fact.content, _DEEPEST), "fact")


def _require(true: bool, what: str) -> None:  # noqa: FBT001
    if not true:
        raise ValueError(f"no {what}")


def _is_text(*values: Any) -> bool:
    return all(type(value) is str and value.encode() is not None for value in values)


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1 << 32


def _are_times(*values: Any) -> bool:
    return len(values) == 2 and all(type(v) is int and abs(v) < FARTHEST_MS for v in values)


def _is_plain(value: Any, depth: int) -> bool:
    """Whether it is what JSON holds, and no deeper than any fact."""
    if isinstance(value, dict):
        return depth > 0 and all(_is_text(k) and _is_plain(v, depth - 1) for k, v in value.items())
    if isinstance(value, list | tuple):
        return depth > 0 and all(_is_plain(v, depth - 1) for v in value)
    if type(value) is int:
        return abs(value) < FARTHEST_MS
    return value is None or isinstance(value, bool | float) or _is_text(value)


def _are_columns(c: Columns) -> bool:
    series = c.series
    return (
        type(series) is Series
        and _is_column(series.times, TIMES, len(series.bpm))
        and _is_column(series.bpm, np.dtype(np.uint8), len(series.times))
        and _is_column(c.beat_times, TIMES, len(c.rr_ms))
        and _is_column(c.rr_ms, np.dtype(np.float32), len(c.beat_times))
        and _ascends(series.times.view(np.int64))
        and _are_in_time(c.beat_times.view(np.int64))
        and _are_times(c.end_ms, c.end_ms)
        and all(s is None or _are_spans(s) for s in (c.movement, c.contact))
        and _are_spans(c.pauses)
    )


def _is_column(values: Any, dtype: np.dtype[Any], length: int) -> bool:
    return type(values) is np.ndarray and values.dtype == dtype and values.shape == (length,)


def _are_in_time(times: NDArray[np.int64]) -> bool:
    """Whether none is out of all time, as "no time" is."""
    return not len(times) or (int(times.min()) > -FARTHEST_MS and int(times.max()) < FARTHEST_MS)


def _ascends(times: NDArray[np.int64]) -> bool:
    return _are_in_time(times) and bool((times[1:] > times[:-1]).all())


def _are_spans(spans: Any) -> bool:
    return (
        type(spans) is Spans
        and _is_column(spans.start, np.dtype(np.int64), len(spans.end))
        and _is_column(spans.end, np.dtype(np.int64), len(spans.start))
        and _ascends(spans.start)
        and _ascends(spans.end)
        and bool((spans.end > spans.start).all())
    )
