"""Limits that devices do not agree on, or that are older than a medicine: one rule, and one line that settles it."""

import json
import time
import zipfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingest.demo.fit_encoder import workout
from tests.support.households import hartslag

ERA_S = 631_065_600
DAY_S = 86_400
PERSON = '[[person]]\nname = "Anna"\nzone = "Europe/Amsterdam"\n'


def files_of_two_devices(folder: Path) -> list[Path]:
    """Four workouts of the last days, by a watch that is set to 172 and a computer that is set to 190 in turn."""
    folder.mkdir()
    start = int(time.time()) - 8 * DAY_S - ERA_S
    found = []
    for n, (serial, maximum) in enumerate([(172, 172), (190, 190)] * 2):
        path = folder / f"{n}.fit"
        beats = [130 + i % 7 for i in range(600)]
        path.write_bytes(workout(start + n * DAY_S, beats, serial=serial, maximum=maximum))
        found.append(path)
    return found


def zipped(files: list[Path]) -> list[Path]:
    path = files[0].with_name("all.zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in reversed(files):
            archive.write(file, file.name)
    return [path]


def edges(data: Path) -> list[tuple[int, str]]:
    (found,) = json.loads(hartslag("--data", data, "profile", "--json").out)
    return [(e["moderate_bpm"], e["origin"]) for e in found["edges"]]


def newest_week(data: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(hartslag("--data", data, "week", "--json").out)[0]
    return found


def write(data: Path, text: str) -> None:
    data.mkdir(exist_ok=True)
    (data / "hartslag.toml").write_text(text)


def test_two_devices_do_not_switch_the_limits(tmp_path: Path) -> None:
    """In whatever order files of two devices come in, one maximum holds from its day on; both are named, and one line ends it."""
    files = files_of_two_devices(tmp_path / "files")
    lines = {}
    for name, given in {"": files, "reversed": files[::-1], "zip": zipped(files)}.items():
        data = tmp_path / f"data{name}"
        write(data, PERSON)
        assert hartslag("--data", data, "add", *given).code == 0
        lines[name] = edges(data)
    assert lines[""] == lines["reversed"] == lines["zip"]
    assert lines[""] == [
        (110, "maximum heart rate 172 bpm set in the watch"),
        (122, "maximum heart rate 190 bpm set in the watch"),
    ]
    data = tmp_path / "data"
    assert [d["maximum_bpm"] for d in newest_week(data)["limits_in_doubt"]["devices"]] == [190, 172]
    for verb in ("week", "status"):
        told = " ".join(hartslag("--data", data, verb).out.split())
        assert "The devices of Anna are not set to one maximum heart rate (bpm): 190 (Garmin" in told
        assert "The highest that one was ever set to is used, 190 of Garmin" in told
        assert "maximum_bpm = 190" in told
    write(data, PERSON + "maximum_bpm = 180\n")
    assert newest_week(data)["limits_in_doubt"] is None
    assert "not set to one" not in hartslag("--data", data, "status").out


@pytest.mark.parametrize(
    "own", ["moderate_bpm = 105\nvigorous_bpm = 130\n", "maximum_bpm = 180\n"], ids=["limits", "maximum"]
)
def test_limits_that_are_older_than_a_medicine_are_named(tmp_path: Path, own: str) -> None:
    """A heart that a medicine slows is not held silently against limits of before it; new ones of that day end it."""
    files = files_of_two_devices(tmp_path / "files")
    data = tmp_path / "data"
    since = date.today() - timedelta(days=30)  # noqa: DTZ011 -- a month ago anywhere
    medicine = f"[[person.profile]]\nfrom = {since}\nlimiting_medicine = true\n"
    write(data, PERSON + own + medicine)
    assert hartslag("--data", data, "add", *files[:1]).code == 0
    assert newest_week(data)["limits_in_doubt"]["medicine_since"] == since.isoformat()
    for verb in ("week", "status"):
        assert "older than the medicine" in " ".join(hartslag("--data", data, verb).out.split())
    write(data, PERSON + own + medicine + "moderate_bpm = 95\nvigorous_bpm = 115\n")
    assert newest_week(data)["limits_in_doubt"] is None


def test_limits_of_a_sport_that_are_older_than_a_medicine_are_named(tmp_path: Path) -> None:
    """Limits for one sport are as old as those for all: they are named until that sport has new ones, though others have."""
    files = files_of_two_devices(tmp_path / "files")
    data = tmp_path / "data"
    since = date.today() - timedelta(days=30)  # noqa: DTZ011 -- a month ago anywhere
    rowing = '[[person.sport]]\nname = "rowing"\nmoderate_bpm = 120\nvigorous_bpm = 150\n'
    medicine = f"[[person.profile]]\nfrom = {since}\nlimiting_medicine = true\nmoderate_bpm = 95\nvigorous_bpm = 115\n"
    write(data, PERSON + rowing + medicine)
    assert hartslag("--data", data, "add", *files[:1]).code == 0
    assert newest_week(data)["limits_in_doubt"]["older_than_medicine"] == [
        {"sport": "rowing", "moderate_bpm": 120, "vigorous_bpm": 150}
    ]
    for verb in ("week", "status"):
        told = " ".join(hartslag("--data", data, verb).out.split())
        assert "the limits for rowing (120 and 150 bpm) are older than the medicine" in told
        assert f'[[person.sport]] name = "rowing" from = {since} moderate_bpm' in told
    new = f'[[person.sport]]\nname = "rowing"\nfrom = {since}\nmoderate_bpm = 90\nvigorous_bpm = 112\n'
    write(data, PERSON + rowing + new + medicine)
    assert newest_week(data)["limits_in_doubt"] is None


def test_a_medicine_without_limits_is_told_from_its_day_on_and_no_longer(tmp_path: Path) -> None:
    """Protects who begins with a beta blocker from a week that is lost in silence, and who stopped from being told that they take it."""
    files = files_of_two_devices(tmp_path / "files")
    data = tmp_path / "data"
    today = date.today()  # noqa: DTZ011 -- of the machine, as the person's
    person = '[[person]]\nname = "Anna"\nborn = 1980\n'
    begun = f"[[person.profile]]\nfrom = {today}\nlimiting_medicine = true\n"
    write(data, person)
    assert hartslag("--data", data, "add", *files[:1]).code == 0

    def said(verb: str) -> str:
        return " ".join(hartslag("--data", data, verb).out.split())

    write(data, person + begun)
    assert f"Since {today} a medicine limits the heart rate of Anna" in said("week")
    assert "no minutes count from that day on" in said("week")
    assert f"a medicine limits this heart rate since {today}" in said("status")
    assert f"WARN Since {today} a medicine limits the heart rate of Anna" in said("check")
    assert "moderate_bpm = 95 vigorous_bpm = 115" in said("check")
    assert newest_week(data)["limits_in_doubt"]["medicine_since"] == str(today)
    ended = f"[[person.profile]]\nfrom = {today}\nlimiting_medicine = false\n"
    write(data, person + begun.replace(str(today), str(today - timedelta(days=20))) + ended)
    for verb in ("week", "status", "check"):
        assert "a medicine limits" not in said(verb)
    assert newest_week(data)["limits_in_doubt"] is None


def test_limits_of_the_time_of_a_medicine_are_named_once_it_is_over(tmp_path: Path) -> None:
    """Protects who stopped taking a beta blocker from minutes by the limits that held with it; those of before it hold again."""
    files = files_of_two_devices(tmp_path / "files")
    data = tmp_path / "data"
    today = date.today()  # noqa: DTZ011 -- of the machine, as the person's
    begun = f"[[person.profile]]\nfrom = {today - timedelta(days=90)}\nlimiting_medicine = true\n"
    ended = f"[[person.profile]]\nfrom = {today - timedelta(days=9)}\nlimiting_medicine = false\n"
    own = "moderate_bpm = 110\nvigorous_bpm = 140\n"
    write(data, PERSON + own + begun + "moderate_bpm = 90\nvigorous_bpm = 110\n" + ended)
    assert hartslag("--data", data, "add", *files[:1]).code == 0
    doubt = newest_week(data)["limits_in_doubt"]
    assert doubt["medicine_until"] == str(today - timedelta(days=9))
    assert doubt["of_medicine"] == [{"sport": None, "moderate_bpm": 90, "vigorous_bpm": 110}]
    for verb in ("week", "status", "check"):
        told = " ".join(hartslag("--data", data, verb).out.split())
        assert "limits in use (90 and 110 bpm) are of the time of a medicine" in told
    write(data, PERSON + own + begun + "moderate_bpm = 90\nvigorous_bpm = 110\n" + ended + own)
    assert newest_week(data)["limits_in_doubt"] is None
    write(data, PERSON + own + begun + ended)
    assert newest_week(data)["limits_in_doubt"] is None
