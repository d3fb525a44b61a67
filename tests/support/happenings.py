"""What can happen in a household, for hypothesis: recordings around clock changes, borders of weeks and of years."""

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import strategies as st

from tests.support.households import (
    DAY,
    HOUR,
    MINUTE,
    Claim,
    Copies,
    Event,
    Fact,
    Limits,
    Noted,
    Recording,
    S,
    Workout,
    at,
)

MOMENTS = [
    at("2026-10-25T00:00+02:00"),  # the day of 25 hours in Amsterdam, a Sunday
    at("2026-10-26T00:00+01:00"),
    at("2026-10-27T12:00+01:00"),
    at("2026-11-01T23:00+01:00"),
    at("2026-12-28T00:00+01:00"),  # the week 53 that ends in the next year
    at("2027-01-01T00:00+01:00"),
    at("2027-01-04T00:00+01:00"),
    at("2027-03-28T02:00+01:00"),  # the day of 23 hours
]
"""Around these everything in the properties happens, so that it meets."""

ROOM = 1 << 29
"""Bytes that are left to others in memory."""

SOURCES = {
    "strap": ("strap", 1),
    "watch": ("activity", 1),
    "other watch": ("activity", 7),
    "all-day": ("monitoring", 60),
}
"""Kind, and the usual step in seconds."""

offsets = st.integers(-3, 3).map(lambda i: i * 20 * MINUTE) | st.integers(-400, 400).map(lambda i: i * S)
moments = st.builds(lambda moment, offset: moment + offset, st.sampled_from(MOMENTS), offsets)


def bpm_of(source: str, ms: int) -> int:
    """A heart rate that depends on source and time alone: recorded twice it is the same one."""
    return 60 + (ms // 7000 * 37 + len(source) * 11) % 130


@st.composite
def recordings(draw: st.DrawFn, person: str = "Jan") -> Recording:
    """A recording with gaps and pauses, cut into any number of chunks."""
    source = draw(st.sampled_from(sorted(SOURCES)))
    kind, step = SOURCES[source]
    start = draw(moments)
    steps = draw(st.lists(st.sampled_from([step, step, step, 3, 40, 100, 1000]), max_size=30))
    times = [start]
    for each in steps:
        times.append(times[-1] + each * S)
    end = times[-1] + draw(st.sampled_from([0, 1, 20, 100])) * S
    some = st.sampled_from(times)
    cuts = draw(st.lists(some, max_size=4))
    stretch = st.tuples(some, st.integers(1, 60)).map(lambda p: (p[0], p[0] + p[1] * S))
    return Recording(
        person,
        source,
        kind,
        tuple((t, bpm_of(source, t)) for t in times),
        end,
        tuple(draw(st.lists(stretch, max_size=2))),
        tuple(draw(st.lists(stretch, max_size=3))) if kind == "monitoring" else None,
        tuple(cuts),
    )


@st.composite
def faulty(draw: st.DrawFn, person: str = "Jan") -> Recording:
    """A recording at one sample a second in which the sensor jumps, freezes and loses the heart; perhaps with beats."""
    source = draw(st.sampled_from(["strap", "watch", "other watch"]))
    start = draw(moments)
    samples: list[tuple[int, int]] = []
    second = 0
    for _ in range(draw(st.integers(1, 8))):
        bpm = draw(st.sampled_from([0, 75, 100, 130, 160, 180]))
        swings = draw(st.sampled_from([1, 4]))
        lasts = draw(st.sampled_from([2, 9, 12, 50, 130, 320]))
        samples += [(start + (second + i) * S, bpm + i % swings) for i in range(lasts)]
        second = (samples[-1][0] - start) // S + draw(st.sampled_from([1, 1, 1, 4, 40, 70]))
    some = st.sampled_from([t for t, _ in samples])
    beats = tuple((t, 700 + t // S % 7 * 20) for t, bpm in samples if bpm) if draw(st.booleans()) else ()
    return Recording(
        person,
        source,
        SOURCES[source][0],
        tuple(samples),
        samples[-1][0] + draw(st.sampled_from([0, 1, 20])) * S,
        tuple((a, a + 7 * S) for a in draw(st.lists(some, max_size=2))),
        None,
        tuple(draw(st.lists(some, max_size=3))),
        beats,
    )


@st.composite
def nights(draw: st.DrawFn) -> Recording:
    """Three hours of an all-day watch, long enough for a resting heart rate; perhaps with beats."""
    start = draw(moments)
    low = draw(st.sampled_from([48, 55, 62]))
    samples = tuple((start + i * MINUTE, low + (i * 7 + low) % 11) for i in range(180))
    beats = tuple((start + i * S, 900 + i % 5 * 15) for i in range(180 * 60)) if draw(st.booleans()) else ()
    return Recording("Jan", "all-day", "monitoring", samples, start + 180 * MINUTE, (), (), (), beats)


limits = st.builds(Limits, st.just("Jan"), moments, st.sampled_from([90, 150, 170, 185, 200, 240]))
workouts = st.builds(
    lambda start, lasts, timer: Workout("Jan", "watch", start, start + lasts, timer),
    moments,
    st.sampled_from([0, MINUTE, HOUR, 3 * HOUR]),
    st.sampled_from([None, 90.5]),
)
claims = st.builds(
    lambda start, lasts: Claim("Jan", "all-day", start, start + lasts, 12.0),
    moments,
    st.sampled_from([MINUTE, HOUR, DAY]),
)
facts: st.SearchStrategy[Fact] = (
    recordings() | recordings() | faulty() | nights() | limits | workouts | claims
)
noted = st.sampled_from(
    [
        Noted("Jan", (("zone", "Europe/Amsterdam"),)),
        Noted("Jan", (("born", 1960), ("zone", "Europe/Amsterdam"))),
        Noted("Jan", (("maximum_bpm", 170), ("zone", "Europe/Amsterdam"))),
        Noted("Jan", (("moderate_bpm", 100), ("vigorous_bpm", 120), ("zone", "Europe/Amsterdam"))),
        Noted(
            "Jan",
            (
                ("maximum_bpm", 170),
                ("profile", [{"from": "1990-01-01", "resting_bpm": 60}]),
                ("sex", "woman"),
                ("zone", "Europe/Amsterdam"),
            ),
        ),
        Noted("Jan", (("target_min", 90), ("zone", "Asia/Kolkata"))),
        Noted("Jan", (("born", 1960), ("week_begins", "sunday"), ("zone", "Europe/Amsterdam"))),
        Noted(
            "Jan",
            (
                ("born", 1960),
                ("plan", {"from": "2026-10-19", "targets_min": [30, 60.5, 90], "weeks": 1}),
                ("zone", "Europe/Amsterdam"),
            ),
        ),
        Noted(
            "Jan",
            (
                ("not_judged", ["2026-W53"]),
                ("pause", [{"from": "2026-10-27", "to": "2026-10-28", "why": "a cold"}]),
                ("zone", "Europe/Amsterdam"),
            ),
        ),
        Noted(
            "Jan",
            (("pause", [{"from": "2026-10-27", "to": "2026-11-02"}]), ("zone", "Europe/Amsterdam")),
        ),
        Noted(
            "Jan",
            (
                ("profile", [{"from": "2026-10-26", "limiting_medicine": True}]),
                ("zone", "Europe/Amsterdam"),
            ),
        ),
        Noted(
            "Jan",
            (
                ("moderate_bpm", 100),
                ("travel", [{"from": "2026-10-26", "to": "2026-11-01", "zone": "Australia/Lord_Howe"}]),
                ("vigorous_bpm", 120),
                ("zone", "Europe/Amsterdam"),
            ),
        ),
    ]
)
copies = st.builds(Copies, st.tuples(facts), st.tuples(recordings(), limits))
events: st.SearchStrategy[Event] = facts | facts | recordings("Piet") | noted | copies


def around(happened: Iterable[Event]) -> st.SearchStrategy[int]:
    """Whole seconds near which something was recorded of Jan: a span anywhere would mostly hold nothing."""
    recorded = [e for e in happened if isinstance(e, Recording) and e.person == "Jan"]
    recorded += [f for e in happened if isinstance(e, Copies) for f in e.whole if isinstance(f, Recording)]
    some = [t for r in recorded for t in (*(t for t, _ in r.samples), r.end_ms)] or MOMENTS
    return st.builds(lambda t, s: t + s * S, st.sampled_from(some), st.integers(-40, 40))


@contextmanager
def new_folder() -> Iterator[Path]:
    """A folder for one example; pytest's own is one for all of them.

    In memory where there is room: nothing is killed here, and waiting for the disk would take half of the time.
    """
    memory = Path("/dev/shm")
    roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM
    with tempfile.TemporaryDirectory(prefix="hartslag-", dir=memory if roomy else None) as folder:
        yield Path(folder)
