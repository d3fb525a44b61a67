"""Resting, recovery, highest, load, bouts and clocks: what else a heart rate tells."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from zones.bouts import count_only_in, find_bouts, find_efforts
from zones.edges import Edges, Timeline
from zones.load import banister, edwards
from zones.minutes import sum_pieces
from zones.offset import find_offset
from zones.pieces import Pieces, hold, milliseconds_per_bpm, resolve
from zones.recovery import find_highest, measure_recovery
from zones.resting import find_resting, find_usual_resting
from zones.series import Series
from zones.spans import Spans

HOUR = 3_600_000
LINE = Timeline.of([(-(10**15), Edges.from_bpm(109, 131))])


def series(bpm: Any, start: int = 0, step: int = 1) -> Series:
    return Series.of((start + np.arange(len(bpm), dtype=np.int64) * step * 1000).view("datetime64[ms]"), bpm)


def pieces(*parts: tuple[int, int], start: int = 0, step: int = 1) -> Pieces:
    """Seconds at bpm, one after the other."""
    bpm = np.concatenate([np.full(n // step, value) for n, value in parts])
    return hold(series(bpm, start, step), max(5, step))


def held(*parts: tuple[int, int]) -> NDArray[np.int64]:
    """How long each heart rate held in such pieces."""
    return milliseconds_per_bpm(pieces(*parts))


class TestLoad:
    """Training load."""

    @pytest.mark.parametrize(
        ("minutes", "bpm", "rest", "most", "man", "woman"),
        [
            (60, 150, 60, 190, 100.4403, 113.5168),
            (30, 130, 60, 170, 41.4606, 47.5184),
            (40, 120, 55, 175, 39.2318, 46.0411),
        ],
    )
    def test_banister(self, minutes: int, bpm: int, rest: int, most: int, man: float, woman: float) -> None:
        """Worked values, with the coefficients published for each sex."""
        steady = held((minutes * 60, bpm))
        assert banister(steady, rest, most, "man") == pytest.approx(man, abs=1e-4)
        assert banister(steady, rest, most, "woman") == pytest.approx(woman, abs=1e-4)

    def test_banister_sums_over_samples(self) -> None:
        """Half easy and half hard is more than all of it in between: 97.93, where the mean would say 77.02."""
        mixed = held((1800, 110), (1800, 170))
        assert banister(mixed, 60, 190, "man") == pytest.approx(97.93, abs=5e-3)
        assert banister(held((3600, 140)), 60, 190, "man") != pytest.approx(97.93, abs=5)

    def test_banister_beyond_the_ends(self) -> None:
        """Below rest counts nothing, above the maximum no more than the maximum."""
        assert banister(held((600, 50)), 60, 190, "man") == 0
        assert banister(held((600, 200)), 60, 190, "man") == banister(held((600, 190)), 60, 190, "man")
        with pytest.raises(ValueError, match="apart"):
            banister(held((600, 100)), 151, 190, "man")
        assert banister(held((600, 100)), 150, 190, "man") == 0, "forty apart are enough"

    def test_edwards(self) -> None:
        """Ten minutes in each of six places, from below half of 200: weights 0 to 5."""
        assert edwards(held(*((600, bpm) for bpm in (99, 100, 120, 140, 160, 180))), 200) == 10 * 15
        assert edwards(milliseconds_per_bpm(Pieces.none()), 200) == 0


class TestRecovery:
    """How far the heart came down."""

    def test_a_minute_after(self) -> None:
        """From 165 to 135 within the minute: thirty."""
        ran = series([165] * 300 + [165 - i // 2 for i in range(120)])
        assert measure_recovery(ran, 300_000, 131) == 165 - 135
        assert measure_recovery(ran, 300_000, 131, after=110) == 165 - 110

    def test_a_spike_at_the_end_does_not_matter(self) -> None:
        """Medians, not single samples."""
        bpm = [165] * 300 + [135] * 90
        bpm[299], bpm[360] = 220, 60
        assert measure_recovery(series(bpm), 299_000, 131) == 30

    def test_not_recorded(self) -> None:
        """Most watches stop with the effort: no number, rather than one from somewhere else."""
        assert measure_recovery(series([165] * 300), 300_000, 131) is None
        assert measure_recovery(series([165] * 300 + [0] * 90), 300_000, 131) is None
        assert measure_recovery(series([120] * 400), 300_000, 131) is None
        assert measure_recovery(Series.empty(), 0, 131) is None

    def test_the_moment_of_the_stop_is_part_of_the_effort(self) -> None:
        """Protects what was recorded every ten seconds: the sample at the stop is where the heart started from."""
        sparse = series([150, 160, 170, 140, 140, 140, 140, 140, 130, 130], step=10)
        assert measure_recovery(sparse, 20_000, 131) == 170 - 130
        before = Series.of(np.array([0, 65_000], dtype=np.int64).view("datetime64[ms]"), [170, 130])
        assert measure_recovery(before, 5000, 131) == 40, "and so is what was five seconds before it"
        assert measure_recovery(before, 5001, 131) is None

    @pytest.mark.parametrize(("at_s", "there"), [(56, False), (57, True), (63, True), (64, False)])
    def test_how_near_to_a_minute_after(self, at_s: int, there: bool) -> None:  # noqa: FBT001
        """Protects the comparison with other days: what is farther from the minute than three seconds is not it."""
        two = Series.of(np.array([0, at_s * 1000], dtype=np.int64).view("datetime64[ms]"), [170, 130])
        assert measure_recovery(two, 0, 170) == (40 if there else None)
        assert measure_recovery(two, 0, 171) is None, "it did not end vigorous"

    @pytest.mark.parametrize("before", [200, 201, 16_384, 16_385])
    def test_the_highest_of_every_window(self, before: int) -> None:
        """Protects a maximum that one window alone holds, wherever it lies: eight of fifteen, first and last among them."""
        bpm = np.full(before + 600, 150)
        bpm[before : before + 15 : 2] = 200
        assert find_highest(series(bpm)) == 200
        bpm[before] = 150
        assert find_highest(series(bpm)) == 150

    def test_the_highest_of_a_sensor_that_speaks_seldom(self) -> None:
        """Protects straps that notify every other second: fifteen samples within half a minute are enough, not more."""
        assert find_highest(series([150] * 60, step=2)) == 150
        t = np.linspace(0, 30_000, 15).astype(np.int64)
        assert find_highest(Series.of(t.view("datetime64[ms]"), [150] * 15)) == 150
        t[-1] += 1
        assert find_highest(Series.of(t.view("datetime64[ms]"), [150] * 15)) is None

    def test_the_highest(self) -> None:
        """A spike of seven seconds is no maximum; eight of fifteen seconds are. Gaps and faults hold none."""
        assert find_highest(series([150] * 60 + [200] * 7 + [150] * 60)) == 150
        assert find_highest(series([150] * 60 + [200] * 8 + [150] * 60)) == 200
        assert find_highest(series([150] * 60 + [255] * 20)) == 150
        assert find_highest(series([150] * 10)) is None
        assert find_highest(series([150] * 60, step=60)) is None


class TestResting:
    """The quietest five minutes."""

    DAYS = np.array([0, 24 * HOUR, 48 * HOUR])

    def test_the_lowest_mean(self) -> None:
        """Five minutes at 50 in a night at 56: fifty, for the day they lie in."""
        night = pieces((2 * 3600, 56), (300, 50), (3600, 56), start=2 * HOUR, step=60)
        assert find_resting(night, Spans.none(), self.DAYS).tolist() == pytest.approx(
            [50, np.nan], nan_ok=True
        )

    def test_a_strap_worn_for_training_has_none(self) -> None:
        """An hour before a run is not a rest; under two hours there is no value."""
        assert np.isnan(find_resting(pieces((7100, 60)), Spans.none(), self.DAYS)).all()
        assert find_resting(pieces((7200, 60)), Spans.none(), self.DAYS)[0] == 60
        assert np.isnan(find_resting(pieces((7199, 60)), Spans.none(), self.DAYS)).all()

    def test_not_after_exercise(self) -> None:
        """Neither exercise nor the hour after it are rest, however low the heart rate."""
        day = pieces((4 * 3600, 60), (3600, 40), (3600, 45), (3600, 62), step=60)
        ran = Spans.of([4 * HOUR], [5 * HOUR])
        assert find_resting(day, ran, self.DAYS)[0] == 60
        assert find_resting(day, Spans.none(), self.DAYS)[0] == 40

    def test_a_window_that_touches_exercise(self) -> None:
        """Four quiet minutes and one of exercise are not five minutes of rest."""
        day = pieces((3 * 3600, 60), (240, 40), (3600, 130), step=60)
        assert find_resting(day, Spans.of([3 * HOUR + 240_000], [4 * HOUR + 240_000]), self.DAYS)[0] == 44

    def test_a_gappy_window_does_not_count(self) -> None:
        """Three minutes at 40 alone are no five minutes."""
        day = resolve([pieces((3 * 3600, 60), step=60), pieces((180, 40), start=10 * HOUR, step=60)])
        assert find_resting(day, Spans.none(), self.DAYS)[0] == 60

    def test_four_of_five_minutes_are_enough(self) -> None:
        """Protects nights with a little silence: a window measured to exactly four fifths counts, a second less does not."""
        for seconds, lowest in ((240, 40), (239, 60)):
            day = resolve([pieces((3 * 3600, 60)), pieces((seconds, 40), start=10 * HOUR)])
            assert find_resting(day, Spans.none(), self.DAYS)[0] == lowest

    def test_exercise_of_the_day_before_takes_no_rest_away(self) -> None:
        """Protects the day after a long run: only exercise within the day makes its rest shorter."""
        night = pieces((9000, 60), start=30 * HOUR)
        assert find_resting(night, Spans.of([2 * HOUR], [6 * HOUR]), self.DAYS)[1] == 60

    def test_exercise_takes_rest_away(self) -> None:
        """Protects days of training: of three hours one and a half are left beside half an hour of it and the hour after."""
        assert np.isnan(find_resting(pieces((3 * 3600, 60)), Spans.of([0], [HOUR // 2]), self.DAYS)[0])

    def test_a_day_that_begins_within_a_minute(self) -> None:
        """Protects zones of the past with odd offsets: the minute that the day before shares is no part of a window."""
        day = pieces((3 * 3600, 60), (60, 40), (3 * 3600, 60))
        assert find_resting(day, Spans.none(), np.array([3 * HOUR + 30_000, 24 * HOUR]))[0] == 60

    def test_a_day_that_ends_within_a_minute(self) -> None:
        """Protects zones of the past with odd offsets: what lies in a last part of a minute is no window of its own."""
        day = pieces((3 * 3600, 60), (90, 40))
        assert find_resting(day, Spans.none(), np.array([0, 3 * HOUR + 30_000]))[0] == 60

    def test_usual(self) -> None:
        """The median of known days, and nothing from a few."""
        assert find_usual_resting(np.array([50, 52, np.nan, 51, 60, 49, 50, 51])) == 51
        assert np.isnan(find_usual_resting(np.array([50.0] * 6)))
        assert np.isnan(find_resting(Pieces.none(), Spans.none(), self.DAYS)).all()


def milliseconds_of(spans: Spans) -> set[int]:
    return {ms for a, b in zip(spans.start.tolist(), spans.end.tolist(), strict=True) for ms in range(a, b)}


def bouts_by_hand(effort: Spans, least: int, interruption: int) -> set[int]:
    """The milliseconds in any window of `least` that has effort enough and no longer rest, at its ends neither."""
    hard = milliseconds_of(effort)
    rests = dict.fromkeys(range(min(hard, default=0), max(hard, default=-1) + 1), 0)
    for a, b in zip(effort.end[:-1].tolist(), effort.start[1:].tolist(), strict=True):
        rests |= dict.fromkeys(range(a, b), b - a)
    found: set[int] = set()
    for start in rests:
        window = range(start, start + least)
        enough = sum(ms in hard for ms in window) >= least - interruption
        if enough and all(rests.get(ms, interruption + 1) <= interruption for ms in window):
            found |= set(window)
    return found


short_efforts = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 12)), max_size=8).map(
    lambda rows: Spans.pairs((a, a + n) for a, n in rows)
)
rules = st.integers(1, 15).flatmap(lambda least: st.tuples(st.just(least), st.integers(0, least - 1)))


class TestBouts:
    """A minimum length, for who wants one."""

    @given(short_efforts, rules)
    def test_as_found_by_hand(self, effort: Spans, rule: tuple[int, int]) -> None:
        """Every moment in a bout is in a window that is one, and no other moment is: found slowly, window by window."""
        least, rest = rule
        found = find_bouts(effort, least / 1000, rest / 1000)
        assert milliseconds_of(found) == bouts_by_hand(effort, least, rest)

    @given(short_efforts, rules, st.integers(-20, 80), st.integers(1, 40))
    def test_a_part_is_told_by_what_lies_around_it(
        self, effort: Spans, rule: tuple[int, int], start: int, lasts: int
    ) -> None:
        """A follower that looks at half an hour and its surroundings finds what one finds who looks at the whole day."""
        least, rest = rule
        end, around = start + lasts, least + rest
        near = find_bouts(effort.clip(start - around, end + around), least / 1000, rest / 1000)
        whole = find_bouts(effort, least / 1000, rest / 1000)
        assert milliseconds_of(near.clip(start, end)) == milliseconds_of(whole.clip(start, end))

    def test_eight_of_ten(self) -> None:
        """Ten minutes with two of rest in them are a bout; with longer rest, or shorter in all, they are none."""
        walk = find_efforts(pieces((240, 115), (120, 100), (240, 140)), LINE)
        assert find_bouts(walk, 600, 120).measure_ms == 600_000
        assert len(find_bouts(walk, 600, 119)) == 0
        assert len(find_bouts(walk, 601, 120)) == 0
        assert find_bouts(walk, 240, 0).measure_ms == 480_000
        many = find_efforts(pieces(*[(30, 115), (110, 100)] * 8), LINE)
        assert len(find_bouts(many, 600, 120)) == 0
        assert len(find_bouts(Spans.none(), 600, 120)) == 0

    def test_only_bouts_count(self) -> None:
        """What is outside them is kept apart as elevated; not a second is lost."""
        day = pieces((60, 120), (300, 90), (600, 120), (300, 90))
        kept = count_only_in(day, find_bouts(find_efforts(day, LINE), 600, 120))
        assert [int(c[0]) for c in sum_pieces(kept, LINE).columns] == [600_000, 600_000, 0, 60_000, 0]

    def test_effort_follows_the_edges_in_force(self) -> None:
        """A change of edges within one long sample begins or ends effort at that moment."""
        line = Timeline.of([(0, Edges.from_bpm(100, 131)), (2000, Edges.from_bpm(120, 131))])
        assert find_efforts(hold(series([110]), 5, ends=[5000]), line).end.tolist() == [2000]

    def test_elevated_is_no_effort(self) -> None:
        """Time that does not count makes no bout."""
        quiet = hold(series([120] * 700), 5, counts=False)
        assert len(find_efforts(quiet, LINE)) == 0
        assert not count_only_in(quiet, Spans.of([0], [HOUR])).counts.any()


class TestOffset:
    """Two clocks, one heart."""

    HEART = np.clip(np.cumsum(np.random.default_rng(5).normal(0, 2, 4000)) + 120, 60, 190)

    def heard(self, *, shift: int = 0, noise: float = 2, seconds: int = 1800, gap: bool = False) -> Pieces:
        rng = np.random.default_rng(6)
        at = np.arange(500, 500 + seconds, dtype=np.int64)
        bpm = np.clip(self.HEART[at] + rng.normal(0, noise, seconds), 40, 200).astype(np.uint8)
        if gap:
            bpm[300:400] = 0
        return hold(series(bpm, (500 + shift) * 1000), 5)

    @pytest.mark.parametrize("shift", [-150, -6, 6, 47, 170])
    def test_found(self, shift: int) -> None:
        """A clock that is ahead or behind is told to about a second, noise and a gap notwithstanding."""
        found = find_offset(self.heard(noise=0), self.heard(shift=shift, gap=True))
        assert found is not None
        assert abs(found.seconds - shift) <= 1
        assert found.likeness > 0.99
        assert found.likeness > found.likeness_now

    @pytest.mark.parametrize("shift", [-3, 8])
    def test_a_pulse_that_repeats_itself(self, shift: int) -> None:
        """Protects good clocks from minutes of intervals: of several offsets that are as likely the smallest is the clock's."""
        every = 120 + np.resize([0, 3, 5, 6, 5, 3, 0, -3, -5, -6, -5, -3], 3000).repeat(7)[:3000]
        one, other = (hold(series(every, begins), 5) for begins in (500_000, 500_000 + shift * 1000))
        found = find_offset(one, other)
        assert (found and found.seconds) == (None if abs(shift) <= 5 else shift)

    def test_good_clocks(self) -> None:
        """Up to five seconds nobody is bothered."""
        for shift in (-5, 0, 3, 5):
            assert find_offset(self.heard(noise=0), self.heard(shift=shift)) is None

    def test_unknown(self) -> None:
        """Too short, too rare, too steady, not overlapping, or two different hearts: no claim."""
        one = self.heard()
        assert find_offset(one, self.heard(shift=30, seconds=500)) is None
        assert find_offset(one, Pieces.none()) is None
        assert find_offset(one, hold(series(self.HEART[:3000:60].astype(np.uint8), step=60), 90)) is None
        assert find_offset(hold(series([70] * 3000), 5), one) is None
        assert find_offset(one, self.heard(shift=5000)) is None
        assert find_offset(self.heard(noise=0), self.heard(shift=100, noise=60)) is None
        noise = np.random.default_rng(1).normal(0, 1, (2, 3000))
        waves, climb = 110 + 30 * np.sin(np.arange(3000, dtype=np.int64) / 48), np.linspace(80, 160, 3000)
        assert find_offset(hold(series(waves), 5), hold(series(waves + 25 * noise[0], 100_000), 5)) is None
        inner = hold(series((climb + 5 * noise[0])[500:2500], 500_000), 5)
        assert find_offset(inner, hold(series(climb + 5 * noise[1]), 5)) is None
        other = np.random.default_rng(9).integers(60, 180, 4000)
        assert find_offset(one, hold(series(other), 5)) is None


def test_any_series_will_do() -> None:
    """Columns are asked for, not a class."""
    assert (
        len(
            hold(
                SimpleNamespace(
                    times=np.arange(3, dtype=np.int64).astype("datetime64[s]"), bpm=np.array([60, 61, 62])
                ),
                5,
            )
        )
        == 3
    )
