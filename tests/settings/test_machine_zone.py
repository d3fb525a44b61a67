"""The time zone of a machine, by whatever it was set, and persons who follow it."""

import shutil
import zoneinfo
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ingest.settings.machine_zone import follow, machine_zone, zone_in_force
from ingest.settings.time_zone import is_same_time

TODAY = date(2026, 11, 29)
AMSTERDAM = {"zone": "Europe/Amsterdam"}


def system_file(zone: str) -> Path:
    for folder in zoneinfo.TZPATH:
        if (file := Path(folder, zone)).is_file():
            return file
    pytest.skip("this system has no zones of its own")


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    return tmp_path


def zone(etc: Path, **environ: str) -> str:
    return machine_zone(etc, environ)


def test_a_link_names_the_zone(etc: Path) -> None:
    """As systemd sets it, also when the file that it names is a link to another zone, or is not there at all."""
    (etc / "localtime").symlink_to(system_file("Europe/Amsterdam"))
    assert zone(etc) == "Europe/Amsterdam"
    (etc / "localtime").unlink()
    (etc / "localtime").symlink_to("../usr/share/zoneinfo/Asia/Kolkata")
    (etc / "timezone").write_text("Europe/Berlin\n")
    assert zone(etc) == "Europe/Berlin", "what a link without an end names is not what the system goes by"


@pytest.mark.parametrize(
    "name", ["Europe/Amsterdam", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Etc/UTC"]
)
def test_a_plain_copy_is_known_by_its_content(etc: Path, name: str) -> None:
    """A Pi whose /etc/localtime is no link is not in UTC for ever."""
    shutil.copyfile(system_file(name), etc / "localtime")
    assert zone(etc) == name


def test_a_copy_is_believed_before_a_name_that_was_left_behind(etc: Path) -> None:
    """The clock of the system goes by the copy; of names with one content that which is written down is taken."""
    shutil.copyfile(system_file("Europe/Amsterdam"), etc / "localtime")
    (etc / "timezone").write_text("America/New_York\n")
    assert zone(etc) == "Europe/Amsterdam"


def test_an_older_copy_is_known_by_the_time_it_shows(etc: Path) -> None:
    """The zones were brought up to date since, or written in another form: the same hours are the same zone."""
    content = system_file("Asia/Kolkata").read_bytes()
    (etc / "localtime").write_bytes(content[:4] + b"4" + content[5:])  # a newer version: the bytes of no file
    assert is_same_time(zone(etc), "Asia/Kolkata")


@pytest.mark.parametrize("content", [b"", b"TZif", b"no zone", b"TZif2" + bytes(60)])
def test_what_is_no_zone_is_utc(etc: Path, content: bytes) -> None:
    """A broken file stops nothing."""
    (etc / "localtime").write_bytes(content)
    assert zone(etc) in {"UTC", "Etc/UTC"}


def test_a_change_is_seen_by_a_process_that_goes_on(etc: Path) -> None:
    """The daemon runs while somebody sets the zone, and is not started anew for it."""
    (etc / "localtime").symlink_to(system_file("Etc/UTC"))
    assert zone(etc) == "Etc/UTC"
    (etc / "new").symlink_to(system_file("Europe/Amsterdam"))
    (etc / "new").rename(etc / "localtime")
    assert zone(etc) == "Europe/Amsterdam"


@pytest.mark.parametrize("tz", ["Asia/Tokyo", ":Asia/Tokyo", "/usr/share/zoneinfo/Asia/Tokyo"])
def test_a_process_may_have_a_zone_of_its_own(etc: Path, tz: str) -> None:
    """TZ as environ(7) has it; what names no zone is passed over."""
    (etc / "localtime").symlink_to(system_file("Europe/Amsterdam"))
    assert zone(etc, TZ=tz) == "Asia/Tokyo"
    assert zone(etc, TZ="CET-1CEST,M3.5.0,M10.5.0/3") == "Europe/Amsterdam"


@pytest.mark.parametrize(
    ("noted", "machine", "may_move", "then"),
    [
        ({"zone": "Etc/UTC"}, "Europe/Amsterdam", False, AMSTERDAM),
        (AMSTERDAM, "Etc/UTC", True, AMSTERDAM),
        (AMSTERDAM, "Asia/Tokyo", False, AMSTERDAM),
        (AMSTERDAM, "Europe/Berlin", True, AMSTERDAM),
        (
            AMSTERDAM,
            "Asia/Tokyo",
            True,
            {**AMSTERDAM, "moved": [{"from": "2026-11-29", "zone": "Asia/Tokyo"}]},
        ),
        (
            {**AMSTERDAM, "moved": [{"from": "2026-11-29", "zone": "Asia/Tokyo"}]},
            "Asia/Kolkata",
            True,
            {**AMSTERDAM, "moved": [{"from": "2026-11-29", "zone": "Asia/Kolkata"}]},
        ),
        (
            {**AMSTERDAM, "moved": [{"from": "2026-11-01", "zone": "Asia/Tokyo"}]},
            "Europe/Amsterdam",
            True,
            {
                **AMSTERDAM,
                "moved": [
                    {"from": "2026-11-01", "zone": "Asia/Tokyo"},
                    {"from": "2026-11-29", "zone": "Europe/Amsterdam"},
                ],
            },
        ),
    ],
    ids=["never set", "set to none", "a shell's", "same time", "moved", "twice in a day", "and back"],
)
def test_who_names_no_zone_follows_the_machine(
    *, noted: dict[str, Any], machine: str, may_move: bool, then: dict[str, Any]
) -> None:
    """From then on: days before a move stay as they were counted, but for those of a machine that nobody had set."""
    assert follow(noted, machine, TODAY, may_move=may_move) == then
    assert is_same_time(zone_in_force(then), machine) or not may_move or machine == "Etc/UTC"
