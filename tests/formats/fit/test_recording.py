"""What a FIT file becomes: chunks that hold all of it, and facts, under names that never change."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.demo.fit_encoder import ERA, day, workout
from ingest.errors import Unusable
from ingest.formats import fit
from ingest.formats.assembly import LONGEST_DAYS
from ingest.formats.fit import Beats, Claim, Device, FitFile, FitSeries, FitSession, Limits
from ingest.formats.fit.recording import to_recording
from ingest.journal import DAY_MS, Columns
from zones.series import TIMES
from zones.spans import Spans

WATCH = Device(
    "garmin", "fenix5", 1234, "activity", np.datetime64("2026-11-16T10:00:00", "ms"), sensor="wrist"
)


def moments(ms: list[int]) -> np.ndarray[tuple[int], np.dtype[np.datetime64]]:
    return np.array(ms, np.int64).view(TIMES)


def series(ms: list[int], kind: str = "activity", end: int | None = None) -> FitSeries:
    bpm = (np.array(ms, np.int64) // 7 % 200 + 30).astype(np.uint8)
    return FitSeries(kind, moments(ms), bpm, None if end is None else np.datetime64(end, "ms"))


def chunks(file: FitFile) -> list[Columns]:
    return [c for part in to_recording(file).parts for c in part.columns]


def bounds(c: Columns) -> tuple[int, int]:
    ms = [int(t[i].astype(np.int64)) for t in (c.series.times, c.beat_times) if len(t) for i in (0, -1)]
    return min(ms), max(ms)


STEPS = st.lists(
    st.one_of(st.integers(1, 90_000), st.integers(1, 3 * DAY_MS), st.integers(DAY_MS - 200_000, DAY_MS + 5)),
    max_size=40,
)
SPANS = st.lists(st.tuples(st.integers(0, 40 * DAY_MS), st.integers(0, 2 * DAY_MS)), max_size=6)


@given(
    first=st.integers(0, 1 << 41),
    steps=STEPS,
    beats=STEPS,
    pauses=SPANS,
    tail=st.none() | st.integers(-5, DAY_MS),
)
def test_the_chunks_together_are_the_file(
    first: int, steps: list[int], beats: list[int], pauses: list[tuple[int, int]], tail: int | None
) -> None:
    """Cut into days, a recording loses and doubles no sample, beat or pause, and no chunk is too long for the journal."""
    t = np.cumsum([first, *steps]).tolist()
    b = np.cumsum([first + 3, *beats]).tolist()
    s = series(t, end=None if tail is None else t[-1] + tail)
    stopped = Spans.pairs([(first + a, first + a + length) for a, length in pauses])
    rr = np.arange(len(b), dtype=np.float32)
    made = chunks(FitFile(series=(s,), beats=Beats(moments(b), rr), pauses=stopped, device=WATCH))

    def joined(columns: Iterable[Any]) -> Any:
        return np.concatenate(list(columns)).tolist()

    assert joined([c.series.times.astype(np.int64) for c in made]) == t
    assert joined([c.series.bpm for c in made]) == s.bpm.tolist()
    assert joined([c.beat_times.astype(np.int64) for c in made]) == b
    assert joined([c.rr_ms for c in made]) == rr.tolist()
    for c, following in zip(made, [*made[1:], None], strict=True):
        begin, last = bounds(c)
        assert last <= c.end_ms <= begin + DAY_MS
        assert following is None or c.end_ms <= bounds(following)[0], (
            "two chunks may not stand for one second"
        )
        here = Spans.of([begin], [c.end_ms])
        inside = (here.measure_ms + stopped.measure_ms) - (here | stopped).measure_ms
        again = (here.measure_ms + c.pauses.measure_ms) - (here | c.pauses).measure_ms
        assert inside == again, "a pause holds in every chunk that it reaches into"
        assert (c.pauses | stopped).measure_ms == stopped.measure_ms


def test_a_cut_costs_no_second() -> None:
    """At the cut the last sample of a day stands until the first of the next, as it would without a cut."""
    t = list(range(0, 2 * DAY_MS, 60_000))
    made = chunks(FitFile(series=(series(t, "monitoring"),), device=WATCH))
    assert len(made) == 3
    assert [a.end_ms for a in made[:-1]] == [bounds(b)[0] for b in made[1:]]


def test_the_end_is_that_of_the_file_or_a_usual_gap() -> None:
    """The last sample stands until the recording stopped; where no file says when, as long as its others usually do."""
    t = [0, 1000, 2000, 3000, 13_000]
    assert chunks(FitFile(series=(series(t, end=14_500),), device=WATCH))[-1].end_ms == 14_500
    assert chunks(FitFile(series=(series(t),), device=WATCH))[-1].end_ms == 14_000
    assert chunks(FitFile(series=(series(t, end=10 * DAY_MS),), device=WATCH))[-1].end_ms == 13_000 + 90_000
    assert chunks(FitFile(series=(series([5]),), device=WATCH))[-1].end_ms == 5


def test_a_lost_clock_makes_no_thousand_chunks() -> None:
    """A file whose samples are spread over more than 400 days is refused before it fills the journal with them."""
    t = [i * DAY_MS for i in range(LONGEST_DAYS)]
    assert len(chunks(FitFile(series=(series(t),), device=WATCH))) == LONGEST_DAYS
    with pytest.raises(Unusable, match="lost its clock"):
        to_recording(FitFile(series=(series([*t, LONGEST_DAYS * DAY_MS]),), device=WATCH))


def test_movement_belongs_to_the_all_day_series_and_pauses_to_the_workout() -> None:
    """In a file of both kinds a timer pause does not silence the night, nor does "no steps" void the workout."""
    both = (series([0, 1000]), series([0, 60_000], "monitoring"))
    file = FitFile(series=both, movement=Spans.of([0], [500]), pauses=Spans.of([200], [300]), device=WATCH)
    workout_, all_day = (p.columns[0] for p in to_recording(file).parts)
    assert (workout_.movement, workout_.pauses.measure_ms) == (None, 100)
    assert all_day.movement is not None
    assert (all_day.movement.measure_ms, all_day.pauses.measure_ms) == (500, 0)
    still = to_recording(FitFile(series=both[1:], device=WATCH)).parts[0].columns[0].movement
    assert still is not None, "a day without a step is a day on which none was seen, not one without a judge"
    assert len(still) == 0


def test_beats_without_heart_rate_are_kept() -> None:
    """A file of R-R intervals alone is a recording too."""
    made = to_recording(
        FitFile(beats=Beats(moments([1000, 2000]), np.array([900, 1000], np.float32)), device=WATCH)
    )
    assert (made.beats, made.samples, made.span_ms) == (2, 0, (1000, 2000))
    assert [p.kind for p in made.parts] == ["activity"]


@pytest.mark.parametrize(
    ("device", "kind", "name", "rank"),
    [
        (WATCH, "activity", "garmin-1234-activity", 2),
        (replace(WATCH, sensor="strap"), "activity", "garmin-1234-activity-strap", 1),
        (replace(WATCH, sensor="strap"), "monitoring", "garmin-1234-monitoring", 3),
        (replace(WATCH, serial=None), "activity", "garmin-fenix5-activity", 2),
        (Device("Wahoo Fitness", 'ELEMNT "B" ü', None), "activity", "wahoo_fitness-elemnt_b-activity", 2),
        (Device(), "monitoring", "watch-monitoring", 3),
    ],
)
def test_a_source_is_named_by_what_never_changes(device: Device, kind: str, name: str, rank: int) -> None:
    """Rows in every store carry this name for ever; a strap's heart rate is believed before the wrist's."""
    (part,) = to_recording(FitFile(series=(series([0, 1000], kind),), device=device)).parts
    assert (part.source, part.rank, part.kind) == (name, rank, kind)


def test_identity_is_of_the_recording_and_digest_of_its_heart() -> None:
    """Two copies of one recording are known as such; two recordings never are."""
    base = FitFile(series=(series([0, 1000]),), device=WATCH)
    a = to_recording(base)
    other_day = replace(WATCH, created=np.datetime64("2026-11-17T10:00:00", "ms"))
    assert to_recording(replace(base, notes=("a note",))).digest == a.digest
    assert to_recording(replace(base, series=(series([0, 1001]),))).digest != a.digest
    assert (
        to_recording(replace(base, beats=Beats(moments([1]), np.array([900], np.float32)))).digest != a.digest
    )
    assert to_recording(replace(base, device=other_day)).identity != a.identity
    assert to_recording(replace(base, device=replace(WATCH, file_type="monitoring_b"))).identity != a.identity
    assert to_recording(replace(base, faults=("cut off",))).identity == a.identity
    for unknown in (replace(WATCH, serial=None), replace(WATCH, serial=0), replace(WATCH, created=None)):
        assert to_recording(replace(base, device=unknown)).identity is None
    assert to_recording(FitFile(device=WATCH)).digest is None, (
        "files without a heart rate are not all the same one"
    )


def test_damage_and_remarks_are_told_as_sentences() -> None:
    """The owner reads what was wrong, and a fault alone makes a file damaged."""
    made = to_recording(
        FitFile(series=(series([0]),), device=WATCH, faults=("cut off: 3 bytes",), notes=("odd",), dropped=1)
    )
    assert (made.whole, made.remarks) == (
        False,
        "Cut off: 3 bytes; odd; left out as no heart rate: 1 value (1 below 30).",
    )
    assert to_recording(FitFile(series=(series([0]),), notes=("odd",))).whole
    assert to_recording(FitFile(series=(series([0]),))).remarks == ""


def test_facts_name_their_source_and_span() -> None:
    """Sessions, claims and limits are kept with the time they are about; a session of impossible length is not."""
    t0, t1 = np.datetime64(0, "ms"), np.datetime64(5000, "ms")
    file = FitFile(
        series=(series([1000, 2000]),),
        device=WATCH,
        sessions=(
            FitSession(t0, t1, "running", bpm_max=150),
            FitSession(t1, t0, "backwards"),
            FitSession(t0, np.datetime64(8 * DAY_MS, "ms"), "endless"),
        ),
        claims=(Claim(t0, t1, moderate_min=3),),
        limits=Limits(185, 50, None, "zones_target"),
    )
    facts = to_recording(file).facts
    assert [(f.what, f.start_ms, f.end_ms) for f in facts] == [
        ("session", 0, 5000),
        ("claim", 0, 5000),
        ("limits", 0, 0),
    ]
    assert [f.content.get("source") for f in facts[:2]] == ["garmin-1234-activity", "garmin-1234-monitoring"]
    assert [f.what for f in to_recording(replace(file, limits=Limits(None, 50, None, "x"))).facts] == [
        "session",
        "claim",
    ]


def test_real_bytes_become_a_recording() -> None:
    """From the bytes of a workout and of a day the recording has the samples that were written."""
    made = to_recording(fit.read(workout(1_100_000_000, [100, 110, 120], strap=True)))
    assert (made.samples, made.whole) == (3, True)
    assert made.span_ms == ((1_100_000_000 + ERA) * 1000, (1_100_000_002 + ERA) * 1000)
    assert [p.rank for p in made.parts] == [1]
    all_day = to_recording(fit.read(day(1_100_000_000, [60] * 1500)))
    assert [(p.kind, len(p.columns)) for p in all_day.parts] == [("monitoring", 2)]
