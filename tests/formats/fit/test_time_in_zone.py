"""The watch's seconds per zone beside ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.demo.fit_encoder import LAP, SESSION, TIME_IN_ZONE, Field, Fit
from ingest.formats import fit

START = 1_000_000_000
EDGES = [100, 120, 140, 160, 180]


def judged(bpm: list[int], seconds: list[float], *, edges: list[int] = EDGES, **more: int) -> fit.FitFile:
    file = Fit().timer(START, start=True)
    for i, value in enumerate(bpm):
        file.record(START + i, value)
    file.timer(START + len(bpm), start=False).session(START, len(bpm))
    return fit.read(file.time_in_zone(START + len(bpm), edges, seconds, **more).done())


@given(st.lists(st.integers(60, 200), min_size=1, max_size=200))
def test_agrees_with_the_definition(bpm: list[int]) -> None:
    """A watch that counts a second per heart rate, an edge belonging to the upper zone, is agreed with to the second."""
    seconds = [float(sum(1 for b in bpm if sum(b >= e for e in EDGES) == zone)) for zone in range(6)]
    (check,) = judged(bpm, seconds).checks
    assert check.ours_s == check.watch_s == tuple(seconds)
    assert check.edges == tuple(EDGES)
    assert check.deviation == 0


def test_deviation() -> None:
    """The deviation is the sum of the differences as a part of the watch's total."""
    (check,) = judged([110] * 100, [0, 90, 10, 0, 0, 0]).checks
    assert check.deviation == pytest.approx(0.2)


def test_pauses_are_not_counted() -> None:
    """The watch counts only while its timer runs, and so do we."""
    file = Fit().timer(START, start=True)
    for i in range(100):
        file.record(START + i, 110)
    file.timer(START + 50, start=False).timer(START + 70, start=True).timer(START + 100, start=False)
    file.session(START, 100).time_in_zone(START + 100, EDGES, [0, 80, 0, 0, 0, 0])
    assert fit.read(file.done()).checks[0].deviation == 0


@pytest.mark.parametrize(
    "file",
    [
        judged([110] * 9, [0, 9, 0, 0, 0, 0], reference=19),
        judged([110] * 9, [0, 9, 0]),
        judged([110] * 9, [0, 0, 0, 0, 0, 0]),
        judged([110] * 9, [0, 9, 0, 0, 0, 0], edges=[100, 90, 120, 140, 160]),
        judged([110] * 9, [0, 9, 0, 0, 0, 0], index=3),
        judged([0] * 9, [0, 9, 0, 0, 0, 0]),
    ],
    ids=["of a lap", "too few", "empty", "edges that do not ascend", "of another session", "no heart rate"],
)
def test_nothing_to_compare(file: fit.FitFile) -> None:
    """What does not say enough to count the same way is not judged."""
    assert file.checks == ()
    assert file.faults == ()


@pytest.mark.parametrize(
    ("edges", "watch_s", "kept"),
    [
        ([113, 140, 159, 159, 183, 200], [10, 0, 0, 0, 20, 0, 0], (113, 140, 159, 159, 183, 200)),
        ([100, 120, 140, 160, 180], [0, 30, 0, 0, 0], (100, 120, 140, 160)),
    ],
    ids=["two equal neighbours, as of a fenix 6", "as many times as edges"],
)
def test_edges_as_watches_write_them(edges: list[int], watch_s: list[float], kept: tuple[int, ...]) -> None:
    """A zone that holds nothing, and a top that is written though nothing lies above it, are no reason to say nothing."""
    (check,) = judged([110] * 10 + [165] * 20 if len(edges) == 6 else [110] * 30, watch_s, edges=edges).checks
    assert (check.edges, check.deviation) == (kept, 0)


def test_seconds_in_the_session_itself() -> None:
    """Without a message of its own the session's seconds are judged by the zones that the file gives."""
    file = Fit().timer(START, start=True)
    for i in range(30):
        file.record(START + i, 110)
    for i, top in enumerate([100, 120, 140, 254]):
        file.hr_zone(i, top)
    file.timer(START + 30, start=False).session(START, 30, zone_s=[0, 30, 0, 0])
    (check,) = fit.read(file.done()).checks
    assert (check.edges, check.watch_s, check.deviation) == ((100, 120, 140), (0, 30, 0, 0), 0)


def test_each_session_by_itself() -> None:
    """A file of several workouts is judged workout by workout."""
    file = Fit()
    for start, bpm in ((START, 90), (START + 500, 130)):
        for i in range(50):
            file.record(start + i, bpm)
        file.timer(start, start=True).timer(start + 50, start=False).session(start, 50)
    file.time_in_zone(START + 600, EDGES, [50, 0, 0, 0, 0, 0], index=0)
    file.time_in_zone(START + 600, EDGES, [0, 0, 50, 0, 0, 0], index=1)
    checks = fit.read(file.done()).checks
    assert [c.deviation for c in checks] == [0, 0]
    assert checks[0].end < checks[1].start


def test_a_swim_keeps_what_its_watch_tells() -> None:
    """Protects the zones of a workout without a heart rate in time: they stay with the session, and are no comparison."""
    file = Fit().session(START, 600, sport=5, mean=131, highest=158)
    found = fit.read(file.time_in_zone(START + 600, EDGES, [60, 140, 300, 100, 0, 0]).done())
    assert found.checks == ()
    assert (found.sessions[0].zone_edges, found.sessions[0].zone_s) == (
        tuple(EDGES),
        (60, 140, 300, 100, 0, 0),
    )
    unknown = fit.read(Fit().session(START, 600, zone_s=[60, 540]).done())
    assert (unknown.sessions[0].zone_edges, unknown.sessions[0].zone_s) == ((), (60, 540))


def test_usual_zones_are_believed_where_the_seconds_agree() -> None:
    """Protects a claim without edges: those of its maximum are taken only if several zones come out as the watch counted."""
    bpm = [95] * 30 + [115] * 40 + [150] * 30
    for told, found in (
        ([0, 30, 40, 0, 30, 0, 0], 1),
        ([40, 30, 0, 0, 30, 0, 0], 0),
        ([0, 0, 100, 0, 0, 0, 0], 0),
    ):
        file = Fit().zones_target(180).timer(START, start=True)
        for i, value in enumerate(bpm):
            file.record(START + i, value)
        read = fit.read(file.timer(START + 100, start=False).session(START, 100, zone_s=told).done())
        assert len(read.checks) == found
        if found:
            assert (read.checks[0].edges_from, read.checks[0].edges) == (
                "zones_target",
                (90, 108, 126, 144, 162, 180),
            )
        else:
            assert read.sessions[0].zone_s == tuple(told)


@pytest.mark.parametrize(
    ("rule", "told", "edges"), [("lower", [50, 50, 0], (101, 121)), ("upper", [0, 50, 50], (100, 120))]
)
def test_the_writers_own_rule_for_an_edge(rule: str, told: list[float], edges: tuple[int, ...]) -> None:
    """Protects a comparison from a difference that is none: some count a heart rate that equals a limit to the zone below."""
    file = Fit().timer(START, start=True)
    for i in range(100):
        file.record(START + i, 100 if i < 50 else 120)
    for i, top in enumerate([100, 120, 254]):
        file.hr_zone(i, top)
    (check,) = fit.read(file.timer(START + 100, start=False).session(START, 100, zone_s=told).done()).checks
    assert (check.rule, check.edges, check.deviation) == (rule, edges, 0)


def test_the_part_of_a_workout_without_a_sample_keeps_the_word_of_its_watch() -> None:
    """Protects the minutes in the pool of a triathlon, whose zones the watch tells: the samples of the run are not theirs."""
    file = Fit().timer(START, start=True).records(START, [255] * 600).records(START + 600, [130] * 600)
    file.timer(START + 1200, start=False)
    file.time_in_zone(START + 600, EDGES, [0, 0, 300, 300, 0, 0])
    file.time_in_zone(START + 1200, EDGES, [0, 0, 600, 0, 0, 0], index=1)
    file.session(START, 600, sport=5).session(START + 600, 600)
    read = fit.read(file.done())
    swim, run = read.sessions
    assert (swim.zone_edges, swim.zone_s) == (tuple(EDGES), (0, 0, 300, 300, 0, 0))
    assert run.zone_s == ()
    assert [check.start for check in read.checks] == [run.start]


def test_seconds_in_zones_are_no_lack_of_heart_rate() -> None:
    """Who drops a swim that counts by its zones is not told alone that no sensor was there."""
    file = (
        Fit().file_id(4).timer(START, start=True).records(START, [255] * 600).timer(START + 600, start=False)
    )
    file.time_in_zone(START + 600, EDGES, [0, 0, 300, 300, 0, 0]).session(START, 600, sport=5)
    (note,) = fit.read(file.done()).notes
    assert "seconds in zones" in note
    assert "no sensor" not in note


def of_laps(*zones: int, lasts_s: int = 1200) -> Fit:
    """A swim of two laps of ten minutes without one heart rate, of which some laps have seconds in zones."""
    file = Fit().timer(START, start=True)
    for i in range(2):
        file.lap(START + 600 * i, 600, mean=130, highest=150)
    for i in zones:
        file.time_in_zone(START + 600 * i + 600, EDGES, [0, 0, 400, 200, 0, 0], reference=LAP, index=i)
    return file.timer(START + lasts_s, start=False).session(START, lasts_s, sport=5)


def test_seconds_in_zones_of_all_laps_are_those_of_their_workout() -> None:
    """Protects the minutes of a swim whose watch tells seconds in zones for each lap, and none for the whole."""
    (swim,) = fit.read(of_laps(0, 1).done()).sessions
    assert (swim.zone_edges, swim.zone_s) == (tuple(EDGES), (0, 0, 800, 400, 0, 0))


@pytest.mark.parametrize(
    "file", [of_laps(1), of_laps(0, 1, lasts_s=1800)], ids=["a lap tells none", "a third of it is no lap"]
)
def test_laps_that_are_not_the_whole_workout_tell_no_zones_of_it(file: Fit) -> None:
    """Protects from a part of a workout that stands for all of it."""
    assert fit.read(file.done()).sessions[0].zone_s == ()


def test_what_a_session_tells_of_zones_goes_before_its_laps() -> None:
    """Protects from counting the same seconds twice, as the workout's and as its laps'."""
    file = of_laps(0, 1).time_in_zone(START + 1200, EDGES, [0, 0, 700, 500, 0, 0])
    assert fit.read(file.done()).sessions[0].zone_s == (0, 0, 700, 500, 0, 0)


def test_laps_may_tell_their_zones_themselves() -> None:
    """Protects the minutes of devices that write field 57 of a lap, and the limits of their zones in `hr_zone`."""
    file = Fit().timer(START, start=True)
    for i, top in enumerate(EDGES):
        file.hr_zone(i, top)
    for i in range(2):
        lap = [(253, START + 600 * i + 600), (2, START + 600 * i), (7, 600_000), (8, 600_000)]
        file.message(
            LAP, *((n, "uint32", value) for n, value in lap), (57, "uint32", [0, 0, 400_000, 200_000, 0])
        )
    (swim,) = fit.read(file.timer(START + 1200, start=False).session(START, 1200, sport=5).done()).sessions
    assert (swim.zone_edges, swim.zone_s) == (tuple(EDGES[:-1]), (0, 0, 800, 400, 0))


def test_laps_of_other_zones_are_not_added_up() -> None:
    """Protects from seconds that mean one zone in one lap and another in the next."""
    file = of_laps(0)
    file.time_in_zone(START + 1200, [90, 110, 130, 150, 170], [0, 0, 400, 200, 0, 0], reference=LAP, index=1)
    assert fit.read(file.done()).sessions[0].zone_s == ()


def zoned(file: Fit, start: int, seconds: list[float], *index: Field) -> Fit:
    """A minute of a workout, and what its watch tells of its zones under some index or none."""
    file.timer(start, start=True).records(start, [110] * 60).timer(start + 60, start=False)
    times = [round(s * 1000) for s in seconds]
    about = (0, "uint16", SESSION), *index, (2, "uint32", times), (6, "uint8", EDGES)
    return file.message(TIME_IN_ZONE, (253, "uint32", start + 60), *about).session(start, 60)


@pytest.mark.parametrize(
    "index", [(), ((1, "uint16", 0xFFFF),), ((1, "uint16", 0x8000),)], ids=["none", "invalid", "selected"]
)
def test_an_index_that_tells_nothing_is_the_order_of_the_file(
    index: tuple[tuple[int, str, int], ...],
) -> None:
    """Seconds in zones without an index, or with one that stands for none, are those of the first workout and not nobody's."""
    (check,) = fit.read(zoned(Fit(), START, [0, 60, 0, 0, 0, 0], *index).done()).checks
    assert check.deviation == 0


def test_workouts_without_an_index_are_told_of_one_by_one() -> None:
    """The second of two messages that say no index is about the second workout, and not once more about the first."""
    both = zoned(zoned(Fit(), START, [0, 59, 1, 0, 0, 0]), START + 3600, [0, 58, 2, 0, 0, 0])
    assert [c.watch_s[2] for c in fit.read(both.done()).checks] == [1, 2]
    assert len({c.start for c in fit.read(both.done()).checks}) == 2


@pytest.mark.parametrize("starts", [(START, START + 3600), (START + 3600, START)])
@pytest.mark.parametrize("told_by", ["time_in_zone", "session"])
def test_each_chained_file_counts_its_own_sessions(told_by: str, starts: tuple[int, int]) -> None:
    """Of files put one behind the other each begins its indices anew; the seconds of each stay with its own workout."""
    data = b""
    for start in starts:
        second = 1 if start == START else 2
        zones: list[float] = [0, 60 - second, second, 0, 0, 0]
        if told_by == "session":
            file = Fit().records(start, [110] * 60)
            for i, edge in enumerate(EDGES):
                file.hr_zone(i, edge)
            file.session(start, 60, zone_s=zones)
        else:
            file = zoned(Fit(), start, zones, (1, "uint16", 0))
        data += file.done()
    told = sorted((check.start, check.watch_s[2]) for check in fit.read(data).checks)
    assert [second for _, second in told] == [1, 2]
    assert told[0][0] < told[1][0]


def test_a_claim_of_a_workout_that_was_never_dated_is_not_that_of_the_next() -> None:
    """A workout without a start is left out; what its watch tells of it does not go to the one behind it."""
    file = Fit().message(SESSION, (253, "uint32", START), (5, "enum", 1), local=6)
    file.time_in_zone(START, EDGES, [60, 0, 0, 0, 0, 0], index=0)
    (check,) = fit.read(zoned(file, START, [0, 60, 0, 0, 0, 0], (1, "uint16", 1)).done()).checks
    assert check.watch_s[:2] == (0, 60)
