"""Heart rate comes out of a file as it was put in, whatever shape the watch wrote it in."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.demo.fit_encoder import ERA, Fit, workout
from ingest.formats import fit
from ingest.formats.fit.placed import place_file
from ingest.formats.fit.recording import to_recording

START = 1_000_000_000
BPM = st.integers(0, 255)
SHAPE = st.builds(Fit, big_endian=st.booleans(), header_size=st.sampled_from([12, 14, 16]))


def plausible(samples: list[tuple[int, int]]) -> dict[int, int]:
    """What must come out of (seconds, bpm) in the order of the file: milliseconds since 1970 -> bpm."""
    kept = {(t + ERA) * 1000: b for t, b in samples if 30 <= b <= 230}
    return dict(sorted(kept.items()))


def found(data: bytes, kind: str) -> dict[int, int]:
    """What comes out: milliseconds since 1970 -> bpm, in the order it comes."""
    parts = [s for s in fit.heart_rate(data).series if s.kind == kind]
    assert len(parts) <= 1
    return {int(t): int(b) for s in parts for t, b in zip(s.times.astype(np.int64), s.bpm, strict=True)}


@given(SHAPE, st.lists(st.tuples(st.integers(START, START + 300), BPM), min_size=1, max_size=80))
def test_records_in_any_order(file: Fit, samples: list[tuple[int, int]]) -> None:
    """Records that repeat or go back in time come out ascending, the last word on a second winning."""
    for time, bpm in samples:
        file.record(time, bpm)
    data = file.done()
    assert list(found(data, "activity").items()) == list(plausible(samples).items())
    result = fit.heart_rate(data)
    assert result.dropped == sum(not 30 <= b <= 230 for _, b in samples)
    assert result.faults == ()


@given(SHAPE, st.lists(st.tuples(st.integers(0, 5), BPM, st.integers(0, 3), st.booleans()), max_size=120))
def test_records_of_many_layouts(file: Fit, steps: list[tuple[int, int, int, bool]]) -> None:
    """Layouts that change from message to message, and repeated definitions, do not disturb the order."""
    time, samples = START, []
    file.file_id()
    for step, bpm, local, again in steps:
        time += step
        extra = [(7, "uint16", 200)] * (local % 2)
        file.message(20, *extra, (253, "uint32", time), (3, "uint8", bpm), local=local, redefine=again)
        samples.append((time, bpm))
    assert found(file.done(), "activity") == plausible(samples)


@given(st.integers(1, 700), st.integers(1, 30), st.integers(0, 700), st.sampled_from([7, 20, 200]))
def test_long_runs(count: int, every: int, cut: int, size: int) -> None:
    """Runs of one kind of message, broken here and there by another, are followed to their last message."""
    file, samples = Fit().file_id(), []
    for i in range(count):
        bpm = 60 + i % 100
        file.message(20, (253, "uint32", START + i), (3, "uint8", bpm), (99, "byte", [0] * size), local=1)
        samples.append((START + i, bpm))
        if i % every == 0 and i >= cut:
            file.hrv(800)
    assert found(file.done(), "activity") == plausible(samples)


@given(SHAPE, st.lists(st.tuples(st.integers(0, 31), BPM, st.booleans()), min_size=1, max_size=100))
def test_compressed_timestamps(file: Fit, steps: list[tuple[int, int, bool]]) -> None:
    """Five bits in the header byte are completed from the stamp before, over any number of roll-overs."""
    time, samples = START, [(START, 100)]
    file.record(START, 100, local=0)
    for step, bpm, full in steps:
        time += step
        file.record(time, bpm, local=1 if full else 2, compressed=not full)
        samples.append((time, bpm))
    assert found(file.done(), "activity") == plausible(samples)


def test_compressed_layouts_change() -> None:
    """A header byte with a time in it means the layout its local number has now, not the one it had."""
    file = Fit().record(START, 100, local=3)
    file.message(20, (3, "uint8", 110), local=3, compressed=START + 1)
    file.message(20, (7, "uint16", 250), (3, "uint8", 120), local=3, compressed=START + 2)
    file.message(20, (3, "uint8", 130), local=3, compressed=START + 3)
    assert list(found(file.done(), "activity").values()) == [100, 110, 120, 130]


def test_reserved_bits_in_a_header_byte() -> None:
    """Bits 4 and 5 of a data message's header byte say nothing; readers of the SDK ignore them."""
    file = Fit().record(START, 100, local=1)
    content = struct.pack("<IBB", START + 1, 111, 80)
    data = file.raw(b"\x11" + content).raw(b"\x31" + content[:4] + b"\x70\x50").done()
    assert list(found(data, "activity").values()) == [100, 112]


@given(
    SHAPE,
    st.integers(START, START + 200_000),
    st.lists(st.tuples(st.integers(-9000, 9000), BPM, st.booleans()), min_size=1, max_size=60),
)
def test_monitoring_takes_the_nearest(file: Fit, start: int, steps: list[tuple[int, int, bool]]) -> None:
    """Sixteen bits of time mean the moment nearest to the last full timestamp, earlier or later."""
    file.monitoring_info(start)
    full, samples = start, []
    for step, bpm, restamp in steps:
        time = full + step
        if restamp:
            full = time
            file.monitoring(time, (24, "byte", 8))
        file.monitoring_bpm(time, bpm)
        samples.append((time, bpm))
    assert found(file.done(), "monitoring") == plausible(samples)


def test_event_ahead_of_its_turn() -> None:
    """An event stamped later than the heart rates after it must not throw them 18 hours ahead (choochoo #5)."""
    file = Fit().file_id(32).monitoring_info(START)
    file.timer(START + 600, start=True).monitoring_bpm(START + 60, 61).monitoring_bpm(START + 120, 62)
    assert found(file.done(), "monitoring") == plausible([(START + 60, 61), (START + 120, 62)])


def test_sixteen_bits_before_any_full_timestamp() -> None:
    """Where the first full timestamp comes later it serves as well; where none comes there is no date."""
    early = Fit().monitoring_bpm(START - 60, 61).monitoring_info(START)
    assert found(early.done(), "monitoring") == plausible([(START - 60, 61)])
    never = fit.heart_rate(Fit().monitoring_bpm(START, 61).done())
    assert (never.series, never.undated) == ((), 1)


@given(
    SHAPE,
    st.integers(0, 2**32 - 1),
    st.integers(0, 32767),
    st.lists(st.lists(st.tuples(st.integers(1, 4000), BPM), min_size=8, max_size=8), max_size=12),
)
def test_remembered_by_the_strap(
    file: Fit, event: int, fraction: int, groups: list[list[tuple[int, int]]]
) -> None:
    """Twelve-bit event times are added up from their anchor, also when the strap's clock runs over."""
    file.hr_anchor(START, event, 77, fraction=fraction)
    ticks, expected = 0, {(START + ERA) * 1000 + round_half_up(fraction * 1000, 32768): 77}
    for group in groups:
        times = []
        for step, bpm in group:
            ticks += step
            times.append((event + ticks) % 2**32)
            if 30 <= bpm <= 230:
                at = round_half_up((fraction + 32 * ticks) * 1000, 32768)
                expected[(START + ERA) * 1000 + at] = bpm
        file.hr_events(times, [bpm for _, bpm in group])
    assert found(file.done(), "activity") == dict(sorted(expected.items()))


def round_half_up(value: int, by: int) -> int:
    return (value + by // 2) // by


def test_a_second_anchor_starts_anew() -> None:
    """After a gap the strap anchors its clock again; nothing is carried over it."""
    file = Fit().hr_anchor(START, 1000, 70).hr_events([1000 + 1024 * i // 2 for i in range(1, 9)], [71] * 8)
    file.hr_anchor(START + 900, 5_000_000, 80).hr_events([5_000_512], [81])
    times = list(found(file.done(), "activity"))
    assert times[8] - times[0] == 4000
    assert times[9] == (START + 900 + ERA) * 1000
    assert times[10] - times[9] == 500


def test_remembered_without_an_anchor() -> None:
    """Counts that nothing ties to a date are no samples, and are counted."""
    result = fit.heart_rate(Fit().hr_events([100, 200, 300], [80, 81, 82]).done())
    assert (result.series, result.undated) == ((), 3)


def test_memory_is_preferred_inside_its_span() -> None:
    """Where a strap remembered, the record of the same seconds gives way; outside and in its silence it stays."""
    file = Fit()
    for i in range(0, 200, 10):
        file.record(START + i, 100)
    file.hr_anchor(START + 45, 1024, 150).hr_events([1024 * (1 + i) for i in range(1, 9)], [150] * 8)
    file.hr_anchor(START + 120, 500_000, 151)
    series = found(file.done(), "activity")
    seconds = [(t // 1000 - ERA - START, b) for t, b in series.items()]
    assert (50, 100) not in seconds
    assert (50, 150) in seconds
    assert [s for s, b in seconds if b == 100] == [s for s in range(0, 200, 10) if s not in (50, 120)]


@given(SHAPE, st.integers(1, 90), st.lists(BPM, min_size=1, max_size=40))
def test_arrays_of_heart_rates(file: Fit, interval: int, bpm: list[int]) -> None:
    """hsa_heart_rate_data holds a value per processing interval from its timestamp on."""
    file.hsa_heart_rate(START, bpm, interval=interval)
    samples = [(START + interval * i, b) for i, b in enumerate(bpm)]
    assert found(file.done(), "monitoring") == plausible(samples)


@pytest.mark.parametrize(
    ("base", "content"),
    [
        ("uint8", b"\x78"),
        ("uint16", b"\x78\x00"),
        ("uint32", b"\x78\0\0\0"),
        ("float32", struct.pack("<f", 120.0)),
    ],
)
def test_developer_field_where_there_is_no_native_one(base: str, content: bytes) -> None:
    """An app's own heart rate is used where the watch wrote none, in whatever type the app chose."""
    file = Fit().developer_field(5, base)
    file.message(20, (253, "uint32", START), local=1, developer=[(5, 0, content)])
    file.message(20, (253, "uint32", START + 1), (3, "uint8", 99), local=2, developer=[(5, 0, content)])
    file.message(20, (253, "uint32", START + 2), (3, "uint8", 255), local=2, developer=[(5, 0, content)])
    assert list(found(file.done(), "activity").values()) == [120, 99, 120]


def test_developer_values_above_any_heart_rate_were_written() -> None:
    """Protects from "written without a heart rate": an app's 376 is thrown away as too high, its 65535 never was one."""
    file = Fit().developer_field(5, "uint16")
    for i, value in enumerate((120, 376, 0xFFFF, 121)):
        file.message(20, (253, "uint32", START + i), developer=[(5, 0, value.to_bytes(2, "little"))])
    read = fit.read(file.done())
    assert read.series[0].bpm.tolist() == [120, 121]
    left_out = "left out as no heart rate: 1 value (1 above 230); 1 record was written without a heart rate."
    assert to_recording(read).remarks.casefold() == left_out


@pytest.mark.parametrize("size", [0, 1, 3, 200])
def test_developer_fields_that_nobody_describes(size: int) -> None:
    """A developer field of any size, without a description, is stepped over."""
    file = Fit()
    for i in range(5):
        file.message(20, (253, "uint32", START + i), (3, "uint8", 90 + i), developer=[(1, 9, b"\x77" * size)])
    assert list(found(file.done(), "activity").values()) == [90, 91, 92, 93, 94]


def test_counts_from_power_on_are_no_dates() -> None:
    """A watch that did not know the date leaves no samples in 1990, and the file says so."""
    file = fit.read(Fit().file_id().record(5000, 100).record(5001, 101).done())
    assert file.series == ()
    assert file.faults == ()
    told = "its clock was not set: 2 values have no date"
    assert file.notes == (told, "the file is kept, and counts once it is said when it was: hartslag clock")
    assert not to_recording(file).whole, "it is not said to be stored with nothing in it"


@pytest.mark.parametrize("header_size", [12, 14])
def test_a_file_placed_by_hand_has_the_dates_it_was_given(header_size: int) -> None:
    """Protects a placed workout: each of its times moves by the same, in each of its chained files, and nothing else changes."""
    data = b""
    for first, bpm in ((5000, 100), (5100, 120)):
        file = Fit(header_size=header_size).file_id()
        for i in range(60):
            file.record(first + i, bpm)
        data += file.done()
    undated = fit.read(data).undated
    assert undated is not None
    assert (undated.samples, undated.first_s, undated.last_s) == (120, 5000, 5159)
    placed = fit.read(place_file(data, undated.first_s, (START + ERA) * 1000))
    assert (placed.faults, placed.notes, placed.undated) == ((), (), None)
    (series,) = placed.series
    seconds = (series.times.astype(np.int64) // 1000 - ERA - START).tolist()
    assert seconds == [*range(60), *range(100, 160)]
    assert series.bpm.tolist() == [100] * 60 + [120] * 60


def test_counts_from_power_on_with_a_correlation() -> None:
    """Where the watch says which date a count meant, the samples before are dated, too."""
    file = Fit().record(5000, 100).record(5001, 101).correlation(START + 10, 5010).record(START + 11, 102)
    assert found(file.done(), "activity") == plausible([(START, 100), (START + 1, 101), (START + 11, 102)])


def test_a_record_without_a_time_is_no_sample() -> None:
    """Some swims stamp their records "never": there is a heart rate and no moment for it."""
    result = fit.heart_rate(Fit().record(0xFFFFFFFF, 100).record(None, 101).record(START, 102).done())
    assert [len(s) for s in result.series] == [1]
    assert result.undated == 2


@given(
    st.lists(st.lists(st.tuples(st.integers(START, START + 999), BPM), max_size=9), min_size=1, max_size=5)
)
def test_chained_files(parts: list[list[tuple[int, int]]]) -> None:
    """Files in a row are one recording; the layouts of one mean nothing in the next."""
    data = b""
    for i, samples in enumerate(parts):
        file = Fit(big_endian=bool(i % 2)).file_id()
        for time, bpm in samples:
            file.message(20, *[(6, "uint16", 9)] * (i % 3), (253, "uint32", time), (3, "uint8", bpm), local=1)
        data += file.done()
    assert found(data, "activity") == plausible([sample for part in parts for sample in part])
    assert fit.heart_rate(data).faults == ()


def test_the_arrays_belong_to_nobody() -> None:
    """What is read cannot be changed by who gets it, and does not hold on to the file."""
    series = fit.read(workout(START, [100] * 500)).series[0]
    for column in (series.times, series.bpm):
        assert not column.flags.writeable
        assert column.base is None or column.base.nbytes <= column.nbytes
    with pytest.raises(ValueError, match="read-only"):
        series.bpm[0] = 1


def test_until_when_it_was_recorded() -> None:
    """The end is the timer's last stop, or the last record where it was never stopped."""
    assert fit.read(workout(START, [100] * 10)).series[0].end == np.datetime64(
        (START + ERA + 10) * 1000, "ms"
    )
    unstopped = Fit().timer(START, start=True).record(START, 100).record(START + 7, 255)
    assert fit.heart_rate(unstopped.done()).series[0].end == np.datetime64((START + ERA + 7) * 1000, "ms")
    assert fit.heart_rate(Fit().monitoring_info(START).monitoring_bpm(START, 60).done()).series[0].end is None


@pytest.mark.parametrize(
    ("stopped_s", "lasts_s", "ends_s"), [(None, 100, 100), (None, 300, 90), (92, 100, 92)]
)
def test_without_a_stop_the_last_sample_stands_until_its_workout_ends(
    stopped_s: int | None, lasts_s: int, ends_s: int
) -> None:
    """Protects the last seconds of programs that write a heart rate every ten and press no stop: not longer than others stand."""
    file = Fit()
    for i in range(10):
        file.record(START + 10 * i, 120)
    if stopped_s:
        file.timer(START + stopped_s, start=False)
    (series,) = fit.read(file.session(START, lasts_s).done()).series
    assert series.end == np.datetime64((START + ERA + ends_s) * 1000, "ms")


def test_fast_way_and_whole_way_agree() -> None:
    """`heart_rate` gives the very samples that `read` gives."""
    data = workout(START, [0, 255, *range(60, 200)])
    quick, whole = fit.heart_rate(data), fit.read(data)
    assert np.array_equal(quick.series[0].times, whole.series[0].times)
    assert np.array_equal(quick.series[0].bpm, whole.series[0].series.bpm)
    assert (quick.dropped, quick.faults) == (whole.dropped, whole.faults) == (2, ())


@pytest.mark.parametrize(
    ("kind", "none"),
    [("uint16", 0xFFFF), ("sint16", 0x7FFF), ("uint32", 0xFFFFFFFF), ("float32", float("nan"))],
)
@pytest.mark.parametrize("big_endian", [False, True])
def test_a_heart_rate_of_more_than_a_byte(kind: str, none: float, big_endian: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Protects what programs wrote who took another type for a heart rate: other decoders find it, and so do we."""
    file = Fit(big_endian=big_endian)
    for i, bpm in enumerate((120, 131, none, 300, 0)):
        file.message(20, (253, "uint32", START + i), (3, kind, bpm))
    read = fit.read(file.done())
    assert read.series[0].bpm.tolist() == [120, 131]
    assert (read.dropped, read.unwritten, read.too_high) == (3, 1, 1)


def test_several_heart_rates_in_one_record_are_not_guessed_at() -> None:
    """Protects from a number of two bytes that is two heart rates."""
    file = Fit()
    for i in range(5):
        file.message(20, (253, "uint32", START + i), (3, "uint8", [120, 121]))
    assert fit.read(file.done()).series == ()
