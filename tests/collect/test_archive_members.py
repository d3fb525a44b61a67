"""Opening what was dropped: everything a person may pack comes out, nothing that harms does."""

import errno
import gzip
import io
import os
import struct
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.collect import archive_members
from ingest.collect.archive_members import Member, looks_whole, members
from ingest.demo.fit_encoder import workout
from ingest.errors import Unusable
from tests.support.archives import spooled, zipped

FIT = workout(1_100_000_000, [100, 120, 140])
OTHER = workout(1_100_100_000, [90, 95])
LARGEST = 1 << 20


def opened(data: bytes, largest: int = LARGEST) -> list[Member]:
    return list(members(io.BytesIO(data), largest, spooled))


def good(data: bytes, largest: int = LARGEST) -> list[tuple[str, bytes]]:
    """Names and bytes of what can be read."""
    return [(m.name, m.data) for m in opened(data, largest) if not m.fault]


def refused(data: bytes, largest: int = LARGEST) -> str:
    with pytest.raises(Unusable) as caught:
        opened(data, largest)
    return str(caught.value)


PACKED: dict[str, tuple[bytes, list[tuple[str, bytes]]]] = {
    "as it is": (FIT, [("", FIT)]),
    "gzip": (gzip.compress(FIT), [("", FIT)]),
    "zip": (zipped(("a.fit", FIT), ("b.FIT", OTHER)), [("a.fit", FIT), ("b.FIT", OTHER)]),
    "stored zip": (zipped(("a.fit", FIT), packing=zipfile.ZIP_STORED), [("a.fit", FIT)]),
    "gzip in zip": (zipped(("a.fit.gz", gzip.compress(FIT))), [("a.fit.gz", FIT)]),
    "zip in zip": (zipped(("in.zip", zipped(("a.fit", FIT)))), [("in.zip/a.fit", FIT)]),
    "gzip in zip in zip": (
        zipped(("in.zip", zipped(("a.fit.gz", gzip.compress(FIT))))),
        [("in.zip/a.fit.gz", FIT)],
    ),
    "without a suffix": (zipped(("recording", FIT)), [("recording", FIT)]),
    "among other things": (
        zipped(("run/", b""), ("run/a.gpx", b"<gpx/>"), ("run/readme.txt", b"hello"), ("run/a.fit", FIT)),
        [("run/a.fit", FIT)],
    ),
}


@pytest.mark.parametrize("how", PACKED)
def test_however_it_is_packed_the_recording_comes_out(how: str) -> None:
    """Exports and mail programs pack FIT files in many ways; its owner need not unpack any of them."""
    data, expected = PACKED[how]
    assert good(data) == expected
    assert looks_whole(io.BytesIO(data), LARGEST)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (gzip.compress(b""), "empty"),
        (b"<?xml version='1.0'?>", "XML file"),
        (b"<gpx>", "GPX"),
        (b"\x00\x05\x16\x07" + bytes(40), "AppleDouble"),
        (os.urandom(3000), "not a FIT file"),
        (zipped(), "There is nothing in this zip"),
        (zipped(("a.fit", FIT))[:-30], "ends too early"),
        (zipped(("a.fit", FIT))[:40], "ends too early"),
        (gzip.compress(FIT)[:-20], "ends too early"),
        (gzip.compress(FIT)[:4], "ends too early"),
        (gzip.compress(FIT)[:10] + bytes(40), "cannot be unpacked"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{len(value)} bytes",
)
def test_what_will_never_do_is_refused_in_words(data: bytes, words: str) -> None:
    """Whoever dropped it learns what it was instead of a FIT file, and what to do."""
    said = refused(data)
    assert words in said
    assert said.endswith(".")


def test_one_bad_member_does_not_cost_the_others() -> None:
    """An account's export with one damaged file still gives all its other recordings."""
    whole = zipped(("a.fit", FIT), ("b.fit", OTHER), packing=zipfile.ZIP_STORED)
    at = whole.index(FIT) + 40
    found = opened(whole[:at] + bytes((whole[at] ^ 1,)) + whole[at + 1 :])
    assert [(m.name, m.data, bool(m.fault)) for m in found] == [("a.fit", b"", True), ("b.fit", OTHER, False)]
    assert "what lies there is damaged" in found[0].fault


def test_a_member_that_only_claims_to_be_a_recording_is_told_of() -> None:
    """A file named .fit that is none is neither stored nor passed over in silence."""
    found = opened(zipped(("a.fit", b"<gpx/>"), ("b.fit.gz", gzip.compress(b"{}")), ("c.fit", b"")))
    assert [(m.name, m.data) for m in found] == [("a.fit", b""), ("b.fit.gz", b""), ("c.fit", b"")]
    assert ["GPX" in found[0].fault, "JSON" in found[1].fault, "empty" in found[2].fault] == [True] * 3


@pytest.mark.parametrize("name", ["a.fit", "inner.zip"])
def test_a_password_is_named_as_the_trouble(name: str) -> None:
    """A locked recording, or zip of them, is never lost in silence."""
    data = bytearray(zipped((name, FIT), ("b.fit", OTHER)))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    found = opened(bytes(data))
    assert [(m.name, m.data) for m in found] == [(name, b""), ("b.fit", OTHER)]
    assert "password" in found[0].fault


@pytest.mark.parametrize(
    "name", ["../../up.fit", "/etc/up.fit", "..\\..\\up.fit", "C:\\up.fit", "a/../../up.fit"]
)
def test_no_name_leads_anywhere(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A zip made to write outside the inbox ("zip slip") writes nothing at all: its members stay in memory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    file = tmp_path / "in" / "evil.zip"
    file.write_bytes(zipped((name, FIT)))
    with file.open("rb") as stream:
        assert [m.data for m in members(stream, LARGEST, spooled)] == [FIT]
    assert sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*")) == ["in", "in/evil.zip"]
    assert not Path("/etc/up.fit").exists()


def test_every_member_has_a_name_of_its_own() -> None:
    """A zip may hold one name twice, or two that become one; the journal tells members apart by name."""
    data = zipped(
        ("a.fit", FIT),
        ("a.fit", OTHER),
        ("d/a.fit", FIT),
        ("d\\a.fit", OTHER),
        ("i.zip/a.fit", FIT),
        ("i.zip", zipped(("a.fit", OTHER))),
    )
    found = good(data)
    assert [d for _, d in found] == [FIT, OTHER] * 3
    assert len({name for name, _ in found}) == 6
    assert found == good(data), "a second look must give the same names, or nothing could be resumed"


LISTED = struct.Struct("<4s6H3L5H2L")
"""What stands in the list of a zip before each name."""


def listed_wrongly(name: bytes, flags: int = 0, extra: bytes = b"", version: int = 20) -> bytes:
    """A zip of three members: what is told of the one in the middle is as given."""
    body = entries = b""
    for called, data, bits, more, needs in (
        (b"a.fit", FIT, 0, b"", 20),
        (name, OTHER, flags, extra, version),
        ("\u00e9.fit".encode(), FIT, 0x800, b"", 20),
    ):
        sizes = zlib.crc32(data), len(data), len(data), len(called)
        entries += (
            LISTED.pack(b"PK\1\2", 20, needs, bits, 0, 0, 0, *sizes, len(more), 0, 0, 0, 0, len(body))
            + called
        )
        entries += more
        body += struct.pack("<4s5H3L2H", b"PK\3\4", 20, bits, 0, 0, 0, *sizes, 0) + called + data
    return body + entries + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 3, 3, len(entries), len(body), 0)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (listed_wrongly(b"l\xfcf.fit", 0x800), "l\u207ff.fit"),
        (listed_wrongly(b"\xff.jpg", 0x800), "\xa0.jpg"),
        (listed_wrongly(b"b.fit", extra=b"\xfe\xca\x99\x99abc"), "b.fit"),
        (listed_wrongly(b"b.fit", extra=struct.pack("<HHBL", 0x7075, 7, 1, 0) + b"\xff\xfe"), "b.fit"),
        (listed_wrongly(b"b.fit", version=255), "b.fit"),
    ],
    ids=[
        "a name that is no UTF-8",
        "a name beside recordings",
        "extras that are cut",
        "a second name",
        "a version of no time",
    ],
)
def test_what_one_member_tells_wrongly_in_the_list_costs_no_other(data: bytes, name: str) -> None:
    """Protects a whole export from one odd name in it: it is read under a name that can be written."""
    assert good(data) == [("a.fit", FIT), (name, OTHER), ("\u00e9.fit", FIT)]
    assert good(zipped(("in.zip", data), packing=zipfile.ZIP_STORED))[1] == (f"in.zip/{name}", OTHER)
    assert looks_whole(io.BytesIO(data), LARGEST)


def test_a_member_without_a_name_is_taken() -> None:
    """An empty name, which zipfile itself trips over, is one more oddity and no crash."""
    assert [d for _, d in good(zipped(("x.fit", FIT)).replace(b"x.fit", b"\0.fit"))] == [FIT]


def test_a_zip_with_a_garbled_list_of_members_is_refused() -> None:
    """A list that breaks off ends in words, not in a crash."""
    assert "cannot be opened" in refused(zipped(("a.fit", FIT)).replace(b"PK\x01\x02", b"PK\x01\x00"))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"7z\xbc\xaf\x27\x1c" + bytes(64), "7-Zip"),
        (gzip.compress(b"a.fit".ljust(257, b"\0") + b"ustar\x0000" + bytes(248) + FIT), "tar"),
        (gzip.compress(zipped(("a.fit", FIT))), "zip"),
    ],
)
def test_packed_in_another_way_is_told_to_be_unpacked(data: bytes, kind: str) -> None:
    """Who packed files as 7-Zip or tar is not sent to export again what lies ready in the pack."""
    said = refused(data)
    assert kind in said
    assert "Unpack it" in said


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_within_a_zip_may_be_larger_than_any_recording(packing: int) -> None:
    """An account's export holds a zip of all uploads (Freika/dawarich #3163: 74 to 152 MB); no memory is taken for it."""
    beside = [(f"{i}.tcx", os.urandom(1 << 20)) for i in range(12)]
    inner = zipped(("a.fit", FIT), *beside, ("b.fit", OTHER), packing=zipfile.ZIP_STORED)
    outer = io.BytesIO(zipped(("UploadedFiles_0-_Part1.zip", inner), packing=packing))
    del beside, inner
    found: list[Member] = []
    bounded(lambda: found.extend(members(outer, LARGEST, spooled)), 40 << 20)
    place = "UploadedFiles_0-_Part1.zip"
    assert [(m.name, m.data) for m in found] == [(f"{place}/a.fit", FIT), (f"{place}/b.fit", OTHER)]


def test_what_macos_lays_beside_a_file_is_passed_over() -> None:
    """Side files are no recordings that cannot be read: whoever packs on a Mac has one for each file."""
    side = b"\x00\x05\x16\x07" + bytes(60)
    data = zipped(("run/a.fit", FIT), ("__MACOSX/run/._a.fit", side), ("run/._a.fit", side))
    assert [(m.name, m.fault) for m in opened(data)] == [("run/a.fit", "")]


def passed_over(data: bytes, largest: int = LARGEST) -> dict[str, int]:
    """How many files were passed over, by the ends of their names."""
    found = members(io.BytesIO(data), largest, spooled, most_members=1)
    try:
        while True:
            next(found)
    except StopIteration as over:
        counts: dict[str, int] = over.value
        return counts


def test_files_beside_recordings_are_counted_and_no_recordings() -> None:
    """An account's export is mostly other files: they are told in one count, use up no bound, and none is said to be bad."""
    side = b"\x00\x05\x16\x07" + bytes(60)
    beside = [(f"{i}.json", b"{}") for i in range(30)]
    beside += [("b.gpx", b"<gpx/>"), ("c.gpx.gz", gzip.compress(b"<gpx/>")), ("LICENSE", b"MIT")]
    beside += [
        ("too large.mov.gz", gzip.compress(os.urandom(LARGEST + 1))),
        ("broken.tcx.gz", gzip.compress(b"x" * 99)[:-4]),
    ]
    data = zipped(*beside, ("._a.fit", side), (".DS_Store", b"x"), ("a.fit", FIT))
    assert passed_over(data) == {".json": 30, ".gpx": 2, "": 1, ".mov": 1, ".tcx": 1}
    assert [(m.name, m.fault) for m in opened(data)] == [("a.fit", "")]


def test_what_is_known_by_name_is_not_unpacked_again() -> None:
    """After a kill an export of years goes on where it was: what the journal has already costs no time."""
    inner = zipped(("b.fit", OTHER), ("b.fit", FIT))
    data = zipped(("a.fit", FIT), ("in.zip", inner), ("c.fit.gz", gzip.compress(OTHER)))
    names = [m.name for m in opened(data)]
    assert names == ["a.fit", "in.zip/b.fit", "in.zip/b.fit (2)", "c.fit.gz"]
    for count in range(5):
        left = members(io.BytesIO(data), LARGEST, spooled, frozenset(names[:count]))
        assert [m.name for m in left] == names[count:]


def test_a_list_in_another_order_costs_no_seeking() -> None:
    """Programs that pack with several threads list members in any order; they are read as they lie."""
    data = bytearray(zipped(*((f"{i}.fit", FIT) for i in range(9)), packing=zipfile.ZIP_STORED))
    begin, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    rows = [b"PK\x01\x02" + row for row in bytes(data[begin:end]).split(b"PK\x01\x02")[1:]]
    data[begin:end] = b"".join(reversed(rows))
    assert [m.name for m in opened(bytes(data))] == [f"{i}.fit" for i in range(9)]


# --- made to harm ---


def bounded(work: Callable[[], object], most_bytes: int, most_s: float = 5) -> None:
    """Run, and hold it to memory and to time of its own: others on the machine take none of it."""
    tracemalloc.start()
    begun = time.thread_time()
    try:
        work()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert time.thread_time() - begun < most_s
    assert peak < most_bytes


def test_too_large_is_refused_without_unpacking_it_all() -> None:
    """A gzip or zip bomb costs no more memory than the largest recording, whatever it would unfold to."""
    huge = bytes(100 << 20)
    for data in (gzip.compress(huge, 1), zipped(("a.fit", FIT), ("huge.fit", FIT + huge))):
        found: list[str] = []

        def take(data: bytes = data, found: list[str] = found) -> None:
            try:
                found += [m.fault for m in opened(data)]
            except Unusable as e:
                found.append(str(e))

        bounded(take, 8 << 20)
        assert any("larger than 1 MB" in words for words in found)
    with pytest.raises(Unusable, match="larger than"):
        opened(FIT + bytes(LARGEST))


def test_a_file_of_exactly_the_largest_size_is_taken() -> None:
    """The bound is one that a person can state: up to and including."""
    exactly = FIT + bytes(LARGEST - len(FIT))
    for data in (exactly, gzip.compress(exactly), zipped(("a.fit", exactly), packing=zipfile.ZIP_STORED)):
        assert [len(d) for _, d in good(data)] == [LARGEST]
        assert "larger" in (refused(exactly + b"\0"))


def test_a_packing_that_unfolds_in_one_go_is_not_unpacked() -> None:
    """Some hundred bytes of bzip2 would become all the memory of a Pi before any bound could count them."""
    bomb = zipped(("a.fit", FIT + bytes(64 << 20)), packing=zipfile.ZIP_BZIP2)
    assert len(bomb) < 1000
    found: list[Member] = []
    bounded(lambda: found.extend(opened(bomb)), 8 << 20)
    assert ["packed in a way" in m.fault for m in found] == [True]


def test_many_large_members_are_not_all_unpacked() -> None:
    """Members that are each too large use up what a parcel may unfold to, as those do that are taken."""
    one = FIT + bytes(LARGEST)
    data = zipped(*((f"{i}.fit", one) for i in range(300)))
    assert len(data) * archive_members.MOST_BYTES_TIMES < 300 * LARGEST
    assert "unfolds to far more" in refused(data)


def test_overlapping_members_cannot_multiply_one_another() -> None:
    """A "better zip bomb", whose list names one large member a thousand times over, is refused by what its list adds up to."""
    kernel = zipped(("a.fit", FIT + bytes(LARGEST - len(FIT))))
    end = kernel.index(b"PK\x05\x06")
    row = kernel[kernel.index(b"PK\x01\x02") : end]
    times = 5000
    tail = bytearray(kernel[end:])
    struct.pack_into("<HHI", tail, 8, times, times, len(row) * times)
    data = kernel[: kernel.index(b"PK\x01\x02")] + row * times + bytes(tail)
    taken: list[int] = []
    ended: list[str] = []

    def take() -> None:
        try:
            taken.extend(len(m.data) for m in members(io.BytesIO(data), LARGEST, spooled))
        except Unusable as e:
            ended.append(str(e))

    bounded(take, 64 << 20, 20)
    assert "the same bytes over and over" in "".join(ended)
    assert taken == []


def test_a_zip_of_more_recordings_than_any_account_has_is_refused() -> None:
    """So many recordings in one zip all come, one more is too many: each is a row in the journal for ever."""
    small = struct.pack("<BBHI4s", 12, 16, 0, 0, b".FIT")

    def given(count: int) -> int:
        data = zipped(*((f"{i}.fit", small) for i in range(count)), packing=zipfile.ZIP_STORED)
        return len(list(members(io.BytesIO(data), LARGEST, spooled, most_members=50)))

    assert given(50) == 50
    with pytest.raises(Unusable, match="unfolds to far more"):
        given(51)


def test_a_list_of_millions_is_never_held_in_memory() -> None:
    """A zip whose list of members alone would fill a Pi is refused by the length of the list."""
    empty = zipped(("x", b""), packing=zipfile.ZIP_STORED)
    begin, end = empty.index(b"PK\x01\x02"), empty.index(b"PK\x05\x06")
    row, times = empty[begin:end], 300_000
    tail = bytearray(empty[end:])
    struct.pack_into("<HHI", tail, 8, 0xFFFF, 0xFFFF, len(row) * times)
    data = empty[:begin] + row * times + bytes(tail)
    bounded(lambda: refused(data), 8 << 20)
    bounded(lambda: looks_whole(io.BytesIO(data), LARGEST), 8 << 20)
    assert "lists more than" in refused(data)


def test_zips_within_zips_end_at_a_depth() -> None:
    """A zip that holds itself for ever is opened three deep and no deeper, with a word about the rest."""
    data = FIT
    for i in range(6):
        data = zipped((f"{i}.zip" if i else "a.fit", data))
    (found,) = opened(data)
    assert "3 zips deep" in found.fault


def test_waiting_for_a_gzip_costs_no_more_than_reading_it() -> None:
    """Whether a dropped gzip is whole is found out within the bound on its size, not by unfolding all of a bomb."""
    bomb = gzip.compress(bytes(200 << 20), 1)
    reads = 0

    class Counted(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            nonlocal reads
            some = super().read(size)
            reads += len(some)
            return some

    assert looks_whole(Counted(bomb), LARGEST)
    assert reads < len(bomb) / 4


# --- the disk's own trouble ---


class Pulled(io.BytesIO):
    """A file on a stick that somebody pulls out."""

    def __init__(self, data: bytes, good_reads: int) -> None:
        super().__init__(data)
        self.left = good_reads

    def read(self, size: int | None = -1, /) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().read(size)


@pytest.mark.parametrize("how", ["as it is", "gzip", "zip", "zip in zip"])
def test_a_stick_that_is_pulled_out_condemns_no_file(how: str) -> None:
    """An error of the disk is passed on as what it is: the file may be read tomorrow and must not be rejected."""
    data = PACKED[how][0]
    for good_reads in range(1, 40):
        stream = Pulled(data, good_reads)
        with suppress(OSError):
            assert [(m.name, m.data) for m in members(stream, LARGEST, spooled)] == PACKED[how][1]
            return
    pytest.fail("it was never read to its end")


# --- anything at all ---


def mutated(data: bytes, changes: Iterable[tuple[int, int]], cut: int) -> bytes:
    out = bytearray(data)
    for at, value in changes:
        out[at % len(out)] = value
    return bytes(out[: len(out) - cut % len(out)])


SEEDS = [data for data, _ in PACKED.values()]


@settings(max_examples=400)
@given(
    seed=st.sampled_from(SEEDS),
    changes=st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), max_size=6),
    cut=st.one_of(st.just(0), st.integers(0, 400)),
)
def test_damage_ends_in_members_or_in_words(seed: bytes, changes: list[tuple[int, int]], cut: int) -> None:
    """Whatever happened to a parcel on its way, it is opened or refused with a reason, never with a crash."""
    data = mutated(seed, changes, cut)
    looks_whole(io.BytesIO(data), LARGEST)
    with suppress(Unusable):
        for m in members(io.BytesIO(data), LARGEST, spooled):
            assert bool(m.fault) != bool(m.data)
            assert len(m.data) <= LARGEST


@given(st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08"]), st.binary(max_size=300))
def test_any_bytes_end_in_members_or_in_words(begin: bytes, rest: bytes) -> None:
    """Bytes that only begin like a parcel are no way to end the daemon."""
    data = begin + rest
    looks_whole(io.BytesIO(data), LARGEST)
    with suppress(Unusable):
        opened(data)
