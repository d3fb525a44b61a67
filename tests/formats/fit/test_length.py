"""What a file tells of the length of a workout is believed only where it can be, and where records and pauses allow it."""

from dataclasses import asdict

import numpy as np
import pytest

from ingest.demo.fit_encoder import ERA, LAP, Fit
from ingest.formats import fit
from ingest.formats.fit.recording import read_recording

START = 1_000_000_000


def recorded(*stretches: tuple[int, int]) -> Fit:
    """A record for every second of each stretch, between the presses of a timer."""
    file = Fit().file_id(created=START).timer(START, start=True)
    for a, b in stretches:
        for second in range(a, b):
            file.record(START + second, 120 + second % 7)
    return file.timer(START + stretches[-1][1], start=False)


def told(file: Fit) -> list[tuple[float, float | None, float | None, list[tuple[str, float, float]]]]:
    """Of each session its length, timer, how long it ran otherwise, and the doubts."""
    return [
        (
            float((s.end - s.start).astype(int)) / 1000,
            s.timer_s,
            s.ran_s,
            [(d.why, d.told_s, d.other_s) for d in s.doubts],
        )
        for s in fit.read(file.done()).sessions
    ]


def test_a_timer_that_agrees_is_the_length() -> None:
    """Good files stay as they are."""
    assert told(recorded((0, 600)).session(START, 600, timer=599.5)) == [(600, 599.5, None, [])]
    quiet = recorded((0, 100), (500, 600)).session(START, 600)
    assert told(quiet) == [(600, 600, None, [])], "a strap was silent, and the timer ran on"


@pytest.mark.parametrize(("timer", "why"), [(0, "zero"), (99_999, "longer"), (700, "longer")])
def test_a_timer_that_cannot_be(timer: float, why: str) -> None:
    """Protects lengths of workouts from a timer of nothing, or of more than there was."""
    file = recorded((0, 600)).session(START, 600, timer=timer)
    assert told(file) == [(600, None, 600, [(why, timer, 600)])]
    (fact,) = [f for f in read_recording(file.done()).facts if f.what == "session"]
    assert (fact.content["timer_s"], fact.content["ran_s"]) == (None, 600)
    assert fact.content["doubts"] == [{"why": why, "told_s": timer, "other_s": 600}]


def test_moving_time() -> None:
    """What was recorded counts where no stop tells which seconds the timer left out, and so the length is that of the records."""
    file = recorded((0, 1800)).session(START, 1800, timer=1200)
    assert told(file) == [(1800, None, 1800, [("recorded", 1200, 1800)])]


def test_a_timer_that_ran_in_pauses() -> None:
    """A pause in which nothing was recorded is no part of the length, whatever the timer tells."""
    file = Fit().timer(START, start=True)
    for second in (*range(600), *range(1200, 1800)):
        file.record(START + second, 120)
        if second == 599:
            file.timer(START + 600, start=False).timer(START + 1200, start=True)
    file.timer(START + 1800, start=False).session(START, 1800, timer=1800)
    assert told(file) == [(1800, None, 1200, [("paused", 1800, 1200)])]


def test_a_timer_that_ran_on_after_the_last_stop() -> None:
    """A program that closes its file a day later tells of no longer workout."""
    file = recorded((0, 600)).session(START, 86400)
    assert told(file) == [(86400, None, 600, [("paused", 86400, 600)])]
    assert told(recorded((0, 600)).session(START, 86400, timer=600)) == [(86400, 600, None, [])]


def test_pauses_without_a_timer_are_no_part_of_the_length() -> None:
    """A file without a session lasts as long as one with it: without its pauses."""
    file = Fit().timer(START, start=True)
    for second in (*range(600), *range(1200, 1800)):
        file.record(START + second, 120)
        if second == 599:
            file.timer(START + 600, start=False).timer(START + 1200, start=True)
    assert told(file.timer(START + 1800, start=False)) == [(1800, None, 1200, [])]


def test_laps_tell_the_timer_of_a_session_that_does_not() -> None:
    """A file without a session has the timers of its laps, and they are held against the records as any."""
    fields = (253, "uint32", START + 600), (2, "uint32", START), (7, "uint32", 600_000)
    for timer, expected in ((600, (600, 600, None, [])), (400, (600, None, 600, [("recorded", 400, 600)]))):
        assert told(recorded((0, 600)).message(LAP, *fields, (8, "uint32", timer * 1000), local=4)) == [
            expected
        ]


@pytest.mark.parametrize(("elapsed", "timer"), [(99_999, 600), (0, 600), (200, 600), (30 * 86400, 600)])
def test_a_length_that_cannot_be(elapsed: float, timer: float) -> None:
    """Protects workouts from a length past all that the file tells, of nothing, or shorter than its own timer."""
    file = recorded((0, 600)).session(START, elapsed, timer=timer, stamped=START + 600).activity(START + 640)
    assert told(file) == [(600, 600, None, [("elapsed", elapsed, 600)])]


def test_a_length_without_records_is_believed() -> None:
    """A swim whose file holds no records has no other length; its session may be stamped with its start."""
    swim = Fit().file_id(created=START).session(START, 1800, mean=130, highest=150, stamped=START)
    assert told(swim) == [(1800, 1800, None, [])]
    later = Fit().file_id(created=START).session(START, 99_999, mean=130, highest=150, stamped=START + 600)
    assert told(later) == [(600, None, 600, [("elapsed", 99_999, 600), ("longer", 99_999, 600)])]


def test_each_sport_of_a_file_by_itself() -> None:
    """Of several sports in one file each has a length of its own, whatever is wrong with another."""
    file = recorded((0, 1800)).session(START, 900, timer=600, sport=2).session(START + 900, 900, timer=99_999)
    assert told(file) == [
        (900, None, 900, [("recorded", 600, 900)]),
        (900, None, 900, [("longer", 99_999, 900)]),
    ]
    long = recorded((0, 1800)).session(START, 900, sport=2)
    long.session(START + 900, 99_999, timer=900, stamped=START + 1800)
    assert [length for length, *_ in told(long.activity(START + 1800))] == [900, 900]


def test_a_session_that_is_told_twice() -> None:
    """The same workout twice, with another timer: both are held against the same records."""
    file = recorded((0, 600)).session(START, 600).session(START, 600, timer=300)
    assert told(file) == [(600, 600, None, []), (600, None, 600, [("recorded", 300, 600)])]
    assert asdict(fit.LengthDoubt("recorded", 300, 600))["why"] == "recorded"


def test_laps_alone_are_a_workout() -> None:
    """Protects a swim of which a program writes the laps and nothing else: it holds a heart rate, and is kept with it."""
    read = fit.read(
        Fit()
        .file_id(4)
        .lap(START, 600, mean=120, highest=150)
        .lap(START + 600, 300, mean=150, highest=160)
        .done()
    )
    (swim,) = read.sessions
    assert (swim.start, swim.end) == (np.datetime64(START + ERA, "s"), np.datetime64(START + ERA + 900, "s"))
    assert (swim.bpm_mean, swim.bpm_max, swim.timer_s) == (130, 160, 900)
    assert "no heart rate" not in " ".join(read.notes)
    rested = Fit().file_id(4).lap(START, 600, mean=120).lap(START + 7200, 600, mean=140).done()
    assert fit.read(rested).sessions[0].timer_s == 1200
    assert fit.read(Fit().file_id(4).lap(START, 600).done()).sessions == ()


def test_without_a_session_laps_tell_how_long_it_was() -> None:
    """Protects the last seconds of old recordings that a program converted: their laps go on until the end, samples do not."""
    file = Fit().file_id(4)
    for i in range(10):
        file.record(START + 5 * i, 120)
    read = fit.read(file.lap(START, 50).done())
    assert read.sessions[0].end == read.series[0].end == np.datetime64(START + ERA + 50, "s")
