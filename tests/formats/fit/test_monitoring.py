"""What an all-day file says of movement, and what the watch claims for it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ingest.demo.fit_encoder import ERA, Fit, day
from ingest.formats import fit
from ingest.formats.fit import Claim

START = 1_000_000_000
WALKING, GENERIC, SEDENTARY = 6, 0, 8


def moment(seconds: int) -> np.datetime64:
    return np.datetime64((seconds + ERA) * 1000, "ms")


def movement(file: Fit) -> list[tuple[int, int]]:
    """(start, end) in seconds after START."""
    found = fit.read(file.done()).movement
    base = (START + ERA) * 1000
    return [
        ((int(a) - base) // 1000, (int(b) - base) // 1000)
        for a, b in zip(found.start, found.end, strict=True)
    ]


def summed(file: Fit, at: int, kind: int, intensity: int, steps: int, active_s: int) -> Fit:
    """An all-day message with its counts since midnight."""
    return file.monitoring(
        START + at, (3, "uint32", steps), (4, "uint32", active_s * 1000), (24, "byte", kind | intensity << 5)
    )


def test_counts_are_those_of_the_day() -> None:
    """Active time is what was added since the last message about the same activity, ending at the timestamp."""
    file = summed(Fit(), 600, WALKING, 2, 500, 300)
    summed(file, 900, WALKING, 2, 700, 420)
    assert movement(file) == [(540, 600), (780, 900)]


def test_other_activities_count_apart() -> None:
    """Walking and other movement have counts of their own."""
    file = summed(Fit(), 600, WALKING, 1, 500, 300)
    summed(file, 660, GENERIC, 3, 0, 900)
    summed(file, 1200, WALKING, 1, 560, 360)
    summed(file, 1260, GENERIC, 3, 0, 960)
    assert movement(file) == [(540, 660), (1140, 1260)]


def test_without_intensity_steps_decide() -> None:
    """Active time without intensity and without a step more is no movement."""
    file = summed(Fit(), 600, WALKING, 0, 500, 300)
    summed(file, 900, WALKING, 0, 500, 420)
    summed(file, 1200, WALKING, 0, 600, 480)
    assert movement(file) == [(540, 600), (1140, 1200)]


def test_sedentary_never_counts() -> None:
    """Watches give sitting intensities up to 7; it stays sitting."""
    assert movement(Fit().monitoring(START, (24, "byte", SEDENTARY | 7 << 5))) == []


def test_midnight() -> None:
    """Counts that start anew do not make negative or day-long movement."""
    file = summed(Fit(), 600, WALKING, 2, 9000, 7200)
    summed(file, 900, WALKING, 2, 100, 90)
    assert movement(file) == [(540, 600), (810, 900)]


def test_a_leap_is_bounded_by_the_time_that_passed() -> None:
    """Active time cannot have grown by more than the time since the message before."""
    file = summed(Fit(), 600, WALKING, 2, 100, 60)
    summed(file, 720, WALKING, 2, 9000, 7200)
    assert movement(file) == [(540, 720)]


def test_kind_and_intensity_alone() -> None:
    """A message with a kind and an intensity stands for its stated duration, or else for a minute."""
    file = Fit().monitoring(START + 600, (5, "enum", 1), (28, "uint8", 4))
    file.monitoring(START + 6000, (5, "enum", 1), (28, "uint8", 4), (29, "uint16", 10))
    assert movement(file) == [(540, 600), (5400, 6000)]


def test_heart_rates_are_not_movement() -> None:
    """The many messages that only bring a heart rate say nothing of movement."""
    assert movement(Fit().monitoring_info(START).monitoring_bpm(START + 60, 150)) == []


def test_a_generated_day() -> None:
    """The all-day file the encoder makes has its walk where its heart rate is up."""
    bpm = [60] * 60 + [120] * 30 + [60] * 60
    found = fit.read(day(START, bpm))
    assert [
        (int(b) - int(a)) // 60_000 for a, b in zip(found.movement.start, found.movement.end, strict=True)
    ] == [30]
    assert found.series[0].kind == "monitoring"
    assert len(found.series[0]) == 150


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=20))
def test_claimed_minutes(claimed: list[tuple[int, int]]) -> None:
    """Each message's minutes are claimed for the time before its timestamp; their sum is the watch's."""
    file = Fit()
    for i, (moderate, vigorous) in enumerate(claimed):
        file.monitoring(START + 10_000 * i, (33, "uint16", moderate), (34, "uint16", vigorous))
    claims = fit.read(file.done()).claims
    assert sum(c.moderate_min or 0 for c in claims) == sum(m for m, _ in claimed)
    assert sum(c.vigorous_min or 0 for c in claims) == sum(v for _, v in claimed)
    for claim in claims:
        minutes = (claim.moderate_min or 0) + (claim.vigorous_min or 0)
        assert claim.end - claim.start == np.timedelta64(int(minutes), "m")


def test_resting_heart_rate() -> None:
    """The day's own value is claimed, from the beginning of the file on, once."""
    file = Fit().monitoring_info(START).monitoring_hr_data(START + 900, week=50, today=57)
    file.monitoring_hr_data(START + 900, week=50, today=57).monitoring_hr_data(START + 1800, week=51)
    assert fit.read(file.done()).claims == (
        Claim(moment(START), moment(START + 900), resting_bpm=57),
        Claim(moment(START), moment(START + 1800), resting_bpm=51),
    )
