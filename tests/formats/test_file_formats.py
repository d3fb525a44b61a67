"""The table of formats: a file is taken for what it is, and what cannot be read is called by its name."""

import pytest

from ingest.demo.fit_encoder import workout
from ingest.errors import Unusable
from ingest.formats.file_formats import (
    ENDINGS,
    FORMATS,
    HEAD_BYTES,
    describe_unread,
    format_of,
    read_recording,
)

FIT = workout(1_100_000_000, [100, 120, 140])


def test_a_format_is_known_by_its_first_bytes() -> None:
    """Protects files under any name: their beginning says what they are, and all else is none of ours."""
    assert format_of(FIT[:HEAD_BYTES]) is FORMATS[0]
    for other in (b"", FIT[:11], b"<?xml version='1.0'?>", bytes(64)):
        assert format_of(other) is None
    assert ".fit" in ENDINGS


def test_what_is_known_is_read_and_half_of_it_is_seen() -> None:
    """Protects the inbox: the same entry that reads a file says whether it has arrived whole."""
    known = format_of(FIT)
    assert known is not None
    assert (known.looks_whole(FIT), known.looks_whole(FIT[:-3])) == (True, False)
    assert read_recording(FIT).samples == known.read(FIT).samples == 3


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "an empty file"),
        (b"<?xml version='1.0'?><gpx>", "an XML file such as GPX or TCX"),
        (b"<gpx version='1.1'>", "a GPX file"),
        (b"<TrainingCenterDatabase>", "a TCX file"),
        (b'{"activity": 1}', "a JSON file"),
        (b"%PDF-1.7", "a PDF"),
        (b"\x00\x05\x16\x07\x00\x02", "a side file that macOS makes (AppleDouble); it holds no recording"),
        (b"\x89PNG\r\n\x1a\n", "a picture (PNG)"),
        (b"\xff\xd8\xff\xe0", "a photo (JPEG)"),
        (b"7z\xbc\xaf\x27\x1c\x00\x04", "a packed file (7-Zip)"),
        (b"Rar!\x1a\x07\x01\x00", "a packed file (RAR)"),
        (b"BZh91AY", "a packed file (bzip2)"),
        (b"ride.fit".ljust(257, b"\0") + b"ustar\x0000", "a packed file (tar)"),
        (b"GIF89a", "something else"),
    ],
)
def test_what_cannot_be_read_is_called_by_its_name(data: bytes, words: str) -> None:
    """Protects who dropped an export of another kind: the answer says what it is, not that it is broken."""
    assert describe_unread(data) == words
    with pytest.raises(Unusable) as refused:
        read_recording(data)
    assert str(refused.value) == f"This is not a FIT file but {words}."
