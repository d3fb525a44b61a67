"""What is damaged is said in words; what can be read of it is kept; what is no FIT file is refused."""

import contextlib
import struct
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.demo.fit_encoder import ERA, Fit, workout
from ingest.errors import Unusable
from ingest.formats import fit

START = 1_000_000_000


def whole() -> Fit:
    file = Fit().file_id(created=START)
    for i in range(100):
        file.record(START + i, 100 + i)
    return file


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"\x00\x05\x16\x07" + bytes(160), "AppleDouble"),
        (b"<?xml version='1.0'?><gpx/>", "not a FIT file"),
        (b"\x0e\x20", "not a FIT file"),
        (b"\x0b" + workout(START, [100])[1:], "not a FIT file"),
        (Fit().done(), "nothing to read"),
        (Fit().raw(b"\x01\x02\x03\x04").done(), "nothing before it defines"),
        (Fit().file_id().done()[:20], "cut off"),
        (Fit().define(20, [(253, 4, 0x86)]).done(), "nothing to read"),
    ],
)
def test_refused(data: bytes, why: str) -> None:
    """What holds nothing to read is refused with a sentence that says why."""
    for reader in (fit.read, fit.heart_rate):
        with pytest.raises(Unusable, match=why):
            reader(data)


def test_intact() -> None:
    """An intact file has no faults and no notes."""
    file = fit.read(whole().done())
    assert (file.faults, file.notes) == ((), ())
    assert fit.looks_whole(whole().done())


@pytest.mark.parametrize(
    ("data", "fault", "kept"),
    [
        (whole().done(crc=0x1234), "the checksum is wrong", 100),
        (whole().done(crc=0), "the checksum is wrong", 100),
        (whole().done(without_crc=True), "its checksum is missing", 100),
        (whole().done()[:-1], "half of its checksum is missing", 100),
        (whole().done(header_crc=0x1234), "the checksum of its header is wrong", 100),
        (whole().done(without_crc=True)[:-3], "cut off: its header promises", 99),
        (whole().done()[:300], "cut off: its header promises", 33),
        (whole().done(data_size=0, without_crc=True), "never finished", 100),
        (whole().done() + b"more" + whole().done(), "bytes after its end", 100),
        (whole().done() + whole().done()[:10], "10 bytes after its end", 100),
        (whole().done() + whole().done().replace(b".FIT", b".GIT"), "bytes after its end", 100),
        (whole().done() + whole().done().replace(b".FIT", b"GARM"), "bytes after its end", 100),
        (whole().done(crc=1) + bytes(9), "9 bytes after its end", 100),
        (whole().done(data_size=len(whole().body) - 3), "its last message", 99),
        (whole().raw(b"\x07\x00").record(START + 900, 60).done(), "nothing before it defines", 100),
        (whole().raw(b"\x41\x00\x00\x14\x00\x09\xfd").done(), "its last message or definition is cut", 100),
        (whole().raw(b"\x61\x00\x00\x14\x00\x00").done(), "its last message or definition is cut", 100),
        (whole().done() + workout(START + 500, [90] * 20)[:-140], "cut off", 112),
        (whole().done() + whole().done(crc=1), "of chained file 2 of 2 is wrong", 100),
    ],
)
def test_salvaged(data: bytes, fault: str, kept: int) -> None:
    """Everything before the fault is kept, and the fault is named."""
    file = fit.read(data)
    assert any(fault in f for f in file.faults), file.faults
    assert len(file.series[0]) == kept
    # A frame can be whole around messages that are not.
    assert fit.looks_whole(data) == (
        fault in {"nothing before it defines", "its last message or definition is cut"}
    )


@pytest.mark.parametrize(
    ("behind", "told"),
    [
        (bytes(512), "it is whole; 512 bytes after its end are empty and were passed over"),
        (b"\xff" * 7, "it is whole; 7 bytes after its end are empty and were passed over"),
        (b"\x00", "it is whole; 1 byte after its end is empty and was passed over"),
        (b"some more", "it is whole; 9 bytes after its end are no FIT and were passed over"),
        (b"\x0e\x10 no header", "it is whole; 12 bytes after its end are no FIT and were passed over"),
    ],
)
def test_what_lies_behind_a_whole_file(behind: bytes, told: str) -> None:
    """What a program or a firmware appends behind a right checksum takes nothing from a file, and is told."""
    file = fit.read(whole().done() + behind)
    assert (file.faults, file.notes) == ((), (told,))
    assert len(file.series[0]) == 100
    assert fit.looks_whole(whole().done() + behind)


@pytest.mark.parametrize(
    ("between", "told"),
    [
        (bytes(37), "37 bytes between the files chained in it are empty and were passed over"),
        (b"\xff" * 512, "512 bytes between the files chained in it are empty and were passed over"),
        (b"\0", "1 byte between the files chained in it is empty and was passed over"),
    ],
)
def test_empty_bytes_between_whole_files_lose_nothing(between: bytes, told: str) -> None:
    """Protects a workout that a program chained behind another at the next round place: what lies between is passed over."""
    data = whole().done() + between + workout(START + 500, [90] * 20)
    file = fit.read(data)
    assert (file.faults, file.notes) == ((), (told,))
    assert len(file.series[0]) == 120
    assert fit.looks_whole(data)
    assert not fit.looks_whole(data[:-1])
    assert not fit.looks_whole(data[:-9] + b"?" + data[-8:])


def test_header_checksum_of_zero() -> None:
    """Zero stands for "not set"; 46 of 594 real files have it."""
    data = whole().done(header_crc=0)
    assert fit.read(data).faults == ()
    assert fit.looks_whole(data)


@given(st.integers(0, 1200))
def test_half_a_copy_never_looks_whole(size: int) -> None:
    """A file that is still being copied is told from a finished one at every length."""
    data = whole().done()
    part = data[:size]
    assert fit.looks_whole(part) == (len(part) == len(data))
    assert not fit.looks_whole(part + bytes(len(data) - len(part))) or len(part) == len(data)


@given(st.integers(0, 1200))
def test_cut_anywhere(size: int) -> None:
    """A file cut at any byte gives a prefix of its samples, and says so."""
    data = whole().done()
    try:
        file = fit.read(data[:size])
    except Unusable:
        assert size < 60
        return
    bpm = [int(b) for s in file.series for b in s.bpm]
    assert bpm == list(range(100, 100 + len(bpm)))
    assert bool(file.faults) == (size < len(data))


@pytest.mark.parametrize("looks", [fit.read, fit.heart_rate, fit.looks_whole])
@pytest.mark.parametrize(
    "hostile",
    [
        Fit().define(20, []).raw(b"\0" * 300_000).done(),  # messages of one byte
        Fit().raw(b"\x40\0\0\x14\0\0" * 50_000).done(),  # nothing but definitions
        b"".join(Fit().define(20, [(3, 1, 2)]).raw(b"\0\x64").done() for _ in range(3000)),  # a long chain
        Fit().raw(b"".join(b"\x40\0\0\x14\0\x02\xfd\x04\x86" + bytes((i % 256, i // 256, 2)) + b"\0" + bytes(4 + i // 256)
                           for i in range(20_000))).done(),  # every message with a layout of its own
        Fit().define(18, [(2, 4, 0x86), (5, 1, 0)]).raw(b"".join(b"\0" + i.to_bytes(4, "big") + b"\1" for i in range(60_000))).done(),
        Fit().define(23, [(3, 4, 0x8C)] * 255).raw(b"\0" * 1021 * 200).done(),
        Fit().define(78, [(0, 10, 0x84)]).raw((b"\0" + b"\x00\x03\xff\xff" * 2 + b"\xff\xff") * 30_000).done(),
    ],
    ids=["one byte", "definitions", "chain", "layouts", "sessions", "devices", "beats"],
)  # fmt: skip
def test_hostile_files_are_done_with_soon(looks: object, hostile: bytes) -> None:
    """No shape of a file makes reading it cost out of proportion: a third of a megabyte within seconds, even here."""
    begun = time.process_time()
    with contextlib.suppress(Unusable):
        looks(hostile)  # type: ignore[operator]
    assert time.process_time() - begun < 5


def test_too_many_in_a_chain() -> None:
    """A chain longer than any watch writes is followed for a while and then left, and said so."""
    one = Fit().record(START, 100).done()
    file = fit.read(one * 1001)
    assert any("chained" in f for f in file.faults)


@pytest.mark.parametrize("which", [0, 1, 30, 58, 59])
@pytest.mark.parametrize("bit", [12, 15, 20, 24, 28])
def test_a_time_that_damage_made_is_no_sample(which: int, bit: int) -> None:
    """Protects weeks of long ago, and those to come, from half a minute of a workout of which one bit fell over."""
    data = bytearray(Fit().timer(START, start=True).records(START, [120] * 60).session(START, 60).done())
    at = data.index(struct.pack("<BI", 1, START + which)) + 1
    data[at + bit // 8] ^= 1 << bit % 8
    read = fit.read(bytes(data))
    (series,) = read.series
    assert np.abs((series.times - np.datetime64((START + ERA) * 1000, "ms")).astype(int)).max() <= 60_000
    assert series.end == np.datetime64((START + ERA + 60) * 1000, "ms")
    told = (*read.notes, str(read.undated))
    assert any("left out: 1 value whose time" in note for note in told) or len(series) == 59


def test_whole_files_keep_every_time() -> None:
    """Protects what a watch wrote whose clock was set meanwhile: only damage makes a time doubtful."""
    file = Fit().timer(START, start=True).records(START, [120] * 5).records(START + 86_400 * 9, [120])
    assert len(fit.read(file.records(START + 5, [120] * 5).done()).series[0]) == 11


def test_a_history_that_was_cut_off_keeps_all_of_its_days() -> None:
    """Protects months that an app wrote into one file, of which the end did not arrive: days far from the middle are no damage."""
    file = Fit()
    for day in range(60):
        file = file.records(START + day * 86_400, [70] * 20)
    assert len(fit.read(file.done()[:-4]).series[0]) == 60 * 20 - 1


@pytest.mark.parametrize("bit", [16, 20, 28])
def test_a_time_that_damage_made_takes_no_stretch_of_a_day_along(bit: int) -> None:
    """Protects other days from what an all-day file tells in sixteen bits behind a date of which one bit fell over."""
    file = Fit().file_id(32).monitoring_info(START)
    for hour in range(12):
        file.monitoring(START + 3600 * hour, (24, "byte", 8))
        for minute in range(60):
            file.monitoring_bpm(START + 3600 * hour + 60 * minute + 30, 70)
    data = bytearray(file.done())
    data[data.index(struct.pack("<I", START + 3600 * 5)) + bit // 8] ^= 1 << bit % 8
    read = fit.read(bytes(data))
    (series,) = read.series
    assert series.times[-1] - series.times[0] < np.timedelta64(12, "h")
    assert len(series) == 11 * 60
    assert any("left out: 60 values" in note for note in read.notes)
