"""Real recordings of real watches, read the same by everyone who reads them right."""

import csv
import datetime as dt
import io
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import fitdecode
import fitparse
import numpy as np
import pytest

from ingest.demo.fit_encoder import ERA
from ingest.errors import Unusable
from ingest.formats import fit
from tests.support import fit_reference
from tests.support.zone_comparison import OPEN_S, compare_with_truth, comparisons, spreads_of_thinned

REFUSED = {
    "._empty.fit": "AppleDouble",
    "empty.fit": "empty",
    "610464_no_defmsg.fit": "nothing before it defines",
}
DAMAGED = {
    "610464_bad_crc.fit": ("checksum",),
    "raw_run.fit": ("checksum",),
    "activity-settings-corruptheader.fit": ("83 bytes after its end",),
    "activity-unexpected-eof.fit": ("cut off",),
}
NO_DATE = {"antfs-dump.63.fit"}

STRANGE_TO_FITPARSE = {
    "coros_20251118.fit": "gives up at a field of an impossible size",
    "antfs-dump.63.fit": "takes counts from power-on for numbers",
    "610464_bad_crc.fit": "refuses a wrong header checksum",
}


def recordings(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() == ".fit":
            yield path.name, path.read_bytes()


def samples(data: bytes, kind: str) -> dict[int, int]:
    """Milliseconds since 1970 -> bpm."""
    parts = [s for s in fit.heart_rate(data).series if s.kind == kind]
    return {int(t): int(b) for s in parts for t, b in zip(s.times.astype(np.int64), s.bpm, strict=True)}


def test_every_file_ends_as_it_should(fit_files: Path) -> None:
    """Each is read, told damaged for a true reason, or refused with one."""
    for name, data in recordings(fit_files):
        if name in REFUSED:
            with pytest.raises(Unusable, match=REFUSED[name]):
                fit.read(data)
            continue
        file = fit.read(data)
        assert bool(file.faults) == (name in DAMAGED), (name, file.faults)
        for word in DAMAGED.get(name, ()):
            assert any(word in fault for fault in file.faults), (name, file.faults)
        assert fit.looks_whole(data) == (name not in DAMAGED), name
        assert bool(file.series) or file.notes or file.faults, name


def test_same_as_the_reference(fit_files: Path) -> None:
    """The fast reader and the plain one agree on every sample of every file."""
    for name, data in recordings(fit_files):
        if name in REFUSED:
            continue
        truth, file = fit_reference.heart_rate(data), fit.heart_rate(data)
        assert samples(data, "activity") == truth.activity(), name
        assert samples(data, "monitoring") == truth.all_day(), name
        assert (file.dropped, file.undated) == (truth.dropped, truth.undated), name


def test_as_many_as_the_index_says(fit_files: Path) -> None:
    """The counts of an independent reader, written beside the files, are the counts we find."""
    with (fit_files / "INDEX.csv").open(encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            name = row["file"]
            data = (fit_files / name).read_bytes()
            if name in REFUSED:
                continue
            truth = fit_reference.heart_rate(data)
            dropped_here = truth.dropped + truth.undated
            with_monitoring = int(row["monitoring_with_hr"] or 0)
            assert with_monitoring - truth.dropped <= len(truth.monitoring) <= with_monitoring, name
            assert (
                len(truth.record) <= int(row["records_with_hr"] or 0) <= len(truth.record) + dropped_here
            ), name


def test_records_same_as_fitparse(fit_files: Path) -> None:
    """Wherever fitparse reads record heart rates, ours are the same."""
    compared = 0
    for name, data in recordings(fit_files):
        if name in REFUSED or name in STRANGE_TO_FITPARSE:
            continue
        theirs: dict[int, int] = {}
        fitparse.records.DEV_TYPES.clear()
        try:
            for message in fitparse.FitFile(io.BytesIO(data)).get_messages("record"):
                keep(theirs, message.get_value("timestamp"), message.get_value("heart_rate"))
        except fitparse.FitParseError:
            assert name in DAMAGED, name
        assert dict(fit_reference.heart_rate(data).record) == theirs, name
        if not fit_reference.heart_rate(data).memory:
            assert samples(data, "activity") == dict(sorted(theirs.items())), name
        compared += bool(theirs)
    assert compared >= 25


def test_records_same_as_fitdecode(fit_files: Path) -> None:
    """Wherever fitdecode reads record heart rates, ours are the same; COROS files included."""
    compared = 0
    for name, data in recordings(fit_files):
        if name in REFUSED or name in NO_DATE:
            continue
        theirs: dict[int, int] = {}
        try:
            with fitdecode.FitReader(
                io.BytesIO(data),
                check_crc=fitdecode.CrcCheck.DISABLED,
                error_handling=fitdecode.ErrorHandling.IGNORE,
            ) as reader:
                for frame in reader:
                    if frame.frame_type == fitdecode.FIT_FRAME_DATA and frame.name == "record":
                        time = frame.get_value("timestamp", fallback=None)
                        keep(theirs, time, frame.get_value("heart_rate", fallback=None))
        except fitdecode.FitError:
            assert name in DAMAGED, name
        if not fit_reference.heart_rate(data).memory:
            assert samples(data, "activity") == dict(sorted(theirs.items())), name
        compared += bool(theirs)
    assert compared >= 25


def keep(series: dict[int, int], time: object, bpm: object) -> None:
    """A sample as the others give it; the last word on a second counts, as everywhere."""
    if isinstance(time, dt.datetime) and isinstance(bpm, int) and 30 <= bpm <= 230:
        utc = time if time.tzinfo else time.replace(tzinfo=dt.UTC)
        series[round(utc.timestamp()) * 1000] = bpm


NO_SAMPLES = {"flagged-hr.fit"}
"""2068 of 2209 values are above 230 and no samples here; the watch counted them as zone 6."""


def test_the_watch_at_full_rate(fit_files: Path) -> None:
    """Seconds per zone are the watch's, but for what its zones and its own timer are apart (up to two seconds a lap)."""
    compared = [v for v in comparisons(fit_files) if v.full_rate]
    assert {v.file for v in compared if not v.comparable} == NO_SAMPLES
    compared = [v for v in compared if v.comparable]
    assert len(compared) >= 5
    for v in compared:
        assert v.check.deviation <= v.watch_against_itself + v.before_the_first + 0.0006, v
    beyond = [v.check.deviation - v.watch_against_itself - v.before_the_first for v in compared]
    assert median(beyond) < 0.0002  # the bar is 0.0005, and 0.005 for nine of ten
    assert np.quantile(beyond, 0.9) < 0.001
    assert median(v.check.deviation - v.before_the_first for v in compared) < 0.0025


def test_the_watch_recording_smartly(fit_files: Path) -> None:
    """The watch saw every second and wrote one of five to twelve: its zones lie within what those leave open."""
    compared = [v for v in comparisons(fit_files) if not v.full_rate]
    assert len(compared) >= 7
    for v in compared:
        least, most = v.left_open()
        watch = np.array(v.check.watch_s)
        assert (least - 2 <= watch).all(), v  # two seconds: each border of a zone is stamped in whole ones
        assert (watch <= most + 2).all(), v
        assert v.check.deviation < 0.07, v
    assert median(v.check.deviation for v in compared) < 0.019


def test_what_smart_recording_leaves_open_holds_the_difference(fit_files: Path) -> None:
    """Protects who reads "143 to 156" from a span that is made up: watches that counted each second lie within it."""
    real = [
        pair for v in comparisons(fit_files) if not v.full_rate for pair in v.spread() if pair[1] >= OPEN_S
    ]
    assert len(real) >= 8
    for off, spread in real:
        assert abs(off) <= spread, (off, spread)
    made = [pair for every_s in (5, 9, 12) for pair in spreads_of_thinned(fit_files, every_s, OPEN_S)]
    assert len(made) >= 100
    assert sum(abs(off) <= spread for off, spread in made) >= 0.97 * len(made)
    # Nor is it so wide that it would say nothing.
    assert median(abs(off) / spread for off, spread in made) > 0.15


def test_a_sample_stands_until_the_next_one(fit_files: Path) -> None:
    """Recordings of every second, thinned as a watch does it, tell: hardly worse than a line, which knows the future."""
    off = {name: median(each) for name, each in compare_with_truth(fit_files, 9).items()}
    assert off["until the next"] < off["before it"]
    assert off["until the next"] < 1.25 * off["straight line"]
    assert off["until the next"] < 0.015


def test_known_files(fit_files: Path) -> None:
    """A few files whose contents are known otherwise."""
    swim = fit.read((fit_files / "68270818303.fit").read_bytes())
    assert swim.device.sensor == "strap"
    assert len(swim.series[0]) > 5000
    assert swim.sessions[0].sport == "swimming"
    paused = fit.read((fit_files / "Fenix-2-pauses.fit").read_bytes())
    assert paused.pauses.measure_ms == 235_000
    assert len(fit.read((fit_files / "HRV-example.fit").read_bytes()).beats) > 100
    day = fit.read((fit_files / "79AL4600.FIT").read_bytes())
    assert day.claims[0].resting_bpm == 62
    assert day.dropped == 17
    assert str(day.series[0].times[0]) == "2017-09-10T08:33:00.000"
    assert ERA == 631065600
