"""What watches record before their clock is set: kept, dated where the file tells how, and otherwise asked for."""

from collections.abc import Callable

import numpy as np
import pytest

from ingest.demo.fit_encoder import ERA, Fit
from ingest.formats import fit
from ingest.formats.fit.file import FitFile, FitSeries
from ingest.formats.fit.placed import place_file
from ingest.formats.fit.recording import to_recording

START = 1_100_000_000
COUNT = 5_000
"""What the watch had counted since power-on as it began."""

RR_MS = [500 + i * 7 % 23 for i in range(1200)]


def with_records(at: int) -> Fit:
    return Fit().file_id(created=at).timer(at, start=True).records(at, [110 + i % 9 for i in range(300)])


def intervals_beside_records(at: int) -> Fit:
    file = Fit().file_id(created=at)
    for i in range(300):
        file.record(at + i, None).hrv(*RR_MS[2 * i : 2 * i + 2])
    return file


def intervals_alone(at: int) -> Fit:
    file = Fit().file_id(created=at)
    for i in range(0, 600, 4):
        file.hrv(*RR_MS[i : i + 4])
    return file.session(at, 310)


def intervals_from_moments(at: int) -> Fit:
    file = Fit().file_id(created=at)
    for i in range(60):
        file.beat_intervals(at + 5 * i, RR_MS[10 * i : 10 * i + 10])
    return file


def good_intervals(at: int) -> Fit:
    file = Fit().file_id(created=at)
    for i in range(60):
        file.raw_bbi(at + 5 * i, [(ms, 1, 0) for ms in RR_MS[10 * i : 10 * i + 10]])
    return file


def all_day(at: int) -> Fit:
    file = Fit().file_id(32, created=at).monitoring_info(at).monitoring(at, (24, "byte", 8))
    for i in range(1, 1300):
        now = at + 60 * i
        if i % 7 == 0:
            file.monitoring(
                now, (24, "byte", 6 | 3 << 5), (3, "uint32", 20 * i), (4, "uint32", 60_000 * i), local=13
            )
        file.monitoring_bpm(now, 70 + i % 60)
    return file.monitoring_hr_data(at + 60 * 1300, today=55)


def all_day_each_second(at: int) -> Fit:
    file = Fit().file_id(32, created=at).monitoring_info(at)
    for i in range(10):
        file.hsa_heart_rate(at + 60 * i, [70 + (i + j) % 9 for j in range(60)])
    return file


def strap_memory(at: int) -> Fit:
    file = Fit().file_id(created=at).hr_anchor(at, 2_000, 100)
    for i in range(50):
        events = [2_000 + 900 * (8 * i + j + 1) for j in range(8)]
        file.hr_events(events, [100 + (i + j) % 9 for j in range(8)])
    return file


KINDS = (
    with_records,
    intervals_beside_records,
    intervals_alone,
    intervals_from_moments,
    good_intervals,
    all_day,
    all_day_each_second,
    strap_memory,
)


def told(file: FitFile) -> list[object]:
    """All that counts, and all that says how."""
    columns = [
        (s.kind, s.times.tolist(), s.bpm.tolist()) for s in (*file.series, file.derived) if s is not None
    ]
    beats = file.beats.times.tolist(), file.beats.rr_ms.tolist()
    movement = file.movement.start.tolist(), file.movement.end.tolist()
    return [columns, beats, movement, file.claims, file.sessions, file.faults]


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_waits_for_a_date_counts_as_if_the_clock_had_been_set(kind: Callable[[int], Fit]) -> None:
    """Protects everything that a watch without a date recorded: it is asked for, and with its date nothing of it differs."""
    data = kind(COUNT).done()
    file, right = fit.read(data), fit.read(kind(START).done())
    assert file.undated is not None
    assert not to_recording(file).whole, "it is not said to be stored with nothing in it"
    assert "hartslag clock" in "; ".join(file.notes)
    assert "tell no time" not in "; ".join(file.notes)
    samples = sum(len(s) for s in right.series) + len(right.derived or ())
    assert (file.undated.samples, file.undated.beats) == (samples, len(right.beats))
    assert samples
    placed = fit.read(place_file(data, COUNT, (START + ERA) * 1000))
    assert told(placed) == told(right)
    assert placed.undated is None
    assert to_recording(placed).samples == samples
    first = min(int(c[0].astype(np.int64)) for c in _columns(right) if len(c)) // 1000 - ERA
    assert file.undated.first_s == COUNT + first - START


@pytest.mark.parametrize("kind", [with_records, intervals_alone, all_day])
@pytest.mark.parametrize("reset", ["2000-01-01T00:05:00", "2000-12-30T00:00:00"])
def test_a_clock_that_was_reset_waits_for_a_date_as_one_that_was_never_set(
    kind: Callable[[int], Fit], reset: str
) -> None:
    """Protects a workout of today from a week of 1999: the year in which clocks begin anew is no date, and is asked for."""
    began = int(np.datetime64(reset, "s").astype(np.int64)) - ERA
    data = kind(began).done()
    file, right = fit.read(data), fit.read(kind(START).done())
    assert (sum(len(s) for s in file.series), len(file.beats), file.undated is not None) == (0, 0, True)
    assert told(fit.read(place_file(data, began, (START + ERA) * 1000))) == told(right)


def test_the_first_watches_have_a_date() -> None:
    """Protects old histories: what was written as FIT years afterwards counts when it says that it was."""
    began = int(np.datetime64("2001-01-01T00:00:00", "s").astype(np.int64)) - ERA
    file = fit.read(with_records(began).done())
    assert file.undated is None
    assert file.series[0].times[0] == np.datetime64("2001-01-01T00:00:00", "ms")


def _columns(file: FitFile) -> list[np.ndarray]:
    return [*(s.times for s in file.series), file.beats.times]


def test_a_correlation_is_no_stamp_of_the_day_beside_it() -> None:
    """Protects an all-day file that tells in its middle which date its count meant: what comes next still counts from power-on."""
    at = 3 * 65_536 + 1_000
    file = Fit().file_id(32, created=at).monitoring_info(at)
    for i in range(1, 5):
        file.monitoring_bpm(at + 60 * i, 60 + i)
    file.correlation(START, at)
    for i in range(5, 9):
        file.monitoring_bpm(at + 60 * i, 60 + i)
    (series,) = fit.read(file.done()).series
    assert _seconds(series) == [60 * i for i in range(1, 9)]


def _seconds(series: FitSeries) -> list[int]:
    return [int(ms) // 1000 - ERA - START for ms in series.times.astype(np.int64)]


def set_meanwhile(
    *, step: int = 1, stamped: int | None = None, paused: int = 0, stood: int = 0, counted: int = 900
) -> FitFile:
    """A workout of some 1,500 seconds whose clock was set in it: it is paused before that, or stands still untold."""
    file = Fit().file_id(created=COUNT).timer(COUNT, start=True)
    for second in range(0, counted, step):
        file.record(COUNT + second, 120 + second % 5)
    if paused:
        file.timer(COUNT + counted, start=False).timer(START + counted + paused, start=True)
    for second in range(counted + paused + stood, 1500, step):
        file.record(START + second, 120 + second % 5)
    if stamped is not None:
        file.session(COUNT, 1500, stamped=START + stamped)
    return fit.read(file.done())


def test_a_clock_that_is_set_while_every_second_is_recorded() -> None:
    """Protects the first part of a workout: what was counted before is dated to the second, and it is said by what."""
    file = set_meanwhile()
    (series,) = file.series
    assert _seconds(series) == [*range(1500)]
    assert "which follow each other second by second" in "; ".join(file.notes)
    assert (file.undated, to_recording(file).whole) == (None, True)
    (workout,) = file.sessions
    assert workout.end - workout.start == np.timedelta64(1499, "s")


@pytest.mark.parametrize("how", [{"step": 6}, {"paused": 60}])
def test_a_clock_that_is_set_between_two_records_is_told_by_the_workout(how: dict[str, int]) -> None:
    """Protects smart recordings and pauses: how long the workout tells that it lasted says when it began."""
    file = set_meanwhile(stamped=1500, **how)
    (series,) = file.series
    assert _seconds(series)[0] == 0
    assert _seconds(series)[-1] >= 1494
    assert "how long it tells that the workout lasted" in "; ".join(file.notes)
    (workout,) = file.sessions
    assert workout.start == np.datetime64((START + ERA) * 1000, "ms")


@pytest.mark.parametrize("stamped", [None, 1600])
def test_nothing_is_guessed_of_a_clock_that_was_set_in_the_middle(stamped: int | None) -> None:
    """Protects against a made-up moment: with no word, or that of a workout saved later, the part waits for its owner.

    The rest counts meanwhile.
    """
    file = set_meanwhile(step=6, stamped=stamped)
    (series,) = file.series
    assert _seconds(series) == [*range(900, 1500, 6)]
    assert file.undated is not None
    assert (file.undated.samples, file.undated.first_s, file.undated.last_s) == (150, COUNT, COUNT + 894)
    assert file.undated.before_ms == (START + 900 + ERA) * 1000
    assert "what was recorded before its clock was set is kept" in "; ".join(file.notes)
    assert not to_recording(file).whole


def test_nobody_is_asked_for_a_few_seconds() -> None:
    """Protects who tires quickly: some seconds without a date at the beginning of a workout need no hand."""
    file = set_meanwhile(step=6, counted=48)
    assert (file.undated, to_recording(file).whole) == (None, True)
    assert "8 values have no date" in "; ".join(file.notes)
