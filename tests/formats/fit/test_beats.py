"""Heartbeats are placed where they were, from all three messages that hold them."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.demo.fit_encoder import ERA, INVALID_TIME, Fit
from ingest.formats import fit
from ingest.formats.fit.recording import to_recording

START = 1_000_000_000
START_MS = (START + ERA) * 1000
RR = st.integers(300, 1500)


def beats(file: Fit) -> tuple[list[int], list[float]]:
    """Milliseconds after START at which intervals end, and their lengths."""
    found = fit.read(file.done()).beats
    assert found.times.dtype == np.dtype("datetime64[ms]")
    assert found.rr_ms.dtype == np.float32
    return (found.times.astype(np.int64) - START_MS).tolist(), found.rr_ms.tolist()


@given(st.booleans(), st.lists(RR, min_size=1, max_size=200))
def test_hrv_between_records(big_endian: bool, rr: list[int]) -> None:  # noqa: FBT001
    """Intervals without a time are laid end to end and stay within seconds of the records around them."""
    file = Fit(big_endian=big_endian).record(START, 60)
    second, passed = 0, 0
    for interval in rr:
        passed += interval
        while second < passed // 1000:
            second += 1
            file.record(START + second, 60)
        file.hrv(interval)
    times, lengths = beats(file)
    assert lengths == rr
    assert times == sorted(times)
    assert np.allclose(np.diff(times), rr[1:])
    assert all(abs(t - p) <= 3000 for t, p in zip(times, np.cumsum(rr), strict=True))


def test_hrv_after_a_gap() -> None:
    """Beats after a pause are where the records after the pause are, not where the last beat was."""
    file = Fit().record(START, 60).hrv(1000, 1000, 1000).record(START + 600, 60).hrv(900, 900)
    times, _ = beats(file)
    assert times == [0, 1000, 2000, 600_000, 600_900]


def test_hrv_never_goes_back() -> None:
    """Intervals that add up to more than the time that passed do not turn time round."""
    file = Fit()
    for second in range(20):
        file.record(START + second, 60).hrv(900, 900, 900)
    times, _ = beats(file)
    assert times == sorted(times)
    assert len(times) == 60


def test_gaps_are_not_beats() -> None:
    """An interval longer than any heart takes passes the time, without a beat at its end."""
    file = Fit().record(START, 60).hrv(1000).record(START + 5, 60).hrv(5000, 1000)
    assert beats(file) == ([0, 6000], [1000, 1000])


def test_hrv_without_any_time() -> None:
    """Intervals that nothing ties to a date are no beats."""
    assert beats(Fit().record(5000, 60).hrv(1000, 1000)) == ([], [])


@given(st.integers(0, 999), st.lists(st.lists(RR, min_size=1, max_size=12), min_size=1, max_size=5))
def test_beat_intervals(past_ms: int, groups: list[list[int]]) -> None:
    """Each message's intervals follow its own moment, to the millisecond."""
    file, expected = Fit(), list[int]()
    for i, rr in enumerate(groups):
        file.beat_intervals(START + 60 * i, [*rr, 0xFFFF], past_ms=past_ms)
        expected.extend((60_000 * i + past_ms + int(t)) for t in np.cumsum(rr))
    times, lengths = beats(file)
    assert times == expected
    assert lengths == [r for rr in groups for r in rr]


def test_raw_beats_with_their_quality() -> None:
    """Doubtful intervals and gaps pass the time but are no beats."""
    file = Fit().raw_bbi(START, [(800, 1, 0), (810, 0, 0), (2500, 0, 1), (790, 1, 0)], past_ms=250)
    assert beats(file) == ([1050, 5150], [800, 790])


def test_raw_beats_spelled_out() -> None:
    """The same beats as arrays of their own instead of packed bits."""
    file = Fit().message(
        372,
        (253, "uint32", START),
        (2, "uint16", [800, 810, 2500, 790]),
        (3, "uint8", [1, 0, 0, 1]),
        (4, "uint8", [0, 0, 1, 0]),
    )
    assert beats(file) == ([800, 4900], [800, 790])


def test_beats_cannot_be_changed() -> None:
    """The columns are read-only like those of samples."""
    found = fit.read(Fit().record(START, 60).hrv(1000).done()).beats
    with pytest.raises(ValueError, match="read-only"):
        found.rr_ms[0] = 1


def with_beats_alone(rr: list[int]) -> Fit:
    """A workout of R-R intervals, a record for each second and no heart rate."""
    file = Fit().file_id(created=START).timer(START, start=True)
    passed = 0
    for interval in rr:
        file.record(START + passed // 1000, None).hrv(interval)
        passed += interval
    return file.timer(START + passed // 1000, start=False)


def test_beats_alone_give_a_heart_rate_that_is_marked_and_believed_last() -> None:
    """Protects a recording of R-R intervals from counting nothing: its own source says that no sensor gave the rate."""
    file = fit.read(with_beats_alone([495, 505] * 300).done())
    assert file.series == ()
    assert file.derived is not None
    assert set(file.derived.bpm.tolist()) == {120}
    assert file.notes == (
        f"holds R-R intervals and no heart rate: {len(file.derived)} heart rates are derived from its true beats",
    )
    made = to_recording(file)
    assert [(p.source.split("-", 2)[2], p.rank) for p in made.parts] == [
        ("activity", 2),
        ("activity-derived", 4),
    ]
    assert made.whole
    (session,) = [f for f in made.facts if f.what == "session"]
    assert session.content["source"].endswith("activity-derived"), "a workout, though no message tells of one"


@pytest.mark.parametrize("ends", ["nothing", "activity", "session", "event"])
def test_beats_without_records_begin_where_their_file_does(ends: str) -> None:
    """Protects a recording of intervals alone: they are of the time its session or file began at, not of the stamp behind them."""
    created = INVALID_TIME if ends in {"session", "event"} else START
    file = Fit().file_id(created=created)
    for _ in range(120):
        file.hrv(500, 510, 500, 490, 500)
    if ends == "activity":
        file.activity(START + 400)
    if ends == "session":
        file.session(START, 300)
    if ends == "event":
        file.timer(START + 300, start=False)
    found = fit.read(file.done())
    assert found.derived is not None
    assert found.beats.times.astype(np.int64)[0] == START_MS
    (session,) = found.sessions
    assert abs(int(session.end.astype(np.int64)) - START_MS - 300_000) <= 2000


@pytest.mark.parametrize("records", [range(0, 1200, 5), range(0, 1200, 60), [0], [0, 1202], [1199]], ids=str)
def test_beats_between_records_far_apart_take_the_time_they_took(records: Sequence[int]) -> None:
    """Protects the minutes of a recording of intervals with few records: its beats are not folded behind each of them."""
    file = Fit().file_id(created=START)
    passed, due = 0, list(records)
    while passed < 1_200_000:
        while due and due[0] * 1000 <= passed:
            file.record(START + due.pop(0), None)
        beat = 490 + len(file.body) * 7919 % 23
        file.hrv(beat)
        passed += beat
    for second in due:
        file.record(START + second, None)
    found = fit.read(file.session(START, 1200).done())
    assert found.derived is not None
    assert len(found.derived) >= 1195
    times = found.beats.times.astype(np.int64) - START_MS
    assert abs(times[0]) <= 3000
    assert abs(times[-1] - 1_200_000) <= 3000
    assert np.diff(times).max() <= 3000


def test_beats_that_no_date_is_known_of() -> None:
    """Protects their owner from "holds no heart rate": it has beats, and nobody can say when they were."""
    file = fit.read(Fit().file_id().hrv(500, 500).hrv(500).done())
    assert file.notes == (
        "holds R-R intervals and no heart rate, and tells no time: nobody can say when its beats were",
    )


def test_beats_that_are_told_again_give_the_same_heart_rate() -> None:
    """Protects the rate from a program that writes the newest beats with each record, whether they are new or not."""
    file = Fit().file_id(created=START).timer(START, start=True)
    for second in range(600):
        file.record(START + second, None).hrv(*[495 + (second // 2 * 7 + i) % 11 for i in range(2)])
    found = fit.read(file.done()).derived
    assert found is not None
    assert set(found.bpm.tolist()) <= {119, 120, 121}


def test_beats_that_tell_no_heart_rate_say_why() -> None:
    """Protects its owner from guessing why a file of beats counts nothing."""
    file = fit.read(with_beats_alone([500] * 8).done())
    assert file.derived is None
    assert file.notes == (
        "holds R-R intervals and no heart rate: of its 8 beats too few in a row are true to derive one",
    )
    even = fit.read(with_beats_alone([500] * 600).done())
    assert even.derived is None
    assert even.notes == (
        "holds R-R intervals and no heart rate: its 600 beats are of one length for minutes, as those of no heart are",
    )
    some = fit.read(with_beats_alone([495, 505] * 300 + [500] * 600).done())
    assert some.derived is not None
    assert some.notes[1].startswith("left out: ")
    seen = fit.read(with_beats_alone([500] * 600).record(START + 1, 90).done())
    assert (seen.derived, seen.notes) == (None, ()), "what a sensor gave is not made again"
