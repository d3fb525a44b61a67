"""The memory of a watch as a folder: it is known whatever it is called, and nothing in it is trusted."""

import os
from pathlib import Path

import pytest

from ingest.collect.watch_memory import files_in, read_memory
from ingest.demo.fit_encoder import Fit, workout
from ingest.formats.fit.file_id import read_serial

SERIAL = 3907354759
DESCRIPTION = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<Device xmlns="http://www.garmin.com/xmlschemas/GarminDevice/v2">'
    "<Model><PartNumber>006-B4315-00</PartNumber><Description>Forerunner 965 &amp; more</Description></Model>"
    f"<Id>{SERIAL}</Id><DisplayName>Mine</DisplayName></Device>"
)


def fill(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x" * 20)


@pytest.mark.parametrize(
    "place", ["GARMIN", "Garmin", "Internal Storage/GARMIN", "Primary/garmin", "GARMIN/GARMIN"]
)
def test_recordings_are_found_wherever_a_watch_keeps_them(place: str, tmp_path: Path) -> None:
    """Protects owners of old and new watches, as disk and by MTP: all their recordings come, and no course or setting."""
    root = tmp_path / place
    fill(root, "Activity/a.fit", "MONITOR/b.FIT", "Activities/2026/c.fit", "Sleep/d.fit", "HRVStatus/e.fit")
    fill(root, "Courses/x.fit", "Settings/x.fit", "Activity/notes.txt", "Activity/.hidden.fit", "x.fit")
    (root / "Activity" / "empty.fit").touch()
    (root / "GarminDevice.xml").write_text(DESCRIPTION)
    found = read_memory(tmp_path)
    assert found is not None
    assert (found.serial, found.product, found.damaged) == (str(SERIAL), "Forerunner 965 & more", 0)
    assert sorted(f.name for f in found.files) == [
        "Activities/2026/c.fit", "Activity/a.fit", "HRVStatus/e.fit", "MONITOR/b.FIT", "Sleep/d.fit",
    ]  # fmt: skip


def test_two_storages_keep_their_names(tmp_path: Path) -> None:
    """Protects files of one name in the memory and on the card of a watch from each other."""
    fill(tmp_path, "Internal Storage/Garmin/Activity/1.fit", "SD Card/Garmin/Activity/1.fit")
    found = read_memory(tmp_path)
    assert found is not None
    assert sorted(f.name for f in found.files) == [
        "Internal Storage/Activity/1.fit",
        "SD Card/Activity/1.fit",
    ]


def test_a_stick_is_no_watch(tmp_path: Path) -> None:
    """Protects any other stick from being copied."""
    fill(tmp_path, "Activity/a.fit", "photos/b.fit")
    assert read_memory(tmp_path) is None
    assert sorted(f.name for f in files_in(tmp_path)) == ["Activity/a.fit", "photos/b.fit"]


@pytest.mark.parametrize(
    "description",
    [
        "",
        "<Device><Id>0</Id></Device>",
        "<Device><Id>99999999999</Id></Device>",
        "<Device><Id>4294967296</Id></Device>",
        '<!DOCTYPE x [<!ENTITY a "&a;&a;">]><Device><Id>&a;</Id></Device>',
        "\0" * 3_000_000,
    ],
)
def test_without_a_description_the_files_say_whose_they_are(description: str, tmp_path: Path) -> None:
    """Protects whoever has a watch with a damaged or made-up description: its files name it, too."""
    fill(tmp_path, "GARMIN/Activity/0.fit")
    (tmp_path / "GARMIN" / "Activity" / "1.fit").write_bytes(
        workout(1_100_000_000, [100] * 60, serial=SERIAL)
    )
    (tmp_path / "GARMIN" / "GarminDevice.xml").write_text(description)
    found = read_memory(tmp_path)
    assert found is not None
    assert found.serial == str(SERIAL)


def test_nothing_leads_out_of_the_memory(tmp_path: Path) -> None:
    """Protects everything else on the Pi: a link or a pipe in a watch is not a file."""
    fill(tmp_path, "secret/a.fit", "watch/GARMIN/Activity/real.fit")
    activity = tmp_path / "watch" / "GARMIN" / "Activity"
    (activity / "link.fit").symlink_to(tmp_path / "secret" / "a.fit")
    (activity / "more").symlink_to(tmp_path / "secret")
    (tmp_path / "watch" / "GARMIN" / "Monitor").symlink_to(tmp_path / "secret")
    os.mkfifo(activity / "pipe.fit")
    found = read_memory(tmp_path / "watch")
    assert found is not None
    assert [f.name for f in found.files] == ["Activity/real.fit"]


def test_the_serial_number_is_read_from_any_first_message() -> None:
    """Protects the way of a file to its person: in either order of bytes, and never by a guess."""
    for big_endian in (False, True):
        assert read_serial(Fit(big_endian=big_endian).file_id(serial=SERIAL).done()) == str(SERIAL)
    whole = Fit().file_id(serial=SERIAL).done()
    assert read_serial(Fit().file_id(serial=0xFFFFFFFF).done()) == ""
    assert read_serial(Fit().file_id(serial=0).done()) == ""
    assert read_serial(Fit().record(1, 100).file_id(serial=SERIAL).done()) == ""
    found = {read_serial(whole[:length]) for length in range(len(whole) - 2)}
    assert found <= {"", str(SERIAL)}
    for at in range(40):
        for byte in (0, 0x5A, 0xFF):
            read_serial(whole[:at] + bytes((byte,)) + whole[at + 1 :])
