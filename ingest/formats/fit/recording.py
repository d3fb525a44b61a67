"""The recording in a FIT file: columns of its sources, and facts about spans of time."""

import hashlib
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from ingest.errors import Unusable
from ingest.formats.fit.decoder import read
from ingest.formats.fit.file import FitFile
from ingest.formats.recording import DAY_MS, LONGEST_SESSION_MS, RANKS, Columns, Fact, Part, Recording
from zones.series import TIMES, Series, median_gap_ms
from zones.spans import Spans

LONGEST_DAYS = 400
"""A file that speaks of more days than this has lost its clock."""

_LONGEST_HOLD_MS = 90_000
"""How long an all-day sample stands for at most; watches record about one a minute."""

_CHUNK_MS = DAY_MS - 2 * _LONGEST_HOLD_MS


def read_recording(data: bytes) -> Recording:
    """The recording in the bytes of a FIT file.

    Raises Unusable, and nothing else, for bytes that hold nothing to read, or whose times are spread too far.
    """
    return to_recording(read(data))


def to_recording(file: FitFile) -> Recording:
    """The recording in a FIT file.

    Raises Unusable when its times are spread over more days than anything can be worn.
    """
    parts = list(_parts(file))
    columns = [c for part in parts for c in part.columns]
    times = [t[[0, -1]].astype(np.int64) for c in columns for t in (c.series.times, c.beat_times) if len(t)]
    span = (int(min(t[0] for t in times)), int(max(t[1] for t in times))) if times else None
    remarks = [*file.faults, *file.notes]
    if file.dropped:
        remarks.append(
            f"left out as no heart rate: {file.dropped} {'value' if file.dropped == 1 else 'values'}"
        )
    return Recording(
        identity=_identity(file),
        digest=_digest(columns),
        whole=not file.faults,
        parts=parts,
        facts=list(_facts(file, parts)),
        samples=sum(len(c.series) for c in columns),
        beats=sum(len(c.beat_times) for c in columns),
        span_ms=span,
        remarks=_sentence(remarks),
    )


def _sentence(remarks: list[str]) -> str:
    """The remarks of the reader as one sentence."""
    text = "; ".join(remarks)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _identity(file: FitFile) -> str | None:
    """Equal for two copies of one recording: a watch makes one file of a type at a time."""
    d = file.device
    if not d.serial or d.created is None:
        return None
    return f"{d.manufacturer} {d.serial} {d.file_type} {int(d.created.astype(TIMES).astype(np.int64))}"


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


def _source(file: FitFile, kind: str) -> tuple[str, int]:
    """Name and rank of the source: the watch, what sort of file, and whether a chest strap fed it.

    A name that people can edit, such as that of the watch or the activity, is no part of it.
    """
    d = file.device
    words = [d.manufacturer or "watch", str(d.serial) if d.serial else (d.product or ""), kind]
    strapped = kind == "activity" and d.sensor == "strap"
    if strapped:
        words.append("strap")
    name = "-".join(re.sub(r"[^a-z0-9]+", "_", w.lower()).strip("_") for w in words if w)
    return name, RANKS["activity strap" if strapped else kind]


def _parts(file: FitFile) -> Iterator[Part]:
    beats_go_to = (
        "activity"
        if any(s.kind == "activity" for s in file.series) or not file.series
        else file.series[0].kind
    )
    series = {s.kind: s for s in file.series}
    if len(file.beats):
        series.setdefault(beats_go_to, None)  # type: ignore[arg-type]  # None: beats without heart rates
    for kind, s in series.items():
        samples = s.series if s is not None else Series.empty()
        with_beats = kind == beats_go_to
        beat_times = file.beats.times if with_beats else np.empty(0, TIMES)
        rr = file.beats.rr_ms if with_beats else np.empty(0, np.float32)
        if not len(samples) and not len(beat_times):
            continue
        if s is not None and s.end is not None:
            end_ms = int(s.end.astype(TIMES).astype(np.int64))
        else:
            # The file does not say: its last sample stands as long as the others of it usually do.
            ms = samples.times.astype(np.int64)
            last = int(ms[-1]) if len(ms) else int(beat_times[-1].astype(np.int64))
            end_ms = last + min(median_gap_ms(ms) if len(ms) > 1 else 0, _LONGEST_HOLD_MS)
        movement = file.movement if kind == "monitoring" else None
        pauses = file.pauses if kind == "activity" else Spans.none()
        name, rank = _source(file, kind)
        yield Part(name, kind, rank, list(_split(samples, end_ms, beat_times, rr, pauses, movement)))


def _split(
    samples: Series, end_ms: int, beat_times: Any, rr: Any, pauses: Spans, movement: Spans | None
) -> Iterator[Columns]:
    """Chunks of at most a day, cut also where nothing was recorded for that long."""
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
        end = int(min(max(end_ms, last), following, last + _LONGEST_HOLD_MS))
        here = Spans.of([int(first)], [max(end, int(last)) + 1])
        yield Columns(
            series=Series(samples.times[i:i2], samples.bpm[i:i2]),
            end_ms=end,
            beat_times=beat_times[j:j2],
            rr_ms=rr[j:j2],
            pauses=_within(pauses, here),
            movement=None if movement is None else _within(movement, here),
        )
        i, j, days = i2, j2, days + 1
        if days > LONGEST_DAYS:
            raise Unusable(
                f"Its times are spread over more than {LONGEST_DAYS} days: the watch had lost its clock."
            )


def _within(spans: Spans, here: Spans) -> Spans:
    some = (spans.end > here.start[0]) & (spans.start < here.end[0])
    return Spans.of(np.maximum(spans.start[some], here.start[0]), np.minimum(spans.end[some], here.end[0]))


def _facts(file: FitFile, parts: list[Part]) -> Iterator[Fact]:
    source = {p.kind: p.source for p in parts}
    content: dict[str, Any]
    for s in file.sessions:
        a, b = _ms(s.start), _ms(s.end)
        if not 0 <= b - a <= LONGEST_SESSION_MS:
            continue
        content = {
            "source": source.get("activity", _source(file, "activity")[0]),
            "sport": s.sport,
            "sub_sport": s.sub_sport,
            "timer_s": s.timer_s,
            "bpm_mean": s.bpm_mean,
            "bpm_max": s.bpm_max,
        }
        yield Fact("session", a, b, content)
    for c in file.claims:
        a, b = _ms(c.start), _ms(c.end)
        content = {
            "source": source.get("monitoring", _source(file, "monitoring")[0]),
            "end": b,
            "moderate_min": c.moderate_min,
            "vigorous_min": c.vigorous_min,
            "resting_bpm": c.resting_bpm,
        }
        yield Fact("claim", a, b, content)
    for check in file.checks:
        content = {
            "end": _ms(check.end),
            "edges": check.edges,
            "watch_s": check.watch_s,
            "ours_s": check.ours_s,
        }
        yield Fact("check", _ms(check.start), _ms(check.end), content)
    starts = [_ms(s.start) for s in file.sessions] + [_ms(s.times[0]) for s in file.series if len(s)]
    limits = file.limits
    if limits and limits.maximum_bpm and starts:
        content = {
            "maximum_bpm": limits.maximum_bpm,
            "resting_bpm": limits.resting_bpm,
            "threshold_bpm": limits.threshold_bpm,
            "origin": limits.origin,
        }
        yield Fact("limits", min(starts), min(starts), content)


def _ms(moment: np.datetime64) -> int:
    return int(moment.astype(TIMES).astype(np.int64))
