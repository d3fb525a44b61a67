"""A pause is believed only where the samples and the watch's own timers allow it."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.demo.fit_encoder import ERA, EVENT, INVALID_TIME, LAP, Fit
from ingest.formats import fit
from ingest.formats.fit.recording import read_recording
from zones.spans import Spans

START = 1_000_000_000
ELSEWHERE = 9
"""Another local number than that of other presses: with a field more, another definition."""

Stretch = tuple[int, int]


def counted_s(file: Fit) -> float:
    """Seconds that samples stand for outside of pauses: until the next one, for thirty at most."""
    found = fit.read(file.done())
    (series,) = found.series
    t: list[int] = series.times.astype(np.int64).tolist()
    assert series.end is not None
    t.append(max(int(series.end.astype(np.int64)), t[-1]))
    paused = found.pauses
    return (
        sum(min(b - a, 30_000) - paused.clip(a, min(b, a + 30_000)).measure_ms for a, b in pairwise(t)) / 1000
    )


def recorded(*stretches: Stretch, step: int = 1) -> Fit:
    """A record every `step` seconds of each stretch."""
    file = Fit()
    for a, b in stretches:
        for second in range(a, b, step):
            file.record(START + second, 120)
    return file


def pressed(file: Fit, *presses: tuple[int, int]) -> Fit:
    """Presses of the timer: (second, event_type), of which 0 starts."""
    for second, kind in presses:
        file.timer(START + second, start=kind == 0, kind=kind)
    return file


def lap(file: Fit, begins: int, length: int, timer: int) -> Fit:
    """A lap of so many seconds, of which its timer ran for some."""
    return file.message(
        LAP,
        (253, "uint32", START + begins + length),
        (2, "uint32", START + begins),
        (7, "uint32", length * 1000),
        (8, "uint32", timer * 1000),
        local=4,
    )


def seconds_of(spans: Spans) -> list[Stretch]:
    """Spans in seconds from START on."""
    return [
        (a // 1000 - START - ERA, b // 1000 - START - ERA)
        for a, b in zip(spans.start, spans.end, strict=True)
    ]


def reading(file: Fit) -> str | None:
    """How the presses of the only session were read."""
    (session,) = fit.read(file.done()).sessions
    return None if session.pauses is None else session.pauses.reading


@pytest.mark.parametrize("stop", [1, 4, 8, 9])
def test_stops_and_never_a_start(stop: int) -> None:
    """Protects a ride on a home trainer, whose program writes only stops, whatever sort of them."""
    ride = pressed(recorded((0, 1800)), (0, stop), (1800, stop)).session(START, 1800)
    assert counted_s(ride) == 1800
    rests = [(0, stop), (300, stop), (600, stop), (1200, stop)]
    rested = pressed(recorded((0, 300), (400, 600), (700, 1200)), *rests).session(START, 1200, timer=1000)
    assert counted_s(rested) == 1000


@pytest.mark.parametrize("timer", [True, False])
@pytest.mark.parametrize("step", [1, 7])
def test_a_start_that_is_missing(step: int, timer: bool) -> None:  # noqa: FBT001
    """Protects all that follows a lost start, with and without a session's timer, recorded every second or smartly."""
    file = recorded((0, 301), (350, 1001), (1100, 2001), step=step)
    pressed(file, (0, 0), (300, 4), (1000, 4), (1100, 0), (2000, 4))
    if timer:
        file.session(START, 2000, timer=1850)
    assert abs(counted_s(file) - 1850) <= step


def test_a_stop_that_is_missing() -> None:
    """Of two starts with silence before the second, the stop between them was where the samples ended."""
    file = pressed(recorded((0, 300), (320, 600)), (0, 0), (320, 0), (600, 4))
    file.timer(START + 600, start=False).session(START, 600, timer=580)
    assert counted_s(file) == 580
    twice = pressed(recorded((0, 600)), (0, 0), (300, 0), (600, 4)).session(START, 600)
    assert counted_s(twice) == 600


@pytest.mark.parametrize(("first", "paused"), [("stop", False), ("start", True)])
def test_a_stop_and_a_start_in_one_second(first: str, paused: bool) -> None:  # noqa: FBT001
    """Protects the order of presses within a second, which only their places in the file tell."""
    file = pressed(recorded((0, 200), (400, 600)), (0, 0))
    stop, start = ((4, 2), (0, ELSEWHERE))
    for kind, local in (stop, start) if first == "stop" else (start, stop):
        more = ((3, "uint32", 0),) if local == ELSEWHERE else ()
        fields = (253, "uint32", START + 200), (0, "enum", 0), (1, "enum", kind)
        file.message(EVENT, *fields, *more, local=local)
    pressed(file, (400, 0), (600, 4))
    assert bool(len(fit.read(file.done()).pauses)) == paused


@pytest.mark.parametrize("with_laps", [True, False])
def test_a_start_that_is_missing_while_samples_went_on(with_laps: bool) -> None:  # noqa: FBT001
    """Of a watch that records in its pauses the timer tells when a lost start was: the stop before it tells where the pause began."""
    file = pressed(recorded((0, 1800)), (0, 0), (600, 4), (1800, 4))
    if with_laps:
        lap(lap(file, 0, 900, 600), 900, 900, 600)
    file.session(START, 1800, timer=1200)
    found = fit.read(file.done()).pauses
    assert seconds_of(found) == [(600, 1200)]
    assert reading(file) == "timed"
    alone = pressed(recorded((0, 1800)), (0, 0), (600, 4), (1800, 4))
    assert seconds_of(fit.read(lap(lap(alone, 0, 900, 600), 900, 900, 600).done()).pauses) == [(600, 1200)]


def test_a_stop_that_is_missing_while_samples_went_on() -> None:
    """The same of a lost stop: the start behind it tells where the pause ended."""
    file = pressed(recorded((0, 1800)), (0, 0), (1200, 0), (1800, 4)).session(START, 1800, timer=1500)
    assert seconds_of(fit.read(file.done()).pauses) == [(900, 1200)]


def test_two_starts_that_are_missing_while_samples_went_on() -> None:
    """Nobody knows how two pauses shared what the timer leaves, so all that was recorded counts; laps may tell it of each."""
    lost = [(0, 0), (300, 4), (900, 4), (1800, 4)]
    assert counted_s(pressed(recorded((0, 1800)), *lost).session(START, 1800, timer=1200)) == 1800
    file = lap(lap(pressed(recorded((0, 1800)), *lost), 0, 600, 300), 600, 1200, 900)
    assert seconds_of(fit.read(file.session(START, 1800, timer=1200).done()).pauses) == [
        (300, 600),
        (900, 1200),
    ]


def test_a_trainer_whose_stops_tell_nothing_and_whose_timer_moves() -> None:
    """Stops of a program that never starts are no evidence of where its "moving time" stood still."""
    file = pressed(recorded((0, 1800)), (0, 4), (600, 4), (1800, 4)).session(START, 1800, timer=1200)
    assert counted_s(file) == 1800


def test_pauses_that_no_press_tells_of() -> None:
    """Where nothing was recorded for as long as the timer stood still, that was a pause, though no stop tells of it."""
    file = recorded((0, 301), (340, 700), (750, 1000)).session(START, 1000, timer=911)
    assert seconds_of(fit.read(file.done()).pauses) == [(301, 340), (700, 750)]
    assert reading(file) == "unpressed"
    lost = recorded((0, 301), (340, 700), (750, 1000)).session(START, 1000)
    assert not len(fit.read(lost.done()).pauses), "a strap was silent, and the timer ran on"


@pytest.mark.parametrize("many", [3, 44])
def test_stops_whose_second_still_ran(many: int) -> None:
    """A watch that stamps each stop with the second it is in (COROS) counts that second; many pauses add up."""
    moved = [(n * 160, n * 160 + 121) for n in range(many)]
    presses = [press for a, b in moved for press in ((a, 0), (b - 1, 4))]
    file = pressed(recorded(*moved), *presses).session(START, 160 * many - 39, timer=121 * many)
    assert counted_s(file) == 121 * many
    assert reading(file) == "late"
    usual = pressed(recorded(*moved), *presses).session(START, 160 * many - 40, timer=120 * many)
    assert reading(usual) == "told"


def test_a_stop_before_the_first_record() -> None:
    """A timer that was stopped before anything was recorded had started again by then."""
    assert counted_s(pressed(recorded((60, 660)), (0, 4), (660, 4)).session(START + 60, 600)) == 600


@pytest.mark.parametrize("timer", [True, False])
@pytest.mark.parametrize(
    ("ran", "presses"),
    [
        (1790, ((0, 0), (1790, 4), (1800, 4))),
        (1790, ((0, 0), (1790, 4), (1800, 0), (1800, 4))),
        (600, ((0, 0), (600, 4), (1800, 0), (1800, 4))),
        (600, ((0, 0), (600, 4), (1800, 4))),
        (1500, ((0, 0), (500, 4), (500, 0), (1500, 4), (1510, 4), (1800, 4))),
        (1500, ((1500, 4), (1800, 4))),
    ],
)
def test_a_pause_that_lasts_to_the_last_stop(
    ran: int,
    presses: tuple[tuple[int, int], ...],
    timer: bool,  # noqa: FBT001
) -> None:
    """Protects minutes from what nobody recorded: between a stop and the one that ended the workout no sample stands on."""
    file = pressed(recorded((0, ran)), *presses).session(START, 1800, timer=ran if timer else 1800)
    recording = fit.read(file.done())
    assert counted_s(file) == ran
    assert seconds_of(recording.pauses) == [(ran, 1800)]
    if timer:
        (session,) = recording.sessions
        assert (session.timer_s, session.doubts, recording.notes) == (ran, (), ())


def test_a_pause_open_at_the_end_after_many() -> None:
    """Protects a workout with a watch that pauses by itself, and did so once more before it was ended."""
    begins = range(0, 1800, 60)
    file = recorded(*((a, a + 50) for a in begins))
    presses = [press for a in begins for press in ((a, 0), (a + 50, 4))]
    file = pressed(file, *presses, (1800, 4)).session(START, 1800, timer=1500)
    recording = fit.read(file.done())
    assert (counted_s(file), recording.pauses.measure_ms, recording.notes) == (1500, 300_000, ())


def test_a_stop_long_after_the_workout_silences_nothing_else() -> None:
    """Protects what a watch records later from a pause that is told to last for years: it ends with its workout."""
    later = pressed(recorded((0, 600)), (0, 0), (600, 4), (99_999_999, 4)).session(START, 1200, timer=600)
    assert seconds_of(fit.read(later.done()).pauses) == [(600, 1200)]


def test_what_a_strap_remembers_of_the_time_behind_the_last_stop() -> None:
    """Protects heart rate that was measured while the watch was off: the stop that ended the workout begins no pause."""
    file = pressed(recorded((0, 600)), (0, 0), (600, 4)).session(START, 600)
    for second in range(590, 644, 9):
        file.hr_anchor(START + second, 1024, 150).hr_events([1024 * (2 + i) for i in range(8)], [150] * 8)
    recording = fit.read(file.done())
    assert (seconds_of(recording.pauses), recording.notes) == ([], ())
    assert counted_s(file) == 643


def test_a_stop_after_which_the_watch_recorded_to_the_end() -> None:
    """Protects the rule that a pause is none of the minutes: its last second is one of it too."""
    file = pressed(recorded((0, 1800)), (0, 0), (600, 4)).session(START, 1800, timer=600)
    assert (counted_s(file), seconds_of(fit.read(file.done()).pauses)) == (600, [(600, 1800)])


def test_each_workout_of_a_file_by_itself() -> None:
    """Protects the second workout of a file: the stop after the first one is not all that is known of it."""
    file = pressed(recorded((0, 600), (660, 1260)), (0, 0), (600, 4), (1260, 4))
    file.session(START, 600).session(START + 660, 600, sport=2)
    assert counted_s(file) == 1200
    found = fit.read(file.done())
    assert [s.pauses for s in found.sessions] == [
        None,
        fit.PauseVerdict("mended", by_timer=True, told_s=600.0, believed_s=0.0),
    ]


@pytest.mark.parametrize("between", [1800, 20, 0])
@pytest.mark.parametrize("written_on", [0, 5])
def test_two_workouts_of_a_file_without_a_press_between_them(between: int, written_on: int) -> None:
    """Protects the end of a workout: its last heart rate stood on for half a minute behind it where another one followed."""
    begins = 600 + between
    first = 600 + min(written_on, between)
    file = recorded((0, first), (begins, begins + 600)).session(START, 600)
    assert counted_s(file.session(START + begins, 600)) == first + 600


def test_a_chain_of_pauses() -> None:
    """Pauses that a watch made by itself, one after the other, each count; a start that is lost costs no more than its own."""
    moved = [(n * 60, n * 60 + 48) for n in range(40)]
    presses = [press for a, b in moved for press in ((a, 0), (b, 4))]
    whole = pressed(recorded(*moved), *presses).session(START, 2388, timer=40 * 48)
    assert counted_s(whole) == 40 * 48
    presses.remove((600, 0))
    without = pressed(recorded(*moved), *presses).session(START, 2388, timer=40 * 48)
    assert abs(counted_s(without) - 40 * 48) <= 2


def test_a_press_without_a_time() -> None:
    """A press without a time was where it stands in the file: a start before what follows, a stop after what went before."""
    file = pressed(recorded((0, 301)), (0, 0))
    for kind, until in ((4, 400), (0, 700)):
        file.timer(INVALID_TIME, start=kind == 0, kind=kind)
        for second in range(400, until, 1):
            file.record(START + second, 120)
    assert seconds_of(fit.read(pressed(file, (700, 4)).done()).pauses) == [(300, 400)]


@pytest.mark.parametrize("ahead", [3600, 30 * 86400])
@pytest.mark.parametrize("timer", [True, False])
def test_a_start_out_of_the_future(ahead: int, timer: bool) -> None:  # noqa: FBT001
    """Protects the rest of a workout from a start with a wrong clock: it would silence all until then."""
    file = pressed(recorded((0, 300), (400, 900)), (0, 0), (300, 4), (400 + ahead, 0), (900, 4))
    if timer:
        file.session(START, 900, timer=800)
    assert counted_s(file) == 800


def test_a_watch_that_records_in_its_pauses() -> None:
    """Heart rate in a pause counts nowhere if the watch's own timer stood still, or if its zones or laps say so."""
    paused = [(0, 0), (200, 4), (500, 0), (600, 4), (800, 0), (1000, 4)]
    own = pressed(recorded((0, 1000)), *paused).session(START, 1000, timer=500)
    zones = pressed(recorded((0, 1000)), *paused).session(START, 1000)
    zones.time_in_zone(START + 1000, [100, 150], [0, 500, 0])
    nothing = pressed(recorded((0, 1000)), *paused)
    for file in (own, zones, nothing):
        assert counted_s(file) == 500
    assert reading(own) == "told"


def test_pauses_in_which_heart_rate_and_the_timer_went_on() -> None:
    """Protects moved minutes from stops and starts that neither the records nor the timer know of."""
    paused = [(0, 0), (200, 4), (500, 0), (600, 4), (800, 0), (1000, 4)]
    assert counted_s(pressed(recorded((0, 1000)), *paused).session(START, 1000)) == 1000
    # One of the two was a rest: nothing was recorded.
    rested = pressed(recorded((0, 200), (500, 1000)), *paused).session(START, 1000, timer=700)
    assert counted_s(rested) == 700


@pytest.mark.parametrize("timer", [0, 4294967.295, 40, 5000])
def test_a_timer_that_counted_something_else(timer: float) -> None:
    """Samples decide where the session's timer says what no reading of the presses comes near to."""
    file = pressed(recorded((0, 300), (400, 1000)), (0, 0), (300, 4), (1000, 4))
    assert counted_s(file.session(START, 1000, timer=timer)) == 900


def test_a_program_whose_timer_never_stands_still() -> None:
    """A pause in which nothing was recorded is one, whatever a program writes for its timer."""
    file = pressed(recorded((0, 300), (900, 1000)), (0, 0), (300, 4), (900, 0), (1000, 4))
    assert counted_s(file.session(START, 1000)) == 400


def test_laps_in_place_of_a_session() -> None:
    """Without a session the laps' own timers are asked."""
    file = pressed(recorded((0, 1000)), (0, 0), (200, 4), (500, 0), (1000, 4))
    assert counted_s(file.lap(START, 500).lap(START + 500, 500)) == 1000
    assert counted_s(pressed(recorded((0, 1000)), (0, 0), (200, 4), (500, 0), (1000, 4))) == 700


def test_what_is_not_believed_is_said() -> None:
    """Protects whoever looks from numbers without a reason: the file's remark and the session's verdict tell."""
    recording = read_recording(pressed(recorded((0, 600)), (0, 4), (600, 4)).session(START, 600).done())
    assert "600 s of the pauses that its timer tells are not believed" in recording.remarks
    (session,) = [fact for fact in recording.facts if fact.what == "session"]
    assert session.content["pauses"] == {
        "reading": "mended",
        "by_timer": True,
        "told_s": 600.0,
        "believed_s": 0.0,
    }


lengths = st.lists(st.tuples(st.integers(70, 300), st.integers(10, 200)), min_size=1, max_size=4)


@settings(max_examples=40)
@given(lengths, st.booleans(), st.integers(1, 6))
def test_presses_that_agree_with_the_timer_are_believed(
    stretches: list[tuple[int, int]],
    records_in_pauses: bool,  # noqa: FBT001
    step: int,
) -> None:
    """Good files stay as they are: whatever is recorded in its pauses, what timer and presses say together is believed."""
    moved, end = laid_out(stretches)
    file = recorded((0, end), step=step) if records_in_pauses else recorded(*moved, step=step)
    pressed(file, *[press for a, b in moved for press in ((a, 0), (b, 4))])
    file.session(START, end, timer=sum(b - a for a, b in moved))
    told = [((b + ERA + START) * 1000, (a + ERA + START) * 1000) for (_, b), (a, _) in pairwise(moved)]
    found = fit.read(file.done()).pauses
    assert list(zip(found.start.tolist(), found.end.tolist(), strict=True)) == told


@settings(max_examples=40)
@given(lengths, st.data())
def test_any_press_may_be_missing(stretches: list[tuple[int, int]], data: st.DataObject) -> None:
    """One press less changes no more than the second that it was stamped with, and what the timer leaves open."""
    moved, end = laid_out(stretches)
    presses = [press for a, b in moved for press in ((a, 0), (b, 4))]
    presses.remove(data.draw(st.sampled_from(presses)))
    truth = sum(b - a for a, b in moved)
    file = pressed(recorded(*moved), *presses).session(START, end, timer=truth)
    assert abs(counted_s(file) - truth) <= max(2.0, 0.005 * truth) + 1


def laid_out(stretches: list[tuple[int, int]]) -> tuple[list[Stretch], int]:
    """(length, pause after it) as stretches from 0 on, and where the last one ends."""
    moved, at = [], 0
    for length, rest in stretches:
        moved.append((at, at + length))
        at += length + rest
    return moved, moved[-1][1]
