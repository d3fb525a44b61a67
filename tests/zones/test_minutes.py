"""Minutes, and the sums over any spans: they always add up."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.by_hand import raw
from zones.days import midnights
from zones.edges import Edges, Timeline
from zones.minutes import MINUTE, Minutes, Zone, classify, sum_minutes, sum_pieces, tabulate_minutes
from zones.pieces import Pieces, hold, resolve
from zones.spans import Spans

OWN = Edges.from_bpm(109, 131)
ALWAYS = Timeline.of([(-(10**15), OWN)])

samples = st.lists(st.tuples(st.integers(-100, 300), st.integers(95, 150)), max_size=40)


def by_second(drawn: Any, **more: Any) -> Pieces:
    return hold(raw(drawn, 1000), 90, **more)


households = st.tuples(samples, samples, st.lists(st.integers(-100, 300), max_size=4).map(sorted)).map(
    lambda drawn: resolve(
        [
            by_second(drawn[0]),
            by_second(
                drawn[1], source=1, counts=Spans.pairs((t * 1000, t * 1000 + 40_000) for t in drawn[2])
            ),
        ]
    )
)
timelines = st.lists(
    st.tuples(st.integers(-50_000, 250_000), st.sampled_from([OWN, Edges.from_bpm(100, 120), None])),
    max_size=4,
).map(Timeline.of)


def rows(found: Minutes) -> dict[int, list[Any]]:
    columns: list[Any] = [
        *(*found.columns, found.bpm_mean, found.bpm_min, found.bpm_max),
        *(found.moderate_bpm, found.vigorous_bpm),
    ]
    return {int(t): [c[i].item() for c in columns] for i, t in enumerate(found.start_ms)}


def test_one_minute_by_hand() -> None:
    """Twenty seconds at 100, twenty at 120, ten at 140: mean, extremes and zones of one minute."""
    pieces = hold(raw([(0, 100), (20, 120), (40, 140)], 1000), 30, ends=[50_000])
    assert rows(tabulate_minutes(pieces, ALWAYS)) == {
        0: [20_000, 20_000, 10_000, 0, 0, 116.0, 100, 140, OWN.moderate_bpm, OWN.vigorous_bpm]
    }


def test_nothing_gives_no_minutes() -> None:
    """Unknown is not zero: where nothing was measured there is no row."""
    found = tabulate_minutes(Pieces.none(), ALWAYS)
    assert rows(found) == {}
    assert sum_minutes(found, [0, MINUTE]).measured_ms.tolist() == [0]
    assert sum_pieces(Pieces.none(), ALWAYS).measured_ms.tolist() == [0]


@given(households, timelines)
def test_minutes_equal_counting_by_hand(pieces: Pieces, line: Timeline) -> None:
    """Each millisecond goes into its minute, by the edges in force at it, and only once; those at its last one are told."""
    expected: dict[int, list[list[int]]] = {}
    values: dict[int, list[tuple[int, int]]] = {}
    limits: dict[int, tuple[int, int]] = {}
    borders = sorted({*line.valid_from.tolist(), *range(-120_000, 420_000, MINUTE)})
    for start, end, bpm, counts in zip(
        *(c.tolist() for c in (pieces.start, pieces.end, pieces.bpm, pieces.counts)), strict=True
    ):
        for a, b in zip([start, *borders], [*borders, end], strict=True):
            a, b = max(a, start), min(b, end)  # noqa: PLW2901
            following = [x for x in borders if x > a]
            b = min([b, *following])  # noqa: PLW2901
            if a >= b:
                continue
            edges = line.edges_at(a)
            zone = Zone.UNCLASSIFIED if edges is None else Zone.LIGHT
            if edges is not None and bpm >= edges.moderate_bpm:
                zone = Zone.MODERATE if bpm < edges.vigorous_bpm else Zone.VIGOROUS
                zone = zone if counts else Zone.ELEVATED
            minute = a // MINUTE * MINUTE
            expected.setdefault(minute, [[], [], [], [], []])[zone].append(b - a)
            values.setdefault(minute, []).append((bpm, b - a))
            limits[minute] = (edges.moderate_bpm, edges.vigorous_bpm) if edges else (0, 0)
    by_hand = {
        minute: [
            *(sum(z) for z in expected[minute]),
            sum(v * w for v, w in values[minute]) / sum(w for _, w in values[minute]),
            min(v for v, _ in values[minute]),
            max(v for v, _ in values[minute]),
            *limits[minute],
        ]
        for minute in sorted(expected)
    }
    found = tabulate_minutes(pieces, line)
    assert rows(found) == by_hand
    assert found.measured_ms.sum() == pieces.measure_ms
    assert [int(c[0]) for c in sum_pieces(pieces, line).columns] == [int(c.sum()) for c in found.columns]


@given(households, timelines, st.integers(-2, 6), st.integers(-100_000, 300_000))
def test_minutes_are_additive_over_any_split(pieces: Pieces, line: Timeline, minute: int, at: int) -> None:
    """What changed can be recounted alone: parts give the rows, to the byte, that the whole gives."""
    border = minute * MINUTE
    before, after = pieces.clip(-(10**7), border), pieces.clip(border, 10**7)
    assert rows(tabulate_minutes(before, line)) | rows(tabulate_minutes(after, line)) == rows(
        tabulate_minutes(pieces, line)
    )
    halves = [sum_pieces(p, line).columns for p in (pieces.clip(-(10**7), at), pieces.clip(at, 10**7))]
    assert np.sum(halves, axis=0).tolist() == [c.tolist() for c in sum_pieces(pieces, line).columns]


def test_each_source_may_have_its_own_edges() -> None:
    """An arm ergometer's limits apply to its samples and leave those of the same day alone."""
    pieces = resolve([by_second([(0, 112)], ends=[30_000]), by_second([(30, 112)], ends=[60_000], source=1)])
    lines = [ALWAYS, Timeline.of([(0, OWN.shifted(10, "arms"))])]
    assert classify(pieces, lines).tolist() == [Zone.MODERATE, Zone.LIGHT]
    found = tabulate_minutes(pieces, lines)
    assert [int(c[0]) for c in found.columns] == [30_000, 30_000, 0, 0, 0]
    assert found.moderate_bpm.tolist() == [OWN.moderate_bpm + 10], "those of its last moment"


def test_a_workout_over_midnight_is_split_by_second() -> None:
    """Forty seconds before and twenty after local midnight count for two days."""
    midnight = int(midnights("Europe/Amsterdam", date(2026, 11, 17), date(2026, 11, 17))[0])
    pieces = hold(raw([(midnight - 40_000, 120)]), 60, ends=[midnight + 20_000])
    days = midnights("Europe/Amsterdam", date(2026, 11, 16), date(2026, 11, 18))
    assert sum_minutes(tabulate_minutes(pieces, ALWAYS), days).moderate_ms.tolist() == [40_000, 20_000]


# Clocks that change at night, at midnight, by half an hour, over a whole day, and a minute after midnight.
CHANGES = [
    ("Europe/Amsterdam", date(2026, 3, 29)),
    ("Europe/Amsterdam", date(2026, 10, 25)),
    ("America/New_York", date(2026, 11, 1)),
    ("America/Sao_Paulo", date(2018, 11, 4)),
    ("America/Sao_Paulo", date(2018, 2, 18)),
    ("Asia/Beirut", date(2021, 3, 28)),
    ("Asia/Beirut", date(2021, 10, 31)),
    ("America/Havana", date(2025, 11, 2)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("America/St_Johns", date(2010, 11, 7)),
    ("UTC", date(2026, 11, 16)),
]


@pytest.mark.parametrize(("zone", "day"), CHANGES)
@pytest.mark.parametrize("seed", range(3))
def test_zones_and_what_was_not_measured_make_up_every_day(zone: str, day: date, seed: int) -> None:
    """Light, moderate, vigorous, elevated, unclassified and not measured equal the span, also of 23 and 25 hours."""
    rng = np.random.default_rng(seed)
    borders = midnights(zone, day - timedelta(days=3), day + timedelta(days=4))
    n = 4000
    t = rng.integers(borders[0] - 10**7, borders[-1] + 10**7, n)
    moving = np.sort(rng.integers(borders[0], borders[-1], 50))
    ranked = [
        hold(raw(list(zip(t[: n // 2], rng.integers(60, 180, n // 2), strict=True))), 30),
        hold(
            raw(list(zip(t[n // 2 :], rng.integers(60, 180, n // 2), strict=True))),
            90,
            source=1,
            counts=Spans.of(moving, moving + 3_600_000),
        ),
    ]
    line = Timeline.of([(int(borders[2]) + 12_345, OWN)])
    pieces = resolve(ranked)
    sums = sum_minutes(tabulate_minutes(pieces, line), borders)
    silent = Spans.of(borders[:1], borders[-1:])
    gaps_start, gaps_end = np.append(silent.start, pieces.end), np.append(pieces.start, silent.end)
    gaps = Spans.of(np.maximum(gaps_start, borders[0]), np.minimum(gaps_end, borders[-1]))
    unmeasured = np.diff(gaps.before_ms(borders))
    assert (np.sum(sums.columns, axis=0) + unmeasured).tolist() == np.diff(borders).tolist()
    assert sums.unclassified_ms[0] > 0 < sums.elevated_ms.sum()
