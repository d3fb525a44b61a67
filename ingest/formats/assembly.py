"""A recording put together from what any format holds: columns in chunks, a fingerprint, remarks as a sentence."""

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ingest.errors import Unusable
from ingest.formats.recording import DAY_MS, Columns, Fact, Part, Recording
from ingest.language import N_
from zones.series import Series
from zones.spans import Spans

LONGEST_DAYS = 400
"""A file that speaks of more days than this has lost its clock."""

LONGEST_HOLD_MS = 90_000
"""How long an all-day sample stands for at most; watches record about one a minute."""

_CHUNK_MS = DAY_MS - 2 * LONGEST_HOLD_MS


def assemble_recording(
    parts: list[Part], facts: list[Fact], *, identity: str | None, whole: bool, remarks: Sequence[str]
) -> Recording:
    """The recording of these parts and facts; `remarks` are clauses for a person, joined to a sentence.

    `identity` is equal for two copies of one recording, None where nothing tells; `whole` is False for a damaged file.
    """
    columns = [c for part in parts for c in part.columns]
    times = [t[[0, -1]].astype(np.int64) for c in columns for t in (c.series.times, c.beat_times) if len(t)]
    return Recording(
        identity=identity,
        digest=_digest(columns),
        whole=whole,
        parts=parts,
        facts=facts,
        samples=sum(len(c.series) for c in columns),
        beats=sum(len(c.beat_times) for c in columns),
        span_ms=(int(min(t[0] for t in times)), int(max(t[1] for t in times))) if times else None,
        remarks=_sentence(remarks),
    )


def _sentence(remarks: Sequence[str]) -> str:
    """The remarks of the reader as one sentence."""
    text = "; ".join(remarks)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _digest(columns: list[Columns]) -> bytes | None:
    """A fingerprint of all samples and beats, None when there are none."""
    if not columns:
        return None
    h = hashlib.sha256()
    for c in columns:
        for a in (c.series.times, c.series.bpm, c.beat_times, c.rr_ms):
            h.update(np.ascontiguousarray(a).view(np.uint8).data)
            h.update(b"|")
    return h.digest()


def split_columns(
    samples: Series,
    end_ms: int,
    beat_times: NDArray[np.datetime64],
    rr_ms: NDArray[np.float32],
    pauses: Spans,
    movement: Spans | None,
) -> Iterator[Columns]:
    """The columns of one source in chunks of at most a day, cut also where nothing was recorded for that long.

    The arguments are those of `Columns`, of any length. Raises Unusable when they lie in more than `LONGEST_DAYS` days.
    """
    t, b = samples.times.astype(np.int64), beat_times.astype(np.int64)
    days = 0
    i = j = 0
    while i < len(t) or j < len(b):
        first = min(t[i] if i < len(t) else np.inf, b[j] if j < len(b) else np.inf)
        until = int(first) + _CHUNK_MS
        i2, j2 = int(np.searchsorted(t, until)), int(np.searchsorted(b, until))
        last = max(t[i2 - 1] if i2 > i else first, b[j2 - 1] if j2 > j else first)
        following = min(t[i2] if i2 < len(t) else np.inf, b[j2] if j2 < len(b) else np.inf)
        # A recording goes on over the cut: its last sample here stands until the first one of the next chunk.
        end = int(min(max(end_ms, last), following, last + LONGEST_HOLD_MS))
        here = Spans.of([int(first)], [max(end, int(last)) + 1])
        yield Columns(
            series=Series(samples.times[i:i2], samples.bpm[i:i2]),
            end_ms=end,
            beat_times=beat_times[j:j2],
            rr_ms=rr_ms[j:j2],
            pauses=_within(pauses, here),
            movement=None if movement is None else _within(movement, here),
        )
        i, j, days = i2, j2, days + 1
        if days > LONGEST_DAYS:
            words = N_("Its times are spread over more than {days} days: the watch had lost its clock.")
            raise Unusable(words.format(days=LONGEST_DAYS))


def _within(spans: Spans, here: Spans) -> Spans:
    some = (spans.end > here.start[0]) & (spans.start < here.end[0])
    return Spans.of(np.maximum(spans.start[some], here.start[0]), np.minimum(spans.end[some], here.end[0]))
