"""The recording in a FIT file: columns of its sources, and facts about spans of time."""

import re
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from ingest.formats.assembly import LONGEST_HOLD_MS, assemble_recording, split_columns
from ingest.formats.fit.decoder import read
from ingest.formats.fit.file import FitFile, FitSeries, FitSession
from ingest.formats.fit.notes import NO_SENSOR
from ingest.formats.recording import LONGEST_SESSION_MS, RANKS, Fact, Model, Part, Recording
from ingest.language import N_
from zones.series import TIMES, Series, median_gap_ms
from zones.spans import Spans


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
    remarks = [*file.faults, *file.notes]
    remarks += _left_out(file)
    recording = assemble_recording(
        parts,
        list(_facts(file, parts)),
        identity=_identity(file),
        whole=not file.faults and file.undated is None,
        remarks=remarks,
    )
    return replace(recording, model=_model(file))


def _left_out(file: FitFile) -> Iterator[str]:
    """What was thrown away, and apart from it what was never written."""
    thrown = file.dropped - file.unwritten
    # Zeros are either values that can be no heart rate or the word that there was no sensor, never both.
    if thrown and NO_SENSOR.format(n=file.dropped) not in file.notes:
        too_low = thrown - file.too_high
        words = _THROWN[bool(file.too_high), bool(too_low)][thrown != 1]
        yield words.format(n=thrown, high=file.too_high, low=too_low)
    if file.unwritten and file.series:
        words = (
            N_("{n} record was written without a heart rate")
            if file.unwritten == 1
            else N_("{n} records were written without a heart rate")
        )
        yield words.format(n=file.unwritten)


_THROWN = {
    (True, True): 2 * (N_("left out as no heart rate: {n} values ({high} above 230, {low} below 30)"),),
    (True, False): (
        N_("left out as no heart rate: {n} value ({high} above 230)"),
        N_("left out as no heart rate: {n} values ({high} above 230)"),
    ),
    (False, True): (
        N_("left out as no heart rate: {n} value ({low} below 30)"),
        N_("left out as no heart rate: {n} values ({low} below 30)"),
    ),
}
"""What is said of values that can be no heart rate, by whether any are too high and whether any are too low."""


def _identity(file: FitFile) -> str | None:
    """Equal for two copies of one recording: a watch makes one file of a type at a time."""
    d = file.device
    if not d.serial or d.created is None:
        return None
    return f"{d.manufacturer} {d.serial} {d.file_type} {int(d.created.astype(TIMES).astype(np.int64))}"


def _source(file: FitFile, kind: str) -> tuple[str, int]:
    """Name and rank of the source: the watch, what sort of file, and whether a chest strap fed it.

    A name that people can edit, such as that of the watch or the activity, is no part of it.
    """
    words = [*_device_words(file), kind]
    strapped = kind == "activity" and file.device.sensor == "strap"
    if strapped:
        words.append("strap")
    return _joined(words), RANKS["activity strap" if strapped else kind]


def _device_words(file: FitFile) -> list[str]:
    d = file.device
    return [d.manufacturer or "watch", str(d.serial) if d.serial else (d.product or "")]


def _joined(words: list[str]) -> str:
    plain = (re.sub(r"[^a-z0-9]+", "_", w.lower()).strip("_") for w in words)
    return "-".join(w for w in plain if w)


def _model(file: FitFile) -> Model | None:
    """The product, where the names of the sources hold a serial number in its place."""
    d = file.device
    return Model(_joined(_device_words(file)), d.product) if d.serial and d.product else None


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
            end_ms = last + min(median_gap_ms(ms) if len(ms) > 1 else 0, LONGEST_HOLD_MS)
        movement = file.movement if kind == "monitoring" else None
        pauses = file.pauses if kind == "activity" else Spans.none()
        name, rank = _source(file, kind)
        yield Part(name, kind, rank, list(split_columns(samples, end_ms, beat_times, rr, pauses, movement)))
    if file.derived is not None:
        yield _derived_part(file, file.derived)


def _derived_part(file: FitFile, derived: FitSeries) -> Part:
    """A source of its own, believed last: no sensor said so."""
    assert derived.end is not None
    none = np.empty(0, TIMES), np.empty(0, np.float32)
    columns = split_columns(derived.series, _ms(derived.end), *none, file.pauses, None)
    return Part(
        _joined([*_device_words(file), "activity", "derived"]), "activity", RANKS["derived"], list(columns)
    )


def _facts(file: FitFile, parts: list[Part]) -> Iterator[Fact]:
    source = {p.kind: p.source for p in parts}
    content: dict[str, Any]
    for s in file.sessions:
        a, b = _ms(s.start), _ms(s.end)
        if 0 <= b - a <= LONGEST_SESSION_MS:
            content = _session(s, source.get("activity", _source(file, "activity")[0]))
            if file.device.sensor == "wrist":
                content["sensor"] = "wrist"
            yield Fact("session", a, b, content)
    if file.undated is not None:
        yield Fact("undated", 0, 0, asdict(file.undated))
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
            "edges_from": check.edges_from,
            "rule": check.rule,
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
            "device": _joined(_device_words(file)),
        }
        if limits.by_age:
            content["by_age"] = True
        yield Fact("limits", min(starts), min(starts), content)


def _session(s: FitSession, source: str) -> dict[str, Any]:
    content: dict[str, Any] = {
        "source": source,
        "sport": s.sport,
        "sub_sport": s.sub_sport,
        "timer_s": s.timer_s,
        "bpm_mean": s.bpm_mean,
        "bpm_max": s.bpm_max,
    }
    if s.pauses is not None:
        content["pauses"] = {what: told for what, told in asdict(s.pauses).items() if told is not None}
    if s.ran_s is not None:
        content["ran_s"] = s.ran_s
    if s.doubts:
        content["doubts"] = [asdict(doubt) for doubt in s.doubts]
    if s.zone_s:
        content["watch_s"] = s.zone_s
    if s.zone_edges:
        content["watch_edges"] = s.zone_edges
    if s.zone_limits:
        content["watch_limits"] = s.zone_limits
    return content


def _ms(moment: np.datetime64) -> int:
    return int(moment.astype(TIMES).astype(np.int64))
